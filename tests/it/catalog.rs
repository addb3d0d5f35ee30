//! The catalog: built-ins are right, files of the folder take their place, and a kept configuration
//! compiles again.

use uzel::base::checksum::Fingerprint;
use uzel::base::{DealId, Locale, Slug, Timestamp};
use uzel::catalog::{
    Business, Catalog, ClosedDeal, FileSet, Mapped, Mode, OpenDeal, OrderRule, PaymentRule, UntouchedRule, lint,
};
use uzel::config::Settings;
use uzel::entry::{Body, ObjectRef, Received};
use uzel::model::TaskKind;

/// 2026-11-22 12:00 in Moscow.
const NOVEMBER: Timestamp = Timestamp(1_795_338_000_000);

const SETTINGS: &str = r#"
[company]
zone = "Europe/Moscow"

[connection.site]
connector = "forms"

[connection.tilda]
connector = "tilda"

[connection.1c]
connector = "commerceml"

[connection.bitrix24]
connector = "bitrix24"
"#;

fn settings() -> Settings {
    Settings::compile("uzel.toml", SETTINGS, &|_| None).expect("the settings of the test are right")
}

#[test]
fn the_built_in_files_lint_clean_and_their_cases_pass() {
    let report = lint(&FileSet::builtin(), &settings(), NOVEMBER);
    assert!(report.problems.is_empty(), "\n{}", report.render(Locale::En));
    assert!(report.cases >= 28, "{} cases ran", report.cases);
}

fn problems_of(files: &FileSet, settings: &Settings) -> Vec<String> {
    let problems = Catalog::compile(files, settings).expect_err("it is wrong");
    problems.iter().map(|problem| problem.render(Locale::En)).collect()
}

fn settings_of(text: &str) -> Settings {
    Settings::compile("uzel.toml", text, &|_| None).expect("the settings of the test are right")
}

fn envelope(connection: &'static str, stream: &'static str, headers: &[(&str, &str)]) -> Received {
    Received {
        connection: Slug::literal(connection),
        connector: Slug::literal("forms"),
        stream: Slug::literal(stream),
        received_at: Timestamp(1_772_442_000_000),
        idempotency_key: Fingerprint::of(b"key"),
        content_type: "application/json".into(),
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect(),
        body: Body::Inline(Vec::new()),
    }
}

#[test]
fn problems_of_all_files_come_out_at_once_sorted_by_file_and_line() {
    let mut files = FileSet::builtin();
    files.put("mappings/forms/lead.in.toml", "[client]\nfone = \"x\"\nname = 5\n".to_owned());
    files.put("rules/business.toml", "[lead]\nsame_form_minutes = \"ten\"\n".to_owned());
    files.put("mappings/forms/laed.in.toml", String::new());
    files.put("rules/ownership.toml", "money = [\"comerceml\"]\nmoni = []\n".to_owned());
    let settings = settings_of(
        "[connection.site]\nconnector = \"forms\"\ncolour = \"red\"\n[connection.b]\nconnector = \"bitriks24\"\n",
    );
    let problems = problems_of(&files, &settings);
    let starts = |text: &str| problems.iter().filter(|problem| problem.starts_with(text)).count();
    assert_eq!(starts("mappings/forms/laed.in.toml: "), 1, "{problems:#?}");
    assert_eq!(starts("mappings/forms/lead.in.toml:2:"), 1, "{problems:#?}");
    assert_eq!(starts("mappings/forms/lead.in.toml:3:"), 1, "{problems:#?}");
    assert_eq!(starts("rules/ownership.toml:1:"), 1, "{problems:#?}");
    assert_eq!(starts("rules/ownership.toml:2:"), 1, "{problems:#?}");
    assert_eq!(starts("uzel.toml:3:"), 1, "{problems:#?}");
    assert_eq!(starts("uzel.toml:4:"), 1, "{problems:#?}");
    assert!(starts("rules/business.toml:") > 1, "{problems:#?}");
    assert!(problems.iter().any(|it| it.contains("bitrix24")), "{problems:#?}");
    let mut sorted: Vec<&str> = problems.iter().map(|it| it.split(':').next().unwrap_or("")).collect();
    let shown = sorted.clone();
    sorted.sort_unstable();
    assert_eq!(shown, sorted);
}

#[test]
fn a_file_of_the_folder_takes_the_place_of_the_built_in_of_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("mappings/forms");
    std::fs::create_dir_all(&own).expect("a folder");
    std::fs::write(own.join("lead.in.toml"), "[deal]\ntitle = \"t\"\n").expect("a file");
    let files = FileSet::with_folder(folder.path()).expect("readable");
    let catalog = Catalog::compile(&files, &settings()).expect("it compiles");
    let record = uzel::decode::submission("application/json", br#"{"t": "x"}"#).expect("JSON").value;
    let mapped = catalog.map_inbound(&envelope("site", "lead", &[]), "lead", &record);
    assert_eq!(mapped.lines(), ["deal = told", "deal.title = x"]);
    let plain = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles");
    assert_ne!(plain.hash(), catalog.hash());
    assert_eq!(FileSet::with_folder(&folder.path().join("nowhere")).expect("nothing to overlay"), FileSet::builtin());
}

#[test]
fn a_kept_configuration_compiles_again_to_the_same_hash_without_its_surroundings() {
    let text = SETTINGS.replace(
        "[connection.tilda]",
        "mode = \"live\"\norigins = [\"https://site.ru\", \"q\\\"\"]\n\n[connection.tilda]",
    );
    let catalog = Catalog::compile(&FileSet::builtin(), &settings_of(&text)).expect("it compiles");
    let bytes = catalog.to_bytes();
    let again = Catalog::from_bytes(&bytes).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(again.hash(), catalog.hash());
    assert_eq!(again.to_bytes(), bytes);
    let names = |catalog: &Catalog| {
        catalog.connections().map(|it| (it.name.to_string(), it.mode, it.settings.clone())).collect::<Vec<_>>()
    };
    assert_eq!(names(&again), names(&catalog));
    assert_eq!(again.company, catalog.company);
}

/// Ownership names `commerceml` and `bitrix24`; a company that used neither could not read its own
/// configuration again, so nothing could be rebuilt.
#[test]
fn a_kept_configuration_compiles_again_although_ownership_names_connectors_that_nobody_used() {
    let text = "locale = \"ru\"\n[company]\nname = \"Ф\"\n[connection.site]\nconnector = \"forms\"\n";
    let catalog = Catalog::compile(&FileSet::builtin(), &settings_of(text)).expect("it compiles");
    let again = Catalog::from_bytes(&catalog.to_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!((again.hash(), again.ownership), (catalog.hash(), catalog.ownership));
}

#[test]
fn damaged_and_newer_configurations_are_refused_with_words() {
    let bytes = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles").to_bytes();
    for cut in [0, 5, 30, bytes.len() / 2, bytes.len() - 2] {
        assert!(Catalog::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let newer = String::from_utf8(bytes).expect("text").replacen("configuration 1", "configuration 2", 1);
    let problems = Catalog::from_bytes(newer.as_bytes()).expect_err("newer");
    assert!(problems[0].to_string().contains("newer"), "{}", problems[0]);
}

#[test]
fn the_hash_covers_what_the_pipeline_reads_and_nothing_else() {
    let hash = |text: &str| Catalog::compile(&FileSet::builtin(), &settings_of(text)).expect("it compiles").hash();
    let plain = hash(SETTINGS);
    let listen = format!("[listen]\naddress = \"0.0.0.0:80\"\n[limits]\ncache_mib = 100\n{SETTINGS}");
    assert_eq!(hash(&listen), plain, "where it listens changes nothing");
    let commented = format!("# a comment\n{}", SETTINGS.replace("zone =", "zone  ="));
    assert_eq!(hash(&commented), plain, "how the file is laid out changes nothing");
    assert_ne!(hash(&SETTINGS.replace("Moscow", "Samara")), plain);
    assert_ne!(hash(&SETTINGS.replace("connector = \"bitrix24\"", "connector = \"bitrix24\"\nmode = \"live\"")), plain);

    let with = |name: &str, content: &str| {
        let mut files = FileSet::builtin();
        files.put(name, content.to_owned());
        Catalog::compile(&files, &settings()).expect("it compiles").hash()
    };
    assert_eq!(with("connectors/forms/setup.md", "other words"), plain);
    assert_eq!(with("connectors/other/connector.toml", "not even TOML ="), plain, "nobody uses it");
    assert_ne!(with("mappings/commerceml/offer.in.toml", "[[filter]]\nreason = \"internal\"\n"), plain);
}

#[test]
fn a_stream_without_a_mapping_names_the_file_to_write() {
    let catalog = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles");
    let told = |connection: &'static str, stream: &str| {
        let mapped = catalog.map_inbound(&envelope(connection, "lead", &[]), stream, &uzel::value::Value::Null);
        let Mapped::Refused(message) = mapped else { panic!("it must be refused") };
        message.to_string()
    };
    assert!(told("site", "order").contains("mappings/forms/order.in.toml"));
    assert!(told("gone", "lead").contains("gone"));
}

#[test]
fn keys_of_content_count_within_the_window_and_keys_of_the_sender_for_days() {
    let catalog = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles");
    let check = |connection, stream, headers: &[(&str, &str)], expected: i64| {
        assert_eq!(catalog.remember_ms(&envelope(connection, stream, headers)), expected, "{connection} {headers:?}");
    };
    check("site", "lead", &[("uzel-key", "content")], 600_000);
    check("site", "lead", &[("uzel-key", "id")], 8 * 86_400_000);
    check("1c", "exchange", &[], 30 * 86_400_000);
    check("gone", "lead", &[("uzel-key", "content")], 8 * 86_400_000);
}

#[test]
fn a_sink_is_asked_only_for_the_objects_it_tells() {
    let catalog = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles");
    let names = |object: ObjectRef| catalog.sinks_for(object).map(|it| it.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(ObjectRef::Deal(DealId(1))), ["bitrix24"]);
    assert_eq!(catalog.sinks().count(), 1);
    assert_eq!(
        catalog.connection("bitrix24").expect("it is there").mode,
        Mode::Observe,
        "nothing is written by default"
    );
}

#[test]
fn whose_word_counts_follows_the_ownership_table() {
    let catalog = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles");
    let rank = |group: &str, connector: &str| catalog.ownership.rank(group, connector);
    assert!(rank("money", "commerceml") > rank("money", "bitrix24"));
    assert!(rank("money", "bitrix24") > rank("money", "forms"));
    assert!(rank("stage", "bitrix24") > rank("stage", "commerceml"));
    assert_eq!(rank("contacts", "forms"), rank("contacts", "commerceml"), "the newest wins");
    assert_eq!(rank("requisites", "commerceml"), uzel::mapping::OWNER_RANK);
}

#[test]
fn the_business_rules_are_those_of_the_house() {
    let business = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles").business;
    let expected = Business {
        same_form_window_ms: 600_000,
        open_deal: OpenDeal::Join,
        open_deal_task: true,
        clear_deal_ms: 86_400_000,
        lost_recently_ms: 30 * 86_400_000,
        lost_recently_task: true,
        untouched: UntouchedRule::WhenCrmIsRead,
        task_minutes: vec![
            (TaskKind::Returned, 60),
            (TaskKind::Answer, 60),
            (TaskKind::AmbiguousDeal, 120),
            (TaskKind::Untouched, 15),
            (TaskKind::Check, 480),
            (TaskKind::CallBack, 15),
        ],
        closed_deal: ClosedDeal::Repeat,
        order: OrderRule::JoinOnlyCandidate,
        order_task: true,
        count_unposted: false,
        paid_stage: None,
        paid_stage_from: ["Новая", "Целевой", "Встреча", "КП", "В работе", "Счёт"].map(Into::into).to_vec(),
        paid_wins: false,
        return_lowers_paid: true,
        payment: PaymentRule::JoinOnlyCandidate,
        payment_task: true,
        link_copies: true,
        same_payment_ms: 3 * 86_400_000,
        call_makes_deal: true,
        call_lead_s: 10,
        call_source: Some("Звонок".into()),
        call_back: true,
        damping_percent: 10,
    };
    assert_eq!(business, expected);
}

#[test]
fn lint_looks_at_connectors_that_nobody_uses_and_runs_their_cases() {
    let mut files = FileSet::builtin();
    let text = files
        .get("mappings/tilda/lead.cases.toml")
        .expect("built in")
        .replace("deal.price = 2500.5 RUB", "deal.price = 1 RUB");
    files.put("mappings/tilda/lead.cases.toml", text);
    files.put("connectors/other/connector.toml", "titel_ru = \"x\"\n".to_owned());
    let report = lint(&files, &settings_of(""), NOVEMBER);
    let text = report.render(Locale::En);
    assert!(text.contains("- deal.price = 1 RUB") && text.contains("+ deal.price = 2500.5 RUB"), "{text}");
    assert!(text.contains("connectors/other/connector.toml:1:"), "{text}");
}

/// Real files of other products: each record must be understood or refused with words.
#[test]
fn real_orders_of_sites_become_documents() {
    let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/commerceml"));
    if !folder.exists() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let catalog = Catalog::compile(&FileSet::builtin(), &settings()).expect("it compiles");
    let (mut documents, mut lines) = (0, 0);
    for name in ["bitrix-orders-2.03-cp1251.xml", "bitrix-orders-2.05-cp1251.xml"] {
        let file = std::fs::File::open(folder.join(name)).expect("the sample");
        for item in uzel::decode::commerceml::open(name, file) {
            let uzel::decode::commerceml::Content::Record(record) = item.content else { panic!("{name} is whole") };
            let mapped = catalog.map_inbound(&envelope("1c", "exchange", &[]), &record.stream, &record.value);
            let Mapped::Change(change) = mapped else { panic!("{name}: {mapped:?}") };
            let document = change.document.expect("an order is a document");
            assert!(document.number.is_some() && document.date.is_some() && document.sum.is_some(), "{document:?}");
            assert_eq!(document.sum.as_ref().map(|sum| sum.currency.0.as_str()), Some("RUB"));
            let key = &change.client.foreign[0];
            assert!(key.0 == "counterparty" && !key.1.contains('#') && !key.1.is_empty(), "{key:?}");
            documents += 1;
            lines += document.lines.len();
        }
    }
    assert_eq!((documents, lines), (3, 10));
}
