//! `rules/distribution.toml`, compiled: which lead goes to which group.

use compact_str::CompactString;

use super::assign::Lead;
use super::{Employee, Organisation, folded};
use crate::base::limits::DISTRIBUTION_RULES_MAX;
use crate::base::{Message, Problem};
use crate::field::reader::unknown_word;
use crate::field::{Lint, Table};
use crate::model::ClientKind;

/// Who gets a lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    /// Whether a known client's lead goes to his own responsible before any rule.
    pub known_to_own: bool,
    /// What happens when nobody of the group is on shift.
    pub off_shift: OffShift,
    /// Rules, the first that fits decides.
    pub rules: Vec<Rule>,
    /// What becomes of a new lead that nobody touches, in order of time.
    pub untouched: Vec<Untouched>,
    /// Open deals from which on a member gets no new leads, by group.
    caps: Vec<(CompactString, u32)>,
    /// The same where the group says nothing; none: no cap.
    cap: Option<u32>,
}

/// What happens when nobody of a group is on shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffShift {
    /// Whoever comes on shift first takes turns.
    #[default]
    NextShift,
    /// Whoever is on duty gets it.
    Duty,
}

/// A rule: all its conditions fit, then it goes to the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Line in the file, for people.
    pub line: u32,
    /// The group.
    pub to: CompactString,
    conditions: Vec<Condition>,
}

/// What becomes of a new lead that nobody has touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Untouched {
    /// After so many working minutes.
    pub after_minutes: u32,
    /// It goes to.
    pub to: UntouchedTo,
}

/// To whom an untouched lead goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntouchedTo {
    /// The next in turn of its group.
    Next,
    /// The head.
    Head,
}

/// Telephone codes and INN regions that are one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: CompactString,
    /// Codes after +7; with a plus, whole beginnings of numbers (`+375`).
    pub phone: Vec<CompactString>,
    /// First two digits of the INN.
    pub inn: Vec<CompactString>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// One of these words, by [`folded`].
    Word(Word, Vec<String>),
    /// The page holds one of these.
    Page(Vec<String>),
    Region(Vec<Region>),
    Kind(ClientKind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Connection,
    Form,
    Source,
    ProductLine,
    Pipeline,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    Organisation,
}

const WORDS: &[(&str, Word)] = &[
    ("connection", Word::Connection),
    ("form", Word::Form),
    ("source", Word::Source),
    ("product_line", Word::ProductLine),
    ("pipeline", Word::Pipeline),
    ("utm_source", Word::UtmSource),
    ("utm_medium", Word::UtmMedium),
    ("utm_campaign", Word::UtmCampaign),
    ("organisation", Word::Organisation),
];

/// Names that rules may refer to.
pub(super) struct Known<'k> {
    pub connections: &'k [&'k str],
    pub employees: &'k [Employee],
    pub organisations: &'k [Organisation],
}

impl Distribution {
    pub(super) fn compile(file: &str, text: &str, known: &Known<'_>) -> Result<Distribution, Vec<Problem>> {
        const OFF: &[(&str, OffShift)] = &[("next_shift", OffShift::NextShift), ("duty", OffShift::Duty)];
        const OWN: &[(&str, bool)] = &[("own", true), ("rules", false)];
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let known_to_own = table.choice("known_client", OWN).unwrap_or(true);
        let off_shift = table.choice("off_shift", OFF).unwrap_or_default();
        let cap = cap_of(&table);
        let regions = regions(&table);
        let caps = caps(&table, known);
        let rules = rules(&table, known, &regions);
        let untouched = untouched(&table);
        table.close();
        lint.finish(Distribution { known_to_own, off_shift, rules, untouched, caps, cap })
    }

    /// The first rule that fits.
    pub fn rule(&self, lead: &Lead<'_>) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.conditions.iter().all(|it| it.holds(lead)))
    }

    /// Open deals from which on a member of the group gets no new leads.
    pub fn cap(&self, group: &str, employee: &Employee) -> Option<u32> {
        let of_group = self.caps.iter().find(|(name, _)| name == group).map(|(_, cap)| *cap);
        employee.cap.or(of_group).or(self.cap)
    }
}

/// `cap = 0` is no cap.
pub(super) fn cap_of(table: &Table<'_>) -> Option<u32> {
    let cap = table.integer_in("cap", 0, 1_000_000)?;
    u32::try_from(cap).ok().filter(|cap| *cap > 0)
}

fn regions(table: &Table<'_>) -> Vec<Region> {
    let Some(regions) = table.table("region") else { return Vec::new() };
    let mut found = Vec::new();
    for (name, ..) in regions.entries() {
        let Some(table) = regions.table(name) else { continue };
        let digits = |key: &str, length: std::ops::RangeInclusive<usize>| {
            let mut codes = Vec::new();
            for (text, line) in table.texts(key) {
                let code: CompactString = text.chars().filter(|it| !matches!(it, ' ' | '-' | '(' | ')')).collect();
                let digits = code.strip_prefix('+').unwrap_or(&code);
                if length.contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit()) {
                    codes.push(code);
                } else {
                    table.lint().report(line, Message::new("people-code").with("text", text).with("name", key));
                }
            }
            codes
        };
        let region = Region { name: name.into(), phone: digits("phone", 1..=11), inn: digits("inn", 2..=4) };
        table.close();
        found.push(region);
    }
    found
}

fn caps(table: &Table<'_>, known: &Known<'_>) -> Vec<(CompactString, u32)> {
    let Some(groups) = table.table("group") else { return Vec::new() };
    let mut caps = Vec::new();
    for (name, line, _) in groups.entries() {
        check_group(table.lint(), line, name, known);
        let Some(group) = groups.table(name) else { continue };
        caps.extend(cap_of(&group).map(|cap| (CompactString::new(name), cap)));
        group.close();
    }
    caps
}

fn check_group(lint: &Lint, line: u32, name: &str, known: &Known<'_>) {
    // Without employees a rule is written ahead of them: it does nothing yet.
    let mut groups = known.employees.iter().flat_map(|it| &it.groups).map(CompactString::as_str);
    if !known.employees.is_empty() && !groups.any(|it| it == name) {
        let mut groups: Vec<&str> =
            known.employees.iter().flat_map(|it| &it.groups).map(CompactString::as_str).collect();
        groups.sort_unstable();
        groups.dedup();
        lint.report(line, unknown_word("people-group", name, groups));
    }
}

fn rules(table: &Table<'_>, known: &Known<'_>, regions: &[Region]) -> Vec<Rule> {
    let tables = table.tables("rule");
    if tables.len() > DISTRIBUTION_RULES_MAX {
        table.report("rule", Message::new("people-many").with("name", "rule").with("max", DISTRIBUTION_RULES_MAX));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for table in tables.into_iter().take(DISTRIBUTION_RULES_MAX) {
        let line = table.line;
        if rules.last().is_some_and(|rule| rule.conditions.is_empty()) {
            table.lint().report(line, Message::new("people-rule-unreachable"));
        }
        let to = CompactString::new(table.required_text("to").unwrap_or_default());
        if !to.is_empty() {
            check_group(table.lint(), table.line_of("to"), &to, known);
        }
        let conditions = conditions(&table, known, regions);
        table.close();
        rules.push(Rule { line, to, conditions });
    }
    rules
}

fn conditions(table: &Table<'_>, known: &Known<'_>, regions: &[Region]) -> Vec<Condition> {
    const KINDS: &[(&str, ClientKind)] = &[("person", ClientKind::Person), ("company", ClientKind::Company)];
    let mut conditions = Vec::new();
    for (name, word) in WORDS {
        let texts = table.texts(name);
        for (text, line) in &texts {
            let known: Option<Vec<&str>> = match word {
                Word::Connection => Some(known.connections.to_vec()),
                Word::Organisation => Some(known.organisations.iter().map(|it| &*it.key).collect()),
                Word::Form
                | Word::Source
                | Word::ProductLine
                | Word::Pipeline
                | Word::UtmSource
                | Word::UtmMedium
                | Word::UtmCampaign => None,
            };
            if let Some(known) = known.filter(|known| !known.contains(text)) {
                table.lint().report(*line, unknown_word("toml-choice", text, known).with("name", name));
            }
        }
        if !texts.is_empty() {
            conditions.push(Condition::Word(*word, texts.iter().map(|(text, _)| folded(text)).collect()));
        }
    }
    let pages = table.texts("page");
    if !pages.is_empty() {
        conditions.push(Condition::Page(pages.iter().map(|(text, _)| folded(text)).collect()));
    }
    let mut wanted = Vec::new();
    for (text, line) in table.texts("region") {
        match regions.iter().find(|region| region.name == text) {
            Some(region) => wanted.push(region.clone()),
            None => {
                let names = regions.iter().map(|it| it.name.as_str());
                table.lint().report(line, unknown_word("people-region", text, names));
            }
        }
    }
    if !wanted.is_empty() {
        conditions.push(Condition::Region(wanted));
    }
    conditions.extend(table.choice("kind", KINDS).map(Condition::Kind));
    conditions
}

fn untouched(table: &Table<'_>) -> Vec<Untouched> {
    const TO: &[(&str, UntouchedTo)] = &[("next", UntouchedTo::Next), ("head", UntouchedTo::Head)];
    let mut steps: Vec<Untouched> = Vec::new();
    for table in table.tables("untouched") {
        table.required_integer("after_minutes");
        table.required_text("to");
        let after = table.integer_in("after_minutes", 1, 100_000).and_then(|it| u32::try_from(it).ok());
        let to = table.choice("to", TO);
        if let (Some(after), Some(last)) = (after, steps.last())
            && last.after_minutes >= after
        {
            table.report("after_minutes", Message::new("people-untouched-order").with("after", after));
        }
        table.close();
        if let (Some(after_minutes), Some(to)) = (after, to) {
            steps.push(Untouched { after_minutes, to });
        }
    }
    steps
}

impl Condition {
    fn holds(&self, lead: &Lead<'_>) -> bool {
        match self {
            Condition::Word(word, wanted) => {
                let said = match word {
                    Word::Connection => Some(lead.connection),
                    Word::Form => lead.form,
                    Word::Source => lead.source,
                    Word::ProductLine => lead.product_line,
                    Word::Pipeline => lead.pipeline,
                    Word::UtmSource => lead.utm.map(|it| it.source.as_str()),
                    Word::UtmMedium => lead.utm.map(|it| it.medium.as_str()),
                    Word::UtmCampaign => lead.utm.map(|it| it.campaign.as_str()),
                    Word::Organisation => lead.organisation,
                };
                said.map(folded).is_some_and(|said| wanted.contains(&said))
            }
            Condition::Page(wanted) => {
                lead.page.map(folded).is_some_and(|page| wanted.iter().any(|it| page.contains(it.as_str())))
            }
            Condition::Region(regions) => regions.iter().any(|region| region.holds(lead)),
            Condition::Kind(kind) => lead.kind == Some(*kind),
        }
    }
}

impl Region {
    /// By the INN where there is one, else by the telephones.
    fn holds(&self, lead: &Lead<'_>) -> bool {
        if let Some(inn) = lead.inn {
            return self.inn.iter().any(|code| inn.starts_with(code.as_str()));
        }
        let has = |phone: &str, code: &str| match code.starts_with('+') {
            true => phone.starts_with(code),
            false => phone.strip_prefix("+7").is_some_and(|own| own.starts_with(code)),
        };
        lead.phones.iter().any(|phone| self.phone.iter().any(|code| has(phone, code)))
    }
}
