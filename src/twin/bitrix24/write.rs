//! What becomes of the fields that a caller sends.
//!
//! First a plan, which may refuse the call; then its application, which cannot fail. Unknown names
//! are dropped in silence. A value that does not fit is dropped in silence too by the classic
//! methods [U], and refused by `crm.item.*` with `CRM_FIELD_ERROR_VALUE_NOT_VALID`.

use super::fields::{self, Access, Field, Kind, Type};
use super::object::{Cell, MultiValue, Object};
use super::params::{self, children, members, text};
use super::portal::{Call, Portal, Refusal, StageMove};
use super::userfield::UserField;
use crate::value::Value;

/// Whose manners: the classic methods or `crm.item.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Classic,
    Item,
}

/// Why the fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Add,
    Update,
    /// May set times and authors, starts no robots.
    Import,
}

/// One change of the plan.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Set(String, Cell),
    Clear(String),
    MultiAdd { name: &'static str, value: String, value_type: String },
    MultiRewrite { name: &'static str, id: u64, value: Option<String>, value_type: Option<String> },
    MultiRemove { name: &'static str, id: u64 },
}

enum Read {
    Set(Cell),
    Clear,
    Drop,
    Wrong,
}

/// Columns of the database that hold 255 characters; longer text is cut [U].
const SHORT_TEXT: usize = 255;
const LONG_TEXT: [&str; 5] =
    ["COMMENTS", "SOURCE_DESCRIPTION", "ADDITIONAL_INFO", "BANKING_DETAILS", "STATUS_DESCRIPTION"];
const IMPORTABLE: [&str; 7] =
    ["DATE_CREATE", "DATE_MODIFY", "CREATED_BY_ID", "MODIFY_BY_ID", "MOVED_BY_ID", "MOVED_TIME", "LAST_ACTIVITY_TIME"];

impl Portal {
    /// Reads the fields sent into a plan.
    pub(super) fn plan(
        &self,
        kind: Kind,
        sent: &Value,
        manner: Manner,
        purpose: Purpose,
    ) -> Result<Vec<Change>, Refusal> {
        let mut plan = Vec::new();
        for (name, value) in members(sent).unwrap_or_default() {
            match manner {
                Manner::Item if name == "fm" => plan_fm(kind, value, &mut plan),
                Manner::Classic | Manner::Item => {
                    let Some(name) = self.classic_name(kind, &name, manner) else {
                        continue;
                    };
                    self.plan_one(kind, &name, value, manner, purpose, &mut plan)?;
                }
            }
        }
        check_addresses(&plan, manner)?;
        Ok(plan)
    }

    /// The classic name of what the caller named; `None` for a name that nobody knows.
    pub(super) fn classic_name(&self, kind: Kind, name: &str, manner: Manner) -> Option<String> {
        let custom = self.userfields(kind).find(|it| {
            it.field_name == name || (manner == Manner::Item && fields::item_name(kind, &it.field_name) == name)
        });
        if let Some(custom) = custom {
            return Some(custom.field_name.clone());
        }
        match manner {
            Manner::Classic => {
                let multi = fields::has_multi(kind) && fields::MULTI.contains(&name);
                (multi || fields::field(kind, name).is_some()).then(|| name.to_owned())
            }
            Manner::Item => fields::fields(kind)
                .find(|field| fields::item_name(kind, field.name) == name)
                .map(|field| field.name.to_owned()),
        }
    }

    fn plan_one(
        &self,
        kind: Kind,
        name: &str,
        value: &Value,
        manner: Manner,
        purpose: Purpose,
        plan: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        if let Some(multi) = fields::MULTI.into_iter().find(|it| *it == name) {
            plan_multi(multi, value, plan);
            return Ok(());
        }
        let read = match (self.userfields(kind).find(|it| it.field_name == name), fields::field(kind, name)) {
            (Some(custom), _) => self.read_custom(custom, value),
            (None, Some(field)) if may_write(field, manner, purpose) => self.read(kind, field, value, purpose),
            (None, _) => Read::Drop,
        };
        match (read, manner) {
            (Read::Set(cell), _) => plan.push(Change::Set(name.to_owned(), cell)),
            (Read::Clear, _) => plan.push(Change::Clear(name.to_owned())),
            (Read::Drop, _) | (Read::Wrong, Manner::Classic) => {}
            (Read::Wrong, Manner::Item) => {
                let shown = fields::item_name(kind, name);
                return Err(Refusal::new(
                    400,
                    "CRM_FIELD_ERROR_VALUE_NOT_VALID",
                    format!("Invalid value for field \"{shown}\""),
                ));
            }
        }
        Ok(())
    }

    fn read_custom(&self, custom: &UserField, value: &Value) -> Read {
        let given: Vec<&str> = children(value).into_iter().filter_map(Value::as_text).collect();
        let cleaned: Vec<Option<String>> =
            given.iter().filter(|it| !it.trim().is_empty()).map(|it| custom.clean(it, self.zone)).collect();
        match (cleaned.is_empty(), cleaned.contains(&None), custom.multiple) {
            (true, _, _) => Read::Clear,
            (false, true, _) => Read::Wrong,
            (false, false, true) => Read::Set(Cell::List(cleaned.into_iter().flatten().map(Into::into).collect())),
            (false, false, false) => {
                cleaned.into_iter().flatten().next().map_or(Read::Clear, |it| Read::Set(Cell::Text(it.into())))
            }
        }
    }

    fn read(&self, kind: Kind, field: &Field, value: &Value, purpose: Purpose) -> Read {
        if let Type::Refs(to) = field.of {
            let known: Vec<compact_str::CompactString> = children(value)
                .into_iter()
                .filter_map(|it| it.as_text()?.trim().parse().ok())
                .filter(|id| self.object(to, *id).is_some())
                .map(|id: u64| id.to_string().into())
                .collect();
            return if known.is_empty() { Read::Clear } else { Read::Set(Cell::List(known)) };
        }
        let given = match value {
            Value::Null => return Read::Clear,
            Value::List(_) | Value::Map(_) => return Read::Drop,
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => value.as_text().unwrap_or(""),
        };
        let set = |text: String| Read::Set(Cell::Text(text.into()));
        let blank = given.trim().is_empty();
        match field.of {
            Type::Text | Type::Status(_) if blank => Read::Clear,
            Type::Text | Type::Status(_) if LONG_TEXT.contains(&field.name) => set(given.to_owned()),
            Type::Text | Type::Status(_) => set(given.chars().take(SHORT_TEXT).collect()),
            Type::Flag => set(if params::is_yes(given) { "Y" } else { "N" }.to_owned()),
            // PHP reads as much of a number as there is: "1 200,50" is 1.
            Type::Integer => set(format!("{:.0}", php_number(given).trunc())),
            Type::Amount => set(format!("{:.2}", php_number(given))),
            _ if blank => Read::Clear,
            Type::Date => self.zone.read_day(given).map_or(Read::Wrong, set),
            Type::DateTime => self.zone.read_instant(given).map_or(Read::Wrong, |it| set(it.to_string())),
            Type::User => match given.trim().parse::<u64>() {
                Ok(id) if self.users.iter().any(|it| it.id == id) => set(id.to_string()),
                Ok(_) | Err(_) => Read::Wrong,
            },
            // A reference to nothing is dropped [U]; 0 unties.
            Type::Ref(to) => match given.trim().parse::<u64>() {
                Ok(0) => Read::Clear,
                Ok(id) if self.object(to, id).is_some() => set(id.to_string()),
                Ok(_) | Err(_) => Read::Drop,
            },
            Type::Refs(_) => Read::Drop,
            Type::Category => match given.trim().parse::<u64>() {
                Ok(id) if self.categories.iter().any(|it| it.id == id) => set(id.to_string()),
                Ok(_) | Err(_) => Read::Wrong,
            },
            // Whether the stage belongs to the funnel is settled later; at creation a stage of
            // another funnel becomes the first one, so it is let through here.
            Type::Stage => {
                let known = self.statuses.iter().any(|it| it.status_id == given && is_stage_of(kind, &it.entity_id));
                if known || purpose != Purpose::Update { set(given.to_owned()) } else { Read::Wrong }
            }
        }
    }

    /// Applies the plan and settles what follows from it. Answers whether anything changed.
    pub(super) fn apply(
        &mut self,
        kind: Kind,
        object: &mut Object,
        plan: Vec<Change>,
        purpose: Purpose,
        call: &Call<'_>,
    ) -> bool {
        let before = object.clone();
        for change in plan {
            self.apply_one(object, change);
        }
        settle_references(object, &before);
        let adding = purpose != Purpose::Update;
        if adding {
            self.fill_defaults(kind, object, call);
        }
        let moved =
            if kind.has_stages() { self.settle_stage(kind, object, (!adding).then_some(&before), call) } else { None };
        if fields::has_multi(kind) {
            for (flag, multi) in [("HAS_PHONE", "PHONE"), ("HAS_EMAIL", "EMAIL")] {
                object.set(flag, if object.multi(multi).is_empty() { "N" } else { "Y" });
            }
        }
        if let Some(moved) = moved {
            self.record_move(moved);
        }
        adding || *object != before
    }

    fn apply_one(&mut self, object: &mut Object, change: Change) {
        match change {
            Change::Set(name, cell) => {
                object.cells.insert(&name, cell);
            }
            Change::Clear(name) => {
                object.cells.remove(&name);
            }
            Change::MultiAdd { name, value, value_type } => {
                let id = self.next_id("multi");
                object.multi.or_default(name).push(MultiValue {
                    id,
                    value: value.into(),
                    value_type: value_type.into(),
                });
            }
            Change::MultiRewrite { name, id, value, value_type } => {
                // An id of another object, or of nothing, changes nothing.
                let values = object.multi.or_default(name);
                if let Some(slot) = values.iter_mut().find(|it| it.id == id) {
                    slot.value = value.map_or_else(|| slot.value.clone(), Into::into);
                    slot.value_type = value_type.map_or_else(|| slot.value_type.clone(), Into::into);
                }
            }
            Change::MultiRemove { name, id } => {
                object.multi.or_default(name).retain(|it| it.id != id);
            }
        }
        object.multi.retain(|values| !values.is_empty());
    }

    fn fill_defaults(&self, kind: Kind, object: &mut Object, call: &Call<'_>) {
        let user = call.user.to_string();
        let now = call.now_s.to_string();
        let mut defaults: Vec<(&str, String)> = vec![
            ("ASSIGNED_BY_ID", user.clone()),
            ("CREATED_BY_ID", user.clone()),
            ("MODIFY_BY_ID", user.clone()),
            ("LAST_ACTIVITY_BY", user),
            ("DATE_CREATE", now.clone()),
            ("DATE_MODIFY", now.clone()),
            ("LAST_ACTIVITY_TIME", now),
            ("OPENED", "Y".to_owned()),
        ];
        match kind {
            Kind::Lead => {
                defaults.extend([("TITLE", format!("Лид #{}", object.id)), ("CURRENCY_ID", "RUB".to_owned())])
            }
            Kind::Deal => defaults.extend([
                ("TITLE", format!("Сделка #{}", object.id)),
                ("CURRENCY_ID", "RUB".to_owned()),
                ("CATEGORY_ID", "0".to_owned()),
                ("BEGINDATE", self.zone.day(call.now_s)),
                ("CLOSEDATE", self.zone.day(call.now_s + 7 * 86_400)),
            ]),
            Kind::Contact => defaults.push(("EXPORT", "N".to_owned())),
            Kind::Company => defaults.push(("CURRENCY_ID", "RUB".to_owned())),
        }
        for (name, text) in defaults {
            object.cells.insert_if_absent(name, Cell::Text(text.into()));
        }
    }

    /// Stage, semantics, times of moves. Answers the row of the history when there was a move.
    fn settle_stage(
        &self,
        kind: Kind,
        object: &mut Object,
        before: Option<&Object>,
        call: &Call<'_>,
    ) -> Option<StageMove> {
        let stage_field = kind.stage_field();
        let category: u64 = object.text("CATEGORY_ID").parse().unwrap_or(0);
        let category_changed = before.is_some_and(|it| it.text("CATEGORY_ID") != object.text("CATEGORY_ID"));
        let stages = self.stages(&dictionary_of(kind, category));
        let current = stages.iter().find(|it| it.status_id == object.text(stage_field));
        // A stage that is not of this funnel: at creation and on a change of funnel the first
        // stage, otherwise the one that was [U].
        let stage = current.or_else(|| match before {
            Some(before) if !category_changed => stages.iter().find(|it| it.status_id == before.text(stage_field)),
            Some(_) | None => stages.first(),
        })?;
        let (stage_id, semantics) = (stage.status_id.clone(), stage.semantics.clone());
        object.set(stage_field, stage_id.clone());
        object.set(kind.semantics_field(), semantics.clone());
        if kind == Kind::Deal {
            object.set("CLOSED", if semantics == "P" { "N" } else { "Y" });
            object.set("IS_NEW", if stages.first().is_some_and(|it| it.status_id == stage_id) { "Y" } else { "N" });
        }
        let unmoved = before.is_some_and(|it| it.text(stage_field) == stage_id);
        if unmoved && !category_changed {
            return None;
        }
        if before.is_some() || object.instant("MOVED_TIME").is_none() {
            object.set("MOVED_TIME", call.now_s.to_string());
            object.set("MOVED_BY_ID", call.user.to_string());
        }
        match (kind, semantics == "P") {
            (Kind::Deal, false) => object.set("CLOSEDATE", self.zone.day(call.now_s)),
            (Kind::Lead, false) => object.set("DATE_CLOSED", call.now_s.to_string()),
            (Kind::Lead, true) => {
                object.cells.remove("DATE_CLOSED");
            }
            (Kind::Deal | Kind::Contact | Kind::Company, _) => {}
        }
        let type_id = match (before.is_some(), category_changed, semantics == "P") {
            (false, _, _) => 1,
            (true, true, _) => 5,
            (true, false, true) => 2,
            (true, false, false) => 3,
        };
        Some(StageMove {
            id: 0,
            kind,
            type_id,
            owner_id: object.id,
            at: call.now_s,
            category_id: category,
            stage_id,
            semantics,
        })
    }
}

/// The dictionary of a funnel's stages.
pub(super) fn dictionary_of(kind: Kind, category: u64) -> String {
    match kind {
        Kind::Lead => "STATUS".to_owned(),
        Kind::Deal | Kind::Contact | Kind::Company if category == 0 => "DEAL_STAGE".to_owned(),
        Kind::Deal | Kind::Contact | Kind::Company => format!("DEAL_STAGE_{category}"),
    }
}

fn is_stage_of(kind: Kind, dictionary: &str) -> bool {
    match kind {
        Kind::Lead => dictionary == "STATUS",
        Kind::Deal => dictionary.starts_with("DEAL_STAGE"),
        Kind::Contact | Kind::Company => false,
    }
}

fn may_write(field: &Field, manner: Manner, purpose: Purpose) -> bool {
    match field.access {
        Access::Open => true,
        // `crm.deal.update` cannot move a deal to another funnel; `crm.item.update` can.
        Access::Once => manner == Manner::Item || purpose != Purpose::Update,
        Access::Portal => purpose == Purpose::Import && IMPORTABLE.contains(&field.name),
    }
}

/// The main reference and the list of references follow each other.
fn settle_references(object: &mut Object, before: &Object) {
    for (one, many) in [("CONTACT_ID", "CONTACT_IDS"), ("COMPANY_ID", "COMPANY_IDS")] {
        let listed = object.cells.get(many).cloned();
        if listed != before.cells.get(many).cloned() {
            match listed {
                Some(cell) => object.set(one, cell.text().to_owned()),
                None => {
                    object.cells.remove(one);
                }
            }
        } else if object.text(one) != before.text(one) && !object.text(one).is_empty() {
            let only = vec![object.text(one).into()];
            object.cells.insert(many, Cell::List(only));
        } else if object.text(one).is_empty() && !before.text(one).is_empty() {
            object.cells.remove(many);
        }
    }
}

/// With ID: change, or removal by DELETE=Y or an empty VALUE. Without: one more value, even when
/// the same is already there.
fn plan_multi(name: &'static str, value: &Value, plan: &mut Vec<Change>) {
    for item in children(value) {
        let given = text(item, "VALUE").or_else(|| item.as_text()).map(str::trim);
        let value_type = text(item, "VALUE_TYPE").map(str::to_owned);
        let id = params::integer(item, "ID").and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
        let remove = text(item, "DELETE").is_some_and(params::is_yes) || given == Some("");
        plan_multi_one(name, id, given, value_type, remove, plan);
    }
}

fn plan_multi_one(
    name: &'static str,
    id: Option<u64>,
    given: Option<&str>,
    value_type: Option<String>,
    remove: bool,
    plan: &mut Vec<Change>,
) {
    let change = match (id, given, remove) {
        (Some(id), _, true) => Change::MultiRemove { name, id },
        (Some(id), value, false) => Change::MultiRewrite { name, id, value: value.map(str::to_owned), value_type },
        (None, Some(value), false) if !value.is_empty() => Change::MultiAdd {
            name,
            value: value.to_owned(),
            value_type: value_type.unwrap_or_else(|| "WORK".to_owned()),
        },
        (None, _, _) => return,
    };
    plan.push(change);
}

fn plan_fm(kind: Kind, value: &Value, plan: &mut Vec<Change>) {
    if !fields::has_multi(kind) {
        return;
    }
    for item in children(value) {
        let type_id = text(item, "typeId").unwrap_or("").to_ascii_uppercase();
        let Some(name) = fields::MULTI.into_iter().find(|it| *it == type_id) else {
            continue;
        };
        let given = text(item, "value").map(str::trim);
        let id = params::integer(item, "id").and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
        let remove = text(item, "delete").is_some_and(params::is_yes) || given == Some("");
        plan_multi_one(name, id, given, text(item, "valueType").map(str::to_owned), remove, plan);
    }
}

/// An e-mail address without `@` fails the whole call (`ERROR_CORE`, crm-contact-add.md).
fn check_addresses(plan: &[Change], manner: Manner) -> Result<(), Refusal> {
    let bad = plan.iter().any(|change| match change {
        Change::MultiAdd { name: "EMAIL", value, .. }
        | Change::MultiRewrite { name: "EMAIL", value: Some(value), .. } => !looks_like_address(value),
        Change::Set(..)
        | Change::Clear(_)
        | Change::MultiAdd { .. }
        | Change::MultiRewrite { .. }
        | Change::MultiRemove { .. } => false,
    });
    match (bad, manner) {
        (false, _) => Ok(()),
        (true, Manner::Classic) => {
            Err(Refusal::new(400, "ERROR_CORE", "The field 'Work e-mail' contains an invalid address."))
        }
        (true, Manner::Item) => {
            Err(Refusal::new(400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", "Invalid value for field \"fm\""))
        }
    }
}

fn looks_like_address(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace))
}

/// The longest start that PHP takes for a number; 0 when there is none.
fn php_number(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    let mut seen_point = false;
    for (index, letter) in text.char_indices() {
        match letter {
            '0'..='9' => end = index + 1,
            '-' | '+' if index == 0 => {}
            '.' if !seen_point => seen_point = true,
            _ => break,
        }
    }
    text[..end].parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_php_reads_them() {
        let check = |text: &str, expected: f64| assert_eq!(php_number(text), expected, "{text}");
        check("50000", 50_000.0);
        check("1200.50 руб", 1200.5);
        check("1 200,50", 1.0);
        check("-3", -3.0);
        check("", 0.0);
        check("abc", 0.0);
        check(".5", 0.5);
    }
}
