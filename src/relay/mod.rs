//! A relay and its office: how envelopes that a small daemon on a public host took come into the
//! journal of the daemon in the office, which nobody can reach from outside.
//!
//! The relay (`uzel relay run`) verifies and answers senders as the daemon does and keeps what it
//! acknowledged in a journal of its own. The office asks for it over connections that it opens
//! itself. [`Desk`] is the relay's side, [`Link`] the office's; [`Batch`] is what goes over the wire.
//! Sockets of the relay belong to `http`; what the office does with envelopes is `task::relay`.
//!
//! **Guaranteed.** What the relay acknowledged is in the office once, in the order in which the relay
//! took it. The relay's position rides in the note of each envelope (`entry::Relayed`), so the
//! office's cursor and the envelope are one entry of its journal. The relay keeps everything until the
//! office has confirmed it, and some days longer. Either side and the link may die at any point: the
//! office asks again from its own cursor; what it has twice all the same (it never should) is a
//! repetition by its idempotency key.
//!
//! **Named states**, each with what to do: the token is wrong; another office took the relay over
//! ([`Refused::Fenced`]: the one that attached last pulls, the other stops for good); the relay's
//! folder was made anew (another [`RelayId`]); its journal was put back to an earlier state
//! ([`Refused::RolledBack`]); something else answers at the address; one side is too new.
//!
//! **The protocol, version 1.** HTTP, any version of TLS in front. Every request carries
//! `Authorization: Bearer <token>`; without it the answer is 401. `instance` is 1 to 64 characters
//! `a-z0-9` that the office makes up at each start.
//!
//! - `POST /relay/v1/attach?instance=I` makes I the one who pulls. 200, JSON: `{"relay": "<32 hex>",
//!   "version": "0.1.0", "protocol": 1, "first": 1, "head": 17, "confirmed": 16, "now_ms": ...}`.
//! - `GET /relay/v1/entries?instance=I&relay=R&after=P&print=F&bytes=N&wait_s=S` waits up to S seconds
//!   (at most 20) until there is an entry behind P or a hint. F, empty for P = 0, is the fingerprint of
//!   the entry at P (32 hex) as the office knows it; it is compared while the relay still has that
//!   entry. 200, a batch: entries from P + 1 on (from the oldest kept on, when that one is gone),
//!   payloads of about N bytes together and at least one.
//! - `GET /relay/v1/body?instance=I&relay=R&position=P&from=O`: the bytes of the body of entry P from
//!   O on, at most 1 MiB, as they are. Only for bodies that lie in a file of their own; their length
//!   and fingerprint stand in the entry.
//! - `POST /relay/v1/confirmed?instance=I&relay=R&position=P`: the office has synced everything up to P.
//!   204.
//! - Refusals are JSON, `{"error": "<word>", "message": "..."}`: 409 `fenced`, `other_relay`,
//!   `rolled_back`; 400 `asked` (a parameter does not read); 500 `journal` (it cannot be read).
//!
//! A batch, integers little-endian:
//!
//! ```text
//!  0   3  "UZR"
//!  3   1  version, 1
//!  4   4  length of everything from byte 12 on
//!  8   4  CRC32C of the same
//! 12  16  the relay
//! 28   8  its clock, ms since 1970, signed
//! 36   8  the oldest position it keeps
//! 44   8  its newest synced position; 0: none
//! 52   8  the confirmed position; 0: none
//! 60   4  count of entries
//! 64   4  count of hints
//! then, for each entry: 8 position, 4 length, payload (a `Received`, as `entry` writes it)
//! then, for each hint: connection, stream, id; each 2 length and UTF-8
//! ```
//!
//! A batch that does not come whole counts as not come. A hint is given once and may be lost: what it
//! tells of is seen by the next regular look (`source::hint`).
//!
//! A new version gets a new path (`/relay/v2/`) and the old one stays for as long as one release of
//! Uzel may meet the other. An entry written by a newer relay stops the office with a word to update.

mod batch;
mod desk;
mod link;

pub use batch::{BATCH_TYPE, Batch, BatchError, Facts, Hint, NotRelayId, RelayId};
pub use desk::{Asked, Attached, Desk, DeskError, Refused, Standing, write_owner_only};
pub use link::{Link, Trouble};

/// Version of the protocol.
pub const PROTOCOL: u32 = 1;
