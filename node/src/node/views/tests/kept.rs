//! When a view is stored, used, and made again.

use kith_crdt::samples::sample_bundle;
use kith_protocol::{
    codec,
    store::{Item, Store},
};

use crate::{
    api::Request,
    health::search::{VIEW_VERSION, View},
    home::Unlock,
    node::{
        Node, Role,
        identity::{RowKind, row},
        peers::tests::Place,
        views::{Stored, name_of},
    },
};

#[test]
fn nothing_is_stored_before_it_is_used_and_only_what_changed_is_made_again() {
    let mut place = Place::of("Riverside", Role::Practice);
    let json = sample_bundle(5, 1, 200);
    let record = place.files(&json);
    place.notes(record, "Slept well");
    assert!(place.rows().is_empty(), "nothing is written by writing");
    let first = place.timeline(record);
    let rows = place.rows();
    assert!(rows.len() > 6, "a row for each document: {}", rows.len());
    let len: usize = rows
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(len < json.len() / 6, "{len} of {}", json.len());
    place.forgets();
    assert_eq!(place.timeline(record), first);
    assert_eq!(place.rows(), rows, "reading them writes nothing");

    place.notes(record, "Ate well");
    assert_eq!(place.rows(), rows);
    assert_eq!(place.timeline(record).len(), first.len() + 1);
    let after = place.rows();
    let changed = after.iter().filter(|row| !rows.contains(row)).count();
    assert_eq!(changed, 1, "the notes alone");
}

#[test]
fn a_stored_view_that_is_damaged_or_of_another_version_or_other_entries_is_made_again() {
    let mut place = Place::of("Riverside", Role::Practice);
    let record = place.files(&sample_bundle(5, 1, 60));
    let told = place.timeline(record);
    let whole = place.stored(record);
    assert!(whole.len() > 6 && whole.iter().all(Option::is_some));
    let mut loaded = place.loaded(record);
    let readers = place.node.readers(&mut loaded, &place.node.whoever());
    for (n, reader) in readers.iter().enumerate() {
        let name = name_of(record, reader.document());
        let key = RowKind::View.key(&name);
        for at in [3, 30, 400 + n] {
            let store = &place.node.store;
            assert!(store.flip_in_row(&key, at).expect("the index"));
            assert_eq!(store.row(&key).expect("the index"), None, "never served");
            place.forgets();
            assert_eq!(place.timeline(record), told);
            assert_eq!(place.stored(record), whole);
        }
        let bytes = place
            .node
            .store
            .row(&key)
            .expect("the index")
            .expect("a row");
        let empty = zstd::bulk::compress(&codec::encode(&View::default()), 1).expect("compressed");
        for (version, is_basis, is_refused) in [
            (VIEW_VERSION + 1, true, true),
            (VIEW_VERSION, false, true),
            (VIEW_VERSION, true, false),
        ] {
            let mut other: Stored = codec::decode_trusted(&bytes).expect("a stored view");
            other.version = version;
            other.basis[31] ^= u8::from(!is_basis);
            other.packed.clone_from(&empty);
            let other = row(RowKind::View, &name, &other);
            place.node.commit(vec![other]).expect("a row");
            place.forgets();
            // The last one shows that such a row would be seen if it were used.
            let is_empty = whole[n].as_ref().is_some_and(|view| view.rows.is_empty());
            assert_eq!(place.timeline(record) == told, is_refused || is_empty);
        }
        place
            .node
            .commit(vec![Item::Row { key, value: None }])
            .expect("it is taken away");
        place.forgets();
        assert_eq!(place.timeline(record), told);
    }
}

#[test]
fn a_node_that_runs_stores_what_is_small_when_it_rests_and_tells_the_same_before_and_after() {
    let mut place = Place::of("Riverside", Role::Practice);
    let small = place.files(&sample_bundle(5, 1, 60));
    let told = place.timeline(small);
    for (name, _) in place.rows() {
        let key = RowKind::View.key(&name);
        place
            .node
            .commit(vec![Item::Row { key, value: None }])
            .expect("it is taken away");
    }
    place.forgets();
    place.node.runs();
    assert_eq!(place.timeline(small), told);
    assert!(place.rows().is_empty(), "it is at hand");
    assert_eq!(place.timeline(small), told);
    place.notes(small, "Ate well");
    assert_eq!(place.timeline(small).len(), told.len() + 1);
    place.node.rest();
    let rows = place.rows();
    assert!(rows.len() > 6, "a row for each document: {}", rows.len());
    let made: Vec<_> = place.made(small).into_iter().map(Some).collect();
    assert_eq!(place.stored(small), made);
    place.node.rest();
    assert_eq!(place.timeline(small).len(), told.len() + 1);
    place.node.rest();
    assert_eq!(place.rows(), rows, "once");

    // What is large is stored with the look for which it was made.
    place.files(&sample_bundle(6, 2, 1_500));
    let large = place.node.people.iter().map(|(id, _)| *id);
    let large = large.into_iter().find(|id| *id != small).expect("another");
    place.timeline(large);
    assert!(place.rows().len() > rows.len());
}

#[test]
fn damage_in_the_log_is_said_though_the_views_are_whole() {
    let mut place = Place::of("Riverside", Role::Practice);
    let record = place.files(&sample_bundle(5, 1, 60));
    let log = place.node.home.folder().join("store").join("log");
    let log = log.join("00000000.seg");
    let imported = std::fs::metadata(&log).expect("the log").len();
    place.timeline(record);
    place.node.store.flush().expect("the index is written out");
    let mut bytes = std::fs::read(&log).expect("the log");
    let at = usize::try_from(imported).expect("a length") - 1000;
    bytes[at] ^= 8;
    std::fs::write(&log, bytes).expect("written");
    let home = place.node.home.clone();
    let Place {
        node,
        folder: _folder,
    } = place;
    drop(node);
    let mut node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    let record = record.to_string();
    for request in [
        Request::Timeline {
            record: record.clone(),
        },
        Request::Show { record },
    ] {
        let failure = node
            .handle(request, &mut |_| {})
            .expect_err("it is damaged");
        assert!(failure.to_string().contains("damaged"), "{failure}");
    }
}
