//! Pages that know when something new has come, or when something has become late: a stream of events
//! that a small script follows. Nothing clinical is in it, only how far the node has come.

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

/// `/live`: how far the node has come, now and whenever it comes further, and that the time of a
/// task has passed, when it does.
pub(super) async fn live(visitor: Visitor) -> Response {
    let following = Following {
        taken: visitor.node.driver.taken(),
        late: visitor.node.driver.late(),
        visitor,
        told: None,
    };
    let events: Events = Box::pin(stream::unfold(following, Following::next));
    let alive = KeepAlive::new().interval(SAYS_IT_IS_THERE);
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// How far a page was told of.
struct Following {
    visitor: Visitor,
    taken: watch::Receiver<u64>,
    late: watch::Receiver<u64>,
    told: Option<u64>,
}

impl Following {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            self.taken.mark_unchanged();
            // Who looked is in the journal too, and is no news to whoever looks.
            let end = self.visitor.work(|node| Ok(node.position().0)).await.ok()?;
            if self.told.replace(end) != Some(end) {
                let event = Event::default().event("news").id(end.to_string());
                return Some((Ok(event.data(end.to_string())), self));
            }
            tokio::select! {
                changed = self.taken.changed() => changed.ok()?,
                passed = self.late.changed() => {
                    passed.ok()?;
                    let times = self.late.borrow_and_update().to_string();
                    return Some((Ok(Event::default().event("late").data(times)), self));
                }
            }
        }
    }
}
