//! Side tables (comments, activities, requisites, tasks, stage moves): rows of text under classic
//! names, and the one way in which all of them are listed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::listing::{Column, Columns, Page, compare, page};
use super::params::{children, members, param};
use super::portal::{Answer, Call};
use super::zone::Zone;
use crate::value::Value;

/// A row of one of the side tables: classic names, text in every field.
pub(super) type Row = BTreeMap<String, String>;

/// The column that ties a row to its object's kind; never shown.
pub(super) const OWNER_KIND: &str = "OWNER_KIND";

/// Parts the values of a field that holds several.
pub(super) const SEVERAL: char = '\u{1f}';

/// The columns of a table that do not compare as text. `ID` is a number everywhere. A `Day` is an
/// instant kept as the portal shows it, an `Instant` one kept as seconds.
pub(super) struct Shape(pub(super) &'static [(&'static str, Column)]);

impl Shape {
    /// A classic list: filter, order, select, pages.
    pub(super) fn list(&self, zone: Zone, rows: &BTreeMap<u64, Row>, call: &Call<'_>) -> Answer {
        let select: Vec<&str> = param(call.params, "select")
            .map(children)
            .unwrap_or_default()
            .into_iter()
            .filter_map(Value::as_text)
            .collect();
        let wanted = |name: &str| select.is_empty() || select.contains(&"*") || select.contains(&name);
        let page = self.page(zone, rows, call);
        let shown = page.rows.into_iter().map(|(id, row)| {
            let mut out = serde_json::Map::new();
            out.insert("ID".to_owned(), json!(id.to_string()));
            for (name, text) in row.iter().filter(|(name, _)| *name != OWNER_KIND && wanted(name)) {
                out.insert(name.clone(), json!(text));
            }
            Json::Object(out)
        });
        Answer { result: shown.collect(), total: Some(page.total), next: page.next }
    }

    /// The rows of the page that the call asks for.
    pub(super) fn page<'a>(
        &self,
        zone: Zone,
        rows: &'a BTreeMap<u64, Row>,
        call: &Call<'_>,
    ) -> Page<(&'a u64, &'a Row)> {
        let resolve = |name: &str| {
            let column = match name {
                "ID" => Column::Number,
                other => self.0.iter().find(|(held, _)| *held == other).map_or(Column::Text, |(_, column)| *column),
            };
            let is_declared = self.0.iter().any(|(held, _)| *held == name);
            let exists = name == "ID" || is_declared || rows.values().any(|row| row.contains_key(name));
            (exists || rows.is_empty()).then(|| (name.to_owned(), column))
        };
        let read = |column: Column, text: &str| match column {
            Column::Number | Column::Text => Some(text.to_owned()),
            Column::Day => zone.read_instant(text).map(|at| zone.iso(at)),
            Column::Instant => zone.read_instant(text).map(|at| at.to_string()),
        };
        let columns = Columns { resolve: &resolve, read: &read, strict: false };
        // Lenient columns refuse nothing.
        let (Ok(test), Ok(order)) =
            (columns.filter(param(call.params, "filter")), columns.order(param(call.params, "order")))
        else {
            return Page { rows: Vec::new(), total: 0, next: None };
        };
        let cell = |id: u64, row: &Row, name: &str| match name {
            "ID" => Some(id.to_string()),
            other => row.get(other).cloned(),
        };
        let cells = |id: u64, row: &Row, name: &str| -> Vec<Cow<'_, str>> {
            let text = cell(id, row, name).unwrap_or_default();
            text.split(SEVERAL).filter(|it| !it.is_empty()).map(|it| Cow::from(it.to_owned())).collect()
        };
        let mut found: Vec<(&u64, &Row)> =
            rows.iter().filter(|(id, row)| test.passes(&|name| cells(**id, row, name))).collect();
        found.sort_by(|left, right| {
            order
                .iter()
                .map(|(name, column, descending)| {
                    let key = |(id, row): &(&u64, &Row)| cell(**id, row, name).unwrap_or_default();
                    let ordering = compare(*column, &key(left), &key(right));
                    if *descending { ordering.reverse() } else { ordering }
                })
                .find(|ordering| ordering.is_ne())
                .unwrap_or_else(|| left.0.cmp(right.0))
        });
        page(found, call.params)
    }
}

/// A row of these cells.
pub(super) fn row<const N: usize>(cells: [(&str, String); N]) -> Row {
    cells.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The fields sent that the table knows; the others are dropped in silence.
pub(super) fn known(sent: &Value, names: &[&str]) -> Row {
    members(sent)
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .filter_map(|(name, value)| value.as_text().map(|text| (name, text.to_owned())))
        .collect()
}
