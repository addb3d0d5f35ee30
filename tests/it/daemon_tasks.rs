//! Tasks on their way through the real daemon into the CRM's twin and back.

use serde_json::{Value, json};
use uzel::twin::bitrix24::{Fault, Planned, RunningTwin};

use crate::daemon_support::{Daemon, Place, crm};

const SETTINGS: &str = "locale = \"ru\"\n[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\nregion = \"RU\"\n\
    currency = \"RUB\"\n[connection.site]\nconnector = \"forms\"\n\
    [connection.bitrix24]\nconnector = \"bitrix24\"\nmode = \"live\"\nallow_private = true\nsettle_s = 1\n";

/// A place where every form is a lead of its own.
fn place(twin: &RunningTwin) -> Place {
    let place = Place::new(SETTINGS, &twin.url());
    let rules = uzel::catalog::FileSet::builtin().get("rules/business.toml").expect("built in").to_owned();
    let folder = place.path().join("rules");
    std::fs::create_dir_all(&folder).expect("a folder");
    let rules = rules.replace("same_form_minutes = 10", "same_form_minutes = 0");
    std::fs::write(folder.join("business.toml"), rules).expect("it is written");
    place
}

/// To-dos of the CRM.
fn todos(twin: &RunningTwin) -> Vec<Value> {
    let ask = json!({ "filter": { "PROVIDER_ID": "CRM_TODO" }, "order": { "ID": "ASC" } });
    let listed = twin.call("crm.activity.list", &ask).expect("it lists");
    listed.get("result").unwrap_or(&listed).as_array().cloned().unwrap_or_default()
}

async fn sent(daemon: &Daemon) {
    daemon.caught_up().await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
}

/// A first lead makes the deal; the second asks for an answer.
async fn two_leads(daemon: &Daemon) -> String {
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    daemon.form("Соколова Мария", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let tasks = daemon.get("tasks").await;
    tasks["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("no task: {tasks:#}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_becomes_a_todo_with_a_deadline_is_renewed_and_completed_there() {
    let twin = crm().await;
    let place = place(&twin);
    let daemon = place.start();
    let task = two_leads(&daemon).await;
    sent(&daemon).await;
    let there = todos(&twin);
    assert_eq!(there.len(), 1, "{there:#?}");
    let deal = &crate::daemon_support::crm_deals(&twin)[0];
    assert_eq!((&there[0]["OWNER_TYPE_ID"], &there[0]["OWNER_ID"]), (&json!("2"), &deal["ID"]));
    assert_eq!(there[0]["COMPLETED"], "N");
    assert!(there[0]["SUBJECT"].as_str().is_some_and(|it| it.starts_with("Ответить")), "{there:#?}");
    assert!(there[0]["DESCRIPTION"].as_str().is_some_and(|it| it.contains("Мария") && it.contains(&task)));
    let due = daemon.get(&format!("tasks/{task}")).await["due"].as_str().expect("a deadline").replace(' ', "T");
    assert!(there[0]["DEADLINE"].as_str().is_some_and(|it| it.starts_with(&due)), "{due} {there:#?}");

    // Another lead renews it: nothing new to be done, and nothing new there.
    daemon.form("Соколова М.", "+7 912 345-67-81").await;
    sent(&daemon).await;
    assert_eq!(daemon.get(&format!("tasks/{task}")).await["renewals"], 1);
    assert_eq!(todos(&twin).len(), 1);

    let said = place.run(&["task", "done", &task, "--note", "we meet on Monday"]);
    assert_eq!(said.code, 0, "{said:?}");
    sent(&daemon).await;
    let there = todos(&twin);
    assert_eq!((there.len(), &there[0]["COMPLETED"]), (1, &json!("Y")), "{there:#?}");
    // Once is enough, here and there.
    assert_eq!(place.run(&["task", "cancel", &task]).code, 1);
    let shown = place.json(&["task", "list", "--state", "done"]);
    assert_eq!((&shown["rows"][0]["id"], &shown["rows"][0]["state"]), (&json!(task), &json!("done")));
    assert!(place.json(&["task", "list"])["rows"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_todo_whose_answer_was_lost_is_found_by_our_id_and_not_made_again() {
    let twin = crm().await;
    let place = place(&twin);
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    sent(&daemon).await;
    twin.plan_fault(Planned::on("crm.activity.todo.add", Fault::LostAnswer));
    daemon.form("Соколова Мария", "+7 912 345-67-81").await;
    sent(&daemon).await;
    assert_eq!(todos(&twin).len(), 1);
    assert_eq!(twin.calls("crm.activity.todo.add"), 1);
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_over_before_the_crm_heard_of_it_is_not_made_there() {
    let twin = crm().await;
    let place = place(&twin);
    std::fs::write(place.path().join("uzel.toml"), SETTINGS.replace("mode = \"live\"", "mode = \"observe\""))
        .expect("it is written");
    let daemon = place.start();
    let task = two_leads(&daemon).await;
    assert_eq!(place.run(&["task", "cancel", &task, "--reason", "a test"]).code, 0);
    assert_eq!(daemon.stop(), Some(0));
    std::fs::write(place.path().join("uzel.toml"), SETTINGS).expect("it is written");
    let daemon = place.start();
    sent(&daemon).await;
    assert_eq!((todos(&twin).len(), crate::daemon_support::crm_deals(&twin).len()), (0, 1));
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_todo_completed_there_is_done_here_and_what_we_wrote_comes_back_as_nothing_new() {
    let twin = crm().await;
    let place = place(&twin);
    let settings = SETTINGS.replace("settle_s = 1\n", "settle_s = 1\npoll_s = 1\n");
    std::fs::write(place.path().join("uzel.toml"), settings).expect("it is written");
    let daemon = place.start();
    let task = two_leads(&daemon).await;
    sent(&daemon).await;
    let id = todos(&twin)[0]["ID"].clone();
    let written = twin.calls("crm.timeline.comment.add");
    twin.call("crm.activity.update", &json!({ "id": id, "fields": { "COMPLETED": "Y" } })).expect("it is completed");
    let done = daemon.until(&format!("tasks/{task}"), |it| (it["state"] == "done").then(|| it.clone())).await;
    assert!(done.to_string().contains("bitrix24"), "{done:#}");
    // A person's comment is read with ours; ours are nothing new.
    let deal = &crate::daemon_support::crm_deals(&twin)[0];
    let fields = json!({ "ENTITY_TYPE": "deal", "ENTITY_ID": deal["ID"], "COMMENT": "созвонились" });
    twin.call("crm.timeline.comment.add", &json!({ "fields": fields })).expect("it is added");
    let client = format!("clients/{}", done["client"].as_str().expect("a client"));
    let kinds = |client: &Value| -> Vec<String> {
        let all = client["interactions"].as_array().into_iter().flatten();
        all.filter_map(|it| it["kind"].as_str().map(str::to_owned)).collect()
    };
    daemon.until(&client, |it| (kinds(it).len() > 2).then_some(())).await;
    sent(&daemon).await;
    assert_eq!(kinds(&daemon.get(&client).await), ["note", "form", "form"]);
    assert_eq!(twin.calls("crm.timeline.comment.add"), written, "nothing is told twice");
    assert_eq!(twin.calls("crm.activity.todo.update"), 0, "a completed one is let be");
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_todo_that_a_person_deleted_there_is_done_here_and_not_made_again() {
    let twin = crm().await;
    let place = place(&twin);
    let daemon = place.start();
    let task = two_leads(&daemon).await;
    sent(&daemon).await;
    let id = todos(&twin)[0]["ID"].clone();
    twin.call("crm.activity.delete", &json!({ "id": id })).expect("it is deleted");
    // Something changes, and the CRM is told of it.
    let form = uzel::twin::site::Form::sample("Соколова М.", "+7 912 345-67-81").json();
    daemon.post(&daemon.site, &form).await;
    daemon
        .until(&format!("tasks/{task}"), |task| (task["state"] == "done" || task["renewals"] == 1).then_some(()))
        .await;
    sent(&daemon).await;
    let shown = daemon.get(&format!("tasks/{task}")).await;
    assert!(todos(&twin).is_empty(), "{shown:#}");
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}
