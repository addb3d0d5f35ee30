//! Convergence: people edit in the CRM, clients fill forms, 1C sends orders, the portal and the
//! network fail, the process is killed; when that ends, both sides say the same, nothing is there
//! twice, and writing stops by itself.
//!
//! Each scene follows from a number. Everything runs in one thread and in simulated time: the real
//! tasks (delivery, reading, ticks, slices) over a journal and a store in memory, and the twin of
//! Bitrix24 without a network. `UZEL_SCENE_SEED=7 cargo test --test it scene:: -- --nocapture` plays
//! one scene and tells its story; `UZEL_SCENES=5000` plays more of them,
//! `UZEL_SCENES_FROM=1000` others.

mod acts;
mod found;
mod laws;
mod merges;
mod plan;
mod stage;
mod words;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use acts::Play;

/// Scenes of a usual run.
const SCENES: u64 = 1_000;
/// Failures that are told whole; the numbers of the others only.
const TOLD_MAX: usize = 2;

/// A scene that failed: its number, its story, what was wrong.
type Failed = (u64, Vec<String>, Vec<String>);

/// Plays the scene `seed` to its end; its story, and what was wrong.
fn play(seed: u64) -> (Vec<String>, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut play = Play::new(seed);
        play.run().await;
        (play.story, play.wrong)
    })
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn both_sides_converge_whatever_happens() {
    if let Some(seed) = number("UZEL_SCENE_SEED") {
        let (story, wrong) = play(seed);
        println!("scene {seed}\n{}", story.join("\n"));
        assert!(wrong.is_empty(), "scene {seed}:\n{}", wrong.join("\n"));
        return;
    }
    let (scenes, first) = (number("UZEL_SCENES").unwrap_or(SCENES), number("UZEL_SCENES_FROM").unwrap_or(0));
    let next = AtomicU64::new(first);
    let failed: Mutex<Vec<Failed>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + scenes {
                        return;
                    }
                    let played = std::panic::catch_unwind(|| play(seed));
                    let (story, wrong) = played.unwrap_or_else(|_| (Vec::new(), vec!["it panicked".to_owned()]));
                    if !wrong.is_empty() {
                        failed.lock().expect("no panic before").push((seed, story, wrong));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().expect("no panic before");
    failed.sort_unstable();
    let mut told = String::new();
    for (seed, story, wrong) in failed.iter().take(TOLD_MAX) {
        let _infallible = write!(told, "\nscene {seed}\n{}\nWRONG\n{}\n", story.join("\n"), wrong.join("\n"));
    }
    for (seed, _, wrong) in &failed {
        let _infallible = write!(told, "\n{seed}: {}", wrong.first().map_or("", String::as_str));
    }
    assert!(failed.is_empty(), "{} of {scenes} scenes fail; UZEL_SCENE_SEED=n plays one{told}", failed.len());
}

#[test]
fn a_scene_is_the_same_each_time() {
    for seed in [3, 77, 512] {
        assert_eq!(play(seed), play(seed), "scene {seed}");
    }
}
