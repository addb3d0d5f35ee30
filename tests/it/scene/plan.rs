//! A plan is what happens: what the portal receives for an applied plan is what its lines said.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use uzel::base::Locale;
use uzel::base::checksum::Fingerprint;
use uzel::entry::{Command, Entry, ObjectRef};
use uzel::plan::{Action, Line, Plans, Subject};
use uzel::query::Query;
use uzel::tables::Reader;

use super::acts::{CAST, Play};
use super::laws::flat;
use super::stage::{catalog, sink};
use crate::pipeline_support::form_at;

impl Play {
    /// The first plan: made, perhaps overtaken and made again, applied, compared.
    pub(super) async fn plan_is_effect(&mut self) {
        let folder = std::env::temp_dir().join(format!("uzel-scene-{}-{}", std::process::id(), self.seed));
        let plans = Plans::new(folder.clone());
        let lines = self.plan(&plans).await;
        // The folder is of this scene alone; what is left in it harms nobody.
        let _removed = std::fs::remove_dir_all(&folder);
        let objects: Vec<ObjectRef> = lines.iter().filter(|it| it.action.goes()).map(|it| it.object).collect();
        self.say(format!("a plan of {} lines is applied", lines.len()));
        self.stage.twin.take_written();
        self.stage.command(Command::ApplyPlan { sink: sink(), plan: Fingerprint::of(b"plan"), objects });
        if self.dice.of_hundred(30) {
            let steps = 1 + self.dice.below(20);
            self.say(format!("the process will die {steps} steps on"));
            self.stage.fuse.set(steps);
        }
        self.drained("after the plan").await;
        self.stage.fuse.set(0);
        self.compare(&lines);
    }

    async fn plan(&mut self, plans: &Plans) -> Vec<Line> {
        let catalog = catalog();
        let connection = catalog.connection("bitrix24").expect("it is configured");
        let query = |play: &Play| Query::new(play.stage.store.clone(), play.stage.journal.clone(), catalog.clone());
        let mut made = query(self).make_plan(plans, connection, Locale::Ru, self.stage.now()).expect("a plan");
        if self.dice.of_hundred(30) {
            self.overtake().await;
            let standing = query(self).standing(plans, &made, connection, Locale::Ru).expect("it reads");
            if standing.overtaken.is_empty() && standing.newer == 0 {
                self.wrong("a plan is overtaken and does not know it");
            }
            made = query(self).make_plan(plans, connection, Locale::Ru, self.stage.now()).expect("a plan");
        }
        let standing = query(self).standing(plans, &made, connection, Locale::Ru).expect("it reads");
        if !standing.overtaken.is_empty() || standing.holds.len() as u64 != made.goes {
            self.wrong(format!("a plan just made does not hold: {standing:?}"));
        }
        let mut lines = Vec::new();
        plans
            .lines(&made, |line| {
                lines.push(line);
                true
            })
            .expect("it reads");
        lines
    }

    /// Somebody who has not been told there turns to us once more.
    async fn overtake(&mut self) {
        let who = &CAST[self.dice.below(3)];
        let fields = json!({ "name": who.name, "phone": who.phones[0], "message": "ещё вопрос" });
        self.stage.append(&Entry::Received(form_at(self.stage.now(), &fields)));
        self.say(format!("the plan is overtaken: {fields}"));
        self.pass(3_000).await;
    }

    fn compare(&mut self, lines: &[Line]) {
        let ids = self.given(lines);
        let mut adds: BTreeMap<ObjectRef, u32> = BTreeMap::new();
        let written = self.stage.twin.take_written();
        for (method, params) in written.into_iter().flat_map(|(method, params)| one_by_one(method, params)) {
            if method.contains("userfield") {
                continue;
            }
            let fields = match params.get("fields") {
                Some(fields) => flat(fields),
                None => flat(&params),
            };
            let is_add = method.ends_with(".add");
            let id = params
                .get("id")
                .and_then(Json::as_str)
                .map(str::to_owned)
                .or_else(|| params.get("id").and_then(Json::as_u64).map(|id| id.to_string()));
            let line = lines.iter().find(|line| match (is_add, fields.get(".ORIGIN_ID")) {
                (true, Some(origin)) => line.object.to_string() == *origin,
                (true, None) => fields.values().any(|it| it.contains(&line.object.to_string())),
                (false, _) => ids.get(&line.object.to_string()) == id.as_ref() && method.contains(&*line.kind),
            });
            let Some(line) = line.filter(|line| line.action.goes()) else {
                self.wrong(format!("the plan does not say {method} {params}"));
                continue;
            };
            if is_add {
                *adds.entry(line.object).or_default() += 1;
                if !matches!(line.action, Action::Create | Action::Import) {
                    self.wrong(format!("the plan says {:?} of {}, and it is made", line.action, line.object));
                }
            }
            self.compare_fields(line, &method, &fields, &ids);
        }
        for (object, _) in adds.iter().filter(|(_, times)| **times > 1) {
            self.wrong(format!("{object} is made twice by one plan"));
        }
        for line in lines.iter().filter(|it| it.action.goes()) {
            let reader = Reader::new(self.stage.store.as_ref());
            let subject = Subject::read(&reader, line.object).expect("it reads").expect("it is there");
            let state = subject.state(&sink()).expect("it was planned");
            if state.delivery.is_some() || state.confirmed.is_none() {
                let text = format!("the plan says {:?} of {}, and it did not happen", line.action, line.object);
                self.wrong(text);
            }
        }
    }

    fn compare_fields(
        &mut self,
        line: &Line,
        method: &str,
        written: &BTreeMap<String, String>,
        ids: &BTreeMap<String, String>,
    ) {
        let mut said = BTreeMap::new();
        for field in &line.fields {
            let to = match &field.to {
                // Our id stands for one that the portal was yet to give.
                Json::String(text) if field.name != "ORIGIN_ID" => {
                    ids.get(text).map_or_else(|| field.to.clone(), |id| json!(id))
                }
                other => other.clone(),
            };
            said.extend(flat(&json!({ field.name.as_str(): to })));
        }
        // Methods for to-dos name their parameters otherwise: values are compared.
        let by_name = method.contains("crm.contact") || method.contains("crm.deal") || method.contains("crm.company");
        for (name, value) in written {
            let is_multi = name.starts_with(".PHONE") || name.starts_with(".EMAIL");
            let is_said = match by_name && !is_multi {
                true => said.get(name) == Some(value),
                false => said.values().any(|it| it == value) || name.ends_with(".ID") || is_owner_type(name),
            };
            if !is_said {
                let text = format!("the plan does not say {name} = {value} of {} ({method}): {said:?}", line.object);
                self.wrong(text);
            }
        }
    }

    /// Ids that the sink has given, by ours.
    fn given(&self, lines: &[Line]) -> BTreeMap<String, String> {
        let reader = Reader::new(self.stage.store.as_ref());
        let given = |line: &Line| {
            let subject = Subject::read(&reader, line.object).ok()??;
            let confirmed = subject.state(&sink())?.confirmed.as_ref()?;
            Some((line.object.to_string(), confirmed.foreign_id.to_string()))
        };
        lines.iter().filter_map(given).collect()
    }
}

/// An import of several objects, as if each had been added: in classic names.
fn one_by_one(method: String, params: Json) -> Vec<(String, Json)> {
    let Some(rows) = params["data"].as_array().filter(|_| method == "crm.item.batchImport") else {
        return vec![(method, params)];
    };
    let kind = match params["entityTypeId"].as_str() {
        Some("2") => "deal",
        Some("3") => "contact",
        _ => "company",
    };
    let classic = |row: &Json| {
        let mut fields = serde_json::Map::new();
        for (name, value) in row.as_object().into_iter().flatten() {
            match name.as_str() {
                "fm" => {
                    let phones = value.as_array().into_iter().flatten().map(|it| json!({"VALUE": it["value"]}));
                    fields.insert("PHONE".to_owned(), phones.collect());
                }
                _ if name.starts_with("UF_") => drop(fields.insert(name.clone(), value.clone())),
                _ => {
                    let parts =
                        name.chars().map(|it| if it.is_ascii_uppercase() { format!("_{it}") } else { it.to_string() });
                    fields.insert(parts.collect::<String>().to_uppercase(), value.clone());
                }
            }
        }
        (format!("crm.{kind}.add"), json!({ "fields": fields }))
    };
    rows.iter().map(classic).collect()
}

/// Numbers that stand for a kind in the methods of to-dos.
fn is_owner_type(name: &str) -> bool {
    name.contains("ownerTypeId")
}
