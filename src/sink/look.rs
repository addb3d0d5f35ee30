//! A look into the foreign system that writes nothing: which objects are there already, by the same
//! steps by which a delivery would find them, and what would then be written.

use compact_str::CompactString;

use super::fields::Fields;
use super::item::{End, How, Stage};
use super::push::{Phase, Push};
use super::{Stop, Work};
use crate::base::Timestamp;
use crate::entry::ObjectRef;

/// What a look found of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Looked {
    /// It is there.
    There {
        /// Its id.
        id: CompactString,
        /// Whether others fit too; this one has the smallest id.
        several: bool,
        /// What would be written.
        fields: Fields,
    },
    /// It is not.
    NotThere,
}

/// What a look came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LookReport {
    /// Objects that were looked for to the end.
    pub looked: Vec<(ObjectRef, Looked)>,
    /// Objects that were not, and not before when to look.
    pub untouched: Vec<(ObjectRef, Option<Timestamp>)>,
    /// Set when the system must be left alone.
    pub stop: Option<Stop>,
}

impl Push<'_> {
    /// Looks for each object; nothing is sent that could change anything, and nothing is journalled.
    pub(super) async fn look(mut self, works: Vec<Work>) -> LookReport {
        self.caller.wake();
        let mut items = self.items(works);
        // Bound: as for a push.
        while self.report.stop.is_none() {
            let Some((Phase::Read, chosen)) = self.choose(&items) else { break };
            self.ask(&mut items, &chosen).await;
            self.report.stop = self.rest();
        }
        let mut report = LookReport { stop: self.report.stop.take(), ..LookReport::default() };
        report.untouched.append(&mut self.report.untouched);
        for item in items {
            let object = item.work.object;
            let several = item.note.is_some();
            match item.stage {
                Stage::Create | Stage::Import | Stage::Ended(End::Absent) => {
                    report.looked.push((object, Looked::NotThere));
                }
                Stage::Update { id, fields, .. } => report.looked.push((object, Looked::There { id, several, fields })),
                Stage::Ended(End::Done { id, how: How::Linked, .. }) => {
                    report.looked.push((object, Looked::There { id, several, fields: Fields::new() }));
                }
                Stage::Ended(End::Untouched { until }) => report.untouched.push((object, until)),
                // Whatever it is, the delivery will meet it and say so.
                Stage::Find { .. } | Stage::Get { .. } | Stage::Ended(_) => report.untouched.push((object, None)),
            }
        }
        report
    }
}
