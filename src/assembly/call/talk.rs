//! Who spoke with whom, and for how long: bridges over time.
//!
//! A Local channel is two halves, each in a bridge of its own: through it the bridges are one room.
//! At each moment the rooms are known; somebody talks while an outside party and an employee are in
//! the same room.

use std::collections::BTreeMap;

use super::state::Call;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Talk {
    /// How long anybody spoke, ms.
    pub ms: i64,
    /// When the first talk began, ms.
    pub since: Option<i64>,
    /// Employees who spoke, in order (places in `channels`).
    pub people: Vec<usize>,
}

/// Talk between `outside` and `people` (by place in `channels`).
pub(super) fn between(call: &Call, outside: &[bool], people: &[bool]) -> Talk {
    struct Turn {
        order: u64,
        ms: i64,
        stay: usize,
        enters: bool,
    }
    let mut talk = Talk::default();
    let place: BTreeMap<&str, usize> = call.channels.iter().enumerate().map(|(at, it)| (it.id.as_str(), at)).collect();
    let mut turns = Vec::with_capacity(call.stays.len() * 2);
    for (stay, it) in call.stays.iter().enumerate() {
        turns.push(Turn { order: it.enter.0, ms: it.enter.1.ms, stay, enters: true });
        let gone = place.get(it.id.as_str()).and_then(|at| call.channels[*at].until);
        let leave = it.leave.or(gone.map(|moment| (u64::MAX, moment)));
        if let Some((order, moment)) = leave {
            turns.push(Turn { order, ms: moment.ms, stay, enters: false });
        }
    }
    turns.sort_by_key(|it| it.order);
    let mut present: Vec<usize> = Vec::new();
    let mut talking_since: Option<i64> = None;
    for turn in turns {
        match turn.enters {
            true => present.push(turn.stay),
            false => present.retain(|it| *it != turn.stay),
        }
        let rooms = rooms(call, &present, &place);
        let is_in = |wanted: &[bool], room: u64| {
            rooms.iter().any(|(at, it)| *it == room && wanted.get(*at).copied().unwrap_or(false))
        };
        let spoken: Vec<usize> = rooms
            .iter()
            .filter(|(at, room)| people.get(*at).copied().unwrap_or(false) && is_in(outside, *room))
            .map(|(at, _)| *at)
            .collect();
        match (talking_since, spoken.is_empty()) {
            (None, false) => talking_since = Some(turn.ms),
            (Some(since), true) => {
                talk.ms += (turn.ms - since).max(0);
                talking_since = None;
            }
            (None, true) | (Some(_), false) => {}
        }
        if !spoken.is_empty() {
            talk.since.get_or_insert(turn.ms);
        }
        for at in spoken {
            if talk.people.last() != Some(&at) {
                talk.people.push(at);
            }
        }
    }
    talk
}

/// The room of each channel that is in one: (place of the channel, room).
fn rooms(call: &Call, present: &[usize], place: &BTreeMap<&str, usize>) -> Vec<(usize, u64)> {
    let mut rooms: Vec<(usize, u64)> = present
        .iter()
        .filter_map(|stay| {
            let stay = &call.stays[*stay];
            Some((*place.get(stay.id.as_str())?, stay.bridge))
        })
        .collect();
    for (one, two) in &call.pairs {
        let room_of = |id: &str| {
            let at = place.get(id)?;
            rooms.iter().find(|(channel, _)| channel == at).map(|(_, room)| *room)
        };
        if let (Some(left), Some(right)) = (room_of(one), room_of(two)) {
            rooms.iter_mut().filter(|(_, room)| *room == right).for_each(|(_, room)| *room = left);
        }
    }
    rooms
}
