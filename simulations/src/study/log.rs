//! What was written about one patient: chains, and how much of each somebody has.

use super::times::Times;

/// What an entry leaves in its chain. Sums run from the beginning of the chain.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// When it was written, milliseconds.
    pub at_ms: u64,
    /// Its place among everything written about the patient.
    pub order: u32,
    /// Bytes of the chain up to and with it.
    pub len_sum: u64,
    /// How many of the chain up to and with it make acting on what was before wrong.
    pub material_sum: u32,
}

/// Everything written about a patient: a chain for each section and writer.
#[derive(Clone, Debug, Default)]
pub struct Log {
    sections: usize,
    slots: usize,
    chains: Vec<Vec<Mark>>,
    written: u32,
}

/// What somebody who looks finds in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// All that counts.
    Current,
    /// Something older.
    Older {
        /// Since when it is not current, milliseconds.
        since_ms: u64,
        /// Whether acting on it is wrong.
        is_wrong: bool,
    },
    /// Nothing.
    Nothing,
}

impl Log {
    /// Nothing was written yet, about a patient with so many slots.
    pub fn begin(&mut self, sections: usize, slots: usize) {
        self.sections = sections;
        self.slots = slots;
        self.written = 0;
        for chain in &mut self.chains {
            chain.clear();
        }
        if self.chains.len() < sections * slots {
            self.chains.resize(sections * slots, Vec::new());
        }
    }

    /// How many chains there are.
    pub const fn width(&self) -> usize {
        self.sections * self.slots
    }

    /// How many slots there are.
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// How many sections there are.
    pub const fn sections(&self) -> usize {
        self.sections
    }

    /// The place of a chain.
    pub const fn chain_of(&self, section: usize, writer: usize) -> usize {
        section * self.slots + writer
    }

    /// A chain by its place.
    pub fn chain(&self, chain: usize) -> &[Mark] {
        &self.chains[chain]
    }

    /// Something is written: how long its chain is now.
    pub fn write(&mut self, chain: usize, at_ms: u64, len: u32, is_material: bool) -> u32 {
        let last = self.chains[chain].last();
        let mark = Mark {
            at_ms,
            order: self.written,
            len_sum: last.map_or(0, |last| last.len_sum) + u64::from(len),
            material_sum: last.map_or(0, |last| last.material_sum) + u32::from(is_material),
        };
        self.written += 1;
        self.chains[chain].push(mark);
        length(&self.chains[chain])
    }

    /// How many entries were written about the patient.
    pub const fn written(&self) -> u32 {
        self.written
    }

    /// Whether anything was written in a section.
    pub fn has(&self, section: usize) -> bool {
        (0..self.slots).any(|writer| !self.chains[self.chain_of(section, writer)].is_empty())
    }

    /// What somebody with these versions finds in a section. Of what replaces what was before, the
    /// last entry counts; of everything else, all entries do.
    pub fn found(&self, section: usize, versions: &[u32], replaces: bool) -> Found {
        if replaces {
            self.found_last(section, versions)
        } else {
            self.found_all(section, versions)
        }
    }

    fn of_section(&self, section: usize) -> impl Iterator<Item = (usize, &[Mark])> {
        (0..self.slots).map(move |writer| {
            let chain = self.chain_of(section, writer);
            (chain, self.chains[chain].as_slice())
        })
    }

    fn found_all(&self, section: usize, versions: &[u32]) -> Found {
        let mut since_ms = u64::MAX;
        let (mut is_wrong, mut has_any) = (false, false);
        for (chain, marks) in self.of_section(section) {
            let held = versions[chain] as usize;
            has_any |= held > 0;
            if held < marks.len() {
                since_ms = since_ms.min(marks[held].at_ms);
                let before = held
                    .checked_sub(1)
                    .map_or(0, |last| marks[last].material_sum);
                is_wrong |= marks[marks.len() - 1].material_sum > before;
            }
        }
        match (has_any, since_ms) {
            (false, _) => Found::Nothing,
            (true, u64::MAX) => Found::Current,
            (true, since_ms) => Found::Older { since_ms, is_wrong },
        }
    }

    fn found_last(&self, section: usize, versions: &[u32]) -> Found {
        let held = self.of_section(section).filter_map(|(chain, marks)| {
            let last = (versions[chain] as usize).checked_sub(1)?;
            Some(marks[last].order)
        });
        let Some(held) = held.max() else {
            return Found::Nothing;
        };
        let mut since_ms = u64::MAX;
        let mut is_wrong = false;
        for (_, marks) in self.of_section(section) {
            let newer = marks.partition_point(|mark| mark.order <= held);
            if newer < marks.len() {
                since_ms = since_ms.min(marks[newer].at_ms);
                let before = newer
                    .checked_sub(1)
                    .map_or(0, |last| marks[last].material_sum);
                is_wrong |= marks[marks.len() - 1].material_sum > before;
            }
        }
        if since_ms == u64::MAX {
            Found::Current
        } else {
            Found::Older { since_ms, is_wrong }
        }
    }

    /// Bytes of a chain between two versions.
    pub fn bytes(&self, chain: usize, from: u32, to: u32) -> u64 {
        let sum = |count: u32| {
            let last = (count as usize).checked_sub(1);
            last.map_or(0, |last| self.chains[chain][last].len_sum)
        };
        sum(to) - sum(from)
    }
}

/// The length of a chain.
pub fn length(chain: &[Mark]) -> u32 {
    u32::try_from(chain.len()).expect("fewer entries than milliseconds in seven weeks")
}

/// The later of a moment and the first at which a system answers; the end where it never does.
pub fn when_answers(system: &Times, at_ms: u64) -> u64 {
    system.next(at_ms).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Found, Log};

    #[test]
    fn of_a_plan_the_last_counts_and_of_medicines_all() {
        let mut log = Log::default();
        log.begin(1, 2);
        log.write(0, 10, 5, false);
        log.write(1, 20, 7, true);
        log.write(0, 30, 5, false);
        let older = |since_ms, is_wrong| Found::Older { since_ms, is_wrong };
        for (versions, last, all) in [
            ([0, 0], Found::Nothing, Found::Nothing),
            ([1, 0], older(20, true), older(20, true)),
            ([2, 0], Found::Current, older(20, true)),
            ([0, 1], older(30, false), older(10, false)),
            ([2, 1], Found::Current, Found::Current),
        ] {
            assert_eq!(log.found(0, &versions, true), last, "{versions:?}");
            assert_eq!(log.found(0, &versions, false), all, "{versions:?}");
        }
        assert_eq!(log.bytes(0, 1, 2), 5);
    }
}
