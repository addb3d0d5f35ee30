//! `uzel probe [CONNECTION]`: whether each connection is reached, let in, and set up as it needs.

use super::output::{encoded, printable};
use super::{Context, Done};
use crate::probe::{ProbeView, Standing};

/// Arguments of `uzel probe`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    connection: Option<String>,
    #[arg(long)]
    full: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let path = match &args.connection {
        Some(name) => format!("probe/{}", encoded(name)),
        None => "probe".to_owned(),
    };
    let views = connected.client.post::<Vec<ProbeView>>(&path, context.locale).await;
    connected.close().await;
    let views = views?;
    if context.json {
        context.print_json(&views)?;
    } else {
        for (index, view) in views.iter().enumerate() {
            if index > 0 {
                println!();
            }
            print(view, context);
            if args.full {
                print_words(view, context);
            }
        }
    }
    let fails = views.iter().any(|view| view.standing == Standing::Fail);
    Ok(if fails { Done::Problems } else { Done::Well })
}

/// One connection: a line of its own, a line per check.
pub(super) fn print(view: &ProbeView, context: &Context) {
    println!("{}: {}", view.connection, printable(&view.title));
    for check in &view.checks {
        println!("  {} {}: {}", mark(check.standing), printable(&check.title), printable(&check.text));
    }
    if view.checks.is_empty() {
        println!("  {}", context.say(&crate::base::Message::new("probe-nothing-asked")));
    }
}

fn print_words(view: &ProbeView, context: &Context) {
    let rows = view.words.iter().map(|word| {
        let state = if word.active { String::new() } else { context.word("probe", "off") };
        vec![word.dictionary.clone(), word.id.clone(), word.name.clone(), word.within.clone(), state]
    });
    context.print_section(
        "probe-words",
        &["probe-dictionary", "foreign-id", "name", "probe-within", "state"],
        rows.collect(),
    );
}

/// One letter for the eye; the words say the same.
fn mark(standing: Standing) -> char {
    match standing {
        Standing::Fine => '✓',
        Standing::Note => '·',
        Standing::Unknown => '?',
        Standing::Warn => '!',
        Standing::Fail => '✗',
    }
}
