//! What is wrong with a scenario file, where, and what to write instead.

use std::fmt;

/// One thing that is wrong. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            what,
            instead,
        } = self;
        write!(f, "{file}:{line}:{column}: {what}\n    {instead}")
    }
}

/// Collects what is wrong with one file, so that all of it is told at once.
#[derive(Debug)]
pub struct Problems<'a> {
    file: String,
    text: &'a str,
    /// What was found so far, in the order in which it was found.
    pub found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// Nothing is wrong yet.
    pub fn of(file: &str, text: &'a str) -> Self {
        Self {
            file: file.to_owned(),
            text,
            found: Vec::new(),
        }
    }

    /// The line and the column of a byte of the file.
    pub fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let last = before.rsplit('\n').next().unwrap_or("");
        (line, last.chars().count() + 1)
    }

    /// Something is wrong at a byte of the file.
    pub fn add(&mut self, at: usize, what: impl Into<String>, instead: impl Into<String>) {
        let (line, column) = self.place(at);
        self.found.push(Problem {
            file: self.file.clone(),
            line,
            column,
            what: what.into(),
            instead: instead.into(),
        });
    }
}

/// The known word nearest to one that is not known, where one is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|one| (strsim::damerau_levenshtein(word, one), one))
        .filter(|(distance, one)| *distance <= 1 + one.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

/// `did you mean "a"?`, or the list of what is known.
pub fn instead_of(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(one) => format!("did you mean `{one}`?"),
        None => format!("write one of: {}", known.join(", ")),
    }
}
