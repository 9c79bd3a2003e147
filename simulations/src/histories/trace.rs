//! What is kept of a history: a file of lines that can be read, and played again.
//!
//! The first lines are `seed N`, `fails WORD` or `holds`, and for a planted bug `planted WORD`; each
//! line after that is a step. What stands after `#` is for people.

use std::fmt;

use super::{
    failure::Invariant,
    step::{NotAStep, Step},
};

/// A history that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What the world is drawn from.
    pub seed: u64,
    /// Which checker fails; nothing where all hold, as of a bug that was mended.
    pub fails: Option<Invariant>,
    /// With which planted bug.
    pub planted: Option<String>,
    /// What happens.
    pub steps: Vec<Step>,
    /// The steps in words, as far as they are known.
    pub told: Vec<String>,
}

/// Why a file is no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATrace {
    /// A line is not understood.
    #[error("line {0}: {1}")]
    Step(usize, NotAStep),
    /// A head line is not understood.
    #[error("line {0}: {1:?} is not seed, fails, holds or planted")]
    Head(usize, String),
    /// The seed is missing.
    #[error("no seed")]
    NoSeed,
}

impl Trace {
    /// Reads a file.
    ///
    /// # Errors
    /// Names the line that is not understood.
    pub fn parse(text: &str) -> Result<Self, NotATrace> {
        let (mut seed, mut fails, mut planted) = (None, None, None);
        let mut steps = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.split('#').next().unwrap_or("").trim();
            let head = || NotATrace::Head(line, text.to_owned());
            match text.split_once(' ').unwrap_or((text, "")) {
                ("", _) => {}
                ("seed", number) => seed = Some(number.parse().map_err(|_| head())?),
                ("holds", "") => fails = None,
                ("fails", word) => {
                    let all = Invariant::ALL.iter();
                    let known = all.copied().find(|known| known.word() == word);
                    fails = Some(known.ok_or_else(head)?);
                }
                ("planted", word) => planted = Some(word.to_owned()),
                _ => steps.push(text.parse().map_err(|error| NotATrace::Step(line, error))?),
            }
        }
        Ok(Self {
            seed: seed.ok_or(NotATrace::NoSeed)?,
            fails,
            planted,
            steps,
            told: Vec::new(),
        })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        match self.fails {
            Some(invariant) => writeln!(f, "fails {}", invariant.word())?,
            None => writeln!(f, "holds")?,
        }
        if let Some(planted) = &self.planted {
            writeln!(f, "planted {planted}")?;
        }
        let told = self.told.iter().map(Some).chain(std::iter::repeat(None));
        for (step, told) in self.steps.iter().zip(told) {
            match told {
                Some(told) => writeln!(f, "{step} # {told}")?,
                None => writeln!(f, "{step}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{NotATrace, Trace};
    use crate::histories::{History, Invariant};

    #[test]
    fn a_trace_comes_back_from_its_file() {
        let trace = Trace {
            seed: 7,
            fails: Some(Invariant::Audit),
            planted: Some("audit-forgotten".to_owned()),
            steps: History::of_seed(7, 20),
            told: vec!["somebody writes".to_owned()],
        };
        let read = Trace::parse(&trace.to_string()).expect("a trace");
        assert_eq!((read.seed, read.fails), (trace.seed, trace.fails));
        assert_eq!((read.planted, read.steps), (trace.planted, trace.steps));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        assert_eq!(Trace::parse("holds\n"), Err(NotATrace::NoSeed));
        let wrong = Trace::parse("seed 1\nwrite 1 2\n").expect_err("no step");
        assert!(wrong.to_string().starts_with("line 2"), "{wrong}");
        assert!(Trace::parse("seed 1\nfails everything\n").is_err());
    }
}
