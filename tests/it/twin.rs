//! The Bitrix24 twin answers as the facts say. Each row of the tables cites its fact:
//! "b24 N" is a section of facts/crm/bitrix24.md, a file name is a page of b24restdocs (5988ed1).

use std::sync::Arc;

use serde_json::{Value as Json, json};
use uzel::base::clock::ManualClock;
use uzel::base::{Clock, Timestamp};
use uzel::twin::bitrix24::{Bitrix24Twin, Options, RunningTwin};

/// 2026-11-21T10:00:00+03:00.
pub(crate) const NOW: Timestamp = Timestamp(1_795_244_400_000);

pub(crate) struct Portal {
    pub(crate) twin: RunningTwin,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) http: reqwest::Client,
}

/// What came over the wire.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) json: Json,
}

pub(crate) async fn portal(change: impl FnOnce(&mut Options)) -> Portal {
    let clock = Arc::new(ManualClock::new(NOW));
    let mut options = Options::for_tests(Arc::clone(&clock) as Arc<dyn Clock>);
    change(&mut options);
    let twin = Bitrix24Twin::start(options, ([127, 0, 0, 1], 0).into()).await.expect("a free port");
    Portal { twin, clock, http: http() }
}

pub(crate) fn http() -> reqwest::Client {
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

impl Portal {
    pub(crate) async fn call(&self, method: &str, params: Json) -> Got {
        self.send(self.http.post(format!("{}{method}", self.twin.url())).json(&params)).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        Got { status, json: serde_json::from_str(&text).unwrap_or(Json::String(text)) }
    }

    /// The `result` of a call that must succeed.
    pub(crate) async fn ok(&self, method: &str, params: Json) -> Json {
        let got = self.call(method, params).await;
        assert_eq!(got.status, 200, "{method}: {}", got.json);
        got.json["result"].clone()
    }
}

/// Whether `have` contains everything that `want` says (maps may have more members).
pub(crate) fn contains(have: &Json, want: &Json) -> bool {
    match (have, want) {
        (Json::Object(have), Json::Object(want)) => {
            want.iter().all(|(key, want)| have.get(key).is_some_and(|have| contains(have, want)))
        }
        (Json::Array(have), Json::Array(want)) => {
            have.len() == want.len() && have.iter().zip(want).all(|(have, want)| contains(have, want))
        }
        (have, want) => have == want,
    }
}

pub(crate) async fn check(portal: &Portal, fact: &str, method: &str, params: Json, status: u16, want: Json) {
    let got = portal.call(method, params.clone()).await;
    assert_eq!(got.status, status, "{fact}: {method} {params} answered {}", got.json);
    assert!(contains(&got.json, &want), "{fact}: {method} {params}\n answered {}\n     want {want}", got.json);
}

#[tokio::test]
async fn calls_and_answers_of_the_facts() {
    let it = portal(|options| {
        options.portal.add_category("Опт");
    })
    .await;
    let p = &it;
    // Ids: integers from add, strings in classic, integers in item.*.
    check(
        p,
        "b24 6b",
        "crm.contact.add",
        json!({"fields": {"NAME": "Иван", "PHONE": [{"VALUE": "+79000000001"}]}}),
        200,
        json!({"result": 1}),
    )
    .await;
    check(
        p,
        "b24 5",
        "crm.contact.get",
        json!({"id": 1}),
        200,
        json!({"result": {"ID": "1", "NAME": "Иван", "LAST_NAME": null, "HAS_PHONE": "Y", "HAS_EMAIL": "N",
        "PHONE": [{"ID": "1", "VALUE": "+79000000001", "VALUE_TYPE": "WORK", "TYPE_ID": "PHONE"}]}}),
    )
    .await;
    check(p, "b24 5", "crm.item.get", json!({"entityTypeId": 3, "id": 1}), 200, json!({"result": {"item": {"id": 1, "name": "Иван", "assignedById": 1, "companyId": 0,
        "fm": [{"id": 1, "typeId": "PHONE", "valueType": "WORK", "value": "+79000000001"}], "createdTime": "2026-11-21T10:00:00+03:00"}}})).await;
    check(
        p,
        "crm-deal-get.md",
        "crm.deal.add",
        json!({"fields": {"OPPORTUNITY": 50000, "CONTACT_ID": 1}}),
        200,
        json!({"result": 1}),
    )
    .await;
    check(p, "crm-deal-get.md", "crm.deal.get", json!({"ID": "1"}), 200, json!({"result": {"TITLE": "Сделка #1", "OPPORTUNITY": "50000.00", "CURRENCY_ID": "RUB", "CATEGORY_ID": "0",
        "STAGE_ID": "NEW", "STAGE_SEMANTIC_ID": "P", "CLOSED": "N", "CONTACT_ID": "1", "BEGINDATE": "2026-11-21T03:00:00+03:00"}})).await;
    check(
        p,
        "crm-item-get.md",
        "crm.item.get",
        json!({"entityTypeId": 2, "id": 1}),
        200,
        json!({"result": {"item": {"opportunity": 50000, "contactId": 1, "contactIds": [1], "entityTypeId": 2}}}),
    )
    .await;
    // Envelope.
    check(
        p,
        "b24 2",
        "crm.settings.mode.get",
        json!({}),
        200,
        json!({"result": 1, "time": {"operating": 0.0, "date_start": "2026-11-21T10:00:00+03:00"}}),
    )
    .await;
    // Errors: old methods have an empty code, controllers have words or a number.
    check(
        p,
        "crm-contact-get.md",
        "crm.contact.get",
        json!({"id": 99}),
        400,
        json!({"error": "", "error_description": "Not found"}),
    )
    .await;
    check(
        p,
        "crm-contact-get.md",
        "crm.contact.get",
        json!({}),
        400,
        json!({"error": "", "error_description": "ID is not defined or invalid."}),
    )
    .await;
    check(
        p,
        "crm-contact-add.md",
        "crm.contact.add",
        json!({"fields": "x"}),
        400,
        json!({"error": "", "error_description": "Parameter 'fields' must be array."}),
    )
    .await;
    check(
        p,
        "crm-contact-add.md",
        "crm.contact.add",
        json!({"fields": {"EMAIL": [{"VALUE": "no address"}]}}),
        400,
        json!({"error": "ERROR_CORE"}),
    )
    .await;
    check(
        p,
        "crm-contact-update.md",
        "crm.contact.update",
        json!({"id": 99, "fields": {}}),
        400,
        json!({"error": "", "error_description": "Contact is not found"}),
    )
    .await;
    check(
        p,
        "crm-company-update.md",
        "crm.company.update",
        json!({"id": 99, "fields": {}}),
        400,
        json!({"error": "", "error_description": "Company is not found"}),
    )
    .await;
    check(p, "crm-contact-delete.md", "crm.contact.delete", json!({"id": 99}), 400, json!({"error": "ERROR_CORE"}))
        .await;
    check(p, "b24 5", "crm.company.add", json!({"fields": {"COMMENTS": "x"}}), 400, json!({"error": ""})).await;
    check(
        p,
        "crm-item-get.md",
        "crm.item.get",
        json!({"entityTypeId": 2, "id": 99}),
        400,
        json!({"error": "NOT_FOUND", "error_description": "Element not found"}),
    )
    .await;
    check(
        p,
        "crm-item-get.md",
        "crm.item.get",
        json!({"entityTypeId": 177, "id": 1}),
        400,
        json!({"error": "NOT_FOUND", "error_description": "SPA not found"}),
    )
    .await;
    check(p, "b24 2", "crm.item.get", json!({"entityTypeId": 2}), 400, json!({"error": 100})).await;
    check(
        p,
        "crm-item-add.md",
        "crm.item.add",
        json!({"entityTypeId": 4, "fields": {}}),
        400,
        json!({"error": "CRM_FIELD_ERROR_REQUIRED"}),
    )
    .await;
    check(
        p,
        "crm-item-add.md",
        "crm.item.add",
        json!({"entityTypeId": 2, "fields": {"stageId": "NO_SUCH", "assignedById": 77}}),
        400,
        json!({"error": "CRM_FIELD_ERROR_VALUE_NOT_VALID"}),
    )
    .await;
    check(p, "crm-item-list.md", "crm.item.list", json!({"entityTypeId": 2, "filter": {"noSuch": 1}}), 400, json!({"error": "INVALID_ARG_VALUE", "error_description": "Invalid filter: field 'noSuch' is not allowed in filter"})).await;
    check(p, "b24 2", "crm.no.such", json!({}), 404, json!({"error": "ERROR_METHOD_NOT_FOUND"})).await;
    check(
        p,
        "b24 6d",
        "telephony.externalCall.register",
        json!({"USER_ID": 1}),
        403,
        json!({"error": "WRONG_AUTH_TYPE"}),
    )
    .await;
    // Deletion: true and []; an object that is gone is seen by nobody.
    check(p, "b24 6g", "crm.item.delete", json!({"entityTypeId": 2, "id": 1}), 200, json!({"result": []})).await;
    check(p, "b24 6a", "crm.deal.list", json!({}), 200, json!({"result": [], "total": 0})).await;
    check(p, "b24 6a", "crm.deal.get", json!({"id": 1}), 400, json!({"error": "", "error_description": "Not found"}))
        .await;
    // Dictionaries.
    check(p, "crm-category-list.md", "crm.category.list", json!({"entityTypeId": 2}), 200, json!({"result": {"categories": [{"id": 1, "name": "Опт", "isDefault": "N"}, {"id": 0, "isDefault": "Y"}]}, "total": 2})).await;
    check(p, "crm-status-list.md", "crm.status.list", json!({"filter": {"ENTITY_ID": "DEAL_STAGE_1", "STATUS_ID": "C1:WON"}}), 200, json!({"result": [{"STATUS_ID": "C1:WON", "SEMANTICS": "S", "CATEGORY_ID": "1", "EXTRA": {"SEMANTICS": "success"}}]})).await;
    check(
        p,
        "user-get.md",
        "user.get",
        json!({"FILTER": {"ACTIVE": "Y"}}),
        200,
        json!({"result": [{"ID": "1", "ACTIVE": true}, {"ID": "2", "ACTIVE": true}], "total": 2}),
    )
    .await;
    check(p, "user-get.md", "user.get", json!({"ID": 3}), 200, json!({"result": [{"ID": "3", "ACTIVE": false}]})).await;
    check(p, "user-current.md", "user.current", json!({}), 200, json!({"result": {"ID": "1"}})).await;
    check(p, "profile.md", "profile", json!({}), 200, json!({"result": {"ID": "1", "ADMIN": true}})).await;
    check(p, "scope.md", "scope", json!({}), 200, json!({"result": ["crm", "user", "telephony", "task"]})).await;
}

#[tokio::test]
async fn a_wrong_secret_is_401_and_a_missing_one_too() {
    let it = portal(|_| {}).await;
    let right = it.twin.url();
    let wrong = right.replace("k3yk3yk3yk3yk3yk", "wrongwrongwrongw");
    let base = format!("http://{}/rest/", it.twin.addr());
    for (url, status, error) in [
        (format!("{wrong}user.current"), 401, Some("INVALID_CREDENTIALS")),
        (right.replace("/rest/1/", "/rest/2/") + "user.current", 401, Some("INVALID_CREDENTIALS")),
        (format!("{base}user.current"), 401, Some("NO_AUTH_FOUND")),
        (format!("{right}user.current"), 200, None),
        (format!("{right}user.current.json"), 200, None),
        (format!("{right}USER.Current"), 200, None),
    ] {
        let got = it.send(it.http.get(&url)).await;
        assert_eq!((got.status, got.json["error"].as_str()), (status, error), "{url}");
    }
}

#[tokio::test]
async fn a_scope_that_was_not_ticked_is_refused() {
    let it = portal(|options| options.scopes = vec!["user".to_owned()]).await;
    check(&it, "b24 2", "crm.contact.list", json!({}), 403, json!({"error": "insufficient_scope"})).await;
    check(&it, "b24 2", "user.current", json!({}), 200, json!({})).await;
    let result = it.ok("batch", json!({"cmd": {"a": "crm.contact.list"}})).await;
    assert_eq!(result["result_error"]["a"]["error"], "insufficient_scope");
}

#[tokio::test]
async fn parameters_come_by_get_form_json_or_multipart() {
    let it = portal(|_| {}).await;
    let url = format!("{}crm.contact.add", it.twin.url());
    let by_query = it.http.get(format!("{url}?fields%5BNAME%5D=A%26B&fields%5BPHONE%5D%5B0%5D%5BVALUE%5D=%2B71"));
    assert_eq!(it.send(by_query).await.json["result"], 1);
    let by_form = it.http.post(&url).form(&[("fields[NAME]", "A&B"), ("fields[PHONE][0][VALUE]", "+71")]);
    assert_eq!(it.send(by_form).await.json["result"], 2);
    let by_json = it.http.post(&url).json(&json!({"fields": {"NAME": "A&B", "PHONE": [{"VALUE": "+71"}]}}));
    assert_eq!(it.send(by_json).await.json["result"], 3);
    let parts = "--x\r\nContent-Disposition: form-data; name=\"fields[NAME]\"\r\n\r\nA&B\r\n\
                 --x\r\nContent-Disposition: form-data; name=\"fields[PHONE][0][VALUE]\"\r\n\r\n+71\r\n--x--\r\n";
    let by_parts = it.http.post(&url).header("content-type", "multipart/form-data; boundary=x").body(parts);
    assert_eq!(it.send(by_parts).await.json["result"], 4);
    for id in 1..=4 {
        let contact = it.ok("crm.contact.get", json!({"id": id})).await;
        assert_eq!((&contact["NAME"], &contact["PHONE"][0]["VALUE"]), (&json!("A&B"), &json!("+71")), "{id}");
    }
}

#[tokio::test]
async fn the_state_file_carries_the_portal_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("portal.json");
    let with_file = |options: &mut Options| options.state_file = Some(file.clone());
    let first = portal(with_file).await;
    first.ok("crm.contact.add", json!({"fields": {"NAME": "Иван", "PHONE": [{"VALUE": "+71"}]}})).await;
    first.ok("crm.deal.userfield.add", json!({"fields": {"FIELD_NAME": "SCORE", "USER_TYPE_ID": "double"}})).await;
    let before = first.twin.with(Clone::clone);
    first.twin.shut_down().await.expect("a saved state");
    assert!(!folder.path().join("portal.json.new").exists(), "the file is replaced as a whole");

    let second = portal(with_file).await;
    assert_eq!(second.twin.with(Clone::clone), before);
    assert_eq!(second.ok("crm.contact.add", json!({"fields": {"NAME": "Пётр"}})).await, 2, "ids go on");
    second.twin.shut_down().await.expect("a saved state");

    std::fs::write(&file, "{\n \"zone\": 1,\n nonsense").expect("a file");
    let mut options = Options::for_tests(Arc::new(ManualClock::new(NOW)));
    with_file(&mut options);
    let refused = Bitrix24Twin::start(options, ([127, 0, 0, 1], 0).into()).await.expect_err("not a state");
    assert!(refused.to_string().contains("portal.json:3"), "{refused}");
}

#[tokio::test]
async fn the_twin_shows_what_it_saw() {
    let it = portal(|_| {}).await;
    it.ok("crm.contact.add", json!({"fields": {"NAME": "Иван"}})).await;
    it.call("crm.contact.get", json!({"id": 9})).await;
    it.ok("batch", json!({"cmd": {"a": "crm.contact.list"}})).await;
    let state = it.send(it.http.get(it.twin.page("state"))).await.json;
    let want = json!({"counts": {"contact": 1, "deal": 0}, "objects": {"contact": [{"NAME": "Иван"}]},
        "requests": {"crm.contact.add": 1, "crm.contact.get": 1, "batch": 1}, "commands": {"crm.contact.list": 1}, "refusals": {"": 1}});
    assert!(contains(&state, &want), "{state}");
    let log = it.send(it.http.get(it.twin.page("log"))).await.json;
    assert!(
        contains(&log[1], &json!({"method": "crm.contact.get", "status": 400, "params": "{\"id\":\"9\"}"})),
        "{log}"
    );
    assert_eq!((it.twin.calls("crm.contact.list"), it.twin.refused("")), (1, 1));
    assert_eq!(it.send(it.http.post(it.twin.page("reset"))).await.status, 204);
    assert_eq!(it.twin.state()["counts"]["contact"], 0);
}
