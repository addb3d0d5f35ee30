//! `multipart/form-data`, over bytes in memory.
//!
//! Written here because `multer` is async and its parts borrow a stream; the whole body is in an
//! envelope already. Fields make the same tree as in [`super::form`]. A file becomes
//! `{filename, content_type, size, body_offset}`: its content stays in the envelope.
//! Line ends may be LF alone; a body cut off before its last boundary keeps what came, with an
//! issue.

use std::borrow::Cow;

use super::form::{Field, assemble};
use super::{DecodeError, Decoded, form, text};
use crate::base::Message;
use crate::base::limits::{FORM_FIELDS_MAX, PART_HEADER_BYTES_MAX, PART_HEADERS_MAX};
use crate::model::Issue;

/// Decodes a multipart body. Without a boundary in `content_type` the body's first line tells it.
pub fn decode(bytes: &[u8], content_type: &str) -> Result<Decoded, DecodeError> {
    let boundary = boundary(content_type).or_else(|| boundary_of_body(bytes));
    let Some(boundary) = boundary.filter(|it| !it.is_empty()) else {
        return Err(Message::new("decode-multipart-boundary").into());
    };
    let delimiter = [b"--", boundary.as_slice()].concat();
    let (fields, is_cut) = parts(bytes, &delimiter)?;
    let mut decoded = assemble(fields, parameter(content_type, "charset").as_deref())?;
    if is_cut {
        decoded.issues.push(Issue::new("body", Message::new("decode-multipart-cut").with("bytes", bytes.len()), ""));
    }
    Ok(decoded)
}

/// A parameter of a header value: `name=token` or `name="text"`.
pub(super) fn parameter(header: &str, name: &str) -> Option<String> {
    parameter_bytes(header.as_bytes(), name).map(|value| String::from_utf8_lossy(&value).into_owned())
}

fn parameter_bytes<'b>(header: &'b [u8], name: &str) -> Option<Cow<'b, [u8]>> {
    let mut rest = header;
    while let Some(at) = memchr::memchr(b';', rest) {
        rest = rest[at + 1..].trim_ascii_start();
        let key_len = rest.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(rest.len());
        let key = rest[..key_len].trim_ascii();
        let Some(value) = rest[key_len..].strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let (found, after) = match value.strip_prefix(b"\"") {
            Some(quoted) => quoted_text(quoted),
            None => {
                let end = memchr::memchr(b';', value).unwrap_or(value.len());
                (Cow::Borrowed(value[..end].trim_ascii()), &value[end..])
            }
        };
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            return Some(found);
        }
        rest = after;
    }
    None
}

fn quoted_text(quoted: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let mut text = Vec::new();
    let mut rest = quoted;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => break,
            // Only quotes are escaped: old Internet Explorer sends `C:\photo.jpg` as it is.
            b'\\' if after.first() == Some(&b'"') => {
                text.push(b'"');
                rest = &after[1..];
            }
            plain => text.push(*plain),
        }
    }
    (Cow::Owned(text), rest)
}

fn boundary(content_type: &str) -> Option<Vec<u8>> {
    parameter_bytes(content_type.as_bytes(), "boundary").map(Cow::into_owned)
}

fn boundary_of_body(bytes: &[u8]) -> Option<Vec<u8>> {
    let line = bytes.trim_ascii_start().split(|byte| *byte == b'\n').next()?.trim_ascii_end();
    line.strip_prefix(b"--").map(<[u8]>::to_vec)
}

type Named<'b> = (Cow<'b, [u8]>, Field<'b>);

/// The fields, and whether the last boundary is missing.
fn parts<'b>(bytes: &'b [u8], delimiter: &[u8]) -> Result<(Vec<Named<'b>>, bool), DecodeError> {
    let mut fields = Vec::new();
    let finder = memchr::memmem::Finder::new(delimiter);
    let Some(mut at) = next_delimiter(bytes, 0, &finder).map(|(_, after)| after) else {
        return Err(Message::new("decode-multipart-empty").with("bytes", bytes.len()).into());
    };
    loop {
        if bytes[at..].starts_with(b"--") {
            return Ok((fields, false));
        }
        // The rest of the boundary's line: blanks.
        let Some(line_end) = memchr::memchr(b'\n', &bytes[at..]) else { return Ok((fields, true)) };
        let start = at + line_end + 1;
        let found = next_delimiter(bytes, start, &finder);
        let (end, after) = found.unwrap_or((bytes.len(), bytes.len()));
        // Bound: FORM_FIELDS_MAX; the record is quarantined.
        if fields.len() == FORM_FIELDS_MAX {
            return Err(Message::new("decode-form-fields").with("max", FORM_FIELDS_MAX).into());
        }
        if let Some(field) = part(bytes, start, end, fields.len() + 1)? {
            fields.push(field);
        }
        if found.is_none() {
            return Ok((fields, true));
        }
        at = after;
    }
}

/// The next boundary that begins a line: where the content before it ends, and what follows it.
fn next_delimiter(bytes: &[u8], from: usize, finder: &memchr::memmem::Finder<'_>) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let at = from + finder.find(&bytes[from..])?;
        let after = at + finder.needle().len();
        if at == 0 || bytes[at - 1] == b'\n' {
            let content = bytes[..at].strip_suffix(b"\n").unwrap_or(&bytes[..at]);
            return Some((content.strip_suffix(b"\r").unwrap_or(content).len(), after));
        }
        from = at + 1;
    }
}

/// One part; `None` when it has no name.
fn part(bytes: &[u8], start: usize, end: usize, number: usize) -> Result<Option<Named<'_>>, DecodeError> {
    let mut disposition: &[u8] = b"";
    let mut content_type: &[u8] = b"";
    let mut at = start;
    let mut headers = 0;
    let mut line = 0..0;
    while at < end.max(start) {
        let line_end = memchr::memchr(b'\n', &bytes[at..end]).map_or(end, |it| at + it);
        line = at..line_end;
        at = (line_end + 1).min(end.max(line_end));
        let header = bytes[line.clone()].trim_ascii();
        if header.is_empty() {
            break;
        }
        headers += 1;
        // Bounds: the record is quarantined.
        if headers > PART_HEADERS_MAX || at - start > PART_HEADER_BYTES_MAX {
            return Err(Message::new("decode-multipart-headers").with("part", number).with("byte", start).into());
        }
        let Some(colon) = memchr::memchr(b':', header) else { continue };
        let (name, value) = (header[..colon].trim_ascii(), header[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-disposition") {
            disposition = value;
        } else if name.eq_ignore_ascii_case(b"content-type") {
            content_type = value;
        }
        if line_end == end {
            break;
        }
    }
    let at = at.min(end).max(line.end.min(end));
    let content = &bytes[at..end.max(at)];
    let Some(name) = parameter_bytes(disposition, "name") else { return Ok(None) };
    let name = unquote_name(name);
    let file_name = extended(disposition).or_else(|| parameter_bytes(disposition, "filename").map(unquote_name));
    let field = match file_name {
        Some(file_name) => Field::File(vec![
            ("filename", file_name),
            ("content_type", Cow::Borrowed(content_type)),
            ("size", Cow::Owned(content.len().to_string().into_bytes())),
            ("body_offset", Cow::Owned(at.to_string().into_bytes())),
        ]),
        None => Field::Text(own_charset(content, content_type)),
    };
    Ok(Some((name, field)))
}

/// Browsers write a quote in a name as `%22` and line ends as `%0D%0A`; other percent signs stand.
fn unquote_name(name: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match memchr::memmem::find(&name, b"%22") {
        Some(_) => Cow::Owned(form::percent_decode(&name).into_owned()),
        None => name,
    }
}

/// `filename*=UTF-8''%D0%...` of RFC 5987.
fn extended(disposition: &[u8]) -> Option<Cow<'_, [u8]>> {
    let value = parameter_bytes(disposition, "filename*")?;
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let charset = String::from_utf8_lossy(parts.next()?).into_owned();
    let encoded = parts.nth(1)?;
    let bytes = form::percent_decode(encoded);
    Some(Cow::Owned(text::decode(&bytes, Some(&charset), "filename").text.into_owned().into_bytes()))
}

/// A part that names a character set of its own is brought to UTF-8 at once.
fn own_charset<'b>(content: &'b [u8], content_type: &[u8]) -> Cow<'b, [u8]> {
    match parameter(&String::from_utf8_lossy(content_type), "charset") {
        Some(charset) if !charset.eq_ignore_ascii_case("utf-8") => {
            Cow::Owned(text::decode(content, Some(&charset), "part").text.into_owned().into_bytes())
        }
        Some(_) | None => Cow::Borrowed(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], content_type: &str, expected: &str) {
        let found = match decode(body, content_type) {
            Ok(decoded) => {
                let issues: Vec<_> = decoded.issues.iter().map(|it| it.message.id.to_string()).collect();
                format!("{:?} {}", decoded.value, issues.join(" ")).trim().to_owned()
            }
            Err(error) => error.message.id.to_string(),
        };
        assert_eq!(found, expected.replace('\'', "\""), "{}", body.escape_ascii());
    }

    const TYPE: &str = "multipart/form-data; boundary=\"b 1\"";

    #[test]
    fn fields_and_files() {
        check(
            b"--b 1\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\n1\r\n--b 1\r\ncontent-disposition:form-data;name=c\r\n\r\nx\r\ny\r\n--b 1--\r\n",
            TYPE,
            "Map([('a', Map([('b', Text('1'))])), ('c', Text('x\\r\\ny'))])",
        );
        let file = "--b 1\nContent-Disposition: form-data; name=\"photo\"; filename=\"дом %22А%22.jpg\"\nContent-Type: image/jpeg\n\n\u{0}\u{1}--b 1\n--b 1--";
        check(
            file.as_bytes(),
            TYPE,
            "Map([('photo', Map([('filename', Text('дом \\'А\\'.jpg')), ('content_type', Text('image/jpeg')), ('size', Text('7')), ('body_offset', Text('109'))]))])",
        );
        let offset = file.find('\u{0}').expect("the content begins with it");
        assert_eq!(offset, 109);
        check(
            b"--b 1\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"; filename*=UTF-8''%D0%B4.txt\r\n\r\n\r\n--b 1--",
            TYPE,
            "Map([('f', Map([('filename', Text('д.txt')), ('content_type', Text('')), ('size', Text('0')), ('body_offset', Text('94'))]))])",
        );
    }

    #[test]
    fn odd_bodies() {
        let whole = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--";
        check(whole, "multipart/form-data", "Map([('a', Text('1'))])");
        check(&whole[..whole.len() - 7], "multipart/form-data", "Map([('a', Text('1'))]) decode-multipart-cut");
        check(b"--x--", "multipart/form-data; boundary=x", "Map([])");
        check(b"hello", "multipart/form-data; boundary=x", "decode-multipart-empty");
        check(b"hello", "multipart/form-data", "decode-multipart-boundary");
        check(b"--x\r\n\r\nno name\r\n--x--", "multipart/form-data; boundary=x", "Map([])");
        check(
            b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\n\xc0\xed\xed\xe0\r\n--x--",
            "multipart/form-data; boundary=x",
            "Map([('a', Text('Анна'))])",
        );
        let headers = "X-A: 1\r\n".repeat(PART_HEADERS_MAX + 1);
        check(format!("--x\r\n{headers}\r\n1\r\n--x--").as_bytes(), "a/b; boundary=x", "decode-multipart-headers");
        let parts = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n".repeat(FORM_FIELDS_MAX + 1);
        check(format!("{parts}--x--").as_bytes(), "a/b; boundary=x", "decode-form-fields");
    }
}
