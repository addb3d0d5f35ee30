//! The office's side of the wire: one question, one answer, and what is wrong in words for people.

use std::sync::Arc;

use compact_str::CompactString;
use serde::Deserialize;

use super::batch::{Batch, BatchError, RelayId};
use super::desk::{Asked, Attached};
use crate::base::limits::RELAY_PIECE_BYTES_MAX;
use crate::base::{Message, Position, Secret};
use crate::net::{Answer, CallError, Method, Request, Wire, host_of};

/// Where the relay is, and who we are.
pub struct Link {
    wire: Arc<dyn Wire>,
    address: String,
    token: Secret,
    instance: String,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// There is no connection; the system's words.
    Unreachable(String),
    /// The link stood, and no whole answer came: a smaller one may get through. The system's words.
    Cut(String),
    /// An answer came whole and was spoilt on its way.
    Damaged,
    /// The proxy before it, or the relay while it is too slow, answers with this status.
    Busy(u16),
    /// The token is wrong.
    Token,
    /// Something else answers at the address.
    Foreign,
    /// Another office took the relay over.
    Fenced,
    /// The relay at the address is another one.
    OtherRelay,
    /// Its journal was put back to an earlier state.
    RolledBack,
    /// It is newer than we are.
    Newer,
    /// It refuses, in its own words.
    Refused(String),
    /// Our own side: a guard, a request that cannot be built.
    Own(Message),
}

impl Trouble {
    /// In a word, for views and alarms.
    pub fn state(&self) -> &'static str {
        match self {
            Trouble::Unreachable(_) | Trouble::Cut(_) | Trouble::Damaged | Trouble::Busy(_) => "unreachable",
            Trouble::Token => "token",
            Trouble::Foreign => "foreign",
            Trouble::Fenced => "fenced",
            Trouble::OtherRelay => "other",
            Trouble::RolledBack => "rolled_back",
            Trouble::Newer => "newer",
            Trouble::Refused(_) => "refused",
            Trouble::Own(_) => "own",
        }
    }

    /// For people: what is wrong, and the next step.
    pub fn message(&self, host: &str) -> Message {
        let about = |id: &str| Message::new(id).with("host", host);
        match self {
            Trouble::Unreachable(detail) => about("relay-unreachable").with("detail", detail),
            Trouble::Cut(detail) => about("relay-cut").with("detail", detail),
            Trouble::Damaged => about("relay-damaged"),
            Trouble::Busy(status) => about("relay-busy").with("status", status),
            Trouble::Token => about("relay-token"),
            Trouble::Foreign => about("relay-foreign"),
            Trouble::Fenced => about("relay-fenced"),
            Trouble::OtherRelay => about("relay-other"),
            Trouble::RolledBack => about("relay-rolled-back"),
            Trouble::Newer => about("relay-newer"),
            Trouble::Refused(text) => about("relay-refused").with("detail", text),
            Trouble::Own(message) => message.clone(),
        }
    }
}

impl From<CallError> for Trouble {
    fn from(error: CallError) -> Trouble {
        match error {
            CallError::Refused(message) => Trouble::Own(message),
            CallError::Connect(message) => Trouble::Unreachable(detail(&message)),
            CallError::Sent(message) => Trouble::Cut(detail(&message)),
        }
    }
}

/// The system's words in a message of `net`.
fn detail(message: &Message) -> String {
    let found = message.args.iter().find(|(name, _)| name == "detail");
    found.map_or_else(|| message.to_string(), |(_, text)| text.clone())
}

/// Body of a refusal.
#[derive(Deserialize)]
struct RefusalBody {
    error: String,
    #[serde(default)]
    message: String,
}

impl Link {
    /// To the relay at `address` (`https://in.company.ru`). `instance` is new at each start.
    pub fn new(wire: Arc<dyn Wire>, address: &str, token: Secret, instance: &str) -> Link {
        Link { wire, address: address.trim_end_matches('/').to_owned(), token, instance: instance.to_owned() }
    }

    /// Host of the relay, for messages.
    pub fn host(&self) -> String {
        host_of(&self.address).unwrap_or_default()
    }

    /// Becomes the one who pulls.
    pub async fn attach(&self) -> Result<Attached, Trouble> {
        let answer = self.call(Method::Post, "attach", "").await?;
        let attached: Attached = serde_json::from_slice(&answer.body).map_err(|_| Trouble::Foreign)?;
        match attached.protocol > super::PROTOCOL {
            true => Err(Trouble::Newer),
            false => Ok(attached),
        }
    }

    /// Envelopes behind what we have; may wait.
    pub async fn entries(&self, asked: &Asked) -> Result<Batch, Trouble> {
        let print = asked.print.as_deref().unwrap_or_default();
        let parameters = format!(
            "&relay={}&after={}&print={print}&bytes={}&wait_s={}",
            asked.relay, asked.after, asked.bytes_max, asked.wait_s
        );
        let answer = self.call(Method::Get, "entries", &parameters).await?;
        let batch = Batch::decode(&answer.body).map_err(|error| match error {
            BatchError::Foreign => Trouble::Foreign,
            BatchError::Newer(_) => Trouble::Newer,
            BatchError::Damaged => Trouble::Damaged,
        })?;
        let mut last = asked.after;
        for (position, _) in &batch.entries {
            if *position <= last {
                return Err(Trouble::Damaged);
            }
            last = *position;
        }
        match batch.facts.relay == asked.relay {
            true => Ok(batch),
            false => Err(Trouble::OtherRelay),
        }
    }

    /// A piece of a large body.
    pub async fn body(&self, relay: RelayId, position: Position, from: u64) -> Result<Vec<u8>, Trouble> {
        let answer = self.call(Method::Get, "body", &format!("&relay={relay}&position={position}&from={from}")).await?;
        match answer.body.len() <= RELAY_PIECE_BYTES_MAX {
            true => Ok(answer.body),
            false => Err(Trouble::Foreign),
        }
    }

    /// We have synced everything up to `position`.
    pub async fn confirm(&self, relay: RelayId, position: Position) -> Result<(), Trouble> {
        self.call(Method::Post, "confirmed", &format!("&relay={relay}&position={position}")).await.map(|_| ())
    }

    async fn call(&self, method: Method, word: &str, parameters: &str) -> Result<Answer, Trouble> {
        let address = format!("{}/relay/v1/{word}?instance={}{parameters}", self.address, self.instance);
        let bearer = Secret::new(format!("Bearer {}", self.token.expose()));
        let request = Request {
            method,
            address: Secret::new(address),
            headers: vec![(CompactString::const_new("Authorization"), bearer)],
            content_type: "",
            body: Vec::new(),
        };
        judge(self.wire.call(request).await?)
    }
}

/// What a status means.
fn judge(answer: Answer) -> Result<Answer, Trouble> {
    let said = || serde_json::from_slice::<RefusalBody>(&answer.body).ok();
    match answer.status {
        200 | 204 => Ok(answer),
        401 => Err(Trouble::Token),
        409 => Err(match said() {
            Some(said) if said.error == "fenced" => Trouble::Fenced,
            Some(said) if said.error == "other_relay" => Trouble::OtherRelay,
            Some(said) if said.error == "rolled_back" => Trouble::RolledBack,
            Some(said) => Trouble::Refused(said.message),
            None => Trouble::Foreign,
        }),
        400 | 500 => Err(said().map_or(Trouble::Foreign, |said| Trouble::Refused(said.message))),
        429 | 502..=504 => Err(Trouble::Busy(answer.status)),
        _ => Err(Trouble::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_a_named_state() {
        for (status, body, expected) in [
            (401, "", "token"),
            (404, "not found", "foreign"),
            (301, "", "foreign"),
            (409, r#"{"error":"fenced","message":"x"}"#, "fenced"),
            (409, r#"{"error":"other_relay","message":"x"}"#, "other"),
            (409, r#"{"error":"rolled_back","message":"x"}"#, "rolled_back"),
            (409, "<html>", "foreign"),
            (500, r#"{"error":"journal","message":"the journal is damaged"}"#, "refused"),
            (500, "<html>", "foreign"),
            (502, "<html>", "unreachable"),
            (503, "", "unreachable"),
        ] {
            let answer = Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
            assert_eq!(judge(answer).expect_err("refused").state(), expected, "{status} {body}");
        }
        let answer = Answer { status: 200, headers: Vec::new(), body: Vec::new() };
        assert!(judge(answer).is_ok());
    }
}
