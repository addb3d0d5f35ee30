//! The house keeps to its own plan: `ARCHITECTURE.md` says who may import whom, and this test
//! reads it there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Layer of each module, from the block of layers.
fn layers(page: &str) -> BTreeMap<String, u32> {
    let block = page.split("```text").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of layers");
    let mut layers = BTreeMap::new();
    for line in block.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let layer: u32 = words.next().and_then(|it| it.parse().ok()).expect("a line of layers begins with its number");
        layers.extend(words.map(|module| (module.to_owned(), layer)));
    }
    layers
}

/// What each module may import, from the table; `None`: everything below it.
fn allowed(page: &str) -> BTreeMap<String, Option<BTreeSet<String>>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let mut allowed = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        if cells.len() != 3 {
            continue;
        }
        let module = cells[0].trim_matches('`').to_owned();
        if cells[2] == "all below" {
            allowed.insert(module, None);
            continue;
        }
        let mut names = BTreeSet::new();
        // What stands in brackets is the reason, not a name.
        let mut plain = String::new();
        let mut depth = 0;
        for letter in cells[2].chars() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ if depth == 0 => plain.push(letter),
                _ => {}
            }
        }
        names
            .extend(plain.split(',').map(str::trim).filter(|it| !it.is_empty() && *it != "nothing").map(str::to_owned));
        allowed.insert(module, Some(names));
    }
    allowed
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry of the sources").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

/// Source without comments and without inline test modules (tests may use everything).
fn code_of(text: &str) -> String {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    production.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Modules named by `crate::...` paths, also inside one level of braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut at_name = true;
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => at_name = true,
                    _ if depth == 0 && at_name && (letter.is_alphanumeric() || letter == '_') => word.push(letter),
                    _ if depth == 0 && at_name && letter == ':' => at_name = false,
                    _ => {}
                }
                if !at_name || letter == ',' {
                    found.extend(Some(std::mem::take(&mut word)).filter(|it| !it.is_empty()));
                }
            }
            found.extend(Some(word).filter(|it| !it.is_empty()));
        } else {
            found.insert(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    found
}

#[test]
fn every_import_is_in_the_table() {
    let page = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let (layers, allowed) = (layers(&page), allowed(&page));
    let mut files = Vec::new();
    let src = Path::new(ROOT).join("src");
    rust_files(&src, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).expect("a file under src");
        let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(layer) = layers.get(&module) else {
            wrong.push(format!("src/{module}: has no layer in ARCHITECTURE.md; add it to the block of layers"));
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file");
        for import in imports(&code_of(&text)) {
            if import == module || import == "base" || !layers.contains_key(&import) {
                continue;
            }
            let place = format!("src/{}", inside.display());
            if layers[&import] > *layer {
                wrong.push(format!("{place}: imports `{import}`, which lies above `{module}`"));
            }
            match allowed.get(&module) {
                Some(Some(names)) if !names.contains(&import) => {
                    wrong.push(format!("{place}: imports `{import}`, which the table does not allow `{module}`"));
                }
                Some(_) => {}
                None => wrong.push(format!("{place}: `{module}` has no row in the table of imports")),
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{} imports are not in the plan of ARCHITECTURE.md:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn imports_are_seen_in_braces_too() {
    let code =
        "use crate::{base::{Slug, Clock}, model, tables::Deals};\nuse crate::journal::Journal;\ncrate::sink::push();";
    let expected = ["base", "journal", "model", "sink", "tables"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(expected));
}

#[test]
fn only_the_sled_store_and_the_composition_root_know_sled() {
    let mut files = Vec::new();
    rust_files(&Path::new(ROOT).join("src"), &mut files);
    for file in files {
        let name = file.display().to_string();
        let knows = code_of(&fs::read_to_string(&file).expect("a source file")).contains("sled::");
        let may = name.contains("/src/store/") || name.contains("/src/app/");
        assert!(!knows || may, "{name}: names sled; use the Store trait");
    }
}

#[test]
fn no_source_file_holds_two_subjects() {
    let mut files = Vec::new();
    rust_files(&Path::new(ROOT).join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).lines().count();
        assert!(production <= 700, "{}: {production} lines before its tests; part it by subject", file.display());
        assert!(text.starts_with("//!"), "{}: opens without saying what it is for (`//!`)", file.display());
    }
}
