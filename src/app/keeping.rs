//! The store of a folder, opened; or made anew from the newest snapshot when it is damaged, gone,
//! or behind what the journal still holds.

use std::path::Path;
use std::sync::Arc;

use tracing::{info, warn};

use super::Folder;
use super::error::Told;
use crate::base::{Clock, Message, Position};
use crate::pipeline::snapshot;
use crate::store::sled::{SledStore, set_aside};
use crate::store::{Checkpoint, Store, StoreError};

/// Opens the store; `kept` are the first and the newest entry of the journal. What opens is a
/// store from which the pipeline can go on.
pub(super) fn open_store(
    folder: &Folder,
    cache_bytes: u64,
    kept: (Position, Position),
    clock: &dyn Clock,
) -> anyhow::Result<Arc<dyn Store>> {
    let path = folder.store();
    let (first, head) = kept;
    match open(&path, cache_bytes)? {
        Ok((store, checkpoint)) if checkpoint.position > Position::START && goes_on(checkpoint, first) => {
            return Ok(Arc::new(store));
        }
        // New, or it has lost its end and the journal no longer has what is missing.
        Ok((store, checkpoint)) => {
            drop(store);
            if checkpoint.position > Position::START {
                let aside = set_aside(&path, clock.now())?;
                let message = Message::new("app-store-behind").with("checkpoint", checkpoint).with("first", first);
                warn!(store.aside = %aside.display(), "{message}");
            } else {
                std::fs::remove_dir_all(&path)?;
            }
        }
        Err(message) => {
            let aside = set_aside(&path, clock.now())?;
            warn!(store.aside = %aside.display(), "{message}");
        }
    }
    fill_from_snapshot(folder, cache_bytes, head)?;
    let opened = SledStore::open_with_cache(&path, cache_bytes).map_err(told)?;
    if !goes_on(opened.checkpoint, first) {
        let message = Message::new("app-rebuild-removed").with("first", first);
        return Err(Told(message).into());
    }
    Ok(Arc::new(opened.store))
}

/// Whether the journal has everything behind the checkpoint.
fn goes_on(checkpoint: Checkpoint, first: Position) -> bool {
    checkpoint.position.max(Position(1)) >= first
}

type Opened = Result<(SledStore, Checkpoint), Message>;

/// `Err` inside: damaged.
fn open(path: &Path, cache_bytes: u64) -> anyhow::Result<Opened> {
    match SledStore::open_with_cache(path, cache_bytes) {
        Ok(opened) => Ok(Ok((opened.store, opened.checkpoint))),
        Err(StoreError::Damaged(message)) => Ok(Err(message)),
        Err(error) => Err(told(error).into()),
    }
}

fn told(error: StoreError) -> Told {
    let (StoreError::Damaged(message)
    | StoreError::Newer(message)
    | StoreError::Failed(message)
    | StoreError::Fenced(message)) = error;
    Told(message)
}

/// Puts a store made of the newest sound snapshot in its place, where there is one.
pub(super) fn fill_from_snapshot(folder: &Folder, cache_bytes: u64, head: Position) -> anyhow::Result<()> {
    let filling = folder.root().join("store.filling");
    if filling.exists() {
        std::fs::remove_dir_all(&filling)?;
    }
    let Some(file) = snapshot::newest(&folder.snapshots(), head).map_err(told)? else { return Ok(()) };
    let store = SledStore::open_with_cache(&filling, cache_bytes).map_err(told)?.store;
    snapshot::fill(&store, &file, &mut |_, _| {}).map_err(told)?;
    store.flush().map_err(told)?;
    drop(store);
    std::fs::rename(&filling, folder.store())?;
    std::fs::File::open(folder.root())?.sync_all()?;
    info!(snapshot.position = file.about().checkpoint.position.0 - 1, "the store is made anew from a snapshot");
    Ok(())
}
