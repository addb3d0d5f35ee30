//! A Bitrix24 portal behind an inbound webhook, in memory.
//!
//! Source: `facts/crm/bitrix24.md` (sections are cited in the files) and the documentation that it
//! names (bitrix24/b24restdocs at 5988ed1). Marks in comments: [U] is not confirmed by them.
//!
//! - `portal`, `classic`, `item`, `write`, `object`, `cells`, `shelf`, `fields`, `userfield`,
//!   `dictionary`, `timeline`, `side`, `lines`, `task`, `duplicate`, `system`: the data and the
//!   methods, pure;
//! - `person`, `grow`: what people do past the methods, and large portals;
//! - `happened`: what a call did that others are told of, robots that start among it;
//! - `params`, `batch`, `listing`, `zone`: how calls are written and answered;
//! - `limit`, `fault`: quotas, and what goes wrong;
//! - `shared`, `http`, `watch`: the running portal, the wire, and what tests look at.
//!
//! On the wire: `/rest/{userId}/{secret}/{method}[.json]` by GET or POST. Beside it the twin's own
//! pages, which no portal has: `GET /twin/state`, `GET /twin/log`, `POST /twin/faults`,
//! `POST /twin/person`, `POST /twin/webhook`,
//! `POST /twin/app`, `POST /twin/release`, `POST /twin/reset`.
//!
//! - `oauth`, `notice`, `outgoing`: applications and their tokens (the authorisation server listens
//!   at an address of its own), notices that leave, the offline queue.
//!
//! Not here: telephony, smart processes, quotes and invoices, XML.

mod batch;
mod cells;
mod classic;
mod dictionary;
mod duplicate;
mod fault;
mod fields;
mod grow;
mod happened;
mod http;
mod item;
mod limit;
mod lines;
mod listing;
mod notice;
mod oauth;
mod object;
mod outgoing;
mod params;
mod person;
mod portal;
mod shared;
mod shelf;
mod side;
mod system;
mod task;
mod timeline;
mod userfield;
mod watch;
mod write;
mod zone;

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::sync::oneshot;

use crate::base::clock::SystemClock;
use crate::base::{Clock, Message, Secret};

use super::TwinError;

pub use batch::COMMANDS_MAX;
pub use cells::Named;
pub use dictionary::{Category, LeadMode, Status, User};
pub use fault::{Fault, Faults, Planned, RefusedCode, Shares};
pub use fields::Kind;
pub use grow::Growth;
pub use limit::{BucketLimit, Limits, OperatingLimit};
pub use listing::PAGE_ROWS;
pub use oauth::App;
pub use object::{Cell, MultiValue, Object};
pub use outgoing::NoticeFaults;
pub use person::PersonAct;
pub use portal::{Answer, Call, Gone, Portal, Refusal, StageMove};
pub use system::Edition;
pub use userfield::{EnumValue, Holds, UserField};
pub use watch::Logged;
pub use zone::{MOSCOW, Zone};

use shared::Shared;

/// How a twin is set up.
#[derive(Clone)]
pub struct Options {
    /// The user whose webhook it is: his rights, and the author of what is written.
    pub user_id: u64,
    /// The secret part of the webhook's address.
    pub secret: Secret,
    /// The scopes that were ticked.
    pub scopes: Vec<String>,
    /// The quotas.
    pub limits: Limits,
    /// What goes wrong from the start.
    pub faults: Faults,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// What the portal holds at the start and after a reset.
    pub portal: Portal,
    /// Where the state is kept over restarts. What the file holds comes before `portal`.
    pub state_file: Option<PathBuf>,
}

impl Options {
    /// An empty portal with the cloud's limits, no faults and the wall clock.
    pub fn new(secret: Secret) -> Options {
        Options {
            user_id: 1,
            secret,
            scopes: ["crm", "user", "telephony", "task"].map(str::to_owned).to_vec(),
            limits: Limits::cloud(),
            faults: Faults::default(),
            clock: Arc::new(SystemClock),
            portal: Portal::new(),
            state_file: None,
        }
    }

    /// For tests: a known secret, no limits, the clock given.
    pub fn for_tests(clock: Arc<dyn Clock>) -> Options {
        Options { limits: Limits::none(), clock, ..Options::new(Secret::new("k3yk3yk3yk3yk3yk")) }
    }
}

/// Starts portals.
#[derive(Debug, Clone, Copy)]
pub struct Bitrix24Twin;

impl Bitrix24Twin {
    /// A portal without a network: it is asked by [`RunningTwin::ask`] and tells nobody anything
    /// ([`RunningTwin::take_notices`]). For simulations, whose time is not the machine's.
    pub fn indoors(options: Options) -> Result<RunningTwin, TwinError> {
        let shared = Arc::new(Shared::open(options)?);
        Ok(RunningTwin { addr: ([127, 0, 0, 1], 0).into(), shared, stop: None, task: None })
    }

    /// Listens at `addr` (port 0: any free one) and answers in the background until
    /// [`RunningTwin::shut_down`], or until the returned value is dropped.
    pub async fn start(options: Options, addr: SocketAddr) -> Result<RunningTwin, TwinError> {
        let shared = Arc::new(Shared::open(options)?);
        let listener = listen(addr).await?;
        let addr = listener.local_addr().map_err(|source| cannot_listen(addr, source))?;
        let (stop, stopped) = oneshot::channel::<()>();
        let oauth = listen((addr.ip(), 0).into()).await?;
        let oauth_addr = oauth.local_addr().map_err(|source| cannot_listen(addr, source))?;
        // The first start is the only one.
        let _once = shared.addresses.set((addr, oauth_addr));
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            http::serve(serving, listener, oauth, async {
                // A dropped sender is a stop too.
                let _either_way = stopped.await;
            })
            .await
        });
        Ok(RunningTwin { addr, shared, stop: Some(stop), task: Some(task) })
    }
}

/// Serves a portal until `shutdown` is done, then saves its state. `ready` is told the address
/// before the first request (for `uzel twin bitrix24`, to print the webhook).
pub async fn serve(
    options: Options,
    addr: SocketAddr,
    ready: impl FnOnce(SocketAddr, &str),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), TwinError> {
    let shared = Arc::new(Shared::open(options)?);
    let listener = listen(addr).await?;
    let addr = listener.local_addr().map_err(|source| cannot_listen(addr, source))?;
    let oauth = listen((addr.ip(), 0).into()).await?;
    let oauth_addr = oauth.local_addr().map_err(|source| cannot_listen(addr, source))?;
    // The first start is the only one.
    let _once = shared.addresses.set((addr, oauth_addr));
    ready(addr, &shared.webhook(addr));
    http::serve(shared, listener, oauth, shutdown).await
}

async fn listen(addr: SocketAddr) -> Result<tokio::net::TcpListener, TwinError> {
    tokio::net::TcpListener::bind(addr).await.map_err(|source| cannot_listen(addr, source))
}

fn cannot_listen(addr: SocketAddr, source: std::io::Error) -> TwinError {
    TwinError::Listen { message: Message::new("twin-cannot-listen").with("addr", addr), source }
}

/// What the portal answered to a request without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Status of HTTP.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A portal that answers.
pub struct RunningTwin {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<Result<(), TwinError>>>,
}

impl RunningTwin {
    /// The address of the webhook, with the secret and a slash at the end; a method's name follows.
    pub fn url(&self) -> String {
        self.shared.webhook(self.addr)
    }

    /// Answers one request as over the wire, with its quotas and faults; `None` when the connection
    /// is cut. `path` begins with a slash and may have parameters.
    pub async fn ask(&self, post: bool, path: &str, content_type: &str, body: Vec<u8>) -> Option<Answered> {
        http::ask(&self.shared, post, path, content_type, body).await
    }

    /// Takes the notices that would leave now, as (event, id of the object), with those that the
    /// faults lose, double and swap.
    pub fn take_notices(&self) -> Vec<(String, u64)> {
        self.shared.lock().outgoing.take_all()
    }

    /// Keeps what is written from now on, and answers what was since the last question: method and
    /// parameters of calls that worked, alone or within batches, persons' calls not among them.
    pub fn take_written(&self) -> Vec<(String, Json)> {
        self.shared.lock().watch.take_written()
    }

    /// The address of a twin's own page: `state`, `log`, ...
    pub fn page(&self, name: &str) -> String {
        format!("http://{}/twin/{name}", self.addr)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The portal's address for applications.
    pub fn portal_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The address of the authorisation server.
    pub fn oauth_url(&self) -> String {
        let addr = self.shared.addresses.get().map_or(self.addr, |(_, oauth)| *oauth);
        format!("http://{addr}")
    }

    /// Every access token runs out now.
    pub fn expire_access_tokens(&self) {
        let now_s = self.shared.options.clock.now().seconds();
        self.change(|portal| portal.grants.expire_access(now_s));
    }

    /// Every refresh token runs out now, as after 180 days.
    pub fn expire_refresh_tokens(&self) {
        let now_s = self.shared.options.clock.now().seconds();
        self.change(|portal| portal.grants.expire_refresh(now_s));
    }

    /// Notices sent so far, and those that still wait or are under way.
    pub fn notices(&self) -> (u64, u64) {
        let inner = self.shared.lock();
        (inner.outgoing.sent, inner.outgoing.waiting.len() as u64 + inner.outgoing.flying)
    }

    /// Calls a method from within the process, past limits and faults, as user `user_id`: what a
    /// person or another program does in the portal.
    pub fn call(&self, method: &str, params: &Json) -> Result<Json, Refusal> {
        self.shared.call_inside(method, params)
    }

    /// Looks at the portal's data.
    pub fn with<T>(&self, look: impl FnOnce(&Portal) -> T) -> T {
        look(&self.shared.lock().portal)
    }

    /// Changes the portal's data behind its back.
    pub fn change<T>(&self, change: impl FnOnce(&mut Portal) -> T) -> T {
        let changed = change(&mut self.shared.lock().portal);
        self.shared.touch();
        changed
    }

    /// What `GET /twin/state` shows.
    pub fn state(&self) -> Json {
        self.shared.state()
    }

    /// The recent requests.
    pub fn log(&self) -> Vec<Logged> {
        self.shared.lock().watch.log()
    }

    /// Calls of a method so far, alone and within batches, refused ones too.
    pub fn calls(&self, method: &str) -> u64 {
        self.shared.lock().watch.calls(method)
    }

    /// Refusals with that error code so far.
    pub fn refused(&self, code: &str) -> u64 {
        self.shared.lock().watch.refused(code)
    }

    /// Replaces the faults.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// Adds one planned fault.
    pub fn plan_fault(&self, planned: Planned) {
        self.shared.lock().draw.faults.planned.push_back(planned);
    }

    /// A person does something in the portal, now.
    pub fn person(&self, act: &PersonAct) {
        self.shared.person(act);
    }

    /// Lets the answers go that [`Fault::Held`] holds.
    pub fn release_held(&self) {
        self.shared.release_held();
    }

    /// Everything as at the start: data, counts, limits, faults.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops listening and saves the state.
    pub async fn shut_down(mut self) -> Result<(), TwinError> {
        drop(self.stop.take());
        match self.task.take() {
            // A task that panicked or was aborted has nothing left to save.
            Some(task) => task.await.unwrap_or(Ok(())),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for RunningTwin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningTwin").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Reads a state file; `None` when there is none yet.
fn load(path: &Path) -> Result<Option<Portal>, TwinError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let message = Message::new("twin-state-unreadable").with("file", path.display());
            return Err(TwinError::StateFile { message, source });
        }
    };
    let portal = serde_json::from_slice(&bytes).map_err(|source| TwinError::StateFormat {
        message: Message::new("twin-state-format").with("file", path.display()).with("line", source.line()),
        source,
    })?;
    Ok(Some(portal))
}

/// Writes a state file: beside it first, then in its place, so that a crash leaves the old or the
/// new one.
fn save(path: &Path, portal: &Portal) -> Result<(), TwinError> {
    let unwritable = |source: std::io::Error| TwinError::StateFile {
        message: Message::new("twin-state-unwritable").with("file", path.display()),
        source,
    };
    let bytes = serde_json::to_vec_pretty(portal).map_err(|error| unwritable(error.into()))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, bytes).map_err(unwritable)?;
    std::fs::rename(&beside, path).map_err(unwritable)
}
