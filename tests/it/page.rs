//! The page of the head of sales: what stands on it, who may look, what hostile names do.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use uzel::auth::PageLinks;
use uzel::base::clock::ManualClock;
use uzel::base::{ClientId, DealId, ItemRef, Locale, Position, Secret, Slug, TaskId, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::config::Settings;
use uzel::model::{
    Class, Client, ClientKind, CompanyName, Currency, Deal, Money, Name, Provenance, Score, Sourced, Task, TaskKind,
    TaskState,
};
use uzel::query::Query;
use uzel::query::ranking::{Only, Place, Progress, Ranking, Sought};
use uzel::report::Totals;
use uzel::store::{MemoryStore, Store, WatchedStore};
use uzel::tables::rows::{ClientRow, DealRow, TaskRow};
use uzel::tables::{Clients, Deals, OpenTasks, Overlay, Tasks, packed};
use uzel::vault::Vault;
use uzel::web::{Parts, Trouble, Visitor};

const NOW: Timestamp = Timestamp(1_795_338_000_000);
const DAY_MS: i64 = 86_400_000;
const API_TOKEN: &str = "t0kenofthejsoninterface000000001";

/// A deal of the tests: what the page shows of it.
#[derive(Clone)]
struct Told {
    number: u64,
    class: Class,
    value: Option<i64>,
    currency: &'static str,
    client: &'static str,
    responsible: &'static str,
    comment: &'static str,
    in_forecast: bool,
}

fn told(number: u64, class: Class, value: Option<i64>) -> Told {
    let in_forecast = value.is_some();
    Told { number, class, value, currency: "RUB", client: "", responsible: "", comment: "", in_forecast }
}

fn said<T>(value: T) -> Option<Sourced<T>> {
    let provenance =
        Provenance { source: Slug::literal("crm"), position: Position(1), observed_at: NOW, rank: Default::default() };
    Some(Sourced::new(value, &provenance))
}

fn deal_row(told: &Told) -> DealRow {
    let id = deal_id(told.number);
    let mut deal = Deal::new(id, Some(client_id(told.number)), Slug::literal("crm"), NOW);
    deal.stage_since = NOW.plus_ms(-3 * DAY_MS);
    deal.stage = said("КП".into());
    deal.comment = Some(told.comment).filter(|it| !it.is_empty()).and_then(|it| said(it.into()));
    deal.responsible = Some(told.responsible).filter(|it| !it.is_empty()).and_then(|it| said(it.into()));
    let currency = Currency(told.currency.into());
    deal.price = told.value.and_then(|value| said(Money::from_minor(value * 2, currency.clone())));
    deal.score = Some(Score {
        as_of: NOW,
        rules: uzel::base::checksum::Fingerprint::of(b"rules"),
        base_bp: 2_000,
        factors: vec![uzel::model::score::FactorPoints {
            factor: "status".into(),
            level: "КП".into(),
            points_bp: 3_000,
            no_data: false,
        }],
        raw_bp: 5_000,
        p_bp: 5_000,
        floored: false,
        capped: false,
        price_minor: told.value.map(|value| value * 2),
        value_minor: told.value,
        fresh_value_minor: told.value,
        currency: told.value.map(|_| currency),
        class: told.class,
        in_forecast: told.in_forecast,
        next_change: None,
    });
    DealRow::new(deal)
}

fn deal_id(number: u64) -> DealId {
    DealId::derive(ItemRef::new(Position(number + 1), 0), 0)
}

fn client_id(number: u64) -> ClientId {
    ClientId::derive(ItemRef::new(Position(number + 1), 0), 0)
}

/// Tables, and whoever follows them.
struct Ground {
    store: Arc<dyn Store>,
    ranking: Arc<Ranking>,
    rows: Overlay,
    at: ItemRef,
}

impl Ground {
    fn new() -> Ground {
        let ranking = Arc::new(Ranking::default());
        let store: Arc<dyn Store> = Arc::new(WatchedStore::new(Arc::new(MemoryStore::new()), ranking.clone()));
        Ground { rows: Overlay::new(store.clone()), store, ranking, at: ItemRef::default() }
    }

    fn put(&mut self, told: &[Told]) {
        for told in told {
            let id = client_id(told.number);
            let mut client = Client::new(id, ClientKind::Company, NOW);
            let (full, bare) = (told.client.into(), told.client.into());
            let name = CompanyName { full, form: Default::default(), bare };
            client.name = said(Name::Company(name)).filter(|_| !told.client.is_empty());
            self.rows.put::<Clients>(&id, ClientRow::new(client));
            self.rows.put::<Deals>(&deal_id(told.number), deal_row(told));
        }
        self.commit();
    }

    fn remove(&mut self, number: u64) {
        self.rows.remove::<Deals>(&deal_id(number));
        self.commit();
    }

    fn task(&mut self, number: u64, due: Timestamp, responsible: &str) {
        let id = TaskId::derive(ItemRef::new(Position(number + 1), 0), 0);
        let task = Task {
            id,
            kind: TaskKind::Answer,
            title: uzel::base::Message::new("task-answer-plain"),
            client: Some(client_id(number)),
            deal: Some(deal_id(number)),
            responsible: Some(responsible.into()),
            due,
            state: TaskState::Open,
            created_at: NOW,
            renewals: 0,
            rule: "lead.open_deal".into(),
            record: ItemRef::new(Position(number + 1), 0),
            version: Position(1),
        };
        self.rows.put::<Tasks>(&id, TaskRow { task, sinks: Vec::new() });
        let listed = |slot: &mut Option<Vec<TaskId>>| packed::insert(slot.get_or_insert_default(), id);
        self.rows.update::<OpenTasks, _>(&OpenTasks::key(due, id), listed).expect("the store is in memory");
        self.commit();
    }

    fn commit(&mut self) {
        let to = ItemRef::new(Position(self.at.position.0 + 1), 0);
        self.rows.commit(self.at, to, 1).expect("the store is in memory");
        self.at = to;
    }

    fn fill(&self) {
        self.ranking.fill(self.store.as_ref(), || true);
    }

    fn seen(&self) -> uzel::query::ranking::Seen {
        self.ranking.look(&sought()).expect("it is whole")
    }
}

fn sought() -> Sought<'static> {
    static RUB: std::sync::LazyLock<Currency> = std::sync::LazyLock::new(Currency::rub);
    Sought { currency: &RUB, responsible: None, class: None, only: Only::All, after: None, rows_max: 10 }
}

/// The pages over a store, and their links.
struct Site {
    ground: Ground,
    links: Arc<PageLinks>,
    clock: Arc<ManualClock>,
    router: Router,
    _folder: tempfile::TempDir,
}

fn site(ground: Ground, troubles: Vec<Trouble>) -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = Arc::new(Vault::open(&folder.path().join("vault.json")).expect("an empty vault"));
    let links = Arc::new(PageLinks::new(vault));
    let clock = Arc::new(ManualClock::new(NOW));
    let settings = Settings::compile("uzel.toml", SETTINGS, &|_| None).expect("the settings read");
    let catalog = Arc::new(Catalog::compile(&FileSet::builtin(), &settings).expect("it compiles"));
    let (journal, _recovery) = uzel::journal::Segments::open(
        &folder.path().join("journal"),
        clock.clone(),
        uzel::journal::Options::production(1),
    )
    .expect("a new journal");
    let router = uzel::web::router(Parts {
        query: Query::new(ground.store.clone(), Arc::new(journal), catalog),
        ranking: ground.ranking.clone(),
        origins: [(Slug::literal("crm"), "https://company.bitrix24.ru".to_owned())].into(),
        links: links.clone(),
        api_tokens: vec![Secret::new(API_TOKEN)],
        troubles: Arc::new(move |_| troubles.clone()),
        clock: clock.clone(),
    });
    Site { ground, links, clock, router, _folder: folder }
}

const SETTINGS: &str = "[company]\nname = \"Рога и копыта\"\nzone = \"Europe/Moscow\"\n\
                        [connection.crm]\nconnector = \"bitrix24\"\n";

/// An answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Site {
    async fn ask(&self, path: &str, headers: &[(http::HeaderName, &str)]) -> Answer {
        let remote = "203.0.113.7".parse().ok();
        let language = headers.iter().find(|(name, _)| *name == ACCEPT_LANGUAGE).map_or("ru", |(_, value)| *value);
        let visitor = Visitor { remote, locale: Locale::from_tag(language), is_https: path.contains("https") };
        let mut request = Request::get(path).extension(visitor);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("it never fails");
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        Answer { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).expect("text") }
    }

    /// As whoever bears the token.
    async fn see(&self, path: &str) -> String {
        let answer = self.ask(path, &[(AUTHORIZATION, &format!("Bearer {API_TOKEN}"))]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.text.replace('\u{a0}', " ")
    }
}

/// The deals of the worked example, and two that are odd.
fn example() -> Vec<Told> {
    let of = |number, class, value, client, responsible| Told { client, responsible, ..told(number, class, value) };
    vec![
        of(0, Class::C, Some(1_750_000), "ООО Ромашка", "Петров"),
        Told { in_forecast: false, ..of(1, Class::E, Some(250_000), "Тюльпан", "Петров") },
        of(2, Class::B, Some(8_000_000), "Гладиолус", "Иванова"),
        of(3, Class::A, Some(27_500_000), "Сбер", "Иванова"),
        Told { in_forecast: false, ..of(4, Class::C2, Some(1_000_000), "Администрация", "") },
        of(5, Class::C1, None, "Новичок", "Иванова"),
        Told { currency: "USD", ..of(6, Class::B, Some(900_000_000), "Заморский", "Петров") },
    ]
}

fn example_site() -> Site {
    let mut ground = Ground::new();
    ground.put(&example());
    ground.fill();
    site(ground, Vec::new())
}

/// Names of clients in the order of the list.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("<p class=\"name\">").skip(1);
    let bare = |row: &str| row.split("</p>").next().unwrap_or_default().to_owned();
    rows.map(bare).map(|row| row.rsplit_once("\">").map_or(row.clone(), |(_, it)| it.replace("</a>", ""))).collect()
}

#[tokio::test]
async fn the_page_says_the_totals_and_lists_deals_by_priority() {
    let page = example_site().see("/").await;
    for text in [
        "Рога и копыта",
        "372 500 ₽",
        "385 000 ₽",
        "1 сделка без суммы",
        "в другой валюте: 9 000 000 $ (1 сделка)",
        "71 % всей суммы — в одной сделке",
        "статус: КП (+30 %)",
        "550 000 ₽ × 50 %",
        "Связи работают",
        "Никто не ждёт",
        "КП, <span class=\"days\">3 дня",
    ] {
        assert!(page.contains(text), "{text}:\n{page}");
    }
    let expected = ["Сбер", "Заморский", "Гладиолус", "ООО Ромашка", "Новичок", "Администрация", "Тюльпан"];
    assert_eq!(listed(&page), expected);
}

#[tokio::test]
async fn each_number_leads_to_its_deals() {
    let site = example_site();
    for (query, expected) in [
        ("/?class=B", vec!["Заморский", "Гладиолус"]),
        ("/?show=forecast", vec!["Сбер", "Гладиолус", "ООО Ромашка"]),
        ("/?show=unpriced", vec!["Новичок"]),
        ("/?show=currency", vec!["Заморский"]),
        ("/?of=%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2&class=E", vec!["Тюльпан"]),
        ("/?of=", vec!["Администрация"]),
        ("/?class=F", vec![]),
        // What does not read is as if it were not there.
        ("/?class=%3Cscript%3E&show=x&after=y&of=Иванова", vec!["Сбер", "Гладиолус", "Новичок"]),
    ] {
        let query = query.replace("Иванова", "%D0%98%D0%B2%D0%B0%D0%BD%D0%BE%D0%B2%D0%B0");
        let page = site.see(&query).await;
        assert_eq!(listed(&page), expected, "{query}");
        assert_eq!(page.contains("Таких сделок нет"), expected.is_empty(), "{query}");
    }
    let page = site.see("/").await;
    for href in ["/?class=A#deals", "/?show=forecast#deals", "/?show=unpriced#deals", "/?of=#deals"] {
        assert!(page.contains(&format!("href=\"{href}\"")), "{href}: {page}");
    }
    // The totals are those of the responsible.
    let page = site.see("/?of=%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2").await;
    assert!(page.contains("17 500 ₽") && page.contains("20 000 ₽") && !page.contains("372 500 ₽"), "{page}");
}

#[tokio::test]
async fn a_long_list_is_turned_page_by_page_and_none_is_missed() {
    let mut ground = Ground::new();
    let many: Vec<Told> = (0..120).map(|number| told(number, Class::C, Some((number as i64 % 7) * 100))).collect();
    ground.put(&many);
    ground.fill();
    let site = site(ground, Vec::new());
    let (mut path, mut names, mut ranges) = ("/?class=C".to_owned(), Vec::new(), Vec::new());
    loop {
        let page = site.see(&path).await;
        names.extend(listed(&page));
        ranges.push(page.split("из 120").next().and_then(|it| it.rsplit('>').next()).unwrap_or_default().to_owned());
        let page = page.replace("&#38;", "&");
        let Some(next) = page.split("href=\"").find(|it| it.contains("after=") && it.contains("#deals\"")) else {
            break;
        };
        path = next.split(['"', '#']).next().unwrap_or_default().to_owned();
        assert!(ranges.len() < 4, "the list goes round: {ranges:?}");
    }
    assert_eq!(ranges, ["1–50 ", "51–100 ", "101–120 "]);
    assert_eq!(names.len(), 120);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 120, "each once");
}

#[tokio::test]
async fn a_hostile_name_stays_text() {
    let mut ground = Ground::new();
    let hostile = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>";
    ground.put(&[Told {
        client: hostile,
        comment: "</p><a href=\"javascript:alert(3)\">сюда</a>",
        responsible: "\"><b>кто</b>",
        ..told(0, Class::A, Some(100))
    }]);
    ground.task(0, NOW.plus_ms(-DAY_MS), "\"><b>кто</b>");
    ground.fill();
    let site = site(ground, Vec::new());
    for path in ["/", "/page/tasks", "/?of=%22%3E%3Cb%3E%D0%BA%D1%82%D0%BE%3C%2Fb%3E", "/?of=%22%3E%3Cscript%3E"] {
        let page = site.see(path).await;
        for tag in ["<script", "<img", "<b>", "href=\"javascript"] {
            assert!(!page.contains(tag), "{path}: {tag} in\n{page}");
        }
    }
}

#[tokio::test]
async fn what_waits_stands_by_its_deadline_and_says_how_late_it_is() {
    let mut ground = Ground::new();
    ground.put(&example());
    ground.task(0, NOW.plus_ms(3_600_000), "Петров");
    ground.task(3, NOW.plus_ms(-2 * 3_600_000), "Иванова");
    ground.fill();
    let site = site(ground, Vec::new());
    let page = site.see("/").await;
    assert!(page.contains("2 задачи, просрочено 1") && page.contains("просрочена на 2 ч"), "{page}");
    let tasks = site.see("/page/tasks").await;
    let (late, waits) = (tasks.find("Сбер").expect("it is late"), tasks.find("ООО Ромашка").expect("it waits"));
    assert!(late < waits, "{tasks}");
    let his = site.see("/page/tasks?of=%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2").await;
    assert!(his.contains("ООО Ромашка") && !his.contains("Сбер"), "{his}");
}

#[tokio::test]
async fn what_is_wrong_stands_in_plain_words() {
    let trouble = Trouble {
        is_grave: true,
        what: "В «crm» сейчас ничего не записывается".to_owned(),
        why: Some("<QUERY_LIMIT>".to_owned()),
        next: "Подождите".to_owned(),
        since: String::new(),
    };
    let page = site(Ground::new(), vec![trouble]).see("/").await;
    for text in ["В «crm» сейчас ничего не записывается", "QUERY_LIMIT", "Подождите", "trouble grave"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Связи работают") && !page.contains("<QUERY_LIMIT>"), "{page}");
}

#[tokio::test]
async fn an_empty_page_says_what_to_do_and_one_that_counts_comes_again() {
    let ground = Ground::new();
    let site = site(ground, Vec::new());
    let page = site.see("/").await;
    assert!(page.contains("прочитано 0") && page.contains("http-equiv=\"refresh\""), "{page}");
    site.ground.fill();
    let page = site.see("/").await;
    assert!(page.contains("Открытых сделок пока нет") && !page.contains("http-equiv"), "{page}");
}

#[tokio::test]
async fn the_language_is_the_browsers_or_the_addresss() {
    let site = example_site();
    let bearer = format!("Bearer {API_TOKEN}");
    for (path, language, expected) in [
        ("/", "ru-RU,ru;q=0.9", "Сделки по приоритету"),
        ("/", "en-US,en;q=0.9,ru;q=0.8", "Deals by priority"),
        ("/?lang=ru", "en", "Сделки по приоритету"),
        ("/?lang=en&class=A", "ru", "Deals by priority"),
        ("/page/tasks?lang=en", "ru", "What waits"),
    ] {
        let answer = site.ask(path, &[(AUTHORIZATION, &bearer), (ACCEPT_LANGUAGE, language)]).await;
        assert!(answer.text.contains(expected), "{path} {language}: {}", answer.text);
    }
    let english = site.see("/?lang=en&class=A").await;
    assert!(english.contains("/?lang=ru&#38;class=A") || english.contains("/?lang=ru&amp;class=A"), "{english}");
    assert!(english.contains("275,000 ₽"), "{english}");
}

#[tokio::test]
async fn a_link_opens_the_page_by_a_cookie_and_leaves_the_address() {
    let site = example_site();
    let (link, token) = site.links.make("Иванова", NOW.plus_ms(30 * DAY_MS), NOW).expect("it is made");
    let open = format!("/page/open/{}", token.expose());
    let answer = site.ask(&open, &[]).await;
    assert_eq!((answer.status, &answer.headers[LOCATION]), (StatusCode::SEE_OTHER, &"/".parse().expect("a value")));
    let cookie = answer.headers[SET_COOKIE].to_str().expect("text").to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    assert!(!cookie.contains("Secure"), "over http a browser would not send it back: {cookie}");
    let pair = cookie.split(';').next().expect("a pair").to_owned();
    let with_cookie = |pair: String| async move { format!("other=1; {pair}; x=y") };
    let sent = with_cookie(pair).await;
    let page = site.ask("/", &[(COOKIE, &sent)]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains(token.expose()), "the token stands nowhere on the page");
    // Taken back, it closes at once.
    site.links.revoke(link.id).expect("written");
    let closed = site.ask("/", &[(COOKIE, &sent)]).await;
    assert_eq!(closed.status, StatusCode::FORBIDDEN);
    assert!(closed.text.contains("uzel page link") && !closed.text.contains("Рога"), "{}", closed.text);
}

#[tokio::test]
async fn without_a_link_nobody_sees_anything() {
    let site = example_site();
    let (_, token) = site.links.make("x", NOW.plus_ms(DAY_MS), NOW).expect("it is made");
    let over = format!("uzel_page={}", token.expose());
    site.clock.set(NOW.plus_ms(DAY_MS));
    for (path, headers, status) in [
        ("/", vec![], StatusCode::FORBIDDEN),
        ("/page/tasks", vec![], StatusCode::FORBIDDEN),
        ("/", vec![(COOKIE, "uzel_page=")], StatusCode::FORBIDDEN),
        ("/", vec![(COOKIE, &*over)], StatusCode::FORBIDDEN),
        ("/", vec![(AUTHORIZATION, "Bearer wrong")], StatusCode::FORBIDDEN),
        ("/", vec![(AUTHORIZATION, "Basic x")], StatusCode::FORBIDDEN),
        ("/page/open/wrong", vec![], StatusCode::FORBIDDEN),
        ("/page/nothing", vec![], StatusCode::NOT_FOUND),
        ("/page/style.css", vec![], StatusCode::OK),
    ] {
        let answer = site.ask(path, &headers).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
        for text in ["Сбер", "372", "Рога"] {
            assert!(!answer.text.contains(text), "{path}: {text}");
        }
        for (name, part) in [
            ("content-security-policy", "default-src 'none'"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert!(answer.headers[name].to_str().is_ok_and(|it| it.contains(part)), "{path}: {name}");
        }
        let kept = if path.ends_with(".css") { "public" } else { "no-store" };
        assert!(answer.headers["cache-control"].to_str().is_ok_and(|it| it.contains(kept)), "{path}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_and_locks_nobody_out_who_has_a_link() {
    let site = example_site();
    let (_, token) = site.links.make("x", NOW.plus_ms(DAY_MS), NOW).expect("it is made");
    let cookie = format!("uzel_page={}", token.expose());
    for _ in 0..uzel::base::limits::LOGIN_FAILURES_MAX {
        assert_eq!(site.ask("/page/open/guess", &[]).await.status, StatusCode::FORBIDDEN);
    }
    let waits = site.ask("/page/open/guess", &[]).await;
    assert_eq!((waits.status, waits.headers["retry-after"].to_str().ok()), (StatusCode::TOO_MANY_REQUESTS, Some("60")));
    assert_eq!(site.ask("/", &[(COOKIE, &cookie)]).await.status, StatusCode::OK);
    site.clock.set(NOW.plus_ms(61_000));
    assert_eq!(site.ask(&format!("/page/open/{}", token.expose()), &[]).await.status, StatusCode::SEE_OTHER);
}

#[test]
fn the_ranking_follows_every_commit() {
    let mut ground = Ground::new();
    ground.put(&example());
    ground.fill();
    assert_eq!(ground.ranking.progress(), Progress::Whole { is_full: false });
    let all = |ground: &Ground| ground.seen().totals.all_minor;
    assert_eq!(all(&ground), 38_500_000);
    // A deal grows, another is lost, a third is new, a fourth comes back.
    ground.put(&[told(0, Class::A, Some(30_000_000))]);
    assert_eq!((all(&ground), ground.seen().page[0].deal), (66_750_000, deal_id(0)));
    ground.remove(3);
    assert_eq!((all(&ground), ground.seen().fits), (39_250_000, 6));
    ground.put(&[told(9, Class::B, Some(100)), told(3, Class::A, Some(1))]);
    assert_eq!((all(&ground), ground.seen().fits), (39_250_101, 8));
}

#[test]
fn what_is_committed_while_it_is_read_wins() {
    let mut ground = Ground::new();
    ground.put(&(0..600).map(|number| told(number, Class::C, Some(100))).collect::<Vec<_>>());
    let (ranking, store) = (ground.ranking.clone(), ground.store.clone());
    let pages = std::cell::Cell::new(0);
    let ground = std::cell::RefCell::new(ground);
    // After the second page: one that was read changes, one that was not goes, one is new.
    ranking.fill(store.as_ref(), || {
        pages.set(pages.get() + 1);
        if pages.get() == 3 {
            let mut ground = ground.borrow_mut();
            ground.put(&[told(5, Class::A, Some(7)), told(700, Class::B, Some(9))]);
            ground.remove(599);
        }
        true
    });
    let seen = ground.borrow().seen();
    assert_eq!((seen.fits, seen.totals.all_minor), (600, 598 * 100 + 7 + 9));
    let first: Vec<DealId> = seen.page.iter().take(2).map(|place| place.deal).collect();
    assert_eq!(first, [deal_id(5), deal_id(700)]);
}

#[test]
fn the_ranking_says_what_the_rows_say() {
    use proptest::prelude::*;
    let one = (0u64..40, 0usize..8, proptest::option::of(-500i64..5_000), proptest::bool::ANY);
    let steps = proptest::collection::vec(proptest::collection::vec(one, 1..6), 1..25);
    proptest!(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() }, |(steps in steps)| {
        let mut ground = Ground::new();
        ground.fill();
        for step in &steps {
            for (number, class, value, is_gone) in step {
                match is_gone {
                    true => ground.remove(*number),
                    false => ground.put(&[told(*number, Class::ALL[*class], *value)]),
                }
            }
        }
        let rows: Vec<_> = uzel::tables::Reader::new(ground.store.as_ref())
            .rows(uzel::tables::Span::<Deals>::all())
            .map(|row| row.expect("it reads").1.deal)
            .collect();
        let scores: Vec<&Score> = rows.iter().filter_map(|deal| deal.score.as_ref()).collect();
        let seen = ground.seen();
        prop_assert_eq!(&seen.totals, &Totals::of(&Currency::rub(), scores.iter().copied()));
        let mut places: Vec<Place> = rows
            .iter()
            .filter_map(|deal| {
                let score = deal.score.as_ref()?;
                Some(Place { class: score.class, value_minor: score.value_minor, deal: deal.id })
            })
            .collect();
        places.sort();
        prop_assert_eq!(seen.fits, places.len() as u64);
        prop_assert!(seen.page.iter().eq(places.iter().take(10)));
        // The page behind any place begins right after it.
        for after in places.iter().take(3) {
            let next = ground.ranking.look(&Sought { after: Some(*after), ..sought() }).expect("whole").page;
            prop_assert!(next.iter().eq(places.iter().filter(|it| *it > after).take(10)));
            prop_assert_eq!(after.to_string().parse::<Place>().ok(), Some(*after));
        }
    });
}

#[test]
fn a_followed_store_keeps_the_promises() {
    uzel::store::conformance::run(|| WatchedStore::new(Arc::new(MemoryStore::new()), Arc::new(Ranking::default())));
}
