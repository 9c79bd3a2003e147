//! The task that owns the connections: it does what it is told, and tells whoever waits.

use std::{
    collections::{BTreeMap, HashMap},
    io::ErrorKind,
    time::Duration,
};

use futures::{FutureExt, StreamExt};
use kith_protocol::id::DeviceId;
use libp2p::{
    Multiaddr, PeerId, Swarm, TransportError,
    core::{
        ConnectedPoint,
        transport::{ListenerId, PortUse},
    },
    identify, ping, relay,
    swarm::{
        ConnectionId, DialError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    NetworkError, Settings, address,
    behaviour::{Behaviour, BehaviourEvent},
    error::Unheard,
    known::Acquaintances,
    relays::Relays,
    talks::Talks,
};

/// Events that are taken in before commands are looked at again.
const EVENTS_AT_ONCE: usize = 64;

/// How often relays that refused are asked again.
const BETWEEN_ASKING: Duration = Duration::from_secs(30);

type Event = SwarmEvent<BehaviourEvent>;
type Answer<T> = oneshot::Sender<Result<T, NetworkError>>;

/// What the network is told to do.
pub(super) enum Command {
    /// Listen there.
    Listen(Multiaddr, Answer<Vec<Multiaddr>>),
    /// Be connected to a device; the answer is at which of the addresses it was reached, if it was
    /// not connected already.
    Connect(Call, Answer<Option<Multiaddr>>),
    /// Be connected to whoever is there.
    ConnectAt(Multiaddr, Answer<PeerId>),
    /// Whether somebody may present an invitation now.
    MayJoin(PeerId, oneshot::Sender<bool>),
    /// End all connections: what they were made over has gone.
    HangUp,
    /// This is where others reach this node: what a relay tells those for whom it keeps a way open.
    Reachable(Vec<Multiaddr>),
    /// Look for nodes nearby, and be found by them; or no longer.
    LookAround(bool, Answer<()>),
    /// Who is near.
    Nearby(oneshot::Sender<Vec<(DeviceId, Vec<Multiaddr>)>>),
}

/// Whom to call, and where.
pub(super) struct Call {
    pub peer: PeerId,
    pub addresses: Vec<Multiaddr>,
    /// Whether it is called there although it is called elsewhere already.
    pub is_second: bool,
    /// From which port.
    pub port: PortUse,
}

/// Who waits for what.
#[derive(Default)]
struct Waiting {
    listening: HashMap<ListenerId, (Answer<Vec<Multiaddr>>, Vec<Multiaddr>)>,
    connecting: BTreeMap<PeerId, Vec<Answer<Option<Multiaddr>>>>,
    /// Attempts that are under way.
    attempts: BTreeMap<PeerId, usize>,
    calling: BTreeMap<ConnectionId, Answer<PeerId>>,
}

/// See the module.
pub(super) struct Switchboard {
    swarm: Swarm<Behaviour>,
    waiting: Waiting,
    listening: Vec<Multiaddr>,
    addresses: watch::Sender<Vec<Multiaddr>>,
    known: Acquaintances,
    /// The relays of a node that has some; an organisation's node has none and is one.
    relays: Option<Relays>,
    /// Connections that a relay carries.
    carried: HashMap<ConnectionId, PeerId>,
    /// Direct ones that were found beside them.
    punched: HashMap<ConnectionId, PeerId>,
    talks: Talks,
}

impl Switchboard {
    pub fn new(
        swarm: Swarm<Behaviour>,
        addresses: watch::Sender<Vec<Multiaddr>>,
        known: Acquaintances,
        talks: Talks,
        settings: Settings,
    ) -> Self {
        Self {
            swarm,
            waiting: Waiting::default(),
            listening: Vec::new(),
            addresses,
            known,
            relays: (!settings.is_relay).then(Relays::default),
            carried: HashMap::new(),
            punched: HashMap::new(),
            talks,
        }
    }

    /// Works until nobody is left who could tell it anything.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut asking = tokio::time::interval(BETWEEN_ASKING);
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
                Ok(()) = self.known.changed() => {
                    self.ask_relays();
                    self.end_carried();
                }
                () = self.talks.meeting_ended() => self.end_carried(),
                _ = asking.tick() => self.ask_relays(),
            }
        }
    }

    /// Asks relays that were not asked yet, or refused, to keep a way open.
    fn ask_relays(&mut self) {
        let Some(relays) = &mut self.relays else {
            return;
        };
        let known = self.known.borrow();
        for (peer, way) in relays.to_ask(|peer| known.is_known(peer)) {
            match self.swarm.listen_on(way) {
                Ok(listener) => relays.asked(listener, peer),
                Err(error) => tracing::debug!(%error, "a relay was not asked"),
            }
        }
    }

    /// Ends what a relay carries for known devices with which there is a direct way now: what they
    /// talk about goes over that from here on. A meeting cannot begin again, and goes on where it
    /// began.
    fn end_carried(&mut self) {
        let known = self.known.borrow();
        let has_better = |peer: &PeerId| {
            self.punched.values().any(|other| other == peer)
                && known.is_known(peer)
                && !self.talks.meets(peer)
        };
        let carried = self.carried.iter().filter(|(_, peer)| has_better(peer));
        let ending: Vec<_> = carried.map(|(connection, _)| *connection).collect();
        drop(known);
        for connection in ending {
            self.swarm.close_connection(connection);
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Listen(address, answer) => self.listen(&address, answer),
            Command::Connect(call, answer) => self.connect(call, answer),
            Command::MayJoin(peer, answer) => {
                let may = self.swarm.behaviour_mut().door.may_join(&peer);
                if answer.send(may).is_err() {
                    tracing::debug!("nobody waits to join");
                }
            }
            Command::HangUp => self.hang_up(),
            Command::Reachable(addresses) => self.reachable(addresses),
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

    fn listen(&mut self, address: &Multiaddr, answer: Answer<Vec<Multiaddr>>) {
        match self.swarm.listen_on(address.clone()) {
            Ok(listener) => {
                self.waiting
                    .listening
                    .insert(listener, (answer, Vec::new()));
            }
            Err(error) => {
                let error = NetworkError::Listen {
                    address: address.to_string(),
                    source: match error {
                        TransportError::Other(error) => error,
                        TransportError::MultiaddrNotSupported(_) => ErrorKind::Unsupported.into(),
                    },
                };
                tell(answer, Err(error));
            }
        }
    }

    fn connect(&mut self, call: Call, answer: Answer<Option<Multiaddr>>) {
        let peer = call.peer;
        if self.swarm.is_connected(&peer) {
            tell(answer, Ok(None));
            return;
        }
        let waiting = &mut self.waiting;
        waiting.connecting.entry(peer).or_default().push(answer);
        let condition = if call.is_second {
            PeerCondition::Disconnected
        } else {
            PeerCondition::DisconnectedAndNotDialing
        };
        let dial = DialOpts::peer_id(peer)
            .condition(condition)
            .addresses(call.addresses)
            .extend_addresses_through_behaviour();
        let dial = match call.port {
            PortUse::Reuse => dial,
            PortUse::New => dial.allocate_new_port(),
        };
        let dial = dial.build();
        match self.swarm.dial(dial) {
            Ok(()) => *self.waiting.attempts.entry(peer).or_default() += 1,
            // Somebody else dials already: the answer comes with that attempt.
            Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "not dialled");
                self.waiting.failed(peer, &why(&error));
            }
        }
    }

    fn connect_at(&mut self, address: Multiaddr, answer: Answer<PeerId>) {
        let dial = DialOpts::unknown_peer_id().address(address);
        let dial = dial.allocate_new_port().build();
        let connection = dial.connection_id();
        match self.swarm.dial(dial) {
            Ok(()) => {
                self.waiting.calling.insert(connection, answer);
            }
            Err(error) => {
                tracing::debug!(%error, "not dialled");
                tell(answer, Err(why(&error)));
            }
        }
    }

    fn hang_up(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            if self.swarm.disconnect_peer_id(peer).is_err() {
                tracing::debug!("a connection had ended already");
            }
        }
    }

    fn reachable(&mut self, addresses: Vec<Multiaddr>) {
        let before: Vec<_> = self.swarm.external_addresses().cloned().collect();
        let gone = before
            .iter()
            .filter(|known| !address::is_carried(known) && !addresses.contains(known));
        for address in gone {
            self.swarm.remove_external_address(address);
        }
        // The last that is added is the first that is told.
        for address in addresses.into_iter().rev() {
            if !address::is_carried(&address) && !before.contains(&address) {
                self.swarm.add_external_address(address);
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
                if !self.listening.contains(&address) {
                    self.listening.push(address);
                }
                self.tell_addresses();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.listening.retain(|other| *other != address);
                self.tell_addresses();
            }
            SwarmEvent::ListenerClosed {
                listener_id,
                addresses,
                ..
            } => {
                self.listening.retain(|other| !addresses.contains(other));
                self.tell_addresses();
                if let Some(relays) = &mut self.relays {
                    relays.ended(&listener_id);
                }
                if let Some((answer, _)) = self.waiting.listening.remove(&listener_id) {
                    tell(answer, Err(NetworkError::Stopped));
                }
            }
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.waiting.called(connection_id, Ok(peer_id));
                if endpoint.is_relayed() {
                    self.carried.insert(connection_id, peer_id);
                }
                let at = match endpoint {
                    ConnectedPoint::Dialer { address, .. } => {
                        self.waiting.attempted(peer_id);
                        Some(address::nameless(&address, &peer_id))
                    }
                    ConnectedPoint::Listener { .. } => None,
                };
                if let (Some(relays), Some(at)) = (&mut self.relays, &at)
                    && !address::is_carried(at)
                {
                    relays.called(peer_id, at.clone());
                }
                self.waiting.connected(peer_id, at.as_ref());
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                num_established,
                ..
            } => {
                self.carried.remove(&connection_id);
                self.punched.remove(&connection_id);
                self.talks.connection_ended(&peer_id);
                if let (0, Some(relays)) = (num_established, &mut self.relays) {
                    relays.gone(&peer_id);
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Introductions(identify::Event::Received {
                peer_id,
                info,
                ..
            })) if info.protocols.contains(&relay::HOP_PROTOCOL_NAME) => {
                if let Some(relays) = &mut self.relays {
                    relays.offers(peer_id);
                    self.ask_relays();
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Punching(punched)) => match punched.result {
                Ok(connection) => {
                    self.punched.insert(connection, punched.remote_peer_id);
                    self.end_carried();
                }
                Err(error) => tracing::debug!(%error, "no direct way was found"),
            },
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                peer_id,
                error,
            } => {
                tracing::debug!(%error, "not connected");
                self.waiting.called(connection_id, Err(why(&error)));
                if let Some(peer) = peer_id {
                    self.waiting.attempted(peer);
                    if self.swarm.is_connected(&peer) {
                        self.waiting.connected(peer, None);
                    } else {
                        self.waiting.failed(peer, &why(&error));
                    }
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                result: Err(ping::Failure::Timeout | ping::Failure::Other { .. }),
                connection,
                ..
            })) => {
                // Whoever is gone without a word is noticed by this, minutes before TCP would.
                self.swarm.close_connection(connection);
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
        let mut of_use = address::of_use(&self.listening);
        let carried = self.listening.iter().filter(|at| address::is_carried(at));
        of_use.extend(carried.cloned());
        self.addresses
            .send_if_modified(|known| std::mem::replace(known, of_use.clone()) != of_use);
    }
}

impl Waiting {
    fn connected(&mut self, peer: PeerId, at: Option<&Multiaddr>) {
        for answer in self.connecting.remove(&peer).unwrap_or_default() {
            tell(answer, Ok(at.cloned()));
        }
    }

    /// One attempt failed; as long as there is another, whoever waits goes on waiting.
    fn failed(&mut self, peer: PeerId, why: &NetworkError) {
        if self.attempts.contains_key(&peer) {
            return;
        }
        for answer in self.connecting.remove(&peer).unwrap_or_default() {
            tell(answer, Err(why.again()));
        }
    }

    /// An attempt is over.
    fn attempted(&mut self, peer: PeerId) {
        if let Some(attempts) = self.attempts.get_mut(&peer) {
            *attempts -= 1;
            if *attempts == 0 {
                self.attempts.remove(&peer);
            }
        }
    }

    fn called(&mut self, connection: ConnectionId, reached: Result<PeerId, NetworkError>) {
        if let Some(answer) = self.calling.remove(&connection) {
            tell(answer, reached);
        }
    }
}

fn tell<T>(answer: Answer<T>, said: Result<T, NetworkError>) {
    if answer.send(said).is_err() {
        tracing::debug!("nobody waits for what came of it");
    }
}

/// Why a device was not reached, as people can be told.
fn why(error: &DialError) -> NetworkError {
    match error {
        DialError::NoAddresses => NetworkError::NoAddress,
        DialError::WrongPeerId { .. } | DialError::LocalPeerId { .. } => NetworkError::SomebodyElse,
        DialError::Denied { .. } => NetworkError::Full,
        DialError::DialPeerConditionFalse(_) | DialError::Aborted => {
            NetworkError::Unreachable(Unheard::for_no_reason())
        }
        DialError::Transport(tried) => NetworkError::Unreachable(Unheard::at_all(tried)),
    }
}
