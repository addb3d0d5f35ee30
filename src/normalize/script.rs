//! Letters: invisible ones, look-alikes of two scripts, case.

/// `text` without invisible characters, trimmed, with runs of white space as one space: what a
/// one-line field may hold.
pub fn line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for word in text.split(|it: char| it.is_whitespace() || it.is_control() || it == '\u{feff}') {
        let before = clean.len();
        if before > 0 {
            clean.push(' ');
        }
        let start = clean.len();
        clean.extend(word.chars().filter(|it| !is_invisible(*it)));
        if clean.len() == start {
            clean.truncate(before);
        }
    }
    clean
}

/// Zero-width and direction marks that copying from web pages brings along.
pub(super) fn is_invisible(it: char) -> bool {
    matches!(it, '\u{00ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Whether the letter is Cyrillic.
pub(super) fn is_cyrillic(it: char) -> bool {
    matches!(it, '\u{0400}'..='\u{04ff}')
}

/// The Cyrillic letter that looks like this Latin one.
pub(super) fn to_cyrillic(it: char) -> Option<char> {
    PAIRS.iter().find(|(latin, _)| *latin == it).map(|(_, cyrillic)| *cyrillic)
}

/// The Latin letter that looks like this Cyrillic one.
pub(super) fn to_latin(it: char) -> Option<char> {
    PAIRS.iter().find(|(_, cyrillic)| *cyrillic == it).map(|(latin, _)| *latin)
}

const PAIRS: &[(char, char)] = &[
    ('A', 'А'),
    ('B', 'В'),
    ('C', 'С'),
    ('E', 'Е'),
    ('H', 'Н'),
    ('K', 'К'),
    ('M', 'М'),
    ('O', 'О'),
    ('P', 'Р'),
    ('T', 'Т'),
    ('X', 'Х'),
    ('Y', 'У'),
    ('a', 'а'),
    ('c', 'с'),
    ('e', 'е'),
    ('k', 'к'),
    ('m', 'м'),
    ('o', 'о'),
    ('p', 'р'),
    ('x', 'х'),
    ('y', 'у'),
];

/// A Cyrillic word with Latin look-alikes in it, made wholly Cyrillic. `None` when it is not such a
/// word (one script only, or a Latin letter without a Cyrillic twin).
pub(super) fn cyrillic_word(word: &str) -> Option<String> {
    let mixed = word.chars().any(is_cyrillic) && word.chars().any(|it| it.is_ascii_alphabetic());
    if !mixed {
        return None;
    }
    let fold = |it: char| if it.is_ascii_alphabetic() { to_cyrillic(it) } else { Some(it) };
    word.chars().map(fold).collect()
}

/// Upper case at the start of each part between hyphens and apostrophes, when the word is written
/// in one case only; a word in mixed case is somebody's decision and stays.
pub(super) fn name_case(word: &str) -> String {
    let letters = || word.chars().filter(|it| it.is_alphabetic());
    let one_case = letters().all(char::is_uppercase) || letters().all(char::is_lowercase);
    if !one_case {
        return word.to_owned();
    }
    let mut shown = String::with_capacity(word.len());
    let mut at_start = true;
    for it in word.chars() {
        match at_start {
            true => shown.extend(it.to_uppercase()),
            false => shown.extend(it.to_lowercase()),
        }
        at_start = it == '-' || it == '\'' || it == '.';
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_and_visible() {
        let check = |text: &str, expected: &str| assert_eq!(line(text), expected, "{text:?}");
        check("  a \t b\n\u{a0}c ", "a b c");
        check("\u{feff}\u{200b} x\u{200b}y \u{200b} ", "xy");
        check("\u{200b}", "");
    }

    #[test]
    fn latin_letters_inside_a_cyrillic_word_become_cyrillic() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(cyrillic_word(text).as_deref(), expected, "{text}");
        check("Пeтpoв", Some("Петров"));
        check("Петров", None);
        check("Smith", None);
        check("Петрsв", None);
    }
}
