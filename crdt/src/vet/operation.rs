//! The columns of a change, read as rows.

use super::{
    Refusal,
    column::{Delta, Flags, Rle},
    reader::Reader,
};
use crate::document::Actor;

/// What stands before the columns.
pub(super) struct Head {
    /// The author and then everybody whose operations are referred to, ascending.
    pub(super) actors: Vec<Actor>,
    /// Whether it is the first change that a document can have.
    pub(super) first_of_document: bool,
    /// The counter of the first operation.
    pub(super) start_op: u64,
    /// Operations, and references to what they replace.
    pub(super) operations_max: usize,
}

/// An operation: its actor's place in [`Head::actors`] and its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpId {
    pub(super) actor: usize,
    pub(super) counter: u64,
}

/// Where an operation acts in its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key<'a> {
    /// A member of a map.
    Name(&'a str),
    /// Before the first item of a list.
    Start,
    /// An item of a list.
    Item(OpId),
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action<'a> {
    MakeMap,
    MakeList,
    Set(&'a str),
    Delete,
}

/// One row.
pub(super) struct Operation<'a> {
    /// `None` is the root.
    pub(super) object: Option<OpId>,
    pub(super) key: Key<'a>,
    pub(super) insert: bool,
    pub(super) action: Action<'a>,
    /// How many rows of the references are its own.
    pub(super) replaced: u64,
}

/// Column specifications of kith's changes: id × 16 + type.
const SPECS: [u32; 12] = [
    0x01, 0x02, 0x11, 0x13, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73,
];

/// Types of a value, in the low four bits of its metadata.
const TEXT: u64 = 6;

/// The columns of a change.
pub(super) struct Columns<'a> {
    object_actor: Rle<'a, u64>,
    object_counter: Rle<'a, u64>,
    key_actor: Rle<'a, u64>,
    key_counter: Delta<'a>,
    key_name: Rle<'a, &'a str>,
    insert: Flags<'a>,
    action: Rle<'a, u64>,
    value_meta: Rle<'a, u64>,
    value: Reader<'a>,
    replaced_count: Rle<'a, u64>,
    replaced_actor: Rle<'a, u64>,
    replaced_counter: Delta<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        let lengths = lengths(reader)?;
        let mut data = [[].as_slice(); SPECS.len()];
        for (data, len) in data.iter_mut().zip(lengths) {
            *data = reader.take(len)?;
        }
        Ok(Self {
            object_actor: Rle::new(data[0]),
            object_counter: Rle::new(data[1]),
            key_actor: Rle::new(data[2]),
            key_counter: Delta::new(data[3]),
            key_name: Rle::new(data[4]),
            insert: Flags::new(data[5]),
            action: Rle::new(data[6]),
            value_meta: Rle::new(data[7]),
            value: Reader::new(data[8]),
            replaced_count: Rle::new(data[9]),
            replaced_actor: Rle::new(data[10]),
            replaced_counter: Delta::new(data[11]),
        })
    }

    /// The next row, or nothing after the last.
    pub(super) fn next(&mut self) -> Result<Option<Operation<'a>>, Refusal> {
        if self.action.is_done() {
            return Ok(None);
        }
        let action = self.action.value()?;
        let object = self.object()?;
        let key = self.key()?;
        let insert = self.insert.next()?;
        let value = self.value()?;
        let action = match (action, value) {
            (0, None) => Action::MakeMap,
            (1, Some(text)) => Action::Set(text),
            (2, None) => Action::MakeList,
            (3, None) => Action::Delete,
            (0..=3, _) => return Err(Refusal::Value),
            (4.., _) => return Err(Refusal::Action(action)),
        };
        Ok(Some(Operation {
            object,
            key,
            insert,
            action,
            replaced: self.replaced_count.value()?,
        }))
    }

    /// The next reference to what an operation replaces.
    pub(super) fn next_replaced(&mut self) -> Result<OpId, Refusal> {
        let actor = self.replaced_actor.value()?;
        let counter = self.replaced_counter.next()?;
        op_id(actor, counter.ok_or(Refusal::ColumnRows)?)
    }

    /// That no column goes on after the last row.
    pub(super) fn finish(&self) -> Result<(), Refusal> {
        self.object_actor.finish()?;
        self.object_counter.finish()?;
        self.key_actor.finish()?;
        self.key_counter.finish()?;
        self.key_name.finish()?;
        self.insert.finish()?;
        self.action.finish()?;
        self.value_meta.finish()?;
        self.replaced_count.finish()?;
        self.replaced_actor.finish()?;
        self.replaced_counter.finish()?;
        if self.value.is_empty() {
            Ok(())
        } else {
            Err(Refusal::ColumnRows)
        }
    }

    fn object(&mut self) -> Result<Option<OpId>, Refusal> {
        match (self.object_actor.next()?, self.object_counter.next()?) {
            (None, None) => Ok(None),
            (Some(actor), Some(counter)) => op_id(actor, counter).map(Some),
            (None, Some(_)) | (Some(_), None) => Err(Refusal::Reference),
        }
    }

    fn key(&mut self) -> Result<Key<'a>, Refusal> {
        let name = self.key_name.next()?;
        let actor = self.key_actor.next()?;
        let counter = self.key_counter.next()?;
        match (name, actor, counter) {
            (Some(name), None, None) => Ok(Key::Name(name)),
            (None, None, Some(0)) => Ok(Key::Start),
            (None, Some(actor), Some(counter)) => Ok(Key::Item(op_id(actor, counter)?)),
            (Some(_) | None, Some(_) | None, Some(_) | None) => Err(Refusal::Key),
        }
    }

    fn value(&mut self) -> Result<Option<&'a str>, Refusal> {
        let meta = self.value_meta.value()?;
        if meta == 0 {
            return Ok(None);
        }
        if meta & 0xf != TEXT {
            return Err(Refusal::Value);
        }
        let bytes = self.value.take(meta >> 4)?;
        let text = std::str::from_utf8(bytes).map_err(|_| Refusal::Utf8)?;
        Ok(Some(text))
    }
}

fn op_id(actor: u64, counter: u64) -> Result<OpId, Refusal> {
    let actor = usize::try_from(actor).map_err(|_| Refusal::Reference)?;
    if counter == 0 {
        return Err(Refusal::Reference);
    }
    Ok(OpId { actor, counter })
}

/// The length of each column of [`SPECS`]: those that are there ascend and are not empty.
fn lengths(reader: &mut Reader<'_>) -> Result<[u64; SPECS.len()], Refusal> {
    let mut lengths = [0; SPECS.len()];
    let mut from = 0;
    for _ in 0..reader.unsigned()? {
        let spec = u32::try_from(reader.unsigned()?).map_err(|_| Refusal::Number)?;
        let len = reader.unsigned()?;
        let found = SPECS[from..].iter().position(|known| *known == spec);
        let at = from + found.filter(|_| len > 0).ok_or(Refusal::Column(spec))?;
        lengths[at] = len;
        from = at + 1;
    }
    Ok(lengths)
}
