//! Journal entries and quarantined records with their bytes.

use std::io::Read as _;

use super::views::{EntryView, OutcomeView, Page, QuarantineView};
use super::{Listing, Query, QueryError, outcome_text, text};
use crate::base::limits::BODY_SHOWN_BYTES_MAX;
use crate::base::{ItemRef, Locale, Message, Position};
use crate::entry::{Entry, Received};
use crate::journal::StoredEntry;
use crate::model::Outcome;
use crate::tables::{Block, Imports, Outcomes, Quarantine, Span};

impl Query {
    /// Entries, the newest first; `after` is the position before which the page ends.
    pub fn journal(&self, listing: &Listing) -> Result<Page<EntryView>, QueryError> {
        let end = match &listing.after {
            None => self.journal.head().0 + 1,
            Some(text) => {
                text.parse().map_err(|_| QueryError::Parameter(Message::new("id-bad-item-ref").with("text", text)))?
            }
        };
        let first = self.journal.first().0.max(1);
        let from = end.saturating_sub(listing.rows_max as u64).max(first);
        let wanted = end.saturating_sub(from) as usize;
        let mut entries = Vec::with_capacity(wanted);
        while entries.len() < wanted {
            let next = Position(from + entries.len() as u64);
            let page = self.journal.read(next, wanted - entries.len(), usize::MAX)?;
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        let rows = entries.iter().rev().map(|stored| self.line(stored)).collect();
        Ok(Page { rows, next: (from > first).then(|| from.to_string()) })
    }

    fn line(&self, stored: &StoredEntry) -> EntryView {
        let decoded = Entry::decode(stored.kind, &stored.payload);
        EntryView {
            position: stored.position.0,
            kind: stored.kind.name().to_owned(),
            at: self.local(stored.at),
            bytes: stored.payload.len(),
            summary: decoded.map_or_else(|error| error.to_string(), |entry| text::summary(&entry)),
            outcomes: Vec::new(),
            body: None,
        }
    }

    /// One entry with what became of its records, and its body as far as it is text.
    pub fn entry(&self, position: Position, locale: Locale) -> Result<Option<EntryView>, QueryError> {
        let Some(stored) = self.stored(position)? else { return Ok(None) };
        let mut view = self.line(&stored);
        if let Ok(Entry::Received(received)) = Entry::decode(stored.kind, &stored.payload) {
            view.body = Some(self.shown_body(&received, locale)?);
            view.outcomes = self
                .outcomes(position, listing_max())?
                .into_iter()
                .map(|(record, outcome)| OutcomeView {
                    record: record.to_string(),
                    outcome: outcome.kind().name().to_owned(),
                    detail: outcome_text(&outcome, locale),
                })
                .collect();
        }
        Ok(Some(view))
    }

    pub(super) fn stored(&self, position: Position) -> Result<Option<StoredEntry>, QueryError> {
        if position < self.journal.first() || position > self.journal.head() || position == Position::START {
            return Ok(None);
        }
        Ok(self.journal.read(position, 1, usize::MAX)?.into_iter().find(|stored| stored.position == position))
    }

    /// What became of the records of an entry, in their order, at most `max`.
    pub fn outcomes(&self, position: Position, max: usize) -> Result<Vec<(ItemRef, Outcome)>, QueryError> {
        let mut found = Vec::new();
        let first = Block::of(ItemRef::new(position, 0));
        let last = Block::of(ItemRef::new(position, crate::base::limits::ITEMS_MAX - 1));
        for row in self.reader().rows(Span::<Outcomes>::all().from(&first).through(&last)) {
            let (_, items) = row?;
            let mine = items.into_iter().filter(|(record, ..)| record.position == position);
            found.extend(mine.map(|(record, _, outcome)| (record, outcome)));
            if found.len() >= max {
                break;
            }
        }
        found.truncate(max);
        Ok(found)
    }

    /// How far a large envelope is applied: records done, and in all once known. `None`: it was
    /// applied in one go, or not at all.
    pub fn import(&self, position: Position) -> Result<Option<(u32, Option<u32>)>, QueryError> {
        Ok(self.reader().get::<Imports>(&position)?.map(|row| (row.next, row.total)))
    }

    /// What became of one record.
    pub fn outcome(&self, at: ItemRef) -> Result<Option<Outcome>, QueryError> {
        let block = self.reader().get::<Outcomes>(&Block::of(at))?.unwrap_or_default();
        Ok(block.into_iter().find(|(record, ..)| *record == at).map(|(_, _, outcome)| outcome))
    }

    /// Records in quarantine, the oldest first.
    pub fn quarantine(&self, listing: &Listing) -> Result<Page<QuarantineView>, QueryError> {
        let mut span = Span::<Quarantine>::all();
        if let Some(after) = &listing.after {
            let after: ItemRef = after.parse().map_err(QueryError::Parameter)?;
            span = span.after(&after);
        }
        let found = self.reader().range(&span, false, listing.rows_max)?;
        let next = (found.len() == listing.rows_max).then(|| found.last().map(|(at, _)| at.to_string())).flatten();
        let rows = found.into_iter().map(|(at, row)| QuarantineView {
            record: at.to_string(),
            connection: row.connection.to_string(),
            stream: row.stream.to_string(),
            at: self.local(row.at),
            reason: row.reason.render(listing.locale),
            retries: row.retries,
            body: None,
        });
        Ok(Page { rows: rows.collect(), next })
    }

    /// One quarantined record with the bytes of its envelope.
    pub fn quarantined(&self, at: ItemRef, locale: Locale) -> Result<Option<QuarantineView>, QueryError> {
        let Some(row) = self.reader().get::<Quarantine>(&at)? else { return Ok(None) };
        let body = match self.stored(at.position)? {
            Some(stored) => match Entry::decode(stored.kind, &stored.payload) {
                Ok(Entry::Received(received)) => Some(self.shown_body(&received, locale)?),
                Ok(_) | Err(_) => None,
            },
            None => None,
        };
        Ok(Some(QuarantineView {
            record: at.to_string(),
            connection: row.connection.to_string(),
            stream: row.stream.to_string(),
            at: self.local(row.at),
            reason: row.reason.render(locale),
            retries: row.retries,
            body,
        }))
    }

    /// The beginning of a body: as it is when it is UTF-8, else with marks where it is not. An
    /// archive or a picture would only be noise: its size is said instead.
    fn shown_body(&self, received: &Received, locale: Locale) -> Result<String, QueryError> {
        let mut bytes = Vec::new();
        let limit = BODY_SHOWN_BYTES_MAX as u64;
        let body = self.journal.open_body(&received.body)?.take(limit).read_to_end(&mut bytes);
        body.map_err(|source| crate::journal::ReadError::Io { message: Message::new("query-body"), source })?;
        if bytes.contains(&0) {
            return Ok(Message::new("query-body-binary").with("bytes", received.body.len()).render(locale));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Outcomes shown of one entry; the rest is counted in the status.
fn listing_max() -> usize {
    crate::base::limits::PAGE_ROWS_MAX
}
