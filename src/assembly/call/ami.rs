//! Packets of the manager interface -> facts, of the protocol up to 1.x (Asterisk 11 and before) and
//! from 2 on.

use compact_str::CompactString;

use super::fact::{Fact, FactKind, Leg, Logged};
use crate::base::Timestamp;
use crate::base::checksum::Fingerprint;
use crate::base::limits::AMI_VALUE_BYTES_MAX;
use crate::decode::ami::Packet;
use crate::decode::cdr;

/// What a packet says of a call, the packet being the `place`th of its envelope; `None`: nothing.
pub fn fact(packet: &Packet<'_>, place: u32) -> Option<Fact> {
    if packet.banner().is_some() {
        return Some(Fact::of_link(FactKind::Opened));
    }
    let event = packet.event()?;
    let kind = kind(packet, event)?;
    let linked = match &kind {
        FactKind::Merge(first, _) => first.clone(),
        kind => kind.leg().map(|leg| leg.linked.clone()).unwrap_or_default(),
    };
    let at = packet.raw("Timestamp").and_then(instant);
    Some(Fact { at, linked, place, kind })
}

fn kind(packet: &Packet<'_>, event: &[u8]) -> Option<FactKind> {
    let mut name = [0u8; 32];
    let name = name.get_mut(..event.len())?;
    name.copy_from_slice(event);
    name.make_ascii_lowercase();
    Some(match &*name {
        b"newchannel" => FactKind::Born(leg(packet)?),
        b"newcallerid" => FactKind::Seen(leg(packet)?),
        b"dialbegin" => FactKind::DialBegin {
            from: leg(packet),
            to: prefixed(packet, "Dest")?,
            dialled: text(packet, "DialString"),
        },
        b"dialend" => FactKind::DialEnd { to: prefixed(packet, "Dest")?, status: text(packet, "DialStatus") },
        b"bridgeenter" => FactKind::Enter { bridge: bridge(packet.raw("BridgeUniqueid")?), leg: leg(packet)? },
        b"bridgeleave" => FactKind::Leave { bridge: bridge(packet.raw("BridgeUniqueid")?), leg: leg(packet)? },
        b"hangup" => {
            let cause = packet.text("Cause").and_then(|it| it.trim().parse().ok()).unwrap_or(0);
            FactKind::Hangup { leg: leg(packet)?, cause }
        }
        b"localbridge" => match packet.raw("LocalOneUniqueid") {
            Some(_) => FactKind::Pair(prefixed(packet, "LocalOne")?, prefixed(packet, "LocalTwo")?),
            None => FactKind::Pair(numbered(packet, "1")?, numbered(packet, "2")?),
        },
        b"queuecallerjoin" | b"join" => FactKind::Queue { leg: leg(packet)?, queue: text(packet, "Queue") },
        b"attendedtransfer" => FactKind::Merge(
            nonempty(text(packet, "OrigTransfererLinkedid"))?,
            nonempty(text(packet, "SecondTransfererLinkedid"))?,
        ),
        b"pickup" => FactKind::Meet(leg(packet)?, prefixed(packet, "Target")?),
        b"mixmonitorstart" => FactKind::Recording { leg: leg(packet)?, file: CompactString::default() },
        b"varset" => variable(packet)?,
        b"cel" => logged(packet)?,
        b"coreshowchannel" => FactKind::Live(leg(packet)?),
        b"coreshowchannelscomplete" => FactKind::LiveEnd,
        // The old dialect.
        b"dial" => match text(packet, "SubEvent").to_ascii_lowercase().as_str() {
            "end" => FactKind::DialEnd {
                // It names the caller; who was called is known from the beginning.
                to: Leg { id: text(packet, "UniqueID"), channel: text(packet, "Channel"), ..Leg::default() },
                status: text(packet, "DialStatus"),
            },
            _ => {
                let from = Leg {
                    id: nonempty(text(packet, "UniqueID"))?,
                    channel: text(packet, "Channel"),
                    number: text(packet, "CallerIDNum"),
                    ..Leg::default()
                };
                let to = Leg {
                    id: nonempty(text(packet, "DestUniqueID"))?,
                    channel: text(packet, "Destination"),
                    ..Leg::default()
                };
                FactKind::DialBegin { from: Some(from), to, dialled: text(packet, "Dialstring") }
            }
        },
        b"bridge" | b"link" | b"unlink" => {
            let (one, two) = (numbered(packet, "1")?, numbered(packet, "2")?);
            let apart = event.eq_ignore_ascii_case(b"unlink")
                || packet.raw("Bridgestate").is_some_and(|it| it.eq_ignore_ascii_case(b"Unlink"));
            return Some(match apart {
                true => FactKind::Apart(one, two),
                false => FactKind::Together(one, two),
            });
        }
        b"transfer" => {
            let target = Leg { id: nonempty(text(packet, "TargetUniqueid"))?, ..Leg::default() };
            FactKind::Meet(leg(packet)?, Leg { channel: text(packet, "TargetChannel"), ..target })
        }
        _ => return None,
    })
}

fn variable(packet: &Packet<'_>) -> Option<FactKind> {
    let leg = leg(packet)?;
    let (name, value) = (text(packet, "Variable"), text(packet, "Value"));
    Some(match () {
        () if name.eq_ignore_ascii_case("MIXMONITOR_FILENAME") => FactKind::Recording { leg, file: nonempty(value)? },
        () if name.eq_ignore_ascii_case("FROM_DID") => FactKind::Dialled { leg, number: nonempty(value)? },
        () => FactKind::Variable { leg, name, value },
    })
}

fn logged(packet: &Packet<'_>) -> Option<FactKind> {
    let local_s = cdr::seconds(packet.raw("EventTime")?)?;
    let of_bridge = || {
        let extra = packet.raw("Extra")?;
        let mark = b"\"bridge_id\":\"";
        let start = memchr::memmem::find(extra, mark)? + mark.len();
        let len = memchr::memchr(b'"', &extra[start..])?;
        Some(bridge(&extra[start..start + len]))
    };
    let what = match packet.raw("EventName")? {
        b"CHAN_START" => Logged::Start,
        b"BRIDGE_ENTER" => Logged::Enter(of_bridge()?),
        b"BRIDGE_EXIT" => Logged::Leave(of_bridge()?),
        b"HANGUP" => Logged::Hangup,
        b"LINKEDID_END" => Logged::End,
        _ => return None,
    };
    let leg = Leg {
        id: nonempty(text(packet, "Uniqueid"))?,
        channel: text(packet, "Channel"),
        linked: text(packet, "Linkedid"),
        ..Leg::default()
    };
    Some(FactKind::Logged { what, leg, local_s })
}

/// The channel that the event is about.
fn leg(packet: &Packet<'_>) -> Option<Leg> {
    prefixed(packet, "")
}

/// The channel whose lines begin with `prefix`, read in one pass.
fn prefixed(packet: &Packet<'_>, prefix: &str) -> Option<Leg> {
    let mut leg = Leg::default();
    for (name, value) in packet.headers() {
        let Some(name) = strip(name, prefix.as_bytes()) else { continue };
        let slot = match name.len() {
            5 if name.eq_ignore_ascii_case(b"Exten") => &mut leg.exten,
            7 if name.eq_ignore_ascii_case(b"Channel") => &mut leg.channel,
            8 if name.eq_ignore_ascii_case(b"Uniqueid") => &mut leg.id,
            8 if name.eq_ignore_ascii_case(b"Linkedid") => &mut leg.linked,
            11 if name.eq_ignore_ascii_case(b"CallerIDNum") => &mut leg.number,
            12 if name.eq_ignore_ascii_case(b"CallerIDName") => &mut leg.name,
            _ => continue,
        };
        if slot.is_empty() {
            *slot = owned(value);
        }
    }
    (!leg.id.is_empty()).then_some(leg)
}

/// Channels of the old dialect: `Channel1`, `Uniqueid1`.
fn numbered(packet: &Packet<'_>, number: &str) -> Option<Leg> {
    let mut leg = Leg::default();
    for (name, value) in packet.headers() {
        let Some((last, name)) = name.split_last() else { continue };
        if [*last] != *number.as_bytes() {
            continue;
        }
        match () {
            () if name.eq_ignore_ascii_case(b"Channel") => leg.channel = owned(value),
            () if name.eq_ignore_ascii_case(b"Uniqueid") => leg.id = owned(value),
            () if name.eq_ignore_ascii_case(b"CallerID") => leg.number = owned(value),
            () => {}
        }
    }
    (!leg.id.is_empty()).then_some(leg)
}

fn strip<'a>(name: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = name.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn text(packet: &Packet<'_>, name: &str) -> CompactString {
    packet.raw(name).map(owned).unwrap_or_default()
}

fn owned(value: &[u8]) -> CompactString {
    if value == b"<unknown>" {
        return CompactString::default();
    }
    CompactString::from_utf8_lossy(&value[..value.len().min(AMI_VALUE_BYTES_MAX)])
}

fn nonempty(text: CompactString) -> Option<CompactString> {
    (!text.is_empty()).then_some(text)
}

fn bridge(id: &[u8]) -> u64 {
    let print = Fingerprint::quick(id).0;
    u64::from_le_bytes(std::array::from_fn(|at| print[at]))
}

/// `1795298310.432123`: seconds and millionths since 1970.
fn instant(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (seconds, part) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok().filter(|it| (0..=9_999_999_999).contains(it))?;
    let mut thousandths = 0;
    for at in 0..3 {
        let digit = part.as_bytes().get(at).filter(|it| it.is_ascii_digit()).map_or(0, |it| i64::from(it - b'0'));
        thousandths = thousandths * 10 + digit;
    }
    Some(Timestamp(seconds * 1_000 + thousandths))
}
