//! How far the pipeline is with an envelope of 1C: what `import` answers from.

use std::sync::Arc;

use crate::base::Position;
use crate::pipeline::Running;
use crate::query::Query;
use crate::source::exchange::{ImportProgress, Progress};

/// Progress of imports, out of the pipeline and its outcomes.
pub(super) struct PipelineProgress {
    pub(super) pipeline: Arc<Running>,
    pub(super) query: Query,
}
