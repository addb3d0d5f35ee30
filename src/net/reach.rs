//! How far a foreign system is reached: by name, by address, by port. What lies behind (TLS, HTTP)
//! shows in the first answer to a request.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::Url;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Guard;
use crate::base::Message;
use crate::base::limits::PROBE_STEP_MS;

/// How far it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The address itself: not one, or not allowed.
    Address,
    /// The name has no address.
    Dns,
    /// Nobody takes the connection.
    Tcp,
    /// They do not agree on encryption.
    Tls,
    /// No answer, or one that is none.
    Http,
}

impl Step {
    /// In a word, for data.
    pub fn name(self) -> &'static str {
        match self {
            Step::Address => "address",
            Step::Dns => "dns",
            Step::Tcp => "tcp",
            Step::Tls => "tls",
            Step::Http => "http",
        }
    }
}

/// Where the way ends, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// What failed.
    pub step: Step,
    /// Why, for people.
    pub message: Message,
}

/// Resolves the name and connects; nothing is sent. Whether the address may be dialled at all is
/// the guard's to say, as for every request.
pub async fn reach(address: &str, guard: &Guard) -> Result<(), Unreached> {
    let unreached = |step, message| Err(Unreached { step, message });
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some((url, host)) = url.and_then(|url| Some((url.clone(), url.host_str()?.to_owned()))) else {
        return unreached(Step::Address, Message::new("net-address"));
    };
    let port = url.port_or_known_default().unwrap_or(443);
    let about = |id: &str| Message::new(id).with("host", &host).with("port", port);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
        Ok(number) => vec![SocketAddr::new(number, port)],
        Err(_) => match timeout(Duration::from_millis(PROBE_STEP_MS), lookup_host((bare, port))).await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        },
    };
    if found.is_empty() {
        return unreached(Step::Dns, about("net-reach-dns"));
    }
    let allowed: Vec<SocketAddr> = found.into_iter().filter(|it| guard.allows(it.ip())).collect();
    if allowed.is_empty() {
        return unreached(Step::Address, about("net-private"));
    }
    let mut detail = String::new();
    for address in allowed {
        match timeout(Duration::from_millis(PROBE_STEP_MS), TcpStream::connect(address)).await {
            Ok(Ok(_connected)) => return Ok(()),
            Ok(Err(error)) => detail = error.to_string(),
            Err(_) => detail = format!("{} ms", PROBE_STEP_MS),
        }
    }
    unreached(Step::Tcp, about("net-reach-tcp").with("detail", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(address: &str, allow: bool, expected: Option<(Step, &str)>) {
        let got = reach(address, &Guard::new(allow, Vec::new())).await;
        let got = got.as_ref().err().map(|it| (it.step, it.message.id.as_str()));
        assert_eq!(got, expected, "{address}");
    }

    #[tokio::test]
    async fn the_way_ends_at_the_step_that_fails() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let open = listener.local_addr().expect("it is bound");
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
        check(&format!("http://{open}/rest/1/s3cret/"), true, None).await;
        check(&format!("http://{open}/rest/1/s3cret/"), false, Some((Step::Address, "net-private"))).await;
        check(&format!("http://{closed}/"), true, Some((Step::Tcp, "net-reach-tcp"))).await;
        check("https://no-such-host.invalid/", true, Some((Step::Dns, "net-reach-dns"))).await;
        check("portal", true, Some((Step::Address, "net-address"))).await;
        check("ftp://127.0.0.1/", true, Some((Step::Address, "net-address"))).await;
    }
}
