//! `uzel lint`: compiles everything there is, used or not, and runs every case.

use serde::Serialize;

use super::{Catalog, Compiler, FileSet};
use crate::base::{Locale, Problem, Slug, Timestamp};
use crate::config::Settings;
use crate::mapping::cases::{self, Surroundings};

/// What lint found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LintReport {
    /// Files looked at.
    pub files: usize,
    /// Cases that ran.
    pub cases: usize,
    /// Everything that is wrong, sorted by file and line.
    pub problems: Vec<Problem>,
    /// What works and will not do what a person expects; the configuration is good.
    pub warnings: Vec<Problem>,
}

impl LintReport {
    /// Nothing but problems: `uzel.toml` itself did not read.
    pub fn of_problems(problems: Vec<Problem>) -> LintReport {
        LintReport { files: 1, cases: 0, problems, warnings: Vec::new() }
    }

    /// The problems as text, one a line.
    pub fn render(&self, locale: Locale) -> String {
        self.problems.iter().map(|problem| problem.render(locale) + "\n").collect()
    }
}

/// Compiles every connector of the files, the rules and the connections, and runs every case. What
/// is short of data at `now` is a warning.
pub fn lint(files: &FileSet, settings: &Settings, now: Timestamp) -> LintReport {
    let (mut problems, warnings) = match Catalog::compile(files, settings) {
        Ok(catalog) => (Vec::new(), catalog.warnings(now)),
        Err(problems) => (problems, Vec::new()),
    };
    let mut compiler = Compiler { files, problems: Vec::new(), used: Vec::new(), compiled: Vec::new() };
    let builtin = FileSet::builtin();
    let usual = Settings::compile("uzel.toml", "", &|_| None).ok().map(|usual| usual.company);
    let mut ran = 0;
    for name in files.connectors() {
        let Some(slug) = Slug::new(name) else { continue };
        let Some((connector, maps)) = compiler.connector(&slug) else { continue };
        for (stream, inbound) in &maps.inbound {
            let streams = connector.source.iter().flat_map(|source| &source.streams);
            let mapping = streams.clone().find(|it| it.name == *stream).map_or(stream, |it| &it.mapping);
            // Streams that share a mapping share its cases.
            if streams.clone().find(|it| it.mapping == *mapping).is_some_and(|first| first.name != *stream) {
                continue;
            }
            let file = format!("mappings/{}/{mapping}.cases.toml", connector.slug);
            let Some(text) = files.get(&file) else { continue };
            // The built-in cases speak of the built-in mapping, not of one that took its place.
            let mapping = format!("mappings/{}/{mapping}.in.toml", connector.slug);
            let is_builtin = |name: &str| builtin.get(name) == files.get(name);
            if is_builtin(&file) && !is_builtin(&mapping) {
                continue;
            }
            // The built-in cases say what they expect of a company in Moscow, wherever this one is.
            let company = if is_builtin(&file) { usual.as_ref() } else { None }.unwrap_or(&settings.company);
            let around = Surroundings { zone: &company.zone, region: &company.region, currency: &company.currency };
            match cases::run(inbound, &file, text, around) {
                Ok(count) => ran += count,
                Err(found) => problems.extend(found),
            }
        }
    }
    problems.extend(compiler.problems);
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    problems.dedup();
    LintReport {
        files: files.names().filter(|name| name.ends_with(".toml")).count() + 1,
        cases: ran,
        problems,
        warnings,
    }
}
