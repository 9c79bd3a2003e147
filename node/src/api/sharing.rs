//! Invitations, shares and their end.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{node::Role, pairing::words::Words};

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
    /// Whether whoever comes with the link waits until a person here has confirmed.
    #[serde(default)]
    pub confirm: bool,
    /// What else is said of the share.
    #[serde(default)]
    pub terms: ShareTerms,
}

/// What else is said of a share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareTerms {
    /// From when; at once where it is left out.
    pub from: Option<String>,
    /// Over how many steps it may be shared on; 0 is not at all.
    pub share_on: u8,
    /// Whether they may decide what counts of what others wrote.
    pub review: bool,
    /// On what ground.
    pub basis: ShareBasis,
    /// Who else can say that the share has ended, by the names of nodes that are known here.
    pub witnesses: Vec<String>,
}

/// On what ground something is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareBasis {
    /// The person's consent.
    #[default]
    Consent,
    /// Direct care.
    Care,
    /// A duty in law.
    Legal,
}

impl ShareBasis {
    /// As people type it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Care => "care",
            Self::Legal => "legal",
        }
    }
}

/// What stays of the entries of someone with whom sharing stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// Everything they did so far.
    All,
    /// Nothing after a time, milliseconds since 1970 UTC.
    NoneAfter(u64),
}

/// An invitation: one, with two doors.
#[derive(Clone, Serialize, Deserialize)]
pub struct Shared {
    /// Four words.
    pub words: Option<String>,
    /// The link.
    pub link: String,
    /// The end of the share; nothing for a device.
    pub until: Option<String>,
    /// Until when the words can be used, RFC 3339.
    pub words_end: Option<String>,
    /// Until when the link can be used, RFC 3339.
    pub invitation_ends: String,
    /// The invitation's id, which is no secret.
    pub invitation: String,
    /// Whether whoever comes with the link waits until a person here has confirmed.
    pub confirm: bool,
    /// Where this node is, as one types it.
    pub at: Vec<String>,
    /// Who invites.
    pub from: String,
    /// What they are.
    pub kind: Role,
    /// What can be seen.
    pub see: String,
    /// What can be added to.
    pub add: String,
    /// What can be changed.
    pub change: String,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(..)")
    }
}

/// How an invitation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationState {
    /// `waiting`, `asked`, `joined`, `declined` or `ended`.
    pub state: String,
    /// Who wants to join, or has.
    pub name: Option<String>,
    /// What they are.
    pub kind: Option<String>,
    /// What both sides compare.
    pub check_words: Option<String>,
    /// What went wrong with it, in words.
    pub trouble: Option<String>,
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
    /// `active`, `stopped`, `ended`, `given back`, `not begun`,
    /// `stop to review` where whoever stopped it was stopped too.
    pub state: String,
    /// The record.
    pub record: String,
    /// Whose record.
    pub person: String,
    /// Who gave it.
    pub by: String,
    /// Through whom it came, the one nearest to whoever controls the record first; nobody where a
    /// controller gave it.
    pub via: Vec<String>,
    /// Whether it is for this node's owner, from this node's owner, or between others.
    pub side: Side,
    /// From when, where that is still to come.
    pub from: Option<String>,
    /// Over how many steps it may be shared on.
    pub share_on: u8,
    /// Whether they may decide what counts of what others wrote.
    pub review: bool,
    /// On what ground.
    pub basis: ShareBasis,
}

impl ShareLine {
    /// Whether something is given under it, or will be.
    pub fn is_open(&self) -> bool {
        ["active", "not begun", "stop to review"].contains(&self.state.as_str())
    }
}

/// On which side of a share this node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// This node's owner shares it.
    FromUs,
    /// It is for this node's owner.
    WithUs,
    /// Both are others.
    BetweenOthers,
}

/// A share that was given to somebody known, without an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedWith {
    /// The share as it stands now.
    pub share: ShareLine,
    /// Whether it took the place of one that there was.
    pub changed: bool,
    /// Shares that they had made beneath the one before, and that went beyond what they may now.
    pub ended_beneath: usize,
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

/// How an invitation is accepted.
#[derive(Clone, Serialize, Deserialize)]
pub struct JoinRequest {
    /// By words or a link.
    pub by: JoinBy,
    /// It is the right person: nobody is asked.
    pub yes: bool,
}

/// What was typed of an invitation.
#[derive(Clone, Serialize, Deserialize)]
pub enum JoinBy {
    /// The link.
    Link(String),
    /// Four words, and where.
    Words {
        /// The words.
        words: Words,
        /// A name or address with or without a port; on the same network where it is left out.
        host: Option<String>,
    },
}

impl fmt::Debug for JoinRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinRequest(..)")
    }
}

/// What is said while an invitation is being accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinStep {
    /// Is this the right person? Nothing is stored before it is.
    Offered(Offered),
    /// The other side confirms first.
    Waits {
        /// Who confirms.
        from: String,
        /// What both compare.
        check_words: String,
    },
}

/// What somebody offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Who.
    pub from: String,
    /// What they are, such as `practice`.
    pub kind: String,
    /// What can be seen.
    pub see: String,
    /// What can be added.
    pub add: String,
    /// What can be changed.
    pub change: String,
    /// Until when.
    pub until: Option<String>,
    /// Whether this is to become another device of theirs.
    pub device: bool,
}

/// An invitation that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Joined {
    /// The record; nothing for a device.
    pub record: Option<String>,
    /// Who shared it.
    pub from: String,
    /// What can be seen.
    pub see: String,
    /// What can be added.
    pub add: String,
    /// What can be changed.
    pub change: String,
    /// Until when.
    pub until: Option<String>,
    /// What goes on the recovery sheet of a device that was made by this; shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<String>,
}
