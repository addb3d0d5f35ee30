//! A small world of clients: records come, are decided upon, absorbed, merged and split.

mod properties;

use compact_str::{CompactString, format_compact};

use super::*;
use crate::base::limits::CONTACTS_MAX;
use crate::base::message::{Locale, text};
use crate::base::{Position, Slug, Timestamp};
use crate::model::change::ClientChange;
use crate::model::{
    ClientKind, ClientState, CompanyName, Email, Foreign, HeldContact, Kpp, Name, PersonName, Phone, Provenance,
    Sourced, Standing,
};

fn rules() -> Rules {
    Rules::compile("rules/identity.toml", DEFAULT_RULES).expect("the rules of the house compile")
}

fn rules_with(text: &str) -> Rules {
    Rules::compile("rules/identity.toml", text).expect("the rules of the test compile")
}

fn provenance(source: &'static str, position: u64, rank: u8) -> Provenance {
    let observed_at = Timestamp(position as i64 * 1000);
    Provenance { source: Slug::literal(source), position: Position(position), observed_at, rank }
}

fn phone(e164: &str) -> ContactPoint {
    ContactPoint::Phone(Phone { e164: e164.into(), extension: None })
}

fn email(address: &str) -> ContactPoint {
    ContactPoint::Email(Email { address: address.into(), key: address.to_lowercase().into() })
}

fn person_name(surname: &str, given: &str) -> Name {
    Name::Person(PersonName { surname: surname.into(), given: given.into(), patronymic: CompactString::default() })
}

fn company_name(bare: &str) -> Name {
    let full = format_compact!("ООО «{bare}»");
    Name::Company(CompanyName { full, form: "ООО".into(), bare: bare.into() })
}

/// A record in words: `from:1c` connection (default `site`), `kind:person`, `counterparty:X` (any other tag) card, `inn:7707083893`,
/// `kpp:..`, `name:Иванов_Иван`, `firm:Ромашка`, `+7...` phone, `..@..` e-mail, `visitor:x`,
/// `messenger:x`.
fn record(words: &str) -> (Slug, ClientChange) {
    let mut connection = Slug::literal("site");
    let mut change = ClientChange::default();
    for word in words.split_whitespace() {
        let (tag, value) = word.split_once(':').unwrap_or(("", word));
        match tag {
            "from" => connection = Slug::new(value).expect("a slug"),
            "kind" if value == "company" => change.kind = Some(ClientKind::Company),
            "kind" => change.kind = Some(ClientKind::Person),
            "inn" => change.inn = Some(Inn(value.into())),
            "kpp" => change.kpp = Some(Kpp(value.into())),
            "firm" => change.name = Some(company_name(value)),
            "name" => {
                let (surname, given) = value.split_once('_').expect("surname_given");
                change.name = Some(person_name(surname, given));
            }
            "visitor" => change.contacts.push(ContactPoint::Visitor(value.into())),
            "messenger" => change.contacts.push(ContactPoint::Messenger("telegram".into(), value.into())),
            "" if value.starts_with('+') => change.contacts.push(phone(value)),
            "" => change.contacts.push(email(value)),
            kind => change.foreign.push((kind.into(), value.into())),
        }
    }
    (connection, change)
}

/// Clients and the rules; does what the pipeline does.
struct World {
    rules: Rules,
    clients: Vec<Client>,
    /// The client each record was given to.
    given: Vec<ClientId>,
}

impl World {
    fn new(rules: Rules) -> World {
        World { rules, clients: Vec::new(), given: Vec::new() }
    }

    fn client(&mut self, number: u64) -> &mut Client {
        self.clients.iter_mut().find(|client| client.id.0 == number).expect("a client of the test")
    }

    fn decide(&self, connection: &Slug, change: &ClientChange) -> Decision {
        let usable = keys(&self.rules, change).usable;
        let holds = |client: &Client, key: &Key| match key {
            Key::Foreign(kind, id) => {
                client.foreign.iter().any(|(it, _)| it.connection == *connection && it.kind == *kind && it.id == *id)
            }
            Key::Inn(inn) => client.inn.as_ref().is_some_and(|held| held.value == *inn),
            Key::Contact(point) => client.contacts.iter().any(|held| held.point.key() == point.key()),
        };
        let active = self.clients.iter().filter(|client| client.state == ClientState::Active);
        let found: Vec<Candidate<'_>> = active
            .map(|client| Candidate {
                client,
                matched: usable.iter().filter(|key| holds(client, key)).cloned().collect(),
            })
            .filter(|candidate| !candidate.matched.is_empty())
            .collect();
        let decision = decide(&self.rules, connection, change, &found);
        let backwards: Vec<Candidate<'_>> = found.iter().rev().cloned().collect();
        assert_eq!(decision, decide(&self.rules, connection, change, &backwards), "the order of candidates matters");
        decision
    }

    fn apply(&mut self, connection: &Slug, change: &ClientChange) -> Decision {
        let decision = self.decide(connection, change);
        let position = self.given.len() as u64 + 1;
        let into = match &decision {
            Decision::New { .. } | Decision::Review { .. } => {
                let id = ClientId(position);
                let kind = change.kind.unwrap_or(ClientKind::Person);
                self.clients.push(Client::new(id, kind, Timestamp(position as i64)));
                id
            }
            Decision::Same { client, .. } => *client,
            Decision::Merge { winner, losers, .. } => {
                for loser in losers {
                    self.merge(*winner, *loser, position);
                }
                *winner
            }
        };
        let rank = if &**connection == "1c" { 9 } else { 0 };
        let source = connection.clone();
        let by = move |_group: &str| Provenance {
            source: source.clone(),
            position: Position(position),
            observed_at: Timestamp(position as i64),
            rank,
        };
        absorb(self.client(into.0), change, connection, &by);
        self.given.push(into);
        decision
    }

    fn merge(&mut self, winner: ClientId, loser: ClientId, position: u64) {
        let mut held = self.client(winner.0).clone();
        let mut gone = self.client(loser.0).clone();
        merge(&mut held, &mut gone, Position(position));
        *self.client(winner.0) = held;
        *self.client(loser.0) = gone;
    }

    fn standing(&self, mut id: ClientId) -> ClientId {
        while let Some(ClientState::MergedInto(into, _)) =
            self.clients.iter().find(|client| client.id == id).map(|client| client.state)
        {
            id = into;
        }
        id
    }
}

/// Decision in short: `new`, `same 1`, `merge 1 <- 2,3`, `review 1,2`, and the ids of the reasons.
fn shown(decision: &Decision) -> String {
    let list = |ids: &[ClientId]| ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(",");
    match decision {
        Decision::New { .. } => "new".to_owned(),
        Decision::Same { client, .. } => format!("same {}", client.0),
        Decision::Merge { winner, losers, .. } => format!("merge {} <- {}", winner.0, list(losers)),
        Decision::Review { candidates, .. } => format!("review {}", list(candidates)),
    }
}

/// Applies the records; the decision on the last one, and one of its reasons.
#[track_caller]
fn check_with(rules: Rules, records: &[&str], expected: &str, reason: &str) {
    let mut world = World::new(rules);
    let mut decisions = records.iter().map(|words| {
        let (connection, change) = record(words);
        world.apply(&connection, &change)
    });
    let last = decisions.by_ref().last().expect("at least one record");
    assert_eq!(shown(&last), expected, "{records:?}: {:#?}", explain(&last));
    let reasons: Vec<&str> = last.why().iter().map(|message| message.id.as_str()).collect();
    assert!(reasons.contains(&reason), "{records:?}: no {reason} among {reasons:?}");
    for message in explain(&last) {
        for locale in [Locale::Ru, Locale::En] {
            assert!(text(&message.id, locale).is_some(), "no text {}", message.id);
            let line = message.render(locale);
            assert!(!line.contains("{$") && !line.contains("{ $"), "an argument is missing: {line}");
        }
    }
}

#[track_caller]
fn check(records: &[&str], expected: &str, reason: &str) {
    check_with(rules(), records, expected, reason);
}

#[test]
fn contact_points_find_their_client() {
    check(&["+79161234567"], "new", "identity-nobody");
    check(&["name:Иванов_Иван"], "new", "identity-no-keys");
    check(&["+79161234567", "+79161234567"], "same 1", "identity-same-contact");
    check(&["+74951234567", "+74951234567 name:Иванов_Иван"], "same 1", "identity-same-contact");
    check(&["ivan@firma.ru", "ivan@firma.ru +79161234567"], "same 1", "identity-same-contact");
    check(&["messenger:ivan", "messenger:ivan"], "same 1", "identity-same-contact");
    check(&["+79161234567", "+79161234568"], "new", "identity-nobody");
    check(
        &["+79161234567 kind:company firm:Ромашка", "+79161234567 name:Иванов_Иван"],
        "same 1",
        "identity-same-contact",
    );
}

#[test]
fn another_extension_is_another_person() {
    let at = |extension: Option<&str>| {
        let point = Phone { e164: "+74951234567".into(), extension: extension.map(Into::into) };
        ClientChange { contacts: vec![ContactPoint::Phone(point)], ..ClientChange::default() }
    };
    let site = Slug::literal("site");
    let mut world = World::new(rules());
    world.apply(&site, &at(Some("12")));
    assert_eq!(shown(&world.decide(&site, &at(Some("13")))), "new");
    assert_eq!(shown(&world.decide(&site, &at(None))), "new");
    assert_eq!(shown(&world.decide(&site, &at(Some("12")))), "same 1");
}

#[test]
fn shared_contact_points_find_nobody() {
    check(&["info@firma.ru", "info@firma.ru"], "new", "identity-shared-local-part");
    check(&["Zakaz+tilda@firma.ru", "Zakaz+tilda@firma.ru"], "new", "identity-shared-local-part");
    check(&["no@no.ru", "no@no.ru"], "new", "identity-shared-email");
    check(&["+70000000000", "+70000000000"], "new", "identity-shared-phone");
    check(&["visitor:x", "visitor:x"], "new", "identity-weak");
    check(&["info@firma.ru +79161234567", "info@firma.ru +79161234567"], "same 1", "identity-same-contact");
}

#[test]
fn a_contact_that_does_not_identify_alone_does_so_with_another() {
    let phones_need_help = || rules_with("[alone]\nphone = false\n");
    check_with(phones_need_help(), &["+79161234567", "+79161234567"], "new", "identity-weak");
    check_with(
        phones_need_help(),
        &["+79161234567 visitor:x", "+79161234567 visitor:x"],
        "same 1",
        "identity-same-contact",
    );
    check_with(phones_need_help(), &["ivan@firma.ru", "ivan@firma.ru"], "same 1", "identity-same-contact");
}

#[test]
fn a_record_that_ties_two_clients_merges_them() {
    check(&["+79161234567", "ivan@firma.ru", "+79161234567 ivan@firma.ru"], "merge 1 <- 2", "identity-same-contact");
    check(
        &["from:1c counterparty:A inn:7707083893", "+79161234567", "from:1c counterparty:A +79161234567"],
        "merge 1 <- 2",
        "identity-same-foreign",
    );
    check(
        &["from:1c counterparty:A inn:7707083893", "from:shop user:5 inn:7707083893", "inn:7707083893"],
        "same 1",
        "identity-same-inn",
    );
    check(
        &["+79161234567", "ivan@firma.ru", "messenger:ivan", "+79161234567 ivan@firma.ru messenger:ivan"],
        "merge 1 <- 2,3",
        "identity-same-contact",
    );
}

#[test]
fn another_inn_forbids() {
    check(&["inn:7707083893 +79161234567", "inn:7736050003 +79161234567"], "new", "identity-veto-inn");
    check(
        &["inn:7707083893 +79161234567", "inn:7736050003 ivan@firma.ru", "+79161234567 ivan@firma.ru"],
        "review 1,2",
        "identity-pair-inn",
    );
    // The card is the same: its ИНН was corrected.
    check(
        &["from:1c counterparty:A inn:7707083893", "from:1c counterparty:A inn:7736050003"],
        "same 1",
        "identity-same-foreign",
    );
}

#[test]
fn two_cards_of_one_system_stay_two_clients() {
    check(&["from:1c counterparty:A +79161234567", "from:1c counterparty:B +79161234567"], "new", "identity-veto-card");
    check(
        &["from:1c counterparty:A inn:7707083893", "from:1c counterparty:B inn:7707083893"],
        "new",
        "identity-veto-card",
    );
    check_with(
        rules_with("[cards]\nsame_inn_joins = true\n"),
        &["from:1c counterparty:A inn:7707083893", "from:1c counterparty:B inn:7707083893"],
        "same 1",
        "identity-same-inn",
    );
    // In two bases the same counterparty has two cards.
    check(
        &["from:1c counterparty:A inn:7707083893", "from:1c-old counterparty:B inn:7707083893"],
        "same 1",
        "identity-same-inn",
    );
    check(
        &["from:1c counterparty:A +79161234567", "from:1c counterparty:B ivan@firma.ru", "+79161234567 ivan@firma.ru"],
        "review 1,2",
        "identity-pair-cards",
    );
    // Uzel itself made both cards in the CRM before it knew that they are one.
    check(
        &["from:crm contact:1 +79161234567", "from:crm contact:2 ivan@firma.ru", "+79161234567 ivan@firma.ru"],
        "merge 1 <- 2",
        "identity-same-contact",
    );
}

#[test]
fn a_person_and_a_company_at_one_phone_stay_apart() {
    let person = "kind:person name:Иванов_Иван +79161234567";
    let company = "from:1c counterparty:A inn:7707083893 firm:Ромашка +79161234567";
    check(&[person, company], "new", "identity-veto-kind");
    check(&[company, person], "new", "identity-veto-kind");
    check(&[person, company, "+79161234567"], "same 1", "identity-chosen-person");
    check(&[person, company, "+79161234567 firm:Ромашка"], "same 2", "identity-same-contact");
    check(&[person, company, "+79161234567 inn:7707083893"], "same 2", "identity-same-inn");
    // Only a number is known: who it belongs to is learned later.
    check(&["+79161234567", company], "same 1", "identity-same-contact");
}

#[test]
fn companies_at_one_phone_are_one_when_their_names_agree() {
    let first = "kind:company firm:Ромашка +79161234567";
    check(&[first, "kind:company firm:РОМАШКА +79161234567"], "same 1", "identity-same-contact");
    check(&[first, "kind:company +79161234567"], "same 1", "identity-same-contact");
    check(&[first, "kind:company firm:Лютик inn:7707083893 +79161234567"], "new", "identity-veto-names");
    check(&["kind:company firm:Ёлка +79161234567", "firm:Елка +79161234567"], "same 1", "identity-same-contact");
}

#[test]
fn a_persons_word_that_two_are_not_the_same_holds() {
    let site = Slug::literal("site");
    let mut world = World::new(rules());
    world.apply(&site, &record("+79161234567 name:Иванов_Иван").1);
    world.apply(&site, &record("ivan@firma.ru name:Петров_Пётр").1);
    world.client(2).not_same.push(ClientId(1));
    let both = record("+79161234567 ivan@firma.ru").1;
    assert_eq!(shown(&world.decide(&site, &both)), "review 1,2");
    let named = record("+79161234567 ivan@firma.ru name:Петров_Петр").1;
    assert_eq!(shown(&world.decide(&site, &named)), "same 2");
    // Both hold the phone: one more new client would not be clearer.
    world.client(2).contacts.push(HeldContact {
        point: phone("+79161234567"),
        provenance: provenance("site", 2, 0),
        origin: ClientId(2),
    });
    assert_eq!(shown(&world.decide(&site, &record("+79161234567").1)), "same 1");
}

#[test]
fn units_of_one_legal_entity_are_told_by_kpp() {
    check(
        &[
            "from:1c counterparty:A inn:7707083893 kpp:770701001",
            "from:1c counterparty:B inn:7707083893 kpp:540702001",
            "inn:7707083893 kpp:540702001",
        ],
        "same 2",
        "identity-chosen-unit",
    );
    let mut client = Client::new(ClientId(1), ClientKind::Company, Timestamp(1));
    let (connection, change) = record("from:1c counterparty:A inn:7707083893 kpp:770701001");
    absorb(&mut client, &change, &connection, &|_| provenance("1c", 1, 1));
    let (_, form) = record("inn:7707083893 kpp:540702001");
    let absorbed = absorb(&mut client, &form, &Slug::literal("site"), &|_| provenance("site", 2, 1));
    assert_eq!(absorbed.issues.len(), 1);
    assert!(!absorbed.changed);
    assert_eq!(client.kpp.as_ref().map(|kpp| kpp.value.0.as_str()), Some("770701001"));
    let (_, moved) = record("from:1c counterparty:A inn:7707083893 kpp:540702001");
    let absorbed = absorb(&mut client, &moved, &connection, &|_| provenance("1c", 3, 1));
    assert!(absorbed.issues.is_empty() && absorbed.changed);
}

#[test]
fn messages_show_no_whole_contact_and_no_persons_inn() {
    let mut world = World::new(rules());
    for words in
        ["+79161234567 ivan@firma.ru inn:500100732259", "+79161234567 ivan@firma.ru inn:500100732259 info@a.ru"]
    {
        let (connection, change) = record(words);
        let decision = world.apply(&connection, &change);
        let lines: String = explain(&decision).iter().map(|line| line.render(Locale::Ru)).collect();
        for private in ["79161234567", "ivan@firma", "500100732259"] {
            assert!(!lines.contains(private), "{lines}");
        }
    }
}

#[test]
fn what_a_record_tells_is_absorbed_by_provenance() {
    let mut client = Client::new(ClientId(1), ClientKind::Person, Timestamp(1_000));
    let site = Slug::literal("site");
    let (_, mut form) = record("name:Иванов_Иван +79161234567");
    form.known_since = Some(Timestamp(400));
    let absorbed = absorb(&mut client, &form, &site, &|_| provenance("site", 5, 0));
    assert!(absorbed.changed && absorbed.new_contacts.len() == 1 && !absorbed.inn_changed);
    assert_eq!(client.known_since, Timestamp(400));
    assert_eq!(absorb(&mut client, &form, &site, &|_| provenance("site", 6, 0)), Absorbed::default());

    let (one_c, card) = record("from:1c counterparty:A inn:7707083893 firm:Ромашка ivan@firma.ru +79161234567");
    let absorbed = absorb(&mut client, &card, &one_c, &|_| provenance("1c", 3, 9));
    assert!(absorbed.changed && absorbed.inn_changed);
    assert_eq!((client.kind, client.shown_name()), (ClientKind::Company, "ООО «Ромашка»".to_owned()));
    assert_eq!((absorbed.new_contacts.len(), absorbed.new_foreign.len()), (1, 1));
    assert_eq!(client.contacts[0].provenance.rank, 9, "the stronger witness of a contact is kept");

    // The person who writes for the company does not rename it, even by the strongest source.
    let (_, later) = record("name:Петров_Пётр");
    assert!(!absorb(&mut client, &later, &one_c, &|_| provenance("1c", 9, 9)).changed);
    // A late retry of an older record changes nothing.
    let (_, late) = record("firm:Лютик");
    assert!(!absorb(&mut client, &late, &site, &|_| provenance("site", 1, 9)).changed);
}

#[test]
fn the_name_of_a_company_makes_a_company_only_when_its_source_owns_requisites() {
    for (rank, kind) in [(0, ClientKind::Person), (1, ClientKind::Company)] {
        let mut client = Client::new(ClientId(1), ClientKind::Person, Timestamp(1));
        let (site, change) = record("firm:Ромашка");
        absorb(&mut client, &change, &site, &|_| provenance("site", 1, rank));
        assert_eq!(client.kind, kind);
        assert_eq!(client.shown_name(), "ООО «Ромашка»");
    }
}

#[test]
fn spam_does_not_hide_a_known_client() {
    let site = Slug::literal("site");
    let spam = ClientChange { standing: Some(Standing::Spam), ..ClientChange::default() };
    for (purchases, standing) in [(0, Standing::Spam), (1, Standing::Client)] {
        let mut client = Client::new(ClientId(1), ClientKind::Person, Timestamp(1));
        client.purchases = purchases;
        absorb(&mut client, &spam, &site, &|_| provenance("site", 1, 0));
        assert_eq!(client.standing, standing);
    }
}

#[test]
fn at_the_bound_the_weakest_contact_is_set_aside_and_kept() {
    let mut client = Client::new(ClientId(1), ClientKind::Person, Timestamp(1));
    let site = Slug::literal("site");
    let told = |number: usize| ClientChange {
        contacts: vec![email(&format!("a{number}@firma.ru"))],
        ..ClientChange::default()
    };
    for number in 0..CONTACTS_MAX {
        let rank = u8::from(number != 7);
        let absorbed = absorb(&mut client, &told(number), &site, &|_| provenance("site", 1 + number as u64, rank));
        assert!(absorbed.issues.is_empty());
    }
    let absorbed = absorb(&mut client, &told(CONTACTS_MAX), &site, &|_| provenance("site", 900, 1));
    assert_eq!((absorbed.issues.len(), absorbed.new_contacts.len(), client.contacts.len()), (1, 1, CONTACTS_MAX));
    let aside: Vec<&str> = client.extra.iter().map(|(_, value)| value.value.as_str()).collect();
    assert_eq!(aside, ["a7@firma.ru"]);
}

#[test]
fn every_slip_in_the_rules_is_reported_with_its_line() {
    let text = "shared_by_max = 0\nshared_by = 3\n[alone]\nphone = 1\nfax = true\n[shared]\nlocal_parts = [\"a b\"]\n\
                emails = [\"no\"]\nphones = [\"8800\"]\n[cards]\nseveral = [\"\"]\n";
    let problems = Rules::compile("rules/identity.toml", text).expect_err("it is full of slips");
    let lines: Vec<u32> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 2, 4, 5, 7, 8, 9, 11], "{problems:#?}");
    assert_eq!(shared_by_max(&rules()), 5);
    assert_eq!(shared_by_max(&rules_with("shared_by_max = 3")), 3);
    assert!(Rules::compile("rules/identity.toml", "shared_by_max = = 3").is_err());
}
