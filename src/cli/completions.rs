//! `uzel completions`: what a shell needs to complete commands, options and their words; what it
//! says of them is in the reader's language.

use std::io::{ErrorKind, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Context, Done, localize};

/// Arguments of `uzel completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<Done> {
    let mut command = localize::localize(Cli::command(), context.locale);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "uzel", &mut script);
    match std::io::stdout().write_all(&script) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Done::Well),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(Done::Well),
    }
}
