//! The encodings of columns, read row by row: nothing is expanded that is not asked for.
//!
//! Each is accepted only as an encoder writes it: equal neighbours as one run, single values as
//! one literal run, a column that holds nothing left out. Automerge keeps the values and not the
//! runs; a change that came in another form would have another hash after the next load.

use super::{Refusal, reader::Reader};

/// A value of a run-length column.
pub(super) trait Cell: Copy + PartialEq {
    type From<'a>: Copy + PartialEq;
    fn read<'a>(reader: &mut Reader<'a>) -> Result<Self::From<'a>, Refusal>;
}

impl Cell for u64 {
    type From<'a> = Self;
    fn read<'a>(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        reader.unsigned()
    }
}

impl Cell for i64 {
    type From<'a> = Self;
    fn read<'a>(reader: &mut Reader<'a>) -> Result<Self, Refusal> {
        reader.signed()
    }
}

impl Cell for &str {
    type From<'a> = &'a str;
    fn read<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Refusal> {
        std::str::from_utf8(reader.prefixed()?).map_err(|_| Refusal::Utf8)
    }
}

/// How the rows of the present run are written.
#[derive(Clone, Copy, PartialEq)]
enum Run {
    Start,
    Null,
    Same,
    Literal,
}

/// Run-length encoded values; a column that is absent is null in every row.
pub(super) struct Rle<'a, T: Cell> {
    reader: Reader<'a>,
    absent: bool,
    holds_value: bool,
    run: Run,
    left: u64,
    last: Option<T::From<'a>>,
}

impl<'a, T: Cell> Rle<'a, T> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            absent: bytes.is_empty(),
            holds_value: false,
            run: Run::Start,
            left: 0,
            last: None,
        }
    }

    /// Whether every row was read.
    pub(super) const fn is_done(&self) -> bool {
        self.left == 0 && self.reader.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<Option<T::From<'a>>, Refusal> {
        if self.absent {
            return Ok(None);
        }
        if self.left == 0 {
            self.start_run()?;
        }
        self.left -= 1;
        match self.run {
            Run::Literal => {
                let value = self.read_unlike_last()?;
                Ok(Some(value))
            }
            Run::Start | Run::Null | Run::Same => Ok(self.last),
        }
    }

    /// A value that must be there.
    pub(super) fn value(&mut self) -> Result<T::From<'a>, Refusal> {
        self.next()?.ok_or(Refusal::ColumnRows)
    }

    pub(super) const fn finish(&self) -> Result<(), Refusal> {
        if !self.is_done() {
            Err(Refusal::ColumnRows)
        } else if !self.absent && !self.holds_value {
            Err(Refusal::ColumnForm)
        } else {
            Ok(())
        }
    }

    fn start_run(&mut self) -> Result<(), Refusal> {
        if self.reader.is_empty() {
            return Err(Refusal::ColumnRows);
        }
        let count = self.reader.signed()?;
        let before = self.run;
        (self.run, self.left) = match count {
            0 => (Run::Null, self.reader.unsigned()?),
            1.. => (Run::Same, count.unsigned_abs()),
            ..0 => (Run::Literal, count.unsigned_abs()),
        };
        let joins = self.run == before && self.run != Run::Same;
        if joins || self.left == 0 || (self.run == Run::Same && self.left == 1) {
            return Err(Refusal::ColumnForm);
        }
        match self.run {
            Run::Null => self.last = None,
            Run::Same => {
                self.read_unlike_last()?;
            }
            Run::Literal | Run::Start => {}
        }
        Ok(())
    }

    fn read_unlike_last(&mut self) -> Result<T::From<'a>, Refusal> {
        let value = T::read(&mut self.reader)?;
        if self.last == Some(value) {
            return Err(Refusal::ColumnForm);
        }
        self.last = Some(value);
        self.holds_value = true;
        Ok(value)
    }
}

/// Numbers as the difference to the one before.
pub(super) struct Delta<'a> {
    steps: Rle<'a, i64>,
    at: i64,
}

impl<'a> Delta<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            steps: Rle::new(bytes),
            at: 0,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<u64>, Refusal> {
        let Some(step) = self.steps.next()? else {
            return Ok(None);
        };
        self.at = self.at.checked_add(step).ok_or(Refusal::Number)?;
        let value = u64::try_from(self.at).map_err(|_| Refusal::Number)?;
        Ok(Some(value))
    }

    pub(super) const fn finish(&self) -> Result<(), Refusal> {
        self.steps.finish()
    }
}

/// Booleans as lengths of runs, the first of them false.
pub(super) struct Flags<'a> {
    reader: Reader<'a>,
    value: bool,
    left: u64,
    begun: bool,
}

impl<'a> Flags<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            value: true,
            left: 0,
            begun: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<bool, Refusal> {
        while self.left == 0 {
            if self.reader.is_empty() {
                return Err(Refusal::ColumnRows);
            }
            self.left = self.reader.unsigned()?;
            if self.left == 0 && self.begun {
                return Err(Refusal::ColumnForm);
            }
            self.begun = true;
            self.value = !self.value;
        }
        self.left -= 1;
        Ok(self.value)
    }

    pub(super) const fn finish(&self) -> Result<(), Refusal> {
        if self.left == 0 && self.reader.is_empty() {
            Ok(())
        } else {
            Err(Refusal::ColumnRows)
        }
    }
}
