//! Two clients become one, and two again.
//!
//! The loser's row stays as it was (for a split), points to its winner and keeps the winner as it
//! was just before. The winner takes what is the loser's by the same precedence as from any record;
//! contact points and foreign ids remember whose they were, those that come later too. A contact
//! point that two of the merged had is the winner's until one of them leaves.
//!
//! A split gives back what each had. What the winner learned after the merge stays with it, except
//! contact points and ids that came under a foreign id of the loser, and values of the loser that
//! were only told again: those go with the loser. Both are marked as not the
//! same, so that the next record does not merge them again. Merges are undone in any order, but a
//! field that passed through both of two losers is restored exactly only newest first.

use super::absorb::offer_name;
use crate::base::limits::{CONTACTS_MAX, EXTRA_FIELDS_MAX};
use crate::base::{ClientId, Position};
use crate::model::{Client, ClientKind, ClientState, Sourced, Standing};

/// Merges `loser` into `winner` by the entry at `at`.
pub fn merge(winner: &mut Client, loser: &mut Client, at: Position) {
    let mut before = winner.clone();
    // The winner's own past is in the rows of those that were merged into it.
    before.winner_before = None;
    loser.winner_before = Some(Box::new(before));
    loser.state = ClientState::MergedInto(winner.id, at);
    loser.version = at;

    take_fields(winner, loser);
    winner.known_since = winner.known_since.min(loser.known_since);
    winner.purchases = winner.purchases.saturating_add(loser.purchases);
    for held in &loser.contacts {
        let key = held.point.key();
        if let Some(known) = winner.contacts.iter_mut().find(|it| it.point.key() == key) {
            // It may have come with a third client, and must not leave with that one alone.
            known.origin = winner.id;
        } else if winner.contacts.len() < CONTACTS_MAX {
            // Bound: contacts above it stay in the loser's row.
            winner.contacts.push(held.clone());
        }
    }
    for (foreign, origin) in &loser.foreign {
        if !winner.foreign.iter().any(|(held, _)| held == foreign) {
            winner.foreign.push((foreign.clone(), *origin));
        }
    }
    winner.merged.push(loser.id);
    winner.merged.extend(&loser.merged);
    winner
        .not_same
        .extend(loser.not_same.iter().filter(|it| !winner.not_same.contains(it)).copied().collect::<Vec<_>>());
    for extra in &loser.extra {
        let known = winner.extra.iter().any(|(name, _)| *name == extra.0);
        if !known && winner.extra.len() < EXTRA_FIELDS_MAX {
            winner.extra.push(extra.clone());
        }
    }
    winner.version = at;
}

/// Undoes the merge of `loser` into `winner` by the entry at `at`. Does nothing when `loser` was not
/// merged into `winner`.
pub fn split(winner: &mut Client, loser: &mut Client, at: Position) {
    let was_merged = matches!(loser.state, ClientState::MergedInto(into, _) if into == winner.id);
    let Some(before) = loser.winner_before.take().filter(|_| was_merged) else { return };
    let mut family: Vec<ClientId> = vec![loser.id];
    family.extend(&loser.merged);

    let mut made = (*before).clone();
    take_fields(&mut made, loser);
    restore_fields(winner, &before, &made);
    restore_marks(winner, loser, &before, &made);
    let (theirs, ours): (Vec<_>, Vec<_>) =
        std::mem::take(&mut winner.contacts).into_iter().partition(|held| family.contains(&held.origin));
    winner.contacts = ours;
    for held in theirs {
        if !loser.contacts.iter().any(|it| it.point.key() == held.point.key()) && loser.contacts.len() < CONTACTS_MAX {
            loser.contacts.push(held);
        }
    }
    let (theirs, ours): (Vec<_>, Vec<_>) =
        std::mem::take(&mut winner.foreign).into_iter().partition(|(_, origin)| family.contains(origin));
    winner.foreign = ours;
    for foreign in theirs {
        if !loser.foreign.iter().any(|(held, _)| *held == foreign.0) {
            loser.foreign.push(foreign);
        }
    }
    winner.merged.retain(|it| !family.contains(it));
    restore_origins(winner, &before);
    winner.extra.retain(|extra| before.extra.contains(extra) || !loser.extra.contains(extra));
    loser.state = ClientState::Active;
    (winner.version, loser.version) = (at, at);
}

/// Contact points that both had are again of whom they were of; those of a third client that was
/// split off meanwhile have nobody left who has them.
fn restore_origins(winner: &mut Client, before: &Client) {
    for old in &before.contacts {
        let key = old.point.key();
        if let Some(held) = winner.contacts.iter_mut().find(|it| it.point.key() == key) {
            held.origin = old.origin;
        }
    }
    let (id, merged) = (winner.id, &winner.merged);
    winner.contacts.retain(|held| held.origin == id || merged.contains(&held.origin));
}

fn restore_marks(winner: &mut Client, loser: &mut Client, before: &Client, made: &Client) {
    let inn_says_company = winner.inn.as_ref().is_some_and(|inn| inn.value.is_company());
    if loser.kind == ClientKind::Company && !inn_says_company {
        winner.kind = before.kind;
    }
    if winner.standing == made.standing {
        winner.standing = before.standing;
    }
    if winner.known_since == loser.known_since {
        winner.known_since = before.known_since;
    }
    winner.purchases = winner.purchases.saturating_sub(loser.purchases);
    winner.not_same.retain(|it| before.not_same.contains(it) || !loser.not_same.contains(it));
    for (one, other) in [(&mut winner.not_same, loser.id), (&mut loser.not_same, winner.id)] {
        if !one.contains(&other) {
            one.push(other);
        }
    }
}

/// The loser's fields are offered to the winner like those of any record.
fn take_fields(winner: &mut Client, loser: &Client) {
    if loser.kind == ClientKind::Company {
        winner.kind = ClientKind::Company;
    }
    winner.standing = joint_standing(winner.standing, loser.standing);
    if let Some(name) = &loser.name {
        offer_name(&mut winner.name, name.clone(), winner.kind);
    }
    offer(&mut winner.inn, &loser.inn);
    offer(&mut winner.kpp, &loser.kpp);
    offer(&mut winner.ogrn, &loser.ogrn);
    offer(&mut winner.address, &loser.address);
    offer(&mut winner.responsible, &loser.responsible);
    offer(&mut winner.segment, &loser.segment);
    offer(&mut winner.decides, &loser.decides);
}

/// A mark beats the plain "client". Only spam does not: what was merged with spam is not hidden.
fn joint_standing(winner: Standing, loser: Standing) -> Standing {
    match (winner, loser) {
        (Standing::Client, Standing::Spam) => Standing::Client,
        (Standing::Client | Standing::Spam, told) => told,
        (Standing::Own | Standing::Supplier | Standing::Courier | Standing::Applicant, _) => winner,
    }
}

fn offer<T: Clone + PartialEq>(winner: &mut Option<Sourced<T>>, loser: &Option<Sourced<T>>) {
    if let Some(offered) = loser {
        Sourced::offer(winner, offered.clone());
    }
}

/// Each field that is still what the merge `made` of it becomes what it was `before`.
fn restore_fields(winner: &mut Client, before: &Client, made: &Client) {
    restore(&mut winner.name, &before.name, &made.name);
    restore(&mut winner.inn, &before.inn, &made.inn);
    restore(&mut winner.kpp, &before.kpp, &made.kpp);
    restore(&mut winner.ogrn, &before.ogrn, &made.ogrn);
    restore(&mut winner.address, &before.address, &made.address);
    restore(&mut winner.responsible, &before.responsible, &made.responsible);
    restore(&mut winner.segment, &before.segment, &made.segment);
    restore(&mut winner.decides, &before.decides, &made.decides);
}

/// The loser's value goes also when it was told again since (1C sends every card with each
/// exchange): an ИНН that stayed would tie the next record to both.
fn restore<T: Clone + PartialEq>(
    held: &mut Option<Sourced<T>>,
    before: &Option<Sourced<T>>,
    made: &Option<Sourced<T>>,
) {
    let value = |of: &Option<Sourced<T>>| of.as_ref().map(|it| it.value.clone());
    let is_theirs = value(held) == value(made) && value(before) != value(made);
    if is_theirs || *held == *made {
        held.clone_from(before);
    }
}
