//! Help in the reader's language.

use clap::{Arg, ArgAction, Command};

use crate::base::Locale;
use crate::base::message::text;

/// Puts the texts of `locales/*/cli.ftl` into a command and everything under it.
pub(super) fn localize(command: Command, locale: Locale) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        text("cli-word-usage", locale).unwrap_or_default()
    );
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    under(command.disable_version_flag(true).arg(version), "cli", &template, locale)
}

fn under(mut command: Command, place: &str, template: &str, locale: Locale) -> Command {
    if let Some(about) = text(place, locale) {
        command = command.about(about);
    }
    // clap's own flag comes too late to be translated, so it is declared like any other.
    command = command.disable_help_flag(true).arg(Arg::new("help").short('h').long("help").action(ArgAction::Help));
    let mut examples = String::new();
    for number in 1.. {
        let Some(example) = text(&format!("{place}-example-{number}"), locale) else { break };
        examples.push_str(&format!("\n  {example}"));
    }
    if !examples.is_empty() {
        let word = text("cli-word-examples", locale).unwrap_or_default();
        command = command.after_help(format!("{word}:{examples}"));
    }
    command = command
        .help_template(template.to_owned())
        .subcommand_help_heading(heading(Heading::Commands, locale))
        .next_help_heading(heading(Heading::Options, locale));
    let names: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
    for name in names {
        let own = text(&format!("{place}--{}", name.replace('_', "-")), locale);
        let found = own.or_else(|| if name == "help" { text("cli--help", locale) } else { None });
        let kind = match command.get_arguments().find(|it| it.get_id() == name.as_str()) {
            Some(argument) if argument.is_positional() => Heading::Arguments,
            Some(_) | None => Heading::Options,
        };
        let heading = heading(kind, locale);
        command = command.mut_arg(name, |argument| {
            let argument = argument.help_heading(heading);
            match found {
                Some(help) => argument.help(help),
                None => argument,
            }
        });
    }
    let subcommands: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in subcommands {
        let place = format!("{place}-{name}");
        command = command.mut_subcommand(name, |sub| under(sub, &place, template, locale));
    }
    command
}

/// Headings of help.
#[derive(Clone, Copy)]
enum Heading {
    Commands,
    Options,
    Arguments,
}

/// clap keeps headings for ever, so they are literals.
fn heading(heading: Heading, locale: Locale) -> &'static str {
    match (heading, locale) {
        (Heading::Commands, Locale::Ru) => "Команды",
        (Heading::Options, Locale::Ru) => "Ключи",
        (Heading::Arguments, Locale::Ru) => "Аргументы",
        (Heading::Commands, Locale::En) => "Commands",
        (Heading::Options, Locale::En) => "Options",
        (Heading::Arguments, Locale::En) => "Arguments",
    }
}
