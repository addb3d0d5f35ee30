//! The description of the JSON interface is true: each route that it names is walked over a daemon
//! with data, and each answer is exactly what its schema says.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use uzel::app::{Daemon, Folder};
use uzel::control::openapi;
use uzel::vault::Vault;

use super::daemon_support::run;

/// What is wrong with a value. A keyword that is not known here is wrong too: nothing is skipped.
fn faults(value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else { return };
    for (keyword, rule) in rules {
        let wrong = match keyword.as_str() {
            "$ref" => {
                let name = rule.as_str().and_then(|it| it.strip_prefix("#/components/schemas/"));
                let named = name.map(|it| &openapi()["components"]["schemas"][it]).filter(|it| !it.is_null());
                match named {
                    Some(named) => faults(value, named, at, found),
                    None => found.push(format!("{at}: {rule} is nowhere")),
                }
                false
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                !types.iter().any(|it| is_of(value, it.as_str().unwrap_or_default()))
            }
            "const" => value != rule,
            "enum" => !rule.as_array().is_some_and(|it| it.contains(value)),
            "minimum" => value.as_f64().is_some_and(|it| it < rule.as_f64().unwrap_or_default()),
            "oneOf" | "anyOf" => {
                let fits = |choice: &&Value| {
                    let mut inner = Vec::new();
                    faults(value, choice, at, &mut inner);
                    inner.is_empty()
                };
                rule.as_array().into_iter().flatten().filter(fits).count() == 0
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults(item, rule, &format!("{at}/{index}"), found);
                }
                false
            }
            "prefixItems" => {
                let pairs = value.as_array().into_iter().flatten().zip(rule.as_array().into_iter().flatten());
                for (index, (item, rule)) in pairs.enumerate() {
                    faults(item, rule, &format!("{at}/{index}"), found);
                }
                false
            }
            "minItems" => value.as_array().is_some_and(|it| (it.len() as u64) < rule.as_u64().unwrap_or_default()),
            "maxItems" => value.as_array().is_some_and(|it| it.len() as u64 > rule.as_u64().unwrap_or_default()),
            "properties" => {
                for (name, held) in value.as_object().into_iter().flatten() {
                    match rule.get(name) {
                        Some(rule) => faults(held, rule, &format!("{at}/{name}"), found),
                        None => found.push(format!("{at}/{name} is in no schema")),
                    }
                }
                false
            }
            "additionalProperties" => {
                if rules.get("properties").is_none() {
                    for (name, held) in value.as_object().into_iter().flatten() {
                        faults(held, rule, &format!("{at}/{name}"), found);
                    }
                }
                false
            }
            "required" => {
                let missing = |it: &&Value| value.get(it.as_str().unwrap_or_default()).is_none();
                value.is_object() && rule.as_array().is_some_and(|it| it.iter().any(|it| missing(&it)))
            }
            "description" | "title" | "default" | "format" => false,
            _ => true,
        };
        if wrong {
            found.push(format!("{at}: {keyword} {rule}: {value}"));
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[test]
fn what_does_not_fit_a_schema_is_found() {
    let check = |value: Value, schema: Value, faulty: bool| {
        let mut found = Vec::new();
        faults(&value, &schema, "", &mut found);
        assert_eq!(!found.is_empty(), faulty, "{value} {schema}: {found:?}");
    };
    let person = json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] });
    check(json!({ "name": "x" }), person.clone(), false);
    check(json!({ "name": 1 }), person.clone(), true);
    check(json!({}), person.clone(), true);
    check(json!({ "name": "x", "more": 1 }), person.clone(), true);
    check(json!([{ "name": null }]), json!({ "type": "array", "items": person }), true);
    check(json!(null), json!({ "type": ["string", "null"] }), false);
    check(json!(-1), json!({ "type": "integer", "minimum": 0 }), true);
    check(json!("b"), json!({ "oneOf": [{ "const": "a" }, { "enum": ["c"] }] }), true);
    let pair = json!({ "type": "array", "prefixItems": [{ "type": "string" }], "minItems": 1, "maxItems": 1 });
    check(json!([1]), pair.clone(), true);
    check(json!(["a", "b"]), pair, true);
    check(json!(1), json!({ "$ref": "#/components/schemas/Nobody" }), true);
    check(json!(1), json!({ "pattern": "a keyword that is not known here" }), true);
}

/// A daemon over what the demo leaves, and what its paths can name.
struct Seeded {
    daemon: Daemon,
    client: reqwest::Client,
    token: String,
    /// Part of a path, with what stands before it -> something that is there.
    named: BTreeMap<&'static str, String>,
    _folder: tempfile::TempDir,
}

/// What follows `connector = "forms"` of a connection that works by tokens.
const TOKENS: &str = "[connection.portal]\nconnector = \"bitrix24\"\nmode = \"off\"\nportal = \"http://127.0.0.1:9\"\n\
                      client_id = \"app\"\noauth_server = \"http://127.0.0.1:9\"\nallow_private = true\n";

impl Seeded {
    async fn start() -> Seeded {
        let kept = tempfile::tempdir().expect("a folder");
        let path = kept.path().join("demo");
        let said = run(&["demo", "--once", "--keep", &path.display().to_string()]);
        assert_eq!(said.code, 0, "{said:?}");
        let file = path.join("uzel.toml");
        let settings = std::fs::read_to_string(&file).expect("settings");
        std::fs::write(&file, settings + "\n" + TOKENS).expect("settings are written");
        let vault = Vault::open(&path.join("vault.json")).expect("the vault");
        vault.set("portal.client_secret", uzel::base::Secret::new("s3cret")).expect("it is kept");
        let secret = vault.get("site.secret").expect("the secret of the site").expose().to_owned();
        let token = vault.get("api.token").expect("a token").expose().to_owned();
        drop(vault);

        let any = "127.0.0.1:0".parse().expect("an address");
        let daemon = Daemon::start(&Folder::new(Path::new(&path)), Some(any)).await.expect("it starts");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let seeded = Seeded { daemon, client, token, named: BTreeMap::new(), _folder: kept };
        // Nobody can be made of the first two: they wait in quarantine.
        for body in ["{\"phone\": ", "{\"phone\": [", "{\"phone\": {"] {
            let address = format!("{}/in/site/{secret}", seeded.daemon.address());
            let request = seeded.client.post(address).header("content-type", "application/json").body(body);
            assert_eq!(request.send().await.expect("an answer").status(), 200, "{body}");
        }
        seeded.daemon.core().caught_up().await.expect("the pipeline works");
        seeded
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let address = format!("{}{path}", self.daemon.address());
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, address).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The `which`-th row of a listing, its `name`.
    async fn row(&self, path: &str, which: usize, name: &str) -> String {
        let (_, listed) = self.ask("GET", path, None).await;
        let rows = listed.get("rows").unwrap_or(&listed);
        let held = &rows[which][name];
        held.as_str().unwrap_or_else(|| panic!("{path} has no {name} {which}: {listed:#}")).to_owned()
    }

    async fn name_what_is_there(&mut self) {
        for (part, path, which, name) in [
            ("clients/{id}", "/api/clients", 0, "id"),
            ("merge/{loser}", "/api/clients", 1, "id"),
            ("split/{loser}", "/api/clients", 1, "id"),
            ("deals/{id}", "/api/deals", 0, "id"),
            ("tasks/{id}", "/api/tasks", 0, "id"),
            ("quarantine/{record}", "/api/quarantine", 0, "record"),
            ("{sink}/{object}", "/api/deals", 0, "id"),
            ("privacy/{client}", "/api/clients", 2, "id"),
        ] {
            let held = self.row(path, which, name).await;
            self.named.insert(part, held);
        }
        let (status, plan) = self.ask("POST", "/api/sync/plans?sink=bitrix24", None).await;
        assert_eq!(status, 200, "{plan}");
        let (status, link) = self.ask("POST", "/api/page/links?for=x", None).await;
        assert_eq!(status, 200, "{link}");
        self.named.insert("links/{id}", link["id"].to_string());
        self.named.insert("plans/{plan}", plan["plan"].as_str().expect("its name").to_owned());
        for (part, held) in [
            ("outbox/{sink}", "bitrix24"),
            ("told/{sink}", "bitrix24"),
            ("sinks/{sink}", "bitrix24"),
            ("sources/{connection}", "bitrix24"),
            ("connections/{name}", "portal"),
            ("probe/{connection}", "site"),
            ("journal/{position}", "1"),
        ] {
            self.named.insert(part, held.to_owned());
        }
    }

    /// A path with its parameters filled in.
    fn filled(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('/').collect();
        let fill = |(index, part): (usize, &&str)| {
            if !part.starts_with('{') {
                return (*part).to_owned();
            }
            let key = format!("{}/{part}", parts[index - 1]);
            let held = self.named.get(key.as_str());
            held.unwrap_or_else(|| panic!("{path}: say in name_what_is_there() what {key} is in the demo")).clone()
        };
        parts.iter().enumerate().map(fill).collect::<Vec<_>>().join("/")
    }
}

/// Commands that need more than their path.
fn said_with(path: &str) -> (&'static str, Option<Value>) {
    match path {
        "/api/clients/{id}/edit" => ("", Some(json!({ "set": { "inn": "7707083893" } }))),
        "/api/deals/{id}/edit" => ("", Some(json!({ "set": { "comment": "x" } }))),
        "/api/sync/plans" | "/api/sync/look" => ("?sink=bitrix24", None),
        "/api/sync/plans/{plan}/apply" => ("?only_unchanged=true", None),
        _ => ("", None),
    }
}

/// What is asked in its turn: what takes something away comes last, and each takes another record.
fn turn(method: &str, path: &str) -> u8 {
    match (method, path) {
        ("GET", _) => 0,
        ("POST", it) if it.contains("/merge/") => 1,
        ("POST", it) if it.contains("/split/") => 2,
        ("POST", it) if it.ends_with("/{object}/resend") => 2,
        ("POST", it) if it.contains("/privacy/") => 4,
        (..) => 3,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_what_its_schema_says() {
    let mut seeded = Seeded::start().await;
    seeded.name_what_is_there().await;
    let (_, served) = seeded.ask("GET", "/api/openapi.json", None).await;
    assert_eq!(&served, openapi(), "what is served is what is written down");

    let paths = openapi()["paths"].as_object().expect("paths").clone();
    let mut operations: Vec<(String, String, Value)> = Vec::new();
    for (path, methods) in &paths {
        for (method, operation) in methods.as_object().expect("methods") {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations.sort_by_key(|(method, path, _)| turn(method, path));
    let mut wrong = Vec::new();
    for (method, path, operation) in &operations {
        let (query, body) = said_with(path);
        if method == "POST" && (path.contains("/quarantine/") || path.contains("/tasks/")) {
            // The one before has ended what it was given.
            let (part, list, name) = match path.contains("/tasks/") {
                true => ("tasks/{id}", "/api/tasks?state=open", "id"),
                false => ("quarantine/{record}", "/api/quarantine", "record"),
            };
            let next = seeded.row(list, 0, name).await;
            seeded.named.insert(part, next);
        }
        let address = seeded.filled(path) + query;
        let (status, answer) = seeded.ask(method, &address, body.clone()).await;
        let responses = &operation["responses"];
        let described = match status {
            200 => &responses["200"],
            _ => &responses["default"],
        };
        let mut found = Vec::new();
        if status != 200 {
            found.push(format!("{status} {answer}"));
        }
        faults(&answer, &described["content"]["application/json"]["schema"], "", &mut found);
        if let Some(body) = body {
            faults(&body, &operation["requestBody"]["content"]["application/json"]["schema"], "body", &mut found);
        }
        wrong.extend(found.into_iter().map(|it| format!("{method} {address}: {it}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(operations.len() > 50, "{}", operations.len());

    let (status, refused) = seeded.ask("GET", "/api/clients/cli_nobody?lang=en", None).await;
    assert_eq!(status, 404);
    let mut found = Vec::new();
    faults(&refused, &json!({ "$ref": "#/components/schemas/RefusalBody" }), "", &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(seeded.daemon.stop().await, None);
}

/// The document holds together: ids are of one operation each, references lead somewhere, nothing
/// is described twice or not at all.
#[test]
fn the_document_holds_together() {
    let document = openapi();
    let mut ids = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            assert!(operation["summary"].as_str().is_some_and(|it| !it.is_empty()), "{method} {path}");
            ids.push(operation["operationId"].as_str().expect("an id").to_owned());
            let in_path = operation["parameters"].as_array().into_iter().flatten().filter(|it| it["in"] == "path");
            assert_eq!(in_path.count(), path.matches('{').count(), "{path}");
        }
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    let schemas: &Map<String, Value> = document["components"]["schemas"].as_object().expect("schemas");
    let text = document.to_string();
    for part in text.split("\"$ref\":\"").skip(1) {
        let name = part.split('"').next().and_then(|it| it.rsplit('/').next()).expect("a name");
        assert!(schemas.contains_key(name), "{name} is nowhere");
    }
    for name in schemas.keys() {
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name} is used by nothing");
    }
}
