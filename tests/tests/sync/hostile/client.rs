//! A program that speaks libp2p and kith's protocols as badly as it likes.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use kith_node::{
    home::{Home, Unlock},
    node::Node as Owner,
};
use kith_protocol::{codec, limits::FRAME_LEN_MAX, sync::Message};
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder,
    identity::{Keypair, ed25519},
    noise,
    swarm::dial_opts::DialOpts,
    tcp, yamux,
};
use libp2p_stream::Control;

use crate::harness::Node;

/// How long it waits for the other side before it goes on to the next outrage.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it calls again when it was sent away.
const BETWEEN_CALLS: Duration = Duration::from_millis(100);

/// The keys of a node that the test set up.
pub fn keys_of(node: &Node) -> Keypair {
    let owner = Owner::open(&Home::at(node.home()), &Unlock::KeyFile);
    let Ok(owner) = owner else {
        panic!("the node cannot be opened");
    };
    let seed = owner.device_seed();
    let secret = ed25519::SecretKey::try_from_bytes(seed.to_vec()).expect("it is a seed");
    Keypair::from(ed25519::Keypair::from(secret))
}

/// See the module.
#[derive(Clone)]
pub struct Client {
    control: Control,
    victim: PeerId,
}

impl Client {
    /// Must be called in a runtime, in which it works until that ends.
    pub fn new(keys: Keypair, victim: PeerId, at: Multiaddr) -> Self {
        let mut swarm = SwarmBuilder::with_existing_identity(keys)
            .with_tokio()
            .with_tcp(
                tcp::Config::default(),
                noise::Config::new,
                yamux::Config::default,
            )
            .expect("it has a transport")
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .expect("it has a behaviour")
            .with_swarm_config(|config| {
                config.with_idle_connection_timeout(Duration::from_secs(600))
            })
            .build();
        let control = swarm.behaviour().new_control();
        tokio::spawn(async move {
            let mut again = tokio::time::interval(BETWEEN_CALLS);
            loop {
                tokio::select! {
                    _ = again.tick() => if !swarm.is_connected(&victim) {
                        let call = DialOpts::peer_id(victim).addresses(vec![at.clone()]).build();
                        // Where it is not let in it tries again.
                        let _called = swarm.dial(call);
                    },
                    _ = swarm.select_next_some() => {}
                }
            }
        });
        Self { control, victim }
    }

    /// A stream; nothing when the other side does not take it up.
    pub async fn stream(&self, protocol: &'static str) -> Option<Stream> {
        let mut control = self.control.clone();
        let opening = control.open_stream(self.victim, StreamProtocol::new(protocol));
        tokio::time::timeout(PATIENCE, opening).await.ok()?.ok()
    }

    /// A conversation in which nothing was said yet.
    pub async fn conversation(&self) -> Option<Conversation> {
        let stream = self.stream("/kith/sync/1").await?;
        Some(Conversation { stream })
    }
}

/// A stream for sync.
pub struct Conversation {
    pub stream: Stream,
}

impl Conversation {
    /// Whether these bytes left.
    pub async fn write(&mut self, bytes: &[u8]) -> bool {
        write(&mut self.stream, bytes).await
    }

    /// Whether a frame with this behind its length left.
    pub async fn frame(&mut self, bytes: &[u8]) -> bool {
        let len = u32::try_from(bytes.len()).expect("it is short");
        self.write(&[&len.to_be_bytes(), bytes].concat()).await
    }

    pub async fn say(&mut self, message: &Message) -> bool {
        let bytes = codec::encode(message);
        self.frame(&[&[0], bytes.as_slice()].concat()).await
    }

    /// A frame that is small on the way and large when it has come.
    pub async fn bomb(&mut self, bytes: &[u8]) -> bool {
        assert!(bytes.len() <= FRAME_LEN_MAX, "it is taken in");
        let len = u32::try_from(bytes.len()).expect("it is bounded");
        let compressed = zstd::bulk::compress(bytes, 1).expect("it can be compressed");
        let front = [&[1], len.to_be_bytes().as_slice()].concat();
        self.frame(&[front, compressed].concat()).await
    }

    /// The next frame, with what says whether it is compressed.
    pub async fn hear(&mut self) -> Option<Vec<u8>> {
        let reading = async {
            let mut len = [0; 4];
            self.stream.read_exact(&mut len).await.ok()?;
            let len = u32::from_be_bytes(len) as usize;
            let mut frame = vec![0; len.min(FRAME_LEN_MAX)];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(frame)
        };
        tokio::time::timeout(PATIENCE, reading).await.ok()?
    }

    /// Listens until the other side has had enough.
    pub async fn until_it_ends(&mut self) {
        let listening = async { while self.hear().await.is_some() {} };
        let _ended_or_not = tokio::time::timeout(PATIENCE, listening).await;
    }
}

/// Whether all of it left in time.
pub async fn write(stream: &mut Stream, bytes: &[u8]) -> bool {
    let writing = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    matches!(tokio::time::timeout(PATIENCE, writing).await, Ok(Ok(())))
}
