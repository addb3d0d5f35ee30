//! The circuit of a foreign host in the way of a delivery: what waits for a host that fails eats no
//! attempts, one cheap request finds out whether it is there again. Time is tokio's, paused.

use std::time::Duration;

use serde_json::json;
use uzel::base::{Clock as _, Message};
use uzel::net::{CallError, FAILURES_MAX};
use uzel::sink::{Ending, Lane, PushReport, Work};

use crate::sink_script::{BITRIX24, REST, Reply, Scene, contact, deal, error, known, result, scene, work};

fn away() -> Reply {
    Err(CallError::Connect(Message::new("net-connect").with("host", "crm.example").with("detail", "refused")))
}

fn broken() -> Reply {
    Ok((502, "<html>Bad gateway</html>".to_owned()))
}

async fn push(scene: &Scene, numbers: std::ops::Range<u64>) -> PushReport {
    let changed = |number| known(deal(number, json!({"TITLE2": "b"})), "7", json!({"TITLE2": "a"}));
    push_of(scene, numbers, changed).await
}

async fn push_of(scene: &Scene, numbers: std::ops::Range<u64>, changed: impl Fn(u64) -> Work) -> PushReport {
    let deadline = scene.clock.now().plus_ms(60_000);
    scene.sink.push(Lane::Upper, numbers.map(changed).collect(), &scene.recorder, deadline).await
}

fn asked(scene: &Scene) -> usize {
    scene.log.lock().expect("not poisoned").iter().filter(|it| it.contains("server.time")).count()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_to_a_host_that_failed_until_a_cheap_request_was_answered() {
    for fails in [away as fn() -> Reply, broken] {
        let mut replies: Vec<Reply> = (0..FAILURES_MAX).map(|_| fails()).collect();
        // It is asked once more in vain; then it is there again.
        replies.extend([fails(), result(json!("2026-11-22T10:00:00+03:00")), result(json!(true))]);
        let scene = scene(BITRIX24, replies);
        for number in 0..u64::from(FAILURES_MAX) {
            assert_eq!(push(&scene, number..number + 1).await.requests, 1, "the circuit is closed");
        }
        for _ in 0..10 {
            let report = push(&scene, 1..40).await;
            assert_eq!((report.requests, report.ended.len(), report.untouched.len()), (0, 0, 39));
            assert!(report.stop.is_some());
        }
        assert_eq!(asked(&scene), 0);
        pass(30).await;
        let report = push(&scene, 1..40).await;
        assert_eq!((report.requests, report.ended.len(), report.untouched.len()), (1, 0, 39), "one request finds out");
        let until = report.stop.expect("it is away still").until;
        assert_eq!(until.ms_since(scene.clock.now()), 60_000, "the pause doubles");
        pass(59).await;
        assert_eq!(push(&scene, 1..40).await.requests, 0);
        pass(1).await;
        let report = push(&scene, 1..2).await;
        assert_eq!((asked(&scene), report.requests, report.stop), (2, 2, None));
        assert!(matches!(report.ended[..], [(_, Ending::Updated)]), "{:?}", report.ended);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_asks_to_wait_or_refuses_is_not_one_that_fails() {
    for refused in [("QUERY_LIMIT_EXCEEDED", 503), ("ERROR_CORE", 400), ("insufficient_scope", 403)] {
        let replies = (0..200).map(|_| error(refused.1, refused.0, "text")).collect();
        let scene = scene(BITRIX24, replies);
        for number in 0..20 {
            assert!(push(&scene, number..number + 1).await.requests > 0, "{refused:?}: the circuit is closed");
            pass(60).await;
        }
        assert_eq!(asked(&scene), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_cheap_request_one_delivery_finds_out() {
    let mut replies: Vec<Reply> = (0..=FAILURES_MAX).map(|_| away()).collect();
    replies.extend((0..8).map(|_| Ok((200, "{}".to_owned()))));
    let scene = scene(REST, replies);
    let person = |number| {
        let object = contact(number, json!({})).object;
        known(work(object, "person", json!({"name": "b"})), "7", json!({"name": "a"}))
    };
    for number in 0..u64::from(FAILURES_MAX) {
        push_of(&scene, number..number + 1, person).await;
    }
    assert_eq!(push_of(&scene, 1..5, person).await.requests, 0);
    pass(30).await;
    assert_eq!(push_of(&scene, 1..5, person).await.requests, 1);
    pass(60).await;
    let report = push_of(&scene, 1..5, person).await;
    assert_eq!((report.stop, report.untouched.len()), (None, 0));
}
