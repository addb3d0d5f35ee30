//! `[listen]`: where requests are taken, and whom to believe about their senders.

use std::net::{IpAddr, SocketAddr};

use super::{Over, Place};
use crate::base::Message;
use crate::field::Table;

/// The listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where it listens.
    pub address: SocketAddr,
    /// How the world reaches it (`https://in.company.ru`); empty: by the address.
    pub public_url: String,
    /// Addresses and networks whose forwarding headers are believed.
    pub trusted_proxies: Vec<String>,
    /// Requests a minute to one source; 0: no limit.
    pub source_per_minute: u32,
    /// Requests a minute from one remote address; 0: no limit.
    pub address_per_minute: u32,
    /// Requests at once from one remote address after a quiet time.
    pub address_burst: u32,
}

pub(super) fn listen(over: &Over<'_>, root: &Table<'_>) -> Option<Listen> {
    let table = root.table("listen");
    let (text, place) =
        over.text("listen", table.as_ref(), "address").unwrap_or(("127.0.0.1:8690".to_owned(), Place::Line(0)));
    let address = text.parse::<SocketAddr>();
    if address.is_err() {
        over.report(&place, Message::new("config-address").with("address", &text));
    }
    let public_url = over.text("listen", table.as_ref(), "public_url");
    let public_url = public_url.map_or(String::new(), |(text, place)| {
        if !text.starts_with("https://") && !text.starts_with("http://") {
            over.report(&place, Message::new("config-public-url").with("url", &text));
        }
        text.trim_end_matches('/').to_owned()
    });
    let mut trusted_proxies = Vec::new();
    for (proxy, line) in proxies(over, table.as_ref()) {
        if is_network(&proxy) {
            trusted_proxies.push(proxy);
        } else {
            over.lint.report(line, Message::new("config-proxy").with("proxy", &proxy));
        }
    }
    let number = |name: &str, low: i64, default: u32| {
        let read = over.number("listen", table.as_ref(), name, low, 1_000_000);
        read.and_then(|it| u32::try_from(it).ok()).unwrap_or(default)
    };
    let (source_per_minute, address_per_minute) =
        (number("source_per_minute", 0, 0), number("address_per_minute", 0, 600));
    let address_burst = number("address_burst", 1, 120);
    table.into_iter().for_each(Table::close);
    Some(Listen {
        address: address.ok()?,
        public_url,
        trusted_proxies,
        source_per_minute,
        address_per_minute,
        address_burst,
    })
}

fn proxies(over: &Over<'_>, table: Option<&Table<'_>>) -> Vec<(String, u32)> {
    let in_file = table.map(|table| table.texts("trusted_proxies")).unwrap_or_default();
    match over.variable("UZEL_LISTEN_TRUSTED_PROXIES") {
        Some(text) => text.split(',').map(|proxy| (proxy.trim().to_owned(), 0)).collect(),
        None => in_file.into_iter().map(|(proxy, line)| (proxy.to_owned(), line)).collect(),
    }
}

/// `127.0.0.1` or `10.0.0.0/8`.
fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= bits_max))
}
