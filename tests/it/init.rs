//! `uzel init`: the dialogue as it is piped in, its flags, and what is made or left alone.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use super::daemon_support::{Said, crm, run, uzel};

/// Runs `init` with these lines as answers.
fn answered(folder: &str, arguments: &[&str], lines: &[&str]) -> Said {
    let all = [&["-d", folder, "--lang", "en", "init"], arguments].concat();
    let mut child =
        uzel(&all).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    // Whoever refuses an answer early reads no further: that is not ours to judge.
    let _sent = child.stdin.take().expect("it is piped").write_all(text.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    Said {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

fn settings(folder: &str) -> String {
    fs::read_to_string(format!("{folder}/uzel.toml")).expect("the settings")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dialogue_checks_each_answer_looks_at_the_crm_and_writes_down_what_it_saw() {
    let twin = crm().await;
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new").display().to_string();
    let wrong = format!("{}/rest/1/wr0ngs3cret/", twin.url().split("/rest/").next().expect("an address"));
    let lines = [
        "Daisy \"Ltd\"",
        "Moscow",
        "Europe/Samara",
        "123",
        "7707083893, 500100732259",
        "in.company.ru",
        "https://in.company.ru/",
        "",
        "maybe",
        "no",
        "",
        "",
        "4",
        "1",
        "https://portal.bitrix24.ru/",
        &wrong,
        "yes",
        "yes",
        &twin.url(),
        "yes",
        "",
    ];
    let said = answered(&folder, &["--ask"], &lines);
    assert_eq!(said.code, 0, "{said:?}");
    for words in [
        "\"Moscow\" is not a time zone",
        "\"123\"",
        "Answer \"yes\" or \"no\"",
        "Answer 1, 2 or 3",
        "not the address of a webhook",
        "does not let us in: 401 INVALID_CREDENTIALS",
        "we are known and let in",
        "Employees are written down",
        "https://in.company.ru/in/site/",
        "https://in.company.ru/exchange/1c",
        "uzel sync plan",
    ] {
        assert!(said.out.contains(words), "{words}\n{}", said.out);
    }
    let text = settings(&folder);
    for words in [
        "name = 'Daisy \"Ltd\"'",
        "zone = \"Europe/Samara\"",
        "own_inns = [\"7707083893\", \"500100732259\"]",
        "public_url = \"https://in.company.ru\"",
        "[connection.bitrix24]\nconnector = \"bitrix24\"\nmode = \"observe\"\nallow_private = true\n# What Uzel saw",
        "#   NEW = Новая",
        "#   2 = Пётр Иванов",
        "# Leads: switched on",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("tilda") && !text.contains("/rest/1/"), "{text}");
    let employees = fs::read_to_string(format!("{folder}/rules/employees.toml")).expect("employees");
    assert!(employees.contains("key = \"ivanov\"") && !employees.contains("Бывший"), "{employees}");
    let linted = run(&["-d", &folder, "--lang", "en", "lint"]);
    assert_eq!(linted.code, 0, "a company in Samara has no problems: {linted:?}");
    assert_eq!(twin.calls("crm.deal.userfield.add"), 0, "nothing is written there");

    // Once more: what is there is kept, what is named and missing is added.
    let vault = fs::read(format!("{folder}/vault.json")).expect("the vault");
    let said = run(&["-d", &folder, "--lang", "en", "init", "--connect", "site,tilda", "--watch", &folder]);
    assert!(said.code == 0 && said.out.contains("Added to") && said.out.contains("tilda, folder."), "{said:?}");
    let more = settings(&folder);
    assert!(more.starts_with(&text) && more.contains("[connection.tilda]"), "{more}");
    assert_ne!(fs::read(format!("{folder}/vault.json")).expect("the vault"), vault, "Tilda has its secret");
    let said = run(&["-d", &folder, "--lang", "en", "init", "--employees"]);
    assert!(said.code == 0 && said.out.contains("employees.toml was there"), "{said:?}");
    assert_eq!(settings(&folder), more);
    fs::remove_file(format!("{folder}/rules/employees.toml")).expect("it was there");
    let said = run(&["-d", &folder, "--lang", "en", "init", "--employees"]);
    assert!(said.code == 0 && said.out.contains("Employees are written down"), "{said:?}");
    let said = run(&["-d", &folder, "--lang", "en", "source", "address", "site"]);
    assert!(said.code == 0 && said.out.starts_with("https://in.company.ru/in/site/"), "{said:?}");
    let said = run(&["-d", &folder, "--lang", "en", "source", "address", "nobody"]);
    assert!(said.code == 1 && said.err.contains("1c") && said.err.contains("tilda"), "{said:?}");
}

#[test]
fn whoever_stops_in_the_middle_leaves_nothing_behind() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new").display().to_string();
    for lines in [&[][..], &["x"], &["x", "", "", "", "", "", "", "", "1"]] {
        let said = answered(&folder, &["--ask"], lines);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains("nothing was made"), "{said:?}");
        assert!(fs::metadata(&folder).is_err(), "{lines:?} made something");
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new").display().to_string();
    for (arguments, words) in [
        (&["--zone", "Mars/Base"][..], "Mars/Base"),
        (&["--inn", "7707083894"], "7707083894"),
        (&["--public-url", "in.company.ru"], "in.company.ru"),
    ] {
        let said = run(&[&["-d", folder.as_str(), "--lang", "en", "init", "--yes"], arguments].concat());
        assert!(said.code == 1 && said.err.contains(words), "{arguments:?}: {said:?}");
        assert!(fs::metadata(&folder).is_err(), "{arguments:?} made something");
    }
    // A CRM that does not answer is told, and stops nothing: the company looks on before it has one.
    let nowhere = ["--bitrix24", "http://127.0.0.1:9/rest/1/nobodylistens/", "--allow-private"];
    let said = run(&[&["-d", folder.as_str(), "--lang", "en", "init", "--yes"][..], &nowhere].concat());
    assert!(said.code == 3 && said.out.contains("(TCP)") && said.out.contains("Made:"), "{said:?}");
    assert!(!said.out.contains("nobodylistens"), "{said:?}");
}

#[test]
fn flags_stand_for_every_answer() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new").display().to_string();
    let said = run(&[
        "-d",
        &folder,
        "--lang",
        "ru",
        "init",
        "--yes",
        "--json",
        "--connect",
        "bitrix24",
        "--portal",
        "https://company.bitrix24.ru",
        "--client-id",
        "local.1",
        "--client-secret",
        "s3cret",
        "--company",
        "Ромашка",
        "--inn",
        "7707083893",
        "--zone",
        "Asia/Omsk",
        "--public-url",
        "https://in.company.ru",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(!said.out.contains("s3cret"), "{said:?}");
    let made: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(made["is_new"], true);
    let text = settings(&folder);
    for words in ["portal = \"https://company.bitrix24.ru\"", "client_id = \"local.1\"", "zone = \"Asia/Omsk\""] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("s3cret") && !text.contains("[connection.site]"), "{text}");
    let names = run(&["-d", &folder, "secret", "list"]);
    assert!(names.out.contains("bitrix24.client_secret"), "{names:?}");
}

#[test]
fn an_outgoing_webhook_has_its_secret_made() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("new").display().to_string();
    let init =
        |arguments: &[&str]| run(&[&["-d", folder.as_str(), "--lang", "en", "init", "--yes"], arguments].concat());
    let said = init(&["--connect", "site", "--outbound", "erp.example.ru/hooks"]);
    assert!(said.code == 1 && fs::metadata(&folder).is_err(), "{said:?}");
    let said = init(&["--connect", "site", "--outbound", "https://erp.example.ru/hooks/s3cretpath"]);
    assert_eq!(said.code, 0, "{said:?}");
    let shown = said.out.split_whitespace().find(|it| it.starts_with("whsec_")).expect("it is shown").to_owned();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &shown["whsec_".len()..]);
    assert!(bytes.is_ok_and(|it| (24..=64).contains(&it.len())), "{shown}");
    let text = settings(&folder);
    assert!(text.contains("[connection.outbound]\nconnector = \"outbound\"\nmode = \"observe\"\n"), "{text}");
    assert!(!text.contains("s3cretpath") && !text.contains("whsec_") && !text.contains("allow_private"), "{text}");
    let names = run(&["-d", &folder, "secret", "list"]);
    for name in ["outbound.url", "outbound.signing_secret"] {
        assert!(names.out.contains(name), "{names:?}");
    }
    let linted = run(&["-d", &folder, "--lang", "en", "lint"]);
    assert_eq!(linted.code, 0, "{linted:?}");
    // Once more: it is shown again, and is the same.
    let said = run(&["-d", &folder, "--lang", "en", "init"]);
    assert!(said.code == 0 && said.out.contains(&shown), "{said:?}");
}
