//! `rules/identity.toml`, and the keys that it lets a record have.

use std::collections::BTreeSet;

use compact_str::CompactString;

use super::{Key, Keys};
use crate::base::limits::CONTACT_SHARED_BY_MAX;
use crate::base::{Message, Problem};
use crate::field::{Lint, Table};
use crate::model::change::ClientChange;
use crate::model::{ContactPoint, Email};

/// The rules that hold when nobody has written others.
pub const DEFAULT_RULES: &str = include_str!("../../rules/identity.toml");

/// The most that `shared_by_max` may be: every holder of a contact point is compared.
const SHARED_BY_LIMIT: i64 = 100;

/// Compiled rules of identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    shared_by_max: usize,
    pub(super) alone: Alone,
    /// Lower case.
    local_parts: BTreeSet<CompactString>,
    /// Lower case.
    emails: BTreeSet<CompactString>,
    /// In E.164.
    phones: BTreeSet<CompactString>,
    pub(super) several_cards: BTreeSet<CompactString>,
    pub(super) same_inn_joins_cards: bool,
}

/// Kinds of contact points that identify a client without help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alone {
    phone: bool,
    email: bool,
    messenger: bool,
    visitor: bool,
}

impl Alone {
    /// Whether `point` identifies without help.
    pub(super) fn identifies(self, point: &ContactPoint) -> bool {
        match point {
            ContactPoint::Phone(_) => self.phone,
            ContactPoint::Email(_) => self.email,
            ContactPoint::Messenger(..) => self.messenger,
            ContactPoint::Visitor(_) => self.visitor,
        }
    }

    fn read(table: Option<Table<'_>>) -> Alone {
        let mut alone = Alone { phone: true, email: true, messenger: true, visitor: false };
        let Some(table) = table else { return alone };
        alone.phone = table.boolean("phone").unwrap_or(alone.phone);
        alone.email = table.boolean("email").unwrap_or(alone.email);
        alone.messenger = table.boolean("messenger").unwrap_or(alone.messenger);
        alone.visitor = table.boolean("visitor").unwrap_or(alone.visitor);
        table.close();
        alone
    }
}

impl Rules {
    /// Reads the text of the file known to people as `file`; all its problems at once.
    pub fn compile(file: &str, text: &str) -> Result<Rules, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let shared_by_max = table.integer_in("shared_by_max", 1, SHARED_BY_LIMIT);
        let shared_by_max = shared_by_max.and_then(|it| usize::try_from(it).ok()).unwrap_or(CONTACT_SHARED_BY_MAX);
        let alone = Alone::read(table.table("alone"));
        let mut rules = Rules {
            shared_by_max,
            alone,
            local_parts: BTreeSet::new(),
            emails: BTreeSet::new(),
            phones: BTreeSet::new(),
            several_cards: BTreeSet::new(),
            same_inn_joins_cards: false,
        };
        if let Some(shared) = table.table("shared") {
            rules.local_parts = words(&shared, "local_parts", is_local_part, "identity-rules-local-part");
            rules.emails = words(&shared, "emails", is_address, "identity-rules-email");
            rules.phones = words(&shared, "phones", is_e164, "identity-rules-phone");
            shared.close();
        }
        if let Some(cards) = table.table("cards") {
            rules.several_cards = words(&cards, "several", |text| !text.is_empty(), "identity-rules-card");
            rules.same_inn_joins_cards = cards.boolean("same_inn_joins").unwrap_or(false);
            cards.close();
        }
        table.close();
        lint.finish(rules)
    }

    /// Why `point` identifies nobody, if it does not.
    fn shared(&self, point: &ContactPoint) -> Option<Message> {
        let id = match point {
            ContactPoint::Phone(phone) => self.phones.contains(&phone.e164).then_some("identity-shared-phone"),
            ContactPoint::Email(email) => self.shared_email(email),
            ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => None,
        };
        id.map(|id| Message::new(id).with("contact", format!("{point:?}")))
    }

    fn shared_email(&self, email: &Email) -> Option<&'static str> {
        // The key is in lower case, but gmail's dots are gone from it: `no.reply` is looked for in
        // the address as well.
        let address = email.address.to_lowercase();
        if self.emails.contains(&email.key) || self.emails.contains(address.as_str()) {
            return Some("identity-shared-email");
        }
        let is_shared = |text: &str| {
            let local = text.split('@').next().unwrap_or("");
            let before_tag = local.split('+').next().unwrap_or("");
            self.local_parts.contains(before_tag)
        };
        (is_shared(&email.key) || is_shared(&address)).then_some("identity-shared-local-part")
    }
}

/// A contact point that more clients than this hold identifies nobody; the caller, who can count
/// them, leaves it out of the keys.
pub fn shared_by_max(rules: &Rules) -> usize {
    rules.shared_by_max
}

/// What the record's client can be found by: ids in the source, ИНН, contact points.
pub fn keys(rules: &Rules, change: &ClientChange) -> Keys {
    let mut keys = Keys::default();
    for (kind, id) in &change.foreign {
        push(&mut keys.usable, Key::Foreign(kind.clone(), id.clone()));
    }
    if let Some(inn) = &change.inn {
        push(&mut keys.usable, Key::Inn(inn.clone()));
    }
    for point in &change.contacts {
        match rules.shared(point) {
            Some(why) => keys.shared.push((point.clone(), why)),
            None => push(&mut keys.usable, Key::Contact(point.clone())),
        }
    }
    keys
}

fn push(keys: &mut Vec<Key>, key: Key) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

/// The texts under `name` in lower case; those that do not look right are reported.
fn words(table: &Table<'_>, name: &str, fits: impl Fn(&str) -> bool, problem: &str) -> BTreeSet<CompactString> {
    let mut found = BTreeSet::new();
    for (text, line) in table.texts(name) {
        let word = text.trim().to_lowercase();
        match fits(&word) {
            true => drop(found.insert(CompactString::from(word))),
            false => table.lint().report(line, Message::new(problem).with("text", text)),
        }
    }
    found
}

fn is_local_part(text: &str) -> bool {
    !text.is_empty() && !text.contains(['@', '+', ' '])
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
