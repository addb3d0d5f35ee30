//! Workbooks (XLSX). The cells are read one by one, so that a single cell at the far end of a sheet
//! costs one cell and not the sheet.

use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Dimensions, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx};
use compact_str::{CompactString, format_compact};
use zip::ZipArchive;

use super::{Grid, GridRow, Options, Table, assemble, cell};
use crate::base::Message;
use crate::base::limits::{TABLE_CELL_BYTES_MAX, TABLE_COLUMNS_MAX, TABLE_ROWS_MAX, TABLE_UNPACKED_BYTES_MAX};
use crate::decode::DecodeError;
use crate::model::Issue;

type Book<'b> = Xlsx<Cursor<&'b [u8]>>;

/// Whether the list of members stands at the end: a file that is still being copied has none.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    ZipArchive::new(Cursor::new(bytes)).is_ok()
}

pub(super) fn read(bytes: &[u8], options: Options<'_>) -> Result<Table, DecodeError> {
    unpacks(bytes)?;
    // The crate reads foreign bytes and is young in places: what it cannot take is the file's
    // fault, not ours to fall over.
    let read = catch_unwind(AssertUnwindSafe(|| read_book(bytes, options)));
    read.unwrap_or_else(|_| Err(damaged(&"panic")))
}

/// Every member unpacks, whole and within the bound, before anything believes what it says.
fn unpacks(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let mut left = TABLE_UNPACKED_BYTES_MAX;
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(|error| damaged(&error))?;
        let copied = std::io::copy(&mut member.take(left + 1), &mut std::io::sink());
        let copied = copied.map_err(|error| damaged(&error))?;
        // Bound: TABLE_UNPACKED_BYTES_MAX; the file is quarantined as a bomb.
        left =
            left.checked_sub(copied).ok_or_else(|| Message::new("table-bomb").with("max", TABLE_UNPACKED_BYTES_MAX))?;
    }
    Ok(())
}

fn damaged(detail: &dyn std::fmt::Display) -> DecodeError {
    Message::new("table-book").with("detail", detail).into()
}

fn read_book(bytes: &[u8], options: Options<'_>) -> Result<Table, DecodeError> {
    let mut book: Book<'_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let names: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    if let Some(wish) = options.sheet {
        let known = names.iter().find(|name| name.trim().to_lowercase() == wish.trim().to_lowercase());
        let Some(name) = known else {
            return Err(Message::new("table-sheet").with("sheet", wish).with("known", names.join(", ")).into());
        };
        let (grid, merged) = sheet(&mut book, name)?;
        return finish(grid, &merged, name, options);
    }
    let mut found: Option<Result<Table, DecodeError>> = None;
    let mut others = Vec::new();
    for name in &names {
        let (grid, merged) = sheet(&mut book, name)?;
        if grid.rows.is_empty() {
            continue;
        }
        match &found {
            Some(Ok(_)) => others.push(name.clone()),
            // A cover sheet without a table goes before the table.
            Some(Err(_)) | None => match finish(grid, &merged, name, options) {
                Ok(table) if table.rows.is_empty() && found.is_some() => others.push(name.clone()),
                other => found = Some(other),
            },
        }
    }
    let mut table = found.unwrap_or_else(|| Err(Message::new("table-empty").into()))?;
    table.other_sheets = others;
    Ok(table)
}

fn finish(grid: Grid, merged: &Merged, name: &str, options: Options<'_>) -> Result<Table, DecodeError> {
    let mut table = assemble(grid, &|row, column| merged.text(row, column), options.header_row)?;
    table.format = "xlsx";
    name.clone_into(&mut table.sheet);
    Ok(table)
}

/// Merged cells and the text of their first one.
struct Merged(Vec<(Dimensions, CompactString)>);

impl Merged {
    /// What a merged cell says at this place, or at the nearest above it.
    fn text(&self, row: u32, column: usize) -> Option<CompactString> {
        let row = row.checked_sub(1)?;
        let column = u32::try_from(column).ok()?;
        let above = (0..=2).filter_map(|up| row.checked_sub(up));
        let mut rows = above.flat_map(|at| self.0.iter().filter(move |(area, _)| area.contains(at, column)));
        rows.find(|(_, text)| !text.is_empty()).map(|(_, text)| text.clone())
    }
}

fn sheet(book: &mut Book<'_>, name: &str) -> Result<(Grid, Merged), DecodeError> {
    let areas = book.merge_cells_by_sheet_name(name).unwrap_or_default();
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
    let mut grid = Grid::default();
    let mut firsts: Vec<(Dimensions, CompactString)> =
        areas.into_iter().map(|area| (area, CompactString::default())).collect();
    while let Some(found) = cells.next_cell().map_err(|error| damaged(&error))? {
        let (row, column) = found.get_position();
        let at = column as usize;
        let number = row.saturating_add(1);
        let mut issues = Vec::new();
        let text = text_of(found.get_value(), number, at, &mut issues);
        if text.is_empty() && issues.is_empty() {
            continue;
        }
        // Bound: TABLE_COLUMNS_MAX, TABLE_ROWS_MAX, TABLE_CELL_BYTES_MAX; the file is quarantined.
        if at >= TABLE_COLUMNS_MAX {
            return Err(Message::new("table-columns").with("max", TABLE_COLUMNS_MAX).into());
        }
        if text.len() > TABLE_CELL_BYTES_MAX {
            return Err(Message::new("table-cell").with("row", number).with("column", at + 1).into());
        }
        if let Some((_, first)) = firsts.iter_mut().find(|(area, _)| area.start == (row, column)) {
            *first = text.clone();
        }
        if grid.rows.last().is_none_or(|last| last.number != number) {
            if grid.rows.len() >= TABLE_ROWS_MAX {
                return Err(Message::new("table-rows").with("max", TABLE_ROWS_MAX).into());
            }
            grid.rows.push(GridRow { number, ..GridRow::default() });
        }
        let Some(last) = grid.rows.last_mut() else { continue };
        if last.cells.len() <= at {
            last.cells.resize(at + 1, CompactString::default());
        }
        last.cells[at] = text;
        last.issues.append(&mut issues);
    }
    // A sheet whose rows are out of order is odd, and read all the same.
    grid.rows.sort_by_key(|row| row.number);
    Ok((grid, Merged(firsts)))
}

fn text_of(value: &DataRef<'_>, row: u32, column: usize, issues: &mut Vec<Issue>) -> CompactString {
    match value {
        DataRef::Int(number) => format_compact!("{number}"),
        DataRef::Float(number) => cell::of_number(*number),
        DataRef::String(text) => cell::of_text(text, row, column, issues),
        DataRef::SharedString(text) => cell::of_text(text, row, column, issues),
        DataRef::Bool(true) => "да".into(),
        DataRef::Bool(false) => "нет".into(),
        DataRef::DateTime(at) => date_text(at),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.as_str().into(),
        DataRef::Error(error) => {
            let message = Message::new("table-formula").with("row", row).with("column", column + 1);
            issues.push(Issue::new("table", message, error.to_string()));
            CompactString::default()
        }
        DataRef::Empty => CompactString::default(),
    }
}

/// Days since 1900 as a date people write; a duration as hours and minutes.
fn date_text(at: &ExcelDateTime) -> CompactString {
    let days = at.as_f64();
    if at.is_duration() || !(1.0..2_958_466.0).contains(&days) {
        return cell::of_number(days);
    }
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    match (hour, minute, second) {
        (0, 0, 0) => format_compact!("{year:04}-{month:02}-{day:02}"),
        _ => format_compact!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
    }
}
