//! Payments, returns and shipments, and what they make of a deal: the built-in rules as stories.

use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uzel::base::checksum::Fingerprint;
use uzel::base::{Locale, Slug};
use uzel::catalog::{Catalog, FileSet};
use uzel::entry::{Body, Entry, Received};
use uzel::model::{DealState, Document};
use uzel::query::{PreviewAsked, Query, preview};
use uzel::tables::{Deals, Documents, Span, Tasks};

use crate::pipeline_support::{DAY_MS, MINUTE_MS, Order, SETTINGS, World, catalog_of, hash};

const INN: &str = "7736050003";

/// With a statement of the bank and a list of payments of 1C.
fn with_bank(from: &[(&str, &str)]) -> Arc<Catalog> {
    let settings = format!(
        "{SETTINGS}[connection.bank]\nconnector = \"folder\"\npath = \"/srv/bank\"\nrecords = \"payments\"\n\
         [connection.base]\nconnector = \"folder\"\npath = \"/srv/base\"\nrecords = \"payments\"\n\
         [connection.second]\nconnector = \"folder\"\npath = \"/srv/second\"\nrecords = \"orders\"\n"
    );
    let mut text = FileSet::builtin().get("rules/business.toml").expect("a built-in file").to_owned();
    for (from, to) in from {
        assert!(text.contains(from), "business.toml has no {from:?}");
        text = text.replace(from, to);
    }
    catalog_of(&settings, &[("rules/business.toml", &text)])
}

const STAGE: (&str, &str) = ("paid_stage = \"\"", "paid_stage = \"Оплачено\"");
const WINS: (&str, &str) = ("paid_wins = false", "paid_wins = true");

/// A row of a table comes.
fn row(world: &mut World, connection: &'static str, stream: &'static str, fields: Json) {
    let cells: Vec<(&String, &str)> =
        fields.as_object().expect("a row").iter().map(|(name, cell)| (name, cell.as_str().expect("a text"))).collect();
    let line = |cells: Vec<&str>| cells.join(";");
    let header = line(cells.iter().map(|(name, _)| name.as_str()).collect());
    let body = format!("{header}\n{}\n", line(cells.iter().map(|(_, cell)| *cell).collect())).into_bytes();
    let at = world.now;
    world.append(&Entry::Received(Received {
        connection: Slug::literal(connection),
        connector: Slug::literal("folder"),
        stream: Slug::literal(stream),
        received_at: at,
        idempotency_key: Fingerprint::of_parts([&body[..], &at.0.to_le_bytes()]),
        content_type: "text/csv".into(),
        headers: vec![("file".into(), "rows.csv".to_owned()), ("modified".into(), at.to_string())],
        body: Body::Inline(body),
    }));
}

fn payment(world: &mut World, connection: &'static str, number: &str, sum: &str, more: Json) {
    let mut fields =
        json!({"Номер": number, "Дата": "2025-03-04", "ИНН": INN, "Плательщик": "ООО Вектор", "Сумма": sum});
    if let (Json::Object(fields), Json::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    row(world, connection, "payments", fields);
}

fn order(number: &'static str, sum: &'static str) -> Order<'static> {
    Order { number, sum, buyer: "Вектор", inn: INN, ..Order::PLAIN }
}

/// Plays a story and shows each deal with its documents, documents without one, and tasks.
fn check_under(catalog: &Arc<Catalog>, story: impl FnOnce(&mut World), expected: Expect) {
    let mut world = World::under(catalog);
    story(&mut world);
    expected.assert_eq(&shown(&world));
    assert_eq!(world.rebuilt(7), hash(&world.store));
}

fn check(story: impl FnOnce(&mut World), expected: Expect) {
    check_under(&with_bank(&[]), story, expected);
}

fn shown(world: &World) -> String {
    let reader = world.reader();
    let mut text = String::new();
    for row in reader.rows(Span::<Deals>::all()) {
        let deal = row.expect("deals read").1.deal;
        let state = match deal.state {
            DealState::Open => "open",
            DealState::Won(_) => "won",
            DealState::Lost(..) => "lost",
        };
        let stage = deal.stage.as_ref().map(|it| format!(", {}", it.value)).unwrap_or_default();
        let price = deal.price.as_ref().map(|it| format!(", {}", it.value.amount)).unwrap_or_default();
        let paid = deal.paid.as_ref().map(|it| format!(", paid {}", it.value.amount)).unwrap_or_default();
        text += &format!("{state}{stage}{price}{paid}\n");
        for id in &deal.documents {
            text += &format!("  {}\n", document(&reader.get::<Documents>(id).expect("it reads").expect("it is there")));
        }
    }
    for row in reader.rows(Span::<Documents>::all()) {
        let held = row.expect("documents read").1;
        if held.deal.is_none() {
            text += &format!("no deal: {}\n", document(&held));
        }
    }
    for row in reader.rows(Span::<Tasks>::all()) {
        text += &format!("task: {}\n", row.expect("tasks read").1.task.title.render(Locale::En));
    }
    text
}

fn document(held: &Document) -> String {
    let is =
        |flag: &Option<uzel::model::Sourced<bool>>, wanted: bool| flag.as_ref().is_some_and(|it| it.value == wanted);
    let number = held.number.as_ref().map_or("", |it| it.value.as_str());
    let sum = held.sum.as_ref().map(|it| it.value.amount.to_string()).unwrap_or_default();
    let unposted = if is(&held.posted, false) { ", not posted" } else { "" };
    let deleted = if is(&held.deletion_mark, true) { ", marked for deletion" } else { "" };
    let mut systems: Vec<&str> = held.foreign.iter().map(|it| &*it.connection).collect();
    systems.dedup();
    format!("{:?} {number} {sum} of {}{unposted}{deleted}", held.kind, systems.join(" and "))
}

#[test]
fn part_payment_is_a_paid_sum_and_no_stage() {
    check_under(
        &with_bank(&[STAGE, WINS]),
        |it| {
            it.orders(&[order("УТ-1", "100000")]);
            it.pass(DAY_MS);
            payment(it, "bank", "417", "40000", json!({}));
        },
        expect![[r#"
            open, 100000, paid 40000
              Order УТ-1 100000 of 1c
              Payment 417 40000 of bank
        "#]],
    );
}

#[test]
fn full_payment_by_parts_moves_the_deal_on_and_wins_it_where_that_is_set() {
    let story = |it: &mut World| {
        it.orders(&[order("УТ-1", "100000")]);
        it.pass(DAY_MS);
        payment(it, "bank", "417", "40000", json!({}));
        payment(it, "bank", "418", "60000", json!({}));
    };
    check(
        story,
        expect![[r#"
        open, 100000, paid 100000
          Order УТ-1 100000 of 1c
          Payment 417 40000 of bank
          Payment 418 60000 of bank
    "#]],
    );
    check_under(
        &with_bank(&[STAGE]),
        story,
        expect![[r#"
        open, Оплачено, 100000, paid 100000
          Order УТ-1 100000 of 1c
          Payment 417 40000 of bank
          Payment 418 60000 of bank
    "#]],
    );
    check_under(
        &with_bank(&[STAGE, WINS]),
        story,
        expect![[r#"
        won, Оплачено, 100000, paid 100000
          Order УТ-1 100000 of 1c
          Payment 417 40000 of bank
          Payment 418 60000 of bank
    "#]],
    );
}

#[test]
fn full_payment_never_moves_a_deal_backwards() {
    let at_stage = |stage: &'static str| {
        move |it: &mut World| {
            it.form(json!({"name": "ООО Вектор", "inn": INN, "deal_id": "7", "stage": stage, "price": "500"}));
            it.pass(DAY_MS);
            payment(it, "bank", "417", "500", json!({}));
        }
    };
    check_under(
        &with_bank(&[STAGE]),
        at_stage("КП"),
        expect![[r#"
        open, Оплачено, 500, paid 500
          Payment 417 500 of bank
    "#]],
    );
    check_under(
        &with_bank(&[STAGE]),
        at_stage("Отгрузка"),
        expect![[r#"
        open, Отгрузка, 500, paid 500
          Payment 417 500 of bank
    "#]],
    );
}

#[test]
fn who_moves_a_paid_deal_back_is_not_contradicted() {
    check_under(
        &with_bank(&[STAGE]),
        |it| {
            let told =
                |stage: &str| json!({"name": "ООО Вектор", "inn": INN, "deal_id": "7", "stage": stage, "price": "500"});
            it.form(told("КП"));
            it.pass(DAY_MS);
            payment(it, "bank", "417", "500", json!({}));
            it.pass(DAY_MS).form(told("Счёт"));
            it.pass(DAY_MS);
            payment(it, "bank", "417", "500", json!({"Назначение платежа": "по договору"}));
        },
        expect![[r#"
            open, Счёт, 500, paid 500
              Payment 417 500 of bank
        "#]],
    );
}

#[test]
fn return_lowers_the_paid_sum_and_a_won_deal_stays_won() {
    let story = |it: &mut World| {
        it.orders(&[order("УТ-1", "100000")]);
        it.pass(DAY_MS);
        payment(it, "bank", "417", "100000", json!({}));
        it.pass(DAY_MS);
        // The goods that came back, and the money for them.
        payment(it, "base", "В-3", "30000", json!({"Вид": "Возврат товаров от покупателя"}));
        payment(it, "bank", "9", "-30000", json!({"Дата": "2025-03-06"}));
    };
    check_under(
        &with_bank(&[STAGE, WINS]),
        story,
        expect![[r#"
        won, Оплачено, 100000, paid 70000
          Order УТ-1 100000 of 1c
          Payment 417 100000 of bank
          Return В-3 30000 of base
          Payment 9 -30000 of bank
    "#]],
    );
    let keeps = ("return_lowers_paid = true", "return_lowers_paid = false");
    let goods_only = |it: &mut World| {
        it.orders(&[order("УТ-1", "100000")]);
        payment(it, "bank", "417", "100000", json!({}));
        payment(it, "base", "В-3", "30000", json!({"Вид": "Возврат товаров от покупателя"}));
    };
    check_under(
        &with_bank(&[keeps]),
        goods_only,
        expect![[r#"
        open, 100000, paid 100000
          Order УТ-1 100000 of 1c
          Payment 417 100000 of bank
          Return В-3 30000 of base
    "#]],
    );
}

#[test]
fn unposted_and_deleted_payments_are_shown_and_not_counted() {
    check(
        |it| {
            it.orders(&[order("УТ-1", "100000")]);
            payment(it, "base", "1", "10000", json!({"Проведен": "нет"}));
            payment(it, "base", "2", "20000", json!({"Проведен": "да"}));
            payment(it, "base", "3", "30000", json!({"Проведен": "да"}));
            it.pass(DAY_MS);
            payment(it, "base", "3", "30000", json!({"Проведен": "нет", "Пометка удаления": "да"}));
        },
        expect![[r#"
            open, 100000, paid 20000
              Order УТ-1 100000 of 1c
              Payment 1 10000 of base, not posted
              Payment 2 20000 of base
              Payment 3 30000 of base, not posted, marked for deletion
        "#]],
    );
}

#[test]
fn bank_line_and_payment_of_1c_are_one_payment() {
    check(
        |it| {
            it.orders(&[order("УТ-1", "100000")]);
            payment(it, "bank", "417", "40000", json!({}));
            // 1C took it a day later under the bank's number; and this one under a number of its own.
            payment(it, "base", "000417", "40000", json!({"Дата": "2025-03-05"}));
            payment(it, "bank", "418", "7000", json!({}));
            payment(it, "base", "БП-55", "7000", json!({}));
        },
        expect![[r#"
            open, 100000, paid 47000
              Order УТ-1 100000 of 1c
              Payment 000417 40000 of bank and base
              Payment БП-55 7000 of bank and base
        "#]],
    );
}

#[test]
fn equal_payments_of_one_day_stay_two_when_both_systems_tell_of_both() {
    check(
        |it| {
            it.orders(&[order("УТ-1", "100000")]);
            payment(it, "bank", "1", "5000", json!({}));
            payment(it, "bank", "2", "5000", json!({}));
            payment(it, "base", "БП-2", "5000", json!({}));
            payment(it, "base", "БП-3", "5000", json!({}));
        },
        expect![[r#"
            open, 100000, paid 10000
              Order УТ-1 100000 of 1c
              Payment БП-3 5000 of bank and base
              Payment БП-2 5000 of bank and base
        "#]],
    );
}

#[test]
fn payment_names_its_order_before_and_after_it() {
    check(
        |it| {
            payment(it, "bank", "1", "5000", json!({"Счёт": "УТ-2"}));
            it.orders(&[order("УТ-1", "9000"), order("УТ-2", "7000")]);
            payment(it, "bank", "2", "600", json!({"Заказ": "ут-1"}));
        },
        expect![[r#"
            open, 9000, paid 600
              Order УТ-1 9000 of 1c
              Payment 2 600 of bank
            open, 7000, paid 5000
              Order УТ-2 7000 of 1c
              Payment 1 5000 of bank
        "#]],
    );
}

#[test]
fn payment_that_fits_several_deals_asks_and_one_that_fits_exactly_does_not() {
    check(
        |it| {
            it.orders(&[order("УТ-1", "9000"), order("УТ-2", "7000")]);
            payment(it, "bank", "1", "500", json!({}));
            payment(it, "bank", "2", "7000", json!({}));
        },
        expect![[r#"
            open, 9000
              Order УТ-1 9000 of 1c
            open, 7000, paid 7000
              Order УТ-2 7000 of 1c
              Payment 2 7000 of bank
            no deal: Payment 1 500 of bank
            task: Payment 1 of 500 RUB fits several deals (2). Name its order or invoice in it: it then joins its deal by itself
        "#]],
    );
}

#[test]
fn payment_of_a_client_without_a_deal_makes_none() {
    check(
        |it| payment(it, "bank", "1", "500", json!({})),
        expect![[r#"
        no deal: Payment 1 500 of bank
    "#]],
    );
}

#[test]
fn order_in_two_bases_is_one() {
    check(
        |it| {
            it.orders(&[order("УТ-1", "9000")]);
            it.pass(MINUTE_MS);
            let copy =
                json!({"Номер": "УТ-1", "Дата": "2025-03-01", "ИНН": INN, "Контрагент": "ООО Вектор", "Сумма": "9000"});
            row(it, "second", "orders", copy);
            let another =
                json!({"Номер": "УТ-1", "Дата": "2024-03-01", "ИНН": INN, "Контрагент": "ООО Вектор", "Сумма": "9000"});
            row(it, "second", "orders", another);
        },
        expect![[r#"
            open, 9000
              Order УТ-1 9000 of 1c and second
            open, 9000
              Order УТ-1 9000 of second
        "#]],
    );
}

#[test]
fn preview_shows_deals_that_would_stand_otherwise() {
    let mut worlds = [with_bank(&[]), with_bank(&[STAGE, WINS])].map(|it| (World::under(&it), it));
    for (world, _) in &mut worlds {
        world.orders(&[order("УТ-1", "9000")]);
        payment(world, "bank", "1", "9000", json!({}));
    }
    let query = |(world, catalog): &(World, Arc<Catalog>)| {
        Query::new(world.store.clone(), world.journal.clone(), catalog.clone())
    };
    let asked =
        PreviewAsked { since: uzel::base::Position::START, only_changed: false, lines_max: 10, locale: Locale::En };
    let found = preview(&query(&worlds[0]), &query(&worlds[1]), &asked).expect("both read");
    let side = |it: &uzel::query::StandView| format!("{} {} {}", it.state, it.stage, it.paid);
    let told: Vec<String> = found.deals.iter().map(|it| format!("{} -> {}", side(&it.now), side(&it.other))).collect();
    expect!["open  9000 RUB -> won Оплачено 9000 RUB"].assert_eq(&told.join("\n"));
    let none = preview(&query(&worlds[0]), &query(&worlds[0]), &asked).expect("both read");
    assert_eq!((none.deals.len(), none.more_deals), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However payments come, in whatever order and however often, the paid sum is their sum.
    #[test]
    fn paid_sum_is_the_sum_of_the_payments(sums in prop::collection::vec(1u32..9_000, 1..8), again in any::<u8>()) {
        let mut world = World::under(&with_bank(&[]));
        world.orders(&[order("УТ-1", "1000000")]);
        let mut told: Vec<usize> = (0..sums.len()).collect();
        told.push(usize::from(again) % sums.len());
        told.rotate_left(usize::from(again) % sums.len());
        for number in told {
            world.pass(MINUTE_MS);
            payment(&mut world, "bank", &format!("{}", number + 1), &sums[number].to_string(), json!({}));
        }
        let deal = world.reader().rows(Span::<Deals>::all()).next().expect("a deal").expect("it reads").1.deal;
        let total: u32 = sums.iter().sum();
        prop_assert_eq!(deal.paid.map(|it| it.value.amount), Some(total.into()));
    }
}
