//! `[listen]`: where requests are taken, and whom to believe about their senders.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::{Over, Place};
use crate::base::{Message, limits};
use crate::field::Table;

/// The listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where it listens.
    pub address: SocketAddr,
    /// How the world reaches it (`https://in.company.ru`); empty: by the address.
    pub public_url: String,
    /// A second address without TLS: it answers challenges of ACME and sends browsers to HTTPS.
    pub plain_address: Option<SocketAddr>,
    /// Certificates; without them the listener speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Addresses and networks whose forwarding headers are believed.
    pub trusted_proxies: Vec<String>,
    /// The header that they write.
    pub proxy_header: ProxyHeader,
    /// Requests a minute to one source; 0: no limit.
    pub source_per_minute: u32,
    /// Requests a minute from one remote address; 0: no limit.
    pub address_per_minute: u32,
    /// Requests at once from one remote address after a quiet time.
    pub address_burst: u32,
}

/// Which header the trusted proxies write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: nginx, Caddy, HAProxy, most others.
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
}

const PROXY_HEADERS: &[(&str, ProxyHeader)] =
    &[("x-forwarded-for", ProxyHeader::XForwardedFor), ("forwarded", ProxyHeader::Forwarded)];

/// Where the certificate of the listener is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Two PEM files that somebody else renews.
    Files {
        /// The certificate, then those that lead to its authority.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// Ordered and renewed by ACME (RFC 8555).
    Acme(Acme),
}

/// How certificates are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// Names of the certificate.
    pub domains: Vec<String>,
    /// Where the authority writes about trouble; may be empty.
    pub email: String,
    /// Directory of the authority.
    pub directory: String,
    /// Root of an authority of one's own, a PEM file.
    pub root: Option<PathBuf>,
    /// How the authority looks whether the names are ours.
    pub challenge: Challenge,
}

/// How an authority looks whether a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// It asks at port 80 of the name: `plain_address`.
    Http01,
    /// It asks at port 443 of the name, within TLS.
    TlsAlpn01,
}

impl Listen {
    /// How the world reaches the listener, where the settings say so; else empty.
    pub fn known_url(&self) -> String {
        match &self.tls {
            Some(Tls::Acme(_)) => self.public_base(),
            Some(Tls::Files { .. }) | None => self.public_url.clone(),
        }
    }

    /// How the world reaches the listener, without a slash at the end.
    pub fn public_base(&self) -> String {
        match (&self.tls, self.public_url.is_empty()) {
            (_, false) => self.public_url.clone(),
            (Some(Tls::Acme(Acme { domains, .. })), true) if !domains.is_empty() => format!("https://{}", domains[0]),
            (Some(_), true) => format!("https://{}", self.address),
            (None, true) => format!("http://{}", self.address),
        }
    }
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
    let plain_address = over.text("listen", table.as_ref(), "plain_address").and_then(|(text, place)| {
        let address = text.parse::<SocketAddr>().ok();
        if address.is_none() {
            over.report(&place, Message::new("config-address").with("address", &text));
        }
        address
    });
    let tls = tls(over, table.as_ref(), plain_address.is_some());
    let wants_tls = table.as_ref().is_some_and(|it| it.node("tls").or(it.node("acme")).is_some());
    if plain_address.is_some() && tls.is_none() && !wants_tls {
        let line = table.as_ref().map_or(0, |it| it.line_of("plain_address"));
        over.lint.report(line, Message::new("config-plain-without-tls"));
    }
    let header = over.text("listen", table.as_ref(), "proxy_header");
    let proxy_header = header.map_or(Some(ProxyHeader::XForwardedFor), |(text, place)| {
        let found = PROXY_HEADERS.iter().find(|(word, _)| *word == text.to_ascii_lowercase());
        if found.is_none() {
            let known = PROXY_HEADERS.iter().map(|(word, _)| *word);
            let message = crate::field::reader::unknown_word("toml-choice", &text, known).with("name", "proxy_header");
            over.report(&place, message);
        }
        found.map(|(_, header)| *header)
    })?;
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
        plain_address,
        tls,
        trusted_proxies,
        proxy_header,
        source_per_minute,
        address_per_minute,
        address_burst,
    })
}

/// `[listen.tls]` or `[listen.acme]`.
fn tls(over: &Over<'_>, listen: Option<&Table<'_>>, has_plain: bool) -> Option<Tls> {
    let (files, acme) = (listen.and_then(|it| it.table("tls")), listen.and_then(|it| it.table("acme")));
    let of_files = by_files(over, files.as_ref());
    let of_acme = by_acme(over, acme.as_ref(), has_plain);
    if let (Some(table), Some(_)) = (&acme, &files) {
        table.report("domains", Message::new("config-tls-both"));
    }
    files.into_iter().chain(acme).for_each(Table::close);
    of_files.or(of_acme)
}

fn by_files(over: &Over<'_>, table: Option<&Table<'_>>) -> Option<Tls> {
    let path = |name: &str| over.text("listen_tls", table, name).filter(|(text, _)| !text.trim().is_empty());
    match (path("certificate"), path("key")) {
        (Some((certificate, _)), Some((key, _))) => {
            Some(Tls::Files { certificate: certificate.into(), key: key.into() })
        }
        (None, None) if table.is_none() => None,
        (certificate, _) => {
            let (has, wants) = if certificate.is_none() { ("key", "certificate") } else { ("certificate", "key") };
            let message = Message::new("config-tls-half").with("name", wants);
            over.lint.report(table.map_or(0, |it| it.line_of(has)), message);
            None
        }
    }
}

/// The authority that is asked when no other is named.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

fn by_acme(over: &Over<'_>, table: Option<&Table<'_>>, has_plain: bool) -> Option<Tls> {
    let table = table?;
    let mut domains = Vec::new();
    let given = over.variable("UZEL_LISTEN_ACME_DOMAINS");
    let in_file = || table.texts("domains").into_iter().map(|(name, line)| (name.to_owned(), line)).collect();
    let named: Vec<(String, u32)> = match given {
        Some(text) => text.split(',').map(|name| (name.to_owned(), 0)).collect(),
        None => in_file(),
    };
    for (name, line) in named {
        let name = name.trim().trim_end_matches('.').to_ascii_lowercase();
        if is_domain(&name) && domains.len() < limits::ACME_DOMAINS_MAX {
            domains.push(name);
        } else {
            over.lint.report(line, Message::new("config-acme-domain").with("name", &name));
        }
    }
    if domains.is_empty() && table.node("domains").is_none() {
        table.report("domains", Message::new("config-acme-domains"));
    }
    let text = |name: &str| over.text("listen_acme", Some(table), name).map(|(text, _)| text.trim().to_owned());
    let directory = text("directory").unwrap_or_else(|| LETS_ENCRYPT.to_owned());
    if !directory.starts_with("https://") {
        table.report("directory", Message::new("config-acme-directory").with("url", &directory));
    }
    // Whoever orders a certificate has read what the authority asks of him; we cannot agree for him.
    if table.boolean("agree_to_terms") != Some(true) {
        table.report("agree_to_terms", Message::new("config-acme-terms").with("directory", &directory));
    }
    let usual = if has_plain { Challenge::Http01 } else { Challenge::TlsAlpn01 };
    let challenge = table.choice("challenge", CHALLENGES).unwrap_or(usual);
    if challenge == Challenge::Http01 && !has_plain {
        table.report("challenge", Message::new("config-acme-plain"));
    }
    let root = text("root").filter(|it| !it.is_empty()).map(PathBuf::from);
    Some(Tls::Acme(Acme { domains, email: text("email").unwrap_or_default(), directory, root, challenge }))
}

const CHALLENGES: &[(&str, Challenge)] = &[("http-01", Challenge::Http01), ("tls-alpn-01", Challenge::TlsAlpn01)];

/// A name that an authority can look at: no address, no star, Cyrillic ones as `xn--`.
fn is_domain(name: &str) -> bool {
    let label = |it: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !it.is_empty() && it.len() <= 63 && it.bytes().all(fits) && !it.starts_with('-') && !it.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253 && name.contains('.') && name.split('.').all(label) && !is_number
}

fn proxies(over: &Over<'_>, table: Option<&Table<'_>>) -> Vec<(String, u32)> {
    let in_file = table.map(|table| table.texts("trusted_proxies")).unwrap_or_default();
    match over.variable("UZEL_LISTEN_TRUSTED_PROXIES") {
        Some(text) => text.split(',').map(|proxy| (proxy.trim().to_owned(), 0)).collect(),
        None => in_file.into_iter().map(|(proxy, line)| (proxy.to_owned(), line)).collect(),
    }
}

/// `127.0.0.1` or `10.0.0.0/8`.
pub(super) fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= bits_max))
}
