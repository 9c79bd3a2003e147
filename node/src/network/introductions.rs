//! What a node says of itself to whoever connects: its key and what it speaks, and how it sees the
//! other's address, which hole punching needs. Where it can be reached is told in invitations and
//! to known nodes only, so that nothing of it may get in here.

use std::task::{Context, Poll};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    identify,
    identity::Keypair,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
};

/// The version of how nodes talk, as others are told.
const VERSION: &str = "kith/1";

/// See the module.
pub(super) struct Introductions {
    inner: identify::Behaviour,
}

impl Introductions {
    pub fn new(key: &Keypair) -> Self {
        let config = identify::Config::new(VERSION.to_owned(), key.public())
            // Which build this is would tell an attacker what to try.
            .with_agent_version("kith".to_owned())
            .with_hide_listen_addrs(true)
            .with_push_listen_addr_updates(false)
            // Nobody says where it can be reached, so there is nothing to remember.
            .with_cache_size(0);
        Self {
            inner: identify::Behaviour::new(config),
        }
    }
}

impl NetworkBehaviour for Introductions {
    type ConnectionHandler = <identify::Behaviour as NetworkBehaviour>::ConnectionHandler;
    type ToSwarm = identify::Event;

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        // External addresses would be told to everyone, whatever is hidden. Those that are
        // listened on are needed here to make sense of how others see this node.
        if !matches!(
            event,
            FromSwarm::ExternalAddrConfirmed(_) | FromSwarm::ExternalAddrExpired(_)
        ) {
            self.inner.on_swarm_event(event);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner
            .on_connection_handler_event(peer, connection, event);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}
