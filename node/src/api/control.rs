//! Who controls a record, and changing that.

use serde::{Deserialize, Serialize};

/// A change in who controls a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlChange {
    /// Somebody known controls it too.
    Add(NewController),
    /// Somebody known controls it in place of this node's owner.
    HandOver(NewController),
    /// This node's owner stops controlling it.
    Leave,
}

/// Somebody who is to control a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewController {
    /// The name of a node that is known here.
    pub name: String,
    /// In what capacity; an organisation keeps the record where nothing is said.
    pub capacity: Option<ActsAs>,
    /// The last day, for those who act for the patient.
    pub until: Option<String>,
    /// What shows that they act for the patient, in words.
    pub evidence: Option<String>,
}

/// In what capacity somebody controls a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActsAs {
    /// It is about them.
    Patient,
    /// An organisation that keeps it.
    Keeper,
    /// With parental responsibility.
    Parent,
    /// With a power of attorney or its like.
    Attorney,
    /// By a decision in the patient's best interests.
    BestInterests,
}

impl ActsAs {
    /// In words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Patient => "the patient",
            Self::Keeper => "keeps the record",
            Self::Parent => "acts for the patient as a parent",
            Self::Attorney => "acts for the patient by power of attorney",
            Self::BestInterests => "acts in the patient's best interests",
        }
    }
}

/// Who controls a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlShown {
    /// The record.
    pub record: String,
    /// One by one.
    pub controllers: Vec<ControllerLine>,
    /// What people should know of a change that was made; nothing where none was.
    pub note: Option<String>,
}

/// Somebody who controls a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerLine {
    /// Their public key.
    pub who: String,
    /// What they call themselves.
    pub name: String,
    /// In what capacity; nothing where they began the record.
    #[serde(rename = "as")]
    pub capacity: Option<ActsAs>,
    /// Since when.
    pub since: String,
    /// Until when.
    pub until: Option<String>,
    /// `now` or `ended`.
    pub state: String,
    /// Whether it is this node's owner.
    pub is_us: bool,
}
