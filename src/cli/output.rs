//! Tables, JSON and errors on the terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use super::Context;
use crate::app::error::{Problems, Told};
use crate::base::limits::{TABLE_COLUMNS, TABLE_COLUMNS_MIN};
use crate::base::message::text;
use crate::base::{Locale, Message};
use crate::control::ClientError;

/// Columns of numbers: they stand at the right.
const NUMBERS: [&str; 16] = [
    "position",
    "deals",
    "price",
    "probability",
    "worth",
    "points",
    "quantity",
    "sum",
    "unit-price",
    "attempts",
    "bytes",
    "entries",
    "first",
    "last",
    "count",
    "foreign-id",
];

impl Context {
    /// Prints data as JSON.
    pub(crate) fn print_json<T: Serialize>(&self, data: &T) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string_pretty(data)?);
        Ok(())
    }

    /// Prints a table with translated headings (`cli-column-...`); a line instead when it is empty.
    pub(crate) fn print_table(&self, columns: &[&str], rows: Vec<Vec<String>>) {
        if rows.is_empty() {
            println!("{}", self.say(&Message::new("cli-nothing")));
            return;
        }
        println!("{}", self.table(columns, rows, columns_of_terminal()));
    }

    /// The table as text, not wider than `width`. A column without a single value is left out.
    fn table(&self, columns: &[&str], rows: Vec<Vec<String>>, width: u16) -> String {
        let filled = |index: &usize| rows.iter().any(|row| row.get(*index).is_some_and(|cell| !cell.is_empty()));
        let shown: Vec<usize> = (0..columns.len()).filter(filled).collect();
        let mut table = Table::new();
        // One line under the headings, none between rows: a listing is read down.
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
        let names = shown.iter().map(|&index| self.column(columns[index]));
        table.set_header(names);
        for row in &rows {
            table.add_row(
                shown.iter().map(|&index| row.get(index).map(|cell| unbroken(&printable(cell))).unwrap_or_default()),
            );
        }
        for (place, &index) in shown.iter().enumerate() {
            let Some(column) = table.column_mut(place) else { continue };
            column.set_padding((0, 2));
            if NUMBERS.contains(&columns[index]) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            let widest = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max();
            // What is short (ids, dates, numbers) is never broken: only texts give way.
            if widest.is_some_and(|widest| widest <= 19) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table.lines().map(|line| line.trim_end().replace('\u{a0}', " ")).collect::<Vec<_>>().join("\n")
    }

    fn column(&self, name: &str) -> String {
        self.say(&Message::new(&format!("cli-column-{name}")))
    }

    /// Prints `name: value` lines.
    pub(crate) fn print_pairs(&self, pairs: &[(&str, String)]) {
        for (name, value) in pairs {
            if !value.is_empty() {
                println!("{}: {}", self.column(name), printable(value));
            }
        }
    }

    /// Prints a heading and a table under it; nothing when there are no rows.
    pub(crate) fn print_section(&self, heading: &str, columns: &[&str], rows: Vec<Vec<String>>) {
        if !rows.is_empty() {
            println!("\n{}", self.say(&Message::new(&format!("cli-section-{heading}"))));
            self.print_table(columns, rows);
        }
    }

    /// Says where the next page begins, if there is one.
    pub(crate) fn print_next(&self, next: Option<&String>) {
        if let Some(next) = next {
            println!("{}", self.say(&Message::new("cli-next-page").with("after", next)));
        }
    }

    /// A word of ours (a field, a state, a kind) in the reader's language; a word of somebody else
    /// as it is.
    pub(crate) fn word(&self, of: &str, name: &str) -> String {
        text(&format!("cli-{of}-{}", name.replace('_', "-")), self.locale).unwrap_or_else(|| name.to_owned())
    }

    /// An amount as people read it: `25 900,50`.
    pub(crate) fn amount(&self, plain: &str) -> String {
        grouped(plain, self.locale)
    }

    /// The same of what may be missing.
    pub(crate) fn amount_of(&self, plain: Option<&String>) -> String {
        plain.map(|plain| self.amount(plain)).unwrap_or_default()
    }
}

/// Width of the terminal; of a page of paper when the output is none.
fn columns_of_terminal() -> u16 {
    let terminal = rustix::termios::tcgetwinsize(std::io::stdout()).map(|size| size.ws_col).unwrap_or(0);
    let given = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    match (given, terminal) {
        (0, 0) => TABLE_COLUMNS,
        (0, terminal) => terminal.max(TABLE_COLUMNS_MIN),
        (given, _) => given.max(TABLE_COLUMNS_MIN),
    }
}

/// Text from outside without what would steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

/// `17 500` with a space at which no line is broken.
fn unbroken(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_digit = |index: Option<usize>| index.and_then(|it| letters.get(it)).is_some_and(char::is_ascii_digit);
    let joint = |index: usize| letters[index] == ' ' && is_digit(index.checked_sub(1)) && is_digit(Some(index + 1));
    (0..letters.len()).map(|index| if joint(index) { '\u{a0}' } else { letters[index] }).collect()
}

/// Thousands apart: `25 900,50` in Russian, `25,900.50` in English.
fn grouped(plain: &str, locale: Locale) -> String {
    let (thousands, point) = match locale {
        Locale::Ru => (' ', ','),
        Locale::En => (',', '.'),
    };
    let (whole, part) = plain.split_once('.').map_or((plain, None), |(whole, part)| (whole, Some(part)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("−", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(thousands);
        }
        text.push(digit);
    }
    if let Some(part) = part {
        text.push(point);
        text.push_str(part);
        // Kopecks are two digits or none.
        if part.len() == 1 {
            text.push('0');
        }
    }
    text
}

/// An error with its causes, on standard error, in the reader's language.
pub(super) fn print_error(error: &anyhow::Error, context: &Context) {
    let mut text = String::new();
    for cause in error.chain() {
        let words = told(cause, context.locale).unwrap_or_else(|| cause.to_string());
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
    }
    eprintln!("uzel: {text}");
}

/// What an error says in the reader's language, when it can.
fn told(error: &(dyn std::error::Error + 'static), locale: Locale) -> Option<String> {
    use crate::journal::OpenError;
    if let Some(Told(message)) = error.downcast_ref() {
        return Some(message.render(locale));
    }
    if let Some(problems) = error.downcast_ref::<Problems>() {
        return Some(problems.render(locale));
    }
    if let Some(ClientError::Unreachable(message)) = error.downcast_ref() {
        return Some(message.render(locale));
    }
    match error.downcast_ref::<OpenError>()? {
        OpenError::Newer(message) | OpenError::Io { message, .. } => Some(message.render(locale)),
    }
}

/// Part of a query string or a path, encoded.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_as_the_reader_is_used_to() {
        let cases = [
            ("5", "5", "5"),
            ("25900", "25 900", "25,900"),
            ("1234567.5", "1 234 567,50", "1,234,567.50"),
            ("-100000.05", "−100 000,05", "−100,000.05"),
            ("0", "0", "0"),
        ];
        for (plain, ru, en) in cases {
            assert_eq!((grouped(plain, Locale::Ru).as_str(), grouped(plain, Locale::En).as_str()), (ru, en));
        }
    }

    #[test]
    fn a_table_keeps_to_its_width_and_leaves_empty_columns_out() {
        let context = Context { folder: "x".into(), locale: Locale::En, json: false };
        let long = "a word and ".repeat(30);
        let rows = vec![vec!["cli_0000000200000".to_owned(), String::new(), "17".to_owned(), long]];
        let table = context.table(&["id", "inn", "deals", "why"], rows, 100);
        assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
        assert!(table.contains("cli_0000000200000") && !table.contains("INN"), "{table}");
    }

    #[test]
    fn text_from_outside_does_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\nc");
    }
}
