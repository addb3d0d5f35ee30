//! Who is being told what: two lanes push to one sink at one time, and never the same thing.
//!
//! A push claims each of its objects, and of objects that the sink does not know also the telephone
//! numbers and addresses by which they are looked for: two creates of one person never race. What
//! another push has claimed stays where it is until that push is over *and applied*: claims are
//! made in one step with the reading of the rows, so nobody reads a row, waits, and then pushes
//! what has become old meanwhile.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use compact_str::CompactString;

use super::Work;
use super::item::shared_keys;
use crate::connector::{FindBy, SinkSpec};
use crate::entry::ObjectRef;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Claim {
    Object(ObjectRef),
    /// What an object that may be made is looked for by.
    Key(FindBy, CompactString),
}

/// What the pushes of one sink have claimed. Bound: two pushes and their works.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashSet<Claim>>);

/// Works that are ours until this is dropped: after the answers of their push are applied.
#[derive(Debug)]
pub struct Claimed<'a> {
    claims: &'a Claims,
    mine: Vec<Claim>,
    /// The works.
    pub works: Vec<Work>,
}

impl Claims {
    /// Claims what `select` reads, but for what another push has. `select` runs while nobody else
    /// can claim or let go.
    pub(super) fn claim<E>(
        &self,
        spec: &SinkSpec,
        select: impl FnOnce() -> Result<Vec<Work>, E>,
    ) -> Result<Claimed<'_>, E> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut works = select()?;
        let mut mine = Vec::new();
        works.retain(|work| {
            let claims = claims_of(spec, work);
            let is_free = !claims.iter().any(|it| taken.contains(it));
            if is_free {
                mine.extend(claims);
            }
            is_free
        });
        taken.extend(mine.iter().cloned());
        Ok(Claimed { claims: self, mine, works })
    }
}

fn claims_of(spec: &SinkSpec, work: &Work) -> Vec<Claim> {
    let object = spec.object(&work.foreign_kind).filter(|_| work.confirmed.is_none());
    let keys = object.map(|object| shared_keys(object, work)).unwrap_or_default();
    let keys = keys.into_iter().map(|(by, value)| Claim::Key(by, value));
    std::iter::once(Claim::Object(work.object)).chain(keys).collect()
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        let mut taken = self.claims.0.lock().unwrap_or_else(PoisonError::into_inner);
        for claim in &self.mine {
            taken.remove(claim);
        }
    }
}
