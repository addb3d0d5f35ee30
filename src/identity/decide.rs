//! The decision: which candidates the record is of, and whether they are one.
//!
//! Each candidate is judged alone against the record, then, when several remain, in pairs: all
//! pairs free of vetoes become one client; otherwise the strongest evidence takes the record.

use compact_str::CompactString;

use super::{Candidate, Decision, Key, Rules, keys};
use crate::base::{ClientId, Message, Slug};
use crate::model::change::ClientChange;
use crate::model::{Client, ClientKind, CompanyName, ContactPoint, Inn, Name, PersonName};

/// How much the keys of a candidate prove, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Contact,
    Inn,
    Foreign,
}

/// A candidate that the record may be of.
struct Fit<'a> {
    client: &'a Client,
    matched: &'a [Key],
    strength: Strength,
}

/// Says whose the record of `connection` is. `candidates` hold keys of it; each stands for itself.
pub fn decide(rules: &Rules, connection: &Slug, change: &ClientChange, candidates: &[Candidate<'_>]) -> Decision {
    let mut candidates: Vec<&Candidate<'_>> = candidates.iter().collect();
    candidates.sort_by_key(|candidate| candidate.client.id);
    candidates.dedup_by_key(|candidate| candidate.client.id);
    let mut why = Vec::new();
    let mut fits: Vec<Fit<'_>> = Vec::new();
    for candidate in candidates {
        match judge(rules, connection, change, candidate) {
            Ok(strength) => fits.push(Fit { client: candidate.client, matched: &candidate.matched, strength }),
            Err(veto) => why.push(veto),
        }
    }
    match fits.as_slice() {
        [] => new(rules, change, why),
        [only] => {
            evidence(only, &mut why);
            Decision::Same { client: only.client.id, why }
        }
        [oldest, others @ ..] => {
            for fit in &fits {
                evidence(fit, &mut why);
            }
            let Some(veto) = first_veto(rules, &fits) else {
                let losers = others.iter().map(|fit| fit.client.id).collect();
                return Decision::Merge { winner: oldest.client.id, losers, why };
            };
            why.push(veto);
            choose(change, &fits, why)
        }
    }
}

fn new(rules: &Rules, change: &ClientChange, mut why: Vec<Message>) -> Decision {
    let keys = keys(rules, change);
    why.extend(keys.shared.into_iter().map(|(_, reason)| reason));
    why.push(match keys.usable.is_empty() {
        true => Message::new("identity-no-keys"),
        false => Message::new("identity-nobody"),
    });
    Decision::New { why }
}

fn evidence(fit: &Fit<'_>, why: &mut Vec<Message>) {
    for key in fit.matched {
        let message = match key {
            Key::Foreign(kind, id) => Message::new("identity-same-foreign").with("kind", kind).with("id", id),
            Key::Inn(inn) => Message::new("identity-same-inn").with("inn", shown_inn(inn)),
            Key::Contact(point) => Message::new("identity-same-contact").with("contact", format!("{point:?}")),
        };
        why.push(message.with("client", fit.client.id));
    }
}

/// A company's ИНН is public; a person's is masked.
fn shown_inn(inn: &Inn) -> String {
    match inn.is_company() {
        true => inn.to_string(),
        false => format!("***{}", inn.0.get(inn.0.len().saturating_sub(3)..).unwrap_or("")),
    }
}

/// Whether the record may be of `candidate`, and how strongly; else why not.
fn judge(
    rules: &Rules,
    connection: &Slug,
    change: &ClientChange,
    candidate: &Candidate<'_>,
) -> Result<Strength, Message> {
    let client = candidate.client;
    // The same card is the same client, whatever was corrected in it.
    if candidate.matched.iter().any(|key| matches!(key, Key::Foreign(..))) {
        return Ok(Strength::Foreign);
    }
    let same_inn = candidate.matched.iter().any(|key| matches!(key, Key::Inn(_)));
    let cards_may_join = same_inn && rules.same_inn_joins_cards;
    if let Some(kind) = other_card(connection, change, client).filter(|_| !cards_may_join) {
        let veto = Message::new("identity-veto-card").with("client", client.id);
        return Err(veto.with("kind", kind).with("connection", connection));
    }
    if let (Some(told), Some(held)) = (&change.inn, &client.inn)
        && *told != held.value
    {
        return Err(Message::new("identity-veto-inn").with("client", client.id));
    }
    if same_inn {
        return Ok(Strength::Inn);
    }
    let points: Vec<&ContactPoint> = candidate.matched.iter().filter_map(contact).collect();
    if points.len() < 2 && !points.iter().any(|point| rules.alone.identifies(point)) {
        return Err(Message::new("identity-weak").with("client", client.id));
    }
    match (told_kind(change), known_kind(client)) {
        (Some(told), Some(held)) if told != held => Err(Message::new("identity-veto-kind").with("client", client.id)),
        (_, Some(ClientKind::Company)) => {
            let names = (company(change.name.as_ref()), company(held_name(client)));
            let known_inn = change.inn.is_some() && client.inn.is_some();
            match !known_inn && names_disagree(names) {
                true => Err(Message::new("identity-veto-names").with("client", client.id)),
                false => Ok(Strength::Contact),
            }
        }
        (_, Some(ClientKind::Person) | None) => Ok(Strength::Contact),
    }
}

fn contact(key: &Key) -> Option<&ContactPoint> {
    match key {
        Key::Contact(point) => Some(point),
        Key::Foreign(..) | Key::Inn(_) => None,
    }
}

/// The kind of which the client has a card in this connection that is not the record's.
fn other_card<'c>(connection: &Slug, change: &'c ClientChange, client: &Client) -> Option<&'c CompactString> {
    change.foreign.iter().map(|(kind, _)| kind).find(|kind| {
        let mut held = client.foreign.iter().filter(|(it, _)| it.connection == *connection && it.kind == **kind);
        let told = |id: &CompactString| change.foreign.iter().any(|(it, told)| it == *kind && told == id);
        let mut held_any = false;
        let agrees = held.any(|(it, _)| {
            held_any = true;
            told(&it.id)
        });
        held_any && !agrees
    })
}

/// What the record says it is about; `None` when it does not tell. The name of a person tells
/// nothing: forms of companies have one too.
fn told_kind(change: &ClientChange) -> Option<ClientKind> {
    let is_company = change.inn.as_ref().is_some_and(Inn::is_company) || company(change.name.as_ref()).is_some();
    change.kind.or(is_company.then_some(ClientKind::Company))
}

/// What the client is known to be. A client that has neither name nor ИНН is a person only until
/// something says otherwise.
fn known_kind(client: &Client) -> Option<ClientKind> {
    match client.kind {
        ClientKind::Company => Some(ClientKind::Company),
        ClientKind::Person if client.name.is_none() && client.inn.is_none() => None,
        ClientKind::Person => Some(ClientKind::Person),
    }
}

fn held_name(client: &Client) -> Option<&Name> {
    client.name.as_ref().map(|name| &name.value)
}

fn company(name: Option<&Name>) -> Option<&CompanyName> {
    match name? {
        Name::Company(company) => Some(company),
        Name::Person(_) => None,
    }
}

fn person(name: Option<&Name>) -> Option<&PersonName> {
    match name? {
        Name::Person(person) => Some(person),
        Name::Company(_) => None,
    }
}

fn names_disagree((left, right): (Option<&CompanyName>, Option<&CompanyName>)) -> bool {
    matches!((left, right), (Some(left), Some(right)) if folded(&left.bare) != folded(&right.bare))
}

/// For comparing names: lower case, `ё` as `е`, letters and digits only.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('ё', "е").chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Why these clients cannot be one; `None` when they can.
fn first_veto(rules: &Rules, fits: &[Fit<'_>]) -> Option<Message> {
    let pairs =
        fits.iter().enumerate().flat_map(|(index, left)| fits.iter().skip(index + 1).map(move |right| (left, right)));
    pairs.into_iter().find_map(|(left, right)| {
        let id = pair_veto(rules, left.client, right.client)?;
        Some(Message::new(id).with("left", left.client.id).with("right", right.client.id))
    })
}

fn pair_veto(rules: &Rules, left: &Client, right: &Client) -> Option<&'static str> {
    if left.not_same.contains(&right.id) || right.not_same.contains(&left.id) {
        return Some("identity-pair-not-same");
    }
    let inns = (left.inn.as_ref().map(|it| &it.value), right.inn.as_ref().map(|it| &it.value));
    let same_inn = match inns {
        (Some(left), Some(right)) if left != right => return Some("identity-pair-inn"),
        (Some(_), Some(_)) => true,
        (Some(_) | None, None) | (None, Some(_)) => false,
    };
    if !(same_inn && rules.same_inn_joins_cards) && two_cards(rules, left, right) {
        return Some("identity-pair-cards");
    }
    if same_inn {
        return None;
    }
    match (known_kind(left), known_kind(right)) {
        (Some(left), Some(right)) if left != right => Some("identity-pair-kind"),
        (Some(ClientKind::Company), Some(ClientKind::Company)) => {
            names_disagree((company(held_name(left)), company(held_name(right)))).then_some("identity-pair-names")
        }
        (Some(_) | None, Some(_) | None) => None,
    }
}

/// Whether both have a card of one kind in one system, and none in common.
fn two_cards(rules: &Rules, left: &Client, right: &Client) -> bool {
    let cards = left.foreign.iter().map(|(card, _)| card).filter(|card| !rules.several_cards.contains(&card.kind));
    cards.into_iter().any(|card| {
        let alike = |client: &Client| {
            let alike = client.foreign.iter().map(|(it, _)| it);
            let alike = alike.filter(|it| it.connection == card.connection && it.kind == card.kind);
            alike.map(|it| it.id.clone()).collect::<Vec<_>>()
        };
        let (left, right) = (alike(left), alike(right));
        !right.is_empty() && !left.iter().any(|id| right.contains(id))
    })
}

/// Takes one of several clients that must stay apart, when something speaks for one of them.
fn choose(change: &ClientChange, fits: &[Fit<'_>], mut why: Vec<Message>) -> Decision {
    let strongest = fits.iter().map(|fit| fit.strength).max().unwrap_or(Strength::Contact);
    let best: Vec<&Fit<'_>> = fits.iter().filter(|fit| fit.strength == strongest).collect();
    let chosen = only(&best, |_| true)
        .map(|client| (client, "identity-chosen-strongest"))
        .or_else(|| only(&best, |fit| same_unit(change, fit.client)).map(|it| (it, "identity-chosen-unit")))
        .or_else(|| only(&best, |fit| same_name(change, fit.client)).map(|it| (it, "identity-chosen-name")))
        .or_else(|| nameless_caller(change, &best).map(|it| (it, "identity-chosen-person")))
        .or_else(|| oldest_alike(&best).map(|it| (it, "identity-chosen-oldest")));
    match chosen {
        Some((client, reason)) => {
            why.push(Message::new(reason).with("client", client));
            Decision::Same { client, why }
        }
        None => Decision::Review { candidates: fits.iter().map(|fit| fit.client.id).collect(), why },
    }
}

fn only(fits: &[&Fit<'_>], speaks_for: impl Fn(&Fit<'_>) -> bool) -> Option<ClientId> {
    let mut found = fits.iter().filter(|fit| speaks_for(fit));
    match (found.next(), found.next()) {
        (Some(fit), None) => Some(fit.client.id),
        (Some(_) | None, Some(_)) | (None, None) => None,
    }
}

fn same_unit(change: &ClientChange, client: &Client) -> bool {
    let held = client.kpp.as_ref().map(|kpp| &kpp.value);
    change.inn.is_some() && held.is_some() && held == change.kpp.as_ref()
}

fn same_name(change: &ClientChange, client: &Client) -> bool {
    let (told, held) = (change.name.as_ref(), held_name(client));
    if let (Some(told), Some(held)) = (company(told), company(held)) {
        return folded(&told.bare) == folded(&held.bare);
    }
    let (Some(told), Some(held)) = (person(told), person(held)) else { return false };
    let agree = |left: &str, right: &str| folded(left) == folded(right);
    agree(&told.given, &held.given) && (agree(&told.surname, &held.surname) || told.surname.is_empty())
}

/// A record that does not tell its kind, at a phone that a person and his company both have: it is
/// a person who calls and writes.
fn nameless_caller(change: &ClientChange, best: &[&Fit<'_>]) -> Option<ClientId> {
    told_kind(change).is_none().then(|| only(best, |fit| fit.client.kind == ClientKind::Person))?
}

/// Several clients found by the very same keys (split by a person, or two cards with one ИНН):
/// another new client would not be clearer than the oldest of them.
fn oldest_alike(best: &[&Fit<'_>]) -> Option<ClientId> {
    let sorted = |fit: &Fit<'_>| {
        let mut keys = fit.matched.to_vec();
        keys.sort();
        keys
    };
    let first = best.first()?;
    let keys = sorted(first);
    best.iter().all(|fit| sorted(fit) == keys).then_some(first.client.id)
}
