//! `$events`: a stream of what changes, for an app that waits. An event names the things that
//! changed and nothing of what they say; after a break it goes on behind `Last-Event-ID`.

use std::{collections::VecDeque, convert::Infallible, pin::Pin, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use serde_json::json;
use tokio::sync::watch;

use super::{bearer, refusal, running};
use crate::{driver::Driver, health::fhir::Outcome, http::site::Site, node::Changed};

/// How often a quiet stream says that it is there; so often it is looked whether the share holds.
const SAYS_IT_IS_THERE: Duration = Duration::from_secs(20);

/// `[base]/$events`.
pub(super) async fn follow(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    match begun(&site, &headers).await {
        Ok(waiting) => {
            let alive = KeepAlive::new().interval(SAYS_IT_IS_THERE);
            Sse::new(events(waiting)).keep_alive(alive).into_response()
        }
        Err(outcome) => refusal(&outcome),
    }
}

/// Somebody who waits.
struct Waiting {
    driver: Driver,
    token: String,
    after: String,
    told: VecDeque<(String, Vec<String>)>,
    goes_on: bool,
    taken: watch::Receiver<u64>,
}

async fn begun(site: &Site, headers: &HeaderMap) -> Result<Waiting, Outcome> {
    let token = bearer(headers)?;
    let node = running(site)?;
    let after = headers.get("last-event-id");
    let after = after.and_then(|id| id.to_str().ok()).map(str::to_owned);
    let taken = node.driver.taken();
    let changed = asked(&node.driver, &token, after).await?;
    Ok(Waiting {
        driver: node.driver,
        token,
        after: changed.through,
        told: changed.changes.into(),
        goes_on: changed.goes_on,
        taken,
    })
}

async fn asked(driver: &Driver, token: &str, after: Option<String>) -> Result<Changed, Outcome> {
    let token = token.to_owned();
    let asked = driver.look(None, move |node| {
        Ok(node.fhir_changes(&token, after.as_deref()))
    });
    asked.await.map_err(Outcome::from)?
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// Ends with the share.
fn events(waiting: Waiting) -> Events {
    Box::pin(stream::unfold(waiting, |mut waiting| async move {
        loop {
            if let Some((id, things)) = waiting.told.pop_front() {
                let event = Event::default().event("changed").id(id);
                let event = event.data(json!({"changed": things}).to_string());
                return Some((Ok(event), waiting));
            }
            if !waiting.goes_on {
                // Something may be stopped without anything being written.
                let changed = tokio::time::timeout(SAYS_IT_IS_THERE, waiting.taken.changed());
                if let Ok(Err(_)) = changed.await {
                    return None;
                }
            }
            let after = Some(waiting.after.clone());
            let changed = asked(&waiting.driver, &waiting.token, after).await.ok()?;
            waiting.after = changed.through;
            waiting.told = changed.changes.into();
            waiting.goes_on = changed.goes_on;
        }
    }))
}
