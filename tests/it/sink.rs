//! A sink against a script: what is sent in which order, what is journalled when, and what every
//! kind of answer leads to. Time is tokio's, paused: waits cost nothing.

use serde_json::{Value as Json, json};
use uzel::base::{Clock, Message, Timestamp};
use uzel::model::Fault;
use uzel::net::CallError;
use uzel::sink::{Lane, Work};

use crate::sink_script::*;

#[tokio::test(start_paused = true)]
async fn what_the_sink_does_not_have_is_looked_for_and_then_made() {
    let works = vec![with_phone(contact(1, json!({"NAME": "Иван"})), "+79123456789")];
    let replies = vec![result(json!([])), result(json!([])), result(json!(17))];
    check(BITRIX24, works, replies, &[
        r#"0s Post crm.contact.list {"filter":{"=ORIGINATOR_ID":"uzel","=ORIGIN_ID":"c1"},"order":{"ID":"ASC"},"select":["ID"]}"#,
        r#"0s Post crm.duplicate.findbycomm {"entity_type":"CONTACT","type":"PHONE","values":["+79123456789"]}"#,
        "attempting c1",
        r#"0s Post crm.contact.add {"auth_connector":"uzel","fields":{"NAME":"Иван"},"params":{"REGISTER_SONET_EVENT":"N"}}"#,
        r#"attempted 1; c1 create: contact 17 holds NAME="Иван""#,
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_the_difference_is_sent_and_nothing_when_there_is_none() {
    let held = || json!({"TITLE": "Заявка", "OPPORTUNITY": 5, "UF_CRM_UZEL_CLASS": "B"});
    let works =
        vec![known(deal(1, json!({"TITLE": "Иначе", "OPPORTUNITY": 5, "UF_CRM_UZEL_CLASS": "A"})), "7", held())];
    check(BITRIX24, works, vec![result(json!(true))], &[
        r#"0s Post crm.deal.update {"auth_connector":"uzel","fields":{"UF_CRM_UZEL_CLASS":"A"},"id":"7","params":{"REGISTER_SONET_EVENT":"N"}}"#,
        r#"attempted -; d1 update: deal 7 holds OPPORTUNITY=5,TITLE="Заявка",UF_CRM_UZEL_CLASS="A""#,
    ])
    .await;
    let works = vec![known(deal(1, held()), "7", held())];
    let expected = r#"attempted -; d1 update: deal 7 holds OPPORTUNITY=5,TITLE="Заявка",UF_CRM_UZEL_CLASS="B""#;
    check(BITRIX24, works, vec![], &[expected]).await;
}

#[tokio::test(start_paused = true)]
async fn one_found_by_telephone_is_linked_and_only_what_it_lacks_is_written() {
    let phones = |it: &str| json!([{"VALUE": it, "VALUE_TYPE": "WORK"}]);
    let desired = json!({"NAME": "Иван", "PHONE": phones("+79123456789"), "UF_CRM_UZEL_CLASS": "A"});
    let record = json!({"ID": "3", "NAME": "Иван", "PHONE": [{"ID": "50", "VALUE": "8 912 345-67-89"}]});
    let replies =
        vec![result(json!([])), result(json!({"CONTACT": [5, 3]})), result(record.clone()), result(json!(true))];
    let works = vec![with_phone(contact(1, desired.clone()), "+79123456789")];
    let report = check(BITRIX24, works, replies, &[
        r#"0s Post crm.contact.list {"filter":{"=ORIGINATOR_ID":"uzel","=ORIGIN_ID":"c1"},"order":{"ID":"ASC"},"select":["ID"]}"#,
        r#"0s Post crm.duplicate.findbycomm {"entity_type":"CONTACT","type":"PHONE","values":["+79123456789"]}"#,
        r#"0s Post crm.contact.get {"id":"3"}"#,
        r#"0s Post crm.contact.update {"auth_connector":"uzel","fields":{"UF_CRM_UZEL_CLASS":"A"},"id":"3","params":{"REGISTER_SONET_EVENT":"N"}}"#,
        r#"attempted -; c1 update: contact 3 holds NAME="Иван",PHONE=[{"VALUE":"+79123456789","VALUE_TYPE":"WORK"}],UF_CRM_UZEL_CLASS="A""#,
    ])
    .await;
    assert_eq!(report.notes[0].1.id, "sink-found-several", "several fitted, and a person is told");

    // A number that changed at our side takes the place of the one we wrote; the others stay.
    let held = json!({"PHONE": phones("+79123456789")});
    let works = vec![known(contact(1, json!({"PHONE": phones("+74951112233")})), "3", held)];
    check(BITRIX24, works, vec![result(record), result(json!(true))], &[
        r#"0s Post crm.contact.get {"id":"3"}"#,
        r#"0s Post crm.contact.update {"auth_connector":"uzel","fields":{"PHONE":[{"ID":"50","VALUE":"+74951112233","VALUE_TYPE":"WORK"}]},"id":"3","params":{"REGISTER_SONET_EVENT":"N"}}"#,
        r#"attempted -; c1 update: contact 3 holds PHONE=[{"VALUE":"+74951112233","VALUE_TYPE":"WORK"}]"#,
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_create_is_looked_up_and_never_made_twice() {
    let replies = vec![
        result(json!([])),
        cut(),
        // The next push finds it.
        result(json!([{"ID": "17"}])),
        result(json!({"ID": "17", "TITLE": "Заявка"})),
    ];
    let scene = scene(BITRIX24, replies);
    let list = r#"s Post crm.deal.list {"filter":{"=ORIGINATOR_ID":"uzel","=ORIGIN_ID":"d1"},"order":{"ID":"ASC"},"select":["ID"]}"#;
    let report = scene
        .push(
            vec![deal(1, json!({"TITLE": "Заявка"}))],
            &[
                &format!("0{list}"),
                "attempting d1",
                r#"0s Post crm.deal.add {"auth_connector":"uzel","fields":{"TITLE":"Заявка"},"params":{"REGISTER_SONET_EVENT":"N"}}"#,
                "attempted 1; d1 create: Uncertain",
            ],
        )
        .await;
    let stop = report.stop.expect("the sink rests after a cut");
    assert_eq!(stop.fault, Fault::Sink);
    scene
        .push(
            vec![uncertain(deal(1, json!({"TITLE": "Заявка"})))],
            &[&format!("0{list}"), r#"0s Post crm.deal.get {"id":"17"}"#, "attempted -; d1 find: deal 17 holds "],
        )
        .await;
    scene.script_is_over();
}

#[tokio::test(start_paused = true)]
async fn each_object_of_a_half_failed_batch_gets_what_is_its_own() {
    let works: Vec<Work> = (1..=5).map(|number| deal(number, json!({"N": number}))).collect();
    let replies = vec![
        batch(json!({"c0": [], "c1": [], "c2": [], "c3": [], "c4": []}), &[]),
        batch(json!({"c0": 101, "c3": 104}), &[("c1", "INTERNAL_SERVER_ERROR"), ("c2", "Field is wrong")]),
    ];
    let list = |number: u32| {
        format!("crm.deal.list?filter[=ORIGINATOR_ID]=uzel&filter[=ORIGIN_ID]=d{number}&order[ID]=ASC&select[0]=ID")
    };
    let add =
        |number: u32| format!("crm.deal.add?auth_connector=uzel&fields[N]={number}&params[REGISTER_SONET_EVENT]=N");
    let lists: Vec<String> = (1..=5).map(list).collect();
    let adds: Vec<String> = (1..=5).map(add).collect();
    let report = check(
        BITRIX24,
        works,
        replies,
        &[
            &format!("0s Post batch {}", lists.join(" | ")),
            "attempting d1 d2 d3 d4 d5",
            &format!("0s Post batch {}", adds.join(" | ")),
            "attempted 1; d1 create: deal 101 holds N=1; d2 create: Uncertain; d3 create: RejectObject; \
         d4 create: deal 104 holds N=4; d5 create: Uncertain",
        ],
    )
    .await;
    assert_eq!((report.ended.len(), report.requests), (5, 2));
    assert!(report.stop.is_none(), "one wrong object does not stop the sink");
}

#[tokio::test(start_paused = true)]
async fn an_outer_failure_of_a_batch_is_every_objects() {
    for (reply, verdict) in [
        (error(500, "INTERNAL_SERVER_ERROR", ""), "Uncertain"),
        (error(401, "expired_token", ""), "RejectConnection"),
        (Ok((502, "<html>".to_owned())), "Uncertain"),
    ] {
        let works = vec![deal(1, json!({})), deal(2, json!({}))];
        let scene = scene(BITRIX24, vec![batch(json!({"c0": [], "c1": []}), &[]), reply]);
        let deadline = START.plus_ms(60_000);
        scene.sink.push(Lane::Upper, works, &scene.recorder, deadline).await;
        let log = scene.log.lock().expect("no panic before").clone();
        let expected = format!("attempted 1; d1 create: {verdict}; d2 create: {verdict}");
        assert_eq!(log.last(), Some(&expected), "{log:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_bucket_waits_and_the_same_request_goes_again() {
    let full = || error(503, "QUERY_LIMIT_EXCEEDED", "Too many requests");
    let works = vec![known(deal(1, json!({"A": 2})), "7", json!({"A": 1}))];
    let update = r#"Post crm.deal.update {"auth_connector":"uzel","fields":{"A":2},"id":"7","params":{"REGISTER_SONET_EVENT":"N"}}"#;
    check(
        BITRIX24,
        works,
        vec![full(), full(), result(json!(true))],
        &[
            &format!("0s {update}"),
            &format!("1s {update}"),
            &format!("3s {update}"),
            "attempted -; d1 update: deal 7 holds A=2",
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_stays_full_stops_the_push_and_counts_against_nobody() {
    let full = || error(503, "QUERY_LIMIT_EXCEEDED", "Too many requests");
    let works = (1..=60).map(|it| known(deal(it, json!({"A": 2})), "7", json!({"A": 1}))).collect();
    let scene = scene(BITRIX24, vec![full(), full(), full(), full()]);
    let report = scene.sink.push(Lane::Upper, works, &scene.recorder, START.plus_ms(60_000)).await;
    assert_eq!((report.ended.len(), report.untouched.len()), (0, 60));
    assert_eq!(report.stop.expect("the sink rests").fault, Fault::Sink);
    scene.script_is_over();
}

#[tokio::test(start_paused = true)]
async fn our_own_bucket_keeps_us_below_two_requests_a_second() {
    let manifest = BITRIX24.replace("batch = \"bitrix24\"", "").replace("burst = 40", "burst = 1");
    let works = (1..=3).map(|it| known(deal(it, json!({"A": 2})), "7", json!({"A": 1}))).collect();
    let scene = scene(&manifest, (0..3).map(|_| result(json!(true))).collect());
    let report = scene.sink.push(Lane::Upper, works, &scene.recorder, START.plus_ms(60_000)).await;
    assert_eq!(report.ended.len(), 3);
    assert_eq!(scene.clock.now().ms_since(START), 1_000, "at 0, 500 and 1000 ms");
    // Waits end at the deadline.
    let works = (1..=3).map(|it| known(deal(it, json!({"A": 2})), "7", json!({"A": 1}))).collect();
    let report = scene.sink.push(Lane::Upper, works, &scene.recorder, scene.clock.now().plus_ms(100)).await;
    assert_eq!((report.ended.len(), report.untouched.len()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_method_that_has_spent_its_time_waits_and_the_others_go_on() {
    // The answer itself is good, and says that the method is near its limit until then.
    let reset = START.seconds() + 300;
    let spent =
        |operating: f64| ok(json!({"result": true, "time": {"operating": operating, "operating_reset_at": reset}}));
    let refused = |code: &str| {
        let time = json!({"operating_reset_at": reset});
        Ok((429, json!({"error": code, "error_description": "", "time": time}).to_string()))
    };
    for first in [spent(400.5), refused("OPERATION_TIME_LIMIT")] {
        let scene = scene(BITRIX24, vec![first, spent(1.0), spent(1.0)]);
        let deal_update = || known(deal(1, json!({"A": 2})), "7", json!({"A": 1}));
        let contact_update = || known(contact(1, json!({"A": 2})), "7", json!({"A": 1}));
        scene.sink.push(Lane::Upper, vec![deal_update()], &scene.recorder, START.plus_ms(60_000)).await;
        let report = scene
            .sink
            .push(Lane::Upper, vec![deal_update(), contact_update()], &scene.recorder, START.plus_ms(60_000))
            .await;
        // Once the second that was told is over.
        let until = Timestamp((reset + 1) * 1_000);
        assert_eq!(report.untouched, [(deal_update().object, Some(until))]);
        assert_eq!(report.ended.len(), 1, "the contact was told");
        // Whoever has time to wait, waits.
        let report = scene.sink.push(Lane::Upper, vec![deal_update()], &scene.recorder, START.plus_ms(600_000)).await;
        assert_eq!(report.ended.len(), 1);
        assert!(scene.clock.now() >= until);
        scene.script_is_over();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_there_is_said_to_be() {
    let works = vec![known(deal(1, json!({"A": 2})), "7", json!({"A": 1}))];
    check(
        BITRIX24,
        works,
        vec![error(400, "", "Not found")],
        &[
            r#"0s Post crm.deal.update {"auth_connector":"uzel","fields":{"A":2},"id":"7","params":{"REGISTER_SONET_EVENT":"N"}}"#,
            "attempted -; d1 update: Gone",
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn refused_rights_stop_the_sink_and_refused_data_do_not() {
    let works = || vec![known(deal(1, json!({"A": 2})), "7", json!({"A": 1}))];
    let update = r#"0s Post crm.deal.update {"auth_connector":"uzel","fields":{"A":2},"id":"7","params":{"REGISTER_SONET_EVENT":"N"}}"#;
    let rights = vec![error(403, "insufficient_scope", "no scope")];
    let report = check(BITRIX24, works(), rights, &[update, "attempted -; d1 update: RejectConnection"]).await;
    assert_eq!(report.stop.map(|it| it.fault), Some(Fault::Connection));
    let data = vec![error(400, "ERROR_CORE", "wrong")];
    let report = check(BITRIX24, works(), data, &[update, "attempted -; d1 update: RejectObject"]).await;
    assert_eq!(report.stop, None);
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_portal_is_left_alone_for_an_hour() {
    let works = vec![known(deal(1, json!({"A": 2})), "7", json!({"A": 1})), deal(2, json!({}))];
    let scene = scene(BITRIX24, vec![error(503, "OVERLOAD_LIMIT", "blocked")]);
    let report = scene.sink.push(Lane::Upper, works, &scene.recorder, START.plus_ms(60_000)).await;
    assert_eq!(report.stop.expect("it rests").until, START.plus_ms(3_600_000));
    assert_eq!(report.untouched.len(), 2);
    scene.script_is_over();
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_sink_counts_against_nobody_and_rests_longer_each_time() {
    let away = || Err(CallError::Connect(Message::new("net-connect").with("host", "h").with("detail", "d")));
    let scene = scene(BITRIX24, vec![away(), away(), away()]);
    let mut rests = Vec::new();
    for _ in 0..3 {
        let works = vec![known(deal(1, json!({"A": 2})), "7", json!({"A": 1}))];
        let report = scene.sink.push(Lane::Upper, works, &scene.recorder, START.plus_ms(60_000)).await;
        assert_eq!((report.ended.len(), report.untouched.len()), (0, 1));
        rests.push(report.stop.expect("it rests").until.ms_since(scene.clock.now()));
    }
    assert!(rests.is_sorted() && rests[0] < rests[2], "{rests:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_that_could_not_be_written_down_first() {
    let mut scene = scene(BITRIX24, vec![result(json!([]))]);
    scene.recorder.broken = true;
    let report = scene.sink.push(Lane::Upper, vec![deal(1, json!({}))], &scene.recorder, START.plus_ms(60_000)).await;
    assert_eq!(report.stop.expect("it stops").fault, Fault::Uzel);
    assert_eq!(report.untouched.len(), 1);
    scene.script_is_over();
}

#[tokio::test(start_paused = true)]
async fn a_comment_is_found_by_the_line_with_our_id_on_any_page() {
    let desired = || json!({"ENTITY_TYPE": "deal", "ENTITY_ID": 7, "COMMENT": "Позвоните мне"});
    let other = json!({"ID": "1", "COMMENT": "[uzel:i11]"});
    let ours = json!({"ID": "2", "COMMENT": "Позвоните мне\n[uzel:i1]"});
    let page = |rows: Json, next: Json| ok(json!({"result": rows, "next": next}));
    let list = |start: u32| {
        format!(
            r#"0s Post crm.timeline.comment.list {{"filter":{{"ENTITY_ID":7,"ENTITY_TYPE":"deal"}},"order":{{"ID":"DESC"}},"select":["ID","COMMENT"],"start":{start}}}"#
        )
    };
    let held = r#"COMMENT="Позвоните мне\n[uzel:i1]",ENTITY_ID=7,ENTITY_TYPE="deal""#;
    let replies = vec![page(json!([other]), json!(50)), page(json!([ours]), Json::Null)];
    check(
        BITRIX24,
        vec![uncertain(interaction(1, "comment", desired()))],
        replies,
        &[&list(0), &list(50), &format!("attempted -; i1 find: comment 2 holds {held}")],
    )
    .await;
    let replies = vec![page(json!([other]), Json::Null), result(json!(3))];
    check(BITRIX24, vec![interaction(1, "comment", desired())], replies, &[
        &list(0),
        "attempting i1",
        r#"0s Post crm.timeline.comment.add {"fields":{"COMMENT":"Позвоните мне\n[uzel:i1]","ENTITY_ID":7,"ENTITY_TYPE":"deal"}}"#,
        &format!("attempted 1; i1 create: comment 3 holds {held}"),
    ])
    .await;
}

#[tokio::test(start_paused = true)]
async fn two_new_clients_with_one_telephone_are_not_made_at_one_time() {
    let works = vec![
        with_phone(contact(1, json!({})), "+79123456789"),
        with_phone(contact(2, json!({})), "+79123456789"),
        contact(1, json!({})),
    ];
    let none = || batch(json!({"c0": [], "c1": []}), &[]);
    let scene = scene(BITRIX24, vec![none(), none(), result(json!(17))]);
    let report = scene.sink.push(Lane::Upper, works, &scene.recorder, START.plus_ms(60_000)).await;
    let untouched: Vec<String> = report.untouched.iter().map(|(it, _)| short(*it)).collect();
    assert_eq!(untouched, ["c1", "c2"], "the second of one object, and the second of one telephone");
    scene.script_is_over();
}

#[tokio::test(start_paused = true)]
async fn a_plain_rest_system_needs_no_rust() {
    let works = vec![
        work(contact(1, json!({})).object, "person", json!({"name": "Иван"})),
        known(work(contact(2, json!({})).object, "person", json!({"name": "Пётр"})), "p/2", json!({"name": "Петр"})),
        interaction(3, "note", json!({"person": "p1", "text": "x"})),
    ];
    let replies =
        vec![ok(json!({"ok": true})), Ok((201, json!({"id": "p1"}).to_string())), ok(json!({"note": {"id": 5}}))];
    check(
        REST,
        works,
        replies,
        &[
            r#"0s Patch people/p%2F2 {"name":"Пётр"}"#,
            r#"attempted -; c2 update: person p/2 holds name="Пётр""#,
            "attempting c1",
            r#"0s Put people/c1 {"name":"Иван"}"#,
            r#"attempted 1; c1 create: person p1 holds name="Иван""#,
            "attempting i3",
            r#"0s Post notes {"for":"p1","note":{"person":"p1","text":"x"}}"#,
            r#"attempted 2; i3 create: note 5 holds person="p1",text="x""#,
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_up_goes_to_a_person_and_what_is_keyed_goes_again() {
    let note = || interaction(3, "note", json!({"person": "p1"}));
    let post = r#"0s Post notes {"for":"p1","note":{"person":"p1"}}"#;
    for lost in [cut(), Ok((500, "{}".to_owned())), Ok((200, "{}".to_owned()))] {
        let expected = &["attempting i3", post, "attempted 1; i3 create: AskPerson"];
        check(REST, vec![note()], vec![lost], expected).await;
    }
    check(REST, vec![uncertain(note())], vec![], &["attempted -; i3 create: AskPerson"]).await;
    let person = || work(contact(1, json!({})).object, "person", json!({"name": "Иван"}));
    let put = r#"0s Put people/c1 {"name":"Иван"}"#;
    check(REST, vec![person()], vec![cut()], &["attempting c1", put, "attempted 1; c1 create: retry in 0s"]).await;
    let again = &["attempting c1", put, r#"attempted 1; c1 create: person p1 holds name="Иван""#];
    check(REST, vec![uncertain(person())], vec![ok(json!({"id": "p1"}))], again).await;
}

#[tokio::test(start_paused = true)]
async fn missing_fields_are_made_once_and_a_lost_race_is_no_error() {
    let names =
        |names: &[&str]| result(Json::Array(names.iter().map(|it| json!({"ID": "1", "FIELD_NAME": it})).collect()));
    let class = "UF_CRM_UZEL_CLASS";
    let all = ["UF_CRM_UZEL_PAID", "UF_CRM_UZEL_VALUE", "UF_CRM_UZEL_PROBABILITY", class, "UF_CRM_UZEL_EXPLANATION"];
    let replies = vec![
        names(&[class]),
        names(&[]),
        error(400, "ERROR_CORE", "exists"),
        names(&[class]),
        names(&all[..4]),
        result(json!(9)),
    ];
    let scene = scene(BITRIX24, replies);
    let report = scene.sink.provision(START.plus_ms(60_000)).await.expect("it succeeds");
    assert_eq!((report.present.len(), report.added.len()), (6, 1));
    let log = scene.log.lock().expect("no panic before").clone();
    let last = log.last().expect("requests were sent");
    assert!(last.contains("crm.deal.userfield.add") && last.contains(r#""FIELD_NAME":"UZEL_EXPLANATION""#), "{last}");
    scene.script_is_over();

    let replies = vec![names(&[]), error(400, "", "Access denied."), error(400, "", "Access denied.")];
    let scene = self::scene(BITRIX24, replies);
    let error = scene.sink.provision(START.plus_ms(60_000)).await.expect_err("no rights");
    assert_eq!((error.fault, error.message.id.as_str()), (Fault::Connection, "sink-field-refused"));
}
