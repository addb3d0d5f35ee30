//! Requests of 1C, as whoever listens hands them over.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

use bytes::Bytes;
use http_body_util::BodyExt as _;

use crate::decode::form::percent_decode;
use crate::decode::text;

/// The next piece of a body; `None` at its end.
pub type Chunk<'a> = Pin<Box<dyn Future<Output = io::Result<Option<Bytes>>> + Send + 'a>>;

/// A body that comes in pieces.
pub trait RequestBody: Send + Sync {
    /// The next piece; `None` at the end. An error means that the rest will not come.
    fn chunk(&mut self) -> Chunk<'_>;
}

/// A body that is in memory.
#[derive(Debug, Clone, Default)]
pub struct WholeBody(pub Option<Bytes>);

impl RequestBody for WholeBody {
    fn chunk(&mut self) -> Chunk<'_> {
        let bytes = self.0.take();
        Box::pin(async move { Ok(bytes) })
    }
}

/// A body of an HTTP server (hyper, axum).
#[derive(Debug)]
pub struct Frames<B>(pub B);

impl<B> RequestBody for Frames<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Sync + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn chunk(&mut self) -> Chunk<'_> {
        Box::pin(async move {
            loop {
                match self.0.frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(io::Error::other(error)),
                    // Frames that are not data are trailers.
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            }
        })
    }
}

/// One request.
pub struct ExchangeRequest {
    /// The method.
    pub method: http::Method,
    /// The query, as [`parse_query`] gives it.
    pub query: Vec<(String, String)>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Cookie`.
    pub cookie: Option<String>,
    /// Whence it came: failed logins are counted by address.
    pub remote: Option<IpAddr>,
    /// The body.
    pub body: Box<dyn RequestBody>,
}

impl ExchangeRequest {
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The session that the request names, by cookie or by `sessid`.
    pub(super) fn session_id(&self, cookie: &str) -> Option<String> {
        let from_cookie = self.cookie.as_deref().unwrap_or_default().split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name.trim() == cookie).then(|| value.trim().to_owned())
        });
        from_cookie.or_else(|| self.param("sessid").map(|it| it.trim().to_owned())).filter(|id| !id.is_empty())
    }
}

/// Reads the raw query of the address. 1C puts file names there as they are: slashes, a plus sign
/// that means itself, bytes of windows-1251 or UTF-8; what is percent-encoded is decoded too.
pub fn parse_query(raw: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| text::decode(&percent_decode(bytes), None, "query").text.into_owned();
    raw.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            (text(&pair[..at]), text(pair.get(at + 1..).unwrap_or_default()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &[u8], expected: &[(&str, &str)]) {
        let found = parse_query(raw);
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn queries_of_1c_are_read_as_they_are() {
        check(
            b"type=catalog&mode=file&filename=import_files/a1/x+y.jpg",
            &[("type", "catalog"), ("mode", "file"), ("filename", "import_files/a1/x+y.jpg")],
        );
        check("filename=заказы.xml&a".as_bytes(), &[("filename", "заказы.xml"), ("a", "")]);
        check(b"filename=\xe7\xe0\xea\xe0\xe7\xfb.xml&&x=a=b", &[("filename", "заказы.xml"), ("x", "a=b")]);
        check(b"filename=%D0%B7%20x.xml&y=100%", &[("filename", "з x.xml"), ("y", "100%")]);
    }
}
