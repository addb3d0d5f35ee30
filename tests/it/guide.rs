//! The guide "from nothing to the first lead" is followed to the letter: every block of commands of
//! both languages is run in one shell, as a person would, and must answer what the guide shows. A
//! portal is the only thing not at hand: its twin stands in its place.
//!
//! In the guide an ellipsis stands for anything; ids and plans are examples, and whatever stands in
//! their place is what later commands name.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::daemon_support::{crm, crm_deals, until};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Above this a command that has not ended never will.
const PATIENCE: Duration = Duration::from_secs(60);
/// Above this an answer that is not as shown stays so.
const SETTLES: Duration = Duration::from_secs(30);

/// A block of commands, and what the guide shows as their answer.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    commands: String,
    answer: Vec<String>,
}

/// The blocks of a page. An answer belongs to the commands before it.
fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```").filter(|it| !it.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match (kind, steps.last_mut()) {
            ("sh", _) => steps.push(Step { commands: block.join("\n"), answer: Vec::new() }),
            ("text", Some(step)) => step.answer.extend(block.iter().map(|line| (*line).to_owned())),
            other => panic!("a block of the guide that is neither commands nor an answer: {other:?}"),
        }
    }
    steps
}

/// One run of white space and lines of tables are alike.
fn plain(line: &str) -> String {
    line.split(|it: char| it.is_whitespace() || it == '─').filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A word that is an example: an id of ours, or a plan.
fn is_example(word: &str) -> bool {
    let is_id = ["cli_", "dl_"].iter().any(|it| word.starts_with(it));
    is_id || (word.len() == 12 && word.bytes().all(|it| it.is_ascii_hexdigit()))
}

/// Whether a line is as shown; what stands in place of examples goes into `known`.
fn fits(shown: &str, line: &str, known: &mut BTreeMap<String, String>) -> bool {
    let (shown, line) = (plain(shown), plain(line));
    let mut found = known.clone();
    let done = fits_words(&shown.split(' ').collect::<Vec<_>>(), &line.split(' ').collect::<Vec<_>>(), &mut found);
    if done {
        *known = found;
    }
    done
}

fn fits_words(shown: &[&str], line: &[&str], known: &mut BTreeMap<String, String>) -> bool {
    let Some((first, rest)) = shown.split_first() else { return line.is_empty() };
    if *first == "…" {
        return (0..=line.len()).any(|skip| {
            let mut tried = known.clone();
            let done = fits_words(rest, &line[skip..], &mut tried);
            if done {
                *known = tried;
            }
            done
        });
    }
    let Some((word, others)) = line.split_first() else { return false };
    let same = match (first.split_once('…'), is_example(first)) {
        // `…` within a word: its beginning and its end are shown.
        (Some((before, after)), _) => {
            let after = after.rsplit('…').next().unwrap_or(after);
            word.len() >= before.len() + after.len() && word.starts_with(before) && word.ends_with(after)
        }
        (None, true) => {
            let held = known.entry((*first).to_owned()).or_insert_with(|| (*word).to_owned());
            held.as_str() == *word && is_example(word)
        }
        (None, false) => first == word,
    };
    same && fits_words(rest, others, known)
}

/// The first shown line that is not among the lines behind the one before it.
fn missing<'s>(shown: &'s [String], said: &str, known: &mut BTreeMap<String, String>) -> Option<&'s String> {
    let mut lines = said.lines();
    shown.iter().find(|shown| !lines.any(|line| fits(shown, line, known)))
}

/// One shell, for as long as the guide lasts.
struct Shell {
    child: Child,
    stdin: ChildStdin,
    said: Receiver<String>,
}

impl Shell {
    fn start(home: &Path, language: &str, variables: &[(&str, String)]) -> Shell {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_uzel"));
        let own = program.parent().expect("it lies in a folder").display().to_string();
        let path = format!("{own}:{}", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).env_clear().env("PATH", path).env("HOME", home).current_dir(home);
        command.env("UZEL_LANG", language).envs(variables.iter().map(|(name, value)| (*name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("bash is there");
        let mut stdin = child.stdin.take().expect("it is piped");
        writeln!(stdin, "exec 2>&1").expect("the shell listens");
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Shell { child, stdin, said }
    }

    /// Runs commands to their end: what they said, and the code of the last one.
    fn run(&mut self, commands: &str) -> (String, String) {
        const END: &str = "== the block has ended: ";
        // The commands' own input is not the shell's: a question would eat the next command.
        writeln!(self.stdin, "{{ {commands}\n}} </dev/null\necho; echo \"{END}$?\"").expect("the shell listens");
        let (began, mut said) = (Instant::now(), String::new());
        loop {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let line = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("no end of {commands:?}:\n{said}"));
            if let Some(code) = line.strip_prefix(END) {
                return (said, code.to_owned());
            }
            said.push_str(&line);
            said.push('\n');
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Whatever the guide left in the background ends with its shell.
        let _gone = writeln!(self.stdin, "kill $(jobs -p) 2>/dev/null; wait; exit");
        let began = Instant::now();
        while began.elapsed() < SETTLES {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        let _killed = self.child.kill();
    }
}

/// Whether a block only looks, so that it may be run again until what was sent has been applied.
fn only_looks(commands: &str) -> bool {
    let looks = ["uzel client", "uzel deal", "uzel score", "uzel outbox list", "uzel sync plan", "uzel probe"];
    commands.lines().all(|line| looks.iter().any(|it| line.starts_with(it)))
}

/// Follows the guide; `portal` is the address that the guide leaves to its reader.
async fn follow(language: &str, portal: &str) {
    let page = fs::read_to_string(format!("{ROOT}/docs/{language}/start.md")).expect("the guide");
    let twin = crm().await;
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("uzel");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it is bound");
    let variables = [("UZEL_LISTEN_ADDRESS", port.to_string()), ("UZEL_ALLOW_PRIVATE", "true".to_owned())];
    let mut shell = Shell::start(home.path(), language, &variables);
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let steps = steps(&page);
    assert!(steps.len() > 8, "{steps:?}");
    for step in steps {
        // What the guide leaves to its reader.
        let mut commands = step.commands.replace("/var/lib/uzel", &folder.display().to_string());
        commands = commands.replace(portal, twin.url().as_str());
        for (example, real) in &known {
            commands = commands.replace(example.as_str(), real);
        }
        let began = Instant::now();
        loop {
            let (said, code) = shell.run(&commands);
            let missed = missing(&step.answer, &said, &mut known).cloned();
            if missed.is_none() && code == "0" {
                break;
            }
            let settles = only_looks(&commands) && began.elapsed() < SETTLES;
            let log = fs::read_to_string(home.path().join("uzel.log")).unwrap_or_default();
            assert!(settles, "$ {commands}\n{said}\nexit code {code}, not as shown: {missed:?}\n{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
        if commands.starts_with("uzel run") {
            // A person goes on when the address is there.
            until("the daemon listens", || {
                fs::read_to_string(home.path().join("uzel.log")).ok().filter(|it| it.contains("http://"))
            });
        }
    }
    let deals = crm_deals(&twin);
    let [deal] = deals.as_slice() else { panic!("one deal in the CRM: {deals:#?}") };
    assert_eq!(
        (deal["TITLE"].as_str(), deal["UF_CRM_UZEL_CLASS"].as_str()),
        (Some("Заявка: Петрова Анна"), Some("C1"))
    );
    assert!(deal["UF_CRM_UZEL_EXPLANATION"].as_str().is_some_and(|it| !it.is_empty()), "{deal:#}");
    drop(shell);
    twin.shut_down().await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_russian_guide_leads_from_nothing_to_the_first_lead() {
    follow("ru", "https://ПОРТАЛ.bitrix24.ru/rest/1/СЕКРЕТ/").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_english_guide_leads_from_nothing_to_the_first_lead() {
    follow("en", "https://PORTAL.bitrix24.ru/rest/1/SECRET/").await;
}

#[test]
fn the_readme_names_the_commands_of_the_guide() {
    for (readme, guide) in [("README.ru.md", "docs/ru/start.md"), ("README.md", "docs/en/start.md")] {
        let read = |name: &str| fs::read_to_string(Path::new(ROOT).join(name)).expect("a page");
        let guide = read(guide);
        let readme = read(readme);
        let install = readme.split("cargo build --release").nth(1).and_then(|it| it.split("```").next());
        let commands = install.expect("a block of commands").lines().filter(|line| line.starts_with("uzel "));
        let mut count = 0;
        for line in commands {
            let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().take(3).collect();
            // `uzel sync plan`, `uzel run`: a command without what follows it.
            let name: Vec<&str> = words.into_iter().filter(|it| it.bytes().all(|it| it.is_ascii_lowercase())).collect();
            assert!(guide.contains(&name.join(" ")), "{name:?} is not in the guide");
            count += 1;
        }
        assert!(count >= 5, "{readme}");
    }
}

#[test]
fn an_answer_is_held_against_what_is_shown() {
    for (shown, said, expected) in [
        ("a … c", "a  b   c", true),
        ("a … c", "a c", true),
        ("a … c", "a b d", false),
        ("http://…/in/site/…", "http://127.0.0.1:1/in/site/x", true),
        ("http://…/x", "https://127.0.0.1:1/x", false),
        ("plan bce8aa217a5a:", "plan bce8aa217a5a:", true),
        ("apply bce8aa217a5a", "apply 000000000001", true),
        ("apply bce8aa217a5a", "apply it", false),
        ("x bce8aa217a5a y bce8aa217a5a", "x 000000000001 y 000000000002", false),
        ("Id Name", "Id   Name", true),
    ] {
        assert_eq!(fits(shown, said, &mut BTreeMap::new()), expected, "{shown} against {said}");
    }
    let mut known = BTreeMap::new();
    let shown = ["a".to_owned(), "dl_1 …".to_owned()];
    assert_eq!(missing(&shown, "dl_2 x\na\nb\n", &mut known), Some(&shown[1]));
    assert_eq!(missing(&shown, "a\nb\ndl_2 x\n", &mut known), None);
    assert_eq!(known.get("dl_1").map(String::as_str), Some("dl_2"));
}
