//! Hints: a foreign system tells that something changed there. A hint is never believed: what it
//! names is read. So it is not journalled, and a lost, doubled, late or forged-by-an-insider one
//! harms nothing; the regular look at the system sees what it told of.
//!
//! Guaranteed: the secret of the address and the token of the sender are compared in constant time,
//! both of them whatever the other says; a body that does not read names nothing.

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
    tokens: Vec<Secret>,
}

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
        HintSource { connection, connector, spec, secrets, tokens }
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
        if !self.tokens.iter().fold(false, |found, it| found | it.matches(&token)) {
            return Hinted::Forbidden;
        }
        let event = event.to_ascii_uppercase();
        let stream = self.spec.streams.iter().find(|(name, _)| *name == event).map(|(_, stream)| stream.clone());
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
