//! An object of the portal, and how it is shown: text everywhere in the classic methods, numbers
//! and camel case in `crm.item.*`.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::cells::Named;
use super::fields::{self, Kind, Type};
use super::userfield::UserField;
use super::zone::Zone;

/// The stored value of a field; an absent cell is null. Instants are stored as seconds since the
/// epoch, days as `YYYY-MM-DD`, amounts with two decimals, flags as `Y`/`N`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// One value.
    Text(CompactString),
    /// A multiple field.
    List(Vec<CompactString>),
}

impl Cell {
    /// The text of a single value, or the first of several.
    pub fn text(&self) -> &str {
        match self {
            Cell::Text(text) => text,
            Cell::List(items) => items.first().map_or("", CompactString::as_str),
        }
    }

    /// The values, one or several.
    pub fn texts(&self) -> &[CompactString] {
        match self {
            Cell::Text(text) => std::slice::from_ref(text),
            Cell::List(items) => items,
        }
    }
}

/// One value of a multi-field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultiValue {
    /// Its own id: an update that does not name it adds another value.
    pub id: u64,
    /// The telephone, address, ...
    pub value: CompactString,
    /// `WORK`, `MOBILE`, ...
    pub value_type: CompactString,
}

/// A lead, deal, contact or company.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Object {
    /// Its id among its kind.
    pub id: u64,
    /// Single fields by classic name, custom ones too.
    pub cells: Named<Cell>,
    /// Multi-fields by classic name.
    #[serde(default)]
    pub multi: Named<Vec<MultiValue>>,
}

impl Object {
    /// The text of a field; empty when null.
    pub fn text(&self, name: &str) -> &str {
        self.cells.get(name).map_or("", Cell::text)
    }

    /// The values of a multi-field.
    pub fn multi(&self, name: &str) -> &[MultiValue] {
        self.multi.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn set(&mut self, name: &str, text: impl Into<CompactString>) {
        self.cells.insert(name, Cell::Text(text.into()));
    }

    pub(super) fn instant(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }
}

/// What is shown of an object.
pub(super) struct View<'a> {
    pub(super) kind: Kind,
    pub(super) zone: Zone,
    pub(super) userfields: &'a [UserField],
}

/// Which fields a caller asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Select {
    /// All standard fields.
    pub(super) standard: bool,
    /// All custom fields.
    pub(super) custom: bool,
    /// All multi-fields.
    pub(super) multi: bool,
    /// Fields by their classic names.
    pub(super) names: Vec<String>,
}

impl Select {
    /// Everything that a `get` shows.
    pub(super) fn whole() -> Select {
        Select { standard: true, custom: true, multi: true, names: Vec::new() }
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|it| it == name)
    }
}

impl View<'_> {
    /// As the classic methods show it.
    pub(super) fn classic(&self, object: &Object, select: &Select) -> Json {
        let mut out = Map::new();
        for field in fields::fields(self.kind) {
            // Ids of several objects are written but never shown by the classic methods.
            let hidden = matches!(field.of, Type::Refs(_));
            if !hidden && (field.name == "ID" || select.standard || select.has(field.name)) {
                out.insert(field.name.to_owned(), self.classic_cell(field.name, field.of, object));
            }
        }
        for userfield in self.userfields.iter().filter(|it| it.kind == self.kind) {
            if select.custom || select.has(&userfield.field_name) {
                out.insert(
                    userfield.field_name.clone(),
                    userfield.show_classic(object.cells.get(&userfield.field_name), self.zone),
                );
            }
        }
        for name in fields::MULTI {
            let values = object.multi(name);
            // Shown only when there is something to show (documentation of crm.contact.get).
            if !values.is_empty() && (select.multi || select.has(name)) {
                out.insert(name.to_owned(), values.iter().map(|it| classic_multi(name, it)).collect());
            }
        }
        Json::Object(out)
    }

    fn classic_cell(&self, name: &str, of: Type, object: &Object) -> Json {
        if name == "ID" {
            return json!(object.id.to_string());
        }
        let Some(cell) = object.cells.get(name) else {
            let deal_like = matches!(self.kind, Kind::Deal | Kind::Lead);
            return match of {
                Type::Amount => json!("0.00"),
                Type::Flag => json!("N"),
                Type::Ref(Kind::Company) if deal_like => json!("0"),
                Type::Text
                | Type::Integer
                | Type::Date
                | Type::DateTime
                | Type::Status(_)
                | Type::Stage
                | Type::User
                | Type::Ref(_)
                | Type::Refs(_)
                | Type::Category => Json::Null,
            };
        };
        match of {
            Type::DateTime => object.instant(name).map_or(Json::Null, |at| json!(self.zone.iso(at))),
            Type::Date => json!(self.zone.day_iso(cell.text())),
            Type::Refs(_) => json!(cell.texts()),
            Type::Text
            | Type::Integer
            | Type::Amount
            | Type::Flag
            | Type::Status(_)
            | Type::Stage
            | Type::User
            | Type::Ref(_)
            | Type::Category => json!(cell.text()),
        }
    }

    /// As `crm.item.*` shows it.
    pub(super) fn item(&self, object: &Object, select: &Select, original_names: bool) -> Json {
        let mut out = Map::new();
        for field in fields::fields(self.kind) {
            if field.name == "ID" || select.standard || select.has(field.name) {
                out.insert(fields::item_name(self.kind, field.name), self.item_cell(field.name, field.of, object));
            }
        }
        for userfield in self.userfields.iter().filter(|it| it.kind == self.kind) {
            if select.custom || select.has(&userfield.field_name) {
                let name = match original_names {
                    true => userfield.field_name.clone(),
                    false => fields::item_name(self.kind, &userfield.field_name),
                };
                out.insert(name, userfield.show_item(object.cells.get(&userfield.field_name), self.zone));
            }
        }
        if select.multi && fields::has_multi(self.kind) {
            let all = fields::MULTI.into_iter().flat_map(|name| object.multi(name).iter().map(move |it| (name, it)));
            let shown: Vec<Json> = all
                .map(|(name, it)| json!({"id": it.id, "typeId": name, "valueType": it.value_type, "value": it.value}))
                .collect();
            out.insert("fm".to_owned(), Json::Array(shown));
        }
        if select.standard {
            out.insert("entityTypeId".to_owned(), json!(self.kind.type_id()));
        }
        Json::Object(out)
    }

    fn item_cell(&self, name: &str, of: Type, object: &Object) -> Json {
        if name == "ID" {
            return json!(object.id);
        }
        let cell = object.cells.get(name);
        let number = |cell: &Cell| cell.text().parse::<i64>().map_or(Json::Null, |it| json!(it));
        match of {
            Type::Integer | Type::User | Type::Category => cell.map_or(Json::Null, number),
            // No reference is 0, not null (documentation of crm.item.get).
            Type::Ref(_) => cell.map_or(json!(0), number),
            Type::Refs(_) => {
                cell.map_or(json!([]), |cell| cell.texts().iter().filter_map(|it| it.parse::<i64>().ok()).collect())
            }
            Type::Amount => cell.map_or(json!(0), |cell| amount(cell.text())),
            Type::DateTime => object.instant(name).map_or(Json::Null, |at| json!(self.zone.iso(at))),
            Type::Date => cell.map_or(Json::Null, |cell| json!(self.zone.day_iso(cell.text()))),
            Type::Flag => json!(cell.map_or("N", Cell::text)),
            Type::Text | Type::Status(_) | Type::Stage => cell.map_or(Json::Null, |cell| json!(cell.text())),
        }
    }
}

/// `19000.00` as the number 19000, `999.90` as 999.9: PHP prints floats at their shortest.
pub(super) fn amount(text: &str) -> Json {
    let number: f64 = text.parse().unwrap_or(0.0);
    let whole = number as i64;
    if whole as f64 == number { json!(whole) } else { json!(number) }
}

fn classic_multi(name: &str, value: &MultiValue) -> Json {
    json!({"ID": value.id.to_string(), "VALUE_TYPE": value.value_type, "VALUE": value.value, "TYPE_ID": name})
}
