//! What must hold when everything has come to rest.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use uzel::base::Locale;
use uzel::entry::ObjectRef;
use uzel::journal::Journal as _;
use uzel::model::{ClientState, ContactPoint, DeliveryState, Foreign, OutcomeKind};
use uzel::plan::{Ids, Subject, Telling, Told, work};
use uzel::sink::Certainty;
use uzel::tables::rows::{ClientRow, DealRow, ObjectKey};
use uzel::tables::{Clients, Counters, Crosswalk, Deals, Pending, Reader, Span};
use uzel::twin::bitrix24::{Kind, Object};

use super::acts::{CAST, Play};
use super::stage::{catalog, sink};
use crate::pipeline_support::hash;

/// Minutes in which everything must come to rest.
const REST_MINUTES: usize = 90;

/// What an open delivery waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The next try.
    Due,
    /// Another object, which the sink does not know.
    Object(String),
    /// A person, with this reason.
    Person(String),
}

impl Play {
    fn reader(&self) -> Reader<'_> {
        Reader::new(self.stage.store.as_ref())
    }

    /// Open deliveries that may go.
    pub(super) fn open(&self) -> Vec<(ObjectRef, Waiting)> {
        let reader = self.reader();
        let catalog = catalog();
        let connection = catalog.connection("bitrix24").expect("it is configured");
        let vocabulary = uzel::plan::vocabulary(&reader, connection).expect("it reads");
        let mut open = Vec::new();
        for row in reader.rows(Span::<Pending>::of(&sink())) {
            for object in row.expect("it reads").1 {
                let subject = Subject::read(&reader, object).expect("it reads").expect("it is there");
                let state = subject.state(&sink()).expect("it is listed");
                let delivery = state.delivery.as_ref().expect("it is open");
                let waiting = match &delivery.state {
                    DeliveryState::Dead { reason, .. } => Waiting::Person(reason.id.to_string()),
                    DeliveryState::Discarded => Waiting::Person("discarded".to_owned()),
                    DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => {
                        let telling = Telling { ids: Ids::Given, certainty: Certainty::Fresh, quiet: false };
                        match work(&catalog, connection, Locale::Ru, &subject, state, telling, &vocabulary) {
                            Told::Waits(needs) => Waiting::Object(format!("{needs:?}")),
                            Told::Work(..) | Told::Nothing => Waiting::Due,
                        }
                    }
                };
                open.push((object, waiting));
            }
        }
        open
    }

    /// Time passes until nothing is due any more.
    pub(super) async fn drained(&mut self, when: &str) {
        for minute in 0..REST_MINUTES {
            self.pass(if minute == 0 { 10_000 } else { 60_000 }).await;
            let is_due = self.open().iter().any(|(_, waiting)| *waiting == Waiting::Due);
            if self.stage.is_applied() && !is_due {
                return;
            }
        }
        let open = self.open();
        self.wrong(format!("it does not come to rest {when}: {open:?}"));
    }

    /// Nothing was written since the last question.
    pub(super) fn writes_nothing(&mut self, when: &str) {
        let written = self.stage.twin.take_written();
        let written: Vec<_> = written.into_iter().filter(|(method, _)| !method.contains("userfield")).collect();
        if !written.is_empty() {
            self.wrong(format!("something is written {when}: {written:?}"));
        }
    }

    fn deal_of(&self, id: u64) -> Option<DealRow> {
        let foreign = Foreign { connection: sink(), kind: "deal".into(), id: id.to_string().into() };
        match self.reader().get::<Crosswalk>(&foreign).expect("it reads") {
            Some(ObjectKey::Deal(deal)) => self.reader().get::<Deals>(&deal).expect("it reads"),
            _ => None,
        }
    }

    fn client_of(&self, kind: Kind, id: u64) -> Option<ClientRow> {
        let foreign = Foreign { connection: sink(), kind: kind.word().into(), id: id.to_string().into() };
        let Some(ObjectKey::Client(mut client)) = self.reader().get::<Crosswalk>(&foreign).expect("it reads") else {
            return None;
        };
        loop {
            let row = self.reader().get::<Clients>(&client).expect("it reads")?;
            match row.client.state {
                ClientState::MergedInto(into, _) => client = into,
                ClientState::Active => return Some(row),
            }
        }
    }

    /// Everything that must hold.
    pub(super) async fn laws(&mut self) {
        // A comparison of ids finds what was deleted without a word.
        tokio::time::advance(std::time::Duration::from_secs(86_500)).await;
        self.pass(125_000).await;
        self.drained("a day later").await;
        self.stage.twin.take_written();
        self.say("what is written from here on is an echo");
        self.pass(250_000).await;
        self.writes_nothing("when nothing happens any more");
        self.nothing_is_left();
        self.nothing_is_twice();
        self.deals_agree();
        self.clients_agree();
        self.sums_are_of_1c();
        self.nothing_is_quarantined();
        let grown = hash(&self.stage.store);
        let batch_max = [1, 7, 512][(self.seed % 3) as usize];
        let anew = self.stage.rebuilt(self.stage.journal.head(), batch_max);
        if hash(&anew) != grown {
            self.wrong("a rebuild gives other rows".to_owned());
        }
    }

    fn nothing_is_left(&mut self) {
        let open = self.open();
        let waits_for_person = open.iter().any(|(_, waiting)| matches!(waiting, Waiting::Person(_)));
        for (object, waiting) in open {
            let is_named = match &waiting {
                Waiting::Due => false,
                Waiting::Object(_) => waits_for_person && !self.removed.is_empty(),
                Waiting::Person(reason) => {
                    let is_named = ["poll-deleted-there", "sink-refers-gone"].contains(&reason.as_str());
                    is_named && !self.removed.is_empty()
                }
            };
            if !is_named {
                self.wrong(format!("{object} is still open: {waiting:?}"));
            }
        }
    }

    fn nothing_is_twice(&mut self) {
        for kind in [Kind::Contact, Kind::Company, Kind::Deal] {
            let mut by_origin: BTreeMap<String, Vec<u64>> = BTreeMap::new();
            for object in self.live(kind) {
                if object.text("ORIGINATOR_ID") == "uzel" {
                    by_origin.entry(object.text("ORIGIN_ID").to_owned()).or_default().push(object.id);
                }
            }
            for (origin, ids) in by_origin.into_iter().filter(|(_, ids)| ids.len() > 1) {
                self.wrong(format!("{} {ids:?} are all {origin}", kind.word()));
            }
        }
        let survivors = self.survivors.clone();
        for kind in [Kind::Contact, Kind::Company] {
            let live = self.live(kind);
            for phone in CAST.iter().flat_map(|it| it.phones) {
                let holds = |it: &&Object| it.multi("PHONE").iter().any(|held| held.value == phone);
                let created = |it: &Object| it.text("DATE_CREATE").parse::<i64>().unwrap_or(0);
                let is_ours = |it: &&Object| it.text("ORIGINATOR_ID") == "uzel" && !survivors.contains(&(kind, it.id));
                let holders: Vec<&Object> = live.iter().filter(holds).collect();
                // Made for this number: others may have been added to a card by people.
                let is_made_for = |it: &&Object| is_ours(it) && first(it) == phone;
                let ours: Vec<&Object> = holders.iter().copied().filter(is_made_for).collect();
                if ours.len() > 1 {
                    let ids: Vec<u64> = ours.iter().map(|it| it.id).collect();
                    self.wrong(format!("we made {} {ids:?} of one, {phone}", kind.word()));
                }
                let earlier = |of: &Object| {
                    holders.iter().any(|it| !is_ours(it) && created(it) + 200 < created(of) && first(it) == phone)
                };
                if let Some(made) = ours.iter().find(|it| earlier(it)) {
                    let id = made.id;
                    self.wrong(format!("we made {} {id} though {phone} was there", kind.word()));
                }
            }
        }
    }

    fn deals_agree(&mut self) {
        let (users, statuses) = self.stage.twin.with(|portal| (portal.users.clone(), portal.statuses.clone()));
        for ((kind, id, field), value) in self.edits.clone() {
            let Some(object) = self.live(kind).into_iter().find(|it| it.id == id) else { continue };
            let Some(row) = self.deal_of(id) else { continue };
            let deal = row.deal;
            let held = object.text(field).to_owned();
            let of_1c = deal.price.as_ref().is_some_and(|it| &*it.provenance.source == "1c");
            if field == "OPPORTUNITY" && of_1c {
                continue;
            }
            let is_held = held == value || held.trim_end_matches(".00") == value;
            if !is_held {
                self.wrong(format!("a person's {field} of deal {id} is lost there: {value}, and it is {held}"));
            }
            let ours = match field {
                "TITLE" => deal.title.map(|it| it.value.to_string()),
                "COMMENTS" => deal.comment.map(|it| it.value),
                "STAGE_ID" => deal.stage.map(|it| it.value.to_string()),
                "ASSIGNED_BY_ID" => deal.responsible.map(|it| it.value.to_string()),
                _ => deal.price.map(|it| it.value.amount.normalize().to_string()),
            };
            let expected = match field {
                "STAGE_ID" => statuses.iter().find(|it| it.status_id == value && it.entity_id == "DEAL_STAGE"),
                _ => None,
            };
            let expected = expected.map(|it| it.name.clone()).or_else(|| match field {
                "ASSIGNED_BY_ID" => {
                    let user = users.iter().find(|it| it.id.to_string() == value)?;
                    Some(format!("{} {}", user.name, user.last_name))
                }
                _ => None,
            });
            let expected = expected.unwrap_or(value);
            if ours.as_deref() != Some(&*expected) {
                self.wrong(format!("a person's {field} of deal {id} is lost here: {expected}, and it is {ours:?}"));
            }
        }
    }

    fn clients_agree(&mut self) {
        for kind in [Kind::Contact, Kind::Company] {
            for object in self.live(kind) {
                let Some(row) = self.client_of(kind, object.id) else { continue };
                let state = uzel::tables::rows::sink_state(&row.sinks, &sink());
                let confirmed = state.and_then(|it| it.confirmed.as_ref());
                let is_primary = confirmed
                    .is_some_and(|it| *it.foreign_id == *object.id.to_string() && *it.foreign_kind == *kind.word());
                let there: Vec<String> = object.multi("PHONE").iter().map(|it| it.value.to_string()).collect();
                let phone = |point: &ContactPoint| match point {
                    ContactPoint::Phone(phone) => Some(phone.e164.to_string()),
                    ContactPoint::Email(_) | ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => None,
                };
                let here: Vec<String> = row.client.contacts.iter().filter_map(|it| phone(&it.point)).collect();
                let id = object.id;
                for number in there.iter().filter(|it| !here.contains(it)) {
                    self.wrong(format!("{number} of {} {id} is not here: {here:?}", kind.word()));
                }
                if !is_primary {
                    continue;
                }
                for number in here.iter().filter(|it| !there.contains(it)) {
                    self.wrong(format!("{number} is not there in {} {id}: {there:?}", kind.word()));
                }
                let name = row.client.name.as_ref().map(|it| it.value.shown()).unwrap_or_default();
                let parts = ["LAST_NAME", "NAME", "SECOND_NAME"].map(|it| object.text(it));
                let named = match kind {
                    Kind::Contact => parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" "),
                    _ => object.text("TITLE").to_owned(),
                };
                // What stands there where no name is known.
                let is_nobody = name.is_empty() && named == "Без имени";
                if name != named && !is_nobody {
                    self.wrong(format!("{} {id} is {named} there and {name} here", kind.word()));
                }
            }
        }
    }

    fn sums_are_of_1c(&mut self) {
        for object in self.live(Kind::Deal) {
            let Some(row) = self.deal_of(object.id) else { continue };
            let Some(price) = row.deal.price.as_ref().filter(|it| &*it.provenance.source == "1c") else { continue };
            let sums: Vec<u64> = self.orders.values().copied().collect();
            let ours = price.value.amount.normalize().to_string();
            if !sums.iter().any(|it| it.to_string() == ours) {
                self.wrong(format!("deal {} has the sum {ours}, which 1C does not tell any more", object.id));
            }
            let there = object.text("OPPORTUNITY").trim_end_matches(".00").to_owned();
            let is_gone = uzel::tables::rows::sink_state(&row.sinks, &sink()).is_some_and(|it| it.gone.is_some());
            let is_primary = uzel::tables::rows::sink_state(&row.sinks, &sink())
                .and_then(|it| it.confirmed.as_ref())
                .is_some_and(|it| *it.foreign_id == *object.id.to_string());
            if there != ours && is_primary && !is_gone {
                self.wrong(format!("1C says {ours} of deal {}, and there it is {there}", object.id));
            }
        }
    }

    fn nothing_is_quarantined(&mut self) {
        let counters: Vec<_> = self.reader().rows(Span::<Counters>::all()).map(|row| row.expect("it reads")).collect();
        for ((connection, stream, kind), count) in counters {
            if kind == OutcomeKind::Quarantined && count > 0 {
                self.wrong(format!("{count} records of {connection} ({stream}) are quarantined"));
            }
        }
    }
}

fn first(object: &Object) -> &str {
    object.multi("PHONE").first().map_or("", |it| &it.value)
}

/// Scalars of a value by path, empty ones left out: what JSON and forms have in common.
pub(super) fn flat(json: &Json) -> BTreeMap<String, String> {
    fn walk(json: &Json, path: &str, into: &mut BTreeMap<String, String>) {
        let text = match json {
            Json::Null => return,
            Json::Bool(flag) => flag.to_string(),
            Json::Number(number) => number.to_string(),
            Json::String(text) => text.clone(),
            Json::Array(items) => {
                let items = items.iter().enumerate();
                return items.for_each(|(index, it)| walk(it, &format!("{path}.{index}"), into));
            }
            Json::Object(members) => {
                return members.iter().for_each(|(name, it)| walk(it, &format!("{path}.{name}"), into));
            }
        };
        if !text.is_empty() {
            into.insert(path.to_owned(), text);
        }
    }
    let mut into = BTreeMap::new();
    walk(json, "", &mut into);
    into
}
