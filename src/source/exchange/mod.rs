//! The server half of the 1C exchange with a site (`checkauth`, `init`, `file`, `import`, `query`,
//! `success`), apart from any HTTP framework.
//!
//! 1C is always the caller. It uploads files in chunks of the same name, in order, without a mark
//! at the end; the end shows in the bytes (the end tag of the root, the end record of a zip), or
//! by `import`, or by silence. Promises:
//!
//! - a chunk is on the disk (`fdatasync`) before it is answered `success`;
//! - a file becomes an envelope of the journal as soon as it is complete, because orders of the
//!   older dialect and a catalogue "without waiting" are never followed by `import`;
//! - an interrupted upload is found again at start and finished by [`Exchange::finish_idle`];
//! - `import` answers `progress` until the pipeline has applied the file, and says the same again
//!   however often it is asked;
//! - the same file sent again carries the same idempotency key.
//!
//! The first line of every answer is ASCII; text after it is UTF-8, declared in the content type.
//! The status is always 200: 1C reads the body. `init` does not end with a line end, because 1C
//! would count one more line.
//!
//! Not here: pictures (accepted and dropped), offers of orders to 1C (`query` answers a valid
//! empty file).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::base::limits::{
    EXCHANGE_ACTIVE_MS, EXCHANGE_IDLE_MS, EXCHANGE_IMPORT_WAIT_MS, EXCHANGE_SESSION_AGE_MS, EXCHANGE_SESSIONS_MAX,
};
use crate::base::{Clock, Locale, Message, Position, Secret, Slug, Timestamp};
use crate::journal::Journal;

mod login;
mod progress;
mod reply;
mod request;
mod session;
mod spool;
mod upload;

pub use progress::{ImportCounts, ImportProgress, Progress};
pub use reply::ExchangeReply;
pub use request::{Chunk, ExchangeRequest, Frames, RequestBody, WholeBody, parse_query};

use login::{Credentials, Logins};
use session::{Session, Sessions, Slot};

/// Header note of an envelope: the file's name as 1C gave it.
pub const NOTE_FILE: &str = "file";
/// Header note of an envelope: `catalog` or `sale`.
pub const NOTE_TYPE: &str = "type";
/// Header note of an envelope: names the session without giving its secret away.
pub const NOTE_SESSION: &str = "session";
/// Header note of an envelope: version of the schema, where the file says it at its beginning.
pub const NOTE_SCHEMA: &str = "schema";
/// Header note of an envelope: `yes` when the end of the file was seen, else `no`.
pub const NOTE_COMPLETE: &str = "complete";

/// Settings of one connection.
#[derive(Debug, Clone)]
pub struct ExchangeSettings {
    /// Name of the connection in the settings file.
    pub connection: Slug,
    /// Its connector.
    pub connector: Slug,
    /// Login that 1C uses.
    pub login: String,
    /// Its password.
    pub password: Secret,
    /// What `init` announces as the largest chunk, bytes.
    pub file_limit: usize,
    /// Whether `init` asks for a zip.
    pub zip: bool,
    /// Language of the texts that 1C shows to its user.
    pub locale: Locale,
}

/// Why the exchange could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExchangeError {
    /// Which folder, and what to do.
    pub message: Message,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

/// The server half of the exchange for one connection.
pub struct Exchange {
    settings: ExchangeSettings,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    progress: Arc<dyn Progress>,
    credentials: Credentials,
    logins: Logins,
    sessions: Sessions,
}

/// What one request is answered with.
enum Answer {
    Lines(Vec<String>),
    Xml(String),
}

impl Exchange {
    /// Opens the spool folder and takes up what an earlier run left there.
    pub fn new(
        settings: ExchangeSettings,
        spool: PathBuf,
        journal: Arc<dyn Journal>,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
    ) -> Result<Exchange, ExchangeError> {
        let sessions = Sessions::open(spool, clock.now())?;
        let credentials = Credentials::new(&settings.login, &settings.password);
        Ok(Exchange { settings, journal, clock, progress, credentials, logins: Logins::default(), sessions })
    }

    /// Answers one request.
    pub async fn handle(&self, mut request: ExchangeRequest) -> ExchangeReply {
        let mode = request.param("mode").unwrap_or_default().trim().to_ascii_lowercase();
        let answer = match mode.as_str() {
            "checkauth" => self.check_auth(&request).await,
            _ => self.dispatch(&mode, &mut request).await,
        };
        match answer {
            Ok(Answer::Lines(lines)) => ExchangeReply::text(lines.join("\n")),
            Ok(Answer::Xml(xml)) => ExchangeReply::xml(xml),
            Err(refusal) => {
                let connection = &self.settings.connection;
                warn!(connection = %connection, mode, reason = %refusal.id, "1C exchange of {connection} refused a request");
                ExchangeReply::failure(&refusal.render(self.settings.locale))
            }
        }
    }

    /// Finishes uploads that have had no new chunk for a while, and forgets old sessions. Returns
    /// how many files were journalled; called by a reconciler.
    pub async fn finish_idle(&self, now: Timestamp) -> Result<usize, Message> {
        let mut journalled = 0;
        for slot in self.sessions.all() {
            let idle_ms = now.ms_since(slot.used_at());
            if idle_ms < EXCHANGE_IDLE_MS {
                continue;
            }
            let mut session = slot.lock().await;
            journalled += self.finish_session(&mut session).await?;
            if idle_ms >= EXCHANGE_SESSION_AGE_MS {
                self.sessions.forget(&mut session);
            }
        }
        Ok(journalled)
    }

    async fn finish_session(&self, session: &mut Session) -> Result<usize, Message> {
        let mut journalled = 0;
        while !session.uploads.is_empty() {
            self.journal_upload(session, 0).await?;
            journalled += 1;
        }
        Ok(journalled)
    }

    async fn check_auth(&self, request: &ExchangeRequest) -> Result<Answer, Message> {
        let now = self.clock.now();
        self.logins.check(&self.credentials, request, now)?;
        self.make_room(now).await?;
        let id = Secret::generate().expose().to_owned();
        self.sessions.create(&id, now);
        let lines = vec!["success".into(), reply::COOKIE.into(), id.clone(), format!("sessid={id}")];
        Ok(Answer::Lines(lines))
    }

    /// Sessions are bounded: the one used longest ago goes, after its uploads are journalled; one
    /// that is at work does not.
    async fn make_room(&self, now: Timestamp) -> Result<(), Message> {
        while self.sessions.count() >= EXCHANGE_SESSIONS_MAX {
            let oldest = self.sessions.all().into_iter().min_by_key(|slot| slot.used_at());
            let Some(oldest) = oldest.filter(|slot| now.ms_since(slot.used_at()) >= EXCHANGE_ACTIVE_MS) else {
                return Err(Message::new("exchange-sessions").with("max", EXCHANGE_SESSIONS_MAX));
            };
            let mut session = oldest.lock().await;
            self.finish_session(&mut session).await?;
            self.sessions.forget(&mut session);
        }
        Ok(())
    }

    /// The session of a request: by cookie, by `sessid`, or, when 1C has lost both, the common one
    /// of whoever knows the password.
    async fn session(&self, request: &ExchangeRequest) -> Result<Arc<Slot>, Message> {
        let now = self.clock.now();
        let given = request.session_id(reply::COOKIE);
        let known = given.as_deref().and_then(|id| self.sessions.find(id));
        if request.authorization.is_some() || known.is_none() {
            self.logins.check(&self.credentials, request, now)?;
        }
        let slot = match (known, given) {
            (Some(slot), _) => slot,
            // The session was forgotten (a restart): the password is right, so it goes on.
            (None, Some(id)) if session::is_id(&id) => {
                self.make_room(now).await?;
                self.sessions.create(&id, now)
            }
            (None, Some(_) | None) => match self.sessions.find(session::COMMON) {
                Some(slot) => slot,
                None => {
                    self.make_room(now).await?;
                    self.sessions.create(session::COMMON, now)
                }
            },
        };
        slot.touch(now);
        Ok(slot)
    }

    async fn dispatch(&self, mode: &str, request: &mut ExchangeRequest) -> Result<Answer, Message> {
        let slot = self.session(request).await?;
        let kind = request.param("type").unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(kind.as_str(), "catalog" | "sale") {
            return Err(Message::new("exchange-type").with("type", kind));
        }
        match mode {
            "init" => self.init(&slot, request).await,
            "file" => {
                let mut session = slot.lock().await;
                self.file(&mut session, &kind, request).await?;
                slot.touch(self.clock.now());
                Ok(success())
            }
            "import" => self.import(&slot, request).await,
            "query" if kind == "sale" => {
                let version = slot.lock().await.version.clone();
                Ok(Answer::Xml(reply::no_orders(version.as_deref(), self.clock.now())))
            }
            "info" if kind == "sale" => Ok(Answer::Xml(reply::NO_DICTIONARY.to_owned())),
            "success" | "deactivate" | "complete" => Ok(success()),
            _ => Err(Message::new("exchange-mode").with("type", kind).with("mode", mode)),
        }
    }

    async fn init(&self, slot: &Slot, request: &ExchangeRequest) -> Result<Answer, Message> {
        let mut session = slot.lock().await;
        // Whatever is complete is kept; the rest begins anew, as 1C will.
        while let Some(upload) = session.uploads.first() {
            match upload.looks_complete() {
                true => drop(self.journal_upload(&mut session, 0).await?),
                false => session.drop_upload(0),
            }
        }
        session.forget_journalled();
        let mut lines = vec![
            format!("zip={}", if self.settings.zip { "yes" } else { "no" }),
            format!("file_limit={}", self.settings.file_limit),
        ];
        // UT 11 takes exactly two lines; the others are for those who ask.
        if let Some(version) = request.param("version") {
            let version = reply::version(version);
            lines.push(format!("sessid={}", session.id));
            lines.push(format!("version={version}"));
            session.version = Some(version);
        }
        Ok(Answer::Lines(lines))
    }

    async fn import(&self, slot: &Slot, request: &ExchangeRequest) -> Result<Answer, Message> {
        let file = request.param("filename").map(upload::clean_name).transpose()?;
        let positions = self.positions(slot, file.as_deref()).await?;
        let mut total = ImportCounts::default();
        let deadline = Instant::now() + Duration::from_millis(EXCHANGE_IMPORT_WAIT_MS);
        for position in positions {
            match self.wait(position, deadline).await {
                ImportProgress::Waiting => return Ok(self.still(Message::new("exchange-waiting"))),
                ImportProgress::Applying { done, total } => {
                    return Ok(self.still(Message::new("exchange-applying").with("done", done).with("total", total)));
                }
                ImportProgress::Done(counts) => total.add(&counts),
                ImportProgress::Failed(message) => return Err(message),
            }
        }
        let mut lines = vec!["success".to_owned()];
        lines.extend(total.lines().into_iter().map(|line| line.render(self.settings.locale)));
        Ok(Answer::Lines(lines))
    }

    fn still(&self, message: Message) -> Answer {
        Answer::Lines(vec!["progress".to_owned(), message.render(self.settings.locale)])
    }

    /// Where the named file is in the journal; every file of the session without a name.
    async fn positions(&self, slot: &Slot, file: Option<&str>) -> Result<Vec<Position>, Message> {
        let mut session = slot.lock().await;
        let Some(file) = file else {
            self.finish_session(&mut session).await?;
            return Ok(session.journalled.iter().map(|it| it.position).collect());
        };
        if let Some(index) = session.uploads.iter().position(|upload| upload.is(file)) {
            let position = self.journal_upload(&mut session, index).await?;
            return Ok(position.or_else(|| session.position_of(file)).into_iter().collect());
        }
        if let Some(position) = session.position_of(file) {
            return Ok(vec![position]);
        }
        // `import` names a member of the archive, never the archive: it may still be open.
        while let Some(index) = session.uploads.iter().position(upload::Upload::is_archive) {
            self.journal_upload(&mut session, index).await?;
        }
        let found = session.position_of(file);
        drop(session);
        match found.or_else(|| self.sessions.position_elsewhere(file)) {
            Some(position) => Ok(vec![position]),
            None => Err(Message::new("exchange-unknown-file").with("file", file)),
        }
    }

    /// Waits until the envelope is applied, or for a while: UT 11 asks again without any delay.
    async fn wait(&self, position: Position, deadline: Instant) -> ImportProgress {
        let mut changes = self.progress.subscribe();
        loop {
            changes.borrow_and_update();
            let state = self.progress.of(position);
            match state {
                ImportProgress::Waiting | ImportProgress::Applying { .. } => {}
                ImportProgress::Done(_) | ImportProgress::Failed(_) => return state,
            }
            let changed = timeout_at(deadline, changes.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return state;
            }
        }
    }
}

fn success() -> Answer {
    Answer::Lines(vec!["success".to_owned()])
}
