//! A call in the words of people.

use compact_str::{CompactString, ToCompactString};

use super::lines::{Lines, Place, dialled, is_hidden};
use super::state::{Call, Moment, zone_of};
use super::{Fact, talk};
use crate::base::Timestamp;
use crate::decode::cdr::Row;
use crate::model::Direction;
use crate::value::Value;

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Two people spoke.
    Answered,
    /// A client called and spoke with nobody.
    Missed,
    /// Who was called speaks with somebody else, or declined.
    Busy,
    /// Who was called did not answer.
    NoAnswer,
    /// Who called changed his mind.
    Cancelled,
    /// It did not come about.
    Failed,
}

impl Status {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Status::Answered => "answered",
            Status::Missed => "missed",
            Status::Busy => "busy",
            Status::NoAnswer => "no_answer",
            Status::Cancelled => "cancelled",
            Status::Failed => "failed",
        }
    }
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name at the exchange.
    pub id: CompactString,
    /// Every name by which its billing rows may come.
    pub names: Vec<CompactString>,
    /// Who called whom.
    pub direction: Direction,
    /// Number of the client; none: hidden, or there is no client.
    pub client_number: Option<CompactString>,
    /// His name, as the line gives it.
    pub client_name: Option<CompactString>,
    /// The number of ours that was called, or called from.
    pub company_number: Option<CompactString>,
    /// What came of it.
    pub status: Status,
    /// Who spoke last; of an outbound call, who called; else none.
    pub answered_by: Option<CompactString>,
    /// Who called, of a call within the company.
    pub from_extension: Option<CompactString>,
    /// How long people spoke, s.
    pub talk_s: u32,
    /// How long the client waited for a person, s.
    pub wait_s: Option<u32>,
    /// Employees who rang, in order.
    pub rang: Vec<CompactString>,
    /// The queue that he waited in.
    pub queue: Option<CompactString>,
    /// File of the recording.
    pub recording: Option<CompactString>,
    /// Channel variables.
    pub variables: Vec<(CompactString, CompactString)>,
    /// First ring.
    pub from: Timestamp,
    /// Last hangup.
    pub until: Timestamp,
    /// Whether a part of it was not seen and no billing row tells of it.
    pub holed: bool,
}

impl Told {
    /// The call as a record, for the mapping.
    pub fn to_value(&self) -> Value {
        let text = |it: &str| Value::Text(it.into());
        let optional = |it: &Option<CompactString>| it.as_deref().map_or(Value::Null, |it| Value::Text(it.into()));
        let number = |it: u32| Value::Number(it.to_compact_string());
        let direction = match self.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
            Direction::Internal => "internal",
        };
        let list = |it: &[CompactString]| Value::List(it.iter().map(|it| text(it)).collect());
        let members = [
            ("id", text(&self.id)),
            ("ids", list(&self.names)),
            ("direction", text(direction)),
            ("client_number", optional(&self.client_number)),
            ("client_name", optional(&self.client_name)),
            ("company_number", optional(&self.company_number)),
            ("status", text(self.status.name())),
            ("answered_by", optional(&self.answered_by)),
            ("from_extension", optional(&self.from_extension)),
            ("talk_s", number(self.talk_s)),
            ("wait_s", self.wait_s.map_or(Value::Null, number)),
            ("rang", list(&self.rang)),
            ("queue", optional(&self.queue)),
            ("recording", optional(&self.recording)),
            ("variables", Value::Map(self.variables.iter().map(|(name, it)| (name.clone(), text(it))).collect())),
            ("from", text(&self.from.to_string())),
            ("until", text(&self.until.to_string())),
            ("spoke_until", text(&self.from.plus_ms(i64::from(self.talk_s) * 1_000).to_string())),
            ("holed", Value::Bool(self.holed)),
        ];
        Value::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Call {
    /// The call in the words of people; `zone_s` is the zone of the exchange where its rows do not
    /// tell it. `None`: nothing is known but names.
    pub fn tell(&self, lines: &Lines, zone_s: i32) -> Option<Told> {
        let seen = (!self.channels.is_empty()).then(|| self.by_channels(lines)).flatten();
        let billed = (!self.rows.is_empty()).then(|| self.by_rows(lines, zone_s)).flatten();
        let mut told = match (seen, billed) {
            (Some(seen), None) => seen,
            (None, Some(billed)) => billed,
            (Some(seen), Some(billed)) if self.is_whole() => joined(seen, billed),
            (Some(seen), Some(billed)) => joined(billed, seen),
            (None, None) => return None,
        };
        told.holed = self.rows.is_empty() && !self.is_whole();
        Some(told)
    }

    fn instant(&self, moment: Moment) -> Timestamp {
        Timestamp(moment.ms + self.skew_ms)
    }

    fn by_channels(&self, lines: &Lines) -> Option<Told> {
        let places: Vec<Place> = self.channels.iter().map(|it| lines.place(&it.name)).collect();
        let is_person = |place: &Place| matches!(place, Place::Extension(_));
        let root = places.iter().position(|it| matches!(it, Place::Trunk | Place::Extension(_)))?;
        let has_trunk = places.contains(&Place::Trunk);
        let direction = match &places[root] {
            Place::Trunk => Direction::Inbound,
            _ if has_trunk => Direction::Outbound,
            _ => Direction::Internal,
        };
        let outside: Vec<bool> = places
            .iter()
            .enumerate()
            .map(|(at, place)| match direction {
                Direction::Inbound | Direction::Internal => at == root,
                Direction::Outbound => *place == Place::Trunk,
            })
            .collect();
        let people: Vec<bool> = places
            .iter()
            .enumerate()
            .map(|(at, place)| match direction {
                // A call that was forwarded to a mobile leaves the company by a trunk again.
                Direction::Inbound => at != root && (is_person(place) || *place == Place::Trunk),
                Direction::Internal => at != root && is_person(place),
                Direction::Outbound => is_person(place),
            })
            .collect();
        let talk = talk::between(self, &outside, &people);
        let dial_to = |id: &str| self.dials.iter().rev().find(|it| it.to == id);
        let name_of = |at: usize| match &places[at] {
            Place::Extension(name) => Some(name.clone()),
            Place::Trunk => dial_to(&self.channels[at].id).map(|it| dialled(&it.dialled).into()),
            Place::Local | Place::Other => None,
        };
        let mut rang: Vec<CompactString> = Vec::new();
        for dial in &self.dials {
            let at = self.channels.iter().position(|it| it.id == dial.to);
            let named = at.filter(|at| people[*at]).and_then(name_of);
            rang.extend(named.filter(|it| !rang.contains(it)));
        }
        let caller = &self.channels[root];
        let own = |number: &CompactString| !number.is_empty() && !lines.is_extension(number) && !is_hidden(number);
        let given = |number: &CompactString| own(number).then(|| number.clone());
        let (client_number, client_name, company_number) = match direction {
            Direction::Inbound => {
                let exten = Some(&caller.exten).filter(|it| own(it)).cloned();
                let did = if self.did.is_empty() { exten } else { Some(self.did.clone()) };
                let name = (!caller.caller.is_empty() && !is_hidden(&caller.number)).then(|| caller.caller.clone());
                ((!is_hidden(&caller.number)).then(|| caller.number.clone()), name, did)
            }
            Direction::Outbound => {
                let trunk = self.dials.iter().rev().find(|dial| {
                    let at = self.channels.iter().position(|it| it.id == dial.to);
                    at.is_some_and(|at| places[at] == Place::Trunk)
                });
                let number = trunk.map(|dial| dialled(&dial.dialled)).filter(|it| !is_hidden(it)).map(Into::into);
                let number = number.or_else(|| given(&caller.exten)).or_else(|| {
                    let at = places.iter().position(|it| *it == Place::Trunk)?;
                    given(&self.channels[at].shown)
                });
                (number, None, given(&caller.shown))
            }
            Direction::Internal => (None, None, None),
        };
        let status = match talk.people.last() {
            Some(_) => Status::Answered,
            None if direction == Direction::Inbound => Status::Missed,
            None => self.refusal(root),
        };
        let spoke = talk.people.last().copied();
        let answered_by = match direction {
            Direction::Inbound | Direction::Internal => spoke.and_then(name_of),
            Direction::Outbound => name_of(spoke.unwrap_or(root)),
        };
        let from = self.channels.iter().map(|it| it.from.ms).min()?;
        let until = self.channels.iter().filter_map(|it| it.until).map(|it| it.ms).max();
        let moment = |ms: i64| self.instant(Moment { ms, told: true });
        let rings = direction == Direction::Inbound;
        Some(Told {
            id: self.linked.clone(),
            names: self.all_names(),
            direction,
            client_number,
            client_name,
            company_number,
            status,
            answered_by,
            from_extension: (direction == Direction::Internal).then(|| name_of(root)).flatten(),
            talk_s: seconds(talk.ms),
            wait_s: talk.since.map(|since| seconds(since - from)),
            rang: if rings { rang } else { Vec::new() },
            queue: (!self.queue.is_empty()).then(|| self.queue.clone()),
            recording: (!self.recording.is_empty()).then(|| self.recording.clone()),
            variables: self.variables.clone(),
            from: moment(from),
            until: moment(until.unwrap_or(from).max(from)),
            holed: false,
        })
    }

    /// Why nobody spoke, of a call that we began.
    fn refusal(&self, root: usize) -> Status {
        let last = self.dials.iter().rev().find(|it| it.to != self.channels[root].id && !it.status.is_empty());
        let by_dial = match last.map(|it| it.status.as_str()) {
            Some("BUSY") => Some(Status::Busy),
            Some("NOANSWER") => Some(Status::NoAnswer),
            Some("CANCEL" | "ABORT") => Some(Status::Cancelled),
            Some("CHANUNAVAIL" | "CONGESTION") => Some(Status::Failed),
            Some(_) | None => None,
        };
        by_dial.unwrap_or_else(|| {
            let mut causes = self.channels.iter().map(|it| it.cause).filter(|it| *it > 0);
            match causes.next_back() {
                Some(17 | 21) => Status::Busy,
                Some(18..=20) => Status::NoAnswer,
                Some(0 | 16) | None => Status::Cancelled,
                Some(_) => Status::Failed,
            }
        })
    }

    fn all_names(&self) -> Vec<CompactString> {
        let mut names: Vec<CompactString> = self.names().filter(|it| !it.is_empty()).cloned().collect();
        names.push(self.linked.clone());
        names.sort();
        names.dedup();
        names
    }

    fn by_rows(&self, lines: &Lines, zone_s: i32) -> Option<Told> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        // Channels are numbered in the order of their birth.
        rows.sort_by(|left, right| {
            (left.start_s, number(&left.dst_channel)).cmp(&(right.start_s, number(&right.dst_channel)))
        });
        let outer = |row: &&&Row| !matches!(lines.place(&row.channel), Place::Local | Place::Other);
        let root: &Row =
            rows.iter().filter(outer).min_by_key(|row| (row.start_s, number(&row.channel))).or(rows.first())?;
        let calls = |place: &Place| rows.iter().any(|row| lines.place(&row.dst_channel) == *place);
        let direction = match lines.place(&root.channel) {
            Place::Trunk => Direction::Inbound,
            _ if calls(&Place::Trunk) => Direction::Outbound,
            _ => Direction::Internal,
        };
        let name_of = |channel: &str, row: &Row| match lines.place(channel) {
            Place::Extension(name) => Some(name),
            Place::Trunk => Some(dialled(row.last_data.split('&').next().unwrap_or_default()).into()),
            Place::Local | Place::Other => None,
        };
        let spoken: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| row.disposition.eq_ignore_ascii_case("ANSWERED") && row.bill_s > 0)
            .filter(|row| !row.dst_channel.is_empty() && lines.place(&row.dst_channel) != Place::Local)
            .collect();
        let last = spoken.last().copied();
        let mut rang: Vec<CompactString> = Vec::new();
        if direction == Direction::Inbound {
            for row in &rows {
                rang.extend(name_of(&row.dst_channel, row).filter(|it| !rang.contains(it)));
            }
        }
        let own = |number: &CompactString| {
            (!number.is_empty() && !lines.is_extension(number) && !is_hidden(number)).then(|| number.clone())
        };
        let out = rows.iter().find(|row| lines.place(&row.dst_channel) == Place::Trunk).copied().unwrap_or(root);
        let (client_number, company_number) = match direction {
            Direction::Inbound => ((!is_hidden(&root.src)).then(|| root.src.clone()), own(&root.dst)),
            Direction::Outbound => (own(&out.dst), own(&root.src)),
            Direction::Internal => (None, None),
        };
        let status = match last {
            Some(_) => Status::Answered,
            None if direction == Direction::Inbound => Status::Missed,
            None => match root.disposition.to_ascii_uppercase().as_str() {
                "BUSY" => Status::Busy,
                "FAILED" | "CONGESTION" => Status::Failed,
                "CANCEL" => Status::Cancelled,
                _ => Status::NoAnswer,
            },
        };
        let answered_by = match direction {
            Direction::Inbound | Direction::Internal => last.and_then(|row| name_of(&row.dst_channel, row)),
            Direction::Outbound => name_of(&last.unwrap_or(root).channel, root),
        };
        let queue = rows.iter().find(|row| row.last_app.eq_ignore_ascii_case("Queue"));
        let zone = self.zone_of_rows(zone_s);
        let utc = |local: i64| Timestamp((local - i64::from(zone)) * 1_000 + self.skew_ms);
        let start = rows.iter().map(|row| row.start_s).min()?;
        let end = rows.iter().filter_map(|row| row.end_s).max().unwrap_or(start).max(start);
        let since = spoken.iter().filter_map(|row| row.answer_s).min();
        Some(Told {
            id: self.linked.clone(),
            names: self.all_names(),
            direction,
            client_number,
            client_name: None,
            company_number,
            status,
            answered_by,
            from_extension: match direction {
                Direction::Internal => name_of(&root.channel, root),
                Direction::Inbound | Direction::Outbound => None,
            },
            talk_s: spoken.iter().map(|row| row.bill_s).fold(0, u32::saturating_add),
            wait_s: since.map(|since| seconds((since - start) * 1_000)),
            rang,
            queue: queue.map(|row| row.last_data.split(',').next().unwrap_or_default().into()),
            recording: None,
            variables: Vec::new(),
            from: utc(start),
            until: utc(end),
            holed: false,
        })
    }

    /// The zone that the rows are written in, by a channel that was born when its row begins.
    fn zone_of_rows(&self, otherwise: i32) -> i32 {
        let told = self.rows.iter().find_map(|row| {
            let apart = row.start_s - Fact::epoch_s(&row.uniqueid)?;
            let zone = zone_of(apart);
            (-5..=120).contains(&(apart - i64::from(zone))).then_some(zone)
        });
        told.or(self.zone_s).unwrap_or(otherwise)
    }
}

/// What is believed, and of the other what is missing in it.
fn joined(believed: Told, mut other: Told) -> Told {
    if other.direction != believed.direction {
        // Too little was seen to know who called whom.
        (other.client_number, other.client_name, other.company_number) = (None, None, None);
        (other.from_extension, other.rang) = (None, Vec::new());
        if other.status == Status::Missed {
            other.status = believed.status;
        }
    }
    let mut rang = believed.rang;
    for name in other.rang {
        if !rang.contains(&name) {
            rang.push(name);
        }
    }
    // Somebody was heard to speak: rows that tell of no talk do not know of it yet.
    let spoke_unbilled = believed.status != Status::Answered && other.status == Status::Answered;
    let (status, answered_by, talk_s, wait_s) = match spoke_unbilled {
        true => (other.status, other.answered_by, other.talk_s, other.wait_s),
        false => (believed.status, believed.answered_by, believed.talk_s, believed.wait_s),
    };
    let names = if believed.names.len() >= other.names.len() { believed.names } else { other.names };
    Told {
        id: believed.id,
        names,
        direction: believed.direction,
        client_number: believed.client_number.or(other.client_number),
        client_name: believed.client_name.or(other.client_name),
        company_number: believed.company_number.or(other.company_number),
        status,
        answered_by,
        from_extension: believed.from_extension.or(other.from_extension),
        talk_s,
        wait_s,
        rang,
        queue: believed.queue.or(other.queue),
        recording: believed.recording.or(other.recording),
        variables: if believed.variables.is_empty() { other.variables } else { believed.variables },
        from: believed.from.min(other.from),
        until: believed.until.max(other.until),
        holed: false,
    }
}

/// The number at the end of the name of a channel: `PJSIP/101-00000043`.
fn number(channel: &str) -> u64 {
    let tail = channel.rsplit('-').next().unwrap_or_default();
    u64::from_str_radix(tail.split(';').next().unwrap_or_default(), 16).unwrap_or(0)
}

/// Whole seconds, to the nearest.
fn seconds(ms: i64) -> u32 {
    u32::try_from((ms.max(0) + 500) / 1_000).unwrap_or(u32::MAX)
}
