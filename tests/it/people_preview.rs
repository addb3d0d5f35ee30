//! Preview of rules, and people through the real program: the daemon, the CRM, the command line.

use std::fs;
use std::sync::Arc;

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};
use uzel::base::{Locale, Position};
use uzel::catalog::Catalog;
use uzel::journal::Journal as _;
use uzel::pipeline::{replay_as_it_was, replay_under};
use uzel::query::{FateView, PreviewAsked, PreviewView, Query, preview};
use uzel::store::{MemoryStore, Store};

use crate::daemon_support::{Place, crm, crm_deals, settings};
use crate::pipeline_support::{DAY_MS, MINUTE_MS, Order, World, catalog, person, plain};

const EMPLOYEES: &str = r#"
head = "anna"
[[employee]]
key = "anna"
name = "Анна Смирнова"
ids = { bitrix24 = "1" }
groups = ["Все"]
[[employee]]
key = "petr"
name = "Пётр Иванов"
ids = { bitrix24 = "2" }
groups = ["Все"]
"#;
const RULES: &str = "[[rule]]\nto = \"Все\"\n";

fn lead(number: u32) -> Json {
    person(&format!("Клиент {number}"), &format!("+7 912 555-00-{number:02}"))
}

fn with(mut fields: Json, name: &str, value: &str) -> Json {
    fields[name] = json!(value);
    fields
}

/// Leads of a month: new, joined, repeat, returned, set aside, unreadable, and an order.
fn month() -> World {
    let mut world = World::new();
    world.form(lead(1));
    world.pass(MINUTE_MS * 60).form(with(lead(1), "message", "ещё вопрос"));
    world.pass(DAY_MS).form(with(with(lead(2), "state", "won"), "deal_id", "d-2"));
    world.pass(DAY_MS).form(lead(2));
    world.pass(DAY_MS).form(with(with(lead(3), "state", "lost"), "deal_id", "d-3"));
    world.pass(DAY_MS).form(lead(3));
    world.pass(DAY_MS).form(with(lead(4), "inn", "7707083893"));
    world.pass(DAY_MS).form(json!({"message": "без контактов"}));
    world.pass(DAY_MS).orders(&[Order::PLAIN]);
    world
}

fn between(world: &World, other: &Arc<Catalog>, since: Position, only_changed: bool) -> PreviewView {
    let (left, right): (Arc<dyn Store>, Arc<dyn Store>) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let head = world.journal.head();
    let journal = || world.journal.clone();
    replay_as_it_was(journal(), left.clone(), world.kept.clone(), &plain(), head, &mut |_, _| {}).expect("it replays");
    replay_under(journal(), right.clone(), other.clone(), head, &mut |_, _| {}).expect("it replays");
    let query = |store: &Arc<dyn Store>, catalog: &Arc<Catalog>| Query::new(store.clone(), journal(), catalog.clone());
    let asked = PreviewAsked { since, only_changed, lines_max: 100, locale: Locale::En };
    preview(&query(&left, &plain()), &query(&right, other), &asked).expect("both stores read")
}

fn told(view: &PreviewView) -> String {
    let mut text = format!("{} leads, {} otherwise\n", view.leads, view.changed);
    for count in view.fates.iter().chain(&view.employees) {
        let name = if count.name.is_empty() { "nobody" } else { &count.name };
        text += &format!("{name}: {} -> {}\n", count.now, count.other);
    }
    let side = |it: &FateView| format!("{} {} {}", it.fate, it.deal.as_deref().unwrap_or("-"), it.responsible);
    for line in &view.lines {
        let sign = if line.changed { "≠" } else { "=" };
        text += &format!("{sign} {} {}: {} -> {}\n", line.record, line.client, side(&line.now), side(&line.other));
    }
    text
}

fn check(other: &Arc<Catalog>, only_changed: bool, expected: Expect) {
    expected.assert_eq(&told(&between(&month(), other, Position::START, only_changed)));
}

#[test]
fn the_rules_of_now_change_nothing() {
    check(
        &plain(),
        false,
        expect![[r#"
            9 leads, 0 otherwise
            filtered: 1 -> 1
            joined: 1 -> 1
            new: 4 -> 4
            quarantined: 1 -> 1
            repeat: 1 -> 1
            returned: 1 -> 1
            nobody: 5 -> 5
            = 3.0 +79125550001: new dl_00000001g0000  -> new dl_00000001g0000 
            = 4.0 +79125550001: joined dl_00000001g0000  -> joined dl_00000001g0000 
            = 5.0 +79125550002: new dl_00000002g0000  -> new dl_00000002g0000 
            = 6.0 +79125550002: repeat dl_0000000300000  -> repeat dl_0000000300000 
            = 7.0 +79125550003: new dl_00000003g0000  -> new dl_00000003g0000 
            = 8.0 +79125550003: returned dl_00000003g0000  -> returned dl_00000003g0000 
            = 9.0 : filtered -  -> filtered - 
            = 10.0 : quarantined -  -> quarantined - 
            = 11.0 Соколова Мария: new dl_00000005g0000  -> new dl_00000005g0000 
        "#]],
    );
}

#[test]
fn with_employees_it_is_seen_whom_leads_would_have_gone_to() {
    let staffed = catalog(&[("rules/employees.toml", EMPLOYEES), ("rules/distribution.toml", RULES)]);
    check(
        &staffed,
        true,
        expect![[r#"
            9 leads, 4 otherwise
            filtered: 1 -> 1
            joined: 1 -> 1
            new: 4 -> 4
            quarantined: 1 -> 1
            repeat: 1 -> 1
            returned: 1 -> 1
            nobody: 5 -> 2
            Анна Смирнова: 0 -> 2
            Пётр Иванов: 0 -> 1
            ≠ 3.0 +79125550001: new dl_00000001g0000  -> new dl_00000001g0000 Анна Смирнова
            ≠ 4.0 +79125550001: joined dl_00000001g0000  -> joined dl_00000001g0000 Анна Смирнова
            ≠ 6.0 +79125550002: repeat dl_0000000300000  -> repeat dl_0000000300000 Пётр Иванов
            ≠ 11.0 Соколова Мария: new dl_00000005g0000  -> new dl_00000005g0000 Анна Смирнова
        "#]],
    );
}

#[test]
fn other_business_rules_make_other_deals() {
    let text = uzel::catalog::FileSet::builtin().get("rules/business.toml").expect("a built-in").to_owned();
    let text = text
        .replace("open_deal = \"join\"", "open_deal = \"new\"")
        .replace("lost_recently_days = 30", "lost_recently_days = 0");
    check(
        &catalog(&[("rules/business.toml", &text)]),
        true,
        expect![[r#"
            9 leads, 2 otherwise
            filtered: 1 -> 1
            joined: 1 -> 0
            new: 4 -> 4
            quarantined: 1 -> 1
            repeat: 1 -> 3
            returned: 1 -> 0
            nobody: 5 -> 7
            ≠ 4.0 +79125550001: joined dl_00000001g0000  -> repeat dl_0000000200000 
            ≠ 8.0 +79125550003: returned dl_00000003g0000  -> repeat dl_0000000400000 
        "#]],
    );
    let late = between(&month(), &plain(), Position(8), false);
    assert_eq!(late.leads, 4, "{}", told(&late));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leads_reach_the_crm_with_their_responsible_and_the_command_line_says_why() {
    let twin = crm().await;
    let place = Place::new(&settings("live"), &twin.url());
    let rules = place.path().join("rules");
    fs::create_dir_all(&rules).expect("a folder");
    fs::write(rules.join("employees.toml"), EMPLOYEES).expect("written");
    fs::write(rules.join("distribution.toml"), RULES).expect("written");
    let daemon = place.start();
    for number in 0..3 {
        daemon.form(&format!("Клиент {number}"), &format!("+7 912 000-00-0{number}")).await;
    }
    daemon.caught_up().await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    let mut assigned: Vec<String> =
        crm_deals(&twin).iter().map(|deal| deal["ASSIGNED_BY_ID"].as_str().unwrap_or("").to_owned()).collect();
    assigned.sort();
    assert_eq!(assigned, ["1", "1", "2"]);

    let employees = place.json(&["employees"]);
    let deals: Vec<(&str, u64)> = employees
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| (it["key"].as_str().unwrap_or(""), it["open_deals"].as_u64().unwrap_or(9)))
        .collect();
    assert_eq!(deals, [("anna", 2), ("petr", 1)]);
    let listed = place.json(&["deal", "list"]);
    let id = listed["rows"][0]["id"].as_str().expect("a deal").to_owned();
    let said = place.run(&["deal", "show", &id]);
    assert!(said.out.contains("Given by the rules to: Анна Смирнова"), "{said:?}");
    assert!(said.out.contains("next in turn in the group"), "{said:?}");

    // The folder of other rules: Petr has left, his leads would have gone to Anna.
    let other = tempfile::tempdir().expect("a folder");
    let text = EMPLOYEES.replace("name = \"Пётр Иванов\"", "name = \"Пётр Иванов\"\nvalid_to = \"2020-01-01\"");
    fs::write(other.path().join("employees.toml"), text).expect("written");
    let other = other.path().display().to_string();
    let view = place.json(&["rules", "preview", "--days", "7", "--rules", &other, "--changed"]);
    assert_eq!((view["leads"].as_u64(), view["changed"].as_u64()), (Some(3), Some(1)), "{view:#}");
    let would = &view["lines"][0]["other"];
    assert_eq!(would["responsible"], "Анна Смирнова", "{view:#}");
    assert_eq!(would["why"][1], "Пётр Иванов works here no more, the last day was 01.01.2020", "{view:#}");
    let said = place.run(&["rules", "preview", "--days", "7", "--rules", &other]);
    assert!(said.out.contains("Leads of 7 days: 3; under the other rules 1"), "{said:?}");
    let same = place.json(&["rules", "preview"]);
    assert_eq!((same["leads"].as_u64(), same["changed"].as_u64()), (Some(3), Some(0)), "{same:#}");
    assert_eq!(place.run(&["rules", "preview", "--days", "0"]).code, 2);
    assert_eq!(place.run(&["rules", "preview", "--rules", "/nowhere"]).code, 1);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
}
