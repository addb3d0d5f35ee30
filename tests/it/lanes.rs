//! Two lanes to one sink: what nobody waits for drains as fast as the foreign limit allows, and a
//! lead that comes meanwhile is told at once. Time is tokio's, paused; the other side counts by the
//! documented limits (facts/crm/bitrix24.md section 3), not by our quota.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use uzel::base::{Clock, Position, Secret, Slug, Timestamp};
use uzel::connector::Connector;
use uzel::entry::ObjectRef;
use uzel::net::{Answer, Boxed, CallError, Quotas, Request, Wire};
use uzel::sink::{Ending, Lane, PushReport, Settings, Sink, Work};

use crate::sink_script::{BITRIX24, Log, Memory, PausedClock, START, contact, deal, interaction, known, with_phone};

/// A portal that answers everything, drains two requests a second, and blocks at fifty.
struct Portal {
    clock: Arc<PausedClock>,
    single_ms: u64,
    batch_ms: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Level of the bucket in thousandths, and when it was so.
    level: i64,
    at_ms: i64,
    requests: u64,
    refused: u64,
    /// Seconds of work by method, thousandths.
    operating: HashMap<String, i64>,
    created: u64,
    /// Works under way at one time, the most.
    together: u64,
    together_max: u64,
}

impl Portal {
    fn ms(&self) -> i64 {
        self.clock.now().ms_since(START)
    }

    fn admits(&self) -> bool {
        let now = self.ms();
        let mut state = self.state.lock().expect("no panic before");
        state.requests += 1;
        state.level = (state.level - (now - state.at_ms) * 2).max(0);
        state.at_ms = now;
        let admits = state.level + 1_000 <= 50_000;
        match admits {
            true => state.level += 1_000,
            false => state.refused += 1,
        }
        admits
    }

    fn answer(&self, method: &str) -> Json {
        let mut state = self.state.lock().expect("no panic before");
        match method {
            "crm.duplicate.findbycomm" => json!([]),
            it if it.ends_with(".list") => json!([]),
            it if it.ends_with(".add") => {
                state.created += 1;
                json!(state.created)
            }
            _ => json!(true),
        }
    }

    fn operating(&self, method: &str, cost_ms: i64) -> Json {
        let mut state = self.state.lock().expect("no panic before");
        let spent = state.operating.entry(method.to_owned()).or_default();
        *spent += cost_ms;
        let reset_at = self.clock.now().plus_ms(600_000).seconds();
        json!({ "operating": *spent as f64 / 1_000.0, "operating_reset_at": reset_at })
    }
}

impl Wire for Portal {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        Box::pin(async move {
            let method = request.address.expose().rsplit('/').next().unwrap_or_default().to_owned();
            if !self.admits() {
                let body = json!({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"});
                return Ok(Answer { status: 503, headers: Vec::new(), body: body.to_string().into_bytes() });
            }
            {
                let mut state = self.state.lock().expect("no panic before");
                state.together += 1;
                state.together_max = state.together_max.max(state.together);
            }
            let is_batch = method == "batch";
            tokio::time::sleep(Duration::from_millis(if is_batch { self.batch_ms } else { self.single_ms })).await;
            self.state.lock().expect("no panic before").together -= 1;
            let sent: Json = serde_json::from_slice(&request.body).unwrap_or_default();
            let body = match sent["cmd"].as_object() {
                Some(commands) => {
                    let (mut results, mut times) = (serde_json::Map::new(), serde_json::Map::new());
                    for (name, command) in commands {
                        let method = command.as_str().and_then(|it| it.split('?').next()).unwrap_or_default();
                        results.insert(name.clone(), self.answer(method));
                        times.insert(name.clone(), self.operating(method, 20));
                    }
                    json!({"result": {"result": results, "result_error": [], "result_total": [], "result_next": [],
                        "result_time": times}})
                }
                None => json!({"result": self.answer(&method), "time": self.operating(&method, 20)}),
            };
            Ok(Answer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() })
        })
    }
}

struct World {
    portal: Arc<Portal>,
    sink: Sink,
    clock: Arc<PausedClock>,
    recorder: Memory,
}

fn world(single_ms: u64, batch_ms: u64) -> World {
    let clock = Arc::new(PausedClock::begin());
    let portal = Arc::new(Portal { clock: clock.clone(), single_ms, batch_ms, state: Mutex::new(State::default()) });
    let connector = Connector::compile(Slug::literal("bitrix24"), "connector.toml", BITRIX24).expect("it compiles");
    let spec = Arc::new(connector.sink.expect("it has a sink"));
    let settings = Settings {
        values: Vec::new(),
        secrets: vec![("webhook_url".into(), Secret::new("https://crm.example/rest/1/s3cret/"))],
    };
    let quotas = Arc::new(Quotas::new());
    let sink = Sink::new(Slug::literal("crm"), spec, &settings, portal.clone(), quotas, clock.clone());
    let recorder = Memory::new(Log::default());
    World { portal, sink: sink.expect("a sink"), clock, recorder }
}

impl World {
    async fn push(&self, lane: Lane, works: Vec<Work>) -> PushReport {
        let deadline = self.clock.now().plus_ms(60_000);
        self.sink.push(lane, works, &self.recorder, deadline).await
    }

    /// Changed scores in pushes of fifty, as the deliverer sends them; how long it took, ms.
    async fn drain(&self, deals: u64) -> i64 {
        let begun = self.clock.now();
        let changed = |number: u64| {
            known(
                deal(number, json!({"UF_CRM_UZEL_CLASS": "A"})),
                &number.to_string(),
                json!({"UF_CRM_UZEL_CLASS": "B"}),
            )
        };
        let mut left: Vec<u64> = (1..=deals).collect();
        while !left.is_empty() {
            let works: Vec<Work> = left.iter().take(50).map(|&number| changed(number)).collect();
            let report = self.push(Lane::Lower, works).await;
            assert!(report.stop.is_none(), "the foreign system never has to say no: {:?}", report.stop);
            left.drain(..report.ended.len());
            if report.ended.is_empty() {
                let until = report.untouched.iter().filter_map(|(_, at)| *at).min();
                let rest = until.map_or(1_000, |at| at.ms_since(self.clock.now()).max(1));
                tokio::time::sleep(Duration::from_millis(rest.unsigned_abs())).await;
            }
        }
        self.clock.now().ms_since(begun)
    }

    /// A lead with its contact, deal and note; how long until the CRM has all of it, ms.
    async fn lead(&self, number: u64) -> i64 {
        let begun: Timestamp = self.clock.now();
        let person = with_phone(contact(number, json!({"NAME": "Анна"})), "+79160001122");
        for work in [
            person,
            deal(number, json!({"TITLE": "Заявка"})),
            interaction(number, "comment", json!({"COMMENT": "x", "ENTITY_TYPE": "deal", "ENTITY_ID": 1})),
        ] {
            let report = self.push(Lane::Upper, vec![work]).await;
            assert!(matches!(report.ended.as_slice(), [(_, Ending::Created)]), "{report:?}");
        }
        self.clock.now().ms_since(begun)
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_scores_drain_at_the_quota_and_leads_do_not_wait() {
    let world = world(100, 300);
    let leads = async {
        let mut waits = Vec::new();
        for number in 0..6 {
            tokio::time::sleep(Duration::from_secs(12)).await;
            waits.push(world.lead(100_000 + number).await);
        }
        waits
    };
    let (drained_ms, waits) = tokio::join!(world.drain(10_000), leads);
    let state = world.portal.state.lock().expect("no panic before");
    assert_eq!(state.refused, 0, "of {} requests", state.requests);
    assert!(waits.iter().all(|it| *it < 2_000), "{waits:?}");
    // 200 requests of scores and what the leads took, two a second, thirty at once after a rest.
    let ideal_ms = (state.requests as i64 - 30) * 500;
    assert!(drained_ms <= ideal_ms + ideal_ms / 20, "{drained_ms} ms of {ideal_ms} ms");
}

#[tokio::test(start_paused = true)]
async fn a_lead_does_not_stand_behind_a_batch_that_is_being_worked_on() {
    let world = world(100, 20_000);
    let lead = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        world.lead(100_000).await
    };
    let (_, wait) = tokio::join!(world.drain(200), lead);
    assert!(wait < 2_000, "{wait} ms");
    assert_eq!(world.portal.state.lock().expect("no panic before").together_max, 2, "one push of each lane");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_method_keeps_a_reserve_for_leads() {
    // 20 ms of work each: at 400 s the upper lane stops, the lower one at 380 s.
    let world = world(10, 10);
    {
        let mut state = world.portal.state.lock().expect("no panic before");
        state.operating.insert("crm.deal.update".to_owned(), 385_000);
    }
    let changed = |number: u64| known(deal(number, json!({"X": 1})), "7", json!({"X": 2}));
    let first = world.push(Lane::Lower, vec![changed(1)]).await;
    assert_eq!(first.ended.len(), 1);
    let held = world.push(Lane::Lower, vec![changed(2)]).await;
    assert!(held.ended.is_empty() && held.untouched[0].1.is_some(), "{held:?}");
    let goes = world.push(Lane::Upper, vec![changed(3)]).await;
    assert_eq!(goes.ended.len(), 1, "{goes:?}");
}

#[tokio::test]
async fn what_one_push_has_the_other_does_not_take() {
    let world = world(0, 0);
    let person = |number: u64, phone: &str| with_phone(contact(number, json!({"NAME": "Анна"})), phone);
    let claim = |works: Vec<Work>| world.sink.claim(|| Ok::<_, ()>(works)).expect("it reads");
    let objects = |works: &[Work]| works.iter().map(|it| it.object).collect::<Vec<ObjectRef>>();
    let first = claim(vec![person(1, "+79160000001"), person(2, "+79160000001"), person(3, "+79160000003")]);
    assert_eq!(first.works.len(), 3, "a push may hold two of one number: it makes the second later");
    let second = claim(vec![person(1, "+79160000009"), person(4, "+79160000003"), person(5, "+79160000005")]);
    assert_eq!(objects(&second.works), [person(5, "").object], "neither the same object nor the same number");
    // What the sink knows is not made: a shared number does not matter.
    let mut changed = known(person(6, "+79160000003"), "7", json!({}));
    changed.version = Position(3);
    assert_eq!(claim(vec![changed]).works.len(), 1);
    drop(first);
    assert_eq!(claim(vec![person(1, "+79160000001")]).works.len(), 1);
}
