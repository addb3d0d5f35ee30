//! Answers: the body type of the listener, and the few shapes that an answer has.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{Either, Full};

use crate::base::{Locale, Message, Position};
use crate::source::form::Reply;

/// What the listener sends: its own answers are whole, those of a router may be streams.
pub(super) type AnswerBody = Either<Full<Bytes>, axum::body::Body>;
pub(super) type Answer = Response<AnswerBody>;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn answer(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let mut answer = empty(status);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    *answer.body_mut() = Either::Left(Full::new(body.into()));
    answer
}

pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}

pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    answer(status, TEXT, body)
}

/// A message for whoever looks at the sender's log.
pub(super) fn message(status: StatusCode, message: &Message, locale: Locale) -> Answer {
    text(status, message.render(locale) + "\n")
}

/// Not now; come again.
pub(super) fn retry_after(mut answer: Answer, seconds: u32) -> Answer {
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// The rest of the request is not wanted.
pub(super) fn closing(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

pub(super) fn with_headers(mut answer: Answer, headers: Vec<(HeaderName, HeaderValue)>) -> Answer {
    answer.headers_mut().extend(headers);
    answer
}

/// The answer to an envelope that is durable at `position`.
pub(super) fn accepted(reply: Reply, position: Position) -> Answer {
    match reply {
        Reply::Text(body) => text(StatusCode::OK, body),
        Reply::Json => answer(StatusCode::OK, JSON, format!(r#"{{"status":"accepted","id":"{position}"}}"#)),
        Reply::Redirect(address) => {
            let mut answer = empty(StatusCode::SEE_OTHER);
            answer.headers_mut().insert(LOCATION, address);
            answer
        }
        Reply::Page(locale) => thanks(locale),
    }
}

/// Nothing of the sender's stands on the page, so nothing has to be escaped.
fn thanks(locale: Locale) -> Answer {
    let language = match locale {
        Locale::Ru => "ru",
        Locale::En => "en",
    };
    let title = Message::new("http-thanks-title").render(locale);
    let line = Message::new("http-thanks-line").render(locale);
    let page = format!(
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <body style=\"font:1.1em sans-serif;margin:4em auto;max-width:30em\"><h1>{title}</h1><p>{line}</p></body></html>\n"
    );
    let mut answer = answer(StatusCode::OK, HTML, page);
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
