//! The second half of an erasure: files. The first half, a command that takes the person out of
//! the rows, is applied at once; the files are cleaned when the folder is next opened, before
//! anything else has them open. Until then the mark `erasures/pending` stands.
//!
//! In this order, each step safe to repeat, so that a kill anywhere is made good by the next start:
//!
//! 1. The store catches up; a snapshot behind the command is made and verified. It no longer knows
//!    the person, and everything from here on can be made of it.
//! 2. The journal is looked through. Bodies of several people are blanked where they speak of this
//!    one and written under new names; then entries are replaced, segment by segment: an envelope of
//!    this person alone loses body and headers; attempts lose what was sent; positions stay.
//! 3. Bodies that no entry names, older snapshots and damaged stores that were set aside go; the
//!    store is made anew from the snapshot, for sled keeps removed rows in its files.
//! 4. The receipt: what was erased where, with no personal data; and a line in the list that
//!    restores of older backups apply again. The mark goes.
//!
//! From then on a rebuild begins at that snapshot or a later one: the blanked journal from its
//! first entry gives rows without the person, but not the same counters.
//!
//! Not here: foreign systems (the command names what they hold), backups made before, free blocks
//! of the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Cursor, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::info;

use super::error::Told;
use super::folder::unusable;
use super::keeping::{fill_from_snapshot, open_store};
use super::{ConfigurationFolder, Core, Folder};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{ERASE_BODY_BYTES_MAX, INLINE_BODY_BYTES_MAX, MICRO_BATCH_ENTRIES_MAX};
use crate::base::{ClientId, Clock, Message, Position};
use crate::catalog::Catalog;
use crate::config::Settings;
use crate::entry::{AttemptResult, Body, Command, Commanded, Entry, ObjectRef, Received};
use crate::journal::{self, Journal, NewEntry, Options, RealDisk, Segments};
use crate::pipeline::erase::{self, Wanted, Which};
use crate::pipeline::{Configurations as _, apply_all, snapshot};
use crate::tables::rows::ErasureRow;
use crate::tables::{Meta, Reader};
use crate::task::keep::ERASURE_PENDING;

/// What was erased where. No personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The command, by its position.
    pub position: u64,
    /// When the command was applied, UTC.
    pub commanded_at: String,
    /// When the files were clean, UTC.
    pub finished_at: String,
    /// The client, and those merged into it.
    pub clients: Vec<String>,
    /// Deals, interactions and tasks that went.
    pub objects: Vec<String>,
    /// Entries of the journal of which nothing is left but that they came.
    pub entries_emptied: Vec<u64>,
    /// Entries of several people in which this one was blanked: entry, records.
    pub entries_blanked: Vec<(u64, Vec<u32>)>,
    /// Entries of deliveries that lost what was sent.
    pub attempts: Vec<u64>,
    /// Files of bodies that went.
    pub bodies: usize,
    /// Snapshots that went.
    pub snapshots: usize,
    /// The snapshot from which everything is made now.
    pub snapshot: u64,
}

/// One line of the list that restores apply again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The command, by its position.
    pub position: u64,
    /// The client.
    pub client: String,
    /// Hashes of what identifies the person.
    pub marks: Vec<Fingerprint>,
    /// Goes into the hashes.
    pub salt: [u8; 16],
}

const LIST: &str = "list.json";

/// What has just been done of an erasure's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A snapshot that no longer knows the person is there.
    Snapshot,
    /// Bodies of several people were blanked, under new names.
    Blanked,
    /// The journal was written anew.
    Journal,
    /// Bodies that no entry names are gone.
    Bodies,
    /// Older snapshots are gone.
    Snapshots,
    /// The store is gone.
    NoStore,
    /// The store was made anew.
    Store,
    /// One erasure is on the list that restores apply.
    Listed,
    /// Its receipt is written.
    Receipt,
    /// The mark is gone: all is done.
    Done,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; 10] = [
        Step::Snapshot,
        Step::Blanked,
        Step::Journal,
        Step::Bodies,
        Step::Snapshots,
        Step::NoStore,
        Step::Store,
        Step::Listed,
        Step::Receipt,
        Step::Done,
    ];
}

/// Cleans the files of a folder that nobody has open, where an erasure waits for it.
pub(super) fn finish(folder: &Folder, settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<()> {
    finish_by_steps(folder, settings, clock, &mut |_| Ok(()))
}

/// The same; `after` is told of each step done, and its error leaves everything as it then is:
/// whatever was done by then, the next call makes good.
pub fn finish_by_steps(
    folder: &Folder,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    after: &mut dyn FnMut(Step) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mark = folder.erasures().join(ERASURE_PENDING);
    if !mark.exists() {
        return Ok(());
    }
    let (segments, recovery) = Segments::open(&folder.journal(), clock.clone(), Options::production(rand::random()))?;
    if let Some(refuses) = recovery.refuses {
        return Err(Told(refuses).into());
    }
    let journal: Arc<dyn Journal> = Arc::new(segments);
    let configurations = Arc::new(ConfigurationFolder::open(folder.configurations())?);
    let cache = settings.limits.cache_bytes;
    let head = journal.head();
    let store = open_store(folder, cache, (journal.first(), head), clock.as_ref())?;
    apply_all(journal.clone(), store.clone(), configurations.clone(), head, MICRO_BATCH_ENTRIES_MAX, &mut |_, _| {})?;
    store.flush()?;
    let waiting: Vec<(Position, ErasureRow)> = erase::erasures(&Reader::new(store.as_ref()))?
        .into_iter()
        .filter(|(position, _)| !receipt_path(folder, *position).exists())
        .collect();
    if !waiting.is_empty() {
        let now = clock.now();
        let made =
            snapshot::make(journal.clone(), configurations.clone(), &folder.snapshots(), head, now, &mut |_, _| {})?;
        after(Step::Snapshot)?;
        let meta = Reader::new(store.as_ref()).get::<Meta>(&())?.unwrap_or_default();
        let catalog = configurations.load(meta.configuration.unwrap_or_default()).map_err(Told)?;
        let mut work = Work::default();
        for (position, row) in &waiting {
            let wanted = Wanted {
                clients: row.clients.iter().copied().collect(),
                deals: row.deals.iter().copied().collect(),
                records: row.erasure.records.iter().copied().collect(),
                marks: row.erasure.marks.iter().copied().collect(),
                salt: row.erasure.salt,
            };
            let found = erase::find(journal.as_ref(), store.as_ref(), &catalog, &wanted, *position)?;
            for (at, which) in found {
                work.add(at, which);
            }
            work.objects.extend(row.objects.iter().copied());
        }
        work.read_bodies(folder, journal.as_ref(), &catalog)?;
        after(Step::Blanked)?;
        drop(store);
        drop(journal);
        work.rewrite(folder)?;
        after(Step::Journal)?;
        let bodies = sweep_bodies(folder)?;
        after(Step::Bodies)?;
        let snapshots = remove_snapshots(folder, &made.path)?;
        after(Step::Snapshots)?;
        remove_stores(folder)?;
        after(Step::NoStore)?;
        fill_from_snapshot(folder, cache, head)?;
        after(Step::Store)?;
        for (position, row) in waiting {
            let receipt = work.receipt(position, &row, clock.now().to_jiff(), bodies, snapshots, made.position());
            list_again(folder, position, &row)?;
            after(Step::Listed)?;
            write(&receipt_path(folder, position), &serde_json::to_vec_pretty(&receipt)?)?;
            after(Step::Receipt)?;
            info!(erasure.position = position.0, "a person was erased from the files; the receipt is in erasures");
        }
    }
    fs::remove_file(&mark).map_err(|error| unusable(&mark, &error))?;
    after(Step::Done)
}

fn receipt_path(folder: &Folder, position: Position) -> std::path::PathBuf {
    folder.erasures().join(format!("erasure-{}.json", position.0))
}

fn list_again(folder: &Folder, position: Position, row: &ErasureRow) -> anyhow::Result<()> {
    let path = folder.erasures().join(LIST);
    let mut list = read_list(&path)?;
    list.retain(|it| it.position != position.0);
    list.push(Listed {
        position: position.0,
        client: row.erasure.client.to_string(),
        marks: row.erasure.marks.clone(),
        salt: row.erasure.salt,
    });
    write(&path, &serde_json::to_vec_pretty(&list)?)
}

/// The list of erasures in a file; empty when there is none.
pub fn read_list(path: &Path) -> anyhow::Result<Vec<Listed>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unusable(path, &error).into()),
    }
}

/// Applies a list of erasures to a folder restored from a backup that was made before them;
/// returns how many clients went.
pub async fn again(folder: &Folder, list: &Path) -> anyhow::Result<usize> {
    let bytes = fs::read(list).map_err(|error| unusable(list, &error))?;
    let wanted: Vec<Listed> = serde_json::from_slice(&bytes)
        .map_err(|error| Told(Message::new("app-path").with("path", list.display()).with("detail", error)))?;
    let core = Core::open(folder).await?;
    core.caught_up().await?;
    let mut gone = 0;
    for listed in wanted {
        let reader = Reader::new(core.store.as_ref());
        let mut clients = erase::marked(&reader, listed.salt, &listed.marks)?;
        // Ids derive from positions: what the backup has, it has under the same id.
        clients.extend(listed.client.parse::<ClientId>().ok());
        for client in clients {
            let Some(plan) = core.keeping.erasure(client, listed.salt)? else { continue };
            core.keeping.mark_erasure()?;
            let at = core.clock.now();
            let command = Command::ErasePerson(plan.erasure);
            let entry = Entry::Commanded(Commanded { at, by: "restore".into(), command });
            let new = NewEntry { kind: entry.kind(), at, payload: entry.encode() };
            let position = core.journal.append(new).await?;
            core.pipeline.wait(position).await.map_err(anyhow::Error::msg)?;
            gone += plan.clients.len();
        }
    }
    core.close().await;
    // Opening the folder cleans its files.
    Core::open(folder).await?.close().await;
    Ok(gone)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let part = path.with_extension("part");
    let written = || -> io::Result<()> {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    written().map_err(|error| unusable(path, &error).into())
}

/// What is to be done to the journal.
#[derive(Default)]
struct Work {
    found: BTreeMap<Position, Which>,
    /// Bodies blanked already: the new envelope of an entry of several people.
    blanked: BTreeMap<Position, Received>,
    objects: BTreeSet<ObjectRef>,
    attempts: BTreeSet<Position>,
}

impl Work {
    fn add(&mut self, at: Position, which: Which) {
        let joined = match (self.found.remove(&at), which) {
            (Some(Which::All), _) | (_, Which::All) => Which::All,
            (None, which) => which,
            (Some(Which::Some(mut items)), Which::Some(more)) => {
                items.extend(more);
                items.sort_unstable();
                items.dedup();
                Which::Some(items)
            }
        };
        self.found.insert(at, joined);
    }

    /// Blanks the bodies of several people. What cannot be blanked and proved so goes whole.
    fn read_bodies(&mut self, folder: &Folder, journal: &dyn Journal, catalog: &Catalog) -> anyhow::Result<()> {
        for (at, which) in &mut self.found {
            let Which::Some(items) = which else { continue };
            let entries = journal.read(*at, 1, usize::MAX)?;
            let Some(stored) = entries.first() else { continue };
            let Ok(Entry::Received(received)) = Entry::decode(stored.kind, &stored.payload) else { continue };
            match blank(folder, journal, catalog, &received, items)? {
                Some(envelope) => {
                    self.blanked.insert(*at, envelope);
                }
                None => *which = Which::All,
            }
        }
        Ok(())
    }

    fn rewrite(&mut self, folder: &Folder) -> anyhow::Result<()> {
        let (found, blanked, objects) = (&self.found, &self.blanked, &self.objects);
        let mut attempts = BTreeSet::new();
        journal::rewrite(&RealDisk, &folder.journal(), &mut |position, kind, payload| {
            let Ok(entry) = Entry::decode(kind, payload) else { return Ok(None) };
            let other = match entry {
                Entry::Received(received) => match found.get(&position) {
                    None => None,
                    Some(Which::All) => Some(Entry::Received(emptied(received))),
                    Some(Which::Some(_)) => blanked.get(&position).cloned().map(Entry::Received),
                },
                Entry::Attempted(mut attempted) => {
                    let mut touched = false;
                    for item in attempted.items.iter_mut().filter(|item| objects.contains(&item.object)) {
                        touched = true;
                        match &mut item.result {
                            AttemptResult::Done { sent, .. } => sent.clear(),
                            AttemptResult::Failed { reason, .. } => *reason = Message::new("query-filtered-erased"),
                        }
                    }
                    attempts.extend(touched.then_some(position));
                    touched.then_some(Entry::Attempted(attempted))
                }
                Entry::Commanded(mut commanded) => match &mut commanded.command {
                    Command::DiscardRecord { at, reason } if found.contains_key(&at.position) => {
                        reason.clear();
                        Some(Entry::Commanded(commanded))
                    }
                    Command::CompleteTask { task, note: text } | Command::CancelTask { task, reason: text }
                        if objects.contains(&ObjectRef::Task(*task)) =>
                    {
                        text.clear();
                        Some(Entry::Commanded(commanded))
                    }
                    // What a person set by hand tells of the client as a record does.
                    Command::EditClient { client, set, .. } if objects.contains(&ObjectRef::Client(*client)) => {
                        set.clear();
                        Some(Entry::Commanded(commanded))
                    }
                    Command::EditDeal { deal, set, .. } if objects.contains(&ObjectRef::Deal(*deal)) => {
                        set.clear();
                        Some(Entry::Commanded(commanded))
                    }
                    Command::DiscardRecord { .. }
                    | Command::CompleteTask { .. }
                    | Command::CancelTask { .. }
                    | Command::EditClient { .. }
                    | Command::EditDeal { .. }
                    | Command::RetryRecord { .. }
                    | Command::AcceptRecord { .. }
                    | Command::ResendDelivery { .. }
                    | Command::DiscardDelivery { .. }
                    | Command::MergeClients { .. }
                    | Command::SplitClients { .. }
                    | Command::ErasePerson(_)
                    | Command::ApplyPlan { .. }
                    | Command::PauseSink { .. }
                    | Command::ResumeSink { .. }
                    | Command::LoadSource { .. } => None,
                },
                Entry::Attempting(_) | Entry::Configured(_) | Entry::Ticked(_) | Entry::Slice(_) => None,
            };
            Ok(other.map(|entry| entry.encode()).filter(|bytes| bytes != payload))
        })?;
        self.attempts = attempts;
        Ok(())
    }

    fn receipt(
        &self,
        position: Position,
        row: &ErasureRow,
        now: jiff::Timestamp,
        bodies: usize,
        snapshots: usize,
        snapshot: Position,
    ) -> Receipt {
        let shown = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        Receipt {
            position: position.0,
            commanded_at: shown(row.at.to_jiff()),
            finished_at: shown(now),
            clients: row.clients.iter().map(ToString::to_string).collect(),
            objects: row.objects.iter().map(ToString::to_string).collect(),
            entries_emptied: self.found.iter().filter(|it| *it.1 == Which::All).map(|it| it.0.0).collect(),
            entries_blanked: self
                .found
                .iter()
                .filter_map(|(at, which)| match which {
                    Which::All => None,
                    Which::Some(items) => Some((at.0, items.clone())),
                })
                .collect(),
            attempts: self.attempts.iter().map(|at| at.0).collect(),
            bodies,
            snapshots,
            snapshot: snapshot.0,
        }
    }
}

/// That it came is left, and nothing of what it said.
fn emptied(received: Received) -> Received {
    Received { headers: vec![(Received::ERASED.into(), "all".to_owned())], body: Body::Inline(Vec::new()), ..received }
}

/// The envelope with these records blanked; `None` when that cannot be done and proved.
fn blank(
    folder: &Folder,
    journal: &dyn Journal,
    catalog: &Catalog,
    received: &Received,
    items: &[u32],
) -> anyhow::Result<Option<Received>> {
    if received.body.len() > ERASE_BODY_BYTES_MAX {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    if journal.open_body(&received.body).is_ok_and(|mut body| body.read_to_end(&mut bytes).is_err()) {
        return Ok(None);
    }
    // What only these records say.
    let mut theirs: BTreeSet<String> = BTreeSet::new();
    let before = erase::leaves(journal, catalog, received);
    for (item, leaves) in &before {
        if items.contains(item) {
            theirs.extend(leaves.iter().map(|leaf| leaf.trim().to_owned()).filter(|leaf| leaf.chars().count() > 1));
        }
    }
    // What was kept of a person erased before, because this one's record says it too, goes now.
    let goes = |item: &u32| items.contains(item) || received.is_erased(*item);
    for (item, leaves) in &before {
        if !goes(item) {
            leaves.iter().for_each(|leaf| {
                theirs.remove(leaf.trim());
            });
        }
    }
    let Some(blanked) = blank_bytes(&bytes, &theirs) else { return Ok(None) };
    let mut note: Vec<String> = received.header(Received::ERASED).map(str::to_owned).into_iter().collect();
    note.extend(items.iter().map(ToString::to_string));
    let mut headers: Vec<_> = received.headers.iter().filter(|(name, _)| *name != Received::ERASED).cloned().collect();
    headers.push((Received::ERASED.into(), note.join(",")));
    let plain = Received { headers: received.headers.clone(), body: Body::Inline(blanked.clone()), ..received.clone() };
    // The proof: their words are nowhere, and everybody else's records are as they were.
    let after = erase::leaves(journal, catalog, &plain);
    let same = after.len() == before.len()
        && before.iter().zip(&after).all(|((item, old), (_, new))| match goes(item) {
            true => new.iter().all(|leaf| !theirs.contains(leaf.trim())),
            false => old == new,
        });
    if !same {
        return Ok(None);
    }
    let body = keep_body(folder, &received.body, blanked)?;
    Ok(Some(Received { headers, body, ..received.clone() }))
}

/// A body of the same kind as the one before: inline, or a file of a name of its own.
fn keep_body(folder: &Folder, before: &Body, bytes: Vec<u8>) -> anyhow::Result<Body> {
    let Body::File { name, .. } = before else { return Ok(Body::Inline(bytes)) };
    if bytes.len() <= INLINE_BODY_BYTES_MAX {
        return Ok(Body::Inline(bytes));
    }
    // Another fingerprint, so another name; the serial of the old one keeps it apart from copies.
    let serial = name.rsplit('-').next().unwrap_or("0");
    let fingerprint = Fingerprint::of(&bytes);
    let (name, len) = (format!("{fingerprint}-{}-{serial}", bytes.len()), bytes.len() as u64);
    write(&folder.journal().join("bodies").join(&name), &bytes)?;
    Ok(Body::File { name: name.into(), len, fingerprint })
}

/// Blanks these words in a body, packed or plain.
fn blank_bytes(bytes: &[u8], words: &BTreeSet<String>) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"PK\x03\x04") {
        let mut plain = bytes.to_vec();
        blank_text(&mut plain, words);
        return Some(plain);
    }
    let mut source = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut target = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..source.len() {
        let mut member = source.by_index(index).ok()?;
        let name = member.name().ok()?.into_owned();
        let mut content = Vec::new();
        (&mut member).take(ERASE_BODY_BYTES_MAX).read_to_end(&mut content).ok()?;
        blank_text(&mut content, words);
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        target.start_file(name, options).ok()?;
        target.write_all(&content).ok()?;
    }
    Some(target.finish().ok()?.into_inner())
}

/// Blanks whole texts: what stands between tags or quotation marks, as the format writes it.
fn blank_text(bytes: &mut [u8], words: &BTreeSet<String>) {
    let mut patterns: BTreeSet<Vec<u8>> = BTreeSet::new();
    for word in words {
        let escaped = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let quoted = escaped.replace('"', "&quot;");
        let json = serde_json::to_string(word).unwrap_or_default();
        let json = json.get(1..json.len().saturating_sub(1)).unwrap_or("").to_owned();
        for text in [word.clone(), escaped, quoted.clone(), quoted.replace('\'', "&apos;"), json] {
            let (windows, _, unmappable) = encoding_rs::WINDOWS_1251.encode(&text);
            if !unmappable {
                patterns.insert(windows.into_owned());
            }
            patterns.insert(text.into_bytes());
        }
    }
    let opens = |byte: Option<&u8>| matches!(byte, Some(b'>' | b'"' | b'\''));
    let closes = |byte: Option<&u8>| matches!(byte, Some(b'<' | b'"' | b'\''));
    for pattern in patterns.iter().filter(|pattern| !pattern.is_empty()) {
        let places: Vec<usize> = memchr::memmem::find_iter(bytes, pattern).collect();
        for place in places {
            let before = bytes[..place].iter().rev().find(|byte| !byte.is_ascii_whitespace());
            let after = bytes[place + pattern.len()..].iter().find(|byte| !byte.is_ascii_whitespace());
            if opens(before) && closes(after) {
                bytes[place..place + pattern.len()].fill(b'x');
            }
        }
    }
}

/// Removes bodies that no entry names; returns how many.
fn sweep_bodies(folder: &Folder) -> anyhow::Result<usize> {
    let report = journal::verify(&RealDisk, &folder.journal(), &mut |_| {})?;
    for name in &report.bodies_orphaned {
        let path = folder.journal().join("bodies").join(name);
        fs::remove_file(&path).map_err(|error| unusable(&path, &error))?;
    }
    Ok(report.bodies_orphaned.len())
}

fn remove_snapshots(folder: &Folder, kept: &Path) -> anyhow::Result<usize> {
    let mut removed = 0;
    for item in fs::read_dir(folder.snapshots())? {
        let path = item?.path();
        if path != kept {
            fs::remove_file(&path).map_err(|error| unusable(&path, &error))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The store and those that were set aside.
fn remove_stores(folder: &Folder) -> anyhow::Result<()> {
    for item in fs::read_dir(folder.root())? {
        let item = item?;
        let name = item.file_name().to_string_lossy().into_owned();
        if name == "store" || name.starts_with("store.") {
            fs::remove_dir_all(item.path()).map_err(|error| unusable(&item.path(), &error))?;
        }
    }
    Ok(())
}
