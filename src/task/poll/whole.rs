//! Dictionaries are read whole. What is missing from two whole readings in a row is no longer there:
//! pages may shift under a reader once, and one word is not taken away for that.

use std::collections::{BTreeSet, HashSet};

use compact_str::CompactString;

use super::journal::Notes;
use super::{Follower, Ledger, Trouble};
use crate::base::limits::POLL_PAGES_MAX;
use crate::connector::PollSpec;
use crate::source::poll::Row;
use crate::tables::{PolledRows, Reader, Span, Words};

/// What a whole reading misses: ids of rows, and words by dictionary and id in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Missed {
    rows: BTreeSet<CompactString>,
    words: BTreeSet<(CompactString, CompactString)>,
}

impl<L: Ledger> Follower<L> {
    /// Reads a dictionary whole.
    pub(super) async fn read_whole(&mut self, poll: &PollSpec) -> Result<(), Trouble> {
        let mut start = 0;
        let mut there = Missed::default();
        for _ in 0..POLL_PAGES_MAX {
            let page = self.poller.whole(poll, start).await?;
            start += page.rows.len() as u64 + page.nameless;
            for row in &page.rows {
                there.rows.insert(row.id.clone());
                there.words.extend(poll.word_of(&row.value).map(|word| (word.dictionary, word.key)));
            }
            let fresh = self.changed(poll, page.rows)?;
            if !fresh.is_empty() {
                let base = self.cursor(poll)?.unwrap_or_default();
                self.append(poll, fresh, &Notes::plain(), |_| base.clone()).await?;
            }
            if !page.more {
                return self.take_away(poll, &there).await;
            }
        }
        // Bound: a dictionary of more pages is not compared.
        Ok(())
    }

    /// Journals what was missed by this reading and by the one before.
    async fn take_away(&mut self, poll: &PollSpec, there: &Missed) -> Result<(), Trouble> {
        // Nothing at all is what a right that was taken away may look like.
        if there.rows.is_empty() {
            return Ok(());
        }
        let missed = self.missed(poll, there)?;
        let before = self.missed.insert(poll.stream.clone(), missed.clone()).unwrap_or_default();
        let rows = missed.rows.intersection(&before.rows).cloned().map(Row::gone);
        let words = missed.words.intersection(&before.words).map(|(dictionary, key)| Row::lost(dictionary, key));
        let gone: Vec<Row> = rows.chain(words).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let base = self.cursor(poll)?.unwrap_or_default();
        self.append(poll, gone, &Notes::deleted(), |_| base.clone()).await
    }

    /// What we know of this dictionary and is not there.
    fn missed(&self, poll: &PollSpec, there: &Missed) -> Result<Missed, Trouble> {
        let reader = Reader::new(self.ledger.store());
        let mut missed = Missed::default();
        for row in reader.rows(Span::<PolledRows>::of(&(self.poller.name().clone(), poll.kind.clone()))) {
            let (key, row) = row?;
            if !row.gone && !there.rows.contains(&key.id) {
                missed.rows.insert(key.id);
            }
        }
        let own: HashSet<&CompactString> = poll.words.iter().flat_map(|it| it.dictionaries()).collect();
        let others = self.connector.polls.iter().filter(|it| it.stream != poll.stream);
        let of_others: HashSet<&CompactString> =
            others.filter_map(|it| it.words.as_ref()).flat_map(|it| it.dictionaries()).collect();
        for dictionary in own.difference(&of_others) {
            for row in reader.rows(Span::<Words>::of(&(self.poller.name().clone(), (*dictionary).clone()))) {
                let ((_, dictionary, key), word) = row?;
                if word.active && !there.words.contains(&(dictionary.clone(), key.clone())) {
                    missed.words.insert((dictionary, key));
                }
            }
        }
        Ok(missed)
    }
}
