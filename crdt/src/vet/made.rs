//! The resources that a change makes, read from its operations alone and not yet understood.

use std::collections::BTreeMap;

use super::operation::{Action, Columns, Key, OpId, Operation};

/// A resource that a change makes.
pub(super) struct Made<'a> {
    /// Its id, as the change has it.
    pub(super) id: &'a str,
    pub(super) members: BTreeMap<&'a str, Member<'a>>,
}

/// A member of a resource.
pub(super) enum Member<'a> {
    Text(&'a str),
    /// The items from the first to the last, each with the counter of what inserted it.
    List(Vec<(u64, &'a str)>),
}

/// The resources in the order of the operations that begin them. Nothing where the change does
/// anything but make resources, each member once and each list from its beginning to its end.
pub(super) fn read<'a>(mut columns: Columns<'a>, start_op: u64) -> Option<Vec<Made<'a>>> {
    let mut reading = Reading::default();
    let mut counter = start_op;
    while let Some(operation) = columns.next().ok()? {
        reading.step(counter, &operation)?;
        counter += 1;
    }
    Some(reading.made.into_values().collect())
}

/// What was read so far, by the counters of what it was begun with.
#[derive(Default)]
struct Reading<'a> {
    made: BTreeMap<u64, Made<'a>>,
    lists: BTreeMap<u64, (u64, &'a str)>,
}

impl<'a> Reading<'a> {
    fn step(&mut self, own: u64, operation: &Operation<'a>) -> Option<()> {
        if operation.replaced > 0 {
            return None;
        }
        let object = match operation.object {
            None => None,
            Some(OpId { actor: 0, counter }) => Some(counter),
            Some(_) => return None,
        };
        match (object, operation.key, operation.action) {
            (None, Key::Name(id), Action::MakeMap) => {
                let members = BTreeMap::new();
                self.made.insert(own, Made { id, members });
                Some(())
            }
            (Some(resource), Key::Name(name), Action::Set(text)) => {
                self.member(resource, name, Member::Text(text))
            }
            (Some(resource), Key::Name(name), Action::MakeList) => {
                self.lists.insert(own, (resource, name));
                self.member(resource, name, Member::List(Vec::new()))
            }
            (Some(list), key, Action::Set(text)) if operation.insert => {
                let (resource, name) = self.lists.get(&list)?;
                let members = &mut self.made.get_mut(resource)?.members;
                let Member::List(items) = members.get_mut(name)? else {
                    return None;
                };
                let follows = match (key, items.last()) {
                    (Key::Start, None) => true,
                    (Key::Item(before), Some((last, _))) => {
                        before.actor == 0 && before.counter == *last
                    }
                    _ => false,
                };
                items.push((own, text));
                follows.then_some(())
            }
            _ => None,
        }
    }

    fn member(&mut self, resource: u64, name: &'a str, member: Member<'a>) -> Option<()> {
        let members = &mut self.made.get_mut(&resource)?.members;
        members.insert(name, member).is_none().then_some(())
    }
}
