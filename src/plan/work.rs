//! What a sink is told of an object: the same for a plan and for a delivery, so that a plan says
//! what will happen.

use compact_str::CompactString;

use super::subject::Subject;
use crate::base::{Locale, Position, Slug, Timestamp};
use crate::catalog::{Catalog, Connection, OutObject, Readiness};
use crate::connector::ObjectSpec;
use crate::entry::ObjectRef;
use crate::mapping::{ForeignWord, LeftOut, OutEmployee, OutTask, Ref, Vocabulary};
use crate::model::{Confirmed, DeliveryState, Task};
use crate::outbox;
use crate::scoring;
use crate::sink::{Certainty, Work};
use crate::tables::rows::SinkState;
use crate::tables::{Reader, Span, TableError, Words};

/// Which ids an object may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// Those that the sink has given.
    Given,
    /// Also those that it will give before: our own id stands for them.
    Expected,
}

/// How an object is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling {
    /// Which ids it may refer to.
    pub ids: Ids,
    /// How sure we are that it was never made there.
    pub certainty: Certainty,
    /// Whether it is history: nothing is to start there because of it.
    pub quiet: bool,
}

/// What a sink is told.
#[derive(Debug, Clone)]
pub enum Told<'c> {
    /// This, as an object of this kind; and which fields the sink has no word for.
    Work(Box<Work>, &'c ObjectSpec, Vec<LeftOut>),
    /// It waits for objects that the sink does not know yet.
    Waits(Vec<Ref>),
    /// Nothing, by the mapping.
    Nothing,
}

/// What the sink of `connection` calls what mappings ask it for, as it was read there.
pub fn vocabulary(reader: &Reader<'_>, connection: &Connection) -> Result<Vocabulary, TableError> {
    let mut words = Vec::new();
    for dictionary in connection.dictionaries() {
        for row in reader.rows(Span::<Words>::of(&(connection.name.clone(), dictionary.clone()))) {
            let ((_, dictionary, id), word) = row?;
            if word.active && !word.name.is_empty() {
                words.push(ForeignWord { dictionary, id, name: word.name, within: word.within });
            }
        }
    }
    Ok(Vocabulary::new(words))
}

/// Builds what the sink of `connection` is told of `subject`, from its state of now.
pub fn work<'c>(
    catalog: &'c Catalog,
    connection: &'c Connection,
    locale: Locale,
    subject: &Subject,
    state: &SinkState,
    telling: Telling,
    vocabulary: &Vocabulary,
) -> Told<'c> {
    let Telling { ids, certainty, quiet } = telling;
    let sink = &connection.name;
    let Some(spec) = &connection.connector.sink else { return Told::Nothing };
    let Some(kind) = subject.kind_of(spec, state) else { return Told::Nothing };
    let score = subject.deal().and_then(|deal| deal.score.as_ref());
    let explanation = score.map(|score| scoring::explain(score, locale)).unwrap_or_default();
    let foreign = |reference: Ref| {
        let given = subject.foreign(reference, connection);
        given.or_else(|| match ids {
            Ids::Given => None,
            Ids::Expected => expected(subject, reference, sink),
        })
    };
    let title = subject.task().map(|task| task.title.render(locale)).unwrap_or_default();
    let end = subject.task().and_then(|task| task.state.end());
    let result = end.map(|end| end.by.render(locale)).unwrap_or_default();
    let employee = |name: &str| {
        let id = subject.user(sink, name)?;
        Some(OutEmployee { name: name.to_owned(), id: Some(id.to_owned()) })
    };
    let without = told_without(subject, state);
    let object = OutObject {
        without: &without,
        task: subject.task().map(|task| OutTask { task, title: &title, result: &result }),
        client: subject.client(),
        deal: subject.deal(),
        interaction: subject.interaction(),
        explanation: &explanation,
        zone: &catalog.company.zone,
        foreign: &foreign,
        employee: &employee,
        vocabulary,
    };
    let desired = match catalog.map_outbound(connection, &kind.mapping, &object) {
        Readiness::Ready(desired) => desired,
        Readiness::Waits(needs) => return Told::Waits(needs),
        Readiness::NotMeant => return Told::Nothing,
    };
    // What is written only when the object is made is not missed later.
    let is_told = |it: &LeftOut| !it.create_only || state.confirmed.is_none();
    let left_out = desired.left_out.into_iter().filter(is_told).collect();
    let wanted = state.delivery.as_ref().map(|delivery| delivery.wanted);
    let work = Work {
        object: subject.object(),
        // What was asked for came before this reading of the object: the sink learns at least that.
        version: wanted.map_or(subject.version(), |wanted| wanted.max(subject.version())),
        foreign_kind: CompactString::from(&*kind.kind),
        desired: desired.fields,
        create_only: desired.create_only,
        confirmed: state.confirmed.clone().or_else(|| known_there(subject, state, kind)),
        certainty,
        search: subject.search(),
        origin: subject.object().to_string().into(),
        make: subject.task().is_none_or(Task::is_open) && state.gone.is_none(),
        import: quiet && kind.import.is_some() && connection.imports_history(),
    };
    Told::Work(Box::new(work), kind, left_out)
}

/// What the object refers to and is told without: a card that was deleted there comes back only when a
/// person says so or the client turns to us, and meanwhile sums, scores and comments of its deal go on.
fn told_without(subject: &Subject, state: &SinkState) -> Vec<Ref> {
    let given_up = |reference: &Ref| {
        let Some(it) = subject.state_of(*reference, &state.sink) else { return false };
        it.gone.is_some() || it.delivery.as_ref().is_some_and(outbox::is_given_up)
    };
    let refers_to: &[Ref] = match subject.object() {
        ObjectRef::Client(_) => &[],
        // A deal that is there keeps the card that it names; a new one waits for its client.
        ObjectRef::Deal(_) if state.confirmed.is_some() && state.gone.is_none() => &[Ref::Client],
        ObjectRef::Deal(_) => &[],
        // These hang on the deal; on the client where there is none.
        ObjectRef::Interaction(_) | ObjectRef::Task(_) if subject.deal().is_some() => &[Ref::Client],
        ObjectRef::Interaction(_) | ObjectRef::Task(_) => &[],
    };
    refers_to.iter().copied().filter(given_up).collect()
}

/// An object that is known there by what other records say of it (a deal names its contact) is
/// changed and not made again, though nothing of it has been told or read yet.
fn known_there(subject: &Subject, state: &SinkState, spec: &ObjectSpec) -> Option<Confirmed> {
    if state.gone.is_some() {
        return None;
    }
    let foreign_id = subject.known_id(&state.sink, &spec.kind)?;
    let foreign_kind = CompactString::from(&*spec.kind);
    Some(Confirmed { foreign_kind, foreign_id, version: Position::START, at: Timestamp::ZERO, sent: Vec::new() })
}

/// What stands for the id of an object that the sink will learn before this one.
fn expected(subject: &Subject, reference: Ref, sink: &Slug) -> Option<String> {
    let object: ObjectRef = subject.reference(reference)?;
    let delivery = subject.state_of(reference, sink)?.delivery.as_ref()?;
    match delivery.state {
        DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => {
            Some(object.to_string())
        }
        DeliveryState::Dead { .. } | DeliveryState::Discarded => None,
    }
}
