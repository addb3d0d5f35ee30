//! Earlier forms of rows: read for ever, written no more.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::row::{Persisted, RowFault, from_postcard, to_postcard};
use super::rows::{InteractionRow, SinkState};
use crate::base::{ClientId, DealId, InteractionId, ItemRef, Slug, Timestamp};
use crate::model::{Direction, Interaction, InteractionKind, Utm};

/// An interaction before it told who took part, how long it took and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InteractionV1 {
    id: InteractionId,
    client: Option<ClientId>,
    deal: Option<DealId>,
    kind: InteractionKind,
    direction: Direction,
    at: Timestamp,
    source: Slug,
    record: ItemRef,
    subject: CompactString,
    text: String,
    page: CompactString,
    utm: Utm,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InteractionRowV1 {
    interaction: InteractionV1,
    sinks: Vec<SinkState>,
}

impl From<InteractionRowV1> for InteractionRow {
    fn from(row: InteractionRowV1) -> InteractionRow {
        let InteractionV1 { id, client, deal, kind, direction, at, source, record, subject, text, page, utm } =
            row.interaction;
        let (who, duration_s, result) = (None, None, CompactString::default());
        let interaction = Interaction {
            id,
            client,
            deal,
            kind,
            direction,
            at,
            source,
            record,
            subject,
            text,
            page,
            utm,
            who,
            duration_s,
            result,
        };
        InteractionRow { interaction, sinks: row.sinks }
    }
}

impl Persisted for InteractionRow {
    const VERSION: u8 = 2;

    fn encode(&self, out: &mut Vec<u8>) {
        to_postcard(self, out);
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RowFault> {
        match version {
            1 => from_postcard::<InteractionRowV1>(bytes).map(InteractionRow::from),
            2 => from_postcard(bytes),
            _ => Err(RowFault::Damaged),
        }
    }
}
