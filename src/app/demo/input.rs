//! What the demo sends: a TOML file, `examples/demo.toml` when none is given.

use rust_decimal::Decimal;

use crate::base::{Message, Problem};
use crate::field::{Lint, Table, decimal_of};

/// Everything that is sent.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Deals of the worked example.
    pub deals: Vec<InputDeal>,
    /// Site forms.
    pub forms: Vec<InputForm>,
    /// Orders of 1C.
    pub orders: Vec<InputOrder>,
    /// What the example must come to.
    pub expect: Option<Expect>,
}

/// A deal, sent as a form with deal fields.
#[derive(Debug, Clone)]
pub struct InputDeal {
    /// Company.
    pub client: String,
    /// E-mail.
    pub email: String,
    /// Stage.
    pub stage: String,
    /// Calendar days in the stage.
    pub days: i64,
    /// Price, roubles.
    pub price: Decimal,
    /// Source.
    pub source: Option<String>,
}

/// Dialect of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Tilda's webhook.
    Tilda,
    /// JSON by a script of the page.
    Json,
    /// JSON as `text/plain`.
    JsonText,
    /// An ordinary form.
    Urlencoded,
    /// A form with `multipart/form-data`.
    Multipart,
}

/// A site form.
#[derive(Debug, Clone)]
pub struct InputForm {
    /// How it is sent.
    pub dialect: Dialect,
    /// Name.
    pub name: String,
    /// Phone as typed.
    pub phone: String,
    /// E-mail.
    pub email: Option<String>,
    /// Message.
    pub text: String,
    /// Whether the visitor's click is doubled: the same submission twice.
    pub doubled: bool,
}

/// An order of 1C.
#[derive(Debug, Clone)]
pub struct InputOrder {
    /// Number.
    pub number: String,
    /// Buyer.
    pub client: String,
    /// Phone.
    pub phone: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// ИНН.
    pub inn: Option<String>,
    /// КПП.
    pub kpp: Option<String>,
    /// Lines.
    pub lines: Vec<InputLine>,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct InputLine {
    /// Name.
    pub name: String,
    /// How many.
    pub quantity: Decimal,
    /// Price of one, roubles.
    pub price: Decimal,
}

/// What the example must come to.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Headline forecast.
    pub forecast: Decimal,
    /// All-in.
    pub all_in: Decimal,
    /// Number of deals by class.
    pub classes: Vec<(String, u64)>,
}

const DIALECTS: &[(&str, Dialect)] = &[
    ("tilda", Dialect::Tilda),
    ("json", Dialect::Json),
    ("json-text", Dialect::JsonText),
    ("urlencoded", Dialect::Urlencoded),
    ("multipart", Dialect::Multipart),
];

impl Input {
    /// Reads a file; all problems at once.
    pub fn compile(file: &str, text: &str) -> Result<Input, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let input = Input {
            deals: table.tables("deal").into_iter().filter_map(deal).collect(),
            forms: table.tables("form").into_iter().filter_map(form).collect(),
            orders: table.tables("order").into_iter().filter_map(order).collect(),
            expect: table.table("expect").and_then(expect),
        };
        table.close();
        lint.finish(input)
    }
}

fn owned(table: &Table<'_>, name: &str) -> Option<String> {
    table.text(name).map(str::to_owned)
}

fn decimal(table: &Table<'_>, name: &str) -> Option<Decimal> {
    let number = table.node(name).and_then(decimal_of);
    if number.is_none() {
        table.report(name, Message::new("demo-not-a-number").with("name", name));
    }
    number
}

fn deal(table: Table<'_>) -> Option<InputDeal> {
    let (client, email) = (table.required_text("client"), table.required_text("email"));
    let (stage, days) = (table.required_text("stage"), table.required_integer("days"));
    let (price, source) = (decimal(&table, "price"), owned(&table, "source"));
    table.close();
    Some(InputDeal {
        client: client?.to_owned(),
        email: email?.to_owned(),
        stage: stage?.to_owned(),
        days: days?,
        price: price?,
        source,
    })
}

fn form(table: Table<'_>) -> Option<InputForm> {
    let dialect = table.choice("dialect", DIALECTS);
    let (name, phone) = (table.required_text("name"), table.required_text("phone"));
    let (email, text) = (owned(&table, "email"), owned(&table, "text").unwrap_or_default());
    let doubled = table.boolean("doubled").unwrap_or(false);
    table.close();
    Some(InputForm { dialect: dialect?, name: name?.to_owned(), phone: phone?.to_owned(), email, text, doubled })
}

fn order(table: Table<'_>) -> Option<InputOrder> {
    let (number, client) = (table.required_text("number"), table.required_text("client"));
    let order = InputOrder {
        number: number?.to_owned(),
        client: client?.to_owned(),
        phone: owned(&table, "phone"),
        email: owned(&table, "email"),
        inn: owned(&table, "inn"),
        kpp: owned(&table, "kpp"),
        lines: table.tables("lines").into_iter().filter_map(line).collect(),
    };
    table.close();
    Some(order)
}

fn line(table: Table<'_>) -> Option<InputLine> {
    let name = table.required_text("name");
    let (quantity, price) = (decimal(&table, "quantity"), decimal(&table, "price"));
    table.close();
    Some(InputLine { name: name?.to_owned(), quantity: quantity?, price: price? })
}

fn expect(table: Table<'_>) -> Option<Expect> {
    let (forecast, all_in) = (decimal(&table, "forecast"), decimal(&table, "all_in"));
    let classes = table.table("classes").map(|classes| {
        let read = classes.entries().filter_map(|(name, _, node)| {
            let count = decimal_of(node).and_then(|count| u64::try_from(count).ok())?;
            Some((name.to_owned(), count))
        });
        read.collect()
    });
    table.close();
    Some(Expect { forecast: forecast?, all_in: all_in?, classes: classes.unwrap_or_default() })
}
