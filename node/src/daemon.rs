//! A running node: it listens, answers the command line over its socket, and keeps what it shares
//! up to date.

use std::{
    os::unix::fs::PermissionsExt,
    sync::Arc,
    time::{Duration, Instant},
};

use kith_protocol::limits::JOINS_MAX;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

use crate::{
    api::{Joined, OpenRequest, OpenedLine, Reply},
    control::{self, Asked, Said},
    driver::Driver,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    joining,
    links::{self, Opened},
    network::{Incoming, Network, Talk, parse_address},
    node::Invited,
    opening,
};

/// Whoever presents an invitation has this long: they may be anyone.
const JOIN_LASTS: Duration = Duration::from_secs(20);
/// Whoever joined waits this long for what they may see: 256 MiB over a slow line.
const FETCH_LASTS: Duration = Duration::from_mins(10);

/// Streams that were opened and are not taken up yet.
const STREAMS_MAX: usize = 64;

/// A node that runs.
pub struct Daemon {
    home: Home,
    driver: Driver,
    network: Network,
    incoming: mpsc::Receiver<Incoming>,
    opened: mpsc::Sender<Opened>,
    links: tokio::task::JoinHandle<()>,
    thread: std::thread::JoinHandle<()>,
    socket: Option<Socket>,
}

impl Daemon {
    /// Opens the node and its network.
    pub async fn start(home: Home, unlock: Unlock) -> Result<Self, Failure> {
        let (driver, outputs, thread) = Driver::start(home.clone(), unlock).await?;
        let seed = driver.ask(|node| Ok(node.device_seed())).await?;
        let (network, incoming) = Network::start(&seed).map_err(|error| no_network(&error))?;
        let (opened, streams) = mpsc::channel(STREAMS_MAX);
        let run = links::run(driver.clone(), network.clone(), outputs, streams);
        let links = tokio::spawn(run);
        Ok(Self {
            home,
            driver,
            network,
            incoming,
            opened,
            links,
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

    /// Opens a record with the code of its emergency page and fetches it.
    pub async fn open_emergency(&self, asked: OpenRequest) -> Result<OpenedLine, Failure> {
        open_emergency(&self.driver, &self.network, asked).await
    }

    /// Works until it is told to stop.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => Socket::open(&self.home)?,
        };
        let joins = Arc::new(Semaphore::new(JOINS_MAX));
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(incoming) = self.incoming.recv() => {
                    match incoming.talk {
                        // Over the bound the stream is closed at once: whoever called tries again.
                        Talk::Join => if let Ok(place) = Arc::clone(&joins).try_acquire_owned() {
                            tokio::spawn(welcome(self.driver.clone(), incoming, place));
                        },
                        Talk::Emergency => if let Ok(place) = Arc::clone(&joins).try_acquire_owned() {
                            tokio::spawn(open_to(self.driver.clone(), incoming, place));
                        },
                        Talk::Sync => {
                            let opened = (incoming.device, incoming.channel);
                            if self.opened.try_send(opened).is_err() {
                                tracing::warn!("too many streams are opened at once");
                            }
                        }
                    }
                }
                accepted = socket.listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        tokio::spawn(obey(self.driver.clone(), self.network.clone(), stream));
                    }
                }
            }
        }
        drop(socket);
        self.driver.stop().await;
        self.close();
        Ok(())
    }

    /// Ends the node and waits until its store is closed.
    pub fn close(self) {
        let Self {
            driver,
            network,
            incoming,
            opened,
            links,
            thread,
            ..
        } = self;
        links.abort();
        drop((driver, network, incoming, opened));
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

/// Answers whoever presents an invitation, who may be anyone.
async fn welcome(driver: Driver, incoming: Incoming, _place: OwnedSemaphorePermit) {
    let welcome = joining::welcome(driver, incoming.device, incoming.channel);
    match tokio::time::timeout(JOIN_LASTS, welcome).await {
        Ok(Err(failure)) => tracing::info!(what = failure.what, "nobody joined"),
        Ok(Ok(())) => {}
        Err(_) => tracing::info!("somebody with an invitation took too long"),
    }
}

/// Answers whoever says that they hold the code of an emergency page, who may be anyone.
async fn open_to(driver: Driver, incoming: Incoming, _place: OwnedSemaphorePermit) {
    let answer = opening::answer(driver, incoming.device, incoming.channel);
    match tokio::time::timeout(JOIN_LASTS, answer).await {
        Ok(Err(failure)) => tracing::info!(what = failure.what, "nothing was opened"),
        Ok(Ok(())) => {}
        Err(_) => tracing::info!("somebody with an emergency page took too long"),
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
            Asked::EmergencyOpen(asked) => {
                drop(progress);
                match open_emergency(&driver, &network, asked).await {
                    Ok(opened) => Said::Reply(Box::new(Reply::Opened(opened))),
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
    let joined = joining::join(driver, network, invited).await?;
    let fetched = driver.up_to_date_with(device);
    match tokio::time::timeout(FETCH_LASTS, fetched).await {
        Ok(fetched) => fetched.map(|()| joined),
        Err(_) => Err(Failure::new(
            Ending::CannotReach,
            "The invitation was accepted, and not everything has arrived yet.",
            "What arrived is safe. Start this node with kith run; the rest follows.",
        )),
    }
}

async fn open_emergency(
    driver: &Driver,
    network: &Network,
    asked: OpenRequest,
) -> Result<OpenedLine, Failure> {
    let link = asked.what.parse()?;
    let (hub, opened) = opening::open(driver, network, link, asked).await?;
    let fetched = driver.up_to_date_with(hub);
    match tokio::time::timeout(FETCH_LASTS, fetched).await {
        Ok(fetched) => fetched.map(|()| opened),
        Err(_) => Err(Failure::new(
            Ending::CannotReach,
            "The record was opened, and not everything has arrived yet.",
            "What arrived can be read: kith show RECORD. Start this node with kith run; the rest follows.",
        )),
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
