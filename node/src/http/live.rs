//! Pages that know when something new has come: a stream of events that a small script follows.
//! Nothing clinical is in it, only how far the node has come.

use std::{convert::Infallible, pin::Pin, time::Duration};

use axum::{
    http::{HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use tokio::sync::watch;

use super::visitor::Visitor;

/// How often a quiet stream says that it is there.
const SAYS_IT_IS_THERE: Duration = Duration::from_secs(20);

/// `/live`: how far the node has come, now and whenever it comes further.
pub(super) async fn live(visitor: Visitor) -> Response {
    let taken = visitor.node.driver.taken();
    let events = Sse::new(events(visitor, taken));
    let alive = KeepAlive::new().interval(SAYS_IT_IS_THERE);
    let mut response = events.keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

fn events(visitor: Visitor, taken: watch::Receiver<u64>) -> Events {
    let begun = (visitor, taken, None);
    Box::pin(stream::unfold(
        begun,
        |(visitor, mut taken, mut told)| async move {
            loop {
                taken.mark_unchanged();
                // Who looked is in the journal too, and is no news to whoever looks.
                let end = visitor.work(|node| Ok(node.position().0)).await.ok()?;
                if told.replace(end) != Some(end) {
                    let event = Event::default().event("news").id(end.to_string());
                    let event = event.data(end.to_string());
                    return Some((Ok(event), (visitor, taken, told)));
                }
                taken.changed().await.ok()?;
            }
        },
    ))
}
