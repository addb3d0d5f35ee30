//! A score in words, and whether it is worth telling a sink.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::base::{Locale, Message};
use crate::model::Class;
use crate::model::score::{FactorPoints, Score};

/// The sum as a head of sales would write it:
/// `20 +30 Встреча −15 site.ru −60 «60 д» = −25 → 5 (пол); 200 000 × 5 % = 10 000 RUB; класс C2`,
/// and what was not known.
pub fn explain(score: &Score, locale: Locale) -> String {
    let mut parts = vec![sum(score, locale), worth(score, locale)];
    parts.push(Message::new("scoring-explain-class").with("class", score.class.name()).render(locale));
    let missing: Vec<String> =
        score.factors.iter().filter(|it| it.no_data).map(|it| factor_name(&it.factor, locale)).collect();
    if !missing.is_empty() {
        parts.push(Message::new("scoring-explain-missing").with("factors", missing.join(", ")).render(locale));
    }
    if score.value_minor.is_some() && !score.in_forecast {
        parts.push(Message::new("scoring-explain-not-in-forecast").render(locale));
    }
    parts.join("; ")
}

fn sum(score: &Score, locale: Locale) -> String {
    let mut text = percent(score.base_bp, false, locale);
    for factor in score.factors.iter().filter(|it| it.points_bp != 0) {
        text.push(' ');
        text.push_str(&reason(factor, locale));
    }
    text.push_str(" = ");
    text.push_str(&percent(score.raw_bp, false, locale));
    let bound = match (score.p_bp == score.raw_bp, score.floored, score.capped) {
        (true, ..) | (false, false, false) => return text,
        (false, true, _) => "scoring-explain-floor",
        (false, false, true) => "scoring-explain-cap",
    };
    format!("{text} → {} ({})", percent(score.p_bp, false, locale), Message::new(bound).render(locale))
}

fn worth(score: &Score, locale: Locale) -> String {
    match (score.price_minor, score.value_minor) {
        (Some(price), Some(value)) => {
            let currency = score.currency.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
            format!(
                "{} × {} % = {}{currency}",
                money(price, locale),
                percent(score.p_bp, false, locale),
                money(value, locale)
            )
        }
        (None, _) | (_, None) => Message::new("scoring-explain-no-price").render(locale),
    }
}

/// `+30 Встреча`, `−60 «60 д»`, `−10 молчание клиента «7–14 д»`: a level that is a count stands in
/// quotation marks; a level that would not say by itself what it is of has the factor before it.
fn reason(factor: &FactorPoints, locale: Locale) -> String {
    let points = percent(factor.points_bp, true, locale);
    if factor.level.is_empty() {
        return format!("{points} {}", factor_name(&factor.factor, locale));
    }
    let level = match (is_count(&factor.level), locale) {
        (true, Locale::Ru) => format!("«{}»", factor.level),
        (true, Locale::En) => format!("\"{}\"", level_text(&factor.level, locale)),
        (false, _) => factor.level.to_string(),
    };
    match factor.factor.as_str() {
        "status" | "source" | "time" | "product" => format!("{points} {level}"),
        other => format!("{points} {} {level}", factor_name(other, locale)),
    }
}

/// A level as the reader's language writes it.
fn level_text(level: &str, locale: Locale) -> String {
    match (is_count(level), locale) {
        (true, Locale::En) => level.replace(" д", " d"),
        (true, Locale::Ru) | (false, _) => level.to_owned(),
    }
}

fn is_count(level: &str) -> bool {
    let number = level.strip_suffix(" д").or_else(|| level.strip_suffix(" %")).unwrap_or(level);
    !number.is_empty() && number.chars().all(|it| it.is_ascii_digit() || it == '–')
}

/// Basis points as percent: `30`, `−12,5`; `+30` when signed.
pub fn percent(bp: i32, signed: bool, locale: Locale) -> String {
    let sign = match bp.signum() {
        -1 => "−",
        1 if signed => "+",
        _ => "",
    };
    let (whole, part) = (bp.unsigned_abs() / 100, bp.unsigned_abs() % 100);
    let part = match part {
        0 => String::new(),
        part if part % 10 == 0 => format!("{}{}", point(locale), part / 10),
        part => format!("{}{part:02}", point(locale)),
    };
    format!("{sign}{whole}{part}")
}

fn point(locale: Locale) -> char {
    match locale {
        Locale::Ru => ',',
        Locale::En => '.',
    }
}

/// Hundredths as `10 000` or `10 000,50` (in English with a point).
pub fn money(minor: i64, locale: Locale) -> String {
    let digits = (minor.unsigned_abs() / 100).to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(match locale {
                Locale::Ru => ' ',
                Locale::En => ',',
            });
        }
        grouped.push(digit);
    }
    let point = point(locale);
    let kopecks = minor.unsigned_abs() % 100;
    let sign = if minor < 0 { "−" } else { "" };
    if kopecks == 0 { format!("{sign}{grouped}") } else { format!("{sign}{grouped}{point}{kopecks:02}") }
}

/// The factor as people call it; a factor of one's own is called by its id.
fn factor_name(id: &str, locale: Locale) -> String {
    let message = match id {
        "status" => "scoring-factor-status",
        "source" => "scoring-factor-source",
        "time" => "scoring-factor-time",
        "segment" => "scoring-factor-segment",
        "product" => "scoring-factor-product",
        "size" => "scoring-factor-size",
        "silence" => "scoring-factor-silence",
        "dmu" => "scoring-factor-dmu",
        "next_step" => "scoring-factor-next-step",
        "slips" => "scoring-factor-slips",
        other => return other.to_owned(),
    };
    Message::new(message).render(locale)
}

/// The factor that moved the probability most (of equal ones the first), as in the explanation:
/// `−60 «60 д»`. Empty when none moved it. In Russian for every reader: it is kept and compared.
pub fn leading_reason(score: &Score) -> CompactString {
    leading(score).map(|factor| CompactString::from(reason(factor, Locale::Ru))).unwrap_or_default()
}

fn leading(score: &Score) -> Option<&FactorPoints> {
    let mut leading: Option<&FactorPoints> = None;
    for factor in score.factors.iter().filter(|it| it.points_bp != 0) {
        if leading.is_none_or(|it| factor.points_bp.unsigned_abs() > it.points_bp.unsigned_abs()) {
            leading = Some(factor);
        }
    }
    leading
}

/// The leading reason in plain words: `статус: Встреча (+30 %)`; that there is none.
pub fn leading_words(score: &Score, locale: Locale) -> String {
    let Some(factor) = leading(score) else { return Message::new("scoring-leading-none").render(locale) };
    let id = if factor.level.is_empty() { "scoring-leading-bare" } else { "scoring-leading" };
    Message::new(id)
        .with("factor", factor_name(&factor.factor, locale))
        .with("level", level_text(&factor.level, locale))
        .with("points", percent(factor.points_bp, true, locale))
        .render(locale)
}

/// What a sink was last told of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Class.
    pub class: Class,
    /// [`leading_reason`].
    pub leading_reason: CompactString,
    /// Value, hundredths.
    pub value_minor: Option<i64>,
}

impl Sent {
    /// What is told with `score`.
    pub fn of(score: &Score) -> Sent {
        Sent { class: score.class, leading_reason: leading_reason(score), value_minor: score.value_minor }
    }
}

/// Whether a sink is to be told: never told before, class or leading reason changed, or the value
/// moved by `damping_percent` of what was told. So that a CRM is not written to for every kopeck.
pub fn worth_writing(previous: Option<&Sent>, new: &Score, damping_percent: u32) -> bool {
    let Some(previous) = previous else { return true };
    let value_moved = match (previous.value_minor, new.value_minor) {
        (Some(old), Some(new)) => {
            let moved = i128::from(new).abs_diff(i128::from(old));
            moved > 0 && moved * 100 >= u128::from(damping_percent) * u128::from(old.unsigned_abs())
        }
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    };
    value_moved || previous.class != new.class || previous.leading_reason != leading_reason(new)
}
