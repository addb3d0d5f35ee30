//! Contact lists (`rules/contacts.toml`): who is no client. Phones and addresses are written whole, so
//! that a list says what it means on every machine.

use std::collections::BTreeSet;

use compact_str::CompactString;

use crate::base::{Message, Problem};
use crate::field::{Lint, Table};
use crate::model::change::ClientChange;
use crate::model::{ContactPoint, Standing};

/// Compiled contact lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contacts {
    lists: Vec<List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    standing: Standing,
    phones: BTreeSet<CompactString>,
    /// In lower case.
    emails: BTreeSet<CompactString>,
    /// In lower case.
    domains: BTreeSet<CompactString>,
    inns: BTreeSet<CompactString>,
}

impl Contacts {
    /// Compiles the text of `file`.
    pub fn compile(file: &str, text: &str) -> Result<Contacts, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let lists = table.tables("list").into_iter().filter_map(read).collect();
        table.close();
        lint.finish(Contacts { lists })
    }

    /// What a record's client is to us by the first list that names one of his contacts.
    pub fn standing_of(&self, told: &ClientChange) -> Option<Standing> {
        self.lists.iter().find(|list| list.names(told)).map(|list| list.standing)
    }
}

impl List {
    fn names(&self, told: &ClientChange) -> bool {
        told.inn.as_ref().is_some_and(|inn| self.inns.contains(&inn.0))
            || told.contacts.iter().any(|point| match point {
                ContactPoint::Phone(phone) => self.phones.contains(&phone.e164),
                ContactPoint::Email(email) => {
                    let address = email.address.to_lowercase();
                    let domain = address.rsplit('@').next().unwrap_or_default();
                    self.emails.contains(address.as_str()) || self.domains.contains(domain)
                }
                ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => false,
            })
    }
}

fn read(table: Table<'_>) -> Option<List> {
    const STANDINGS: &[(&str, Standing)] = &[
        ("own", Standing::Own),
        ("supplier", Standing::Supplier),
        ("courier", Standing::Courier),
        ("applicant", Standing::Applicant),
        ("spam", Standing::Spam),
    ];
    table.required_text("standing");
    let standing = table.choice("standing", STANDINGS);
    let texts = |name: &str, fits: fn(&str) -> bool, wrong: &str| -> BTreeSet<CompactString> {
        let mut held = BTreeSet::new();
        for (text, line) in table.texts(name) {
            if !fits(text) {
                table.lint().report(line, Message::new(wrong).with("word", text));
            }
            held.insert(text.to_lowercase().into());
        }
        held
    };
    let list = List {
        phones: texts("phones", is_phone, "identity-phone"),
        emails: texts("emails", |text| is_pair(text, '@'), "catalog-contact-email"),
        domains: texts("domains", |text| is_pair(text, '.') && !text.contains('@'), "catalog-contact-domain"),
        inns: texts("inns", is_inn, "catalog-contact-inn"),
        standing: standing.unwrap_or(Standing::Own),
    };
    table.close();
    standing.map(|_| list)
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or("");
    (7..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit())
}

/// Something on both sides of the sign, and no blanks.
fn is_pair(text: &str, sign: char) -> bool {
    let sides = text.rsplit_once(sign);
    sides.is_some_and(|(left, right)| !left.is_empty() && !right.is_empty()) && !text.contains(char::is_whitespace)
}

fn is_inn(text: &str) -> bool {
    matches!(text.len(), 10 | 12) && text.bytes().all(|it| it.is_ascii_digit())
}
