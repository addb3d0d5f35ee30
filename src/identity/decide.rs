//! The decision: which client a record is about.

use super::key::{Key, Strength, keys};
use super::rules::Rules;
use crate::base::{ClientId, Locale, Message, Slug};
use crate::model::change::ClientChange;
use crate::model::{Client, ClientKind, ClientState, ContactPoint, Foreign, Inn, Name};

/// A client found under some of the record's keys.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The client.
    pub client: &'a Client,
    /// The keys it was found under.
    pub matched: Vec<Key>,
}

/// Which client a record is about, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A client that is not known yet.
    New {
        /// Why nobody known.
        why: Vec<Message>,
    },
    /// This client.
    Same {
        /// Who.
        client: ClientId,
        /// Why.
        why: Vec<Message>,
    },
    /// The record shows that several clients are one: merge, then it is the winner.
    Merge {
        /// The oldest.
        winner: ClientId,
        /// The others, oldest first.
        losers: Vec<ClientId>,
        /// Why.
        why: Vec<Message>,
    },
    /// A person has to look. The record is not kept waiting: it goes to `client`, or to a new one.
    Review {
        /// Where the record goes meanwhile; `None`: to a new client.
        client: Option<ClientId>,
        /// Whom it fits, oldest first.
        candidates: Vec<ClientId>,
        /// Why it could not be decided.
        why: Vec<Message>,
    },
}

impl Decision {
    /// The reasons.
    pub fn why(&self) -> &[Message] {
        match self {
            Decision::New { why }
            | Decision::Same { why, .. }
            | Decision::Merge { why, .. }
            | Decision::Review { why, .. } => why,
        }
    }
}

/// The reasons of a decision as one text.
pub fn explain(decision: &Decision, locale: Locale) -> String {
    decision.why().iter().map(|it| it.render(locale)).collect::<Vec<_>>().join("; ")
}

/// Decides which client a record that came by `connection` is about. `candidates` are the clients
/// found under the keys of [`keys`]; their order does not matter, merged-away ones are passed over.
pub fn decide(rules: &Rules, connection: &Slug, change: &ClientChange, candidates: &[Candidate<'_>]) -> Decision {
    let record = Side::of_change(connection, change);
    let mut why: Vec<Message> = Vec::new();
    let found = keys(rules, connection, change);
    let named_somebody = found.used.iter().any(|key| key.strength() < Strength::Hint);
    why.extend(found.left_out.into_iter().map(|issue| issue.message));

    let mut fits: Vec<Match<'_>> = Vec::new();
    let mut doubted: Vec<ClientId> = Vec::new();
    for candidate in sorted(candidates) {
        let matched = usable(rules, candidate, candidates, &mut why);
        let Some(strength) = matched.iter().map(Key::strength).min() else { continue };
        let one = Match { client: candidate.client, matched, strength };
        if strength > Strength::Own
            && let Some(veto) = veto(&record, &Side::of_client(one.client), |kind| rules.has_many(kind))
        {
            why.push(veto.message(one.client.id));
            // The law says one, the source says two: a person has to know.
            doubted.extend((strength == Strength::Unique).then_some(one.client.id));
            continue;
        }
        match one.suffices(rules, change, named_somebody) {
            true => fits.push(one),
            false => why.extend(one.matched.iter().filter_map(not_alone)),
        }
    }
    conclude(rules, change, fits, doubted, why)
}

/// Oldest first, so that the answer does not hang on the order of the lookup.
fn sorted<'c, 'a>(candidates: &'c [Candidate<'a>]) -> Vec<&'c Candidate<'a>> {
    let mut active: Vec<_> = candidates.iter().filter(|it| it.client.state == ClientState::Active).collect();
    active.sort_by_key(|it| it.client.id);
    active
}

/// A candidate with the keys that count.
struct Match<'a> {
    client: &'a Client,
    matched: Vec<Key>,
    strength: Strength,
}

/// The matched keys without the shared ones; tells of those that many clients share, once.
fn usable(rules: &Rules, candidate: &Candidate<'_>, all: &[Candidate<'_>], why: &mut Vec<Message>) -> Vec<Key> {
    let mut usable = Vec::new();
    for key in &candidate.matched {
        let Key::Contact(point) = key else {
            usable.push(key.clone());
            continue;
        };
        let holders =
            all.iter().filter(|it| it.client.state == ClientState::Active && it.matched.contains(key)).count();
        if rules.is_shared(point) {
            continue;
        }
        if holders > rules.shared_by_max {
            let contact = format!("{point:?}");
            let message = Message::new("identity-shared-by-many").with("contact", contact).with("count", holders);
            if !why.contains(&message) {
                why.push(message);
            }
            continue;
        }
        usable.push(key.clone());
    }
    usable
}

impl Match<'_> {
    /// Whether the keys are enough by the rules.
    fn suffices(&self, rules: &Rules, change: &ClientChange, named_somebody: bool) -> bool {
        match self.strength {
            Strength::Own | Strength::Unique => true,
            Strength::Hint => !named_somebody,
            Strength::Usual => {
                let usual = self.matched.iter().filter(|it| it.strength() == Strength::Usual);
                let alone = |key: &Key| match key {
                    Key::Contact(ContactPoint::Phone(_)) => rules.phone_alone,
                    Key::Contact(ContactPoint::Email(_)) => rules.email_alone,
                    Key::Contact(ContactPoint::Messenger(..)) => true,
                    Key::Contact(ContactPoint::Visitor(_)) | Key::Foreign(_) | Key::Inn(_) => false,
                };
                let named_alike = names_agree(change, self.client) == Some(true);
                usual.clone().any(alone) || usual.count() > 1 || named_alike
            }
        }
    }
}

fn not_alone(key: &Key) -> Option<Message> {
    match key {
        Key::Contact(point @ (ContactPoint::Phone(_) | ContactPoint::Email(_))) => {
            Some(Message::new("identity-not-alone").with("contact", format!("{point:?}")))
        }
        Key::Contact(ContactPoint::Messenger(..) | ContactPoint::Visitor(_)) | Key::Foreign(_) | Key::Inn(_) => None,
    }
}

fn conclude(
    rules: &Rules,
    change: &ClientChange,
    fits: Vec<Match<'_>>,
    doubted: Vec<ClientId>,
    mut why: Vec<Message>,
) -> Decision {
    // Best evidence first, then the oldest.
    let Some(best) = fits.iter().min_by_key(|it| (it.strength, it.client.id)) else {
        if !doubted.is_empty() {
            return Decision::Review { client: None, candidates: doubted, why };
        }
        if why.is_empty() {
            let said_nothing = change.foreign.is_empty() && change.inn.is_none() && change.contacts.is_empty();
            why.push(Message::new(if said_nothing { "identity-no-keys" } else { "identity-nothing-known" }));
        }
        return Decision::New { why };
    };
    why.extend(best.matched.iter().map(Key::reason));
    why.extend(remarks(change, best));
    let others: Vec<&Match<'_>> = fits.iter().filter(|it| it.client.id != best.client.id).collect();
    if others.is_empty() {
        return Decision::Same { client: best.client.id, why };
    }
    let mut clients: Vec<&Client> = fits.iter().map(|it| it.client).collect();
    clients.sort_by_key(|it| it.id);
    if let Some(message) = clash(rules, &clients) {
        why.push(message);
        why.push(Message::new("identity-conflict"));
        let candidates = clients.iter().map(|it| it.id).collect();
        return Decision::Review { client: Some(best.client.id), candidates, why };
    }
    why.extend(others.iter().flat_map(|it| it.matched.iter().map(Key::reason)));
    why.push(Message::new("identity-merges").with("count", others.len()));
    let mut ids = clients.iter().map(|it| it.id);
    let winner = ids.next().unwrap_or(best.client.id);
    Decision::Merge { winner, losers: ids.collect(), why }
}

/// Why two clients must stay two, if anything says so.
pub fn apart(rules: &Rules, left: &Client, right: &Client) -> Option<Message> {
    clash(rules, &[left, right])
}

/// The first reason why two of the clients must stay two.
fn clash(rules: &Rules, clients: &[&Client]) -> Option<Message> {
    for (index, left) in clients.iter().enumerate() {
        for right in &clients[index + 1..] {
            if left.not_same.contains(&right.id) || right.not_same.contains(&left.id) {
                return Some(Message::new("identity-veto-not-same").with("client", left.id).with("other", right.id));
            }
            let may_differ = |kind: &str| rules.has_many(kind) || rules.is_made_by_us(kind);
            if let Some(veto) = veto(&Side::of_client(left), &Side::of_client(right), may_differ) {
                return Some(veto.message(right.id));
            }
        }
    }
    None
}

fn remarks(change: &ClientChange, best: &Match<'_>) -> Vec<Message> {
    let mut remarks = Vec::new();
    let same_inn = change.inn.is_some() && change.inn.as_ref() == best.client.inn.as_ref().map(|it| &it.value);
    let other_kpp = match (&change.kpp, &best.client.kpp) {
        (Some(ours), Some(theirs)) => *ours != theirs.value,
        (None, _) | (_, None) => false,
    };
    if same_inn && other_kpp {
        remarks.push(Message::new("identity-other-unit"));
    }
    let contact = best.matched.iter().find_map(|key| match key {
        Key::Contact(point) => Some(point),
        Key::Foreign(_) | Key::Inn(_) => None,
    });
    if let Some(point) = contact
        && best.strength == Strength::Usual
        && names_agree(change, best.client) == Some(false)
    {
        remarks.push(Message::new("identity-other-name").with("contact", format!("{point:?}")));
    }
    remarks
}

/// Whether the names may be one name; `None` when one of them is not known.
fn names_agree(change: &ClientChange, client: &Client) -> Option<bool> {
    let (ours, theirs) = (change.name.as_ref()?, &client.name.as_ref()?.value);
    let (ours, theirs) = (words(ours), words(theirs));
    let (few, many) = if ours.len() <= theirs.len() { (ours, theirs) } else { (theirs, ours) };
    // `Иван` and `Иванов Иван`, `Иванов И.` and `Иванов Иван Иванович`.
    let has = |word: &String| many.iter().any(|it| it == word || starts_alike(word, it) || starts_alike(it, word));
    Some(few.iter().all(has))
}

fn starts_alike(initial: &str, word: &str) -> bool {
    initial.strip_suffix('.').is_some_and(|it| it.chars().count() == 1 && word.starts_with(it))
}

fn words(name: &Name) -> Vec<String> {
    let text = match name {
        Name::Person(person) => person.shown(),
        Name::Company(company) => company.bare.to_string(),
    };
    text.to_lowercase().replace('ё', "е").split_whitespace().map(str::to_owned).collect()
}

/// What vetoes ask of a record or a client.
struct Side<'a> {
    inn: Option<&'a Inn>,
    /// A legal entity, a person, or not known.
    legal: Option<bool>,
    foreign: Vec<(&'a str, &'a str, &'a str)>,
}

impl<'a> Side<'a> {
    fn of_change(connection: &'a Slug, change: &'a ClientChange) -> Side<'a> {
        let foreign = change.foreign.iter().map(|(kind, id)| (&**connection, kind.as_str(), id.as_str())).collect();
        let legal = legal(change.inn.as_ref(), change.kind, change.name.as_ref());
        Side { inn: change.inn.as_ref(), legal, foreign }
    }

    fn of_client(client: &'a Client) -> Side<'a> {
        let triple = |(it, _): &'a (Foreign, ClientId)| (&*it.connection, it.kind.as_str(), it.id.as_str());
        let inn = client.inn.as_ref().map(|it| &it.value);
        let name = client.name.as_ref().map(|it| &it.value);
        // A client of whom only a telephone is known is held as a person until something says more.
        let kind = match client.kind {
            ClientKind::Company => Some(ClientKind::Company),
            ClientKind::Person => None,
        };
        Side { inn, legal: legal(inn, kind, name), foreign: client.foreign.iter().map(triple).collect() }
    }
}

/// A legal entity (`true`), a person or entrepreneur (`false`), or not known.
fn legal(inn: Option<&Inn>, kind: Option<ClientKind>, name: Option<&Name>) -> Option<bool> {
    if let Some(inn) = inn {
        return Some(inn.is_company());
    }
    match (name, kind) {
        (Some(Name::Company(company)), _) => Some(company.form != "ИП"),
        (Some(Name::Person(_)), Some(ClientKind::Company)) => None,
        (Some(Name::Person(_)), Some(ClientKind::Person) | None) => Some(false),
        (None, Some(ClientKind::Company)) => Some(true),
        (None, Some(ClientKind::Person)) => Some(false),
        (None, None) => None,
    }
}

enum Veto {
    Inn,
    Kind,
    Foreign { connection: String, kind: String },
}

impl Veto {
    fn message(&self, client: ClientId) -> Message {
        match self {
            Veto::Inn => Message::new("identity-veto-inn").with("client", client),
            Veto::Kind => Message::new("identity-veto-kind").with("client", client),
            Veto::Foreign { connection, kind } => Message::new("identity-veto-foreign")
                .with("client", client)
                .with("connection", connection)
                .with("kind", kind),
        }
    }
}

/// Why the two must stay two. Ids of kinds that `may_differ` say nothing.
fn veto(left: &Side<'_>, right: &Side<'_>, may_differ: impl Fn(&str) -> bool) -> Option<Veto> {
    if let (Some(left), Some(right)) = (left.inn, right.inn)
        && left != right
    {
        return Some(Veto::Inn);
    }
    if let (Some(left), Some(right)) = (left.legal, right.legal)
        && left != right
    {
        return Some(Veto::Kind);
    }
    for (connection, kind, id) in &left.foreign {
        let of_kind = |it: &&(&str, &str, &str)| it.0 == *connection && it.1 == *kind;
        let mut theirs = right.foreign.iter().filter(of_kind).peekable();
        let differs = theirs.peek().is_some() && theirs.all(|(_, _, theirs)| theirs != id);
        if differs && !may_differ(kind) {
            return Some(Veto::Foreign { connection: (*connection).to_owned(), kind: (*kind).to_owned() });
        }
    }
    None
}
