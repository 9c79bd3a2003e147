//! What every [`Store`] must do, as functions that panic where one does not.
//!
//! Each takes a [`Harness`] that opens the same store again, as after a restart.

use kith_crdt::{DocumentId, Label, Section};

use super::{ChainPosition, Item, JournalPosition, RowKey, Store};
use crate::{
    consent::cut::CutPlace,
    id::{DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    logs::LogId,
};

/// Opens one store again and again.
pub trait Harness {
    /// The store.
    type Store: Store;

    /// Opens it as it was left.
    fn open(&mut self) -> Self::Store;
}

/// Runs everything; each function needs an empty store, made by `fresh`.
pub fn run<H: Harness>(mut fresh: impl FnMut() -> H) {
    what_was_committed_comes_back(&mut fresh());
    the_same_thing_twice_is_one_thing(&mut fresh());
    rows_are_replaced_and_taken_away(&mut fresh());
    the_journal_is_in_order(&mut fresh());
    chains_end_where_their_last_entry_is(&mut fresh());
    events_have_chains_too(&mut fresh());
    a_chain_that_came_in_order_is_straight(&mut fresh());
    blobs_come_back_by_their_hash(&mut fresh());
    large_commits_come_back_whole(&mut fresh());
}

/// An id made of one number.
pub fn bytes(n: u32) -> [u8; 32] {
    *blake3::hash(&n.to_be_bytes()).as_bytes()
}

fn document(section: Section) -> DocumentId {
    DocumentId::first(section, Label::general())
}

/// An entry item.
pub fn entry(record: u32, section: Section, n: u32, content: &[u8]) -> Item {
    Item::Entry {
        record: RecordId::from_bytes(bytes(record)),
        document: document(section),
        id: EnvelopeId::from_bytes(bytes(n)),
        position: ChainPosition {
            device: DeviceId::from_bytes(bytes(7)),
            epoch: 0,
            seq: u64::from(n),
        },
        bytes: content.to_vec(),
    }
}

fn event(record: u32, n: u32) -> Item {
    let log = LogId::Core(Some(RecordId::from_bytes(bytes(record))));
    event_at(log, u64::from(n), n)
}

fn event_at(log: LogId, seq: u64, n: u32) -> Item {
    Item::Event {
        log,
        id: EventId::from_bytes(bytes(n)),
        bytes: n.to_be_bytes().to_vec(),
        position: ChainPosition {
            device: DeviceId::from_bytes(bytes(7)),
            epoch: 0,
            seq,
        },
    }
}

fn entry_at(record: u32, section: Section, seq: u64, n: u32) -> Item {
    let mut item = entry(record, section, n, b"x");
    if let Item::Entry { position, .. } = &mut item {
        position.seq = seq;
    }
    item
}

fn row(name: &[u8], value: Option<&[u8]>) -> Item {
    Item::Row {
        key: RowKey {
            kind: 3,
            name: name.to_vec(),
        },
        value: value.map(|value| serde_bytes::ByteBuf::from(value.to_vec())),
    }
}

fn what_was_committed_comes_back<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    let items = vec![
        event(1, 10),
        entry(1, Section::Plans, 20, b"a plan"),
        entry(1, Section::Letters, 21, b"a letter"),
        entry(2, Section::Plans, 22, b"another's"),
    ];
    store.commit(items).expect("a commit");
    let check = |store: &H::Store| {
        let record = RecordId::from_bytes(bytes(1));
        let log = LogId::Core(Some(record));
        let id = EnvelopeId::from_bytes(bytes(20));
        let events = store.events(&log).expect("events");
        assert_eq!(
            events,
            [(
                EventId::from_bytes(bytes(10)),
                10_u32.to_be_bytes().to_vec()
            )]
        );
        let plans = store
            .entries(&record, &document(Section::Plans))
            .expect("entries");
        assert_eq!(plans, [(id, b"a plan".to_vec())]);
        let found = store.entry(&id).expect("an entry");
        assert_eq!(
            found,
            Some((record, document(Section::Plans), b"a plan".to_vec()))
        );
        assert_eq!(store.records().expect("records").len(), 2);
        assert_eq!(store.documents(&record).expect("documents").len(), 2);
        let came = |n| {
            store
                .came(&RecordId::from_bytes(bytes(n)))
                .expect("a number")
        };
        assert!(came(1) < came(2) && came(2) < came(3), "none is here of 3");
        assert_eq!(store.logs(&record).expect("logs"), [log]);
        assert!(
            !store
                .has_entry(&EnvelopeId::from_bytes(bytes(99)))
                .expect("an answer")
        );
    };
    check(&store);
    drop(store);
    check(&harness.open());
}

fn the_same_thing_twice_is_one_thing<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    let items = vec![event(1, 10), entry(1, Section::Plans, 20, b"a plan")];
    let first = store.commit(items.clone()).expect("a commit");
    let second = store.commit(items.clone()).expect("a commit");
    assert_eq!(first, second);
    let twice = [items.clone(), items].concat();
    assert_eq!(store.commit(twice).expect("a commit"), first);
    drop(store);
    let record = RecordId::from_bytes(bytes(1));
    let store = harness.open();
    let ids = store
        .entry_ids(&record, &document(Section::Plans))
        .expect("ids");
    assert_eq!(ids.len(), 1);
}

fn rows_are_replaced_and_taken_away<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    store
        .commit(vec![row(b"a", Some(b"1")), row(b"b", Some(b"2"))])
        .expect("a commit");
    store
        .commit(vec![row(b"a", Some(b"3")), row(b"b", None)])
        .expect("a commit");
    drop(store);
    let store = harness.open();
    assert_eq!(
        store.rows(3).expect("rows"),
        [(b"a".to_vec(), b"3".to_vec())]
    );
    let key = RowKey {
        kind: 3,
        name: b"b".to_vec(),
    };
    assert_eq!(store.row(&key).expect("a row"), None);
    assert!(store.rows(4).expect("rows").is_empty());
}

fn the_journal_is_in_order<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    for n in 0..5 {
        store
            .commit(vec![
                entry(1, Section::Plans, n, b"x"),
                row(b"r", Some(b"1")),
            ])
            .expect("a commit");
    }
    drop(store);
    let store = harness.open();
    let all = store
        .journal(JournalPosition::default(), 100)
        .expect("the journal");
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    let rest = store.journal(all[2].0, 1).expect("the journal");
    assert_eq!(rest, all[3..4]);
}

fn chains_end_where_their_last_entry_is<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    let items = (0..4)
        .map(|n| entry(n % 2, Section::Plans, n, b"x"))
        .collect();
    store.commit(items).expect("a commit");
    drop(store);
    let store = harness.open();
    let device = DeviceId::from_bytes(bytes(7));
    let mut ends = store.chains(&device, None).expect("chains");
    ends.sort_by_key(|end| end.position.seq);
    let seqs: Vec<_> = ends.iter().map(|end| end.position.seq).collect();
    assert_eq!(seqs, [2, 3]);
    let record = RecordId::from_bytes(bytes(1));
    let of_one = store.chains(&device, Some(&record)).expect("chains");
    assert_eq!(of_one.len(), 1);
    assert_eq!(of_one[0].id, EnvelopeId::from_bytes(bytes(3)));
}

fn events_have_chains_too<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    let record = RecordId::from_bytes(bytes(1));
    let core = LogId::Core(Some(record));
    let private = LogId::Label(record, Label::private());
    let own = LogId::Principal(PrincipalId::from_bytes(bytes(9)));
    let items = vec![
        event_at(core.clone(), 0, 30),
        event_at(core, 1, 31),
        event_at(private, 0, 32),
        event_at(own, 0, 33),
        event_at(LogId::Core(Some(RecordId::from_bytes(bytes(2)))), 0, 34),
        entry_at(1, Section::Plans, 0, 35),
    ];
    store.commit(items).expect("a commit");
    drop(store);
    let store = harness.open();
    let device = DeviceId::from_bytes(bytes(7));
    let ends = store.chains(&device, Some(&record)).expect("chains");
    let mut ends: Vec<_> = ends
        .into_iter()
        .map(|end| (end.place, end.position.seq, end.id))
        .collect();
    ends.sort();
    let last = |n| EnvelopeId::from_bytes(bytes(n));
    let expected = [
        (CutPlace::Document(document(Section::Plans)), 0, last(35)),
        (CutPlace::Core, 1, last(31)),
        (CutPlace::Label(Label::private()), 0, last(32)),
    ];
    assert_eq!(ends, expected);
    let labels = store.labels().expect("labels");
    let own = [Label::general(), Label::private()].into();
    assert_eq!(labels.get(&record), Some(&own));
    let other = RecordId::from_bytes(bytes(2));
    assert_eq!(labels.get(&other), Some(&std::collections::BTreeSet::new()));
    let all = store.chains(&device, None).expect("chains");
    assert_eq!(all.len(), 4, "a principal's log is no part of a record");
}

fn a_chain_that_came_in_order_is_straight<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    // In order; with a hole; late; with a branch.
    let sections = [
        (Section::Plans, [0, 1, 2]),
        (Section::Letters, [0, 2, 3]),
        (Section::Tasks, [1, 0, 2]),
        (Section::Results, [0, 1, 1]),
    ];
    let mut n = 40;
    for (section, seqs) in sections {
        for seq in seqs {
            n += 1;
            store
                .commit(vec![entry_at(1, section, seq, n)])
                .expect("a commit");
        }
    }
    drop(store);
    let store = harness.open();
    let device = DeviceId::from_bytes(bytes(7));
    let straight = |section: Section| {
        let ends = store.chains(&device, None).expect("chains");
        let place = CutPlace::Document(document(section));
        let end = ends.into_iter().find(|end| end.place == place);
        end.map(|end| (end.is_straight, end.position.seq, end.id))
    };
    let last = |n| EnvelopeId::from_bytes(bytes(n));
    assert_eq!(straight(Section::Plans), Some((true, 2, last(43))));
    assert_eq!(straight(Section::Letters), Some((false, 3, last(46))));
    assert_eq!(straight(Section::Tasks), Some((false, 2, last(49))));
    assert_eq!(straight(Section::Results), Some((false, 1, last(51))));
}

fn blobs_come_back_by_their_hash<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    let content = vec![5; 100_000];
    let id = store.put_blob(&content).expect("a blob");
    assert_eq!(id.as_bytes(), blake3::hash(&content).as_bytes());
    assert_eq!(store.put_blob(&content).expect("a blob"), id);
    drop(store);
    let store = harness.open();
    assert_eq!(store.blob(&id).expect("a blob"), Some(content));
}

fn large_commits_come_back_whole<H: Harness>(harness: &mut H) {
    let mut store = harness.open();
    let content = |n: u32| blake3::hash(&n.to_be_bytes()).as_bytes().repeat(2000);
    let items = (0..60)
        .map(|n| entry(1, Section::Plans, n, &content(n)))
        .collect();
    store.commit(items).expect("a commit");
    drop(store);
    let record = RecordId::from_bytes(bytes(1));
    let store = harness.open();
    let held = store
        .entries(&record, &document(Section::Plans))
        .expect("entries");
    let expected: Vec<_> = (0..60)
        .map(|n| (EnvelopeId::from_bytes(bytes(n)), content(n)))
        .collect();
    assert_eq!(held, expected);
}
