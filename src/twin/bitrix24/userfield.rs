//! Custom fields: they must be declared before a value for them is kept.
//!
//! Source: facts/crm/bitrix24.md section 6(c); b24restdocs (5988ed1), crm-contact-userfield-*.md.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::fields::Kind;
use super::object::{Cell, amount};
use super::params::{self, children, text};
use super::portal::{Answer, Call, Portal, Refusal};
use super::zone::Zone;
use crate::value::Value;

/// A custom field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserField {
    /// Its id; ids are common to all kinds.
    pub id: u64,
    /// The objects that have it.
    pub kind: Kind,
    /// With the prefix: `UF_CRM_SCORE`.
    pub field_name: String,
    /// What it holds.
    pub holds: Holds,
    /// Several values.
    pub multiple: bool,
    /// Objects cannot be created without it.
    pub mandatory: bool,
    /// The rest as it was given: labels, settings, sort, XML_ID.
    pub about: Json,
    /// Values of an enumeration.
    pub list: Vec<EnumValue>,
}

/// One value of an enumeration: what is written into objects is its id, not its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumValue {
    /// What objects hold.
    pub id: u64,
    /// What people read.
    pub value: String,
    /// Given by the creator.
    pub xml_id: String,
    /// Place.
    pub sort: i64,
    /// Whether it is the default.
    pub default: bool,
}

/// `USER_TYPE_ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Double,
    /// Yes or no: `1`/`0` in the classic methods, `Y`/`N` in `crm.item.*`.
    Boolean,
    /// A day.
    Date,
    /// An instant.
    Datetime,
    /// `100|RUB`.
    Money,
    /// An address of a page.
    Url,
    /// One of a list.
    Enumeration,
    /// A user.
    Employee,
    /// An address.
    Address,
}

impl Holds {
    const ALL: [Holds; 11] = [
        Holds::String,
        Holds::Integer,
        Holds::Double,
        Holds::Boolean,
        Holds::Date,
        Holds::Datetime,
        Holds::Money,
        Holds::Url,
        Holds::Enumeration,
        Holds::Employee,
        Holds::Address,
    ];

    /// The name on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Holds::String => "string",
            Holds::Integer => "integer",
            Holds::Double => "double",
            Holds::Boolean => "boolean",
            Holds::Date => "date",
            Holds::Datetime => "datetime",
            Holds::Money => "money",
            Holds::Url => "url",
            Holds::Enumeration => "enumeration",
            Holds::Employee => "employee",
            Holds::Address => "address",
        }
    }
}

impl UserField {
    /// One written value, cleaned; `None` when it cannot be kept.
    pub(super) fn clean(&self, given: &str, zone: Zone) -> Option<String> {
        let given = given.trim();
        match self.holds {
            Holds::String | Holds::Url | Holds::Money | Holds::Address => Some(given.to_owned()),
            Holds::Integer | Holds::Employee => given.parse::<i64>().ok().map(|it| it.to_string()),
            Holds::Double => given.parse::<f64>().ok().filter(|it| it.is_finite()).map(|it| it.to_string()),
            Holds::Boolean => Some(if params::is_yes(given) { "1" } else { "0" }.to_owned()),
            Holds::Date => zone.read_day(given),
            Holds::Datetime => zone.read_instant(given).map(|it| it.to_string()),
            Holds::Enumeration => {
                let id: u64 = given.parse().ok()?;
                self.list.iter().any(|it| it.id == id).then(|| id.to_string())
            }
        }
    }

    pub(super) fn show_classic(&self, cell: Option<&Cell>, zone: Zone) -> Json {
        let show = |text: &CompactString| match self.holds {
            Holds::Datetime => text.parse().map_or(Json::Null, |at| json!(zone.iso(at))),
            Holds::Date => json!(zone.day_iso(text)),
            Holds::String
            | Holds::Integer
            | Holds::Double
            | Holds::Boolean
            | Holds::Money
            | Holds::Url
            | Holds::Enumeration
            | Holds::Employee
            | Holds::Address => json!(text),
        };
        self.shape(cell, show, json!(false))
    }

    pub(super) fn show_item(&self, cell: Option<&Cell>, zone: Zone) -> Json {
        let show = |text: &CompactString| match self.holds {
            Holds::Datetime => text.parse().map_or(Json::Null, |at| json!(zone.iso(at))),
            Holds::Date => json!(zone.day_iso(text)),
            Holds::Boolean => json!(if text == "1" { "Y" } else { "N" }),
            Holds::Double | Holds::Integer | Holds::Enumeration | Holds::Employee => amount(text),
            Holds::String | Holds::Money | Holds::Url | Holds::Address => json!(text),
        };
        self.shape(cell, show, json!([]))
    }

    /// An empty multiple field is `false` in the classic methods (PHP) and `[]` in `crm.item.*`.
    fn shape(&self, cell: Option<&Cell>, show: impl Fn(&CompactString) -> Json, none: Json) -> Json {
        match (cell, self.multiple) {
            (Some(cell), true) => cell.texts().iter().map(show).collect(),
            (Some(cell), false) => cell.texts().first().map_or(Json::Null, show),
            (None, true) => none,
            (None, false) => Json::Null,
        }
    }

    /// As `crm.*.fields` shows it.
    pub(super) fn describe(&self) -> Json {
        let label = self.about.get("EDIT_FORM_LABEL").map(label_text).unwrap_or_default();
        let mut shown = json!({
            "type": self.holds.word(),
            "isRequired": self.mandatory,
            "isReadOnly": false,
            "isImmutable": false,
            "isMultiple": self.multiple,
            "isDynamic": true,
            "title": self.field_name,
            "listLabel": label,
            "formLabel": label,
            "filterLabel": label,
            "settings": self.about.get("SETTINGS").cloned().unwrap_or(json!([])),
        });
        if self.holds == Holds::Enumeration {
            shown["items"] = self.list.iter().map(|it| json!({"ID": it.id.to_string(), "VALUE": it.value})).collect();
        }
        shown
    }

    fn row(&self, with_labels: bool) -> Json {
        let about = |name: &str, default: &str| self.about.get(name).cloned().unwrap_or_else(|| json!(default));
        let yes_no = |flag: bool| if flag { "Y" } else { "N" };
        let mut row = json!({
            "ID": self.id.to_string(),
            "ENTITY_ID": self.kind.userfield_entity(),
            "FIELD_NAME": self.field_name,
            "USER_TYPE_ID": self.holds.word(),
            "XML_ID": self.about.get("XML_ID").cloned().unwrap_or(Json::Null),
            "SORT": about("SORT", "100"),
            "MULTIPLE": yes_no(self.multiple),
            "MANDATORY": yes_no(self.mandatory),
            "SHOW_FILTER": about("SHOW_FILTER", "N"),
            "SHOW_IN_LIST": about("SHOW_IN_LIST", "N"),
            "EDIT_IN_LIST": about("EDIT_IN_LIST", "Y"),
            "IS_SEARCHABLE": about("IS_SEARCHABLE", "N"),
            "SETTINGS": self.about.get("SETTINGS").cloned().unwrap_or(json!([])),
        });
        if with_labels {
            for name in ["EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL"] {
                row[name] = self.about.get(name).cloned().unwrap_or(Json::Null);
            }
        }
        if self.holds == Holds::Enumeration {
            row["LIST"] = self
                .list
                .iter()
                .map(|it| {
                    json!({"ID": it.id.to_string(), "SORT": it.sort.to_string(), "VALUE": it.value,
                           "DEF": yes_no(it.default), "XML_ID": it.xml_id})
                })
                .collect();
        }
        row
    }
}

fn label_text(label: &Json) -> String {
    match label {
        Json::String(text) => text.clone(),
        Json::Object(by_language) => {
            let any = by_language.get("ru").or_else(|| by_language.values().next());
            any.and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) => String::new(),
    }
}

impl Portal {
    /// The custom fields of a kind.
    pub fn userfields(&self, kind: Kind) -> impl Iterator<Item = &UserField> {
        self.userfields.iter().filter(move |it| it.kind == kind)
    }

    /// `crm.*.userfield.add`.
    pub(super) fn userfield_add(&mut self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let given = call.fields()?;
        let name = text(given, "FIELD_NAME").unwrap_or("").trim();
        let word = text(given, "USER_TYPE_ID").unwrap_or("").trim();
        let holds = Holds::ALL.into_iter().find(|it| it.word() == word);
        let short = name.strip_prefix("UF_CRM_").unwrap_or(name);
        // The portal collects its complaints and joins them by a line feed.
        let mut complaints = Vec::new();
        if word.is_empty() {
            complaints.push("The 'USER_TYPE_ID' field is not found.");
        } else if holds.is_none() {
            complaints.push("Incorrect custom type specified.");
        }
        if name.is_empty() {
            complaints.push("The 'FIELD_NAME' field is not found.");
        } else if !short.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_') {
            complaints.push("Field name contains invalid characters. Allowed characters are: A-Z, 0-9 and _.");
        } else if short.len() > 43 {
            complaints.push("Field name is too long (more than 50 characters).");
        }
        let Some(holds) = holds.filter(|_| complaints.is_empty()) else {
            return Err(Refusal::classic(complaints.join("\n")));
        };
        let field_name = format!("UF_CRM_{short}");
        if self.userfields(kind).any(|it| it.field_name == field_name) {
            return Err(Refusal::new(400, "ERROR_CORE", format!("The field {field_name} already exists.")));
        }
        let list = self.enum_values(given)?;
        let id = self.next_id("userfield");
        self.userfields.push(UserField {
            id,
            kind,
            field_name,
            holds,
            multiple: text(given, "MULTIPLE").is_some_and(params::is_yes),
            mandatory: text(given, "MANDATORY").is_some_and(params::is_yes),
            about: about(given),
            list,
        });
        Ok(Answer::of(json!(id)))
    }

    fn enum_values(&mut self, given: &Value) -> Result<Vec<EnumValue>, Refusal> {
        let mut list: Vec<EnumValue> = Vec::new();
        for item in params::param(given, "LIST").map(children).unwrap_or_default() {
            let xml_id = text(item, "XML_ID").unwrap_or_default().to_owned();
            if !xml_id.is_empty() && list.iter().any(|it| it.xml_id == xml_id) {
                return Err(Refusal::classic(format!("A list item with XML_ID={xml_id} already exists.")));
            }
            let id = self.next_id("enum");
            list.push(EnumValue {
                id,
                value: text(item, "VALUE").unwrap_or_default().to_owned(),
                xml_id,
                sort: params::integer(item, "SORT").unwrap_or(500),
                default: text(item, "DEF").is_some_and(params::is_yes),
            });
        }
        Ok(list)
    }

    /// `crm.*.userfield.get`.
    pub(super) fn userfield_get(&self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = call.id()?;
        let found = self.userfields(kind).find(|it| it.id == id);
        let found = found
            .ok_or_else(|| Refusal::new(400, "ERROR_NOT_FOUND", format!("The entity with ID '{id}' is not found.")))?;
        Ok(Answer::of(found.row(true)))
    }

    /// `crm.*.userfield.list`: no pages; labels only when the filter names a language.
    pub(super) fn userfield_list(&self, kind: Kind, call: &Call<'_>) -> Result<Answer, Refusal> {
        let filter = params::param(call.params, "filter");
        let with_labels = filter.and_then(|it| text(it, "LANG")).is_some();
        let rows: Vec<Json> = self
            .userfields(kind)
            .map(|it| it.row(with_labels))
            .filter(|row| filter.is_none_or(|filter| row_matches(row, filter)))
            .collect();
        let total = rows.len() as u64;
        Ok(Answer { result: Json::Array(rows), total: Some(total), next: None })
    }
}

fn row_matches(row: &Json, filter: &Value) -> bool {
    params::members(filter).unwrap_or_default().iter().all(|(name, wanted)| {
        let Some(have) = row.get(name.to_ascii_uppercase()).and_then(Json::as_str) else {
            return true;
        };
        children(wanted).iter().any(|it| it.as_text() == Some(have))
    })
}

fn about(given: &Value) -> Json {
    let mut about = serde_json::Map::new();
    for (name, value) in params::members(given).unwrap_or_default() {
        if !matches!(name.as_str(), "LIST" | "FIELD_NAME" | "USER_TYPE_ID" | "MULTIPLE" | "MANDATORY") {
            about.insert(name, to_json(value));
        }
    }
    Json::Object(about)
}

/// A parameter as JSON with every scalar as text, as a classic method shows it.
pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => json!(if *flag { "Y" } else { "N" }),
        Value::Number(text) | Value::Text(text) => json!(text.as_str()),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(members) => {
            Json::Object(members.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect())
        }
    }
}
