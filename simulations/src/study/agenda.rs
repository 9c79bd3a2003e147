//! What is to happen to one patient, in the order of time and then of when it was decided.

/// A short list of what is to happen.
///
/// Patients do not wait for each other, so each has an agenda of its own with a few dozen lines at
/// most, and searching it from one end to the other is faster than any heap over all of them.
#[derive(Clone, Debug)]
pub struct Agenda<T> {
    lines: Vec<(u64, u64, T)>,
    decided: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            decided: 0,
        }
    }
}

impl<T> Agenda<T> {
    /// Something happens at a time.
    pub fn at(&mut self, at_ms: u64, what: T) {
        self.decided += 1;
        self.lines.push((at_ms, self.decided, what));
    }

    /// What happens next, up to and with a time.
    pub fn next(&mut self, until_ms: u64) -> Option<(u64, T)> {
        let keys = self.lines.iter().enumerate();
        let (place, at) = keys
            .map(|(place, (at, decided, _))| (place, (*at, *decided)))
            .min_by_key(|(_, key)| *key)?;
        if at.0 > until_ms {
            return None;
        }
        let (at, _, what) = self.lines.swap_remove(place);
        Some((at, what))
    }

    /// Only what is kept happens still.
    pub fn keep(&mut self, mut keeps: impl FnMut(&T) -> bool) {
        self.lines.retain(|(.., what)| keeps(what));
    }

    /// Nothing is to happen any more.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.decided = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Agenda;

    #[test]
    fn what_is_decided_first_happens_first_at_one_time() {
        let mut agenda = Agenda::default();
        for (at, what) in [(5, 'a'), (3, 'b'), (5, 'c'), (3, 'd'), (9, 'e')] {
            agenda.at(at, what);
        }
        let mut said = String::new();
        while let Some((_, what)) = agenda.next(5) {
            said.push(what);
        }
        assert_eq!(said, "bdac");
        assert!(
            agenda
                .next(9)
                .is_some_and(|(at, what)| (at, what) == (9, 'e'))
        );
    }
}
