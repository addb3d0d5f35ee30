//! XML element -> [`Value`].
//!
//! Local names only: every dialect binds its namespaces otherwise, or forgets them. Attributes are
//! `@name`, text beside attributes or children is `#text`, children that repeat fold into a list,
//! text and attributes are trimmed, `xsi:nil` is null. The five predefined entities and character
//! references are resolved; others stay as they are written, so that no entity can grow. A
//! document with entity declarations of its own is refused.

use std::borrow::Cow;

use compact_str::CompactString;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::fold::Members;
use super::{DecodeError, Decoded, place, text};
use crate::base::Message;
use crate::base::limits::VALUE_DEPTH_MAX;
use crate::value::Value;

/// What is wrong in an XML text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong: the identifier of a text of the decoders, with its details.
    pub message: Message,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1, in characters.
    pub column: u64,
}

/// Decodes a document: a map of one member, named as the root element.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> Result<Decoded, DecodeError> {
    let in_file = text::declared_xml(bytes).map(encoding_rs::Encoding::name);
    let read = text::decode(bytes, in_file.or(declared), "body");
    let (name, value) = element(&read.text).map_err(|fault| {
        Message::new("decode-xml").with("line", fault.line).with("column", fault.column).with("detail", fault.message)
    })?;
    Ok(Decoded { value: Value::Map(vec![(name, value)]), issues: read.issues })
}

/// Reads a text that holds one element: its local name and content.
pub fn element(text: &str) -> Result<(CompactString, Value), Fault> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut tree = Tree { open: Vec::new(), done: None };
    loop {
        // Where the event begins, for the message.
        let at = reader.buffer_position() as usize;
        let fault = |message: Message| {
            let (line, column) = place(text, at);
            Fault { message, line, column }
        };
        match reader.read_event() {
            Ok(Event::Start(tag)) => tree.start(&tag).map_err(fault)?,
            Ok(Event::Empty(tag)) => {
                tree.start(&tag).map_err(fault)?;
                tree.end();
            }
            Ok(Event::End(_)) => tree.end(),
            Ok(Event::Text(it)) => tree.text(&it).map_err(fault)?,
            Ok(Event::CData(it)) => tree.text(&it).map_err(fault)?,
            Ok(Event::GeneralRef(it)) => tree.text(&unescape(&format!("&{};", &*it))).map_err(fault)?,
            Ok(Event::DocType(it)) if it.contains('[') => {
                return Err(fault(Message::new("decode-xml-dtd")));
            }
            Ok(Event::DocType(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_)) => {}
            Ok(Event::Eof) => {
                return match (tree.done, tree.open.pop()) {
                    (_, Some(open)) => Err(fault(Message::new("decode-xml-unclosed").with("name", open.name))),
                    (Some(done), None) => Ok(done),
                    (None, None) => Err(fault(Message::new("decode-xml-none"))),
                };
            }
            Err(error) => {
                let (line, column) = place(text, reader.error_position() as usize);
                let message = Message::new("decode-xml-syntax").with("detail", error);
                return Err(Fault { message, line, column });
            }
        }
    }
}

struct Open {
    name: CompactString,
    members: Members,
    text: CompactString,
    nil: bool,
}

struct Tree {
    open: Vec<Open>,
    done: Option<(CompactString, Value)>,
}

impl Tree {
    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Message> {
        // Bound: VALUE_DEPTH_MAX; the record is quarantined.
        if self.open.len() == VALUE_DEPTH_MAX {
            return Err(Message::new("decode-xml-depth").with("max", VALUE_DEPTH_MAX));
        }
        if self.open.is_empty() && self.done.is_some() {
            return Err(Message::new("decode-xml-second").with("name", tag_name(tag)));
        }
        let mut open =
            Open { name: tag_name(tag), members: Members::default(), text: CompactString::default(), nil: false };
        if !tag.attributes_raw().trim_ascii().is_empty() {
            open.nil = attributes(tag, |name, value| open.members.push(name, Value::Text(value)))?;
        }
        self.open.push(open);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Message> {
        match self.open.last_mut() {
            Some(open) => open.text.push_str(text),
            None if text.trim().is_empty() || text == "\u{feff}" => {}
            None => return Err(Message::new("decode-xml-outside")),
        }
        Ok(())
    }

    fn end(&mut self) {
        let Some(mut open) = self.open.pop() else { return };
        let text = open.text.trim();
        let value = if open.members.is_empty() {
            match open.nil {
                true => Value::Null,
                false if text.len() == open.text.len() => Value::Text(open.text),
                false => Value::Text(text.into()),
            }
        } else {
            if !text.is_empty() {
                open.members.push(CompactString::const_new("#text"), Value::Text(text.into()));
            }
            open.members.into_value()
        };
        match self.open.last_mut() {
            Some(parent) => parent.members.push(open.name, value),
            None => self.done = Some((open.name, value)),
        }
    }
}

fn tag_name(tag: &BytesStart<'_>) -> CompactString {
    local(tag.name().into_inner()).into()
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The attributes as `@name` and trimmed value, without declarations of namespaces; tells whether
/// the element says that it is null.
pub(super) fn attributes(
    tag: &BytesStart<'_>,
    mut each: impl FnMut(CompactString, CompactString),
) -> Result<bool, Message> {
    let mut nil = false;
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| Message::new("decode-xml-syntax").with("detail", error))?;
        let full = attribute.key.into_inner();
        if full == "xmlns" || full.starts_with("xmlns:") {
            continue;
        }
        let name = local(full);
        let value = unescape(&attribute.value);
        let value = value.trim();
        if name == "nil" && full != name {
            nil = value == "true" || value == "1";
            continue;
        }
        let mut member = CompactString::const_new("@");
        member.push_str(name);
        each(member, value.into());
    }
    Ok(nil)
}

/// Resolves predefined entities and character references; everything else stays as written.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let reference = rest.bytes().take(12).position(|byte| byte == b';').map(|end| &rest[1..end]);
        match reference.and_then(|name| Some((resolve(name)?, name.len() + 2))) {
            Some((it, len)) => {
                text.push(it);
                rest = &rest[len..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn resolve(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|it| *it != '\0')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(xml: &str, expected: &str) {
        let found = match element(xml) {
            Ok((name, value)) => format!("{name} {value:?}"),
            Err(fault) => format!("{} {}:{}", fault.message.id, fault.line, fault.column),
        };
        assert_eq!(found, expected.replace('\'', "\""), "{xml}");
    }

    #[test]
    fn elements_become_values() {
        check("<а>1</а>", "а Text('1')");
        check("<а/>", "а Text('')");
        check("\u{feff}<?xml version='1.0'?><!-- x --><к:а xmlns:к='u'> x\n</к:а>", "а Text('x')");
        check("<а><б>1</б><б>2</б><б/></а>", "а Map([('б', List([Text('1'), Text('2'), Text('')]))])");
        check("<а к='796 '>шт</а>", "а Map([('@к', Text('796')), ('#text', Text('шт'))])");
        check("<а>до<б/>после</а>", "а Map([('б', Text('')), ('#text', Text('допосле'))])");
        check("<а xsi:nil='true'/>", "а Null");
        check("<а>a&amp;b &lt;c&gt; &#1040; &#x41; &nbsp; &copy A&B</а>", "а Text('a&b <c> А A &nbsp; &copy A&B')");
        check("<а><![CDATA[<x>&amp;]]> y</а>", "а Text('<x>&amp; y')");
        check("<а b='&lt;&quot;&amp;&foo;'/>", "а Map([('@b', Text('<\\'&&foo;'))])");
        check("<!DOCTYPE a SYSTEM 'x'><a/>", "a Text('')");
    }

    #[test]
    fn what_cannot_be_read_names_its_place() {
        check("", "decode-xml-none 1:1");
        check("<а>\n<б></а>", "decode-xml-syntax 2:4");
        check("<а>\n<б>", "decode-xml-unclosed 2:4");
        check("<а>\n <not valid xml!!!\n</а>", "decode-xml-syntax 2:2");
        check("<а/><б/>", "decode-xml-second 1:5");
        check("x<а/>", "decode-xml-outside 1:1");
        check("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "decode-xml-dtd 1:1");
        check(&"<a>".repeat(65), "decode-xml-depth 1:193");
    }

    #[test]
    fn the_declaration_names_the_character_set() {
        let xml = "<?xml version=\"1.0\" encoding=\"windows-1251\"?><а>ё</а>";
        let bytes = encoding_rs::WINDOWS_1251.encode(xml).0.into_owned();
        let decoded = decode(&bytes, Some("utf-8")).expect("it is XML");
        assert_eq!(decoded.value.get("а").and_then(Value::as_text), Some("ё"));
        assert_eq!(decoded.issues, []);
    }
}
