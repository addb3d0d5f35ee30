//! What a portal tells of itself: the time, its methods, its plan.
//!
//! Source: b24restdocs (5988ed1), common/system/{app-info,method-get,server-time}.md; facts
//! section 2 (ACCESS_DENIED of the plan).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::params::text;
use super::portal::{Answer, Call, Portal, Refusal, methods};

/// What the company has paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// As `app.info` says it: `ru_pro100`.
    pub license: String,
    /// Methods (or their beginnings) that this plan refuses: `403 ACCESS_DENIED`. An empty text
    /// refuses all of them.
    pub refuses: Vec<String>,
    /// Methods (or their beginnings) that this edition does not have: an old box.
    #[serde(default)]
    pub lacks: Vec<String>,
}

impl Edition {
    /// Without REST at all.
    pub fn free() -> Edition {
        Edition { license: "ru_project".to_owned(), refuses: vec![String::new()], lacks: Vec::new() }
    }

    /// REST without the offline queue's filter of own changes.
    pub fn basic() -> Edition {
        Edition { license: "ru_basic".to_owned(), refuses: Vec::new(), lacks: Vec::new() }
    }

    /// Everything.
    pub fn professional() -> Edition {
        Edition { license: "ru_pro100".to_owned(), refuses: Vec::new(), lacks: Vec::new() }
    }

    /// A plan by its word on the command line.
    pub fn named(word: &str) -> Option<Edition> {
        match word {
            "free" => Some(Edition::free()),
            "basic" => Some(Edition::basic()),
            "professional" => Some(Edition::professional()),
            _ => None,
        }
    }

    pub(super) fn refusal(&self, method: &str) -> Option<Refusal> {
        let method = method.to_ascii_lowercase();
        if self.lacks.iter().any(|it| method.starts_with(&it.to_ascii_lowercase())) {
            return Some(super::portal::no_method());
        }
        let refused = self.refuses.iter().any(|it| method.starts_with(&it.to_ascii_lowercase()));
        refused.then(|| Refusal::new(403, "ACCESS_DENIED", "REST API is available only on commercial plans."))
    }
}

impl Portal {
    /// `app.info`, within an application only.
    pub(super) fn app_info(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        if !call.by_application {
            return Err(Refusal::new(400, "ACCESS_DENIED", "Access denied! Application context required"));
        }
        let family = self.edition.license.trim_start_matches("ru_").trim_end_matches(|it: char| it.is_ascii_digit());
        Ok(Answer::of(json!({
            "ID": 5,
            "CODE": "local.twin",
            "VERSION": 1,
            "STATUS": "L",
            "INSTALLED": true,
            "PAYMENT_EXPIRED": "N",
            "DAYS": null,
            "LANGUAGE_ID": "ru",
            "LICENSE": self.edition.license,
            "LICENSE_TYPE": self.edition.license.trim_start_matches("ru_"),
            "LICENSE_FAMILY": family,
        })))
    }

    /// `method.get`: whether there is such a method, and whether this caller may use it.
    pub(super) fn method_get(&self, call: &Call<'_>, scopes: &[String]) -> Result<Answer, Refusal> {
        let name = text(call.params, "name").ok_or_else(|| Refusal::missing("name"))?;
        let exists = methods().iter().any(|it| it.eq_ignore_ascii_case(name));
        let open = super::portal::is_open(name, super::portal::scope_of(name), scopes);
        let available = exists && open && self.edition.refusal(name).is_none();
        Ok(Answer::of(json!({"isExisting": exists, "isAvailable": available})))
    }

    pub(super) fn server_time(&self, call: &Call<'_>) -> Answer {
        Answer::of(json!(self.zone.iso(call.now_s)))
    }
}
