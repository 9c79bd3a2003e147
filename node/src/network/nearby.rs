//! Nodes on the same network (mDNS), looked for only while somebody wants to be found.
//!
//! The discovery of libp2p answers from tasks that outlive it, so it has a runtime of its own that
//! ends with it: when nobody looks around, this node says nothing to the network around it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    task::{Context, Poll},
};

use kith_protocol::{
    id::DeviceId,
    limits::{ADDRESSES_MAX, NEARBY_ADDRESSES_MAX, NEARBY_MAX},
};
use libp2p::{
    Multiaddr, PeerId,
    core::{
        Endpoint,
        transport::{ListenerId, PortUse},
    },
    mdns,
    swarm::{
        ConnectionDenied, ConnectionId, ExpiredListenAddr, FromSwarm, ListenAddresses,
        NetworkBehaviour, NewListenAddr, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
        dummy,
    },
};
use tokio::runtime::Runtime;

use super::device_of;

/// Who is near, while it is looked for.
pub(super) struct Nearby {
    own: PeerId,
    listening: ListenAddresses,
    looking: Option<Looking>,
    found: BTreeMap<PeerId, Vec<Multiaddr>>,
    waker: Option<std::task::Waker>,
}

/// Discovery at work; all of it ends when this is dropped.
struct Looking {
    mdns: mdns::tokio::Behaviour,
    runtime: Option<Runtime>,
}

impl Nearby {
    pub fn new(own: PeerId) -> Self {
        Self {
            own,
            listening: ListenAddresses::default(),
            looking: None,
            found: BTreeMap::new(),
            waker: None,
        }
    }

    /// Begins or ends looking, and being found.
    pub fn look(&mut self, is_looking: bool) -> io::Result<()> {
        if is_looking == self.looking.is_some() {
            return Ok(());
        }
        self.found.clear();
        self.looking = None;
        if is_looking {
            self.looking = Some(Looking::begin(self.own, &self.listening)?);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
        Ok(())
    }

    /// Who is near now, each with where.
    pub fn found(&self) -> Vec<(DeviceId, Vec<Multiaddr>)> {
        self.found
            .iter()
            .filter_map(|(peer, addresses)| Some((device_of(*peer)?, addresses.clone())))
            .collect()
    }

    fn note(&mut self, event: mdns::Event) {
        match event {
            mdns::Event::Discovered(found) => {
                for (peer, address) in found {
                    if self.found.len() >= NEARBY_MAX && !self.found.contains_key(&peer) {
                        continue;
                    }
                    let addresses = self.found.entry(peer).or_default();
                    if addresses.len() < ADDRESSES_MAX && !addresses.contains(&address) {
                        addresses.push(address);
                    }
                }
            }
            mdns::Event::Expired(expired) => {
                for (peer, address) in expired {
                    if let Some(addresses) = self.found.get_mut(&peer) {
                        addresses.retain(|known| *known != address);
                        if addresses.is_empty() {
                            self.found.remove(&peer);
                        }
                    }
                }
            }
        }
    }

    /// Somebody floods the network with names: what they made it remember is forgotten.
    fn begin_anew(&mut self) {
        tracing::warn!("too many nodes are said to be near; looking begins anew");
        self.found.clear();
        self.looking = None;
        match Looking::begin(self.own, &self.listening) {
            Ok(looking) => self.looking = Some(looking),
            Err(error) => tracing::warn!(%error, "nodes nearby cannot be looked for"),
        }
    }
}

impl Looking {
    fn begin(own: PeerId, listening: &ListenAddresses) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("kith-nearby")
            .enable_all()
            .build()?;
        let mdns = {
            let _inside = runtime.enter();
            mdns::tokio::Behaviour::new(mdns::Config::default(), own)
        };
        let mut looking = Self {
            mdns: mdns?,
            runtime: Some(runtime),
        };
        // It was not there when they came up.
        for addr in listening.iter() {
            let listener_id = ListenerId::next();
            let event = NewListenAddr { listener_id, addr };
            looking.hear(FromSwarm::NewListenAddr(event));
        }
        Ok(looking)
    }

    fn hear(&mut self, event: FromSwarm) {
        self.mdns.on_swarm_event(event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<mdns::Event>> {
        let inside = self.runtime.as_ref().map(Runtime::enter);
        let polled = self.mdns.poll(cx);
        drop(inside);
        polled.map(|polled| {
            // What it says of addresses is left aside: who is near is told to whoever asks.
            if let ToSwarm::GenerateEvent(event) = polled {
                Some(event)
            } else {
                None
            }
        })
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Takes every task and socket along, and may be done from within another runtime.
            runtime.shutdown_background();
        }
    }
}

impl NetworkBehaviour for Nearby {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let near = peer.and_then(|peer| self.found.get(&peer));
        Ok(near.cloned().unwrap_or_default())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if let FromSwarm::NewListenAddr(NewListenAddr { .. })
        | FromSwarm::ExpiredListenAddr(ExpiredListenAddr { .. }) = event
        {
            self.listening.on_swarm_event(&event);
            if let Some(looking) = &mut self.looking {
                looking.hear(event);
            }
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        while let Some(looking) = &mut self.looking {
            match looking.poll(cx) {
                Poll::Ready(Some(event)) => self.note(event),
                Poll::Ready(None) => {}
                Poll::Pending => break,
            }
            let known = self.looking.as_ref().map(|now| now.mdns.discovered_nodes());
            if known.is_some_and(|nodes| nodes.len() > NEARBY_ADDRESSES_MAX) {
                self.begin_anew();
            }
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
