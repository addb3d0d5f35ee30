//! The ownership table (`rules/ownership.toml`): which system's word counts for which fields.

use crate::base::{Message, Problem, Slug};
use crate::field::{Lint, Table};
use crate::mapping::OWNER_RANK;

/// Rank of a connector that the table does not name for a group.
pub const PLAIN_RANK: u8 = 100;

/// Owners a group may have. Bound: ranks of owners stay above [`PLAIN_RANK`].
const OWNERS_MAX: usize = 16;

/// Groups of fields that are owned together.
pub const GROUPS: [&str; 10] =
    ["name", "requisites", "contacts", "responsible", "stage", "money", "comment", "deal", "documents", "client"];

/// Group of fields -> connectors, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ownership {
    owners: Vec<(&'static str, Vec<Slug>)>,
}

impl Ownership {
    /// Compiles the text of `file`. `known` are the connectors that there are.
    pub fn compile(file: &str, text: &str, known: &[&str]) -> Result<Ownership, Vec<Problem>> {
        Ownership::read(file, text, Some(known))
    }

    /// Compiles a table kept beside the journal. It was checked when it took force; it may name
    /// connectors that no connection used, and these are not kept with it.
    pub fn kept(file: &str, text: &str) -> Result<Ownership, Vec<Problem>> {
        Ownership::read(file, text, None)
    }

    fn read(file: &str, text: &str, known: Option<&[&str]>) -> Result<Ownership, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let mut owners = Vec::new();
        for group in GROUPS {
            owners.push((group, read(&lint, &table, group, known)));
        }
        table.close();
        lint.finish(Ownership { owners })
    }

    /// Connectors that own a group of fields, the strongest first.
    pub fn owners(&self, group: &str) -> Vec<&str> {
        let owners = self.owners.iter().find(|(name, _)| *name == group);
        owners.map(|(_, owners)| owners.iter().map(|owner| &**owner).collect()).unwrap_or_default()
    }

    /// Rank of a connector for a group of fields: the first owner has [`OWNER_RANK`], each next one
    /// less, who is not named has [`PLAIN_RANK`]. Equal ranks: the newest wins.
    pub fn rank(&self, group: &str, connector: &str) -> u8 {
        let owners = self.owners.iter().find(|(name, _)| *name == group);
        debug_assert!(owners.is_some() || self.owners.is_empty(), "there is no group {group}");
        let place = owners.and_then(|(_, owners)| owners.iter().position(|owner| **owner == *connector));
        place.and_then(|place| u8::try_from(place).ok()).map_or(PLAIN_RANK, |place| OWNER_RANK.saturating_sub(place))
    }
}

fn read(lint: &Lint, table: &Table<'_>, group: &str, known: Option<&[&str]>) -> Vec<Slug> {
    let mut owners = Vec::new();
    for (text, line) in table.texts(group) {
        match Slug::new(text) {
            Some(slug) if known.is_none_or(|known| known.contains(&text)) => owners.push(slug),
            Some(_) | None => {
                let known = known.unwrap_or_default();
                lint.report(line, crate::field::reader::unknown_word("catalog-owner", text, known.iter().copied()));
            }
        }
    }
    if owners.len() > OWNERS_MAX {
        table.report(group, Message::new("catalog-owners-many").with("group", group).with("max", OWNERS_MAX));
    }
    owners
}
