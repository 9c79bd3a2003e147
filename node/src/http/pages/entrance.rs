//! Coming in by a one-use link, and leaving.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use maud::html;

use super::{Answer, alone, go};
use crate::http::{
    forms::Left,
    sessions::Secret,
    site::{Kind, Site},
    visitor::{cookie, way_in},
};

/// `/enter/LINK`: a page with one button. A visit changes nothing, so that a program which looks at
/// links before they are shown does not use this one up; a browser with a script goes on by itself.
pub(super) async fn door(State(site): State<Arc<Site>>, Path(link): Path<String>) -> Response {
    let place = match site.kind {
        Kind::OwnMachine | Kind::Staff => "on this computer",
        Kind::Phone => "on this phone",
    };
    let main = html! {
        section.panel {
            h1 { "Open kith" }
            p { "This link opens kith once, " (place) "." }
            form method="post" action="/enter" data-go {
                input type="hidden" name="link" value=(link);
                button.main { "Open" }
            }
        }
    };
    alone("Open kith", &main).into_response()
}

/// Begins a session, and takes the link away.
pub(super) async fn enter(
    State(site): State<Arc<Site>>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let link = fields.iter().find(|(name, _)| name == "link");
    let entered = link.and_then(|(_, link)| site.sessions.enter(&Secret::sent(link)));
    let Some(session) = entered else {
        let main = html! {
            section.panel {
                h1 { "This link does not open kith any more" }
                p { "A link works once, for ten minutes." }
                (way_in(site.kind))
            }
        };
        return (StatusCode::UNAUTHORIZED, alone("Open kith", &main)).into_response();
    };
    let mut response = go("/");
    keep(&mut response, &site, &session);
    response
}

/// Has the browser keep a session.
pub(super) fn keep(response: &mut Response, site: &Site, session: &Secret) {
    if let Ok(cookie) = HeaderValue::from_str(&site.sessions.set_cookie(session)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

/// Ends the session.
pub(super) async fn leave(State(site): State<Arc<Site>>, parts: Parts, _: Left) -> Answer {
    if let Some(secret) = cookie(&parts, &site) {
        site.sessions.end(&secret);
    }
    let main = html! {
        section.panel {
            h1 { "Closed" }
            @match site.kind {
                Kind::OwnMachine => p { "Your node goes on: it sends and receives what is shared. " kbd { "kith ui" } " opens these pages again." }
                Kind::Staff | Kind::Phone => (way_in(site.kind))
            }
        }
    };
    Ok(alone("Closed", &main).into_response())
}
