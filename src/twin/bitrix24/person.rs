//! What people do in the portal between two of our calls: at the screen, and in its settings,
//! where no method reaches.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::fields::Kind;
use super::happened::What;
use super::params;
use super::portal::{Call, Portal};

/// One act of a person. What it names and is not there, the person does not find, and nothing
/// happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum PersonAct {
    /// Deletes an object.
    Delete {
        /// Its kind.
        object: Kind,
        /// Its id.
        id: u64,
    },
    /// Merges objects.
    Merge {
        /// Their kind.
        object: Kind,
        /// The survivor.
        into: u64,
        /// The others.
        ids: Vec<u64>,
    },
    /// Writes a field (by its classic name).
    Edit {
        /// Its kind.
        object: Kind,
        /// Its id.
        id: u64,
        /// The field.
        field: String,
        /// The new value.
        value: String,
    },
    /// Does what a method does, as some other user than the webhook's (user 2 when not named).
    Call {
        /// The method.
        method: String,
        /// Its parameters.
        #[serde(default)]
        params: Json,
        /// Who.
        #[serde(default)]
        user: Option<u64>,
    },
    /// An employee leaves: `ACTIVE` is false from now on, what he was responsible for stays his.
    Dismiss {
        /// Who.
        user: u64,
    },
    /// An employee comes (back).
    Hire {
        /// The id; a new one is made under it.
        user: u64,
        /// Given name.
        name: String,
        /// Family name.
        last_name: String,
        /// Work address.
        email: String,
    },
    /// Gives an entry of a dictionary another name: a stage, a source.
    RenameStatus {
        /// The dictionary: `DEAL_STAGE`, `STATUS`, `SOURCE`, ...
        entity_id: String,
        /// The code that objects hold.
        status_id: String,
        /// What people read from now on.
        name: String,
    },
    /// Removes an entry of a dictionary. Objects keep the code that names nothing now [U].
    RemoveStatus {
        /// The dictionary.
        entity_id: String,
        /// The code.
        status_id: String,
    },
    /// Adds an entry to a dictionary.
    AddStatus {
        /// The dictionary.
        entity_id: String,
        /// The code.
        status_id: String,
        /// What people read.
        name: String,
        /// `P`, `S`, `F`, or nothing.
        #[serde(default)]
        semantics: String,
    },
    /// Gives a funnel another name.
    RenameFunnel {
        /// Which.
        id: u64,
        /// The name.
        name: String,
    },
    /// Removes a custom field with all that it held.
    RemoveField {
        /// Of which objects.
        object: Kind,
        /// `UF_CRM_...`.
        field: String,
    },
    /// Gives a custom field another label.
    RelabelField {
        /// Of which objects.
        object: Kind,
        /// `UF_CRM_...`.
        field: String,
        /// The label.
        label: String,
    },
}

impl Portal {
    /// Does what the person does.
    pub(super) fn act(&mut self, act: &PersonAct, now_s: i64) {
        // Another user than the webhook's: clients tell a person's change by MODIFY_BY_ID.
        let other = self.users.iter().map(|it| it.id).find(|id| *id != 1).unwrap_or(1);
        let none = params::from_json(&json!({}));
        let seen = Call { params: &none, now_s, user: other, by_application: false };
        match act {
            PersonAct::Delete { object, id } => {
                if self.remove(*object, *id, now_s, None).is_some() {
                    self.written(*object, *id, What::Delete, &seen);
                }
            }
            PersonAct::Merge { object, into, ids } => self.merge(*object, *into, ids, &seen),
            PersonAct::Edit { object, id, field, value } => {
                let given = params::from_json(&json!({"id": id, "fields": {field.as_str(): value}}));
                let call = Call { params: &given, ..seen };
                let _not_found = self.call(&format!("crm.{}.update", object.word()), &call);
            }
            PersonAct::Call { method, params, user } => {
                let given = params::from_json(params);
                let call = Call { params: &given, user: user.unwrap_or(other), ..seen };
                let _not_found = self.call(method, &call);
            }
            PersonAct::Dismiss { user } => {
                self.users.iter_mut().filter(|it| it.id == *user).for_each(|it| it.active = false);
            }
            PersonAct::Hire { user, name, last_name, email } => self.hire(*user, name, last_name, email),
            PersonAct::RenameStatus { entity_id, status_id, name } => {
                let named = self.statuses.iter_mut().filter(|it| it.entity_id == *entity_id);
                named.filter(|it| it.status_id == *status_id).for_each(|it| it.name.clone_from(name));
            }
            PersonAct::RemoveStatus { entity_id, status_id } => {
                self.statuses.retain(|it| it.entity_id != *entity_id || it.status_id != *status_id);
            }
            PersonAct::AddStatus { entity_id, status_id, name, semantics } => {
                super::dictionary::push(&mut self.statuses, entity_id, status_id.clone(), name, semantics);
            }
            PersonAct::RenameFunnel { id, name } => {
                self.categories.iter_mut().filter(|it| it.id == *id).for_each(|it| it.name.clone_from(name));
            }
            PersonAct::RemoveField { object, field } => self.remove_field(*object, field),
            PersonAct::RelabelField { object, field, label } => {
                let named = self.userfields.iter_mut().filter(|it| it.kind == *object && it.field_name == *field);
                named.for_each(|it| {
                    for name in ["EDIT_FORM_LABEL", "LIST_COLUMN_LABEL"] {
                        it.about[name] = json!({"ru": label});
                    }
                });
            }
        }
    }

    fn hire(&mut self, id: u64, name: &str, last_name: &str, email: &str) {
        self.users.retain(|it| it.id != id);
        self.users.push(super::dictionary::User {
            id,
            name: name.to_owned(),
            last_name: last_name.to_owned(),
            email: email.to_owned(),
            inner_phone: (100 + id).to_string(),
            active: true,
        });
        self.users.sort_by_key(|it| it.id);
    }

    fn remove_field(&mut self, kind: Kind, field: &str) {
        self.userfields.retain(|it| it.kind != kind || it.field_name != field);
        let holders: Vec<u64> =
            self.objects_of(kind).filter(|it| it.cells.get(field).is_some()).map(|it| it.id).collect();
        for id in holders {
            if let Some(mut object) = self.object(kind, id).cloned() {
                object.cells.remove(field);
                self.store(kind, object);
            }
        }
    }
}
