//! A daemon that works by a local application of Bitrix24: a person agrees, deliveries go, tokens
//! run out and are renewed; a lost right waits for a person and loses nothing.

use serde_json::Value;
use uzel::base::Secret;
use uzel::twin::bitrix24::{App, RunningTwin};
use uzel::vault::Vault;

use super::daemon_support::{Daemon, Place, crm, crm_deals, run, settings};

const NOWHERE: &str = "http://127.0.0.1:9/rest/1/nobodylistenshere/";

fn place(twin: &RunningTwin) -> Place {
    let settings = settings("live").replace(
        "connector = \"bitrix24\"\n",
        &format!(
            "connector = \"bitrix24\"\nportal = \"{}\"\noauth_server = \"{}\"\nclient_id = \"{}\"\n",
            twin.portal_url(),
            twin.oauth_url(),
            App::local("").client_id
        ),
    );
    let place = Place::new(&settings, NOWHERE);
    let vault = Vault::open(&place.path().join("vault.json")).expect("the vault");
    vault.set("bitrix24.client_secret", Secret::new(App::local("").client_secret)).expect("it is kept");
    place
}

/// The person opens the address and is sent back; the daemon listens at another port than the card
/// of the application says, so the way back is put right by hand.
async fn agree(place: &Place, daemon: &Daemon) -> (u16, String) {
    let begun = place.json(&["connect", "bitrix24"]);
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let url = begun["url"].as_str().expect("an address");
    let answer = browser.expect("a client").get(url).send().await.expect("an answer");
    let back = answer.headers()["location"].to_str().expect("text").to_owned();
    let (_, query) = back.split_once('?').expect("parameters");
    daemon.plain(&format!("GET /oauth/bitrix24?{query}"), &[("accept-language", "en")])
}

async fn told(daemon: &Daemon, twin: &RunningTwin, deals: usize) {
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    assert_eq!(crm_deals(twin).len(), deals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_application_serves_as_well_as_a_webhook_and_its_tokens_are_renewed() {
    let twin = crm().await;
    twin.change(|portal| portal.app = Some(App::local("https://uzel.example/oauth/bitrix24")));
    let place = place(&twin);
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let said = place.run(&["connect", "bitrix24", "--status"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("uzel connect bitrix24"), "{said:?}");
    assert_eq!(place.run(&["connect", "site"]).code, 4, "a site has no tokens");

    let forged = daemon.plain("GET /oauth/bitrix24?code=x&state=y", &[("accept-language", "en")]);
    assert_eq!(forged.0, 400, "{forged:?}");
    assert_eq!(daemon.plain("GET /oauth/none?code=x&state=y", &[]).0, 404);
    let done = agree(&place, &daemon).await;
    assert_eq!(done.0, 200, "{done:?}");
    let shown = place.json(&["connect", "bitrix24", "--status"]);
    assert_eq!(shown["standing"], "connected", "{shown}");
    // The sink rested since it was refused; that a person agreed wakes it.
    told(&daemon, &twin, 1).await;

    twin.expire_access_tokens();
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;
    told(&daemon, &twin, 2).await;
    assert_eq!(twin.calls("oauth.token"), 2, "one code, one renewal");
    let log = daemon.log();
    let vault = Vault::open(&place.path().join("vault.json")).expect("the vault");
    let pair: Value = serde_json::from_str(vault.get("bitrix24.oauth").expect("a pair").expose()).expect("JSON");
    for secret in ["access", "refresh"] {
        assert!(!log.contains(pair[secret].as_str().expect("a token")), "tokens are not logged");
    }
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_taken_by_hand_when_no_daemon_runs() {
    let twin = crm().await;
    twin.change(|portal| portal.app = Some(App::local("https://uzel.example/oauth/bitrix24")));
    let place = place(&twin);
    let begun = place.json(&["connect", "bitrix24"]);
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let answer = browser.expect("a client").get(begun["url"].as_str().expect("an address")).send().await;
    let back = answer.expect("an answer").headers()["location"].to_str().expect("text").to_owned();
    let code = back.split("code=").nth(1).and_then(|it| it.split('&').next()).expect("a code").to_owned();
    assert_eq!(place.run(&["connect", "bitrix24", "--code", "wrong"]).code, 1);
    let said = place.run(&["connect", "bitrix24", "--code", &code]);
    assert_eq!(said.code, 0, "{said:?}");
    let status = run(&["-d", &place.name(), "--lang", "ru", "connect", "bitrix24", "--status"]);
    assert!(status.code == 0 && status.out.contains("Подключено"), "{status:?}");
    twin.shut_down().await.expect("the twin stops");
}

/// The page of the head of sales, by a new link.
async fn page_of(place: &Place) -> String {
    let link = place.json(&["page", "link"]);
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let browser = browser.expect("a client");
    let url = link["url"].as_str().expect("an address");
    let opened = browser.get(url).send().await.expect("an answer");
    let cookie = opened.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
    let place = opened.url().join(opened.headers()["location"].to_str().expect("text")).expect("an address");
    let page = browser.get(place).header("cookie", cookie).send().await.expect("an answer");
    page.text().await.expect("text")
}

/// 180 days have passed, or the application was taken away: nothing is lost, one alarm says what to
/// do, and everything that waited goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_right_is_one_alarm_with_the_next_step_and_after_it_all_goes_on() {
    let twin = crm().await;
    twin.change(|portal| portal.app = Some(App::local("https://uzel.example/oauth/bitrix24")));
    let place = place(&twin);
    let daemon = place.start();
    assert_eq!(agree(&place, &daemon).await.0, 200);
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    told(&daemon, &twin, 1).await;
    // Deals are followed from their first look on: what is made before it is history.
    let followed = |view: &Value| {
        let deals = view.as_array()?.iter().find(|it| it["stream"] == "deal")?;
        deals["read_at"].is_string().then_some(())
    };
    daemon.until("sources", followed).await;

    twin.expire_refresh_tokens();
    twin.expire_access_tokens();
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;
    let lost = |status: &Value| {
        let alarms = status["alarms"].as_array()?;
        alarms.iter().find(|it| it["id"] == "rights-lost").cloned()
    };
    let alarm = daemon.until("status", lost).await;
    assert_eq!((&alarm["subject"], &alarm["severity"]), (&"bitrix24".into(), &"critical".into()), "{alarm:#}");
    let next = alarm["next"].as_str().expect("text");
    assert!(next.contains("uzel connect bitrix24"), "{next}");
    assert!(alarm["why"].as_str().is_some_and(|why| why.contains("Nothing is lost")), "{alarm:#}");
    let of_crm = |status: &Value| {
        let alarms = status["alarms"].as_array().expect("alarms");
        alarms.iter().filter(|it| it["subject"] == "bitrix24").count()
    };
    let status = daemon.get("status").await;
    assert_eq!(of_crm(&status), 1, "one cause is said once: {:#}", status["alarms"]);
    let said = place.run(&["status"]);
    assert!(said.out.contains("uzel connect bitrix24"), "{said:?}");
    let page = page_of(&place).await;
    assert!(page.contains("uzel connect bitrix24"), "{page}");
    assert_eq!(crm_deals(&twin).len(), 1);

    // Meanwhile people work there.
    let fields = serde_json::json!({"fields": {"TITLE": "Станок", "OPPORTUNITY": "5000"}});
    twin.call("crm.deal.add", &fields).expect("it is made");
    assert_eq!(agree(&place, &daemon).await.0, 200);
    told(&daemon, &twin, 2).await;
    let read = |deals: &Value| deals["rows"].as_array()?.iter().any(|it| it["title"] == "Станок").then_some(());
    daemon.until("deals", read).await;
    daemon.until("status", |status| (of_crm(status) == 0).then_some(())).await;
    assert_eq!(place.run(&["outbox", "list", "--state", "dead", "--json"]).out.matches("\"object\"").count(), 0);
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}
