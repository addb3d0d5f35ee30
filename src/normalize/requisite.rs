//! ИНН, КПП, ОГРН with their checksums.
//!
//! Checksums: facts/scoring.md 5.2. An ИНН of region 00 passes the checksum (all zeros) and is
//! refused; a leading zero that a spreadsheet lost is put back when the checksum then agrees.

use compact_str::CompactString;

use super::Normalized;
use super::script::line;
use crate::base::Message;
use crate::model::{Inn, Kpp, Ogrn};

/// ИНН: 10 digits of a legal entity, 12 of a person.
pub fn inn(text: &str) -> Normalized<Inn> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    let refused = |id: &str| Normalized::refused("inn", Message::new(id), text);
    let Some(digits) = digits_of(left_of_slash(&clean), &["ИНН", "INN"]) else {
        return refused("normalize-inn-characters");
    };
    match digits.len() {
        10 | 12 if is_inn(&digits) => Normalized::clean(Inn(digits.into())),
        10 | 12 => refused("normalize-inn-checksum"),
        9 | 11 => {
            let padded = format!("0{digits}");
            match is_inn(&padded) {
                true => Normalized::clean(Inn(padded.into())).with_issue("inn", "normalize-inn-padded", text),
                false => refused("normalize-inn-length"),
            }
        }
        _ => refused("normalize-inn-length"),
    }
}

/// КПП: nine characters, the fifth and sixth may be letters. It has no checksum.
pub fn kpp(text: &str) -> Normalized<Kpp> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    let right = clean.rsplit_once('/').map_or(clean.as_str(), |(_, right)| right);
    let upper = without_label(right, &["КПП", "KPP"]).replace([' ', '-'], "").to_uppercase();
    if is_kpp(&upper) {
        return Normalized::clean(Kpp(upper.into()));
    }
    let padded = format!("0{upper}");
    if upper.len() == 8 && is_kpp(&padded) {
        return Normalized::clean(Kpp(padded.into())).with_issue("kpp", "normalize-kpp-padded", text);
    }
    Normalized::refused("kpp", Message::new("normalize-kpp-shape"), text)
}

/// ОГРН (13 digits) or ОГРНИП (15).
pub fn ogrn(text: &str) -> Normalized<Ogrn> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    let digits = digits_of(&clean, &["ОГРНИП", "ОГРН", "OGRN"]);
    match digits.filter(|digits| is_ogrn(digits)) {
        Some(digits) => Normalized::clean(Ogrn(CompactString::from(digits))),
        None => Normalized::refused("ogrn", Message::new("normalize-ogrn-checksum"), text),
    }
}

fn left_of_slash(text: &str) -> &str {
    // `ИНН/КПП 7707083893/773601001`: the label has the slash too.
    let labelled = text.get(.."ИНН/КПП".len()).filter(|it| it.to_uppercase() == "ИНН/КПП");
    let values = labelled.map_or(text, |label| &text[label.len()..]);
    values.split('/').next().unwrap_or(values)
}

fn without_label<'a>(text: &'a str, labels: &[&str]) -> &'a str {
    for label in labels {
        if text.get(..label.len()).is_some_and(|it| it.to_uppercase() == *label) {
            return text[label.len()..].trim_start_matches([' ', ':', '№', '=']);
        }
    }
    text.trim_start_matches([' ', ':'])
}

/// Only the digits of `text`; `None` when there is anything but digits and separators.
fn digits_of(text: &str, labels: &[&str]) -> Option<String> {
    let text = without_label(text, labels).trim();
    // A spreadsheet made a number of it.
    let text = text.strip_suffix(".0").or_else(|| text.strip_suffix(".00")).unwrap_or(text);
    let mut digits = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '0'..='9' => digits.push(it),
            ' ' | '-' | '\'' => (),
            _ => return None,
        }
    }
    (!digits.is_empty()).then_some(digits)
}

fn is_inn(digits: &str) -> bool {
    const W10: [u32; 9] = [2, 4, 10, 3, 5, 9, 4, 6, 8];
    const W11: [u32; 10] = [7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    const W12: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    let digits: Vec<u32> = digits.bytes().map(|it| u32::from(it - b'0')).collect();
    let check = |weights: &[u32]| {
        let sum: u32 = weights.iter().zip(&digits).map(|(weight, digit)| weight * digit).sum();
        digits.get(weights.len()) == Some(&(sum % 11 % 10))
    };
    let has_region = digits.len() >= 2 && (digits[0], digits[1]) != (0, 0);
    has_region
        && match digits.len() {
            10 => check(&W10),
            12 => check(&W11) && check(&W12),
            _ => false,
        }
}

fn is_ogrn(digits: &str) -> bool {
    let check = |modulus: u64| {
        let (head, last) = digits.split_at(digits.len() - 1);
        match (head.parse::<u64>(), last.parse::<u64>()) {
            (Ok(head), Ok(last)) => head > 0 && head % modulus % 10 == last,
            _ => false,
        }
    };
    match digits.len() {
        13 => check(11),
        15 => check(13),
        _ => false,
    }
}

fn is_kpp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = |(index, byte): (usize, &u8)| match index {
        4 | 5 => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        _ => byte.is_ascii_digit(),
    };
    bytes.len() == 9 && bytes.iter().enumerate().all(fits) && !text.starts_with("0000")
}
