//! Notices that leave the portal ("events" there): handlers, the notice itself, the offline queue.
//!
//! Source: facts/crm/bitrix24.md section 6(e); b24restdocs (5988ed1), events/*.md. A notice is
//! fire and forget: sent once, in no order, never again. The offline queue keeps the newest record
//! per object until the application takes it.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::happened::Happened;
use super::oauth::MEMBER_ID;
use super::params::{children, integer, param, text};
use super::portal::{Answer, Call, Portal, Refusal};
use crate::value::Value;

/// Records of the offline queue. Above: the oldest go.
const OFFLINE_MAX: usize = 100_000;

/// Somebody who wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handler {
    pub(super) id: u64,
    /// `ONCRMDEALUPDATE`.
    pub(super) event: String,
    /// Where notices go; empty for the offline queue.
    pub(super) url: String,
    pub(super) offline: bool,
    /// Whose changes are not told: those signed with this key.
    pub(super) connector: String,
    /// Sent along, so that the receiver knows the sender.
    pub(super) token: String,
}

/// One record of the offline queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queued {
    pub(super) id: u64,
    pub(super) at: i64,
    pub(super) event: String,
    pub(super) object: u64,
    pub(super) message_id: String,
    /// The source whose queue it is in.
    pub(super) connector: String,
    /// Reserved by this process.
    pub(super) process: String,
    pub(super) failed: bool,
}

/// A notice on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) url: String,
    pub(super) body: String,
    /// What it tells of: the name of what happened, and the object.
    pub(super) about: (String, u64),
}

const NAMES: [&str; 19] = [
    "ONCRMLEADADD",
    "ONCRMLEADUPDATE",
    "ONCRMLEADDELETE",
    "ONCRMDEALADD",
    "ONCRMDEALUPDATE",
    "ONCRMDEALDELETE",
    "ONCRMCONTACTADD",
    "ONCRMCONTACTUPDATE",
    "ONCRMCONTACTDELETE",
    "ONCRMCOMPANYADD",
    "ONCRMCOMPANYUPDATE",
    "ONCRMCOMPANYDELETE",
    "ONCRMACTIVITYADD",
    "ONCRMACTIVITYUPDATE",
    "ONCRMACTIVITYDELETE",
    "ONTASKADD",
    "ONTASKUPDATE",
    "ONTASKDELETE",
    "ONOFFLINEEVENT",
];

fn denied(what: &str) -> Refusal {
    Refusal::new(403, "ACCESS_DENIED", what)
}

impl Portal {
    /// Makes an outgoing webhook, as a person does in the portal's own pages.
    pub fn add_outgoing_webhook(&mut self, url: &str, events: &[&str], application_token: &str) {
        for event in events {
            let id = self.next_id("handler");
            self.handlers.push(Handler {
                id,
                event: event.to_ascii_uppercase(),
                url: url.to_owned(),
                offline: false,
                connector: String::new(),
                token: application_token.to_owned(),
            });
        }
    }

    /// The application is installed anew: nobody is told of anything any more.
    pub fn forget_handlers(&mut self) {
        self.handlers.clear();
    }

    /// `event.*`: for applications alone.
    pub(super) fn event(&mut self, words: &[&str], call: &Call<'_>) -> Result<Answer, Refusal> {
        if !call.by_application {
            return Err(Refusal::new(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method"));
        }
        match words {
            ["bind"] => self.event_bind(call),
            ["unbind"] => self.event_unbind(call),
            ["get"] => Ok(Answer::of(
                self.handlers
                    .iter()
                    .map(|it| {
                        json!({"event": it.event, "handler": it.url, "auth_type": "0", "offline": u8::from(it.offline)})
                    })
                    .collect(),
            )),
            ["offline", verb] => {
                if call.user != 1 {
                    return Err(denied("Access denied!"));
                }
                self.offline_call(verb, call)
            }
            _ => Err(super::portal::no_method()),
        }
    }

    fn event_bind(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let event = text(call.params, "event").unwrap_or("").to_ascii_uppercase();
        if !NAMES.contains(&event.as_str()) {
            return Err(Refusal::new(400, "ERROR_EVENT_NOT_FOUND", "Event not found"));
        }
        let offline = text(call.params, "event_type") == Some("offline");
        if offline && call.user != 1 {
            return Err(denied("Access denied! Offline events binding requires administrator access rights"));
        }
        let url = text(call.params, "handler").unwrap_or("").to_owned();
        if url.is_empty() && !offline {
            return Err(Refusal::new(400, "ERROR_ARGUMENT", "Argument 'handler' is null or empty"));
        }
        let connector = text(call.params, "auth_connector").unwrap_or("").to_owned();
        if self.handlers.iter().any(|it| it.event == event && it.url == url && it.offline == offline) {
            return Err(Refusal::new(400, "ERROR_EVENT_BINDING_EXISTS", "Handler already binded"));
        }
        let token = self.app.as_ref().map_or_else(String::new, |it| it.application_token.clone());
        let id = self.next_id("handler");
        self.handlers.push(Handler { id, event, url, offline, connector, token });
        Ok(Answer::of(json!(true)))
    }

    fn event_unbind(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let event = text(call.params, "event").unwrap_or("").to_ascii_uppercase();
        let url = text(call.params, "handler");
        let offline = text(call.params, "event_type") == Some("offline");
        let before = self.handlers.len();
        self.handlers.retain(|it| {
            it.event != event || it.offline != offline || url.is_some_and(|url| !offline && it.url != url)
        });
        Ok(Answer::of(json!({"count": before - self.handlers.len()})))
    }

    fn offline_call(&mut self, verb: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
        let named = |name: &str| -> Vec<String> {
            let given = param(call.params, name).map(children).unwrap_or_default();
            given.into_iter().filter_map(Value::as_text).map(str::to_owned).collect()
        };
        let process = text(call.params, "process_id").unwrap_or("").to_owned();
        match verb {
            "get" => Ok(self.offline_get(call, process)),
            "clear" => {
                let (ids, messages) = (named("id"), named("message_id"));
                self.offline.retain(|it| {
                    let meant = match (ids.is_empty(), messages.is_empty()) {
                        (false, _) => ids.contains(&it.id.to_string()),
                        (true, false) => messages.contains(&it.message_id),
                        (true, true) => true,
                    };
                    it.process != process || process.is_empty() || !meant
                });
                Ok(Answer::of(json!(true)))
            }
            "error" => {
                let messages = named("message_id");
                let mine = self.offline.iter_mut().filter(|it| !process.is_empty() && it.process == process);
                mine.filter(|it| messages.contains(&it.message_id)).for_each(|it| it.failed = true);
                Ok(Answer::of(json!(true)))
            }
            "list" => {
                let rows: Json = self.offline.iter().map(|it| self.shown_queued(it)).collect();
                Ok(Answer::of(rows))
            }
            _ => Err(super::portal::no_method()),
        }
    }

    fn offline_get(&mut self, call: &Call<'_>, process: String) -> Answer {
        let clear = text(call.params, "clear").is_none_or(|it| it != "0");
        let limit = integer(call.params, "limit").and_then(|it| usize::try_from(it).ok()).unwrap_or(50);
        let with_failed = text(call.params, "error") == Some("1");
        let again = !process.is_empty();
        let connector = text(call.params, "auth_connector").unwrap_or("");
        let taken: Vec<u64> = self
            .offline
            .iter()
            .filter(|it| if again { it.process == process } else { it.process.is_empty() })
            .filter(|it| it.failed == with_failed && it.connector == connector)
            .map(|it| it.id)
            .take(limit)
            .collect();
        let name = match (clear, again) {
            (true, _) => None,
            (false, true) => Some(process),
            (false, false) => Some(format!("process{}", self.next_id("process"))),
        };
        if let Some(name) = &name {
            let mine = self.offline.iter_mut().filter(|it| taken.contains(&it.id));
            mine.for_each(|it| it.process.clone_from(name));
        }
        let rows: Vec<Json> =
            self.offline.iter().filter(|it| taken.contains(&it.id)).map(|it| self.shown_queued(it)).collect();
        if clear {
            self.offline.retain(|it| !taken.contains(&it.id));
        }
        Answer::of(json!({"process_id": name, "events": rows}))
    }

    fn shown_queued(&self, it: &Queued) -> Json {
        json!({"ID": it.id.to_string(), "TIMESTAMP_X": self.zone.iso(it.at), "EVENT_NAME": it.event,
               "EVENT_DATA": {"FIELDS": {"ID": it.object.to_string()}}, "EVENT_ADDITIONAL": false,
               "MESSAGE_ID": it.message_id})
    }

    /// Takes what happened: fills the offline queue, and answers the notices that leave.
    pub(super) fn notices(&mut self, domain: &str) -> Vec<Notice> {
        let happened = std::mem::take(&mut self.happened);
        let mut leaving = Vec::new();
        for it in happened {
            let handlers: Vec<Handler> = self.handlers.iter().filter(|held| held.event == it.name).cloned().collect();
            for handler in handlers {
                // Own changes are hidden where the application signs them.
                if !handler.connector.is_empty() && handler.connector == it.connector {
                    continue;
                }
                match handler.offline {
                    true => self.queue(&it, &handler.connector),
                    false => {
                        let (url, body) = (handler.url.clone(), body(&handler, &it, domain));
                        leaving.push(Notice { url, body, about: (it.name.clone(), it.id) });
                    }
                }
            }
        }
        leaving
    }

    /// The newest record per object.
    fn queue(&mut self, it: &Happened, connector: &str) {
        let same = |held: &Queued| held.event == it.name && held.object == it.id && held.connector == connector;
        self.offline.retain(|held| !same(held) || !held.process.is_empty());
        let id = self.next_id("offline");
        self.offline.push(Queued {
            id,
            at: it.at,
            event: it.name.clone(),
            object: it.id,
            message_id: id.to_string(),
            connector: connector.to_owned(),
            process: String::new(),
            failed: false,
        });
        if self.offline.len() > OFFLINE_MAX {
            self.offline.drain(..self.offline.len() - OFFLINE_MAX);
        }
    }
}

/// As the handler gets it: form-urlencoded, with the id alone.
fn body(handler: &Handler, it: &Happened, domain: &str) -> String {
    let endpoint = format!("http://{domain}/rest/");
    let pairs = [
        ("event", it.name.as_str()),
        ("event_handler_id", &handler.id.to_string()),
        ("data[FIELDS][ID]", &it.id.to_string()),
        ("ts", &it.at.to_string()),
        ("auth[domain]", domain),
        ("auth[client_endpoint]", &endpoint),
        ("auth[server_endpoint]", "https://oauth.bitrix.info/rest/"),
        ("auth[member_id]", MEMBER_ID),
        ("auth[application_token]", &handler.token),
    ];
    let encoded = pairs.iter().map(|(name, text)| format!("{}={}", escaped(name), escaped(text)));
    encoded.collect::<Vec<_>>().join("&")
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
