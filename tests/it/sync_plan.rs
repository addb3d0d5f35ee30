//! A plan is what happens: made by the command line, applied, and found in the CRM.

use std::collections::BTreeMap;

use serde_json::Value;

use super::daemon_support::{Daemon, Place, crm, settings};

/// Fields by our id of the object, as the plan says them.
fn planned(plan: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let lines = plan["lines"].as_array().expect("lines");
    let fields = |line: &Value| {
        let fields = line["fields"].as_array().expect("fields").clone();
        fields.into_iter().map(|it| (it["name"].as_str().expect("a name").to_owned(), it["to"].clone())).collect()
    };
    lines.iter().map(|line| (line["object"].as_str().expect("an object").to_owned(), fields(line))).collect()
}

fn count(plan: &Value, kind: &str, action: &str) -> u64 {
    let groups = plan["groups"].as_array().expect("groups");
    let fits = |it: &&Value| it["kind"] == kind && it["action"] == action;
    groups.iter().filter(fits).filter_map(|it| it["count"].as_u64()).sum()
}

async fn drained(daemon: &Daemon) {
    let none_left =
        |sync: &Value| (sync[0]["urgent"] == 0 && sync[0]["quiet"] == 0 && sync[0]["later"] == 0).then_some(());
    daemon.until("sync", none_left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_plan_says_is_what_the_crm_gets_and_nothing_before() {
    let twin = crm().await;
    let unread = settings("observe").replace("allow_private = true", "allow_private = true\nread = false");
    let place = Place::new(&unread, &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;

    let plan = place.json(&["sync", "plan", "--limit", "100"]);
    assert_eq!((count(&plan, "contact", "import"), count(&plan, "deal", "import")), (2, 2), "{plan:#}");
    assert_eq!(plan["goes"].as_u64(), Some(plan["lines"].as_array().expect("lines").len() as u64));
    assert!(
        plan["lines"].as_array().expect("lines").iter().all(|it| it["why"] == "a record of site (lead)"),
        "{plan:#}"
    );
    let name = plan["plan"].as_str().expect("a name").to_owned();
    let again = place.json(&["sync", "plan", "--limit", "0"]);
    assert_eq!(again["plan"], plan["plan"], "the same state gives the same plan");
    assert!(twin.log().is_empty(), "nothing is asked of the CRM: {:?}", twin.log());

    // Overtaken: a named state with the next step, and nothing written.
    daemon.form("Мария Соколова-Иванова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let said = place.run(&["sync", "apply", &name]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("was overtaken") && said.err.contains("uzel sync plan bitrix24"), "{said:?}");
    let live =
        |status: &Value| status["connections"].as_array().is_some_and(|all| all.iter().any(|it| it["mode"] == "live"));
    assert!(!live(&daemon.get("status").await));
    assert!(twin.log().is_empty(), "{:?}", twin.log());

    // A new plan, applied without a restart.
    let plan = place.json(&["sync", "plan", "--limit", "100"]);
    let said = place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]);
    assert_eq!(said.code, 0, "{said:?}");
    drained(&daemon).await;
    let state = twin.state();
    let mut of_crm = Vec::new();
    for kind in ["contact", "deal"] {
        of_crm.extend(
            state["objects"][kind].as_array().expect("objects").iter().filter(|it| it["ORIGINATOR_ID"] == "uzel"),
        );
    }
    let planned = planned(&plan);
    let ids: Vec<&str> = of_crm.iter().map(|it| it["ORIGIN_ID"].as_str().expect("our id")).collect();
    let wanted: Vec<&String> = planned.keys().filter(|it| !it.starts_with("int_")).collect();
    assert_eq!(of_crm.len(), 4, "{state:#}");
    assert!(wanted.iter().all(|it| ids.contains(&it.as_str())), "{wanted:?} {ids:?}");
    for object in &of_crm {
        let fields = &planned[object["ORIGIN_ID"].as_str().expect("our id")];
        for name in ["NAME", "LAST_NAME", "TITLE", "UF_CRM_UZEL_CLASS", "SOURCE_DESCRIPTION"] {
            if let Some(to) = fields.get(name) {
                assert_eq!(&object[name], to, "{name} of {object:#}");
            }
        }
    }
    assert!(live(&daemon.get("status").await));

    // The same plan a second time, and one that never was.
    let said = place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]);
    assert!(said.code == 1 && said.err.contains("was applied already"), "{said:?}");
    assert_eq!(place.run(&["sync", "apply", "0123456789ab"]).code, 4);

    // From here on what is new goes by itself, until a person pauses it.
    daemon.form("Анна Белова", "+7 912 345-67-83").await;
    daemon.caught_up().await;
    drained(&daemon).await;
    assert_eq!(crate::daemon_support::crm_deals(&twin).len(), 3);
    assert_eq!(place.run(&["sync", "pause", "bitrix24"]).code, 0);
    daemon.form("Игорь Чернов", "+7 912 345-67-84").await;
    daemon.caught_up().await;
    let paused = daemon.get("sync").await;
    assert!(paused[0]["mode"] == "paused" && paused[0]["urgent"].as_u64() > Some(0), "{paused:#}");
    assert_eq!(crate::daemon_support::crm_deals(&twin).len(), 3);
    assert_eq!(place.run(&["sync", "resume", "bitrix24"]).code, 0);
    drained(&daemon).await;
    assert_eq!(crate::daemon_support::crm_deals(&twin).len(), 4);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_still_holds_of_an_overtaken_plan_can_be_written_alone() {
    let twin = crm().await;
    let place = Place::new(&settings("observe"), &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;
    let plan = place.json(&["sync", "plan", "--limit", "0"]);
    daemon.form("Мария Соколова-Иванова", "+7 912 345-67-81").await;
    daemon.form("Анна Белова", "+7 912 345-67-83").await;
    daemon.caught_up().await;
    let applied = place.json(&["sync", "apply", plan["plan"].as_str().expect("a name"), "--only-unchanged"]);
    assert!(applied["overtaken"].as_u64() > Some(0) && applied["newer"].as_u64() > Some(0), "{applied:#}");
    // One note holds and waits for its client, which was overtaken.
    daemon.until("sync", |sync| (sync[0]["quiet"] == 1 && sync[0]["urgent"] == 0).then_some(())).await;
    let deals = crate::daemon_support::crm_deals(&twin);
    let held = daemon.get("sync").await[0]["held"].as_u64();
    assert!(held > Some(0));
    assert!(deals.len() < 3, "{deals:#?}");
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}
