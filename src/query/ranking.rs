//! Open deals in the order of their priority, in memory: what the page of the head of sales is made of.
//!
//! Class first, then value, the greatest first, then age. One small row for each scored deal
//! ([`Row`], 40 bytes), so that totals, classes, responsibles and any page of the list cost one walk
//! over memory, whatever they are filtered by.
//!
//! The actors: [`Ranking::fill`] reads the deals once, in the background, when the daemon starts; the
//! pipeline's commits come through [`Follower`] and are taken in at once, so that what is shown is
//! never behind the store. While it is being filled, changes are kept apart and win over what was
//! read: a row that was read before a commit is not put over what the commit said.
//!
//! Derived from the store, and written nowhere: a rebuild and an erasure need not know of it. Why not
//! a table: `docs/decisions/2026-11-22-page.md`.

use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use compact_str::CompactString;

use crate::base::limits::{RANKED_DEALS_MAX, TABLE_PAGE_ROWS};
use crate::base::{DealId, Message};
use crate::model::{Class, Currency};
use crate::report::{Part, Sum, Totals};
use crate::store::{Follower, Store, Write};
use crate::tables::rows::DealRow;
use crate::tables::{Deals, Reader, Span, Table, TableError, decode_key, decode_row};

/// Where a deal stands in the order; also where a page of the list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Class.
    pub class: Class,
    /// Value, hundredths.
    pub value_minor: Option<i64>,
    /// The deal.
    pub deal: DealId,
}

impl Place {
    fn key(&self) -> (Class, std::cmp::Reverse<Option<i64>>, DealId) {
        (self.class, std::cmp::Reverse(self.value_minor), self.deal)
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Place) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Place) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value_minor {
            Some(value) => write!(f, "{}.{value}.{}", self.class.name(), self.deal),
            None => write!(f, "{}..{}", self.class.name(), self.deal),
        }
    }
}

impl FromStr for Place {
    type Err = Message;

    fn from_str(text: &str) -> Result<Place, Message> {
        let read = || {
            let mut parts = text.splitn(3, '.');
            let class = Class::parse(parts.next()?)?;
            let value_minor = match parts.next()? {
                "" => None,
                value => Some(value.parse().ok()?),
            };
            Some(Place { class, value_minor, deal: parts.next()?.parse().ok()? })
        };
        read().ok_or_else(|| Message::new("ranking-place").with("text", text))
    }
}

/// Which deals of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Only {
    /// All of them.
    #[default]
    All,
    /// Those that count in the forecast.
    Forecast,
    /// Those without a price.
    WithoutPrice,
    /// Those in another currency than the company's.
    OtherCurrency,
}

/// What is looked for.
pub struct Sought<'a> {
    /// The company's currency.
    pub currency: &'a Currency,
    /// Whose deals; by the text that their source gave, empty for nobody.
    pub responsible: Option<&'a dyn Fn(&str) -> bool>,
    /// Deals of this class.
    pub class: Option<Class>,
    /// Which of them.
    pub only: Only,
    /// Deals behind this place.
    pub after: Option<Place>,
    /// Rows of the page.
    pub rows_max: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Sums over all deals of the responsible, of every class.
    pub totals: Totals,
    /// Every responsible with all his deals.
    pub responsibles: Vec<(CompactString, Sum)>,
    /// Deals that fit.
    pub fits: u64,
    /// Of them before this page.
    pub before: u64,
    /// The page, in order.
    pub page: Vec<Place>,
}

/// How far the ranking is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Being read: so many deals so far.
    Reading(u64),
    /// Whole.
    Whole {
        /// Whether some deals found no room (bound).
        is_full: bool,
    },
    /// A row does not read; the next step.
    Failed(Message),
}

/// See the module.
#[derive(Default)]
pub struct Ranking {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// Sorted by deal.
    rows: Vec<Row>,
    /// How many of them have gone.
    gone: usize,
    is_full: bool,
    responsibles: Names<CompactString>,
    currencies: Names<Currency>,
}

#[derive(Default)]
enum Phase {
    /// Nobody has asked for it.
    #[default]
    Idle,
    Filling {
        read: u64,
        /// What was committed since; absent: no longer scored.
        news: BTreeMap<DealId, Option<Row>>,
    },
    Whole,
    Failed(Message),
}

/// A scored deal; `None` amounts are written as [`NO_AMOUNT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    deal: DealId,
    price_minor: i64,
    value_minor: i64,
    responsible: u32,
    currency: u32,
    class: Class,
    in_forecast: bool,
    is_gone: bool,
}

const NO_AMOUNT: i64 = i64::MIN;

fn amount(minor: i64) -> Option<i64> {
    (minor != NO_AMOUNT).then_some(minor)
}

impl Row {
    fn part(&self) -> Part {
        Part {
            class: self.class,
            in_forecast: self.in_forecast,
            price_minor: amount(self.price_minor),
            value_minor: amount(self.value_minor),
        }
    }

    fn place(&self) -> Place {
        Place { class: self.class, value_minor: amount(self.value_minor), deal: self.deal }
    }
}

/// Texts by number; they are few and repeat in millions of rows.
struct Names<T> {
    all: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Names<T> {
        Names { all: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Names<T> {
    fn number(&mut self, name: &T) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).expect("names are fewer than deals, which are bounded");
        self.all.push(name.clone());
        self.numbers.insert(name.clone(), number);
        number
    }
}

impl State {
    /// The row of a deal that has a score.
    fn row(&mut self, id: DealId, row: &DealRow) -> Option<Row> {
        let score = row.deal.score.as_ref()?;
        let responsible = row.deal.responsible.as_ref().map(|held| held.value.clone()).unwrap_or_default();
        let currency = score.currency.clone().unwrap_or_else(|| Currency(CompactString::default()));
        Some(Row {
            deal: id,
            price_minor: score.price_minor.unwrap_or(NO_AMOUNT),
            value_minor: score.value_minor.unwrap_or(NO_AMOUNT),
            responsible: self.responsibles.number(&responsible),
            currency: self.currencies.number(&currency),
            class: score.class,
            in_forecast: score.in_forecast,
            is_gone: false,
        })
    }

    fn take(&mut self, id: DealId, row: Option<Row>) {
        match self.rows.binary_search_by_key(&id, |row| row.deal) {
            Ok(index) => {
                let held = &mut self.rows[index];
                self.gone -= usize::from(held.is_gone);
                match row {
                    Some(row) => *held = row,
                    None => held.is_gone = true,
                }
                self.gone += usize::from(held.is_gone);
            }
            Err(index) => {
                let Some(row) = row else { return };
                // Bound: what does not fit is left out until the next start, and the page says so.
                match self.rows.len() - self.gone < RANKED_DEALS_MAX {
                    true => self.rows.insert(index, row),
                    false => self.is_full = true,
                }
            }
        }
    }

    /// Deals that have gone leave their rows behind: moving a million rows for each would cost more.
    fn tidy(&mut self) {
        if self.gone > 1_024 && self.gone > self.rows.len() / 4 {
            self.rows.retain(|row| !row.is_gone);
            self.gone = 0;
        }
    }
}

impl Ranking {
    /// How far it is.
    pub fn progress(&self) -> Progress {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &state.phase {
            Phase::Idle => Progress::Reading(0),
            Phase::Filling { read, .. } => Progress::Reading(*read),
            Phase::Whole => Progress::Whole { is_full: state.is_full },
            Phase::Failed(message) => Progress::Failed(message.clone()),
        }
    }

    /// Reads all deals of `store`, whose commits must come here as well. Ends early when `goes_on`
    /// says no.
    pub fn fill(&self, store: &dyn Store, goes_on: impl Fn() -> bool) {
        self.edit(|state| {
            *state = State { phase: Phase::Filling { read: 0, news: BTreeMap::new() }, ..State::default() }
        });
        let reader = Reader::new(store);
        let mut span = Span::<Deals>::all();
        let mut rows: Vec<Row> = Vec::new();
        while goes_on() {
            let page = match reader.range(&span, false, TABLE_PAGE_ROWS) {
                Ok(page) => page,
                Err(error) => return self.fail(&error),
            };
            let Some((last, _)) = page.last() else { return self.edit(|state| whole(state, rows)) };
            span = span.after(last);
            self.edit(|state| {
                rows.extend(page.iter().filter_map(|(id, row)| state.row(*id, row)));
                if let Phase::Filling { read, .. } = &mut state.phase {
                    *read += page.len() as u64;
                }
            });
        }
    }

    /// One look; `None` while there is nothing whole to be seen.
    pub fn look(&self, sought: &Sought<'_>) -> Option<Seen> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.phase {
            Phase::Whole => Some(look(&state, sought)),
            Phase::Idle | Phase::Filling { .. } | Phase::Failed(_) => None,
        }
    }

    fn edit(&self, edit: impl FnOnce(&mut State)) {
        edit(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn fail(&self, error: &TableError) {
        tracing::error!(%error, "deals cannot be ranked");
        let message = error.message();
        self.edit(|state| *state = State { phase: Phase::Failed(message), ..State::default() });
    }
}

/// Puts what was read and what was committed meanwhile together; the latter wins.
fn whole(state: &mut State, read: Vec<Row>) {
    let phase = std::mem::replace(&mut state.phase, Phase::Whole);
    let Phase::Filling { news, .. } = phase else { return };
    let unchanged = read.into_iter().filter(|row| !news.contains_key(&row.deal));
    let mut rows: Vec<Row> = unchanged.collect();
    rows.extend(news.values().flatten());
    rows.sort_unstable_by_key(|row| row.deal);
    state.is_full = rows.len() > RANKED_DEALS_MAX;
    rows.truncate(RANKED_DEALS_MAX);
    rows.shrink_to_fit();
    state.rows = rows;
}

fn look(state: &State, sought: &Sought<'_>) -> Seen {
    let is_his: Vec<bool> = match sought.responsible {
        None => vec![true; state.responsibles.all.len()],
        Some(is_his) => state.responsibles.all.iter().map(|name| is_his(name)).collect(),
    };
    let is_own: Vec<bool> = state.currencies.all.iter().map(|it| it.0.is_empty() || it == sought.currency).collect();
    let mut totals = Totals::new(sought.currency);
    let mut sums = vec![Sum::default(); state.responsibles.all.len()];
    let (mut fits, mut before) = (0, 0);
    let mut page: BinaryHeap<Place> = BinaryHeap::with_capacity(sought.rows_max + 1);
    for row in state.rows.iter().filter(|row| !row.is_gone) {
        let (part, is_own) = (row.part(), is_own[row.currency as usize]);
        let in_sum = if is_own { part.value_minor.unwrap_or(0) } else { 0 };
        sums[row.responsible as usize].add(Sum { count: 1, value_minor: in_sum });
        if !is_his[row.responsible as usize] {
            continue;
        }
        totals.count(&part, (!is_own).then(|| &state.currencies.all[row.currency as usize]));
        let is_meant = match sought.only {
            Only::All => true,
            Only::Forecast => row.in_forecast && is_own,
            Only::WithoutPrice => part.value_minor.is_none(),
            Only::OtherCurrency => !is_own,
        };
        if !is_meant || sought.class.is_some_and(|class| class != row.class) {
            continue;
        }
        fits += 1;
        let place = row.place();
        if sought.after.is_some_and(|after| place <= after) {
            before += 1;
            continue;
        }
        // Bound: the heap holds one page.
        if page.len() < sought.rows_max {
            page.push(place);
        } else if page.peek().is_some_and(|last| place < *last) {
            page.pop();
            page.push(place);
        }
    }
    let responsibles = state.responsibles.all.iter().cloned().zip(sums).filter(|(_, sum)| sum.count > 0);
    Seen { totals, responsibles: responsibles.collect(), fits, before, page: page.into_sorted_vec() }
}

impl Follower for Ranking {
    fn wants(&self, key: &[u8]) -> bool {
        key.first() == Some(&Deals::TAG)
    }

    fn committed(&self, writes: &[Write]) {
        if matches!(self.state.read().unwrap_or_else(PoisonError::into_inner).phase, Phase::Idle | Phase::Failed(_)) {
            return;
        }
        let read = |(key, value): &Write| -> Result<(DealId, Option<DealRow>), TableError> {
            let row = value.as_ref().map(|value| decode_row::<Deals>(key, value)).transpose()?;
            Ok((decode_key::<Deals>(key)?, row))
        };
        // Decoded before the lock is taken: pages are looked at meanwhile.
        let changes: Result<Vec<_>, TableError> = writes.iter().map(read).collect();
        let changes = match changes {
            Ok(changes) => changes,
            Err(error) => return self.fail(&error),
        };
        self.edit(|state| {
            for (id, row) in &changes {
                let row = row.as_ref().and_then(|row| state.row(*id, row));
                match &mut state.phase {
                    Phase::Filling { news, .. } => {
                        news.insert(*id, row);
                    }
                    Phase::Whole => state.take(*id, row),
                    Phase::Idle | Phase::Failed(_) => {}
                }
            }
            state.tidy();
        });
    }
}
