//! From something that is wrong to the people who are told: the watch and the notifier run as in the
//! daemon, over a pipeline in memory. Time is tokio's, paused: hours cost nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use uzel::alarm::{Condition, NoticeRules, Severity};
use uzel::base::limits::{NOTICE_GATHER_MS, NOTICE_SETTLE_MS};
use uzel::base::telemetry::Metrics;
use uzel::base::{Clock, Locale, Message, Slug};
use uzel::catalog::Catalog;
use uzel::certificate::{Certificates, Pair};
use uzel::config::Keep;
use uzel::journal::Takes;
use uzel::model::Fault;
use uzel::net::Boxed;
use uzel::notify::{Channel, Letter};
use uzel::pipeline::{Pipeline, Running};
use uzel::query::Query;
use uzel::task::deliver::Stops;
use uzel::task::folders::Folders;
use uzel::task::keep::Keeping;
use uzel::task::notify::{Notifier, NotifierParts, Outward};
use uzel::task::poll::Readings;
use uzel::task::relay::Relaying;
use uzel::task::watch::{Watch, WatchParts, WatchedCertificate, WatchedSource};
use uzel::task::{Ground, notify, watch};

use super::pipeline_support::{START, World, person, plain};
use super::reading_support::PausedClock;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 3_600;

/// A way to people that notes what came: the second it came in, and the letter.
struct Desk {
    clock: Arc<PausedClock>,
    /// How many letters it refuses first.
    refuses: Mutex<u32>,
    came: Mutex<Vec<(i64, Letter)>>,
    refused: Mutex<Vec<String>>,
}

impl Channel for Desk {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> Boxed<'a, Result<(), Message>> {
        let mut left = self.refuses.lock().expect("not poisoned");
        if *left > 0 {
            *left -= 1;
            self.refused.lock().expect("not poisoned").push(letter.id.clone());
            return Box::pin(std::future::ready(Err(Message::new("net-connect")
                .with("host", "h")
                .with("detail", "d"))));
        }
        let second = self.clock.now().ms_since(START) / 1_000;
        self.came.lock().expect("not poisoned").push((second, letter.clone()));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Everything that a watch looks at.
struct Scene {
    world: World,
    folder: tempfile::TempDir,
    clock: Arc<PausedClock>,
    pipeline: Arc<Running>,
    stops: Stops,
    outward: Outward,
    certificates: Arc<Certificates>,
    desk: Arc<Desk>,
}

/// One life of the daemon.
struct Life {
    stop: tokio::sync::watch::Sender<bool>,
    watch: Arc<Watch>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Life {
    /// What is wrong, as the latest look found it: condition and severity.
    fn alarms(&self) -> Vec<(Condition, Severity)> {
        let found = self.watch.found().unwrap_or_default();
        found.into_iter().map(|it| (it.key.condition, it.severity)).collect()
    }

    fn since(&self, condition: Condition) -> Option<i64> {
        let found = self.watch.found().unwrap_or_default();
        let since = found.into_iter().find(|it| it.key.condition == condition)?.since?;
        Some(since.ms_since(START) / 1_000)
    }

    async fn end(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await.expect("it ends");
        }
    }
}

impl Scene {
    fn new() -> Scene {
        let mut world = World::new();
        world.form(person("Соколова Мария", "+7 912 555-01-01"));
        let pipeline = Pipeline {
            journal: world.journal.clone(),
            store: world.store.clone(),
            configurations: world.kept.clone(),
            epoch: 1,
        };
        let pipeline = Arc::new(pipeline.start(&tokio::runtime::Handle::current()).expect("it starts"));
        let clock = Arc::new(PausedClock::new());
        let desk = Desk {
            clock: Arc::clone(&clock),
            refuses: Mutex::new(0),
            came: Mutex::default(),
            refused: Mutex::default(),
        };
        Scene {
            world,
            folder: tempfile::tempdir().expect("a folder"),
            clock,
            pipeline,
            stops: Stops::default(),
            outward: Outward::default(),
            certificates: Arc::default(),
            desk: Arc::new(desk),
        }
    }

    /// The daemon begins: its watch, and who tells.
    fn live(&self, sources: Vec<WatchedSource>) -> Life {
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let (world, catalog): (&World, Arc<Catalog>) = (&self.world, plain());
        let query = Query::new(world.store.clone(), world.journal.clone(), catalog);
        let keep = Keep { snapshot: String::new(), snapshots: 3, journal_days: 0, backup_days: 0 };
        let keeping = Keeping::new(
            world.store.clone(),
            world.journal.clone(),
            world.kept.clone(),
            Arc::clone(&self.pipeline),
            Arc::clone(&clock),
            keep,
            self.folder.path().join("snapshots"),
        );
        let watch = Arc::new(Watch::new(WatchParts {
            query: query.clone(),
            journal: world.journal.clone(),
            pipeline: Arc::clone(&self.pipeline),
            clock: Arc::clone(&clock),
            keeping: Arc::new(keeping),
            zone: TimeZone::UTC,
            missing: Default::default(),
            stops: self.stops.clone(),
            readings: Readings::default(),
            folders: Folders::default(),
            outward: self.outward.clone(),
            rights: Box::new(Vec::new),
            sources,
            certificate: Some(WatchedCertificate { certificates: Arc::clone(&self.certificates), is_ordered: true }),
            relaying: Relaying::default(),
            mark_bytes: 0,
            file: Some(self.folder.path().join("watch.json")),
        }));
        let notifier = Arc::new(Notifier::new(NotifierParts {
            channels: vec![("webhook", Ok(Arc::clone(&self.desk) as Arc<dyn Channel>))],
            rules: NoticeRules {
                from: Severity::Warning,
                pause_ms: 15 * 60_000,
                remind_ms: 24 * 3_600_000,
                gather_ms: NOTICE_GATHER_MS,
            },
            company: "Ромашка".to_owned(),
            locale: Locale::En,
            query,
            clock: Arc::clone(&clock),
            folder: self.folder.path().to_owned(),
        }));
        let ground = Ground {
            journal: world.journal.clone(),
            store: world.store.clone(),
            pipeline: Arc::clone(&self.pipeline),
            clock,
            stop: stopping,
        };
        let metrics = Arc::new(Metrics::new());
        let looks = watch::run(ground.clone(), Arc::clone(&watch), Arc::clone(&metrics));
        let tells = notify::run(ground, notifier, 0, Arc::clone(&watch), self.outward.clone(), metrics);
        Life { stop, watch, tasks: vec![tokio::spawn(looks), tokio::spawn(tells)] }
    }

    fn crm_stops(&self) {
        let now = self.clock.now();
        let reason = Message::new("net-connect").with("host", "crm.example").with("detail", "ivan@company.ru refused");
        self.stops.stopped(&crm(), now, now.plus_ms(30_000), Fault::Sink, reason);
    }

    /// What came since it was asked last.
    fn came(&self) -> Vec<(i64, Letter)> {
        std::mem::take(&mut *self.desk.came.lock().expect("not poisoned"))
    }
}

fn crm() -> Slug {
    Slug::literal("bitrix24")
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

/// The time of one look is not exact.
fn near(found: i64, expected: i64) -> bool {
    (expected..=expected + 15).contains(&found)
}

#[tokio::test(start_paused = true)]
async fn what_begins_is_told_once_and_so_is_its_end() {
    let scene = Scene::new();
    let life = scene.live(Vec::new());
    pass(MINUTE_S).await;
    assert_eq!((life.alarms(), scene.came().len()), (Vec::new(), 0));
    // The CRM is gone: for five minutes that is nothing to tell.
    scene.crm_stops();
    pass(4 * MINUTE_S).await;
    assert_eq!((life.alarms(), scene.came().len()), (Vec::new(), 0));
    pass(HOUR_S).await;
    assert_eq!(life.alarms(), [(Condition::SinkStopped, Severity::Critical)]);
    let came = scene.came();
    let [(second, letter)] = came.as_slice() else { panic!("one letter: {came:?}") };
    assert!(near(*second, 6 * 60 + NOTICE_GATHER_MS / 1_000), "{second}");
    assert!(letter.text.contains("bitrix24 does not answer") && letter.text.contains("uzel outbox list"), "{letter:?}");
    // What a foreign system said is for the owner of the folder alone.
    assert!(!letter.text.contains("ivan@") && !letter.data.to_string().contains("ivan@"), "{letter:?}");
    // It answers again.
    scene.stops.goes(&crm());
    let ended = scene.clock.now().ms_since(START) / 1_000;
    pass(3 * HOUR_S).await;
    assert_eq!(life.alarms(), []);
    let came = scene.came();
    let [(second, letter)] = came.as_slice() else { panic!("one letter: {came:?}") };
    assert!(near(*second, ended + NOTICE_GATHER_MS / 1_000), "{second} {ended}");
    assert_eq!(letter.data["data"]["ended"][0]["id"], "sink-stopped", "{letter:?}");
    assert_eq!(letter.data["data"]["ended"][0]["subject"], "bitrix24", "{letter:?}");
    assert!(letter.text.contains("nothing was passed on: bitrix24"), "{letter:?}");
    life.end().await;
    scene.pipeline.stop();
}

#[tokio::test(start_paused = true)]
async fn a_restart_tells_nothing_twice_and_forgets_no_end() {
    let scene = Scene::new();
    scene.world.journal.set_takes(Takes::NoIntake);
    let life = scene.live(Vec::new());
    pass(MINUTE_S).await;
    let came = scene.came();
    assert_eq!(came.len(), 1, "{came:?}");
    assert_eq!(came[0].1.data["data"]["raised"][0]["id"], "intake-refused", "{came:?}");
    let since = life.since(Condition::IntakeRefused);
    assert!(since.is_some(), "{:?}", life.alarms());
    life.end().await;
    // The same still holds when it begins again.
    pass(10 * MINUTE_S).await;
    let life = scene.live(Vec::new());
    pass(10 * MINUTE_S).await;
    assert_eq!(life.since(Condition::IntakeRefused), since);
    assert_eq!(scene.came(), []);
    life.end().await;
    // It ended while the daemon was down: that is told, once it has looked for long enough.
    scene.world.journal.set_takes(Takes::All);
    let life = scene.live(Vec::new());
    let began = scene.clock.now().ms_since(START) / 1_000;
    pass(NOTICE_SETTLE_MS as u64 / 1_000 - 10).await;
    assert_eq!((life.alarms(), scene.came().len()), (Vec::new(), 0));
    pass(HOUR_S).await;
    let came = scene.came();
    let [(second, letter)] = came.as_slice() else { panic!("one letter: {came:?}") };
    assert!(*second >= began + NOTICE_SETTLE_MS / 1_000, "{second} {began}");
    assert_eq!(letter.data["data"]["ended"][0]["id"], "intake-refused", "{letter:?}");
    life.end().await;
    scene.pipeline.stop();
}

#[tokio::test(start_paused = true)]
async fn a_way_that_fails_is_an_alarm_and_the_letter_comes_later_under_its_id() {
    let scene = Scene::new();
    *scene.desk.refuses.lock().expect("not poisoned") = 3;
    scene.world.journal.set_takes(Takes::NoIntake);
    let life = scene.live(Vec::new());
    let began = scene.clock.now();
    let failing = (Condition::NotifyFailed, Severity::Warning);
    while !life.alarms().contains(&failing) {
        pass(5).await;
        assert!(scene.clock.now().ms_since(began) < 600_000, "{:?}", life.alarms());
    }
    pass(2 * HOUR_S).await;
    let refused = std::mem::take(&mut *scene.desk.refused.lock().expect("not poisoned"));
    let came = scene.came();
    assert_eq!((refused.len(), came.len()), (3, 1), "{came:?}");
    assert!(refused.iter().all(|id| *id == came[0].1.id), "{refused:?} {came:?}");
    // It came by this way: that the way had failed is over.
    assert_eq!(life.alarms(), [(Condition::IntakeRefused, Severity::Critical)]);
    life.end().await;
    scene.pipeline.stop();
}

#[tokio::test(start_paused = true)]
async fn silence_is_counted_over_a_restart() {
    let scene = Scene::new();
    let sources = || vec![WatchedSource { name: Slug::literal("site"), silence_h: 2 }];
    let life = scene.live(sources());
    pass(HOUR_S).await;
    life.end().await;
    let life = scene.live(sources());
    pass(HOUR_S - 5 * MINUTE_S).await;
    assert_eq!(life.alarms(), []);
    pass(10 * MINUTE_S).await;
    assert_eq!(life.alarms(), [(Condition::SourceSilent, Severity::Warning)]);
    assert!(life.since(Condition::SourceSilent).is_some_and(|it| near(it, 0)), "{:?}", life.watch.found());
    life.end().await;
    scene.pipeline.stop();
}

/// A certificate that lives for 90 days and ends so many days after the start.
fn certificate(folder: &std::path::Path, left_days: i64) -> Pair {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec!["in.company.ru".to_owned()]).expect("a name");
    // 3 March 2025, the day of the start.
    let start = rcgen::date_time_ymd(2025, 3, 3);
    let days = |days: i64| Duration::from_secs(u64::try_from(days).expect("forward") * 24 * HOUR_S);
    params.not_before = start - days(90 - left_days);
    params.not_after = start + days(left_days);
    let paths = [folder.join("it.pem"), folder.join("it.key")];
    std::fs::write(&paths[0], params.self_signed(&key).expect("it is signed").pem()).expect("it is written");
    std::fs::write(&paths[1], key.serialize_pem()).expect("it is written");
    Pair::from_files(&paths[0], &paths[1]).unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_cannot_be_renewed_is_told_and_then_that_it_ends() {
    let scene = Scene::new();
    scene.certificates.put(certificate(scene.folder.path(), 15));
    let life = scene.live(Vec::new());
    pass(MINUTE_S).await;
    assert_eq!(life.alarms(), []);
    scene.certificates.trouble(Message::new("acme-waits").with("failed", 1), None);
    pass(HOUR_S - 5 * MINUTE_S).await;
    assert_eq!(life.alarms(), []);
    pass(10 * MINUTE_S).await;
    assert_eq!(life.alarms(), [(Condition::CertificateFailed, Severity::Warning)]);
    assert_eq!(scene.came().len(), 1);
    // A day later a sixth of its life is left.
    pass(24 * HOUR_S).await;
    assert_eq!(life.alarms(), [(Condition::CertificateEnds, Severity::Warning)]);
    scene.came();
    scene.certificates.put(certificate(scene.folder.path(), 90));
    pass(HOUR_S).await;
    assert_eq!(life.alarms(), []);
    let came = scene.came();
    assert_eq!(came.len(), 1, "{came:?}");
    assert!(came[0].1.text.contains("the certificate of HTTPS ran out"), "{came:?}");
    life.end().await;
    scene.pipeline.stop();
}
