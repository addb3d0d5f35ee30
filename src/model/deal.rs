//! A deal: a possible sale.

use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::score::{Class, Score};
use super::{Foreign, Money, Sourced};
use crate::base::{ClientId, DealId, DocumentId, Position, Slug, Timestamp};

/// Why a deal was lost, as far as classes ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostReason {
    /// Not said, or another.
    Other,
    /// The client refused for good or unsubscribed.
    Refused,
    /// It never was a lead.
    Junk,
}

/// Where a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DealState {
    /// In work.
    Open,
    /// Won at this journal time.
    Won(Timestamp),
    /// Lost at this journal time.
    Lost(Timestamp, LostReason),
}

/// A line of a deal or document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Id of the product in its source.
    pub product: CompactString,
    /// Name as the source wrote it.
    pub name: CompactString,
    /// How many.
    pub quantity: Decimal,
    /// Price of one, in the document's currency.
    pub price: Decimal,
    /// Sum of the line, in the document's currency.
    pub sum: Decimal,
}

/// Marks of the advertisement that brought a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Utm {
    /// `utm_source`.
    pub source: CompactString,
    /// `utm_medium`.
    pub medium: CompactString,
    /// `utm_campaign`.
    pub campaign: CompactString,
    /// `utm_content`.
    pub content: CompactString,
    /// `utm_term`.
    pub term: CompactString,
    /// Click ids by name (`yclid`, `gclid`, ...).
    pub clicks: Vec<(CompactString, CompactString)>,
}

impl Utm {
    /// Whether nothing is filled.
    pub fn is_empty(&self) -> bool {
        *self == Utm::default()
    }
}

/// A published change of class: the evidence for "slid from A".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassChange {
    /// From; `None` for the first class.
    pub from: Option<Class>,
    /// To.
    pub to: Class,
    /// Journal time.
    pub at: Timestamp,
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// Its id.
    pub id: DealId,
    /// Whose.
    pub client: Option<ClientId>,
    /// The connection that told of it first.
    pub came_by: Slug,
    /// Where it stands.
    pub state: DealState,
    /// Journal time of the first record of it.
    pub created_at: Timestamp,
    /// Time of the newest activity: what "latest active deal" compares.
    pub active_at: Timestamp,
    /// Position of the newest entry that changed it: its version.
    pub version: Position,
    /// Title.
    pub title: Option<Sourced<CompactString>>,
    /// Pipeline (funnel).
    pub pipeline: Option<Sourced<CompactString>>,
    /// Stage by its name, as rules and people know it (`КП`).
    pub stage: Option<Sourced<CompactString>>,
    /// Since when it is in this stage.
    pub stage_since: Timestamp,
    /// What it may bring.
    pub price: Option<Sourced<Money>>,
    /// Source by its name, as rules and people know it (`сарафан`).
    pub source: Option<Sourced<CompactString>>,
    /// Advertisement of the first touch.
    pub utm_first: Utm,
    /// Advertisement of the last touch.
    pub utm_last: Utm,
    /// Responsible employee.
    pub responsible: Option<Sourced<CompactString>>,
    /// Comment.
    pub comment: Option<Sourced<String>>,
    /// Product line, for scoring.
    pub product_line: Option<Sourced<CompactString>>,
    /// Expected close.
    pub close_date: Option<Sourced<Timestamp>>,
    /// How often the expected close moved to a later day.
    pub close_date_moves: u32,
    /// When the client last answered.
    pub client_replied_at: Option<Timestamp>,
    /// State of the next step (`planned`, `none`, `overdue`).
    pub next_step: Option<Sourced<CompactString>>,
    /// Put off by agreement: silence is not counted until it ends.
    pub deferred: Option<Sourced<bool>>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Sum paid, from documents.
    pub paid: Option<Sourced<Money>>,
    /// Documents of the deal.
    pub documents: Vec<DocumentId>,
    /// Ids in foreign systems.
    pub foreign: Vec<Foreign>,
    /// Score of the newest scoring; none once closed.
    pub score: Option<Score>,
    /// Changes of class, oldest first, the newest 50.
    pub class_history: Vec<ClassChange>,
    /// Hidden as spam.
    pub hidden: bool,
    /// Fields that no mapping names.
    pub extra: Vec<(CompactString, Sourced<CompactString>)>,
}

impl Deal {
    /// An open deal of which nothing is known yet.
    pub fn new(id: DealId, client: Option<ClientId>, came_by: Slug, at: Timestamp) -> Deal {
        Deal {
            id,
            client,
            came_by,
            state: DealState::Open,
            created_at: at,
            active_at: at,
            version: id.position(),
            title: None,
            pipeline: None,
            stage: None,
            stage_since: at,
            price: None,
            source: None,
            utm_first: Utm::default(),
            utm_last: Utm::default(),
            responsible: None,
            comment: None,
            product_line: None,
            close_date: None,
            close_date_moves: 0,
            client_replied_at: None,
            next_step: None,
            deferred: None,
            lines: Vec::new(),
            paid: None,
            documents: Vec::new(),
            foreign: Vec::new(),
            score: None,
            class_history: Vec::new(),
            hidden: false,
            extra: Vec::new(),
        }
    }

    /// Whether it is in work.
    pub fn is_open(&self) -> bool {
        match self.state {
            DealState::Open => true,
            DealState::Won(_) | DealState::Lost(..) => false,
        }
    }

    /// Its id in a connection, by type there; the first one is primary.
    pub fn foreign_id(&self, connection: &str, kind: &str) -> Option<&str> {
        let matches = |foreign: &&Foreign| *foreign.connection == *connection && foreign.kind == kind;
        self.foreign.iter().find(matches).map(|foreign| foreign.id.as_str())
    }
}
