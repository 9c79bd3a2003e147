//! The people and devices that act for a node's owner.

use serde::{Deserialize, Serialize};

use super::Keep;

/// A new member of staff.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewStaff {
    /// What they are called here; the name stays on this node.
    pub name: String,
    /// Such as `nurse`.
    pub role: String,
    /// What they may do, such as `see,add`.
    pub may: String,
    /// The last day.
    pub until: Option<String>,
}

/// A code by which a member of staff begins an account for the pages; shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewAccount {
    /// What they are called here.
    pub name: String,
    /// The code.
    pub code: String,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAccount(..)")
    }
}

/// Somebody or something that leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leaving {
    /// Which: an id or its beginning, or a name.
    pub who: String,
    /// What stays of what they did.
    pub keep: Keep,
}

/// A device that is retired.
#[derive(Clone, Serialize, Deserialize)]
pub struct Retiring {
    /// Which, and what stays.
    pub leaving: Leaving,
    /// The code of the first device's recovery sheet, where this one may not say so by itself.
    pub sheet: Option<String>,
}

/// A member of staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffLine {
    /// The id that entries are signed with; it says nothing outside.
    pub id: String,
    /// What they are called here.
    pub name: String,
    /// Such as `nurse`.
    pub role: String,
    /// What they may do, in words.
    pub may: String,
    /// Since when.
    pub since: String,
    /// Until when.
    pub until: Option<String>,
    /// `active`, `until passed` or `ended`.
    pub state: String,
}

/// Everyone who was entered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StaffList {
    /// In the order in which they came.
    pub staff: Vec<StaffLine>,
}

/// A device that acts for the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLine {
    /// Its public key.
    pub id: String,
    /// Whether it is this node's own.
    pub is_this: bool,
    /// Since when.
    pub since: String,
    /// `active` or `retired`.
    pub state: String,
}

/// Every device that was added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceList {
    /// In the order in which they came.
    pub devices: Vec<DeviceLine>,
    /// Invitations for another device that nobody has used.
    pub waiting: Vec<WaitingDevice>,
}

/// An invitation for another device of the owner's that nobody has used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingDevice {
    /// Its id, to take it back by.
    pub id: String,
    /// Until when its link works.
    pub ends: String,
}

/// Somebody or something left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Left {
    /// Its id.
    pub id: String,
    /// What it is called here.
    pub name: String,
    /// The signed event that says so, one for all records.
    pub event: String,
    /// How many records it is about.
    pub records: usize,
    /// What follows, in words.
    pub note: String,
}
