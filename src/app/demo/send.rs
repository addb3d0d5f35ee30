//! What the 1C base and the site of the demo send.

use rust_decimal::prelude::ToPrimitive as _;

use super::check::Check;
use super::input::{Dialect, Input, InputDeal, InputForm, InputOrder};
use super::{Demo, PIPELINE};
use crate::app::error::Told;
use crate::app::sources::secret;
use crate::base::{Message, Slug};
use crate::twin::commerceml::{Buyer, Contacts, Line, Order, Party, orders_file, orders_file_name};
use crate::twin::exchange_client::{ExchangeClient, ExchangeType, Profile};
use crate::twin::site::{Form, RawRequest, Sender, TildaMarks, tilda_submission, tilda_test};

/// A portion's UUID: 1C draws one, the demo has its own.
const PORTION: &str = "5f3a9c1e-0000-4000-8000-00000000d311";

/// Waits for an answer as a browser does.
const SENDER_TIMEOUT_MS: u64 = 30_000;

/// Sends everything; tells what was acknowledged.
pub(super) async fn send(demo: &Demo, input: &Input) -> anyhow::Result<Vec<Check>> {
    let sender = Sender::new(SENDER_TIMEOUT_MS).map_err(|error| Told(error.message))?;
    let mut checks = Vec::new();
    checks.push(orders(demo, input).await?);
    let tilda = sender.send(&address(demo, "tilda")?, &tilda_test()).await.map_err(|error| Told(error.message))?;
    let ok = tilda.status == 200 && tilda.body == "ok";
    checks.push(Check::new("demo-check-tilda-test", ok, format!("{} {}", tilda.status, tilda.body)));

    let mut refused = Vec::new();
    let mut sent = 0;
    for (number, form) in input.forms.iter().enumerate() {
        let (connection, request) = form_request(form, number);
        for _ in 0..if form.doubled { 2 } else { 1 } {
            sent += 1;
            refused.extend(post(&sender, &address(demo, connection)?, &request).await?);
        }
    }
    checks.push(Check::new("demo-check-forms", refused.is_empty(), format!("{sent} {}", refused.join("; "))));

    let mut refused = Vec::new();
    for deal in &input.deals {
        refused.extend(post(&sender, &address(demo, "deals")?, &deal_request(deal)).await?);
    }
    let detail = format!("{} {}", input.deals.len(), refused.join("; "));
    checks.push(Check::new("demo-check-deals", refused.is_empty(), detail));
    Ok(checks)
}

/// Sends a request; an answer that is no acknowledgement is said.
async fn post(sender: &Sender, address: &str, request: &RawRequest) -> anyhow::Result<Option<String>> {
    let answer = sender.send(address, request).await.map_err(|error| Told(error.message))?;
    let acknowledged = (200..300).contains(&answer.status) || answer.status == 303;
    Ok((!acknowledged).then(|| format!("{} {}", answer.status, answer.body)))
}

fn address(demo: &Demo, connection: &str) -> anyhow::Result<String> {
    let name = Slug::new(connection).ok_or_else(|| Told(Message::new("control-not-found").with("id", connection)))?;
    let secret = secret(&demo.daemon.core().vault, &name, "secret");
    let secret = secret.ok_or_else(|| Told(Message::new("app-no-secret").with("name", connection)))?;
    Ok(format!("{}/in/{connection}/{}", demo.address(), secret.expose()))
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A deal of the company's old table, as a form with deal fields.
fn deal_request(deal: &InputDeal) -> RawRequest {
    let mut fields = vec![
        field("company", &deal.client),
        field("email", &deal.email),
        field("deal_title", &deal.client),
        field("pipeline", PIPELINE),
        field("stage", &deal.stage),
        field("days_in_stage", &deal.days.to_string()),
        field("price", &deal.price.to_string()),
        // Known for long: newness is not part of the example.
        field("known_since", "2020-01-15"),
    ];
    fields.extend(deal.source.as_ref().map(|source| field("source", source)));
    let form =
        Form { origin: "https://table.example".to_owned(), page: "https://table.example/deals".to_owned(), fields };
    let mut request = form.urlencoded();
    // A table has no page that people come from: its address is no source of the deal.
    request.headers.retain(|(name, _)| name != "referer" && name != "origin");
    request.headers.retain(|(name, _)| name != "accept");
    request.headers.push(field("accept", "application/json"));
    request
}

fn form_request(form: &InputForm, number: usize) -> (&'static str, RawRequest) {
    let mut fields = vec![field("name", &form.name), field("phone", &form.phone)];
    fields.extend(form.email.as_ref().map(|email| field("email", email)));
    fields.push(field("message", &form.text));
    let sent = Form {
        origin: "https://shop.example".to_owned(),
        page: "https://shop.example/kovriki?utm_source=yandex&utm_medium=cpc&utm_campaign=osen".to_owned(),
        fields,
    };
    match form.dialect {
        Dialect::Tilda => {
            let marks = TildaMarks {
                tranid: format!("4027821:{}", 1_000_001 + number),
                formid: "form652374741".to_owned(),
                formname: "Вопрос о доставке".to_owned(),
                cookies: None,
            };
            ("tilda", tilda_submission(&sent, &marks))
        }
        Dialect::Json => ("site", sent.json()),
        Dialect::JsonText => ("site", sent.json_as_text()),
        Dialect::Urlencoded => ("site", sent.urlencoded()),
        Dialect::Multipart => ("site", sent.multipart(&[("file", "реквизиты.txt", "text/plain", b"INN 1655999995")])),
    }
}

async fn orders(demo: &Demo, input: &Input) -> anyhow::Result<Check> {
    let name = Slug::literal("1c");
    let password = secret(&demo.daemon.core().vault, &name, "password");
    let password = password.ok_or_else(|| Told(Message::new("app-no-secret").with("name", "1c.password")))?;
    let base = format!("{}/exchange/1c", demo.address());
    let client =
        ExchangeClient::new(&base, "uzel", password, Profile::Ut11).map_err(|error| Told(error.cause.message()))?;
    let orders: Vec<Order> = input.orders.iter().enumerate().map(|(index, order)| order_of(order, index)).collect();
    let file = (orders_file_name(PORTION, 1), orders_file(&orders, "2026-11-21T09:00:00"));
    Ok(match client.upload(ExchangeType::Sale, &[file]).await {
        Ok(transcript) => Check::new("demo-check-orders", true, transcript.text().trim().replace('\n', "; ")),
        Err(fault) => Check::new("demo-check-orders", false, fault.cause.message().to_string()),
    })
}

fn kopecks(amount: rust_decimal::Decimal) -> i64 {
    (amount * rust_decimal::Decimal::ONE_HUNDRED).round().to_i64().unwrap_or(0)
}

fn order_of(order: &InputOrder, index: usize) -> Order {
    let mut contacts = Vec::new();
    contacts.extend(order.phone.iter().map(|phone| field("Телефон рабочий", phone)));
    contacts.extend(order.email.iter().map(|email| field("Почта", email)));
    let party = match &order.inn {
        Some(_) => Party::Legal {
            official_name: order.client.clone(), address: "г. Казань, ул. Лесная, 5".to_owned()
        },
        None => {
            let mut words = order.client.split(' ').map(str::to_owned);
            let mut next = || words.next().unwrap_or_default();
            Party::Person { surname: next(), given: next(), patronymic: next() }
        }
    };
    let lines = order.lines.iter().enumerate().map(|(line, it)| Line {
        id: format!("910e89e5-0000-4000-8000-{index:06}{line:06}"),
        article: format!("А-{index}{line}"),
        name: it.name.clone(),
        price: kopecks(it.price),
        quantity_milli: (it.quantity * rust_decimal::Decimal::ONE_THOUSAND).to_i64().unwrap_or(0),
        service: it.name == "Доставка",
    });
    Order {
        lines: lines.collect(),
        buyer: Buyer {
            id: format!("b5b1c7a0-0000-4000-8000-{index:012}"),
            name: order.client.clone(),
            party,
            inn: order.inn.clone().unwrap_or_default(),
            kpp: order.kpp.clone().unwrap_or_default(),
            contacts: if contacts.is_empty() { Contacts::Empty } else { Contacts::Listed(contacts) },
        },
        id: format!("7a1c0de0-0000-4000-8000-{index:012}"),
        number: order.number.clone(),
        ..Order::sample(&order.number, 0)
    }
}
