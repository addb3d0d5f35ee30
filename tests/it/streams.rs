//! The streams of Bitrix24 beside clients and deals: goods, stage history, comments, activities,
//! requisites. What hangs on objects is read with them and comes back from us as nothing new.

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use uzel::model::{Direction, Interaction, InteractionKind, OutcomeKind};
use uzel::tables::rows::ObjectKey;
use uzel::tables::{Counters, Interactions, Span};
use uzel::twin::bitrix24::{Edition, Limits};

use crate::reading_support::{Scene, bitrix24};

/// The interaction of a foreign id.
fn interaction(scene: &Scene, kind: &str, id: &Json) -> Option<Interaction> {
    let Some(ObjectKey::Interaction(ours)) = scene.ours(kind, &id.to_string().replace('"', "")) else { return None };
    scene.look(|reader| reader.get::<Interactions>(&ours).expect("it reads")).map(|row| row.interaction)
}

fn interactions(scene: &Scene) -> Vec<Interaction> {
    scene.look(|reader| {
        let rows = reader.rows(Span::<Interactions>::all());
        rows.map(|row| row.expect("it reads").1.interaction).collect()
    })
}

fn count(scene: &Scene, stream: &'static str, kind: OutcomeKind) -> u64 {
    let key = (bitrix24(), uzel::base::Slug::literal(stream), kind);
    scene.look(|reader| reader.get::<Counters>(&key).expect("it reads")).unwrap_or(0)
}

/// A portal with a company, a contact, a deal and a lead, all of it loaded; their ids.
async fn portal() -> (Scene, String, String, String, String) {
    let mut scene = Scene::new(Limits::none()).await;
    let company = scene.add("company", json!({"TITLE": "ООО «Лепесток»"}));
    let contact = scene.add("contact", json!({"NAME": "Иван", "PHONE": [{"VALUE": "+79120000001"}]}));
    let deal = scene.add("deal", json!({"TITLE": "Станок", "CONTACT_ID": contact, "STAGE_ID": "NEW"}));
    let lead = scene.add("lead", json!({"TITLE": "Заявка", "NAME": "Пётр", "PHONE": [{"VALUE": "+79120000002"}]}));
    scene.read().await;
    scene.load();
    scene.read().await;
    tokio::time::advance(std::time::Duration::from_secs(600)).await;
    scene.read().await;
    (scene, company, contact, deal, lead)
}

#[tokio::test(start_paused = true)]
async fn goods_of_a_deal_are_read_and_follow_its_changes() {
    let (mut scene, _, _, deal, _) = portal().await;
    let lines = |scene: &Scene| -> Vec<(String, Decimal, Decimal)> {
        let lines = scene.deal("deal", &deal).deal.lines;
        lines.into_iter().map(|it| (it.name.to_string(), it.quantity, it.sum)).collect()
    };
    let set = |scene: &Scene, rows: Json| scene.person("crm.deal.productrows.set", json!({"id": deal, "rows": rows}));
    let two = json!([{"PRODUCT_NAME": "Станок", "PRICE": "1000.5", "QUANTITY": 2}, {"PRODUCT_NAME": "Доставка", "PRICE": 300, "QUANTITY": 1}]);
    set(&scene, two.clone());
    scene.later().await;
    scene.later().await;
    let of = |name: &str, quantity: i64, cents: i64| {
        (name.to_owned(), Decimal::from(quantity), Decimal::new(cents, 2).normalize())
    };
    assert_eq!(lines(&scene), [of("Станок", 2, 200_100), of("Доставка", 1, 30_000)]);
    // The same sum by other goods is a change too.
    set(&scene, json!([{"PRODUCT_NAME": "Насос", "PRICE": "2301", "QUANTITY": 1}]));
    scene.later().await;
    scene.later().await;
    assert_eq!(lines(&scene), [of("Насос", 1, 230_100)]);
    // All of them are taken away.
    set(&scene, json!([]));
    scene.later().await;
    scene.later().await;
    assert_eq!(lines(&scene), []);
    scene.journalled();
    scene.later().await;
    scene.later().await;
    assert_eq!(scene.journalled(), 0, "what has not changed is not news");
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn more_goods_than_a_page_are_read_whole() {
    let (mut scene, _, _, deal, _) = portal().await;
    let rows: Vec<Json> =
        (0..130).map(|it| json!({"PRODUCT_NAME": format!("Деталь {it}"), "PRICE": 10, "QUANTITY": 1})).collect();
    scene.person("crm.deal.productrows.set", json!({"id": deal, "rows": rows}));
    scene.later().await;
    scene.later().await;
    let lines = scene.deal("deal", &deal).deal.lines;
    assert_eq!((lines.len(), lines[129].name.as_str()), (130, "Деталь 129"));
}

#[tokio::test(start_paused = true)]
async fn moves_between_stages_are_told_once_and_by_name() {
    let (mut scene, _, contact, deal, lead) = portal().await;
    scene.update("deal", &deal, json!({"STAGE_ID": "EXECUTING"}));
    scene.update("lead", &lead, json!({"STATUS_ID": "IN_PROCESS"}));
    scene.later().await;
    scene.later().await;
    let client = scene.client("contact", &contact).client.id;
    let moves: Vec<(Option<_>, String)> = interactions(&scene)
        .into_iter()
        .filter(|it| it.kind == InteractionKind::StageTransition)
        .map(|it| (it.client, it.subject.to_string()))
        .collect();
    let person = scene.deal("lead", &lead).deal.client;
    assert_eq!(moves, [(Some(client), "В работе".to_owned()), (person, "В работе".to_owned())]);
    assert!(count(&scene, "deal_move", OutcomeKind::Filtered) >= 1, "that a deal was made is no move");
    scene.later().await;
    assert_eq!(interactions(&scene).len(), 2);
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn comments_of_all_objects_are_notes_with_their_authors() {
    let (mut scene, company, contact, deal, lead) = portal().await;
    let comment = |scene: &Scene, kind: &str, id: &str, text: &str| {
        scene.person(
            "crm.timeline.comment.add",
            json!({"fields": {"ENTITY_TYPE": kind, "ENTITY_ID": id, "COMMENT": text, "AUTHOR_ID": 1}}),
        )
    };
    let mut ids = Vec::new();
    for (kind, id) in [("deal", &deal), ("lead", &lead), ("contact", &contact), ("company", &company)] {
        ids.push(comment(&scene, kind, id, &format!("о {kind}")));
    }
    scene.later().await;
    scene.later().await;
    let read: Vec<Interaction> = ids.iter().filter_map(|id| interaction(&scene, "comment", id)).collect();
    let texts: Vec<&str> = read.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts, ["о deal", "о lead", "о contact", "о company"]);
    assert!(read.iter().all(|it| it.kind == InteractionKind::Note && it.direction == Direction::Internal));
    assert!(
        read.iter().all(|it| it.who.as_deref().is_some_and(|who| who.chars().any(char::is_alphabetic))),
        "{read:?}"
    );
    assert_eq!(read[0].deal, Some(scene.deal("deal", &deal).deal.id));
    assert_eq!(read[0].client, Some(scene.client("contact", &contact).client.id), "the client of the deal");
    assert_eq!((read[3].client, read[3].deal), (Some(scene.client("company", &company).client.id), None));
    // Told to nobody: it came from there.
    let told = scene.look(|reader| {
        reader
            .rows(Span::<Interactions>::all())
            .filter(|row| row.as_ref().expect("reads").1.sinks.iter().any(|it| it.delivery.is_some()))
            .count()
    });
    assert_eq!(told, 0);
    // One more within the same second, after the look.
    let late = comment(&scene, "deal", &deal, "вдогонку");
    scene.later().await;
    scene.later().await;
    assert_eq!(interaction(&scene, "comment", &late).map(|it| it.text), Some("вдогонку".to_owned()));
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn activities_that_took_place_become_interactions() {
    let (mut scene, company, contact, deal, _) = portal().await;
    let add = |scene: &Scene, owner: (u8, &str), fields: Json| {
        let mut all = json!({"OWNER_TYPE_ID": owner.0, "OWNER_ID": owner.1, "RESPONSIBLE_ID": 1, "COMMUNICATIONS": [{"VALUE": "+79120000001"}]});
        all.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        scene.person("crm.activity.add", json!({"fields": all}))
    };
    let call = add(
        &scene,
        (2, &deal),
        json!({"TYPE_ID": 2, "SUBJECT": "Исходящий", "DIRECTION": 2, "COMPLETED": "Y",
        "START_TIME": "2026-03-02T10:00:00+03:00", "END_TIME": "2026-03-02T10:05:00+03:00"}),
    );
    let missed =
        add(&scene, (3, &contact), json!({"TYPE_ID": 2, "SUBJECT": "Пропущенный", "DIRECTION": 1, "COMPLETED": "N"}));
    let letter = add(&scene, (4, &company), json!({"TYPE_ID": 4, "SUBJECT": "КП", "DIRECTION": 1, "COMPLETED": "Y"}));
    let planned = add(&scene, (2, &deal), json!({"TYPE_ID": 1, "SUBJECT": "Встреча", "COMPLETED": "N"}));
    scene.later().await;
    let shown = |id: &Json| {
        interaction(&scene, "activity", id)
            .map(|it| (it.kind, it.direction, it.duration_s, it.result.to_string(), it.deal.is_some()))
    };
    assert_eq!(shown(&call), Some((InteractionKind::Call, Direction::Outbound, Some(300), String::new(), true)));
    assert_eq!(
        shown(&missed),
        Some((InteractionKind::Call, Direction::Inbound, None, "не завершено".to_owned(), false))
    );
    assert_eq!(shown(&letter), Some((InteractionKind::Letter, Direction::Inbound, None, String::new(), false)));
    assert_eq!(shown(&planned), None, "what is planned has not taken place");
    scene.person("crm.activity.update", json!({"id": planned, "fields": {"COMPLETED": "Y"}}));
    scene.later().await;
    let meeting = interaction(&scene, "activity", &planned).expect("it took place");
    assert_eq!(meeting.kind, InteractionKind::Meeting);
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn requisites_give_a_company_its_inn_changed_or_never_changed() {
    let (mut scene, company, _, _, _) = portal().await;
    let inn = |scene: &Scene| scene.client("company", &company).client.inn.map(|it| it.value.0.to_string());
    let fields = json!({"ENTITY_TYPE_ID": 4, "ENTITY_ID": company, "PRESET_ID": 1, "NAME": "основной", "RQ_INN": "7728168971", "RQ_KPP": "772801001"});
    let id = scene.person("crm.requisite.add", json!({"fields": fields}));
    for _ in 0..4 {
        scene.later().await;
    }
    assert_eq!(inn(&scene).as_deref(), Some("7728168971"));
    scene.person("crm.requisite.update", json!({"id": id, "fields": {"RQ_KPP": "772801999"}}));
    for _ in 0..4 {
        scene.later().await;
    }
    let kpp = scene.client("company", &company).client.kpp.map(|it| it.value.0.to_string());
    assert_eq!(kpp.as_deref(), Some("772801999"));
    scene.journalled();
    for _ in 0..4 {
        scene.later().await;
    }
    assert_eq!(scene.journalled(), 0);
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_an_unknown_object_brings_the_object() {
    let mut scene = Scene::new(Limits::none()).await;
    let contact = scene.add("contact", json!({"NAME": "Иван", "PHONE": [{"VALUE": "+79120000001"}]}));
    let deal = scene.add("deal", json!({"TITLE": "Давний", "CONTACT_ID": contact}));
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    scene.add("deal", json!({"TITLE": "Новый"}));
    scene.read().await;
    assert!(scene.ours("deal", &deal).is_none(), "history was not loaded");
    let id = scene.person(
        "crm.timeline.comment.add",
        json!({"fields": {"ENTITY_TYPE": "deal", "ENTITY_ID": deal, "COMMENT": "вспомнили"}}),
    );
    scene.later().await;
    scene.later().await;
    let row = scene.deal("deal", &deal);
    assert_eq!(row.deal.title.as_ref().map(|it| it.value.as_str()), Some("Давний"));
    assert!(row.sinks.iter().all(|sink| sink.delivery.is_none()), "the deal itself is history");
    assert_eq!(interaction(&scene, "comment", &id).and_then(|it| it.deal), Some(row.deal.id));
    // One of something that we do not read is left aside, and makes nothing.
    let before = interactions(&scene).len();
    scene.twin.change(|portal| {
        let row = [
            ("OWNER_ID", "3"),
            ("OWNER_TYPE_ID", "177"),
            ("TYPE_ID", "6"),
            ("COMPLETED", "Y"),
            ("LAST_UPDATED", "2030-01-01T00:00:00+03:00"),
        ];
        portal.activities.insert(9_000, row.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    });
    scene.later().await;
    assert_eq!(interactions(&scene).len(), before);
    assert_eq!(count(&scene, "activity", OutcomeKind::Filtered), 1);
    scene.rebuilds();
}

#[tokio::test(start_paused = true)]
async fn an_old_box_without_a_method_is_read_all_the_same() {
    let mut scene = Scene::new(Limits::none()).await;
    scene.twin.change(|portal| {
        let lacks = vec!["crm.stagehistory.".to_owned(), "crm.item.productrow.".to_owned()];
        portal.edition = Edition { lacks, ..Edition::professional() };
    });
    let contact = scene.add("contact", json!({"NAME": "Иван"}));
    let deal = scene.add("deal", json!({"TITLE": "Станок", "CONTACT_ID": contact}));
    scene.read().await;
    scene.load();
    scene.read().await;
    assert!(scene.ours("deal", &deal).is_some());
    let reading = |stream: &str| scene.readings.of("bitrix24", stream).expect("it was tried");
    for (stream, expected) in
        [("deal", false), ("deal_move", true), ("lead_move", true), ("deal_line", true), ("activity", false)]
    {
        let reading = reading(stream);
        assert_eq!((reading.not_offered, &reading.trouble), (expected, &None), "{stream}");
    }
    assert!(scene.follower.is_loaded().expect("it reads"), "what is not offered is not waited for");
    // An update brings the methods: a day later they are asked for again.
    scene.twin.change(|portal| portal.edition = Edition::professional());
    tokio::time::advance(std::time::Duration::from_secs(86_500)).await;
    scene.read().await;
    assert!(!scene.readings.of("bitrix24", "deal_move").expect("it was tried").not_offered);
}
