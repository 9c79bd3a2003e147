//! Strangers: they learn no address, and however many come, whoever is known gets in.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, identify, noise, swarm::SwarmEvent, tcp, yamux};
use tokio::net::TcpSocket;

use super::{both_hold_the_same, surgery_and_laptop};
use crate::harness::{Node, sample, until};

/// A program that speaks libp2p and is nobody's device.
fn stranger() -> Swarm<identify::Behaviour> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .expect("it has a transport")
        .with_behaviour(|key| {
            let config = identify::Config::new("stranger/1".to_owned(), key.public());
            identify::Behaviour::new(config)
        })
        .expect("it has a behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

/// Calls a node, and gives back what it says of itself; nothing when it does not let the stranger
/// in.
async fn introduced(to: Multiaddr) -> Option<identify::Info> {
    let mut stranger = stranger();
    stranger.dial(to).expect("it is an address");
    meets(&mut stranger).await
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "libp2p adds kinds of events; these are how it ends"
)]
async fn meets(stranger: &mut Swarm<identify::Behaviour>) -> Option<identify::Info> {
    loop {
        match stranger.select_next_some().await {
            SwarmEvent::Behaviour(identify::Event::Received { info, .. }) => return Some(info),
            SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                return None;
            }
            _ => {}
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime for the test")
}

#[test]
fn a_stranger_learns_no_address_and_no_version() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let runs = surgery.running_at(["--listen", "0.0.0.0:0", "--reachable-at", "localhost:4712"]);
    let address = runs
        .addresses
        .iter()
        .find(|address| address.contains("/ip4/"));
    let address = address.expect("it has one").parse().expect("it is one");
    let info = runtime().block_on(introduced(address));
    let info = info.expect("one stranger is let in");
    assert!(info.listen_addrs.is_empty(), "{:?}", info.listen_addrs);
    assert_eq!(info.agent_version, "kith");
    assert_eq!(info.protocol_version, "kith/1");
    let speaks: Vec<_> = info.protocols.iter().map(ToString::to_string).collect();
    assert!(
        speaks.iter().any(|protocol| protocol == "/kith/pair/1"),
        "{speaks:?}"
    );
}

#[test]
fn strangers_from_one_address_have_room_for_a_few() {
    let surgery = Node::set_up("Riverside Surgery", "practice");
    let runs = surgery.running();
    let address: Multiaddr = runs.addresses[0].parse().expect("it is an address");
    let let_in = runtime().block_on(async {
        let strangers = (0..40).map(|_| tokio::spawn(stays(address.clone())));
        let mut let_in = 0;
        for stranger in strangers.collect::<Vec<_>>() {
            let_in += usize::from(stranger.await.expect("it ends"));
        }
        let_in
    });
    assert!((1..=16).contains(&let_in), "{let_in} of 40 were let in");
}

/// Connects as a stranger, says whether it was let in, and stays while others try.
async fn stays(to: Multiaddr) -> bool {
    let mut stranger = stranger();
    stranger.dial(to).expect("it is an address");
    let long_enough = tokio::time::Instant::now() + Duration::from_secs(5);
    let met = tokio::time::timeout_at(long_enough, meets(&mut stranger)).await;
    let let_in = matches!(met, Ok(Some(_)));
    if let_in {
        let sent_away = tokio::time::timeout_at(long_enough, meets(&mut stranger)).await;
        assert!(sent_away.is_err(), "it may stay for a while");
    }
    let_in
}

#[test]
fn whoever_is_known_gets_in_through_a_flood_of_silent_strangers() {
    let (surgery, laptop) = surgery_and_laptop();
    let record = surgery.import(&sample("ips.json"));
    let surgery_runs = surgery.running();
    let laptop_runs = laptop.running();
    laptop.join(&surgery.share(&record, "all", "daily-care"));
    both_hold_the_same(&surgery, &laptop, &record);
    drop(laptop_runs);

    let address = super::tcp(&surgery_runs.addresses[0]).expect("it listens on TCP");
    let flood = Flood::begin(address);
    until("hundreds of strangers are connected", || {
        flood.open() >= 300
    });
    // Its port is another one now: only its own call can bring the two together.
    let _back = laptop.running();
    laptop.note(&record, "Written in the flood");
    until("the note reaches the surgery", || {
        surgery
            .show(&record)
            .to_string()
            .contains("Written in the flood")
    });
    assert!(flood.open() >= 200, "the flood went on meanwhile");
}

/// Connections that say nothing, from many addresses, made again whenever they end.
struct Flood {
    goes_on: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Flood {
    fn begin(to: SocketAddr) -> Self {
        let flood = Self {
            goes_on: Arc::new(AtomicBool::new(true)),
            open: Arc::new(AtomicUsize::new(0)),
            runtime: Some(runtime()),
        };
        for n in 0..600_u16 {
            // Twenty addresses other than the one from which the known device comes.
            let from = format!("127.0.0.{}:0", 10 + n % 20);
            let from = from.parse().expect("it is an address");
            let stranger = silent(
                to,
                from,
                Arc::clone(&flood.goes_on),
                Arc::clone(&flood.open),
            );
            if let Some(runtime) = &flood.runtime {
                runtime.spawn(stranger);
            }
        }
        flood
    }

    fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.goes_on.store(false, Ordering::Relaxed);
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn silent(
    to: SocketAddr,
    from: SocketAddr,
    goes_on: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
) {
    while goes_on.load(Ordering::Relaxed) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(from)
            .expect("all of 127.0.0.0/8 is this machine");
        if let Ok(stream) = socket.connect(to).await {
            open.fetch_add(1, Ordering::Relaxed);
            let mut bytes = [0; 64];
            // Until the other side has had enough.
            while stream.readable().await.is_ok() {
                match stream.try_read(&mut bytes) {
                    Ok(1..) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Ok(0) | Err(_) => break,
                }
            }
            open.fetch_sub(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
