//! What a call did that others are told of: robots that start, and notices that leave the portal.
//!
//! Source: facts/crm/bitrix24.md sections 6(b), 6(c), 6(e). An import starts no robots; whether it
//! sends notices is not documented, and here it sends none [U].

use serde::{Deserialize, Serialize};

use super::fields::Kind;
use super::portal::{Call, Portal};

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Add,
    Update,
    Delete,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Happened {
    /// As notices name it: `ONCRMDEALUPDATE`.
    pub(super) name: String,
    /// The id of the object, task, ...
    pub(super) id: u64,
    /// Whose call it was.
    pub(super) user: u64,
    /// The key that the caller signs his own changes with (`auth_connector`).
    pub(super) connector: String,
    /// When, seconds since the epoch.
    pub(super) at: i64,
}

impl Portal {
    /// A call (not an import) wrote the object: robots start, a notice leaves.
    pub(super) fn written(&mut self, kind: Kind, id: u64, what: What, call: &Call<'_>) {
        if what != What::Delete {
            *self.robots.entry(kind).or_default().entry(id).or_insert(0) += 1;
        }
        let verb = match what {
            What::Add => "ADD",
            What::Update => "UPDATE",
            What::Delete => "DELETE",
        };
        self.noted(&format!("ONCRM{}{verb}", kind.word().to_ascii_uppercase()), id, call);
    }

    /// Something happened that notices tell of.
    pub(super) fn noted(&mut self, name: &str, id: u64, call: &Call<'_>) {
        let connector = super::params::text(call.params, "auth_connector").unwrap_or("").to_owned();
        self.happened.push(Happened { name: name.to_owned(), id, user: call.user, connector, at: call.now_s });
    }

    /// How often robots were started on an object. An import starts none.
    pub fn robots_started(&self, kind: Kind, id: u64) -> u64 {
        self.robots.get(&kind).and_then(|it| it.get(&id)).copied().unwrap_or(0)
    }

    /// How often robots were started on objects of a kind.
    pub fn robots_started_all(&self, kind: Kind) -> u64 {
        self.robots.get(&kind).map_or(0, |it| it.values().sum())
    }
}
