//! What the rule says of an entry, and why.

use crate::id::{EnvelopeId, EventId};

/// The status of an entry: a pure function of the set of events, parts and entries held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It counts.
    Accepted,
    /// It counts, adds and never replaces, until someone adopts it.
    Marked(Cause),
    /// It does not count until someone adopts it.
    Contested(Cause),
    /// It breaks a rule that its author knew: kept as evidence, never merged.
    Invalid(Fault),
    /// It waits for something that is not held; ascending.
    Pending(Vec<Missing>),
    /// This build failed on content that vetting passed.
    Unreadable(String),
}

/// What an entry waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// An event of a log.
    Event(EventId),
    /// An entry of the document.
    Entry(EnvelopeId),
}

/// Why an entry is marked or contested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its own claimed time is after the end of the right that it names.
    AfterEnd,
    /// The part of this revocation's cut that covers or does not cover it is not held.
    PartMissing(EventId),
    /// A custodian alone says that the right had ended.
    LapseAlone(EventId),
    /// A revocation that itself waits for a decision.
    Suspended(EventId),
    /// It is there only because someone's entry that counts builds on it.
    Ancestor,
    /// The right had lapsed.
    Lapsed(EventId),
    /// The right, the device or the member of staff was revoked.
    Revoked(EventId),
    /// What it builds on does not count.
    Orphan(EnvelopeId),
}

impl Cause {
    /// Whether it keeps an entry out rather than marking it.
    pub const fn is_hard(self) -> bool {
        match self {
            Self::Lapsed(_) | Self::Revoked(_) | Self::Orphan(_) => true,
            Self::AfterEnd
            | Self::PartMissing(_)
            | Self::LapseAlone(_)
            | Self::Suspended(_)
            | Self::Ancestor => false,
        }
    }
}

/// The rule that an event or entry breaks, judged by what its author had seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// Something that it names breaks a rule itself.
    #[error("it builds on something that breaks a rule")]
    BuildsOnFault,
    /// It belongs elsewhere.
    #[error("it names things that belong to another record or another part of it")]
    Elsewhere,
    /// Position and predecessor do not fit.
    #[error("its place among what its author wrote does not fit")]
    Chain,
    /// Its author cites older authority than the data it builds on.
    #[error("its author had seen more than it cites")]
    OldFrontier,
    /// The key is not certified.
    #[error("the device that signed it was not certified for its author")]
    Device,
    /// The member of staff is not known, or signed with another device.
    #[error("the member of staff was not entered for that device")]
    Staff,
    /// A proof that it carries does not hold.
    #[error("a proof that it carries does not hold")]
    Proof,
    /// Only a controller may.
    #[error("its author did not control the record")]
    Control,
    /// The grant that it names is no right of its author's here.
    #[error("its author did not hold the share that it names")]
    Grant,
    /// The right does not cover it.
    #[error("the share does not allow this")]
    Scope,
    /// The author had given the right back.
    #[error("its author had given the share back")]
    Renounced,
    /// The author knew of the revocation.
    #[error("its author knew that the share, the device or the member of staff was stopped")]
    Revoked(EventId),
    /// Delegated too often.
    #[error("it was shared on more often than allowed")]
    Depth,
    /// Whoever revokes stands beside or below.
    #[error("only someone above in the sharing, or whose device added it, may stop this")]
    NotAbove,
    /// Too few of those who must agree.
    #[error("too few of those who must agree have agreed")]
    Quorum,
    /// What it says makes no sense there.
    #[error("what it says does not fit the state that its author had seen")]
    Sense,
    /// The content does not pass vetting.
    #[error("its content was refused: {0}")]
    Content(String),
    /// The change builds on changes that no ancestor carries.
    #[error("its change builds on more than it names")]
    ForeignChange,
}
