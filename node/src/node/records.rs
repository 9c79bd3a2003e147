//! Records that are at hand: loaded when somebody asks about them, kept while they are asked about.

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Section};
use kith_protocol::{
    consent::cut::ProvenPart,
    id::{DeviceId, PrincipalId, RecordId},
    record::{Record, Rights},
    store::{Store as _, StoreError},
};

use super::{
    Node,
    saved::open_saved,
    views::{self, Views},
};
use crate::{failure::Failure, parallel, store::DiskStore};

/// How much of records is kept loaded between commands, bytes of their changes.
pub(super) const LOADED_LEN: usize = 16 << 20;

/// The same while nobody asks for anything.
const RESTING_LOADED_LEN: usize = 2 << 20;

/// How much of the rights to records is kept loaded, events and entries: those of some two thousand
/// records while all are given in turns, to each of which it comes once for what proves rights, once
/// for what is urgent and once for the rest.
pub(super) const LOADED_RIGHTS_LEN: usize = 32_768;

/// Records of which the rights are kept loaded otherwise: those with which conversations are at work.
const LOADED_RIGHTS_MAX: usize = 64;

/// How much is kept of records that are being taken in, events and entries without their content.
pub(super) const TAKEN_LEN: usize = 32_768;

/// Records that one processor is given to get ready at once, and all together: who asked first waits
/// for all of them.
const READY_EACH: usize = 2;
const READY_MAX: usize = 16;

/// What a record is loaded with beside what the store has of it.
struct Loading {
    id: RecordId,
    device: DeviceId,
    owner: PrincipalId,
    /// Of the cuts that this node made.
    parts: Vec<ProvenPart>,
}

impl Loading {
    /// All of the record.
    fn load(self, store: &DiskStore) -> Result<Record, StoreError> {
        let mut record = Record::load(store, self.id, self.device)?;
        self.complete(store, &mut record)?;
        open_saved(store, &mut record)?;
        Ok(record)
    }

    /// Takes into a record what its store does not name.
    fn complete(self, store: &DiskStore, record: &mut Record) -> Result<(), StoreError> {
        // Whoever may act on it has a log of devices too, although they wrote nothing yet.
        let grants = record.ledger().grants();
        let audiences = grants.iter().map(|grant| grant.grant.audience);
        let people: BTreeSet<_> = audiences.chain([self.owner]).collect();
        record.load_principals(store, people)?;
        for part in self.parts {
            record.ledger().add_part(part);
        }
        Ok(())
    }
}

impl Node {
    /// Takes a record out of the store, or out of those that are loaded.
    pub(super) fn take_record(&mut self, id: RecordId) -> Result<Record, StoreError> {
        if let Some(record) = self.loaded.take(&id) {
            return Ok(record);
        }
        self.loading(id)?.load(&self.store)
    }

    /// The same, or no more than its logs and these documents where it is not loaded.
    pub(super) fn take_part_of(
        &mut self,
        id: RecordId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError> {
        if let Some(record) = self.loaded.take(&id) {
            return Ok(record);
        }
        let loading = self.loading(id)?;
        let mut record = Record::load_part(&self.store, id, loading.device, families)?;
        loading.complete(&self.store, &mut record)?;
        Ok(record)
    }

    /// The same of a record that is being taken in: it is kept without its content, which comes in
    /// at each time something else.
    pub(super) fn take_to_add(
        &mut self,
        id: RecordId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError> {
        let kept = self.taken.take(&id);
        // All of it is at hand since somebody looked at it: what comes in comes into that.
        let Some(mut record) = kept.filter(|_| !self.loaded.has(&id)) else {
            return self.take_part_of(id, families);
        };
        record.load_more(&self.store, Some(&families))?;
        Ok(record)
    }

    /// Keeps a record to which something was added, and which is on the disk.
    pub(super) fn keep_added(&mut self, record: Record) {
        if record.is_whole() {
            self.keep_record(record);
        } else {
            let weight = record.held_len();
            self.taken
                .put(record.id(), record.without_content(), weight);
        }
    }

    /// What a record is loaded with.
    fn loading(&self, id: RecordId) -> Result<Loading, StoreError> {
        Ok(Loading {
            id,
            device: self.device(),
            owner: self.identity.principal,
            parts: self.cuts.parts(&self.store, &id)?,
        })
    }

    /// Loads records that are asked about at the same moment, all processors at work, and makes what
    /// lists of what is in them are made of. It is no more than a head start: what is wrong with one
    /// of them is said when it is asked about.
    pub(crate) fn get_ready<'a>(&mut self, named: impl IntoIterator<Item = &'a str>) {
        let ids: BTreeSet<_> = named
            .into_iter()
            .filter_map(|word| self.record_named(word).ok())
            .filter(|id| !self.loaded.has(id))
            .take(READY_MAX.min(READY_EACH * parallel::width()))
            .collect();
        // Of a single one the parts are shared out when it is asked about.
        if ids.len() < 2 {
            return;
        }
        let mut pieces: Vec<_> = (0..parallel::width()).map(|_| Vec::new()).collect();
        let places = (0..pieces.len()).cycle();
        for (place, id) in places.zip(ids) {
            if let Ok(loading) = self.loading(id) {
                let at_hand = self.views.take(&id).unwrap_or_default();
                pieces[place].push((loading, at_hand));
            }
        }
        let (store, whoever) = (&self.store, self.whoever());
        let load = |piece: Vec<(Loading, Views)>| {
            let loaded = piece.into_iter().filter_map(|(loading, mut at_hand)| {
                let mut record = loading.load(store).ok()?;
                at_hand.make_all(store, &mut record, whoever);
                Some((record, at_hand))
            });
            loaded.collect::<Vec<_>>()
        };
        for (record, at_hand) in parallel::each(pieces, load).into_iter().flatten() {
            self.keep_views(record.id(), at_hand);
            self.keep_record(record);
        }
    }

    /// Keeps a record loaded for the next command, where it is whole.
    pub(super) fn keep_record(&mut self, record: Record) {
        if record.is_whole() {
            let weight = record.changes_len();
            self.loaded.put(record.id(), record, weight);
        }
    }

    /// Stores what was made and waited for that, and lets go of what is not asked for soon.
    pub fn rest(&mut self) {
        self.store_views();
        self.views.trim(views::RESTING_AT_HAND_MAX);
        self.loaded.trim(RESTING_LOADED_LEN);
        self.rights.keep_last(LOADED_RIGHTS_MAX);
        self.taken.clear();
        self.store.rest();
        self.statements.clear();
    }

    /// What the rights to a record hang on, as it stands on the disk.
    pub(super) fn take_rights(&mut self, id: RecordId) -> Result<Rights, StoreError> {
        if let Some(rights) = self.rights.take(&id) {
            return Ok(rights);
        }
        let mut rights = Rights::load(&self.store, id)?;
        rights.load_principals(&self.store, [self.identity.principal])?;
        for part in self.cuts.parts(&self.store, &id)? {
            rights.add_part(part);
        }
        Ok(rights)
    }

    pub(super) fn keep_rights(&mut self, rights: Rights, soon: bool) {
        let least = if soon {
            0
        } else {
            LOADED_RIGHTS_LEN / LOADED_RIGHTS_MAX
        };
        let weight = rights.held_len().max(least);
        self.rights.put(rights.id(), rights, weight);
    }

    /// Works on a record; when the work fails the record is loaded again the next time, so that
    /// nothing in memory is ahead of the disk.
    pub(super) fn with_record<T>(
        &mut self,
        id: RecordId,
        work: impl FnOnce(&mut Self, &mut Record) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut record = self.take_record(id)?;
        let done = work(self, &mut record)?;
        self.keep_record(record);
        Ok(done)
    }

    /// The same with no more of it than its logs and some sections, where it is not loaded.
    pub(super) fn with_sections<T>(
        &mut self,
        id: RecordId,
        sections: &[Section],
        work: impl FnOnce(&mut Self, &mut Record) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let documents = self.store.documents(&id)?.into_iter();
        let documents = documents.filter(|document| sections.contains(&document.section));
        let families = documents.map(|document| document.family()).collect();
        let mut record = self.take_part_of(id, families)?;
        let done = work(self, &mut record)?;
        self.keep_record(record);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kith_crdt::{DocumentId, samples::sample_bundle};
    use kith_protocol::{id::RecordId, record::Record, store::Store as _};

    use crate::node::epochs::tests::Place;

    /// What stands in some documents of a record, with the status of each of their entries.
    fn read(place: &Place, record: &mut Record, documents: &[DocumentId]) -> Vec<String> {
        let who = place.node.whoever();
        let of = |document: &DocumentId| {
            let reader = record.ledger().own_copy(document, who);
            let placed = record.read(&reader);
            format!("{placed:?} {:?}", record.ledger().entries(document))
        };
        documents.iter().map(of).collect()
    }

    #[test]
    fn a_record_that_was_kept_without_its_content_reads_as_one_that_was_loaded_now() {
        let mut place = Place::new();
        let record = place.imports(&sample_bundle(3, 1, 60));
        place.node.loaded.clear();
        let documents = place.node.store.documents(&record).expect("documents");
        assert!(documents.len() > 4);
        let part = |documents: &[DocumentId]| -> BTreeSet<_> {
            documents.iter().map(DocumentId::family).collect()
        };
        let (first, rest) = documents.split_at(2);
        let taken = place.node.take_to_add(record, part(first)).expect("a part");
        place.node.keep_added(taken);
        assert!(place.node.taken.has(&record) && !place.node.loaded.has(&record));
        for some in [first, rest, &documents, first] {
            let mut again = place.node.take_to_add(record, part(some)).expect("a part");
            let mut whole = place.node.take_record(record).expect("a record");
            let of_whole = read(&place, &mut whole, some);
            assert_eq!(read(&place, &mut again, some), of_whole);
            assert!(of_whole.iter().all(|said| said.len() > 100));
            place.node.keep_added(again);
        }

        // Where somebody looked at it meanwhile what comes in comes into what they look at.
        let whole = place.node.take_record(record).expect("a record");
        place.node.keep_record(whole);
        assert!(place.node.taken.has(&record) && place.node.loaded.has(&record));
        let again = place.node.take_to_add(record, part(first)).expect("a part");
        assert!(again.is_whole() && !place.node.loaded.has(&record));
        assert!(!place.node.taken.has(&record));
        place.node.keep_added(again);
        place.node.loaded.clear();
        let again = place.node.take_to_add(record, part(first)).expect("a part");
        place.node.keep_added(again);

        // What is written here meanwhile is not passed by.
        place.notes(record, "Slept well");
        assert!(!place.node.taken.has(&record));
        place.node.loaded.clear();
        let documents = place.node.store.documents(&record).expect("documents");
        let mut again = place
            .node
            .take_to_add(record, part(&documents))
            .expect("all of it");
        let said = read(&place, &mut again, &documents).concat();
        assert!(said.contains("Slept well"));
        place.node.keep_added(again);
        place.node.rest();
        assert!(!place.node.taken.has(&record), "nobody asks for anything");
    }

    #[test]
    fn records_that_are_asked_about_together_are_got_ready_together_and_are_the_same() {
        let mut place = Place::new();
        let records: Vec<RecordId> = (0..7)
            .map(|n| place.imports(&sample_bundle(4, n, 30)))
            .collect();
        let shown: Vec<_> = records.iter().map(|id| place.shown(*id)).collect();
        let told = |place: &mut Place, id: &RecordId| place.node.timeline(&id.to_string());
        let lines: Vec<_> = records.iter().map(|id| told(&mut place, id)).collect();
        place.node.loaded.clear();
        place.node.views.clear();
        let words: Vec<_> = records.iter().map(ToString::to_string).collect();
        place.node.get_ready([words[0].as_str(), "nobody"]);
        assert!(
            !place.node.loaded.has(&records[0]),
            "one is asked about itself"
        );
        place.node.get_ready(words.iter().map(String::as_str));
        let is_ready = |id: &&RecordId| place.node.loaded.has(id) && place.node.views.has(id);
        assert!(records.iter().filter(is_ready).count() >= 2);
        for (id, (shown, lines)) in records.iter().zip(shown.into_iter().zip(lines)) {
            assert_eq!(told(&mut place, id).expect("told"), lines.expect("told"));
            assert_eq!(place.shown(*id), shown);
        }
    }
}
