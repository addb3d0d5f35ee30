//! A source that is called, or whose files are taken: our own half of the way.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;

use super::{ProbeView, Standing};
use crate::auth::signature::{self, Scheme};
use crate::base::{Locale, Message, Secret, Timestamp};
use crate::catalog::Connection;
use crate::connector::Transport;
use crate::field::FieldValue;
use crate::net::{CallError, Method, Request, Wire};
use crate::source::form::{PROBE_ANSWER, PROBE_HEADER};

/// Body of the message to ourselves.
const BODY: &[u8] = b"{\"uzel-probe\":true}";
/// Id of the message to ourselves.
const ID: &str = "msg_uzel_probe";

/// Where our listener is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listening {
    /// From this machine: `http://127.0.0.1:8690`; `None` while no daemon runs.
    pub here: Option<String>,
    /// From the world, as `uzel.toml` says; empty when it does not.
    pub public_url: String,
}

/// A source that is called.
pub struct Own<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// The secret part of its address, or its password.
    pub secret: Option<Secret>,
    /// How its messages are signed.
    pub scheme: Scheme,
    /// By what.
    pub signing: Option<Secret>,
    /// Where our listener is.
    pub listening: &'a Listening,
    /// The way to it.
    pub wire: Arc<dyn Wire>,
    /// When it was last heard of.
    pub heard: Option<Timestamp>,
    /// The company's zone.
    pub zone: &'a TimeZone,
    /// Now.
    pub now: Timestamp,
    /// The reader's language.
    pub locale: Locale,
}

impl Own<'_> {
    /// Looks; what is found are checks of `view`.
    pub async fn probe(&self, view: &mut ProbeView) {
        let Some(source) = &self.connection.connector.source else { return };
        match source.transport {
            Transport::Webhook => self.called(view, "secret").await,
            Transport::Exchange1c => self.called(view, "password").await,
            Transport::Folder => self.folder(view),
            // It is asked, and was probed as a foreign system; a link is tried by holding it open.
            Transport::Poll | Transport::Asterisk => {}
        }
        self.heard(view);
    }

    fn add(&self, view: &mut ProbeView, check: &str, standing: Standing, message: &Message) {
        view.add(check, standing, message, self.locale);
    }

    async fn called(&self, view: &mut ProbeView, name: &str) {
        let name = format!("{}.{name}", self.connection.name);
        if self.secret.is_none() || (self.scheme != Scheme::None && self.signing.is_none()) {
            let name = if self.secret.is_none() { name } else { format!("{}.signing_secret", self.connection.name) };
            return self.add(view, "secret", Standing::Fail, &Message::new("app-no-secret").with("name", name));
        }
        let Some(here) = &self.listening.here else {
            return self.add(view, "own", Standing::Unknown, &Message::new("probe-no-daemon"));
        };
        let public = &self.listening.public_url;
        // A certificate of our own is for the name, so HTTPS is tried by that name only.
        let by_name = here.starts_with("https:");
        if by_name && public.is_empty() {
            return self.add(view, "own", Standing::Unknown, &Message::new("probe-own-https"));
        }
        let own = if by_name { public } else { here };
        match self.message_to(own).await {
            Ok(()) => self.add(view, "own", Standing::Fine, &Message::new("probe-own-good")),
            Err(reason) => {
                let message = Message::new("probe-own-bad").with("reason", reason);
                return self.add(view, "own", Standing::Fail, &message);
            }
        }
        if public.is_empty() {
            return self.add(view, "public", Standing::Note, &Message::new("probe-public-none"));
        }
        match self.message_to(public).await {
            Ok(()) => {
                self.add(view, "public", Standing::Fine, &Message::new("probe-public-good").with("url", public));
            }
            Err(reason) => {
                let message = Message::new("probe-public-bad").with("url", public).with("reason", reason);
                self.add(view, "public", Standing::Warn, &message);
            }
        }
    }

    /// Sends what the sender would send, marked so that nothing is kept of it.
    async fn message_to(&self, base: &str) -> Result<(), String> {
        let secret = self.secret.as_ref().expect("it was looked for before");
        let name = &self.connection.name;
        let exchange =
            self.connection.connector.source.as_ref().is_some_and(|it| it.transport == Transport::Exchange1c);
        let (request, good): (Request, &[u8]) = if exchange {
            let login = self.connection.setting("login").and_then(FieldValue::as_text).unwrap_or("uzel");
            let pair = STANDARD.encode(format!("{login}:{}", secret.expose()));
            let request = Request {
                method: Method::Get,
                address: Secret::new(format!("{base}/exchange/{name}?type=catalog&mode=checkauth")),
                headers: vec![("Authorization".into(), Secret::new(format!("Basic {pair}")))],
                content_type: "",
                body: Vec::new(),
            };
            (request, b"success")
        } else {
            let mut headers = vec![(PROBE_HEADER.into(), Secret::new("1"))];
            if let Some(signing) = &self.signing {
                let proof = signature::prove(&self.scheme, signing, ID, self.now, BODY);
                headers.extend(proof.into_iter().map(|(name, value)| (name.into(), value)));
            }
            let request = Request {
                method: Method::Post,
                address: Secret::new(format!("{base}/in/{name}/{}", secret.expose())),
                headers,
                content_type: "application/json",
                body: BODY.to_vec(),
            };
            (request, PROBE_ANSWER)
        };
        match self.wire.call(request).await {
            Ok(answer) if answer.status == 200 && answer.body.starts_with(good) => Ok(()),
            Ok(answer) => {
                let status = Message::new("probe-own-answer").with("status", answer.status);
                Err(status.render(self.locale))
            }
            Err(CallError::Refused(message) | CallError::Connect(message) | CallError::Sent(message)) => {
                Err(message.render(self.locale).trim_end_matches('.').to_owned())
            }
        }
    }

    fn folder(&self, view: &mut ProbeView) {
        let text = |name: &str| self.connection.setting(name).and_then(FieldValue::as_text).unwrap_or_default();
        let path = PathBuf::from(text("path"));
        let about = |id: &str| Message::new(id).with("path", path.display());
        let files = match std::fs::read_dir(&path) {
            Ok(entries) => entries.filter_map(Result::ok).filter(|it| it.path().is_file()).count(),
            Err(error) => {
                let message = about("probe-folder-unreadable").with("detail", error);
                return self.add(view, "folder", Standing::Fail, &message);
            }
        };
        self.add(view, "folder", Standing::Fine, &about("probe-folder-readable").with("files", files));
        if text("after") != "leave" && !may_write(&path) {
            self.add(view, "folder", Standing::Fail, &about("probe-folder-unwritable"));
        }
    }

    fn heard(&self, view: &mut ProbeView) {
        match self.heard {
            Some(at) => {
                let local = at.to_jiff().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
                let minutes = self.now.ms_since(at).max(0) / 60_000;
                let message = Message::new("probe-heard").with("at", local);
                let message =
                    message.with("days", minutes / 1_440).with("hours", minutes / 60).with("minutes", minutes);
                self.add(view, "heard", Standing::Note, &message);
            }
            None => self.add(view, "heard", Standing::Note, &Message::new("probe-never-heard")),
        }
    }
}

/// Whether files of the folder can be moved; asked of the system, nothing is made.
fn may_write(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}
