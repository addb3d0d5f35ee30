//! Tables: CSV and XLSX as people and old programs save them.
//!
//! Two steps. First a grid: rows of texts with their numbers, out of separated text ([`text_grid`])
//! or a sheet ([`book`]). Then the table: which row is the header, what its columns are called,
//! which rows are data. Nothing here knows what a column means (`mapping::columns` does).
//!
//! What Excel does to data is undone where that is sure: `79161234567.0` is a number without a
//! fraction, dates are written as dates, the header under a merged cell takes its text. Where it
//! is not (`7,91612E+10` has lost its digits) the cell is left empty, with an issue that keeps
//! what stood there. Empty rows and rows of totals are no records.

use compact_str::CompactString;

use super::DecodeError;
use super::archive::is_archive;
use crate::base::Message;
use crate::base::limits::{TABLE_COLUMNS_MAX, TABLE_HEADER_ROWS_MAX};
use crate::model::Issue;
use crate::value::Value;

mod book;
mod cell;
mod text_grid;

/// Member of a record that says in which row of the file it stood.
pub const ROW_MEMBER: &str = "_row_of_file";

/// How the bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// By a look at the bytes.
    #[default]
    Auto,
    /// Separated text.
    Csv,
    /// A workbook.
    Xlsx,
}

/// What is known of a table before it is read. Everything may be left to a look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'o> {
    /// The format.
    pub format: Format,
    /// What stands between two cells of a text.
    pub delimiter: Option<u8>,
    /// Label of the character set of a text.
    pub charset: Option<&'o str>,
    /// The sheet; the first with a table when none is named.
    pub sheet: Option<&'o str>,
    /// Number of the header row, from 1.
    pub header_row: Option<u32>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// How it was read: `csv` or `xlsx`.
    pub format: &'static str,
    /// Character set of a text; empty for a workbook.
    pub charset: &'static str,
    /// What stands between two cells of a text.
    pub delimiter: Option<u8>,
    /// The sheet that was read; empty for a text.
    pub sheet: String,
    /// Sheets with something in them that were not read.
    pub other_sheets: Vec<String>,
    /// Number of the header row, from 1.
    pub header_row: u32,
    /// Names of the columns. A column without a name is `column N`; a name may stand twice.
    pub columns: Vec<CompactString>,
    /// Rows of data.
    pub rows: Vec<Row>,
    /// Rows that hold totals, not data.
    pub totals: Vec<u32>,
    /// What was odd about the file as a whole.
    pub issues: Vec<Issue>,
}

/// A row of data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Its number in the file, from 1: what a person finds it by.
    pub number: u32,
    /// Its cells, as many as there are columns.
    pub cells: Vec<CompactString>,
    /// What was odd.
    pub issues: Vec<Issue>,
    /// Filled cells behind the last column: the row cannot be trusted.
    pub beyond: usize,
}

impl Table {
    /// The row as a record: cells by the names of their columns; a name that stands twice holds a
    /// list.
    pub fn record(&self, row: &Row) -> Result<Value, Message> {
        if row.beyond > 0 {
            return Err(Message::new("table-row-wide")
                .with("row", row.number)
                .with("cells", self.columns.len() + row.beyond)
                .with("columns", self.columns.len()));
        }
        let mut members: Vec<(CompactString, Value)> = Vec::with_capacity(row.cells.len() + 1);
        members.push((ROW_MEMBER.into(), Value::Text(row.number.to_string().into())));
        for (name, cell) in self.columns.iter().zip(&row.cells) {
            let value = Value::Text(cell.clone());
            match members.iter_mut().find(|(held, _)| held == name) {
                None => members.push((name.clone(), value)),
                Some((_, Value::List(items))) => items.push(value),
                Some((_, held)) => *held = Value::List(vec![std::mem::take(held), value]),
            }
        }
        Ok(Value::Map(members))
    }
}

/// Rows as they stand in the file. Rows without a filled cell are not in it.
#[derive(Debug, Default)]
struct Grid {
    rows: Vec<GridRow>,
}

#[derive(Debug, Default)]
struct GridRow {
    number: u32,
    cells: Vec<CompactString>,
    issues: Vec<Issue>,
}

impl GridRow {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.is_empty()).count()
    }
}

/// Whether the bytes are a workbook, by their first bytes.
pub fn is_workbook(bytes: &[u8]) -> bool {
    is_archive(bytes)
}

/// Whether the bytes are those of a whole file: a workbook has its end. A text has none to see.
pub fn is_whole(bytes: &[u8]) -> bool {
    !is_workbook(bytes) || book::is_whole(bytes)
}

/// Reads a table.
pub fn read(bytes: &[u8], options: Options<'_>) -> Result<Table, DecodeError> {
    if bytes.is_empty() {
        return Err(Message::new("table-empty").into());
    }
    refuse_strangers(bytes)?;
    let is_book = match options.format {
        Format::Auto => is_workbook(bytes),
        Format::Xlsx => true,
        Format::Csv => false,
    };
    match is_book {
        true => book::read(bytes, options),
        false => text_grid::read(bytes, options),
    }
}

/// Files that carry the name of a table and are something else.
fn refuse_strangers(bytes: &[u8]) -> Result<(), DecodeError> {
    const OLD_EXCEL: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
    if bytes.starts_with(OLD_EXCEL) {
        return Err(Message::new("table-old-excel").into());
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let starts = |word: &[u8]| start.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
    if starts(b"<html") || starts(b"<!doctype") || starts(b"<table") || starts(b"<?xml") {
        return Err(Message::new("table-markup").into());
    }
    if starts(b"%PDF") || starts(b"MOXCEL") {
        return Err(Message::new("table-not-table").into());
    }
    Ok(())
}

/// Finds the header and tells data from the rest.
fn assemble(
    grid: Grid,
    merged: &dyn Fn(u32, usize) -> Option<CompactString>,
    wish: Option<u32>,
) -> Result<Table, DecodeError> {
    let Grid { mut rows } = grid;
    let header = match wish {
        Some(number) => rows
            .iter()
            .position(|row| row.number == number)
            .ok_or_else(|| Message::new("table-header-row").with("row", number))?,
        None => header_at(&rows).ok_or_else(|| no_header(&rows))?,
    };
    let data = rows.split_off(header + 1);
    let mut table = Table { header_row: rows[header].number, ..Table::default() };
    table.columns = columns(&rows, header, &data, merged);
    // Bound: TABLE_COLUMNS_MAX; the file is quarantined.
    if table.columns.len() > TABLE_COLUMNS_MAX {
        return Err(Message::new("table-columns").with("max", TABLE_COLUMNS_MAX).into());
    }
    let width = table.columns.len();
    for row in data {
        if is_total(&row, width) {
            table.totals.push(row.number);
            continue;
        }
        // The header said again at the top of a printed page is no data.
        if row.cells.len() == rows[header].cells.len() && row.cells == rows[header].cells {
            continue;
        }
        let GridRow { number, mut cells, issues } = row;
        let beyond = cells.iter().skip(width).filter(|cell| !cell.is_empty()).count();
        cells.resize(width, CompactString::default());
        table.rows.push(Row { number, cells, issues, beyond });
    }
    Ok(table)
}

/// The first row near the top that is as wide as the table and holds names, not values.
fn header_at(rows: &[GridRow]) -> Option<usize> {
    let head = &rows[..rows.len().min(TABLE_HEADER_ROWS_MAX)];
    let usual = usual_width(rows);
    head.iter().position(|row| {
        let filled = row.filled();
        let labels = row.cells.iter().filter(|cell| cell::is_label(cell)).count();
        let is_wide = filled * 2 >= usual && (filled >= 2 || usual <= 1);
        is_wide && labels * 10 >= filled * 9
    })
}

/// Filled cells of the middle row, by their number.
fn usual_width(rows: &[GridRow]) -> usize {
    let mut widths: Vec<usize> = rows.iter().take(1_000).map(GridRow::filled).collect();
    widths.sort_unstable();
    widths.get(widths.len() / 2).copied().unwrap_or(0)
}

fn no_header(rows: &[GridRow]) -> Message {
    let row = rows.first().map_or(1, |row| row.number);
    Message::new("table-no-header").with("row", row).with("rows", TABLE_HEADER_ROWS_MAX)
}

/// Names of the columns: the header's, else what a merged cell above says, else the row above.
fn columns(
    rows: &[GridRow],
    header: usize,
    data: &[GridRow],
    merged: &dyn Fn(u32, usize) -> Option<CompactString>,
) -> Vec<CompactString> {
    let row = &rows[header];
    let usual = data.iter().take(100).map(|it| it.cells.len()).min().unwrap_or(0);
    let mut names: Vec<CompactString> = Vec::new();
    for index in 0..row.cells.len().max(usual) {
        let own = row.cells.get(index).filter(|cell| !cell.is_empty()).cloned();
        let name = own.or_else(|| merged(row.number, index)).map(|it| cell::one_line(&it)).unwrap_or_default();
        names.push(name);
    }
    // Cells behind the last name that nobody fills are no columns.
    let last_filled =
        data.iter().take(1_000).map(|it| it.cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |at| at + 1));
    let last_named = names.iter().rposition(|name| !name.is_empty()).map_or(0, |at| at + 1);
    let width = last_named.max(last_filled.min().unwrap_or(0).min(names.len()));
    names.truncate(width);
    for (index, name) in names.iter_mut().enumerate() {
        if name.is_empty() {
            *name = format!("column {}", index + 1).into();
        }
    }
    names
}

/// A row that sums others up: `Итого` in its first filled cell, and not more than half filled.
fn is_total(row: &GridRow, width: usize) -> bool {
    const WORDS: [&str; 5] = ["итого", "всего", "total", "grand total", "общий итог"];
    let first = row.cells.iter().find(|cell| !cell.is_empty()).map(|cell| cell.to_lowercase()).unwrap_or_default();
    let bare = first.trim_end_matches([':', '.', ' ']);
    let says = WORDS
        .iter()
        .any(|word| bare == *word || (bare.starts_with(word) && bare.ends_with(|it: char| it.is_ascii_digit())));
    says && row.filled() * 2 <= width.max(2) + 1
}
