//! A document of 1C.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{Foreign, Line, Money, Sourced};
use crate::base::{ClientId, DealId, DocumentId, Position, Timestamp};

/// Kind of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Заказ.
    Order,
    /// Счёт на оплату.
    Invoice,
    /// Отгрузка, реализация.
    Shipment,
    /// Оплата.
    Payment,
    /// Возврат.
    Return,
    /// Договор.
    Contract,
}

impl DocumentKind {
    /// Whether it tells what became of an order (money, goods) and never asks for a deal of its own.
    pub fn settles(self) -> bool {
        match self {
            DocumentKind::Payment | DocumentKind::Return | DocumentKind::Shipment => true,
            DocumentKind::Order | DocumentKind::Invoice | DocumentKind::Contract => false,
        }
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Kind.
    pub kind: DocumentKind,
    /// With whom.
    pub client: Option<ClientId>,
    /// The deal it belongs to.
    pub deal: Option<DealId>,
    /// Position of the newest entry that changed it.
    pub version: Position,
    /// Its ids in foreign systems; the first is that of its master base.
    pub foreign: Vec<Foreign>,
    /// Number as people know it.
    pub number: Option<Sourced<CompactString>>,
    /// Date.
    pub date: Option<Sourced<Timestamp>>,
    /// Number in 1C, when `number` is the site's own.
    pub number_1c: Option<Sourced<CompactString>>,
    /// Sum with VAT.
    pub sum: Option<Sourced<Money>>,
    /// Posted (проведён): only then it counts.
    pub posted: Option<Sourced<bool>>,
    /// Marked for deletion in 1C: a flag, never a deletion elsewhere.
    pub deletion_mark: Option<Sourced<bool>>,
    /// Cancelled.
    pub cancelled: Option<Sourced<bool>>,
    /// Fully paid.
    pub paid: Option<Sourced<bool>>,
    /// Fully shipped.
    pub shipped: Option<Sourced<bool>>,
    /// Status text.
    pub status: Option<Sourced<CompactString>>,
    /// Comment.
    pub comment: Option<Sourced<String>>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Fields that no mapping names.
    pub extra: Vec<(CompactString, Sourced<CompactString>)>,
}

impl Document {
    /// A document of which nothing is known yet.
    pub fn new(id: DocumentId, kind: DocumentKind) -> Document {
        Document {
            id,
            kind,
            client: None,
            deal: None,
            version: id.position(),
            foreign: Vec::new(),
            number: None,
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
            extra: Vec::new(),
        }
    }
}
