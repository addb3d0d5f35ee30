//! Tells people what is wrong, by every channel that is set up, each on its own: what one has told
//! is remembered in a small file of its own, so that a restart tells nothing twice.
//!
//! At least once: the file is written after the letter has arrived. Killed between the two, the
//! letter comes again, under the same id when it says the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::Ground;
use super::replace::replace;
use super::watch::Watch;
use crate::alarm::{Alarm, Condition, Notice, NoticeRules, Told};
use crate::base::limits::{NOTICE_GATHER_MS, NOTICE_RETRY_MAX_MS, WATCH_MS};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Clock, Locale, Message, Secret, Timestamp};
use crate::notify::{Channel, Letter, letter, trial};
use crate::outbox::{Jitter, schedule};
use crate::query::Query;

const VERSION: u32 = 1;

/// Ways out that fail: since when, and why. Shared with the watch.
#[derive(Debug, Clone, Default)]
pub struct Outward(Arc<Mutex<BTreeMap<CompactString, (Timestamp, Message)>>>);

impl Outward {
    /// Every way that fails.
    pub fn all(&self) -> Vec<(CompactString, Timestamp, Message)> {
        let failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failing.iter().map(|(name, (since, reason))| (name.clone(), *since, reason.clone())).collect()
    }

    /// A way fails. Since when is remembered from the first time on.
    pub fn fails(&self, name: &str, now: Timestamp, reason: Message) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = failing.entry(name.into()).or_insert_with(|| (now, reason.clone()));
        entry.1 = reason;
    }

    /// A way goes.
    pub fn goes(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// Who tells, in which words.
pub struct Notifier {
    channels: Vec<Arc<dyn Channel>>,
    /// Channels that are set up wrongly: name, why.
    broken: Vec<(&'static str, Message)>,
    rules: NoticeRules,
    company: String,
    locale: Locale,
    query: Query,
    clock: Arc<dyn Clock>,
    folder: PathBuf,
}

/// A channel, by its name, or why it cannot be used.
pub type MadeChannel = (&'static str, Result<Arc<dyn Channel>, Message>);

/// What a notifier is made of.
pub struct NotifierParts {
    /// Channels, or why there is none.
    pub channels: Vec<MadeChannel>,
    /// When people are told.
    pub rules: NoticeRules,
    /// Whose daemon it is.
    pub company: String,
    /// In which language people are told.
    pub locale: Locale,
    /// Writes instants in the company's zone.
    pub query: Query,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where it is remembered what was told.
    pub folder: PathBuf,
}

impl Notifier {
    /// Of its parts.
    pub fn new(parts: NotifierParts) -> Notifier {
        let NotifierParts { channels: all, rules, company, locale, query, clock, folder } = parts;
        let (mut channels, mut broken) = (Vec::new(), Vec::new());
        for (name, made) in all {
            match made {
                Ok(channel) => channels.push(channel),
                Err(reason) => broken.push((name, reason)),
            }
        }
        Notifier { channels, broken, rules, company, locale, query, clock, folder }
    }

    /// Sends one letter for trial by every channel: its name, and why it did not go.
    pub async fn trial(&self) -> Vec<(&'static str, Option<Message>)> {
        let mut came: Vec<(&'static str, Option<Message>)> =
            self.broken.iter().map(|(name, reason)| (*name, Some(reason.clone()))).collect();
        let id = format!("ntc_trial_{}", Secret::generate().expose());
        let letter = trial(id, &self.company, self.locale, self.clock.now());
        for channel in &self.channels {
            came.push((channel.name(), channel.send(&letter).await.err()));
        }
        came
    }

    /// The number of channels that can be used.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Says of channels that are set up wrongly that they fail.
    pub fn say_broken(&self, outward: &Outward) {
        for (name, reason) in &self.broken {
            outward.fails(name, self.clock.now(), reason.clone());
        }
    }

    fn letter(&self, notice: &Notice, at: Timestamp) -> Letter {
        letter(notice, &self.company, self.locale, at, &|instant| self.query.local(instant))
    }

    fn file(&self, channel: &str) -> PathBuf {
        self.folder.join(format!("told-{channel}.json"))
    }
}

/// The file, version 1.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    told: Told,
}

fn read(path: &Path) -> Told {
    let Ok(text) = std::fs::read(path) else { return Told::default() };
    match serde_json::from_slice::<Stored>(&text) {
        Ok(stored) if stored.version == VERSION => stored.told,
        Ok(_) | Err(_) => {
            warn!("what was told before does not read; what lasts is told anew");
            Told::default()
        }
    }
}

fn write(path: &Path, told: &Told) {
    let stored = serde_json::to_vec(&Stored { version: VERSION, told: told.clone() });
    if let Err(error) = stored.map_err(std::io::Error::from).and_then(|bytes| replace(path, &bytes)) {
        warn!(%error, "what was told cannot be remembered; after a restart it may be told again");
    }
}

/// Tells by the channel of that number, until the daemon stops.
pub async fn run(
    mut ground: Ground,
    notifier: Arc<Notifier>,
    number: usize,
    watch: Arc<Watch>,
    outward: Outward,
    metrics: Arc<Metrics>,
) {
    let Some(channel) = notifier.channels.get(number) else { return };
    let began = tokio::time::Instant::now();
    let path = notifier.file(channel.name());
    let mut told = read(&path);
    let (mut attempts, mut next_at) = (0u32, Timestamp::ZERO);
    loop {
        let is_end = ground.stopping();
        // A pipeline that failed ends the daemon: that is still told, without gathering.
        if is_end && ground.pipeline.failure().is_none() {
            return;
        }
        let now = ground.clock.now();
        let gather_ms = if is_end { 0 } else { NOTICE_GATHER_MS };
        let uptime_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let alarms = if is_end { last_look(&watch, now).await } else { watch.found() };
        let mine = alarms.map(|alarms| others(alarms, channel.name()));
        let notice = mine.and_then(|it| told.due(&it, NoticeRules { gather_ms, ..notifier.rules }, now, uptime_ms));
        if let Some(notice) = notice.filter(|_| now >= next_at || is_end) {
            let came = channel.send(&notifier.letter(&notice, now)).await;
            let result = if came.is_ok() { "sent" } else { "failed" };
            metrics.series(Metric::Notices, &[("channel", channel.name()), ("result", result)]).add(1);
            match came {
                Ok(()) => {
                    info!(notice.id = notice.id, notice.channel = channel.name(), "people were told what is wrong");
                    told.told(&notice, notifier.rules, ground.clock.now());
                    write(&path, &told);
                    outward.goes(channel.name());
                    (attempts, next_at) = (0, Timestamp::ZERO);
                }
                Err(reason) => {
                    attempts = attempts.saturating_add(1);
                    let now = ground.clock.now();
                    next_at = schedule(attempts, now, Jitter::NONE).min(now.plus_ms(NOTICE_RETRY_MAX_MS));
                    // What a mail server says may name the reader: the reason is shown, not logged.
                    warn!(notice.channel = channel.name(), attempts, reason = %reason.id, "people could not be told");
                    outward.fails(channel.name(), now, reason);
                }
            }
        }
        if is_end {
            return;
        }
        ground.rest(WATCH_MS).await;
    }
}

async fn last_look(watch: &Arc<Watch>, now: Timestamp) -> Option<Vec<Alarm>> {
    let watch = Arc::clone(watch);
    tokio::task::spawn_blocking(move || watch.look(now, None)).await.ok()?.ok()
}

/// What a channel tells: not of itself, for when it can, it works.
fn others(mut alarms: Vec<Alarm>, channel: &str) -> Vec<Alarm> {
    alarms.retain(|it| it.key.condition != Condition::NotifyFailed || it.key.subject != channel);
    alarms
}
