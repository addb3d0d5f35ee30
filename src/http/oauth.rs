//! `GET /oauth/{connection}?code=...&state=...`: a person comes back from the foreign system, where
//! he agreed. The page tells him in a sentence what came of it. Neither code nor state is logged.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use super::answer::{self, Answer};
use super::state::State;
use crate::base::Message;
use crate::source::exchange::parse_query;
use crate::source::form::reader_locale;

pub(super) async fn handle(state: &Arc<State>, parts: &Parts) -> Answer {
    let locale = reader_locale(&parts.headers);
    let name = parts.uri.path().strip_prefix("/oauth/").unwrap_or_default().trim_end_matches('/');
    let Some(tokens) = state.tokens(name) else {
        return answer::message(StatusCode::NOT_FOUND, &Message::new("source-unknown"), locale);
    };
    if parts.method != Method::GET {
        let mut answer = answer::empty(StatusCode::METHOD_NOT_ALLOWED);
        answer.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("GET"));
        return answer;
    }
    let query = parse_query(parts.uri.query().unwrap_or_default().as_bytes());
    let given = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str());
    match tokens.finish(given("state"), given("code")).await {
        Ok(()) => answer::message(StatusCode::OK, &Message::new("oauth-done").with("connection", name), locale),
        Err(refused) => answer::message(StatusCode::BAD_REQUEST, &refused.0, locale),
    }
}
