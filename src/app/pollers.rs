//! Followers of the connections that are asked, made ready.

use std::sync::Arc;

use super::Core;
use super::error::Told;
use super::links;
use crate::field::FieldValue;
use crate::net::Quotas;
use crate::source::poll::Poller;
use crate::task::Ground;
use crate::task::poll::{Follower, Hints, Readings};

/// A follower for each connection that is asked and may be read. `quotas` are those of the sinks:
/// reading and writing share a bucket.
pub(super) fn followers(
    core: &Core,
    ground: &Ground,
    quotas: &Arc<Quotas>,
    readings: &Readings,
    hints: &Hints,
) -> anyhow::Result<Vec<Follower<Ground>>> {
    let mut followers = Vec::new();
    for connection in core.catalog.connections() {
        if connection.connector.polls.is_empty() || connection.setting("read") == Some(&FieldValue::Bool(false)) {
            continue;
        }
        let (settings, wire) = links::link(&core.vault, &core.tokens, connection)?;
        let poller = Poller::new(
            connection.name.clone(),
            Arc::clone(&connection.connector),
            &settings,
            wire,
            Arc::clone(quotas),
            Arc::clone(&core.clock),
        );
        let Some(poller) = poller.map_err(|error| Told(error.message))? else { continue };
        let every_s = connection.setting("poll_s").and_then(FieldValue::as_integer);
        let every_s = every_s.and_then(|it| u32::try_from(it.max(1)).ok());
        let (readings, hints) = (readings.clone(), hints.clone());
        followers.push(Follower::new(ground.clone(), poller, Arc::clone(&core.clock), every_s, readings, hints));
    }
    Ok(followers)
}
