//! Journal, store and pipeline over a folder: what works without network.

use std::sync::{Arc, OnceLock};

use axum::Router;
use tracing::{error, info, warn};

use super::error::{Problems, Told};
use super::{ConfigurationFolder, Folder};
use crate::auth::PageLinks;
use crate::base::clock::SystemClock;
use crate::base::{Clock, Message, Position, Slug};
use crate::catalog::{Catalog, Connection};
use crate::certificate::Certificates;
use crate::config::{Settings, Tls};
use crate::connector::Connector;
use crate::control::{self, Control, Public};
use crate::entry::{Configured, Entry, Kind};
use crate::journal::{Journal, NewEntry, Options as JournalOptions, Recovery, Segments};
use crate::net::Quotas;
use crate::pipeline::{Pipeline, Running};
use crate::plan::Plans;
use crate::query::Query;
use crate::query::ranking::Ranking;
use crate::store::{Store, WatchedStore};
use crate::task::deliver::Stops;
use crate::task::folders::Folders;
use crate::task::keep::Keeping;
use crate::task::look::Looks;
use crate::task::missing::MissingWords;
use crate::task::notify::Outward;
use crate::task::poll::Readings;
use crate::task::relay::Relaying;
use crate::task::watch::{Watch, WatchParts, WatchedCertificate, WatchedSource};
use crate::vault::Vault;

use super::folder::Lock;
use super::keeping::open_store;
use super::links::{self, TokensByConnection};
use super::probes::Probes;
use super::signals;
use super::sinks;

/// What the reconcilers of a daemon tell of themselves; without a daemon nothing.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Which sinks rest.
    pub stops: Stops,
    /// What sinks have no words for.
    pub missing: MissingWords,
    /// What is being read.
    pub readings: Readings,
    /// Watched folders.
    pub folders: Folders,
    /// How pulling from the relay goes.
    pub relaying: Relaying,
    /// Which ways out fail.
    pub outward: Outward,
    /// The certificate of the listener, where it has one.
    pub certificates: Option<Arc<Certificates>>,
}

/// Journal + store + pipeline of one folder, and the configuration in force.
pub struct Core {
    /// The folder.
    pub folder: Folder,
    /// Settings.
    pub settings: Settings,
    /// The compiled configuration.
    pub catalog: Arc<Catalog>,
    /// Secrets.
    pub vault: Arc<Vault>,
    /// Tokens of connections that work by them.
    pub(super) tokens: TokensByConnection,
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// Deals by priority; filled by the daemon.
    pub ranking: Arc<Ranking>,
    /// Links to the page.
    pub page_links: Arc<PageLinks>,
    /// The pipeline at work.
    pub pipeline: Arc<Running>,
    /// Snapshots.
    pub keeping: Arc<Keeping>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The buckets of foreign hosts: reading, writing and probing share them.
    pub(super) quotas: Arc<Quotas>,
    /// Where our listener is, once there is one.
    pub(super) here: Arc<OnceLock<String>>,
    _lock: Lock,
}

impl Core {
    /// Opens a folder: takes the lock, recovers the journal, opens the store (or makes it
    /// anew from the newest snapshot), starts the pipeline, and puts the configuration of now into force.
    pub async fn open(folder: &Folder) -> anyhow::Result<Core> {
        let settings = folder.settings().map_err(Problems)?;
        let catalog = Arc::new(Catalog::compile(&folder.files()?, &settings).map_err(Problems)?);
        let lock = folder.lock()?;
        if folder.restored().exists() {
            warn!("{}", Message::new("app-restored"));
        }
        let vault = Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()))?;
        let vault = Arc::new(vault);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let tokens = links::tokens(&catalog, &vault, &settings.listen, &clock)?;
        let journal_options = JournalOptions {
            free_intake_bytes_min: settings.limits.free_space_bytes,
            ..JournalOptions::production(rand::random())
        };
        super::erasure::finish(folder, &settings, clock.clone())?;
        let (segments, recovery) = Segments::open(&folder.journal(), clock.clone(), journal_options)?;
        say_recovery(&recovery);
        let journal: Arc<dyn Journal> = Arc::new(segments);
        let configurations = Arc::new(ConfigurationFolder::open(folder.configurations())?);
        let kept = (journal.first(), journal.head());
        let store = open_store(folder, settings.limits.cache_bytes, kept, clock.as_ref())?;
        let ranking = Arc::new(Ranking::default());
        let store: Arc<dyn Store> = Arc::new(WatchedStore::new(store, ranking.clone()));
        let pipeline = Pipeline {
            journal: journal.clone(),
            store: store.clone(),
            configurations: configurations.clone(),
            epoch: 1,
        };
        if last_configured(journal.as_ref(), store.as_ref())? != Some(catalog.hash()) {
            configurations.keep(catalog.clone())?;
            let configured = Configured { hash: catalog.hash(), build: env!("CARGO_PKG_VERSION").into() };
            let entry = Entry::Configured(configured);
            let new = NewEntry { kind: entry.kind(), at: clock.now(), payload: entry.encode() };
            journal.append(new).await?;
            info!(configuration.hash = %catalog.hash(), "a new configuration takes force");
        } else {
            configurations.keep(catalog.clone())?;
        }
        let pipeline = Arc::new(pipeline.start(&tokio::runtime::Handle::current())?);
        let keeping = Arc::new(Keeping::new(
            store.clone(),
            journal.clone(),
            configurations,
            pipeline.clone(),
            clock.clone(),
            settings.keep.clone(),
            folder.snapshots(),
        ));
        let folder = folder.clone();
        let page_links = Arc::new(PageLinks::new(vault.clone()));
        let (quotas, here) = (Arc::new(Quotas::new()), Arc::new(OnceLock::new()));
        Ok(Core {
            folder,
            settings,
            catalog,
            vault,
            tokens,
            journal,
            store,
            ranking,
            page_links,
            pipeline,
            keeping,
            clock,
            quotas,
            here,
            _lock: lock,
        })
    }

    /// The interface over this core, after everything in the journal is applied.
    pub fn router(&self) -> Router {
        control::router(Arc::new(self.control(Seen::default())))
    }

    /// Views and commands; `seen` is what the reconcilers of this process tell of themselves.
    pub fn control(&self, seen: Seen) -> Control {
        let Seen { stops, missing, readings, folders, relaying, outward, certificates } = seen;
        let query = Query::new(self.store.clone(), self.journal.clone(), self.catalog.clone());
        let watch = Watch::new(WatchParts {
            query: query.clone(),
            journal: self.journal.clone(),
            pipeline: self.pipeline.clone(),
            clock: self.clock.clone(),
            keeping: self.keeping.clone(),
            zone: self.settings.company.zone.clone(),
            stops: stops.clone(),
            missing,
            readings: readings.clone(),
            folders: folders.clone(),
            outward,
            rights: links::lost_rights(&self.tokens),
            sources: self.watched_sources(),
            certificate: certificates.clone().map(|certificates| WatchedCertificate {
                certificates,
                is_ordered: matches!(self.settings.listen.tls, Some(Tls::Acme(_))),
            }),
            relaying: relaying.clone(),
            mark_bytes: self.settings.limits.free_space_bytes,
            file: Some(self.folder.signals().join("watch.json")),
        });
        let notifier = signals::notifier(&self.settings, &self.vault, &self.folder, &query, &self.clock);
        Control {
            query,
            watch: Arc::new(watch),
            notifier: Arc::new(notifier),
            journal: self.journal.clone(),
            pipeline: self.pipeline.clone(),
            clock: self.clock.clone(),
            keeping: self.keeping.clone(),
            tokens: self.tokens.clone(),
            stops,
            readings,
            relaying,
            folders,
            certificates,
            plans: Plans::new(self.folder.plans()),
            page_links: self.page_links.clone(),
            public: Arc::new(Public {
                url: self.settings.listen.known_url(),
                address: self.settings.listen.public_base(),
                listening: OnceLock::new(),
            }),
            looks: self.looks(),
            locale: self.settings.locale,
            prober: Arc::new(self.probes()),
        }
    }

    /// Probes of its connections.
    fn probes(&self) -> Probes {
        Probes {
            catalog: self.catalog.clone(),
            vault: self.vault.clone(),
            tokens: self.tokens.clone(),
            journal: self.journal.clone(),
            clock: self.clock.clone(),
            quotas: self.quotas.clone(),
            here: self.here.clone(),
            public_url: self.settings.listen.public_url.clone(),
            relay: self.settings.relay.as_ref().map(|relay| relay.address.clone()),
            zone: self.settings.company.zone.clone(),
        }
    }

    fn watched_sources(&self) -> Vec<WatchedSource> {
        let tells = |connector: &Connector| connector.source.is_some() || !connector.polls.is_empty();
        let silence_h = |name: &Slug| self.settings.connection(name).map_or(0, |it| it.silence_h);
        let watched = |it: &Connection| WatchedSource { name: it.name.clone(), silence_h: silence_h(&it.name) };
        self.catalog.connections().filter(|it| tells(&it.connector)).map(watched).collect()
    }

    /// Looks into sinks.
    fn looks(&self) -> Arc<Looks> {
        let (vault, tokens) = (Arc::clone(&self.vault), Arc::clone(&self.tokens));
        let (clock, quotas) = (Arc::clone(&self.clock), Arc::clone(&self.quotas));
        Arc::new(Looks::new(Box::new(move |connection| {
            let made = sinks::sink(connection, &vault, &tokens, &quotas, &clock);
            made.map_err(|cause| match cause.downcast_ref::<Told>() {
                Some(told) => told.0.clone(),
                None => Message::new("app-sink").with("detail", &cause),
            })
        })))
    }

    /// Waits until everything that is in the journal now is applied.
    pub async fn caught_up(&self) -> anyhow::Result<()> {
        self.pipeline.wait(self.journal.head()).await.map_err(anyhow::Error::msg)
    }

    /// Ends the pipeline and flushes the store.
    pub async fn close(self) {
        let (pipeline, store) = (self.pipeline, self.store);
        let ended = tokio::task::spawn_blocking(move || {
            pipeline.stop();
            if let Err(error) = store.flush() {
                warn!(%error, "the store was not flushed; it goes on from an older checkpoint");
            }
        });
        if let Err(error) = ended.await {
            warn!(%error, "closing was cut short");
        }
    }
}

/// What opening the journal found, said once.
pub(super) fn say_recovery(recovery: &Recovery) {
    if let Some(torn) = &recovery.torn {
        let message = Message::new("app-journal-torn").with("segment", &torn.segment).with("bytes", torn.bytes);
        warn!(journal.torn_bytes = torn.bytes, "{message}");
    }
    for damage in &recovery.damaged {
        let message = Message::new("app-journal-damaged")
            .with("segment", &damage.segment)
            .with("offset", damage.offset)
            .with("first", damage.first)
            .with("next", damage.next);
        error!("{message}");
    }
    if let Some(refuses) = &recovery.refuses {
        error!("{refuses}");
    }
}

/// Hash of the newest configuration in the journal, applied or not.
fn last_configured(
    journal: &dyn Journal,
    store: &dyn Store,
) -> anyhow::Result<Option<crate::base::checksum::Fingerprint>> {
    use crate::base::limits::{MICRO_BATCH_BYTES_MAX, MICRO_BATCH_ENTRIES_MAX};
    let reader = crate::tables::Reader::new(store);
    let mut newest = reader.get::<crate::tables::Meta>(&())?.and_then(|meta| meta.configuration);
    let mut from = store.checkpoint()?.position.max(Position(1));
    loop {
        let entries = journal.read(from, MICRO_BATCH_ENTRIES_MAX, MICRO_BATCH_BYTES_MAX)?;
        let Some(last) = entries.last() else { return Ok(newest) };
        from = last.position.next();
        for stored in entries.iter().filter(|stored| stored.kind == Kind::Configured) {
            if let Ok(Entry::Configured(configured)) = Entry::decode(stored.kind, &stored.payload) {
                newest = Some(configured.hash);
            }
        }
    }
}
