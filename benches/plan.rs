//! `sync plan` over one hundred thousand objects in sled: how long it takes, and how that stands to
//! a bare read of the same rows. Run: `cargo bench --bench plan`; with `UZEL_BENCH_OBJECTS=10000` a
//! smaller one.
#![allow(missing_docs, reason = "a program, not a library")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use uzel::base::checksum::Fingerprint;
use uzel::base::{Locale, Message, Position, Slug, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::config::Settings;
use uzel::entry::{Body, Configured, Entry, ObjectRef, Received};
use uzel::journal::{Journal, MemoryJournal, NewEntry};
use uzel::pipeline::{Configurations, apply_all};
use uzel::plan::{Plans, Subject};
use uzel::query::Query;
use uzel::store::Store;
use uzel::store::sled::SledStore;
use uzel::tables::Reader;

const START: Timestamp = Timestamp(1_795_338_000_000);
const SETTINGS: &str = "[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\n\
    [connection.site]\nconnector = \"forms\"\n[connection.crm]\nconnector = \"bitrix24\"\nmode = \"observe\"\n";
/// What a form makes: a client, a deal, and what was said.
const OBJECTS_OF_A_FORM: u64 = 3;
const ROUNDS: usize = 3;
/// Entries of a micro-batch.
const BATCH: usize = 512;

struct One(Arc<Catalog>);

impl Configurations for One {
    fn load(&self, _hash: Fingerprint) -> Result<Arc<Catalog>, Message> {
        Ok(self.0.clone())
    }
}

#[tokio::main]
async fn main() {
    // Run as a test (`cargo test --all-targets`) it only shows that it runs.
    let is_bench = std::env::args().any(|it| it == "--bench");
    let asked = std::env::var("UZEL_BENCH_OBJECTS").ok().and_then(|text| text.parse().ok());
    let count: u64 = asked.unwrap_or(if is_bench { 100_000 } else { 300 });
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings::compile("uzel.toml", SETTINGS, &|_| None).expect("the settings read");
    let catalog = Arc::new(Catalog::compile(&FileSet::builtin(), &settings).expect("it compiles"));

    let began = Instant::now();
    let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new());
    append(&journal, &Entry::Configured(Configured { hash: catalog.hash(), build: "bench".into() }), START).await;
    for number in 0..count.div_ceil(OBJECTS_OF_A_FORM) {
        let at = START.plus_ms(number as i64);
        append(&journal, &Entry::Received(form(number, at)), at).await;
    }
    let opened = SledStore::open_with_cache(&folder.path().join("store"), uzel::base::limits::STORE_CACHE_BYTES);
    let store: Arc<dyn Store> = Arc::new(opened.expect("it opens").store);
    let (head, kept) = (journal.head(), Arc::new(One(catalog.clone())));
    apply_all(journal.clone(), store.clone(), kept, head, BATCH, &mut |_, _| {}).expect("it applies");
    println!("{count} objects made in {:.1?}", began.elapsed());

    let plans = Plans::new(folder.path().join("plans"));
    let query = Query::new(store.clone(), journal, catalog.clone());
    let sink = catalog.connection("crm").expect("it is configured");
    let mut objects: Vec<ObjectRef> = Vec::new();
    let mut planning = Vec::new();
    for round in 0..ROUNDS {
        let began = Instant::now();
        let plan = query.make_plan(&plans, sink, Locale::Ru, START.plus_ms(round as i64)).expect("it is made");
        planning.push(began.elapsed());
        assert!(plan.goes >= count, "{} objects of {count}", plan.goes);
        objects.clear();
        plans
            .lines(&plan, |line| {
                objects.push(line.object);
                true
            })
            .expect("it reads");
    }
    let bare = (0..ROUNDS).map(|_| bare_read(store.as_ref(), &objects)).collect();
    let (planning, bare) = (median(planning), median(bare));
    println!("plan of {} objects: {planning:.2?}", objects.len());
    let ratio = planning.as_secs_f64() / bare.as_secs_f64();
    println!("bare read of the same rows: {bare:.2?}; the plan is {ratio:.1} times that");
}

/// Reads everything that a line is made of, and makes nothing of it.
fn bare_read(store: &dyn Store, objects: &[ObjectRef]) -> Duration {
    let reader = Reader::new(store);
    let began = Instant::now();
    for object in objects {
        assert!(Subject::read(&reader, *object).expect("it reads").is_some());
    }
    began.elapsed()
}

fn median(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort();
    rounds[rounds.len() / 2]
}

async fn append(journal: &Arc<dyn Journal>, entry: &Entry, at: Timestamp) -> Position {
    journal.append(NewEntry { kind: entry.kind(), at, payload: entry.encode() }).await.expect("memory takes it")
}

/// A form made of its number alone.
fn form(number: u64, at: Timestamp) -> Received {
    let body = json!({
        "name": format!("Клиент {number}"),
        "phone": format!("+7912{number:07}"),
        "email": format!("klient{number}@example.ru"),
        "message": "Нужны десять станков, счёт на ООО, доставка в Пермь до конца месяца",
        "utm_source": "yandex",
    });
    let body = body.to_string().into_bytes();
    Received {
        connection: Slug::literal("site"),
        connector: Slug::literal("forms"),
        stream: Slug::literal("lead"),
        received_at: at,
        idempotency_key: Fingerprint::of_parts([&body[..], &at.0.to_le_bytes()]),
        content_type: "application/json".into(),
        headers: Vec::new(),
        body: Body::Inline(body),
    }
}
