//! What a poller asks: `[[source.poll]]` of a manifest.
//!
//! ```toml
//! [source]
//! transport = "poll"               # by address, auth, rules and quota of [sink]
//!
//! [[source.stream]]
//! name = "contact"                 # also the foreign kind: `foreign.contact` of the mapping
//!
//! [[source.poll]]
//! stream = "contact"
//! every_s = 60                     # between two looks; the setting poll_s comes before
//! overlap_s = 300                  # how far back each look begins: what was late is seen
//! page_rows = 50                   # rows of a full page; a shorter one is the last
//! rows = "result"                  # paths in an answer
//! id = "ID"                        # paths in a row
//! time = "DATE_MODIFY"
//! # time_style = "unix"            # iso | unix, where a row's time is seconds since 1970
//! # next = "next"                  # where an answer says that there is more (else a full page does)
//! ours = "ORIGIN_ID"               # our id of what we made there ourselves
//! volatile = ["LAST_ACTIVITY_TIME"]        # members that say nothing new when they change
//! follow = { path = "...", body = { filter = { ">=DATE_MODIFY" = "$time" }, start = "$start" } }
//! newest = { path = "...", body = { ... } }    # its first row tells the newest time
//! load = { path = "...", body = { filter = { ">ID" = "$id" }, start = -1 } }
//! sweep = { path = "...", body = { ... } }     # as load, ids alone are enough
//! get = { path = "...", body = { id = "$id" }, record = "result" }
//! ```
//!
//! Places: `$time`, `$id`, `$start` (rows to pass over) and `$page` (1, 2, ...).
//!
//! A dictionary of the foreign system (stages, users) is read whole, and its rows are words:
//!
//! ```toml
//! [[source.poll]]
//! stream = "status"
//! whole = { path = "crm.status.list", body = { start = "$start" } }
//! rows = "result"
//! id = "ID"
//! [source.poll.words]
//! key = "STATUS_ID"
//! name = ["NAME"]                  # joined by a space
//! group = "ENTITY_ID"              # which dictionary the row belongs to...
//! groups = { SOURCE = "source", "DEAL_STAGE*" = "stage" }      # ...by its beginning
//! # dictionary = "user"            # or one for all rows
//! # within = "CATEGORY_ID", active = "ACTIVE", email = "EMAIL", phone = "UF_PHONE_INNER"
//! ```

use compact_str::CompactString;

use super::sink::{GetSpec, RequestSpec};
use super::sink_read;
use super::source::slug;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{POLL_EVERY_S, POLL_OVERLAP_S};
use crate::base::{Message, Slug};
use crate::field::{NodeKind, Table};
use crate::value::{Path, Value};

/// Places of a poll's requests.
const POLL: &[&str] = &["time", "id", "start", "page"];
/// Rows of a full page where the manifest does not say.
const PAGE_ROWS: i64 = 50;

/// How the time of a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeStyle {
    /// RFC 3339.
    Iso,
    /// Seconds since 1970.
    Unix,
}

/// How one stream is polled.
#[derive(Debug, Clone, PartialEq)]
pub struct PollSpec {
    /// The stream: also the kind of the foreign object.
    pub stream: Slug,
    /// Between two looks, s.
    pub every_s: u32,
    /// How far back each look begins, s.
    pub overlap_s: u32,
    /// Rows of a full page.
    pub page_rows: u32,
    /// Where the rows stand in an answer.
    pub rows: Path,
    /// Where the id stands in a row.
    pub id: Path,
    /// Where the time of its newest change stands in a row.
    pub time: Option<Path>,
    /// How that time is written.
    pub time_style: TimeStyle,
    /// Where an answer says that there is more; without it a full page does.
    pub next: Option<Path>,
    /// Where an answer says how many rows there are.
    pub total: Option<Path>,
    /// Where a row holds our id of what we made there ourselves.
    pub ours: Option<Path>,
    /// Members of a row that say nothing new when they change.
    pub volatile: Vec<CompactString>,
    /// Rows changed since a time, in the order of (time, id).
    pub follow: Option<RequestSpec>,
    /// The row that changed last comes first.
    pub newest: Option<RequestSpec>,
    /// Rows behind an id, in the order of ids.
    pub load: Option<RequestSpec>,
    /// The same, of which only the ids are read.
    pub sweep: Option<RequestSpec>,
    /// One row.
    pub get: Option<GetSpec>,
    /// All rows, page by page.
    pub whole: Option<RequestSpec>,
    /// Its rows are words of dictionaries.
    pub words: Option<WordSpec>,
}

/// How a row is read as a word of a dictionary.
#[derive(Debug, Clone, PartialEq)]
pub struct WordSpec {
    /// Members that make its name, joined by a space.
    pub name: Vec<Path>,
    /// Where its id in the dictionary stands in a row; without it the row's own id.
    pub key: Option<Path>,
    /// The dictionary of every row, when there is but one.
    pub dictionary: Option<CompactString>,
    /// Where a row says which dictionary it belongs to.
    pub group: Option<Path>,
    /// What it says there, or how that begins (`DEAL_STAGE*`), and our name of the dictionary.
    pub groups: Vec<(CompactString, CompactString)>,
    /// Where a row says within what it counts (the pipeline of a stage).
    pub within: Option<Path>,
    /// Where a row says whether it is in use.
    pub active: Option<Path>,
    /// Where a row holds an e-mail address.
    pub email: Option<Path>,
    /// Where a row holds an inner telephone number.
    pub phone: Option<Path>,
}

impl PollSpec {
    /// The id of a row.
    pub fn id_of(&self, row: &Value) -> Option<CompactString> {
        let text = self.id.first(row).and_then(Value::as_text)?.trim();
        (!text.is_empty()).then(|| text.into())
    }

    /// The time of a row's newest change as the foreign system writes it; empty when it does not.
    pub fn time_of(&self, row: &Value) -> CompactString {
        let time = self.time.as_ref().and_then(|path| path.first(row)).and_then(Value::as_text);
        time.map(CompactString::new).unwrap_or_default()
    }

    /// Names what a row says, but for what is volatile: a row polled again and identical is known
    /// by it.
    pub fn fingerprint_of(&self, row: &Value) -> Fingerprint {
        let mut text = String::new();
        match row {
            Value::Map(members) => {
                let lasting = members.iter().filter(|(name, _)| !self.volatile.contains(name));
                Value::Map(lasting.cloned().collect()).write_json(&mut text);
            }
            other => other.write_json(&mut text),
        }
        Fingerprint::of(text.as_bytes())
    }

    /// Whether it can follow changes.
    pub fn follows(&self) -> bool {
        self.follow.is_some() && self.time.is_some()
    }
}

impl WordSpec {
    /// Our name of the dictionary that a row of this group belongs to; `None`: we keep no such.
    pub fn dictionary_of(&self, group: &str) -> Option<&CompactString> {
        let fits = |(told, _): &&(CompactString, CompactString)| match told.strip_suffix('*') {
            Some(beginning) => group.starts_with(beginning),
            None => told == group,
        };
        self.dictionary.as_ref().or_else(|| self.groups.iter().find(fits).map(|(_, ours)| ours))
    }
}

/// Reads `[[source.poll]]`.
pub(super) fn read_all(source: &Table<'_>) -> Vec<PollSpec> {
    source.tables("poll").into_iter().filter_map(read).collect()
}

fn read(table: Table<'_>) -> Option<PollSpec> {
    let stream = table.required_text("stream").and_then(|text| slug(&table, "stream", text));
    let seconds = |name: &str, low: i64, otherwise: u32| {
        table.integer_in(name, low, 31 * 86_400).and_then(|it| u32::try_from(it).ok()).unwrap_or(otherwise)
    };
    let every_s = seconds("every_s", 1, POLL_EVERY_S);
    let overlap_s = seconds("overlap_s", 0, POLL_OVERLAP_S);
    let page_rows = table.integer_in("page_rows", 1, 10_000).unwrap_or(PAGE_ROWS) as u32;
    let rows = sink_read::required_path(&table, "rows");
    let id = sink_read::required_path(&table, "id");
    let time = sink_read::path(&table, "time");
    let styles = [("iso", TimeStyle::Iso), ("unix", TimeStyle::Unix)];
    let time_style = table.choice("time_style", &styles).unwrap_or(TimeStyle::Iso);
    let next = sink_read::path(&table, "next");
    let total = sink_read::path(&table, "total");
    let ours = sink_read::path(&table, "ours");
    let volatile = table.texts("volatile").into_iter().map(|(text, _)| CompactString::new(text)).collect();
    let request = |name: &str| table.table(name).and_then(|it| sink_read::read_request(it, POLL));
    let (follow, newest, load) = (request("follow"), request("newest"), request("load"));
    let (sweep, whole) = (request("sweep"), request("whole"));
    let get = table.table("get").and_then(|it| sink_read::read_get(it, POLL));
    let words = table.table("words").and_then(read_words);
    let says_how = follow.is_some() || load.is_some() || whole.is_some();
    if !says_how && table.node("follow").or(table.node("load")).or(table.node("whole")).is_none() {
        table.report("follow", Message::new("connector-poll-how"));
    }
    if follow.is_some() && (time.is_none() || newest.is_none()) {
        table.report("follow", Message::new("connector-poll-time"));
    }
    if sweep.is_some() && get.is_none() && table.node("get").is_none() {
        table.report("sweep", Message::new("connector-poll-get"));
    }
    table.close();
    Some(PollSpec {
        stream: stream?,
        every_s,
        overlap_s,
        page_rows,
        rows: rows?,
        id: id?,
        time,
        time_style,
        next,
        total,
        ours,
        volatile,
        follow,
        newest,
        load,
        sweep,
        get,
        whole,
        words,
    })
}

fn read_words(table: Table<'_>) -> Option<WordSpec> {
    let mut name = Vec::new();
    for (text, line) in table.texts("name") {
        match Path::compile(text) {
            Ok(path) => name.push(path),
            Err(error) => table.lint().report(line, error.message),
        }
    }
    if name.is_empty() {
        table.report("name", Message::new("toml-missing").with("name", "name"));
    }
    let key = sink_read::path(&table, "key");
    let dictionary = table.text("dictionary").map(CompactString::new);
    let group = sink_read::path(&table, "group");
    let mut groups = Vec::new();
    if let Some(inner) = table.table("groups") {
        for (told, line, node) in inner.entries() {
            match &node.kind {
                NodeKind::Text(ours) => groups.push((CompactString::new(told), CompactString::new(ours))),
                _ => inner.lint().report(line, Message::new("connector-poll-groups").with("name", told)),
            }
        }
    }
    if dictionary.is_some() == group.is_some() {
        table.report("dictionary", Message::new("connector-poll-groups").with("name", "dictionary"));
    }
    let within = sink_read::path(&table, "within");
    let active = sink_read::path(&table, "active");
    let email = sink_read::path(&table, "email");
    let phone = sink_read::path(&table, "phone");
    table.close();
    Some(WordSpec { name, key, dictionary, group, groups, within, active, email, phone })
}
