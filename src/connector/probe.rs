//! `[[probe]]`: what a foreign system is asked when a person wants to know how a connection stands,
//! and what each answer means. Only reads: nothing is written there.
//!
//! The first question is also the one that tells whether we are let in at all. Dictionaries
//! (`[source.poll.words]`) and fields of our own (`[sink.object.provision]`) are looked at without
//! being named here.
//!
//! ```toml
//! [[probe]]
//! name = "rights"                          # one word, the same in every language
//! title_ru = "Права"
//! title_en = "Rights"
//! ask = { path = "scope" }
//! at = "result[*]"                         # where the value, or each of the values, stands
//! # show = ["result.NAME"]                 # what is shown besides, joined by a space
//! # by_tokens_ru, by_tokens_en             # asked only by tokens; what to say to others
//!
//! [[probe.need]]                           # one of these words must be among the values
//! any = ["crm"]
//! without_ru = "..."                       # what will not work without
//! without_en = "..."
//! then = "fail"                            # warn (default) | fail
//!
//! [[probe.mean]]                           # what a value means
//! value = "1"
//! text_ru = "..."
//! text_en = "..."
//! then = "fine"                            # fine (default) | warn | fail
//!
//! [probe.others]                           # values are names of who else works there
//! ours = ["uzel"]
//! text_ru = "..."                          # what to think of before anything is written
//! text_en = "..."
//! ```

use super::sink::RequestSpec;
use super::sink_read;
use crate::base::{Locale, Message};
use crate::field::Table;
use crate::value::Path;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

impl Words {
    /// In the reader's language.
    pub fn say(&self, locale: Locale) -> &str {
        match locale {
            Locale::Ru => &self.ru,
            Locale::En => &self.en,
        }
    }
}

/// How good an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Works, and a person should know.
    Warn,
    /// Does not work.
    Fail,
}

/// One question and what its answers mean.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeSpec {
    /// Its name.
    pub name: String,
    /// What people read.
    pub title: Words,
    /// The request.
    pub ask: RequestSpec,
    /// Where the value or the values stand in an answer.
    pub at: Path,
    /// What is shown besides.
    pub show: Vec<Path>,
    /// Asked only where the connection works by tokens; what to say where it does not.
    pub by_tokens: Option<Words>,
    /// What must be among the values.
    pub needs: Vec<Need>,
    /// What values mean.
    pub means: Vec<Meaning>,
    /// The values are names of who else works there.
    pub others: Option<Others>,
}

/// One of these words must be among the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The words.
    pub any: Vec<String>,
    /// What will not work without.
    pub without: Words,
    /// How bad that is.
    pub then: Verdict,
}

/// What a value means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The value, as text.
    pub value: String,
    /// What to tell.
    pub text: Words,
    /// How good it is.
    pub then: Verdict,
}

/// Who else works there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Others {
    /// Names that are our own.
    pub ours: Vec<String>,
    /// What to think of.
    pub text: Words,
}

const VERDICTS: &[(&str, Verdict)] = &[("fine", Verdict::Fine), ("warn", Verdict::Warn), ("fail", Verdict::Fail)];

/// Reads every `[[probe]]`. They are asked by the address, the rules and the quota of `[sink]`.
pub(super) fn read_all(manifest: &Table<'_>, has_sink: bool) -> Vec<ProbeSpec> {
    let tables = manifest.tables("probe");
    if !tables.is_empty() && !has_sink {
        manifest.report("probe", Message::new("connector-probe-sink"));
    }
    tables.into_iter().filter_map(read).collect()
}

fn read(table: Table<'_>) -> Option<ProbeSpec> {
    let name = table.required_text("name").map(str::to_owned);
    let title = required_words(&table, "title");
    table.node("ask").is_none().then(|| table.report("ask", Message::new("toml-missing").with("name", "ask")));
    let ask = table.table("ask").and_then(|it| sink_read::read_request(it, &[]));
    let at = sink_read::required_path(&table, "at");
    let mut show = Vec::new();
    for (text, line) in table.texts("show") {
        match Path::compile(text) {
            Ok(path) => show.push(path),
            Err(error) => table.lint().report(line, error.message),
        }
    }
    let by_tokens = table.node("by_tokens_ru").or(table.node("by_tokens_en")).is_some();
    let by_tokens = by_tokens.then(|| required_words(&table, "by_tokens")).flatten();
    let needs = table.tables("need").into_iter().filter_map(read_need).collect();
    let means = table.tables("mean").into_iter().filter_map(read_meaning).collect();
    let others = table.table("others").and_then(|it| {
        let ours = it.texts("ours").into_iter().map(|(text, _)| text.to_owned()).collect();
        let text = required_words(&it, "text");
        it.close();
        Some(Others { ours, text: text? })
    });
    table.close();
    Some(ProbeSpec { name: name?, title: title?, ask: ask?, at: at?, show, by_tokens, needs, means, others })
}

fn read_need(table: Table<'_>) -> Option<Need> {
    let any: Vec<String> = table.texts("any").into_iter().map(|(text, _)| text.to_owned()).collect();
    if any.is_empty() {
        table.report("any", Message::new("toml-missing").with("name", "any"));
    }
    let without = required_words(&table, "without");
    let then = table.choice("then", VERDICTS).unwrap_or(Verdict::Warn);
    table.close();
    Some(Need { any, without: without?, then })
}

fn read_meaning(table: Table<'_>) -> Option<Meaning> {
    let value = table.required_text("value").map(str::to_owned);
    let text = required_words(&table, "text");
    let then = table.choice("then", VERDICTS).unwrap_or(Verdict::Fine);
    table.close();
    Some(Meaning { value: value?, text: text?, then })
}

/// `<name>_ru` and `<name>_en`; what is missing is reported.
fn required_words(table: &Table<'_>, name: &str) -> Option<Words> {
    let (ru, en) = (table.required_text(&format!("{name}_ru")), table.required_text(&format!("{name}_en")));
    Some(Words { ru: ru?.to_owned(), en: en?.to_owned() })
}
