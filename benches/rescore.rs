//! One million deals rescored in memory: what a change of the rules costs. Prints the median of
//! five rounds, on one core and on all. Run: `cargo bench --bench rescore`.
#![allow(missing_docs, reason = "a program, not a library")]

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use rayon::prelude::*;
use uzel::base::Timestamp;
use uzel::model::{Class, Currency};
use uzel::report::Totals;
use uzel::scoring::{Facts, Rules, score};

const ROUNDS: usize = 5;
const DAY_MS: i64 = 86_400_000;
/// 2026-11-22 12:00 in Moscow.
const NOON: Timestamp = Timestamp(1_795_338_000_000);

fn main() {
    let (rules, zone, rub) = (busy_rules(), TimeZone::get("Europe/Moscow").expect("bundled"), Currency::rub());
    // Run as a test (`cargo test --all-targets`) it only shows that it runs.
    let count: u64 = if std::env::args().any(|it| it == "--bench") { 1_000_000 } else { 10_000 };
    let deals: Vec<Facts<'_>> = (0..count).map(|number| facts(number, &zone, &rub)).collect();
    let one = |deals: &[Facts<'_>]| {
        deals.iter().fold(Totals::new(&rub), |mut totals, facts| {
            totals.add(&score(&rules, facts));
            totals
        })
    };
    let (alone, alone_took) = median(|| one(&deals));
    let (all, all_took) = median(|| {
        deals.par_chunks(10_000).map(one).reduce(
            || Totals::new(&rub),
            |mut left, right| {
                left.merge(&right);
                left
            },
        )
    });
    assert_eq!(alone, all, "the number of cores changes nothing");
    println!("deals {count}, forecast {} kopecks, A {}", alone.forecast_minor, alone.class(Class::A).count);
    println!("one core:  median {alone_took:?}");
    println!("all cores: median {all_took:?} ({} threads)", rayon::current_num_threads());
}

fn median(run: impl Fn() -> Totals) -> (Totals, Duration) {
    let mut totals = run();
    let mut rounds: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            totals = run();
            start.elapsed()
        })
        .collect();
    rounds.sort();
    (totals, rounds[ROUNDS / 2])
}

/// All ten factors have points.
fn busy_rules() -> Rules {
    let text = uzel::scoring::BUILT_IN
        .replace("points_bp = {}", "points_bp = { \"new\" = 500, \"yes\" = 1000, \"planned\" = 200 }")
        .replace("bands = [[0, 0]]\n", "bands = [[0, 0], [3, -100], [30, -500]]\n");
    Rules::compile("rules/scoring.toml", &text).expect("the bench's rules compile")
}

/// A deal made of its number alone, so that every run has the same million.
fn facts<'a>(number: u64, zone: &'a TimeZone, rub: &'a Currency) -> Facts<'a> {
    let mut state = number;
    let mut next = |bound: u64| {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    };
    let mut ago = |days: u64| NOON.plus_ms(-(next(days * DAY_MS as u64) as i64));
    let (stage_since, replied_at, known) = (ago(120), ago(90), ago(400));
    let pick = |words: &[&'static str], at: u64| words.get(at as usize).copied();
    Facts {
        price_minor: (next(20) > 0).then(|| 100_000 + next(100_000_000) as i64),
        currency: Some(rub),
        status: pick(&["Целевой", "Встреча", "КП"], next(4)),
        stage_since: Some(stage_since),
        active_at: Some(stage_since.max(replied_at)),
        replied_at: Some(replied_at),
        source: pick(&["site.ru", "сарафан", "Конфер."], next(4)),
        segment: pick(&["new", "regular"], next(3)),
        product_line: pick(&["new", "other"], next(3)),
        decides: Some(next(2) == 0),
        next_step: pick(&["planned", "overdue"], next(3)),
        close_date_moves: next(4) as u32,
        client_median_minor: Some(10_000_000),
        client_known_since: Some(known),
        purchases: next(3) as u32,
        ..Facts::unknown(NOON, zone)
    }
}
