//! Goods of a deal or a lead: the classic `crm.{deal|lead}.productrows.{get|set}` and
//! `crm.item.productrow.list`; and the contacts of a deal.
//!
//! Source: b24restdocs (5988ed1), crm-deal-productrows-get.md, crm-deal-productrows-set.md,
//! crm-item-productrow-list.md, crm-deal-contact-items-get.md. The sum of an object follows its
//! rows unless it is set by hand (IS_MANUAL_OPPORTUNITY) [U for the classic methods].

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::fields::Kind;
use super::happened::What;
use super::object::{Cell, amount};
use super::params::{children, param, text};
use super::portal::{Answer, Call, Portal, Refusal, no_method};
use super::side::{Row, known, row};
use crate::value::Value;

const SENT: [&str; 15] = [
    "PRODUCT_ID",
    "PRODUCT_NAME",
    "PRICE",
    "PRICE_EXCLUSIVE",
    "PRICE_NETTO",
    "PRICE_BRUTTO",
    "QUANTITY",
    "DISCOUNT_TYPE_ID",
    "DISCOUNT_RATE",
    "DISCOUNT_SUM",
    "TAX_RATE",
    "TAX_INCLUDED",
    "MEASURE_CODE",
    "MEASURE_NAME",
    "SORT",
];

/// The letter that stands for the kind: `D`, `L`.
fn owner_letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Lead => "L",
        Kind::Deal => "D",
        Kind::Contact => "C",
        Kind::Company => "CO",
    }
}

impl Portal {
    pub(super) fn product_rows(&mut self, kind: Kind, verb: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        if self.object(kind, id).is_none() {
            return Err(Refusal::classic("The entity is not found."));
        }
        match verb {
            "get" => Ok(Answer::of(self.lines_of(kind, id).map(|(at, row)| classic_line(*at, row)).collect())),
            "set" => self.product_rows_set(kind, id, call),
            _ => Err(no_method()),
        }
    }

    /// The rows of goods of an object, in their order.
    fn lines_of(&self, kind: Kind, id: u64) -> impl Iterator<Item = (&u64, &Row)> {
        let owner = (owner_letter(kind).to_owned(), id.to_string());
        let mut own: Vec<(&u64, &Row)> = self
            .lines
            .iter()
            .filter(|(_, row)| row.get("OWNER_TYPE") == Some(&owner.0) && row.get("OWNER_ID") == Some(&owner.1))
            .collect();
        own.sort_by_key(|(at, row)| (row.get("SORT").and_then(|it| it.parse::<i64>().ok()).unwrap_or(0), **at));
        own.into_iter()
    }

    /// All rows at once: those not named are gone, and every row gets a new id.
    fn product_rows_set(&mut self, kind: Kind, id: u64, call: &Call<'_>) -> Result<Answer, Refusal> {
        let given: Vec<&Value> = match param(call.params, "rows") {
            Some(rows) => children(rows),
            None => return Err(Refusal::classic("The parameter 'rows' must be array.")),
        };
        let gone: Vec<u64> = self.lines_of(kind, id).map(|(at, _)| *at).collect();
        gone.iter().for_each(|at| {
            self.lines.remove(at);
        });
        let mut total = 0.0;
        for (index, sent) in given.into_iter().enumerate() {
            let number = |name: &str| text(sent, name).and_then(|it| it.trim().parse::<f64>().ok());
            let (price, quantity) = (number("PRICE").unwrap_or(0.0), number("QUANTITY").unwrap_or(1.0));
            total += price * quantity;
            let mut line = row([
                ("OWNER_ID", id.to_string()),
                ("OWNER_TYPE", owner_letter(kind).to_owned()),
                ("PRODUCT_ID", "0".to_owned()),
                ("PRICE_EXCLUSIVE", price.to_string()),
                ("PRICE_NETTO", price.to_string()),
                ("PRICE_BRUTTO", price.to_string()),
                ("PRICE_ACCOUNT", format!("{price:.2}")),
                ("QUANTITY", quantity.to_string()),
                ("DISCOUNT_TYPE_ID", "2".to_owned()),
                ("DISCOUNT_RATE", "0".to_owned()),
                ("DISCOUNT_SUM", "0".to_owned()),
                ("TAX_INCLUDED", "N".to_owned()),
                ("CUSTOMIZED", "Y".to_owned()),
                ("MEASURE_CODE", "796".to_owned()),
                ("MEASURE_NAME", "шт".to_owned()),
                ("SORT", ((index + 1) * 10).to_string()),
                ("TYPE", "1".to_owned()),
            ]);
            line.extend(known(sent, &SENT));
            line.insert("PRICE".to_owned(), price.to_string());
            let at = self.next_id("line");
            self.lines.insert(at, line);
        }
        let mut object = self.object(kind, id).cloned().ok_or_else(no_method)?;
        if object.text("IS_MANUAL_OPPORTUNITY") != "Y" {
            object.set("OPPORTUNITY", format!("{total:.2}"));
        }
        object.set("DATE_MODIFY", call.now_s.to_string());
        object.set("MODIFY_BY_ID", call.user.to_string());
        self.store(kind, object);
        self.written(kind, id, What::Update, call);
        Ok(Answer::of(json!(true)))
    }

    /// `crm.item.productrow.list`: the filter must name the owner's type and id (or several ids).
    pub(super) fn item_lines(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let filter = param(call.params, "filter").ok_or_else(|| Refusal::missing("filter"))?;
        let either = |names: [&str; 3]| names.into_iter().find_map(|name| param(filter, name));
        let letter = either(["=ownerType", "ownerType", "@ownerType"]).and_then(Value::as_text).unwrap_or("");
        let ids: Vec<&str> = either(["=ownerId", "ownerId", "@ownerId"])
            .map(children)
            .unwrap_or_default()
            .into_iter()
            .filter_map(Value::as_text)
            .collect();
        if letter.is_empty() || ids.is_empty() {
            return Err(Refusal::new(400, "INVALID_ARG_VALUE", "Filter by ownerType and ownerId is required"));
        }
        let held = |row: &Row, name: &str| row.get(name).cloned().unwrap_or_default();
        let rows: Vec<(&u64, &Row)> = self
            .lines
            .iter()
            .filter(|(_, row)| held(row, "OWNER_TYPE") == letter && ids.contains(&held(row, "OWNER_ID").as_str()))
            .collect();
        let page = super::listing::page(rows, call.params);
        let shown: Vec<Json> = page.rows.into_iter().map(|(at, row)| item_line(*at, row)).collect();
        Ok(Answer { result: json!({"productRows": shown}), total: Some(page.total), next: page.next })
    }

    /// `crm.deal.contact.items.get`.
    pub(super) fn deal_contacts(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let deal = self.object(Kind::Deal, call.id()?).ok_or_else(|| Refusal::classic("Not found"))?;
        let ids = deal.cells.get("CONTACT_IDS").or_else(|| deal.cells.get("CONTACT_ID")).map_or(&[][..], Cell::texts);
        let main = deal.text("CONTACT_ID");
        let rows = ids.iter().enumerate().map(|(index, id)| {
            json!({"CONTACT_ID": id.parse::<u64>().unwrap_or(0), "SORT": (index + 1) * 10, "ROLE_ID": 0,
                   "IS_PRIMARY": if id == main { "Y" } else { "N" }})
        });
        Ok(Answer::of(rows.collect()))
    }
}

const NUMBERS: [&str; 10] = [
    "PRICE",
    "PRICE_EXCLUSIVE",
    "PRICE_NETTO",
    "PRICE_BRUTTO",
    "QUANTITY",
    "DISCOUNT_TYPE_ID",
    "DISCOUNT_RATE",
    "DISCOUNT_SUM",
    "TAX_RATE",
    "MEASURE_CODE",
];

/// Ids as text, amounts as numbers, the amount in the base currency as text: so it is documented.
fn classic_line(id: u64, row: &Row) -> Json {
    let mut out: serde_json::Map<String, Json> = BTreeMap::from([("ID".to_owned(), json!(id.to_string()))])
        .into_iter()
        .chain(row.iter().map(|(name, held)| {
            let shown = match name.as_str() {
                "PRODUCT_ID" | "SORT" | "TYPE" => json!(held.parse::<i64>().unwrap_or(0)),
                number if NUMBERS.contains(&number) => amount(held),
                _ => json!(held),
            };
            (name.clone(), shown)
        }))
        .collect();
    out.entry("TAX_RATE").or_insert(Json::Null);
    out.entry("PRODUCT_NAME").or_insert(json!(""));
    let name = out["PRODUCT_NAME"].clone();
    out.insert("ORIGINAL_PRODUCT_NAME".to_owned(), name);
    Json::Object(out)
}

fn item_line(id: u64, row: &Row) -> Json {
    let mut out = serde_json::Map::new();
    out.insert("id".to_owned(), json!(id));
    for (name, held) in row {
        let shown = match name.as_str() {
            "OWNER_ID" | "PRODUCT_ID" | "SORT" | "TYPE" => json!(held.parse::<i64>().unwrap_or(0)),
            "PRICE_ACCOUNT" => amount(held),
            number if NUMBERS.contains(&number) => amount(held),
            _ => json!(held),
        };
        out.insert(super::fields::camel(name), shown);
    }
    Json::Object(out)
}

/// The kind of a call `crm.{kind}.productrows.*`.
pub(super) fn kind_of(word: &str) -> Option<Kind> {
    Kind::from_word(word).filter(|kind| matches!(kind, Kind::Deal | Kind::Lead))
}
