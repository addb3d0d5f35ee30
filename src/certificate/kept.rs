//! What ACME keeps: an owner-only folder with the account, the pair in use, the order under way and
//! the tries that failed.
//!
//! | file | holds | version |
//! | --- | --- | --- |
//! | `account.json` | `{"version":1,"directory":url,"account":...}`; the key of the account | 1 |
//! | `pair.pem` | the key, then the certificate and the way to its authority | PEM |
//! | `order.json` | `{"version":1,"directory":url,"domains":[..],"order":url,"key":PEM}` | 1 |
//! | `tries.json` | `{"version":1,"failed":n,"next":ms,"settings":hash}` | 1 |
//!
//! Each is replaced by a new file of mode 0600 beside it, `fsync`, rename, `fsync` of the folder.
//! What does not read is as if it were not there: an account, an order and a pair can be had again.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{CertificateError, Pair};
use crate::base::limits::CERTIFICATE_FILE_BYTES_MAX;
use crate::base::{Message, Timestamp};

const VERSION: u32 = 1;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    folder: PathBuf,
}

/// An account at an authority.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptAccount<A> {
    version: u32,
    pub(super) directory: String,
    pub(super) account: A,
}

/// An order that is to be finished: the key is ours already, so a crash wastes no certificate.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptOrder {
    version: u32,
    pub(super) directory: String,
    pub(super) domains: Vec<String>,
    pub(super) order: String,
    pub(super) key: String,
}

/// Tries that failed one after another; a restart does not forget them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptTries {
    version: u32,
    pub(super) failed: u32,
    next: i64,
    /// Other settings may go better: they are tried at once.
    settings: String,
}

impl<A> KeptAccount<A> {
    pub(super) fn new(directory: &str, account: A) -> KeptAccount<A> {
        KeptAccount { version: VERSION, directory: directory.to_owned(), account }
    }
}

impl KeptOrder {
    pub(super) fn new(directory: &str, domains: &[String], order: &str, key: String) -> KeptOrder {
        let (directory, order) = (directory.to_owned(), order.to_owned());
        KeptOrder { version: VERSION, directory, domains: domains.to_vec(), order, key }
    }
}

impl KeptTries {
    pub(super) fn new(failed: u32, next: Timestamp, settings: String) -> KeptTries {
        KeptTries { version: VERSION, failed, next: next.0, settings }
    }

    pub(super) fn next(&self) -> Timestamp {
        Timestamp(self.next)
    }
}

impl Kept {
    pub(super) fn open(folder: PathBuf) -> Result<Kept, CertificateError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let kept = Kept { folder };
        builder.create(&kept.folder).map_err(|error| kept.failed(&error))?;
        Ok(kept)
    }

    pub(super) fn account<A: DeserializeOwned>(&self) -> Option<KeptAccount<A>> {
        self.json("account.json").filter(|it: &KeptAccount<A>| it.version == VERSION)
    }

    pub(super) fn keep_account<A: Serialize>(&self, account: &KeptAccount<A>) -> Result<(), CertificateError> {
        self.keep("account.json", account)
    }

    pub(super) fn order(&self) -> Option<KeptOrder> {
        self.json("order.json").filter(|it: &KeptOrder| it.version == VERSION)
    }

    pub(super) fn keep_order(&self, order: &KeptOrder) -> Result<(), CertificateError> {
        self.keep("order.json", order)
    }

    pub(super) fn tries(&self, settings: &str) -> Option<KeptTries> {
        self.json("tries.json").filter(|it: &KeptTries| it.version == VERSION && it.settings == settings)
    }

    pub(super) fn keep_tries(&self, tries: &KeptTries) -> Result<(), CertificateError> {
        self.keep("tries.json", tries)
    }

    pub(super) fn forget_order(&self) {
        self.forget("order.json");
    }

    pub(super) fn forget_tries(&self) {
        self.forget("tries.json");
    }

    pub(super) fn pair(&self) -> Option<Pair> {
        let text = self.read("pair.pem")?;
        // One text holds both: each reader takes what is its own.
        Pair::parse(&text, &text).ok()
    }

    pub(super) fn keep_pair(&self, key: &str, chain: &str) -> Result<(), CertificateError> {
        self.replace("pair.pem", format!("{}\n{chain}", key.trim_end()).as_bytes())
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&self.read(name)?).ok()
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let len = fs::metadata(&path).ok()?.len();
        (len <= CERTIFICATE_FILE_BYTES_MAX).then(|| fs::read(&path).ok())?
    }

    fn keep(&self, name: &str, value: &impl Serialize) -> Result<(), CertificateError> {
        let text = serde_json::to_vec(value).map_err(|error| self.failed(&io::Error::other(error)))?;
        self.replace(name, &text)
    }

    /// Order: content on the disk, then the name, then the folder; any prefix of it is a whole file.
    fn replace(&self, name: &str, text: &[u8]) -> Result<(), CertificateError> {
        let replace = || -> io::Result<()> {
            let temporary = self.folder.join(format!("{name}.new"));
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&temporary)?;
            file.write_all(text)?;
            file.sync_all()?;
            drop(file);
            fs::rename(&temporary, self.folder.join(name))?;
            fs::File::open(&self.folder)?.sync_all()
        };
        replace().map_err(|error| self.failed(&error))
    }

    /// What stays behind is judged by its content when it is read.
    fn forget(&self, name: &str) {
        let _gone = fs::remove_file(self.folder.join(name));
    }

    fn failed(&self, error: &io::Error) -> CertificateError {
        CertificateError(Message::new("certificate-folder").with("path", self.folder.display()).with("cause", error))
    }
}
