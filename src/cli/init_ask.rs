//! The dialogue of `uzel init`: lines in, lines out, so that it can be piped. Each answer is checked
//! when it is given; an empty one is the default. Nothing is made before the last answer: whoever
//! stops in the middle leaves nothing behind.

use std::io::{BufRead, Write as _};

use super::Context;
use super::init::{Answers, probe, told, zone_of_machine};
use crate::app::{Folder, answers as checked};
use crate::base::Message;
use crate::base::limits::INIT_ANSWER_BYTES_MAX;
use crate::probe::Standing;

/// Who is asked.
pub(super) struct Console<'a, R> {
    lines: R,
    context: &'a Context,
    /// Nobody sees what is piped in: it is shown, so that the dialogue can be read.
    echoes: bool,
}

impl<'a, R: BufRead> Console<'a, R> {
    /// Answers come out of `lines`.
    pub(super) fn new(lines: R, context: &'a Context, echoes: bool) -> Console<'a, R> {
        Console { lines, context, echoes }
    }

    fn say(&self, message: Message) {
        println!("{}", self.context.say(&message));
    }

    /// One line without its end. The end of the input is a refusal: nothing was made.
    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = Vec::new();
        let mut limited = std::io::Read::take(&mut self.lines, INIT_ANSWER_BYTES_MAX);
        let length = limited.read_until(b'\n', &mut line)?;
        if self.echoes {
            println!("{}", String::from_utf8_lossy(&line).trim());
        }
        if length == 0 {
            return Err(told("init-ask-ended"));
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }

    /// Asks until the answer is one that `check` takes; an empty one is `default`.
    fn ask<T>(
        &mut self,
        question: Message,
        default: &str,
        check: impl Fn(&str) -> Result<T, Message>,
    ) -> anyhow::Result<T> {
        loop {
            let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
            print!("{}{shown}: ", self.context.say(&question));
            std::io::stdout().flush()?;
            let line = self.line()?;
            let given = if line.is_empty() { default } else { &line };
            match check(given) {
                Ok(value) => return Ok(value),
                Err(message) => self.say(message),
            }
        }
    }

    fn yes(&mut self, question: Message, default: bool) -> anyhow::Result<bool> {
        let shown = self.context.say(&Message::new(if default { "init-ask-yes" } else { "init-ask-no" }));
        self.ask(question, &shown, |text| match text.to_lowercase().as_str() {
            "д" | "да" | "y" | "yes" => Ok(true),
            "н" | "нет" | "n" | "no" => Ok(false),
            _ => Err(Message::new("init-ask-yes-or-no")),
        })
    }
}

/// Asks what was not said on the command line. Of a folder that is there only connections are asked
/// about that it does not have.
pub(super) async fn ask<R: BufRead>(
    mut console: Console<'_, R>,
    mut answers: Answers,
    folder: &Folder,
    is_new: bool,
    probes: bool,
) -> anyhow::Result<Answers> {
    console.say(Message::new("init-ask-begin").with("folder", folder.root().display()));
    if is_new {
        company(&mut console, &mut answers)?;
    }
    let has: Vec<String> = match folder.settings() {
        Ok(settings) => settings.connections.iter().map(|it| it.name.to_string()).collect(),
        // A folder that is new has none; one that does not read is refused when it is made.
        Err(_) => Vec::new(),
    };
    let is_missing = |name: &str| !has.iter().any(|it| it == name);
    if answers.connect.is_none() {
        let mut connect = Vec::new();
        for (name, question, default) in
            [("site", "init-ask-site", true), ("tilda", "init-ask-tilda", false), ("1c", "init-ask-1c", true)]
        {
            if is_missing(name) && console.yes(Message::new(question), default && is_new)? {
                connect.push(name.to_owned());
            }
        }
        answers.connect = Some(connect);
    }
    if answers.watch.is_none() && is_missing("folder") {
        let path = console.ask(Message::new("init-ask-watch"), "", |text| Ok(text.to_owned()))?;
        answers.watch = (!path.is_empty()).then_some(path);
    }
    if is_missing("bitrix24") {
        bitrix24(&mut console, &mut answers, folder, probes).await?;
    }
    Ok(answers)
}

fn company<R: BufRead>(console: &mut Console<'_, R>, answers: &mut Answers) -> anyhow::Result<()> {
    if answers.company.is_none() {
        answers.company = Some(console.ask(Message::new("init-ask-company"), "", |text| Ok(text.to_owned()))?);
    }
    if answers.zone.is_none() {
        let zone = console.ask(Message::new("init-ask-zone"), &zone_of_machine(), |text| {
            let known = jiff::tz::TimeZone::get(text).is_ok();
            known.then(|| text.to_owned()).ok_or_else(|| Message::new("app-unknown-zone").with("zone", text))
        })?;
        answers.zone = Some(zone);
    }
    if answers.inns.is_none() {
        let inns = console.ask(Message::new("init-ask-inn"), "", checked::inns)?;
        answers.inns = Some(inns);
    }
    if answers.public_url.is_none() {
        let url = console.ask(Message::new("init-ask-public"), "", |text| {
            let fits = text.is_empty() || text.starts_with("https://") || text.starts_with("http://");
            fits.then(|| text.trim_end_matches('/').to_owned())
                .ok_or_else(|| Message::new("config-public-url").with("url", text))
        })?;
        answers.public_url = Some(url);
    }
    Ok(())
}

async fn bitrix24<R: BufRead>(
    console: &mut Console<'_, R>,
    answers: &mut Answers,
    folder: &Folder,
    probes: bool,
) -> anyhow::Result<()> {
    let said = answers.webhook.is_some() || answers.portal.is_some();
    let way = match said {
        true => 0,
        false => console.ask(Message::new("init-ask-crm"), "1", |text| {
            text.parse::<u8>().ok().filter(|it| (1..=3).contains(it)).ok_or_else(|| Message::new("init-ask-crm-number"))
        })?,
    };
    if way == 3 {
        return Ok(());
    }
    let connect = answers.connect.get_or_insert_default();
    if !connect.iter().any(|it| it == "bitrix24") {
        connect.push("bitrix24".to_owned());
    }
    if way == 2 {
        answers.portal = Some(console.ask(Message::new("init-ask-portal"), "", checked::address)?);
        answers.client_id = Some(console.ask(Message::new("init-ask-client-id"), "", filled)?);
        answers.client_secret = Some(console.ask(Message::new("init-ask-client-secret"), "", filled)?);
    }
    if answers.portal.is_some() {
        console.say(Message::new("init-ask-connect-later"));
        return Ok(());
    }
    loop {
        if answers.webhook.is_none() {
            answers.webhook = Some(console.ask(Message::new("init-ask-webhook"), "", checked::webhook)?);
        }
        let address = answers.webhook.clone().unwrap_or_default();
        if !answers.allow_private && (address.starts_with("http://") || checked::is_local(&address)) {
            answers.allow_private = console.yes(Message::new("init-ask-private"), true)?;
        }
        if !probes {
            return Ok(());
        }
        console.say(Message::new("init-ask-probing"));
        answers.found = probe(answers, folder, console.context).await?;
        let Some(found) = &answers.found else { return Ok(()) };
        super::probe::print(found, console.context);
        println!();
        if found.standing != Standing::Fail {
            break;
        }
        if !console.yes(Message::new("init-ask-another"), true)? {
            return Ok(());
        }
        (answers.webhook, answers.allow_private) = (None, false);
    }
    let users = answers.found.as_ref().map_or(0, |it| it.dictionary("user").filter(|user| user.active).count());
    if users > 0 && !answers.employees {
        answers.employees = console.yes(Message::new("init-ask-employees").with("count", users), true)?;
    }
    Ok(())
}

fn filled(text: &str) -> Result<String, Message> {
    if text.is_empty() { Err(Message::new("init-ask-empty")) } else { Ok(text.to_owned()) }
}
