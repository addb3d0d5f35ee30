//! Signatures of messages: the published vectors, what is refused, and signed webhooks as a whole.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use uzel::auth::signature::{Encoding, Scheme, Verified, sign_standard, verify};
use uzel::base::{Secret, Slug, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::config::Settings;
use uzel::entry::{Body, Entry, Received};
use uzel::source::form::{Accept, Admit, FormHead, FormSettings, FormSource, Rates, Refusal, Ticks};
use uzel::tables::{Clients, Quarantine, Span};

use super::pipeline_support::{World, hash};

const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT_S: i64 = 1_614_265_330;
const BODY: &str = "{\"test\": 2432232314}";
const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a literal value"))
    };
    list.iter().map(header).collect()
}

/// Whether a message is taken, five minutes being how far clocks may differ.
fn check(scheme: &Scheme, secrets: &[&str], list: &[(&'static str, &str)], body: &str, after_s: i64, taken: bool) {
    let secrets: Vec<Secret> = secrets.iter().map(|it| Secret::new(*it)).collect();
    let now = Timestamp((AT_S + after_s) * 1_000);
    let verified = verify(scheme, &secrets, &headers(list), body.as_bytes(), now);
    assert_eq!(verified.is_ok(), taken, "{scheme:?} {list:?} {body} after {after_s}");
}

#[test]
fn standard_webhooks_agree_with_the_published_vector() {
    let secret = [Secret::new(WHSEC)];
    assert_eq!(sign_standard(&secret, ID, AT_S, BODY.as_bytes()), SIGNED);
    let at = AT_S.to_string();
    let told = [("webhook-id", ID), ("webhook-timestamp", &*at), ("webhook-signature", SIGNED)];
    let verified =
        verify(&Scheme::StandardWebhooks, &secret, &headers(&told), BODY.as_bytes(), Timestamp(AT_S * 1_000));
    assert_eq!(verified, Ok(Verified { id: Some(ID.to_owned()) }));

    let scheme = Scheme::StandardWebhooks;
    for (after_s, taken) in [(300, true), (301, false), (-300, true), (-301, false)] {
        check(&scheme, &[WHSEC], &told, BODY, after_s, taken);
    }
    check(&scheme, &["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", WHSEC], &told, BODY, 0, true);
    check(&scheme, &["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"], &told, BODY, 0, false);
    check(&scheme, &[], &told, BODY, 0, false);
    check(&scheme, &[WHSEC], &told, "{\"test\":2432232314}", 0, false);
    // Several signatures: one good one among them is enough; another version counts for nothing.
    let both = format!("v1a,AAAA v1,AAAA {SIGNED}");
    check(&scheme, &[WHSEC], &[told[0], told[1], ("webhook-signature", &both)], BODY, 0, true);
    let other = SIGNED.replace("v1,", "v2,");
    check(&scheme, &[WHSEC], &[told[0], told[1], ("webhook-signature", &other)], BODY, 0, false);
    let earlier = (AT_S - 1).to_string();
    check(&scheme, &[WHSEC], &[told[0], ("webhook-timestamp", &earlier), told[2]], BODY, 0, false);
    check(&scheme, &[WHSEC], &[("webhook-id", "msg_other"), told[1], told[2]], BODY, 0, false);
    check(&scheme, &[WHSEC], &told[..2], BODY, 0, false);
    // While the secret is being changed, the receiver may know either.
    let two = sign_standard(
        &[Secret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Secret::new(WHSEC)],
        ID,
        AT_S,
        BODY.as_bytes(),
    );
    check(&scheme, &[WHSEC], &[told[0], told[1], ("webhook-signature", &two)], BODY, 0, true);
}

#[test]
fn hmac_tokens_and_passwords_agree_with_what_systems_send() {
    let scheme = Scheme::HmacSha256 {
        header: "x-hub-signature-256".to_owned(),
        prefix: "sha256=".to_owned(),
        encoding: Encoding::Hex,
    };
    let secret = "It's a Secret to Everybody";
    let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    check(&scheme, &[secret], &[("x-hub-signature-256", good)], "Hello, World!", 0, true);
    check(
        &scheme,
        &["new", secret],
        &[("x-hub-signature-256", &good.to_uppercase().replace("SHA256", "sha256"))],
        "Hello, World!",
        0,
        true,
    );
    for bad in [&good[..good.len() - 2], &good[7..], "sha256=", "sha256=zz", "sha256=яяяя", ""] {
        if HeaderValue::from_str(bad).is_ok() {
            check(&scheme, &[secret], &[("x-hub-signature-256", bad)], "Hello, World!", 0, false);
        }
    }
    check(&scheme, &[secret], &[("x-hub-signature-256", good)], "Hello, World", 0, false);
    check(&scheme, &[secret], &[], "Hello, World!", 0, false);

    let base64 = Scheme::HmacSha256 { header: "x-sign".to_owned(), prefix: String::new(), encoding: Encoding::Base64 };
    let text = "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=";
    check(&base64, &[secret], &[("x-sign", text)], "Hello, World!", 0, true);
    check(&base64, &[secret], &[("x-sign", text.trim_end_matches('='))], "Hello, World!", 0, true);

    let token = Scheme::TokenHeader { header: "authorization".to_owned(), prefix: "Bearer ".to_owned() };
    check(&token, &["new", "t0ken"], &[("authorization", "Bearer t0ken")], "", 0, true);
    check(&token, &["t0ken"], &[("authorization", "t0ken")], "", 0, false);
    check(&token, &["t0ken"], &[("authorization", "Bearer t0ke")], "", 0, false);
    check(&Scheme::Basic, &["t0ken"], &[("authorization", "Basic MWM6dDBrZW4=")], "", 0, true);
    check(&Scheme::Basic, &["token"], &[("authorization", "Basic MWM6dDBrZW4=")], "", 0, false);
    check(&Scheme::Basic, &["t0ken"], &[("authorization", "Bearer MWM6dDBrZW4=")], "", 0, false);
    check(&Scheme::None, &[], &[], "", 0, true);
}

#[test]
fn stripe_signs_its_time_too() {
    use ring::hmac;
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"whsec_s"), format!("{AT_S}.{BODY}").as_bytes());
    let hex: String = mac.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let line = format!("t={AT_S},v1=00,v1={hex},v0=11");
    let scheme = Scheme::Stripe;
    check(&scheme, &["whsec_s"], &[("stripe-signature", &line)], BODY, 299, true);
    check(&scheme, &["whsec_s"], &[("stripe-signature", &line)], BODY, 301, false);
    check(&scheme, &["whsec_s"], &[("stripe-signature", &line.replace("v1=", "v0="))], BODY, 0, false);
    check(
        &scheme,
        &["whsec_s"],
        &[("stripe-signature", &line.replace(&AT_S.to_string(), "9223372036854775807"))],
        BODY,
        0,
        false,
    );
    check(&scheme, &["other"], &[("stripe-signature", &line)], BODY, 0, false);
}

/// A connection whose messages are signed.
fn source() -> FormSource {
    let files = FileSet::builtin();
    let text = files.get("connectors/webhook/connector.toml").expect("built in");
    let connector =
        uzel::connector::Connector::compile(Slug::literal("webhook"), "connector.toml", text).expect("it compiles");
    let settings = FormSettings {
        connection: Slug::literal("shop"),
        connector: Slug::literal("webhook"),
        secret: Secret::new("s3cret"),
        previous_secret: None,
        scheme: Scheme::StandardWebhooks,
        signing: vec![Secret::new(WHSEC)],
        origins: Vec::new(),
        redirects: Vec::new(),
        rates: Rates::NONE,
    };
    FormSource::new(settings, &connector.source.expect("it has a source"), Ticks::monotonic()).expect("good settings")
}

fn send(list: &[(&'static str, &str)], body: &str, at_s: i64) -> Accept {
    let source = source();
    let headers = headers(list);
    let head = FormHead {
        secret: "s3cret",
        stream: None,
        method: &Method::POST,
        headers: &headers,
        remote: std::net::IpAddr::from([203, 0, 113, 9]),
    };
    match source.admit(&head) {
        Admit::Body(admitted) => {
            source.accept(admitted, &headers, None, Bytes::from(body.to_owned()), Timestamp(at_s * 1_000))
        }
        other @ (Admit::Preflight(_) | Admit::Refuse(_)) => panic!("not admitted: {other:?}"),
    }
}

#[test]
fn a_message_that_proves_nothing_is_refused_and_an_attempt_again_is_the_same_message() {
    let key = |at_s: i64, body: &str| {
        let (at, signed) = (at_s.to_string(), sign_standard(&[Secret::new(WHSEC)], ID, at_s, body.as_bytes()));
        let told = [
            ("content-type", "application/json"),
            ("webhook-id", ID),
            ("webhook-timestamp", &*at),
            ("webhook-signature", &*signed),
        ];
        match send(&told, body, at_s) {
            Accept::Envelope { received, .. } => {
                assert!(!format!("{received:?}").contains("v1,"), "signatures are not kept");
                received.idempotency_key
            }
            other @ (Accept::Test(_) | Accept::Refuse(_)) => panic!("refused: {other:?}"),
        }
    };
    // The time of the attempt is another, the message is the same.
    assert_eq!(key(AT_S, BODY), key(AT_S + 3_600, BODY));
    for list in [&[][..], &[("webhook-id", ID), ("webhook-timestamp", "1614265330"), ("webhook-signature", "v1,AAAA")]]
    {
        assert_eq!(send(list, BODY, AT_S), Accept::Refuse(Refusal::Unverified));
    }
    assert_eq!(Refusal::Unverified.status(), 401);
}

#[test]
fn one_message_may_hold_many_records() {
    let text = "[connection.shop]\nconnector = \"webhook\"\nlist = \"data.items\"\n";
    let settings = Settings::compile("uzel.toml", text, &|_| None).expect("the settings read");
    let catalog = Arc::new(Catalog::compile(&FileSet::builtin(), &settings).expect("it compiles"));
    let mut world = World::under(&catalog);
    let mut post = |body: &str| {
        let received = Received {
            connection: Slug::literal("shop"),
            connector: Slug::literal("webhook"),
            stream: Slug::literal("record"),
            received_at: world.now,
            idempotency_key: uzel::base::checksum::Fingerprint::of(body.as_bytes()),
            content_type: "application/json".into(),
            headers: Vec::new(),
            body: Body::Inline(body.as_bytes().to_vec()),
        };
        world.append(&Entry::Received(received));
    };
    post(
        r#"{"data": {"items": [{"name": "Иван", "phone": "89161234567"}, {"note": "ни о ком"}, {"name": "Анна", "phone": "89161234568"}]}}"#,
    );
    post(r#"{"data": {"items": {"name": "Один", "phone": "89161234569"}}}"#);
    post(r#"{"data": {}}"#);
    assert_eq!(world.reader().rows(Span::<Clients>::all()).count(), 3);
    let reasons: Vec<String> = world
        .reader()
        .rows(Span::<Quarantine>::all())
        .map(|row| row.expect("it reads").1.reason.id.to_string())
        .collect();
    assert_eq!(reasons, ["mapping-require-any", "pipeline-no-list"]);
    assert_eq!(hash(&world.store), world.rebuilt(1));
}
