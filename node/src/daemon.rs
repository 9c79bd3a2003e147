//! A running node: it listens, answers the command line over its socket, and keeps what it shares
//! up to date.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use kith_protocol::{
    id::DeviceId,
    limits::{GUESTS_MAX, JOINS_MAX},
};
use tokio::{
    io::AsyncReadExt,
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc, watch},
    time::sleep,
};

use crate::{
    api::{JoinRequest, Joined, OpenRequest, OpenedLine, Progress, Reply, Request, Since},
    control::{self, Asked, Said},
    driver::Driver,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    links::{self, Opened},
    network::{Incoming, Network, Settings, Talk, parse_address, resolve},
    node::Role,
    opening,
    pairing::{guest, questioner::Questioner, reception},
    service, wakefulness,
    whereabouts::{self, ReachableAt},
};

/// Whoever joined waits this long for what they may see: 256 MiB over a slow line.
const FETCH_LASTS: Duration = Duration::from_mins(10);

/// Whoever stops a node waits this long for the work that it is at.
const CLOSING_LASTS: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

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
    telling: Option<watch::Sender<Vec<String>>>,
    told: watch::Receiver<Vec<String>>,
    socket: Option<Socket>,
}

impl Daemon {
    /// Opens the node and its network.
    pub async fn start(home: Home, unlock: Unlock) -> Result<Self, Failure> {
        let (driver, outputs, thread) = Driver::start(home.clone(), unlock).await?;
        let (seed, role) = driver
            .ask(|node| Ok((node.device_seed(), node.role())))
            .await?;
        let settings = Settings {
            is_relay: role != Role::Person,
        };
        let (network, incoming) =
            Network::start(&seed, settings).map_err(|error| no_network(&error))?;
        let met = driver.met();
        introduce(&driver, &network).await?;
        tokio::spawn(keep_introduced(driver.clone(), network.clone(), met));
        let (opened, streams) = mpsc::channel(STREAMS_MAX);
        let (telling, told) = watch::channel(Vec::new());
        let run = links::run(
            driver.clone(),
            network.clone(),
            outputs,
            streams,
            told.clone(),
        );
        let links = tokio::spawn(run);
        Ok(Self {
            home,
            driver,
            network,
            incoming,
            opened,
            links,
            thread,
            telling: Some(telling),
            told,
            socket: None,
        })
    }

    /// Listens, for others and for the command line, and says where: whoever reads the addresses
    /// can give commands. `reachable_at` is what its owner says of where this machine is.
    pub async fn listen(
        &mut self,
        addresses: &[String],
        reachable_at: ReachableAt,
    ) -> Result<Vec<String>, Failure> {
        for address in addresses {
            let wanted = parse_address(address).map_err(|error| {
                Failure::new(
                    Ending::Usage,
                    error.to_string(),
                    "Give an address of this machine and a port, such as 127.0.0.1:4712 or 0.0.0.0:0.",
                )
            })?;
            let found = resolve(&wanted).await;
            if found.is_empty() {
                return Err(Failure::new(
                    Ending::Failed,
                    format!("{address} is not found, so this node cannot listen there."),
                    "Give an address of this machine instead of a name.",
                ));
            }
            for found in found {
                let listened = self.network.listen(found).await;
                listened.map_err(|error| no_network(&error))?;
            }
        }
        if let Some(telling) = self.telling.take() {
            let (driver, network) = (self.driver.clone(), self.network.clone());
            tokio::spawn(whereabouts::keep(driver, network, reachable_at, telling));
        }
        let mut telling = self.told.clone();
        let told = telling.wait_for(|told| !told.is_empty()).await;
        let told = told.map(|told| told.clone()).map_err(|_| {
            Failure::new(
                Ending::Failed,
                "The network stopped before this node could be reached.",
                "Start it again.",
            )
        })?;
        let waking = wakefulness::keep(self.driver.clone(), self.network.clone(), telling);
        tokio::spawn(waking);
        self.socket = Some(Socket::open(&self.home)?);
        Ok(told)
    }

    /// Accepts an invitation and fetches what it opens.
    pub async fn join(
        &self,
        request: JoinRequest,
        questioner: &mut Questioner<'_>,
    ) -> Result<Joined, Failure> {
        join(&self.driver, &self.network, request, questioner).await
    }

    /// Fetches all that this device's owner has from the device that added it.
    pub async fn fetch_own(&self) -> Result<(), Failure> {
        let adder = self.driver.ask(|node| node.adder()).await?;
        match adder {
            Some(device) => fetch(&self.driver, device).await,
            None => Ok(()),
        }
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
        let guests = Arc::new(Semaphore::new(GUESTS_MAX));
        let asking = tokio::spawn(reception::keep_asking(
            self.driver.clone(),
            self.network.clone(),
        ));
        let found = tokio::spawn(reception::keep_findable(
            self.driver.clone(),
            self.network.clone(),
        ));
        service::ready();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(incoming) = self.incoming.recv() => {
                    match incoming.talk {
                        // Over the bound the stream is closed at once: whoever called tries again.
                        Talk::Pair => if let Ok(place) = Arc::clone(&joins).try_acquire_owned() {
                            let guests = Arc::clone(&guests);
                            tokio::spawn(reception::welcome(self.driver.clone(), incoming, place, guests));
                        },
                        Talk::Emergency => if let Ok(place) = Arc::clone(&joins).try_acquire_owned() {
                            tokio::spawn(opening::welcome(self.driver.clone(), incoming, place));
                        },
                        Talk::Sync => {
                            let opened = (incoming.device, incoming.channel);
                            if self.opened.try_send(opened).is_err() {
                                tracing::warn!("too many streams are opened at once");
                            }
                        }
                        Talk::Where => {
                            let hearing = whereabouts::hear(
                                self.driver.clone(),
                                incoming.device,
                                incoming.channel,
                            );
                            tokio::spawn(hearing);
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
        service::stopping();
        drop(socket);
        asking.abort();
        found.abort();
        self.close().await;
        Ok(())
    }

    /// Ends the node: the last words leave, and the store is closed.
    pub async fn close(self) {
        let Self {
            driver,
            network,
            incoming,
            opened,
            links,
            thread,
            ..
        } = self;
        driver.stop().await;
        // The links have nothing more to do when the node's thread has ended. Work that goes on for
        // longer is broken off: what was not committed never was, and the rest is safe.
        let ended = async {
            let is_quiet = links.await.is_ok();
            while !thread.is_finished() {
                sleep(BETWEEN_LOOKS).await;
            }
            is_quiet && thread.join().is_ok()
        };
        if !matches!(tokio::time::timeout(CLOSING_LASTS, ended).await, Ok(true)) {
            tracing::warn!("the node was broken off at work; its store is safe");
        }
        drop((network, incoming, opened));
    }
}

struct Socket {
    listener: UnixListener,
    path: PathBuf,
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

/// Tells the network whom the node knows.
async fn introduce(driver: &Driver, network: &Network) -> Result<(), Failure> {
    let known = driver.ask(|node| node.acquaintances()).await?;
    let with_addresses = known.into_iter().map(|(device, addresses)| {
        let read = addresses.iter().filter_map(|text| parse_address(text).ok());
        (device, read.collect())
    });
    network.know(&with_addresses.collect());
    Ok(())
}

/// Tells it again whenever that changes.
async fn keep_introduced(driver: Driver, network: Network, mut met: watch::Receiver<u64>) {
    while met.changed().await.is_ok() {
        if let Err(failure) = introduce(&driver, &network).await {
            tracing::warn!(
                what = failure.what,
                "whom this node knows was not looked up"
            );
        }
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
    match asked {
        Asked::Command(request) => command(&driver, &mut stream, request).await,
        Asked::EmergencyOpen(asked) => {
            let opened = open_emergency(&driver, &network, asked).await;
            let opened = opened.map(|opened| Said::Reply(Box::new(Reply::Opened(opened))));
            answer(&mut stream, &opened.unwrap_or_else(Said::Failure)).await;
        }
        Asked::Join(request) => {
            let mut questioner = Questioner::Socket(&mut stream);
            let joined = join(&driver, &network, request, &mut questioner).await;
            let said = joined.map_or_else(Said::Failure, Said::Joined);
            answer(&mut stream, &said).await;
        }
        Asked::Follow(since) => follow(&driver, &mut stream, since).await,
        Asked::Exchanged(device) => {
            let exchanged = exchanged(&driver, &network, &device).await;
            answer(&mut stream, &exchanged.unwrap_or_else(Said::Failure)).await;
        }
    }
}

/// Waits until this node and another have everything of each other, and says what it took.
async fn exchanged(driver: &Driver, network: &Network, device: &str) -> Result<Said, Failure> {
    let device = DeviceId::from_hex(device).ok_or_else(|| {
        Failure::new(
            Ending::Usage,
            "This is not the name of a node.",
            "Use all 64 digits that kith status shows of it.",
        )
    })?;
    driver.up_to_date_with(device).await?;
    Ok(Said::Exchanged {
        sent: network.traffic().all_sent(),
        received: network.traffic().all_received(),
    })
}

/// Has the node do something, and tells how far it is.
async fn command(driver: &Driver, stream: &mut UnixStream, request: Request) {
    let (progress, mut progressing) = mpsc::channel(4);
    let mut step = move |step| {
        // A slow reader misses steps, and the work does not wait for it.
        if progress.try_send(step).is_err() {
            tracing::trace!("a step of progress was skipped");
        }
    };
    let work = async {
        if let Request::Backup { folder } = request {
            back_up(driver, folder, step).await
        } else {
            driver
                .ask(move |node| node.handle(request, &mut step))
                .await
        }
    };
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            Some(step) = progressing.recv() => {
                if control::send(stream, &Said::Progress(step)).await.is_err() {
                    tracing::debug!("whoever asked is gone; the work goes on");
                }
            }
        }
    };
    let said = done.map_or_else(Said::Failure, |reply| Said::Reply(Box::new(reply)));
    answer(stream, &said).await;
}

/// Copies what the node holds now, while it goes on.
async fn back_up(
    driver: &Driver,
    folder: PathBuf,
    mut step: impl FnMut(Progress) + Send + 'static,
) -> Result<Reply, Failure> {
    let snapshot = driver.ask(|node| node.snapshot()).await?;
    let copying = tokio::task::spawn_blocking(move || snapshot.copy_to(&folder, &mut step));
    let copied = copying.await.map_err(|error| {
        Failure::new(
            Ending::Failed,
            "The backup was broken off.",
            "Run it again; the backup that was there before stays good.",
        )
        .because(&error)
    })?;
    copied.map(Reply::BackedUp)
}

async fn answer(stream: &mut UnixStream, said: &Said) {
    if control::send(stream, said).await.is_err() {
        tracing::debug!("whoever asked is gone");
    }
}

/// Tells what happens until whoever asked goes away or the node stops.
async fn follow(driver: &Driver, stream: &mut UnixStream, mut since: Since) {
    let mut taken = driver.taken();
    loop {
        taken.mark_unchanged();
        let asked = since.clone();
        let told = driver.ask(move |node| node.events_from(&asked)).await;
        let told = match told {
            Ok(told) => told,
            Err(failure) => return answer(stream, &Said::Failure(failure)).await,
        };
        for occurred in told.occurred {
            let said = Said::Happened(Box::new(occurred));
            if control::send(stream, &said).await.is_err() {
                return;
            }
        }
        if since.after.replace(told.through) != Some(told.through) {
            continue;
        }
        let mut byte = [0];
        tokio::select! {
            changed = taken.changed() => if changed.is_err() { return },
            // Whoever follows says nothing more: what can be read is the end.
            _ = stream.read(&mut byte) => return,
        }
    }
}

async fn join(
    driver: &Driver,
    network: &Network,
    request: JoinRequest,
    questioner: &mut Questioner<'_>,
) -> Result<Joined, Failure> {
    let (host, joined) = guest::join(driver, network, request, questioner).await?;
    fetch(driver, host).await.map(|()| joined)
}

/// Waits until all that another node has for this one is here.
async fn fetch(driver: &Driver, from: DeviceId) -> Result<(), Failure> {
    let fetched = driver.up_to_date_with(from);
    match tokio::time::timeout(FETCH_LASTS, fetched).await {
        Ok(fetched) => fetched,
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
