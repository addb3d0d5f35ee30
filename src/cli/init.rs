//! `uzel init`: a folder with a commented `uzel.toml` and fresh secrets. On a terminal it asks
//! ([`super::init_ask`]); every answer can be given on the command line instead.

use std::io::IsTerminal as _;

use super::init_ask::{self, Console};
use super::{Context, Done};
use crate::app::error::Told;
use crate::app::{Folder, Made, Order, init, look};
use crate::base::{Message, Secret};
use crate::config::{NewConnection, NewSettings, quoted};
use crate::probe::{ProbeView, Standing};

/// Zone of a company that has not said where it is.
const ZONE: &str = "Europe/Moscow";
/// The connection and the connector of an outgoing webhook.
const OUTBOUND: &str = "outbound";

/// Arguments of `uzel init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long, env = "UZEL_BITRIX24_WEBHOOK", hide_env_values = true)]
    bitrix24: Option<String>,
    #[arg(long)]
    portal: Option<String>,
    #[arg(long)]
    client_id: Option<String>,
    #[arg(long, env = "UZEL_BITRIX24_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    #[arg(long, env = "UZEL_ALLOW_PRIVATE")]
    allow_private: bool,
    #[arg(long)]
    company: Option<String>,
    #[arg(long)]
    zone: Option<String>,
    #[arg(long, value_delimiter = ',')]
    inn: Vec<String>,
    #[arg(long)]
    public_url: Option<String>,
    #[arg(long, value_delimiter = ',', value_parser = ["site", "tilda", "1c", "bitrix24"])]
    connect: Option<Vec<String>>,
    #[arg(long)]
    watch: Option<String>,
    #[arg(long, env = "UZEL_OUTBOUND_URL", hide_env_values = true)]
    outbound: Option<String>,
    #[arg(long)]
    employees: bool,
    #[arg(long)]
    no_probe: bool,
    #[arg(long, short = 'y', conflicts_with = "ask")]
    yes: bool,
    #[arg(long)]
    ask: bool,
}

/// What is known before anything is made; the dialogue fills in what was not said.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    pub(super) company: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) inns: Option<Vec<String>>,
    pub(super) public_url: Option<String>,
    /// Connections by name: `site`, `tilda`, `1c`, `bitrix24`; `None`: nobody has said.
    pub(super) connect: Option<Vec<String>>,
    pub(super) watch: Option<String>,
    /// Where an outgoing webhook goes.
    pub(super) outbound: Option<String>,
    pub(super) webhook: Option<String>,
    pub(super) portal: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) allow_private: bool,
    pub(super) employees: bool,
    pub(super) found: Option<ProbeView>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    let is_new = !folder.settings_file().exists();
    let (probes, says_json) = (!args.no_probe, context.json);
    let asks = args.ask || (is_new && !args.yes && !says_json && std::io::stdin().is_terminal());
    let mut answers = Answers {
        company: args.company,
        zone: args.zone,
        inns: (!args.inn.is_empty()).then_some(args.inn),
        public_url: args.public_url,
        connect: args.connect,
        watch: args.watch,
        outbound: outbound(args.outbound)?,
        webhook: args.bitrix24.filter(|it| !it.trim().is_empty()),
        portal: args.portal,
        client_id: args.client_id,
        client_secret: args.client_secret.filter(|it| !it.trim().is_empty()),
        allow_private: args.allow_private,
        employees: args.employees,
        found: None,
    };
    if asks {
        let stdin = std::io::stdin();
        let console = Console::new(stdin.lock(), context, !std::io::stdin().is_terminal());
        answers = init_ask::ask(console, answers, &folder, is_new, probes).await?;
    }
    if probes && is_new && answers.found.is_none() && answers.webhook.is_some() {
        answers.found = probe(&answers, &folder, context).await?;
        if let Some(found) = answers.found.as_ref().filter(|_| !says_json) {
            super::probe::print(found, context);
            println!();
        }
    }
    if answers.employees && !is_new && answers.found.is_none() {
        answers.found = ask_again(context).await?;
    }
    let fails = answers.found.as_ref().is_some_and(|it| it.standing == Standing::Fail);
    let made = init(&folder, order(answers, is_new, context))?;
    if says_json {
        context.print_json(&made)?;
    } else {
        show(&made, context);
    }
    Ok(if fails { Done::Problems } else { Done::Well })
}

/// An address that can be one, before anything is made.
fn outbound(given: Option<String>) -> anyhow::Result<Option<String>> {
    let Some(text) = given.filter(|it| !it.trim().is_empty()) else { return Ok(None) };
    Ok(Some(crate::app::answers::address(text.trim()).map_err(Told)?))
}

/// Asks the CRM that was named, before anything is made.
pub(super) async fn probe(answers: &Answers, folder: &Folder, context: &Context) -> anyhow::Result<Option<ProbeView>> {
    let Some(webhook) = &answers.webhook else { return Ok(None) };
    let secrets = vec![("webhook_url".to_owned(), Secret::new(webhook.trim()))];
    look(folder, &bitrix24(answers), secrets, context.locale).await
}

/// Asks the CRM of a folder that is there, through the daemon when it runs. Nothing but its users is
/// wanted.
async fn ask_again(context: &Context) -> anyhow::Result<Option<ProbeView>> {
    let connected = context.connect().await?;
    let views = connected.client.post::<Vec<ProbeView>>("probe", context.locale).await;
    connected.close().await;
    let found = views?.into_iter().find(|view| view.dictionary("user").next().is_some());
    found.map(Some).ok_or_else(|| told("init-no-users"))
}

fn bitrix24(answers: &Answers) -> NewConnection {
    let mut connection = NewConnection::new("bitrix24", "bitrix24", &["mode = \"observe\""]);
    if answers.allow_private {
        connection.lines.push("allow_private = true".to_owned());
    }
    for (name, value) in [("portal", &answers.portal), ("client_id", &answers.client_id)] {
        connection.lines.extend(value.as_ref().map(|value| format!("{name} = {}", quoted(value.trim()))));
    }
    connection
}

/// The order that the answers make. Of a folder that is there only what was named is wanted.
fn order(answers: Answers, is_new: bool, context: &Context) -> Order {
    let names = answers.connect.clone().unwrap_or_else(|| {
        let usual: &[&str] = if is_new { &["site", "tilda", "1c", "bitrix24"] } else { &[] };
        usual.iter().map(|name| (*name).to_owned()).collect()
    });
    let mut connections = Vec::new();
    for name in &names {
        connections.push(match name.as_str() {
            "site" => NewConnection::new("site", "forms", &[]),
            "tilda" => NewConnection::new("tilda", "tilda", &[]),
            "1c" => NewConnection::new("1c", "commerceml", &[]),
            _ => bitrix24(&answers),
        });
    }
    if let Some(path) = answers.watch.as_ref().filter(|path| !path.trim().is_empty()) {
        let line = format!("path = {}", quoted(path));
        connections.push(NewConnection::new("folder", "folder", &[&line]));
    }
    let mut secrets = Vec::new();
    let mut keep = |connection: &str, setting: &str, secret: &str| {
        secrets.push((connection.to_owned(), setting.to_owned(), Secret::new(secret.trim())));
    };
    answers.client_secret.iter().for_each(|it| keep("bitrix24", "client_secret", it));
    if let Some(address) = &answers.outbound {
        let mut lines = vec!["mode = \"observe\""];
        if crate::app::answers::is_local(address) {
            lines.push("allow_private = true");
        }
        connections.push(NewConnection::new(OUTBOUND, OUTBOUND, &lines));
        keep(OUTBOUND, "url", address);
    }
    Order {
        new: NewSettings {
            locale: context.locale,
            company: answers.company.unwrap_or_default(),
            zone: answers.zone.unwrap_or_else(|| ZONE.to_owned()),
            own_inns: answers.inns.unwrap_or_default(),
            public_url: answers.public_url.unwrap_or_default(),
            connections,
        },
        secrets,
        webhook: answers.webhook.map(|it| Secret::new(it.trim())),
        found: answers.found,
        employees: answers.employees,
    }
}

/// The zone of this machine, where it has one that says something.
pub(super) fn zone_of_machine() -> String {
    let zone = jiff::tz::TimeZone::try_system().ok();
    let name = zone.as_ref().and_then(|zone| zone.iana_name()).filter(|name| name.contains('/'));
    name.filter(|name| !name.starts_with("Etc/")).unwrap_or(ZONE).to_owned()
}

fn show(made: &Made, context: &Context) {
    let say = |message: Message| println!("{}", context.say(&message));
    let done = match (made.is_new, made.added.is_empty()) {
        (true, _) => Message::new("cli-init-done"),
        (false, true) => Message::new("cli-init-kept"),
        (false, false) => Message::new("cli-init-added").with("names", made.added.join(", ")),
    };
    say(done.with("file", &made.settings_file));
    if let Some(file) = &made.employees_file {
        say(Message::new("cli-init-employees-made").with("file", file));
    }
    if made.employees_kept {
        say(Message::new("cli-init-employees-kept"));
    }
    if !made.addresses.is_empty() {
        say(Message::new("cli-init-addresses"));
    }
    for address in &made.addresses {
        println!("  {}: {}", address.connection, address.address);
        if let (Some(login), Some(password)) = (&address.login, &address.password) {
            say(Message::new("cli-init-login").with("login", login).with("password", password));
        }
        if let (None, Some(password)) = (&address.login, &address.password) {
            say(Message::new("cli-init-signing").with("secret", password));
        }
        let paste = match address.connector.as_str() {
            "forms" => "cli-init-paste-forms",
            "tilda" => "cli-init-paste-tilda",
            "commerceml" => "cli-init-paste-commerceml",
            _ => continue,
        };
        say(Message::new(paste));
    }
    for signing in &made.signing {
        say(Message::new("cli-init-outbound").with("connection", &signing.connection));
        say(Message::new("cli-init-signing").with("secret", &signing.secret));
        say(Message::new("cli-init-paste-outbound"));
    }
    say(Message::new("cli-init-next").with("folder", context.folder.display()));
}

/// A refusal in the reader's language.
pub(super) fn told(id: &str) -> anyhow::Error {
    Told(Message::new(id)).into()
}
