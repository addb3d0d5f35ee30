//! The classic methods `crm.{lead|deal|contact|company}.{add|get|update|delete|list|fields}`:
//! text everywhere, and `error:""` for what they refuse.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::fields::{self, Access, Kind, Type};
use super::happened::What;
use super::listing::{Column, Columns, Op, PAGE_ROWS, Test, page};
use super::object::{Cell, Object, Select};
use super::params::{children, integer, param, text};
use super::portal::{Answer, Call, Portal, Refusal, no_method};
use super::userfield::Holds;
use super::write::{Change, Manner, Purpose};
use crate::value::Value;

impl Portal {
    pub(super) fn classic(&mut self, kind: Kind, verb: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        match verb {
            "add" => self.classic_add(kind, call),
            "get" => self.classic_get(kind, call),
            "update" => self.classic_update(kind, call),
            "delete" => self.classic_delete(kind, call),
            "list" => self.classic_list(kind, call),
            "fields" => Ok(Answer::of(self.classic_fields(kind))),
            _ => Err(no_method()),
        }
    }

    fn classic_add(&mut self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let sent = call.fields()?;
        check_params(call)?;
        let plan = self.plan(kind, sent, Manner::Classic, Purpose::Add)?;
        if let Some(missing) = self.missing_field(kind, None, &plan) {
            return Err(Refusal::classic(format!("The field '{missing}' is required.")));
        }
        // ORIGINATOR_ID and ORIGIN_ID are not unique: the same add twice makes two objects.
        let id = self.next_id(kind.word());
        let mut object = Object { id, ..Object::default() };
        self.apply(kind, &mut object, plan, Purpose::Add, call);
        self.store(kind, object);
        self.written(kind, id, What::Add, call);
        Ok(Answer::of(json!(id)))
    }

    /// The first required field that the plan leaves empty: the title of a company, mandatory
    /// custom fields.
    pub(super) fn missing_field(&self, kind: Kind, before: Option<&Object>, plan: &[Change]) -> Option<String> {
        let filled = |name: &str| {
            let planned = plan.iter().rev().find_map(|change| match change {
                Change::Set(set, cell) if set == name => Some(!cell.text().is_empty()),
                Change::Clear(cleared) if cleared == name => Some(false),
                Change::Set(..)
                | Change::Clear(_)
                | Change::MultiAdd { .. }
                | Change::MultiRewrite { .. }
                | Change::MultiRemove { .. } => None,
            });
            planned.unwrap_or_else(|| before.is_some_and(|it| !it.text(name).is_empty()))
        };
        if kind == Kind::Company && !filled("TITLE") {
            return Some("TITLE".to_owned());
        }
        self.userfields(kind)
            .filter(|it| it.mandatory && it.holds != Holds::Boolean)
            .find(|it| !filled(&it.field_name))
            .map(|it| it.field_name.clone())
    }

    fn classic_get(&self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let object = self.object(kind, call.id()?).ok_or_else(|| Refusal::classic("Not found"))?;
        Ok(Answer::of(self.view(kind).classic(object, &Select::whole())))
    }

    fn classic_update(&mut self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        let sent = call.fields()?;
        check_params(call)?;
        let Some(mut object) = self.object(kind, id).cloned() else {
            return Err(Refusal::classic(match kind {
                Kind::Contact => "Contact is not found",
                Kind::Company => "Company is not found",
                Kind::Lead | Kind::Deal => "Not found",
            }));
        };
        let plan = self.plan(kind, sent, Manner::Classic, Purpose::Update)?;
        if let Some(missing) = self.missing_field(kind, Some(&object), &plan) {
            return Err(Refusal::classic(format!("The field '{missing}' is required.")));
        }
        self.apply(kind, &mut object, plan, Purpose::Update, call);
        // The classic update stamps the object even when nothing is new.
        object.set("DATE_MODIFY", call.now_s.to_string());
        object.set("MODIFY_BY_ID", call.user.to_string());
        self.store(kind, object);
        self.written(kind, id, What::Update, call);
        Ok(Answer::of(json!(true)))
    }

    fn classic_delete(&mut self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        match self.remove(kind, id, call.now_s, None) {
            Some(_) => {
                self.written(kind, id, What::Delete, call);
                Ok(Answer::of(json!(true)))
            }
            None => Err(match kind {
                Kind::Contact => Refusal::new(400, "ERROR_CORE", "Element not found"),
                Kind::Company => Refusal::classic("Company is not found"),
                Kind::Lead | Kind::Deal => Refusal::classic("Not found"),
            }),
        }
    }

    fn classic_list(&self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let resolve = |name: &str| self.column(kind, name, Manner::Classic);
        let read = |column: Column, text: &str| self.read_operand(column, text);
        let columns = Columns { resolve: &resolve, read: &read, strict: false };
        let rows = self.find(kind, &columns, call).map_err(|bad| Refusal::classic(bad.0))?;
        let page = page(rows, call.params);
        let select = classic_select(call.params);
        let view = self.view(kind);
        let shown = page.rows.into_iter().map(|it| view.classic(it, &select)).collect();
        Ok(Answer { result: Json::Array(shown), total: Some(page.total), next: page.next })
    }

    /// The rows that pass the filter, in order.
    pub(super) fn find<'a>(
        &'a self,
        kind: Kind,
        columns: &Columns<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<&'a Object>, super::listing::BadPart> {
        let test = columns.filter(param(call.params, "filter"))?;
        let order = columns.order(param(call.params, "order"))?;
        let walk = Walk::choose(&test, &order);
        let passing = walk.objects(self, kind).filter(|object| test.passes(&|name| values(object, name)));
        if walk.is_ordered_as(&order) {
            // Nobody counts: the first page is all that is asked for.
            let uncounted = integer(call.params, "start") == Some(-1);
            return Ok(passing.take(if uncounted { PAGE_ROWS } else { usize::MAX }).collect());
        }
        let mut rows: Vec<&Object> = passing.collect();
        rows.sort_by(|left, right| {
            order
                .iter()
                .map(|(name, column, descending)| {
                    let key = |object| values(object, name).into_iter().next().unwrap_or_default();
                    let ordering = super::listing::compare(*column, &key(left), &key(right));
                    if *descending { ordering.reverse() } else { ordering }
                })
                .find(|ordering| ordering.is_ne())
                .unwrap_or_else(|| left.id.cmp(&right.id))
        });
        Ok(rows)
    }

    /// The stored name of a column and how it compares.
    pub(super) fn column(&self, kind: Kind, name: &str, manner: Manner) -> Option<(String, Column)> {
        let classic = self.classic_name(kind, name, manner)?;
        let column = match (self.userfields(kind).find(|it| it.field_name == classic), fields::field(kind, &classic)) {
            (Some(custom), _) => match custom.holds {
                Holds::Integer | Holds::Double | Holds::Enumeration | Holds::Employee => Column::Number,
                // Compared as it is stored, 1 or 0: a filter by `Y` finds nothing.
                Holds::Boolean | Holds::String | Holds::Money | Holds::Url | Holds::Address => Column::Text,
                Holds::Date => Column::Day,
                Holds::Datetime => Column::Instant,
            },
            (None, Some(field)) => match field.of {
                Type::Integer | Type::Amount | Type::User | Type::Ref(_) | Type::Refs(_) | Type::Category => {
                    Column::Number
                }
                Type::Text | Type::Flag | Type::Status(_) | Type::Stage => Column::Text,
                Type::Date => Column::Day,
                Type::DateTime => Column::Instant,
            },
            // Multi-fields.
            (None, None) => Column::Text,
        };
        Some((classic, column))
    }

    /// Brings an operand to stored form.
    pub(super) fn read_operand(&self, column: Column, text: &str) -> Option<String> {
        match column {
            Column::Number | Column::Text => Some(text.to_owned()),
            Column::Day => self.zone.read_day(text),
            Column::Instant => self.zone.read_instant(text).map(|it| it.to_string()),
        }
    }

    fn classic_fields(&self, kind: Kind) -> Json {
        let mut out = serde_json::Map::new();
        for field in fields::fields(kind) {
            let mut shown = json!({
                "type": field.of.word(),
                "isRequired": kind == Kind::Company && field.name == "TITLE",
                "isReadOnly": field.access == Access::Portal,
                "isImmutable": field.access == Access::Once,
                "isMultiple": matches!(field.of, Type::Refs(_)),
                "isDynamic": false,
                "title": field.name,
            });
            match field.of {
                Type::Status(dictionary) => shown["statusType"] = json!(dictionary),
                Type::Stage if kind == Kind::Lead => shown["statusType"] = json!("STATUS"),
                Type::Stage => shown["statusType"] = json!("DEAL_STAGE"),
                Type::Text
                | Type::Integer
                | Type::Amount
                | Type::Flag
                | Type::Date
                | Type::DateTime
                | Type::User
                | Type::Ref(_)
                | Type::Refs(_)
                | Type::Category => {}
            }
            out.insert(field.name.to_owned(), shown);
        }
        if fields::has_multi(kind) {
            for name in fields::MULTI {
                out.insert(
                    name.to_owned(),
                    json!({"type": "crm_multifield", "isRequired": false, "isReadOnly": false, "isImmutable": false,
                           "isMultiple": true, "isDynamic": false, "title": name}),
                );
            }
        }
        for custom in self.userfields(kind) {
            out.insert(custom.field_name.clone(), custom.describe());
        }
        Json::Object(out)
    }
}

/// How a list comes to its rows without looking at all of them, where the filter allows it.
enum Walk {
    /// In the order of ids, above this one.
    ById(u64),
    /// In the order of (time of change, id), from this second on.
    ByChange(i64),
    /// These alone, in the order of ids.
    Ids(Vec<u64>),
    /// Those of that ORIGIN_ID.
    Origin(String),
}

impl Walk {
    fn choose(test: &Test, order: &[(String, Column, bool)]) -> Walk {
        let conditions = test.conjunction();
        let bound = |name: &str, ops: [Op; 2]| {
            let mut found = conditions.iter().filter(|(field, op, _)| *field == name && ops.contains(op));
            found.find_map(|(_, op, operands)| Some((*op, operands.first()?.parse::<i64>().ok()?)))
        };
        let by_change = order.first().is_some_and(|(name, _, _)| name == "DATE_MODIFY");
        for (field, op, operands) in &conditions {
            match (*field, op) {
                ("ID", Op::Equal | Op::In) => {
                    let mut ids: Vec<u64> = operands.iter().filter_map(|it| it.parse().ok()).collect();
                    ids.sort_unstable();
                    ids.dedup();
                    return Walk::Ids(ids);
                }
                ("ORIGIN_ID", Op::Equal) if operands.first().is_some_and(|it| !it.is_empty()) => {
                    return Walk::Origin(operands[0].clone());
                }
                _ => {}
            }
        }
        let above = bound("ID", [Op::Greater, Op::Greater]).and_then(|(_, id)| u64::try_from(id).ok());
        match (bound("DATE_MODIFY", [Op::Greater, Op::GreaterOrEqual]), above) {
            (Some((_, from)), _) => Walk::ByChange(from),
            (None, Some(id)) => Walk::ById(id),
            (None, None) if by_change => Walk::ByChange(i64::MIN),
            (None, None) => Walk::ById(0),
        }
    }

    fn objects<'a>(&self, portal: &'a Portal, kind: Kind) -> Box<dyn Iterator<Item = &'a Object> + 'a> {
        match self {
            Walk::ById(after) => Box::new(portal.objects.above(kind, *after)),
            Walk::ByChange(from) => Box::new(portal.objects.changed_since(kind, *from)),
            Walk::Ids(ids) => Box::new(ids.clone().into_iter().filter_map(move |id| portal.object(kind, id))),
            Walk::Origin(id) => {
                let ids: BTreeSet<u64> = portal.objects.with_origin(kind, id).iter().copied().collect();
                Box::new(ids.into_iter().filter_map(move |id| portal.object(kind, id)))
            }
        }
    }

    /// Whether the rows come in that order by themselves.
    fn is_ordered_as(&self, order: &[(String, Column, bool)]) -> bool {
        let names: Vec<(&str, bool)> = order.iter().map(|(name, _, descending)| (name.as_str(), *descending)).collect();
        match self {
            Walk::ById(_) | Walk::Ids(_) | Walk::Origin(_) => names.is_empty() || names[0] == ("ID", false),
            Walk::ByChange(_) => {
                matches!(names.as_slice(), [("DATE_MODIFY", false)] | [("DATE_MODIFY", false), ("ID", false), ..])
            }
        }
    }
}

/// The stored texts of a field, for filters and order.
pub(super) fn values<'a>(object: &'a Object, name: &str) -> Vec<Cow<'a, str>> {
    if name == "ID" {
        return vec![Cow::from(object.id.to_string())];
    }
    if fields::MULTI.contains(&name) {
        return object.multi(name).iter().map(|it| Cow::from(it.value.as_str())).collect();
    }
    let texts = object.cells.get(name).map_or(&[][..], Cell::texts);
    texts.iter().map(|it| Cow::from(it.as_str())).collect()
}

fn classic_select(params: &Value) -> Select {
    let given: Vec<String> = param(params, "select")
        .map(children)
        .unwrap_or_default()
        .into_iter()
        .filter_map(Value::as_text)
        .map(str::to_ascii_uppercase)
        .collect();
    if given.is_empty() {
        return Select { standard: true, ..Select::default() };
    }
    Select {
        standard: given.iter().any(|it| it == "*"),
        custom: given.iter().any(|it| it == "UF_*"),
        multi: false,
        names: given,
    }
}

/// `params` may be left out, but not be a scalar. `REGISTER_SONET_EVENT` only mutes feed notes,
/// and the twin has no feed.
fn check_params(call: &Call<'_>) -> Result<(), Refusal> {
    match param(call.params, "params") {
        None | Some(Value::Map(_) | Value::List(_) | Value::Null) => Ok(()),
        Some(_) if text(call.params, "params") == Some("") => Ok(()),
        Some(_) => Err(Refusal::classic("Parameter 'params' must be array.")),
    }
}
