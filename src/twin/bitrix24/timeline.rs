//! What hangs on objects: comments, to-dos, activities, requisites, and the history of stages.
//!
//! Source: facts/crm/bitrix24.md sections 5 and 6(d); b24restdocs (5988ed1), timeline/*,
//! requisites/universal/*, crm-stage-history-list.md.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::fields::Kind;
use super::listing::{Column, Columns, compare, page};
use super::params::{self, children, members, param, text};
use super::portal::{Answer, Call, Portal, Refusal, StageMove};
use crate::value::Value;

/// A row of one of the side tables: classic names, text in every field.
pub(super) type Row = BTreeMap<String, String>;

/// The column that ties a row to its object's kind; never shown.
pub(super) const OWNER_KIND: &str = "OWNER_KIND";

const REQUISITE_FIELDS: [&str; 14] = [
    "ENTITY_TYPE_ID",
    "ENTITY_ID",
    "PRESET_ID",
    "NAME",
    "XML_ID",
    "ORIGINATOR_ID",
    "ACTIVE",
    "SORT",
    "RQ_INN",
    "RQ_KPP",
    "RQ_OGRN",
    "RQ_OGRNIP",
    "RQ_COMPANY_NAME",
    "RQ_COMPANY_FULL_NAME",
];

const ACTIVITY_FIELDS: [&str; 17] = [
    "OWNER_ID",
    "OWNER_TYPE_ID",
    "TYPE_ID",
    "PROVIDER_ID",
    "PROVIDER_TYPE_ID",
    "SUBJECT",
    "DESCRIPTION",
    "DESCRIPTION_TYPE",
    "DIRECTION",
    "START_TIME",
    "END_TIME",
    "DEADLINE",
    "COMPLETED",
    "RESPONSIBLE_ID",
    "PRIORITY",
    "ORIGINATOR_ID",
    "ORIGIN_ID",
];

impl Portal {
    pub(super) fn comment_add(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let sent = param(call.params, "fields").ok_or_else(|| Refusal::missing("fields"))?;
        let (kind, id) = comment_owner(sent)?;
        if self.object(kind, id).is_none() {
            return Err(Refusal::new(400, "OWNER_NOT_FOUND", "Owner was not found"));
        }
        let comment = text(sent, "COMMENT").unwrap_or("").trim();
        if comment.is_empty() {
            return Err(Refusal::new(400, "INVALID_ARG_VALUE", "Empty comment message"));
        }
        let author = text(sent, "AUTHOR_ID").map_or_else(|| call.user.to_string(), str::to_owned);
        let row = row([
            (OWNER_KIND, kind.word().to_owned()),
            ("ENTITY_ID", id.to_string()),
            ("ENTITY_TYPE", kind.word().to_owned()),
            ("CREATED", self.zone.iso(call.now_s)),
            ("COMMENT", comment.to_owned()),
            ("AUTHOR_ID", author),
        ]);
        let comment_id = self.next_id("comment");
        self.comments.insert(comment_id, row);
        Ok(Answer::of(json!(comment_id)))
    }

    /// The filter must name the object.
    pub(super) fn comment_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let filter = param(call.params, "filter").ok_or_else(|| Refusal::missing("filter"))?;
        comment_owner(filter)?;
        Ok(list(&self.comments, call, &["ID", "ENTITY_ID", "AUTHOR_ID"]))
    }

    pub(super) fn todo_add(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let required = |name: &str| text(call.params, name).ok_or_else(|| Refusal::missing(name));
        let (type_id, owner_id, deadline) = (required("ownerTypeId")?, required("ownerId")?, required("deadline")?);
        let owner = type_id.parse().ok().and_then(Kind::from_type_id).zip(owner_id.parse::<u64>().ok());
        let Some((kind, id)) = owner.filter(|(kind, id)| self.object(*kind, *id).is_some()) else {
            return Err(Refusal::new(400, "OWNER_NOT_FOUND", "Owner was not found"));
        };
        let Some(deadline) = self.zone.read_instant(deadline) else {
            return Err(Refusal::new(400, "WRONG_DATETIME_FORMAT", "Wrong date time format"));
        };
        let optional = |name: &str| text(call.params, name).unwrap_or_default().to_owned();
        let responsible = text(call.params, "responsibleId").map_or_else(|| call.user.to_string(), str::to_owned);
        let row = row([
            (OWNER_KIND, kind.word().to_owned()),
            ("OWNER_ID", id.to_string()),
            ("OWNER_TYPE_ID", kind.type_id().to_string()),
            ("TYPE_ID", "6".to_owned()),
            ("PROVIDER_ID", "CRM_TODO".to_owned()),
            ("SUBJECT", optional("title")),
            ("DESCRIPTION", optional("description")),
            ("DEADLINE", self.zone.iso(deadline)),
            ("RESPONSIBLE_ID", responsible),
            ("AUTHOR_ID", call.user.to_string()),
            ("COMPLETED", "N".to_owned()),
            ("CREATED", self.zone.iso(call.now_s)),
        ]);
        let activity_id = self.next_id("activity");
        self.activities.insert(activity_id, row);
        Ok(Answer::of(json!({"id": activity_id})))
    }

    /// A logged call or letter. An outgoing letter logged as completed really leaves.
    pub(super) fn activity_add(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let sent = call.fields()?;
        let owner = params::integer(sent, "OWNER_TYPE_ID")
            .and_then(Kind::from_type_id)
            .zip(params::integer(sent, "OWNER_ID").and_then(|id| u64::try_from(id).ok()));
        let Some((kind, id)) = owner.filter(|(kind, id)| self.object(*kind, *id).is_some()) else {
            return Err(Refusal::classic("OWNER_ID is not defined or invalid."));
        };
        let type_id = params::integer(sent, "TYPE_ID").unwrap_or(0);
        if !(1..=6).contains(&type_id) {
            return Err(Refusal::classic("TYPE_ID is not defined or invalid."));
        }
        let addressed = param(sent, "COMMUNICATIONS").map(children).unwrap_or_default();
        if matches!(type_id, 2 | 4) && addressed.is_empty() {
            return Err(Refusal::classic("The field COMMUNICATIONS is not defined or invalid."));
        }
        let mut row = known(sent, &ACTIVITY_FIELDS);
        row.insert(OWNER_KIND.to_owned(), kind.word().to_owned());
        row.insert("CREATED".to_owned(), self.zone.iso(call.now_s));
        row.insert("AUTHOR_ID".to_owned(), call.user.to_string());
        row.insert("OWNER_ID".to_owned(), id.to_string());
        let is = |name: &str, wanted: &str| row.get(name).map(String::as_str) == Some(wanted);
        if type_id == 4 && is("DIRECTION", "2") && is("COMPLETED", "Y") {
            self.letters_sent += 1;
        }
        let activity_id = self.next_id("activity");
        self.activities.insert(activity_id, row);
        Ok(Answer::of(json!(activity_id)))
    }

    pub(super) fn activity_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        Ok(list(&self.activities, call, &["ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "RESPONSIBLE_ID"]))
    }

    pub(super) fn requisite_add(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let sent = call.fields()?;
        let positive = |name: &str| {
            let number = params::integer(sent, name).filter(|it| *it > 0);
            number.ok_or_else(|| Refusal::classic(format!("{name} is not defined or invalid.")))
        };
        // Requisites hang on contacts and companies alone.
        let kind = Kind::from_type_id(positive("ENTITY_TYPE_ID")?)
            .filter(|kind| matches!(kind, Kind::Contact | Kind::Company))
            .ok_or_else(|| Refusal::classic("ENTITY_TYPE_ID is not defined or invalid."))?;
        let entity_id = positive("ENTITY_ID")?;
        positive("PRESET_ID")?;
        if u64::try_from(entity_id).ok().and_then(|id| self.object(kind, id)).is_none() {
            return Err(Refusal::classic("Entity not found."));
        }
        let mut row = known(sent, &REQUISITE_FIELDS);
        row.insert(OWNER_KIND.to_owned(), kind.word().to_owned());
        for (name, stamp) in [("DATE_CREATE", self.zone.iso(call.now_s)), ("CREATED_BY_ID", call.user.to_string())] {
            row.insert(name.to_owned(), stamp);
        }
        let id = self.next_id("requisite");
        self.requisites.insert(id, row);
        Ok(Answer::of(json!(id)))
    }

    pub(super) fn requisite_update(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        let sent = call.fields()?;
        let stamp = self.zone.iso(call.now_s);
        let Some(row) = self.requisites.get_mut(&id) else {
            return Err(Refusal::classic(format!("The Requisite with ID '{id}' is not found")));
        };
        for (name, value) in known(sent, &REQUISITE_FIELDS) {
            // The owner of a requisite cannot be changed.
            if !matches!(name.as_str(), "ENTITY_TYPE_ID" | "ENTITY_ID") {
                row.insert(name, value);
            }
        }
        row.insert("DATE_MODIFY".to_owned(), stamp);
        Ok(Answer::of(json!(true)))
    }

    pub(super) fn requisite_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        Ok(list(&self.requisites, call, &["ID", "ENTITY_TYPE_ID", "ENTITY_ID", "PRESET_ID", "SORT"]))
    }

    pub(super) fn stage_history_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let type_id = params::integer(call.params, "entityTypeId").ok_or_else(|| Refusal::missing("entityTypeId"))?;
        let Some(kind) = Kind::from_type_id(type_id).filter(|kind| kind.has_stages()) else {
            return Err(Refusal::new(400, "INVALID_ARG_VALUE", "entityTypeId is not supported"));
        };
        let rows: BTreeMap<u64, Row> =
            self.stage_history.iter().filter(|it| it.kind == kind).map(|it| (it.id, history_row(it))).collect();
        let numeric = ["ID", "TYPE_ID", "OWNER_ID", "CATEGORY_ID", "CREATED_TIME"];
        let listed = list(&rows, call, &numeric);
        let shown: Vec<Json> = listed.result.as_array().into_iter().flatten().map(|row| self.show_move(row)).collect();
        Ok(Answer { result: json!({"items": shown}), ..listed })
    }

    /// Here ids are integers, unlike in the other classic methods.
    fn show_move(&self, row: &Json) -> Json {
        let Json::Object(members) = row else {
            return row.clone();
        };
        let shown = members.iter().map(|(name, value)| {
            let number = value.as_str().and_then(|it| it.parse::<i64>().ok());
            let value = match (name.as_str(), number) {
                ("CREATED_TIME", Some(at)) => json!(self.zone.iso(at)),
                (_, Some(number)) => json!(number),
                (_, None) => value.clone(),
            };
            (name.clone(), value)
        });
        Json::Object(shown.collect())
    }
}

fn history_row(it: &StageMove) -> Row {
    let mut history = row([
        ("TYPE_ID", it.type_id.to_string()),
        ("OWNER_ID", it.owner_id.to_string()),
        ("CREATED_TIME", it.at.to_string()),
        (it.kind.semantics_field(), it.semantics.clone()),
        (it.kind.stage_field(), it.stage_id.clone()),
    ]);
    if it.kind == Kind::Deal {
        history.insert("CATEGORY_ID".to_owned(), it.category_id.to_string());
    }
    history
}

fn comment_owner(sent: &Value) -> Result<(Kind, u64), Refusal> {
    let id = params::integer(sent, "ENTITY_ID").and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
    let kind = text(sent, "ENTITY_TYPE").and_then(Kind::from_word);
    kind.zip(id)
        .ok_or_else(|| Refusal { description: "Required fields are not provided".to_owned(), ..Refusal::missing("") })
}

fn row<const N: usize>(cells: [(&str, String); N]) -> Row {
    cells.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The fields sent that the table knows; the others are dropped in silence.
fn known(sent: &Value, names: &[&str]) -> Row {
    members(sent)
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .filter_map(|(name, value)| value.as_text().map(|text| (name, text.to_owned())))
        .collect()
}

/// A classic list over a side table: filter, order, select, pages.
fn list(rows: &BTreeMap<u64, Row>, call: &Call<'_>, numeric: &[&str]) -> Answer {
    let resolve = |name: &str| {
        let column = if numeric.contains(&name) { Column::Number } else { Column::Text };
        let exists = name == "ID" || rows.values().any(|row| row.contains_key(name));
        (exists || rows.is_empty()).then(|| (name.to_owned(), column))
    };
    let columns = Columns { resolve: &resolve, read: &|_, text| Some(text.to_owned()), strict: false };
    // Lenient columns refuse nothing.
    let (Ok(test), Ok(order)) =
        (columns.filter(param(call.params, "filter")), columns.order(param(call.params, "order")))
    else {
        return Answer { result: json!([]), total: Some(0), next: None };
    };
    let cell = |id: u64, row: &Row, name: &str| match name {
        "ID" => Some(id.to_string()),
        other => row.get(other).cloned(),
    };
    let mut found: Vec<(&u64, &Row)> = rows
        .iter()
        .filter(|(id, row)| test.passes(&|name| cell(**id, row, name).map(Cow::from).into_iter().collect()))
        .collect();
    found.sort_by(|left, right| {
        order
            .iter()
            .map(|(name, column, descending)| {
                let key = |(id, row): &(&u64, &Row)| cell(**id, row, name).unwrap_or_default();
                let ordering = compare(*column, &key(left), &key(right));
                if *descending { ordering.reverse() } else { ordering }
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| left.0.cmp(right.0))
    });
    let select: Vec<&str> =
        param(call.params, "select").map(children).unwrap_or_default().into_iter().filter_map(Value::as_text).collect();
    let wanted = |name: &str| select.is_empty() || select.contains(&"*") || select.contains(&name);
    let page = page(found, call.params);
    let shown = page.rows.into_iter().map(|(id, row)| {
        let mut out = serde_json::Map::new();
        out.insert("ID".to_owned(), json!(id.to_string()));
        for (name, text) in row.iter().filter(|(name, _)| *name != OWNER_KIND && wanted(name)) {
            out.insert(name.clone(), json!(text));
        }
        Json::Object(out)
    });
    Answer { result: shown.collect(), total: Some(page.total), next: page.next }
}
