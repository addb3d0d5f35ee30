//! Applications of the Bitrix24 twin: codes and tokens, notices that leave, the offline queue.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use uzel::twin::bitrix24::{App, Fault, Faults, NoticeFaults, PersonAct, Planned};

use crate::twin::{Got, Portal, portal};

const REDIRECT: &str = "https://uzel.example/oauth/crm";

async fn with_app() -> Portal {
    portal(|options| options.portal.app = Some(App::local(REDIRECT))).await
}

/// A code, as the person's browser brings it.
async fn code(it: &Portal) -> String {
    let app = App::local(REDIRECT);
    let url = format!("{}/oauth/authorize/?client_id={}&state=s%261", it.twin.portal_url(), app.client_id);
    let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    let answer = browser.expect("a client").get(url).send().await.expect("an answer");
    let location = answer.headers()["location"].to_str().expect("text").to_owned();
    assert!(location.starts_with(&format!("{REDIRECT}?code=")) && location.contains("&state=s%261&"), "{location}");
    location.split("code=").nth(1).and_then(|it| it.split('&').next()).expect("a code").to_owned()
}

async fn exchange(it: &Portal, grant: &str, name: &str, value: &str) -> Got {
    let app = App::local(REDIRECT);
    let url = format!(
        "{}/oauth/token/?grant_type={grant}&client_id={}&client_secret={}&{name}={value}",
        it.twin.oauth_url(),
        app.client_id,
        app.client_secret
    );
    it.send(it.http.get(url)).await
}

async fn tokens(it: &Portal) -> (String, String) {
    let got = exchange(it, "authorization_code", "code", &code(it).await).await;
    assert_eq!(got.status, 200, "{}", got.json);
    pair(&got.json)
}

fn pair(json: &Json) -> (String, String) {
    let text = |name: &str| json[name].as_str().expect(name).to_owned();
    (text("access_token"), text("refresh_token"))
}

async fn call(it: &Portal, method: &str, token: &str, mut params: Json) -> Got {
    params["auth"] = json!(token);
    it.send(it.http.post(format!("{}/rest/{method}", it.twin.portal_url())).json(&params)).await
}

#[tokio::test]
async fn a_code_works_once_and_for_thirty_seconds() {
    let it = with_app().await;
    let first = code(&it).await;
    let got = exchange(&it, "authorization_code", "code", &first).await;
    assert_eq!((got.status, &got.json["expires_in"], &got.json["status"]), (200, &json!(3600), &json!("L")));
    assert_eq!(got.json["client_endpoint"], json!(format!("{}/rest/", it.twin.portal_url())));
    let again = exchange(&it, "authorization_code", "code", &first).await;
    assert_eq!((again.status, &again.json["error"]), (400, &json!("invalid_grant")));
    let late = code(&it).await;
    it.clock.advance_ms(30_000);
    assert_eq!(exchange(&it, "authorization_code", "code", &late).await.json["error"], "invalid_grant");
}

#[tokio::test]
async fn a_token_runs_out_and_every_refresh_gives_a_new_pair() {
    let it = with_app().await;
    let (access, refresh) = tokens(&it).await;
    assert_eq!(call(&it, "user.current", &access, json!({})).await.status, 200);
    assert_eq!(call(&it, "app.info", &access, json!({})).await.json["result"]["STATUS"], "L");
    it.clock.advance_ms(3_600_000);
    let expired = call(&it, "user.current", &access, json!({})).await;
    assert_eq!((expired.status, &expired.json["error"]), (401, &json!("expired_token")));
    let got = exchange(&it, "refresh_token", "refresh_token", &refresh).await;
    let (fresh, next) = pair(&got.json);
    assert_ne!(next, refresh);
    assert_eq!(call(&it, "user.current", &fresh, json!({})).await.status, 200);
    let dead = exchange(&it, "refresh_token", "refresh_token", &refresh).await;
    assert_eq!((dead.status, &dead.json["error"]), (400, &json!("invalid_grant")));
    let unknown = call(&it, "user.current", "x", json!({})).await;
    assert_eq!((unknown.status, &unknown.json["error"]), (401, &json!("NO_AUTH_FOUND")));
    it.twin.change(|portal| portal.app.as_mut().expect("it is there").paid = false);
    let unpaid = exchange(&it, "refresh_token", "refresh_token", &next).await;
    assert_eq!((unpaid.status, &unpaid.json["error"]), (402, &json!("PAYMENT_REQUIRED")));
    it.twin.change(|portal| portal.app.as_mut().expect("it is there").installed = false);
    assert_eq!(exchange(&it, "refresh_token", "refresh_token", &next).await.json["error"], "invalid_client");
}

#[tokio::test]
async fn a_forgiving_server_takes_the_former_refresh_token_until_the_new_pair_is_used() {
    let it = portal(|options| options.portal.app = Some(App { forgiving: true, ..App::local(REDIRECT) })).await;
    let (_, refresh) = tokens(&it).await;
    it.twin.plan_fault(Planned::on("oauth.token", Fault::LostAnswer));
    let app = App::local(REDIRECT);
    let url = format!(
        "{}/oauth/token/?grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={refresh}",
        it.twin.oauth_url(),
        app.client_id,
        app.client_secret
    );
    it.http.get(&url).send().await.expect_err("the answer is lost");
    let (access, _) = pair(&it.send(it.http.get(&url)).await.json);
    assert_eq!(call(&it, "user.current", &access, json!({})).await.status, 200);
    assert_eq!(it.send(it.http.get(&url)).await.json["error"], "invalid_grant", "the new pair is in use");
}

/// Listens for notices.
pub(crate) async fn receiver() -> (String, Arc<Mutex<Vec<String>>>) {
    use axum::routing::post;
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&got);
    let router = axum::Router::new().route(
        "/hook",
        post(async move |body: String| {
            kept.lock().expect("not poisoned").push(body);
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, got)
}

async fn settled(it: &Portal) {
    while it.twin.notices().1 > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_notice_carries_the_id_and_the_token_and_leaves_once() {
    let it = portal(|_| {}).await;
    let (url, got) = receiver().await;
    it.twin.change(|portal| portal.add_outgoing_webhook(&url, &["OnCrmDealAdd", "ONCRMDEALDELETE"], "t0ken"));
    it.ok("crm.deal.add", json!({"fields": {}})).await;
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"TITLE": "B"}})).await;
    it.ok("crm.item.batchImport", json!({"entityTypeId": 2, "data": [{"title": "Старая"}]})).await;
    it.twin.person(&PersonAct::Delete { object: uzel::twin::bitrix24::Kind::Deal, id: 1 });
    settled(&it).await;
    let got = got.lock().expect("not poisoned").clone();
    assert_eq!(got.len(), 2, "{got:?}");
    assert!(got[0].starts_with("event=ONCRMDEALADD&event_handler_id=1&data%5BFIELDS%5D%5BID%5D=1&ts="), "{}", got[0]);
    assert!(got[0].ends_with("&auth%5Bapplication_token%5D=t0ken"), "{}", got[0]);
    assert!(got[1].starts_with("event=ONCRMDEALDELETE&"), "{}", got[1]);
}

#[tokio::test]
async fn notices_are_lost_doubled_and_swapped_by_the_seed() {
    let it = portal(|_| {}).await;
    let (url, got) = receiver().await;
    it.twin.change(|portal| portal.add_outgoing_webhook(&url, &["ONCRMDEALADD"], "t"));
    let notices = NoticeFaults { lost: 300, doubled: 200, swapped: 200, delay_ms: 0 };
    it.twin.set_faults(Faults { seed: 5, notices, ..Faults::default() });
    for _ in 0..60 {
        it.twin.call("crm.deal.add", &json!({"fields": {}})).expect("it is made");
    }
    settled(&it).await;
    let ids: Vec<u64> = got
        .lock()
        .expect("not poisoned")
        .iter()
        .filter_map(|body| body.split("%5BID%5D=").nth(1)?.split('&').next()?.parse().ok())
        .collect();
    let distinct: std::collections::BTreeSet<u64> = ids.iter().copied().collect();
    assert!((30..55).contains(&distinct.len()), "{ids:?}");
    assert!(ids.len() > distinct.len() && ids.windows(2).any(|it| it[0] > it[1]), "{ids:?}");
}

#[tokio::test]
async fn the_offline_queue_keeps_the_newest_per_object_until_it_is_cleared() {
    let it = with_app().await;
    let (token, _) = tokens(&it).await;
    let bind = json!({"event": "ONCRMDEALUPDATE", "event_type": "offline", "auth_connector": "uzel"});
    assert_eq!(call(&it, "event.bind", &token, bind).await.json["result"], true);
    let unknown = call(&it, "event.bind", &token, json!({"event": "ONNOTHING", "handler": "https://x"})).await;
    assert_eq!((unknown.status, &unknown.json["error"]), (400, &json!("ERROR_EVENT_NOT_FOUND")));
    it.ok("crm.deal.add", json!({"fields": {}})).await;
    for title in ["A", "B"] {
        it.ok("crm.deal.update", json!({"id": 1, "fields": {"TITLE": title}})).await;
    }
    it.ok("crm.deal.add", json!({"fields": {}})).await;
    // Signed with the key: not told.
    it.ok("crm.deal.update", json!({"id": 2, "fields": {"TITLE": "C"}, "auth_connector": "uzel"})).await;
    let get = json!({"clear": 0, "auth_connector": "uzel"});
    let got = call(&it, "event.offline.get", &token, get.clone()).await.json["result"].clone();
    assert_eq!(got["events"].as_array().map(Vec::len), Some(1), "{got}");
    assert_eq!(got["events"][0]["EVENT_DATA"]["FIELDS"]["ID"], "1");
    let process = got["process_id"].as_str().expect("a process").to_owned();
    // Reserved: another process does not see it, the same one does.
    assert_eq!(call(&it, "event.offline.get", &token, get).await.json["result"]["events"], json!([]));
    let again = json!({"clear": 0, "process_id": process, "auth_connector": "uzel"});
    assert_eq!(
        call(&it, "event.offline.get", &token, again).await.json["result"]["events"][0]["ID"],
        got["events"][0]["ID"]
    );
    call(&it, "event.offline.clear", &token, json!({"process_id": process})).await;
    assert_eq!(call(&it, "event.offline.list", &token, json!({})).await.json["result"], json!([]));
    let webhook = it.call("event.bind", json!({"event": "ONCRMDEALADD", "handler": "https://x"})).await;
    assert_eq!((webhook.status, &webhook.json["error"]), (403, &json!("WRONG_AUTH_TYPE")));
}
