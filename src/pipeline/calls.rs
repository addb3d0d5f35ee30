//! Calls: facts of an exchange are put together here, and what follows from a call is asked for.
//!
//! What assembly holds lies in the table `gatherings`: the row of a call, and rows by which its other
//! names lead to it. A call is told when it is over, and again when more becomes known of it (billing
//! rows of what fell into a hole); the id of what is made of it derives from the record that told of
//! it first, so telling it again makes nothing anew. Rows of calls that are long over go; what comes
//! later still is known by the crosswalk, and changes nothing.
//!
//! The rules are those of `rules/business.toml`, `[call]`: an unknown caller with whom somebody spoke
//! long enough is a lead; a missed call asks to call back, once for a number, until anybody reached
//! the client.

use compact_str::CompactString;

use super::records::{self, Origin};
use super::step::Step;
use super::{identify, tasks};
use crate::assembly::call::{Call, Desk, Fact, FactKind, Lines, Shelf, Slot, Status, Told};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{CALL_ANSWERS_MAX, CALLS_FORGET_BY_ROW_MAX, CALLS_FORGET_MAX, CALLS_KEPT_MS};
use crate::base::{ClientId, InteractionId, ItemRef, Message, Slug};
use crate::catalog::Moment;
use crate::entry::Received;
use crate::field::FieldValue;
use crate::mapping::Mapped;
use crate::model::change::DealChange;
use crate::model::{Change, Direction, FilterReason, Outcome, TaskKind};
use crate::tables::rows::{GatheringRow, ObjectKey};
use crate::tables::{Clients, ContactKey, Contacts, Crosswalk, Gatherings, Interactions, Span, TableError, Tasks};

/// The stream whose mapping says what a call is.
const STREAM: &str = "call";
/// The setting that asks for a call back to a client who was not known before.
const RULE_UNKNOWN: &str = "call.missed_unknown";
/// The same for a known one.
const RULE_KNOWN: &str = "call.missed";

/// What became of facts.
pub(super) enum Gathered {
    /// The record's outcome.
    Outcome(Outcome),
    /// A call that the mapping refuses.
    Refused(Message),
}

/// The table as a shelf.
struct Rows<'s, 'a> {
    step: &'s mut Step<'a>,
    connection: &'s Slug,
}

impl Shelf for Rows<'_, '_> {
    type Error = TableError;

    fn take(&mut self, name: &str) -> Result<Option<Slot>, TableError> {
        let key = (self.connection.clone(), CompactString::from(name));
        Ok(self.step.rows.get::<Gatherings>(&key)?.map(|row| row.slot))
    }

    fn put(&mut self, name: &str, slot: Slot) -> Result<(), TableError> {
        let key = (self.connection.clone(), CompactString::from(name));
        let is_same = self.step.rows.peek::<Gatherings, _>(&key, |row| row.is_some_and(|row| row.slot == slot))?;
        if !is_same {
            self.step.rows.put::<Gatherings>(&key, GatheringRow { slot });
        }
        Ok(())
    }
}

/// Takes what a record tells of calls.
pub(super) fn take(
    step: &mut Step<'_>,
    at: ItemRef,
    envelope: &Received,
    facts: Vec<Fact>,
) -> Result<Gathered, TableError> {
    let connection = &envelope.connection;
    let facts = news(step, connection, facts)?;
    let mut forgets = 0;
    for fact in &facts {
        match fact.kind {
            FactKind::LiveEnd => forgets = CALLS_FORGET_MAX,
            FactKind::Row(_) => forgets = forgets.max(CALLS_FORGET_BY_ROW_MAX),
            _ => {}
        }
    }
    let ready = Desk::new(&mut Rows { step, connection }, at, envelope.received_at).take(facts)?;
    let lines = lines(step, connection);
    let zone_s = step.catalog.calendar.offset_s(envelope.received_at);
    let mut outcome = Outcome::Unchanged;
    for name in ready {
        let key = (connection.clone(), name);
        let Some(GatheringRow { slot: Slot::Call(mut call) }) = step.rows.get::<Gatherings>(&key)? else { continue };
        let Some(told) = call.tell(&lines, zone_s) else { continue };
        let value = told.to_value();
        let mut text = String::new();
        value.write_json(&mut text);
        let print = Fingerprint::quick(text.as_bytes()).0;
        let print = u64::from_le_bytes(std::array::from_fn(|at| print[at]));
        if call.told == print {
            continue;
        }
        match step.catalog.map_inbound(envelope, STREAM, &value) {
            Mapped::Refused(message) => return Ok(Gathered::Refused(message)),
            Mapped::Change(change) => outcome = tell(step, envelope, &call, &told, *change)?,
        }
        call.told = print;
        step.rows.put::<Gatherings>(&key, GatheringRow { slot: Slot::Call(call) });
    }
    forget(step, connection, forgets)?;
    Ok(Gathered::Outcome(outcome))
}

/// Rows of calls that were told long ago say nothing new.
fn news(step: &mut Step<'_>, connection: &Slug, facts: Vec<Fact>) -> Result<Vec<Fact>, TableError> {
    let mut news = Vec::with_capacity(facts.len());
    for fact in facts {
        if let FactKind::Row(row) = &fact.kind {
            let mut known = false;
            for name in [&fact.linked, &row.uniqueid].into_iter().filter(|it| !it.is_empty()) {
                let key = (connection.clone(), name.clone());
                if step.rows.peek::<Gatherings, _>(&key, |row| row.is_some())? {
                    known = false;
                    break;
                }
                let foreign = crate::model::Foreign {
                    connection: connection.clone(),
                    kind: CompactString::const_new(STREAM),
                    id: name.clone(),
                };
                known |= matches!(step.rows.get::<Crosswalk>(&foreign)?, Some(ObjectKey::Interaction(_)));
            }
            if known {
                continue;
            }
        }
        news.push(fact);
    }
    Ok(news)
}

/// How names of channels are read, by the settings.
fn lines(step: &Step<'_>, connection: &Slug) -> Lines {
    let Some(connection) = step.catalog.connection(connection) else { return Lines::default() };
    let texts = |name: &str| connection.setting(name).map(|it| it.as_texts().to_vec()).unwrap_or_default();
    let digits = connection.setting("extension_digits").and_then(FieldValue::as_integer);
    Lines {
        trunks: texts("trunks"),
        extensions: texts("extensions"),
        extension_digits_max: digits.and_then(|it| usize::try_from(it).ok()).unwrap_or(5),
    }
}

/// Tells a call, and asks for what follows from it.
fn tell(
    step: &mut Step<'_>,
    envelope: &Received,
    call: &Call,
    told: &Told,
    mut change: Change,
) -> Result<Outcome, TableError> {
    let observed_at = change.observed_at.unwrap_or(envelope.received_at);
    step.moment = step.catalog.moment(envelope, observed_at);
    step.history_of = (step.moment == Moment::History).then(|| envelope.connection.clone());
    if let Some(reason) = change.filter {
        return Ok(Outcome::Filtered(reason));
    }
    let own = change.client.contacts.iter().any(|point| step.catalog.people.is_contact_of_staff(point));
    if own {
        return Ok(Outcome::Filtered(FilterReason::Internal));
    }
    name_employee(step, envelope, &mut change);
    let interaction = InteractionId::derive(call.born, 0);
    let again = step.rows.peek::<Interactions, _>(&interaction, |row| row.is_some())?;
    let known = known(step, &change)?;
    let spoke = told.status == Status::Answered;
    let business = &step.catalog.business;
    let waited_for = match known {
        Some(client) if spoke => waited_for(step, client)?,
        Some(_) | None => false,
    };
    let is_lead = told.direction == Direction::Inbound && known.is_none() && told.talk_s >= business.call_lead_s;
    let has_client = !change.client.contacts.is_empty();
    if has_client && spoke && !again && ((is_lead && business.call_makes_deal) || waited_for) {
        change.deal = Some(DealChange { source: business.call_source.clone(), ..DealChange::default() });
    }
    let outcome = records::apply(step, call.born, envelope, change)?;
    let row = step
        .rows
        .peek::<Interactions, _>(&interaction, |row| row.map(|row| (row.interaction.client, row.interaction.deal)))?;
    let Some((Some(client), deal)) = row else { return Ok(outcome) };
    let origin = Origin { record: call.born, envelope, observed_at };
    if spoke {
        let by = Message::new("task-by-contact").with("source", &envelope.connection);
        // A deal that this very call has made is touched: nobody is to be sent after it.
        let at = if deal.is_some() { step.at.max(told.until) } else { told.until };
        tasks::reached(step, Some(client), deal, by, at)?;
    } else if told.direction == Direction::Inbound && told.status == Status::Missed {
        missed(step, &origin, client, known.is_none(), told)?;
    }
    Ok(outcome)
}

/// Whom the exchange calls by an extension is an employee, where he is known.
fn name_employee(step: &Step<'_>, envelope: &Received, change: &mut Change) {
    let Some(who) = change.interaction.as_mut().and_then(|it| it.who.as_mut()) else { return };
    let day = step.catalog.calendar.date(envelope.received_at);
    if let Some(employee) = step.catalog.people.resolve(&envelope.connection, who, day) {
        *who = CompactString::new(&*employee.key);
    }
}

/// The client who has this number, when somebody has.
fn known(step: &mut Step<'_>, change: &Change) -> Result<Option<ClientId>, TableError> {
    for point in &change.client.contacts {
        let row = step.rows.get::<Contacts>(&ContactKey::of(point))?.unwrap_or_default();
        if let Some(client) = row.clients.first() {
            return records::standing_client(step, *client).map(Some);
        }
    }
    Ok(None)
}

/// Whether he called us in vain before we knew him, and nobody has reached him since.
fn waited_for(step: &mut Step<'_>, client: ClientId) -> Result<bool, TableError> {
    let row =
        step.rows.peek::<Clients, _>(&client, |row| row.map(|row| (row.open_tasks.clone(), row.deals.is_empty())))?;
    let Some((open, true)) = row else { return Ok(false) };
    for id in open {
        let asks = step.rows.peek::<Tasks, _>(&id, |row| {
            row.is_some_and(|row| row.task.kind == TaskKind::CallBack && row.task.rule == RULE_UNKNOWN)
        })?;
        if asks {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A client spoke with nobody: somebody is to call back.
fn missed(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: ClientId,
    is_new: bool,
    told: &Told,
) -> Result<(), TableError> {
    if !step.catalog.business.call_back || identify::is_no_client(step, client)? {
        return Ok(());
    }
    if answered_since(step, client, told)? {
        return Ok(());
    }
    let deal = super::deals::newest_open(step, client)?;
    let title = match &told.company_number {
        Some(number) => Message::new("task-call-back").with("number", number),
        None => Message::new("task-call-back-plain"),
    };
    // One that was unknown stays so until he is reached.
    let rule = if is_new || unknown_before(step, client)? { RULE_UNKNOWN } else { RULE_KNOWN };
    let wanted = tasks::Wanted {
        kind: TaskKind::CallBack,
        title,
        client: Some(client),
        deal,
        responsible: None,
        rule,
        record: origin.record,
    };
    tasks::want(step, wanted)
}

fn unknown_before(step: &mut Step<'_>, client: ClientId) -> Result<bool, TableError> {
    waited_for(step, client)
}

/// Whether somebody spoke with the client after this call: what a late row tells of is over.
fn answered_since(step: &mut Step<'_>, client: ClientId, told: &Told) -> Result<bool, TableError> {
    let newest = step.rows.peek::<Clients, _>(&client, |row| {
        row.map(|row| row.interactions.iter().rev().take(CALL_ANSWERS_MAX).copied().collect::<Vec<_>>())
    })?;
    for id in newest.unwrap_or_default() {
        let later = step.rows.peek::<Interactions, _>(&id, |row| {
            row.is_some_and(|row| {
                let it = &row.interaction;
                it.at > told.from && (tasks::reaches(it) || tasks::is_talk(it))
            })
        })?;
        if later {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Rows of calls that are long over go, the oldest first: names of calls begin with their time.
fn forget(step: &mut Step<'_>, connection: &Slug, rows_max: usize) -> Result<(), TableError> {
    if rows_max == 0 {
        return Ok(());
    }
    let before = step.at.plus_ms(-CALLS_KEPT_MS);
    // Bound: what is left waits for the next look.
    for (key, row) in step.rows.range(&Span::<Gatherings>::of(connection), false, rows_max)? {
        let gone = match &row.slot {
            Slot::Call(call) => call.touched < before && (call.is_over() || call.told != 0),
            Slot::Of(_, since) => *since < before,
            Slot::Link(_) => false,
        };
        if gone {
            step.rows.remove::<Gatherings>(&key);
        }
    }
    Ok(())
}

/// Numbers and names in a gathering: erasure looks for the person there.
pub(super) fn texts_of(facts: &[Fact]) -> Vec<String> {
    facts.iter().flat_map(Fact::texts).filter(|it| !it.is_empty()).map(|it| it.to_string()).collect()
}
