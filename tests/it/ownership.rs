//! The table of owners says what the rules and mappings in force say.

use serde_json::Value;

use crate::daemon_support::{Place, settings};

fn row<'v>(table: &'v Value, object: &str, field: &str) -> &'v Value {
    let rows = table.as_array().expect("rows");
    rows.iter()
        .find(|it| it["object"] == object && it["field"] == field)
        .unwrap_or_else(|| panic!("{field}: {table:#}"))
}

fn keeps(row: &Value, field: &str) -> Vec<String> {
    let written = row["written"].as_array().expect("a list");
    let mine = written.iter().filter(|it| it["field"] == field);
    mine.map(|it| format!("{} {} {}", it["sink"], it["kind"], it["keep"]).replace('"', "")).collect()
}

#[test]
fn each_field_has_its_owner_and_the_places_where_it_is_written() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    let table = place.json(&["ownership"]);
    let price = row(&table, "deal", "price");
    assert_eq!(price["owners"], serde_json::json!(["1c", "bitrix24"]));
    assert_eq!(keeps(price, "OPPORTUNITY"), ["bitrix24 deal unless_owned"]);
    assert_eq!(keeps(row(&table, "deal", "comment"), "COMMENTS"), ["bitrix24 deal created"]);
    assert_eq!(keeps(row(&table, "deal", "score"), "UF_CRM_UZEL_CLASS"), ["bitrix24 deal kept"]);
    assert_eq!(keeps(row(&table, "client", "contact"), "PHONE").len(), 2, "contact and company");
    // Every line of the rules decides something here, and every name that is written is in the table.
    for group in uzel::catalog::GROUPS {
        let rows = table.as_array().expect("rows");
        assert!(rows.iter().any(|it| it["group"] == group), "{group} decides nothing: {table:#}");
    }

    // Another file of rules, another table.
    std::fs::create_dir_all(place.path().join("rules")).expect("a folder");
    std::fs::write(place.path().join("rules/ownership.toml"), "money = [\"bitrix24\"]\n").expect("written");
    let table = place.json(&["ownership"]);
    assert_eq!(row(&table, "deal", "price")["owners"], serde_json::json!(["bitrix24"]));
    assert_eq!(row(&table, "deal", "stage")["owners"], serde_json::json!([]));
    let said = place.run(&["ownership"]);
    assert!(said.code == 0 && said.out.contains("the newest, whoever says it"), "{said:?}");
}
