//! `uzel lint`: everything that is wrong in the configuration, at once, before anything runs.

use super::output::printable;
use super::{Context, Done};
use crate::app::Folder;
use crate::app::error::Problems;
use crate::base::clock::SystemClock;
use crate::base::{Clock as _, Message, Problem};
use crate::catalog::{self, LintReport};
use crate::config::Settings;

/// Arguments of `uzel lint`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// What lint found, as data.
#[derive(Debug, serde::Serialize)]
struct Linted {
    files: usize,
    cases: usize,
    problems: Vec<LintedProblem>,
    warnings: Vec<LintedProblem>,
}

#[derive(Debug, serde::Serialize)]
struct LintedProblem {
    file: String,
    line: u32,
    text: String,
}

pub(super) fn run(_args: Args, context: &Context) -> anyhow::Result<Done> {
    let report = look(&Folder::new(&context.folder));
    if context.json {
        let told = |problems: &[Problem]| {
            let told = problems.iter().map(|it| LintedProblem {
                file: it.file.clone(),
                line: it.line,
                text: it.message.render(context.locale),
            });
            told.collect()
        };
        let (problems, warnings) = (told(&report.problems), told(&report.warnings));
        let linted = Linted { files: report.files, cases: report.cases, problems, warnings };
        context.print_json(&linted)?;
    } else {
        for problem in &report.problems {
            println!("{}", printable(&problem.render(context.locale)));
        }
        for warning in &report.warnings {
            let message = Message::new("cli-lint-warning").with("text", warning.render(context.locale));
            println!("{}", printable(&context.say(&message)));
        }
        let message = Message::new("cli-lint-summary")
            .with("files", report.files)
            .with("cases", report.cases)
            .with("problems", report.problems.len());
        println!("{}", context.say(&message));
    }
    Ok(if report.problems.is_empty() { Done::Well } else { Done::Problems })
}

/// Settings that do not read hide nothing of what is wrong in the other files: those are then
/// checked under the usual settings.
fn look(folder: &Folder) -> LintReport {
    let files = match folder.files() {
        Ok(files) => files,
        Err(Problems(mut problems)) => {
            problems.extend(folder.settings().err().unwrap_or_default());
            return LintReport::of_problems(problems);
        }
    };
    let found = match folder.settings() {
        Ok(settings) => return catalog::lint(&files, &settings, SystemClock.now()),
        Err(problems) => problems,
    };
    if folder.made().is_err() {
        return LintReport::of_problems(found);
    }
    let mut report = match Settings::compile("uzel.toml", "", &|_| None) {
        Ok(settings) => catalog::lint(&files, &settings, SystemClock.now()),
        Err(_) => return LintReport::of_problems(found),
    };
    report.problems.splice(0..0, found);
    report
}
