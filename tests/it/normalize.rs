//! Text of people and of foreign systems, and what is made of it.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use uzel::model::{Currency, Name, PersonName, Phone};
use uzel::normalize::{self, Normalized};

/// `value` or `-`, then the identifiers of the issues without their common beginning.
fn shown<T>(normalized: Normalized<T>, value: impl Fn(&T) -> String) -> String {
    let mut text = normalized.value.as_ref().map_or("-".to_owned(), value);
    for issue in &normalized.issues {
        text.push(' ');
        text.push('!');
        text.push_str(issue.message.id.strip_prefix("normalize-").expect("issues of this module"));
    }
    text
}

fn check_all(cases: &[(&str, &str)], made: impl Fn(&str) -> String) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, expected, made(text)))
        .filter(|(_, expected, got)| **expected != got)
        .map(|(text, expected, got)| format!("{text:?}: expected {expected:?}, got {got:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn phone_text(phone: &Phone) -> String {
    match &phone.extension {
        Some(extension) => format!("{};{extension}", phone.e164),
        None => phone.e164.to_string(),
    }
}

#[test]
fn telephones_as_russians_write_them() {
    check_all(
        &[
            ("", "-"),
            ("  \u{a0}", "-"),
            ("+7 916 123-45-67", "+79161234567"),
            ("8 (916) 123-45-67", "+79161234567"),
            ("89161234567", "+79161234567"),
            ("79161234567", "+79161234567"),
            ("9161234567", "+79161234567"),
            ("+7(916)1234567", "+79161234567"),
            ("8-916-123.45.67", "+79161234567"),
            ("8\u{a0}916\u{2011}123\u{2013}45\u{2014}67", "+79161234567"),
            ("\u{202a}+7 916 123-45-67\u{202c}", "+79161234567"),
            ("＋７ ９１６ １２３ ４５ ６７", "+79161234567"),
            ("тел: 8 916 123 45 67 (Иван)", "+79161234567"),
            ("tel:+79161234567", "+79161234567"),
            ("моб. 8 (495) 123-45-67", "+74951234567"),
            ("8 800 555-35-35", "+78005553535"),
            ("+8 916 123 45 67", "+79161234567 !phone-prefix"),
            ("+9161234567", "+79161234567 !phone-prefix"),
            ("+7 8 916 123-45-67", "+79161234567 !phone-prefix"),
            ("+7 7 916 123-45-67", "+79161234567 !phone-prefix"),
            ("+7 (8916) 123-45-67", "+79161234567 !phone-prefix"),
            ("8 9О6 123-45-67", "+79061234567 !phone-lookalike"),
            ("8 916 123-45-6О", "+79161234560 !phone-lookalike"),
            ("8 916 12З-45-67", "+79161234567 !phone-lookalike"),
            ("8 10 375 29 123-45-67", "+375291234567"),
            ("00375291234567", "+375291234567"),
        ],
        |text| shown(normalize::phone(text, "RU"), phone_text),
    );
}

#[test]
fn extensions_are_kept_apart() {
    check_all(
        &[
            ("8 (495) 123-45-67 доб. 123", "+74951234567;123"),
            ("8 (495) 123-45-67 доб.123", "+74951234567;123"),
            ("8 (495) 123-45-67, доб. 123", "+74951234567;123"),
            ("8 (495) 123-45-67 (доб. 123)", "+74951234567;123"),
            ("8 (495) 123-45-67 ДОБАВОЧНЫЙ 5", "+74951234567;5"),
            ("+7 495 123-45-67 ext 12", "+74951234567;12"),
            ("+7 495 123-45-67 x12", "+74951234567;12"),
            ("+7 495 123-45-67#12", "+74951234567;12"),
            ("+74951234567;ext=12", "+74951234567;12"),
            ("+74951234567,12", "+74951234567;12"),
            ("+74951234567,,12", "+74951234567;12"),
            ("8 (495) 123-45-67 вн. 4", "+74951234567;4"),
            ("495 123-45-67 (123)", "+74951234567;123"),
            ("8 916 123 45 67 внутри", "+79161234567"),
        ],
        |text| shown(normalize::phone(text, "RU"), phone_text),
    );
}

#[test]
fn several_telephones_of_one_field_are_all_found() {
    let all = |phones: &Vec<Phone>| phones.iter().map(phone_text).collect::<Vec<_>>().join(" ");
    check_all(
        &[
            ("8 916 123-45-67, 8 903 765-43-21", "+79161234567 +79037654321"),
            ("8 916 123-45-67; 8 903 765-43-21 доб. 5", "+79161234567 +79037654321;5"),
            ("89161234567 89037654321", "+79161234567 +79037654321"),
            ("8 916 123 45 67 8 903 765 43 21", "+79161234567 +79037654321"),
            ("+79161234567/+79037654321", "+79161234567 +79037654321"),
            ("+79161234567 +79037654321", "+79161234567 +79037654321"),
            ("8 916 123-45-67\n8 495 765-43-21", "+79161234567 +74957654321"),
            ("8 916 123-45-67 или 8 903 765-43-21", "+79161234567 +79037654321"),
            ("89161234567, 8(916)123-45-67", "+79161234567"),
            ("8 (495) 123-45-67/68", "+74951234567 !phone-short"),
        ],
        |text| shown(normalize::phones(text, "RU"), all),
    );
    let first = shown(normalize::phone("8 916 123-45-67, 8 903 765-43-21", "RU"), phone_text);
    assert_eq!(first, "+79161234567 !phone-several");
}

#[test]
fn what_cannot_be_dialled_is_no_telephone() {
    check_all(
        &[
            ("+7 000 000-00-00", "- !phone-placeholder"),
            ("+7 999 999-99-99", "- !phone-placeholder"),
            ("9999999999", "- !phone-placeholder"),
            ("1234567890", "- !phone-placeholder"),
            ("+7 123 456-78-90", "- !phone-placeholder"),
            ("+7 000 123-45-67", "- !phone-invalid"),
            ("123-45-67", "- !phone-short"),
            ("12", "- !phone-short"),
            ("нет", "- !phone-invalid"),
            ("-", "- !phone-invalid"),
            ("ivan2024@example.ru", "- !phone-short"),
            ("+7 916 123-45-67-89-01-23", "- !phone-long"),
            ("99999999999999999999999999", "- !phone-long"),
        ],
        |text| shown(normalize::phone(text, "RU"), phone_text),
    );
}

#[test]
fn foreign_telephones_are_kept() {
    check_all(
        &[
            ("+375 29 123-45-67", "+375291234567"),
            ("375291234567", "+375291234567 !phone-country"),
            ("+44 20 7183 8750", "+442071838750"),
            ("+1 202-555-0173", "+12025550173"),
            ("+86 138 0013 8000", "+8613800138000"),
            ("+852 2123 4567", "+85221234567"),
            ("+7 701 123 45 67", "+77011234567"),
            ("998901234567", "+998901234567 !phone-country"),
        ],
        |text| shown(normalize::phone(text, "RU"), phone_text),
    );
    check_all(
        &[("029 123-45-67", "+375291234567"), ("80291234567", "+375291234567"), ("+79161234567", "+79161234567")],
        |text| shown(normalize::phone(text, "BY"), phone_text),
    );
    check_all(&[("89161234567", "-"), ("+79161234567", "+79161234567")], |text| {
        let mut normalized = normalize::phone(text, "nowhere");
        normalized.issues.clear();
        shown(normalized, phone_text)
    });
}

#[test]
fn e_mail_addresses_and_their_keys() {
    check_all(
        &[
            ("", "-"),
            ("ivan@example.ru", "ivan@example.ru ivan@example.ru"),
            (" Ivan.Petrov@Example.RU ", "Ivan.Petrov@example.ru ivan.petrov@example.ru"),
            ("mailto:ivan@example.ru?subject=x", "ivan@example.ru ivan@example.ru"),
            ("Иван Петров <ivan@example.ru>", "ivan@example.ru ivan@example.ru"),
            ("\"Петров, Иван\" <ivan@example.ru>", "ivan@example.ru ivan@example.ru"),
            ("ivan @ example.ru", "ivan@example.ru ivan@example.ru"),
            ("ivan@example.ru.", "ivan@example.ru ivan@example.ru"),
            ("Почта: ivan@example.ru", "ivan@example.ru ivan@example.ru"),
            ("Почта:ivan@example.ru", "ivan@example.ru ivan@example.ru !email-repaired"),
            ("i.van+shop@gmail.com", "i.van+shop@gmail.com ivan@gmail.com"),
            ("ivan@googlemail.com", "ivan@googlemail.com ivan@gmail.com"),
            ("ivan-petrov@ya.ru", "ivan-petrov@ya.ru ivan.petrov@yandex.ru"),
            ("Ivan.Petrov@yandex.kz", "Ivan.Petrov@yandex.kz ivan.petrov@yandex.ru"),
            ("ivan+tag@mail.ru", "ivan+tag@mail.ru ivan@mail.ru"),
            ("ivan+tag@example.ru", "ivan+tag@example.ru ivan+tag@example.ru"),
            ("ivan@mаil.ru", "ivan@mail.ru ivan@mail.ru !email-repaired"),
            ("ivan@mail.ру", "ivan@mail.ru ivan@mail.ru !email-repaired"),
            ("ivan@mail,ru", "ivan@mail.ru ivan@mail.ru !email-repaired"),
            ("ivan@mail..ru", "ivan@mail.ru ivan@mail.ru !email-repaired"),
            ("иван@пример.рф", "иван@пример.рф иван@пример.рф"),
            ("info@xn--e1afmkfd.xn--p1ai", "info@xn--e1afmkfd.xn--p1ai info@xn--e1afmkfd.xn--p1ai"),
            ("нет", "- !email-invalid"),
            ("ivan@", "- !email-invalid"),
            ("@example.ru", "- !email-invalid"),
            ("ivan@localhost", "- !email-invalid"),
            ("ivan@1.2.3.4", "- !email-invalid"),
            ("a@b@c", "- !email-invalid"),
            ("a@example.ru, b@example.ru", "a@example.ru a@example.ru !email-several"),
        ],
        |text| shown(normalize::email(text), |email| format!("{} {}", email.address, email.key)),
    );
}

#[test]
fn names_of_people_come_apart() {
    let parts = |name: &PersonName| format!("{}|{}|{}", name.surname, name.given, name.patronymic);
    check_all(
        &[
            ("", "-"),
            ("Иванов Иван Иванович", "Иванов|Иван|Иванович"),
            ("Иван Иванович Иванов", "Иванов|Иван|Иванович"),
            ("ИВАНОВ ИВАН ИВАНОВИЧ", "Иванов|Иван|Иванович"),
            ("иванов иван иванович", "Иванов|Иван|Иванович"),
            ("Роман Аркадьевич Абрамович", "Абрамович|Роман|Аркадьевич"),
            ("Абрамович Роман Аркадьевич", "Абрамович|Роман|Аркадьевич"),
            ("Мария Ильинична", "|Мария|Ильинична"),
            ("Петр Иванов", "Иванов|Петр|"),
            ("Иванов Петр", "Иванов|Петр|"),
            ("Жак Петров", "Петров|Жак|"),
            ("Иванов И.И.", "Иванов|И.|И."),
            ("И. И. Иванов", "Иванов|И.|И."),
            ("И.Иванов", "Иванов|И.|"),
            ("Иван", "|Иван|"),
            ("Иванов", "Иванов||"),
            ("римский-корсаков николай", "Римский-Корсаков|Николай|"),
            ("Мамедов Ахмед Али оглы", "Мамедов|Ахмед|Али оглы"),
            ("Ким Чен Ир", "Ким|Чен|Ир"),
            ("John Smith", "Smith|John|"),
            ("Bruno Schmidt", "|Bruno Schmidt|"),
            ("Ivan Petrov", "Petrov|Ivan|"),
            ("МакДональд Петр", "МакДональд|Петр|"),
            ("Пeтpoв Ивaн", "Петров|Иван| !name-repaired"),
            ("Иванов Иван 89161234567", "Иванов|Иван| !name-repaired"),
            ("Иван (брат)", "Брат|Иван| !name-repaired"),
            ("ghbdtn", "|Ghbdtn|"),
            ("test", "- !name-junk"),
            ("Тест Тестов", "- !name-junk"),
            ("-", "- !name-junk"),
            ("нет", "- !name-junk"),
            ("ааа", "- !name-junk"),
            ("123", "- !name-junk"),
            ("Хочу узнать цену на доставку дивана в Тверь", "- !name-long"),
        ],
        |text| shown(normalize::person_name(text), parts),
    );
}

#[test]
fn names_of_companies_come_apart() {
    check_all(
        &[
            ("", "-"),
            ("ООО Ромашка", "ООО «Ромашка» | ООО | Ромашка"),
            ("ООО \"Ромашка\"", "ООО «Ромашка» | ООО | Ромашка"),
            ("ООО'Ромашка'", "ООО «Ромашка» | ООО | Ромашка"),
            ("ООО\"Ромашка\"", "ООО «Ромашка» | ООО | Ромашка"),
            ("ооо «Ромашка»", "ООО «Ромашка» | ООО | Ромашка"),
            ("OOO Ромашка", "ООО «Ромашка» | ООО | Ромашка"),
            ("3АО Ромашка", "ЗАО «Ромашка» | ЗАО | Ромашка"),
            ("Рога и Копыта ООО", "ООО «Рога и Копыта» | ООО | Рога и Копыта"),
            ("«Рога и Копыта», ООО", "ООО «Рога и Копыта» | ООО | Рога и Копыта"),
            ("«Рога» и «Копыта» (ООО)", "ООО «Рога» и «Копыта» | ООО | «Рога» и «Копыта»"),
            ("Общество с ограниченной ответственностью \"Ромашка\"", "ООО «Ромашка» | ООО | Ромашка"),
            ("Публичное акционерное общество «Сбербанк»", "ПАО «Сбербанк» | ПАО | Сбербанк"),
            ("ООО «ТД «Ромашка»", "ООО «ТД «Ромашка» | ООО | ТД «Ромашка»"),
            ("ООО \"Торговый дом \"Ромашка\"\"", "ООО «Торговый дом «Ромашка» | ООО | Торговый дом «Ромашка»"),
            ("ИП Иванов Иван Иванович", "ИП Иванов Иван Иванович | ИП | Иванов Иван Иванович"),
            ("ИВАНОВ ИВАН ИВАНОВИЧ ИП", "ИП Иванов Иван Иванович | ИП | Иванов Иван Иванович"),
            ("Индивидуальный предприниматель Иванов И.И.", "ИП Иванов И. И. | ИП | Иванов И. И."),
            ("Acme LLC", "Acme LLC | LLC | Acme"),
            ("Acme, Inc.", "Acme INC | INC | Acme"),
            ("McDonald's", "McDonald's |  | McDonald's"),
            ("Администрация района", "Администрация района |  | Администрация района"),
            ("ООО", "ООО |  | ООО"),
            ("ООО \"\"", "- !company-junk"),
            ("нет", "- !company-junk"),
        ],
        |text| shown(normalize::company_name(text), |it| format!("{} | {} | {}", it.full, it.form, it.bare)),
    );
}

#[test]
fn a_company_is_told_from_a_person() {
    let kind = |name: &Name| match name {
        Name::Person(person) => format!("person {}", person.shown()),
        Name::Company(company) => format!("company {}", company.full),
    };
    check_all(
        &[
            ("ООО Ромашка", "company ООО «Ромашка»"),
            ("ИП Иванов", "company ИП Иванов"),
            ("Завод имени Лихачёва", "company Завод имени Лихачёва"),
            ("Филиал ООО Ромашка", "company Филиал ООО Ромашка"),
            ("«Ромашка»", "company Ромашка"),
            ("Администрация района", "company Администрация района"),
            ("Иванов Иван", "person Иванов Иван"),
            ("Ао Ли", "person Ао Ли"),
        ],
        |text| shown(normalize::any_name(text), kind),
    );
}

#[test]
fn requisites_are_checked_by_their_sums() {
    check_all(
        &[
            ("", "-"),
            ("7707083893", "7707083893"),
            ("7736207543", "7736207543"),
            ("7736050003", "7736050003"),
            ("7702070139", "7702070139"),
            ("500100732259", "500100732259"),
            ("773173084809", "773173084809"),
            (" 77 07 083893 ", "7707083893"),
            ("ИНН: 7707083893", "7707083893"),
            ("ИНН/КПП 7707083893/773601001", "7707083893"),
            ("7707083893.0", "7707083893"),
            ("7707083894", "- !inn-checksum"),
            ("0000000000", "- !inn-checksum"),
            ("000000000000", "- !inn-checksum"),
            ("123", "- !inn-length"),
            ("7,7E+09", "- !inn-characters"),
            ("нет", "- !inn-characters"),
            // 0274062111 as a spreadsheet shows it.
            ("274062111", "0274062111 !inn-padded"),
        ],
        |text| shown(normalize::inn(text), |it| it.to_string()),
    );
    check_all(
        &[
            ("773601001", "773601001"),
            ("КПП 7736 01 001", "773601001"),
            ("ИНН/КПП 7707083893/773601001", "773601001"),
            ("7736AZ001", "7736AZ001"),
            ("27401001", "027401001 !kpp-padded"),
            ("000000000", "- !kpp-shape"),
            ("77360100", "077360100 !kpp-padded"),
            ("нет", "- !kpp-shape"),
        ],
        |text| shown(normalize::kpp(text), |it| it.to_string()),
    );
    check_all(
        &[
            ("1027700132195", "1027700132195"),
            ("1027700229193", "1027700229193"),
            ("ОГРН 1027700070518", "1027700070518"),
            ("1037739010891", "1037739010891"),
            ("1027700132196", "- !ogrn-checksum"),
            ("0000000000000", "- !ogrn-checksum"),
        ],
        |text| shown(normalize::ogrn(text), |it| it.to_string()),
    );
}

#[test]
fn numbers_in_every_usual_writing() {
    check_all(
        &[
            ("", "-"),
            ("0", "0"),
            ("55", "55"),
            ("-3", "-3"),
            ("−3", "-3"),
            ("(3,5)", "-3.5"),
            ("231.7400", "231.74"),
            ("1.0000", "1"),
            ("27505.35", "27505.35"),
            ("1 234,50", "1234.5"),
            ("1\u{a0}234\u{202f}567,5", "1234567.5"),
            ("1.234,50", "1234.5"),
            ("1,234.50", "1234.5"),
            ("1.234.567", "1234567"),
            ("1'234.5", "1234.5"),
            ("1 234.567", "1234.567"),
            ("1.234", "1.234 !number-ambiguous"),
            ("1,234", "1.234 !number-ambiguous"),
            ("0.123", "0.123"),
            ("1234.567", "1234.567"),
            (",5", "0.5"),
            ("12 34", "- !number"),
            ("1.2.3", "- !number"),
            ("1,2.3,4", "- !number"),
            ("abc", "- !number"),
            ("1e5", "- !number"),
            ("99999999999999999999999999999999", "- !number"),
            ("-999999999.9", "-999999999.9"),
        ],
        |text| shown(normalize::decimal(text), |it| it.to_string()),
    );
}

#[test]
fn sums_and_their_currencies() {
    let rub = Currency::rub();
    check_all(
        &[
            ("", "-"),
            ("1234.50", "1234.5 RUB"),
            ("1 234,50 руб.", "1234.5 RUB"),
            ("50 000 р", "50000 RUB"),
            ("50 000 ₽", "50000 RUB"),
            ("50000р.", "50000 RUB"),
            ("1.234,50", "1234.5 RUB"),
            ("$1,234.50", "1234.5 USD"),
            ("1 000 EUR", "1000 EUR"),
            ("100 тг", "100 KZT"),
            ("50 тыс. руб.", "50000 RUB"),
            ("50 т.р.", "50000 RUB"),
            ("50к", "50000 RUB"),
            ("1,5 млн", "1500000 RUB"),
            ("1,5 млн руб", "1500000 RUB"),
            ("50.000 руб.", "50000 RUB !number-ambiguous"),
            ("50.000", "50 RUB !number-ambiguous"),
            ("231.740", "231.74 RUB !number-ambiguous"),
            ("0", "0 RUB !money-zero"),
            ("-5", "-5 RUB !money-negative"),
            ("от 50 000 до 100 000", "- !money"),
            ("50-60 тыс", "- !money"),
            ("договорная", "- !money"),
            ("5 попугаев", "- !money"),
        ],
        |text| shown(normalize::money(text, &rub), |it| it.to_string()),
    );
    check_all(
        &[
            ("руб", "RUB"),
            ("руб.", "RUB"),
            ("RUR", "RUB"),
            ("643", "RUB"),
            ("₽", "RUB"),
            ("грн", "UAH"),
            ("тг.", "KZT"),
            ("usd", "USD"),
            ("XYZ", "- !currency"),
        ],
        |text| shown(normalize::currency(text), |it| it.to_string()),
    );
}

#[test]
fn dates_and_times() {
    let moscow = TimeZone::get("Europe/Moscow").expect("bundled");
    check_all(
        &[
            ("", "-"),
            ("2026-11-22T10:00:00", "2026-11-22T07:00:00Z"),
            ("2026-11-22 10:00:00", "2026-11-22T07:00:00Z"),
            ("2026-11-22T0:36:33", "2026-11-21T21:36:33Z"),
            ("22.11.2026 10:00:05", "2026-11-22T07:00:05Z"),
            ("22.11.2026 10:00", "2026-11-22T07:00:00Z"),
            ("22.11.2026, 9:05", "2026-11-22T06:05:00Z"),
            ("22.11.2026", "2026-11-21T21:00:00Z"),
            ("22/11/2026 10:00", "2026-11-22T07:00:00Z"),
            ("20261122100000", "2026-11-22T07:00:00Z"),
            ("22 ноября 2026 г. 10:00", "2026-11-22T07:00:00Z"),
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00:00.123+05:00", "2026-11-22T05:00:00.123Z"),
            ("2026-11-22T10:00:00+0500", "2026-11-22T05:00:00Z"),
            ("Sun, 22 Nov 2026 10:00:00 +0300", "2026-11-22T07:00:00Z"),
            ("1795330800", "2026-11-22T07:00:00Z"),
            ("1795330800000", "2026-11-22T07:00:00Z"),
            ("0001-01-01T00:00:00", "-"),
            ("0001-01-01", "-"),
            ("0000-00-00 00:00:00", "-"),
            ("01.01.0001 0:00:00", "-"),
            ("22.11.26", "2026-11-21T21:00:00Z !date-guessed"),
            ("11/22/2026", "2026-11-21T21:00:00Z !date-guessed"),
            ("31.02.2026", "- !date"),
            ("22.11.0026", "- !date"),
            ("2026-11-22 25:00", "- !date"),
            ("завтра", "- !date"),
            ("2026-11-22T10:00:00+ab", "- !date"),
        ],
        |text| shown(normalize::datetime(text, &moscow), |it| it.to_string()),
    );
    let berlin = TimeZone::get("Europe/Berlin").expect("bundled");
    check_all(
        &[
            // Does not exist: taken as if the clocks had not jumped.
            ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
            // Exists twice: the first.
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
        ],
        |text| shown(normalize::datetime(text, &berlin), |it| it.to_string()),
    );
    check_all(
        &[("22.11.2026 10:00", "2026-11-22"), ("2026-11-22", "2026-11-22"), ("0001-01-01", "-"), ("x", "- !date")],
        |text| shown(normalize::date(text), |it| it.to_string()),
    );
}

#[test]
fn yes_and_no() {
    check_all(
        &[
            ("", "-"),
            ("true", "true"),
            ("Да", "true"),
            ("1", "true"),
            ("Y", "true"),
            ("FALSE", "false"),
            ("нет", "false"),
            ("0", "false"),
            ("N", "false"),
            ("может быть", "- !bool"),
        ],
        |text| shown(normalize::boolean(text), |it| it.to_string()),
    );
}

/// Text in which the parts that the parsers look for are frequent.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,6}",
        "[0-9+() .,-]{0,14}",
        "[а-яёА-ЯЁ]{1,8}",
        "[a-zA-Z]{1,8}",
        prop::sample::select(vec![
            "ООО ",
            "ИП ",
            "«",
            "»",
            "\"",
            "'",
            "@",
            "@gmail.com",
            "@ya.ru",
            ".ru",
            "доб. ",
            "Иванович",
            "Иван ",
            "ова ",
            "оглы",
            "тыс",
            "руб",
            "₽",
            "8 916 123 45 67",
            "+7",
            "7707083893",
            "2026-11-22",
            "T10:00",
            "LLC",
            " ",
            "/",
            ";",
            "\u{a0}",
            "\u{200b}",
            "О",
            "общество с ограниченной ответственностью ",
            "İ",
            "ß",
            "ŉ",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

/// Normalising the text of the result gives the result.
fn stays<T: PartialEq + std::fmt::Debug>(
    made: Option<T>,
    text: impl Fn(&T) -> String,
    again: impl Fn(&str) -> Option<T>,
) {
    if let Some(value) = made {
        let text = text(&value);
        assert_eq!(again(&text), Some(value), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_and_results_stay(text in any_text()) {
        let rub = Currency::rub();
        let utc = TimeZone::UTC;
        for region in ["RU", "BY", "US", "??"] {
            stays(normalize::phone(&text, region).value, phone_text, |it| normalize::phone(it, region).value);
        }
        stays(normalize::email(&text).value, |it| it.address.to_string(), |it| normalize::email(it).value);
        stays(normalize::person_name(&text).value, |it| it.shown(), |it| normalize::person_name(it).value);
        stays(normalize::company_name(&text).value, |it| it.full.to_string(), |it| normalize::company_name(it).value);
        stays(normalize::inn(&text).value, |it| it.to_string(), |it| normalize::inn(it).value);
        stays(normalize::kpp(&text).value, |it| it.to_string(), |it| normalize::kpp(it).value);
        stays(normalize::ogrn(&text).value, |it| it.to_string(), |it| normalize::ogrn(it).value);
        stays(normalize::decimal(&text).value, |it| it.to_string(), |it| normalize::decimal(it).value);
        stays(normalize::money(&text, &rub).value, |it| it.to_string(), |it| normalize::money(it, &rub).value);
        stays(normalize::currency(&text).value, |it| it.to_string(), |it| normalize::currency(it).value);
        stays(normalize::datetime(&text, &utc).value, |it| it.to_string(), |it| normalize::datetime(it, &utc).value);
        stays(normalize::date(&text).value, |it| it.to_string(), |it| normalize::date(it).value);
        normalize::boolean(&text);
        normalize::any_name(&text);
    }

    #[test]
    fn an_ordinary_mobile_is_read_by_either_way_alike(digits in "9[0-9]{9}") {
        let fast = normalize::phone(&format!("+7{digits}"), "RU");
        // A word sends it the long way round.
        let slow = normalize::phone(&format!("тел {digits}"), "RU");
        prop_assert_eq!(fast.value, slow.value);
    }
}
