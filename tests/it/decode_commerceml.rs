//! Files of the 1C exchange: counts, order, context, damage, archives, sizes.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write as _};
use std::path::PathBuf;

use expect_test::{Expect, expect};
use uzel::base::Locale;
use uzel::base::limits::{DAMAGED_PLACES_MAX, RECORD_BYTES_MAX};
use uzel::decode::commerceml::{Content, Extent, Item, open, records};
use uzel::value::{Path, Value};
use zip::write::{SimpleFileOptions, ZipWriter};

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/commerceml").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default()).expect("memory does not fail");
        zip.write_all(content).expect("memory does not fail");
    }
    zip.finish().expect("memory does not fail").into_inner()
}

/// One line for each item: stream and number, or what is broken and how much of the file.
fn lines(items: impl Iterator<Item = Item>) -> String {
    let mut text = String::new();
    for item in items {
        let line = match item.content {
            Content::Record(record) => {
                let id = ["Номер", "Ид"].iter().find_map(|it| record.value.get(it)).and_then(Value::as_text);
                let issues = if record.issues.is_empty() { "" } else { " (issues)" };
                format!("{}:{} {} {}{issues}", item.file, item.line, &*record.stream, id.unwrap_or("-"))
            }
            Content::Broken(broken) => {
                assert!(!broken.message.render(Locale::Ru).contains(&*broken.message.id), "a text is missing");
                format!("{:?} {}", broken.extent, broken.message)
            }
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn check(body: impl AsRef<[u8]>, expected: Expect) {
    expected.assert_eq(&lines(open("f.xml", Cursor::new(body.as_ref()))));
}

fn at(value: &Value, path: &str) -> String {
    Path::compile(path).expect("a path of this test").first(value).and_then(Value::as_text).unwrap_or("-").to_owned()
}

fn values(body: &[u8]) -> Vec<Value> {
    let value = |item: Item| match item.content {
        Content::Record(record) => record.value,
        Content::Broken(broken) => panic!("{}", broken.message),
    };
    open("f.xml", Cursor::new(body)).map(value).collect()
}

#[test]
fn orders_as_ut11_writes_them() {
    let body = fixture("ut11-orders-2.07.xml");
    check(
        &body,
        expect![[r#"
            f.xml:3 order УТ-000117
            f.xml:79 order 118
            f.xml:120 document 119
        "#]],
    );
    let orders = values(&body);
    let first = &orders[0];
    for (path, expected) in [
        ("@ВерсияСхемы", "2.07"),
        ("@ДатаФормирования", "2026-11-20T0:36:33"),
        ("Время", "0:36:33"),
        ("Сумма", "12450.5"),
        ("Комментарий", "Позвонить до \"обеда\" & привезти"),
        ("Контрагенты.Контрагент.ИНН", "7707083893"),
        ("Контрагенты.Контрагент.Контакты", ""),
        ("Контрагенты.Контрагент.Представители.Представитель.Контрагент.Наименование", "Смирнова Ольга"),
        ("Товары.Товар[1].Ид", "ORDER_DELIVERY"),
        ("Товары.Товар[0].БазоваяЕдиница.@Код", "796"),
        ("Товары.Товар[0].БазоваяЕдиница", "шт"),
        ("ЗначенияРеквизитов.ЗначениеРеквизита[\"Наименование\"=\"Номер по 1С\"].Значение", "УТ-000117"),
        ("ЗначенияРеквизитов.ЗначениеРеквизита[\"Наименование\"=\"ПометкаУдаления\"].Значение", "false"),
    ] {
        assert_eq!(at(first, path), expected, "{path}");
    }
    assert_eq!(
        at(&orders[1], "Контрагенты.Контрагент.Контакты.Контакт[Тип=ТелефонРабочий].Значение"),
        "8 (900) 000-00-12"
    );
    assert_eq!(at(first, "@xmlns"), "-");
}

#[test]
fn containers_and_subordinate_documents() {
    let body = fixture("container-2.10-cp1251.xml");
    check(
        &body,
        expect![[r#"
            f.xml:4 order 7001
            f.xml:19 document 7001-2
            f.xml:27 order 7002
        "#]],
    );
    let path = "ПодчиненныеДокументы.ПодчиненныйДокумент.ХозОперация";
    assert_eq!(at(&values(&body)[0], path), "Эквайринговая операция");
}

#[test]
fn counterparties_with_a_prefix_and_representatives() {
    let body = fixture("contragents-3.1.xml");
    check(
        &body,
        expect![[r#"
            f.xml:4 counterparty c1
            f.xml:12 counterparty c2
        "#]],
    );
    let values = values(&body);
    assert_eq!(at(&values[1], "ОфициальноеНаименование"), "ООО \"Ромашка\"");
    assert_eq!(at(&values[1], "@СодержитТолькоИзменения"), "true");
    assert_eq!(at(&values[0], "Представители.Представитель.Контрагент.Ид"), "c1a");
}

#[test]
fn a_broken_record_does_not_take_the_others_along() {
    check(
        fixture("broken-3.1.xml"),
        expect![[r#"
            f.xml:3 order 1
            Record f.xml:5: the record "Документ" cannot be read: position 10: attribute key must be directly followed by `=` or space (column 14). Find the object in 1C, remove unprintable characters from its texts, then send it again.
            f.xml:7 order 3 (issues)
            Record f.xml:8: a tag is mangled here; reading went on after it. Find the object in 1C whose text breaks the file, then repeat the exchange.
            Record f.xml:9: the record "Документ" has no end and was not read; the next one was. Repeat the exchange from 1C.
            f.xml:10 order 5
            Record f.xml:11: an end tag does not fit here; reading went on after it. Repeat the exchange from 1C; if it comes again, look at that line.
            Record f.xml:12: the record "Документ" cannot be read: ill-formed document: expected `</Товар>`, but `</Товары>` was found (column 42). Find the object in 1C, remove unprintable characters from its texts, then send it again.
            f.xml:13 order 7
        "#]],
    );
}

#[test]
fn the_file_is_read_however_it_comes_in_pieces() {
    /// Gives so many bytes at a time.
    struct Dribble<'b>(&'b [u8], usize);
    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }
    for name in ["ut11-orders-2.07.xml", "container-2.10-cp1251.xml", "contragents-3.1.xml", "broken-3.1.xml"] {
        let body = fixture(name);
        let whole = lines(open("f.xml", Cursor::new(&body)));
        for piece in [1, 7, 4096] {
            assert_eq!(lines(records("f.xml".into(), Dribble(&body, piece))), whole, "{name} by {piece}");
        }
    }
}

#[test]
fn every_cut_of_a_file_ends_in_one_told_break() {
    for name in ["ut11-orders-2.07.xml", "container-2.10-cp1251.xml"] {
        let body = fixture(name);
        let end = body.len() - body.iter().rev().take_while(|byte| **byte != b'>').count();
        for len in 0..end {
            let items: Vec<_> = open("f.xml", Cursor::new(&body[..len])).collect();
            let broken = items.iter().filter(|item| matches!(item.content, Content::Broken(_))).count();
            assert_eq!(broken, 1, "{name} cut at {len}");
        }
    }
}

#[test]
fn empty_and_foreign_files_say_what_they_are() {
    check("<?xml version=\"1.0\"?><КоммерческаяИнформация ВерсияСхемы=\"2.05\"/>\r\n", expect![[""]]);
    check("<КоммерческаяИнформация></КоммерческаяИнформация><!-- end -->", expect![[""]]);
    check(
        "<КоммерческаяИнформация><Документ/></КоммерческаяИнформация>",
        expect![[r#"
        f.xml:1 document -
    "#]],
    );
    check(
        "",
        expect![[r#"
        File f.xml: the file is empty. Repeat the exchange from 1C.
    "#]],
    );
    check(
        " \n\n",
        expect![[r#"
        File f.xml: the file is empty. Repeat the exchange from 1C.
    "#]],
    );
    check(
        "<!DOCTYPE html><html><body>502</body></html>",
        expect![[r#"
        File f.xml:1: this is an HTML page, not CommerceML. Check the address in the exchange settings of 1C, then send the file again.
    "#]],
    );
    check(
        "<?xml version=\"1.0\"?><Message xmlns=\"x\"><Body/></Message>",
        expect![[r#"
        File f.xml:1: this is not CommerceML: the root element is "Message", not "КоммерческаяИнформация". Choose the exchange with a site in 1C, then send the file again.
    "#]],
    );
    check(
        "1CClientBankExchange\nВерсияФормата=1.03\n",
        expect![[r#"
        File f.xml:1: this is not CommerceML: the file begins with text, not with XML. Look what 1C or the sender wrote there, then send it again.
    "#]],
    );
    check(
        "{\"a\":1}",
        expect![[r#"
        File f.xml:1: this is not CommerceML: the file begins with text, not with XML. Look what 1C or the sender wrote there, then send it again.
    "#]],
    );
    check(
        "<!DOCTYPE a [<!ENTITY x \"y\">]><КоммерческаяИнформация/>",
        expect![[r#"
        File f.xml:1: the file declares entities of its own, and such files are not opened. Remove the DOCTYPE, then send it again.
    "#]],
    );
    check(
        "<КоммерческаяИнформация></КоммерческаяИнформация><Документ/>",
        expect![[r#"
        Rest f.xml:1: something follows the end of the file's content and was not read. Repeat the exchange from 1C.
    "#]],
    );
    check(
        "PK\u{3}\u{4} cut",
        expect![[r#"
        File f.xml: the archive cannot be read (invalid Zip archive: Could not find EOCD). Repeat the exchange from 1C.
    "#]],
    );
}

#[test]
fn an_archive_gives_the_records_of_its_members() {
    let orders = fixture("container-2.10-cp1251.xml");
    let people = fixture("contragents-3.1.xml");
    let body = zip_of(&[
        ("import_files/a1/a.jpg", b"\xff\xd8\xff"),
        ("orders-1.xml", &orders),
        ("../x.xml", b""),
        ("empty.xml", b"<\xd0\x90/>"),
        ("contragents_1.xml", &people),
    ]);
    check(
        &body,
        expect![[r#"
            f.xml/orders-1.xml:4 order 7001
            f.xml/orders-1.xml:19 document 7001-2
            f.xml/orders-1.xml:27 order 7002
            File f.xml: the name "../x.xml" leads out of its folder; the file was not read. Rename it.
            File f.xml/empty.xml:1: this is not CommerceML: the root element is "А", not "КоммерческаяИнформация". Choose the exchange with a site in 1C, then send the file again.
            f.xml/contragents_1.xml:4 counterparty c1
            f.xml/contragents_1.xml:12 counterparty c2
        "#]],
    );
    check(zip_of(&[("a.jpg", b"x")]), expect![[""]]);
    let mut torn = body;
    let middle = torn.len() / 3;
    torn[middle] ^= 0xff;
    let found = lines(open("f.zip", Cursor::new(&torn)));
    assert!(found.contains("Rest") || found.contains("Record") || found.contains("File"), "{found}");
}

#[test]
fn an_archive_as_1c_packs_it() {
    check(
        fixture("v8_1A2B_9.zip"),
        expect![[r#"
            f.xml/orders-1_1.xml:4 order 7001
            f.xml/orders-1_1.xml:19 document 7001-2
            f.xml/orders-1_1.xml:27 order 7002
            f.xml/contragents_1.xml:4 counterparty c1
            f.xml/contragents_1.xml:12 counterparty c2
        "#]],
    );
}

#[test]
fn a_record_too_large_is_passed_over() {
    let mut body =
        String::from("<КоммерческаяИнформация><Документ><Номер>1</Номер></Документ>\n<Документ><Номер>2</Номер><!--");
    body.push_str(&"x".repeat(RECORD_BYTES_MAX));
    body.push_str("--><К>");
    body.push_str(&"y".repeat(RECORD_BYTES_MAX));
    body.push_str("</К></Документ>\n<Документ><Номер>3</Номер></Документ></КоммерческаяИнформация>");
    check(
        &body,
        expect![[r#"
            f.xml:1 document 1
            Record f.xml:2: the record "Документ" is too large and was not read. Look in 1C what makes it so large (a picture in a text field?), then send it again.
            f.xml:3 document 3
        "#]],
    );
}

#[test]
fn damage_without_end_stops() {
    let body = format!("<КоммерческаяИнформация>{}", "<1>".repeat(100));
    let items: Vec<_> = open("f.xml", Cursor::new(body.as_bytes())).collect();
    assert_eq!(items.len(), DAMAGED_PLACES_MAX + 1);
    let last = items.last().map(|item| &item.content);
    assert!(matches!(last, Some(Content::Broken(broken)) if broken.extent == Extent::Rest));
    // Nesting, and a tag that never ends.
    let deep = format!("<КоммерческаяИнформация>{}", "<а>".repeat(100_000));
    assert!(lines(open("f.xml", Cursor::new(deep.as_bytes()))).starts_with("Rest"));
    let long = format!("<КоммерческаяИнформация><а б=\"{}", "x".repeat(1_000_000));
    assert!(lines(open("f.xml", Cursor::new(long.as_bytes()))).starts_with("Rest"));
}

#[test]
fn real_files_are_read_whole() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples/commerceml"));
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    for (name, expected) in [
        ("bitrix-orders-2.03-cp1251.xml", "{\"order\": 1}"),
        ("bitrix-orders-2.05-cp1251.xml", "{\"order\": 2}"),
        ("bitrix-orders-empty.xml", "{}"),
        ("split-rests-2.09.xml", "{\"offer\": 978}"),
        ("ut-catalogue-2.07.xml", "{\"product\": 36}"),
        ("ut-offers-2.07.xml", "{\"offer\": 44}"),
    ] {
        let body = std::fs::read(folder.join(name)).expect("the sample is there");
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for item in open(name, Cursor::new(&body)) {
            let kind = match item.content {
                Content::Record(record) => record.stream.to_string(),
                Content::Broken(broken) => broken.message.to_string(),
            };
            *counts.entry(kind).or_default() += 1;
        }
        assert_eq!(format!("{counts:?}"), expected, "{name}");
    }
}
