//! Streams that others open: which are taken up, and whose wait for room.

use std::sync::Arc;

use futures::StreamExt;
use libp2p::PeerId;
use tokio::sync::{mpsc, oneshot};

use super::{
    Channel, Incoming, Talk, Traffic, device_of, known::Acquaintances, switchboard::Command,
    talks::Talks,
};

/// Takes up the streams of one kind that others open.
pub(super) struct Reception {
    pub talk: Talk,
    pub known: Acquaintances,
    pub commands: mpsc::WeakSender<Command>,
    pub to: mpsc::Sender<Incoming>,
    pub traffic: Arc<Traffic>,
    pub talks: Talks,
}

impl Reception {
    pub async fn run(self, mut streams: libp2p_stream::IncomingStreams) {
        while let Some((peer, stream)) = streams.next().await {
            let Some(device) = device_of(peer) else {
                continue;
            };
            if !self.lets_in(peer).await {
                tracing::debug!(talk = ?self.talk, "a stream was not taken up");
                continue;
            }
            let stream = self.talks.begins(peer, self.talk, stream);
            let (len_max, traffic) = (self.talk.frame_len_max(), Arc::clone(&self.traffic));
            let incoming = Incoming {
                device,
                talk: self.talk,
                channel: Channel::new(stream, len_max, traffic),
            };
            // Known devices wait for room; a stranger's stream for which there is none ends.
            let is_known = self.known.borrow().is_known(&peer);
            let place = if is_known {
                self.to.reserve().await.ok()
            } else {
                self.to.try_reserve().ok()
            };
            match place {
                Some(place) => place.send(incoming),
                None if self.to.is_closed() => return,
                None => tracing::debug!("there is no room for a stranger's stream"),
            }
        }
    }

    async fn lets_in(&self, peer: PeerId) -> bool {
        match self.talk {
            Talk::Pair | Talk::Emergency => {
                let (answer, answered) = oneshot::channel();
                let Some(commands) = self.commands.upgrade() else {
                    return false;
                };
                let asked = commands.send(Command::MayJoin(peer, answer)).await;
                asked.is_ok() && answered.await.unwrap_or(false)
            }
            Talk::Sync => true,
            Talk::Where => self.known.borrow().is_known(&peer),
        }
    }
}
