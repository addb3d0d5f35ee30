//! What becomes of a form submission, decided without a socket.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use uzel::auth::signature::Scheme;
use uzel::base::{Secret, Slug, Timestamp};
use uzel::connector::{SourceSpec, StreamSpec, TestRequest, Transport};
use uzel::entry::{Body, Received};
use uzel::source::form::{Accept, Admit, FormHead, FormSettings, FormSource, Rates, Refusal, Reply, Ticks};
use uzel::value::Path;

const SECRET: &str = "s3cr3tpartoftheaddress0000000001";
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn path(text: &str) -> Path {
    Path::compile(text).expect("a literal path")
}

fn stream(name: &'static str) -> StreamSpec {
    StreamSpec {
        name: Slug::literal(name),
        mapping: Slug::literal(name),
        idempotency: vec![path("tranid"), path("submission_id")],
        window_s: 60,
        remember_days: 7,
        fold_names: true,
        drop: vec![path("smart-token")],
    }
}

fn spec(answer: &str) -> SourceSpec {
    SourceSpec {
        transport: Transport::Webhook,
        answer: answer.to_owned(),
        test: Some(TestRequest { field: "test".to_owned(), value: "test".to_owned() }),
        honeypot: None,
        streams: vec![stream("lead"), stream("order")],
    }
}

fn settings() -> FormSettings {
    FormSettings {
        connection: Slug::literal("site"),
        connector: Slug::literal("forms"),
        secret: Secret::new(SECRET),
        previous_secret: Some(Secret::new("the-one-before")),
        scheme: Scheme::None,
        signing: Vec::new(),
        origins: vec!["https://site.ru".to_owned(), "https://shop.site.ru/".to_owned()],
        redirects: vec!["https://site.ru/thanks".to_owned(), "https://site.ru/spasibo".to_owned()],
        rates: Rates::NONE,
    }
}

fn source(answer: &str) -> FormSource {
    FormSource::new(settings(), &spec(answer), Ticks::monotonic()).expect("good settings")
}

/// A request as a test writes it.
struct Sent {
    secret: &'static str,
    stream: Option<&'static str>,
    method: Method,
    headers: HeaderMap,
    query: Option<&'static str>,
}

fn sent(headers: &[(&'static str, &str)]) -> Sent {
    let header = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a literal value"))
    };
    Sent {
        secret: SECRET,
        stream: None,
        method: Method::POST,
        headers: headers.iter().map(header).collect(),
        query: None,
    }
}

impl Sent {
    fn head(&self) -> FormHead<'_> {
        FormHead {
            secret: self.secret,
            stream: self.stream,
            method: &self.method,
            headers: &self.headers,
            remote: IpAddr::from([203, 0, 113, 9]),
        }
    }

    fn accept(&self, source: &FormSource, body: impl Into<Bytes>) -> Accept {
        match source.admit(&self.head()) {
            Admit::Body(admitted) => source.accept(admitted, &self.headers, self.query, body.into(), Timestamp(1_000)),
            other @ (Admit::Preflight(_) | Admit::Refuse(_)) => panic!("not admitted: {other:?}"),
        }
    }

    fn envelope_of(&self, source: &FormSource, body: impl Into<Bytes>) -> (Received, Reply) {
        match self.accept(source, body) {
            Accept::Envelope { received, reply } => (*received, reply),
            other @ (Accept::Test(_) | Accept::Refuse(_)) => panic!("not an envelope: {other:?}"),
        }
    }
}

fn key(headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> (String, String) {
    let (received, _) = sent(headers).envelope_of(&source(""), body);
    (received.idempotency_key.to_string(), received.header("uzel-key").expect("always noted").to_owned())
}

#[test]
fn the_head_decides_who_may_send_a_body() {
    let source = source("");
    let admit = |change: fn(&mut Sent)| {
        let mut request = sent(&[("content-type", FORM)]);
        change(&mut request);
        match source.admit(&request.head()) {
            Admit::Body(admitted) => format!("body {}K", admitted.bytes_max() / 1024),
            Admit::Preflight(headers) => format!("preflight {}", headers.len()),
            Admit::Refuse(refusal) => refusal.reason().to_owned(),
        }
    };
    assert_eq!(admit(|_| {}), "body 256K");
    assert_eq!(admit(|it| it.secret = "the-one-before"), "body 256K");
    assert_eq!(admit(|it| it.secret = "wrong"), "unknown");
    assert_eq!(admit(|it| it.secret = ""), "unknown");
    assert_eq!(admit(|it| it.stream = Some("order")), "body 256K");
    assert_eq!(admit(|it| it.stream = Some("nothing")), "unknown");
    assert_eq!(admit(|it| it.method = Method::GET), "method");
    assert_eq!(admit(|it| it.method = Method::OPTIONS), "preflight 0");
    assert_eq!(admit(|it| drop(it.headers.insert("content-encoding", HeaderValue::from_static("gzip")))), "encoding");
    let multipart = HeaderValue::from_static("Multipart/form-data; boundary=x");
    let request = Sent { headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, multipart)]), ..sent(&[]) };
    let Admit::Body(admitted) = source.admit(&request.head()) else { panic!("not admitted") };
    assert_eq!(admitted.bytes_max(), 20 * 1024 * 1024);
}

#[test]
fn the_senders_own_id_is_the_key() {
    let by_field = key(&[("content-type", FORM)], "Name=Anna&tranid=652374741:1");
    assert_eq!(by_field.1, "id");
    // A retry may look different and is the same submission.
    assert_eq!(key(&[("content-type", FORM)], "tranid=652374741:1&Name=Anna+B"), by_field);
    assert_eq!(key(&[("content-type", JSON)], r#"{"TranId":"652374741:1"}"#), by_field);
    assert_ne!(key(&[("content-type", FORM)], "Name=Anna&tranid=652374741:2").0, by_field.0);

    let by_header = key(&[("content-type", FORM), ("idempotency-key", "\"abc-1\"")], "Name=Anna");
    assert_eq!(by_header.1, "id");
    assert_eq!(key(&[("content-type", JSON), ("idempotency-key", "abc-1")], r#"{"other":1}"#), by_header);
    assert_eq!(key(&[("content-type", "x/y"), ("idempotency-key", "abc-1")], "\u{0}\u{1}"), by_header);
    // The id in the body goes before that of the header.
    assert_eq!(key(&[("content-type", FORM), ("idempotency-key", "abc-1")], "tranid=652374741:1"), by_field);
    for empty in ["", "\"\"", "   "] {
        assert_eq!(key(&[("content-type", FORM), ("idempotency-key", empty)], "Name=Anna").1, "content");
    }
    let endless = "x".repeat(600);
    assert_eq!(key(&[("idempotency-key", &endless)], "Name=Anna&Phone=1").1, "content");
}

#[test]
fn without_an_id_the_content_is_the_key() {
    let form = |body: &'static str| key(&[("content-type", FORM)], body);
    let anna = form("Name=Anna&Phone=79000000001");
    assert_eq!(anna.1, "content");
    for same in [
        "Phone=79000000001&Name=Anna",
        "name=Anna&PHONE=79000000001",
        "Name=+Anna+&Phone=79000000001&Comment=",
        "Name=Anna&Phone=79000000001&smart-token=a1",
        "Name=Anna&Phone=79000000001&smart-token=b2&tranid=",
    ] {
        assert_eq!(form(same), anna, "{same}");
    }
    assert_eq!(key(&[("content-type", JSON)], r#"{"name":"Anna","phone":79000000001}"#), anna);
    for other in ["Name=Anna&Phone=79000000002", "Name=Anna", "Name=AnnaPhone&Phone=79000000001", "NameAnna=&Phone=1"] {
        assert_ne!(form(other).0, anna.0, "{other}");
    }
    // Another stream or connection: another submission.
    let order = Sent { stream: Some("order"), ..sent(&[("content-type", FORM)]) };
    let body = "Name=Anna&Phone=79000000001";
    assert_ne!(order.envelope_of(&source(""), body).0.idempotency_key.to_string(), anna.0);
    let elsewhere = FormSettings { connection: Slug::literal("shop"), ..settings() };
    let elsewhere = FormSource::new(elsewhere, &spec(""), Ticks::monotonic()).expect("good settings");
    let request = sent(&[("content-type", FORM)]);
    assert_ne!(request.envelope_of(&elsewhere, body).0.idempotency_key.to_string(), anna.0);
}

#[test]
fn a_file_counts_by_its_content_and_not_by_its_place() {
    let form = |boundary: &str, content: &str| {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"Name\"\r\n\r\nAnna\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
             Content-Type: text/plain\r\n\r\n{content}\r\n--{boundary}--\r\n"
        );
        key(&[("content-type", &content_type)], body)
    };
    let first = form("x1", "one");
    assert_eq!(first.1, "content");
    assert_eq!(form("another-and-longer", "one"), first);
    assert_ne!(form("x1", "two").0, first.0);
}

#[test]
fn a_body_that_does_not_read_is_kept_whole() {
    let body = b"\xff\xfe{{{ not anything".as_slice();
    for content_type in ["application/json", "application/x-www-form-urlencoded; charset=nonsense", "image/png", ""] {
        let (received, _) = sent(&[("content-type", content_type)]).envelope_of(&source(""), body);
        assert_eq!(received.body, Body::Inline(body.to_vec()));
        assert_eq!(received.content_type, content_type);
        assert_eq!(received.header("uzel-key"), Some("content"));
    }
}

#[test]
fn the_envelope_has_what_mappings_need_and_no_secrets() {
    let request = Sent {
        query: Some("utm_source=ya&yclid=7"),
        ..sent(&[
            ("content-type", FORM),
            ("referer", "https://site.ru/price?utm_source=ya"),
            ("origin", "https://site.ru"),
            ("user-agent", "Mozilla/5.0"),
            ("cookie", "session=COOKIE-VALUE"),
            ("authorization", "Bearer TOKEN-VALUE"),
        ])
    };
    let (received, _) = request.envelope_of(&source(""), "Name=Anna");
    assert_eq!((&*received.connection, &*received.connector, &*received.stream), ("site", "forms", "lead"));
    assert_eq!(received.received_at, Timestamp(1_000));
    assert_eq!(received.header("query"), Some("utm_source=ya&yclid=7"));
    assert_eq!(received.header("referer"), Some("https://site.ru/price?utm_source=ya"));
    assert_eq!(received.header("origin"), Some("https://site.ru"));
    assert_eq!(received.header("user-agent"), Some("Mozilla/5.0"));
    let whole = format!("{received:?}");
    for secret in ["COOKIE-VALUE", "TOKEN-VALUE", SECRET] {
        assert!(!whole.contains(secret), "{secret}");
    }
}

#[test]
fn a_test_of_the_address_is_no_lead() {
    let verdict = |answer: &str, body: &'static str| {
        let request = sent(&[("content-type", FORM)]);
        match request.accept(&source(answer), body) {
            Accept::Test(text) => format!("test {}", String::from_utf8_lossy(&text)),
            Accept::Envelope { .. } => "envelope".to_owned(),
            Accept::Refuse(refusal) => refusal.reason().to_owned(),
        }
    };
    assert_eq!(verdict("ok", "test=test"), "test ok");
    assert_eq!(verdict("", "test=test"), "test ok");
    assert_eq!(verdict("done", "api_key=1&test=test"), "test done");
    assert_eq!(verdict("ok", "test=other"), "envelope");
    // A lead from a form that has a field of that name is a lead.
    assert_eq!(verdict("ok", "test=test&tranid=1:2"), "envelope");
    assert_eq!(verdict("ok", "test=test&Name=Anna&Phone=79000000001"), "envelope");
}

#[test]
fn the_answer_is_what_the_sender_can_read() {
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let reply = |answer: &str, accept: &str, language: &str, body: &'static str| {
        let request = sent(&[("content-type", FORM), ("accept", accept), ("accept-language", language)]);
        match request.envelope_of(&source(answer), body).1 {
            Reply::Text(text) => format!("text {}", String::from_utf8_lossy(&text)),
            Reply::Json => "json".to_owned(),
            Reply::Redirect(to) => format!("303 {}", to.to_str().expect("ASCII")),
            Reply::Page(locale) => format!("page {locale:?}"),
        }
    };
    assert_eq!(reply("ok", BROWSER, "ru", "a=1"), "text ok");
    for accept in ["*/*", "application/json, text/plain, */*", ""] {
        assert_eq!(reply("", accept, "ru", "a=1"), "json");
    }
    assert_eq!(reply("", BROWSER, "ru", "a=1"), "303 https://site.ru/thanks");
    assert_eq!(reply("", BROWSER, "ru", "a=1&redirect=https://site.ru/spasibo"), "303 https://site.ru/spasibo");
    assert_eq!(reply("", BROWSER, "ru", "a=1&_next=https%3A%2F%2Fsite.ru%2Fspasibo"), "303 https://site.ru/spasibo");
    for elsewhere in [
        "a=1&redirect=https://evil.example/",
        "a=1&redirect=https://site.ru/thanks.evil",
        "a=1&redirect=//site.ru/thanks",
        "a=1&_next=https://site.ru/thanks?x",
    ] {
        assert_eq!(reply("", BROWSER, "en-US,en;q=0.9", elsewhere), "page En", "{elsewhere}");
    }
    assert_eq!(reply("", BROWSER, "ru-RU,ru;q=0.9,en;q=0.8", "a=1&redirect=x"), "page Ru");
}

#[test]
fn only_listed_origins_are_reflected() {
    let source = source("");
    let cors = |origin: Option<&str>| {
        let request = sent(&origin.map(|it| ("origin", it)).into_iter().collect::<Vec<_>>());
        let show = |(name, value): (HeaderName, HeaderValue)| format!("{name}: {}", value.to_str().expect("ASCII"));
        source.cors(&request.headers).into_iter().map(show).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(cors(Some("https://site.ru")), "vary: Origin; access-control-allow-origin: https://site.ru");
    assert_eq!(cors(Some("https://shop.site.ru")), "vary: Origin; access-control-allow-origin: https://shop.site.ru");
    for other in ["https://evil.example", "http://site.ru", "https://site.ru.evil.example", "null"] {
        assert_eq!(cors(Some(other)), "vary: Origin", "{other}");
    }
    assert_eq!(cors(None), "vary: Origin");
}

#[test]
fn settings_that_cannot_be_are_named() {
    let wrong = |change: fn(&mut FormSettings, &mut SourceSpec)| {
        let (mut settings, mut spec) = (settings(), spec(""));
        change(&mut settings, &mut spec);
        FormSource::new(settings, &spec, Ticks::monotonic()).expect_err("cannot be").id.to_string()
    };
    assert_eq!(wrong(|_, spec| spec.transport = Transport::Exchange1c), "source-not-webhook");
    assert_eq!(wrong(|_, spec| spec.streams.clear()), "source-not-webhook");
    for origin in ["site.ru", "*", "https://site.ru/page", "https://s\nite.ru"] {
        let settings = FormSettings { origins: vec![origin.to_owned()], ..settings() };
        let error = FormSource::new(settings, &spec(""), Ticks::monotonic()).expect_err(origin);
        assert_eq!(error.id, "source-bad-origin", "{origin}");
    }
    for address in ["/thanks", "javascript:alert(1)", "https://site.ru/\r\nx"] {
        let settings = FormSettings { redirects: vec![address.to_owned()], ..settings() };
        let error = FormSource::new(settings, &spec(""), Ticks::monotonic()).expect_err(address);
        assert_eq!(error.id, "source-bad-redirect", "{address}");
    }
}

#[test]
fn a_body_over_the_bound_is_refused_by_the_source_too() {
    let request = sent(&[("content-type", FORM)]);
    let accept = request.accept(&source(""), vec![b'a'; 256 * 1024 + 1]);
    assert_eq!(accept, Accept::Refuse(Refusal::TooLarge { bytes_max: 256 * 1024 }));
}

#[test]
fn long_notes_are_cut_at_a_character() {
    let long = format!("https://site.ru/{}", "я".repeat(4_000));
    let mut request = sent(&[("content-type", FORM)]);
    request.headers.insert("referer", HeaderValue::from_bytes(long.as_bytes()).expect("opaque bytes may stand"));
    let (received, _) = request.envelope_of(&source(""), "a=1");
    let referer = received.header("referer").expect("kept");
    assert!(referer.len() <= 4_096 && referer.ends_with('я'));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_kept_and_the_key_is_theirs(
        content_type in proptest::sample::select(vec![
            FORM, JSON, "text/plain", "multipart/form-data; boundary=b", "multipart/form-data", "application/xml", "",
        ]),
        body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let request = sent(&[("content-type", content_type)]);
        let source = source("");
        if let Accept::Envelope { received, .. } = request.accept(&source, body.clone()) {
            proptest::prop_assert_eq!(&received.body, &Body::Inline(body.clone()));
            let again = request.envelope_of(&source, body).0;
            proptest::prop_assert_eq!(again.idempotency_key, received.idempotency_key);
        }
    }

    #[test]
    fn the_order_of_fields_makes_no_difference(
        fields in proptest::collection::btree_map("[a-z]{1,6}", "[a-z0-9]{1,6}", 1..8),
        seed in proptest::prelude::any::<usize>(),
    ) {
        let mut pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let first = key(&[("content-type", FORM)], pairs.join("&"));
        let turn = seed % pairs.len();
        pairs.rotate_left(turn);
        proptest::prop_assert_eq!(key(&[("content-type", FORM)], pairs.join("&")), first);
    }
}
