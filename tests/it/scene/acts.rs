//! What people, clients and 1C do, and what goes wrong meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};
use uzel::entry::{Command, Entry};
use uzel::twin::bitrix24::{Fault, Faults, Kind, NoticeFaults, Object, PersonAct, Planned, RefusedCode, Shares};

use super::stage::{Dice, Stage, sink};
use crate::pipeline_support::{Order, form_at, orders_at};

/// Somebody who buys.
pub(super) struct Somebody {
    pub(super) name: &'static str,
    pub(super) surname: &'static str,
    pub(super) given: &'static str,
    /// The second one is known to few.
    pub(super) phones: [&'static str; 2],
    /// Empty for persons.
    pub(super) inn: &'static str,
}

pub(super) const CAST: [Somebody; 5] = [
    Somebody {
        name: "Соколова Мария",
        surname: "Соколова",
        given: "Мария",
        phones: ["+79125550101", "+79125550201"],
        inn: "",
    },
    Somebody {
        name: "Ильин Пётр", surname: "Ильин", given: "Пётр", phones: ["+79125550102", "+79125550202"], inn: ""
    },
    Somebody {
        name: "Белова Анна",
        surname: "Белова",
        given: "Анна",
        phones: ["+79125550103", "+79125550203"],
        inn: "",
    },
    Somebody {
        name: "ООО «Вектор»",
        surname: "",
        given: "",
        phones: ["+74955550104", "+74955550204"],
        inn: "7736050003",
    },
    Somebody {
        name: "АО «Заря»", surname: "", given: "", phones: ["+74955550105", "+74955550205"], inn: "7702070139"
    },
];

const STAGES: [&str; 6] = ["NEW", "PREPARATION", "EXECUTING", "FINAL_INVOICE", "WON", "LOSE"];

/// One scene.
pub(super) struct Play {
    pub(super) stage: Stage,
    pub(super) seed: u64,
    pub(super) dice: Dice,
    pub(super) story: Vec<String>,
    pub(super) wrong: Vec<String>,
    /// What people wrote last into a field, by kind, id and field.
    pub(super) edits: BTreeMap<(Kind, u64, &'static str), String>,
    /// Sums of orders as 1C told them last, by number.
    pub(super) orders: BTreeMap<String, u64>,
    /// Objects that people deleted or merged away.
    pub(super) removed: Vec<(Kind, u64)>,
    /// Objects into which people merged others: they bear what was ours and theirs.
    pub(super) survivors: Vec<(Kind, u64)>,
    words: u32,
}

impl Play {
    pub(super) fn new(seed: u64) -> Play {
        let (edits, orders) = (BTreeMap::new(), BTreeMap::new());
        let (story, wrong, removed, survivors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let stage = Stage::new(seed);
        Play { stage, seed, dice: Dice::new(seed), story, wrong, edits, orders, removed, survivors, words: 0 }
    }

    pub(super) async fn run(&mut self) {
        self.before_us();
        self.pass(100_000).await;
        for _ in 0..3 + self.dice.below(5) {
            self.step_in_calm();
            self.breathe().await;
        }
        if self.dice.of_hundred(40) {
            self.say("history is loaded");
            self.stage.command(Command::LoadSource { connection: sink() });
        }
        // Everything is read, nothing is written yet.
        self.pass(250_000).await;
        self.writes_nothing("in observe");
        self.plan_is_effect().await;
        for _ in 0..8 + self.dice.below(14) {
            self.step().await;
            self.breathe().await;
        }
        self.calm();
        self.drained("at the end").await;
        self.laws().await;
    }

    pub(super) fn say(&mut self, what: impl Into<String>) {
        let ms = self.stage.now().ms_since(crate::pipeline_support::START);
        self.story.push(format!("{:>7}.{:03} {}", ms / 1_000, ms % 1_000, what.into()));
    }

    pub(super) fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    pub(super) async fn pass(&mut self, ms: u64) {
        if let Some(back) = self.stage.pass(ms).await {
            self.say(format!("killed and started again; {back} entries of the store were not on the disk"));
        }
    }

    async fn breathe(&mut self) {
        let ms = match self.dice.below(10) {
            0..=3 => self.dice.below(3_000),
            4..=7 => 3_000 + self.dice.below(60_000),
            _ => 60_000 + self.dice.below(300_000),
        };
        self.pass(ms as u64).await;
    }

    /// What the portal holds when we come.
    fn before_us(&mut self) {
        for _ in 0..self.dice.below(4) {
            self.person_adds_client();
        }
        for _ in 0..self.dice.below(3) {
            self.person_adds_deal();
        }
    }

    fn step_in_calm(&mut self) {
        match self.dice.below(10) {
            0..=3 => self.form(),
            4..=6 => self.order(),
            7 => self.person_adds_client(),
            8 => self.person_adds_deal(),
            _ => self.person_edits_deal(),
        }
    }

    async fn step(&mut self) {
        match self.dice.below(100) {
            0..=19 => self.form(),
            20..=34 => self.order(),
            35..=41 => self.person_adds_client(),
            42..=46 => self.person_adds_deal(),
            47..=64 => self.person_edits_deal(),
            65..=70 => self.person_edits_client(),
            71..=74 => self.person_merges(),
            75..=78 => self.person_deletes(),
            79..=89 => self.trouble(),
            90..=93 => self.calm(),
            _ => {
                let steps = 1 + self.dice.below(25);
                self.say(format!("the process will die {steps} steps on"));
                self.stage.fuse.set(steps);
            }
        }
        self.stage.told();
    }

    // Clients and 1C.

    fn form(&mut self) {
        let who = &CAST[self.dice.below(3)];
        let phone = if self.dice.of_hundred(85) { who.phones[0] } else { who.phones[1] };
        let mut fields = json!({ "name": who.name, "phone": phone });
        if self.dice.of_hundred(30) {
            fields["message"] = json!(self.word("вопрос"));
        }
        if phone == who.phones[1] && self.dice.of_hundred(50) {
            // Both numbers at once: so the two are known to be one person's.
            fields["phone"] = json!(who.phones[0]);
            fields["tel"] = json!(who.phones[1]);
        }
        let envelope = form_at(self.stage.now(), &fields);
        let times = if self.dice.of_hundred(20) { 2 } else { 1 };
        for _ in 0..times {
            self.stage.append(&Entry::Received(envelope.clone()));
        }
        self.say(format!("a form, {times} times: {fields}"));
    }

    fn order(&mut self) {
        let who = &CAST[self.dice.below(CAST.len())];
        let known: Vec<String> = self.orders.keys().filter(|it| it.starts_with(&who.phones[0][6..])).cloned().collect();
        let number = match known.is_empty() || self.dice.of_hundred(50) {
            true => format!("{}-{}", &who.phones[0][6..], known.len() + 1),
            false => self.dice.pick(&known).clone(),
        };
        let sum = 1_000 * (1 + self.dice.below(90)) as u64;
        let told = sum.to_string();
        let order =
            Order { number: &number, buyer: who.name, phone: who.phones[0], inn: who.inn, sum: &told, ..Order::PLAIN };
        self.stage.append(&Entry::Received(orders_at(self.stage.now(), &[order])));
        self.say(format!("1C: order {number} of {}, {sum}", who.name));
        self.orders.insert(number, sum);
    }

    // People in the CRM.

    pub(super) fn call(&mut self, method: &str, params: &Json) {
        let user = Some(2);
        self.stage.twin.person(&PersonAct::Call { method: method.to_owned(), params: params.clone(), user });
        self.stage.told();
        self.say(format!("a person: {method} {params}"));
    }

    pub(super) fn live(&self, kind: Kind) -> Vec<Object> {
        self.stage.twin.with(|portal| portal.objects_of(kind).cloned().collect())
    }

    fn newest(&self, kind: Kind) -> u64 {
        self.live(kind).iter().map(|it| it.id).max().unwrap_or(0)
    }

    fn word(&mut self, of: &str) -> String {
        self.words += 1;
        format!("{of} {}", self.words)
    }

    fn person_adds_client(&mut self) {
        let who = &CAST[self.dice.below(CAST.len())];
        let phone = if self.dice.of_hundred(80) { who.phones[0] } else { who.phones[1] };
        let phones = json!([{ "VALUE": phone, "VALUE_TYPE": "WORK" }]);
        match who.inn {
            "" => {
                let fields = json!({ "NAME": who.given, "LAST_NAME": who.surname, "PHONE": phones });
                self.call("crm.contact.add", &json!({ "fields": fields }));
            }
            _ => self.call("crm.company.add", &json!({ "fields": { "TITLE": who.name, "PHONE": phones } })),
        }
    }

    fn person_adds_deal(&mut self) {
        let mut fields = json!({ "TITLE": self.word("Сделка"), "STAGE_ID": "NEW", "ASSIGNED_BY_ID": "2" });
        let contacts = self.live(Kind::Contact);
        if !contacts.is_empty() && self.dice.of_hundred(80) {
            fields["CONTACT_ID"] = json!(self.dice.pick(&contacts).id.to_string());
        }
        if self.dice.of_hundred(50) {
            fields["OPPORTUNITY"] = json!((100 * (1 + self.dice.below(50))).to_string());
        }
        let title = fields["TITLE"].as_str().unwrap_or_default().to_owned();
        self.call("crm.deal.add", &json!({ "fields": fields }));
        let id = self.newest(Kind::Deal);
        self.edits.insert((Kind::Deal, id, "TITLE"), title);
        self.edits.insert((Kind::Deal, id, "ASSIGNED_BY_ID"), "2".to_owned());
    }

    fn person_edits_deal(&mut self) {
        let deals = self.live(Kind::Deal);
        if deals.is_empty() {
            return;
        }
        let id = self.dice.pick(&deals).id;
        let (field, value) = match self.dice.below(5) {
            0 => ("STAGE_ID", (*self.dice.pick(&STAGES)).to_owned()),
            1 => ("ASSIGNED_BY_ID", (1 + self.dice.below(2)).to_string()),
            2 => ("COMMENTS", self.word("заметка")),
            3 => ("TITLE", self.word("Название")),
            _ => ("OPPORTUNITY", (100 * (1 + self.dice.below(900))).to_string()),
        };
        self.call("crm.deal.update", &json!({ "id": id, "fields": { field: value } }));
        self.edits.insert((Kind::Deal, id, field), value);
    }

    fn person_edits_client(&mut self) {
        let contacts = self.live(Kind::Contact);
        if contacts.is_empty() {
            return;
        }
        let contact = self.dice.pick(&contacts).clone();
        let fields = match self.dice.of_hundred(60) {
            true => {
                let who = CAST.iter().find(|it| it.surname == contact.text("LAST_NAME")).unwrap_or(&CAST[0]);
                let held = |phone: &str| contact.multi("PHONE").iter().any(|it| it.value == phone);
                let Some(phone) = who.phones.iter().find(|it| !held(it)) else { return };
                json!({ "PHONE": [{ "VALUE": phone, "VALUE_TYPE": "MOBILE" }] })
            }
            false => json!({ "SECOND_NAME": *self.dice.pick(&["Петровна", "Ивановна", "Львовна"]) }),
        };
        self.call("crm.contact.update", &json!({ "id": contact.id, "fields": fields }));
    }

    /// Two of the same person, or two deals.
    fn person_merges(&mut self) {
        let kind = if self.dice.of_hundred(70) { Kind::Contact } else { Kind::Deal };
        let live = self.live(kind);
        if live.len() < 2 {
            return;
        }
        let into = self.dice.pick(&live).clone();
        let same = |it: &&Object| match kind {
            Kind::Contact => it.text("LAST_NAME") == into.text("LAST_NAME"),
            _ => it.text("CONTACT_ID") == into.text("CONTACT_ID"),
        };
        let others: Vec<u64> = live.iter().filter(|it| it.id != into.id).filter(same).map(|it| it.id).collect();
        if others.is_empty() {
            return;
        }
        let ids = vec![*self.dice.pick(&others)];
        self.say(format!("a person merges {} {ids:?} into {}", kind.word(), into.id));
        self.survivors.push((kind, into.id));
        self.removed.extend(ids.iter().map(|id| (kind, *id)));
        self.edits.retain(|(of, id, _), _| *of != kind || !ids.contains(id) && *id != into.id);
        self.stage.twin.person(&PersonAct::Merge { object: kind, into: into.id, ids });
    }

    fn person_deletes(&mut self) {
        let kind = if self.dice.of_hundred(40) { Kind::Contact } else { Kind::Deal };
        let live = self.live(kind);
        if live.is_empty() {
            return;
        }
        let id = self.dice.pick(&live).id;
        self.say(format!("a person deletes {} {id}", kind.word()));
        self.removed.push((kind, id));
        self.edits.retain(|(of, held, _), _| *of != kind || *held != id);
        self.stage.twin.person(&PersonAct::Delete { object: kind, id });
    }

    // What goes wrong.

    fn trouble(&mut self) {
        let seed = self.dice.next();
        let share = |dice: &mut Dice, max: usize| if dice.of_hundred(50) { dice.below(max) as u32 } else { 0 };
        let dice = &mut self.dice;
        let shares = Shares {
            error_page: share(dice, 200),
            lost_request: share(dice, 150),
            lost_answer: share(dice, 250),
            internal_error: share(dice, 100),
            delayed: share(dice, 150),
            delay_ms: 20_000,
            half_batch: share(dice, 150),
        };
        let notices = NoticeFaults { lost: 300, doubled: 200, swapped: 200, delay_ms: 0 };
        let mut planned = Vec::new();
        if dice.of_hundred(40) {
            let code = *dice.pick(&[RefusedCode::QueryLimitExceeded, RefusedCode::InternalServerError]);
            planned.push(Planned::next(Fault::Refused { code }));
        }
        if dice.of_hundred(40) {
            let ms = Some(1_000 * (1 + dice.below(58)) as u64);
            let method = *dice.pick(&["crm.contact.add", "crm.deal.add", "batch"]);
            planned.push(Planned::on(method, Fault::LateApply { ms }));
        }
        if dice.of_hundred(30) {
            let method = *dice.pick(&["crm.contact.add", "crm.deal.add", "batch", "crm.deal.list"]);
            planned.push(Planned::on(method, Fault::LostAnswer));
        }
        let away = if dice.of_hundred(20) { 700 } else { 0 };
        self.say(format!("trouble: {shares:?} {planned:?} away {away}"));
        self.stage.twin.set_faults(Faults { seed, shares, notices, planned: planned.into() });
        self.stage.away.store(away, Ordering::SeqCst);
    }

    pub(super) fn calm(&mut self) {
        self.say("calm");
        self.stage.twin.set_faults(Faults::default());
        self.stage.away.store(0, Ordering::SeqCst);
        self.stage.fuse.set(0);
    }
}
