//! Working time: shifts, holidays, moved and shortened days, jumps of the clocks, the laws.

use compact_str::CompactString;
use expect_test::{Expect, expect};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use uzel::base::{Locale, Problem, Timestamp};
use uzel::calendar::Calendar;
use uzel::catalog::FileSet;

const FILE: &str = "rules/calendar.toml";

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("bundled")
}

fn compile(text: &str, zone_name: &str) -> Result<Calendar, Vec<Problem>> {
    let files = FileSet::builtin();
    Calendar::compile(FILE, text, &zone(zone_name), &mut |name| files.get(name).map(str::to_owned))
}

fn built_in() -> Calendar {
    compile(FileSet::builtin().get(FILE).expect("built in"), "Europe/Moscow").expect("it compiles")
}

/// A weekday shop with a night shift, round the clock at weekends.
const SHOP: &str = r#"
production = "ru"
days_off = ["2026-12-30", 2026-08-03]
[[shift]]
name = "утро"
days = ["пн-пт"]
from = "09:00"
to = "13:00"
[[shift]]
name = "утро"
days = ["mon-fri"]
from = "14:00"
to = "18:00"
[[shift]]
name = "ночь"
days = ["fri-sat"]
from = "22:00"
to = "06:00"
[[shift]]
name = "дежурство"
days = ["sun"]
from = "00:00"
to = "24:00"
on_holidays = true
[[day]]
date = "2026-12-29"
from = "10:00"
to = "12:00"
"#;

/// `2026-11-20 17:50` on the clock of the zone.
fn at(zone: &TimeZone, text: &str) -> Timestamp {
    let civil: DateTime = text.replace(' ', "T").parse().expect("a time in a test");
    Timestamp::from_jiff(zone.to_ambiguous_zoned(civil).compatible().expect("in range").timestamp())
}

fn told(zone: &TimeZone, at: Timestamp) -> String {
    at.to_jiff().to_zoned(zone.clone()).strftime("%a %d.%m.%Y %H:%M").to_string()
}

/// Each line: an instant and minutes; what is said of it.
fn check(text: &str, zone_name: &str, cases: &[(&str, u32)], expected: Expect) {
    let calendar = compile(text, zone_name).expect("it compiles");
    let zone = zone(zone_name);
    let mut said = String::new();
    for (from, minutes) in cases {
        let from = at(&zone, from);
        let works = if calendar.is_working(from) { "works" } else { "rests" };
        let opening = told(&zone, calendar.next_opening(from));
        let due = told(&zone, calendar.plus_working_minutes(from, *minutes));
        said += &format!("{}: {works}, opens {opening}, +{minutes} {due}\n", told(&zone, from));
    }
    expected.assert_eq(&said);
}

#[test]
fn missed_call_is_due_by_working_time() {
    let text = FileSet::builtin().get(FILE).expect("built in").to_owned();
    let cases = [
        ("2026-11-20 12:00", 15),
        ("2026-11-20 17:50", 15),
        ("2026-11-20 18:00", 15),
        ("2026-11-21 03:00", 15),
        ("2026-11-03 16:55", 15),
        ("2026-11-03 17:30", 15),
        ("2025-12-30 17:59", 2),
        ("2025-11-01 16:30", 45),
        ("2026-01-05 12:00", 540),
    ];
    check(
        &text,
        "Europe/Moscow",
        &cases,
        expect![[r#"
            Fri 20.11.2026 12:00: works, opens Fri 20.11.2026 12:00, +15 Fri 20.11.2026 12:15
            Fri 20.11.2026 17:50: works, opens Fri 20.11.2026 17:50, +15 Mon 23.11.2026 09:05
            Fri 20.11.2026 18:00: rests, opens Mon 23.11.2026 09:00, +15 Mon 23.11.2026 09:15
            Sat 21.11.2026 03:00: rests, opens Mon 23.11.2026 09:00, +15 Mon 23.11.2026 09:15
            Tue 03.11.2026 16:55: works, opens Tue 03.11.2026 16:55, +15 Thu 05.11.2026 09:10
            Tue 03.11.2026 17:30: rests, opens Thu 05.11.2026 09:00, +15 Thu 05.11.2026 09:15
            Tue 30.12.2025 17:59: works, opens Tue 30.12.2025 17:59, +2 Mon 12.01.2026 09:01
            Sat 01.11.2025 16:30: works, opens Sat 01.11.2025 16:30, +45 Wed 05.11.2025 09:15
            Mon 05.01.2026 12:00: rests, opens Mon 12.01.2026 09:00, +540 Mon 12.01.2026 18:00
        "#]],
    );
}

#[test]
fn breaks_nights_and_days_of_their_own() {
    let cases = [
        ("2026-11-20 12:50", 20),
        ("2026-11-20 17:30", 60),
        ("2026-11-21 05:59", 2),
        ("2026-11-21 23:00", 24 * 60),
        ("2026-12-29 11:00", 90),
        ("2026-08-02 23:00", 120),
        ("2026-01-04 12:00", 60),
    ];
    check(
        SHOP,
        "Asia/Yekaterinburg",
        &cases,
        expect![[r#"
        Fri 20.11.2026 12:50: works, opens Fri 20.11.2026 12:50, +20 Fri 20.11.2026 14:10
        Fri 20.11.2026 17:30: works, opens Fri 20.11.2026 17:30, +60 Fri 20.11.2026 22:30
        Sat 21.11.2026 05:59: works, opens Sat 21.11.2026 05:59, +2 Sat 21.11.2026 22:01
        Sat 21.11.2026 23:00: works, opens Sat 21.11.2026 23:00, +1440 Sun 22.11.2026 23:00
        Tue 29.12.2026 11:00: works, opens Tue 29.12.2026 11:00, +90 Sun 03.01.2027 00:30
        Sun 02.08.2026 23:00: works, opens Sun 02.08.2026 23:00, +120 Tue 04.08.2026 10:00
        Sun 04.01.2026 12:00: works, opens Sun 04.01.2026 12:00, +60 Sun 04.01.2026 13:00
    "#]],
    );
}

#[test]
fn clocks_that_jump_make_a_shift_an_hour_shorter_or_longer() {
    let night = "[[shift]]\nname = \"night\"\ndays = [\"mon-sun\"]\nfrom = \"22:00\"\nto = \"06:00\"\n";
    let cases = [("2026-03-28 22:00", 7 * 60), ("2026-10-24 22:00", 9 * 60), ("2026-10-24 22:00", 9 * 60 + 1)];
    check(
        night,
        "Europe/Berlin",
        &cases,
        expect![[r#"
        Sat 28.03.2026 22:00: works, opens Sat 28.03.2026 22:00, +420 Sun 29.03.2026 06:00
        Sat 24.10.2026 22:00: works, opens Sat 24.10.2026 22:00, +540 Sun 25.10.2026 06:00
        Sat 24.10.2026 22:00: works, opens Sat 24.10.2026 22:00, +541 Sun 25.10.2026 22:01
    "#]],
    );
}

#[test]
fn norm_of_working_time_of_a_year() {
    let calendar = built_in();
    let norm = |year: i16| {
        let day = |year| at(&zone("Europe/Moscow"), &format!("{year}-01-01 00:00"));
        let minutes = calendar.working_minutes_between(day(year), day(year + 1));
        let first: Date = format!("{year}-01-01").parse().expect("a date");
        let noon = |date: Date| at(&zone("Europe/Moscow"), &format!("{date} 12:00"));
        let days = first.series(jiff::Span::new().days(1)).take_while(|date| date.year() == year);
        (days.filter(|date| calendar.is_working(noon(*date))).count(), minutes)
    };
    // Nine hours from door to door; the norm itself is 1972 hours of eight.
    assert_eq!(norm(2025), (247, (247 * 9 - 4) * 60));
    assert_eq!(norm(2026), (247, (247 * 9 - 4) * 60));
    // A year without data: plain weekdays.
    assert_eq!(norm(2031), (261, 261 * 9 * 60));
}

#[test]
fn an_employee_is_asked_about_by_his_own_shifts() {
    let calendar = compile(SHOP, "Europe/Moscow").expect("it compiles");
    let saturday_night = at(&zone("Europe/Moscow"), "2026-11-21 23:00");
    let (night, morning) = ([CompactString::new("ночь")], [CompactString::new("утро")]);
    assert!(calendar.of(&night).is_working(saturday_night));
    assert!(!calendar.of(&morning).is_working(saturday_night));
    assert_eq!(calendar.shift_names(), ["утро", "ночь", "дежурство"]);
    let opening = calendar.of(&morning).next_opening(saturday_night);
    assert_eq!(told(&zone("Europe/Moscow"), opening), "Mon 23.11.2026 09:00");
}

#[test]
fn a_year_without_data_is_warned_of_in_time() {
    let said = |day: &str| {
        let warnings = built_in().warnings(at(&zone("Europe/Moscow"), &format!("{day} 12:00")));
        warnings.iter().map(|it| it.render(Locale::En)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said("2026-11-22"), "");
    expect!["rules/calendar-ru.toml: the moved days off of 2027 are not in yet: only the holidays of the code count. Write the days of the decree and take preliminary away."].assert_eq(&said("2026-12-01"));
    expect![[r#"
        rules/calendar-ru.toml: the moved days off of 2027 are not in yet: only the holidays of the code count. Write the days of the decree and take preliminary away.
        rules/calendar-ru.toml: there is no production calendar for 2028: holidays are not known, plain weeks count. Add [[year]], or days off to rules/calendar.toml (days_off)."#]].assert_eq(&said("2027-12-01"));
}

#[test]
fn all_problems_of_the_file_come_out_at_once() {
    let text = r#"
zone = "Europe/Moskow"
production = "rus"
days_off = ["31.12.2026", "2026-12-29"]
shortend = 1
[[shift]]
name = "день"
days = ["mon-fry"]
from = "9.00"
to = "18:00"
[[shift]]
days = ["mon"]
from = "09:00"
to = "09:00"
[[day]]
date = "2026-12-29"
from = "10:00"
to = "12:00"
"#;
    let problems = compile(text, "Europe/Moscow").expect_err("it is wrong");
    let said: Vec<String> = problems.iter().map(|it| it.render(Locale::En)).collect();
    expect![[r#"
        rules/calendar.toml:2: there is no zone "Europe/Moskow". Write a name such as "Europe/Moscow" or "Asia/Yekaterinburg".
        rules/calendar.toml:3: there is no production calendar "rus". Put it into rules/calendar-rus.toml or take production away.
        rules/calendar.toml:4: "31.12.2026" is no date. Write, for instance: "2026-12-31".
        rules/calendar.toml:5: "shortend" is not known here. Known: zone, production, shortened_by_minutes, shift, days_off, day.
        rules/calendar.toml:8: "days" cannot be "fry"; did you mean "fri"?
        rules/calendar.toml:9: "9.00" is no time. Write, for instance: "09:00"; the end of the day is "24:00".
        rules/calendar.toml:11: "name" is missing. Add it to this table.
        rules/calendar.toml:14: the shift ends when it begins. Round the clock is from = "00:00", to = "24:00".
        rules/calendar.toml:15: 2026-12-29 is both a day off in days_off and a day with hours of its own. Keep one."#]].assert_eq(&said.join("\n"));
}

#[test]
fn all_problems_of_a_production_calendar_come_out_too() {
    let production = r#"
[[year]]
year = 2026
source = "decree"
holidays = ["2027-01-01"]
moved = [{ work = "2026-02-28", rst = "2026-02-27" }]
shortened = ["2027-01-01", "2026-02-30"]
[[year]]
year = 2026
"#;
    let text = "production = \"x\"\n[[shift]]\nname = \"a\"\ndays = \"mon\"\nfrom = \"09:00\"\nto = \"10:00\"\n";
    let mut read = |name: &str| (name == "rules/calendar-x.toml").then(|| production.to_owned());
    let problems = Calendar::compile(FILE, text, &zone("UTC"), &mut read).expect_err("it is wrong");
    let said: Vec<String> = problems.iter().map(|it| it.render(Locale::En)).collect();
    expect![[r#"
        rules/calendar-x.toml:5: 2027-01-01 is of the year 2027. Move it to that section.
        rules/calendar-x.toml:6: "rest" is missing. Add it to this table.
        rules/calendar-x.toml:6: "rst" is not known here; did you mean "rest"?
        rules/calendar-x.toml:7: "2026-02-30" is no date. Write, for instance: "2026-12-31".
        rules/calendar-x.toml:7: 2027-01-01 is of the year 2027. Move it to that section.
        rules/calendar-x.toml:7: 2027-01-01 is a day off and cannot be shorter. Take it out of shortened.
        rules/calendar-x.toml:8: "source" is missing. Add it to this table.
        rules/calendar-x.toml:8: the year 2026 is there twice. Keep one."#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn whoever_never_works_is_not_waited_for() {
    let never = "[[shift]]\nname = \"a\"\ndays = [\"mon\"]\nfrom = \"09:00\"\nto = \"10:00\"\n";
    let calendar = compile(never, "UTC").expect("it compiles");
    let nobody = [CompactString::new("b")];
    let now = at(&zone("UTC"), "2026-11-20 12:00");
    assert_eq!(calendar.of(&nobody).next_opening(now), now);
    assert_eq!(calendar.of(&nobody).plus_working_minutes(now, 15), now.plus_ms(15 * 60_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn minutes_added_are_the_minutes_between(
        start in 1_735_700_000_000_i64..1_800_000_000_000,
        minutes in 0_u32..6_000,
        which in 0_usize..3,
    ) {
        let zone_name = ["Europe/Moscow", "Europe/Berlin", "America/Sao_Paulo"][which];
        let calendar = compile(SHOP, zone_name).expect("it compiles");
        let from = Timestamp(start);
        let due = calendar.plus_working_minutes(from, minutes);
        prop_assert_eq!(calendar.working_minutes_between(from, due), i64::from(minutes));
        prop_assert!(due >= from);
        let opening = calendar.next_opening(from);
        prop_assert!(calendar.is_working(opening) && opening >= from);
        prop_assert_eq!(calendar.working_minutes_between(from, opening), 0);
        if minutes > 0 {
            // The last minute of it was worked.
            prop_assert!(calendar.is_working(due.plus_ms(-1)));
        }
    }
}
