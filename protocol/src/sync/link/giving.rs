//! Giving: what the other side may have and does not, rights first, what an emergency needs next.
//!
//! Two sources feed it. The journal says what came in since; a place is given from its start when
//! the other side was allowed more since the last time, or when a comparison found that it lacks
//! something. Rights are looked at for each item at the moment at which it goes, and the access
//! log has the batch on the disk before.

mod batch;
mod found;
mod journal;
mod owed;
mod places;

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{Label, Section};

use self::{
    batch::Parcel,
    found::Found,
    owed::Owed,
    places::{Next, Open},
};
use super::{Desk, Flight, Link, Stop};
use crate::{
    id::{DeviceId, PrincipalId, RecordId},
    limits::{
        COMPARE_AGAIN_MS, COMPARE_EVERY_MS, FROM_PEER_MAX, PARCELS_AHEAD_MAX, UNSAVED_PARCELS_MAX,
    },
    planted::{self, Planted},
    record::Rights,
    store::{Item, JournalPosition, Store, StoreError},
    sync::{
        message::{Cursor, Farewell, KeptBack, Message},
        output::{News, Output, Together},
        progress::{self, Given},
        ranges::Key,
        shell::Shell,
        view::{Place, Scope, Tier, View, earlier},
    },
};

pub(super) use self::places::Part;

/// Records of which it is found out together what may go: fewer than whose rights a node keeps at
/// hand.
const WIDENED_TOGETHER: usize = 60;

/// The highest count that is taken over from a peer: far from where counting would end.
const COUNT_TAKEN_OVER_MAX: u64 = 1 << 48;

/// When a place is given: what an emergency needs of all records first, then record by record as
/// they came, the sections in their order.
type Turn = (Tier, Option<Label>, u64, RecordId, Option<Section>, Place);

/// What is given to one peer, and how far that has come.
#[derive(Default)]
pub(super) struct Giving {
    given: Given,
    /// Whether `given` may be kept: not while a comparison's findings are still to be given, or so
    /// much from its start that whoever comes again after a break compares instead.
    is_whole: bool,
    /// How far each tier has read the journal.
    read: [JournalPosition; 3],
    /// What is given from its start, in its order.
    places: BTreeMap<Turn, Part>,
    open: Option<Open>,
    scopes: BTreeMap<RecordId, Scope>,
    /// Of which records the scope was found out.
    pub(super) found: Found,
    /// Records whose scope is not on the disk as it stands here.
    unsaved: BTreeSet<RecordId>,
    /// Parcels that went or came meanwhile: after a break they would be given again, or back.
    unsaved_parcels: usize,
    /// What of the journal came from this peer: first left out, last included.
    from_peer: Vec<(JournalPosition, JournalPosition)>,
    /// The keys of what came from it, while both catch up.
    keys_from_peer: BTreeSet<Key>,
    /// People whose logs were given in this conversation: what comes into them later is in the
    /// journal.
    logs_given: BTreeSet<PrincipalId>,
    proven: bool,
    pub(super) proven_theirs: bool,
    settled: bool,
    /// Of what label the parcel before was, or of none.
    label: Option<Option<Label>>,
    /// The position that is on the disk.
    saved: JournalPosition,
    /// A comparison that was due while there was much to give is tried again then.
    compare_not_before_ms: u64,
}

impl Giving {
    pub(super) fn waits(&self) -> bool {
        !self.given.ahead.is_empty()
    }

    /// Batches on their way.
    pub(super) const fn ahead(&self) -> usize {
        self.given.ahead.len()
    }

    fn position(&self) -> JournalPosition {
        self.read.into_iter().min().unwrap_or_default()
    }

    /// Notes that a part of the journal came from this peer.
    pub(super) fn note_taken(&mut self, before: JournalPosition, after: JournalPosition) {
        for read in &mut self.read {
            if *read == before {
                *read = after;
            }
        }
        match self.from_peer.last_mut() {
            Some(last) if last.1 == before => last.1 = after,
            Some(_) | None => self.from_peer.push((before, after)),
        }
        let read = self.position();
        self.from_peer.retain(|(_, last)| *last > read);
    }

    /// Notes that what has these keys came from this peer.
    pub(super) fn note_from_peer(&mut self, keys: impl IntoIterator<Item = Key>) {
        let room = FROM_PEER_MAX.saturating_sub(self.keys_from_peer.len());
        self.keys_from_peer.extend(keys.into_iter().take(room));
    }

    /// Both have everything: what is given from its start from now on was not allowed before.
    pub(super) fn forget_keys(&mut self) {
        self.keys_from_peer.clear();
    }

    /// When both compare again, whatever their cursors say.
    pub(super) fn compare_ms(&self) -> u64 {
        let due = self.given.compared_ms.saturating_add(COMPARE_EVERY_MS);
        due.max(self.compare_not_before_ms)
    }

    /// A comparison is due and there is no time for it.
    pub(super) const fn put_off_comparison(&mut self, now_ms: u64) {
        self.compare_not_before_ms = now_ms.saturating_add(COMPARE_AGAIN_MS);
    }

    /// Both have compared.
    pub(super) const fn note_compared(&mut self, now_ms: u64) {
        self.given.compared_ms = now_ms;
    }

    /// The row that says how far this has come, where it went on since it was last kept: what came
    /// from the peer is never given back to it, also after a break.
    pub(super) fn moved(&mut self, peer: &DeviceId) -> Option<Item> {
        let position = self.position();
        let moved = self.is_whole && !self.waits() && position != self.saved;
        moved.then(|| {
            self.given.position = position;
            self.saved = position;
            progress::given_row(peer, &self.given)
        })
    }

    /// The same, where the other side has nothing more to give either.
    pub(super) fn moved_when(&mut self, theirs_settled: bool, peer: &DeviceId) -> Option<Item> {
        theirs_settled.then(|| self.moved(peer)).flatten()
    }

    /// Goes on in the journal to `end`, where it had come to `before` and everything is given;
    /// whether it did.
    pub(super) fn passes_over(&mut self, before: JournalPosition, end: JournalPosition) -> bool {
        let is_idle = self.settled
            && self.read == [before; 3]
            && self.given.ahead.is_empty()
            && self.places.is_empty()
            && self.open.is_none()
            && self.found.is_done();
        if is_idle {
            self.read = [end; 3];
        }
        is_idle
    }

    /// Whether something is given from its start: all records in turn, tier by tier.
    pub(super) fn has_places(&self) -> bool {
        !self.places.is_empty()
    }

    fn came_from_peer(&self, at: JournalPosition) -> bool {
        self.from_peer
            .iter()
            .any(|(before, last)| *before < at && at <= *last)
    }

    /// Gives a place, or more of it, of a record that `came` then.
    pub(super) fn add_place(&mut self, came: u64, place: Place, part: Part) {
        let (label, section) = match &place {
            Place::Document(_, document) => (Some(document.label.clone()), Some(document.section)),
            Place::Authority(_) | Place::Principal(..) => (None, None),
        };
        self.settled = false;
        let turn = (place.tier(), label, came, place.record(), section, place);
        let entry = self.places.entry(turn);
        let known = entry.or_insert_with(|| Part::Keys(BTreeSet::new()));
        match (known, part) {
            (Part::Keys(known), Part::Keys(more)) => known.extend(more),
            (known, Part::Whole) => *known = Part::Whole,
            (Part::Whole, Part::Keys(_)) => {}
        }
    }

    /// A parcel goes or came. After a break, those that went while scopes are not on the disk would
    /// be given again, and those that came given back. Where they become many, the row to be kept,
    /// with which both compare then instead.
    pub(super) fn note_parcel(&mut self, peer: &DeviceId) -> Option<Item> {
        if self.unsaved.is_empty() {
            return None;
        }
        self.unsaved_parcels += 1;
        let begins = self.is_whole && self.unsaved_parcels > UNSAVED_PARCELS_MAX;
        begins.then(|| {
            self.is_whole = false;
            if !self.waits() {
                // A count that nobody ever has.
                self.given.count = self.given.count.saturating_add(1);
            }
            // What is on its way stays in memory, since it counts towards what may be.
            let kept = Given {
                ahead: Vec::new(),
                ..self.given.clone()
            };
            progress::given_row(peer, &kept)
        })
    }

    /// The rows of scopes that are not on the disk, where all that follows from them is given.
    fn scopes_to_save(&mut self, peer: &DeviceId) -> Vec<Item> {
        self.unsaved_parcels = 0;
        let unsaved = std::mem::take(&mut self.unsaved).into_iter();
        let rows = unsaved.filter_map(|record| {
            let scope = self.scopes.get(&record)?;
            Some(progress::scope_row(peer, &record, scope))
        });
        rows.collect()
    }

    /// A comparison begins, whose findings take the place of everything before. Its batches are
    /// counted from where no batch was, so that whoever took some of them and lost the rest is not
    /// taken for one who took what was given before.
    fn restart(&mut self, end: JournalPosition) {
        self.read = [end; 3];
        self.given.count = self.given.last().saturating_add(1);
        self.given.ahead.clear();
        self.is_whole = false;
        self.places.clear();
        self.logs_given.clear();
        self.open = None;
        self.settled = false;
    }

    /// The rights to a record have to be looked at again.
    pub(super) fn note_changed(&mut self, record: RecordId) {
        self.found.again(record);
    }

    /// The rights to every record have to be looked at again.
    pub(super) fn note_all_changed(&mut self, shared: &BTreeSet<RecordId>) {
        for record in shared {
            self.found.again(*record);
        }
    }

    /// What a peer was compared in counts as given.
    pub(super) fn set_scope(&mut self, record: RecordId, scope: Scope) {
        self.scopes.insert(record, scope);
        self.unsaved.insert(record);
    }
}

impl Link {
    /// Whether this side knows from where to go on giving.
    pub(super) fn giving_resumes<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        held: Option<Cursor>,
    ) -> Result<bool, Stop> {
        let store = desk.shell.store();
        let mut known = progress::given(store, &self.device)?;
        if let Some(given) = &mut known {
            // By a clock that was ahead then and is not any more.
            given.compared_ms = given.compared_ms.min(desk.now_ms);
        }
        let giving = &mut self.giving;
        giving.is_whole = true;
        match (known, held) {
            (None, None) => {
                giving.given.compared_ms = desk.now_ms;
                giving.given.position = desk.end;
                giving.read = [desk.end; 3];
                return Ok(true);
            }
            (Some(mut given), Some(held)) if held.journal == desk.journal => {
                let resumed = given.resume(held.count).is_some();
                giving.given = given;
                if resumed {
                    giving.read = [giving.given.position; 3];
                    return Ok(true);
                }
            }
            (Some(given), None) if given.last() == 0 => {
                // There was never anything for it, so it holds no count.
                giving.given = given;
                giving.read = [giving.given.position; 3];
                return Ok(true);
            }
            (Some(given), Some(_) | None) => giving.given = given,
            (None, Some(held)) => giving.given.count = held.count.min(COUNT_TAKEN_OVER_MAX),
        }
        self.restart_giving(desk)?;
        Ok(false)
    }

    /// A comparison begins. That is kept, so that one that breaks off is begun again.
    pub(super) fn restart_giving<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        self.giving.restart(desk.end);
        let row = progress::given_row(&self.device, &self.giving.given);
        desk.shell.commit(&mut [], vec![row])?;
        Ok(())
    }

    /// The next thing to give, if there is one.
    pub(super) fn give<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        let is_full = self.giving.given.ahead.len() >= PARCELS_AHEAD_MAX;
        if is_full && !planted::is(Planted::BatchesUnbounded) {
            return Ok(());
        }
        // Rights go as they are found out, while they are at hand. The journal is read when all are:
        // it takes what may go as known.
        while !self.widen(desk, WIDENED_TOGETHER)? {
            let mut parcel = Parcel::default();
            self.fill_from_places(desk, Tier::Rights, &mut parcel)?;
            if !parcel.is_empty() {
                return self.give_parcel(desk, parcel);
            }
        }
        for tier in Tier::ALL {
            if tier != Tier::Rights {
                if !std::mem::replace(&mut self.giving.proven, true) {
                    self.hand_over(desk, &Message::Proven, Flight::default());
                    return Ok(());
                }
                if !self.giving.proven_theirs {
                    return Ok(());
                }
            }
            let parcel = self.fill_parcel(desk, tier)?;
            if !parcel.is_empty() {
                return self.give_parcel(desk, parcel);
            }
        }
        self.all_given(desk)
    }

    /// As much of one tier as goes together.
    fn fill_parcel<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
    ) -> Result<Parcel, Stop> {
        let mut parcel = Parcel::default();
        if self.fill_from_places(desk, tier, &mut parcel)? {
            self.fill_from_journal(desk, tier, &mut parcel)?;
        }
        Ok(parcel)
    }

    /// Adds what is given from its start; whether there is room for more.
    fn fill_from_places<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
        parcel: &mut Parcel,
    ) -> Result<bool, Stop> {
        loop {
            match self.next_of_places(desk, tier, parcel)? {
                Next::Nothing => return Ok(true),
                Next::Empty => {}
                Next::Full => return Ok(false),
                Next::Batch(batch) => parcel.add(batch),
            }
        }
    }

    /// Everything was handed over: when it is taken too, that is kept and said.
    fn all_given<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        if self.giving.settled {
            let row = self.giving.moved_when(self.theirs_settled, &self.device);
            if let Some(row) = row {
                desk.shell.commit(&mut [], vec![row])?;
            }
            return Ok(());
        }
        if self.giving.waits() {
            return Ok(());
        }
        if self.giving.open.is_some() || !self.giving.places.is_empty() {
            // What was open came to nothing after its tier had been looked at: once more.
            return self.give(desk);
        }
        if !self.giving.is_whole {
            // The count that says it all: whoever has it lacks nothing that was found. Everything
            // before it is taken, so that scopes are kept with it.
            self.giving.is_whole = true;
            let through = self.giving.given.last() + 1;
            let at = self.giving.position();
            self.giving.given.ahead.push((through, at));
            let mut rows = self.giving.scopes_to_save(&self.device);
            rows.push(progress::given_row(&self.device, &self.giving.given));
            desk.shell.commit(&mut [], rows)?;
            self.hand_over(desk, &Message::Through { through }, Flight::default());
            return Ok(());
        }
        let mut rows: Vec<_> = self.giving.moved(&self.device).into_iter().collect();
        if rows.is_empty() {
            rows.push(progress::given_row(&self.device, &self.giving.given));
        }
        rows.extend(self.giving.scopes_to_save(&self.device));
        rows.extend(self.found_row(desk));
        desk.shell.commit(&mut [], rows)?;
        let end = self.giving.position();
        self.giving.from_peer.retain(|(_, last)| *last > end);
        self.giving.settled = true;
        self.hand_over(desk, &Message::Settled, Flight::default());
        Ok(())
    }

    /// Finds what the peer may have now and could not before, of so many records at most; whether
    /// that is all.
    fn widen<S: Shell>(&mut self, desk: &mut Desk<'_, S>, records: usize) -> Result<bool, Stop> {
        for _ in 0..records {
            let Some(id) = self.giving.found.pop() else {
                return Ok(true);
            };
            let peer = self.peer.as_ref();
            if !peer.is_some_and(|peer| peer.records.contains(&id)) {
                continue;
            }
            // Of a damaged record nothing is found out; it is tried again the next time.
            self.with_view(desk, id, |link, desk, rights, view| {
                let turns_ms = link.widen_record(desk, rights, view)?;
                link.giving.found.note(id, turns_ms);
                Ok(())
            })?;
        }
        Ok(self.giving.found.is_done())
    }

    /// What the peer was given of a record, as far as was found out.
    pub(super) fn known_scope<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        id: &RecordId,
    ) -> Result<Scope, StoreError> {
        match self.giving.scopes.get(id) {
            Some(scope) => Ok(scope.clone()),
            None => progress::scope(desk.shell.store(), &self.device, id),
        }
    }

    /// Gives what was added to what the peer may have, and what is owed to it that this node may
    /// read again; when time alone next changes either.
    fn widen_record<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        rights: &mut Rights,
        view: &View,
    ) -> Result<Option<u64>, StoreError> {
        let id = rights.id();
        let before = self.known_scope(desk, &id)?;
        let turns_ms = view.reach.turns_ms();
        if before.owed.is_empty() && before == view.scope {
            self.giving.scopes.insert(id, before);
            return Ok(turns_ms);
        }
        let all = desk.shell.store().documents(&id)?;
        let came = desk.shell.store().came(&id)?;
        let added = view.scope.added_since(&before, id, &all);
        let documents = added.iter().filter_map(Place::document).cloned();
        let still = before
            .owed
            .iter()
            .filter(|document| view.scope.reads(document));
        let owed = Owed::of(desk, rights, &still.cloned().collect(), documents);
        let due = owed.due.into_iter();
        let due = due.map(|document| Place::Document(id, document));
        for place in added.into_iter().chain(due) {
            self.giving.add_place(came, place, Part::Whole);
        }
        if !before.added_since(&view.scope, id, &all).is_empty() {
            // Less than before: kept at once, so that what it lacks from now on is given when it
            // may have it again. What is on its way and not taken yet does not count as given.
            let kept = progress::scope(desk.shell.store(), &self.device, &id)?;
            let less = kept.intersection(&view.scope);
            let row = progress::scope_row(&self.device, &id, &less);
            desk.shell.commit(&mut [], vec![row])?;
        }
        let scope = Scope {
            owed: owed.shut.into_iter().collect(),
            ..view.scope.clone()
        };
        if scope == before {
            self.giving.scopes.insert(id, scope);
        } else {
            self.giving.set_scope(id, scope);
            self.giving.settled = false;
        }
        Ok(earlier(turns_ms, owed.turns_ms))
    }

    /// Enters the parcel into the access log and hands it over.
    fn give_parcel<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        parcel: Parcel,
    ) -> Result<(), Stop> {
        let Some(who) = self.who() else {
            return Ok(());
        };
        self.giving.settled = false;
        let mut rows: Vec<_> = self.giving.note_parcel(&self.device).into_iter().collect();
        let through = self.giving.given.last() + 1;
        let at = self.giving.position();
        self.giving.given.ahead.push((through, at));
        if self.giving.is_whole {
            rows.push(progress::given_row(&self.device, &self.giving.given));
        }
        let flight = Flight {
            documents: parcel.documents(),
        };
        let mut disclosures = parcel.disclosures(&who);
        if planted::is(Planted::AuditTwice) {
            disclosures.extend(disclosures.clone());
        }
        if disclosures.is_empty() || planted::is(Planted::AuditForgotten) {
            desk.shell.commit(&mut [], rows)?;
        } else {
            desk.shell.disclose(disclosures, rows)?;
        }
        let label = self.giving.label.replace(parcel.label().cloned());
        let together = match label == self.giving.label {
            true => Together::GoesOn,
            false => Together::Begins,
        };
        let message = Message::Items {
            through,
            batches: parcel.into_batches(),
        };
        self.hand_over_with(desk, &message, flight, together);
        Ok(())
    }

    /// The other side has a parcel on its disk.
    pub(super) fn taken<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        through: u64,
        kept_back: &[KeptBack],
    ) -> Result<(), Stop> {
        if through <= self.giving.given.count {
            // A parcel from before a comparison began, which found out anew what is there.
            return Ok(());
        }
        self.giving
            .given
            .took(through)
            .ok_or(Stop::Bye(Farewell::Misspoke))?;
        if let Some(first) = kept_back.first() {
            desk.outputs.push_back(Output::Tell(News::KeptBack {
                by: self.device,
                count: kept_back.len(),
                why: first.why,
            }));
        }
        Ok(())
    }

    /// Whether this side has nothing more to give, and everything is taken.
    pub(super) const fn has_given(&self) -> bool {
        self.giving.settled
    }
}
