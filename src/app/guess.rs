//! What the columns of a file seem to be, before a folder is watched for such files.

use std::path::Path;

use serde::Serialize;

use super::Folder;
use super::error::{Problems, Told};
use super::folder::unusable;
use crate::base::limits::FOLDER_FILE_BYTES_MAX;
use crate::base::{Locale, Message, Timestamp};
use crate::catalog::{Catalog, Connection, FileSet};
use crate::config::{self, NewConnection, Settings};
use crate::decode::table;
use crate::mapping::columns::{self, Guess};
use crate::pipeline::table_options;

/// What a file seems to be.
#[derive(Debug, Serialize)]
pub struct Guessed {
    /// `csv` or `xlsx`.
    pub format: &'static str,
    /// Character set of a text.
    pub charset: &'static str,
    /// What stands between two cells of a text.
    pub delimiter: String,
    /// The sheet that was read.
    pub sheet: String,
    /// Sheets that were not.
    pub other_sheets: Vec<String>,
    /// Number of the header row.
    pub header_row: u32,
    /// Rows of data.
    pub rows: usize,
    /// Rows of totals, left out.
    pub totals: Vec<u32>,
    /// Columns.
    pub columns: Vec<Guess>,
    /// Why such a file would wait as a whole under the mapping in force; `None` when it would not.
    pub problem: Option<String>,
    /// Where the mapping of this connection is to be kept.
    pub mapping_file: String,
    /// A draft of it.
    pub mapping: String,
}

/// Looks at a file as the connection would; without one, as a new connection with such `records`.
pub fn guess(
    folder: &Folder,
    file: &Path,
    connection: Option<&str>,
    records: Option<&str>,
    locale: Locale,
) -> anyhow::Result<Guessed> {
    let about = std::fs::metadata(file).map_err(|error| unusable(file, &error))?;
    if about.len() > FOLDER_FILE_BYTES_MAX {
        let message = Message::new("folder-too-large").with("file", file.display());
        return Err(Told(message.with("mib", FOLDER_FILE_BYTES_MAX / 1024 / 1024)).into());
    }
    let bytes = std::fs::read(file).map_err(|error| unusable(file, &error))?;
    let catalog = catalog(folder, connection.is_some(), records)?;
    let found = match connection {
        Some(name) => catalog.connection(name),
        None => catalog.connections().next(),
    };
    let unknown = || Told(Message::new("folder-no-connection").with("connection", connection.unwrap_or_default()));
    let found = found.ok_or_else(unknown)?;
    let stream = stream(found, records);
    let inbound = found.inbound(&stream).ok_or_else(unknown)?;
    let read = table::read(&bytes, table_options(found)).map_err(|error| Told(error.message))?;
    // Only times count here that a file says itself: any instant will do.
    let context = catalog.context(Timestamp::ZERO, &[]);
    let columns = columns::guess(&read, inbound, &context);
    let mapping = columns::draft(&columns, inbound);
    let problem = columns::fit(&read, inbound, &context).err().map(|message| message.render(locale));
    let named = connection.unwrap_or("CONNECTION");
    Ok(Guessed {
        format: read.format,
        charset: read.charset,
        delimiter: match read.delimiter {
            Some(b'\t') => "tab".to_owned(),
            Some(byte) => char::from(byte).to_string(),
            None => String::new(),
        },
        sheet: read.sheet.clone(),
        other_sheets: read.other_sheets.clone(),
        header_row: read.header_row,
        rows: read.rows.len(),
        totals: read.totals.clone(),
        columns,
        problem,
        mapping_file: format!("mappings/{named}/{stream}.in.toml"),
        mapping,
    })
}

/// The configuration of the folder, or, for a file shown before there is one, a folder connection
/// with the usual settings.
fn catalog(folder: &Folder, of_folder: bool, records: Option<&str>) -> anyhow::Result<Catalog> {
    if of_folder {
        let settings = folder.settings().map_err(Problems)?;
        return Ok(Catalog::compile(&folder.files()?, &settings).map_err(Problems)?);
    }
    let records = format!("records = {}", config::quoted(records.unwrap_or("clients")));
    let lines = ["path = \".\"", records.as_str()];
    let text = NewConnection::new("folder", "folder", &lines).section();
    let settings = Settings::compile("uzel.toml", &text, &|_| None).map_err(Problems)?;
    Ok(Catalog::compile(&FileSet::builtin(), &settings).map_err(Problems)?)
}

fn stream(connection: &Connection, records: Option<&str>) -> String {
    let set = connection.setting("records").and_then(crate::field::FieldValue::as_text);
    records.or(set).unwrap_or("clients").to_owned()
}
