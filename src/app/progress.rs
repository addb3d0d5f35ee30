//! How far the pipeline is with an envelope of 1C: what `import` answers from.

use std::sync::Arc;

use tokio::sync::watch;

use crate::base::limits::ITEMS_MAX;
use crate::base::{Message, Position};
use crate::model::{Outcome, OutcomeKind};
use crate::pipeline::Running;
use crate::query::{Query, QueryError};
use crate::source::exchange::{ImportCounts, ImportProgress, Progress};

/// Progress of imports, out of the pipeline and its outcomes.
pub(super) struct PipelineProgress {
    pub(super) pipeline: Arc<Running>,
    pub(super) query: Query,
}

impl Progress for PipelineProgress {
    fn of(&self, position: Position) -> ImportProgress {
        if let Some(failure) = self.pipeline.failure() {
            return ImportProgress::Failed(Message::new("app-pipeline-failed").with("detail", failure));
        }
        if *self.pipeline.applied().borrow() < position {
            return ImportProgress::Waiting;
        }
        self.outcomes(position)
            .unwrap_or_else(|error| ImportProgress::Failed(Message::new("app-pipeline-failed").with("detail", error)))
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.pipeline.applied()
    }
}

impl PipelineProgress {
    fn outcomes(&self, position: Position) -> Result<ImportProgress, QueryError> {
        if let Some((done, total)) = self.query.import(position)?
            && total.is_none_or(|total| done < total)
        {
            let total = total.unwrap_or(done + 1);
            return Ok(ImportProgress::Applying { done: done.into(), total: total.into() });
        }
        let outcomes = self.query.outcomes(position, ITEMS_MAX as usize)?;
        // One record, and it is the file itself: nothing in it could be read.
        if let [(_, Outcome::Quarantined(reason))] = outcomes.as_slice() {
            return Ok(ImportProgress::Failed(reason.clone()));
        }
        let mut counts = ImportCounts::default();
        for (_, outcome) in &outcomes {
            match outcome.kind() {
                OutcomeKind::Applied => counts.applied += 1,
                OutcomeKind::Unchanged => counts.unchanged += 1,
                OutcomeKind::Repeated => counts.repeated += 1,
                OutcomeKind::Filtered => counts.filtered += 1,
                OutcomeKind::Quarantined | OutcomeKind::Discarded => counts.quarantined += 1,
            }
        }
        Ok(ImportProgress::Done(counts))
    }
}
