//! What people and programs are shown: plain data, the same for the JSON interface, the command
//! line and (later) pages. Texts are in the reader's language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AlarmView;
use super::CertificateView;
pub use super::plan_views::{AppliedView, FieldChangeView, LookView, PlanLineView, PlanView, SyncView};
pub use super::relay::RelayView;

/// State of the daemon at a glance.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct StatusView {
    /// Version of the program.
    pub version: String,
    /// Newest synced journal position.
    pub head: u64,
    /// Newest applied journal position.
    pub applied: u64,
    /// Entries not yet applied.
    pub lag: u64,
    /// Whether intake is accepted; the reason when it is not.
    pub intake: Option<String>,
    /// Why the pipeline stopped, if it did.
    pub pipeline_failure: Option<String>,
    /// Name of the configuration in force.
    pub configuration: String,
    /// Whether deals are being scored again after a change of rules.
    pub rescoring: bool,
    /// Connections.
    pub connections: Vec<ConnectionView>,
    /// Records by connection, stream and outcome.
    pub records: Vec<CountView>,
    /// Open deliveries by sink and state.
    pub deliveries: Vec<DeliveryCountView>,
    /// Scores computed since the store began.
    pub deals_scored: u64,
    /// What is wrong, the worst first.
    #[serde(default)]
    pub alarms: Vec<AlarmView>,
    /// The relay that takes messages for us; none when there is none.
    #[serde(default)]
    pub relay: Option<RelayView>,
    /// The certificate of the listener; absent without TLS of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateView>,
}

/// A watched folder, as the latest look found it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FolderView {
    /// Its connection.
    pub connection: String,
    /// The folder.
    pub path: String,
    /// Why it could not be looked at.
    pub problem: Option<String>,
    /// Files that lie there or were taken by the latest look.
    pub files: Vec<FolderFileView>,
}

/// A file of a watched folder.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FolderFileView {
    /// Its name.
    pub name: String,
    /// Where it is in the journal.
    pub position: Option<u64>,
    /// What it waits for.
    pub waits: Option<String>,
}

/// Number of open deliveries of one sink in one state.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct DeliveryCountView {
    /// The sink.
    pub sink: String,
    /// `due`, `held` (waits for a plan), `in_flight`, `uncertain`, `dead`, `discarded`.
    pub state: String,
    /// How many.
    pub count: u64,
    /// Whether counting stopped at the bound: there are at least so many.
    pub at_least: bool,
}

/// A configured connection.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// `observe`, `live`, `paused` or `off`.
    pub mode: String,
    /// Whether it is a sink.
    pub is_sink: bool,
    /// Why delivery has stopped, if it has.
    pub stopped: Option<String>,
}

/// Number of records with one outcome.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CountView {
    /// The connection.
    pub connection: String,
    /// The stream.
    pub stream: String,
    /// The outcome.
    pub outcome: String,
    /// How many.
    pub count: u64,
}

/// A client in a listing.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ClientLine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `person` or `company`.
    pub kind: String,
    /// Best class of its open deals.
    pub class: Option<String>,
    /// ИНН.
    pub inn: Option<String>,
    /// Phones and e-mails.
    pub contacts: Vec<String>,
    /// Number of deals.
    pub deals: usize,
}

/// A field and where it came from.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FieldView {
    /// Name of the field.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Connection that said so.
    pub source: String,
    /// Journal position that said so.
    pub position: u64,
    /// When the source observed it.
    pub observed_at: String,
}

/// An id in a foreign system.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ForeignView {
    /// The connection.
    pub connection: String,
    /// Type there.
    pub kind: String,
    /// Id there.
    pub id: String,
}

/// Where a sink stands with an object.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SinkView {
    /// The sink.
    pub sink: String,
    /// `confirmed`, `due`, `in_flight`, `uncertain`, `dead`, `discarded`.
    pub state: String,
    /// Id there.
    pub foreign_id: Option<String>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

/// A client with everything known of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ClientView {
    /// The line of the listing.
    #[serde(flatten)]
    pub line: ClientLine,
    /// Since when it is known.
    pub known_since: String,
    /// The client it was merged into.
    pub merged_into: Option<String>,
    /// Clients merged into this one, with the reasons.
    pub merged: Vec<MergeView>,
    /// Fields with their origin.
    pub fields: Vec<FieldView>,
    /// Ids in foreign systems.
    pub foreign: Vec<ForeignView>,
    /// Deals.
    pub open_deals: Vec<DealLine>,
    /// Open tasks, the oldest first.
    #[serde(default)]
    pub open_tasks: Vec<TaskLine>,
    /// Documents.
    pub documents: Vec<DocumentView>,
    /// The newest interactions.
    pub interactions: Vec<InteractionView>,
    /// Sinks.
    pub sinks: Vec<SinkView>,
}

/// A merge and why.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct MergeView {
    /// The client that went.
    pub loser: String,
    /// The entry that merged them.
    pub position: u64,
    /// Why.
    pub why: Vec<String>,
}

/// An interaction.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct InteractionView {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// When.
    pub at: String,
    /// The connection that told of it.
    pub source: String,
    /// Who turned to whom.
    pub direction: String,
    /// The employee who took part.
    pub who: Option<String>,
    /// How long it took, s.
    pub duration_s: Option<u32>,
    /// What came of it.
    pub result: String,
    /// The record it came in.
    pub record: String,
    /// One line.
    pub subject: String,
    /// Text.
    pub text: String,
}

/// A document.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct DocumentView {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Number.
    pub number: String,
    /// Sum.
    pub sum: Option<String>,
    /// Posted.
    pub posted: Option<bool>,
    /// Marked for deletion.
    pub deletion_mark: Option<bool>,
    /// The deal.
    pub deal: Option<String>,
}

/// A deal in a listing.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct DealLine {
    /// Its id.
    pub id: String,
    /// Title.
    pub title: String,
    /// Client's id.
    pub client: Option<String>,
    /// Client's name.
    pub client_name: String,
    /// Pipeline.
    pub pipeline: String,
    /// `open`, `won` or `lost`.
    pub state: String,
    /// Stage.
    pub stage: String,
    /// Calendar days in the stage.
    pub days_in_stage: i64,
    /// Source.
    pub source: String,
    /// Price, main units.
    pub price: Option<String>,
    /// Currency.
    pub currency: Option<String>,
    /// Probability, percent.
    pub probability: Option<String>,
    /// Value, main units.
    pub value: Option<String>,
    /// Class.
    pub class: Option<String>,
    /// Whether it counts in the headline forecast.
    pub in_forecast: bool,
    /// Why, in one line.
    pub explanation: String,
}

/// A deal with everything known of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct DealView {
    /// The line of the listing.
    #[serde(flatten)]
    pub line: DealLine,
    /// Fields with their origin.
    pub fields: Vec<FieldView>,
    /// Lines of goods.
    pub lines: Vec<LineView>,
    /// Documents.
    pub documents: Vec<DocumentView>,
    /// Changes of class.
    pub class_history: Vec<ClassChangeView>,
    /// Whom rules gave it to, and why; absent when its source named a responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<super::AssignmentView>,
    /// Ids in foreign systems.
    pub foreign: Vec<ForeignView>,
    /// Sinks.
    pub sinks: Vec<SinkView>,
}

/// A task in a listing.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TaskLine {
    /// Id.
    pub id: String,
    /// Kind (`answer`).
    pub kind: String,
    /// What is to be done.
    pub title: String,
    /// Id of the client.
    pub client: Option<String>,
    /// Name of the client.
    pub client_name: String,
    /// Id of the deal.
    pub deal: Option<String>,
    /// Who does it.
    pub responsible: Option<String>,
    /// Until when, in the company's zone.
    pub due: String,
    /// Whether it is open and late.
    pub is_overdue: bool,
    /// Minutes by which it is late.
    #[serde(default)]
    pub late_minutes: u64,
    /// `open`, `done` or `cancelled`.
    pub state: String,
    /// Since when.
    pub created_at: String,
    /// How many reasons came after the first.
    pub renewals: u32,
}

/// A task with everything known of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct TaskView {
    /// The line of the listing.
    #[serde(flatten)]
    pub line: TaskLine,
    /// The setting that asked for it.
    pub rule: String,
    /// The newest record that gave a reason.
    pub record: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// By whom or what it ended.
    pub result: Option<String>,
    /// Where the sinks stand with it.
    pub sinks: Vec<SinkView>,
}

/// A line of goods.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct LineView {
    /// Name.
    pub name: String,
    /// How many.
    pub quantity: String,
    /// Price of one.
    pub price: String,
    /// Sum.
    pub sum: String,
}

/// A change of class.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ClassChangeView {
    /// From.
    pub from: Option<String>,
    /// To.
    pub to: String,
    /// When.
    pub at: String,
}

/// A score in all its parts.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ScoreView {
    /// The deal.
    pub deal: String,
    /// Title of the deal.
    pub title: String,
    /// Journal time it was computed for.
    pub as_of: String,
    /// Fingerprint of the rules.
    pub rules: String,
    /// Base probability, percent.
    pub base: String,
    /// Factors in the order of the rules.
    pub factors: Vec<FactorView>,
    /// Sum before floor and cap, percent.
    pub raw: String,
    /// Probability, percent.
    pub probability: String,
    /// Price, main units.
    pub price: Option<String>,
    /// Value, main units.
    pub value: Option<String>,
    /// Class.
    pub class: String,
    /// Whether it counts in the headline forecast.
    pub in_forecast: bool,
    /// When it changes by time alone.
    pub next_change: Option<String>,
    /// Why, in one line.
    pub explanation: String,
}

/// One factor's part.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FactorView {
    /// Its id.
    pub factor: String,
    /// The level found.
    pub level: String,
    /// Points, percent.
    pub points: String,
    /// Whether there was no data.
    pub no_data: bool,
}

/// The total lines.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct TotalsView {
    /// Headline forecast, main units.
    pub forecast: String,
    /// All values, main units.
    pub all_in: String,
    /// Currency.
    pub currency: String,
    /// Open deals.
    pub deals: u64,
    /// Deals without a price.
    pub without_price: u64,
    /// Number of deals by class; `C` counts C, C1 and C2.
    pub classes: Vec<(String, u64)>,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct OutboxView {
    /// The sink.
    pub sink: String,
    /// The object.
    pub object: String,
    /// What it is, for people.
    pub title: String,
    /// `due`, `in_flight`, `uncertain`, `dead`, `discarded`.
    pub state: String,
    /// Whose fault a dead letter is.
    pub fault: Option<String>,
    /// Since when the sink lags behind.
    pub wanted_since: String,
    /// Not before.
    pub due_at: Option<String>,
    /// Attempts since the last success.
    pub attempts: u32,
    /// Why the last attempt failed, and the next step.
    pub reason: Option<String>,
}

/// A record in quarantine.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct QuarantineView {
    /// The record: `position.item`.
    pub record: String,
    /// The connection.
    pub connection: String,
    /// The stream.
    pub stream: String,
    /// Since when.
    pub at: String,
    /// Why, and the next step.
    pub reason: String,
    /// How often it was retried.
    pub retries: u32,
    /// The bytes as received, as far as they are text, cut; only in the view of one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A journal entry.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct EntryView {
    /// Its position.
    pub position: u64,
    /// Its kind.
    pub kind: String,
    /// Journal time.
    pub at: String,
    /// Bytes of its payload.
    pub bytes: usize,
    /// What it is, in one line.
    pub summary: String,
    /// What became of its records; only in the view of one entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<OutcomeView>,
    /// The body as received, as far as it is text, cut; only in the view of one entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct OutcomeView {
    /// The record.
    pub record: String,
    /// The outcome.
    pub outcome: String,
    /// Details for people.
    pub detail: String,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Answer to a command: where it stands in the journal, and that it is applied.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CommandView {
    /// Its position.
    pub position: u64,
    /// What came of it, for people.
    pub result: String,
}

/// A stream that is read from a foreign system.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SourceView {
    /// The connection.
    pub connection: String,
    /// The stream.
    pub stream: String,
    /// `off`, `not_begun`, `new_only` (history was not loaded), `loading`, `followed`, or `whole` (a
    /// dictionary).
    pub state: String,
    /// Time of the newest change read, by the clock of that system.
    pub time: Option<String>,
    /// Rows of history read so far, while it is being loaded.
    pub loaded: Option<u64>,
    /// Rows of history there are, when that system says so.
    pub total: Option<u64>,
    /// When something new came last.
    pub news_at: Option<String>,
    /// When it was read last without trouble, since the daemon began.
    pub read_at: Option<String>,
    /// Rows read again that said nothing new, since the daemon began.
    pub same: u64,
    /// Why it is not read now, and the next step.
    pub trouble: Option<String>,
    /// How that system tells of changes besides being looked at: `called` (at our address), `queue`
    /// (it is emptied once in a while), `called_and_queue`.
    pub told_by: Option<String>,
    /// Nothing is wrong, but what that system allows in its time is used up: until when it is waited
    /// for.
    pub waits_until: Option<String>,
}
