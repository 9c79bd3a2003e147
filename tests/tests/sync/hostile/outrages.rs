//! What a hostile program does to a node, over and over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use kith_protocol::{
    codec,
    id::RecordId,
    limits::FRAME_LEN_MAX,
    sync::{Carried, JournalId, Kind, Message, OfRecord, SYNC_VERSION},
};
use libp2p::{Multiaddr, PeerId, identity::Keypair};
use tokio::{io::AsyncWriteExt, net::TcpSocket, runtime::Runtime};

use super::client::{Client, write};

/// Streams that are opened at once.
const STREAMS: usize = 300;
/// Connections that hardly say anything, and the addresses from which they come.
const SLOW: u16 = 1000;
const PLACES: u16 = 50;
/// Small frames of one conversation.
const SMALL: usize = 20_000;

/// How often each was tried to its end.
#[derive(Default)]
pub struct Tally {
    pub rounds: [AtomicUsize; 2],
    pub slow: AtomicUsize,
}

/// Attacks that go on until this is dropped.
pub struct Attack {
    goes_on: Arc<AtomicBool>,
    pub tally: Arc<Tally>,
    runtime: Option<Runtime>,
}

impl Attack {
    /// By somebody known, by a stranger, and by a thousand who are slow.
    pub fn begin(known: Keypair, victim: PeerId, at: &Multiaddr) -> Self {
        let runtime = Runtime::new().expect("a runtime for the test");
        let goes_on = Arc::new(AtomicBool::new(true));
        let tally = Arc::new(Tally::default());
        let entered = runtime.enter();
        for (which, keys) in [known, Keypair::generate_ed25519()].into_iter().enumerate() {
            let client = Client::new(keys, victim, at.clone());
            let (goes_on, tally) = (Arc::clone(&goes_on), Arc::clone(&tally));
            runtime.spawn(async move {
                while goes_on.load(Ordering::Relaxed) {
                    if client.conversation().await.is_none() {
                        continue;
                    }
                    all(&client).await;
                    tally.rounds[which].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        drop(entered);
        let parts: Vec<_> = at.to_string().split('/').map(str::to_owned).collect();
        let to = format!("{}:{}", parts[2], parts[4]);
        let to = to.parse().expect("it listens on TCP");
        for n in 0..SLOW {
            let from = format!("127.0.1.{}:0", 1 + n % PLACES);
            let from = from.parse().expect("it is an address");
            let (goes_on, tally) = (Arc::clone(&goes_on), Arc::clone(&tally));
            runtime.spawn(slow(from, to, goes_on, tally));
        }
        Self {
            goes_on,
            tally,
            runtime: Some(runtime),
        }
    }

    /// Whether somebody known and a stranger have done everything at least so often.
    pub fn has_gone_round(&self, times: usize) -> bool {
        let mut rounds = self.tally.rounds.iter();
        rounds.all(|rounds| rounds.load(Ordering::Relaxed) >= times)
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.goes_on.store(false, Ordering::Relaxed);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Everything once, one after the other.
async fn all(client: &Client) {
    announces_more_than_there_is(client).await;
    says_what_is_no_message(client).await;
    blows_up(client).await;
    says_it_again(client).await;
    says_little_without_end(client).await;
    stops_in_the_middle(client).await;
    for protocol in ["/kith/pair/1", "/kith/where/1"] {
        if let Some(mut stream) = client.stream(protocol).await {
            write(&mut stream, &[0xff; 64]).await;
        }
    }
}

async fn announces_more_than_there_is(client: &Client) {
    if let Some(mut conversation) = client.conversation().await {
        conversation.write(&[0xff; 32]).await;
        conversation.until_it_ends().await;
    }
}

async fn says_what_is_no_message(client: &Client) {
    for garbage in [
        &[0, 0xa1, 0x1f][..],
        &[0; 1],
        &[7; 40],
        &[1, 0, 0, 1, 0, 9, 9],
    ] {
        if let Some(mut conversation) = client.conversation().await {
            conversation.frame(garbage).await;
            conversation.until_it_ends().await;
        }
    }
}

/// A few hundred bytes that ask for as much memory as can be.
async fn blows_up(client: &Client) {
    let nothing = Carried {
        kind: Kind::Entry,
        bytes: Vec::new(),
    };
    let items = Message::Items {
        through: 1,
        batches: vec![OfRecord {
            record: RecordId::from_bytes([7; 32]),
            items: vec![nothing; 500_000],
        }],
    };
    let items = codec::encode(&items);
    for bytes in [vec![0; FRAME_LEN_MAX], items, long_introduction()] {
        if let Some(mut conversation) = client.conversation().await {
            conversation.bomb(&bytes).await;
            conversation.until_it_ends().await;
        }
    }
}

/// An introduction of some twenty million events without a byte.
fn long_introduction() -> Vec<u8> {
    let empty = codec::encode(&Message::Introduction { log: Vec::new() });
    let (last, front) = empty.split_last().expect("it is not empty");
    assert_eq!(*last, 0x80, "it ends with an empty list");
    let events = FRAME_LEN_MAX - 64;
    let count = u32::try_from(events).expect("it is bounded").to_be_bytes();
    let mut bytes = front.to_vec();
    bytes.push(0x9a);
    bytes.extend(count);
    bytes.resize(bytes.len() + events, 0x40);
    bytes
}

/// What the other side said, and what this side said, once more.
async fn says_it_again(client: &Client) {
    let Some(mut conversation) = client.conversation().await else {
        return;
    };
    conversation.say(&hello()).await;
    let heard = conversation.hear().await;
    conversation.say(&Message::Ready { resumes: false }).await;
    for frame in heard.iter().chain(&conversation.hear().await) {
        conversation.frame(frame).await;
    }
    conversation.say(&hello()).await;
    conversation.until_it_ends().await;
}

const fn hello() -> Message {
    Message::Hello {
        version: SYNC_VERSION,
        features: 0,
        journal: JournalId([9; 16]),
        held: None,
    }
}

async fn says_little_without_end(client: &Client) {
    let Some(mut conversation) = client.conversation().await else {
        return;
    };
    conversation.say(&hello()).await;
    conversation.hear().await;
    conversation.say(&Message::Ready { resumes: false }).await;
    for _ in 0..SMALL {
        if !conversation.say(&Message::Settled).await {
            return;
        }
    }
}

/// Hundreds of streams, each with a frame that is never whole; and as many without a word.
async fn stops_in_the_middle(client: &Client) {
    let mut held = Vec::new();
    for n in 0..STREAMS {
        let Some(mut stream) = client.stream("/kith/sync/1").await else {
            break;
        };
        if n % 2 == 0 && !write(&mut stream, &[0, 0x10, 0, 0, 0, 1, 2, 3]).await {
            break;
        }
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// A connection that says one byte in a second, and comes again when it was ended.
async fn slow(
    from: std::net::SocketAddr,
    to: std::net::SocketAddr,
    goes_on: Arc<AtomicBool>,
    tally: Arc<Tally>,
) {
    while goes_on.load(Ordering::Relaxed) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(from)
            .expect("all of 127.0.0.0/8 is this machine");
        if let Ok(mut stream) = socket.connect(to).await {
            tally.slow.fetch_add(1, Ordering::Relaxed);
            for byte in b"\x13/multistream/1.0.0\n".iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
