//! Bitrix24 as a source: loading, following, what is read again, what is gone.

use serde_json::json;
use uzel::model::{ClientKind, DealState};
use uzel::twin::bitrix24::Limits;

use crate::reading_support::Scene;

/// Rows of the dictionaries of a new portal: 28 words, one pipeline, three users.
const DICTIONARIES: u64 = 32;

#[tokio::test(start_paused = true)]
async fn history_is_loaded_and_changes_are_followed() {
    let mut scene = Scene::new(Limits::none()).await;
    let company = scene.add("company", json!({"TITLE": "ООО «Лепесток»", "PHONE": [{"VALUE": "84951112233"}]}));
    let old = scene.add("deal", json!({"TITLE": "Давний", "COMPANY_ID": company}));
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    let contact = scene.add(
        "contact",
        json!({"NAME": "Иван", "LAST_NAME": "Петров", "PHONE": [{"VALUE": "8 912 345-67-89", "VALUE_TYPE": "MOBILE"}]}),
    );
    let deal = scene.add(
        "deal",
        json!({"TITLE": "Станок", "CONTACT_ID": contact, "OPPORTUNITY": "150000", "STAGE_ID": "EXECUTING"}),
    );
    let other = scene.add("deal", json!({"TITLE": "Насос", "COMPANY_ID": company, "CONTACT_ID": contact}));

    // Nobody asked for history: only what changes from now on is read.
    scene.read().await;
    assert!(scene.ours("deal", &old).is_none());
    scene.load();
    scene.read().await;
    let row = scene.deal("deal", &deal);
    assert_eq!(row.deal.title.as_ref().map(|it| it.value.as_str()), Some("Станок"));
    assert_eq!(row.deal.price.as_ref().map(|it| it.value.amount.to_string()).as_deref(), Some("150000"));
    assert_eq!(row.deal.stage.as_ref().map(|it| it.value.as_str()), Some("В работе"), "the name, not the id");
    assert_eq!(row.deal.pipeline.as_ref().map(|it| it.value.as_str()), Some("Общая"));
    assert_eq!(row.deal.client, Some(scene.client("contact", &contact).client.id));
    assert!(row.sinks.iter().all(|sink| sink.delivery.is_none()), "history tells nobody anything");
    let person = scene.client("contact", &contact);
    assert_eq!((person.client.kind, person.client.shown_name().as_str()), (ClientKind::Person, "Петров Иван"));
    let firm = scene.client("company", &company);
    assert_eq!(firm.client.kind, ClientKind::Company);
    assert_eq!(scene.deal("deal", &other).deal.client, Some(firm.client.id), "a deal with both is the company's");
    assert!(scene.cursor("deal").expect("it was read").cursor.loaded);

    // A person wins the deal there.
    scene.journalled();
    tokio::time::advance(std::time::Duration::from_secs(5)).await;
    scene.update("deal", &deal, json!({"STAGE_ID": "WON"}));
    scene.later().await;
    assert!(matches!(scene.deal("deal", &deal).deal.state, DealState::Won(_)));
    assert_eq!(scene.journalled(), 2, "the deal and its move; what has not changed is not journalled again");
    scene.later().await;
    assert_eq!(scene.journalled(), 0);
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_killed_goes_on_where_it_was() {
    let mut scene = Scene::new(Limits::none()).await;
    for number in 0..5_100 {
        scene
            .add("contact", json!({"NAME": format!("Имя{number}"), "PHONE": [{"VALUE": format!("+7912{number:07}")}]}));
    }
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    scene.add("contact", json!({"NAME": "Новый"}));
    scene.read().await;
    assert_eq!(scene.journalled() - DICTIONARIES, 1, "what is as old as the newest");
    scene.load();
    // The first portion: as many pages as travel together.
    scene.follower.round().await;
    let cursor = scene.cursor("contact").expect("it was read").cursor;
    let loading = cursor.loading.expect("it is under way");
    assert_eq!((loading.after.as_str(), loading.read, loading.total), ("2500", 2_500, Some(5_101)));
    scene.restart();
    scene.read().await;
    assert_eq!(scene.journalled(), 5_100, "each row once, killed or not");
    let cursor = scene.cursor("contact").expect("it was read").cursor;
    assert!(cursor.loaded && cursor.loading.is_none());
    // Asked for again, everything is read and nothing is news.
    scene.load();
    scene.read().await;
    assert_eq!(scene.journalled(), 0);
    assert!(scene.readings.of("bitrix24", "contact").is_some_and(|it| it.same >= 5_101));
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_verified_and_a_deletion_is_found_by_hint_or_by_comparison() {
    let mut scene = Scene::new(Limits::none()).await;
    let kept = scene.add("contact", json!({"NAME": "Анна", "PHONE": [{"VALUE": "+79120000001"}]}));
    let hinted = scene.add("contact", json!({"NAME": "Борис", "PHONE": [{"VALUE": "+79120000002"}]}));
    let swept = scene.add("contact", json!({"NAME": "Вера", "PHONE": [{"VALUE": "+79120000003"}]}));
    scene.read().await;
    scene.load();
    scene.read().await;
    let gone = |scene: &Scene, id: &str| {
        let row = scene.client("contact", id);
        row.sinks.iter().any(|sink| sink.gone.is_some())
    };
    scene.person("crm.contact.delete", json!({ "id": hinted }));
    scene.person("crm.contact.delete", json!({ "id": swept }));
    // A hint that is doubled, one of nothing, and one that only says so.
    for id in [&hinted, &hinted, &kept, "777"] {
        scene.hints.tell(&crate::reading_support::bitrix24(), "contact", id);
    }
    scene.read().await;
    assert_eq!((gone(&scene, &kept), gone(&scene, &hinted), gone(&scene, &swept)), (false, true, false));
    // A day later the ids are compared.
    tokio::time::advance(std::time::Duration::from_secs(86_500)).await;
    scene.read().await;
    assert_eq!((gone(&scene, &kept), gone(&scene, &hinted), gone(&scene, &swept)), (false, true, true));
    assert_eq!(scene.client("contact", &swept).client.shown_name(), "Вера", "it stays with us");
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn what_changed_within_one_second_is_read_to_its_end() {
    let mut scene = Scene::new(Limits::none()).await;
    scene.read().await;
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    for number in 0..180 {
        scene.add("contact", json!({"NAME": "Имя", "PHONE": [{"VALUE": format!("+7912{number:07}")}]}));
    }
    scene.journalled();
    scene.later().await;
    assert_eq!(scene.journalled(), 180, "four pages of one second, each row once");
    scene.later().await;
    assert_eq!(scene.journalled(), 0);
}
