//! Pipelines, stages and sources of Bitrix24 by the names that they have there, over the whole way:
//! a form, the dictionaries that were read, and the deal that stands in the portal.

use serde_json::{Value, json};
use uzel::twin::bitrix24::RunningTwin;

use super::daemon_support::{Daemon, Place, crm, crm_deals, form, settings};

/// A form that names a pipeline and a stage, as a shop does that knows the words of its CRM.
async fn told(daemon: &Daemon, phone: &str, marks: &[(&str, &str)]) {
    let mut request = form("Мария Соколова", phone);
    let mut body: Value = serde_json::from_slice(&request.body).expect("a form is JSON");
    for (name, value) in marks {
        body[*name] = json!(value);
    }
    request.body = body.to_string().into_bytes();
    let answer = daemon.post(&daemon.site, &request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    daemon.caught_up().await;
}

/// Its dictionaries were read since the daemon started.
async fn words_read(daemon: &Daemon) {
    let are_read = |sources: &Value| {
        let rows = sources.as_array()?;
        let read = |name: &str| rows.iter().any(|it| it["stream"] == name && it["read_at"].is_string());
        (read("status") && read("category")).then_some(())
    };
    daemon.until("sources", are_read).await;
}

async fn drained(daemon: &Daemon) {
    let none_left =
        |sync: &Value| (sync[0]["urgent"] == 0 && sync[0]["quiet"] == 0 && sync[0]["later"] == 0).then_some(());
    daemon.until("sync", none_left).await;
}

/// `pipeline stage source` of our deals there, in the order of their making.
fn places(twin: &RunningTwin) -> Vec<String> {
    let of = |deal: Value| {
        let text = |name: &str| deal[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text("CATEGORY_ID"), text("STAGE_ID"), text("SOURCE_ID"))
    };
    crm_deals(twin).into_iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deal_goes_to_its_pipeline_and_to_the_stage_of_that_name_there() {
    let twin = crm().await;
    // A second pipeline whose stages bear the same names as those of the general one.
    let wholesale = twin.change(|portal| portal.add_category("Опт"));
    let place = Place::new(&settings("observe"), &twin.url());
    let daemon = place.start();
    words_read(&daemon).await;
    told(&daemon, "+7 912 345-67-81", &[("stage", "в работе"), ("source", "По рекомендации")]).await;
    told(&daemon, "+7 912 345-67-82", &[("pipeline", "опт "), ("stage", "В работе"), ("source", "звонок")]).await;
    told(&daemon, "+7 912 345-67-83", &[("pipeline", "Опт"), ("stage", "Финальный счет")]).await;
    // Words that are not there: left to Bitrix24, and said.
    told(&daemon, "+7 912 345-67-84", &[("pipeline", "Оптт"), ("stage", "В работе")]).await;
    told(&daemon, "+7 912 345-67-85", &[("pipeline", "Опт"), ("stage", "Примерка")]).await;

    let plan = place.json(&["sync", "plan", "--limit", "100"]);
    let left_out = |phone: usize| {
        let lines = plan["lines"].as_array().expect("lines");
        let deals: Vec<&Value> = lines.iter().filter(|it| it["kind"] == "deal").collect();
        deals[phone]["left_out"].as_array().expect("a list").iter().map(Value::to_string).collect::<String>()
    };
    assert_eq!([left_out(0), left_out(1), left_out(2)], ["", "", ""], "{plan:#}");
    assert!(left_out(3).contains("CATEGORY_ID") && left_out(3).contains("Опт"), "{}", left_out(3));
    assert!(left_out(4).contains("STAGE_ID") && left_out(4).contains("В работе"), "{}", left_out(4));

    let said = place.run(&["sync", "apply", plan["plan"].as_str().expect("a name")]);
    assert_eq!(said.code, 0, "{said:?}");
    drained(&daemon).await;
    let of = |stage: &str| format!("{wholesale} C{wholesale}:{stage}");
    assert_eq!(
        places(&twin),
        [
            "0 EXECUTING RECOMMENDATION".to_owned(),
            format!("{} CALL", of("EXECUTING")),
            format!("{} WEB", of("FINAL_INVOICE")),
            "0 EXECUTING WEB".to_owned(),
            format!("{} WEB", of("NEW")),
        ]
    );
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
    twin.shut_down().await.expect("the twin stops");
}
