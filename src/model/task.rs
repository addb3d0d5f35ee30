//! Something that an employee has to do, with a deadline: made by a business rule, told to the CRM,
//! ended by itself when what it asks for has taken place.
//!
//! While it is open there is one task of a kind for a client and a deal: another reason renews it.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::base::{ClientId, DealId, ItemRef, Message, Position, TaskId, Timestamp};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A client whose deal was lost not long ago came back: call, and reopen the deal.
    Returned,
    /// A client in work wrote again: answer.
    Answer,
    /// A lead came while several deals are open: say which one it is about.
    AmbiguousDeal,
    /// A new lead lies untouched.
    Untouched,
    /// An order of 1C could belong to several deals: look.
    Check,
    /// A client called and spoke with nobody: call back.
    CallBack,
}

impl TaskKind {
    /// Every kind.
    pub const ALL: [TaskKind; 6] = [
        TaskKind::Returned,
        TaskKind::Answer,
        TaskKind::AmbiguousDeal,
        TaskKind::Untouched,
        TaskKind::Check,
        TaskKind::CallBack,
    ];

    /// Its name in listings and rules.
    pub fn name(self) -> &'static str {
        match self {
            TaskKind::Returned => "returned",
            TaskKind::Answer => "answer",
            TaskKind::AmbiguousDeal => "ambiguous_deal",
            TaskKind::Untouched => "untouched",
            TaskKind::Check => "check",
            TaskKind::CallBack => "call_back",
        }
    }

    /// Its place among the tasks that one record can make: part of the id.
    pub fn ordinal(self) -> u8 {
        match self {
            TaskKind::Returned => 0,
            TaskKind::Answer => 1,
            TaskKind::AmbiguousDeal => 2,
            TaskKind::Untouched => 3,
            TaskKind::Check => 4,
            TaskKind::CallBack => 5,
        }
    }

    /// Whether it is done once anybody has reached the client.
    pub fn ends_when_reached(self) -> bool {
        match self {
            TaskKind::Returned | TaskKind::Answer | TaskKind::Untouched | TaskKind::CallBack => true,
            // Only a person can say to which deal something belongs.
            TaskKind::AmbiguousDeal | TaskKind::Check => false,
        }
    }
}

/// Where a task stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskState {
    /// To be done.
    Open,
    /// Done.
    Done(TaskEnd),
    /// Not to be done.
    Cancelled(TaskEnd),
}

impl TaskState {
    /// Its name in listings and mappings.
    pub fn name(&self) -> &'static str {
        match self {
            TaskState::Open => "open",
            TaskState::Done(_) => "done",
            TaskState::Cancelled(_) => "cancelled",
        }
    }

    /// How it ended, once it has.
    pub fn end(&self) -> Option<&TaskEnd> {
        match self {
            TaskState::Open => None,
            TaskState::Done(end) | TaskState::Cancelled(end) => Some(end),
        }
    }
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEnd {
    /// When, journal time.
    pub at: Timestamp,
    /// By whom or what.
    pub by: Message,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What is to be done.
    pub kind: TaskKind,
    /// What is to be done, for people.
    pub title: Message,
    /// With whom.
    pub client: Option<ClientId>,
    /// In which deal.
    pub deal: Option<DealId>,
    /// Who does it; none: nobody is known to be responsible.
    pub responsible: Option<CompactString>,
    /// Until when.
    pub due: Timestamp,
    /// Where it stands.
    pub state: TaskState,
    /// Since when it is to be done, journal time.
    pub created_at: Timestamp,
    /// The setting that asked for it (`lead.open_deal`).
    pub rule: CompactString,
    /// The newest record that gave a reason.
    pub record: ItemRef,
    /// How many reasons came after the first.
    pub renewals: u32,
    /// Position of the newest entry that changed it: its version.
    pub version: Position,
}

impl Task {
    /// Whether it is still to be done.
    pub fn is_open(&self) -> bool {
        match self.state {
            TaskState::Open => true,
            TaskState::Done(_) | TaskState::Cancelled(_) => false,
        }
    }
}
