//! What is shown of the certificate of the listener.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the certificate of the listener stands.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CertificateView {
    /// When it runs out; `null`: there is none yet.
    pub not_after: Option<String>,
    /// Whole days until then; negative when it has run out.
    pub days_left: Option<i64>,
    /// What is wrong, and the next step.
    pub trouble: Option<String>,
    /// When the next order is tried, after one that failed.
    pub next_try: Option<String>,
}
