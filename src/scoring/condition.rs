//! The closed grammar of `when`: compiled to a small tree, type-checked, no scripting.
//!
//! ```text
//! any   = all ("or" all)*
//! all   = one ("and" one)*
//! one   = "not" one | "(" any ")" | "True" | "False" | flag
//!       | term (">=" | ">" | "<=" | "<" | "==" | "!=") term
//!       | "peak" ("==" | "!=") class | "peak" ["not"] "in" "(" class ("," class)* ")"
//! term  = name | integer
//! class = 'A' in single or double quotation marks
//! ```
//! A comparison with something unknown (the value of a deal without a price) does not hold.
//! Integers stand for what they are compared with: basis points, days, or main units of money.

use compact_str::CompactString;

use crate::base::Message;
use crate::base::limits::VALUE_DEPTH_MAX;
use crate::field::reader::unknown_word;
use crate::model::Class;

/// A compiled condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// `True`, `False`.
    Always(bool),
    /// A name that holds or does not.
    Flag(Flag),
    /// A comparison of two numbers of one unit.
    Compare(Term, Order, Term),
    /// Whether the peak class is one of these.
    PeakIn(Vec<Class>),
    /// Not.
    Not(Box<Condition>),
    /// All of them.
    All(Vec<Condition>),
    /// Any of them.
    Any(Vec<Condition>),
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// Of the deal.
    Of(Quantity),
    /// Fixed by the rules: basis points, days or hundredths.
    Fixed(i64),
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    AtLeast,
    Above,
    AtMost,
    Below,
    Equal,
    Differs,
}

/// Names that hold or do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    Floored,
    Capped,
    IsNew,
    Deferred,
    Junk,
    Refused,
    Unsubscribed,
}

/// Names of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    P,
    Value,
    FreshValue,
    Price,
    Days,
    Idle,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Points,
    Money,
    Days,
}

/// Where a condition gets its values from.
pub(super) trait Subject {
    /// Whether the flag holds.
    fn flag(&self, flag: Flag) -> bool;
    /// The number; `None` when it is not known.
    fn quantity(&self, quantity: Quantity) -> Option<i64>;
    /// The peak class.
    fn peak(&self) -> Option<Class>;
}

/// A name that the rules give a value to (`a_min`): name, unit, value.
pub(super) type Constant = (&'static str, Unit, i64);

const FLAGS: &[(&str, Flag)] = &[
    ("floored", Flag::Floored),
    ("capped", Flag::Capped),
    ("is_new", Flag::IsNew),
    ("deferred", Flag::Deferred),
    ("junk", Flag::Junk),
    ("refused", Flag::Refused),
    ("unsubscribed", Flag::Unsubscribed),
];

const QUANTITIES: &[(&str, Quantity, Unit)] = &[
    ("p", Quantity::P, Unit::Points),
    ("value", Quantity::Value, Unit::Money),
    ("fresh_value", Quantity::FreshValue, Unit::Money),
    ("price", Quantity::Price, Unit::Money),
    ("days", Quantity::Days, Unit::Days),
    ("idle", Quantity::Idle, Unit::Days),
];

impl Condition {
    /// Compiles `text`; the message says what is wrong with it.
    pub(super) fn compile(text: &str, constants: &[Constant]) -> Result<Condition, Message> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, constants, depth: 0 };
        let condition = parser.any()?;
        match parser.peek() {
            None => Ok(condition),
            Some(_) => Err(parser.expected("and, or")),
        }
    }

    /// Whether it holds for `subject`.
    pub(super) fn holds(&self, subject: &impl Subject) -> bool {
        match self {
            Condition::Always(holds) => *holds,
            Condition::Flag(flag) => subject.flag(*flag),
            Condition::Compare(left, order, right) => match (left.of(subject), right.of(subject)) {
                (Some(left), Some(right)) => order.holds(left, right),
                (None, _) | (_, None) => false,
            },
            Condition::PeakIn(classes) => subject.peak().is_some_and(|it| classes.contains(&it)),
            Condition::Not(inner) => !inner.holds(subject),
            Condition::All(inner) => inner.iter().all(|it| it.holds(subject)),
            Condition::Any(inner) => inner.iter().any(|it| it.holds(subject)),
        }
    }

    /// Numbers of days at which the answer may turn: (what is counted, day).
    pub(super) fn turning_days(&self, into: &mut Vec<(Quantity, i64)>) {
        match self {
            Condition::Always(_) | Condition::Flag(_) | Condition::PeakIn(_) => (),
            Condition::Compare(left, _, right) => {
                let pair = match (left, right) {
                    (Term::Of(counted), Term::Fixed(day)) | (Term::Fixed(day), Term::Of(counted)) => (*counted, *day),
                    (Term::Of(_), Term::Of(_)) | (Term::Fixed(_), Term::Fixed(_)) => return,
                };
                match pair.0 {
                    Quantity::Days | Quantity::Idle => into.extend([pair, (pair.0, pair.1.saturating_add(1))]),
                    Quantity::P | Quantity::Value | Quantity::FreshValue | Quantity::Price => (),
                }
            }
            Condition::Not(inner) => inner.turning_days(into),
            Condition::All(inner) | Condition::Any(inner) => inner.iter().for_each(|it| it.turning_days(into)),
        }
    }
}

impl Term {
    fn of(self, subject: &impl Subject) -> Option<i64> {
        match self {
            Term::Of(quantity) => subject.quantity(quantity),
            Term::Fixed(number) => Some(number),
        }
    }
}

impl Order {
    fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Order::AtLeast => left >= right,
            Order::Above => left > right,
            Order::AtMost => left <= right,
            Order::Below => left < right,
            Order::Equal => left == right,
            Order::Differs => left != right,
        }
    }

    fn parse(sign: &str) -> Option<Order> {
        match sign {
            ">=" => Some(Order::AtLeast),
            ">" => Some(Order::Above),
            "<=" => Some(Order::AtMost),
            "<" => Some(Order::Below),
            "==" => Some(Order::Equal),
            "!=" => Some(Order::Differs),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(CompactString),
    Number(i64),
    Text(CompactString),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Token::Word(word) => word.to_string(),
            Token::Number(number) => number.to_string(),
            Token::Text(text) => format!("'{text}'"),
            Token::Sign(sign) => (*sign).to_owned(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Message> {
    const SIGNS: [&str; 9] = [">=", "<=", "==", "!=", ">", "<", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let take = |what: fn(char) -> bool| rest.find(|it| !what(it)).unwrap_or(rest.len());
        let length = if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '\'' || first == '"' {
            let end = rest[1..].find(first).ok_or_else(|| Message::new("scoring-when-quote").with("when", text))?;
            tokens.push(Token::Text(rest[1..=end].into()));
            end + 2
        } else if first.is_ascii_digit() {
            let length = take(|it| it.is_ascii_digit() || it == '_');
            let number = rest[..length].replace('_', "").parse();
            let refused = || Message::new("scoring-when-number").with("word", &rest[..length]);
            tokens.push(Token::Number(number.map_err(|_| refused())?));
            length
        } else if first.is_alphabetic() || first == '_' {
            let length = take(|it| it.is_alphanumeric() || it == '_');
            tokens.push(Token::Word(rest[..length].into()));
            length
        } else {
            return Err(Message::new("scoring-when-character").with("character", first).with("when", text));
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    constants: &'a [Constant],
    depth: usize,
}

/// What stands before an operator.
enum Operand {
    Number(Term, Unit, CompactString),
    Literal(i64),
    Peak,
    Condition(Condition),
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(it)) if it == word);
        self.at += usize::from(found);
        found
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(it)) if *it == sign);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &str) -> Message {
        let got = self.peek().map_or("end".to_owned(), Token::shown);
        let before: Vec<String> = self.tokens[..self.at].iter().map(Token::shown).collect();
        let after = before.last().cloned().unwrap_or_else(|| "start".to_owned());
        Message::new("scoring-when-expected").with("what", what).with("after", after).with("got", got)
    }

    fn any(&mut self) -> Result<Condition, Message> {
        // Bound: brackets nest no deeper than other values that people write.
        if self.depth >= VALUE_DEPTH_MAX {
            return Err(Message::new("scoring-when-deep").with("max", VALUE_DEPTH_MAX));
        }
        self.depth += 1;
        let mut alternatives = vec![self.all()?];
        while self.takes_word("or") {
            alternatives.push(self.all()?);
        }
        self.depth -= 1;
        Ok(single(alternatives, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Message> {
        let mut parts = vec![self.one()?];
        while self.takes_word("and") {
            parts.push(self.one()?);
        }
        Ok(single(parts, Condition::All))
    }

    fn one(&mut self) -> Result<Condition, Message> {
        let mut negations = 0usize;
        while self.takes_word("not") {
            negations += 1;
        }
        let condition = self.comparison()?;
        Ok(if negations % 2 == 1 { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn comparison(&mut self) -> Result<Condition, Message> {
        match self.operand()? {
            Operand::Condition(condition) => Ok(condition),
            Operand::Peak => self.peak(),
            left @ (Operand::Number(..) | Operand::Literal(_)) => {
                let Some(order) = self.order() else { return Err(self.expected(">=, >, <=, <, ==, !=")) };
                let right = self.operand()?;
                compare(left, order, right)
            }
        }
    }

    fn order(&mut self) -> Option<Order> {
        let Some(Token::Sign(sign)) = self.peek() else { return None };
        let order = Order::parse(sign)?;
        self.at += 1;
        Some(order)
    }

    fn operand(&mut self) -> Result<Operand, Message> {
        let Some(token) = self.peek().cloned() else { return Err(self.expected("name")) };
        self.at += 1;
        match token {
            Token::Sign("(") => {
                let inner = self.any()?;
                if !self.takes_sign(")") {
                    return Err(self.expected(")"));
                }
                Ok(Operand::Condition(inner))
            }
            Token::Number(number) => Ok(Operand::Literal(number)),
            Token::Word(word) => self.name(&word),
            Token::Sign(_) | Token::Text(_) => {
                self.at -= 1;
                Err(self.expected("name"))
            }
        }
    }

    fn name(&self, word: &str) -> Result<Operand, Message> {
        match word {
            "True" | "true" => return Ok(Operand::Condition(Condition::Always(true))),
            "False" | "false" => return Ok(Operand::Condition(Condition::Always(false))),
            "peak" => return Ok(Operand::Peak),
            _ => (),
        }
        if let Some((_, flag)) = FLAGS.iter().find(|(name, _)| *name == word) {
            return Ok(Operand::Condition(Condition::Flag(*flag)));
        }
        if let Some((_, quantity, unit)) = QUANTITIES.iter().find(|(name, ..)| *name == word) {
            return Ok(Operand::Number(Term::Of(*quantity), *unit, word.into()));
        }
        if let Some((_, unit, number)) = self.constants.iter().find(|(name, ..)| *name == word) {
            return Ok(Operand::Number(Term::Fixed(*number), *unit, word.into()));
        }
        let flags = FLAGS.iter().map(|(name, _)| *name);
        let quantities = QUANTITIES.iter().map(|(name, ..)| *name);
        let constants = self.constants.iter().map(|(name, ..)| *name);
        let known = flags.chain(quantities).chain(constants).chain(["peak", "True", "False"]);
        Err(unknown_word("scoring-when-name", word, known))
    }

    /// After `peak`.
    fn peak(&mut self) -> Result<Condition, Message> {
        if let Some(order) = self.order() {
            let class = self.class()?;
            return match order {
                Order::Equal => Ok(Condition::PeakIn(vec![class])),
                Order::Differs => Ok(Condition::Not(Box::new(Condition::PeakIn(vec![class])))),
                Order::AtLeast | Order::Above | Order::AtMost | Order::Below => {
                    self.at -= 2;
                    Err(self.expected("==, !=, in"))
                }
            };
        }
        let negated = self.takes_word("not");
        if !self.takes_word("in") || !self.takes_sign("(") {
            return Err(self.expected("in ( )"));
        }
        let mut classes = vec![self.class()?];
        while self.takes_sign(",") {
            // `('A',)` is how one would write it in Python.
            if matches!(self.peek(), Some(Token::Sign(")"))) {
                break;
            }
            classes.push(self.class()?);
        }
        if !self.takes_sign(")") {
            return Err(self.expected(")"));
        }
        let within = Condition::PeakIn(classes);
        Ok(if negated { Condition::Not(Box::new(within)) } else { within })
    }

    fn class(&mut self) -> Result<Class, Message> {
        let Some(Token::Text(text)) = self.peek() else { return Err(self.expected("'A'")) };
        let class = Class::parse(text);
        let known = || Class::ALL.into_iter().map(Class::name);
        let class = class.ok_or_else(|| unknown_word("scoring-class", text, known()))?;
        self.at += 1;
        Ok(class)
    }
}

fn single(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

fn compare(left: Operand, order: Order, right: Operand) -> Result<Condition, Message> {
    let literal = |number: i64, unit: Unit| match unit {
        Unit::Money => Term::Fixed(number.saturating_mul(100)),
        Unit::Points | Unit::Days => Term::Fixed(number),
    };
    match (left, right) {
        (Operand::Number(left, unit, name), Operand::Number(right, other, other_name)) => {
            let two_counts = unit == Unit::Days && matches!((left, right), (Term::Of(_), Term::Of(_)));
            match unit == other && !two_counts {
                true => Ok(Condition::Compare(left, order, right)),
                false => Err(Message::new("scoring-when-units").with("left", name).with("right", other_name)),
            }
        }
        (Operand::Number(left, unit, _), Operand::Literal(number)) => {
            Ok(Condition::Compare(left, order, literal(number, unit)))
        }
        (Operand::Literal(number), Operand::Number(right, unit, _)) => {
            Ok(Condition::Compare(literal(number, unit), order, right))
        }
        (Operand::Literal(left), Operand::Literal(right)) => Ok(Condition::Always(order.holds(left, right))),
        (Operand::Peak | Operand::Condition(_), _) | (_, Operand::Peak | Operand::Condition(_)) => {
            Err(Message::new("scoring-when-compare"))
        }
    }
}
