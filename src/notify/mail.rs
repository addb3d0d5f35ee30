//! By e-mail: one letter in plain text to everybody on the list.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message as Mime, Tokio1Executor};

use super::{Channel, Letter};
use crate::base::limits::NOTICE_TIMEOUT_MS;
use crate::base::{Message, Secret};
use crate::config::{Email, MailTls};
use crate::net::Boxed;

/// Characters of what the mail server said that are kept.
const REASON_CHARS_MAX: usize = 200;

/// Mail by SMTP.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    host: String,
}

impl Mail {
    /// Over the mail server of the settings. Nothing is dialled yet.
    pub fn new(settings: &Email, password: Option<&Secret>) -> Result<Mail, Message> {
        let mailbox =
            |text: &String| text.parse::<Mailbox>().map_err(|_| Message::new("config-mailbox").with("text", text));
        let tls = match settings.tls {
            MailTls::None => Tls::None,
            MailTls::StartTls => Tls::Required(parameters(settings)?),
            MailTls::Tls => Tls::Wrapper(parameters(settings)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(Duration::from_millis(NOTICE_TIMEOUT_MS)));
        if !settings.login.is_empty() {
            let password = password.ok_or_else(|| Message::new("notify-no-password"))?;
            builder = builder.credentials(Credentials::new(settings.login.clone(), password.expose().to_owned()));
        }
        Ok(Mail {
            transport: builder.build(),
            from: mailbox(&settings.from)?,
            to: settings.to.iter().map(mailbox).collect::<Result<_, _>>()?,
            host: settings.host.clone(),
        })
    }

    fn mime(&self, letter: &Letter) -> Result<Mime, Message> {
        let domain = self.from.email.domain();
        let mut builder = Mime::builder()
            .from(self.from.clone())
            .subject(&letter.subject)
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .date(std::time::SystemTime::from(letter.at.to_jiff()))
            .header(ContentType::TEXT_PLAIN);
        for reader in &self.to {
            builder = builder.to(reader.clone());
        }
        let built = builder.body(letter.text.clone());
        let mut mime = built.map_err(|error| self.failed(&error))?;
        // Nobody's "I am on holiday" is to answer it.
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        mime.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
        Ok(mime)
    }

    fn failed(&self, error: &dyn std::error::Error) -> Message {
        let mut innermost = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let detail: String = innermost.to_string().chars().take(REASON_CHARS_MAX).collect();
        Message::new("notify-mail").with("host", &self.host).with("detail", detail)
    }
}

fn parameters(settings: &Email) -> Result<TlsParameters, Message> {
    let unusable = |path: String, detail: String| Message::new("app-path").with("path", path).with("detail", detail);
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let shown = path.display().to_string();
        let pem = std::fs::read(path).map_err(|error| unusable(shown.clone(), error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(shown, error.to_string()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| Message::new("notify-mail").with("host", &settings.host).with("detail", error))
}

impl Channel for Mail {
    fn name(&self) -> &'static str {
        "email"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> Boxed<'a, Result<(), Message>> {
        Box::pin(async move {
            let mime = self.mime(letter)?;
            let limit = Duration::from_millis(2 * NOTICE_TIMEOUT_MS);
            match tokio::time::timeout(limit, self.transport.send(mime)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(self.failed(&error)),
                Err(late) => Err(self.failed(&late)),
            }
        })
    }
}
