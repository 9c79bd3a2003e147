//! The columns of a change that makes resources, as automerge writes them.

use std::mem;

/// Types of a value, in the low four bits of its metadata.
const TEXT: u64 = 6;

const MAKE_MAP: u64 = 0;
const SET: u64 = 1;
const MAKE_LIST: u64 = 2;

/// Writes operations, one after the other.
pub(super) struct Writer<'a> {
    next: u64,
    object_actor: Runs<u64>,
    object_counter: Runs<u64>,
    key_actor: Runs<u64>,
    key_counter: Runs<i64>,
    /// What the next step in [`Self::key_counter`] is counted from.
    key_before: i64,
    key_name: Runs<&'a str>,
    insert: Flags,
    action: Runs<u64>,
    value_meta: Runs<u64>,
    value: Vec<u8>,
    replaced: Runs<u64>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(start_op: u64, text_len: usize) -> Self {
        Self {
            next: start_op,
            object_actor: Runs::default(),
            object_counter: Runs::default(),
            key_actor: Runs::default(),
            key_counter: Runs::default(),
            key_before: 0,
            key_name: Runs::default(),
            insert: Flags::default(),
            action: Runs::default(),
            value_meta: Runs::default(),
            value: Vec::with_capacity(text_len),
            replaced: Runs::default(),
        }
    }

    /// Makes a resource at the root.
    pub(super) fn begin(&mut self, id: &'a str) -> u64 {
        self.object_actor.push(None);
        self.object_counter.push(None);
        self.named(id);
        self.acts(MAKE_MAP, None)
    }

    /// Sets a member of a resource.
    pub(super) fn set(&mut self, resource: u64, name: &'a str, text: &str) {
        self.within(resource);
        self.named(name);
        self.acts(SET, Some(text));
    }

    /// Makes a list in a resource.
    pub(super) fn begin_list(&mut self, resource: u64, name: &'a str) -> u64 {
        self.within(resource);
        self.named(name);
        self.acts(MAKE_LIST, None)
    }

    /// Puts items into a list, one behind the other.
    pub(super) fn fill(&mut self, list: u64, items: &[&str]) {
        let mut before = None;
        for item in items {
            self.within(list);
            self.key_actor.push(before.map(|_| 0));
            let counter = i64::try_from(before.unwrap_or(0)).unwrap_or(i64::MAX);
            self.key_counter.push(Some(counter - self.key_before));
            self.key_before = counter;
            self.key_name.push(None);
            self.insert.push(true);
            before = Some(self.does(SET, Some(item)));
        }
    }

    fn within(&mut self, object: u64) {
        self.object_actor.push(Some(0));
        self.object_counter.push(Some(object));
    }

    fn named(&mut self, name: &'a str) {
        self.key_actor.push(None);
        self.key_counter.push(None);
        self.key_name.push(Some(name));
    }

    fn acts(&mut self, action: u64, text: Option<&str>) -> u64 {
        self.insert.push(false);
        self.does(action, text)
    }

    fn does(&mut self, action: u64, text: Option<&str>) -> u64 {
        self.action.push(Some(action));
        let meta = text.map_or(0, |text| (text.len() as u64) << 4 | TEXT);
        self.value_meta.push(Some(meta));
        self.value.extend(text.unwrap_or_default().as_bytes());
        self.replaced.push(Some(0));
        let own = self.next;
        self.next += 1;
        own
    }

    pub(super) fn finish(self) -> Columns {
        Columns([
            (0x01, self.object_actor.finish()),
            (0x02, self.object_counter.finish()),
            (0x11, self.key_actor.finish()),
            (0x13, self.key_counter.finish()),
            (0x15, self.key_name.finish()),
            (0x34, self.insert.finish()),
            (0x42, self.action.finish()),
            (0x56, self.value_meta.finish()),
            (0x57, self.value),
            (0x70, self.replaced.finish()),
        ])
    }
}

/// Columns with their specifications (id × 16 + type), ascending.
pub(super) struct Columns([(u64, Vec<u8>); 10]);

impl Columns {
    /// Those that hold something.
    fn there(&self) -> impl Iterator<Item = &(u64, Vec<u8>)> {
        self.0.iter().filter(|(_, column)| !column.is_empty())
    }

    /// Bytes of all of them.
    pub(super) fn len(&self) -> usize {
        self.there().map(|(_, column)| column.len()).sum()
    }

    /// Says how many there are, what they are and how long.
    pub(super) fn describe(&self, to: &mut Vec<u8>) {
        unsigned(to, self.there().count() as u64);
        for (spec, column) in self.there() {
            unsigned(to, *spec);
            unsigned(to, column.len() as u64);
        }
    }

    /// Writes one after the other.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        for (_, column) in self.there() {
            to.extend_from_slice(column);
        }
    }
}

/// A value of a run-length column.
trait Cell: PartialEq {
    fn write(&self, bytes: &mut Vec<u8>);
}

impl Cell for u64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        unsigned(bytes, *self);
    }
}

impl Cell for i64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        signed(bytes, *self);
    }
}

impl Cell for &str {
    fn write(&self, bytes: &mut Vec<u8>) {
        prefixed(bytes, self.as_bytes());
    }
}

/// Run-length encoded values: equal neighbours as one run, single values as one literal run.
struct Runs<T> {
    bytes: Vec<u8>,
    holds_value: bool,
    /// What came last, and how often.
    last: Option<T>,
    count: u64,
    /// Single values that wait for the end of their literal run, and how many.
    literals: Vec<u8>,
    literal_count: i64,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            holds_value: false,
            last: None,
            count: 0,
            literals: Vec::new(),
            literal_count: 0,
        }
    }
}

impl<T: Cell> Runs<T> {
    fn push(&mut self, value: Option<T>) {
        if self.count > 0 && self.last == value {
            self.count += 1;
            return;
        }
        self.end_run();
        self.holds_value |= value.is_some();
        self.last = value;
        self.count = 1;
    }

    fn end_run(&mut self) {
        let count = mem::take(&mut self.count);
        match (&self.last, count) {
            (_, 0) => {}
            (Some(value), 1) => {
                value.write(&mut self.literals);
                self.literal_count += 1;
            }
            (Some(value), _) => {
                end_literals(&mut self.bytes, &mut self.literals, &mut self.literal_count);
                signed(&mut self.bytes, i64::try_from(count).unwrap_or(i64::MAX));
                value.write(&mut self.bytes);
            }
            (None, _) => {
                end_literals(&mut self.bytes, &mut self.literals, &mut self.literal_count);
                self.bytes.push(0);
                unsigned(&mut self.bytes, count);
            }
        }
    }

    /// Empty where it holds no value at all.
    fn finish(mut self) -> Vec<u8> {
        if !self.holds_value {
            return Vec::new();
        }
        self.end_run();
        end_literals(&mut self.bytes, &mut self.literals, &mut self.literal_count);
        self.bytes
    }
}

fn end_literals(bytes: &mut Vec<u8>, literals: &mut Vec<u8>, count: &mut i64) {
    if *count > 0 {
        signed(bytes, -*count);
        bytes.append(literals);
        *count = 0;
    }
}

/// Booleans as lengths of runs, the first of them false.
#[derive(Default)]
struct Flags {
    bytes: Vec<u8>,
    value: bool,
    count: u64,
}

impl Flags {
    fn push(&mut self, value: bool) {
        if value != self.value {
            unsigned(&mut self.bytes, self.count);
            self.value = value;
            self.count = 0;
        }
        self.count += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            unsigned(&mut self.bytes, self.count);
        }
        self.bytes
    }
}

/// Bytes after their length.
pub(super) fn prefixed(to: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

/// ULEB128.
pub(super) fn unsigned(to: &mut Vec<u8>, value: u64) {
    leb128::write::unsigned(to, value).expect("memory takes it");
}

/// SLEB128.
pub(super) fn signed(to: &mut Vec<u8>, value: i64) {
    leb128::write::signed(to, value).expect("memory takes it");
}
