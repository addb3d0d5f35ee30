//! Tasks: who is asked to do what, until when, and what ends it. The rows of the built-in rules as
//! short stories.

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};
use uzel::base::{Locale, TaskId, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::entry::{Command, Entry};
use uzel::tables::{Clients, Deals, Pending, Span, Tasks};

use crate::pipeline_support::{DAY_MS, MINUTE_MS, Order, World, catalog, changed, form_at, hash, person, plain};

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Monday 3 March 2025, noon: every story begins in working time.
fn check(story: impl FnOnce(&mut World), expected: Expect) {
    check_under(&plain(), story, expected);
}

fn check_under(catalog: &std::sync::Arc<Catalog>, story: impl FnOnce(&mut World), expected: Expect) {
    let mut world = World::under(catalog);
    story(&mut world);
    expected.assert_eq(&shown(&world));
    assert_eq!(world.rebuilt(3), hash(&world.store), "the journal says it all");
}

fn shown(world: &World) -> String {
    let mut lines = Vec::new();
    for row in world.reader().rows(Span::<Tasks>::all()) {
        let task = row.expect("tasks read").1.task;
        let mut line = format!("{} for {}", task.kind.name(), task.responsible.as_deref().unwrap_or("nobody"));
        line.push_str(&format!(", due {}", moscow(task.due)));
        if task.renewals > 0 {
            line.push_str(&format!(", renewed {}", task.renewals));
        }
        line.push_str(&format!(": {}", task.title.render(Locale::Ru)));
        lines.push(line);
        if let Some(end) = task.state.end() {
            let by = end.by.render(Locale::Ru);
            lines.push(format!("  {} at {}: {by}", task.state.name(), moscow(end.at)));
        }
    }
    if lines.is_empty() {
        lines.push("no task".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn moscow(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Moscow").expect("a zone");
    at.to_jiff().to_zoned(zone).strftime("%a %H:%M").to_string()
}

fn maria(more: Json) -> Json {
    let mut fields = person("Соколова Мария", "+7 912 555-01-01");
    if let (Json::Object(fields), Json::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    fields
}

/// What a CRM tells of the deal that a form made there.
fn deal(more: Json) -> Json {
    let mut fields = json!({"deal_id": "7"});
    if let (Json::Object(fields), Json::Object(more)) = (&mut fields, more) {
        fields.extend(more);
    }
    maria(fields)
}

fn watched() -> std::sync::Arc<Catalog> {
    changed("rules/business.toml", "watch = \"when_crm_is_read\"", "watch = \"always\"")
}

fn only_task(world: &World) -> TaskId {
    let mut rows = world.reader().rows(Span::<Tasks>::all());
    rows.next().expect("there is one").expect("tasks read").0
}

#[test]
fn lead_of_an_unknown_contact_asks_nobody() {
    check(
        |it| {
            it.form(maria(json!({})));
        },
        expect![[r#"
            no task
        "#]],
    );
}

#[test]
fn lead_of_a_client_with_an_open_deal_asks_its_responsible_to_answer() {
    check(
        |it| {
            it.form(deal(json!({"responsible": "Иванова"})));
            it.pass(HOUR_MS).form(maria(json!({"form": "Расчёт"})));
        },
        expect![[r#"
            answer for Иванова, due Mon 14:00: Ответить: клиент написал снова, «Расчёт»
        "#]],
    );
}

#[test]
fn same_form_within_ten_minutes_asks_nobody() {
    check(
        |it| {
            it.form(maria(json!({})));
            it.pass(9 * MINUTE_MS).form(maria(json!({"price": "70000"})));
        },
        expect![[r#"
            no task
        "#]],
    );
}

#[test]
fn another_reason_renews_the_task_and_the_earlier_deadline_stays() {
    check(
        |it| {
            it.form(deal(json!({"responsible": "Иванова"})));
            it.pass(HOUR_MS).form(maria(json!({"form": "Расчёт"})));
            it.pass(30 * MINUTE_MS).form(maria(json!({"form": "Замер"})));
        },
        expect![[r#"
            answer for Иванова, due Mon 14:00, renewed 1: Ответить: клиент написал снова, «Замер»
        "#]],
    );
}

#[test]
fn deadlines_are_counted_in_working_time() {
    check(
        |it| {
            it.form(deal(json!({})));
            // Friday, 7 March, half past five: a short day, over since five.
            it.pass(4 * DAY_MS + 5 * HOUR_MS + 30 * MINUTE_MS).form(maria(json!({})));
        },
        expect![[r#"
            answer for nobody, due Mon 10:00: Ответить: от клиента пришла ещё одна заявка
        "#]],
    );
}

#[test]
fn several_open_deals_without_a_clear_one_ask_which_it_is() {
    check(
        |it| {
            it.form(deal(json!({"responsible": "Иванова"})));
            it.pass(HOUR_MS).form(maria(json!({"deal_id": "8", "responsible": "Петров"})));
            it.pass(HOUR_MS).form(maria(json!({"form": "Расчёт"})));
        },
        expect![[r#"
            ambiguous_deal for Петров, due Mon 16:00: К какой сделке заявка «Расчёт»? Открытых сделок у клиента: 2. Пока она записана в эту
        "#]],
    );
}

#[test]
fn several_open_deals_with_a_clear_one_are_no_question() {
    check(
        |it| {
            it.form(deal(json!({"responsible": "Иванова"})));
            it.pass(2 * DAY_MS).form(maria(json!({"deal_id": "8", "responsible": "Петров"})));
            it.pass(HOUR_MS).form(maria(json!({"form": "Расчёт"})));
        },
        expect![[r#"
            answer for Петров, due Wed 14:00: Ответить: клиент написал снова, «Расчёт»
        "#]],
    );
}

#[test]
fn lead_on_a_deal_lost_up_to_30_days_ago_says_that_the_client_is_back() {
    check(
        |it| {
            it.form(deal(json!({"responsible": "Иванова"})));
            it.pass(DAY_MS).form(deal(json!({"state": "lost"})));
            it.pass(10 * DAY_MS).form(maria(json!({"form": "Расчёт"})));
        },
        expect![[r#"
            returned for Иванова, due Fri 13:00: Вернулся: новая заявка «Расчёт» по недавно проигранной сделке. Свяжитесь и откройте сделку снова
        "#]],
    );
}

#[test]
fn lead_after_a_deal_lost_long_ago_makes_a_repeat_deal_and_no_task() {
    check(
        |it| {
            it.form(deal(json!({})));
            it.pass(DAY_MS).form(deal(json!({"state": "lost"})));
            it.pass(31 * DAY_MS).form(maria(json!({})));
        },
        expect![[r#"
            no task
        "#]],
    );
}

#[test]
fn reopening_the_deal_ends_the_task_about_the_return() {
    check(
        |it| {
            it.form(deal(json!({})));
            it.pass(DAY_MS).form(deal(json!({"state": "lost"})));
            it.pass(DAY_MS).form(maria(json!({})));
            it.pass(HOUR_MS).form(deal(json!({"state": "open"})));
        },
        expect![[r#"
            returned for nobody, due Wed 13:00: Вернулся: новая заявка по недавно проигранной сделке. Свяжитесь и откройте сделку снова
              done at Wed 13:00: сделка открыта снова (site)
        "#]],
    );
}

#[test]
fn moving_the_deal_on_ends_the_task_to_answer() {
    check(
        |it| {
            it.form(deal(json!({"stage": "Новая"})));
            it.pass(HOUR_MS).form(maria(json!({})));
            // The same again is no move.
            it.pass(MINUTE_MS).form(deal(json!({"stage": "Новая", "note": 1})));
            it.pass(MINUTE_MS).form(deal(json!({"stage": "КП"})));
        },
        expect![[r#"
            answer for nobody, due Mon 14:00: Ответить: от клиента пришла ещё одна заявка
              done at Mon 13:02: сделку сдвинули с места (site)
        "#]],
    );
}

#[test]
fn a_stage_told_for_the_first_time_is_no_move() {
    check(
        |it| {
            it.form(deal(json!({})));
            it.pass(HOUR_MS).form(maria(json!({})));
            it.pass(MINUTE_MS).form(deal(json!({"stage": "Новая"})));
        },
        expect![[r#"
            answer for nobody, due Mon 14:00: Ответить: от клиента пришла ещё одна заявка
        "#]],
    );
}

#[test]
fn a_closed_deal_ends_whatever_was_to_be_done_in_it() {
    check(
        |it| {
            it.form(deal(json!({})));
            it.pass(HOUR_MS).form(maria(json!({"deal_id": "8"})));
            it.pass(HOUR_MS).form(maria(json!({})));
            it.pass(HOUR_MS).form(maria(json!({"deal_id": "8", "state": "won"})));
        },
        expect![[r#"
            ambiguous_deal for nobody, due Mon 16:00: К какой сделке новая заявка? Открытых сделок у клиента: 2. Пока она записана в эту
              done at Mon 15:00: сделка закрыта (site)
        "#]],
    );
}

#[test]
fn order_of_1c_with_several_open_deals_makes_its_own_and_asks_to_look() {
    check(
        |it| {
            it.form(deal(json!({"responsible": "Иванова"})));
            it.pass(HOUR_MS).form(maria(json!({"deal_id": "8"})));
            it.pass(HOUR_MS).orders(&[Order { phone: "+7 912 555-01-01", ..Order::PLAIN }]);
        },
        expect![[r#"
            check for Иванова, due Tue 13:00: Заказу 1С УТ-000001 подходят несколько сделок (2): он получил свою. Проверьте, не к одной ли из них он относится
        "#]],
    );
}

#[test]
fn new_lead_untouched_for_15_working_minutes_asks_its_responsible_and_after_30_the_head() {
    check_under(
        &watched(),
        |it| {
            it.form(maria(json!({"responsible": "Иванова"})));
            it.pass(14 * MINUTE_MS).tick();
            assert_eq!(shown(it), "no task\n");
            it.pass(MINUTE_MS).tick();
            assert!(shown(it).contains("за 15 рабочих минут"), "{}", shown(it));
            it.pass(15 * MINUTE_MS).tick();
            it.pass(DAY_MS).tick();
        },
        expect![[r#"
            untouched for Иванова, due Mon 12:30, renewed 1: Новую заявку никто не взял за 30 рабочих минут: руководителю
        "#]],
    );
}

#[test]
fn new_lead_off_hours_is_looked_at_in_working_time() {
    check_under(
        &watched(),
        |it| {
            // Friday, 7 March, a short day, ten minutes before its end.
            it.pass(4 * DAY_MS + 4 * HOUR_MS + 50 * MINUTE_MS).form(maria(json!({})));
            it.pass(2 * DAY_MS).tick();
            assert_eq!(shown(it), "no task\n");
            // Monday, five past nine.
            it.pass(16 * HOUR_MS + 15 * MINUTE_MS).tick();
        },
        expect![[r#"
            untouched for nobody, due Mon 09:20: Новую заявку никто не взял за 15 рабочих минут
        "#]],
    );
}

#[test]
fn a_lead_for_which_an_order_was_made_out_is_touched() {
    check_under(
        &watched(),
        |it| {
            it.form(maria(json!({})));
            it.pass(5 * MINUTE_MS).orders(&[Order { phone: "+7 912 555-01-01", ..Order::PLAIN }]);
            it.pass(DAY_MS).tick();
        },
        expect![[r#"
            no task
        "#]],
    );
}

#[test]
fn history_asks_nobody() {
    check_under(
        &watched(),
        |it| {
            let mut story = |fields: &Json| {
                let mut envelope = form_at(it.now, fields);
                envelope.headers.push(("uzel-history".into(), "1".to_owned()));
                it.append(&Entry::Received(envelope));
                it.pass(HOUR_MS);
            };
            story(&deal(json!({})));
            story(&maria(json!({})));
            story(&person("Пётр", "+7 912 555-02-02"));
            it.pass(DAY_MS).tick();
        },
        expect![[r#"
            no task
        "#]],
    );
}

#[test]
fn a_person_ends_a_task_once() {
    check(
        |it| {
            it.form(deal(json!({})));
            it.pass(HOUR_MS).form(maria(json!({})));
            let task = only_task(it);
            it.pass(MINUTE_MS).command(Command::CancelTask { task, reason: "это тест".into() });
            it.pass(MINUTE_MS).command(Command::CompleteTask { task, note: String::new() });
            // Another reason is another task.
            it.pass(MINUTE_MS).form(maria(json!({})));
        },
        expect![[r#"
            answer for nobody, due Mon 14:00: Ответить: от клиента пришла ещё одна заявка
              cancelled at Mon 13:01: это тест (cli)
            answer for nobody, due Mon 14:03: Ответить: от клиента пришла ещё одна заявка
        "#]],
    );
}

#[test]
fn tasks_go_with_a_merge_and_come_back_with_a_split() {
    let mut world = World::new();
    world.form(deal(json!({})));
    world.form(json!({"name": "Пётр", "phone": "+7 912 555-02-02", "deal_id": "9"}));
    world.pass(HOUR_MS).form(maria(json!({})));
    world.form(json!({"name": "Пётр", "phone": "+7 912 555-02-02"}));
    let held = |world: &World| -> Vec<usize> {
        world.reader().rows(Span::<Clients>::all()).map(|row| row.expect("it reads").1.open_tasks.len()).collect()
    };
    assert_eq!(held(&world), [1, 1]);
    let ids: Vec<_> = world.reader().rows(Span::<Clients>::all()).map(|row| row.expect("it reads").0).collect();
    let (winner, loser) = (ids[0], ids[1]);
    world.command(Command::MergeClients { winner, loser });
    assert_eq!(held(&world), [2, 0]);
    world.command(Command::SplitClients { winner, loser });
    assert_eq!(held(&world), [1, 1]);
    let deals = world.reader().rows(Span::<Deals>::all()).count();
    assert_eq!((deals, world.rebuilt(2)), (2, hash(&world.store)));
}

const TEAM: &str = r#"
head = "smirnov"
[[employee]]
key = "ivanova"
name = "Иванова"
groups = ["Все"]
ids = { site = "Иванова" }
[[employee]]
key = "petrov"
name = "Петров"
groups = ["Все"]
[[employee]]
key = "smirnov"
name = "Смирнов"
"#;

/// Two employees who take turns, and their head; new leads are watched.
fn team() -> std::sync::Arc<Catalog> {
    let builtin = |file: &str| FileSet::builtin().get(file).expect("built in").to_owned();
    let rules =
        builtin("rules/distribution.toml").replacen("[[untouched]]", "[[rule]]\nto = \"Все\"\n\n[[untouched]]", 1);
    let business = builtin("rules/business.toml").replace("watch = \"when_crm_is_read\"", "watch = \"always\"");
    catalog(&[("rules/employees.toml", TEAM), ("rules/distribution.toml", &rules), ("rules/business.toml", &business)])
}

fn responsible(world: &World) -> Vec<String> {
    let deals = world.reader().rows(Span::<Deals>::all());
    deals.map(|row| row.expect("it reads").1.deal.responsible.map_or("".into(), |it| it.value.to_string())).collect()
}

#[test]
fn untouched_lead_goes_to_the_next_in_turn_and_then_to_the_head() {
    check_under(
        &team(),
        |it| {
            it.form(maria(json!({})));
            assert_eq!(responsible(it), ["ivanova"]);
            it.pass(15 * MINUTE_MS).tick();
            assert_eq!(responsible(it), ["petrov"]);
            it.pass(15 * MINUTE_MS).tick();
            assert_eq!(responsible(it), ["smirnov"]);
        },
        expect![[r#"
            untouched for smirnov, due Mon 12:30, renewed 1: Новую заявку никто не взял за 30 рабочих минут: руководителю
        "#]],
    );
}

#[test]
fn a_responsible_whom_a_source_named_stays_and_only_the_task_goes_to_the_head() {
    check_under(
        &team(),
        |it| {
            it.form(maria(json!({"responsible": "Иванова"})));
            it.pass(15 * MINUTE_MS).tick();
            it.pass(15 * MINUTE_MS).tick();
            assert_eq!(responsible(it), ["ivanova"]);
        },
        expect![[r#"
            untouched for smirnov, due Mon 12:30, renewed 1: Новую заявку никто не взял за 30 рабочих минут: руководителю
        "#]],
    );
}

/// Lists of people who are no clients.
fn lists() -> std::sync::Arc<Catalog> {
    let lists = "[[list]]\nstanding = \"courier\"\nphones = [\"+79125550101\"]\n\
        [[list]]\nstanding = \"supplier\"\ndomains = [\"steel.example\"]\n\
        [[list]]\nstanding = \"applicant\"\nemails = [\"anna@example.ru\"]\n\
        [[list]]\nstanding = \"spam\"\nphones = [\"+79125550909\"]\n";
    catalog(&[("rules/contacts.toml", lists), ("rules/employees.toml", STAFF)])
}

const STAFF: &str = "[[employee]]\nkey = \"ivanova\"\nname = \"Иванова\"\nmobile = \"+79125550303\"\n";

fn clients_and_deals(world: &World) -> (usize, usize) {
    (world.reader().rows(Span::<Clients>::all()).count(), world.reader().rows(Span::<Deals>::all()).count())
}

#[test]
fn staff_suppliers_couriers_and_applicants_are_logged_and_make_no_lead() {
    let mut world = World::under(&lists());
    let told = [
        json!({"name": "Курьер", "phone": "8 912 555-01-01"}),
        json!({"name": "Сталь", "email": "Sales@Steel.example"}),
        json!({"name": "Анна", "email": "anna@example.ru"}),
        json!({"name": "Иванова", "phone": "+7 912 555-03-03"}),
    ];
    for fields in &told {
        world.pass(MINUTE_MS).form(fields.clone());
    }
    assert_eq!(clients_and_deals(&world), (4, 0));
    let waiting = world.reader().rows(Span::<Pending>::all()).count();
    assert_eq!(waiting, 0, "no card is made in the CRM of who is no client");
    // His next word is no lead either, and a deal that a system tells is one.
    world.pass(DAY_MS).form(told[0].clone());
    assert_eq!(clients_and_deals(&world), (4, 0));
    world.form(json!({"name": "Курьер", "phone": "8 912 555-01-01", "deal_id": "7"}));
    assert_eq!(clients_and_deals(&world), (4, 1));
    assert!(world.reader().rows(Span::<Pending>::all()).count() > 0, "then the CRM is told of him");
    assert_eq!(world.rebuilt(3), hash(&world.store));
}

#[test]
fn block_listed_lead_is_set_aside_and_can_be_taken_after_all() {
    let mut world = World::under(&lists());
    let position = world.form(json!({"name": "Реклама", "phone": "+7 912 555-09-09"}));
    assert_eq!(clients_and_deals(&world), (0, 0));
    world.command(Command::AcceptRecord { at: crate::pipeline_support::record(position) });
    assert_eq!(clients_and_deals(&world), (1, 1));
}

#[test]
fn full_payment_moves_the_deal_only_to_a_stage_that_is_set() {
    let stage = |catalog: &std::sync::Arc<Catalog>| {
        let mut world = World::under(catalog);
        let order = world.now;
        let mut envelope = crate::pipeline_support::orders_at(order, &[Order::PLAIN]);
        let uzel::entry::Body::Inline(bytes) = &envelope.body else { panic!("it is small") };
        let text = String::from_utf8(bytes.clone()).expect("text");
        let paid =
            "<ЗначениеРеквизита><Наименование>Оплачен</Наименование><Значение>true</Значение></ЗначениеРеквизита>";
        let text = text.replacen("<ЗначенияРеквизитов>", &format!("<ЗначенияРеквизитов>{paid}"), 1);
        envelope.body = uzel::entry::Body::Inline(text.into_bytes());
        world.append(&Entry::Received(envelope));
        let mut deals = world.reader().rows(Span::<Deals>::all());
        deals.next().expect("a deal").expect("it reads").1.deal.stage.map(|it| it.value.to_string())
    };
    let set = changed("rules/business.toml", "paid_stage = \"\"", "paid_stage = \"Оплачено\"");
    assert_eq!((stage(&plain()), stage(&set).as_deref()), (None, Some("Оплачено")));
}

#[test]
fn contact_lists_are_linted() {
    let settings =
        uzel::config::Settings::compile("uzel.toml", "[company]\nname = \"x\"\n", &|_| None).expect("it reads");
    let mut files = FileSet::builtin();
    let text = "[[list]]\nstanding = \"spamm\"\n[[list]]\nstanding = \"own\"\nphones = [\"8 912\"]\n\
        emails = [\"x\"]\ndomains = [\"@x.ru\"]\ninns = [\"1\"]\nphone = 1\n";
    files.put("rules/contacts.toml", text.to_owned());
    let problems = Catalog::compile(&files, &settings).expect_err("it does not compile");
    let shown: String = problems.iter().map(|it| it.render(Locale::En) + "\n").collect();
    for line in [2, 5, 6, 7, 8, 9] {
        assert!(shown.contains(&format!("rules/contacts.toml:{line}: ")), "line {line}: {shown}");
    }
}
