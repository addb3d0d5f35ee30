//! Compiling an outbound mapping: every problem of the file at once.

use std::sync::Arc;

use compact_str::CompactString;
use serde_json::Value as Json;

use super::value::{NAMES, Name, Shape};
use super::{
    Choice, Condition, CreateOnly, FieldPlan, Format, ObjectKind, Outbound, Piece, Ref, Source, Template, Wording,
};
use crate::base::{Message, Problem};
use crate::field::reader::unknown_word;
use crate::field::{Lint, Node, NodeKind, Table};
use crate::mapping::dictionary::{Dictionary, OTHERWISE, Otherwise};
use crate::model::{ClientKind, InteractionKind};

const FORMATS: &[(&str, Format)] = &[
    ("text", Format::Text),
    ("number", Format::Number),
    ("money", Format::Money),
    ("list", Format::List),
    ("multifield", Format::Multifield(CompactString::const_new("WORK"))),
    ("datetime", Format::DateTime),
    ("date", Format::Date),
];

impl Outbound {
    /// Compiles the text of `file`.
    pub fn compile(file: &str, text: &str) -> Result<Outbound, Vec<Problem>> {
        const OBJECTS: &[(&str, ObjectKind)] = &[
            ("client", ObjectKind::Client),
            ("deal", ObjectKind::Deal),
            ("interaction", ObjectKind::Interaction),
            ("task", ObjectKind::Task),
        ];
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let compiler = Compiler { lint: &lint, dictionaries: dictionaries(&lint, &table) };
        table.text("about");
        table.required_text("object");
        let object = table.choice("object", OBJECTS).unwrap_or(ObjectKind::Client);
        let when = table.table("when").map(|it| compiler.condition(it)).unwrap_or_default();
        let needs = table.texts("needs").into_iter().filter_map(|(name, line)| compiler.need(name, line)).collect();
        let fields = match table.table("fields") {
            Some(fields) => {
                let plans = fields.entries().filter_map(|(to, _, node)| compiler.field(to, node)).collect::<Vec<_>>();
                compiler.check_within(&plans, fields.line);
                plans
            }
            None => {
                lint.report(table.line, Message::new("mapping-no-fields"));
                Vec::new()
            }
        };
        table.close();
        lint.finish(Outbound { file: file.into(), object, when, needs, fields })
    }
}

fn dictionaries(lint: &Lint, table: &Table<'_>) -> Vec<(String, Arc<Dictionary>)> {
    let Some(inner) = table.table("dictionary") else { return Vec::new() };
    let mut all = Vec::new();
    for (name, line, node) in inner.entries() {
        match &node.kind {
            NodeKind::Table(entries) => all.push((name.to_owned(), Arc::new(Dictionary::read(lint, entries)))),
            NodeKind::Text(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_) => lint.report(line, Message::new("mapping-dictionary-shape").with("name", name)),
        }
    }
    all
}

struct Compiler<'l> {
    lint: &'l Lint,
    dictionaries: Vec<(String, Arc<Dictionary>)>,
}

impl Compiler<'_> {
    fn name(&self, text: &str, line: u32) -> Option<Name> {
        let name = Name::parse(text);
        if name.is_none() {
            self.lint.report(line, unknown_word("mapping-name", text, NAMES.iter().map(|(name, ..)| *name)));
        }
        name
    }

    fn need(&self, text: &str, line: u32) -> Option<Ref> {
        match text {
            "ref.client" => Some(Ref::Client),
            "ref.deal" => Some(Ref::Deal),
            _ => {
                self.lint.report(line, unknown_word("mapping-name", text, ["ref.client", "ref.deal"]));
                None
            }
        }
    }

    fn names(&self, table: &Table<'_>, field: &str) -> Vec<Name> {
        table.texts(field).into_iter().filter_map(|(text, line)| self.name(text, line)).collect()
    }

    fn condition(&self, table: Table<'_>) -> Condition {
        const CLIENTS: &[(&str, ClientKind)] = &[("person", ClientKind::Person), ("company", ClientKind::Company)];
        const INTERACTIONS: &[(&str, InteractionKind)] = &[
            ("call", InteractionKind::Call),
            ("letter", InteractionKind::Letter),
            ("form", InteractionKind::Form),
            ("visit", InteractionKind::Visit),
            ("message", InteractionKind::Message),
            ("note", InteractionKind::Note),
            ("stage_transition", InteractionKind::StageTransition),
            ("meeting", InteractionKind::Meeting),
        ];
        let condition = Condition {
            client_kind: table.choice("client_kind", CLIENTS),
            interaction_kind: table.choice("interaction_kind", INTERACTIONS),
            has: self.names(&table, "has"),
            lacks: self.names(&table, "lacks"),
        };
        table.close();
        condition
    }

    fn field(&self, to: &str, node: &Node) -> Option<FieldPlan> {
        let choices: Vec<Choice> = match &node.kind {
            NodeKind::List(items) => items.iter().filter_map(|item| self.choice(to, item)).collect(),
            NodeKind::Text(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::Table(_) => self.choice(to, node).into_iter().collect(),
        };
        (!choices.is_empty()).then(|| FieldPlan { to: to.into(), choices })
    }

    fn choice(&self, to: &str, node: &Node) -> Option<Choice> {
        match &node.kind {
            NodeKind::Text(text) => {
                let name = self.name(text, node.line)?;
                self.check_format(to, node.line, &Format::Text, &[name]);
                Some(Choice {
                    when: Condition::default(),
                    source: Source::From(vec![name]),
                    format: Format::Text,
                    dictionary: None,
                    wording: None,
                    default: None,
                    create_only: CreateOnly::No,
                    chars_max: None,
                })
            }
            NodeKind::Table(_) => self.choice_table(to, self.lint.table(node)),
            NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_) => {
                self.lint.report(node.line, Message::new("mapping-out-kind").with("field", to));
                None
            }
        }
    }

    fn choice_table(&self, to: &str, table: Table<'_>) -> Option<Choice> {
        let when = table.table("when").map(|it| self.condition(it)).unwrap_or_default();
        let source = self.source(to, &table);
        let format = self.format(to, &table, source.as_ref());
        let dictionary = self.dictionary(to, &table);
        let choice = Choice {
            when,
            source: source?,
            format,
            dictionary,
            wording: self.wording(to, &table),
            default: table.text("default").map(CompactString::new),
            create_only: self.create_only(&table),
            chars_max: table.integer_in("chars_max", 1, 100_000).map(|it| it as usize),
        };
        table.close();
        Some(choice)
    }

    fn wording(&self, to: &str, table: &Table<'_>) -> Option<Wording> {
        let within = table.text("within").map(CompactString::new);
        let dictionary = table.text("words").map(CompactString::new);
        if within.is_some() && dictionary.is_none() {
            table.report("within", Message::new("mapping-out-within-alone").with("field", to));
        }
        Some(Wording { dictionary: dictionary?, within })
    }

    /// What a word counts within is known before the word is looked for.
    fn check_within(&self, plans: &[FieldPlan], line: u32) {
        for (place, plan) in plans.iter().enumerate() {
            for within in plan.choices.iter().filter_map(|it| it.wording.as_ref()?.within.as_ref()) {
                if !plans[..place].iter().any(|it| it.to == *within) {
                    let message = Message::new("mapping-out-within").with("field", &plan.to).with("within", within);
                    self.lint.report(line, message);
                }
            }
        }
    }

    fn source(&self, to: &str, table: &Table<'_>) -> Option<Source> {
        let from = table.node("from").is_some();
        let constant = table.node("const");
        let text = table.text("text");
        match (from, constant, text) {
            (true, None, None) => Some(Source::From(self.names(table, "from"))),
            (false, Some(node), None) => self.constant(to, node),
            (false, None, Some(text)) => self.template(text, table.line_of("text")).map(Source::Text),
            _ => {
                table.report("from", Message::new("mapping-out-source").with("field", to));
                // Names not asked for would be reported too, and confuse.
                ["default", "as", "type", "map", "otherwise", "words", "within", "create_only", "chars_max"]
                    .iter()
                    .for_each(|it| {
                        table.node(it);
                    });
                None
            }
        }
    }

    fn constant(&self, to: &str, node: &Node) -> Option<Source> {
        let json = match &node.kind {
            NodeKind::Text(text) => Json::from(text.as_str()),
            NodeKind::Integer(number) => Json::from(*number),
            NodeKind::Bool(flag) => Json::from(*flag),
            NodeKind::Float(_) | NodeKind::Datetime(_) | NodeKind::List(_) | NodeKind::Table(_) => {
                self.lint.report(node.line, Message::new("mapping-out-const").with("field", to));
                return None;
            }
        };
        Some(Source::Const(json))
    }

    fn template(&self, text: &str, line: u32) -> Option<Template> {
        let mut lines = Vec::new();
        let mut is_good = true;
        for part in text.trim_matches('\n').split('\n') {
            let mut pieces = Vec::new();
            let mut rest = part;
            while let Some((fixed, tail)) = rest.split_once('{') {
                let Some((name, tail)) = tail.split_once('}') else {
                    self.lint.report(line, Message::new("mapping-template-brace"));
                    return None;
                };
                if !fixed.is_empty() {
                    pieces.push(Piece::Fixed(fixed.into()));
                }
                match self.name(name.trim(), line) {
                    Some(name) => pieces.push(Piece::Name(name)),
                    None => is_good = false,
                }
                rest = tail;
            }
            if !rest.is_empty() || pieces.is_empty() {
                pieces.push(Piece::Fixed(rest.into()));
            }
            lines.push(pieces);
        }
        is_good.then_some(Template(lines))
    }

    fn format(&self, to: &str, table: &Table<'_>, source: Option<&Source>) -> Format {
        let kind = table.text("type");
        let name = table.text("as");
        let known = name.and_then(|name| FORMATS.iter().find(|(it, _)| *it == name)).map(|(_, it)| it.clone());
        if let (Some(name), None) = (name, &known) {
            let names = FORMATS.iter().map(|(name, _)| *name);
            table.report("as", unknown_word("toml-choice", name, names).with("name", "as"));
        }
        let mut format = known.unwrap_or(Format::Text);
        match (&mut format, kind) {
            (Format::Multifield(held), Some(kind)) => *held = kind.into(),
            (
                Format::Text | Format::Number | Format::Money | Format::List | Format::DateTime | Format::Date,
                Some(_),
            ) => table.report("type", Message::new("mapping-out-type").with("field", to)),
            (_, None) => {}
        }
        match source {
            Some(Source::From(names)) => self.check_format(to, table.line_of("as"), &format, names),
            Some(Source::Const(_) | Source::Text(_)) if name.is_some() => {
                table.report("as", Message::new("mapping-out-as").with("field", to));
            }
            Some(Source::Const(_) | Source::Text(_)) | None => {}
        }
        format
    }

    /// Every name must give values that the format can write.
    fn check_format(&self, to: &str, line: u32, format: &Format, names: &[Name]) {
        for name in names {
            let shape = name.shape();
            let fits = match format {
                Format::Text => true,
                Format::Number | Format::Money => shape == Shape::Number,
                Format::List | Format::Multifield(_) => shape == Shape::List,
                Format::DateTime | Format::Date => shape == Shape::Instant,
            };
            if !fits {
                let text = NAMES.iter().find(|(_, it, _)| it == name).map_or("", |(text, ..)| *text);
                let message = Message::new("mapping-out-format").with("field", to).with("name", text);
                self.lint.report(line, message);
            }
        }
    }

    fn dictionary(&self, to: &str, table: &Table<'_>) -> Option<(Arc<Dictionary>, Otherwise)> {
        let otherwise = table.choice("otherwise", OTHERWISE);
        let node = table.node("map")?;
        let dictionary = match &node.kind {
            NodeKind::Table(entries) => Arc::new(Dictionary::read(self.lint, entries)),
            NodeKind::Text(name) => match self.dictionaries.iter().find(|(held, _)| held == name) {
                Some((_, dictionary)) => dictionary.clone(),
                None => {
                    let known = self.dictionaries.iter().map(|(name, _)| name.as_str());
                    self.lint.report(node.line, unknown_word("mapping-dictionary", name, known));
                    return None;
                }
            },
            NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_) => {
                self.lint.report(node.line, Message::new("mapping-dictionary-shape").with("name", to));
                return None;
            }
        };
        match otherwise {
            Some(Otherwise::Quarantine) => {
                table.report("otherwise", Message::new("mapping-out-quarantine").with("field", to));
                None
            }
            Some(otherwise) => Some((dictionary, otherwise)),
            None => {
                if table.node("otherwise").is_none() {
                    self.lint.report(node.line, Message::new("mapping-out-otherwise").with("field", to));
                }
                None
            }
        }
    }

    fn create_only(&self, table: &Table<'_>) -> CreateOnly {
        let Some(node) = table.node("create_only") else { return CreateOnly::No };
        match &node.kind {
            NodeKind::Bool(true) => CreateOnly::Yes,
            NodeKind::Bool(false) => CreateOnly::No,
            NodeKind::Text(text) if text == "unless_owned" => CreateOnly::UnlessOwned,
            NodeKind::Text(text) if text == "unless_rules" => CreateOnly::UnlessRules,
            NodeKind::Text(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_)
            | NodeKind::Table(_) => {
                self.lint.report(node.line, Message::new("mapping-create-only"));
                CreateOnly::No
            }
        }
    }
}
