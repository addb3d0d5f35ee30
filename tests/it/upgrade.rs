//! Folders of earlier builds, as they were left by them: `tests/frozen/folders/`, one each, never
//! edited. This build opens each, knows everybody in it, goes on, and makes the same of it again.
//!
//! How one is made: `uzel demo --once --keep FOLDER`; the CRM set to `observe` with `read = false`;
//! `uzel snapshot make`; one edit behind it; packed without the lock.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::daemon_support::{Place, Said, run, until};

fn folders() -> Vec<PathBuf> {
    let held = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen/folders");
    let mut found: Vec<PathBuf> = fs::read_dir(held).expect("it reads").map(|it| it.expect("an item").path()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn unpacked(file: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut archive = zip::ZipArchive::new(File::open(file).expect("it opens")).expect("an archive");
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let path = folder.path().join(&*member.name().expect("a name"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        io::copy(&mut member, &mut File::create(&path).expect("a file")).expect("unpacked");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the owner's only");
    }
    folder
}

struct Old {
    folder: tempfile::TempDir,
}

impl Old {
    fn run(&self, arguments: &[&str]) -> Said {
        let name = self.folder.path().display().to_string();
        let mut all = vec!["-d", name.as_str(), "--lang", "en"];
        all.extend(arguments);
        run(&all)
    }

    fn well(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said
    }

    fn rows(&self, listing: &[&str]) -> Vec<Value> {
        let mut all = listing.to_vec();
        all.push("--json");
        let view: Value = serde_json::from_str(&self.well(&all).out).expect("JSON");
        view["rows"].as_array().cloned().expect("rows")
    }

    /// Who is in it: the day of the demo, and the name set by hand behind its snapshot.
    fn check_people(&self) {
        let clients = self.rows(&["client", "list"]);
        assert_eq!(clients.len(), 8, "{clients:#?}");
        assert!(clients.iter().any(|it| it["name"] == "Соколова Мария Игоревна"), "{clients:#?}");
        let deals = self.rows(&["deal", "list"]);
        assert_eq!(deals.len(), 8, "{deals:#?}");
        for deal in &deals {
            assert!(deal["class"].is_string() && deal["explanation"] != "", "{deal:#}");
        }
        assert_eq!(self.rows(&["task", "list"]).len(), 2);
    }
}

#[test]
fn folders_of_earlier_builds_open_go_on_and_are_made_anew_to_the_same() {
    for file in folders() {
        // With its store, and without: from the snapshot of the earlier build and what is behind it.
        for with_store in [true, false] {
            let old = Old { folder: unpacked(&file) };
            if !with_store {
                fs::remove_dir_all(old.folder.path().join("store")).expect("it goes");
            }
            old.check_people();
            old.well(&["rebuild", "--check"]);
            // It goes on: what is written now is in this build's form, beside what is not.
            let first = old.rows(&["client", "list"])[0]["id"].as_str().expect("an id").to_owned();
            old.well(&["client", "edit", &first, "address=Казань, Баумана 1"]);
            old.well(&["rebuild", "--check"]);
            old.well(&["snapshot", "make"]);
            old.well(&["snapshot", "verify"]);
            old.well(&["rebuild", "--check"]);
            old.well(&["journal", "verify"]);
            old.check_people();
            // From the first entry on, under the configurations of then.
            old.well(&["rebuild", "--whole"]);
            old.check_people();
        }
    }
}

/// Whose machine is off at the hour of the schedule had no snapshot, ever: it was reckoned from each
/// start.
#[test]
fn a_snapshot_whose_hour_was_slept_through_is_made_at_the_next_start() {
    let folder = unpacked(&folders()[0]);
    // A minute behind the newest snapshot of the folder, and long ago.
    let file = folder.path().join("uzel.toml");
    let settings = fs::read_to_string(&file).expect("settings").replace("\"0 3 * * *\"", "\"35 9 * * *\"");
    assert!(settings.contains("35 9"), "{settings}");
    fs::write(&file, settings).expect("written");
    let place = Place::of(folder);
    let daemon = place.start();
    until("a snapshot", || (place.json(&["snapshot", "list"]).as_array()?.len() == 2).then_some(()));
    assert_eq!(daemon.stop(), Some(0));
}
