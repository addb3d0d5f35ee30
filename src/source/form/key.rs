//! The idempotency key of a submission: what makes two requests one.
//!
//! The sender's own id is the best: it is the same in every retry and another in every submission.
//! Without one, the content is the key: connection, stream and the fields, without regard to their
//! order, to blanks around values, to empty fields, to what the manifest drops (captcha tokens are
//! new in each attempt), and, where the stream folds names, to case and separators of names.
//! The content is hashed by [`Fingerprint::quick`]. A content key holds only for the stream's window; the pipeline applies it by journal time, and a
//! note on the envelope (`uzel-key`) tells which kind of key it is.

use std::borrow::Cow;

use http::HeaderMap;

use crate::base::Slug;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{INLINE_BODY_BYTES_MAX, SENDER_ID_BYTES_MAX};
use crate::connector::StreamSpec;
use crate::value::{Path, Value};

/// Which kind of key an envelope has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The sender's own id.
    Id,
    /// The content; holds for the stream's window only.
    Content,
}

impl KeyKind {
    /// As the note `uzel-key` says it.
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Id => "id",
            KeyKind::Content => "content",
        }
    }
}

/// Domains of fingerprints, so that an id never equals a content by construction.
const ID: &[u8] = b"id";
const CONTENT: &[u8] = b"content";
const BYTES: &[u8] = b"bytes";

/// The key of a submission. `decoded` is `None` when the body does not read: its bytes are the
/// content then.
pub(super) fn key(
    connection: &Slug,
    stream: &StreamSpec,
    headers: &HeaderMap,
    decoded: Option<&Value>,
    body: &[u8],
) -> (Fingerprint, KeyKind) {
    let of = |domain: &[u8], what: &[u8]| {
        Fingerprint::of_parts([domain, connection.as_bytes(), stream.name.as_bytes(), what])
    };
    let of_content = |value| Fingerprint::quick(&canonical(connection, stream, value, body));
    let in_body = decoded.and_then(|value| sender_id(stream, value)).map(Cow::Borrowed);
    match (in_body.or_else(|| header_id(headers)), decoded) {
        (Some(id), _) => (of(ID, id.as_bytes()), KeyKind::Id),
        (None, Some(value)) => (of_content(value), KeyKind::Content),
        (None, None) => (of(BYTES, body), KeyKind::Content),
    }
}

/// The sender's own id in the body: the first path of the stream that leads to a filled scalar.
pub(super) fn sender_id<'v>(stream: &StreamSpec, value: &'v Value) -> Option<&'v str> {
    let at = |path: &Path| match stream.fold_names {
        true => path.first_folded(value),
        false => path.first(value),
    };
    let found = |path: &Path| at(path).and_then(Value::as_text).map(str::trim);
    stream.idempotency.iter().filter_map(found).find(|it| fits_as_id(it))
}

/// `Idempotency-Key` is a structured string, in quotes on the wire; many senders leave them out.
fn header_id(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let text = headers.get("idempotency-key")?.to_str().ok()?.trim();
    let quoted = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let id = match quoted {
        Some(inner) if inner.contains('\\') => Cow::Owned(inner.replace("\\\"", "\"").replace("\\\\", "\\")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(text),
    };
    fits_as_id(&id).then_some(id)
}

fn fits_as_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= SENDER_ID_BYTES_MAX
}

/// Connection, stream and fields as one run of bytes that is the same for the same content. It is
/// hashed in one go: for a small form the hash is what a key costs.
fn canonical(connection: &Slug, stream: &StreamSpec, value: &Value, body: &[u8]) -> Vec<u8> {
    let all = |path: &Path| match stream.fold_names {
        true => path.all_folded(value),
        false => path.all(value),
    };
    let dropped: Vec<&Value> = stream.drop.iter().flat_map(all).collect();
    let bytes = Vec::with_capacity(body.len().min(INLINE_BODY_BYTES_MAX));
    let mut writer = Canonical { fold_names: stream.fold_names, dropped, body, file_bytes_left: body.len(), bytes };
    [CONTENT, connection.as_bytes(), stream.name.as_bytes()].into_iter().for_each(|part| writer.run(b'd', part));
    writer.value(value);
    writer.bytes
}

struct Canonical<'v> {
    fold_names: bool,
    dropped: Vec<&'v Value>,
    body: &'v [u8],
    /// Bound: files lie side by side in a body, so together they are not longer than it. Fields that
    /// only look like files could else have the body hashed a thousand times.
    file_bytes_left: usize,
    bytes: Vec<u8>,
}

impl<'v> Canonical<'v> {
    /// Every part is preceded by its kind and length, so that moved borders differ.
    fn value(&mut self, value: &'v Value) {
        match value {
            Value::Null => self.bytes.push(b'0'),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
                self.run(b's', value.as_text().unwrap_or_default().trim().as_bytes());
            }
            Value::List(items) => {
                let kept: Vec<_> = items.iter().filter(|it| self.counts(it)).collect();
                self.mark(b'l', kept.len());
                kept.into_iter().for_each(|it| self.value(it));
            }
            Value::Map(members) => match self.file(value) {
                Some(content) => self.run(b'f', Fingerprint::of(content).0.as_slice()),
                None => self.members(members),
            },
        }
    }

    fn members(&mut self, members: &'v [(compact_str::CompactString, Value)]) {
        let mut kept: Vec<(Cow<'v, str>, &'v Value)> =
            members.iter().filter(|(_, it)| self.counts(it)).map(|(name, it)| (self.name(name), it)).collect();
        kept.sort_by(|left, right| left.0.cmp(&right.0));
        self.mark(b'm', kept.len());
        for (name, it) in kept {
            self.run(b'n', name.as_bytes());
            self.value(it);
        }
    }

    /// Empty and dropped fields make no difference.
    fn counts(&self, value: &Value) -> bool {
        !value.is_blank() && !self.dropped.iter().any(|it| std::ptr::eq(*it, value))
    }

    fn name(&self, name: &'v str) -> Cow<'v, str> {
        let is_separator = |it: char| matches!(it, '_' | '-' | ' ');
        match self.fold_names && name.chars().any(|it| is_separator(it) || it.is_uppercase()) {
            true => Cow::Owned(name.chars().filter(|it| !is_separator(*it)).flat_map(char::to_lowercase).collect()),
            false => Cow::Borrowed(name),
        }
    }

    /// A file of a multipart form is decoded to its place in the body. The place moves with the
    /// boundary, which is new in each attempt; the content does not.
    fn file(&mut self, value: &Value) -> Option<&'v [u8]> {
        let number = |name: &str| value.get(name).and_then(Value::as_text).and_then(|it| it.parse::<usize>().ok());
        value.get("filename")?;
        let (from, size) = (number("body_offset")?, number("size")?);
        let content = self.body.get(from..from.checked_add(size)?)?;
        self.file_bytes_left = self.file_bytes_left.checked_sub(size)?;
        Some(content)
    }

    fn run(&mut self, kind: u8, bytes: &[u8]) {
        self.mark(kind, bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn mark(&mut self, kind: u8, len: usize) {
        self.bytes.push(kind);
        // Seven bits a byte, lowest first: nearly all lengths take one byte.
        let mut rest = len;
        while rest >= 0x80 {
            self.bytes.push(0x80 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }
}
