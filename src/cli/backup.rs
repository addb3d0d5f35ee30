//! `uzel backup` and `uzel restore`: a copy of everything, and its way back.

use std::path::PathBuf;

use super::journal::progress_bar;
use super::{Context, Done};
use crate::app::{Folder, backup};
use crate::base::{Message, Position};
use crate::control::Client;
use crate::query::views::StatusView;

/// Subcommands of `uzel backup`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Make {
        target: PathBuf,
        #[arg(long)]
        with_secrets: bool,
    },
    Verify {
        source: PathBuf,
    },
}

/// Arguments of `uzel restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    source: Option<PathBuf>,
    #[arg(long, conflicts_with = "source")]
    release: bool,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    match sub {
        Sub::Make { target, with_secrets } => make(target, with_secrets, context).await,
        Sub::Verify { source } => verify(source, context).await,
    }
}

async fn make(target: PathBuf, with_secrets: bool, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    folder.made()?;
    // The running daemon alone knows what is synced.
    let synced = match tokio::net::UnixStream::connect(folder.socket()).await.is_ok() {
        true => {
            let status: StatusView = Client::Socket(folder.socket()).get("status", context.locale).await?;
            Some(Position(status.head))
        }
        false => None,
    };
    let bar = progress_bar();
    let (shown, place) = (bar.clone(), target.clone());
    let manifest = tokio::task::spawn_blocking(move || {
        backup::make(&folder, &place, synced, with_secrets, &mut |done, total| {
            shown.set_length(total);
            shown.set_position(done);
        })
    })
    .await??;
    bar.finish_and_clear();
    if context.json {
        context.print_json(&manifest)?;
        return Ok(Done::Well);
    }
    let message = Message::new("cli-backup-made")
        .with("target", target.display())
        .with("first", manifest.first)
        .with("last", manifest.last)
        .with("files", manifest.files.len());
    println!("{}", context.say(&message));
    let secrets = if with_secrets { "cli-backup-with-secrets" } else { "cli-backup-without-secrets" };
    println!("{}", context.say(&Message::new(secrets)));
    Ok(Done::Well)
}

/// A verification as data.
#[derive(Debug, serde::Serialize)]
struct Checked {
    sound: bool,
    files: usize,
    first: u64,
    last: u64,
    problems: Vec<String>,
}

async fn verify(source: PathBuf, context: &Context) -> anyhow::Result<Done> {
    let bar = progress_bar();
    let shown = bar.clone();
    let verified = tokio::task::spawn_blocking(move || {
        backup::verify(&source, &mut |done, total| {
            shown.set_length(total);
            shown.set_position(done);
        })
    })
    .await??;
    bar.finish_and_clear();
    let problems: Vec<String> = verified.problems.iter().map(|problem| context.say(problem)).collect();
    let (files, first, last) = verified.manifest.map_or((0, 0, 0), |it| (it.files.len(), it.first, it.last));
    let checked = Checked { sound: problems.is_empty(), files, first, last, problems };
    if context.json {
        context.print_json(&checked)?;
    } else if checked.sound {
        let message = Message::new("cli-backup-sound").with("files", files).with("first", first).with("last", last);
        println!("{}", context.say(&message));
    } else {
        checked.problems.iter().for_each(|problem| println!("{problem}"));
    }
    Ok(if checked.sound { Done::Well } else { Done::Problems })
}

pub(super) async fn restore(args: Args, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    let Some(source) = args.source else {
        folder.made()?;
        let held = args.release && backup::release(&folder)?;
        let id = match (args.release, held) {
            (true, true) => "cli-restore-released",
            (true, false) => "cli-restore-not-held",
            (false, _) => "cli-restore-what",
        };
        println!("{}", context.say(&Message::new(id)));
        return Ok(if args.release { Done::Well } else { Done::Problems });
    };
    let bar = progress_bar();
    let shown = bar.clone();
    let restored = tokio::task::spawn_blocking(move || {
        backup::restore(&source, &folder, &mut |done, total| {
            shown.set_length(total);
            shown.set_position(done);
        })
    })
    .await??;
    bar.finish_and_clear();
    let restored = match restored {
        Ok(restored) => restored,
        Err(problems) => {
            problems.iter().for_each(|problem| println!("{}", context.say(problem)));
            return Ok(Done::Problems);
        }
    };
    if context.json {
        context.print_json(&restored)?;
        return Ok(Done::Well);
    }
    let message = Message::new("cli-restore-done")
        .with("folder", context.folder.display())
        .with("last", restored.last)
        .with("made", &restored.made_at)
        .with("hash", &restored.hash);
    println!("{}", context.say(&message));
    println!("{}", context.say(&Message::new("cli-restore-held")));
    if !restored.secrets {
        println!("{}", context.say(&Message::new("cli-restore-secrets")));
    }
    Ok(Done::Well)
}
