//! What holds for any clients and records: a split undoes a merge, order does not matter.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A client with a bit of everything, made of a few small numbers.
fn some_client(id: u64) -> impl Strategy<Value = Client> {
    let slot = || proptest::option::of((0u8..3, 1u64..6, 0u8..3));
    let contacts = proptest::collection::vec((0u8..6, 1u64..6), 0..5);
    let flags = (any::<bool>(), 0u8..4, 0i64..5, 0u32..3);
    (slot(), slot(), slot(), contacts, proptest::collection::vec(0u8..4, 0..4), flags).prop_map(
        move |(name, inn, address, contacts, foreign, (is_company, standing, since, purchases))| {
            let kind = if is_company { ClientKind::Company } else { ClientKind::Person };
            let mut client = Client::new(ClientId(id), kind, Timestamp(since));
            client.standing = [Standing::Client, Standing::Spam, Standing::Supplier, Standing::Own][standing as usize];
            client.purchases = purchases;
            client.name = name.map(|(value, position, rank)| {
                let name = if is_company {
                    company_name(&format!("Ф{value}"))
                } else {
                    person_name("И", &format!("И{value}"))
                };
                Sourced::new(name, &provenance("site", position, rank))
            });
            client.inn = inn.map(|(value, position, rank)| {
                Sourced::new(Inn(format_compact!("770708389{value}")), &provenance("1c", position, rank))
            });
            client.address = address.map(|(value, position, rank)| {
                Sourced::new(format_compact!("дом {value}"), &provenance("1c", position, rank))
            });
            for (value, position) in contacts {
                let point = email(&format!("{value}@firma.ru"));
                if client.contacts.iter().all(|held| held.point != point) {
                    let provenance = provenance("site", position, 0);
                    client.contacts.push(HeldContact { point, provenance, origin: client.id });
                }
            }
            for value in foreign {
                let card = Foreign {
                    connection: Slug::literal("1c"),
                    kind: "counterparty".into(),
                    id: format_compact!("{id}/{value}"),
                };
                if client.foreign.iter().all(|(held, _)| *held != card) {
                    client.foreign.push((card, client.id));
                }
                client
                    .extra
                    .push((format_compact!("поле {value}"), Sourced::new("x".into(), &provenance("1c", id, 0))));
            }
            client.extra.dedup_by(|left, right| left.0 == right.0);
            client.not_same.push(ClientId(90 + id));
            client
        },
    )
}

/// Without what a split is meant to change.
fn plain(client: &Client) -> Client {
    let mut plain = client.clone();
    plain.version = Position(0);
    plain.not_same.clear();
    plain
}

/// The partition of records into clients, by the numbers of records.
fn partition(rules: &Rules, records: &[(usize, Slug, ClientChange)]) -> Vec<Vec<usize>> {
    let mut world = World::new(rules.clone());
    for (_, connection, change) in records {
        world.apply(connection, change);
    }
    let mut groups: BTreeMap<ClientId, Vec<usize>> = BTreeMap::new();
    for ((number, ..), given) in records.iter().zip(&world.given) {
        groups.entry(world.standing(*given)).or_default().push(*number);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort();
    groups
}

/// Records that share a contact point belong together, and so do those tied by others.
fn connected(records: &[Vec<u8>]) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..records.len()).collect();
    for left in 0..records.len() {
        for right in 0..left {
            if records[left].iter().any(|it| records[right].contains(it)) {
                let (from, to) = (group[left], group[right]);
                group.iter_mut().filter(|it| **it == from).for_each(|it| *it = to);
            }
        }
    }
    let mut groups: Vec<Vec<usize>> =
        (0..records.len()).map(|id| (0..records.len()).filter(|it| group[*it] == id).collect()).collect();
    groups.retain(|it: &Vec<usize>| !it.is_empty());
    groups.sort();
    groups
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn merge_then_split_gives_both_back(first in some_client(1), second in some_client(2), third in some_client(3)) {
        let (mut winner, mut loser, mut other) = (first.clone(), second.clone(), third.clone());
        merge(&mut winner, &mut loser, Position(10));
        prop_assert_eq!(loser.state, ClientState::MergedInto(ClientId(1), Position(10)));
        let mut after_one = winner.clone();
        merge(&mut winner, &mut other, Position(11));
        split(&mut winner, &mut other, Position(12));
        prop_assert_eq!(plain(&other), plain(&third));
        after_one.not_same.push(ClientId(3));
        prop_assert_eq!(plain(&winner), plain(&after_one));
        split(&mut winner, &mut loser, Position(13));
        prop_assert_eq!(plain(&loser), plain(&second));
        prop_assert_eq!(plain(&winner), plain(&first));
        prop_assert_eq!(winner.not_same, [ClientId(91), ClientId(3), ClientId(2)]);
        prop_assert_eq!(loser.not_same, [ClientId(92), ClientId(1)]);
    }

    #[test]
    fn splits_in_another_order_leave_each_his_contacts(first in some_client(1), second in some_client(2), third in some_client(3)) {
        let (mut winner, mut loser, mut other) = (first.clone(), second.clone(), third.clone());
        merge(&mut winner, &mut loser, Position(10));
        merge(&mut winner, &mut other, Position(11));
        split(&mut winner, &mut loser, Position(12));
        for held in first.contacts.iter().chain(&third.contacts) {
            prop_assert!(winner.contacts.iter().any(|it| it.point == held.point), "a contact was lost");
        }
        split(&mut winner, &mut other, Position(13));
        prop_assert_eq!(plain(&loser), plain(&second));
        prop_assert_eq!(plain(&other), plain(&third));
        prop_assert_eq!(winner.contacts, first.contacts);
        prop_assert_eq!(winner.foreign, first.foreign);
    }

    #[test]
    fn what_the_winner_learned_after_the_merge_stays(first in some_client(1), second in some_client(2)) {
        let (mut winner, mut loser) = (first.clone(), second.clone());
        merge(&mut winner, &mut loser, Position(10));
        let site = Slug::literal("site");
        let (_, mut learned) = record("new@firma.ru");
        learned.address = Some("новый адрес".into());
        absorb(&mut winner, &learned, &site, &|_| provenance("site", 11, 9));
        split(&mut winner, &mut loser, Position(12));
        prop_assert_eq!(winner.address.map(|it| it.value), learned.address);
        prop_assert_eq!(winner.contacts.len(), first.contacts.len() + 1);
        prop_assert_eq!(winner.name, first.name);
        prop_assert_eq!(plain(&loser), plain(&second));
    }

    #[test]
    fn people_come_out_the_same_in_any_order(
        (points, order) in proptest::collection::vec(proptest::collection::vec(0u8..10, 1..4), 1..9)
            .prop_flat_map(|points| { let order: Vec<usize> = (0..points.len()).collect(); (Just(points), Just(order).prop_shuffle()) }),
    ) {
        let record = |number: usize| {
            let told = points[number].iter().map(|it| if it % 2 == 0 { phone(&format!("+7916123456{it}")) } else { email(&format!("p{it}@firma.ru")) });
            let name = number.is_multiple_of(2).then(|| person_name("Иванов", &format!("Иван{number}")));
            (number, Slug::literal("site"), ClientChange { contacts: told.collect(), name, ..ClientChange::default() })
        };
        let records: Vec<_> = order.into_iter().map(record).collect();
        prop_assert_eq!(partition(&rules(), &records), connected(&points));
    }

    #[test]
    fn companies_come_out_the_same_in_any_order(
        (told, order) in proptest::collection::vec((0usize..3, any::<[bool; 4]>(), any::<bool>()), 1..9)
            .prop_flat_map(|told| { let order: Vec<usize> = (0..told.len()).collect(); (Just(told), Just(order).prop_shuffle()) }),
    ) {
        // Each record tells some of what is known of its company, and always one tie to the rest.
        const INNS: [&str; 3] = ["7707083893", "7736050003", "7702070139"];
        let record = |number: usize| {
            let (company, [card, inn, mail, named], from_1c) = told[number];
            let mut words = format!("kind:company +7495123456{company}");
            if from_1c && card { words += &format!(" from:1c counterparty:{company}"); }
            if inn { words += &format!(" inn:{}", INNS[company]); }
            if mail { words += &format!(" boss{company}@firma.ru"); }
            if named { words += &format!(" firm:Фирма{company}"); }
            let (connection, change) = record(&words);
            (number, connection, change)
        };
        let records: Vec<_> = order.into_iter().map(record).collect();
        let points: Vec<Vec<u8>> = told.iter().map(|(company, ..)| vec![*company as u8]).collect();
        prop_assert_eq!(partition(&rules(), &records), connected(&points));
    }
}
