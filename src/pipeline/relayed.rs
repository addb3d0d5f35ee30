//! How far a relay was pulled: moved by the envelopes that came of it, in their order.

use super::step::Step;
use crate::entry::{Cursor, Received, Relayed};
use crate::tables::rows::{CursorRow, relay_key};
use crate::tables::{Cursors, TableError};

/// Which way an envelope came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whence {
    /// To our own listener, or we asked for it.
    Straight,
    /// A relay took it.
    Relay,
}

/// Moves the cursor when the envelope follows what was pulled before it. One that does not follow
/// (the append of the one between failed) leaves it: all behind the cursor is pulled again, and what
/// is there already is a repetition.
pub(super) fn cursor(step: &mut Step<'_>, envelope: &Received) -> Result<Whence, TableError> {
    let Some(note) = envelope.relayed() else { return Ok(Whence::Straight) };
    let at = step.at;
    step.rows.update::<Cursors, _>(&relay_key(), |row| {
        if follows(row.as_ref().map(|row| &row.cursor), &note) {
            let Relayed { relay, position, print, .. } = note;
            let id = compact_str::format_compact!("{position}");
            *row = Some(CursorRow { cursor: Cursor { time: print, id, mark: relay, ..Cursor::default() }, at });
        }
    })?;
    Ok(Whence::Relay)
}

fn follows(held: Option<&Cursor>, note: &Relayed) -> bool {
    match held {
        Some(held) if held.mark == note.relay => held.id.parse() == Ok(note.after),
        // The first of a relay that was not known.
        Some(_) | None => note.after == 0,
    }
}
