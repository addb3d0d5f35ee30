//! Stories of clients that met, were taken for one, and were parted again.

use uzel::base::limits::CONTACTS_MAX;
use uzel::base::{ClientId, Position, Slug, Timestamp};
use uzel::identity::{Candidate, Decision, Key, Rules, absorb, decide, kind_of, merge, split};
use uzel::model::change::ClientChange;
use uzel::model::{Client, ClientKind, ContactPoint, Foreign, Inn, Name, Provenance, Standing};
use uzel::normalize;

const ROMASHKA: &str = "7707083893";

fn said(position: u64) -> Provenance {
    let observed_at = Timestamp(position as i64);
    Provenance { source: Slug::literal("1c"), position: Position(position), observed_at, rank: 0 }
}

/// `+7...` a telephone, `...@...` an address, `inn:`, `kind=id` a foreign id; the rest is the name.
fn record(text: &str) -> ClientChange {
    let mut change = ClientChange::default();
    let mut name = Vec::new();
    for word in text.split_whitespace() {
        if word.starts_with("+7") {
            change.contacts.push(ContactPoint::Phone(normalize::phone(word, "RU").value.expect("a telephone")));
        } else if word.contains('@') {
            change.contacts.push(ContactPoint::Email(normalize::email(word).value.expect("an address")));
        } else if let Some(inn) = word.strip_prefix("inn:") {
            change.inn = Some(Inn(inn.into()));
        } else if let Some((kind, id)) = word.split_once('=') {
            change.foreign.push((kind.into(), id.into()));
        } else {
            name.push(word);
        }
    }
    change.name = normalize::any_name(&name.join(" ")).value;
    change
}

fn learn(client: &mut Client, text: &str, at: u64) {
    absorb(client, &record(text), &|_| 1, &said(at));
}

fn client(number: u64, text: &str) -> Client {
    let mut client = Client::new(ClientId(number), kind_of(&record(text)), Timestamp(number as i64));
    learn(&mut client, text, number);
    client
}

fn holds(client: &Client, text: &str) -> bool {
    record(text).contacts.iter().all(|point| client.contacts.iter().any(|held| held.point == *point))
}

#[test]
fn what_was_told_again_of_the_loser_goes_with_him() {
    let mut winner = client(1, "+79161112233");
    let mut loser = client(2, "counterparty=A inn:7707083893 ООО Ромашка +79161112244");
    merge(&mut winner, &mut loser, Position(10));
    // 1C sends the card again, as it does with every exchange.
    learn(&mut winner, "counterparty=A inn:7707083893 ООО Ромашка +79161112244", 11);
    split(&mut winner, &mut loser, Position(12));
    assert_eq!(winner.inn, None, "the ИНН is the loser's");
    assert_eq!(winner.name, None, "and so is the name");
    assert_eq!(winner.kind, ClientKind::Person);
    assert_eq!(loser.inn.map(|inn| inn.value), Some(Inn(ROMASHKA.into())));
}

#[test]
fn a_contact_of_two_losers_stays_while_one_of_them_does() {
    let mut winner = client(1, "Иван");
    let mut first = client(2, "+79161112233");
    let mut second = client(3, "+79161112233 ivan@example.ru");
    let alone = winner.contacts.clone();
    merge(&mut winner, &mut first, Position(10));
    merge(&mut winner, &mut second, Position(11));
    split(&mut winner, &mut first, Position(12));
    assert!(holds(&winner, "+79161112233 ivan@example.ru"), "the second is still part of the winner");
    split(&mut winner, &mut second, Position(13));
    assert_eq!(winner.contacts, alone);
}

#[test]
fn a_person_who_writes_for_a_company_does_not_rename_it() {
    let mut company = client(1, "inn:7707083893 ООО Ромашка");
    let change = ClientChange { inn: Some(Inn(ROMASHKA.into())), ..record("Иванов Иван") };
    absorb(&mut company, &change, &|_| 1, &said(2));
    assert!(matches!(company.name.map(|name| name.value), Some(Name::Company(_))));
}

#[test]
fn spam_in_the_name_of_a_client_does_not_hide_him() {
    let mut known = client(1, "counterparty=A +79161112233");
    let mut spam = client(2, "ivan@example.ru");
    spam.standing = Standing::Spam;
    merge(&mut known, &mut spam, Position(10));
    assert_eq!(known.standing, Standing::Client);
    let told = ClientChange { standing: Some(Standing::Spam), ..record("+79161112233") };
    absorb(&mut known, &told, &|_| 1, &said(11));
    assert_eq!(known.standing, Standing::Client);
}

#[test]
fn the_cards_that_a_crm_got_from_us_do_not_keep_two_halves_of_a_client_apart() {
    let rules = Rules::built_in();
    let crm = Slug::literal("bitrix24");
    let delivered = |number: u64, text: &str| {
        let mut client = client(number, text);
        let card = Foreign { connection: crm.clone(), kind: "contact".into(), id: number.to_string().into() };
        client.foreign.push((card, client.id));
        client
    };
    let (one, other) = (delivered(1, "+79161112233"), delivered(2, "ivan@example.ru"));
    let site = Slug::literal("site");
    let change = record("+79161112233 ivan@example.ru");
    let found =
        |client, index: usize| Candidate { client, matched: vec![Key::Contact(change.contacts[index].clone())] };
    let decision = decide(&rules, &site, &change, &[found(&one, 0), found(&other, 1)]);
    assert!(matches!(decision, Decision::Merge { winner: ClientId(1), .. }), "{decision:?}");
}

#[test]
fn many_contacts_set_aside_keep_their_own_names() {
    let mut client = client(1, "Иван");
    for number in 0..CONTACTS_MAX as u64 + 2 {
        learn(&mut client, &format!("a{number}@example.ru"), 10 + number);
    }
    let aside: Vec<(&str, &str)> = client.extra.iter().map(|(name, it)| (name.as_str(), it.value.as_str())).collect();
    assert_eq!(aside, [("contact.1", "a0@example.ru"), ("contact.2", "a1@example.ru")]);
}
