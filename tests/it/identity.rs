//! Who is who: what ties a record to a client, what forbids it, and merges that can be undone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uzel::base::limits::CONTACTS_MAX;
use uzel::base::{ClientId, ItemRef, Locale, Position, Slug, Timestamp};
use uzel::identity::{self, Candidate, Decision, FieldGroup, Key, Rules};
use uzel::model::change::ClientChange;
use uzel::model::{Client, ClientKind, ClientState, ContactPoint, Inn, Kpp, Provenance, Standing};
use uzel::normalize;

fn id(number: u64) -> ClientId {
    ClientId::derive(ItemRef::new(Position(number), 0), 0)
}

fn slug() -> Slug {
    Slug::literal("1c")
}

/// A record from words: `+7...` a telephone, `...@...` an address, `inn:`, `kpp:`, `tg:`, `browser:`,
/// `kind=id` a foreign id; anything else is the name.
fn record(text: &str) -> ClientChange {
    let mut change = ClientChange::default();
    let mut name = String::new();
    for word in text.split_whitespace() {
        if word.starts_with("+7") {
            let phone = normalize::phone(word, "RU").value.expect("a telephone");
            change.contacts.push(ContactPoint::Phone(phone));
        } else if word.contains('@') {
            change.contacts.push(ContactPoint::Email(normalize::email(word).value.expect("an address")));
        } else if let Some(inn) = word.strip_prefix("inn:") {
            change.inn = Some(Inn(inn.into()));
        } else if let Some(kpp) = word.strip_prefix("kpp:") {
            change.kpp = Some(Kpp(kpp.into()));
        } else if let Some(account) = word.strip_prefix("tg:") {
            change.contacts.push(ContactPoint::Messenger("telegram".into(), account.into()));
        } else if let Some(browser) = word.strip_prefix("browser:") {
            change.contacts.push(ContactPoint::Visitor(browser.into()));
        } else if let Some((kind, id)) = word.split_once('=') {
            change.foreign.push((kind.into(), id.into()));
        } else {
            name.push_str(word);
            name.push(' ');
        }
    }
    change.name = normalize::any_name(&name).value;
    change
}

fn said(position: u64) -> Provenance {
    Provenance { source: slug(), position: Position(position), observed_at: Timestamp(position as i64), rank: 0 }
}

fn level(_: FieldGroup) -> u8 {
    1
}

/// A client of whom one record is known.
fn client(number: u64, text: &str) -> Client {
    let change = record(text);
    let mut client = Client::new(id(number), identity::kind_of(&change), Timestamp(number as i64));
    identity::absorb(&mut client, &change, &level, &said(number));
    client
}

/// The keys of `change` that `client` has: what the tables would find.
fn matched(rules: &Rules, change: &ClientChange, client: &Client) -> Vec<Key> {
    let has = |key: &Key| match key {
        Key::Foreign(foreign) => client.foreign.iter().any(|(it, _)| it == foreign),
        Key::Inn(inn) => client.inn.as_ref().is_some_and(|it| it.value == *inn),
        Key::Contact(point) => client.contacts.iter().any(|it| it.point.key() == point.key()),
    };
    identity::keys(rules, &slug(), change).used.into_iter().filter(has).collect()
}

fn decide(rules: &Rules, change: &ClientChange, clients: &[Client]) -> Decision {
    let candidates: Vec<Candidate<'_>> = clients
        .iter()
        .map(|client| Candidate { client, matched: matched(rules, change, client) })
        .filter(|it| !it.matched.is_empty())
        .collect();
    identity::decide(rules, &slug(), change, &candidates)
}

/// The decision in short, with the identifiers of its reasons.
fn shown(decision: &Decision) -> String {
    let number = |id: &ClientId| id.position().0.to_string();
    let list = |ids: &[ClientId]| ids.iter().map(number).collect::<Vec<_>>().join("+");
    let what = match decision {
        Decision::New { .. } => "new".to_owned(),
        Decision::Same { client, .. } => format!("same {}", number(client)),
        Decision::Merge { winner, losers, .. } => format!("merge {}<{}", number(winner), list(losers)),
        Decision::Review { client, candidates, .. } => {
            format!("review {}?{}", client.as_ref().map_or("-".to_owned(), number), list(candidates))
        }
    };
    let why = decision.why().iter().map(|it| it.id.strip_prefix("identity-").expect("of this module").to_owned());
    [vec![what], why.collect()].concat().join(" ")
}

const ROMASHKA: &str = "7707083893";
const TULPAN: &str = "7736207543";
const PERSON: &str = "500100732259";

fn check(rules: &Rules, clients: &[&str], text: &str, expected: &str) {
    let clients: Vec<Client> = clients.iter().zip(1..).map(|(text, number)| client(number, text)).collect();
    let decision = decide(rules, &record(text), &clients);
    assert_eq!(shown(&decision), expected, "{text}");
    let reversed: Vec<Client> = clients.iter().rev().cloned().collect();
    assert_eq!(decide(rules, &record(text), &reversed), decision, "{text}: the order of candidates");
    assert!(!decision.why().is_empty(), "{text}: every decision says why");
    for locale in [Locale::Ru, Locale::En] {
        let words = identity::explain(&decision, locale);
        assert!(!words.contains("identity-"), "{words}");
        assert!(!words.contains("1112233") && !words.contains("ivan@"), "contacts are masked: {words}");
    }
}

#[test]
fn a_record_finds_its_client() {
    let rules = Rules::built_in();
    let check = |clients: &[&str], text: &str, expected: &str| check(&rules, clients, text, expected);
    check(&[], "+79161112233", "new nothing-known");
    check(&[], "Иван", "new no-keys");
    check(&["Иван +79161112233"], "+79161112233", "same 1 by-phone");
    check(&["Иван +79161112233"], "ivan@example.ru", "new nothing-known");
    check(&["Иван ivan@example.ru"], "Иван +79161112233 ivan@example.ru", "same 1 by-email");
    check(&["tg:ivan"], "tg:ivan", "same 1 by-messenger");
    check(&["counterparty=1"], "counterparty=1", "same 1 by-foreign");
    check(&["ООО Ромашка inn:7707083893"], "ООО Ромашка inn:7707083893", "same 1 by-inn");
    // A browser says something only of a visit without a name.
    check(&["browser:x"], "browser:x", "same 1 by-visitor");
    check(&["browser:x"], "browser:x +79161112233", "new nothing-known");
    // The record ties two known clients together.
    check(&["+79161112233", "ivan@example.ru"], "+79161112233 ivan@example.ru", "merge 1<2 by-phone by-email merges");
    check(
        &["+79161112233", "ivan@example.ru", "tg:ivan"],
        "ivan@example.ru tg:ivan +79161112233",
        "merge 1<2+3 by-phone by-email by-messenger merges",
    );
    // Another name at the same number is said.
    check(&["Иванов Иван +79161112233"], "Мария Петрова +79161112233", "same 1 by-phone other-name");
    check(&["Иванов Иван +79161112233"], "Иван +79161112233", "same 1 by-phone");
    check(&["Иванов Иван Иванович +79161112233"], "Иванов И.И. +79161112233", "same 1 by-phone");
}

#[test]
fn vetoes_are_stronger_than_matches() {
    let rules = Rules::built_in();
    let check = |clients: &[&str], text: &str, expected: &str| check(&rules, clients, text, expected);
    let romashka = format!("ООО Ромашка inn:{ROMASHKA} +79161112233");
    check(&[&romashka], &format!("ООО Тюльпан inn:{TULPAN} +79161112233"), "new veto-inn");
    // A person who gives the company's telephone is not the company.
    check(&[&romashka], "Иван +79161112233", "new veto-kind");
    check(&["Иван +79161112233"], &romashka, "new veto-kind");
    check(&[&romashka], &format!("Иван inn:{PERSON} +79161112233"), "new veto-inn");
    // A call tells no name: it is the company's.
    check(&[&romashka], "+79161112233", "same 1 by-phone");
    check(&["+79161112233"], &romashka, "same 1 by-phone");
    // An entrepreneur is a person.
    check(&["Иванов Иван +79161112233"], "ИП Иванов Иван +79161112233", "same 1 by-phone");
    // Another unit of the same legal entity.
    check(
        &[&format!("inn:{ROMASHKA} kpp:773601001")],
        &format!("inn:{ROMASHKA} kpp:540602001"),
        "same 1 by-inn other-unit",
    );
    // Two counterparties of one base; with one INN a person has to look.
    check(&["counterparty=1 +79161112233"], "counterparty=2 +79161112233", "new veto-foreign");
    check(
        &[&format!("counterparty=1 inn:{ROMASHKA}")],
        &format!("counterparty=2 inn:{ROMASHKA}"),
        "review -?1 veto-foreign",
    );
    check(&["lead=1 +79161112233"], "lead=2 +79161112233", "same 1 by-phone");
    // The source's own id decides alone: the INN was corrected there.
    check(&[&format!("counterparty=1 inn:{ROMASHKA}")], &format!("counterparty=1 inn:{TULPAN}"), "same 1 by-foreign");
    // The record fits two that must stay two: it goes to the better match, a person looks.
    check(
        &[&romashka, &format!("inn:{TULPAN} ivan@example.ru")],
        "+79161112233 ivan@example.ru",
        "review 1?1+2 by-phone veto-inn conflict",
    );
}

#[test]
fn clients_marked_as_not_the_same_are_never_merged() {
    let rules = Rules::built_in();
    let (mut first, second) = (client(1, "+79161112233"), client(2, "ivan@example.ru"));
    first.not_same.push(second.id);
    let change = record("+79161112233 ivan@example.ru");
    let expected = "review 1?1+2 by-phone veto-not-same conflict";
    assert_eq!(shown(&decide(&rules, &change, &[first.clone(), second.clone()])), expected);
    let mut gone = second;
    gone.state = ClientState::MergedInto(id(7), Position(9));
    assert_eq!(shown(&decide(&rules, &change, &[first, gone])), "same 1 by-phone");
}

#[test]
fn shared_identifiers_tie_nobody() {
    let rules = Rules::built_in();
    check(&rules, &["info@example.ru"], "info@example.ru", "new shared-listed");
    check(&rules, &["+79999999998 INFO@example.ru"], "+79999999998 info@example.ru", "same 1 shared-listed by-phone");
    let left_out = identity::keys(&rules, &slug(), &record("zakaz@example.ru"));
    assert!(left_out.used.is_empty() && left_out.left_out.len() == 1);
    // Six companies with the switchboard of one business centre.
    let inns = ["7707083893", "7736207543", "7736050003", "7702070139", "7728168971", "7710140679"];
    let texts: Vec<String> = inns.iter().map(|inn| format!("inn:{inn} +74957778899")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    check(&rules, &texts, "+74957778899", "new shared-by-many");
    check(&rules, &texts[..2], "+74957778899", "review 1?1+2 by-phone veto-inn conflict");
}

#[test]
fn rules_may_ask_for_more_than_a_telephone() {
    let text = identity::BUILT_IN.replace("phone_alone = true", "phone_alone = false");
    let rules = Rules::compile("x.toml", &text).expect("it compiles");
    check(&rules, &["Иван +79161112233"], "Мария +79161112233", "new not-alone");
    check(&rules, &["+79161112233"], "+79161112233", "new not-alone");
    check(&rules, &["Иванов Иван +79161112233"], "Иван +79161112233", "same 1 by-phone");
    check(&rules, &["+79161112233 ivan@example.ru"], "+79161112233 ivan@example.ru", "same 1 by-phone by-email");
}

#[test]
fn every_problem_of_the_rules_file_is_told() {
    let check = |from: &str, to: &str, expected: &str| {
        let problems = Rules::compile("rules/identity.toml", &identity::BUILT_IN.replacen(from, to, 1));
        let texts: Vec<String> = problems.expect_err("a problem").iter().map(|it| it.to_string()).collect();
        assert!(texts.iter().any(|it| it.contains(expected)), "{to}: {texts:?}");
    };
    check("phone_alone", "phone_alon", "did you mean \"phone_alone\"");
    check("shared_by_max = 5", "shared_by_max = 0", "between 1 and 1000");
    check("\"info\"", "\"info@\"", "before the @");
    check("\"+79999999999\"", "\"89999999999\"", "+79161234567");
    check("[shared]", "[shred]", "[shared] is missing");
}

#[test]
fn the_better_witness_wins_whatever_the_order() {
    let from = |source: &'static str, position: u64| Provenance { source: Slug::literal(source), ..said(position) };
    let owner = |group: FieldGroup| u8::from(matches!(group, FieldGroup::Name | FieldGroup::Requisites)) * 5;
    let (site, base) = (record("Ромашка inn:7736207543"), record("ООО Ромашка inn:7707083893"));
    let mut site_first = Client::new(id(1), ClientKind::Person, Timestamp(1));
    identity::absorb(&mut site_first, &site, &level, &from("site", 2));
    let absorbed = identity::absorb(&mut site_first, &base, &owner, &from("1c", 1));
    assert!(absorbed.changed, "the owner of requisites wins though it spoke earlier");
    let mut base_first = Client::new(id(1), ClientKind::Person, Timestamp(1));
    identity::absorb(&mut base_first, &base, &owner, &from("1c", 1));
    let absorbed = identity::absorb(&mut base_first, &site, &level, &from("site", 2));
    assert!(!absorbed.changed);
    assert_eq!(
        (&base_first.name, &base_first.inn, base_first.kind),
        (&site_first.name, &site_first.inn, site_first.kind)
    );
    assert_eq!((base_first.shown_name().as_str(), base_first.kind), ("ООО «Ромашка»", ClientKind::Company));
    let again = identity::absorb(&mut base_first, &base, &owner, &from("1c", 3));
    assert!(!again.changed && base_first.version == Position(1), "the same words change nothing");
}

#[test]
fn contacts_and_ids_are_added_and_bounded() {
    let mut client = client(1, "lead=1 +79161112233");
    let absorbed =
        identity::absorb(&mut client, &record("lead=1 lead=2 +79161112233 ivan@example.ru"), &level, &said(2));
    assert_eq!((absorbed.new_contacts.len(), absorbed.new_foreign.len(), client.contacts.len()), (1, 1, 2));
    let strong = |_: FieldGroup| 9;
    for number in 0..CONTACTS_MAX as u64 + 3 {
        let change = record(&format!("{number}@example.ru"));
        let absorbed = identity::absorb(&mut client, &change, &strong, &said(10 + number));
        assert_eq!(absorbed.new_contacts.len(), 1);
        let held = 2 + number as usize + 1;
        let over = held > CONTACTS_MAX;
        assert_eq!((absorbed.dropped_contacts.len(), absorbed.issues.len()), (usize::from(over), usize::from(over)));
    }
    assert_eq!(client.contacts.len(), CONTACTS_MAX);
    // The weakest source gave way first, and is still there to be read.
    assert!(client.contacts.iter().all(|it| it.provenance.rank == 9));
    assert_eq!(client.extra[0].1.value, "+79161112233");
    // A weak newcomer at the bound is itself what gives way.
    let weak = identity::absorb(&mut client, &record("+79037654321"), &level, &said(900));
    assert_eq!((weak.new_contacts.len(), weak.dropped_contacts.len()), (0, 1));
}

#[test]
fn a_mark_is_not_taken_away_by_an_ordinary_record() {
    let mut client = client(1, "+79161112233");
    let supplier = ClientChange { standing: Some(Standing::Supplier), ..ClientChange::default() };
    let ordinary = ClientChange { standing: Some(Standing::Client), ..ClientChange::default() };
    assert!(identity::absorb(&mut client, &supplier, &level, &said(2)).changed);
    assert!(!identity::absorb(&mut client, &ordinary, &level, &said(3)).changed);
    assert_eq!(client.standing, Standing::Supplier);
}

#[test]
fn what_came_later_under_the_losers_id_goes_with_the_loser() {
    let (mut winner, mut loser) = (client(1, "contact=1 +79161112233"), client(2, "contact=2 ivan@example.ru"));
    identity::merge(&mut winner, &mut loser, Position(5));
    assert_eq!(loser.state, ClientState::MergedInto(winner.id, Position(5)));
    assert_eq!((winner.merged.as_slice(), winner.contacts.len(), winner.foreign.len()), ([loser.id].as_slice(), 2, 2));
    identity::absorb(&mut winner, &record("contact=2 +79037654321"), &level, &said(6));
    identity::absorb(&mut winner, &record("contact=1 maria@example.ru"), &level, &said(7));
    identity::split(&mut winner, &mut loser, Position(8));
    let keys = |client: &Client| client.contacts.iter().map(|it| it.point.key()).collect::<Vec<_>>();
    assert_eq!(keys(&winner), ["p+79161112233", "emaria@example.ru"]);
    assert_eq!(keys(&loser), ["eivan@example.ru", "p+79037654321"]);
    assert_eq!((winner.foreign.len(), loser.foreign.len(), loser.state), (1, 1, ClientState::Active));
    assert!(winner.not_same.contains(&loser.id) && loser.not_same.contains(&winner.id));
    // A second split changes nothing.
    let (before_winner, before_loser) = (winner.clone(), loser.clone());
    identity::split(&mut winner, &mut loser, Position(9));
    assert_eq!((winner, loser), (before_winner, before_loser));
}

/// Words that records are made of; some of them in common.
fn any_words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "+79161112201",
        "+79161112202",
        "+79161112203",
        "a@example.ru",
        "b@example.ru",
        "tg:a",
        "lead=1",
        "lead=2",
        "contact=5",
        "inn:7707083893",
        "inn:500100732259",
        "kpp:773601001",
        "Иван",
        "ООО Ромашка",
        "Мария Петрова",
    ]);
    prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "))
}

fn any_client(number: u64) -> impl Strategy<Value = Client> {
    let records = prop::collection::vec((any_words(), 0u8..3, 0u64..50), 1..5);
    (records, 0u32..3, any::<bool>()).prop_map(move |(records, purchases, supplier)| {
        let mut client = Client::new(id(number), ClientKind::Person, Timestamp(number as i64));
        for (words, rank, position) in records {
            identity::absorb(&mut client, &record(&words), &|_| rank, &said(position));
        }
        client.purchases = purchases;
        if supplier {
            client.standing = Standing::Supplier;
        }
        client
    })
}

/// A client without what a split has to change.
fn restored(client: &Client) -> Client {
    Client { version: Position(0), not_same: Vec::new(), ..client.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_split_gives_back_what_each_had(first in any_client(1), second in any_client(2), third in any_client(3)) {
        let (mut winner, mut loser, mut last) = (first.clone(), second.clone(), third.clone());
        identity::merge(&mut winner, &mut loser, Position(60));
        let after_one = winner.clone();
        prop_assert_eq!(winner.purchases, first.purchases + second.purchases);
        for held in first.contacts.iter().chain(&second.contacts) {
            prop_assert!(winner.contacts.iter().any(|it| it.point == held.point), "no contact is lost");
        }
        identity::merge(&mut winner, &mut last, Position(61));
        identity::split(&mut winner, &mut last, Position(62));
        prop_assert_eq!(restored(&winner), restored(&after_one));
        prop_assert_eq!(restored(&last), restored(&third));
        identity::split(&mut winner, &mut loser, Position(63));
        prop_assert_eq!(restored(&winner), restored(&first));
        prop_assert_eq!(restored(&loser), restored(&second));
    }

    #[test]
    fn records_in_any_order_make_the_same_clients(
        records in prop::collection::vec((0usize..3, prop::collection::vec(0usize..6, 1..4)), 1..14),
        keys in prop::collection::vec(any::<u32>(), 14),
    ) {
        let texts: Vec<String> = records.iter().map(|(entity, words)| words_of(*entity, words)).collect();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        let straight = partition(&texts, &order);
        order.sort_by_key(|index| keys[*index]);
        prop_assert_eq!(partition(&texts, &order), straight);
    }
}

/// Words of one of three companies and people; no two have anything in common.
fn words_of(entity: usize, words: &[usize]) -> String {
    let inn = ["7707083893", "7736207543", "500100732259"][entity];
    let all = [
        format!("+7916111220{entity}"),
        format!("+7903111220{entity}"),
        format!("first{entity}@example.ru"),
        format!("second{entity}@example.ru"),
        format!("inn:{inn}"),
        format!("contact={entity}"),
    ];
    words.iter().map(|word| all[*word].as_str()).collect::<Vec<_>>().join(" ")
}

/// Which records end in one client, when they come in this order.
fn partition(texts: &[String], order: &[usize]) -> BTreeSet<BTreeSet<usize>> {
    let rules = Rules::built_in();
    let mut clients: Vec<Client> = Vec::new();
    let mut ends: Vec<(usize, ClientId)> = Vec::new();
    for (position, index) in (1..).zip(order) {
        let change = record(&texts[*index]);
        let target = match decide(&rules, &change, &clients) {
            Decision::New { .. } => {
                clients.push(Client::new(id(position), identity::kind_of(&change), Timestamp(0)));
                id(position)
            }
            Decision::Same { client, .. } => client,
            Decision::Merge { winner, losers, .. } => {
                for loser in losers {
                    merge_ids(&mut clients, winner, loser, Position(position));
                    ends.iter_mut().filter(|it| it.1 == loser).for_each(|it| it.1 = winner);
                }
                winner
            }
            Decision::Review { .. } => panic!("nothing in these records conflicts: {}", texts[*index]),
        };
        let client = clients.iter_mut().find(|it| it.id == target).expect("decided for a known one");
        identity::absorb(client, &change, &level, &said(position));
        ends.push((*index, target));
    }
    let of = |id: ClientId| ends.iter().filter(|it| it.1 == id).map(|it| it.0).collect();
    ends.iter().map(|it| of(it.1)).collect()
}

fn merge_ids(clients: &mut [Client], winner: ClientId, loser: ClientId, at: Position) {
    let place = |id: ClientId| clients.iter().position(|it| it.id == id).expect("both are known");
    let (winner, loser) = (place(winner), place(loser));
    let mut gone = clients[loser].clone();
    identity::merge(&mut clients[winner], &mut gone, at);
    clients[loser] = gone;
}
