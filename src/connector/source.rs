//! The inbound half of a manifest.

use crate::base::Slug;
use crate::value::Path;

/// How bytes come in. Each is a named strategy, documented in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A POST to `/in/{connection}/{secret}`: forms and webhooks without a signature.
    Webhook,
    /// The 1C exchange protocol (`checkauth`, `init`, `file`, `import`).
    Exchange1c,
}

/// A request by which the sender only tests the address: answered with success, not journalled
/// as a lead (Tilda sends `test=test`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRequest {
    /// Name of the field.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// A field that people do not see: filled means spam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Honeypot {
    /// Names of such fields.
    pub fields: Vec<String>,
}

/// The inbound half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// How bytes come in.
    pub transport: Transport,
    /// Body of a successful answer (`ok` for Tilda); JSON or redirect by `Accept` when empty.
    pub answer: String,
    /// How the sender tests the address.
    pub test: Option<TestRequest>,
    /// Fields that mean spam when filled.
    pub honeypot: Option<Honeypot>,
    /// Kinds of records.
    pub streams: Vec<StreamSpec>,
}

/// One kind of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Its name; its mapping is `mappings/<connector>/<name>.in.toml`.
    pub name: Slug,
    /// Paths at which the sender's own id of the submission stands; the first filled one is the
    /// idempotency key.
    pub idempotency: Vec<Path>,
    /// Without such an id: equal content within this many seconds is one submission.
    pub window_s: u32,
    /// For how many days a key is remembered: longer than the sender's longest retry.
    pub remember_days: u32,
    /// Compare field names without regard to case and to `_`, `-` and spaces.
    pub fold_names: bool,
    /// Paths of values that are never kept as extra nor shown (captcha tokens and the like).
    pub drop: Vec<Path>,
}
