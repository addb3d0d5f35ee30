//! Login and password, and patience with whoever does not know them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::auth::Attempts;
use crate::base::limits::LOGIN_WINDOW_MS;
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

/// Refuses whoever does not know the right login and password.
#[derive(Default)]
pub(super) struct Logins {
    attempts: Attempts,
}

impl Logins {
    /// Refuses a request without the right login and password; after many failures of an address
    /// it refuses without a look, for a minute.
    pub(super) fn check(&self, wanted: &Credentials, request: &ExchangeRequest, now: Timestamp) -> Result<(), Message> {
        if !self.attempts.may_try(request.remote, now) {
            return Err(Message::new("exchange-login-wait").with("seconds", LOGIN_WINDOW_MS / 1000));
        }
        let Some(header) = request.authorization.as_deref() else {
            return Err(Message::new("exchange-login-missing"));
        };
        if wanted.match_header(header) {
            self.attempts.succeeded(request.remote);
            return Ok(());
        }
        self.attempts.failed(request.remote, now);
        Err(Message::new("exchange-login-wrong"))
    }
}
