//! Settings: `uzel.toml` and the environment, read with all problems at once.
//!
//! ```toml
//! locale = "ru"
//!
//! [company]
//! name = "ООО «Ромашка»"
//! zone = "Europe/Moscow"
//!
//! [listen]
//! address = "127.0.0.1:8690"
//!
//! [connection.site]
//! connector = "forms"
//! origins = ["https://site.ru"]
//! ```
//!
//! A variable `UZEL_<SECTION>_<NAME>` (`UZEL_LISTEN_ADDRESS`) takes the place of a setting of
//! `[company]`, `[listen]`, `[limits]` and `[keep]`; `UZEL_LOCALE` of the locale; `UZEL_CONNECTION_<NAME>_MODE`
//! of the mode of a connection. What `[notify]` and `[heartbeat]` say is in `signals`. Secrets never stand in the file: the vault keeps them under
//! [`secret_name`], or the variable [`secret_variable`] gives them.
//!
//! What a connection sets besides `connector` and `mode` is declared by its connector, so it is
//! read later, by [`ConnectionSettings::read`], when `catalog` has the manifest.

mod listen;
pub mod reference;
mod relay;
mod signals;
mod template;
mod written;

use std::str::FromStr as _;

use jiff::tz::TimeZone;

pub use listen::{Acme, Challenge, LETS_ENCRYPT, Listen, ProxyHeader, Tls};
pub use relay::{RelayAddress, RelaySettings, relay_template};
pub use signals::{Email, Heartbeat, MailTls, Notify, Target};
pub(crate) use template::quoted;
pub use template::{NewConnection, NewSettings, template};
pub use written::{ConnectionSettings, secret_name, secret_variable};

use crate::base::{Locale, Message, Problem, Slug, Timestamp, limits};
use crate::field::{Lint, NodeKind, Table};
use crate::model::Currency;

/// Everything that `uzel.toml` and the environment say.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The file, as people know it.
    pub file: String,
    /// Whose daemon it is.
    pub company: Company,
    /// The listener.
    pub listen: Listen,
    /// Language of what is written where the reader's language is not known (explanations in a
    /// CRM, notes).
    pub locale: Locale,
    /// Bounds of this machine.
    pub limits: Limits,
    /// What is kept, and for how long.
    pub keep: Keep,
    /// The relay that takes messages for us on a public host, if there is one.
    pub relay: Option<RelayAddress>,
    /// Whom the daemon tells what is wrong.
    pub notify: Notify,
    /// Where it tells that it is well.
    pub heartbeat: Option<Heartbeat>,
    /// Connections, in the order of the file.
    pub connections: Vec<ConnectionSettings>,
}

/// Whose daemon it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Company {
    /// Its name.
    pub name: String,
    /// Name of its zone.
    pub zone_name: String,
    /// Its zone: calendar days are counted in it, and times without a zone are read in it.
    pub zone: TimeZone,
    /// Region of telephone numbers without a country.
    pub region: String,
    /// Currency of sums without one.
    pub currency: Currency,
    /// INNs of its own legal entities: deals with them are logged and not counted.
    pub own_inns: Vec<String>,
}

/// Bounds of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Free bytes below which intake is refused.
    pub free_space_bytes: u64,
    /// Cache of the store, bytes.
    pub cache_bytes: u64,
}

/// What is kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// When snapshots are made: minute, hour, day, month, weekday in the company's zone; empty:
    /// only by hand.
    pub snapshot: String,
    /// Snapshots kept.
    pub snapshots: usize,
    /// Days that the journal goes back; 0: all of it is kept.
    pub journal_days: u32,
    /// Days after which the newest backup is an alarm; 0: never.
    pub backup_days: u32,
}

/// Whether a foreign system is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Read and planned; nothing is written there before a plan is applied.
    #[default]
    Observe,
    /// Written to: the administrator has said so in the file.
    Live,
    /// Never written to, whatever plan there is.
    Off,
}

impl Mode {
    /// As it stands in `uzel.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::Live => "live",
            Mode::Off => "off",
        }
    }
}

const MODES: &[(&str, Mode)] = &[("observe", Mode::Observe), ("live", Mode::Live), ("off", Mode::Off)];
const LOCALES: &[(&str, Locale)] = &[("ru", Locale::Ru), ("en", Locale::En)];

/// Gives a variable of the environment.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

impl Settings {
    /// Reads the text of `file`, with the environment over it.
    pub fn compile(file: &str, text: &str, environment: Environment<'_>) -> Result<Settings, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let over = Over { environment, lint: &lint };
        let company = company(&over, &table);
        let listen = listen::listen(&over, &table);
        let limits = limits_of(&over, &table);
        let keep = keep_of(&over, &table);
        let relay = relay::address_of(&over, &table);
        let notify = signals::notify(&over, &table);
        let heartbeat = signals::heartbeat(&over, &table);
        let locale = table.choice("locale", LOCALES).unwrap_or_default();
        let locale = over.word("UZEL_LOCALE", LOCALES).unwrap_or(locale);
        let zone = company.as_ref().map(|it| &it.zone);
        let connections = connections(&over, &table, zone);
        if relay.is_some() {
            connections.iter().for_each(|it| relay::refuse_name(&over, &it.name, it.line));
        }
        table.close();
        let settings = (company, listen);
        match (settings, lint.problems()) {
            ((Some(company), Some(listen)), problems) if problems.is_empty() => {
                let file = file.to_owned();
                Ok(Settings { file, company, listen, locale, limits, keep, notify, heartbeat, relay, connections })
            }
            (_, problems) => Err(problems),
        }
    }

    /// The connection `name`.
    pub fn connection(&self, name: &str) -> Option<&ConnectionSettings> {
        self.connections.iter().find(|it| *it.name == *name)
    }
}

/// The environment over the file.
struct Over<'a> {
    environment: Environment<'a>,
    lint: &'a Lint,
}

impl Over<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// `UZEL_<SECTION>_<NAME>`, else the text of the table.
    fn text(&self, section: &str, table: Option<&Table<'_>>, name: &str) -> Option<(String, Place)> {
        let in_file = table.and_then(|table| Some((table.text(name)?.to_owned(), Place::Line(table.line_of(name)))));
        let variable = format!("UZEL_{}_{}", section.to_uppercase(), name.to_uppercase());
        match self.variable(&variable) {
            Some(text) => Some((text, Place::Variable(variable))),
            None => in_file,
        }
    }

    fn number(&self, section: &str, table: Option<&Table<'_>>, name: &str, low: i64, high: i64) -> Option<i64> {
        let in_file = table.and_then(|table| table.integer_in(name, low, high));
        let variable = format!("UZEL_{}_{}", section.to_uppercase(), name.to_uppercase());
        let Some(text) = self.variable(&variable) else { return in_file };
        match text.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Some(number),
            Ok(_) | Err(_) => {
                let message =
                    Message::new("toml-range").with("name", name).with("got", text).with("low", low).with("high", high);
                self.report(&Place::Variable(variable), message);
                None
            }
        }
    }

    fn word<T: Copy>(&self, variable: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.variable(variable)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known = choices.iter().map(|(word, _)| *word);
        let message = crate::field::reader::unknown_word("toml-choice", &text, known).with("name", variable);
        self.report(&Place::Variable(variable.to_owned()), message);
        None
    }

    fn report(&self, place: &Place, message: Message) {
        match place {
            Place::Line(line) => self.lint.report(*line, message),
            Place::Variable(name) => {
                let message = Message::new("config-variable").with("variable", name).with("detail", message);
                self.lint.report(0, message);
            }
        }
    }
}

/// Where a setting was written.
enum Place {
    Line(u32),
    Variable(String),
}

fn company(over: &Over<'_>, root: &Table<'_>) -> Option<Company> {
    let table = root.table("company");
    let text = |name: &str, default: &str| {
        over.text("company", table.as_ref(), name).unwrap_or((default.to_owned(), Place::Line(0)))
    };
    let (name, _) = text("name", "");
    let (zone_name, zone_place) = text("zone", "Europe/Moscow");
    let zone = TimeZone::get(&zone_name);
    if zone.is_err() {
        over.report(&zone_place, Message::new("config-zone").with("zone", &zone_name));
    }
    let (region, region_place) = text("region", "RU");
    let is_region = region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_region {
        over.report(&region_place, Message::new("config-region").with("region", &region));
    }
    let (currency, currency_place) = text("currency", "RUB");
    let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_currency {
        over.report(&currency_place, Message::new("config-currency").with("currency", &currency));
    }
    let mut own_inns = Vec::new();
    for (inn, line) in table.iter().flat_map(|table| table.texts("own_inns")) {
        if matches!(inn.len(), 10 | 12) && inn.bytes().all(|byte| byte.is_ascii_digit()) {
            own_inns.push(inn.to_owned());
        } else {
            over.lint.report(line, Message::new("config-inn").with("inn", inn));
        }
    }
    table.into_iter().for_each(Table::close);
    let currency = Currency(currency.as_str().into());
    Some(Company { name, zone_name, zone: zone.ok()?, region, currency, own_inns })
}

fn limits_of(over: &Over<'_>, root: &Table<'_>) -> Limits {
    const MIB: u64 = 1024 * 1024;
    let table = root.table("limits");
    let mib = |name: &str, low: i64, default: u64| {
        let read = over.number("limits", table.as_ref(), name, low, 1_000_000);
        read.and_then(|it| u64::try_from(it).ok()).map_or(default, |it| it * MIB)
    };
    let limits = Limits {
        free_space_bytes: mib("free_space_mib", 64, limits::FREE_SPACE_INTAKE_BYTES_MIN),
        cache_bytes: mib("cache_mib", 8, limits::STORE_CACHE_BYTES),
    };
    table.into_iter().for_each(Table::close);
    limits
}

fn keep_of(over: &Over<'_>, root: &Table<'_>) -> Keep {
    let table = root.table("keep");
    let (snapshot, place) =
        over.text("keep", table.as_ref(), "snapshot").unwrap_or(("0 3 * * *".to_owned(), Place::Line(0)));
    let snapshot = snapshot.trim().to_owned();
    if !snapshot.is_empty() && schedule(&snapshot).is_none() {
        over.report(&place, Message::new("config-schedule").with("text", &snapshot));
    }
    let number = |name: &str, low: i64, high: i64, default: u32| {
        over.number("keep", table.as_ref(), name, low, high).and_then(|it| u32::try_from(it).ok()).unwrap_or(default)
    };
    let (snapshots, journal_days) = (number("snapshots", 2, 1_000, 3), number("journal_days", 0, 36_500, 0));
    let backup_days = number("backup_days", 0, 3_650, 0);
    table.into_iter().for_each(Table::close);
    Keep { snapshot, snapshots: snapshots as usize, journal_days, backup_days }
}

/// A schedule of five fields, as `crontab` has it. Weekdays are words: numbers mean one day here
/// and another there.
pub fn schedule(text: &str) -> Option<cron::Schedule> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let plain = fields.len() == 5 && !fields[4].bytes().any(|byte| byte.is_ascii_digit());
    plain.then(|| cron::Schedule::from_str(&format!("0 {text}")).ok())?
}

fn connections(over: &Over<'_>, root: &Table<'_>, zone: Option<&TimeZone>) -> Vec<ConnectionSettings> {
    let Some(table) = root.table("connection") else { return Vec::new() };
    let mut connections = Vec::new();
    for (name, line, node) in table.entries() {
        let inner = over.lint.table(node);
        let slug = Slug::new(name);
        if slug.is_none() {
            over.lint.report(line, Message::new("config-connection-name").with("name", name));
        }
        let connector = inner.required_text("connector").and_then(|text| {
            let slug = Slug::new(text);
            if slug.is_none() {
                inner.report("connector", Message::new("config-connection-name").with("name", text));
            }
            slug
        });
        let mode = inner.choice("mode", MODES).unwrap_or_default();
        let mode = over.word(&written::variable(&["CONNECTION", name, "MODE"]), MODES).unwrap_or(mode);
        let switch_over = switch_over(&inner, zone);
        let silence_h =
            inner.integer_in("silence_h", 0, SILENCE_H_MAX).and_then(|it| u32::try_from(it).ok()).unwrap_or(0);
        // Their secrets would stand under the same names.
        if matches!(name, "notify" | "heartbeat" | "api") {
            over.lint.report(line, Message::new("config-connection-reserved").with("name", name));
        }
        // The rest is read when the manifest is at hand.
        if let (Some(name), Some(connector)) = (slug, connector) {
            let file = over.lint.file().to_owned();
            let node = node.clone();
            connections.push(ConnectionSettings { name, connector, mode, switch_over, silence_h, line, file, node });
        }
    }
    connections
}

/// A year: who waits longer for a source does not wait for it.
const SILENCE_H_MAX: i64 = 8_784;

/// `switch_over` of a connection: an instant with its offset, or a time of the company's zone.
fn switch_over(table: &Table<'_>, zone: Option<&TimeZone>) -> Option<Timestamp> {
    const NAME: &str = "switch_over";
    let text = match &table.node(NAME)?.kind {
        NodeKind::Text(text) | NodeKind::Datetime(text) => text.clone(),
        NodeKind::Integer(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::List(_) | NodeKind::Table(_) => {
            String::new()
        }
    };
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(zone?.clone()).ok().map(|it| it.timestamp());
    let at = text.parse::<jiff::Timestamp>().ok().or_else(local);
    // Without a zone the company's is wrong, which is reported by itself.
    if at.is_none() && zone.is_some() {
        table.report(NAME, Message::new("config-switch-over").with("text", text));
    }
    at.map(Timestamp::from_jiff)
}
