//! Tasks: asked for by rules, renewed while they are open, ended by themselves when somebody has
//! reached the client, when the deal is closed, or by a person; and the watch over new leads.
//!
//! Time enters as journal time only: a lead that lies untouched is found by a `Ticked` entry.

use compact_str::CompactString;

use super::attempts::forget_foreign;
use super::records::Origin;
use super::step::Step;
use super::{assign, marks};
use crate::base::{ClientId, DealId, ItemRef, Message, Slug, TaskId, Timestamp};
use crate::catalog::{Moment, UntouchedRule};
use crate::entry::ObjectRef;
use crate::model::{DeliveryState, Direction, Interaction, InteractionKind, Task, TaskEnd, TaskKind, TaskState};
use crate::people::UntouchedTo;
use crate::tables::rows::{DealRow, TaskRow, Watch};
use crate::tables::{Clients, Deals, OpenTasks, Sinks, Span, TableError, Tasks, Watches, packed};

/// A task that a rule asks for.
pub(super) struct Wanted {
    /// What is to be done.
    pub kind: TaskKind,
    /// The same for people.
    pub title: Message,
    /// With whom.
    pub client: Option<ClientId>,
    /// In which deal, if in one.
    pub deal: Option<DealId>,
    /// Who does it, when it is not the responsible of the deal.
    pub responsible: Option<CompactString>,
    /// The setting that asks.
    pub rule: &'static str,
    /// The record that gives the reason.
    pub record: ItemRef,
}

/// Makes the task, or renews the one of that kind that is open for the client and the deal.
pub(super) fn want(step: &mut Step<'_>, wanted: Wanted) -> Result<(), TableError> {
    // What happened before the switch-over is somebody else's past: nobody is to act on it now.
    if step.moment == Moment::History {
        return Ok(());
    }
    let Wanted { kind, title, client, deal, responsible, rule, record } = wanted;
    let responsible = match responsible {
        Some(named) => Some(named),
        None => responsible_of(step, client, deal)?,
    };
    let due = in_working_minutes(step, step.at, step.catalog.business.minutes_for(kind));
    let position = step.position;
    let open = open_tasks(step, client, deal)?;
    for id in open {
        let Some(mut row) = step.rows.get::<Tasks>(&id)? else { continue };
        // A number is called back once, whichever deal it is about.
        let is_about = row.task.deal == deal || kind == TaskKind::CallBack;
        if row.task.kind != kind || !is_about {
            continue;
        }
        if row.task.record == record {
            return Ok(());
        }
        let before = row.task.due;
        // A client who asks twice must not wait longer for it.
        row.task.due = before.min(due);
        row.task.title = title;
        row.task.responsible = responsible;
        row.task.record = record;
        row.task.renewals += 1;
        row.task.version = position;
        relist(step, id, Some(before), Some(row.task.due))?;
        step.rows.put::<Tasks>(&id, row);
        return marks::want(step, ObjectRef::Task(id));
    }
    let id = TaskId::derive(record, kind.ordinal());
    let task = Task {
        id,
        kind,
        title,
        client,
        deal,
        responsible,
        due,
        state: TaskState::Open,
        created_at: step.at,
        rule: rule.into(),
        record,
        renewals: 0,
        version: position,
    };
    step.rows.put::<Tasks>(&id, TaskRow { task, sinks: Vec::new() });
    hold(step, client, deal, |open| {
        packed::insert(open, id);
    })?;
    relist(step, id, None, Some(due))?;
    marks::want(step, ObjectRef::Task(id))
}

/// So many working minutes later.
fn in_working_minutes(step: &Step<'_>, from: Timestamp, minutes: u32) -> Timestamp {
    step.catalog.calendar.plus_working_minutes(from, minutes)
}

/// The responsible of the deal, else of the client.
fn responsible_of(
    step: &mut Step<'_>,
    client: Option<ClientId>,
    deal: Option<DealId>,
) -> Result<Option<CompactString>, TableError> {
    let of_deal = match deal {
        Some(deal) => step.rows.peek::<Deals, _>(&deal, |row| {
            row.and_then(|row| row.deal.responsible.as_ref()).map(|held| held.value.clone())
        })?,
        None => None,
    };
    match (of_deal, client) {
        (Some(responsible), _) => Ok(Some(responsible)),
        (None, Some(client)) => step.rows.peek::<Clients, _>(&client, |row| {
            row.and_then(|row| row.client.responsible.as_ref()).map(|held| held.value.clone())
        }),
        (None, None) => Ok(None),
    }
}

/// Open tasks of a client and of a deal that has none.
fn open_tasks(step: &mut Step<'_>, client: Option<ClientId>, deal: Option<DealId>) -> Result<Vec<TaskId>, TableError> {
    let mut open = match client {
        Some(client) => step.rows.peek::<Clients, _>(&client, |row| row.map(|row| row.open_tasks.clone()))?,
        None => None,
    }
    .unwrap_or_default();
    if let Some(deal) = deal {
        let of_deal = step.rows.peek::<Deals, _>(&deal, |row| row.map(|row| row.open_tasks.clone()))?;
        open.extend(of_deal.unwrap_or_default());
    }
    Ok(open)
}

/// Changes the list that holds the open tasks of the client, else of the deal.
fn hold(
    step: &mut Step<'_>,
    client: Option<ClientId>,
    deal: Option<DealId>,
    change: impl FnOnce(&mut Vec<TaskId>),
) -> Result<(), TableError> {
    match (client, deal) {
        (Some(client), _) => step.rows.update::<Clients, _>(&client, |row| {
            if let Some(row) = row {
                change(&mut row.open_tasks);
            }
        }),
        (None, Some(deal)) => step.rows.update::<Deals, _>(&deal, |row| {
            if let Some(row) = row {
                change(&mut row.open_tasks);
            }
        }),
        (None, None) => Ok(()),
    }
}

/// Moves a task in the listing by deadline.
fn relist(step: &mut Step<'_>, id: TaskId, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), TableError> {
    if from == to {
        return Ok(());
    }
    if let Some(from) = from {
        step.rows.update::<OpenTasks, _>(&OpenTasks::key(from, id), |slot| {
            if let Some(listed) = slot {
                packed::remove(listed, &id);
            }
            slot.take_if(|listed| listed.is_empty());
        })?;
    }
    if let Some(to) = to {
        step.rows.update::<OpenTasks, _>(&OpenTasks::key(to, id), |slot| {
            packed::insert(slot.get_or_insert_default(), id);
        })?;
    }
    Ok(())
}

/// Ends an open task; an ended one stays as it is.
pub(super) fn end(step: &mut Step<'_>, id: TaskId, state: TaskState) -> Result<(), TableError> {
    let Some(mut row) = step.rows.get::<Tasks>(&id)? else { return Ok(()) };
    if !row.task.is_open() {
        return Ok(());
    }
    row.task.state = state;
    row.task.version = step.position;
    let (client, deal, due) = (row.task.client, row.task.deal, row.task.due);
    step.rows.put::<Tasks>(&id, row);
    relist(step, id, Some(due), None)?;
    if let Some(client) = client {
        step.rows.update::<Clients, _>(&client, |row| {
            if let Some(row) = row {
                packed::remove(&mut row.open_tasks, &id);
            }
        })?;
    }
    if let Some(deal) = deal {
        step.rows.update::<Deals, _>(&deal, |row| {
            if let Some(row) = row {
                packed::remove(&mut row.open_tasks, &id);
            }
        })?;
    }
    let object = ObjectRef::Task(id);
    let catalog = step.catalog;
    for sink in catalog.sinks_for(object) {
        let mut may_be_there = false;
        marks::edit(step, &sink.name, object, |state| {
            may_be_there = state.confirmed.is_some()
                || state.delivery.as_ref().is_some_and(|delivery| match delivery.state {
                    DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => true,
                    DeliveryState::Due { .. } | DeliveryState::Dead { .. } | DeliveryState::Discarded => false,
                });
            // What the sink never learnt of need not be told there now that it is over.
            if !may_be_there {
                state.delivery = None;
            }
        })?;
        if may_be_there {
            marks::want_in(step, &sink.name, object)?;
        }
    }
    Ok(())
}

/// Whether the object is a task that has ended.
pub(super) fn is_over(step: &mut Step<'_>, object: ObjectRef) -> Result<bool, TableError> {
    match object {
        ObjectRef::Task(id) => step.rows.peek::<Tasks, _>(&id, |row| row.is_some_and(|row| !row.task.is_open())),
        ObjectRef::Client(_) | ObjectRef::Deal(_) | ObjectRef::Interaction(_) => Ok(false),
    }
}

/// The sink does not have the task any more, or takes no change of it: a person has completed or
/// deleted it there. It is not made again.
pub(super) fn gone(step: &mut Step<'_>, sink: &Slug, id: TaskId) -> Result<(), TableError> {
    forget_foreign(step, sink, ObjectRef::Task(id))?;
    marks::edit(step, sink, ObjectRef::Task(id), |state| {
        state.confirmed = None;
        state.delivery = None;
    })?;
    let by = Message::new("task-by-deletion").with("sink", sink);
    end(step, id, TaskState::Done(TaskEnd { at: step.at, by }))
}

/// A person has ended the task.
pub(super) fn by_person(
    step: &mut Step<'_>,
    id: TaskId,
    who: &str,
    note: &str,
    state: fn(TaskEnd) -> TaskState,
) -> Result<(), TableError> {
    let by = match note.trim() {
        "" => Message::new("task-by-person").with("who", who),
        note => Message::new("task-by-person-note").with("who", who).with("note", note),
    };
    end(step, id, state(TaskEnd { at: step.at, by }))
}

/// What people may change in a deal, as it was before a record.
pub(super) struct Before {
    stage: Option<CompactString>,
    responsible: Option<CompactString>,
    comment: Option<String>,
    open: bool,
}

/// What the deal is now, when something hangs on whether anybody touches it.
pub(super) fn before(
    step: &mut Step<'_>,
    client: Option<ClientId>,
    deal: DealId,
) -> Result<Option<Before>, TableError> {
    let watched = step.rows.peek::<Deals, _>(&deal, |row| row.is_some_and(|row| row.watch.is_some()))?;
    if !watched && open_tasks(step, client, Some(deal))?.is_empty() {
        return Ok(None);
    }
    step.rows.peek::<Deals, _>(&deal, |row| row.map(Before::of))
}

impl Before {
    fn of(row: &DealRow) -> Before {
        let deal = &row.deal;
        Before {
            stage: deal.stage.as_ref().map(|held| held.value.clone()),
            responsible: deal.responsible.as_ref().map(|held| held.value.clone()),
            comment: deal.comment.as_ref().map(|held| held.value.clone()),
            open: deal.is_open(),
        }
    }
}

/// A system that people work in told of the deal: what they changed there ends tasks.
pub(super) fn after(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    deal: DealId,
    before: &Before,
) -> Result<(), TableError> {
    let now = step.rows.peek::<Deals, _>(&deal, |row| row.map(Before::of))?;
    let Some(now) = now else { return Ok(()) };
    // A value that was not known before may be the first one: nobody need have changed it.
    let moved = |before: &Option<CompactString>, now: &Option<CompactString>| before.is_some() && before != now;
    let by = match &now {
        now if before.open != now.open && now.open => "task-by-reopened",
        now if before.open != now.open => "task-by-closed",
        now if moved(&before.stage, &now.stage) => "task-by-stage",
        now if moved(&before.responsible, &now.responsible) => "task-by-responsible",
        now if before.comment != now.comment => "task-by-comment",
        _ => return Ok(()),
    };
    let by = Message::new(by).with("source", &origin.envelope.connection);
    if before.open && !now.open {
        closed(step, client, deal, &by)?;
    }
    reached(step, client, Some(deal), by, origin.observed_at)
}

/// The deal is won or lost: whatever was to be done in it is over.
fn closed(step: &mut Step<'_>, client: Option<ClientId>, deal: DealId, by: &Message) -> Result<(), TableError> {
    for id in open_tasks(step, client, Some(deal))? {
        let of_deal = step.rows.peek::<Tasks, _>(&id, |row| row.is_some_and(|row| row.task.deal == Some(deal)))?;
        if of_deal {
            end(step, id, TaskState::Done(TaskEnd { at: step.at, by: by.clone() }))?;
        }
    }
    unwatch(step, deal)
}

/// Whether an interaction shows that somebody has turned to the client, or works at the deal.
pub(super) fn reaches(interaction: &Interaction) -> bool {
    match (interaction.direction, interaction.kind) {
        // Nobody picked up. Where the source does not tell how long they spoke, he is taken as reached.
        (Direction::Outbound, InteractionKind::Call) => interaction.duration_s != Some(0),
        (Direction::Outbound, _) => true,
        (Direction::Internal, InteractionKind::Note | InteractionKind::StageTransition | InteractionKind::Meeting) => {
            true
        }
        (
            Direction::Internal,
            InteractionKind::Call
            | InteractionKind::Letter
            | InteractionKind::Form
            | InteractionKind::Visit
            | InteractionKind::Message,
        )
        | (Direction::Inbound, _) => false,
    }
}

/// Whether people spoke with each other over the telephone.
pub(super) fn is_talk(interaction: &Interaction) -> bool {
    interaction.kind == InteractionKind::Call && interaction.duration_s.is_some_and(|seconds| seconds > 0)
}

/// Somebody has reached the client at `at`, by whatever channel: what was asked for before is done.
pub(super) fn reached(
    step: &mut Step<'_>,
    client: Option<ClientId>,
    deal: Option<DealId>,
    by: Message,
    at: Timestamp,
) -> Result<(), TableError> {
    // Foreign systems tell whole seconds.
    let is_after = |since: Timestamp| at.0.div_euclid(1_000) >= since.0.div_euclid(1_000);
    for id in open_tasks(step, client, deal)? {
        let done = step.rows.peek::<Tasks, _>(&id, |row| {
            row.is_some_and(|row| row.task.kind.ends_when_reached() && is_after(row.task.created_at))
        })?;
        if done {
            end(step, id, TaskState::Done(TaskEnd { at: step.at, by: by.clone() }))?;
        }
    }
    let deals = match client {
        Some(client) => step.rows.peek::<Clients, _>(&client, |row| row.map(|row| row.deals.clone()))?,
        None => None,
    };
    for deal in deals.unwrap_or_default().into_iter().chain(deal) {
        let watched_before = step
            .rows
            .peek::<Deals, _>(&deal, |row| row.and_then(|row| row.watch).is_some_and(|watch| is_after(watch.since)))?;
        if watched_before {
            unwatch(step, deal)?;
        }
    }
    Ok(())
}

/// Watches a deal that a new lead has made, until somebody touches it.
pub(super) fn watch(step: &mut Step<'_>, deal: DealId) -> Result<(), TableError> {
    if step.moment == Moment::History {
        return Ok(());
    }
    let wanted = match step.catalog.business.untouched {
        UntouchedRule::Always => true,
        UntouchedRule::WhenCrmIsRead => works_with_a_crm(step)?,
        UntouchedRule::Never => false,
    };
    if !wanted {
        return Ok(());
    }
    let first = step.catalog.people.untouched_at(&step.catalog.calendar, step.at).first().copied();
    let next = first.map(|(at, _)| Watch { since: step.at, at, found: 0 });
    rewatch(step, deal, next)
}

/// Whether a CRM is both read and written to: of one that is only looked at, people's work with the
/// leads that came here is not known yet.
fn works_with_a_crm(step: &mut Step<'_>) -> Result<bool, TableError> {
    let catalog = step.catalog;
    for sink in catalog.sinks().filter(|sink| sink.is_read()) {
        if step.rows.peek::<Sinks, _>(&sink.name, |row| row.is_some_and(|row| row.open))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unwatch(step: &mut Step<'_>, deal: DealId) -> Result<(), TableError> {
    rewatch(step, deal, None)
}

fn rewatch(step: &mut Step<'_>, deal: DealId, next: Option<Watch>) -> Result<(), TableError> {
    let before = step
        .rows
        .update::<Deals, _>(&deal, |row| row.as_mut().and_then(|row| std::mem::replace(&mut row.watch, next)))?;
    if let Some(before) = before {
        step.rows.update::<Watches, _>(&Watches::key(before.at, deal), |slot| {
            if let Some(listed) = slot {
                packed::remove(listed, &deal);
            }
            slot.take_if(|listed| listed.is_empty());
        })?;
    }
    if let Some(next) = next {
        step.rows.update::<Watches, _>(&Watches::key(next.at, deal), |slot| {
            packed::insert(slot.get_or_insert_default(), deal);
        })?;
    }
    Ok(())
}

/// Looks at the leads whose time has come, at most `deals_max`; the rest waits for the next tick.
pub(super) fn look(step: &mut Step<'_>, deals_max: usize) -> Result<(), TableError> {
    let mut left = deals_max;
    let mut item = 0;
    while left > 0 {
        let first = step.rows.range(&Span::<Watches>::all(), false, 1)?.pop();
        let Some(((at, _), deals)) = first else { return Ok(()) };
        if at > step.at {
            return Ok(());
        }
        for deal in deals.into_iter().take(left) {
            left -= 1;
            untouched(step, deal, ItemRef::new(step.position, item))?;
            item += 1;
        }
    }
    Ok(())
}

/// A watched lead lies untouched: it goes on to whom the rules say, with a task.
fn untouched(step: &mut Step<'_>, deal: DealId, record: ItemRef) -> Result<(), TableError> {
    let held = step.rows.peek::<Deals, _>(&deal, |row| {
        row.filter(|row| row.deal.is_open() && !row.deal.hidden).map(|row| (row.watch, row.deal.client))
    })?;
    let Some((Some(watch), client)) = held else { return unwatch(step, deal) };
    let steps = step.catalog.people.untouched_at(&step.catalog.calendar, watch.since);
    let found = usize::from(watch.found);
    // Fewer steps than there were when the watch began: it is over.
    let Some((_, to)) = steps.get(found).copied() else { return unwatch(step, deal) };
    let minutes = step.catalog.calendar.working_minutes_between(watch.since, step.at);
    // Later than now, however far behind the clock was: each step is a tick's.
    let next = steps.get(found + 1).map(|(at, _)| Watch {
        at: (*at).max(step.at.plus_ms(1)),
        found: watch.found.saturating_add(1),
        ..watch
    });
    rewatch(step, deal, next)?;
    let responsible = assign::escalate(step, deal, to)?;
    let title = match to {
        UntouchedTo::Next => "task-untouched",
        UntouchedTo::Head => "task-untouched-head",
    };
    let title = Message::new(title).with("minutes", minutes);
    let rule = "distribution.untouched";
    want(step, Wanted { kind: TaskKind::Untouched, title, client, deal: Some(deal), responsible, rule, record })
}
