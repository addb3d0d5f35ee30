//! Signatures of messages to us and of our own, by the names that systems know them under.
//!
//! A message is verified over its raw bytes, before anything reads them. Every secret given is
//! tried, so that a secret can be changed without losing a message: the present one and the one
//! before it. Comparison takes the same time wherever two texts differ. A refusal says nothing of
//! why: whoever guesses learns nothing.
//!
//! Facts of the schemes: Standard Webhooks 1.0.0 (`v1,` + base64 of HMAC-SHA256 over
//! `id.timestamp.body`, secret `whsec_` + base64, five minutes of tolerance both ways), Stripe
//! (`t=...,v1=hex` over `t.body`), GitHub and many others (hex or base64 of HMAC-SHA256 of the body
//! in a header, perhaps behind a prefix such as `sha256=`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ring::hmac;
use subtle::ConstantTimeEq as _;

use crate::base::limits::SIGNATURE_TOLERANCE_S;
use crate::base::{Secret, Timestamp};

/// How a message proves where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// The secret address is all there is.
    None,
    /// A header holds the secret, perhaps behind a prefix (`Bearer `).
    TokenHeader {
        /// Its name.
        header: String,
        /// What stands before the secret.
        prefix: String,
    },
    /// HTTP Basic: any user, the secret as the password.
    Basic,
    /// A header holds HMAC-SHA256 of the body.
    HmacSha256 {
        /// Its name.
        header: String,
        /// What stands before the signature (`sha256=`).
        prefix: String,
        /// How the signature is written.
        encoding: Encoding,
    },
    /// `Stripe-Signature: t=<seconds>,v1=<hex>`.
    Stripe,
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    StandardWebhooks,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits of any case.
    Hex,
    /// Base64, with its padding or without.
    Base64,
}

/// A message whose origin is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The sender's id of the message, the same in each of its attempts, where the scheme has one.
    pub id: Option<String>,
}

/// A message that proves nothing. Deliberately without a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not signed by a known secret")]
pub struct Unverified;

/// Whether one of `secrets` signed the message. `now` is when it came.
pub fn verify(
    scheme: &Scheme,
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Verified, Unverified> {
    let plain = |is_proven: bool| if is_proven { Ok(Verified { id: None }) } else { Err(Unverified) };
    match scheme {
        Scheme::None => plain(true),
        Scheme::TokenHeader { header, prefix } => {
            let given = text(headers, header).and_then(|it| it.strip_prefix(prefix.as_str())).ok_or(Unverified)?;
            plain(any(secrets, |secret| secret.matches(given.trim())))
        }
        Scheme::Basic => {
            let given = text(headers, AUTHORIZATION.as_str()).and_then(password).ok_or(Unverified)?;
            plain(any(secrets, |secret| secret.matches(&given)))
        }
        Scheme::HmacSha256 { header, prefix, encoding } => {
            let given =
                text(headers, header).and_then(|it| it.trim().strip_prefix(prefix.as_str())).ok_or(Unverified)?;
            let given = decoded(given, *encoding).ok_or(Unverified)?;
            plain(any(secrets, |secret| is_mac(secret.expose().as_bytes(), &[body], &given)))
        }
        Scheme::Stripe => plain(stripe(secrets, headers, body, now)?),
        Scheme::StandardWebhooks => standard(secrets, headers, body, now),
    }
}

/// The value of `webhook-signature` for a message of ours: one signature for each secret, so that
/// the receiver may know either.
pub fn sign_standard(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let at = timestamp_s.to_string();
    let one = |secret: &Secret| {
        let key = standard_key(secret);
        format!("v1,{}", STANDARD.encode(mac(&key, &signed(id, &at, body))))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What a sender who knows `secret` adds to a message: header by header. For a message to ourselves.
pub fn prove(scheme: &Scheme, secret: &Secret, id: &str, at: Timestamp, body: &[u8]) -> Vec<(String, Secret)> {
    let seconds = at.seconds().to_string();
    let key = secret.expose().as_bytes();
    match scheme {
        Scheme::None => Vec::new(),
        Scheme::TokenHeader { header, prefix } => {
            vec![(header.clone(), Secret::new(format!("{prefix}{}", secret.expose())))]
        }
        Scheme::Basic => {
            let pair = STANDARD.encode(format!("uzel:{}", secret.expose()));
            vec![(AUTHORIZATION.as_str().to_owned(), Secret::new(format!("Basic {pair}")))]
        }
        Scheme::HmacSha256 { header, prefix, encoding } => {
            let mac = mac(key, &[body]);
            let text = match encoding {
                Encoding::Hex => hex(&mac),
                Encoding::Base64 => STANDARD.encode(mac),
            };
            vec![(header.clone(), Secret::new(format!("{prefix}{text}")))]
        }
        Scheme::Stripe => {
            let mac = hex(&mac(key, &[seconds.as_bytes(), b".", body]));
            vec![("stripe-signature".to_owned(), Secret::new(format!("t={seconds},v1={mac}")))]
        }
        Scheme::StandardWebhooks => {
            let signature = sign_standard(std::slice::from_ref(secret), id, at.seconds(), body);
            [("webhook-id", id.to_owned()), ("webhook-timestamp", seconds), ("webhook-signature", signature)]
                .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                .to_vec()
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn standard(secrets: &[Secret], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Verified, Unverified> {
    let header = |name: &str| text(headers, name).ok_or(Unverified);
    let (id, at, given) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    in_time(at, now)?;
    // A point in the id could move the border between id and time.
    if id.is_empty() || id.contains('.') {
        return Err(Unverified);
    }
    let given: Vec<Vec<u8>> = given
        .split_whitespace()
        .filter_map(|it| it.strip_prefix("v1,"))
        .filter_map(|it| decoded(it, Encoding::Base64))
        .collect();
    let is_signed = any(secrets, |secret| {
        let key = standard_key(secret);
        let parts = signed(id, at, body);
        given.iter().fold(false, |found, it| found | is_mac(&key, &parts, it))
    });
    if is_signed { Ok(Verified { id: Some(id.to_owned()) }) } else { Err(Unverified) }
}

fn signed<'m>(id: &'m str, at: &'m str, body: &'m [u8]) -> [&'m [u8]; 5] {
    [id.as_bytes(), b".", at.as_bytes(), b".", body]
}

/// `whsec_` and base64; a secret that is neither is taken as it is.
fn standard_key(secret: &Secret) -> Vec<u8> {
    let text = secret.expose().trim();
    let bare = text.strip_prefix("whsec_").unwrap_or(text);
    decoded(bare, Encoding::Base64).unwrap_or_else(|| text.as_bytes().to_vec())
}

fn stripe(secrets: &[Secret], headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<bool, Unverified> {
    let line = text(headers, "stripe-signature").ok_or(Unverified)?;
    let parts = || line.split(',').filter_map(|part| part.trim().split_once('='));
    let at = parts().find(|(name, _)| *name == "t").map(|(_, value)| value).ok_or(Unverified)?;
    in_time(at, now)?;
    let given: Vec<Vec<u8>> =
        parts().filter(|(name, _)| *name == "v1").filter_map(|(_, value)| decoded(value, Encoding::Hex)).collect();
    Ok(any(secrets, |secret| {
        let key = secret.expose().as_bytes();
        given.iter().fold(false, |found, it| found | is_mac(key, &[at.as_bytes(), b".", body], it))
    }))
}

/// An old message caught on its way must not be played again for ever.
fn in_time(seconds: &str, now: Timestamp) -> Result<(), Unverified> {
    let at: i64 = seconds.trim().parse().map_err(|_| Unverified)?;
    let apart = (now.0 / 1_000).checked_sub(at).ok_or(Unverified)?;
    if apart.unsigned_abs() <= SIGNATURE_TOLERANCE_S { Ok(()) } else { Err(Unverified) }
}

/// Every secret is tried, whether or not one before it fitted.
fn any(secrets: &[Secret], fits: impl Fn(&Secret) -> bool) -> bool {
    secrets.iter().fold(false, |found, secret| found | fits(secret))
}

fn is_mac(key: &[u8], parts: &[&[u8]], given: &[u8]) -> bool {
    mac(key, parts).as_slice().ct_eq(given).into()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().to_vec()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The password of `Basic base64(user:password)`.
fn password(header: &str) -> Option<String> {
    let (scheme, given) = header.split_once(' ')?;
    let pair = String::from_utf8(decoded(given.trim(), Encoding::Base64)?).ok()?;
    let (_user, password) = pair.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

fn decoded(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Base64 => STANDARD_NO_PAD.decode(text.trim().trim_end_matches('=')).ok(),
        Encoding::Hex => {
            let text = text.trim();
            if !text.is_ascii() || !text.len().is_multiple_of(2) {
                return None;
            }
            let pair = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
            (0..text.len()).step_by(2).map(pair).collect()
        }
    }
}
