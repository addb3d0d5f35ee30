//! Conversions by name: text of a source -> canonical value, with issues.

use compact_str::CompactString;
use rust_decimal::Decimal;

use super::MapContext;
use super::canonical::Kind;
use crate::base::{Message, Timestamp};
use crate::model::{
    ClientKind, CompanyName, Currency, Direction, DocumentKind, Email, Inn, InteractionKind, Issue, Kpp, LostReason,
    Money, Name, Ogrn, PersonName, Phone, Standing, change::DealStateChange,
};
use crate::normalize::{self, Normalized};

/// A conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    Text,
    AnyName,
    PersonName,
    CompanyName,
    Phone,
    Email,
    Contact,
    Inn,
    Kpp,
    Ogrn,
    Boolean,
    DateTime,
    Date,
    DaysAgo,
    Money,
    Decimal,
    Word,
}

/// Names of conversions.
pub(super) const CONVERSIONS: &[(&str, Conversion)] = &[
    ("text", Conversion::Text),
    ("any_name", Conversion::AnyName),
    ("person_name", Conversion::PersonName),
    ("company_name", Conversion::CompanyName),
    ("phone", Conversion::Phone),
    ("email", Conversion::Email),
    ("contact", Conversion::Contact),
    ("inn", Conversion::Inn),
    ("kpp", Conversion::Kpp),
    ("ogrn", Conversion::Ogrn),
    ("boolean", Conversion::Boolean),
    ("datetime", Conversion::DateTime),
    ("date", Conversion::Date),
    ("days_ago", Conversion::DaysAgo),
    ("money", Conversion::Money),
    ("decimal", Conversion::Decimal),
    ("word", Conversion::Word),
];

/// The conversions that give a value of the kind; the first is used when none is named.
pub(super) fn fitting(kind: Kind) -> &'static [Conversion] {
    match kind {
        Kind::Text | Kind::Prose | Kind::NamePart | Kind::Messenger | Kind::Visitor | Kind::Foreign | Kind::Click => {
            &[Conversion::Text]
        }
        Kind::Name => &[Conversion::AnyName, Conversion::PersonName, Conversion::CompanyName],
        Kind::Company => &[Conversion::CompanyName],
        Kind::Phone => &[Conversion::Phone],
        Kind::Email => &[Conversion::Email],
        Kind::Contact => &[Conversion::Contact],
        Kind::Inn => &[Conversion::Inn],
        Kind::Kpp => &[Conversion::Kpp],
        Kind::Ogrn => &[Conversion::Ogrn],
        Kind::Flag => &[Conversion::Boolean],
        Kind::Instant => &[Conversion::DateTime, Conversion::Date, Conversion::DaysAgo],
        Kind::Money => &[Conversion::Money],
        Kind::Decimal => &[Conversion::Decimal],
        Kind::ClientKind
        | Kind::Standing
        | Kind::DealState
        | Kind::DocumentKind
        | Kind::InteractionKind
        | Kind::Direction => &[Conversion::Word],
    }
}

/// Name of a conversion.
pub(super) fn name_of(conversion: Conversion) -> &'static str {
    CONVERSIONS.iter().find(|(_, it)| *it == conversion).map_or("", |(name, _)| name)
}

/// A canonical value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Converted {
    Text(CompactString),
    Prose(String),
    Name(Name),
    Company(CompanyName),
    Person(PersonName),
    Phones(Vec<Phone>),
    Emails(Vec<Email>),
    Inn(Inn),
    Kpp(Kpp),
    Ogrn(Ogrn),
    Flag(bool),
    Instant(Timestamp),
    Money(Money),
    Decimal(Decimal),
    ClientKind(ClientKind),
    Standing(Standing),
    DealState(DealStateChange),
    DocumentKind(DocumentKind),
    InteractionKind(InteractionKind),
    Direction(Direction),
}

/// Converts. `None` without an issue means that the text says "nothing" (`0001-01-01`).
pub(super) fn convert(
    conversion: Conversion,
    kind: Kind,
    text: &str,
    context: &MapContext<'_>,
    currency: &Currency,
) -> Normalized<Converted> {
    match conversion {
        Conversion::Text if kind == Kind::Prose => sure(Converted::Prose(text.to_owned())),
        Conversion::Text => sure(Converted::Text(text.into())),
        Conversion::AnyName => normalize::any_name(text).map(Converted::Name),
        Conversion::PersonName => normalize::person_name(text).map(Converted::Person),
        Conversion::CompanyName => normalize::company_name(text).map(Converted::Company),
        Conversion::Phone => normalize::phones(text, context.region).map(Converted::Phones),
        Conversion::Email => normalize::emails(text).map(Converted::Emails),
        Conversion::Inn => normalize::inn(text).map(Converted::Inn),
        Conversion::Kpp => normalize::kpp(text).map(Converted::Kpp),
        Conversion::Ogrn => normalize::ogrn(text).map(Converted::Ogrn),
        Conversion::Boolean => normalize::boolean(text).map(Converted::Flag),
        Conversion::DateTime => normalize::datetime(text, context.zone).map(Converted::Instant),
        Conversion::Date => normalize::date(text).map(|date| Converted::Instant(midnight(date, context))),
        Conversion::DaysAgo => days_ago(text, context),
        Conversion::Money => normalize::money(text, currency).map(Converted::Money),
        Conversion::Decimal => normalize::decimal(text).map(Converted::Decimal),
        Conversion::Word => match word(kind, text) {
            Some(value) => sure(value),
            None => unreadable(Message::new("mapping-word").with("known", kind.words().join(", ")), text),
        },
        // Contacts are taken apart by their type before they come here.
        Conversion::Contact => sure(Converted::Text(text.into())),
    }
}

fn sure(value: Converted) -> Normalized<Converted> {
    Normalized::clean(value)
}

fn unreadable(message: Message, text: &str) -> Normalized<Converted> {
    Normalized { value: None, issues: vec![Issue::new("", message, text)] }
}

fn midnight(date: jiff::civil::Date, context: &MapContext<'_>) -> Timestamp {
    let midnight = date.to_zoned(context.zone.clone());
    midnight.map_or(Timestamp::ZERO, |at| Timestamp::from_jiff(at.timestamp()))
}

/// `10`, `10 д`, `10 days`: so many calendar days before the receipt, at the same time of day.
fn days_ago(text: &str, context: &MapContext<'_>) -> Normalized<Converted> {
    const DAYS_MAX: i64 = 36_500;
    let digits: &str = text.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or("");
    let days = digits.parse::<i64>().ok().filter(|days| (0..=DAYS_MAX).contains(days));
    let at = days.and_then(|days| {
        let now = context.received_at.to_jiff().to_zoned(context.zone.clone());
        now.checked_sub(jiff::Span::new().days(days)).ok()
    });
    match at {
        Some(at) => sure(Converted::Instant(Timestamp::from_jiff(at.timestamp()))),
        None => unreadable(Message::new("mapping-days"), text),
    }
}

/// A word of a closed kind.
pub(super) fn word(kind: Kind, text: &str) -> Option<Converted> {
    let at = kind.words().iter().position(|word| word.eq_ignore_ascii_case(text))?;
    match kind {
        Kind::ClientKind => pick(at, [ClientKind::Person, ClientKind::Company]).map(Converted::ClientKind),
        Kind::Standing => {
            use Standing::{Applicant, Client, Courier, Own, Spam, Supplier};
            pick(at, [Client, Own, Supplier, Courier, Applicant, Spam]).map(Converted::Standing)
        }
        Kind::DealState => {
            use DealStateChange::{Lost, Open, Won};
            let lost = [Lost(LostReason::Other), Lost(LostReason::Refused), Lost(LostReason::Junk)];
            pick(at, [Open, Won, lost[0], lost[1], lost[2]]).map(Converted::DealState)
        }
        Kind::DocumentKind => {
            use DocumentKind::{Contract, Invoice, Order, Payment, Return, Shipment};
            pick(at, [Order, Invoice, Shipment, Payment, Return, Contract]).map(Converted::DocumentKind)
        }
        Kind::InteractionKind => {
            use InteractionKind::{Call, Form, Letter, Meeting, Note, StageTransition, Visit};
            let kinds = [Call, Letter, Form, Visit, InteractionKind::Message, Note, StageTransition, Meeting];
            pick(at, kinds).map(Converted::InteractionKind)
        }
        Kind::Direction => {
            pick(at, [Direction::Inbound, Direction::Outbound, Direction::Internal]).map(Converted::Direction)
        }
        Kind::Text
        | Kind::Prose
        | Kind::Name
        | Kind::Company
        | Kind::NamePart
        | Kind::Phone
        | Kind::Email
        | Kind::Messenger
        | Kind::Visitor
        | Kind::Contact
        | Kind::Inn
        | Kind::Kpp
        | Kind::Ogrn
        | Kind::Flag
        | Kind::Instant
        | Kind::Money
        | Kind::Decimal
        | Kind::Foreign
        | Kind::Click => None,
    }
}

fn pick<T, const N: usize>(at: usize, values: [T; N]) -> Option<T> {
    values.into_iter().nth(at)
}

/// What a contact is by the type written beside it. The rule of 1C: УНФ looks for the words, УТ
/// drops spaces; so `ТелефонРабочий`, `Электронная почта` and `E-Mail` are all understood.
pub(super) fn contact_kind(kind: &str, value: &str) -> ContactKind {
    let kind = kind.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    let is_address = has(&["mail", "почта"]) && !has(&["почтовый"]);
    let looks_like_address = kind.trim().is_empty() && value.contains('@');
    if has(&["телефон", "phone", "моб"]) {
        ContactKind::Phone
    } else if is_address || looks_like_address {
        ContactKind::Email
    } else {
        ContactKind::Other
    }
}

/// Kind of a typed contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContactKind {
    Phone,
    Email,
    Other,
}

#[cfg(test)]
mod tests {
    use super::super::canonical::FIELDS;
    use super::*;

    #[test]
    fn every_word_of_a_closed_kind_converts() {
        for spec in FIELDS {
            for text in spec.kind.words() {
                assert!(word(spec.kind, text).is_some(), "{}: {text}", spec.full_name());
            }
            assert!(word(spec.kind, "another").is_none());
        }
    }

    #[test]
    fn contacts_are_told_by_the_words_of_their_type() {
        let check = |kind: &str, value: &str, expected| assert_eq!(contact_kind(kind, value), expected, "{kind}");
        check("ТелефонРабочий", "1", ContactKind::Phone);
        check("Телефон мобильный", "1", ContactKind::Phone);
        check("Электронная почта", "a", ContactKind::Email);
        check("E-Mail", "a", ContactKind::Email);
        check("Почта", "a", ContactKind::Email);
        check("Почтовый индекс", "a", ContactKind::Other);
        check("ВебСайт", "a", ContactKind::Other);
        check("", "a@b.ru", ContactKind::Email);
    }
}
