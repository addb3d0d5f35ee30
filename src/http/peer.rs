//! Who sends: the address of the socket, unless that is a proxy which the administrator trusts.
//!
//! `X-Forwarded-For` and `Forwarded` are lists that grow to the right; anybody may send one. So they
//! are read only from a trusted proxy, from the right, past further trusted proxies, and only the
//! one header that the administrator says the proxy writes (the other one would be the sender's own).

use std::net::IpAddr;

use http::HeaderMap;
use http::header::FORWARDED;

use crate::base::Message;

/// Which header the trusted proxy writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: nginx, HAProxy, most others.
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
}

/// Addresses and networks of trusted proxies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<(IpAddr, u8)>,
    header: ProxyHeader,
}

impl TrustedProxies {
    /// Nobody is trusted.
    pub fn none() -> TrustedProxies {
        TrustedProxies { networks: Vec::new(), header: ProxyHeader::XForwardedFor }
    }

    /// From addresses (`127.0.0.1`) and networks (`10.0.0.0/8`).
    pub fn parse(texts: &[String], header: ProxyHeader) -> Result<TrustedProxies, Message> {
        let network =
            |text: &String| parse_network(text).ok_or_else(|| Message::new("http-bad-proxy").with("text", text));
        Ok(TrustedProxies { networks: texts.iter().map(network).collect::<Result<_, _>>()?, header })
    }

    /// The sender's address.
    pub fn remote(&self, socket: IpAddr, headers: &HeaderMap) -> IpAddr {
        let socket = socket.to_canonical();
        if !self.trusts(socket) {
            return socket;
        }
        let values = match self.header {
            ProxyHeader::XForwardedFor => headers.get_all("x-forwarded-for"),
            ProxyHeader::Forwarded => headers.get_all(FORWARDED),
        };
        let mut nearest = socket;
        for value in values.iter().rev() {
            for hop in value.to_str().unwrap_or_default().rsplit(',') {
                // What does not read ends the chain: everything to the left of it may be made up.
                let Some(address) = self.hop(hop) else { return nearest };
                nearest = address;
                if !self.trusts(address) {
                    return address;
                }
            }
        }
        nearest
    }

    fn hop(&self, text: &str) -> Option<IpAddr> {
        match self.header {
            ProxyHeader::XForwardedFor => parse_address(text.trim()),
            ProxyHeader::Forwarded => text.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                name.eq_ignore_ascii_case("for").then(|| parse_address(value.trim().trim_matches('"')))?
            }),
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|&(network, bits)| prefix(network, bits) == prefix(address, bits))
    }
}

/// `1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:5678`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            Some(_) | None => text,
        },
    };
    bare.parse::<IpAddr>().ok().map(|it| it.to_canonical())
}

fn parse_network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.trim().split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
        None => (text.trim().parse::<IpAddr>().ok()?, None),
    };
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some((address, bits))
}

/// The first `bits` of an address; the two families never meet.
fn prefix(address: IpAddr, bits: u8) -> (bool, u128) {
    let (is_v4, number) = match address {
        IpAddr::V4(it) => (true, u128::from(it.to_bits()) << 96),
        IpAddr::V6(it) => (false, it.to_bits()),
    };
    (is_v4, if bits == 0 { 0 } else { number >> (128 - u32::from(bits)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: ProxyHeader, name: &'static str, socket: &str, values: &[&str], expected: &str) {
        let trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].map(str::to_owned);
        let proxies = TrustedProxies::parse(&trusted, header).expect("literal networks");
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().expect("a literal value"));
        }
        let remote = proxies.remote(socket.parse().expect("a literal address"), &headers);
        assert_eq!(remote.to_string(), expected, "{socket} {values:?}");
    }

    #[test]
    fn forwarding_headers_count_only_from_trusted_proxies() {
        let x = |socket, values: &[&str], expected| {
            check(ProxyHeader::XForwardedFor, "x-forwarded-for", socket, values, expected);
        };
        x("203.0.113.9", &["1.1.1.1"], "203.0.113.9");
        x("127.0.0.1", &[], "127.0.0.1");
        x("127.0.0.1", &["198.51.100.7"], "198.51.100.7");
        x("::ffff:127.0.0.1", &["198.51.100.7"], "198.51.100.7");
        // The sender made the left part up.
        x("127.0.0.1", &["6.6.6.6, 198.51.100.7"], "198.51.100.7");
        x("127.0.0.1", &["6.6.6.6", "198.51.100.7, 10.1.2.3"], "198.51.100.7");
        x("127.0.0.1", &["6.6.6.6, junk, 10.1.2.3"], "10.1.2.3");
        x("127.0.0.1", &["198.51.100.7:4711"], "198.51.100.7");
        x("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1");
        x("127.0.0.1", &["2001:db8::1"], "2001:db8::1");

        let forwarded = |values: &[&str], expected| {
            check(ProxyHeader::Forwarded, "forwarded", "10.0.0.1", values, expected);
        };
        forwarded(&["for=6.6.6.6, for=198.51.100.7;proto=https"], "198.51.100.7");
        forwarded(&["proto=https;For=\"[2001:db8::1]:99\""], "2001:db8::1");
        forwarded(&["for=unknown"], "10.0.0.1");
        // The header that the proxy does not write is the sender's own.
        check(ProxyHeader::Forwarded, "x-forwarded-for", "10.0.0.1", &["6.6.6.6"], "10.0.0.1");
    }

    #[test]
    fn networks_that_do_not_read_are_named() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "localhost", "::/129"] {
            let error = TrustedProxies::parse(&[text.to_owned()], ProxyHeader::Forwarded).expect_err(text);
            assert_eq!(error.id, "http-bad-proxy");
        }
        let all = TrustedProxies::parse(&["0.0.0.0/0".to_owned()], ProxyHeader::Forwarded).expect("a network");
        assert!(all.trusts(IpAddr::from([203, 0, 113, 9])));
    }
}
