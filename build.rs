//! Embeds `connectors/`, `mappings/` and `rules/` into the binary as `(path, content)`, sorted by
//! path, so that one file is all there is to install and the order is the same on every machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const FOLDERS: [&str; 3] = ["connectors", "mappings", "rules"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        collect(&root.join(folder), folder, &mut files)?;
    }
    files.sort();
    let mut code = String::from("/// Every built-in file: path, content; sorted by path.\n");
    code.push_str("pub(super) static FILES: &[(&str, &str)] = &[\n");
    for name in &files {
        let path = root.join(name);
        writeln!(code, "    ({name:?}, include_str!({:?})),", path.display().to_string())
            .expect("writing to a String does not fail");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("builtin.rs"), code)
}

fn collect(folder: &Path, name: &str, files: &mut Vec<String>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let own = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{name}/{own}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, files)?;
        } else if own.ends_with(".toml") || own.ends_with(".md") {
            files.push(name);
        }
    }
    Ok(())
}
