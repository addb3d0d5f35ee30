//! Settings around a relay: `[relay]` of `uzel.toml`, by which the office finds it, and `relay.toml`,
//! by which the relay itself lives.
//!
//! ```toml
//! [relay]                                  # uzel.toml
//! address = "https://in.company.ru"
//! ```
//!
//! ```toml
//! [listen]                                 # relay.toml: as in uzel.toml
//! address = "127.0.0.1:8690"
//! [limits]
//! free_space_mib = 512
//! [keep]
//! days = 7
//! ```

use super::{Environment, Limits, Listen, Over, Place, limits_of, listen, template};
use crate::base::limits::RELAY_KEEP_DAYS;
use crate::base::{Locale, Message, Problem, Slug};
use crate::field::{Lint, Table};

/// Where the office finds its relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// `https://in.company.ru`, without a slash at the end.
    pub address: String,
    /// Whether private addresses may be dialled, and plain HTTP spoken.
    pub allow_private: bool,
    /// Private networks that may be dialled.
    pub allow_networks: Vec<String>,
}

impl RelayAddress {
    /// Name of the token in the vault.
    pub const TOKEN: &str = "relay.token";
}

/// The settings of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelaySettings {
    /// The listener.
    pub listen: Listen,
    /// Free space.
    pub limits: Limits,
    /// For how many days what the office has confirmed is kept.
    pub keep_days: u32,
}

impl RelaySettings {
    /// Reads the text of `file`, with the environment over it.
    pub fn compile(file: &str, text: &str, environment: Environment<'_>) -> Result<RelaySettings, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let over = Over { environment, lint: &lint };
        let listen = listen::listen(&over, &table);
        let limits = limits_of(&over, &table);
        let keep = table.table("keep");
        let days = over.number("keep", keep.as_ref(), "days", 0, 3_650).and_then(|it| u32::try_from(it).ok());
        keep.into_iter().for_each(Table::close);
        table.close();
        match (listen, lint.problems()) {
            (Some(listen), problems) if problems.is_empty() => {
                Ok(RelaySettings { listen, limits, keep_days: days.unwrap_or(RELAY_KEEP_DAYS) })
            }
            (_, problems) => Err(problems),
        }
    }
}

/// `[relay]` of `uzel.toml`.
pub(super) fn address_of(over: &Over<'_>, root: &Table<'_>) -> Option<RelayAddress> {
    let table = root.table("relay");
    let address = over.text("relay", table.as_ref(), "address").map(|(text, place)| {
        let text = text.trim_end_matches('/').to_owned();
        if !is_origin(&text) {
            over.report(&place, Message::new("config-relay-address").with("address", &text));
        }
        text
    });
    if table.is_none() && address.is_none() {
        return None;
    }
    let allow_private = table.as_ref().and_then(|table| table.boolean("allow_private")).unwrap_or(false);
    let networks = table.as_ref().map(|table| table.texts("allow_networks")).unwrap_or_default();
    let allow_networks = networks.into_iter().map(|(text, _)| text.to_owned()).collect();
    if address.is_none() {
        let line = table.as_ref().map_or(0, |table| table.line);
        over.report(&Place::Line(line), Message::new("config-relay-address").with("address", ""));
    }
    table.into_iter().for_each(Table::close);
    Some(RelayAddress { address: address?, allow_private, allow_networks })
}

/// `relay.token` is the relay's: a connection of that name would share the vault's name with it.
pub(super) fn refuse_name(over: &Over<'_>, name: &Slug, line: u32) {
    if **name == *"relay" {
        over.report(&Place::Line(line), Message::new("config-relay-name"));
    }
}

/// Scheme, host, perhaps a port, and nothing behind.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
}

/// A commented `relay.toml` in the reader's language.
pub fn relay_template(locale: Locale, public_url: &str) -> String {
    let text = match locale {
        Locale::Ru => RU,
        Locale::En => EN,
    };
    text.replace("{public_url}", &template::quoted(public_url))
}

const RU: &str = r#"# Настройки реле. Подключения и секреты лежат рядом в connections.json: его даёт офис
# (uzel relay export), вручную он не правится.

[listen]
# Где принимать. Наружу ставьте веб-сервер с HTTPS и передавайте запросы сюда.
address = "127.0.0.1:8690"
# Как реле видно снаружи: показывается в адресах форм.
public_url = {public_url}
# Адреса веб-серверов, которым можно верить в том, кто отправитель.
trusted_proxies = ["127.0.0.1"]
# Запросов в минуту: к одному источнику (0 — без предела), с одного адреса, и сколько сразу.
source_per_minute = 0
address_per_minute = 600
address_burst = 120

[limits]
# Свободное место, МиБ: меньше — приём приостанавливается, отправители повторят.
free_space_mib = 512

[keep]
# Сколько дней хранить то, что офис уже забрал. Неотданное хранится, пока не отдано.
days = 7
"#;

const EN: &str = r#"# Settings of the relay. Connections and secrets lie beside it in connections.json: the office makes
# it (uzel relay export), and nobody edits it.

[listen]
# Where it listens. Put a web server with HTTPS in front.
address = "127.0.0.1:8690"
# How the relay is seen from outside: shown in the addresses of forms.
public_url = {public_url}
# Addresses of web servers that may be believed about who the sender is.
trusted_proxies = ["127.0.0.1"]
# Requests a minute: to one source (0: no limit), from one address, and how many at once.
source_per_minute = 0
address_per_minute = 600
address_burst = 120

[limits]
# Free space, MiB: below it intake pauses, and senders try again.
free_space_mib = 512

[keep]
# Days that what the office has taken is kept. What it has not taken is kept until it has.
days = 7
"#;

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_template_reads_in_both_languages() {
        for locale in [Locale::Ru, Locale::En] {
            let text = relay_template(locale, "https://in.company.ru");
            let settings = RelaySettings::compile("relay.toml", &text, &nothing).expect("the template is right");
            assert_eq!(settings.listen.public_url, "https://in.company.ru");
            assert_eq!((settings.keep_days, settings.limits.free_space_bytes >> 20), (7, 512));
            assert_eq!(settings.listen.trusted_proxies, ["127.0.0.1"]);
        }
    }

    #[test]
    fn a_relay_is_not_set_up_like_an_office() {
        let text = "[company]\nname = \"x\"\n[connection.site]\nconnector = \"forms\"\n[keep]\ndays = -1\n";
        let problems = RelaySettings::compile("relay.toml", text, &nothing).expect_err("three problems");
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn the_office_names_its_relay() {
        let check = |text: &str, expected: Result<Option<&str>, &str>| {
            let read = Settings::compile("uzel.toml", text, &nothing);
            match (read, expected) {
                (Ok(settings), Ok(address)) => {
                    assert_eq!(settings.relay.map(|it| it.address).as_deref(), address, "{text}");
                }
                (Err(problems), Err(id)) => assert_eq!(problems[0].message.id, id, "{text}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        };
        check("", Ok(None));
        check("[relay]\naddress = \"https://in.company.ru/\"\n", Ok(Some("https://in.company.ru")));
        check("[relay]\naddress = \"http://10.0.0.2:8690\"\nallow_private = true\n", Ok(Some("http://10.0.0.2:8690")));
        check("[relay]\n", Err("config-relay-address"));
        check("[relay]\naddress = \"in.company.ru\"\n", Err("config-relay-address"));
        check("[relay]\naddress = \"https://in.company.ru/in/site\"\n", Err("config-relay-address"));
        check("[relay]\naddress = \"https://user@in.company.ru\"\n", Err("config-relay-address"));
        check(
            "[relay]\naddress = \"https://in.company.ru\"\n[connection.relay]\nconnector = \"forms\"\n",
            Err("config-relay-name"),
        );
    }
}
