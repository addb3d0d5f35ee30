//! The daemon: a core with listener, control socket, sinks and reconcilers.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info};

use super::core::Seen;
use super::progress::PipelineProgress;
use super::service;
use super::signals;
use super::sources;
use super::{Core, Folder, edge, intake, pages, pollers, relay, sinks};
use crate::base::limits::{MEASURE_MS, READY_LAG_MAX};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Message, Timestamp};
use crate::control;
use crate::http::{ExchangeEndpoint, Health, Parts, State};
use crate::journal::Journal;
use crate::model::OutcomeKind;
use crate::pipeline::Running;
use crate::query::{Query, QueryError};
use crate::source::exchange::{Exchange, Progress};
use crate::task::deliver::Stops;
use crate::task::folders::Folders;
use crate::task::missing::MissingWords;
use crate::task::notify::Outward;
use crate::task::poll::{Hints, Readings};
use crate::task::relay::Relaying;
use crate::task::{self, Ground};

/// A daemon at work.
pub struct Daemon {
    core: Core,
    address: String,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Daemon {
    /// Starts everything over `folder`; returns once it listens.
    pub async fn start(folder: &Folder, listen: Option<SocketAddr>) -> anyhow::Result<Daemon> {
        let core = Core::open(folder).await?;
        let (stop, stopping) = watch::channel(false);
        let ground = Ground {
            journal: Arc::clone(&core.journal),
            store: Arc::clone(&core.store),
            pipeline: Arc::clone(&core.pipeline),
            clock: Arc::clone(&core.clock),
            stop: stopping,
        };
        let metrics = Arc::new(Metrics::new());
        let folders = Folders::default();
        let (readings, hints) = (Readings::default(), Hints::default());
        let relaying = Relaying::default();
        let mut tasks = JoinSet::new();
        let outward = Outward::default();
        let certified = edge::certified(&core.settings.listen, folder.root())?;
        let seen = Seen {
            stops: Stops::default(),
            missing: MissingWords::default(),
            readings: readings.clone(),
            folders: folders.clone(),
            relaying: relaying.clone(),
            outward: outward.clone(),
            certificates: certified.as_ref().map(|it| Arc::clone(&it.certificates)),
        };
        // Reading and writing share the bucket of a foreign host.
        let quotas = Arc::clone(&core.quotas);
        let control = Arc::new(core.control(seen.clone()));
        let progress: Arc<dyn Progress> =
            Arc::new(PipelineProgress { pipeline: Arc::clone(&core.pipeline), query: control.query.clone() });
        let exchanges = sources::exchanges(
            &core.catalog,
            &core.vault,
            &folder.spool(),
            &core.journal,
            &core.clock,
            &progress,
            core.settings.locale,
        )?;

        let state = Arc::new(State::new(Parts {
            journal: Arc::clone(&core.journal),
            health: Arc::new(PipelineHealth {
                journal: Arc::clone(&core.journal),
                pipeline: Arc::clone(&core.pipeline),
            }),
            clock: Arc::clone(&core.clock),
            metrics: Arc::clone(&metrics),
            api: Some(control::router(Arc::clone(&control))),
            pages: Some(pages::pages(&core, &control)),
            seed: rand::random(),
            options: edge::options(&core.settings.listen)?,
        }));
        let intakes = intake::of_catalog(&core.catalog, &core.vault);
        state.set_forms(intake::forms(&intakes, &core.settings.listen)?);
        let endpoint = |exchange: &Arc<Exchange>| Arc::clone(exchange) as Arc<dyn ExchangeEndpoint>;
        state.set_exchanges(exchanges.iter().map(|(name, it)| (name.clone(), endpoint(it))).collect());
        state.set_tokens(Arc::clone(&core.tokens));
        let told = intake::hints_learning(&intakes, &core.tokens, &core.vault);
        state.set_hints(told, Arc::new(pollers::Taker(hints.clone())));
        state.set_api_tokens(core.vault.get("api.token").into_iter().collect());

        let run = edge::Run { clock: &core.clock, stop: &ground.stop, metrics: &metrics, tasks: &mut tasks };
        let address = edge::listen(&core.settings.listen, listen, state, certified, run).await?;
        control.public.listening.set(address.clone()).expect("the daemon listens once");
        let _set_once = core.here.set(here(&address));
        tasks.spawn(serve_socket(bind_socket(folder)?, Arc::clone(&control), ground.clone()));
        tasks.spawn(pages::fill(Arc::clone(&core.ranking), ground.clone()));
        tasks.spawn(task::tick::run(ground.clone()));
        tasks.spawn(task::admit::run(ground.clone()));
        tasks.spawn(task::uploads::run(ground.clone(), exchanges.into_iter().map(|(_, it)| it).collect()));
        let watched = sources::folders(&core.catalog, &folder.folders());
        tasks.spawn(task::folders::run(ground.clone(), watched, folders));
        for listener in sources::listeners(&core.catalog, &core.vault, &folder.folders(), &ground.journal, &core.clock)?
        {
            tasks.spawn(task::listen::run(ground.clone(), listener, readings.clone()));
        }
        let zone = core.settings.company.zone.clone();
        tasks.spawn(task::keep::run(ground.clone(), Arc::clone(&core.keeping), zone, Arc::clone(&metrics)));
        tasks.spawn(task::watch::run(ground.clone(), Arc::clone(&control.watch), Arc::clone(&metrics)));
        tasks.spawn(service::watchdog(ground.clone()));
        control.notifier.say_broken(&outward);
        for number in 0..control.notifier.channels() {
            let (notifier, watch) = (Arc::clone(&control.notifier), Arc::clone(&control.watch));
            let metrics = Arc::clone(&metrics);
            tasks.spawn(task::notify::run(ground.clone(), notifier, number, watch, outward.clone(), metrics));
        }
        if let Some(heartbeat) = &core.settings.heartbeat {
            let heart = signals::heart(heartbeat, &core.vault)?;
            tasks.spawn(task::heartbeat::run(ground.clone(), heart, Arc::clone(&control.watch), outward));
        }
        tasks.spawn(measure(ground.clone(), Arc::clone(&metrics), control));
        sinks::spawn(&core, &ground, &seen, &metrics, &quotas, &mut tasks)?;
        if let Some(puller) = relay::puller(&core, &ground, &relaying, &hints, &metrics)? {
            tasks.spawn(puller.run());
        }
        for follower in pollers::followers(&core, &ground, &quotas, &readings, &hints)? {
            tasks.spawn(follower.run());
        }
        service::ready();
        Ok(Daemon { core, address, stop, tasks })
    }

    /// `http://address:port` or `https://address:port`, as printed at start.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// The core.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Resolves when the pipeline has failed: nothing more can be applied.
    pub async fn failed(&self) {
        self.core.pipeline.failed().await;
    }

    /// Finishes open requests, stops every task, flushes the store. Returns why the pipeline had
    /// stopped, if it had.
    pub async fn stop(mut self) -> Option<String> {
        service::stopping();
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                error!(%error, "a task ended badly");
            }
        }
        // The socket's file would otherwise answer "refused" until the next start.
        let _removed = std::fs::remove_file(self.core.folder.socket());
        let failure = self.core.pipeline.failure();
        self.core.close().await;
        info!("stopped");
        failure
    }
}

/// How this machine reaches a listener at `address`: one that listens everywhere is reached here.
fn here(address: &str) -> String {
    address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
}

/// Resolves at Ctrl-C or a polite kill. Both are listened for from the call on, not from the first
/// poll: who reads our first line may stop us at once.
pub fn interrupted() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listened = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let mut waiting = JoinSet::new();
        for signal in listened {
            match signal {
                Ok(mut signal) => {
                    waiting.spawn(async move { signal.recv().await });
                }
                Err(error) => error!(%error, "a signal cannot be listened for"),
            }
        }
        if waiting.join_next().await.is_none() {
            std::future::pending().await
        }
    }
}

/// Ready while the pipeline works and is not hopelessly behind.
struct PipelineHealth {
    journal: Arc<dyn Journal>,
    pipeline: Arc<Running>,
}

impl Health for PipelineHealth {
    fn ready(&self) -> Result<(), Message> {
        if let Some(failure) = self.pipeline.failure() {
            return Err(Message::new("app-pipeline-failed").with("detail", failure));
        }
        let applied = *self.pipeline.applied().borrow();
        let lag = self.journal.head().0.saturating_sub(applied.0);
        match lag > READY_LAG_MAX {
            true => Err(Message::new("app-pipeline-behind").with("lag", lag)),
            false => Ok(()),
        }
    }
}

fn bind_socket(folder: &Folder) -> anyhow::Result<UnixListener> {
    let path = folder.socket();
    // Left by a process that was killed: we hold the lock, so nobody listens there.
    let _removed = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).with_context(|| path.display().to_string())?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn serve_socket(listener: UnixListener, control: Arc<control::Control>, ground: Ground) {
    let router = control::router(control);
    let mut stop = ground.stop.clone();
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _stopped = stop.wait_for(|stop| *stop).await;
    });
    if let Err(error) = served.await {
        error!(%error, "the control socket has failed");
    }
}

/// Keeps the gauges of `/metrics` up to date.
async fn measure(mut ground: Ground, metrics: Arc<Metrics>, control: Arc<control::Control>) {
    while !ground.stopping() {
        let head = ground.journal.head().0;
        let applied = ground.pipeline.applied().borrow().0;
        metrics.series(Metric::JournalHead, &[]).set(gauge(head));
        metrics.series(Metric::Checkpoint, &[]).set(gauge(applied));
        if let Some(free) = ground.journal.free_bytes() {
            metrics.series(Metric::FreeSpace, &[]).set(gauge(free));
        }
        let stopped = control.stops.all();
        for sink in control.query.catalog().sinks() {
            let series = metrics.series(Metric::SinksStopped, &[("sink", &sink.name)]);
            series.set(i64::from(stopped.contains_key(&sink.name)));
        }
        let now = ground.clock.now();
        let (asked, shown) = (Arc::clone(&control), Arc::clone(&metrics));
        let measured = tokio::task::spawn_blocking(move || measure_store(&asked.query, &shown, now)).await;
        match measured {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "the store cannot be measured"),
            Err(error) => error!(%error, "measuring was cut short"),
        }
        ground.rest(MEASURE_MS).await;
    }
}

fn measure_store(query: &Query, metrics: &Metrics, now: Timestamp) -> Result<(), QueryError> {
    let mut quarantined = 0;
    for it in query.counts()? {
        if it.outcome == OutcomeKind::Quarantined.name() {
            quarantined += it.count;
        }
        let labels =
            [("connection", it.connection.as_str()), ("stream", it.stream.as_str()), ("outcome", it.outcome.as_str())];
        metrics.series(Metric::Records, &labels).set(gauge(it.count));
    }
    metrics.series(Metric::Quarantine, &[]).set(gauge(quarantined));
    metrics.series(Metric::DealsScored, &[]).set(gauge(query.deals_scored()?));
    let (open, overdue) = query.task_counts(now)?;
    metrics.series(Metric::Tasks, &[("state", "open")]).set(gauge(open));
    metrics.series(Metric::Tasks, &[("state", "overdue")]).set(gauge(overdue));
    for (sink, open) in query.open_deliveries()? {
        metrics.series(Metric::OutboxRows, &[("sink", &sink)]).set(gauge(open));
    }
    Ok(())
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
