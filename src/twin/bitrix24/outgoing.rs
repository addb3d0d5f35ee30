//! Sends notices, once each, and does to them what networks and queues do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::notice::Notice;
use super::shared::Shared;

/// Time for one notice, ms. A receiver that is slower gets it all the same, and nobody looks.
const TIMEOUT_MS: u64 = 5_000;
/// Notices that wait. Above: they are lost, as facts section 6(e) warns.
const WAITING_MAX: usize = 10_000;

/// Chances per notice, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoticeFaults {
    /// Never sent.
    pub lost: u32,
    /// Sent twice.
    pub doubled: u32,
    /// Sent after the one that follows.
    pub swapped: u32,
    /// How late each is sent.
    pub delay_ms: u64,
}

/// Notices that wait, and how many left.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) waiting: VecDeque<Notice>,
    /// Put back by one place.
    held: Option<Notice>,
    /// Sent and answered, or given up.
    pub(super) sent: u64,
    /// Under way.
    pub(super) flying: u64,
}

impl Outgoing {
    /// Takes new notices; `thousandths` is the next throw.
    pub(super) fn take(&mut self, notices: Vec<Notice>, faults: NoticeFaults, mut thousandths: impl FnMut() -> u32) {
        for notice in notices {
            let throw = if faults == NoticeFaults::default() { 1_000 } else { thousandths() };
            let swapped = faults.lost + faults.doubled + faults.swapped;
            if throw < faults.lost || self.waiting.len() >= WAITING_MAX {
                continue;
            }
            if throw < faults.lost + faults.doubled {
                self.waiting.push_back(notice.clone());
            } else if throw < swapped && self.held.is_none() {
                self.held = Some(notice);
                continue;
            }
            self.waiting.push_back(notice);
            self.waiting.extend(self.held.take());
        }
    }

    fn next(&mut self) -> Option<Notice> {
        let notice = self.waiting.pop_front().or_else(|| self.held.take())?;
        self.flying += 1;
        Some(notice)
    }
}

impl Outgoing {
    /// Everything that waits, as (event, id of the object).
    pub(super) fn take_all(&mut self) -> Vec<(String, u64)> {
        let waiting = self.waiting.drain(..).chain(self.held.take());
        waiting.map(|notice| notice.about).collect()
    }
}

/// Sends what waits, until the portal is gone.
pub(super) async fn run(shared: Arc<Shared>) {
    let Ok(client) = crate::twin::http_client(TIMEOUT_MS) else {
        return;
    };
    loop {
        let news = shared.notices.notified();
        let (next, delay_ms) = {
            let mut inner = shared.lock();
            (inner.outgoing.next(), inner.draw.faults.notices.delay_ms)
        };
        let Some(notice) = next else {
            news.await;
            continue;
        };
        if delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        let request = client
            .post(&notice.url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("User-Agent", "Bitrix24 Webhook Engine")
            .body(notice.body);
        // Nobody looks at the answer: no retry.
        let _answer = request.send().await;
        let mut inner = shared.lock();
        inner.outgoing.sent += 1;
        inner.outgoing.flying -= 1;
    }
}
