//! Whoever asks for a page, once they have a session and there is a node.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

use super::{
    connections::Known,
    pages::frame,
    refusal::Refusal,
    sessions::{Secret, Session, Viewer},
    site::{Kind, Running, Site},
};
use crate::{
    api::{Reply, Request},
    failure::{Ending, Failure},
    node::{Heading, Node},
};

/// Somebody with a session.
#[derive(Clone)]
pub(super) struct Visitor {
    pub site: Arc<Site>,
    pub session: Session,
    pub node: Running,
}

impl Visitor {
    /// Has the node do something.
    pub async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        self.work(move |node| node.handle(request, &mut |_| {}))
            .await
    }

    /// Has the node do something that is no command.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Node) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let staff = match self.session.viewer {
            Viewer::Owner | Viewer::Phone => None,
            Viewer::Staff(staff) => Some(staff),
        };
        let work = move |node: &mut Node| node.acting_as(staff, work);
        self.node.driver.ask(work).await
    }

    /// What stands at the top of each page of a record, or of the node.
    pub async fn heading(&self, record: Option<&str>) -> Result<Heading, Refusal> {
        let record = record.map(str::to_owned);
        let heading = self.work(move |node| node.heading(record.as_deref())).await;
        Ok(heading?)
    }
}

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let session = session(parts, site).ok_or_else(|| unknown(site))?;
        if !is_open_to(&session.viewer, &parts.method, parts.uri.path()) {
            return Err(Refusal::from(not_theirs(&session.viewer)).into_response());
        }
        let node = site.running().ok_or_else(|| {
            // A node that is not made yet, or is not there yet.
            Redirect::to("/start").into_response()
        })?;
        Ok(Self {
            site: Arc::clone(site),
            session,
            node,
        })
    }
}

/// Somebody with a session, whether there is a node or not.
pub(super) struct Newcomer {
    pub site: Arc<Site>,
    pub session: Session,
}

impl FromRequestParts<Arc<Site>> for Newcomer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let session = session(parts, site).ok_or_else(|| unknown(site))?;
        let site = Arc::clone(site);
        Ok(Self { site, session })
    }
}

fn session(parts: &Parts, site: &Site) -> Option<Session> {
    let session = site.sessions.find(&cookie(parts, site)?)?;
    if let Some(known) = parts.extensions.get::<Known>() {
        known.mark();
    }
    Some(session)
}

/// The secret that the browser keeps for this site.
pub(super) fn cookie(parts: &Parts, site: &Site) -> Option<Secret> {
    let all = parts.headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let mut named = pairs.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == site.sessions.cookie()).then(|| Secret::sent(value))
    });
    named.next()
}

/// Whether a page is for somebody at all; what they may do there the node decides.
fn is_open_to(viewer: &Viewer, method: &Method, path: &str) -> bool {
    const OF_THE_NODE: [&str; 5] = ["staff", "devices", "backups", "phone", "data"];
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    match viewer {
        Viewer::Owner => true,
        Viewer::Staff(_) => !OF_THE_NODE.contains(&first),
        Viewer::Phone => {
            let is_look = matches!(*method, Method::GET | Method::HEAD);
            let is_writing = path.ends_with("/add") || path.ends_with("/new") || first == "join";
            (is_look || first == "leave") && !is_writing && !OF_THE_NODE.contains(&first)
        }
    }
}

fn not_theirs(viewer: &Viewer) -> Failure {
    let remedy = match viewer {
        Viewer::Owner | Viewer::Staff(_) => "Ask whoever runs this node. Nothing was changed.",
        Viewer::Phone => {
            "A phone looks and changes nothing: do this on the computer. Nothing was changed."
        }
    };
    Failure::new(Ending::NotAllowed, "This is not done from here.", remedy)
}

fn unknown(site: &Site) -> Response {
    match site.kind {
        Kind::OwnMachine | Kind::Phone => {}
        Kind::Staff => return Redirect::to("/sign-in").into_response(),
    }
    let main = html! {
        section.panel {
            h1 { "Open kith from this computer" }
            p { "These pages are open only to whoever started kith here. The last link was used, or kith was started again." }
            p { "In a terminal on this computer, type " kbd { "kith ui" } " and follow the new link." }
        }
    };
    (StatusCode::UNAUTHORIZED, frame::bare("Open kith", &main)).into_response()
}
