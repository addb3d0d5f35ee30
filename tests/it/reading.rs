//! Bitrix24 as a source: loading, following, what is read again, what is gone.

use serde_json::json;
use uzel::model::{ClientKind, DealState};
use uzel::twin::bitrix24::Limits;

use crate::reading_support::Scene;

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
    let deal = scene.add("deal", json!({"TITLE": "Станок", "CONTACT_ID": contact, "OPPORTUNITY": "150000", "STAGE_ID": "EXECUTING"}));
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
    assert_eq!(scene.journalled(), 1, "what was seen and has not changed is not journalled again");
    scene.later().await;
    assert_eq!(scene.journalled(), 0);
    scene.rebuilds();
}
