//! `uzel probe`: what is told of a connection in every state that it can be in, and that nothing is
//! written anywhere by asking.

use std::path::Path;

use serde_json::{Value, json};
use uzel::app::{Folder, look};
use uzel::base::{Locale, Secret, Slug};
use uzel::config::NewConnection;
use uzel::connector::Connector;
use uzel::probe::{ProbeView, Standing};
use uzel::twin::bitrix24::{Bitrix24Twin, Edition, LeadMode, Options, RunningTwin};

use super::daemon_support::{Place, crm, run, settings};

/// Probes Bitrix24 at an address.
async fn probe(address: &str) -> ProbeView {
    let connection = NewConnection::new("bitrix24", "bitrix24", &["allow_private = true"]);
    let secrets = vec![("webhook_url".to_owned(), Secret::new(address))];
    let looked = look(&Folder::new(Path::new("/nowhere")), &connection, secrets, Locale::En).await;
    let view = looked.expect("the connection compiles").expect("it is there");
    assert!(!format!("{view:?}").contains("s3cret"), "{view:?}");
    view
}

async fn twin(change: impl FnOnce(&mut Options)) -> RunningTwin {
    let mut options = Options::for_tests(std::sync::Arc::new(uzel::base::clock::SystemClock));
    change(&mut options);
    Bitrix24Twin::start(options, "127.0.0.1:0".parse().expect("an address")).await.expect("the twin")
}

/// What a check says: its standing and text; the first of that name.
fn of<'v>(view: &'v ProbeView, check: &str) -> (Standing, &'v str) {
    let found = view.checks.iter().find(|it| it.check == check);
    found.map_or((Standing::Unknown, ""), |it| (it.standing, it.text.as_str()))
}

#[track_caller]
fn check(view: &ProbeView, name: &str, standing: Standing, words: &str) {
    let (found, text) = of(view, name);
    assert!(found == standing && text.contains(words), "{name}: {found:?} {text}, not {standing:?} {words}\n{view:#?}");
}

#[tokio::test]
async fn a_portal_in_order_tells_what_it_has_and_nothing_is_written_to_it() {
    let twin = twin(|options| {
        options.portal.mode = LeadMode::Simple;
        options.portal.add_category("Wholesale");
    })
    .await;
    let view = probe(&twin.url()).await;
    check(&view, "reach", Standing::Fine, "name, connection and HTTP");
    check(&view, "let-in", Standing::Fine, "let in");
    check(&view, "user", Standing::Fine, "Анна Смирнова, administrator");
    check(&view, "rights", Standing::Fine, "crm, user");
    check(&view, "leads", Standing::Fine, "switched off (simple mode)");
    check(&view, "plan", Standing::Note, "local application only");
    check(&view, "others_deals", Standing::Fine, "none are seen");
    check(&view, "pipeline", Standing::Note, "Wholesale");
    check(&view, "user-", Standing::Unknown, "");
    check(&view, "fields", Standing::Note, "7 missing");
    check(&view, "quota", Standing::Note, "2 in 1 s");
    assert!(view.standing < Standing::Fail, "{view:#?}");
    let stages: Vec<&str> = view.dictionary("stage").map(|it| it.id.as_str()).collect();
    assert!(stages.contains(&"NEW") && stages.contains(&"C1:WON"), "{stages:?}");
    let users: Vec<(&str, bool)> = view.dictionary("user").map(|it| (it.id.as_str(), it.active)).collect();
    assert_eq!(users, [("1", true), ("2", true), ("3", false)]);
    for kind in ["lead", "deal", "contact", "company"] {
        for verb in ["add", "update", "delete", "userfield.add"] {
            assert_eq!(twin.calls(&format!("crm.{kind}.{verb}")), 0, "{kind} {verb}");
        }
    }
}

#[tokio::test]
async fn each_thing_that_is_amiss_is_told_apart() {
    let scopes = |words: &'static [&'static str]| {
        twin(move |options| options.scopes = words.iter().map(|word| (*word).to_owned()).collect())
    };
    let view = probe(&scopes(&["user"]).await.url()).await;
    check(&view, "rights", Standing::Fail, "the right CRM (crm) is missing");
    check(&view, "leads", Standing::Unknown, "insufficient_scope");
    assert_eq!(view.standing, Standing::Fail);
    let view = probe(&scopes(&["crm"]).await.url()).await;
    check(&view, "rights", Standing::Warn, "the right Users (user_brief) is missing");
    check(&view, "dictionary", Standing::Warn, "user");
    let view = probe(&scopes(&["crm", "user_brief"]).await.url()).await;
    check(&view, "rights", Standing::Fine, "user_brief");
    assert!(view.dictionary("user").all(|it| it.email.is_empty() && !it.name.is_empty()), "{view:#?}");

    let free = twin(|options| options.portal.edition = Edition::free()).await;
    check(&probe(&free.url()).await, "let-in", Standing::Fail, "ACCESS_DENIED");
    let clerk = twin(|options| options.user_id = 2).await;
    check(&probe(&clerk.url()).await, "user", Standing::Warn, "not an administrator");
    let classic = twin(|options| options.portal.mode = LeadMode::Classic).await;
    check(&probe(&classic.url()).await, "leads", Standing::Warn, "switched on (classic mode)");

    let shared = twin(|_| {}).await;
    for (title, mark) in [("a", "1C_UT"), ("b", "1C_UT"), ("c", "uzel"), ("d", "")] {
        let fields = json!({"fields": {"TITLE": title, "ORIGINATOR_ID": mark, "ORIGIN_ID": title}});
        shared.call("crm.deal.add", &fields).expect("it is made");
    }
    check(&probe(&shared.url()).await, "others_deals", Standing::Warn, "1C_UT (2). If these are");
}

#[tokio::test]
async fn where_the_way_ends_is_named() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let good = twin(|_| {}).await;
    let port = |url: &str| url.split("//").nth(1).and_then(|it| it.split('/').next()).unwrap_or_default().to_owned();
    let at = port(&good.url());
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("it is bound").to_string()
    };
    let page = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let page_at = page.local_addr().expect("it is bound").to_string();
    let served = tokio::spawn(async move {
        while let Ok((mut link, _)) = page.accept().await {
            let mut buffer = [0; 2_048];
            let _request = link.read(&mut buffer).await;
            let _sent = link
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<html>Go</html")
                .await;
        }
    });
    for (address, step, check_name, words) in [
        ("https://no-such-host.invalid/rest/1/s3cret/".to_owned(), Some("dns"), "reach", "is not found (DNS)"),
        (format!("http://{closed}/rest/1/s3cret/"), Some("tcp"), "reach", "does not answer (TCP)"),
        (format!("https://{at}/rest/1/s3cret/"), Some("tls"), "reach", "(TLS)"),
        (format!("http://{page_at}/rest/1/s3cret/"), Some("http"), "reach", "(HTTP)"),
        (format!("http://{at}/rest/1/s3cret/"), None, "let-in", "INVALID_CREDENTIALS"),
        ("portal/rest/1/s3cret/".to_owned(), None, "settings", "is no address"),
        (String::new(), None, "settings", "webhook_url"),
    ] {
        let view = probe(&address).await;
        let failed: Vec<_> = view.checks.iter().filter(|it| it.standing == Standing::Fail).collect();
        let [failed] = failed.as_slice() else { panic!("{address}: {view:#?}") };
        assert_eq!((failed.check.as_str(), failed.step.as_deref()), (check_name, step), "{address}: {failed:?}");
        assert!(failed.text.contains(words) || check_name == "settings", "{address}: {failed:?}");
        assert!(view.words.is_empty() && view.standing == Standing::Fail, "{view:#?}");
    }
    served.abort();
}

/// Settings with every kind of source of our own; `folder` is a folder to watch.
fn sources(folder: &str) -> String {
    let mut text = settings("observe");
    for scheme in ["token_header", "basic", "hmac_sha256_hex", "hmac_sha256_base64", "stripe", "standard_webhooks"] {
        let name = scheme.replace('_', "-");
        text.push_str(&format!("[connection.{name}]\nconnector = \"webhook\"\nsignature = \"{scheme}\"\n"));
    }
    text.push_str(&format!("[connection.tables]\nconnector = \"folder\"\npath = \"{folder}\"\n"));
    text.push_str("[connection.gone]\nconnector = \"folder\"\npath = \"/no/such/folder\"\n");
    text
}

fn views(said: &str) -> Vec<ProbeView> {
    serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_addresses_are_tried_as_their_senders_would_and_nothing_is_journalled() {
    let twin = crm().await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("notes.docx"), "x").expect("it is written");
    let place = Place::new(&sources(&folder.path().display().to_string()), &twin.url());
    // Without a daemon nobody could answer, and that is said.
    let said = place.run(&["probe", "site", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    check(&views(&said.out)[0], "own", Standing::Unknown, "the daemon does not run");

    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let received = |place: &Place| {
        let page = place.json(&["journal", "list", "--limit", "200"]);
        let rows = page["rows"].as_array().cloned().unwrap_or_default();
        let of_ours = |it: &&Value| it["summary"].as_str().is_some_and(|text| !text.starts_with("bitrix24/"));
        rows.iter().filter(of_ours).count()
    };
    let before = received(&place);
    let said = place.run(&["probe", "--json"]);
    // One folder is not there: that is a problem, and the code says so.
    assert_eq!(said.code, 3, "{said:?}");
    let all = views(&said.out);
    let named = |name: &str| all.iter().find(|it| it.connection == name).unwrap_or_else(|| panic!("{name}"));
    for name in ["site", "1c", "token-header", "basic", "hmac-sha256-hex", "hmac-sha256-base64", "stripe"] {
        check(named(name), "own", Standing::Fine, "a test message was taken");
    }
    check(named("standard-webhooks"), "own", Standing::Fine, "a test message was taken");
    check(named("site"), "heard", Standing::Note, "0 minutes ago");
    check(named("1c"), "heard", Standing::Note, "nothing has come yet");
    check(named("site"), "public", Standing::Note, "not set");
    check(named("tables"), "folder", Standing::Fine, "files: 1");
    check(named("gone"), "folder", Standing::Fail, "is not readable");
    check(named("bitrix24"), "let-in", Standing::Fine, "let in");
    assert_eq!(received(&place), before, "a probe is not journalled");

    let said = place.run(&["probe", "nobody"]);
    assert_eq!((said.code, said.err.contains("there is no connection \"nobody\"")), (4, true), "{said:?}");
    assert_eq!(daemon.stop(), Some(0));
    let secrets = [place.form_secret.as_str(), place.password.as_str()];
    assert!(secrets.iter().all(|secret| !said.out.contains(secret)), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn employees_whom_the_crm_does_not_know_are_named() {
    let twin = crm().await;
    let place = Place::new(&settings("observe"), &twin.url());
    let rules = place.path().join("rules");
    std::fs::create_dir_all(&rules).expect("a folder");
    let employee = |key: &str, id: &str| {
        format!("[[employee]]\nkey = \"{key}\"\nname = \"{key}\"\nids = {{ bitrix24 = \"{id}\" }}\n")
    };
    let all = [employee("smirnova", "1"), employee("byvshiy", "3"), employee("nobody", "77")].concat();
    std::fs::write(rules.join("employees.toml"), all).expect("it is written");
    let view = views(&place.run(&["probe", "bitrix24", "--json"]).out).remove(0);
    check(&view, "employees", Standing::Warn, "byvshiy (id 3) is dismissed in the CRM, nobody: the CRM has no id 77");
    let said = run(&["-d", &place.name(), "--lang", "ru", "probe", "bitrix24", "--full"]);
    assert_eq!(said.code, 0, "{said:?}");
    for words in ["! Сотрудники в правилах: byvshiy", "✓ Доступ: нас знают", "Справочники", "не действует"]
    {
        assert!(said.out.contains(words), "{words}\n{}", said.out);
    }
}

#[test]
fn a_probe_of_a_manifest_is_read_or_refused_with_its_line() {
    let compile = |text: &str| Connector::compile(Slug::literal("some"), "m.toml", text);
    let sink = "title_ru = \"А\"\ntitle_en = \"A\"\n[[setting]]\nname = \"url\"\nkind = \"url\"\nhelp_ru = \"а\"\n\
                help_en = \"a\"\nexample = \"https://a.ru\"\n[sink]\naddress = \"url\"\nauth = \"path_secret\"\n\
                quota = { requests = 1, per_ms = 1000, burst = 1 }\n[[sink.object]]\nkind = \"c\"\nof = \"client\"\n\
                mapping = \"c\"\ncreate_kind = \"neither\"\ncreate = { path = \"c\", id = \"id\" }\n";
    let probe = "[[probe]]\nname = \"a\"\ntitle_ru = \"А\"\ntitle_en = \"A\"\nask = { path = \"me\" }\nat = \"id\"\n";
    let read = compile(&format!("{sink}{probe}")).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(read.probes.len(), 1);
    for (text, expected) in [
        (format!("title_ru = \"А\"\ntitle_en = \"A\"\n{probe}"), "Add [sink]"),
        (format!("{sink}{}", probe.replace("ask = { path = \"me\" }\n", "")), "\"ask\""),
        (format!("{sink}{}", probe.replace("title_en = \"A\"\n", "")), "title_en"),
        (format!("{sink}{}", probe.replace("\"me\"", "\"me/{id}\"")), "id"),
        (format!("{sink}{probe}[[probe.need]]\nany = []\nwithout_ru = \"a\"\nwithout_en = \"a\"\n"), "any"),
        (
            format!("{sink}{probe}[[probe.mean]]\nvalue = \"1\"\ntext_ru = \"a\"\ntext_en = \"a\"\nthen = \"bad\"\n"),
            "bad",
        ),
        (format!("{sink}{probe}shw = [\"a\"]\n"), "show"),
    ] {
        let problems = compile(&text).expect_err("it is refused");
        let told: Vec<String> = problems.iter().map(|it| it.render(Locale::En)).collect();
        assert!(told.iter().any(|it| it.contains(expected) && it.starts_with("m.toml:")), "{expected}: {told:#?}");
    }
}
