//! Ids of `rules/employees.toml` against the users of the systems that people work in, as they were
//! read there: an id that nobody has there, or whose user was dismissed, takes leads to nobody.
//!
//! A connection whose users were not read is not asked. Who does not work by our own file is left
//! out: he may be gone there, or not be there yet.

use compact_str::CompactString;

use super::{Query, QueryError};
use crate::base::{Message, Slug, Timestamp};
use crate::people::{Employee, Presence};
use crate::tables::rows::WordRow;
use crate::tables::{Span, Words};

/// Our name of the dictionary of users.
const USERS: CompactString = CompactString::const_new("user");

/// An employee whose id does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffFault {
    /// The employee.
    pub employee: Slug,
    /// Where.
    pub connection: Slug,
    /// What is wrong and the next step.
    pub problem: Message,
}

impl Query {
    /// Every id that does not fit at `now`, in the order of the file.
    pub fn staff_faults(&self, now: Timestamp) -> Result<Vec<StaffFault>, QueryError> {
        let today = self.catalog.calendar.date(now);
        let works = |it: &&Employee| match it.presence(today) {
            Presence::Here | Presence::Absent(..) => true,
            Presence::NotYet(_) | Presence::Dismissed(_) => false,
        };
        let mut faults = Vec::new();
        for employee in self.catalog.people.employees().iter().filter(works) {
            for (connection, ids) in &employee.ids {
                for (place, id) in ids.iter().enumerate() {
                    let Some(problem) = self.id_fault(employee, connection, id, place == 0)? else { continue };
                    let (employee, connection) = (employee.key.clone(), connection.clone());
                    faults.push(StaffFault { employee, connection, problem });
                }
            }
        }
        Ok(faults)
    }

    /// The first id of a connection goes out; the others only tell who is meant by them.
    fn id_fault(
        &self,
        employee: &Employee,
        connection: &Slug,
        id: &CompactString,
        goes_out: bool,
    ) -> Result<Option<Message>, QueryError> {
        let key = (connection.clone(), USERS, id.clone());
        let held = self.reader().get::<Words>(&key)?.filter(|word| !word.name.is_empty());
        let said = |name| Message::new(name).with("connection", connection).with("id", id);
        match held {
            Some(word) if goes_out && !word.active => return Ok(Some(said("people-user-dismissed"))),
            Some(_) => return Ok(None),
            None => {}
        }
        let users = self.users(connection)?;
        let is_read = !users.is_empty();
        let is_name = users.iter().any(|(_, word)| is_same_name(&word.name, id));
        if !is_read || (is_name && !goes_out) {
            return Ok(None);
        }
        let fits = |word: &WordRow| is_same_name(&word.name, &employee.name) || is_same_name(&word.name, id);
        let mut near = users.iter().filter(|(_, word)| word.active && fits(word));
        Ok(Some(match (near.next(), near.next()) {
            (Some((near, _)), None) => said("people-user-near").with("near", near),
            (None | Some(_), _) => said("people-user-unknown"),
        }))
    }

    /// Users of a connection that have a name. Bound: as many as one company has.
    fn users(&self, connection: &Slug) -> Result<Vec<(CompactString, WordRow)>, QueryError> {
        let mut users = Vec::new();
        for row in self.reader().rows(Span::<Words>::of(&(connection.clone(), USERS))) {
            let ((_, _, id), word) = row?;
            if !word.name.is_empty() {
                users.push((id, word));
            }
        }
        Ok(users)
    }
}

/// The same words in any order: "Иванова Анна" is "Анна Иванова".
fn is_same_name(left: &str, right: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<String> =
            text.to_lowercase().replace('ё', "е").split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    words(left) == words(right)
}
