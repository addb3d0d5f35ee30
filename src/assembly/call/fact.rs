//! What an exchange says, the same for all its dialects.

use compact_str::CompactString;

use crate::base::Timestamp;
use crate::decode::cdr::Row;

/// A channel as an event names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Leg {
    /// Names it: opaque, though it usually begins with the second of its creation.
    pub id: CompactString,
    /// `PJSIP/101-0000004e`.
    pub channel: CompactString,
    /// Names the call, as far as the exchange knows; empty before Asterisk 12.
    pub linked: CompactString,
    /// Number of who speaks over it.
    pub number: CompactString,
    /// His name.
    pub name: CompactString,
    /// What was dialled over it.
    pub exten: CompactString,
}

/// One thing that took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When, by the clock of the exchange, where it tells.
    pub at: Option<Timestamp>,
    /// Names the call; empty: the channel tells.
    pub linked: CompactString,
    /// Its place among what came with it.
    pub place: u32,
    /// What.
    pub kind: FactKind,
}

/// What took place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// A channel came to be.
    Born(Leg),
    /// A channel is there, or says what it is now.
    Seen(Leg),
    /// A number is being called; without `from`, by the exchange itself.
    DialBegin {
        /// Who calls.
        from: Option<Leg>,
        /// The channel that rings.
        to: Leg,
        /// What was dialled.
        dialled: CompactString,
    },
    /// The calling is over.
    DialEnd {
        /// The channel that rang.
        to: Leg,
        /// `ANSWER`, `BUSY`, `CANCEL`, `NOANSWER`, ...
        status: CompactString,
    },
    /// A channel joined others.
    Enter {
        /// Names the bridge.
        bridge: u64,
        /// Who.
        leg: Leg,
    },
    /// A channel left others.
    Leave {
        /// Names the bridge.
        bridge: u64,
        /// Who.
        leg: Leg,
    },
    /// Two halves of a Local channel.
    Pair(Leg, Leg),
    /// Two channels are of one call: a pickup, a transfer of the old dialect.
    Meet(Leg, Leg),
    /// Two channels speak with each other (the old dialect has no bridges).
    Together(Leg, Leg),
    /// They no longer do.
    Apart(Leg, Leg),
    /// Two calls are one: an attended transfer.
    Merge(CompactString, CompactString),
    /// A channel is gone.
    Hangup {
        /// Which.
        leg: Leg,
        /// Why, by the numbers of Q.850.
        cause: u16,
    },
    /// A caller waits in a queue.
    Queue {
        /// Who.
        leg: Leg,
        /// Its name.
        queue: CompactString,
    },
    /// The talk is recorded.
    Recording {
        /// Where.
        leg: Leg,
        /// Name of the file.
        file: CompactString,
    },
    /// The dialplan named the line that was dialled.
    Dialled {
        /// Where.
        leg: Leg,
        /// The number.
        number: CompactString,
    },
    /// A channel variable was set.
    Variable {
        /// Where.
        leg: Leg,
        /// Its name.
        name: CompactString,
        /// Its value.
        value: CompactString,
    },
    /// An entry of the event log, with the time that it tells (seconds, read as UTC).
    Logged {
        /// Which.
        what: Logged,
        /// Where.
        leg: Leg,
        /// When, in the zone of the exchange.
        local_s: i64,
    },
    /// A billing row.
    Row(Box<Row>),
    /// A link was opened: what took place before, since the one before was lost, is unknown.
    Opened,
    /// The link is lost.
    Lost,
    /// A channel is there now, says the list that was asked for.
    Live(Leg),
    /// The list is whole.
    LiveEnd,
}

impl FactKind {
    /// The channel that it is about: of a dialling the one that dials, where there is one.
    pub(super) fn leg(&self) -> Option<&Leg> {
        match self {
            FactKind::Born(leg)
            | FactKind::Seen(leg)
            | FactKind::Live(leg)
            | FactKind::DialBegin { from: Some(leg), .. }
            | FactKind::DialBegin { from: None, to: leg, .. }
            | FactKind::DialEnd { to: leg, .. }
            | FactKind::Enter { leg, .. }
            | FactKind::Leave { leg, .. }
            | FactKind::Pair(leg, _)
            | FactKind::Meet(leg, _)
            | FactKind::Together(leg, _)
            | FactKind::Apart(leg, _)
            | FactKind::Hangup { leg, .. }
            | FactKind::Queue { leg, .. }
            | FactKind::Recording { leg, .. }
            | FactKind::Dialled { leg, .. }
            | FactKind::Variable { leg, .. }
            | FactKind::Logged { leg, .. } => Some(leg),
            FactKind::Merge(..) | FactKind::Row(_) | FactKind::Opened | FactKind::Lost | FactKind::LiveEnd => None,
        }
    }
}

/// Entries of the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logged {
    /// A channel came to be.
    Start,
    /// A channel joined others.
    Enter(u64),
    /// A channel left others.
    Leave(u64),
    /// A channel is gone.
    Hangup,
    /// The call is over.
    End,
}

impl Fact {
    /// What is said of the link, not of a call.
    pub fn of_link(kind: FactKind) -> Fact {
        Fact { at: None, linked: CompactString::default(), place: 0, kind }
    }

    /// What a billing row says.
    pub fn of_row(row: Row) -> Fact {
        let linked = if row.linkedid.is_empty() { row.uniqueid.clone() } else { row.linkedid.clone() };
        Fact { at: None, linked, place: 0, kind: FactKind::Row(Box::new(row)) }
    }

    /// Every text that could tell who took part.
    pub fn texts(&self) -> Vec<&CompactString> {
        fn of(leg: &Leg) -> [&CompactString; 3] {
            [&leg.number, &leg.name, &leg.exten]
        }
        match &self.kind {
            FactKind::DialBegin { from, to, dialled } => {
                from.iter().flat_map(of).chain(of(to)).chain([dialled]).collect()
            }
            FactKind::Pair(one, two)
            | FactKind::Meet(one, two)
            | FactKind::Together(one, two)
            | FactKind::Apart(one, two) => of(one).into_iter().chain(of(two)).collect(),
            FactKind::Variable { leg, value: text, .. }
            | FactKind::Dialled { leg, number: text }
            | FactKind::Recording { leg, file: text } => of(leg).into_iter().chain([text]).collect(),
            FactKind::Born(leg)
            | FactKind::Seen(leg)
            | FactKind::Live(leg)
            | FactKind::DialEnd { to: leg, .. }
            | FactKind::Enter { leg, .. }
            | FactKind::Leave { leg, .. }
            | FactKind::Hangup { leg, .. }
            | FactKind::Queue { leg, .. }
            | FactKind::Logged { leg, .. } => of(leg).to_vec(),
            FactKind::Row(row) => vec![&row.src, &row.dst, &row.userfield, &row.last_data],
            FactKind::Merge(..) | FactKind::Opened | FactKind::Lost | FactKind::LiveEnd => Vec::new(),
        }
    }

    /// The second in which the channel of this name was made, when its name tells.
    pub(super) fn epoch_s(id: &str) -> Option<i64> {
        let number = id.rsplit('-').next()?.split('.').next()?;
        (number.len() == 10).then(|| number.parse().ok()).flatten()
    }
}
