//! A host as the engine's shell, with what it is asked held against what the real node's shell was
//! asked.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::Disclosure,
    codec,
    consent::{Whoever, cut::ProvenPart},
    id::{BlobId, PrincipalId, RecordId},
    record::{Record, Rights},
    store::{Item, JournalPosition, Store, StoreError},
    sync::{
        Peer, Shell, Taken,
        trace::{Call, Digest, Nonce, Refused},
    },
};

use super::{Differs, words};
use crate::{
    disk::{Disk, Trouble},
    host::Host,
};

/// A host beside what the real node was asked.
pub(super) struct Beside<'a> {
    host: &'a mut Host,
    real: RefCell<VecDeque<&'a Call>>,
    asked: Cell<usize>,
    first: RefCell<Option<Differs>>,
    made: &'a Made,
}

/// The parts of cuts that the real node made last, by record: they take staff and keys.
pub(super) type Made = RefCell<BTreeMap<RecordId, Vec<ProvenPart>>>;

impl<'a> Beside<'a> {
    pub(super) fn of(host: &'a mut Host, calls: &'a [Call], made: &'a Made) -> Self {
        Self {
            host,
            real: RefCell::new(calls.iter().collect()),
            asked: Cell::new(0),
            first: RefCell::new(None),
            made,
        }
    }

    /// The first difference; what the real node was asked beyond is one too.
    pub(super) fn finish(self) -> Result<(), Differs> {
        if let Some(first) = self.first.into_inner() {
            return Err(first);
        }
        match self.real.into_inner().front() {
            None => Ok(()),
            Some(call) => Err(Differs::new(
                format!("call {}", nth(self.asked.get() + 1)),
                words::call(call),
                "asked nothing more",
            )),
        }
    }

    fn note(&self, differs: Differs) {
        let mut first = self.first.borrow_mut();
        first.get_or_insert(differs);
    }

    fn hold(&self, what: &str, real: &[Digest], simulated: &[Digest]) {
        if real == simulated {
            return;
        }
        let same = real.iter().zip(simulated).take_while(|(a, b)| a == b);
        let same = same.count();
        let place = format!(
            "{} of {what} of call {}",
            nth(same + 1),
            nth(self.asked.get())
        );
        let says = |digests: &[Digest]| match digests.get(same) {
            Some(digest) => format!("{:02x?}… of {}", &digest.0[..4], digests.len()),
            None => format!("none, of {}", digests.len()),
        };
        self.note(Differs::new(place, says(real), says(simulated)));
    }

    /// What the real node was asked now, where that is `wanted`.
    fn next<T>(&self, asks: &str, wanted: impl FnOnce(&'a Call) -> Option<T>) -> Option<T> {
        self.asked.set(self.asked.get() + 1);
        let call = self.real.borrow_mut().pop_front();
        let found = call.and_then(wanted);
        if found.is_none() {
            let real = call.map_or_else(|| "asked nothing more".to_owned(), words::call);
            let place = format!("call {}", nth(self.asked.get()));
            self.note(Differs::new(place, real, asks));
        }
        found
    }

    /// The parts of cuts that the real node made for a record.
    fn made(&self, record: RecordId) -> Vec<ProvenPart> {
        let mut real = self.real.borrow_mut();
        if let Some(Call::MadeParts { record: of, parts }) = real.front().copied()
            && *of == record
        {
            real.pop_front();
            self.asked.set(self.asked.get() + 1);
            self.made.borrow_mut().insert(record, parts.clone());
        }
        let made = self.made.borrow();
        made.get(&record).cloned().unwrap_or_default()
    }

    /// Works on the disk as it was when the real one refused, or did not.
    fn under<T>(
        &mut self,
        refused: Option<Refused>,
        work: impl FnOnce(&mut Host) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.host.disk.set_trouble(match refused {
            None => Trouble::None,
            Some(Refused::Full) => Trouble::Full,
            Some(Refused::Broken) => Trouble::Broken,
        });
        let done = work(self.host);
        self.host.disk.set_trouble(Trouble::None);
        done
    }
}

impl Shell for Beside<'_> {
    type Store = Disk;

    fn store(&self) -> &Disk {
        self.host.store()
    }

    fn peers(&self) -> Result<Vec<Peer>, StoreError> {
        self.host.peers()
    }

    fn note_common(
        &mut self,
        principal: PrincipalId,
        record: RecordId,
    ) -> Result<Vec<Item>, StoreError> {
        let asks = Call::NoteCommon { principal, record };
        let is_same = |call: &Call| (*call == asks).then_some(());
        self.next(&words::call(&asks), is_same);
        self.host.note_common(principal, record)
    }

    fn owner(&self) -> Whoever {
        self.host.owner()
    }

    fn take(&mut self, id: RecordId) -> Result<Record, StoreError> {
        let mut record = self.host.take(id)?;
        for part in self.made(id) {
            record.ledger().add_part(part);
        }
        Ok(record)
    }

    fn take_part(
        &mut self,
        id: RecordId,
        families: BTreeSet<DocumentId>,
    ) -> Result<Record, StoreError> {
        let mut record = self.host.take_part(id, families)?;
        for part in self.made(id) {
            record.ledger().add_part(part);
        }
        Ok(record)
    }

    fn put(&mut self, record: Record) {
        self.host.put(record);
    }

    fn rights(&mut self, id: RecordId) -> Result<Rights, StoreError> {
        let mut rights = self.host.rights(id)?;
        for part in self.made(id) {
            rights.add_part(part);
        }
        Ok(rights)
    }

    fn put_rights(&mut self, rights: Rights, soon: bool) {
        self.host.put_rights(rights, soon);
    }

    fn commit(
        &mut self,
        taken: &mut [Taken],
        rows: Vec<Item>,
    ) -> Result<JournalPosition, StoreError> {
        let of_records = taken.iter().flat_map(|taken| &taken.items);
        let given = Digest::of_items(of_records.chain(&rows));
        let asks = format!("asked to keep {} items", given.len());
        let real = self.next(&asks, |call| match call {
            Call::Commit {
                given,
                end,
                added,
                refused,
            } => Some((given, end, added, refused)),
            Call::Disclose { .. }
            | Call::PutBlob { .. }
            | Call::NoteCommon { .. }
            | Call::MadeParts { .. } => None,
        });
        let Some((real_given, real_end, added, refused)) = real else {
            return Shell::commit(self.host, taken, rows);
        };
        self.hold("the items", real_given, &given);
        let kept = self.under(*refused, |host| Shell::commit(host, taken, rows));
        let end = kept.as_ref().ok().copied();
        if end != *real_end {
            let place = format!(
                "the end of the journal after call {}",
                nth(self.asked.get())
            );
            self.note(Differs::new(
                place,
                format!("{real_end:?}"),
                format!("{end:?}"),
            ));
        }
        add(taken, added);
        self.host.disk.commit(added.clone())?;
        kept
    }

    fn made_parts(&self, record: &RecordId) -> Result<Vec<ProvenPart>, StoreError> {
        let mut made = self.host.made_parts(record)?;
        made.extend(self.made(*record));
        Ok(made)
    }

    fn disclose(&mut self, what: Vec<Disclosure>, rows: Vec<Item>) -> Result<(), StoreError> {
        let asks = format!("asked to enter {} disclosures", what.len());
        let real = self.next(&asks, |call| match call {
            Call::Disclose { .. } => Some(call),
            Call::Commit { .. }
            | Call::PutBlob { .. }
            | Call::NoteCommon { .. }
            | Call::MadeParts { .. } => None,
        });
        let Some(Call::Disclose {
            what: real_what,
            rows: real_rows,
            at_ms,
            begun,
            links,
            checkpoint,
            refused,
        }) = real
        else {
            return Shell::disclose(self.host, what, rows);
        };
        let asked: Vec<_> = what.iter().map(Digest::of).collect();
        self.hold("the disclosures", real_what, &asked);
        self.hold("the rows", real_rows, &Digest::of_items(&rows));
        self.host.set_now_ms(*at_ms);
        if let Some(Nonce(nonce)) = begun {
            self.host.set_audit_nonce(*nonce);
        }
        let before = self.host.disk.len();
        let kept = self.under(*refused, |host| Shell::disclose(host, what, rows));
        let written: Vec<_> = self.host.disk.items(before).map(Digest::of).collect();
        self.hold("the links of the access log", links, &written);
        if let Some((link, log)) = checkpoint.as_deref() {
            self.host.disk.commit(vec![link.clone()])?;
            self.host.set_audit(log.clone())?;
        }
        kept
    }

    fn put_blob(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let blob = BlobId::from_bytes(*blake3::hash(bytes).as_bytes());
        let asks = format!("asked to keep the attachment {blob}");
        let refused = self.next(&asks, |call| match call {
            Call::PutBlob { blob: of, refused } if *of == blob => Some(*refused),
            Call::PutBlob { .. }
            | Call::Commit { .. }
            | Call::Disclose { .. }
            | Call::NoteCommon { .. }
            | Call::MadeParts { .. } => None,
        });
        self.under(refused.flatten(), |host| host.put_blob(bytes))
    }
}

/// Parts of cuts that the node signed as a custodian are in the records that it took them for.
fn add(taken: &mut [Taken], added: &[Item]) {
    for item in added {
        let Item::Part { record, bytes, .. } = item else {
            continue;
        };
        let of = taken.iter_mut().find(|taken| taken.record.id() == *record);
        if let (Some(of), Ok(part)) = (of, codec::decode_trusted::<ProvenPart>(bytes)) {
            of.record.ledger().add_part(part);
        }
    }
}

fn nth(n: usize) -> String {
    format!("no. {n}")
}
