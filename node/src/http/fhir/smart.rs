//! SMART App Launch 2: an app sends a person's browser here to ask for a share, and gets tokens
//! for the code that the browser brings back.
//!
//! `authorize` is where browsers come from elsewhere: it shows who asks and does nothing. The
//! question itself is a page of whoever runs the node (`pages/app.rs`).

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use kith_protocol::id::PrincipalId;
use maud::html;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::base;
use crate::{
    failure::Failure,
    health::fhir::{AppScopes, scopes_supported},
    http::{
        once::lock,
        pages::frame,
        refusal::Refusal,
        sessions::Secret,
        site::{Running, Site},
    },
    node::{Client, Tokens, origin_of},
    percent,
};

/// How long an access token lasts.
const ACCESS_LASTS: Duration = Duration::from_mins(15);

/// How long a code lasts: a browser brings it back at once.
const CODE_LASTS: Duration = Duration::from_mins(1);

/// Codes that are remembered; the oldest is forgotten first.
const CODES_MAX: usize = 64;

/// Bytes of a request for tokens.
const FORM_LEN_MAX: usize = 64 * 1024;

/// `.well-known/smart-configuration`.
pub(super) async fn configuration(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let base = base(&site, &headers);
    let said = json!({
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "token_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_types_supported": ["code"],
        "scopes_supported": scopes_supported(),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [
            "launch-standalone",
            "client-public",
            "context-standalone-patient",
            "permission-offline",
            "permission-patient",
            "permission-v1",
            "permission-v2",
        ],
    });
    json_of(StatusCode::OK, &said)
}

fn json_of(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// What an app asks, once it is known to be one that may.
pub(in crate::http) struct Question {
    pub client_id: String,
    pub client: Client,
    pub redirect: String,
    pub scopes: AppScopes,
    state: Option<String>,
    challenge: String,
    /// The request as it came, to be asked again.
    pub query: String,
}

/// Why there is no question.
pub(in crate::http) enum NoQuestion {
    /// Nobody is sent anywhere: who asks is not known.
    Unknown(&'static str),
    /// The app is told.
    Told(String),
    /// The node failed.
    Failed(Failure),
}

impl NoQuestion {
    pub fn response(self) -> Response {
        match self {
            Self::Unknown(why) => {
                let main = html! {
                    section.alert role="alert" {
                        h1 { "An app that is not known here asks" }
                        p { (why) }
                        p { "Nothing was shared. If it is an app of yours, register it: " kbd { "kith connect app --name NAME --redirect URL" } }
                    }
                };
                let page = frame::bare("An app asks", &main);
                (StatusCode::BAD_REQUEST, page).into_response()
            }
            Self::Told(to) => Redirect::to(&to).into_response(),
            Self::Failed(failure) => Refusal::from(failure).into_response(),
        }
    }
}

impl Question {
    /// Reads what an app asks; who is not known, or would have people sent to another place than
    /// it was registered with, is not answered.
    pub async fn read(
        site: &Site,
        node: &Running,
        headers: &HeaderMap,
        query: &str,
    ) -> Result<Self, NoQuestion> {
        let params = percent::pairs(query.as_bytes());
        let one = |name: &str| said_once(&params, name);
        let client_id = one("client_id").unwrap_or_default();
        let id = client_id.clone();
        let client = node.driver.ask(move |node| node.client(&id)).await;
        let client = client.map_err(NoQuestion::Failed)?;
        let Some(client) = client else {
            return Err(NoQuestion::Unknown(
                "No app with this client_id is registered here.",
            ));
        };
        let redirect = one("redirect_uri").unwrap_or_default();
        if !client.redirects.contains(&redirect) {
            return Err(NoQuestion::Unknown(
                "It asks to have you sent to another address than the one with which it was registered.",
            ));
        }
        let state = one("state");
        let told = |error: &str, why: &str| {
            NoQuestion::Told(back(
                &redirect,
                state.as_deref(),
                &[("error", error), ("error_description", why)],
            ))
        };
        if one("response_type").as_deref() != Some("code") {
            return Err(told(
                "unsupported_response_type",
                "response_type has to be code",
            ));
        }
        if !one("aud").is_some_and(|aud| is_here(site, headers, &aud)) {
            return Err(told(
                "invalid_request",
                "aud has to be the base of this server",
            ));
        }
        let challenge = one("code_challenge").unwrap_or_default();
        let is_challenge = challenge.len() == 43
            && challenge
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if one("code_challenge_method").as_deref() != Some("S256") || !is_challenge {
            return Err(told(
                "invalid_request",
                "PKCE with code_challenge_method S256 is needed",
            ));
        }
        let scopes = AppScopes::read(&one("scope").unwrap_or_default());
        if scopes.is_empty() {
            return Err(told(
                "invalid_scope",
                "none of the scopes opens anything here: ask for some such as patient/*.rs",
            ));
        }
        Ok(Self {
            client_id,
            client,
            redirect,
            scopes,
            state,
            challenge,
            query: query.to_owned(),
        })
    }

    /// Where the browser goes when the person has said yes.
    pub fn granted(self, site: &Site, app: PrincipalId, patient: String) -> String {
        let scope = self.scopes.granted.join(" ");
        let code = site.codes.keep(Grant {
            app,
            patient,
            scope,
            is_offline: self.scopes.is_offline,
            client_id: self.client_id,
            redirect: self.redirect.clone(),
            challenge: self.challenge,
        });
        back(
            &self.redirect,
            self.state.as_deref(),
            &[("code", code.as_str())],
        )
    }

    /// Where it goes when they said no.
    pub fn refused(&self) -> String {
        let said = [
            ("error", "access_denied"),
            ("error_description", "the person said no"),
        ];
        back(&self.redirect, self.state.as_deref(), &said)
    }

    /// What a form may send the browser to, as a policy names it.
    pub fn origin(&self) -> String {
        origin_of(&self.redirect)
    }
}

/// The value of a parameter: said twice it says nothing.
fn said_once(params: &[(String, String)], name: &str) -> Option<String> {
    let mut named = params.iter().filter(|(known, _)| known == name);
    let first = named.next().map(|(_, value)| value.clone());
    first.filter(|_| named.next().is_none())
}

/// Whether `aud` is the base of this server, by any of the names by which it is called.
fn is_here(site: &Site, headers: &HeaderMap, aud: &str) -> bool {
    let aud = aud.trim_end_matches('/');
    if aud == base(site, headers) || aud == site.fhir_base() {
        return true;
    }
    let scheme = if site.is_over_tls() {
        "https://"
    } else {
        "http://"
    };
    let host = aud
        .strip_prefix(scheme)
        .and_then(|rest| rest.strip_suffix(super::PATH));
    host.is_some_and(|host| site.is_called(host))
}

fn back(redirect: &str, state: Option<&str>, said: &[(&str, &str)]) -> String {
    let mut to = redirect.to_owned();
    let state = state.map(|state| ("state", state));
    for (name, value) in said.iter().copied().chain(state) {
        to.push(if to.contains('?') { '&' } else { '?' });
        to.push_str(name);
        to.push('=');
        to.push_str(&percent::encoded(value));
    }
    to
}

/// `authorize`: says who asks, to a browser that comes from anywhere, and leads on to the question,
/// where the session of whoever runs the node is needed.
pub(super) async fn authorize(State(site): State<Arc<Site>>, request: Request<Body>) -> Response {
    let Some(node) = site.running() else {
        return Redirect::to("/start").into_response();
    };
    let query = request.uri().query().unwrap_or_default();
    match Question::read(&site, &node, request.headers(), query).await {
        Ok(question) => {
            let main = html! {
                section.panel {
                    h1 { (question.client.name) " asks for a share" }
                    p { "An app called " strong { (question.client.name) } " asks to read a record through this node. Nothing is shared before you have seen what it asks for and have said yes." }
                    p { a.button.main href=(format!("/apps/ask?{}", question.query)) { "See what it asks for" } }
                    p.small { "kith has to be open in this browser. If it is not, type " kbd { "kith ui" } " in a terminal on this computer first, then come back to this page." }
                }
            };
            frame::bare("An app asks", &main).into_response()
        }
        Err(none) => none.response(),
    }
}

/// What a code stands for.
struct Grant {
    app: PrincipalId,
    patient: String,
    scope: String,
    is_offline: bool,
    client_id: String,
    redirect: String,
    challenge: String,
}

/// Codes that were given out, by their hashes: each with when, and whether it was used.
#[derive(Default)]
pub(in crate::http) struct Codes(Mutex<BTreeMap<[u8; 32], (Instant, bool, Grant)>>);

/// What a code gives.
enum Opens {
    Nothing,
    /// Somebody has shown it before.
    Again(PrincipalId),
    Once(PrincipalId, String, String, bool),
}

impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Codes(..)")
    }
}

impl Codes {
    fn keep(&self, grant: Grant) -> Secret {
        let code = Secret::draw();
        let mut kept = lock(&self.0);
        kept.retain(|_, (made, ..)| made.elapsed() < CODE_LASTS);
        if kept.len() >= CODES_MAX {
            let oldest = kept.iter().min_by_key(|(_, (made, ..))| *made);
            if let Some(name) = oldest.map(|(name, _)| *name) {
                kept.remove(&name);
            }
        }
        kept.insert(name_of(code.as_str()), (Instant::now(), false, grant));
        code
    }

    /// What a code gives: once, to the app that asked, for the address to which it was sent, and to
    /// whoever knows the verifier.
    fn open(&self, code: &str, client_id: &str, redirect: &str, verifier: &str) -> Opens {
        let mut kept = lock(&self.0);
        let Some((made, is_used, grant)) = kept.get_mut(&name_of(code)) else {
            return Opens::Nothing;
        };
        if *is_used {
            return Opens::Again(grant.app);
        }
        // Whatever comes of it, it is used.
        *is_used = true;
        let hash = Sha256::digest(verifier.as_bytes());
        let is_right = made.elapsed() < CODE_LASTS
            && grant.client_id == client_id
            && grant.redirect == redirect
            && (43..=128).contains(&verifier.len())
            && data_encoding::BASE64URL_NOPAD.encode(&hash) == grant.challenge;
        if !is_right {
            return Opens::Nothing;
        }
        Opens::Once(
            grant.app,
            grant.patient.clone(),
            grant.scope.clone(),
            grant.is_offline,
        )
    }
}

fn name_of(code: &str) -> [u8; 32] {
    *blake3::hash(code.as_bytes()).as_bytes()
}

/// `token`: tokens for a code, or for a token that gives others.
pub(super) async fn token(State(site): State<Arc<Site>>, body: Body) -> Response {
    let Some(node) = site.running() else {
        return not_given("temporarily_unavailable", "there is no node here yet");
    };
    let Ok(body) = to_bytes(body, FORM_LEN_MAX).await else {
        return not_given("invalid_request", "the request is too long");
    };
    let params = percent::pairs(&body);
    let one = |name: &str| said_once(&params, name).unwrap_or_default();
    let client_id = one("client_id");
    match one("grant_type").as_str() {
        "authorization_code" => {
            let opens = site.codes.open(
                &one("code"),
                &client_id,
                &one("redirect_uri"),
                &one("code_verifier"),
            );
            by_code(&node, opens).await
        }
        "refresh_token" => {
            let token = one("refresh_token");
            let lasts_ms = lasts_ms();
            let refreshed = node
                .driver
                .ask(move |node| node.refreshed(&token, &client_id, lasts_ms))
                .await;
            match refreshed {
                Ok(Some(refreshed)) => {
                    given(&refreshed.tokens, &refreshed.patient, &refreshed.scope)
                }
                Ok(None) => not_given(
                    "invalid_grant",
                    "this token gives no other one: it was used, or the share has ended",
                ),
                Err(failure) => super::refusal(&failure.into()),
            }
        }
        _ => not_given(
            "unsupported_grant_type",
            "grant_type has to be authorization_code or refresh_token",
        ),
    }
}

async fn by_code(node: &Running, opens: Opens) -> Response {
    const WRONG: &str = "this code gives no tokens: it works once, for a minute, for the app that asked, with its verifier";
    match opens {
        Opens::Nothing => not_given("invalid_grant", WRONG),
        Opens::Again(app) => match node.driver.ask(move |node| node.end_tokens(app)).await {
            Ok(()) => not_given("invalid_grant", WRONG),
            Err(failure) => super::refusal(&failure.into()),
        },
        Opens::Once(app, patient, scope, is_offline) => {
            let lasts_ms = lasts_ms();
            let tokens = node
                .driver
                .ask(move |node| node.tokens(app, lasts_ms, is_offline))
                .await;
            match tokens {
                Ok(tokens) => given(&tokens, &patient, &scope),
                Err(failure) => super::refusal(&failure.into()),
            }
        }
    }
}

fn lasts_ms() -> u64 {
    ACCESS_LASTS.as_secs() * 1000
}

fn given(tokens: &Tokens, patient: &str, scope: &str) -> Response {
    let mut said = json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": ACCESS_LASTS.as_secs(),
        "scope": scope,
        "patient": patient,
    });
    if let Some(refresh) = &tokens.refresh {
        said["refresh_token"] = json!(refresh);
    }
    json_of(StatusCode::OK, &said)
}

fn not_given(error: &str, why: &str) -> Response {
    let said = json!({"error": error, "error_description": why});
    json_of(StatusCode::BAD_REQUEST, &said)
}

#[cfg(test)]
mod tests {
    use kith_protocol::id::PrincipalId;

    use super::{Codes, Grant, Opens, back};

    fn grant() -> Grant {
        Grant {
            app: PrincipalId::from_bytes([1; 32]),
            patient: "p".to_owned(),
            scope: "patient/*.rs".to_owned(),
            is_offline: false,
            client_id: "app".to_owned(),
            redirect: "http://127.0.0.1:1/x".to_owned(),
            // RFC 7636, appendix B.
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        }
    }

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn a_code_gives_tokens_once_and_only_to_whoever_asked() {
        let codes = Codes::default();
        let open = |client: &str, redirect: &str, verifier: &str| {
            let code = codes.keep(grant());
            codes.open(code.as_str(), client, redirect, verifier)
        };
        let redirect = grant().redirect;
        assert!(matches!(open("app", &redirect, VERIFIER), Opens::Once(..)));
        assert!(matches!(open("other", &redirect, VERIFIER), Opens::Nothing));
        assert!(matches!(
            open("app", "http://127.0.0.1:1/", VERIFIER),
            Opens::Nothing
        ));
        assert!(matches!(
            open("app", &redirect, &VERIFIER.to_uppercase()),
            Opens::Nothing
        ));
        assert!(matches!(open("app", &redirect, ""), Opens::Nothing));
        let code = codes.keep(grant());
        for (verifier, is_again) in [("", false), (VERIFIER, true), (VERIFIER, true)] {
            let opens = codes.open(code.as_str(), "app", &redirect, verifier);
            assert_eq!(matches!(opens, Opens::Again(_)), is_again, "{verifier}");
        }
    }

    #[test]
    fn what_an_app_said_comes_back_to_it_as_it_was() {
        assert_eq!(
            back(
                "http://127.0.0.1:1/x?a=b",
                Some("s &=#/é"),
                &[("code", "c")]
            ),
            "http://127.0.0.1:1/x?a=b&code=c&state=s%20%26%3D%23%2F%C3%A9"
        );
    }
}
