//! Separated text: what stands between two cells is told by a look, as is the character set.

use csv::{ReaderBuilder, StringRecord};

use super::{Grid, GridRow, Options, Table, assemble, cell};
use crate::base::Message;
use crate::base::limits::{TABLE_CELL_BYTES_MAX, TABLE_ROWS_MAX};
use crate::decode::{DecodeError, text};

/// In the order in which equals are preferred: a comma also stands in Russian sums.
const DELIMITERS: [u8; 4] = [b';', b'\t', b',', b'|'];
/// Lines at the beginning that are looked at.
const LOOKED_AT_LINES: usize = 50;

pub(super) fn read(bytes: &[u8], options: Options<'_>) -> Result<Table, DecodeError> {
    let decoded = text::decode(bytes, options.charset, "table");
    let (content, told) = told_delimiter(&decoded.text);
    if content.contains('\0') {
        return Err(Message::new("table-not-table").into());
    }
    let delimiter = options.delimiter.or(told).unwrap_or_else(|| guess(content));
    let skipped_lines = if content.len() == decoded.text.len() { 0 } else { 1 };
    let grid = grid(content, delimiter, skipped_lines)?;
    let mut table = assemble(grid, &|_, _| None, options.header_row)?;
    table.format = "csv";
    table.charset = decoded.charset;
    table.delimiter = Some(delimiter);
    table.issues = decoded.issues;
    Ok(table)
}

/// Excel's own line `sep=;`.
fn told_delimiter(content: &str) -> (&str, Option<u8>) {
    let Some(rest) = content.strip_prefix("sep=") else { return (content, None) };
    let Some((line, rest)) = rest.split_once('\n') else { return (content, None) };
    match line.trim_end_matches('\r').as_bytes() {
        [delimiter] => (rest, Some(*delimiter)),
        b"\\t" => (rest, Some(b'\t')),
        _ => (content, None),
    }
}

/// The delimiter that stands equally often in most lines.
fn guess(content: &str) -> u8 {
    let mut best = (0, 0, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        let counts: Vec<usize> = counts(content, delimiter);
        let mut sorted: Vec<usize> = counts.iter().copied().filter(|it| *it > 0).collect();
        sorted.sort_unstable();
        let Some(usual) = sorted.get(sorted.len() / 2).copied() else { continue };
        let agreeing = counts.iter().filter(|it| **it == usual).count();
        if (agreeing, usual) > (best.0, best.1) {
            best = (agreeing, usual, delimiter);
        }
    }
    best.2
}

/// How often the delimiter stands in each line, outside of quotes.
fn counts(content: &str, delimiter: u8) -> Vec<usize> {
    let mut counts = vec![0];
    let mut quoted = false;
    for byte in content.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => {
                if counts.len() == LOOKED_AT_LINES {
                    return counts;
                }
                counts.push(0);
            }
            _ if byte == delimiter && !quoted => {
                if let Some(count) = counts.last_mut() {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    counts
}

fn grid(content: &str, delimiter: u8, skipped_lines: u32) -> Result<Grid, DecodeError> {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(content.as_bytes());
    let mut grid = Grid::default();
    let mut record = StringRecord::new();
    let mut lines = Lines { content: content.as_bytes(), at: 0, line: 1 + skipped_lines };
    // A quote that nobody closed swallows the rest of the file, so it shows in the last record.
    let mut swallowed = None;
    loop {
        let is_there = reader.read_record(&mut record).map_err(|error| damaged(&error, lines.line))?;
        if !is_there {
            return swallowed.map_or(Ok(grid), Err);
        }
        let number = lines.of(record.position().map_or(0, csv::Position::byte));
        // Bound: TABLE_CELL_BYTES_MAX; the file is quarantined.
        if let Some(long) = record.iter().find(|it| it.len() > TABLE_CELL_BYTES_MAX) {
            return Err(unclosed(long, number));
        }
        swallowed = record.iter().find(|it| holds_rows(it, delimiter)).map(|it| unclosed(it, number));
        let mut issues = Vec::new();
        let cells: Vec<_> =
            record.iter().enumerate().map(|(index, it)| cell::of_text(it, number, index, &mut issues)).collect();
        if cells.iter().all(|it| it.is_empty()) && issues.is_empty() {
            continue;
        }
        // Bound: TABLE_ROWS_MAX; the file is quarantined.
        if grid.rows.len() >= TABLE_ROWS_MAX {
            return Err(Message::new("table-rows").with("max", TABLE_ROWS_MAX).into());
        }
        grid.rows.push(GridRow { number, cells, issues });
    }
}

/// Numbers of lines. The crate's own count lags behind where lines end in two characters.
struct Lines<'c> {
    content: &'c [u8],
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of the record that begins at this byte or behind the line ends that stand there.
    fn of(&mut self, byte: u64) -> u32 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).min(self.content.len());
        let blanks = self.content[from..].iter().take_while(|it| matches!(it, b'\r' | b'\n')).count();
        let to = from + blanks;
        if to > self.at {
            let passed = memchr::memchr_iter(b'\n', &self.content[self.at..to]).count();
            self.line = self.line.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
            self.at = to;
        }
        self.line
    }
}

/// Whether a cell holds further lines with delimiters in them: rows, that is.
fn holds_rows(cell: &str, delimiter: u8) -> bool {
    cell.lines().skip(1).any(|line| line.bytes().any(|it| it == delimiter))
}

fn unclosed(cell: &str, row: u32) -> DecodeError {
    let shown: String = cell.chars().take(40).collect();
    Message::new("table-quote").with("row", row).with("text", shown).into()
}

fn damaged(error: &csv::Error, line: u32) -> DecodeError {
    Message::new("table-text").with("row", line).with("detail", error).into()
}
