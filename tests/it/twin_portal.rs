//! The Bitrix24 twin beyond objects: goods, tasks, activities, people, robots, plans, large portals.
//! Rows cite their fact as in `twin.rs`.

use serde_json::json;
use uzel::twin::bitrix24::{Edition, Fault, Growth, Kind, PersonAct, Planned};

use crate::twin::{check, portal};

#[tokio::test]
async fn goods_follow_the_documentation_and_settle_the_sum() {
    let it = portal(|_| {}).await;
    it.ok("crm.deal.add", json!({"fields": {"TITLE": "A"}})).await;
    let rows = json!([{"PRODUCT_NAME": "Окно", "PRICE": 899.1, "QUANTITY": 2}, {"PRODUCT_ID": 449, "PRICE": 100}]);
    let fact = "crm-deal-productrows-set.md";
    check(&it, fact, "crm.deal.productrows.set", json!({"id": 1, "rows": rows}), 200, json!({"result": true})).await;
    let want = json!({"result": [
        {"ID": "1", "OWNER_ID": "1", "OWNER_TYPE": "D", "PRODUCT_NAME": "Окно", "PRICE": 899.1, "PRICE_ACCOUNT": "899.10",
         "QUANTITY": 2, "TAX_RATE": null, "SORT": 10},
        {"ID": "2", "PRODUCT_ID": 449, "PRICE": 100, "QUANTITY": 1, "SORT": 20}]});
    check(&it, "crm-deal-productrows-get.md", "crm.deal.productrows.get", json!({"id": 1}), 200, want).await;
    check(&it, fact, "crm.deal.get", json!({"id": 1}), 200, json!({"result": {"OPPORTUNITY": "1898.20"}})).await;
    // All rows at once: the former ones are gone, ids are new.
    it.ok("crm.deal.productrows.set", json!({"id": 1, "rows": [{"PRODUCT_NAME": "Дверь", "PRICE": 5}]})).await;
    let want = json!({"result": {"productRows": [{"id": 3, "ownerId": 1, "ownerType": "D", "productName": "Дверь", "price": 5}]}, "total": 1});
    let filter = json!({"filter": {"=ownerType": "D", "@ownerId": [1, 2]}});
    check(&it, "crm-item-productrow-list.md", "crm.item.productrow.list", filter, 200, want).await;
    it.ok("crm.deal.productrows.set", json!({"id": 1, "rows": []})).await;
    check(&it, fact, "crm.deal.productrows.get", json!({"id": 1}), 200, json!({"result": []})).await;
    check(&it, fact, "crm.deal.productrows.get", json!({"id": 7}), 400, json!({"error": ""})).await;
}

#[tokio::test]
async fn tasks_are_added_listed_changed_and_finished() {
    let it = portal(|_| {}).await;
    it.ok("crm.deal.add", json!({"fields": {}})).await;
    let fields = json!({"TITLE": "Перезвонить", "RESPONSIBLE_ID": 2, "DEADLINE": "2026-11-21T12:00:00+03:00",
        "UF_CRM_TASK": ["D_1"]});
    let want = json!({"result": {"task": {"id": "1", "title": "Перезвонить", "responsibleId": "2", "status": "2",
        "createdBy": "1", "closedDate": null, "deadline": "2026-11-21T12:00:00+03:00", "ufCrmTask": ["D_1"],
        "responsible": {"id": "2"}}}});
    check(&it, "tasks-task-add.md", "tasks.task.add", json!({"fields": fields}), 200, want).await;
    for (fields, says) in [
        (json!({"RESPONSIBLE_ID": 2}), "Task title is not specified<br>"),
        (json!({"TITLE": "x"}), "Responsible person is not specified<br>"),
        (json!({"TITLE": "x", "RESPONSIBLE_ID": 99}), "User specified in the \"Responsible\" field not found<br>"),
        (json!({"TITLE": "x", "RESPONSIBLE_ID": 1, "STATUS": "9"}), "Incorrect status<br>"),
    ] {
        let want = json!({"error": "ERROR_CORE", "error_description": says});
        check(&it, "tasks-task-add.md", "tasks.task.add", json!({"fields": fields}), 400, want).await;
    }
    it.ok("tasks.task.add", json!({"fields": {"TITLE": "Другая", "RESPONSIBLE_ID": 1}})).await;
    for (filter, ids) in [
        (json!({"UF_CRM_TASK": "D_1"}), json!([{"id": "1"}])),
        (json!({"<DEADLINE": "2026-11-21T09:30:00Z"}), json!([{"id": "1"}])),
        (json!({"<DEADLINE": "2026-11-21T08:30:00Z"}), json!([])),
        (json!({"RESPONSIBLE_ID": 1}), json!([{"id": "2"}])),
        (json!({"!REAL_STATUS": 5}), json!([{"id": "1"}, {"id": "2"}])),
    ] {
        let want = json!({"result": {"tasks": ids}});
        check(&it, "tasks-task-list.md", "tasks.task.list", json!({"filter": filter}), 200, want).await;
    }
    let change = json!({"taskId": 1, "fields": {"DEADLINE": "2026-11-22T12:00:00+03:00"}});
    it.ok("tasks.task.update", change).await;
    let want = json!({"result": {"task": {"status": "5", "closedDate": "2026-11-21T10:00:00+03:00", "deadline": "2026-11-22T12:00:00+03:00"}}});
    check(&it, "tasks-task-complete.md", "tasks.task.complete", json!({"taskId": 1}), 200, want).await;
    check(&it, "tasks-task-get.md", "tasks.task.get", json!({"taskId": 9}), 400, json!({"error": "ERROR_CORE"})).await;
}

#[tokio::test]
async fn activities_and_comments_live_and_are_listed_by_time() {
    let it = portal(|_| {}).await;
    it.ok("crm.lead.add", json!({"fields": {"TITLE": "A"}})).await;
    let todo = json!({"ownerTypeId": 1, "ownerId": 1, "deadline": "2026-11-21T12:00:00+03:00", "title": "Позвонить"});
    it.ok("crm.activity.todo.add", todo).await;
    let want = json!({"result": {"ID": "1", "OWNER_ID": "1", "OWNER_TYPE_ID": "1", "SUBJECT": "Позвонить", "COMPLETED": "N",
        "LAST_UPDATED": "2026-11-21T10:00:00+03:00", "DEADLINE": "2026-11-21T12:00:00+03:00", "ORIGIN_ID": null}});
    check(&it, "crm-activity-get.md", "crm.activity.get", json!({"id": 1}), 200, want).await;
    it.clock.advance_ms(60_000);
    it.ok("crm.activity.update", json!({"id": 1, "fields": {"COMPLETED": "Y", "OWNER_ID": 9}})).await;
    let changed = json!({"filter": {">LAST_UPDATED": "2026-11-21T07:00:30Z"}, "order": {"LAST_UPDATED": "ASC"}});
    let want = json!({"result": [{"ID": "1", "OWNER_ID": "1", "COMPLETED": "Y", "STATUS": "2"}]});
    check(&it, "crm-activity-list.md", "crm.activity.list", changed, 200, want).await;
    let later = json!({"filter": {">LAST_UPDATED": "2026-11-21T07:01:00Z"}});
    check(&it, "crm-activity-list.md", "crm.activity.list", later, 200, json!({"result": []})).await;
    it.ok("crm.activity.delete", json!({"id": 1})).await;
    let want = json!({"error": "", "error_description": "Activity is not found."});
    check(&it, "crm-activity-delete.md", "crm.activity.get", json!({"id": 1}), 400, want).await;
    let fields = json!({"ENTITY_ID": 1, "ENTITY_TYPE": "lead", "COMMENT": "Был"});
    it.ok("crm.timeline.comment.add", json!({"fields": fields})).await;
    it.ok("crm.timeline.comment.update", json!({"id": 1, "fields": {"COMMENT": "Стал"}})).await;
    let want = json!({"result": {"ID": "1", "COMMENT": "Стал", "ENTITY_TYPE": "lead"}});
    check(&it, "crm-timeline-comment-get.md", "crm.timeline.comment.get", json!({"id": 1}), 200, want).await;
}

#[tokio::test]
async fn stage_moves_are_listed_from_a_time_on() {
    let it = portal(|_| {}).await;
    it.ok("crm.deal.add", json!({"fields": {}})).await;
    it.clock.advance_ms(60_000);
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"STAGE_ID": "WON"}})).await;
    let since =
        json!({"entityTypeId": 2, "filter": {">=CREATED_TIME": "2026-11-21T07:00:30Z"}, "order": {"ID": "ASC"}});
    let want = json!({"result": {"items": [{"TYPE_ID": 3, "OWNER_ID": 1, "STAGE_ID": "WON", "STAGE_SEMANTIC_ID": "S",
        "CREATED_TIME": "2026-11-21T10:01:00+03:00"}]}});
    check(&it, "crm-stage-history-list.md", "crm.stagehistory.list", since, 200, want).await;
}

#[tokio::test]
async fn robots_start_on_add_and_update_and_not_on_import() {
    let it = portal(|_| {}).await;
    it.ok("crm.deal.add", json!({"fields": {"TITLE": "A"}})).await;
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"TITLE": "B"}})).await;
    it.ok("crm.item.update", json!({"entityTypeId": 2, "id": 1, "fields": {"title": "B"}})).await;
    let rows = json!([{"title": "Старая", "createdTime": "2020-01-02T03:04:05+03:00"}]);
    it.ok("crm.item.batchImport", json!({"entityTypeId": 2, "data": rows})).await;
    let robots = |id| it.twin.with(|portal| portal.robots_started(Kind::Deal, id));
    assert_eq!((robots(1), robots(2)), (2, 0), "an update without a change saves nothing");
    let want = json!({"result": {"DATE_CREATE": "2020-01-02T03:04:05+03:00", "TITLE": "Старая"}});
    check(&it, "b24 6b", "crm.deal.get", json!({"id": 2}), 200, want).await;
    assert_eq!(it.twin.state()["robots_started"], json!({"deal": {"1": 2}}));
}

#[tokio::test]
async fn people_change_the_portal_under_the_client() {
    let it = portal(|_| {}).await;
    it.ok("crm.deal.userfield.add", json!({"fields": {"FIELD_NAME": "SCORE", "USER_TYPE_ID": "double"}})).await;
    it.ok("crm.deal.add", json!({"fields": {"TITLE": "A", "UF_CRM_SCORE": 0.5}})).await;
    let acts = json!([
        {"act": "dismiss", "user": 2},
        {"act": "hire", "user": 7, "name": "Вера", "last_name": "Новая", "email": "vera@portal.example"},
        {"act": "rename_status", "entity_id": "DEAL_STAGE", "status_id": "NEW", "name": "Свежая"},
        {"act": "remove_status", "entity_id": "DEAL_STAGE", "status_id": "EXECUTING"},
        {"act": "rename_funnel", "id": 0, "name": "Продажи"},
        {"act": "remove_field", "object": "deal", "field": "UF_CRM_SCORE"},
        {"act": "call", "method": "crm.deal.update", "params": {"id": 1, "fields": {"TITLE": "Б"}}, "user": 3},
    ]);
    for act in acts.as_array().expect("a list") {
        let sent = it.send(it.http.post(it.twin.page("person")).json(act)).await;
        assert_eq!(sent.status, 204, "{act}: {}", sent.json);
    }
    let check = async |method: &str, params, want| check(&it, "people", method, params, 200, want).await;
    check(
        "user.get",
        json!({"FILTER": {"ACTIVE": "Y"}}),
        json!({"result": [{"ID": "1"}, {"ID": "7", "NAME": "Вера"}]}),
    )
    .await;
    let stage = |code: &str| json!({"filter": {"ENTITY_ID": "DEAL_STAGE", "STATUS_ID": code}});
    check("crm.status.list", stage("NEW"), json!({"result": [{"NAME": "Свежая"}]})).await;
    check("crm.status.list", stage("EXECUTING"), json!({"result": []})).await;
    check(
        "crm.category.get",
        json!({"entityTypeId": 2, "id": 0}),
        json!({"result": {"category": {"name": "Продажи"}}}),
    )
    .await;
    check("crm.dealcategory.default.get", json!({}), json!({"result": {"ID": "0", "NAME": "Продажи"}})).await;
    check("crm.deal.get", json!({"id": 1}), json!({"result": {"TITLE": "Б", "MODIFY_BY_ID": "3"}})).await;
    let deal = it.ok("crm.deal.get", json!({"id": 1})).await;
    assert_eq!(deal.get("UF_CRM_SCORE"), None, "the field went with its values");
    let act = PersonAct::Delete { object: Kind::Deal, id: 99 };
    it.twin.person(&act);
}

#[tokio::test]
async fn a_plan_refuses_methods_and_tells_so_beforehand() {
    let it = portal(|options| {
        options.portal.edition = Edition { refuses: vec!["tasks.".to_owned()], ..Edition::basic() };
    })
    .await;
    check(&it, "b24 2", "tasks.task.list", json!({}), 403, json!({"error": "ACCESS_DENIED"})).await;
    for (method, exists, available) in
        [("tasks.task.list", true, false), ("crm.deal.list", true, true), ("crm.no.such", false, false)]
    {
        let want = json!({"result": {"isExisting": exists, "isAvailable": available}});
        check(&it, "method-get.md", "method.get", json!({"name": method}), 200, want).await;
    }
    check(&it, "server-time.md", "server.time", json!({}), 200, json!({"result": "2026-11-21T10:00:00+03:00"})).await;
    check(&it, "app-info.md", "app.info", json!({}), 400, json!({"error": "ACCESS_DENIED"})).await;
    let closed = portal(|options| options.portal.edition = Edition::free()).await;
    check(&closed, "b24 2", "crm.deal.list", json!({}), 403, json!({"error": "ACCESS_DENIED"})).await;
}

#[tokio::test]
async fn a_request_may_be_applied_after_its_connection_is_gone() {
    let it = portal(|_| {}).await;
    it.twin.plan_fault(Planned::on("crm.contact.add", Fault::LateApply { ms: None }));
    let sent = it.http.post(format!("{}crm.contact.add", it.twin.url())).json(&json!({"fields": {"NAME": "A"}}));
    sent.send().await.expect_err("the connection is cut");
    assert_eq!(it.twin.with(|portal| portal.count(Kind::Contact)), 0);
    it.twin.release_held();
    while it.twin.with(|portal| portal.count(Kind::Contact)) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_large_portal_is_walked_by_id_and_by_time() {
    let growth = Growth {
        seed: 7,
        contacts: 3_000,
        companies: 50,
        deals: 2_000,
        leads: 10,
        from_s: 1_700_000_000,
        to_s: 1_790_000_000,
    };
    let it = portal(|options| options.portal.grow(&growth)).await;
    let counts = it.twin.with(|portal| Kind::ALL.map(|kind| portal.count(kind)));
    assert_eq!(counts, [10, 2_000, 3_000, 50]);
    // By id, uncounted: every contact once.
    let (mut last, mut seen) = (0, 0);
    loop {
        let params = json!({"order": {"ID": "ASC"}, "filter": {">ID": last}, "start": -1});
        let rows = it.ok("crm.contact.list", params).await;
        let rows = rows.as_array().expect("rows");
        seen += rows.len();
        if rows.len() < 50 {
            break;
        }
        last = rows[49]["ID"].as_str().and_then(|it| it.parse().ok()).expect("an id");
    }
    assert_eq!((seen, last), (3_000, 3_000));
    // By time: what the finder gives is what the filter says.
    let params =
        json!({"order": {"DATE_MODIFY": "ASC", "ID": "ASC"}, "filter": {">=DATE_MODIFY": "2026-09-01T00:00:00Z"}});
    let newest = it.call("crm.deal.list", params).await.json;
    let from = uzel::base::Timestamp(0).seconds() + 1_788_220_800;
    let expected = it.twin.with(|portal| {
        portal
            .objects_of(Kind::Deal)
            .filter(|it| it.text("DATE_MODIFY").parse::<i64>().expect("a time") >= from)
            .count()
    });
    assert!(expected > 0);
    assert_eq!(newest["total"], json!(expected));
    // The same seed makes the same portal; another one does not.
    let mut again = uzel::twin::bitrix24::Portal::new();
    again.grow(&growth);
    assert!(it.twin.with(|portal| *portal == again));
    let mut other = uzel::twin::bitrix24::Portal::new();
    other.grow(&Growth { seed: 8, ..growth });
    assert!(it.twin.with(|portal| *portal != other));
}
