//! The rules file, compiled.

use std::collections::BTreeSet;

use compact_str::CompactString;

use crate::base::limits::CONTACT_SHARED_BY_MAX;
use crate::base::{Message, Problem};
use crate::field::{Lint, Table};
use crate::model::ContactPoint;

/// Compiled rules of identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub(super) phone_alone: bool,
    pub(super) email_alone: bool,
    pub(super) shared_by_max: usize,
    many_per_client: BTreeSet<CompactString>,
    made_by_us: BTreeSet<CompactString>,
    local_parts: BTreeSet<CompactString>,
    phones: BTreeSet<CompactString>,
}

impl Rules {
    /// Compiles the rules file known to people as `file`; on failure every problem of it.
    pub fn compile(file: &str, text: &str) -> Result<Rules, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let merge = section(&table, "merge");
        let shared = section(&table, "shared");
        table.close();
        let mut rules = Rules {
            phone_alone: true,
            email_alone: true,
            shared_by_max: CONTACT_SHARED_BY_MAX,
            many_per_client: BTreeSet::new(),
            made_by_us: BTreeSet::new(),
            local_parts: BTreeSet::new(),
            phones: BTreeSet::new(),
        };
        if let Some(merge) = merge {
            rules.read_merge(merge);
        }
        if let Some(shared) = shared {
            rules.read_shared(shared);
        }
        lint.finish(rules)
    }

    /// The rules compiled into the binary.
    pub fn built_in() -> Rules {
        Rules::compile(super::FILE, super::BUILT_IN).expect("the built-in rules are compiled in the tests")
    }

    /// A contact point of more clients than this identifies nobody.
    pub fn shared_by_max(&self) -> usize {
        self.shared_by_max
    }

    /// Whether the contact point is listed as shared: it identifies nobody.
    pub fn is_shared(&self, point: &ContactPoint) -> bool {
        match point {
            ContactPoint::Phone(phone) => self.phones.contains(&phone.e164),
            ContactPoint::Email(email) => email
                .address
                .split('@')
                .next()
                .is_some_and(|local| self.local_parts.contains(local.to_lowercase().as_str())),
            ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => false,
        }
    }

    /// Whether one client may have several ids of this kind in one source.
    pub(super) fn has_many(&self, kind: &str) -> bool {
        self.many_per_client.contains(kind)
    }

    /// Whether we ourselves make objects of this kind in a CRM, one for each client as we knew them:
    /// two clients that turn out to be one have two.
    pub(super) fn is_made_by_us(&self, kind: &str) -> bool {
        self.made_by_us.contains(kind)
    }

    fn read_merge(&mut self, table: Table<'_>) {
        self.phone_alone = table.boolean("phone_alone").unwrap_or(self.phone_alone);
        self.email_alone = table.boolean("email_alone").unwrap_or(self.email_alone);
        let max = table.integer_in("shared_by_max", 1, 1_000).and_then(|it| usize::try_from(it).ok());
        self.shared_by_max = max.unwrap_or(self.shared_by_max);
        self.many_per_client = table.texts("many_per_client").into_iter().map(|(text, _)| text.into()).collect();
        self.made_by_us = table.texts("made_by_us").into_iter().map(|(text, _)| text.into()).collect();
        table.close();
    }

    fn read_shared(&mut self, table: Table<'_>) {
        for (text, line) in table.texts("local_parts") {
            let fits = !text.is_empty() && !text.contains(['@', ' ']);
            if !fits {
                table.lint().report(line, Message::new("identity-local-part").with("word", text));
            }
            self.local_parts.insert(text.to_lowercase().into());
        }
        for (text, line) in table.texts("phones") {
            let digits = text.strip_prefix('+').unwrap_or("");
            let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
            if !fits {
                table.lint().report(line, Message::new("identity-phone").with("word", text));
            }
            self.phones.insert(text.into());
        }
        table.close();
    }
}

fn section<'a>(table: &Table<'a>, name: &str) -> Option<Table<'a>> {
    let found = table.table(name);
    if found.is_none() {
        table.lint().report(0, Message::new("identity-section").with("name", name));
    }
    found
}
