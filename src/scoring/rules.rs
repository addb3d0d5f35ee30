//! The rules file, compiled: every problem of the file at once, with line and near miss.

use compact_str::CompactString;

use super::condition::{Condition, Constant, Quantity, Unit};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{SCORING_FACTORS_MAX, SCORING_LEVELS_MAX};
use crate::base::{Message, Problem};
use crate::field::reader::unknown_word;
use crate::field::{Lint, Node, NodeKind, Table};
use crate::model::{Class, Currency};

/// Compiled scoring rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub(super) fingerprint: Fingerprint,
    pub(super) base_bp: i32,
    pub(super) floor_bp: i32,
    pub(super) cap_bp: i32,
    pub(super) exclude: Exclude,
    pub(super) print_all: bool,
    pub(super) factors: Vec<Factor>,
    pub(super) currency: Currency,
    pub(super) new_days: i64,
    pub(super) peak: PeakFrom,
    pub(super) classes: Vec<(Class, Condition)>,
    /// Days at which a class may turn by time alone.
    pub(super) turning_days: Vec<(Quantity, i64)>,
}

/// Which deals stay out of the headline forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exclude {
    None,
    RawAtOrBelowFloor,
    AtFloor,
    BelowBase,
    Classes(Vec<Class>),
    StaleDays(i64),
}

/// Where the best class ever held is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeakFrom {
    HistoryOrFresh,
    History,
    Fresh,
    None,
}

/// One factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Factor {
    pub(super) id: CompactString,
    pub(super) decays: bool,
    pub(super) levels: Levels,
    /// No points anywhere: nothing to miss when there is no data.
    pub(super) neutral: bool,
}

/// Levels of a factor and their points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Levels {
    Map(Word, Vec<(CompactString, i32)>),
    Bands { count: Count, bands: Vec<Band>, per_status: Vec<(CompactString, Vec<Band>)> },
}

/// From `from` on these points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) from: i64,
    pub(super) points_bp: i32,
    /// `7–14 д`; the last band has only its beginning: `60 д`.
    pub(super) label: CompactString,
}

/// Fields whose levels are words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Status,
    Source,
    Segment,
    ProductLine,
    Decides,
    NextStep,
}

/// Fields whose levels are counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    DaysInStatus,
    DaysSinceReply,
    PriceToMedian,
    CloseDateMoves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Word(Word),
    Count(Count),
}

const FIELDS: &[(&str, Field)] = &[
    ("deal.status", Field::Word(Word::Status)),
    ("deal.source", Field::Word(Word::Source)),
    ("deal.days_in_status", Field::Count(Count::DaysInStatus)),
    ("client.segment", Field::Word(Word::Segment)),
    ("deal.product_line", Field::Word(Word::ProductLine)),
    ("deal.price_vs_client_median", Field::Count(Count::PriceToMedian)),
    ("deal.days_since_client_reply", Field::Count(Count::DaysSinceReply)),
    ("contact.is_decision_maker", Field::Word(Word::Decides)),
    ("deal.next_step_state", Field::Word(Word::NextStep)),
    ("deal.close_date_moves", Field::Count(Count::CloseDateMoves)),
];

/// Points and probabilities: at the most 100 % either way.
const POINTS_MAX: i64 = 10_000;
/// Days, counts and percents of bands.
const COUNT_MAX: i64 = 1_000_000;
/// Thresholds of classes, main units.
const MONEY_MAX: i64 = 1_000_000_000_000;

impl Rules {
    /// Compiles the rules file known to people as `file`; on failure every problem of it.
    pub fn compile(file: &str, text: &str) -> Result<Rules, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let score = section(&table, "score");
        let forecast = section(&table, "forecast");
        let class = section(&table, "class");
        let (base_bp, floor_bp, cap_bp) = score.map_or((0, 0, 0), read_score);
        let (exclude, print_all) = forecast.map_or((Exclude::None, true), read_forecast);
        let factors = read_factors(&table);
        let constants = [
            ("base_bp", Unit::Points, i64::from(base_bp)),
            ("floor_bp", Unit::Points, i64::from(floor_bp)),
            ("cap_bp", Unit::Points, i64::from(cap_bp)),
        ];
        let classes = class.map(|it| read_classes(it, &constants)).unwrap_or_default();
        table.close();
        let mut turning_days = Vec::new();
        classes.rules.iter().for_each(|(_, condition)| condition.turning_days(&mut turning_days));
        lint.finish(Rules {
            fingerprint: Fingerprint::of(text.as_bytes()),
            base_bp,
            floor_bp,
            cap_bp,
            exclude,
            print_all,
            factors,
            currency: classes.currency,
            new_days: classes.new_days,
            peak: classes.peak,
            classes: classes.rules,
            turning_days,
        })
    }

    /// The rules compiled into the binary.
    pub fn built_in() -> Rules {
        Rules::compile(super::FILE, super::BUILT_IN).expect("the built-in rules are compiled in the tests")
    }

    /// Names these rules: stored with each score.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether the sum of all deals is printed beside the forecast.
    pub fn prints_all(&self) -> bool {
        self.print_all
    }

    /// The currency of the thresholds: the company's.
    pub fn currency(&self) -> &Currency {
        &self.currency
    }
}

fn section<'a>(table: &Table<'a>, name: &str) -> Option<Table<'a>> {
    let found = table.table(name);
    if found.is_none() {
        table.lint().report(0, Message::new("scoring-section").with("name", name));
    }
    found
}

fn read_score(table: Table<'_>) -> (i32, i32, i32) {
    table.choice("mode", &[("additive", ())]);
    table.choice("rounding", &[("half_up", ())]);
    let points = |name: &str| {
        table.required_integer(name)?;
        table.integer_in(name, 0, POINTS_MAX).map(|it| it as i32)
    };
    let found = (points("base_bp"), points("floor_bp"), points("cap_bp"));
    if let (Some(base), Some(floor), Some(cap)) = found
        && !(floor <= base && base <= cap && floor < cap)
    {
        table.report("base_bp", Message::new("scoring-floor-base-cap"));
    }
    table.close();
    (found.0.unwrap_or(0), found.1.unwrap_or(0), found.2.unwrap_or(0))
}

fn read_forecast(table: Table<'_>) -> (Exclude, bool) {
    let exclude = table.required_text("exclude").map(|text| exclude(&table, text));
    let print_all = table.boolean("also_print_all").unwrap_or(true);
    table.close();
    (exclude.unwrap_or(Exclude::None), print_all)
}

fn exclude(table: &Table<'_>, text: &str) -> Exclude {
    const KNOWN: [&str; 6] =
        ["none", "raw_at_or_below_floor", "p_at_floor", "below_base", "class:E,F,C2", "stale_days>=30"];
    match text {
        "none" => return Exclude::None,
        "raw_at_or_below_floor" => return Exclude::RawAtOrBelowFloor,
        "p_at_floor" => return Exclude::AtFloor,
        "below_base" => return Exclude::BelowBase,
        _ => (),
    }
    if let Some(list) = text.strip_prefix("class:") {
        let read = |name: &str| {
            let class = Class::parse(name.trim());
            if class.is_none() {
                table.report("exclude", unknown_class(name.trim()));
            }
            class
        };
        return Exclude::Classes(list.split(',').filter_map(read).collect());
    }
    let days = text.strip_prefix("stale_days>=").and_then(|it| it.trim().parse::<i64>().ok());
    match days.filter(|it| (0..=COUNT_MAX).contains(it)) {
        Some(days) => Exclude::StaleDays(days),
        None => {
            table.report("exclude", unknown_word("scoring-exclude", text, KNOWN));
            Exclude::None
        }
    }
}

fn unknown_class(name: &str) -> Message {
    unknown_word("scoring-class", name, Class::ALL.into_iter().map(Class::name))
}

fn read_factors(table: &Table<'_>) -> Vec<Factor> {
    let tables = table.tables("factor");
    if tables.len() > SCORING_FACTORS_MAX {
        table
            .report("factor", Message::new("scoring-too-many").with("name", "factor").with("max", SCORING_FACTORS_MAX));
    }
    let mut factors: Vec<Factor> = Vec::new();
    for table in tables.into_iter().take(SCORING_FACTORS_MAX) {
        let id = table.required_text("id").unwrap_or("");
        if factors.iter().any(|it| it.id == id) && !id.is_empty() {
            table.report("id", Message::new("scoring-factor-twice").with("id", id));
        }
        let decays = table.boolean("decays").unwrap_or(false);
        let levels = read_levels(&table);
        table.close();
        if let Some(levels) = levels {
            let neutral = levels.is_neutral();
            factors.push(Factor { id: id.into(), decays, levels, neutral });
        }
    }
    factors
}

impl Levels {
    fn is_neutral(&self) -> bool {
        match self {
            Levels::Map(_, levels) => levels.iter().all(|(_, points)| *points == 0),
            Levels::Bands { bands, per_status, .. } => {
                per_status.iter().flat_map(|(_, bands)| bands).chain(bands).all(|band| band.points_bp == 0)
            }
        }
    }
}

fn read_levels(table: &Table<'_>) -> Option<Levels> {
    let name = table.required_text("field");
    let kind = table.choice("kind", &[("map", true), ("bands", false)]);
    // All four are asked for, so that the one that does not belong is told as such, not as unknown.
    let (has_points, has_bands) = (table.node("points_bp").is_some(), table.node("bands").is_some());
    let per_status = table.table("per_status");
    let name = name?;
    let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
        table.report("field", unknown_word("scoring-field", name, FIELDS.iter().map(|(known, _)| *known)));
        return None;
    };
    let (is_map, other) = match field {
        Field::Word(_) => (true, "bands"),
        Field::Count(_) => (false, "points_bp"),
    };
    let wanted = if is_map { "map" } else { "bands" };
    if kind.is_some_and(|it| it != is_map) {
        table.report("kind", Message::new("scoring-kind").with("field", name).with("kind", wanted));
    }
    if (is_map && has_bands) || (!is_map && has_points) {
        table.report(other, Message::new("scoring-kind").with("field", name).with("kind", wanted));
    }
    match field {
        Field::Word(word) => {
            if per_status.is_some() {
                table.report("per_status", Message::new("scoring-kind").with("field", name).with("kind", wanted));
            }
            Some(Levels::Map(*word, read_points(table)))
        }
        Field::Count(count) => {
            let bands = read_bands(table, *count);
            let per_status = per_status.map(|it| read_per_status(&it, *count)).unwrap_or_default();
            Some(Levels::Bands { count: *count, bands, per_status })
        }
    }
}

fn read_points(table: &Table<'_>) -> Vec<(CompactString, i32)> {
    let Some(points) = table.table("points_bp") else {
        table.report("points_bp", Message::new("toml-missing").with("name", "points_bp"));
        return Vec::new();
    };
    let names: Vec<&str> = points.entries().map(|(name, ..)| name).collect();
    if names.len() > SCORING_LEVELS_MAX {
        points.report(
            "points_bp",
            Message::new("scoring-too-many").with("name", "points_bp").with("max", SCORING_LEVELS_MAX),
        );
    }
    let read = |name: &str| {
        let number = points.integer_in(name, -POINTS_MAX, POINTS_MAX)?;
        Some((CompactString::from(name.trim()), number as i32))
    };
    names.into_iter().take(SCORING_LEVELS_MAX).filter_map(read).collect()
}

fn read_per_status(table: &Table<'_>, count: Count) -> Vec<(CompactString, Vec<Band>)> {
    let statuses: Vec<&str> = table.entries().map(|(name, ..)| name).collect();
    let mut found = Vec::new();
    for status in statuses {
        let Some(own) = table.table(status) else { continue };
        let bands = read_bands(&own, count);
        own.close();
        found.push((CompactString::from(status), bands));
    }
    found
}

fn read_bands(table: &Table<'_>, count: Count) -> Vec<Band> {
    let nodes = table.list("bands");
    if nodes.is_empty() {
        table.report("bands", Message::new("scoring-bands-empty"));
    }
    if nodes.len() > SCORING_LEVELS_MAX {
        table.report("bands", Message::new("scoring-too-many").with("name", "bands").with("max", SCORING_LEVELS_MAX));
    }
    let mut pairs: Vec<(i64, i32)> = Vec::new();
    for node in nodes.iter().take(SCORING_LEVELS_MAX) {
        let Some((from, points)) = band(node) else {
            table.lint().report(node.line, Message::new("scoring-band-shape"));
            continue;
        };
        if pairs.last().is_some_and(|(before, _)| *before >= from) {
            table.lint().report(node.line, Message::new("scoring-bands-order").with("from", from));
        }
        pairs.push((from, points));
    }
    let next = |index: usize| pairs.get(index + 1).map(|(from, _)| *from);
    let labelled = |(index, (from, points_bp)): (usize, &(i64, i32))| Band {
        from: *from,
        points_bp: *points_bp,
        label: label(count, *from, next(index)),
    };
    pairs.iter().enumerate().map(labelled).collect()
}

fn band(node: &Node) -> Option<(i64, i32)> {
    let NodeKind::List(items) = &node.kind else { return None };
    let [Node { kind: NodeKind::Integer(from), .. }, Node { kind: NodeKind::Integer(points), .. }] = items.as_slice()
    else {
        return None;
    };
    let fits = (0..=COUNT_MAX).contains(from) && (-POINTS_MAX..=POINTS_MAX).contains(points);
    fits.then_some((*from, *points as i32))
}

fn label(count: Count, from: i64, next: Option<i64>) -> CompactString {
    let unit = match count {
        Count::DaysInStatus | Count::DaysSinceReply => " д",
        Count::PriceToMedian => " %",
        Count::CloseDateMoves => "",
    };
    let text = match next {
        Some(next) if next - 1 > from => format!("{from}–{}{unit}", next - 1),
        Some(_) | None => format!("{from}{unit}"),
    };
    CompactString::from(text)
}

/// Name, unit, the largest value, and what one of it is in the unit's smallest part.
const THRESHOLDS: &[(&str, Unit, i64, i64)] = &[
    ("a_min", Unit::Money, MONEY_MAX, 100),
    ("b_min", Unit::Money, MONEY_MAX, 100),
    ("b_easy_min", Unit::Money, MONEY_MAX, 100),
    ("b_easy_p_bp", Unit::Points, POINTS_MAX, 1),
    ("new_days", Unit::Days, COUNT_MAX, 1),
    ("e_days", Unit::Days, COUNT_MAX, 1),
];

struct Classes {
    currency: Currency,
    new_days: i64,
    peak: PeakFrom,
    rules: Vec<(Class, Condition)>,
}

impl Default for Classes {
    fn default() -> Classes {
        Classes { currency: Currency::rub(), new_days: 0, peak: PeakFrom::None, rules: Vec::new() }
    }
}

fn read_classes(table: Table<'_>, constants: &[Constant]) -> Classes {
    let peaks = [
        ("history_or_fresh", PeakFrom::HistoryOrFresh),
        ("history", PeakFrom::History),
        ("fresh", PeakFrom::Fresh),
        ("none", PeakFrom::None),
    ];
    // A threshold that is left out is no name: `value >= a_min` with a_min = 0 would make every deal A.
    let mut named = constants.to_vec();
    for (name, unit, max, factor) in THRESHOLDS {
        let number = table.integer_in(name, 0, *max);
        named.extend(number.map(|number| (*name, *unit, number * factor)));
    }
    let currency = table.text("currency").map_or(Currency::rub(), |it| Currency(it.into()));
    let is_code = currency.0.len() == 3 && currency.0.bytes().all(|it| it.is_ascii_uppercase());
    if !is_code {
        table.report("currency", Message::new("scoring-currency").with("word", &currency.0));
    }
    let peak = table.choice("peak", &peaks).unwrap_or(PeakFrom::None);
    let rules = read_class_rules(&table, &named);
    let new_days = table.integer("new_days").unwrap_or(0);
    table.close();
    Classes { currency, new_days, peak, rules }
}

fn read_class_rules(table: &Table<'_>, constants: &[Constant]) -> Vec<(Class, Condition)> {
    let mut rules = Vec::new();
    let tables = table.tables("rule");
    if tables.len() > SCORING_LEVELS_MAX {
        table.report("rule", Message::new("scoring-too-many").with("name", "rule").with("max", SCORING_LEVELS_MAX));
    }
    let mut last_line = table.line;
    for rule in tables.into_iter().take(SCORING_LEVELS_MAX) {
        last_line = rule.line;
        let class = rule.required_text("class").and_then(|name| {
            let class = Class::parse(name);
            if class.is_none() {
                rule.report("class", unknown_class(name));
            }
            class
        });
        let condition = rule.required_text("when").map(|when| {
            Condition::compile(when, constants).unwrap_or_else(|message| {
                rule.report("when", message);
                // The file is refused anyway; the last rule is not to be reported a second time.
                Condition::Always(true)
            })
        });
        rule.close();
        rules.extend(class.zip(condition));
    }
    let covers_all = matches!(rules.last(), Some((class, Condition::Always(true))) if *class > Class::B);
    if !covers_all {
        table.lint().report(last_line, Message::new("scoring-last-rule"));
    }
    rules
}
