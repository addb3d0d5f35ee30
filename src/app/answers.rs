//! What a person answers when a folder is made: checked before anything is made of it.

use crate::base::Message;
use crate::net::{Guard, host_of};
use crate::normalize;

/// INNs in one line.
pub fn inns(text: &str) -> Result<Vec<String>, Message> {
    let all = text.split([',', ' ', ';']).map(str::trim).filter(|it| !it.is_empty());
    let read = |inn: &str| normalize::inn(inn).value.map(|it| it.0.to_string()).ok_or(inn.to_owned());
    all.map(read).collect::<Result<Vec<_>, _>>().map_err(|inn| Message::new("config-inn").with("inn", inn))
}

/// The address of a portal.
pub fn address(text: &str) -> Result<String, Message> {
    let is_one = (text.starts_with("https://") || text.starts_with("http://")) && host_of(text).is_some();
    is_one.then(|| text.trim_end_matches('/').to_owned()).ok_or_else(|| Message::new("net-address"))
}

/// `https://company.bitrix24.ru/rest/1/secret/`. A method at its end, as Bitrix24 shows it in its
/// example, is a slip.
pub fn webhook(text: &str) -> Result<String, Message> {
    let whole = address(text).map_err(|_| Message::new("init-ask-webhook-shape"))?;
    let path = whole.split_once("/rest/").map(|(_, rest)| rest.split('/').collect::<Vec<_>>());
    match path.as_deref() {
        Some([user, secret]) if user.parse::<u64>().is_ok() && !secret.is_empty() => Ok(format!("{whole}/")),
        Some([user, secret, method]) if user.parse::<u64>().is_ok() && !secret.is_empty() && method.contains('.') => {
            Ok(whole.strip_suffix(method).unwrap_or(&whole).to_owned())
        }
        _ => Err(Message::new("init-ask-webhook-shape")),
    }
}

/// Whether an address is one of this machine or of a local network, as far as it shows.
pub fn is_local(address: &str) -> bool {
    let host = host_of(address).unwrap_or_default();
    let bare = host.split(':').next().unwrap_or_default();
    let number = bare.parse::<std::net::IpAddr>();
    !bare.contains('.') || bare.ends_with(".local") || number.is_ok_and(|ip| !Guard::default().allows(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_taken_as_people_copy_it() {
        for (given, expected) in [
            ("https://a.bitrix24.ru/rest/1/s3cret/", Some("https://a.bitrix24.ru/rest/1/s3cret/")),
            ("https://a.bitrix24.ru/rest/1/s3cret", Some("https://a.bitrix24.ru/rest/1/s3cret/")),
            ("https://a.bitrix24.ru/rest/1/s3cret/profile.json", Some("https://a.bitrix24.ru/rest/1/s3cret/")),
            ("http://10.0.5.2/rest/17/s3cret/", Some("http://10.0.5.2/rest/17/s3cret/")),
            ("https://a.bitrix24.ru/", None),
            ("https://a.bitrix24.ru/rest/s3cret/", None),
            ("https://a.bitrix24.ru/rest/1/", None),
            ("a.bitrix24.ru/rest/1/s3cret/", None),
            ("", None),
        ] {
            assert_eq!(webhook(given).ok().as_deref(), expected, "{given}");
        }
    }
}
