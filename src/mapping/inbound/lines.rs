//! Lines of goods in an inbound mapping.

use super::{Compiler, Start};
use crate::base::Message;
use crate::field::reader::unknown_word;
use crate::field::{Node, NodeKind, Table};
use crate::mapping::canonical::Section;
use crate::mapping::draft::Parts;
use crate::mapping::plan::LinesPlan;

/// What only fields of the record do: a line is read as it is. Refused, not ignored.
const RECORD_WORDS: [&str; 10] =
    ["map", "otherwise", "lookup", "each", "join", "type", "when", "unless", "required", "currency"];

impl Compiler<'_> {
    pub(super) fn lines(&mut self, table: Table<'_>, parts: Parts) -> Option<LinesPlan> {
        let line = table.line_of("each");
        let each = table.required_text("each").and_then(|text| self.source(text, line, Start::Record));
        let to = table.texts("to");
        let names: Vec<&str> = to.iter().map(|(name, _)| *name).collect();
        for (name, line) in &to {
            if !["deal", "document"].contains(name) {
                self.lint.report(*line, unknown_word("mapping-lines-to", name, ["deal", "document"]));
            }
        }
        let mut fields = Vec::new();
        for (name, line, node) in table.entries() {
            if name != "each" && name != "to" {
                self.line_words(name, node);
                self.entry(Section::Lines, name, line, node, Start::Item, &mut fields);
            }
        }
        Some(LinesPlan {
            each: each?,
            fields,
            to_deal: parts.deal && (names.is_empty() || names.contains(&"deal")),
            to_document: parts.document && (names.is_empty() || names.contains(&"document")),
        })
    }

    fn line_words(&self, field: &str, node: &Node) {
        let NodeKind::Table(entries) = &node.kind else { return };
        for (word, line, _) in entries.iter().filter(|(word, ..)| RECORD_WORDS.contains(&word.as_str())) {
            let message = Message::new("mapping-line-word").with("field", format!("lines.{field}")).with("word", word);
            self.lint.report(*line, message);
        }
    }
}
