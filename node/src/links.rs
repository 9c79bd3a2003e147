//! The engine's hands on the network: frames out, frames in, calls.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    id::DeviceId,
    limits::{FRAME_LEN_MAX, JOIN_FRAME_LEN_MAX},
    sync::{Heard, Input, LinkId, Output, Together, peer_of},
};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Duration, sleep},
};

use crate::{
    driver::{Driver, Outputs},
    network::{Channel, FrameReader, FrameWriter, Network, Talk, parse_address},
    node::{Peer, now_ms},
    whereabouts,
};

/// Frames that wait to leave on one stream: the engine hands over one, and may say goodbye.
const FRAMES_MAX: usize = 4;

/// Bytes of a frame from which on it is read beside the node's thread: one signature takes as long
/// as handing it over.
const READ_BESIDE_FROM: usize = 8 * 1024;

/// When nothing was sent for so long, nothing is kept for compressing what follows.
const WINDOW_RESTS: Duration = Duration::from_secs(1);

/// How long a stream may take to send its last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A stream that another device opened.
pub type Opened = (DeviceId, Channel);

/// What came of a call.
enum Called {
    Reached(DeviceId, Box<Channel>),
    NotReached(DeviceId),
    Done,
}

/// What is known of a device that is to be called.
enum Known {
    Peer(Peer),
    Nobody,
    /// There is a conversation with it.
    Speaks,
}

/// A frame that waits to leave, and with what it may be compressed.
type Leaving = (Vec<u8>, Together);

struct Writer {
    device: DeviceId,
    frames: mpsc::Sender<Leaving>,
    writing: AbortHandle,
    reading: AbortHandle,
}

/// Every stream between this node and others.
struct Links {
    driver: Driver,
    network: Network,
    writers: BTreeMap<LinkId, Writer>,
    tasks: JoinSet<Called>,
    last: u64,
    /// Where this node is, as others are told.
    told: watch::Receiver<Vec<String>>,
}

/// Does what the engine wants until the node or the network stops.
pub async fn run(
    driver: Driver,
    network: Network,
    mut outputs: Outputs,
    mut opened: mpsc::Receiver<Opened>,
    mut told: watch::Receiver<Vec<String>>,
) {
    tokio::spawn(keep_time(driver.clone()));
    let mut links = Links {
        driver,
        network,
        writers: BTreeMap::new(),
        tasks: JoinSet::new(),
        last: 0,
        told: told.clone(),
    };
    loop {
        tokio::select! {
            output = outputs.recv() => match output {
                Some(output) => links.obey(output),
                None => return links.finish().await,
            },
            Ok(()) = told.changed() => links.tell_where(),
            Some((device, channel)) = opened.recv() => links.open(device, channel, false),
            Some(called) = links.tasks.join_next() => match called {
                Ok(Called::Reached(device, channel)) => links.open(device, *channel, true),
                Ok(Called::NotReached(device)) => links.tell(Input::NotReached { device }),
                Ok(Called::Done) => {}
                // Aborted, when its stream was closed at once.
                Err(error) => tracing::debug!(%error, "a stream's task ended"),
            },
        }
    }
}

/// Tells the engine that time has passed when it wants to be told.
async fn keep_time(driver: Driver) {
    let mut wake = driver.wake();
    loop {
        let at = *wake.borrow_and_update();
        let wait = at.map(|at| Duration::from_millis(at.saturating_sub(now_ms())));
        tokio::select! {
            changed = wake.changed() => if changed.is_err() { return },
            () = sleep(wait.unwrap_or_default().max(Duration::from_millis(5))), if wait.is_some() => {
                if driver.tell(Input::Timer).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Links {
    /// Lets what was said last leave.
    async fn finish(mut self) {
        for writer in std::mem::take(&mut self.writers).into_values() {
            writer.reading.abort();
        }
        let last_words = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
            tracing::debug!("somebody did not take the last words in time");
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Send {
                link,
                frame,
                together,
            } => {
                let Some(writer) = self.writers.get(&link) else {
                    return;
                };
                if writer.frames.try_send((frame, together)).is_err() {
                    tracing::debug!("a stream that ended takes no more frames");
                }
            }
            Output::Close { link, at_once } => {
                if let Some(writer) = self.writers.remove(&link) {
                    writer.reading.abort();
                    if at_once {
                        writer.writing.abort();
                    }
                }
            }
            Output::Dial { device } => self.dial(device),
            Output::Tell(_) => {}
        }
    }

    fn dial(&mut self, device: DeviceId) {
        let (driver, network) = (self.driver.clone(), self.network.clone());
        self.tasks.spawn(async move {
            // A node that has much to do answers late, and the other may have called meanwhile: of
            // two conversations one would end, with all that it had begun.
            let known = driver.ask(move |node| match node.speaks_with(&device) {
                true => Ok(Known::Speaks),
                false => Ok(node
                    .peer_of(device)?
                    .map_or(Known::Nobody, |(_, peer)| Known::Peer(peer))),
            });
            let peer = match known.await {
                Ok(Known::Peer(peer)) => peer,
                Ok(Known::Speaks) => return Called::Done,
                Ok(Known::Nobody) | Err(_) => return Called::NotReached(device),
            };
            let addresses: Vec<_> = peer
                .addresses
                .iter()
                .filter_map(|address| parse_address(address).ok())
                .collect();
            let noted = match network.reach(device, &addresses, Talk::Sync).await {
                Ok((channel, at)) => {
                    let noted = driver.ask(move |node| match at {
                        Some(at) => node.reached_at(device, &at.to_string()),
                        None => Ok(()),
                    });
                    noted
                        .await
                        .map(|()| Called::Reached(device, Box::new(channel)))
                }
                Err(error) => {
                    tracing::debug!(%error, "a node was not reached");
                    let noted = driver.ask(move |node| {
                        node.not_reached(device, error.to_string());
                        Ok(())
                    });
                    noted.await.map(|()| Called::NotReached(device))
                }
            };
            noted.unwrap_or(Called::NotReached(device))
        });
    }

    fn open(&mut self, device: DeviceId, channel: Channel, is_caller: bool) {
        self.last += 1;
        let link = LinkId(self.last);
        let (reader, writer) = channel.split();
        let (frames, queue) = mpsc::channel(FRAMES_MAX);
        let connected = Input::Connected {
            link,
            device,
            is_caller,
        };
        let reading =
            self.tasks
                .spawn(read(self.driver.clone(), connected, (link, device), reader));
        let writing = self
            .tasks
            .spawn(write(self.driver.clone(), link, queue, writer));
        self.writers.insert(
            link,
            Writer {
                device,
                frames,
                writing,
                reading,
            },
        );
        self.tell_where_to(device);
    }

    /// Tells everyone who is connected and known where this node is now.
    fn tell_where(&mut self) {
        let devices: BTreeSet<_> = self.writers.values().map(|writer| writer.device).collect();
        for device in devices {
            self.tell_where_to(device);
        }
    }

    fn tell_where_to(&mut self, device: DeviceId) {
        let told = self.told.borrow().clone();
        let telling = whereabouts::tell(self.driver.clone(), self.network.clone(), device, told);
        self.tasks.spawn(async move {
            telling.await;
            Called::Done
        });
    }

    fn tell(&mut self, input: Input) {
        let driver = self.driver.clone();
        self.tasks.spawn(async move {
            if driver.tell(input).await.is_err() {
                tracing::debug!("the node has stopped");
            }
            Called::Done
        });
    }
}

/// Hands every frame to the engine; a slow engine slows the stream down.
async fn read(
    driver: Driver,
    connected: Input,
    (link, device): (LinkId, DeviceId),
    mut reader: FrameReader,
) -> Called {
    if driver.tell(connected).await.is_err() {
        return Called::Done;
    }
    let mut is_known = false;
    loop {
        if !is_known {
            // Whoever is not known yet has frames of a name card's size.
            let peer = driver.ask(move |node| Ok(peer_of(node, &device)?));
            is_known = matches!(peer.await, Ok(Some(_)));
            reader.limit(if is_known {
                FRAME_LEN_MAX
            } else {
                JOIN_FRAME_LEN_MAX
            });
        }
        let input = match reader.receive().await {
            Ok(frame) if is_known && frame.len() >= READ_BESIDE_FROM => {
                understood(link, frame).await
            }
            Ok(frame) => Input::Received { link, frame },
            Err(error) => {
                tracing::debug!(%error, "a stream ended");
                Input::Lost { link }
            }
        };
        let is_over = matches!(input, Input::Lost { .. });
        if driver.tell(input).await.is_err() || is_over {
            return Called::Done;
        }
    }
}

/// A long frame, with what it carries checked here and not in the one thread of the node.
async fn understood(link: LinkId, frame: Vec<u8>) -> Input {
    let heard = tokio::task::spawn_blocking(move || Heard::read(&frame));
    match heard.await {
        Ok(heard) => Input::Heard { link, heard },
        Err(error) => {
            tracing::warn!(%error, "a frame was not read");
            Input::Lost { link }
        }
    }
}

/// Sends frame after frame and says when each has left; closes the stream after the last.
async fn write(
    driver: Driver,
    link: LinkId,
    mut queue: mpsc::Receiver<Leaving>,
    mut writer: FrameWriter,
) -> Called {
    while let Some((frame, together)) = next(&mut queue, &mut writer).await {
        let sent = writer.send(&frame, together).await;
        let input = match sent {
            Ok(()) => Input::Sent { link },
            Err(_) => Input::Lost { link },
        };
        let is_over = matches!(input, Input::Lost { .. });
        if driver.tell(input).await.is_err() || is_over {
            return Called::Done;
        }
    }
    if tokio::time::timeout(LAST_WORDS, writer.close())
        .await
        .is_err()
    {
        tracing::debug!("a stream did not close in time");
    }
    Called::Done
}

/// What leaves next. Where nothing does for a while, nothing is kept of what left.
async fn next(queue: &mut mpsc::Receiver<Leaving>, writer: &mut FrameWriter) -> Option<Leaving> {
    if writer.keeps() {
        match tokio::time::timeout(WINDOW_RESTS, queue.recv()).await {
            Ok(next) => return next,
            Err(_) => {
                if let Err(error) = writer.rest().await {
                    tracing::debug!(%error, "a stream ended");
                }
            }
        }
    }
    queue.recv().await
}
