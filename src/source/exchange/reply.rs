//! Answers to 1C.

use crate::base::Timestamp;

/// Name of the cookie that `checkauth` gives.
pub(super) const COOKIE: &str = "uzel";

/// The statuses and payment kinds that 1C may map: none. The first letter of `Cтатусы` is Latin
/// in Bitrix and in what reads it, so both spellings stand here.
pub(super) const NO_DICTIONARY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Справочник><C\u{442}атусы/><Статусы/><ПлатежныеСистемы/><СлужбыДоставки/></Справочник>";

/// An answer; the status is always 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeReply {
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl ExchangeReply {
    pub(super) fn text(text: String) -> ExchangeReply {
        ExchangeReply { content_type: "text/plain; charset=utf-8", body: text.into_bytes() }
    }

    pub(super) fn xml(xml: String) -> ExchangeReply {
        ExchangeReply { content_type: "application/xml; charset=utf-8", body: xml.into_bytes() }
    }

    pub(super) fn failure(text: &str) -> ExchangeReply {
        ExchangeReply::text(format!("failure\n{}", text.replace(['\r', '\n'], " ")))
    }
}

/// The version that both sides speak: what was asked for when it looks like a version.
pub(super) fn version(asked: &str) -> String {
    let asked = asked.trim();
    let is_version = !asked.is_empty() && asked.len() <= 8 && asked.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    match is_version {
        true => asked.to_owned(),
        false => "2.09".to_owned(),
    }
}

/// Orders for 1C: none. A valid root without children, no byte order mark: anything else is "could
/// not read data".
pub(super) fn no_orders(version: Option<&str>, now: Timestamp) -> String {
    let schema = match version {
        Some("3.1") => "3.1",
        Some(_) => "2.10",
        None => "2.07",
    };
    let at = now.to_jiff().strftime("%Y-%m-%dT%H:%M:%S");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"{schema}\" ДатаФормирования=\"{at}\"/>"
    )
}
