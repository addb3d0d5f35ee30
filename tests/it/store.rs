//! The stores against their conformance functions, and what a damaged folder does.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use uzel::base::{ItemRef, Position};
use uzel::store::sled::SledStore;
use uzel::store::{MemoryStore, Store, StoreError, Write, conformance};

#[test]
fn memory_store_keeps_the_promises() {
    conformance::run(MemoryStore::new);
}

#[test]
fn sled_store_keeps_the_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let number = std::cell::Cell::new(0);
    conformance::run(|| {
        number.set(number.get() + 1);
        open(&folder.path().join(number.get().to_string()))
    });
}

#[test]
fn sled_store_survives_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    conformance::survives_reopening(|| open(folder.path()));
}

fn open(path: &Path) -> SledStore {
    SledStore::open(path).expect("opens").store
}

const COMMITS: u64 = 60;
const ROWS: u8 = 20;

/// Commit `position`: rows that each commit replaces, and one of its own.
fn commit(store: &SledStore, position: u64, value_bytes: usize) {
    let value = Some(vec![position as u8; value_bytes].into());
    let mut writes: Vec<Write> = (0..ROWS).map(|row| (vec![1, row], value.clone())).collect();
    writes.push(([&[2], &position.to_be_bytes()[..]].concat(), value));
    let at = |position| ItemRef::new(Position(position), 0);
    store.commit(at(position), at(position + 1), 1, writes).expect("commits");
}

/// A store of 60 commits, closed.
fn filled(path: &Path, value_bytes: usize) {
    let store = open(path);
    (0..COMMITS).for_each(|position| commit(&store, position, value_bytes));
    store.flush().expect("flushes");
}

/// Opens the store and checks that it holds the rows of exactly the commit that it says; which one.
fn check_whole(path: &Path) -> u64 {
    let opened = SledStore::open(path).expect("opens");
    let position = opened.checkpoint.position.0;
    let newest = position.checked_sub(1).map(|last| (0..ROWS).map(move |row| (vec![1, row], last as u8)));
    let single = (0..position).map(|commit| ([&[2], &commit.to_be_bytes()[..]].concat(), commit as u8));
    let expected = newest.into_iter().flatten().chain(single);
    let rows = opened.store.range(&[], &[0xFF], false, usize::MAX).expect("reads");
    assert!(rows.into_iter().map(|(key, value)| (key, value[0])).eq(expected), "rows not of commit {position}");
    position
}

#[test]
fn opening_tells_checkpoint_and_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    filled(folder.path(), 250);
    let opened = SledStore::open(folder.path()).expect("opens");
    assert_eq!((opened.checkpoint, opened.epoch), (ItemRef::new(Position(COMMITS), 0), 1));
}

#[test]
fn store_open_elsewhere_is_in_use_and_not_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let _held = open(folder.path());
    let second = SledStore::open(folder.path());
    let Err(StoreError::Failed(message)) = second else { panic!("{second:?}") };
    assert_eq!(message.id, "store-locked");
}

#[test]
fn folder_that_cannot_be_made_is_a_failure_and_not_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("writes");
    let opened = SledStore::open(&file.join("store"));
    assert!(matches!(opened, Err(StoreError::Failed(_))), "{opened:?}");
}

/// Whatever bytes rot on the disk, opening and reading end in an answer and never in a panic of
/// ours; what is read was committed, and nothing is newer than the checkpoint.
///
/// FIXME: rows may be missing. sled 0.34 takes a segment whose header is bad for a free one and
/// says nothing (it does so here, too). A torn tail is not affected: it goes back to an earlier
/// commit whole. What finds the loss is the comparison of `tables::rows_hash` with a rebuild.
#[test]
fn rotten_bytes_never_take_us_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = folder.path().join("sound");
    filled(&sound, 1_500);
    let mut opened_count = 0;
    for step in 0..24 {
        let path = folder.path().join(format!("rotten-{step}"));
        copy(&sound, &path);
        let mut bytes = std::fs::read(path.join("db")).expect("reads");
        let from = bytes.len() / 24 * step;
        bytes[from..from + 64].fill(0xA5);
        std::fs::write(path.join("db"), bytes).expect("writes");
        let Ok(opened) = SledStore::open(&path) else { continue };
        let Ok(rows) = opened.store.range(&[], &[0xFF], false, usize::MAX) else { continue };
        opened_count += 1;
        for (key, value) in rows {
            let commit = u64::from(value[0]);
            assert!(value == vec![value[0]; 1_500] && commit < opened.checkpoint.position.0, "step {step}: {key:?}");
        }
    }
    assert!(opened_count > 0, "nothing was read");
}

/// A power cut leaves a beginning of what was being written: the store is then that of an earlier
/// commit, whole, and the checkpoint says which. (One segment of sled's, so that the end of the
/// file is the end of its log.)
#[test]
fn torn_tail_gives_an_earlier_commit_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = folder.path().join("sound");
    filled(&sound, 150);
    let mut positions = Vec::new();
    for step in 0..12 {
        let path = folder.path().join(format!("torn-{step}"));
        copy(&sound, &path);
        let file = std::fs::OpenOptions::new().write(true).open(path.join("db")).expect("opens");
        let len = file.metadata().expect("is there").len();
        assert!(len < 512 * 1024, "more than one segment");
        file.set_len(len - 2_111 * step).expect("cuts");
        positions.push(check_whole(&path));
    }
    assert!(positions.is_sorted_by(|a, b| a >= b) && positions[0] > positions[11], "{positions:?}");
}

/// The process dies between any two instructions: what was flushed is there, and what is there is
/// whole. The child is this test binary itself, told its folder by the environment.
#[test]
fn killed_writer_loses_nothing_flushed() {
    const FOLDER: &str = "UZEL_TEST_KILLED_WRITER";
    if let Some(path) = std::env::var_os(FOLDER) {
        return write_until_killed(Path::new(&path));
    }
    for lines in [1, 3, 4, 9] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = std::process::Command::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "store::killed_writer_loses_nothing_flushed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let flushed =
            output.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("flushed ")?.parse().ok());
        let durable: u64 = flushed.take(lines).last().expect("the child writes until it is killed");
        child.kill().expect("kills");
        child.wait().expect("ends");
        let found = check_whole(folder.path());
        assert!(found >= durable, "{durable} was flushed, {found} is there");
    }
}

fn write_until_killed(path: &Path) {
    let store = open(path);
    for position in 0..100_000 {
        commit(&store, position, 1_500);
        if position % 16 == 15 {
            println!("flushed {}", store.flush().expect("flushes").position);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("makes");
    for file in std::fs::read_dir(from).expect("lists") {
        let file = file.expect("lists").path();
        if file.is_file() {
            std::fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copies");
        }
    }
}
