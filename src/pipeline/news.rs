//! What is new in a row that a poller read. A row tells all its fields each time, with one time for
//! all of them; only those that differ from what it told before are news. Otherwise our own write,
//! which renews the time of the whole row, would make every old value there look like the newest.
//!
//! A row that we made and see for the first time: what we sent and comes back is no news, what we
//! sent and has changed since is, and what the foreign system filled in by itself only fills gaps.

use compact_str::CompactString;

use crate::base::checksum::Fingerprint;
use crate::identity::says_more;
use crate::model::{Change, Client, Confirmed, Deal};
use crate::outbox::is_same;
use crate::value::Value;

/// What we hold of the object already.
pub(super) enum Ours<'a> {
    /// Nobody we know, or somebody who is not tied to this row.
    Unknown,
    /// A client that we told there.
    Client(&'a Client, Option<&'a Confirmed>),
    /// A deal that we told there.
    Deal(&'a Deal, Option<&'a Confirmed>),
}

/// Fields that are offered one by one, and the canonical fields that a mapping fills them from. The
/// numbers stand in rows: a new field takes the next one.
const FIELDS: &[(u8, &[&str])] = &[
    (1, &["client.name", "client.company", "client.surname", "client.given", "client.patronymic"]),
    (2, &["client.address"]),
    (3, &["client.responsible"]),
    (4, &["client.inn"]),
    (5, &["client.decides"]),
    (6, &["deal.title"]),
    (7, &["deal.pipeline"]),
    (8, &["deal.stage"]),
    (9, &["deal.state"]),
    (10, &["deal.price"]),
    (11, &["deal.source"]),
    (12, &["deal.responsible"]),
    (13, &["deal.comment"]),
    (14, &["deal.close_date"]),
    (15, &["deal.product_line"]),
    (16, &["deal.next_step"]),
    (17, &["deal.deferred"]),
    (18, &["extra"]),
];

/// The number of a canonical field.
pub(super) fn number_of(field: &str) -> Option<u8> {
    FIELDS.iter().find(|(_, names)| names.contains(&field)).map(|(number, _)| *number)
}

/// Leaves in `change` only what is news. `before` is what the row told last; `None` when it is seen
/// for the first time. Returns what it tells now.
pub(super) fn keep_news(
    change: &mut Change,
    before: Option<&[(u8, u32)]>,
    row: &Value,
    ours: &Ours<'_>,
) -> Vec<(u8, u32)> {
    let mut told = Vec::new();
    for (number, names) in FIELDS {
        let Some(hash) = hash_of(change, *number) else { continue };
        told.push((*number, hash));
        let is_news = match before {
            Some(before) => !before.contains(&(*number, hash)),
            None => is_news_at_first(change, *number, names, row, ours),
        };
        if !is_news {
            clear(change, *number);
        }
    }
    told
}

fn is_news_at_first(change: &Change, number: u8, names: &[&str], row: &Value, ours: &Ours<'_>) -> bool {
    let (confirmed, is_held) = match ours {
        Ours::Unknown => return true,
        Ours::Client(client, confirmed) => (confirmed, client_holds(client, number)),
        Ours::Deal(deal, confirmed) => (confirmed, deal_holds(deal, number)),
    };
    let members = change.told_by.iter().filter(|(field, _)| names.contains(&field.as_str()));
    let mut was_sent = false;
    for (_, member) in members {
        let sent = confirmed.and_then(|it| it.sent.iter().find(|(name, _)| name == member));
        let Some((_, sent)) = sent else { continue };
        was_sent = true;
        let mut text = String::new();
        row.get(member).unwrap_or(&Value::Null).write_json(&mut text);
        if !is_same(sent, &text) {
            return true;
        }
    }
    // Somebody has added to the name before we saw it for the first time.
    let adds_to_name = match (number, ours, &change.client.name) {
        (1, Ours::Client(client, _), Some(told)) => {
            client.name.as_ref().is_some_and(|held| says_more(told, &held.value))
        }
        _ => false,
    };
    adds_to_name || (!was_sent && !is_held)
}

fn client_holds(client: &Client, number: u8) -> bool {
    match number {
        1 => client.name.is_some(),
        2 => client.address.is_some(),
        3 => client.responsible.is_some(),
        4 => client.inn.is_some(),
        5 => client.decides.is_some(),
        // What a mapping does not name is no gap.
        _ => true,
    }
}

fn deal_holds(deal: &Deal, number: u8) -> bool {
    match number {
        6 => deal.title.is_some(),
        7 => deal.pipeline.is_some(),
        8 => deal.stage.is_some(),
        10 => deal.price.is_some(),
        11 => deal.source.is_some(),
        12 => deal.responsible.is_some(),
        13 => deal.comment.is_some(),
        14 => deal.close_date.is_some(),
        15 => deal.product_line.is_some(),
        16 => deal.next_step.is_some(),
        17 => deal.deferred.is_some(),
        // A deal that was made open is open; of its client it tells nothing new.
        _ => true,
    }
}

fn hash_of(change: &Change, number: u8) -> Option<u32> {
    fn of<T: std::fmt::Debug>(value: &Option<T>) -> Option<u32> {
        let text = format!("{:?}", value.as_ref()?);
        let [a, b, c, d, ..] = Fingerprint::of(text.as_bytes()).0;
        Some(u32::from_le_bytes([a, b, c, d]))
    }
    let client = &change.client;
    match (number, &change.deal) {
        (1, _) => of(&client.name),
        (2, _) => of(&client.address),
        (3, _) => of(&client.responsible),
        (4, _) => of(&client.inn),
        (5, _) => of(&client.decides),
        (18, _) => of(&(!change.extra.is_empty()).then_some(&change.extra)),
        (_, None) => None,
        (6, Some(deal)) => of(&deal.title),
        (7, Some(deal)) => of(&deal.pipeline),
        (8, Some(deal)) => of(&deal.stage),
        (9, Some(deal)) => of(&deal.state),
        (10, Some(deal)) => of(&deal.price),
        (11, Some(deal)) => of(&deal.source),
        (12, Some(deal)) => of(&deal.responsible),
        (13, Some(deal)) => of(&deal.comment),
        (14, Some(deal)) => of(&deal.close_date),
        (15, Some(deal)) => of(&deal.product_line),
        (16, Some(deal)) => of(&deal.next_step),
        (17, Some(deal)) => of(&deal.deferred),
        (_, Some(_)) => None,
    }
}

fn clear(change: &mut Change, number: u8) {
    let client = &mut change.client;
    match (number, &mut change.deal) {
        (1, _) => client.name = None,
        (2, _) => client.address = None,
        (3, _) => client.responsible = None,
        (4, _) => client.inn = None,
        (5, _) => client.decides = None,
        (18, _) => change.extra = Vec::new(),
        (_, None) => {}
        (6, Some(deal)) => deal.title = None,
        (7, Some(deal)) => deal.pipeline = None,
        (8, Some(deal)) => {
            deal.stage = None;
            deal.stage_since = None;
        }
        (9, Some(deal)) => deal.state = None,
        (10, Some(deal)) => deal.price = None,
        (11, Some(deal)) => deal.source = None,
        (12, Some(deal)) => deal.responsible = None,
        (13, Some(deal)) => deal.comment = None,
        (14, Some(deal)) => deal.close_date = None,
        (15, Some(deal)) => deal.product_line = None,
        (16, Some(deal)) => deal.next_step = None,
        (17, Some(deal)) => deal.deferred = None,
        (_, Some(_)) => {}
    }
    let names = FIELDS.iter().find(|(it, _)| *it == number).map_or(&[][..], |(_, names)| names);
    change.lookups.retain(|(field, _): &(CompactString, CompactString)| !names.contains(&field.as_str()));
}
