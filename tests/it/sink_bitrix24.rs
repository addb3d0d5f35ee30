//! A sink against the twin of Bitrix24, over HTTP: whole flows, faults, quotas. The rows of the
//! outbox are kept here as the pipeline would keep them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use compact_str::CompactString;
use serde_json::{Value as Json, json};
use uzel::base::{ClientId, Clock, DealId, InteractionId, ItemRef, Message, Position, Secret, Slug, Timestamp};
use uzel::connector::{Connector, SinkSpec};
use uzel::entry::{AttemptResult, Attempted, Attempting, ObjectRef, Verdict};
use uzel::model::{Confirmed, Delivery, DeliveryState, Fault};
use uzel::net::{Boxed, Client, Guard, Quotas, Wire};
use uzel::outbox::{self, Jitter};
use uzel::sink::{Certainty, Lane, PushReport, Recorder, Search, Settings, Sink, Work};
use uzel::twin::bitrix24::{
    Bitrix24Twin, BucketLimit, Fault as TwinFault, Faults, Kind, Limits, OperatingLimit, Options, PersonAct, Planned,
    RefusedCode, RunningTwin, Shares,
};

const START: Timestamp = Timestamp(1_700_000_000_000);

/// Paused tokio time as the clock of the twin and of the sink.
struct PausedClock(tokio::time::Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        START.plus_ms(i64::try_from(self.0.elapsed().as_millis()).expect("a test is short"))
    }
}

/// Rows of the outbox and what the sink confirmed.
#[derive(Default)]
struct Rows {
    deliveries: BTreeMap<ObjectRef, Delivery>,
    confirmed: BTreeMap<ObjectRef, Confirmed>,
    position: u64,
}

/// What the pipeline does with attempts.
struct Pipeline {
    rows: Mutex<Rows>,
    clock: Arc<PausedClock>,
}

impl Recorder for Pipeline {
    fn attempting(&self, entry: Attempting) -> Boxed<'_, Result<Position, Message>> {
        let mut rows = self.rows.lock().expect("no panic before");
        rows.position += 1;
        let position = Position(rows.position);
        for item in entry.items {
            let row = rows.deliveries.remove(&item.object).expect("what is tried is due");
            rows.deliveries.insert(item.object, outbox::started(row, position));
        }
        Box::pin(async move { Ok(position) })
    }

    fn attempted(&self, entry: Attempted) -> Boxed<'_, Result<(), Message>> {
        let mut rows = self.rows.lock().expect("no panic before");
        let now = self.clock.now();
        for item in entry.items {
            let row = rows.deliveries.remove(&item.object).expect("what was tried was due");
            let in_flight = match row.state {
                DeliveryState::InFlight { attempting } => Some(attempting),
                _ => None,
            };
            assert_eq!(in_flight, entry.attempting, "a create stands in flight, and nothing else does");
            let after = match item.result {
                AttemptResult::Done { foreign_kind, foreign_id, sent } => {
                    let foreign_id = foreign_id.expect("a sink that knows the object knows its id");
                    let (version, at) = (item.version, entry.at);
                    rows.confirmed.insert(item.object, Confirmed { foreign_kind, foreign_id, version, at, sent });
                    outbox::done(row, version, now)
                }
                AttemptResult::Failed { verdict, reason } => {
                    if verdict == Verdict::Gone {
                        rows.confirmed.remove(&item.object);
                    }
                    Some(outbox::failed(row, verdict, reason, now, Jitter::NONE, 75_000))
                }
            };
            rows.deliveries.extend(after.map(|row| (item.object, row)));
        }
        Box::pin(async move { Ok(()) })
    }
}

struct World {
    twin: RunningTwin,
    sink: Sink,
    pipeline: Pipeline,
    clock: Arc<PausedClock>,
}

fn spec() -> SinkSpec {
    let text = include_str!("../../connectors/bitrix24/connector.toml");
    let connector = Connector::compile(Slug::literal("bitrix24"), "connector.toml", text).expect("it compiles");
    connector.sink.expect("it has a sink")
}

async fn world(limits: Limits) -> World {
    let clock = Arc::new(PausedClock(tokio::time::Instant::now()));
    let options = Options { limits, ..Options::for_tests(Arc::clone(&clock) as Arc<dyn Clock>) };
    let twin = Bitrix24Twin::start(options, ([127, 0, 0, 1], 0).into()).await.expect("a free port");
    let wire = Arc::new(Client::new(Guard::new(true, Vec::new())).expect("a client")) as Arc<dyn Wire>;
    let settings = Settings { values: Vec::new(), secrets: vec![("webhook_url".to_owned(), Secret::new(twin.url()))] };
    let now = Arc::clone(&clock) as Arc<dyn Clock>;
    let quotas = Arc::new(Quotas::new());
    let sink = Sink::new(Slug::literal("bitrix24"), Arc::new(spec()), &settings, wire, quotas, now).expect("a sink");
    let pipeline = Pipeline { rows: Mutex::default(), clock: Arc::clone(&clock) };
    World { twin, sink, pipeline, clock }
}

fn sink_at(address: String, clock: &Arc<PausedClock>) -> Sink {
    let settings = Settings { values: Vec::new(), secrets: vec![("webhook_url".to_owned(), Secret::new(address))] };
    let wire = Arc::new(Client::new(Guard::new(true, Vec::new())).expect("a client")) as Arc<dyn Wire>;
    let now = Arc::clone(clock) as Arc<dyn Clock>;
    let quotas = Arc::new(Quotas::new());
    Sink::new(Slug::literal("bitrix24"), Arc::new(spec()), &settings, wire, quotas, now).expect("a sink")
}

/// An object as the mapping would give it.
struct Object {
    object: ObjectRef,
    kind: &'static str,
    desired: Json,
    phones: Vec<CompactString>,
}

fn at(number: u64) -> ItemRef {
    ItemRef::new(Position(number), 0)
}

fn origin(object: ObjectRef) -> Json {
    json!({"ORIGINATOR_ID": "uzel", "ORIGIN_ID": object.to_string()})
}

fn with(mut base: Json, more: Json) -> Json {
    let members = more.as_object().expect("an object").clone();
    base.as_object_mut().expect("an object").extend(members);
    base
}

fn contact(number: u64, name: &str, phone: &str) -> Object {
    let object = ObjectRef::Client(ClientId::derive(at(number), 0));
    let phones = json!([{"VALUE": phone, "VALUE_TYPE": "WORK"}]);
    let desired = with(origin(object), json!({"NAME": name, "PHONE": phones, "UF_CRM_UZEL_CLASS": "A"}));
    Object { object, kind: "contact", desired, phones: vec![phone.into()] }
}

fn deal(number: u64, class: &str) -> Object {
    let object = ObjectRef::Deal(DealId::derive(at(number), 0));
    let fields = json!({"TITLE": format!("Заявка {number}"), "OPPORTUNITY": 50_000, "UF_CRM_UZEL_CLASS": class});
    Object { object, kind: "deal", desired: with(origin(object), fields), phones: Vec::new() }
}

fn comment(number: u64, deal: &str) -> Object {
    let object = ObjectRef::Interaction(InteractionId::derive(at(number), 0));
    let desired = json!({"ENTITY_TYPE": "deal", "ENTITY_ID": deal, "COMMENT": "Позвоните мне"});
    Object { object, kind: "comment", desired, phones: Vec::new() }
}

impl World {
    /// Marks the objects as wanted and pushes those whose time has come, for a minute at the most.
    async fn push(&self, objects: &[Object]) -> PushReport {
        let deadline = self.clock.now().plus_ms(60_000);
        let works = objects.iter().filter_map(|it| self.work(it)).collect();
        self.sink.push(Lane::Upper, works, &self.pipeline, deadline).await
    }

    fn work(&self, it: &Object) -> Option<Work> {
        let mut rows = self.pipeline.rows.lock().expect("no panic before");
        let now = self.clock.now();
        rows.position += 1;
        let version = Position(rows.position);
        let before = rows.deliveries.remove(&it.object);
        let row = outbox::want(before, version, now);
        let certainty = match row.state {
            DeliveryState::Uncertain { .. } => Certainty::Uncertain,
            _ => Certainty::Fresh,
        };
        let is_due = outbox::due_at(&row).is_some_and(|at| at <= now);
        rows.deliveries.insert(it.object, row);
        let desired = it.desired.as_object().expect("an object");
        is_due.then(|| Work {
            object: it.object,
            version,
            foreign_kind: it.kind.into(),
            desired: desired.iter().map(|(name, value)| (name.into(), value.clone())).collect(),
            create_only: ["TITLE", "ORIGINATOR_ID", "ORIGIN_ID", "OPPORTUNITY"].map(CompactString::from).to_vec(),
            confirmed: rows.confirmed.get(&it.object).cloned(),
            certainty,
            search: Search { phones: it.phones.clone(), ..Search::default() },
            make: true,
            import: false,
            origin: it.object.to_string().into(),
        })
    }

    fn state(&self, object: ObjectRef) -> String {
        match self.pipeline.rows.lock().expect("no panic before").deliveries.get(&object).map(|it| &it.state) {
            None => "told".to_owned(),
            Some(DeliveryState::Due { .. }) => "due".to_owned(),
            Some(DeliveryState::InFlight { .. }) => "in flight".to_owned(),
            Some(DeliveryState::Uncertain { .. }) => "uncertain".to_owned(),
            Some(DeliveryState::Dead { fault, .. }) => format!("dead {fault:?}"),
            Some(DeliveryState::Discarded) => "discarded".to_owned(),
        }
    }

    fn foreign_id(&self, object: ObjectRef) -> u64 {
        let rows = self.pipeline.rows.lock().expect("no panic before");
        let confirmed = rows.confirmed.get(&object).unwrap_or_else(|| panic!("{object} is not known there"));
        confirmed.foreign_id.parse().expect("ids of Bitrix24 are numbers")
    }

    /// Pushes until every object is told; the rows' own waits pass between.
    async fn push_until_told(&self, objects: &[Object], rounds_max: usize) {
        for _ in 0..rounds_max {
            let report = self.push(objects).await;
            if objects.iter().all(|it| self.state(it.object) == "told") {
                return;
            }
            // Straight to the instant at which something is due again.
            let due = self.next_due(&report);
            let until = due.max(report.stop.map(|stop| stop.until)).unwrap_or(START);
            let rest_ms = until.ms_since(self.clock.now()).max(1_000).unsigned_abs();
            tokio::time::advance(std::time::Duration::from_millis(rest_ms)).await;
        }
        let states: Vec<String> = objects.iter().map(|it| self.state(it.object)).collect();
        panic!("not told after {rounds_max} rounds: {states:?}");
    }

    /// When the next row is due, given what the sink said of those it did not touch.
    fn next_due(&self, report: &PushReport) -> Option<Timestamp> {
        let rows = self.pipeline.rows.lock().expect("no panic before");
        let not_before = |it: &ObjectRef| report.untouched.iter().find(|(object, _)| object == it)?.1;
        rows.deliveries.iter().filter_map(|(it, row)| outbox::due_at(row).max(not_before(it))).min()
    }

    fn count(&self, kind: Kind) -> usize {
        self.twin.with(|portal| portal.count(kind))
    }

    fn text(&self, kind: Kind, id: u64, field: &str) -> String {
        self.twin.with(|portal| portal.object(kind, id).expect("it is there").text(field).to_owned())
    }

    async fn provision(&self) {
        self.sink.provision(self.clock.now().plus_ms(60_000)).await.expect("the fields are made");
    }
}

#[tokio::test(start_paused = true)]
async fn our_fields_are_made_once_even_by_two_at_a_time() {
    let world = world(Limits::none()).await;
    let deadline = world.clock.now().plus_ms(60_000);
    let other = sink_at(world.twin.url(), &world.clock);
    let (first, second) = tokio::join!(world.sink.provision(deadline), other.provision(deadline));
    let (first, second) = (first.expect("the fields are made"), second.expect("the fields are made"));
    assert_eq!(first.added.len() + second.added.len(), 7, "{first:?} {second:?}");
    assert_eq!(first.present.len() + second.present.len(), 7, "{first:?} {second:?}");
    let again = world.sink.provision(deadline).await.expect("they are there");
    assert_eq!((again.added.len(), again.present.len()), (0, 7), "{again:?}");
    let names: Vec<String> =
        world.twin.with(|portal| portal.userfields.iter().map(|it| it.field_name.clone()).collect());
    assert_eq!(names.len(), 7, "{names:?}");
    assert!(names.iter().all(|it| it.starts_with("UF_CRM_UZEL_")), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn a_new_contact_a_deal_and_a_comment_arrive_and_then_only_differences() {
    let world = world(Limits::cloud()).await;
    world.provision().await;
    let person = contact(1, "Иван", "+79123456789");
    world.push(std::slice::from_ref(&person)).await;
    let contact_id = world.foreign_id(person.object);
    assert_eq!(world.text(Kind::Contact, contact_id, "NAME"), "Иван");
    assert_eq!(world.text(Kind::Contact, contact_id, "UF_CRM_UZEL_CLASS"), "A");

    let mut sale = deal(2, "B");
    sale.desired = with(sale.desired, json!({"CONTACT_ID": contact_id.to_string()}));
    world.push(std::slice::from_ref(&sale)).await;
    let deal_id = world.foreign_id(sale.object);
    assert_eq!(world.text(Kind::Deal, deal_id, "TITLE"), "Заявка 2");

    let note = comment(3, &deal_id.to_string());
    world.push(std::slice::from_ref(&note)).await;
    world.push(std::slice::from_ref(&note)).await;
    let comments: Vec<String> =
        world.twin.with(|portal| portal.comments.values().map(|row| row["COMMENT"].clone()).collect());
    assert_eq!(comments, [format!("Позвоните мне\n[uzel:{}]", note.object)]);

    // Nothing new: nothing is sent. A person's edit of the title is not written over.
    let act = PersonAct::Edit { object: Kind::Deal, id: deal_id, field: "TITLE".into(), value: "Моё".into() };
    world.twin.person(&act);
    assert_eq!(world.push(&[contact(1, "Иван", "+79123456789")]).await.requests, 0);
    sale.desired["UF_CRM_UZEL_CLASS"] = json!("A");
    let report = world.push(std::slice::from_ref(&sale)).await;
    assert_eq!(report.requests, 1);
    assert_eq!(world.text(Kind::Deal, deal_id, "UF_CRM_UZEL_CLASS"), "A");
    assert_eq!(world.text(Kind::Deal, deal_id, "TITLE"), "Моё");

    // Another number of the same person: one more value, and no second copy of the first.
    let mut person = person;
    person.desired["PHONE"] = json!([
        {"VALUE": "+79123456789", "VALUE_TYPE": "WORK"}, {"VALUE": "+74951112233", "VALUE_TYPE": "WORK"}
    ]);
    for _ in 0..2 {
        world.push(std::slice::from_ref(&person)).await;
        let phones =
            world.twin.with(|portal| portal.object(Kind::Contact, contact_id).map(|it| it.multi("PHONE").len()));
        assert_eq!(phones, Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_contact_made_by_a_person_is_found_by_telephone_and_linked() {
    let world = world(Limits::none()).await;
    world.provision().await;
    let fields = json!({"NAME": "Иван Петрович", "PHONE": [{"VALUE": "8 (912) 345-67-89", "VALUE_TYPE": "MOBILE"}]});
    let id = world.twin.call("crm.contact.add", &json!({"fields": fields})).expect("it is made");
    let person = contact(1, "Иван Петрович", "+79123456789");
    world.push(std::slice::from_ref(&person)).await;
    assert_eq!((world.state(person.object).as_str(), world.count(Kind::Contact)), ("told", 1));
    assert_eq!(json!(world.foreign_id(person.object)), id);
    let id = world.foreign_id(person.object);
    assert_eq!(world.text(Kind::Contact, id, "UF_CRM_UZEL_CLASS"), "A");
    let phones = world.twin.with(|portal| portal.object(Kind::Contact, id).map(|it| it.multi("PHONE").len()));
    assert_eq!(phones, Some(1), "the number is there, written another way");
}

#[tokio::test(start_paused = true)]
async fn a_company_is_found_by_its_inn() {
    let world = world(Limits::none()).await;
    let id = world.twin.call("crm.company.add", &json!({"fields": {"TITLE": "ООО Ромашка"}})).expect("it is made");
    let requisite = json!({"ENTITY_TYPE_ID": 4, "ENTITY_ID": id, "PRESET_ID": 1, "NAME": "x", "RQ_INN": "7707083893"});
    world.twin.call("crm.requisite.add", &json!({"fields": requisite})).expect("it is made");
    let object = ObjectRef::Client(ClientId::derive(at(1), 0));
    let desired = json!({"TITLE": "Ромашка"});
    let company = Object { object, kind: "company", desired, phones: Vec::new() };
    let mut work = world.work(&company).expect("it is due");
    work.search.inns.push("7707083893".into());
    world.sink.push(Lane::Upper, vec![work], &world.pipeline, world.clock.now().plus_ms(60_000)).await;
    assert_eq!((world.state(object).as_str(), world.count(Kind::Company)), ("told", 1));
    assert_eq!(json!(world.foreign_id(object)), id);
}

/// Whatever happens to the answer, there is one object in the end.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_no_duplicate() {
    for fault in [
        TwinFault::LostAnswer,
        TwinFault::LostRequest,
        TwinFault::ErrorPage { status: 502, applied: true },
        TwinFault::ErrorPage { status: 502, applied: false },
        TwinFault::Refused { code: RefusedCode::InternalServerError },
    ] {
        let world = world(Limits::none()).await;
        world.provision().await;
        world.twin.plan_fault(Planned::on("crm.deal.add", fault.clone()));
        let sale = deal(1, "A");
        world.push(std::slice::from_ref(&sale)).await;
        assert_eq!(world.state(sale.object), "uncertain", "{fault:?}");
        world.push_until_told(std::slice::from_ref(&sale), 5).await;
        assert_eq!(world.count(Kind::Deal), 1, "{fault:?}");
    }
    // A comment has no field for our id: it is found by its line.
    let world = world(Limits::none()).await;
    let deal_id = world.twin.call("crm.deal.add", &json!({"fields": {"TITLE": "x"}})).expect("it is made");
    world.twin.plan_fault(Planned::on("crm.timeline.comment.add", TwinFault::LostAnswer));
    let note = comment(1, &deal_id.to_string());
    world.push_until_told(std::slice::from_ref(&note), 5).await;
    assert_eq!(world.twin.with(|portal| portal.comments.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn every_object_of_half_failed_batches_arrives_once() {
    let world = world(Limits::none()).await;
    world.provision().await;
    let deals: Vec<Object> = (1..=60).map(|it| deal(it, "A")).collect();
    // Looks, creates and looks again all lose half of their commands, some after taking effect.
    for skip in [0, 1, 2, 3] {
        let fault = TwinFault::HalfBatch { failed: 500, applied: 500 };
        world.twin.plan_fault(Planned { skip, ..Planned::on("batch", fault) });
    }
    world.push_until_told(&deals, 12).await;
    assert_eq!(world.count(Kind::Deal), 60);
    let mut ids: Vec<u64> = deals.iter().map(|it| world.foreign_id(it.object)).collect();
    for it in &deals {
        let origin = world.text(Kind::Deal, world.foreign_id(it.object), "ORIGIN_ID");
        assert_eq!(origin, it.object.to_string());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 60);
}

/// Invariant 7 under any mixture of faults: pages instead of JSON, cut links before and after
/// taking effect, half-failed batches, a small bucket.
#[tokio::test(start_paused = true)]
async fn whatever_fails_each_object_is_made_once() {
    for seed in 1..=6 {
        let limits = Limits { bucket: Some(BucketLimit { drain_per_s: 2, size: 10 }), operating: None };
        let world = world(limits).await;
        world.provision().await;
        let shares = Shares {
            error_page: 80,
            lost_request: 80,
            lost_answer: 120,
            internal_error: 80,
            half_batch: 250,
            ..Shares::default()
        };
        world.twin.set_faults(Faults { seed, shares, ..Faults::default() });
        let mut objects: Vec<Object> = (1..=20).map(|it| deal(it, "A")).collect();
        objects.extend((21..=30).map(|it| contact(it, "Иван", &format!("+791234567{it}"))));
        world.push_until_told(&objects, 120).await;
        assert_eq!((world.count(Kind::Deal), world.count(Kind::Contact)), (20, 10), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_emptied_by_others_delays_and_loses_nothing() {
    let limits = Limits { bucket: Some(BucketLimit { drain_per_s: 2, size: 3 }), operating: None };
    let world = world(limits).await;
    let deals: Vec<Object> = (1..=6).map(|it| deal(it, "A")).collect();
    for one in &deals {
        world.push_until_told(std::slice::from_ref(one), 3).await;
    }
    assert_eq!(world.count(Kind::Deal), 6);
    assert!(world.twin.refused("QUERY_LIMIT_EXCEEDED") > 0, "the portal's bucket is smaller than ours: it said no");
}

#[tokio::test(start_paused = true)]
async fn our_bucket_keeps_the_portals_from_filling() {
    let world = world(Limits::cloud()).await;
    for number in 1..=60 {
        world.push_until_told(&[deal(number, "A")], 2).await;
    }
    assert_eq!((world.count(Kind::Deal), world.twin.refused("QUERY_LIMIT_EXCEEDED")), (60, 0));
    assert!(world.clock.now() > START.plus_ms(20_000), "120 requests, 40 at once and 2 a second");
}

#[tokio::test(start_paused = true)]
async fn a_method_near_its_operating_limit_rests_before_the_portal_says_so() {
    let operating = OperatingLimit {
        limit_ms: 480_000,
        cost_ms: 1,
        cost_by_method_ms: BTreeMap::from([("crm.deal.update".to_owned(), 50_000)]),
    };
    let world = world(Limits { bucket: None, operating: Some(operating) }).await;
    world.provision().await;
    let mut sale = deal(1, "A");
    world.push(std::slice::from_ref(&sale)).await;
    for round in 0..30 {
        sale.desired["UF_CRM_UZEL_CLASS"] = json!(format!("{round}"));
        world.push_until_told(std::slice::from_ref(&sale), 60).await;
    }
    assert_eq!(world.twin.refused("OPERATION_TIME_LIMIT"), 0);
    assert!(world.clock.now() > START.plus_ms(600_000), "it did rest");
}

#[tokio::test(start_paused = true)]
async fn a_method_over_its_operating_limit_waits_for_the_reset() {
    let operating = OperatingLimit {
        limit_ms: 100_000,
        cost_ms: 1,
        cost_by_method_ms: BTreeMap::from([("crm.deal.update".to_owned(), 60_000)]),
    };
    let world = world(Limits { bucket: None, operating: Some(operating) }).await;
    world.provision().await;
    let mut sale = deal(1, "A");
    world.push(std::slice::from_ref(&sale)).await;
    for round in 0..6 {
        sale.desired["UF_CRM_UZEL_CLASS"] = json!(format!("{round}"));
        world.push_until_told(std::slice::from_ref(&sale), 60).await;
    }
    assert!(world.twin.refused("OPERATION_TIME_LIMIT") > 0, "the portal allows less than our manifest knows of");
    let refused_until_told = world.twin.refused("OPERATION_TIME_LIMIT");
    assert!(refused_until_told <= 4, "refused once per rest, not once per try: {refused_until_told}");
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_or_merged_there_is_found_or_made_anew() {
    let world = world(Limits::none()).await;
    world.provision().await;
    let person = |class: &str| {
        let mut it = contact(1, "Иван", "+79123456789");
        it.desired["UF_CRM_UZEL_CLASS"] = json!(class);
        it
    };
    world.push(&[person("A")]).await;
    let id = world.foreign_id(person("A").object);
    world.twin.person(&PersonAct::Delete { object: Kind::Contact, id });
    world.push(&[person("B")]).await;
    assert_eq!(world.state(person("B").object), "due", "gone: the crosswalk is forgotten");
    world.push_until_told(&[person("B")], 3).await;
    let second = world.foreign_id(person("B").object);
    assert_ne!(second, id);
    assert_eq!(world.text(Kind::Contact, second, "UF_CRM_UZEL_CLASS"), "B");

    // Merged into another that has the same number: that one is found, nothing is made.
    let fields = json!({"NAME": "Ваня", "PHONE": [{"VALUE": "+79123456789"}]});
    let other = world.twin.call("crm.contact.add", &json!({"fields": fields})).expect("it is made");
    let into = other.as_u64().expect("an id");
    world.twin.person(&PersonAct::Merge { object: Kind::Contact, into, ids: vec![second] });
    world.push_until_told(&[person("C")], 4).await;
    assert_eq!((world.foreign_id(person("C").object), world.count(Kind::Contact)), (into, 1));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_say_whose_fault_they_are() {
    for (code, state, stops) in [
        (RefusedCode::PlanExpired, "dead Connection", Some(Fault::Connection)),
        (RefusedCode::AccessDenied, "dead Connection", Some(Fault::Connection)),
        (RefusedCode::InsufficientScope, "dead Connection", Some(Fault::Connection)),
        (RefusedCode::PortalDeleted, "dead Connection", Some(Fault::Connection)),
        (RefusedCode::OverloadLimit, "due", Some(Fault::Sink)),
    ] {
        let world = world(Limits::none()).await;
        world.twin.plan_fault(Planned::next(TwinFault::Refused { code }));
        let sale = deal(1, "A");
        let report = world.push(std::slice::from_ref(&sale)).await;
        assert_eq!((world.state(sale.object).as_str(), report.stop.map(|it| it.fault)), (state, stops), "{code:?}");
    }
    // A company without a title is our data's fault, and comes to life when they change.
    let world = world(Limits::none()).await;
    let object = ObjectRef::Client(ClientId::derive(at(1), 0));
    let company = |desired: Json| Object { object, kind: "company", desired, phones: Vec::new() };
    let report = world.push(&[company(json!({"INDUSTRY": "IT"}))]).await;
    assert_eq!((world.state(object).as_str(), report.stop), ("dead Data", None));
    world.push(&[company(json!({"TITLE": "Ромашка"}))]).await;
    assert_eq!(world.state(object), "told");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_the_connections_fault_and_is_never_shown() {
    let mut world = world(Limits::none()).await;
    let address = world.twin.url().replace("k3yk3yk3yk3yk3yk", "wr0ngwr0ng");
    world.sink = sink_at(address, &world.clock);
    let sale = deal(1, "A");
    let report = world.push(std::slice::from_ref(&sale)).await;
    assert_eq!(world.state(sale.object), "dead Connection");
    let shown = format!("{report:?} {:?} {:?}", world.sink, world.pipeline.rows.lock().expect("no panic").deliveries);
    assert!(!shown.contains("wr0ng"), "{shown}");
}
