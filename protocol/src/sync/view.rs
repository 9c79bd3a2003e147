//! What of one record may go to one peer, by what is held now.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label, Section};
use serde::{Deserialize, Serialize};

use super::{
    message::{Carried, Kind},
    ranges::Key,
    reach::{Reach, event_of, ever_acted_for},
    shell::Shell,
};
use crate::{
    codec,
    consent::{
        Whoever,
        approval::approvals,
        cut::{Cut, CutPlace, PartProof, ProvenPart, of_act},
    },
    id::{EventId, PrincipalId, RecordId},
    logs::{Event, LogId},
    record::Rights,
    signed::Verified,
    store::{Item, Store, StoreError},
};

/// How much of a record somebody may have: small enough to be kept, so that what was added to it
/// since can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The core log.
    pub core: bool,
    /// Labels whose logs it has, ascending.
    pub labels: Vec<Label>,
    /// Sections that it may read, of each label, ascending.
    pub sections: Vec<(Label, Vec<Section>)>,
    /// Whose principal logs belong to it, ascending.
    pub principals: Vec<PrincipalId>,
    /// Revocations of which there are parts that are made when they are asked for, ascending: the
    /// journal does not tell of them.
    pub made: Vec<EventId>,
    /// Documents that it may read and this node may not, though it holds something of them,
    /// ascending. They were not compared, and a peer that knows better takes none of it: they are
    /// given from their start once this node may read them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<DocumentId>,
    /// What ended something of it, in logs that it has no more, ascending: the log's label, nothing
    /// for the core log, with the event. The past of such an event may go with it, and the journal
    /// went past some of that when it was none of their business.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<(Option<Label>, EventId)>,
}

impl Scope {
    /// Whether a document may be read, as far as its section and label say.
    pub fn reads(&self, document: &DocumentId) -> bool {
        self.sections.iter().any(|(label, sections)| {
            *label == document.label && sections.contains(&document.section)
        })
    }

    /// Those of the documents that `other` reads and this does not, as far as sections and labels
    /// say, ascending.
    pub fn lacks(&self, other: &Self, all: &[DocumentId]) -> Vec<DocumentId> {
        let lacks = |document: &&DocumentId| other.reads(document) && !self.reads(document);
        let mut lacked: Vec<_> = all.iter().filter(lacks).cloned().collect();
        lacked.sort();
        lacked
    }

    /// Whether something of a label may be read.
    pub fn has_label(&self, label: &Label) -> bool {
        self.sections.iter().any(|(known, _)| known == label)
    }

    /// Whether a principal's log belongs to it.
    pub fn has_principal(&self, principal: &PrincipalId) -> bool {
        self.principals.binary_search(principal).is_ok()
    }

    /// Whether it has a whole log: of a label, or the core log.
    fn has_log(&self, label: Option<&Label>) -> bool {
        label.map_or(self.core, |label| self.labels.contains(label))
    }

    /// Whether all rights of `other` are in it.
    fn covers(&self, other: &Self) -> bool {
        (self.core || !other.core)
            && other.labels.iter().all(|label| self.labels.contains(label))
            && other.sections.iter().all(|(label, sections)| {
                let held = self.sections.iter().find(|(known, _)| known == label);
                held.is_some_and(|(_, held)| sections.iter().all(|one| held.contains(one)))
            })
    }

    /// What is in both.
    pub fn intersection(&self, other: &Self) -> Self {
        let both = |(label, sections): &(Label, Vec<Section>)| {
            let (_, held) = other.sections.iter().find(|(known, _)| known == label)?;
            let common: Vec<_> = sections.iter().filter(|one| held.contains(one)).collect();
            (!common.is_empty()).then(|| (label.clone(), common.into_iter().copied().collect()))
        };
        let of = |labels: &[Label]| -> Vec<Label> {
            let known = |label: &&Label| other.labels.contains(label);
            labels.iter().filter(known).cloned().collect()
        };
        Self {
            core: self.core && other.core,
            labels: of(&self.labels),
            sections: self.sections.iter().filter_map(both).collect(),
            principals: self
                .principals
                .iter()
                .filter(|principal| other.principals.contains(principal))
                .copied()
                .collect(),
            made: self
                .made
                .iter()
                .filter(|revocation| other.made.contains(revocation))
                .copied()
                .collect(),
            owed: self
                .owed
                .iter()
                .filter(|document| other.reads(document))
                .cloned()
                .collect(),
            ends: self
                .ends
                .iter()
                .filter(|end| other.ends.contains(end))
                .cloned()
                .collect(),
        }
    }

    /// What has to be given from its start to somebody who was given `before`.
    pub fn added_since(&self, before: &Self, record: RecordId, all: &[DocumentId]) -> Vec<Place> {
        let mut places: Vec<_> = all
            .iter()
            .filter(|document| self.reads(document) && !before.reads(document))
            .map(|document| Place::Document(record, document.clone()))
            .collect();
        let is_new = |revocation: &EventId| !before.made.contains(revocation);
        let ends_anew = |end: &(Option<Label>, EventId)| {
            !before.has_log(end.0.as_ref()) && !before.ends.contains(end)
        };
        if !before.covers(self) || self.made.iter().any(is_new) || self.ends.iter().any(ends_anew) {
            places.push(Place::Authority(record));
        }
        let known = |principal: &&PrincipalId| !before.principals.contains(principal);
        let new = self.principals.iter().filter(known);
        places.extend(new.map(|principal| Place::Principal(record, *principal)));
        places
    }
}

/// A part of a record that is given, or compared, as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The log of a principal whom the record names.
    Principal(RecordId, PrincipalId),
    /// The record's own logs, with the parts of cuts.
    Authority(RecordId),
    /// A document.
    Document(RecordId, DocumentId),
}

/// What goes first: rights, then what an emergency needs, then the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// What proves rights.
    Rights,
    /// Who the person is, allergies and alerts, plans.
    Urgent,
    /// Everything else.
    Rest,
}

impl Tier {
    /// All, first to last.
    pub const ALL: [Self; 3] = [Self::Rights, Self::Urgent, Self::Rest];

    /// Of a document.
    pub const fn of(document: &DocumentId) -> Self {
        match document.section {
            Section::Identity | Section::Allergies | Section::Plans => Self::Urgent,
            Section::Medicines
            | Section::Conditions
            | Section::Immunisations
            | Section::Results
            | Section::Encounters
            | Section::Tasks
            | Section::Letters
            | Section::DailyCare
            | Section::Monitoring
            | Section::Forms
            | Section::Circle => Self::Rest,
        }
    }
}

impl Place {
    /// Of which record.
    pub const fn record(&self) -> RecordId {
        match self {
            Self::Principal(record, _) | Self::Authority(record) | Self::Document(record, _) => {
                *record
            }
        }
    }

    /// The document; nothing of rights.
    pub const fn document(&self) -> Option<&DocumentId> {
        match self {
            Self::Principal(..) | Self::Authority(_) => None,
            Self::Document(_, document) => Some(document),
        }
    }

    /// The label of its content; nothing of rights.
    pub const fn label(&self) -> Option<&Label> {
        match self {
            Self::Principal(..) | Self::Authority(_) => None,
            Self::Document(_, document) => Some(&document.label),
        }
    }

    /// When it goes.
    pub const fn tier(&self) -> Tier {
        match self {
            Self::Principal(..) | Self::Authority(_) => Tier::Rights,
            Self::Document(_, document) => Tier::of(document),
        }
    }

    /// Its key in a comparison.
    pub fn key(&self) -> Key {
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 sync place");
        hasher.update(self.record().as_bytes());
        match self {
            Self::Principal(_, principal) => {
                hasher.update(b"p");
                hasher.update(principal.as_bytes());
            }
            Self::Authority(_) => {
                hasher.update(b"a");
            }
            Self::Document(_, document) => {
                hasher.update(b"d");
                hasher.update(&codec::encode(document));
            }
        }
        *hasher.finalize().as_bytes()
    }
}

/// The earlier of two times at which something changes, where it ever does.
pub(super) fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// What of one record may go to one peer.
pub(super) struct View {
    pub(super) reach: Reach,
    pub(super) scope: Scope,
    events: BTreeSet<EventId>,
}

impl View {
    /// By what is held now and this node's clock.
    pub(super) fn of(
        rights: &mut Rights,
        shell: &impl Shell,
        who: &Whoever,
        now_ms: u64,
    ) -> Result<Self, StoreError> {
        let (store, ourselves) = (shell.store(), shell.owner().principal);
        let reach = Reach::of(rights.ledger(), who, now_ms);
        if !reach.is_any() {
            return Ok(Self::nothing(reach));
        }
        let logs = rights.logs();
        let visible = reach.events(&logs);
        let principals = principals(rights, store, &reach, &visible, [who.principal, ourselves])?;
        let mut labels: BTreeSet<_> = store
            .documents(&rights.id())?
            .into_iter()
            .map(|document| document.label)
            .collect();
        labels.extend(visible.iter().filter_map(|event| match &event.value().log {
            LogId::Label(_, label) => Some(label.clone()),
            LogId::Core(_) | LogId::Principal(_) => None,
        }));
        let sections = labels.iter().filter_map(|label| {
            let readable = rights.ledger().sections_open(who, label, now_ms);
            (!readable.is_empty()).then(|| (label.clone(), readable))
        });
        let scope = Scope {
            core: reach.sees_core(),
            sections: sections.collect(),
            labels: labels
                .into_iter()
                .filter(|label| reach.sees_label(label))
                .collect(),
            principals: principals.into_iter().collect(),
            made: Vec::new(),
            owed: Vec::new(),
            ends: reach.ends(&visible),
        };
        let mut view = Self {
            reach,
            scope,
            events: visible.into_iter().map(Verified::id).collect(),
        };
        let made = shell.made_parts(&rights.id())?;
        let made = made.iter().filter(|part| view.has_part(store, who, part));
        let made: BTreeSet<_> = made.map(|part| part.revocation).collect();
        view.scope.made = made.into_iter().collect();
        Ok(view)
    }

    /// The same as for a record that is not here.
    fn nothing(reach: Reach) -> Self {
        Self {
            reach,
            scope: Scope::default(),
            events: BTreeSet::new(),
        }
    }

    /// By what is held now, where it is known how much that is: it was found out, and nothing came in since on
    /// which it hangs.
    pub(super) fn known(rights: &mut Rights, who: &Whoever, now_ms: u64, scope: Scope) -> Self {
        let reach = Reach::of(rights.ledger(), who, now_ms);
        if !reach.is_any() {
            return Self::nothing(reach);
        }
        let logs = rights.logs();
        let visible = reach.events(&logs).into_iter();
        let events = visible.map(Verified::id).collect();
        Self {
            reach,
            scope,
            events,
        }
    }

    /// Whether an event of the record's own logs may go.
    pub(super) fn has_event(&self, event: &EventId) -> bool {
        self.events.contains(event)
    }

    /// Whether a principal's log belongs to what may go.
    pub(super) fn has_principal(&self, principal: &PrincipalId) -> bool {
        self.scope.has_principal(principal)
    }

    /// Whether a part of a cut may go. Whoever was stopped learns what of their own stands, and
    /// nothing of anybody else's.
    pub(super) fn has_part(&self, store: &impl Store, who: &Whoever, part: &ProvenPart) -> bool {
        let visible = match &part.part.place {
            CutPlace::Document(document) => self.scope.reads(document),
            CutPlace::Core => self.reach.sees_core(),
            CutPlace::Label(label) => self.reach.sees_label(label),
        };
        let own = || {
            let ends = store.event(&part.revocation).ok().flatten();
            let ends = ends.and_then(|bytes| event_of(&bytes));
            ends.is_some_and(|event| self.reach.is_ended_by(&event))
                && part
                    .part
                    .chains
                    .iter()
                    .all(|chain| chain.device == who.device)
        };
        visible || own()
    }

    /// Those of a record's documents that may be read, in the order in which they go.
    pub(super) fn documents(&self, all: Vec<DocumentId>) -> Vec<DocumentId> {
        let mut documents: Vec<_> = all
            .into_iter()
            .filter(|document| self.scope.reads(document))
            .collect();
        documents.sort_by_key(|document| (Tier::of(document), document.clone()));
        documents
    }
}

/// Whose logs prove what may go: both parties, whoever controls, whoever the grants name or a
/// revocation leaves documents to, and whoever signed an event with a device that was once theirs.
fn principals(
    rights: &mut Rights,
    store: &impl Store,
    reach: &Reach,
    visible: &[&Verified<Event>],
    parties: [PrincipalId; 2],
) -> Result<BTreeSet<PrincipalId>, StoreError> {
    let mut principals = BTreeSet::from(parties);
    principals.extend(reach.named());
    if reach.sees_core() {
        principals.extend(rights.ledger().controllers());
    }
    let mut logs = BTreeMap::new();
    for event in visible.iter().map(|event| event.value()) {
        let author = event.author;
        let custodies = of_act(&event.act).map_or(&[][..], Cut::custodies);
        principals.extend(custodies.iter().map(|custody| custody.custodian));
        principals.extend(approvals(&event.act).iter().map(|given| given.member));
        if principals.contains(&author) {
            continue;
        }
        if let std::collections::btree_map::Entry::Vacant(place) = logs.entry(author) {
            place.insert(store.principal_log(&author)?);
        }
        if ever_acted_for(&logs[&author], author, event) {
            principals.insert(author);
        }
    }
    Ok(principals)
}

/// Everything of a place that may go, with the keys by which it is compared. Only rights: what a
/// document holds is read with a [`Reader`].
pub(super) fn rights(
    view: &View,
    of: &Rights,
    shell: &impl Shell,
    who: &Whoever,
    place: &Place,
) -> Result<Vec<(Key, Carried)>, StoreError> {
    let carried = |kind, bytes| Carried { kind, bytes };
    match place {
        Place::Principal(_, principal) => {
            let log = shell.store().principal_log(principal)?;
            let events = log.iter().map(|event| {
                let bytes = event.bytes().to_vec();
                (*event.id().as_bytes(), carried(Kind::Event, bytes))
            });
            Ok(events.collect())
        }
        Place::Authority(_) => {
            let logs = of.logs();
            let events = view.reach.events(&logs).into_iter();
            let events = events.map(|event| {
                let bytes = event.bytes().to_vec();
                (*event.id().as_bytes(), carried(Kind::Event, bytes))
            });
            let parts = parts(view, &of.id(), shell, who)?.into_iter();
            let parts = parts.map(|part| {
                let bytes = codec::encode(&part);
                (part_key(&part), carried(Kind::Part, bytes))
            });
            Ok(events.chain(parts).collect())
        }
        Place::Document(..) => Ok(Vec::new()),
    }
}

/// The keys of the record's own logs, and of the parts of its cuts, that may go.
pub(super) fn authority_keys(
    view: &View,
    record: &RecordId,
    shell: &impl Shell,
    who: &Whoever,
) -> Result<Vec<Key>, StoreError> {
    let events = view.events.iter().map(|id| *id.as_bytes());
    let parts = parts(view, record, shell, who)?;
    Ok(events.chain(parts.iter().map(part_key)).collect())
}

/// The parts of cuts that may go: those that are stored, then those that are made.
fn parts(
    view: &View,
    record: &RecordId,
    shell: &impl Shell,
    who: &Whoever,
) -> Result<Vec<ProvenPart>, StoreError> {
    let store = shell.store();
    let stored = store.parts(record)?;
    let stored = stored
        .iter()
        .filter_map(|bytes| codec::decode_trusted::<ProvenPart>(bytes).ok());
    let all = stored.chain(shell.made_parts(record)?);
    Ok(all.filter(|part| view.has_part(store, who, part)).collect())
}

/// The key by which an item is compared; nothing of what only this node keeps.
pub(super) fn key_of(item: &Item) -> Option<Key> {
    match item {
        Item::Event { id, .. } => Some(*id.as_bytes()),
        Item::Entry { id, .. } => Some(*id.as_bytes()),
        Item::Part { bytes, .. } => {
            let part = codec::decode_trusted::<ProvenPart>(bytes).ok()?;
            Some(part_key(&part))
        }
        Item::Row { .. } | Item::Audit { .. } => None,
    }
}

/// The key of a part of a cut: which revocation and which place, and of a custodian's the very
/// part, since it may sign several for one place.
pub(super) fn part_key(part: &ProvenPart) -> Key {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 sync part");
    hasher.update(part.revocation.as_bytes());
    hasher.update(part.part.record.as_bytes());
    hasher.update(&codec::encode(&part.part.place));
    match &part.proof {
        PartProof::Issuer(_) => {}
        PartProof::Custodian(_) => {
            hasher.update(&codec::encode(part));
        }
    }
    *hasher.finalize().as_bytes()
}
