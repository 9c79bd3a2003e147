//! Plans for emergencies, such as ReSPECT, and who has them.

use serde::{Deserialize, Serialize};

use super::Known;

/// The plans of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlansShown {
    /// The record.
    pub record: String,
    /// Whose.
    pub person: String,
    /// What this node knows of them.
    pub known: Known,
    /// The plan for emergencies that stands. Where there are two, both, the newest signature first:
    /// then somebody has to decide, and `conflict` says so.
    pub current: Vec<PlanLine>,
    /// Why no one of them is to be followed unseen, in a sentence; nothing where there is one or none.
    pub conflict: Option<String>,
    /// Whom to ring about it, by name.
    pub ring: Vec<String>,
    /// Plans that were replaced or ended, the newest signature first.
    pub superseded: Vec<PlanLine>,
    /// Other plans and decisions: care plans, treatment consent.
    pub others: Vec<PlanLine>,
    /// Everyone with whom plans are shared, and whether they have them.
    pub holders: Vec<PlanHolder>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    /// Its id.
    pub id: String,
    /// What kind it is, such as `ReSPECT plan`.
    pub kind: String,
    /// What it says in a line.
    pub text: String,
    /// The day of this version, as it says itself.
    pub date: Option<String>,
    /// Who wrote it, as it says itself.
    pub authors: Vec<String>,
    /// Whose signature it has here.
    pub signed_by: String,
    /// When it was signed.
    pub signed: String,
    /// When it is to be looked at again, as it says itself.
    pub review_due: Option<String>,
    /// Whether that day has passed.
    pub review_late: bool,
    /// `current`, `superseded` or what else it says of itself.
    pub status: String,
    /// The plan that took its place.
    pub replaced_by: Option<String>,
    /// What is to be known of it beside that.
    pub marks: Vec<String>,
}

/// Somebody with whom plans are shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHolder {
    /// Their public key.
    pub who: String,
    /// What they call themselves.
    pub name: String,
    /// Whether they control the record, or it is shared with them.
    pub controls: bool,
    /// Whether it is this node's owner.
    pub is_us: bool,
    /// Whether the plan that stands is on their node.
    pub has_it: HasIt,
    /// In words.
    pub says: String,
    /// When their node had said so at the latest, as far as that is known.
    pub since: Option<String>,
    /// Until when it is shared with them.
    pub until: Option<String>,
}

/// Whether somebody has a plan, as far as this node can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HasIt {
    /// Their node said that it is on its disk.
    Confirmed,
    /// Their node is known here, and has not said so yet.
    NotYet,
    /// This node does not speak with theirs, so it cannot tell.
    NotKnownHere,
    /// There is no plan to have.
    NoPlan,
}
