//! What is odd in a text of rules.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that is not understood, where it stands and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// What is odd.
    pub what: String,
    /// What to write.
    #[serde(rename = "do")]
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {} {}",
            self.line, self.column, self.what, self.remedy
        )
    }
}

/// The word among some that is meant, where one is near.
pub fn near<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let likeness = |other: &str| strsim::jaro_winkler(&word, &other.to_lowercase());
    words
        .into_iter()
        .map(|other| (other, likeness(other)))
        .filter(|(_, likeness)| *likeness >= 0.8)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(other, _)| other)
}
