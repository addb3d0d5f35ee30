//! Twins: local fakes of foreign systems, as nasty as the facts say the real ones are.
//!
//! - [`bitrix24`]: a Bitrix24 portal behind an inbound webhook, with its quotas, paging, envelopes
//!   and faults;
//! - [`asterisk`]: a player of what a telephone exchange once said, cut where the test says;
//! - [`exchange_client`]: a 1C base that talks to a site by the CommerceML exchange protocol;
//! - [`commerceml`]: order files as 1C writes them;
//! - [`receiver`]: somebody's program that takes signed webhooks;
//! - [`site`]: browsers and site builders that send forms.
//!
//! A twin is written from the facts about the foreign system, never from our own client, so that
//! a shared misunderstanding cannot make a test pass. Twins take the instant from a
//! [`Clock`](crate::base::Clock) and chance from a seed: the same calls give the same answers.

pub mod asterisk;
pub mod bitrix24;
pub mod commerceml;
pub mod exchange_client;
pub mod receiver;
pub mod site;

use std::sync::Once;

use crate::base::Message;

/// Why a twin does not start or does not keep its state.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// The address is taken or not ours.
    #[error("{message}")]
    Listen {
        /// For people.
        message: Message,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The state file does not read or does not write.
    #[error("{message}")]
    StateFile {
        /// For people.
        message: Message,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The state file is not one that a twin wrote.
    #[error("{message}")]
    StateFormat {
        /// For people.
        message: Message,
        /// Where it stops reading.
        #[source]
        source: serde_json::Error,
    },
}

impl TwinError {
    /// The text for people.
    pub fn message(&self) -> &Message {
        match self {
            TwinError::Listen { message, .. }
            | TwinError::StateFile { message, .. }
            | TwinError::StateFormat { message, .. } => message,
        }
    }
}

/// The twins' own HTTP client: no redirects (neither 1C nor a form service follows them), no
/// cookie store, a limit on the whole exchange.
fn http_client(timeout_ms: u64) -> Result<reqwest::Client, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another module may have been first; whichever provider is there will do.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(std::time::Duration::from_millis(timeout_ms))
        .build()
}

/// Decodes `%XX` and `+`; what is not UTF-8 afterwards is replaced, as PHP's JSON output would.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|&it| (it as char).to_digit(16));
        match (bytes[index], hex(index + 1), hex(index + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                index += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                index += 1;
            }
            (plain, _, _) => {
                out.push(plain);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
