//! One record as a node works on it: what is held, what of it counts, its documents, and the one
//! way to write into it.
//!
//! The log is the truth; this is a view of it that is built from a
//! [`Store`](crate::store::Store) and dropped again. Reading takes a [`Reader`] and writing a
//! [`Writer`](crate::consent::Writer), which only the consent decision mints.

mod arrive;
mod basis;
mod epochs;
mod history;
mod load;
mod rights;
mod saved;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kith_crdt::{ChangeHash, Document, DocumentId, Edit, Held, ResourceId, Vetted};

pub use arrive::{ArrivalError, Arrived, Weighed};
pub use epochs::{CarryOver, SETTLED};
pub use history::Step;
pub use load::named;
pub(crate) use load::not_ours;
pub use rights::Rights;
pub use saved::Saved;
pub use write::{Pen, WriteError, entry_item, event_item};

use crate::{
    consent::{Ledger, Material, Reader, Status, Whoever},
    envelope::Content,
    id::{DeviceId, EnvelopeId, PrincipalId, RecordId},
};

/// One record, loaded.
pub struct Record {
    id: RecordId,
    ledger: Ledger,
    /// The device whose own changes need no second look.
    own: Option<DeviceId>,
    changes: BTreeMap<EnvelopeId, Vetted>,
    writers: BTreeMap<ChangeHash, EnvelopeId>,
    open: BTreeMap<DocumentId, Opened>,
    /// Of how many entries what was saved of a document is made.
    saved: BTreeMap<DocumentId, usize>,
    /// The documents of which the entries are here, in all their epochs, where that is not all of
    /// them.
    part: Option<BTreeSet<DocumentId>>,
}

/// A document as its loaded entries make it.
#[derive(Default)]
struct Opened {
    entries: BTreeSet<EnvelopeId>,
    /// Made when it is needed: what entries hold that only make resources, as nearly all do, is
    /// read from them alone.
    document: Option<Document>,
    /// What stands in the document, once it was read: reading takes longer than keeping it.
    held: Option<Vec<Arc<Held>>>,
    sides: Vec<(Vec<EnvelopeId>, Document)>,
}

/// What one decision made different in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// The document.
    pub document: DocumentId,
    /// Its resources before.
    pub before: Vec<Held>,
    /// Its resources after.
    pub after: Vec<Held>,
}

/// A resource with the documents' own word on where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The document.
    pub document: DocumentId,
    /// The resource: the same pointer for as long as a loaded record has it unchanged.
    pub held: Arc<Held>,
    /// Whether it stands in a side document: written by a key that was in use twice.
    pub aside: bool,
    /// Whether it came into an epoch that had ended: somebody must look whether it is to be
    /// brought over.
    pub late: bool,
}

impl Record {
    /// An empty view of a record.
    pub fn new(id: RecordId) -> Self {
        Self {
            id,
            ledger: Ledger::new(id),
            own: None,
            changes: BTreeMap::new(),
            writers: BTreeMap::new(),
            open: BTreeMap::new(),
            saved: BTreeMap::new(),
            part: None,
        }
    }

    /// Its id.
    pub const fn id(&self) -> RecordId {
        self.id
    }

    /// Everything held of it, and what follows.
    pub const fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// How many bytes of changes of it are loaded: what it takes of memory grows with that.
    pub fn changes_len(&self) -> usize {
        self.changes
            .values()
            .map(|change| change.bytes().len())
            .sum()
    }

    /// How many events and entries of it are known, whether their content is here or not.
    pub const fn held_len(&self) -> usize {
        self.ledger.held_len()
    }

    /// The resources of a document, side documents included. Of an epoch that no longer stands,
    /// what came too late to be carried over: the rest is read in the epoch that stands.
    pub fn read(&mut self, reader: &Reader) -> Vec<Placed> {
        let id = reader.document();
        let late = self.is_past(id);
        let main = if late {
            self.late(id)
        } else {
            self.opened(id).held().to_vec()
        };
        let opened = self.opened(id);
        let all: BTreeSet<_> = if late && !opened.sides.is_empty() {
            opened.held().iter().map(|held| held.id.clone()).collect()
        } else {
            BTreeSet::new()
        };
        let place = |aside: bool| {
            move |held| Placed {
                document: id.clone(),
                held,
                aside,
                late,
            }
        };
        let mut placed: Vec<_> = main.into_iter().map(place(false)).collect();
        for (_, side) in &opened.sides {
            let known: BTreeSet<_> = placed.iter().map(|placed| placed.held.id.clone()).collect();
            let more = side.resources().into_iter().map(Arc::new).map(place(true));
            placed.extend(more.filter(|placed| {
                let id = &placed.held.id;
                !known.contains(id) && !all.contains(id)
            }));
        }
        placed
    }

    /// Of the resources of a document those with these ids, as [`Record::read`] gives them: where
    /// the document stands and has no side, nothing else in it is read.
    pub fn read_some(&mut self, reader: &Reader, ids: &BTreeSet<ResourceId>) -> Vec<Placed> {
        let document = reader.document();
        let is_past = self.is_past(document);
        let opened = self.opened(document);
        if is_past || !opened.sides.is_empty() {
            let mut all = self.read(reader);
            all.retain(|placed| ids.contains(&placed.held.id));
            return all;
        }
        let held = ids.iter().filter_map(|id| opened.resource(id));
        held.map(|held| Placed {
            document: document.clone(),
            held,
            aside: false,
            late: false,
        })
        .collect()
    }

    /// The token to read a document with for care, where someone may: an epoch that ended only
    /// where it was shared with them before its end.
    pub fn reader(&mut self, who: &Whoever, document: &DocumentId, now_ms: u64) -> Option<Reader> {
        if self.is_past(document) && !self.may_have_past(document, who.principal) {
            return None;
        }
        self.ledger.decide_open(who, document, now_ms).ok()
    }

    /// A document in the stock Automerge format.
    pub fn save(&mut self, reader: &Reader) -> Vec<u8> {
        self.made(reader.document()).save()
    }

    /// Who wrote a change, by the header of the entry that carried it.
    pub fn author(&self, change: &ChangeHash) -> Option<PrincipalId> {
        let entry = self.writer(change)?;
        Some(self.ledger.header(&entry)?.author)
    }

    /// The entry that made a resource; where the epoch in which it was made is not held, the one
    /// that carried it over.
    pub fn creator(&mut self, resource: &ResourceId) -> Option<EnvelopeId> {
        let documents = self.ledger.documents();
        let (document, change) = documents.into_iter().find_map(|id| {
            let held = self.opened(&id).resource(resource)?;
            Some((id, held.created))
        })?;
        self.writer(&change).or_else(|| self.begun_by(&document))
    }

    /// A document as an entry found it and as it left it; of an adoption, with what it adopted.
    /// Nothing where the entry does not count, or a later epoch stands in the place of its own.
    pub fn around(&mut self, entry: &EnvelopeId) -> Option<Around> {
        let header = self.ledger.header(entry)?.clone();
        let id = header.document.clone();
        let main = self.ledger.loaded(&id).main;
        let counts = matches!(self.ledger.status(entry), Some(Status::Accepted));
        if !counts || self.is_past(&id) {
            return None;
        }
        let own: BTreeSet<_> = match &header.content {
            Content::Adopt { entries } => entries.iter().copied().collect(),
            Content::Change(_) => BTreeSet::from([*entry]),
            Content::CarryOver { .. } | Content::Erased { .. } => return None,
        };
        let (upto, with) = (self.up_to(header.deps), self.up_to(vec![*entry]));
        let after: Vec<_> = main.into_iter().filter(|id| with.contains(id)).collect();
        let mut before: Vec<EnvelopeId> = Vec::new();
        for id in after.iter().filter(|id| upto.contains(id)) {
            // What builds on something that is left out is left out too.
            let deps = self.ledger.header(id).map(|header| &header.deps);
            let whole = |dep: &EnvelopeId| {
                !own.contains(dep) && (before.contains(dep) || !after.contains(dep))
            };
            if !own.contains(id) && deps.is_some_and(|deps| deps.iter().all(whole)) {
                before.push(*id);
            }
        }
        Some(Around {
            document: id,
            before: self.made_of(&before)?,
            after: self.made_of(&after)?,
        })
    }

    /// The resources that some entries make, in their order, beside what is opened.
    fn made_of(&self, entries: &[EnvelopeId]) -> Option<Vec<Held>> {
        let changes = entries.iter().filter_map(|id| self.changes.get(id));
        let changes: Vec<Vetted> = changes.cloned().collect();
        let mut document = Document::new();
        document.take(&changes).ok()?;
        Some(document.resources())
    }

    /// Whether an entry is somebody's word that others count.
    pub fn is_adoption(&self, entry: &EnvelopeId) -> bool {
        let header = self.ledger.header(entry);
        header.is_some_and(|header| matches!(header.content, Content::Adopt { .. }))
    }

    /// Entries, with everything that they build on.
    fn up_to(&self, mut next: Vec<EnvelopeId>) -> BTreeSet<EnvelopeId> {
        let mut seen = BTreeSet::new();
        while let Some(id) = next.pop() {
            if seen.insert(id)
                && let Some(header) = self.ledger.header(&id)
            {
                next.extend(&header.deps);
                if let Content::Adopt { entries } = &header.content {
                    next.extend(entries);
                }
            }
        }
        seen
    }

    /// Whether an entry may bring resources that name attachments into sight: its own, or those of
    /// entries that it says count.
    pub fn may_name_attachments(&self, entry: &EnvelopeId) -> bool {
        let change = self.changes.get(entry);
        change.is_some_and(Vetted::names_attachments) || self.is_adoption(entry)
    }

    /// The resources that an entry makes, as it made them, where that is all that it does.
    pub fn creations(&self, entry: &EnvelopeId) -> Option<Vec<Held>> {
        self.changes.get(entry)?.creations()
    }

    /// How many entries passed vetting and yet could not be read by this build.
    pub fn unreadable(&mut self) -> usize {
        let mut unreadable = 0;
        for id in self.ledger.documents() {
            self.opened(&id);
            let entries = self.ledger.entries(&id);
            let ours = |(_, status): &&(_, Status)| matches!(status, Status::Unreadable(_));
            unreadable += entries.iter().filter(ours).count();
        }
        unreadable
    }

    /// The entry that carried a change.
    pub fn writer(&self, change: &ChangeHash) -> Option<EnvelopeId> {
        self.writers.get(change).copied()
    }

    fn opened(&mut self, id: &DocumentId) -> &mut Opened {
        // Opening can find that something cannot be read, which leaves less to open: each round
        // has fewer entries than the one before.
        loop {
            let material = self.ledger.loaded(id);
            let opened = self.open.get(id);
            if opened.is_some_and(|opened| opened.is_of(&material)) {
                break;
            }
            let opened = self.open_from(id, &material);
            self.open.insert(id.clone(), opened);
        }
        self.open.entry(id.clone()).or_default()
    }

    /// A document itself, as its loaded entries make it.
    fn made(&mut self, id: &DocumentId) -> &mut Document {
        // As above: making it can find that something cannot be read.
        while self.opened(id).document.is_none() {
            let material = self.ledger.loaded(id).main;
            let document = self.apply(Document::new(), &material);
            let opened = self.opened(id);
            if opened.entries.len() == material.len() {
                opened.document = Some(document);
            }
        }
        self.opened(id).document.get_or_insert_default()
    }
}

impl Opened {
    /// What stands in the document, in its order.
    fn held(&mut self) -> &[Arc<Held>] {
        let document = &self.document;
        self.held.get_or_insert_with(|| {
            let held = document.iter().flat_map(Document::resources);
            held.map(Arc::new).collect()
        })
    }

    /// One resource of the document.
    fn resource(&self, id: &ResourceId) -> Option<Arc<Held>> {
        match (&self.held, &self.document) {
            (Some(held), _) => held.iter().find(|held| held.id == *id).cloned(),
            (None, Some(document)) => document.resource(id).map(Arc::new),
            (None, None) => None,
        }
    }

    /// After a write: reads again what it made and changed, and nothing else, since an edit reaches
    /// no other resource.
    fn wrote(&mut self, edits: &[Edit], created: &[ResourceId]) {
        let (Some(held), Some(document)) = (&mut self.held, &self.document) else {
            return;
        };
        let changed = edits.iter().filter_map(Edit::resource).chain(created);
        for id in changed.collect::<BTreeSet<_>>() {
            held.retain(|held| held.id != *id);
            if let Some(now) = document.resource(id) {
                let place = held.partition_point(|before| before.place() < now.place());
                held.insert(place, Arc::new(now));
            }
        }
    }

    fn is_of(&self, material: &Material) -> bool {
        let sides = material.sides.iter().map(Vec::as_slice);
        self.entries.len() == material.main.len()
            && material
                .main
                .iter()
                .all(|entry| self.entries.contains(entry))
            && self
                .sides
                .iter()
                .map(|(entries, _)| entries.as_slice())
                .eq(sides)
    }
}
