//! The fields of the four kinds of objects, under the names of the classic methods (`ASSIGNED_BY_ID`)
//! and of `crm.item.*` (`assignedById`).
//!
//! Sources: facts/crm/bitrix24.md section 5; b24restdocs (5988ed1), crm-*-fields.md and
//! universal/object-fields.md. Fields outside of these tables do not exist for the twin: values
//! sent for them are dropped in silence, as the portal drops names that it does not know.

use serde::{Deserialize, Serialize};

/// A kind of object; the number is its `entityTypeId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A lead, 1.
    Lead,
    /// A deal, 2.
    Deal,
    /// A contact, 3.
    Contact,
    /// A company, 4.
    Company,
}

impl Kind {
    /// All, in the order of their numbers.
    pub const ALL: [Kind; 4] = [Kind::Lead, Kind::Deal, Kind::Contact, Kind::Company];

    /// `entityTypeId`.
    pub fn type_id(self) -> i64 {
        match self {
            Kind::Lead => 1,
            Kind::Deal => 2,
            Kind::Contact => 3,
            Kind::Company => 4,
        }
    }

    /// From `entityTypeId`.
    pub fn from_type_id(id: i64) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.type_id() == id)
    }

    /// As in the names of methods: `contact`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Lead => "lead",
            Kind::Deal => "deal",
            Kind::Contact => "contact",
            Kind::Company => "company",
        }
    }

    /// From a word in any case (`contact`, `CONTACT`).
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word))
    }

    /// `ENTITY_ID` of its custom fields: `CRM_CONTACT`.
    pub(super) fn userfield_entity(self) -> String {
        format!("CRM_{}", self.word().to_ascii_uppercase())
    }

    /// Whether it has stages.
    pub(super) fn has_stages(self) -> bool {
        matches!(self, Kind::Lead | Kind::Deal)
    }

    /// The name of its stage field in the classic methods.
    pub(super) fn stage_field(self) -> &'static str {
        match self {
            Kind::Lead => "STATUS_ID",
            Kind::Deal | Kind::Contact | Kind::Company => "STAGE_ID",
        }
    }

    /// The name of its field of stage semantics in the classic methods.
    pub(super) fn semantics_field(self) -> &'static str {
        match self {
            Kind::Lead => "STATUS_SEMANTIC_ID",
            Kind::Deal | Kind::Contact | Kind::Company => "STAGE_SEMANTIC_ID",
        }
    }
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// An amount: text with two decimals in the classic methods, a number in `crm.item.*`.
    Amount,
    /// `Y` or `N`.
    Flag,
    /// A day.
    Date,
    /// An instant.
    DateTime,
    /// A code of the dictionary named here.
    Status(&'static str),
    /// A stage of a lead or a deal.
    Stage,
    /// A user's id.
    User,
    /// The id of an object.
    Ref(Kind),
    /// Ids of objects.
    Refs(Kind),
    /// A funnel.
    Category,
}

impl Type {
    /// The name in `*.fields`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Type::Text => "string",
            Type::Integer => "integer",
            Type::Amount => "double",
            Type::Flag => "char",
            Type::Date => "date",
            Type::DateTime => "datetime",
            Type::Status(_) | Type::Stage => "crm_status",
            Type::User => "user",
            Type::Ref(Kind::Lead) | Type::Refs(Kind::Lead) => "crm_lead",
            Type::Ref(Kind::Deal) | Type::Refs(Kind::Deal) => "crm_deal",
            Type::Ref(Kind::Contact) | Type::Refs(Kind::Contact) => "crm_contact",
            Type::Ref(Kind::Company) | Type::Refs(Kind::Company) => "crm_company",
            Type::Category => "crm_category",
        }
    }
}

/// Who may write a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Callers.
    Open,
    /// Callers, at creation only.
    Once,
    /// The portal alone; what callers send is dropped.
    Portal,
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Type,
    pub(super) access: Access,
}

const fn open(name: &'static str, of: Type) -> Field {
    Field { name, of, access: Access::Open }
}

const fn portal(name: &'static str, of: Type) -> Field {
    Field { name, of, access: Access::Portal }
}

const COMMON: &[Field] = &[
    portal("ID", Type::Integer),
    open("ASSIGNED_BY_ID", Type::User),
    portal("CREATED_BY_ID", Type::User),
    portal("MODIFY_BY_ID", Type::User),
    portal("DATE_CREATE", Type::DateTime),
    portal("DATE_MODIFY", Type::DateTime),
    portal("LAST_ACTIVITY_TIME", Type::DateTime),
    portal("LAST_ACTIVITY_BY", Type::User),
    open("OPENED", Type::Flag),
    open("COMMENTS", Type::Text),
    open("ORIGINATOR_ID", Type::Text),
    open("ORIGIN_ID", Type::Text),
    open("UTM_SOURCE", Type::Text),
    open("UTM_MEDIUM", Type::Text),
    open("UTM_CAMPAIGN", Type::Text),
    open("UTM_CONTENT", Type::Text),
    open("UTM_TERM", Type::Text),
];

const REACHABLE: &[Field] = &[
    portal("HAS_PHONE", Type::Flag),
    portal("HAS_EMAIL", Type::Flag),
    portal("HAS_IMOL", Type::Flag),
    open("ADDRESS", Type::Text),
    open("ADDRESS_CITY", Type::Text),
];

const PERSON: &[Field] = &[
    open("HONORIFIC", Type::Status("HONORIFIC")),
    open("NAME", Type::Text),
    open("SECOND_NAME", Type::Text),
    open("LAST_NAME", Type::Text),
    open("POST", Type::Text),
    open("BIRTHDATE", Type::Date),
    open("SOURCE_ID", Type::Status("SOURCE")),
    open("SOURCE_DESCRIPTION", Type::Text),
];

const LEAD: &[Field] = &[
    open("TITLE", Type::Text),
    open("COMPANY_TITLE", Type::Text),
    open("STATUS_ID", Type::Stage),
    open("STATUS_DESCRIPTION", Type::Text),
    portal("STATUS_SEMANTIC_ID", Type::Text),
    open("OPPORTUNITY", Type::Amount),
    open("IS_MANUAL_OPPORTUNITY", Type::Flag),
    open("CURRENCY_ID", Type::Text),
    open("COMPANY_ID", Type::Ref(Kind::Company)),
    open("CONTACT_ID", Type::Ref(Kind::Contact)),
    open("CONTACT_IDS", Type::Refs(Kind::Contact)),
    portal("IS_RETURN_CUSTOMER", Type::Flag),
    portal("DATE_CLOSED", Type::DateTime),
    portal("MOVED_BY_ID", Type::User),
    portal("MOVED_TIME", Type::DateTime),
];

const DEAL: &[Field] = &[
    open("TITLE", Type::Text),
    open("TYPE_ID", Type::Status("DEAL_TYPE")),
    Field { name: "CATEGORY_ID", of: Type::Category, access: Access::Once },
    open("STAGE_ID", Type::Stage),
    portal("STAGE_SEMANTIC_ID", Type::Text),
    portal("IS_NEW", Type::Flag),
    portal("IS_RECURRING", Type::Flag),
    portal("IS_RETURN_CUSTOMER", Type::Flag),
    portal("IS_REPEATED_APPROACH", Type::Flag),
    open("PROBABILITY", Type::Integer),
    open("OPPORTUNITY", Type::Amount),
    open("IS_MANUAL_OPPORTUNITY", Type::Flag),
    open("TAX_VALUE", Type::Amount),
    open("CURRENCY_ID", Type::Text),
    open("COMPANY_ID", Type::Ref(Kind::Company)),
    open("CONTACT_ID", Type::Ref(Kind::Contact)),
    open("CONTACT_IDS", Type::Refs(Kind::Contact)),
    portal("LEAD_ID", Type::Ref(Kind::Lead)),
    open("BEGINDATE", Type::Date),
    open("CLOSEDATE", Type::Date),
    portal("CLOSED", Type::Flag),
    open("SOURCE_ID", Type::Status("SOURCE")),
    open("SOURCE_DESCRIPTION", Type::Text),
    open("ADDITIONAL_INFO", Type::Text),
    portal("MOVED_BY_ID", Type::User),
    portal("MOVED_TIME", Type::DateTime),
];

const CONTACT: &[Field] = &[
    open("TYPE_ID", Type::Status("CONTACT_TYPE")),
    open("COMPANY_ID", Type::Ref(Kind::Company)),
    open("COMPANY_IDS", Type::Refs(Kind::Company)),
    portal("LEAD_ID", Type::Ref(Kind::Lead)),
    open("EXPORT", Type::Flag),
    open("ORIGIN_VERSION", Type::Text),
];

const COMPANY: &[Field] = &[
    open("TITLE", Type::Text),
    open("COMPANY_TYPE", Type::Status("COMPANY_TYPE")),
    open("INDUSTRY", Type::Status("INDUSTRY")),
    open("EMPLOYEES", Type::Status("EMPLOYEES")),
    open("REVENUE", Type::Amount),
    open("CURRENCY_ID", Type::Text),
    open("BANKING_DETAILS", Type::Text),
    portal("IS_MY_COMPANY", Type::Flag),
    portal("LEAD_ID", Type::Ref(Kind::Lead)),
    open("CONTACT_ID", Type::Refs(Kind::Contact)),
    open("ORIGIN_VERSION", Type::Text),
];

/// The fields of a kind.
pub(super) fn fields(kind: Kind) -> impl Iterator<Item = &'static Field> {
    let (own, person, reachable): (&[Field], &[Field], &[Field]) = match kind {
        Kind::Lead => (LEAD, PERSON, REACHABLE),
        Kind::Deal => (DEAL, &[], &[]),
        Kind::Contact => (CONTACT, PERSON, REACHABLE),
        Kind::Company => (COMPANY, &[], REACHABLE),
    };
    COMMON.iter().chain(own).chain(person).chain(reachable)
}

/// The field of that classic name.
pub(super) fn field(kind: Kind, name: &str) -> Option<&'static Field> {
    fields(kind).find(|field| field.name == name)
}

/// The kinds of multi-fields. A deal has none.
pub(super) const MULTI: [&str; 5] = ["PHONE", "EMAIL", "WEB", "IM", "LINK"];

/// Whether objects of the kind have multi-fields.
pub(super) fn has_multi(kind: Kind) -> bool {
    match kind {
        Kind::Lead | Kind::Contact | Kind::Company => true,
        Kind::Deal => false,
    }
}

/// The name of a field in `crm.item.*`.
pub(super) fn item_name(kind: Kind, name: &str) -> String {
    match (name, kind) {
        ("DATE_CREATE", _) => "createdTime".to_owned(),
        ("DATE_MODIFY", _) => "updatedTime".to_owned(),
        ("CREATED_BY_ID", _) => "createdBy".to_owned(),
        ("MODIFY_BY_ID", _) => "updatedBy".to_owned(),
        ("MOVED_BY_ID", _) => "movedBy".to_owned(),
        ("STATUS_ID", Kind::Lead) => "stageId".to_owned(),
        ("STATUS_SEMANTIC_ID", Kind::Lead) => "stageSemanticId".to_owned(),
        ("COMPANY_TYPE", Kind::Company) => "typeId".to_owned(),
        ("CONTACT_ID", Kind::Company) => "contactIds".to_owned(),
        (custom, _) if custom.starts_with("UF_CRM_") => custom_item_name(custom),
        (other, _) => camel(other),
    }
}

/// `UF_CRM_SCORE` is `ufCrmScore`, `UF_CRM_1720019876534` is `ufCrm_1720019876534`: digits at the
/// end keep their line (documentation of crm.item.get).
fn custom_item_name(name: &str) -> String {
    let digits = name.rsplit('_').next().filter(|last| !last.is_empty() && last.bytes().all(|it| it.is_ascii_digit()));
    match digits {
        Some(digits) => format!("{}_{digits}", camel(&name[..name.len() - digits.len() - 1])),
        None => camel(name),
    }
}

pub(super) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, word) in name.split('_').filter(|word| !word.is_empty()).enumerate() {
        let lower = word.to_ascii_lowercase();
        let mut letters = lower.chars();
        match (index, letters.next()) {
            (0, _) | (_, None) => out.push_str(&lower),
            (_, Some(first)) => {
                out.push(first.to_ascii_uppercase());
                out.push_str(letters.as_str());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_names_are_those_of_the_documentation() {
        let check = |kind: Kind, classic: &str, item: &str| assert_eq!(item_name(kind, classic), item);
        check(Kind::Deal, "ASSIGNED_BY_ID", "assignedById");
        check(Kind::Deal, "DATE_MODIFY", "updatedTime");
        check(Kind::Deal, "UTM_SOURCE", "utmSource");
        check(Kind::Lead, "STATUS_ID", "stageId");
        check(Kind::Deal, "STAGE_ID", "stageId");
        check(Kind::Deal, "ORIGINATOR_ID", "originatorId");
        check(Kind::Contact, "UF_CRM_1720019876534", "ufCrm_1720019876534");
        check(Kind::Contact, "UF_CRM_SCORE", "ufCrmScore");
    }

    #[test]
    fn no_field_is_named_twice() {
        for kind in Kind::ALL {
            let mut names: Vec<&str> = fields(kind).map(|field| field.name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{kind:?}");
        }
    }
}
