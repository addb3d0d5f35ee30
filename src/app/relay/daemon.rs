//! The relay at work: a listener over a journal, and the desk where the office asks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info};

use super::{Bundle, RelayFolder, journal_options};
use crate::app::Folder;
use crate::app::core::say_recovery;
use crate::app::edge;
use crate::app::error::Told;
use crate::app::folder::Lock;
use crate::app::intake;
use crate::base::clock::SystemClock;
use crate::base::limits::{MEASURE_MS, RELAY_PRUNE_CHECK_MS};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Clock, Message, Slug};
use crate::http::{Health, HintTaker, Options, Parts, State};
use crate::journal::{Journal, Segments};
use crate::relay::{Desk, Hint};

/// A relay at work.
pub struct RelayDaemon {
    address: String,
    desk: Arc<Desk>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    _lock: Lock,
}

impl RelayDaemon {
    /// Starts over `folder`; returns once it listens.
    pub async fn start(folder: &RelayFolder, listen: Option<SocketAddr>) -> anyhow::Result<RelayDaemon> {
        let settings = folder.settings()?;
        let bundle = Bundle::read(&folder.connections())?;
        let lock = Folder::new(&folder.root).lock()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (segments, recovery) = Segments::open(&folder.journal(), Arc::clone(&clock), journal_options(&settings))?;
        say_recovery(&recovery);
        let journal: Arc<dyn Journal> = Arc::new(segments);
        let desk = Desk::open(folder.state(), Arc::clone(&journal), Arc::clone(&clock));
        let desk = Arc::new(desk.map_err(|error| Told(error.0))?);
        let metrics = Arc::new(Metrics::new());
        let state = Arc::new(State::new(Parts {
            journal: Arc::clone(&journal),
            health: Arc::new(JournalIsAll),
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            api: None,
            pages: None,
            seed: rand::random(),
            options: Options { note_sender: true, ..edge::options(&settings.listen)? },
        }));
        state.set_forms(intake::forms(&bundle.intakes, &settings.listen)?);
        state.set_hints(intake::hints(&bundle.intakes), Arc::new(Taker(Arc::clone(&desk))));
        state.set_api_tokens(vec![bundle.token.clone()]);
        state.set_relay(Arc::clone(&desk));

        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let certified = edge::certified(&settings.listen, &folder.root)?;
        let run = edge::Run { clock: &clock, stop: &stopping, metrics: &metrics, tasks: &mut tasks };
        let address = edge::listen(&settings.listen, listen, state, certified, run).await?;
        let (shutdown, closed) = (stopping.clone(), Arc::clone(&desk));
        tasks.spawn(async move {
            edge::stopped(shutdown).await;
            // Who waits for news is answered, so that the grace is not spent on him.
            closed.close();
        });
        tasks.spawn(prune(Arc::clone(&desk), settings.keep_days, stopping.clone()));
        tasks.spawn(measure(Arc::clone(&desk), metrics, stopping));
        info!(relay.id = %desk.standing().relay, relay.waiting = desk.waiting(), "the relay is at work");
        Ok(RelayDaemon { address, desk, stop, tasks, _lock: lock })
    }

    /// `http://address:port` or `https://address:port`, as printed at start.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Finishes open requests and writes down how far the office is.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                error!(%error, "a task ended badly");
            }
        }
        self.desk.close();
        info!("stopped");
    }
}

/// The listener asks the journal itself, and there is nothing else.
struct JournalIsAll;

impl Health for JournalIsAll {
    fn ready(&self) -> Result<(), Message> {
        Ok(())
    }
}

struct Taker(Arc<Desk>);

impl HintTaker for Taker {
    fn look(&self, connection: &Slug, stream: &str, id: &str) {
        self.0.hint(Hint { connection: connection.clone(), stream: stream.to_owned(), id: id.to_owned() });
    }
}

/// Removes what the office has confirmed when its days are over.
async fn prune(desk: Arc<Desk>, keep_days: u32, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        let asked = Arc::clone(&desk);
        match tokio::task::spawn_blocking(move || asked.prune(keep_days)).await {
            Ok(Ok(removed)) if removed.pieces == 0 => {}
            Ok(Ok(removed)) => {
                info!(
                    journal.entries = removed.entries,
                    journal.bytes = removed.bytes,
                    "confirmed entries were removed"
                );
            }
            Ok(Err(error)) => error!(%error, "confirmed entries cannot be removed"),
            Err(error) => error!(%error, "removing was cut short"),
        }
        rest(&mut stopping, RELAY_PRUNE_CHECK_MS).await;
    }
}

/// Keeps the gauges of `/metrics` and the state file up to date.
async fn measure(desk: Arc<Desk>, metrics: Arc<Metrics>, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        let waiting = i64::try_from(desk.waiting()).unwrap_or(i64::MAX);
        metrics.series(Metric::RelayWaiting, &[]).set(waiting);
        if let Some(contact) = desk.standing().contact {
            let age = SystemClock.now().ms_since(contact) / 1_000;
            metrics.series(Metric::RelayContactAge, &[]).set(age.max(0));
        }
        let flushed = Arc::clone(&desk);
        if let Err(error) = tokio::task::spawn_blocking(move || flushed.flush()).await {
            error!(%error, "writing the state was cut short");
        }
        rest(&mut stopping, MEASURE_MS).await;
    }
}

async fn rest(stopping: &mut watch::Receiver<bool>, ms: u64) {
    tokio::select! {
        _ = stopping.changed() => {}
        () = tokio::time::sleep(Duration::from_millis(ms)) => {}
    }
}
