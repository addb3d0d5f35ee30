//! `crm.item.*`: one family for all kinds, camel case, numbers as numbers, errors with codes.

use serde_json::{Value as Json, json};

use super::fields::{self, Access, Kind, Type};
use super::happened::What;
use super::listing::{Column, Columns, page};
use super::object::{Object, Select};
use super::params::{self, children, param, text};
use super::portal::{Answer, Call, Portal, Refusal, no_method};
use super::write::{Change, Manner, Purpose};
use crate::value::Value;

/// Rows of one import.
const IMPORT_ROWS_MAX: usize = 20;

impl Portal {
    pub(super) fn item(&mut self, verb: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        let type_id = params::integer(call.params, "entityTypeId").ok_or_else(|| Refusal::missing("entityTypeId"))?;
        let kind = Kind::from_type_id(type_id).ok_or_else(|| Refusal::new(400, "NOT_FOUND", "SPA not found"))?;
        match verb {
            "add" => {
                let id = self.item_create(kind, item_fields(call)?, Purpose::Add, call)?;
                self.item_shown(kind, id, call)
            }
            "get" => self.item_shown(kind, item_id(call)?, call),
            "update" => self.item_update(kind, call),
            "delete" => {
                let id = item_id(call)?;
                self.remove(kind, id, call.now_s, None).ok_or_else(item_not_found)?;
                self.written(kind, id, What::Delete, call);
                Ok(Answer::of(json!([])))
            }
            "list" => self.item_list(kind, call),
            "import" => {
                let id = self.item_create(kind, item_fields(call)?, Purpose::Import, call)?;
                Ok(Answer::of(json!({"item": {"id": id}})))
            }
            "batchimport" => self.item_batch_import(kind, call),
            "fields" => Ok(Answer::of(json!({"fields": self.item_field_table(kind, uses_original_names(call))}))),
            _ => Err(no_method()),
        }
    }

    fn item_create(&mut self, kind: Kind, sent: &Value, purpose: Purpose, call: &Call<'_>) -> Result<u64, Refusal> {
        let plan = self.plan(kind, sent, Manner::Item, purpose)?;
        self.item_requires(kind, None, &plan)?;
        let id = self.next_id(kind.word());
        let mut object = Object { id, ..Object::default() };
        self.apply(kind, &mut object, plan, purpose, call);
        self.store(kind, object);
        if purpose != Purpose::Import {
            self.written(kind, id, What::Add, call);
        }
        Ok(id)
    }

    fn item_requires(&self, kind: Kind, before: Option<&Object>, plan: &[Change]) -> Result<(), Refusal> {
        let Some(missing) = self.missing_field(kind, before, plan) else {
            return Ok(());
        };
        let shown = fields::item_name(kind, &missing);
        Err(Refusal::new(400, "CRM_FIELD_ERROR_REQUIRED", format!("The \"{shown}\" field is required")))
    }

    fn item_shown(&self, kind: Kind, id: u64, call: &Call<'_>) -> Result<Answer, Refusal> {
        let object = self.object(kind, id).ok_or_else(item_not_found)?;
        let shown = self.view(kind).item(object, &Select::whole(), uses_original_names(call));
        Ok(Answer::of(json!({"item": shown})))
    }

    fn item_update(&mut self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = item_id(call)?;
        let sent = item_fields(call)?;
        let mut object = self.object(kind, id).cloned().ok_or_else(item_not_found)?;
        let plan = self.plan(kind, sent, Manner::Item, Purpose::Update)?;
        self.item_requires(kind, Some(&object), &plan)?;
        // Nothing new, nothing saved: the time of change stays too.
        if self.apply(kind, &mut object, plan, Purpose::Update, call) {
            object.set("DATE_MODIFY", call.now_s.to_string());
            object.set("MODIFY_BY_ID", call.user.to_string());
            self.store(kind, object);
            self.written(kind, id, What::Update, call);
        }
        self.item_shown(kind, id, call)
    }

    fn item_list(&self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let resolve = |name: &str| self.column(kind, name, Manner::Item);
        let read = |column: Column, text: &str| self.read_operand(column, text);
        let columns = Columns { resolve: &resolve, read: &read, strict: true };
        let rows = self.find(kind, &columns, call).map_err(|bad| Refusal::new(400, "INVALID_ARG_VALUE", bad.0))?;
        let page = page(rows, call.params);
        let select = self.item_select(kind, call.params);
        let view = self.view(kind);
        let original_names = uses_original_names(call);
        let shown: Vec<Json> = page.rows.into_iter().map(|it| view.item(it, &select, original_names)).collect();
        Ok(Answer { result: json!({"items": shown}), total: Some(page.total), next: page.next })
    }

    /// Multi-fields come only with `*`; they cannot be asked for by name.
    fn item_select(&self, kind: Kind, params: &Value) -> Select {
        let given: Vec<&str> =
            param(params, "select").map(children).unwrap_or_default().into_iter().filter_map(Value::as_text).collect();
        let all = given.contains(&"*");
        Select {
            standard: given.is_empty() || all,
            custom: given.is_empty() || all,
            multi: all,
            names: given.iter().filter_map(|name| self.classic_name(kind, name, Manner::Item)).collect(),
        }
    }

    /// Each row succeeds or fails by itself.
    fn item_batch_import(&mut self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let rows = param(call.params, "data").map(children).ok_or_else(|| Refusal::missing("data"))?;
        if rows.len() > IMPORT_ROWS_MAX {
            return Err(Refusal::new(
                400,
                "MAX_IMPORT_BATCH_SIZE_EXCEEDED",
                format!("You cannot import more than {IMPORT_ROWS_MAX} items"),
            ));
        }
        let items: Vec<Json> = rows
            .into_iter()
            .map(|row| match self.item_create(kind, row, Purpose::Import, call) {
                Ok(id) => json!({"item": {"id": id}}),
                Err(refusal) => json!({"error": refusal.code, "error_description": refusal.description}),
            })
            .collect();
        Ok(Answer::of(json!({"items": items})))
    }

    fn item_field_table(&self, kind: Kind, original_names: bool) -> Json {
        let mut out = serde_json::Map::new();
        for field in fields::fields(kind) {
            let shown = json!({
                "type": field.of.word(),
                "isRequired": kind == Kind::Company && field.name == "TITLE",
                "isReadOnly": field.access == Access::Portal,
                "isImmutable": false,
                "isMultiple": matches!(field.of, Type::Refs(_)),
                "isDynamic": false,
                "title": field.name,
                "upperName": field.name,
            });
            out.insert(fields::item_name(kind, field.name), shown);
        }
        for custom in self.userfields(kind) {
            let mut shown = custom.describe();
            shown["upperName"] = json!(custom.field_name);
            let name = match original_names {
                true => custom.field_name.clone(),
                false => fields::item_name(kind, &custom.field_name),
            };
            out.insert(name, shown);
        }
        Json::Object(out)
    }
}

fn item_not_found() -> Refusal {
    Refusal::new(400, "NOT_FOUND", "Element not found")
}

fn item_id(call: &Call<'_>) -> Result<u64, Refusal> {
    let id = params::integer(call.params, "id").ok_or_else(|| Refusal::missing("id"))?;
    u64::try_from(id).map_err(|_| item_not_found())
}

fn item_fields<'a>(call: &Call<'a>) -> Result<&'a Value, Refusal> {
    let fields = param(call.params, "fields").filter(|it| matches!(it, Value::Map(_) | Value::List(_)));
    fields.ok_or_else(|| Refusal::missing("fields"))
}

fn uses_original_names(call: &Call<'_>) -> bool {
    text(call.params, "useOriginalUfNames").is_some_and(params::is_yes)
}
