//! Whatever a site posts: chosen by content type, and by a look at the body where the type is
//! missing, general or plainly wrong (`curl -d` calls JSON a form).

use super::{DecodeError, Decoded, form, json, multipart, xml};
use crate::base::Message;
use crate::model::Issue;

/// The formats that a submission may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Form,
    Lines,
    Multipart,
    Json,
    Xml,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Format::Form => "application/x-www-form-urlencoded",
            Format::Lines => "text/plain",
            Format::Multipart => "multipart/form-data",
            Format::Json => "application/json",
            Format::Xml => "application/xml",
        }
    }
}

/// Decodes a submitted body. An empty body is an empty record: the query of the request may hold
/// everything.
pub fn submission(content_type: &str, body: &[u8]) -> Result<Decoded, DecodeError> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let charset = multipart::parameter(content_type, "charset");
    let declared = declared(&media);
    let Some(seen) = look(body) else { return form::decode(b"", None) };
    let format = match (declared, seen) {
        // Both are told by their first bytes, and neither can be a form.
        (Some(Format::Form | Format::Lines), Some(Format::Json)) if is_json(body) => Format::Json,
        (Some(Format::Form), Some(Format::Multipart)) => Format::Multipart,
        (Some(declared), _) => declared,
        (None, Some(seen)) => seen,
        (None, None) => {
            return Err(Message::new("decode-submission-unknown").with("type", content_type).into());
        }
    };
    let mut decoded = match format {
        Format::Form => form::decode(body, charset.as_deref()),
        Format::Lines => form::decode_lines(body, charset.as_deref()),
        Format::Multipart => multipart::decode(body, content_type),
        Format::Json => json::decode(body, charset.as_deref()),
        Format::Xml => xml::decode(body, charset.as_deref()),
    }?;
    if let Some(declared) = declared.filter(|it| *it != format) {
        let message =
            Message::new("decode-type-differs").with("declared", declared.name()).with("found", format.name());
        decoded.issues.push(Issue::new("content-type", message, content_type));
    }
    Ok(decoded)
}

fn declared(media: &str) -> Option<Format> {
    match media {
        "application/x-www-form-urlencoded" => Some(Format::Form),
        "multipart/form-data" => Some(Format::Multipart),
        "application/json" | "text/json" => Some(Format::Json),
        "application/xml" | "text/xml" => Some(Format::Xml),
        other if other.ends_with("+json") => Some(Format::Json),
        other if other.ends_with("+xml") => Some(Format::Xml),
        // text/plain and application/octet-stream say nothing.
        _ => None,
    }
}

/// What the body looks like; `None` when it is blank, `Some(None)` when it looks like nothing.
fn look(body: &[u8]) -> Option<Option<Format>> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body).trim_ascii();
    let format = match body.first()? {
        b'{' | b'[' => Some(Format::Json),
        b'<' => Some(Format::Xml),
        b'-' if body.starts_with(b"--") => Some(Format::Multipart),
        _ if memchr::memchr(b'=', body).is_none() => None,
        _ => match body.iter().any(|byte| matches!(byte, b' ' | b'\n')) {
            true => Some(Format::Lines),
            false => Some(Format::Form),
        },
    };
    Some(format)
}

/// A form may begin with a brace too (`{"a":1}` as the only name): JSON must read to its end.
fn is_json(body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content_type: &str, body: &str, expected: &str) {
        let found = match submission(content_type, body.as_bytes()) {
            Ok(decoded) => {
                let issues: Vec<_> = decoded.issues.iter().map(|it| it.message.id.to_string()).collect();
                format!("{:?} {}", decoded.value, issues.join(" ")).trim().to_owned()
            }
            Err(error) => error.message.id.to_string(),
        };
        assert_eq!(found, expected.replace('\'', "\""), "{content_type}: {body}");
    }

    const A: &str = "Map([('a', Text('1'))])";

    #[test]
    fn the_format_is_chosen_by_type_and_look() {
        check("application/x-www-form-urlencoded; charset=UTF-8", "a=1", A);
        check("Application/JSON", "{\"a\":\"1\"}", A);
        check("application/ld+json; charset=utf-8", "{\"a\":\"1\"}", A);
        check("text/plain", "{\"a\":\"1\"}", A);
        check("text/plain;charset=UTF-8", "a=1", A);
        check("text/plain", "a=1\r\nb=x y\r\n", "Map([('a', Text('1')), ('b', Text('x y'))])");
        check("", "a=1", A);
        check("", "\u{feff}{\"a\":\"1\"}", A);
        check("", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", A);
        check("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", A);
        check("application/octet-stream", "a=1", A);
        check("text/xml", "<r><a>1</a></r>", "Map([('r', Map([('a', Text('1'))]))])");
        check("application/x-www-form-urlencoded", "{\"a\":\"1\"}", &format!("{A} decode-type-differs"));
        check("application/x-www-form-urlencoded", "{\"a\"", "Map([('{\\'a\\'', Text(''))])");
        check("", "", "Map([])");
        check("application/json", "  ", "Map([])");
        check("application/json", "{", "decode-json");
        check("text/plain", "hello", "decode-submission-unknown");
        check("", "{", "decode-json");
    }
}
