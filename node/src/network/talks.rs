//! The streams that are open, and waking whoever waits on one when a connection has ended.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use futures::{
    AsyncRead, AsyncWrite, FutureExt,
    future::{BoxFuture, pending},
};
use libp2p::PeerId;
use tokio::sync::{Notify, watch};

use super::behaviour::Talk;

/// The streams of a node, by the device at their other end.
#[derive(Clone, Default)]
pub(super) struct Talks(Arc<Open>);

#[derive(Default)]
struct Open {
    with: Mutex<HashMap<PeerId, With>>,
    meeting_ended: Notify,
}

/// Those with one device.
#[derive(Default)]
struct With {
    open: usize,
    /// Of those, how many cannot begin again on another connection.
    meetings: usize,
    /// Changes when a connection with it has ended.
    ended: watch::Sender<()>,
}

impl Talks {
    /// A stream with `peer` is open from now on until what is given back is dropped.
    pub fn begins<S>(&self, peer: PeerId, talk: Talk, stream: S) -> Attended<S> {
        let is_meeting = matches!(talk, Talk::Pair | Talk::Emergency);
        let mut all = self.all();
        let with = all.entry(peer).or_default();
        with.open += 1;
        with.meetings += usize::from(is_meeting);
        Attended {
            stream,
            reading: Ended::of(with.ended.subscribe()),
            writing: Ended::of(with.ended.subscribe()),
            _place: Place {
                talks: self.clone(),
                peer,
                is_meeting,
            },
        }
    }

    /// A connection with `peer` has ended.
    pub fn connection_ended(&self, peer: &PeerId) {
        if let Some(with) = self.all().get(peer) {
            with.ended.send_replace(());
        }
    }

    /// Whether something goes on with `peer` that cannot begin again on another connection.
    pub fn meets(&self, peer: &PeerId) -> bool {
        self.all().get(peer).is_some_and(|with| with.meetings > 0)
    }

    /// Returns when a meeting has ended, also one that ended since it was asked last.
    pub async fn meeting_ended(&self) {
        self.0.meeting_ended.notified().await;
    }

    fn all(&self) -> MutexGuard<'_, HashMap<PeerId, With>> {
        // Counts are whole whatever happened to whoever held them.
        self.0.with.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That a stream is open.
struct Place {
    talks: Talks,
    peer: PeerId,
    is_meeting: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.talks.all();
        if let Some(with) = all.get_mut(&self.peer) {
            with.open -= 1;
            with.meetings -= usize::from(self.is_meeting);
            if with.open == 0 {
                all.remove(&self.peer);
            }
        }
        if self.is_meeting {
            self.talks.0.meeting_ended.notify_one();
        }
    }
}

/// A stream on which whoever waits looks again when a connection with its peer has ended. The
/// multiplexer wakes nobody whose connection was closed on this side (yamux 0.14.1).
pub(super) struct Attended<S> {
    stream: S,
    /// Reader and writer each have a task of their own to be woken.
    reading: Ended,
    writing: Ended,
    _place: Place,
}

/// That a connection ends, again and again.
struct Ended(BoxFuture<'static, watch::Receiver<()>>);

impl Ended {
    fn of(mut ended: watch::Receiver<()>) -> Self {
        let next = async move {
            if ended.changed().await.is_err() {
                pending::<()>().await;
            }
            ended
        };
        Self(next.boxed())
    }

    /// What `work` makes; where it waits, it is tried again each time that a connection has ended.
    fn or<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        loop {
            if let Poll::Ready(done) = work(cx) {
                return Poll::Ready(done);
            }
            *self = Self::of(ready!(self.0.poll_unpin(cx)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Attended<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self {
            stream, reading, ..
        } = &mut *self;
        reading.or(cx, |cx| Pin::new(&mut *stream).poll_read(cx, to))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Attended<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self {
            stream, writing, ..
        } = &mut *self;
        writing.or(cx, |cx| Pin::new(&mut *stream).poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self {
            stream, writing, ..
        } = &mut *self;
        writing.or(cx, |cx| Pin::new(&mut *stream).poll_flush(cx))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self {
            stream, writing, ..
        } = &mut *self;
        writing.or(cx, |cx| Pin::new(&mut *stream).poll_close(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::Pin,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::{Context, Poll},
        time::Duration,
    };

    use futures::{AsyncRead, AsyncReadExt};
    use libp2p::PeerId;

    use super::{Talk, Talks};

    /// A stream that wakes nobody when its connection has ended.
    #[derive(Clone, Default)]
    struct Silent(Arc<AtomicBool>);

    impl AsyncRead for Silent {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            match self.0.load(Ordering::Relaxed) {
                true => Poll::Ready(Ok(0)),
                false => Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn whoever_waits_on_a_stream_is_woken_when_its_connection_has_ended() {
        let (talks, peer) = (Talks::default(), PeerId::random());
        let stream = Silent::default();
        let mut read = talks.begins(peer, Talk::Sync, stream.clone());
        let reading = tokio::spawn(async move { read.read(&mut [0]).await });
        for other in [peer, PeerId::random()] {
            talks.connection_ended(&other);
        }
        tokio::task::yield_now().await;
        assert!(!reading.is_finished(), "another connection with it stands");
        stream.0.store(true, Ordering::Relaxed);
        talks.connection_ended(&peer);
        let read = tokio::time::timeout(Duration::from_secs(5), reading).await;
        assert!(matches!(read, Ok(Ok(Ok(0)))), "{read:?}");
        assert!(talks.all().is_empty(), "nothing is kept of it");
    }

    #[tokio::test]
    async fn a_meeting_is_known_until_its_stream_is_dropped() {
        let (talks, peer) = (Talks::default(), PeerId::random());
        let sync = talks.begins(peer, Talk::Sync, ());
        assert!(!talks.meets(&peer));
        let pairing = talks.begins(peer, Talk::Pair, ());
        assert!(talks.meets(&peer) && !talks.meets(&PeerId::random()));
        drop(pairing);
        assert!(!talks.meets(&peer));
        let ended = tokio::time::timeout(Duration::from_secs(5), talks.meeting_ended()).await;
        assert!(ended.is_ok(), "it is told afterwards too");
        drop(sync);
        assert!(talks.all().is_empty());
    }
}
