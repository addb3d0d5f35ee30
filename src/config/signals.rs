//! `[notify]` and `[heartbeat]`: whom the daemon tells what is wrong, and that it is well.

use std::path::PathBuf;

use lettre::message::Mailbox;

use super::Over;
use super::listen::is_network;
use crate::alarm::Severity;
use crate::base::Message;
use crate::field::Table;

/// Whom the daemon tells what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// From which severity on.
    pub from: Severity,
    /// Between two messages, minutes.
    pub pause_min: u32,
    /// What lasts is told again after so many hours; 0: never.
    pub remind_h: u32,
    /// By e-mail.
    pub email: Option<Email>,
    /// To an address of the web. Its signing secret is `notify.webhook_secret`.
    pub webhook: Option<Target>,
}

/// How mail is handed over. The password is the secret `notify.password`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the link is protected.
    pub tls: MailTls,
    /// Login; empty: none is asked for.
    pub login: String,
    /// Who writes.
    pub from: String,
    /// Who reads.
    pub to: Vec<String>,
    /// Certificate of an authority of the company's own, PEM.
    pub ca_file: Option<PathBuf>,
}

/// How the link to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Begun in the clear, protected before anything is said (587).
    StartTls,
    /// From the first byte (465).
    Tls,
    /// Not at all: a server on the same machine.
    None,
}

const TLS: &[(&str, MailTls)] = &[("starttls", MailTls::StartTls), ("tls", MailTls::Tls), ("none", MailTls::None)];
const SEVERITIES: &[(&str, Severity)] =
    &[("notice", Severity::Notice), ("warning", Severity::Warning), ("critical", Severity::Critical)];

/// An address of the web that we call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address; empty: it is a secret (`notify.webhook_url`, `heartbeat.url`).
    pub url: String,
    /// Whether it may lie in the local network.
    pub allow_private: bool,
    /// Networks in which it may lie.
    pub allow_networks: Vec<String>,
}

/// Where the daemon tells that it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The watch service.
    pub target: Target,
    /// Between two beats, s.
    pub every_s: u32,
}

pub(super) fn notify(over: &Over<'_>, root: &Table<'_>) -> Notify {
    let table = root.table("notify");
    let from = table.as_ref().and_then(|it| it.choice("level", SEVERITIES)).unwrap_or(Severity::Warning);
    let number = |name: &str, high: i64, default: u32| {
        over.number("notify", table.as_ref(), name, 0, high).and_then(|it| u32::try_from(it).ok()).unwrap_or(default)
    };
    let (pause_min, remind_h) = (number("pause_min", 1_440, 15), number("remind_h", 720, 24));
    let email = table.as_ref().and_then(|it| it.table("email")).and_then(|it| {
        let email = email(&it);
        it.close();
        email
    });
    let webhook = table.as_ref().and_then(|it| it.table("webhook")).map(|it| {
        let target = target(&it);
        it.close();
        target
    });
    table.into_iter().for_each(Table::close);
    Notify { from, pause_min, remind_h, email, webhook }
}

fn email(table: &Table<'_>) -> Option<Email> {
    let host = table.required_text("host").unwrap_or_default().to_owned();
    let tls = table.choice("tls", TLS).unwrap_or(MailTls::StartTls);
    let usual = match tls {
        MailTls::StartTls => 587,
        MailTls::Tls => 465,
        MailTls::None => 25,
    };
    let port = table.integer_in("port", 1, 65_535).and_then(|it| u16::try_from(it).ok()).unwrap_or(usual);
    let login = table.text("login").unwrap_or_default().to_owned();
    let from = table.required_text("from").unwrap_or_default().to_owned();
    if !from.is_empty() && from.parse::<Mailbox>().is_err() {
        table.report("from", Message::new("config-mailbox").with("text", &from));
    }
    let mut to = Vec::new();
    for (reader, line) in table.texts("to") {
        match reader.parse::<Mailbox>() {
            Ok(_) => to.push(reader.to_owned()),
            Err(_) => table.lint().report(line, Message::new("config-mailbox").with("text", reader)),
        }
    }
    if to.is_empty() {
        table.report("to", Message::new("config-mail-nobody"));
    }
    if tls == MailTls::None && !login.is_empty() {
        table.report("tls", Message::new("config-mail-plain"));
    }
    let ca_file = table.text("ca_file").map(PathBuf::from);
    Some(Email { host, port, tls, login, from, to, ca_file })
}

fn target(table: &Table<'_>) -> Target {
    let url = table.text("url").unwrap_or_default().to_owned();
    if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
        table.report("url", Message::new("config-target").with("url", &url));
    }
    let allow_private = table.boolean("allow_private").unwrap_or(false);
    let mut allow_networks = Vec::new();
    for (network, line) in table.texts("allow_networks") {
        match is_network(network) {
            true => allow_networks.push(network.to_owned()),
            false => table.lint().report(line, Message::new("config-proxy").with("proxy", network)),
        }
    }
    Target { url, allow_private, allow_networks }
}

pub(super) fn heartbeat(over: &Over<'_>, root: &Table<'_>) -> Option<Heartbeat> {
    let table = root.table("heartbeat")?;
    let target = target(&table);
    let every_s = over.number("heartbeat", Some(&table), "every_s", 10, 86_400);
    let every_s = every_s.and_then(|it| u32::try_from(it).ok()).unwrap_or(60);
    table.close();
    Some(Heartbeat { target, every_s })
}
