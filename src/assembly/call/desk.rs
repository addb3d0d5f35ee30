//! Finds the call that a fact belongs to, and says when there is something to tell.
//!
//! Calls lie on a [`Shelf`] under their `Linkedid`; other names of the same call (its channels, the
//! `Linkedid` that it lost, Local channels of its rows) point to it. One more slot, under the empty
//! name, is of the link itself.

use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};

use super::fact::{Fact, FactKind};
use super::lines::local_pair;
use super::state::Call;
use crate::base::limits::{CALL_MERGES_MAX, CALLS_OPEN_MAX};
use crate::base::{ItemRef, Timestamp};

/// What lies under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slot {
    /// A call.
    Call(Box<Call>),
    /// Another name of this call, and since when.
    Of(CompactString, Timestamp),
    /// The link.
    Link(Link),
}

/// What is known of the link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Link {
    /// How many times it was opened.
    pub session: u32,
    /// Whether it is lost now.
    pub lost: bool,
    /// Calls that are not over, sorted.
    pub open: Vec<CompactString>,
}

/// Where calls lie while they are put together.
pub trait Shelf {
    /// Why it fails.
    type Error;
    /// Takes the slot off; it is put back, or is gone.
    fn take(&mut self, name: &str) -> Result<Option<Slot>, Self::Error>;
    /// Puts a slot.
    fn put(&mut self, name: &str, slot: Slot) -> Result<(), Self::Error>;
}

/// Puts facts together on a shelf.
#[derive(Debug)]
pub struct Desk<'s, S> {
    shelf: &'s mut S,
    /// The record being taken.
    pub record: ItemRef,
    /// When it came.
    pub received: Timestamp,
    link: Option<Link>,
    link_changed: bool,
}

impl<'s, S: Shelf> Desk<'s, S> {
    /// For facts that came in `record` at `received`.
    pub fn new(shelf: &'s mut S, record: ItemRef, received: Timestamp) -> Desk<'s, S> {
        Desk { shelf, record, received, link: None, link_changed: false }
    }

    /// Takes facts, in order; the names of calls that may have something new to tell.
    pub fn take(&mut self, facts: Vec<Fact>) -> Result<Vec<CompactString>, S::Error> {
        let mut ready: Vec<CompactString> = Vec::new();
        // The call at hand: runs of facts are of one.
        let mut at_hand: Option<Call> = None;
        for fact in facts {
            match &fact.kind {
                FactKind::Opened => {
                    let link = self.link_mut()?;
                    link.session += 1;
                    link.lost = false;
                    continue;
                }
                FactKind::Lost => {
                    self.link_mut()?.lost = true;
                    self.put_back(at_hand.take(), &mut ready)?;
                    ready.extend(self.lost()?);
                    continue;
                }
                FactKind::LiveEnd => {
                    self.put_back(at_hand.take(), &mut ready)?;
                    ready.extend(self.only_live()?);
                    continue;
                }
                FactKind::Merge(first, second) => {
                    self.put_back(at_hand.take(), &mut ready)?;
                    let (first, second) = (first.clone(), second.clone());
                    at_hand = self.merged(&first, &second)?;
                    continue;
                }
                _ => {}
            }
            let mut call = match at_hand.take() {
                Some(call) if belongs(&call, &fact) => call,
                before => {
                    self.put_back(before, &mut ready)?;
                    self.call_of(&fact)?
                }
            };
            for other in self.meets(&call, &fact)? {
                call = self.join(call, other)?;
            }
            let session = self.link()?.session;
            call.take(fact, self.record, self.received, session);
            at_hand = Some(call);
        }
        self.put_back(at_hand, &mut ready)?;
        if let (Some(link), true) = (self.link.take(), self.link_changed) {
            self.shelf.put("", Slot::Link(link))?;
        }
        Ok(ready)
    }

    fn link(&mut self) -> Result<&mut Link, S::Error> {
        if self.link.is_none() {
            let link = match self.shelf.take("")? {
                Some(Slot::Link(link)) => {
                    // It is put back at the end only when it changed.
                    self.shelf.put("", Slot::Link(link.clone()))?;
                    link
                }
                Some(Slot::Call(_) | Slot::Of(..)) | None => Link::default(),
            };
            self.link = Some(link);
        }
        Ok(self.link.get_or_insert_default())
    }

    fn link_mut(&mut self) -> Result<&mut Link, S::Error> {
        self.link_changed = true;
        self.link()
    }

    /// The call of this name, taken off the shelf.
    fn find(&mut self, name: &str) -> Result<Option<Call>, S::Error> {
        let mut name = CompactString::from(name);
        // Bound: a call was merged no oftener than this.
        for _ in 0..CALL_MERGES_MAX {
            match self.shelf.take(&name)? {
                Some(Slot::Call(call)) => return Ok(Some(*call)),
                Some(Slot::Of(next, since)) => {
                    self.shelf.put(&name, Slot::Of(next.clone(), since))?;
                    name = next;
                }
                Some(slot @ Slot::Link(_)) => {
                    self.shelf.put(&name, slot)?;
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn call_of(&mut self, fact: &Fact) -> Result<Call, S::Error> {
        for name in asked(fact) {
            if let Some(call) = self.find(&name)? {
                return Ok(call);
            }
        }
        if let FactKind::Row(row) = &fact.kind {
            for channel in [&row.channel, &row.dst_channel] {
                let Some(pair) = local_pair(channel) else { continue };
                let Some(call) = self.find(&pair_name(pair))? else { continue };
                if is_near(&call, &row.uniqueid) {
                    return Ok(call);
                }
                self.put_call(call)?;
            }
        }
        let linked = asked(fact).next().unwrap_or_default();
        let session = self.link()?.session;
        Ok(Call::new(linked, self.record, self.received, session))
    }

    /// Other calls that turn out to be this one.
    fn meets(&mut self, call: &Call, fact: &Fact) -> Result<Vec<Call>, S::Error> {
        let mut others: Vec<CompactString> = Vec::new();
        let mut want = |name: &CompactString| {
            if !name.is_empty() && *name != call.linked && !call.names().any(|it| it == name) {
                others.push(name.clone());
            }
        };
        match &fact.kind {
            // A channel is told under another call than before.
            FactKind::Enter { leg, .. } | FactKind::Leave { leg, .. } | FactKind::Hangup { leg, .. } => {
                want(&leg.id);
                want(&leg.linked);
            }
            FactKind::DialBegin { from, to, .. } => {
                if let Some(from) = from {
                    want(&from.id);
                }
                want(&to.id);
            }
            FactKind::Pair(one, two)
            | FactKind::Meet(one, two)
            | FactKind::Together(one, two)
            | FactKind::Apart(one, two) => {
                for leg in [one, two] {
                    want(&leg.id);
                    want(&leg.linked);
                }
            }
            FactKind::Row(row) => {
                want(&row.uniqueid);
                for channel in [&row.channel, &row.dst_channel] {
                    if let Some(pair) = local_pair(channel) {
                        others.push(pair_name(pair));
                    }
                }
            }
            _ => {}
        }
        let mut met = Vec::new();
        for name in others {
            let Some(other) = self.find(&name)? else { continue };
            let is_row = matches!(&fact.kind, FactKind::Row(row) if !is_near(&other, &row.uniqueid));
            if other.linked == call.linked || is_row {
                self.put_call(other)?;
                continue;
            }
            met.push(other);
        }
        Ok(met)
    }

    /// Two calls as one; the older name stays.
    fn join(&mut self, one: Call, two: Call) -> Result<Call, S::Error> {
        let older = |call: &Call| (call.born, call.linked.clone());
        let (mut kept, gone) = if older(&one) <= older(&two) { (one, two) } else { (two, one) };
        self.shelf.put(&gone.linked, Slot::Of(kept.linked.clone(), self.received))?;
        self.close(&gone.linked.clone())?;
        kept.absorb(gone);
        Ok(kept)
    }

    fn merged(&mut self, first: &str, second: &str) -> Result<Option<Call>, S::Error> {
        let one = self.find(first)?;
        let two = match first == second {
            true => None,
            false => self.find(second)?,
        };
        match (one, two) {
            (Some(one), Some(two)) => self.join(one, two).map(Some),
            (Some(call), None) => {
                if !second.is_empty() && call.linked != second {
                    self.shelf.put(second, Slot::Of(call.linked.clone(), self.received))?;
                }
                Ok(Some(call))
            }
            (None, Some(call)) => {
                if !first.is_empty() && call.linked != first {
                    self.shelf.put(first, Slot::Of(call.linked.clone(), self.received))?;
                }
                Ok(Some(call))
            }
            (None, None) => Ok(None),
        }
    }

    fn put_call(&mut self, call: Call) -> Result<(), S::Error> {
        let name = call.linked.clone();
        self.shelf.put(&name, Slot::Call(Box::new(call)))
    }

    /// Puts the call back, with every name of it.
    fn put_back(&mut self, call: Option<Call>, ready: &mut Vec<CompactString>) -> Result<(), S::Error> {
        let Some(call) = call else { return Ok(()) };
        let names: Vec<CompactString> =
            call.names().cloned().chain(call.local_pairs().map(pair_name)).filter(|it| !it.is_empty()).collect();
        for name in names {
            if name == call.linked {
                continue;
            }
            match self.shelf.take(&name)? {
                Some(Slot::Of(of, since)) if of == call.linked => self.shelf.put(&name, Slot::Of(of, since))?,
                Some(slot @ Slot::Call(_)) => self.shelf.put(&name, slot)?,
                Some(Slot::Of(..) | Slot::Link(_)) | None => {
                    self.shelf.put(&name, Slot::Of(call.linked.clone(), self.received))?;
                }
            }
        }
        let link = self.link()?;
        let unseen = link.lost || call.session < link.session;
        let over = call.is_over() || (call.has_rows() && (call.channels.is_empty() || unseen));
        let listed = link.open.binary_search(&call.linked);
        match (over, listed) {
            (true, Ok(_)) => self.close(&call.linked.clone())?,
            (false, Err(at)) if link.open.len() < CALLS_OPEN_MAX => {
                self.link_mut()?.open.insert(at, call.linked.clone());
            }
            (true, Err(_)) | (false, _) => {}
        }
        if over && !ready.contains(&call.linked) {
            ready.push(call.linked.clone());
        }
        self.put_call(call)
    }

    fn close(&mut self, name: &CompactString) -> Result<(), S::Error> {
        if let Ok(at) = self.link()?.open.binary_search(name) {
            self.link_mut()?.open.remove(at);
        }
        Ok(())
    }

    /// The link is lost: of open calls whose rows are at hand the rows are believed.
    fn lost(&mut self) -> Result<Vec<CompactString>, S::Error> {
        let mut ready = Vec::new();
        for name in self.link()?.open.clone() {
            let Some(mut call) = self.find(&name)? else { continue };
            call.holed = true;
            self.put_back(Some(call), &mut ready)?;
        }
        Ok(ready)
    }

    /// The list of live channels is whole: calls without one are over.
    fn only_live(&mut self) -> Result<Vec<CompactString>, S::Error> {
        let mut ready = Vec::new();
        let session = self.link()?.session;
        for name in self.link()?.open.clone() {
            let Some(mut call) = self.find(&name)? else { continue };
            call.only_live(session, self.received);
            self.put_back(Some(call), &mut ready)?;
        }
        Ok(ready)
    }
}

/// Names under which the call of a fact may lie, the likeliest first.
fn asked(fact: &Fact) -> impl Iterator<Item = CompactString> {
    let mut names = vec![fact.linked.clone()];
    names.extend(fact.kind.leg().map(|leg| leg.id.clone()));
    if let FactKind::Row(row) = &fact.kind {
        names.push(row.uniqueid.clone());
    }
    names.into_iter().filter(|it| !it.is_empty())
}

/// Whether the fact is of the call at hand, by its name.
fn belongs(call: &Call, fact: &Fact) -> bool {
    match fact.linked.is_empty() {
        false => fact.linked == call.linked,
        true => asked(fact).any(|name| call.names().any(|it| *it == name)),
    }
}

/// Local channels are numbered anew when the exchange starts again: a row is of the call only when
/// both are of about the same time.
fn is_near(call: &Call, uniqueid: &str) -> bool {
    let near = |it: &CompactString| match (Fact::epoch_s(it), Fact::epoch_s(uniqueid)) {
        (Some(left), Some(right)) => left.abs_diff(right) <= 4 * 3_600,
        (None, _) | (_, None) => true,
    };
    call.names().any(near)
}

fn pair_name(pair: &str) -> CompactString {
    format_compact!("local:{pair}")
}
