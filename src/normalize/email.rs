//! E-mail addresses: text -> the address to write to and the key to compare by.
//!
//! The key folds what one provider treats as one box: letter case, gmail's dots and `+tag`,
//! `ya.ru` and the other doors of Yandex, its `-` and `.`. The address itself keeps the writer's
//! local part: some servers do tell case apart.

use compact_str::CompactString;

use super::Normalized;
use super::script::{is_cyrillic, is_invisible, to_latin};
use crate::base::Message;
use crate::model::{Email, Issue};

/// Bytes of an address (RFC 5321).
const ADDRESS_BYTES_MAX: usize = 254;
/// Bytes of the part before `@` (RFC 5321).
const LOCAL_BYTES_MAX: usize = 64;
/// Addresses of one text; more are not read.
const ADDRESSES_MAX: usize = 20;

/// The first address of `text`.
pub fn email(text: &str) -> Normalized<Email> {
    let mut all = emails(text);
    if let Some(several) = all.value.as_ref().filter(|it| it.len() > 1) {
        let message = Message::new("normalize-email-several").with("count", several.len());
        all.issues.push(Issue::new("email", message, text));
    }
    Normalized { value: all.value.and_then(|it| it.into_iter().next()), issues: all.issues }
}

/// Every address of `text`, in order, each once.
pub fn emails(text: &str) -> Normalized<Vec<Email>> {
    if text.trim().is_empty() {
        return Normalized::nothing();
    }
    let mut found: Vec<Email> = Vec::new();
    let mut repaired = false;
    for candidate in candidates(text) {
        let Some((email, was_repaired)) = read(&candidate) else { continue };
        repaired |= was_repaired;
        if found.len() < ADDRESSES_MAX && !found.iter().any(|it| it.key == email.key) {
            found.push(email);
        }
    }
    if found.is_empty() {
        return Normalized::refused("email", Message::new("normalize-email-invalid"), text);
    }
    let normalized = Normalized::clean(found);
    if repaired { normalized.with_issue("email", "normalize-email-repaired", text) } else { normalized }
}

/// Runs of `text` that hold an `@`.
fn candidates(text: &str) -> Vec<String> {
    let visible: String = text.chars().filter(|it| !is_invisible(*it)).collect();
    let mut joined = String::with_capacity(visible.len());
    // ` @ ` is one word; so is a comma that stands for the point before the last label.
    let words: Vec<&str> = visible.split(['@', '＠']).map(str::trim).collect();
    joined.push_str(&words.join("@"));
    let is_border = |it: char| it.is_whitespace() || matches!(it, ';' | '<' | '>' | '(' | ')' | '[' | ']' | '"' | '|');
    let mut candidates = Vec::new();
    for run in joined.split(is_border) {
        match run.matches('@').count() {
            0 => (),
            1 => candidates.push(run.to_owned()),
            _ => candidates.extend(run.split([',', '/']).map(str::to_owned)),
        }
    }
    candidates
}

/// The address of one run, and whether it had to be repaired.
fn read(run: &str) -> Option<(Email, bool)> {
    let run = run.trim_matches(|it: char| matches!(it, '\'' | '`' | '«' | '»' | '“' | '”' | ',' | ':' | '!'));
    let scheme = run.get(..7).filter(|it| it.eq_ignore_ascii_case("mailto:")).map_or(0, str::len);
    let run = run[scheme..].split('?').next().unwrap_or("");
    let (local, domain) = run.split_once('@')?;
    // `Почта:ivan@example.ru` and `info,ivan@example.ru`.
    let (prefixed, local) = local.rsplit_once([':', ',', '/']).map_or((false, local), |(_, it)| (true, it));
    let domain = domain.trim_end_matches(['.', ',', ':', '!', '\'', '/', '»']).to_lowercase();
    let (local, local_folded) = latin_if_mixed(local);
    let (domain, domain_repaired) = repaired_domain(&domain);
    let address = format!("{local}@{domain}");
    let fits = is_local(&local) && is_domain(&domain) && address.len() <= ADDRESS_BYTES_MAX;
    let email = Email { key: key(&local, &domain), address: CompactString::from(address) };
    fits.then_some((email, prefixed || local_folded || domain_repaired))
}

/// Latin letters instead of Cyrillic look-alikes, when the word has letters of both scripts.
fn latin_if_mixed(word: &str) -> (String, bool) {
    let mixed = word.chars().any(is_cyrillic) && word.chars().any(|it| it.is_ascii_alphabetic());
    match mixed.then(|| latin(word)).flatten() {
        Some(latin) => (latin, true),
        None => (word.to_owned(), false),
    }
}

fn latin(word: &str) -> Option<String> {
    word.chars().map(|it| if is_cyrillic(it) { to_latin(it) } else { Some(it) }).collect()
}

fn repaired_domain(domain: &str) -> (String, bool) {
    let mut labels: Vec<String> = domain.split('.').map(str::to_owned).collect();
    // `mail,ru`: a comma for the point.
    if let [only] = labels.as_slice()
        && let Some((name, top)) = only.split_once(',')
    {
        labels = vec![name.to_owned(), top.to_owned()];
    }
    labels.retain(|label| !label.is_empty());
    let top = match labels.last().map(String::as_str) {
        Some("ру") => Some("ru"),
        Some("сом") => Some("com"),
        _ => None,
    };
    if let (Some(top), Some(last)) = (top, labels.last_mut()) {
        *last = top.to_owned();
    }
    // A wholly Cyrillic name lives under a Cyrillic top level only; under `.ru` it is look-alikes.
    let top_is_ascii = labels.last().is_some_and(|it| it.is_ascii());
    for label in &mut labels {
        let (folded, _) = latin_if_mixed(label);
        *label = folded;
        if top_is_ascii
            && label.chars().any(is_cyrillic)
            && let Some(folded) = latin(label)
        {
            *label = folded;
        }
    }
    let repaired = labels.join(".");
    let changed = repaired != domain;
    (repaired, changed)
}

fn is_local(local: &str) -> bool {
    let allowed = |it: char| it.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(it);
    !local.is_empty()
        && local.len() <= LOCAL_BYTES_MAX
        && local.chars().all(allowed)
        && local.chars().any(char::is_alphanumeric)
}

fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let allowed = |it: char| it.is_alphanumeric() || it == '-';
    let is_label = |label: &&str| {
        let edges = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && label.len() <= 63 && !edges && label.chars().all(allowed)
    };
    let top = labels.last().copied().unwrap_or("");
    let top_fits = top.chars().count() >= 2 && top.chars().any(char::is_alphabetic);
    labels.len() >= 2 && labels.iter().all(is_label) && top_fits
}

/// Providers that drop `+tag` and are else plain.
const TAGGED: &[&str] = &[
    "mail.ru",
    "bk.ru",
    "inbox.ru",
    "list.ru",
    "internet.ru",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "icloud.com",
    "me.com",
    "proton.me",
    "protonmail.com",
    "fastmail.com",
    "rambler.ru",
];

fn key(local: &str, domain: &str) -> CompactString {
    let local = local.to_lowercase();
    let untagged = local.split('+').next().filter(|it| !it.is_empty()).unwrap_or(&local);
    let is_yandex = domain == "ya.ru" || domain.strip_prefix("yandex.").is_some_and(|it| YANDEX_TOPS.contains(&it));
    if matches!(domain, "gmail.com" | "googlemail.com") {
        let plain = untagged.replace('.', "");
        let plain = if plain.is_empty() { untagged } else { &plain };
        return CompactString::from(format!("{plain}@gmail.com"));
    }
    if is_yandex {
        return CompactString::from(format!("{}@yandex.ru", untagged.replace('-', ".")));
    }
    let local = if TAGGED.contains(&domain) { untagged } else { &local };
    CompactString::from(format!("{local}@{domain}"))
}

const YANDEX_TOPS: &[&str] = &["ru", "com", "by", "kz", "ua", "uz", "com.tr", "az", "com.am", "com.ge", "co.il", "kg"];
