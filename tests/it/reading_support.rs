//! A portal that is read: the twin of Bitrix24 over HTTP, a follower, and a journal and store in
//! memory. Time is tokio's, paused: waits cost nothing.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use uzel::auth::{Authorized, Tokens, TokensParts};
use uzel::base::{Clock, Message, Secret, Slug, Timestamp};
use uzel::entry::{Command, Commanded, Entry, Received};
use uzel::model::Foreign;
use uzel::net::{Boxed, Client, Guard, Quotas, Wire};
use uzel::sink::Settings;
use uzel::source::poll::Poller;
use uzel::store::Store;
use uzel::tables::rows::{CursorRow, ObjectKey};
use uzel::tables::{Crosswalk, Cursors, Reader};
use uzel::task::poll::{Follower, Hints, Ledger, Listening, Readings};
use uzel::twin::bitrix24::{App, Bitrix24Twin, Limits, Options, RunningTwin};
use uzel::vault::Vault;

use crate::pipeline_support::{START, World, plain};

/// Paused tokio time as everybody's clock.
pub(crate) struct PausedClock(tokio::time::Instant);

impl PausedClock {
    pub(crate) fn new() -> PausedClock {
        PausedClock(tokio::time::Instant::now())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        START.plus_ms(i64::try_from(self.0.elapsed().as_millis()).expect("a test is short"))
    }
}

/// The world as the follower sees it.
pub(crate) struct Shared {
    pub(crate) world: Arc<Mutex<World>>,
    store: Arc<dyn Store>,
    clock: Arc<PausedClock>,
    /// Rows journalled so far.
    pub(crate) journalled: Arc<Mutex<u64>>,
}

impl Ledger for Shared {
    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn append(&self, envelope: Received) -> Boxed<'_, Result<(), Message>> {
        let mut world = self.world.lock().expect("no panic before");
        world.now = self.clock.now();
        if let uzel::entry::Body::Inline(bytes) = &envelope.body {
            let rows: Json = serde_json::from_slice(bytes).expect("a page is JSON");
            *self.journalled.lock().expect("no panic before") += rows.as_array().map_or(0, Vec::len) as u64;
        }
        world.append(&Entry::Received(envelope));
        Box::pin(async { Ok(()) })
    }
}

/// Everything together.
pub(crate) struct Scene {
    pub(crate) twin: RunningTwin,
    pub(crate) follower: Follower<Shared>,
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) hints: Hints,
    pub(crate) readings: Readings,
    pub(crate) clock: Arc<PausedClock>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) wire: Arc<dyn Wire>,
    journalled: Arc<Mutex<u64>>,
    /// Where tokens are kept.
    vaults: Vec<tempfile::TempDir>,
}

pub(crate) fn bitrix24() -> Slug {
    Slug::literal("bitrix24")
}

impl Scene {
    pub(crate) async fn new(limits: Limits) -> Scene {
        let clock = Arc::new(PausedClock::new());
        let options = Options { limits, ..Options::for_tests(Arc::clone(&clock) as Arc<dyn Clock>) };
        let twin = Bitrix24Twin::start(options, ([127, 0, 0, 1], 0).into()).await.expect("a free port");
        let wire = Arc::new(Client::new(Guard::new(true, Vec::new())).expect("a client")) as Arc<dyn Wire>;
        let quotas = Arc::new(Quotas::new());
        let world = Arc::new(Mutex::new(World::new()));
        let (readings, hints, journalled) = (Readings::default(), Hints::default(), Arc::default());
        let follower = follower(&twin.url(), &wire, &quotas, &clock, &world, &readings, &hints, &journalled);
        Scene { twin, follower, world, hints, readings, clock, quotas, wire, journalled, vaults: Vec::new() }
    }

    /// The daemon is killed and begins again.
    pub(crate) fn restart(&mut self) {
        let Scene { twin, wire, quotas, clock, world, readings, hints, journalled, .. } = self;
        self.follower = follower(&twin.url(), wire, quotas, clock, world, readings, hints, journalled);
    }

    /// From now on it is read by a local application that a person has connected, and that is told of
    /// changes at `address`.
    pub(crate) async fn by_application(&mut self, address: Option<&str>) {
        let app = App::local("https://uzel.example/oauth/crm");
        self.twin.change(|portal| {
            portal.app.get_or_insert_with(|| app.clone());
        });
        let connector = Arc::clone(&plain().connection("bitrix24").expect("it is configured").connector);
        let spec = connector.oauth.clone().expect("it has tokens");
        let (at_portal, at_server) = (self.twin.portal_url(), self.twin.oauth_url());
        let setting = |name: &str| match name {
            "portal" => Some(at_portal.clone()),
            "oauth_server" => Some(at_server.clone()),
            _ => None,
        };
        let folder = tempfile::tempdir().expect("a folder");
        let network = Arc::new(Client::new(Guard::new(true, Vec::new())).expect("a client")) as Arc<dyn Wire>;
        let tokens = Arc::new(Tokens::new(TokensParts {
            name: bitrix24(),
            authorize_url: spec.authorize_url.fill(&setting).expect("its settings"),
            token_url: Secret::new(spec.token_url.fill(&setting).expect("its settings")),
            spec,
            client_id: app.client_id,
            client_secret: Secret::new(app.client_secret),
            redirect_uri: app.redirect_uri,
            vault: Arc::new(Vault::open(&folder.path().join("vault.json")).expect("own file")),
            wire: Arc::clone(&network),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        }));
        self.vaults.push(folder);
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let answer = browser.expect("a client").get(tokens.begin()).send().await.expect("an answer");
        let back = reqwest::Url::parse(answer.headers()["location"].to_str().expect("text")).expect("an address");
        let code = back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        tokens.take_code(&code).await.expect("the code is taken");
        self.wire = Arc::new(Authorized::new(network, Arc::clone(&tokens)));
        let Scene { twin, wire, quotas, clock, world, readings, hints, journalled, .. } = self;
        let url = format!("{}/rest", twin.portal_url());
        let follower = follower(&url, wire, quotas, clock, world, readings, hints, journalled);
        self.follower = follower.listening(Listening::new(address.map(Secret::new), tokens.agreed()));
    }

    /// Rounds until nothing is left to do at once.
    pub(crate) async fn read(&mut self) {
        while self.follower.round().await {}
    }

    /// A minute and a half passes, and everything is looked at.
    pub(crate) async fn later(&mut self) {
        tokio::time::advance(std::time::Duration::from_secs(90)).await;
        self.read().await;
    }

    pub(crate) fn command(&self, command: Command) {
        let at = self.clock.now();
        let mut world = self.world.lock().expect("no panic before");
        world.now = at;
        world.append(&Entry::Commanded(Commanded { at, by: "cli".into(), command }));
    }

    pub(crate) fn load(&self) {
        self.command(Command::LoadSource { connection: bitrix24() });
    }

    /// A call of the portal, as a person makes it.
    pub(crate) fn person(&self, method: &str, params: Json) -> Json {
        self.twin.call(method, &params).unwrap_or_else(|refusal| panic!("{method} {params}: {refusal:?}"))
    }

    /// Adds an object; its id.
    pub(crate) fn add(&self, kind: &str, fields: Json) -> String {
        let answer = self.person(&format!("crm.{kind}.add"), json!({ "fields": fields }));
        answer.get("result").unwrap_or(&answer).to_string()
    }

    pub(crate) fn update(&self, kind: &str, id: &str, fields: Json) {
        self.person(&format!("crm.{kind}.update"), json!({ "id": id, "fields": fields }));
    }

    /// Rows journalled since the last question.
    pub(crate) fn journalled(&self) -> u64 {
        std::mem::take(&mut *self.journalled.lock().expect("no panic before"))
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Reader<'_>) -> T) -> T {
        let world = self.world.lock().expect("no panic before");
        look(&world.reader())
    }

    pub(crate) fn cursor(&self, stream: &'static str) -> Option<CursorRow> {
        let key = (bitrix24(), Slug::literal(stream));
        self.look(|reader| reader.get::<Cursors>(&key).expect("it reads"))
    }

    /// Our object of a foreign id.
    pub(crate) fn ours(&self, kind: &str, id: &str) -> Option<ObjectKey> {
        let foreign = Foreign { connection: bitrix24(), kind: kind.into(), id: id.into() };
        self.look(|reader| reader.get::<Crosswalk>(&foreign).expect("it reads"))
    }

    pub(crate) fn client(&self, kind: &str, id: &str) -> uzel::tables::rows::ClientRow {
        let Some(ObjectKey::Client(client)) = self.ours(kind, id) else { panic!("{kind} {id} is no client") };
        let row = |client| self.look(|reader| reader.get::<uzel::tables::Clients>(&client).expect("it reads"));
        let mut row = row(client).expect("it is there");
        while let uzel::model::ClientState::MergedInto(into, _) = row.client.state {
            row = self.look(|reader| reader.get::<uzel::tables::Clients>(&into).expect("it reads")).expect("there");
        }
        row
    }

    pub(crate) fn deal(&self, kind: &str, id: &str) -> uzel::tables::rows::DealRow {
        let Some(ObjectKey::Deal(deal)) = self.ours(kind, id) else { panic!("{kind} {id} is no deal") };
        self.look(|reader| reader.get::<uzel::tables::Deals>(&deal).expect("it reads")).expect("it is there")
    }

    /// The store built anew has the same rows.
    pub(crate) fn rebuilds(&self) {
        let world = self.world.lock().expect("no panic before");
        let grown = crate::pipeline_support::hash(&world.store);
        for batch_max in [1, 7, 512] {
            assert_eq!(world.rebuilt(batch_max), grown, "micro-batches of {batch_max}");
        }
    }
}

#[allow(clippy::too_many_arguments)]
fn follower(
    url: &str,
    wire: &Arc<dyn Wire>,
    quotas: &Arc<Quotas>,
    clock: &Arc<PausedClock>,
    world: &Arc<Mutex<World>>,
    readings: &Readings,
    hints: &Hints,
    journalled: &Arc<Mutex<u64>>,
) -> Follower<Shared> {
    let catalog = plain();
    let connector = Arc::clone(&catalog.connection("bitrix24").expect("it is configured").connector);
    let settings = Settings { values: Vec::new(), secrets: vec![("webhook_url".to_owned(), Secret::new(url))] };
    let now = Arc::clone(clock) as Arc<dyn Clock>;
    let poller = Poller::new(bitrix24(), connector, &settings, Arc::clone(wire), Arc::clone(quotas), Arc::clone(&now));
    let poller = poller.expect("the settings are whole").expect("Bitrix24 is asked");
    let store = world.lock().expect("no panic before").store.clone();
    let (world, journalled, clock) = (Arc::clone(world), Arc::clone(journalled), Arc::clone(clock));
    let shared = Shared { world, store, clock, journalled };
    Follower::new(shared, poller, now, None, readings.clone(), hints.clone())
}
