//! What a sender is answered: by the dialect, by `Accept`, by what a browser's form asked for.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use http::{HeaderMap, HeaderValue};

use crate::base::Locale;
use crate::value::Value;

/// Fields of a form that name the page to go to afterwards.
const REDIRECT_FIELDS: [&str; 2] = ["redirect", "_next"];

/// The answer to an envelope that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The text that the dialect expects (`ok` for Tilda).
    Text(Bytes),
    /// `{"status":"accepted","id":"<position>"}`.
    Json,
    /// 303 to an allow-listed address.
    Redirect(HeaderValue),
    /// A small page of thanks, in the reader's language.
    Page(Locale),
}

/// Addresses a form may lead to afterwards. Only these, whole: a prefix of an address is not an
/// address (`https://site.ru` begins `https://site.ru.evil.example`), and an open redirect serves
/// whoever wants to borrow a good name.
#[derive(Debug, Clone)]
pub(super) struct Redirects(Arc<[(String, HeaderValue)]>);

impl Redirects {
    /// `Err` names the address that cannot stand in a header or is not http(s).
    pub(super) fn new(addresses: Vec<String>) -> Result<Redirects, String> {
        let checked = |address: String| {
            let is_web = address.starts_with("https://") || address.starts_with("http://");
            match HeaderValue::from_str(&address) {
                Ok(header) if is_web => Ok((address, header)),
                Ok(_) | Err(_) => Err(address),
            }
        };
        addresses.into_iter().map(checked).collect::<Result<Vec<_>, _>>().map(|list| Redirects(list.into()))
    }

    /// The address that the form asks for, if listed; the first listed when it asks for none.
    fn choose(&self, decoded: Option<&Value>) -> Option<HeaderValue> {
        let field = |name: &&str| decoded.and_then(|it| it.get(name)).and_then(Value::as_text);
        let wish = REDIRECT_FIELDS.iter().find_map(field).map(str::trim).filter(|it| !it.is_empty());
        match wish {
            Some(wish) => self.0.iter().find(|(address, _)| address == wish).map(|(_, header)| header.clone()),
            None => self.0.first().map(|(_, header)| header.clone()),
        }
    }
}

/// Chooses the answer. `dialect` is the manifest's text, empty when it has none.
pub(super) fn choose(dialect: &Bytes, redirects: &Redirects, headers: &HeaderMap, decoded: Option<&Value>) -> Reply {
    if !dialect.is_empty() {
        return Reply::Text(dialect.clone());
    }
    if !wants_page(headers) {
        return Reply::Json;
    }
    match redirects.choose(decoded) {
        Some(address) => Reply::Redirect(address),
        None => Reply::Page(reader_locale(headers)),
    }
}

/// A browser that submits a plain form asks for `text/html`; scripts (`fetch`, webhooks) ask for
/// `*/*`, JSON or nothing.
fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    accept.windows(9).any(|part| part.eq_ignore_ascii_case(b"text/html"))
}

/// The first language of `Accept-Language`; Russian when there is none.
pub fn reader_locale(headers: &HeaderMap) -> Locale {
    let tags = headers.get(ACCEPT_LANGUAGE).and_then(|it| it.to_str().ok()).unwrap_or("ru");
    Locale::from_tag(tags)
}
