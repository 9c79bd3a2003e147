//! Hosts, the network between them and time.

mod acts;
mod faults;
mod hostile;
mod running;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    consent::grant::Actions,
    id::{DeviceId, RecordId},
    sync::{News, Peer, Together},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use self::running::Happening;
pub use self::{acts::event_of, hostile::Misdeed};
use crate::{
    clock::Clock,
    host::Host,
    network::{Fate, Network, Wire},
};

/// Names a host in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub(crate) usize);

/// What somebody is shown of a record: a section of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    document: DocumentId,
    actions: Actions,
}

impl Sight {
    /// May look, and add: a document such as `plans:general`.
    ///
    /// # Panics
    /// When there is no such section or label.
    pub fn sees(document: &str) -> Self {
        Self {
            document: document_named(document),
            actions: Actions::READ.union(Actions::APPEND),
        }
    }
}

/// The first epoch of a document such as `plans:general`.
///
/// # Panics
/// When there is no such section or label.
pub fn document_named(name: &str) -> DocumentId {
    let (section, label) = name.split_once(':').expect("a section and a label");
    let section: Section = section.parse().expect("a section");
    let label: Label = label.parse().expect("a label");
    DocumentId::first(section, label)
}

/// What passed between a host and the network, in the order in which it did.
#[derive(Clone, Debug)]
pub enum Passed {
    /// The engine of a host handed a frame over.
    Sent(Sent),
    /// It did so for a stream that is gone, which it has not learnt yet.
    Unsent {
        /// From which end.
        wire: Wire,
        /// The frame.
        frame: Vec<u8>,
    },
    /// A frame was given to the engine at this end.
    Heard {
        /// The end.
        wire: Wire,
        /// The frame.
        frame: Vec<u8>,
    },
    /// An engine learnt of a stream.
    Opened {
        /// The end.
        wire: Wire,
        /// Who is at the other end.
        with: HostId,
    },
    /// A host lost what was in its memory.
    Crashed(HostId),
}

/// A frame that an engine handed over.
#[derive(Clone, Debug)]
pub struct Sent {
    /// From which end.
    pub wire: Wire,
    /// To whom.
    pub to: HostId,
    /// When, by the sender's engine, milliseconds since 1970 UTC.
    pub clock_ms: u64,
    /// How many items were on the sender's disk.
    pub held: usize,
    /// The frame.
    pub frame: Vec<u8>,
}

/// Something came to a host from another.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// The host.
    pub host: HostId,
    /// When, by the world, milliseconds since 1970 UTC.
    pub at_ms: u64,
    /// How many items were on its disk then.
    pub held: usize,
}

/// A world. Every step follows from its seed.
pub struct World {
    clock: Clock<Happening>,
    hosts: Vec<Host>,
    by_device: BTreeMap<DeviceId, HostId>,
    network: Network,
    rng: ChaCha20Rng,
    wakes_ms: BTreeMap<HostId, u64>,
    asleep: BTreeMap<HostId, Vec<Wire>>,
    /// Whom a host calls without knowing yet what came of it.
    calls: BTreeMap<HostId, BTreeSet<DeviceId>>,
    /// Frames that do not get through for now, by the end that they are for.
    held: BTreeMap<Wire, Vec<Vec<u8>>>,
    misdeeds: BTreeMap<HostId, Misdeed>,
    /// Every frame that left a host, with where it came from and went to.
    pub frames: Vec<(HostId, HostId, Vec<u8>)>,
    /// With what each of them, and those before, may be compressed.
    pub together: Vec<Together>,
    /// What engines told, with whose it was.
    pub news: Vec<(HostId, News)>,
    /// What an engine could not do at all, with whose it was.
    pub errors: Vec<(HostId, String)>,
    /// What passed between hosts and the network, where somebody wants to know.
    pub passed: Option<Vec<Passed>>,
    /// What came to hosts, and when, where somebody wants to know.
    pub arrived: Option<Vec<Arrived>>,
    looks_at_all: bool,
    /// Streams that a script speaks on instead of an engine, and what came on them.
    scripted: BTreeMap<Wire, Vec<Vec<u8>>>,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        let mut network = Network::default();
        network.delay_ms = (5, 40);
        Self {
            clock: Clock::default(),
            hosts: Vec::new(),
            by_device: BTreeMap::new(),
            network,
            rng: ChaCha20Rng::seed_from_u64(seed),
            wakes_ms: BTreeMap::new(),
            asleep: BTreeMap::new(),
            calls: BTreeMap::new(),
            held: BTreeMap::new(),
            misdeeds: BTreeMap::new(),
            frames: Vec::new(),
            together: Vec::new(),
            news: Vec::new(),
            errors: Vec::new(),
            passed: None,
            arrived: None,
            looks_at_all: false,
            scripted: BTreeMap::new(),
        }
    }

    /// The time now, milliseconds since 1970 UTC.
    pub const fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// The time by a host's own clock.
    pub fn clock_ms(&self, host: HostId) -> u64 {
        let skew = self.hosts[host.0].skew_ms;
        self.now_ms().saturating_add_signed(skew)
    }

    /// Another host.
    pub fn host(&mut self) -> HostId {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let host = Host::new(seed, self.now_ms());
        self.enter(host)
    }

    /// Another device of whoever has a host, which nobody else has met.
    ///
    /// # Panics
    /// When the first one's disk does not read.
    pub fn second_device(&mut self, of: HostId) -> HostId {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let host = Host::second(&self.hosts[of.0], seed, self.now_ms());
        self.enter(host.expect("a disk that reads"))
    }

    /// From now on no engine passes over a conversation, of hosts that come later either: what is
    /// said is the same.
    pub fn looks_at_all(&mut self) {
        self.looks_at_all = true;
        for host in &mut self.hosts {
            host.looks_at_all = true;
            if let Some(engine) = &mut host.engine {
                engine.looks_at_all();
            }
        }
    }

    fn enter(&mut self, mut host: Host) -> HostId {
        let id = HostId(self.hosts.len());
        if let (true, Some(engine)) = (self.looks_at_all, &mut host.engine) {
            engine.looks_at_all();
        }
        host.looks_at_all = self.looks_at_all;
        self.by_device.insert(host.device(), id);
        self.hosts.push(host);
        self.settle(id);
        id
    }

    /// Every host.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len()).map(HostId)
    }

    /// A host, to look into or to break.
    pub fn at(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// A host, to look into.
    pub fn look(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// Whose device it is.
    pub fn host_of(&self, device: &DeviceId) -> Option<HostId> {
        self.by_device.get(device).copied()
    }

    /// What is between the hosts.
    pub const fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// Two hosts know each other and have a record together.
    pub fn know(&mut self, a: HostId, b: HostId, record: RecordId) {
        for (one, other) in [(a, b), (b, a)] {
            let whoever = self.at(other).whoever();
            let peer = self.at(one).peers.entry(whoever.device).or_insert(Peer {
                device: whoever.device,
                principal: whoever.principal,
                records: BTreeSet::new(),
                is_dialled: true,
            });
            peer.records.insert(record);
        }
    }

    /// A new device knows the one of the same person that added it.
    pub fn meets(&mut self, device: HostId, first: HostId) {
        let whoever = self.at(first).whoever();
        let peer = Peer {
            device: whoever.device,
            principal: whoever.principal,
            records: BTreeSet::new(),
            is_dialled: true,
        };
        self.at(device).peers.insert(whoever.device, peer);
        self.changed(device);
    }

    /// The notes that a host shows of a record, sorted.
    ///
    /// # Panics
    /// When its disk does not read.
    pub fn texts(&mut self, host: HostId, record: RecordId) -> Vec<String> {
        self.at(host).texts(record).expect("a disk that reads")
    }

    /// Everything that a host holds of a record, each with its status.
    ///
    /// # Panics
    /// When its disk does not read.
    pub fn state(&mut self, host: HostId, record: RecordId) -> BTreeSet<String> {
        self.at(host).state(record).expect("a disk that reads")
    }

    /// A script opens a stream to a host, as the device of another one.
    pub fn script(&mut self, from: HostId, to: HostId) -> Wire {
        let device = self.look(from).device();
        self.script_from(from, device, to)
    }

    /// A script opens a stream to a host as a device of nobody in this world.
    fn script_as(&mut self, device: DeviceId, to: HostId) -> Wire {
        self.script_from(HostId(usize::MAX), device, to)
    }

    fn script_from(&mut self, from: HostId, device: DeviceId, to: HostId) -> Wire {
        let (near, far) = self.network.open(from, to);
        self.scripted.insert(near, Vec::new());
        let now = self.now_ms();
        self.clock.at(now, Happening::Opens(far, device, false));
        near
    }

    /// The script says something.
    pub fn say(&mut self, wire: Wire, frame: Vec<u8>) {
        let Some(other) = self.network.other(wire) else {
            return;
        };
        let now = self.now_ms();
        let (fate, _) = self.network.send(other, frame.len(), now, &mut self.rng);
        if let Fate::Arrives(at) = fate {
            self.clock.at(at, Happening::Arrives(other, frame));
        }
    }

    /// What came to the script since it last looked.
    pub fn heard(&mut self, wire: Wire) -> Vec<Vec<u8>> {
        self.scripted
            .get_mut(&wire)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Whether a stream is still open.
    pub fn is_open(&self, wire: Wire) -> bool {
        self.network.other(wire).is_some()
    }
}
