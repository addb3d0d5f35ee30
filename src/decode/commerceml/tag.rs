//! Tags in bytes that may be damaged: enough to walk around records and to find where one ends.

use memchr::memmem;

use crate::decode::xml;

/// What stands at a `<`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Markup<'b> {
    /// More bytes are needed to tell.
    Cut,
    /// Comment, processing instruction, declaration, CDATA: so many bytes.
    Aside(usize),
    /// A document type: so many bytes, and whether it declares entities.
    Doctype { len: usize, declares: bool },
    /// A start tag; `inside` is what stands between the brackets, without the slash of an empty one.
    Start { name: &'b str, inside: &'b str, is_empty: bool, len: usize },
    /// An end tag.
    End { name: &'b str, len: usize },
    /// No markup: the next place worth a look is so many bytes on.
    Damaged(usize),
}

/// Looks at bytes that begin with `<`.
pub(super) fn read(bytes: &[u8]) -> Markup<'_> {
    let until =
        |end: &[u8], from: usize| memmem::find(&bytes[from.min(bytes.len())..], end).map(|at| from + at + end.len());
    let aside = |len: Option<usize>| len.map_or(Markup::Cut, Markup::Aside);
    match bytes.get(1) {
        None => Markup::Cut,
        Some(b'?') => aside(until(b"?>", 2)),
        Some(b'!') => match () {
            () if bytes.starts_with(b"<!--") => aside(until(b"-->", 4)),
            () if bytes.starts_with(b"<![CDATA[") => aside(until(b"]]>", 9)),
            () if bytes.starts_with(b"<!DOCTYPE") => doctype(bytes),
            () if bytes.len() < 9 => Markup::Cut,
            () => Markup::Damaged(2),
        },
        Some(b'/') => match memchr::memchr2(b'>', b'<', &bytes[1..]) {
            None => Markup::Cut,
            Some(at) if bytes[at + 1] == b'<' => Markup::Damaged(at + 1),
            Some(at) => match std::str::from_utf8(&bytes[2..at + 1]) {
                Ok(name) => Markup::End { name: xml::local(name.trim()), len: at + 2 },
                Err(_) => Markup::Damaged(at + 2),
            },
        },
        Some(_) => start(bytes),
    }
}

fn doctype(bytes: &[u8]) -> Markup<'_> {
    match memchr::memchr2(b'>', b'[', bytes) {
        None => Markup::Cut,
        Some(at) => Markup::Doctype { len: at + 1, declares: bytes[at] == b'[' },
    }
}

fn start(bytes: &[u8]) -> Markup<'_> {
    let mut at = 1;
    let end = loop {
        let Some(found) = bytes[at..].iter().position(|byte| matches!(byte, b'>' | b'<' | b'"' | b'\'')) else {
            return Markup::Cut;
        };
        at += found;
        match bytes[at] {
            b'>' => break at,
            b'<' => return Markup::Damaged(at),
            // A quote ends at its like; `<` may not stand between them, so a lost quote ends there.
            quote => match memchr::memchr2(quote, b'<', &bytes[at + 1..]) {
                None => return Markup::Cut,
                Some(close) if bytes[at + 1 + close] == b'<' => return Markup::Damaged(at + 1 + close),
                Some(close) => at += close + 2,
            },
        }
    };
    let Ok(inside) = std::str::from_utf8(&bytes[1..end]) else { return Markup::Damaged(end + 1) };
    let (inside, is_empty) = match inside.strip_suffix('/') {
        Some(inside) => (inside, true),
        None => (inside, false),
    };
    let name = inside.split(|it: char| it.is_whitespace()).next().unwrap_or_default();
    let is_name = name.chars().next().is_some_and(|it| it.is_alphabetic() || it == '_');
    match is_name {
        true => Markup::Start { name: xml::local(name), inside, is_empty, len: end + 1 },
        false => Markup::Damaged(end + 1),
    }
}

/// What a `<` inside a record means for where the record ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// More bytes are needed to tell.
    Cut,
    /// Nothing: go on so many bytes further.
    Skip(usize),
    /// An element of the record's own name begins.
    Nested { len: usize, is_empty: bool },
    /// The end tag of the record's name.
    End(usize),
    /// The end tag of something around the record.
    Around,
}

/// Looks at bytes that begin with `<`, within a record named `name`.
pub(super) fn inside(bytes: &[u8], name: &str, around: &[&str]) -> Inside {
    match bytes.get(1) {
        None => Inside::Cut,
        Some(b'!') if bytes.len() < 9 => Inside::Cut,
        Some(b'!') if bytes.starts_with(b"<!--") || bytes.starts_with(b"<![CDATA[") => match read(bytes) {
            Markup::Aside(len) => Inside::Skip(len),
            Markup::Cut => Inside::Cut,
            Markup::Doctype { .. } | Markup::Start { .. } | Markup::End { .. } | Markup::Damaged(_) => Inside::Skip(2),
        },
        Some(b'!' | b'?') => Inside::Skip(2),
        Some(b'/') => {
            let Some(found) = name_at(&bytes[2..]) else { return cut_or_skip(bytes) };
            if found == name.as_bytes() {
                return match memchr::memchr(b'>', bytes) {
                    Some(at) => Inside::End(at + 1),
                    None => cut_or_skip(bytes),
                };
            }
            match around.iter().any(|it| it.as_bytes() == found) {
                true => Inside::Around,
                false => Inside::Skip(2),
            }
        }
        Some(_) => {
            let Some(found) = name_at(&bytes[1..]) else { return cut_or_skip(bytes) };
            if found != name.as_bytes() {
                return Inside::Skip(1);
            }
            match start(bytes) {
                Markup::Start { is_empty, len, .. } => Inside::Nested { len, is_empty },
                Markup::Cut => cut_or_skip(bytes),
                Markup::Aside(_) | Markup::Doctype { .. } | Markup::End { .. } | Markup::Damaged(_) => Inside::Skip(1),
            }
        }
    }
}

/// A tag that does not end is no tag; names and attributes are never this long.
fn cut_or_skip(bytes: &[u8]) -> Inside {
    match bytes.len() > 4096 {
        true => Inside::Skip(1),
        false => Inside::Cut,
    }
}

/// The local name at the beginning of `bytes`; `None` when its end is not in sight.
fn name_at(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n' | b'<'))?;
    let name = &bytes[..end];
    Some(memchr::memrchr(b':', name).map_or(name, |at| &name[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_damage() {
        let check = |text: &str, expected: Markup<'_>| assert_eq!(read(text.as_bytes()), expected, "{text}");
        check("<а>x", Markup::Start { name: "а", inside: "а", is_empty: false, len: 4 });
        check("<к:а б=\">\"/>x", Markup::Start { name: "а", inside: "к:а б=\">\"", is_empty: true, len: 15 });
        check("</к:а >", Markup::End { name: "а", len: 9 });
        check("<!-- > -->x", Markup::Aside(10));
        check("<![CDATA[ ]] > ]]>x", Markup::Aside(18));
        check("<?xml ?>", Markup::Aside(8));
        check("<!DOCTYPE html>", Markup::Doctype { len: 15, declares: false });
        check("<!DOCTYPE a [", Markup::Doctype { len: 13, declares: true });
        check("<not valid xml!!!\n</a>", Markup::Damaged(18));
        check("<а б=\"x>\n<в>", Markup::Damaged(11));
        check("<1>", Markup::Damaged(3));
        check("<>", Markup::Damaged(2));
        check("</a<b>", Markup::Damaged(3));
        for cut in ["<", "<а", "<а б=\"", "</а", "<!", "<!-- -", "<!DOCTYPE"] {
            check(cut, Markup::Cut);
        }
    }
}
