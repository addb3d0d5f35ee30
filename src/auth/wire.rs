//! The wire that carries the token.

use std::sync::Arc;

use super::Tokens;
use crate::base::Secret;
use crate::connector::SendToken;
use crate::net::{Answer, Boxed, CallError, Request, Wire};

/// Status of a refusal for want of rights.
const UNAUTHORIZED: u16 = 401;

/// Puts the token of a connection into every request.
pub struct Authorized {
    inner: Arc<dyn Wire>,
    tokens: Arc<Tokens>,
}

impl Authorized {
    /// In front of `inner`.
    pub fn new(inner: Arc<dyn Wire>, tokens: Arc<Tokens>) -> Authorized {
        Authorized { inner, tokens }
    }

    async fn send(&self, request: Request) -> Result<Answer, CallError> {
        let access = self.tokens.access()?;
        let answer = self.inner.call(carrying(&request, self.tokens.send(), &access)).await?;
        if !self.is_expired(&answer) {
            return Ok(answer);
        }
        // Once: a token that is refused as soon as it is given out is no reason for a third try.
        let fresh = self.tokens.renew(&access).await?;
        self.inner.call(carrying(&request, self.tokens.send(), &fresh)).await
    }

    fn is_expired(&self, answer: &Answer) -> bool {
        answer.status == UNAUTHORIZED && self.tokens.says_expired(&answer.body)
    }
}

impl Wire for Authorized {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        Box::pin(self.send(request))
    }
}

fn carrying(request: &Request, send: &SendToken, access: &Secret) -> Request {
    let mut request = request.clone();
    match send {
        SendToken::Bearer => {
            request.headers.push(("Authorization".into(), Secret::new(format!("Bearer {}", access.expose()))));
        }
        SendToken::Query(name) => {
            let address = request.address.expose();
            let join = if address.contains('?') { '&' } else { '?' };
            let token: String = url_escaped(access.expose());
            request.address = Secret::new(format!("{address}{join}{name}={token}"));
        }
    }
    request
}

/// A token in an address; those of known systems need no escape, others may.
pub(super) fn url_escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match plain(byte) {
            true => out.push(byte as char),
            false => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}
