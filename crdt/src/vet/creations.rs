//! The resources that a change makes, read from its operations alone.

use std::collections::BTreeMap;

use super::{
    Change,
    operation::{Action, Key, OpId, Operation},
};
use crate::{
    document::member,
    resource::{Body, Meta, Resource, UnitText},
};

/// Nothing where the change does anything but make resources.
pub(super) fn read(change: Change<'_>) -> Option<Vec<Resource>> {
    let mut columns = change.columns;
    let mut making = Making::default();
    let mut counter = change.head.start_op;
    while let Some(operation) = columns.next().ok()? {
        making.step(OpId { actor: 0, counter }, &operation)?;
        counter += 1;
    }
    making.made.into_values().map(Made::finish).collect()
}

/// What was read so far.
#[derive(Default)]
struct Making {
    made: BTreeMap<OpId, Made>,
    lists: BTreeMap<OpId, List>,
}

#[derive(Default)]
struct Made {
    meta: Option<Meta>,
    order: Vec<String>,
    units: BTreeMap<String, UnitText>,
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
            (None, Key::Name(_), Action::MakeMap) => {
                self.made.insert(own, Made::default());
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
                made.member(name, action)
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
                    Some(UnitText::List(items)) if follows => items.push(text.to_owned()),
                    Some(_) | None => return None,
                }
                Some(())
            }
            _ => None,
        }
    }
}

impl Made {
    fn member(&mut self, name: &str, action: Action<'_>) -> Option<()> {
        match (name, action) {
            (member::META, Action::Set(text)) if self.meta.is_none() => {
                self.meta = Some(member::meta(text)?);
            }
            (member::ORDER, Action::Set(text)) if self.order.is_empty() => {
                self.order = member::order(text);
            }
            _ if name.starts_with('$') || self.units.contains_key(name) => return None,
            (_, Action::Set(text)) => {
                let text = UnitText::Register(text.to_owned());
                self.units.insert(name.to_owned(), text);
            }
            (_, Action::MakeList) => {
                let empty = UnitText::List(Vec::new());
                self.units.insert(name.to_owned(), empty);
            }
            (_, Action::MakeMap | Action::Delete) => return None,
        }
        Some(())
    }

    fn finish(self) -> Option<Resource> {
        let empty = |unit: &UnitText| matches!(unit, UnitText::List(items) if items.is_empty());
        let units = self.units.into_iter().filter(|(_, unit)| !empty(unit));
        Some(Resource {
            meta: self.meta?,
            body: Body {
                order: self.order,
                units: units.collect(),
            },
        })
    }
}
