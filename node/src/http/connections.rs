//! How pages are served: so many connections at a time, none of which may be slow for long.
//!
//! Anybody on this machine can open a connection, and hold it. Over the bound the oldest one on
//! which nobody with a session has asked for anything gives way, so that whoever floods a node with
//! connections takes no room from those who look at its pages.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, response::Response, serve::Listener};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::{AbortHandle, JoinSet},
};

/// Connections at a time.
const CONNECTIONS_MAX: usize = 256;

/// How long the line and headers of a request may take, from the end of the one before.
const HEADERS_LAST: Duration = Duration::from_secs(15);

/// Bytes that are held of what a connection sent. A request's headers have a bound of their own,
/// which is lower and answers in words.
const HELD_LEN_MAX: usize = 64 * 1024;

/// Whether somebody with a session has asked for something on a connection. Each request has it.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<AtomicBool>);

impl Known {
    /// Somebody with a session has asked.
    pub fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Answers what comes, for as long as this is awaited: its connections end with it.
pub(super) async fn serve(mut listener: impl Listener, router: Router) {
    let mut tasks = JoinSet::new();
    let mut open: VecDeque<(AbortHandle, Known)> = VecDeque::new();
    loop {
        let (io, _) = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        open.retain(|(task, _)| !task.is_finished());
        if open.len() >= CONNECTIONS_MAX {
            let stranger = open.iter().position(|(_, known)| !known.is_marked());
            if let Some((oldest, _)) = open.remove(stranger.unwrap_or(0)) {
                oldest.abort();
            }
        }
        let known = Known::default();
        let task = tasks.spawn(answer(io, router.clone(), known.clone()));
        open.push_back((task, known));
    }
}

async fn answer(io: impl AsyncRead + AsyncWrite + Unpin + Send, router: Router, known: Known) {
    let asked = Asked {
        router: TowerToHyperService::new(router),
        known,
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_LAST)
        .max_buf_size(HELD_LEN_MAX)
        .serve_connection(TokioIo::new(io), asked);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection to the pages ended");
    }
}

/// The pages, as one connection asks for them.
struct Asked {
    router: TowerToHyperService<Router>,
    known: Known,
}

impl Service<Request<Incoming>> for Asked {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.known.clone());
        Box::pin(self.router.call(request))
    }
}
