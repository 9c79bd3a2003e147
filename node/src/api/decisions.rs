//! What needs a decision, and why something is as it is.

use serde::{Deserialize, Serialize};

/// A decision on the review list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// An entry counts, with all that it needs.
    Adopt {
        /// The entry's id or its beginning.
        entry: String,
    },
    /// Of two versions this one.
    Choose {
        /// The resource.
        resource: String,
        /// The version, 1 or more, as `kith review` numbers them.
        version: usize,
    },
    /// What came in after its part of the record was begun anew.
    Settle {
        /// The resource.
        resource: String,
        /// Whether it is to be written into what stands now.
        wanted: bool,
    },
    /// A stop of sharing that waits, since whoever signed it was stopped too, holds.
    Confirm {
        /// The stop's id or its beginning.
        stop: String,
    },
    /// It does not hold.
    Void {
        /// The stop's id or its beginning.
        stop: String,
    },
    /// What an adoption or a choice between versions made different is taken back, as something
    /// new.
    Undo {
        /// The entry that decided.
        entry: String,
        /// Which version stands again where there were more than two, 1 or more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<usize>,
    },
    /// Somebody has seen that the record was opened in an emergency.
    Seen {
        /// The emergency's id or its beginning.
        emergency: String,
    },
}

/// Why an entry has its status.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explained {
    /// The entry.
    pub entry: String,
    /// Its status.
    pub status: String,
    /// Why, in sentences.
    pub because: Vec<String>,
}

/// What needs a decision.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Review {
    /// Item by item.
    pub items: Vec<ToReview>,
}

/// One thing to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToReview {
    /// The record.
    pub record: String,
    /// Whose.
    pub person: String,
    /// What kind of decision.
    pub kind: String,
    /// The entry or resource.
    pub id: String,
    /// What it says.
    pub what: String,
    /// Versions side by side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// What can be done.
    #[serde(rename = "do")]
    pub remedy: String,
}

/// What was decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// The entry that says so.
    pub entry: String,
    /// In words.
    pub what: String,
}
