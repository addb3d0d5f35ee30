//! Columns of a table: what each of them means, and whether it still does.
//!
//! [`guess`] is for a person who sees a file for the first time: by its header and by its values it
//! says what a column probably is, how sure it is of that, and writes a draft of a mapping.
//! [`fit`] guards a file that comes by itself: before any of its rows is applied, every column that
//! the mapping reads must hold what it held when the mapping was made. A column of telephone
//! numbers that is full of names means that columns were shifted: then the whole file waits, and no
//! row of it is believed.
//!
//! Both are functions of table, mapping and surroundings. Of long tables some hundred cells a
//! column are looked at, evenly spread.

use std::collections::HashSet;
use std::fmt::Write as _;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::MapContext;
use super::canonical::{Field, Kind, Section};
use super::convert::{self, Conversion};
use super::plan::{FieldPlan, Inbound};
use crate::base::Message;
use crate::base::message::near_miss;
use crate::decode::table::{ROW_MEMBER, Table};
use crate::normalize;

/// Cells of one column that are looked at.
const CELLS_MAX: usize = 400;
/// Fewer filled cells prove nothing by themselves.
const CELLS_MIN: usize = 3;
/// Samples shown of a column.
const SAMPLES_MAX: usize = 3;
/// Characters of a sample.
const SAMPLE_CHARS_MAX: usize = 40;

/// What a column probably is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guess {
    /// Its name in the header.
    pub column: String,
    /// The canonical field; empty when nothing fits: then it is kept beside the object.
    pub field: String,
    /// What told: `mapping` (the mapping in force reads it), `header`, `values`, or nothing.
    pub by: String,
    /// How sure, percent.
    pub confidence: u8,
    /// Share of filled cells that fit the field, percent; of those looked at.
    pub fits: u8,
    /// Filled cells.
    pub filled: usize,
    /// Some cells, masked.
    pub samples: Vec<String>,
}

/// What values look like, whatever the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Phone,
    Email,
    Inn,
    Date,
    Number,
    Company,
    Name,
    Text,
}

impl Look {
    /// As messages choose their words by it.
    fn name(self) -> &'static str {
        match self {
            Look::Phone => "phone",
            Look::Email => "email",
            Look::Inn => "inn",
            Look::Date => "date",
            Look::Number => "number",
            Look::Company => "company",
            Look::Name => "name",
            Look::Text => "text",
        }
    }
}

/// Words of a header and the field they mean; the first that fits. Only a draft uses them: what a
/// file that comes by itself means is said by a mapping.
const WORDS: &[(&[&str], &str)] = &[
    (&["огрн"], "client.ogrn"),
    (&["инн", "inn", "tax id"], "client.inn"),
    (&["кпп", "kpp"], "client.kpp"),
    (&["mail", "почт", "мейл", "мэйл"], "client.email"),
    (&["телеф", "тел.", "тел", "моб", "сотов", "phone", "mobile", "whatsapp", "контактный номер"], "client.phone"),
    (&["telegram", "телеграм"], "client.messenger.telegram"),
    (&["фамилия", "surname", "last name"], "client.surname"),
    (&["отчество", "patronymic"], "client.patronymic"),
    (
        &["компан", "организац", "контрагент", "заказчик", "юрлицо", "юр. лицо", "покупатель", "company"],
        "client.company",
    ),
    (&["фио", "ф.и.о", "ф. и. о", "контактное лицо", "контакт", "клиент", "имя", "name", "client"], "client.name"),
    (&["адрес", "город", "address", "city"], "client.address"),
    (&["ответствен", "менеджер", "продавец", "owner"], "responsible"),
    (&["источник", "канал", "source"], "deal.source"),
    (&["этап", "стади", "статус", "stage", "status"], "stage"),
    (&["сумма", "стоимость", "цена", "итого", "выручка", "бюджет", "amount", "price", "sum", "total"], "sum"),
    (&["коммент", "примеч", "заметк", "comment", "note"], "comment"),
    (&["дата", "date"], "date"),
    (&["номер", "№", "number"], "number"),
    (&["название", "тема", "сделка", "title"], "title"),
    (&["код", "id"], "id"),
];

/// What each column probably is.
pub fn guess(table: &Table, inbound: &Inbound, context: &MapContext<'_>) -> Vec<Guess> {
    let section = inbound.main_section();
    let mut taken: HashSet<String> = HashSet::new();
    let mut guesses = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let cells = sampled(table, index);
        let look = looks_like(&cells, context);
        let plans = inbound.plans_of(column);
        let from_mapping = plans.first().map(|plan| (plan.full.to_string(), "mapping"));
        let from_header = || by_words(column, section).map(|field| (field, "header"));
        let from_values = || look.and_then(field_of).map(|field| (field.to_owned(), "values"));
        let found = from_mapping.or_else(from_header).or_else(from_values);
        let filled = table.rows.iter().filter(|row| row.cells.get(index).is_some_and(|it| is_filled(it))).count();
        let shown = samples(&cells, found.as_ref().map(|(field, _)| field.as_str()));
        let (mut field, mut by) = found.unwrap_or_default();
        let fits = share(&cells, |cell| fits_field(&field, cell, context));
        let mut confidence = match by {
            "mapping" => 95,
            "header" => 85,
            "values" => 60,
            _ => 0,
        };
        // What the values say against the header outweighs it.
        if !field.is_empty() && cells.len() >= CELLS_MIN && fits < 50 {
            confidence = 10;
        }
        // One column is the name, the telephone of a second one is one more telephone.
        let many = matches!(field.as_str(), "client.phone" | "client.email");
        if !field.is_empty() && !many && by != "mapping" && !taken.insert(field.clone()) {
            (field, by, confidence) = (String::new(), "", 0);
        } else {
            taken.insert(field.clone());
        }
        guesses.push(Guess {
            column: column.to_string(),
            field,
            by: by.to_owned(),
            confidence,
            fits,
            filled,
            samples: shown,
        });
    }
    guesses
}

/// A draft of the mapping for what was guessed; columns of which nothing is known stay out of it.
pub fn draft(guesses: &[Guess], inbound: &Inbound) -> String {
    let section = inbound.main_section();
    let sure: Vec<&Guess> = guesses.iter().filter(|it| !it.field.is_empty() && it.confidence >= 50).collect();
    let mut text = String::new();
    let mut line = |it: std::fmt::Arguments<'_>| writeln!(text, "{it}").expect("writing to a String does not fail");
    let columns: Vec<String> = sure.iter().map(|it| toml_text(&it.column)).collect();
    line(format_args!("columns = [{}]", columns.join(", ")));
    let any: Vec<String> = inbound.require_any.iter().map(|spec| toml_text(&spec.full_name())).collect();
    line(format_args!("require_any = [{}]", any.join(", ")));
    for part in Section::ALL {
        let mut lines: Vec<String> = Vec::new();
        let mut done: HashSet<&str> = HashSet::new();
        for guess in sure.iter().filter(|it| it.field.split('.').next() == Some(part.name())) {
            if !done.insert(&guess.field) {
                continue;
            }
            let same: Vec<String> =
                sure.iter().filter(|it| it.field == guess.field).map(|it| toml_path(&it.column)).collect();
            let key = &guess.field[part.name().len() + 1..];
            let each = matches!(key, "phone" | "email");
            lines.push(match each {
                true => format!("{key} = {{ from = [{}], each = true }}", same.join(", ")),
                false => format!("{key} = [{}]", same.join(", ")),
            });
        }
        match part {
            Section::Record => lines.push("observed_at = \"note:modified\"".to_owned()),
            Section::Document if section == Section::Document => {
                lines.push("kind = { const = \"order\" }".to_owned());
            }
            Section::Client | Section::Deal | Section::Document | Section::Interaction | Section::Lines => {}
        }
        if !lines.is_empty() {
            line(format_args!("\n[{}]", part.name()));
            lines.iter().for_each(|it| line(format_args!("{it}")));
        }
    }
    line(format_args!("\n[extra]\nignore = [\"{ROW_MEMBER}\"]"));
    text
}

/// `Err` says why the file as a whole cannot be believed: which column, which row, what was
/// expected, and what to do.
pub fn fit(table: &Table, inbound: &Inbound, context: &MapContext<'_>) -> Result<(), Message> {
    let missing = inbound.columns.iter().find(|wanted| !table.columns.iter().any(|it| same(it, wanted)));
    if let Some(wanted) = missing {
        let found = table.columns.join(", ");
        let near = near_miss(wanted, table.columns.iter().map(CompactString::as_str));
        let id = if near.is_some() { "table-column-renamed" } else { "table-column-missing" };
        let message = Message::new(id).with("column", wanted).with("row", table.header_row).with("found", found);
        return Err(message.with("near", near.unwrap_or_default()).with("file", inbound.file()));
    }
    let mut read: Vec<&FieldPlan> = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let plans = inbound.plans_of(column);
        if plans.is_empty() {
            continue;
        }
        let cells = sampled(table, index);
        misfit(table, column, &plans, &cells, context)?;
        if !cells.is_empty() {
            read.extend(plans);
        }
    }
    let is_read = |kind: Kind| read.iter().any(|plan| plan.spec.kind == kind);
    for (index, column) in table.columns.iter().enumerate() {
        let cells = sampled(table, index);
        let is_known = !inbound.plans_of(column).is_empty();
        if is_known || cells.len() < CELLS_MIN {
            continue;
        }
        let lost = match looks_like(&cells, context) {
            Some(Look::Phone) => !is_read(Kind::Phone),
            Some(Look::Email) => !is_read(Kind::Email),
            Some(Look::Inn) => !is_read(Kind::Inn),
            Some(Look::Date | Look::Number | Look::Company | Look::Name | Look::Text) | None => false,
        };
        if lost && let Some(look) = looks_like(&cells, context) {
            return Err(with_look(Message::new("table-column-unread"), look)
                .with("column", column)
                .with("row", cells[0].0)
                .with("file", inbound.file()));
        }
    }
    let needs = &inbound.require_any;
    if !needs.is_empty() && !needs.iter().any(|spec| read.iter().any(|plan| plan.spec.field == spec.field)) {
        let wanted: Vec<String> = needs.iter().map(|spec| spec.full_name()).collect();
        return Err(Message::new("table-columns-unknown")
            .with("row", table.header_row)
            .with("found", table.columns.join(", "))
            .with("wanted", wanted.join(", "))
            .with("file", inbound.file()));
    }
    repeated_numbers(table, inbound)
}

/// A column that does not hold what the mapping reads it as.
fn misfit(
    table: &Table,
    column: &str,
    plans: &[&FieldPlan],
    cells: &[(u32, &str)],
    context: &MapContext<'_>,
) -> Result<(), Message> {
    let typed: Vec<&&FieldPlan> = plans.iter().filter(|plan| plan.dictionary.is_none()).collect();
    // A column that something reads as plain text may hold anything.
    if typed.is_empty() || typed.iter().any(|plan| !is_typed(plan.spec.kind)) {
        return Ok(());
    }
    let fits = |cell: &str| typed.iter().any(|plan| fits_kind(plan.spec.kind, plan.conversion, cell, context));
    let bad: Vec<&(u32, &str)> = cells.iter().filter(|(_, cell)| !fits(cell)).collect();
    let Some((row, _)) = bad.first() else { return Ok(()) };
    let foreign = || {
        let looks = bad.iter().map(|(_, cell)| look_of(cell, context));
        looks.into_iter().all(|look| !matches!(look, Look::Text | Look::Number))
    };
    let is_shifted = bad.len() * 2 > cells.len() && (cells.len() >= CELLS_MIN || foreign());
    if !is_shifted {
        return Ok(());
    }
    let found = looks_like(cells, context).unwrap_or(Look::Text);
    Err(with_look(Message::new("table-column-shifted"), found)
        .with("column", column)
        .with("row", row)
        .with("field", &typed[0].full)
        .with("bad", bad.len())
        .with("cells", cells.len())
        .with("header", table.header_row))
}

/// A table of the lines of orders, not of orders: their sums would overwrite each other.
fn repeated_numbers(table: &Table, inbound: &Inbound) -> Result<(), Message> {
    let is_number = |plan: &&FieldPlan| plan.spec.field == Field::DocumentNumber;
    let Some(index) = table.columns.iter().position(|it| inbound.plans_of(it).iter().any(is_number)) else {
        return Ok(());
    };
    let mut seen: HashSet<&str> = HashSet::new();
    let mut again = table.rows.iter().filter(|row| {
        let cell = row.cells.get(index).map_or("", CompactString::as_str);
        !cell.is_empty() && !seen.insert(cell)
    });
    let first = again.next();
    match first {
        Some(row) if (again.count() + 1) * 5 > table.rows.len() => {
            Err(Message::new("table-order-lines").with("column", &table.columns[index]).with("row", row.number))
        }
        Some(_) | None => Ok(()),
    }
}

impl Inbound {
    /// What reads the column.
    fn plans_of(&self, column: &str) -> Vec<&FieldPlan> {
        let Some(slot) = self.names.slot_of_column(column) else { return Vec::new() };
        self.fields.iter().filter(|plan| plan.from.iter().any(|source| source.is_slot(slot))).collect()
    }

    /// What the table is of.
    fn main_section(&self) -> Section {
        match (self.parts.document, self.parts.deal) {
            (true, _) => Section::Document,
            (false, true) => Section::Deal,
            (false, false) => Section::Client,
        }
    }
}

/// Filled cells with their rows, evenly spread over the table.
fn sampled(table: &Table, index: usize) -> Vec<(u32, &str)> {
    let step = table.rows.len().div_ceil(CELLS_MAX).max(1);
    let rows = table.rows.iter().step_by(step);
    let cells = rows.filter_map(|row| Some((row.number, row.cells.get(index)?.as_str())));
    cells.filter(|(_, cell)| is_filled(cell)).collect()
}

/// Whether somebody wrote something into the cell, and not that there is nothing to write.
fn is_filled(cell: &str) -> bool {
    const NOTHING: [&str; 9] = ["-", "—", "–", "нет", "0", "н/д", "n/a", "отсутствует", "не указан"];
    let lower = cell.trim().to_lowercase();
    !lower.is_empty() && !NOTHING.contains(&lower.as_str())
}

fn same(left: &str, right: &str) -> bool {
    use crate::value::path::folded;
    folded(left).eq(folded(right))
}

/// Percent of cells for which `is` holds; 100 when there are none.
fn share(cells: &[(u32, &str)], is: impl Fn(&str) -> bool) -> u8 {
    match cells.len() {
        0 => 100,
        all => (cells.iter().filter(|(_, cell)| is(cell)).count() * 100 / all) as u8,
    }
}

/// Kinds whose values can be told from others.
fn is_typed(kind: Kind) -> bool {
    match kind {
        Kind::Phone
        | Kind::Email
        | Kind::Inn
        | Kind::Kpp
        | Kind::Ogrn
        | Kind::Instant
        | Kind::Money
        | Kind::Decimal
        | Kind::Name
        | Kind::Company
        | Kind::NamePart => true,
        Kind::Text
        | Kind::Prose
        | Kind::Messenger
        | Kind::Visitor
        | Kind::Contact
        | Kind::Flag
        | Kind::Foreign
        | Kind::ClientKind
        | Kind::Standing
        | Kind::DealState
        | Kind::DocumentKind
        | Kind::InteractionKind
        | Kind::Direction
        | Kind::Click => false,
    }
}

fn fits_kind(kind: Kind, conversion: Conversion, cell: &str, context: &MapContext<'_>) -> bool {
    match kind {
        // Nearly every text is a name to the converter: here it must only not be something else.
        Kind::Name | Kind::Company | Kind::NamePart => {
            !matches!(look_of(cell, context), Look::Phone | Look::Email | Look::Inn | Look::Date | Look::Number)
        }
        // A telephone number of ten digits would read as the seconds since 1970.
        Kind::Instant if look_of(cell, context) == Look::Phone => false,
        _ if is_typed(kind) => convert::convert(conversion, kind, cell, context, context.currency).value.is_some(),
        _ => true,
    }
}

fn fits_field(field: &str, cell: &str, context: &MapContext<'_>) -> bool {
    let spec = super::canonical::find_full(field);
    spec.is_none_or(|spec| fits_kind(spec.kind, convert::fitting(spec.kind)[0], cell, context))
}

/// What most of the cells look like; `None` when they do not agree.
fn looks_like(cells: &[(u32, &str)], context: &MapContext<'_>) -> Option<Look> {
    let looks: Vec<Look> = cells.iter().map(|(_, cell)| look_of(cell, context)).collect();
    let all = [Look::Inn, Look::Phone, Look::Email, Look::Date, Look::Number, Look::Company, Look::Name, Look::Text];
    all.into_iter().find(|look| {
        let agreeing = looks.iter().filter(|it| *it == look).count();
        agreeing > 0 && agreeing * 10 >= looks.len() * 8
    })
}

fn look_of(cell: &str, context: &MapContext<'_>) -> Look {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let letters = cell.chars().filter(|it| it.is_alphabetic()).count();
    if cell.contains('@') && normalize::email(cell).value.is_some() {
        return Look::Email;
    }
    if letters == 0 && matches!(digits, 10 | 12) && normalize::inn(cell).value.is_some() {
        return Look::Inn;
    }
    if digits >= 10 && letters <= 4 && normalize::phone(cell, context.region).value.is_some() {
        return Look::Phone;
    }
    if digits >= 4 && digits > letters && cell.contains(['.', '-', '/']) && normalize::date(cell).value.is_some() {
        return Look::Date;
    }
    if digits > letters && normalize::decimal(cell).value.is_some() {
        return Look::Number;
    }
    if normalize::looks_like_company(cell) {
        return Look::Company;
    }
    let words = cell.split_whitespace().count();
    let is_capital = cell.split_whitespace().all(|word| word.chars().next().is_some_and(char::is_uppercase));
    if digits == 0 && (1..=4).contains(&words) && is_capital && normalize::person_name(cell).value.is_some() {
        return Look::Name;
    }
    Look::Text
}

/// The field that values alone can tell.
fn field_of(look: Look) -> Option<&'static str> {
    match look {
        Look::Phone => Some("client.phone"),
        Look::Email => Some("client.email"),
        Look::Inn => Some("client.inn"),
        Look::Company => Some("client.company"),
        Look::Name => Some("client.name"),
        Look::Date | Look::Number | Look::Text => None,
    }
}

/// The field that the words of a header mean in a table of that kind.
fn by_words(column: &str, section: Section) -> Option<String> {
    let lower = column.to_lowercase();
    let is_word = |word: &&str| match word.chars().count() {
        0..=3 => {
            lower.split(|it: char| !it.is_alphanumeric() && it != '№').any(|part| part == word.trim_end_matches('.'))
        }
        _ => lower.contains(word),
    };
    let (_, field) = WORDS.iter().find(|(words, _)| words.iter().any(is_word))?;
    let own = match (*field, section) {
        ("responsible", Section::Deal | Section::Document) => "deal.responsible",
        ("responsible", _) => "client.responsible",
        ("stage", Section::Document) => "document.status",
        ("stage", Section::Deal) => "deal.stage",
        ("sum", Section::Document) => "document.sum",
        ("sum", Section::Deal) => "deal.price",
        ("comment", Section::Document) => "document.comment",
        ("comment", Section::Deal) => "deal.comment",
        ("date", Section::Document) => "document.date",
        ("date", Section::Deal) => "deal.stage_since",
        ("number", Section::Document) => "document.number",
        ("number", Section::Deal) => "deal.foreign.deal",
        ("title", Section::Deal) => "deal.title",
        ("id", Section::Document) => "document.foreign.order",
        ("id", Section::Deal) => "deal.foreign.deal",
        ("id", Section::Client) => "client.foreign.client",
        ("deal.source", Section::Client) => return None,
        (named, _) if named.contains('.') => named,
        _ => return None,
    };
    Some(own.to_owned())
}

fn samples(cells: &[(u32, &str)], field: Option<&str>) -> Vec<String> {
    let is_open = field.is_some_and(|field| !field.starts_with("client.") && !field.ends_with("comment"));
    let mut shown: Vec<String> = Vec::new();
    for (_, cell) in cells {
        let cut: String = cell.chars().take(SAMPLE_CHARS_MAX).collect();
        let sample = if is_open { cut } else { masked(&cut) };
        if !shown.contains(&sample) {
            shown.push(sample);
        }
        if shown.len() == SAMPLES_MAX {
            break;
        }
    }
    shown
}

/// First and last of the letters and digits stay, the rest is hidden: enough to know a column.
fn masked(text: &str) -> String {
    let counted = text.chars().filter(|it| it.is_alphanumeric()).count();
    let (head, tail) = if counted > 8 { (2, 2) } else { (1, 0) };
    let mut at = 0;
    let hide = |it: char| {
        if !it.is_alphanumeric() {
            return it;
        }
        at += 1;
        if at <= head || at > counted - tail { it } else { '*' }
    };
    text.chars().map(hide).collect()
}

fn with_look(message: Message, look: Look) -> Message {
    message.with("look", look.name())
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A column as a path: quoted for the path, and once more for the file.
fn toml_path(column: &str) -> String {
    toml_text(&format!("\"{}\"", column.replace('\\', "\\\\").replace('"', "\\\"")))
}
