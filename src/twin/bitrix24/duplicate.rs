//! Looking for duplicates by telephone and e-mail, and merging.
//!
//! Source: facts/crm/bitrix24.md sections 6(b) and 6(g); b24restdocs (5988ed1),
//! crm-duplicate-find-by-comm.md, crm-entity-merge-batch.md.

use std::collections::BTreeSet;

use compact_str::ToCompactString;
use serde_json::{Value as Json, json};

use super::fields::{self, Kind, Type};
use super::happened::What;
use super::object::{Cell, Object};
use super::params::{self, children, param, text};
use super::portal::{Answer, Call, Portal, Refusal};
use super::side::OWNER_KIND;
use crate::value::Value;

/// Values that are looked up, and ids that are answered for a kind.
const CAP: usize = 20;

impl Portal {
    /// `{CONTACT:[ids], ...}`, `[]` when nothing is found. Once a kind has [`CAP`] ids the later
    /// kinds (in the order lead, contact, company) are left out.
    pub(super) fn find_by_comm(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let name = match text(call.params, "type") {
            None | Some("") => return Err(bare("Communication type is not defined")),
            Some(word) => match word.to_ascii_uppercase().as_str() {
                "PHONE" => "PHONE",
                "EMAIL" => "EMAIL",
                other => {
                    return Err(bare(&format!("Communication type '{other}' is not supported in current context")));
                }
            },
        };
        let wanted: Vec<String> = param(call.params, "values")
            .map(children)
            .unwrap_or_default()
            .into_iter()
            .filter_map(Value::as_text)
            .take(CAP)
            .map(|it| key(name, it))
            .filter(|it| !it.is_empty())
            .collect();
        if param(call.params, "values").map(children).unwrap_or_default().is_empty() {
            return Err(bare("Communication values is not defined"));
        }
        let only = text(call.params, "entity_type").and_then(Kind::from_word);
        let mut found = serde_json::Map::new();
        for kind in [Kind::Lead, Kind::Contact, Kind::Company] {
            if only.is_some_and(|only| only != kind) {
                continue;
            }
            let holders = wanted.iter().flat_map(|it| self.objects.with_contact(kind, it)).copied();
            let ids: Vec<u64> = holders.collect::<BTreeSet<u64>>().into_iter().take(CAP).collect();
            let full = ids.len() == CAP;
            if !ids.is_empty() {
                found.insert(kind.word().to_ascii_uppercase(), json!(ids));
            }
            if full {
                break;
            }
        }
        Ok(Answer::of(if found.is_empty() { json!([]) } else { Json::Object(found) }))
    }

    /// `crm.entity.mergeBatch`: the first id stays.
    pub(super) fn merge_batch(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let sent = param(call.params, "params").unwrap_or(call.params);
        let kind = params::integer(sent, "entityTypeId").and_then(Kind::from_type_id);
        let kind = kind.ok_or_else(|| Refusal::classic("The parameter entityTypeId is required"))?;
        let ids: Vec<u64> = param(sent, "entityIds")
            .map(children)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|it| it.as_text()?.parse().ok())
            .collect();
        let all_live = ids.iter().all(|id| self.object(kind, *id).is_some());
        let Some((into, losers)) = ids.split_first().filter(|(_, losers)| !losers.is_empty() && all_live) else {
            return Ok(Answer::of(json!({"STATUS": "ERROR", "ENTITY_IDS": []})));
        };
        self.merge(kind, *into, losers, call);
        Ok(Answer::of(json!({"STATUS": "SUCCESS", "ENTITY_IDS": ids})))
    }

    /// Merges `losers` into `into`: empty fields and contacts are taken over, ties re-pointed. The
    /// losers answer "not found" from now on, and nothing tells who survived.
    pub(super) fn merge(&mut self, kind: Kind, into: u64, losers: &[u64], call: &Call<'_>) {
        let now_s = call.now_s;
        for id in losers.iter().copied().filter(|id| *id != into) {
            let Some(mut survivor) = self.object(kind, into).cloned() else {
                return;
            };
            let Some(loser) = self.remove(kind, id, now_s, Some(into)) else {
                continue;
            };
            take_over(&mut survivor, loser);
            survivor.set("DATE_MODIFY", now_s.to_string());
            survivor.set("MODIFY_BY_ID", call.user.to_string());
            self.store(kind, survivor);
            self.repoint(kind, id, into);
            self.written(kind, id, What::Delete, call);
            self.written(kind, into, What::Update, call);
        }
    }

    fn repoint(&mut self, kind: Kind, from: u64, to: u64) {
        let (from, to) = (from.to_compact_string(), to.to_compact_string());
        for holder in Kind::ALL {
            let ties: Vec<&str> = fields::fields(holder)
                .filter(|field| matches!(field.of, Type::Ref(target) | Type::Refs(target) if target == kind))
                .map(|field| field.name)
                .collect();
            let tied: Vec<Object> = self
                .objects_of(holder)
                .filter(|it| ties.iter().any(|tie| it.cells.get(tie).is_some_and(|cell| cell.texts().contains(&from))))
                .cloned()
                .collect();
            for mut object in tied {
                for tie in &ties {
                    match object.cells.get_mut(tie) {
                        Some(Cell::Text(id)) if *id == from => id.clone_from(&to),
                        Some(Cell::List(ids)) => {
                            ids.iter_mut().filter(|id| **id == from).for_each(|id| id.clone_from(&to));
                            ids.dedup();
                        }
                        Some(Cell::Text(_)) | None => {}
                    }
                }
                self.store(holder, object);
            }
        }
        for table in [&mut self.comments, &mut self.activities, &mut self.requisites] {
            for row in table.values_mut().filter(|row| row.get(OWNER_KIND).map(String::as_str) == Some(kind.word())) {
                for name in ["OWNER_ID", "ENTITY_ID"] {
                    row.entry(name.to_owned()).and_modify(|id| {
                        if *id == from {
                            *id = to.to_string();
                        }
                    });
                }
            }
        }
    }
}

fn take_over(survivor: &mut Object, loser: Object) {
    for (name, cell) in loser.cells.iter() {
        survivor.cells.insert_if_absent(name, cell.clone());
    }
    for (name, values) in loser.multi.iter() {
        let own = survivor.multi.or_default(name);
        for value in values {
            if !own.iter().any(|it| key(name, &it.value) == key(name, &value.value)) {
                own.push(value.clone());
            }
        }
        let flag = format!("HAS_{name}");
        if matches!(flag.as_str(), "HAS_PHONE" | "HAS_EMAIL") {
            survivor.set(&flag, "Y");
        }
    }
}

/// `findbycomm` says what is wrong in the code itself.
fn bare(what: &str) -> Refusal {
    Refusal::new(400, what, what)
}

/// What two values must share to count as one: telephones by their digits without the extension
/// (an 8 before ten digits is a 7), addresses in any case of letters.
pub(super) fn key(name: &str, value: &str) -> String {
    if name != "PHONE" {
        return value.trim().to_lowercase();
    }
    let lower = value.to_lowercase();
    let main = ["доб", "ext", "x", ";", ",", "#"]
        .iter()
        .fold(lower.as_str(), |rest, mark| rest.split(mark).next().unwrap_or(rest));
    let digits: String = main.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('8').filter(|rest| rest.len() == 10) {
        Some(rest) => format!("7{rest}"),
        None => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephones_match_by_their_digits() {
        let check = |left: &str, right: &str, same: bool| {
            assert_eq!(key("PHONE", left) == key("PHONE", right), same, "{left} {right}");
        };
        check("+7 (900) 111-22-33", "89001112233", true);
        check("+79001112233 доб. 12", "+79001112233", true);
        check("+79001112233;ext=5", "+7 900 111 22 33", true);
        check("+79001112233", "+79001112234", false);
        check("9001112233", "+79001112233", false);
    }
}
