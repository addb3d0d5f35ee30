//! Pages become envelopes, each with the cursor behind it.

use compact_str::CompactString;

use super::{Follower, Ledger, Trouble};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{POLL_ENVELOPE_BYTES_MAX, POLL_ENVELOPE_ROWS_MAX};
use crate::connector::PollSpec;
use crate::entry::{Body, Cursor, DELETED_NOTE, HISTORY_NOTE, Received};
use crate::source::poll::Row;

impl<L: Ledger> Follower<L> {
    /// Journals rows, in envelopes that are applied in one go. `behind` gives the cursor behind a
    /// row; without rows, the cursor alone is journalled.
    pub(super) async fn append(
        &mut self,
        poll: &PollSpec,
        rows: Vec<Row>,
        notes: &Notes,
        mut behind: impl FnMut(Option<&Row>) -> Cursor,
    ) -> Result<(), Trouble> {
        if rows.is_empty() {
            return self.envelope(poll, "[]".to_owned(), &behind(None), notes).await;
        }
        let mut body = String::from("[");
        let mut held = 0;
        let mut rows = rows.iter().peekable();
        while let Some(row) = rows.next() {
            if held > 0 {
                body.push(',');
            }
            row.value.write_json(&mut body);
            held += 1;
            let cursor = behind(Some(row));
            let is_full = held >= POLL_ENVELOPE_ROWS_MAX || body.len() >= POLL_ENVELOPE_BYTES_MAX;
            if is_full || rows.peek().is_none() {
                body.push(']');
                self.envelope(poll, std::mem::replace(&mut body, "[".to_owned()), &cursor, notes).await?;
                held = 0;
            }
        }
        Ok(())
    }

    async fn envelope(&self, poll: &PollSpec, body: String, cursor: &Cursor, notes: &Notes) -> Result<(), Trouble> {
        let at = self.clock.now();
        let note = cursor.to_note();
        // A page is never a repetition: what a row said before it may say again.
        let key = Fingerprint::of_parts([body.as_bytes(), note.1.as_bytes(), &at.0.to_le_bytes()]);
        let mut headers = vec![note];
        headers.extend(notes.0.map(|name| (CompactString::const_new(name), "1".to_owned())));
        let envelope = Received {
            connection: self.poller.name().clone(),
            connector: self.connector.slug.clone(),
            stream: poll.stream.clone(),
            received_at: at,
            idempotency_key: key,
            content_type: CompactString::const_new("application/json"),
            headers,
            body: Body::Inline(body.into_bytes()),
        };
        self.ledger.append(envelope).await.map_err(Trouble::Own)
    }
}

/// What kind of page an envelope holds.
pub(super) struct Notes(Option<&'static str>);

impl Notes {
    pub(super) fn plain() -> Notes {
        Notes(None)
    }

    pub(super) fn history() -> Notes {
        Notes(Some(HISTORY_NOTE))
    }

    pub(super) fn deleted() -> Notes {
        Notes(Some(DELETED_NOTE))
    }
}
