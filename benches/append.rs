//! Appends per second of the journal on a real disk: `cargo bench --bench append [FOLDER]`.
//!
//! Tasks append payloads of 1 KiB one after the other, each awaiting its position; what is counted
//! is acknowledged, that is, synced. The folder decides which disk is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uzel::base::clock::SystemClock;
use uzel::base::{Clock, Position};
use uzel::entry::Kind;
use uzel::journal::{Journal, NewEntry, Options, Segments};

const PAYLOAD_BYTES: usize = 1024;
const LASTS: Duration = Duration::from_secs(3);

fn main() {
    // Cargo passes `--bench`; only a plain word is a folder.
    let folder =
        std::env::args().skip(1).find(|it| !it.starts_with('-')).map_or_else(std::env::temp_dir, PathBuf::from);
    let runtime = tokio::runtime::Runtime::new().expect("the runtime starts");
    for tasks in [1, 8, 64, 256, 1024] {
        let place = tempfile::tempdir_in(&folder).expect("the folder takes a folder");
        let (journal, _) = Segments::open(&place.path().join("journal"), Arc::new(SystemClock), Options::production(1))
            .expect("the journal opens");
        let journal = Arc::new(journal);
        let started = Instant::now();
        runtime.block_on(append_for(&journal, tasks));
        let seconds = started.elapsed().as_secs_f64();
        let appended = journal.head().0;
        let reading = time_of_reading(&journal);
        println!(
            "{tasks:>5} tasks: {:>8.0} appends/s, {:>6.0} MiB/s; reading back {reading:.0} MiB/s",
            appended as f64 / seconds,
            appended as f64 * PAYLOAD_BYTES as f64 / seconds / 1_048_576.0,
        );
        journal.close();
    }
}

async fn append_for(journal: &Arc<Segments>, tasks: usize) {
    let until = Instant::now() + LASTS;
    let senders: Vec<_> = (0..tasks)
        .map(|_| {
            let journal = journal.clone();
            tokio::spawn(async move {
                while Instant::now() < until {
                    let entry =
                        NewEntry { kind: Kind::Received, at: SystemClock.now(), payload: vec![7; PAYLOAD_BYTES] };
                    journal.append(entry).await.expect("the journal takes it");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("the sender does not panic");
    }
}

fn time_of_reading(journal: &Segments) -> f64 {
    let started = Instant::now();
    let (mut next, mut bytes) = (Position(1), 0);
    loop {
        let entries = journal.read(next, 512, 1 << 20).expect("the journal reads");
        let Some(last) = entries.last() else { break };
        next = last.position.next();
        bytes += entries.iter().map(|it| it.payload.len()).sum::<usize>();
    }
    bytes as f64 / started.elapsed().as_secs_f64() / 1_048_576.0
}
