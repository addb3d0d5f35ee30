//! Business rules (`rules/business.toml`): what a record does to clients and deals.

use compact_str::CompactString;

use crate::base::{Message, Problem};
use crate::field::{Lint, Table};
use crate::model::TaskKind;

/// Compiled business rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Business {
    /// The same form of the same client within this time is one lead: fields merge.
    pub same_form_window_ms: i64,
    /// What a lead does when the client has an open deal.
    pub open_deal: OpenDeal,
    /// Whether a lead that joins an open deal asks for an answer.
    pub open_deal_task: bool,
    /// Of several open deals the latest active one is clear when it was active so much later than
    /// the next.
    pub clear_deal_ms: i64,
    /// A deal lost up to this long ago takes a lead as a note.
    pub lost_recently_ms: i64,
    /// Whether such a lead asks a person to come back to the client.
    pub lost_recently_task: bool,
    /// Whether new leads are watched until somebody touches them.
    pub untouched: UntouchedRule,
    /// Working minutes that a task of each kind gives, in the order of the kinds.
    pub task_minutes: Vec<(TaskKind, u32)>,
    /// What a lead does when the newest deal is won, or lost earlier.
    pub closed_deal: ClosedDeal,
    /// What an order without a link to a deal does.
    pub order: OrderRule,
    /// Whether an order that could belong to several deals asks a person to look.
    pub order_task: bool,
    /// Whether unposted documents count.
    pub count_unposted: bool,
    /// Stage of a deal whose documents are fully paid; none: the stage stays.
    pub paid_stage: Option<CompactString>,
    /// Stages that full payment moves a deal from; from any other it never goes.
    pub paid_stage_from: Vec<CompactString>,
    /// Whether a fully paid deal is won.
    pub paid_wins: bool,
    /// Whether a return lowers the paid sum.
    pub return_lowers_paid: bool,
    /// What a payment, shipment or return that names no order does.
    pub payment: PaymentRule,
    /// Whether one that fits several deals asks a person to look.
    pub payment_task: bool,
    /// Whether the same document told by two systems is one.
    pub link_copies: bool,
    /// A payment of the same number and sum told by two systems is one within so many days.
    pub same_payment_ms: i64,
    /// Whether an unknown caller with whom somebody spoke long enough is a lead.
    pub call_makes_deal: bool,
    /// How long that is, s.
    pub call_lead_s: u32,
    /// Source of such a deal.
    pub call_source: Option<CompactString>,
    /// Whether a missed call asks to call back.
    pub call_back: bool,
    /// A score is written to a CRM again when its class or leading reason changes, or its value by
    /// so many percent.
    pub damping_percent: u32,
}

/// What a lead does when the client has an open deal in that pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenDeal {
    /// It joins the latest active one.
    Join,
    /// It makes another deal.
    New,
}

/// What a lead does when the newest deal is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedDeal {
    /// A new deal with the same responsible.
    Repeat,
    /// A new deal like that of an unknown client.
    New,
}

/// What an order without a link to a deal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderRule {
    /// It joins the client's only open deal without a document; otherwise a new deal.
    JoinOnlyCandidate,
    /// A new deal always.
    New,
}

/// What a payment, shipment or return that names no order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentRule {
    /// It joins the client's only deal that still waits for it.
    JoinOnlyCandidate,
    /// It stays with the client.
    Leave,
}

/// Whether new leads are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntouchedRule {
    /// When some connection tells what people do with a lead: a CRM that is read.
    WhenCrmIsRead,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Two working weeks and more: a longer deadline is a slip of the pen.
const WORKING_MINUTES_MAX: i64 = 10_000;
/// Where `paid_stage_from` is not set.
const STAGES_BEFORE_PAYMENT: [&str; 6] = ["Новая", "Целевой", "Встреча", "КП", "В работе", "Счёт"];
/// Payments further apart are two.
const SAME_PAYMENT_DAYS_MAX: i64 = 60;
/// Where `call_back_minutes` is not set.
const CALL_BACK_MINUTES: u32 = 15;
/// Where `answered_seconds` is not set.
const CALL_LEAD_S: u32 = 10;
/// Where the source of a call is not set.
const CALL_SOURCE: &str = "Звонок";
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;

impl Business {
    /// Compiles the text of `file`.
    pub fn compile(file: &str, text: &str) -> Result<Business, Vec<Problem>> {
        const OPEN: &[(&str, OpenDeal)] = &[("join", OpenDeal::Join), ("new", OpenDeal::New)];
        const CLOSED: &[(&str, ClosedDeal)] = &[("repeat", ClosedDeal::Repeat), ("new", ClosedDeal::New)];
        const ORDERS: &[(&str, OrderRule)] =
            &[("join_only_candidate", OrderRule::JoinOnlyCandidate), ("new", OrderRule::New)];
        const PAYMENTS: &[(&str, PaymentRule)] =
            &[("join_only_candidate", PaymentRule::JoinOnlyCandidate), ("leave", PaymentRule::Leave)];
        const UNTOUCHED: &[(&str, UntouchedRule)] = &[
            ("when_crm_is_read", UntouchedRule::WhenCrmIsRead),
            ("always", UntouchedRule::Always),
            ("never", UntouchedRule::Never),
        ];
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let lead = section(&table, "lead");
        let document = section(&table, "document");
        let untouched = section(&table, "untouched");
        let task = section(&table, "task");
        let score = section(&table, "score");
        // Files of before there was telephony have no such section.
        let call = table.table("call");
        let integer = |table: &Option<Table<'_>>, name: &str, high: i64| {
            let Some(table) = table else { return 0 };
            table.required_integer(name);
            table.integer_in(name, 0, high).unwrap_or(0)
        };
        let minutes = |table: &Option<Table<'_>>, name: &str| {
            u32::try_from(integer(table, name, WORKING_MINUTES_MAX)).unwrap_or(0)
        };
        let business = Business {
            same_form_window_ms: integer(&lead, "same_form_minutes", 100_000) * MINUTE_MS,
            open_deal: choice(&lead, "open_deal", OPEN).unwrap_or(OpenDeal::Join),
            open_deal_task: flag(&lead, "open_deal_task"),
            clear_deal_ms: integer(&lead, "clear_deal_hours", 10_000) * HOUR_MS,
            lost_recently_ms: integer(&lead, "lost_recently_days", 10_000) * DAY_MS,
            lost_recently_task: flag(&lead, "lost_recently_task"),
            closed_deal: choice(&lead, "closed_deal", CLOSED).unwrap_or(ClosedDeal::Repeat),
            untouched: choice(&untouched, "watch", UNTOUCHED).unwrap_or(UntouchedRule::WhenCrmIsRead),
            task_minutes: TaskKind::ALL
                .into_iter()
                .map(|kind| {
                    let name = format!("{}_minutes", kind.name());
                    let is_set = task.as_ref().is_some_and(|task| task.node(&name).is_some());
                    match kind {
                        TaskKind::CallBack if !is_set => (kind, CALL_BACK_MINUTES),
                        _ => (kind, minutes(&task, &name)),
                    }
                })
                .collect(),
            order_task: flag(&document, "order_with_several_task"),
            order: choice(&document, "order_without_deal", ORDERS).unwrap_or(OrderRule::JoinOnlyCandidate),
            count_unposted: document.as_ref().and_then(|it| it.boolean("count_unposted")).unwrap_or(false),
            paid_stage: document
                .as_ref()
                .and_then(|it| it.text("paid_stage"))
                .filter(|stage| !stage.is_empty())
                .map(CompactString::new),
            paid_stage_from: match document.as_ref().filter(|it| it.node("paid_stage_from").is_some()) {
                Some(table) => {
                    table.texts("paid_stage_from").iter().map(|(stage, _)| CompactString::new(stage)).collect()
                }
                None => STAGES_BEFORE_PAYMENT.map(CompactString::new).to_vec(),
            },
            paid_wins: optional_flag(&document, "paid_wins", false),
            return_lowers_paid: optional_flag(&document, "return_lowers_paid", true),
            payment: optional_choice(&document, "payment_without_order", PAYMENTS)
                .unwrap_or(PaymentRule::JoinOnlyCandidate),
            payment_task: optional_flag(&document, "payment_with_several_task", true),
            link_copies: optional_flag(&document, "link_copies", true),
            same_payment_ms: document
                .as_ref()
                .and_then(|it| it.integer_in("same_payment_days", 0, SAME_PAYMENT_DAYS_MAX))
                .unwrap_or(3)
                * DAY_MS,
            call_makes_deal: optional_flag(&call, "answered_makes_deal", true),
            call_lead_s: call
                .as_ref()
                .and_then(|it| it.integer_in("answered_seconds", 0, 3_600))
                .and_then(|it| u32::try_from(it).ok())
                .unwrap_or(CALL_LEAD_S),
            call_source: call
                .as_ref()
                .map_or(Some(CALL_SOURCE), |it| it.text("source").or(Some(CALL_SOURCE)))
                .filter(|it| !it.is_empty())
                .map(CompactString::new),
            call_back: optional_flag(&call, "missed_task", true),
            damping_percent: u32::try_from(integer(&score, "damping_percent", 1_000)).unwrap_or(0),
        };
        [lead, document, untouched, task, score, call].into_iter().flatten().for_each(Table::close);
        table.close();
        lint.finish(business)
    }

    /// Working minutes that a task of this kind gives.
    pub fn minutes_for(&self, kind: TaskKind) -> u32 {
        self.task_minutes.iter().find(|(held, _)| *held == kind).map_or(0, |(_, minutes)| *minutes)
    }
}

fn section<'a>(table: &Table<'a>, name: &str) -> Option<Table<'a>> {
    let inner = table.table(name);
    if inner.is_none() {
        let message = Message::new("toml-missing").with("name", name);
        table.lint().report(table.line, message);
    }
    inner
}

/// A required yes or no.
fn flag(table: &Option<Table<'_>>, name: &str) -> bool {
    let Some(table) = table else { return false };
    if table.node(name).is_none() {
        table.lint().report(table.line, Message::new("toml-missing").with("name", name));
    }
    table.boolean(name).unwrap_or(false)
}

/// A yes or no that older files do not have.
fn optional_flag(table: &Option<Table<'_>>, name: &str, otherwise: bool) -> bool {
    table.as_ref().and_then(|it| it.boolean(name)).unwrap_or(otherwise)
}

/// A choice that older files do not have.
fn optional_choice<T: Copy>(table: &Option<Table<'_>>, name: &str, choices: &[(&str, T)]) -> Option<T> {
    table.as_ref()?.choice(name, choices)
}

fn choice<T: Copy>(table: &Option<Table<'_>>, name: &str, choices: &[(&str, T)]) -> Option<T> {
    let table = table.as_ref()?;
    table.required_text(name);
    table.choice(name, choices)
}
