//! `/relay/v1/...`: the office of a relay asks for what waits for it. The listener checks the token;
//! what is answered decides `relay::Desk`.

use std::str::FromStr;
use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use super::answer::{self, Answer};
use super::state::State;
use crate::base::limits::RELAY_BATCH_BYTES_MAX;
use crate::base::{Locale, Message, Position};
use crate::relay::{Asked, BATCH_TYPE, Desk, Refused, RelayId};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// `None`: no relay here, or no such path.
pub(super) async fn handle(state: &State, parts: &Parts) -> Option<Answer> {
    let desk = state.relay()?;
    let word = parts.uri.path().strip_prefix("/relay/v1/")?;
    let is_asked = match word {
        "attach" | "confirmed" => parts.method == Method::POST,
        "entries" | "body" => parts.method == Method::GET,
        _ => return None,
    };
    if !is_asked {
        return Some(answer::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let mut answer = answered(desk, word, &Parameters::of(parts)).await.unwrap_or_else(|refused| refusal(&refused));
    // A proxy on the way must not keep people's data.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(answer)
}

async fn answered(desk: Arc<Desk>, word: &str, parameters: &Parameters<'_>) -> Result<Answer, Refused> {
    let instance = parameters.text("instance")?.to_owned();
    if word == "attach" {
        let attached = blocking(move || desk.attach(&instance)).await?;
        let body = serde_json::to_vec(&attached).expect("plain data");
        return Ok(answer::answer(StatusCode::OK, JSON, body));
    }
    let relay: RelayId = parameters.read("relay")?;
    match word {
        "entries" => {
            let print = parameters.text("print").ok().filter(|it| !it.is_empty()).map(str::to_owned);
            let asked = Asked {
                relay,
                after: Position(parameters.read("after")?),
                print,
                bytes_max: parameters.read("bytes").unwrap_or(RELAY_BATCH_BYTES_MAX),
                wait_s: parameters.read("wait_s").unwrap_or(0),
            };
            let batch = desk.entries(&instance, asked).await?;
            Ok(answer::answer(StatusCode::OK, HeaderValue::from_static(BATCH_TYPE), batch.encode()))
        }
        "body" => {
            let (position, from) = (Position(parameters.read("position")?), parameters.read("from")?);
            let piece = blocking(move || desk.body(&instance, relay, position, from)).await?;
            Ok(answer::answer(StatusCode::OK, BYTES, piece))
        }
        _ => {
            let position = Position(parameters.read("position")?);
            blocking(move || desk.confirm(&instance, relay, position)).await?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refused> + Send + 'static) -> Result<T, Refused> {
    let cut = |error| Err(Refused::Journal(Message::new("relay-read-cut").with("detail", error)));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(cut)
}

fn refusal(refused: &Refused) -> Answer {
    let (status, word, message) = match refused {
        Refused::Fenced => (StatusCode::CONFLICT, "fenced", Message::new("relay-said-fenced")),
        Refused::OtherRelay => (StatusCode::CONFLICT, "other_relay", Message::new("relay-said-other")),
        Refused::RolledBack => (StatusCode::CONFLICT, "rolled_back", Message::new("relay-said-rolled-back")),
        Refused::Asked => (StatusCode::BAD_REQUEST, "asked", Message::new("relay-said-asked")),
        Refused::Journal(message) => (StatusCode::INTERNAL_SERVER_ERROR, "journal", message.clone()),
    };
    let body = serde_json::json!({ "error": word, "message": message.render(Locale::default()) });
    answer::answer(status, JSON, body.to_string())
}

/// Parameters of the address. All of them are letters and digits: nothing is escaped.
struct Parameters<'a>(&'a str);

impl Parameters<'_> {
    fn of(parts: &Parts) -> Parameters<'_> {
        Parameters(parts.uri.query().unwrap_or_default())
    }

    fn text(&self, name: &str) -> Result<&str, Refused> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value).ok_or(Refused::Asked)
    }

    fn read<T: FromStr>(&self, name: &str) -> Result<T, Refused> {
        self.text(name)?.parse().map_err(|_| Refused::Asked)
    }
}
