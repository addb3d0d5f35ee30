//! Pages of the manual and completion of shells: every command has its page in both languages, and
//! every shell completes every command. What reads them for people is asked where it is installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use uzel::base::Locale;
use uzel::cli::{help_pages, man_pages};

use super::daemon_support::run;

/// `None`: the program is not installed here. Where all of them must be, a variable says so.
fn asked(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(std::env::var_os("UZEL_READERS_REQUIRED").is_none(), "{program}: {error}");
            println!("{program} is not installed: what it would say was not asked");
            None
        }
    }
}

/// Every command, and what stands under it.
fn commands() -> Vec<(String, BTreeSet<String>)> {
    let names: Vec<String> = help_pages(Locale::En).into_iter().map(|(name, _)| name).collect();
    let under = |name: &str| {
        let begin = format!("{name} ");
        let under = names.iter().filter_map(|it| it.strip_prefix(&begin)).filter(|it| !it.contains(' '));
        under.map(str::to_owned).collect()
    };
    names.iter().map(|name| (name.clone(), under(name))).collect()
}

#[test]
fn every_command_has_its_page_in_both_languages() {
    let expected: BTreeSet<String> =
        commands().iter().map(|(name, _)| format!("{}.1", name.replace(' ', "-"))).collect();
    assert!(expected.contains("uzel-journal-show.1"), "{expected:?}");
    let folder = tempfile::tempdir().expect("a folder");
    for (locale, language, heading) in [(Locale::Ru, "ru", ".SH ОБЗОР"), (Locale::En, "en", ".SH SYNOPSIS")] {
        let name = folder.path().join(language).display().to_string();
        let said = run(&["man", &name, "--lang", language, "--json"]);
        assert_eq!(said.code, 0, "{said:?}");
        let files = std::fs::read_dir(&name).expect("the folder was made");
        let written: BTreeSet<String> =
            files.map(|it| it.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(written, expected);
        let told: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(told["pages"].as_array().map(Vec::len), Some(expected.len()), "{told:#}");
        for page in man_pages(locale) {
            let held = std::fs::read_to_string(Path::new(&name).join(&page.file)).expect("it was written");
            assert_eq!(held, page.text, "{}", page.file);
            assert_eq!(held.matches(heading).count(), 1, "{}:\n{held}", page.file);
            assert_eq!(held.matches(".TH ").count(), 1, "{}:\n{held}", page.file);
        }
    }
}

#[test]
fn a_page_says_what_the_help_says() {
    for (locale, words) in [(Locale::Ru, "Показать справку"), (Locale::En, "Show help")] {
        for (page, (name, help)) in man_pages(locale).into_iter().zip(help_pages(locale)) {
            assert_eq!(page.file, format!("{}.1", name.replace(' ', "-")));
            let plain = page.text.replace("\\-", "-").replace("\\fB", "").replace("\\fI", "").replace("\\fR", "");
            assert!(plain.contains(words), "{name}:\n{plain}");
            let of_options = |line: &&str| line.trim_start().starts_with('-');
            for line in help.lines().filter(of_options) {
                let option = line.split_whitespace().find(|it| it.starts_with("--")).expect("an option has a name");
                assert!(plain.contains(option), "{name}: {option}\n{plain}");
            }
            for example in help.lines().filter_map(|line| line.strip_prefix("  uzel ")) {
                assert!(plain.contains(example.trim_end()), "{name}: {example}\n{plain}");
            }
        }
    }
}

#[test]
fn pages_are_without_a_fault_for_those_who_read_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for locale in [Locale::Ru, Locale::En] {
        for page in man_pages(locale) {
            let path = folder.path().join(&page.file).display().to_string();
            std::fs::write(&path, &page.text).expect("it is written");
            let Some(said) = asked("mandoc", &["-Tlint", "-Wwarning", &path]) else { return };
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            // Pages bear no date on purpose.
            let faults: Vec<&str> = said.lines().filter(|line| !line.contains("missing date")).collect();
            assert!(faults.is_empty(), "{}: {faults:#?}\n{}", page.file, page.text);
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("it is written");
    let name = file.join("man").display().to_string();
    for (language, words) in [("ru", "Проверьте путь"), ("en", "Check the path")] {
        let said = run(&["man", &name, "--lang", language]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(&name) && said.err.contains(words), "{said:?}");
    }
}

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

#[test]
fn every_shell_is_told_of_every_command_and_option() {
    for shell in SHELLS {
        for language in ["ru", "en"] {
            let said = run(&["completions", shell, "--lang", language]);
            assert_eq!(said.code, 0, "{said:?}");
            for (name, _) in commands() {
                let last = name.rsplit(' ').next().unwrap_or_default();
                assert!(said.out.contains(last), "{shell}: {name}");
            }
            assert!(said.out.contains("replay") && said.out.contains("diff"), "{shell}");
            assert!(!said.out.contains("Print help"), "{shell} speaks one language");
        }
    }
    let said = run(&["completions", "tcsh", "--lang", "en"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("Choose one of: bash, elvish, fish, powershell, zsh"), "{said:?}");
}

#[test]
fn scripts_are_without_a_fault_for_their_shells() {
    let folder = tempfile::tempdir().expect("a folder");
    for (shell, only_read) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        for language in ["ru", "en"] {
            let path = folder.path().join(shell).display().to_string();
            std::fs::write(&path, run(&["completions", shell, "--lang", language]).out).expect("it is written");
            let Some(said) = asked(shell, &[only_read, &path]) else { continue };
            assert!(said.status.success() && said.stderr.is_empty(), "{shell} {language}: {said:?}");
        }
    }
}

#[test]
fn bash_completes_a_command_with_what_stands_under_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("uzel.bash").display().to_string();
    std::fs::write(&script, run(&["completions", "bash"]).out).expect("it is written");
    let mut asking = format!("source '{script}'\n");
    let with_more: Vec<_> = commands().into_iter().filter(|(_, under)| !under.is_empty()).collect();
    for (name, _) in &with_more {
        let last = name.rsplit(' ').next().unwrap_or_default();
        let count = name.split(' ').count();
        asking.push_str(&format!(
            "COMP_WORDS=({name} ''); COMP_CWORD={count}; _uzel uzel '' '{last}'; echo \"${{COMPREPLY[*]}}\"\n"
        ));
    }
    let Some(said) = asked("bash", &["--noprofile", "--norc", "-c", &asking]) else { return };
    let said = String::from_utf8(said.stdout).expect("text");
    assert_eq!(said.lines().count(), with_more.len(), "{said}");
    for (line, (name, under)) in said.lines().zip(&with_more) {
        let offered: BTreeSet<String> =
            line.split_whitespace().filter(|it| !it.starts_with('-')).map(str::to_owned).collect();
        assert_eq!(&offered, under, "{name}");
    }
}
