//! What is wrong: which facts make which alarms, and how badly.

use expect_test::{Expect, expect};
use uzel::alarm::{
    CertificateFacts, Condition, Disk, Facts, Jump, Progress, Quarantined, RelayFacts, RelayStopped, Severity,
    SinkFacts, SnapshotFacts, SourceFacts, StaffFacts, Stopped, WordFacts, alarms,
};
use uzel::base::{Locale, Message, Slug, Timestamp};

const NOW: Timestamp = Timestamp(1_760_000_000_000);
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const MIB: u64 = 1024 * 1024;

fn ago(ms: i64) -> Timestamp {
    NOW.plus_ms(-ms)
}

fn crm() -> Slug {
    Slug::literal("crm")
}

/// `severity id/subject (minutes): text`.
fn check(facts: &Facts, expected: Expect) {
    let mut shown = String::new();
    for alarm in alarms(facts, NOW) {
        let since = alarm.since.map_or_else(|| "-".to_owned(), |at| (NOW.ms_since(at) / MINUTE_MS).to_string());
        let (id, subject) = (alarm.key.condition.id(), &alarm.key.subject);
        let what = alarm.what.render(Locale::En);
        shown.push_str(&format!("{} {id}/{subject} ({since}): {what}\n", alarm.severity.name()));
        for locale in [Locale::Ru, Locale::En] {
            let next = alarm.next.render(locale);
            assert!(!next.is_empty() && !next.contains("alarm-"), "{next}");
            assert!(!alarm.what.render(locale).contains("alarm-"), "{what}");
        }
    }
    expected.assert_eq(&shown);
}

fn stopped(since_ms: i64, wants_person: bool) -> SinkFacts {
    let reason = Message::new("net-connect").with("host", "crm.example").with("detail", "refused");
    let stopped = Stopped { since: ago(since_ms), until: None, wants_person, failures: 3, reason };
    SinkFacts { name: crm(), stopped: Some(stopped), dead: 0, dead_since: None }
}

fn site(silence_h: u32, heard_ms: i64) -> SourceFacts {
    SourceFacts { name: Slug::literal("site"), unread: None, silence_h, heard_at: ago(heard_ms) }
}

#[test]
fn nothing_is_wrong_with_a_daemon_at_rest() {
    check(&Facts::default(), expect![[""]]);
}

#[test]
fn a_pipeline_that_failed_stands_or_lags_is_told_in_that_order() {
    let progress = |lag, behind_ms, moved_ms| {
        let (behind_since, moved_at) = (Some(ago(behind_ms)), Some(ago(moved_ms)));
        let progress = Progress { failure: None, lag, behind_since, moved_at };
        Facts { progress, ..Facts::default() }
    };
    check(&progress(7, MINUTE_MS - 1, MINUTE_MS - 1), expect![[""]]);
    check(
        &progress(7, MINUTE_MS, MINUTE_MS),
        expect![[r#"
            critical pipeline-behind/ (1): Processing stands still although 7 entries wait in the journal
        "#]],
    );
    check(&progress(70, 14 * MINUTE_MS, 1_000), expect![[""]]);
    check(
        &progress(70, 15 * MINUTE_MS, 1_000),
        expect![[r#"
            warning pipeline-behind/ (15): Processing does not keep up: 70 entries wait in the journal
        "#]],
    );
    let mut failed = progress(70, HOUR_MS, HOUR_MS);
    failed.progress.failure = Some("the store is gone".to_owned());
    check(
        &failed,
        expect![[r#"
            critical pipeline-failed/ (-): Processing has stopped by an error
        "#]],
    );
}

#[test]
fn space_that_ends_is_told_before_intake_stops_and_not_after() {
    let disk =
        |free_mib| Facts { disk: Some(Disk { free_bytes: free_mib * MIB, mark_bytes: 512 * MIB }), ..Facts::default() };
    check(&disk(1_024), expect![[""]]);
    check(
        &disk(1_023),
        expect![[r#"
            warning disk-low/ (-): 1023 MiB are left on the disk; at 512 MiB intake stops
        "#]],
    );
    let refused = Facts { intake: Some(Message::new("journal-low-space")), ..disk(400) };
    check(
        &refused,
        expect![[r#"
            critical intake-refused/ (-): Intake has stopped: the journal takes nothing. Senders are answered 503 and try again
        "#]],
    );
}

#[test]
fn a_sink_that_rests_for_a_moment_is_no_alarm() {
    let facts = |sink| Facts { sinks: vec![sink], ..Facts::default() };
    check(&facts(stopped(5 * MINUTE_MS - 1, false)), expect![[""]]);
    check(
        &facts(stopped(5 * MINUTE_MS, false)),
        expect![[r#"
            critical sink-stopped/crm (5): crm does not answer, nothing is passed on
        "#]],
    );
    // Nobody but a person can mend this one.
    check(
        &facts(stopped(0, true)),
        expect![[r#"
            critical sink-stopped/crm (0): crm does not let us in: settings or rights are wrong
        "#]],
    );
}

#[test]
fn what_waits_for_a_person_is_told() {
    let dead = SinkFacts { name: crm(), stopped: None, dead: 1, dead_since: Some(ago(HOUR_MS)) };
    let quarantined = Quarantined { lately: 3, at_least: false, since: Some(ago(2 * HOUR_MS)) };
    let rights = vec![(crm(), Message::new("oauth-lost"))];
    let facts = Facts { sinks: vec![dead], quarantined, rights, tasks_overdue: 2, ..Facts::default() };
    check(
        &facts,
        expect![[r#"
            critical rights-lost/crm (-): No access to crm: the permission was withdrawn or has run out
            warning dead-letters/crm (60): crm does not take 1 object: a person is needed
            warning quarantine/ (120): 3 records went into quarantine within a day
            notice tasks-overdue/ (-): 2 tasks are late
        "#]],
    );
}

#[test]
fn employees_that_a_connection_does_not_know_are_told_when_it_lasts() {
    let facts = |since| {
        let staff = vec![StaffFacts { connection: crm(), employees: 2, since }];
        Facts { staff, ..Facts::default() }
    };
    check(&facts(ago(2 * MINUTE_MS - 1)), expect![[""]]);
    check(
        &facts(ago(2 * MINUTE_MS)),
        expect![[r#"
            warning employee-ids/crm (2): crm does not have 2 employees of rules/employees.toml, or they were dismissed there: leads do not reach them
        "#]],
    );
}

#[test]
fn a_source_may_be_silent_as_long_as_was_set() {
    let facts = |source| Facts { sources: vec![source], ..Facts::default() };
    check(&facts(site(0, 1_000 * HOUR_MS)), expect![[""]]);
    check(&facts(site(24, 24 * HOUR_MS - 1)), expect![[""]]);
    check(
        &facts(site(24, 24 * HOUR_MS)),
        expect![[r#"
            warning source-silent/site (1440): site is silent: no data for 24 hours
        "#]],
    );
    // That it cannot be read says why it is silent.
    let unread = |ms| SourceFacts { unread: Some((ago(ms), Message::new("poll-pipeline"))), ..site(24, 48 * HOUR_MS) };
    check(
        &facts(unread(15 * MINUTE_MS)),
        expect![[r#"
            critical source-unread/site (15): site cannot be read
        "#]],
    );
    check(
        &facts(unread(15 * MINUTE_MS - 1)),
        expect![[r#"
            warning source-silent/site (2880): site is silent: no data for 48 hours
        "#]],
    );
}

#[test]
fn a_clock_that_is_wrong_is_told_either_way() {
    let jump = |by_ms| Facts { jump: Some(Jump { at: ago(MINUTE_MS), by_ms }), ..Facts::default() };
    check(
        &jump(HOUR_MS),
        expect![[r#"
            warning clock-jumped/ (1): The clock leapt forward by 60 minutes
        "#]],
    );
    check(
        &jump(-HOUR_MS),
        expect![[r#"
            warning clock-jumped/ (1): The clock leapt back by 60 minutes
        "#]],
    );
    check(
        &Facts { clock_behind_ms: 2 * MINUTE_MS, ..Facts::default() },
        expect![[r#"
            warning clock-behind/ (-): The clock is 2 minutes behind the time of the journal
        "#]],
    );
    check(&Facts { clock_behind_ms: 2 * MINUTE_MS - 1, ..Facts::default() }, expect![[""]]);
}

#[test]
fn what_is_kept_must_be_kept_up() {
    let late_at = Some(ago(0));
    let snapshots = SnapshotFacts { late_at, newest_at: Some(ago(48 * HOUR_MS)), damaged: None };
    let facts = Facts { snapshots, backup: Some((ago(72 * HOUR_MS), 3)), ..Facts::default() };
    check(
        &facts,
        expect![[r#"
            warning snapshot-old/ (2880): No snapshot of the data was made for long
            warning backup-old/ (4320): The newest backup is 3 days old, or there is none
        "#]],
    );
    let damaged = Some(("17.snapshot".to_owned(), Message::new("store-damaged")));
    let snapshots = SnapshotFacts { late_at: Some(NOW.plus_ms(1)), newest_at: None, damaged };
    check(
        &Facts { snapshots, backup: Some((ago(71 * HOUR_MS), 3)), ..Facts::default() },
        expect![[r#"
            warning snapshot-damaged/17.snapshot (-): The snapshot 17.snapshot is damaged
        "#]],
    );
}

#[test]
fn ways_out_that_fail_are_alarms_themselves() {
    let reason = Message::new("net-connect").with("host", "mail.example").with("detail", "refused");
    let facts = Facts {
        channels: vec![("email".into(), ago(HOUR_MS), reason.clone())],
        heartbeat: Some((ago(MINUTE_MS), reason)),
        ..Facts::default()
    };
    check(
        &facts,
        expect![[r#"
            warning notify-failed/email (60): Notifications do not get out: email
            warning heartbeat-failed/ (1): The watch service does not take our heartbeat
        "#]],
    );
}

/// A certificate that lives for so many days and has so much left, ms.
fn certificate(life_days: i64, left_ms: i64, failing_ms: Option<i64>) -> Facts {
    let until = NOW.plus_ms(left_ms);
    let holds = Some((until.plus_ms(-life_days * 24 * HOUR_MS), until));
    let trouble = failing_ms.map(|ms| (ago(ms), Message::new("acme-waits").with("failed", 1)));
    Facts { certificate: Some(CertificateFacts { holds, trouble, is_ordered: true }), ..Facts::default() }
}

#[test]
fn a_certificate_that_is_not_renewed_in_time_is_told() {
    const DAY_MS: i64 = 24 * HOUR_MS;
    check(&certificate(90, 14 * DAY_MS, None), expect![[""]]);
    check(
        &certificate(90, 14 * DAY_MS - 1, None),
        expect![[r#"
            warning certificate-ends/ (-): The certificate of HTTPS runs out in 13 days
        "#]],
    );
    check(
        &certificate(90, 3 * DAY_MS - 1, Some(HOUR_MS)),
        expect![[r#"
            critical certificate-ends/ (-): The certificate of HTTPS runs out in 2 days
        "#]],
    );
    // One that lives for six days is renewed two days before its end: a day of it is much.
    check(&certificate(6, DAY_MS, None), expect![[""]]);
    check(
        &certificate(6, DAY_MS - 1, None),
        expect![[r#"
            warning certificate-ends/ (-): The certificate of HTTPS runs out in less than a day
        "#]],
    );
    check(
        &certificate(6, -HOUR_MS, None),
        expect![[r#"
            critical certificate-ends/ (60): The certificate of HTTPS has run out: forms, 1C and browsers refuse to connect
        "#]],
    );
}

#[test]
fn a_certificate_that_cannot_be_had_is_told_when_it_lasts() {
    check(&certificate(90, 720 * HOUR_MS, Some(HOUR_MS - 1)), expect![[""]]);
    check(
        &certificate(90, 720 * HOUR_MS, Some(HOUR_MS)),
        expect![[r#"
            warning certificate-failed/ (60): A new certificate of HTTPS cannot be had; the present one holds for 30 days
        "#]],
    );
    // Without any nobody gets in.
    let mut facts = certificate(90, 0, Some(0));
    facts.certificate = facts.certificate.map(|it| CertificateFacts { holds: None, is_ordered: false, ..it });
    check(
        &facts,
        expect![[r#"
            critical certificate-failed/ (0): There is no certificate of HTTPS: forms, 1C and browsers cannot connect
        "#]],
    );
    facts.certificate = facts.certificate.map(|it| CertificateFacts { trouble: None, ..it });
    check(&facts, expect![[""]]);
}

#[test]
fn a_relay_that_is_not_pulled_is_told() {
    let relay = |stopped, waiting_ms: Option<i64>, lost| {
        let waiting_since = waiting_ms.map(ago);
        let host = "in.company.ru".to_owned();
        let relay = RelayFacts { host, stopped, waiting: 1, waiting_since, lost };
        Facts { relay: Some(relay), ..Facts::default() }
    };
    let stopped = |ms, wants_person| {
        let reason = Message::new("relay-token").with("host", "in.company.ru");
        Some(RelayStopped { since: ago(ms), wants_person, reason })
    };
    check(&relay(stopped(5 * MINUTE_MS - 1, false), Some(HOUR_MS), None), expect![[""]]);
    check(
        &relay(stopped(5 * MINUTE_MS, false), Some(HOUR_MS), None),
        expect![[r#"
            critical relay-stopped/relay (5): The relay in.company.ru does not answer: what it takes does not arrive
        "#]],
    );
    check(
        &relay(stopped(0, true), None, None),
        expect![[r#"
            critical relay-stopped/relay (0): Nothing can be pulled from the relay in.company.ru: a person is needed
        "#]],
    );
    check(&relay(None, Some(15 * MINUTE_MS - 1), None), expect![[""]]);
    let lost = Message::new("relay-gap").with("host", "in.company.ru").with("from", 3).with("to", 7);
    check(
        &relay(None, Some(15 * MINUTE_MS), Some(lost)),
        expect![[r#"
            warning relay-behind/relay (15): 1 message waits at the relay in.company.ru: pulling does not keep up
            warning relay-lost/relay (-): Some of what the relay in.company.ru took may not have arrived
        "#]],
    );
}

#[test]
fn words_that_a_sink_lacks_are_counted_and_not_named() {
    let reason = Message::new("sink-word").with("field", "STAGE_ID").with("word", "Встречи").with("near", "Встреча");
    let words = |words: &[&str]| Facts {
        words: vec![WordFacts {
            sink: crm(),
            connector: Slug::literal("bitrix24"),
            words: words.iter().map(|it| (*it).to_owned()).collect(),
            reason: reason.clone(),
            since: ago(2 * MINUTE_MS),
        }],
        ..Facts::default()
    };
    check(
        &words(&["STAGE_ID: Встречи"]),
        expect![[r#"
        warning words-missing/crm (2): crm does not have 1 name of stages, pipelines or sources that come to us: these fields are left out, deals take the first stage
    "#]],
    );
    check(
        &words(&["STAGE_ID: Встречи", "CATEGORY_ID: Оптт"]),
        expect![[r#"
        warning words-missing/crm (2): crm does not have 2 names of stages, pipelines or sources that come to us: these fields are left out, deals take the first stage
    "#]],
    );
    let why = |facts: &Facts| alarms(facts, NOW)[0].why.as_ref().map(|it| it.render(Locale::En)).unwrap_or_default();
    assert!(why(&words(&["STAGE_ID: Встречи"])).contains("is it \"Встреча\"?"));
    assert!(why(&words(&["STAGE_ID: Встречи", "CATEGORY_ID: Оптт"])).contains("Встречи; CATEGORY_ID: Оптт"));
}

#[test]
fn lost_rights_are_the_one_alarm_of_their_connection() {
    let reason = Message::new("oauth-lost").with("connection", "crm").with("detail", "-");
    let unread = Some((ago(HOUR_MS), reason.clone()));
    let facts = Facts {
        rights: vec![(crm(), reason)],
        sinks: vec![stopped(HOUR_MS, true)],
        sources: vec![SourceFacts { name: crm(), unread, ..site(0, HOUR_MS) }],
        ..Facts::default()
    };
    check(
        &facts,
        expect![[r#"
        critical rights-lost/crm (-): No access to crm: the permission was withdrawn or has run out
    "#]],
    );
}

#[test]
fn names_of_conditions_read_back_and_severities_have_their_order() {
    for condition in Condition::ALL {
        assert_eq!(Condition::of_id(condition.id()), Some(condition));
    }
    assert_eq!(Condition::of_id("other"), None);
    assert!(Severity::Critical > Severity::Warning && Severity::Warning > Severity::Notice);
}

#[test]
fn the_letter_has_words_for_the_end_of_every_condition() {
    for condition in Condition::ALL {
        let id = format!("notify-of-{}", condition.id());
        let message = Message { id: id.as_str().into(), args: Vec::new() };
        for locale in [Locale::Ru, Locale::En] {
            assert!(!message.render(locale).contains("notify-of"), "{id} has no text in {locale:?}");
        }
    }
}
