//! Invitations, shares and their end.

use serde::{Deserialize, Serialize};

/// What to share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShareRequest {
    /// The record.
    pub record: String,
    /// What they can see, such as `all` or `medicines,plans:general`.
    pub see: String,
    /// What they can add.
    pub add: Option<String>,
    /// What they can change.
    #[serde(default)]
    pub change: Option<String>,
    /// Until when.
    pub until: String,
}

/// What stays of the entries of someone with whom sharing stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// Everything they did so far.
    All,
    /// Nothing after a time, milliseconds since 1970 UTC.
    NoneAfter(u64),
}

/// An invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shared {
    /// Four words; none are given yet for an invitation by link.
    pub words: Option<String>,
    /// The link.
    pub link: String,
    /// The end of the share.
    pub until: String,
    /// Until when the invitation can be used, RFC 3339.
    pub invitation_ends: String,
}

/// Who can see what.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sharing {
    /// One by one.
    pub shares: Vec<ShareLine>,
}

/// One share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareLine {
    /// Its id.
    pub id: String,
    /// The public key of whoever it is for.
    pub who: String,
    /// What they call themselves.
    pub name: String,
    /// What they can see.
    pub see: String,
    /// What they can add.
    pub add: String,
    /// What they can change.
    pub change: String,
    /// Until when.
    pub until: Option<String>,
    /// `active`, `stopped`, `ended`, `waiting`.
    pub state: String,
}

/// A share that was stopped.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stopped {
    /// The share.
    pub share: String,
    /// With whom.
    pub name: String,
    /// What cannot be undone, in words.
    pub note: String,
}

/// An invitation that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The record.
    pub record: String,
    /// Who shared it.
    pub from: String,
    /// What can be seen.
    pub see: String,
    /// What can be added.
    pub add: String,
}
