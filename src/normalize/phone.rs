//! Telephone numbers: text -> E.164 and extension.
//!
//! An ordinary Russian mobile is read by [`ordinary`] without a library (its plan, `9` and nine
//! digits, has not changed since 2000). All else is cleaned here of what Russian people write
//! (`8`, `+8`, `доб.`, several numbers in one field, the letter О for a zero) and then judged by
//! libphonenumber.
//!
//! A number of the +7 plan that the library does not know but that has the right shape is kept
//! with an issue: new codes are opened every year, and a lead's number that is dropped is a lead
//! that is lost. A number that cannot be dialled is no value: `+7 000 000-00-00`, ten equal digits.

use compact_str::CompactString;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use super::Normalized;
use super::script::is_invisible;
use crate::base::Message;
use crate::model::{Issue, Phone};

/// Digits of an extension. Longer: it is not one.
const EXTENSION_DIGITS_MAX: usize = 7;
/// Characters of the text that are looked at; telephones beyond are not read.
const TEXT_CHARS_MAX: usize = 1_000;
/// Numbers of one text; more are not read.
const NUMBERS_MAX: usize = 20;

/// The first number of `text`. `region` is the company's country (`RU`): numbers without a country
/// code are read as dialled there.
pub fn phone(text: &str, region: &str) -> Normalized<Phone> {
    if let Some(phone) = fast(text, region) {
        return Normalized::clean(phone);
    }
    let mut all = phones(text, region);
    if let Some(several) = all.value.as_ref().filter(|it| it.len() > 1) {
        let message = Message::new("normalize-phone-several").with("count", several.len());
        all.issues.push(Issue::new("phone", message, text));
    }
    Normalized { value: all.value.and_then(|it| it.into_iter().next()), issues: all.issues }
}

/// Every number of `text`, in order, each once.
pub fn phones(text: &str, region: &str) -> Normalized<Vec<Phone>> {
    if let Some(phone) = fast(text, region) {
        return Normalized::clean(vec![phone]);
    }
    if text.trim().is_empty() {
        return Normalized::nothing();
    }
    let mut reading = Reading { region: Plan::of(region), text, found: Vec::new(), notes: Vec::new() };
    for piece in pieces(&cleaned(text, &mut reading.notes)) {
        reading.piece(&piece);
    }
    reading.finish()
}

/// The country whose habits of dialling the text follows.
#[derive(Debug, Clone, Copy)]
struct Plan {
    region: Option<Region>,
    /// `8` and ten digits, ten digits alone, `810`: the plan of +7.
    seven: bool,
}

impl Plan {
    fn of(region: &str) -> Plan {
        let seven = region.eq_ignore_ascii_case("RU") || region.eq_ignore_ascii_case("KZ");
        Plan { region: Region::from_code(region).ok(), seven }
    }
}

/// Why a number was repaired or not read; becomes an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    Lookalike,
    Prefix,
    Country,
    Unassigned,
    Short,
    Long,
    Placeholder,
    Invalid,
    TooMany,
}

impl Note {
    fn id(self) -> &'static str {
        match self {
            Note::Lookalike => "normalize-phone-lookalike",
            Note::Prefix => "normalize-phone-prefix",
            Note::Country => "normalize-phone-country",
            Note::Unassigned => "normalize-phone-unassigned",
            Note::Short => "normalize-phone-short",
            Note::Long => "normalize-phone-long",
            Note::Placeholder => "normalize-phone-placeholder",
            Note::Invalid => "normalize-phone-invalid",
            Note::TooMany => "normalize-phone-too-many",
        }
    }
}

/// An ordinary Russian mobile with ordinary separators.
fn fast(text: &str, region: &str) -> Option<Phone> {
    (region == "RU").then(|| ordinary(text)).flatten()
}

fn ordinary(text: &str) -> Option<Phone> {
    let mut digits = [0u8; 11];
    let mut count = 0;
    let mut plus = false;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
            b'+' if count == 0 && !plus => plus = true,
            b' ' | b'-' | b'(' | b')' => (),
            _ => return None,
        }
    }
    let national = match (count, digits[0], plus) {
        (11, b'7', _) | (11, b'8', false) => &digits[1..11],
        (10, _, false) => &digits[0..10],
        _ => return None,
    };
    if national[0] != b'9' || all_equal(national) {
        return None;
    }
    let national = std::str::from_utf8(national).ok()?;
    let mut e164 = CompactString::const_new("+7");
    e164.push_str(national);
    Some(Phone { e164, extension: None })
}

fn all_equal(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

/// Visible characters with full-width digits as ASCII, letters between digits that are meant as
/// digits, and dashes and spaces of every kind as one kind.
fn cleaned(text: &str, notes: &mut Vec<Note>) -> Vec<char> {
    let plain = |it: char| match it {
        '\u{ff10}'..='\u{ff19}' => char::from(b'0' + (it as u32 - 0xff10) as u8),
        '\u{ff0b}' => '+',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => '-',
        '\n' | '\r' => ';',
        it if it.is_whitespace() => ' ',
        it => it,
    };
    let visible = text.chars().filter(|it| !is_invisible(*it)).take(TEXT_CHARS_MAX);
    let mut chars: Vec<char> = visible.map(plain).collect();
    for index in 0..chars.len() {
        let digit = match chars[index] {
            'О' | 'о' | 'O' | 'o' => '0',
            'З' | 'з' => '3',
            _ => continue,
        };
        let before = index.checked_sub(1).map(|it| chars[it]);
        let after = chars.get(index + 1).copied();
        let is_digit = |it: Option<char>| it.is_some_and(|it| it.is_ascii_digit());
        let is_border = |it: Option<char>| it.is_none_or(|it| matches!(it, ' ' | '-' | '(' | ')'));
        let amid_digits = match (is_digit(before), is_digit(after)) {
            (true, true) => true,
            (true, false) => is_border(after) || matches!(after, Some('О' | 'о' | 'O' | 'o')),
            (false, true) => before.is_some() && is_border(before),
            (false, false) => false,
        };
        if amid_digits {
            chars[index] = digit;
            notes.push(Note::Lookalike);
        }
    }
    chars
}

/// One run of the text that may hold a number.
#[derive(Debug)]
struct Piece {
    /// The characters before the extension.
    body: Vec<char>,
    /// Digits of the extension.
    extension: Option<CompactString>,
}

/// Cuts at signs that stand between two numbers, and takes extensions off.
fn pieces(chars: &[char]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut body = Vec::new();
    let (mut at, mut digits) = (0, 0);
    while at < chars.len() {
        if digits >= 5
            && let Some((extension, after)) = extension_at(chars, at)
        {
            pieces.push(Piece { body: std::mem::take(&mut body), extension: Some(extension) });
            (at, digits) = (after, 0);
            continue;
        }
        match chars[at] {
            ',' | ';' | '/' | '|' | '\\' => {
                pieces.push(Piece { body: std::mem::take(&mut body), extension: None });
                digits = 0;
            }
            it => {
                digits += usize::from(it.is_ascii_digit());
                body.push(it);
            }
        }
        at += 1;
    }
    pieces.push(Piece { body, extension: None });
    pieces
}

/// The extension that begins at `at` (`доб. 123`, `ext 5`, `#7`, `,,12`, `;ext=3`): its digits and
/// the place after it.
fn extension_at(chars: &[char], at: usize) -> Option<(CompactString, usize)> {
    const WORDS: &[&str] = &[
        "добавочный",
        "добавочн",
        "доб",
        "внутренний",
        "внутр",
        "вн",
        "extension",
        "extn",
        "ext",
        "тон",
        "#",
        ";ext=",
        ";",
        ",,",
        ",",
        "x",
        "х",
    ];
    // `..., доб. 123`: the comma belongs to the extension.
    let spaces = chars[at..].iter().take_while(|it| matches!(it, ',' | ';' | ' ')).count();
    let says_so = |word: &&&str| word.chars().all(char::is_alphabetic) && starts_with(&chars[at + spaces..], word);
    let (at, word) = match WORDS.iter().find(says_so) {
        Some(word) => (at + spaces, word),
        None => (at, WORDS.iter().find(|word| starts_with(&chars[at..], word))?),
    };
    // A comma or semicolon right before digits is a pause of a dial string; with a space it
    // stands between two numbers.
    let is_pause = word.starts_with([',', ';']);
    let mut next = at + word.chars().count();
    while !is_pause && chars.get(next).is_some_and(|it| matches!(it, ' ' | '.' | ':' | '=' | '№' | '(' | '-')) {
        next += 1;
    }
    let digits: CompactString = chars[next..].iter().take_while(|it| it.is_ascii_digit()).collect();
    let bound = if is_pause && !word.starts_with(";ext") { 5 } else { EXTENSION_DIGITS_MAX };
    let fits = !digits.is_empty() && digits.len() <= bound;
    let after = next + digits.len();
    let goes_on = is_pause && chars.get(after).is_some_and(|it| matches!(it, '-' | '(' | ' '));
    (fits && !goes_on).then_some((digits, after))
}

fn starts_with(chars: &[char], word: &str) -> bool {
    let mut chars = chars.iter();
    word.chars().all(|it| chars.next().is_some_and(|found| found.to_lowercase().eq(it.to_lowercase())))
}

struct Reading<'a> {
    region: Plan,
    text: &'a str,
    found: Vec<Phone>,
    notes: Vec<Note>,
}

impl Reading<'_> {
    fn piece(&mut self, piece: &Piece) {
        let digits = piece.body.iter().filter(|it| it.is_ascii_digit()).count();
        if digits == 0 {
            return;
        }
        if self.trailing_brackets(piece) {
            return;
        }
        match self.region.read(&piece.body) {
            Ok((e164, note)) => self.take(e164, piece.extension.clone(), note),
            Err(note) => {
                if !self.several_by_spaces(piece) {
                    self.notes.push(note);
                }
            }
        }
    }

    fn take(&mut self, e164: CompactString, extension: Option<CompactString>, note: Option<Note>) {
        let phone = Phone { e164, extension };
        self.notes.extend(note);
        if self.found.contains(&phone) {
            return;
        }
        match self.found.len() < NUMBERS_MAX {
            true => self.found.push(phone),
            false => self.notes.push(Note::TooMany),
        }
    }

    /// `495 123-45-67 (123)`: short digits in brackets at the end are an extension.
    fn trailing_brackets(&mut self, piece: &Piece) -> bool {
        let body: String = piece.body.iter().collect();
        let Some((number, tail)) = body.trim_end().strip_suffix(')').and_then(|it| it.rsplit_once('(')) else {
            return false;
        };
        let is_extension = (1..=5).contains(&tail.len()) && tail.bytes().all(|it| it.is_ascii_digit());
        if !is_extension || piece.extension.is_some() {
            return false;
        }
        let number: Vec<char> = number.chars().collect();
        // Digits that make a foreign number only together with the brackets are no extension.
        let Ok((e164, None)) = self.region.read(&number) else { return false };
        self.take(e164, Some(tail.into()), None);
        true
    }

    /// `89161234567 89031234567`: takes the shortest runs of words that are numbers.
    fn several_by_spaces(&mut self, piece: &Piece) -> bool {
        let words: Vec<&[char]> = piece.body.split(|it| *it == ' ').filter(|it| !it.is_empty()).collect();
        let mut found = false;
        let mut start = 0;
        while start < words.len() {
            // Bound: a number has at most 15 digits, so at most 15 words.
            let reach = words.len().min(start + 15);
            let read = (start + 1..=reach).find_map(|end| {
                let joined = words[start..end].concat();
                self.region.read(&joined).ok().map(|read| (end, read))
            });
            let Some((end, (e164, note))) = read else {
                start += 1;
                continue;
            };
            let is_last = words[end..].concat().iter().all(|it| !it.is_ascii_digit());
            let extension = if is_last { piece.extension.clone() } else { None };
            self.take(e164, extension, note);
            found = true;
            start = end;
        }
        found
    }

    fn finish(mut self) -> Normalized<Vec<Phone>> {
        if self.found.is_empty() && self.notes.iter().all(|it| *it == Note::Lookalike) {
            self.notes.push(Note::Invalid);
        }
        let mut told: Vec<Note> = Vec::new();
        for note in self.notes {
            if !told.contains(&note) {
                told.push(note);
            }
        }
        let issues = told.into_iter().map(|note| Issue::new("phone", Message::new(note.id()), self.text)).collect();
        Normalized { value: (!self.found.is_empty()).then_some(self.found), issues }
    }
}

impl Plan {
    /// The one number of `body`; letters in it are skipped.
    fn read(self, body: &[char]) -> Result<(CompactString, Option<Note>), Note> {
        let digits: String = body.iter().filter(|it| it.is_ascii_digit()).collect();
        let first_digit = body.iter().position(|it| it.is_ascii_digit()).unwrap_or(body.len());
        let plus = body[..first_digit].contains(&'+');
        if body[first_digit..].contains(&'+') {
            // `+7 916 ... +7 903 ...`: two numbers.
            return Err(Note::Long);
        }
        match digits.len() {
            0..=6 => return Err(Note::Short),
            7..=20 => (),
            _ => return Err(Note::Long),
        }
        if self.seven { read_seven(&digits, plus) } else { self.read_other(&digits, plus) }
    }

    fn read_other(self, digits: &str, plus: bool) -> Result<(CompactString, Option<Note>), Note> {
        let text = if plus { format!("+{digits}") } else { digits.to_owned() };
        let region = if plus { None } else { self.region };
        match valid(&text, region) {
            Some(e164) => Ok((e164, None)),
            None if plus => Err(Note::Invalid),
            None => international(digits).map(|e164| (e164, Some(Note::Country))).ok_or(Note::Invalid),
        }
    }
}

/// The plan of +7 (Russia, Kazakhstan).
fn read_seven(digits: &str, plus: bool) -> Result<(CompactString, Option<Note>), Note> {
    if plus {
        return read_seven_plus(digits);
    }
    // 8~10 and 00: dialled to abroad.
    let abroad = digits.strip_prefix("810").filter(|it| it.len() >= 9).or_else(|| digits.strip_prefix("00"));
    if let Some(rest) = abroad {
        return international(rest).map(|e164| (e164, None)).ok_or(Note::Invalid);
    }
    match (digits.len(), digits.as_bytes()[0]) {
        (11, b'7' | b'8') => national(&digits[1..]),
        (10, _) => match national(digits) {
            Ok((e164, None)) => Ok((e164, None)),
            other => international(digits).map(|e164| (e164, Some(Note::Country))).map_or(other, Ok),
        },
        (0..=9, _) => Err(Note::Short),
        (12, b'7') => doubled_prefix(digits),
        _ => match international(digits) {
            Some(e164) => Ok((e164, Some(Note::Country))),
            None => doubled_prefix(digits),
        },
    }
}

fn read_seven_plus(digits: &str) -> Result<(CompactString, Option<Note>), Note> {
    if digits.len() == 11 && digits.starts_with('7') {
        return national(&digits[1..]);
    }
    if digits.len() == 12 && digits.starts_with('7') {
        return doubled_prefix(digits);
    }
    if let Some(e164) = international(digits) {
        return Ok((e164, None));
    }
    match digits.len() {
        // `+8 916 ...` and `+916 ...`: a plus before what is dialled at home.
        11 if digits.starts_with('8') => repaired(&digits[1..]),
        10 if digits.starts_with('9') => repaired(digits),
        0..=9 => Err(Note::Short),
        _ => doubled_prefix(digits),
    }
}

/// `+7 8 916 ...`, `7 7 916 ...`: a mask put its own +7 before a whole number.
fn doubled_prefix(digits: &str) -> Result<(CompactString, Option<Note>), Note> {
    let is_doubled = digits.len() == 12 && matches!(&digits[..2], "78" | "77" | "88");
    if is_doubled { repaired(&digits[2..]) } else { Err(if digits.len() > 11 { Note::Long } else { Note::Invalid }) }
}

fn repaired(ten: &str) -> Result<(CompactString, Option<Note>), Note> {
    national(ten).map(|(e164, note)| (e164, note.or(Some(Note::Prefix))))
}

/// Ten digits after +7.
fn national(ten: &str) -> Result<(CompactString, Option<Note>), Note> {
    if all_equal(ten.as_bytes()) || ten == "1234567890" {
        return Err(Note::Placeholder);
    }
    let e164 = CompactString::from(format!("+7{ten}"));
    if ten.starts_with('9') || valid(&e164, None).is_some() {
        return Ok((e164, None));
    }
    match ten.as_bytes()[0] {
        b'3'..=b'8' => Ok((e164, Some(Note::Unassigned))),
        _ => Err(Note::Invalid),
    }
}

/// `digits` that begin with a country code.
fn international(digits: &str) -> Option<CompactString> {
    valid(&format!("+{digits}"), None)
}

/// E.164, when the library knows the number to be possible and assigned.
fn valid(text: &str, region: Option<Region>) -> Option<CompactString> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    if !PHONE_NUMBER_UTIL.is_valid_number(&number) {
        return None;
    }
    Some(CompactString::from(PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).as_ref()))
}
