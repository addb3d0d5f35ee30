//! What the pipeline makes of what comes: the built-in business rules as short stories.

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};
use uzel::entry::{Command, Entry};
use uzel::model::{ClientState, Deal, DealState, Document, Outcome};
use uzel::tables::rows::ClientRow;
use uzel::tables::{Clients, Deals, Documents, Outcomes, Quarantine, Span};

use crate::pipeline_support::{DAY_MS, MINUTE_MS, Order, World, changed, orders_at, person, plain, record};

const MARIA: &str = "+7 912 555-01-01";
const PETR: &str = "+7 912 555-02-02";

/// Plays a story and shows clients, their deals and documents, and what became of each record.
fn check(story: impl FnOnce(&mut World), expected: Expect) {
    let mut world = World::new();
    story(&mut world);
    expected.assert_eq(&shown(&world));
    // Whatever happened, the journal says it all.
    assert_eq!(world.rebuilt(7), crate::pipeline_support::hash(&world.store));
}

fn shown(world: &World) -> String {
    let reader = world.reader();
    let mut lines = Vec::new();
    for row in reader.rows(Span::<Clients>::all()) {
        let (_, row) = row.expect("clients read");
        client(world, &row, &mut lines);
    }
    for row in reader.rows(Span::<Outcomes>::all()) {
        let (_, outcomes) = row.expect("outcomes read");
        lines.extend(outcomes.iter().map(|(at, _, outcome)| format!("{at} {}", outcome_line(outcome))));
    }
    for row in reader.rows(Span::<Quarantine>::all()) {
        let (at, row) = row.expect("quarantine reads");
        lines.push(format!("{at} waits: {}, tried again {}", row.reason.id, row.retries));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn client(world: &World, row: &ClientRow, lines: &mut Vec<String>) {
    let name = row.client.shown_name();
    if let ClientState::MergedInto(winner, _) = row.client.state {
        let winner = world.reader().get::<Clients>(&winner).expect("it reads").expect("it is there");
        lines.push(format!("client {name}: merged into {}", winner.client.shown_name()));
        return;
    }
    let class = row.class.map_or("no class".to_owned(), |class| format!("class {}", class.name()));
    let (deals, interactions) = (many(row.deals.len(), "deal"), many(row.interactions.len(), "interaction"));
    lines.push(format!("client {name}: {deals}, {class}, {interactions}"));
    for id in &row.deals {
        let deal = world.reader().get::<Deals>(id).expect("it reads").expect("it is there").deal;
        lines.push(deal_line(&deal));
        for document in &deal.documents {
            let held = world.reader().get::<Documents>(document).expect("it reads").expect("it is there");
            lines.push(document_line(&held));
        }
    }
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn deal_line(deal: &Deal) -> String {
    let mut words = vec![match deal.state {
        DealState::Open => "open",
        DealState::Won(_) => "won",
        DealState::Lost(..) => "lost",
    }];
    let price = deal.price.as_ref().map(|price| format!("{}", price.value.amount.normalize()));
    words.extend(deal.stage.as_ref().map(|it| it.value.as_str()));
    words.extend(price.as_deref());
    words.extend(deal.responsible.as_ref().map(|it| it.value.as_str()));
    words.extend(deal.comment.as_ref().map(|it| it.value.as_str()));
    format!("  deal {}", words.join(", "))
}

fn document_line(document: &Document) -> String {
    let is = |flag: &Option<uzel::model::Sourced<bool>>| flag.as_ref().is_some_and(|it| it.value);
    let number = document.number.as_ref().map_or("", |it| it.value.as_str());
    let posted = if is(&document.posted) { "posted" } else { "not posted" };
    let deleted = if is(&document.deletion_mark) { ", marked for deletion" } else { "" };
    format!("    document {number}, {posted}{deleted}")
}

fn outcome_line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Applied { .. } => "applied".to_owned(),
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Repeated(first) => format!("repeats {first}"),
        Outcome::Filtered(reason) => format!("filtered: {reason:?}"),
        Outcome::Quarantined(reason) => format!("quarantined: {}", reason.id),
        Outcome::Discarded => "discarded".to_owned(),
    }
}

/// A form with more fields.
fn with(mut fields: Json, more: Json) -> Json {
    if let (Json::Object(fields), Json::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

fn maria() -> Json {
    person("Соколова Мария", MARIA)
}

#[test]
fn lead_of_an_unknown_contact_makes_client_and_deal() {
    check(
        |it| {
            it.form(with(maria(), json!({"message": "Нужен прайс"})));
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 1 interaction
              deal open, Нужен прайс
            3.0 applied
        "#]],
    );
}

#[test]
fn lead_of_a_client_with_an_open_deal_joins_it() {
    check(
        |it| {
            it.form(with(maria(), json!({"message": "Первая", "price": "50000"})));
            it.pass(DAY_MS).form(with(maria(), json!({"message": "Вторая", "price": "1"})));
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 2 interactions
              deal open, 50000, Первая
            3.0 applied
            4.0 applied
        "#]],
    );
}

#[test]
fn same_form_within_ten_minutes_is_one_lead_with_the_fields_of_both() {
    check(
        |it| {
            it.form(with(maria(), json!({"message": "Первая"})));
            it.pass(9 * MINUTE_MS).form(with(maria(), json!({"price": "70000"})));
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 2 interactions
              deal open, 70000, Первая
            3.0 applied
            4.0 applied
        "#]],
    );
}

#[test]
fn same_envelope_twice_is_one() {
    check(
        |it| {
            let envelope = crate::pipeline_support::form_at(it.now, &maria());
            it.append(&Entry::Received(envelope.clone()));
            it.pass(DAY_MS).append(&Entry::Received(envelope));
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 1 interaction
              deal open
            3.0 applied
            4.0 repeats 3.0
        "#]],
    );
}

#[test]
fn lead_joins_a_deal_lost_ten_days_ago() {
    check(
        |it| {
            it.form(with(maria(), json!({"deal_id": "7", "price": "50000"})));
            it.pass(DAY_MS).form(with(maria(), json!({"deal_id": "7", "state": "lost"})));
            it.pass(10 * DAY_MS).form(with(maria(), json!({"message": "Передумала"})));
        },
        expect![[r#"
            client Соколова Мария: 1 deal, no class, 3 interactions
              deal lost, 50000
            3.0 applied
            4.0 applied
            5.0 applied
        "#]],
    );
}

#[test]
fn lead_after_a_deal_lost_long_ago_makes_a_repeat_deal_of_the_same_responsible() {
    check(
        |it| {
            it.form(with(maria(), json!({"deal_id": "7", "responsible": "Иванов"})));
            it.pass(DAY_MS).form(with(maria(), json!({"deal_id": "7", "state": "lost"})));
            it.pass(31 * DAY_MS).form(with(maria(), json!({"message": "Снова"})));
        },
        expect![[r#"
            client Соколова Мария: 2 deals, class C, 3 interactions
              deal lost, Иванов
              deal open, Иванов, Снова
            3.0 applied
            4.0 applied
            5.0 applied
        "#]],
    );
}

#[test]
fn lead_after_a_won_deal_makes_a_repeat_deal_of_the_same_responsible() {
    check(
        |it| {
            it.form(with(maria(), json!({"deal_id": "7", "responsible": "Иванов"})));
            it.pass(DAY_MS).form(with(maria(), json!({"deal_id": "7", "state": "won"})));
            it.pass(DAY_MS).form(with(maria(), json!({"message": "Ещё"})));
        },
        expect![[r#"
            client Соколова Мария: 2 deals, class C1, 3 interactions
              deal won, Иванов
              deal open, Иванов, Ещё
            3.0 applied
            4.0 applied
            5.0 applied
        "#]],
    );
}

#[test]
fn order_of_1c_with_a_link_updates_its_deal() {
    let order = Order { phone: MARIA, ..Order::PLAIN };
    check(
        |it| {
            it.orders(&[order]);
            it.pass(DAY_MS).orders(&[Order { sum: "150000", ..order }]);
            it.pass(DAY_MS).orders(&[Order { sum: "150000", ..order }]);
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 0 interactions
              deal open, 150000
                document УТ-000001, posted
            3.0 applied
            4.0 applied
            5.0 unchanged
        "#]],
    );
}

#[test]
fn order_of_1c_links_to_the_one_open_deal_without_a_document() {
    check(
        |it| {
            it.form(with(maria(), json!({"message": "Счёт, пожалуйста", "price": "1000"})));
            it.pass(DAY_MS).orders(&[Order { phone: MARIA, ..Order::PLAIN }]);
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 1 interaction
              deal open, 120000, Счёт, пожалуйста
                document УТ-000001, posted
            3.0 applied
            4.0 applied
        "#]],
    );
}

#[test]
fn order_of_1c_with_several_open_deals_makes_its_own() {
    check(
        |it| {
            it.form(with(maria(), json!({"deal_id": "7", "price": "1000"})));
            it.form(with(maria(), json!({"deal_id": "8", "price": "2000"})));
            it.pass(DAY_MS).orders(&[Order { phone: MARIA, ..Order::PLAIN }]);
        },
        expect![[r#"
            client Соколова Мария: 3 deals, class C1, 2 interactions
              deal open, 1000
              deal open, 2000
              deal open, 120000
                document УТ-000001, posted
            3.0 applied
            4.0 applied
            5.0 applied
        "#]],
    );
}

#[test]
fn second_order_of_a_client_makes_its_own_deal() {
    check(
        |it| {
            let order = Order { phone: MARIA, ..Order::PLAIN };
            it.orders(&[order, Order { number: "УТ-000002", sum: "5000", ..order }]);
        },
        expect![[r#"
            client Соколова Мария: 2 deals, class C1, 0 interactions
              deal open, 120000
                document УТ-000001, posted
              deal open, 5000
                document УТ-000002, posted
            3.0 applied
            3.1 applied
        "#]],
    );
}

#[test]
fn unposted_document_is_shown() {
    check(
        |it| {
            it.orders(&[Order { phone: MARIA, posted: false, ..Order::PLAIN }]);
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 0 interactions
              deal open
                document УТ-000001, not posted
            3.0 applied
        "#]],
    );
}

#[test]
fn deletion_mark_is_a_flag_and_deletes_nothing() {
    let order = Order { phone: MARIA, ..Order::PLAIN };
    check(
        |it| {
            it.orders(&[order]);
            it.pass(DAY_MS).orders(&[Order { deleted: true, ..order }]);
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 0 interactions
              deal open, 120000
                document УТ-000001, posted, marked for deletion
            3.0 applied
            4.0 applied
        "#]],
    );
}

#[test]
fn spam_is_stored_and_taken_when_a_person_says_so() {
    let spam = with(maria(), json!({"_honey": "x"}));
    check(
        |it| {
            it.form(spam.clone());
        },
        expect![[r#"
            3.0 filtered: Spam
        "#]],
    );
    check(
        |it| {
            let at = record(it.form(spam.clone()));
            it.pass(DAY_MS).command(Command::AcceptRecord { at });
            it.command(Command::AcceptRecord { at });
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 1 interaction
              deal open
            3.0 applied
        "#]],
    );
}

#[test]
fn record_in_quarantine_is_taken_when_the_mapping_is_corrected() {
    // A form whose telephone stands in a field that no mapping names.
    let strange = json!({"имя": "Соколова Мария", "куда_звонить": MARIA});
    let corrected =
        || changed("mappings/forms/lead.in.toml", "\"phone\", \"phone_number\"", "\"куда_звонить\", \"phone\"");
    check(
        |it| {
            let at = record(it.form(strange.clone()));
            it.pass(DAY_MS).command(Command::RetryRecord { at });
        },
        expect![[r#"
            3.0 quarantined: mapping-require-any
            3.0 waits: mapping-require-any, tried again 1
        "#]],
    );
    check(
        |it| {
            let at = record(it.form(strange.clone()));
            it.pass(DAY_MS).configure(&corrected());
            it.command(Command::RetryRecord { at });
            it.command(Command::RetryRecord { at });
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 1 interaction
              deal open
            3.0 applied
        "#]],
    );
}

#[test]
fn record_in_quarantine_is_given_up_for_good() {
    check(
        |it| {
            let at = record(it.form(json!({"message": "ничего"})));
            it.command(Command::DiscardRecord { at, reason: "пусто".into() });
            it.command(Command::RetryRecord { at });
        },
        expect![[r#"
            3.0 discarded
        "#]],
    );
}

#[test]
fn deal_of_our_own_organisation_is_filtered() {
    check(
        |it| {
            it.orders(&[Order { buyer: "ООО «Ромашка»", inn: "7707083893", ..Order::PLAIN }]);
        },
        expect![[r#"
            3.0 filtered: Internal
        "#]],
    );
}

#[test]
fn record_with_the_phone_of_one_and_the_mail_of_another_makes_them_one_and_a_split_returns_them() {
    let mail = json!({"name": "Мария", "email": "maria@example.ru", "price": "3000"});
    let both = with(maria(), json!({"email": "maria@example.ru"}));
    check(
        |it| {
            it.form(maria());
            it.pass(DAY_MS).form(mail.clone());
            it.pass(DAY_MS).form(both.clone());
        },
        expect![[r#"
            client Соколова Мария: 2 deals, class C1, 3 interactions
              deal open
              deal open, 3000
            client Мария: merged into Соколова Мария
            3.0 applied
            4.0 applied
            5.0 applied
        "#]],
    );
    check(
        |it| {
            it.form(maria());
            it.pass(DAY_MS).form(mail.clone());
            it.pass(DAY_MS).form(both.clone());
            let ids: Vec<_> =
                it.reader().rows(Span::<Clients>::all()).map(|row| row.expect("clients read").0).collect();
            it.pass(DAY_MS).command(Command::SplitClients { winner: ids[0], loser: ids[1] });
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class C1, 2 interactions
              deal open
            client Мария: 1 deal, class C1, 1 interaction
              deal open, 3000
            3.0 applied
            4.0 applied
            5.0 applied
        "#]],
    );
}

#[test]
fn file_of_many_orders_is_applied_in_slices_and_each_order_counts() {
    let mut world = World::new();
    let numbers: Vec<(String, String)> =
        (0..700).map(|it| (format!("УТ-{it:06}"), format!("Покупатель {it}"))).collect();
    let orders: Vec<Order<'_>> =
        numbers.iter().map(|(number, buyer)| Order { number, buyer, ..Order::PLAIN }).collect();
    world.orders(&orders);
    // The same file after a day is another envelope with nothing new in it.
    let again = orders_at(world.pass(DAY_MS).now, &orders);
    world.append(&Entry::Received(again));
    let mut counts = std::collections::BTreeMap::new();
    for row in world.reader().rows(Span::<Outcomes>::all()) {
        for (_, _, outcome) in row.expect("outcomes read").1 {
            *counts.entry(outcome.kind().name()).or_insert(0) += 1;
        }
    }
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("applied", 700), ("unchanged", 700)]);
    assert_eq!(world.reader().rows(Span::<Deals>::all()).count(), 700);
    assert_eq!(world.rebuilt(7), crate::pipeline_support::hash(&world.store));
}

#[test]
fn rules_that_change_score_every_open_deal_again() {
    check(
        |it| {
            it.form(with(maria(), json!({"price": "200000", "stage": "КП", "source": "сарафан"})));
            it.form(with(person("Орлов Пётр", PETR), json!({"price": "10000"})));
            it.configure(&changed("rules/scoring.toml", "a_min = 100000", "a_min = 1000"));
            it.form(person("Третий Клиент", "+7 912 555-03-03"));
            it.configure(&plain());
        },
        expect![[r#"
            client Соколова Мария: 1 deal, class A, 1 interaction
              deal open, КП, 200000
            client Орлов Пётр: 1 deal, class C2, 1 interaction
              deal open, 10000
            client Третий Клиент: 1 deal, class C1, 1 interaction
              deal open
            3.0 applied
            4.0 applied
            7.0 applied
        "#]],
    );
}
