//! The portal's data, and which method does what.
//!
//! [`Portal::call`] is a function of the data, the call and the instant: no clock, no chance, no
//! network. Limits, faults and the envelope lie around it (`http`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::dictionary::{Category, LeadMode, Status, User};
use super::fields::Kind;
use super::happened::Happened;
use super::lines;
use super::notice::{Handler, Queued};
use super::oauth::{App, Grants};
use super::object::{Object, View};
use super::params::{self, param};
use super::shelf::Shelf;
use super::side::OWNER_KIND;
use super::system::Edition;
use super::userfield::UserField;
use super::zone::{MOSCOW, Zone};
use crate::value::Value;

/// Traces of objects that are gone and of stage moves that the twin keeps. Above: the oldest go.
const TRACES_MAX: usize = 10_000;

/// A whole portal: what a state file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Portal {
    /// The portal's zone.
    pub zone: Zone,
    /// Whether the company works with leads.
    pub mode: LeadMode,
    /// Who works here.
    pub users: Vec<User>,
    /// Funnels of deals; funnel 0 is always there.
    pub categories: Vec<Category>,
    /// Entries of the dictionaries, stages among them.
    pub statuses: Vec<Status>,
    /// Leads, deals, contacts, companies.
    pub(super) objects: Shelf,
    /// What was deleted or merged away: the portal itself answers "not found" for it.
    pub gone: Vec<Gone>,
    /// Custom fields.
    pub userfields: Vec<UserField>,
    /// Requisites (INN, KPP, ...) by id, with the classic names and text in every field.
    pub requisites: BTreeMap<u64, BTreeMap<String, String>>,
    /// Comments of timelines.
    pub comments: BTreeMap<u64, BTreeMap<String, String>>,
    /// Activities: to-dos, calls, letters.
    pub activities: BTreeMap<u64, BTreeMap<String, String>>,
    /// Stage moves.
    pub stage_history: Vec<StageMove>,
    /// Rows of goods of deals and leads.
    #[serde(default)]
    pub lines: BTreeMap<u64, BTreeMap<String, String>>,
    /// Tasks.
    #[serde(default)]
    pub tasks: BTreeMap<u64, BTreeMap<String, String>>,
    /// What the company has paid for.
    #[serde(default = "Edition::professional")]
    pub edition: Edition,
    /// How often robots were started on an object.
    #[serde(default)]
    pub(super) robots: BTreeMap<Kind, BTreeMap<u64, u64>>,
    /// The application that is installed.
    #[serde(default)]
    pub app: Option<App>,
    #[serde(default)]
    pub(super) grants: Grants,
    #[serde(default)]
    pub(super) handlers: Vec<Handler>,
    #[serde(default)]
    pub(super) offline: Vec<Queued>,
    /// What others are still to be told of.
    #[serde(skip)]
    pub(super) happened: Vec<Happened>,
    /// Letters that really left, because somebody logged an outgoing one as completed.
    pub letters_sent: u64,
    ids: BTreeMap<String, u64>,
}

/// An object that is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: u64,
    /// When, seconds since the epoch.
    pub at: i64,
    /// The survivor of a merge. No method tells it: this is for tests to look at.
    pub merged_into: Option<u64>,
}

/// One row of the stage history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageMove {
    /// Its id.
    pub id: u64,
    /// Lead or deal.
    pub kind: Kind,
    /// 1 created, 2 moved, 3 finished, 5 funnel changed.
    pub type_id: u8,
    /// The object.
    pub owner_id: u64,
    /// When, seconds since the epoch.
    pub at: i64,
    /// The funnel (0 for leads).
    pub category_id: u64,
    /// The stage reached.
    pub stage_id: String,
    /// `P`, `S` or `F`.
    pub semantics: String,
}

/// One call: who, when, with what.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Parameters as sent.
    pub params: &'a Value,
    /// Now, seconds since the epoch: the portal's clock has no finer hand.
    pub now_s: i64,
    /// The user whose webhook or token it is.
    pub user: u64,
    /// Whether an application calls, with a token, rather than a webhook.
    pub by_application: bool,
}

impl<'a> Call<'a> {
    /// The positive `id`; classic methods say this when it is missing.
    pub(super) fn id(&self) -> Result<u64, Refusal> {
        let id = params::integer(self.params, "id").and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
        id.ok_or_else(|| Refusal::classic("ID is not defined or invalid."))
    }

    /// `fields`, which must be a map.
    pub(super) fn fields(&self) -> Result<&'a Value, Refusal> {
        let fields = param(self.params, "fields").filter(|it| matches!(it, Value::Map(_) | Value::List(_)));
        fields.ok_or_else(|| Refusal::classic("Parameter 'fields' must be array."))
    }
}

/// What a method answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `result`.
    pub result: Json,
    /// `total` of list methods.
    pub total: Option<u64>,
    /// `next` of list methods, absent on the last page.
    pub next: Option<u64>,
}

impl Answer {
    pub(super) fn of(result: Json) -> Answer {
        Answer { result, total: None, next: None }
    }
}

/// A failure of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status when the call stands alone; within a batch there is none.
    pub status: u16,
    /// `error`: text, empty text (old methods), or a number.
    pub code: Json,
    /// `error_description`.
    pub description: String,
    /// `time`, where the failure tells one (OPERATION_TIME_LIMIT).
    pub time: Option<Json>,
}

impl Refusal {
    /// An error with a code.
    pub(super) fn new(status: u16, code: &str, description: impl Into<String>) -> Refusal {
        Refusal { status, code: json!(code), description: description.into(), time: None }
    }

    /// The error of an old `crm.*` method: the code is an empty text.
    pub(super) fn classic(description: impl Into<String>) -> Refusal {
        Refusal::new(400, "", description)
    }

    /// The error of a controller whose parameter is missing: the code is the number 100.
    pub(super) fn missing(parameter: &str) -> Refusal {
        let description = format!("Could not find value for parameter {{{parameter}}}");
        Refusal { status: 400, code: json!(100), description, time: None }
    }

    /// The code as text, for counting.
    pub fn code_text(&self) -> String {
        self.code.as_str().map_or_else(|| self.code.to_string(), str::to_owned)
    }
}

impl Portal {
    /// A portal with the stock dictionaries, one funnel, three users and no objects.
    pub fn new() -> Portal {
        Portal {
            zone: MOSCOW,
            mode: LeadMode::Classic,
            users: super::dictionary::stock_users(),
            categories: vec![Category { id: 0, name: "Общая".to_owned(), sort: 300 }],
            statuses: super::dictionary::stock_statuses(),
            objects: Shelf::default(),
            gone: Vec::new(),
            userfields: Vec::new(),
            requisites: BTreeMap::new(),
            comments: BTreeMap::new(),
            activities: BTreeMap::new(),
            stage_history: Vec::new(),
            lines: BTreeMap::new(),
            tasks: BTreeMap::new(),
            edition: Edition::professional(),
            robots: BTreeMap::new(),
            app: None,
            grants: Grants::default(),
            handlers: Vec::new(),
            offline: Vec::new(),
            happened: Vec::new(),
            letters_sent: 0,
            ids: BTreeMap::new(),
        }
    }

    /// The object, while it lives.
    pub fn object(&self, kind: Kind, id: u64) -> Option<&Object> {
        self.objects.get(kind, id)
    }

    /// How many objects of a kind live.
    pub fn count(&self, kind: Kind) -> usize {
        self.objects.len(kind)
    }

    /// All living objects of a kind by id.
    pub fn objects_of(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.above(kind, 0)
    }

    pub(super) fn store(&mut self, kind: Kind, object: Object) {
        self.objects.put(kind, object);
    }

    pub(super) fn view(&self, kind: Kind) -> View<'_> {
        View { kind, zone: self.zone, userfields: &self.userfields }
    }

    /// The next id of a sequence; each table has its own.
    pub(super) fn next_id(&mut self, sequence: &str) -> u64 {
        let last = self.ids.entry(sequence.to_owned()).or_insert(0);
        *last += 1;
        *last
    }

    /// Removes the object with its comments, activities and requisites.
    pub(super) fn remove(&mut self, kind: Kind, id: u64, now_s: i64, merged_into: Option<u64>) -> Option<Object> {
        let removed = self.objects.take(kind, id)?;
        let owner = |row: &BTreeMap<String, String>| {
            row.get(OWNER_KIND).map(String::as_str) == Some(kind.word())
                && row.get("OWNER_ID").or_else(|| row.get("ENTITY_ID")).and_then(|it| it.parse().ok()) == Some(id)
        };
        if merged_into.is_none() {
            self.comments.retain(|_, row| !owner(row));
            self.activities.retain(|_, row| !owner(row));
            self.requisites.retain(|_, row| !owner(row));
        }
        self.gone.push(Gone { kind, id, at: now_s, merged_into });
        keep_newest(&mut self.gone);
        Some(Arc::unwrap_or_clone(removed))
    }

    pub(super) fn record_move(&mut self, mut moved: StageMove) {
        moved.id = self.next_id("stage_history");
        self.stage_history.push(moved);
        keep_newest(&mut self.stage_history);
    }

    /// Does what `method` says. Names of methods are read in any case of letters.
    pub fn call(&mut self, method: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        let method = method.to_ascii_lowercase();
        let words: Vec<&str> = method.split('.').collect();
        match words.as_slice() {
            ["crm", kind, verb] if Kind::from_word(kind).is_some() && CLASSIC_VERBS.contains(verb) => {
                self.classic(Kind::from_word(kind).expect("checked by the guard"), verb, call)
            }
            ["crm", kind, "userfield", verb] if Kind::from_word(kind).is_some() => {
                let kind = Kind::from_word(kind).expect("checked by the guard");
                match *verb {
                    "add" => self.userfield_add(kind, call),
                    "get" => self.userfield_get(kind, call),
                    "list" => self.userfield_list(kind, call),
                    _ => Err(no_method()),
                }
            }
            ["crm", kind, "productrows", verb] if lines::kind_of(kind).is_some() => {
                self.product_rows(lines::kind_of(kind).expect("checked by the guard"), verb, call)
            }
            ["tasks", "task", verb] if TASK_VERBS.contains(verb) => self.task(verb, call),
            ["crm", "item", verb] if ITEM_VERBS.contains(verb) => self.item(verb, call),
            ["crm", "item", "userfield", ..] => Err(no_method()),
            ["event", words @ ..] => self.event(words, call),
            ["telephony", ..] if !call.by_application => {
                Err(Refusal::new(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method"))
            }
            _ => self.single(&method, call),
        }
    }

    fn single(&mut self, method: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        match method {
            "crm.duplicate.findbycomm" => self.find_by_comm(call),
            "crm.entity.mergebatch" => self.merge_batch(call),
            "crm.status.list" => self.status_list(call),
            "crm.category.list" => self.category_list(call),
            "crm.category.get" => self.category_get(call),
            "crm.dealcategory.list" => Ok(self.old_category_list(call)),
            "crm.dealcategory.get" => self.old_category_get(call),
            "crm.dealcategory.default.get" => Ok(Answer::of(self.old_category(0))),
            "crm.dealcategory.stage.list" => self.old_stage_list(call),
            "crm.item.productrow.list" => self.item_lines(call),
            "crm.deal.contact.items.get" => self.deal_contacts(call),
            "crm.settings.mode.get" => Ok(Answer::of(json!(self.mode.code()))),
            "crm.stagehistory.list" => self.stage_history_list(call),
            "crm.timeline.comment.add" => self.comment_add(call),
            "crm.timeline.comment.list" => self.comment_list(call),
            "crm.timeline.comment.get" => self.comment_get(call),
            "crm.timeline.comment.update" => self.comment_update(call),
            "crm.timeline.comment.delete" => self.comment_delete(call),
            "crm.activity.todo.add" => self.todo_add(call),
            "crm.activity.todo.update" => self.todo_update(call),
            "crm.activity.get" => self.activity_get(call),
            "crm.activity.update" => self.activity_update(call),
            "crm.activity.delete" => self.activity_delete(call),
            "crm.activity.add" => self.activity_add(call),
            "crm.activity.list" => self.activity_list(call),
            "crm.requisite.add" => self.requisite_add(call),
            "crm.requisite.update" => self.requisite_update(call),
            "crm.requisite.get" => self.requisite_get(call),
            "crm.requisite.list" => self.requisite_list(call),
            "user.get" => self.user_get(call),
            "user.current" => self.user_current(call),
            "profile" => self.profile(call),
            "app.info" => self.app_info(call),
            "server.time" => Ok(self.server_time(call)),
            "methods" => Ok(Answer::of(json!(methods()))),
            _ => Err(no_method()),
        }
    }
}

impl Default for Portal {
    fn default() -> Portal {
        Portal::new()
    }
}

fn keep_newest<T>(rows: &mut Vec<T>) {
    if rows.len() > TRACES_MAX {
        rows.drain(..rows.len() - TRACES_MAX);
    }
}

const CLASSIC_VERBS: [&str; 6] = ["add", "get", "update", "delete", "list", "fields"];
const ITEM_VERBS: [&str; 8] = ["add", "get", "update", "delete", "list", "fields", "import", "batchimport"];
const TASK_VERBS: [&str; 8] = ["add", "get", "list", "update", "complete", "renew", "start", "delete"];
const SINGLES: [&str; 42] = [
    "crm.duplicate.findbycomm",
    "crm.entity.mergeBatch",
    "crm.status.list",
    "crm.category.list",
    "crm.category.get",
    "crm.dealcategory.list",
    "crm.dealcategory.get",
    "crm.dealcategory.default.get",
    "crm.dealcategory.stage.list",
    "crm.item.productrow.list",
    "crm.deal.contact.items.get",
    "crm.settings.mode.get",
    "crm.stagehistory.list",
    "crm.timeline.comment.add",
    "crm.timeline.comment.list",
    "crm.timeline.comment.get",
    "crm.timeline.comment.update",
    "crm.timeline.comment.delete",
    "crm.activity.todo.add",
    "crm.activity.todo.update",
    "crm.activity.get",
    "crm.activity.update",
    "crm.activity.delete",
    "crm.activity.add",
    "crm.activity.list",
    "crm.requisite.add",
    "crm.requisite.update",
    "crm.requisite.get",
    "crm.requisite.list",
    "user.get",
    "user.current",
    "profile",
    "event.bind",
    "event.unbind",
    "event.get",
    "event.offline.get",
    "event.offline.list",
    "event.offline.clear",
    "event.offline.error",
    "app.info",
    "server.time",
    "methods",
];

pub(super) fn no_method() -> Refusal {
    Refusal::new(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
}

/// Whether a method only reads, so that nothing is to be saved after it.
pub(super) fn only_reads(method: &str) -> bool {
    let verb = method.rsplit('.').next().unwrap_or(method).to_ascii_lowercase();
    matches!(
        verb.as_str(),
        "get" | "list" | "fields" | "current" | "findbycomm" | "profile" | "methods" | "scope" | "info" | "time"
    )
}

/// The methods that the twin offers.
pub(super) fn methods() -> Vec<String> {
    let mut all: Vec<String> = ["batch", "scope", "method.get"].map(str::to_owned).to_vec();
    all.extend(SINGLES.iter().map(|it| (*it).to_owned()));
    for kind in Kind::ALL {
        all.extend(CLASSIC_VERBS.iter().map(|verb| format!("crm.{}.{verb}", kind.word())));
        all.extend(["add", "get", "list"].iter().map(|verb| format!("crm.{}.userfield.{verb}", kind.word())));
    }
    for kind in [Kind::Deal, Kind::Lead] {
        all.extend(["get", "set"].iter().map(|verb| format!("crm.{}.productrows.{verb}", kind.word())));
    }
    all.extend(TASK_VERBS.iter().map(|verb| format!("tasks.task.{verb}")));
    all.extend(ITEM_VERBS.iter().map(|verb| match *verb {
        "batchimport" => "crm.item.batchImport".to_owned(),
        other => format!("crm.item.{other}"),
    }));
    all
}

/// Whether the scopes open a method. Users are also read by the lesser scopes `user_basic` and
/// `user_brief` (https://dev.1c-bitrix.ru/rest_help/users/index.php).
pub(super) fn is_open(method: &str, needed: Option<&str>, scopes: &[String]) -> bool {
    let Some(needed) = needed else { return true };
    let lesser = ["user.get", "user.current"].iter().any(|it| method.eq_ignore_ascii_case(it));
    let opens = |scope: &String| scope == needed || (lesser && matches!(scope.as_str(), "user_basic" | "user_brief"));
    scopes.iter().any(opens)
}

/// The scope that a method needs; `None` is open to every webhook.
pub(super) fn scope_of(method: &str) -> Option<&'static str> {
    let method = method.to_ascii_lowercase();
    // `tasks.*` needs the scope `task`, without the plural.
    if method.starts_with("tasks.") {
        return Some("task");
    }
    ["crm", "user", "telephony"].into_iter().find(|scope| method.starts_with(&format!("{scope}.")))
}
