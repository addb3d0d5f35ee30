//! A plan that has looked: what is there already is said to be there, is linked when the plan is
//! applied, and nothing is written before.

use serde_json::{Value, json};
use uzel::twin::bitrix24::{Fault, Kind, Planned, RefusedCode, RunningTwin};

use super::daemon_support::{Daemon, Place, crm, crm_deals, settings};

fn count(plan: &Value, kind: &str, action: &str) -> u64 {
    let groups = plan["groups"].as_array().expect("groups");
    let fits = |it: &&Value| it["kind"] == kind && it["action"] == action;
    groups.iter().filter(fits).filter_map(|it| it["count"].as_u64()).sum()
}

fn contact(twin: &RunningTwin, name: &str, phone: &str) -> String {
    let fields = json!({"fields": {"NAME": name, "PHONE": [{"VALUE": phone, "VALUE_TYPE": "WORK"}]}});
    let made = twin.call("crm.contact.add", &fields).expect("a contact");
    let id = made.get("result").unwrap_or(&made);
    id.as_u64().map(|it| it.to_string()).or_else(|| id.as_str().map(str::to_owned)).expect("an id")
}

fn writes(twin: &RunningTwin) -> u64 {
    let methods = ["crm.contact.add", "crm.contact.update", "crm.deal.add", "crm.deal.update", "crm.item.batchImport"];
    methods.iter().map(|method| twin.calls(method)).sum()
}

fn unread() -> String {
    settings("observe").replace("allow_private = true", "allow_private = true\nread = false")
}

async fn drained(daemon: &Daemon) {
    let none_left =
        |sync: &Value| (sync[0]["urgent"] == 0 && sync[0]["quiet"] == 0 && sync[0]["later"] == 0).then_some(());
    daemon.until("sync", none_left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_linked_and_what_was_deleted_meanwhile_is_made() {
    let twin = crm().await;
    let known = contact(&twin, "Мария", "8 (912) 345-67-81");
    let twice = [contact(&twin, "Пётр", "+79123456782"), contact(&twin, "Пётр Ильин", "+79123456782")];
    let lost = contact(&twin, "Анна", "+79123456783");
    let before = writes(&twin);
    let place = Place::new(&unread(), &twin.url());
    let daemon = place.start();
    for (name, phone) in [
        ("Мария Соколова", "+7 912 345-67-81"),
        ("Пётр Ильин", "+7 912 345-67-82"),
        ("Анна Белова", "+7 912 345-67-83"),
        ("Игорь Чернов", "+7 912 345-67-84"),
    ] {
        daemon.form(name, phone).await;
    }
    daemon.caught_up().await;
    let plain = place.json(&["sync", "plan", "--limit", "0"]);
    assert_eq!((count(&plain, "contact", "import"), plain["looked_at"].is_null()), (4, true), "{plain:#}");

    let plan = place.json(&["sync", "plan", "--look", "--limit", "100"]);
    assert_eq!((count(&plan, "contact", "link"), count(&plan, "contact", "import")), (3, 1), "{plan:#}");
    assert_eq!(count(&plan, "deal", "import"), 4, "{plan:#}");
    assert!(plan["looked_at"].is_string() && plan["plan"] != plain["plan"]);
    let line = |title: &str| {
        let lines = plan["lines"].as_array().expect("lines");
        lines.iter().find(|it| it["title"] == title && it["kind"] == "contact").cloned().unwrap_or_default()
    };
    assert_eq!(line("Соколова Мария")["foreign_id"], json!(known), "{plan:#}");
    assert_eq!(line("Соколова Мария")["several"], json!(false));
    let peter = line("Ильин Пётр");
    assert_eq!((&peter["foreign_id"], &peter["several"]), (&json!(twice[0]), &json!(true)));
    // Only what it lacks would be written: the telephone is there, in another form.
    let maria = line("Соколова Мария");
    let fields: Vec<&str> =
        maria["fields"].as_array().expect("fields").iter().filter_map(|it| it["name"].as_str()).collect();
    assert!(fields.contains(&"LAST_NAME") && !fields.contains(&"PHONE"), "{fields:?}");
    assert_eq!(writes(&twin), before, "a look writes nothing: {:?}", twin.log());

    // The words for people.
    let said = place.run(&["sync", "show", plan["plan"].as_str().expect("a name"), "--action", "link"]);
    for words in ["link and change", "(one of", "Looked there"] {
        assert!(said.out.contains(words), "{words}: {said:?}");
    }

    twin.call("crm.contact.delete", &json!({ "id": lost })).expect("it was there");
    let said = place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]);
    assert_eq!(said.code, 0, "{said:?}");
    drained(&daemon).await;
    let contacts = twin.with(|portal| portal.robots_started(Kind::Contact, known.parse().expect("a number")));
    assert!(contacts > 0, "what it lacked was written");
    let shown = twin.call("crm.contact.get", &json!({ "id": known })).expect("it is there");
    let shown = shown.get("result").unwrap_or(&shown);
    assert_eq!(shown["LAST_NAME"], "Соколова", "{shown:#}");
    assert_eq!(shown["PHONE"].as_array().map(Vec::len), Some(1), "{shown:#}");
    let all = twin.state()["objects"]["contact"].as_array().map_or(0, Vec::len);
    assert_eq!(all, 3 + 1 + 1, "two found twice, one linked, one made anew, one made");
    assert_eq!(crm_deals(&twin).len(), 4);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
    // Without a daemon it is done by the command itself.
    let plan = place.json(&["sync", "plan", "--look", "--limit", "0"]);
    assert_eq!(plan["goes"], 0, "{plan:#}");
    twin.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_fails_says_why_and_changes_nothing() {
    let twin = crm().await;
    let place = Place::new(&unread(), &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    twin.plan_fault(Planned {
        times: u32::MAX,
        ..Planned::next(Fault::Refused { code: RefusedCode::InsufficientScope })
    });
    let said = place.run(&["sync", "plan", "--look"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("insufficient_scope"), "{said:?}");
    assert_eq!(place.json(&["sync", "plans"]).as_array().map(Vec::len), Some(1), "the plan without a look is there");
    // An object changed between look and application: overtaken, as any other.
    twin.set_faults(uzel::twin::bitrix24::Faults::default());
    let plan = place.json(&["sync", "plan", "--look", "--limit", "0"]);
    daemon.form("Мария Соколова-Иванова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let said = place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]);
    assert!(said.code == 1 && said.err.contains("was overtaken"), "{said:?}");
    assert_eq!(writes(&twin), 0);
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}
