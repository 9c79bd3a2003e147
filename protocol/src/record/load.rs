//! From a store to a record, and from entries to documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kith_crdt::{ChangeHash, Document, DocumentId, Held, Vetted};

use super::{Opened, Record, write::facts};
use crate::{
    author::Entry,
    codec,
    consent::{ContentFacts, Material, approval::approvals, cut::ProvenPart},
    id::{DeviceId, EnvelopeId, PrincipalId, RecordId},
    intake,
    logs::{Act, CoreAct, Event, LabelAct, record::Control},
    store::{Damage, Store, StoreError},
};

impl Record {
    /// Everything that the store of the device `own` holds of a record.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a part of it cannot be read: half a record is not shown as one.
    pub fn load(store: &impl Store, id: RecordId, own: DeviceId) -> Result<Self, StoreError> {
        let documents = store.documents(&id)?;
        let mut record = Self::load_only(store, id, &documents)?;
        record.own = Some(own);
        Ok(record)
    }

    /// The logs of a record, and the entries of these documents in all their epochs: enough to take
    /// in more of them. Of nothing else can it be said what it holds, and it is not shown.
    ///
    /// # Errors
    /// As for [`Record::load`].
    pub fn load_part(
        store: &impl Store,
        id: RecordId,
        own: DeviceId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Self, StoreError> {
        let mut documents = store.documents(&id)?;
        documents.retain(|document| families.contains(&document.family()));
        let mut record = Self::load_only(store, id, &documents)?;
        record.own = Some(own);
        record.part = Some(families);
        Ok(record)
    }

    /// Whether all of it was loaded.
    pub const fn is_whole(&self) -> bool {
        self.part.is_none()
    }

    /// It without any content and without what was made of that: what is held of it and who may do
    /// what is known, and no document is at hand. [`Record::load_more`] loads them again.
    #[must_use]
    pub fn without_content(self) -> Self {
        Self {
            changes: BTreeMap::new(),
            writers: BTreeMap::new(),
            open: BTreeMap::new(),
            saved: BTreeMap::new(),
            part: Some(BTreeSet::new()),
            ..self
        }
    }

    /// Takes in what the store holds of these documents in all their epochs, or of all documents
    /// where none are named, unless it is here already.
    pub fn load_more(
        &mut self,
        store: &impl Store,
        families: Option<&BTreeSet<DocumentId>>,
    ) -> Result<(), StoreError> {
        let Some(mut part) = self.part.take() else {
            return Ok(());
        };
        let mut missing = store.documents(&self.id)?;
        missing.retain(|document| {
            let family = document.family();
            let wanted = families.is_none_or(|wanted| wanted.contains(&family));
            wanted && !part.contains(&family)
        });
        let people = self.load_entries(store, &missing)?;
        self.load_principals(store, people)?;
        if let Some(families) = families {
            part.extend(families.iter().cloned());
            self.part = Some(part);
        }
        Ok(())
    }

    /// The logs of a record, with the entries of some of its documents.
    pub(super) fn load_only(
        store: &impl Store,
        id: RecordId,
        documents: &[DocumentId],
    ) -> Result<Self, StoreError> {
        let mut record = Self::new(id);
        let mut people = BTreeSet::new();
        for log in store.logs(&id)? {
            for event in &*store.log(&log)? {
                people.extend(named(event.value()));
                record.ledger.add_event(event.clone());
            }
        }
        people.extend(record.load_entries(store, documents)?);
        for bytes in store.parts(&id)? {
            let part: ProvenPart =
                codec::decode_trusted(&bytes).map_err(|_| not_ours("a part of a cut"))?;
            record.ledger.add_part(part);
        }
        record.load_principals(store, people)?;
        let custodians = record.ledger.custodians();
        record.load_principals(store, custodians)?;
        Ok(record)
    }

    /// Takes in the entries of these documents, and says whose they are.
    fn load_entries(
        &mut self,
        store: &impl Store,
        documents: &[DocumentId],
    ) -> Result<BTreeSet<PrincipalId>, StoreError> {
        let mut people = BTreeSet::new();
        for document in documents {
            for (_, bytes) in store.entries(&self.id, document)? {
                let entry = intake::own_entry(&bytes).map_err(|_| not_ours("an entry"))?;
                people.insert(entry.header.value().author);
                self.add(entry);
            }
        }
        Ok(people)
    }

    /// Takes in the logs of these principals, so that their devices are known.
    pub fn load_principals(
        &mut self,
        store: &impl Store,
        people: impl IntoIterator<Item = PrincipalId>,
    ) -> Result<(), StoreError> {
        for principal in people {
            for event in &*store.principal_log(&principal)? {
                self.ledger.add_event(event.clone());
            }
        }
        Ok(())
    }

    pub(super) fn add(&mut self, entry: Entry) {
        let (facts, vetted) = facts(&entry);
        self.add_vetted(entry, facts, vetted);
    }

    /// Takes in an entry of whose content it is known what vetting finds.
    pub(super) fn add_vetted(&mut self, entry: Entry, facts: ContentFacts, vetted: Option<Vetted>) {
        let id = entry.id();
        if let Some(vetted) = vetted {
            self.writers.insert(vetted.hash(), id);
            self.changes.insert(id, vetted);
        }
        self.ledger.add_entry(entry.header, facts);
    }

    /// The document that these entries make.
    pub(super) fn open_from(&mut self, id: &DocumentId, material: &Material) -> Opened {
        let entries: BTreeSet<_> = material.main.iter().copied().collect();
        let before = self.open.remove(id);
        let before = before.filter(|opened| opened.entries.is_subset(&entries));
        let before = before.unwrap_or_default();
        let known = |entry: &&EnvelopeId| !before.entries.contains(entry);
        let rest: Vec<_> = material.main.iter().filter(known).copied().collect();
        let is_kept = before.held.is_some() || before.entries.is_empty();
        let held = match is_kept {
            true => self.with_creations(before.held.unwrap_or_default(), &rest, &entries),
            false => None,
        };
        let document = match (before.document, &held) {
            (Some(document), _) => Some(self.apply(document, &rest)),
            (None, Some(_)) => None,
            (None, None) => Some(self.apply(Document::new(), &material.main)),
        };
        let sides = material
            .sides
            .iter()
            .map(|entries| (entries.clone(), self.apply(Document::new(), entries)))
            .collect();
        Opened {
            entries,
            document,
            held,
            sides,
        }
    }

    /// What stands in a document with more entries of all of it; nothing where one of them does more
    /// than to make resources of its own, or builds on what is not among them, which a document
    /// would not take.
    fn with_creations(
        &self,
        mut held: Vec<Arc<Held>>,
        more: &[EnvelopeId],
        all: &BTreeSet<EnvelopeId>,
    ) -> Option<Vec<Arc<Held>>> {
        let is_here = |dep: &ChangeHash| self.writers.get(dep).is_some_and(|of| all.contains(of));
        for entry in more {
            // Somebody's word about other entries carries nothing itself.
            let Some(change) = self.changes.get(entry) else {
                continue;
            };
            if !change.deps().iter().all(is_here) {
                return None;
            }
            held.extend(change.creations()?.into_iter().map(Arc::new));
        }
        held.sort_by(|a, b| a.place().cmp(&b.place()));
        let ids: BTreeSet<_> = held.iter().map(|held| &held.id).collect();
        (ids.len() == held.len()).then_some(held)
    }

    /// Applies what these entries carry, in their order, under guard. What the document does not
    /// take although vetting passed it is our fault: it is said so in the entry's status, which
    /// takes it and what builds on it out of the material.
    pub(super) fn apply(&mut self, mut document: Document, entries: &[EnvelopeId]) -> Document {
        let changes: Vec<_> = entries
            .iter()
            .filter_map(|id| self.changes.get(id))
            .collect();
        let vetted: Vec<Vetted> = changes.iter().map(|change| (*change).clone()).collect();
        let is_own = entries.iter().all(|id| {
            let header = self.ledger.header(id);
            header.is_some_and(|header| Some(header.device) == self.own)
        });
        let taken = if is_own {
            document.take_own(&vetted)
        } else {
            document.take(&vetted)
        };
        if let Err(unreadable) = taken {
            let fault = unreadable.fault.to_string();
            if let Some(id) = self.writers.get(&unreadable.change) {
                self.ledger.cannot_read(&id.clone(), fault);
            }
        }
        document
    }
}

/// Whose devices have to be known to judge an event and what it allows: whoever signed it, and
/// whoever may do something by it without having signed anything yet, or agreed to it.
pub fn named(event: &Event) -> impl Iterator<Item = PrincipalId> {
    let may = match &event.act {
        Act::Label(LabelAct::Grant(grant)) => Some(grant.audience),
        Act::Core(
            CoreAct::Control(
                Control::Add { controller, .. } | Control::HandOver { controller, .. },
            )
            | CoreAct::Recover { controller, .. }
            | CoreAct::Genesis { controller, .. },
        ) => Some(*controller),
        Act::Label(
            LabelAct::Revoke(_)
            | LabelAct::Renounce { .. }
            | LabelAct::Lapse { .. }
            | LabelAct::Confirm { .. },
        )
        | Act::Core(
            CoreAct::Control(Control::Leave)
            | CoreAct::Policy { .. }
            | CoreAct::RecoverySet { .. }
            | CoreAct::SamePerson { .. }
            | CoreAct::BreakGlass { .. },
        )
        | Act::Principal(_) => None,
    };
    let agreed = approvals(&event.act).iter().map(|given| given.member);
    std::iter::once(event.author).chain(may).chain(agreed)
}

/// Something in our own store that this build cannot read.
pub(crate) fn not_ours(what: &str) -> StoreError {
    StoreError::Damaged(Damage {
        place: what.to_owned(),
        what: "this version of kith cannot read it".to_owned(),
    })
}
