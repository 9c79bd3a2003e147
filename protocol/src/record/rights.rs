//! What rights hang on, without the content: enough to say who may have what, for a record of any
//! length.

use std::{collections::BTreeSet, sync::Arc};

use kith_crdt::DocumentId;

use super::Record;
use crate::{
    consent::{Ledger, Reader, Whoever, cut::ProvenPart},
    id::{PrincipalId, RecordId},
    logs::LogId,
    store::{ReadLog, Store, StoreError},
};

/// The rights of one record: its logs and parts of cuts. Of its documents there are those that
/// stand in epochs, since who may have an epoch that ended hangs on the entry that began the next.
pub struct Rights {
    record: Record,
    logs: Arc<Vec<(LogId, ReadLog)>>,
}

impl Rights {
    /// Everything of it that the store holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when a part of it cannot be read.
    pub fn load(store: &impl Store, id: RecordId) -> Result<Self, StoreError> {
        let documents = store.documents(&id)?;
        let later = documents.iter().filter(|one| one.epoch > 0);
        let families: BTreeSet<_> = later.map(DocumentId::family).collect();
        let in_epochs = documents.iter();
        let in_epochs = in_epochs.filter(|one| families.contains(&one.family()));
        let in_epochs: Vec<_> = in_epochs.cloned().collect();
        let record = Record::load_only(store, id, &in_epochs)?;
        let logs = store.logs(&id)?.into_iter();
        let logs = logs.map(|log| Ok((log.clone(), store.log(&log)?)));
        let logs = logs.collect::<Result<Vec<_>, StoreError>>()?;
        let logs = Arc::new(logs);
        Ok(Self { record, logs })
    }

    /// Of which record.
    pub const fn id(&self) -> RecordId {
        self.record.id()
    }

    /// How many events and entries they are made of.
    pub const fn held_len(&self) -> usize {
        self.record.held_len()
    }

    /// The events of the record's own logs, as the store has them.
    pub(crate) fn logs(&self) -> Arc<Vec<(LogId, ReadLog)>> {
        Arc::clone(&self.logs)
    }

    /// Takes in the logs of these principals, so that their devices are known.
    pub fn load_principals(
        &mut self,
        store: &impl Store,
        people: impl IntoIterator<Item = PrincipalId>,
    ) -> Result<(), StoreError> {
        self.record.load_principals(store, people)
    }

    /// Takes in a part of a cut that is made when it is asked for.
    pub fn add_part(&mut self, part: ProvenPart) {
        self.record.ledger().add_part(part);
    }

    /// The token to read a document with for care, where someone may. See [`Record::reader`].
    pub fn reader(&mut self, who: &Whoever, document: &DocumentId, now_ms: u64) -> Option<Reader> {
        self.record.reader(who, document, now_ms)
    }

    /// Who controls the record or has a share of it that goes on. See [`Ledger::holders`].
    pub fn holders(&mut self) -> BTreeSet<PrincipalId> {
        self.ledger().holders()
    }

    /// What says who may do what. It knows next to none of the entries.
    pub(crate) const fn ledger(&mut self) -> &mut Ledger {
        self.record.ledger()
    }
}
