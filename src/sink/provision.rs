//! Fields of our own in the sink: made when they are missing.

use std::collections::HashSet;

use compact_str::CompactString;
use serde_json::{Value as Json, json};

use super::SinkError;
use super::ask::ask;
use super::caller::{Call, Caller};
use crate::base::{Message, Timestamp};
use crate::connector::{Custom, ObjectSpec, Provision, SinkSpec, Slot};
use crate::model::Fault;
use crate::value::Value;

/// Pages of a list of fields. A portal has a few hundred at the most; more is refused.
const FIELD_PAGES_MAX: u32 = 40;

/// A field of our own: whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldStanding {
    /// Kind of object.
    pub(crate) kind: CompactString,
    /// Its name.
    pub(crate) name: CompactString,
    /// Whether the sink has it.
    pub(crate) is_there: bool,
}

/// Which of our fields the sink has; nothing is made.
pub(crate) async fn fields_there(
    spec: &SinkSpec,
    caller: &Caller,
    deadline: Timestamp,
) -> Result<Vec<FieldStanding>, SinkError> {
    let mut standings = Vec::new();
    for object in &spec.objects {
        let Some(provision) = &object.provision else { continue };
        let there = list(provision, caller, deadline).await?;
        standings.extend(provision.fields.iter().map(|field| FieldStanding {
            kind: (&*object.kind).into(),
            name: field.name.as_str().into(),
            is_there: is_there(provision, field, &there),
        }));
    }
    Ok(standings)
}

/// What was there and what was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProvisionReport {
    /// Fields that were there: kind of object, name.
    pub present: Vec<(CompactString, CompactString)>,
    /// Fields that were made.
    pub added: Vec<(CompactString, CompactString)>,
}

pub(super) async fn provision(
    spec: &SinkSpec,
    caller: &Caller,
    deadline: Timestamp,
) -> Result<ProvisionReport, SinkError> {
    let mut report = ProvisionReport::default();
    for object in &spec.objects {
        let Some(provision) = &object.provision else { continue };
        let there = list(provision, caller, deadline).await?;
        for field in &provision.fields {
            let entry = (CompactString::from(&*object.kind), CompactString::from(&field.name));
            if is_there(provision, field, &there) {
                report.present.push(entry);
            } else if add(object, provision, field, caller, deadline).await? {
                report.added.push(entry);
            } else {
                report.present.push(entry);
            }
        }
    }
    Ok(report)
}

fn is_there(provision: &Provision, field: &Custom, there: &HashSet<String>) -> bool {
    there.contains(&field.name) || there.contains(bare(provision, field))
}

fn bare<'a>(provision: &Provision, field: &'a Custom) -> &'a str {
    field.name.strip_prefix(&provision.prefix).unwrap_or(&field.name)
}

/// Names of the fields that exist.
async fn list(provision: &Provision, caller: &Caller, deadline: Timestamp) -> Result<HashSet<String>, SinkError> {
    let mut names = HashSet::new();
    let mut start = 0u64;
    for _ in 0..FIELD_PAGES_MAX {
        let call = Call::new(&provision.list, &|slot| if *slot == Slot::Start { json!(start) } else { Json::Null });
        let body = ask(caller, call, deadline).await?;
        for row in provision.rows.first(&body).map(Value::items).unwrap_or_default() {
            names.extend(provision.name.first(row).and_then(Value::as_text).map(str::to_owned));
        }
        let next = provision.next.as_ref().and_then(|path| path.first(&body)?.as_text()?.parse::<u64>().ok());
        match next.filter(|next| *next > start) {
            Some(next) => start = next,
            None => return Ok(names),
        }
    }
    let message = Message::new("sink-fields-many").with("host", caller.host());
    Err(SinkError { fault: Fault::Sink, message, retry_at: None })
}

/// Adds a field; `false` when it turned out to be there (another run was quicker, or the answer to
/// an earlier try was lost).
async fn add(
    object: &ObjectSpec,
    provision: &Provision,
    field: &Custom,
    caller: &Caller,
    deadline: Timestamp,
) -> Result<bool, SinkError> {
    let call = Call::new(&provision.add, &|slot| match slot {
        Slot::Name => json!(field.name),
        Slot::BareName => json!(bare(provision, field)),
        Slot::Type => json!(field.kind),
        Slot::LabelRu => json!(field.label.0),
        Slot::LabelEn => json!(field.label.1),
        Slot::Fields
        | Slot::All
        | Slot::Field(_)
        | Slot::Id
        | Slot::Ids
        | Slot::Origin
        | Slot::Values
        | Slot::Rows
        | Slot::Start
        | Slot::Page
        | Slot::Time
        | Slot::Address => Json::Null,
    });
    let Err(error) = ask(caller, call, deadline).await else { return Ok(true) };
    let there = list(provision, caller, deadline).await.unwrap_or_default();
    if is_there(provision, field, &there) {
        return Ok(false);
    }
    let message = Message::new("sink-field-refused")
        .with("kind", &object.kind)
        .with("name", &field.name)
        .with("reason", &error.message);
    Err(SinkError { message, ..error })
}
