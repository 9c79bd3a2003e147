//! Everything that a node's connections can do, put together.

use libp2p::{
    StreamProtocol,
    identity::Keypair,
    memory_connection_limits as memory, ping, relay,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
};

use super::{
    Settings, door::Door, introductions::Introductions, known::Acquaintances, nearby::Nearby,
    relaying,
};
use kith_protocol::limits::MEMORY_OF_MACHINE_MAX;

/// What a stream is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Meeting for the first time, with an invitation: open to strangers.
    Pair,
    /// Sync: known devices, and devices that prove that they are of somebody known.
    Sync,
    /// Saying where this node can be reached: known devices only.
    Where,
    /// Opening a record with the code of its emergency page: open to strangers.
    Emergency,
}

impl Talk {
    pub(super) const fn protocol(self) -> StreamProtocol {
        match self {
            Self::Pair => StreamProtocol::new("/kith/pair/1"),
            Self::Sync => StreamProtocol::new("/kith/sync/1"),
            Self::Where => StreamProtocol::new("/kith/where/1"),
            Self::Emergency => StreamProtocol::new("/kith/emergency/0"),
        }
    }
}

/// What a node's connections can do. Who is let in at all is decided before anything else looks at
/// a connection.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub door: Door,
    pub memory: memory::Behaviour,
    pub streams: libp2p_stream::Behaviour,
    pub introductions: Introductions,
    pub ping: ping::Behaviour,
    pub nearby: Nearby,
    pub relayed: relay::client::Behaviour,
    pub relay: Toggle<relay::Behaviour>,
    pub punching: libp2p::dcutr::Behaviour,
}

impl Behaviour {
    pub fn new(
        key: &Keypair,
        relayed: relay::client::Behaviour,
        settings: &Settings,
        known: &Acquaintances,
    ) -> Self {
        let own = key.public().to_peer_id();
        let relay = settings.is_relay.then(|| relaying::relay_for(own, known));
        Self {
            door: Door::new(known.clone()),
            memory: memory::Behaviour::with_max_percentage(MEMORY_OF_MACHINE_MAX),
            streams: libp2p_stream::Behaviour::new(),
            introductions: Introductions::new(key),
            ping: ping::Behaviour::default(),
            nearby: Nearby::new(own),
            relayed,
            relay: relay.into(),
            punching: libp2p::dcutr::Behaviour::new(own),
        }
    }
}
