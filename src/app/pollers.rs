//! Followers of the connections that are asked, made ready.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::warn;

use super::Core;
use super::error::Told;
use super::links;
use super::sources::secret;
use crate::base::{Clock, Message, Secret, Slug};
use crate::catalog::Connection;
use crate::config::Mode;
use crate::field::FieldValue;
use crate::http::HintTaker;
use crate::net::Quotas;
use crate::source::poll::Poller;
use crate::task::Ground;
use crate::task::poll::{Follower, Hints, Listening, Readings};

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
        if !connection.is_read() {
            continue;
        }
        let made = links::link(&core.vault, &core.tokens, connection).and_then(|(settings, wire)| {
            let connector = Arc::clone(&connection.connector);
            let (quotas, clock) = (Arc::clone(quotas), Arc::clone(&core.clock));
            let poller = Poller::new(connection.name.clone(), connector, &settings, wire, quotas, clock);
            Ok(poller.map_err(|error| Told(error.message))?)
        });
        let poller = match made {
            Ok(Some(poller)) => poller,
            Ok(None) => continue,
            // A company looks on before it has given an address or a secret.
            Err(cause) if connection.mode != Mode::Live => {
                warn!(connection = %connection.name, "not read yet: {cause}");
                continue;
            }
            Err(cause) => return Err(cause),
        };
        let every_s = connection.setting("poll_s").and_then(FieldValue::as_integer);
        let every_s = every_s.and_then(|it| u32::try_from(it.max(1)).ok());
        let (readings, hints) = (readings.clone(), hints.clone());
        let rights = core.tokens.get(&connection.name).map(|tokens| tokens.agreed());
        let follower = Follower::new(ground.clone(), poller, Arc::clone(&core.clock), every_s, readings, hints);
        let follower = follower.with_rights(rights.clone());
        followers.push(match rights {
            // Only applications may ask to be told.
            Some(agreed) => follower.listening(Listening::new(told_at(core, connection), agreed)),
            None => follower,
        });
    }
    Ok(followers)
}

/// Where a foreign system tells the connection of changes: where the administrator has given an
/// address that the world reaches, and its secret part.
fn told_at(core: &Core, connection: &Connection) -> Option<Secret> {
    let spec = connection.connector.hints.as_ref()?;
    let own = secret(&core.vault, &connection.name, &spec.secret)?;
    // What a relay takes is sent there.
    let known = core.settings.listen.known_url();
    let base = core.settings.relay.as_ref().map_or(known, |relay| relay.address.clone());
    let base = Some(base).filter(|it| !it.is_empty())?;
    Some(Secret::new(format!("{}/in/{}/{}", base.trim_end_matches('/'), connection.name, own.expose())))
}

/// Hints of the listener go to the followers.
pub(super) struct Taker(pub(super) Hints);

impl HintTaker for Taker {
    fn look(&self, connection: &Slug, stream: &str, id: &str) {
        self.0.tell(connection, stream, id);
    }
}

/// Loads history without a daemon, in the process of the command line.
pub struct Loader {
    follower: Follower<Ground>,
    readings: Readings,
    connection: Slug,
    clock: Arc<dyn Clock>,
    _stop: watch::Sender<bool>,
}

impl Loader {
    /// Over an open folder.
    pub fn new(core: &Core, connection: &str) -> anyhow::Result<Loader> {
        let (stop, stopping) = watch::channel(false);
        let ground = Ground {
            journal: Arc::clone(&core.journal),
            store: Arc::clone(&core.store),
            pipeline: Arc::clone(&core.pipeline),
            clock: Arc::clone(&core.clock),
            stop: stopping,
        };
        let readings = Readings::default();
        let all = followers(core, &ground, &Arc::new(Quotas::new()), &readings, &Hints::default())?;
        let follower = all.into_iter().find(|it| **it.name() == *connection);
        let missing = || Told(Message::new("poll-not-read").with("connection", connection));
        let follower = follower.ok_or_else(missing)?;
        let (connection, clock) = (follower.name().clone(), Arc::clone(&core.clock));
        Ok(Loader { follower, readings, connection, clock, _stop: stop })
    }

    /// One portion. `Err` when a person has to do something before it can go on.
    pub async fn step(&mut self) -> anyhow::Result<()> {
        if self.follower.round().await {
            return Ok(());
        }
        if let Some(reason) = self.readings.trouble(&self.connection) {
            return Err(Told(reason).into());
        }
        let now = self.clock.now();
        let pause = self.follower.next_due().map_or(1_000, |due| due.ms_since(now)).clamp(10, 1_000);
        tokio::time::sleep(Duration::from_millis(pause.unsigned_abs())).await;
        Ok(())
    }
}
