//! Large portals: contacts, companies, deals and leads by the hundred thousand, the same for the
//! same seed. Written past the methods, as if years of work lay behind them.

use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};

use super::fields::Kind;
use super::object::{Cell, MultiValue, Object};
use super::portal::Portal;

/// How large, and how old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Growth {
    /// Where chance starts.
    pub seed: u64,
    /// Contacts.
    pub contacts: u64,
    /// Companies.
    pub companies: u64,
    /// Deals, each of some contact.
    pub deals: u64,
    /// Leads.
    pub leads: u64,
    /// The oldest object was made then, seconds since the epoch.
    pub from_s: i64,
    /// The newest one.
    pub to_s: i64,
}

const NAMES: [&str; 12] =
    ["Анна", "Иван", "Пётр", "Мария", "Ольга", "Сергей", "Елена", "Алексей", "Дмитрий", "Наталья", "Юлия", "Олег"];
const FAMILIES: [&str; 12] = [
    "Смирнов",
    "Иванов",
    "Кузнецов",
    "Соколов",
    "Попов",
    "Лебедев",
    "Козлов",
    "Новиков",
    "Морозов",
    "Петров",
    "Волков",
    "Соловьёв",
];
const THINGS: [&str; 6] = ["Окна", "Монтаж кровли", "Поставка кабеля", "Обслуживание", "Мебель", "Проект"];
const SOURCES: [&str; 5] = ["CALL", "EMAIL", "WEB", "RECOMMENDATION", "ADVERTISING"];

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % bound.max(1)
    }

    fn of<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

impl Portal {
    /// Adds the objects; ids go on from those that are there. One contact in fifty has the
    /// telephone of another one, one in ten has none.
    pub fn grow(&mut self, growth: &Growth) {
        let mut chance = Chance(growth.seed);
        let span = growth.to_s.saturating_sub(growth.from_s).max(0);
        let at = |index: u64, of: u64| {
            let share = i128::from(span) * i128::from(index) / i128::from(of.max(1));
            growth.from_s + i64::try_from(share).unwrap_or(0)
        };
        let mut companies = Vec::new();
        for index in 0..growth.companies {
            let mut company = self.blank(Kind::Company, at(index, growth.companies), &mut chance);
            company.set("TITLE", format_compact!("ООО «{} {}»", chance.of(&THINGS), company.id));
            company.set("CURRENCY_ID", "RUB");
            self.reachable(&mut company, &mut chance);
            companies.push(company.id);
            self.settle(Kind::Company, company);
        }
        let mut contacts = Vec::new();
        for index in 0..growth.contacts {
            let mut contact = self.blank(Kind::Contact, at(index, growth.contacts), &mut chance);
            contact.set("NAME", chance.of(&NAMES));
            contact.set("LAST_NAME", format_compact!("{}", chance.of(&FAMILIES)));
            contact.set("EXPORT", "N");
            if !companies.is_empty() && chance.below(3) == 0 {
                let company: CompactString =
                    format_compact!("{}", companies[chance.below(companies.len() as u64) as usize]);
                contact.cells.insert("COMPANY_IDS", Cell::List(vec![company.clone()]));
                contact.set("COMPANY_ID", company);
            }
            self.reachable(&mut contact, &mut chance);
            contacts.push(contact.id);
            self.settle(Kind::Contact, contact);
        }
        for index in 0..growth.deals {
            let created = at(index, growth.deals);
            let mut deal = self.blank(Kind::Deal, created, &mut chance);
            let stages = self.stages("DEAL_STAGE");
            // A quarter won, a quarter lost, the rest on its way.
            let wanted = ["S", "F", "P", "P"][chance.below(4) as usize];
            let fitting: Vec<_> = stages.iter().filter(|it| it.semantics == wanted).collect();
            if let Some(stage) = fitting.get(chance.below(fitting.len() as u64) as usize) {
                deal.set("STAGE_ID", stage.status_id.as_str());
                deal.set("STAGE_SEMANTIC_ID", wanted);
            }
            deal.set("CLOSED", if wanted == "P" { "N" } else { "Y" });
            deal.set("TITLE", format_compact!("{} №{}", chance.of(&THINGS), deal.id));
            deal.set("CATEGORY_ID", "0");
            deal.set("OPPORTUNITY", format_compact!("{}.00", 1_000 + chance.below(500) * 500));
            deal.set("CURRENCY_ID", "RUB");
            deal.set("SOURCE_ID", chance.of(&SOURCES));
            deal.set("BEGINDATE", self.zone.day(created));
            deal.set("MOVED_TIME", format_compact!("{created}"));
            if !contacts.is_empty() {
                let contact: CompactString =
                    format_compact!("{}", contacts[chance.below(contacts.len() as u64) as usize]);
                deal.cells.insert("CONTACT_IDS", Cell::List(vec![contact.clone()]));
                deal.set("CONTACT_ID", contact);
            }
            self.settle(Kind::Deal, deal);
        }
        for index in 0..growth.leads {
            let mut lead = self.blank(Kind::Lead, at(index, growth.leads), &mut chance);
            lead.set("TITLE", format_compact!("Заявка №{}", lead.id));
            lead.set("NAME", chance.of(&NAMES));
            lead.set("STATUS_ID", "NEW");
            lead.set("STATUS_SEMANTIC_ID", "P");
            lead.set("SOURCE_ID", chance.of(&SOURCES));
            lead.set("CURRENCY_ID", "RUB");
            self.reachable(&mut lead, &mut chance);
            self.settle(Kind::Lead, lead);
        }
    }

    fn blank(&mut self, kind: Kind, at: i64, chance: &mut Chance) -> Object {
        let mut object = Object { id: self.next_id(kind.word()), ..Object::default() };
        let working: Vec<u64> = self.users.iter().filter(|it| it.active).map(|it| it.id).collect();
        let user = format_compact!("{}", working.get(chance.below(working.len() as u64) as usize).unwrap_or(&1));
        let at = format_compact!("{at}");
        for name in ["ASSIGNED_BY_ID", "CREATED_BY_ID", "MODIFY_BY_ID"] {
            object.set(name, user.clone());
        }
        for name in ["DATE_CREATE", "DATE_MODIFY", "LAST_ACTIVITY_TIME"] {
            object.set(name, at.clone());
        }
        object.set("OPENED", "Y");
        object
    }

    fn reachable(&mut self, object: &mut Object, chance: &mut Chance) {
        let own = 100_000_000 + object.id % 800_000_000;
        let number = match chance.below(50) {
            0 if object.id > 1 => own - 1,
            1..=5 => 0,
            _ => own,
        };
        if number > 0 {
            let value = format_compact!("+79{number:09}");
            let id = self.next_id("multi");
            object.multi.insert("PHONE", vec![MultiValue { id, value, value_type: "WORK".into() }]);
        }
        if chance.below(2) == 0 {
            let value = format_compact!("mail{}@company{}.example", object.id, object.id % 977);
            let id = self.next_id("multi");
            object.multi.insert("EMAIL", vec![MultiValue { id, value, value_type: "WORK".into() }]);
        }
        object.set("HAS_PHONE", if number > 0 { "Y" } else { "N" });
        object.set("HAS_EMAIL", if object.multi.get("EMAIL").is_some() { "Y" } else { "N" });
    }

    fn settle(&mut self, kind: Kind, mut object: Object) {
        object.cells.shrink();
        object.multi.shrink();
        self.store(kind, object);
    }
}
