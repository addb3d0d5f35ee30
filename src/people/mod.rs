//! Employees, our own organisations, and who gets a lead.
//!
//! [`People`] is compiled from `rules/employees.toml`, `rules/organisations.toml` and
//! `rules/distribution.toml`. It answers who an employee is in words of a foreign system
//! ([`People::resolve`], [`People::id_in`]), whether he is here on a day ([`Employee::presence`]),
//! and whom a lead goes to and why ([`People::distribute`], [`People::escalate`]).
//!
//! Pure: the turn of a group and the open deals of its members are given as a [`Desk`]; the time
//! is an argument. Each answer carries its reasons as messages, so that "why to her" has an answer
//! long after.
//!
//! Without employees nothing here does anything: whoever a source calls responsible is kept as it
//! is written there.

mod assign;
mod distribution;
mod rules;

use compact_str::CompactString;
use jiff::civil::Date;

pub use assign::{Assigned, Desk, Lead};
pub use distribution::{Distribution, OffShift, Region, Rule, Untouched, UntouchedTo};
pub use rules::Files;

use crate::base::{Message, Problem, Slug, Timestamp};
use crate::calendar::Calendar;
use crate::model::{ContactPoint, Email, Phone};

/// Who works for the company, and who gets what. Compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People {
    file: String,
    employees: Vec<Employee>,
    organisations: Vec<Organisation>,
    /// The head of sales: whom a lead goes to that nobody else can take.
    head: Option<Slug>,
    /// Who is on duty, the first one first.
    duty: Vec<Slug>,
    /// Who gets a lead.
    pub distribution: Distribution,
}

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employee {
    /// What rules and deals call him, for ever.
    pub key: Slug,
    /// His name.
    pub name: CompactString,
    /// How connections know him: connection, ids or names there; the first id goes out.
    pub ids: Vec<(Slug, Vec<CompactString>)>,
    /// Internal telephone number.
    pub extension: Option<CompactString>,
    /// Mobile telephone.
    pub mobile: Option<Phone>,
    /// Mailbox.
    pub mailbox: Option<Email>,
    /// First day of work; none: always has been.
    pub valid_from: Option<Date>,
    /// Last day of work.
    pub valid_to: Option<Date>,
    /// Days away.
    pub absences: Vec<Absence>,
    /// Who stands in for him.
    pub deputy: Option<Slug>,
    /// His own head, where it is not the head of sales.
    pub head: Option<Slug>,
    /// Groups that leads are distributed to.
    pub groups: Vec<CompactString>,
    /// Names of his shifts; empty: all of the company's.
    pub shifts: Vec<CompactString>,
    /// Open deals from which on he gets no new leads; none: the group's.
    pub cap: Option<u32>,
}

/// Days on which an employee is away, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Why, in words.
    pub why: CompactString,
}

/// One of our own legal entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// What rules call it.
    pub key: Slug,
    /// Its name.
    pub name: CompactString,
    /// Its ИНН: deals with it are internal.
    pub inn: Option<CompactString>,
    /// Its ОГРН, for people.
    pub ogrn: Option<CompactString>,
    /// Connections whose records are its own: bases of 1C, its site.
    pub bases: Vec<Slug>,
}

/// Whether an employee is here on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// He works.
    Here,
    /// He begins on this day.
    NotYet(Date),
    /// He is away through this day.
    Absent(Date, CompactString),
    /// His last day was this one.
    Dismissed(Date),
}

impl Presence {
    /// In a word, for listings.
    pub fn name(&self) -> &'static str {
        match self {
            Presence::Here => "here",
            Presence::NotYet(_) => "not_yet",
            Presence::Absent(..) => "absent",
            Presence::Dismissed(_) => "dismissed",
        }
    }
}

impl Employee {
    /// Whether he is here on a day.
    pub fn presence(&self, day: Date) -> Presence {
        if let Some(from) = self.valid_from.filter(|from| day < *from) {
            return Presence::NotYet(from);
        }
        if let Some(to) = self.valid_to.filter(|to| day > *to) {
            return Presence::Dismissed(to);
        }
        let away = self.absences.iter().find(|it| it.from <= day && day <= it.to);
        away.map_or(Presence::Here, |it| Presence::Absent(it.to, it.why.clone()))
    }

    /// His id in a connection.
    pub fn id_in(&self, connection: &str) -> Option<&str> {
        let (_, ids) = self.ids.iter().find(|(name, _)| **name == *connection)?;
        ids.first().map(CompactString::as_str)
    }

    /// Whether he works for the company on a day, away or not.
    fn is_employed(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

impl People {
    /// Whether there are no employees: then nothing is resolved and nothing is distributed.
    pub fn is_empty(&self) -> bool {
        self.employees.is_empty()
    }

    /// Everybody, in the order of the file.
    pub fn employees(&self) -> &[Employee] {
        &self.employees
    }

    /// Our own legal entities.
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisations
    }

    /// The head of sales.
    pub fn head(&self) -> Option<&Employee> {
        self.head.as_ref().and_then(|key| self.employee(key))
    }

    /// Who is on duty, the first one first.
    pub fn duty(&self) -> impl Iterator<Item = &Employee> {
        self.duty.iter().filter_map(|key| self.employee(key))
    }

    /// The employee of this key.
    pub fn employee(&self, key: &str) -> Option<&Employee> {
        self.employees.iter().find(|it| *it.key == *key)
    }

    /// Whether it is an employee's mobile or mailbox.
    pub fn is_contact_of_staff(&self, point: &ContactPoint) -> bool {
        self.employees.iter().any(|it| match point {
            ContactPoint::Phone(phone) => it.mobile.as_ref().is_some_and(|own| own.e164 == phone.e164),
            ContactPoint::Email(email) => it.mailbox.as_ref().is_some_and(|own| own.key == email.key),
            ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => false,
        })
    }

    /// Whether an INN is of one of our own legal entities.
    pub fn is_own_inn(&self, inn: &str) -> bool {
        self.organisations.iter().any(|it| it.inn.as_deref() == Some(inn))
    }

    /// The organisation whose base a connection is.
    pub fn organisation_of(&self, connection: &str) -> Option<&Organisation> {
        self.organisations.iter().find(|it| it.bases.iter().any(|base| **base == *connection))
    }

    /// Whom a connection means by this text: his id or name there, his key, his name, his mailbox
    /// or extension. Of several, the one who worked on that day; when it is still not one, nobody.
    pub fn resolve(&self, connection: &str, text: &str, day: Date) -> Option<&Employee> {
        let wanted = folded(text);
        if wanted.is_empty() {
            return None;
        }
        let has_id = |it: &&Employee| {
            let ids = it.ids.iter().find(|(name, _)| **name == *connection);
            ids.is_some_and(|(_, ids)| ids.iter().any(|id| folded(id) == wanted))
        };
        let has_key = |it: &&Employee| *it.key == *wanted;
        let has_name = |it: &&Employee| folded(&it.name) == wanted;
        let has_address = |it: &&Employee| {
            it.mailbox.as_ref().is_some_and(|email| folded(&email.address) == wanted)
                || it.extension.as_ref().is_some_and(|extension| folded(extension) == wanted)
        };
        self.only(has_id, day)
            .or_else(|| self.only(has_key, day))
            .or_else(|| self.only(has_name, day))
            .or_else(|| self.only(has_address, day))
    }

    fn only(&self, fits: impl Fn(&&Employee) -> bool, day: Date) -> Option<&Employee> {
        let all: Vec<&Employee> = self.employees.iter().filter(fits).collect();
        let then: Vec<&Employee> = all.iter().copied().filter(|it| it.is_employed(day)).collect();
        match (then.as_slice(), all.as_slice()) {
            ([one], _) | ([], [one]) => Some(one),
            (_, _) => None,
        }
    }

    /// The id of an employee in a connection, by his key.
    pub fn id_in(&self, connection: &str, key: &str) -> Option<&str> {
        self.employee(key)?.id_in(connection)
    }

    /// Members of a group, in the order of the file.
    pub fn members<'p>(&'p self, group: &'p str) -> impl Iterator<Item = &'p Employee> {
        self.employees.iter().filter(move |it| it.groups.iter().any(|name| name == group))
    }

    /// What is right and will not do what a person expects at `now`: somebody who has left is still
    /// the head, on duty or a deputy; nobody of a group is left; groups that no rule names.
    pub fn warnings(&self, calendar: &Calendar, now: Timestamp) -> Vec<Problem> {
        if self.is_empty() {
            return Vec::new();
        }
        let day = calendar.date(now);
        let has_left = |key: &Slug| match self.employee(key).map(|it| (it, it.presence(day))) {
            Some((employee, Presence::Dismissed(to))) => Some((employee.name.clone(), to)),
            Some((_, Presence::Here | Presence::NotYet(_) | Presence::Absent(..))) | None => None,
        };
        let left =
            |id: &str, key: &Slug| has_left(key).map(|(name, to)| Message::new(id).with("name", name).with("to", to));
        let mut messages: Vec<Message> = Vec::new();
        messages.extend(self.head.iter().filter_map(|key| left("people-left-head", key)));
        messages.extend(self.duty.iter().filter_map(|key| left("people-left-duty", key)));
        for employee in self.employees.iter().filter(|it| it.is_employed(day)) {
            let gone = employee.deputy.iter().filter_map(|key| left("people-left-deputy", key));
            messages.extend(gone.map(|it| it.with("of", &employee.name)));
        }
        if self.head.is_none() {
            messages.push(Message::new("people-no-head"));
        }
        let mut groups: Vec<&CompactString> = self.employees.iter().flat_map(|it| &it.groups).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            if !self.distribution.rules.iter().any(|rule| rule.to == *group) {
                messages.push(Message::new("people-group-unused").with("group", group));
            } else if !self.members(group).any(|it| it.is_employed(day)) {
                messages.push(Message::new("people-group-left").with("group", group));
            }
        }
        messages.into_iter().map(|message| Problem::new(&self.file, 0, message)).collect()
    }
}

/// Text as people compare it: case, `ё` and spaces do not count.
fn folded(text: &str) -> String {
    let lower = text.to_lowercase().replace('ё', "е");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}
