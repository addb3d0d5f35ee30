//! Applications of the portal: codes, pairs of tokens, and what the authorisation server answers.
//!
//! Source: facts/crm/bitrix24.md section 1; b24restdocs (5988ed1), settings/oauth/{index,
//! auto-renewal,error-codes}.md. A code lives 30 s and works once; an access token an hour; a
//! refresh token 180 days, with a new one at every refresh. Whether the former refresh token dies at
//! once is not documented: here it does, and [`App::forgiving`] keeps the last one alive until the
//! new pair is used [U].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::base::checksum::Fingerprint;

const CODE_LIFE_S: i64 = 30;
const ACCESS_LIFE_S: i64 = 3_600;
const REFRESH_LIFE_S: i64 = 180 * 86_400;

/// An application, as its card in the portal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `local.…`.
    pub client_id: String,
    /// Known to the application and the authorisation server.
    pub client_secret: String,
    /// Where the person is sent with the code.
    pub redirect_uri: String,
    /// Sent with every notice, so that its receiver knows it.
    pub application_token: String,
    /// Whether it is (still) installed.
    pub installed: bool,
    /// Whether it is (still) paid for.
    pub paid: bool,
    /// Whether the former refresh token works until the new pair is used.
    pub forgiving: bool,
}

impl App {
    /// An installed and paid application.
    pub fn local(redirect_uri: &str) -> App {
        App {
            client_id: "local.5c8bb1b0891cf2.87252039".to_owned(),
            client_secret: "SakeVG5mbRdcQet45UUrt6q72AMTo7fkwXSO7Y5LYFYNCRsA6f".to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            application_token: "51856fefc120afa4b628cc82d3935cce".to_owned(),
            installed: true,
            paid: true,
            forgiving: false,
        }
    }
}

/// What was given out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Grants {
    issued: u64,
    /// Code: until when, for which user.
    codes: BTreeMap<String, (i64, u64)>,
    /// Access token: until when, for which user, of which pair.
    access: BTreeMap<String, (i64, u64, u64)>,
    /// Refresh token: until when, for which user, of which pair.
    refresh: BTreeMap<String, (i64, u64, u64)>,
    /// Pairs whose refresh token was exchanged but is still good, by the pair that came after.
    forgiven: BTreeMap<u64, String>,
}

/// What `/rest/{method}` says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bearer {
    User(u64),
    Expired,
    Unknown,
}

impl Grants {
    /// Unguessable to nobody who reads this file, and different every time: enough for a twin.
    fn token(&mut self, app: &App, what: &str) -> String {
        self.issued += 1;
        let text = format!("{}|{what}|{}", app.client_secret, self.issued);
        Fingerprint::of(text.as_bytes()).to_string().chars().take(32).collect()
    }

    /// The person agreed: a code.
    pub(super) fn code(&mut self, app: &App, user: u64, now_s: i64) -> String {
        let code = self.token(app, "code");
        self.codes.insert(code.clone(), (now_s + CODE_LIFE_S, user));
        code
    }

    /// Who calls with this access token. Its first use ends the grace of the pair before.
    pub(super) fn bearer(&mut self, token: &str, now_s: i64) -> Bearer {
        match self.access.get(token).copied() {
            None => Bearer::Unknown,
            Some((until, _, _)) if now_s >= until => Bearer::Expired,
            Some((_, user, pair)) => {
                if let Some(former) = self.forgiven.remove(&pair) {
                    self.refresh.remove(&former);
                }
                Bearer::User(user)
            }
        }
    }

    /// Every access token runs out now.
    pub(super) fn expire_access(&mut self, now_s: i64) {
        self.access.values_mut().for_each(|(until, _, _)| *until = now_s);
    }

    /// Every refresh token runs out now.
    pub(super) fn expire_refresh(&mut self, now_s: i64) {
        self.refresh.values_mut().for_each(|(until, _, _)| *until = now_s);
    }

    /// The pair that the authorisation server answers, or its refusal `(status, error, text)`.
    pub(super) fn exchange(
        &mut self,
        app: Option<&App>,
        asked: &BTreeMap<String, String>,
        now_s: i64,
    ) -> Result<(String, String, u64), (u16, &'static str, &'static str)> {
        let given = |name: &str| asked.get(name).map_or("", String::as_str);
        let invalid_client = (401, "invalid_client", "Invalid client");
        let app = app.filter(|it| it.installed && it.client_id == given("client_id")).ok_or(invalid_client)?;
        if app.client_secret != given("client_secret") {
            return Err(invalid_client);
        }
        if !app.paid {
            return Err((402, "PAYMENT_REQUIRED", "Payment required"));
        }
        let invalid_grant = (400, "invalid_grant", "Invalid grant");
        let user = match given("grant_type") {
            "authorization_code" => {
                let (until, user) = self.codes.remove(given("code")).ok_or(invalid_grant)?;
                (now_s < until).then_some(user).ok_or(invalid_grant)?
            }
            "refresh_token" => {
                let former = given("refresh_token").to_owned();
                let (until, user, _) = self.refresh.get(&former).copied().ok_or(invalid_grant)?;
                if now_s >= until {
                    return Err(invalid_grant);
                }
                match app.forgiving {
                    true => {
                        self.forgiven.insert(self.issued + 1, former);
                    }
                    false => {
                        self.refresh.remove(&former);
                    }
                }
                user
            }
            _ => return Err((400, "invalid_request", "Invalid request")),
        };
        let pair = self.issued + 1;
        let (access, refresh) = (self.token(app, "access"), self.token(app, "refresh"));
        self.access.insert(access.clone(), (now_s + ACCESS_LIFE_S, user, pair));
        self.refresh.insert(refresh.clone(), (now_s + REFRESH_LIFE_S, user, pair));
        Ok((access, refresh, user))
    }
}

/// The answer with a pair.
pub(super) fn shown_pair(pair: (String, String, u64), scopes: &[String], endpoint: &str, now_s: i64) -> Json {
    let (access, refresh, user) = pair;
    json!({
        "access_token": access,
        "expires": now_s + ACCESS_LIFE_S,
        "expires_in": ACCESS_LIFE_S,
        "scope": scopes.join(","),
        "domain": "oauth.bitrix.info",
        "server_endpoint": "https://oauth.bitrix.info/rest/",
        "status": "L",
        "client_endpoint": endpoint,
        "member_id": MEMBER_ID,
        "user_id": user,
        "refresh_token": refresh,
    })
}

/// Names the portal, whatever its address.
pub(super) const MEMBER_ID: &str = "a223c6b3710f85df22e9377d6c4f7553";
