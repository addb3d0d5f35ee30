//! Forms: `application/x-www-form-urlencoded`, and the tree that field names make.
//!
//! `a[b][c]=1` (PHP, Elementor, Tilda's cart) makes nested maps, `a[]=1&a[]=2` and plain
//! repetition make lists, `a[0]=x&a[1]=y` makes a list too. A name whose brackets do not pair is
//! taken as it stands. Names and values are read in one character set: that of the field
//! `_charset_`, of the `Content-Type`, or what the bytes look like.

use std::borrow::Cow;

use compact_str::CompactString;

use super::{DecodeError, Decoded, text};
use crate::base::Message;
use crate::base::limits::{FORM_FIELDS_MAX, VALUE_DEPTH_MAX};
use crate::model::Issue;
use crate::value::Value;

use super::fold::Members;

/// Decodes a urlencoded body. `declared` is the charset of its `Content-Type`, if any.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> Result<Decoded, DecodeError> {
    let body = bytes.trim_ascii();
    let mut issues = Vec::new();
    let mut fields = Vec::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        // Bound: FORM_FIELDS_MAX; the record is quarantined.
        if fields.len() == FORM_FIELDS_MAX {
            return Err(Message::new("decode-form-fields").with("max", FORM_FIELDS_MAX).into());
        }
        let (name, value) = match memchr::memchr(b'=', pair) {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &pair[pair.len()..]),
        };
        let (name, _) = unescape(name);
        let (value, is_whole) = unescape(value);
        if !is_whole {
            let field = String::from_utf8_lossy(&name).into_owned();
            let message = Message::new("decode-form-percent").with("field", &field);
            issues.push(Issue::new(&field, message, String::from_utf8_lossy(&value)));
        }
        fields.push((name, Field::Text(value)));
    }
    let mut decoded = assemble(fields, declared)?;
    decoded.issues.splice(0..0, issues);
    Ok(decoded)
}

/// Decodes a body of the HTML encoding `text/plain`: a line `name=value` for each field.
pub fn decode_lines(bytes: &[u8], declared: Option<&str>) -> Result<Decoded, DecodeError> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let mut fields = Vec::new();
    for line in lines {
        if fields.len() == FORM_FIELDS_MAX {
            return Err(Message::new("decode-form-fields").with("max", FORM_FIELDS_MAX).into());
        }
        match memchr::memchr(b'=', line) {
            Some(at) => fields.push((Cow::Borrowed(&line[..at]), Field::Text(Cow::Borrowed(&line[at + 1..])))),
            // A line without a name goes on with the value before: a comment of several lines.
            None => match fields.last_mut() {
                Some((_, Field::Text(value))) => {
                    let value = value.to_mut();
                    value.push(b'\n');
                    value.extend_from_slice(line);
                }
                Some((_, Field::File(_))) | None => fields.push((Cow::Borrowed(line), Field::Text(Cow::Borrowed(b"")))),
            },
        }
    }
    assemble(fields, declared)
}

/// Percent and plus decoding; `false` when a percent sign stands alone and was kept.
fn unescape(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    if memchr::memchr2(b'%', b'+', bytes).is_none() {
        return (Cow::Borrowed(bytes), true);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut is_whole = true;
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match hex_pair(after) {
                Some(decoded) => {
                    out.push(decoded);
                    rest = &after[2..];
                }
                None => {
                    out.push(b'%');
                    is_whole = false;
                }
            },
            plain => out.push(*plain),
        }
    }
    (Cow::Owned(out), is_whole)
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some((digit(bytes.first()?)? * 16 + digit(bytes.get(1)?)?) as u8)
}

/// Percent decoding of one component of a query; a plus sign is a plus sign where the caller
/// knows that its sender does not encode (`1C` writes file names as they are).
pub fn percent_decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        match (*byte == b'%').then(|| hex_pair(after)).flatten() {
            Some(decoded) => {
                out.push(decoded);
                rest = &after[2..];
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    Cow::Owned(out)
}

/// What a field holds before its character set is known.
#[derive(Debug)]
pub(super) enum Field<'b> {
    /// Text.
    Text(Cow<'b, [u8]>),
    /// What is known of an uploaded file.
    File(Vec<(&'static str, Cow<'b, [u8]>)>),
}

/// Makes the record of the fields in the order they came.
pub(super) fn assemble(
    fields: Vec<(Cow<'_, [u8]>, Field<'_>)>,
    declared: Option<&str>,
) -> Result<Decoded, DecodeError> {
    let named = fields.iter().find_map(|(name, field)| match field {
        Field::Text(value) if name.as_ref() == b"_charset_" => std::str::from_utf8(value).ok(),
        Field::Text(_) | Field::File(_) => None,
    });
    let declared = named.or(declared);
    let mut all = Vec::new();
    for (name, field) in &fields {
        all.extend_from_slice(name);
        match field {
            Field::Text(value) => all.extend_from_slice(value),
            Field::File(parts) => parts.iter().for_each(|(_, value)| all.extend_from_slice(value)),
        }
    }
    let (encoding, _) = text::detect(&all, declared);
    drop(all);
    let label = Some(encoding.name());

    let mut issues = Vec::new();
    let mut root = Node::default();
    for (name, field) in &fields {
        let name = text::decode(name, label, "name").text;
        let value = match field {
            Field::Text(value) => {
                let read = text::decode(value, label, &name);
                issues.extend(read.issues);
                Value::Text(read.text.into())
            }
            Field::File(parts) => {
                let part = |(key, value): &(&'static str, Cow<'_, [u8]>)| {
                    (CompactString::const_new(key), Value::Text(text::decode(value, label, &name).text.into()))
                };
                Value::Map(parts.iter().map(part).collect())
            }
        };
        root.put(&name, value)?;
    }
    Ok(Decoded { value: root.into_map(), issues })
}

/// A field name and what came under it.
#[derive(Debug, Default)]
struct Node {
    values: Vec<Value>,
    children: Vec<(CompactString, Node)>,
}

impl Node {
    fn put(&mut self, name: &str, value: Value) -> Result<(), DecodeError> {
        let mut node = self;
        for (depth, segment) in segments(name).into_iter().enumerate() {
            // Bound: VALUE_DEPTH_MAX; the record is quarantined.
            if depth == VALUE_DEPTH_MAX {
                return Err(Message::new("decode-form-depth").with("field", name).with("max", VALUE_DEPTH_MAX).into());
            }
            // `a[]`: one more value of `a`.
            if segment.is_empty() && depth > 0 {
                break;
            }
            node = node.child(segment);
        }
        node.values.push(value);
        Ok(())
    }

    // FORM_FIELDS_MAX keeps the search short.
    fn child(&mut self, name: &str) -> &mut Node {
        let place = self.children.iter().position(|(it, _)| it == name).unwrap_or_else(|| {
            self.children.push((name.into(), Node::default()));
            self.children.len() - 1
        });
        &mut self.children[place].1
    }

    fn into_map(self) -> Value {
        let mut members = Members::default();
        for (name, child) in self.children {
            members.push(name, child.into_value());
        }
        members.into_value()
    }

    fn into_value(mut self) -> Value {
        if !self.children.is_empty() {
            let is_list = self.children.iter().enumerate().all(|(index, (name, _))| *name == index.to_string());
            let nested = match is_list {
                true => Value::List(self.children.into_iter().map(|(_, child)| child.into_value()).collect()),
                false => Node { values: Vec::new(), children: self.children }.into_map(),
            };
            if self.values.is_empty() {
                return nested;
            }
            self.values.push(nested);
        }
        match self.values.len() {
            1 => self.values.remove(0),
            _ => Value::List(self.values),
        }
    }
}

/// `a[b][c]` -> a, b, c; a name whose brackets do not pair stands alone.
fn segments(name: &str) -> Vec<&str> {
    let whole = vec![name];
    let Some(open) = name.find('[').filter(|at| *at > 0) else { return whole };
    let mut segments = vec![&name[..open]];
    let mut rest = &name[open..];
    while !rest.is_empty() {
        let Some(inside) = rest.strip_prefix('[') else { return whole };
        let Some(close) = inside.find(']') else { return whole };
        segments.push(inside[..close].trim());
        rest = &inside[close + 1..];
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], declared: Option<&str>, expected: &str) {
        let found = match decode(body, declared) {
            Ok(decoded) => {
                let issues: Vec<_> = decoded.issues.iter().map(|it| it.message.id.to_string()).collect();
                format!("{:?} {}", decoded.value, issues.join(" ")).trim().to_owned()
            }
            Err(error) => error.message.id.to_string(),
        };
        let expected = expected.replace('\'', "\"");
        assert_eq!(found, expected, "{}", body.escape_ascii());
    }

    #[test]
    fn fields_make_a_tree() {
        check(
            b"Name=Anna+K&Phone=%2B79000000001",
            None,
            "Map([('Name', Text('Anna K')), ('Phone', Text('+79000000001'))])",
        );
        check(b"a=1&a=2&b", None, "Map([('a', List([Text('1'), Text('2')])), ('b', Text(''))])");
        check(b"a[]=1&a[]=2", None, "Map([('a', List([Text('1'), Text('2')]))])");
        check(b"a[]=1", None, "Map([('a', Text('1'))])");
        check(b"a[0]=x&a[1]=y", None, "Map([('a', List([Text('x'), Text('y')]))])");
        check(
            b"a%5Bb%5D%5Bc%5D=1&a[b][d]=2",
            None,
            "Map([('a', Map([('b', Map([('c', Text('1')), ('d', Text('2'))]))]))])",
        );
        check(
            b"p[0][name]=x&p[1][name]=y",
            None,
            "Map([('p', List([Map([('name', Text('x'))]), Map([('name', Text('y'))])]))])",
        );
        check(b"a=1&a[b]=2", None, "Map([('a', List([Text('1'), Map([('b', Text('2'))])]))])");
        check(b"a[b=1&[c]=2&d]=3", None, "Map([('a[b', Text('1')), ('[c]', Text('2')), ('d]', Text('3'))])");
        check(b"&&a=b=c&\r\n", None, "Map([('a', Text('b=c'))])");
        check(
            b"a=100%&b=%zz",
            None,
            "Map([('a', Text('100%')), ('b', Text('%zz'))]) decode-form-percent decode-form-percent",
        );
        check(b"", None, "Map([])");
    }

    #[test]
    fn character_sets_are_those_of_the_sender() {
        let name = "Map([('имя', Text('Анна'))])";
        check("имя=Анна".as_bytes(), None, name);
        check(b"%D0%B8%D0%BC%D1%8F=%D0%90%D0%BD%D0%BD%D0%B0", None, name);
        check(b"%E8%EC%FF=%C0%ED%ED%E0", None, name);
        check(b"%E8%EC%FF=%C0%ED%ED%E0", Some("windows-1251"), name);
        check(b"%C9%CD%D1=%E1%CE%CE%C1", Some("koi8-r"), name);
        check(
            b"_charset_=koi8-r&%C9%CD%D1=%E1%CE%CE%C1",
            Some("utf-8"),
            "Map([('_charset_', Text('koi8-r')), ('имя', Text('Анна'))])",
        );
    }

    #[test]
    fn bounds_are_told() {
        let many: Vec<_> = (0..=FORM_FIELDS_MAX).map(|number| format!("f{number}=1")).collect();
        check(many.join("&").as_bytes(), None, "decode-form-fields");
        check(format!("a{}=1", "[b]".repeat(VALUE_DEPTH_MAX)).as_bytes(), None, "decode-form-depth");
    }

    #[test]
    fn a_plain_text_form_has_a_line_for_each_field() {
        let decoded =
            decode_lines("name=Анна К\r\ncomment=первая=1\r\nвторая\r\n".as_bytes(), None).expect("it is a form");
        assert_eq!(
            format!("{:?}", decoded.value),
            "Map([(\"name\", Text(\"Анна К\")), (\"comment\", Text(\"первая=1\\nвторая\"))])"
        );
    }
}
