//! Tasks: `tasks.task.{add|get|list|update|complete|delete}`. Names go in upper case and come back
//! in camel case, all values as text.
//!
//! Source: b24restdocs (5988ed1), tasks/tasks-task-add.md, -get.md, -list.md, -update.md, fields.md.

use serde_json::{Map, Value as Json, json};

use super::fields::camel;
use super::listing::Column;
use super::params::{self, children, members, param};
use super::portal::{Answer, Call, Portal, Refusal, no_method};
use super::side::{Row, SEVERAL, Shape, row};
use crate::value::Value;

const OPEN: [&str; 14] = [
    "TITLE",
    "DESCRIPTION",
    "DEADLINE",
    "START_DATE_PLAN",
    "END_DATE_PLAN",
    "PRIORITY",
    "CREATED_BY",
    "RESPONSIBLE_ID",
    "ACCOMPLICES",
    "AUDITORS",
    "GROUP_ID",
    "PARENT_ID",
    "STATUS",
    "UF_CRM_TASK",
];
const TIMES: [&str; 3] = ["DEADLINE", "START_DATE_PLAN", "END_DATE_PLAN"];
const LISTS: [&str; 3] = ["ACCOMPLICES", "AUDITORS", "UF_CRM_TASK"];

const TASKS: Shape = Shape(&[
    ("RESPONSIBLE_ID", Column::Number),
    ("CREATED_BY", Column::Number),
    ("STATUS", Column::Number),
    ("REAL_STATUS", Column::Number),
    ("PRIORITY", Column::Number),
    ("GROUP_ID", Column::Number),
    ("DEADLINE", Column::Day),
    ("CREATED_DATE", Column::Day),
    ("CHANGED_DATE", Column::Day),
    ("CLOSED_DATE", Column::Day),
]);

fn core(description: &str) -> Refusal {
    Refusal::new(400, "ERROR_CORE", format!("{description}<br>"))
}

impl Portal {
    pub(super) fn task(&mut self, verb: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        match verb {
            "add" => self.task_add(call),
            "get" => {
                let (id, row) = self.task_row(call)?;
                Ok(Answer::of(json!({"task": self.show_task(id, row)})))
            }
            "list" => Ok(self.task_list(call)),
            "update" => {
                let sent = param(call.params, "fields").ok_or_else(|| Refusal::missing("fields"))?;
                self.task_write(call, Some(sent), None)
            }
            "complete" => self.task_write(call, None, Some("5")),
            "renew" => self.task_write(call, None, Some("2")),
            "start" => self.task_write(call, None, Some("3")),
            "delete" => {
                let (id, _) = self.task_row(call)?;
                self.tasks.remove(&id);
                self.noted("ONTASKDELETE", id, call);
                Ok(Answer::of(json!({"task": true})))
            }
            _ => Err(no_method()),
        }
    }

    fn task_row(&self, call: &Call<'_>) -> Result<(u64, &Row), Refusal> {
        let id = params::integer(call.params, "taskId").or_else(|| params::integer(call.params, "id"));
        let id = id.ok_or_else(|| {
            let description = "CTaskItem All parameters in the constructor must have real class type (internal error)";
            Refusal { description: description.to_owned(), ..Refusal::missing("taskId") }
        })?;
        let found = u64::try_from(id).ok().and_then(|id| self.tasks.get(&id).map(|row| (id, row)));
        // Whether it never was or may not be seen is not told apart [U].
        found.ok_or_else(|| core("Task not found or not accessible"))
    }

    fn task_fields(&self, sent: &Value) -> Result<Row, Refusal> {
        let mut fields = Row::new();
        for (name, value) in members(sent).unwrap_or_default() {
            let name = name.to_ascii_uppercase();
            if !OPEN.contains(&name.as_str()) {
                continue;
            }
            let given: Vec<&str> = children(value).into_iter().filter_map(Value::as_text).collect();
            let held = match name.as_str() {
                list if LISTS.contains(&list) => given.join(&SEVERAL.to_string()),
                time if TIMES.contains(&time) => {
                    let text = given.first().copied().unwrap_or("").trim();
                    match (text.is_empty(), self.zone.read_instant(text)) {
                        (true, _) => String::new(),
                        (false, Some(at)) => self.zone.iso(at),
                        (false, None) => return Err(core(&format!("Incorrect date in the field {time}"))),
                    }
                }
                "STATUS" if !matches!(given.first(), Some(&("2" | "3" | "4" | "5" | "6"))) => {
                    return Err(core("Incorrect status"));
                }
                _ => given.first().map_or_else(String::new, |it| (*it).to_owned()),
            };
            fields.insert(name, held);
        }
        let responsible = fields.get("RESPONSIBLE_ID");
        let known = responsible.is_none_or(|id| self.users.iter().any(|it| it.id.to_string() == *id));
        if !known {
            return Err(core("User specified in the \"Responsible\" field not found"));
        }
        Ok(fields)
    }

    fn task_add(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let sent = param(call.params, "fields").ok_or_else(|| Refusal::missing("fields"))?;
        let fields = self.task_fields(sent)?;
        let filled = |name: &str| fields.get(name).is_some_and(|it| !it.trim().is_empty());
        if !filled("TITLE") {
            return Err(core("Task title is not specified"));
        }
        if !filled("RESPONSIBLE_ID") {
            return Err(core("Responsible person is not specified"));
        }
        let (now, user) = (self.zone.iso(call.now_s), call.user.to_string());
        let mut task = row([
            ("CREATED_BY", user.clone()),
            ("CHANGED_BY", user),
            ("CREATED_DATE", now.clone()),
            ("CHANGED_DATE", now.clone()),
            ("ACTIVITY_DATE", now.clone()),
            ("STATUS_CHANGED_DATE", now),
            ("STATUS", "2".to_owned()),
            ("PRIORITY", "1".to_owned()),
            ("GROUP_ID", "0".to_owned()),
        ]);
        task.extend(fields);
        settle(&mut task);
        let id = self.next_id("task");
        self.tasks.insert(id, task);
        self.noted("ONTASKADD", id, call);
        Ok(Answer::of(json!({"task": self.show_task(id, &self.tasks[&id])})))
    }

    fn task_write(&mut self, call: &Call<'_>, sent: Option<&Value>, status: Option<&str>) -> Result<Answer, Refusal> {
        let (id, before) = self.task_row(call)?;
        let mut task = before.clone();
        task.extend(sent.map(|sent| self.task_fields(sent)).transpose()?.unwrap_or_default());
        if let Some(status) = status {
            task.insert("STATUS".to_owned(), status.to_owned());
        }
        let now = self.zone.iso(call.now_s);
        if task.get("STATUS") != before.get("STATUS") {
            task.insert("STATUS_CHANGED_DATE".to_owned(), now.clone());
            let closed = if task.get("STATUS").is_some_and(|it| it == "5") { now.clone() } else { String::new() };
            task.insert("CLOSED_DATE".to_owned(), closed);
        }
        task.insert("CHANGED_DATE".to_owned(), now);
        task.insert("CHANGED_BY".to_owned(), call.user.to_string());
        settle(&mut task);
        self.tasks.insert(id, task);
        self.noted("ONTASKUPDATE", id, call);
        Ok(Answer::of(json!({"task": self.show_task(id, &self.tasks[&id])})))
    }

    fn task_list(&self, call: &Call<'_>) -> Answer {
        let page = TASKS.page(self.zone, &self.tasks, call);
        let shown: Vec<Json> = page.rows.into_iter().map(|(id, row)| self.show_task(*id, row)).collect();
        Answer { result: json!({"tasks": shown}), total: Some(page.total), next: page.next }
    }

    fn show_task(&self, id: u64, row: &Row) -> Json {
        let mut out = Map::new();
        out.insert("id".to_owned(), json!(id.to_string()));
        for name in ["DESCRIPTION", "DEADLINE", "CLOSED_DATE", "START_DATE_PLAN", "END_DATE_PLAN", "PARENT_ID"] {
            out.insert(camel(name), Json::Null);
        }
        for name in LISTS {
            out.insert(camel(name), json!([]));
        }
        for (name, held) in row {
            let shown = match name.as_str() {
                "REAL_STATUS" => continue,
                list if LISTS.contains(&list) => held.split(SEVERAL).filter(|it| !it.is_empty()).collect(),
                _ if held.is_empty() && name != "DESCRIPTION" => Json::Null,
                _ => json!(held),
            };
            out.insert(camel(name), shown);
        }
        out.insert("subStatus".to_owned(), out.get("status").cloned().unwrap_or(Json::Null));
        let person = row.get("RESPONSIBLE_ID").and_then(|id| self.users.iter().find(|it| it.id.to_string() == *id));
        if let Some(person) = person {
            let link = format!("/company/personal/user/{}/", person.id);
            let name = format!("{} {}", person.name, person.last_name);
            out.insert("responsible".to_owned(), json!({"id": person.id.to_string(), "name": name, "link": link}));
        }
        Json::Object(out)
    }
}

/// The filter knows the status under another name.
fn settle(task: &mut Row) {
    let status = task.get("STATUS").cloned().unwrap_or_default();
    task.insert("REAL_STATUS".to_owned(), status);
}
