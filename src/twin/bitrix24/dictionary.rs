//! Users, funnels, stages and other dictionaries.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::listing::page;
use super::params::{self, children, param, text};
use super::portal::{Answer, Call, Portal, Refusal};

/// Whether the company works with leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LeadMode {
    /// Leads first.
    Classic,
    /// No leads: a deal and a contact at once.
    Simple,
}

impl LeadMode {
    /// What `crm.settings.mode.get` answers.
    pub fn code(self) -> u8 {
        match self {
            LeadMode::Classic => 1,
            LeadMode::Simple => 2,
        }
    }
}

/// A user of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The id; 1 is the administrator.
    pub id: u64,
    /// Given name.
    pub name: String,
    /// Family name.
    pub last_name: String,
    /// Work address.
    pub email: String,
    /// Extension of the switchboard.
    pub inner_phone: String,
    /// Whether still employed.
    pub active: bool,
}

/// A funnel of deals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// The id; 0 is the common one.
    pub id: u64,
    /// The name.
    pub name: String,
    /// Place.
    pub sort: u64,
}

/// An entry of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The id of the row.
    pub id: u64,
    /// The dictionary: `SOURCE`, `STATUS` (stages of leads), `DEAL_STAGE`, `DEAL_STAGE_1`, ...
    pub entity_id: String,
    /// The code that objects hold.
    pub status_id: String,
    /// What people read.
    pub name: String,
    /// Place.
    pub sort: u64,
    /// `P` in work, `S` won, `F` lost; empty for what is no stage.
    pub semantics: String,
}

/// Three users, as in a new portal of a small company.
pub(super) fn stock_users() -> Vec<User> {
    let user = |id: u64, name: &str, last_name: &str, active: bool| User {
        id,
        name: name.to_owned(),
        last_name: last_name.to_owned(),
        email: format!("user{id}@portal.example"),
        inner_phone: (100 + id).to_string(),
        active,
    };
    vec![user(1, "Анна", "Смирнова", true), user(2, "Пётр", "Иванов", true), user(3, "Олег", "Бывший", false)]
}

const DEAL_STAGES: [(&str, &str, &str); 7] = [
    ("NEW", "Новая", "P"),
    ("PREPARATION", "Подготовка документов", "P"),
    ("PREPAYMENT_INVOICE", "Счёт на предоплату", "P"),
    ("EXECUTING", "В работе", "P"),
    ("FINAL_INVOICE", "Финальный счёт", "P"),
    ("WON", "Сделка успешна", "S"),
    ("LOSE", "Сделка провалена", "F"),
];

const OTHERS: [(&str, &str, &str, &str); 21] = [
    ("STATUS", "NEW", "Не обработан", "P"),
    ("STATUS", "IN_PROCESS", "В работе", "P"),
    ("STATUS", "PROCESSED", "Обработан", "P"),
    ("STATUS", "CONVERTED", "Качественный лид", "S"),
    ("STATUS", "JUNK", "Некачественный лид", "F"),
    ("SOURCE", "CALL", "Звонок", ""),
    ("SOURCE", "EMAIL", "Электронная почта", ""),
    ("SOURCE", "WEB", "Веб-сайт", ""),
    ("SOURCE", "ADVERTISING", "Реклама", ""),
    ("SOURCE", "RECOMMENDATION", "По рекомендации", ""),
    ("SOURCE", "OTHER", "Другое", ""),
    ("CONTACT_TYPE", "CLIENT", "Клиенты", ""),
    ("CONTACT_TYPE", "SUPPLIER", "Поставщики", ""),
    ("CONTACT_TYPE", "PARTNER", "Партнёры", ""),
    ("COMPANY_TYPE", "CUSTOMER", "Клиент", ""),
    ("COMPANY_TYPE", "SUPPLIER", "Поставщик", ""),
    ("COMPANY_TYPE", "COMPETITOR", "Конкурент", ""),
    ("DEAL_TYPE", "SALE", "Продажа", ""),
    ("DEAL_TYPE", "SERVICES", "Услуги", ""),
    ("INDUSTRY", "IT", "Информационные технологии", ""),
    ("EMPLOYEES", "EMPLOYEES_1", "менее 50", ""),
];

/// The dictionaries of a new portal.
pub(super) fn stock_statuses() -> Vec<Status> {
    let mut all = Vec::new();
    for (entity_id, status_id, name, semantics) in OTHERS {
        push(&mut all, entity_id, status_id.to_owned(), name, semantics);
    }
    for (status_id, name, semantics) in DEAL_STAGES {
        push(&mut all, "DEAL_STAGE", status_id.to_owned(), name, semantics);
    }
    all
}

pub(super) fn push(all: &mut Vec<Status>, entity_id: &str, status_id: String, name: &str, semantics: &str) {
    let place = all.iter().filter(|it| it.entity_id == entity_id).count() as u64 + 1;
    all.push(Status {
        id: all.iter().map(|it| it.id).max().map_or(1, |last| last + 2),
        entity_id: entity_id.to_owned(),
        status_id,
        name: name.to_owned(),
        sort: place * 10,
        semantics: semantics.to_owned(),
    });
}

impl Portal {
    /// Adds a funnel with the stock stages (`C1:NEW`, `C1:WON`, ...); answers its id.
    pub fn add_category(&mut self, name: &str) -> u64 {
        let id = self.categories.iter().map(|it| it.id).max().map_or(0, |it| it + 1);
        self.categories.push(Category { id, name: name.to_owned(), sort: 200 });
        for (status_id, name, semantics) in DEAL_STAGES {
            push(&mut self.statuses, &format!("DEAL_STAGE_{id}"), format!("C{id}:{status_id}"), name, semantics);
        }
        id
    }

    /// The stages of a funnel (or of leads) in their order.
    pub(super) fn stages(&self, dictionary: &str) -> Vec<&Status> {
        let mut stages: Vec<&Status> = self.statuses.iter().filter(|it| it.entity_id == dictionary).collect();
        stages.sort_by_key(|it| it.sort);
        stages
    }

    pub(super) fn status_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let filter = param(call.params, "filter");
        let wanted = |name: &str, have: &str| {
            let given = filter.and_then(|it| param(it, name)).map(children).unwrap_or_default();
            given.is_empty() || given.iter().any(|it| it.as_text() == Some(have))
        };
        let mut rows: Vec<&Status> = self
            .statuses
            .iter()
            .filter(|it| wanted("ENTITY_ID", &it.entity_id) && wanted("STATUS_ID", &it.status_id))
            .collect();
        rows.sort_by(|left, right| (&left.entity_id, left.sort).cmp(&(&right.entity_id, right.sort)));
        let total = rows.len() as u64;
        let shown = rows.into_iter().map(status_row).collect();
        Ok(Answer { result: Json::Array(shown), total: Some(total), next: None })
    }

    pub(super) fn category_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let type_id = params::integer(call.params, "entityTypeId").ok_or_else(|| Refusal::missing("entityTypeId"))?;
        if type_id != 2 {
            return Err(Refusal::new(400, "ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported"));
        }
        let mut rows: Vec<&Category> = self.categories.iter().collect();
        rows.sort_by_key(|it| (it.sort, it.id));
        let shown: Vec<Json> = rows
            .iter()
            .map(|it| {
                let mut row = json!({"id": it.id, "name": it.name, "sort": it.sort, "entityTypeId": 2,
                                     "isDefault": if it.id == 0 { "Y" } else { "N" }});
                if it.id != 0 {
                    row["originId"] = json!("");
                    row["originatorId"] = json!("");
                }
                row
            })
            .collect();
        Ok(Answer { total: Some(shown.len() as u64), result: json!({"categories": shown}), next: None })
    }

    /// `crm.category.get`.
    pub(super) fn category_get(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let listed = self.category_list(call)?;
        let id = params::integer(call.params, "id").ok_or_else(|| Refusal::missing("id"))?;
        let rows = listed.result["categories"].as_array().cloned().unwrap_or_default();
        let found = rows.into_iter().find(|row| row["id"] == json!(id));
        found
            .map(|row| Answer::of(json!({"category": row})))
            .ok_or_else(|| Refusal::new(400, "NOT_FOUND", "Element not found"))
    }

    /// `crm.dealcategory.list`: all funnels but the common one, with text in every field [U].
    pub(super) fn old_category_list(&self, call: &Call<'_>) -> Answer {
        let ids: Vec<u64> = self.categories.iter().map(|it| it.id).filter(|id| *id != 0).collect();
        let page = page(ids, call.params);
        let shown = page.rows.into_iter().map(|id| self.old_category(id)).collect();
        Answer { result: Json::Array(shown), total: Some(page.total), next: page.next }
    }

    pub(super) fn old_category_get(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        match self.categories.iter().any(|it| it.id == id) {
            true => Ok(Answer::of(self.old_category(id))),
            false => Err(Refusal::classic("Not found")),
        }
    }

    pub(super) fn old_category(&self, id: u64) -> Json {
        let funnel = self.categories.iter().find(|it| it.id == id);
        let (name, sort) = funnel.map_or(("", 0), |it| (it.name.as_str(), it.sort));
        json!({"ID": id.to_string(), "NAME": name, "SORT": sort.to_string(), "IS_LOCKED": "N",
               "CREATED_DATE": "2024-07-15T00:00:00+03:00"})
    }

    /// `crm.dealcategory.stage.list`: as `crm.status.list` of the funnel's dictionary.
    pub(super) fn old_stage_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = params::integer(call.params, "id").and_then(|id| u64::try_from(id).ok()).unwrap_or(0);
        let stages = self.stages(&super::write::dictionary_of(super::fields::Kind::Deal, id));
        let shown = stages.iter().map(|it| json!({"NAME": it.name, "SORT": it.sort, "STATUS_ID": it.status_id}));
        Ok(Answer::of(shown.collect()))
    }

    pub(super) fn user_get(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        // `ID`, `FILTER[ID]` and `FILTER[ACTIVE]` are all seen; the filter may also stand bare.
        let filter = param(call.params, "filter").unwrap_or(call.params);
        let ids: Option<Vec<&str>> = ["ID", "@ID"]
            .into_iter()
            .find_map(|name| param(filter, name).or_else(|| param(call.params, name)))
            .map(|it| children(it).into_iter().filter_map(|it| it.as_text()).collect());
        let active = text(filter, "ACTIVE").map(params::is_yes);
        let email = text(filter, "EMAIL");
        let rows: Vec<&User> = self
            .users
            .iter()
            .filter(|it| ids.as_ref().is_none_or(|ids| ids.contains(&it.id.to_string().as_str())))
            .filter(|it| active.is_none_or(|active| it.active == active))
            .filter(|it| email.is_none_or(|email| it.email.eq_ignore_ascii_case(email)))
            .collect();
        let page = page(rows, call.params);
        let shown = page.rows.into_iter().map(user_row).collect();
        Ok(Answer { result: Json::Array(shown), total: Some(page.total), next: page.next })
    }

    pub(super) fn user_current(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let user = self.users.iter().find(|it| it.id == call.user);
        user.map(|it| Answer::of(user_row(it)))
            .ok_or_else(|| Refusal::new(403, "user_access_error", "The user does not have access to the application."))
    }

    pub(super) fn profile(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let user = self.users.iter().find(|it| it.id == call.user);
        let (name, last_name) = user.map_or(("", ""), |it| (it.name.as_str(), it.last_name.as_str()));
        Ok(Answer::of(json!({
            "ID": call.user.to_string(),
            "ADMIN": call.user == 1,
            "NAME": name,
            "LAST_NAME": last_name,
            "PERSONAL_GENDER": "",
            "TIME_ZONE": "",
        })))
    }
}

/// Users as `user_brief` sees them: without contact data and without fields of their own.
pub(super) fn seen_by(method: &str, mut answer: Answer, scopes: &[String]) -> Answer {
    let reads_users = ["user.get", "user.current"].iter().any(|it| method.eq_ignore_ascii_case(it));
    let sees_all = scopes.iter().any(|it| matches!(it.as_str(), "user" | "user_basic"));
    if !reads_users || sees_all {
        return answer;
    }
    let rows = match &mut answer.result {
        Json::Array(rows) => rows.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for row in rows.iter_mut().filter_map(Json::as_object_mut) {
        row.retain(|name, _| name != "EMAIL" && !name.starts_with("UF_"));
    }
    answer
}

fn status_row(it: &Status) -> Json {
    let word = match it.semantics.as_str() {
        "S" => "success",
        "F" => "failure",
        _ => "process",
    };
    let mut row = json!({
        "ID": it.id.to_string(),
        "ENTITY_ID": it.entity_id,
        "STATUS_ID": it.status_id,
        "NAME": it.name,
        "NAME_INIT": "",
        "SORT": it.sort.to_string(),
        "SYSTEM": "N",
        "CATEGORY_ID": it.entity_id.strip_prefix("DEAL_STAGE_"),
        "COLOR": "#39A8EF",
        "SEMANTICS": Json::Null,
    });
    // Stages in work have no SEMANTICS of their own, only within EXTRA (crm-status-list.md).
    if matches!(it.semantics.as_str(), "S" | "F") {
        row["SEMANTICS"] = json!(it.semantics);
    }
    if !it.semantics.is_empty() {
        row["EXTRA"] = json!({"SEMANTICS": word, "COLOR": "#39A8EF"});
    }
    row
}

fn user_row(it: &User) -> Json {
    json!({
        "ID": it.id.to_string(),
        "ACTIVE": it.active,
        "NAME": it.name,
        "LAST_NAME": it.last_name,
        "SECOND_NAME": "",
        "EMAIL": it.email,
        "LAST_LOGIN": "",
        "DATE_REGISTER": "2024-07-15T00:00:00+00:00",
        "IS_ONLINE": "N",
        // Empty PHP objects: the documentation shows `{}` here, portals also send `[]`.
        "TIMESTAMP_X": {},
        "LAST_ACTIVITY_DATE": {},
        "WORK_POSITION": "",
        "UF_DEPARTMENT": [1],
        "UF_PHONE_INNER": it.inner_phone,
        "USER_TYPE": "employee",
    })
}
