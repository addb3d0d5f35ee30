//! What is read from foreign systems, and how far.

use super::views::SourceView;
use super::{Query, QueryError};
use crate::tables::rows::CursorRow;
use crate::tables::{Cursors, Reader, TableError};

impl Query {
    /// Every stream of every connection that is asked or listened to.
    pub fn sources(&self) -> Result<Vec<SourceView>, QueryError> {
        let reader = self.reader();
        let mut views = Vec::new();
        for connection in self.catalog.connections() {
            let is_off = !connection.is_read();
            let source = connection.connector.source.as_ref();
            let listened = source.filter(|_| connection.is_listened());
            views.extend(listened.into_iter().flat_map(|source| &source.streams).map(|stream| SourceView {
                connection: connection.name.to_string(),
                stream: stream.name.to_string(),
                state: "listened".to_owned(),
                time: None,
                loaded: None,
                total: None,
                news_at: None,
                read_at: None,
                same: 0,
                trouble: None,
                waits_until: None,
                told_by: None,
            }));
            for poll in &connection.connector.polls {
                let row = cursor(&reader, connection, &poll.stream)?;
                let cursor = row.as_ref().map(|row| &row.cursor);
                let loading = cursor.and_then(|it| it.loading.as_ref());
                let state = match cursor {
                    _ if is_off => "off",
                    _ if poll.whole.is_some() => "whole",
                    None => "not_begun",
                    Some(_) if loading.is_some() => "loading",
                    Some(cursor) if cursor.loaded || poll.load.is_none() => "followed",
                    Some(_) => "new_only",
                };
                views.push(SourceView {
                    connection: connection.name.to_string(),
                    stream: poll.stream.to_string(),
                    state: state.to_owned(),
                    time: cursor.map(|it| it.time.to_string()).filter(|it| !it.starts_with("1970") && it != "0"),
                    loaded: loading.map(|it| it.read),
                    total: loading.and_then(|it| it.total),
                    news_at: row.as_ref().map(|row| self.local(row.at)),
                    read_at: None,
                    same: 0,
                    trouble: None,
                    told_by: None,
                    waits_until: None,
                });
            }
        }
        Ok(views)
    }

    /// Whether the connection has history that can be loaded.
    pub fn can_load(&self, connection: &str) -> bool {
        let connection = self.catalog.connection(connection);
        connection.is_some_and(|it| it.connector.polls.iter().any(|poll| poll.load.is_some()))
    }
}

fn cursor(
    reader: &Reader<'_>,
    connection: &crate::catalog::Connection,
    stream: &crate::base::Slug,
) -> Result<Option<CursorRow>, TableError> {
    reader.get::<Cursors>(&(connection.name.clone(), stream.clone()))
}
