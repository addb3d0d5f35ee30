//! Something repaired or missing in a record. Not an error: the record goes on.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::base::Message;

/// What was odd, where, and what stood there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The canonical field or the path in the record.
    pub field: CompactString,
    /// What was odd and what we did.
    pub message: Message,
    /// The original text (cut at `limits::EXTRA_VALUE_BYTES_MAX`). Never logged.
    pub original: String,
}

impl Issue {
    /// An issue of `field`.
    pub fn new(field: &str, message: Message, original: impl Into<String>) -> Issue {
        let mut original: String = original.into();
        if original.len() > crate::base::limits::EXTRA_VALUE_BYTES_MAX {
            let mut end = crate::base::limits::EXTRA_VALUE_BYTES_MAX;
            while !original.is_char_boundary(end) {
                end -= 1;
            }
            original.truncate(end);
        }
        Issue { field: field.into(), message, original }
    }
}
