//! Login and password, and patience with whoever does not know them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::limits::{LOGIN_ADDRESSES_MAX, LOGIN_FAILURES_MAX, LOGIN_WINDOW_MS};
use crate::base::{Message, Secret, Timestamp};

use super::ExchangeRequest;

/// What a request must know.
pub(super) struct Credentials {
    login: Secret,
    password: Secret,
}

impl Credentials {
    pub(super) fn new(login: &str, password: &Secret) -> Credentials {
        Credentials { login: Secret::new(login), password: password.clone() }
    }

    /// Whether `Authorization: Basic ...` names both; both are always compared.
    fn match_header(&self, header: &str) -> bool {
        let Some((scheme, encoded)) = header.trim().split_once(' ') else { return false };
        if !scheme.eq_ignore_ascii_case("basic") {
            return false;
        }
        let Ok(bytes) = STANDARD.decode(encoded.trim()) else { return false };
        let given = crate::decode::text::decode(&bytes, None, "authorization").text;
        let Some((login, password)) = given.split_once(':') else { return false };
        self.login.matches(login) & self.password.matches(password)
    }
}

/// Failed logins of late, by address.
#[derive(Default)]
pub(super) struct Logins {
    failures: Mutex<HashMap<Option<IpAddr>, Vec<Timestamp>>>,
}

impl Logins {
    /// Refuses a request without the right login and password; after many failures of an address
    /// it refuses without a look, for a minute.
    pub(super) fn check(&self, wanted: &Credentials, request: &ExchangeRequest, now: Timestamp) -> Result<(), Message> {
        let mut all = self.failures.lock().expect("no panic while it is held");
        let of_late = |at: &Timestamp| now.ms_since(*at).abs() < LOGIN_WINDOW_MS;
        let failures = all.get(&request.remote).map_or(0, |list| list.iter().filter(|at| of_late(at)).count());
        // Bound: LOGIN_FAILURES_MAX within LOGIN_WINDOW_MS.
        if failures >= LOGIN_FAILURES_MAX {
            return Err(Message::new("exchange-login-wait").with("seconds", LOGIN_WINDOW_MS / 1000));
        }
        let Some(header) = request.authorization.as_deref() else {
            return Err(Message::new("exchange-login-missing"));
        };
        if wanted.match_header(header) {
            all.remove(&request.remote);
            return Ok(());
        }
        all.retain(|_, list| list.iter().any(of_late));
        // Bound: LOGIN_ADDRESSES_MAX; the address silent for longest is forgotten.
        if all.len() >= LOGIN_ADDRESSES_MAX && !all.contains_key(&request.remote) {
            let oldest = all.iter().min_by_key(|(_, list)| list.last().copied()).map(|(address, _)| *address);
            oldest.and_then(|address| all.remove(&address));
        }
        let list = all.entry(request.remote).or_default();
        list.retain(of_late);
        list.push(now);
        Err(Message::new("exchange-login-wrong"))
    }
}
