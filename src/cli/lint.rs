//! `uzel lint`: everything that is wrong in the configuration, at once, before anything runs.

use super::{Context, Done};
use crate::app::Folder;
use crate::base::Message;
use crate::catalog;

/// Arguments of `uzel lint`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: Args, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    let report = match folder.settings() {
        Ok(settings) => catalog::lint(&folder.files()?, &settings),
        Err(problems) => catalog::LintReport::of_problems(problems),
    };
    if context.json {
        context.print_json(&report)?;
    } else {
        for problem in &report.problems {
            println!("{}", problem.render(context.locale));
        }
        let message = Message::new("cli-lint-summary")
            .with("files", report.files)
            .with("cases", report.cases)
            .with("problems", report.problems.len());
        println!("{}", context.say(&message));
    }
    Ok(if report.problems.is_empty() { Done::Well } else { Done::Problems })
}
