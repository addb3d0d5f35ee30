//! The client: reqwest with everything that could surprise turned off.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use compact_str::CompactString;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Answer, Boxed, CallError, Guard, Method, Request, Wire};
use crate::base::Message;
use crate::base::limits::ANSWER_BYTES_MAX;

/// Time for a connection, names and TLS included, ms.
const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// Time for the whole request, ms. Bitrix24 works on one request for up to 60 s; a batch of 50
/// takes its time.
const TOTAL_TIMEOUT_MS: u64 = 75_000;
/// How long an idle connection is kept, ms. Below what servers keep theirs, so that a request is
/// rarely written into a connection that is being closed.
const IDLE_TIMEOUT_MS: u64 = 20_000;
/// Headers of an answer that are kept.
const ANSWER_HEADERS_MAX: usize = 100;

/// Sends requests over the network.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    guard: Arc<Guard>,
}

impl Client {
    /// A client that dials what `guard` allows.
    pub fn new(guard: Guard) -> Result<Client, CallError> {
        install_provider();
        let guard = Arc::new(guard);
        let inner = reqwest::Client::builder()
            .user_agent(concat!("uzel/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // A proxy would resolve names by itself, behind the guard's back.
            .no_proxy()
            .referer(false)
            .dns_resolver(Arc::new(GuardedNames(Arc::clone(&guard))))
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .timeout(Duration::from_millis(TOTAL_TIMEOUT_MS))
            .pool_idle_timeout(Duration::from_millis(IDLE_TIMEOUT_MS))
            .build()
            .map_err(|error| CallError::Refused(Message::new("net-client").with("detail", cause(&error))))?;
        Ok(Client { inner, guard })
    }

    async fn send(&self, request: Request) -> Result<Answer, CallError> {
        let url = self.checked(request.address.expose())?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let built = build(&self.inner, url, &request)
            .map_err(|_| CallError::Refused(Message::new("net-request").with("host", &host)))?;
        let mut response = self.inner.execute(built).await.map_err(|error| failure(&host, error))?;
        let status = response.status().as_u16();
        let headers =
            response.headers().iter().take(ANSWER_HEADERS_MAX).filter_map(|(name, value)| {
                Some((CompactString::from(name.as_str()), value.to_str().ok()?.to_owned()))
            });
        let headers = headers.collect();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&host, error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                let message = Message::new("net-answer-long").with("host", &host).with("bytes", ANSWER_BYTES_MAX);
                return Err(CallError::Sent(message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }

    /// The address, if it is one that may be dialled. Names are checked again when they are
    /// resolved; addresses written as numbers never are, so here is their only check.
    fn checked(&self, address: &str) -> Result<Url, CallError> {
        let refused = |id: &str, host: &str| CallError::Refused(Message::new(id).with("host", host));
        let url = Url::parse(address).map_err(|_| refused("net-address", ""))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let plain = url.scheme() == "http" && self.guard.allows_some_private();
        if url.scheme() != "https" && !plain {
            return Err(refused("net-https", &host));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("net-credentials", &host));
        }
        let number = host.trim_start_matches('[').trim_end_matches(']').parse();
        let allowed = number.map_or_else(|_| name_allowed(&host, &self.guard), |it| self.guard.allows(it));
        if !allowed {
            return Err(refused("net-private", &host));
        }
        Ok(url)
    }
}

impl Wire for Client {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        Box::pin(self.send(request))
    }
}

/// The host (and port, when it is not the usual one) of an address: names its bucket and stands
/// in messages.
pub fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Names that mean this machine or the local network, whatever they resolve to.
fn name_allowed(host: &str, guard: &Guard) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let local = !host.contains('.') || [".local", ".internal", ".localhost"].iter().any(|it| host.ends_with(it));
    !host.is_empty() && (!local || guard.allows_some_private())
}

/// Ring, once per process. Somebody may have installed one before us: as good.
fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _already = rustls::crypto::ring::default_provider().install_default();
    });
}

fn build(client: &reqwest::Client, url: Url, request: &Request) -> reqwest::Result<reqwest::Request> {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
    };
    let mut builder = client.request(method, url).header("Accept", "application/json");
    for (name, value) in &request.headers {
        builder = builder.header(name.as_str(), value.expose());
    }
    if !request.content_type.is_empty() {
        builder = builder.header("Content-Type", request.content_type).body(request.body.clone());
    }
    builder.build()
}

/// The one question: can it have taken effect?
fn failure(host: &str, error: reqwest::Error) -> CallError {
    let error = error.without_url();
    let detail = cause(&error);
    let message = |id: &str| Message::new(id).with("host", host).with("detail", &detail);
    if is_guarded(&error) {
        return CallError::Refused(Message::new("net-private").with("host", host));
    }
    if error.is_builder() {
        return CallError::Refused(Message::new("net-request").with("host", host));
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => CallError::Connect(message("net-connect")),
        (false, true) => CallError::Sent(message("net-timeout")),
        (false, false) => CallError::Sent(message("net-cut")),
    }
}

/// The innermost cause: says most in the fewest words, and has no address in it.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn is_guarded(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Guarded>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Every address of a name is one that may not be dialled.
#[derive(Debug, thiserror::Error)]
#[error("the address is not allowed")]
struct Guarded;

/// Resolves names and keeps the addresses that the guard allows.
struct GuardedNames(Arc<Guard>);

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|it| guard.allows(it.ip())).collect();
            if allowed.is_empty() {
                return Err(Guarded.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Locale, Secret};

    fn request(address: &str) -> Request {
        Request {
            method: Method::Post,
            address: Secret::new(address),
            headers: Vec::new(),
            content_type: "application/json",
            body: b"{}".to_vec(),
        }
    }

    async fn refusal(guard: Guard, address: &str) -> String {
        let client = Client::new(guard).expect("a client");
        let error = client.call(request(address)).await.expect_err("it is refused");
        match &error {
            CallError::Refused(message) => {
                assert!(!message.render(Locale::Ru).contains("s3cret"), "{message}");
                message.id.to_string()
            }
            CallError::Connect(_) | CallError::Sent(_) => panic!("it was dialled: {error}"),
        }
    }

    #[tokio::test]
    async fn what_must_not_be_dialled_is_refused_before_it_is() {
        for (address, id) in [
            ("https://127.0.0.1:1/rest/1/s3cret/", "net-private"),
            ("https://[::1]:1/rest/1/s3cret/", "net-private"),
            ("https://[::ffff:10.0.0.1]/rest/1/s3cret/", "net-private"),
            ("https://2130706433/rest/1/s3cret/", "net-private"),
            ("https://localhost:1/rest/1/s3cret/", "net-private"),
            ("https://crm.local/rest/1/s3cret/", "net-private"),
            ("https://169.254.169.254/latest/s3cret", "net-private"),
            ("http://example.com/rest/1/s3cret/", "net-https"),
            ("ftp://example.com/s3cret", "net-https"),
            ("https://user:s3cret@example.com/", "net-credentials"),
            ("s3cret", "net-address"),
        ] {
            assert_eq!(refusal(Guard::default(), address).await, id, "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_address_is_refused_at_the_dial() {
        // The name is allowed (some network is), its address is not.
        let guard = Guard::from_settings(false, &["10.99.0.0/16".to_owned()]).expect("a network");
        assert_eq!(refusal(guard, "http://localhost:1/rest/1/s3cret/").await, "net-private");
    }

    #[tokio::test]
    async fn a_closed_port_surely_took_no_effect() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/rest/1/s3cret/x", listener.local_addr().expect("it is bound"));
        drop(listener);
        let client = Client::new(Guard::new(true, Vec::new())).expect("a client");
        let error = client.call(request(&address)).await.expect_err("nobody listens");
        assert!(matches!(error, CallError::Connect(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }

    #[tokio::test]
    async fn a_link_cut_after_the_request_may_have_taken_effect() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        for reply in ["", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":"] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = format!("http://{}/rest/1/s3cret/x", listener.local_addr().expect("it is bound"));
            let server = tokio::spawn(async move {
                let (mut link, _) = listener.accept().await.expect("a link");
                let mut buffer = [0; 1_024];
                assert!(link.read(&mut buffer).await.expect("a request") > 0);
                link.write_all(reply.as_bytes()).await.expect("the link stands");
            });
            let client = Client::new(Guard::new(true, Vec::new())).expect("a client");
            let error = client.call(request(&address)).await.expect_err("the link was cut");
            server.await.expect("the server ended");
            assert!(matches!(error, CallError::Sent(_)), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_an_endless_one_is_cut() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let long = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", ANSWER_BYTES_MAX + 1);
        let redirect = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_owned();
        for (head, fill, status) in [(redirect, 0, Some(302)), (long, ANSWER_BYTES_MAX + 1, None)] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = format!("http://{}/x", listener.local_addr().expect("it is bound"));
            let server = tokio::spawn(async move {
                let (mut link, _) = listener.accept().await.expect("a link");
                let mut buffer = [0; 1_024];
                assert!(link.read(&mut buffer).await.expect("a request") > 0);
                link.write_all(head.as_bytes()).await.expect("the link stands");
                // The client may hang up in the middle: that is what is tested.
                let _cut = link.write_all(&vec![b' '; fill]).await;
            });
            let client = Client::new(Guard::new(true, Vec::new())).expect("a client");
            let answer = client.call(request(&address)).await;
            match (status, answer) {
                (Some(status), Ok(answer)) => assert_eq!(answer.status, status),
                (None, Err(CallError::Sent(message))) => assert_eq!(message.id, "net-answer-long"),
                (_, other) => panic!("{other:?}"),
            }
            server.await.expect("the server ended");
        }
    }
}
