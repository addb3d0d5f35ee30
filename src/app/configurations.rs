//! Compiled configurations beside the journal: each is kept for as long as entries need it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::Message;
use crate::base::checksum::Fingerprint;
use crate::catalog::Catalog;
use crate::pipeline::Configurations;

/// `configurations/<hash>.toml`, written once, synced before the entry that names it.
pub struct ConfigurationFolder {
    folder: PathBuf,
    compiled: Mutex<HashMap<Fingerprint, Arc<Catalog>>>,
}

impl ConfigurationFolder {
    /// Opens the folder, making it if need be.
    pub fn open(folder: PathBuf) -> std::io::Result<ConfigurationFolder> {
        fs::create_dir_all(&folder)?;
        Ok(ConfigurationFolder { folder, compiled: Mutex::default() })
    }

    /// Keeps a configuration; durable when this returns.
    pub fn keep(&self, catalog: Arc<Catalog>) -> std::io::Result<()> {
        let hash = catalog.hash();
        let path = self.path(hash);
        if !path.exists() {
            let temporary = path.with_extension("new");
            let mut file = File::create(&temporary)?;
            file.write_all(&catalog.to_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.folder)?.sync_all()?;
        }
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, catalog);
        Ok(())
    }

    fn path(&self, hash: Fingerprint) -> PathBuf {
        self.folder.join(format!("{hash}.configuration"))
    }
}

impl Configurations for ConfigurationFolder {
    fn load(&self, hash: Fingerprint) -> Result<Arc<Catalog>, Message> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(catalog) = compiled.get(&hash) {
            return Ok(catalog.clone());
        }
        let path = self.path(hash);
        let lost =
            |detail: String| Message::new("app-configuration-lost").with("file", path.display()).with("detail", detail);
        let bytes = fs::read(&path).map_err(|error| lost(error.to_string()))?;
        let catalog = Catalog::from_bytes(&bytes)
            .map_err(|problems| lost(problems.first().map(ToString::to_string).unwrap_or_default()))?;
        if catalog.hash() != hash {
            return Err(lost("its content has another hash".to_owned()));
        }
        let catalog = Arc::new(catalog);
        compiled.insert(hash, catalog.clone());
        Ok(catalog)
    }
}
