//! Order files as Управление торговлей 11 writes them for a site: CommerceML 2.07, UTF-8 with a
//! byte order mark, the unit code with its trailing space, the requisites under their exact names.
//!
//! Source: facts/1c.md sections 2.1 to 2.6. The texts of the file are Russian because the format
//! is; names and sums are the caller's. Money is given in kopecks and written with two decimals.

use std::fmt::Write as _;

use quick_xml::escape::escape;

/// An order of 1C, as far as the exchange shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// UUID of the order in 1C.
    pub id: String,
    /// The site's own number: 1C sends back what it was given.
    pub number: String,
    /// The site's own day, `YYYY-MM-DD`.
    pub date: String,
    /// The site's own time, `HH:MM:SS`.
    pub time: String,
    /// `Номер по 1С`, for example `0000-000123`.
    pub number_1c: String,
    /// `Дата по 1С`, `YYYY-MM-DDTHH:MM:SS`.
    pub date_1c: String,
    /// `руб`, `RUB` or `643`: all occur.
    pub currency: String,
    /// A comment; nothing is written when it is empty.
    pub comment: String,
    /// `ПометкаУдаления`.
    pub deletion_mark: bool,
    /// `Проведен`.
    pub posted: bool,
    /// `Отменен`; 1C writes it only when true.
    pub cancelled: bool,
    /// `Номер оплаты по 1С` and `Дата оплаты по 1С`; only for a posted, fully paid order.
    pub paid: Option<(String, String)>,
    /// `Номер отгрузки по 1С` and `Дата отгрузки по 1С`; only for a posted, fully shipped order.
    pub shipped: Option<(String, String)>,
    /// The buyer.
    pub buyer: Buyer,
    /// The goods.
    pub lines: Vec<Line>,
    /// Requisites that the company added: name and value.
    pub requisites: Vec<(String, String)>,
}

/// The counterparty with the role of buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// UUID or the site's own id.
    pub id: String,
    /// The working name.
    pub name: String,
    /// Person or legal entity; 1C tells them apart by the element `ОфициальноеНаименование`.
    pub party: Party,
    /// ИНН; written only with its right length (10 or 12).
    pub inn: String,
    /// КПП; written only with nine digits.
    pub kpp: String,
    /// How contacts are written.
    pub contacts: Contacts,
}

/// Who the buyer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A legal entity with its official name.
    Legal {
        /// `ОфициальноеНаименование`.
        official_name: String,
        /// `ЮридическийАдрес`, one line; nothing is written when it is empty.
        address: String,
    },
    /// A person.
    Person {
        /// `Фамилия`.
        surname: String,
        /// `Имя`.
        given: String,
        /// `Отчество`.
        patronymic: String,
    },
}

/// The ways in which 1C writes contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// No element at all.
    Absent,
    /// `<Контакты/>`: what UT 11 sends with an order.
    Empty,
    /// Contacts with type and value (`Телефон рабочий`, `Почта`, ...).
    Listed(Vec<(String, String)>),
}

/// One line of goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// UUID of the article, or `uuid#characteristic`.
    pub id: String,
    /// Article number.
    pub article: String,
    /// Name.
    pub name: String,
    /// Price of a unit, kopecks.
    pub price: i64,
    /// Quantity in thousandths.
    pub quantity_milli: i64,
    /// `Товар` or `Услуга`.
    pub service: bool,
}

impl Line {
    /// The sum of the line, kopecks, rounded half up.
    pub fn sum(&self) -> i64 {
        (self.price * self.quantity_milli + 500).div_euclid(1_000)
    }
}

impl Order {
    /// A posted order of one article, for tests and the demo: vary the fields.
    pub fn sample(number: &str, price: i64) -> Order {
        Order {
            id: format!(
                "7a1c0de0-0000-4000-8000-{:0>12}",
                number.chars().filter(char::is_ascii_digit).collect::<String>()
            ),
            number: number.to_owned(),
            date: "2026-11-20".to_owned(),
            time: "10:15:00".to_owned(),
            number_1c: format!("ТД00-{number:0>6}"),
            date_1c: "2026-11-20T10:16:07".to_owned(),
            currency: "руб".to_owned(),
            comment: String::new(),
            deletion_mark: false,
            posted: true,
            cancelled: false,
            paid: None,
            shipped: None,
            buyer: Buyer {
                id: "b5b1c7a0-1d64-11e9-80c9-0cc47ab29cd1".to_owned(),
                name: "Ромашка ООО".to_owned(),
                party: Party::Legal { official_name: "ООО \"Ромашка\"".to_owned(), address: String::new() },
                inn: "7707083893".to_owned(),
                kpp: "773601001".to_owned(),
                contacts: Contacts::Empty,
            },
            lines: vec![Line {
                id: "910e89e5-205e-4d95-872a-0a0255c42f02".to_owned(),
                article: "А-100".to_owned(),
                name: "Коврик для ванной".to_owned(),
                price,
                quantity_milli: 1_000,
                service: false,
            }],
            requisites: Vec::new(),
        }
    }

    /// The sum of the order, kopecks.
    pub fn sum(&self) -> i64 {
        self.lines.iter().map(Line::sum).sum()
    }
}

/// The file: byte order mark, declaration, orders in the order given. `formed_at` is
/// `YYYY-MM-DDTHH:MM:SS` in the base's local time, as everything here. No orders make a valid root
/// without children.
pub fn orders_file(orders: &[Order], formed_at: &str) -> Vec<u8> {
    let mut xml = Xml { text: String::from("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), depth: 0 };
    let root = format!(
        "КоммерческаяИнформация xmlns=\"urn:1C.ru:commerceml_2\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ВерсияСхемы=\"2.07\" ДатаФормирования=\"{}\"",
        escape(formed_at)
    );
    xml.open(&root);
    for order in orders {
        write_order(&mut xml, order);
    }
    xml.close("КоммерческаяИнформация");
    xml.text.into_bytes()
}

/// The name that 1C gives to a portion of orders: `orders-<uuid>_<n>.xml`.
pub fn orders_file_name(uuid: &str, portion: u32) -> String {
    format!("orders-{uuid}_{portion}.xml")
}

fn write_order(xml: &mut Xml, order: &Order) {
    xml.open("Документ");
    xml.leaf("Ид", &order.id);
    xml.leaf("Номер", &order.number);
    xml.leaf("Дата", &order.date);
    xml.leaf("ХозОперация", "Заказ товара");
    xml.leaf("Роль", "Продавец");
    xml.leaf("Валюта", &order.currency);
    xml.leaf("Курс", "1");
    xml.leaf("Сумма", &money(order.sum()));
    write_buyer(xml, &order.buyer);
    xml.leaf("Время", &order.time);
    xml.leaf_if_any("Комментарий", &order.comment);
    xml.open("Товары");
    order.lines.iter().for_each(|line| write_line(xml, line));
    xml.close("Товары");
    write_requisites(xml, &order_requisites(order));
    xml.close("Документ");
}

fn order_requisites(order: &Order) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut all = vec![
        pair("Номер по 1С", &order.number_1c),
        pair("Дата по 1С", &order.date_1c),
        pair("ПометкаУдаления", if order.deletion_mark { "true" } else { "false" }),
        pair("Проведен", if order.posted { "true" } else { "false" }),
    ];
    for (word, of) in [("оплаты", &order.paid), ("отгрузки", &order.shipped)] {
        if let Some((number, date)) = of {
            all.push((format!("Номер {word} по 1С"), number.clone()));
            all.push((format!("Дата {word} по 1С"), date.clone()));
        }
    }
    if order.cancelled {
        all.push(pair("Отменен", "true"));
    }
    all.extend(order.requisites.iter().cloned());
    // 1C skips requisites without a value.
    all.retain(|(_, value)| !value.is_empty());
    all
}

fn write_requisites(xml: &mut Xml, requisites: &[(String, String)]) {
    xml.open("ЗначенияРеквизитов");
    for (name, value) in requisites {
        xml.open("ЗначениеРеквизита");
        xml.leaf("Наименование", name);
        xml.leaf("Значение", value);
        xml.close("ЗначениеРеквизита");
    }
    xml.close("ЗначенияРеквизитов");
}

fn write_buyer(xml: &mut Xml, buyer: &Buyer) {
    xml.open("Контрагенты");
    xml.open("Контрагент");
    xml.leaf("Ид", &buyer.id);
    xml.leaf("Наименование", &cut(&buyer.name, 250));
    xml.leaf("Роль", "Покупатель");
    let inn_length = match &buyer.party {
        Party::Legal { official_name, address } => {
            xml.leaf("ПолноеНаименование", &cut(official_name, 250));
            xml.leaf("ОфициальноеНаименование", &cut(official_name, 250));
            if !address.is_empty() {
                xml.open("ЮридическийАдрес");
                xml.leaf("Представление", address);
                xml.close("ЮридическийАдрес");
            }
            10
        }
        Party::Person { surname, given, patronymic } => {
            let full: Vec<&str> =
                [surname, given, patronymic].into_iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
            xml.leaf("ПолноеНаименование", &full.join(" "));
            xml.leaf_if_any("Фамилия", surname);
            xml.leaf_if_any("Имя", given);
            xml.leaf_if_any("Отчество", patronymic);
            12
        }
    };
    if buyer.inn.chars().count() == inn_length {
        xml.leaf("ИНН", &buyer.inn);
    }
    if buyer.kpp.chars().count() == 9 {
        xml.leaf("КПП", &buyer.kpp);
    }
    match &buyer.contacts {
        Contacts::Absent => {}
        Contacts::Empty => xml.line("<Контакты/>"),
        Contacts::Listed(listed) => {
            xml.open("Контакты");
            for (kind, value) in listed {
                xml.open("Контакт");
                xml.leaf("Тип", kind);
                xml.leaf("Значение", value);
                xml.close("Контакт");
            }
            xml.close("Контакты");
        }
    }
    xml.close("Контрагент");
    xml.close("Контрагенты");
}

fn write_line(xml: &mut Xml, line: &Line) {
    xml.open("Товар");
    xml.leaf("Ид", &line.id);
    xml.leaf_if_any("Артикул", &line.article);
    xml.leaf("Наименование", &line.name);
    // The trailing space of the code is genuine output of 1C.
    xml.line(
        "<БазоваяЕдиница Код=\"796 \" НаименованиеПолное=\"Штука\" МеждународноеСокращение=\"PCE\">шт</БазоваяЕдиница>",
    );
    xml.leaf("ЦенаЗаЕдиницу", &money(line.price));
    xml.leaf("Количество", &thousandths(line.quantity_milli));
    xml.leaf("Сумма", &money(line.sum()));
    let kind = if line.service { "Услуга" } else { "Товар" };
    write_requisites(xml, &["ВидНоменклатуры", "ТипНоменклатуры"].map(|name| (name.to_owned(), kind.to_owned())));
    xml.close("Товар");
}

/// Kopecks as roubles: `55`, `27505.35`, `231.7`: 1C drops zeros at the end.
fn money(kopecks: i64) -> String {
    decimal(kopecks, 100, 2)
}

fn thousandths(quantity: i64) -> String {
    decimal(quantity, 1_000, 3)
}

fn decimal(number: i64, scale: i64, digits: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, part) = (number.abs() / scale, number.abs() % scale);
    let text = format!("{sign}{whole}.{part:0digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn line(&mut self, line: &str) {
        self.text.extend(std::iter::repeat_n('\t', self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn open(&mut self, tag: &str) {
        self.line(&format!("<{tag}>"));
        self.depth += 1;
    }

    fn close(&mut self, tag: &str) {
        self.depth -= 1;
        self.line(&format!("</{tag}>"));
    }

    fn leaf(&mut self, tag: &str, value: &str) {
        let mut line = String::new();
        // Writing into a String cannot fail.
        let _written = match value.is_empty() {
            true => write!(line, "<{tag}/>"),
            false => write!(line, "<{tag}>{}</{tag}>", escape(value)),
        };
        self.line(&line);
    }

    fn leaf_if_any(&mut self, tag: &str, value: &str) {
        if !value.is_empty() {
            self.leaf(tag, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(orders: &[Order]) -> String {
        String::from_utf8(orders_file(orders, "2026-11-20T12:00:00")).expect("UTF-8")
    }

    #[test]
    fn the_file_has_the_marks_of_ut11() {
        let file = text(&[Order::sample("17", 5_000_000)]);
        assert!(file.starts_with("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
        for mark in [
            "xmlns=\"urn:1C.ru:commerceml_2\"",
            "ВерсияСхемы=\"2.07\"",
            "Код=\"796 \"",
            "<Контакты/>",
            "<Сумма>50000</Сумма>",
            "<Наименование>Номер по 1С</Наименование>",
            "<ИНН>7707083893</ИНН>",
            "<КПП>773601001</КПП>",
            "<ОфициальноеНаименование>ООО &quot;Ромашка&quot;</ОфициальноеНаименование>",
        ] {
            assert!(file.contains(mark), "{mark} is not in {file}");
        }
        let requisite = |name: &str, value: &str| {
            let squeezed: String = file.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                squeezed.contains(&format!("<Наименование>{name}</Наименование> <Значение>{value}</Значение>")),
                "{name}"
            );
        };
        requisite("ПометкаУдаления", "false");
        requisite("Проведен", "true");
        assert!(!file.contains("Отменен"), "written only when true");
    }

    #[test]
    fn a_person_has_no_official_name_and_an_inn_of_twelve() {
        let mut order = Order::sample("18", 100);
        order.buyer.party =
            Party::Person {
                surname: "Петров".to_owned(), given: "Иван".to_owned(), patronymic: String::new()
            };
        order.buyer.contacts = Contacts::Listed(vec![("Телефон рабочий".to_owned(), "+7 900 000-00-01".to_owned())]);
        let file = text(&[order]);
        assert!(!file.contains("ОфициальноеНаименование"));
        assert!(!file.contains("<ИНН>"), "ten digits are no person's number");
        assert!(file.contains("<ПолноеНаименование>Петров Иван</ПолноеНаименование>"));
        assert!(file.contains("<Тип>Телефон рабочий</Тип>"));
    }

    #[test]
    fn sums_are_exact() {
        let check = |kopecks: i64, expected: &str| assert_eq!(money(kopecks), expected);
        check(0, "0");
        check(5, "0.05");
        check(23_174, "231.74");
        check(5_500, "55");
        check(-150, "-1.5");
        let line = Line { quantity_milli: 1_500, price: 333, ..Order::sample("1", 0).lines.remove(0) };
        assert_eq!(line.sum(), 500);
    }

    #[test]
    fn no_orders_make_a_root_without_children() {
        let file = text(&[]);
        assert!(file.contains("<КоммерческаяИнформация "));
        assert!(!file.contains("<Документ>"));
    }
}
