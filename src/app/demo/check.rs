//! Whether what the demo shows is true: our store and the twin held against the input.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use super::input::Input;
use super::{Demo, Shown};
use crate::app::TwinRunning;
use crate::base::Message;
use crate::query::views::DealLine;

/// One thing that was held against another.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Identifier of its text.
    pub id: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

impl Check {
    /// A check.
    pub fn new(id: &str, ok: bool, detail: impl Into<String>) -> Check {
        Check { id: id.to_owned(), ok, detail: detail.into().trim().to_owned() }
    }

    /// Its text.
    pub fn message(&self) -> Message {
        Message::new(&self.id)
    }
}

/// A deal as the twin holds it.
#[derive(Debug, Clone, Serialize)]
pub struct TwinDeal {
    /// Id there.
    pub id: String,
    /// Our id.
    pub origin: String,
    /// Title.
    pub title: String,
    /// Price there.
    pub price: String,
    /// Class there.
    pub class: String,
    /// Value there.
    pub value: String,
    /// Probability there.
    pub probability: String,
    /// Explanation there.
    pub explanation: String,
}

/// Every deal of the twin that we made.
pub(super) fn twin_deals(twin: &TwinRunning) -> anyhow::Result<Vec<TwinDeal>> {
    let listed = twin
        .call(
            "crm.deal.list",
            &json!({ "filter": { "ORIGINATOR_ID": "uzel" }, "select": ["*", "UF_*"], "order": { "ID": "ASC" } }),
        )
        .map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    let rows = listed.get("result").unwrap_or(&listed).as_array().cloned().unwrap_or_default();
    let text = |row: &serde_json::Value, name: &str| match row.get(name) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    Ok(rows
        .iter()
        .map(|row| TwinDeal {
            id: text(row, "ID"),
            origin: text(row, "ORIGIN_ID"),
            title: text(row, "TITLE"),
            price: text(row, "OPPORTUNITY"),
            class: text(row, "UF_CRM_UZEL_CLASS"),
            value: text(row, "UF_CRM_UZEL_VALUE"),
            probability: text(row, "UF_CRM_UZEL_PROBABILITY"),
            explanation: text(row, "UF_CRM_UZEL_EXPLANATION"),
        })
        .collect())
}

/// Everything that must hold.
pub(super) fn all(demo: &Demo, input: &Input, shown: &Shown) -> anyhow::Result<Vec<Check>> {
    let query = demo.daemon.core().control(Default::default()).query;
    let counts = query.counts()?;
    let of = |outcome: &str| counts.iter().filter(|it| it.outcome == outcome).map(|it| it.count).sum::<u64>();
    let quarantined = of("quarantined");
    let doubled = input.forms.iter().filter(|form| form.doubled).count() as u64;
    let mut checks = vec![
        Check::new("demo-check-quarantine", quarantined == 0, quarantined.to_string()),
        Check::new("demo-check-repeated", of("repeated") == doubled, format!("{} / {doubled}", of("repeated"))),
        people(input, shown),
        prices(input, shown),
    ];
    checks.extend(expected(input, shown));
    checks.push(in_twin(shown));
    Ok(checks)
}

/// People who came several times are one client each.
fn people(input: &Input, shown: &Shown) -> Check {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let tail = |text: &str| {
        let digits = digits(text.split("доб").next().unwrap_or(text));
        digits[digits.len().saturating_sub(10)..].to_owned()
    };
    let mut phones: Vec<String> = input.forms.iter().map(|form| tail(&form.phone)).collect();
    phones.extend(input.orders.iter().filter_map(|order| order.phone.as_deref().map(tail)));
    phones.sort();
    phones.dedup();
    let mut wrong = Vec::new();
    for phone in &phones {
        let having = shown.clients.iter().filter(|client| client.contacts.iter().any(|it| tail(it) == *phone)).count();
        if having != 1 {
            wrong.push(format!("***{}: {having}", &phone[phone.len().saturating_sub(2)..]));
        }
    }
    let silent = input.orders.iter().filter(|order| order.phone.is_none()).count();
    let clients = phones.len() + silent + input.deals.len();
    let detail = format!("{} / {clients} {}", shown.clients.len(), wrong.join(", "));
    Check::new("demo-check-people", wrong.is_empty() && shown.clients.len() == clients, detail)
}

fn same(left: Option<&str>, right: Decimal) -> bool {
    left.and_then(|text| text.parse::<Decimal>().ok()) == Some(right)
}

/// Each deal has the price of the input.
fn prices(input: &Input, shown: &Shown) -> Check {
    let mut wrong = Vec::new();
    for deal in &input.deals {
        let held = shown.example.iter().find(|it| it.title == deal.client);
        if !held.is_some_and(|held| same(held.price.as_deref(), deal.price)) {
            wrong.push(deal.client.clone());
        }
    }
    for order in &input.orders {
        let sum: Decimal = order.lines.iter().map(|line| line.price * line.quantity).sum();
        if !shown.deals.iter().any(|it| same(it.price.as_deref(), sum)) {
            wrong.push(order.number.clone());
        }
    }
    Check::new("demo-check-prices", wrong.is_empty(), wrong.join(", "))
}

/// The example comes to what the input expects, if it expects anything.
fn expected(input: &Input, shown: &Shown) -> Option<Check> {
    let expect = input.expect.as_ref()?;
    let totals = shown.example_totals.first()?;
    let sums = same(Some(&totals.forecast), expect.forecast) && same(Some(&totals.all_in), expect.all_in);
    let count = |class: &str| totals.classes.iter().find(|(name, _)| name == class).map(|(_, count)| *count);
    let classes = expect.classes.iter().all(|(class, wanted)| count(class) == Some(*wanted));
    let detail = format!("{} / {}", totals.forecast, totals.all_in);
    Some(Check::new("demo-check-expected", sums && classes, detail))
}

/// The twin holds each of our deals once, with class, value, probability and explanation.
fn in_twin(shown: &Shown) -> Check {
    let mut wrong = Vec::new();
    for deal in &shown.deals {
        let held: Vec<&TwinDeal> = shown.twin.iter().filter(|it| it.origin == deal.id).collect();
        match held.as_slice() {
            [one] if agrees(deal, one) => {}
            [one] => wrong.push(format!("{} {} {} {}", deal.id, one.class, one.value, one.explanation)),
            several => wrong.push(format!("{}: {}", deal.id, several.len())),
        }
    }
    let ok = wrong.is_empty() && shown.twin.len() == shown.deals.len();
    Check::new("demo-check-twin", ok, format!("{} / {} {}", shown.twin.len(), shown.deals.len(), wrong.join("; ")))
}

fn agrees(deal: &DealLine, twin: &TwinDeal) -> bool {
    let number = |text: &str| text.parse::<Decimal>().ok();
    let same_number = |ours: &Option<String>, theirs: &str| ours.as_deref().and_then(number) == number(theirs);
    deal.class.as_deref() == Some(&twin.class)
        && same_number(&deal.value, &twin.value)
        && same_number(&deal.probability, &twin.probability)
        && deal.explanation == twin.explanation
}
