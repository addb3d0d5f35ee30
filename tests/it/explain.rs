//! Fields by hand hold until they are released, explanations tell what is in the store, and
//! decisions about many say first how many there are.

use expect_test::{Expect, expect};
use serde_json::json;
use uzel::base::{ClientId, ItemRef, Locale, Position};
use uzel::entry::{Command, ObjectRef};
use uzel::pipeline::read_again;
use uzel::query::{Query, Said, WhereView, WhyView};
use uzel::tables::rows::sink_state;
use uzel::tables::{Clients, Deals, Span};

use crate::daemon_support::{Place, settings};
use crate::pipeline_acts::bitrix24;
use crate::pipeline_support::{DAY_MS, Order, World, hash, person, plain};

fn query(world: &World) -> Query {
    Query::new(world.store.clone(), world.journal.clone(), plain())
}

fn read(world: &World) -> impl Fn(ItemRef) -> Option<Said> + '_ {
    |at| {
        let again = read_again(world.journal.as_ref(), &plain(), at).expect("the journal reads")?;
        Some(Said {
            connection: again.connection,
            stream: again.stream,
            observed_at: again.observed_at,
            client: again.client,
            deal: again.deal,
            keys: again.keys,
            left_out: again.left_out,
        })
    }
}

fn clients(world: &World) -> Vec<ClientId> {
    world.reader().rows(Span::<Clients>::all()).map(|row| row.expect("clients read").0).collect()
}

fn why(world: &World, id: ClientId, other: Option<ClientId>) -> WhyView {
    query(world).why(id, other, &read(world), Locale::En).expect("rows read").expect("it is there")
}

fn where_client(world: &World, id: ClientId, field: &str) -> WhereView {
    query(world).where_client(id, Some(field), &read(world), Locale::En).expect("rows read").expect("it is there")
}

fn where_text(view: &WhereView) -> String {
    let mut text = String::new();
    for it in &view.fields {
        let field = &it.field;
        text.push_str(&format!("{}: {} [{} {}] {}\n", field.name, field.value, field.source, field.position, it.rule));
        for lost in &it.lost {
            text.push_str(&format!("  {} [{} {}] {}\n", lost.value, lost.source, lost.record, lost.why));
        }
    }
    text
}

fn edit(world: &mut World, client: ClientId, set: &[(&str, &str)], release: &[&str]) -> Position {
    let set = set.iter().map(|(name, text)| ((*name).into(), (*text).to_owned())).collect();
    let release = release.iter().map(|name| (*name).into()).collect();
    world.command(Command::EditClient { client, set, release })
}

/// A form, an order of 1C with the same telephone.
fn told_twice() -> (World, ClientId) {
    let mut world = World::new();
    world.form(person("Маша", "+7 912 345-67-81"));
    world.pass(DAY_MS).orders(&[Order { phone: "+79123456781", ..Order::PLAIN }]);
    let client = clients(&world)[0];
    (world, client)
}

fn check_where(world: &World, client: ClientId, field: &str, expected: Expect) {
    expected.assert_eq(&where_text(&where_client(world, client, field)));
}

#[test]
fn a_value_tells_its_source_its_rule_and_what_lost_to_it() {
    let (world, client) = told_twice();
    check_where(
        &world,
        client,
        "name",
        expect![[r#"
        name: Соколова Мария [1c 4] 1c owns "name": commerceml
          Маша [site 3.0] less right to "name": commerceml
    "#]],
    );
    check_where(
        &world,
        client,
        "contact",
        expect![[r#"
        contact: +79123456781 [1c 4] nobody owns "contacts": the newest value counts
    "#]],
    );
}

#[test]
fn what_a_person_set_stays_until_it_is_released() {
    let (mut world, client) = told_twice();
    world.pass(DAY_MS);
    edit(&mut world, client, &[("name", "Мария Соколова-Белых")], &[]);
    // The owner of names says its own again, later: in vain.
    world.pass(DAY_MS).orders(&[Order { phone: "+79123456781", number: "УТ-000002", ..Order::PLAIN }]);
    check_where(
        &world,
        client,
        "name",
        expect![[r#"
        name: Соколова-Белых Мария [person 5] set by a person: counts until it is released
          Соколова Мария [1c 6.0] set by a person since
          Соколова Мария [1c 4.0] set by a person since
          Маша [site 3.0] set by a person since
    "#]],
    );
    edit(&mut world, client, &[], &["name"]);
    check_where(
        &world,
        client,
        "name",
        expect![[r#"
        name: Соколова-Белых Мария [person 5] was set by a person and released: the next word of any source counts
          Соколова Мария [1c 6.0] set by a person since
          Соколова Мария [1c 4.0] set by a person since
          Маша [site 3.0] set by a person since
    "#]],
    );
    world.pass(DAY_MS).orders(&[Order { phone: "+79123456781", number: "УТ-000003", ..Order::PLAIN }]);
    check_where(
        &world,
        client,
        "name",
        expect![[r#"
        name: Соколова Мария [1c 8] 1c owns "name": commerceml
          Маша [site 3.0] less right to "name": commerceml
    "#]],
    );
    assert_eq!(world.rebuilt(3), hash(&world.store), "edits replay");
}

#[test]
fn an_edit_is_found_by_its_new_keys_told_to_sinks_and_scored() {
    let (mut world, client) = told_twice();
    edit(&mut world, client, &[("phone", "8 999 111-22-33")], &[]);
    world.pass(DAY_MS).form(person("Кто-то", "+79991112233"));
    assert_eq!(clients(&world).len(), 1, "the form comes to whom the telephone was given");
    let row = world.reader().get::<Clients>(&client).expect("it reads").expect("it is there");
    assert!(sink_state(&row.sinks, &bitrix24()).is_some_and(|state| state.delivery.is_some()));
    let deal = row.deals[0];
    let set = vec![("price".into(), "1000000".to_owned()), ("stage".into(), "КП".to_owned())];
    world.command(Command::EditDeal { deal, set, release: Vec::new() });
    let row = world.reader().get::<Deals>(&deal).expect("it reads").expect("it is there");
    assert_eq!(row.deal.score.expect("an open deal has a score").price_minor, Some(100_000_000));
    let view = query(&world).where_deal(deal, Some("price"), &read(&world), Locale::En);
    expect![[r#"
        price: 1000000 RUB [person 7] set by a person: counts until it is released
          120000 RUB [1c 4.0] set by a person since
    "#]]
    .assert_eq(&where_text(&view.expect("rows read").expect("it is there")));
}

#[test]
fn what_does_not_read_changes_nothing() {
    let (mut world, client) = told_twice();
    let before = where_client(&world, client, "name");
    edit(&mut world, client, &[("inn", "12"), ("name", "Другой")], &[]);
    assert_eq!(where_client(&world, client, "name"), before);
    let set = |name: &str, text: &str| vec![(name.into(), text.to_owned())];
    let refused = |object: ObjectRef, name: &str, text: &str| {
        let at = world.now;
        query(&world).reads_as_edit(object, &set(name, text), at).expect_err("refused").render(Locale::En)
    };
    let object = ObjectRef::Client(client);
    expect![[r#"
        the field "innn" cannot be set by hand; did you mean inn? These can: name, company, inn, kpp, ogrn, address, responsible, decides, phone, email.
        inn: "12" does not read as such a value; nothing is changed.
        the field "standing" cannot be set by hand. These can: name, company, inn, kpp, ogrn, address, responsible, decides, phone, email."#]].assert_eq(
        &[refused(object, "innn", "7707083893"), refused(object, "inn", "12"), refused(object, "standing", "spam")]
            .join("\n"),
    );
}

#[test]
fn why_one_client_names_the_keys_the_merges_and_what_ties_nobody() {
    let mut world = World::new();
    world.form(json!({"name": "Иван Петров", "phone": "+7 912 345-67-81"}));
    world.pass(DAY_MS).form(json!({"name": "Иван Петров", "email": "ivan@example.ru"}));
    world.pass(DAY_MS).form(json!({"name": "Иван Петров", "phone": "89123456781", "email": "ivan@example.ru"}));
    world.pass(DAY_MS).form(json!({"name": "Пётр Иванов", "phone": "+79990000000"}));
    let all = clients(&world);
    let view = why(&world, all[1], Some(all[0]));
    let mut text = String::new();
    for record in &view.records {
        text.push_str(&format!(
            "{} {}/{}: {}\n",
            record.record,
            record.connection,
            record.stream,
            record.keys.join("; ")
        ));
    }
    for merge in &view.merges {
        text.push_str(&format!("merged {} at {}: {}\n", merge.loser, merge.position, merge.why.join("; ")));
    }
    expect![[r#"
        3.0 site/lead: 
        4.0 site/lead: 
        5.0 site/lead: the telephone +7***81 is the same; the e-mail i***@example.ru is the same
        merged cli_0000000200000 at 5: the telephone +7***81 is the same; the e-mail i***@example.ru is the same; the record ties 1 more client to this one; the oldest is kept
    "#]].assert_eq(&text);
    assert_eq!((view.same, view.client.clone()), (Some(true), all[0].to_string()));
    let other = why(&world, all[0], Some(all[2]));
    expect!["Some(false) they share no telephone, address or INN"].assert_eq(&format!(
        "{:?} {}",
        other.same,
        other.between.join("; ")
    ));
    world.command(Command::SplitClients { winner: all[0], loser: all[1] });
    let split = why(&world, all[0], Some(all[1]));
    expect![[r#"Some(false) ["cli_0000000200000"] cli_00000001g0000 and cli_0000000200000 were marked as not the same; they share no telephone, address or INN"#]].assert_eq(&format!("{:?} {:?} {}", split.same, split.not_same, split.between.join("; ")));
}

#[test]
fn what_a_sink_has_confirmed_is_sent_again_whole_when_a_person_says_so() {
    use uzel::entry::{AttemptResult, Attempted, AttemptedItem, Entry, Operation};
    let (mut world, client) = told_twice();
    let object = ObjectRef::Client(client);
    let version = world.reader().get::<Clients>(&client).expect("it reads").expect("it is there").client.version;
    let result = AttemptResult::Done {
        foreign_kind: "contact".into(),
        foreign_id: Some("7".into()),
        sent: vec![("NAME".into(), "\"Маша\"".to_owned())],
    };
    let items = vec![AttemptedItem { object, operation: Operation::Update, version, result }];
    world.append(&Entry::Attempted(Attempted { sink: bitrix24(), at: world.now, attempting: None, items }));
    let state = |world: &World| {
        let row = world.reader().get::<Clients>(&client).expect("it reads").expect("it is there");
        sink_state(&row.sinks, &bitrix24()).expect("the sink knows it").clone()
    };
    assert!(state(&world).delivery.is_none());
    let told =
        |since| query(&world).told(&bitrix24(), since, &uzel::query::Listing { rows_max: 9, ..Default::default() });
    assert_eq!(told(world.now).expect("rows read").rows, [object.to_string()]);
    assert!(told(world.now.plus_ms(1)).expect("rows read").rows.is_empty());
    world.command(Command::ResendDelivery { sink: bitrix24(), object });
    let after = state(&world);
    assert!(after.delivery.is_some());
    assert!(after.confirmed.is_some_and(|it| it.sent.is_empty() && it.foreign_id == "7"));
    assert_eq!(world.rebuilt(2), hash(&world.store));
}

#[test]
fn the_command_line_edits_explains_and_asks_before_many() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/nobodylistenshere/");
    let daemon = place.start();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        daemon.form("Мария", "+7 912 345-67-81").await;
        daemon.form("Мария", "не телефон").await;
        daemon.form("Мария", "тоже нет").await;
        daemon.caught_up().await;
    });
    let list = place.json(&["client", "list"]);
    let id = list["rows"][0]["id"].as_str().expect("an id").to_owned();
    let check = |arguments: &[&str], code: i32, words: &str| {
        let said = place.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        assert!(said.out.contains(words) || said.err.contains(words), "{arguments:?}: {said:?}");
    };
    check(&["client", "edit", &id, "inn=7707083893", "name=Ромашка ООО"], 0, "set by hand: inn, name");
    check(&["client", "where", &id, "inn"], 0, "a person");
    check(&["client", "edit", &id, "--release", "inn"], 0, "released: inn");
    check(&["client", "edit", &id, "inn"], 1, "is no FIELD=VALUE");
    check(&["client", "edit", &id, "imn=1"], 1, "did you mean inn");
    check(&["client", "edit", &id], 2, "missing");
    check(&["client", "edit", "cli_00000000000zz", "inn=7707083893"], 4, "there is no");
    check(&["client", "why", &id], 0, "the first");
    check(&["client", "why", &id, "cli_00000000000zz"], 4, "there is no");
    let deal = place.json(&["deal", "list"])["rows"][0]["id"].as_str().expect("an id").to_owned();
    check(&["deal", "edit", &deal, "price=120000", "stage=КП"], 0, "set by hand: price, stage");
    check(&["deal", "where", &deal, "price"], 0, "a person");
    check(&["quarantine", "discard", "--stream", "site/lead"], 0, "for 2 of them");
    check(&["quarantine", "discard", "--stream", "order"], 0, "Nothing");
    check(&["quarantine", "discard", "--since", "2099-01-01", "--yes"], 0, "Nothing");
    check(&["quarantine", "retry", "--stream", "lead"], 0, "done: 2");
    check(&["quarantine", "discard", "--all", "--yes"], 0, "done: 2");
    check(&["quarantine", "list"], 0, "Nothing");
    check(&["outbox", "resend", "bitrix24", "--all"], 0, "Add --yes");
    check(&["outbox", "resend", "bitrix24", "--dead"], 0, "Nothing");
    check(&["outbox", "resend", "bitrix24", "--since", "2020-01-01", "--yes"], 0, "done:");
    check(&["outbox", "resend", "nowhere", "--since", "2020-01-01"], 4, "there is no nowhere");
    daemon.stop();
}
