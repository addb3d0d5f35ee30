//! Signed links to the page: whoever has one may look at it until it expires or is revoked.
//!
//! A token names its link and the end of its time, and carries a signature of both by a key of the
//! vault:
//!
//! ```text
//! base64url, no padding, of:  id u32 | expires, s, i64 | first 16 bytes of HMAC-SHA256
//! signed:                     "uzel page 1" | id | expires          numbers big-endian
//! ```
//!
//! The vault keeps the key (`page.key`) and the list of links that hold (`page.links`: who for, from
//! when, until when). A token is good when it is signed by the key, its time is not over, and its
//! link is on the list: revoking takes the link off the list, revoking all makes a new key too. The
//! list holds no token: one that is lost is made anew, never shown again.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::base::limits::PAGE_LINKS_MAX;
use crate::base::{Message, Secret, Timestamp};
use crate::vault::{Vault, VaultError};

const KEY: &str = "page.key";
const LINKS: &str = "page.links";
const PURPOSE: &[u8] = b"uzel page 1";
const MAC_BYTES: usize = 16;
const TOKEN_BYTES: usize = 4 + 8 + MAC_BYTES;

/// A link that was given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLink {
    /// Its number.
    pub id: u32,
    /// Whom it is for, as whoever made it says.
    pub name: String,
    /// Since when.
    pub made: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

/// What the vault keeps under `page.links`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Listed {
    /// Numbers given out so far: a revoked link's number is never given again.
    last: u32,
    links: Vec<PageLink>,
}

/// Why no link is made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum PageLinkError {
    /// The vault is not written.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// There are too many.
    #[error("{0}")]
    TooMany(Message),
}

impl PageLinkError {
    /// The text for people.
    pub fn message(&self) -> &Message {
        match self {
            PageLinkError::Vault(error) => error.message(),
            PageLinkError::TooMany(message) => message,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct PageLinks {
    vault: Arc<Vault>,
    /// Held from reading the list to writing it.
    changing: Mutex<()>,
}

impl PageLinks {
    /// Over the vault of one folder.
    pub fn new(vault: Arc<Vault>) -> PageLinks {
        PageLinks { vault, changing: Mutex::new(()) }
    }

    /// Gives out a link; the token is in nobody's hands but the caller's.
    pub fn make(&self, name: &str, expires: Timestamp, now: Timestamp) -> Result<(PageLink, Secret), PageLinkError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listed = self.listed();
        listed.links.retain(|link| link.expires > now);
        // Bound: links that hold; those whose time is over have just left.
        if listed.links.len() >= PAGE_LINKS_MAX {
            return Err(PageLinkError::TooMany(Message::new("page-links-too-many").with("max", PAGE_LINKS_MAX)));
        }
        let key = match self.vault.get(KEY) {
            Some(key) => key,
            None => {
                let key = Secret::generate();
                self.vault.set(KEY, key.clone())?;
                key
            }
        };
        listed.last += 1;
        // To the second: that is what the token says.
        let expires = Timestamp(expires.0.div_euclid(1000) * 1000);
        let link = PageLink { id: listed.last, name: name.to_owned(), made: now, expires };
        listed.links.push(link.clone());
        self.keep(&listed)?;
        let token = token(&key, &link);
        Ok((link, token))
    }

    /// Links that hold, the oldest first.
    pub fn all(&self, now: Timestamp) -> Vec<PageLink> {
        self.listed().links.into_iter().filter(|link| link.expires > now).collect()
    }

    /// The link that a token belongs to, if it holds.
    pub fn open(&self, token: &str, now: Timestamp) -> Option<PageLink> {
        let key = self.vault.get(KEY)?;
        let bytes: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (named, given) = bytes.split_at(TOKEN_BYTES - MAC_BYTES);
        let is_ours: bool = mac(&key, named).ct_eq(given).into();
        let id = u32::from_be_bytes(*named.first_chunk()?);
        let link = self.listed().links.into_iter().find(|link| link.id == id && link.expires > now)?;
        (is_ours && signed(&link) == *named).then_some(link)
    }

    /// Takes one back; `None`: there is no such link.
    pub fn revoke(&self, id: u32) -> Result<Option<PageLink>, PageLinkError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listed = self.listed();
        let Some(index) = listed.links.iter().position(|link| link.id == id) else { return Ok(None) };
        let link = listed.links.remove(index);
        self.keep(&listed)?;
        Ok(Some(link))
    }

    /// Takes all of them back; how many there were.
    pub fn revoke_all(&self) -> Result<usize, PageLinkError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = self.listed();
        let count = listed.links.len();
        self.vault.set(KEY, Secret::generate())?;
        self.keep(&Listed { last: listed.last, links: Vec::new() })?;
        Ok(count)
    }

    /// A list that does not read holds no link: they are made anew.
    fn listed(&self) -> Listed {
        let text = self.vault.get(LINKS);
        text.and_then(|text| serde_json::from_str(text.expose()).ok()).unwrap_or_default()
    }

    fn keep(&self, listed: &Listed) -> Result<(), VaultError> {
        let text = serde_json::to_string(listed).expect("a list of numbers and texts has its JSON");
        self.vault.set(LINKS, Secret::new(text))
    }
}

fn signed(link: &PageLink) -> [u8; TOKEN_BYTES - MAC_BYTES] {
    let mut bytes = [0; TOKEN_BYTES - MAC_BYTES];
    bytes[..4].copy_from_slice(&link.id.to_be_bytes());
    bytes[4..].copy_from_slice(&link.expires.0.div_euclid(1000).to_be_bytes());
    bytes
}

fn mac(key: &Secret, named: &[u8]) -> [u8; MAC_BYTES] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes());
    let tag = hmac::sign(&key, &[PURPOSE, named].concat());
    *tag.as_ref().first_chunk().expect("a SHA-256 has 32 bytes")
}

fn token(key: &Secret, link: &PageLink) -> Secret {
    let named = signed(link);
    Secret::new(URL_SAFE_NO_PAD.encode([&named[..], &mac(key, &named)].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;
    const NOW: Timestamp = Timestamp(1_780_000_000_123);

    fn links() -> (tempfile::TempDir, PageLinks) {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(&folder.path().join("vault.json")).expect("an empty vault");
        (folder, PageLinks::new(Arc::new(vault)))
    }

    #[test]
    fn a_link_opens_until_its_time_is_over() {
        let (_folder, links) = links();
        let (link, token) = links.make("Иванова", NOW.plus_ms(DAY_MS), NOW).expect("it is made");
        assert_eq!((link.id, link.name.as_str()), (1, "Иванова"));
        assert_eq!(links.open(token.expose(), NOW), Some(link.clone()));
        assert_eq!(links.open(token.expose(), NOW.plus_ms(DAY_MS - 1_000)), Some(link));
        assert_eq!(links.open(token.expose(), NOW.plus_ms(DAY_MS)), None);
    }

    #[test]
    fn what_was_taken_back_opens_no_more_and_the_others_do() {
        let (_folder, links) = links();
        let make = |name: &str| links.make(name, NOW.plus_ms(DAY_MS), NOW).expect("it is made");
        let ((first, one), (_, two)) = (make("one"), make("two"));
        assert_eq!(links.revoke(first.id).expect("written").map(|it| it.name), Some("one".to_owned()));
        assert_eq!(links.revoke(first.id).expect("written"), None);
        assert_eq!(links.open(one.expose(), NOW), None);
        assert!(links.open(two.expose(), NOW).is_some());
        assert_eq!(links.revoke_all().expect("written"), 1);
        assert_eq!(links.open(two.expose(), NOW), None);
        assert_eq!(make("three").0.id, 3, "numbers are never given again");
    }

    #[test]
    fn every_changed_letter_of_a_token_closes_it() {
        let (_folder, links) = links();
        let (_, token) = links.make("one", NOW.plus_ms(DAY_MS), NOW).expect("it is made");
        links.make("two", NOW.plus_ms(DAY_MS), NOW).expect("it is made");
        let token = token.expose();
        for index in 0..token.len() {
            for letter in ["A", "b", "_"] {
                let mut changed = token.to_owned();
                changed.replace_range(index..=index, letter);
                let opens = links.open(&changed, NOW).is_some();
                assert_eq!(opens, changed == token, "{changed}");
            }
        }
        for odd in ["", "a", "ключ", &token[1..], &format!("{token}A"), &"A".repeat(10_000)] {
            assert!(links.open(odd, NOW).is_none(), "{odd}");
        }
    }

    #[test]
    fn links_are_bounded_and_those_of_the_past_make_room() {
        let (_folder, links) = links();
        for number in 0..PAGE_LINKS_MAX {
            links.make(&number.to_string(), NOW.plus_ms(DAY_MS), NOW).expect("there is room");
        }
        let refused = links.make("one more", NOW.plus_ms(DAY_MS), NOW).expect_err("there is none");
        assert_eq!(refused.message().id, "page-links-too-many");
        let later = NOW.plus_ms(2 * DAY_MS);
        links.make("later", later.plus_ms(DAY_MS), later).expect("the others are over");
        assert_eq!(links.all(later).len(), 1);
    }
}
