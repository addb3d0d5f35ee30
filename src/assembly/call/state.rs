//! What is known of one call so far.
//!
//! Times stand on the clock of the exchange. Where it does not tell the time of what takes place, it
//! is the time of receipt less what the two clocks differ by, measured when a channel was born:
//! names of channels begin with the second of their birth.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::fact::{Fact, FactKind, Leg, Logged};
use super::lines::local_pair;
use crate::base::limits::{CALL_CHANNELS_MAX, CALL_ROWS_MAX, CALL_STAYS_MAX, CALL_VARIABLES_MAX};
use crate::base::{ItemRef, Timestamp};
use crate::decode::cdr::Row;

/// Clocks that differ by less than this count as one, ms.
const SKEW_MS_MIN: i64 = 60_000;

/// When, and whether the exchange itself said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moment {
    pub ms: i64,
    pub told: bool,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Channel {
    pub id: CompactString,
    pub name: CompactString,
    /// Whether its birth was seen.
    pub born: bool,
    pub from: Moment,
    pub until: Option<Moment>,
    pub cause: u16,
    /// Number of who speaks, as it was first told.
    pub number: CompactString,
    /// The same as it was told last: what the other side is shown.
    pub shown: CompactString,
    pub caller: CompactString,
    pub exten: CompactString,
    /// The connection to the exchange in which it was last seen.
    pub session: u32,
}

/// A number was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dial {
    pub from: CompactString,
    pub to: CompactString,
    pub dialled: CompactString,
    pub status: CompactString,
}

/// A channel in a bridge. Order is that of the events in the journal; times may be told later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stay {
    pub bridge: u64,
    pub id: CompactString,
    pub enter: (u64, Moment),
    pub leave: Option<(u64, Moment)>,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its name at the exchange.
    pub linked: CompactString,
    /// The record that told of it first: what is made of it has its id from there.
    pub born: ItemRef,
    /// When something was last told of it, by our clock.
    pub touched: Timestamp,
    pub(super) session: u32,
    /// Whether something may have taken place unseen.
    pub(super) holed: bool,
    pub(super) ended: bool,
    /// Our clock less that of the exchange, ms, where they differ.
    pub(super) skew_ms: i64,
    pub(super) skewed: bool,
    /// Time of day at the exchange less UTC, s.
    pub(super) zone_s: Option<i32>,
    /// Place in the journal of what is being taken.
    pub(super) order: u64,
    pub(super) channels: Vec<Channel>,
    pub(super) dials: Vec<Dial>,
    pub(super) stays: Vec<Stay>,
    pub(super) pairs: Vec<(CompactString, CompactString)>,
    pub(super) queue: CompactString,
    pub(super) did: CompactString,
    pub(super) recording: CompactString,
    pub(super) variables: Vec<(CompactString, CompactString)>,
    pub(super) rows: Vec<Row>,
    /// Names what people were told last.
    pub told: u64,
}

impl Call {
    /// A call of which nothing is known yet.
    pub fn new(linked: CompactString, born: ItemRef, at: Timestamp, session: u32) -> Call {
        Call {
            linked,
            born,
            touched: at,
            session,
            holed: false,
            ended: false,
            skew_ms: 0,
            skewed: false,
            zone_s: None,
            order: 0,
            channels: Vec::new(),
            dials: Vec::new(),
            stays: Vec::new(),
            pairs: Vec::new(),
            queue: CompactString::default(),
            did: CompactString::default(),
            recording: CompactString::default(),
            variables: Vec::new(),
            rows: Vec::new(),
            told: 0,
        }
    }

    /// Every name by which later facts may ask for it.
    pub fn names(&self) -> impl Iterator<Item = &CompactString> {
        self.channels.iter().map(|it| &it.id).chain(self.rows.iter().map(|it| &it.uniqueid))
    }

    /// Local channels of its billing rows, without their halves.
    pub fn local_pairs(&self) -> impl Iterator<Item = &str> {
        let of_rows = self.rows.iter().flat_map(|row| [&row.channel, &row.dst_channel]);
        of_rows.chain(self.channels.iter().map(|it| &it.name)).filter_map(|name| local_pair(name))
    }

    /// Every number that took part.
    pub fn numbers(&self) -> impl Iterator<Item = &CompactString> {
        let of_channels = self.channels.iter().flat_map(|it| [&it.number, &it.shown, &it.exten]);
        let of_dials = self.dials.iter().map(|it| &it.dialled);
        of_channels.chain(of_dials).chain(self.rows.iter().flat_map(|row| [&row.src, &row.dst]))
    }

    /// Whether every channel that was seen is gone.
    pub fn is_over(&self) -> bool {
        self.ended || (!self.channels.is_empty() && self.channels.iter().all(|it| it.until.is_some()))
    }

    /// Whether all of it was seen.
    pub(super) fn is_whole(&self) -> bool {
        !self.holed && self.is_over() && self.channels.iter().all(|it| it.born && it.until.is_some())
    }

    /// Whether billing rows are at hand.
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Takes a fact. `received`: when it came, by our clock.
    pub(super) fn take(&mut self, fact: Fact, record: ItemRef, received: Timestamp, session: u32) {
        self.touched = self.touched.max(received);
        if self.session != session {
            // The link was lost in between.
            self.holed |= !self.is_over();
            self.session = session;
        }
        let now = match fact.at {
            Some(at) => Moment { ms: at.0, told: true },
            None => Moment { ms: received.0 - self.skew_ms, told: false },
        };
        self.order = record.position.0 << 20 | u64::from(fact.place);
        match fact.kind {
            FactKind::Born(leg) => self.birth(leg, now, received, session),
            FactKind::Seen(leg) | FactKind::Live(leg) => {
                self.see(&leg, now, session);
            }
            FactKind::DialBegin { from, to, dialled } => {
                if let Some(from) = &from {
                    self.see(from, now, session);
                }
                self.see(&to, now, session);
                let from = from.map(|leg| leg.id).unwrap_or_default();
                let is_same = |it: &Dial| it.from == from && it.to == to.id;
                if self.dials.len() < CALL_STAYS_MAX && !self.dials.iter().any(is_same) {
                    self.dials.push(Dial { from, to: to.id, dialled, status: CompactString::default() });
                }
            }
            FactKind::DialEnd { to, status } => {
                let of_to = self.dials.iter().rposition(|it| it.to == to.id);
                // The old dialect names who called.
                let found =
                    of_to.or_else(|| self.dials.iter().rposition(|it| it.from == to.id && it.status.is_empty()));
                match found {
                    Some(at) => self.dials[at].status = status,
                    None if !to.linked.is_empty() => {
                        self.see(&to, now, session);
                    }
                    None => {}
                }
            }
            FactKind::Enter { bridge, leg } => {
                self.see(&leg, now, session);
                self.enter(bridge, &leg.id, now);
            }
            FactKind::Leave { bridge, leg } => {
                self.see(&leg, now, session);
                self.leave(bridge, &leg.id, now);
            }
            FactKind::Pair(one, two) => {
                self.see(&one, now, session);
                self.see(&two, now, session);
                let pair = (one.id, two.id);
                if self.pairs.len() < CALL_CHANNELS_MAX && !self.pairs.contains(&pair) {
                    self.pairs.push(pair);
                }
            }
            FactKind::Meet(one, two) => {
                self.see(&one, now, session);
                self.see(&two, now, session);
            }
            FactKind::Together(one, two) => {
                self.see(&one, now, session);
                self.see(&two, now, session);
                let bridge = self.talk_of(&one.id, &two.id);
                self.enter(bridge, &one.id, now);
                self.enter(bridge, &two.id, now);
            }
            FactKind::Apart(one, two) => {
                let bridge = self.talk_of(&one.id, &two.id);
                self.leave(bridge, &one.id, now);
                self.leave(bridge, &two.id, now);
            }
            FactKind::Hangup { leg, cause } => {
                if let Some(at) = self.see(&leg, now, session) {
                    let channel = &mut self.channels[at];
                    channel.cause = cause;
                    end(&mut channel.until, now);
                }
            }
            FactKind::Queue { leg, queue } => {
                self.see(&leg, now, session);
                self.queue = queue;
            }
            FactKind::Recording { leg, file } => {
                self.see(&leg, now, session);
                if !file.is_empty() {
                    self.recording = file;
                }
            }
            FactKind::Dialled { leg, number } => {
                self.see(&leg, now, session);
                self.did = number;
            }
            FactKind::Variable { leg, name, value } => {
                self.see(&leg, now, session);
                match self.variables.iter().position(|(held, _)| held.eq_ignore_ascii_case(&name)) {
                    Some(at) => self.variables[at].1 = value,
                    None if self.variables.len() < CALL_VARIABLES_MAX => self.variables.push((name, value)),
                    None => {}
                }
            }
            FactKind::Logged { what, leg, local_s } => self.logged(what, &leg, local_s),
            FactKind::Row(row) => {
                let is_same = |it: &Row| {
                    (&it.uniqueid, &it.channel, &it.dst_channel, it.start_s, &it.disposition)
                        == (&row.uniqueid, &row.channel, &row.dst_channel, row.start_s, &row.disposition)
                };
                if self.rows.len() < CALL_ROWS_MAX && !self.rows.iter().any(is_same) {
                    self.rows.push(*row);
                }
            }
            FactKind::Merge(..) | FactKind::Opened | FactKind::Lost | FactKind::LiveEnd => {}
        }
    }

    fn birth(&mut self, leg: Leg, now: Moment, received: Timestamp, session: u32) {
        let epoch = Fact::epoch_s(&leg.id).map(|seconds| seconds * 1_000);
        if let Some(epoch) = epoch.filter(|_| !self.skewed) {
            let skew = received.0 - epoch;
            self.skewed = true;
            self.skew_ms = if (-SKEW_MS_MIN..SKEW_MS_MIN).contains(&skew) { 0 } else { skew };
        }
        let now = epoch.map_or(now, |ms| Moment { ms, told: true });
        if let Some(at) = self.see(&leg, now, session) {
            let channel = &mut self.channels[at];
            channel.born = true;
            channel.from = now;
            if !leg.exten.is_empty() {
                channel.exten = leg.exten;
            }
        }
    }

    /// The channel, made when it is new; `None` at the bound.
    fn see(&mut self, leg: &Leg, now: Moment, session: u32) -> Option<usize> {
        let found = self.channels.iter().position(|it| it.id == leg.id);
        let at = match found {
            Some(at) => at,
            // Bound: a conference of more than this is told by its first channels.
            None if self.channels.len() >= CALL_CHANNELS_MAX => return None,
            None => {
                let epoch = Fact::epoch_s(&leg.id).map(|seconds| seconds * 1_000);
                self.channels.push(Channel {
                    id: leg.id.clone(),
                    name: leg.channel.clone(),
                    born: false,
                    from: epoch.map_or(now, |ms| Moment { ms, told: true }),
                    until: None,
                    cause: 0,
                    number: leg.number.clone(),
                    shown: CompactString::default(),
                    caller: CompactString::default(),
                    exten: leg.exten.clone(),
                    session,
                });
                self.channels.len() - 1
            }
        };
        let channel = &mut self.channels[at];
        channel.session = session;
        fill(&mut channel.name, &leg.channel);
        fill(&mut channel.number, &leg.number);
        fill(&mut channel.caller, &leg.name);
        fill(&mut channel.exten, &leg.exten);
        if !leg.number.is_empty() && channel.shown != leg.number {
            channel.shown.clone_from(&leg.number);
        }
        Some(at)
    }

    fn enter(&mut self, bridge: u64, id: &str, now: Moment) {
        let order = self.order;
        let last = self.stays.iter_mut().rev().find(|it| it.bridge == bridge && it.id == id);
        // The event log may tell of it before the event, and after the end of it.
        if let Some(stay) = last
            && (stay.leave.is_none() || (now.told && !stay.enter.1.told))
        {
            return sharpen(&mut stay.enter.1, now);
        }
        if self.stays.len() < CALL_STAYS_MAX {
            self.stays.push(Stay { bridge, id: id.into(), enter: (order, now), leave: None });
        }
    }

    fn leave(&mut self, bridge: u64, id: &str, now: Moment) {
        let order = self.order;
        let Some(stay) = self.stays.iter_mut().rev().find(|it| it.bridge == bridge && it.id == id) else { return };
        match &mut stay.leave {
            Some((_, moment)) => sharpen(moment, now),
            slot @ None => *slot = Some((order, now)),
        }
    }

    /// The bridge of two channels in a dialect that has none.
    fn talk_of(&self, one: &str, two: &str) -> u64 {
        let place = |id: &str| self.channels.iter().position(|it| it.id == id).map_or(u32::MAX, |at| at as u32);
        let (one, two) = (place(one), place(two));
        u64::from(one.min(two)) << 32 | u64::from(one.max(two))
    }

    fn logged(&mut self, what: Logged, leg: &Leg, local_s: i64) {
        if let (Logged::Start, Some(epoch)) = (what, Fact::epoch_s(&leg.id)) {
            self.zone_s.get_or_insert(zone_of(local_s - epoch));
        }
        let Some(zone_s) = self.zone_s else { return };
        let now = Moment { ms: (local_s - i64::from(zone_s)) * 1_000, told: true };
        match what {
            Logged::Start => {}
            Logged::Enter(bridge) => self.enter(bridge, &leg.id, now),
            Logged::Leave(bridge) => self.leave(bridge, &leg.id, now),
            Logged::Hangup => {
                if let Some(channel) = self.channels.iter_mut().find(|it| it.id == leg.id) {
                    end(&mut channel.until, now);
                }
            }
            Logged::End => self.ended = true,
        }
    }

    /// The list of live channels is whole: whoever is not on it is gone, nobody knows when.
    pub(super) fn only_live(&mut self, session: u32, received: Timestamp) {
        let now = Moment { ms: received.0 - self.skew_ms, told: false };
        for channel in &mut self.channels {
            if channel.until.is_none() && channel.session != session {
                channel.until = Some(now);
                self.holed = true;
            }
        }
    }

    /// Joins what turned out to be the same call.
    pub(super) fn absorb(&mut self, other: Call) {
        self.born = self.born.min(other.born);
        self.touched = self.touched.max(other.touched);
        self.session = self.session.max(other.session);
        self.holed |= other.holed;
        self.ended = false;
        if !self.skewed {
            (self.skew_ms, self.skewed) = (other.skew_ms, other.skewed);
        }
        self.zone_s = self.zone_s.or(other.zone_s);
        self.order = self.order.max(other.order);
        for channel in other.channels {
            if let Some(known) = self.channels.iter_mut().find(|it| it.id == channel.id) {
                known.born |= channel.born;
                known.until = known.until.or(channel.until);
                fill(&mut known.name, &channel.name);
                fill(&mut known.number, &channel.number);
                fill(&mut known.exten, &channel.exten);
            } else if self.channels.len() < CALL_CHANNELS_MAX {
                self.channels.push(channel);
            }
        }
        self.channels.sort_by(|left, right| (left.from.ms, &left.id).cmp(&(right.from.ms, &right.id)));
        self.dials.extend(other.dials);
        self.stays.extend(other.stays);
        self.stays.truncate(CALL_STAYS_MAX);
        self.pairs.extend(other.pairs);
        fill(&mut self.queue, &other.queue);
        fill(&mut self.did, &other.did);
        fill(&mut self.recording, &other.recording);
        for variable in other.variables {
            if self.variables.len() < CALL_VARIABLES_MAX && !self.variables.iter().any(|it| it.0 == variable.0) {
                self.variables.push(variable);
            }
        }
        self.rows.extend(other.rows);
        self.rows.truncate(CALL_ROWS_MAX);
        if self.told == 0 {
            self.told = other.told;
        }
    }
}

/// Seconds that a zone differs from UTC by, when a time of day differs from UTC by `seconds`; zones
/// are whole quarters of an hour, and what is told of lies a little behind what is measured by.
pub(super) fn zone_of(seconds: i64) -> i32 {
    ((seconds + 120).div_euclid(900) * 900) as i32
}

fn fill(slot: &mut CompactString, told: &CompactString) {
    if slot.is_empty() && !told.is_empty() {
        slot.clone_from(told);
    }
}

/// What the exchange itself says of a time counts more than when we heard of it.
fn sharpen(slot: &mut Moment, now: Moment) {
    if now.told && !slot.told {
        *slot = now;
    }
}

fn end(slot: &mut Option<Moment>, now: Moment) {
    match slot {
        Some(moment) => sharpen(moment, now),
        None => *slot = Some(now),
    }
}
