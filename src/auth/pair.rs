//! A pair of tokens, as the vault keeps it: JSON under `<connection>.oauth`.
//!
//! ```json
//! {"access":"...","refresh":"...","obtained_at":1795244400000,"expires_at":1795248000000}
//! ```
//!
//! One secret for the pair, so that no crash leaves half of it.

use serde::{Deserialize, Serialize};

use crate::base::{Secret, Timestamp};

/// An access token and the refresh token that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What requests carry.
    pub access: Secret,
    /// What gives the next pair.
    pub refresh: Secret,
    /// When it was given out, by our clock.
    pub obtained_at: Timestamp,
    /// When the access token runs out; for people: requests go until they are refused.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    access: String,
    refresh: String,
    obtained_at: i64,
    expires_at: i64,
}

/// What a token server says.
#[derive(Deserialize)]
struct Said {
    access_token: String,
    refresh_token: String,
    #[serde(default)]
    expires_in: i64,
}

impl Pair {
    /// As the vault keeps it.
    pub(super) fn stored(&self) -> Secret {
        let stored = Stored {
            access: self.access.expose().to_owned(),
            refresh: self.refresh.expose().to_owned(),
            obtained_at: self.obtained_at.0,
            expires_at: self.expires_at.0,
        };
        Secret::new(serde_json::to_string(&stored).expect("text and numbers have no form that JSON refuses"))
    }

    /// Out of the vault; `None` when it is not ours.
    pub(super) fn read(stored: &Secret) -> Option<Pair> {
        // The cause is not kept: serde quotes what it read.
        let stored: Stored = serde_json::from_str(stored.expose()).ok()?;
        Some(Pair {
            access: Secret::new(stored.access),
            refresh: Secret::new(stored.refresh),
            obtained_at: Timestamp(stored.obtained_at),
            expires_at: Timestamp(stored.expires_at),
        })
    }

    /// Out of the answer of a token server.
    pub(super) fn said(body: &[u8], now: Timestamp) -> Option<Pair> {
        let said: Said = serde_json::from_slice(body).ok()?;
        let whole = !said.access_token.is_empty() && !said.refresh_token.is_empty();
        whole.then(|| Pair {
            access: Secret::new(said.access_token),
            refresh: Secret::new(said.refresh_token),
            obtained_at: now,
            expires_at: now.plus_ms(said.expires_in.clamp(0, i64::from(u32::MAX)) * 1_000),
        })
    }
}
