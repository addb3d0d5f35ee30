//! Every setting of `uzel.toml` and `relay.toml` as one table: `docs/reference/settings.*` is made of
//! it, with the texts `setting-<section>-<name>` of `locales/*/settings.ftl`.
//!
//! The settings are read by code (`listen`, `signals`, ...), which can check what no table says.
//! That both say the same is proved by `tests/it/reference_settings.rs`, which asks the readers: each
//! name is known to them and none is missing here, a default is what holds without the setting,
//! bounds are where a number is refused, words are all that is taken, the variable works.

/// Which file a section stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// `uzel.toml`.
    Uzel,
    /// `relay.toml`; what is not said here of it is as in `uzel.toml`.
    Relay,
}

/// One section of a file.
#[derive(Debug)]
pub struct Section {
    /// Its file.
    pub file: File,
    /// As it stands in brackets; empty: before the first section.
    pub name: &'static str,
    /// Its settings, in the order of the page.
    pub settings: &'static [Setting],
}

/// One setting. Values are written as TOML.
#[derive(Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What holds without it.
    pub given: Given,
    /// What a value looks like, other than what holds without it.
    pub example: &'static str,
    /// Whether a variable of the environment takes its place.
    pub variable: bool,
}

/// What may stand in a setting.
#[derive(Debug)]
pub enum Kind {
    /// Any text that the meaning of the setting allows.
    Text,
    /// Several such texts.
    Texts,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number {
        /// From here.
        low: i64,
        /// To here.
        high: i64,
        /// What it counts.
        unit: Unit,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A date with a time.
    Moment,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Pieces,
    /// Requests a minute.
    PerMinute,
    /// MiB.
    Mebibytes,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
}

impl Unit {
    /// Identifier of its word.
    pub fn id(self) -> &'static str {
        match self {
            Unit::Pieces => "setting-unit-pieces",
            Unit::PerMinute => "setting-unit-per-minute",
            Unit::Mebibytes => "setting-unit-mebibytes",
            Unit::Seconds => "setting-unit-seconds",
            Unit::Minutes => "setting-unit-minutes",
            Unit::Hours => "setting-unit-hours",
            Unit::Days => "setting-unit-days",
        }
    }
}

/// What holds without a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Its section is refused without it.
    Required,
    /// This value.
    Otherwise(&'static str),
    /// It depends on other settings: its text says on which.
    Depends,
    /// Nothing.
    Optional,
}

impl Setting {
    /// Identifier of its text.
    pub fn text_id(&self, section: &Section) -> String {
        format!("{}-{}", section.text_id(), self.name.replace('_', "-"))
    }

    /// The variable that takes its place: `UZEL_LISTEN_ADDRESS`.
    pub fn variable_name(&self, section: &Section) -> Option<String> {
        let place = match section.name {
            "" => String::new(),
            CONNECTION => "CONNECTION_<NAME>_".to_owned(),
            name => format!("{}_", name.to_uppercase().replace('.', "_")),
        };
        self.variable.then(|| format!("UZEL_{place}{}", self.name.to_uppercase()))
    }
}

impl Section {
    /// Identifier of its text.
    pub fn text_id(&self) -> String {
        let file = match self.file {
            File::Uzel => "setting",
            File::Relay => "setting-of-relay",
        };
        let name = self.name.split('.').filter(|it| !it.is_empty() && *it != "<name>");
        name.fold(file.to_owned(), |id, part| format!("{id}-{part}"))
    }
}

/// The section of a connection: `<name>` stands for its name.
pub const CONNECTION: &str = "connection.<name>";

/// A setting that no variable replaces.
const fn setting(name: &'static str, kind: Kind, given: Given, example: &'static str) -> Setting {
    Setting { name, kind, given, example, variable: false }
}

/// A setting with its variable.
const fn with_variable(name: &'static str, kind: Kind, given: Given, example: &'static str) -> Setting {
    Setting { name, kind, given, example, variable: true }
}

const fn number(low: i64, high: i64, unit: Unit) -> Kind {
    Kind::Number { low, high, unit }
}

use Given::{Depends, Optional, Otherwise, Required};
use Kind::{Bool, Choice, Moment, Text, Texts};

/// Every section, in the order of the page.
pub const SECTIONS: &[Section] = &[
    Section {
        file: File::Uzel,
        name: "",
        settings: &[with_variable("locale", Choice(&["ru", "en"]), Otherwise("\"ru\""), "\"en\"")],
    },
    Section {
        file: File::Uzel,
        name: "company",
        settings: &[
            with_variable("name", Text, Otherwise("\"\""), "\"ООО Ромашка\""),
            with_variable("zone", Text, Otherwise("\"Europe/Moscow\""), "\"Asia/Yekaterinburg\""),
            with_variable("region", Text, Otherwise("\"RU\""), "\"KZ\""),
            with_variable("currency", Text, Otherwise("\"RUB\""), "\"KZT\""),
            setting("own_inns", Texts, Otherwise("[]"), "[\"7707083893\"]"),
        ],
    },
    Section { file: File::Uzel, name: "listen", settings: LISTEN },
    Section {
        file: File::Uzel,
        name: "listen.tls",
        settings: &[
            with_variable("certificate", Text, Required, "\"/etc/uzel/in.company.ru.pem\""),
            with_variable("key", Text, Required, "\"/etc/uzel/in.company.ru.key\""),
        ],
    },
    Section {
        file: File::Uzel,
        name: "listen.acme",
        settings: &[
            with_variable("domains", Texts, Required, "[\"in.company.ru\"]"),
            with_variable("email", Text, Otherwise("\"\""), "\"it@company.ru\""),
            setting("agree_to_terms", Bool, Required, "true"),
            with_variable(
                "directory",
                Text,
                Otherwise("\"https://acme-v02.api.letsencrypt.org/directory\""),
                "\"https://acme-staging-v02.api.letsencrypt.org/directory\"",
            ),
            with_variable("root", Text, Optional, "\"/etc/uzel/company-root.pem\""),
            setting("challenge", Choice(&["http-01", "tls-alpn-01"]), Depends, "\"tls-alpn-01\""),
        ],
    },
    Section {
        file: File::Uzel,
        name: "limits",
        settings: &[
            with_variable("free_space_mib", number(64, 1_000_000, Unit::Mebibytes), Otherwise("512"), "2048"),
            with_variable("cache_mib", number(8, 1_000_000, Unit::Mebibytes), Otherwise("24"), "64"),
        ],
    },
    Section {
        file: File::Uzel,
        name: "keep",
        settings: &[
            with_variable("snapshot", Text, Otherwise("\"0 3 * * *\""), "\"30 2 * * MON-FRI\""),
            with_variable("snapshots", number(2, 1_000, Unit::Pieces), Otherwise("3"), "7"),
            with_variable("journal_days", number(0, 36_500, Unit::Days), Otherwise("0"), "365"),
            with_variable("backup_days", number(0, 3_650, Unit::Days), Otherwise("0"), "2"),
        ],
    },
    Section {
        file: File::Uzel,
        name: "notify",
        settings: &[
            setting("level", Choice(&["notice", "warning", "critical"]), Otherwise("\"warning\""), "\"critical\""),
            with_variable("pause_min", number(0, 1_440, Unit::Minutes), Otherwise("15"), "60"),
            with_variable("remind_h", number(0, 720, Unit::Hours), Otherwise("24"), "0"),
        ],
    },
    Section {
        file: File::Uzel,
        name: "notify.email",
        settings: &[
            setting("host", Text, Required, "\"smtp.company.ru\""),
            setting("tls", Choice(&["starttls", "tls", "none"]), Otherwise("\"starttls\""), "\"tls\""),
            setting("port", number(1, 65_535, Unit::Pieces), Depends, "2525"),
            setting("login", Text, Otherwise("\"\""), "\"uzel@company.ru\""),
            setting("from", Text, Required, "\"Узел <uzel@company.ru>\""),
            setting("to", Texts, Required, "[\"admin@company.ru\"]"),
            setting("ca_file", Text, Optional, "\"/etc/ssl/company.pem\""),
        ],
    },
    Section { file: File::Uzel, name: "notify.webhook", settings: TARGET },
    Section {
        file: File::Uzel,
        name: "heartbeat",
        settings: &[
            setting("url", Text, Optional, "\"https://hc-ping.com/1c2d3e4f\""),
            with_variable("every_s", number(10, 86_400, Unit::Seconds), Otherwise("60"), "300"),
            TARGET_PRIVATE,
            TARGET_NETWORKS,
        ],
    },
    Section {
        file: File::Uzel,
        name: "relay",
        settings: &[
            with_variable("address", Text, Required, "\"https://in.company.ru\""),
            TARGET_PRIVATE,
            TARGET_NETWORKS,
        ],
    },
    Section {
        file: File::Uzel,
        name: CONNECTION,
        settings: &[
            setting("connector", Text, Required, "\"forms\""),
            with_variable("mode", Choice(&["observe", "live", "off"]), Otherwise("\"observe\""), "\"live\""),
            setting("switch_over", Moment, Optional, "\"2026-12-01T00:00\""),
            setting("silence_h", number(0, 8_784, Unit::Hours), Otherwise("0"), "72"),
        ],
    },
    Section {
        file: File::Relay,
        name: "keep",
        settings: &[with_variable("days", number(0, 3_650, Unit::Days), Otherwise("7"), "30")],
    },
];

const LISTEN: &[Setting] = &[
    with_variable("address", Text, Otherwise("\"127.0.0.1:8690\""), "\"0.0.0.0:443\""),
    with_variable("public_url", Text, Depends, "\"https://in.company.ru\""),
    with_variable("plain_address", Text, Optional, "\"0.0.0.0:80\""),
    with_variable("trusted_proxies", Texts, Otherwise("[]"), "[\"127.0.0.1\", \"10.0.0.0/8\"]"),
    with_variable(
        "proxy_header",
        Choice(&["x-forwarded-for", "forwarded"]),
        Otherwise("\"x-forwarded-for\""),
        "\"forwarded\"",
    ),
    with_variable("source_per_minute", number(0, 1_000_000, Unit::PerMinute), Otherwise("0"), "6000"),
    with_variable("address_per_minute", number(0, 1_000_000, Unit::PerMinute), Otherwise("600"), "60"),
    with_variable("address_burst", number(1, 1_000_000, Unit::Pieces), Otherwise("120"), "20"),
];

const TARGET: &[Setting] =
    &[setting("url", Text, Optional, "\"https://chat.company.ru/hook\""), TARGET_PRIVATE, TARGET_NETWORKS];
const TARGET_PRIVATE: Setting = setting("allow_private", Bool, Otherwise("false"), "true");
const TARGET_NETWORKS: Setting = setting("allow_networks", Texts, Otherwise("[]"), "[\"10.0.0.0/8\"]");
