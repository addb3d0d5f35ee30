//! The stage: a process that can be killed at any append or request, over a journal that survives,
//! and a portal without a network.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use uzel::base::telemetry::Metrics;
use uzel::base::{Clock, Locale, Message, Position, Secret, Slug, Timestamp};
use uzel::catalog::Catalog;
use uzel::entry::{Body, Command, Commanded, Configured, Entry};
use uzel::journal::{AppendError, Appended, BodyReader, Journal, MemoryJournal, NewEntry, ReadError, StoredEntry};
use uzel::net::{Answer, Boxed, CallError, Method, Quotas, Request, Wire};
use uzel::pipeline::{Running, apply_all};
use uzel::sink::{Settings, Sink};
use uzel::source::poll::Poller;
use uzel::store::{MemoryStore, Store};
use uzel::task::deliver::{Deliverer, Stops};
use uzel::task::missing::MissingWords;
use uzel::task::poll::{Follower, Hints, Readings};
use uzel::task::{Ground, admit, tick};
use uzel::twin::bitrix24::{Bitrix24Twin, Limits, Options, RunningTwin};

use crate::pipeline_support::Kept;
use crate::reading_support::{PausedClock, bitrix24};

/// Between two looks at the portal, s.
const POLL_S: u32 = 120;
/// Longest wait for an answer, ms: as the client of the daemon.
const ANSWER_MS: u64 = 75_000;

/// Chance from a number (SplitMix64).
#[derive(Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5ce2_e000)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// 0 to `count` - 1.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    pub(super) fn of_hundred(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Where the process dies: after so many appends and requests more.
#[derive(Default)]
pub(super) struct Fuse {
    /// 0: it burns not at all.
    left: AtomicI64,
    blown: Notify,
}

impl Fuse {
    pub(super) fn set(&self, steps: usize) {
        self.left.store(steps as i64, Ordering::SeqCst);
    }

    /// Whether the process is dead here.
    fn burns(&self) -> bool {
        let before = self.left.load(Ordering::SeqCst);
        match before {
            0 => false,
            ..0 => true,
            1 => {
                self.left.store(-1, Ordering::SeqCst);
                self.blown.notify_one();
                true
            }
            _ => {
                self.left.store(before - 1, Ordering::SeqCst);
                false
            }
        }
    }

    async fn pass(&self) {
        if self.burns() {
            std::future::pending::<()>().await;
        }
    }
}

/// The journal as the process sees it.
struct OfProcess(Arc<MemoryJournal>, Arc<Fuse>);

impl Journal for OfProcess {
    fn append(&self, entry: NewEntry) -> Appended {
        if self.1.burns() {
            return Box::pin(std::future::pending());
        }
        let appended = self.0.append(entry);
        match self.1.burns() {
            true => Box::pin(std::future::pending()),
            false => appended,
        }
    }

    fn head(&self) -> Position {
        self.0.head()
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.0.subscribe()
    }

    fn first(&self) -> Position {
        self.0.first()
    }

    fn read(&self, from: Position, entries_max: usize, bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        self.0.read(from, entries_max, bytes_max)
    }

    fn put_body(&self, bytes: Vec<u8>) -> Result<Body, AppendError> {
        self.0.put_body(bytes)
    }

    fn adopt_body(&self, file: &Path) -> Result<Body, AppendError> {
        self.0.adopt_body(file)
    }

    fn open_body(&self, body: &Body) -> Result<Box<dyn BodyReader>, ReadError> {
        self.0.open_body(body)
    }

    fn accepts_intake(&self) -> Result<(), AppendError> {
        self.0.accepts_intake()
    }
}

/// The way to the portal: it takes time, and the process may die before or after a request.
struct Indoors {
    twin: Arc<RunningTwin>,
    fuse: Arc<Fuse>,
    dice: Mutex<Dice>,
    hints: Hints,
    /// In thousandths: nobody is reached.
    away: Arc<AtomicI64>,
}

impl Indoors {
    fn draw<T>(&self, draw: impl FnOnce(&mut Dice) -> T) -> T {
        draw(&mut self.dice.lock().expect("no panic before"))
    }

    async fn asked(&self, request: Request) -> Result<Answer, CallError> {
        self.fuse.pass().await;
        let away = self.away.load(Ordering::SeqCst);
        let (way_there, way_back, is_away) =
            self.draw(|dice| (5 + dice.below(300), 5 + dice.below(300), (dice.below(1_000) as i64) < away));
        tokio::time::sleep(Duration::from_millis(way_there as u64)).await;
        if is_away {
            return Err(CallError::Connect(Message::new("net-connect")));
        }
        let path = request.address.expose().splitn(4, '/').nth(3).map(|it| format!("/{it}")).unwrap_or_default();
        let post = request.method != Method::Get;
        let asked = self.twin.ask(post, &path, request.content_type, request.body);
        let asked = tokio::time::timeout(Duration::from_millis(ANSWER_MS), asked).await;
        told(&self.twin, &self.hints);
        tokio::time::sleep(Duration::from_millis(way_back as u64)).await;
        self.fuse.pass().await;
        match asked {
            Ok(Some(it)) => {
                let headers = it.headers.into_iter().map(|(name, value)| (name.into(), value)).collect();
                Ok(Answer { status: it.status, headers, body: it.body })
            }
            Ok(None) | Err(_) => Err(CallError::Sent(Message::new("net-broken"))),
        }
    }
}

impl Wire for Indoors {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        Box::pin(self.asked(request))
    }
}

/// Passes on what the portal tells of itself.
fn told(twin: &RunningTwin, hints: &Hints) {
    let catalog = catalog();
    let connector = &catalog.connection("bitrix24").expect("it is configured").connector;
    let Some(spec) = &connector.hints else { return };
    for (event, id) in twin.take_notices() {
        if let Some((_, stream)) = spec.streams.iter().find(|(name, _)| **name == *event) {
            hints.tell(&bitrix24(), stream, &id.to_string());
        }
    }
}

/// The configuration of every scene.
pub(super) fn catalog() -> Arc<Catalog> {
    static OBSERVE: std::sync::OnceLock<Arc<Catalog>> = std::sync::OnceLock::new();
    let settings = crate::pipeline_support::SETTINGS.replace("mode = \"live\"", "mode = \"observe\"");
    OBSERVE.get_or_init(|| crate::pipeline_support::catalog_of(&settings, &[])).clone()
}

/// A company's daemon and its portal.
pub(super) struct Stage {
    pub(super) twin: Arc<RunningTwin>,
    pub(super) journal: Arc<MemoryJournal>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<PausedClock>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) away: Arc<AtomicI64>,
    /// What the portal has no words for.
    pub(super) missing: MissingWords,
    kept: Arc<Kept>,
    catalog: Arc<Catalog>,
    hints: Hints,
    tasks: JoinSet<()>,
    applied: watch::Receiver<Position>,
    /// Of the outside: how long things take.
    dice: Dice,
    pub(super) kills: u32,
}

impl Stage {
    pub(super) fn new(seed: u64) -> Stage {
        Stage::under(seed, catalog())
    }

    pub(super) fn under(seed: u64, catalog: Arc<Catalog>) -> Stage {
        let clock = Arc::new(PausedClock::new());
        let options = Options { limits: Limits::none(), ..Options::for_tests(Arc::clone(&clock) as Arc<dyn Clock>) };
        let twin = Arc::new(Bitrix24Twin::indoors(options).expect("nothing is read from the disk"));
        let spec = catalog.connection("bitrix24").and_then(|it| it.connector.hints.clone()).expect("it has hints");
        let names: Vec<&str> = spec.streams.iter().map(|(name, _)| &**name).collect();
        twin.change(|portal| portal.add_outgoing_webhook("indoors", &names, "token"));
        let kept = Arc::new(Kept::default());
        kept.keep(&catalog);
        let (_, applied) = watch::channel(Position::START);
        let mut stage = Stage {
            twin,
            journal: Arc::new(MemoryJournal::new()),
            store: Arc::new(MemoryStore::new()),
            clock,
            fuse: Arc::default(),
            away: Arc::default(),
            missing: MissingWords::default(),
            kept,
            catalog: Arc::clone(&catalog),
            hints: Hints::default(),
            tasks: JoinSet::new(),
            applied,
            dice: Dice::new(seed ^ 0x0057_a9e0),
            kills: 0,
        };
        stage.append(&Entry::Configured(Configured { hash: catalog.hash(), build: "test".into() }));
        stage.start();
        stage
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Intake: durable at once, applied when the process comes to it.
    pub(super) fn append(&self, entry: &Entry) -> Position {
        let new = NewEntry { kind: entry.kind(), at: self.now(), payload: entry.encode() };
        let before = self.journal.head();
        drop(self.journal.append(new));
        before.next()
    }

    pub(super) fn command(&self, command: Command) {
        self.append(&Entry::Commanded(Commanded { at: self.now(), by: "cli".into(), command }));
    }

    /// The process begins.
    fn start(&mut self) {
        self.fuse.set(0);
        self.hints = Hints::default();
        let checkpoint = self.store.checkpoint().expect("it reads").position.max(Position(1));
        let (applied, follows) = watch::channel(Position(checkpoint.0 - 1));
        self.applied = follows.clone();
        let (stop, stopping) = watch::channel(false);
        let ground = Ground {
            journal: Arc::new(OfProcess(Arc::clone(&self.journal), Arc::clone(&self.fuse))),
            store: Arc::clone(&self.store),
            pipeline: Arc::new(Running::driven(follows)),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            stop: stopping,
        };
        let (deliverer, follower) = self.sink_and_source(&ground);
        let dice = Dice::new(self.dice.next());
        let (journal, store, kept) = (Arc::clone(&self.journal), Arc::clone(&self.store), Arc::clone(&self.kept));
        self.tasks.spawn(pipeline(journal, store, kept, applied, dice, stop));
        self.tasks.spawn(tick::run(ground.clone()));
        self.tasks.spawn(admit::run(ground));
        self.tasks.spawn(deliverer.run());
        self.tasks.spawn(follower.run());
    }

    fn sink_and_source(&mut self, ground: &Ground) -> (Deliverer, Follower<Ground>) {
        let catalog = Arc::clone(&self.catalog);
        let connector = Arc::clone(&catalog.connection("bitrix24").expect("it is configured").connector);
        let secrets = vec![("webhook_url".to_owned(), Secret::new(self.twin.url()))];
        let settings = Settings { values: Vec::new(), secrets };
        let wire = Arc::new(Indoors {
            twin: Arc::clone(&self.twin),
            fuse: Arc::clone(&self.fuse),
            dice: Mutex::new(Dice::new(self.dice.next())),
            hints: self.hints.clone(),
            away: Arc::clone(&self.away),
        }) as Arc<dyn Wire>;
        let (clock, quotas) = (Arc::clone(&self.clock) as Arc<dyn Clock>, Arc::new(Quotas::new()));
        let spec = Arc::new(connector.sink.clone().expect("a sink"));
        let made = Sink::new(bitrix24(), spec, &settings, Arc::clone(&wire), Arc::clone(&quotas), Arc::clone(&clock));
        let deliverer = Deliverer {
            ground: ground.clone(),
            sink: made.expect("the settings are whole"),
            name: bitrix24(),
            catalog,
            stops: Stops::default(),
            missing: self.missing.clone(),
            metrics: Arc::new(Metrics::new()),
            locale: Locale::Ru,
            rights: None,
        };
        let poller = Poller::new(bitrix24(), connector, &settings, wire, quotas, Arc::clone(&clock));
        let poller = poller.expect("the settings are whole").expect("Bitrix24 is asked");
        let hints = self.hints.clone();
        let follower = Follower::new(ground.clone(), poller, clock, Some(POLL_S), Readings::default(), hints);
        (deliverer, follower)
    }

    /// The process is killed. Of the store as much is left as was flushed: `back` entries less than
    /// were applied.
    pub(super) async fn kill(&mut self, back: u64) {
        self.kills += 1;
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        if back > 0 {
            let reached = Position(self.applied.borrow().0.saturating_sub(back));
            self.store = self.rebuilt(reached, 512);
        }
        self.start();
    }

    /// A store made anew from the journal up to a position.
    pub(super) fn rebuilt(&self, to: Position, batch_max: usize) -> Arc<dyn Store> {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (journal, kept) = (Arc::clone(&self.journal), Arc::clone(&self.kept));
        apply_all(journal, Arc::clone(&store), kept, to, batch_max, &mut |_, _| {}).expect("it rebuilds");
        store
    }

    /// Time passes; the process may die meanwhile, and is started again.
    pub(super) async fn pass(&mut self, ms: u64) -> Option<u64> {
        let until = self.now().plus_ms(ms as i64);
        let mut died = None;
        loop {
            let left = until.ms_since(self.now());
            if left <= 0 {
                return died;
            }
            // A little in its own time, so that what is due is done; then more at once: waits of
            // hours cost nothing.
            let fuse = Arc::clone(&self.fuse);
            let blown = tokio::select! {
                biased;
                () = fuse.blown.notified() => true,
                () = tokio::time::sleep(Duration::from_millis(left.unsigned_abs().min(2_000))) => false,
            };
            self.told();
            if blown {
                let back = if self.dice.of_hundred(30) { self.dice.below(12) as u64 } else { 0 };
                died = Some(back);
                tokio::time::sleep(Duration::from_millis(500 + self.dice.below(20_000) as u64)).await;
                self.kill(back).await;
                continue;
            }
            let left = until.ms_since(self.now());
            if left > 10_000 {
                tokio::time::advance(Duration::from_millis(left.unsigned_abs().min(15_000))).await;
            }
        }
    }

    /// Passes on what the portal tells of itself.
    pub(super) fn told(&self) {
        told(&self.twin, &self.hints);
    }

    /// Everything in the journal is applied.
    pub(super) fn is_applied(&self) -> bool {
        *self.applied.borrow() >= self.journal.head()
    }
}

/// Applies the journal, a little late.
async fn pipeline(
    journal: Arc<MemoryJournal>,
    store: Arc<dyn Store>,
    kept: Arc<Kept>,
    applied: watch::Sender<Position>,
    mut dice: Dice,
    _stop: watch::Sender<bool>,
) {
    let mut head = journal.subscribe();
    loop {
        let to = *head.borrow_and_update();
        if *applied.borrow() >= to {
            if head.changed().await.is_err() {
                return;
            }
            continue;
        }
        if dice.of_hundred(40) {
            tokio::time::sleep(Duration::from_millis(dice.below(60) as u64)).await;
        }
        let done =
            apply_all(Arc::clone(&journal) as _, Arc::clone(&store), Arc::clone(&kept) as _, to, 512, &mut |_, _| {});
        done.expect("it applies");
        applied.send_replace(to);
    }
}

/// The portal's name in the configuration.
pub(super) fn sink() -> Slug {
    bitrix24()
}
