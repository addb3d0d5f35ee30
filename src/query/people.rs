//! Employees as a head of sales sees them, and why a deal went to somebody.

use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Query, QueryError};
use crate::base::{DealId, Locale, Message, Timestamp};
use crate::people::{Employee, Presence};
use crate::tables::{Assignments, OpenDeals, Words};

/// An employee in the listing.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct EmployeeView {
    /// What rules and deals call him.
    pub key: String,
    /// His name.
    pub name: String,
    /// `here`, `absent`, `dismissed`, `not_yet`.
    pub presence: String,
    /// Away through this day, begins on it, or worked until it.
    pub until: Option<String>,
    /// Why he is away.
    pub why: Option<String>,
    /// Whether he is on shift now.
    pub on_shift: bool,
    /// When his next shift begins, when he is not on one.
    pub next_shift: Option<String>,
    /// His groups.
    pub groups: Vec<String>,
    /// Open deals that he is responsible for.
    pub open_deals: u64,
    /// With so many he gets no new leads; of several groups the lowest.
    pub cap: Option<u32>,
    /// Who stands in for him, by name.
    pub deputy: Option<String>,
    /// How connections know him.
    pub ids: Vec<(String, String)>,
    /// What a person has to do about him.
    pub next_step: Option<String>,
    /// Which of his ids do not fit what their connection has, and what to do.
    #[serde(default)]
    pub id_problems: Vec<String>,
}

/// Whom rules gave a deal to, and why.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct AssignmentView {
    /// The employee's key; none: there was nobody.
    pub employee: Option<String>,
    /// His name.
    pub name: String,
    /// When.
    pub at: String,
    /// Why, in the order in which it was decided.
    pub why: Vec<String>,
}

impl Query {
    /// Everybody at `now`, in the order of the file.
    pub fn employees(&self, now: Timestamp, locale: Locale) -> Result<Vec<EmployeeView>, QueryError> {
        let faults = self.staff_faults(now)?;
        let mut views = Vec::new();
        for employee in self.catalog.people.employees() {
            let mut view = self.employee(employee, now, locale)?;
            let of_his = faults.iter().filter(|it| it.employee == employee.key);
            view.id_problems = of_his.map(|it| it.problem.render(locale)).collect();
            views.push(view);
        }
        Ok(views)
    }

    fn employee(&self, employee: &Employee, now: Timestamp, locale: Locale) -> Result<EmployeeView, QueryError> {
        let (people, calendar) = (&self.catalog.people, &self.catalog.calendar);
        let presence = employee.presence(calendar.date(now));
        let (until, why) = match &presence {
            Presence::Here => (None, None),
            Presence::NotYet(day) | Presence::Dismissed(day) => (Some(*day), None),
            Presence::Absent(day, why) => (Some(*day), Some(why.to_string())),
        };
        let is_here = presence == Presence::Here;
        let open_deals = self.reader().get::<OpenDeals>(&employee.key)?.unwrap_or(0);
        let working = calendar.of(&employee.shifts);
        let on_shift = is_here && working.is_working(now);
        let cap = employee.groups.iter().filter_map(|group| people.distribution.cap(group, employee)).min();
        let is_left = matches!(presence, Presence::Dismissed(_));
        let left_there = self.left_there(employee)?.filter(|_| is_here);
        let next_step = match (is_left && open_deals > 0, is_here && cap.is_some_and(|cap| open_deals >= cap.into())) {
            (true, _) => Some(Message::new("people-hand-over").with("count", open_deals)),
            _ if left_there.is_some() => {
                let connection = left_there.unwrap_or_default();
                Some(Message::new("people-left-there-step").with("connection", connection).with("count", open_deals))
            }
            (false, true) => Some(Message::new("people-at-cap")),
            (false, false) => None,
        };
        Ok(EmployeeView {
            key: employee.key.to_string(),
            name: employee.name.to_string(),
            presence: presence.name().to_owned(),
            until: until.map(|day| day.to_string()),
            why: why.filter(|why| !why.is_empty()),
            on_shift,
            next_shift: (is_here && !on_shift).then(|| self.local(working.next_opening(now))),
            groups: employee.groups.iter().map(ToString::to_string).collect(),
            open_deals,
            cap,
            deputy: employee.deputy.as_ref().map(|key| self.employee_name(key)),
            ids: employee
                .ids
                .iter()
                .flat_map(|(connection, ids)| ids.iter().map(|id| (connection.to_string(), id.to_string())))
                .collect(),
            next_step: next_step.map(|message| message.render(locale)),
            id_problems: Vec::new(),
        })
    }

    /// The connection in which he was dismissed.
    fn left_there(&self, employee: &Employee) -> Result<Option<String>, QueryError> {
        for (connection, ids) in &employee.ids {
            for id in ids {
                let key = (connection.clone(), CompactString::const_new("user"), id.clone());
                let word = self.reader().get::<Words>(&key)?;
                if word.is_some_and(|word| !word.name.is_empty() && !word.active) {
                    return Ok(Some(connection.to_string()));
                }
            }
        }
        Ok(None)
    }

    /// The name of an employee; the text itself when it means nobody of the file.
    pub(super) fn employee_name(&self, key: &str) -> String {
        self.catalog.people.employee(key).map_or(key, |it| it.name.as_str()).to_owned()
    }

    /// Whom rules gave the deal to, and why; nothing when its source named a responsible.
    pub(super) fn assignment(&self, deal: DealId, locale: Locale) -> Result<Option<AssignmentView>, QueryError> {
        let row = self.reader().get::<Assignments>(&deal)?.filter(|row| !row.why.is_empty());
        Ok(row.map(|row| AssignmentView {
            name: row.employee.as_ref().map(|key| self.employee_name(key)).unwrap_or_default(),
            employee: row.employee.map(|key| key.to_string()),
            at: self.local(row.at),
            why: row.why.iter().map(|message| message.render(locale)).collect(),
        }))
    }
}
