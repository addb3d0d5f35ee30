//! What the scenes found, each by itself; and portals that change under us.

use serde_json::{Value as Json, json};
use uzel::base::Locale;
use uzel::base::checksum::Fingerprint;
use uzel::entry::{Command, Entry};
use uzel::model::{ClientState, Foreign};
use uzel::query::Query;
use uzel::tables::rows::{DealRow, ObjectKey};
use uzel::tables::{Clients, Crosswalk, Deals, Reader, Span};
use uzel::twin::bitrix24::{Kind, Object, PersonAct};

use super::stage::{Stage, catalog, sink};
use crate::pipeline_support::{Order, World, form_at, orders_at, person};

const HOUR_MS: u64 = 3_600_000;

/// A portal that is written to.
pub(super) async fn live() -> Stage {
    let mut stage = Stage::new(1);
    open(&mut stage).await;
    stage
}

async fn open(stage: &mut Stage) {
    stage.command(Command::ApplyPlan { sink: sink(), plan: Fingerprint::of(b"plan"), objects: Vec::new() });
    pass(stage, 100_000).await;
}

pub(super) async fn pass(stage: &mut Stage, ms: u64) {
    assert_eq!(stage.pass(ms).await, None, "nothing kills it here");
}

pub(super) async fn form(stage: &mut Stage, fields: Json) {
    stage.append(&Entry::Received(form_at(stage.now(), &fields)));
    pass(stage, 20_000).await;
}

pub(super) async fn act(stage: &mut Stage, act: PersonAct) {
    stage.twin.person(&act);
    stage.told();
    pass(stage, 20_000).await;
}

async fn call(stage: &mut Stage, method: &str, params: Json) {
    act(stage, PersonAct::Call { method: method.to_owned(), params, user: Some(2) }).await;
}

pub(super) fn there(stage: &Stage, kind: Kind) -> Vec<Object> {
    stage.twin.with(|portal| portal.objects_of(kind).cloned().collect())
}

fn deal(stage: &Stage, id: u64) -> DealRow {
    let reader = Reader::new(stage.store.as_ref());
    let foreign = Foreign { connection: sink(), kind: "deal".into(), id: id.to_string().into() };
    let Some(ObjectKey::Deal(deal)) = reader.get::<Crosswalk>(&foreign).expect("it reads") else {
        panic!("deal {id} is not known")
    };
    reader.get::<Deals>(&deal).expect("it reads").expect("it is there")
}

fn stage_of(stage: &Stage, id: u64) -> String {
    deal(stage, id).deal.stage.map(|it| it.value.to_string()).unwrap_or_default()
}

fn responsible_of(stage: &Stage, id: u64) -> String {
    deal(stage, id).deal.responsible.map(|it| it.value.to_string()).unwrap_or_default()
}

/// A person added a patronymic in the CRM; the next form, which asks for no patronymic, took it
/// away here and left it there.
#[test]
fn a_name_that_only_says_less_takes_nothing_away() {
    for (names, expected) in [
        (vec!["Белова Анна Петровна", "Белова Анна"], "Белова Анна Петровна"),
        (vec!["Белова Анна", "Белова Анна Петровна"], "Белова Анна Петровна"),
        (vec!["Белова Анна Петровна", "Белова Анна Львовна"], "Белова Анна Львовна"),
        (vec!["Белова Анна Петровна", "Белова Инна"], "Белова Инна"),
        (vec!["Белова Анна Петровна", "Анна"], "Анна"),
    ] {
        let mut world = World::new();
        for name in &names {
            world.pass(60_000).form(person(name, "+79125550103"));
        }
        let active = |row: &uzel::tables::rows::ClientRow| row.client.state == ClientState::Active;
        let rows = world.reader().rows(Span::<Clients>::all()).map(|row| row.expect("it reads").1);
        let shown: Vec<String> = rows.filter(active).map(|row| row.client.shown_name()).collect();
        assert_eq!(shown, [expected], "{names:?}");
    }
}

/// A lead joined a deal that somebody had deleted there: nobody saw it, and what told of it stood
/// among dead letters.
#[tokio::test(start_paused = true)]
async fn a_lead_does_not_join_a_deal_that_was_deleted_there() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let first = there(&stage, Kind::Deal);
    act(&mut stage, PersonAct::Delete { object: Kind::Deal, id: first[0].id }).await;
    pass(&mut stage, HOUR_MS).await;
    assert!(there(&stage, Kind::Deal).is_empty(), "it is not made again by itself");
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let second = there(&stage, Kind::Deal);
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].text("ORIGIN_ID"), first[0].text("ORIGIN_ID"));
    assert_eq!(there(&stage, Kind::Contact).len(), 1);
}

/// The card of a client was deleted there; his next lead waited for it for ever.
#[tokio::test(start_paused = true)]
async fn a_deleted_client_who_turns_to_us_again_is_made_anew() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    for (kind, id) in
        [(Kind::Deal, there(&stage, Kind::Deal)[0].id), (Kind::Contact, there(&stage, Kind::Contact)[0].id)]
    {
        act(&mut stage, PersonAct::Delete { object: kind, id }).await;
    }
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    pass(&mut stage, 200_000).await;
    let (contacts, deals) = (there(&stage, Kind::Contact), there(&stage, Kind::Deal));
    assert_eq!((contacts.len(), deals.len()), (1, 1));
    assert_eq!(deals[0].text("CONTACT_ID"), contacts[0].id.to_string());
}

/// The card of a client was deleted, his deal was left: sums of 1C waited for the card for ever. And
/// when he wrote again and joined that deal, nobody could see who he is.
#[tokio::test(start_paused = true)]
async fn a_deal_goes_on_without_the_deleted_card_of_its_client() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let id = there(&stage, Kind::Contact)[0].id;
    act(&mut stage, PersonAct::Delete { object: Kind::Contact, id }).await;
    let order = Order { phone: "+79125550101", sum: "24000", ..Order::PLAIN };
    stage.append(&Entry::Received(orders_at(stage.now(), &[order])));
    pass(&mut stage, HOUR_MS).await;
    let deals = there(&stage, Kind::Deal);
    assert_eq!(deals.len(), 1);
    assert_eq!(deals[0].text("OPPORTUNITY").trim_end_matches(".00"), "24000");
    assert!(there(&stage, Kind::Contact).is_empty(), "the card is not made again by a sum");

    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    pass(&mut stage, 200_000).await;
    let (contacts, deals) = (there(&stage, Kind::Contact), there(&stage, Kind::Deal));
    assert_eq!((contacts.len(), deals.len()), (1, 1));
    assert_eq!(deals[0].text("CONTACT_ID"), contacts[0].id.to_string());
}

/// Of two cards of one client the one that we keep up was deleted; the other one, which nobody had
/// touched for long, took its place and was never told what it lacks.
#[tokio::test(start_paused = true)]
async fn a_card_that_takes_the_place_of_a_deleted_one_is_told_what_it_lacks() {
    let mut stage = Stage::new(1);
    for phone in ["+79125550102", "+79125550202"] {
        let phones = json!([{ "VALUE": phone, "VALUE_TYPE": "WORK" }]);
        let fields = json!({ "NAME": "Пётр", "LAST_NAME": "Ильин", "PHONE": phones });
        call(&mut stage, "crm.contact.add", json!({ "fields": fields })).await;
    }
    pass(&mut stage, 200_000).await;
    let both = json!({ "name": "Ильин Пётр", "phone": "+79125550102", "tel": "+79125550202" });
    form(&mut stage, both).await;
    open(&mut stage).await;
    let objects = vec![];
    stage.command(Command::ApplyPlan { sink: sink(), plan: Fingerprint::of(b"all"), objects });
    pass(&mut stage, 100_000).await;
    act(&mut stage, PersonAct::Delete { object: Kind::Contact, id: 1 }).await;
    // The comparison of ids reads what is left as it has been for long.
    pass(&mut stage, 26 * HOUR_MS).await;
    let left = there(&stage, Kind::Contact);
    let mut phones: Vec<String> = left[0].multi("PHONE").iter().map(|it| it.value.to_string()).collect();
    phones.sort();
    assert_eq!((left.len(), phones), (1, vec!["+79125550102".to_owned(), "+79125550202".to_owned()]));
}

/// A person made a deal and took it himself; it was read after a newer deal of that client, and was
/// here his whom the newer one belongs to.
#[tokio::test(start_paused = true)]
async fn a_deal_belongs_to_whom_the_crm_names_however_late_it_is_read() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let contact = there(&stage, Kind::Contact)[0].id;
    let fields = json!({ "TITLE": "Своя", "STAGE_ID": "NEW", "CONTACT_ID": contact, "ASSIGNED_BY_ID": "2" });
    stage.twin.person(&PersonAct::Call {
        method: "crm.deal.add".to_owned(),
        params: json!({ "fields": fields }),
        user: Some(2),
    });
    // Nobody tells us of it; of the deal that was there before and is changed after it we are told.
    drop(stage.twin.take_notices());
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    call(&mut stage, "crm.deal.update", json!({ "id": 1, "fields": { "ASSIGNED_BY_ID": "1" } })).await;
    pass(&mut stage, HOUR_MS).await;
    let mine = there(&stage, Kind::Deal).into_iter().find(|it| it.text("TITLE") == "Своя").expect("it is there");
    assert_eq!(mine.text("ASSIGNED_BY_ID"), "2");
    assert_eq!(responsible_of(&stage, mine.id), "Пётр Иванов");
}

/// A sum or a score was to be written, the deal was found to be deleted, and was made again.
#[tokio::test(start_paused = true)]
async fn what_people_deleted_is_not_brought_back_by_a_sum_or_a_score() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let id = there(&stage, Kind::Deal)[0].id;
    // Without a word: we do not know it when we write.
    stage.twin.person(&PersonAct::Delete { object: Kind::Deal, id });
    drop(stage.twin.take_notices());
    // 1C makes out an order: the sum of the deal is to be written.
    let order = Order { phone: "+79125550101", ..Order::PLAIN };
    stage.append(&Entry::Received(orders_at(stage.now(), &[order])));
    pass(&mut stage, HOUR_MS).await;
    assert!(there(&stage, Kind::Deal).is_empty());
    let query = Query::new(stage.store.clone(), stage.journal.clone(), catalog());
    let listing = uzel::query::Listing { rows_max: 10, state: Some("dead".to_owned()), ..Default::default() };
    let dead = query.outbox(&listing).expect("it reads");
    let told = format!("{dead:?}");
    assert!(told.contains("uzel outbox resend"), "{told}");
}

/// A hint told of a deal before the dictionaries were read: its stage and its responsible were
/// numbers until it changed again.
#[tokio::test(start_paused = true)]
async fn names_come_to_deals_that_were_read_before_their_words() {
    let mut stage = live().await;
    let new = PersonAct::Hire {
        user: 7,
        name: "Вера".to_owned(),
        last_name: "Новая".to_owned(),
        email: "vera@portal.example".to_owned(),
    };
    act(&mut stage, new).await;
    call(&mut stage, "crm.deal.add", json!({"fields": {"TITLE": "Станок", "ASSIGNED_BY_ID": "7"}})).await;
    let id = there(&stage, Kind::Deal)[0].id;
    assert_eq!(responsible_of(&stage, id), "7", "the dictionary is read every ten minutes");
    pass(&mut stage, 700_000).await;
    assert_eq!(responsible_of(&stage, id), "Вера Новая");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_is_renamed_there_is_renamed_in_every_deal() {
    let mut stage = live().await;
    call(&mut stage, "crm.deal.add", json!({"fields": {"TITLE": "Станок", "STAGE_ID": "EXECUTING"}})).await;
    let id = there(&stage, Kind::Deal)[0].id;
    assert_eq!(stage_of(&stage, id), "В работе");
    let (entity_id, status_id) = ("DEAL_STAGE".to_owned(), "EXECUTING".to_owned());
    act(&mut stage, PersonAct::RenameStatus { entity_id, status_id, name: "Производство".to_owned() }).await;
    pass(&mut stage, 700_000).await;
    assert_eq!(stage_of(&stage, id), "Производство");
    let anew = stage.rebuilt(uzel::journal::Journal::head(stage.journal.as_ref()), 7);
    assert_eq!(crate::pipeline_support::hash(&anew), crate::pipeline_support::hash(&stage.store));
}

/// A repeat deal goes to whom the client knows: it said so here, and there it was given to the owner
/// of the webhook, because only `rules/employees.toml` was asked for his number.
#[tokio::test(start_paused = true)]
async fn a_repeat_deal_goes_there_to_whom_the_client_knows_while_he_works() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let id = there(&stage, Kind::Deal)[0].id;
    let fields = json!({"id": id, "fields": {"ASSIGNED_BY_ID": "2", "STAGE_ID": "WON"}});
    call(&mut stage, "crm.deal.update", fields).await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let repeat = there(&stage, Kind::Deal).pop().expect("a second deal");
    assert_eq!((repeat.id, repeat.text("ASSIGNED_BY_ID")), (id + 1, "2"));
    // He leaves.
    act(&mut stage, PersonAct::Dismiss { user: 2 }).await;
    pass(&mut stage, 700_000).await;
    call(&mut stage, "crm.deal.update", json!({"id": repeat.id, "fields": {"STAGE_ID": "WON"}})).await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let third = there(&stage, Kind::Deal).pop().expect("a third deal");
    assert_eq!((third.id, third.text("ASSIGNED_BY_ID")), (id + 2, "1"), "the owner of the webhook");
}

/// Dismissed in mid-turn: the CRM says so before anybody has written it into our file.
#[tokio::test(start_paused = true)]
async fn who_was_dismissed_in_the_crm_gets_no_leads_and_it_is_said() {
    let employees = "[[employee]]\nkey = \"anna\"\nname = \"Смирнова Анна\"\ngroups = [\"sales\"]\nids = { bitrix24 = \"1\" }\n\
        [[employee]]\nkey = \"petr\"\nname = \"Иванов Пётр\"\ngroups = [\"sales\"]\nids = { bitrix24 = \"2\" }\n";
    let distribution = "[[rule]]\nto = \"sales\"\n";
    let settings = crate::pipeline_support::SETTINGS.replace("mode = \"live\"", "mode = \"observe\"");
    let files = [("rules/employees.toml", employees), ("rules/distribution.toml", distribution)];
    let catalog = crate::pipeline_support::catalog_of(&settings, &files);
    let mut stage = Stage::under(1, catalog.clone());
    open(&mut stage).await;
    act(&mut stage, PersonAct::Dismiss { user: 2 }).await;
    pass(&mut stage, 700_000).await;
    for phone in ["+79125550101", "+79125550102", "+79125550103", "+79125550104"] {
        form(&mut stage, json!({ "phone": phone })).await;
    }
    let given: Vec<String> = there(&stage, Kind::Deal).iter().map(|it| it.text("ASSIGNED_BY_ID").to_owned()).collect();
    assert_eq!(given, ["1", "1", "1", "1"]);
    let query = Query::new(stage.store.clone(), stage.journal.clone(), catalog);
    let petr = query.employees(stage.now(), Locale::Ru).expect("it reads").pop().expect("he is in the file");
    let said = petr.next_step.unwrap_or_default();
    assert!(said.contains("уволен в bitrix24") && said.contains("rules/employees.toml"), "{said}");
}

/// A deal names a contact that was never read: it was made a second time, without a name.
#[tokio::test(start_paused = true)]
async fn a_contact_that_only_a_deal_names_is_not_made_again() {
    let mut stage = Stage::new(1);
    let phone = json!([{"VALUE": "+79125550101", "VALUE_TYPE": "WORK"}]);
    let fields = json!({"NAME": "Мария", "LAST_NAME": "Соколова", "PHONE": phone});
    stage.twin.person(&PersonAct::Call {
        method: "crm.contact.add".to_owned(),
        params: json!({ "fields": fields }),
        user: Some(2),
    });
    drop(stage.twin.take_notices());
    pass(&mut stage, 400_000).await;
    open(&mut stage).await;
    call(&mut stage, "crm.deal.add", json!({"fields": {"TITLE": "Станок", "CONTACT_ID": "1"}})).await;
    pass(&mut stage, 200_000).await;
    assert_eq!(there(&stage, Kind::Contact).len(), 1);
}

/// Somebody removes our field there: what is written into it is dropped without a word.
#[tokio::test(start_paused = true)]
async fn a_field_of_ours_that_is_removed_there_is_made_again() {
    let mut stage = live().await;
    form(&mut stage, person("Соколова Мария", "+79125550101")).await;
    let field = "UF_CRM_UZEL_CLASS";
    assert_ne!(there(&stage, Kind::Deal)[0].text(field), "");
    act(&mut stage, PersonAct::RemoveField { object: Kind::Deal, field: field.to_owned() }).await;
    stage.twin.take_written();
    pass(&mut stage, HOUR_MS).await;
    let updates = stage.twin.take_written().into_iter().filter(|(method, _)| method == "crm.deal.update").count();
    assert!(updates <= 1, "it is not written over and over: {updates}");
    form(&mut stage, person("Белова Анна", "+79125550103")).await;
    assert!(
        stage.twin.with(|portal| portal.userfields.iter().any(|it| it.field_name == field && it.kind == Kind::Deal))
    );
    assert_ne!(there(&stage, Kind::Deal)[1].text(field), "");
}
