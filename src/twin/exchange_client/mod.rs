//! A 1C base that exchanges with a site: the HTTP client half of the CommerceML protocol.
//!
//! Source: facts/1c.md sections 1.1 to 1.7, 1.10, 1.11. Two profiles:
//! - [`Profile::Ut11`] (Управление торговлей 11): takes `init` only as exactly two lines, and an
//!   empty line after a trailing line feed counts; polls `import` without a pause; parses the body
//!   of a file's answer whatever its status; may be set not to wait for `import`;
//! - [`Profile::Unf`] (Управление нашей фирмой): lenient `init`, any status but 200 is a failure,
//!   `import*` first with a pause before every poll, one retry of a broken transfer.
//!
//! Both send Basic authorisation with every request and the cookie of `checkauth` themselves
//! (`Set-Cookie` is ignored), follow no redirect, concatenate the file name without escaping, cut
//! what exceeds `file_limit` into requests of the SAME name, and never repeat a part: after a
//! failure the whole leg comes again.

mod fault;

use std::io::{Cursor, Write as _};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE};

use crate::base::{Secret, limits};

pub use fault::{ExchangeFault, FaultCause};

/// Which configuration of 1C calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Управление торговлей 11.
    Ut11,
    /// Управление нашей фирмой.
    Unf,
}

/// What is exchanged: `type=` of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeType {
    /// Orders.
    Sale,
    /// Goods, prices, stock.
    Catalog,
}

impl ExchangeType {
    fn word(self) -> &'static str {
        match self {
            ExchangeType::Sale => "sale",
            ExchangeType::Catalog => "catalog",
        }
    }
}

/// How the base is set up beyond its profile.
#[derive(Debug, Clone)]
pub struct ExchangeOptions {
    /// Whether it waits for `import`. When not, `import` is never called (fire and forget).
    pub wait_for_import: bool,
    /// Whether it appends the session id of `checkauth` to later requests.
    pub send_sessid: bool,
    /// Whether the site is of the Bitrix flavour (UNF: needs two lines of `init`, appends line 4).
    pub bitrix_flavour: bool,
    /// Subordinate documents (UNF, Bitrix flavour): `init` carries a version, and orders are
    /// imported by `mode=import` too.
    pub subordinate_documents: bool,
    /// Polls of `import` per file. The real 1C polls for ever; above, the twin gives up.
    pub polls_max: u32,
    /// The pause before each poll.
    pub poll_pause_ms: u64,
    /// The name of the archive: 1C draws it (`v8_XXXX_xx.zip`), the caller here.
    pub archive_name: String,
    /// Limit of one request.
    pub timeout_ms: u64,
}

impl ExchangeOptions {
    /// What the profile does out of the box. Tests of UNF set `poll_pause_ms` to 0.
    pub fn of(profile: Profile) -> ExchangeOptions {
        let (poll_pause_ms, timeout_ms) = match profile {
            Profile::Ut11 => (0, 180_000),
            Profile::Unf => (5_000, 1_800_000),
        };
        ExchangeOptions {
            wait_for_import: true,
            send_sessid: true,
            bitrix_flavour: true,
            subordinate_documents: false,
            polls_max: 1_000,
            poll_pause_ms,
            archive_name: "v8_6F3A_1c.zip".to_owned(),
            timeout_ms,
        }
    }
}

/// One request and its answer, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `GET ?type=sale&mode=init`; the session id is left out.
    pub request: String,
    /// Bytes sent.
    pub sent_bytes: usize,
    /// The status.
    pub status: u16,
    /// The first line of the answer, trimmed and in lower case, as 1C compares it.
    pub first_line: String,
    /// The answer, cut.
    pub reply: String,
}

/// What was said, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// The requests.
    pub steps: Vec<Step>,
}

impl Transcript {
    /// The requests and first lines, one a line: `GET ?type=sale&mode=checkauth -> success`.
    pub fn text(&self) -> String {
        self.steps.iter().map(|step| format!("{} -> {}\n", step.request, step.first_line)).collect()
    }
}

/// A base of 1C with the settings of its exchange node.
#[derive(Debug)]
pub struct ExchangeClient {
    address: String,
    login: String,
    password: Secret,
    profile: Profile,
    /// Settings beyond the profile; change them before a leg.
    pub options: ExchangeOptions,
    http: reqwest::Client,
}

impl ExchangeClient {
    /// A base that exchanges with the script at `base_url`. A bare host gets Bitrix's usual path,
    /// as 1C does it.
    pub fn new(
        base_url: &str,
        login: &str,
        password: Secret,
        profile: Profile,
    ) -> Result<ExchangeClient, ExchangeFault> {
        let options = ExchangeOptions::of(profile);
        let http = crate::twin::http_client(options.timeout_ms).map_err(|error| ExchangeFault {
            cause: FaultCause::Transport(error),
            transcript: Transcript::default(),
        })?;
        let has_path =
            base_url.split_once("://").map_or(base_url, |(_, rest)| rest).trim_end_matches('/').contains('/');
        let address = match has_path {
            true => base_url.to_owned(),
            false => format!("{}/bitrix/admin/1c_exchange.php", base_url.trim_end_matches('/')),
        };
        Ok(ExchangeClient { address, login: login.to_owned(), password, profile, options, http })
    }

    /// One leg of upload: `checkauth`, `init`, the files in the order given, then `import` of each
    /// XML file where the profile calls it.
    pub async fn upload(&self, of: ExchangeType, files: &[(String, Vec<u8>)]) -> Result<Transcript, ExchangeFault> {
        let mut leg = Leg::new(self, of);
        let done = leg.upload(files).await;
        leg.finish(done).map(|((), transcript)| transcript)
    }

    /// One leg of download: `checkauth`, `query`, and `success` when `confirm` is set. Without it
    /// the leg breaks off before the commit point, and the site must offer the same orders again.
    pub async fn download(&self, confirm: bool) -> Result<(Vec<u8>, Transcript), ExchangeFault> {
        let mut leg = Leg::new(self, ExchangeType::Sale);
        let done = leg.download(confirm).await;
        leg.finish(done)
    }
}

/// One leg: its own session.
struct Leg<'a> {
    client: &'a ExchangeClient,
    of: ExchangeType,
    cookie: Option<String>,
    /// Appended to every request after `checkauth`.
    suffix: String,
    transcript: Transcript,
}

struct Init {
    zip: bool,
    file_limit: Option<usize>,
}

struct Reply {
    status: u16,
    text: String,
    bytes: Vec<u8>,
}

impl Reply {
    fn first_line(&self) -> String {
        self.text.lines().next().unwrap_or("").trim().to_lowercase()
    }

    fn shown(&self) -> String {
        self.text.chars().take(300).collect()
    }
}

impl<'a> Leg<'a> {
    fn new(client: &'a ExchangeClient, of: ExchangeType) -> Leg<'a> {
        Leg { client, of, cookie: None, suffix: String::new(), transcript: Transcript::default() }
    }

    fn finish<T>(self, done: Result<T, FaultCause>) -> Result<(T, Transcript), ExchangeFault> {
        match done {
            Ok(value) => Ok((value, self.transcript)),
            Err(cause) => Err(ExchangeFault { cause, transcript: self.transcript }),
        }
    }

    async fn upload(&mut self, files: &[(String, Vec<u8>)]) -> Result<(), FaultCause> {
        self.check_auth().await?;
        let init = self.init().await?;
        match init.zip {
            true => {
                let archive = pack(files).map_err(FaultCause::Archive)?;
                let name = self.client.options.archive_name.clone();
                self.send_file(&name, &archive, init.file_limit).await?;
            }
            false => {
                for (name, bytes) in files {
                    self.send_file(name, bytes, init.file_limit).await?;
                }
            }
        }
        if self.calls_import() {
            for name in self.import_order(files) {
                self.import(&name).await?;
            }
        }
        Ok(())
    }

    async fn download(&mut self, confirm: bool) -> Result<Vec<u8>, FaultCause> {
        self.check_auth().await?;
        let reply = self.get("mode=query").await?;
        let text_start = self.client.profile == Profile::Unf && reply.text.starts_with("<КоммерческаяИнформация");
        if !(reply.bytes.starts_with(b"PK") || reply.bytes.starts_with(b"<?xml") || text_start) {
            return Err(FaultCause::OrdersUnreadable { reply: reply.shown() });
        }
        if confirm {
            let confirmed = self.get("mode=success").await?;
            if self.client.profile == Profile::Unf && confirmed.first_line().starts_with("failure") {
                return Err(FaultCause::ConfirmationRefused { reply: confirmed.shown() });
            }
        }
        Ok(reply.bytes)
    }

    async fn check_auth(&mut self) -> Result<(), FaultCause> {
        let reply = self.get("mode=checkauth").await?;
        let lines: Vec<&str> = reply.text.split('\n').map(str::trim).collect();
        let (Some(name), Some(value)) = (lines.get(1), lines.get(2)) else {
            return Err(FaultCause::NotAuthorised { reply: reply.shown() });
        };
        if reply.first_line() != "success" {
            return Err(FaultCause::NotAuthorised { reply: reply.shown() });
        }
        self.cookie = Some(format!("{name}={value}"));
        let line = lines.get(3).copied().unwrap_or("");
        let options = &self.client.options;
        self.suffix = match self.client.profile {
            Profile::Ut11 if options.send_sessid && !line.is_empty() => {
                format!("&sessid={}", line.replace("sessid=", ""))
            }
            Profile::Unf if options.bitrix_flavour && options.send_sessid && !line.is_empty() => format!("&{line}"),
            Profile::Ut11 | Profile::Unf => String::new(),
        };
        Ok(())
    }

    async fn init(&mut self) -> Result<Init, FaultCause> {
        let versioned = self.uses_versions();
        let reply = self.get(if versioned { "mode=init&version=2.09&cmlVersion=2.10" } else { "mode=init" }).await?;
        let read = match self.client.profile {
            Profile::Ut11 => read_init_ut11(&reply.text),
            Profile::Unf => read_init_unf(&reply.text, self.client.options.bitrix_flavour),
        };
        read.ok_or_else(|| FaultCause::BadInit { reply: reply.shown() })
    }

    fn uses_versions(&self) -> bool {
        let options = &self.client.options;
        self.client.profile == Profile::Unf && options.bitrix_flavour && options.subordinate_documents
    }

    /// Catalogues are imported; orders only in the versioned dialect.
    fn calls_import(&self) -> bool {
        let wanted = match self.of {
            ExchangeType::Catalog => true,
            ExchangeType::Sale => self.uses_versions(),
        };
        wanted && self.client.options.wait_for_import
    }

    fn import_order(&self, files: &[(String, Vec<u8>)]) -> Vec<String> {
        let mut names: Vec<String> =
            files.iter().map(|(name, _)| name.clone()).filter(|name| name.to_lowercase().ends_with(".xml")).collect();
        if self.client.profile == Profile::Unf {
            names.sort_by_key(|name| !name.starts_with("import"));
        }
        names
    }

    /// Parts have one name and no number. A limit of 0 or less means no cutting.
    async fn send_file(&mut self, name: &str, bytes: &[u8], file_limit: Option<usize>) -> Result<(), FaultCause> {
        let part_bytes = file_limit.unwrap_or(bytes.len()).max(1);
        let parts: Vec<&[u8]> = if bytes.is_empty() { vec![bytes] } else { bytes.chunks(part_bytes).collect() };
        for part in parts {
            let reply = self.request(&format!("mode=file&filename={name}"), Some(part)).await?;
            if reply.first_line() != "success" {
                return Err(FaultCause::FileRefused { file: name.to_owned(), reply: reply.shown() });
            }
        }
        Ok(())
    }

    async fn import(&mut self, name: &str) -> Result<(), FaultCause> {
        let file = name.to_owned();
        // Bound: `polls_max`; then the twin gives up where the real 1C would go on.
        for _ in 0..self.client.options.polls_max {
            if self.client.options.poll_pause_ms > 0 {
                tokio::time::sleep(Duration::from_millis(self.client.options.poll_pause_ms)).await;
            }
            let reply = self.get(&format!("mode=import&filename={name}")).await?;
            match reply.first_line().as_str() {
                "success" => return Ok(()),
                "progress" => {}
                "failure" => return Err(FaultCause::ImportRefused { file, reply: reply.shown() }),
                _ => return Err(FaultCause::ImportUnknown { file, reply: reply.shown() }),
            }
        }
        Err(FaultCause::ImportEndless { file, polls: self.client.options.polls_max })
    }

    async fn get(&mut self, query: &str) -> Result<Reply, FaultCause> {
        self.request(query, None).await
    }

    async fn request(&mut self, query: &str, body: Option<&[u8]>) -> Result<Reply, FaultCause> {
        let sent = self.send(query, body).await;
        let sent = match sent {
            // UNF repeats a broken transfer once; nothing else is ever repeated.
            Err(error) if self.client.profile == Profile::Unf && (error.is_body() || error.is_decode()) => {
                self.send(query, body).await
            }
            other => other,
        };
        let verb = if body.is_some() { "POST" } else { "GET" };
        let request = format!("{verb} ?type={}&{query}", self.of.word());
        let sent_bytes = body.map_or(0, <[u8]>::len);
        let reply = match sent {
            Ok(reply) => reply,
            Err(error) => {
                let (first_line, reply) = (String::new(), String::new());
                self.transcript.steps.push(Step { request, sent_bytes, status: 0, first_line, reply });
                return Err(FaultCause::Transport(error));
            }
        };
        self.transcript.steps.push(Step {
            request,
            sent_bytes,
            status: reply.status,
            first_line: reply.first_line(),
            reply: reply.shown(),
        });
        match (self.client.profile, reply.status) {
            (Profile::Unf, status) if status != 200 => Err(FaultCause::Status { status }),
            (Profile::Ut11 | Profile::Unf, _) if reply.bytes.is_empty() => Err(FaultCause::EmptyBody),
            (Profile::Ut11 | Profile::Unf, _) => Ok(reply),
        }
    }

    async fn send(&self, query: &str, body: Option<&[u8]>) -> Result<Reply, reqwest::Error> {
        let separator = if self.client.address.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}type={}&{query}{}", self.client.address, self.of.word(), self.suffix);
        let request = match body {
            Some(bytes) => self.client.http.post(url).body(bytes.to_vec()),
            None => self.client.http.get(url),
        };
        let request = request
            .basic_auth(&self.client.login, Some(self.client.password.expose()))
            .timeout(Duration::from_millis(self.client.options.timeout_ms));
        let request = match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("").to_owned();
        let mut bytes = response.bytes().await?.to_vec();
        bytes.truncate(limits::ANSWER_BYTES_MAX);
        let text = decode(&bytes, &content_type);
        Ok(Reply { status, text, bytes })
    }
}

/// Exactly two lines, and an empty one after a trailing line feed counts.
fn read_init_ut11(reply: &str) -> Option<Init> {
    let lines: Vec<&str> = reply.split('\n').map(str::trim).collect();
    let [zip, limit] = lines.as_slice() else {
        return None;
    };
    let zip = match zip.to_lowercase().as_str() {
        "zip=yes" => true,
        "zip=no" => false,
        _ => return None,
    };
    let limit: i64 = limit.to_lowercase().strip_prefix("file_limit=")?.trim().parse().ok()?;
    Some(Init { zip, file_limit: usize::try_from(limit).ok().filter(|it| *it > 0) })
}

/// Two lines for the Bitrix flavour, one for others; a limit that does not read means no cutting.
fn read_init_unf(reply: &str, bitrix_flavour: bool) -> Option<Init> {
    let lines: Vec<&str> = reply.lines().map(str::trim).collect();
    let lines_min = if bitrix_flavour { 2 } else { 1 };
    if lines.len() < lines_min || !lines.first()?.to_lowercase().starts_with("zip=") {
        return None;
    }
    let zip = lines.first()?.to_lowercase() == "zip=yes";
    let limit = lines.get(1).and_then(|it| it.to_lowercase().strip_prefix("file_limit=")?.trim().parse::<usize>().ok());
    Some(Init { zip, file_limit: limit.filter(|it| *it > 0) })
}

/// By the charset of the content type, otherwise UTF-8; what does not read so is windows-1251.
fn decode(bytes: &[u8], content_type: &str) -> String {
    let label = content_type.to_ascii_lowercase();
    let label = label.split_once("charset=").map_or("utf-8", |(_, label)| label.trim_matches(['"', ' ', ';']));
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    // A byte order mark stays and spoils the first line, as 1.1 warns.
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    match broken {
        true => encoding_rs::WINDOWS_1251.decode(bytes).0.into_owned(),
        false => text.into_owned(),
    }
}

/// All files, relative paths kept, in one archive.
fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), zip::write::SimpleFileOptions::default())?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ut11_takes_init_as_exactly_two_lines() {
        let check = |reply: &str, expected: Option<(bool, Option<usize>)>| {
            let read = read_init_ut11(reply).map(|it| (it.zip, it.file_limit));
            assert_eq!(read, expected, "{reply:?}");
        };
        check("zip=yes\nfile_limit=204800", Some((true, Some(204_800))));
        check("zip=no\r\nfile_limit=0", Some((false, None)));
        check("ZIP=YES\nfile_limit=-1", Some((true, None)));
        check("zip=yes\nfile_limit=204800\n", None);
        check("zip=yes", None);
        check("zip=yes\nfile_limit=a", None);
        check("zip=yes\nfile_limit=1\nsessid=x\nversion=2.09", None);
        check("<html>\nzip=yes", None);
    }

    #[test]
    fn unf_is_lenient() {
        let check = |reply: &str, bitrix: bool, expected: Option<(bool, Option<usize>)>| {
            let read = read_init_unf(reply, bitrix).map(|it| (it.zip, it.file_limit));
            assert_eq!(read, expected, "{reply:?}");
        };
        check("zip=yes\nfile_limit=10\n", true, Some((true, Some(10))));
        check("zip=no", true, None);
        check("zip=no", false, Some((false, None)));
        check("zip=no\nfile_limit=many", true, Some((false, None)));
        check("failure", false, None);
    }
}
