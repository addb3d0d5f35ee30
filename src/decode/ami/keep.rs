//! Which packets can matter to a call: all others are dropped before the journal.
//!
//! A busy exchange says some hundred events about one call; a dozen of them tell who called whom,
//! who rang, who answered and when it was over.

use super::Packet;

/// Channel variables that are read when they are set, beside those of the settings.
pub const VARIABLES: [&str; 2] = ["MIXMONITOR_FILENAME", "FROM_DID"];

/// Events that are kept. Names of the protocol up to 1.x stand beside those from 2 on.
const EVENTS: [&str; 22] = [
    "AttendedTransfer",
    "Bridge",
    "BridgeEnter",
    "BridgeLeave",
    "CoreShowChannel",
    "CoreShowChannelsComplete",
    "Dial",
    "DialBegin",
    "DialEnd",
    "Hangup",
    "Join",
    "Link",
    "LocalBridge",
    "MixMonitorStart",
    "NewCallerid",
    "Newchannel",
    "Pickup",
    "QueueCallerJoin",
    "Transfer",
    "Unlink",
    "CEL",
    "VarSet",
];

/// Entries of the event log (CEL) that are kept.
const LOGGED: [&str; 5] = ["CHAN_START", "BRIDGE_ENTER", "BRIDGE_EXIT", "HANGUP", "LINKEDID_END"];

/// Whether the packet can matter. `variables` are names of the settings.
pub fn is_kept(packet: &Packet<'_>, variables: &[String]) -> bool {
    if packet.banner().is_some() {
        return true;
    }
    let Some(event) = packet.event() else { return false };
    let is = |name: &str| event.eq_ignore_ascii_case(name.as_bytes());
    if is("VarSet") {
        let Some(named) = packet.raw("Variable") else { return false };
        let is_named = |name: &str| named.eq_ignore_ascii_case(name.as_bytes());
        return VARIABLES.into_iter().any(is_named) || variables.iter().any(|it| is_named(it));
    }
    if is("CEL") {
        let Some(named) = packet.raw("EventName") else { return false };
        return LOGGED.into_iter().any(|it| named.eq_ignore_ascii_case(it.as_bytes()));
    }
    EVENTS.into_iter().any(is)
}
