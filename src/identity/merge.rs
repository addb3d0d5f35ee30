//! Two clients become one, and two again.
//!
//! The loser's row stays as it was (for a split), points to its winner and keeps the winner as it
//! was just before. The winner takes what is the loser's by the same precedence as from any record;
//! contact points and foreign ids remember whose they were, those that come later too.
//!
//! A split gives back what each had. What the winner learned after the merge stays with it, except
//! what came under a foreign id of the loser: that goes with the loser. Both are marked as not the
//! same, so that the next record does not merge them again. Merges are undone in any order, but a
//! field that passed through both of two losers is restored exactly only newest first.

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

    each_field(winner, loser, &mut Offer);
    if loser.kind == ClientKind::Company {
        winner.kind = ClientKind::Company;
    }
    if winner.standing == Standing::Client {
        winner.standing = loser.standing;
    }
    winner.known_since = winner.known_since.min(loser.known_since);
    winner.purchases = winner.purchases.saturating_add(loser.purchases);
    for held in &loser.contacts {
        let known = winner.contacts.iter().any(|it| it.point.key() == held.point.key());
        // Bound: contacts above it stay in the loser's row.
        if !known && winner.contacts.len() < CONTACTS_MAX {
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

    each_field(winner, loser, &mut Restore { before: &before });
    restore_marks(winner, loser, &before);
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
    winner.extra.retain(|extra| before.extra.contains(extra) || !loser.extra.contains(extra));
    loser.state = ClientState::Active;
    (winner.version, loser.version) = (at, at);
}

fn restore_marks(winner: &mut Client, loser: &mut Client, before: &Client) {
    let inn_says_company = winner.inn.as_ref().is_some_and(|inn| inn.value.is_company());
    if loser.kind == ClientKind::Company && !inn_says_company {
        winner.kind = before.kind;
    }
    if winner.standing == loser.standing {
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

/// What is done with one field of the winner and the same of the loser.
trait EachField {
    fn field<T: Clone + PartialEq>(
        &mut self,
        winner: &mut Option<Sourced<T>>,
        loser: &Option<Sourced<T>>,
        of: fn(&Client) -> &Option<Sourced<T>>,
    );
}

/// All fields that have a provenance, in one place.
fn each_field(winner: &mut Client, loser: &Client, each: &mut impl EachField) {
    each.field(&mut winner.name, &loser.name, |it| &it.name);
    each.field(&mut winner.inn, &loser.inn, |it| &it.inn);
    each.field(&mut winner.kpp, &loser.kpp, |it| &it.kpp);
    each.field(&mut winner.ogrn, &loser.ogrn, |it| &it.ogrn);
    each.field(&mut winner.address, &loser.address, |it| &it.address);
    each.field(&mut winner.responsible, &loser.responsible, |it| &it.responsible);
    each.field(&mut winner.segment, &loser.segment, |it| &it.segment);
    each.field(&mut winner.decides, &loser.decides, |it| &it.decides);
}

/// The loser's value is offered like that of any record.
struct Offer;

impl EachField for Offer {
    fn field<T: Clone + PartialEq>(
        &mut self,
        winner: &mut Option<Sourced<T>>,
        loser: &Option<Sourced<T>>,
        _of: fn(&Client) -> &Option<Sourced<T>>,
    ) {
        if let Some(offered) = loser {
            Sourced::offer(winner, offered.clone());
        }
    }
}

/// What came from the loser, value and witness, gives way to what stood there before.
struct Restore<'a> {
    before: &'a Client,
}

impl EachField for Restore<'_> {
    fn field<T: Clone + PartialEq>(
        &mut self,
        winner: &mut Option<Sourced<T>>,
        loser: &Option<Sourced<T>>,
        of: fn(&Client) -> &Option<Sourced<T>>,
    ) {
        let is_theirs = match (&*winner, loser) {
            (Some(held), Some(theirs)) => held.value == theirs.value && held.provenance == theirs.provenance,
            (None, _) | (_, None) => false,
        };
        if is_theirs {
            *winner = of(self.before).clone();
        }
    }
}
