//! Words of the portal that change under us: a stage that is removed and comes back.

use serde_json::json;
use uzel::query::Query;
use uzel::tables::{Reader, Words};
use uzel::twin::bitrix24::{Kind, PersonAct};

use super::found::{act, form, live, pass, there};
use super::stage::{Stage, catalog, sink};

/// A stage and a pipeline that forms name are removed in the portal, and come back.
#[tokio::test(start_paused = true)]
async fn a_stage_that_is_removed_there_is_left_out_and_said_until_it_is_there_again() {
    let mut stage = live().await;
    let told = |phone: &str, named: &str| json!({"phone": phone, "stage": named});
    form(&mut stage, told("+79125550101", "В работе")).await;
    assert_eq!(stages(&stage), ["EXECUTING"]);
    assert!(lacked(&stage).is_empty());

    // One reading without it may be a page that shifted under us; two are believed.
    let (entity_id, status_id) = ("DEAL_STAGE".to_owned(), "EXECUTING".to_owned());
    act(&mut stage, PersonAct::RemoveStatus { entity_id: entity_id.clone(), status_id: status_id.clone() }).await;
    pass(&mut stage, 650_000).await;
    assert!(word(&stage, "EXECUTING"));
    pass(&mut stage, 650_000).await;
    assert!(!word(&stage, "EXECUTING"));
    for phone in ["+79125550102", "+79125550103"] {
        form(&mut stage, told(phone, "В работе")).await;
    }
    assert_eq!(stages(&stage), ["EXECUTING", "NEW", "NEW"], "left to the portal, and no dead letter");
    assert_eq!(lacked(&stage), ["STAGE_ID: В работе"], "said once for all deals");
    assert_eq!(dead(&stage), 0);

    // People add it again.
    let (name, semantics) = ("В работе".to_owned(), "P".to_owned());
    act(&mut stage, PersonAct::AddStatus { entity_id, status_id, name, semantics }).await;
    pass(&mut stage, 650_000).await;
    assert!(lacked(&stage).is_empty(), "no alarm stays behind");
    form(&mut stage, told("+79125550104", "В работе")).await;
    assert_eq!(stages(&stage).last().map(String::as_str), Some("EXECUTING"));
    let anew = stage.rebuilt(uzel::journal::Journal::head(stage.journal.as_ref()), 7);
    assert_eq!(crate::pipeline_support::hash(&anew), crate::pipeline_support::hash(&stage.store));
}

/// A right that was taken away may look like a dictionary without words: it is not believed.
#[tokio::test(start_paused = true)]
async fn an_empty_dictionary_takes_no_word_away() {
    let mut stage = live().await;
    let words = stage.twin.change(|portal| std::mem::take(&mut portal.statuses));
    pass(&mut stage, 2_000_000).await;
    assert!(word(&stage, "EXECUTING"));
    stage.twin.change(|portal| portal.statuses = words);
}

fn stages(stage: &Stage) -> Vec<String> {
    there(stage, Kind::Deal).iter().map(|it| it.text("STAGE_ID").to_owned()).collect()
}

/// Whether the stage is in use, as far as we know.
fn word(stage: &Stage, id: &str) -> bool {
    let key = (sink(), "stage".into(), id.into());
    let word = Reader::new(stage.store.as_ref()).get::<Words>(&key).expect("it reads");
    word.is_some_and(|word| word.active)
}

/// What the portal has no words for, as the watch would say it.
fn lacked(stage: &Stage) -> Vec<String> {
    let query = Query::new(stage.store.clone(), stage.journal.clone(), catalog());
    let catalog = catalog();
    let vocabulary = query.vocabulary(catalog.connection("bitrix24").expect("it is configured")).expect("it reads");
    let lacked = stage.missing.still(&sink(), stage.now(), |it| vocabulary.has(it));
    lacked.into_iter().map(|it| format!("{}: {}", it.field, it.missing.word)).collect()
}

fn dead(stage: &Stage) -> usize {
    let query = Query::new(stage.store.clone(), stage.journal.clone(), catalog());
    let listing = uzel::query::Listing { rows_max: 10, state: Some("dead".to_owned()), ..Default::default() };
    query.outbox(&listing).expect("it reads").rows.len()
}
