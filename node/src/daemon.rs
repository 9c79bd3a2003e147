//! A running node: it listens, answers the command line over its socket, and keeps what it shares
//! up to date.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt,
    sync::Arc,
    time::{Duration, Instant},
};

use kith_protocol::{
    id::DeviceId,
    limits::{CONVERSATIONS_MAX, JOINS_MAX},
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinSet,
};

use crate::{
    api::Joined,
    control::{self, Asked, Said},
    driver::Driver,
    exchange,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    network::{Incoming, Network, Talk, parse_address},
    node::Invited,
};

/// How often a node that did not answer is tried again, at first and at most.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_mins(1);
/// A node that is up to date is asked again after this time, whatever happens here.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// Whoever presents an invitation has this long: they may be anyone.
const JOIN_LASTS: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(500);

/// A node that runs.
pub struct Daemon {
    home: Home,
    driver: Driver,
    network: Network,
    incoming: mpsc::Receiver<Incoming>,
    thread: std::thread::JoinHandle<()>,
    socket: Option<Socket>,
}

impl Daemon {
    /// Opens the node and its network.
    pub async fn start(home: Home, unlock: Unlock) -> Result<Self, Failure> {
        let (driver, thread) = Driver::start(home.clone(), unlock).await?;
        let seed = driver.ask(|node| Ok(node.device_seed())).await?;
        let (network, incoming) = Network::start(&seed).map_err(|error| no_network(&error))?;
        Ok(Self {
            home,
            driver,
            network,
            incoming,
            thread,
            socket: None,
        })
    }

    /// Listens, for others and for the command line, and says where: whoever reads the addresses
    /// can give commands.
    pub async fn listen(&mut self, address: &str) -> Result<Vec<String>, Failure> {
        let wanted = parse_address(address).map_err(|error| {
            Failure::new(
                Ending::Usage,
                error.to_string(),
                "Give an address of this machine and a port, such as 127.0.0.1:4712 or 0.0.0.0:0.",
            )
        })?;
        let listening = self
            .network
            .listen(wanted)
            .await
            .map_err(|error| no_network(&error))?;
        let addresses = vec![listening.to_string()];
        let told = addresses.clone();
        self.driver
            .ask(move |node| {
                node.set_addresses(told);
                Ok(())
            })
            .await?;
        self.socket = Some(Socket::open(&self.home)?);
        Ok(addresses)
    }

    /// Accepts an invitation and fetches what it opens.
    pub async fn join(&self, invited: Invited) -> Result<Joined, Failure> {
        join(&self.driver, &self.network, invited).await
    }

    /// Works until it is told to stop.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => Socket::open(&self.home)?,
        };
        let upkeep = tokio::spawn(keep_up(self.driver.clone(), self.network.clone()));
        let joins = Arc::new(Semaphore::new(JOINS_MAX));
        let conversations = Arc::new(Semaphore::new(CONVERSATIONS_MAX));
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(incoming) = self.incoming.recv() => {
                    let places = match incoming.talk {
                        Talk::Join => &joins,
                        Talk::Exchange => &conversations,
                    };
                    // Over the bound the stream is closed at once: whoever called tries again.
                    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
                        tokio::spawn(answer(self.driver.clone(), incoming, place));
                    }
                }
                accepted = socket.listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        tokio::spawn(obey(self.driver.clone(), self.network.clone(), stream));
                    }
                }
            }
        }
        upkeep.abort();
        drop(socket);
        self.close();
        Ok(())
    }

    /// Ends the node and waits until its store is closed.
    pub fn close(self) {
        let Self {
            driver,
            network,
            incoming,
            thread,
            ..
        } = self;
        drop((driver, network, incoming));
        // Tasks that still hold a handle end with the runtime; the store is safe either way.
        let started = Instant::now();
        while !thread.is_finished() && started.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

struct Socket {
    listener: UnixListener,
    path: std::path::PathBuf,
}

impl Socket {
    fn open(home: &Home) -> Result<Self, Failure> {
        let path = home.socket();
        let failed = |error: std::io::Error| {
            Failure::new(
                Ending::Failed,
                format!("The socket {} could not be made.", path.display()),
                "Check that you may write there; a very long folder name is too long for a socket.",
            )
            .because(&error)
        };
        // The store's lock is ours, so whatever stands there was left by a node that is gone.
        if path.exists() {
            std::fs::remove_file(&path).map_err(failed)?;
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the socket was gone already");
        }
    }
}

/// Speaks with whoever opened a stream: strangers may only present an invitation.
async fn answer(driver: Driver, incoming: Incoming, _place: OwnedSemaphorePermit) {
    let device = incoming.device;
    let ended = match incoming.talk {
        Talk::Join => {
            let welcome = exchange::welcome(driver, device, incoming.channel);
            let Ok(ended) = tokio::time::timeout(JOIN_LASTS, welcome).await else {
                return;
            };
            ended
        }
        Talk::Exchange => {
            let known = driver.ask(move |node| node.peer(device)).await;
            match known {
                Ok(Some(_)) => exchange::serve(driver, device, incoming.channel).await,
                Ok(None) => Ok(()),
                Err(failure) => Err(failure),
            }
        }
    };
    if let Err(failure) = ended {
        tracing::info!(what = failure.what, "a conversation ended early");
    }
}

/// Does what the command line of the same user asks.
async fn obey(driver: Driver, network: Network, mut stream: UnixStream) {
    let ours = rustix::process::geteuid().as_raw();
    let theirs = stream.peer_cred().map(|peer| peer.uid());
    if !matches!(theirs, Ok(uid) if uid == ours) {
        tracing::warn!("a command of another user was refused");
        return;
    }
    let asked = match control::receive(&mut stream).await {
        Ok(asked) => asked,
        Err(error) => {
            tracing::debug!(%error, "a command was not understood");
            return;
        }
    };
    let (progress, mut progressing) = mpsc::channel(4);
    let work = async {
        match asked {
            Asked::Command(request) => {
                let done = driver
                    .ask(move |node| {
                        node.handle(request, &mut |step| {
                            // A slow reader misses steps, and the work does not wait for it.
                            if progress.try_send(step).is_err() {
                                tracing::trace!("a step of progress was skipped");
                            }
                        })
                    })
                    .await;
                match done {
                    Ok(reply) => Said::Reply(Box::new(reply)),
                    Err(failure) => Said::Failure(failure),
                }
            }
            Asked::Join(link) => {
                drop(progress);
                let joined = match link.parse() {
                    Ok(invited) => join(&driver, &network, invited).await,
                    Err(failure) => Err(failure),
                };
                match joined {
                    Ok(joined) => Said::Joined(joined),
                    Err(failure) => Said::Failure(failure),
                }
            }
        }
    };
    tokio::pin!(work);
    let last = loop {
        tokio::select! {
            said = &mut work => break said,
            Some(step) = progressing.recv() => {
                if control::send(&mut stream, &Said::Progress(step)).await.is_err() {
                    tracing::debug!("whoever asked is gone; the work goes on");
                }
            }
        }
    };
    if control::send(&mut stream, &last).await.is_err() {
        tracing::debug!("whoever asked is gone");
    }
}

async fn join(driver: &Driver, network: &Network, invited: Invited) -> Result<Joined, Failure> {
    let device = invited.device;
    let joined = exchange::join(driver, network, invited).await?;
    let peer = driver.ask(move |node| node.peer(device)).await?;
    if let Some((_, peer)) = peer {
        exchange::call(driver, network, &peer).await?;
    }
    Ok(joined)
}

/// When a node was last called, and how that went.
struct Called {
    through: u64,
    at: Instant,
    wait: Duration,
}

/// Calls every known node when something changed here, and now and then anyway; each on its own,
/// so that one that is silent keeps nobody else waiting.
async fn keep_up(driver: Driver, network: Network) {
    let changed = driver.changed();
    let mut called: BTreeMap<DeviceId, Called> = BTreeMap::new();
    let mut calling: BTreeSet<DeviceId> = BTreeSet::new();
    let mut calls: JoinSet<(DeviceId, u64, bool)> = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Some(ended) = calls.join_next(), if !calls.is_empty() => {
                if let Ok((device, through, answered)) = ended {
                    calling.remove(&device);
                    let next = Called::ended(called.get(&device), through, answered);
                    called.insert(device, next);
                }
                continue;
            }
        }
        let Ok(peers) = driver.ask(|node| node.peers()).await else {
            return;
        };
        let position = *changed.borrow();
        for peer in peers {
            let due = called
                .get(&peer.device)
                .is_none_or(|last| last.is_due(position));
            if peer.addresses.is_empty() || !due || !calling.insert(peer.device) {
                continue;
            }
            let (driver, network) = (driver.clone(), network.clone());
            calls.spawn(async move {
                let answered = exchange::call(&driver, &network, &peer).await;
                (peer.device, position, answered.is_ok())
            });
        }
    }
}

impl Called {
    fn is_due(&self, position: u64) -> bool {
        let moved = self.through != position && self.wait == Duration::ZERO;
        let wait = if self.wait == Duration::ZERO {
            ASK_AGAIN
        } else {
            self.wait
        };
        moved || self.at.elapsed() >= wait
    }

    fn ended(before: Option<&Self>, through: u64, answered: bool) -> Self {
        let waited = before.map_or(Duration::ZERO, |last| last.wait);
        Self {
            through,
            at: Instant::now(),
            wait: if answered {
                Duration::ZERO
            } else {
                (waited * 2).clamp(RETRY_FIRST, RETRY_MAX)
            },
        }
    }
}

fn no_network(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The network could not be opened.",
        "Check that the address belongs to this machine and that no other program uses the port.",
    )
    .because(error)
}
