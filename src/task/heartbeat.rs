//! Tells a watch service that the daemon is well, for as long as it is. The service raises the
//! alarm when the beats stay out: also when the machine, its power or its network are gone, of
//! which the daemon itself could tell nobody.
//!
//! A beat goes while no critical alarm holds: the pipeline moves, intake is open, every sink takes
//! what it is told and every source can be read.

use std::sync::Arc;

use tracing::{info, warn};

use super::Ground;
use super::notify::Outward;
use super::watch::Watch;
use crate::alarm::Severity;
use crate::base::{Message, Secret};
use crate::net::{Method, Request, Wire, host_of};

/// Name under which it stands among the ways out.
pub const HEARTBEAT: &str = "heartbeat";

/// Where to, and how often.
pub struct Heart {
    /// The way there.
    pub wire: Arc<dyn Wire>,
    /// The watch service.
    pub address: Secret,
    /// Between two beats, s.
    pub every_s: u32,
}

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground, heart: Heart, watch: Arc<Watch>, outward: Outward) {
    let mut held_back = false;
    while !ground.stopping() {
        // Before the first look nothing is known, so nothing is promised.
        let Some(alarms) = watch.found() else {
            ground.rest(1_000).await;
            continue;
        };
        let worst = alarms.iter().find(|it| it.severity == Severity::Critical);
        match worst {
            Some(alarm) if !held_back => {
                warn!(alarm.id = alarm.key.condition.id(), "no heartbeat while a critical alarm holds");
            }
            None if held_back => info!("the heartbeat goes on"),
            Some(_) | None => {}
        }
        held_back = worst.is_some();
        if !held_back {
            match beat(&heart).await {
                Ok(()) => outward.goes(HEARTBEAT),
                Err(reason) => {
                    warn!(reason = %reason.id, "the watch service did not take the heartbeat");
                    outward.fails(HEARTBEAT, ground.clock.now(), reason);
                }
            }
        }
        ground.rest(u64::from(heart.every_s) * 1_000).await;
    }
}

async fn beat(heart: &Heart) -> Result<(), Message> {
    let (address, headers) = (heart.address.clone(), Vec::new());
    let request = Request { method: Method::Get, address, headers, content_type: "", body: Vec::new() };
    let answer = heart.wire.call(request).await.map_err(|error| error.message().clone())?;
    if (200..300).contains(&answer.status) {
        return Ok(());
    }
    let host = host_of(heart.address.expose()).unwrap_or_default();
    Err(Message::new("notify-webhook-status").with("host", host).with("status", answer.status))
}
