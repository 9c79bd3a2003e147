//! Who may recover a record together, and acts that several people agree to.

use serde::{Deserialize, Serialize};

use super::SetUp;

/// What is asked about recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecoveryAsk {
    /// Who may recover a record, and what waits for their word.
    Show {
        /// The record.
        record: String,
    },
    /// Other people are to be able to.
    Set {
        /// The record.
        record: String,
        /// Who, by the names of nodes that are known here.
        members: Vec<String>,
        /// How many of them have to agree.
        needed: u8,
    },
    /// Somebody else is to control a record.
    Record {
        /// The record.
        record: String,
        /// Who, by the name of a node that is known here.
        controller: String,
    },
    /// What was asked by somebody else, as text, and whether this node's owner agrees.
    Approve {
        /// The text.
        text: String,
        /// Whether they agree; otherwise it is only said what it is.
        yes: bool,
    },
    /// An agreement that came back, as text.
    Agreed {
        /// The text.
        text: String,
    },
    /// Who can give this node's owner a new key.
    Own,
    /// Other people are to be able to.
    SetOwn {
        /// Who, by the names of nodes that are known here.
        members: Vec<String>,
        /// How many of them have to agree.
        needed: u8,
        /// The code of the first device's recovery sheet, where this one may not say so by itself.
        sheet: Option<String>,
    },
    /// What somebody begins with who lost every device.
    Person {
        /// Who, by the name of a node that is known here.
        name: String,
    },
}

/// Who may recover a record, what waits, and what came of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryShown {
    /// The record.
    pub record: String,
    /// Who may; several sets where they were changed at the same time.
    pub sets: Vec<SetLine>,
    /// What was asked from here and is not agreed to yet.
    pub waiting: Vec<AskedLine>,
    /// What is to be handed on: a question to members, or an agreement to whoever asked.
    pub text: Option<String>,
    /// The signed event, once enough have agreed.
    pub event: Option<String>,
    /// What it is about, and what to do.
    pub note: Option<String>,
    /// What two people compare before one of them agrees to a new key of the other's.
    pub check_words: Option<String>,
}

/// A node on which somebody waits for a new key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Regaining {
    /// The node that was made.
    pub made: SetUp,
    /// What is to be handed on.
    pub text: String,
    /// What the person reads out to each who is to agree.
    pub check_words: String,
    /// Who can agree, and how many have to.
    pub sets: Vec<SetLine>,
}

/// People who may recover a record together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLine {
    /// Who.
    pub members: Vec<String>,
    /// How many of them have to agree.
    pub needed: u8,
}

/// Something that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLine {
    /// What.
    pub what: String,
    /// Who has agreed.
    pub agreed: Vec<String>,
    /// The text that the others get.
    pub text: String,
}
