//! Compiling an inbound mapping: every problem of the file at once.

mod lines;

use std::sync::Arc;

use compact_str::CompactString;

use super::canonical::{self, Field, Kind, Section, Spec};
use super::convert::{self, CONVERSIONS};
use super::dictionary::{Dictionary, OTHERWISE, Otherwise};
use super::draft::Parts;
use super::extra::{Extra, Pairs};
use super::plan::{Condition, FieldPlan, Filter, Gather, Inbound, Test};
use super::source::{Names, Source};
use crate::base::{Message, Problem, Timestamp};
use crate::field::reader::unknown_word;
use crate::field::{Lint, Node, NodeKind, Table};
use crate::model::{Currency, FilterReason};
use crate::value::Path;

/// Fields that hold a word which the source may keep in a dictionary of its own.
const LOOKUPS: &[Field] = &[
    Field::DealStage,
    Field::DealPipeline,
    Field::DealSource,
    Field::DealResponsible,
    Field::ClientResponsible,
    Field::InteractionSubject,
    Field::InteractionWho,
];

/// What a stream's manifest says that its mapping must know.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Compare names of the record without regard to case and to `_`, `-` and spaces.
    pub fold_names: bool,
    /// Values that are never kept.
    pub drop: &'a [Path],
    /// Fields that people do not see: a filled one means spam.
    pub honeypot: &'a [String],
    /// Field and value by which the sender only tests the address.
    pub test: Option<(&'a str, &'a str)>,
    /// Whether a change says which member of the record filled a field.
    pub names_members: bool,
}

impl Scope<'_> {
    /// Of a stream about which the manifest says nothing.
    pub const PLAIN: Scope<'static> =
        Scope { fold_names: false, drop: &[], honeypot: &[], test: None, names_members: false };
}

impl Inbound {
    /// Compiles the text of `file`.
    pub fn compile(file: &str, text: &str, scope: Scope<'_>) -> Result<Inbound, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let mut compiler = Compiler { lint: &lint, names: Names::new(scope.fold_names), dictionaries: Vec::new() };
        compiler.read_dictionaries(&table);

        table.text("about");
        let mut filters = compiler.filters_of(scope);
        filters.extend(table.tables("filter").into_iter().filter_map(|it| compiler.filter(it)));
        let require_any = compiler.require_any(&table);
        let columns = table.texts("columns").into_iter().map(|(text, _)| CompactString::new(text)).collect();
        let mut fields = Vec::new();
        let mut conditions = Vec::new();
        let mut bases = Vec::new();
        let mut parts = Parts::default();
        let sections = [Section::Record, Section::Client, Section::Deal, Section::Document, Section::Interaction];
        for section in sections {
            let Some(inner) = table.table(section.name()) else { continue };
            match section {
                Section::Deal => parts.deal = true,
                Section::Document => parts.document = true,
                Section::Interaction => parts.interaction = true,
                Section::Record | Section::Client | Section::Lines => {}
            }
            let at = if canonical::begins_at(section) { inner.texts("at") } else { Vec::new() };
            let start = if at.is_empty() { Start::Record } else { Start::Item };
            let at = at.into_iter().filter_map(|(text, line)| compiler.source(text, line, Start::Item)).collect();
            if start == Start::Item {
                bases.push((section, at));
            }
            compiler.section(section, inner, start, &mut fields, &mut conditions);
        }
        compiler.require_kind(&table, &fields);
        let lines = table.table("lines").and_then(|inner| compiler.lines(inner, parts));
        let mut extra = compiler.extra(&table);
        extra.ignore.extend(scope.drop.iter().cloned());
        extra.ignore.retain(|path| !compiler.names.ignore(&path.to_string()));
        table.close();

        let mut names = compiler.names;
        names.seal();
        let mut inbound = Inbound {
            file: file.into(),
            names,
            filters,
            parts,
            conditions,
            bases,
            fields,
            lines,
            require_any,
            columns,
            extra,
            names_members: scope.names_members,
        };
        inbound.seal();
        lint.finish(inbound)
    }

    /// The file it was compiled from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether it only leaves records aside.
    pub fn is_filter_only(&self) -> bool {
        self.fields.is_empty() && self.lines.is_none()
    }

    fn seal(&mut self) {
        let Inbound { names, filters, conditions, fields, lines, .. } = self;
        for filter in filters {
            filter.when.iter_mut().for_each(|when| when.source.seal(names));
        }
        conditions.iter_mut().for_each(|(_, when)| when.source.seal(names));
        for plan in fields.iter_mut() {
            plan.when.iter_mut().for_each(|when| when.source.seal(names));
            plan.from.iter_mut().for_each(|source| source.seal(names));
            plan.currency.iter_mut().for_each(|source| source.seal(names));
            if let Gather::Typed { each, .. } = &mut plan.gather {
                each.seal(names);
            }
        }
        lines.iter_mut().for_each(|plan| plan.each.seal(names));
    }
}

struct Compiler<'l> {
    lint: &'l Lint,
    names: Names,
    dictionaries: Vec<(String, Arc<Dictionary>)>,
}

/// Where the sources of a field start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Record,
    Item,
}

impl Compiler<'_> {
    fn read_dictionaries(&mut self, table: &Table<'_>) {
        let Some(dictionaries) = table.table("dictionary") else { return };
        for (name, line, node) in dictionaries.entries() {
            match &node.kind {
                NodeKind::Table(entries) => {
                    let dictionary = Dictionary::read(self.lint, entries);
                    self.dictionaries.push((name.to_owned(), Arc::new(dictionary)));
                }
                NodeKind::Text(_)
                | NodeKind::Integer(_)
                | NodeKind::Float(_)
                | NodeKind::Bool(_)
                | NodeKind::Datetime(_)
                | NodeKind::List(_) => {
                    self.lint.report(line, Message::new("mapping-dictionary-shape").with("name", name));
                }
            }
        }
    }

    fn source(&mut self, text: &str, line: u32, start: Start) -> Option<Source> {
        let names = (start == Start::Record).then_some(&mut self.names);
        match Source::compile(text, names) {
            Ok(source) => Some(source),
            Err(message) => {
                self.lint.report(line, message);
                None
            }
        }
    }

    fn path(&self, text: &str, line: u32) -> Option<Path> {
        Path::compile(text).map_err(|error| self.lint.report(line, error.message)).ok()
    }

    fn filter(&mut self, table: Table<'_>) -> Option<Filter> {
        const REASONS: &[(&str, FilterReason)] = &[
            ("test", FilterReason::Test),
            ("spam", FilterReason::Spam),
            ("not_used", FilterReason::NotUsed),
            ("internal", FilterReason::Internal),
        ];
        table.required_text("reason");
        let reason = table.choice("reason", REASONS);
        table.text("about");
        let both = [table.table("when"), table.table("and")];
        let when = both.into_iter().flatten().map(|when| self.condition(when)).collect::<Option<Vec<_>>>();
        table.close();
        Some(Filter { reason: reason?, when: when? })
    }

    /// The filters that follow from the manifest.
    fn filters_of(&mut self, scope: Scope<'_>) -> Vec<Filter> {
        let mut filters = Vec::new();
        let mut add = |name: &str, reason, test| {
            // A name is quoted, so that whatever the manifest calls the field is a path.
            let path = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
            let source = self.source(&path, 0, Start::Record);
            filters.extend(source.map(|source| Filter { reason, when: vec![Condition { source, test }] }));
        };
        if let Some((name, value)) = scope.test {
            add(name, FilterReason::Test, Test::OneOf(vec![value.into()]));
        }
        for name in scope.honeypot {
            add(name, FilterReason::Spam, Test::Filled);
        }
        filters
    }

    fn condition(&mut self, table: Table<'_>) -> Option<Condition> {
        let line = table.line_of("path");
        let source = table.required_text("path").and_then(|text| self.source(text, line, Start::Record));
        let words = |name: &str| -> Vec<CompactString> {
            table.texts(name).into_iter().map(|(text, _)| CompactString::new(text)).collect()
        };
        let (equals, differs) = (words("equals"), words("differs"));
        let test = match (table.boolean("filled"), equals.is_empty(), differs.is_empty()) {
            (Some(true), true, true) => Some(Test::Filled),
            (Some(false), true, true) => Some(Test::Missing),
            (None, false, true) => Some(Test::OneOf(equals)),
            (None, true, false) => Some(Test::NoneOf(differs)),
            _ => {
                self.lint.report(table.line, Message::new("mapping-condition"));
                None
            }
        };
        table.close();
        Some(Condition { source: source?, test: test? })
    }

    fn require_any(&self, table: &Table<'_>) -> Vec<&'static Spec> {
        table.texts("require_any").into_iter().filter_map(|(name, line)| self.canonical(name, line)).collect()
    }

    /// The canonical field of this full name; another name is reported.
    fn canonical(&self, name: &str, line: u32) -> Option<&'static Spec> {
        let spec = canonical::find_full(name);
        if spec.is_none() {
            let known: Vec<String> = canonical::FIELDS.iter().map(Spec::full_name).collect();
            self.lint.report(line, unknown_field(name, known.iter().map(String::as_str)));
        }
        spec
    }

    /// Documents and interactions must say what they are.
    fn require_kind(&self, table: &Table<'_>, fields: &[FieldPlan]) {
        let kinds = [(Section::Document, Field::DocumentKind), (Section::Interaction, Field::InteractionKind)];
        for (section, field) in kinds {
            let is_there = table.node(section.name()).is_some();
            if is_there && !fields.iter().any(|plan| plan.spec.field == field) {
                let message = Message::new("mapping-kind-missing").with("section", section.name());
                self.lint.report(table.line_of(section.name()), message);
            }
        }
    }

    fn section(
        &mut self,
        section: Section,
        table: Table<'_>,
        start: Start,
        fields: &mut Vec<FieldPlan>,
        conditions: &mut Vec<(Section, Condition)>,
    ) {
        for (name, line, node) in table.entries() {
            if name == "when" {
                conditions.extend(self.condition(self.lint.table(node)).map(|when| (section, when)));
            } else if name != "at" || !canonical::begins_at(section) {
                self.entry(section, name, line, node, start, fields);
            }
        }
    }

    /// One entry of a section: a field, a named field, or a group such as `utm`.
    fn entry(
        &mut self,
        section: Section,
        name: &str,
        line: u32,
        node: &Node,
        start: Start,
        fields: &mut Vec<FieldPlan>,
    ) {
        let inner = match &node.kind {
            NodeKind::Table(entries) => entries.as_slice(),
            NodeKind::Text(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_) => &[],
        };
        match canonical::find(section, name) {
            Some(spec) if spec.kind.is_named() => {
                if inner.is_empty() {
                    self.lint.report(line, Message::new("mapping-name-missing").with("field", spec.full_name()));
                }
                for (own, line, node) in inner {
                    self.ways(spec, own, *line, node, start, fields);
                }
            }
            Some(spec) => self.ways(spec, "", line, node, start, fields),
            None if !inner.is_empty() && canonical::of(section).any(|it| is_group(it.name, name)) => {
                for (own, line, node) in inner {
                    self.entry(section, &format!("{name}.{own}"), *line, node, start, fields);
                }
            }
            None => {
                let known = canonical::of(section).map(|spec| spec.name);
                self.lint.report(line, unknown_field(name, known).with("section", section.name()));
            }
        }
    }

    /// A field, or several ways to fill it: `[{ from = "since" }, { from = "days", as = "days_ago" }]`.
    fn ways(
        &mut self,
        spec: &'static Spec,
        name: &str,
        line: u32,
        node: &Node,
        start: Start,
        fields: &mut Vec<FieldPlan>,
    ) {
        let tables = match &node.kind {
            NodeKind::List(items) if items.iter().any(|item| matches!(item.kind, NodeKind::Table(_))) => items,
            _ => {
                fields.extend(self.field(spec, name, line, node, start));
                return;
            }
        };
        for (index, item) in tables.iter().enumerate() {
            let plan = self.field(spec, name, item.line, item, start);
            let itself = (index > 0).then_some(spec.field);
            fields.extend(plan.map(|plan| FieldPlan { unless: plan.unless.or(itself), ..plan }));
        }
    }

    fn field(&mut self, spec: &'static Spec, name: &str, line: u32, node: &Node, start: Start) -> Option<FieldPlan> {
        let full = match name {
            "" => spec.full_name(),
            name => format!("{}.{name}", spec.full_name()),
        };
        let conversion = convert::fitting(spec.kind)[0];
        let mut plan = FieldPlan {
            spec,
            name: name.into(),
            full: full.into(),
            from: Vec::new(),
            gather: Gather::First,
            conversion,
            dictionary: None,
            default: None,
            currency: None,
            required: false,
            when: None,
            lookup: None,
            unless: None,
        };
        match &node.kind {
            NodeKind::Text(text) => plan.from.extend(self.source(text, line, start)),
            NodeKind::List(items) => {
                for item in items {
                    match &item.kind {
                        NodeKind::Text(text) => plan.from.extend(self.source(text, item.line, start)),
                        _ => self.lint.report(item.line, Message::new("mapping-from-kind").with("field", &plan.full)),
                    }
                }
            }
            NodeKind::Table(_) => self.field_table(&mut plan, self.lint.table(node), start),
            NodeKind::Integer(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::Datetime(_) => {
                self.lint.report(line, Message::new("mapping-from-kind").with("field", &plan.full));
                return None;
            }
        }
        self.check_default(&plan, line);
        Some(plan)
    }

    fn field_table(&mut self, plan: &mut FieldPlan, table: Table<'_>, start: Start) {
        let is_contact = plan.spec.kind == Kind::Contact;
        let from_start = if is_contact { Start::Item } else { start };
        for (text, line) in table.texts("from") {
            plan.from.extend(self.source(text, line, from_start));
        }
        self.conversion(plan, &table);
        self.dictionary(plan, &table);
        self.gather(plan, &table, start);
        if plan.spec.kind == Kind::Money
            && let Some(text) = table.text("currency")
        {
            plan.currency = self.source(text, table.line_of("currency"), start);
        }
        let constant = table.text("const");
        plan.default = constant.or_else(|| table.text("default")).map(CompactString::new);
        plan.required = table.boolean("required").unwrap_or(false);
        if let Some(text) = table.text("unless") {
            plan.unless = self.canonical(text, table.line_of("unless")).map(|spec| spec.field);
        }
        plan.when = table.table("when").and_then(|when| self.condition(when));
        self.lookup(plan, &table);
        let has_from = table.node("from").is_some();
        if constant.is_some() == has_from {
            table.report("from", Message::new("mapping-no-source").with("field", &plan.full));
        }
        table.close();
    }

    /// A word of the source's own dictionary (a stage by its id) stands for its name there.
    fn lookup(&self, plan: &mut FieldPlan, table: &Table<'_>) {
        let Some(dictionary) = table.text("lookup") else { return };
        if LOOKUPS.contains(&plan.spec.field) {
            plan.lookup = Some(dictionary.into());
            return;
        }
        let known: Vec<String> =
            canonical::FIELDS.iter().filter(|spec| LOOKUPS.contains(&spec.field)).map(Spec::full_name).collect();
        let message = Message::new("mapping-lookup").with("field", &plan.full).with("known", known.join(", "));
        table.report("lookup", message);
    }

    fn conversion(&self, plan: &mut FieldPlan, table: &Table<'_>) {
        let Some(conversion) = table.choice("as", CONVERSIONS) else { return };
        let fitting = convert::fitting(plan.spec.kind);
        if fitting.contains(&conversion) {
            plan.conversion = conversion;
            return;
        }
        let fitting: Vec<&str> = fitting.iter().map(|it| convert::name_of(*it)).collect();
        let message = Message::new("mapping-conversion")
            .with("field", &plan.full)
            .with("conversion", convert::name_of(conversion))
            .with("fitting", fitting.join(", "));
        table.report("as", message);
    }

    fn dictionary(&self, plan: &mut FieldPlan, table: &Table<'_>) {
        let otherwise = table.choice("otherwise", OTHERWISE);
        let Some(node) = table.node("map") else {
            if table.node("otherwise").is_some() {
                table.report("otherwise", Message::new("mapping-otherwise-alone").with("field", &plan.full));
            }
            return;
        };
        let dictionary = match &node.kind {
            NodeKind::Table(entries) => Some(Arc::new(Dictionary::read(self.lint, entries))),
            NodeKind::Text(name) => {
                let found = self.dictionaries.iter().find(|(held, _)| held == name);
                if found.is_none() {
                    let known = self.dictionaries.iter().map(|(name, _)| name.as_str());
                    self.lint.report(node.line, unknown_word("mapping-dictionary", name, known));
                }
                found.map(|(_, dictionary)| dictionary.clone())
            }
            NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_) => {
                self.lint.report(node.line, Message::new("mapping-dictionary-shape").with("name", &plan.full));
                None
            }
        };
        let words = plan.spec.kind.words();
        if let Some(dictionary) = &dictionary
            && !words.is_empty()
        {
            for word in dictionary.translations().filter(|it| !it.is_empty() && !words.contains(it)) {
                let message = unknown_word("mapping-translation", word, words.iter().copied());
                self.lint.report(node.line, message.with("field", &plan.full));
            }
        }
        // A word that nobody thought of will come: the author says what happens then.
        let Some(otherwise) = otherwise else {
            if table.node("otherwise").is_none() {
                self.lint.report(node.line, Message::new("mapping-otherwise-missing").with("field", &plan.full));
            }
            return;
        };
        if otherwise == Otherwise::Keep && !words.is_empty() {
            table.report("otherwise", Message::new("mapping-otherwise-closed").with("field", &plan.full));
            return;
        }
        plan.dictionary = dictionary.map(|it| (it, otherwise));
    }

    fn gather(&mut self, plan: &mut FieldPlan, table: &Table<'_>, start: Start) {
        if plan.spec.kind == Kind::Contact {
            let (each_line, kind_line) = (table.line_of("each"), table.line_of("type"));
            let each = table.required_text("each").and_then(|text| self.source(text, each_line, start));
            let kind = table.required_text("type").and_then(|text| self.source(text, kind_line, Start::Item));
            if let (Some(each), Some(kind)) = (each, kind) {
                plan.gather = Gather::Typed { each, kind };
            }
            return;
        }
        let each = table.boolean("each").unwrap_or(false);
        let join = table.text("join");
        if each && !plan.spec.kind.is_many() {
            table.report("each", Message::new("mapping-each-single").with("field", &plan.full));
        } else if each && join.is_some() {
            table.report("join", Message::new("mapping-each-join").with("field", &plan.full));
        } else if each {
            plan.gather = Gather::Each;
        } else if let Some(join) = join {
            plan.gather = Gather::Join(join.into());
        }
    }

    /// A default or constant that does not read is found now, not with the first record.
    fn check_default(&self, plan: &FieldPlan, line: u32) {
        let Some(text) = &plan.default else { return };
        let zone = jiff::tz::TimeZone::UTC;
        let currency = Currency::rub();
        let context = super::MapContext {
            zone: &zone,
            region: "RU",
            currency: &currency,
            received_at: Timestamp::ZERO,
            notes: &[],
        };
        let converted = convert::convert(plan.conversion, plan.spec.kind, text, &context, &currency);
        if converted.value.is_none() {
            let mut message = Message::new("mapping-default").with("field", &plan.full).with("text", text);
            let known = plan.spec.kind.words();
            if !known.is_empty() {
                message = Message::new("mapping-default-word")
                    .with("field", &plan.full)
                    .with("text", text)
                    .with("known", known.join(", "));
            }
            self.lint.report(line, message);
        }
    }

    fn extra(&self, table: &Table<'_>) -> Extra {
        let Some(table) = table.table("extra") else { return Extra::default() };
        let ignore = table.texts("ignore").into_iter().filter_map(|(text, line)| self.path(text, line)).collect();
        let mut pairs = Vec::new();
        for inner in table.tables("pairs") {
            let read = |name: &str| inner.required_text(name).and_then(|text| self.path(text, inner.line_of(name)));
            let (each, name, value) = (read("each"), read("name"), read("value"));
            if let (Some(each), Some(name), Some(value)) = (each, name, value) {
                pairs.push(Pairs { each, name, value });
            }
            inner.close();
        }
        table.close();
        Extra { ignore, pairs }
    }
}

fn is_group(name: &str, group: &str) -> bool {
    name.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'))
}

fn unknown_field<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Message {
    unknown_word("mapping-field", name, known)
}
