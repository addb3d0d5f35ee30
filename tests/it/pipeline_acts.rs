//! Journals made by chance out of everything that a daemon journals: forms, files of 1C, sends
//! again, spam, records that do not read, merges by data and by people, splits, retries, attempts
//! with every verdict, ticks, configurations and the slices that they ask for.
//!
//! A live store follows entry by entry; what people and sinks do next is chosen by looking at it.

use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use serde_json::json;
use uzel::base::checksum::Fingerprint;
use uzel::base::{ClientId, ItemRef, Message, Position, Slug, TaskId};
use uzel::catalog::Catalog;
use uzel::entry::{
    AttemptResult, Attempted, AttemptedItem, Attempting, AttemptingItem, Body, Command, Entry, ObjectRef, Operation,
    Received, Verdict,
};
use uzel::model::OutcomeKind;
use uzel::tables::rows::{SinkState, sink_state};
use uzel::tables::{Clients, Deals, Held, Interactions, Merges, Outcomes, Pending, Span, Tasks};

use crate::pipeline_support::{
    DAY_MS, MINUTE_MS, Order, SETTINGS, World, catalog_of, changed, form_at, orders_at, plain,
};

pub(crate) fn bitrix24() -> Slug {
    Slug::literal("bitrix24")
}

/// One thing that happens. Numbers choose among what there is, modulo.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A form of this person, of this variety.
    Form {
        who: u8,
        kind: FormKind,
    },
    /// A form with the telephone of one and the address of another.
    Both {
        phone: u8,
        mail: u8,
    },
    /// The same bytes again.
    Resend(u8),
    /// A file of 1C.
    Orders {
        who: u8,
        number: u8,
        sum: u8,
        posted: bool,
        deleted: bool,
    },
    /// A file so large that it is applied in slices.
    Large {
        first: u8,
    },
    /// Bytes that are no form.
    Broken,
    Merge(u8, u8),
    Split(u8),
    Retry(u8),
    Accept(u8),
    Discard(u8),
    /// A delivery is tried, and this comes of it.
    Deliver {
        which: u8,
        end: End,
    },
    /// A delivery is tried, and the process is killed before the answer.
    Cut(u8),
    /// A person decides about a delivery.
    Resent(u8),
    GivenUp(u8),
    /// A person ends a task.
    TaskDone(u8),
    TaskCancelled(u8),
    /// Time passes, so many hours; the clock ticks.
    Tick(u16),
    /// Another configuration.
    Configure(u8),
    /// A plan with every so-maniest of what has gathered.
    Plan(u8),
    /// A person stops the sink, or goes on.
    Pause(bool),
    /// A person sets a field of a client or a deal, or lets go of it.
    Edit {
        which: u8,
        value: u8,
        release: bool,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum FormKind {
    Plain,
    Rich,
    Deal(u8, DealStory),
    Spam,
    Test,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum DealStory {
    Open,
    Won,
    Lost,
    Refused,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Done,
    NotFound,
    RetryAt,
    Uncertain,
    Gone,
    RejectObject,
    RejectConnection,
    AskPerson,
}

pub(crate) fn acts(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Act>> {
    let story = prop_oneof![
        Just(DealStory::Open),
        Just(DealStory::Open),
        Just(DealStory::Won),
        Just(DealStory::Lost),
        Just(DealStory::Refused)
    ];
    let kind = prop_oneof![
        4 => Just(FormKind::Plain),
        4 => Just(FormKind::Rich),
        3 => (0..6u8, story).prop_map(|(deal, story)| FormKind::Deal(deal, story)),
        1 => Just(FormKind::Spam),
        1 => Just(FormKind::Test),
    ];
    let end = prop_oneof![
        6 => Just(End::Done),
        1 => Just(End::NotFound),
        1 => Just(End::RetryAt),
        1 => Just(End::Uncertain),
        1 => Just(End::Gone),
        1 => Just(End::RejectObject),
        1 => Just(End::RejectConnection),
        1 => Just(End::AskPerson),
    ];
    let act = prop_oneof![
        12 => (0..8u8, kind).prop_map(|(who, kind)| Act::Form { who, kind }),
        3 => (0..8u8, 0..8u8).prop_map(|(phone, mail)| Act::Both { phone, mail }),
        2 => any::<u8>().prop_map(Act::Resend),
        5 => (0..8u8, 0..6u8, 0..4u8, any::<bool>(), any::<bool>())
            .prop_map(|(who, number, sum, posted, deleted)| Act::Orders { who, number, sum, posted, deleted }),
        1 => (0..3u8).prop_map(|first| Act::Large { first }),
        1 => Just(Act::Broken),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(winner, loser)| Act::Merge(winner, loser)),
        2 => any::<u8>().prop_map(Act::Split),
        1 => any::<u8>().prop_map(Act::Retry),
        1 => any::<u8>().prop_map(Act::Accept),
        1 => any::<u8>().prop_map(Act::Discard),
        10 => (any::<u8>(), end).prop_map(|(which, end)| Act::Deliver { which, end }),
        1 => any::<u8>().prop_map(Act::Cut),
        1 => any::<u8>().prop_map(Act::Resent),
        1 => any::<u8>().prop_map(Act::GivenUp),
        1 => any::<u8>().prop_map(Act::TaskDone),
        1 => any::<u8>().prop_map(Act::TaskCancelled),
        4 => (1..800u16).prop_map(Act::Tick),
        1 => (0..6u8).prop_map(Act::Configure),
        1 => any::<u8>().prop_map(Act::Plan),
        1 => any::<bool>().prop_map(Act::Pause),
        3 => (any::<u8>(), any::<u8>(), any::<bool>())
            .prop_map(|(which, value, release)| Act::Edit { which, value, release }),
    ];
    proptest::collection::vec(act, len)
}

/// Configurations that follow one another.
fn configurations() -> [Arc<Catalog>; 6] {
    static ALL: OnceLock<[Arc<Catalog>; 6]> = OnceLock::new();
    let make = || {
        let easy = changed("rules/scoring.toml", "a_min = 100000", "a_min = 1000");
        let apart = changed("rules/business.toml", "open_deal = \"join\"", "open_deal = \"new\"");
        let watched = changed("rules/business.toml", "watch = \"when_crm_is_read\"", "watch = \"always\"");
        let observed = SETTINGS.replace("\"live\"", "\"observe\"");
        let history = SETTINGS.replace("connector = \"forms\"", "connector = \"forms\"\nswitch_over = \"2025-04-01\"");
        [plain(), easy, apart, watched, catalog_of(&observed, &[]), catalog_of(&history, &[])]
    };
    ALL.get_or_init(make).clone()
}

pub(crate) fn phone(who: u8) -> String {
    format!("+7912555{:04}", 100 + u32::from(who))
}

fn mail(who: u8) -> String {
    format!("person{who}@example.ru")
}

/// A world that acts are played in.
pub(crate) struct Play {
    pub(crate) world: World,
    /// What came, to be sent again.
    sent: Vec<Received>,
}

impl Play {
    pub(crate) fn of(acts: &[Act]) -> Play {
        let mut play = Play { world: World::new(), sent: Vec::new() };
        for act in acts {
            play.world.pass(MINUTE_MS);
            play.act(act);
        }
        play
    }

    fn receive(&mut self, envelope: Received) {
        self.sent.push(envelope.clone());
        self.world.append(&Entry::Received(envelope));
    }

    fn act(&mut self, act: &Act) {
        let now = self.world.now;
        match act {
            Act::Form { who, kind } => self.receive(form_at(now, &form(*who, *kind))),
            Act::Both { phone: left, mail: right } => {
                let fields = json!({"name": "Общий", "phone": phone(*left), "email": mail(*right)});
                self.receive(form_at(now, &fields));
            }
            Act::Resend(which) => {
                if let Some(envelope) = chosen(&self.sent, *which) {
                    self.world.append(&Entry::Received(envelope));
                }
            }
            Act::Orders { who, number, sum, posted, deleted } => {
                let (number, buyer) = (format!("УТ-{number}"), format!("Покупатель {who}"));
                let (phone, sum) = (phone(*who), format!("{}", 40_000 * u32::from(*sum)));
                let order = Order {
                    number: &number,
                    buyer: &buyer,
                    phone: &phone,
                    inn: if *who == 7 { "7707083893" } else { "" },
                    sum: &sum,
                    posted: *posted,
                    deleted: *deleted,
                };
                self.receive(orders_at(now, &[order]));
            }
            Act::Large { first } => self.large(*first),
            Act::Broken => {
                let mut envelope = form_at(now, &json!({"сообщение": "без контакта"}));
                self.receive(envelope.clone());
                envelope.idempotency_key = Fingerprint::of(b"broken");
                envelope.body = Body::Inline(b"{\"name\": ".to_vec());
                self.receive(envelope);
            }
            Act::Merge(winner, loser) => {
                let clients = self.clients();
                if let (Some(winner), Some(loser)) = (chosen(&clients, *winner), chosen(&clients, *loser)) {
                    self.world.command(Command::MergeClients { winner, loser });
                }
            }
            Act::Split(which) => {
                let merges: Vec<_> =
                    self.world.reader().rows(Span::<Merges>::all()).map(|row| row.expect("merges read").0).collect();
                if let Some((winner, loser)) = chosen(&merges, *which) {
                    self.world.command(Command::SplitClients { winner, loser });
                }
            }
            Act::Retry(which) => self.decide(*which, |at| Command::RetryRecord { at }),
            Act::Accept(which) => self.decide(*which, |at| Command::AcceptRecord { at }),
            Act::Discard(which) => self.decide(*which, |at| Command::DiscardRecord { at, reason: "так".into() }),
            Act::Deliver { which, end } => {
                if let Some(object) = chosen(&self.open(), *which) {
                    self.attempt(object, Some(*end));
                }
            }
            Act::Cut(which) => {
                if let Some(object) = chosen(&self.open(), *which) {
                    self.attempt(object, None);
                }
            }
            Act::Resent(which) => {
                if let Some(object) = chosen(&self.open(), *which) {
                    self.world.command(Command::ResendDelivery { sink: bitrix24(), object });
                }
            }
            Act::GivenUp(which) => {
                if let Some(object) = chosen(&self.open(), *which) {
                    self.world.command(Command::DiscardDelivery { sink: bitrix24(), object });
                }
            }
            Act::TaskDone(which) => {
                if let Some(task) = chosen(&self.tasks(), *which) {
                    self.world.command(Command::CompleteTask { task, note: "позвонил".into() });
                }
            }
            Act::TaskCancelled(which) => {
                if let Some(task) = chosen(&self.tasks(), *which) {
                    self.world.command(Command::CancelTask { task, reason: String::new() });
                }
            }
            Act::Tick(hours) => {
                self.world.pass(i64::from(*hours) * 60 * MINUTE_MS);
                self.world.tick();
            }
            Act::Configure(which) => {
                let catalog = chosen(&configurations(), *which).expect("there are some");
                self.world.configure(&catalog);
            }
            Act::Plan(every) => {
                let objects = self.open().into_iter().step_by(1 + usize::from(*every % 4)).collect();
                let plan = Fingerprint([*every; 16]);
                self.world.command(Command::ApplyPlan { sink: bitrix24(), plan, objects });
            }
            Act::Pause(true) => {
                self.world.command(Command::PauseSink { sink: bitrix24() });
            }
            Act::Pause(false) => {
                self.world.command(Command::ResumeSink { sink: bitrix24() });
            }
            Act::Edit { which, value, release } => self.edit(*which, *value, *release),
        }
    }

    fn large(&mut self, first: u8) {
        let names: Vec<(String, String)> = (0..300u32)
            .map(|it| (format!("Б-{}", it + 100 * u32::from(first)), format!("Много {}", it % 40)))
            .collect();
        let order = |(number, buyer): &'_ (String, String)| -> (String, String) { (number.clone(), buyer.clone()) };
        let held: Vec<(String, String)> = names.iter().map(order).collect();
        let orders: Vec<Order<'_>> =
            held.iter().map(|(number, buyer)| Order { number, buyer, ..Order::PLAIN }).collect();
        let envelope = orders_at(self.world.now, &orders);
        self.receive(envelope);
    }

    fn edit(&mut self, which: u8, value: u8, release: bool) {
        let deals: Vec<_> =
            self.world.reader().rows(Span::<Deals>::all()).map(|row| row.expect("deals read").0).collect();
        if let (Some(deal), true) = (chosen(&deals, which), value.is_multiple_of(2)) {
            let texts = vec![("stage".into(), format!("Этап {value}")), ("price".into(), format!("{value}000"))];
            let (set, release) = if release { (Vec::new(), vec!["price".into()]) } else { (texts, Vec::new()) };
            self.world.command(Command::EditDeal { deal, set, release });
        } else if let Some(client) = chosen(&self.clients(), which) {
            let texts = [
                ("name".into(), format!("Правка {value}")),
                ("phone".into(), phone(value % 8)),
                ("inn".into(), if value > 99 { "7707083893".to_owned() } else { "не ИНН".to_owned() }),
            ];
            let texts = texts[..1 + usize::from(value) % 3].to_vec();
            let (set, release) = if release { (Vec::new(), vec!["name".into()]) } else { (texts, Vec::new()) };
            self.world.command(Command::EditClient { client, set, release });
        }
    }

    fn decide(&mut self, which: u8, command: impl FnOnce(ItemRef) -> Command) {
        let records: Vec<ItemRef> = outcomes(&self.world).into_iter().map(|(at, _)| at).collect();
        if let Some(at) = chosen(&records, which) {
            self.world.command(command(at));
        }
    }

    fn clients(&self) -> Vec<ClientId> {
        self.world.reader().rows(Span::<Clients>::all()).map(|row| row.expect("clients read").0).collect()
    }

    fn tasks(&self) -> Vec<TaskId> {
        self.world.reader().rows(Span::<Tasks>::all()).map(|row| row.expect("tasks read").0).collect()
    }

    /// Objects whose delivery is open.
    fn open(&self) -> Vec<ObjectRef> {
        let pending = self.world.reader().rows(Span::<Pending>::all());
        let held = self.world.reader().rows(Span::<Held>::all());
        pending.chain(held).flat_map(|row| row.expect("lists read").1).collect()
    }

    fn state(&self, object: ObjectRef) -> Option<(Position, SinkState)> {
        let reader = self.world.reader();
        let (version, sinks) = match object {
            ObjectRef::Client(id) => {
                let row = reader.get::<Clients>(&id).expect("it reads")?;
                (row.client.version, row.sinks)
            }
            ObjectRef::Deal(id) => {
                let row = reader.get::<Deals>(&id).expect("it reads")?;
                (row.deal.version, row.sinks)
            }
            ObjectRef::Interaction(id) => {
                let row = reader.get::<Interactions>(&id).expect("it reads")?;
                (id.position(), row.sinks)
            }
            ObjectRef::Task(id) => {
                let row = reader.get::<Tasks>(&id).expect("it reads")?;
                (row.task.version, row.sinks)
            }
        };
        Some((version, sink_state(&sinks, &bitrix24())?.clone()))
    }

    /// What `task::deliver` and `sink` journal of a try; without an end the answer never came.
    fn attempt(&mut self, object: ObjectRef, end: Option<End>) {
        let Some((version, state)) = self.state(object) else { return };
        let operation = if state.confirmed.is_some() { Operation::Update } else { Operation::Create };
        let attempting = (operation == Operation::Create).then(|| {
            let items = vec![AttemptingItem { object, operation }];
            self.world.append(&Entry::Attempting(Attempting { sink: bitrix24(), at: self.world.now, items }))
        });
        let Some(end) = end else { return };
        let failed = |verdict| AttemptResult::Failed { verdict, reason: Message::new("sink-refused") };
        let foreign_kind = "contact";
        let result = match end {
            End::Done => AttemptResult::Done {
                foreign_kind: foreign_kind.into(),
                // Two of our clients may be one there.
                foreign_id: Some(format!("{}", self.world.now.0 % 97).into()),
                sent: vec![("NAME".into(), format!("\"{version}\""))],
            },
            End::NotFound => {
                AttemptResult::Done { foreign_kind: foreign_kind.into(), foreign_id: None, sent: Vec::new() }
            }
            End::RetryAt => failed(Verdict::RetryAt(self.world.now.plus_ms(DAY_MS))),
            End::Uncertain => failed(Verdict::Uncertain),
            End::Gone => failed(Verdict::Gone),
            End::RejectObject => failed(Verdict::RejectObject),
            End::RejectConnection => failed(Verdict::RejectConnection),
            End::AskPerson => failed(Verdict::AskPerson),
        };
        let items = vec![AttemptedItem { object, operation, version, result }];
        let at = self.world.pass(700).now;
        self.world.append(&Entry::Attempted(Attempted { sink: bitrix24(), at, attempting, items }));
    }
}

fn chosen<T: Clone>(among: &[T], which: u8) -> Option<T> {
    let index = usize::from(which).checked_rem(among.len())?;
    among.get(index).cloned()
}

pub(crate) fn form(who: u8, kind: FormKind) -> serde_json::Value {
    let name = format!("Человек {who}");
    match kind {
        FormKind::Plain => json!({"name": name, "phone": phone(who), "message": "Перезвоните"}),
        FormKind::Rich => json!({
            "name": name, "phone": phone(who), "email": mail(who), "price": u32::from(who) * 30_000, "stage": "КП",
            "source": "сарафан", "utm_source": "yandex", "размер": "XL",
        }),
        FormKind::Deal(deal, story) => {
            let state = match story {
                DealStory::Open => "open",
                DealStory::Won => "won",
                DealStory::Lost => "lost",
                DealStory::Refused => "refused",
            };
            json!({"name": name, "email": mail(who), "deal_id": format!("d{deal}"), "state": state, "stage": "Встреча",
                   "price": 250_000, "responsible": format!("Сотрудник {deal}")})
        }
        FormKind::Spam => json!({"name": name, "phone": phone(who), "_honey": "x"}),
        FormKind::Test => json!({"name": name, "phone": phone(who), "test": "test"}),
    }
}

/// What became of each record.
pub(crate) fn outcomes(world: &World) -> Vec<(ItemRef, OutcomeKind)> {
    let rows = world.reader().rows(Span::<Outcomes>::all());
    rows.flat_map(|row| row.expect("outcomes read").1).map(|(at, _, outcome)| (at, outcome.kind())).collect()
}
