//! A record's words about a client, taken into the client: field by field, the better witness wins.

use compact_str::{CompactString, format_compact};

use crate::base::limits::{CONTACTS_MAX, EXTRA_FIELDS_MAX};
use crate::base::{ClientId, Message};
use crate::model::change::ClientChange;
use crate::model::{
    Client, ClientKind, ContactPoint, Foreign, HeldContact, Issue, Name, PersonName, Phone, Provenance, Sourced,
    Standing,
};

/// Groups of fields that the ownership table ranks sources for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldGroup {
    /// Name.
    Name,
    /// INN, KPP, OGRN.
    Requisites,
    /// Address.
    Address,
    /// Responsible employee.
    Responsible,
    /// Contact points.
    Contacts,
    /// The rest.
    Other,
}

/// What a record changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Absorbed {
    /// Whether any value changed; a renewed witness of the same value is no change.
    pub changed: bool,
    /// Contact points that were not held before: to be indexed.
    pub new_contacts: Vec<ContactPoint>,
    /// Contact points that gave way at the bound: to be removed from the index.
    pub dropped_contacts: Vec<ContactPoint>,
    /// Ids that were not known before: for the crosswalk.
    pub new_foreign: Vec<Foreign>,
    /// What was odd.
    pub issues: Vec<Issue>,
}

/// What a client is of whom only this record is known.
pub fn kind_of(change: &ClientChange) -> ClientKind {
    let by_inn = change.inn.as_ref().map(|inn| inn.is_company());
    let by_name = change.name.as_ref().map(|name| matches!(name, Name::Company(_)));
    match (by_inn, change.kind, by_name) {
        (Some(true), ..) | (_, Some(ClientKind::Company), _) | (_, None, Some(true)) => ClientKind::Company,
        (Some(false) | None, Some(ClientKind::Person), _) | (Some(false) | None, None, Some(false) | None) => {
            ClientKind::Person
        }
    }
}

/// Takes a record's words into `client`. `said` tells who said so and when; its rank is replaced by
/// `rank` of each group of fields.
pub fn absorb(
    client: &mut Client,
    change: &ClientChange,
    rank: &dyn Fn(FieldGroup) -> u8,
    said: &Provenance,
) -> Absorbed {
    let mut absorbed = Absorbed::default();
    let by = |group: FieldGroup| Provenance { rank: rank(group), ..said.clone() };
    let (name, requisites, other) = (by(FieldGroup::Name), by(FieldGroup::Requisites), by(FieldGroup::Other));
    if let (Some(ours), Some(held)) = (&change.kpp, &client.kpp)
        && *ours != held.value
        && change.inn.as_ref() == client.inn.as_ref().map(|it| &it.value)
    {
        absorbed.issues.push(Issue::new("kpp", Message::new("identity-kpp-differs"), ours.0.as_str()));
    }
    absorbed.changed |= take_name(client, change, &name);
    absorbed.changed |= offer(&mut client.inn, change.inn.as_ref(), &requisites);
    absorbed.changed |= offer(&mut client.kpp, change.kpp.as_ref(), &requisites);
    absorbed.changed |= offer(&mut client.ogrn, change.ogrn.as_ref(), &requisites);
    absorbed.changed |= offer(&mut client.address, change.address.as_ref(), &by(FieldGroup::Address));
    absorbed.changed |= offer(&mut client.responsible, change.responsible.as_ref(), &by(FieldGroup::Responsible));
    absorbed.changed |= offer(&mut client.decides, change.decides.as_ref(), &other);
    if take_kind(client, change) {
        absorbed.changed = true;
        // A company by its INN now: its name wins over that of whoever wrote for it.
        take_name(client, change, &name);
    }
    absorbed.changed |= take_standing(client, change);
    absorbed.changed |= take_known_since(client, change);
    let origin = origin_of(client, change, said);
    take_foreign(client, change, said, origin, &mut absorbed);
    take_contacts(client, change, &by(FieldGroup::Contacts), origin, &mut absorbed);
    if absorbed.changed {
        client.version = said.position;
    }
    absorbed
}

fn offer<T: Clone + PartialEq>(slot: &mut Option<Sourced<T>>, value: Option<&T>, said: &Provenance) -> bool {
    value.is_some_and(|value| Sourced::offer(slot, Sourced::new(value.clone(), said)))
}

fn take_name(client: &mut Client, change: &ClientChange, said: &Provenance) -> bool {
    let Some(name) = &change.name else { return false };
    offer_name(&mut client.name, Sourced::new(name.clone(), said), client.kind)
}

/// Offers a name to a client of `kind`. At a company its own name wins over that of a person who
/// writes for it, whoever says so and when.
pub(super) fn offer_name(slot: &mut Option<Sourced<Name>>, offered: Sourced<Name>, kind: ClientKind) -> bool {
    match (kind, slot.as_ref().map(|held| &held.value), &offered.value) {
        (ClientKind::Company, Some(Name::Company(_)), Name::Person(_)) => false,
        (ClientKind::Company, Some(Name::Person(_)), Name::Company(_)) => {
            *slot = Some(offered);
            true
        }
        (ClientKind::Company | ClientKind::Person, _, Name::Company(_) | Name::Person(_)) => {
            if let Some(held) = slot.as_ref()
                && let Some(whole) = whole_of(&held.value, &offered.value)
            {
                // One name, said shorter once: nobody contradicts anybody, and nothing is forgotten.
                let stronger = held.provenance.precedence().max(offered.provenance.precedence());
                let said = if held.provenance.precedence() == stronger { held } else { &offered };
                let changed = held.value != whole;
                *slot = Some(Sourced::new(whole, &said.provenance.clone()));
                return changed;
            }
            Sourced::offer(slot, offered)
        }
    }
}

/// Whether `told` is the name `held`, with parts that it lacks.
pub fn says_more(told: &Name, held: &Name) -> bool {
    whole_of(held, told).as_ref() == Some(told)
}

/// The fuller one of two names of a person of which one only leaves parts out; `None` when they
/// differ, or are the same.
fn whole_of(left: &Name, right: &Name) -> Option<Name> {
    let (Name::Person(left), Name::Person(right)) = (left, right) else { return None };
    fn parts(name: &PersonName) -> [&CompactString; 3] {
        [&name.surname, &name.given, &name.patronymic]
    }
    // A given name alone fits too many people to be taken for the same.
    let holds = |whole: &PersonName, part: &PersonName| {
        let pairs = parts(whole).into_iter().zip(parts(part));
        !part.surname.is_empty()
            && !part.given.is_empty()
            && pairs.into_iter().all(|(whole, part)| part.is_empty() || whole == part)
    };
    match (holds(left, right), holds(right, left)) {
        (true, false) => Some(Name::Person(left.clone())),
        (false, true) => Some(Name::Person(right.clone())),
        (true, true) | (false, false) => None,
    }
}

/// A person becomes a company when the winning INN is a company's, or the winning name is and the
/// record that says so is the one that won. Never back: a mistake is a person's command.
fn take_kind(client: &mut Client, change: &ClientChange) -> bool {
    let inn_says = client.inn.as_ref().map(|inn| inn.value.is_company());
    let name_won = change.name.is_some() && change.name.as_ref() == client.name.as_ref().map(|it| &it.value);
    let says_company = kind_of(change) == ClientKind::Company;
    let is_company = inn_says == Some(true) || (says_company && (name_won || change.name.is_none()));
    let changed = is_company && client.kind == ClientKind::Person;
    if changed {
        client.kind = ClientKind::Company;
    }
    changed
}

/// "Client" is what everybody is until somebody says more; it does not take a mark away. Spam hides
/// a client with whom we have dealings only when his own card says so: anyone may type his
/// telephone into a form.
fn take_standing(client: &mut Client, change: &ClientChange) -> bool {
    let Some(standing) = change.standing.filter(|it| *it != Standing::Client && *it != client.standing) else {
        return false;
    };
    let is_known = client.purchases > 0 || client.inn.is_some() || !client.foreign.is_empty();
    if standing == Standing::Spam && is_known && change.foreign.is_empty() {
        return false;
    }
    client.standing = standing;
    true
}

/// The earliest instant that anybody names: a client is never younger than a source says.
fn take_known_since(client: &mut Client, change: &ClientChange) -> bool {
    let Some(told) = change.known_since.filter(|told| *told < client.known_since) else { return false };
    client.known_since = told;
    true
}

/// Whose the record's words are after a merge: those of the client that its id came with, so that a
/// split returns them to him.
fn origin_of(client: &Client, change: &ClientChange, said: &Provenance) -> ClientId {
    let is_theirs = |it: &Foreign| {
        it.connection == said.source && change.foreign.iter().any(|(kind, id)| *kind == it.kind && *id == it.id)
    };
    client.foreign.iter().find(|(foreign, _)| is_theirs(foreign)).map_or(client.id, |(_, origin)| *origin)
}

fn take_foreign(
    client: &mut Client,
    change: &ClientChange,
    said: &Provenance,
    origin: ClientId,
    absorbed: &mut Absorbed,
) {
    for (kind, id) in &change.foreign {
        let foreign = Foreign { connection: said.source.clone(), kind: kind.clone(), id: id.clone() };
        if client.foreign.iter().any(|(held, _)| *held == foreign) {
            continue;
        }
        absorbed.changed = true;
        absorbed.new_foreign.push(foreign.clone());
        client.foreign.push((foreign, origin));
    }
}

fn take_contacts(
    client: &mut Client,
    change: &ClientChange,
    said: &Provenance,
    origin: ClientId,
    absorbed: &mut Absorbed,
) {
    for point in &change.contacts {
        let key = point.key();
        if let Some(held) = client.contacts.iter_mut().find(|held| held.point.key() == key) {
            if weight(said) > weight(&held.provenance) {
                held.provenance = said.clone();
            }
            continue;
        }
        absorbed.changed = true;
        absorbed.new_contacts.push(point.clone());
        client.contacts.push(HeldContact { point: point.clone(), provenance: said.clone(), origin });
    }
    // Bound: what gives way is the oldest of the weakest source.
    while client.contacts.len() > CONTACTS_MAX {
        let weakest = client.contacts.iter().enumerate().min_by_key(|(_, held)| weight(&held.provenance));
        let Some((index, _)) = weakest else { break };
        give_way(client, index, absorbed);
    }
}

fn weight(said: &Provenance) -> (u8, crate::base::Timestamp, crate::base::Position) {
    (said.rank, said.observed_at, said.position)
}

fn give_way(client: &mut Client, index: usize, absorbed: &mut Absorbed) {
    let held = client.contacts.remove(index);
    let message = Message::new("identity-contacts-full").with("max", CONTACTS_MAX);
    absorbed.issues.push(Issue::new("contacts", message, held.point.key()));
    absorbed.new_contacts.retain(|point| *point != held.point);
    let text = written(&held.point);
    let is_kept = client.extra.iter().any(|(_, kept)| kept.value == text);
    if !is_kept && client.extra.len() < EXTRA_FIELDS_MAX {
        let is_free = |name: &CompactString| !client.extra.iter().any(|(taken, _)| taken == name);
        let name = (1..=EXTRA_FIELDS_MAX).map(|number| format_compact!("contact.{number}")).find(is_free);
        client.extra.extend(name.map(|name| (name, Sourced::new(text, &held.provenance))));
    }
    absorbed.dropped_contacts.push(held.point);
}

/// The contact point as people write it.
fn written(point: &ContactPoint) -> CompactString {
    match point {
        ContactPoint::Phone(Phone { e164, extension: None }) => e164.clone(),
        ContactPoint::Phone(Phone { e164, extension: Some(extension) }) => format_compact!("{e164}, {extension}"),
        ContactPoint::Email(email) => email.address.clone(),
        ContactPoint::Messenger(messenger, id) => format_compact!("{messenger}: {id}"),
        ContactPoint::Visitor(id) => id.clone(),
    }
}
