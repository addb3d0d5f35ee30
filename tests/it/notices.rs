//! Whom to tell what and when, as stories: what holds at which minute, and what people are told.

use expect_test::{Expect, expect};
use uzel::alarm::{Alarm, AlarmKey, Condition, NoticeRules, Severity, Told};
use uzel::base::{Message, Timestamp};

const RULES: NoticeRules = NoticeRules {
    from: Severity::Warning,
    pause_ms: 15 * MINUTE_MS,
    remind_ms: 24 * 60 * MINUTE_MS,
    gather_ms: 20_000,
};
const MINUTE_MS: i64 = 60_000;
const START: Timestamp = Timestamp(1_760_000_000_000);

/// `c:crm` is critical, `w:crm` a warning, `n:crm` a notice.
fn alarm(text: &str) -> Alarm {
    let (severity, subject) = text.split_once(':').expect("severity:subject");
    let severity = match severity {
        "c" => Severity::Critical,
        "w" => Severity::Warning,
        _ => Severity::Notice,
    };
    let key = AlarmKey { condition: Condition::SinkStopped, subject: subject.into() };
    let (what, next) = (Message::new("alarm-sink-stopped"), Message::new("alarm-sink-stopped-next"));
    Alarm { key, severity, since: None, what, why: None, next }
}

fn shown(told: &mut Told, alarms: &[Alarm], seconds: i64, arrives: bool) -> Option<(String, String)> {
    let now = START.plus_ms(seconds * 1_000);
    let notice = told.due(alarms, RULES, now, seconds * 1_000)?;
    if arrives {
        told.told(&notice, RULES, now);
    }
    let names = |alarms: &[Alarm]| alarms.iter().map(|it| it.key.subject.to_string()).collect::<Vec<_>>().join(",");
    let ended: Vec<&str> = notice.ended.iter().map(|(_, subject)| subject.as_str()).collect();
    let text = format!("new {} | still {} | over {}", names(&notice.raised), names(&notice.lasting), ended.join(","));
    Some((text, notice.id))
}

/// From each second on these alarms hold. A daemon looks every five seconds.
fn check(story: &[(i64, &[&str])], until: i64, expected: Expect) {
    let mut told = Told::default();
    let mut said = String::new();
    for seconds in (0..=until).step_by(5) {
        let holds = story.iter().rev().find(|(from, _)| *from <= seconds).map_or(&[][..], |(_, holds)| holds);
        let alarms: Vec<Alarm> = holds.iter().map(|it| alarm(it)).collect();
        // Killed and started again at every look: what was told is all that is known.
        told = serde_json::from_str(&serde_json::to_string(&told).expect("JSON")).expect("it reads");
        if let Some((text, _)) = shown(&mut told, &alarms, seconds, true) {
            said.push_str(&format!("{seconds}: {text}\n"));
        }
    }
    expected.assert_eq(&said);
}

#[test]
fn news_of_a_moment_come_in_one_message() {
    check(
        &[(0, &["c:a"]), (10, &["c:a", "w:b"])],
        600,
        expect![[r#"
        20: new a,b | still  | over 
    "#]],
    );
}

#[test]
fn what_passes_before_it_was_told_is_not_told() {
    check(&[(0, &["c:a"]), (15, &[])], 7_200, expect![[""]]);
    check(&[(0, &["n:a"])], 7_200, expect![[""]]);
}

#[test]
fn a_second_warning_waits_for_the_pause_and_a_critical_one_does_not() {
    check(
        &[(0, &["w:a"]), (60, &["w:a", "w:b"]), (120, &["w:a", "w:b", "c:d"])],
        1_800,
        expect![[r#"
        20: new a | still  | over 
        120: new b,d | still a | over 
    "#]],
    );
    check(
        &[(0, &["w:a"]), (60, &["w:a", "w:b"])],
        1_800,
        expect![[r#"
        20: new a | still  | over 
        920: new b | still a | over 
    "#]],
    );
}

#[test]
fn a_flickering_alarm_is_told_once_in_a_pause() {
    let mut story: Vec<(i64, &[&str])> = Vec::new();
    for minute in 0..120 {
        story.push((minute * 60, if minute % 2 == 0 { &["c:a"] } else { &[] }));
    }
    let mut told = Told::default();
    let mut count = 0;
    for seconds in (0..7_200).step_by(5) {
        let holds = story.iter().rev().find(|(from, _)| *from <= seconds).map_or(&[][..], |it| it.1);
        let alarms: Vec<Alarm> = holds.iter().map(|it| alarm(it)).collect();
        count += usize::from(shown(&mut told, &alarms, seconds, true).is_some());
    }
    assert!((2..=8).contains(&count), "{count} messages in two hours");
}

#[test]
fn an_end_is_told_and_what_grows_worse_too() {
    check(
        &[(0, &["w:a", "w:b"]), (1_800, &["c:a"])],
        3_600,
        expect![[r#"
        20: new a,b | still  | over 
        1820: new a | still  | over b
    "#]],
    );
}

#[test]
fn after_a_start_an_end_is_believed_only_when_everything_was_looked_at_again() {
    // Twenty minutes of this process have not passed.
    check(
        &[(0, &["w:a"]), (60, &[])],
        1_195,
        expect![[r#"
        20: new a | still  | over 
    "#]],
    );
    check(
        &[(0, &["w:a"]), (60, &[])],
        1_300,
        expect![[r#"
        20: new a | still  | over 
        1220: new  | still  | over a
    "#]],
    );
}

#[test]
fn what_lasts_is_told_again_once_a_day() {
    check(
        &[(0, &["w:a"])],
        2 * 86_400 + 600,
        expect![[r#"
        20: new a | still  | over 
        86420: new  | still a | over 
        172820: new  | still a | over 
    "#]],
    );
}

#[test]
fn a_message_that_did_not_arrive_comes_again_under_the_same_id() {
    let mut told = Told::default();
    let alarms = [alarm("c:a")];
    assert_eq!(shown(&mut told, &alarms, 0, false), None);
    let first = shown(&mut told, &alarms, 20, false).expect("it is due");
    let again = shown(&mut told, &alarms, 300, true).expect("it is due still");
    assert_eq!(first, again);
    assert_eq!(shown(&mut told, &alarms, 305, true), None, "it has arrived");
    let other = shown(&mut told, &[alarm("c:a"), alarm("c:b")], 325, true);
    assert_eq!(other, None, "it is gathered first");
}

#[test]
fn a_clock_that_goes_back_keeps_nobody_waiting() {
    let mut told = Told::default();
    assert_eq!(shown(&mut told, &[alarm("w:a")], 100_000, true), None);
    assert!(shown(&mut told, &[alarm("w:a")], 100_020, true).is_some());
    // A day back.
    let alarms = [alarm("w:a"), alarm("w:b")];
    assert!(shown(&mut told, &alarms, 10_000, true).is_some());
}
