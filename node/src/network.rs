//! Sockets: libp2p over TCP with Noise and Yamux, behind a narrow wrapper.
//!
//! A node's device key is its libp2p identity, so Noise proves which device speaks before the
//! first byte of ours. What may be said to it is decided above, for every stream.

mod channel;

use std::collections::{BTreeMap, VecDeque};

use futures::StreamExt;
use kith_protocol::{
    id::DeviceId,
    limits::{FRAME_LEN_MAX, JOIN_FRAME_LEN_MAX},
};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder,
    identity::{Keypair, PublicKey, ed25519},
    multiaddr::Protocol,
    noise,
    swarm::{DialError, SwarmEvent, dial_opts::DialOpts},
    tcp, yamux,
};
use tokio::sync::{mpsc, oneshot};

pub use channel::{Channel, ChannelError, FrameReader, FrameWriter};

/// What a stream is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Accepting an invitation: open to strangers.
    Join,
    /// Sync: known devices, and devices that prove that they are of somebody known.
    Sync,
    /// Opening a record with the code of its emergency page: open to strangers.
    Emergency,
}

impl Talk {
    const fn protocol(self) -> StreamProtocol {
        match self {
            Self::Join => StreamProtocol::new("/kith/join/0"),
            Self::Sync => StreamProtocol::new("/kith/sync/1"),
            Self::Emergency => StreamProtocol::new("/kith/emergency/0"),
        }
    }

    /// Bytes of the longest frame that is read.
    const fn frame_len_max(self) -> usize {
        match self {
            Self::Join | Self::Emergency => JOIN_FRAME_LEN_MAX,
            Self::Sync => FRAME_LEN_MAX,
        }
    }
}

/// Why a network operation failed.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The address is not one that can be listened on or dialled.
    #[error("{0:?} is not an address such as 127.0.0.1:4712 or /ip4/127.0.0.1/tcp/4712")]
    Address(String),
    /// Listening failed.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: libp2p::TransportError<std::io::Error>,
    },
    /// The transport could not be built.
    #[error("the network could not be started")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The other side does not answer.
    #[error("the other node does not answer at any of its addresses")]
    Unreachable,
    /// The network has stopped.
    #[error("the network has stopped")]
    Stopped,
}

/// A stream that another device opened.
pub struct Incoming {
    /// Who, as proved by Noise.
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
}

enum Command {
    Listen(Multiaddr, oneshot::Sender<Result<Multiaddr, NetworkError>>),
    Connect(PeerId, Vec<Multiaddr>, Connected),
}

impl Network {
    /// Starts the network with the device's key and hands over the streams that others open.
    pub fn start(seed: &[u8; 32]) -> Result<(Self, mpsc::Receiver<Incoming>), NetworkError> {
        let swarm = build(seed)?;
        let mut control = swarm.behaviour().new_control();
        let (incoming_sender, incoming) = mpsc::channel(16);
        for talk in [Talk::Join, Talk::Sync, Talk::Emergency] {
            let streams = control
                .accept(talk.protocol())
                .map_err(|error| NetworkError::Start(error.to_string().into()))?;
            tokio::spawn(accept(talk, streams, incoming_sender.clone()));
        }
        let (commands, receiver) = mpsc::channel(16);
        tokio::spawn(drive(swarm, receiver));
        Ok((Self { control, commands }, incoming))
    }

    /// Listens on `address` and returns the address that it really has.
    pub async fn listen(&self, address: Multiaddr) -> Result<Multiaddr, NetworkError> {
        let (answer, answered) = oneshot::channel();
        self.send(Command::Listen(address, answer)).await?;
        answered.await.map_err(|_| NetworkError::Stopped)?
    }

    /// Opens a stream to a device, dialling `addresses` when there is no connection.
    pub async fn open(
        &self,
        device: DeviceId,
        addresses: Vec<Multiaddr>,
        talk: Talk,
    ) -> Result<Channel, NetworkError> {
        let peer = peer_of(device).ok_or(NetworkError::Unreachable)?;
        let (answer, answered) = oneshot::channel();
        self.send(Command::Connect(peer, addresses, answer)).await?;
        answered.await.map_err(|_| NetworkError::Stopped)??;
        let mut control = self.control.clone();
        let stream = control
            .open_stream(peer, talk.protocol())
            .await
            .map_err(|_| NetworkError::Unreachable)?;
        Ok(Channel::new(stream, talk.frame_len_max()))
    }

    async fn send(&self, command: Command) -> Result<(), NetworkError> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| NetworkError::Stopped)
    }
}

fn build(seed: &[u8; 32]) -> Result<Swarm<libp2p_stream::Behaviour>, NetworkError> {
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
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .map_err(|error| NetworkError::Start(error.to_string().into()))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(std::time::Duration::from_mins(1))
        })
        .build();
    Ok(swarm)
}

async fn accept(
    talk: Talk,
    mut streams: libp2p_stream::IncomingStreams,
    to: mpsc::Sender<Incoming>,
) {
    while let Some((peer, stream)) = streams.next().await {
        let Some(device) = device_of(peer) else {
            continue;
        };
        let incoming = Incoming {
            device,
            talk,
            channel: Channel::new(stream, talk.frame_len_max()),
        };
        if to.send(incoming).await.is_err() {
            return;
        }
    }
}

type Connected = oneshot::Sender<Result<(), NetworkError>>;

/// Who waits for what of the swarm.
#[derive(Default)]
struct Waiting {
    listening: VecDeque<oneshot::Sender<Result<Multiaddr, NetworkError>>>,
    connecting: BTreeMap<PeerId, Vec<Connected>>,
}

impl Waiting {
    fn connected(&mut self, peer: PeerId, is_connected: bool) {
        for answer in self.connecting.remove(&peer).unwrap_or_default() {
            let said = if is_connected {
                Ok(())
            } else {
                Err(NetworkError::Unreachable)
            };
            if answer.send(said).is_err() {
                tracing::debug!("nobody waits for the connection");
            }
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "libp2p adds kinds of events; those named here are all that anyone waits for"
)]
async fn drive(mut swarm: Swarm<libp2p_stream::Behaviour>, mut commands: mpsc::Receiver<Command>) {
    let mut waiting = Waiting::default();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(command) => obey(&mut swarm, command, &mut waiting),
                None => return,
            },
            event = swarm.select_next_some() => match event {
                SwarmEvent::NewListenAddr { address, .. } => {
                    if let Some(answer) = waiting.listening.pop_front()
                        && answer.send(Ok(address)).is_err()
                    {
                        tracing::debug!("nobody waits for the listen address");
                    }
                }
                SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                    waiting.connected(peer_id, true);
                }
                SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                    tracing::debug!(%error, "not connected");
                    let is_connected = swarm.is_connected(&peer);
                    waiting.connected(peer, is_connected);
                }
                _ => {}
            }
        }
    }
}

fn obey(swarm: &mut Swarm<libp2p_stream::Behaviour>, command: Command, waiting: &mut Waiting) {
    match command {
        Command::Listen(address, answer) => match swarm.listen_on(address.clone()) {
            Ok(_) => waiting.listening.push_back(answer),
            Err(source) => {
                let error = NetworkError::Listen {
                    address: address.to_string(),
                    source,
                };
                if answer.send(Err(error)).is_err() {
                    tracing::debug!("nobody waits for the listen error");
                }
            }
        },
        Command::Connect(peer, addresses, answer) => {
            let known = swarm.is_connected(&peer);
            waiting.connecting.entry(peer).or_default().push(answer);
            if known {
                waiting.connected(peer, true);
                return;
            }
            let dial = DialOpts::peer_id(peer).addresses(addresses).build();
            match swarm.dial(dial) {
                // Somebody else dials already: the answer comes with that attempt.
                Ok(()) | Err(DialError::DialPeerConditionFalse(_)) => {}
                Err(error) => {
                    tracing::debug!(%error, "not dialled");
                    waiting.connected(peer, false);
                }
            }
        }
    }
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

/// Reads `HOST:PORT` (an IP address), or a multiaddress over TCP.
pub fn parse_address(text: &str) -> Result<Multiaddr, NetworkError> {
    let wrong = || NetworkError::Address(text.to_owned());
    if text.starts_with('/') {
        return text.parse().map_err(|_| wrong());
    }
    let socket: std::net::SocketAddr = text.parse().map_err(|_| wrong())?;
    Ok(Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port())))
}

#[cfg(test)]
mod tests {
    use kith_protocol::{id::DeviceId, identity::SecretKey};

    use super::{device_of, parse_address, peer_of};

    #[test]
    fn a_device_is_its_libp2p_name() {
        let device = SecretKey::from_seed([3; 32]).device();
        assert_eq!(peer_of(device).and_then(device_of), Some(device));
        let mut no_point = [0; 32];
        no_point[0] = 2;
        assert_eq!(peer_of(DeviceId::from_bytes(no_point)), None);
    }

    #[test]
    fn addresses_are_read_in_both_spellings() {
        let short = parse_address("127.0.0.1:4712").map(|address| address.to_string());
        assert_eq!(short.ok().as_deref(), Some("/ip4/127.0.0.1/tcp/4712"));
        assert!(parse_address("/ip4/127.0.0.1/tcp/0").is_ok());
        assert!(parse_address("riverside").is_err());
    }
}
