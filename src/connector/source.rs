//! The inbound half of a manifest.

use super::poll::{self, PollSpec};
use crate::base::{Message, Slug};
use crate::field::Table;
use crate::value::Path;

/// How bytes come in. Each is a named strategy, documented in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A POST to `/in/{connection}/{secret}`: forms and webhooks without a signature.
    Webhook,
    /// The 1C exchange protocol (`checkauth`, `init`, `file`, `import`).
    Exchange1c,
    /// We ask, on a schedule: `[[source.poll]]`.
    Poll,
    /// Tables that are put into a folder.
    Folder,
    /// A link to the manager interface of Asterisk that is held open, and its call records.
    Asterisk,
}

/// A request by which the sender only tests the address: answered with success, not journalled
/// as a lead (Tilda sends `test=test`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRequest {
    /// Name of the field.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// A field that people do not see: filled means spam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Honeypot {
    /// Names of such fields.
    pub fields: Vec<String>,
}

/// The inbound half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// How bytes come in.
    pub transport: Transport,
    /// Body of a successful answer (`ok` for Tilda); JSON or redirect by `Accept` when empty.
    pub answer: String,
    /// How the sender tests the address.
    pub test: Option<TestRequest>,
    /// Fields that mean spam when filled.
    pub honeypot: Option<Honeypot>,
    /// Kinds of records.
    pub streams: Vec<StreamSpec>,
}

/// One kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Its name.
    pub name: Slug,
    /// Its mapping is `mappings/<connector>/<mapping>.in.toml`; its name where the manifest does
    /// not say. Streams whose records are alike share one.
    pub mapping: Slug,
    /// Paths at which the sender's own id of the submission stands; the first filled one is the
    /// idempotency key.
    pub idempotency: Vec<Path>,
    /// Without such an id: equal content within this many seconds is one submission.
    pub window_s: u32,
    /// For how many days a key is remembered: longer than the sender's longest retry.
    pub remember_days: u32,
    /// Compare field names without regard to case and to `_`, `-` and spaces.
    pub fold_names: bool,
    /// Paths of values that are never kept as extra nor shown (captcha tokens and the like).
    pub drop: Vec<Path>,
}

const TRANSPORTS: &[(&str, Transport)] = &[
    ("webhook", Transport::Webhook),
    ("exchange_1c", Transport::Exchange1c),
    ("folder", Transport::Folder),
    ("asterisk", Transport::Asterisk),
    ("poll", Transport::Poll),
];

/// For how many days a key is remembered when the manifest does not say: a week of a sender's
/// retries and a day to spare.
const REMEMBER_DAYS: i64 = 8;

/// Reads `[source]`.
pub(super) fn read(table: Table<'_>) -> (SourceSpec, Vec<PollSpec>) {
    if table.node("transport").is_none() {
        table.report("transport", Message::new("toml-missing").with("name", "transport"));
    }
    let transport = table.choice("transport", TRANSPORTS).unwrap_or(Transport::Webhook);
    let answer = table.text("answer").unwrap_or_default().to_owned();
    let test = table.table("test").map(|test| {
        let field = test.required_text("field").unwrap_or_default().to_owned();
        let value = test.required_text("value").unwrap_or_default().to_owned();
        test.close();
        TestRequest { field, value }
    });
    let fields: Vec<String> = table.texts("honeypot").into_iter().map(|(text, _)| text.to_owned()).collect();
    let honeypot = (!fields.is_empty()).then_some(Honeypot { fields });
    let streams: Vec<StreamSpec> = table.tables("stream").into_iter().filter_map(read_stream).collect();
    if streams.is_empty() {
        table.report("stream", Message::new("toml-missing").with("name", "stream"));
    }
    let polls = poll::read_all(&table);
    table.close();
    (SourceSpec { transport, answer, test, honeypot, streams }, polls)
}

fn read_stream(table: Table<'_>) -> Option<StreamSpec> {
    let name = table.required_text("name").and_then(|text| slug(&table, "name", text));
    let mapping = table.text("mapping").and_then(|text| slug(&table, "mapping", text)).or_else(|| name.clone());
    let idempotency = paths(&table, "idempotency");
    let window_s = table.integer_in("window_s", 0, 86_400).unwrap_or(0) as u32;
    let remember_days = table.integer_in("remember_days", 1, 400).unwrap_or(REMEMBER_DAYS) as u32;
    let fold_names = table.boolean("fold_names").unwrap_or(false);
    let drop = paths(&table, "drop");
    table.close();
    Some(StreamSpec { name: name?, mapping: mapping?, idempotency, window_s, remember_days, fold_names, drop })
}

/// The text as a slug; what is not one is reported.
pub(super) fn slug(table: &Table<'_>, name: &str, text: &str) -> Option<Slug> {
    let slug = Slug::new(text);
    if slug.is_none() {
        table.report(name, Message::new("connector-slug").with("text", text));
    }
    slug
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
