//! One client of two, and back.
//!
//! The loser's row stays as it was and keeps a picture of the winner before the merge. A split is a
//! three-way comparison: the merge is made again from the picture and the loser, and each field of
//! the winner that still is what the merge made of it becomes what it was in the picture; a field
//! that changed since stays.

use super::absorb::offer_name;
use crate::base::limits::{CONTACTS_MAX, EXTRA_FIELDS_MAX};
use crate::base::{ClientId, Position};
use crate::model::{Client, ClientKind, ClientState, HeldContact, Sourced, Standing};

/// Makes one client of two: `loser` goes into `winner` and keeps its own fields for a split.
pub fn merge(winner: &mut Client, loser: &mut Client, at: Position) {
    let mut before = winner.clone();
    // A winner stands for itself, so it has no picture of its own: pictures do not nest.
    before.before_merge = None;
    take(winner, loser);
    winner.version = at;
    loser.state = ClientState::MergedInto(winner.id, at);
    loser.before_merge = Some(Box::new(before));
    loser.version = at;
}

/// Takes the merge of `loser` into `winner` back, and records that they are not the same.
pub fn split(winner: &mut Client, loser: &mut Client, at: Position) {
    if let Some(before) = loser.before_merge.take() {
        let mut made = (*before).clone();
        take(&mut made, loser);
        give_back(winner, &before, &made, loser);
    }
    winner.merged.retain(|id| *id != loser.id);
    mark_not_same(winner, loser.id);
    mark_not_same(loser, winner.id);
    loser.state = ClientState::Active;
    winner.version = at;
    loser.version = at;
}

fn mark_not_same(client: &mut Client, other: ClientId) {
    if !client.not_same.contains(&other) {
        client.not_same.push(other);
    }
}

/// Puts everything of `loser` into `winner`.
fn take(winner: &mut Client, loser: &Client) {
    if loser.kind == ClientKind::Company {
        winner.kind = ClientKind::Company;
    }
    winner.standing = joint_standing(winner.standing, loser.standing);
    winner.known_since = winner.known_since.min(loser.known_since);
    winner.purchases = winner.purchases.saturating_add(loser.purchases);
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
    take_contacts(winner, loser);
    for (card, _) in &loser.foreign {
        if !winner.foreign.iter().any(|(held, _)| held == card) {
            winner.foreign.push((card.clone(), loser.id));
        }
    }
    for id in &loser.not_same {
        if *id != winner.id && !winner.not_same.contains(id) {
            winner.not_same.push(*id);
        }
    }
    // Bound: what does not fit stays in the loser's row.
    for (name, value) in &loser.extra {
        if winner.extra.len() < EXTRA_FIELDS_MAX && !winner.extra.iter().any(|(held, _)| held == name) {
            winner.extra.push((name.clone(), value.clone()));
        }
    }
    winner.merged.push(loser.id);
}

fn offer<T: PartialEq + Clone>(slot: &mut Option<Sourced<T>>, offered: &Option<Sourced<T>>) {
    if let Some(offered) = offered {
        Sourced::offer(slot, offered.clone());
    }
}

/// Whatever is said of one of the two beats the plain "client"; spam is believed of neither unless
/// it is said of both.
fn joint_standing(winner: Standing, loser: Standing) -> Standing {
    match (winner, loser) {
        (Standing::Spam, told) | (Standing::Client, told) if told != Standing::Spam => told,
        (held, _) => held,
    }
}

fn take_contacts(winner: &mut Client, loser: &Client) {
    for theirs in &loser.contacts {
        let key = theirs.point.key();
        if let Some(held) = winner.contacts.iter_mut().find(|held| held.point.key() == key) {
            // It may have come with a third client; now two vouch for it, and it must not leave
            // with either of them alone.
            held.origin = winner.id;
        } else if winner.contacts.len() < CONTACTS_MAX {
            // Bound: what does not fit stays in the loser's row.
            winner.contacts.push(HeldContact { origin: loser.id, ..theirs.clone() });
        }
    }
}

/// Makes each field of `winner` that is still as `made` by the merge what it was `before`.
fn give_back(winner: &mut Client, before: &Client, made: &Client, loser: &Client) {
    restore(&mut winner.kind, &before.kind, &made.kind);
    restore(&mut winner.standing, &before.standing, &made.standing);
    restore(&mut winner.known_since, &before.known_since, &made.known_since);
    winner.purchases = match winner.purchases == made.purchases {
        true => before.purchases,
        false => winner.purchases.saturating_sub(loser.purchases),
    };
    restore_sourced(&mut winner.name, &before.name, &made.name);
    restore_sourced(&mut winner.inn, &before.inn, &made.inn);
    restore_sourced(&mut winner.kpp, &before.kpp, &made.kpp);
    restore_sourced(&mut winner.ogrn, &before.ogrn, &made.ogrn);
    restore_sourced(&mut winner.address, &before.address, &made.address);
    restore_sourced(&mut winner.responsible, &before.responsible, &made.responsible);
    restore_sourced(&mut winner.segment, &before.segment, &made.segment);
    restore_sourced(&mut winner.decides, &before.decides, &made.decides);
    give_back_contacts(winner, before, loser.id);
    winner.foreign.retain(|(_, origin)| *origin != loser.id);
    winner.not_same.retain(|id| before.not_same.contains(id) || !loser.not_same.contains(id));
    winner.extra.retain(|(name, value)| {
        let is_own = before.extra.iter().any(|(held, _)| held == name);
        is_own || !loser.extra.iter().any(|(held, theirs)| held == name && theirs == value)
    });
}

fn restore<T: PartialEq + Clone>(held: &mut T, before: &T, made: &T) {
    if *held == *made {
        held.clone_from(before);
    }
}

/// As [`restore`]; a value that the merge brought goes back also when it was told again since: it
/// is the loser's, and he has it.
fn restore_sourced<T: PartialEq + Clone>(
    held: &mut Option<Sourced<T>>,
    before: &Option<Sourced<T>>,
    made: &Option<Sourced<T>>,
) {
    let same_value = |left: &Option<Sourced<T>>, right: &Option<Sourced<T>>| {
        left.as_ref().map(|it| &it.value) == right.as_ref().map(|it| &it.value)
    };
    let merge_brought_it = same_value(held, made) && !same_value(before, made);
    if merge_brought_it || *held == *made {
        held.clone_from(before);
    }
}

fn give_back_contacts(winner: &mut Client, before: &Client, loser: ClientId) {
    winner.contacts.retain(|held| held.origin != loser);
    for old in &before.contacts {
        let key = old.point.key();
        if let Some(held) = winner.contacts.iter_mut().find(|held| held.point.key() == key) {
            held.origin = old.origin;
        }
    }
    // What came with a third client that was split off meanwhile has nobody left who vouches.
    let (id, merged) = (winner.id, winner.merged.clone());
    winner.contacts.retain(|held| held.origin == id || merged.contains(&held.origin));
}
