//! The other end: asks a running daemon over its socket, or the same router in-process.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use super::RefusalBody;
use crate::base::limits::ANSWER_BYTES_MAX;
use crate::base::{Locale, Message};

/// Where questions go.
#[derive(Clone)]
pub enum Client {
    /// A running daemon.
    Socket(PathBuf),
    /// The same router in this process.
    Local(Router),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon refused; its own words.
    #[error("{0}")]
    Refused(String),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// The daemon does not answer.
    #[error("{0}")]
    Unreachable(Message),
}

impl Client {
    /// Asks for a view. `path` is without `/api/`; `lang` is added.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, locale: Locale) -> Result<T, ClientError> {
        self.ask(Method::GET, path, locale).await
    }

    /// Gives a command.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, locale: Locale) -> Result<T, ClientError> {
        self.ask(Method::POST, path, locale).await
    }

    /// Gives a command that says more than its path.
    pub async fn post_with<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        locale: Locale,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(unreachable)?;
        self.send(Method::POST, path, locale, body.into()).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, locale: Locale) -> Result<T, ClientError> {
        self.send(method, path, locale, bytes::Bytes::new()).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        locale: Locale,
        body: bytes::Bytes,
    ) -> Result<T, ClientError> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let lang = match locale {
            Locale::Ru => "ru",
            Locale::En => "en",
        };
        let uri = format!("/api/{path}{joint}lang={lang}");
        let request = Request::builder().method(method).uri(uri).header("host", "uzel");
        let request = match body.is_empty() {
            true => request,
            false => request.header("content-type", "application/json"),
        };
        let (status, bytes) = match self {
            Client::Local(router) => {
                let request = request.body(Body::from(body)).map_err(unreachable)?;
                let response = router.clone().oneshot(request).await.map_err(unreachable)?;
                read(response.into_parts()).await?
            }
            Client::Socket(socket) => {
                let stream = tokio::net::UnixStream::connect(socket).await.map_err(unreachable)?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(unreachable)?;
                // The connection ends with the request; its failure shows in the answer.
                tokio::spawn(connection);
                let request = request.body(Full::new(body)).map_err(unreachable)?;
                let response = sender.send_request(request).await.map_err(unreachable)?;
                read(response.into_parts()).await?
            }
        };
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(unreachable);
        }
        let text = match serde_json::from_slice::<RefusalBody>(&bytes) {
            Ok(body) => body.error,
            Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
        };
        Err(match status {
            StatusCode::NOT_FOUND => ClientError::NotFound(text),
            _ => ClientError::Refused(text),
        })
    }
}

async fn read<B>(parts: (http::response::Parts, B)) -> Result<(StatusCode, bytes::Bytes), ClientError>
where
    B: hyper::body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = parts;
    let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let bytes = collected
        .map_err(|error| ClientError::Unreachable(Message::new("control-unreachable").with("detail", error)))?;
    Ok((head.status, bytes.to_bytes()))
}

fn unreachable(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unreachable(Message::new("control-unreachable").with("detail", error))
}
