//! What tests and the demo look at: counts, refusals, recent requests, the objects as they are.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::fields::Kind;
use super::object::Select;
use super::portal::Portal;
use super::side::{OWNER_KIND, Row};

/// Requests remembered. Above: the oldest go.
const LOG_MAX: usize = 1_000;
/// Writing calls remembered between two questions.
const WRITTEN_MAX: usize = 10_000;
/// Characters kept of a request's parameters.
const PARAMS_CHARS_MAX: usize = 4_000;

/// One request, as it was met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logged {
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// From which address.
    pub source: String,
    /// The method called.
    pub method: String,
    /// The parameters as JSON, cut.
    pub params: String,
    /// The status answered; 0 when the connection was cut.
    pub status: u16,
    /// The error code; absent on success.
    pub error: Option<String>,
    /// The fault met.
    pub fault: Option<String>,
}

/// Counts and recent requests.
#[derive(Debug, Default)]
pub(super) struct Watch {
    requests: BTreeMap<String, u64>,
    commands: BTreeMap<String, u64>,
    refusals: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    log: VecDeque<Logged>,
    /// Calls that changed something; none are kept before somebody asks.
    written: Option<Vec<(String, Json)>>,
}

impl Watch {
    pub(super) fn request(&mut self, logged: Logged) {
        *self.requests.entry(logged.method.clone()).or_insert(0) += 1;
        if let Some(error) = &logged.error {
            self.refusal(error);
        }
        if let Some(fault) = &logged.fault {
            *self.faults.entry(fault.clone()).or_insert(0) += 1;
        }
        self.log.push_back(logged);
        while self.log.len() > LOG_MAX {
            self.log.pop_front();
        }
    }

    /// A command within a batch.
    pub(super) fn command(&mut self, method: &str, error: Option<&str>) {
        *self.commands.entry(method.to_owned()).or_insert(0) += 1;
        if let Some(error) = error {
            self.refusal(error);
        }
    }

    /// A call that changed something. Above the bound the newest are not kept.
    pub(super) fn wrote(&mut self, method: &str, params: &crate::value::Value) {
        if let Some(written) = self.written.as_mut().filter(|it| it.len() < WRITTEN_MAX) {
            written.push((method.to_owned(), super::userfield::to_json(params)));
        }
    }

    pub(super) fn take_written(&mut self) -> Vec<(String, Json)> {
        self.written.replace(Vec::new()).unwrap_or_default()
    }

    fn refusal(&mut self, error: &str) {
        *self.refusals.entry(error.to_owned()).or_insert(0) += 1;
    }

    /// Calls of a method, alone and within batches.
    pub(super) fn calls(&self, method: &str) -> u64 {
        let of = |counts: &BTreeMap<String, u64>| {
            counts.iter().filter(|(name, _)| name.eq_ignore_ascii_case(method)).map(|(_, count)| *count).sum::<u64>()
        };
        of(&self.requests) + of(&self.commands)
    }

    pub(super) fn refused(&self, code: &str) -> u64 {
        self.refusals.get(code).copied().unwrap_or(0)
    }

    pub(super) fn log(&self) -> Vec<Logged> {
        self.log.iter().cloned().collect()
    }
}

/// The parameters for the log, cut at a character.
pub(super) fn shown_params(params: &crate::value::Value) -> String {
    super::userfield::to_json(params).to_string().chars().take(PARAMS_CHARS_MAX).collect()
}

/// Everything at once.
pub(super) fn state(portal: &Portal, watch: &Watch) -> Json {
    let mut objects = serde_json::Map::new();
    let mut counts = serde_json::Map::new();
    for kind in Kind::ALL {
        let view = portal.view(kind);
        let rows: Vec<Json> = portal.objects_of(kind).map(|it| view.classic(it, &Select::whole())).collect();
        counts.insert(kind.word().to_owned(), json!(rows.len()));
        objects.insert(kind.word().to_owned(), Json::Array(rows));
    }
    for (name, table) in [
        ("requisite", &portal.requisites),
        ("comment", &portal.comments),
        ("activity", &portal.activities),
        ("task", &portal.tasks),
        ("product_row", &portal.lines),
    ] {
        counts.insert(name.to_owned(), json!(table.len()));
        objects.insert(name.to_owned(), table.iter().map(|(id, row)| side_row(*id, row)).collect());
    }
    json!({
        "counts": counts,
        "objects": objects,
        "gone": portal.gone,
        "userfields": portal.userfields,
        "stage_history": portal.stage_history,
        "letters_sent": portal.letters_sent,
        "robots_started": portal.robots,
        "users": portal.users,
        "edition": portal.edition,
        "requests": watch.requests,
        "commands": watch.commands,
        "refusals": watch.refusals,
        "faults": watch.faults,
    })
}

fn side_row(id: u64, row: &Row) -> Json {
    let mut shown: serde_json::Map<String, Json> =
        row.iter().filter(|(name, _)| *name != OWNER_KIND).map(|(name, text)| (name.clone(), json!(text))).collect();
    shown.insert("ID".to_owned(), json!(id.to_string()));
    Json::Object(shown)
}
