//! Paths into a [`Value`]: how mappings and manifests say where in a record something stands.
//!
//! ```text
//! path    = "." | step *( "." name | bracket )       "." alone is the record itself
//! step    = name | bracket
//! name    = bare | quoted
//! bare    = 1*( any character but . [ ] = " and white space )
//! quoted  = '"' *( any character, \" for a quote, \\ for a backslash ) '"'
//! bracket = "[" number "]"              the item of that number, from 0
//!         | "[*]"                       every item
//!         | "[" name "=" text "]"       the items whose member `name` is `text`
//! ```
//!
//! `Контрагенты.Контрагент[0].Ид`, `БазоваяЕдиница.@Код`,
//! `ЗначенияРеквизитов.ЗначениеРеквизита["Наименование"="Номер по 1С"].Значение`.
//!
//! A decoder cannot know whether an element that came once might have come twice, so anything
//! that is not a list counts under a bracket as a list of one, and a name applied to a list
//! applies to its first item ([`Path::first`]) or to every item ([`Path::all`]).
//! `first` follows `[*]` and `[name=text]` in order until the rest of the path leads somewhere.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;

use super::Value;
use crate::base::Message;

/// A compiled path. Two paths are equal when they were written alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    text: CompactString,
    steps: Box<[Step]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Name(CompactString),
    Index(usize),
    Every,
    Where { name: CompactString, text: CompactString },
}

/// Why a path does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// What is wrong and what to write instead.
    pub message: Message,
    /// Column in the text of the path, from 1, in characters.
    pub column: u32,
}

/// How names of members are compared.
#[derive(Clone, Copy)]
enum Names {
    Exact,
    Folded,
}

impl Names {
    fn equal(self, member: &str, wanted: &str) -> bool {
        match self {
            Names::Exact => member == wanted,
            Names::Folded => equal_folded(member, wanted),
        }
    }

    fn member<'v>(self, value: &'v Value, wanted: &str) -> Option<&'v Value> {
        match value {
            Value::Map(members) => members.iter().find(|(name, _)| self.equal(name, wanted)).map(|(_, it)| it),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
        }
    }
}

/// Whether two names are the same but for case, `_`, `-` and spaces: people rename form fields
/// without thinking of it (`Your-Phone`, `your_phone`).
pub fn equal_folded(left: &str, right: &str) -> bool {
    // Most names differ in their first letter, and a record is asked for dozens of names.
    let differ_at_once = match (left.as_bytes().first(), right.as_bytes().first()) {
        (Some(left), Some(right)) if left.is_ascii_alphanumeric() && right.is_ascii_alphanumeric() => {
            !left.eq_ignore_ascii_case(right)
        }
        (Some(_) | None, Some(_) | None) => false,
    };
    !differ_at_once && (left == right || folded(left).eq(folded(right)))
}

/// The characters of a name that count when case, `_`, `-` and spaces do not.
pub fn folded(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|it| !matches!(it, '_' | '-') && !it.is_whitespace()).flat_map(char::to_lowercase)
}

impl Path {
    /// Compiles a path.
    pub fn compile(text: &str) -> Result<Path, PathError> {
        let steps = Parser { text, at: 0 }.path()?;
        Ok(Path { text: text.trim().into(), steps: steps.into() })
    }

    /// For literals in code.
    ///
    /// # Panics
    /// When the literal is not a path.
    pub fn literal(text: &'static str) -> Path {
        Path::compile(text).expect("a literal path is well formed")
    }

    /// The name with which the path begins: the member of the record that it reads.
    pub fn root(&self) -> Option<&str> {
        match self.steps.first() {
            Some(Step::Name(name)) => Some(name),
            Some(Step::Index(_) | Step::Every | Step::Where { .. }) | None => None,
        }
    }

    /// The first value at the path.
    pub fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        first(&self.steps, value, Names::Exact)
    }

    /// Every value at the path, in order.
    pub fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = Vec::new();
        all(&self.steps, value, Names::Exact, &mut found);
        found
    }

    /// [`Path::first`] with names compared by [`equal_folded`].
    pub fn first_folded<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        first(&self.steps, value, Names::Folded)
    }

    /// [`Path::all`] with names compared by [`equal_folded`].
    pub fn all_folded<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = Vec::new();
        all(&self.steps, value, Names::Folded, &mut found);
        found
    }
}

// Bound: one level of the stack per step; steps are as many as the author of the mapping wrote.
fn first<'v>(steps: &[Step], value: &'v Value, names: Names) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Name(name) => {
            let holder = match value {
                Value::List(items) => items.first()?,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => value,
            };
            first(rest, names.member(holder, name)?, names)
        }
        Step::Index(index) => first(rest, value.items().get(*index)?, names),
        Step::Every => value.items().iter().find_map(|item| first(rest, item, names)),
        Step::Where { name, text } => value
            .items()
            .iter()
            .filter(|item| member_is(item, name, text, names))
            .find_map(|item| first(rest, item, names)),
    }
}

fn all<'v>(steps: &[Step], value: &'v Value, names: Names, found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    match step {
        Step::Name(name) => {
            for member in value.items().iter().filter_map(|item| names.member(item, name)) {
                all(rest, member, names, found);
            }
        }
        Step::Index(index) => {
            if let Some(item) = value.items().get(*index) {
                all(rest, item, names, found);
            }
        }
        Step::Every => value.items().iter().for_each(|item| all(rest, item, names, found)),
        Step::Where { name, text } => value
            .items()
            .iter()
            .filter(|item| member_is(item, name, text, names))
            .for_each(|item| all(rest, item, names, found)),
    }
}

fn member_is(item: &Value, name: &str, text: &str, names: Names) -> bool {
    names.member(item, name).and_then(Value::as_text).is_some_and(|it| it.trim() == text)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Path, PathError> {
        Path::compile(text)
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn path(mut self) -> Result<Vec<Step>, PathError> {
        self.skip_blanks();
        let mut steps = Vec::new();
        if self.text.trim() == "." {
            return Ok(steps);
        }
        match self.peek() {
            None => return Err(self.wrong("value-path-empty")),
            Some('[') => steps.push(self.bracket()?),
            Some(_) => steps.push(Step::Name(self.name()?)),
        }
        loop {
            match self.peek() {
                None => return Ok(steps),
                Some('.') => {
                    self.at += 1;
                    steps.push(Step::Name(self.name()?));
                }
                Some('[') => steps.push(self.bracket()?),
                Some(_) if self.text[self.at..].trim().is_empty() => return Ok(steps),
                Some(found) => return Err(self.found("value-path-unexpected", found)),
            }
        }
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        self.at += 1;
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::Every
            }
            Some('"') => self.filter()?,
            Some(_) => {
                let inside = self.text[self.at..].split(']').next().unwrap_or_default();
                let is_number = !inside.contains('=');
                match is_number {
                    true => {
                        let index = inside.trim().parse().map_err(|_| self.wrong("value-path-index"))?;
                        self.at += inside.len();
                        Step::Index(index)
                    }
                    false => self.filter()?,
                }
            }
            None => return Err(self.wrong("value-path-unclosed")),
        };
        match self.peek() {
            Some(']') => {
                self.at += 1;
                Ok(step)
            }
            Some(found) => Err(self.found("value-path-unexpected", found)),
            None => Err(self.wrong("value-path-unclosed")),
        }
    }

    fn filter(&mut self) -> Result<Step, PathError> {
        let name = self.name()?;
        self.skip_blanks();
        if self.peek() != Some('=') {
            return Err(self.wrong("value-path-filter"));
        }
        self.at += 1;
        self.skip_blanks();
        let text = match self.peek() {
            Some('"') => self.quoted()?,
            Some(_) | None => {
                let rest = &self.text[self.at..];
                let text = &rest[..rest.find(']').unwrap_or(rest.len())];
                self.at += text.len();
                text.trim().into()
            }
        };
        self.skip_blanks();
        Ok(Step::Where { name, text: text.trim().into() })
    }

    fn name(&mut self) -> Result<CompactString, PathError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let rest = &self.text[self.at..];
        let ends = |it: char| matches!(it, '.' | '[' | ']' | '=' | '"') || it.is_whitespace();
        let name = &rest[..rest.find(ends).unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(self.wrong("value-path-name"));
        }
        self.at += name.len();
        Ok(name.into())
    }

    fn quoted(&mut self) -> Result<CompactString, PathError> {
        let start = self.at;
        let mut name = CompactString::default();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((offset, it)) = chars.next() {
            match it {
                '"' => {
                    self.at = start + 1 + offset + 1;
                    return Ok(name);
                }
                '\\' => name.push(chars.next().map_or('\\', |(_, escaped)| escaped)),
                plain => name.push(plain),
            }
        }
        Err(self.wrong("value-path-unquoted"))
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn wrong(&self, id: &str) -> PathError {
        let column = self.text[..self.at].chars().count() as u32 + 1;
        PathError { message: Message::new(id).with("path", self.text).with("column", column), column }
    }

    fn found(&self, id: &str, found: char) -> PathError {
        let mut error = self.wrong(id);
        error.message = error.message.with("found", found);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
        Value::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    fn requisite(name: &str, value: &str) -> Value {
        map([("Наименование", text(name)), ("Значение", text(value))])
    }

    fn order() -> Value {
        map([
            ("@ВерсияСхемы", text("2.07")),
            ("Номер", text("17")),
            (
                "Контрагенты",
                map([("Контрагент", map([("Ид", text("c1")), ("Контакты", map([("Контакт", Value::Null)]))]))]),
            ),
            (
                "ЗначенияРеквизитов",
                map([(
                    "ЗначениеРеквизита",
                    Value::List(vec![requisite("Проведен", "true"), requisite("Номер по 1С", "УТ-000017 ")]),
                )]),
            ),
            ("Your-Phone", text("+7 900 000-00-01")),
            ("a.b", map([("x \"y\"", text("odd"))])),
        ])
    }

    fn check(path: &str, expected: &[&str]) {
        let path = Path::compile(path).expect("a path of this test compiles");
        let order = order();
        let all: Vec<_> = path.all(&order).into_iter().map(|it| it.as_text().unwrap_or("?")).collect();
        assert_eq!(all, expected, "{path}");
        assert_eq!(Path::compile(&path.to_string()).as_ref(), Ok(&path));
    }

    #[test]
    fn paths_lead_where_they_say() {
        check("Номер", &["17"]);
        check("Номер[0]", &["17"]);
        check("Номер[*]", &["17"]);
        check("Номер[1]", &[]);
        check("@ВерсияСхемы", &["2.07"]);
        check("Контрагенты.Контрагент.Ид", &["c1"]);
        check("Контрагенты.Контрагент[*].Ид", &["c1"]);
        check("Контрагенты[0].Контрагент[0].Ид", &["c1"]);
        check("ЗначенияРеквизитов.ЗначениеРеквизита.Значение", &["true", "УТ-000017 "]);
        check("ЗначенияРеквизитов.ЗначениеРеквизита[1].Значение", &["УТ-000017 "]);
        check("ЗначенияРеквизитов.ЗначениеРеквизита[\"Наименование\"=\"Номер по 1С\"].Значение", &["УТ-000017 "]);
        check("ЗначенияРеквизитов.ЗначениеРеквизита[Наименование=Номер по 1С].Значение", &["УТ-000017 "]);
        check("ЗначенияРеквизитов.ЗначениеРеквизита[Наименование=Нет такого].Значение", &[]);
        check("\"a.b\".\"x \\\"y\\\"\"", &["odd"]);
        check(".", &["?"]);
        check("Номер.Номер", &[]);
    }

    #[test]
    fn a_name_on_a_list_is_its_first_item_for_first() {
        let path = Path::literal("ЗначенияРеквизитов.ЗначениеРеквизита.Значение");
        assert_eq!(path.first(&order()).and_then(Value::as_text), Some("true"));
    }

    #[test]
    fn first_goes_on_to_the_item_that_has_the_rest() {
        let list = Value::List(vec![map([("a", text("1"))]), map([("b", text("2"))])]);
        assert_eq!(Path::literal("[*].b").first(&list).and_then(Value::as_text), Some("2"));
        assert_eq!(Path::literal("b").first(&list), None);
    }

    #[test]
    fn folded_names_ignore_case_and_separators() {
        for name in ["your_phone", "YOUR PHONE", "yourphone", "Your-Phone"] {
            let path = Path::compile(&format!("\"{name}\"")).expect("a quoted name is a path");
            assert!(path.first_folded(&order()).is_some(), "{name}");
            assert_eq!(path.all_folded(&order()).len(), 1, "{name}");
        }
        assert!(Path::literal("your_phone").first(&order()).is_none());
        assert!(Path::literal("НОМЕР").first_folded(&order()).is_some());
        assert!(!equal_folded("phone", "phone2"));
    }

    #[test]
    fn a_wrong_path_is_told_with_its_column() {
        let cases = [
            ("", "value-path-empty", 1),
            ("a..b", "value-path-name", 3),
            ("a.", "value-path-name", 3),
            ("a[", "value-path-unclosed", 3),
            ("a[x]", "value-path-index", 3),
            ("a[-1]", "value-path-index", 3),
            ("a[1", "value-path-unclosed", 4),
            ("a[\"x\"]", "value-path-filter", 6),
            ("a[b=c", "value-path-unclosed", 6),
            ("\"a", "value-path-unquoted", 1),
            ("a b", "value-path-unexpected", 2),
            ("имя]", "value-path-unexpected", 4),
        ];
        for (path, id, column) in cases {
            let error = Path::compile(path).expect_err(path);
            assert_eq!((error.message.id.as_str(), error.column), (id, column), "{path}");
        }
    }
}
