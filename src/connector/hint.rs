//! `[hints]`: messages of a foreign system that something changed there. They are never believed:
//! what they name is read.
//!
//! ```toml
//! [hints]
//! verify = "bitrix24_token"                # how the sender is known: the word of a strategy
//! secret = "hint_secret"                   # setting: the secret part of our address
//! token = "application_token"              # setting: what the sender shows
//! streams = { ONCRMDEALUPDATE = "deal" }   # which stream a message is about; others are passed over
//! ```
//!
//! A connection that works by tokens asks to be told by itself, at our address (`$address`) for each
//! message of `streams` (`$name`), once; and where the system keeps a queue of messages for us, it is
//! bound and emptied without being called (`$id`: what the system calls the portion taken):
//!
//! ```toml
//! [hints.bind]
//! list = { path = "event.get" }            # who is told of what
//! rows = "result"
//! name = "event"                           # in a row: the message,
//! address = "handler"                      # and where it goes
//! queued = "offline"                       # 1: into the queue
//! bind = { path = "event.bind", body = { event = "$name", handler = "$address" } }
//! unbind = { path = "event.unbind", body = { event = "$name", handler = "$address" } }
//! [hints.queue]
//! every_s = 60
//! bind = { path = "event.bind", body = { event = "$name", event_type = "offline" } }
//! take = { path = "event.offline.get", body = { clear = 0 } }
//! rows = "result.events"
//! portion = "result.process_id"
//! name = "EVENT_NAME"
//! id = "EVENT_DATA.FIELDS.ID"
//! page_rows = 50
//! done = { path = "event.offline.clear", body = { process_id = "$id" } }
//! ```

use super::sink::RequestSpec;
use super::sink_read;
use super::unknown_setting;
use crate::base::Message;
use crate::base::limits::POLL_EVERY_S;
use crate::field::{FieldSpec, Table};
use crate::value::Path;

/// How the sender of a hint is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyHint {
    /// `auth[application_token]` of a form, compared with the setting. No signature.
    Bitrix24Token,
}

/// Messages that something changed.
#[derive(Debug, Clone, PartialEq)]
pub struct HintSpec {
    /// How the sender is known.
    pub verify: VerifyHint,
    /// Setting: the secret part of our address.
    pub secret: String,
    /// Setting: what the sender shows.
    pub token: String,
    /// Name of a message, and the stream that it is about.
    pub streams: Vec<(String, String)>,
    /// How the system is asked to tell us.
    pub bind: Option<BindSpec>,
    /// How its queue is emptied.
    pub queue: Option<QueueSpec>,
}

/// How a system is asked to tell us.
#[derive(Debug, Clone, PartialEq)]
pub struct BindSpec {
    /// Lists who is told of what.
    pub list: RequestSpec,
    /// Where the rows stand in its answer.
    pub rows: Path,
    /// In a row: the name of the message.
    pub name: Path,
    /// In a row: where it goes.
    pub address: Path,
    /// In a row: `1` when it goes into the queue.
    pub queued: Option<Path>,
    /// Asks to be told.
    pub bind: RequestSpec,
    /// Takes it back.
    pub unbind: RequestSpec,
}

/// A queue of messages that the system keeps for us.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueSpec {
    /// Between two looks, s.
    pub every_s: u32,
    /// Asks for a message to be put there.
    pub bind: RequestSpec,
    /// Takes a portion; what is taken is kept there until `done`.
    pub take: RequestSpec,
    /// Where the rows stand in its answer.
    pub rows: Path,
    /// Where the name of the portion stands.
    pub portion: Path,
    /// In a row: the name of the message.
    pub name: Path,
    /// In a row: the id of the object.
    pub id: Path,
    /// Rows of a full portion: behind it there may be more.
    pub page_rows: u32,
    /// Removes a portion.
    pub done: RequestSpec,
}

impl HintSpec {
    /// The stream that a message is about. Names are compared without regard to case.
    pub fn stream_of(&self, name: &str) -> Option<&str> {
        self.streams.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, stream)| stream.as_str())
    }
}

/// Places of a request to be told.
const BIND: &[&str] = &["name", "address"];
/// Places of a request about the queue.
const QUEUE: &[&str] = &["name", "id"];

const VERIFY: &[(&str, VerifyHint)] = &[("bitrix24_token", VerifyHint::Bitrix24Token)];

/// Reads `[hints]`.
pub(super) fn read(table: Table<'_>, settings: &[FieldSpec]) -> Option<HintSpec> {
    let setting = |name: &str| {
        let named = table.required_text(name).unwrap_or_default();
        if !named.is_empty() && !settings.iter().any(|it| it.name == named && it.secret) {
            table.report(name, unknown_setting(named, settings));
        }
        named.to_owned()
    };
    let (secret, token) = (setting("secret"), setting("token"));
    if table.node("verify").is_none() {
        table.report("verify", Message::new("toml-missing").with("name", "verify"));
    }
    let verify = table.choice("verify", VERIFY);
    let mut streams = Vec::new();
    if let Some(named) = table.table("streams") {
        let names: Vec<&str> = named.entries().map(|(name, _, _)| name).collect();
        streams.extend(names.iter().filter_map(|name| Some(((*name).to_owned(), named.text(name)?.to_owned()))));
        named.close();
    }
    let has_queue = table.node("queue").is_some();
    let bind = table.table("bind").and_then(read_bind);
    let queue = table.table("queue").and_then(read_queue);
    // What is in the queue already shows in the list alone.
    if has_queue && bind.as_ref().is_some_and(|it| it.queued.is_none()) {
        table.report("queue", Message::new("toml-missing").with("name", "bind.queued"));
    }
    table.close();
    Some(HintSpec { verify: verify?, secret, token, streams, bind, queue })
}

fn read_bind(table: Table<'_>) -> Option<BindSpec> {
    let request = |name: &str| table.table(name).and_then(|it| sink_read::read_request(it, BIND));
    let (list, bind, unbind) = (request("list"), request("bind"), request("unbind"));
    let path = |name: &str| sink_read::required_path(&table, name);
    let (rows, name, address) = (path("rows"), path("name"), path("address"));
    let queued = sink_read::path(&table, "queued");
    table.close();
    let (rows, name, address) = (rows?, name?, address?);
    Some(BindSpec { list: list?, rows, name, address, queued, bind: bind?, unbind: unbind? })
}

fn read_queue(table: Table<'_>) -> Option<QueueSpec> {
    let request = |name: &str| table.table(name).and_then(|it| sink_read::read_request(it, QUEUE));
    let (bind, take, done) = (request("bind"), request("take"), request("done"));
    let path = |name: &str| sink_read::required_path(&table, name);
    let (rows, portion, name, id) = (path("rows"), path("portion"), path("name"), path("id"));
    let whole = |name: &str, otherwise: u32| {
        table.integer_in(name, 1, 86_400).and_then(|it| u32::try_from(it).ok()).unwrap_or(otherwise)
    };
    let (every_s, page_rows) = (whole("every_s", POLL_EVERY_S), whole("page_rows", 50));
    table.close();
    let (rows, portion, name, id) = (rows?, portion?, name?, id?);
    Some(QueueSpec { every_s, bind: bind?, take: take?, rows, portion, name, id, page_rows, done: done? })
}
