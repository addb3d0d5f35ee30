//! Tokens against the twin of Bitrix24: got, kept, renewed, lost, and what people are told then.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use uzel::auth::{Authorized, Standing, Tokens, TokensParts};
use uzel::base::{Clock, Secret, Slug};
use uzel::connector::Connector;
use uzel::net::{Answer, Boxed, CallError, Client, Guard, Method, Request, Wire};
use uzel::twin::bitrix24::{App, Fault, Planned, RefusedCode};
use uzel::vault::Vault;

use crate::twin::{Portal, portal};

const REDIRECT: &str = "https://uzel.example/oauth/crm";

struct World {
    portal: Portal,
    folder: tempfile::TempDir,
}

async fn world(forgiving: bool) -> World {
    let app = App { forgiving, ..App::local(REDIRECT) };
    let portal = portal(|options| options.portal.app = Some(app)).await;
    World { portal, folder: tempfile::tempdir().expect("a folder") }
}

fn network() -> Arc<dyn Wire> {
    Arc::new(Client::new(Guard::new(true, Vec::new())).expect("a client"))
}

impl World {
    fn vault_file(&self) -> PathBuf {
        self.folder.path().join("vault.json")
    }

    fn vault(&self) -> Arc<Vault> {
        Arc::new(Vault::open(&self.vault_file()).expect("own file"))
    }

    /// What a process has after its start.
    fn tokens(&self, vault: Arc<Vault>, wire: Arc<dyn Wire>) -> Arc<Tokens> {
        let text = include_str!("../../connectors/bitrix24/connector.toml");
        let slug = Slug::new("bitrix24").expect("a slug");
        let connector = Connector::compile(slug, "connector.toml", text).expect("the built-in manifest");
        let spec = connector.oauth.expect("it has tokens");
        let app = App::local(REDIRECT);
        let (at_portal, at_server) = (self.portal.twin.portal_url(), self.portal.twin.oauth_url());
        let setting = |name: &str| match name {
            "portal" => Some(at_portal.clone()),
            "oauth_server" => Some(at_server.clone()),
            _ => None,
        };
        Arc::new(Tokens::new(TokensParts {
            name: Slug::new("crm").expect("a slug"),
            authorize_url: spec.authorize_url.fill(&setting).expect("its settings"),
            token_url: Secret::new(spec.token_url.fill(&setting).expect("its settings")),
            spec,
            client_id: app.client_id,
            client_secret: Secret::new(app.client_secret),
            redirect_uri: REDIRECT.to_owned(),
            vault,
            wire,
            clock: Arc::clone(&self.portal.clock) as Arc<dyn Clock>,
        }))
    }

    /// The person opens the address, agrees, and comes back with these.
    async fn agree(&self, address: &str) -> (String, String) {
        let browser = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let answer = browser.expect("a client").get(address).send().await.expect("an answer");
        let back = reqwest::Url::parse(answer.headers()["location"].to_str().expect("text")).expect("an address");
        let of = |wanted: &str| {
            back.query_pairs().find(|(name, _)| name == wanted).map(|(_, it)| it.into_owned()).expect("a parameter")
        };
        (of("state"), of("code"))
    }

    async fn connect(&self, tokens: &Tokens) {
        let (state, code) = self.agree(&tokens.begin()).await;
        tokens.finish(&state, &code).await.expect("the code is taken");
    }

    fn request(&self) -> Request {
        Request {
            method: Method::Post,
            address: Secret::new(format!("{}/rest/user.current", self.portal.twin.portal_url())),
            headers: Vec::new(),
            content_type: "application/json",
            body: b"{}".to_vec(),
        }
    }

    async fn call(&self, tokens: &Arc<Tokens>) -> Result<Answer, CallError> {
        Authorized::new(network(), Arc::clone(tokens)).call(self.request()).await
    }

    fn expire(&self) {
        self.portal.clock.advance_ms(3_600_000);
    }
}

fn status(answer: Result<Answer, CallError>) -> u16 {
    answer.expect("an answer").status
}

fn refusal(answer: Result<Answer, CallError>) -> String {
    match answer.expect_err("it is refused") {
        CallError::Refused(message) => message.id.to_string(),
        CallError::Connect(message) => format!("away: {}", message.id),
        CallError::Sent(message) => panic!("it may have taken effect: {message}"),
    }
}

#[tokio::test]
async fn a_person_agrees_once_and_requests_go_until_refused_then_the_pair_is_renewed_once() {
    let world = world(false).await;
    let tokens = world.tokens(world.vault(), network());
    assert_eq!(tokens.standing(), Standing::NotConnected);
    assert_eq!(refusal(world.call(&tokens).await), "oauth-not-connected");
    world.connect(&tokens).await;
    for _ in 0..3 {
        assert_eq!(status(world.call(&tokens).await), 200);
    }
    assert_eq!(world.portal.twin.calls("oauth.token"), 1, "no renewal without need");
    world.expire();
    // Many at once: one renewal, everybody takes its result.
    let calls: Vec<_> = (0..8).map(|_| world.call(&tokens)).collect();
    for answer in futures(calls).await {
        assert_eq!(status(answer), 200);
    }
    assert_eq!(world.portal.twin.calls("oauth.token"), 2);
    // A new process goes on with the pair of the vault.
    let again = world.tokens(world.vault(), network());
    assert_eq!(again.standing(), Standing::Connected);
    assert_eq!(status(world.call(&again).await), 200);
}

/// All of them under way at one time, on this task.
async fn futures<F: Future>(all: Vec<F>) -> Vec<F::Output> {
    use std::task::Poll;
    let mut waiting: Vec<_> = all.into_iter().map(|it| (Box::pin(it), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if waiting.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().map(|(_, done)| done.expect("it is done")).collect()
}

#[tokio::test]
async fn what_comes_back_must_be_what_was_given_out() {
    let world = world(false).await;
    let tokens = world.tokens(world.vault(), network());
    let (state, code) = world.agree(&tokens.begin()).await;
    assert_eq!(tokens.finish("forged", &code).await.expect_err("forged").0.id, "oauth-state");
    // Begun again: the earlier address is worthless.
    tokens.begin();
    assert_eq!(tokens.finish(&state, &code).await.expect_err("earlier").0.id, "oauth-state");
    let (state, code) = world.agree(&tokens.begin()).await;
    world.portal.clock.advance_ms(30_000);
    assert_eq!(tokens.finish(&state, &code).await.expect_err("late").0.id, "oauth-code");
    assert_eq!(tokens.finish(&state, &code).await.expect_err("used").0.id, "oauth-state");
    let (_, code) = world.agree(&tokens.begin()).await;
    tokens.take_code(&code).await.expect("a code brought by hand");
    assert_eq!(status(world.call(&tokens).await), 200);
}

#[tokio::test]
async fn each_refusal_of_the_token_server_has_a_name_and_a_next_step() {
    for (what, expected, standing) in [
        ("expired", "oauth-lost", "lost"),
        ("unpaid", "oauth-unpaid", "refused"),
        ("removed", "oauth-client", "refused"),
        ("page", "away: oauth-answer", "connected"),
        ("500", "away: oauth-answer", "connected"),
        ("cut", "away: net-cut", "connected"),
    ] {
        let world = world(false).await;
        let tokens = world.tokens(world.vault(), network());
        world.connect(&tokens).await;
        world.expire();
        let twin = &world.portal.twin;
        match what {
            "expired" => twin.expire_refresh_tokens(),
            "unpaid" => twin.change(|portal| portal.app.as_mut().expect("an app").paid = false),
            "removed" => twin.change(|portal| portal.app.as_mut().expect("an app").installed = false),
            "page" => twin.plan_fault(Planned::on("oauth.token", Fault::ErrorPage { status: 502, applied: false })),
            "500" => {
                let code = RefusedCode::InternalServerError;
                twin.plan_fault(Planned::on("oauth.token", Fault::Refused { code }));
            }
            _ => twin.plan_fault(Planned::on("oauth.token", Fault::LostRequest)),
        }
        assert_eq!(refusal(world.call(&tokens).await), expected, "{what}");
        assert_eq!(tokens.standing().word(), standing, "{what}");
        let asked = twin.calls("oauth.token");
        match standing {
            // Nothing more is sent before a person has acted; then all is well.
            "lost" => {
                assert_eq!(refusal(world.call(&tokens).await), expected);
                assert_eq!(twin.calls("oauth.token"), asked);
                world.connect(&tokens).await;
            }
            "refused" => twin.change(|portal| {
                let app = portal.app.as_mut().expect("an app");
                (app.paid, app.installed) = (true, true);
            }),
            _ => {}
        }
        assert_eq!(status(world.call(&tokens).await), 200, "{what}");
        assert_eq!(tokens.standing(), Standing::Connected, "{what}");
    }
}

/// A wire whose power is cut at one request to the token server.
struct Cut {
    inner: Arc<dyn Wire>,
    place: Place,
    left: AtomicU32,
    /// The power is out.
    out: tokio::sync::Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the request left.
    Before,
    /// The server has done it, its answer is not read.
    Unread,
    /// The answer is read; the disk does not take the pair.
    Unsaved,
    /// The pair is kept and was not used yet.
    Saved,
}

impl Wire for Cut {
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>> {
        Box::pin(async move {
            let is_last = self.left.fetch_sub(1, Ordering::SeqCst) == 1;
            match (is_last, self.place) {
                (true, Place::Before) => {
                    self.out.notify_one();
                    std::future::pending().await
                }
                (true, Place::Unread) => {
                    self.inner.call(request).await.expect("the server does it");
                    self.out.notify_one();
                    std::future::pending().await
                }
                (_, _) => self.inner.call(request).await,
            }
        })
    }
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![Just(Place::Before), Just(Place::Unread), Just(Place::Unsaved), Just(Place::Saved)]
}

/// One life of a process: its power is cut at `place` of its renewal number `at`.
async fn life(world: &World, place: Place, at: u32) {
    let vault = world.vault();
    let cut = Arc::new(Cut { inner: network(), place, left: AtomicU32::new(at), out: tokio::sync::Notify::new() });
    let tokens = world.tokens(Arc::clone(&vault), Arc::clone(&cut) as Arc<dyn Wire>);
    for number in 1..=at {
        world.expire();
        let blocked = world.vault_file().with_extension("json.new");
        if number == at && place == Place::Unsaved {
            // A folder in the place of the temporary file: the write fails.
            std::fs::create_dir(&blocked).expect("writable");
        }
        let ended = tokio::select! {
            ended = world.call(&tokens) => Some(ended),
            () = cut.out.notified() => None,
        };
        if number == at && place == Place::Unsaved {
            assert!(matches!(ended, Some(Err(_))), "an unsaved pair is not used");
            std::fs::remove_dir(&blocked).expect("writable");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The power is cut at every place of renewals. A forgiving server: work always goes on. A
    /// strict one: it goes on, or a person is told to connect again; and then it goes on. Never is
    /// a pair used that is not on the disk.
    #[test]
    fn a_cut_at_any_place_of_a_renewal_leaves_a_connection_that_works_or_says_what_to_do(
        forgiving in any::<bool>(),
        lives in proptest::collection::vec((places(), 1u32..3), 1..3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = world(forgiving).await;
            world.connect(&world.tokens(world.vault(), network())).await;
            for (place, at) in &lives {
                life(&world, *place, *at).await;
            }
            world.expire();
            let tokens = world.tokens(world.vault(), network());
            let answer = world.call(&tokens).await;
            let may_lose = lives.iter().any(|(place, _)| matches!(place, Place::Unread | Place::Unsaved));
            match answer {
                Ok(answer) => assert_eq!(answer.status, 200),
                Err(CallError::Refused(message)) if !forgiving && may_lose => {
                    assert_eq!(message.id, "oauth-lost");
                    world.connect(&tokens).await;
                    assert_eq!(status(world.call(&tokens).await), 200);
                }
                Err(error) => panic!("{forgiving} {lives:?}: {error}"),
            }
        });
    }
}

#[tokio::test]
async fn a_pair_that_the_disk_did_not_take_is_kept_at_the_next_try_and_only_then_used() {
    let world = world(false).await;
    let tokens = world.tokens(world.vault(), network());
    world.connect(&tokens).await;
    world.expire();
    let blocked = world.vault_file().with_extension("json.new");
    std::fs::create_dir(&blocked).expect("writable");
    assert_eq!(refusal(world.call(&tokens).await), "vault-write");
    std::fs::remove_dir(&blocked).expect("writable");
    assert_eq!(status(world.call(&tokens).await), 200);
    assert_eq!(world.portal.twin.calls("oauth.token"), 2, "the pair that was given out is the one that is kept");
}
