//! A delivery that was under way when the daemon was killed.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use uzel::base::clock::ManualClock;
use uzel::base::telemetry::Metrics;
use uzel::base::{Clock, Locale, Secret, Slug};
use uzel::entry::{Attempting, AttemptingItem, Entry, ObjectRef, Operation};
use uzel::net::{Answer, Boxed, CallError, Quotas, Request, Wire};
use uzel::pipeline::Pipeline;
use uzel::sink::{Settings, Sink};
use uzel::tables::{Clients, Span};
use uzel::task::Ground;
use uzel::task::deliver::{Deliverer, Stops};

use crate::pipeline_support::{START, World, person, plain};

/// Notes what is asked of the CRM; it has nothing.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl Wire for Asked {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        let asked = format!("{} {}", request.address.expose(), String::from_utf8_lossy(&request.body));
        self.0.lock().expect("not poisoned").push(asked);
        let answer = Answer { status: 200, headers: Vec::new(), body: br#"{"result":[]}"#.to_vec() };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Asked {
    fn count(&self, method: &str) -> usize {
        self.0.lock().expect("not poisoned").iter().filter(|asked| asked.contains(method)).count()
    }
}

/// Bitrix24 may work on a request for a minute after the connection is gone. The row was looked up
/// as soon as the daemon was up again: nothing was found, and the contact was made a second time.
#[tokio::test(start_paused = true)]
async fn create_cut_off_by_a_kill_is_looked_for_when_it_can_have_settled() {
    let mut world = World::new();
    world.form(person("Соколова Мария", "+7 912 555-01-01"));
    let client = world.reader().rows(Span::<Clients>::all()).next().expect("a client").expect("it reads").0;
    let sink = Slug::literal("bitrix24");
    let items = vec![AttemptingItem { object: ObjectRef::Client(client), operation: Operation::Create }];
    world.append(&Entry::Attempting(Attempting { sink: sink.clone(), at: START, items }));

    // Killed here, and up again.
    let clock = Arc::new(ManualClock::new(START.plus_ms(1_000)));
    let pipeline = Pipeline {
        journal: world.journal.clone(),
        store: world.store.clone(),
        configurations: world.kept.clone(),
        epoch: 1,
    };
    let pipeline = Arc::new(pipeline.start(&tokio::runtime::Handle::current()).expect("it starts"));
    let (stop, stopping) = watch::channel(false);
    let ground = Ground {
        journal: world.journal.clone(),
        store: world.store.clone(),
        pipeline: Arc::clone(&pipeline),
        clock: clock.clone(),
        stop: stopping,
    };
    let asked = Arc::new(Asked::default());
    let spec = plain().connection(&sink).and_then(|it| it.connector.sink.clone()).expect("a sink");
    let webhook = Secret::new("https://crm.example/rest/1/k3y/");
    let settings = Settings { values: Vec::new(), secrets: vec![("webhook_url".to_owned(), webhook)] };
    let now = Arc::clone(&clock) as Arc<dyn Clock>;
    let wire = Arc::clone(&asked) as Arc<dyn Wire>;
    let made = Sink::new(sink.clone(), Arc::new(spec), &settings, wire, Arc::new(Quotas::new()), now);
    let deliverer = Deliverer {
        rights: None,
        ground,
        sink: made.expect("a sink"),
        name: sink,
        catalog: plain(),
        missing: Default::default(),
        stops: Stops::default(),
        metrics: Arc::new(Metrics::new()),
        locale: Locale::Ru,
    };
    let running = tokio::spawn(deliverer.run());

    // (since the request was begun, whether it may be looked for)
    for (passed_s, looked) in [(1, false), (40, false), (74, false), (75, true)] {
        clock.set(START.plus_ms(passed_s * 1_000));
        // Paused time: many rounds of delivery.
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        assert!(asked.count("userfield") > 0, "the sink is up");
        assert_eq!(asked.count("crm.contact.list") > 0, looked, "after {passed_s} s");
        assert!(looked || asked.count("crm.contact.add") == 0, "after {passed_s} s");
    }
    stop.send_replace(true);
    running.await.expect("it ends");
    pipeline.stop();
}
