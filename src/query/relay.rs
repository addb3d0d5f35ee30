//! How far the relay was pulled, as the journal says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Query, QueryError};
use crate::tables::Cursors;
use crate::tables::rows::relay_key;

/// A relay, as its office sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RelayView {
    /// Its host; empty while no daemon pulls.
    pub host: String,
    /// `off` (no daemon pulls), `starting`, `pulling`, or what the trouble is: `unreachable`, `token`,
    /// `foreign`, `fenced`, `other`, `rolled_back`, `newer`, `refused`, `own`.
    pub state: String,
    /// Since when.
    pub since: Option<String>,
    /// Name of the relay that was pulled last.
    pub relay: Option<String>,
    /// The last position of its journal that is in ours.
    pub pulled: u64,
    /// When our pipeline last took something of it.
    pub news_at: Option<String>,
    /// Envelopes that waited there when it answered last.
    pub waiting: Option<u64>,
    /// When it answered last, since the daemon began.
    pub contact: Option<String>,
    /// The same, seconds ago.
    pub contact_s: Option<i64>,
    /// Its clock less ours, s.
    pub clock_s: Option<i64>,
    /// Why nothing is pulled, and the next step.
    pub trouble: Option<String>,
    /// What a person should know though pulling goes on.
    pub notices: Vec<String>,
}

impl Query {
    /// The relay; `None` when nothing ever came of one.
    pub fn relay(&self) -> Result<Option<RelayView>, QueryError> {
        let Some(row) = self.reader().get::<Cursors>(&relay_key())? else { return Ok(None) };
        Ok(Some(RelayView {
            state: "off".to_owned(),
            relay: Some(row.cursor.mark.to_string()),
            pulled: row.cursor.id.parse().unwrap_or(0),
            news_at: Some(self.local(row.at)),
            ..RelayView::default()
        }))
    }
}
