//! Whoever asks for a page, once they have a session and there is a node.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

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
        self.work_about(None, work).await
    }

    async fn work_about<T: Send + 'static>(
        &self,
        record: Option<String>,
        work: impl FnOnce(&mut Node) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let staff = match self.session.viewer {
            Viewer::Owner | Viewer::Phone => None,
            Viewer::Staff(staff) => Some(staff),
        };
        let work = move |node: &mut Node| node.acting_as(staff, work);
        self.node.driver.look(record, work).await
    }

    /// What stands at the top of each page of a record, or of the node.
    pub async fn heading(&self, record: Option<&str>) -> Result<Heading, Refusal> {
        let record = record.map(str::to_owned);
        let heading = self.work(move |node| node.heading(record.as_deref())).await;
        Ok(heading?)
    }
}

impl Visitor {
    /// What a page of a record shows, with what stands at its top: read together, as one look.
    pub async fn look<T: Send + 'static>(
        &self,
        record: &str,
        work: impl FnOnce(&mut Node) -> Result<T, Failure> + Send + 'static,
    ) -> Result<(Heading, T), Failure> {
        let record = record.to_owned();
        let about = Some(record.clone());
        let work = move |node: &mut Node| Ok((node.heading(Some(&record))?, work(node)?));
        self.work_about(about, work).await
    }

    /// The same of a command.
    pub async fn look_by(
        &self,
        record: &str,
        request: Request,
    ) -> Result<(Heading, Reply), Failure> {
        self.look(record, move |node| node.handle(request, &mut |_| {}))
            .await
    }

    /// Whether it is whoever runs the node.
    pub fn runs_it(&self) -> bool {
        self.session.viewer == Viewer::Owner
    }

    /// Whether it only looks.
    pub fn is_phone(&self) -> bool {
        self.session.viewer == Viewer::Phone
    }

    /// What is said to somebody who may not do something at all.
    pub fn may_not(&self) -> Refusal {
        let remedy = match self.session.viewer {
            Viewer::Owner | Viewer::Staff(_) => "Ask whoever runs this node. Nothing was changed.",
            Viewer::Phone => {
                "A phone looks and changes nothing: do this on the computer. Nothing was changed."
            }
        };
        Failure::new(Ending::NotAllowed, "This is not done from here.", remedy).into()
    }
}

/// Whoever runs the node: pages of the node itself are for nobody else.
pub(super) struct RunsIt;

impl FromRequestParts<Arc<Site>> for RunsIt {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, site).await?;
        if visitor.runs_it() {
            Ok(Self)
        } else {
            Err(visitor.may_not().into_response())
        }
    }
}

impl FromRequestParts<Arc<Site>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let session = session(parts, site).ok_or_else(|| unknown(site))?;
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

/// How somebody without a session comes in.
pub(super) fn way_in(kind: Kind) -> Markup {
    match kind {
        Kind::OwnMachine => html! {
            p { "In a terminal on this computer, type " kbd { "kith ui" } " and follow the new link." }
        },
        Kind::Staff => html! { p { a href="/sign-in" { "Sign in" } } },
        Kind::Phone => html! {
            p { "On the computer, open \u{201c}Devices\u{201d}, then \u{201c}Look from a phone that has no kith\u{201d}, and scan the code that is shown there." }
        },
    }
}

fn unknown(site: &Site) -> Response {
    let main = match site.kind {
        Kind::Staff => return Redirect::to("/sign-in").into_response(),
        Kind::OwnMachine => html! {
            section.panel {
                h1 { "Open kith from this computer" }
                p { "These pages are open only to whoever started kith here. The last link was used, or kith was started again." }
                (way_in(site.kind))
            }
        },
        Kind::Phone => html! {
            section.panel {
                h1 { "Scan a new code" }
                p { "A code lets one phone in, once. This one was used, or these pages were closed." }
                (way_in(site.kind))
            }
        },
    };
    (StatusCode::UNAUTHORIZED, frame::bare("Open kith", &main)).into_response()
}
