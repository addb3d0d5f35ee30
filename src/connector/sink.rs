//! The outbound half of a manifest: what is sent, and what its answers mean.

use compact_str::CompactString;

use super::body::{BodyTemplate, PathTemplate};
use crate::base::Slug;
use crate::base::limits::DELIVERY_BATCH_MAX;
use crate::value::Path;

/// The outbound half.
#[derive(Debug, Clone, PartialEq)]
pub struct SinkSpec {
    /// The setting that holds the base address (`webhook_url`).
    pub address: String,
    /// How we say who we are.
    pub auth: Auth,
    /// How bodies are written.
    pub body: BodyStyle,
    /// How several requests travel as one, if they can.
    pub batch: Option<BatchStrategy>,
    /// Where the code of an error stands in an answer.
    pub error_code: Option<Path>,
    /// Where the text of an error stands in an answer.
    pub error_text: Option<Path>,
    /// Requests in time.
    pub quota: Quota,
    /// Work of the foreign server in time, per method.
    pub budget: Option<Budget>,
    /// The cheapest request there is: it finds out whether a system that failed is there again.
    pub knock: Option<RequestSpec>,
    /// Meaning of answers; the first that fits.
    pub rules: Vec<ResponseRule>,
    /// How long a request whose answer was lost may still be at work there, s; a connection's
    /// setting of the same name comes before.
    pub settle_s: u32,
    /// Kinds of foreign objects, in the order in which they need each other.
    pub objects: Vec<ObjectSpec>,
}

impl SinkSpec {
    /// The object of the foreign kind `kind`.
    pub fn object(&self, kind: &str) -> Option<&ObjectSpec> {
        self.objects.iter().find(|it| *it.kind == *kind)
    }

    /// Objects that one request can carry.
    pub fn together_max(&self) -> usize {
        match self.batch {
            Some(BatchStrategy::Bitrix24) => DELIVERY_BATCH_MAX,
            None => 1,
        }
    }

    /// Objects of this kind that one request can import.
    pub fn import_max(&self, kind: &str) -> usize {
        self.object(kind).and_then(|object| object.import.as_ref()).map_or(1, |import| import.rows_max)
    }

    /// The foreign kind in which the sink keeps such an object of ours.
    pub fn kind_of(&self, object: ObjectKind, client: Option<ClientSort>) -> Option<&ObjectSpec> {
        let fits = |it: &&ObjectSpec| it.of == object && (it.client_kind.is_none() || it.client_kind == client);
        self.objects.iter().find(fits)
    }
}

/// How we say who we are. Only what is implemented can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// The address itself is the secret (Bitrix24 inbound webhook).
    PathSecret,
    /// `Authorization: Bearer` with the secret of this setting.
    Bearer(String),
    /// A header with the secret of a setting.
    Header {
        /// Name of the header.
        name: String,
        /// The setting.
        setting: String,
    },
    /// A signature of each message by the secret of this setting, as Standard Webhooks 1.0.0 has it.
    StandardWebhooks(String),
    /// A parameter of the query with the secret of a setting.
    Query {
        /// Name of the parameter.
        name: String,
        /// The setting.
        setting: String,
    },
}

/// How bodies are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyStyle {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`, nested as PHP reads it (`fields[PHONE][0][VALUE]`).
    Form,
}

/// Named strategies of sending several requests as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStrategy {
    /// Bitrix24 `batch`: up to 50 commands in URL form, answers per command.
    Bitrix24,
}

/// Requests in time: a bucket of `burst` that refills at `requests` per `per_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests...
    pub requests: u32,
    /// ...per so many milliseconds.
    pub per_ms: u32,
    /// Requests at once after a rest.
    pub burst: u32,
}

/// Work of the foreign server in time. A method that has spent `limit_s` waits for its reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Where an answer says how many seconds the method has spent.
    pub spent: Path,
    /// Where an answer says when that ends (seconds since 1970).
    pub reset_at: Path,
    /// Spent seconds at which we stop by ourselves: below the foreign limit.
    pub limit_s: u32,
    /// How the names of hosts with another limit end (`.example.com`), and that limit.
    pub hosts: Vec<(CompactString, u32)>,
}

impl Budget {
    /// Spent seconds at which we stop at this host (`name` or `name:port`).
    pub fn limit_s_at(&self, host: &str) -> u32 {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let ends = |end: &str| name.len() > end.len() && name.to_ascii_lowercase().ends_with(end);
        self.hosts.iter().find(|(end, _)| ends(end)).map_or(self.limit_s, |(_, limit_s)| *limit_s)
    }
}

/// Method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// GET: the body goes to the query.
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSpec {
    /// Method of HTTP.
    pub http: Http,
    /// Path below the base address.
    pub path: PathTemplate,
    /// Body.
    pub body: BodyTemplate,
}

/// Kind of one of our objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A client.
    Client,
    /// A deal.
    Deal,
    /// An interaction.
    Interaction,
    /// A task.
    Task,
}

/// Which clients a foreign kind is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientSort {
    /// Persons.
    Person,
    /// Companies and entrepreneurs.
    Company,
}

/// Whether a create can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Create {
    /// The sink has a natural key: the same create twice makes one object.
    Keyed,
    /// It can be looked up by our id.
    Findable,
    /// Neither: an uncertain create goes to a person.
    Neither,
}

/// One kind of foreign object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectSpec {
    /// The foreign kind (`contact`).
    pub kind: Slug,
    /// What it is with us.
    pub of: ObjectKind,
    /// Only for clients of this kind.
    pub client_kind: Option<ClientSort>,
    /// Name of the outbound mapping: `mappings/<connector>/<mapping>.out.toml`.
    pub mapping: String,
    /// Whether a create can be repeated.
    pub create_kind: Create,
    /// Field to which a line with our id is added, so that the object can be found by it.
    pub marker: Option<String>,
    /// Fields with several values, which an update must compare with what the sink holds.
    pub multi: Vec<MultiField>,
    /// Makes the object.
    pub create: RequestSpec,
    /// Where the answer to a create says the id; absent where our own id is the natural key.
    pub id: Option<Path>,
    /// Makes objects of history, in place of `create`: nothing starts there because of them.
    pub import: Option<ImportSpec>,
    /// Changes the object; without it the object is told once and never changed.
    pub update: Option<RequestSpec>,
    /// Ends the object, where that is a request of its own.
    pub finish: Option<FinishSpec>,
    /// Reads the object.
    pub get: Option<GetSpec>,
    /// How to look for it, in this order.
    pub find: Vec<FindSpec>,
    /// Fields of our own and how to make them.
    pub provision: Option<Provision>,
    /// Where a person sees the object in the foreign system: a path below the origin of its
    /// address, with `$id`.
    pub page: Option<String>,
}

impl ObjectSpec {
    /// The address at which a person sees the object `id`; `origin` is `https://company.example`.
    pub fn page_of(&self, origin: &str, id: &str) -> Option<String> {
        // An id comes from outside and goes into a link: only what cannot lead elsewhere.
        let is_plain = !id.is_empty() && id.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
        let page = self.page.as_ref().filter(|_| is_plain)?;
        Some(format!("{origin}{}", page.replace("$id", id)))
    }
}

/// A field with several values: a list of objects, each with a value and, when it is held, an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiField {
    /// Its name.
    pub name: String,
    /// Where the value stands in an item.
    pub value: String,
    /// Where the id stands in a held item.
    pub id: String,
    /// How two values are compared.
    pub compare: Compare,
}

/// How two values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// By digits; a leading 8 of a Russian number is 7.
    Digits,
    /// As text, without regard to case.
    Text,
}

/// Ends an object: sent instead of a change, and without any other, when this field differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishSpec {
    /// The field.
    pub field: String,
    /// The request.
    pub request: RequestSpec,
}

/// Makes several objects without starting anything there: no robots, no business processes.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportSpec {
    /// The request.
    pub request: RequestSpec,
    /// How an object is written as a row of it.
    pub naming: Naming,
    /// Fields that the row calls otherwise than `naming` would: name of the mapping, name there.
    pub rename: Vec<(String, String)>,
    /// Where the rows stand in the answer: one per object, in the order in which they were sent.
    pub rows: Path,
    /// Where a row says the id; a row without it says an error, where other answers say theirs.
    pub id: Path,
    /// Objects of one request.
    pub rows_max: usize,
}

/// Named ways of writing the fields of an object as a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// As they stand.
    Plain,
    /// `crm.item.*` of Bitrix24: `ASSIGNED_BY_ID` is `assignedById`, fields with several values go
    /// into `fm`, fields of our own keep their names.
    Bitrix24Item,
}

/// Reads one object.
#[derive(Debug, Clone, PartialEq)]
pub struct GetSpec {
    /// The request.
    pub request: RequestSpec,
    /// Where the object stands in the answer.
    pub record: Path,
}

/// By what an object is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindBy {
    /// Our id.
    Origin,
    /// Telephone numbers.
    Phone,
    /// E-mail addresses.
    Email,
    /// ИНН.
    Inn,
}

/// One step of looking for an object.
#[derive(Debug, Clone, PartialEq)]
pub struct FindSpec {
    /// By what.
    pub by: FindBy,
    /// The request.
    pub request: RequestSpec,
    /// Where the rows stand in the answer.
    pub rows: Path,
    /// Where the id stands in a row; without it the row is the id.
    pub id: Option<Path>,
    /// Only rows in which this field holds our id.
    pub only: Option<FindWhere>,
    /// Where the answer says where the next page begins.
    pub next: Option<Path>,
    /// Values that one request may hold; more are not looked for.
    pub values_max: usize,
}

/// A condition on a found row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindWhere {
    /// The field.
    pub contains_origin: Path,
}

/// Fields of our own in the sink.
#[derive(Debug, Clone, PartialEq)]
pub struct Provision {
    /// Lists the fields that exist.
    pub list: RequestSpec,
    /// Where the rows stand in the answer.
    pub rows: Path,
    /// Where the name stands in a row.
    pub name: Path,
    /// Where the answer says where the next page begins.
    pub next: Option<Path>,
    /// Adds one field.
    pub add: RequestSpec,
    /// Prefix that the system puts before the name by itself (`UF_CRM_`).
    pub prefix: String,
    /// The fields.
    pub fields: Vec<Custom>,
}

/// A field of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custom {
    /// Its name.
    pub name: String,
    /// Its type, in the words of the sink.
    pub kind: String,
    /// What people read beside it; Russian and English.
    pub label: (String, String),
}

/// Statuses to which a rule applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusMatch {
    /// This one.
    Exact(u16),
    /// Those that begin with this digit (`5xx`).
    Class(u8),
}

impl StatusMatch {
    /// Whether `status` is meant.
    pub fn fits(self, status: u16) -> bool {
        match self {
            StatusMatch::Exact(exact) => status == exact,
            StatusMatch::Class(class) => status / 100 == u16::from(class),
        }
    }
}

/// Meaning of an answer. All conditions given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseRule {
    /// One of these statuses; any when empty. A command inside a batch has no status: a rule with
    /// statuses and without a code or text does not apply to it.
    pub status: Vec<StatusMatch>,
    /// One of these codes of error; any when empty.
    pub code: Vec<String>,
    /// The text of the error holds this, without regard to case.
    pub text: Option<String>,
    /// Whether the body is JSON.
    pub json: Option<bool>,
    /// What follows.
    pub then: Then,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It worked.
    Done,
    /// It surely did not take effect; try again.
    Retry {
        /// When.
        after: After,
        /// What waits.
        scope: Scope,
    },
    /// Nobody knows whether it took effect.
    Uncertain,
    /// The object is not there any more.
    Gone,
    /// The object's data are refused.
    RejectObject,
    /// The system has no such method: what needs it is not to be had there, all else is.
    RejectMethod,
    /// Settings or rights of the connection are refused: all of the sink waits.
    RejectConnection,
}

/// When to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// As the schedule of retries has it.
    Schedule,
    /// After so many milliseconds.
    Ms(u32),
    /// As this header says (seconds or a date); the milliseconds when it does not.
    Header(String, u32),
    /// As the answer says at this path (seconds since 1970); the milliseconds when it does not.
    Path(Path, u32),
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This object.
    Object,
    /// This method.
    Method,
    /// The whole sink.
    Sink,
}
