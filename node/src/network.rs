//! Sockets: libp2p over TCP and QUIC, behind a narrow wrapper.
//!
//! A node's device key is its libp2p identity, so that the handshake proves which device speaks
//! before the first byte of ours. What may be said to it is decided above, for every stream; who
//! may connect at all, in `door`.

mod address;
mod behaviour;
mod channel;
mod door;
mod error;
mod introductions;
mod known;
mod nearby;
mod reception;
mod relaying;
mod relays;
mod switchboard;
mod talks;
mod traffic;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use kith_protocol::{
    id::DeviceId,
    limits::{
        DIRECT_FIRST_MS, FRAME_LEN_MAX, GREETING_LASTS_MS, IDLE_LASTS_MS, JOIN_FRAME_LEN_MAX,
        WHERE_FRAME_LEN_MAX,
    },
};
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder,
    core::transport::PortUse,
    identity::{Keypair, PublicKey, ed25519},
    noise, tcp, yamux,
};
use tokio::sync::{mpsc, oneshot, watch};

use behaviour::Behaviour;
use error::Unheard;
use known::{Acquaintances, Known};
use reception::Reception;
use switchboard::{Call, Command, Switchboard};
use talks::Talks;

pub use address::{is_carried, parse_address, resolve};
pub use behaviour::Talk;
pub use channel::{Channel, ChannelError, FrameReader, FrameWriter};
pub use error::NetworkError;
pub use traffic::Traffic;

impl Talk {
    /// Bytes of the longest frame that is read.
    const fn frame_len_max(self) -> usize {
        match self {
            Self::Pair | Self::Emergency => JOIN_FRAME_LEN_MAX,
            Self::Sync => FRAME_LEN_MAX,
            Self::Where => WHERE_FRAME_LEN_MAX,
        }
    }
}

/// Streams of known devices, and of strangers, that wait to be taken up.
const INCOMING_MAX: usize = 16;

/// How a node takes part in the network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Whether it carries connections of known devices that cannot reach each other.
    pub is_relay: bool,
}

/// A stream that another device opened.
pub struct Incoming {
    /// Who, as proved by the handshake.
    pub device: DeviceId,
    /// What for.
    pub talk: Talk,
    /// The stream.
    pub channel: Channel,
}

/// A handle on the running network.
#[derive(Clone)]
pub struct Network {
    control: libp2p_stream::Control,
    commands: mpsc::Sender<Command>,
    known: watch::Sender<Known>,
    addresses: watch::Receiver<Vec<Multiaddr>>,
    traffic: Arc<Traffic>,
    talks: Talks,
}

/// A call that ends sooner was refused and not unheard: it is made once more.
const REFUSED_AT_ONCE: Duration = Duration::from_secs(1);

impl Network {
    /// Starts the network with the device's key and hands over the streams that others open.
    pub fn start(
        seed: &[u8; 32],
        settings: Settings,
    ) -> Result<(Self, mpsc::Receiver<Incoming>), NetworkError> {
        let (known, acquaintances) = watch::channel(Known::default());
        let swarm = build(seed, settings, &acquaintances)?;
        let mut control = swarm.behaviour().streams.new_control();
        let (incoming_sender, incoming) = mpsc::channel(INCOMING_MAX);
        let (commands, receiver) = mpsc::channel(16);
        let (traffic, talks) = (Arc::new(Traffic::default()), Talks::default());
        for talk in [Talk::Pair, Talk::Sync, Talk::Where, Talk::Emergency] {
            let streams = control
                .accept(talk.protocol())
                .map_err(|error| NetworkError::Start(error.to_string().into()))?;
            let reception = Reception {
                talk,
                known: acquaintances.clone(),
                // It must not keep the switchboard at work when nobody else does.
                commands: commands.downgrade(),
                to: incoming_sender.clone(),
                traffic: Arc::clone(&traffic),
                talks: talks.clone(),
            };
            tokio::spawn(reception.run(streams));
        }
        let (telling, addresses) = watch::channel(Vec::new());
        let switchboard = Switchboard::new(swarm, telling, acquaintances, talks.clone(), settings);
        tokio::spawn(switchboard.run(receiver));
        let network = Self {
            control,
            commands,
            known,
            addresses,
            traffic,
            talks,
        };
        Ok((network, incoming))
    }

    /// Says which devices are known, and where each was last said to be: there is always room for
    /// them.
    pub fn know(&self, devices: &BTreeMap<DeviceId, Vec<Multiaddr>>) {
        self.known.send_replace(Known::new(devices));
    }

    /// Where others can dial this node, as it is now.
    pub fn addresses(&self) -> watch::Receiver<Vec<Multiaddr>> {
        self.addresses.clone()
    }

    /// Waits until it works no longer, which it only does when it is broken.
    pub async fn ended(&self) {
        let mut addresses = self.addresses();
        while addresses.changed().await.is_ok() {}
    }

    /// What went over its streams so far.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Listens on `address` and returns the addresses that this really has: one for each interface
    /// where it names none.
    pub async fn listen(&self, address: Multiaddr) -> Result<Vec<Multiaddr>, NetworkError> {
        if let Some(wanted) = address::tcp(&address) {
            // libp2p would share the port with another program of the same user, and each of the
            // two would get some of the other's calls.
            if let Err(taken) = address::is_free(wanted) {
                return Err(NetworkError::Listen {
                    address: address.to_string(),
                    source: taken,
                });
            }
        }
        self.ask(|answer| Command::Listen(address, answer)).await
    }

    /// Opens a stream to a device, dialling `addresses` when there is no connection.
    pub async fn open(
        &self,
        device: DeviceId,
        addresses: Vec<Multiaddr>,
        talk: Talk,
    ) -> Result<Channel, NetworkError> {
        Ok(self.reach(device, &addresses, talk).await?.0)
    }

    /// The same, and says at which of the addresses it was reached; at none of them where it was
    /// connected already. Ways through a relay are tried when the direct ones take their time.
    ///
    /// The first call goes out from the port on which this node listens, so that a way back through
    /// a router stays open. The system refuses that for as long as another program has a port of
    /// the same number at another address: the second goes out from a port of its own.
    pub async fn reach(
        &self,
        device: DeviceId,
        addresses: &[Multiaddr],
        talk: Talk,
    ) -> Result<(Channel, Option<Multiaddr>), NetworkError> {
        let called = Instant::now();
        let reached = self.call(device, addresses, talk, PortUse::Reuse).await;
        let is_refused = matches!(reached, Err(NetworkError::Unreachable(_)));
        if !is_refused || called.elapsed() >= REFUSED_AT_ONCE {
            return reached;
        }
        tokio::time::sleep(REFUSED_AT_ONCE / 4).await;
        self.call(device, addresses, talk, PortUse::New).await
    }

    async fn call(
        &self,
        device: DeviceId,
        addresses: &[Multiaddr],
        talk: Talk,
        port: PortUse,
    ) -> Result<(Channel, Option<Multiaddr>), NetworkError> {
        let peer =
            peer_of(device).ok_or_else(|| NetworkError::Unreachable(Unheard::for_no_reason()))?;
        let found = futures::future::join_all(addresses.iter().map(async |given| {
            let found = resolve(given).await;
            let with_given = found.into_iter().map(|found| (found, given.clone()));
            with_given.collect::<Vec<_>>()
        }));
        let found = found.await.concat();
        let reached = self.connect(peer, &found, port).await?;
        let given = reached.and_then(|at| {
            let same = |(found, _): &&(Multiaddr, Multiaddr)| address::nameless(found, &peer) == at;
            found.iter().find(same).map(|(_, given)| given.clone())
        });
        Ok((self.stream(peer, talk).await?, given))
    }

    async fn connect(
        &self,
        peer: PeerId,
        found: &[(Multiaddr, Multiaddr)],
        port: PortUse,
    ) -> Result<Option<Multiaddr>, NetworkError> {
        let all = found.iter().map(|(found, _)| found.clone());
        let (carried, direct): (Vec<_>, Vec<_>) = all.partition(is_carried);
        let call = |addresses, is_second| Call {
            peer,
            addresses,
            is_second,
            port,
        };
        let directly = self.ask(|answer| Command::Connect(call(direct, false), answer));
        tokio::pin!(directly);
        if carried.is_empty() {
            return directly.await;
        }
        let direct_first = Duration::from_millis(DIRECT_FIRST_MS);
        if let Ok(Ok(at)) = tokio::time::timeout(direct_first, &mut directly).await {
            return Ok(at);
        }
        self.ask(|answer| Command::Connect(call(carried, true), answer))
            .await
    }

    /// Opens a stream to whoever listens at `address`, and says who that is.
    pub async fn open_at(
        &self,
        address: Multiaddr,
        talk: Talk,
    ) -> Result<(DeviceId, Channel), NetworkError> {
        let mut reached = Err(NetworkError::NoAddress);
        for found in resolve(&address).await {
            reached = self.ask(|answer| Command::ConnectAt(found, answer)).await;
            if reached.is_ok() {
                break;
            }
        }
        let peer = reached?;
        let device =
            device_of(peer).ok_or_else(|| NetworkError::Unreachable(Unheard::for_no_reason()))?;
        Ok((device, self.stream(peer, talk).await?))
    }

    /// Says where others reach this node, which a relay tells those for whom it keeps a way open.
    pub async fn reachable_at(&self, addresses: Vec<Multiaddr>) -> Result<(), NetworkError> {
        self.send(Command::Reachable(addresses)).await
    }

    /// Ends all connections, since what they were made over has gone.
    pub async fn hang_up(&self) -> Result<(), NetworkError> {
        self.send(Command::HangUp).await
    }

    /// Looks for nodes on the same network and can be found by them; or no longer. While nobody
    /// looks, this node sends nothing to the network around it.
    pub async fn look_around(&self, is_looking: bool) -> Result<(), NetworkError> {
        self.ask(|answer| Command::LookAround(is_looking, answer))
            .await
    }

    /// Who was found on the same network and has not gone: nobody while nobody looks.
    pub async fn nearby(&self) -> Result<Vec<(DeviceId, Vec<Multiaddr>)>, NetworkError> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Nearby(answer)).await?;
        answered.await.map_err(|_| NetworkError::Stopped)
    }

    async fn stream(&self, peer: PeerId, talk: Talk) -> Result<Channel, NetworkError> {
        let mut control = self.control.clone();
        let stream = control
            .open_stream(peer, talk.protocol())
            .await
            .map_err(|error| NetworkError::Unreachable(Unheard::of(&error)))?;
        let stream = self.talks.begins(peer, talk, stream);
        let traffic = Arc::clone(&self.traffic);
        Ok(Channel::new(stream, talk.frame_len_max(), traffic))
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, NetworkError>>) -> Command,
    ) -> Result<T, NetworkError> {
        let (answer, answered) = oneshot::channel();
        self.send(command(answer)).await?;
        answered.await.map_err(|_| NetworkError::Stopped)?
    }

    async fn send(&self, command: Command) -> Result<(), NetworkError> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| NetworkError::Stopped)
    }
}

fn build(
    seed: &[u8; 32],
    settings: Settings,
    known: &Acquaintances,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let secret = ed25519::SecretKey::try_from_bytes(seed.to_vec())
        .map_err(|error| NetworkError::Start(Box::new(error)))?;
    let keypair = Keypair::from(ed25519::Keypair::from(secret));
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|error| NetworkError::Start(Box::new(error)))?
        .with_quic()
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .map_err(|error| NetworkError::Start(Box::new(error)))?
        .with_behaviour(|key, relayed| Behaviour::new(key, relayed, &settings, known))
        .map_err(|error| NetworkError::Start(Box::new(error)))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(Duration::from_millis(IDLE_LASTS_MS))
        })
        .with_connection_timeout(Duration::from_millis(GREETING_LASTS_MS))
        .build();
    Ok(swarm)
}

/// The libp2p name of a device; nothing when its bytes are no key.
pub fn peer_of(device: DeviceId) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(device.as_bytes()).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The device behind a libp2p name; nothing when its key is not Ed25519.
pub fn device_of(peer: PeerId) -> Option<DeviceId> {
    let key = PublicKey::try_decode_protobuf(peer.as_ref().digest()).ok()?;
    let key = key.try_into_ed25519().ok()?;
    Some(DeviceId::from_bytes(key.to_bytes()))
}

#[cfg(test)]
mod tests;
