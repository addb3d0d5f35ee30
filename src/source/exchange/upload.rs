//! One file on its way: chunks to the spool, the whole into the journal.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use tokio::task::spawn_blocking;

use crate::base::checksum::Fingerprint;
use crate::base::limits::{
    EXCHANGE_CHUNK_BYTES_MAX, EXCHANGE_FILE_BYTES_MAX, EXCHANGE_FILES_MAX, INLINE_BODY_BYTES_MAX,
};
use crate::base::{Message, Position, Slug, Timestamp};
use crate::decode::archive::{Archive, is_archive};
use crate::decode::commerceml::ROOT;
use crate::entry::{Body, Entry, Received};
use crate::journal::{AppendError, Journal, NewEntry};

use super::session::{Journalled, Session};
use super::spool::{self, Note};
use super::{Exchange, ExchangeRequest, NOTE_COMPLETE, NOTE_FILE, NOTE_SCHEMA, NOTE_SESSION, NOTE_TYPE, RequestBody};

/// How much of the end of a file is looked at for its end.
const TAIL_BYTES: usize = 4 * 1024;
/// How much of the beginning of a file is looked at for its version.
const HEAD_BYTES: usize = 2 * 1024;
/// Frames of a body are gathered to so many bytes before they are written.
const WRITE_BYTES: usize = 512 * 1024;

/// What a file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Xml,
    Archive,
}

/// A file whose end has not come.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    name: String,
    kind: String,
    format: Format,
    data: PathBuf,
    note: PathBuf,
    /// Acknowledged bytes.
    len: u64,
    tail: Vec<u8>,
    at: Timestamp,
}

/// The name of a file as 1C gives it: a relative path with slashes.
pub(super) fn clean_name(raw: &str) -> Result<String, Message> {
    let name = raw.trim().replace('\\', "/");
    let parts: Vec<_> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let is_fit = !parts.is_empty()
        && name.len() <= 255
        && !name.starts_with('/')
        && !name.contains(':')
        && !name.chars().any(char::is_control)
        && !parts.contains(&"..");
    match is_fit {
        true => Ok(parts.join("/")),
        false => Err(Message::new("exchange-file-name")),
    }
}

/// Whether two names mean one file: the path in an archive may have one folder more.
pub(super) fn same_file(left: &str, right: &str) -> bool {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_lowercase();
    left == right || last(left) == last(right)
}

impl Upload {
    pub(super) fn recovered(note: Note, data: PathBuf, note_path: PathBuf) -> io::Result<Upload> {
        let mut file = File::open(&data)?;
        let len = file.metadata()?.len();
        let head = read_up_to(&mut file, 4)?;
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES as u64)))?;
        let tail = read_up_to(&mut file, TAIL_BYTES)?;
        let format = format_of(&head, &note.name).unwrap_or(Format::Xml);
        Ok(Upload { name: note.name, kind: note.kind, format, data, note: note_path, len, tail, at: note.at })
    }

    pub(super) fn is(&self, name: &str) -> bool {
        same_file(&self.name, name)
    }

    pub(super) fn is_archive(&self) -> bool {
        self.format == Format::Archive
    }

    pub(super) fn remove_files(self) {
        spool::remove(&self.note);
        spool::remove(&self.data);
    }

    fn note(&self, position: Option<Position>, members: Vec<String>) -> Note {
        let (name, kind) = (self.name.clone(), self.kind.clone());
        Note { name, kind, acknowledged: self.len, at: self.at, position, members }
    }

    fn is_blank(&self) -> bool {
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        self.len <= TAIL_BYTES as u64 && self.tail.iter().all(is_blank)
    }

    /// Whether the end of the file is the end of what was uploaded.
    fn is_complete(&self) -> bool {
        match self.format {
            Format::Archive => ends_archive(&self.tail, self.len),
            Format::Xml => {
                let blanks =
                    self.tail.iter().rev().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0).count();
                let content = &self.tail[..self.tail.len() - blanks];
                end_of_root(content) == Some(content.len()) || self.is_childless(content)
            }
        }
    }

    /// `<КоммерческаяИнформация ... />` and nothing else.
    fn is_childless(&self, content: &[u8]) -> bool {
        let in_view = self.len <= TAIL_BYTES as u64;
        let count = |byte: u8| content.iter().filter(|it| **it == byte).count();
        let tags = count(b'<') - usize::from(content.windows(5).any(|it| it == b"<?xml"));
        in_view && content.ends_with(b"/>") && tags == 1
    }

    /// Whether the end of the file has come, with something after it perhaps.
    pub(super) fn looks_complete(&self) -> bool {
        match self.format {
            Format::Archive => ends_archive(&self.tail, self.len),
            Format::Xml => self.is_complete() || end_of_root(&self.tail).is_some(),
        }
    }
}

/// Where the last end tag of the root ends, in the character sets that occur and with any prefix.
fn end_of_root(bytes: &[u8]) -> Option<usize> {
    let name = format!("{ROOT}>");
    let in_cp1251 = encoding_rs::WINDOWS_1251.encode(&name).0;
    [name.as_bytes(), &in_cp1251].into_iter().find_map(|name| {
        let at = memchr::memmem::rfind(bytes, name)?;
        let open = memchr::memrchr(b'<', &bytes[..at])?;
        let before = &bytes[open..at];
        let is_end = before == b"</" || (before.starts_with(b"</") && before.ends_with(b":"));
        is_end.then_some(at + name.len())
    })
}

/// Whether the end record of a zip stands at the very end.
fn ends_archive(tail: &[u8], len: u64) -> bool {
    let Some(at) = memchr::memmem::rfind(tail, b"PK\x05\x06") else { return false };
    let record = &tail[at..];
    if record.len() < 22 {
        return false;
    }
    let u16_at = |place: usize| u64::from(u16::from_le_bytes([record[place], record[place + 1]]));
    let u32_at = |place: usize| u16_at(place) | (u16_at(place + 2) << 16);
    let (size, offset, comment) = (u32_at(12), u32_at(16), u16_at(20));
    let is_large = offset == u64::from(u32::MAX);
    record.len() as u64 == 22 + comment && (is_large || offset + size + record.len() as u64 <= len)
}

/// By its first bytes, else by its name; `None` is neither XML nor a zip.
fn format_of(head: &[u8], name: &str) -> Option<Format> {
    let plain = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = name.to_lowercase();
    if is_archive(head) || head == b"PK" {
        Some(Format::Archive)
    } else if plain.starts_with(b"<") || head.starts_with(b"\xff\xfe") || lower.ends_with(".xml") {
        Some(Format::Xml)
    } else if lower.ends_with(".zip") {
        Some(Format::Archive)
    } else {
        None
    }
}

fn is_picture(name: &str) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    ["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "svg", "pdf"].contains(&extension.as_str())
}

/// Whether a chunk begins a file anew: the chunk before it was not followed up, 1C began again.
fn begins_file(head: &[u8]) -> bool {
    head.starts_with(b"\xef\xbb\xbf<") || head.starts_with(b"<?xml")
}

impl Exchange {
    /// Takes one chunk; returns when it is on the disk.
    pub(super) async fn file(
        &self,
        session: &mut Session,
        kind: &str,
        request: &mut ExchangeRequest,
    ) -> Result<(), Message> {
        session.check_open()?;
        if request.method != http::Method::POST && request.method != http::Method::PUT {
            return Err(Message::new("exchange-method").with("method", &request.method));
        }
        let name = clean_name(request.param("filename").unwrap_or_default())?;
        self.journal.accepts_intake().map_err(append_message)?;
        let body = request.body.as_mut();
        if is_picture(&name) {
            return drain(body).await;
        }
        let head = first_bytes(body).await?;
        let known = session.uploads.iter().position(|upload| upload.name == name);
        let index = match known {
            Some(index) if !begins_file(&head) => Some(index),
            Some(index) => {
                session.drop_upload(index);
                None
            }
            None => None,
        };
        let Some(format) = index.map(|index| session.uploads[index].format).or_else(|| format_of(&head, &name)) else {
            return drain(body).await;
        };
        let mut upload = match index {
            Some(index) => session.uploads[index].clone(),
            None => self.begin(session, name, kind, format)?,
        };
        let acknowledged = upload.len;
        if let Err(message) = append(&mut upload, head, body).await {
            // Back to what was promised. When this fails too, the next chunk does it.
            match index {
                Some(_) => drop(File::options().write(true).open(&upload.data).and_then(|it| it.set_len(acknowledged))),
                None => upload.remove_files(),
            }
            return Err(message);
        }
        let is_complete = upload.is_complete();
        let index = match index {
            Some(index) => {
                session.uploads[index] = upload;
                index
            }
            None => {
                session.uploads.push(upload);
                session.uploads.len() - 1
            }
        };
        match is_complete {
            true => self.journal_upload(session, index).await.map(|_| ()),
            false => Ok(()),
        }
    }

    fn begin(&self, session: &mut Session, name: String, kind: &str, format: Format) -> Result<Upload, Message> {
        // Bound: EXCHANGE_FILES_MAX; the chunk is refused.
        if session.uploads.len() + session.journalled.len() >= EXCHANGE_FILES_MAX {
            return Err(Message::new("exchange-files").with("max", EXCHANGE_FILES_MAX));
        }
        spool::make_folder(&session.folder).map_err(|error| disk_message(&error))?;
        let number = session.next;
        session.next += 1;
        Ok(Upload {
            name,
            kind: kind.to_owned(),
            format,
            data: session.folder.join(format!("{number}.data")),
            note: session.folder.join(format!("{number}.note")),
            len: 0,
            tail: Vec::new(),
            at: self.clock.now(),
        })
    }

    /// Puts an upload into the journal as an envelope. `None` when it is blank: the line end after
    /// a file that is in the journal already.
    pub(super) async fn journal_upload(
        &self,
        session: &mut Session,
        index: usize,
    ) -> Result<Option<Position>, Message> {
        let upload = session.uploads[index].clone();
        if upload.is_blank() && session.position_of(&upload.name).is_some() {
            session.drop_upload(index);
            return Ok(None);
        }
        let journal = Arc::clone(&self.journal);
        let prepared = blocking({
            let upload = upload.clone();
            move || prepare(journal.as_ref(), &upload)
        });
        let prepared = prepared.await?;
        let now = self.clock.now();
        let entry = Entry::Received(self.envelope(&upload, &prepared, &session.note(), now));
        let entry = NewEntry { kind: entry.kind(), at: now, payload: entry.encode() };
        let position = self.journal.append(entry).await.map_err(append_message)?;

        let note = upload.note(Some(position), prepared.members.clone());
        let paths = (upload.note.clone(), upload.data.clone());
        // Order: the data goes only after the note that says where it went. A crash before that
        // journals the file once more, under the same key.
        blocking(move || {
            spool::write_note(&paths.0, &note).map_err(|error| disk_message(&error))?;
            spool::remove(&paths.1);
            Ok(())
        })
        .await?;
        session.uploads.remove(index);
        let names = std::iter::once(upload.name).chain(prepared.members).collect();
        session.journalled.push(Journalled { names, position, note: upload.note });
        Ok(Some(position))
    }

    fn envelope(&self, upload: &Upload, prepared: &Prepared, session: &str, now: Timestamp) -> Received {
        let (content_type, key) = match upload.format {
            // The name of an archive is random, that of an XML file is not.
            Format::Archive => ("application/zip", Fingerprint::of_parts([&b"zip"[..], &prepared.content.0])),
            Format::Xml => {
                ("application/xml", Fingerprint::of_parts([&b"xml"[..], upload.name.as_bytes(), &prepared.content.0]))
            }
        };
        let mut headers = vec![
            (NOTE_FILE.into(), upload.name.clone()),
            (NOTE_TYPE.into(), upload.kind.clone()),
            (NOTE_SESSION.into(), session.to_owned()),
            (NOTE_COMPLETE.into(), if upload.looks_complete() { "yes" } else { "no" }.to_owned()),
        ];
        headers.extend(prepared.schema.clone().map(|schema| (NOTE_SCHEMA.into(), schema)));
        Received {
            connection: self.settings.connection.clone(),
            connector: self.settings.connector.clone(),
            stream: Slug::literal("exchange"),
            received_at: now,
            idempotency_key: key,
            content_type: content_type.into(),
            headers,
            body: prepared.body.clone(),
        }
    }
}

/// What the journal and the envelope need of a file.
struct Prepared {
    body: Body,
    content: Fingerprint,
    members: Vec<String>,
    schema: Option<String>,
}

fn prepare(journal: &dyn Journal, upload: &Upload) -> Result<Prepared, Message> {
    let io_error = |error: io::Error| disk_message(&error);
    let mut members = Vec::new();
    let mut schema = None;
    match upload.format {
        // An archive that does not open is journalled all the same: the pipeline says why.
        Format::Archive => {
            let file = File::open(&upload.data).map_err(io_error)?;
            if let Ok(archive) = Archive::open(&upload.name, io::BufReader::new(file)) {
                members = archive.names().filter_map(|name| clean_name(name).ok()).collect();
            }
        }
        Format::Xml => {
            let head = read_up_to(&mut File::open(&upload.data).map_err(io_error)?, HEAD_BYTES).map_err(io_error)?;
            schema = schema_of(&head);
        }
    }
    let body = match upload.len <= INLINE_BODY_BYTES_MAX as u64 {
        true => journal.put_body(fs::read(&upload.data).map_err(io_error)?).map_err(append_message)?,
        false => {
            // A second name of the same file: until the entry is durable, the spool keeps its own.
            let second = upload.data.with_extension("body");
            spool::remove(&second);
            fs::hard_link(&upload.data, &second)
                .or_else(|_| fs::copy(&upload.data, &second).map(|_| ()))
                .map_err(io_error)?;
            File::open(&second).and_then(|file| file.sync_all()).map_err(io_error)?;
            journal.adopt_body(&second).map_err(append_message)?
        }
    };
    let content = match &body {
        Body::Inline(bytes) => Fingerprint::of(bytes),
        Body::File { fingerprint, .. } => *fingerprint,
    };
    Ok(Prepared { body, content, members, schema })
}

/// `ВерсияСхемы="2.07"` at the beginning of a file.
fn schema_of(head: &[u8]) -> Option<String> {
    let text = crate::decode::text::decode(head, None, "head").text;
    let (_, rest) = text.split_once("ВерсияСхемы=")?;
    let value = rest.get(1..)?;
    let end = value.find(['"', '\''])?;
    Some(value[..end].chars().take(16).collect())
}

fn read_up_to(file: &mut File, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first piece of a body, with enough bytes to see what it is.
async fn first_bytes(body: &mut dyn RequestBody) -> Result<Vec<u8>, Message> {
    let mut head = Vec::new();
    while head.len() < 8 {
        match body.chunk().await.map_err(body_message)? {
            Some(bytes) => head.extend_from_slice(&bytes),
            None => break,
        }
    }
    Ok(head)
}

/// Reads a body that is of no interest to its end.
async fn drain(body: &mut dyn RequestBody) -> Result<(), Message> {
    let mut len = 0usize;
    while let Some(bytes) = body.chunk().await.map_err(body_message)? {
        len += bytes.len();
        // Bound: EXCHANGE_CHUNK_BYTES_MAX; refused.
        if len > EXCHANGE_CHUNK_BYTES_MAX {
            return Err(Message::new("exchange-chunk-large").with("max", EXCHANGE_CHUNK_BYTES_MAX));
        }
    }
    Ok(())
}

/// Appends a chunk and makes it durable, note included.
async fn append(upload: &mut Upload, head: Vec<u8>, body: &mut dyn RequestBody) -> Result<(), Message> {
    let io_error = |error: io::Error| disk_message(&error);
    let mut options = tokio::fs::File::options();
    options.create(true).truncate(false).write(true);
    let mut file = options.open(&upload.data).await.map_err(io_error)?;
    // A chunk whose sender went away may have left something behind.
    file.set_len(upload.len).await.map_err(io_error)?;
    file.seek(SeekFrom::End(0)).await.map_err(io_error)?;
    let mut writer = BufWriter::with_capacity(WRITE_BYTES, file);
    let mut chunk_len = 0usize;
    let mut next = Some(bytes::Bytes::from(head));
    while let Some(bytes) = next {
        chunk_len += bytes.len();
        upload.len += bytes.len() as u64;
        // Bounds: the chunk is refused, what came before it stays.
        if chunk_len > EXCHANGE_CHUNK_BYTES_MAX {
            return Err(Message::new("exchange-chunk-large").with("max", EXCHANGE_CHUNK_BYTES_MAX));
        }
        if upload.len > EXCHANGE_FILE_BYTES_MAX {
            return Err(Message::new("exchange-file-large").with("max", EXCHANGE_FILE_BYTES_MAX));
        }
        writer.write_all(&bytes).await.map_err(io_error)?;
        upload.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
        let surplus = upload.tail.len().saturating_sub(TAIL_BYTES);
        upload.tail.drain(..surplus);
        next = body.chunk().await.map_err(body_message)?;
    }
    writer.flush().await.map_err(io_error)?;
    writer.into_inner().sync_data().await.map_err(io_error)?;
    let (path, note) = (upload.note.clone(), upload.note(None, Vec::new()));
    blocking(move || spool::write_note(&path, &note).map_err(|error| disk_message(&error))).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Message> + Send + 'static) -> Result<T, Message> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        // The runtime is going down, or the work panicked: 1C tries again.
        Err(error) => Err(Message::new("exchange-disk").with("detail", error)),
    }
}

fn append_message(error: AppendError) -> Message {
    match error {
        AppendError::NoSpace(message)
        | AppendError::TooLarge(message)
        | AppendError::Failed(message)
        | AppendError::Closed(message) => message,
    }
}

fn disk_message(error: &io::Error) -> Message {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Message::new("exchange-no-space"),
        _ => Message::new("exchange-disk").with("detail", error),
    }
}

fn body_message(error: io::Error) -> Message {
    Message::new("exchange-body").with("detail", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside_their_folder() {
        let check = |raw: &str, expected: Option<&str>| assert_eq!(clean_name(raw).ok().as_deref(), expected, "{raw}");
        check("import0_1.xml", Some("import0_1.xml"));
        check(" import_files\\a1//./x.jpg", Some("import_files/a1/x.jpg"));
        check("заказы.xml", Some("заказы.xml"));
        check("a..b.xml", Some("a..b.xml"));
        for bad in
            ["", "  ", ".", "../x.xml", "a/../../x.xml", "/etc/passwd", "C:\\x.xml", "a\0b", "a\nb", &"x".repeat(256)]
        {
            check(bad, None);
        }
    }

    #[test]
    fn the_end_of_a_file_is_seen() {
        let upload = |bytes: &[u8]| Upload {
            name: "x".into(),
            kind: "sale".into(),
            format: format_of(bytes, "x.xml").expect("it has an XML name"),
            data: PathBuf::new(),
            note: PathBuf::new(),
            len: bytes.len() as u64,
            tail: bytes[bytes.len().saturating_sub(TAIL_BYTES)..].to_vec(),
            at: Timestamp::ZERO,
        };
        let check = |text: &str, complete: bool, looks: bool| {
            let utf8 = upload(text.as_bytes());
            assert_eq!((utf8.is_complete(), utf8.looks_complete()), (complete, looks), "{text}");
            let cp1251 = upload(&encoding_rs::WINDOWS_1251.encode(text).0);
            assert_eq!((cp1251.is_complete(), cp1251.looks_complete()), (complete, looks), "{text}");
        };
        check("<КоммерческаяИнформация></КоммерческаяИнформация>\r\n", true, true);
        check("<к:КоммерческаяИнформация></к:КоммерческаяИнформация>", true, true);
        check("<?xml version=\"1.0\"?><КоммерческаяИнформация/>", true, true);
        check("<?xml version=\"1.0\"?>\n<КоммерческаяИнформация ВерсияСхемы=\"2.07\" />", true, true);
        check("<КоммерческаяИнформация></КоммерческаяИнформация><!-- x -->", false, true);
        check("<КоммерческаяИнформация><Каталог/>", false, false);
        check("<?xml version=\"1.0\"?>", false, false);
        check("<КоммерческаяИнформация>", false, false);
    }

    #[test]
    fn the_end_of_an_archive_is_seen() {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        zip.start_file("a.xml", zip::write::SimpleFileOptions::default()).expect("memory does not fail");
        let bytes = zip.finish().expect("memory does not fail").into_inner();
        assert!(ends_archive(&bytes, bytes.len() as u64));
        for len in 0..bytes.len() {
            assert!(!ends_archive(&bytes[..len], len as u64));
        }
    }

    #[test]
    fn the_schema_is_read_from_the_head() {
        assert_eq!(schema_of("<КоммерческаяИнформация ВерсияСхемы=\"2.07\" x>".as_bytes()).as_deref(), Some("2.07"));
        assert_eq!(schema_of("<КоммерческаяИнформация ВерсияСхемы=".as_bytes()), None);
        assert_eq!(schema_of(b"<a/>"), None);
    }
}
