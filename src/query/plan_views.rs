//! Plans and how sinks stand to them, as people and programs are shown them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Group;

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SyncView {
    /// The sink.
    pub sink: String,
    /// `observe`, `live`, `paused` or `off`.
    pub mode: String,
    /// Objects of now that are on their way.
    pub urgent: u64,
    /// Objects of history that are on their way.
    pub quiet: u64,
    /// Scores that are on their way.
    pub later: u64,
    /// Objects that wait for a plan.
    pub held: u64,
    /// The plan that was applied last.
    pub plan: Option<String>,
    /// When.
    pub approved_at: Option<String>,
    /// Objects that it let go.
    pub lines: Option<u64>,
    /// Since when it is paused.
    pub paused_since: Option<String>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PlanView {
    /// Its name.
    pub plan: String,
    /// The sink.
    pub sink: String,
    /// When it was made.
    pub made_at: String,
    /// When the sink was looked into for what would be created; `null`: it was not.
    pub looked_at: Option<String>,
    /// Up to where the journal was applied then.
    pub position: u64,
    /// Objects that an application lets go.
    pub goes: u64,
    /// Objects behind the bound: they wait for the next plan.
    pub beyond: u64,
    /// Requests that it needs, about.
    pub requests: u64,
    /// How long they take within the quota at the least, s.
    pub seconds: u64,
    /// Objects by kind and action.
    pub groups: Vec<Group>,
    /// Lines, as many as were asked for.
    pub lines: Vec<PlanLineView>,
    /// The object after which the next page begins.
    pub next: Option<String>,
}

/// How far a look for a plan is.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct LookView {
    /// The sink.
    pub sink: String,
    /// `none`, `looking`, `done`, `failed`.
    pub state: String,
    /// Objects to be looked for.
    pub total: u64,
    /// Objects looked for.
    pub done: u64,
    /// Those that are there.
    pub found: u64,
    /// The plan that holds what was found, once it is done.
    pub plan: Option<String>,
    /// Why it waits, or why it failed.
    pub trouble: Option<String>,
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PlanLineView {
    /// The object.
    pub object: String,
    /// Its name or title.
    pub title: String,
    /// Foreign kind.
    pub kind: String,
    /// `create`, `import`, `link`, `update`, `nothing`, `waits`, `person`, `untold`.
    pub action: String,
    /// Whether it is history.
    pub quiet: bool,
    /// Its id there.
    pub foreign_id: Option<String>,
    /// Whether a look found others that fit too; this one has the smallest id.
    pub several: bool,
    /// What would be written.
    pub fields: Vec<FieldChangeView>,
    /// Which fields are left out because the sink does not have their word.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The entry that made it necessary.
    pub position: u64,
    /// What that entry is.
    pub why: String,
}

/// A field of a line.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct FieldChangeView {
    /// Its name there.
    pub name: String,
    /// What the sink holds by our requests.
    pub from: Option<String>,
    /// What would be written.
    pub to: String,
}

/// What came of applying a plan.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct AppliedView {
    /// Position of the command.
    pub position: u64,
    /// What it did.
    pub result: String,
    /// Objects let go.
    pub applied: u64,
    /// Lines that were overtaken and left.
    pub overtaken: u64,
    /// Objects that gathered after the plan was made.
    pub newer: u64,
}
