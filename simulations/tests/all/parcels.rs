//! Many records go together, and what goes together has one label.

use std::collections::BTreeSet;

use kith_crdt::Label;
use kith_protocol::{
    codec, intake,
    sync::{Kind, Message, OfRecord, Together},
};
use kith_simulations::{Sight, World};

const RECORDS: usize = 30;
const DOCUMENTS: [&str; 4] = [
    "plans:general",
    "letters:general",
    "letters:private",
    "results:general",
];

fn batches_of(frame: &[u8]) -> Option<Vec<OfRecord>> {
    let Ok(Message::Items { batches, .. }) = codec::decode(frame) else {
        return None;
    };
    Some(batches)
}

/// The labels of the entries of a parcel, and whether there are rights beside them.
fn held(batches: &[OfRecord]) -> (BTreeSet<Label>, bool) {
    let items = batches.iter().flat_map(|batch| &batch.items);
    let (entries, rights): (Vec<_>, Vec<_>) = items.partition(|item| item.kind == Kind::Entry);
    let label = |item: &kith_protocol::sync::Carried| {
        let entry = intake::entry(&item.bytes).expect("an entry");
        entry.header.value().document.label.clone()
    };
    (entries.into_iter().map(label).collect(), !rights.is_empty())
}

#[test]
fn many_records_are_given_in_few_parcels_and_no_parcel_mixes_labels() {
    let mut world = World::new(21);
    let (practice, daughter) = (world.host(), world.host());
    let records: Vec<_> = (0..RECORDS).map(|_| world.record(practice)).collect();
    world.know(practice, daughter, records[0]);
    world.cut(practice, daughter);
    for record in &records {
        for document in DOCUMENTS {
            assert!(world.write(practice, *record, document, document));
        }
        world.share(practice, *record, daughter, &DOCUMENTS.map(Sight::sees));
    }
    world.frames.clear();
    world.mend(practice, daughter);
    world.run_for(600_000);

    let mut all = DOCUMENTS.map(str::to_owned);
    all.sort_unstable();
    for record in &records {
        assert_eq!(world.texts(daughter, *record), all);
    }
    let given = world.frames.iter().filter(|frame| frame.0 == practice);
    let parcels: Vec<_> = given.filter_map(|frame| batches_of(&frame.2)).collect();
    assert!(parcels.len() < RECORDS, "{} parcels", parcels.len());
    for parcel in &parcels {
        let (labels, with_rights) = held(parcel);
        assert!(labels.len() + usize::from(with_rights) <= 1, "{labels:?}");
    }
    // What is compressed together has one label too.
    let first = world.together.len() - world.frames.len();
    let mut before = None;
    let mut gone_on = 0;
    for (frame, together) in world.frames.iter().zip(&world.together[first..]) {
        let Some(parcel) = batches_of(&frame.2).filter(|_| frame.0 == practice) else {
            assert!(frame.0 != practice || *together == Together::Alone);
            continue;
        };
        let labels = held(&parcel).0;
        match together {
            Together::Begins => {}
            Together::GoesOn => {
                assert_eq!(before.as_ref(), Some(&labels));
                gone_on += 1;
            }
            Together::Alone => panic!("a parcel by itself"),
        }
        before = Some(labels);
    }
    assert!(gone_on > 0);
    let private = Label::private();
    let of_private = |parcel: &&Vec<OfRecord>| held(parcel).0.contains(&private);
    let of_private: Vec<_> = parcels.iter().filter(of_private).collect();
    assert_eq!(of_private.len(), 1);
    assert_eq!(of_private[0].len(), RECORDS);
}
