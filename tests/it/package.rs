//! What is installed is what is here: the package for Debian and the image of a container name files,
//! a user, a folder and commands that exist, and agree with the unit of systemd.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use uzel::base::Locale;
use uzel::cli::help_pages;

use super::daemon_support::{Place, run};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FOLDER: &str = "/var/lib/uzel";

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// `[package.metadata.deb]`.
fn deb() -> toml::Table {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).expect("TOML");
    manifest["package"]["metadata"]["deb"].as_table().expect("the package for Debian").clone()
}

/// Source, destination, rights.
fn assets() -> Vec<(String, String, String)> {
    let deb = deb();
    let text = |it: &toml::Value| it.as_str().expect("a text").to_owned();
    let row = |it: &toml::Value| {
        let parts = it.as_array().expect("three texts");
        assert_eq!(parts.len(), 3, "{it}");
        (text(&parts[0]), text(&parts[1]), text(&parts[2]))
    };
    deb["assets"].as_array().expect("a list").iter().map(row).collect()
}

/// Whether there is such a file; a star stands for any name.
fn exists(pattern: &str) -> bool {
    let path = Path::new(ROOT).join(pattern);
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let Some((before, after)) = name.split_once('*') else { return path.is_file() };
    let files = std::fs::read_dir(path.parent().expect("a folder")).into_iter().flatten().flatten();
    let names = files.map(|it| it.file_name().to_string_lossy().into_owned());
    names.into_iter().any(|it| it.starts_with(before) && it.ends_with(after))
}

/// Values of a setting of the unit.
fn unit(name: &str) -> Vec<String> {
    let begin = format!("{name}=");
    read("packaging/uzel.service").lines().filter_map(|it| it.strip_prefix(&begin)).map(str::to_owned).collect()
}

#[test]
fn every_file_of_the_package_is_here_or_made_by_its_script() {
    let script = read("packaging/deb");
    for (source, target, rights) in assets() {
        match source.strip_prefix("target/package/") {
            // Of a folder of pages the script names the folder.
            Some(made) => {
                let made = made.split('/').next().expect("a name");
                assert!(script.contains(&format!("$made/{made}\"")), "packaging/deb does not make {source}");
            }
            None if source == "target/release/uzel" => {}
            None => assert!(exists(&source), "{source} is not there"),
        }
        assert!(!target.starts_with('/') && rights.parse::<u32>().is_ok(), "{source} {target} {rights}");
    }
    let targets: BTreeSet<String> = assets().into_iter().map(|(_, target, _)| target).collect();
    assert!(targets.contains("etc/uzel/environment"), "{targets:?}");
    let deb = deb();
    for file in [deb["license-file"][0].as_str(), deb["changelog"].as_str()] {
        assert!(exists(file.expect("a path")), "{file:?}");
    }
    let units = &deb["systemd-units"];
    let folder = units["unit-scripts"].as_str().expect("a folder");
    let name = units["unit-name"].as_str().expect("a name");
    assert!(exists(&format!("{folder}/{name}.service")));
    // A folder has to be made first: nothing starts by being installed.
    assert_eq!((units["enable"].as_bool(), units["start"].as_bool()), (Some(false), Some(false)));
}

#[test]
fn the_package_agrees_with_its_unit() {
    let program = unit("ExecStart").pop().expect("it starts something");
    let (program, command) = program.split_once(' ').expect("with a command");
    let (_, target, rights) = assets().into_iter().find(|it| it.0.ends_with("/uzel")).expect("the program");
    assert_eq!((format!("/{target}uzel"), rights.as_str()), (program.to_owned(), "755"));
    let known: BTreeSet<String> = help_pages(Locale::En).into_iter().map(|(name, _)| name).collect();
    assert!(known.contains(&format!("uzel {}", command.split(' ').next().expect("a command"))), "{command}");
    assert_eq!(unit("Environment"), [format!("UZEL_FOLDER={FOLDER}")]);
    assert_eq!(unit("EnvironmentFile"), ["-/etc/uzel/environment"]);
    let after = read("packaging/debian/postinst");
    for (name, value) in [("User", "uzel"), ("Group", "uzel"), ("StateDirectory", "uzel")] {
        assert_eq!(unit(name), [value], "{name}");
    }
    assert!(after.contains("adduser --system --group") && after.contains(" uzel\n"), "{after}");
    assert!(after.contains(&format!("folder={FOLDER}\n")) && after.contains("-m 0700 -o uzel -g uzel"), "{after}");
    let changelog = read("packaging/debian/changelog");
    let newest = changelog.lines().next().expect("a line");
    assert!(newest.starts_with(&format!("uzel ({}-", env!("CARGO_PKG_VERSION"))), "{newest}");
}

#[test]
fn scripts_of_the_package_ask_nothing_and_remove_no_data() {
    for name in ["postinst", "postrm"] {
        let file = format!("packaging/debian/{name}");
        let text = read(&file);
        assert!(text.starts_with("#!/bin/sh\n") && text.contains("set -e\n"), "{file}");
        // cargo-deb puts there what systemd is told.
        assert!(text.lines().any(|line| line == "#DEBHELPER#"), "{file}");
        let acts = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("echo "));
        for line in acts {
            for word in ["rm ", "deluser", "userdel", "read ", "debconf", "systemctl"] {
                assert!(!line.starts_with(word) && !line.contains(&format!("&& {word}")), "{file}: {line}");
            }
        }
        let checked = std::process::Command::new("sh").args(["-n", &file]).current_dir(ROOT).output();
        assert!(checked.expect("sh is there").status.success(), "{file}");
    }
}

/// The data folder in another place, and a shell in which the rest of the machine is out of reach.
fn purge(root: &Path, language: &str) -> String {
    let folder = root.join("data");
    let script = read("packaging/debian/postrm").replace(FOLDER, &folder.display().to_string());
    let file = root.join("postrm");
    std::fs::write(&file, script).expect("it is written");
    let mut command = std::process::Command::new("sh");
    let output = command.arg(&file).arg("purge").env_remove("LC_ALL").env("UZEL_LANG", language).output();
    let output = output.expect("sh is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn purging_keeps_the_data_and_says_so() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("data");
    assert_eq!(purge(root.path(), "en"), "");
    std::fs::create_dir(&folder).expect("it is made");
    // Nothing was ever put there.
    assert_eq!(purge(root.path(), "en"), "");
    assert!(!folder.exists());
    std::fs::create_dir(&folder).expect("it is made");
    std::fs::write(folder.join("vault.json"), "{}").expect("it is written");
    for (language, words) in [("en", "kept: the data"), ("ru_RU.UTF-8", "оставлены данные")] {
        let said = purge(root.path(), language);
        assert!(said.contains(words) && said.contains(&folder.display().to_string()), "{said}");
        assert!(folder.join("vault.json").exists());
    }
}

/// Lines of the file of the image, those that go on put together.
fn image() -> Vec<String> {
    let text = read("Containerfile").replace("\\\n", " ");
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned).collect()
}

fn instructions(word: &str) -> Vec<String> {
    let begin = format!("{word} ");
    image().iter().filter_map(|line| line.strip_prefix(&begin)).map(str::to_owned).collect()
}

#[test]
fn the_image_runs_what_there_is_without_rights_of_root_and_without_secrets() {
    let known: BTreeSet<String> = help_pages(Locale::En).into_iter().map(|(name, _)| name).collect();
    assert_eq!(instructions("VOLUME"), [FOLDER]);
    assert_eq!(instructions("USER"), ["8690:8690"]);
    assert_eq!(instructions("ENTRYPOINT"), [r#"["uzel"]"#]);
    let ran: Vec<String> = serde_json::from_str(&instructions("CMD")[0]).expect("a list");
    assert!(known.contains(&format!("uzel {}", ran[0])), "{ran:?}");
    let health = instructions("HEALTHCHECK").pop().expect("how it is looked after");
    let asked: Vec<String> = serde_json::from_str(health.split_once("CMD ").expect("a command").1).expect("a list");
    assert_eq!(asked, ["uzel", "status", "--check"]);
    let environment = instructions("ENV").join(" ");
    assert!(environment.contains(&format!("UZEL_FOLDER={FOLDER}")), "{environment}");
    for word in ["SECRET", "TOKEN", "PASSWORD", "WEBHOOK"] {
        assert!(!image().iter().any(|line| line.to_uppercase().contains(word)), "{word}");
    }
}

#[test]
fn what_the_image_is_built_from_is_all_that_the_program_needs() {
    let ignore = read(".dockerignore");
    let taken: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignore.lines().any(|line| line == "*"), "everything else stays outside");
    for name in &taken {
        assert!(exists(name) || Path::new(ROOT).join(name).is_dir(), "{name}");
    }
    // Cargo wants every target that the manifest names, and the code every file that it includes.
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).expect("TOML");
    let benches = manifest["bench"].as_array().expect("benches").iter();
    let mut wanted: Vec<PathBuf> =
        benches.map(|it| format!("benches/{}.rs", it["name"].as_str().expect("a name")).into()).collect();
    wanted.extend(["Cargo.toml", "Cargo.lock", "build.rs", "askama.toml", "src/main.rs"].map(PathBuf::from));
    wanted.extend(["connectors", "mappings", "rules", "locales", "examples/demo.toml"].map(PathBuf::from));
    for path in wanted {
        let first = path.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        assert!(taken.contains(&first.as_str()) && Path::new(ROOT).join(&path).exists(), "{}", path.display());
    }
}

#[test]
fn the_check_asks_the_daemon_and_nobody_in_its_place() {
    let place = Place::new("locale = \"en\"\n[connection.site]\nconnector = \"forms\"\n", "");
    let said = place.run(&["status", "--check"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("does not answer"), "{said:?}");
    // Without `--check` the folder itself is asked.
    assert_eq!(place.run(&["status"]).code, 0);
    let daemon = place.start();
    let said = place.run(&["status", "--check"]);
    assert_eq!((said.code, said.out.trim()), (0, "The daemon is well."), "{said:?}");
    assert_eq!(daemon.stop(), Some(0));
    // A disk that is said to be full.
    let full = "locale = \"en\"\n[limits]\nfree_space_mib = 1000000\n[connection.site]\nconnector = \"forms\"\n";
    std::fs::write(place.path().join("uzel.toml"), full).expect("it is written");
    let daemon = place.start();
    let told = super::daemon_support::until("it is found out", || {
        let said = place.run(&["status", "--check"]);
        (said.code != 0).then_some(said)
    });
    assert_eq!(told.code, 3, "{told:?}");
    assert!(told.out.contains("Intake has stopped") && told.out.contains("free_space_mib"), "{told:?}");
    let data = run(&["-d", &place.name(), "status", "--check", "--json"]);
    let data: serde_json::Value = serde_json::from_str(&data.out).expect("JSON");
    assert_eq!(data[0]["id"], "intake-refused", "{data:#}");
    assert_eq!(daemon.stop(), Some(0));
}
