//! Numbers, money, currencies, yes and no.
//!
//! One separator with exactly three digits after it (`1.234`) is ambiguous. The choice: it is a
//! decimal point or comma, because that is what programs write (1C writes `231.740`); when the
//! text also shows a person's hand, a rouble sign or a Russian word (`50.000 руб.`), it separates
//! thousands. Both are told as an issue. A number that begins with 0 is never in doubt.

use compact_str::CompactString;
use rust_decimal::Decimal;

use super::Normalized;
use super::script::{is_cyrillic, line};
use crate::base::Message;
use crate::model::{Currency, Issue, Money};

/// Characters of a number; longer text is not one.
const NUMBER_CHARS_MAX: usize = 64;

/// A number, grouped and pointed in any usual way.
pub fn decimal(text: &str) -> Normalized<Decimal> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    match number(&clean, false) {
        Some(Number { value, ambiguous: false }) => Normalized::clean(value),
        Some(Number { value, ambiguous: true }) => {
            let message = Message::new("normalize-number-ambiguous").with("taken", value);
            Normalized { value: Some(value), issues: vec![Issue::new("number", message, text)] }
        }
        None => Normalized::refused("number", Message::new("normalize-number"), text),
    }
}

/// An amount; the currency is the one the text names, else `default`. A sum that is zero or
/// negative is kept and told as an issue: a return is negative by right, a price is not.
pub fn money(text: &str, default: &Currency) -> Normalized<Money> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    let refused = |id: &str| Normalized::refused("money", Message::new(id), text);
    let Some((digits, words)) = digits_and_words(&clean) else { return refused("normalize-money") };
    let Some((words, factor)) = multiplier(&words) else { return refused("normalize-money") };
    let named = match words.is_empty() {
        true => Some(default.clone()),
        false => known_currency(&words),
    };
    let Some(currency) = named else { return refused("normalize-money") };
    let by_hand = factor == Decimal::ONE && words.chars().any(|it| is_cyrillic(it) || it == '₽');
    let Some(number) = number(&digits, by_hand) else { return refused("normalize-money") };
    let Some(amount) = number.value.checked_mul(factor) else { return refused("normalize-money") };
    let mut money = Normalized::clean(Money::new(amount, currency));
    if number.ambiguous {
        let message = Message::new("normalize-number-ambiguous").with("taken", amount.normalize());
        money.issues.push(Issue::new("money", message, text));
    }
    match amount.cmp(&Decimal::ZERO) {
        std::cmp::Ordering::Greater => money,
        std::cmp::Ordering::Equal => money.with_issue("money", "normalize-money-zero", text),
        std::cmp::Ordering::Less => money.with_issue("money", "normalize-money-negative", text),
    }
}

/// A currency by code, number, sign or word.
pub fn currency(text: &str) -> Normalized<Currency> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    match known_currency(&clean) {
        Some(currency) => Normalized::clean(currency),
        None => Normalized::refused("currency", Message::new("normalize-currency"), text),
    }
}

/// Yes or no.
pub fn boolean(text: &str) -> Normalized<bool> {
    const YES: &[&str] = &["true", "yes", "y", "1", "да", "д", "истина", "on", "t", "вкл", "+", "checked"];
    const NO: &[&str] = &["false", "no", "n", "0", "нет", "н", "ложь", "off", "f", "выкл", "-", "unchecked"];
    let clean = line(text).to_lowercase();
    if clean.is_empty() {
        return Normalized::nothing();
    }
    match (YES.contains(&clean.as_str()), NO.contains(&clean.as_str())) {
        (true, _) => Normalized::clean(true),
        (false, true) => Normalized::clean(false),
        (false, false) => Normalized::refused("bool", Message::new("normalize-bool"), text),
    }
}

struct Number {
    value: Decimal,
    ambiguous: bool,
}

/// The part of a sum with digits in it and the words before or after; `None` when there are digits
/// in two places (`от 50 до 100`).
fn digits_and_words(text: &str) -> Option<(String, String)> {
    let first = text.find(|it: char| it.is_ascii_digit())?;
    let last = text.rfind(|it: char| it.is_ascii_digit())?;
    let mut start = first;
    for (at, it) in text[..first].char_indices().rev() {
        if !matches!(it, '-' | '+' | '−' | '(' | '.' | ',' | ' ') {
            break;
        }
        start = at;
    }
    let closes = text[last + 1..].starts_with(')');
    let end = last + 1 + usize::from(closes && text[start..first].contains('('));
    let digits = &text[start..end];
    if digits.chars().any(char::is_alphabetic) {
        return None;
    }
    let before = text[..start].trim();
    let after = text[end..].trim_start_matches(['=', '-', ',']).trim();
    let words = if before.is_empty() { after } else { before };
    let both = !before.is_empty() && !after.trim_matches('.').is_empty();
    (!both).then(|| (digits.trim().to_owned(), words.to_lowercase()))
}

/// Takes `тыс.`, `млн`, `к` off the words.
fn multiplier(words: &str) -> Option<(String, Decimal)> {
    const FACTORS: &[(&str, i64)] = &[
        ("тысяч", 1_000),
        ("тыс", 1_000),
        ("т.р", 1_000),
        ("тр", 1_000),
        ("млн", 1_000_000),
        ("миллион", 1_000_000),
        ("млрд", 1_000_000_000),
        ("k", 1_000),
        ("к", 1_000),
    ];
    let Some((word, factor)) = FACTORS.iter().find(|(word, _)| starts_word(words, word)) else {
        return Some((words.to_owned(), Decimal::ONE));
    };
    let rest = words[word.len()..].trim_start_matches(['а', 'и', 'о', 'в', '.', ' ']);
    // `т.р.` names the currency too.
    let rest = if word.ends_with('р') && rest.is_empty() { "руб" } else { rest };
    Some((rest.to_owned(), Decimal::from(*factor)))
}

fn starts_word(words: &str, word: &str) -> bool {
    let short = word.chars().count() <= 2;
    words.strip_prefix(word).is_some_and(|rest| !short || !rest.starts_with(char::is_alphabetic))
}

/// A number without words. `by_hand`: three digits after the only separator are thousands.
fn number(text: &str, by_hand: bool) -> Option<Number> {
    if text.chars().count() > NUMBER_CHARS_MAX {
        return None;
    }
    let (negative, body) = sign(text);
    // Accountants write `1234=50`.
    let body = body.replace('=', ".");
    let is_space = |it: char| it == ' ' || it == '\'' || it == '’' || it == '_';
    let spaced = body.contains(is_space);
    if !body.chars().all(|it| it.is_ascii_digit() || it == '.' || it == ',' || is_space(it)) {
        return None;
    }
    let (whole, fraction, ambiguous) = split_point(&body, by_hand && !spaced)?;
    let whole = ungrouped(&whole)?;
    if !fraction.chars().all(|it| it.is_ascii_digit()) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { &whole };
    let shown = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
    let value = Decimal::from_str_exact(&shown).ok()?;
    let value = if negative { -value } else { value };
    Some(Number { value: value.normalize(), ambiguous: ambiguous && !spaced })
}

fn sign(text: &str) -> (bool, &str) {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        return (true, inner.trim());
    }
    match text.strip_prefix(['-', '−', '–']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text).trim_start()),
    }
}

/// Whole part (still grouped), fraction, and whether the choice was in doubt.
fn split_point(body: &str, by_hand: bool) -> Option<(String, String, bool)> {
    let points = body.matches('.').count();
    let commas = body.matches(',').count();
    let cut = |sign: char| body.rsplit_once(sign).map(|(whole, fraction)| (whole.to_owned(), fraction.to_owned()));
    match (points, commas) {
        (0, 0) => Some((body.to_owned(), String::new(), false)),
        (1, 0) | (0, 1) => {
            let (whole, fraction) = cut(if points == 1 { '.' } else { ',' })?;
            let doubtful = fraction.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0');
            match doubtful && by_hand {
                true => Some((format!("{whole} {fraction}"), String::new(), true)),
                false => Some((whole, fraction, doubtful)),
            }
        }
        (_, 0) | (0, _) => Some((body.replace(['.', ','], " "), String::new(), false)),
        (_, _) => {
            let point = if body.rfind('.') > body.rfind(',') { '.' } else { ',' };
            let (whole, fraction) = cut(point)?;
            let group = if point == '.' { ',' } else { '.' };
            // The decimal sign stands once, and after every grouping sign.
            let fits = !whole.contains(point) && !fraction.contains(group);
            fits.then(|| (whole.replace(group, " "), fraction, false))
        }
    }
}

/// Digits of groups of three; `None` when the groups are not of three.
fn ungrouped(whole: &str) -> Option<String> {
    let mut groups = whole.split([' ', '\'', '’', '_']).filter(|it| !it.is_empty());
    let Some(first) = groups.next() else { return Some(String::new()) };
    let mut digits = first.to_owned();
    let mut grouped = false;
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        grouped = true;
        digits.push_str(group);
    }
    let fits = !grouped || first.len() <= 3;
    (fits && digits.bytes().all(|it| it.is_ascii_digit())).then_some(digits)
}

fn known_currency(text: &str) -> Option<Currency> {
    let lower = text.trim().trim_end_matches('.').to_lowercase();
    let code = WORDS.iter().find(|(_, words)| words.split('|').any(|it| it == lower)).map(|(code, _)| *code);
    let upper = lower.to_ascii_uppercase();
    let code = code.or_else(|| CODES.split_whitespace().find(|it| *it == upper))?;
    Some(Currency(CompactString::from(code)))
}

const WORDS: &[(&str, &str)] = &[
    ("RUB", "руб|rur|643|810|р|рубль|рубля|рублей|рубли|₽|rub|российский рубль|р.р|rubles|roubles"),
    ("USD", "$|840|долл|доллар|доллара|долларов|доллар сша|us$|у.е|уе"),
    ("EUR", "€|978|евро"),
    ("UAH", "₴|980|грн|гривна|гривны|гривен"),
    ("KZT", "₸|398|тг|тенге"),
    ("BYN", "933|974|byr|бел. руб|бел.руб|белорусский рубль|белорусских рублей"),
    ("UZS", "860|сум|сўм"),
    ("KGS", "417|сом"),
    ("AMD", "051|֏|драм"),
    ("GEL", "981|₾|лари"),
    ("CNY", "156|¥|юань|юаней|rmb"),
    ("GBP", "826|£"),
    ("TRY", "949|₺|лира"),
    ("AED", "784|дирхам"),
    ("JPY", "392|иена"),
    ("CHF", "756|франк"),
];

/// ISO 4217.
const CODES: &str = "
    RUB USD EUR UAH KZT BYN UZS KGS AMD GEL CNY GBP TRY AED JPY CHF AZN TJS TMT MDL PLN CZK HUF RON BGN RSD SEK NOK DKK
    ISK INR KRW THB VND IDR MYR SGD HKD TWD PHP AUD NZD CAD MXN BRL ARS CLP COP PEN UYU ILS EGP SAR QAR KWD BHD OMR JOD
    IRR IQD SYP LBP PKR BDT LKR NPR MMK KHR LAK MNT ZAR NGN KES GHS TZS UGX ETB MAD TND DZD LYD XAF XOF XAU XAG XDR ALL
    BAM MKD AFN CUP DOP GTQ HNL CRC PAB PYG BOB VES";
