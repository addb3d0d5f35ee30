//! `uzel man`: a page of the manual for the program and one for each command, in the reader's
//! language, made from the same texts as the help.

use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_mangen::roff::{Inline, Roff, bold, roman};
use serde::Serialize;

use super::{Cli, Context, Done, localize};
use crate::app::error::Told;
use crate::base::message::text;
use crate::base::{Locale, Message};

/// Arguments of `uzel man`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    dir: PathBuf,
}

/// One page of the manual.
#[derive(Debug)]
pub struct ManPage {
    /// Its file: `uzel-journal-show.1`.
    pub file: String,
    /// The page, for `man`.
    pub text: String,
}

/// What was written, as data.
#[derive(Debug, Serialize)]
struct Written {
    folder: String,
    pages: Vec<String>,
}

/// Section of the manual in which commands stand.
const SECTION: &str = "1";
/// What the page of the program says besides its help: (heading, term, text), by number.
const PARTS: [&str; 3] = ["man-exit", "man-variable", "man-file"];

pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<Done> {
    let pages = man_pages(context.locale);
    let told = |path: &std::path::Path, error| {
        Told(Message::new("app-path").with("path", path.display()).with("detail", error))
    };
    std::fs::create_dir_all(&args.dir).map_err(|error| told(&args.dir, error))?;
    for page in &pages {
        let path = args.dir.join(&page.file);
        std::fs::write(&path, &page.text).map_err(|error| told(&path, error))?;
    }
    let folder = args.dir.display().to_string();
    if context.json {
        context.print_json(&Written { folder, pages: pages.into_iter().map(|page| page.file).collect() })?;
    } else {
        println!("{}", context.say(&Message::new("man-written").with("pages", pages.len()).with("folder", folder)));
    }
    Ok(Done::Well)
}

/// Every page of the manual in one language, in the order of the command line. They depend on no
/// terminal and no environment.
pub fn man_pages(locale: Locale) -> Vec<ManPage> {
    let mut command = localize::localize(Cli::command(), locale);
    command.build();
    let mut pages = Vec::new();
    add(&command, None, locale, &mut pages);
    pages
}

fn add(command: &clap::Command, above: Option<&str>, locale: Locale, pages: &mut Vec<ManPage>) {
    let name = name_of(command).to_owned();
    pages.push(ManPage { file: format!("{name}.{SECTION}"), text: page(command, above, locale) });
    for sub in command.get_subcommands() {
        add(sub, Some(&name), locale, pages);
    }
}

/// `uzel-journal-show`.
fn name_of(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &clap::Command, above: Option<&str>, locale: Locale) -> String {
    let name = name_of(command);
    let word = |id: &str| text(id, locale).unwrap_or_default();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut head = Roff::new();
    let source = format!("uzel {}", env!("CARGO_PKG_VERSION"));
    // No date: the same build writes the same pages.
    head.control("TH", [name.to_uppercase().as_str(), SECTION, "\"\"", &source, &word("man-manual")]);
    head.control("SH", [heading("man-name", locale).as_str()]);
    let about = about.trim_start_matches("Uzel — ");
    head.text([roman(format!("{name} - {}", about.replace('\n', " ")))]);
    head.control("SH", [heading("man-synopsis", locale).as_str()]);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    let path = command.get_bin_name().unwrap_or(name);
    match usage.strip_prefix(path) {
        Some(rest) => head.text([bold(path), roman(rest)]),
        None => head.text([roman(usage)]),
    };
    let mut tail = Roff::new();
    examples(&mut tail, name, locale);
    match above {
        None => PARTS.iter().for_each(|part| terms(&mut tail, part, locale)),
        Some(above) => {
            tail.control("SH", [heading("man-see", locale).as_str()]);
            tail.text(see(above));
        }
    }
    let mut page = head.render();
    let made = clap_mangen::Man::new(command.clone());
    let mut middle = Vec::new();
    made.render_options_section(&mut middle).expect("writing to memory does not fail");
    if command.has_subcommands() {
        made.render_subcommands_section(&mut middle).expect("writing to memory does not fail");
    }
    for part in [String::from_utf8_lossy(&middle).as_ref(), tail.render().as_str()] {
        part.lines().filter(|line| !is_preamble(line)).for_each(|line| {
            page.push_str(line);
            page.push('\n');
        });
    }
    page
}

/// Headings stand in capitals, as those that come with the options do.
fn heading(id: &str, locale: Locale) -> String {
    text(id, locale).unwrap_or_default().to_uppercase()
}

/// How apostrophes are printed is said once, at the top.
fn is_preamble(line: &str) -> bool {
    line.starts_with(".ie \\n(.g .ds Aq") || line.starts_with(".el .ds Aq")
}

/// Examples of the help, each on its line.
fn examples(page: &mut Roff, name: &str, locale: Locale) {
    let place = name.replacen("uzel", "cli", 1);
    let examples = localize::examples_of(&place, locale);
    if examples.is_empty() {
        return;
    }
    page.control("SH", [heading("cli-word-examples", locale).as_str()]);
    page.control("nf", []);
    examples.into_iter().for_each(|example| {
        page.text([roman(example)]);
    });
    page.control("fi", []);
}

/// A section of terms: `man-exit`, then `man-exit-1-term` and `man-exit-1`, and so on.
fn terms(page: &mut Roff, part: &str, locale: Locale) {
    page.control("SH", [heading(part, locale).as_str()]);
    for number in 1.. {
        let Some(term) = text(&format!("{part}-{number}-term"), locale) else { break };
        page.control("TP", []);
        page.text([bold(term)]);
        page.text([roman(text(&format!("{part}-{number}"), locale).unwrap_or_default())]);
    }
}

/// The page above; the pages under this one are listed among its commands.
fn see(above: &str) -> Vec<Inline> {
    let mut line = Vec::new();
    if above != "uzel" {
        line.extend([bold("uzel"), roman(format!("({SECTION}), "))]);
    }
    line.extend([bold(above), roman(format!("({SECTION})"))]);
    line
}
