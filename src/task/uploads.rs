//! Uploads of 1C that nobody asked to import: finished after a while, so that they are taken in.

use std::sync::Arc;

use tracing::warn;

use super::Ground;
use crate::base::limits::UPLOAD_IDLE_CHECK_MS;
use crate::source::exchange::Exchange;

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground, exchanges: Vec<Arc<Exchange>>) {
    while !ground.stopping() {
        for exchange in &exchanges {
            if let Err(message) = exchange.finish_idle(ground.clock.now()).await {
                warn!("an idle upload could not be finished: {message}");
            }
        }
        ground.rest(UPLOAD_IDLE_CHECK_MS).await;
    }
}
