//! Whether operations stay in the layout of a record's document.
//!
//! At the root resources are made; in a resource stand registers (text), lists of text and the
//! members that kith writes (`document.rs`). Every reference points back, and what an operation
//! replaces stands where the operation acts.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    COUNTER_MAX, Refusal,
    operation::{Action, Columns, Head, Key, OpId, Operation},
};
use crate::document::{ResourceId, member};

/// What the walk found.
pub(super) struct Walked {
    pub(super) op_count: u64,
    pub(super) carries_over: bool,
    pub(super) names_attachments: bool,
}

/// Reads all operations.
pub(super) fn walk(head: &Head, mut columns: Columns<'_>) -> Result<Walked, Refusal> {
    let mut walk = Walk::new(head);
    while let Some(operation) = columns.next()? {
        walk.step(&operation, &mut columns)?;
    }
    columns.finish()?;
    walk.finish()
}

/// What an operation of this change left behind.
#[derive(Clone, Copy)]
struct Made<'a> {
    object: Option<OpId>,
    /// Where it stands: an inserted item stands at itself.
    at: Key<'a>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Resource,
    List,
    Item,
    Text,
    Gone,
}

/// What an object is, as far as the bytes tell.
#[derive(Clone, Copy, PartialEq)]
enum Object {
    Resource,
    List,
}

struct Walk<'h, 'a> {
    head: &'h Head,
    used: Vec<bool>,
    made: Vec<Made<'a>>,
    replaced: usize,
    elsewhere: BTreeMap<OpId, Object>,
    resources: BTreeSet<&'a str>,
    metas: usize,
    carried: usize,
    names_attachments: bool,
}

impl<'h, 'a> Walk<'h, 'a> {
    fn new(head: &'h Head) -> Self {
        let mut used = vec![false; head.actors.len()];
        used[0] = true;
        Self {
            head,
            used,
            made: Vec::new(),
            replaced: 0,
            elsewhere: BTreeMap::new(),
            resources: BTreeSet::new(),
            metas: 0,
            carried: 0,
            names_attachments: false,
        }
    }

    fn step(
        &mut self,
        operation: &Operation<'a>,
        columns: &mut Columns<'a>,
    ) -> Result<(), Refusal> {
        let own = self.next_id()?;
        let at = match (operation.insert, operation.key) {
            (true, _) => Key::Item(own),
            (false, key) => key,
        };
        let is_fresh = operation.object.is_some_and(|object| self.is_own(object));
        self.replaces(operation, at, is_fresh, columns)?;
        let kind = match operation.object {
            None => self.at_root(operation)?,
            Some(object) => match self.object(object, operation.key)? {
                Object::Resource => self.in_resource(operation, is_fresh)?,
                Object::List => self.in_list(object, operation)?,
            },
        };
        self.made.push(Made {
            object: operation.object,
            at,
            kind,
        });
        Ok(())
    }

    fn finish(self) -> Result<Walked, Refusal> {
        if self.made.is_empty() {
            return Err(Refusal::Empty);
        }
        if !self.used.into_iter().all(|used| used) {
            return Err(Refusal::ActorUnused);
        }
        if self.metas != self.resources.len() {
            return Err(Refusal::NoMeta);
        }
        let carries_over = self.carried > 0;
        if carries_over && (self.carried != self.metas || !self.head.first_of_document) {
            return Err(Refusal::CarryOver);
        }
        if !carries_over {
            let (actor, start_op) = (self.head.actors[0], self.head.start_op);
            for ordinal in 0..self.resources.len() {
                let id = ResourceId::derive(&actor, start_op, ordinal);
                if !self.resources.contains(id.as_str()) {
                    return Err(Refusal::ResourceId);
                }
            }
        }
        Ok(Walked {
            op_count: self.made.len() as u64,
            carries_over,
            names_attachments: self.names_attachments,
        })
    }

    /// The id of the operation that comes next.
    fn next_id(&self) -> Result<OpId, Refusal> {
        if self.made.len() >= self.head.operations_max {
            return Err(Refusal::ManyOperations(self.head.operations_max));
        }
        let counter = self.head.start_op + self.made.len() as u64;
        if counter > COUNTER_MAX {
            return Err(Refusal::Counter);
        }
        Ok(OpId { actor: 0, counter })
    }

    const fn is_own(&self, id: OpId) -> bool {
        id.actor == 0 && id.counter >= self.head.start_op
    }

    /// What stands behind a reference: an operation of this change before the present one, or
    /// nothing known where it is older.
    fn look_up(&mut self, id: OpId) -> Result<Option<Made<'a>>, Refusal> {
        let used = self.used.get_mut(id.actor).ok_or(Refusal::Reference)?;
        *used = true;
        if self.is_own(id) {
            let place = usize::try_from(id.counter - self.head.start_op);
            let made = place.ok().and_then(|place| self.made.get(place));
            made.copied().map(Some).ok_or(Refusal::Reference)
        } else if id.counter < self.head.start_op {
            Ok(None)
        } else {
            Err(Refusal::Reference)
        }
    }

    fn replaces(
        &mut self,
        operation: &Operation<'a>,
        at: Key<'a>,
        is_fresh: bool,
        columns: &mut Columns<'a>,
    ) -> Result<(), Refusal> {
        let mut before = None;
        for _ in 0..operation.replaced {
            self.replaced += 1;
            if self.replaced > self.head.operations_max {
                return Err(Refusal::ManyOperations(self.head.operations_max));
            }
            let id = columns.next_replaced()?;
            let stands = match self.look_up(id)? {
                Some(made) => {
                    made.object == operation.object && made.at == at && made.kind != Kind::Gone
                }
                None => !is_fresh && operation.object.is_some(),
            };
            if !stands {
                return Err(Refusal::Replaces);
            }
            let order = Some((id.counter, self.head.actors[id.actor]));
            if before >= order {
                return Err(Refusal::ReplacesOrder);
            }
            before = order;
        }
        Ok(())
    }

    fn at_root(&mut self, operation: &Operation<'a>) -> Result<Kind, Refusal> {
        match (operation.key, operation.action) {
            (Key::Name(name), Action::MakeMap)
                if !operation.insert
                    && operation.replaced == 0
                    && ResourceId::parse(name).is_some()
                    && self.resources.insert(name) =>
            {
                Ok(Kind::Resource)
            }
            (
                Key::Name(_) | Key::Start | Key::Item(_),
                Action::MakeMap | Action::MakeList | Action::Set(_) | Action::Delete,
            ) => Err(Refusal::Root),
        }
    }

    /// What the object is; one from elsewhere is what the first key in it says.
    fn object(&mut self, id: OpId, key: Key<'a>) -> Result<Object, Refusal> {
        let by_key = match key {
            Key::Name(_) => Object::Resource,
            Key::Start | Key::Item(_) => Object::List,
        };
        let is = match self.look_up(id)?.map(|made| made.kind) {
            Some(Kind::Resource) => Object::Resource,
            Some(Kind::List) => Object::List,
            Some(Kind::Item | Kind::Text | Kind::Gone) => return Err(Refusal::Reference),
            None => *self.elsewhere.entry(id).or_insert(by_key),
        };
        if is == by_key {
            Ok(is)
        } else {
            Err(Refusal::Key)
        }
    }

    fn in_resource(&mut self, operation: &Operation<'a>, is_fresh: bool) -> Result<Kind, Refusal> {
        let Key::Name(name) = operation.key else {
            return Err(Refusal::Key);
        };
        if operation.insert {
            return Err(Refusal::Member);
        }
        if name.starts_with('$') {
            let Action::Set(text) = operation.action else {
                return Err(Refusal::Member);
            };
            return self.own_member(name, text, is_fresh && operation.replaced == 0);
        }
        match operation.action {
            Action::MakeMap => Err(Refusal::Member),
            _ if name.is_empty() => Err(Refusal::Member),
            Action::MakeList => Ok(Kind::List),
            Action::Set(_) => Ok(Kind::Text),
            Action::Delete => deletes(operation),
        }
    }

    /// A member that kith writes: `is_first` where the resource is made with it.
    fn own_member(&mut self, name: &str, text: &str, is_first: bool) -> Result<Kind, Refusal> {
        let reads = match name {
            member::META if is_first => {
                self.metas += 1;
                let meta = member::meta(text);
                let attachments = meta.as_ref().map(|meta| &meta.attachments);
                self.names_attachments |= attachments.is_some_and(|named| !named.is_empty());
                meta.is_some()
            }
            member::CARRIED if is_first => {
                self.carried += 1;
                member::is_carried(text)
            }
            member::ORDER => true,
            member::RETRACTION => member::is_retraction(text),
            _ if name.starts_with(member::DECIDED) => member::is_decided(text),
            _ => return Err(Refusal::Member),
        };
        if reads {
            Ok(Kind::Text)
        } else {
            Err(Refusal::MemberForm)
        }
    }

    fn in_list(&mut self, list: OpId, operation: &Operation<'a>) -> Result<Kind, Refusal> {
        match operation.key {
            Key::Name(_) => return Err(Refusal::Key),
            Key::Start if operation.insert => {}
            Key::Start => return Err(Refusal::Key),
            Key::Item(item) => {
                let made = self.look_up(item)?;
                if made.is_some() && matches!(operation.action, Action::Set(_)) && !operation.insert
                {
                    return Err(Refusal::Item);
                }
                let is_here = match made {
                    Some(made) => made.kind == Kind::Item && made.object == Some(list),
                    None => !self.is_own(list),
                };
                if !is_here {
                    return Err(Refusal::Reference);
                }
            }
        }
        match (operation.action, operation.insert) {
            (Action::Set(_), true) if operation.replaced == 0 => Ok(Kind::Item),
            (Action::Set(_), false) if operation.replaced > 0 => Ok(Kind::Text),
            (Action::Delete, false) => deletes(operation),
            (
                Action::MakeMap | Action::MakeList | Action::Set(_) | Action::Delete,
                true | false,
            ) => Err(Refusal::Item),
        }
    }
}

/// Taking nothing away leaves no trace in a saved document.
const fn deletes(operation: &Operation<'_>) -> Result<Kind, Refusal> {
    if operation.replaced > 0 {
        Ok(Kind::Gone)
    } else {
        Err(Refusal::Replaces)
    }
}
