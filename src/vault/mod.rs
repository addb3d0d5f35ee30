//! Secrets at rest: one owner-only JSON file, `vault.json` in the data folder.
//!
//! Names are `<connection>.<setting>` (`site.secret`, `bitrix24.refresh_token`) and `api.token`.
//! The file is read whole at [`Vault::open`] and replaced whole at each [`Vault::set`]: a temporary
//! file of mode 0600 beside it, `fsync`, rename, `fsync` of the folder. So a power cut leaves the old
//! file or the new one. There is one writer: the process that owns the folder, and in it a mutex.
//!
//! The value before the present one is kept: addresses with the old secret go on working while an
//! administrator changes them on the site, and a refresh token that the other side never took over
//! can be tried again.
//!
//! The file, version 1:
//!
//! ```json
//! {"version":1,"secrets":{"site.secret":{"current":"...","previous":"..."}}}
//! ```
//!
//! Not here: encryption. Whoever can read the file as its owner can read the program's memory too.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::base::limits::{VAULT_BYTES_MAX, VAULT_NAME_BYTES_MAX};
use crate::base::{Message, Secret};

/// Version of the file that this build writes.
pub const VERSION: u32 = 1;

/// Why the vault cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Others than its owner may read the file.
    #[error("{0}")]
    Exposed(Message),
    /// The file is not a vault, or one of a newer version.
    #[error("{0}")]
    Damaged(Message),
    /// The name of a secret is not `<connection>.<setting>`.
    #[error("{0}")]
    Name(Message),
    /// The disk failed.
    #[error("{message}")]
    Io {
        /// What was read or written.
        message: Message,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl VaultError {
    /// The text for people.
    pub fn message(&self) -> &Message {
        match self {
            VaultError::Exposed(message) | VaultError::Damaged(message) | VaultError::Name(message) => message,
            VaultError::Io { message, .. } => message,
        }
    }
}

/// A secret and the one before it.
#[derive(Debug, Clone)]
struct Kept {
    current: Secret,
    previous: Option<Secret>,
}

/// The secrets of one data folder.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    secrets: Mutex<BTreeMap<String, Kept>>,
}

impl Vault {
    /// Reads the file; a missing one is an empty vault, created at the first [`Vault::set`].
    pub fn open(path: &Path) -> Result<Vault, VaultError> {
        let secrets = match File::open(path) {
            Ok(file) => {
                refuse_exposed(path, &file)?;
                read(path, file)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(io_error("vault-read", path, source)),
        };
        Ok(Vault { path: path.to_path_buf(), secrets: Mutex::new(secrets) })
    }

    /// The present value of `name`.
    pub fn get(&self, name: &str) -> Option<Secret> {
        self.lock().get(name).map(|kept| kept.current.clone())
    }

    /// The value before the present one.
    pub fn previous(&self, name: &str) -> Option<Secret> {
        self.lock().get(name).and_then(|kept| kept.previous.clone())
    }

    /// Sets `name` and has it on the disk when it returns. Setting the present value again changes
    /// nothing, so that a repeated step does not push the previous value out.
    pub fn set(&self, name: &str, secret: Secret) -> Result<(), VaultError> {
        check_name(name)?;
        let mut secrets = self.lock();
        let before = secrets.get(name).map(|kept| kept.current.clone());
        if before.as_ref() == Some(&secret) {
            return Ok(());
        }
        let mut next = secrets.clone();
        next.insert(name.to_owned(), Kept { current: secret, previous: before });
        write(&self.path, &next)?;
        *secrets = next;
        Ok(())
    }

    /// Forgets `name` and its previous value.
    pub fn remove(&self, name: &str) -> Result<(), VaultError> {
        let mut secrets = self.lock();
        if !secrets.contains_key(name) {
            return Ok(());
        }
        let mut next = secrets.clone();
        next.remove(name);
        write(&self.path, &next)?;
        *secrets = next;
        Ok(())
    }

    /// The names, in order; values are never listed.
    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        // The map is replaced only after the file was: a panic in between leaves both as they were.
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file, version 1.
#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    #[serde(default)]
    secrets: BTreeMap<String, StoredSecret>,
}

#[derive(Serialize, Deserialize)]
struct StoredSecret {
    current: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

fn read(path: &Path, file: File) -> Result<BTreeMap<String, Kept>, VaultError> {
    use io::Read as _;
    let damaged = |id: &str| VaultError::Damaged(Message::new(id).with("path", path.display()));
    let mut text = Vec::new();
    file.take(VAULT_BYTES_MAX + 1).read_to_end(&mut text).map_err(|source| io_error("vault-read", path, source))?;
    if text.len() as u64 > VAULT_BYTES_MAX {
        return Err(damaged("vault-damaged"));
    }
    // The cause is not shown: serde quotes what it read, and that may be a secret.
    let stored: Stored = serde_json::from_slice(&text).map_err(|_| damaged("vault-damaged"))?;
    if stored.version != VERSION {
        return Err(damaged("vault-newer"));
    }
    let kept = |it: StoredSecret| Kept { current: Secret::new(it.current), previous: it.previous.map(Secret::new) };
    Ok(stored.secrets.into_iter().map(|(name, it)| (name, kept(it))).collect())
}

fn write(path: &Path, secrets: &BTreeMap<String, Kept>) -> Result<(), VaultError> {
    let stored = |kept: &Kept| StoredSecret {
        current: kept.current.expose().to_owned(),
        previous: kept.previous.as_ref().map(|it| it.expose().to_owned()),
    };
    let file =
        Stored { version: VERSION, secrets: secrets.iter().map(|(name, kept)| (name.clone(), stored(kept))).collect() };
    let text = serde_json::to_vec(&file).expect("maps of text have no form that JSON refuses");
    replace(path, &text).map_err(|source| io_error("vault-write", path, source))
}

/// Order: content on the disk, then the name, then the folder; any prefix of it is a whole vault.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("json.new");
    match fs::remove_file(&temporary) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = owner_only().open(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    sync_folder(path)
}

/// A new file, never one that somebody put there before with a mode of their own.
fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), VaultError> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = file.metadata().map_err(|source| io_error("vault-read", path, source))?.mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let message = Message::new("vault-exposed").with("path", path.display()).with("mode", format!("{mode:04o}"));
    Err(VaultError::Exposed(message))
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &File) -> Result<(), VaultError> {
    Ok(())
}

fn check_name(name: &str) -> Result<(), VaultError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    let part_fits = |part: &str| !part.is_empty() && part.bytes().all(allowed);
    let parts = name.split_once('.');
    let fits = parts.is_some_and(|(connection, setting)| part_fits(connection) && part_fits(setting));
    if fits && name.len() <= VAULT_NAME_BYTES_MAX {
        return Ok(());
    }
    Err(VaultError::Name(Message::new("vault-name").with("name", name)))
}

fn io_error(id: &str, path: &Path, source: io::Error) -> VaultError {
    VaultError::Io { message: Message::new(id).with("path", path.display()).with("cause", &source), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder can be made")
    }

    fn shown(secret: Option<Secret>) -> Option<String> {
        secret.map(|it| it.expose().to_owned())
    }

    #[test]
    fn what_was_set_is_there_after_opening_again_with_the_value_before() {
        let folder = folder();
        let path = folder.path().join("vault.json");
        let vault = Vault::open(&path).expect("a missing file is an empty vault");
        assert_eq!(vault.names(), Vec::<String>::new());
        for value in ["one", "two", "two"] {
            vault.set("site.secret", Secret::new(value)).expect("the folder is writable");
        }
        vault.set("api.token", Secret::new("token")).expect("the folder is writable");

        let again = Vault::open(&path).expect("own file");
        assert_eq!(again.names(), ["api.token", "site.secret"]);
        assert_eq!(shown(again.get("site.secret")).as_deref(), Some("two"));
        assert_eq!(shown(again.previous("site.secret")).as_deref(), Some("one"));
        assert_eq!(shown(again.previous("api.token")), None);
        assert_eq!(shown(again.get("other.secret")), None);

        again.remove("site.secret").expect("the folder is writable");
        assert_eq!(Vault::open(&path).expect("own file").names(), ["api.token"]);
        assert!(format!("{vault:?}").contains("***") && !format!("{vault:?}").contains("two"), "values are masked");
    }

    #[test]
    fn names_that_are_not_connection_dot_setting_are_refused() {
        let folder = folder();
        let vault = Vault::open(&folder.path().join("vault.json")).expect("empty");
        for name in ["", "secret", ".secret", "site.", "Site.secret", "a.b.c", "сайт.secret"] {
            assert!(matches!(vault.set(name, Secret::new("x")), Err(VaultError::Name(_))), "{name}");
        }
        assert!(matches!(vault.set(&format!("a.{}", "b".repeat(200)), Secret::new("x")), Err(VaultError::Name(_))));
    }

    #[test]
    fn foreign_content_is_refused_and_not_quoted() {
        let folder = folder();
        let path = folder.path().join("vault.json");
        for (text, id) in [
            ("", "vault-damaged"),
            ("{\"hunter2\"", "vault-damaged"),
            (r#"{"version":1,"secrets":{"a.b":{"current":7}}}"#, "vault-damaged"),
            (r#"{"version":2,"secrets":{}}"#, "vault-newer"),
        ] {
            let _ = fs::remove_file(&path);
            owner_only().open(&path).and_then(|mut it| it.write_all(text.as_bytes())).expect("writable");
            let error = Vault::open(&path).expect_err(text);
            assert_eq!(error.message().id, id, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused_and_ours_is_owner_only() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let folder = folder();
        let path = folder.path().join("vault.json");
        let vault = Vault::open(&path).expect("empty");
        // A leftover of an interrupted write, with a mode of its own, is not taken over.
        fs::write(path.with_extension("json.new"), "old").expect("writable");
        vault.set("site.secret", Secret::new("s")).expect("writable");
        assert_eq!(fs::metadata(&path).expect("written").mode() & 0o777, 0o600);
        assert!(!path.with_extension("json.new").exists());

        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own file");
            let error = Vault::open(&path).expect_err("others may read it");
            assert!(matches!(error, VaultError::Exposed(_)));
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_failed_write_changes_neither_file_nor_memory() {
        let folder = folder();
        let path = folder.path().join("vault.json");
        let vault = Vault::open(&path).expect("empty");
        vault.set("site.secret", Secret::new("one")).expect("writable");
        // A folder in the place of the temporary file makes the write fail, for root too.
        fs::create_dir(path.with_extension("json.new")).expect("writable");
        assert!(matches!(vault.set("site.secret", Secret::new("two")), Err(VaultError::Io { .. })));
        assert_eq!(shown(vault.get("site.secret")).as_deref(), Some("one"));
        let again = Vault::open(&path).expect("own file");
        assert_eq!(shown(again.get("site.secret")).as_deref(), Some("one"));
    }
}
