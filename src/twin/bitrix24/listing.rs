//! Filters, order and pages of the list methods.
//!
//! Source: facts/crm/bitrix24.md section 6(a). Text compares as MySQL's default collation does, in
//! any case of letters [U]; a page is always 50 rows; `start` is rounded down to a whole page [U];
//! `start=-1` turns counting off.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::params::{children, integer, members, param};
use crate::value::Value;

/// Rows of a page; no method lets the caller choose.
pub const PAGE_ROWS: usize = 50;

/// What the lister needs to know of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Compared as numbers.
    Number,
    /// Compared as text, in any case.
    Text,
    /// Days: compared as text after reading.
    Day,
    /// Instants: compared as seconds after reading.
    Instant,
}

/// Why a filter or an order is refused (`crm.item.*`; the classic methods leave the part out).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadPart(pub(super) String);

/// A compiled filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Is { field: String, column: Column, op: Op, operands: Vec<String> },
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    In,
    NotIn,
    Contains,
    NotContains,
    Like,
    NotLike,
}

/// Longest first: `!=%` is not `!` and a field named `=%...`.
const PREFIXES: [(&str, Op); 16] = [
    ("!=%", Op::NotLike),
    ("!%=", Op::NotLike),
    (">=", Op::GreaterOrEqual),
    ("<=", Op::LessOrEqual),
    ("!@", Op::NotIn),
    ("!%", Op::NotContains),
    ("!=", Op::NotEqual),
    ("=%", Op::Like),
    ("%=", Op::Like),
    (">", Op::Greater),
    ("<", Op::Less),
    ("@", Op::In),
    ("!", Op::NotEqual),
    ("%", Op::Contains),
    ("=", Op::Equal),
    ("", Op::Equal),
];

/// What the rows offer: which columns there are, and how an operand is brought to stored form.
pub(super) struct Columns<'a> {
    /// The stored name and the column of a name that the caller used.
    pub(super) resolve: &'a dyn Fn(&str) -> Option<(String, Column)>,
    /// Reads an operand; `None` when it cannot be read.
    pub(super) read: &'a dyn Fn(Column, &str) -> Option<String>,
    /// Whether an unknown name or operand is an error rather than left out.
    pub(super) strict: bool,
}

impl Columns<'_> {
    /// Compiles `filter`.
    pub(super) fn filter(&self, filter: Option<&Value>) -> Result<Test, BadPart> {
        filter.map_or(Ok(Test::All(Vec::new())), |filter| self.group(filter))
    }

    fn group(&self, group: &Value) -> Result<Test, BadPart> {
        let mut tests = Vec::new();
        let mut any = false;
        for (key, value) in members(group).unwrap_or_default() {
            if key.eq_ignore_ascii_case("logic") {
                any = value.as_text().is_some_and(|it| it.eq_ignore_ascii_case("or"));
            } else if key.parse::<u64>().is_ok() {
                tests.push(self.group(value)?);
            } else if let Some(test) = self.condition(&key, value)? {
                tests.push(test);
            }
        }
        Ok(if any { Test::Any(tests) } else { Test::All(tests) })
    }

    fn condition(&self, key: &str, value: &Value) -> Result<Option<Test>, BadPart> {
        let (name, op) = PREFIXES
            .iter()
            .find_map(|(prefix, op)| key.strip_prefix(prefix).map(|name| (name, *op)))
            .unwrap_or((key, Op::Equal));
        let Some((field, column)) = (self.resolve)(name) else {
            return match self.strict {
                true => Err(BadPart(format!("Invalid filter: field '{name}' is not allowed in filter"))),
                false => Ok(None),
            };
        };
        let given = children(value);
        let op = match (op, given.len() > 1) {
            (Op::Equal, true) => Op::In,
            (Op::NotEqual, true) => Op::NotIn,
            (op, _) => op,
        };
        let mut operands = Vec::new();
        for text in given.iter().map(|it| it.as_text().unwrap_or("")) {
            match (text.is_empty(), (self.read)(column, text)) {
                (true, _) => operands.push(String::new()),
                (false, Some(read)) => operands.push(read),
                (false, None) if self.strict => {
                    return Err(BadPart(format!("Invalid filter: field '{name}' has invalid value")));
                }
                (false, None) => return Ok(None),
            }
        }
        if operands.is_empty() && !matches!(op, Op::In | Op::NotIn) {
            operands.push(String::new());
        }
        Ok(Some(Test::Is { field, column, op, operands }))
    }

    /// Compiles `order`; the id settles what it leaves open.
    pub(super) fn order(&self, order: Option<&Value>) -> Result<Vec<(String, Column, bool)>, BadPart> {
        let mut keys = Vec::new();
        for (name, direction) in order.and_then(members).unwrap_or_default() {
            let word = direction.as_text().unwrap_or("").to_ascii_uppercase();
            match (self.resolve)(&name) {
                Some(_) if self.strict && !matches!(word.as_str(), "ASC" | "DESC") => {
                    return Err(BadPart(format!(
                        "Invalid order: allowed sort directions are `ASC, DESC`. But got '{word}' for field '{name}'"
                    )));
                }
                Some((field, column)) => keys.push((field, column, word.starts_with("DESC"))),
                None if self.strict => {
                    return Err(BadPart(format!("Invalid order: field '{name}' is not allowed in order")));
                }
                None => {}
            }
        }
        Ok(keys)
    }
}

impl Test {
    /// The conditions that every row must meet: field, comparison, operands.
    pub(super) fn conjunction(&self) -> Vec<(&str, Op, &[String])> {
        match self {
            Test::All(tests) => tests.iter().flat_map(Test::conjunction).collect(),
            Test::Is { field, op, operands, .. } => vec![(field, *op, operands)],
            // Of one branch alone every row must meet it; of several, none of them.
            Test::Any(tests) if tests.len() == 1 => tests[0].conjunction(),
            Test::Any(_) => Vec::new(),
        }
    }

    /// Whether the row passes; `values` gives the stored texts of a field, none for null.
    pub(super) fn passes<'r>(&self, values: &dyn Fn(&str) -> Vec<Cow<'r, str>>) -> bool {
        match self {
            Test::All(tests) => tests.iter().all(|it| it.passes(values)),
            Test::Any(tests) => tests.is_empty() || tests.iter().any(|it| it.passes(values)),
            Test::Is { field, column, op, operands } => {
                let have = values(field);
                let first = operands.first().map_or("", String::as_str);
                let equals = |operand: &str| match operand.is_empty() {
                    true => have.iter().all(|it| it.is_empty()),
                    false => have.iter().any(|it| compare(*column, it, operand) == Ordering::Equal),
                };
                let ordered = |want: &[Ordering]| {
                    !first.is_empty() && have.iter().any(|it| want.contains(&compare(*column, it, first)))
                };
                let contains = || have.iter().any(|it| it.to_lowercase().contains(&first.to_lowercase()));
                let like = || have.iter().any(|it| like(&it.to_lowercase(), &first.to_lowercase()));
                match op {
                    Op::Equal => equals(first),
                    Op::NotEqual => !equals(first),
                    Op::Greater => ordered(&[Ordering::Greater]),
                    Op::GreaterOrEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
                    Op::Less => ordered(&[Ordering::Less]),
                    Op::LessOrEqual => ordered(&[Ordering::Less, Ordering::Equal]),
                    Op::In => operands.iter().any(|it| equals(it)),
                    Op::NotIn => !operands.iter().any(|it| equals(it)),
                    Op::Contains => contains(),
                    Op::NotContains => !contains(),
                    Op::Like => like(),
                    Op::NotLike => !like(),
                }
            }
        }
    }
}

/// Compares two stored texts of a column.
pub(super) fn compare(column: Column, left: &str, right: &str) -> Ordering {
    match column {
        Column::Number | Column::Instant => {
            let number = |text: &str| text.trim().parse::<f64>().ok();
            match (number(left), number(right)) {
                (Some(left), Some(right)) => left.total_cmp(&right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            }
        }
        // Without allocating: a filter by ORIGIN_ID looks at every object.
        Column::Text | Column::Day => {
            left.chars().flat_map(char::to_lowercase).cmp(right.chars().flat_map(char::to_lowercase))
        }
    }
}

/// SQL's LIKE with `%` alone.
fn like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('%');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((tail, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(tail)
}

/// A page: its rows, what `total` says and what `next` says.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    pub(super) total: u64,
    pub(super) next: Option<u64>,
}

/// Cuts the page that `start` asks for.
pub(super) fn page<T>(rows: Vec<T>, params: &Value) -> Page<T> {
    let start = param(params, "start").and_then(|_| integer(params, "start")).unwrap_or(0);
    if start == -1 {
        return Page { rows: rows.into_iter().take(PAGE_ROWS).collect(), total: 0, next: None };
    }
    let total = rows.len();
    let start = usize::try_from(start).unwrap_or(0) / PAGE_ROWS * PAGE_ROWS;
    let next = start.saturating_add(PAGE_ROWS);
    Page {
        rows: rows.into_iter().skip(start).take(PAGE_ROWS).collect(),
        total: total as u64,
        next: (next < total).then_some(next as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::super::params;
    use super::*;

    fn passes(filter: &str) -> bool {
        let filter = params::json(filter.as_bytes()).expect("JSON of the table");
        let columns = Columns {
            resolve: &|name| match name {
                "N" => Some(("N".to_owned(), Column::Number)),
                "T" | "EMPTY" | "MANY" => Some((name.to_owned(), Column::Text)),
                _ => None,
            },
            read: &|_, text| Some(text.to_owned()),
            strict: false,
        };
        let row = |name: &str| match name {
            "N" => vec![Cow::from("10")],
            "T" => vec![Cow::from("Ромашка ООО")],
            "MANY" => vec![Cow::from("a"), Cow::from("b")],
            _ => Vec::new(),
        };
        columns.filter(Some(&filter)).expect("a lenient filter").passes(&row)
    }

    #[test]
    fn filters_compare_as_the_documentation_says() {
        let check = |filter: &str, expected: bool| assert_eq!(passes(filter), expected, "{filter}");
        check(r#"{"N":10}"#, true);
        check(r#"{">N":"9"}"#, true);
        check(r#"{">=N":"10","<N":10}"#, false);
        check(r#"{"@N":[1,10]}"#, true);
        check(r#"{"!@N":[1,10]}"#, false);
        check(r#"{"N":[1,10]}"#, true);
        check(r#"{"T":"ромашка ооо"}"#, true);
        check(r#"{"%T":"машка"}"#, true);
        check(r#"{"!%T":"машка"}"#, false);
        check(r#"{"=%T":"Ром%"}"#, true);
        check(r#"{"%=T":"%ООО"}"#, true);
        check(r#"{"=%T":"%Ром"}"#, false);
        check(r#"{"!=%T":"Ром%"}"#, false);
        check(r#"{"EMPTY":""}"#, true);
        check(r#"{"!EMPTY":""}"#, false);
        check(r#"{"!EMPTY":"x"}"#, true);
        check(r#"{"MANY":"b"}"#, true);
        // An unknown name is left out, so it filters nothing: the classic trap.
        check(r#"{"NO_SUCH":"x"}"#, true);
        check(r#"{"logic":"OR","0":{"N":1},"1":{"N":10}}"#, true);
        check(r#"{"0":{"N":1},"1":{"N":10}}"#, false);
    }

    #[test]
    fn pages_are_of_fifty() {
        let check = |start: &str, first: Option<u64>, total: u64, next: Option<u64>| {
            let params = params::urlencoded(&format!("start={start}"));
            let page = page((0..120u64).collect(), &params);
            assert_eq!((page.rows.first().copied(), page.total, page.next), (first, total, next), "{start}");
        };
        check("0", Some(0), 120, Some(50));
        check("50", Some(50), 120, Some(100));
        check("75", Some(50), 120, Some(100));
        check("100", Some(100), 120, None);
        check("200", None, 120, None);
        check("-1", Some(0), 0, None);
        check("x", Some(0), 120, Some(50));
    }
}
