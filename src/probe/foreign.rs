//! A foreign system that is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{ProbeView, Standing, WordView};
use crate::auth::Standing as Rights;
use crate::base::limits::{PROBE_MS, PROBE_NAMES_SHOWN, PROBE_PAGES_MAX};
use crate::base::{Clock, Locale, Message, Timestamp};
use crate::catalog::Connection;
use crate::connector::{PollSpec, ProbeSpec, SinkSpec, Slot};
use crate::model::Fault;
use crate::net::{Guard, Quotas, Step, Unreached, Wire, reach};
use crate::people::People;
use crate::sink::{Call, Caller, Lane, Settings, SinkError, ask, fields_there};
use crate::value::Value;

/// A foreign system, ready to be asked.
pub struct Foreign<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// Its settings with secrets.
    pub settings: Settings,
    /// The way there.
    pub wire: Arc<dyn Wire>,
    /// What may be dialled.
    pub guard: Guard,
    /// How the tokens stand, where it works by them.
    pub rights: Option<Rights>,
    /// The buckets of foreign hosts: a probe takes out of the same.
    pub quotas: Arc<Quotas>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Our employees.
    pub people: &'a People,
    /// The reader's language.
    pub locale: Locale,
}

/// What is asked by.
struct Asking<'a> {
    foreign: &'a Foreign<'a>,
    caller: Caller,
    deadline: Timestamp,
    asked: u32,
    is_https: bool,
    /// Most work of the foreign server that one method has spent.
    spent_s: f64,
}

impl Foreign<'_> {
    /// Asks; each answer is a check of `view`.
    pub async fn probe(&self, view: &mut ProbeView) {
        let Some(spec) = &self.connection.connector.sink else { return };
        let spec = Arc::new(spec.clone());
        let (wire, quotas, clock) = (Arc::clone(&self.wire), Arc::clone(&self.quotas), Arc::clone(&self.clock));
        let caller = match Caller::new(Arc::clone(&spec), &self.settings, wire, quotas, clock, Lane::Lower) {
            Ok(caller) => caller,
            Err(error) => return self.add(view, "settings", Standing::Fail, &error.message),
        };
        let address = self.settings.secret(&spec.address);
        let address = address.as_ref().map_or("", |it| it.expose());
        if let Err(Unreached { step, message }) = reach(address, &self.guard).await {
            return self.add_step(view, step, &message);
        }
        if let Some(Rights::NotConnected) = &self.rights {
            let message = Message::new("oauth-not-connected").with("connection", &self.connection.name);
            return self.add(view, "let-in", Standing::Fail, &message);
        }
        let deadline = self.clock.now().plus_ms(PROBE_MS);
        let mut asking =
            Asking { foreign: self, caller, deadline, asked: 0, is_https: address.starts_with("https:"), spent_s: 0.0 };
        asking.all(view, &spec).await;
        if asking.asked > 0 {
            let spent = format!("{:.1}", asking.spent_s);
            let limit = spec.budget.as_ref().map_or(0, |it| it.limit_s);
            let (requests, per_ms) = (spec.quota.requests, spec.quota.per_ms);
            let message = Message::new(if limit > 0 { "probe-quota-spent" } else { "probe-quota" });
            let message = message.with("asked", asking.asked).with("requests", requests);
            let message = message.with("seconds", per_ms as f64 / 1_000.0).with("spent", spent).with("limit", limit);
            self.add(view, "quota", Standing::Note, &message);
        }
    }

    fn add(&self, view: &mut ProbeView, check: &str, standing: Standing, message: &Message) {
        view.add(check, standing, message, self.locale);
    }

    fn add_step(&self, view: &mut ProbeView, step: Step, message: &Message) {
        self.add(view, "reach", Standing::Fail, message);
        if let Some(check) = view.checks.last_mut() {
            check.step = Some(step.name().to_owned());
        }
    }

    fn say(&self, message: Message) -> String {
        message.render(self.locale)
    }
}

impl Asking<'_> {
    async fn all(&mut self, view: &mut ProbeView, spec: &SinkSpec) {
        let foreign = self.foreign;
        let connector = Arc::clone(&foreign.connection.connector);
        let dictionaries: Vec<&PollSpec> =
            connector.polls.iter().filter(|poll| poll.whole.is_some() && poll.words.is_some()).collect();
        let by_tokens = foreign.rights.is_some();
        let mut probes = connector.probes.iter().filter(|probe| probe.by_tokens.is_none() || by_tokens);
        // The first answer tells whether we are let in; where nothing is declared, a dictionary does.
        let first = probes.next();
        let call = match (first, dictionaries.first()) {
            (Some(probe), _) => Call::new(&probe.ask, &nothing),
            (None, Some(poll)) => page_of(poll, 0),
            (None, None) => {
                return foreign.add(view, "let-in", Standing::Unknown, &Message::new("probe-nothing-asked"));
            }
        };
        let answer = match self.ask(call).await {
            Ok(answer) => answer,
            Err(error) => return self.not_let_in(view, &error),
        };
        foreign.add(view, "reach", Standing::Fine, &self.reached());
        foreign.add(view, "let-in", Standing::Fine, &Message::new("probe-let-in"));
        if let Some(probe) = first {
            self.judge(view, probe, &answer);
        }
        for probe in connector.probes.iter().filter(|_| !by_tokens) {
            if let Some(words) = &probe.by_tokens {
                let (title, text) = (probe.title.say(foreign.locale), words.say(foreign.locale));
                view.push(&probe.name, title.to_owned(), Standing::Note, text.to_owned());
            }
        }
        for probe in probes {
            match self.ask(Call::new(&probe.ask, &nothing)).await {
                Ok(answer) => self.judge(view, probe, &answer),
                Err(error) => {
                    let title = probe.title.say(foreign.locale).to_owned();
                    let text = foreign.say(self.unanswered("probe-not-answered", &error));
                    view.push(&probe.name, title, Standing::Unknown, text);
                }
            }
        }
        for poll in dictionaries {
            if let Err(error) = self.dictionary(view, poll).await {
                let message = self.unanswered("probe-no-dictionary", &error).with("stream", &poll.stream);
                foreign.add(view, "dictionary", Standing::Warn, &message);
            }
        }
        self.show_words(view);
        self.employees(view);
        self.fields(view, spec).await;
    }

    fn reached(&self) -> Message {
        let id = if self.is_https { "probe-reached" } else { "probe-reached-plain" };
        Message::new(id).with("host", self.caller.host())
    }

    /// Why there is no answer: what the host says, else what we know.
    fn unanswered(&self, id: &str, error: &SinkError) -> Message {
        let said = |name: &str| {
            let found = error.message.args.iter().find(|(held, _)| held == name);
            found.map(|(_, value)| value.trim()).filter(|it| !it.is_empty() && *it != "-")
        };
        let words = [said("status"), said("code"), said("text")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let is_answer = error.message.id == "sink-answer" && !words.is_empty();
        let reason = if is_answer { words } else { error.message.render(self.foreign.locale) };
        Message::new(id).with("host", self.caller.host()).with("reason", reason.trim_end_matches('.'))
    }

    async fn ask(&mut self, call: Call) -> Result<Value, SinkError> {
        self.caller.wake();
        let answer = ask(&self.caller, call, self.deadline).await;
        self.asked += self.caller.take_sent();
        let budget = self.foreign.connection.connector.sink.as_ref().and_then(|it| it.budget.as_ref());
        if let (Ok(answer), Some(budget)) = (&answer, budget) {
            let spent = budget.spent.first(answer).and_then(Value::as_text).and_then(|it| it.parse::<f64>().ok());
            self.spent_s = self.spent_s.max(spent.unwrap_or_default());
        }
        answer
    }

    fn not_let_in(&self, view: &mut ProbeView, error: &SinkError) {
        let foreign = self.foreign;
        match error.message.id.as_str() {
            // The port was open a moment ago: what fails behind it is the encryption.
            "net-connect" if self.is_https => {
                let message = Message::new("net-reach-tls").with("host", self.caller.host());
                let detail = error.message.args.iter().find(|(name, _)| name == "detail").map(|(_, it)| it.as_str());
                foreign.add_step(view, Step::Tls, &message.with("detail", detail.unwrap_or_default()));
            }
            "net-connect" => foreign.add_step(view, Step::Tcp, &error.message),
            "net-timeout" | "net-cut" | "net-answer-long" => foreign.add_step(view, Step::Http, &error.message),
            _ if error.fault == Fault::Connection => {
                foreign.add(view, "reach", Standing::Fine, &self.reached());
                foreign.add(view, "let-in", Standing::Fail, &self.unanswered("probe-not-let-in", error));
            }
            _ => foreign.add_step(view, Step::Http, &self.unanswered("net-reach-http", error)),
        }
    }

    /// What an answer means, by the manifest.
    fn judge(&self, view: &mut ProbeView, probe: &ProbeSpec, answer: &Value) {
        let locale = self.foreign.locale;
        let title = || probe.title.say(locale).to_owned();
        let found: Vec<&str> = probe.at.all(answer).into_iter().filter_map(Value::as_text).collect();
        let shown: Vec<&str> = probe.show.iter().filter_map(|path| path.first(answer)?.as_text()).collect();
        let shown = shown.join(" ").trim().to_owned();
        if let Some(others) = &probe.others {
            let mut names: BTreeMap<&str, usize> = BTreeMap::new();
            let strangers = found.iter().filter(|it| !it.is_empty() && !others.ours.iter().any(|own| own == *it));
            strangers.for_each(|name| *names.entry(name).or_default() += 1);
            if names.is_empty() {
                let text = self.foreign.say(Message::new("probe-no-others"));
                return view.push(&probe.name, title(), Standing::Fine, text);
            }
            let names: Vec<String> = names.iter().map(|(name, count)| format!("{name} ({count})")).collect();
            let text = format!("{}. {}", listed(&names, locale), others.text.say(locale));
            return view.push(&probe.name, title(), Standing::Warn, text);
        }
        if !probe.needs.is_empty() {
            let has = |words: &[String]| words.iter().any(|word| found.contains(&word.as_str()));
            let missing: Vec<_> = probe.needs.iter().filter(|need| !has(&need.any)).collect();
            if missing.is_empty() {
                let names: Vec<String> = found.iter().map(|it| (*it).to_owned()).collect();
                return view.push(&probe.name, title(), Standing::Fine, listed(&names, locale));
            }
            for need in missing {
                view.push(&probe.name, title(), need.then.into(), need.without.say(locale).to_owned());
            }
            return;
        }
        let mut values = found;
        values.sort_unstable();
        values.dedup();
        if probe.means.is_empty() {
            values.truncate(1);
        }
        if values.is_empty() {
            values.push("");
        }
        // Several values mean several things, each of which holds.
        for value in values {
            let meaning = probe.means.iter().find(|it| it.value == value);
            let text = meaning.map_or(value, |it| it.text.say(locale));
            let text = if shown.is_empty() { text.to_owned() } else { format!("{shown}, {text}") };
            view.push(&probe.name, title(), meaning.map_or(Standing::Note, |it| it.then.into()), text);
        }
    }

    async fn dictionary(&mut self, view: &mut ProbeView, poll: &PollSpec) -> Result<(), SinkError> {
        let mut start = 0;
        for page in 1..=PROBE_PAGES_MAX {
            let body = self.ask(page_of(poll, start)).await?;
            let rows = poll.rows.first(&body).map(Value::items).unwrap_or_default();
            view.words.extend(rows.iter().filter_map(|row| poll.word_of(row)).map(|word| WordView {
                dictionary: word.dictionary.into(),
                id: word.key.into(),
                name: word.name.into(),
                within: word.within.into(),
                active: word.active,
                email: word.email.into(),
                phone: word.phone.into(),
            }));
            start += rows.len() as u64;
            let more = match &poll.next {
                Some(next) => next.first(&body).is_some_and(|next| !next.is_blank()),
                None => rows.len() >= poll.page_rows as usize,
            };
            if !more || rows.is_empty() {
                break;
            }
            if page == PROBE_PAGES_MAX {
                let message = Message::new("probe-dictionary-long").with("stream", &poll.stream).with("rows", start);
                self.foreign.add(view, "dictionary", Standing::Note, &message);
            }
        }
        Ok(())
    }

    /// One line per dictionary; stages by their pipeline.
    fn show_words(&self, view: &mut ProbeView) {
        let locale = self.foreign.locale;
        let mut lines: Vec<(String, Message)> = Vec::new();
        let pipelines: BTreeMap<String, String> =
            view.dictionary("pipeline").map(|it| (it.id.clone(), it.name.clone())).collect();
        for dictionary in ["pipeline", "stage", "lead_stage", "source", "user"] {
            let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for word in view.dictionary(dictionary).filter(|it| it.active) {
                groups
                    .entry(if dictionary == "stage" { &word.within } else { "" })
                    .or_default()
                    .push(word.name.clone());
            }
            let gone = view.dictionary(dictionary).filter(|it| !it.active).count();
            for (within, names) in groups {
                // The common pipeline has the id 0, and its stages say nothing of it.
                let pipeline = pipelines.get(if within.is_empty() { "0" } else { within });
                let id = match (dictionary, pipeline, gone) {
                    ("stage", Some(_), _) => "probe-words-of",
                    ("user", ..) if gone > 0 => "probe-words-gone",
                    _ => "probe-words",
                };
                let message = Message::new(id).with("count", names.len()).with("names", listed(&names, locale));
                let message = message.with("of", pipeline.map_or("", String::as_str)).with("gone", gone);
                lines.push((dictionary.replace('_', "-"), message));
            }
        }
        for (dictionary, message) in lines {
            self.foreign.add(view, &dictionary, Standing::Note, &message);
        }
    }

    /// Employees of our rules whom the foreign system does not know, or no longer.
    fn employees(&self, view: &mut ProbeView) {
        let (people, connection) = (self.foreign.people, &self.foreign.connection.name);
        let known: BTreeMap<String, bool> = view.dictionary("user").map(|it| (it.id.clone(), it.active)).collect();
        if known.is_empty() {
            return;
        }
        if people.is_empty() {
            return self.foreign.add(view, "employees", Standing::Note, &Message::new("probe-employees-none"));
        }
        let mut strangers = Vec::new();
        let mut listed_here = 0;
        for employee in people.employees() {
            let Some(id) = employee.id_in(connection) else { continue };
            listed_here += 1;
            match known.get(id) {
                Some(true) => {}
                Some(false) => {
                    strangers.push(Message::new("probe-employee-off").with("key", &employee.key).with("id", id))
                }
                None => {
                    strangers.push(Message::new("probe-employee-unknown").with("key", &employee.key).with("id", id))
                }
            }
        }
        if strangers.is_empty() {
            let message = Message::new("probe-employees-known").with("count", listed_here);
            return self.foreign.add(view, "employees", Standing::Fine, &message);
        }
        let names: Vec<String> = strangers.into_iter().map(|it| self.foreign.say(it)).collect();
        let message = Message::new("probe-employees-strange").with("names", listed(&names, self.foreign.locale));
        self.foreign.add(view, "employees", Standing::Warn, &message);
    }

    /// Fields of our own: there, or to be made when something is first written.
    async fn fields(&mut self, view: &mut ProbeView, spec: &SinkSpec) {
        if spec.objects.iter().all(|object| object.provision.is_none()) {
            return;
        }
        self.caller.wake();
        let standings = fields_there(spec, &self.caller, self.deadline).await;
        self.asked += self.caller.take_sent();
        match standings {
            Ok(standings) => {
                let missing = standings.iter().filter(|it| !it.is_there).map(|it| format!("{}.{}", it.kind, it.name));
                let missing: Vec<String> = missing.collect();
                let there = standings.len() - missing.len();
                let id = if missing.is_empty() { "probe-fields-there" } else { "probe-fields-missing" };
                let message = Message::new(id).with("there", there).with("missing", missing.len());
                let message = message.with("names", listed(&missing, self.foreign.locale));
                self.foreign.add(view, "fields", Standing::Note, &message);
            }
            Err(error) => {
                let message = self.unanswered("probe-not-answered", &error);
                self.foreign.add(view, "fields", Standing::Unknown, &message);
            }
        }
    }
}

/// A request that has no places.
fn nothing(_slot: &Slot) -> Json {
    Json::Null
}

fn page_of(poll: &PollSpec, start: u64) -> Call {
    let request = poll.whole.as_ref().expect("only dictionaries that are read whole are asked");
    Call::new(request, &|slot| match slot {
        Slot::Start => json!(start),
        Slot::Page => json!(start / u64::from(poll.page_rows.max(1)) + 1),
        Slot::All
        | Slot::Ids
        | Slot::Rows
        | Slot::Fields
        | Slot::Field(_)
        | Slot::Id
        | Slot::Origin
        | Slot::Values
        | Slot::Time
        | Slot::Name
        | Slot::Address
        | Slot::BareName
        | Slot::Type
        | Slot::LabelRu
        | Slot::LabelEn => Json::Null,
    })
}

/// Names in one line; above the bound the rest is counted.
fn listed(names: &[String], locale: Locale) -> String {
    let mut line = names.iter().take(PROBE_NAMES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let left = names.len().saturating_sub(PROBE_NAMES_SHOWN);
    if left > 0 {
        line.push_str(&Message::new("probe-and-more").with("count", left).render(locale));
    }
    line
}
