//! What systemd is told: that the daemon is ready, that it stops, and, for as long as its pipeline
//! and store answer, that it lives. Without systemd nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::{error, warn};

use crate::base::Position;
use crate::base::limits::ALARM_STUCK_MS;
use crate::journal::AppendError;
use crate::tables::Reader;
use crate::task::Ground;

/// Everything listens.
pub(super) fn ready() {
    tell(NotifyState::Ready);
}

/// It ends by itself: no need to kill.
pub(super) fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!(%error, "systemd cannot be told how the service is");
    }
}

/// Feeds the watchdog, if systemd has one for us: only after the store has answered, and while the
/// pipeline moves and the journal has not failed. A service that is not fed is started anew, which
/// is what helps then.
pub(super) async fn watchdog(mut ground: Ground) {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    let pause = (every / 3).clamp(Duration::from_millis(50), Duration::from_secs(60));
    let (mut applied, mut moved) = (Position::START, tokio::time::Instant::now());
    let mut was_alive = true;
    while !ground.stopping() {
        let now_applied = *ground.pipeline.applied().borrow();
        let waits = ground.journal.head() > now_applied;
        if now_applied != applied || !waits {
            (applied, moved) = (now_applied, tokio::time::Instant::now());
        }
        let stands = waits && moved.elapsed() >= Duration::from_millis(ALARM_STUCK_MS.unsigned_abs());
        let failed = matches!(ground.journal.accepts_intake(), Err(AppendError::Failed(_)));
        let store = ground.store.clone();
        let answer = tokio::task::spawn_blocking(move || Reader::new(store.as_ref()).checkpoint().is_ok());
        let answers = matches!(tokio::time::timeout(every, answer).await, Ok(Ok(true)));
        let is_alive = answers && !stands && !failed && ground.pipeline.failure().is_none();
        if is_alive {
            tell(NotifyState::Watchdog);
        } else if was_alive {
            error!(answers, stands, failed, "the watchdog is not fed: systemd starts the service anew");
        }
        was_alive = is_alive;
        ground.rest(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)).await;
    }
}
