//! Files of the 1C exchange: CommerceML 2.03 to 2.10, the split dialect of 2.09, 3.1.
//!
//! A file is read as a stream, never as a whole: records come out in the order of the file, each
//! under the name of its kind:
//!
//! | stream | element |
//! | --- | --- |
//! | `order` | `Документ` with `ХозОперация` "Заказ товара" |
//! | `document` | any other `Документ` |
//! | `counterparty` | `Контрагент` under `Контрагенты`, the root or `Контейнер` |
//! | `product` | `Товар` of a catalogue |
//! | `offer` | `Предложение`: offers, prices, rests |
//!
//! What a file says of itself (`ВерсияСхемы`, `ДатаФормирования`, `СодержитТолькоИзменения` and
//! every other attribute of the elements around) stands in each record as `@name`, before its own
//! members; an own attribute of that name wins.
//!
//! Order of children does not matter, namespaces do not, `Контейнер` around documents does not.
//! A record that cannot be read is a [`Broken`] item and the next one is read: after a record the
//! reader looks for its end tag in the bytes, not in the tree, so that an unclosed or mangled
//! element inside one record cannot swallow another. Character sets are those of
//! [`super::text`].

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::base::limits::ITEMS_MAX;
use crate::base::{Message, Slug};
use crate::model::Issue;
use crate::value::Value;

use super::archive::{Archive, MemberReader, Next, Refused, is_archive};

mod feed;
mod records;
mod tag;

pub use records::{Records, records};

/// Name of the root element.
pub const ROOT: &str = "КоммерческаяИнформация";

/// One item of a file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The file, or `archive.zip/member.xml`.
    pub file: Arc<str>,
    /// The line it begins on, from 1.
    pub line: u64,
    /// What is there.
    pub content: Content,
}

/// What an item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A record.
    Record(Record),
    /// Something that cannot be read.
    Broken(Broken),
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its kind: `order`, `document`, `counterparty`, `product`, `offer`.
    pub stream: Slug,
    /// Its content.
    pub value: Value,
    /// What was odd.
    pub issues: Vec<Issue>,
}

/// Something that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// How much of the file it means.
    pub extent: Extent,
    /// File, line, what is wrong, what to do.
    pub message: Message,
}

/// How much of a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// One record or place; the file goes on.
    Record,
    /// The rest of the file.
    Rest,
    /// The whole file: it is something else, empty, or damaged from the beginning.
    File,
}

impl Item {
    fn broken(file: &Arc<str>, line: u64, extent: Extent, message: Message) -> Item {
        Item { file: Arc::clone(file), line, content: Content::Broken(Broken { extent, message }) }
    }
}

/// Opens a file of the exchange, plain XML or a zip with any number of XML members, and gives its
/// items in order: the place of an item in this order is its number within the envelope.
pub fn open<R: Read + Seek>(file_name: &str, mut body: R) -> Items<R> {
    let file: Arc<str> = file_name.into();
    let mut head = [0u8; 4];
    let source = match read_head(&mut body, &mut head) {
        Err(error) => Source::Failed(unreadable(&file, 0, &error)),
        Ok(len) if is_archive(&head[..len]) => match Archive::open(file_name, body) {
            Ok(archive) => Source::Between(archive),
            Err(error) => Source::Failed(error.message),
        },
        Ok(_) => Source::Plain(Box::new(records(Arc::clone(&file), body))),
    };
    Items { file, source, yielded: 0 }
}

fn read_head<R: Read + Seek>(body: &mut R, head: &mut [u8]) -> io::Result<usize> {
    body.seek(SeekFrom::Start(0))?;
    let mut len = 0;
    while len < head.len() {
        match body.read(&mut head[len..])? {
            0 => break,
            count => len += count,
        }
    }
    body.seek(SeekFrom::Start(0))?;
    Ok(len)
}

/// The message of an error of reading: that of a guard when a guard stopped it.
fn unreadable(file: &str, line: u64, error: &io::Error) -> Message {
    let refused = error.get_ref().and_then(|cause| cause.downcast_ref::<Refused>());
    match refused {
        Some(Refused(message)) => message.clone().with("file", file).with("line", line),
        None => Message::new("decode-commerceml-io").with("file", file).with("line", line).with("detail", error),
    }
}

/// The items of a file; see [`open`].
pub struct Items<R> {
    file: Arc<str>,
    source: Source<R>,
    yielded: u32,
}

enum Source<R> {
    Plain(Box<Records<R>>),
    Between(Archive<R>),
    Member(Box<Records<Box<MemberReader<R>>>>),
    Failed(Message),
    Over,
}

impl<R: Read + Seek> Items<R> {
    fn advance(&mut self) -> Option<Item> {
        loop {
            match std::mem::replace(&mut self.source, Source::Over) {
                Source::Over => return None,
                Source::Failed(message) => return Some(Item::broken(&self.file, 0, Extent::File, message)),
                Source::Plain(mut records) => {
                    let item = records.next()?;
                    self.source = Source::Plain(records);
                    return Some(item);
                }
                Source::Member(mut records) => match records.next() {
                    Some(item) => {
                        self.source = Source::Member(records);
                        return Some(item);
                    }
                    None => self.source = Source::Between(records.into_reader().into_archive()),
                },
                Source::Between(archive) => match archive.next_member() {
                    Next::Over => return None,
                    Next::Member { name, reader } => {
                        let file = format!("{}/{name}", self.file).into();
                        self.source = Source::Member(Box::new(records(file, reader)));
                    }
                    Next::Refused { archive, name, message } => {
                        self.source = Source::Between(archive);
                        let file = format!("{}/{name}", self.file).into();
                        return Some(Item::broken(&file, 0, Extent::File, message));
                    }
                },
            }
        }
    }
}

impl<R: Read + Seek> Iterator for Items<R> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let item = self.advance()?;
        self.yielded += 1;
        // Bound: ITEMS_MAX; the rest is one broken item.
        if self.yielded == ITEMS_MAX {
            self.source = Source::Over;
            let message = Message::new("decode-commerceml-items").with("file", &item.file).with("max", ITEMS_MAX);
            return Some(Item::broken(&item.file, item.line, Extent::Rest, message.with("line", item.line)));
        }
        Some(item)
    }
}
