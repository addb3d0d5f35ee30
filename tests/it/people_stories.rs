//! Employees in the pipeline: leads get a responsible, deals are counted, the journal says it all.

use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uzel::base::{ItemRef, Locale};
use uzel::catalog::Catalog;
use uzel::tables::{Assignments, Deals, OpenDeals, Span, Turns};

use crate::pipeline_support::{DAY_MS, MINUTE_MS, Order, World, catalog, hash, person};

const EMPLOYEES: &str = r#"
head = "head"
[[employee]]
key = "anna"
name = "Анна"
ids = { bitrix24 = "7", site = "Менеджер Анна" }
groups = ["Все"]
[[employee]]
key = "boris"
name = "Борис"
ids = { bitrix24 = "8" }
groups = ["Все"]
valid_to = "2025-03-04"
deputy = "anna"
[[employee]]
key = "vera"
name = "Вера"
groups = ["Все"]
cap = 1
[[employee]]
key = "head"
name = "Глава"
"#;

const RULES: &str = "[[rule]]\nto = \"Все\"\n";

fn staffed(employees: &str) -> Arc<Catalog> {
    catalog(&[("rules/employees.toml", employees), ("rules/distribution.toml", RULES)])
}

/// Plays a story and shows whom each deal went to, and what is counted.
fn check(story: impl FnOnce(&mut World), expected: Expect) {
    let mut world = World::under(&staffed(EMPLOYEES));
    story(&mut world);
    expected.assert_eq(&shown(&world));
    assert_eq!(world.rebuilt(7), hash(&world.store));
}

fn shown(world: &World) -> String {
    let reader = world.reader();
    let mut text = String::new();
    for row in reader.rows(Span::<Deals>::all()) {
        let (id, row) = row.expect("deals read");
        let assigned = reader.get::<Assignments>(&id).expect("it reads");
        let why: Vec<String> =
            assigned.iter().flat_map(|it| &it.why).map(|message| message.render(Locale::Ru)).collect();
        let responsible = row.deal.responsible.as_ref();
        let (who, source) = responsible.map_or(("nobody", ""), |it| (it.value.as_str(), &*it.provenance.source));
        text += &format!("deal {}: {who} by {source}: {}\n", id.position(), why.join("; "));
    }
    for row in reader.rows(Span::<OpenDeals>::all()) {
        let (employee, count) = row.expect("counts read");
        text += &format!("{employee} has {count}\n");
    }
    for row in reader.rows(Span::<Turns>::all()) {
        let (group, taken) = row.expect("turns read");
        let taken: Vec<String> = taken.iter().map(|(key, at)| format!("{key} {at}")).collect();
        text += &format!("{group}: {}\n", taken.join(", "));
    }
    text
}

fn lead(number: u32) -> Json {
    person(&format!("Клиент {number}"), &format!("+7 912 555-{:02}-{:02}", number / 100, number % 100))
}

fn with(mut fields: Json, name: &str, value: &str) -> Json {
    fields[name] = json!(value);
    fields
}

#[test]
fn leads_go_round_and_a_cap_holds() {
    check(
        |it| {
            for number in 0..5 {
                it.form(lead(number));
                it.pass(MINUTE_MS);
            }
        },
        expect![[r#"
            deal 3: anna by uzel: правило в строке 1: группа «Все»; Анна: очередь в группе «Все»
            deal 4: boris by uzel: правило в строке 1: группа «Все»; Борис: очередь в группе «Все»
            deal 5: vera by uzel: правило в строке 1: группа «Все»; Вера: очередь в группе «Все»
            deal 6: anna by uzel: правило в строке 1: группа «Все»; Анна: очередь в группе «Все»
            deal 7: boris by uzel: правило в строке 1: группа «Все»; Борис: очередь в группе «Все»
            anna has 2
            boris has 2
            vera has 1
            Все: anna 4, boris 5, vera 3
        "#]],
    );
}

#[test]
fn responsible_of_a_source_counts_for_more_and_is_counted_too() {
    check(
        |it| {
            it.form(with(lead(1), "responsible", "менеджер анна"));
            it.form(with(lead(2), "responsible", "Кузнецова"));
            it.form(lead(3));
            // The site changes its mind: rules do not.
            it.pass(MINUTE_MS).form(with(lead(3), "responsible", "boris"));
        },
        expect![[r#"
            deal 3: anna by site: 
            deal 4: Кузнецова by site: 
            deal 5: boris by site: правило в строке 1: группа «Все»; Анна: очередь в группе «Все»
            anna has 1
            boris has 1
            Все: anna 1
        "#]],
    );
}

#[test]
fn known_client_goes_to_his_own_and_to_the_deputy_once_he_has_left() {
    check(
        |it| {
            it.form(with(with(lead(1), "responsible", "boris"), "deal_id", "d-1"));
            it.pass(MINUTE_MS).form(with(with(lead(1), "state", "won"), "deal_id", "d-1"));
            it.pass(DAY_MS).form(with(lead(1), "message", "ещё раз"));
            it.pass(MINUTE_MS).form(with(with(lead(2), "responsible", "boris"), "deal_id", "d-2"));
            it.pass(MINUTE_MS).form(with(with(lead(2), "state", "won"), "deal_id", "d-2"));
            it.pass(DAY_MS).form(lead(2));
        },
        expect![[r#"
            deal 3: boris by site: 
            deal 5: boris by uzel: клиента ведёт Борис
            deal 6: boris by site: 
            deal 8: anna by uzel: клиента ведёт Борис; Борис больше не работает, последний день 04.03.2025; замещает Анна
            anna has 1
            boris has 1
        "#]],
    );
}

#[test]
fn order_of_1c_gets_a_responsible_and_a_closed_deal_is_counted_no_more() {
    check(
        |it| {
            it.orders(&[Order::PLAIN]);
            it.form(with(with(lead(7), "responsible", "vera"), "deal_id", "d-7"));
            it.pass(MINUTE_MS).form(with(with(lead(7), "state", "lost"), "deal_id", "d-7"));
            it.pass(MINUTE_MS).form(lead(8));
        },
        expect![[r#"
            deal 3: anna by uzel: правило в строке 1: группа «Все»; Анна: очередь в группе «Все»
            deal 4: vera by site: 
            deal 6: boris by uzel: правило в строке 1: группа «Все»; Борис: очередь в группе «Все»
            anna has 1
            boris has 1
            Все: anna 1, boris 2
        "#]],
    );
}

#[test]
fn employees_who_come_later_count_the_deals_that_are_there() {
    let mut world = World::under(&catalog(&[]));
    world.form(with(lead(1), "responsible", "anna"));
    world.form(lead(2));
    assert!(world.reader().rows(Span::<Assignments>::all()).next().is_none(), "nothing without employees");
    world.configure(&staffed(EMPLOYEES));
    world.pass(MINUTE_MS).form(lead(3));
    // Whoever leaves the file is counted no more.
    let fewer = EMPLOYEES.replace("\"anna\"", "\"anya\"");
    world.configure(&staffed(&fewer));
    world.pass(MINUTE_MS).form(lead(4));
    expect![[r#"
        deal 3: anna by site: 
        deal 4: nobody by : 
        deal 7: anna by uzel: правило в строке 1: группа «Все»; Анна: очередь в группе «Все»
        deal 10: anya by uzel: правило в строке 1: группа «Все»; Анна: очередь в группе «Все»
        anya has 1
        Все: anna 1, anya 2
    "#]]
    .assert_eq(&shown(&world));
    assert_eq!(world.rebuilt(3), hash(&world.store));
}

#[test]
fn deals_with_our_own_organisation_are_set_aside() {
    let organisations = "[[organisation]]\nkey = \"own\"\nname = \"Своя\"\ninn = \"7728168971\"\n";
    let mut world = World::under(&catalog(&[("rules/organisations.toml", organisations)]));
    let at = world.form(with(lead(1), "inn", "7728168971"));
    let outcomes = crate::pipeline_acts::outcomes(&world);
    assert!(outcomes.contains(&(ItemRef::new(at, 0), uzel::model::OutcomeKind::Filtered)), "{outcomes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    /// Replay law with employees: any order of leads, named responsibles, losses, other files.
    #[test]
    fn hands_are_dealt_the_same_again(acts in proptest::collection::vec((0_u8..7, 0_u32..6), 5..40), split in 1_usize..9) {
        let mut world = World::under(&staffed(EMPLOYEES));
        for (act, number) in acts {
            world.pass(i64::from(number) * 200 * MINUTE_MS + 1_000);
            match act {
                0 | 1 => { world.form(lead(number)); }
                2 => { world.form(with(lead(number), "responsible", "boris")); }
                3 => { world.form(with(with(lead(number), "state", "lost"), "deal_id", &format!("d-{number}"))); }
                4 => { world.form(with(with(lead(number), "state", "won"), "deal_id", &format!("d-{number}"))); }
                5 => { world.orders(&[Order { number: "УТ-1", phone: "+7 912 555-00-03", ..Order::PLAIN }]); }
                _ => {
                    let employees = if number % 2 == 0 { EMPLOYEES.to_owned() } else { EMPLOYEES.replace("\"vera\"", "\"vika\"") };
                    world.configure(&staffed(&employees));
                }
            }
        }
        prop_assert_eq!(world.rebuilt(split), hash(&world.store));
        counts_agree(&world)?;
    }
}

/// Each employee's count is the number of open deals counted for him, and those are his own.
fn counts_agree(world: &World) -> Result<(), TestCaseError> {
    let reader = world.reader();
    let mut counted = std::collections::BTreeMap::new();
    for row in reader.rows(Span::<Assignments>::all()) {
        let (id, row) = row.expect("assignments read");
        let Some(employee) = row.counted else { continue };
        let deal = reader.get::<Deals>(&id).expect("it reads").expect("a counted deal is there").deal;
        prop_assert!(deal.is_open());
        prop_assert_eq!(deal.responsible.as_ref().map(|it| it.value.to_string()), Some(employee.to_string()));
        *counted.entry(employee).or_insert(0_u64) += 1;
    }
    for row in reader.rows(Span::<OpenDeals>::all()) {
        let (employee, count) = row.expect("counts read");
        prop_assert_eq!(counted.remove(&employee), Some(count));
    }
    prop_assert!(counted.is_empty());
    Ok(())
}
