//! What the Bitrix24 twin does with objects: writing, listing, custom fields, duplicates, stages,
//! what hangs on them, imports, merges. The citations are those of `twin.rs`.

use serde_json::{Value as Json, json};
use uzel::twin::bitrix24::{Kind, LeadMode, PAGE_ROWS, PersonAct};

use crate::twin::{Portal, check, contains, portal};

#[tokio::test]
async fn unknown_and_portal_owned_fields_are_dropped_in_silence() {
    let it = portal(|_| {}).await;
    let fields = json!({"TITLE": "T", "NO_SUCH": "x", "UF_CRM_SCORE": "5", "ID": 77, "DATE_CREATE": "2001-01-01",
                        "CLOSED": "Y", "CONTACT_ID": 999});
    let id = it.ok("crm.deal.add", json!({"fields": fields})).await;
    assert_eq!(id, 1);
    let deal = it.ok("crm.deal.get", json!({"id": id})).await;
    assert!(deal.get("NO_SUCH").is_none() && deal.get("UF_CRM_SCORE").is_none(), "{deal}");
    assert_eq!(
        (&deal["DATE_CREATE"], &deal["CLOSED"], &deal["CONTACT_ID"]),
        (&json!("2026-11-21T10:00:00+03:00"), &json!("N"), &Json::Null)
    );
    // A filter by an unknown name filters nothing.
    let all = it.ok("crm.deal.list", json!({"filter": {"UF_CRM_SCORE": "6"}})).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_update_without_id_adds_one_more_telephone() {
    let it = portal(|_| {}).await;
    it.ok(
        "crm.contact.add",
        json!({"fields": {"NAME": "И", "PHONE": [{"VALUE": "+79000000001", "VALUE_TYPE": "MOBILE"}]}}),
    )
    .await;
    let phones = async |it: &Portal| {
        let contact = it.ok("crm.contact.get", json!({"id": 1})).await;
        let list = contact.get("PHONE").and_then(Json::as_array).cloned().unwrap_or_default();
        list.iter()
            .map(|phone| format!("{}:{}", phone["ID"].as_str().unwrap_or("?"), phone["VALUE"].as_str().unwrap_or("?")))
            .collect::<Vec<_>>()
    };
    let update = async |it: &Portal, phone: Json| {
        assert_eq!(it.ok("crm.contact.update", json!({"id": 1, "fields": {"PHONE": [phone]}})).await, true);
    };
    update(&it, json!({"VALUE": "+79000000001"})).await;
    assert_eq!(phones(&it).await, ["1:+79000000001", "2:+79000000001"]);
    update(&it, json!({"ID": "2", "VALUE": "+79000000002"})).await;
    assert_eq!(phones(&it).await, ["1:+79000000001", "2:+79000000002"]);
    update(&it, json!({"ID": 1, "DELETE": "Y"})).await;
    assert_eq!(phones(&it).await, ["2:+79000000002"]);
    update(&it, json!({"ID": 77, "VALUE": "+7"})).await;
    assert_eq!(phones(&it).await, ["2:+79000000002"], "an id of another object changes nothing");
    update(&it, json!({"ID": 2, "VALUE": ""})).await;
    assert_eq!(phones(&it).await, Vec::<String>::new());
    assert_eq!(it.ok("crm.contact.get", json!({"id": 1})).await["HAS_PHONE"], "N");
    // The same by crm.item.*.
    it.ok("crm.item.update", json!({"entityTypeId": 3, "id": 1, "fields": {"fm": [{"typeId": "EMAIL", "valueType": "WORK", "value": "a@b.example"}]}})).await;
    assert_eq!(it.ok("crm.contact.get", json!({"id": 1})).await["EMAIL"][0]["VALUE"], "a@b.example");
}

#[tokio::test]
async fn origin_is_not_unique_and_the_same_add_twice_makes_two() {
    let it = portal(|_| {}).await;
    let fields = json!({"fields": {"TITLE": "Ромашка", "ORIGINATOR_ID": "UZEL", "ORIGIN_ID": "cli_1"}});
    assert_eq!(it.ok("crm.company.add", fields.clone()).await, 1);
    assert_eq!(it.ok("crm.company.add", fields).await, 2);
    let found = it
        .ok("crm.company.list", json!({"filter": {"ORIGINATOR_ID": "uzel", "ORIGIN_ID": "cli_1"}, "select": ["ID"]}))
        .await;
    assert_eq!(found, json!([{"ID": "1"}, {"ID": "2"}]));
}

#[tokio::test]
async fn lists_have_pages_of_fifty() {
    let it = portal(|_| {}).await;
    for number in 0..120 {
        it.twin.call("crm.contact.add", &json!({"fields": {"NAME": format!("N{number}")}})).expect("a contact");
    }
    // (start, rows, total, next)
    for (start, rows, total, next) in
        [(0, 50, 120, json!(50)), (50, 50, 120, json!(100)), (100, 20, 120, Json::Null), (-1, 50, 0, Json::Null)]
    {
        let got = it.call("crm.contact.list", json!({"start": start, "select": ["ID"]})).await;
        let have = (got.json["result"].as_array().map(Vec::len), &got.json["total"], &got.json["next"]);
        assert_eq!(have, (Some(rows), &json!(total), &next), "start {start}");
        let got = it.call("crm.item.list", json!({"entityTypeId": 3, "start": start})).await;
        assert_eq!(got.json["result"]["items"].as_array().map(Vec::len), Some(rows));
        assert_eq!((&got.json["total"], &got.json["next"]), (&json!(total), &next));
    }
    // The fast walk: start=-1, order by ID, filter >ID, until a short page.
    let (mut last, mut seen) = (0, 0);
    loop {
        let rows = it
            .ok(
                "crm.contact.list",
                json!({"start": -1, "order": {"ID": "ASC"}, "filter": {">ID": last}, "select": ["ID"]}),
            )
            .await;
        let rows = rows.as_array().cloned().unwrap_or_default();
        seen += rows.len();
        last = rows.last().and_then(|row| row["ID"].as_str()?.parse().ok()).unwrap_or(last);
        if rows.len() < PAGE_ROWS {
            break;
        }
    }
    assert_eq!((seen, last), (120, 120));
}

#[tokio::test]
async fn a_poll_by_time_of_change_sees_ties_and_no_deletions() {
    let it = portal(|_| {}).await;
    for number in 1..=4 {
        it.ok("crm.deal.add", json!({"fields": {"TITLE": format!("D{number}")}})).await;
    }
    it.clock.advance_ms(1_900);
    it.ok("crm.deal.update", json!({"id": 3, "fields": {"TITLE": "D3"}})).await;
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"COMMENTS": "x"}})).await;
    it.ok("crm.deal.delete", json!({"id": 2})).await;
    let filter = json!({">=DATE_MODIFY": "2026-11-21T10:00:01+03:00"});
    let rows = it
        .ok(
            "crm.deal.list",
            json!({"filter": filter, "order": {"DATE_MODIFY": "ASC", "ID": "ASC"}, "select": ["ID", "DATE_MODIFY"]}),
        )
        .await;
    // The clock of the portal has whole seconds: both changes tie; the deletion is not seen.
    let at = "2026-11-21T10:00:01+03:00";
    assert_eq!(rows, json!([{"ID": "1", "DATE_MODIFY": at}, {"ID": "3", "DATE_MODIFY": at}]));
    let items = it.ok("crm.item.list", json!({"entityTypeId": 2, "filter": {">=updatedTime": at}, "order": {"updatedTime": "DESC", "id": "DESC"}, "select": ["id"]})).await;
    assert_eq!(items, json!({"items": [{"id": 3}, {"id": 1}]}));
    // An item.update without a change saves nothing; the classic update stamps all the same.
    it.clock.advance_ms(5_000);
    it.ok("crm.item.update", json!({"entityTypeId": 2, "id": 1, "fields": {"comments": "x"}})).await;
    assert_eq!(it.ok("crm.deal.get", json!({"id": 1})).await["DATE_MODIFY"], at);
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"COMMENTS": "x"}})).await;
    assert_eq!(it.ok("crm.deal.get", json!({"id": 1})).await["DATE_MODIFY"], "2026-11-21T10:00:06+03:00");
}

#[tokio::test]
async fn custom_fields_keep_values_only_when_they_exist() {
    let it = portal(|_| {}).await;
    let p = &it;
    let add = |name: &str, of: &str| json!({"fields": {"FIELD_NAME": name, "USER_TYPE_ID": of, "EDIT_FORM_LABEL": "Оценка", "XML_ID": "UZEL"}});
    check(p, "b24 6c", "crm.deal.userfield.add", add("SCORE", "double"), 200, json!({"result": 1})).await;
    check(p, "b24 6c", "crm.deal.userfield.add", add("UF_CRM_HOT", "boolean"), 200, json!({"result": 2})).await;
    check(p, "b24 6c", "crm.deal.userfield.add", json!({"fields": {"FIELD_NAME": "CLASS", "USER_TYPE_ID": "enumeration", "LIST": [{"VALUE": "A"}, {"VALUE": "B"}]}}), 200, json!({"result": 3})).await;
    check(p, "userfield-add.md", "crm.deal.userfield.add", add("SCORE", "double"), 400, json!({"error": "ERROR_CORE"}))
        .await;
    check(p, "userfield-add.md", "crm.deal.userfield.add", add("оценка", "double"), 400, json!({"error": ""})).await;
    check(
        p,
        "userfield-add.md",
        "crm.deal.userfield.add",
        add("X", "colour"),
        400,
        json!({"error": "", "error_description": "Incorrect custom type specified."}),
    )
    .await;
    check(p, "userfield-add.md", "crm.deal.userfield.add", json!({"fields": {"LABEL": "x"}}), 400,
        json!({"error": "", "error_description": "The 'USER_TYPE_ID' field is not found.\nThe 'FIELD_NAME' field is not found."})).await;
    check(p, "userfield-get.md", "crm.deal.userfield.get", json!({"id": 1}), 200, json!({"result": {"ID": "1", "ENTITY_ID": "CRM_DEAL", "FIELD_NAME": "UF_CRM_SCORE", "USER_TYPE_ID": "double", "MULTIPLE": "N"}})).await;
    check(p, "userfield-get.md", "crm.deal.userfield.get", json!({"id": 9}), 400, json!({"error": "ERROR_NOT_FOUND"}))
        .await;
    check(
        p,
        "userfield-list.md",
        "crm.deal.userfield.list",
        json!({"filter": {"FIELD_NAME": "UF_CRM_CLASS"}}),
        200,
        json!({"result": [{"ID": "3", "LIST": [{"ID": "1", "VALUE": "A"}, {"ID": "2", "VALUE": "B"}]}], "total": 1}),
    )
    .await;
    check(p, "b24 6c", "crm.contact.userfield.list", json!({}), 200, json!({"result": [], "total": 0})).await;
    check(p, "b24 6c", "crm.deal.fields", json!({}), 200, json!({"result": {"UF_CRM_SCORE": {"type": "double", "isDynamic": true, "formLabel": "Оценка"},
        "UF_CRM_CLASS": {"items": [{"ID": "1", "VALUE": "A"}, {"ID": "2", "VALUE": "B"}]}, "TITLE": {"type": "string", "isReadOnly": false}, "STAGE_ID": {"statusType": "DEAL_STAGE"}}})).await;
    check(p, "crm-item-fields.md", "crm.item.fields", json!({"entityTypeId": 2}), 200, json!({"result": {"fields": {"ufCrmScore": {"upperName": "UF_CRM_SCORE"}, "assignedById": {"upperName": "ASSIGNED_BY_ID"}}}})).await;
    // An enumeration holds the id of its value; the text is not kept.
    it.ok(
        "crm.deal.add",
        json!({"fields": {"TITLE": "T", "UF_CRM_SCORE": 0.83, "UF_CRM_HOT": "Y", "UF_CRM_CLASS": "A"}}),
    )
    .await;
    check(
        p,
        "b24 6c",
        "crm.deal.get",
        json!({"id": 1}),
        200,
        json!({"result": {"UF_CRM_SCORE": "0.83", "UF_CRM_HOT": "1", "UF_CRM_CLASS": null}}),
    )
    .await;
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"UF_CRM_CLASS": 2}})).await;
    check(
        p,
        "b24 5",
        "crm.item.get",
        json!({"entityTypeId": 2, "id": 1}),
        200,
        json!({"result": {"item": {"ufCrmScore": 0.83, "ufCrmHot": "Y", "ufCrmClass": 2}}}),
    )
    .await;
    check(
        p,
        "b24 5",
        "crm.item.get",
        json!({"entityTypeId": 2, "id": 1, "useOriginalUfNames": "Y"}),
        200,
        json!({"result": {"item": {"UF_CRM_SCORE": 0.83}}}),
    )
    .await;
    check(
        p,
        "b24 6c",
        "crm.item.update",
        json!({"entityTypeId": 2, "id": 1, "fields": {"ufCrmClass": "A"}}),
        400,
        json!({"error": "CRM_FIELD_ERROR_VALUE_NOT_VALID"}),
    )
    .await;
    // A boolean is filtered by 1 or 0; UF_* and the mask * are asked for separately.
    check(
        p,
        "b24 6c",
        "crm.deal.list",
        json!({"filter": {"UF_CRM_HOT": 1}, "select": ["UF_*"]}),
        200,
        json!({"result": [{"ID": "1", "UF_CRM_HOT": "1"}]}),
    )
    .await;
    check(p, "b24 6c", "crm.deal.list", json!({"filter": {"UF_CRM_HOT": "Y"}}), 200, json!({"result": []})).await;
    let bare = it.ok("crm.deal.list", json!({})).await;
    assert!(bare[0].get("UF_CRM_SCORE").is_none() && bare[0].get("TITLE").is_some(), "{bare}");
}

#[tokio::test]
async fn findbycomm_stops_at_twenty() {
    let it = portal(|_| {}).await;
    let phone = |value: &str| json!([{"VALUE": value}]);
    for _ in 0..3 {
        it.twin.call("crm.lead.add", &json!({"fields": {"PHONE": phone("8 (900) 111-22-33")}})).expect("a lead");
    }
    for _ in 0..25 {
        it.twin
            .call("crm.contact.add", &json!({"fields": {"PHONE": phone("+79001112233 доб. 5")}}))
            .expect("a contact");
    }
    it.twin
        .call(
            "crm.company.add",
            &json!({"fields": {"TITLE": "T", "PHONE": phone("+79001112233"), "EMAIL": phone("A@b.example")}}),
        )
        .expect("a company");
    let ids = |count: u64| (1..=count).collect::<Vec<u64>>();
    let p = &it;
    let find = |more: Json| {
        let mut params = json!({"type": "PHONE", "values": ["+7 900 111 22 33"]});
        for (key, value) in more.as_object().into_iter().flatten() {
            params[key] = value.clone();
        }
        params
    };
    // Contacts hit twenty, so companies are left out.
    check(
        p,
        "b24 6b",
        "crm.duplicate.findbycomm",
        find(json!({})),
        200,
        json!({"result": {"LEAD": ids(3), "CONTACT": ids(20)}}),
    )
    .await;
    let all = it.ok("crm.duplicate.findbycomm", find(json!({}))).await;
    assert!(all.get("COMPANY").is_none(), "{all}");
    check(
        p,
        "b24 6b",
        "crm.duplicate.findbycomm",
        find(json!({"entity_type": "COMPANY"})),
        200,
        json!({"result": {"COMPANY": [1]}}),
    )
    .await;
    check(
        p,
        "b24 6b",
        "crm.duplicate.findbycomm",
        find(json!({"type": "EMAIL", "values": ["a@B.example"]})),
        200,
        json!({"result": {"COMPANY": [1]}}),
    )
    .await;
    check(
        p,
        "b24 6b",
        "crm.duplicate.findbycomm",
        find(json!({"values": ["+70000000000"]})),
        200,
        json!({"result": []}),
    )
    .await;
    check(
        p,
        "find-by-comm.md",
        "crm.duplicate.findbycomm",
        json!({"values": ["1"]}),
        400,
        json!({"error": "Communication type is not defined"}),
    )
    .await;
    check(
        p,
        "find-by-comm.md",
        "crm.duplicate.findbycomm",
        json!({"type": "PHONE"}),
        400,
        json!({"error": "Communication values is not defined"}),
    )
    .await;
}

#[tokio::test]
async fn stages_close_deals_and_leave_a_history() {
    let it = portal(|options| {
        options.portal.add_category("Опт");
    })
    .await;
    let p = &it;
    // A stage of another funnel becomes the first stage of the deal's own.
    it.ok("crm.deal.add", json!({"fields": {"TITLE": "T", "CATEGORY_ID": 1, "STAGE_ID": "EXECUTING"}})).await;
    check(
        p,
        "b24 5",
        "crm.deal.get",
        json!({"id": 1}),
        200,
        json!({"result": {"CATEGORY_ID": "1", "STAGE_ID": "C1:NEW"}}),
    )
    .await;
    // A deal does not change its funnel by the classic update.
    it.clock.advance_ms(60_000);
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"CATEGORY_ID": 0, "STAGE_ID": "C1:EXECUTING"}})).await;
    check(
        p,
        "b24 5",
        "crm.deal.get",
        json!({"id": 1}),
        200,
        json!({"result": {"CATEGORY_ID": "1", "STAGE_ID": "C1:EXECUTING", "MOVED_TIME": "2026-11-21T10:01:00+03:00"}}),
    )
    .await;
    it.clock.advance_ms(60_000);
    it.ok("crm.deal.update", json!({"id": 1, "fields": {"STAGE_ID": "C1:WON"}})).await;
    check(
        p,
        "b24 5",
        "crm.deal.get",
        json!({"id": 1}),
        200,
        json!({"result": {"STAGE_SEMANTIC_ID": "S", "CLOSED": "Y", "CLOSEDATE": "2026-11-21T03:00:00+03:00"}}),
    )
    .await;
    it.ok("crm.item.update", json!({"entityTypeId": 2, "id": 1, "fields": {"categoryId": 0}})).await;
    check(p, "b24 6a", "crm.stagehistory.list", json!({"entityTypeId": 2, "filter": {"OWNER_ID": 1}}), 200, json!({"result": {"items": [
        {"ID": 1, "TYPE_ID": 1, "OWNER_ID": 1, "CATEGORY_ID": 1, "STAGE_ID": "C1:NEW", "CREATED_TIME": "2026-11-21T10:00:00+03:00"},
        {"ID": 2, "TYPE_ID": 2, "STAGE_ID": "C1:EXECUTING"},
        {"ID": 3, "TYPE_ID": 3, "STAGE_ID": "C1:WON", "STAGE_SEMANTIC_ID": "S"},
        {"ID": 4, "TYPE_ID": 5, "CATEGORY_ID": 0, "STAGE_ID": "NEW"},
    ]}, "total": 4})).await;
    it.ok("crm.lead.add", json!({"fields": {"NAME": "И"}})).await;
    check(
        p,
        "b24 5",
        "crm.lead.get",
        json!({"id": 1}),
        200,
        json!({"result": {"TITLE": "Лид #1", "STATUS_ID": "NEW", "STATUS_SEMANTIC_ID": "P", "OPPORTUNITY": "0.00"}}),
    )
    .await;
    check(
        p,
        "b24 6a",
        "crm.stagehistory.list",
        json!({"entityTypeId": 1}),
        200,
        json!({"result": {"items": [{"STATUS_ID": "NEW", "STATUS_SEMANTIC_ID": "P"}]}}),
    )
    .await;
}

#[tokio::test]
async fn what_hangs_on_objects() {
    let it = portal(|options| options.portal.mode = LeadMode::Simple).await;
    let p = &it;
    check(p, "b24 6d", "crm.settings.mode.get", json!({}), 200, json!({"result": 2})).await;
    it.ok("crm.company.add", json!({"fields": {"TITLE": "Ромашка"}})).await;
    check(p, "requisite-add.md", "crm.requisite.add", json!({"fields": {"ENTITY_TYPE_ID": 4, "ENTITY_ID": 1, "PRESET_ID": 1, "NAME": "Организация", "RQ_INN": "7707083893", "RQ_NONE": "x"}}), 200, json!({"result": 1})).await;
    check(
        p,
        "requisite-add.md",
        "crm.requisite.add",
        json!({"fields": {"ENTITY_TYPE_ID": 4, "ENTITY_ID": 9, "PRESET_ID": 1}}),
        400,
        json!({"error": "", "error_description": "Entity not found."}),
    )
    .await;
    check(
        p,
        "requisite-add.md",
        "crm.requisite.add",
        json!({"fields": {"ENTITY_TYPE_ID": 4, "ENTITY_ID": 1}}),
        400,
        json!({"error": "", "error_description": "PRESET_ID is not defined or invalid."}),
    )
    .await;
    check(
        p,
        "requisite-update.md",
        "crm.requisite.update",
        json!({"id": 1, "fields": {"RQ_KPP": "773601001"}}),
        200,
        json!({"result": true}),
    )
    .await;
    check(
        p,
        "requisite-update.md",
        "crm.requisite.update",
        json!({"id": 57, "fields": {}}),
        400,
        json!({"error": "", "error_description": "The Requisite with ID '57' is not found"}),
    )
    .await;
    check(
        p,
        "requisite-list.md",
        "crm.requisite.list",
        json!({"filter": {"RQ_INN": "7707083893", "ENTITY_TYPE_ID": 4}, "select": ["ENTITY_ID", "RQ_KPP"]}),
        200,
        json!({"result": [{"ID": "1", "ENTITY_ID": "1", "RQ_KPP": "773601001"}], "total": 1}),
    )
    .await;
    check(
        p,
        "requisite-list.md",
        "crm.requisite.list",
        json!({"filter": {"RQ_INN": "1"}}),
        200,
        json!({"result": [], "total": 0}),
    )
    .await;
    let comment = json!({"fields": {"ENTITY_ID": 1, "ENTITY_TYPE": "company", "COMMENT": "Звонок 2 мин"}});
    check(p, "comment-add.md", "crm.timeline.comment.add", comment, 200, json!({"result": 1})).await;
    check(
        p,
        "comment-add.md",
        "crm.timeline.comment.add",
        json!({"fields": {"ENTITY_ID": 9, "ENTITY_TYPE": "deal", "COMMENT": "x"}}),
        400,
        json!({"error": "OWNER_NOT_FOUND"}),
    )
    .await;
    check(
        p,
        "comment-add.md",
        "crm.timeline.comment.add",
        json!({"fields": {"ENTITY_ID": 1, "ENTITY_TYPE": "company", "COMMENT": " "}}),
        400,
        json!({"error": "INVALID_ARG_VALUE"}),
    )
    .await;
    check(
        p,
        "comment-add.md",
        "crm.timeline.comment.add",
        json!({"fields": {"COMMENT": "x"}}),
        400,
        json!({"error": 100}),
    )
    .await;
    check(
        p,
        "comment-list.md",
        "crm.timeline.comment.list",
        json!({"filter": {"ENTITY_ID": 1, "ENTITY_TYPE": "company"}}),
        200,
        json!({"result": [{"ID": "1", "COMMENT": "Звонок 2 мин", "AUTHOR_ID": "1"}], "total": 1}),
    )
    .await;
    let todo = json!({"ownerTypeId": 4, "ownerId": 1, "deadline": "2026-11-21T10:15:00+03:00", "title": "Перезвонить"});
    check(p, "todo-add.md", "crm.activity.todo.add", todo, 200, json!({"result": {"id": 1}})).await;
    check(
        p,
        "todo-add.md",
        "crm.activity.todo.add",
        json!({"ownerTypeId": 4, "ownerId": 1}),
        400,
        json!({"error": 100}),
    )
    .await;
    check(
        p,
        "todo-add.md",
        "crm.activity.todo.add",
        json!({"ownerTypeId": 4, "ownerId": 1, "deadline": "soon"}),
        400,
        json!({"error": "WRONG_DATETIME_FORMAT"}),
    )
    .await;
    // A letter logged as outgoing and completed really leaves.
    let letter = |direction: u8, completed: &str| {
        json!({"fields": {"OWNER_TYPE_ID": 4, "OWNER_ID": 1, "TYPE_ID": 4, "DIRECTION": direction, "COMPLETED": completed,
        "SUBJECT": "s", "COMMUNICATIONS": [{"VALUE": "a@b.example", "ENTITY_ID": 1, "ENTITY_TYPE_ID": 4}]}})
    };
    it.ok("crm.activity.add", letter(1, "Y")).await;
    it.ok("crm.activity.add", letter(2, "N")).await;
    assert_eq!(it.twin.with(|portal| portal.letters_sent), 0);
    it.ok("crm.activity.add", letter(2, "Y")).await;
    assert_eq!(it.twin.with(|portal| portal.letters_sent), 1);
    // Deleting the object removes what hung on it.
    it.ok("crm.company.delete", json!({"id": 1})).await;
    let counts = it.twin.state()["counts"].clone();
    assert!(contains(&counts, &json!({"company": 0, "requisite": 0, "comment": 0, "activity": 0})), "{counts}");
}

#[tokio::test]
async fn imports_set_times_and_fail_row_by_row() {
    let it = portal(|_| {}).await;
    let rows = json!({"entityTypeId": 4, "data": [{"title": "Старая", "createdTime": "2019-05-01T12:00:00+03:00"}, {"comments": "без имени"}]});
    let result = it.ok("crm.item.batchImport", rows).await;
    assert!(
        contains(&result, &json!({"items": [{"item": {"id": 1}}, {"error": "CRM_FIELD_ERROR_REQUIRED"}]})),
        "{result}"
    );
    assert_eq!(it.ok("crm.company.get", json!({"id": 1})).await["DATE_CREATE"], "2019-05-01T12:00:00+03:00");
    assert_eq!(
        it.ok("crm.item.import", json!({"entityTypeId": 3, "fields": {"name": "И"}})).await,
        json!({"item": {"id": 1}})
    );
    let many: Vec<Json> = (0..21).map(|_| json!({"name": "И"})).collect();
    check(
        &it,
        "batch-import.md",
        "crm.item.batchImport",
        json!({"entityTypeId": 3, "data": many}),
        400,
        json!({"error": "MAX_IMPORT_BATCH_SIZE_EXCEEDED"}),
    )
    .await;
}

#[tokio::test]
async fn a_person_merges_deletes_and_edits() {
    let it = portal(|_| {}).await;
    let p = &it;
    it.ok("crm.contact.add", json!({"fields": {"NAME": "А", "PHONE": [{"VALUE": "+71"}]}})).await;
    it.ok("crm.contact.add", json!({"fields": {"LAST_NAME": "Б", "PHONE": [{"VALUE": "+71"}, {"VALUE": "+72"}]}}))
        .await;
    it.ok("crm.deal.add", json!({"fields": {"TITLE": "T", "CONTACT_ID": 2}})).await;
    it.twin.person(&PersonAct::Merge { object: Kind::Contact, into: 1, ids: vec![2] });
    // The loser is not found, and nothing points to the survivor.
    check(
        p,
        "b24 6g",
        "crm.contact.get",
        json!({"id": 2}),
        400,
        json!({"error": "", "error_description": "Not found"}),
    )
    .await;
    check(
        p,
        "b24 6g",
        "crm.contact.get",
        json!({"id": 1}),
        200,
        json!({"result": {"NAME": "А", "LAST_NAME": "Б", "PHONE": [{"VALUE": "+71"}, {"VALUE": "+72"}]}}),
    )
    .await;
    check(p, "b24 6g", "crm.deal.get", json!({"id": 1}), 200, json!({"result": {"CONTACT_ID": "1"}})).await;
    let edit =
        PersonAct::Edit { object: Kind::Deal, id: 1, field: "OPPORTUNITY".to_owned(), value: "70000".to_owned() };
    it.twin.person(&edit);
    check(
        p,
        "b24 6c",
        "crm.deal.get",
        json!({"id": 1}),
        200,
        json!({"result": {"OPPORTUNITY": "70000.00", "MODIFY_BY_ID": "2"}}),
    )
    .await;
    // By the address too, as the demo does it.
    let act = json!({"act": "delete", "object": "deal", "id": 1});
    assert_eq!(it.send(it.http.post(it.twin.page("person")).json(&act)).await.status, 204);
    check(p, "b24 6a", "crm.deal.list", json!({}), 200, json!({"result": []})).await;
    // crm.entity.mergeBatch keeps the first.
    it.ok("crm.contact.add", json!({"fields": {"NAME": "В"}})).await;
    check(
        p,
        "b24 6g",
        "crm.entity.mergeBatch",
        json!({"params": {"entityTypeId": 3, "entityIds": [3, 1]}}),
        200,
        json!({"result": {"STATUS": "SUCCESS", "ENTITY_IDS": [3, 1]}}),
    )
    .await;
    check(p, "b24 6g", "crm.contact.list", json!({"select": ["ID"]}), 200, json!({"result": [{"ID": "3"}]})).await;
}
