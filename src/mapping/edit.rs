//! What a person sets by hand: canonical fields by name, read like those of any record.

use compact_str::CompactString;

use super::canonical::{Section, find};
use super::convert::{Conversion, convert, fitting};
use super::draft::{Draft, Parts};
use super::{MapContext, Mapped};
use crate::base::Message;
use crate::base::message::near_miss;

/// Fields of a client that a person may set. Contact points are added to those that are held.
pub const CLIENT_FIELDS: &[&str] =
    &["name", "company", "inn", "kpp", "ogrn", "address", "responsible", "decides", "phone", "email"];

/// Fields of a deal that a person may set.
pub const DEAL_FIELDS: &[&str] = &[
    "title",
    "pipeline",
    "stage",
    "price",
    "source",
    "responsible",
    "comment",
    "product_line",
    "close_date",
    "next_step",
    "deferred",
];

/// The fields of a section that a person may set.
pub fn editable(section: Section) -> &'static [&'static str] {
    match section {
        Section::Client => CLIENT_FIELDS,
        Section::Deal => DEAL_FIELDS,
        Section::Record | Section::Document | Section::Interaction | Section::Lines => &[],
    }
}

/// Whether a person may set (and release) the field; what is wrong, and the fields there are.
pub fn is_editable(section: Section, name: &str) -> Result<(), Message> {
    let known = editable(section);
    if known.contains(&name) {
        return Ok(());
    }
    let near = near_miss(name, known.iter().copied()).unwrap_or_default();
    let id = if near.is_empty() { "edit-field" } else { "edit-field-near" };
    Err(Message::new(id).with("field", name).with("near", near).with("known", known.join(", ")))
}

/// The change that these fields make; refused when one of them does not read.
pub fn edit(section: Section, told: &[(CompactString, String)], context: &MapContext<'_>) -> Mapped {
    let mut draft = Draft::new();
    for (name, text) in told {
        if let Err(message) = is_editable(section, name) {
            return Mapped::Refused(message);
        }
        let Some(spec) = find(section, name) else {
            debug_assert!(false, "{name} is editable and not in the table");
            continue;
        };
        let read = |conversion: Conversion| convert(conversion, spec.kind, text.trim(), context, context.currency);
        let mut results = fitting(spec.kind).iter().filter(|it| **it != Conversion::DaysAgo).map(|it| read(*it));
        let mut first = None;
        let value = results.find_map(|result| {
            let value = result.value;
            first = first.take().or_else(|| result.issues.into_iter().next());
            value
        });
        match value {
            Some(value) => draft.set(spec.field, "", value),
            None => {
                let message = Message::new("edit-value").with("field", name).with("value", text);
                return Mapped::Refused(message);
            }
        }
    }
    let parts = Parts { deal: section == Section::Deal, document: false, interaction: false };
    let mut change = draft.finish(parts);
    // A name by hand says who he is, not what he is.
    if section == Section::Deal {
        change.client = Default::default();
    }
    Mapped::Change(Box::new(change))
}
