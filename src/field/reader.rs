//! TOML with line numbers, read so that *all* problems of a file come out at once.
//!
//! ```text
//! let lint = Lint::new("rules/scoring.toml");
//! let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
//! let table = lint.table(&root);
//! let mode = table.required_text("mode");
//! for factor in table.tables("factor") { let id = factor.required_text("id"); ...; factor.close(); }
//! table.close();                      // reports every key that nobody asked for
//! lint.finish(value)                  // Err(all problems) if there was any
//! ```

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::message::near_miss;
use crate::base::{Message, Problem};

/// A value of the file and the line it begins on (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Line, from 1.
    pub line: u32,
    /// The value.
    pub kind: NodeKind,
}

/// Kinds of values. Numbers with a point and dates keep their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// `"text"`
    Text(String),
    /// `17`
    Integer(i64),
    /// `1.5`, as written.
    Float(String),
    /// `true`
    Bool(bool),
    /// A date or time, as written.
    Datetime(String),
    /// `[...]`
    List(Vec<Node>),
    /// `[table]` or `{ ... }`: name, line of the name, value; in the order of the file.
    Table(Vec<(String, u32, Node)>),
}

impl NodeKind {
    /// Name of the kind for messages.
    fn name(&self) -> &'static str {
        match self {
            NodeKind::Text(_) => "text",
            NodeKind::Integer(_) => "integer",
            NodeKind::Float(_) => "float",
            NodeKind::Bool(_) => "bool",
            NodeKind::Datetime(_) => "datetime",
            NodeKind::List(_) => "list",
            NodeKind::Table(_) => "table",
        }
    }
}

/// Collector of the problems of one file.
#[derive(Debug)]
pub struct Lint {
    file: String,
    problems: RefCell<Vec<Problem>>,
}

impl Lint {
    /// For the file known to people as `file`.
    pub fn new(file: impl Into<String>) -> Lint {
        Lint { file: file.into(), problems: RefCell::new(Vec::new()) }
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Parses the text. `None` when it is not TOML; the problem is collected.
    pub fn parse(&self, text: &str) -> Option<Node> {
        let lines = Lines::of(text);
        match DeTable::parse(text) {
            Ok(table) => Some(node(&lines, table.span().start, DeValue::Table(table.into_inner()))),
            Err(error) => {
                let line = error.span().map_or(0, |span| lines.line_of(span.start));
                let detail = error.message().trim().to_owned();
                self.report(line, Message::new("toml-syntax").with("detail", detail));
                None
            }
        }
    }

    /// Collects a problem.
    pub fn report(&self, line: u32, message: Message) {
        self.problems.borrow_mut().push(Problem::new(self.file.clone(), line, message));
    }

    /// Reads `node` as a table; anything else is reported and read as an empty table.
    pub fn table<'a>(&'a self, node: &'a Node) -> Table<'a> {
        let entries: &[(String, u32, Node)] = match &node.kind {
            NodeKind::Table(entries) => entries,
            other => {
                let message =
                    Message::new("toml-kind").with("name", "").with("want", "table").with("got", other.name());
                self.report(node.line, message);
                &[]
            }
        };
        Table { lint: self, line: node.line, entries, asked: RefCell::new(Vec::new()) }
    }

    /// Everything collected so far, in the order of lines.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.borrow().clone();
        problems.sort_by_key(|problem| problem.line);
        problems
    }

    /// `value` if the file had no problem.
    pub fn finish<T>(self, value: T) -> Result<T, Vec<Problem>> {
        match self.problems() {
            problems if problems.is_empty() => Ok(value),
            problems => Err(problems),
        }
    }
}

/// A table being read. Each getter notes the name; [`Table::close`] reports the names nobody
/// asked for.
#[derive(Debug)]
pub struct Table<'a> {
    lint: &'a Lint,
    /// Line the table begins on.
    pub line: u32,
    entries: &'a [(String, u32, Node)],
    asked: RefCell<Vec<String>>,
}

impl<'a> Table<'a> {
    /// The collector.
    pub fn lint(&self) -> &'a Lint {
        self.lint
    }

    /// The value under `name`, of any kind.
    pub fn node(&self, name: &str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(name.to_owned());
        self.entries.iter().find(|(key, ..)| key == name).map(|(_, _, node)| node)
    }

    /// All entries (name, line, value) of a table whose names are data. Counts as asked for all.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, u32, &'a Node)> + use<'a> {
        self.asked.borrow_mut().extend(self.entries.iter().map(|(name, ..)| name.clone()));
        self.entries.iter().map(|(name, line, node)| (name.as_str(), *line, node))
    }

    /// Text under `name`.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.typed(name, "text", |kind| match kind {
            NodeKind::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Integer under `name`.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.typed(name, "integer", |kind| match kind {
            NodeKind::Integer(number) => Some(*number),
            _ => None,
        })
    }

    /// Integer under `name` between `low` and `high`; outside is reported.
    pub fn integer_in(&self, name: &str, low: i64, high: i64) -> Option<i64> {
        let number = self.integer(name)?;
        if (low..=high).contains(&number) {
            return Some(number);
        }
        let message =
            Message::new("toml-range").with("name", name).with("got", number).with("low", low).with("high", high);
        self.lint.report(self.line_of(name), message);
        None
    }

    /// `true` or `false` under `name`.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.typed(name, "bool", |kind| match kind {
            NodeKind::Bool(flag) => Some(*flag),
            _ => None,
        })
    }

    /// One text or a list of texts under `name`; empty when absent.
    pub fn texts(&self, name: &str) -> Vec<(&'a str, u32)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let items = match &node.kind {
            NodeKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut texts = Vec::new();
        for item in items {
            match &item.kind {
                NodeKind::Text(text) => texts.push((text.as_str(), item.line)),
                other => self.wrong_kind(name, item.line, "text", other),
            }
        }
        texts
    }

    /// List under `name`; empty when absent.
    pub fn list(&self, name: &str) -> &'a [Node] {
        let list = self.typed(name, "list", |kind| match kind {
            NodeKind::List(items) => Some(items.as_slice()),
            _ => None,
        });
        list.unwrap_or(&[])
    }

    /// Table under `name`.
    pub fn table(&self, name: &str) -> Option<Table<'a>> {
        self.node(name).map(|node| self.lint.table(node))
    }

    /// `[[name]]` tables; empty when absent.
    pub fn tables(&self, name: &str) -> Vec<Table<'a>> {
        self.list(name).iter().map(|node| self.lint.table(node)).collect()
    }

    /// Text under `name`, reported when absent.
    pub fn required_text(&self, name: &str) -> Option<&'a str> {
        self.require(name);
        self.text(name)
    }

    /// Integer under `name`, reported when absent.
    pub fn required_integer(&self, name: &str) -> Option<i64> {
        self.require(name);
        self.integer(name)
    }

    /// One of a closed set of words under `name`; another word is reported with its near miss.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let known = || choices.iter().map(|(word, _)| *word);
        self.lint.report(self.line_of(name), unknown_word("toml-choice", text, known()).with("name", name));
        None
    }

    /// Line of the entry `name`, or of the table when it is absent.
    pub fn line_of(&self, name: &str) -> u32 {
        self.entries.iter().find(|(key, ..)| key == name).map_or(self.line, |(_, line, _)| *line)
    }

    /// Collects a problem at the entry `name`.
    pub fn report(&self, name: &str, message: Message) {
        self.lint.report(self.line_of(name), message);
    }

    /// Reports each name that nobody asked for, with the near miss among those asked for.
    pub fn close(self) {
        let asked = self.asked.borrow();
        for (name, line, _) in self.entries {
            if !asked.iter().any(|it| it == name) {
                let known = asked.iter().map(String::as_str);
                self.lint.report(*line, unknown_word("toml-unknown", name, known));
            }
        }
    }

    fn require(&self, name: &str) {
        if !self.entries.iter().any(|(key, ..)| key == name) {
            self.lint.report(self.line, Message::new("toml-missing").with("name", name));
        }
    }

    fn typed<T>(&self, name: &str, want: &str, read: impl Fn(&'a NodeKind) -> Option<T>) -> Option<T> {
        let node = self.node(name)?;
        let value = read(&node.kind);
        if value.is_none() {
            self.wrong_kind(name, node.line, want, &node.kind);
        }
        value
    }

    fn wrong_kind(&self, name: &str, line: u32, want: &str, got: &NodeKind) {
        let message = Message::new("toml-kind").with("name", name).with("want", want).with("got", got.name());
        self.lint.report(line, message);
    }
}

/// A message about a word that is not known: with the near miss when there is one (identifier
/// `id`), else with the list of known words (identifier `id-list`). Arguments: word, near, known.
pub fn unknown_word<'a>(id: &str, word: &str, known: impl IntoIterator<Item = &'a str>) -> Message {
    let known: Vec<&str> = known.into_iter().collect();
    match near_miss(word, known.iter().copied()) {
        Some(near) => Message::new(id).with("word", word).with("near", near),
        None => Message::new(&format!("{id}-list")).with("word", word).with("known", known.join(", ")),
    }
}

/// Where the lines of a text end, found once: every node of a manifest asks for its line.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of the byte at `offset`, counted from 1.
    fn line_of(&self, offset: usize) -> u32 {
        self.0.partition_point(|end| *end < offset) as u32 + 1
    }
}

fn node(lines: &Lines, offset: usize, value: DeValue<'_>) -> Node {
    let spanned = |item: Spanned<DeValue<'_>>| {
        let start = item.span().start;
        node(lines, start, item.into_inner())
    };
    let kind = match value {
        DeValue::String(it) => NodeKind::Text(it.into_owned()),
        DeValue::Integer(it) => match i64::from_str_radix(&it.as_str().replace('_', ""), it.radix()) {
            Ok(number) => NodeKind::Integer(number),
            Err(_) => NodeKind::Float(it.as_str().to_owned()),
        },
        DeValue::Float(it) => NodeKind::Float(it.as_str().to_owned()),
        DeValue::Boolean(it) => NodeKind::Bool(it),
        DeValue::Datetime(it) => NodeKind::Datetime(it.to_string()),
        DeValue::Array(items) => NodeKind::List(items.into_iter().map(spanned).collect()),
        DeValue::Table(entries) => NodeKind::Table(
            entries
                .into_iter()
                .map(|(name, value)| {
                    let line = lines.line_of(name.span().start);
                    (name.into_inner().into_owned(), line, spanned(value))
                })
                .collect(),
        ),
    };
    Node { line: lines.line_of(offset), kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_of_a_file_come_out_at_once() {
        let lint = Lint::new("connectors/amocrm/connector.toml");
        let root = lint.parse("title = 5\n\nsubdomian = \"x\"\ncolour = \"redd\"\n").expect("it is TOML");
        let table = lint.table(&root);
        assert_eq!(table.text("title"), None);
        assert_eq!(table.text("subdomain"), None);
        assert_eq!(table.choice("colour", &[("red", 1), ("green", 2)]), None);
        assert_eq!(table.required_integer("size"), None);
        table.close();
        let lines: Vec<String> = lint.problems().iter().map(Problem::to_string).collect();
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(
            lines.iter().any(|it| it.starts_with("connectors/amocrm/connector.toml:3:") && it.contains("subdomain"))
        );
        assert!(lines.iter().any(|it| it.contains(":4:") && it.contains("red")));
    }

    #[test]
    fn text_that_is_not_toml_names_its_line() {
        let lint = Lint::new("uzel.toml");
        assert!(lint.parse("a = 1\nb = = 2\n").is_none());
        assert_eq!(lint.problems()[0].line, 2);
    }
}
