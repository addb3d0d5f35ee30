//! People merge cards in the portal: ours with ours, ours with theirs, into either, told of it by a
//! hint or not. What we write afterwards goes to the one that is left, nothing is made twice, and
//! nothing of ours is lost.

use serde_json::json;
use uzel::entry::Entry;
use uzel::query::Query;
use uzel::twin::bitrix24::{Kind, PersonAct};

use super::found::{act, form, live, pass, there};
use super::stage::{Stage, catalog};
use crate::pipeline_support::{Order, orders_at, person};

const FIRST: &str = "+79125550101";
const SECOND: &str = "+79125550102";

/// Whose the other card is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    /// We made it.
    Ours,
    /// People made it, and we have read it.
    Theirs,
    /// People made it a moment ago.
    Unread,
}

/// Merges; `hinted`: the portal tells of it.
async fn merge(stage: &mut Stage, object: Kind, into: u64, ids: Vec<u64>, hinted: bool) {
    let merge = PersonAct::Merge { object, into, ids };
    if hinted {
        return act(stage, merge).await;
    }
    stage.twin.person(&merge);
    drop(stage.twin.take_notices());
}

async fn theirs(stage: &mut Stage, method: &str, fields: serde_json::Value, other: Other) {
    let call = PersonAct::Call { method: method.to_owned(), params: json!({ "fields": fields }), user: Some(2) };
    stage.twin.person(&call);
    match other {
        Other::Unread => drop(stage.twin.take_notices()),
        Other::Ours | Other::Theirs => pass(stage, 200_000).await,
    }
}

fn dead(stage: &Stage) -> Vec<String> {
    let query = Query::new(stage.store.clone(), stage.journal.clone(), catalog());
    let listing = uzel::query::Listing { rows_max: 10, state: Some("dead".to_owned()), ..Default::default() };
    query.outbox(&listing).expect("it reads").rows.into_iter().map(|row| format!("{row:?}")).collect()
}

/// No card and no deal is written any more, and the store is made anew to the same.
async fn rests(stage: &mut Stage, case: &str) {
    stage.twin.take_written();
    pass(stage, 3_600_000).await;
    let mut written = stage.twin.take_written();
    // That nobody takes the lead is told by to-dos meanwhile.
    written.retain(|(method, _)| !method.starts_with("crm.activity."));
    assert!(written.is_empty(), "{case}: {written:?}");
    let anew = stage.rebuilt(uzel::journal::Journal::head(stage.journal.as_ref()), 7);
    assert_eq!(crate::pipeline_support::hash(&anew), crate::pipeline_support::hash(&stage.store), "{case}");
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_cards_were_merged_is_told_at_the_one_that_is_left() {
    for other in [Other::Ours, Other::Theirs, Other::Unread] {
        for into_first in [true, false] {
            for hinted in [true, false] {
                let case = format!("{other:?}, into the first: {into_first}, hinted: {hinted}");
                let mut stage = live().await;
                form(&mut stage, person("Соколова Мария", FIRST)).await;
                match other {
                    Other::Ours => form(&mut stage, person("Соколова Мария", SECOND)).await,
                    Other::Theirs | Other::Unread => {
                        let phone = json!([{"VALUE": SECOND, "VALUE_TYPE": "WORK"}]);
                        let fields = json!({"NAME": "Мария", "LAST_NAME": "Соколова", "PHONE": phone});
                        theirs(&mut stage, "crm.contact.add", fields, other).await;
                    }
                }
                pass(&mut stage, 30_000).await;
                let cards: Vec<u64> = there(&stage, Kind::Contact).iter().map(|it| it.id).collect();
                let deals = there(&stage, Kind::Deal).len();
                assert_eq!(cards.len(), 2, "{case}");
                let (into, lost) = if into_first { (cards[0], cards[1]) } else { (cards[1], cards[0]) };
                merge(&mut stage, Kind::Contact, into, vec![lost], hinted).await;
                for phone in [FIRST, SECOND] {
                    form(&mut stage, json!({"name": "Соколова Мария", "phone": phone, "message": "ещё вопрос"})).await;
                }
                pass(&mut stage, 400_000).await;

                let left: Vec<u64> = there(&stage, Kind::Contact).iter().map(|it| it.id).collect();
                assert_eq!(left, [into], "{case}: no second card");
                let now = there(&stage, Kind::Deal);
                assert!(now.len() <= deals + 1 && !now.is_empty(), "{case}: {}", now.len());
                for deal in &now {
                    assert_eq!(deal.text("CONTACT_ID"), into.to_string(), "{case}: deal {}", deal.id);
                }
                assert_eq!(dead(&stage), [""; 0], "{case}");
                rests(&mut stage, &case).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deal_that_was_merged_is_told_at_the_one_that_is_left() {
    for other in [Other::Theirs, Other::Unread] {
        for into_first in [true, false] {
            for hinted in [true, false] {
                let case = format!("{other:?}, into the first: {into_first}, hinted: {hinted}");
                let mut stage = live().await;
                form(&mut stage, person("Соколова Мария", FIRST)).await;
                let contact = there(&stage, Kind::Contact)[0].id;
                let fields = json!({"TITLE": "Станок", "CONTACT_ID": contact.to_string()});
                theirs(&mut stage, "crm.deal.add", fields, other).await;
                let deals: Vec<u64> = there(&stage, Kind::Deal).iter().map(|it| it.id).collect();
                let (into, lost) = if into_first { (deals[0], deals[1]) } else { (deals[1], deals[0]) };
                merge(&mut stage, Kind::Deal, into, vec![lost], hinted).await;
                pass(&mut stage, 300_000).await;
                // While nobody has told us of the merge, two deals are open: the order would be a third.
                if hinted {
                    let order = Order { phone: FIRST, ..Order::PLAIN };
                    stage.append(&Entry::Received(orders_at(stage.now(), &[order])));
                }
                form(&mut stage, json!({"name": "Соколова Мария", "phone": FIRST, "message": "ещё вопрос"})).await;
                pass(&mut stage, 400_000).await;

                let left = there(&stage, Kind::Deal);
                assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), [into], "{case}: no second deal");
                assert!(!left[0].text("UF_CRM_UZEL_CLASS").is_empty(), "{case}: the score is there");
                let dead = dead(&stage);
                match hinted {
                    true => assert_eq!(dead, [""; 0], "{case}"),
                    // What was written of a deal that is gone, before anybody told us, waits for a person
                    // with its next step.
                    false => assert!(dead.iter().all(|it| it.contains("uzel outbox resend")), "{case}: {dead:?}"),
                }
                rests(&mut stage, &case).await;
            }
        }
    }
}
