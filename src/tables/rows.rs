//! The rows, as types.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::packed;
use super::row::first_version;
use crate::assembly::call::Slot;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{CLIENT_INTERACTIONS_CHUNK, CLIENT_INTERACTIONS_MAX};
use crate::base::{ClientId, DealId, DocumentId, InteractionId, ItemRef, Message, Position, Slug, TaskId, Timestamp};
use crate::entry::{Cursor, Erasure, ObjectRef};
use crate::model::{Class, Client, Confirmed, Deal, Delivery, Document, Interaction, Outcome, Task};
use crate::scoring::Sent;

first_version!(
    ClientRow,
    DealRow,
    ErasureRow,
    Document,
    ContactRow,
    ObjectKey,
    IdempotencyRow,
    QuarantineRow,
    ImportRow,
    MetaRow,
    MergeRow,
    CursorRow,
    PolledRow,
    WordRow,
    TaskRow,
    SinkRow,
    AssignmentRow,
    GatheringRow,
    u64,
    CompactString,
    Vec<ClientId>,
    Vec<DealId>,
    Vec<InteractionId>,
    Vec<TaskId>,
    Vec<ObjectRef>,
    Vec<OutcomeItem>,
    Vec<(Fingerprint, Timestamp)>,
    Vec<(Slug, u64)>,
);

/// What one sink knows of an object and has still to learn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkState {
    /// The sink: name of the connection.
    pub sink: Slug,
    /// The open delivery, if the sink lags behind.
    pub delivery: Option<Delivery>,
    /// What it last confirmed.
    pub confirmed: Option<Confirmed>,
    /// Since when the object is known to be deleted there, journal time: it is not made again
    /// before a person says so.
    pub gone: Option<Timestamp>,
}

/// Of the sinks of an object, the one named `sink`.
pub fn sink_state<'a>(sinks: &'a [SinkState], sink: &Slug) -> Option<&'a SinkState> {
    sinks.iter().find(|state| state.sink == *sink)
}

/// The same to change; made when it is not there. Sinks stay sorted by name, so that rows do not
/// tell in which order sinks were met.
pub fn sink_state_mut<'a>(sinks: &'a mut Vec<SinkState>, sink: &Slug) -> &'a mut SinkState {
    let place = sinks.binary_search_by(|state| state.sink.cmp(sink)).unwrap_or_else(|place| {
        sinks.insert(place, SinkState { sink: sink.clone(), delivery: None, confirmed: None, gone: None });
        place
    });
    &mut sinks[place]
}

/// Whether a sink is written to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SinkRow {
    /// Whether what changes is told by itself. Closed: it waits for a plan.
    pub open: bool,
    /// Whether `uzel.toml` says `live`.
    pub live_by_file: bool,
    /// The plan that was applied last.
    pub approval: Option<Approval>,
    /// Since when a person has stopped it, journal time.
    pub paused: Option<Timestamp>,
}

impl SinkRow {
    /// Whether deliveries may go.
    pub fn delivers(&self) -> bool {
        self.open && self.paused.is_none()
    }
}

/// A person has said: write what this plan says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The command.
    pub position: Position,
    /// When, journal time.
    pub at: Timestamp,
    /// Names the plan.
    pub plan: Fingerprint,
    /// Objects that it released.
    pub lines: u64,
}

/// A client and what hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRow {
    /// The client.
    pub client: Client,
    /// Its deals, sorted.
    pub deals: Vec<DealId>,
    /// Its documents, sorted.
    pub documents: Vec<DocumentId>,
    /// Its newest interactions, sorted; at most `limits::CLIENT_INTERACTIONS_MAX`.
    pub interactions: Vec<InteractionId>,
    /// How many chunks of older interactions lie in `ClientInteractions`, from 0.
    pub interactions_spilled: u32,
    /// Best class of its open deals.
    pub class: Option<Class>,
    /// Its open tasks, sorted.
    pub open_tasks: Vec<TaskId>,
    /// What sinks know of it.
    pub sinks: Vec<SinkState>,
}

impl ClientRow {
    /// A client on which nothing hangs yet.
    pub fn new(client: Client) -> ClientRow {
        ClientRow {
            client,
            deals: Vec::new(),
            documents: Vec::new(),
            interactions: Vec::new(),
            interactions_spilled: 0,
            class: None,
            open_tasks: Vec::new(),
            sinks: Vec::new(),
        }
    }

    /// Adds an interaction. Bound: when the row is full its oldest move out: the chunk to be put
    /// into `ClientInteractions` under (this client, the number returned).
    #[must_use = "the chunk has left the row and must be put into its own"]
    pub fn push_interaction(&mut self, id: InteractionId) -> Option<(u32, Vec<InteractionId>)> {
        packed::insert(&mut self.interactions, id);
        if self.interactions.len() <= CLIENT_INTERACTIONS_MAX {
            return None;
        }
        let newest = self.interactions.split_off(CLIENT_INTERACTIONS_CHUNK);
        let chunk = std::mem::replace(&mut self.interactions, newest);
        let number = self.interactions_spilled;
        self.interactions_spilled += 1;
        Some((number, chunk))
    }
}

/// A deal and what sinks know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealRow {
    /// The deal.
    pub deal: Deal,
    /// The score that sinks were last asked to write.
    pub published: Option<Sent>,
    /// Set while it is watched whether anybody touches this new lead.
    pub watch: Option<Watch>,
    /// Its open tasks when it has no client; those of a client are the client's. Sorted.
    pub open_tasks: Vec<TaskId>,
    /// What sinks know of it.
    pub sinks: Vec<SinkState>,
}

/// A new lead under watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Since when it lies, journal time.
    pub since: Timestamp,
    /// When it is looked at next.
    pub at: Timestamp,
    /// How often it was found untouched.
    pub found: u8,
}

impl DealRow {
    /// A deal of which no sink knows yet.
    pub fn new(deal: Deal) -> DealRow {
        DealRow { deal, published: None, watch: None, open_tasks: Vec::new(), sinks: Vec::new() }
    }
}

/// An interaction and what sinks know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionRow {
    /// The interaction.
    pub interaction: Interaction,
    /// What sinks know of it.
    pub sinks: Vec<SinkState>,
}

impl InteractionRow {
    /// An interaction of which no sink knows yet.
    pub fn new(interaction: Interaction) -> InteractionRow {
        InteractionRow { interaction, sinks: Vec::new() }
    }
}

/// A task and what sinks know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The task.
    pub task: Task,
    /// What sinks know of it.
    pub sinks: Vec<SinkState>,
}

/// Who has a contact point.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactRow {
    /// The clients, sorted.
    pub clients: Vec<ClientId>,
    /// Whether it is known to be shared (a switchboard, info@) and so identifies nobody.
    pub not_identifying: bool,
}

/// Where an envelope came first, and for how long that is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRow {
    /// Its first coming.
    pub first: ItemRef,
    /// Until when another coming is a repetition, journal time.
    pub until: Timestamp,
}

/// What a foreign id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectKey {
    /// A client.
    Client(ClientId),
    /// A deal.
    Deal(DealId),
    /// A document.
    Document(DocumentId),
    /// An interaction.
    Interaction(InteractionId),
    /// A task.
    Task(TaskId),
}

/// A record, the connection that it came by, and what became of it.
pub type OutcomeItem = (ItemRef, Slug, Outcome);

/// A record that waits for a person or a corrected mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// The connection that it came by.
    pub connection: Slug,
    /// Kind of record.
    pub stream: Slug,
    /// Since when, journal time.
    pub at: Timestamp,
    /// What is wrong, where, and the next step.
    pub reason: Message,
    /// How often it was tried again in vain.
    pub retries: u32,
}

/// A large envelope that is applied in slices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// The connection that it came by.
    pub connection: Slug,
    /// The first record that is not yet applied.
    pub next: u32,
    /// How many records it has, once known.
    pub total: Option<u32>,
}

/// What the pipeline knows of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MetaRow {
    /// Journal time of the newest entry applied.
    pub journal_time: Timestamp,
    /// The configuration in force.
    pub configuration: Option<Fingerprint>,
    /// The entry that put it in force.
    pub configured_at: Position,
    /// A rescoring under way: the configuration that asks for it, the last deal done.
    pub rescore: Option<(Position, Option<DealId>)>,
    /// Deals scored so far.
    pub deals_scored: u64,
}

/// A merge of two clients, with what is needed to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeRow {
    /// The entry that brought it about.
    pub at: Position,
    /// Why they were taken for one.
    pub why: Vec<Message>,
    /// Deals that came with the loser.
    pub moved_deals: Vec<DealId>,
    /// Documents that came with the loser.
    pub moved_documents: Vec<DocumentId>,
    /// Interactions that came with the loser.
    pub moved_interactions: Vec<InteractionId>,
    /// Open tasks that came with the loser.
    pub moved_tasks: Vec<TaskId>,
}

/// Whom rules gave a deal to and why, and for whom it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentRow {
    /// Whom rules gave it to; none: to nobody, or its source named a responsible.
    pub employee: Option<Slug>,
    /// The group whose turn it was.
    pub group: Option<CompactString>,
    /// When, journal time.
    pub at: Timestamp,
    /// Why; empty when its source named a responsible.
    pub why: Vec<Message>,
    /// The employee among whose open deals it is.
    pub counted: Option<Slug>,
}

impl AssignmentRow {
    /// Of a deal that no rule gave to anybody.
    pub fn counted_only(at: Timestamp) -> AssignmentRow {
        AssignmentRow { employee: None, group: None, at, why: Vec::new(), counted: None }
    }
}

/// What is known of a call while it is put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatheringRow {
    /// It, or where it lies.
    pub slot: Slot,
}

/// A person who was erased. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureRow {
    /// When, journal time.
    pub at: Timestamp,
    /// The command.
    pub erasure: Erasure,
    /// The client and those merged into it.
    pub clients: Vec<ClientId>,
    /// Their deals, sorted.
    pub deals: Vec<DealId>,
    /// Everything of theirs that sinks may have been told, sorted.
    pub objects: Vec<ObjectRef>,
}

/// How far a stream of a poller is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorRow {
    /// How far.
    pub cursor: Cursor,
    /// Journal time of the entry that said so.
    pub at: Timestamp,
}

/// Where the cursor of the relay is kept: no connection has this name beside a relay.
pub fn relay_key() -> (Slug, Slug) {
    (Slug::literal("relay"), Slug::literal("entries"))
}

/// What a polled foreign object last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolledRow {
    /// Names what it said, but for what is volatile.
    pub fingerprint: Fingerprint,
    /// Time of its newest change, as the foreign system writes it.
    pub time: CompactString,
    /// Whether it is no longer there.
    pub gone: bool,
    /// What it told: number of a field, fingerprint of its value.
    pub told: Vec<(u8, u32)>,
}

impl PolledRow {
    /// An object that was named, and never read.
    pub fn unread() -> PolledRow {
        let (fingerprint, time, told) = Default::default();
        PolledRow { fingerprint, time, gone: false, told }
    }
}

/// A word of a foreign dictionary: a stage, a source, a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordRow {
    /// As people there read it.
    pub name: CompactString,
    /// Within what it counts (the id of the pipeline of a stage); empty: everywhere.
    pub within: CompactString,
    /// Whether it is in use.
    pub active: bool,
    /// E-mail address of a user.
    pub email: CompactString,
    /// Inner telephone number of a user.
    pub phone: CompactString,
}

impl WordRow {
    /// A word that is used and has not been told yet.
    pub fn unnamed() -> WordRow {
        let (name, within, email, phone) = Default::default();
        WordRow { name, within, active: false, email, phone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClientKind;

    #[test]
    fn oldest_interactions_move_out_in_chunks_and_none_is_lost() {
        let mut row = ClientRow::new(Client::new(ClientId(1), ClientKind::Person, Timestamp(0)));
        let mut spilled: Vec<(u32, Vec<InteractionId>)> = Vec::new();
        // Every second one comes late, before its neighbour.
        let order = (0..1_000u64).map(|number| InteractionId(number ^ 1));
        for id in order {
            spilled.extend(row.push_interaction(id));
            assert!(row.push_interaction(id).is_none(), "a second time changes nothing");
            assert!(row.interactions.len() <= CLIENT_INTERACTIONS_MAX);
        }
        assert!(spilled.iter().map(|it| it.0).eq(0..row.interactions_spilled));
        assert!(spilled.iter().all(|it| it.1.len() == CLIENT_INTERACTIONS_CHUNK));
        let all: Vec<u64> = spilled.into_iter().flat_map(|it| it.1).chain(row.interactions).map(|id| id.0).collect();
        assert!(all.into_iter().eq(0..1_000));
    }

    #[test]
    fn sinks_stay_sorted_by_name() {
        let mut sinks = Vec::new();
        for name in ["crm", "amo", "1c", "crm"] {
            sink_state_mut(&mut sinks, &Slug::literal(name)).delivery = None;
        }
        let names: Vec<&str> = sinks.iter().map(|state| &*state.sink).collect();
        assert_eq!(names, ["1c", "amo", "crm"]);
        assert!(sink_state(&sinks, &Slug::literal("amo")).is_some());
        assert!(sink_state(&sinks, &Slug::literal("b24")).is_none());
    }
}
