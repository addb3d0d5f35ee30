//! What a score is computed from.

use jiff::tz::TimeZone;

use crate::base::Timestamp;
use crate::model::{Class, Client, Currency, Deal, DealState, LostReason, Standing};

/// Facts of one deal at one instant. Borrowed: a million deals are scored without copying text.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The instant of scoring.
    pub as_of: Timestamp,
    /// The company's zone: its midnights part the days.
    pub zone: &'a TimeZone,
    /// Price, hundredths.
    pub price_minor: Option<i64>,
    /// Currency of the price.
    pub currency: Option<&'a Currency>,
    /// Stage by name.
    pub status: Option<&'a str>,
    /// Since when it is in this stage.
    pub stage_since: Option<Timestamp>,
    /// Source by name.
    pub source: Option<&'a str>,
    /// Segment of the client.
    pub segment: Option<&'a str>,
    /// Product line.
    pub product_line: Option<&'a str>,
    /// When the client last answered.
    pub replied_at: Option<Timestamp>,
    /// Last activity of any kind; counts idle days.
    pub active_at: Option<Timestamp>,
    /// Whether the person we talk to decides.
    pub decides: Option<bool>,
    /// State of the next step.
    pub next_step: Option<&'a str>,
    /// How often the expected close moved to a later day.
    pub close_date_moves: u32,
    /// Median price of the client's earlier deals, hundredths; `None` when there are none.
    pub client_median_minor: Option<i64>,
    /// Since when we know the client.
    pub client_known_since: Option<Timestamp>,
    /// Purchases of the client.
    pub purchases: u32,
    /// Deals that the client had before this one.
    pub deals_of_client_before: u32,
    /// Put off by agreement.
    pub deferred: bool,
    /// Never was a lead, or hidden as spam.
    pub junk: bool,
    /// Asked not to be written to.
    pub unsubscribed: bool,
    /// Why it was lost, when it was.
    pub lost: Option<LostReason>,
    /// Best class ever published for the deal; "slid from A or B" (C2) counts as B.
    pub peak: Option<Class>,
}

impl<'a> Facts<'a> {
    /// Facts of which nothing is known.
    pub fn unknown(as_of: Timestamp, zone: &'a TimeZone) -> Facts<'a> {
        Facts {
            as_of,
            zone,
            price_minor: None,
            currency: None,
            status: None,
            stage_since: None,
            source: None,
            segment: None,
            product_line: None,
            replied_at: None,
            active_at: None,
            decides: None,
            next_step: None,
            close_date_moves: 0,
            client_median_minor: None,
            client_known_since: None,
            purchases: 0,
            deals_of_client_before: 0,
            deferred: false,
            junk: false,
            unsubscribed: false,
            lost: None,
            peak: None,
        }
    }

    /// Facts of a deal and its client. What needs more than these two, the caller fills:
    /// `deals_of_client_before` and `client_median_minor`.
    pub fn of(deal: &'a Deal, client: Option<&'a Client>, as_of: Timestamp, zone: &'a TimeZone) -> Facts<'a> {
        let price = deal.price.as_ref().map(|price| &price.value);
        let text = |field: &'a Option<crate::model::Sourced<compact_str::CompactString>>| {
            field.as_ref().map(|it| it.value.as_str())
        };
        Facts {
            price_minor: price.and_then(|it| it.minor()),
            currency: price.map(|it| &it.currency),
            status: text(&deal.stage),
            stage_since: Some(deal.stage_since),
            source: text(&deal.source),
            segment: client.and_then(|it| text(&it.segment)),
            product_line: text(&deal.product_line),
            replied_at: deal.client_replied_at,
            active_at: Some(deal.active_at),
            decides: client.and_then(|it| it.decides.as_ref()).map(|it| it.value),
            next_step: text(&deal.next_step),
            close_date_moves: deal.close_date_moves,
            client_known_since: client.map(|it| it.known_since),
            purchases: client.map_or(0, |it| it.purchases),
            deferred: deal.deferred.as_ref().is_some_and(|it| it.value),
            junk: deal.hidden || client.is_some_and(|it| it.standing == Standing::Spam),
            lost: match deal.state {
                DealState::Lost(_, reason) => Some(reason),
                DealState::Open | DealState::Won(_) => None,
            },
            peak: deal.class_history.iter().map(|change| held(change.to)).min(),
            ..Facts::unknown(as_of, zone)
        }
    }
}

/// A deal that slid was A or B once, even if that was before its history begins.
fn held(class: Class) -> Class {
    match class {
        Class::C2 => Class::B,
        Class::A | Class::B | Class::C | Class::C1 | Class::D | Class::E | Class::F => class,
    }
}
