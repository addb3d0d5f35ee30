//! How far the relay was pulled, as the journal says.

use super::views::RelayView;
use super::{Query, QueryError};
use crate::tables::Cursors;
use crate::tables::rows::relay_key;

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
