//! Words of foreign dictionaries: stages, pipelines, sources and users by their ids there, and what
//! holds those ids here.

use compact_str::CompactString;

use super::news::number_of;
use super::polled::said;
use super::prepare::{Content, Decoded, Polled, Word};
use super::step::Step;
use crate::base::{DealId, Message, Slug};
use crate::catalog::Catalog;
use crate::connector::ForeignWord;
use crate::entry::{LOST_WORD, Received};
use crate::model::{Change, FilterReason, Issue, Outcome};
use crate::tables::rows::WordRow;
use crate::tables::{Deals, Meta, TableError, WordIds, Words};
use crate::value::Value;

/// A word that is no longer in a foreign dictionary.
pub(super) struct LostWord {
    dictionary: CompactString,
    key: CompactString,
}

/// The row as a word of a dictionary, when its stream is one.
pub(super) fn of_row(catalog: &Catalog, envelope: &Received, row: &Value) -> Option<Content> {
    let poll = catalog.connection(&envelope.connection)?.connector.poll(&envelope.stream)?;
    poll.words.as_ref()?;
    let Some(ForeignWord { dictionary, key, name, within, active, email, phone }) = poll.word_of(row) else {
        let filter = Some(FilterReason::NotUsed);
        return Some(Content::Change(Box::new(Change { filter, ..Change::default() })));
    };
    let row = WordRow { name, within, active, email, phone };
    Some(Content::Word(Box::new(Word { dictionary, key, row })))
}

/// A row that names a word which is no longer there.
pub(super) fn lost(row: &Value) -> Decoded {
    let text = |name: &str| row.get(name).and_then(Value::as_text).map(CompactString::from);
    match LOST_WORD.map(text) {
        [Some(dictionary), Some(key)] => Decoded::Lost(Box::new(LostWord { dictionary, key })),
        _ => Decoded::Broken(Message::new("poll-not-rows")),
    }
}

/// The word is no longer there. What holds it keeps its name; nothing is told by it any more.
pub(super) fn taken_away(step: &mut Step<'_>, envelope: &Received, lost: LostWord) -> Result<Outcome, TableError> {
    let key = (envelope.connection.clone(), lost.dictionary, lost.key);
    let was_there = step.rows.update::<Words, _>(&key, |row| match row {
        Some(row) => std::mem::replace(&mut row.active, false),
        None => false,
    })?;
    Ok(match was_there {
        true => Outcome::Applied { client: None, deal: None },
        false => Outcome::Unchanged,
    })
}

/// A word of a foreign dictionary.
pub(super) fn word(
    step: &mut Step<'_>,
    envelope: &Received,
    polled: Option<&Polled>,
    word: Word,
) -> Result<Outcome, TableError> {
    if let Some(polled) = polled {
        said(step, envelope, polled, Vec::new())?;
    }
    let key = (envelope.connection.clone(), word.dictionary, word.key);
    let before = step.rows.get::<Words>(&key)?;
    if before.as_ref() == Some(&word.row) {
        return Ok(Outcome::Unchanged);
    }
    if let Some(before) = before
        && before.name != word.row.name
        && !word.row.name.is_empty()
    {
        renamed(step, &key, &before.name)?;
    }
    named(step, &key, &word.row.name)?;
    step.rows.put::<Words>(&key, word.row);
    Ok(Outcome::Applied { client: None, deal: None })
}

/// The word is found by its name from now on. Two of one name are found by none.
fn named(
    step: &mut Step<'_>,
    key: &(Slug, CompactString, CompactString),
    name: &CompactString,
) -> Result<(), TableError> {
    let (connection, dictionary, id) = key;
    if name.is_empty() {
        return Ok(());
    }
    let place = (connection.clone(), dictionary.clone(), name.clone());
    let other = step.rows.get::<WordIds>(&place)?.filter(|held| held != id && !held.is_empty());
    let bears_it = match other {
        Some(other) => {
            let word = step.rows.get::<Words>(&(connection.clone(), dictionary.clone(), other))?;
            word.is_some_and(|word| word.name == *name && word.active)
        }
        None => false,
    };
    step.rows.put::<WordIds>(&place, if bears_it { CompactString::default() } else { id.clone() });
    Ok(())
}

/// A word has another name than before, or one at last: deals that hold the older one are given the
/// new one with the next rescoring, which begins now. What rules say of the stage then fits, or does
/// not, for all deals alike.
fn renamed(
    step: &mut Step<'_>,
    key: &(Slug, CompactString, CompactString),
    before: &CompactString,
) -> Result<(), TableError> {
    let (connection, dictionary, id) = key;
    // While it was not known, its id stood in its place.
    let former = if before.is_empty() { id } else { before };
    let place = |name: &CompactString| (connection.clone(), dictionary.clone(), name.clone());
    step.rows.put::<WordIds>(&place(former), id.clone());
    let position = step.position;
    step.rows.update::<Meta, _>(&(), |meta| {
        meta.get_or_insert_default().rescore = Some((position, None));
    })
}

/// Gives a deal the present names of its stage, pipeline, source and responsible, where it holds
/// former ones. Whether anything changed.
pub(super) fn present_words(step: &mut Step<'_>, id: DealId) -> Result<(), TableError> {
    let Some(mut row) = step.rows.get::<Deals>(&id)? else { return Ok(()) };
    let deal = &mut row.deal;
    let mut changed = false;
    for (slot, dictionary) in [
        (&mut deal.stage, "stage"),
        (&mut deal.pipeline, "pipeline"),
        (&mut deal.source, "source"),
        (&mut deal.responsible, "user"),
    ] {
        let Some(held) = slot else { continue };
        let connection = held.provenance.source.clone();
        let dictionary = CompactString::from(dictionary);
        let former = (connection.clone(), dictionary.clone(), held.value.clone());
        let Some(key) = step.rows.get::<WordIds>(&former)? else { continue };
        let word = step.rows.get::<Words>(&(connection, dictionary, key))?;
        if let Some(word) = word.filter(|word| !word.name.is_empty() && word.name != held.value) {
            held.value = word.name;
            changed = true;
        }
    }
    if changed {
        row.deal.version = step.position;
        step.rows.put::<Deals>(&id, row);
    }
    Ok(())
}

/// Ids of stages, sources and users become their names there. An id that the dictionary does not
/// have (yet) stays, and says so: the foreign system may rename its stages under us.
pub(super) fn look_up(
    step: &mut Step<'_>,
    envelope: &Received,
    change: &mut Change,
    told: &mut Vec<(u8, u32)>,
) -> Result<(), TableError> {
    for (field, dictionary) in std::mem::take(&mut change.lookups) {
        let mut subject = None;
        let slot = match field.as_str() {
            "client.responsible" => &mut change.client.responsible,
            other => match (&mut change.deal, other) {
                (Some(deal), "deal.stage") => &mut deal.stage,
                (Some(deal), "deal.pipeline") => &mut deal.pipeline,
                (Some(deal), "deal.source") => &mut deal.source,
                (Some(deal), "deal.responsible") => &mut deal.responsible,
                _ => match (&mut change.interaction, other) {
                    (Some(told), "interaction.who") => &mut told.who,
                    (Some(told), "interaction.subject") => {
                        subject = Some(told.subject.clone()).filter(|it| !it.is_empty());
                        &mut subject
                    }
                    _ => continue,
                },
            },
        };
        let Some(id) = slot.clone() else { continue };
        let key = (envelope.connection.clone(), dictionary.clone(), id.clone());
        match step.rows.get::<Words>(&key)?.filter(|word| !word.name.is_empty()) {
            Some(word) => {
                *slot = Some(word.name);
                if let (Some(told), Some(name)) = (&mut change.interaction, subject) {
                    told.subject = name;
                }
            }
            None => {
                // Remembered without a name: when it is named, what holds the id is given the name.
                step.rows.put::<Words>(&key, WordRow::unnamed());
                let message = Message::new("poll-word-unknown").with("dictionary", &dictionary);
                change.issues.push(Issue::new(&field, message, id.as_str()));
                // Told again, it is news again: by then the dictionary may have it.
                told.retain(|(number, _)| Some(*number) != number_of(&field));
            }
        }
    }
    Ok(())
}
