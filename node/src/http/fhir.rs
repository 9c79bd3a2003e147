//! The record of a person over FHIR R4, for apps that show an access token.
//!
//! Which interactions there are, a table says (`health/fhir/types.rs`); each answer is made on the
//! node's own thread, within the share that the token belongs to (`node/fhir.rs`). There are no
//! cookies here: a browser gives nothing of itself to whoever makes it ask. A page of a registered
//! app may ask from a browser (`fhir/page.rs`).

mod events;
mod page;
mod smart;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use serde_json::Value;

use super::{
    connections::Known,
    site::{Kind, Running, Site},
};
use crate::{
    health::fhir::{Code, Handling, Interaction, Operation, Outcome, capability, interaction},
    node::{FhirAsked, FhirGiven},
    percent::pairs,
};

pub(super) use page::{AppPage, Asking};
pub(super) use smart::{Codes, Question};

/// Bytes of what an app sends.
const BODY_LEN_MAX: usize = 8 * 1024 * 1024;

const JSON: &str = "application/fhir+json; charset=utf-8";

/// Where apps read, below the address of a site.
pub(super) const PATH: &str = "/fhir";

/// Where apps send browsers.
pub(super) const AUTHORIZE: &str = "/fhir/authorize";

/// What is answered to apps.
pub(super) fn router(site: &Site) -> Router<Arc<Site>> {
    let answers = || {
        Router::new()
            .route("/fhir", any(answer))
            .route("/fhir/", any(answer))
            .route("/fhir/$events", get(events::follow))
            .route("/fhir/{*path}", any(answer))
    };
    match site.kind {
        // A phone looks at pages.
        Kind::Phone => Router::new(),
        Kind::Staff => answers(),
        Kind::OwnMachine => answers()
            .route(
                "/fhir/.well-known/smart-configuration",
                get(smart::configuration),
            )
            .route(AUTHORIZE, get(smart::authorize))
            .route("/fhir/token", post(smart::token)),
    }
}

/// Whether a path is one of apps.
pub(super) fn is_of_apps(path: &str) -> bool {
    path.strip_prefix(PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A refusal as apps read it.
pub(super) fn refusal(outcome: &Outcome) -> Response {
    let status = StatusCode::from_u16(outcome.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &outcome.to_value());
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer realm=\"kith\", error=\"invalid_token\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = HeaderValue::from_static("GET, POST, PUT");
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let kind = HeaderValue::from_static(JSON);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn answer(State(site): State<Arc<Site>>, request: Request<Body>) -> Response {
    match answered(&site, request).await {
        Ok(response) => response,
        Err(outcome) => refusal(&outcome),
    }
}

async fn answered(site: &Site, request: Request<Body>) -> Result<Response, Outcome> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PATH).unwrap_or_default();
    let interaction = interaction(parts.method.as_str(), path)?;
    let headers = &parts.headers;
    wants_json(headers, parts.uri.query().unwrap_or_default())?;
    let base = base(site, headers);
    if interaction == Interaction::Capabilities {
        return Ok(json(StatusCode::OK, &capability(&base, site.has_launch())));
    }
    let token = bearer(headers)?;
    let node = running(site)?;
    let body = read(body).await?;
    let asked = asked(
        base,
        interaction,
        &parts.method,
        (headers, parts.uri.query()),
        body,
    )?;
    let given = node
        .driver
        .look(None, move |node| Ok(node.fhir(&token, &asked)))
        .await;
    let given = given.map_err(Outcome::from)??;
    if let Some(known) = parts.extensions.get::<Known>() {
        known.mark();
    }
    Ok(response(headers, &given))
}

/// What an app asks for, out of its request.
fn asked(
    base: String,
    interaction: Interaction,
    method: &Method,
    (headers, query): (&HeaderMap, Option<&str>),
    body: Bytes,
) -> Result<FhirAsked, Outcome> {
    let mut params = pairs(query.unwrap_or_default().as_bytes());
    let mut kept = Vec::new();
    let is_search = matches!(interaction, Interaction::Search(_)) && *method == Method::POST;
    if is_search {
        if !is_kind(headers, &["application/x-www-form-urlencoded"]) && !body.is_empty() {
            return Err(other_kind(
                "A search by POST is sent as application/x-www-form-urlencoded.",
            ));
        }
        params.extend(pairs(&body));
    } else if !body.is_empty() {
        let kinds = ["application/fhir+json", "application/json", "text/json"];
        if !is_kind(headers, &kinds) {
            return Err(other_kind("This server reads application/fhir+json."));
        }
        kept = body.into();
    }
    let text = |name: HeaderName| {
        let value = headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    let prefer = text(HeaderName::from_static("prefer")).unwrap_or_default();
    let handling = if prefer.replace(' ', "").contains("handling=strict") {
        Handling::Strict
    } else {
        Handling::Lenient
    };
    let if_none_exist = text(HeaderName::from_static("if-none-exist"));
    let if_none_exist = if_none_exist.map(|query| {
        let query = query
            .rsplit_once('?')
            .map_or(query.as_str(), |(_, query)| query);
        pairs(query.as_bytes())
    });
    let is_docref = matches!(interaction, Interaction::Operation(Operation::DocRef, _));
    let takes_body = matches!(
        interaction,
        Interaction::Create(_) | Interaction::Update(..)
    );
    Ok(FhirAsked {
        base,
        interaction,
        params,
        handling,
        body: if takes_body || is_docref {
            kept
        } else {
            Vec::new()
        },
        if_match: text(header::IF_MATCH),
        if_none_exist,
    })
}

fn response(headers: &HeaderMap, given: &FhirGiven) -> Response {
    let tag = given
        .version
        .as_ref()
        .map(|version| format!("W/\"{version}\""));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|known| known.to_str().ok());
    if let (Some(tag), Some(known)) = (&tag, known)
        && given.status == 200
        && known.split(',').any(|known| known.trim() == tag)
    {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let status = StatusCode::from_u16(given.status).unwrap_or(StatusCode::OK);
    let mut response = json(status, &given.body);
    let updated = given.updated_ms.and_then(http_date);
    let said = [
        (header::ETAG, tag),
        (header::LAST_MODIFIED, updated),
        (header::LOCATION, given.location.clone()),
    ];
    for (name, value) in said {
        let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn http_date(time_ms: u64) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(time_ms).ok()?).ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// The base as whoever asks calls it: the door has looked at the host.
fn base(site: &Site, headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let scheme = if site.is_over_tls() { "https" } else { "http" };
    match host {
        Some(host) => format!("{scheme}://{host}{PATH}"),
        None => site.fhir_base(),
    }
}

fn running(site: &Site) -> Result<Running, Outcome> {
    site.running().ok_or_else(|| {
        Outcome::refused(
            503,
            Code::Transient,
            "There is no node here yet. Try again later.",
        )
    })
}

fn bearer(headers: &HeaderMap) -> Result<String, Outcome> {
    let said = headers.get(header::AUTHORIZATION);
    let token = said.and_then(|said| {
        let (scheme, token) = said.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned())
    });
    token.filter(|token| !token.is_empty()).ok_or_else(|| {
        Outcome::refused(
            401,
            Code::Login,
            "This needs an access token, sent as Authorization: Bearer TOKEN. Whoever owns the record gives one out with kith connect fhir.",
        )
        .at("http.Authorization")
    })
}

async fn read(body: Body) -> Result<Bytes, Outcome> {
    to_bytes(body, BODY_LEN_MAX).await.map_err(|_| {
        Outcome::refused(
            413,
            Code::TooLong,
            format!(
                "This is more than {} MB, or did not arrive whole. Nothing was written.",
                BODY_LEN_MAX >> 20
            ),
        )
    })
}

/// This server writes JSON and nothing else.
fn wants_json(headers: &HeaderMap, query: &str) -> Result<(), Outcome> {
    let is_json = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.is_empty() || kind == "*/*" || kind == "application/*" || kind.contains("json")
    };
    let format = pairs(query.as_bytes());
    let format = format.iter().find(|(name, _)| name == "_format");
    let wants = match format {
        // A space here is a plus that was not escaped.
        Some((_, format)) => is_json(&format.replace(' ', "+")),
        None => headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|accept| accept.to_str().ok())
            .flat_map(|accept| accept.split(','))
            .map(is_json)
            .reduce(|one, other| one || other)
            .unwrap_or(true),
    };
    if wants {
        return Ok(());
    }
    Err(Outcome::refused(
        406,
        Code::NotSupported,
        "This server writes application/fhir+json and nothing else. Ask for that in Accept or _format.",
    )
    .at("http.Accept"))
}

fn is_kind(headers: &HeaderMap, kinds: &[&str]) -> bool {
    let said = headers.get(header::CONTENT_TYPE);
    let said = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
    let said = said.split(';').next().unwrap_or_default().trim();
    kinds.iter().any(|kind| said.eq_ignore_ascii_case(kind))
}

fn other_kind(what: &str) -> Outcome {
    Outcome::refused(415, Code::NotSupported, what).at("http.Content-Type")
}

#[cfg(test)]
mod tests {
    use super::is_of_apps;

    #[test]
    fn only_paths_of_apps_are_theirs() {
        assert!(is_of_apps("/fhir") && is_of_apps("/fhir/metadata"));
        assert!(!is_of_apps("/fhirs") && !is_of_apps("/r/fhir") && !is_of_apps("/"));
    }
}
