//! A record's fields go into its client, each by its provenance; contact points are all kept.

use compact_str::{CompactString, format_compact};

use crate::base::limits::{CONTACTS_MAX, EXTRA_FIELDS_MAX};
use crate::base::{Message, Slug};
use crate::model::change::ClientChange;
use crate::model::{
    Client, ClientKind, ContactPoint, Foreign, HeldContact, Inn, Issue, Name, Provenance, Sourced, Standing,
};

/// What a record changed in its client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Absorbed {
    /// Whether anything that is shown or sent changed.
    pub changed: bool,
    /// Contact points that it did not hold before.
    pub new_contacts: Vec<ContactPoint>,
    /// Cards that it did not have before.
    pub new_foreign: Vec<Foreign>,
    /// Whether its ИНН is another one now.
    pub inn_changed: bool,
    /// What was odd.
    pub issues: Vec<Issue>,
}

/// Puts what the record of `connection` says into `client`. `provenance` makes the provenance of a
/// group of fields: `requisites` (ИНН, КПП, ОГРН, company name), `name`, `contacts`, `address`,
/// `responsible`, `client` (the rest).
pub fn absorb(
    client: &mut Client,
    change: &ClientChange,
    connection: &Slug,
    provenance: &dyn Fn(&str) -> Provenance,
) -> Absorbed {
    let mut absorbed = Absorbed::default();
    let knows_card = knows_card(client, change, connection);
    let requisites = provenance("requisites");
    absorbed.changed |= upgrade_kind(client, change, &requisites);
    if let Some(name) = &change.name {
        let origin = match name {
            Name::Company(_) => requisites.clone(),
            Name::Person(_) => provenance("name"),
        };
        absorbed.changed |= offer_name(&mut client.name, Sourced::new(name.clone(), &origin), client.kind);
    }
    absorb_requisites(client, change, &requisites, knows_card, &mut absorbed);
    let offered = [
        offer(&mut client.address, change.address.as_ref(), || provenance("address")),
        offer(&mut client.responsible, change.responsible.as_ref(), || provenance("responsible")),
        offer(&mut client.decides, change.decides.as_ref(), || provenance("client")),
        set_standing(client, change.standing),
        set_known_since(client, change),
    ];
    absorbed.changed |= offered.contains(&true);
    absorb_contacts(client, change, &provenance("contacts"), &mut absorbed);
    absorb_foreign(client, change, connection, &mut absorbed);
    absorbed
}

/// Offers a value, if the record has it. Returns whether the field changed.
fn offer<T: PartialEq + Clone>(
    slot: &mut Option<Sourced<T>>,
    told: Option<&T>,
    provenance: impl FnOnce() -> Provenance,
) -> bool {
    told.is_some_and(|value| Sourced::offer(slot, Sourced::new(value.clone(), &provenance())))
}

/// Offers a name to a client of `kind`. At a company its own name wins over that of whoever wrote
/// or called; at a person the name of a company does not displace his.
pub(super) fn offer_name(slot: &mut Option<Sourced<Name>>, offered: Sourced<Name>, kind: ClientKind) -> bool {
    let held = slot.as_ref().map(|name| &name.value);
    match (kind, held, &offered.value) {
        (ClientKind::Company, Some(Name::Company(_)), Name::Person(_))
        | (ClientKind::Person, Some(Name::Person(_)), Name::Company(_)) => false,
        (ClientKind::Company, Some(Name::Person(_)), Name::Company(_)) => {
            *slot = Some(offered);
            true
        }
        (ClientKind::Company | ClientKind::Person, _, Name::Company(_) | Name::Person(_)) => {
            Sourced::offer(slot, offered)
        }
    }
}

/// A person becomes a company when the record says so: by kind, by the ИНН of a company, or by the
/// name of a company told by a source that the ownership table knows. Never back.
fn upgrade_kind(client: &mut Client, change: &ClientChange, requisites: &Provenance) -> bool {
    let by_name = match (&change.name, change.kind) {
        (Some(Name::Company(_)), None | Some(ClientKind::Company)) => requisites.rank > 0,
        (Some(Name::Company(_)), Some(ClientKind::Person)) | (Some(Name::Person(_)) | None, _) => false,
    };
    let by_inn = change.inn.as_ref().is_some_and(Inn::is_company);
    let is_company = change.kind == Some(ClientKind::Company) || by_inn || by_name;
    let upgraded = is_company && client.kind == ClientKind::Person;
    if upgraded {
        client.kind = ClientKind::Company;
    }
    upgraded
}

fn knows_card(client: &Client, change: &ClientChange, connection: &Slug) -> bool {
    let told = |card: &Foreign| {
        card.connection == *connection && change.foreign.iter().any(|(kind, id)| *kind == card.kind && *id == card.id)
    };
    client.foreign.iter().any(|(card, _)| told(card))
}

fn absorb_requisites(
    client: &mut Client,
    change: &ClientChange,
    requisites: &Provenance,
    knows_card: bool,
    absorbed: &mut Absorbed,
) {
    let same_inn = change.inn.is_some() && change.inn.as_ref() == client.inn.as_ref().map(|inn| &inn.value);
    absorbed.inn_changed = offer(&mut client.inn, change.inn.as_ref(), || requisites.clone());
    absorbed.changed |= absorbed.inn_changed;
    absorbed.changed |= offer(&mut client.ogrn, change.ogrn.as_ref(), || requisites.clone());
    let Some(told) = &change.kpp else { return };
    // A known card may correct its КПП; another card or a form with the same ИНН and another КПП
    // is another unit of the same legal entity, and the two would displace each other for ever.
    let other_unit = client.kpp.as_ref().filter(|held| same_inn && !knows_card && held.value != *told);
    match other_unit {
        Some(held) => {
            let message = Message::new("identity-other-unit").with("told", told).with("held", &held.value);
            absorbed.issues.push(Issue::new("client.kpp", message, told.0.as_str()));
        }
        None => absorbed.changed |= offer(&mut client.kpp, Some(told), || requisites.clone()),
    }
}

/// Spam never hides somebody with whom we have dealings: anyone may type his phone into a form.
fn set_standing(client: &mut Client, told: Option<Standing>) -> bool {
    let Some(told) = told.filter(|told| *told != client.standing) else { return false };
    let is_known = client.purchases > 0 || client.inn.is_some() || !client.foreign.is_empty();
    if told == Standing::Spam && is_known {
        return false;
    }
    client.standing = told;
    true
}

fn set_known_since(client: &mut Client, change: &ClientChange) -> bool {
    let Some(told) = change.known_since.filter(|told| *told < client.known_since) else { return false };
    client.known_since = told;
    true
}

fn absorb_contacts(client: &mut Client, change: &ClientChange, provenance: &Provenance, absorbed: &mut Absorbed) {
    for point in &change.contacts {
        let key = point.key();
        if let Some(held) = client.contacts.iter_mut().find(|held| held.point.key() == key) {
            held.provenance = stronger(&held.provenance, provenance);
            continue;
        }
        client.contacts.push(HeldContact { point: point.clone(), provenance: provenance.clone(), origin: client.id });
        absorbed.new_contacts.push(point.clone());
        absorbed.changed = true;
        if client.contacts.len() > CONTACTS_MAX {
            set_weakest_aside(client, absorbed);
        }
    }
}

/// The one that takes precedence.
fn stronger(held: &Provenance, offered: &Provenance) -> Provenance {
    let mut slot = Some(Sourced::new((), held));
    Sourced::offer(&mut slot, Sourced::new((), offered));
    slot.map_or_else(|| held.clone(), |kept| kept.provenance)
}

/// Bound: the oldest contact point from the weakest source goes to `extra`, while that has room.
fn set_weakest_aside(client: &mut Client, absorbed: &mut Absorbed) {
    let precedence = |held: &HeldContact| {
        let provenance = &held.provenance;
        (provenance.rank, provenance.observed_at, provenance.position)
    };
    let weakest = client.contacts.iter().enumerate().min_by_key(|(index, held)| (precedence(held), *index));
    let Some(index) = weakest.map(|(index, _)| index) else { return };
    let aside = client.contacts.remove(index);
    absorbed.new_contacts.retain(|point| *point != aside.point);
    let message = Message::new("identity-contacts-full").with("max", CONTACTS_MAX);
    let text = written(&aside.point);
    absorbed.issues.push(Issue::new("client.contacts", message, text.as_str()));
    let value = Sourced::new(text, &aside.provenance);
    if client.extra.len() >= EXTRA_FIELDS_MAX || client.extra.iter().any(|(_, held)| held.value == value.value) {
        return;
    }
    let name = |number: usize| format_compact!("contact.{number}");
    let free = (1..=EXTRA_FIELDS_MAX).map(name).find(|name| !client.extra.iter().any(|(held, _)| held == name));
    client.extra.extend(free.map(|name| (name, value)));
}

/// The contact point as people write it.
fn written(point: &ContactPoint) -> CompactString {
    match point {
        ContactPoint::Phone(phone) => match &phone.extension {
            Some(extension) => format_compact!("{} #{extension}", phone.e164),
            None => phone.e164.clone(),
        },
        ContactPoint::Email(email) => email.address.clone(),
        ContactPoint::Messenger(messenger, id) => format_compact!("{messenger}: {id}"),
        ContactPoint::Visitor(id) => id.clone(),
    }
}

fn absorb_foreign(client: &mut Client, change: &ClientChange, connection: &Slug, absorbed: &mut Absorbed) {
    for (kind, id) in &change.foreign {
        let card = Foreign { connection: connection.clone(), kind: kind.clone(), id: id.clone() };
        if client.foreign.iter().any(|(held, _)| *held == card) {
            continue;
        }
        client.foreign.push((card.clone(), client.id));
        absorbed.new_foreign.push(card);
        absorbed.changed = true;
    }
}
