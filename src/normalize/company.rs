//! Names of companies: legal form, name without it, and how people write both.

use compact_str::CompactString;

use super::script::{is_cyrillic, line, to_cyrillic};
use super::{Normalized, person_name};
use crate::base::Message;
use crate::model::{CompanyName, Name};

/// Characters of a company's name; longer text is cut by nobody and refused.
const NAME_CHARS_MAX: usize = 500;

/// Legal forms: short, and in full words in lower case. Longer texts first, so that
/// `публичное акционерное общество` is not taken for `акционерное общество`.
const FORMS: &[(&str, &str)] = &[
    ("ФГБОУ", "федеральное государственное бюджетное образовательное учреждение"),
    ("ФГБУ", "федеральное государственное бюджетное учреждение"),
    ("ФГУП", "федеральное государственное унитарное предприятие"),
    ("МБОУ", "муниципальное бюджетное общеобразовательное учреждение"),
    ("МБДОУ", "муниципальное бюджетное дошкольное образовательное учреждение"),
    ("МБУ", "муниципальное бюджетное учреждение"),
    ("МКУ", "муниципальное казенное учреждение"),
    ("МУП", "муниципальное унитарное предприятие"),
    ("ГБОУ", "государственное бюджетное общеобразовательное учреждение"),
    ("ГБУЗ", "государственное бюджетное учреждение здравоохранения"),
    ("ГБУ", "государственное бюджетное учреждение"),
    ("ГКУ", "государственное казенное учреждение"),
    ("ГУП", "государственное унитарное предприятие"),
    ("ООО", "общество с ограниченной ответственностью"),
    ("ОДО", "общество с дополнительной ответственностью"),
    ("ПАО", "публичное акционерное общество"),
    ("НАО", "непубличное акционерное общество"),
    ("ЗАО", "закрытое акционерное общество"),
    ("ОАО", "открытое акционерное общество"),
    ("АО", "акционерное общество"),
    ("АНО", "автономная некоммерческая организация"),
    ("НКО", "некоммерческая организация"),
    ("ЧОУ", "частное образовательное учреждение"),
    ("ТСЖ", "товарищество собственников жилья"),
    ("ТСН", "товарищество собственников недвижимости"),
    ("СНТ", "садоводческое некоммерческое товарищество"),
    ("ЖСК", "жилищно-строительный кооператив"),
    ("КФХ", "крестьянское (фермерское) хозяйство"),
    ("КФХ", "крестьянское фермерское хозяйство"),
    ("ТОО", "товарищество с ограниченной ответственностью"),
    ("ЧУП", "частное унитарное предприятие"),
    ("ИП", "индивидуальный предприниматель"),
    ("ИП", "предприниматель без образования юридического лица"),
    ("ИП", "пбоюл"),
    ("ЧТУП", "частное торговое унитарное предприятие"),
];

/// Forms of other countries, written after the name.
const FOREIGN_FORMS: &[&str] =
    &["LLC", "LTD", "INC", "JSC", "GMBH", "LLP", "PLC", "CORP", "SIA", "BV", "OY", "AB", "FZE"];

/// A company's name.
pub fn company_name(text: &str) -> Normalized<CompanyName> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    match settled(&clean) {
        Some(name) => Normalized::clean(name),
        None => Normalized::refused("name", Message::new("normalize-company-junk"), text),
    }
}

/// Read again until nothing changes: taking a mark off may uncover a form (`«ООО Ромашка»`).
fn settled(clean: &str) -> Option<CompanyName> {
    let mut name = read(clean)?;
    // Bound: each turn takes a form or a pair of marks off; who nests deeper is no company.
    for _ in 0..8 {
        let again = read(&name.full)?;
        if again == name {
            return Some(name);
        }
        name = again;
    }
    None
}

fn read(clean: &str) -> Option<CompanyName> {
    let (form, rest) = split_form(clean);
    let bare = line(&unquoted(&rest));
    let fits = bare.chars().any(char::is_alphanumeric) && bare.chars().count() <= NAME_CHARS_MAX;
    (fits && !is_placeholder(&bare)).then(|| shown(form, bare))
}

/// Whether `text` names a company rather than a person: it carries a legal form, a name in
/// quotation marks or a word that only organisations have.
pub fn looks_like_company(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "администрация",
        "завод",
        "компания",
        "корпорация",
        "фирма",
        "холдинг",
        "банк",
        "университет",
        "институт",
        "школа",
        "больница",
        "поликлиника",
        "фонд",
        "ассоциация",
        "министерство",
        "департамент",
        "управление",
        "филиал",
        "магазин",
        "агентство",
        "студия",
        "company",
        "group",
        "bank",
        "university",
    ];
    let clean = line(text);
    if !split_form(&clean).0.is_empty() {
        return true;
    }
    let has_quotes = clean.contains(['«', '»', '"', '“', '„']);
    let is_word = |word: &str| {
        let plain = word.trim_matches(|it: char| !it.is_alphanumeric());
        WORDS.contains(&plain.to_lowercase().as_str())
            || FORMS.iter().any(|(short, _)| short.chars().count() > 2 && *short == plain)
    };
    has_quotes || clean.split_whitespace().any(is_word)
}

/// A name of a company or of a person, as it looks.
pub fn any_name(text: &str) -> Normalized<Name> {
    match looks_like_company(text) {
        true => company_name(text).map(Name::Company),
        false => person_name(text).map(Name::Person),
    }
}

fn is_placeholder(bare: &str) -> bool {
    let lower = bare.to_lowercase();
    ["нет", "test", "тест", "no", "none", "null", "организация", "компания", "название"].contains(&lower.as_str())
}

fn shown(form: CompactString, bare: String) -> CompanyName {
    if form == "ИП" {
        // An entrepreneur is a person: order and case of the name are put right too.
        let bare = person_name(&bare).value.map_or(bare, |person| person.shown());
        return CompanyName { full: CompactString::from(format!("ИП {bare}")), form, bare: bare.into() };
    }
    let full = match (form.is_empty(), form.chars().all(is_cyrillic)) {
        (true, _) => bare.clone(),
        (false, false) => format!("{bare} {form}"),
        (false, true) => match (bare.starts_with('«'), bare.ends_with('»')) {
            (true, true) => format!("{form} {bare}"),
            // Two closing marks in a row are written once.
            (_, true) => format!("{form} «{bare}"),
            (true, false) => format!("{form} {bare}"),
            (false, false) => format!("{form} «{bare}»"),
        },
    };
    CompanyName { full: full.into(), form, bare: bare.into() }
}

/// The legal form in short (empty when there is none) and the rest of the text.
fn split_form(text: &str) -> (CompactString, String) {
    if let Some((form, rest)) = long_form(text) {
        return (form.into(), rest);
    }
    let edges = |it: char| matches!(it, ',' | '.' | '(' | ')' | ' ');
    if let Some((first, rest)) = text.split_once([' ', '«', '"', '“', '„', '\''])
        && let Some(form) = short_form(first.trim_matches(edges))
    {
        let rest = &text[text.len() - rest.len() - border_len(text, rest)..];
        return (form, rest.trim_matches(|it: char| it == ',' || it == ' ').to_owned());
    }
    if let Some((rest, last)) = text.rsplit_once([' ', '»', '"', '”', ',']) {
        let rest = &text[..rest.len() + border_len_before(text, rest)];
        let is_bracketed = last.starts_with('(') == last.ends_with(')');
        let form = short_form(last.trim_matches(edges)).or_else(|| foreign_form(last.trim_matches(edges)));
        if let Some(form) = form.filter(|_| is_bracketed) {
            return (form, rest.trim_end_matches([',', ' ']).to_owned());
        }
    }
    (CompactString::default(), text.to_owned())
}

/// Bytes of the border before `rest`, when it belongs to the name (a quotation mark).
fn border_len(text: &str, rest: &str) -> usize {
    let border = text[..text.len() - rest.len()].chars().next_back();
    border.filter(|it| *it != ' ').map_or(0, char::len_utf8)
}

/// The same for the border after `rest`.
fn border_len_before(text: &str, rest: &str) -> usize {
    let border = text[rest.len()..].chars().next();
    border.filter(|it| !matches!(it, ' ' | ',')).map_or(0, char::len_utf8)
}

fn long_form(text: &str) -> Option<(&'static str, String)> {
    // Lower case of these letters keeps the number of bytes; when it does not, there is no match.
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return None;
    }
    for (short, long) in FORMS {
        if let Some(rest) = lower.strip_prefix(long)
            && rest.starts_with([' ', '«', '"', '“', '„'])
        {
            return text.get(long.len()..).map(|it| (*short, it.trim().to_owned()));
        }
        if let Some(rest) = lower.strip_suffix(long)
            && rest.ends_with([' ', '»', '"', '”', ','])
        {
            return text.get(..rest.len()).map(|it| (*short, it.trim_end_matches([' ', ',']).to_owned()));
        }
    }
    None
}

/// A short Russian form, Latin look-alikes and the digit 3 folded (`OOO`, `3АО`).
fn short_form(word: &str) -> Option<CompactString> {
    let fold = |it: char| match it {
        '3' => 'З',
        it => to_cyrillic(it).unwrap_or(it),
    };
    let folded: String = word.to_uppercase().chars().map(fold).collect();
    // Two letters are a form only in capitals: `ао` in the midst of a text is no company.
    let long_enough = folded.chars().count() > 2 || word.chars().all(char::is_uppercase);
    let known = FORMS.iter().map(|(short, _)| *short).find(|short| *short == folded);
    let alias = (folded == "ПБОЮЛ" || folded == "ЧП").then_some("ИП");
    known.or(alias).filter(|_| long_enough).map(CompactString::from)
}

fn foreign_form(word: &str) -> Option<CompactString> {
    let upper = word.to_uppercase();
    let is_known = FOREIGN_FORMS.contains(&upper.as_str());
    let long_enough = word.len() > 2 || word == upper;
    (is_known && long_enough).then(|| upper.into())
}

/// `text` without its outer quotation marks; the inner ones as « and ».
fn unquoted(text: &str) -> String {
    let mut marked = guillemets(text.trim_matches(|it: char| it == ',' || it == ' '));
    // Bound: each turn takes two marks away.
    while let Some(inner) = without_outer(&marked) {
        marked = inner;
    }
    marked
}

fn guillemets(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut marked = String::with_capacity(text.len());
    for (index, it) in chars.iter().enumerate() {
        let starts = index == 0 || matches!(chars[index - 1], ' ' | '(' | '«' | '"' | '“' | '„' | '\'' | '-');
        let opens = starts && chars.get(index + 1).is_some_and(|it| !matches!(it, ' ' | ')' | ','));
        let closes = index + 1 == chars.len() || matches!(chars[index + 1], ' ' | ')' | ',' | '»' | '"' | '”' | '\'');
        match it {
            '«' | '„' => marked.push('«'),
            '»' | '”' => marked.push('»'),
            '"' | '“' | '‟' if opens => marked.push('«'),
            '"' | '“' | '‟' => marked.push('»'),
            '\'' | '`' | '‘' | '’' if opens => marked.push('«'),
            '\'' | '`' | '‘' | '’' if closes && index > 0 => marked.push('»'),
            it => marked.push(*it),
        }
    }
    balanced(&marked)
}

/// Closing marks that are missing at the end are added (`ТД «Ромашка`), those without an opening
/// one are dropped.
fn balanced(text: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '«' => depth += 1,
            '»' if depth == 0 => continue,
            '»' => depth -= 1,
            _ => (),
        }
        kept.push(it);
    }
    let kept = kept.trim().to_owned();
    match depth {
        0 => kept,
        // `«ТД «Ромашка»`: one mark closes two, as the rules of spelling want it.
        missing => format!("{kept}{}", "»".repeat(missing.min(8))),
    }
}

/// The text between the first and the last mark, when these two belong together.
fn without_outer(text: &str) -> Option<String> {
    let inner = text.strip_prefix('«')?.strip_suffix('»')?;
    let mut depth = 0i32;
    for it in inner.chars() {
        match it {
            '«' => depth += 1,
            '»' => depth -= 1,
            _ => (),
        }
        if depth < 0 {
            return None;
        }
    }
    Some(inner.trim().to_owned())
}
