//! Who may connect: known devices always, strangers as long as there is room for strangers.
//!
//! Who somebody is is proved only after a handshake, so that there is room for handshakes too, and
//! some of it is kept for the addresses from which somebody known is to be expected.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::IpAddr,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use kith_protocol::limits::{
    CONNECTIONS_PER_DEVICE_MAX, GREETINGS_MAX, GREETINGS_PER_PLACE_MAX, GREETINGS_RESERVE,
    JOINS_COUNTED_FOR_MS, JOINS_COUNTED_MAX, JOINS_PER_PLACE_MAX, STRANGER_LASTS_MS,
    STRANGERS_CONNECTED_MAX, STRANGERS_PER_PLACE_MAX,
};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
    },
};

use super::{address, known::Acquaintances};

/// How often connections of strangers are looked through for those that have had their time.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(5);

/// For how long somebody who presented an invitation is remembered.
const JOINS_COUNTED_FOR: Duration = Duration::from_millis(JOINS_COUNTED_FOR_MS);

/// See the module.
pub(super) struct Door {
    known: Acquaintances,
    greeting: BTreeMap<ConnectionId, Way>,
    inside: BTreeMap<ConnectionId, Inside>,
    /// Connections to be closed.
    leaving: Vec<(ConnectionId, PeerId)>,
    /// Who presented an invitation lately, from where.
    asked: Vec<(Option<IpAddr>, Instant)>,
    rounds: tokio::time::Interval,
}

/// The way that a connection comes: where from, and over what. The sender of a datagram can write
/// any address on it, so datagrams take no room from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    place: Option<IpAddr>,
    is_datagrams: bool,
}

/// A connection that came in.
#[derive(Debug)]
struct Inside {
    peer: PeerId,
    way: Way,
    since: Instant,
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
#[error("there is no room for more {0}")]
struct NoRoom(&'static str);

impl Door {
    pub fn new(known: Acquaintances) -> Self {
        Self {
            known,
            greeting: BTreeMap::new(),
            inside: BTreeMap::new(),
            leaving: Vec::new(),
            asked: Vec::new(),
            rounds: tokio::time::interval(BETWEEN_ROUNDS),
        }
    }

    /// Whether another handshake may begin.
    fn has_room_to_greet(&self, way: Way) -> bool {
        let same_kind = |other: &&Way| other.is_datagrams == way.is_datagrams;
        let all = self.greeting.values().filter(same_kind).count();
        let from_there = self.greeting.values().filter(|other| **other == way);
        let is_familiar = way
            .place
            .is_some_and(|place| self.known.borrow().is_familiar(&place));
        let room = if is_familiar {
            GREETINGS_MAX + GREETINGS_RESERVE
        } else {
            GREETINGS_MAX
        };
        all < room && (is_familiar || from_there.count() < GREETINGS_PER_PLACE_MAX)
    }

    fn lets_in(&self, peer: PeerId, way: Way) -> Result<(), NoRoom> {
        let known = self.known.borrow();
        if known.is_known(&peer) {
            return Ok(());
        }
        let strangers = || {
            self.inside
                .values()
                .filter(|other| !known.is_known(&other.peer))
        };
        if strangers().count() >= STRANGERS_CONNECTED_MAX {
            return Err(NoRoom("strangers"));
        }
        let from_there = strangers().filter(|other| other.way.place == way.place);
        if from_there.count() >= STRANGERS_PER_PLACE_MAX {
            return Err(NoRoom("strangers from one address"));
        }
        Ok(())
    }

    /// Whether somebody may present an invitation: from one place a few in a minute, so that
    /// secrets are not tried out.
    pub fn may_join(&mut self, peer: &PeerId) -> bool {
        let now = Instant::now();
        self.asked
            .retain(|(_, at)| now.duration_since(*at) < JOINS_COUNTED_FOR);
        let of_peer = self.inside.values().find(|guest| guest.peer == *peer);
        let place = of_peer.and_then(|guest| guest.way.place);
        let from_there = self.asked.iter().filter(|(other, _)| *other == place);
        let may = from_there.count() < JOINS_PER_PLACE_MAX && self.asked.len() < JOINS_COUNTED_MAX;
        if may {
            self.asked.push((place, now));
        }
        may
    }

    /// The oldest connection of a known device that has too many: it came back before it was
    /// noticed that it was gone.
    fn outlived(&self, peer: PeerId) -> Option<ConnectionId> {
        let own = || self.inside.iter().filter(|(_, other)| other.peer == peer);
        if own().count() < CONNECTIONS_PER_DEVICE_MAX {
            return None;
        }
        let oldest = own().min_by_key(|(_, other)| other.since);
        oldest.map(|(connection, _)| *connection)
    }

    /// A stranger's connection that has had its time.
    fn overstayed(&self) -> Option<(ConnectionId, PeerId)> {
        let known = self.known.borrow();
        let lasts = Duration::from_millis(STRANGER_LASTS_MS);
        self.inside
            .iter()
            .find(|(_, guest)| !known.is_known(&guest.peer) && guest.since.elapsed() > lasts)
            .map(|(connection, guest)| (*connection, guest.peer))
    }
}

impl Way {
    fn of(remote: &Multiaddr) -> Self {
        Self {
            place: address::place(remote),
            is_datagrams: address::is_datagrams(remote),
        }
    }
}

impl NetworkBehaviour for Door {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let way = Way::of(remote);
        if !self.has_room_to_greet(way) {
            return Err(ConnectionDenied::new(NoRoom("handshakes")));
        }
        self.greeting.insert(connection, way);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.greeting.remove(&connection);
        let way = Way::of(remote);
        self.lets_in(peer, way).map_err(ConnectionDenied::new)?;
        if let Some(old) = self.outlived(peer) {
            self.inside.remove(&old);
            self.leaving.push((old, peer));
        }
        let guest = Inside {
            peer,
            way,
            since: Instant::now(),
        };
        self.inside.insert(connection, guest);
        Ok(dummy::ConnectionHandler)
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

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "libp2p adds kinds of events; these end a connection that came in"
    )]
    fn on_swarm_event(&mut self, event: FromSwarm) {
        let over = match event {
            FromSwarm::ConnectionClosed(closed) => closed.connection_id,
            FromSwarm::ListenFailure(failed) => failed.connection_id,
            _ => return,
        };
        self.greeting.remove(&over);
        self.inside.remove(&over);
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
        while self.rounds.poll_tick(cx).is_ready() {
            while let Some((connection, peer)) = self.overstayed() {
                self.inside.remove(&connection);
                self.leaving.push((connection, peer));
            }
        }
        match self.leaving.pop() {
            Some((connection, peer_id)) => Poll::Ready(ToSwarm::CloseConnection {
                peer_id,
                connection: CloseConnection::One(connection),
            }),
            None => Poll::Pending,
        }
    }
}
