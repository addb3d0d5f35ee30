//! Everything that we hold of one person, for the person: the answer to "what do you know of me"
//! (152-ФЗ, article 14). Objects as they stand, merged clients among them, and the records of the
//! journal that speak of the person: of an envelope of several people only this one's records.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::objects::document_view;
use super::views::{ClientView, DealView, DocumentView, InteractionView, TaskLine};
use super::{Query, QueryError, outcome_text};
use crate::base::limits::EXPORT_RECORDS_MAX;
use crate::base::{ClientId, DealId, ItemRef, Locale, Position};
use crate::entry::{Entry, Received};
use crate::journal::StoredEntry;
use crate::tables::rows::ClientRow;
use crate::tables::{ClientInteractions, Clients, Documents, Interactions, Span, Tasks};

/// Everything held of a person.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ExportView {
    /// When it was put together, in the company's zone.
    pub made_at: String,
    /// The client that stands, then those merged into it.
    pub clients: Vec<ClientView>,
    /// Every interaction, the oldest first.
    pub interactions: Vec<InteractionView>,
    /// Every document, the oldest first.
    pub documents: Vec<DocumentView>,
    /// Every deal, the oldest first, with its score.
    pub deals: Vec<DealView>,
    /// Every task, ended ones too.
    pub tasks: Vec<TaskLine>,
    /// What was received, the oldest first.
    pub records: Vec<SpokenView>,
    /// Records that are not listed: at the bound the newest are left out.
    pub records_left_out: usize,
    /// Where foreign systems hold the person: `connection kind id`.
    pub elsewhere: Vec<String>,
}

/// One record as it came.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct SpokenView {
    /// `position.item`.
    pub record: String,
    /// When we received it.
    pub at: String,
    /// The connection.
    pub connection: String,
    /// Its stream.
    pub stream: String,
    /// What became of it.
    pub outcome: String,
    /// What it said; a text where its bytes do not decode.
    pub said: Json,
}

/// Records of one envelope that speak of the person: their items, and what they said.
pub type Spoken = (Position, Vec<(u32, Json)>);

impl Query {
    /// Everything held of these clients, the one that stands first. `spoken` tells what the journal
    /// says of them, `elsewhere` who else holds them.
    pub fn export(
        &self,
        clients: &[ClientId],
        spoken: Vec<Spoken>,
        elsewhere: Vec<String>,
        locale: Locale,
    ) -> Result<ExportView, QueryError> {
        let mut view = ExportView {
            made_at: self.local(self.journal_time()?),
            clients: Vec::new(),
            interactions: Vec::new(),
            documents: Vec::new(),
            deals: Vec::new(),
            tasks: Vec::new(),
            records: Vec::new(),
            records_left_out: 0,
            elsewhere,
        };
        let mut deals: BTreeSet<DealId> = BTreeSet::new();
        for id in clients {
            let Some(row) = self.reader().get::<Clients>(id)? else { continue };
            // Whole below: the view of a client shows the newest only.
            let shown = self.client(*id, locale)?;
            view.clients.extend(shown.map(|it| ClientView { interactions: vec![], documents: vec![], ..it }));
            self.export_interactions(&row, *id, &mut view)?;
            for document in &row.documents {
                view.documents.extend(self.reader().get::<Documents>(document)?.map(|it| document_view(&it)));
            }
            deals.extend(row.deals);
        }
        for id in &deals {
            view.deals.extend(self.deal(*id, locale)?);
        }
        let now = self.journal_time()?;
        for row in self.reader().rows(Span::<Tasks>::all()) {
            let task = row?.1.task;
            let is_theirs =
                task.client.is_some_and(|id| clients.contains(&id)) || task.deal.is_some_and(|id| deals.contains(&id));
            if is_theirs {
                view.tasks.push(self.task_line(&task, locale, now)?);
            }
        }
        for (position, items) in spoken {
            let room = EXPORT_RECORDS_MAX.saturating_sub(view.records.len());
            view.records_left_out += items.len().saturating_sub(room);
            self.export_records(position, items.into_iter().take(room), &mut view.records, locale)?;
        }
        Ok(view)
    }

    fn export_interactions(&self, row: &ClientRow, id: ClientId, view: &mut ExportView) -> Result<(), QueryError> {
        let mut all = Vec::new();
        for chunk in 0..row.interactions_spilled {
            all.extend(self.reader().get::<ClientInteractions>(&(id, chunk))?.unwrap_or_default());
        }
        all.extend(row.interactions.iter().copied());
        for interaction in all {
            let row = self.reader().get::<Interactions>(&interaction)?;
            view.interactions.extend(row.map(|row| self.interaction_view(row.interaction)));
        }
        Ok(())
    }

    fn export_records(
        &self,
        position: Position,
        items: impl Iterator<Item = (u32, Json)>,
        records: &mut Vec<SpokenView>,
        locale: Locale,
    ) -> Result<(), QueryError> {
        let Some((stored, received)) = self.received(position)? else { return Ok(()) };
        for (item, said) in items {
            let at = ItemRef::new(position, item);
            let outcome = self.outcome(at)?;
            records.push(SpokenView {
                record: at.to_string(),
                at: self.local(stored.at),
                connection: received.connection.to_string(),
                stream: received.stream.to_string(),
                outcome: outcome.map(|it| outcome_text(&it, locale)).unwrap_or_default(),
                said,
            });
        }
        Ok(())
    }

    fn received(&self, position: Position) -> Result<Option<(StoredEntry, Received)>, QueryError> {
        let Some(stored) = self.stored(position)? else { return Ok(None) };
        match Entry::decode(stored.kind, &stored.payload) {
            Ok(Entry::Received(received)) => Ok(Some((stored, received))),
            Ok(_) | Err(_) => Ok(None),
        }
    }
}
