//! Russian requisites. Their checksums are checked by `normalize`, which alone makes them.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

macro_rules! requisite {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub CompactString);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

requisite!(
    /// ИНН: 10 digits of a legal entity or 12 of a person or entrepreneur, checksum good.
    Inn
);
requisite!(
    /// КПП: 9 characters; tells units of one legal entity apart.
    Kpp
);
requisite!(
    /// ОГРН (13) or ОГРНИП (15), checksum good.
    Ogrn
);

impl Inn {
    /// Whether it is a company's (10 digits).
    pub fn is_company(&self) -> bool {
        self.0.len() == 10
    }
}
