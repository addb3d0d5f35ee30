//! A local application asks the portal to tell of changes: at our address and in a queue. What comes
//! is hints; doubled, lost and refused ones harm nothing.

use std::time::Duration;

use serde_json::json;
use uzel::source::hint::Hinted;
use uzel::task::poll::{Hearing, Way};
use uzel::twin::bitrix24::{Fault, Limits, Planned};

use crate::reading_support::{Scene, bitrix24};
use crate::twin_apps::receiver;

/// Messages that the manifest names.
const MESSAGES: u64 = 12;

fn both() -> Hearing {
    Hearing { called: Way::InForce, queue: Way::InForce }
}

/// A little later, before any stream is due.
async fn soon(scene: &mut Scene) {
    tokio::time::advance(Duration::from_secs(2)).await;
    scene.read().await;
}

#[tokio::test(start_paused = true)]
async fn messages_are_bound_once_and_those_of_an_earlier_address_are_taken_back() {
    let mut scene = Scene::new(Limits::none()).await;
    let (url, got) = receiver().await;
    scene.by_application(Some(&url)).await;
    scene.read().await;
    assert_eq!(scene.readings.hearing("bitrix24"), both());
    assert_eq!(scene.twin.calls("event.bind"), MESSAGES * 2, "at our address and in the queue");
    // A new process: everything is bound already.
    scene.by_application(Some(&url)).await;
    scene.read().await;
    assert_eq!((scene.twin.calls("event.bind"), scene.twin.calls("event.unbind")), (MESSAGES * 2, 0));

    let deal = scene.add("deal", json!({"TITLE": "Станок"}));
    while scene.twin.notices().1 > 0 {
        tokio::task::yield_now().await;
    }
    // As the listener takes it.
    let source = crate::hint::learning(&url);
    let body = got.lock().expect("not poisoned").pop().expect("it was told");
    let Hinted::Look { stream, id } = source.read(&url, body.as_bytes()) else { panic!("{body}") };
    assert_eq!((stream.as_str(), &id), ("deal", &deal));
    for _ in 0..2 {
        scene.hints.tell(&bitrix24(), &stream, &id);
    }
    soon(&mut scene).await;
    assert!(scene.ours("deal", &deal).is_some(), "read at once");

    scene.by_application(Some("https://uzel.example/in/crm/new")).await;
    scene.read().await;
    assert_eq!((scene.twin.calls("event.bind"), scene.twin.calls("event.unbind")), (MESSAGES * 3, MESSAGES));
    assert_eq!(scene.readings.hearing("bitrix24"), both());
    // Installed anew, an application is told of nothing: bound again within a day.
    scene.twin.change(|portal| portal.forget_handlers());
    tokio::time::advance(Duration::from_secs(86_400)).await;
    scene.read().await;
    assert_eq!(scene.twin.calls("event.bind"), MESSAGES * 5);
}

#[tokio::test(start_paused = true)]
async fn the_queue_tells_of_deletions_and_not_of_what_we_wrote() {
    let mut scene = Scene::new(Limits::none()).await;
    let (kept, gone) = (scene.add("contact", json!({"NAME": "Анна"})), scene.add("contact", json!({"NAME": "Борис"})));
    scene.by_application(None).await;
    scene.read().await;
    assert_eq!(scene.readings.hearing("bitrix24"), Hearing { queue: Way::InForce, ..Hearing::default() });
    scene.load();
    scene.read().await;
    assert_eq!(scene.twin.calls("crm.contact.get"), 0);

    scene.person("crm.contact.update", json!({"id": kept, "fields": {"POST": "Снабженец"}, "auth_connector": "uzel"}));
    scene.later().await;
    assert_eq!(scene.twin.calls("crm.contact.get"), 0, "what we have signed is not in the queue");
    // The answer to its removal is lost: the portion is there no more, or comes again.
    scene.twin.plan_fault(Planned::on("event.offline.clear", Fault::LostAnswer));
    scene.person("crm.contact.delete", json!({ "id": gone }));
    scene.later().await;
    let row = scene.look(|reader| {
        let foreign = uzel::model::Foreign { connection: bitrix24(), kind: "contact".into(), id: gone.as_str().into() };
        reader.get::<uzel::tables::PolledRows>(&foreign).expect("it reads").expect("it was read")
    });
    assert!(row.gone, "a deletion shows in no list");
    let clears = scene.twin.calls("event.offline.clear");
    scene.later().await;
    assert_eq!(scene.twin.calls("event.offline.clear"), clears + 1, "seen to until it is gone there");
    scene.later().await;
    assert_eq!(scene.twin.calls("event.offline.clear"), clears + 1);
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn more_than_a_portion_is_taken_at_once() {
    let mut scene = Scene::new(Limits::none()).await;
    scene.by_application(None).await;
    scene.read().await;
    for number in 0..120 {
        scene.add("contact", json!({"NAME": format!("Имя{number}")}));
    }
    let before = scene.twin.calls("event.offline.get");
    scene.later().await;
    assert_eq!(scene.twin.calls("event.offline.get") - before, 3, "fifty, fifty, twenty");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_refuses_is_read_all_the_same_and_is_no_trouble() {
    for (refused, expected) in [(true, "refused"), (false, "not offered")] {
        let mut scene = Scene::new(Limits::none()).await;
        scene.twin.change(|portal| match refused {
            true => portal.edition.refuses.push("event.".to_owned()),
            false => portal.edition.lacks.push("event.".to_owned()),
        });
        scene.by_application(Some("https://uzel.example/in/crm/x")).await;
        scene.read().await;
        let hearing = scene.readings.hearing("bitrix24");
        let shown = |way: &Way| match way {
            Way::Unasked => "unasked",
            Way::InForce => "in force",
            Way::NotOffered => "not offered",
            Way::Refused(_) => "refused",
        };
        assert_eq!((shown(&hearing.called), shown(&hearing.queue)), (expected, expected));
        let deal = scene.add("deal", json!({"TITLE": "Станок"}));
        scene.later().await;
        assert!(scene.ours("deal", &deal).is_some(), "seen by looking");
        assert_eq!(scene.readings.unread("bitrix24"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn by_a_webhook_nothing_is_asked_for() {
    let mut scene = Scene::new(Limits::none()).await;
    scene.read().await;
    assert_eq!((scene.twin.calls("event.get"), scene.twin.calls("event.bind")), (0, 0));
    assert_eq!(scene.readings.hearing("bitrix24"), Hearing::default());
}
