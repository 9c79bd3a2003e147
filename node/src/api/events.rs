//! What happened on a node, in the order in which it was taken in.

use serde::{Deserialize, Serialize};

/// Which part of what happened is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Only what was taken in after this place; nothing for all that there ever was.
    pub after: Option<u64>,
    /// Only of this record.
    pub record: Option<String>,
}

/// One thing that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurred {
    /// Its place on this node: whoever asks again names the last one seen.
    pub seq: u64,
    /// When it was signed, by its author's clock, RFC 3339.
    pub when: String,
    /// The record; nothing for what concerns the people and devices of a node's owner.
    pub record: Option<String>,
    /// Whose record.
    pub person: Option<String>,
    /// What kind of thing it is.
    pub kind: Kind,
    /// The section in which something was written.
    pub section: Option<String>,
    /// Who did it.
    pub by: String,
    /// What, in words: a line for each resource that was written, or one sentence.
    pub what: Vec<String>,
    /// Whether what was written counts: `accepted`, or why not yet.
    pub status: Option<String>,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something was written.
    Written,
    /// A record began.
    Begun,
    /// A share was given.
    Shared,
    /// A share was stopped, given back, or has ended.
    Stopped,
    /// Who decides about a record changed, or its standing rules.
    Control,
    /// Somebody opened a record in an emergency.
    Emergency,
    /// Something was said of two records being of one person.
    SamePerson,
    /// The devices, staff or keys of somebody changed.
    People,
    /// The time of a task has passed: nobody accepted it, or it is not done. Told to whoever follows,
    /// with the place of what was taken in before.
    Late,
}

impl Kind {
    /// In one word, as programs see it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Begun => "begun",
            Self::Shared => "shared",
            Self::Stopped => "stopped",
            Self::Control => "control",
            Self::Emergency => "emergency",
            Self::SamePerson => "same-person",
            Self::People => "people",
            Self::Late => "late",
        }
    }
}
