//! The same document told by two systems: two bases of 1C, or the bank and 1C.
//!
//! A document that is new to its connection is compared with the client's documents that other
//! connections told of. What agrees is one document with an id in each system: who owns documents by
//! `rules/ownership.toml` says what it holds, and it counts once. A document takes one copy from a
//! connection, so two equal payments of one day stay two wherever both systems tell of both.

use jiff::tz::TimeZone;

use super::records::Origin;
use super::step::Step;
use crate::base::limits::DOCUMENTS_COMPARED_MAX;
use crate::base::{ClientId, DocumentId, Timestamp};
use crate::model::change::DocumentChange;
use crate::model::{Document, DocumentKind};
use crate::tables::{Clients, Documents, TableError};

/// How well two documents agree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    /// The same sum on the same day.
    Day,
    /// And the same number.
    Number,
}

/// The document of another connection that this record tells of too.
pub(super) fn original(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    told: &DocumentChange,
) -> Result<Option<DocumentId>, TableError> {
    let business = &step.catalog.business;
    let Some(client) = client.filter(|_| business.link_copies && !told.foreign.is_empty()) else { return Ok(None) };
    let (zone, apart_ms) = (&step.catalog.company.zone, business.same_payment_ms);
    let ours = &origin.envelope.connection;
    let organisation = |connection: &str| step.catalog.people.organisation_of(connection).map(|it| &it.key);
    let of_another_house = |connection: &str| match (organisation(ours), organisation(connection)) {
        (Some(left), Some(right)) => left != right,
        (Some(_), None) | (None, _) => false,
    };
    let mut best: Option<(Agreement, DocumentId)> = None;
    for document in newest_documents(step, client)? {
        let is_copy_of_ours = document.foreign.iter().any(|it| it.connection == *ours);
        let stands_alone = document.foreign.first().is_none_or(|it| of_another_house(&it.connection));
        if is_copy_of_ours || stands_alone {
            continue;
        }
        let agreement = agree(&document, told, zone, apart_ms).map(|agreement| (agreement, document.id));
        // Of equals the oldest: one by one they find their pairs.
        if agreement.is_some_and(|(it, _)| best.is_none_or(|(held, _)| it >= held)) {
            best = agreement;
        }
    }
    Ok(best.map(|(_, id)| id))
}

/// The newest documents of a client, newest first. Bound: older ones are not looked at.
pub(super) fn newest_documents(step: &mut Step<'_>, client: ClientId) -> Result<Vec<Document>, TableError> {
    let ids = step.rows.peek::<Clients, _>(&client, |row| {
        row.map(|row| row.documents.iter().rev().take(DOCUMENTS_COMPARED_MAX).copied().collect::<Vec<_>>())
    })?;
    let mut documents = Vec::new();
    for id in ids.unwrap_or_default() {
        documents.extend(step.rows.get::<Documents>(&id)?);
    }
    Ok(documents)
}

/// Whether two numbers are one, but for the zeros and prefixes that each system puts before them.
pub(super) fn same_number(left: &str, right: &str) -> bool {
    let (left, right) = (left.trim(), right.trim());
    let digits = |text: &str| {
        let tail = text.rfind(|it: char| !it.is_ascii_digit()).map_or(text, |at| {
            let after = at + text[at..].chars().next().map_or(0, char::len_utf8);
            &text[after..]
        });
        tail.trim_start_matches('0').to_owned()
    };
    if left.to_lowercase() == right.to_lowercase() {
        return !left.is_empty();
    }
    let is_bare = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    // Two prefixes name two series; one without a prefix may be either.
    (is_bare(left) || is_bare(right)) && !digits(left).is_empty() && digits(left) == digits(right)
}

fn agree(held: &Document, told: &DocumentChange, zone: &TimeZone, apart_ms: i64) -> Option<Agreement> {
    let (sum, date) = (held.sum.as_ref()?, held.date.as_ref()?);
    let (told_sum, told_date) = (told.sum.as_ref()?, told.date?);
    if held.kind != told.kind || sum.value != *told_sum {
        return None;
    }
    let day = |at: Timestamp| at.to_jiff().to_zoned(zone.clone()).date();
    let same_day = day(date.value) == day(told_date);
    let numbers = [held.number.as_ref().map(|it| &it.value), held.number_1c.as_ref().map(|it| &it.value)];
    let told_numbers = [told.number.as_ref(), told.number_1c.as_ref()];
    let same_number = numbers
        .into_iter()
        .flatten()
        .any(|held| told_numbers.into_iter().flatten().any(|told| same_number(held, told)));
    match held.kind {
        // 1C gives a payment a number of its own, so the number of the bank need not be there.
        DocumentKind::Payment if same_number && date.value.ms_since(told_date).abs() <= apart_ms => {
            Some(Agreement::Number)
        }
        DocumentKind::Payment if same_number && same_day => Some(Agreement::Number),
        DocumentKind::Payment => same_day.then_some(Agreement::Day),
        DocumentKind::Order
        | DocumentKind::Invoice
        | DocumentKind::Shipment
        | DocumentKind::Return
        | DocumentKind::Contract => (same_number && same_day).then_some(Agreement::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::same_number;

    #[test]
    fn numbers_are_compared_as_people_read_them() {
        for (left, right, expected) in [
            ("УТ-000012", "ут-000012", true),
            ("0000-000123", "123", true),
            ("123", "00123", true),
            ("УТ-000012", "БП-000012", false),
            ("УТ-000012", "УТ-000013", false),
            ("без номера", "", false),
            ("", "", false),
            ("000", "0", false),
            ("12б", "12", false),
        ] {
            assert_eq!(same_number(left, right), expected, "{left} {right}");
            assert_eq!(same_number(right, left), expected, "{right} {left}");
        }
    }
}
