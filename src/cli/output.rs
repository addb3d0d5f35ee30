//! Tables, JSON and errors on the terminal.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::Context;
use crate::base::Message;

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
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(columns.iter().map(|column| self.say(&Message::new(&format!("cli-column-{column}")))));
        for row in rows {
            table.add_row(row);
        }
        println!("{table}");
    }

    /// Prints `name: value` lines.
    pub(crate) fn print_pairs(&self, pairs: &[(&str, String)]) {
        for (name, value) in pairs {
            if !value.is_empty() {
                println!("{}: {value}", self.say(&Message::new(&format!("cli-column-{name}"))));
            }
        }
    }

    /// Says where the next page begins, if there is one.
    pub(crate) fn print_next(&self, next: Option<&String>) {
        if let Some(next) = next {
            println!("{}", self.say(&Message::new("cli-next-page").with("after", next)));
        }
    }
}

/// An error with its causes, on standard error.
pub(super) fn print_error(error: &anyhow::Error, context: &Context) {
    let mut text = String::new();
    for (index, cause) in error.chain().enumerate() {
        let words = cause.to_string();
        if index == 0 || !text.contains(&words) {
            if index > 0 {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
    }
    // Problems and messages render themselves in the reader's language where they are known.
    if let Some(told) = error.downcast_ref::<Told>() {
        text = told.0.render(context.locale);
    }
    eprintln!("uzel: {text}");
}

/// A message as an error of a command.
#[derive(Debug)]
pub(crate) struct Told(pub Message);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Told {}

/// Part of a query string, encoded.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
