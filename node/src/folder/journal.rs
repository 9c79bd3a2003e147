//! The journal: one line for each change, each with the hash of the line before it.

use serde::{Deserialize, Serialize};

use super::sha256;

/// One change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Its place, from 1.
    pub(crate) n: u64,
    /// The SHA-256 of the line before, without its end; null in the first.
    pub(crate) previous: Option<String>,
    /// When, as its author signed it, RFC 3339; null where that is not known here.
    pub(crate) when: Option<String>,
    /// On whose behalf it was written.
    pub(crate) who: String,
    /// The member of staff who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) staff: Option<String>,
    /// The part of the record, such as `medicines, general`.
    pub(crate) part: String,
    /// What was done, in words.
    pub(crate) what: String,
    /// What the rule of the record says of it: accepted, marked, contested, …
    pub(crate) status: String,
    /// The signed entry's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entry: Option<String>,
    /// What it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) added: Vec<Touched>,
    /// What it changed that stands so today.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) changed: Vec<Touched>,
}

/// A file that holds what a change wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Touched {
    /// Its name in the folder.
    pub(crate) file: String,
    /// Its SHA-256, as it stands in the folder.
    pub(crate) sha256: String,
}

/// A journal that is being written.
#[derive(Default)]
pub(crate) struct Journal {
    text: String,
    lines: u64,
    last: Option<String>,
}

impl Journal {
    /// Adds a change; its place and what it follows are filled in.
    pub(crate) fn add(&mut self, mut line: Line) {
        self.lines += 1;
        line.n = self.lines;
        line.previous = self.last.take();
        let text = serde_json::to_string(&line).expect("a line is plain text and numbers");
        self.last = Some(sha256(text.as_bytes()));
        self.text.push_str(&text);
        self.text.push('\n');
    }

    /// Its text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

/// The files that a journal names with their hashes, and where it is not one chain.
pub(super) fn check(text: &str) -> (Vec<Touched>, Vec<String>) {
    let (mut touched, mut faults) = (Vec::new(), Vec::new());
    let mut last = None;
    for (n, text) in (1..).zip(text.lines()) {
        match serde_json::from_str::<Line>(text) {
            Ok(line) => {
                if line.n != n || line.previous != last {
                    faults.push(format!(
                        "line {n} of the journal does not follow the line before it"
                    ));
                }
                touched.extend(line.added);
                touched.extend(line.changed);
            }
            Err(_) => faults.push(format!("line {n} of the journal is not understood")),
        }
        last = Some(sha256(text.as_bytes()));
    }
    (touched, faults)
}

#[cfg(test)]
mod tests {
    use super::{Journal, Line, check};

    fn journal(words: &[&str]) -> String {
        let mut journal = Journal::default();
        for words in words {
            journal.add(Line {
                what: (*words).to_owned(),
                ..Line::default()
            });
        }
        journal.into_text()
    }

    #[test]
    fn a_journal_is_a_chain() {
        let text = journal(&["one", "two", "three"]);
        assert_eq!(check(&text), (Vec::new(), Vec::new()));
        assert_eq!(
            check(&text.replace("two", "2")).1.len(),
            1,
            "the next one does not follow"
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            check(&[lines[0], lines[2]].join("\n")).1.len(),
            1,
            "one was taken out"
        );
        assert_eq!(
            check(&[lines[0], lines[0], lines[1], lines[2]].join("\n"))
                .1
                .len(),
            3
        );
        assert_eq!(check("{}").1.len(), 1);
    }
}
