//! Faults: what the network, the portal and the people of the company do to an honest client.
//!
//! Faults are planned (the next call of a method, n times) or drawn by shares from a seed, so that
//! a failing run can be run again.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::outgoing::NoticeFaults;
use super::person::PersonAct;

/// What goes wrong. Everything here is off until it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Where chance starts.
    pub seed: u64,
    /// Chances per request.
    pub shares: Shares,
    /// What becomes of notices that leave.
    pub notices: NoticeFaults,
    /// Faults that wait for their request. They come before chance.
    pub planned: VecDeque<Planned>,
}

/// Chances in thousandths per request. Their sum is at most 1000; what is above never comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shares {
    /// An HTML page with 502, nothing applied.
    pub error_page: u32,
    /// The connection is cut before anything is applied.
    pub lost_request: u32,
    /// The connection is cut after everything was applied.
    pub lost_answer: u32,
    /// 500 INTERNAL_SERVER_ERROR, nothing applied.
    pub internal_error: u32,
    /// The answer comes `delay_ms` late.
    pub delayed: u32,
    /// How late.
    pub delay_ms: u64,
    /// A third of the commands of a batch fail, half of those after they were applied.
    pub half_batch: u32,
}

/// A fault that waits for its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// The method it waits for; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Requests of that method that pass before.
    #[serde(default)]
    pub skip: u32,
    /// How many requests it hits.
    #[serde(default = "once")]
    pub times: u32,
    /// What it does.
    pub fault: Fault,
}

fn once() -> u32 {
    1
}

impl Planned {
    /// The fault hits the next request, whatever it is.
    pub fn next(fault: Fault) -> Planned {
        Planned { method: None, skip: 0, times: 1, fault }
    }

    /// The fault hits the next request of `method`.
    pub fn on(method: &str, fault: Fault) -> Planned {
        Planned { method: Some(method.to_owned()), ..Planned::next(fault) }
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An HTML page instead of JSON.
    ErrorPage {
        /// 500, 502, 504.
        status: u16,
        /// Whether the call was done before the gateway gave up.
        #[serde(default)]
        applied: bool,
    },
    /// The connection is cut; nothing was applied.
    LostRequest,
    /// The connection is cut; everything was applied.
    LostAnswer,
    /// The connection is cut at once; the request is applied after that.
    LateApply {
        /// How long after, in milliseconds; when the twin is told to release, if absent.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// The answer comes late; everything was applied.
    Delayed {
        /// How late.
        ms: u64,
    },
    /// The answer is held back until the twin is told to release it.
    Held,
    /// Commands of a batch fail with INTERNAL_SERVER_ERROR.
    HalfBatch {
        /// Thousandths of the commands that fail.
        failed: u32,
        /// Thousandths of the failed ones that were applied all the same.
        applied: u32,
    },
    /// A refusal with a code of the table.
    Refused {
        /// Which.
        code: RefusedCode,
    },
    /// A person does something in the portal; the request itself then goes on.
    Person {
        /// What.
        act: PersonAct,
    },
}

/// Refusals that no call deserves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusedCode {
    /// 503: blocked by the vendor's staff.
    OverloadLimit,
    /// 503: as if the bucket were full.
    QueryLimitExceeded,
    /// 403 ACCESS_DENIED: the paid plan has run out.
    PlanExpired,
    /// 400 with an empty code: the user of the webhook lost the right.
    AccessDenied,
    /// 401: the token ran out (applications only, but clients meet it).
    ExpiredToken,
    /// 403: the scope was taken away.
    InsufficientScope,
    /// 500.
    InternalServerError,
    /// 500.
    ErrorUnexpectedAnswer,
    /// 500: the portal is closed.
    PortalDeleted,
    /// 400: https is wanted.
    InvalidRequest,
}

impl RefusedCode {
    /// Status, code and text of the table (facts section 2).
    pub(super) fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            RefusedCode::OverloadLimit => (503, "OVERLOAD_LIMIT", "REST API is blocked due to overload"),
            RefusedCode::QueryLimitExceeded => (503, "QUERY_LIMIT_EXCEEDED", "Too many requests"),
            RefusedCode::PlanExpired => (403, "ACCESS_DENIED", "REST API is available only on commercial plans"),
            RefusedCode::AccessDenied => (400, "", "Access denied."),
            RefusedCode::ExpiredToken => (401, "expired_token", "The access token provided has expired"),
            RefusedCode::InsufficientScope => {
                (403, "insufficient_scope", "The request requires higher privileges than provided by the webhook token")
            }
            RefusedCode::InternalServerError => (500, "INTERNAL_SERVER_ERROR", "Internal server error"),
            RefusedCode::ErrorUnexpectedAnswer => {
                (500, "ERROR_UNEXPECTED_ANSWER", "Server returned an unexpected response")
            }
            RefusedCode::PortalDeleted => (500, "PORTAL_DELETED", "Portal was deleted"),
            RefusedCode::InvalidRequest => (400, "INVALID_REQUEST", "Https required"),
        }
    }
}

/// Chance, and what is left of the plan.
#[derive(Debug, Default)]
pub(super) struct Draw {
    pub(super) faults: Faults,
    drawn: u64,
}

impl Draw {
    pub(super) fn new(faults: Faults) -> Draw {
        Draw { faults, drawn: 0 }
    }

    /// The acts of persons that come before this request, and the fault that it meets.
    pub(super) fn next(&mut self, method: &str) -> (Vec<PersonAct>, Option<Fault>) {
        let mut acts = Vec::new();
        let mut met = None;
        for planned in &mut self.faults.planned {
            let waits_for_this = planned.method.as_ref().is_none_or(|it| it.eq_ignore_ascii_case(method));
            let person = matches!(planned.fault, Fault::Person { .. });
            if !waits_for_this || planned.times == 0 || (met.is_some() && !person) {
                continue;
            }
            if planned.skip > 0 {
                planned.skip -= 1;
                continue;
            }
            planned.times -= 1;
            match &planned.fault {
                Fault::Person { act } => acts.push(act.clone()),
                Fault::ErrorPage { .. }
                | Fault::LostRequest
                | Fault::LostAnswer
                | Fault::LateApply { .. }
                | Fault::Delayed { .. }
                | Fault::Held
                | Fault::HalfBatch { .. }
                | Fault::Refused { .. } => met = Some(planned.fault.clone()),
            }
        }
        self.faults.planned.retain(|it| it.times > 0);
        if met.is_none() {
            met = self.by_chance();
        }
        (acts, met)
    }

    fn by_chance(&mut self) -> Option<Fault> {
        let shares = self.faults.shares;
        let table = [
            (shares.error_page, Fault::ErrorPage { status: 502, applied: false }),
            (shares.lost_request, Fault::LostRequest),
            (shares.lost_answer, Fault::LostAnswer),
            (shares.internal_error, Fault::Refused { code: RefusedCode::InternalServerError }),
            (shares.delayed, Fault::Delayed { ms: shares.delay_ms }),
            (shares.half_batch, Fault::HalfBatch { failed: 333, applied: 500 }),
        ];
        if table.iter().all(|(share, _)| *share == 0) {
            return None;
        }
        let mut left = self.thousandths();
        for (share, fault) in table {
            match left.checked_sub(share) {
                None => return Some(fault),
                Some(rest) => left = rest,
            }
        }
        None
    }

    /// The next throw: 0 to 999 (SplitMix64 of the seed and the number of the throw).
    pub(super) fn thousandths(&mut self) -> u32 {
        self.drawn += 1;
        let mut bits = self.faults.seed.wrapping_add(self.drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) % 1_000) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_faults_hit_their_method_once() {
        let mut draw = Draw::new(Faults {
            planned: [Planned { skip: 1, ..Planned::on("crm.contact.add", Fault::LostAnswer) }].into(),
            ..Faults::default()
        });
        assert_eq!(draw.next("crm.contact.add").1, None);
        assert_eq!(draw.next("crm.deal.add").1, None);
        assert_eq!(draw.next("CRM.CONTACT.ADD").1, Some(Fault::LostAnswer));
        assert_eq!(draw.next("crm.contact.add").1, None);
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let run = |seed: u64| {
            let shares = Shares { error_page: 100, lost_answer: 200, ..Shares::default() };
            let mut draw = Draw::new(Faults { seed, shares, ..Faults::default() });
            (0..1_000).map(|_| draw.next("x").1).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let lost = run(7).iter().filter(|it| **it == Some(Fault::LostAnswer)).count();
        assert!((150..250).contains(&lost), "{lost} of a thousand at a share of 200");
    }

    #[test]
    fn faults_are_set_by_json() {
        let text = r#"{"planned":[{"method":"batch","fault":{"kind":"half_batch","failed":500,"applied":0}},
            {"fault":{"kind":"refused","code":"OVERLOAD_LIMIT"}},
            {"fault":{"kind":"person","act":{"act":"delete","object":"deal","id":3}}}]}"#;
        let faults: Faults = serde_json::from_str(text).expect("the documented form");
        assert_eq!(faults.planned.len(), 3);
        assert_eq!(faults.planned[0].times, 1);
        assert!(serde_json::from_str::<Faults>(r#"{"sede":1}"#).is_err());
    }
}
