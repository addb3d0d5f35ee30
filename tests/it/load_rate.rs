//! How much of a portal's quota the load of history uses, by virtual time: requests against the
//! bucket (two a second), and the working time of a method in ten minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use uzel::base::Clock;
use uzel::net::{Limiter, host_of};
use uzel::twin::bitrix24::{Growth, Limits, OperatingLimit};

use crate::pipeline_support::START;
use crate::reading_support::Scene;

/// Rows that one request brings: fifty pages of fifty.
const BATCH_ROWS: u64 = 2_500;
/// Calls that one request holds.
const BATCH_CALLS: u64 = 50;

/// A portal with so many contacts and deals, made in the year before.
async fn portal(limits: Limits, contacts: u64, deals: u64) -> Scene {
    let mut scene = Scene::new(limits).await;
    let to_s = START.seconds() - 86_400;
    let growth = Growth { seed: 7, contacts, deals, from_s: to_s - 365 * 86_400, to_s, ..Growth::default() };
    scene.twin.change(|portal| portal.grow(&growth));
    scene.read().await;
    scene
}

/// Loads history as the daemon does; milliseconds it took. The bucket is empty at the start: what a
/// rested one gives at once is no rate.
async fn load(scene: &mut Scene) -> i64 {
    let host = host_of(&scene.twin.url()).expect("an address");
    let begun = scene.clock.now();
    scene.quotas.close(&host, || Limiter::new(2, 1_000, 40), begun, begun);
    scene.load();
    while !scene.follower.is_loaded().expect("it reads") {
        if !scene.follower.round().await {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!(scene.clock.now().ms_since(begun) < 86_400_000, "it does not end");
    }
    scene.clock.now().ms_since(begun)
}

#[tokio::test(start_paused = true)]
async fn most_requests_that_the_portal_allows_bring_history() {
    let (contacts, deals) = (9_900, 2_400);
    let mut scene = portal(Limits { operating: None, ..Limits::cloud() }, contacts, deals).await;
    scene.person("crm.deal.productrows.set", json!({"id": 1, "rows": [{"PRODUCT_NAME": "Станок", "PRICE": 5}]}));
    let fields = json!({"ENTITY_TYPE": "deal", "ENTITY_ID": 1, "COMMENT": "Просит счёт"});
    scene.person("crm.timeline.comment.add", json!({ "fields": fields }));
    let took_ms = load(&mut scene).await;
    // What nobody can do without: the rows, fifty pages to a request; the comments, a call for each
    // object; one request for each of the eight streams that turn out to be empty or nearly so.
    let pages = |rows: u64| rows.div_ceil(BATCH_ROWS);
    let objects = pages(contacts) + pages(deals);
    let goods = 2 * pages(deals);
    let comments = objects + contacts.div_ceil(BATCH_CALLS) + deals.div_ceil(BATCH_CALLS);
    let needed = objects + goods + comments + 8;
    let allowed = took_ms as f64 / 1_000.0 * 2.0;
    let share = needed as f64 / allowed;
    println!("{needed} requests needed, {allowed} allowed in {took_ms} ms: {share:.3}");
    assert!(share >= 0.9, "{share:.3}: {needed} requests in {took_ms} ms");
    assert_eq!(scene.twin.refused("QUERY_LIMIT_EXCEEDED"), 0);
    assert_eq!(scene.cursor("contact").expect("it was read").cursor.loading, None);
    assert_eq!(scene.deal("deal", "1").deal.lines.len(), 1);
}

/// Loads the comments of so many contacts of a box (420 s of work in ten minutes), each call of which
/// costs so much. Ten minutes five times over: the share of what is allowed in them that brought
/// something.
async fn share_of_time(cost_ms: u64, contacts: u64) -> f64 {
    const WINDOWS: i64 = 5;
    let operating = OperatingLimit {
        limit_ms: 420_000,
        cost_ms: 20,
        cost_by_method_ms: BTreeMap::from([("crm.timeline.comment.list".to_owned(), cost_ms)]),
    };
    let mut scene = portal(Limits { operating: Some(operating), ..Limits::cloud() }, contacts, 0).await;
    let fields = json!({"ENTITY_TYPE": "contact", "ENTITY_ID": contacts, "COMMENT": "Просит счёт"});
    scene.person("crm.timeline.comment.add", json!({ "fields": fields }));
    let read = |scene: &Scene| scene.cursor("contact_comment").and_then(|it| it.cursor.loading).map_or(0, |it| it.read);
    // What was asked for until now is forgotten there, and counts for nothing.
    tokio::time::advance(Duration::from_secs(900)).await;
    let begun = scene.clock.now();
    scene.load();
    let (mut waited, mut worked_ms) = (0, 0);
    loop {
        if !scene.follower.round().await {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if scene.clock.now().ms_since(begun) >= WINDOWS * 600_000 {
            break;
        }
        worked_ms = read(&scene) * cost_ms;
        let reading = scene.readings.of("bitrix24", "contact_comment").expect("it is read");
        assert_eq!((&reading.trouble, scene.readings.unread("bitrix24")), (&None, None), "to wait is no trouble");
        waited += u64::from(reading.waits_until.is_some_and(|until| until > scene.clock.now()));
    }
    assert!(waited > 0, "the time of the method never ran out");
    load(&mut scene).await;
    let cursor = scene.cursor("contact_comment").expect("it was read").cursor;
    assert!(cursor.loaded && cursor.loading.is_none());
    assert!(scene.ours("comment", "1").is_some(), "the comment of the last contact");
    let share = worked_ms as f64 / (WINDOWS * 420_000) as f64;
    println!("{worked_ms} ms of work in {WINDOWS} times ten minutes at {cost_ms} ms a call: {share:.3}");
    share
}

#[tokio::test(start_paused = true)]
async fn most_of_the_time_of_a_method_brings_history() {
    let share = share_of_time(600, 4_000).await;
    assert!(share >= 0.9, "{share:.3}");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_time_of_a_method_ran_out_counts() {
    // Fifty calls cost 90 s: the time runs out within a request.
    let share = share_of_time(1_800, 1_300).await;
    assert!(share >= 0.9, "{share:.3}");
}
