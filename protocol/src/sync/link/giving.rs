//! Giving: what the other side may have and does not, rights first, what an emergency needs next.
//!
//! Two sources feed it. The journal says what came in since; a place is given from its start when
//! the other side was allowed more since the last time, or when a comparison found that it lacks
//! something. Rights are looked at for each item at the moment at which it goes, and the access
//! log has the batch on the disk before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kith_crdt::DocumentId;

use super::{Desk, Flight, Link, Stop};
use crate::{
    audit::{Audience, DisclosedDocument, DisclosedRun, Disclosure, Extent, How, Recipient},
    codec,
    consent::{Reader, Whoever, cut::ProvenPart, grant::Purposes},
    id::{EnvelopeId, EventId, RecordId},
    intake,
    limits::{BATCHES_AHEAD_MAX, DISCLOSURE_LEN_MAX, ITEMS_MAX},
    logs::LogId,
    record::Record,
    store::{ChainPosition, Item, JournalPosition, Store, StoreError},
    sync::{
        message::{Carried, Cursor, Farewell, KeptBack, Kind, Message},
        output::{News, Output},
        progress::{self, Given},
        ranges::Key,
        shell::Shell,
        view::{Place, Scope, Tier, View, reader, rights},
    },
};

/// Items of the journal that are looked at in one go.
const JOURNAL_STEP: usize = 128;

/// The highest count that is taken over from a peer: far from where counting would end.
const COUNT_TAKEN_OVER_MAX: u64 = 1 << 48;

/// What is given of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What has these keys.
    Keys(BTreeSet<Key>),
}

/// A place that is being given.
struct Open {
    place: Place,
    rights: VecDeque<Carried>,
    entries: VecDeque<EnvelopeId>,
}

/// What is given to one peer, and how far that has come.
#[derive(Default)]
pub(super) struct Giving {
    given: Given,
    /// Whether `given` may be kept: not while a comparison's findings are still to be given.
    is_whole: bool,
    /// How far each tier has read the journal.
    read: [JournalPosition; 3],
    places: BTreeMap<(Tier, Option<kith_crdt::Section>, Place), Part>,
    open: Option<Open>,
    scopes: BTreeMap<RecordId, Scope>,
    /// Records whose rights changed since their scope was found.
    changed: BTreeSet<RecordId>,
    /// Records whose scope is not on the disk as it stands here.
    unsaved: BTreeSet<RecordId>,
    /// What of the journal came from this peer: first left out, last included.
    from_peer: Vec<(JournalPosition, JournalPosition)>,
    proven: bool,
    pub(super) proven_theirs: bool,
    settled: bool,
}

/// A batch of one record under one share.
struct Batch {
    record: RecordId,
    grant: Option<Option<EventId>>,
    items: Vec<Carried>,
    entries: Vec<(DocumentId, ChainPosition)>,
    len: usize,
}

impl Batch {
    const fn new(record: RecordId) -> Self {
        Self {
            record,
            grant: None,
            items: Vec::new(),
            entries: Vec::new(),
            len: 0,
        }
    }

    /// Whether one more still fits; the first always does.
    fn has_room(&self, len: usize) -> bool {
        self.items.is_empty()
            || self.items.len() < ITEMS_MAX && (self.len + len) as u64 <= DISCLOSURE_LEN_MAX
    }

    fn add(&mut self, carried: Carried) {
        self.len += carried.bytes.len();
        self.items.push(carried);
    }

    /// Adds an entry that may be read under `reader`; not where another share opens it.
    fn add_entry(&mut self, reader: &Reader, position: ChainPosition, bytes: Vec<u8>) -> bool {
        let grant = reader.grant();
        if !self.has_room(bytes.len()) || self.grant.is_some_and(|of| of != grant) {
            return false;
        }
        self.grant = Some(grant);
        self.entries.push((reader.document().clone(), position));
        self.add(Carried {
            kind: Kind::Entry,
            bytes,
        });
        true
    }
}

/// What comes next of the places that are given from their start.
enum Next {
    /// Nothing of this tier.
    Nothing,
    /// A place that has nothing for this peer any more.
    Empty,
    /// Something.
    Batch(Batch),
}

/// What becomes of an item of the journal.
enum Considered {
    /// It is not for this peer, or not in this tier.
    Passed,
    /// It is in the batch.
    Added,
    /// It begins the next batch.
    Full,
}

impl Giving {
    pub(super) fn waits(&self) -> bool {
        !self.given.ahead.is_empty()
    }

    fn position(&self) -> JournalPosition {
        self.read.into_iter().min().unwrap_or_default()
    }

    /// Notes that a part of the journal came from this peer.
    pub(super) fn note_taken(&mut self, before: JournalPosition, after: JournalPosition) {
        let read = self.position();
        self.from_peer.retain(|(_, last)| *last > read);
        match self.from_peer.last_mut() {
            Some(last) if last.1 == before => last.1 = after,
            Some(_) | None => self.from_peer.push((before, after)),
        }
    }

    fn came_from_peer(&self, at: JournalPosition) -> bool {
        self.from_peer
            .iter()
            .any(|(before, last)| *before < at && at <= *last)
    }

    /// Gives a place, or more of it.
    pub(super) fn add_place(&mut self, place: Place, part: Part) {
        let section = match &place {
            Place::Document(_, document) => Some(document.section),
            Place::Authority(_) | Place::Principal(..) => None,
        };
        self.settled = false;
        let entry = self.places.entry((place.tier(), section, place));
        let known = entry.or_insert_with(|| Part::Keys(BTreeSet::new()));
        match (known, part) {
            (Part::Keys(known), Part::Keys(more)) => known.extend(more),
            (known, Part::Whole) => *known = Part::Whole,
            (Part::Whole, Part::Keys(_)) => {}
        }
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
        self.open = None;
        self.settled = false;
    }

    /// The rights to a record have to be looked at again.
    pub(super) fn note_changed(&mut self, record: RecordId) {
        self.changed.insert(record);
    }

    /// The rights to every record have to be looked at again.
    pub(super) fn note_all_changed(&mut self, shared: &BTreeSet<RecordId>) {
        self.changed.extend(self.scopes.keys());
        self.changed.extend(shared);
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
        let known = progress::given(store, &self.device)?;
        let giving = &mut self.giving;
        giving.is_whole = true;
        match (known, held) {
            (None, None) => {
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
        desk.shell.commit(None, vec![row])?;
        Ok(())
    }

    /// The next thing to give, if there is one.
    pub(super) fn give<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        if self.giving.given.ahead.len() >= BATCHES_AHEAD_MAX {
            return Ok(());
        }
        self.widen(desk)?;
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
            loop {
                match self.next_of_places(desk, tier)? {
                    Next::Nothing => break,
                    Next::Empty => {}
                    Next::Batch(batch) => return self.give_batch(desk, batch),
                }
            }
            if let Some(batch) = self.next_of_journal(desk, tier)? {
                return self.give_batch(desk, batch);
            }
        }
        self.all_given(desk)
    }

    /// Everything was handed over: when it is taken too, that is kept and said.
    fn all_given<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        if self.giving.waits() || self.giving.settled {
            return Ok(());
        }
        if self.giving.open.is_some() || !self.giving.places.is_empty() {
            // What was open came to nothing after its tier had been looked at: once more.
            return self.give(desk);
        }
        if !self.giving.is_whole {
            // The count that says it all: whoever has it lacks nothing that was found.
            self.giving.is_whole = true;
            let through = self.giving.given.last() + 1;
            let at = self.giving.position();
            self.giving.given.ahead.push((through, at));
            let row = progress::given_row(&self.device, &self.giving.given);
            desk.shell.commit(None, vec![row])?;
            self.hand_over(desk, &Message::Through { through }, Flight::default());
            return Ok(());
        }
        self.giving.given.position = self.giving.position();
        let mut rows = vec![progress::given_row(&self.device, &self.giving.given)];
        for record in std::mem::take(&mut self.giving.unsaved) {
            if let Some(scope) = self.giving.scopes.get(&record) {
                rows.push(progress::scope_row(&self.device, &record, scope));
            }
        }
        desk.shell.commit(None, rows)?;
        let end = self.giving.position();
        self.giving.from_peer.retain(|(_, last)| *last > end);
        self.giving.settled = true;
        self.hand_over(desk, &Message::Settled, Flight::default());
        Ok(())
    }

    /// Finds what the peer may have now and could not before.
    fn widen<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        let records: Vec<_> = match &self.peer {
            Some(peer) => peer.records.iter().copied().collect(),
            None => return Ok(()),
        };
        for id in records {
            if self.giving.scopes.contains_key(&id) && !self.giving.changed.remove(&id) {
                continue;
            }
            self.with_view(desk, id, |link, desk, record, view| {
                link.widen_record(desk, record, view)
            })?;
        }
        Ok(())
    }

    fn widen_record<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        record: &mut Record,
        view: &View,
    ) -> Result<(), StoreError> {
        let id = record.id();
        let before = match self.giving.scopes.get(&id) {
            Some(scope) => scope.clone(),
            None => progress::scope(desk.shell.store(), &self.device, &id)?,
        };
        if before == view.scope {
            self.giving.scopes.insert(id, before);
            return Ok(());
        }
        let all = record.ledger().documents();
        for place in view.scope.added_since(&before, id, &all) {
            self.giving.add_place(place, Part::Whole);
        }
        if !before.added_since(&view.scope, id, &all).is_empty() {
            // Less than before: kept at once, so that what it lacks from now on is given when it
            // may have it again. What is on its way and not taken yet does not count as given.
            let kept = progress::scope(desk.shell.store(), &self.device, &id)?;
            let less = kept.intersection(&view.scope);
            let row = progress::scope_row(&self.device, &id, &less);
            desk.shell.commit(None, vec![row])?;
        }
        self.giving.set_scope(id, view.scope.clone());
        self.giving.settled = false;
        Ok(())
    }

    /// What comes next of the places that are given from their start.
    fn next_of_places<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
    ) -> Result<Next, Stop> {
        if self.giving.open.is_none() {
            let first = self.giving.places.first_entry();
            let Some(first) = first.filter(|first| first.key().0 == tier) else {
                return Ok(Next::Nothing);
            };
            let ((_, _, place), part) = first.remove_entry();
            self.giving.open =
                self.with_view(desk, place.record(), |link, desk, record, view| {
                    link.open_place(desk, record, view, (&place, &part))
                })?;
        }
        let Some(mut open) = self.giving.open.take() else {
            return Ok(Next::Empty);
        };
        if open.place.tier() != tier {
            self.giving.open = Some(open);
            return Ok(Next::Nothing);
        }
        let batch = self.with_view(desk, open.place.record(), |link, desk, record, view| {
            link.fill(desk, record, view, &mut open)
        })?;
        if !open.rights.is_empty() || !open.entries.is_empty() {
            self.giving.open = Some(open);
        }
        Ok(match batch {
            Some(batch) if !batch.items.is_empty() => Next::Batch(batch),
            Some(_) | None => Next::Empty,
        })
    }

    fn open_place<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        record: &Record,
        view: &View,
        (place, part): (&Place, &Part),
    ) -> Result<Open, StoreError> {
        let wanted = |key: &Key| match part {
            Part::Whole => true,
            Part::Keys(keys) => keys.contains(key),
        };
        let store = desk.shell.store();
        let mut open = Open {
            place: place.clone(),
            rights: VecDeque::new(),
            entries: VecDeque::new(),
        };
        match (place, self.who()) {
            (Place::Document(id, document), _) => {
                let ids = store.entry_ids(id, document)?;
                open.entries = ids.into_iter().filter(|id| wanted(id.as_bytes())).collect();
            }
            (Place::Authority(_) | Place::Principal(..), Some(who)) => {
                let items = rights(view, record, desk.shell, &who, place)?;
                let items = items.into_iter().filter(|(key, _)| wanted(key));
                open.rights = items.map(|(_, carried)| carried).collect();
            }
            (Place::Authority(_) | Place::Principal(..), None) => {}
        }
        Ok(open)
    }

    fn fill<S: Shell>(
        &self,
        desk: &Desk<'_, S>,
        record: &mut Record,
        view: &View,
        open: &mut Open,
    ) -> Result<Batch, StoreError> {
        let mut batch = Batch::new(record.id());
        let principal_may_go = match &open.place {
            Place::Principal(_, principal) => view.has_principal(principal),
            Place::Authority(_) | Place::Document(..) => view.reach.is_any(),
        };
        if !principal_may_go {
            open.rights.clear();
        }
        while let Some(next) = open.rights.front()
            && batch.has_room(next.bytes.len())
        {
            if let Some(next) = open.rights.pop_front() {
                batch.add(next);
            }
        }
        let (Place::Document(_, document), Some(who)) = (&open.place, self.who()) else {
            return Ok(batch);
        };
        let Some(reader) = reader(record, &who, document, desk.now_ms) else {
            open.entries.clear();
            return Ok(batch);
        };
        while let Some(id) = open.entries.front() {
            let held = desk.shell.store().entry(id)?;
            let Some((position, bytes)) =
                held.and_then(|(_, _, bytes)| Some((position_of(&bytes)?, bytes)))
            else {
                open.entries.pop_front();
                continue;
            };
            if !batch.add_entry(&reader, position, bytes) {
                break;
            }
            open.entries.pop_front();
        }
        Ok(batch)
    }

    /// The next batch of what came in since, of one tier.
    fn next_of_journal<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
    ) -> Result<Option<Batch>, Stop> {
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
                    match self.consider(desk, tier, item, &mut batch)? {
                        Considered::Passed | Considered::Added => {}
                        Considered::Full => return Ok(batch),
                    }
                }
                self.giving.read[nth] = at;
            }
        }
        Ok(batch.filter(|batch| !batch.items.is_empty()))
    }

    fn consider<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        tier: Tier,
        item: Item,
        batch: &mut Option<Batch>,
    ) -> Result<Considered, Stop> {
        let Some(who) = self.who() else {
            return Ok(Considered::Passed);
        };
        let records = self.peer.as_ref().map(|peer| peer.records.clone());
        let records = records.unwrap_or_default();
        let (id, item_tier) = match &item {
            Item::Event { log, .. } => match log {
                LogId::Core(Some(id)) | LogId::Label(id, _) => (Some(*id), Tier::Rights),
                LogId::Principal(principal) => {
                    let named = |id: &&RecordId| {
                        let view = self.views.get(*id);
                        view.is_some_and(|view| view.has_principal(principal))
                    };
                    (records.iter().find(named).copied(), Tier::Rights)
                }
                LogId::Core(None) => (None, Tier::Rights),
            },
            Item::Entry {
                record, document, ..
            } => (Some(*record), Tier::of(document)),
            Item::Part { record, .. } => (Some(*record), Tier::Rights),
            Item::Row { .. } | Item::Audit { .. } => (None, Tier::Rights),
        };
        let Some(id) = id.filter(|id| item_tier == tier && records.contains(id)) else {
            return Ok(Considered::Passed);
        };
        if batch.as_ref().is_some_and(|batch| batch.record != id) {
            return Ok(Considered::Full);
        }
        let considered = self.with_view(desk, id, |_, desk, record, view| {
            let batch = batch.get_or_insert_with(|| Batch::new(id));
            Ok(add_item(desk, record, view, &who, item, batch))
        })?;
        Ok(considered.unwrap_or(Considered::Passed))
    }

    /// Enters the batch into the access log and hands it over.
    fn give_batch<S: Shell>(&mut self, desk: &mut Desk<'_, S>, batch: Batch) -> Result<(), Stop> {
        let Some(who) = self.who() else {
            return Ok(());
        };
        self.giving.settled = false;
        let through = self.giving.given.last() + 1;
        let at = self.giving.position();
        self.giving.given.ahead.push((through, at));
        let rows = if self.giving.is_whole {
            vec![progress::given_row(&self.device, &self.giving.given)]
        } else {
            Vec::new()
        };
        let flight = Flight {
            documents: documents(&batch),
        };
        if batch.entries.is_empty() {
            desk.shell.commit(None, rows)?;
        } else {
            desk.shell.disclose(disclosures(&batch, &who), rows)?;
        }
        let message = Message::Items {
            record: batch.record,
            through,
            items: batch.items,
        };
        self.hand_over(desk, &message, flight);
        Ok(())
    }

    /// The other side has a batch on its disk.
    pub(super) fn taken<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        through: u64,
        kept_back: &[KeptBack],
    ) -> Result<(), Stop> {
        if through <= self.giving.given.count {
            // A batch from before a comparison began, which found out anew what is there.
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

fn add_item<S: Shell>(
    desk: &Desk<'_, S>,
    record: &mut Record,
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
            let may = part.is_some_and(|part| view.has_part(desk.shell.store(), who, &part));
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
            let Some(reader) = reader(record, who, &document, desk.now_ms) else {
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

fn position_of(bytes: &[u8]) -> Option<ChainPosition> {
    let entry = intake::own_entry(bytes).ok()?;
    let header = entry.header.value();
    Some(ChainPosition {
        device: header.device,
        epoch: header.epoch,
        seq: header.seq,
    })
}

fn documents(batch: &Batch) -> Vec<(RecordId, DocumentId)> {
    let mut documents: Vec<_> = batch
        .entries
        .iter()
        .map(|(document, _)| (batch.record, document.clone()))
        .collect();
    documents.sort_unstable();
    documents.dedup();
    documents
}

/// Links of the access log for a batch. An entry that is longer than a disclosure may be has as
/// many links as it takes: the log counts every byte.
fn disclosures(batch: &Batch, who: &Whoever) -> Vec<Disclosure> {
    let len = batch.len as u64;
    let parts = len.div_ceil(DISCLOSURE_LEN_MAX).max(1);
    let whole = Disclosure {
        to: Audience::Named(vec![Recipient {
            principal: who.principal,
            device: Some(who.device),
            staff: who.staff,
        }]),
        record: batch.record,
        documents: runs(&batch.entries),
        attachments: Vec::new(),
        grant: batch.grant.flatten(),
        purpose: Purposes::CARE,
        how: How::Sync,
        len: DISCLOSURE_LEN_MAX,
    };
    let last = len - (parts - 1) * DISCLOSURE_LEN_MAX;
    let part = |nth| Disclosure {
        len: if nth + 1 == parts { last } else { whole.len },
        ..whole.clone()
    };
    (0..parts).map(part).collect()
}

/// The entries of one batch as runs of their chains.
fn runs(entries: &[(DocumentId, ChainPosition)]) -> Vec<DisclosedDocument> {
    let mut documents = BTreeMap::<_, Vec<DisclosedRun>>::new();
    for (document, position) in entries {
        let runs = documents.entry(document.clone()).or_default();
        let before = runs.iter_mut().find(|run| {
            run.device == position.device
                && run.epoch == position.epoch
                && run.last + 1 == position.seq
        });
        match before {
            Some(run) => run.last = position.seq,
            None => runs.push(DisclosedRun {
                device: position.device,
                epoch: position.epoch,
                first: position.seq,
                last: position.seq,
            }),
        }
    }
    documents
        .into_iter()
        .map(|(document, runs)| DisclosedDocument {
            document,
            extent: Extent::Entries(runs),
        })
        .collect()
}
