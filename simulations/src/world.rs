//! Hosts, the network between them and time.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    consent::{
        Whoever,
        cut::{Cut, CutPart, CutPosition, CutTree},
        grant::{Actions, Basis, Grant, Purposes},
    },
    id::{DeviceId, EventId, RecordId},
    logs::{
        Act, LabelAct,
        record::{Link, Revoke},
    },
    store::Item,
    sync::{Input, News, Output, Peer},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::{
    clock::Clock,
    disk::Disk,
    host::Host,
    network::{Network, Wire},
};

/// Names a host in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(usize);

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

/// # Panics
/// When there is no such section or label.
fn document_named(name: &str) -> DocumentId {
    let (section, label) = name.split_once(':').expect("a section and a label");
    let section: Section = section.parse().expect("a section");
    let label: Label = label.parse().expect("a label");
    DocumentId::first(section, label)
}

/// What happens at a time.
enum Happening {
    Arrives(Wire, Vec<u8>),
    Left(Wire),
    Opens(Wire, DeviceId, bool),
    Ends(Wire),
    Unreached(HostId, DeviceId),
    Wakes(HostId),
}

/// A world. Every step follows from its seed.
pub struct World {
    clock: Clock<Happening>,
    hosts: Vec<Host>,
    by_device: BTreeMap<DeviceId, HostId>,
    network: Network,
    rng: ChaCha20Rng,
    wakes_ms: BTreeMap<HostId, u64>,
    /// Every frame that left a host, with where it came from and went to.
    pub frames: Vec<(HostId, HostId, Vec<u8>)>,
    /// What engines told, with whose it was.
    pub news: Vec<(HostId, News)>,
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
            frames: Vec::new(),
            news: Vec::new(),
            scripted: BTreeMap::new(),
        }
    }

    /// The time now, milliseconds since 1970 UTC.
    pub const fn now_ms(&self) -> u64 {
        self.clock.now_ms()
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

    fn enter(&mut self, host: Host) -> HostId {
        let id = HostId(self.hosts.len());
        self.by_device.insert(host.device(), id);
        self.hosts.push(host);
        self.settle(id);
        id
    }

    /// A host, to look into or to break.
    pub fn at(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// A new record that a host controls.
    ///
    /// # Panics
    /// When its disk does not take it.
    pub fn record(&mut self, host: HostId) -> RecordId {
        let now = self.now_ms();
        self.at(host).set_now_ms(now);
        let record = self.at(host).begin_record().expect("room");
        self.changed(host);
        record
    }

    /// A host writes a note into a document such as `plans:general`; whether it may and could.
    pub fn write(&mut self, host: HostId, record: RecordId, document: &str, text: &str) -> bool {
        let now = self.now_ms();
        self.at(host).set_now_ms(now);
        let written = self.at(host).write(record, &document_named(document), text);
        self.changed(host);
        written.unwrap_or(false)
    }

    /// A controller shares a record: the grants, for each label one.
    ///
    /// # Panics
    /// When its disk does not take them.
    pub fn share(
        &mut self,
        host: HostId,
        record: RecordId,
        with: HostId,
        sights: &[Sight],
    ) -> Vec<EventId> {
        self.share_until(host, record, (with, None), sights)
    }

    /// A controller shares a record until a time, milliseconds since 1970 UTC.
    ///
    /// # Panics
    /// When its disk does not take the grants.
    pub fn share_until(
        &mut self,
        host: HostId,
        record: RecordId,
        (with, until_ms): (HostId, Option<u64>),
        sights: &[Sight],
    ) -> Vec<EventId> {
        let now = self.now_ms();
        let audience = self.at(with).whoever().principal;
        let mut by_label = BTreeMap::<Label, (BTreeSet<Section>, Actions)>::new();
        for sight in sights {
            let held = by_label.entry(sight.document.label.clone()).or_default();
            held.0.insert(sight.document.section);
            held.1 = held.1.union(sight.actions);
        }
        self.know(host, with, record);
        // The logs of those who are granted something have to be here to be judged.
        let log = kith_protocol::sync::principal_log(&self.at(with).disk, audience).expect("a log");
        self.at(host).set_now_ms(now);
        let who = self.at(host).whoever();
        let mut grants = Vec::new();
        self.at(host)
            .work(record, |record, pen, _| {
                let mut items: Vec<_> = log.iter().map(kith_protocol::record::event_item).collect();
                for event in &log {
                    record.ledger().add_event(event.clone());
                }
                for (label, (sections, actions)) in by_label {
                    let grant = Grant {
                        audience,
                        sections: sections.into_iter().collect(),
                        actions,
                        from_ms: now,
                        until_ms,
                        purposes: Purposes::CARE,
                        basis: Basis::Consent,
                        depth: 0,
                        parent: None,
                        custodians: Vec::new(),
                    };
                    let act = Act::Label(LabelAct::Grant(grant));
                    let issuer = record
                        .ledger()
                        .decide_act(&who, Some(&label), None, act, now)
                        .expect("a controller may share");
                    let (id, item) = record.act(pen, issuer);
                    grants.push(id);
                    items.push(item);
                }
                items
            })
            .expect("room");
        self.changed(host);
        self.changed(with);
        grants
    }

    /// A controller stops sharing; what was written so far stands.
    ///
    /// # Panics
    /// When its disk does not take it.
    pub fn stop(&mut self, host: HostId, record: RecordId, grants: &[EventId]) {
        let now = self.now_ms();
        self.at(host).set_now_ms(now);
        let who = self.at(host).whoever();
        self.at(host)
            .work(record, |record, pen, _| {
                let mut items = Vec::new();
                for grant in grants {
                    items.extend(revoke(record, pen, &who, *grant));
                }
                items
            })
            .expect("room");
        self.changed(host);
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

    /// Cuts two hosts off from each other.
    pub fn cut(&mut self, a: HostId, b: HostId) {
        let now = self.now_ms();
        for wire in self.network.cut(a, b) {
            self.clock.at(now, Happening::Ends(wire));
        }
    }

    /// Lets them reach each other again.
    pub fn mend(&mut self, a: HostId, b: HostId) {
        self.network.mend(a, b);
    }

    /// A host loses what is in its memory, and stays down.
    pub fn crash(&mut self, host: HostId) {
        self.at(host).crash();
        let now = self.now_ms();
        for wire in self.network.crash(host) {
            self.clock.at(now, Happening::Ends(wire));
        }
    }

    /// A host that is down comes back with what its disk holds.
    pub fn restart(&mut self, host: HostId) {
        let now = self.now_ms();
        self.at(host).start(now);
        self.settle(host);
    }

    /// A host that is down comes back with an older disk.
    pub fn restore(&mut self, host: HostId, disk: Disk) {
        self.at(host).disk = disk;
        self.restart(host);
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

    /// Lets time pass.
    pub fn run_for(&mut self, ms: u64) {
        let until = self.now_ms() + ms;
        while let Some(happening) = self.clock.next(until) {
            self.happen(happening);
        }
    }

    /// A script opens a stream to a host, as the device of another one.
    pub fn script(&mut self, from: HostId, to: HostId) -> Wire {
        let (near, far) = self.network.open(from, to);
        self.scripted.insert(near, Vec::new());
        let device = self.at(from).device();
        let now = self.now_ms();
        self.clock.at(now, Happening::Opens(far, device, false));
        near
    }

    /// The script says something.
    pub fn say(&mut self, wire: Wire, frame: Vec<u8>) {
        if let Some(other) = self.network.other(wire) {
            let now = self.now_ms();
            let at = self.network.arrives_ms(other, now, &mut self.rng);
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

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(wire, frame) => {
                if self.network.other(wire).is_none() {
                    return;
                }
                match self.scripted.get_mut(&wire) {
                    Some(heard) => heard.push(frame),
                    None => self.tell(
                        wire.host,
                        Input::Received {
                            link: wire.link,
                            frame,
                        },
                    ),
                }
            }
            Happening::Left(wire) => self.tell(wire.host, Input::Sent { link: wire.link }),
            Happening::Opens(wire, device, is_caller) => self.tell(
                wire.host,
                Input::Connected {
                    link: wire.link,
                    device,
                    is_caller,
                },
            ),
            Happening::Ends(wire) => {
                self.network.close(wire);
                self.tell(wire.host, Input::Lost { link: wire.link });
            }
            Happening::Unreached(host, device) => self.tell(host, Input::NotReached { device }),
            Happening::Wakes(host) => {
                self.wakes_ms.remove(&host);
                self.tell(host, Input::Timer);
            }
        }
    }

    fn changed(&mut self, host: HostId) {
        self.tell(host, Input::Changed);
    }

    fn tell(&mut self, host: HostId, input: Input) {
        let now = self.now_ms();
        let one = self.at(host);
        one.set_now_ms(now);
        let Some(mut engine) = one.engine.take() else {
            return;
        };
        // A disk that does not answer is a fault of the world, and the engine goes on.
        let answered = engine.handle(one, input, now);
        one.engine = Some(engine);
        if answered.is_err() {
            self.news
                .push((host, News::Unreadable(RecordId::from_bytes([0; 32]))));
        }
        self.settle(host);
    }

    fn settle(&mut self, host: HostId) {
        let mut outputs = Vec::new();
        let mut wake = None;
        if let Some(engine) = &mut self.at(host).engine {
            while let Some(output) = engine.poll_output() {
                outputs.push(output);
            }
            wake = engine.poll_timeout();
        }
        for output in outputs {
            self.obey(host, output);
        }
        if let Some(at) = wake
            && self.wakes_ms.get(&host).is_none_or(|known| at < *known)
        {
            self.wakes_ms.insert(host, at);
            // A moment later at the earliest, so that time goes on.
            let at = at.max(self.now_ms() + 1);
            self.clock.at(at, Happening::Wakes(host));
        }
    }

    fn obey(&mut self, host: HostId, output: Output) {
        let now = self.now_ms();
        match output {
            Output::Send { link, frame } => {
                let wire = Wire { host, link };
                let Some(other) = self.network.other(wire) else {
                    return;
                };
                self.frames.push((host, other.host, frame.clone()));
                let at = self.network.arrives_ms(other, now, &mut self.rng);
                self.clock.at(at, Happening::Arrives(other, frame));
                self.clock.at(now + 1, Happening::Left(wire));
            }
            Output::Close { link, .. } => {
                let wire = Wire { host, link };
                if let Some(other) = self.network.other(wire) {
                    let at = self.network.arrives_ms(other, now, &mut self.rng);
                    self.clock.at(at, Happening::Ends(other));
                }
            }
            Output::Dial { device } => self.dial(host, device),
            Output::Tell(news) => self.news.push((host, news)),
        }
    }

    fn dial(&mut self, host: HostId, device: DeviceId) {
        let now = self.now_ms();
        let reached = self.by_device.get(&device).copied().filter(|other| {
            self.network.connects(host, *other) && self.hosts[other.0].engine.is_some()
        });
        let Some(other) = reached else {
            self.clock
                .at(now + 1000, Happening::Unreached(host, device));
            return;
        };
        let (near, far) = self.network.open(host, other);
        let ours = self.at(host).device();
        let at = self.network.arrives_ms(far, now, &mut self.rng);
        self.clock.at(at, Happening::Opens(far, ours, false));
        let at = self.network.arrives_ms(near, at, &mut self.rng);
        self.clock.at(at, Happening::Opens(near, device, true));
    }
}

/// The revocation of a grant that keeps everything its audience wrote so far, with its parts.
fn revoke(
    record: &mut kith_protocol::record::Record,
    pen: &kith_protocol::record::Pen<'_>,
    who: &Whoever,
    grant: EventId,
) -> Vec<Item> {
    let grants = record.ledger().grants();
    let Some(of) = grants.into_iter().find(|state| state.id == grant) else {
        return Vec::new();
    };
    let id = record.id();
    let mut parts = Vec::new();
    for document in record.ledger().documents() {
        if document.label != of.label {
            continue;
        }
        let mut ends = BTreeMap::new();
        for (entry, _) in record.ledger().entries(&document) {
            let Some(header) = record.ledger().header(&entry) else {
                continue;
            };
            let chain = (header.device, header.epoch);
            let end = CutPosition {
                device: header.device,
                epoch: header.epoch,
                seq: header.seq,
                id: entry,
            };
            if header.author == of.grant.audience {
                let last = ends.entry(chain).or_insert(end);
                if last.seq < end.seq {
                    *last = end;
                }
            }
        }
        if !ends.is_empty() {
            parts.push(CutPart {
                record: id,
                place: kith_protocol::consent::cut::CutPlace::Document(document),
                chains: ends.into_values().collect(),
                documents: Vec::new(),
            });
        }
    }
    let tree = CutTree::new(parts);
    let act = Act::Label(LabelAct::Revoke(Revoke {
        link: Link::Grant(grant),
        cut: tree.cut(),
        keep: Vec::new(),
        void: Vec::new(),
        is_final: false,
    }));
    let issuer = record
        .ledger()
        .decide_act(who, Some(&of.label), None, act, pen.time_ms)
        .expect("a controller may stop sharing");
    let (event, item) = record.act(pen, issuer);
    let mut items = vec![item];
    if tree.cut() != Cut::Nothing {
        for part in tree.proven(event) {
            let bytes = kith_protocol::codec::encode(&part);
            if let Ok(item) = record.arrive_part(&bytes) {
                items.push(item.item);
            }
        }
    }
    items
}
