//! Help and refusals of the command line in the reader's language.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use crate::base::message::text;
use crate::base::{Locale, Message};

/// Puts the texts of `locales/*/cli.ftl` into a command and everything under it.
pub(super) fn localize(command: Command, locale: Locale) -> Command {
    let template = format!(
        "{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}",
        text("cli-word-usage", locale).unwrap_or_default()
    );
    under(command.disable_version_flag(true), "cli", "uzel", &template, locale)
}

fn under(mut command: Command, place: &str, path: &str, template: &str, locale: Locale) -> Command {
    if let Some(about) = text(place, locale) {
        command = command.about(about);
    }
    if let Some(examples) = examples(place, locale) {
        command = command.after_help(examples);
    }
    command = command
        .help_template(template.to_owned())
        .subcommand_help_heading(heading(Heading::Commands, locale))
        .subcommand_value_name(heading(Heading::Command, locale))
        .disable_help_flag(true)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help));
    if place == "cli" {
        command = command.arg(Arg::new("version").short('V').long("version").action(ArgAction::Version));
    }
    let names: Vec<String> = command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
    for name in names {
        // Help and version are the same everywhere.
        let owner = if name == "help" { "cli" } else { place };
        let found = text(&format!("{owner}--{}", name.replace('_', "-")), locale);
        command = command.mut_arg(name, |argument| argument_in(argument, found, locale));
    }
    let usage = command.clone().bin_name(path.to_owned()).render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).replace("[OPTIONS]", heading(Heading::Usage, locale));
    command = command.override_usage(usage);
    let subcommands: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in subcommands {
        let (place, path) = (format!("{place}-{name}"), format!("{path} {name}"));
        command = command.mut_subcommand(name, |sub| under(sub, &place, &path, template, locale));
    }
    command
}

fn examples(place: &str, locale: Locale) -> Option<String> {
    let examples: String = examples_of(place, locale).iter().map(|example| format!("\n  {example}")).collect();
    let word = text("cli-word-examples", locale).unwrap_or_default();
    (!examples.is_empty()).then(|| format!("{word}:{examples}"))
}

/// Examples of a command, by its place (`cli-journal-show`).
pub(super) fn examples_of(place: &str, locale: Locale) -> Vec<String> {
    (1..).map_while(|number| text(&format!("{place}-example-{number}"), locale)).collect()
}

/// An argument with its help, what may be written, and what holds when nothing is.
fn argument_in(argument: Arg, help: Option<String>, locale: Locale) -> Arg {
    let kind = if argument.is_positional() { Heading::Arguments } else { Heading::Options };
    let mut notes = Vec::new();
    let mut note = |word: &str, value: String| {
        notes.push(
            Message::new("cli-help-note").with("word", text(word, locale).unwrap_or_default()).with("value", value),
        );
    };
    let choices: Vec<String> = argument.get_possible_values().iter().map(|it| it.get_name().to_owned()).collect();
    if !choices.is_empty() && argument.get_action().takes_values() {
        note("cli-help-choices", choices.join(", "));
    }
    let defaults: Vec<String> = argument.get_default_values().iter().map(|it| it.display().to_string()).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        note("cli-help-default", defaults.join(" "));
    }
    if let Some(variable) = argument.get_env() {
        note("cli-help-variable", variable.display().to_string());
    }
    let notes: Vec<String> = notes.iter().map(|note| note.render(locale)).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" [{}]", notes.join("; ")) };
    let mut argument = argument.help_heading(heading(kind, locale)).hide_env(true);
    if argument.get_action().takes_values() {
        argument = argument.hide_possible_values(true).hide_default_value(true);
    }
    match help {
        Some(help) => argument.help(format!("{help}{notes}")),
        None => argument,
    }
}

/// What is wrong with a command line, in the reader's language; `None` for what is no refusal
/// (help, version).
pub(super) fn refusal(error: &clap::Error, locale: Locale) -> Option<String> {
    let said = |kind: ContextKind| error.get(kind).map(words).unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::DisplayVersion => {
            return None;
        }
        ErrorKind::UnknownArgument => {
            near("cli-refused-argument", said(ContextKind::InvalidArg), said(ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => {
            near("cli-refused-command", said(ContextKind::InvalidSubcommand), said(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::MissingRequiredArgument => {
            Message::new("cli-refused-missing").with("what", said(ContextKind::InvalidArg))
        }
        ErrorKind::MissingSubcommand => {
            Message::new("cli-refused-missing").with("what", heading(Heading::Command, locale))
        }
        ErrorKind::InvalidValue if said(ContextKind::InvalidValue).is_empty() => {
            Message::new("cli-refused-no-value").with("argument", said(ContextKind::InvalidArg))
        }
        ErrorKind::InvalidValue => Message::new("cli-refused-choice")
            .with("argument", said(ContextKind::InvalidArg))
            .with("value", said(ContextKind::InvalidValue))
            .with("choices", said(ContextKind::ValidValue)),
        ErrorKind::ValueValidation => Message::new("cli-refused-value")
            .with("argument", said(ContextKind::InvalidArg))
            .with("value", said(ContextKind::InvalidValue)),
        ErrorKind::ArgumentConflict if said(ContextKind::InvalidArg) == said(ContextKind::PriorArg) => {
            Message::new("cli-refused-twice").with("argument", said(ContextKind::InvalidArg))
        }
        ErrorKind::ArgumentConflict => Message::new("cli-refused-conflict")
            .with("argument", said(ContextKind::InvalidArg))
            .with("other", said(ContextKind::PriorArg)),
        // The rest (a value too many, not UTF-8) comes in clap's own words.
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Message::new("cli-refused-other").with("detail", line.strip_prefix("error: ").unwrap_or(line))
        }
    };
    let help = Message::new("cli-refused-help");
    Some(format!("{}\n{}", message.render(locale), help.render(locale)))
}

fn near(id: &str, word: String, near: String) -> Message {
    match near.is_empty() {
        true => Message::new(id).with("word", word),
        false => Message::new(&format!("{id}-near")).with("word", word).with("near", near),
    }
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::StyledStrs(texts) => texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        ContextValue::Number(number) => number.to_string(),
        ContextValue::Bool(yes) => yes.to_string(),
        // clap may add kinds of values.
        _ => String::new(),
    }
}

/// Headings of help.
#[derive(Clone, Copy)]
enum Heading {
    Commands,
    Command,
    Options,
    Arguments,
    Usage,
}

/// clap keeps headings for ever, so they are literals.
fn heading(heading: Heading, locale: Locale) -> &'static str {
    match (heading, locale) {
        (Heading::Commands, Locale::Ru) => "Команды",
        (Heading::Command, Locale::Ru) => "КОМАНДА",
        (Heading::Options, Locale::Ru) => "Ключи",
        (Heading::Arguments, Locale::Ru) => "Аргументы",
        (Heading::Usage, Locale::Ru) => "[КЛЮЧИ]",
        (Heading::Commands, Locale::En) => "Commands",
        (Heading::Command, Locale::En) => "COMMAND",
        (Heading::Options, Locale::En) => "Options",
        (Heading::Arguments, Locale::En) => "Arguments",
        (Heading::Usage, Locale::En) => "[OPTIONS]",
    }
}
