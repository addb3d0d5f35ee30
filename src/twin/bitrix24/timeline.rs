//! What hangs on objects: comments, to-dos, activities, requisites, and the history of stages.
//!
//! Source: facts/crm/bitrix24.md sections 5 and 6(d); b24restdocs (5988ed1), timeline/*,
//! requisites/universal/*, crm-stage-history-list.md.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::fields::Kind;
use super::listing::Column;
use super::params::{self, children, param, text};
use super::portal::{Answer, Call, Portal, Refusal, StageMove};
use super::side::{OWNER_KIND, Row, Shape, known, row};
use crate::value::Value;

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

const COMMENTS: Shape =
    Shape(&[("ENTITY_ID", Column::Number), ("AUTHOR_ID", Column::Number), ("CREATED", Column::Day)]);

const ACTIVITIES: Shape = Shape(&[
    ("OWNER_ID", Column::Number),
    ("OWNER_TYPE_ID", Column::Number),
    ("TYPE_ID", Column::Number),
    ("RESPONSIBLE_ID", Column::Number),
    ("AUTHOR_ID", Column::Number),
    ("EDITOR_ID", Column::Number),
    ("CREATED", Column::Day),
    ("LAST_UPDATED", Column::Day),
    ("START_TIME", Column::Day),
    ("END_TIME", Column::Day),
    ("DEADLINE", Column::Day),
]);

const REQUISITES: Shape = Shape(&[
    ("ENTITY_TYPE_ID", Column::Number),
    ("ENTITY_ID", Column::Number),
    ("PRESET_ID", Column::Number),
    ("SORT", Column::Number),
    ("DATE_CREATE", Column::Day),
    ("DATE_MODIFY", Column::Day),
]);

const MOVES: Shape = Shape(&[
    ("TYPE_ID", Column::Number),
    ("OWNER_ID", Column::Number),
    ("CATEGORY_ID", Column::Number),
    ("CREATED_TIME", Column::Instant),
]);

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
        self.timeline_touched(kind, id, call);
        let comment_id = self.next_id("comment");
        self.comments.insert(comment_id, row);
        self.noted("ONCRMTIMELINECOMMENTADD", comment_id, call);
        Ok(Answer::of(json!(comment_id)))
    }

    /// LAST_ACTIVITY_TIME: "time of the last activity in the timeline" (object-fields.md). The object
    /// itself is not changed by it.
    fn timeline_touched(&mut self, kind: Kind, id: u64, call: &Call<'_>) {
        let Some(mut object) = self.object(kind, id).cloned() else { return };
        object.set("LAST_ACTIVITY_TIME", call.now_s.to_string());
        object.set("LAST_ACTIVITY_BY", call.user.to_string());
        self.store(kind, object);
    }

    /// The filter must name the object.
    pub(super) fn comment_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let filter = param(call.params, "filter").ok_or_else(|| Refusal::missing("filter"))?;
        comment_owner(filter)?;
        Ok(COMMENTS.list(self.zone, &self.comments, call))
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
        self.activity_store(activity_id, row, "ONCRMACTIVITYADD", call);
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
        let mut row = self.activity_fields(sent);
        row.insert(OWNER_KIND.to_owned(), kind.word().to_owned());
        row.insert("CREATED".to_owned(), self.zone.iso(call.now_s));
        row.insert("AUTHOR_ID".to_owned(), call.user.to_string());
        row.insert("OWNER_ID".to_owned(), id.to_string());
        let is = |name: &str, wanted: &str| row.get(name).map(String::as_str) == Some(wanted);
        if type_id == 4 && is("DIRECTION", "2") && is("COMPLETED", "Y") {
            self.letters_sent += 1;
        }
        let activity_id = self.next_id("activity");
        self.activity_store(activity_id, row, "ONCRMACTIVITYADD", call);
        Ok(Answer::of(json!(activity_id)))
    }

    fn activity_row(&self, call: &Call<'_>) -> Result<(u64, Row), Refusal> {
        let id = call.id()?;
        let row = self.activities.get(&id).cloned();
        row.map(|row| (id, row)).ok_or_else(|| Refusal::classic("Activity is not found."))
    }

    pub(super) fn activity_get(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, row) = self.activity_row(call)?;
        let mut shown: serde_json::Map<String, Json> =
            row.into_iter().filter(|(name, _)| name != OWNER_KIND).map(|(name, held)| (name, json!(held))).collect();
        shown.insert("ID".to_owned(), json!(id.to_string()));
        for name in ["ORIGINATOR_ID", "ORIGIN_ID", "PROVIDER_ID", "DEADLINE", "START_TIME", "END_TIME"] {
            shown.entry(name).or_insert(Json::Null);
        }
        shown.insert("SETTINGS".to_owned(), json!([]));
        Ok(Answer::of(Json::Object(shown)))
    }

    pub(super) fn activity_update(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, mut row) = self.activity_row(call)?;
        for (name, held) in self.activity_fields(call.fields()?) {
            if !matches!(name.as_str(), "OWNER_ID" | "OWNER_TYPE_ID" | "TYPE_ID") {
                row.insert(name, held);
            }
        }
        self.activity_store(id, row, "ONCRMACTIVITYUPDATE", call);
        Ok(Answer::of(json!(true)))
    }

    pub(super) fn activity_delete(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, _) = self.activity_row(call)?;
        self.activities.remove(&id);
        self.noted("ONCRMACTIVITYDELETE", id, call);
        Ok(Answer::of(json!(true)))
    }

    pub(super) fn todo_update(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, mut row) = self.activity_row(call)?;
        if let Some(deadline) = text(call.params, "deadline") {
            let at = self.zone.read_instant(deadline);
            let at = at.ok_or_else(|| Refusal::new(400, "WRONG_DATETIME_FORMAT", "Wrong date time format"))?;
            row.insert("DEADLINE".to_owned(), self.zone.iso(at));
        }
        for (given, name) in [("title", "SUBJECT"), ("description", "DESCRIPTION"), ("responsibleId", "RESPONSIBLE_ID")]
        {
            if let Some(held) = text(call.params, given) {
                row.insert(name.to_owned(), held.to_owned());
            }
        }
        self.activity_store(id, row, "ONCRMACTIVITYUPDATE", call);
        Ok(Answer::of(json!({"id": id})))
    }

    /// The fields sent, times as the portal writes them.
    fn activity_fields(&self, sent: &Value) -> Row {
        let mut row = known(sent, &ACTIVITY_FIELDS);
        for name in ["START_TIME", "END_TIME", "DEADLINE"] {
            if let Some(at) = row.get(name).and_then(|it| self.zone.read_instant(it)) {
                row.insert(name.to_owned(), self.zone.iso(at));
            }
        }
        row
    }

    fn activity_store(&mut self, id: u64, mut row: Row, notice: &str, call: &Call<'_>) {
        row.insert("LAST_UPDATED".to_owned(), self.zone.iso(call.now_s));
        row.insert("EDITOR_ID".to_owned(), call.user.to_string());
        let completed = row.get("COMPLETED").is_some_and(|it| it == "Y");
        row.insert("COMPLETED".to_owned(), if completed { "Y" } else { "N" }.to_owned());
        row.insert("STATUS".to_owned(), if completed { "2" } else { "1" }.to_owned());
        let owner = row.get(OWNER_KIND).and_then(|word| Kind::from_word(word));
        if let Some((kind, id)) = owner.zip(row.get("OWNER_ID").and_then(|id| id.parse().ok())) {
            self.timeline_touched(kind, id, call);
        }
        self.activities.insert(id, row);
        self.noted(notice, id, call);
    }

    fn comment_row(&self, call: &Call<'_>) -> Result<(u64, Row), Refusal> {
        let id = call.id()?;
        let row = self.comments.get(&id).cloned();
        row.map(|row| (id, row)).ok_or_else(|| Refusal::new(400, "", "Not found."))
    }

    pub(super) fn comment_get(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, row) = self.comment_row(call)?;
        let mut shown: serde_json::Map<String, Json> =
            row.into_iter().filter(|(name, _)| name != OWNER_KIND).map(|(name, held)| (name, json!(held))).collect();
        shown.insert("ID".to_owned(), json!(id.to_string()));
        Ok(Answer::of(Json::Object(shown)))
    }

    pub(super) fn comment_update(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, mut row) = self.comment_row(call)?;
        let comment = param(call.params, "fields").and_then(|it| text(it, "COMMENT")).unwrap_or("").trim();
        if comment.is_empty() {
            return Err(Refusal::new(400, "INVALID_ARG_VALUE", "Empty comment message"));
        }
        row.insert("COMMENT".to_owned(), comment.to_owned());
        self.comments.insert(id, row);
        self.noted("ONCRMTIMELINECOMMENTUPDATE", id, call);
        Ok(Answer::of(json!(true)))
    }

    pub(super) fn comment_delete(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (id, _) = self.comment_row(call)?;
        self.comments.remove(&id);
        self.noted("ONCRMTIMELINECOMMENTDELETE", id, call);
        Ok(Answer::of(json!(true)))
    }

    pub(super) fn activity_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        Ok(ACTIVITIES.list(self.zone, &self.activities, call))
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

    pub(super) fn requisite_get(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        let row = self.requisites.get(&id);
        let row = row.ok_or_else(|| Refusal::classic(format!("The Requisite with ID '{id}' is not found")))?;
        let cells = row.iter().filter(|(name, _)| *name != OWNER_KIND);
        let mut shown: serde_json::Map<String, Json> = cells.map(|(name, held)| (name.clone(), json!(held))).collect();
        shown.insert("ID".to_owned(), json!(id.to_string()));
        Ok(Answer::of(Json::Object(shown)))
    }

    pub(super) fn requisite_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        Ok(REQUISITES.list(self.zone, &self.requisites, call))
    }

    pub(super) fn stage_history_list(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let type_id = params::integer(call.params, "entityTypeId").ok_or_else(|| Refusal::missing("entityTypeId"))?;
        let Some(kind) = Kind::from_type_id(type_id).filter(|kind| kind.has_stages()) else {
            return Err(Refusal::new(400, "INVALID_ARG_VALUE", "entityTypeId is not supported"));
        };
        let rows: BTreeMap<u64, Row> =
            self.stage_history.iter().filter(|it| it.kind == kind).map(|it| (it.id, history_row(it))).collect();
        let listed = MOVES.list(self.zone, &rows, call);
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
