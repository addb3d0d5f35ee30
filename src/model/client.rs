//! A client: a person or a company.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{ContactPoint, Inn, Kpp, Name, Ogrn, Provenance, Sourced};
use crate::base::{ClientId, Position, Slug, Timestamp};

/// Person or company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// A person (until something says otherwise).
    Person,
    /// A legal entity or an entrepreneur.
    Company,
}

/// What somebody is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A client, or may become one.
    Client,
    /// Our own staff or legal entity.
    Own,
    /// Sells to us.
    Supplier,
    /// Delivers.
    Courier,
    /// Looks for work.
    Applicant,
    /// Spam: stored, hidden.
    Spam,
}

/// Whether the client stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ClientState {
    /// It does.
    Active,
    /// It was merged into another at this position; the row keeps what it was, for a split.
    MergedInto(ClientId, Position),
}

/// A contact point held by a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldContact {
    /// The contact point.
    pub point: ContactPoint,
    /// Who said so.
    pub provenance: Provenance,
    /// The client it came with; differs from the holder after a merge.
    pub origin: ClientId,
}

/// Id of one of our objects in a foreign system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Foreign {
    /// The connection (`1c`, `bitrix24`).
    pub connection: Slug,
    /// Type of the object there (`counterparty`, `contact`).
    pub kind: CompactString,
    /// Its id there.
    pub id: CompactString,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Person or company.
    pub kind: ClientKind,
    /// What it is to us.
    pub standing: Standing,
    /// Whether it was merged away.
    pub state: ClientState,
    /// Journal time of the first record of it.
    pub known_since: Timestamp,
    /// Position of the newest entry that changed it: its version.
    pub version: Position,
    /// Name.
    pub name: Option<Sourced<Name>>,
    /// ИНН.
    pub inn: Option<Sourced<Inn>>,
    /// КПП.
    pub kpp: Option<Sourced<Kpp>>,
    /// ОГРН.
    pub ogrn: Option<Sourced<Ogrn>>,
    /// Address in one line.
    pub address: Option<Sourced<CompactString>>,
    /// Responsible employee, as the source names him (id or name in the CRM or 1C).
    pub responsible: Option<Sourced<CompactString>>,
    /// Segment (`new`, `regular`, ...); filled by segmentation, not by sources.
    pub segment: Option<Sourced<CompactString>>,
    /// Whether the person we talk to decides (ЛПР).
    pub decides: Option<Sourced<bool>>,
    /// Contact points, in the order they became known.
    pub contacts: Vec<HeldContact>,
    /// Ids in foreign systems, with the client each came with.
    pub foreign: Vec<(Foreign, ClientId)>,
    /// Clients that were merged into this one, oldest first.
    pub merged: Vec<ClientId>,
    /// Of a client that was merged away: its winner as it was just before, for a split.
    pub winner_before: Option<Box<Client>>,
    /// Clients that a person said are not this one.
    pub not_same: Vec<ClientId>,
    /// Number of purchases known (shipped or paid documents, won deals).
    pub purchases: u32,
    /// Fields that no mapping names.
    pub extra: Vec<(CompactString, Sourced<CompactString>)>,
}

impl Client {
    /// A client of which nothing is known yet.
    pub fn new(id: ClientId, kind: ClientKind, known_since: Timestamp) -> Client {
        Client {
            id,
            kind,
            standing: Standing::Client,
            state: ClientState::Active,
            known_since,
            version: id.position(),
            name: None,
            inn: None,
            kpp: None,
            ogrn: None,
            address: None,
            responsible: None,
            segment: None,
            decides: None,
            contacts: Vec::new(),
            foreign: Vec::new(),
            merged: Vec::new(),
            winner_before: None,
            not_same: Vec::new(),
            purchases: 0,
            extra: Vec::new(),
        }
    }

    /// The name as people read it; empty when unknown.
    pub fn shown_name(&self) -> String {
        self.name.as_ref().map(|name| name.value.shown()).unwrap_or_default()
    }

    /// Its id in a connection, by type there; the first one is primary.
    pub fn foreign_id(&self, connection: &str, kind: &str) -> Option<&str> {
        let matches = |foreign: &&(Foreign, ClientId)| *foreign.0.connection == *connection && foreign.0.kind == kind;
        self.foreign.iter().find(matches).map(|(foreign, _)| foreign.id.as_str())
    }
}
