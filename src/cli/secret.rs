//! `uzel secret`: what the vault keeps for connections. Values are read from the standard input,
//! never from the command line, where others on the machine could see them; they are never shown.

use std::io::Read as _;

use super::{Context, Done};
use crate::app::{Folder, set_secret, vault_names};
use crate::base::limits::SECRET_BYTES_MAX;
use crate::base::{Message, Secret};

/// Subcommands of `uzel secret`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Set { name: String },
    List,
}

pub(super) fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    match sub {
        Sub::Set { name } => {
            let mut text = String::new();
            std::io::stdin().take(SECRET_BYTES_MAX).read_to_string(&mut text)?;
            set_secret(&folder, &name, &Secret::new(text.trim()))?;
            println!("{}", context.say(&Message::new("cli-secret-kept").with("name", name)));
        }
        Sub::List => {
            let names = vault_names(&folder)?;
            if context.json {
                context.print_json(&names)?;
            } else {
                names.iter().for_each(|name| println!("{name}"));
            }
        }
    }
    Ok(Done::Well)
}
