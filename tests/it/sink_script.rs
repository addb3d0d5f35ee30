//! A sink with a script in place of the network and a journal in memory: see `sink`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use uzel::base::{ClientId, Clock, DealId, InteractionId, ItemRef, Message, Position, Secret, Slug, Timestamp};
use uzel::connector::Connector;
use uzel::entry::{AttemptResult, Attempted, Attempting, ObjectRef, Operation, Verdict};
use uzel::model::Confirmed;
use uzel::net::{Answer, Boxed, CallError, Quotas, Request, Wire};
use uzel::sink::{Certainty, Lane, PushReport, Recorder, Search, Settings, Sink, Work};

pub(crate) const BITRIX24: &str = include_str!("../../connectors/bitrix24/connector.toml");

/// A REST system of the plain kind: one request per object, paths with ids, bearer token.
pub(crate) const REST: &str = r#"
title_ru = "Система"
title_en = "System"
[[setting]]
name = "address"
kind = "url"
help_ru = "Адрес"
help_en = "Address"
example = "https://crm.example"
[[setting]]
name = "token"
kind = "text"
secret = true
help_ru = "Ключ"
help_en = "Key"
example = "abc"
[sink]
address = "address"
auth = "bearer"
auth_setting = "token"
error_text = "message"
quota = { requests = 100, per_ms = 1000, burst = 100 }
[[sink.object]]
kind = "person"
of = "client"
mapping = "person"
create_kind = "keyed"
create = { http = "PUT", path = "people/{origin}", body = "$fields", id = "id" }
update = { http = "PATCH", path = "people/{id}", body = "$fields" }
[[sink.object]]
kind = "note"
of = "interaction"
mapping = "note"
create_kind = "neither"
create = { path = "notes", body = { note = "$fields", for = "$field.person" }, id = "note.id" }
"#;

/// Paused tokio time as the clock of the house.
pub(crate) struct PausedClock(tokio::time::Instant);

impl PausedClock {
    pub(crate) fn begin() -> PausedClock {
        PausedClock(tokio::time::Instant::now())
    }
}

pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        START.plus_ms(i64::try_from(self.0.elapsed().as_millis()).expect("a test is short"))
    }
}

pub(crate) type Log = Arc<Mutex<Vec<String>>>;
pub(crate) type Reply = Result<(u16, String), CallError>;

/// Answers in the order of the script, and writes down what was asked.
pub(crate) struct Script {
    pub(crate) log: Log,
    pub(crate) clock: Arc<PausedClock>,
    pub(crate) replies: Mutex<VecDeque<Reply>>,
}

impl Wire for Script {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        let path = request.address.expose().replace("https://crm.example/rest/1/s3cret/", "");
        let path = path.replace("https://crm.example/", "");
        let seconds = self.clock.now().ms_since(START) / 1_000;
        let body: Json = serde_json::from_slice(&request.body).unwrap_or(Json::Null);
        let shown = match body.get("cmd").and_then(Json::as_object) {
            Some(commands) => {
                let texts: Vec<String> = commands.values().map(|it| decoded(it.as_str().unwrap_or_default())).collect();
                texts.join(" | ")
            }
            None => body.to_string(),
        };
        self.log.lock().expect("no panic before").push(format!("{seconds}s {:?} {path} {shown}", request.method));
        let reply = self.replies.lock().expect("no panic before").pop_front();
        let reply = reply.unwrap_or_else(|| panic!("the script ends before this request: {path} {shown}"));
        let answer = reply.map(|(status, body)| Answer { status, headers: Vec::new(), body: body.into_bytes() });
        Box::pin(async move { answer })
    }
}

pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().expect("two digits"), rest.next().expect("two digits")];
                let digits = std::str::from_utf8(&digits).expect("digits");
                bytes.push(u8::from_str_radix(digits, 16).expect("digits"));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).expect("it is text")
}

/// A journal in memory.
pub(crate) struct Memory {
    pub(crate) log: Log,
    pub(crate) next: Mutex<u64>,
    pub(crate) attempted: Mutex<Vec<Attempted>>,
    pub(crate) broken: bool,
}

impl Memory {
    pub(crate) fn new(log: Log) -> Memory {
        Memory { log, next: Mutex::new(0), attempted: Mutex::new(Vec::new()), broken: false }
    }
}

impl Recorder for Memory {
    fn attempting(&self, entry: Attempting) -> Boxed<'_, Result<Position, Message>> {
        let objects: Vec<String> = entry.items.iter().map(|it| short(it.object)).collect();
        self.log.lock().expect("no panic before").push(format!("attempting {}", objects.join(" ")));
        let mut next = self.next.lock().expect("no panic before");
        *next += 1;
        let result = if self.broken { Err(Message::new("journal-full")) } else { Ok(Position(*next)) };
        Box::pin(async move { result })
    }

    fn attempted(&self, entry: Attempted) -> Boxed<'_, Result<(), Message>> {
        let mut line = format!("attempted {}", entry.attempting.map_or("-".to_owned(), |it| it.to_string()));
        for item in &entry.items {
            let operation = match item.operation {
                Operation::Create => "create",
                Operation::Update => "update",
                Operation::Find => "find",
            };
            let result = match &item.result {
                AttemptResult::Done { foreign_kind, foreign_id, sent } => {
                    let sent: Vec<String> = sent.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    let id = foreign_id.as_deref().unwrap_or("none");
                    format!("{foreign_kind} {id} holds {}", sent.join(","))
                }
                AttemptResult::Failed { verdict: Verdict::RetryAt(at), .. } => {
                    format!("retry in {}s", at.ms_since(START) / 1_000)
                }
                AttemptResult::Failed { verdict, .. } => format!("{verdict:?}"),
            };
            line.push_str(&format!("; {} {operation}: {result}", short(item.object)));
        }
        self.log.lock().expect("no panic before").push(line);
        self.attempted.lock().expect("no panic before").push(entry);
        Box::pin(async move { Ok(()) })
    }
}

/// `c1`, `d1`, `i1`: kind and position.
pub(crate) fn short(object: ObjectRef) -> String {
    match object {
        ObjectRef::Client(id) => format!("c{}", id.position()),
        ObjectRef::Deal(id) => format!("d{}", id.position()),
        ObjectRef::Interaction(id) => format!("i{}", id.position()),
        ObjectRef::Task(id) => format!("t{}", id.position()),
    }
}

pub(crate) fn fields(json: &Json) -> Vec<(compact_str::CompactString, Json)> {
    json.as_object().expect("an object").iter().map(|(name, value)| (name.into(), value.clone())).collect()
}

pub(crate) fn work(object: ObjectRef, kind: &str, desired: Json) -> Work {
    Work {
        object,
        version: Position(9),
        foreign_kind: kind.into(),
        desired: fields(&desired),
        create_only: vec!["TITLE".into()],
        confirmed: None,
        certainty: Certainty::Fresh,
        search: Search::default(),
        make: true,
        import: false,
        origin: short(object).into(),
    }
}

pub(crate) fn contact(number: u64, desired: Json) -> Work {
    work(ObjectRef::Client(ClientId::derive(ItemRef::new(Position(number), 0), 0)), "contact", desired)
}

pub(crate) fn deal(number: u64, desired: Json) -> Work {
    work(ObjectRef::Deal(DealId::derive(ItemRef::new(Position(number), 0), 0)), "deal", desired)
}

pub(crate) fn interaction(number: u64, kind: &str, desired: Json) -> Work {
    work(ObjectRef::Interaction(InteractionId::derive(ItemRef::new(Position(number), 0), 0)), kind, desired)
}

pub(crate) fn known(mut work: Work, id: &str, held: Json) -> Work {
    work.confirmed = Some(Confirmed {
        foreign_kind: work.foreign_kind.clone(),
        foreign_id: id.into(),
        version: Position(1),
        at: START,
        sent: fields(&held).into_iter().map(|(name, value)| (name, value.to_string())).collect(),
    });
    work
}

pub(crate) fn uncertain(mut work: Work) -> Work {
    work.certainty = Certainty::Uncertain;
    work
}

pub(crate) fn with_phone(mut work: Work, phone: &str) -> Work {
    work.search.phones.push(phone.into());
    work
}

pub(crate) fn ok(body: Json) -> Reply {
    Ok((200, body.to_string()))
}

pub(crate) fn result(body: Json) -> Reply {
    ok(json!({"result": body}))
}

pub(crate) fn error(status: u16, code: &str, text: &str) -> Reply {
    Ok((status, json!({"error": code, "error_description": text}).to_string()))
}

/// An answer to a batch: results, then errors as (name, code).
pub(crate) fn batch(results: Json, errors: &[(&str, &str)]) -> Reply {
    let errors: serde_json::Map<String, Json> = errors
        .iter()
        .map(|(name, code)| ((*name).to_owned(), json!({"error": code, "error_description": code})))
        .collect();
    let errors = if errors.is_empty() { json!([]) } else { Json::Object(errors) };
    result(json!({"result": results, "result_error": errors, "result_total": [], "result_next": [], "result_time": []}))
}

pub(crate) fn cut() -> Reply {
    Err(CallError::Sent(Message::new("net-cut").with("host", "crm.example").with("detail", "cut")))
}

pub(crate) struct Scene {
    pub(crate) sink: Sink,
    pub(crate) recorder: Memory,
    pub(crate) log: Log,
    pub(crate) script: Arc<Script>,
    pub(crate) clock: Arc<PausedClock>,
}

pub(crate) fn scene(manifest: &str, replies: Vec<Reply>) -> Scene {
    let connector = Connector::compile(Slug::literal("crm"), "connector.toml", manifest)
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let clock = Arc::new(PausedClock::begin());
    let log = Log::default();
    let script =
        Arc::new(Script { log: Arc::clone(&log), clock: Arc::clone(&clock), replies: Mutex::new(replies.into()) });
    let settings = Settings {
        values: Vec::new(),
        secrets: vec![
            ("webhook_url".to_owned(), Secret::new("https://crm.example/rest/1/s3cret/")),
            ("address".to_owned(), Secret::new("https://crm.example")),
            ("token".to_owned(), Secret::new("t0ken")),
        ],
    };
    let spec = Arc::new(connector.sink.expect("it has a sink"));
    let wire = Arc::clone(&script) as Arc<dyn Wire>;
    let now = Arc::clone(&clock) as Arc<dyn Clock>;
    let sink = Sink::new(Slug::literal("crm"), spec, &settings, wire, Arc::new(Quotas::new()), now).expect("a sink");
    let recorder = Memory::new(Arc::clone(&log));
    Scene { sink, recorder, log, script, clock }
}

impl Scene {
    /// Pushes for a minute at the most, and compares the log with `expected`.
    pub(crate) async fn push(&self, works: Vec<Work>, expected: &[&str]) -> PushReport {
        self.log.lock().expect("no panic before").clear();
        let deadline = self.clock.now().plus_ms(60_000);
        let report = self.sink.push(Lane::Upper, works, &self.recorder, deadline).await;
        let log = self.log.lock().expect("no panic before").clone();
        assert_eq!(log, expected, "{report:#?}");
        assert!(!format!("{report:?} {log:?}").contains("s3cret"));
        report
    }

    pub(crate) fn script_is_over(&self) {
        assert!(self.script.replies.lock().expect("no panic before").is_empty(), "answers were left over");
    }
}

pub(crate) async fn check(manifest: &str, works: Vec<Work>, replies: Vec<Reply>, expected: &[&str]) -> PushReport {
    let scene = scene(manifest, replies);
    let report = scene.push(works, expected).await;
    scene.script_is_over();
    report
}
