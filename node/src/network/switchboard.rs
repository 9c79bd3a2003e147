//! The task that owns the connections: it does what it is told, and tells whoever waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{FutureExt, StreamExt};
use kith_protocol::id::DeviceId;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::transport::ListenerId,
    swarm::{ConnectionId, DialError, SwarmEvent, dial_opts::DialOpts},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    NetworkError, address,
    behaviour::{Behaviour, BehaviourEvent},
};

/// Events that are taken in before commands are looked at again.
const EVENTS_AT_ONCE: usize = 64;

type Event = SwarmEvent<BehaviourEvent>;
type Answer<T> = oneshot::Sender<Result<T, NetworkError>>;

/// What the network is told to do.
pub(super) enum Command {
    /// Listen there.
    Listen(Multiaddr, Answer<Vec<Multiaddr>>),
    /// Be connected to a device.
    Connect(PeerId, Vec<Multiaddr>, Answer<()>),
    /// Be connected to whoever is there.
    ConnectAt(Multiaddr, Answer<PeerId>),
    /// Look for nodes nearby, and be found by them; or no longer.
    LookAround(bool, Answer<()>),
    /// Who is near.
    Nearby(oneshot::Sender<Vec<(DeviceId, Vec<Multiaddr>)>>),
}

/// Who waits for what.
#[derive(Default)]
struct Waiting {
    listening: HashMap<ListenerId, (Answer<Vec<Multiaddr>>, Vec<Multiaddr>)>,
    connecting: BTreeMap<PeerId, Vec<Answer<()>>>,
    calling: BTreeMap<ConnectionId, Answer<PeerId>>,
}

/// See the module.
pub(super) struct Switchboard {
    swarm: Swarm<Behaviour>,
    waiting: Waiting,
    listening: BTreeSet<Multiaddr>,
    addresses: watch::Sender<Vec<Multiaddr>>,
}

impl Switchboard {
    pub fn new(swarm: Swarm<Behaviour>, addresses: watch::Sender<Vec<Multiaddr>>) -> Self {
        Self {
            swarm,
            waiting: Waiting::default(),
            listening: BTreeSet::new(),
            addresses,
        }
    }

    /// Works until nobody is left who could tell it anything.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            // All interfaces of a listener come one after the other without a pause: whoever asked
            // for it is told all of them.
            for _ in 0..EVENTS_AT_ONCE {
                match self.swarm.select_next_some().now_or_never() {
                    Some(event) => self.happened(event),
                    None => break,
                }
            }
            self.answer_listeners();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.happened(event),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Listen(address, answer) => self.listen(address, answer),
            Command::Connect(peer, addresses, answer) => self.connect(peer, addresses, answer),
            Command::ConnectAt(address, answer) => self.connect_at(address, answer),
            Command::LookAround(is_looking, answer) => {
                let looked = self.swarm.behaviour_mut().nearby.look(is_looking);
                let said = looked.map_err(|error| NetworkError::Start(Box::new(error)));
                tell(answer, said);
            }
            Command::Nearby(answer) => {
                if answer.send(self.swarm.behaviour().nearby.found()).is_err() {
                    tracing::debug!("nobody waits for who is near");
                }
            }
        }
    }

    fn listen(&mut self, address: Multiaddr, answer: Answer<Vec<Multiaddr>>) {
        match self.swarm.listen_on(address.clone()) {
            Ok(listener) => {
                self.waiting
                    .listening
                    .insert(listener, (answer, Vec::new()));
            }
            Err(source) => {
                let error = NetworkError::Listen {
                    address: address.to_string(),
                    source,
                };
                tell(answer, Err(error));
            }
        }
    }

    fn connect(&mut self, peer: PeerId, addresses: Vec<Multiaddr>, answer: Answer<()>) {
        if self.swarm.is_connected(&peer) {
            tell(answer, Ok(()));
            return;
        }
        self.waiting
            .connecting
            .entry(peer)
            .or_default()
            .push(answer);
        let dial = DialOpts::peer_id(peer)
            .addresses(addresses)
            .extend_addresses_through_behaviour()
            .build();
        match self.swarm.dial(dial) {
            // Somebody else dials already: the answer comes with that attempt.
            Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "not dialled");
                self.waiting.connected(peer, false);
            }
        }
    }

    fn connect_at(&mut self, address: Multiaddr, answer: Answer<PeerId>) {
        let dial = DialOpts::unknown_peer_id().address(address).build();
        let connection = dial.connection_id();
        match self.swarm.dial(dial) {
            Ok(()) => {
                self.waiting.calling.insert(connection, answer);
            }
            Err(error) => {
                tracing::debug!(%error, "not dialled");
                tell(answer, Err(NetworkError::Unreachable));
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "libp2p adds kinds of events; those named here are all that anyone waits for"
    )]
    fn happened(&mut self, event: Event) {
        match event {
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } => {
                if let Some((_, found)) = self.waiting.listening.get_mut(&listener_id) {
                    found.push(address.clone());
                }
                self.listening.insert(address);
                self.tell_addresses();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.remove(&address);
                self.tell_addresses();
            }
            SwarmEvent::ListenerClosed {
                listener_id,
                addresses,
                ..
            } => {
                for address in addresses {
                    self.listening.remove(&address);
                }
                self.tell_addresses();
                if let Some((answer, _)) = self.waiting.listening.remove(&listener_id) {
                    tell(answer, Err(NetworkError::Stopped));
                }
            }
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            } => {
                self.waiting.called(connection_id, Some(peer_id));
                self.waiting.connected(peer_id, true);
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => {
                tracing::debug!(%error, "not connected");
                self.waiting.called(connection_id, None);
                if let Some(peer) = peer_id {
                    let is_connected = self.swarm.is_connected(&peer);
                    self.waiting.connected(peer, is_connected);
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping)) => {
                // Whoever is gone without a word is noticed by this, minutes before TCP would.
                if ping.result.is_err() {
                    self.swarm.close_connection(ping.connection);
                }
            }
            _ => {}
        }
    }

    fn answer_listeners(&mut self) {
        let is_ready = |_: &ListenerId, (_, found): &mut (_, Vec<_>)| !found.is_empty();
        let ready = self.waiting.listening.extract_if(is_ready);
        for (_, (answer, found)) in ready {
            tell(answer, Ok(found));
        }
    }

    fn tell_addresses(&self) {
        let listening: Vec<_> = self.listening.iter().cloned().collect();
        let of_use = address::of_use(&listening);
        self.addresses
            .send_if_modified(|known| std::mem::replace(known, of_use.clone()) != of_use);
    }
}

impl Waiting {
    fn connected(&mut self, peer: PeerId, is_connected: bool) {
        for answer in self.connecting.remove(&peer).unwrap_or_default() {
            let said = if is_connected {
                Ok(())
            } else {
                Err(NetworkError::Unreachable)
            };
            tell(answer, said);
        }
    }

    fn called(&mut self, connection: ConnectionId, peer: Option<PeerId>) {
        if let Some(answer) = self.calling.remove(&connection) {
            tell(answer, peer.ok_or(NetworkError::Unreachable));
        }
    }
}

fn tell<T>(answer: Answer<T>, said: Result<T, NetworkError>) {
    if answer.send(said).is_err() {
        tracing::debug!("nobody waits for what came of it");
    }
}
