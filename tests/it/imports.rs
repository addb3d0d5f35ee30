//! History is written without starting anything: a sink against a script, and the program against
//! a portal that counts robots.

use serde_json::{Value as Json, json};
use uzel::sink::{Ending, Lane, Work};
use uzel::twin::bitrix24::{Fault, Kind, Planned, RefusedCode};

use crate::daemon_support::{Daemon, Place, crm, crm_deals, settings};
use crate::sink_script::*;

const LIST: &str =
    r#"crm.deal.list {"filter":{"=ORIGINATOR_ID":"uzel","=ORIGIN_ID":"d1"},"order":{"ID":"ASC"},"select":["ID"]}"#;
const LISTS: &str = "0s Post batch crm.deal.list?filter[=ORIGINATOR_ID]=uzel&filter[=ORIGIN_ID]=d1&order[ID]=ASC&select[0]=ID | \
     crm.deal.list?filter[=ORIGINATOR_ID]=uzel&filter[=ORIGIN_ID]=d2&order[ID]=ASC&select[0]=ID";

fn history(mut work: Work) -> Work {
    work.import = true;
    work
}

fn past(number: u64) -> Work {
    history(deal(number, json!({"TITLE": format!("Сделка {number}"), "ASSIGNED_BY_ID": 5, "UF_CRM_UZEL_CLASS": "A"})))
}

fn nothing_found(count: usize) -> Reply {
    let none: serde_json::Map<String, Json> = (0..count).map(|it| (format!("c{it}"), json!([]))).collect();
    batch(Json::Object(none), &[])
}

fn rows(rows: Json) -> Reply {
    result(json!({ "items": rows }))
}

fn sent(numbers: &[u64]) -> String {
    let row = |it: &u64| format!(r#"{{"UF_CRM_UZEL_CLASS":"A","assignedById":5,"title":"Сделка {it}"}}"#);
    let rows: Vec<String> = numbers.iter().map(row).collect();
    format!(r#"0s Post crm.item.batchImport {{"data":[{}],"entityTypeId":2,"useOriginalUfNames":"Y"}}"#, rows.join(","))
}

const HOLDS: &str = r#"UF_CRM_UZEL_CLASS="A""#;

#[tokio::test(start_paused = true)]
async fn each_row_of_a_half_failed_import_is_its_objects() {
    let half = rows(json!([
        {"item": {"id": 15}},
        {"error": "CRM_FIELD_ERROR_REQUIRED", "error_description": "The field is required"},
    ]));
    let report = check(BITRIX24, vec![past(1), past(2)], vec![nothing_found(2), half], &[
        LISTS,
        "attempting d1 d2",
        &sent(&[1, 2]),
        &format!(
            r#"attempted 1; d1 create: deal 15 holds ASSIGNED_BY_ID=5,TITLE="Сделка 1",{HOLDS}; d2 create: RejectObject"#
        ),
    ])
    .await;
    assert!(report.stop.is_none() && report.import_refused.is_none(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_nothing_of_an_object_leaves_it_uncertain() {
    let uncertain = "attempted 1; d1 create: Uncertain; d2 create: Uncertain";
    for answer in [
        // A row is missing: nobody knows whose.
        rows(json!([{"item": {"id": 15}}])),
        rows(json!([])),
        result(json!([])),
        rows(json!([{"item": {"id": 0}}, {"item": {}}])),
        error(500, "INTERNAL_SERVER_ERROR", ""),
        cut(),
    ] {
        let shown = format!("{answer:?}");
        let scene = scene(BITRIX24, vec![nothing_found(2), answer]);
        scene.sink.push(Lane::Lower, vec![past(1), past(2)], &scene.recorder, START.plus_ms(60_000)).await;
        let log = scene.log.lock().expect("no panic before").clone();
        assert_eq!(log.last().map(String::as_str), Some(uncertain), "{shown}");
    }
    // The next push looks before it makes anything.
    let found = result(json!([{"ID": "15"}]));
    let record = result(json!({"ID": "15", "TITLE": "Сделка 1", "ASSIGNED_BY_ID": "5", "UF_CRM_UZEL_CLASS": "A"}));
    check(
        BITRIX24,
        vec![uncertain_past()],
        vec![found, record],
        &[
            &format!("0s Post {LIST}"),
            r#"0s Post crm.deal.get {"id":"15"}"#,
            &format!("attempted -; d1 find: deal 15 holds ASSIGNED_BY_ID=5,{HOLDS}"),
        ],
    )
    .await;
}

fn uncertain_past() -> Work {
    uncertain(past(1))
}

#[tokio::test(start_paused = true)]
async fn a_refused_import_stops_the_history_and_nothing_else() {
    for answer in [
        error(404, "ERROR_METHOD_NOT_FOUND", "Method not found!"),
        error(400, "ACCESS_DENIED", "Access denied"),
        rows(json!([{"error": "ACCESS_DENIED", "error_description": "Access denied"}])),
    ] {
        let fresh = deal(2, json!({"TITLE": "Новая"}));
        let scene = scene(BITRIX24, vec![result(json!([])), answer, result(json!([])), result(json!(16))]);
        let deadline = START.plus_ms(60_000);
        let report = scene.sink.push(Lane::Lower, vec![past(1)], &scene.recorder, deadline).await;
        assert!(report.stop.is_none() && report.ended.is_empty(), "{report:?}");
        let reason = report.import_refused.expect("a person is told");
        assert!(reason.to_string().contains("history_with_robots"), "{reason}");
        // It was announced, surely not made, and goes again as if it never was.
        let log = scene.log.lock().expect("no panic before").clone();
        assert_eq!(log.last().map(String::as_str), Some("attempted 1; d1 find: deal none holds "));
        let report = scene.sink.push(Lane::Upper, vec![fresh], &scene.recorder, deadline).await;
        assert!(matches!(report.ended.as_slice(), [(_, Ending::Created)]), "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_go_in_a_request_and_two_of_one_number_do_not_go_together() {
    let works: Vec<Work> = (1..=45).map(past).collect();
    let ids = |count: u64| rows(Json::Array((1..=count).map(|id| json!({"item": {"id": id}})).collect()));
    let replies = vec![
        batch(
            Json::Object(
                (0..45).map(|it| (if it < 10 { format!("c{it}") } else { format!("d{it}") }, json!([]))).collect(),
            ),
            &[],
        ),
        ids(20),
        ids(20),
        ids(5),
    ];
    let scene_of = scene(BITRIX24, replies);
    let report = scene_of.sink.push(Lane::Lower, works, &scene_of.recorder, START.plus_ms(60_000)).await;
    assert_eq!((report.ended.len(), report.requests), (45, 4));

    let person = |number| history(with_phone(contact(number, json!({"NAME": "Анна"})), "+79160001122"));
    let none = || batch(json!({"c0": [], "c1": []}), &[]);
    let scene = scene(BITRIX24, vec![none(), none(), ids(1)]);
    let report = scene.sink.push(Lane::Lower, vec![person(1), person(2)], &scene.recorder, START.plus_ms(60_000)).await;
    assert_eq!((report.ended.len(), report.untouched.len()), (1, 1), "the second is found in the next push");
}

async fn drained(daemon: &Daemon) {
    let none_left =
        |sync: &Json| (sync[0]["urgent"] == 0 && sync[0]["quiet"] == 0 && sync[0]["later"] == 0).then_some(());
    daemon.until("sync", none_left).await;
}

fn count(plan: &Json, kind: &str, action: &str) -> u64 {
    let groups = plan["groups"].as_array().expect("groups");
    let fits = |it: &&Json| it["kind"] == kind && it["action"] == action;
    groups.iter().filter(fits).filter_map(|it| it["count"].as_u64()).sum()
}

fn phone(number: u32) -> String {
    format!("+7 912 345-{:02}-{:02}", number / 100, number % 100)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_starts_no_robots_and_a_new_lead_does() {
    let twin = crm().await;
    let quick = settings("observe").replace("allow_private = true", "allow_private = true\nsettle_s = 1");
    let place = Place::new(&quick, &twin.url());
    let daemon = place.start();
    for number in 0..25 {
        daemon.form(&format!("Клиент Номер{number}"), &phone(number)).await;
    }
    daemon.caught_up().await;
    let plan = place.json(&["sync", "plan", "--limit", "0"]);
    assert_eq!((count(&plan, "contact", "import"), count(&plan, "deal", "import")), (25, 25), "{plan:#}");
    // 25 contacts: looks by our id and by telephone, two imports. 25 deals: a look, two imports.
    // 25 notes: a look and a create.
    assert_eq!(plan["requests"], 4 + 3 + 2, "{plan:#}");
    // The answer of an import is lost after it took effect: nothing is made twice.
    twin.plan_fault(Planned::on("crm.item.batchImport", Fault::LostAnswer));
    let said = place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]);
    assert_eq!(said.code, 0, "{said:?}");
    drained(&daemon).await;
    let made = |kind: &str| twin.state()["objects"][kind].as_array().map_or(0, Vec::len);
    assert_eq!((made("contact"), made("deal")), (25, 25));
    let started = |kind| twin.with(|portal| portal.robots_started_all(kind));
    assert_eq!((started(Kind::Contact), started(Kind::Deal)), (0, 0));
    assert!(twin.calls("crm.item.batchImport") >= 2);
    assert_eq!(twin.calls("crm.deal.add"), 0);

    daemon.form("Новый Лид", &phone(99)).await;
    daemon.caught_up().await;
    daemon.until("sync", |sync| (sync[0]["urgent"] == 0).then_some(())).await;
    assert!(started(Kind::Contact) > 0 && started(Kind::Deal) > 0, "robots are there for new leads");
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_with_robots_is_a_persons_choice() {
    let twin = crm().await;
    let with_robots =
        settings("observe").replace("allow_private = true", "allow_private = true\nhistory_with_robots = true");
    let place = Place::new(&with_robots, &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", &phone(1)).await;
    daemon.caught_up().await;
    let plan = place.json(&["sync", "plan", "--limit", "0"]);
    assert_eq!((count(&plan, "contact", "create"), count(&plan, "contact", "import")), (1, 0), "{plan:#}");
    assert_eq!(place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]).code, 0);
    drained(&daemon).await;
    assert_eq!(crm_deals(&twin).len(), 1);
    assert_eq!(twin.calls("crm.item.batchImport"), 0);
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_import_is_refused_history_waits_and_says_so() {
    let twin = crm().await;
    twin.plan_fault(Planned {
        times: u32::MAX,
        ..Planned::on("crm.item.batchImport", Fault::Refused { code: RefusedCode::AccessDenied })
    });
    let place = Place::new(&settings("observe"), &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", &phone(1)).await;
    daemon.caught_up().await;
    let plan = place.json(&["sync", "plan", "--limit", "0"]);
    assert_eq!(place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]).code, 0);
    let said = |status: &Json| status.to_string().contains("history_with_robots").then_some(());
    daemon.until("status", said).await;
    assert!(crm_deals(&twin).is_empty());
    let waits = daemon.get("sync").await;
    assert_eq!(waits[0]["quiet"], 3, "no dead letters: {waits:#}");
    daemon.form("Новый Лид", &phone(2)).await;
    daemon.caught_up().await;
    daemon.until("sync", |sync| (sync[0]["urgent"] == 0).then_some(())).await;
    assert_eq!(crm_deals(&twin).len(), 1, "what is new goes");
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}
