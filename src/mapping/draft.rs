//! A change being put together: the setters of the canonical fields.

use compact_str::CompactString;
use rust_decimal::Decimal;

use super::canonical::Field;
use super::convert::Converted;
use crate::base::limits;
use crate::model::change::{ClientChange, DealChange, DocumentChange, InteractionChange};
use crate::model::{
    Change, ClientKind, CompanyName, ContactPoint, Direction, DocumentKind, InteractionKind, Issue, Line, Name,
    PersonName,
};

/// Which parts a mapping fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    pub(super) deal: bool,
    pub(super) document: bool,
    pub(super) interaction: bool,
}

/// A change and what is decided only when all of it is known.
pub(super) struct Draft {
    pub(super) change: Change,
    deal: DealChange,
    document: DocumentChange,
    interaction: InteractionChange,
    company: Option<CompanyName>,
    person: PersonName,
    name: Option<Name>,
    kind_told: bool,
    direction_told: bool,
}

impl Draft {
    pub(super) fn new() -> Draft {
        Draft {
            change: Change::default(),
            deal: DealChange::default(),
            document: DocumentChange::new(DocumentKind::Order),
            interaction: InteractionChange {
                kind: InteractionKind::Form,
                foreign: Vec::new(),
                direction: Direction::Inbound,
                at: None,
                ended_at: None,
                who: None,
                result: CompactString::default(),
                subject: CompactString::default(),
                text: String::new(),
                page: CompactString::default(),
            },
            company: None,
            person: PersonName::default(),
            name: None,
            kind_told: false,
            direction_told: false,
        }
    }

    pub(super) fn issue(&mut self, field: &str, issue: Issue) {
        self.change.issues.push(Issue { field: field.into(), ..issue });
    }

    /// Puts the value into its field. `name` is what stands after the point of a named field.
    pub(super) fn set(&mut self, field: Field, name: &str, value: Converted) {
        let (client, deal) = (&mut self.change.client, &mut self.deal);
        let (document, interaction) = (&mut self.document, &mut self.interaction);
        match field {
            Field::ObservedAt => self.change.observed_at = value.instant(),

            Field::ClientName => self.name = value.name(),
            Field::ClientCompany => self.company = value.company(),
            Field::ClientSurname => self.person.surname = value.text_or_empty(),
            Field::ClientGiven => self.person.given = value.text_or_empty(),
            Field::ClientPatronymic => self.person.patronymic = value.text_or_empty(),
            Field::ClientKind => client.kind = value.client_kind(),
            Field::ClientStanding => client.standing = value.standing(),
            Field::ClientForeign => push_named(&mut client.foreign, name, value),
            Field::ClientPhone | Field::ClientEmail | Field::ClientContact => add_contacts(client, value),
            Field::ClientMessenger => {
                let point = value.text().map(|handle| ContactPoint::Messenger(name.into(), handle));
                point.into_iter().for_each(|point| add_contact(client, point));
            }
            Field::ClientVisitor => {
                value.text().map(ContactPoint::Visitor).into_iter().for_each(|point| add_contact(client, point));
            }
            Field::ClientInn => client.inn = value.inn(),
            Field::ClientKpp => client.kpp = value.kpp(),
            Field::ClientOgrn => client.ogrn = value.ogrn(),
            Field::ClientAddress => client.address = value.text(),
            Field::ClientResponsible => client.responsible = value.text(),
            Field::ClientDecides => client.decides = value.flag(),
            Field::ClientKnownSince => client.known_since = value.instant(),

            Field::DealForeign => push_named(&mut deal.foreign, name, value),
            Field::DealTitle => deal.title = value.text(),
            Field::DealCreatedAt => deal.created_at = value.instant(),
            Field::DealPipeline => deal.pipeline = value.text(),
            Field::DealStage => deal.stage = value.text(),
            Field::DealStageSince => deal.stage_since = value.instant(),
            Field::DealState => deal.state = value.deal_state(),
            Field::DealPrice => deal.price = value.money(),
            Field::DealSource => deal.source = value.text(),
            Field::DealUtmSource => deal.utm.source = value.utm(),
            Field::DealUtmMedium => deal.utm.medium = value.utm(),
            Field::DealUtmCampaign => deal.utm.campaign = value.utm(),
            Field::DealUtmContent => deal.utm.content = value.utm(),
            Field::DealUtmTerm => deal.utm.term = value.utm(),
            Field::DealUtmClick => deal.utm.clicks.push((name.into(), value.utm())),
            Field::DealResponsible => deal.responsible = value.text(),
            Field::DealComment => deal.comment = value.prose(),
            Field::DealProductLine => deal.product_line = value.text(),
            Field::DealCloseDate => deal.close_date = value.instant(),
            Field::DealClientRepliedAt => deal.client_replied_at = value.instant(),
            Field::DealNextStep => deal.next_step = value.text(),
            Field::DealDeferred => deal.deferred = value.flag(),

            Field::DocumentKind => document.kind = value.document_kind().unwrap_or(document.kind),
            Field::DocumentForeign => push_named(&mut document.foreign, name, value),
            Field::DocumentNumber => document.number = value.text(),
            Field::DocumentBasis => document.basis = value.text(),
            Field::DocumentDate => document.date = value.instant(),
            Field::DocumentNumber1c => document.number_1c = value.text(),
            Field::DocumentSum => document.sum = value.money(),
            Field::DocumentPosted => document.posted = value.flag(),
            Field::DocumentDeletionMark => document.deletion_mark = value.flag(),
            Field::DocumentCancelled => document.cancelled = value.flag(),
            Field::DocumentPaid => document.paid = value.flag(),
            Field::DocumentShipped => document.shipped = value.flag(),
            Field::DocumentStatus => document.status = value.text(),
            Field::DocumentComment => document.comment = value.prose(),

            Field::InteractionKind => {
                interaction.kind = value.interaction_kind().unwrap_or(interaction.kind);
                self.kind_told = true;
            }
            Field::InteractionForeign => push_named(&mut interaction.foreign, name, value),
            Field::InteractionDirection => {
                interaction.direction = value.direction().unwrap_or(interaction.direction);
                self.direction_told = true;
            }
            Field::InteractionAt => interaction.at = value.instant(),
            Field::InteractionEndedAt => interaction.ended_at = value.instant(),
            Field::InteractionWho => interaction.who = value.text(),
            Field::InteractionResult => interaction.result = value.text_or_empty(),
            Field::InteractionSubject => interaction.subject = value.text_or_empty(),
            Field::InteractionText => interaction.text = value.prose().unwrap_or_default(),
            Field::InteractionPage => interaction.page = value.text_or_empty(),

            // Lines are read item by item: see `set_line`.
            Field::LineProduct | Field::LineName | Field::LineQuantity | Field::LinePrice | Field::LineSum => {}
        }
    }

    pub(super) fn set_lines(&mut self, lines: Vec<Line>, deal: bool, document: bool) {
        match (deal, document) {
            (true, true) => {
                self.deal.lines.clone_from(&lines);
                self.document.lines = lines;
            }
            (true, false) => self.deal.lines = lines,
            (false, true) => self.document.lines = lines,
            (false, false) => {}
        }
    }

    /// The record says that the deal has no lines.
    pub(super) fn set_no_lines(&mut self) {
        self.deal.no_lines = true;
    }

    /// Whether the field holds something.
    pub(super) fn is_filled(&self, field: Field) -> bool {
        let (client, deal, document) = (&self.change.client, &self.deal, &self.document);
        let interaction = &self.interaction;
        let point = |wanted: fn(&ContactPoint) -> bool| client.contacts.iter().any(wanted);
        match field {
            Field::ObservedAt => self.change.observed_at.is_some(),
            Field::ClientName => self.name.is_some(),
            Field::ClientCompany => self.company.is_some(),
            Field::ClientSurname => !self.person.surname.is_empty(),
            Field::ClientGiven => !self.person.given.is_empty(),
            Field::ClientPatronymic => !self.person.patronymic.is_empty(),
            Field::ClientKind => client.kind.is_some(),
            Field::ClientStanding => client.standing.is_some(),
            Field::ClientForeign => !client.foreign.is_empty(),
            Field::ClientPhone => point(|it| matches!(it, ContactPoint::Phone(_))),
            Field::ClientEmail => point(|it| matches!(it, ContactPoint::Email(_))),
            Field::ClientMessenger => point(|it| matches!(it, ContactPoint::Messenger(..))),
            Field::ClientVisitor => point(|it| matches!(it, ContactPoint::Visitor(_))),
            Field::ClientContact => point(|it| matches!(it, ContactPoint::Phone(_) | ContactPoint::Email(_))),
            Field::ClientInn => client.inn.is_some(),
            Field::ClientKpp => client.kpp.is_some(),
            Field::ClientOgrn => client.ogrn.is_some(),
            Field::ClientAddress => client.address.is_some(),
            Field::ClientResponsible => client.responsible.is_some(),
            Field::ClientDecides => client.decides.is_some(),
            Field::ClientKnownSince => client.known_since.is_some(),
            Field::DealForeign => !deal.foreign.is_empty(),
            Field::DealTitle => deal.title.is_some(),
            Field::DealCreatedAt => deal.created_at.is_some(),
            Field::DealPipeline => deal.pipeline.is_some(),
            Field::DealStage => deal.stage.is_some(),
            Field::DealStageSince => deal.stage_since.is_some(),
            Field::DealState => deal.state.is_some(),
            Field::DealPrice => deal.price.is_some(),
            Field::DealSource => deal.source.is_some(),
            Field::DealUtmSource => !deal.utm.source.is_empty(),
            Field::DealUtmMedium => !deal.utm.medium.is_empty(),
            Field::DealUtmCampaign => !deal.utm.campaign.is_empty(),
            Field::DealUtmContent => !deal.utm.content.is_empty(),
            Field::DealUtmTerm => !deal.utm.term.is_empty(),
            Field::DealUtmClick => !deal.utm.clicks.is_empty(),
            Field::DealResponsible => deal.responsible.is_some(),
            Field::DealComment => deal.comment.is_some(),
            Field::DealProductLine => deal.product_line.is_some(),
            Field::DealCloseDate => deal.close_date.is_some(),
            Field::DealClientRepliedAt => deal.client_replied_at.is_some(),
            Field::DealNextStep => deal.next_step.is_some(),
            Field::DealDeferred => deal.deferred.is_some(),
            // A constant of the mapping: compile has seen to it.
            Field::DocumentKind => true,
            Field::InteractionKind => self.kind_told,
            Field::InteractionDirection => self.direction_told,
            Field::DocumentForeign => !document.foreign.is_empty(),
            Field::DocumentNumber => document.number.is_some(),
            Field::DocumentBasis => document.basis.is_some(),
            Field::DocumentDate => document.date.is_some(),
            Field::DocumentNumber1c => document.number_1c.is_some(),
            Field::DocumentSum => document.sum.is_some(),
            Field::DocumentPosted => document.posted.is_some(),
            Field::DocumentDeletionMark => document.deletion_mark.is_some(),
            Field::DocumentCancelled => document.cancelled.is_some(),
            Field::DocumentPaid => document.paid.is_some(),
            Field::DocumentShipped => document.shipped.is_some(),
            Field::DocumentStatus => document.status.is_some(),
            Field::DocumentComment => document.comment.is_some(),
            Field::InteractionForeign => !interaction.foreign.is_empty(),
            Field::InteractionAt => interaction.at.is_some(),
            Field::InteractionEndedAt => interaction.ended_at.is_some(),
            Field::InteractionWho => interaction.who.is_some(),
            Field::InteractionResult => !interaction.result.is_empty(),
            Field::InteractionSubject => !interaction.subject.is_empty(),
            Field::InteractionText => !interaction.text.is_empty(),
            Field::InteractionPage => !interaction.page.is_empty(),
            Field::LineProduct | Field::LineName | Field::LineQuantity | Field::LinePrice | Field::LineSum => {
                !deal.lines.is_empty() || !document.lines.is_empty()
            }
        }
    }

    /// The change: the name chosen, the kind told by it, the parts that the mapping fills.
    pub(super) fn finish(mut self, parts: Parts) -> Change {
        let of_person = match (self.person, self.name) {
            (person, name) if person == PersonName::default() => name,
            // "Имя" and "Фамилия" are often two fields of which only one is called so.
            (person, Some(Name::Person(read))) => Some(Name::Person(PersonName {
                surname: first_filled(person.surname, read.surname),
                given: first_filled(person.given, read.given),
                patronymic: first_filled(person.patronymic, read.patronymic),
            })),
            (person, Some(Name::Company(_)) | None) => Some(Name::Person(person)),
        };
        self.change.client.name = match (self.company, of_person) {
            // Who wrote for the company: kept, because the client is the company.
            (Some(company), Some(Name::Person(person))) => {
                self.change.extra.push((CompactString::const_new("contact_person"), person.shown().into()));
                Some(Name::Company(company))
            }
            (Some(company), Some(Name::Company(_)) | None) => Some(Name::Company(company)),
            (None, name) => name,
        };
        let client = &mut self.change.client;
        let by_requisites = client.inn.as_ref().is_some_and(crate::model::Inn::is_company) || client.kpp.is_some();
        client.kind = client.kind.or(match &client.name {
            Some(Name::Company(_)) => Some(ClientKind::Company),
            Some(Name::Person(_)) | None if by_requisites => Some(ClientKind::Company),
            Some(Name::Person(_)) => Some(ClientKind::Person),
            None => None,
        });
        self.change.deal = parts.deal.then_some(self.deal);
        self.change.document = parts.document.then_some(self.document);
        self.change.interaction = parts.interaction.then_some(self.interaction);
        self.change
    }
}

/// Puts the value into the field of a line.
pub(super) fn set_line(line: &mut Line, field: Field, value: Converted) {
    match (field, value) {
        (Field::LineProduct, value) => line.product = value.text_or_empty(),
        (Field::LineName, value) => line.name = value.text_or_empty(),
        (Field::LineQuantity, Converted::Decimal(number)) => line.quantity = number.normalize(),
        (Field::LinePrice, Converted::Decimal(number)) => line.price = number.normalize(),
        (Field::LineSum, Converted::Decimal(number)) => line.sum = number.normalize(),
        (other, _) => debug_assert!(false, "{other:?} is no field of a line or has another kind"),
    }
}

/// A line of which nothing is known yet.
pub(super) fn empty_line() -> Line {
    Line {
        product: CompactString::default(),
        name: CompactString::default(),
        quantity: Decimal::ZERO,
        price: Decimal::ZERO,
        sum: Decimal::ZERO,
    }
}

fn add_contacts(client: &mut ClientChange, value: Converted) {
    match value {
        Converted::Phones(phones) => {
            phones.into_iter().for_each(|phone| add_contact(client, ContactPoint::Phone(phone)));
        }
        Converted::Emails(emails) => {
            emails.into_iter().for_each(|email| add_contact(client, ContactPoint::Email(email)));
        }
        other => debug_assert!(false, "{other:?} is no contact"),
    }
}

fn add_contact(client: &mut ClientChange, point: ContactPoint) {
    // Bound: identity could not use more; the record itself keeps the rest.
    if client.contacts.len() < limits::CONTACTS_MAX && !client.contacts.contains(&point) {
        client.contacts.push(point);
    }
}

fn push_named(list: &mut Vec<(CompactString, CompactString)>, name: &str, value: Converted) {
    if let Some(id) = value.text() {
        list.push((name.into(), id));
    }
}

macro_rules! takers {
    ($($name:ident $variant:ident $type:ty;)*) => {
        impl Converted {
            $(fn $name(self) -> Option<$type> {
                match self {
                    Converted::$variant(value) => Some(value),
                    other => {
                        debug_assert!(false, "compile let {other:?} into a field of another kind");
                        None
                    }
                }
            })*
        }
    };
}

takers! {
    text Text CompactString;
    prose Prose String;
    inn Inn crate::model::Inn;
    kpp Kpp crate::model::Kpp;
    ogrn Ogrn crate::model::Ogrn;
    flag Flag bool;
    instant Instant crate::base::Timestamp;
    money Money crate::model::Money;
    client_kind ClientKind ClientKind;
    standing Standing crate::model::Standing;
    deal_state DealState crate::model::change::DealStateChange;
    document_kind DocumentKind DocumentKind;
    interaction_kind InteractionKind InteractionKind;
    direction Direction Direction;
    company Company CompanyName;
}

impl Converted {
    fn text_or_empty(self) -> CompactString {
        self.text().unwrap_or_default()
    }

    /// A mark of an advertisement, cut at its bound.
    fn utm(self) -> CompactString {
        let text = self.text_or_empty();
        CompactString::new(cut(&text, limits::UTM_BYTES_MAX))
    }

    fn name(self) -> Option<Name> {
        match self {
            Converted::Name(name) => Some(name),
            Converted::Person(person) => Some(Name::Person(person)),
            Converted::Company(company) => Some(Name::Company(company)),
            other => {
                debug_assert!(false, "compile let {other:?} into a field of another kind");
                None
            }
        }
    }
}

fn first_filled(left: CompactString, right: CompactString) -> CompactString {
    if left.is_empty() { right } else { left }
}

/// At most `bytes_max` bytes of the text, cut between characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
