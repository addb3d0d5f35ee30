//! `uzel init`: a folder with a commented `uzel.toml` and fresh secrets.

use super::{Context, Done};
use crate::app::{Folder, init};
use crate::base::{Message, Secret};

/// Arguments of `uzel init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long, env = "UZEL_BITRIX24_WEBHOOK", hide_env_values = true)]
    bitrix24: Option<String>,
    #[arg(long)]
    allow_private: bool,
    #[arg(long, default_value = "Europe/Moscow")]
    zone: String,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    let made = init(&folder, args.bitrix24.map(Secret::new), args.allow_private, &args.zone, context.locale)?;
    if context.json {
        context.print_json(&made)?;
        return Ok(Done::Well);
    }
    let done = if made.is_new { "cli-init-done" } else { "cli-init-kept" };
    println!("{}", context.say(&Message::new(done).with("file", &made.settings_file)));
    println!("{}", context.say(&Message::new("cli-init-addresses")));
    for address in &made.addresses {
        println!("  {}: {}", address.connection, address.address);
        if let (Some(login), Some(password)) = (&address.login, &address.password) {
            println!(
                "    {}",
                context.say(&Message::new("cli-init-login").with("login", login).with("password", password))
            );
        }
    }
    println!("{}", context.say(&Message::new("cli-init-next").with("folder", context.folder.display())));
    Ok(Done::Well)
}
