//! `[oauth]`: rights by a pair of tokens instead of a secret in the address.
//!
//! ```toml
//! [oauth]
//! portal = "portal"                              # setting that turns it on: the address of the portal
//! authorize_url = "{portal}/oauth/authorize/"    # {name}: the value of a setting
//! token_url = "{oauth_server}/oauth/token/"
//! method = "get"                                 # get | post_json | post_form: how tokens are asked for
//! client_id = "client_id"                        # settings of the application
//! client_secret = "client_secret"
//! address = "{portal}/rest"                      # stands in the place of the sink's address
//! send = "query"                                 # query | bearer: how a request carries the token
//! send_name = "auth"                             # for query: the parameter
//! redirect = false                               # whether our address of return is sent along
//! expired = ["expired_token"]                    # codes of a 401 that mean "renew"; none: any 401
//! error_code = "error"                           # the member of a refusal that holds its code
//! ```

use super::unknown_setting;
use crate::field::{FieldSpec, Table};

/// How the token server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenMethod {
    /// Everything in the address (Bitrix24).
    Get,
    /// A JSON body (amoCRM).
    PostJson,
    /// A form (the standard).
    PostForm,
}

/// How a request carries the access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendToken {
    /// A parameter of the address.
    Query(String),
    /// `Authorization: Bearer`.
    Bearer,
}

/// An address with settings in it: `{portal}/rest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressTemplate(String);

impl AddressTemplate {
    /// Fills the settings in; `None` when one is missing.
    pub fn fill(&self, setting: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(setting(name)?.trim().trim_end_matches('/'));
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('{').skip(1).map(|part| part.split('}').next().unwrap_or(part))
    }
}

/// Rights by a pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthSpec {
    /// The setting that turns it on.
    pub portal: String,
    /// Where a person agrees.
    pub authorize_url: AddressTemplate,
    /// Where tokens are given out.
    pub token_url: AddressTemplate,
    /// How it is asked.
    pub method: TokenMethod,
    /// Setting: the id of the application.
    pub client_id: String,
    /// Setting: its secret.
    pub client_secret: String,
    /// In the place of the sink's address.
    pub address: AddressTemplate,
    /// How a request carries the token.
    pub send: SendToken,
    /// Whether our address of return is sent along.
    pub redirect: bool,
    /// Codes of a 401 that mean "renew"; none: any 401.
    pub expired: Vec<String>,
    /// The member of a refusal that holds its code.
    pub error_code: String,
}

#[derive(Clone, Copy)]
enum Send {
    Query,
    Bearer,
}

const METHODS: &[(&str, TokenMethod)] =
    &[("get", TokenMethod::Get), ("post_json", TokenMethod::PostJson), ("post_form", TokenMethod::PostForm)];
const SENDS: &[(&str, Send)] = &[("query", Send::Query), ("bearer", Send::Bearer)];

/// Reads `[oauth]`.
pub(super) fn read(table: Table<'_>, settings: &[FieldSpec]) -> Option<OAuthSpec> {
    let setting = |name: &str| {
        let named = table.required_text(name).unwrap_or_default();
        if !named.is_empty() && !settings.iter().any(|it| it.name == named) {
            table.report(name, unknown_setting(named, settings));
        }
        named.to_owned()
    };
    let address = |name: &str| {
        let template = AddressTemplate(table.required_text(name).unwrap_or_default().to_owned());
        let unknown: Vec<&str> = template.names().filter(|it| !settings.iter().any(|held| held.name == *it)).collect();
        if let Some(unknown) = unknown.first() {
            table.report(name, unknown_setting(unknown, settings));
        }
        template
    };
    let (portal, client_id, client_secret) = (setting("portal"), setting("client_id"), setting("client_secret"));
    let (authorize_url, token_url, rest) = (address("authorize_url"), address("token_url"), address("address"));
    let method = table.choice("method", METHODS).unwrap_or(TokenMethod::PostForm);
    let send = match table.choice("send", SENDS) {
        Some(Send::Query) => SendToken::Query(table.required_text("send_name").unwrap_or_default().to_owned()),
        Some(Send::Bearer) | None => SendToken::Bearer,
    };
    let redirect = table.boolean("redirect").unwrap_or(false);
    let expired = table.texts("expired").into_iter().map(|(text, _)| text.to_owned()).collect();
    let error_code = table.text("error_code").unwrap_or("error").to_owned();
    table.close();
    Some(OAuthSpec {
        portal,
        authorize_url,
        token_url,
        method,
        client_id,
        client_secret,
        address: rest,
        send,
        redirect,
        expired,
        error_code,
    })
}
