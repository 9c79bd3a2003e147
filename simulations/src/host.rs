//! A node in the world: keys, a disk, and the engine that a real node runs.

mod acts;
mod hostile;
mod rights;
mod shell;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::AuditChain,
    author::Author,
    consent::{Reader, Whoever, grant::Purposes},
    id::{DeviceId, RecordId},
    identity::{SecretKey, agree_to_act_for},
    logs::{
        PrincipalAct,
        principal::{PrincipalKind, RecoverySet},
        record::Policy,
    },
    record::{Pen, Placed, Record, event_item},
    store::{Item, Store, StoreError},
    sync::{Engine, Peer, Shell},
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use self::rights::KeptRights;
pub use self::{
    acts::{Done, Share, Shown, shown_by, text_stands},
    hostile::{Claim, with_other_payload},
};
use crate::disk::Disk;

/// A host: what is in memory is gone after a crash, the disk stays.
pub struct Host {
    /// Whose it is, and its device.
    who: Whoever,
    /// What it signs with; nothing where it stands in for a real node.
    keys: Option<Keys>,
    /// What it holds.
    pub disk: Disk,
    /// Whom it knows; a node keeps that on its disk, and so it survives a crash here.
    pub peers: BTreeMap<DeviceId, Peer>,
    /// The engine; nothing while the host is down.
    pub engine: Option<Engine>,
    /// Whether its engine passes over no conversation.
    pub(crate) looks_at_all: bool,
    /// Records that its engine asked for; empty it before what is of interest.
    pub taken: BTreeSet<RecordId>,
    /// By how much its clock is ahead of the world's, milliseconds.
    pub skew_ms: i64,
    /// The time of its engine: it goes back only where the clock was put back.
    pub engine_ms: u64,
    loaded: BTreeMap<RecordId, Record>,
    /// What follows from the disk alone, so that it is not lost with the memory: to find it out
    /// again after each start would only take the time.
    rights: KeptRights,
    audit: Option<AuditChain>,
    /// What makes its access log one of its own.
    audit_nonce: [u8; 16],
    nonce: [u8; 8],
    rng: ChaCha20Rng,
    now_ms: u64,
}

/// What a host signs with.
struct Keys {
    root: SecretKey,
    device: SecretKey,
}

impl Host {
    /// A host whose keys come from a seed.
    pub fn new(seed: [u8; 32], now_ms: u64) -> Self {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let root = key(&mut rng);
        let mut host = Self::with_root(root, rng, now_ms);
        let begin = PrincipalAct::Begin {
            kind: PrincipalKind::Person,
            sealing_key: [0; 32],
        };
        let begin = host.as_root().own_event(&[], now_ms, begin);
        host.disk
            .commit(vec![event_item(&begin)])
            .expect("a new disk has room");
        host.joins();
        host.start(now_ms);
        host
    }

    /// Another device of the same person, which knows whom the first one knows.
    pub fn second(first: &Self, seed: [u8; 32], now_ms: u64) -> Result<Self, StoreError> {
        let rng = ChaCha20Rng::from_seed(seed);
        let root = SecretKey::from_seed(*first.keys().root.seed());
        let mut host = Self::with_root(root, rng, now_ms);
        let log = first.disk.principal_log(&first.who.principal)?;
        host.disk.commit(log.iter().map(event_item).collect())?;
        host.peers = first.peers.clone();
        host.joins();
        host.start(now_ms);
        Ok(host)
    }

    /// A host in the place of a real node, of which it has no key: it signs nothing.
    pub fn stand_in(who: Whoever, now_ms: u64) -> Self {
        Self::with_keys((who, None), ChaCha20Rng::from_seed([0; 32]), now_ms)
    }

    fn with_root(root: SecretKey, mut rng: ChaCha20Rng, now_ms: u64) -> Self {
        let device = key(&mut rng);
        let who = Whoever {
            principal: root.principal(),
            device: device.device(),
            staff: None,
        };
        Self::with_keys((who, Some(Keys { root, device })), rng, now_ms)
    }

    fn with_keys((who, keys): (Whoever, Option<Keys>), rng: ChaCha20Rng, now_ms: u64) -> Self {
        Self {
            who,
            keys,
            disk: Disk::default(),
            peers: BTreeMap::new(),
            engine: None,
            looks_at_all: false,
            taken: BTreeSet::new(),
            skew_ms: 0,
            engine_ms: now_ms,
            loaded: BTreeMap::new(),
            rights: KeptRights::default(),
            audit: None,
            audit_nonce: [7; 16],
            nonce: [0; 8],
            rng,
            now_ms,
        }
    }

    fn keys(&self) -> &Keys {
        let keys = self.keys.as_ref();
        keys.expect("whoever stands in for a real node is never asked to sign")
    }

    fn as_root(&self) -> Author<'_> {
        Author {
            principal: self.who.principal,
            key: &self.keys().root,
            staff: None,
        }
    }

    /// The root key adds the device to the principal log.
    fn joins(&mut self) {
        let log = self
            .disk
            .principal_log(&self.who.principal)
            .expect("a log of its own");
        let Keys { root, device } = self.keys();
        let add = PrincipalAct::DeviceAdd {
            device: device.device(),
            proof: agree_to_act_for(root.principal(), device, root.device()),
        };
        let add = self.as_root().own_event(&log, self.now_ms, add);
        self.disk
            .commit(vec![event_item(&add)])
            .expect("a new disk has room");
    }

    /// Starts its engine over what the disk holds; nothing where the disk does not answer.
    pub fn start(&mut self, now_ms: u64) {
        self.disk.reopen();
        self.now_ms = now_ms;
        self.engine_ms = now_ms;
        self.rng.fill_bytes(&mut self.nonce);
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let engine = Engine::new(self, seed, now_ms);
        self.engine = engine.ok();
        if let (true, Some(engine)) = (self.looks_at_all, &mut self.engine) {
            engine.looks_at_all();
        }
    }

    /// Everything in memory is gone.
    pub fn crash(&mut self) {
        self.engine = None;
        self.loaded.clear();
        self.audit = None;
    }

    /// A record as it is in memory, where it is.
    pub fn in_memory(&mut self, id: RecordId) -> Option<&mut Record> {
        self.loaded.get_mut(&id)
    }

    /// Forgets what it has loaded: something came onto the disk by other hands.
    pub fn forget_loaded(&mut self) {
        self.loaded.clear();
    }

    /// Another disk takes the place of its own.
    pub fn set_disk(&mut self, disk: Disk) {
        self.disk = disk;
        self.rights = KeptRights::default();
    }

    /// What makes its access log one of its own, where it has not begun.
    pub const fn set_audit_nonce(&mut self, nonce: [u8; 16]) {
        self.audit_nonce = nonce;
    }

    /// Others wrote in its access log, which stands there now.
    pub fn set_audit(&mut self, chain: AuditChain) -> Result<(), StoreError> {
        self.disk.commit(vec![shell::audit_row(&chain)])?;
        self.audit = Some(chain);
        Ok(())
    }

    /// Time goes on.
    pub const fn set_now_ms(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Its device.
    pub const fn device(&self) -> DeviceId {
        self.who.device
    }

    /// Whoever works at it.
    pub const fn whoever(&self) -> Whoever {
        self.who
    }

    fn pen(&self) -> Pen<'_> {
        Pen {
            author: Author {
                principal: self.who.principal,
                key: &self.keys().device,
                staff: None,
            },
            nonce: self.nonce,
            time_ms: self.now_ms,
        }
    }

    /// Begins a record that it controls.
    pub fn begin_record(&mut self) -> Result<RecordId, StoreError> {
        let log = self.disk.principal_log(&self.who.principal)?;
        let mut rng = self.rng.clone();
        let recovery = RecoverySet {
            needed: 0,
            members: Vec::new(),
        };
        let (record, item) =
            Record::begin(&self.pen(), &log, recovery, Policy::default(), &mut rng);
        self.rng = rng;
        self.disk.commit(vec![item])?;
        let id = record.id();
        self.loaded.insert(id, record);
        Ok(id)
    }

    /// Works on a record and keeps what comes of it; nothing is in memory that is not on the disk.
    pub fn work(
        &mut self,
        id: RecordId,
        work: impl FnOnce(&mut Record, &Pen<'_>, &mut ChaCha20Rng) -> Vec<Item>,
    ) -> Result<(), StoreError> {
        let mut record = self.take(id)?;
        let mut rng = self.rng.clone();
        let items = work(&mut record, &self.pen(), &mut rng);
        self.rng = rng;
        self.disk.commit(items)?;
        self.put(record);
        Ok(())
    }

    /// The notes that a host shows of a record, sorted.
    pub fn texts(&mut self, id: RecordId) -> Result<Vec<String>, StoreError> {
        let who = self.whoever();
        let mut record = self.take(id)?;
        let mut texts = Vec::new();
        for document in record.ledger().documents() {
            let reader = record.ledger().own_copy(&document, who);
            texts.extend(texts_in(&mut record, &reader));
        }
        self.put(record);
        texts.sort_unstable();
        Ok(texts)
    }

    /// The notes that a host shows of one document, where its owner may read that now.
    pub fn texts_of(
        &mut self,
        id: RecordId,
        document: &DocumentId,
        now_ms: u64,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let who = self.whoever();
        let mut record = self.take_part(id, [document.family()].into())?;
        let ledger = record.ledger();
        let reader = ledger.decide_read(&who, document, Purposes::CARE, now_ms);
        let texts = reader.ok().map(|reader| texts_in(&mut record, &reader));
        self.put(record);
        Ok(texts)
    }

    /// Everything that it holds of a record, each with its status: equal on two hosts that hold
    /// the same.
    pub fn state(&mut self, id: RecordId) -> Result<BTreeSet<String>, StoreError> {
        let mut record = self.take(id)?;
        let mut state = BTreeSet::new();
        for document in record.ledger().documents() {
            for (entry, status) in record.ledger().entries(&document) {
                state.insert(format!("{document} {entry} {status:?}"));
            }
        }
        self.put(record);
        for log in self.disk.logs(&id)? {
            for (event, _) in self.disk.events(&log)? {
                state.insert(event.to_string());
            }
        }
        Ok(state)
    }
}

/// The notes in a document.
fn texts_in(record: &mut Record, reader: &Reader) -> Vec<String> {
    let placed = record.read(reader).into_iter();
    let value = |placed: Placed| {
        let text = placed.held.to_text(0);
        let (_, rest) = text.split_once("\"valueString\":\"")?;
        Some(rest.split('"').next()?.to_owned())
    };
    placed.filter_map(value).collect()
}

fn key(rng: &mut ChaCha20Rng) -> SecretKey {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    SecretKey::from_seed(seed)
}
