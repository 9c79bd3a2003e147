//! Giving what came into the journal since, one tier after the other.

use kith_crdt::Label;

use super::{
    super::{Desk, Link, Stop},
    batch::{Batch, Parcel},
};
use crate::{
    codec,
    consent::{Whoever, cut::ProvenPart},
    id::{PrincipalId, RecordId},
    logs::LogId,
    planted::{self, Planted},
    record::Rights,
    store::{Item, Store},
    sync::{
        message::{Carried, Kind},
        shell::Shell,
        view::{Tier, View},
    },
};

/// Items of the journal that are looked at in one go.
const JOURNAL_STEP: usize = 128;

/// What becomes of an item of the journal.
enum Considered {
    /// It is not for this peer, or not in this tier.
    Passed,
    /// It is in the parcel.
    Added,
    /// It begins the next parcel.
    Full,
}

impl Link {
    /// Puts what came in since of one tier into a parcel, as much as goes together.
    pub(super) fn fill_from_journal<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
        parcel: &mut Parcel,
    ) -> Result<(), Stop> {
        let nth = tier as usize;
        let mut batch: Option<Batch> = None;
        while self.giving.read[nth] < desk.end {
            let step = desk
                .shell
                .store()
                .journal(self.giving.read[nth], JOURNAL_STEP)?;
            if step.is_empty() {
                self.giving.read[nth] = desk.end;
                break;
            }
            for (at, item) in step {
                if !self.giving.came_from_peer(at) {
                    match self.consider(desk, tier, item, (&mut *parcel, &mut batch))? {
                        Considered::Passed | Considered::Added => {}
                        Considered::Full if planted::is(Planted::ItemSkipped) => {}
                        Considered::Full => {
                            parcel.close(&mut batch);
                            return Ok(());
                        }
                    }
                }
                self.giving.read[nth] = at;
            }
        }
        parcel.close(&mut batch);
        Ok(())
    }

    fn consider<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
        item: Item,
        (parcel, batch): (&mut Parcel, &mut Option<Batch>),
    ) -> Result<Considered, Stop> {
        let Some(who) = self.who() else {
            return Ok(Considered::Passed);
        };
        let (id, item_tier) = match &item {
            Item::Event { log, .. } => match log {
                LogId::Core(Some(id)) | LogId::Label(id, _) => (Some(*id), Tier::Rights),
                LogId::Principal(principal) if tier == Tier::Rights => {
                    (self.first_that_names(principal), Tier::Rights)
                }
                LogId::Principal(_) => (None, Tier::Rights),
                LogId::Core(None) => (None, Tier::Rights),
            },
            Item::Entry {
                record, document, ..
            } => (Some(*record), Tier::of(document)),
            Item::Part { record, .. } => (Some(*record), Tier::Rights),
            Item::Row { .. } | Item::Audit { .. } => (None, Tier::Rights),
        };
        let is_common = |id: &RecordId| {
            let peer = self.peer.as_ref();
            peer.is_some_and(|peer| peer.records.contains(id))
        };
        let Some(id) = id.filter(|id| item_tier == tier && is_common(id)) else {
            return Ok(Considered::Passed);
        };
        let label = label_of(&item);
        if batch.as_ref().is_some_and(|batch| !batch.is_of(id, label)) {
            parcel.close(batch);
        }
        if !parcel.takes(label) {
            return Ok(Considered::Full);
        }
        let room = parcel.room();
        let considered = self.with_view(desk, id, |_, desk, rights, view| {
            let batch = batch.get_or_insert_with(|| Batch::new(id, room));
            Ok(add_item(desk, rights, view, &who, item, batch))
        })?;
        Ok(considered.unwrap_or(Considered::Passed))
    }

    /// The first record to which the principal's log belongs. An event of such a log has the scope
    /// of every record found out again before it is given, so that all scopes are at hand.
    fn first_that_names(&self, principal: &PrincipalId) -> Option<RecordId> {
        let records = &self.peer.as_ref()?.records;
        let named = |id: &&RecordId| {
            let scope = self.giving.scopes.get(*id);
            scope.is_some_and(|scope| scope.has_principal(principal))
        };
        records.iter().find(named).copied()
    }
}

/// The label of an item's content; nothing where it is rights.
const fn label_of(item: &Item) -> Option<&Label> {
    match item {
        Item::Entry { document, .. } => Some(&document.label),
        Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    }
}

fn add_item<S: Shell>(
    desk: &Desk<'_, S>,
    rights: &mut Rights,
    view: &View,
    who: &Whoever,
    item: Item,
    batch: &mut Batch,
) -> Considered {
    let carried = match item {
        Item::Event { log, id, bytes, .. } => {
            let may = match &log {
                LogId::Principal(principal) => view.has_principal(principal),
                LogId::Core(_) | LogId::Label(..) => view.has_event(&id),
            };
            may.then_some(Carried {
                kind: Kind::Event,
                bytes,
            })
        }
        Item::Part { bytes, .. } => {
            let part = codec::decode_trusted::<ProvenPart>(&bytes).ok();
            let may = !planted::is(Planted::PartsForgotten)
                && part.is_some_and(|part| view.has_part(desk.shell.store(), who, &part));
            may.then_some(Carried {
                kind: Kind::Part,
                bytes,
            })
        }
        Item::Entry {
            document,
            position,
            bytes,
            ..
        } => {
            let find = || match planted::is(Planted::RightSkippedOnSend) {
                true => Some(rights.ledger().own_copy(&document, *who)),
                false => rights.reader(who, &document, desk.now_ms),
            };
            let Some(reader) = batch.reader(&document, find) else {
                return Considered::Passed;
            };
            return if batch.add_entry(&reader, position, bytes) {
                Considered::Added
            } else {
                Considered::Full
            };
        }
        Item::Row { .. } | Item::Audit { .. } => None,
    };
    match carried {
        None => Considered::Passed,
        Some(carried) if batch.has_room(carried.bytes.len()) => {
            batch.add(carried);
            Considered::Added
        }
        Some(_) => Considered::Full,
    }
}
