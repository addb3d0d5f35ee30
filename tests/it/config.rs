//! Settings: every problem at once, the environment over the file, no secrets in the file.

use uzel::base::Locale;
use uzel::config::{Mode, Settings, secret_name, secret_variable};
use uzel::connector::Connector;

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let variable = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Settings::compile("uzel.toml", text, &variable)
        .map_err(|problems| problems.iter().map(|problem| problem.render(Locale::En)).collect())
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = read("", &[]).expect("nothing is required");
    assert_eq!(settings.listen.address.to_string(), "127.0.0.1:8690");
    assert_eq!(settings.company.zone_name, "Europe/Moscow");
    assert_eq!((settings.company.region.as_str(), settings.company.currency.to_string().as_str()), ("RU", "RUB"));
    assert_eq!(settings.limits.cache_bytes, uzel::base::limits::STORE_CACHE_BYTES);
    assert_eq!(settings.locale, Locale::Ru);
}

#[test]
fn every_problem_is_reported_at_once() {
    let text = r#"locale = "fr"
[company]
zone = "Europe/Moskow"
region = "ru"
currency = "rub"
own_inns = ["123"]
[listen]
adress = "x"
address = "localhost"
public_url = "in.company.ru"
trusted_proxies = ["10.0.0.0/64"]
address_burst = 0
[limits]
cache_mib = 1
[connection."Сайт"]
connector = "forms"
[connection.b]
mode = "alive"
"#;
    let problems = read(text, &[("UZEL_LIMITS_FREE_SPACE_MIB", "much")]).expect_err("it is wrong");
    let expected = [
        "uzel.toml: the variable UZEL_LIMITS_FREE_SPACE_MIB",
        "uzel.toml:1:",
        "uzel.toml:3:",
        "uzel.toml:4:",
        "uzel.toml:5:",
        "uzel.toml:6:",
        "uzel.toml:8:",
        "uzel.toml:9:",
        "uzel.toml:10:",
        "uzel.toml:11:",
        "uzel.toml:12:",
        "uzel.toml:14:",
        "uzel.toml:15:",
        "uzel.toml:17:",
        "uzel.toml:18:",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, start) in problems.iter().zip(expected) {
        assert!(problem.starts_with(start), "{problem} does not start with {start}");
    }
}

#[test]
fn the_environment_stands_over_the_file() {
    let environment = [
        ("UZEL_LISTEN_ADDRESS", "0.0.0.0:80"),
        ("UZEL_COMPANY_ZONE", "Asia/Omsk"),
        ("UZEL_LOCALE", "en"),
        ("UZEL_LISTEN_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"),
        ("UZEL_CONNECTION_MY_CRM_MODE", "live"),
        ("UZEL_LIMITS_CACHE_MIB", "128"),
    ];
    let text = "[listen]\naddress = \"127.0.0.1:1\"\n[connection.my-crm]\nconnector = \"bitrix24\"\n";
    let settings = read(text, &environment).expect("it is right");
    assert_eq!(settings.listen.address.to_string(), "0.0.0.0:80");
    assert_eq!(settings.listen.trusted_proxies, ["127.0.0.1", "10.0.0.0/8"]);
    assert_eq!(settings.company.zone_name, "Asia/Omsk");
    assert_eq!(settings.locale, Locale::En);
    assert_eq!(settings.limits.cache_bytes, 128 * 1024 * 1024);
    assert_eq!(settings.connection("my-crm").expect("it is there").mode, Mode::Live);
}

#[test]
fn a_secret_in_the_file_is_a_problem_that_says_where_it_belongs() {
    let files = uzel::catalog::FileSet::builtin();
    let manifest = files.get("connectors/forms/connector.toml").expect("built in");
    let slug = uzel::base::Slug::literal("forms");
    let connector = Connector::compile(slug, "connectors/forms/connector.toml", manifest).expect("built in");
    let text = "[connection.my-site]\nconnector = \"forms\"\nsecret = \"0123\"\norigins = [\"https://a.ru\"]\n";
    let settings = read(text, &[]).expect("the secret is seen when the manifest is at hand");
    let problems = settings.connections[0].read(&connector.settings).expect_err("it is a secret");
    let shown = problems[0].render(Locale::En);
    assert!(shown.starts_with("uzel.toml:3:"), "{shown}");
    assert!(shown.contains("my-site.secret") && shown.contains("UZEL_SECRET_MY_SITE_SECRET"), "{shown}");
    assert!(!shown.contains("0123"), "{shown}");
    assert_eq!(secret_name("my-site", "secret"), "my-site.secret");
    assert_eq!(secret_variable("my-site", "secret"), "UZEL_SECRET_MY_SITE_SECRET");
}
