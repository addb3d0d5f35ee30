//! `uzel demo`: what it shows is true, and follows its input.

use serde_json::Value;

use super::daemon_support::run;

const INPUT: &str = include_str!("../../examples/demo.toml");

fn shown(arguments: &[&str]) -> Value {
    let said = run(arguments);
    assert_eq!(said.code, 0, "{said:?}");
    serde_json::from_str(&said.out).expect("JSON")
}

#[test]
fn everything_the_demo_shows_is_true() {
    let shown = shown(&["demo", "--once", "--json"]);
    let checks = shown["checks"].as_array().expect("checks");
    let untrue: Vec<&Value> = checks.iter().filter(|check| check["ok"] != true).collect();
    assert!(untrue.is_empty(), "{untrue:#?}");
    assert!(checks.len() >= 11, "{checks:#?}");
    assert_eq!(shown["example"].as_array().map(Vec::len), Some(5));
}

#[test]
fn a_changed_price_ends_in_the_crm() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    // Гладиолус: КП +40, сарафан +30, 10 days −10, base 20: 80 %. Of 100 000 that is B, of 130 001 it is A.
    let (before, _) = INPUT.split_once("# Чему равны").expect("the expectation stands last");
    assert_eq!(before.matches("price = \"100000\"").count(), 1);
    std::fs::write(&file, before.replace("price = \"100000\"", "price = \"130001\"")).expect("it is written");
    let shown = shown(&["demo", "--once", "--json", "--input", &file.display().to_string()]);
    let deal = shown["twin"].as_array().expect("deals").iter().find(|it| it["title"] == "ООО Гладиолус");
    let deal = deal.expect("it is in the CRM");
    assert_eq!(deal["price"], "130001.00");
    assert_eq!(deal["probability"], "80");
    // 130 001 × 80 % = 104 000.80, which is 100 000 or more: class A.
    assert_eq!((deal["value"].as_str(), deal["class"].as_str()), (Some("104000.8"), Some("A")), "{deal:#}");
    // The sums follow: 372 500 − 80 000 + 104 000.80.
    assert_eq!(shown["example_totals"][0]["forecast"], "396500.8");
}

#[test]
fn an_input_that_does_not_read_is_told_with_all_its_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[[deal]]\nclient = \"x\"\nemial = \"y\"\n\n[[form]]\ndialect = \"jsn\"\n")
        .expect("it is written");
    let said = run(&["demo", "--once", "--lang", "en", "--input", &file.display().to_string()]);
    assert_eq!(said.code, 1, "{said:?}");
    for part in ["mine.toml:3: \"emial\" is not known here; did you mean \"email\"?", "mine.toml:6: ", "\"json\""] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
}
