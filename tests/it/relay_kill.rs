//! The real relay and the real office, killed in turn at any moment under load, over a line that is cut
//! again and again: every lead that the relay acknowledged is in the office once, in the order in which
//! the relay took it.
//!
//! Senders post forms to two connections of the relay. One that got no answer sends the same again or
//! gives it up; then it may be there once, or not. Chance comes from a seed; moments of kills are real
//! time and differ from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::daemon_support::{Place, until};
use super::relay_support::{CRM, Chance, Line, RelayPlace, ask, envelopes, office_settings};

/// Kills of the relay, and as many of the office.
const KILLS: u32 = 20;
const SENDERS: u64 = 3;
/// Between two forms of a sender, ms at the most.
const PAUSE_MS_MAX: u64 = 20;
/// A connection of the line lives about so many bytes.
const CUT_AFTER: u64 = 20_000;
const SEED: u64 = 0x5eed_4e1a;
/// After this the relay is taken to hang. Generous: other tests run beside this one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Which life of the relay it is, and where it listens.
#[derive(Default)]
struct Lives {
    now: Mutex<(u32, Option<SocketAddr>)>,
    changed: Condvar,
}

impl Lives {
    fn begin(&self, address: SocketAddr) {
        let mut now = self.now.lock().expect("not poisoned");
        *now = (now.0 + 1, Some(address));
        self.changed.notify_all();
    }

    /// Waits for a life later than `after`.
    fn later(&self, after: u32) -> (u32, SocketAddr) {
        let now = self.now.lock().expect("not poisoned");
        let (now, timeout) =
            self.changed.wait_timeout_while(now, PATIENCE, |(life, _)| *life <= after).expect("not poisoned");
        assert!(!timeout.timed_out(), "the relay did not come up again");
        (now.0, now.1.expect("a life has an address"))
    }
}

/// What senders know of their forms.
#[derive(Default)]
struct Sent {
    /// Answered with 200: number and the position that the relay named.
    acknowledged: BTreeSet<(u64, u64)>,
    /// Never answered and given up.
    unknown: BTreeSet<u64>,
}

/// Where a sender sends.
struct Way<'w> {
    lives: &'w Lives,
    paths: &'w [(String, Vec<(&'static str, String)>)],
}

impl Way<'_> {
    /// `Err` when there was no answer, else the position.
    fn post(&self, address: SocketAddr, number: u64) -> std::io::Result<u64> {
        let (path, more) = &self.paths[(number % self.paths.len() as u64) as usize];
        let mut headers = vec![("content-type", "application/json"), ("accept", "application/json")];
        headers.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
        let body = format!(
            r#"{{"submission_id":"s-{number}","request_id":"s-{number}","name":"Клиент Номер{number}","email":"client{number}@example.ru"}}"#
        );
        let (status, said) = ask(address, "POST", path, &headers, body.as_bytes())?;
        assert_eq!(status, 200, "form {number}: {said}");
        // An answer that was cut behind its head says nothing sure: it is sent again.
        let said: Value = serde_json::from_str(&said)?;
        Ok(said["id"].as_str().and_then(|id| id.parse().ok()).expect("a position"))
    }

    fn send(&self, next: &AtomicU64, enough: &AtomicBool, seed: u64) -> Sent {
        let (mut chance, mut sent) = (Chance(seed), Sent::default());
        let (mut life, mut address) = self.lives.later(0);
        while !enough.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(chance.below(PAUSE_MS_MAX + 1)));
            let number = next.fetch_add(1, Ordering::SeqCst);
            let mut is_known = false;
            loop {
                match self.post(address, number) {
                    Ok(position) => {
                        is_known = true;
                        sent.acknowledged.insert((number, position));
                        // A sender that did not see the answer sends again.
                        if chance.below(12) > 0 {
                            break;
                        }
                    }
                    Err(_) => {
                        (life, address) = self.lives.later(life);
                        if is_known || chance.below(4) == 0 {
                            break;
                        }
                    }
                }
            }
            if !is_known {
                sent.unknown.insert(number);
            }
        }
        sent
    }
}

#[test]
fn relay_and_office_killed_in_turn_lose_nothing_and_double_nothing() {
    let line = Line::new();
    line.cut_after(CUT_AFTER);
    let office = Place::new(&office_settings(&line.url()), CRM);
    let relay = RelayPlace::of(&office);
    let vault = uzel::vault::Vault::open(&office.path().join("vault.json")).expect("the vault");
    let token = vault.get("shop.signing_secret").expect("init makes one").expose().to_owned();
    let paths =
        [(format!("{}/lead", relay.path_of("site")), Vec::new()), (relay.path_of("shop"), vec![("x-token", token)])];
    let (lives, next, enough) = (Lives::default(), AtomicU64::new(1), AtomicBool::new(false));
    let way = Way { lives: &lives, paths: &paths };
    let mut chance = Chance(SEED);
    let begin = Instant::now();

    let (mut at_relay, in_office, sent) = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (way, next, enough) = (&way, &next, &enough);
                scope.spawn(move || way.send(next, enough, SEED + 1 + sender))
            })
            .collect();
        let live = |relay: &super::relay_support::Relay| {
            line.leads_to(Some(relay.address));
            lives.begin(relay.address);
        };
        let mut at_relay = relay.start();
        live(&at_relay);
        let mut in_office = office.start();
        for _ in 0..KILLS {
            // The moments of the kills are what is tested.
            std::thread::sleep(Duration::from_millis(20 + chance.below(500)));
            drop(in_office);
            in_office = office.start();
            std::thread::sleep(Duration::from_millis(20 + chance.below(500)));
            at_relay.end();
            at_relay = relay.start();
            live(&at_relay);
        }
        enough.store(true, Ordering::SeqCst);
        let mut sent = Sent::default();
        for sender in senders {
            let mut one = sender.join().expect("a sender ends well");
            sent.acknowledged.append(&mut one.acknowledged);
            sent.unknown.append(&mut one.unknown);
        }
        (at_relay, in_office, sent)
    });
    println!(
        "{KILLS} kills of each in {:?}; {} forms acknowledged, {} given up; the line was cut {} times",
        begin.elapsed(),
        sent.acknowledged.len(),
        sent.unknown.len(),
        line.cuts(),
    );
    assert!(sent.acknowledged.len() > 2 * KILLS as usize, "there was no load");
    assert!(line.cuts() > 0, "the line was never cut");

    line.cut_after(0);
    let begin = Instant::now();
    let head = relay.status()["head"].as_u64().expect("a head");
    until("the office has everything", || {
        let view = office.json(&["status"]);
        (view["relay"]["pulled"] == head && view["lag"] == 0).then_some(())
    });
    println!("settled in {:?}: {head} entries", begin.elapsed());
    until("the relay knows", || (relay.status()["waiting"] == 0).then_some(()));
    assert_eq!(in_office.stop(), Some(0));

    let found = envelopes(office.path());
    let relayed: Vec<_> = found.iter().filter_map(|it| Some((it, it.relayed()?))).collect();
    // Each entry of the relay once, in its order.
    let positions: Vec<u64> = relayed.iter().map(|(_, note)| note.position).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    let mut by_number: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (received, note) in &relayed {
        assert!(received.header("remote").is_some() && received.header("request-id").is_some());
        let uzel::entry::Body::Inline(body) = &received.body else { panic!("a small body") };
        let body: Value = serde_json::from_slice(body).expect("JSON");
        let number = body["submission_id"].as_str().and_then(|it| it.strip_prefix("s-")?.parse().ok());
        by_number.entry(number.expect("a number")).or_default().push(note.position);
    }
    for (number, position) in &sent.acknowledged {
        let there = by_number.get(number).is_some_and(|positions| positions.contains(position));
        assert!(there, "form {number}, acknowledged as {position}, is lost");
    }

    // One client for each form, and none that was never sent.
    let mut clients: BTreeMap<u64, u32> = BTreeMap::new();
    let mut after: Option<String> = None;
    loop {
        let mut arguments = vec!["client", "list", "--limit", "1000"];
        arguments.extend(after.iter().flat_map(|after| ["--after", after.as_str()]));
        let page = office.json(&arguments);
        for client in page["rows"].as_array().expect("rows") {
            let contacts = client["contacts"].as_array().cloned().unwrap_or_default();
            let number = contacts
                .iter()
                .filter_map(Value::as_str)
                .find_map(|text| text.strip_prefix("client")?.strip_suffix("@example.ru")?.parse::<u64>().ok());
            *clients.entry(number.expect("a number")).or_default() += 1;
        }
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert!(clients.values().all(|count| *count == 1), "doubled: {clients:?}");
    assert_eq!(clients.keys().collect::<Vec<_>>(), by_number.keys().collect::<Vec<_>>());
    let known = |number: &u64| sent.unknown.contains(number) || sent.acknowledged.iter().any(|(it, _)| it == number);
    assert!(clients.keys().all(known), "there is a client whom nobody sent");
    assert_eq!(office.run(&["rebuild", "--check"]).code, 0);
    assert_eq!(office.run(&["journal", "verify"]).code, 0);
    assert!(!at_relay.log().contains("panicked"), "{}", at_relay.log());
    at_relay.end();
    let verified = relay.run(&["journal", "verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}
