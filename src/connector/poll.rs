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
//! `follow` and `newest` may be lists: a row whose newest change is written in one of two members is
//! asked for by both, and `time` names both (the first filled one counts).
//!
//! Rows that hang on other objects say on which, and those are read before them:
//!
//! ```toml
//! kind = "comment"                 # the foreign kind, where it is not the stream
//! [source.poll.owner]
//! id = "OWNER_ID"
//! kind = "OWNER_TYPE_ID"           # where a row says of which kind its owner is...
//! kinds = { "2" = "deal" }         # ...and our name of that stream
//! # stream = "deal"                # or one for all rows
//! ```
//!
//! What a system lists only object by object is asked for by the objects: `follow`, `newest` and
//! `load` list the owners (by `id` and `time`), and `each` the rows of one of them (`$id`) or of a
//! page of them (`$ids`):
//!
//! ```toml
//! [source.poll.each]
//! path = "crm.item.productrow.list"
//! body = { filter = { "@ownerId" = "$ids" }, start = "$start" }
//! owners = "result"                # the owners, and
//! owner_id = "ID"                  # their ids, in the answers of follow, newest and load
//! owner_time = "DATE_MODIFY"
//! of = "ownerId"                   # with $ids: whose a row is
//! into = "LINES"                   # one row of the stream per owner, its rows in this member
//! ```
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

use super::body::Slot;
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
/// Places of a request for the rows of owners.
const EACH: &[&str] = &["id", "ids", "start", "page"];
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
    /// The stream.
    pub stream: Slug,
    /// The kind of the foreign object.
    pub kind: CompactString,
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
    /// Where the time of its newest change stands in a row; the first filled one counts.
    pub time: Vec<Path>,
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
    pub follow: Vec<RequestSpec>,
    /// The row that changed last comes first; of several answers the latest counts.
    pub newest: Vec<RequestSpec>,
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
    /// The object that a row hangs on.
    pub owner: Option<OwnerSpec>,
    /// The rows are asked for owner by owner.
    pub each: Option<EachSpec>,
}

/// Which object a row hangs on.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerSpec {
    /// Where its id stands in a row.
    pub id: Path,
    /// Where a row says of which kind it is.
    pub kind: Option<Path>,
    /// What it says there, and the stream of such objects.
    pub kinds: Vec<(CompactString, Slug)>,
    /// The stream of every owner, when there is but one.
    pub stream: Option<Slug>,
}

impl OwnerSpec {
    /// The stream and the id of a row's owner; `None` when we do not read such.
    pub fn of(&self, row: &Value) -> Option<(&Slug, CompactString)> {
        let text = |path: &Path| path.first(row).and_then(Value::as_text).map(str::trim).filter(|it| !it.is_empty());
        let id = text(&self.id).filter(|it| *it != "0")?;
        let stream = match &self.kind {
            Some(path) => {
                let told = text(path)?;
                self.kinds.iter().find(|(word, _)| word.eq_ignore_ascii_case(told)).map(|(_, stream)| stream)?
            }
            None => self.stream.as_ref()?,
        };
        Some((stream, id.into()))
    }

    /// Streams of owners.
    pub fn streams(&self) -> impl Iterator<Item = &Slug> {
        self.kinds.iter().map(|(_, stream)| stream).chain(&self.stream)
    }
}

/// How rows are asked for owner by owner.
#[derive(Debug, Clone, PartialEq)]
pub struct EachSpec {
    /// The rows of an owner, or of several.
    pub request: RequestSpec,
    /// Where the owners stand in an answer that lists them.
    pub owners: Path,
    /// Where the id stands in an owner.
    pub owner_id: Path,
    /// Where the time of the newest change that can bring rows stands in an owner.
    pub owner_time: Path,
    /// Where a row says whose it is; then one request asks for several owners.
    pub of: Option<Path>,
    /// The rows of an owner make one row of the stream, in this member.
    pub into: Option<CompactString>,
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

/// A word of a foreign dictionary, as a row tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignWord {
    /// Our name of the dictionary.
    pub dictionary: CompactString,
    /// Its id in the dictionary.
    pub key: CompactString,
    /// As people there read it.
    pub name: CompactString,
    /// Within what it counts; empty: everywhere.
    pub within: CompactString,
    /// Whether it is in use.
    pub active: bool,
    /// E-mail address of a user.
    pub email: CompactString,
    /// Inner telephone number of a user.
    pub phone: CompactString,
}

impl PollSpec {
    /// The row as a word; `None` when it belongs to no dictionary of ours.
    pub fn word_of(&self, row: &Value) -> Option<ForeignWord> {
        let words = self.words.as_ref()?;
        let text = |path: &Option<Path>| {
            let text = path.as_ref().and_then(|path| path.first(row)).and_then(Value::as_text);
            CompactString::new(text.unwrap_or_default())
        };
        let dictionary = words.dictionary_of(&text(&words.group))?.clone();
        let key = words.key.as_ref().unwrap_or(&self.id).first(row).and_then(Value::as_text)?.into();
        let parts = words.name.iter().filter_map(|path| path.first(row)?.as_text()).map(str::trim);
        let name: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let off = ["false", "N", "0"];
        Some(ForeignWord {
            dictionary,
            key,
            name: name.join(" ").into(),
            within: text(&words.within),
            active: !off.contains(&text(&words.active).as_str()),
            email: text(&words.email),
            phone: text(&words.phone),
        })
    }

    /// The id of a row.
    pub fn id_of(&self, row: &Value) -> Option<CompactString> {
        let text = self.id.first(row).and_then(Value::as_text)?.trim();
        (!text.is_empty()).then(|| text.into())
    }

    /// The time of a row's newest change as the foreign system writes it; empty when it does not.
    pub fn time_of(&self, row: &Value) -> CompactString {
        let told = |path: &Path| path.first(row).and_then(Value::as_text).filter(|it| !it.trim().is_empty());
        self.time.iter().find_map(told).map(CompactString::new).unwrap_or_default()
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
        !self.follow.is_empty() && (!self.time.is_empty() || self.each.is_some())
    }
}

impl WordSpec {
    /// Our names of the dictionaries that the rows are words of.
    pub fn dictionaries(&self) -> impl Iterator<Item = &CompactString> {
        self.dictionary.iter().chain(self.groups.iter().map(|(_, ours)| ours))
    }

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
    let kind = table.text("kind").map(CompactString::new);
    let time: Vec<Path> = paths(&table, "time");
    let styles = [("iso", TimeStyle::Iso), ("unix", TimeStyle::Unix)];
    let time_style = table.choice("time_style", &styles).unwrap_or(TimeStyle::Iso);
    let next = sink_read::path(&table, "next");
    let total = sink_read::path(&table, "total");
    let ours = sink_read::path(&table, "ours");
    let volatile = table.texts("volatile").into_iter().map(|(text, _)| CompactString::new(text)).collect();
    let request = |name: &str| table.table(name).and_then(|it| sink_read::read_request(it, POLL));
    let (follow, newest, load) = (requests(&table, "follow"), requests(&table, "newest"), request("load"));
    let (sweep, whole) = (request("sweep"), request("whole"));
    let get = table.table("get").and_then(|it| sink_read::read_get(it, POLL));
    let words = table.table("words").and_then(read_words);
    let owner = table.table("owner").and_then(read_owner);
    let each = table.table("each").and_then(read_each);
    let says_how = !follow.is_empty() || load.is_some() || whole.is_some();
    if !says_how && table.node("follow").or(table.node("load")).or(table.node("whole")).is_none() {
        table.report("follow", Message::new("connector-poll-how"));
    }
    let has_time = !time.is_empty() || each.is_some();
    if !follow.is_empty() && (!has_time || newest.is_empty()) {
        table.report("follow", Message::new("connector-poll-time"));
    }
    if sweep.is_some() && get.is_none() && table.node("get").is_none() {
        table.report("sweep", Message::new("connector-poll-get"));
    }
    table.close();
    let stream = stream?;
    Some(PollSpec {
        kind: kind.unwrap_or_else(|| CompactString::from(&*stream)),
        stream,
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
        owner,
        each,
    })
}

/// One request, or a list of them.
fn requests(table: &Table<'_>, name: &str) -> Vec<RequestSpec> {
    let one = |it: Table<'_>| sink_read::read_request(it, POLL);
    match table.node(name).map(|node| &node.kind) {
        Some(NodeKind::List(_)) => table.tables(name).into_iter().filter_map(one).collect(),
        _ => table.table(name).and_then(one).into_iter().collect(),
    }
}

fn paths(table: &Table<'_>, name: &str) -> Vec<Path> {
    let mut paths = Vec::new();
    for (text, line) in table.texts(name) {
        match Path::compile(text) {
            Ok(path) => paths.push(path),
            Err(error) => table.lint().report(line, error.message),
        }
    }
    paths
}

fn read_owner(table: Table<'_>) -> Option<OwnerSpec> {
    let id = sink_read::required_path(&table, "id");
    let kind = sink_read::path(&table, "kind");
    let mut kinds = Vec::new();
    if let Some(inner) = table.table("kinds") {
        let words: Vec<&str> = inner.entries().map(|(word, _, _)| word).collect();
        for word in words {
            let stream = inner.text(word).and_then(|text| slug(&inner, word, text));
            kinds.extend(stream.map(|stream| (CompactString::new(word), stream)));
        }
        inner.close();
    }
    let stream = table.text("stream").and_then(|text| slug(&table, "stream", text));
    if kind.is_some() == stream.is_some() {
        table.report("stream", Message::new("connector-poll-owner"));
    }
    table.close();
    Some(OwnerSpec { id: id?, kind, kinds, stream })
}

fn read_each(table: Table<'_>) -> Option<EachSpec> {
    let owners = sink_read::required_path(&table, "owners");
    let owner_id = sink_read::required_path(&table, "owner_id");
    let owner_time = sink_read::required_path(&table, "owner_time");
    let of = sink_read::path(&table, "of");
    let into = table.text("into").map(CompactString::new);
    let request = sink_read::request(&table, EACH);
    let has_ids = request.as_ref().is_some_and(|it| it.body.has(&Slot::Ids));
    if has_ids != of.is_some() {
        table.report("of", Message::new("connector-poll-each"));
    }
    table.close();
    Some(EachSpec { request: request?, owners: owners?, owner_id: owner_id?, owner_time: owner_time?, of, into })
}

fn read_words(table: Table<'_>) -> Option<WordSpec> {
    let name = paths(&table, "name");
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
