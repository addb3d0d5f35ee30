//! The command line: one thin file per command. What a command shows comes as plain data from the
//! daemon (or from the same code in this process when no daemon runs); `--json` prints the data,
//! otherwise a table is made of them.
//!
//! Help texts are in `locales/*/cli.ftl`, found by the place of the command or argument
//! (`cli-journal-show`, `cli-journal-show--position`), so that help speaks the reader's language.
//!
//! Exit codes: 0 done; 1 failed; 2 the command line does not read; 3 problems were found (lint,
//! verify, rebuild --check, probe, init, demo --once) or differences (replay --diff); 4 there is no such thing.

mod backup;
mod bulk;
mod client;
mod completions;
mod connect;
mod deal;
mod demo;
mod employees;
mod explain;
mod folder;
mod init;
mod init_ask;
mod journal;
mod lint;
mod load;
mod localize;
mod man;
mod notify;
mod outbox;
mod output;
mod ownership;
mod page;
mod privacy;
mod privacy_export;
mod probe;
mod quarantine;
mod rebuild;
mod relay;
mod replay;
mod retention;
mod rules;
mod run;
mod score;
mod secret;
mod snapshot;
mod source;
mod status;
mod sync;
mod task;
mod twin;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
pub use man::{ManPage, man_pages};

use crate::app::error::Told;
use crate::base::{Locale, Message};
use crate::control::{Client, ClientError};

/// What went well, by exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// Done.
    Well,
    /// Problems were found and shown.
    Problems,
}

#[derive(Debug, Parser)]
#[command(name = "uzel", version, disable_help_subcommand = true)]
struct Cli {
    #[arg(long, short = 'd', global = true, env = "UZEL_FOLDER", default_value = "uzel-data")]
    folder: PathBuf,
    #[arg(long, global = true, env = "UZEL_LANG", value_parser = ["ru", "en"])]
    lang: Option<String>,
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Run(run::Args),
    Demo(demo::Args),
    Status(status::Args),
    Lint(lint::Args),
    Probe(probe::Args),
    Connect(connect::Args),
    #[command(subcommand)]
    Secret(secret::Sub),
    #[command(subcommand)]
    Client(client::Sub),
    #[command(subcommand)]
    Deal(deal::Sub),
    Score(score::Args),
    Employees(employees::Args),
    Ownership,
    #[command(subcommand)]
    Rules(rules::Sub),
    #[command(subcommand)]
    Task(task::Sub),
    #[command(subcommand)]
    Page(page::Sub),
    #[command(subcommand)]
    Notify(notify::Sub),
    #[command(subcommand)]
    Outbox(outbox::Sub),
    #[command(subcommand)]
    Sync(sync::Sub),
    #[command(subcommand)]
    Quarantine(quarantine::Sub),
    #[command(subcommand)]
    Folder(folder::Sub),
    #[command(subcommand)]
    Journal(journal::Sub),
    Load(load::Args),
    #[command(subcommand)]
    Source(source::Sub),
    #[command(subcommand)]
    Relay(relay::Sub),
    Rebuild(rebuild::Args),
    Replay(replay::Args),
    #[command(subcommand)]
    Snapshot(snapshot::Sub),
    #[command(subcommand)]
    Backup(backup::Sub),
    Restore(backup::Args),
    Retention(retention::Args),
    #[command(subcommand)]
    Privacy(privacy::Sub),
    #[command(subcommand)]
    Twin(twin::Sub),
    Completions(completions::Args),
    Man(man::Args),
}

/// What every command knows.
pub(crate) struct Context {
    /// The folder of the daemon.
    pub folder: PathBuf,
    /// The reader's language.
    pub locale: Locale,
    /// Whether data are printed as JSON.
    pub json: bool,
}

impl Context {
    /// The text of a message in the reader's language.
    pub(crate) fn say(&self, message: &Message) -> String {
        message.render(self.locale)
    }

    /// A running daemon, or the same router over the folder in this process.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connected> {
        let folder = crate::app::Folder::new(&self.folder);
        if tokio::net::UnixStream::connect(folder.socket()).await.is_ok() {
            return Ok(Connected { client: Client::Socket(folder.socket()), core: None });
        }
        let core = crate::app::Core::open(&folder).await?;
        // Nothing is shown of a store that lags behind its journal.
        core.caught_up().await?;
        Ok(Connected { client: Client::Local(core.router()), core: Some(core) })
    }
}

/// A connection to the data; must be closed so that an in-process store is flushed.
pub(crate) struct Connected {
    /// Where questions go.
    pub client: Client,
    core: Option<crate::app::Core>,
}

impl Connected {
    /// Whether a daemon answers, rather than this process.
    pub(crate) fn by_daemon(&self) -> bool {
        self.core.is_none()
    }

    /// Ends an in-process store.
    pub(crate) async fn close(self) {
        if let Some(core) = self.core {
            core.close().await;
        }
    }
}

/// How many rows a page may have.
fn rows_of_page() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=crate::base::limits::PAGE_ROWS_MAX as u64)
}

/// A file that a person named.
fn read(file: &std::path::Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file)
        .map_err(|error| Told(Message::new("app-path").with("path", file.display()).with("detail", error)).into())
}

/// Language of the reader: `--lang`, else the environment; Russian when it says nothing.
fn locale_of_environment() -> Locale {
    let tag = ["UZEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    tag.map(|tag| Locale::from_tag(&tag)).unwrap_or_default()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let locale = asked_language(&arguments).unwrap_or_else(locale_of_environment);
    let command = localize::localize(Cli::command(), locale);
    let cli = match command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => match localize::refusal(&error, locale) {
            None => error.exit(),
            Some(text) => {
                eprintln!("uzel: {text}");
                return ExitCode::from(2);
            }
        },
    };
    let context = Context { folder: cli.folder, locale, json: cli.json };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("uzel: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(dispatch(cli.command, &context));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::Problems) => ExitCode::from(3),
        Err(error) => {
            output::print_error(&error, &context);
            match error.downcast_ref::<ClientError>() {
                Some(ClientError::NotFound(_)) => ExitCode::from(4),
                Some(ClientError::Refused(_) | ClientError::Unreachable(_)) | None => ExitCode::FAILURE,
            }
        }
    }
}

/// Help of every command in one language, in the order of the command line: (command, text). The
/// reference in `docs/` is made of it, so it depends on no terminal and no environment.
pub fn help_pages(locale: Locale) -> Vec<(String, String)> {
    let mut command = localize::localize(Cli::command(), locale).term_width(100);
    command.build();
    let mut pages = Vec::new();
    add_help(&command, "uzel", &mut pages);
    pages
}

fn add_help(command: &clap::Command, place: &str, pages: &mut Vec<(String, String)>) {
    // Values of variables are this machine's.
    let mut page = command.clone().term_width(100).mut_args(|argument| argument.hide_env_values(true));
    pages.push((place.to_owned(), page.render_long_help().to_string()));
    for sub in command.get_subcommands() {
        add_help(sub, &format!("{place} {}", sub.get_name()), pages);
    }
}

/// `--lang` before anything is parsed, because help is printed while parsing.
fn asked_language(arguments: &[std::ffi::OsString]) -> Option<Locale> {
    let texts: Vec<&str> = arguments.iter().filter_map(|it| it.to_str()).collect();
    let after = texts.windows(2).find(|pair| pair[0] == "--lang").map(|pair| pair[1]);
    let joined = texts.iter().find_map(|it| it.strip_prefix("--lang="));
    after.or(joined).map(Locale::from_tag)
}

async fn dispatch(command: Command, context: &Context) -> anyhow::Result<Done> {
    match command {
        Command::Init(args) => init::run(args, context).await,
        Command::Run(args) => run::run(args, context).await,
        Command::Demo(args) => demo::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Lint(args) => lint::run(args, context),
        Command::Secret(sub) => secret::run(sub, context),
        Command::Probe(args) => probe::run(args, context).await,
        Command::Connect(args) => connect::run(args, context).await,
        Command::Client(sub) => client::run(sub, context).await,
        Command::Deal(sub) => deal::run(sub, context).await,
        Command::Score(args) => score::run(args, context).await,
        Command::Employees(args) => employees::run(args, context).await,
        Command::Ownership => ownership::run(context).await,
        Command::Rules(sub) => rules::run(sub, context).await,
        Command::Page(sub) => page::run(sub, context).await,
        Command::Task(sub) => task::run(sub, context).await,
        Command::Notify(sub) => notify::run(sub, context).await,
        Command::Outbox(sub) => outbox::run(sub, context).await,
        Command::Sync(sub) => sync::run(sub, context).await,
        Command::Quarantine(sub) => quarantine::run(sub, context).await,
        Command::Folder(sub) => folder::run(sub, context).await,
        Command::Journal(sub) => journal::run(sub, context).await,
        Command::Load(args) => load::run(args, context).await,
        Command::Source(sub) => source::run(sub, context).await,
        Command::Relay(sub) => relay::run(sub, context).await,
        Command::Rebuild(args) => rebuild::run(args, context).await,
        Command::Replay(args) => replay::run(args, context).await,
        Command::Backup(sub) => backup::run(sub, context).await,
        Command::Privacy(sub) => privacy::run(sub, context).await,
        Command::Retention(args) => retention::run(args, context).await,
        Command::Restore(args) => backup::restore(args, context).await,
        Command::Snapshot(sub) => snapshot::run(sub, context).await,
        Command::Twin(sub) => twin::run(sub, context).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Man(args) => man::run(&args, context),
    }
}
