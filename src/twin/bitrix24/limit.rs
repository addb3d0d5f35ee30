//! The two limits of a portal: how often one may ask (a leaky bucket per source address), and how
//! long one's methods may work (ten baskets of a minute per method and webhook).
//!
//! Source: facts/crm/bitrix24.md section 3; b24restdocs (5988ed1), limits.md.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// The limits of a portal; `None` is switched off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How often.
    pub bucket: Option<BucketLimit>,
    /// How long.
    pub operating: Option<OperatingLimit>,
}

/// The leaky bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketLimit {
    /// Requests that drain away in a second.
    pub drain_per_s: u32,
    /// Requests that it holds; with as many in it the next is refused.
    pub size: u32,
}

/// The operating time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingLimit {
    /// Time of one method in ten minutes. The call that steps over it is still answered, the next
    /// one is refused.
    pub limit_ms: u64,
    /// What a call costs.
    pub cost_ms: u64,
    /// What a call of a method costs, where that differs. Names in lower case.
    pub cost_by_method_ms: BTreeMap<String, u64>,
}

impl Limits {
    /// The cloud's ordinary plans: 2 a second, 50 at once, 480 s in ten minutes.
    pub fn cloud() -> Limits {
        Limits {
            bucket: Some(BucketLimit { drain_per_s: 2, size: 50 }),
            operating: Some(OperatingLimit { limit_ms: 480_000, cost_ms: 50, cost_by_method_ms: BTreeMap::new() }),
        }
    }

    /// The Enterprise plan: 5 a second, 250 at once.
    pub fn enterprise() -> Limits {
        Limits { bucket: Some(BucketLimit { drain_per_s: 5, size: 250 }), ..Limits::cloud() }
    }

    /// None: for tests of other things.
    pub fn none() -> Limits {
        Limits { bucket: None, operating: None }
    }
}

/// A basket lives ten minutes from its first call.
const BASKET_LIFE_MS: i64 = 600_000;
const MINUTE_MS: i64 = 60_000;
/// Source addresses remembered. Above: those whose bucket has drained are forgotten.
const SOURCES_MAX: usize = 1_000;

/// What has been used up.
#[derive(Debug, Default)]
pub(super) struct Usage {
    buckets: HashMap<IpAddr, (i64, Timestamp)>,
    /// By webhook user and method.
    baskets: HashMap<(u64, String), VecDeque<Basket>>,
}

#[derive(Debug)]
struct Basket {
    first: Timestamp,
    spent_ms: u64,
}

/// The state of a method's operating time, as the envelope tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operating {
    pub(super) spent_ms: u64,
    pub(super) reset_at_s: Option<i64>,
}

impl Usage {
    /// Lets one request of `source` in, or refuses it. A refused request takes no room.
    pub(super) fn admit(&mut self, limit: Option<BucketLimit>, source: IpAddr, now: Timestamp) -> bool {
        let Some(limit) = limit else {
            return true;
        };
        // In thousandths of a request, so that draining needs no fractions.
        let drained = |(level, at): (i64, Timestamp)| {
            let out = now.ms_since(at).max(0).saturating_mul(i64::from(limit.drain_per_s));
            level.saturating_sub(out).max(0)
        };
        if self.buckets.len() >= SOURCES_MAX {
            self.buckets.retain(|_, bucket| drained(*bucket) > 0);
        }
        let level = self.buckets.get(&source).map_or(0, |bucket| drained(*bucket));
        let admitted = level + 1_000 <= i64::from(limit.size) * 1_000;
        self.buckets.insert(source, (if admitted { level + 1_000 } else { level }, now));
        admitted
    }

    /// Charges one call of a method. `Err` when its time was used up before the call.
    pub(super) fn charge(
        &mut self,
        limit: Option<&OperatingLimit>,
        user: u64,
        method: &str,
        now: Timestamp,
    ) -> Result<Operating, Operating> {
        let Some(limit) = limit else {
            return Ok(Operating { spent_ms: 0, reset_at_s: None });
        };
        let method = method.to_ascii_lowercase();
        let cost_ms = limit.cost_by_method_ms.get(&method).copied().unwrap_or(limit.cost_ms);
        let baskets = self.baskets.entry((user, method)).or_default();
        while baskets.front().is_some_and(|it| now.ms_since(it.first) >= BASKET_LIFE_MS) {
            baskets.pop_front();
        }
        if tell(baskets).spent_ms > limit.limit_ms {
            return Err(tell(baskets));
        }
        match baskets.back_mut() {
            Some(last) if last.first.0.div_euclid(MINUTE_MS) == now.0.div_euclid(MINUTE_MS) => last.spent_ms += cost_ms,
            Some(_) | None => baskets.push_back(Basket { first: now, spent_ms: cost_ms }),
        }
        Ok(tell(baskets))
    }
}

fn tell(baskets: &VecDeque<Basket>) -> Operating {
    Operating {
        spent_ms: baskets.iter().map(|it| it.spent_ms).sum(),
        reset_at_s: baskets.front().map(|it| it.first.plus_ms(BASKET_LIFE_MS).seconds()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

    #[test]
    fn bucket_blocks_at_its_size_and_drains_two_a_second() {
        let limit = Limits::cloud().bucket;
        let mut usage = Usage::default();
        let start = Timestamp(1_000_000);
        assert_eq!((0..60).filter(|_| usage.admit(limit, HERE, start)).count(), 50);
        assert!(usage.admit(limit, THERE, start), "another address has its own bucket");
        assert!(!usage.admit(limit, HERE, start.plus_ms(499)));
        assert!(usage.admit(limit, HERE, start.plus_ms(500)));
        assert!(!usage.admit(limit, HERE, start.plus_ms(500)));
        assert_eq!((0..60).filter(|_| usage.admit(limit, HERE, start.plus_ms(60_000))).count(), 50);
    }

    #[test]
    fn operating_time_follows_the_example_of_the_documentation() {
        // 20 calls of 20 s make 400 s; five more make 500; the next is refused; when the oldest
        // basket of 40 s falls out, 460 remain and calls go again.
        let limit = OperatingLimit { limit_ms: 480_000, cost_ms: 20_000, cost_by_method_ms: BTreeMap::new() };
        let mut usage = Usage::default();
        let start = Timestamp(600_000_000);
        let mut call = |at_ms: i64| usage.charge(Some(&limit), 1, "crm.item.list", start.plus_ms(at_ms));
        assert!(call(5_000).is_ok());
        assert!(call(6_000).is_ok());
        for minute in 1..=8 {
            for _ in 0..2 {
                assert!(call(minute * 60_000).is_ok());
            }
        }
        for _ in 0..2 {
            assert!(call(9 * 60_000).is_ok());
        }
        for _ in 0..5 {
            assert!(call(9 * 60_000 + 1_000).is_ok());
        }
        let refused = call(9 * 60_000 + 2_000).expect_err("500 s are spent");
        assert_eq!(refused.spent_ms, 500_000);
        assert_eq!(refused.reset_at_s, Some(start.plus_ms(605_000).seconds()));
        assert!(call(604_999).is_err());
        assert_eq!(call(605_000).expect("460 s are left").spent_ms, 480_000);
    }
}
