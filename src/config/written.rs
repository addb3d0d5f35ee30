//! What one connection sets, read by the specs of its connector; and where its secrets are.

use crate::base::{Message, Problem, Slug, Timestamp};
use crate::field::reader::unknown_word;
use crate::field::{FieldSpec, FieldValue, Lint, Node, NodeKind};

use super::Mode;

/// `[connection.<name>]` as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionSettings {
    /// Its name.
    pub name: Slug,
    /// Its connector.
    pub connector: Slug,
    /// Whether it is written to.
    pub mode: Mode,
    /// From when its records are ours to act on; what it observed earlier is history.
    pub switch_over: Option<Timestamp>,
    /// How many hours it may tell nothing before that is an alarm; 0: for ever.
    pub silence_h: u32,
    /// Its line in the file.
    pub line: u32,
    pub(super) file: String,
    pub(super) node: Node,
}

impl ConnectionSettings {
    /// Reads what the specs declare: values by name in the order of the specs, without secrets.
    /// A secret in the file, an unknown setting, and what does not fit are problems.
    pub fn read(&self, specs: &[FieldSpec]) -> Result<Vec<(String, FieldValue)>, Vec<Problem>> {
        let lint = Lint::new(self.file.clone());
        let table = lint.table(&self.node);
        table.node("connector");
        table.node("mode");
        table.node("switch_over");
        table.node("silence_h");
        let mut values = Vec::new();
        for spec in specs {
            if !spec.secret {
                values.extend(spec.read(&table).map(|value| (spec.name.clone(), value)));
            } else if table.node(&spec.name).is_some() {
                let message = Message::new("config-secret-in-file")
                    .with("setting", &spec.name)
                    .with("name", secret_name(&self.name, &spec.name))
                    .with("variable", secret_variable(&self.name, &spec.name));
                table.report(&spec.name, message);
            }
        }
        table.close();
        lint.finish(values)
    }

    /// A problem with the connection as a whole.
    pub fn problem(&self, message: Message) -> Problem {
        Problem::new(self.file.clone(), self.line, message)
    }

    /// A connection whose connector is not there.
    pub fn unknown_connector<'a>(&self, known: impl IntoIterator<Item = &'a str>) -> Problem {
        let message = unknown_word("config-connector", &self.connector, known).with("connection", &self.name);
        self.problem(message)
    }

    /// Whether something is written for `name`, of whatever kind.
    pub fn mentions(&self, name: &str) -> bool {
        match &self.node.kind {
            NodeKind::Table(entries) => entries.iter().any(|(key, ..)| key == name),
            NodeKind::Text(_)
            | NodeKind::Integer(_)
            | NodeKind::Float(_)
            | NodeKind::Bool(_)
            | NodeKind::Datetime(_)
            | NodeKind::List(_) => false,
        }
    }
}

/// Name of a secret in the vault: `site.secret`.
pub fn secret_name(connection: &str, setting: &str) -> String {
    format!("{connection}.{setting}")
}

/// Variable that gives a secret: `UZEL_SECRET_SITE_SECRET`.
pub fn secret_variable(connection: &str, setting: &str) -> String {
    variable(&["SECRET", connection, setting])
}

/// `UZEL_A_B`: upper case, what no shell takes as `_`.
pub(super) fn variable(parts: &[&str]) -> String {
    let mut name = String::from("UZEL");
    for part in parts {
        name.push('_');
        name.extend(part.chars().map(|it| if it.is_ascii_alphanumeric() { it.to_ascii_uppercase() } else { '_' }));
    }
    name
}
