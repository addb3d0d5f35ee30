//! Which addresses may be dialled.
//!
//! A setting that names an address must not turn the daemon into a way into the company's own
//! network (or into a cloud's metadata service). So every address is checked when it is dialled,
//! after its name was resolved: a name that points outside today may point inside tomorrow.
//! Whoever has a boxed CRM in the local network allows that network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::base::Message;

/// A network: address and length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Network {
        Network { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix }
    }

    const fn v6(first: u16, second: u16, third: u16, prefix: u8) -> Network {
        Network { address: IpAddr::V6(Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0)), prefix }
    }

    /// Whether the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                let cut = |it: Ipv4Addr| u32::from(it).checked_shr(shift).unwrap_or(0);
                cut(network) == cut(address)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                let cut = |it: Ipv6Addr| u128::from(it).checked_shr(shift).unwrap_or(0);
                cut(network) == cut(address)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = Message;

    /// Reads `10.0.5.0/24`; a bare address is a network of one.
    fn from_str(text: &str) -> Result<Network, Message> {
        let wrong = || Message::new("net-network").with("text", text);
        let (address, prefix) = text.trim().split_once('/').unwrap_or((text.trim(), ""));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            "" => longest,
            digits => digits.parse().ok().filter(|it| *it <= longest).ok_or_else(wrong)?,
        };
        Ok(Network { address, prefix })
    }
}

/// Not for single machines, or dangerous whatever is allowed: never dialled unless their very
/// network is listed. 168.63.129.16 and 169.254/16 are where clouds answer with their secrets.
const NEVER: &[Network] = &[
    Network::v4(0, 0, 0, 0, 8),
    Network::v4(169, 254, 0, 0, 16),
    Network::v4(168, 63, 129, 16, 32),
    Network::v4(192, 0, 0, 0, 24),
    Network::v4(224, 0, 0, 0, 4),
    Network::v4(240, 0, 0, 0, 4),
    Network::v6(0xfe80, 0, 0, 10),
    Network::v6(0xfec0, 0, 0, 10),
    Network::v6(0xff00, 0, 0, 8),
    Network::v6(0x0064, 0xff9b, 0, 96),
    Network::v6(0x0064, 0xff9b, 1, 48),
    Network::v6(0x2002, 0, 0, 16),
];

/// Private: dialled when the connection allows private addresses.
const PRIVATE: &[Network] = &[
    Network::v4(10, 0, 0, 0, 8),
    Network::v4(100, 64, 0, 0, 10),
    Network::v4(127, 0, 0, 0, 8),
    Network::v4(172, 16, 0, 0, 12),
    Network::v4(192, 168, 0, 0, 16),
    Network::v4(198, 18, 0, 0, 15),
    Network::v6(0xfc00, 0, 0, 7),
];

/// Which addresses a connection may dial.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Guard {
    allow_private: bool,
    networks: Vec<Network>,
}

impl Guard {
    /// Public addresses; private ones too when `allow_private`; whatever lies in `networks`.
    pub fn new(allow_private: bool, networks: Vec<Network>) -> Guard {
        Guard { allow_private, networks }
    }

    /// From the settings `allow_private` and `allow_networks`.
    pub fn from_settings(allow_private: bool, networks: &[String]) -> Result<Guard, Message> {
        let networks = networks.iter().map(|it| it.parse()).collect::<Result<Vec<Network>, Message>>()?;
        Ok(Guard::new(allow_private, networks))
    }

    /// Whether the address may be dialled.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = unwrap(address);
        if self.networks.iter().any(|it| it.contains(address)) {
            return true;
        }
        let loopback_v6 = address == IpAddr::V6(Ipv6Addr::LOCALHOST);
        if NEVER.iter().any(|it| it.contains(address)) || address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            return false;
        }
        let private = loopback_v6 || PRIVATE.iter().any(|it| it.contains(address));
        !private || self.allow_private
    }

    /// Whether some private address might be allowed: then plain `http` is too.
    pub fn allows_some_private(&self) -> bool {
        self.allow_private || !self.networks.is_empty()
    }
}

/// `::ffff:10.0.0.1` is 10.0.0.1, and `::10.0.0.1` too.
fn unwrap(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4() {
            Some(v4) if v6 != Ipv6Addr::LOCALHOST && v6 != Ipv6Addr::UNSPECIFIED => IpAddr::V4(v4),
            Some(_) | None => address,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, address: &str, allowed: bool) {
        assert_eq!(guard.allows(address.parse().expect("an address")), allowed, "{address} with {guard:?}");
    }

    #[test]
    fn private_addresses_need_leave_and_metadata_never_get_it() {
        let public = Guard::default();
        let private = Guard::new(true, Vec::new());
        let listed = Guard::from_settings(false, &["10.0.5.0/24".to_owned(), "::1".to_owned()]).expect("networks");
        for (address, by_public, by_private, by_listed) in [
            ("93.184.216.34", true, true, true),
            ("2a00:1450:4010::1", true, true, true),
            ("127.0.0.1", false, true, false),
            ("10.0.5.7", false, true, true),
            ("10.0.6.7", false, true, false),
            ("172.31.255.255", false, true, false),
            ("172.32.0.1", true, true, true),
            ("192.168.1.1", false, true, false),
            ("100.127.0.1", false, true, false),
            ("198.19.0.1", false, true, false),
            ("::1", false, true, true),
            ("fd00::1", false, true, false),
            ("::ffff:10.0.6.7", false, true, false),
            ("::ffff:10.0.5.7", false, true, true),
            ("169.254.169.254", false, false, false),
            ("::ffff:169.254.169.254", false, false, false),
            ("168.63.129.16", false, false, false),
            ("0.0.0.0", false, false, false),
            ("::", false, false, false),
            ("fe80::1", false, false, false),
            ("224.0.0.1", false, false, false),
            ("255.255.255.255", false, false, false),
            ("64:ff9b::a00:1", false, false, false),
            ("2002:a00:1::", false, false, false),
        ] {
            check(&public, address, by_public);
            check(&private, address, by_private);
            check(&listed, address, by_listed);
        }
    }

    #[test]
    fn networks_are_read() {
        for (text, shown) in [("10.0.0.0/8", Some("10.0.0.0/8")), ("::1", Some("::1/128")), ("10.0.0.0/33", None)] {
            assert_eq!(text.parse::<Network>().ok().map(|it| it.to_string()).as_deref(), shown, "{text}");
        }
        assert!("office".parse::<Network>().is_err());
    }
}
