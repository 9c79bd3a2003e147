//! The items of a list: who wrote each, what else stands at its place, and whether someone took it
//! away at the same time as another changed it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use automerge::{Automerge, ObjId, ReadDoc, ScalarValueRef, ValueRef, legacy};

use super::{ChangeHash, Item, Version, member::CarriedItem};

/// What a reading has looked up in the changes, which automerge's view of a list does not tell.
#[derive(Default)]
pub(super) struct History {
    /// By change: the items that its operations, by counter, give a new text.
    edited: RefCell<BTreeMap<ChangeHash, BTreeMap<u64, String>>>,
    /// By change: the items that changes outside its past take away.
    removed: RefCell<BTreeMap<ChangeHash, BTreeSet<String>>>,
}

impl History {
    /// The item that an operation of `writer` edits, or nothing where it inserts one.
    fn edited(&self, document: &Automerge, writer: ChangeHash, counter: u64) -> Option<String> {
        let mut known = self.edited.borrow_mut();
        let edited = known
            .entry(writer)
            .or_insert_with(|| edited_by(document, writer));
        edited.get(&counter).cloned()
    }

    /// Whether a change that `writer` did not know takes the item away.
    fn removed_beside(&self, document: &Automerge, writer: ChangeHash, item: &str) -> bool {
        let mut known = self.removed.borrow_mut();
        let removed = known
            .entry(writer)
            .or_insert_with(|| removed_outside_the_past_of(document, writer));
        removed.contains(item)
    }
}

fn edited_by(document: &Automerge, writer: ChangeHash) -> BTreeMap<u64, String> {
    let Some(change) = document.get_change_by_hash(&writer) else {
        return BTreeMap::new();
    };
    let operations = change.decode().operations.into_iter();
    let edits = (change.start_op().get()..).zip(operations);
    edits
        .filter(|(_, operation)| !operation.insert)
        .filter_map(|(counter, operation)| Some((counter, item_of(&operation.key)?)))
        .collect()
}

fn removed_outside_the_past_of(document: &Automerge, writer: ChangeHash) -> BTreeSet<String> {
    let changes = document.get_changes(&[writer]);
    let operations = changes.iter().flat_map(|change| change.decode().operations);
    operations
        .filter(|operation| operation.action == legacy::OpType::Delete)
        .filter_map(|operation| item_of(&operation.key))
        .collect()
}

fn item_of(key: &legacy::Key) -> Option<String> {
    match key {
        legacy::Key::Seq(legacy::ElementId::Id(id)) => Some(id.to_string()),
        legacy::Key::Seq(legacy::ElementId::Head) | legacy::Key::Map(_) => None,
    }
}

/// The items of a list in order; `carried` are those of an earlier epoch, by counter.
pub(super) fn items(
    document: &Automerge,
    list: &ObjId,
    carried: Option<&BTreeMap<u64, CarriedItem>>,
    history: &History,
) -> Vec<Item> {
    let maker = document.hash_for_opid(list);
    document
        .list_range(list, ..)
        .filter_map(|place| {
            let value = place.id();
            let writer = document.hash_for_opid(&value)?;
            // Vetting sees to it that no change edits an item that it inserts.
            let edited = if Some(writer) == maker {
                None
            } else {
                history.edited(document, writer, counter(&value)?)
            };
            let is_edited = edited.is_some();
            let mut item = Item {
                id: edited.unwrap_or_else(|| value.to_string()),
                text: text(&place.value)?.to_owned(),
                writer,
                beside: Vec::new(),
                removed: false,
            };
            if place.conflict {
                item.beside = beside(document, list, place.index);
            }
            if is_edited {
                let is_removed = |writer| history.removed_beside(document, writer, &item.id);
                let removed = item.writers().any(is_removed);
                item.removed = removed;
            }
            let inserted = item.id.split_once('@')?.0.parse().ok()?;
            Some(match carried.and_then(|carried| carried.get(&inserted)) {
                Some(carried) => of_earlier_epoch(item, is_edited, carried),
                None => item,
            })
        })
        .collect()
}

/// An item keeps its id over epochs, and its writer until someone changes it.
fn of_earlier_epoch(item: Item, is_edited: bool, carried: &CarriedItem) -> Item {
    if is_edited {
        let id = carried.id.clone();
        return Item { id, ..item };
    }
    let beside = carried.beside.iter().map(|version| Version {
        text: version.text.clone().unwrap_or_default(),
        writer: version.writer.0,
    });
    Item {
        id: carried.id.clone(),
        text: item.text,
        writer: carried.writer.0,
        beside: beside.collect(),
        removed: carried.removed,
    }
}

fn counter(operation: &ObjId) -> Option<u64> {
    match operation {
        ObjId::Id(counter, _, _) => Some(*counter),
        ObjId::Root => None,
    }
}

/// The other texts at a place, the one that automerge shows first left out.
fn beside(document: &Automerge, list: &ObjId, place: usize) -> Vec<Version> {
    let all = document.get_all(list, place).unwrap_or_else(|_| Vec::new());
    let versions = all.into_iter().rev().skip(1).filter_map(|(value, id)| {
        Some(Version {
            text: value.as_str()?.to_owned(),
            writer: document.hash_for_opid(&id)?,
        })
    });
    versions.collect()
}

/// The text of a value.
pub(super) fn text<'a>(value: &'a ValueRef<'_>) -> Option<&'a str> {
    match value {
        ValueRef::Scalar(ScalarValueRef::Str(text)) => Some(text),
        ValueRef::Scalar(_) | ValueRef::Object(_) => None,
    }
}
