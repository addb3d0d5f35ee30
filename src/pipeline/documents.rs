//! Documents: which one a record is about, what it changes there, and the deal that it is tied to.

use compact_str::CompactString;

use super::copies;
use super::deals::{Touched, keep_extra, take};
use super::records::{Origin, remember_foreign};
use super::step::Step;
use crate::base::{ClientId, DealId, DocumentId};
use crate::model::change::DocumentChange;
use crate::model::{Document, Provenance};
use crate::tables::rows::ObjectKey;
use crate::tables::{Clients, Crosswalk, Deals, Documents, TableError};

/// Name under which a document keeps the number of the order that it belongs to.
pub(super) const BASIS: &str = "basis";

/// The document that a foreign id of the record stands for.
pub(super) fn known_document(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    told: &DocumentChange,
) -> Result<Option<DocumentId>, TableError> {
    for (kind, id) in &told.foreign {
        let key = origin.foreign(kind, id);
        if let Some(ObjectKey::Document(document)) = step.rows.get::<Crosswalk>(&key)? {
            return Ok(Some(document));
        }
    }
    Ok(None)
}

/// Finds or makes the document of a record and offers it what the record says.
pub(super) fn document(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    told: &DocumentChange,
    extra: &[(CompactString, CompactString)],
) -> Result<Touched<DocumentId>, TableError> {
    let mut known = known_document(step, origin, told)?;
    if known.is_none() {
        known = copies::original(step, origin, client, told)?;
    }
    let id = known.unwrap_or_else(|| DocumentId::derive(origin.record, 0));
    let foreign: Vec<_> = told.foreign.iter().map(|(kind, id)| origin.foreign(kind, id)).collect();
    let provenance = origin.provenance(step, "documents");
    let position = step.position;
    let changed = step.rows.update::<Documents, _>(&id, |row| {
        let mut changed = row.is_none();
        let document = row.get_or_insert_with(|| Document::new(id, told.kind));
        if document.client.is_none() {
            document.client = client;
        }
        for foreign in &foreign {
            if !document.foreign.contains(foreign) {
                document.foreign.push(foreign.clone());
                changed = true;
            }
        }
        changed |= offer_document(document, told, &provenance);
        changed |= keep_extra(&mut document.extra, extra, &provenance);
        if let Some(basis) = &told.basis {
            let named = (CompactString::const_new(BASIS), basis.clone());
            changed |= keep_extra(&mut document.extra, &[named], &provenance);
        }
        if changed {
            document.version = position;
        }
        changed
    })?;
    for foreign in &foreign {
        remember_foreign(step, foreign, ObjectKey::Document(id))?;
    }
    if let Some(client) = client {
        step.rows.update::<Clients, _>(&client, |row| {
            if let Some(row) = row
                && !row.documents.contains(&id)
            {
                row.documents.push(id);
            }
        })?;
    }
    Ok(Touched { id, changed })
}

fn offer_document(document: &mut Document, told: &DocumentChange, provenance: &Provenance) -> bool {
    let mut changed = take(&mut document.number, &told.number, provenance);
    changed |= take(&mut document.date, &told.date, provenance);
    changed |= take(&mut document.number_1c, &told.number_1c, provenance);
    changed |= take(&mut document.sum, &told.sum, provenance);
    changed |= take(&mut document.posted, &told.posted, provenance);
    changed |= take(&mut document.deletion_mark, &told.deletion_mark, provenance);
    changed |= take(&mut document.cancelled, &told.cancelled, provenance);
    changed |= take(&mut document.paid, &told.paid, provenance);
    changed |= take(&mut document.shipped, &told.shipped, provenance);
    changed |= take(&mut document.status, &told.status, provenance);
    changed |= take(&mut document.comment, &told.comment, provenance);
    let owns = document.sum.as_ref().is_none_or(|sum| sum.provenance == *provenance);
    if !told.lines.is_empty() && owns && document.lines != told.lines {
        document.lines = told.lines.clone();
        changed = true;
    }
    changed
}

/// Ties a document to its deal, on both sides.
pub(super) fn tie(step: &mut Step<'_>, deal: DealId, document: DocumentId) -> Result<bool, TableError> {
    step.rows.update::<Documents, _>(&document, |row| {
        if let Some(row) = row {
            row.deal = Some(deal);
        }
    })?;
    step.rows.update::<Deals, _>(&deal, |row| {
        let Some(row) = row else { return false };
        let is_new = !row.deal.documents.contains(&document);
        if is_new {
            row.deal.documents.push(document);
        }
        is_new
    })
}
