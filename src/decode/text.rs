//! Character sets: what Russian systems send is UTF-8 with and without a byte order mark,
//! windows-1251, and koi8-r when it says so.
//!
//! A byte order mark wins; then UTF-8 that reads as UTF-8 (text in windows-1251 or koi8-r never
//! does by chance, a wrong label often stands on it); then the declared set; then a look at the
//! bytes. Malformed sequences become U+FFFD with an issue that keeps the original bytes.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, KOI8_R, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};

use crate::base::Message;
use crate::base::limits::EXTRA_VALUE_BYTES_MAX;
use crate::model::Issue;

/// Text read from bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'b> {
    /// The text, without a byte order mark.
    pub text: Cow<'b, str>,
    /// Name of the character set it was read in (`UTF-8`, `windows-1251`).
    pub charset: &'static str,
    /// What was odd.
    pub issues: Vec<Issue>,
}

/// Reads bytes as text. `declared` is a label (`utf-8`, `cp1251`); `field` names the place in issues.
pub fn decode<'b>(bytes: &'b [u8], declared: Option<&str>, field: &str) -> Text<'b> {
    let (encoding, bom) = detect(bytes, declared);
    let bytes = &bytes[bom..];
    let (text, malformed) = encoding.decode_without_bom_handling(bytes);
    let mut issues = Vec::new();
    if malformed {
        let message = Message::new("decode-malformed").with("field", field).with("charset", encoding.name());
        issues.push(Issue::new(field, message, escaped(bytes)));
    } else if let Some(label) = declared.filter(|label| is_other(label, encoding, &text)) {
        let message = Message::new("decode-charset-differs")
            .with("field", field)
            .with("declared", label)
            .with("charset", encoding.name());
        issues.push(Issue::new(field, message, label));
    }
    Text { text, charset: encoding.name(), issues }
}

/// A label that is known and is not what was read. Pure ASCII reads alike in all of them.
fn is_other(label: &str, encoding: &'static Encoding, text: &str) -> bool {
    Encoding::for_label(label.as_bytes()).is_none_or(|it| it != encoding) && !text.is_ascii()
}

/// The character set of `bytes` and the length of its byte order mark.
pub fn detect(bytes: &[u8], declared: Option<&str>) -> (&'static Encoding, usize) {
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return (encoding, bom);
    }
    let declared = declared.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if let Some(wide) = declared.filter(|it| *it == UTF_16LE || *it == UTF_16BE) {
        return (wide, 0);
    }
    if std::str::from_utf8(bytes).is_ok() {
        return (UTF_8, 0);
    }
    match declared {
        Some(encoding) if encoding != UTF_8 => (encoding, 0),
        Some(_) | None => (sniff(bytes), 0),
    }
}

/// Bytes that are not UTF-8: a few damaged places in UTF-8, or windows-1251 from end to end?
fn sniff(bytes: &[u8]) -> &'static Encoding {
    let mut good = 0usize;
    let mut bad = 0usize;
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|it| !it.is_ascii()).count();
        bad += chunk.invalid().len();
    }
    match bad > good {
        true => WINDOWS_1251,
        false => UTF_8,
    }
}

/// The bytes as far as they are UTF-8, the rest as `\xNN`; no longer than an issue keeps.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    // What is odd should be in the part that is kept: begin shortly before the first odd byte.
    let odd = std::str::from_utf8(bytes).err().map_or(0, |error| error.valid_up_to());
    let mut start = odd.saturating_sub(EXTRA_VALUE_BYTES_MAX / 4);
    while start < odd && bytes[start] & 0xC0 == 0x80 {
        start += 1;
    }
    let end = bytes.len().min(start + EXTRA_VALUE_BYTES_MAX);
    for chunk in bytes[start..end].utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
    }
    text
}

/// How many bytes are looked at to tell the character set of a stream.
const HEAD_BYTES: usize = 4 * 1024;
/// How many bytes are read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// Reads a stream of XML as UTF-8. Bytes that claim to be UTF-8 pass as they are: who cuts them
/// into records checks them.
pub struct Utf8Reader<R> {
    inner: R,
    state: State,
    raw: Vec<u8>,
    malformed: bool,
}

enum State {
    /// Nothing was read yet; the text that tells the sets apart (the name of the root element).
    New { probe: &'static str },
    /// UTF-8.
    Plain,
    /// Something else.
    Coded(Box<Decoder>),
}

impl<R: Read> Utf8Reader<R> {
    /// `probe` is a text that stands near the beginning of every file of this kind: where it is
    /// found decides, whatever the declaration says.
    pub fn new(inner: R, probe: &'static str) -> Utf8Reader<R> {
        Utf8Reader { inner, state: State::New { probe }, raw: Vec::new(), malformed: false }
    }

    /// Whether something had to be replaced by U+FFFD since the last call.
    pub fn take_malformed(&mut self) -> bool {
        std::mem::take(&mut self.malformed)
    }

    /// The stream itself, wherever it stands.
    pub fn into_inner(self) -> R {
        self.inner
    }

    /// Appends some more UTF-8 to `out`; `false` at the end of the stream.
    pub fn append_to(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if let State::New { probe } = self.state {
            return self.begin(probe, out);
        }
        match &mut self.state {
            State::New { .. } | State::Plain => Ok(read_some(&mut self.inner, out)? > 0),
            State::Coded(decoder) => {
                self.raw.clear();
                let count = read_some(&mut self.inner, &mut self.raw)?;
                self.malformed |= transcode(decoder, &self.raw, count == 0, out);
                Ok(count > 0)
            }
        }
    }

    fn begin(&mut self, probe: &'static str, out: &mut Vec<u8>) -> io::Result<bool> {
        let mut head = Vec::new();
        while head.len() < HEAD_BYTES && read_some(&mut self.inner, &mut head)? > 0 {}
        let is_over = head.is_empty();
        // However large the pieces are that came: the same bytes decide.
        let (encoding, bom) = detect_xml(&head[..head.len().min(HEAD_BYTES)], probe);
        if encoding == UTF_8 {
            self.state = State::Plain;
            out.extend_from_slice(&head[bom..]);
        } else {
            let mut decoder = Box::new(encoding.new_decoder_without_bom_handling());
            self.malformed |= transcode(&mut decoder, &head[bom..], false, out);
            self.state = State::Coded(decoder);
        }
        Ok(!is_over)
    }
}

/// The set in which an XML file is written: byte order mark, then the set in which `probe` is
/// found, then the declaration, then a look.
fn detect_xml(head: &[u8], probe: &str) -> (&'static Encoding, usize) {
    if let Some(found) = Encoding::for_bom(head) {
        return found;
    }
    let found = [UTF_8, WINDOWS_1251, KOI8_R].into_iter().find(|encoding| {
        let (wanted, _, _) = encoding.encode(probe);
        memchr::memmem::find(head, &wanted).is_some()
    });
    match (found, declared_xml(head)) {
        (Some(encoding), _) => (encoding, 0),
        (None, Some(encoding)) => (encoding, 0),
        (None, None) => {
            // A cut through a character at the end of the head is no sign of another set.
            let whole = head.len() - head.iter().rev().take(3).take_while(|byte| **byte >= 0x80).count();
            (detect(&head[..whole], None).0, 0)
        }
    }
}

/// `encoding="..."` of the XML declaration.
pub fn declared_xml(head: &[u8]) -> Option<&'static Encoding> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memmem::find(declaration, b"?>")?];
    let value = &declaration[memchr::memmem::find(declaration, b"encoding")? + "encoding".len()..];
    let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let label = &value[..memchr::memchr(*quote, value)?];
    Encoding::for_label(label)
}

fn read_some(reader: &mut impl Read, out: &mut Vec<u8>) -> io::Result<usize> {
    let before = out.len();
    out.resize(before + CHUNK_BYTES, 0);
    loop {
        match reader.read(&mut out[before..]) {
            Ok(count) => {
                out.truncate(before + count);
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                out.truncate(before);
                return Err(error);
            }
        }
    }
}

/// Appends `raw` to `out` as UTF-8; tells whether something was malformed.
fn transcode(decoder: &mut Decoder, mut raw: &[u8], last: bool, out: &mut Vec<u8>) -> bool {
    let mut any_malformed = false;
    loop {
        let room = decoder.max_utf8_buffer_length(raw.len()).unwrap_or(CHUNK_BYTES).clamp(16, 4 * CHUNK_BYTES);
        let before = out.len();
        out.resize(before + room, 0);
        let (result, read, written, malformed) = decoder.decode_to_utf8(raw, &mut out[before..], last);
        out.truncate(before + written);
        raw = &raw[read..];
        any_malformed |= malformed;
        match result {
            CoderResult::InputEmpty => return any_malformed,
            CoderResult::OutputFull => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], declared: Option<&str>, expected: (&str, &str, &[&str])) {
        let found = decode(bytes, declared, "body");
        let issues: Vec<_> = found.issues.iter().map(|it| it.message.id.as_str()).collect();
        assert_eq!((found.text.as_ref(), found.charset, issues.as_slice()), expected, "{declared:?}");
    }

    #[test]
    fn character_sets_are_told_apart() {
        let cp1251 = WINDOWS_1251.encode("Заявка с сайта").0.into_owned();
        let koi8 = KOI8_R.encode("Заявка с сайта").0.into_owned();
        check("Заявка".as_bytes(), None, ("Заявка", "UTF-8", &[]));
        check("\u{feff}Заявка".as_bytes(), None, ("Заявка", "UTF-8", &[]));
        check("\u{feff}Заявка".as_bytes(), Some("windows-1251"), ("Заявка", "UTF-8", &["decode-charset-differs"]));
        check("Заявка".as_bytes(), Some("cp1251"), ("Заявка", "UTF-8", &["decode-charset-differs"]));
        check(&cp1251, None, ("Заявка с сайта", "windows-1251", &[]));
        check(&cp1251, Some("windows-1251"), ("Заявка с сайта", "windows-1251", &[]));
        check(&cp1251, Some("utf-8"), ("Заявка с сайта", "windows-1251", &["decode-charset-differs"]));
        check(&koi8, Some("koi8-r"), ("Заявка с сайта", "KOI8-R", &[]));
        check(b"plain", Some("koi8-r"), ("plain", "UTF-8", &[]));
        check(b"\xff\xfeA\0", None, ("A", "UTF-16LE", &[]));
    }

    #[test]
    fn malformed_bytes_are_replaced_and_kept() {
        let found = decode("Имя \u{44f}".as_bytes().split_last().expect("not empty").1, None, "Имя");
        assert_eq!(found.text, "Имя \u{fffd}");
        assert_eq!(found.issues[0].original, "Имя \\xD1");
    }

    #[test]
    fn a_stream_in_another_set_is_read_as_utf8() {
        let text = format!("<?xml version=\"1.0\" encoding=\"windows-1251\"?><Корень>{}</Корень>", "ё".repeat(200_000));
        for (encoding, label) in [(UTF_8, "UTF-8"), (WINDOWS_1251, "windows-1251"), (KOI8_R, "koi8-r")] {
            let text = text.replace("windows-1251", label);
            for declared in [text.clone(), text.replace(label, "utf-8")] {
                let bytes = encoding.encode(&declared).0.into_owned();
                let mut reader = Utf8Reader::new(bytes.as_slice(), "Корень");
                let mut out = Vec::new();
                while reader.append_to(&mut out).expect("memory does not fail") {}
                assert_eq!(String::from_utf8(out).expect("UTF-8 comes out"), declared);
                assert!(!reader.take_malformed());
            }
        }
    }
}
