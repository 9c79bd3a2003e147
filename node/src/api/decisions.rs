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
    pub kind: ReviewKind,
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

/// Why something waits for a decision; scripts read the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReviewKind {
    /// Somebody opened the record in an emergency.
    #[serde(rename = "opened in an emergency")]
    Emergency,
    /// Two plans for emergencies stand, and neither says that it replaces the other.
    #[serde(rename = "two plans for emergencies stand")]
    TwoPlans,
    /// A resource was changed in two places at once.
    #[serde(rename = "two versions")]
    TwoVersions,
    /// A resource was taken back in one place and changed in another.
    #[serde(rename = "entered in error, and changed at the same time")]
    MistakeAndChange,
    /// An entry of somebody whose right is in doubt.
    #[serde(rename = "does not count until someone decides")]
    Contested,
    /// An entry that counts with a mark.
    #[serde(rename = "counts, but needs a look")]
    Marked,
    /// A stop of sharing that waits.
    #[serde(rename = "the end of a share, signed by someone whose own right ended")]
    StopWaits,
    /// A device that numbered two things alike.
    #[serde(rename = "this device was restored from an older copy")]
    Restored,
    /// Two records may be of one person.
    #[serde(rename = "may be of the same person")]
    SamePerson,
    /// What was written into an epoch that had ended.
    #[serde(rename = "came in after its part was begun anew")]
    Late,
    /// Somebody came with the link of an invitation.
    #[serde(rename = "somebody wants to join")]
    WantsToJoin,
    /// The words of an invitation have ended.
    #[serde(rename = "wrong words were tried")]
    WrongWords,
    /// Whoever was invited said no.
    #[serde(rename = "an invitation was declined")]
    Declined,
    /// A record that this node cannot show.
    #[serde(rename = "cannot be read here")]
    NotRead,
}

impl ReviewKind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Emergency => "opened in an emergency",
            Self::TwoPlans => "two plans for emergencies stand",
            Self::TwoVersions => "two versions",
            Self::MistakeAndChange => "entered in error, and changed at the same time",
            Self::Contested => "does not count until someone decides",
            Self::Marked => "counts, but needs a look",
            Self::StopWaits => "the end of a share, signed by someone whose own right ended",
            Self::Restored => "this device was restored from an older copy",
            Self::SamePerson => "may be of the same person",
            Self::Late => "came in after its part was begun anew",
            Self::WantsToJoin => "somebody wants to join",
            Self::WrongWords => "wrong words were tried",
            Self::Declined => "an invitation was declined",
            Self::NotRead => "cannot be read here",
        }
    }
}

/// What was decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decided {
    /// The entry that says so.
    pub entry: String,
    /// In words.
    pub what: String,
}
