//! Deliveries: each state under each event, and the two promises that must hold in any order of
//! events (invariants 7 and 9).

use proptest::prelude::*;
use uzel::base::limits::{DELIVERY_ATTEMPTS_MAX, RETRY_AFTER_MAX_MS};
use uzel::base::{Message, Position, Timestamp};
use uzel::entry::Verdict;
use uzel::model::{Delivery, DeliveryState, Fault};
use uzel::outbox::{self, Jitter};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const SETTLE_MS: i64 = 75_000;

fn row(state: DeliveryState) -> Delivery {
    Delivery { state, wanted_since: Timestamp(5), wanted: Position(10), attempts: 0, last_reason: None }
}

fn dead(fault: Fault) -> DeliveryState {
    DeliveryState::Dead { fault, reason: Message::new("x"), since: Timestamp(6) }
}

fn states() -> Vec<(&'static str, DeliveryState)> {
    vec![
        ("due", DeliveryState::Due { at: Timestamp(7) }),
        ("in flight", DeliveryState::InFlight { attempting: Position(9) }),
        ("uncertain", DeliveryState::Uncertain { at: Timestamp(8) }),
        ("dead data", dead(Fault::Data)),
        ("dead connection", dead(Fault::Connection)),
        ("dead sink", dead(Fault::Sink)),
        ("dead uzel", dead(Fault::Uzel)),
        ("discarded", DeliveryState::Discarded),
    ]
}

fn name(state: Option<&DeliveryState>) -> &'static str {
    match state {
        None => "gone",
        Some(DeliveryState::Due { .. }) => "due",
        Some(DeliveryState::InFlight { .. }) => "in flight",
        Some(DeliveryState::Uncertain { .. }) => "uncertain",
        Some(DeliveryState::Dead { fault: Fault::Data, .. }) => "dead data",
        Some(DeliveryState::Dead { fault: Fault::Connection, .. }) => "dead connection",
        Some(DeliveryState::Dead { fault: Fault::Sink, .. }) => "dead sink",
        Some(DeliveryState::Dead { fault: Fault::Uzel, .. }) => "dead uzel",
        Some(DeliveryState::Discarded) => "discarded",
    }
}

/// Applies `event` to a row in every state and writes down what becomes of it.
fn check(event: impl Fn(Delivery) -> Option<Delivery>, expected: [&str; 8]) {
    for ((before, state), expected) in states().into_iter().zip(expected) {
        let after = event(row(state));
        assert_eq!(name(after.as_ref().map(|it| &it.state)), expected, "from {before}");
    }
}

#[test]
fn each_event_in_each_state() {
    let failed = |verdict| move |it| Some(outbox::failed(it, verdict, Message::new("r"), NOW, Jitter::NONE, SETTLE_MS));
    let dead = ["dead data", "dead connection", "dead sink", "dead uzel", "discarded"];
    let with_dead = |a, b, c| [a, b, c, dead[0], dead[1], dead[2], dead[3], dead[4]];
    check(
        |it| Some(outbox::want(Some(it), Position(11), NOW)),
        ["due", "in flight", "uncertain", "due", "dead connection", "dead sink", "dead uzel", "due"],
    );
    check(|it| Some(outbox::started(it, Position(12))), with_dead("in flight", "in flight", "in flight"));
    check(|it| outbox::done(it, Position(10), NOW), with_dead("gone", "gone", "gone"));
    check(|it| outbox::done(it, Position(9), NOW), with_dead("due", "due", "due"));
    check(|it| Some(outbox::not_found(it, NOW)), with_dead("due", "due", "due"));
    check(|it| Some(outbox::restarted(it, NOW, SETTLE_MS)), with_dead("due", "uncertain", "uncertain"));
    check(failed(Verdict::RetryAt(NOW)), with_dead("due", "due", "uncertain"));
    check(failed(Verdict::Uncertain), with_dead("uncertain", "uncertain", "uncertain"));
    check(failed(Verdict::Gone), with_dead("due", "due", "due"));
    check(failed(Verdict::RejectObject), with_dead("dead data", "dead data", "dead data"));
    check(failed(Verdict::RejectConnection), with_dead("dead connection", "dead connection", "dead connection"));
    check(failed(Verdict::AskPerson), with_dead("dead sink", "dead sink", "dead sink"));
    check(|it| Some(outbox::resend(it, NOW)), ["due", "in flight", "uncertain", "due", "due", "due", "due", "due"]);
    check(|it| Some(outbox::discard(it)), ["discarded"; 8]);
}

#[test]
fn a_new_row_is_due_at_once_and_changes_meanwhile_are_one_push() {
    let first = outbox::want(None, Position(4), NOW);
    assert_eq!((outbox::due_at(&first), first.wanted), (Some(NOW), Position(4)));
    let later = outbox::want(Some(first), Position(6), NOW.plus_ms(50));
    assert_eq!((outbox::due_at(&later), later.wanted, later.wanted_since), (Some(NOW), Position(6), NOW));
    assert_eq!(outbox::done(later, Position(6), NOW), None);
}

#[test]
fn a_foreign_wait_is_kept_but_not_for_ever() {
    for (asked_ms, least_ms, most_ms) in [
        (0, 3_750, RETRY_AFTER_MAX_MS),
        (600_000, 600_000, 600_000),
        (365 * 86_400_000, RETRY_AFTER_MAX_MS, RETRY_AFTER_MAX_MS),
        (i64::MAX, RETRY_AFTER_MAX_MS, RETRY_AFTER_MAX_MS),
        (i64::MIN, 3_750, RETRY_AFTER_MAX_MS),
    ] {
        let verdict = Verdict::RetryAt(NOW.plus_ms(asked_ms));
        let after = outbox::failed(
            row(DeliveryState::Due { at: NOW }),
            verdict,
            Message::new("r"),
            NOW,
            Jitter::NONE,
            SETTLE_MS,
        );
        let wait = outbox::due_at(&after).expect("it is due again").ms_since(NOW);
        assert!((least_ms..=most_ms).contains(&wait), "{asked_ms}: {wait}");
    }
}

/// A request whose answer is lost may still be at work there: a look that comes too early finds
/// nothing, and what it did not find would be made twice.
#[test]
fn what_is_uncertain_is_looked_up_when_it_has_settled() {
    let fresh = row(DeliveryState::InFlight { attempting: Position(9) });
    let failed = outbox::failed(fresh.clone(), Verdict::Uncertain, Message::new("r"), NOW, Jitter::NONE, SETTLE_MS);
    for after in [failed, outbox::restarted(fresh, NOW, SETTLE_MS)] {
        assert!(outbox::due_at(&after).expect("it is looked up") >= NOW.plus_ms(60_000), "{after:?}");
    }
}

#[test]
fn a_sink_that_fails_for_too_long_makes_a_dead_letter() {
    for verdict in [Verdict::RetryAt(NOW), Verdict::Uncertain, Verdict::Gone] {
        let mut delivery = outbox::want(None, Position(1), NOW);
        for attempt in 1..=DELIVERY_ATTEMPTS_MAX {
            assert!(outbox::due_at(&delivery).is_some(), "{verdict:?} {attempt}");
            delivery = outbox::failed(delivery, verdict, Message::new("r"), NOW, Jitter::NONE, SETTLE_MS);
        }
        assert_eq!(name(Some(&delivery.state)), "dead sink", "{verdict:?}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Want(u64),
    Started,
    Done(u64),
    NotFound,
    Failed(Verdict),
    Restarted,
    Resend,
    Discard,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let verdict = prop_oneof![
        any::<i64>().prop_map(|ms| Verdict::RetryAt(Timestamp(ms))),
        Just(Verdict::Uncertain),
        Just(Verdict::Gone),
        Just(Verdict::RejectObject),
        Just(Verdict::RejectConnection),
        Just(Verdict::AskPerson),
    ];
    let event = prop_oneof![
        (0..20u64).prop_map(Event::Want),
        Just(Event::Started),
        (0..20u64).prop_map(Event::Done),
        Just(Event::NotFound),
        verdict.prop_map(Event::Failed),
        Just(Event::Restarted),
        Just(Event::Resend),
        Just(Event::Discard),
    ];
    prop::collection::vec(event, 0..60)
}

fn apply(row: Delivery, event: Event) -> Option<Delivery> {
    match event {
        Event::Want(version) => Some(outbox::want(Some(row), Position(version), NOW)),
        Event::Started => Some(outbox::started(row, Position(99))),
        Event::Done(version) => outbox::done(row, Position(version), NOW),
        Event::NotFound => Some(outbox::not_found(row, NOW)),
        Event::Failed(verdict) => Some(outbox::failed(row, verdict, Message::new("r"), NOW, Jitter::NONE, SETTLE_MS)),
        Event::Restarted => Some(outbox::restarted(row, NOW, SETTLE_MS)),
        Event::Resend => Some(outbox::resend(row, NOW)),
        Event::Discard => Some(outbox::discard(row)),
    }
}

fn is_terminal(state: &DeliveryState) -> bool {
    matches!(state, DeliveryState::Dead { .. } | DeliveryState::Discarded)
}

proptest! {
    /// Invariant 9: terminal states stay terminal, except by a command or a change of the object
    /// that was refused for its data or given up.
    #[test]
    fn terminal_states_stay_terminal(events in events()) {
        let mut row = outbox::want(None, Position(1), NOW);
        for event in events {
            let before = row.clone();
            let commanded = matches!(event, Event::Resend | Event::Discard);
            let given_up = matches!(
                before.state,
                DeliveryState::Dead { fault: Fault::Data, .. } | DeliveryState::Discarded
            );
            let reopens = commanded || (given_up && matches!(event, Event::Want(_)));
            row = apply(row, event).unwrap_or_else(|| outbox::want(None, Position(1), NOW));
            if is_terminal(&before.state) && !reopens {
                prop_assert_eq!(&row.state, &before.state, "{:?}", event);
            }
        }
    }

    /// Invariant 7, the outbox's part: from the moment a create may have taken effect, the row is
    /// not plainly due before somebody has looked, the sink has answered, or a person has said so.
    #[test]
    fn what_may_have_been_made_is_looked_up_before_it_is_made(events in events()) {
        let mut row = outbox::want(None, Position(1), NOW);
        let mut open_question = false;
        for event in events {
            let was_in_flight = matches!(row.state, DeliveryState::InFlight { .. });
            let was_live = !is_terminal(&row.state);
            let was_uncertain = matches!(row.state, DeliveryState::Uncertain { .. });
            match event {
                Event::Failed(Verdict::Uncertain) if was_live => open_question = true,
                Event::Restarted if was_in_flight => open_question = true,
                // An answer to the create itself, or to the look.
                Event::Done(_) | Event::NotFound | Event::Resend => open_question = false,
                Event::Failed(Verdict::Gone | Verdict::RejectObject) => open_question = false,
                Event::Failed(Verdict::RetryAt(_)) if !was_uncertain => open_question = false,
                // Sent again after a look.
                Event::Started | Event::Discard => open_question = false,
                _ => {}
            }
            row = apply(row, event).unwrap_or_else(|| outbox::want(None, Position(1), NOW));
            if open_question {
                prop_assert!(!matches!(row.state, DeliveryState::Due { .. }), "{:?} -> {:?}", event, row);
            }
        }
    }

    /// Whatever happens, the number of attempts in a row is bounded and waits are too.
    #[test]
    fn attempts_and_waits_are_bounded(events in events()) {
        let mut row = outbox::want(None, Position(1), NOW);
        for event in events {
            row = apply(row, event).unwrap_or_else(|| outbox::want(None, Position(1), NOW));
            prop_assert!(row.attempts <= DELIVERY_ATTEMPTS_MAX);
            if let Some(at) = outbox::due_at(&row) {
                prop_assert!(at <= NOW.plus_ms(RETRY_AFTER_MAX_MS), "{:?}", row);
            }
        }
    }
}
