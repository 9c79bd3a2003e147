//! A change that only makes resources, told by what it makes.
//!
//! Most of what a record holds was written so, and most of what Automerge writes about it follows
//! from the rest: names of resources, counters, lengths, which member stands where. A [`Condensed`]
//! says what does not follow, and the very bytes of the change are made of it again: [`Condensed::of`]
//! gives nothing for a change of which they are not.
//!
//! What is made stands in one text of pieces. A piece begins with U+001F, which no JSON text holds
//! as it is, and a letter that says what it is; resources stand in the order in which they were
//! made, members in that of their names. Two layouts of operations are known: that of a document's
//! first change, in which all resources are begun, then filled, then their lists, and that of later
//! changes, in which one resource follows the other.

mod columns;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use self::columns::{Columns, Writer};
use super::{
    CHANGE_CHUNK, CHANGE_LEN_MAX, COUNTER_MAX, Change, MAGIC, OPERATIONS_FREE, OPERATIONS_MAX,
    chunk, made,
};
use crate::{
    ChangeHash, ResourceId,
    document::{Actor, member},
};

const CHECKSUM_LEN: usize = 4;

/// Bytes of a change for each byte of the text that it is made of, and those beside: an honest one
/// has three times as many at most (`tests.rs`), and what comes from outside must not grow without
/// measure.
const GROWTH_MAX: usize = 4;
const GROWTH_FREE: usize = 4096;

/// What each piece begins with.
const PIECE: char = '\x1f';

/// Begins a resource: the text of its member `$`.
const RESOURCE: char = 'R';
/// The text of its member `$o`.
const ORDER: char = 'O';
/// A register whose text begins with its name, as that of most does.
const REGISTER: char = 'M';
/// The name of any other register, or of a member of kith's own.
const NAME: char = 'N';
/// The text that belongs to such a name.
const TEXT: char = 'T';
/// The name of a list.
const LIST: char = 'L';
/// An item of a list.
const ITEM: char = 'I';

/// What does not follow from the rest of a change that only makes resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condensed {
    /// What it builds on, ascending.
    pub deps: Vec<ChangeHash>,
    /// Its place among the changes of its actor, from 1.
    pub actor_seq: u64,
    /// The counter of its first operation, from 1.
    pub start_op: u64,
    /// The claimed time, milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Whether one resource follows the other.
    pub one_by_one: bool,
    /// What it makes.
    pub made: String,
}

/// A resource that the text tells of.
struct Made<'a> {
    id: ResourceId,
    /// By their names, ascending.
    members: Vec<(&'a str, Member<'a>)>,
}

enum Member<'a> {
    Text(&'a str),
    List(Vec<&'a str>),
}

impl Condensed {
    /// Condenses a change of this actor. Nothing where it is another's, does anything but make
    /// resources, or is not made again to the byte.
    pub fn of(bytes: &[u8], actor: &Actor) -> Option<Self> {
        let change = Change::read(&chunk(bytes).ok()?).ok()?;
        let start_op = change.head.start_op;
        let made = in_order(made::read(change.columns, start_op)?, actor, start_op)?;
        let mut condensed = Self {
            deps: change.deps,
            actor_seq: change.actor_seq,
            start_op,
            time_ms: change.time_ms,
            one_by_one: false,
            made: told(&made)?,
        };
        for one_by_one in [false, true] {
            condensed.one_by_one = one_by_one;
            if condensed.expand(actor).as_deref() == Some(bytes) {
                return Some(condensed);
            }
        }
        None
    }

    /// The change of this actor. Nothing where the text is not one that is written here, or makes
    /// more than a change may; whether the change is one that kith could have written is for
    /// [`vet`](super::vet()) to say.
    pub fn expand(&self, actor: &Actor) -> Option<Vec<u8>> {
        if self.start_op > COUNTER_MAX {
            return None;
        }
        let operations_max = OPERATIONS_MAX.min(OPERATIONS_FREE + self.made.len());
        let made = heard(&self.made, actor, self.start_op, operations_max)?;
        let mut writer = Writer::new(self.start_op, self.made.len());
        if self.one_by_one {
            // Of one resource alone both layouts are the same, and it is written in one way.
            if made.len() == 1 {
                return None;
            }
            for one in &made {
                let resource = writer.begin(one.id.as_str());
                let lists = fill(&mut writer, resource, one);
                fill_lists(&mut writer, &lists);
            }
        } else {
            let mut sorted: Vec<_> = made.iter().collect();
            sorted.sort_by(|a, b| a.id.cmp(&b.id));
            let begun: Vec<_> = sorted
                .into_iter()
                .map(|one| (writer.begin(one.id.as_str()), one))
                .collect();
            let mut lists = Vec::new();
            for (resource, one) in begun {
                lists.extend(fill(&mut writer, resource, one));
            }
            fill_lists(&mut writer, &lists);
        }
        let len_max = CHANGE_LEN_MAX.min(GROWTH_FREE + GROWTH_MAX * self.made.len());
        let bytes = self.chunk(actor, &writer.finish());
        (bytes.len() <= len_max).then_some(bytes)
    }

    fn chunk(&self, actor: &Actor, columns: &Columns) -> Vec<u8> {
        let mut head = Vec::new();
        columns::unsigned(&mut head, self.deps.len() as u64);
        for dep in &self.deps {
            head.extend_from_slice(&dep.0);
        }
        columns::prefixed(&mut head, &actor.0);
        columns::unsigned(&mut head, self.actor_seq);
        columns::unsigned(&mut head, self.start_op);
        columns::signed(&mut head, i64::try_from(self.time_ms).unwrap_or(i64::MAX));
        // No message, and nobody else is referred to.
        head.extend_from_slice(&[0, 0]);
        columns.describe(&mut head);
        let content_len = head.len() + columns.len();
        let mut bytes = Vec::with_capacity(content_len + 32);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[0; CHECKSUM_LEN]);
        let hashed_from = bytes.len();
        bytes.push(CHANGE_CHUNK);
        columns::unsigned(&mut bytes, content_len as u64);
        bytes.extend_from_slice(&head);
        columns.write(&mut bytes);
        let (front, hashed) = bytes.split_at_mut(hashed_from);
        let hash = Sha256::digest(hashed);
        front[MAGIC.len()..].copy_from_slice(&hash[..CHECKSUM_LEN]);
        bytes
    }
}

/// Lists that were begun, with what goes into them.
type Begun<'m> = Vec<(u64, &'m [&'m str])>;

fn fill<'m>(writer: &mut Writer<'m>, resource: u64, made: &'m Made<'_>) -> Begun<'m> {
    let mut lists = Vec::new();
    for (name, member) in &made.members {
        match member {
            Member::Text(text) => writer.set(resource, name, text),
            Member::List(items) => {
                lists.push((writer.begin_list(resource, name), items.as_slice()));
            }
        }
    }
    lists
}

fn fill_lists(writer: &mut Writer<'_>, lists: &[(u64, &[&str])]) {
    for (list, items) in lists {
        writer.fill(*list, items);
    }
}

/// The resources of a change in the order in which they were made, which their ids follow from.
fn in_order<'a>(
    made: Vec<made::Made<'a>>,
    actor: &Actor,
    start_op: u64,
) -> Option<Vec<made::Made<'a>>> {
    let count = made.len();
    let mut by_id: BTreeMap<_, _> = made.into_iter().map(|made| (made.id, made)).collect();
    let ids = (0..count).map(|ordinal| ResourceId::derive(actor, start_op, ordinal));
    ids.map(|id| by_id.remove(id.as_str())).collect()
}

/// What is made, as one text. Nothing where that could be read in another way.
fn told(made: &[made::Made<'_>]) -> Option<String> {
    let mut text = String::new();
    let mut say = |what: char, said: &str| {
        text.extend([PIECE, what]);
        text.push_str(said);
        (!said.contains(PIECE)).then_some(())
    };
    for one in made {
        let Some(made::Member::Text(meta)) = one.members.get(member::META) else {
            return None;
        };
        say(RESOURCE, meta)?;
        for (name, member) in &one.members {
            match (*name, member) {
                (member::META, _) => {}
                (member::ORDER, made::Member::Text(order)) => say(ORDER, order)?,
                (_, made::Member::Text(register)) if name_in(register) == Some(name) => {
                    say(REGISTER, register)?;
                }
                (_, made::Member::Text(register)) => {
                    say(NAME, name)?;
                    say(TEXT, register)?;
                }
                (_, made::Member::List(items)) => {
                    say(LIST, name)?;
                    for (_, item) in items {
                        say(ITEM, item)?;
                    }
                }
            }
        }
    }
    Some(text)
}

/// The resources that a text tells of; nothing where they take more operations.
fn heard<'a>(
    text: &'a str,
    actor: &Actor,
    start_op: u64,
    mut operations: usize,
) -> Option<Vec<Made<'a>>> {
    let mut made: Vec<Made<'a>> = Vec::new();
    // The name that waits for its text, and whether the member before takes items.
    let (mut named, mut is_list) = (None, false);
    let mut pieces = text.split(PIECE);
    if pieces.next() != Some("") {
        return None;
    }
    for piece in pieces {
        let what = piece.chars().next()?;
        let said = &piece[what.len_utf8()..];
        if (what == TEXT) != named.is_some() {
            return None;
        }
        if what == NAME {
            named = Some(said);
            continue;
        }
        operations = operations.checked_sub(1)?;
        if what == RESOURCE {
            // It is made, and has its member `$`.
            operations = operations.checked_sub(1)?;
            made.push(Made {
                id: ResourceId::derive(actor, start_op, made.len()),
                members: vec![(member::META, Member::Text(said))],
            });
            is_list = false;
            continue;
        }
        let members = &mut made.last_mut()?.members;
        if what == ITEM {
            match members.last_mut() {
                Some((_, Member::List(items))) if is_list => items.push(said),
                Some(_) | None => return None,
            }
            continue;
        }
        let (name, member) = match what {
            ORDER => (member::ORDER, Member::Text(said)),
            REGISTER => (own_name(said)?, Member::Text(said)),
            TEXT => (other_name(named.take()?, said)?, Member::Text(said)),
            LIST => (said, Member::List(Vec::new())),
            _ => return None,
        };
        // The first stands out of order.
        let before = members.get(1..).and_then(<[_]>::last);
        if name == member::META || before.is_some_and(|(before, _)| *before >= name) {
            return None;
        }
        is_list = what == LIST;
        members.push((name, member));
    }
    for one in &mut made {
        one.members.sort_unstable_by_key(|(name, _)| *name);
    }
    named.is_none().then_some(made)
}

/// The name that a register begins with and that need not stand beside it.
fn own_name(text: &str) -> Option<&str> {
    name_in(text).filter(|name| *name != member::ORDER)
}

/// A name that has to stand beside a text.
fn other_name<'a>(name: &'a str, text: &str) -> Option<&'a str> {
    (name != member::ORDER && name_in(text) != Some(name)).then_some(name)
}

/// The name that the text of a register begins with, where it needs no escapes.
fn name_in(register: &str) -> Option<&str> {
    let rest = register.strip_prefix('"')?;
    let (name, rest) = rest.split_at(rest.find('"')?);
    (rest.starts_with("\":") && !name.contains('\\')).then_some(name)
}

#[cfg(test)]
mod tests;
