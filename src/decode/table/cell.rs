//! One cell: what a spreadsheet did to it, undone.

use compact_str::CompactString;

use crate::base::Message;
use crate::model::Issue;

/// Longest text of a header cell; longer is prose.
const LABEL_CHARS_MAX: usize = 80;

/// The text of a cell that came as text.
pub(super) fn of_text(text: &str, row: u32, column: usize, issues: &mut Vec<Issue>) -> CompactString {
    let text = text.trim_matches(|it: char| it.is_whitespace() || it == '\u{feff}' || it == '\u{a0}');
    // `="0012"` keeps Excel from making a number of it.
    let text = text.strip_prefix("=\"").and_then(|it| it.strip_suffix('"')).unwrap_or(text);
    match scientific(text) {
        None => text.into(),
        Some(Some(digits)) => digits.into(),
        Some(None) => {
            let message = Message::new("table-scientific").with("row", row).with("column", column + 1);
            issues.push(Issue::new("table", message, text));
            CompactString::default()
        }
    }
}

/// `7.9161234567E+10` with all its digits is 79161234567; `7,91612E+10` has lost some.
fn scientific(text: &str) -> Option<Option<String>> {
    let (mantissa, exponent) = text.split_once(['E', 'e'])?;
    let exponent: usize = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok().filter(|it| *it < 30)?;
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let is_number = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
    if whole.len() != 1 || !is_number(whole) || !is_number(fraction) || exponent < 5 {
        return None;
    }
    let digits = fraction.trim_end_matches('0');
    // Fewer digits than the number had: Excel shows six, and saved what it showed.
    let is_whole = digits.len() >= exponent.saturating_sub(2) && digits.len() <= exponent;
    Some(is_whole.then(|| format!("{whole}{digits:0<exponent$}")))
}

/// The text of a number: no fraction where there is none, no noise of binary arithmetic.
pub(super) fn of_number(number: f64) -> CompactString {
    if !number.is_finite() {
        return CompactString::default();
    }
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return format!("{number:.0}").into();
    }
    // Fifteen digits are what Excel itself keeps.
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    format!("{rounded}").into()
}

/// Whether the text can be the name of a column: letters, and no value that one knows by its looks.
pub(super) fn is_label(text: &str) -> bool {
    let letters = text.chars().filter(|it| it.is_alphabetic() || matches!(it, '№' | '#')).count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    letters > 0 && digits <= 4 && digits <= letters && !text.contains('@') && text.chars().count() <= LABEL_CHARS_MAX
}

/// Blanks and line ends of a header become single spaces.
pub(super) fn one_line(text: &str) -> CompactString {
    let mut line = CompactString::default();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, issues: usize) {
        let mut found = Vec::new();
        assert_eq!(of_text(text, 2, 0, &mut found), expected, "{text}");
        assert_eq!(found.len(), issues, "{text}");
    }

    #[test]
    fn what_a_spreadsheet_did_is_undone_where_it_is_sure() {
        check(" Иванов ", "Иванов", 0);
        check("=\"0012\"", "0012", 0);
        check("7.9161234567E+10", "79161234567", 0);
        check("7,91612E+10", "", 1);
        check("7,9E+10", "", 1);
        check("2E5", "", 1);
        check("E200", "E200", 0);
        check("12E+3", "12E+3", 0);
    }

    #[test]
    fn numbers_have_no_noise() {
        for (number, expected) in [
            (79161234567.0, "79161234567"),
            (0.1 + 0.2, "0.3"),
            (25900.5, "25900.5"),
            (-3.0, "-3"),
            (f64::NAN, ""),
            (7707083893.0, "7707083893"),
        ] {
            assert_eq!(of_number(number), expected);
        }
    }
}
