//! The daemon reads and writes one portal: history by command, people's edits, our own writes that
//! come back.

use serde_json::{Value, json};

use super::daemon_support::{Place, crm, settings, until};

fn settings_that_look_every_second() -> String {
    format!("{}poll_s = 1\n", settings("live"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_loaded_by_command_and_edits_of_both_sides_end_equal() {
    let twin = crm().await;
    let call = |method: &str, params: Value| {
        let answer = twin.call(method, &params).unwrap_or_else(|refusal| panic!("{method}: {refusal:?}"));
        answer.get("result").cloned().unwrap_or(answer)
    };
    let contact = call(
        "crm.contact.add",
        json!({"fields": {"NAME": "Иван", "LAST_NAME": "Петров", "PHONE": [{"VALUE": "+79123456789"}]}}),
    );
    let old =
        call("crm.deal.add", json!({"fields": {"TITLE": "Давняя", "CONTACT_ID": contact, "OPPORTUNITY": "70000"}}));
    let place = Place::new(&settings_that_look_every_second(), &twin.url());
    // Without a daemon: loaded by the command itself.
    let said = place.run(&["load", "bitrix24"]);
    assert_eq!(said.code, 0, "{said:?}");
    let sources = place.json(&["source", "list"]);
    let of = |sources: &Value, stream: &str| {
        sources.as_array().and_then(|all| all.iter().find(|it| it["stream"] == stream).cloned()).expect("a stream")
    };
    assert_eq!(of(&sources, "deal")["state"], "followed", "{sources:#}");
    let clients = place.json(&["client", "list"]);
    assert_eq!(clients["rows"][0]["name"], "Петров Иван", "{clients:#}");

    let daemon = place.start();
    let again = place.run(&["load", "bitrix24"]);
    assert_eq!(again.code, 0, "beside a daemon it watches: {again:?}");
    assert!(
        call("crm.deal.get", json!({"id": old})).get("UF_CRM_UZEL_CLASS").is_none_or(Value::is_null),
        "history writes nothing"
    );

    // A lead comes, goes to the portal, and comes back: nothing changes with us.
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    let deals = || super::daemon_support::crm_deals(&twin);
    let made = until("the deal is there", || deals().first().cloned());
    let seen =
        |view: &Value| view.as_array()?.iter().find(|it| it["stream"] == "deal")?["same"].as_u64().filter(|it| *it > 3);
    daemon.until("sources", seen).await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    let (updates, deals_before) = (twin.calls("crm.deal.update"), daemon.get("deals").await);
    assert_eq!(deals_before["rows"].as_array().map(Vec::len), Some(2), "{deals_before:#}");

    // A person moves it there; nothing is pushed back.
    call("crm.deal.update", json!({"id": made["ID"], "fields": {"STAGE_ID": "EXECUTING", "TITLE": "Переговоры"}}));
    let moved = |view: &Value| {
        let rows = view["rows"].as_array()?;
        rows.iter().any(|it| it["stage"] == "В работе" && it["title"] == "Переговоры").then_some(())
    };
    daemon.until("deals", moved).await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    let now = call("crm.deal.get", json!({"id": made["ID"]}));
    assert_eq!((&now["STAGE_ID"], &now["TITLE"]), (&json!("EXECUTING"), &json!("Переговоры")));
    assert!(twin.calls("crm.deal.update") <= updates + 2, "the person's own, and at most a score");
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
    twin.shut_down().await.expect("the twin stops");
}

/// Reading came to every CRM, and a daemon that only looked on at one without an address did not
/// start any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_observed_crm_without_an_address_is_not_read_and_stops_nothing() {
    let text = settings("observe") + "[connection.later]\nconnector = \"bitrix24\"\n";
    let place = Place::new(&text, "http://127.0.0.1:9/rest/1/x/");
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let clients = place.json(&["client", "list"]);
    assert_eq!(clients["rows"].as_array().map(Vec::len), Some(1), "{clients:#}");
    assert_eq!(daemon.stop(), Some(0));
}
