//! `[hints]`: messages of a foreign system that something changed there. They are never believed:
//! what they name is read.
//!
//! ```toml
//! [hints]
//! verify = "bitrix24_token"                # how the sender is known: the word of a strategy
//! secret = "hint_secret"                   # setting: the secret part of our address
//! token = "application_token"              # setting: what the sender shows
//! streams = { ONCRMDEALUPDATE = "deal" }   # which stream a message is about; others are passed over
//! ```

use super::unknown_setting;
use crate::base::Message;
use crate::field::{FieldSpec, Table};

/// How the sender of a hint is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyHint {
    /// `auth[application_token]` of a form, compared with the setting. No signature.
    Bitrix24Token,
}

/// Messages that something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintSpec {
    /// How the sender is known.
    pub verify: VerifyHint,
    /// Setting: the secret part of our address.
    pub secret: String,
    /// Setting: what the sender shows.
    pub token: String,
    /// Name of a message, and the stream that it is about.
    pub streams: Vec<(String, String)>,
}

const VERIFY: &[(&str, VerifyHint)] = &[("bitrix24_token", VerifyHint::Bitrix24Token)];

/// Reads `[hints]`.
pub(super) fn read(table: Table<'_>, settings: &[FieldSpec]) -> Option<HintSpec> {
    let setting = |name: &str| {
        let named = table.required_text(name).unwrap_or_default();
        if !named.is_empty() && !settings.iter().any(|it| it.name == named && it.secret) {
            table.report(name, unknown_setting(named, settings));
        }
        named.to_owned()
    };
    let (secret, token) = (setting("secret"), setting("token"));
    if table.node("verify").is_none() {
        table.report("verify", Message::new("toml-missing").with("name", "verify"));
    }
    let verify = table.choice("verify", VERIFY);
    let mut streams = Vec::new();
    if let Some(named) = table.table("streams") {
        let names: Vec<&str> = named.entries().map(|(name, _, _)| name).collect();
        streams.extend(names.iter().filter_map(|name| Some(((*name).to_owned(), named.text(name)?.to_owned()))));
        named.close();
    }
    table.close();
    Some(HintSpec { verify: verify?, secret, token, streams })
}
