//! Whom a lead goes to, and why.

use compact_str::CompactString;
use jiff::civil::Date;

use super::{Employee, OffShift, People, Presence, UntouchedTo};
use crate::base::limits::ASSIGNED_REASONS_MAX;
use crate::base::{Message, Slug, Timestamp};
use crate::calendar::Calendar;
use crate::model::{ClientKind, Utm};

/// What rules see of a lead.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lead<'a> {
    /// The connection it came by.
    pub connection: &'a str,
    /// Name of the form.
    pub form: Option<&'a str>,
    /// Page of the site.
    pub page: Option<&'a str>,
    /// Source of the deal.
    pub source: Option<&'a str>,
    /// Line of products.
    pub product_line: Option<&'a str>,
    /// Pipeline.
    pub pipeline: Option<&'a str>,
    /// Advertisement.
    pub utm: Option<&'a Utm>,
    /// Telephones of the client, E.164.
    pub phones: &'a [CompactString],
    /// ИНН of the client.
    pub inn: Option<&'a str>,
    /// Person or company.
    pub kind: Option<ClientKind>,
    /// Key of our organisation whose base or site it came by.
    pub organisation: Option<&'a str>,
}

/// What is known of the members of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desk {
    /// When each last got a lead by turn: the larger, the later. Who never did is not in it.
    pub taken: Vec<(Slug, u64)>,
    /// Open deals of each.
    pub open: Vec<(Slug, u64)>,
    /// Who cannot log in any more in a system that people work in: employee, connection. Of
    /// everybody, members or not.
    pub left: Vec<(Slug, Slug)>,
}

/// Whom a lead goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The employee; `None` when there is nobody, not even a head.
    pub employee: Option<Slug>,
    /// The group whose turn it was, when it was a turn.
    pub group: Option<CompactString>,
    /// Why, in the order in which it was decided.
    pub why: Vec<Message>,
}

impl Desk {
    fn taken(&self, key: &Slug) -> u64 {
        self.taken.iter().find(|(held, _)| held == key).map_or(0, |(_, at)| *at)
    }

    fn open(&self, key: &Slug) -> u64 {
        self.open.iter().find(|(held, _)| held == key).map_or(0, |(_, count)| *count)
    }
}

/// A day as people write it.
fn plain(day: Date) -> String {
    day.strftime("%d.%m.%Y").to_string()
}

/// The answer while it is being found.
struct Search<'s> {
    people: &'s People,
    calendar: &'s Calendar,
    now: Timestamp,
    day: Date,
    /// See [`Desk::left`].
    left: &'s [(Slug, Slug)],
    why: Vec<Message>,
}

impl People {
    /// Whom a new lead goes to. `own`: who is responsible for the client already, as it is held
    /// (a key, or the text of a source that means nobody of the file).
    pub fn distribute(
        &self,
        lead: &Lead<'_>,
        own: Option<&str>,
        desk: &Desk,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Assigned {
        let mut search = self.search(&desk.left, calendar, now);
        if let Some(own) = own.filter(|_| self.distribution.known_to_own) {
            match self.employee(own) {
                Some(employee) => {
                    search.say(Message::new("people-own").with("name", &employee.name));
                    return search.or_stand_in(employee, None);
                }
                None => search.say(Message::new("people-own-unknown").with("text", own)),
            }
        }
        match self.distribution.rule(lead) {
            Some(rule) => {
                search.say(Message::new("people-rule").with("line", rule.line).with("group", &rule.to));
                search.turn(&rule.to, desk, None)
            }
            None => {
                search.say(Message::new("people-no-rule"));
                search.head(None)
            }
        }
    }

    /// Whom a lead goes to that `held` has not touched for so long.
    pub fn escalate(
        &self,
        to: UntouchedTo,
        held: &str,
        group: Option<&str>,
        desk: &Desk,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Assigned {
        let mut search = self.search(&desk.left, calendar, now);
        let name = self.employee(held).map_or(held, |it| it.name.as_str());
        search.say(Message::new("people-untouched").with("name", name));
        match (to, group) {
            (UntouchedTo::Next, Some(group)) => search.turn(group, desk, Some(held)),
            (UntouchedTo::Next, None) | (UntouchedTo::Head, _) => search.head(self.employee(held)),
        }
    }

    /// When an untouched lead that came at `created_at` goes on, step by step.
    pub fn untouched_at(&self, calendar: &Calendar, created_at: Timestamp) -> Vec<(Timestamp, UntouchedTo)> {
        let steps = self.distribution.untouched.iter();
        steps.map(|step| (calendar.plus_working_minutes(created_at, step.after_minutes), step.to)).collect()
    }

    /// Whom a task goes to that is `key`'s: him when he is here, else who stands in for him.
    pub fn stand_in(&self, key: &str, calendar: &Calendar, now: Timestamp) -> Assigned {
        let mut search = self.search(&[], calendar, now);
        match self.employee(key) {
            Some(employee) => search.or_stand_in(employee, None),
            None => search.head(None),
        }
    }

    fn search<'s>(&'s self, left: &'s [(Slug, Slug)], calendar: &'s Calendar, now: Timestamp) -> Search<'s> {
        Search { people: self, calendar, now, day: calendar.date(now), left, why: Vec::new() }
    }
}

impl<'s> Search<'s> {
    fn say(&mut self, message: Message) {
        // Bound: a large group says why the first ones were passed over.
        if self.why.len() < ASSIGNED_REASONS_MAX {
            self.why.push(message);
        }
    }

    fn end(&mut self, employee: Option<&Employee>, group: Option<&str>) -> Assigned {
        Assigned {
            employee: employee.map(|it| it.key.clone()),
            group: group.map(CompactString::new),
            why: std::mem::take(&mut self.why),
        }
    }

    /// Whether an employee is at work on a day.
    fn works(&self, employee: &Employee, day: Date) -> bool {
        employee.presence(day) == Presence::Here && !self.left.iter().any(|(key, _)| *key == employee.key)
    }

    /// Says that an employee is not here; whether he is.
    fn is_here(&mut self, employee: &Employee) -> bool {
        let name = &employee.name;
        let left = self.left.iter().find(|(key, _)| *key == employee.key);
        let message = match (employee.presence(self.day), left) {
            (Presence::Here, None) => return true,
            (Presence::Here, Some((_, connection))) => {
                Message::new("people-left-there").with("name", name).with("connection", connection)
            }
            (Presence::NotYet(from), _) => Message::new("people-not-yet").with("name", name).with("from", plain(from)),
            (Presence::Absent(to, why), _) if why.is_empty() => {
                Message::new("people-absent").with("name", name).with("to", plain(to))
            }
            (Presence::Absent(to, why), _) => {
                Message::new("people-absent-why").with("name", name).with("to", plain(to)).with("why", why)
            }
            (Presence::Dismissed(to), _) => Message::new("people-dismissed").with("name", name).with("to", plain(to)),
        };
        self.say(message);
        false
    }

    /// Him, or his deputy, or the deputy's; then who is on duty; then the head.
    fn or_stand_in(&mut self, employee: &Employee, group: Option<&str>) -> Assigned {
        if self.is_here(employee) {
            return self.end(Some(employee), group);
        }
        let people = self.people;
        let mut seen = vec![employee.key.clone()];
        let mut next = employee.deputy.as_ref().and_then(|key| people.employee(key));
        // Bound: nobody is asked twice.
        while let Some(deputy) = next.filter(|it| !seen.contains(&it.key)) {
            if self.is_here(deputy) {
                self.say(Message::new("people-deputy").with("name", &deputy.name));
                return self.end(Some(deputy), group);
            }
            seen.push(deputy.key.clone());
            next = deputy.deputy.as_ref().and_then(|key| people.employee(key));
        }
        let (day, now, calendar) = (self.day, self.now, self.calendar);
        let search = &*self;
        let here = |it: &&Employee| it.key != employee.key && search.works(it, day);
        let on_shift = |it: &&Employee| here(it) && calendar.of(&it.shifts).is_working(now);
        match people.duty().find(on_shift).or_else(|| people.duty().find(here)) {
            Some(duty) => {
                self.say(Message::new("people-duty").with("name", &duty.name));
                self.end(Some(duty), group)
            }
            None => self.head(Some(employee)),
        }
    }

    /// The head of the employee, else of sales.
    fn head(&mut self, of: Option<&Employee>) -> Assigned {
        let people = self.people;
        let own = of.and_then(|it| it.head.as_ref()).and_then(|key| people.employee(key));
        let heads = own.into_iter().chain(people.head());
        for head in heads {
            if self.is_here(head) {
                self.say(Message::new("people-head").with("name", &head.name));
                return self.end(Some(head), None);
            }
            let deputy = head.deputy.as_ref().and_then(|key| people.employee(key));
            if let Some(deputy) = deputy.filter(|it| self.works(it, self.day)) {
                self.say(Message::new("people-deputy").with("name", &deputy.name));
                return self.end(Some(deputy), None);
            }
        }
        self.say(Message::new("people-nobody"));
        self.end(None, None)
    }

    /// The next in turn of a group.
    fn turn(&mut self, group: &str, desk: &Desk, but: Option<&str>) -> Assigned {
        let people = self.people;
        let members: Vec<&Employee> = people.members(group).filter(|it| but != Some(&*it.key)).collect();
        let full = |it: &&Employee| {
            let cap = people.distribution.cap(group, it);
            cap.is_some_and(|cap| desk.open(&it.key) >= u64::from(cap))
        };
        let able: Vec<&Employee> = members.iter().copied().filter(|it| !full(it)).collect();
        let here = |it: &&Employee| self.works(it, self.day);
        let on_shift = |it: &&Employee| here(it) && self.calendar.of(&it.shifts).is_working(self.now);
        let mut takes: Vec<&Employee> = able.iter().copied().filter(on_shift).collect();
        let mut opens = None;
        if takes.is_empty() && !able.is_empty() {
            if people.distribution.off_shift == OffShift::Duty
                && let Some(duty) = people.duty().find(here)
            {
                self.say(Message::new("people-off-duty").with("name", &duty.name));
                return self.end(Some(duty), None);
            }
            // Who comes first takes turns; who is away on that day does not come.
            let opening = |it: &Employee| self.calendar.of(&it.shifts).next_opening(self.now);
            let comes = |it: &&Employee| self.works(it, self.calendar.date(opening(it)));
            opens = able.iter().copied().filter(comes).map(opening).min();
            takes = able.iter().copied().filter(|it| comes(it) && Some(opening(it)) == opens).collect();
        }
        // Order: the one whose last lead is longest ago, then the order of the file.
        let next = takes.iter().copied().min_by_key(|it| desk.taken(&it.key));
        let before = next.map_or(u64::MAX, |it| desk.taken(&it.key));
        for member in members.iter().filter(|it| desk.taken(&it.key) <= before && !takes.contains(it)) {
            self.pass_over(member, group, desk);
        }
        let Some(next) = next else {
            self.say(Message::new("people-group-empty").with("group", group));
            return self.head(None);
        };
        if let Some(opens) = opens {
            let zoned = opens.to_jiff().to_zoned(self.calendar.zone().clone());
            let text = zoned.strftime("%d.%m.%Y %H:%M").to_string();
            self.say(Message::new("people-next-shift").with("group", group).with("opens", text));
        }
        self.say(Message::new("people-turn").with("name", &next.name).with("group", group));
        self.end(Some(next), Some(group))
    }

    /// Says why somebody was passed over whose turn it would have been.
    fn pass_over(&mut self, member: &Employee, group: &str, desk: &Desk) {
        if !self.is_here(member) {
            return;
        }
        let open = desk.open(&member.key);
        if let Some(cap) = self.people.distribution.cap(group, member).filter(|cap| open >= u64::from(*cap)) {
            self.say(Message::new("people-full").with("name", &member.name).with("open", open).with("cap", cap));
        }
    }
}
