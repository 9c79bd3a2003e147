//! What is open in each record and until when, in memory and in a row for each record: so a node
//! with very many records says at the moment that a time has passed, and looks at none of the others.
//!
//! A row is made again when something came in that it hangs on. That this is to be done is in the
//! commit of what came in, so that nothing is missed when a node is stopped in between.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::Section;
use kith_protocol::{
    id::RecordId,
    record::Record,
    store::{Item, Store, StoreError},
};
use serde::{Deserialize, Serialize};

use super::reading::{SECTIONS, Work};
use crate::{
    failure::Failure,
    node::{
        Node,
        bundle::record_of,
        identity::{RowKind, read_rows, row},
        now_ms,
    },
    store::DiskStore,
};

/// The lowest of all ids.
pub(super) const FIRST: RecordId = RecordId::from_bytes([0; 32]);

/// Records in which something came in at once that are looked at in the same moment. Where it is more,
/// as when very many are given for the first time, all are looked at once nothing more comes in.
const AT_ONCE: usize = 2;
/// Entries that come together and are more than somebody writes at once.
const MANY: usize = 16;
/// So long nothing came in until then, milliseconds; and no longer than the second after the first.
const STILL_MS: u64 = 200;
const STILL_MS_MAX: u64 = 5_000;
/// Records that are looked at then before others have their turn.
const IN_TURN: usize = 16;

/// How rows are made. Another number, and they are made again.
const VERSION: u32 = 1;

/// What is open in a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    version: u32,
    /// Whether something came in since this was made.
    stale: bool,
    /// Whether rules of the record are known here.
    pub(super) has_rules: bool,
    /// Whether tasks of it are known here, open or not.
    pub(super) has_tasks: bool,
    /// Those that are open.
    pub(super) tasks: Vec<OpenTask>,
    /// Events after which others should make the tasks, with when this node does it instead.
    pub(super) waits: Vec<(String, u64)>,
}

/// An open task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenTask {
    pub(super) id: String,
    /// When its time ends, milliseconds since 1970 UTC.
    pub(super) end_ms: Option<u64>,
    /// Since when it is known here to be open.
    pub(super) since_ms: u64,
    /// Whether this node's owner is asked for it or asked for it, or controls the record.
    pub(super) concerns_us: bool,
}

/// The same of all records.
#[derive(Default)]
pub(in crate::node) struct Deadlines {
    pub(super) records: BTreeMap<RecordId, Open>,
    /// When tasks become loud, milliseconds since 1970 UTC: the node asks for the next after every
    /// thing that it does, so that it is not looked for among all.
    pub(super) loud: BTreeSet<(u64, RecordId)>,
    /// When records are to be looked at again.
    looks: BTreeSet<(u64, RecordId)>,
    stale: BTreeSet<RecordId>,
    /// Those among them in which something came in since the last were looked at.
    fresh: BTreeSet<RecordId>,
    /// When something came in for the first and for the last time that is not looked at yet,
    /// milliseconds since 1970 UTC.
    came_ms: Option<(u64, u64)>,
    /// Whether this node runs, and comes back to what can wait.
    is_running: bool,
    /// Whether every record was looked at since rows of this kind are kept.
    is_complete: bool,
    /// That being noted on the disk.
    is_noted: bool,
    /// Until when it was said what has passed, milliseconds since 1970 UTC.
    said_ms: u64,
    /// The record that is looked at now, whose row is made with what is written.
    settling: Option<RecordId>,
}

impl OpenTask {
    /// When it becomes loud here: when its time ends, or when it came and that had passed.
    pub(super) fn loud_ms(&self) -> Option<u64> {
        self.end_ms.map(|end| end.max(self.since_ms))
    }
}

impl Deadlines {
    pub(in crate::node) fn load(store: &DiskStore) -> Result<Self, StoreError> {
        let mut this = Self {
            said_ms: now_ms(),
            ..Self::default()
        };
        for (name, open) in read_rows::<Open>(store, RowKind::Work)? {
            let Ok(id) = <[u8; 32]>::try_from(name.as_slice()) else {
                this.is_complete |= name.is_empty() && open.version == VERSION;
                continue;
            };
            let id = RecordId::from_bytes(id);
            if open.stale || open.version != VERSION {
                this.stale.insert(id);
            }
            this.put(id, Some(open));
        }
        this.is_noted = this.is_complete;
        Ok(this)
    }

    /// What is open in a record from now on; nothing where nothing is known to be.
    fn put(&mut self, record: RecordId, open: Option<Open>) {
        if let Some(before) = self.records.remove(&record) {
            for at in before.tasks.iter().filter_map(OpenTask::loud_ms) {
                self.loud.remove(&(at, record));
            }
            for (_, at) in before.waits {
                self.looks.remove(&(at, record));
            }
        }
        if let Some(open) = open {
            let loud = open.tasks.iter().filter_map(OpenTask::loud_ms);
            self.loud.extend(loud.map(|at| (at, record)));
            let looks = open.waits.iter();
            self.looks.extend(looks.map(|(_, at)| (*at, record)));
            self.records.insert(record, open);
        }
    }

    /// The rows that say of which records something comes in that their open work hangs on; noted
    /// here too.
    pub(in crate::node) fn touched(&mut self, items: &[Item]) -> Vec<Item> {
        let came = items
            .iter()
            .filter(|item| matches!(item, Item::Entry { .. }));
        if let Some((_, last)) = &mut self.came_ms
            && self.settling.is_none()
            && came.count() > MANY
        {
            // Also what no work hangs on: whoever gives many records gives what is urgent first.
            *last = now_ms();
        }
        let touched: BTreeSet<_> = items
            .iter()
            .filter(|item| self.hangs_on(item))
            .filter_map(record_of)
            .filter(|record| self.settling != Some(*record))
            .collect();
        touched
            .into_iter()
            .filter_map(|record| self.mark(record))
            .collect()
    }

    fn hangs_on(&self, item: &Item) -> bool {
        let known = record_of(item).and_then(|record| self.records.get(&record));
        match item {
            Item::Entry { document, .. } => match document.section {
                Section::Tasks => true,
                Section::Encounters | Section::DailyCare | Section::Circle => known.is_some(),
                Section::Identity
                | Section::Allergies
                | Section::Plans
                | Section::Medicines
                | Section::Conditions
                | Section::Immunisations
                | Section::Results
                | Section::Letters
                | Section::Monitoring
                | Section::Forms => false,
            },
            // Who may see tasks may be others now.
            Item::Event { .. } | Item::Part { .. } => known.is_some(),
            Item::Row { .. } | Item::Audit { .. } => false,
        }
    }

    /// The work of a record is to be looked at again: the row that says so.
    pub(in crate::node) fn mark(&mut self, record: RecordId) -> Option<Item> {
        self.stale.insert(record);
        self.fresh.insert(record);
        let now = now_ms();
        let first = self.came_ms.map_or(now, |(first, _)| first);
        self.came_ms = Some((first, now));
        let open = self.records.entry(record).or_default();
        if open.stale {
            return None;
        }
        open.stale = true;
        Some(row(RowKind::Work, record.as_bytes(), open))
    }

    /// Takes the records that are to be looked at now.
    fn take_due(&mut self, now: u64) -> Vec<RecordId> {
        let waited = self.looks.iter().take_while(|(at, _)| *at <= now);
        let mut all: BTreeSet<_> = waited.map(|(_, record)| *record).collect();
        let fresh = std::mem::take(&mut self.fresh);
        if !self.is_running {
            all.extend(&self.stale);
        } else if self.still_ms().is_some_and(|at| at <= now) {
            all.extend(self.stale.iter().take(IN_TURN));
            // While things come in all the time there is a little of it now and then.
            let next = (now + STILL_MS).saturating_sub(STILL_MS_MAX);
            self.came_ms = self.came_ms.map(|(first, last)| (first.max(next), last));
        }
        if fresh.len() <= AT_ONCE {
            all.extend(fresh);
        }
        all.into_iter().collect()
    }

    /// When those that wait are looked at; nothing where none do.
    fn still_ms(&self) -> Option<u64> {
        self.stale.first()?;
        let (first, last) = self.came_ms.unwrap_or_default();
        Some((last + STILL_MS).min(first + STILL_MS_MAX))
    }

    pub(super) fn ends(&self) -> impl Iterator<Item = (RecordId, &OpenTask, u64)> {
        self.records.iter().flat_map(|(record, open)| {
            let tasks = open.tasks.iter();
            tasks.filter_map(|task| Some((*record, task, task.end_ms?)))
        })
    }
}

impl Node {
    /// Does what follows from what came in: makes tasks of events, and notes what is open. Says
    /// whether something was written that is for others.
    pub fn follow_up(&mut self) -> bool {
        let (now, before) = (now_ms(), self.changed);
        self.look_at_all_once();
        for record in self.deadlines.take_due(now) {
            if let Err(failure) = self.settle_work(record, now) {
                // Its row stays as it is: it is looked at again when the node is started.
                tracing::warn!(
                    what = failure.what,
                    "the tasks of a record were not looked at"
                );
                self.deadlines.stale.remove(&record);
                let open = self.deadlines.records.get(&record).cloned();
                let open = open.map(|open| Open {
                    waits: Vec::new(),
                    ..open
                });
                self.deadlines.put(record, open);
            }
        }
        if self.deadlines.stale.is_empty() {
            self.deadlines.came_ms = None;
        }
        self.changed != before
    }

    /// From now on somebody comes back to what can wait: see [`Self::next_deadline_ms`].
    pub(crate) const fn runs(&mut self) {
        self.deadlines.is_running = true;
    }

    /// Whether somebody does.
    pub(in crate::node) const fn comes_back(&self) -> bool {
        self.deadlines.is_running
    }

    /// A store that an earlier build made has tasks and no rows of them.
    fn look_at_all_once(&mut self) {
        if self.deadlines.is_complete {
            return;
        }
        let records: Vec<RecordId> = self.people.iter().map(|(id, _)| *id).collect();
        for record in records {
            let documents = self.store.documents(&record).unwrap_or_default();
            let has = documents.iter().any(|id| id.section == Section::Tasks);
            if has && !self.deadlines.records.contains_key(&record) {
                self.deadlines.stale.insert(record);
            }
        }
        self.deadlines.is_complete = true;
    }

    fn settle_work(&mut self, id: RecordId, now: u64) -> Result<(), Failure> {
        self.deadlines.settling = Some(id);
        let settled = self.with_sections(id, &SECTIONS, |node, record| {
            let work = node.work_of(record);
            let (mut items, waits) = node.tasks_that_follow(record, &work, now)?;
            let work = if items.is_empty() {
                work
            } else {
                node.work_of(record)
            };
            let open = Open {
                waits,
                ..node.open_of(record, &work)
            };
            let known = node.deadlines.records.get(&id);
            let is_nothing = open
                == Open {
                    version: VERSION,
                    ..Open::default()
                };
            if known.is_some_and(|known| *known != open) || (known.is_none() && !is_nothing) {
                items.push(if is_nothing {
                    Item::Row {
                        key: RowKind::Work.key(id.as_bytes()),
                        value: None,
                    }
                } else {
                    row(RowKind::Work, id.as_bytes(), &open)
                });
                if !node.deadlines.is_noted {
                    let complete = Open {
                        version: VERSION,
                        ..Open::default()
                    };
                    items.push(row(RowKind::Work, b"", &complete));
                }
            }
            if !items.is_empty() {
                node.commit(items)?;
                node.deadlines.is_noted = true;
            }
            node.deadlines.stale.remove(&id);
            node.deadlines.put(id, (!is_nothing).then_some(open));
            Ok(())
        });
        self.deadlines.settling = None;
        settled
    }

    fn open_of(&self, record: &mut Record, work: &Work) -> Open {
        let controls = self.controls(record);
        let own = self.identity.principal;
        let who = self.whoever();
        let known = self.deadlines.records.get(&record.id());
        let known = known.map(|open| &open.tasks);
        let mut may_read = BTreeMap::new();
        let mut tasks = Vec::new();
        for task in work
            .tasks
            .iter()
            .filter(|task| task.standing.state.is_open())
        {
            // What is not shared any more cannot be known to be late.
            let is_shared = *may_read
                .entry(task.document.clone())
                .or_insert_with(|| record.reader(&who, &task.document, now_ms()).is_some());
            if !is_shared {
                continue;
            }
            let is_asked = match (task.standing.owner, &task.who) {
                (Some(owner), _) => owner == own,
                (None, Some(name)) => *name == self.identity.name,
                (None, None) => false,
            };
            let before = known.and_then(|known| known.iter().find(|one| one.id == task.id));
            tasks.push(OpenTask {
                id: task.id.clone(),
                end_ms: task.standing.end_ms,
                since_ms: before.map_or_else(now_ms, |before| before.since_ms),
                concerns_us: controls || is_asked || task.signed.by == Some(own),
            });
        }
        Open {
            version: VERSION,
            stale: false,
            has_rules: !work.rules.is_empty(),
            has_tasks: !work.tasks.is_empty(),
            tasks,
            waits: Vec::new(),
        }
    }

    /// Events after which this node waits for the tasks of others.
    pub(super) fn waits_of(&self, record: RecordId) -> Vec<(String, u64)> {
        let open = self.deadlines.records.get(&record);
        open.map(|open| open.waits.clone()).unwrap_or_default()
    }

    /// Records that have tasks: with open ones, or with any.
    pub(super) fn records_with_tasks(&self, any: bool) -> Vec<RecordId> {
        let records = self.deadlines.records.iter();
        let has = |open: &Open| !open.tasks.is_empty() || (any && open.has_tasks);
        records
            .filter(|(_, open)| has(open))
            .map(|(record, _)| *record)
            .collect()
    }

    /// The records in which an open task has this id, or one that begins so.
    pub(super) fn records_of_task(&self, word: &str) -> Vec<RecordId> {
        let records = self.deadlines.records.iter();
        let has = |open: &Open| open.tasks.iter().any(|task| task.id.starts_with(word));
        records
            .filter(|(_, open)| has(open))
            .map(|(record, _)| *record)
            .collect()
    }

    /// How many open tasks of a record are late.
    pub(in crate::node) fn late_tasks(&self, record: RecordId) -> usize {
        let now = now_ms();
        let open = self.deadlines.records.get(&record);
        let tasks = open.into_iter().flat_map(|open| &open.tasks);
        tasks
            .filter(|task| task.end_ms.is_some_and(|end| end <= now))
            .count()
    }

    /// When the next time of a task passes, or something else is to be looked at.
    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        let after = self.deadlines.said_ms.saturating_add(1);
        let mut loud = self.deadlines.loud.range((after, FIRST)..);
        let next = loud.next().map(|(at, _)| *at);
        let look = self.deadlines.looks.first().map(|(at, _)| *at);
        let still = self.deadlines.still_ms();
        next.into_iter().chain(look).chain(still).min()
    }

    /// Whether the time of a task has passed since this was asked last.
    pub(crate) fn deadlines_passed(&mut self) -> bool {
        let (said, now) = (self.deadlines.said_ms, now_ms());
        self.deadlines.said_ms = said.max(now);
        let mut loud = self.deadlines.loud.range((said.saturating_add(1), FIRST)..);
        loud.next().is_some_and(|(at, _)| *at <= now)
    }
}

#[cfg(test)]
mod tests {
    use kith_crdt::{DocumentId, Label, Section};
    use kith_protocol::{
        id::{DeviceId, EnvelopeId, RecordId},
        store::{ChainPosition, Item},
    };

    use super::{AT_ONCE, Deadlines, IN_TURN, MANY, STILL_MS, STILL_MS_MAX};
    use crate::node::now_ms;

    fn id(n: u8) -> RecordId {
        RecordId::from_bytes([n; 32])
    }

    #[test]
    fn what_comes_in_alone_is_looked_at_at_once_and_very_much_when_it_is_still() {
        let mut running = Deadlines {
            is_running: true,
            ..Deadlines::default()
        };
        let many: Vec<_> = (0..40).map(id).collect();
        assert!(many.len() > AT_ONCE);
        for record in &many {
            running.mark(*record);
        }
        let (_, now) = running.came_ms.expect("they came");
        assert!(running.take_due(now).is_empty(), "more may come in");
        running.mark(id(77));
        assert_eq!(running.take_due(now), [id(77)]);
        running.stale.remove(&id(77));
        let still = running.still_ms().expect("many wait");
        assert!(still > now);
        let first = running.take_due(still);
        assert_eq!(first, many[..IN_TURN]);
        for record in first {
            running.stale.remove(&record);
        }
        let next = running.still_ms().expect("some wait");
        assert!(next <= still + STILL_MS, "the rest has its turn soon");
        assert_eq!(running.take_due(next), many[IN_TURN..2 * IN_TURN]);

        let mut once = Deadlines::default();
        for record in &many {
            once.mark(*record);
        }
        assert_eq!(once.take_due(now_ms()), many, "nobody comes back");
    }

    #[test]
    fn what_waits_waits_on_while_many_entries_come_and_not_for_single_ones() {
        let entry = |n: u8| Item::Entry {
            record: id(n),
            document: DocumentId::first(Section::Results, Label::general()),
            id: EnvelopeId::from_bytes([n; 32]),
            position: ChainPosition {
                device: DeviceId::from_bytes([0; 32]),
                epoch: 0,
                seq: u64::from(n),
            },
            bytes: Vec::new(),
        };
        let entries: Vec<_> = (0..=17).map(entry).collect();
        assert!(entries.len() > MANY + 1);
        let waiting = || Deadlines {
            is_running: true,
            stale: [id(1)].into(),
            came_ms: Some((now_ms() - 1000, now_ms() - 1000)),
            ..Deadlines::default()
        };
        let due = |mut deadlines: Deadlines, items: &[Item]| {
            assert!(deadlines.touched(items).is_empty(), "no work hangs on it");
            deadlines.take_due(now_ms())
        };
        assert_eq!(due(waiting(), &entries[..1]), [id(1)]);
        assert_eq!(due(waiting(), &entries[..MANY]), [id(1)]);
        assert!(due(waiting(), &entries).is_empty());
        // What is written because of it puts off nothing.
        let settling = Deadlines {
            settling: Some(id(2)),
            ..waiting()
        };
        assert_eq!(due(settling, &entries), [id(1)]);
        let long = Deadlines {
            came_ms: Some((now_ms() - STILL_MS_MAX, now_ms() - 1000)),
            ..waiting()
        };
        assert_eq!(due(long, &entries), [id(1)], "it has its turn at last");
    }
}
