//! Names of people: text -> surname, given name, patronymic.
//!
//! The patronymic is known by its suffix, a given name by a small dictionary, a surname by its
//! suffix; what remains undecided keeps the order of Russian papers (ФИО). Two Latin words of
//! which neither is known stay together as the given name: `Bruno Schmidt` is never turned into
//! `Schmidt Bruno` by a guess.
//!
//! Known ambiguity: `Роман Абрамович` reads as given name and patronymic; with three words
//! (`Роман Аркадьевич Абрамович`) the order is found.

use std::collections::HashSet;
use std::sync::LazyLock;

use compact_str::CompactString;

use super::Normalized;
use super::script::{cyrillic_word, is_cyrillic, line, name_case};
use crate::base::Message;
use crate::model::PersonName;

/// Characters of a name; longer text is not a name.
const NAME_CHARS_MAX: usize = 120;
/// Words of a name; more is a sentence.
const NAME_WORDS_MAX: usize = 6;

/// A person's name.
pub fn person_name(text: &str) -> Normalized<PersonName> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    if clean.chars().count() > NAME_CHARS_MAX {
        return refused("normalize-name-long", text);
    }
    let (found, repaired) = words(&clean);
    if is_junk(&found) {
        return refused("normalize-name-junk", text);
    }
    if found.len() > NAME_WORDS_MAX {
        return refused("normalize-name-long", text);
    }
    let Some(name) = settled(arranged(found)) else { return refused("normalize-name-junk", text) };
    let normalized = Normalized::clean(name);
    if repaired { normalized.with_issue("name", "normalize-name-repaired", text) } else { normalized }
}

/// Read again until nothing changes: putting the parts in order may show another order.
fn settled(mut name: PersonName) -> Option<PersonName> {
    // Bound: a name settles in one or two turns; text that does not is no name.
    for _ in 0..8 {
        let (found, _) = words(&name.shown());
        if is_junk(&found) {
            return None;
        }
        let again = arranged(found);
        if again == name {
            return Some(name);
        }
        name = again;
    }
    None
}

fn refused(id: &str, text: &str) -> Normalized<PersonName> {
    Normalized::refused("name", Message::new(id), text)
}

/// Words of the name in their right case, and whether something was dropped or folded.
fn words(text: &str) -> (Vec<String>, bool) {
    let mut repaired = false;
    let mut words: Vec<String> = Vec::new();
    let is_border = |it: char| it.is_whitespace() || matches!(it, ',' | ';' | '"' | '«' | '»' | '“' | '”' | '/' | '_');
    for word in text.split(is_border).filter(|it| !it.is_empty()) {
        let is_word = word.chars().any(char::is_alphabetic) && !word.chars().any(|it| it.is_ascii_digit());
        if !is_word {
            // `Иванов Иван 8916...`: telephones typed into the name are common in 1C.
            repaired = true;
            continue;
        }
        let keep = |it: char| it.is_alphabetic() || matches!(it, '-' | '\'' | '’' | '.');
        let letters: String = word.chars().filter(|it| keep(*it)).map(|it| if it == '’' { '\'' } else { it }).collect();
        repaired |= letters.chars().count() != word.chars().count();
        let letters = letters.trim_start_matches(['-', '\'', '.']).trim_end_matches(['-', '\'']).to_owned();
        for word in initials(&letters) {
            // After the case is right: `ПEТРОВ` has look-alikes in capitals, `Пeтров` in small letters.
            let folded = cyrillic_word(&word);
            repaired |= folded.is_some();
            words.push(folded.unwrap_or(word));
        }
    }
    (words, repaired)
}

/// `И.И.` -> `И.`, `И.`; `И.Петров` -> `И.`, `Петров`; any other word as it is, in its case.
fn initials(word: &str) -> Vec<String> {
    if !word.contains('.') {
        return if word.is_empty() { Vec::new() } else { vec![cased(word)] };
    }
    let parts = word.split('.').map(|it| it.trim_matches(|edge: char| edge == '-' || edge == '\''));
    let filled = parts.filter(|part| part.chars().any(char::is_alphabetic));
    filled.map(|part| if part.chars().count() == 1 { format!("{}.", cased(part)) } else { cased(part) }).collect()
}

fn cased(word: &str) -> String {
    match word.to_lowercase().as_str() {
        lower @ ("оглы" | "кызы" | "оглу" | "гызы") => lower.to_owned(),
        _ => name_case(word),
    }
}

fn is_initial(word: &str) -> bool {
    word.ends_with('.') && word.chars().count() == 2
}

/// Words that people and programs write where they have no name.
const JUNK: &[&str] = &[
    "test",
    "тест",
    "тестов",
    "тестовый",
    "тестович",
    "testov",
    "asdf",
    "qwerty",
    "йцукен",
    "фыва",
    "нет",
    "no",
    "none",
    "null",
    "nil",
    "na",
    "undefined",
    "unknown",
    "неизвестно",
    "неизвестный",
    "аноним",
    "анонимно",
    "anonymous",
    "имя",
    "name",
    "фио",
    "гость",
    "guest",
    "клиент",
    "покупатель",
    "пользователь",
    "user",
    "client",
    "admin",
    "админ",
    "розничный",
    "без",
    "имени",
    "частное",
    "лицо",
    "физлицо",
];

fn is_junk(words: &[String]) -> bool {
    let said: Vec<String> =
        words.iter().map(|word| word.trim_end_matches('.').to_lowercase()).filter(|it| !it.is_empty()).collect();
    let repeats_one_letter = |word: &String| {
        let first = word.chars().next();
        word.chars().all(|it| Some(it) == first)
    };
    said.is_empty()
        || said.iter().all(|it| JUNK.contains(&it.as_str()))
        || (said.len() == 1 && repeats_one_letter(&said[0]))
}

fn arranged(words: Vec<String>) -> PersonName {
    let words = with_tails(words);
    match words.as_slice() {
        [one] => match looks_like_surname(one) && !is_given(one) {
            true => name(one, "", ""),
            false => name("", one, ""),
        },
        [first, second] => arranged_two(first, second),
        [first, second, third] => arranged_three(first, second, third),
        more => name("", &more.join(" "), ""),
    }
}

/// `Мамед оглы` is one word of a name.
fn with_tails(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        match (is_tail(&word), joined.last_mut()) {
            (true, Some(last)) => {
                last.push(' ');
                last.push_str(&word);
            }
            _ => joined.push(word),
        }
    }
    joined
}

fn is_tail(word: &str) -> bool {
    matches!(word, "оглы" | "кызы" | "оглу" | "гызы")
}

fn arranged_two(first: &str, second: &str) -> PersonName {
    if is_initial(second) && !is_initial(first) {
        return name(first, second, "");
    }
    if is_initial(first) && !is_initial(second) {
        return name(second, first, "");
    }
    if is_patronymic(second) && !is_given(second) {
        return match is_given(first) || !looks_like_surname(first) {
            true => name("", first, second),
            false => name(first, "", second),
        };
    }
    let second_first = match (is_given(first), is_given(second)) {
        (false, true) => false,
        (true, false) => true,
        (true, true) | (false, false) => looks_like_surname(second) && !looks_like_surname(first),
    };
    let undecided = !is_given(first) && !is_given(second) && !looks_like_surname(first) && !looks_like_surname(second);
    if undecided && !first.chars().any(is_cyrillic) {
        return name("", &format!("{first} {second}"), "");
    }
    if second_first { name(second, first, "") } else { name(first, second, "") }
}

fn arranged_three(first: &str, second: &str, third: &str) -> PersonName {
    let by_initials = (is_initial(first), is_initial(second), is_initial(third));
    match by_initials {
        (true, true, false) => return name(third, first, second),
        (false, true, true) => return name(first, second, third),
        _ => (),
    }
    let middle_is_patronymic = is_patronymic(second) && !is_initial(third);
    let last_is_patronymic = is_patronymic(third);
    let given_first = match (middle_is_patronymic, last_is_patronymic) {
        (true, false) => true,
        (true, true) => is_given(first),
        (false, true) => false,
        (false, false) if !first.chars().any(is_cyrillic) => {
            return name("", &format!("{first} {second} {third}"), "");
        }
        (false, false) => false,
    };
    if given_first { name(third, first, second) } else { name(first, second, third) }
}

fn name(surname: &str, given: &str, patronymic: &str) -> PersonName {
    let text = CompactString::from;
    PersonName { surname: text(surname), given: text(given), patronymic: text(patronymic) }
}

fn is_patronymic(word: &str) -> bool {
    let lower = word.to_lowercase();
    let ends = |suffixes: &[&str]| suffixes.iter().any(|it| lower.ends_with(it));
    let long_enough = lower.chars().count() >= 5;
    long_enough
        && (ends(&["ович", "евич", "ьич", "овна", "евна", "ична", "инична", "оглы", "кызы", "оглу", "гызы"])
            || ["ильич", "лукич", "кузьмич", "фомич", "никитич"].contains(&lower.as_str())
            || ends(&["ovich", "evich", "ovna", "evna"]))
}

fn looks_like_surname(word: &str) -> bool {
    const SUFFIXES: &[&str] = &[
        "ов",
        "ова",
        "ев",
        "ева",
        "ёв",
        "ёва",
        "ин",
        "ина",
        "ын",
        "ына",
        "ский",
        "ская",
        "цкий",
        "цкая",
        "ской",
        "енко",
        "чук",
        "юк",
        "швили",
        "дзе",
        "ян",
        "янц",
        "ых",
        "их",
        "ко",
        "ук",
        "ман",
        "штейн",
        "ov",
        "ova",
        "ev",
        "eva",
        "in",
        "ina",
        "sky",
        "skiy",
        "skaya",
        "enko",
        "chuk",
        "yan",
    ];
    let lower = word.to_lowercase();
    lower.chars().count() >= 4 && SUFFIXES.iter().any(|suffix| lower.ends_with(suffix))
}

fn is_given(word: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| GIVEN.split_whitespace().collect());
    NAMES.contains(word.to_lowercase().replace('ё', "е").as_str())
}

/// Given names, full and short, ё written е. Small on purpose: it only has to tell the order of two
/// words, and the suffixes of surnames and patronymics decide most of the rest.
const GIVEN: &str = "
    александр алексей анатолий андрей антон аркадий арсений артем артур богдан борис вадим валентин валерий василий
    вениамин виктор виталий владимир владислав всеволод вячеслав геннадий георгий герман глеб григорий давид даниил
    данила денис дмитрий евгений егор захар иван игнат игорь илья иннокентий иосиф кирилл константин лев леонид макар
    максим марат марк матвей михаил никита николай олег павел петр платон ренат ринат родион роман руслан рустам савелий
    семен сергей станислав степан тарас тимофей тимур федор филипп эдуард эльдар юрий яков ярослав ахмед магомед мурад
    азат айрат ильдар рашид рафаэль тигран армен ашот гурам нодар
    александра алена алина алиса алла альбина анастасия ангелина анна антонина валентина валерия варвара василиса вера
    вероника виктория галина дарья диана дина евгения екатерина елена елизавета жанна зинаида зоя инна ирина карина кира
    клавдия кристина ксения лариса лидия лилия любовь людмила маргарита марина мария милана надежда наталия наталья нелли
    нина оксана олеся ольга полина раиса регина римма роза светлана снежана софия софья таисия тамара татьяна ульяна фаина
    эльвира эмма юлия яна ярослава гузель айгуль гульнара алсу ляйсан динара венера
    саша леша толя боря вадик валера вася вика витя володя вова гена гоша гриша даня дима женя егорка ваня костя леня макс
    миша коля паша петя рома руся сережа слава степа федя юра яша аня ася настя валя варя вероничка вита галя даша катя
    лена лиза жена зина ира кристинка ксюша лара лида люба люда рита маша надя наташа оля поля рая света соня тома таня
    уля юля
    alexander alexey andrey anton artem boris vadim victor vladimir dmitry dmitriy eugene evgeny igor ilya ivan kirill
    konstantin maxim mikhail nikita nikolay oleg pavel petr roman sergey sergei stanislav stepan timur yuri anna
    anastasia daria ekaterina elena irina julia yulia ksenia maria marina natalia natalya olga polina svetlana tatiana
    victoria john michael david peter paul mark thomas robert james mary sarah laura";
