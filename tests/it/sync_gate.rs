//! Whether a sink is written to: what goes by itself, what waits for a plan, and who says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use uzel::base::Slug;
use uzel::base::checksum::Fingerprint;
use uzel::catalog::Catalog;
use uzel::entry::{Command, Entry, ObjectRef};
use uzel::tables::{Held, Lane, Pending, Sinks, Span};

use crate::pipeline_support::{DAY_MS, Order, SETTINGS, World, catalog_of, form_at, hash, person};

const PLAN: Fingerprint = Fingerprint([5; 16]);

fn sink() -> Slug {
    Slug::literal("bitrix24")
}

fn in_mode(mode: &str) -> Arc<Catalog> {
    catalog_of(&SETTINGS.replace("\"live\"", &format!("\"{mode}\"")), &[])
}

/// The site counts from 4 March on, the day after the world begins.
fn from_tomorrow(mode: &str) -> Arc<Catalog> {
    let switch = "connector = \"forms\"\nswitch_over = \"2025-03-04T00:00\"";
    let settings = SETTINGS.replace("connector = \"forms\"", switch);
    catalog_of(&settings.replace("\"live\"", &format!("\"{mode}\"")), &[])
}

/// Objects by list and lane: `urgent`, `quiet`, `later` may go, `held` and `held quiet` wait.
fn lists(world: &World) -> BTreeMap<String, Vec<ObjectRef>> {
    let mut lists: BTreeMap<String, Vec<ObjectRef>> = BTreeMap::new();
    let name = |lane| match lane {
        Lane::Urgent => "urgent",
        Lane::Quiet => "quiet",
        Lane::Later => "later",
    };
    for row in world.reader().rows(Span::<Pending>::all()) {
        let ((_, rank, _), objects) = row.expect("it reads");
        lists.entry(name(Lane::of_key(rank)).to_owned()).or_default().extend(objects);
    }
    for row in world.reader().rows(Span::<Held>::all()) {
        let ((_, rank, _), objects) = row.expect("it reads");
        lists.entry(format!("held {}", name(Lane::of_key(rank)))).or_default().extend(objects);
    }
    lists
}

fn counts(world: &World) -> String {
    let lists = lists(world);
    let counts: Vec<String> = lists.iter().map(|(name, objects)| format!("{name} {}", objects.len())).collect();
    assert_eq!(world.rebuilt(1), hash(&world.store), "a rebuild agrees");
    assert_eq!(world.rebuilt(64), hash(&world.store), "a rebuild agrees");
    counts.join(", ")
}

fn all(world: &World) -> Vec<ObjectRef> {
    lists(world).into_values().flatten().collect()
}

fn apply(world: &mut World, objects: Vec<ObjectRef>) {
    world.command(Command::ApplyPlan { sink: sink(), plan: PLAN, objects });
}

#[test]
fn an_observed_sink_gathers_and_a_plan_lets_exactly_its_objects_go() {
    let mut world = World::under(&in_mode("observe"));
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    world.pass(DAY_MS).form(person("Петров Пётр", "+7 912 555-01-02"));
    assert_eq!(counts(&world), "held quiet 6");

    let planned: Vec<ObjectRef> = all(&world).into_iter().take(3).collect();
    apply(&mut world, planned.clone());
    assert_eq!(counts(&world), "held quiet 3, quiet 3");
    assert_eq!(lists(&world)["quiet"], planned);
    let row = world.reader().get::<Sinks>(&sink()).expect("it reads").expect("a row");
    assert!(row.delivers());
    assert_eq!(row.approval.map(|it| (it.plan, it.lines)), Some((PLAN, 3)));

    // From here on what is new goes by itself; what was not in the plan still waits.
    world.form(person("Иванова Анна", "+7 912 555-01-03"));
    assert_eq!(counts(&world), "held quiet 3, quiet 3, urgent 3");
}

#[test]
fn new_lead_of_a_held_client_takes_the_client_along() {
    let mut world = World::under(&in_mode("observe"));
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    apply(&mut world, Vec::new());
    assert_eq!(counts(&world), "held quiet 3");
    // The client and the deal stay as they are; the note of the second form needs both there.
    world.pass(DAY_MS).form(json!({ "name": "Соколова Мария", "phone": "+7 912 555-01-01", "comment": "Ещё раз" }));
    let lists = lists(&world);
    assert_eq!(lists["urgent"].len(), 4, "with the task to answer: {lists:?}");
    assert_eq!(lists["held quiet"].len(), 1, "the old note still waits: {lists:?}");
}

#[test]
fn scores_release_nothing_and_go_last() {
    let mut world = World::under(&in_mode("observe"));
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    apply(&mut world, Vec::new());
    for _ in 0..60 {
        world.pass(DAY_MS).tick();
    }
    assert_eq!(counts(&world), "held quiet 3", "time alone releases nothing");
}

#[test]
fn the_file_opens_and_closes_too() {
    let mut world = World::under(&in_mode("observe"));
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    world.configure(&in_mode("live"));
    assert_eq!(counts(&world), "quiet 3", "the administrator has said so in the file");
    world.pass(DAY_MS).form(person("Петров Пётр", "+7 912 555-01-02"));
    assert_eq!(counts(&world), "quiet 3, urgent 3");

    world.configure(&in_mode("observe"));
    world.pass(DAY_MS).form(person("Иванова Анна", "+7 912 555-01-03"));
    assert_eq!(counts(&world), "held quiet 3, quiet 3, urgent 3");
    let delivers =
        |world: &World| world.reader().get::<Sinks>(&sink()).expect("it reads").is_some_and(|it| it.delivers());
    assert!(!delivers(&world));
    // A plan says what goes: what was on its way before and is not in it waits as well.
    apply(&mut world, Vec::new());
    assert_eq!(counts(&world), "held quiet 6, held urgent 3");
    assert!(delivers(&world));
    // Another change of the file leaves the plan in force.
    world.configure(&from_tomorrow("observe"));
    assert!(delivers(&world));
    world.configure(&in_mode("off"));
    assert!(!delivers(&world));
    let objects = all(&world);
    apply(&mut world, objects);
    assert!(!delivers(&world), "off is never");
    assert_eq!(counts(&world), "held quiet 6, held urgent 3");
}

#[test]
fn a_pause_holds_nothing_back_for_ever() {
    let mut world = World::under(&in_mode("live"));
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    world.command(Command::PauseSink { sink: sink() });
    let delivers =
        |world: &World| world.reader().get::<Sinks>(&sink()).expect("it reads").is_some_and(|it| it.delivers());
    assert!(!delivers(&world));
    world.pass(DAY_MS).form(person("Петров Пётр", "+7 912 555-01-02"));
    world.command(Command::ResumeSink { sink: sink() });
    assert!(delivers(&world));
    assert_eq!(counts(&world), "urgent 6");
}

#[test]
fn history_waits_for_a_plan_even_when_the_sink_is_live() {
    let mut world = World::under(&from_tomorrow("live"));
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    assert_eq!(counts(&world), "held quiet 3");
    world.pass(DAY_MS).form(person("Петров Пётр", "+7 912 555-01-02"));
    assert_eq!(counts(&world), "held quiet 3, urgent 3");
    // A source without a switch-over is not history.
    world.orders(&[Order::PLAIN]);
    let before = counts(&world);
    assert!(before.starts_with("held quiet 3, urgent"), "{before}");

    // An initial load says of itself that it is history.
    let mut envelope = form_at(world.now, &person("Иванова Анна", "+7 912 555-01-03"));
    envelope.headers.push(("uzel-history".into(), "1".to_owned()));
    world.append(&Entry::Received(envelope));
    assert_eq!(lists(&world)["held quiet"].len(), 6);

    let history = lists(&world)["held quiet"].clone();
    apply(&mut world, history);
    assert_eq!(lists(&world)["quiet"].len(), 6);
    assert_eq!(lists(&world).get("held quiet"), None);
}
