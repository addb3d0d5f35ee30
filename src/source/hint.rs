//! Hints: a foreign system tells that something changed there. A hint is never believed: what it
//! names is read. So it is not journalled, and a lost, doubled, late or forged-by-an-insider one
//! harms nothing; the regular look at the system sees what it told of.
//!
//! Guaranteed: the secret of the address and the token of the sender are compared in constant time,
//! both of them whatever the other says; a body that does not read names nothing.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use crate::base::limits::FORM_FIELDS_MAX;
use crate::base::{Secret, Slug};
use crate::connector::{HintSpec, VerifyHint};

/// One connection that may be told of changes.
#[derive(Debug)]
pub struct HintSource {
    /// The connection.
    pub connection: Slug,
    /// Its connector, for metrics.
    pub connector: Slug,
    spec: HintSpec,
    /// The secret parts of our address: the present one and the one before.
    secrets: Vec<Secret>,
    /// What the sender shows: the present one and the one before.
    tokens: RwLock<Vec<Secret>>,
    /// Who keeps the token of the first message, when none is known.
    learn: Option<Learn>,
}

/// Keeps a token that was learnt; whether it is kept.
struct Learn(Box<dyn Fn(&Secret) -> bool + Send + Sync>);

impl fmt::Debug for Learn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Learn")
    }
}

/// Characters of a token below which it is none.
const TOKEN_CHARS_MIN: usize = 16;

/// What came of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hinted {
    /// Look at this object of the stream: it changed, or is gone.
    Look {
        /// The stream.
        stream: String,
        /// The id there.
        id: String,
    },
    /// About something that we do not read.
    Nothing,
    /// The address is not known.
    Unknown,
    /// The sender is not the one.
    Forbidden,
}

impl HintSource {
    /// Of a connection. Without a token nobody is believed: every message is forbidden.
    pub fn new(
        connection: Slug,
        connector: Slug,
        spec: HintSpec,
        secrets: Vec<Secret>,
        tokens: Vec<Secret>,
    ) -> HintSource {
        HintSource { connection, connector, spec, secrets, tokens: RwLock::new(tokens), learn: None }
    }

    /// Without a token, the one of the first message at the right address is believed from then on:
    /// we have told that address to the system alone, and nobody is shown the token of an application
    /// otherwise. `keep` says whether it is kept for the next start.
    pub fn learning(self, keep: impl Fn(&Secret) -> bool + Send + Sync + 'static) -> HintSource {
        HintSource { learn: Some(Learn(Box::new(keep))), ..self }
    }

    fn believes(&self, token: &str) -> bool {
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        if !known.is_empty() {
            return known.iter().fold(false, |found, it| found | it.matches(token));
        }
        drop(known);
        let Some(Learn(keep)) = self.learn.as_ref().filter(|_| token.len() >= TOKEN_CHARS_MIN) else { return false };
        let mut known = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            let token = Secret::new(token);
            if !keep(&token) {
                return false;
            }
            known.push(token);
        }
        known.iter().fold(false, |found, it| found | it.matches(token))
    }

    /// Whether the secret of the address is right.
    pub fn admits(&self, secret: &str) -> bool {
        self.secrets.iter().fold(false, |found, it| found | it.matches(secret))
    }

    /// Reads a message.
    pub fn read(&self, secret: &str, body: &[u8]) -> Hinted {
        if !self.admits(secret) {
            return Hinted::Unknown;
        }
        match self.spec.verify {
            VerifyHint::Bitrix24Token => self.read_bitrix24(body),
        }
    }

    fn read_bitrix24(&self, body: &[u8]) -> Hinted {
        let (mut event, mut id, mut token) = (String::new(), String::new(), String::new());
        // Bound: what stands behind so many fields is not looked at.
        for (name, value) in form_pairs(body).take(FORM_FIELDS_MAX) {
            match name.as_str() {
                "event" => event = value,
                "data[FIELDS][ID]" => id = value,
                "auth[application_token]" => token = value,
                _ => {}
            }
        }
        if !self.believes(&token) {
            return Hinted::Forbidden;
        }
        let stream = self.spec.stream_of(&event).map(str::to_owned);
        // Ids of that system are numbers; anything else would be asked for in vain.
        let is_id = !id.is_empty() && id.len() <= 20 && id.bytes().all(|it| it.is_ascii_digit());
        match stream {
            Some(stream) if is_id => Hinted::Look { stream, id },
            Some(_) | None => Hinted::Nothing,
        }
    }
}

fn form_pairs(body: &[u8]) -> impl Iterator<Item = (String, String)> + '_ {
    body.split(|byte| *byte == b'&').filter(|it| !it.is_empty()).map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (unescaped(&pair[..at]), unescaped(pair.get(at + 1..).unwrap_or_default()))
    })
}

fn unescaped(text: &[u8]) -> String {
    let hex = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match (text[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', _, _) => {
                out.push(b' ');
                at += 1;
            }
            (plain, _, _) => {
                out.push(plain);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
