//! The 1C exchange, request by request, as UT 11 and UNF speak it.

use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Method;
use tempfile::TempDir;
use tokio::sync::watch;
use uzel::base::clock::ManualClock;
use uzel::base::limits::{EXCHANGE_IDLE_MS, EXCHANGE_SESSION_AGE_MS, EXCHANGE_SESSIONS_MAX, LOGIN_FAILURES_MAX};
use uzel::base::{Locale, Message, Position, Secret, Slug, Timestamp};
use uzel::decode::commerceml::{self, Content};
use uzel::entry::{Entry, Received};
use uzel::journal::{Journal as _, MemoryJournal, Takes};
use uzel::source::exchange::{
    Chunk, Exchange, ExchangeRequest, ExchangeSettings, ImportCounts, ImportProgress, NOTE_COMPLETE, NOTE_FILE,
    NOTE_SCHEMA, NOTE_TYPE, Progress, RequestBody, WholeBody, parse_query,
};
use zip::write::{SimpleFileOptions, ZipWriter};

const RIGHT: &str = "Basic 0L7QsdC80LXQvTpz0LVjcmV0IDE=";

/// The pipeline, as the exchange sees it: each position's progress is set by the test.
struct Pipeline {
    states: Mutex<Vec<(Position, ImportProgress)>>,
    moved: watch::Sender<Position>,
}

impl Pipeline {
    fn set(&self, position: u64, state: ImportProgress) {
        self.states.lock().expect("no panic while held").push((Position(position), state));
        self.moved.send_replace(Position(position));
    }
}

impl Progress for Pipeline {
    fn of(&self, position: Position) -> ImportProgress {
        let states = self.states.lock().expect("no panic while held");
        states.iter().rev().find(|(at, _)| *at == position).map_or(ImportProgress::Waiting, |(_, state)| state.clone())
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.moved.subscribe()
    }
}

struct Fixture {
    folder: TempDir,
    journal: Arc<MemoryJournal>,
    clock: Arc<ManualClock>,
    pipeline: Arc<Pipeline>,
    exchange: Exchange,
}

fn open(folder: &Path, journal: &Arc<MemoryJournal>, clock: &Arc<ManualClock>, pipeline: &Arc<Pipeline>) -> Exchange {
    let settings = ExchangeSettings {
        connection: Slug::literal("1c"),
        connector: Slug::literal("commerceml"),
        login: "обмен".into(),
        password: Secret::new("sеcret 1"),
        file_limit: 1000,
        zip: true,
        locale: Locale::En,
    };
    Exchange::new(
        settings,
        folder.join("spool"),
        Arc::clone(journal) as _,
        Arc::clone(clock) as _,
        Arc::clone(pipeline) as _,
    )
    .expect("a fresh folder")
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let journal = Arc::new(MemoryJournal::new());
        let clock = Arc::new(ManualClock::new(Timestamp(1_800_000_000_000)));
        let pipeline = Arc::new(Pipeline { states: Mutex::default(), moved: watch::Sender::new(Position::START) });
        let exchange = open(folder.path(), &journal, &clock, &pipeline);
        Fixture { folder, journal, clock, pipeline, exchange }
    }

    /// The daemon stops without a word and starts again.
    fn restart(&mut self) {
        self.exchange = open(self.folder.path(), &self.journal, &self.clock, &self.pipeline);
    }

    async fn ask(&self, cookie: Option<&str>, query: &str, body: impl RequestBody + 'static) -> String {
        let request = ExchangeRequest {
            method: if query.contains("mode=file") { Method::POST } else { Method::GET },
            query: parse_query(query.as_bytes()),
            authorization: Some(RIGHT.into()),
            cookie: cookie.map(|id| format!("other=1; uzel={id}")),
            remote: None,
            body: Box::new(body),
        };
        let reply = self.exchange.handle(request).await;
        String::from_utf8(reply.body).expect("answers are UTF-8")
    }

    async fn get(&self, cookie: &str, query: &str) -> String {
        self.ask(Some(cookie), query, WholeBody(None)).await
    }

    async fn post(&self, cookie: &str, query: &str, body: &[u8]) -> String {
        self.ask(Some(cookie), query, WholeBody(Some(Bytes::copy_from_slice(body)))).await
    }

    /// `checkauth` and `init`: the id of the session.
    async fn login(&self, kind: &str) -> String {
        let answer = self.ask(None, &format!("type={kind}&mode=checkauth"), WholeBody(None)).await;
        let lines: Vec<_> = answer.split('\n').collect();
        assert_eq!(lines[..2], ["success", "uzel"]);
        assert_eq!(lines[3], format!("sessid={}", lines[2]));
        let init = self.get(lines[2], &format!("type={kind}&mode=init")).await;
        assert_eq!(init, "zip=yes\nfile_limit=1000");
        lines[2].to_owned()
    }

    fn envelopes(&self) -> Vec<Received> {
        let entries = self.journal.read(Position(1), 1000, usize::MAX).expect("the journal reads");
        let received = |entry: Entry| match entry {
            Entry::Received(it) => it,
            other => panic!("{other:?} is no envelope"),
        };
        entries.iter().map(|it| received(Entry::decode(it.kind, &it.payload).expect("an entry"))).collect()
    }

    /// Each envelope as `file (complete): streams of its items`.
    fn summary(&self) -> Vec<String> {
        let line = |envelope: &Received| {
            let body = self.journal.open_body(&envelope.body).expect("the body is there");
            let file = envelope.header(NOTE_FILE).expect("a name");
            let items: Vec<_> = commerceml::open(file, body)
                .map(|item| match item.content {
                    Content::Record(record) => record.stream.to_string(),
                    Content::Broken(_) => "broken".to_owned(),
                })
                .collect();
            format!("{file} {}: {}", envelope.header(NOTE_COMPLETE).unwrap_or("?"), items.join(" "))
        };
        self.envelopes().iter().map(line).collect()
    }

    fn spooled(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for session in std::fs::read_dir(self.folder.path().join("spool")).expect("the spool") {
            let files = std::fs::read_dir(session.expect("an entry").path()).expect("a session");
            found.extend(files.map(|file| file.expect("an entry").path()));
        }
        found
    }
}

fn done(applied: u64, quarantined: u64) -> ImportProgress {
    ImportProgress::Done(ImportCounts { applied, quarantined, ..ImportCounts::default() })
}

fn orders() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/commerceml/ut11-orders-2.07.xml");
    std::fs::read(path).expect("the fixture is there")
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default()).expect("memory does not fail");
        zip.write_all(content).expect("memory does not fail");
    }
    zip.finish().expect("memory does not fail").into_inner()
}

const CATALOGUE: &str = "<КоммерческаяИнформация ВерсияСхемы=\"2.07\"><Каталог><Товары><Товар><Ид>1</Ид></Товар></Товары></Каталог></КоммерческаяИнформация>";

#[tokio::test]
async fn orders_in_chunks_are_journalled_without_import() {
    let it = Fixture::new();
    let session = it.login("sale").await;
    let body = orders();
    // The odd size cuts letters of two bytes in the middle.
    let chunks: Vec<_> = body.chunks(1001).collect();
    assert!(chunks.iter().any(|chunk| std::str::from_utf8(chunk).is_err()));
    for (index, chunk) in chunks.iter().enumerate() {
        assert!(it.envelopes().is_empty(), "nothing is journalled before chunk {index}");
        let answer = it.post(&session, "type=sale&mode=file&filename=orders-1_1.xml", chunk).await;
        assert_eq!(answer, "success");
    }
    assert_eq!(it.summary(), ["orders-1_1.xml yes: order order document"]);
    let envelope = &it.envelopes()[0];
    assert_eq!((&*envelope.connection, &*envelope.connector, &*envelope.stream), ("1c", "commerceml", "exchange"));
    assert_eq!(envelope.header(NOTE_TYPE), Some("sale"));
    assert_eq!(envelope.header(NOTE_SCHEMA), Some("2.07"));
    let mut bytes = Vec::new();
    it.journal.open_body(&envelope.body).expect("the body").read_to_end(&mut bytes).expect("it reads");
    assert_eq!(bytes, body);
    assert!(it.spooled().iter().all(|path| path.extension().is_some_and(|it| it == "note")), "{:?}", it.spooled());
}

#[tokio::test]
async fn a_zip_with_several_files_and_a_picture_before_them() {
    let it = Fixture::new();
    let session = it.login("catalog").await;
    let picture = it.post(&session, "type=catalog&mode=file&filename=import_files/a1/a1.jpg", b"\xff\xd8\xff").await;
    assert_eq!(picture, "success");
    let zip = zip_of(&[
        ("import_files/b2/b.png", b"png"),
        ("import0_1.xml", CATALOGUE.as_bytes()),
        ("offers0_1.xml", CATALOGUE.as_bytes()),
    ]);
    for chunk in zip.chunks(100) {
        assert_eq!(it.post(&session, "type=catalog&mode=file&filename=v8_1A2B_9.zip", chunk).await, "success");
    }
    assert_eq!(it.summary(), ["v8_1A2B_9.zip yes: product product"]);

    it.pipeline.set(1, done(2, 1));
    for file in ["import0_1.xml", "offers0_1.xml", "v8_1A2B_9.zip"] {
        let answer = it.get(&session, &format!("type=catalog&mode=import&filename={file}")).await;
        assert_eq!(answer, "success\napplied: 2\nin quarantine: 1; look with `uzel quarantine list`", "{file}");
    }
    let answer = it.get(&session, "type=catalog&mode=import&filename=prices0_1.xml").await;
    assert!(answer.starts_with("failure\nprices0_1.xml: "), "{answer}");
    assert_eq!(it.get(&session, "type=catalog&mode=deactivate&timestamp=1").await, "success");
    assert_eq!(it.get(&session, "type=catalog&mode=complete").await, "success");
    assert_eq!(it.envelopes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn import_answers_progress_until_the_pipeline_is_done() {
    let it = Fixture::new();
    let session = it.login("catalog").await;
    it.post(&session, "type=catalog&mode=file&filename=import0_1.xml", CATALOGUE.as_bytes()).await;
    let query = "type=catalog&mode=import&filename=import0_1.xml";
    let started = tokio::time::Instant::now();
    assert_eq!(it.get(&session, query).await, "progress\nwaiting for its turn");
    // UT 11 asks again at once: the answer took its time.
    assert!(started.elapsed() >= std::time::Duration::from_secs(4));
    it.pipeline.set(1, ImportProgress::Applying { done: 3, total: 10 });
    assert_eq!(it.get(&session, query).await, "progress\ndone: 3 of 10");

    let started = tokio::time::Instant::now();
    let (answer, ()) = tokio::join!(it.get(&session, query), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        it.pipeline.set(1, done(1, 0));
    });
    assert_eq!(answer, "success\napplied: 1");
    assert!(started.elapsed() < std::time::Duration::from_secs(1), "it answers as soon as it is done");
    assert_eq!(it.get(&session, query).await, "success\napplied: 1", "however often it is asked");

    it.pipeline.set(1, ImportProgress::Failed(Message::new("decode-commerceml-empty").with("file", "import0_1.xml")));
    let answer = it.get(&session, query).await;
    assert_eq!(answer, "failure\nimport0_1.xml: the file is empty. Repeat the exchange from 1C.");
}

#[tokio::test]
async fn the_same_set_sent_again_has_the_same_keys() {
    let it = Fixture::new();
    let body = orders();
    for _ in 0..2 {
        let session = it.login("sale").await;
        it.post(&session, "type=sale&mode=file&filename=orders.xml", &body).await;
        let zip = zip_of(&[("import0_1.xml", CATALOGUE.as_bytes())]);
        let name = format!("type=sale&mode=file&filename=v8_{session}.zip");
        it.post(&session, &name, &zip).await;
    }
    let keys: Vec<_> = it.envelopes().iter().map(|envelope| envelope.idempotency_key).collect();
    assert_eq!(keys.len(), 4);
    assert_eq!(keys[..2], keys[2..]);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn two_sessions_in_parallel_do_not_mix() {
    let it = Fixture::new();
    let (one, two) = (it.login("catalog").await, it.login("sale").await);
    assert_ne!(one, two);
    let body = orders();
    let (left, right) = body.split_at(body.len() / 2);
    let query = "type=sale&mode=file&filename=same.xml";
    it.post(&one, query, left).await;
    it.post(&two, query, left).await;
    it.post(&two, query, right).await;
    it.post(&one, query, right).await;
    assert_eq!(it.summary(), ["same.xml yes: order order document", "same.xml yes: order order document"]);
}

#[tokio::test]
async fn an_interrupted_file_is_journalled_when_1c_is_silent() {
    let it = Fixture::new();
    let session = it.login("sale").await;
    let body = orders();
    it.post(&session, "type=sale&mode=file&filename=orders.xml", &body[..body.len() - 20]).await;
    let soon = Timestamp(1_800_000_000_000).plus_ms(EXCHANGE_IDLE_MS - 1);
    assert_eq!(it.exchange.finish_idle(soon).await, Ok(0));
    assert_eq!(it.exchange.finish_idle(soon.plus_ms(1)).await, Ok(1));
    assert_eq!(it.exchange.finish_idle(soon.plus_ms(2)).await, Ok(0));
    assert_eq!(it.summary(), ["orders.xml no: order order document broken"]);
    assert!(!it.spooled().is_empty(), "its place is remembered for import");
    assert_eq!(it.exchange.finish_idle(soon.plus_ms(EXCHANGE_SESSION_AGE_MS)).await, Ok(0));
    assert_eq!(it.spooled(), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    let mut it = Fixture::new();
    let session = it.login("sale").await;
    let body = orders();
    let query = "type=sale&mode=file&filename=orders.xml";
    assert_eq!(it.post(&session, query, &body[..1000]).await, "success");
    // A chunk that was never acknowledged: its bytes lie there, the power went.
    let data = it.spooled().into_iter().find(|path| path.extension().is_some_and(|it| it == "data"));
    let data = data.expect("the chunk is there");
    let mut file = std::fs::OpenOptions::new().append(true).open(&data).expect("it opens");
    file.write_all(b"half a chunk").expect("it writes");
    std::fs::write(data.with_file_name("77.data"), b"never acknowledged").expect("it writes");
    it.restart();
    assert_eq!(it.spooled().len(), 2, "{:?}", it.spooled());
    assert_eq!(it.post(&session, query, &body[1000..]).await, "success");
    assert_eq!(it.summary(), ["orders.xml yes: order order document"]);

    // Where the file went is remembered too.
    it.restart();
    it.pipeline.set(1, done(3, 0));
    assert_eq!(it.get(&session, "type=sale&mode=import&filename=orders.xml").await, "success\napplied: 3");
}

#[tokio::test]
async fn an_upload_left_by_a_crash_is_finished() {
    let mut it = Fixture::new();
    let session = it.login("sale").await;
    it.post(&session, "type=sale&mode=file&filename=orders.xml", &orders()[..1000]).await;
    it.restart();
    let later = Timestamp(1_800_000_000_000).plus_ms(EXCHANGE_IDLE_MS);
    assert_eq!(it.exchange.finish_idle(later).await, Ok(1));
    assert_eq!(it.summary(), ["orders.xml no: broken"]);
}

#[tokio::test]
async fn a_file_begun_again_replaces_the_unfinished_one() {
    let it = Fixture::new();
    let session = it.login("sale").await;
    let body = orders();
    it.post(&session, "type=sale&mode=file&filename=orders.xml", &body[..3000]).await;
    it.post(&session, "type=sale&mode=file&filename=orders.xml", &body).await;
    it.post(&session, "type=sale&mode=file&filename=orders.xml", b"\r\n").await;
    it.post(&session, "type=sale&mode=file&filename=next.xml", &body[..3000]).await;
    assert_eq!(it.get(&session, "type=sale&mode=init").await, "zip=yes\nfile_limit=1000");
    let later = Timestamp(1_800_000_000_000).plus_ms(EXCHANGE_IDLE_MS);
    assert_eq!(it.exchange.finish_idle(later).await, Ok(0), "init empties what is unfinished");
    assert_eq!(it.summary(), ["orders.xml yes: order order document"]);
}

#[tokio::test]
async fn init_keeps_a_file_that_is_whole_but_for_its_tail() {
    let it = Fixture::new();
    let session = it.login("catalog").await;
    let body = format!("{CATALOGUE}<!-- end -->");
    it.post(&session, "type=catalog&mode=file&filename=import0_1.xml", body.as_bytes()).await;
    assert!(it.envelopes().is_empty());
    it.get(&session, "type=catalog&mode=init").await;
    assert_eq!(it.summary(), ["import0_1.xml yes: product"]);
}

#[tokio::test]
async fn import_finishes_what_has_no_end() {
    let it = Fixture::new();
    let session = it.login("catalog").await;
    let zip = zip_of(&[("import0_1.xml", CATALOGUE.as_bytes())]);
    it.post(&session, "type=catalog&mode=file&filename=v8.zip", &zip[..zip.len() - 5]).await;
    it.pipeline.set(
        1,
        ImportProgress::Failed(Message::new("decode-archive-damaged").with("file", "v8.zip").with("detail", "x")),
    );
    let answer = it.get(&session, "type=catalog&mode=import&filename=import0_1.xml").await;
    assert!(answer.starts_with("failure\n"), "{answer}");
    assert_eq!(it.summary(), ["v8.zip no: broken"]);
    // By its own name the reason is told.
    let answer = it.get(&session, "type=catalog&mode=import&filename=v8.zip").await;
    assert_eq!(answer, "failure\nv8.zip: the archive cannot be read (x). Repeat the exchange from 1C.");
}

#[tokio::test]
async fn a_lost_cookie_does_no_harm() {
    let it = Fixture::new();
    let body = orders();
    let (left, right) = body.split_at(2000);
    for part in [left, right] {
        let chunk = WholeBody(Some(Bytes::copy_from_slice(part)));
        assert_eq!(it.ask(None, "type=sale&mode=file&filename=orders.xml", chunk).await, "success");
    }
    assert_eq!(it.envelopes().len(), 1);
    it.pipeline.set(1, done(3, 0));
    let session = it.login("sale").await;
    let query = format!("type=sale&mode=import&filename=orders.xml&sessid={session}");
    assert_eq!(it.ask(None, &query, WholeBody(None)).await, "success\napplied: 3", "found in another session");
}

#[tokio::test]
async fn only_who_knows_the_password_gets_in() {
    let it = Fixture::new();
    let ask = |authorization: Option<&str>, cookie: Option<&str>| ExchangeRequest {
        method: Method::GET,
        query: parse_query(b"type=sale&mode=checkauth"),
        authorization: authorization.map(str::to_owned),
        cookie: cookie.map(|id| format!("uzel={id}")),
        remote: Some([127, 0, 0, 1].into()),
        body: Box::new(WholeBody(None)),
    };
    let session = it.login("sale").await;
    let first_line = |body: Vec<u8>| String::from_utf8_lossy(&body).lines().next().unwrap_or_default().to_owned();
    for wrong in
        [None, Some("Basic"), Some("Basic !!!"), Some("Basic YTpi"), Some("Bearer x"), Some("Basic 0L7QsdC80LXQvTo=")]
    {
        let reply = it.exchange.handle(ask(wrong, None)).await;
        assert_eq!(first_line(reply.body), "failure", "{wrong:?}");
        assert_eq!(reply.content_type, "text/plain; charset=utf-8");
    }
    for (cookie, mode, expected) in [
        (Some(session.as_str()), "success", "success"),
        (Some("00000000000000000000000000000000"), "success", "failure"),
        (Some("../../etc"), "success", "failure"),
        (None, "success", "failure"),
    ] {
        let mut request = ask(None, cookie);
        request.query = parse_query(format!("type=sale&mode={mode}").as_bytes());
        assert_eq!(first_line(it.exchange.handle(request).await.body), expected, "{cookie:?}");
    }
    for _ in 0..LOGIN_FAILURES_MAX {
        it.exchange.handle(ask(Some("Basic YTpi"), None)).await;
    }
    let text = String::from_utf8(it.exchange.handle(ask(Some(RIGHT), None)).await.body).expect("UTF-8");
    assert!(text.starts_with("failure\ntoo many wrong logins"), "{text}");
    let mut elsewhere = ask(Some(RIGHT), None);
    elsewhere.remote = Some([127, 0, 0, 2].into());
    assert_eq!(first_line(it.exchange.handle(elsewhere).await.body), "success");
    it.clock.advance_ms(60_001);
    assert_eq!(first_line(it.exchange.handle(ask(Some(RIGHT), None)).await.body), "success");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let it = Fixture::new();
    let session = it.login("catalog").await;
    for name in ["../x.xml", "/etc/passwd", "..%2F..%2Fx.xml", "C:\\x.xml", "", "a%00b.xml"] {
        let answer = it.post(&session, &format!("type=catalog&mode=file&filename={name}"), b"<a/>").await;
        assert!(answer.starts_with("failure\nthis file name is not accepted"), "{name}: {answer}");
    }
    assert_eq!(it.spooled(), [] as [PathBuf; 0]);
}

#[tokio::test]
async fn two_lines_of_init_and_more_only_for_who_asks() {
    let it = Fixture::new();
    let session = it.login("sale").await;
    let answer = it.get(&session, "type=sale&mode=init&version=2.09&cmlVersion=2.10").await;
    assert_eq!(answer, format!("zip=yes\nfile_limit=1000\nsessid={session}\nversion=2.09"));
    let answer = it.get(&session, "type=sale&mode=init&version=<x>").await;
    assert_eq!(answer, format!("zip=yes\nfile_limit=1000\nsessid={session}\nversion=2.09"));
}

#[tokio::test]
async fn orders_for_1c_are_a_valid_empty_file() {
    let it = Fixture::new();
    let session = it.login("sale").await;
    let xml = it.get(&session, "type=sale&mode=query").await;
    assert!(
        xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"2.07\" ")
    );
    assert_eq!(commerceml::open("query", Cursor::new(xml.as_bytes())).count(), 0);
    assert_eq!(it.get(&session, "type=sale&mode=success").await, "success");
    assert!(it.get(&session, "type=sale&mode=info").await.starts_with("<?xml"));
    for unknown in ["type=catalog&mode=query", "type=crm&mode=query", "type=sale&mode=x", "type=sale", ""] {
        assert!(it.get(&session, unknown).await.starts_with("failure\n"), "{unknown}");
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_half_done() {
    let it = Fixture::new();
    let session = it.login("sale").await;
    let body = orders();
    let query = "type=sale&mode=file&filename=orders.xml";
    assert_eq!(it.post(&session, query, &body[..2000]).await, "success");
    it.journal.set_takes(Takes::NoIntake);
    assert!(it.post(&session, query, &body[2000..]).await.starts_with("failure\n"));
    it.journal.set_takes(Takes::All);
    assert_eq!(it.post(&session, query, &body[2000..]).await, "success");
    assert_eq!(it.summary(), ["orders.xml yes: order order document"]);
}

#[tokio::test]
async fn a_chunk_that_breaks_off_is_taken_back() {
    struct Torn(Vec<Bytes>);
    impl RequestBody for Torn {
        fn chunk(&mut self) -> Chunk<'_> {
            let next = self.0.pop();
            Box::pin(async move { next.map(Some).ok_or_else(|| std::io::Error::other("connection reset")) })
        }
    }
    let it = Fixture::new();
    let session = it.login("sale").await;
    let body = orders();
    let query = "type=sale&mode=file&filename=orders.xml";
    let torn = |bytes: &[u8]| Torn(vec![Bytes::copy_from_slice(bytes)]);
    assert!(it.ask(Some(&session), query, torn(&body[..500])).await.starts_with("failure\n"));
    assert_eq!(it.spooled(), [] as [PathBuf; 0]);
    assert_eq!(it.post(&session, query, &body[..2000]).await, "success");
    assert!(it.ask(Some(&session), query, torn(&body[2000..4000])).await.starts_with("failure\n"));
    assert_eq!(it.post(&session, query, &body[2000..]).await, "success");
    assert_eq!(it.summary(), ["orders.xml yes: order order document"]);
}

#[tokio::test]
async fn sessions_are_bounded_and_the_oldest_goes_first() {
    let it = Fixture::new();
    let oldest = it.login("sale").await;
    it.post(&oldest, "type=sale&mode=file&filename=orders.xml", &orders()[..2000]).await;
    it.clock.advance_ms(61_000);
    for _ in 0..EXCHANGE_SESSIONS_MAX {
        it.login("sale").await;
    }
    assert_eq!(it.summary(), ["orders.xml no: broken"]);
    let answer = it.ask(None, "type=sale&mode=checkauth", WholeBody(None)).await;
    assert!(answer.starts_with("failure\nmore than 64 exchanges"), "{answer}");
}

#[tokio::test]
async fn a_large_file_becomes_a_body_of_its_own() {
    let it = Fixture::new();
    let session = it.login("catalog").await;
    let goods: String =
        (0..20_000).map(|it| format!("<Товар><Ид>{it}</Ид><Наименование>Товар</Наименование></Товар>")).collect();
    let body = format!("<КоммерческаяИнформация><Каталог><Товары>{goods}</Товары></Каталог></КоммерческаяИнформация>");
    for chunk in body.as_bytes().chunks(300_000) {
        assert_eq!(it.post(&session, "type=catalog&mode=file&filename=import0_1.xml", chunk).await, "success");
    }
    let envelope = &it.envelopes()[0];
    assert!(matches!(&envelope.body, uzel::entry::Body::File { len, .. } if *len == body.len() as u64));
    let reader = it.journal.open_body(&envelope.body).expect("the body");
    assert_eq!(commerceml::open("import0_1.xml", reader).count(), 20_000);
}
