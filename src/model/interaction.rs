//! Something that took place between a client and us; told to each sink once.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::Utm;
use crate::base::{ClientId, DealId, InteractionId, ItemRef, Slug, Timestamp};

/// Kind of an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InteractionKind {
    /// A telephone call.
    Call,
    /// An e-mail letter.
    Letter,
    /// A site form.
    Form,
    /// A visit of the site.
    Visit,
    /// A message of a chat.
    Message,
    /// A note made by a rule or a person.
    Note,
    /// A deal moved to another stage.
    StageTransition,
    /// A meeting.
    Meeting,
}

/// Who turned to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The client to us.
    Inbound,
    /// We to the client.
    Outbound,
    /// Neither.
    Internal,
}

/// An interaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// With whom.
    pub client: Option<ClientId>,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// Kind.
    pub kind: InteractionKind,
    /// Who turned to whom.
    pub direction: Direction,
    /// When it took place.
    pub at: Timestamp,
    /// The connection that told of it.
    pub source: Slug,
    /// The record it came in: its bytes are there.
    pub record: ItemRef,
    /// One line: name of the form, subject of the letter.
    pub subject: CompactString,
    /// Text for people.
    pub text: String,
    /// Page of the site.
    pub page: CompactString,
    /// Advertisement.
    pub utm: Utm,
    /// The employee who took part, as the source calls him.
    pub who: Option<CompactString>,
    /// How long it took, s, when the source tells.
    pub duration_s: Option<u32>,
    /// What came of it, in the source's words.
    pub result: CompactString,
}
