//! Retention: which old entries may go, and why others may not.
//!
//! Only whole pieces of the journal go, from the oldest on, and only what is older than asked for
//! AND below each of these marks:
//!
//! - the checkpoint that the store has flushed;
//! - the oldest snapshot kept that is sound in every byte (so that the newest may be lost);
//! - the oldest record in quarantine, and the oldest large envelope not wholly applied: of now,
//!   and as that snapshot holds them, for entries behind it may have settled them since;
//! - the oldest envelope that an entry behind that snapshot refers to (a record retried or taken
//!   after all, a slice), because a rebuild applies that entry again.
//!
//! Dead letters need no entry: what is to be sent is built from the object as it is now.
//! Configurations stay.

use std::path::Path;
use std::sync::Arc;

use super::{PipelineError, snapshot};
use crate::base::limits::{MICRO_BATCH_BYTES_MAX, MICRO_BATCH_ENTRIES_MAX};
use crate::base::{Message, Position, Timestamp};
use crate::entry::{Command, Entry, Slice};
use crate::journal::{Journal, Piece};
use crate::store::snapshot::SnapshotFile;
use crate::store::{LayeredStore, Store};
use crate::tables::{Imports, Quarantine, Reader, Span, TableError};

/// Below `position` nothing is needed by this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The first entry that is needed.
    pub position: Position,
    /// By what.
    pub why: Message,
}

/// A piece of the journal, and what keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The piece.
    pub piece: Piece,
    /// Why it stays; none: it goes.
    pub stays: Option<Message>,
}

/// What is to go, and what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Everything wholly before this goes.
    pub before: Position,
    /// Each piece, the oldest first.
    pub verdicts: Vec<Verdict>,
}

/// Decides; a function of what is given.
pub fn plan(pieces: &[Piece], older_than: Timestamp, marks: &[Mark]) -> Plan {
    let mut plan = Plan { before: Position::START, verdicts: Vec::with_capacity(pieces.len()) };
    let mut held = None;
    for piece in pieces {
        let young = (piece.until >= older_than).then(|| Message::new("retention-young"));
        let needed = || marks.iter().find(|mark| mark.position < piece.next).map(|mark| mark.why.clone());
        // What is kept keeps everything behind it: positions stay a run.
        held = held.or_else(needed).or(young);
        if held.is_none() {
            plan.before = piece.next;
        }
        plan.verdicts.push(Verdict { piece: *piece, stays: held.clone() });
    }
    plan
}

/// Everything that needs old entries. Flushes the store, and reads every byte of the snapshots.
pub fn marks(journal: &dyn Journal, store: &dyn Store, snapshots: &Path) -> Result<Vec<Mark>, PipelineError> {
    let mut marks = Vec::new();
    let mut mark = |position: Position, why: Message| marks.push(Mark { position, why });
    mark(store.flush()?.position, Message::new("retention-checkpoint"));
    let sound = snapshot::list(snapshots)?.into_iter().filter(|(path, _)| snapshot::verify(path).is_ok());
    let oldest = sound.filter_map(|(path, opened)| Some((path, opened.ok()?))).next_back();
    let Some((path, oldest)) = oldest else {
        mark(Position::START, Message::new("retention-no-snapshot"));
        return Ok(marks);
    };
    let behind = oldest.about.checkpoint.position;
    mark(behind, Message::new("retention-snapshot").with("position", oldest.position()));
    let below = LayeredStore::new(Some(Arc::new(SnapshotFile::open(&path)?)), &path, usize::MAX);
    for store in [store, &below as &dyn Store] {
        needed_by_rows(&Reader::new(store), &mut mark)?;
    }
    let mut from = behind;
    let mut oldest: Option<(Position, Position)> = None;
    loop {
        let entries = journal.read(from, MICRO_BATCH_ENTRIES_MAX, MICRO_BATCH_BYTES_MAX)?;
        let Some(last) = entries.last() else { break };
        from = last.position.next();
        for stored in &entries {
            let Ok(entry) = Entry::decode(stored.kind, &stored.payload) else { continue };
            if let Some(position) = referred(&entry)
                && oldest.is_none_or(|(known, _)| position < known)
            {
                oldest = Some((position, stored.position));
            }
        }
    }
    if let Some((position, by)) = oldest {
        mark(position, Message::new("retention-referred").with("position", by));
    }
    Ok(marks)
}

fn needed_by_rows(reader: &Reader<'_>, mark: &mut dyn FnMut(Position, Message)) -> Result<(), TableError> {
    if let Some((at, _)) = reader.range(&Span::<Quarantine>::all(), false, 1)?.pop() {
        mark(at.position, Message::new("retention-quarantine").with("record", at));
    }
    for row in reader.rows(Span::<Imports>::all()) {
        let (of, import) = row?;
        if import.total.is_none() {
            mark(of, Message::new("retention-import").with("position", of));
            break;
        }
    }
    Ok(())
}

/// The envelope that applying this entry reads.
fn referred(entry: &Entry) -> Option<Position> {
    match entry {
        Entry::Commanded(commanded) => match &commanded.command {
            Command::RetryRecord { at } | Command::AcceptRecord { at } => Some(at.position),
            Command::DiscardRecord { .. }
            | Command::ResendDelivery { .. }
            | Command::DiscardDelivery { .. }
            | Command::MergeClients { .. }
            | Command::SplitClients { .. }
            | Command::CompleteTask { .. }
            | Command::CancelTask { .. }
            | Command::ErasePerson(_)
            | Command::ApplyPlan { .. }
            | Command::PauseSink { .. }
            | Command::ResumeSink { .. }
            | Command::LoadSource { .. }
            | Command::EditClient { .. }
            | Command::EditDeal { .. } => None,
        },
        Entry::Slice(Slice::Import { of, .. }) => Some(*of),
        Entry::Slice(Slice::Rescore { .. })
        | Entry::Received(_)
        | Entry::Attempting(_)
        | Entry::Attempted(_)
        | Entry::Configured(_)
        | Entry::Ticked(_) => None,
    }
}
