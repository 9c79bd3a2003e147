//! Comparing: what two nodes that do not know where they stopped lack of each other.
//!
//! Both restrict what they hold to what both may have. Places are compared first (all of them in
//! one fingerprint when nothing differs), then what is in those that differ. One side leads and
//! asks; both learn what the other lacks, and give it.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;

use super::{Desk, Link, Phase, Stop, giving::Part};
use crate::{
    consent::Whoever,
    id::{PrincipalId, RecordId},
    limits::QUESTIONS_MAX,
    planted::{self, Planted},
    record::Rights,
    store::{Store, StoreError},
    sync::{
        message::{Farewell, Message},
        ranges::{Key, Range, Set, Sum, is_open},
        shell::Shell,
        view::{Place, Scope, View, authority_keys, earlier},
        weighed::{Own, Weight},
    },
};

/// What is under comparison.
#[derive(Default)]
pub(super) struct Comparing {
    /// Whether both go on where they were, and compare for good measure: what counted as given
    /// before was not lost since.
    goes_on: bool,
    session: [u8; 16],
    places: BTreeMap<Key, Place>,
    /// Keys of places of records whose weight was kept, ascending, with whose they are.
    recalled: Vec<(Key, RecordId)>,
    all: Option<Set>,
    inside: BTreeMap<Key, Set>,
    /// Places that differ and were not asked about yet.
    differ: BTreeSet<Key>,
    /// Questions of the leader that wait for an answer.
    open: usize,
    scopes: Vec<(RecordId, Scope)>,
    found: Vec<(Place, Part)>,
}

impl Comparing {
    /// A comparison in the middle of a conversation.
    pub(super) fn while_going() -> Self {
        Self {
            goes_on: true,
            ..Self::default()
        }
    }

    /// Whether it is found out what both may have.
    pub(super) const fn is_prepared(&self) -> bool {
        self.all.is_some()
    }
}

impl Link {
    /// Begins a comparison, or waits for the other side to.
    pub(super) fn begin_comparison<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
    ) -> Result<(), Stop> {
        self.comparing = match self.phase {
            Phase::Going => Comparing::while_going(),
            Phase::Waiting
            | Phase::Stranger
            | Phase::Greeting
            | Phase::Resuming
            | Phase::Comparing => Comparing::default(),
        };
        self.phase = Phase::Comparing;
        self.restart_giving(desk)?;
        if !self.leads(desk) {
            return Ok(());
        }
        let session = desk.nonce.make();
        self.prepare(desk, session)?;
        let ranges = self.comparing.all.as_ref().map(Set::open);
        self.ask(None, ranges.unwrap_or_default());
        Ok(())
    }

    fn ask(&mut self, place: Option<Key>, ranges: Vec<Range>) {
        self.comparing.open += 1;
        self.control.push_back(Message::Compare {
            session: self.comparing.session,
            place,
            ranges,
        });
    }

    /// What both may have, with one sum for each place.
    fn prepare<S: Shell>(&mut self, desk: &mut Desk<'_, S>, session: [u8; 16]) -> Result<(), Stop> {
        let Some(peer) = self.peer.clone() else {
            return Ok(());
        };
        self.comparing.session = session;
        let mut items = Vec::new();
        for id in peer.records {
            if !self.recall(desk, (id, peer.principal), &mut items)? {
                self.weigh(desk, (id, peer.principal), &mut items)?;
            }
        }
        self.comparing.recalled.sort_unstable();
        self.comparing.all = Some(Set::new(self.session_key(desk), items));
        Ok(())
    }

    /// Takes what a record weighs from what is kept, where nothing has changed since.
    fn recall<S: Shell>(
        &mut self,
        desk: &Desk<'_, S>,
        (id, whose): (RecordId, PrincipalId),
        items: &mut Vec<(Key, Key)>,
    ) -> Result<bool, Stop> {
        let Some(weight) = desk.weighed.get(id, self.device, desk.now_ms) else {
            return Ok(false);
        };
        let scope = self.known_scope(desk, &id)?;
        if !weight.is_of((whose, &scope)) {
            // It was found out in a conversation that broke off before that was kept.
            return Ok(false);
        }
        let compared = &mut self.comparing;
        compared.scopes.push((id, scope));
        let keys = weight.places.iter().map(|(key, _)| (*key, id));
        compared.recalled.extend(keys);
        items.extend(&weight.places);
        self.giving.found.note(id, weight.turns_ms);
        Ok(true)
    }

    /// Finds out what a record weighs.
    fn weigh<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        (id, whose): (RecordId, PrincipalId),
        items: &mut Vec<(Key, Key)>,
    ) -> Result<(), Stop> {
        self.with_view(desk, id, |link, desk, rights, view| {
            let Mutual {
                places,
                mut owed,
                own_turns_ms,
            } = link.mutual(desk, rights, view)?;
            if link.comparing.goes_on {
                let before = link.known_scope(desk, &id)?;
                owed.retain(|one| before.owed.contains(one) || !before.reads(one));
            }
            let turns_ms = match owed.is_empty() {
                true => view.reach.turns_ms(),
                false => earlier(view.reach.turns_ms(), own_turns_ms),
            };
            let scope = Scope {
                owed,
                ..view.scope.clone()
            };
            link.giving.found.note(id, turns_ms);
            if places.is_empty() && view.reach.is_any() {
                // Whoever had it once learns how that ended, with whose logs prove it: what
                // was found out of it counts as given from then on.
                let principals = view.scope.principals.iter();
                let logs = principals.map(|principal| Place::Principal(id, *principal));
                let ended = logs.chain([Place::Authority(id)]);
                let ended = ended.map(|place| (place, Part::Whole));
                link.comparing.found.extend(ended);
            }
            let mut sums = Vec::with_capacity(places.len());
            for place in places {
                let mut sum = Sum::default();
                let who = link.who();
                for key in keys(desk, view, who.as_ref(), &place)? {
                    sum.add(&key);
                }
                sums.push((place.key(), sum.bytes()));
                link.comparing.places.insert(place.key(), place);
            }
            items.extend(&sums);
            if !sums.is_empty() {
                let weight = Weight::of((whose, &scope), sums, [turns_ms, own_turns_ms]);
                desk.weighed.keep(id, link.device, weight);
            }
            link.comparing.scopes.push((id, scope));
            Ok(())
        })?;
        Ok(())
    }

    fn session_key<S: Shell>(&self, desk: &Desk<'_, S>) -> Key {
        let own = desk.shell.owner().device;
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 sync comparison");
        hasher.update(&self.comparing.session);
        hasher.update(own.min(self.device).as_bytes());
        hasher.update(own.max(self.device).as_bytes());
        *hasher.finalize().as_bytes()
    }

    /// A step of the comparison.
    pub(super) fn compare<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        session: [u8; 16],
        place: Option<Key>,
        ranges: &[Range],
    ) -> Result<(), Stop> {
        let misspoke = || Stop::Bye(Farewell::Misspoke);
        if self.comparing.all.is_none() {
            if self.leads(desk) {
                return Err(misspoke());
            }
            self.restart_giving(desk)?;
            self.prepare(desk, session)?;
        }
        if session != self.comparing.session {
            return Err(misspoke());
        }
        if let Some(place) = place {
            self.open_inside(desk, place)?;
        }
        let set = match &place {
            Some(place) => self.comparing.inside.get(place),
            None => self.comparing.all.as_ref(),
        };
        let found = set
            .ok_or_else(misspoke)?
            .answer(ranges)
            .map_err(|_| misspoke())?;
        match place {
            None => {
                let from = usize::from(planted::is(Planted::ComparisonForgets));
                for key in found.ours.into_iter().skip(from) {
                    self.found(desk, &key, Part::Whole)?;
                }
            }
            Some(place) => {
                self.found(desk, &place, Part::Keys(found.ours.into_iter().collect()))?;
            }
        }
        if !self.leads(desk) {
            self.control.push_back(Message::Compare {
                session,
                place,
                ranges: found.reply,
            });
            return Ok(());
        }
        self.comparing.open = self.comparing.open.checked_sub(1).ok_or_else(misspoke)?;
        if place.is_none() {
            self.comparing.differ.extend(found.differ);
        }
        if is_open(&found.reply) {
            self.ask(place, found.reply);
        }
        while self.comparing.open < QUESTIONS_MAX
            && let Some(key) = self.comparing.differ.pop_first()
        {
            // Said twice, it is asked once.
            if self.comparing.inside.contains_key(&key) {
                continue;
            }
            self.open_inside(desk, key)?;
            if let Some(set) = self.comparing.inside.get(&key) {
                self.ask(Some(key), set.open());
            }
        }
        if self.comparing.open == 0 {
            self.control.push_back(Message::Compared);
            return self.compared(desk);
        }
        Ok(())
    }

    fn found<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        key: &Key,
        part: Part,
    ) -> Result<(), Stop> {
        if part != Part::Keys(BTreeSet::new())
            && let Some(place) = self.place_of(desk, key)?
        {
            self.comparing.found.push((place, part));
        }
        Ok(())
    }

    /// The place that has a key. Of records whose weight was kept only sums are known, until
    /// something differs: then what both may have of the record is found out.
    fn place_of<S: Shell>(
        &mut self,
        desk: &mut Desk<'_, S>,
        key: &Key,
    ) -> Result<Option<Place>, Stop> {
        let recalled = &self.comparing.recalled;
        if !self.comparing.places.contains_key(key)
            && let Ok(at) = recalled.binary_search_by_key(key, |(key, _)| *key)
            && let Some((_, id)) = recalled.get(at).copied()
        {
            self.with_view(desk, id, |link, desk, rights, view| {
                let places = link.mutual(desk, rights, view)?.places.into_iter();
                let places = places.map(|place| (place.key(), place));
                link.comparing.places.extend(places);
                Ok(())
            })?;
        }
        Ok(self.comparing.places.get(key).cloned())
    }

    fn open_inside<S: Shell>(&mut self, desk: &mut Desk<'_, S>, key: Key) -> Result<(), Stop> {
        if self.comparing.inside.contains_key(&key) {
            return Ok(());
        }
        let Some(place) = self.place_of(desk, &key)? else {
            return Ok(());
        };
        let session = self.session_key(desk);
        let keys = self.with_view(desk, place.record(), |link, desk, _, view| {
            keys(desk, view, link.who().as_ref(), &place)
        })?;
        let items = keys
            .unwrap_or_default()
            .into_iter()
            .map(|key| (key, [0; 32]));
        self.comparing.inside.insert(key, Set::new(session, items));
        Ok(())
    }

    /// Everything is found: both give what the other lacks.
    pub(super) fn compared<S: Shell>(&mut self, desk: &mut Desk<'_, S>) -> Result<(), Stop> {
        if self.comparing.all.is_none() {
            // The other side had nothing to ask: what both may have is still to be found.
            self.prepare(desk, [0; 16])?;
        }
        let compared = std::mem::take(&mut self.comparing);
        for (record, scope) in compared.scopes {
            self.giving.set_scope(record, scope);
        }
        for (place, part) in compared.found {
            let came = desk.shell.store().came(&place.record())?;
            self.giving.add_place(came, place, part);
        }
        self.giving.note_compared(desk.now_ms);
        self.fetching.ask_again();
        self.phase = Phase::Going;
        Ok(())
    }

    /// What of a record both may have; nothing where nobody is there.
    fn mutual<S: Shell>(
        &self,
        desk: &mut Desk<'_, S>,
        rights: &mut Rights,
        view: &View,
    ) -> Result<Mutual, StoreError> {
        match self.who() {
            Some(who) => Mutual::of(desk, rights, view, &who),
            None => Ok(Mutual::default()),
        }
    }
}

/// What of a record both may have.
#[derive(Default)]
struct Mutual {
    places: Vec<Place>,
    /// Documents that only the peer may have, though this node holds something of them.
    owed: Vec<DocumentId>,
    /// When time alone next changes what this node reaches, milliseconds since 1970 UTC.
    own_turns_ms: Option<u64>,
}

impl Mutual {
    /// The places that this peer may have and this node as well.
    fn of<S: Shell>(
        desk: &mut Desk<'_, S>,
        rights: &mut Rights,
        view: &View,
        who: &Whoever,
    ) -> Result<Self, StoreError> {
        let ours = desk.shell.owner();
        let own = own(desk, rights)?;
        let id = rights.id();
        let all = desk.shell.store().documents(&id)?;
        let own_turns_ms = own.turns_ms;
        let owed = own.scope.lacks(&view.scope, &all);
        if !view.reach.is_live() || !own.is_live {
            return Ok(Self {
                places: Vec::new(),
                owed,
                own_turns_ms,
            });
        }
        let mut places = vec![Place::Authority(id)];
        let principals = view.scope.principals.iter();
        let both = principals.filter(|principal| own.scope.has_principal(principal));
        places.extend(both.map(|principal| Place::Principal(id, *principal)));
        let later = all.iter().filter(|one| one.epoch > 0);
        let begun_anew: BTreeSet<_> = later.map(DocumentId::family).collect();
        for document in view.documents(all) {
            // Who may have an epoch that ended hangs on more than its section and label.
            let both = if begun_anew.contains(&document.family()) {
                let mut both = [who, &ours].into_iter();
                both.all(|one| rights.reader(one, &document, desk.now_ms).is_some())
            } else {
                own.scope.reads(&document)
            };
            if both {
                places.push(Place::Document(id, document));
            }
        }
        Ok(Self {
            places,
            owed,
            own_turns_ms,
        })
    }
}

/// What this node itself may have of a record: found out once for all peers.
fn own<S: Shell>(desk: &mut Desk<'_, S>, rights: &mut Rights) -> Result<Own, StoreError> {
    let id = rights.id();
    if let Some(own) = desk.weighed.own(id, desk.now_ms) {
        return Ok(own.clone());
    }
    let view = View::of(rights, desk.shell, &desk.shell.owner(), desk.now_ms)?;
    let own = Own {
        is_live: view.reach.is_live(),
        turns_ms: view.reach.turns_ms(),
        scope: view.scope,
    };
    desk.weighed.keep_own(id, own.clone());
    Ok(own)
}

/// The keys of what a place holds and the peer may have.
fn keys<S: Shell>(
    desk: &Desk<'_, S>,
    view: &View,
    who: Option<&Whoever>,
    place: &Place,
) -> Result<Vec<Key>, StoreError> {
    let store = desk.shell.store();
    match (place, who) {
        (Place::Document(id, document), Some(_)) => {
            let ids = store.entry_ids(id, document)?;
            Ok(ids.into_iter().map(|id| *id.as_bytes()).collect())
        }
        (Place::Principal(_, principal), Some(_)) => {
            let log = store.principal_log(principal)?;
            Ok(log.iter().map(|event| *event.id().as_bytes()).collect())
        }
        (Place::Authority(id), Some(who)) => authority_keys(view, id, desk.shell, who),
        (_, None) => Ok(Vec::new()),
    }
}
