//! Connectors: one external system each, described by a manifest
//! `connectors/<slug>/connector.toml`.
//!
//! A manifest is data: a new REST system needs no Rust. What TOML cannot say is named by a word
//! (`transport`, `batch`) behind which a strategy in Rust stands.
//!
//! ```toml
//! title_ru = "Формы сайта"                 # what people call the system
//! title_en = "Site forms"
//! docs = "https://..."                     # where the system itself is described
//!
//! [[setting]]                              # what an administrator sets in uzel.toml
//! name = "webhook_url"
//! kind = "url"                             # text | integer | bool | url | choice | texts
//! required = true
//! secret = true                            # kept in the vault, never shown
//! help_ru = "..."                          # where to find it and what it looks like
//! help_en = "..."
//! example = "https://..."
//! # default = ..., choices = ["..."] for kind = "choice"
//!
//! [source]                                 # the inbound half
//! transport = "webhook"                    # webhook | exchange_1c | folder | asterisk | poll (see `poll`)
//! answer = "ok"                            # body of a successful answer
//! test = { field = "test", value = "test" }        # how the sender tests the address
//! honeypot = ["form-spec-comments"]        # fields that mean spam when filled
//!
//! [[source.stream]]
//! name = "lead"
//! idempotency = ["tranid"]                 # paths of the sender's own id
//! window_s = 600                           # without an id: equal content within is one
//! remember_days = 8
//! fold_names = true                        # `Your-Phone` = `your_phone`
//! drop = ["smart-token"]                   # never kept as extra, never shown
//!
//! [sink]                                   # the outbound half: see `sink_read`
//! [oauth]                                  # rights by tokens: see `oauth`
//! [hints]                                  # messages that something changed: see `hint`
//! [[probe]]                                # how the connection stands: see `probe`
//! ```

use crate::base::{Message, Problem, Slug};
use crate::field::reader::unknown_word;
use crate::field::{FieldSpec, Lint, Table};

mod body;
mod hint;
mod oauth;
mod poll;
mod probe;
mod setting;
mod sink;
mod sink_read;
mod source;

pub use body::{BodyTemplate, PathTemplate, Slot};
pub use hint::{BindSpec, HintSpec, QueueSpec, VerifyHint};
pub use oauth::{AddressTemplate, OAuthSpec, SendToken, TokenMethod};
pub use poll::{EachSpec, ForeignWord, OwnerSpec, PollSpec, TimeStyle, WordSpec};
pub use probe::{Meaning, Need, Others, ProbeSpec, Verdict, Words};
pub use sink::{
    After, Auth, BatchStrategy, BodyStyle, Budget, ClientSort, Compare, Create, Custom, FindBy, FindSpec, FindWhere,
    FinishSpec, GetSpec, Http, ImportSpec, MultiField, Naming, ObjectKind, ObjectSpec, Provision, Quota, RequestSpec,
    ResponseRule, Scope, SinkSpec, StatusMatch, Then,
};
pub use source::{Honeypot, SourceSpec, StreamSpec, TestRequest, Transport};

/// A compiled manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    /// Its name: the folder's.
    pub slug: Slug,
    /// What people call the system; Russian and English.
    pub title: (String, String),
    /// Where the system itself is described; may be empty.
    pub docs: String,
    /// What an administrator has to set.
    pub settings: Vec<FieldSpec>,
    /// The inbound half.
    pub source: Option<SourceSpec>,
    /// How the streams of a polled source are asked for.
    pub polls: Vec<PollSpec>,
    /// The outbound half.
    pub sink: Option<SinkSpec>,
    /// Rights by tokens, beside or instead of those of the sink.
    pub oauth: Option<OAuthSpec>,
    /// Messages that something changed there.
    pub hints: Option<HintSpec>,
    /// What is asked to know how a connection stands.
    pub probes: Vec<ProbeSpec>,
}

impl Connector {
    /// Compiles the manifest `text`, known to people as `file`; all its problems at once.
    pub fn compile(slug: Slug, file: &str, text: &str) -> Result<Connector, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let title_ru = table.required_text("title_ru").unwrap_or_default().to_owned();
        let title_en = table.required_text("title_en").unwrap_or_default().to_owned();
        let docs = table.text("docs").unwrap_or_default().to_owned();
        let settings = setting::read_all(&table);
        let (source, polls) = table.table("source").map(source::read).unzip();
        let sink = table.table("sink").and_then(|it| sink_read::read(it, &settings));
        let oauth = table.table("oauth").and_then(|it| oauth::read(it, &settings));
        let hints = table.table("hints").and_then(|it| hint::read(it, &settings));
        let probes = probe::read_all(&table, table.node("sink").is_some());
        check_polls(&table, &source, &polls, table.node("sink").is_some());
        table.close();
        let (title, polls) = ((title_ru, title_en), polls.unwrap_or_default());
        lint.finish(Connector { slug, title, docs, settings, source, polls, sink, oauth, hints, probes })
    }

    /// How the stream is polled.
    pub fn poll(&self, stream: &str) -> Option<&PollSpec> {
        self.polls.iter().find(|it| *it.stream == *stream)
    }

    /// The setting `name`.
    pub fn setting(&self, name: &str) -> Option<&FieldSpec> {
        self.settings.iter().find(|it| it.name == name)
    }
}

/// A poller asks by the address, the rules and the quota of `[sink]`, and each of its streams is
/// declared.
fn check_polls(table: &Table<'_>, source: &Option<SourceSpec>, polls: &Option<Vec<PollSpec>>, has_sink: bool) {
    let Some(source) = source else { return };
    let polled = source.transport == Transport::Poll;
    let polls = polls.as_deref().unwrap_or_default();
    if polled && !has_sink {
        table.report("source", Message::new("connector-poll-sink"));
    }
    if polled == polls.is_empty() {
        table.report("source", Message::new("connector-poll-transport"));
    }
    for poll in polls {
        if !source.streams.iter().any(|it| it.name == poll.stream) {
            let known = source.streams.iter().map(|it| &*it.name);
            table.report("source", unknown_word("connector-poll-stream", &poll.stream, known));
        }
        for owner in poll.owner.iter().flat_map(|owner| owner.streams()) {
            if !polls.iter().any(|it| it.stream == *owner) {
                let known = polls.iter().map(|it| &*it.stream);
                table.report("source", unknown_word("connector-poll-stream", owner, known));
            }
        }
    }
}

/// A setting that is named and not declared.
fn unknown_setting(name: &str, settings: &[FieldSpec]) -> Message {
    unknown_word("connector-setting", name, settings.iter().map(|it| it.name.as_str()))
}
