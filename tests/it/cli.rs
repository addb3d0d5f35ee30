//! The command line as people meet it: exit codes, refusals in their language, listings.

use super::daemon_support::{Place, run, settings};

const NOWHERE: &str = "http://127.0.0.1:9/rest/1/nobodylistenshere/";

fn place() -> Place {
    Place::new(&settings("observe"), NOWHERE)
}

#[test]
fn refusals_have_their_exit_codes_and_the_readers_language() {
    let place = place();
    let check = |arguments: &[&str], code: i32, english: &str, russian: &str| {
        for (language, words) in [("en", english), ("ru", russian)] {
            let name = place.name();
            let mut all = vec!["-d", name.as_str(), "--lang", language];
            all.extend(arguments);
            let said = run(&all);
            assert_eq!(said.code, code, "{arguments:?} {said:?}");
            assert!(said.err.contains(words), "{arguments:?}: {:?} is not in {}", words, said.err);
        }
    };
    check(&["client", "show", "cli_00000000000zz"], 4, "there is no cli_00000000000zz", "нет cli_00000000000zz");
    check(&["client", "show", "somebody"], 4, "\"somebody\" is not an id", "«somebody» не похоже");
    check(&["deal", "show", "dl_00000000000zz"], 4, "there is no dl_", "нет dl_");
    check(&["score", "dl_00000000000zz"], 4, "there is no dl_", "нет dl_");
    check(&["quarantine", "show", "77.0"], 4, "there is no 77.0", "нет 77.0");
    check(&["quarantine", "retry", "77.0"], 4, "there is no 77.0", "нет 77.0");
    check(&["quarantine", "accept", "77.0"], 4, "there is no 77.0", "нет 77.0");
    check(&["quarantine", "discard", "77.0"], 4, "there is no 77.0", "нет 77.0");
    check(&["journal", "show", "777"], 4, "there is no 777", "нет 777");
    check(&["client", "merge", "cli_00000000000zz", "cli_00000000000zy"], 4, "there is no cli_", "нет cli_");
    check(&["client", "split", "cli_00000000000zz", "cli_00000000000zy"], 4, "there is no cli_", "нет cli_");
    check(&["outbox", "resend", "bitrix25", "dl_00000000000zz"], 4, "there is no bitrix25", "нет bitrix25");
    check(&["outbox", "discard", "bitrix24", "dl_00000000000zz"], 4, "there is no bitrix24/dl_", "нет bitrix24/dl_");
    check(&["client", "list", "--after", "x"], 1, "\"x\" is not an id", "«x» не похоже");
    check(&["client", "lsit"], 2, "did you mean", "может быть");
    check(&["client", "list", "--limt", "3"], 2, "did you mean --limit", "может быть, --limit");
    check(&["client", "list", "--limit", "0"], 2, "\"0\" does not fit --limit", "«0» не подходит");
    check(&["deal", "list", "--class", "G"], 2, "Choose one of: A, B", "Выберите одно из: A, B");
    check(&["client", "show"], 2, "missing: <ID>", "не хватает: <ID>");
    check(&["quarantine", "retry"], 2, "missing: <RECORD>", "не хватает: <RECORD>");
    check(&["init", "--zone", "Moscow"], 1, "\"Moscow\" is not a time zone", "«Moscow»");
    check(&["demo", "--once", "--input", "/nowhere.toml"], 1, "/nowhere.toml: ", "Проверьте путь");
}

#[test]
fn a_mistyped_folder_is_not_made() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("typo");
    let name = folder.display().to_string();
    for arguments in [
        &["status"][..],
        &["run"],
        &["client", "list"],
        &["journal", "list"],
        &["journal", "verify"],
        &["rebuild"],
        &["rebuild", "--check"],
    ] {
        let mut all = vec!["-d", name.as_str(), "--lang", "en"];
        all.extend(arguments);
        let said = run(&all);
        assert_eq!(said.code, 1, "{arguments:?} {said:?}");
        assert!(said.err.contains("Make the folder with `uzel init -d"), "{arguments:?} {said:?}");
        assert!(!folder.exists(), "{arguments:?} made it");
    }
    assert_eq!(run(&["-d", &name, "lint"]).code, 3);
}

#[test]
fn init_again_keeps_what_is_there() {
    let place = place();
    let vault = std::fs::read(place.path().join("vault.json")).expect("the vault");
    let said = place.run(&["init"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("uzel.toml was there and is as it was"), "{}", said.out);
    assert!(said.out.contains(&place.form_secret) && said.out.contains(&place.password), "{}", said.out);
    assert_eq!(std::fs::read(place.path().join("vault.json")).expect("the vault"), vault);
    assert_eq!(std::fs::read_to_string(place.path().join("uzel.toml")).expect("settings"), settings("observe"));
}

#[test]
fn lint_tells_everything_that_is_wrong_at_once() {
    let place = place();
    assert_eq!(place.run(&["lint"]).code, 0);
    let put = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    };
    put("uzel.toml", &settings("observe").replace("region", "regoin"));
    put("mappings/forms/lead.in.toml", "[client]\nnmae = [\"name\"]\n");
    put("rules/identity.toml", "x = [\n");
    put("rules/scoring.toml", &scoring().replace("base_bp = 2000", "bsae_bp = 2000"));
    let said = place.run(&["lint"]);
    assert_eq!(said.code, 3, "{said:?}");
    for part in [
        "uzel.toml:5: \"regoin\" is not known here; did you mean \"region\"?",
        "mappings/forms/lead.in.toml:2: there is no canonical field \"nmae\"; did you mean \"name\"?",
        "rules/identity.toml:1: this is not TOML",
        "\"bsae_bp\" is not known here; did you mean \"base_bp\"?",
    ] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
    let linted: serde_json::Value = serde_json::from_str(&place.run(&["lint", "--json"]).out).expect("JSON");
    let texts = linted["problems"].as_array().expect("problems");
    assert!(texts.iter().all(|it| it["text"].as_str().is_some_and(|text| !text.is_empty())), "{linted:#}");
    // The daemon refuses the same with the same words.
    let said = place.run(&["run"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("did you mean \"region\"?"), "{said:?}");
    put("rules/business.toml", "");
    std::fs::write(place.path().join("rules/business.toml"), b"\xff\xfe").expect("it is written");
    let said = place.run(&["lint"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("rules/business.toml: ") && said.out.contains("regoin"), "{}", said.out);
}

fn scoring() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/scoring.toml")).expect("the built-in rules")
}

/// Every command with its subcommands.
const COMMANDS: [&str; 33] = [
    "",
    "init",
    "run",
    "demo",
    "status",
    "lint",
    "client",
    "client list",
    "client show",
    "client merge",
    "client split",
    "deal",
    "deal list",
    "deal show",
    "deal totals",
    "score",
    "outbox",
    "outbox list",
    "outbox resend",
    "outbox discard",
    "quarantine",
    "quarantine list",
    "quarantine show",
    "quarantine retry",
    "quarantine accept",
    "quarantine discard",
    "journal",
    "journal list",
    "journal show",
    "journal verify",
    "rebuild",
    "twin",
    "twin bitrix24",
];

#[test]
fn help_speaks_the_readers_language_throughout() {
    for command in COMMANDS {
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        let has_subcommands = matches!(command, "client" | "deal" | "outbox" | "quarantine" | "journal" | "twin");
        arguments.push("--help");
        let russian = run(&[&["--lang", "ru"], arguments.as_slice()].concat());
        assert_eq!(russian.code, 0, "{command}");
        for word in ["Usage", "Options:", "Print help", "[OPTIONS]", "default:", "possible values", "[env:"] {
            assert!(!russian.out.contains(word), "{command}: {word}\n{}", russian.out);
        }
        assert!(russian.out.contains("Использование: uzel"), "{command}: {}", russian.out);
        assert!(has_subcommands || russian.out.contains("Примеры:") || command == "lint", "{command}: {}", russian.out);
        let english = run(&[&["--lang", "en"], arguments.as_slice()].concat());
        assert!(english.out.contains("Usage: uzel") && english.out.is_ascii() || command.is_empty(), "{}", english.out);
        // An argument without help would show as a bare line.
        let bare = |line: &&str| line.trim_start().starts_with("--") && !line.trim().contains("  ");
        assert_eq!(english.out.lines().find(bare), None, "{command}");
    }
}

#[test]
fn an_empty_folder_answers_every_question_without_a_daemon() {
    let place = place();
    for arguments in [
        &["status"][..],
        &["client", "list"],
        &["deal", "list"],
        &["deal", "totals"],
        &["outbox", "list"],
        &["quarantine", "list"],
        &["quarantine", "retry", "--all"],
        &["journal", "list"],
        &["journal", "verify"],
        &["rebuild", "--check"],
        &["rebuild"],
    ] {
        let said = place.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?} {said:?}");
        assert!(!said.out.is_empty(), "{arguments:?}");
        place.json(arguments);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_as_typed_joined_and_parted() {
    let place = place();
    let daemon = place.start();
    let mut form = uzel::twin::site::Form::sample("Мария Соколова", "8 (912) 345-67-81");
    form.fields.push(("inn".to_owned(), "7707083893".to_owned()));
    assert_eq!(daemon.post(&daemon.site, &form.json()).await.status, 200);
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;
    let ids: Vec<String> = place.json(&["client", "list"])["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect();
    let [maria, petr] = ids.as_slice() else { panic!("two clients: {ids:?}") };
    let searches = [
        ("8 912 345-67-81", Some(maria)),
        ("+7(912)3456782", Some(petr)),
        ("Client@Mail.Example", Some(maria)),
        ("7707083893", Some(maria)),
        ("соколова", Some(maria)),
        ("ИЛЬИН", Some(petr)),
        ("nobody@mail.example", None),
    ];
    for (search, expected) in searches {
        let found = place.json(&["client", "list", "--search", search]);
        let found: Vec<&str> =
            found["rows"].as_array().expect("rows").iter().filter_map(|it| it["id"].as_str()).collect();
        assert_eq!(found, expected.map(String::as_str).into_iter().collect::<Vec<_>>(), "{search}");
    }
    // Parted before they are joined, joined, joined again: each says what is the matter.
    let check = |arguments: &[&str], code: i32, words: &str| {
        let said = place.run(arguments);
        assert_eq!(said.code, code, "{arguments:?} {said:?}");
        assert!(said.out.contains(words) || said.err.contains(words), "{arguments:?} {said:?}");
    };
    check(&["client", "split", maria, petr], 1, "was not merged into");
    check(&["client", "merge", maria, petr], 0, "is now one client with");
    check(&["client", "merge", maria, petr], 1, "are one client already");
    let joined = place.json(&["client", "show", maria]);
    assert_eq!(joined["open_deals"].as_array().map(Vec::len), Some(2), "{joined:#}");
    assert_eq!(place.json(&["client", "show", petr])["merged_into"].as_str(), Some(maria.as_str()));
    check(&["client", "show", maria], 0, "merged by a person");
    check(&["client", "split", maria, petr], 0, "stands for itself again");
    assert_eq!(place.json(&["client", "show", petr])["open_deals"].as_array().map(Vec::len), Some(1));
    // What waits for the CRM can be given up and asked for again.
    let deal = place.json(&["deal", "list"])["rows"][0]["id"].as_str().expect("an id").to_owned();
    let state = |wanted: &str| {
        let page = place.json(&["outbox", "list", "--state", wanted]);
        page["rows"].as_array().expect("rows").iter().filter(|it| it["object"] == deal.as_str()).count()
    };
    assert_eq!((state("held"), state("discarded")), (1, 0));
    check(&["outbox", "discard", "bitrix24", &deal], 0, "will not be sent");
    assert_eq!((state("held"), state("discarded")), (0, 1));
    check(&["outbox", "resend", "bitrix24", &deal], 0, "again");
    assert_eq!((state("held"), state("discarded")), (1, 0));
    check(&["score", &deal, "--explain"], 0, "silence of the client");
    assert_eq!(daemon.stop(), Some(0));
    check(&["rebuild", "--check"], 0, "The store is the same");
}

#[test]
fn tables_keep_to_their_width_and_dates_to_the_companys_zone() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("demo").display().to_string();
    let shown = run(&["demo", "--once", "--keep", &name, "--lang", "ru"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let widest = shown.out.lines().filter(|line| !line.starts_with('✓')).map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{widest:?}\n{}", shown.out);
    let list = |arguments: &[&str]| {
        let said = run(&[&["-d", name.as_str(), "--lang", "ru"], arguments].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.out
    };
    let deals = list(&["deal", "list"]);
    assert!(deals.lines().all(|line| line.chars().count() <= 120), "{deals}");
    assert!(deals.contains("275 000"), "{deals}");
    // The daemon of the demo lives by Moscow time, whatever this machine lives by.
    let entry = run(&["-d", &name, "journal", "show", "1", "--json"]);
    let entry: serde_json::Value = serde_json::from_str(&entry.out).expect("JSON");
    let shown: jiff::civil::DateTime = entry["at"].as_str().expect("a time").parse().expect("a local time");
    let now = jiff::Timestamp::now();
    let moscow = now.to_zoned(jiff::tz::TimeZone::get("Europe/Moscow").expect("it is bundled")).datetime();
    let apart = moscow.duration_since(shown).as_secs();
    assert!((0..600).contains(&apart), "{shown} is not Moscow's time: {moscow}");
    assert!(list(&["status"]).contains("bitrix24      bitrix24     запись"), "{}", list(&["status"]));
}

#[test]
fn the_twin_of_the_crm_serves_until_it_is_told_to_stop() {
    use std::io::{BufRead as _, BufReader};
    let mut child = super::daemon_support::uzel(&["--lang", "en", "twin", "bitrix24", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its first line");
    assert!(line.contains("http://127.0.0.1:") && line.contains("/rest/1/twinsecret"), "{line}");
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
