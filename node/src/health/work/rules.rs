//! What has to happen around a person, as a text that a clinician writes in plain lines.
//!
//! ```text
//! # What has to happen around Harold
//! on fall
//!   Riverside Surgery: review his medicines, within 2 days, because he takes blood thinners
//! on admission
//!   Sara: take glasses and hearing aid to the ward, within 1 day
//! ```
//!
//! A line at the margin says after what, an indented one who is asked for what, by when and why. The
//! text is read strictly: whatever is odd is said with its line and column and what to write instead,
//! all of it at once, and nothing is guessed.

mod mistake;
mod plan;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::EventKind;

pub use mistake::{Mistake, near};
pub use plan::{plan, text_of};
pub use read::parse;

/// Bytes of a text of rules: some pages.
pub const TEXT_LEN_MAX: usize = 16 * 1024;
/// Rules of one text: more is a protocol, which belongs elsewhere.
pub const RULES_MAX: usize = 64;
/// Characters of a name.
pub const NAME_LEN_MAX: usize = 100;
/// Characters of what is to be done, and of why.
pub const WORDS_LEN_MAX: usize = 300;
/// The longest time that a task may take, in days.
pub const DAYS_MAX: u32 = 366;

/// Rules that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// In the order of the text.
    pub rules: Vec<Rule>,
}

/// One line: who is asked for what after which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// After what.
    pub on: EventKind,
    /// Who.
    pub who: String,
    /// What is to be done.
    pub what: String,
    /// How long it may take.
    pub within: Within,
    /// Why.
    pub because: Option<String>,
    /// In which line of the text, from 1.
    pub line: usize,
    /// At which character the name begins, from 1.
    pub column: usize,
}

/// How long a task may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: TimeUnit,
}

/// Units of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// 60 seconds.
    Minutes,
    /// 60 minutes.
    Hours,
    /// 24 hours.
    Days,
}

impl TimeUnit {
    /// Every unit.
    pub const ALL: [Self; 3] = [Self::Minutes, Self::Hours, Self::Days];

    /// As people type it, one and several.
    pub const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Minutes => ["minute", "minutes"],
            Self::Hours => ["hour", "hours"],
            Self::Days => ["day", "days"],
        }
    }

    const fn minutes(self) -> u64 {
        match self {
            Self::Minutes => 1,
            Self::Hours => 60,
            Self::Days => 24 * 60,
        }
    }

    /// UCUM.
    const fn ucum(self) -> &'static str {
        match self {
            Self::Minutes => "min",
            Self::Hours => "h",
            Self::Days => "d",
        }
    }
}

impl Within {
    /// In milliseconds.
    pub fn ms(self) -> u64 {
        u64::from(self.count) * self.unit.minutes() * 60_000
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, several] = self.unit.words();
        let word = if self.count == 1 { one } else { several };
        write!(f, "{} {word}", self.count)
    }
}

impl Rules {
    /// Those for an event.
    pub fn on(&self, kind: EventKind) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.on == kind)
    }

    /// Every rule as a sentence, for whoever wrote them to read again.
    pub fn sentences(&self) -> Vec<String> {
        self.rules.iter().map(Rule::sentence).collect()
    }
}

impl Rule {
    /// In a sentence.
    pub fn sentence(&self) -> String {
        let because = self.because.as_ref();
        let because = because.map_or_else(String::new, |why| format!(", because {why}"));
        format!(
            "{}, {} is asked: {}. Within {}{because}.",
            self.on.when(),
            self.who,
            self.what,
            self.within
        )
    }

    /// Names the task that this rule makes of an event: the same on every node, so that two nodes
    /// that make it at the same time make one (decision 0092).
    pub fn key(&self, event: &str) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("kith v1 task of an event");
        for part in [event, self.on.word(), &self.who, &self.what] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex().as_str()[..24].to_owned()
    }
}
