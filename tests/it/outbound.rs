//! The outgoing webhook, end to end: the real program, and a receiver that checks signatures and
//! fails in every way that receivers do.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use uzel::base::Secret;
use uzel::base::clock::SystemClock;
use uzel::twin::receiver::{Fault, Receiver};

use crate::daemon_support::{Daemon, Place};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

async fn receiver() -> Receiver {
    let listen = "127.0.0.1:0".parse().expect("an address");
    Receiver::start(Secret::new(SECRET), listen, Arc::new(SystemClock)).await.expect("it listens")
}

fn settings(more: &str) -> String {
    format!(
        "locale = \"ru\"\n[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\nregion = \"RU\"\ncurrency = \"RUB\"\n\
         [connection.site]\nconnector = \"forms\"\n\
         [connection.erp]\nconnector = \"outbound\"\nmode = \"live\"\n{more}"
    )
}

/// A folder whose outgoing webhook goes to the receiver.
fn place(receiver: &Receiver, more: &str) -> Place {
    let place = Place::new(&settings(more), "http://127.0.0.1:9/rest/1/x/");
    set(&place, "erp.url", &receiver.url());
    set(&place, "erp.signing_secret", SECRET);
    place
}

fn set(place: &Place, name: &str, value: &str) {
    let vault = uzel::vault::Vault::open(&place.path().join("vault.json")).expect("the vault");
    vault.set(name, Secret::new(value)).expect("it is kept");
}

async fn all_told(daemon: &Daemon) {
    daemon.caught_up().await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
}

/// The newest data by type and id, as a receiver keeps them.
fn held(receiver: &Receiver) -> BTreeMap<(String, String), Value> {
    let mut held = BTreeMap::new();
    for message in receiver.messages() {
        let kind = message.body["type"].as_str().and_then(|it| it.split('.').next()).expect("a type").to_owned();
        let id = message.body["data"]["id"].as_str().expect("an id").to_owned();
        held.insert((kind, id), message.body["data"].clone());
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_object_is_told_once_signed_and_whole_whatever_the_receiver_does() {
    let receiver = receiver().await;
    let place = place(&receiver, "allow_private = true\n");
    receiver.then([
        Fault::TakeAndHangUp,
        Fault::TakeAndSay(500),
        Fault::Refuse(500, None),
        Fault::Refuse(429, Some(1)),
        Fault::Refuse(503, Some(1)),
    ]);
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    all_told(&daemon).await;

    let held = held(&receiver);
    let of = |kind: &str| held.iter().filter(|((it, _), _)| it == kind).map(|(_, data)| data).collect::<Vec<_>>();
    assert_eq!((of("client").len(), of("deal").len(), of("interaction").len()), (2, 2, 2), "{held:#?}");
    for deal in of("deal") {
        assert!(deal["class"].is_string() && deal["explanation"].is_string(), "{deal:#}");
        assert!(of("client").iter().any(|client| client["id"] == deal["client"]), "{deal:#}");
    }
    assert!(
        of("client").iter().any(|it| it["name"] == "Соколова Мария" && it["phones"][0] == "+79123456781"),
        "{held:#?}"
    );
    // What was taken in and not acknowledged came again under the same id: the receiver can tell.
    assert!(receiver.attempts().len() > receiver.messages().len());
    assert_eq!(receiver.refused(), 0);
    let created = receiver.messages().iter().filter(|it| it.body["type"] == "client.created").count();
    assert_eq!(created, 2);

    // A change is told whole, with what changed; an edit that changes nothing is not.
    let id = of("client")[0]["id"].as_str().expect("an id").to_owned();
    place.json(&["client", "edit", &id, "address=Казань"]);
    all_told(&daemon).await;
    let last = receiver.messages().pop().expect("a message").body;
    assert_eq!(last["type"], "client.updated");
    assert_eq!((&last["changed"], &last["data"]["id"]), (&serde_json::json!({"address": "Казань"}), &Value::from(id)));
    assert!(last["data"]["phones"].is_array(), "{last:#}");
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_changed_without_losing_a_message_and_a_wrong_one_is_said() {
    let receiver = receiver().await;
    let place = place(&receiver, "allow_private = true\n");
    // We change first: messages bear both signatures, so the receiver still knows one.
    set(&place, "erp.signing_secret", OTHER);
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    all_told(&daemon).await;
    assert_eq!(receiver.refused(), 0);
    // Then the receiver does.
    receiver.secrets(vec![Secret::new(OTHER)]);
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    all_told(&daemon).await;
    assert_eq!(receiver.refused(), 0);
    // A receiver that knows neither: the sink stops and says so; nothing is lost.
    receiver.secrets(vec![Secret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]);
    let before = receiver.messages().len();
    daemon.form("Анна Белова", "+7 912 345-67-83").await;
    daemon.caught_up().await;
    let said = daemon
        .until("status", |status| {
            let sinks = status["connections"].as_array()?;
            sinks.iter().find(|it| it["name"] == "erp")?["stopped"].as_str().map(str::to_owned)
        })
        .await;
    assert!(said.contains("401"), "{said}");
    assert_eq!(receiver.messages().len(), before);
    let outbox = daemon.get("outbox").await;
    assert!(outbox["rows"].as_array().is_some_and(|rows| !rows.is_empty()), "{outbox:#}");
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_within_our_own_network_is_not_called_unless_it_is_listed() {
    let receiver = receiver().await;
    for (more, is_told) in
        [("", false), ("allow_networks = [\"10.0.0.0/8\"]\n", false), ("allow_networks = [\"127.0.0.0/8\"]\n", true)]
    {
        let place = place(&receiver, more);
        let daemon = place.start();
        let before = receiver.messages().len();
        daemon.form("Мария Соколова", "+7 912 345-67-81").await;
        daemon.caught_up().await;
        match is_told {
            true => all_told(&daemon).await,
            false => {
                let stopped = |status: &Value| {
                    let sinks = status["connections"].as_array()?;
                    sinks.iter().find(|it| it["name"] == "erp")?["stopped"].as_str().map(str::to_owned)
                };
                let said = daemon.until("status", stopped).await;
                assert!(said.contains("127.0.0.1"), "{said}");
            }
        }
        assert_eq!(receiver.messages().len() > before, is_told, "{more}");
        assert_eq!(daemon.stop(), Some(0));
    }
}
