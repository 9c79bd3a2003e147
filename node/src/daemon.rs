//! A running node: it listens, answers the command line over its socket, and keeps what it shares
//! up to date.

mod commands;
mod fetching;
mod socket;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use kith_protocol::limits::{GUESTS_MAX, JOINS_MAX};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::sleep,
};

pub(crate) use self::{commands::back_up, fetching::join};
use self::{
    commands::obey,
    fetching::{fetch, open_emergency},
    socket::Socket,
};
use crate::{
    api::{JoinRequest, Joined, OpenRequest, OpenedLine},
    driver::Driver,
    failure::{Ending, Failure},
    hl7::Interfaces,
    home::{Home, Unlock},
    http::Pages,
    links::{self, Opened},
    network::{Incoming, Network, Settings, Talk, parse_address, resolve},
    node::Role,
    opening,
    pairing::{questioner::Questioner, reception},
    service, wakefulness,
    whereabouts::{self, ReachableAt},
};

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
    pages: Vec<Pages>,
    interfaces: Option<Interfaces>,
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
            pages: Vec::new(),
            interfaces: None,
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

    /// Opens what brings messages of other systems in and out; where it listens for HL7 v2.
    ///
    /// # Errors
    /// When the address that was set cannot be listened on.
    pub async fn connect(&mut self) -> Result<Option<SocketAddr>, Failure> {
        let interfaces = Interfaces::open(&self.driver).await?;
        let at = interfaces.at;
        self.interfaces = Some(interfaces);
        Ok(at)
    }

    /// Shows this node in pages, for whoever sits at this machine.
    pub fn show(&mut self, pages: Pages) {
        pages.show(self.driver.clone(), self.network.clone());
        self.pages.push(pages);
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

    /// Works until it is told to stop, or is broken: a node that hears nobody does not stay.
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
        let (driver, network) = (self.driver.clone(), self.network.clone());
        let broken = async {
            tokio::select! {
                () = driver.ended() => {}
                () = network.ended() => {}
            }
        };
        tokio::pin!(stop, broken);
        let done = loop {
            tokio::select! {
                () = &mut stop => break Ok(()),
                () = &mut broken => break Err(broke_down()),
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
                        let mut own = self.pages.iter().filter(|pages| pages.are_of_own_machine());
                        let site = own.next().map(|pages| Arc::clone(pages.site()));
                        tokio::spawn(obey(self.driver.clone(), self.network.clone(), site, stream));
                    }
                }
            }
        };
        service::stopping();
        self.pages.clear();
        self.interfaces = None;
        drop(socket);
        asking.abort();
        found.abort();
        self.close().await;
        done
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

fn broke_down() -> Failure {
    Failure::new(
        Ending::Failed,
        "A part of this node has stopped working, so it ends.",
        "What was stored is safe. Start it again: kith run. This is a fault of kith; its log says where (KITH_LOG=error).",
    )
}

fn no_network(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "The network could not be opened.",
        "Check that the address belongs to this machine and that no other program uses the port.",
    )
    .because(error)
}
