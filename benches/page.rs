//! The page of the head of sales over one million open deals in sled: how long the ranking takes to
//! be read at start, what a page takes, and how that stands to a bare read of as many rows. Run:
//! `cargo bench --bench page`; with `UZEL_BENCH_DEALS=100000` a smaller one.
#![allow(missing_docs, reason = "a program, not a library")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use uzel::auth::PageLinks;
use uzel::base::checksum::Fingerprint;
use uzel::base::clock::ManualClock;
use uzel::base::{ClientId, DealId, ItemRef, Locale, Position, Secret, Slug, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::config::Settings;
use uzel::model::score::FactorPoints;
use uzel::model::{Class, Client, ClientKind, CompanyName, Currency, Deal, Money, Name, Provenance, Score, Sourced};
use uzel::query::Query;
use uzel::query::ranking::Ranking;
use uzel::store::sled::SledStore;
use uzel::store::{Store, WatchedStore};
use uzel::tables::rows::{ClientRow, DealRow};
use uzel::tables::{Clients, Deals, Overlay, Reader};
use uzel::vault::Vault;
use uzel::web::{Parts, Visitor};

const NOW: Timestamp = Timestamp(1_795_338_000_000);
const ROUNDS: usize = 25;
const BATCH: u64 = 2_048;
const TOKEN: &str = "t0ken";

#[tokio::main]
async fn main() {
    // Run as a test (`cargo test --all-targets`) it only shows that it runs.
    let is_bench = std::env::args().any(|it| it == "--bench");
    let asked = std::env::var("UZEL_BENCH_DEALS").ok().and_then(|text| text.parse().ok());
    let count = asked.unwrap_or(if is_bench { 1_000_000 } else { 2_000 });
    let folder = tempfile::tempdir().expect("a folder");
    let opened = SledStore::open_with_cache(&folder.path().join("store"), uzel::base::limits::STORE_CACHE_BYTES);
    let ranking = Arc::new(Ranking::default());
    let sled: Arc<dyn Store> = Arc::new(opened.expect("it opens").store);
    let store: Arc<dyn Store> = Arc::new(WatchedStore::new(sled, ranking.clone()));

    let began = Instant::now();
    let mut rows = Overlay::new(store.clone());
    let mut at = ItemRef::default();
    at = put(&mut rows, at, 0..count);
    println!("{count} deals written in {:.1?}", began.elapsed());
    let before = resident_mib();
    let began = Instant::now();
    ranking.fill(store.as_ref(), || true);
    println!("ranking read in {:.2?}, resident {before} -> {} MiB", began.elapsed(), resident_mib());

    let router = router(store.clone(), ranking.clone(), folder.path());
    for path in ["/", "/?class=C", "/?of=sotrudnik-7", "/?show=forecast&class=B", "/?lang=en&class=E"] {
        let page = Box::pin(timed(&router, path)).await;
        println!("{path:30} median {:6.2} ms, worst {:6.2} ms", ms(page.0), ms(page.1));
    }
    let page = Box::pin(timed(&router, "/")).await.0;
    let bare = bare_read(store.as_ref(), count);
    println!(
        "bare read of 50 deals and 50 clients: {:.2} ms; the page is {:.1} times that",
        ms(bare),
        ms(page) / ms(bare)
    );

    // What following costs the pipeline: commits of deals, followed and not.
    let began = Instant::now();
    put(&mut rows, at, 0..count.min(50_000));
    let followed = began.elapsed();
    let alone = Ranking::default();
    let plain: Arc<dyn Store> = Arc::new(WatchedStore::new(store, Arc::new(alone)));
    let mut rows = Overlay::new(plain.clone());
    let at = plain.checkpoint().expect("it reads");
    let again = Instant::now();
    put(&mut rows, at, 0..count.min(50_000));
    println!("deals changed: {:.1?} followed twice over, {:.1?} followed once", again.elapsed(), followed);
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

async fn timed(router: &axum::Router, path: &str) -> (Duration, Duration) {
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let visitor = Visitor { remote: None, locale: Locale::Ru, is_https: false };
        let request = Request::get(path).extension(visitor).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
        let began = Instant::now();
        let answer = router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
        let answer = answer.expect("it never fails");
        assert_eq!(answer.status(), 200, "{path}");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        rounds.push(began.elapsed());
        assert!(body.windows(14).any(|it| it == b"<p class=\"name"), "{path}: rows");
    }
    rounds.sort();
    (rounds[ROUNDS / 2], rounds[ROUNDS - 1])
}

fn bare_read(store: &dyn Store, count: u64) -> Duration {
    let reader = Reader::new(store);
    let mut rounds: Vec<Duration> = (0..ROUNDS as u64)
        .map(|round| {
            let began = Instant::now();
            for number in 0..50 {
                let number = mixed(number + round * 50) % count;
                assert!(reader.get::<Deals>(&deal_id(number)).expect("it reads").is_some());
                assert!(reader.get::<Clients>(&client_id(number)).expect("it reads").is_some());
            }
            began.elapsed()
        })
        .collect();
    rounds.sort();
    rounds[ROUNDS / 2]
}

fn router(store: Arc<dyn Store>, ranking: Arc<Ranking>, folder: &std::path::Path) -> axum::Router {
    let vault = Arc::new(Vault::open(&folder.join("vault.json")).expect("an empty vault"));
    let clock = Arc::new(ManualClock::new(NOW));
    let text = "[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\n[connection.crm]\nconnector = \"bitrix24\"\n";
    let settings = Settings::compile("uzel.toml", text, &|_| None).expect("the settings read");
    let catalog = Arc::new(Catalog::compile(&FileSet::builtin(), &settings).expect("it compiles"));
    let options = uzel::journal::Options::production(1);
    let journal = uzel::journal::Segments::open(&folder.join("journal"), clock.clone(), options).expect("a journal").0;
    uzel::web::router(Parts {
        query: Query::new(store, Arc::new(journal), catalog),
        ranking,
        origins: [(Slug::literal("crm"), "https://company.bitrix24.ru".to_owned())].into(),
        links: Arc::new(PageLinks::new(vault)),
        api_tokens: vec![Secret::new(TOKEN)],
        troubles: Arc::new(|_| Vec::new()),
        clock,
    })
}

fn put(rows: &mut Overlay, mut at: ItemRef, numbers: std::ops::Range<u64>) -> ItemRef {
    let round = at.position.0;
    let mut from = numbers.start;
    while from < numbers.end {
        for number in from..numbers.end.min(from + BATCH) {
            let client = ClientRow::new(client(number));
            rows.put::<Clients>(&client_id(number), client);
            rows.put::<Deals>(&deal_id(number), DealRow::new(deal(number, round)));
        }
        let to = ItemRef::new(Position(at.position.0 + 1), 0);
        rows.commit(at, to, 1).expect("it is written");
        (at, from) = (to, from + BATCH);
    }
    at
}

fn deal_id(number: u64) -> DealId {
    DealId::derive(ItemRef::new(Position(number + 1), 0), 0)
}

fn client_id(number: u64) -> ClientId {
    ClientId::derive(ItemRef::new(Position(number + 1), 0), 0)
}

fn said<T>(value: T) -> Option<Sourced<T>> {
    let provenance =
        Provenance { source: Slug::literal("crm"), position: Position(1), observed_at: NOW, rank: Default::default() };
    Some(Sourced::new(value, &provenance))
}

fn client(number: u64) -> Client {
    let mut client = Client::new(client_id(number), ClientKind::Company, NOW);
    let (full, bare) = (format!("ООО «Клиент {number}»").into(), format!("Клиент {number}").into());
    client.name = said(Name::Company(CompanyName { full, form: "ООО".into(), bare }));
    client
}

/// splitmix64
fn mixed(number: u64) -> u64 {
    let state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// A deal made of its number alone, as a company has them: few in A, most below.
fn deal(number: u64, round: u64) -> Deal {
    let chance = mixed(number ^ round << 40);
    let class = match chance % 100 {
        0 => Class::A,
        1..=4 => Class::B,
        5..=34 => Class::C,
        35..=49 => Class::C1,
        50..=59 => Class::C2,
        60..=79 => Class::D,
        _ => Class::E,
    };
    let value = (chance >> 8) % 10_000_000 + 1;
    let mut deal = Deal::new(deal_id(number), Some(client_id(number)), Slug::literal("crm"), NOW);
    deal.title = said(format!("Поставка {number}").into());
    deal.stage = said("КП".into());
    deal.source = said("сарафан".into());
    deal.responsible = said(format!("sotrudnik-{}", chance % 50).into());
    deal.comment = said("Просит счёт до пятницы, решает директор, сравнивает с двумя другими поставщиками".into());
    deal.price = said(Money::from_minor(value as i64 * 2, Currency::rub()));
    let factor = |factor: &str, level: &str, points_bp| FactorPoints {
        factor: factor.into(),
        level: level.into(),
        points_bp,
        no_data: false,
    };
    deal.score = Some(Score {
        as_of: NOW,
        rules: Fingerprint::of(b"rules"),
        base_bp: 2_000,
        factors: vec![
            factor("status", "КП", 4_000),
            factor("source", "сарафан", 3_000),
            factor("time", "7–14 д", -1_000),
            factor("segment", "", 0),
            factor("product", "", 0),
            factor("size", "", 0),
            factor("silence", "", 0),
            factor("dmu", "", 0),
            factor("next_step", "", 0),
            factor("slips", "0", 0),
        ],
        raw_bp: 8_000,
        p_bp: 8_000,
        floored: false,
        capped: false,
        price_minor: Some(value as i64 * 2),
        value_minor: Some(value as i64),
        fresh_value_minor: Some(value as i64),
        currency: Some(Currency::rub()),
        class,
        in_forecast: class != Class::E,
        next_change: Some(NOW.plus_ms(86_400_000)),
    });
    deal
}

/// What the process holds in memory, as Linux counts it.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
