//! Outbound mappings: what Bitrix24 is told of a client, a deal, an interaction.

use jiff::tz::TimeZone;
use uzel::base::checksum::Fingerprint;
use uzel::base::{ClientId, DealId, InteractionId, ItemRef, Position, Slug, Timestamp};
use uzel::catalog::FileSet;
use uzel::mapping::{ForeignWord, NOBODY, OWNER_RANK, OutObject, Outbound, Readiness, Ref, UNREAD, Vocabulary};
use uzel::model::{
    Class, Client, ClientKind, CompanyName, ContactPoint, Deal, Direction, Email, HeldContact, Inn, Interaction,
    InteractionKind, Money, Name, PersonName, Phone, Provenance, Score, Sourced, Utm,
};

const AT: Timestamp = Timestamp(1_772_442_000_000);

fn said<T>(value: T, rank: u8) -> Option<Sourced<T>> {
    let provenance = Provenance { source: Slug::literal("site"), position: Position(7), observed_at: AT, rank };
    Some(Sourced { value, provenance })
}

fn at(item: u32) -> ItemRef {
    ItemRef::new(Position(7), item)
}

fn person() -> Client {
    let id = ClientId::derive(at(0), 0);
    let mut client = Client::new(id, ClientKind::Person, AT);
    let name = PersonName { surname: "Ильин".into(), given: "Пётр".into(), patronymic: "".into() };
    client.name = said(Name::Person(name), 100);
    let points = [
        ContactPoint::Phone(Phone { e164: "+78432001020".into(), extension: Some("15".into()) }),
        ContactPoint::Email(Email { address: "p@example.ru".into(), key: "p@example.ru".into() }),
        ContactPoint::Phone(Phone { e164: "+79123456704".into(), extension: None }),
        ContactPoint::Visitor("v-1".into()),
    ];
    for point in points {
        let provenance = said((), 100).expect("some").provenance;
        client.contacts.push(HeldContact { point, provenance, origin: id });
    }
    client
}

fn company() -> Client {
    let mut client = Client::new(ClientId::derive(at(1), 0), ClientKind::Company, AT);
    let name = CompanyName {
        full: "ООО «Лепесток»".into(), form: "ООО".into(), bare: "Лепесток".into()
    };
    client.name = said(Name::Company(name), 200);
    client.inn = said(Inn("1655999995".into()), 200);
    client
}

fn deal(price_rank: u8) -> Deal {
    let mut deal = Deal::new(DealId::derive(at(0), 0), Some(ClientId::derive(at(0), 0)), Slug::literal("site"), AT);
    deal.title = said("Поставка".into(), 100);
    deal.stage = said("КП".into(), 100);
    deal.source = said("site.ru".into(), 100);
    deal.price = said(Money::rub(50_000), price_rank);
    deal.utm_first = Utm { source: "ya".into(), ..Utm::default() };
    deal.score = Some(Score {
        as_of: AT,
        rules: Fingerprint::of(b""),
        base_bp: 2000,
        factors: Vec::new(),
        raw_bp: 3550,
        p_bp: 3550,
        floored: false,
        capped: false,
        price_minor: Some(5_000_000),
        value_minor: Some(1_775_050),
        fresh_value_minor: None,
        currency: None,
        class: Class::C,
        in_forecast: true,
        next_change: None,
    });
    deal
}

fn form() -> Interaction {
    Interaction {
        id: InteractionId::derive(at(0), 0),
        client: None,
        deal: None,
        kind: InteractionKind::Form,
        direction: Direction::Inbound,
        at: AT,
        source: Slug::literal("site"),
        record: at(0),
        subject: "Заявка".into(),
        text: "Сколько стоит?".to_owned(),
        page: "".into(),
        utm: Utm::default(),
        who: None,
        duration_s: None,
        result: Default::default(),
    }
}

fn mapping(name: &str) -> Outbound {
    let file = format!("mappings/bitrix24/{name}.out.toml");
    let files = FileSet::builtin();
    let text = files.get(&file).unwrap_or_else(|| panic!("{file} is built in"));
    Outbound::compile(&file, text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn lines(readiness: Readiness) -> Vec<String> {
    match readiness {
        Readiness::NotMeant => vec!["not meant".to_owned()],
        Readiness::Waits(refs) => refs.iter().map(|it| format!("waits for {it:?}")).collect(),
        Readiness::Ready(desired) => desired
            .fields
            .iter()
            .map(|(name, value)| {
                let mark = if desired.create_only.contains(name) { " (create only)" } else { "" };
                format!("{name} = {value}{mark}")
            })
            .collect(),
    }
}

fn check(name: &str, object: OutObject<'_>, expected: &[&str]) {
    assert_eq!(lines(mapping(name).apply(&object)), expected, "{name}");
}

fn object<'a>(
    zone: &'a TimeZone,
    client: Option<&'a Client>,
    deal: Option<&'a Deal>,
    foreign: &'a dyn Fn(Ref) -> Option<String>,
) -> OutObject<'a> {
    OutObject {
        client,
        deal,
        interaction: None,
        task: None,
        explanation: "20 +15,5 = 35,5",
        zone,
        foreign,
        without: &[],
        employee: NOBODY,
        vocabulary: UNREAD,
    }
}

fn nobody(_: Ref) -> Option<String> {
    None
}

fn known(wanted: Ref) -> Option<String> {
    Some(match wanted {
        Ref::Client => "31".to_owned(),
        Ref::Deal => "57".to_owned(),
    })
}

#[test]
fn a_person_is_a_contact_and_a_company_is_not() {
    let (zone, client, deal) = (TimeZone::UTC, person(), deal(100));
    let id = client.id;
    check(
        "contact",
        object(&zone, Some(&client), Some(&deal), &nobody),
        &[
            r#"ORIGINATOR_ID = "uzel" (create only)"#,
            &format!(r#"ORIGIN_ID = "{id}" (create only)"#),
            r#"NAME = "Пётр""#,
            r#"LAST_NAME = "Ильин""#,
            r#"PHONE = [{"VALUE":"+78432001020;15","VALUE_TYPE":"WORK"},{"VALUE":"+79123456704","VALUE_TYPE":"WORK"}]"#,
            r#"EMAIL = [{"VALUE":"p@example.ru","VALUE_TYPE":"WORK"}]"#,
            r#"UF_CRM_UZEL_CLASS = "C""#,
        ],
    );
    check("company", object(&zone, Some(&client), None, &nobody), &["not meant"]);
    check("contact", object(&zone, Some(&company()), None, &nobody), &["not meant"]);
}

#[test]
fn a_company_keeps_its_requisites_in_words() {
    let (zone, client) = (TimeZone::UTC, company());
    let id = client.id;
    check(
        "company",
        object(&zone, Some(&client), None, &nobody),
        &[
            r#"ORIGINATOR_ID = "uzel" (create only)"#,
            &format!(r#"ORIGIN_ID = "{id}" (create only)"#),
            r#"TITLE = "ООО «Лепесток»""#,
            r#"BANKING_DETAILS = "ИНН 1655999995" (create only)"#,
        ],
    );
}

#[test]
fn somebody_without_a_name_can_still_be_created() {
    let (zone, mut client) = (TimeZone::UTC, person());
    client.name = None;
    let told = lines(mapping("contact").apply(&object(&zone, Some(&client), None, &nobody)));
    assert!(told.contains(&r#"NAME = "Без имени" (create only)"#.to_owned()), "{told:#?}");
    let mut client = company();
    (client.name, client.inn) = (None, None);
    let told = lines(mapping("company").apply(&object(&zone, Some(&client), None, &nobody)));
    assert!(told.contains(&format!(r#"TITLE = "{}" (create only)"#, client.id)), "{told:#?}");
}

#[test]
fn a_deal_waits_for_its_client_and_leaves_to_people_what_they_decide() {
    let (zone, client, deal) = (TimeZone::UTC, person(), deal(100));
    check("deal", object(&zone, Some(&client), Some(&deal), &nobody), &["waits for Client"]);
    let id = deal.id;
    check(
        "deal",
        object(&zone, Some(&client), Some(&deal), &known),
        &[
            r#"ORIGINATOR_ID = "uzel" (create only)"#,
            &format!(r#"ORIGIN_ID = "{id}" (create only)"#),
            r#"TITLE = "Поставка" (create only)"#,
            r#"CONTACT_ID = "31""#,
            r#"OPPORTUNITY = "50000.00" (create only)"#,
            r#"CURRENCY_ID = "RUB" (create only)"#,
            r#"STAGE_ID = "PREPAYMENT_INVOICE" (create only)"#,
            r#"SOURCE_ID = "WEB" (create only)"#,
            r#"SOURCE_DESCRIPTION = "site.ru" (create only)"#,
            r#"UTM_SOURCE = "ya" (create only)"#,
            "UF_CRM_UZEL_VALUE = 17750.5",
            "UF_CRM_UZEL_PROBABILITY = 35.5",
            r#"UF_CRM_UZEL_CLASS = "C""#,
            r#"UF_CRM_UZEL_EXPLANATION = "20 +15,5 = 35,5""#,
        ],
    );
}

#[test]
fn a_price_of_the_system_that_owns_money_is_kept_up_to_date() {
    let (zone, client, deal) = (TimeZone::UTC, company(), deal(OWNER_RANK));
    let told = lines(mapping("deal").apply(&object(&zone, Some(&client), Some(&deal), &known)));
    assert!(told.contains(&r#"OPPORTUNITY = "50000.00""#.to_owned()), "{told:#?}");
    assert!(told.contains(&r#"COMPANY_ID = "31""#.to_owned()), "{told:#?}");
}

#[test]
fn a_deal_without_price_score_and_title_says_only_what_it_knows() {
    let (zone, client) = (TimeZone::UTC, person());
    let deal = Deal::new(DealId::derive(at(3), 0), Some(client.id), Slug::literal("site"), AT);
    let id = deal.id;
    check(
        "deal",
        object(&zone, Some(&client), Some(&deal), &known),
        &[
            r#"ORIGINATOR_ID = "uzel" (create only)"#,
            &format!(r#"ORIGIN_ID = "{id}" (create only)"#),
            r#"TITLE = "Заявка: Ильин Пётр" (create only)"#,
            r#"CONTACT_ID = "31""#,
            r#"SOURCE_ID = "WEB" (create only)"#,
        ],
    );
}

#[test]
fn a_form_is_a_comment_of_its_deal_or_else_of_its_client() {
    let (zone, client, deal, form) = (TimeZone::UTC, person(), deal(100), form());
    let with_deal = OutObject { interaction: Some(&form), ..object(&zone, Some(&client), Some(&deal), &known) };
    check(
        "comment",
        with_deal,
        &[r#"ENTITY_TYPE = "deal""#, r#"ENTITY_ID = "57""#, r#"COMMENT = "Форма: Заявка\nСколько стоит?""#],
    );
    let only_client = |wanted: Ref| matches!(wanted, Ref::Client).then(|| "31".to_owned());
    let alone = OutObject { interaction: Some(&form), ..object(&zone, Some(&client), None, &only_client) };
    check(
        "comment",
        alone,
        &[r#"ENTITY_TYPE = "contact""#, r#"ENTITY_ID = "31""#, r#"COMMENT = "Форма: Заявка\nСколько стоит?""#],
    );
    let waiting = OutObject { interaction: Some(&form), ..object(&zone, Some(&client), Some(&deal), &only_client) };
    check("comment", waiting, &["waits for Deal"]);
}

#[test]
fn every_problem_of_an_outbound_file_is_reported_at_once() {
    let text = r#"object = "dael"
needs = ["ref.clent"]
[fields]
A = "deal.titel"
B = { from = "deal.title", as = "number" }
C = { from = "deal.title", map = { "x" = "y" } }
D = { from = "deal.title", map = { "x" = "y" }, otherwise = "quarantine" }
E = { from = "deal.title", const = "x" }
F = { text = "{deal.title" }
G = { text = "{deal.titl}" }
H = { from = "client.contacts.phone", as = "multifield", tipe = "WORK" }
I = { from = "deal.title", create_only = "sometimes" }
J = { from = "deal.title", when = { client_kind = "persn" } }
K = 5
"#;
    let problems = Outbound::compile("x.out.toml", text).expect_err("it is wrong");
    let lines: Vec<u32> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], "{problems:#?}");
}

#[test]
fn a_stage_is_told_by_its_name_in_its_pipeline() {
    let word = |dictionary: &str, id: &str, name: &str, within: &str| ForeignWord {
        dictionary: dictionary.into(),
        id: id.into(),
        name: name.into(),
        within: within.into(),
    };
    let vocabulary = Vocabulary::new(vec![
        word("pipeline", "0", "Общая", ""),
        word("pipeline", "3", "Опт", ""),
        word("stage", "NEW", "Новая", ""),
        word("stage", "EXECUTING", "Делаем", ""),
        word("stage", "UC_1", "Встреча", ""),
        word("stage", "C3:NEW", "Новая", "3"),
        word("stage", "C3:MEET", "Встреча", "3"),
    ]);
    let (zone, client) = (TimeZone::UTC, person());
    let told = |vocabulary: &Vocabulary, pipeline: Option<&str>, stage: &str| {
        let mut deal = deal(100);
        let stage = uzel::model::Sourced { value: stage.into(), ..deal.title.clone().expect("it has a title") };
        deal.pipeline = pipeline.map(|name| uzel::model::Sourced { value: name.into(), ..stage.clone() });
        deal.stage = Some(stage);
        let object = OutObject { vocabulary, ..object(&zone, Some(&client), Some(&deal), &known) };
        let Readiness::Ready(desired) = mapping("deal").apply(&object) else { panic!("it is told") };
        let value = |name: &str| desired.fields.iter().find(|(held, _)| held == name).map(|(_, it)| it.to_string());
        let left_out = desired.left_out.iter().map(|it| it.reason.render(uzel::base::Locale::En));
        let shown = [value("CATEGORY_ID"), value("STAGE_ID")].into_iter().flatten().chain(left_out);
        shown.collect::<Vec<String>>().join(" ")
    };
    for (pipeline, stage, expected) in [
        (None, "встреча ", r#""UC_1""#),
        (Some("Опт"), "Встреча", r#""3" "C3:MEET""#),
        (Some("Опт"), "Новая", r#""3" "C3:NEW""#),
        // The table of the mapping, where its id is there.
        (None, "В работе", r#""EXECUTING""#),
    ] {
        assert_eq!(told(&vocabulary, pipeline, stage), expected, "{pipeline:?} {stage}");
    }
    let near = told(&vocabulary, None, "Встречи");
    assert!(near.contains("STAGE_ID") && near.contains("is it \"Встреча\"?"), "{near}");
    // The table names an id of the general pipeline, which this one does not have.
    let other = told(&vocabulary, Some("Опт"), "В работе");
    assert!(other.starts_with(r#""3" STAGE_ID"#) && other.contains("it has: Новая, Встреча"), "{other}");
    let stranger = told(&vocabulary, Some("Розница"), "Новая");
    assert!(stranger.starts_with(r#""NEW" CATEGORY_ID"#), "{stranger}");
    // Nothing was read: the table alone, and nothing is missed.
    assert_eq!(told(UNREAD, None, "В работе"), r#""EXECUTING""#);
    assert_eq!(told(UNREAD, None, "Встречи"), "");
}
