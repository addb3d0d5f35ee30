//! Tables: what comes out of CSV and XLSX, and when a file is not believed.

use std::io::{Cursor, Write as _};

use jiff::tz::TimeZone;
use uzel::base::{Locale, Timestamp};
use uzel::catalog::FileSet;
use uzel::decode::table::{self, Options, Table};
use uzel::mapping::columns::{self, Guess};
use uzel::mapping::{Inbound, MapContext, Scope};
use uzel::model::Currency;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A cell of a workbook.
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Number(&'a str),
    /// Days since 1900, shown as a date.
    Date(&'a str),
    Error(&'a str),
    Nothing,
}

/// A workbook: sheets of (name, state, rows, merged areas).
pub(crate) type Sheet<'a> = (&'a str, &'a str, Vec<Vec<Cell<'a>>>, &'a [&'a str]);

fn column_name(index: usize) -> String {
    char::from(b'A' + u8::try_from(index).expect("few columns")).to_string()
}

/// Workbooks as Excel writes them, as far as they matter here.
pub(crate) fn workbook(sheets: &[Sheet<'_>]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut put = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).expect("memory takes it");
        zip.write_all(text.as_bytes()).expect("memory takes it");
    };
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
    put(
        "[Content_Types].xml",
        &format!("{head}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
    );
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    put(
        "_rels/.rels",
        &format!(
            "{head}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{relation}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    let (mut listed, mut relations) = (String::new(), String::new());
    for (index, (name, state, _, _)) in sheets.iter().enumerate() {
        let id = index + 1;
        listed += &format!("<sheet name=\"{name}\" sheetId=\"{id}\" state=\"{state}\" r:id=\"rId{id}\"/>");
        relations += &format!(
            "<Relationship Id=\"rId{id}\" Type=\"{relation}/worksheet\" Target=\"worksheets/sheet{id}.xml\"/>"
        );
    }
    relations += &format!("<Relationship Id=\"rId99\" Type=\"{relation}/styles\" Target=\"styles.xml\"/>");
    put(
        "xl/workbook.xml",
        &format!("{head}<workbook xmlns=\"{main}\" xmlns:r=\"{relation}\"><sheets>{listed}</sheets></workbook>"),
    );
    put(
        "xl/_rels/workbook.xml.rels",
        &format!(
            "{head}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{relations}</Relationships>"
        ),
    );
    put(
        "xl/styles.xml",
        &format!(
            "{head}<styleSheet xmlns=\"{main}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"
        ),
    );
    for (index, (_, _, rows, merged)) in sheets.iter().enumerate() {
        let mut data = String::new();
        for (row, cells) in rows.iter().enumerate() {
            data += &format!("<row r=\"{}\">", row + 1);
            for (column, cell) in cells.iter().enumerate() {
                let at = format!("{}{}", column_name(column), row + 1);
                data += &match cell {
                    Cell::Text(text) => format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
                    Cell::Number(number) => format!("<c r=\"{at}\"><v>{number}</v></c>"),
                    Cell::Date(days) => format!("<c r=\"{at}\" s=\"1\"><v>{days}</v></c>"),
                    Cell::Error(error) => format!("<c r=\"{at}\" t=\"e\"><f>A1/0</f><v>{error}</v></c>"),
                    Cell::Nothing => String::new(),
                };
            }
            data += "</row>";
        }
        let areas: String = merged.iter().map(|area| format!("<mergeCell ref=\"{area}\"/>")).collect();
        let areas = if areas.is_empty() { areas } else { format!("<mergeCells>{areas}</mergeCells>") };
        put(
            &format!("xl/worksheets/sheet{}.xml", index + 1),
            &format!("{head}<worksheet xmlns=\"{main}\"><sheetData>{data}</sheetData>{areas}</worksheet>"),
        );
    }
    zip.finish().expect("memory takes it").into_inner()
}

/// The table as text: header, rows, issues.
fn shown(table: &Table) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", table.header_row, table.columns.join(" | "))];
    for row in &table.rows {
        let beyond = if row.beyond > 0 { format!(" +{}", row.beyond) } else { String::new() };
        lines.push(format!("{}: {}{beyond}", row.number, row.cells.join(" | ")));
        lines.extend(row.issues.iter().map(|issue| format!("   {} {}", issue.message.id, issue.original)));
    }
    lines.extend(table.totals.iter().map(|row| format!("{row}: totals")));
    lines.extend(table.issues.iter().map(|issue| format!("file {}", issue.message.id)));
    lines
}

fn check(bytes: &[u8], expected: &[&str]) {
    match table::read(bytes, Options::default()) {
        Ok(table) => assert_eq!(shown(&table), expected),
        Err(error) => assert_eq!(vec![error.message.id.as_str()], expected, "{error}"),
    }
}

#[test]
fn separated_text_is_read_whatever_separates_it() {
    check("ФИО;Телефон\nИванов;8 916 123-45-67\n".as_bytes(), &["1: ФИО | Телефон", "2: Иванов | 8 916 123-45-67"]);
    check("ФИО\tТелефон\nИванов\t89161234567\n".as_bytes(), &["1: ФИО | Телефон", "2: Иванов | 89161234567"]);
    check(b"name,phone,sum\nIvan,+79161234567,\"1,50\"\n", &["1: name | phone | sum", "2: Ivan | +79161234567 | 1,50"]);
    // A comma of a sum stands in each line too.
    check("Имя;Сумма\nА;1,5\nБ;2,5\n".as_bytes(), &["1: Имя | Сумма", "2: А | 1,5", "3: Б | 2,5"]);
    check(b"sep=;\r\nname;phone\r\nIvan;1\r\n", &["2: name | phone", "3: Ivan | 1"]);
    check("\u{feff}Имя;Город\nАнна;Пермь\n".as_bytes(), &["1: Имя | Город", "2: Анна | Пермь"]);
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("Имя;Город\nАнна;Пермь\n".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    check(&wide, &["1: Имя | Город", "2: Анна | Пермь"]);
    // windows-1251, as old programs write it.
    let old = b"\xc8\xec\xff;\xd2\xe5\xeb\xe5\xf4\xee\xed\n\xc0\xed\xed\xe0;89161234567\n";
    check(old, &["1: Имя | Телефон", "2: Анна | 89161234567"]);
}

#[test]
fn titles_totals_blank_rows_and_repeated_headers_are_no_records() {
    check(
        "Выгрузка клиентов на 01.11.2026;;\n;;\nФИО;Телефон;Сумма\nИванов;89161234567;10\n;;\nФИО;Телефон;Сумма\nПетров;89161234568;20\nИтого:;;30\n"
            .as_bytes(),
        &["3: ФИО | Телефон | Сумма", "4: Иванов | 89161234567 | 10", "7: Петров | 89161234568 | 20", "8: totals"],
    );
    // A company may bear the name.
    check(
        "Компания;Телефон;Город\nИтого Сервис;89161234567;Пермь\n".as_bytes(),
        &["1: Компания | Телефон | Город", "2: Итого Сервис | 89161234567 | Пермь"],
    );
}

#[test]
fn what_a_spreadsheet_did_to_numbers_is_undone_or_told() {
    check(
        "ФИО;Телефон\nА;7,91612E+10\nБ;7.9161234567E+10\nВ;=\"0012\"\n".as_bytes(),
        &["1: ФИО | Телефон", "2: А | ", "   table-scientific 7,91612E+10", "3: Б | 79161234567", "4: В | 0012"],
    );
}

#[test]
fn a_row_wider_than_its_header_is_no_record() {
    check(
        "ФИО;Город\nИванов;Пермь;ул. Ленина\nПетров;Омск;\n".as_bytes(),
        &["1: ФИО | Город", "2: Иванов | Пермь +1", "3: Петров | Омск"],
    );
}

#[test]
fn files_that_are_no_tables_say_what_they_are() {
    for (bytes, id) in [
        (&b""[..], "table-empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "table-old-excel"),
        (b"  <html><table></table></html>", "table-markup"),
        (b"%PDF-1.7", "table-not-table"),
        (b"PK\x03\x04half of a workbook", "table-book"),
        ("Иванов;89161234567;Пермь\nПетров;89161234568;Омск\n".as_bytes(), "table-no-header"),
        ("ФИО;Город\nИванов;\"Пермь\nПетров;Омск\nОрлов;Уфа\n".as_bytes(), "table-quote"),
        (b"a\0b;c\n", "table-not-table"),
    ] {
        check(bytes, &[id]);
    }
}

#[test]
fn a_workbook_is_read_as_people_see_it() {
    use Cell::{Date, Error, Nothing, Number, Text};
    let rows = vec![
        vec![Text("Клиенты")],
        vec![Text("Клиент"), Text("Контакты"), Nothing, Text("Дата"), Text("Сумма")],
        vec![Nothing, Text("Телефон"), Text("Почта"), Nothing, Nothing],
        vec![Text("Иванов Иван"), Number("79161234567"), Text("i@site.example"), Date("46054"), Number("25900.5")],
        vec![Text("Петров Пётр"), Number("7.9161234568E10"), Nothing, Date("46054.5"), Number("0.30000000000000004")],
        vec![Text("Орлова Анна"), Text("8 916 123-45-69"), Nothing, Nothing, Error("#DIV/0!")],
        vec![],
        vec![Text("Всего"), Nothing, Nothing, Nothing, Number("25900.8")],
    ];
    let cover = vec![vec![Text("Отчёт составлен вручную")]];
    let other = vec![vec![Text("ФИО"), Text("Город")], vec![Text("А"), Text("Б")]];
    let book = workbook(&[
        ("Скрытый", "hidden", vec![vec![Text("ФИО"), Text("Телефон")], vec![Text("Нет"), Text("Нет")]], &[]),
        ("Лист1", "visible", rows, &["A2:A3", "B2:C2", "D2:D3", "E2:E3"]),
        ("Титул", "visible", cover, &[]),
        ("Другой", "visible", other, &[]),
    ]);
    let table = table::read(&book, Options { header_row: Some(3), ..Options::default() }).expect("it reads");
    assert_eq!(
        shown(&table),
        [
            "3: Клиент | Телефон | Почта | Дата | Сумма",
            "4: Иванов Иван | 79161234567 | i@site.example | 2026-02-01 | 25900.5",
            "5: Петров Пётр | 79161234568 |  | 2026-02-01 12:00:00 | 0.3",
            "6: Орлова Анна | 8 916 123-45-69 |  |  | ",
            "   table-formula #DIV/0!",
            "8: totals",
        ]
    );
    assert_eq!((table.sheet.as_str(), table.other_sheets.join(",")), ("Лист1", "Титул,Другой".to_owned()));
    let wished = Options { sheet: Some("другой"), ..Options::default() };
    assert_eq!(shown(&table::read(&book, wished).expect("it reads")), ["1: ФИО | Город", "2: А | Б"]);
    let missing =
        table::read(&book, Options { sheet: Some("Клиенты"), ..Options::default() }).expect_err("no such sheet");
    assert_eq!(missing.message.id, "table-sheet");
}

#[test]
fn one_cell_at_the_far_end_of_a_sheet_costs_one_cell() {
    let far =
        workbook(&[("A", "visible", vec![vec![Cell::Text("ФИО"), Cell::Text("Город")], vec![Cell::Text("А")]], &[])]);
    // The same sheet with a cell at the last place a sheet has.
    let mut zip = zip::ZipArchive::new(Cursor::new(&far[..])).expect("our own workbook");
    let mut again = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..zip.len() {
        let mut member = zip.by_index(index).expect("a member");
        let name = member.name().expect("a name of our own").into_owned();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut member, &mut text).expect("text");
        let text =
            text.replace("</sheetData>", "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>");
        again.start_file(name, SimpleFileOptions::default()).expect("memory takes it");
        again.write_all(text.as_bytes()).expect("memory takes it");
    }
    check(&again.finish().expect("memory takes it").into_inner(), &["table-columns"]);
}

#[test]
fn half_a_workbook_is_not_whole_wherever_it_is_cut() {
    let book = workbook(&[("A", "visible", vec![vec![Cell::Text("ФИО")], vec![Cell::Text("А")]], &[])]);
    assert!(table::is_whole(&book));
    for cut in (10..book.len()).step_by(7) {
        assert!(!table::is_whole(&book[..cut]), "cut at {cut}");
        let _error = table::read(&book[..cut], Options::default()).expect_err("half a workbook does not read");
    }
}

/// The built-in mapping of a kind of rows.
fn inbound(records: &str) -> Inbound {
    let file = format!("mappings/folder/{records}.in.toml");
    let text = FileSet::builtin().get(&file).expect("built in").to_owned();
    Inbound::compile(&file, &text, Scope { fold_names: true, ..Scope::PLAIN }).expect("it compiles")
}

fn with_context<T>(look: impl FnOnce(&MapContext<'_>) -> T) -> T {
    let zone = TimeZone::get("Europe/Moscow").expect("a bundled zone");
    let currency = Currency::rub();
    let context = MapContext {
        zone: &zone,
        region: "RU",
        currency: &currency,
        received_at: Timestamp(1_772_442_000_000),
        notes: &[],
    };
    look(&context)
}

/// Whether a file would be taken: the identifier of the reason when not, and what it names.
fn fit(records: &str, text: &str) -> Option<(String, String)> {
    let table = table::read(text.as_bytes(), Options::default()).expect("the table reads");
    let refused = with_context(|context| columns::fit(&table, &inbound(records), context)).err()?;
    Some((refused.id.to_string(), refused.render(Locale::En)))
}

fn check_refused(records: &str, text: &str, id: &str, says: &[&str]) {
    let (found, message) = fit(records, text).unwrap_or_else(|| panic!("it was taken: {text}"));
    assert_eq!(found, id, "{message}");
    says.iter().for_each(|part| assert!(message.contains(part), "{message} says nothing of {part}"));
}

#[test]
fn a_table_whose_columns_were_shifted_waits_as_a_whole() {
    check_refused(
        "clients",
        "Телефон;Клиент;Почта\nИванов Иван;89161234567;i@site.example\nПетров Пётр;89161234568;p@site.example\nОрлова Анна;89161234569;o@site.example\n",
        "table-column-shifted",
        &["\"Телефон\"", "client.phone", "3 of 3", "names of people", "row 2"],
    );
    // Two rows are enough when they are plainly of another kind.
    check_refused("clients", "Телефон;Клиент\nИванов Иван;89161234567\n", "table-column-shifted", &["row 2"]);
    check_refused(
        "deals",
        "№;Клиент;Телефон;Сумма\n1;А Б;89161234567;вчера\n2;В Г;89161234568;завтра\n3;Д Е;89161234569;никогда\n",
        "table-column-shifted",
        &["\"Сумма\"", "deal.price"],
    );
}

#[test]
fn a_renamed_column_is_not_lost_in_silence() {
    check_refused(
        "clients",
        "Клиент;Связь;ИНН\nИванов;89161234567;\nПетров;89161234568;\nОрлов;89161234569;\n",
        "table-column-unread",
        &["\"Связь\"", "telephone numbers", "uzel folder guess"],
    );
    check_refused("clients", "Колонка А;Колонка Б\nх;у\nх;у\n", "table-columns-unknown", &["Колонка А, Колонка Б"]);
    check_refused(
        "orders",
        "Номер;Дата;Товар;Сумма\n1;01.02.2026;Стол;10\n1;01.02.2026;Стул;20\n2;01.02.2026;Стул;20\n",
        "table-order-lines",
        &["row 3"],
    );
}

#[test]
fn single_bad_cells_are_matters_of_their_rows() {
    for (records, text) in [
        (
            "clients",
            "Клиент;Телефон\nИванов;89161234567\nПетров;нет\nОрлов;позже\nСидоров;89161234568\nКац;89161234569\n",
        ),
        ("clients", "Клиент;Телефон;Телефон 2\nИванов;89161234567;-\nПетров;89161234568;\n"),
        ("orders", "Номер;Дата;Сумма\n1;01.02.2026;10\n2;02.02.2026;20\n2;02.02.2026;20\n3;;\n4;;\n5;;\n"),
        ("deals", "№;Клиент;Телефон;Комментарий\n1;А Б;89161234567;перезвонить на 89161234568\n"),
        // A file with a header and no rows yet.
        ("clients", "Клиент;Телефон\n"),
    ] {
        let refused = fit(records, text);
        // Of an empty table nothing can be said but that it has the columns.
        assert!(refused.is_none() || text.lines().count() == 1, "{refused:?}");
    }
}

#[test]
fn columns_that_a_mapping_calls_for_must_be_there() {
    let text = "columns = [\"ФИО\", \"Телефон клиента\"]\n[client]\nname = \"ФИО\"\nphone = '\"Телефон клиента\"'\n";
    let own = Inbound::compile("mappings/price/clients.in.toml", text, Scope { fold_names: true, ..Scope::PLAIN });
    let own = own.expect("it compiles");
    let refused = |text: &str| {
        let table = table::read(text.as_bytes(), Options::default()).expect("the table reads");
        with_context(|context| columns::fit(&table, &own, context)).err().map(|it| it.render(Locale::En))
    };
    assert_eq!(refused("фио;Телефон Клиента\nИванов;89161234567\n"), None);
    let renamed = refused("ФИО;Телефон клиент\nИванов;89161234567\n").expect("a column is renamed");
    assert!(renamed.contains("there is \"Телефон клиент\""), "{renamed}");
    let gone = refused("ФИО;Город\nИванов;Пермь\n").expect("a column is gone");
    assert!(gone.contains("no column \"Телефон клиента\""), "{gone}");
}

#[test]
fn a_guess_names_each_column_and_its_draft_takes_the_file() {
    let text = "Наименование контрагента;Связь;Моб. тел. директора;Заметка;Налоговый номер\n\
        ООО Ромашка;zakupki@romashka.example;89161234567;постоянный;7707083893\n\
        ООО Тюльпан;t@tulpan.example;89161234568;;7728168971\n\
        ИП Орлов;o@orlov.example;89161234569;звонить утром;7707083893\n";
    let table = table::read(text.as_bytes(), Options::default()).expect("the table reads");
    let found: Vec<Guess> = with_context(|context| columns::guess(&table, &inbound("clients"), context));
    let shown: Vec<String> =
        found.iter().map(|it| format!("{}: {} by {} {}", it.column, it.field, it.by, it.confidence)).collect();
    assert_eq!(
        shown,
        [
            "Наименование контрагента: client.company by header 85",
            "Связь: client.email by values 60",
            "Моб. тел. директора: client.phone by header 85",
            "Заметка:  by  0",
            "Налоговый номер: client.inn by values 60",
        ]
    );
    // Samples tell a column and no person.
    assert_eq!(found[2].samples, ["89*******67", "89*******68", "89*******69"]);
    assert!(!found[1].samples.iter().any(|it| it.contains("zakupki")), "{:?}", found[1].samples);

    let draft = columns::draft(&found, &inbound("clients"));
    let own = Inbound::compile("mappings/price/clients.in.toml", &draft, Scope { fold_names: true, ..Scope::PLAIN });
    let own = own.unwrap_or_else(|problems| panic!("{problems:#?}\n{draft}"));
    with_context(|context| {
        assert_eq!(columns::fit(&table, &own, context), Ok(()), "{draft}");
        let record = table.record(&table.rows[0]).expect("a record");
        let lines = own.apply(&record, context).lines();
        for line in ["client.company = ООО «Ромашка»", "client.phone = +79161234567", "client.inn = 7707083893"]
        {
            assert!(lines.iter().any(|it| it == line), "{lines:#?}");
        }
    });
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, failure_persistence: None, ..proptest::prelude::ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_table_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), head in 0..3usize) {
        let head: &[u8] = [&b""[..], b"PK\x03\x04", "ФИО;Телефон\n".as_bytes()][head];
        let bytes = [head, &bytes].concat();
        if let Ok(table) = table::read(&bytes, Options::default()) {
            for row in &table.rows {
                assert_eq!(row.cells.len(), table.columns.len());
                let _record = table.record(row);
            }
            let _fit = with_context(|context| columns::fit(&table, &inbound("clients"), context));
        }
    }
}
