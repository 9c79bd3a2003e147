//! The resources that a change makes, read from its operations alone.

use std::collections::BTreeMap;

use super::{
    Change,
    operation::{Action, Key, OpId, Operation},
};
use crate::{
    ChangeHash, ResourceId,
    document::{Held, HeldUnit, Item, UnitContent, Version, member},
    resource::Meta,
};

/// Nothing where the change does anything but make resources.
pub(super) fn read(change: Change<'_>, hash: ChangeHash) -> Option<Vec<Held>> {
    let mut columns = change.columns;
    let actor = *change.head.actors.first()?;
    let mut making = Making {
        actor: data_encoding::HEXLOWER.encode(&actor.0),
        hash,
        made: BTreeMap::new(),
        lists: BTreeMap::new(),
    };
    let mut counter = change.head.start_op;
    while let Some(operation) = columns.next().ok()? {
        making.step(OpId { actor: 0, counter }, &operation)?;
        counter += 1;
    }
    let made = making.made.into_values();
    made.map(|made| made.finish(hash)).collect()
}

/// What was read so far.
struct Making {
    /// As the ids of items name it.
    actor: String,
    hash: ChangeHash,
    made: BTreeMap<OpId, Made>,
    lists: BTreeMap<OpId, List>,
}

struct Made {
    id: ResourceId,
    meta: Option<Meta>,
    order: Option<Vec<String>>,
    units: BTreeMap<String, UnitContent>,
}

/// A list that is being filled, one item after the other.
struct List {
    of: OpId,
    unit: String,
    last: Option<OpId>,
}

impl Making {
    fn step(&mut self, own: OpId, operation: &Operation<'_>) -> Option<()> {
        if operation.replaced > 0 {
            return None;
        }
        match (operation.object, operation.key, operation.action) {
            (None, Key::Name(name), Action::MakeMap) => {
                let made = Made {
                    id: ResourceId::parse(name)?,
                    meta: None,
                    order: None,
                    units: BTreeMap::new(),
                };
                self.made.insert(own, made);
                Some(())
            }
            (Some(object), Key::Name(name), action) => {
                let made = self.made.get_mut(&object)?;
                if let Action::MakeList = action {
                    let list = List {
                        of: object,
                        unit: name.to_owned(),
                        last: None,
                    };
                    self.lists.insert(own, list);
                }
                made.member(name, action, self.hash)
            }
            (Some(object), key, Action::Set(text)) if operation.insert => {
                let list = self.lists.get_mut(&object)?;
                let follows = match (key, list.last) {
                    (Key::Start, None) => true,
                    (Key::Item(before), Some(last)) => before == last,
                    _ => false,
                };
                list.last = Some(own);
                let made = self.made.get_mut(&list.of)?;
                match made.units.get_mut(&list.unit) {
                    Some(UnitContent::List(items)) if follows => items.push(Item {
                        id: format!("{}@{}", own.counter, self.actor),
                        text: text.to_owned(),
                        writer: self.hash,
                        beside: Vec::new(),
                        removed: false,
                    }),
                    Some(_) | None => return None,
                }
                Some(())
            }
            _ => None,
        }
    }
}

impl Made {
    fn member(&mut self, name: &str, action: Action<'_>, writer: ChangeHash) -> Option<()> {
        match (name, action) {
            (member::META, Action::Set(text)) if self.meta.is_none() => {
                self.meta = Some(member::meta(text)?);
            }
            (member::ORDER, Action::Set(text)) if self.order.is_none() => {
                self.order = Some(member::order(text));
            }
            _ if name.starts_with('$') || self.units.contains_key(name) => return None,
            (_, Action::Set(text)) => {
                let text = text.to_owned();
                let version = UnitContent::Register(vec![Version { text, writer }]);
                self.units.insert(name.to_owned(), version);
            }
            (_, Action::MakeList) => {
                let empty = UnitContent::List(Vec::new());
                self.units.insert(name.to_owned(), empty);
            }
            (_, Action::MakeMap | Action::Delete) => return None,
        }
        Some(())
    }

    fn finish(self, created: ChangeHash) -> Option<Held> {
        let units = self.units.into_iter().map(|(name, content)| HeldUnit {
            name,
            content,
            decided: Vec::new(),
        });
        Some(Held {
            id: self.id,
            meta: self.meta?,
            created,
            order: self.order.unwrap_or_default(),
            units: units.collect(),
            retractions: Vec::new(),
            carried: BTreeMap::new(),
        })
    }
}
