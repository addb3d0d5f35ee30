//! Why a leg of the exchange fails, as 1C would log it.

use super::Transcript;
use crate::base::Message;

/// Why a leg failed, and what was said until then.
#[derive(Debug, thiserror::Error)]
#[error("{}", .cause.message())]
pub struct ExchangeFault {
    /// What 1C would log.
    #[source]
    pub cause: FaultCause,
    /// The requests so far, the failed one last.
    pub transcript: Transcript,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum FaultCause {
    /// No answer, or half of one.
    #[error("{}", self.message())]
    Transport(#[source] reqwest::Error),
    /// Another status than 200 (UNF).
    #[error("{}", self.message())]
    Status {
        /// Which.
        status: u16,
    },
    /// An answer without a byte.
    #[error("{}", self.message())]
    EmptyBody,
    /// `checkauth` was not a success, or has no cookie.
    #[error("{}", self.message())]
    NotAuthorised {
        /// What the site said.
        reply: String,
    },
    /// `init` does not read by the profile's rules.
    #[error("{}", self.message())]
    BadInit {
        /// What the site said.
        reply: String,
    },
    /// A file was not taken.
    #[error("{}", self.message())]
    FileRefused {
        /// The name in the request.
        file: String,
        /// What the site said.
        reply: String,
    },
    /// `import` said `failure`.
    #[error("{}", self.message())]
    ImportRefused {
        /// The file.
        file: String,
        /// What the site said.
        reply: String,
    },
    /// `import` said something that is no status.
    #[error("{}", self.message())]
    ImportUnknown {
        /// The file.
        file: String,
        /// What the site said.
        reply: String,
    },
    /// `import` still says `progress`.
    #[error("{}", self.message())]
    ImportEndless {
        /// The file.
        file: String,
        /// How often it was asked.
        polls: u32,
    },
    /// The orders of the site begin with neither `PK` nor `<?xml`.
    #[error("{}", self.message())]
    OrdersUnreadable {
        /// How they begin.
        reply: String,
    },
    /// The site refused the confirmation (UNF).
    #[error("{}", self.message())]
    ConfirmationRefused {
        /// What the site said.
        reply: String,
    },
    /// The archive could not be packed.
    #[error("{}", self.message())]
    Archive(#[source] zip::result::ZipError),
}

impl FaultCause {
    /// The text for people.
    pub fn message(&self) -> Message {
        match self {
            FaultCause::Transport(_) => Message::new("twin-exchange-transport"),
            FaultCause::Status { status } => Message::new("twin-exchange-status").with("status", status),
            FaultCause::EmptyBody => Message::new("twin-exchange-empty"),
            FaultCause::NotAuthorised { reply } => Message::new("twin-exchange-not-authorised").with("reply", reply),
            FaultCause::BadInit { reply } => Message::new("twin-exchange-bad-init").with("reply", reply),
            FaultCause::FileRefused { file, reply } => {
                Message::new("twin-exchange-file-refused").with("file", file).with("reply", reply)
            }
            FaultCause::ImportRefused { file, reply } => {
                Message::new("twin-exchange-import-refused").with("file", file).with("reply", reply)
            }
            FaultCause::ImportUnknown { file, reply } => {
                Message::new("twin-exchange-import-unknown").with("file", file).with("reply", reply)
            }
            FaultCause::ImportEndless { file, polls } => {
                Message::new("twin-exchange-import-endless").with("file", file).with("polls", polls)
            }
            FaultCause::OrdersUnreadable { reply } => {
                Message::new("twin-exchange-orders-unreadable").with("reply", reply)
            }
            FaultCause::ConfirmationRefused { reply } => {
                Message::new("twin-exchange-confirmation-refused").with("reply", reply)
            }
            FaultCause::Archive(_) => Message::new("twin-exchange-archive"),
        }
    }
}
