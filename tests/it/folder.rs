//! Watched folders: when a file is taken, that it is taken once whatever stops us, and what becomes
//! of its rows.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use uzel::base::{ItemRef, Position, Slug, Timestamp};
use uzel::catalog::{Catalog, FileSet};
use uzel::config::Settings;
use uzel::entry::{Body, Command, Entry, Received};
use uzel::journal::{Journal, MemoryJournal};
use uzel::model::{Outcome, OutcomeKind};
use uzel::source::folder::{After, FileState, FolderSettings, FolderSource, Look, Pattern};
use uzel::tables::{Block, Clients, Counters, Deals, Outcomes, Quarantine, Span};

use super::pipeline_support::{World, hash};
use super::table::{Cell, workbook};

const NOW: Timestamp = Timestamp(1_772_442_000_000);
const GOOD: &str = "Клиент;Телефон;Почта\nИванов Иван;89161234567;i@site.example\nПетров Пётр;89161234568;p@site.example\nОрлова Анна;89161234569;o@site.example\n";

/// A folder, what watches it, and the journal.
struct Watched {
    _home: tempfile::TempDir,
    path: std::path::PathBuf,
    memory: std::path::PathBuf,
    journal: Arc<dyn Journal>,
    source: FolderSource,
    after: After,
    runtime: tokio::runtime::Runtime,
}

impl Watched {
    fn new(after: After) -> Watched {
        let home = tempfile::tempdir().expect("a place");
        let path = home.path().join("in");
        fs::create_dir(&path).expect("a folder");
        let memory = home.path().join("memory").join("price.json");
        let source = source(&path, &memory, after);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Watched { path, memory, journal: Arc::new(MemoryJournal::new()), source, after, runtime, _home: home }
    }

    /// Writes a file as it was changed an hour ago.
    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        self.put_at(name, content, NOW.plus_ms(-3_600_000));
    }

    fn put_at(&self, name: &str, content: impl AsRef<[u8]>, at: Timestamp) {
        let path = self.path.join(name);
        fs::write(&path, content).expect("it is written");
        let at = UNIX_EPOCH + Duration::from_millis(at.0.unsigned_abs());
        File::options().write(true).open(&path).and_then(|file| file.set_modified(at)).expect("its time is set");
    }

    fn look(&mut self) -> Look {
        self.runtime.block_on(self.source.look(&self.journal, NOW))
    }

    /// Looks until nothing changes any more.
    fn looks(&mut self) -> Look {
        self.look();
        self.look()
    }

    /// The process ends and begins anew.
    fn restart(&mut self) {
        self.source = source(&self.path, &self.memory, self.after);
    }

    fn envelopes(&self) -> Vec<Received> {
        let entries = self.journal.read(Position(1), 1_000, usize::MAX).expect("the journal reads");
        let envelope = |it: &uzel::journal::StoredEntry| match Entry::decode(it.kind, &it.payload) {
            Ok(Entry::Received(received)) => Some(received),
            _ => None,
        };
        entries.iter().filter_map(envelope).collect()
    }

    /// Different envelopes: those that the pipeline will not call repeated.
    fn keys(&self) -> usize {
        let keys: std::collections::BTreeSet<_> = self.envelopes().iter().map(|it| it.idempotency_key).collect();
        keys.len()
    }
}

fn source(path: &Path, memory: &Path, after: After) -> FolderSource {
    FolderSource::open(FolderSettings {
        connection: Slug::literal("price"),
        connector: Slug::literal("folder"),
        stream: Slug::literal("clients"),
        path: path.to_owned(),
        pattern: Pattern::new("*"),
        after,
        memory: memory.to_owned(),
    })
}

fn waits(look: &Look, name: &str) -> String {
    match look.files.get(name) {
        Some(FileState::Waits(message)) => message.id.to_string(),
        Some(FileState::Read(position)) => format!("read {position}"),
        None => "not there".to_owned(),
    }
}

#[test]
fn a_file_is_taken_when_it_is_whole_and_goes_to_done() {
    let mut watched = Watched::new(After::Move);
    watched.put("clients.csv", GOOD);
    assert_eq!(waits(&watched.look(), "clients.csv"), "folder-growing");
    assert!(watched.envelopes().is_empty());
    assert_eq!(waits(&watched.look(), "clients.csv"), "read 1");
    assert!(watched.path.join("done/clients.csv").exists() && !watched.path.join("clients.csv").exists());
    let envelope = watched.envelopes().remove(0);
    assert_eq!(envelope.header("file"), Some("clients.csv"));
    assert_eq!(envelope.header("modified"), Some("2026-03-02T08:00:00Z"));
    assert_eq!(envelope.body, Body::Inline(GOOD.as_bytes().to_vec()));
    assert_eq!(watched.look(), Look::default());
}

#[test]
fn half_copied_locked_and_foreign_files_wait_or_are_left_alone() {
    let book = workbook(&[("A", "visible", vec![vec![Cell::Text("ФИО")], vec![Cell::Text("А")]], &[])]);
    let mut watched = Watched::new(After::Move);
    let just_now = NOW.plus_ms(-1_000);
    watched.put_at("half.xlsx", &book[..book.len() / 2], just_now);
    watched.put("open.xlsx", &book);
    watched.put("~$open.xlsx", "lock");
    watched.put_at("cut.csv", "Клиент;Телефон\nИван", just_now);
    watched.put_at("empty.csv", "", just_now);
    watched.put("копия.csv.part", GOOD);
    watched.put(".hidden.csv", GOOD);
    watched.put("letter.docx", "x");
    fs::create_dir(watched.path.join("folder.csv")).expect("a folder");
    let look = watched.looks();
    let states: Vec<String> = look.files.keys().map(|name| format!("{name}: {}", waits(&look, name))).collect();
    assert_eq!(
        states,
        ["cut.csv: folder-no-end", "empty.csv: folder-growing", "half.xlsx: folder-half", "open.xlsx: folder-locked",]
    );
    assert!(watched.envelopes().is_empty());

    // Each goes on when what it waits for is there.
    fs::remove_file(watched.path.join("~$open.xlsx")).expect("closed");
    watched.put_at("half.xlsx", &book, just_now.plus_ms(500));
    for _ in 0..6 {
        watched.look();
    }
    let done: Vec<bool> =
        ["open.xlsx", "half.xlsx", "cut.csv"].map(|it| watched.path.join("done").join(it).exists()).into();
    assert_eq!(done, [true, true, true], "a text that does not change for long is whole as it is");
    // Damaged for good is taken too: quarantine says what is wrong with it.
    watched.put("broken.xlsx", &book[..100]);
    assert_eq!(waits(&watched.looks(), "broken.xlsx"), "read 4");
}

#[test]
fn a_file_that_grows_while_it_is_watched_is_not_taken() {
    let mut watched = Watched::new(After::Move);
    for lines in 1..5 {
        watched.put("clients.csv", GOOD.lines().take(lines).map(|it| format!("{it}\n")).collect::<String>());
        assert_eq!(waits(&watched.look(), "clients.csv"), "folder-growing", "after {lines} lines");
    }
    assert_eq!(waits(&watched.look(), "clients.csv"), "read 1");
    assert_eq!(watched.envelopes().len(), 1);
}

#[test]
fn whatever_stops_us_a_file_counts_once() {
    // Killed after the journal had it and before anything was remembered or moved.
    let mut watched = Watched::new(After::Move);
    watched.put("clients.csv", GOOD);
    watched.looks();
    fs::rename(watched.path.join("done/clients.csv"), watched.path.join("clients.csv")).expect("as before");
    fs::remove_file(&watched.memory).expect("as before");
    watched.restart();
    watched.looks();
    assert_eq!((watched.envelopes().len(), watched.keys()), (2, 1));
    // Killed after it was remembered and before it was moved.
    fs::rename(watched.path.join("done/clients.csv"), watched.path.join("clients.csv")).expect("as before");
    watched.restart();
    watched.looks();
    assert_eq!((watched.envelopes().len(), watched.keys()), (3, 1));
    assert!(watched.path.join("done/clients.csv").exists());
}

#[test]
fn content_that_returns_is_new_and_content_that_stays_is_not() {
    let mut watched = Watched::new(After::Leave);
    let other = GOOD.replace("Орлова", "Котова");
    watched.put("clients.csv", GOOD);
    watched.looks();
    assert_eq!(watched.look().journalled, 0, "it lies there and is known");
    watched.put_at("clients.csv", GOOD, NOW.plus_ms(-60_000));
    watched.looks();
    assert_eq!(watched.envelopes().len(), 1, "touched is not changed");
    watched.put_at("clients.csv", &other, NOW.plus_ms(-50_000));
    watched.looks();
    watched.put_at("clients.csv", GOOD, NOW.plus_ms(-40_000));
    watched.looks();
    assert_eq!((watched.envelopes().len(), watched.keys()), (3, 3));
    watched.restart();
    watched.looks();
    assert_eq!(watched.envelopes().len(), 3, "a restart reads nothing again");
    // The same export under another name says nothing new.
    watched.put("clients (1).csv", GOOD);
    watched.looks();
    assert_eq!((watched.envelopes().len(), watched.keys()), (4, 3));
}

#[test]
fn files_of_one_name_do_not_overwrite_each_other_in_done() {
    let mut watched = Watched::new(After::Move);
    for round in 0..3 {
        watched.put("clients.csv", format!("{GOOD}Кац;8916123460{round};\n"));
        watched.looks();
    }
    assert_eq!(fs::read_dir(watched.path.join("done")).expect("done is there").count(), 3);
    assert_eq!(watched.keys(), 3);
}

#[test]
fn a_file_that_cannot_be_moved_is_named_and_not_read_again() {
    let mut watched = Watched::new(After::Move);
    // A file stands where the folder should be.
    fs::write(watched.path.join("done"), "").expect("it is written");
    watched.put("clients.csv", GOOD);
    assert_eq!(waits(&watched.looks(), "clients.csv"), "folder-not-moved");
    for _ in 0..3 {
        assert_eq!(waits(&watched.look(), "clients.csv"), "folder-not-moved");
    }
    assert_eq!(watched.envelopes().len(), 1);
    fs::remove_file(watched.path.join("done")).expect("out of the way");
    assert_eq!(waits(&watched.look(), "clients.csv"), "read 1");
    assert!(watched.path.join("done/clients.csv").exists());
}

#[test]
fn a_folder_that_is_gone_is_named_and_found_again() {
    let mut watched = Watched::new(After::Move);
    fs::remove_dir(&watched.path).expect("gone");
    assert_eq!(watched.look().problem.map(|it| it.id.to_string()), Some("folder-path".to_owned()));
    fs::create_dir(&watched.path).expect("back");
    watched.put("clients.csv", GOOD);
    assert_eq!(waits(&watched.looks(), "clients.csv"), "read 1");
}

/// A world in which the folder `price` is watched.
fn catalog(settings: &str, files: &[(&str, &str)]) -> Arc<Catalog> {
    let text = format!("[connection.price]\nconnector = \"folder\"\npath = \"/in\"\n{settings}\n");
    let settings = Settings::compile("uzel.toml", &text, &|_| None).expect("the settings read");
    let mut set = FileSet::builtin();
    files.iter().for_each(|(name, text)| set.put(name, (*text).to_owned()));
    Arc::new(Catalog::compile(&set, &settings).unwrap_or_else(|problems| panic!("{problems:#?}")))
}

/// A file of the folder comes.
fn file(world: &mut World, stream: &'static str, content: impl AsRef<[u8]>) -> Position {
    let bytes = content.as_ref().to_vec();
    let received = Received {
        connection: Slug::literal("price"),
        connector: Slug::literal("folder"),
        stream: Slug::literal(stream),
        received_at: world.now,
        idempotency_key: uzel::base::checksum::Fingerprint::of(&bytes),
        content_type: "text/csv".into(),
        headers: vec![("file".into(), "clients.csv".to_owned()), ("modified".into(), world.now.to_string())],
        body: Body::Inline(bytes),
    };
    world.append(&Entry::Received(received))
}

/// Outcomes of the records of an envelope, in order.
fn outcomes(world: &World, position: Position) -> Vec<String> {
    let mut found = Vec::new();
    for row in world.reader().rows(Span::<Outcomes>::all()) {
        let (_, block) = row.expect("outcomes read");
        found.extend(block.into_iter().filter(|(at, ..)| at.position == position).map(
            |(_, _, outcome)| match outcome {
                Outcome::Quarantined(reason) => format!("quarantined {}", reason.id),
                other => other.kind().name().to_owned(),
            },
        ));
    }
    found
}

fn count(world: &World, stream: &'static str, kind: OutcomeKind) -> u64 {
    let key = (Slug::literal("price"), Slug::literal(stream), kind);
    world.reader().get::<Counters>(&key).expect("counters read").unwrap_or(0)
}

#[test]
fn only_changed_rows_of_a_changed_file_change_anything() {
    let mut world = World::under(&catalog("", &[]));
    let first = file(&mut world, "clients", GOOD);
    assert_eq!(outcomes(&world, first), ["applied", "applied", "applied"]);
    let again = world.pass(60_000).now;
    let repeated = file(&mut world, "clients", GOOD);
    assert_eq!(outcomes(&world, repeated), ["repeated"], "at {again}");
    world.pass(60_000);
    let changed = file(&mut world, "clients", GOOD.replace("o@site.example", "anna@site.example"));
    assert_eq!(outcomes(&world, changed), ["unchanged", "unchanged", "applied"]);
    assert_eq!(world.reader().rows(Span::<Clients>::all()).count(), 3);
    assert_eq!(hash(&world.store), world.rebuilt(1));
    assert_eq!(hash(&world.store), world.rebuilt(512));
}

#[test]
fn a_shifted_file_waits_as_a_whole_and_is_taken_whole_once_the_mapping_fits() {
    let shifted = "Клиент;Телефон\n89161234567;Иванов Иван\n89161234568;Петров Пётр\n89161234569;Орлова Анна\n";
    let mut world = World::under(&catalog("", &[]));
    let position = file(&mut world, "clients", shifted);
    assert_eq!(outcomes(&world, position), ["quarantined table-column-shifted"]);
    assert_eq!(world.reader().rows(Span::<Clients>::all()).count(), 0);
    // Retrying without a change changes nothing.
    let at = ItemRef::new(position, 0);
    world.command(Command::RetryRecord { at });
    assert_eq!(outcomes(&world, position), ["quarantined table-column-shifted"]);
    // The administrator says that this program names its columns so.
    let own = "[client]\nname = \"Телефон\"\nphone = \"Клиент\"\n[extra]\nignore = [\"_row_of_file\"]\n";
    world.configure(&catalog("", &[("mappings/price/clients.in.toml", own)]));
    world.command(Command::RetryRecord { at });
    assert_eq!(outcomes(&world, position), ["applied", "applied", "applied"]);
    assert_eq!(world.reader().rows(Span::<Quarantine>::all()).count(), 0);
    assert_eq!(count(&world, "clients", OutcomeKind::Quarantined), 0);
    assert_eq!(count(&world, "clients", OutcomeKind::Applied), 3);
    // Once more does nothing.
    world.command(Command::RetryRecord { at });
    assert_eq!(count(&world, "clients", OutcomeKind::Applied), 3);
    assert_eq!(hash(&world.store), world.rebuilt(1));
}

#[test]
fn a_long_file_that_waited_comes_in_slices_when_it_is_retried() {
    let mut rows = String::from("Телефон;Клиент\n");
    for row in 0..700 {
        rows.push_str(&format!("Клиент Номер {row};8916{:07}\n", 1_234_000 + row));
    }
    let rows = rows.replace("Клиент Номер", "ООО Завод");
    let mut world = World::under(&catalog("", &[]));
    let position = file(&mut world, "clients", &rows);
    assert_eq!(outcomes(&world, position), ["quarantined table-column-shifted"]);
    let own = "[client]\ncompany = \"Телефон\"\nphone = \"Клиент\"\n[extra]\nignore = [\"_row_of_file\"]\n";
    world.configure(&catalog("", &[("mappings/price/clients.in.toml", own)]));
    world.command(Command::RetryRecord { at: ItemRef::new(position, 0) });
    let outcomes = outcomes(&world, position);
    assert_eq!(outcomes.len(), 700);
    assert!(outcomes.iter().all(|it| it == "applied"), "{:?}", outcomes.iter().find(|it| *it != "applied"));
    assert_eq!(world.reader().rows(Span::<Quarantine>::all()).count(), 0);
    assert_eq!(count(&world, "clients", OutcomeKind::Applied), 700);
    assert_eq!(count(&world, "clients", OutcomeKind::Quarantined), 0);
    assert_eq!(hash(&world.store), world.rebuilt(1));
    let _first_block = world.reader().get::<Outcomes>(&Block::of(ItemRef::new(position, 0))).expect("it reads");
}

#[test]
fn a_row_that_says_too_much_waits_alone() {
    let mut world = World::under(&catalog("records = \"deals\"", &[]));
    let position = file(
        &mut world,
        "deals",
        "№;Клиент;Телефон;Сумма\n1;Иванов;89161234567;100\n2;Петров;89161234568;1;000\n3;Орлова;89161234569;300\n",
    );
    assert_eq!(outcomes(&world, position), ["applied", "quarantined table-row-wide", "applied"]);
    assert_eq!(world.reader().rows(Span::<Deals>::all()).count(), 2);
    world.command(Command::RetryRecord { at: ItemRef::new(position, 1) });
    assert_eq!(outcomes(&world, position), ["applied", "quarantined table-row-wide", "applied"]);
}

#[test]
fn a_deal_with_a_number_is_changed_by_the_next_export() {
    let mut world = World::under(&catalog("records = \"deals\"", &[]));
    file(&mut world, "deals", "№;Клиент;Телефон;Сумма\n17;Иванов;89161234567;100\n");
    world.pass(86_400_000);
    file(&mut world, "deals", "№;Клиент;Телефон;Сумма\n17;Иванов;89161234567;250\n");
    let deals: Vec<_> = world.reader().rows(Span::<Deals>::all()).map(|row| row.expect("deals read").1.deal).collect();
    assert_eq!(deals.len(), 1);
    assert_eq!(deals[0].price.as_ref().map(|it| it.value.amount.to_string()).as_deref(), Some("250"));
}

#[test]
fn mappings_of_one_connection_are_its_own_and_a_slip_in_their_name_is_told() {
    let own = "[client]\nphone = \"Связь\"\n";
    let with = catalog("", &[("mappings/price/clients.in.toml", own)]);
    let file_of =
        |stream: &str| with.connection("price").and_then(|it| it.inbound(stream)).map(|it| it.file().to_owned());
    assert_eq!(file_of("clients").as_deref(), Some("mappings/price/clients.in.toml"));
    assert_eq!(file_of("deals").as_deref(), Some("mappings/folder/deals.in.toml"));
    assert_ne!(with.hash(), catalog("", &[]).hash());
    let again = Catalog::from_bytes(&with.to_bytes()).expect("it compiles again");
    assert_eq!(again.hash(), with.hash());

    let text = "[connection.price]\nconnector = \"folder\"\npath = \"/in\"\n";
    let settings = Settings::compile("uzel.toml", text, &|_| None).expect("the settings read");
    let mut set = FileSet::builtin();
    set.put("mappings/price/client.in.toml", own.to_owned());
    let problems = Catalog::compile(&set, &settings).expect_err("a slip");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].to_string().contains("clients.in.toml"), "{}", problems[0]);
}
