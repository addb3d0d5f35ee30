//! Calls of a telephone exchange are put together: from events, from billing rows, from both, and
//! from events with a hole. The captures are of a real Asterisk 16 (`tests/fixtures/asterisk`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::Value as Json;

use uzel::assembly::call::{Desk, Fact, FactKind, Lines, Shelf, Slot, Told, ami};
use uzel::base::limits::{AMI_LINE_BYTES_MAX, AMI_PACKET_BYTES_MAX};
use uzel::base::{ItemRef, Position, Timestamp};
use uzel::decode::ami::{Splitter, keep, packets};
use uzel::decode::cdr;
use uzel::model::Direction;
use uzel::normalize::phone;

const CAPTURES: [&str; 13] = [
    "anonymous",
    "busy-then-forward",
    "click-to-call",
    "inbound-answered",
    "inbound-missed",
    "internal",
    "ivr-answered",
    "outbound-answered",
    "outbound-busy",
    "queue-abandoned",
    "queue-answered",
    "ring-group-local-channels",
    "ring-group",
];

/// When the captures were taken.
const TAKEN: i64 = 1_795_298_300_000;

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/asterisk").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A shelf in memory.
#[derive(Default)]
struct Memory(BTreeMap<String, Slot>);

impl Shelf for Memory {
    type Error = Infallible;

    fn take(&mut self, name: &str) -> Result<Option<Slot>, Infallible> {
        Ok(self.0.remove(name))
    }

    fn put(&mut self, name: &str, slot: Slot) -> Result<(), Infallible> {
        self.0.insert(name.to_owned(), slot);
        Ok(())
    }
}

/// A telephone exchange's stories, told piece by piece.
#[derive(Default)]
struct Office {
    shelf: Memory,
    records: u32,
    /// Calls as they were told last, by their name.
    told: BTreeMap<String, Told>,
}

impl Office {
    fn facts(&mut self, facts: Vec<Fact>, at: i64) {
        self.records += 1;
        let record = ItemRef::new(Position(u64::from(self.records)), 0);
        let Ok(ready) = Desk::new(&mut self.shelf, record, Timestamp(at)).take(facts);
        for name in ready {
            let Some(Slot::Call(call)) = self.shelf.0.get(name.as_str()) else { continue };
            if let Some(told) = call.tell(&Lines::default(), 0) {
                self.told.insert(format!("{}", call.born), told);
            }
        }
    }

    fn events(&mut self, bytes: &[u8], at: i64) {
        let mut splitter = Splitter::new();
        splitter.push(bytes);
        let mut facts = Vec::new();
        while let Some(packet) = splitter.next_packet() {
            if keep::is_kept(&packet, &["CRM_DEAL".to_owned()]) {
                facts.extend(ami::fact(&packet, facts.len() as u32));
            }
        }
        // As the source does: some packets at a time.
        for portion in facts.chunks(7) {
            self.facts(portion.to_vec(), at);
        }
    }

    fn lost(&mut self, at: i64) {
        self.facts(vec![Fact::of_link(FactKind::Lost)], at);
    }

    /// The list of live channels was asked for, and there are none.
    fn nobody_is_there(&mut self, at: i64) {
        self.facts(vec![Fact::of_link(FactKind::LiveEnd)], at);
    }

    fn rows(&mut self, bytes: &[u8], at: i64) {
        let mut facts = Vec::new();
        cdr::rows(bytes, |row| facts.push(Fact::of_row(row.expect("a row that reads"))));
        self.facts(facts, at);
    }

    fn calls(&self) -> Vec<&Told> {
        self.told.values().collect()
    }
}

/// What is compared.
#[derive(Clone, Copy)]
struct Compare {
    variables: bool,
    talk: bool,
}

const ALL: Compare = Compare { variables: true, talk: true };
/// Billing rows know nothing of channel variables, nor when a person took over from a menu.
const OF_ROWS: Compare = Compare { variables: false, talk: true };

fn check(name: &str, office: &Office, compare: Compare) {
    let expected: Json = serde_json::from_slice(&fixture(&format!("{name}.expected.json"))).expect("JSON");
    let expected = expected["calls"].as_array().expect("calls");
    let calls = office.calls();
    assert_eq!(calls.len(), expected.len(), "{name}: {calls:#?}");
    for (told, wanted) in calls.iter().zip(expected) {
        let number = |text: &Option<compact_str::CompactString>| {
            text.as_deref().map(|text| phone(text, "RU").value.expect("a number").e164.to_string())
        };
        let text = |field: &str| wanted[field].as_str().map(str::to_owned);
        let direction = match told.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
            Direction::Internal => "internal",
        };
        assert_eq!(Some(direction), wanted["direction"].as_str(), "{name}");
        assert_eq!(number(&told.client_number), text("client_number"), "{name}: client");
        assert_eq!(number(&told.company_number), text("company_number"), "{name}: company");
        assert_eq!(Some(told.status.name()), wanted["status"].as_str(), "{name}: {told:#?}");
        assert_eq!(told.answered_by.as_deref(), wanted["answered_by"].as_str(), "{name}: {told:#?}");
        assert_eq!(told.from_extension.as_deref(), wanted["from_extension"].as_str(), "{name}");
        assert_eq!(told.queue.as_deref(), wanted["queue"].as_str(), "{name}");
        if let (Some(talk), true) = (wanted["talk_seconds"].as_u64(), compare.talk) {
            assert_eq!(u64::from(told.talk_s), talk, "{name}: {told:#?}");
        }
        if let Some(rang) = wanted["rang"].as_array() {
            let rang: Vec<&str> = rang.iter().filter_map(Json::as_str).collect();
            assert_eq!(told.rang, rang, "{name}");
        }
        if compare.variables {
            let wants_recording = wanted["recording"].as_bool().unwrap_or(false);
            assert!(!wants_recording || told.recording.is_some(), "{name}: no recording");
            for (variable, value) in wanted["variables"].as_object().into_iter().flatten() {
                let held = told.variables.iter().find(|(it, _)| it == variable).map(|(_, it)| it.as_str());
                assert_eq!(held, value.as_str(), "{name}: {variable}");
            }
        }
    }
}

#[test]
fn events_alone_give_every_call() {
    for name in CAPTURES {
        let mut office = Office::default();
        office.events(&fixture(&format!("{name}.ami")), TAKEN);
        check(name, &office, ALL);
    }
}

#[test]
fn billing_rows_alone_give_every_call() {
    for name in CAPTURES {
        let mut office = Office::default();
        office.rows(&fixture(&format!("{name}.cdr.csv")), TAKEN);
        check(name, &office, OF_ROWS);
    }
}

#[test]
fn events_and_rows_are_one_call_in_either_order() {
    for name in CAPTURES {
        let (events, rows) = (fixture(&format!("{name}.ami")), fixture(&format!("{name}.cdr.csv")));
        let mut office = Office::default();
        office.events(&events, TAKEN);
        office.rows(&rows, TAKEN);
        office.rows(&rows, TAKEN);
        check(name, &office, ALL);
        let mut office = Office::default();
        office.rows(&rows, TAKEN);
        office.events(&events, TAKEN);
        check(name, &office, ALL);
    }
}

/// A few numbers that look like chance and are the same in every run.
fn places(len: usize, count: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % len
    })
}

#[test]
fn a_link_cut_anywhere_and_rows_give_every_call() {
    for name in CAPTURES {
        let (events, rows) = (fixture(&format!("{name}.ami")), fixture(&format!("{name}.cdr.csv")));
        for cut in places(events.len(), 100) {
            // The rest is lost.
            let mut office = Office::default();
            office.events(&events[..cut], TAKEN);
            office.lost(TAKEN);
            office.rows(&rows, TAKEN);
            check(name, &office, OF_ROWS);
            // The beginning was lost.
            let mut office = Office::default();
            office.lost(TAKEN);
            office.events(b"Asterisk Call Manager/5.0.4\r\n", TAKEN);
            office.events(&events[cut..], TAKEN);
            office.nobody_is_there(TAKEN);
            office.rows(&rows, TAKEN);
            check(name, &office, Compare { talk: false, ..OF_ROWS });
        }
    }
}

#[test]
fn a_hole_in_the_middle_is_filled_from_rows() {
    for name in CAPTURES {
        let (events, rows) = (fixture(&format!("{name}.ami")), fixture(&format!("{name}.cdr.csv")));
        let mut ends = places(events.len(), 100);
        while let (Some(one), Some(two)) = (ends.next(), ends.next()) {
            let (from, to) = (one.min(two), one.max(two));
            let mut office = Office::default();
            office.events(&events[..from], TAKEN);
            office.lost(TAKEN);
            office.events(b"Asterisk Call Manager/5.0.4\r\n", TAKEN);
            office.events(&events[to..], TAKEN);
            office.rows(&rows, TAKEN);
            office.nobody_is_there(TAKEN);
            check(name, &office, Compare { talk: false, ..OF_ROWS });
        }
    }
}

/// Events written by hand: `Name key=value ...`, one a line; `~` stands for a space.
fn script(lines: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        bytes.extend_from_slice(format!("Event: {}\r\n", words.next().unwrap_or_default()).as_bytes());
        for word in words {
            let (name, value) = word.split_once('=').expect("name=value");
            bytes.extend_from_slice(format!("{name}: {}\r\n", value.replace('~', " ")).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Calls as one line each: who called whom, by whom it was answered, how long they spoke.
fn say(office: &Office) -> Vec<String> {
    let calls = office.calls().into_iter().map(|told| {
        format!(
            "{:?} {} {} {} {}s rang {}",
            told.direction,
            told.client_number.as_deref().unwrap_or("-"),
            told.status.name(),
            told.answered_by.as_deref().unwrap_or("-"),
            told.talk_s,
            told.rang.join(",")
        )
    });
    calls.collect()
}

fn check_script(lines: &str, expected: &[&str]) {
    let mut office = Office::default();
    office.events(&script(lines), TAKEN);
    assert_eq!(say(&office), expected);
    // A link that says everything twice tells of no more calls.
    office.events(&script(lines), TAKEN);
    assert_eq!(office.calls().len(), expected.len());
}

#[test]
fn two_calls_that_an_attended_transfer_joins_are_one() {
    check_script(
        "
        Newchannel Timestamp=1795298300.0 Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 CallerIDNum=79161234567 Exten=74951230001
        Newchannel Timestamp=1795298301.0 Channel=PJSIP/101-02 Uniqueid=1795298301.2 Linkedid=1795298300.1
        DialBegin Timestamp=1795298301.0 Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 DestChannel=PJSIP/101-02 DestUniqueid=1795298301.2 DestLinkedid=1795298300.1 DialString=101
        BridgeEnter Timestamp=1795298305.0 BridgeUniqueid=one Channel=PJSIP/101-02 Uniqueid=1795298301.2 Linkedid=1795298300.1
        BridgeEnter Timestamp=1795298305.0 BridgeUniqueid=one Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        Newchannel Timestamp=1795298310.0 Channel=PJSIP/101-03 Uniqueid=1795298310.3 Linkedid=1795298310.3 CallerIDNum=101 Exten=102
        Newchannel Timestamp=1795298310.0 Channel=PJSIP/102-04 Uniqueid=1795298310.4 Linkedid=1795298310.3
        DialBegin Timestamp=1795298310.0 Channel=PJSIP/101-03 Uniqueid=1795298310.3 Linkedid=1795298310.3 DestChannel=PJSIP/102-04 DestUniqueid=1795298310.4 DestLinkedid=1795298310.3 DialString=102
        BridgeEnter Timestamp=1795298312.0 BridgeUniqueid=two Channel=PJSIP/102-04 Uniqueid=1795298310.4 Linkedid=1795298310.3
        BridgeEnter Timestamp=1795298312.0 BridgeUniqueid=two Channel=PJSIP/101-03 Uniqueid=1795298310.3 Linkedid=1795298310.3
        BridgeLeave Timestamp=1795298315.0 BridgeUniqueid=one Channel=PJSIP/101-02 Uniqueid=1795298301.2 Linkedid=1795298300.1
        BridgeLeave Timestamp=1795298315.0 BridgeUniqueid=two Channel=PJSIP/101-03 Uniqueid=1795298310.3 Linkedid=1795298310.3
        BridgeLeave Timestamp=1795298315.0 BridgeUniqueid=one Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        BridgeEnter Timestamp=1795298315.0 BridgeUniqueid=two Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        AttendedTransfer Timestamp=1795298315.0 Result=Success OrigTransfererLinkedid=1795298300.1 SecondTransfererLinkedid=1795298310.3 DestType=Bridge
        Hangup Timestamp=1795298315.0 Channel=PJSIP/101-02 Uniqueid=1795298301.2 Linkedid=1795298300.1 Cause=16
        Hangup Timestamp=1795298315.0 Channel=PJSIP/101-03 Uniqueid=1795298310.3 Linkedid=1795298300.1 Cause=16
        BridgeLeave Timestamp=1795298325.0 BridgeUniqueid=two Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        Hangup Timestamp=1795298325.0 Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 Cause=16
        Hangup Timestamp=1795298325.0 Channel=PJSIP/102-04 Uniqueid=1795298310.4 Linkedid=1795298300.1 Cause=16
        ",
        &["Inbound 79161234567 answered 102 20s rang 101,102"],
    );
}

#[test]
fn a_call_that_another_telephone_picks_up_is_one() {
    check_script(
        "
        Newchannel Channel=SIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 CallerIDNum=79161234567 Exten=74951230001
        Newchannel Channel=SIP/101-02 Uniqueid=1795298301.2 Linkedid=1795298300.1
        DialBegin Channel=SIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 DestChannel=SIP/101-02 DestUniqueid=1795298301.2 DestLinkedid=1795298300.1 DialString=SIP/101
        Newchannel Channel=SIP/103-03 Uniqueid=1795298303.3 Linkedid=1795298303.3 CallerIDNum=103 Exten=*8
        Pickup Channel=SIP/103-03 Uniqueid=1795298303.3 Linkedid=1795298303.3 TargetChannel=SIP/101-02 TargetUniqueid=1795298301.2 TargetLinkedid=1795298300.1
        BridgeEnter BridgeUniqueid=one Channel=SIP/103-03 Uniqueid=1795298303.3 Linkedid=1795298300.1
        BridgeEnter BridgeUniqueid=one Channel=SIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        Hangup Channel=SIP/101-02 Uniqueid=1795298301.2 Linkedid=1795298300.1 Cause=26
        BridgeLeave BridgeUniqueid=one Channel=SIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        Hangup Channel=SIP/103-03 Uniqueid=1795298303.3 Linkedid=1795298300.1 Cause=16
        Hangup Channel=SIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 Cause=16
        ",
        &["Inbound 79161234567 answered 103 0s rang 101"],
    );
}

#[test]
fn a_call_that_is_forwarded_to_a_mobile_is_answered_there() {
    check_script(
        "
        Newchannel Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 CallerIDNum=79161234567 Exten=74951230001
        Newchannel Channel=PJSIP/trunk-02 Uniqueid=1795298301.2 Linkedid=1795298300.1
        DialBegin Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 DestChannel=PJSIP/trunk-02 DestUniqueid=1795298301.2 DestLinkedid=1795298300.1 DialString=PJSIP/89035550011@trunk
        BridgeEnter Timestamp=1795298305 BridgeUniqueid=one Channel=PJSIP/trunk-02 Uniqueid=1795298301.2 Linkedid=1795298300.1
        BridgeEnter Timestamp=1795298305 BridgeUniqueid=one Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1
        Hangup Timestamp=1795298309 Channel=PJSIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 Cause=16
        Hangup Timestamp=1795298309 Channel=PJSIP/trunk-02 Uniqueid=1795298301.2 Linkedid=1795298300.1 Cause=16
        ",
        &["Inbound 79161234567 answered 89035550011 4s rang 89035550011"],
    );
}

#[test]
fn an_exchange_of_the_old_dialect_is_understood() {
    check_script(
        "
        Newchannel Channel=SIP/trunk-01 Uniqueid=1795298300.1 CallerIDNum=79161234567 Exten=74951230001
        Newchannel Channel=SIP/101-02 Uniqueid=1795298301.2
        Dial SubEvent=Begin Channel=SIP/trunk-01 Destination=SIP/101-02 UniqueID=1795298300.1 DestUniqueID=1795298301.2 CallerIDNum=79161234567 Dialstring=101
        Bridge Bridgestate=Link Timestamp=1795298304.5 Channel1=SIP/trunk-01 Channel2=SIP/101-02 Uniqueid1=1795298300.1 Uniqueid2=1795298301.2
        Bridge Bridgestate=Unlink Timestamp=1795298310.5 Channel1=SIP/trunk-01 Channel2=SIP/101-02 Uniqueid1=1795298300.1 Uniqueid2=1795298301.2
        Hangup Channel=SIP/101-02 Uniqueid=1795298301.2 Cause=16
        Dial SubEvent=End Channel=SIP/trunk-01 UniqueID=1795298300.1 DialStatus=ANSWER
        Hangup Channel=SIP/trunk-01 Uniqueid=1795298300.1 Cause=16
        ",
        &["Inbound 79161234567 answered 101 6s rang 101"],
    );
}

#[test]
fn an_exchange_whose_clock_is_hours_off_is_timed_by_ours() {
    let mut office = Office::default();
    let at = TAKEN + 5 * 3_600_000;
    office.events(&fixture("inbound-answered.ami"), at);
    let told = &office.calls()[0];
    assert_eq!(told.talk_s, 8);
    assert!((told.from.0 - at).abs() < 60_000, "{} {at}", told.from);
    assert_eq!(told.until.0 - told.from.0, 10_000);
}

#[test]
fn rows_of_the_custom_layout_are_the_same_rows() {
    let custom = "\"\"\"Ivan\"\" <79161234567>\",\"79161234567\",\"74951230001\",\"from-trunk\",\"PJSIP/trunk-33\",\"PJSIP/101-34\",\"Dial\",\"PJSIP/101,15\",\"2026-11-21 21:58:30\",\"2026-11-21 21:58:32\",\"2026-11-21 21:58:40\",\"10\",\"8\",\"ANSWERED\",\"DOCUMENTATION\",\"\",\"1795298310.432\",\"\",7\n";
    let mut office = Office::default();
    office.rows(custom.as_bytes(), TAKEN);
    assert_eq!(say(&office), ["Inbound 79161234567 answered 101 8s rang 101"]);
    // Nobody picked up: the dialplan answered, and what was billed was music.
    let music = custom.replace("ANSWERED", "NO ANSWER").replace("1795298310.432", "1795298311.1");
    let mut office = Office::default();
    office.rows(music.as_bytes(), TAKEN);
    assert_eq!(say(&office), ["Inbound 79161234567 missed - 0s rang 101"]);
}

#[test]
fn rows_in_local_time_are_told_in_ours() {
    let text = String::from_utf8(fixture("inbound-answered.cdr.csv")).expect("text");
    let mut office = Office::default();
    office.rows(text.replace(" 21:", " 23:").replace("2026-11-21 23", "2026-11-22 00").as_bytes(), TAKEN);
    assert_eq!(office.calls()[0].from, Timestamp(1_795_298_310_000));
}

#[test]
fn rows_that_do_not_read_are_told_by_number_and_hold_up_none() {
    let mut body = b"nonsense\n\"a\",\"b\"\n".to_vec();
    body.extend_from_slice(&fixture("inbound-answered.cdr.csv"));
    let mut found = Vec::new();
    cdr::rows(&body, |row| found.push(row.map(|row| row.src).map_err(|message| message.id)));
    assert_eq!(found.len(), 3);
    assert_eq!(found[2].as_deref(), Ok("79161234567"));
    assert!(found[0].is_err() && found[1].is_err());
}

#[test]
fn names_that_are_not_utf8_are_kept_and_shown() {
    let mut bytes = b"Event: Newchannel\r\nChannel: SIP/trunk-01\r\nUniqueid: 1795298300.1\r\nLinkedid: 1795298300.1\r\nCallerIDNum: 79161234567\r\nCallerIDName: \xA5\xC8van\r\nExten: s\r\n\r\n".to_vec();
    bytes.extend_from_slice(&script("Hangup Channel=SIP/trunk-01 Uniqueid=1795298300.1 Linkedid=1795298300.1 Cause=0"));
    let mut office = Office::default();
    office.events(&bytes, TAKEN);
    let told = &office.calls()[0];
    assert_eq!(told.client_name.as_deref(), Some("\u{FFFD}\u{FFFD}van"));
    assert_eq!((told.status.name(), told.company_number.as_deref()), ("missed", None));
}

fn split(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, usize) {
    let mut splitter = Splitter::new();
    let mut found = Vec::new();
    let mut most = 0;
    for piece in pieces {
        splitter.push(piece);
        while let Some(packet) = splitter.next_packet() {
            found.push(packet.bytes().to_vec());
        }
        most = most.max(splitter.pending());
    }
    (found, most)
}

#[test]
fn a_line_of_any_length_takes_no_more_than_its_bound() {
    let mut splitter = Splitter::new();
    splitter.push(b"Event: Newchannel\r\nCallerIDName: ");
    for _ in 0..1_000 {
        splitter.push(&[b'x'; 4_096]);
        assert!(splitter.next_packet().is_none());
        assert!(splitter.pending() <= AMI_LINE_BYTES_MAX + 8_192, "{}", splitter.pending());
    }
    splitter.push(b"\r\nUniqueid: 1.1\r\n\r\nEvent: Hangup\r\n\r\n");
    let packet = splitter.next_packet().expect("the long packet");
    assert!(packet.is_cut());
    assert_eq!(packet.raw("CallerIDName").map(<[u8]>::len), Some(AMI_LINE_BYTES_MAX - "CallerIDName: ".len()));
    assert_eq!(packet.raw("uniqueid"), Some(&b"1.1"[..]));
    assert_eq!(splitter.next_packet().and_then(|it| it.event().map(<[u8]>::to_vec)), Some(b"Hangup".to_vec()));
    // A packet without an end.
    let mut splitter = Splitter::new();
    for _ in 0..50_000 {
        splitter.push(b"Variable: abcdefghijklmnopqrstuvwxyz\r\n");
        assert!(splitter.next_packet().is_none());
        assert!(splitter.pending() <= 3 * AMI_PACKET_BYTES_MAX, "{}", splitter.pending());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_packets(cuts in proptest::collection::vec(0usize..20_000, 0..40)) {
        let all = fixture("inbound-missed.ami");
        let all = &all[..20_000];
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&all[from..cut]);
            from = cut;
        }
        pieces.push(&all[from..]);
        prop_assert_eq!(split(&pieces).0, split(&[all]).0);
    }

    #[test]
    fn no_bytes_whatever_break_it(bytes in proptest::collection::vec(prop::sample::select(b"\r\n:; aE\xA5\x00".to_vec()), 0..400)) {
        packets(&bytes, |packet| {
            let _ = (packet.event(), packet.banner(), packet.headers().count(), ami::fact(&packet, 0));
        });
        cdr::rows(&bytes, |_row| {});
    }
}
