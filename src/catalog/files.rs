//! The files that a configuration is compiled from: built-ins, overlaid by those of the
//! configuration folder that have the same relative name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::{Message, Problem};

mod builtin {
    include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
}

/// Folders that hold files of a configuration.
const FOLDERS: [&str; 3] = ["connectors", "mappings", "rules"];

/// Relative name -> content, in the order of names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSet {
    files: BTreeMap<String, String>,
}

impl FileSet {
    /// No files.
    pub fn empty() -> FileSet {
        FileSet::default()
    }

    /// The files compiled into the program.
    pub fn builtin() -> FileSet {
        let files = builtin::FILES.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned()));
        FileSet { files: files.collect() }
    }

    /// The built-ins overlaid by the files of a configuration folder; a folder that is not there
    /// overlays nothing. Files that cannot be read are reported all at once.
    pub fn with_folder(folder: &Path) -> Result<FileSet, Vec<Problem>> {
        let mut set = FileSet::builtin();
        let mut problems = Vec::new();
        for part in FOLDERS {
            read_folder(&folder.join(part), part, &mut set, &mut problems);
        }
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// Lays the files of `folder` over those of the part `mappings`, `rules` or `connectors`.
    pub fn overlay(&mut self, part: &str, folder: &Path) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if let Err(error) = std::fs::read_dir(folder) {
            let message = Message::new("catalog-file-unreadable").with("detail", error);
            return Err(vec![Problem::new(folder.display().to_string(), 0, message)]);
        }
        read_folder(folder, part, self, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Puts a file in place of the one of the same name, if there is one.
    pub fn put(&mut self, name: &str, content: String) {
        self.files.insert(name.to_owned(), content);
    }

    /// The content of a file.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Names under a folder (`mappings/forms/`), in order.
    pub fn under<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = &'f str> {
        self.names().filter(move |name| name.starts_with(folder))
    }

    /// Slugs of the connectors that have a manifest, in order.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        self.names().filter_map(|name| name.strip_prefix("connectors/")?.strip_suffix("/connector.toml"))
    }
}

fn read_folder(folder: &Path, name: &str, set: &mut FileSet, problems: &mut Vec<Problem>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{name}/{own}");
        let path = entry.path();
        if path.is_dir() {
            read_folder(&path, &name, set, problems);
        } else if own.ends_with(".toml") || own.ends_with(".md") {
            match std::fs::read_to_string(&path) {
                Ok(content) => set.put(&name, content),
                Err(error) => {
                    problems.push(Problem::new(name, 0, Message::new("catalog-file-unreadable").with("detail", error)));
                }
            }
        }
    }
}
