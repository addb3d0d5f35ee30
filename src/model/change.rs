//! A canonical change: what one record says, in our words, before it is known whom it is about.
//!
//! Made by `mapping` from a decoded record; taken by `pipeline`, which finds the objects and
//! offers each field with the record's provenance.

use compact_str::CompactString;

use super::{
    ClientKind, ContactPoint, Direction, DocumentKind, FilterReason, Inn, InteractionKind, Issue, Kpp, Line,
    LostReason, Money, Name, Ogrn, Standing, Utm,
};
use crate::base::Timestamp;

/// Everything one record says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Set when the record is left aside on purpose; the rest is then kept but not applied.
    pub filter: Option<FilterReason>,
    /// When the source observed it; `None`: at the time of receipt.
    pub observed_at: Option<Timestamp>,
    /// Whether it hangs on objects that are told elsewhere: it names them and never makes them.
    pub refers: bool,
    /// What it says of the client.
    pub client: ClientChange,
    /// What it says of a deal; `None` when the record is not about one.
    pub deal: Option<DealChange>,
    /// What it says of a document.
    pub document: Option<DocumentChange>,
    /// The interaction that it tells of.
    pub interaction: Option<InteractionChange>,
    /// What was odd.
    pub issues: Vec<Issue>,
    /// Fields whose value is a word of a dictionary of the source: full name, dictionary.
    pub lookups: Vec<(CompactString, CompactString)>,
    /// Of a polled record: which member of the row filled a field.
    pub told_by: Vec<(CompactString, CompactString)>,
    /// Values that no mapping names: path in the record, text.
    pub extra: Vec<(CompactString, CompactString)>,
}

impl Change {
    /// Whether somebody turns to us: a deal that no system keeps yet, and no document.
    pub fn is_lead(&self) -> bool {
        self.document.is_none() && self.deal.as_ref().is_some_and(|deal| deal.foreign.is_empty())
    }
}

/// What a record says of a client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientChange {
    /// Person or company, when the record tells.
    pub kind: Option<ClientKind>,
    /// What it is to us.
    pub standing: Option<Standing>,
    /// Type and id in the source (`counterparty`, `8d1f...`).
    pub foreign: Vec<(CompactString, CompactString)>,
    /// Name.
    pub name: Option<Name>,
    /// ИНН.
    pub inn: Option<Inn>,
    /// КПП.
    pub kpp: Option<Kpp>,
    /// ОГРН.
    pub ogrn: Option<Ogrn>,
    /// Address.
    pub address: Option<CompactString>,
    /// Responsible employee.
    pub responsible: Option<CompactString>,
    /// Whether the person decides.
    pub decides: Option<bool>,
    /// Since when the source has known the client, when it tells: the client counts as known since
    /// the earliest such instant.
    pub known_since: Option<Timestamp>,
    /// Contact points.
    pub contacts: Vec<ContactPoint>,
}

/// What a record says of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DealChange {
    /// Type and id in the source; a record without is a lead: rules decide which deal it joins.
    pub foreign: Vec<(CompactString, CompactString)>,
    /// Title.
    pub title: Option<CompactString>,
    /// Since when the source has it.
    pub created_at: Option<Timestamp>,
    /// Pipeline.
    pub pipeline: Option<CompactString>,
    /// Stage by name.
    pub stage: Option<CompactString>,
    /// Since when it is in this stage, when the source tells.
    pub stage_since: Option<Timestamp>,
    /// State, when the source tells.
    pub state: Option<DealStateChange>,
    /// Price.
    pub price: Option<Money>,
    /// Source by name.
    pub source: Option<CompactString>,
    /// Advertisement.
    pub utm: Utm,
    /// Responsible employee.
    pub responsible: Option<CompactString>,
    /// Comment.
    pub comment: Option<String>,
    /// Product line.
    pub product_line: Option<CompactString>,
    /// Expected close.
    pub close_date: Option<Timestamp>,
    /// When the client last answered.
    pub client_replied_at: Option<Timestamp>,
    /// State of the next step.
    pub next_step: Option<CompactString>,
    /// Put off by agreement.
    pub deferred: Option<bool>,
    /// Lines; empty: not told.
    pub lines: Vec<Line>,
    /// Whether it is told that there are no lines.
    pub no_lines: bool,
}

/// State of a deal as a source tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealStateChange {
    /// In work.
    Open,
    /// Won.
    Won,
    /// Lost.
    Lost(LostReason),
}

/// What a record says of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentChange {
    /// Kind.
    pub kind: DocumentKind,
    /// Type and id in the source.
    pub foreign: Vec<(CompactString, CompactString)>,
    /// Number.
    pub number: Option<CompactString>,
    /// Number of the order or invoice that it belongs to.
    pub basis: Option<CompactString>,
    /// Date.
    pub date: Option<Timestamp>,
    /// Number in 1C, when `number` is the site's own.
    pub number_1c: Option<CompactString>,
    /// Sum with VAT.
    pub sum: Option<Money>,
    /// Posted.
    pub posted: Option<bool>,
    /// Marked for deletion.
    pub deletion_mark: Option<bool>,
    /// Cancelled.
    pub cancelled: Option<bool>,
    /// Fully paid.
    pub paid: Option<bool>,
    /// Fully shipped.
    pub shipped: Option<bool>,
    /// Status text.
    pub status: Option<CompactString>,
    /// Comment.
    pub comment: Option<String>,
    /// Lines; empty: not told.
    pub lines: Vec<Line>,
}

impl DocumentChange {
    /// A document of which nothing is said yet.
    pub fn new(kind: DocumentKind) -> DocumentChange {
        DocumentChange {
            kind,
            foreign: Vec::new(),
            number: None,
            basis: None,
            date: None,
            number_1c: None,
            sum: None,
            posted: None,
            deletion_mark: None,
            cancelled: None,
            paid: None,
            shipped: None,
            status: None,
            comment: None,
            lines: Vec::new(),
        }
    }
}

/// The interaction that a record tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InteractionChange {
    /// Kind.
    pub kind: InteractionKind,
    /// Type and id in the source: the same one told again is the same interaction.
    pub foreign: Vec<(CompactString, CompactString)>,
    /// Who turned to whom.
    pub direction: Direction,
    /// When it took place; `None`: at the time of receipt.
    pub at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// The employee.
    pub who: Option<CompactString>,
    /// What came of it.
    pub result: CompactString,
    /// One line.
    pub subject: CompactString,
    /// Text.
    pub text: String,
    /// Page of the site.
    pub page: CompactString,
}
