//! Quotas, batches and faults of the Bitrix24 twin.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value as Json, json};
use uzel::twin::bitrix24::{Fault, Faults, Kind, Limits, OperatingLimit, PersonAct, Planned, RefusedCode, Shares};

use crate::twin::{Portal, portal};

#[tokio::test]
async fn a_full_bucket_is_503_until_it_drains() {
    let it = portal(|options| options.limits = Limits { operating: None, ..Limits::cloud() }).await;
    for number in 0..50 {
        assert_eq!(it.call("user.current", json!({})).await.status, 200, "request {number}");
    }
    let refused = it.call("user.current", json!({})).await;
    assert_eq!((refused.status, &refused.json["error"]), (503, &json!("QUERY_LIMIT_EXCEEDED")));
    assert_eq!(it.twin.refused("QUERY_LIMIT_EXCEEDED"), 1);
    it.clock.advance_ms(1_000);
    let statuses = [
        it.call("user.current", json!({})).await.status,
        it.call("user.current", json!({})).await.status,
        it.call("user.current", json!({})).await.status,
    ];
    assert_eq!(statuses, [200, 200, 503], "two a second drain");
    // Another address of ours is another bucket (one portal, per source IP).
    let elsewhere =
        reqwest::Client::builder().no_proxy().local_address(IpAddr::from([127, 0, 0, 2])).build().expect("a client");
    assert_eq!(it.send(elsewhere.post(format!("{}user.current", it.twin.url()))).await.status, 200);
}

#[tokio::test]
async fn a_batch_costs_one_unit_and_its_commands_cost_time() {
    let it = portal(|options| {
        let operating = OperatingLimit {
            limit_ms: 1_000,
            cost_ms: 100,
            cost_by_method_ms: BTreeMap::from([("crm.item.list".to_owned(), 400)]),
        };
        options.limits = Limits { operating: Some(operating), ..Limits::cloud() };
    })
    .await;
    let cmd: Vec<String> = (0..50).map(|_| "user.current".to_owned()).collect();
    let got = it.call("batch", json!({"cmd": cmd})).await;
    assert_eq!((got.status, &got.json["time"]["operating"]), (200, &json!(0.0)), "the outer call burns no time");
    // 11 calls make 1100 ms; the limit of 1000 is stepped over by the eleventh, the twelfth fails.
    let result = &got.json["result"];
    assert_eq!(result["result"].as_array().map(Vec::len), Some(11));
    assert_eq!(result["result_time"][10]["operating"], 1.1);
    assert_eq!(result["result_error"]["11"]["error"], "OPERATION_TIME_LIMIT");
    assert_eq!(result["result_error"].as_object().map(serde_json::Map::len), Some(39));
    // Forty-nine more requests fit into the bucket.
    for _ in 0..49 {
        assert_ne!(it.call("profile", json!({})).await.status, 503);
    }
    assert_eq!(it.call("profile", json!({})).await.status, 503);
}

#[tokio::test]
async fn operating_time_is_429_for_that_method_until_its_basket_falls_out() {
    let it = portal(|options| {
        let operating = OperatingLimit {
            limit_ms: 480_000,
            cost_ms: 100,
            cost_by_method_ms: BTreeMap::from([("crm.item.list".to_owned(), 200_000)]),
        };
        options.limits = Limits { bucket: None, operating: Some(operating) };
    })
    .await;
    let list = json!({"entityTypeId": 2});
    for spent in [200.0, 400.0, 600.0] {
        let got = it.call("crm.item.list", list.clone()).await;
        assert_eq!((got.status, got.json["time"]["operating"].as_f64()), (200, Some(spent)));
    }
    let refused = it.call("crm.item.list", list.clone()).await;
    assert_eq!((refused.status, &refused.json["error"]), (429, &json!("OPERATION_TIME_LIMIT")));
    let reset_at = refused.json["time"]["operating_reset_at"].as_i64().expect("a time");
    assert_eq!(reset_at, crate::twin::NOW.seconds() + 600);
    assert_eq!(it.call("crm.deal.list", json!({})).await.status, 200, "other methods go on");
    it.clock.advance_ms(599_000);
    assert_eq!(it.call("crm.item.list", list.clone()).await.status, 429);
    it.clock.advance_ms(1_000);
    assert_eq!(it.call("crm.item.list", list).await.status, 200);
}

#[tokio::test]
async fn a_batch_is_200_even_when_all_fails_and_empty_maps_are_lists() {
    let it = portal(|_| {}).await;
    let result = it
        .ok("batch", json!({"cmd": {"a": "crm.contact.get?id=1", "b": "no.such", "c": "batch?cmd[x]=profile"}}))
        .await;
    assert_eq!(
        (&result["result"], &result["result_total"], &result["result_next"], &result["result_time"]),
        (&json!([]), &json!([]), &json!([]), &json!([]))
    );
    let errors = ["a", "b", "c"].map(|name| result["result_error"][name]["error"].as_str().unwrap_or("?").to_owned());
    assert_eq!(errors, ["", "ERROR_METHOD_NOT_FOUND", "ERROR_BATCH_METHOD_NOT_ALLOWED"]);
    let none = it.ok("batch", json!({"cmd": []})).await;
    assert_eq!((&none["result"], &none["result_error"]), (&json!([]), &json!([])));
    let good = it.ok("batch", json!({"cmd": ["profile", "user.current"]})).await;
    assert_eq!(
        (good["result"].as_array().map(Vec::len), &good["result_error"]),
        (Some(2), &json!([])),
        "numbered commands make a list"
    );
}

#[tokio::test]
async fn commands_run_in_order_use_earlier_results_and_stop_at_halt() {
    let it = portal(|_| {}).await;
    // As text: the order of the names is the order of the commands, and serde_json would sort them.
    let chain = r#"{"halt": 0, "cmd": {
        "z_company": "crm.company.add?fields[TITLE]=%D0%A0%D0%BE%D0%BC%D0%B0%D1%88%D0%BA%D0%B0",
        "a_contact": "crm.contact.add?fields[NAME]=A&fields[COMPANY_ID]=$result[z_company]",
        "m_deal": "crm.deal.add?fields[TITLE]=for%20$result[z_company]&fields[CONTACT_ID]=$result[a_contact]",
        "found": "crm.contact.list?filter[ID]=$result[a_contact]&select[]=NAME"}}"#;
    let got = it.send(it.http.post(format!("{}batch", it.twin.url())).body(chain)).await;
    let result = got.json["result"].clone();
    assert_eq!(
        result["result"],
        json!({"z_company": 1, "a_contact": 1, "m_deal": 1, "found": [{"ID": "1", "NAME": "A"}]})
    );
    assert_eq!((&result["result_total"], &result["result_next"]), (&json!({"found": 1}), &json!([])));
    assert_eq!(it.ok("crm.contact.get", json!({"id": 1})).await["COMPANY_ID"], "1");
    assert_eq!(it.ok("crm.deal.get", json!({"id": 1})).await["TITLE"], "for 1");
    let halted = it
        .ok("batch", json!({"halt": 1, "cmd": {"a": "profile", "b": "no.such", "c": "crm.contact.add?fields[NAME]=B"}}))
        .await;
    assert!(
        halted["result"].get("a").is_some()
            && halted["result"].get("c").is_none()
            && halted["result_error"].get("b").is_some()
    );
    assert_eq!(it.twin.state()["counts"]["contact"], 1);
    // By GET the commands are encoded twice (data-encoding.md).
    let url = format!("{}batch?cmd[n]=crm.lead.add%3Ffields%5BTITLE%5D%3DJohn%2526Martin", it.twin.url());
    assert_eq!(it.send(it.http.get(url)).await.json["result"]["result"]["n"], 1);
    assert_eq!(it.ok("crm.lead.get", json!({"id": 1})).await["TITLE"], "John&Martin");
    // The fifty-first command fails alone.
    let many: BTreeMap<String, &str> = (0..51).map(|number| (format!("c{number:02}"), "profile")).collect();
    let result = it.ok("batch", json!({"cmd": many})).await;
    assert_eq!(result["result_error"]["c50"]["error"], "ERROR_BATCH_LENGTH_EXCEEDED");
    assert_eq!(result["result"].as_object().map(serde_json::Map::len), Some(50));
}

#[tokio::test]
async fn commands_of_a_half_failed_batch_may_have_been_applied() {
    let it = portal(|_| {}).await;
    it.twin.plan_fault(Planned::on("batch", Fault::HalfBatch { failed: 500, applied: 500 }));
    let cmd: BTreeMap<String, String> =
        (0..40).map(|number| (format!("c{number:02}"), format!("crm.contact.add?fields[NAME]=N{number}"))).collect();
    let result = it.ok("batch", json!({"cmd": cmd})).await;
    let count = |json: &Json| json.as_object().map_or(0, serde_json::Map::len);
    let (done, failed) = (count(&result["result"]), count(&result["result_error"]));
    assert_eq!(done + failed, 40);
    let created = it.twin.with(|portal| portal.objects_of(Kind::Contact).count());
    assert!(failed > 5 && done > 5, "{failed} failed, {done} done");
    assert!(created > done && created < 40, "{created} created, {done} told");
    assert_eq!(it.twin.refused("INTERNAL_SERVER_ERROR"), failed as u64);
}

async fn add(it: &Portal) -> Result<u16, reqwest::Error> {
    let request = it.http.post(format!("{}crm.contact.add", it.twin.url())).json(&json!({"fields": {"NAME": "И"}}));
    request.send().await.map(|response| response.status().as_u16())
}

#[tokio::test]
async fn faults_come_before_or_after_the_call_is_applied() {
    let it = portal(|_| {}).await;
    // (fault, status or cut, whether a contact was created)
    for (fault, status, created) in [
        (Fault::LostAnswer, None, true),
        (Fault::LostRequest, None, false),
        (Fault::ErrorPage { status: 502, applied: false }, Some(502), false),
        (Fault::ErrorPage { status: 504, applied: true }, Some(504), true),
        (Fault::Delayed { ms: 1 }, Some(200), true),
        (Fault::Refused { code: RefusedCode::OverloadLimit }, Some(503), false),
        (Fault::Refused { code: RefusedCode::PlanExpired }, Some(403), false),
        (Fault::Refused { code: RefusedCode::AccessDenied }, Some(400), false),
        (Fault::Refused { code: RefusedCode::InternalServerError }, Some(500), false),
        (Fault::Refused { code: RefusedCode::PortalDeleted }, Some(500), false),
    ] {
        let before = it.twin.with(|portal| portal.objects_of(Kind::Contact).count());
        it.twin.plan_fault(Planned::next(fault.clone()));
        let answer = add(&it).await;
        assert_eq!(answer.as_ref().ok().copied(), status, "{fault:?}: {answer:?}");
        let after = it.twin.with(|portal| portal.objects_of(Kind::Contact).count());
        assert_eq!(after - before, usize::from(created), "{fault:?}");
    }
    assert_eq!(add(&it).await.expect("an answer"), 200, "a fault comes once");
    let page = it.twin.log().iter().filter(|it| it.status == 0).count();
    assert_eq!(page, 2, "cuts are logged without a status");
}

#[tokio::test]
async fn an_error_page_is_html() {
    let it = portal(|_| {}).await;
    it.twin.plan_fault(Planned::next(Fault::ErrorPage { status: 502, applied: false }));
    let got = it.call("profile", json!({})).await;
    assert!(
        got.json.as_str().is_some_and(|text| text.starts_with("<html>") && text.contains("502 Bad Gateway")),
        "{got:?}"
    );
}

#[tokio::test]
async fn a_held_answer_comes_when_it_is_released() {
    let it = portal(|_| {}).await;
    it.twin.plan_fault(Planned::on("crm.contact.add", Fault::Held));
    let release = async {
        // The call is applied long before its answer comes; other calls pass meanwhile.
        while it.twin.calls("crm.contact.add") == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(it.twin.state()["counts"]["contact"], 1);
        assert_eq!(it.call("profile", json!({})).await.status, 200);
        it.twin.release_held();
    };
    let (answer, ()) = tokio::join!(add(&it), release);
    assert_eq!(answer.expect("an answer"), 200);
}

#[tokio::test]
async fn a_person_acts_between_two_calls() {
    let it = portal(|_| {}).await;
    it.ok("crm.deal.add", json!({"fields": {"TITLE": "T"}})).await;
    let act = PersonAct::Delete { object: Kind::Deal, id: 1 };
    it.twin.plan_fault(Planned::on("crm.deal.update", Fault::Person { act }));
    let got = it.call("crm.deal.update", json!({"id": 1, "fields": {"TITLE": "U"}})).await;
    assert_eq!((got.status, &got.json["error_description"]), (400, &json!("Not found")));
}

#[tokio::test]
async fn faults_are_set_by_address_and_drawn_from_a_seed() {
    let it = portal(|_| {}).await;
    let faults = json!({"seed": 5, "shares": {"error_page": 200, "lost_answer": 200}});
    let run = async || {
        assert_eq!(it.send(it.http.post(it.twin.page("faults")).json(&faults)).await.status, 204);
        let mut seen = Vec::new();
        for _ in 0..60 {
            seen.push(add(&it).await.ok());
        }
        seen
    };
    let first = run().await;
    assert_eq!(first, run().await, "the same seed, the same faults");
    assert!(first.contains(&None) && first.contains(&Some(502)) && first.contains(&Some(200)), "{first:?}");
    let refused = it.send(it.http.post(it.twin.page("faults")).json(&json!({"sede": 5}))).await;
    assert_eq!(refused.status, 422);
    it.twin.set_faults(Faults { shares: Shares::default(), ..Faults::default() });
    assert_eq!(add(&it).await.expect("an answer"), 200);
}
