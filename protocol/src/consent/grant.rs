//! A signed right: to whom, over which sections, for what, until when.

use kith_crdt::Section;
use serde::{Deserialize, Serialize};

use crate::id::{EventId, PrincipalId};

/// A right over some sections of one label (the label of the log that it stands in).
///
/// The effective right is the intersection along the chain of parents up to a controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who receives it.
    pub audience: PrincipalId,
    /// Which sections, strictly ascending.
    pub sections: Vec<Section>,
    /// What may be done.
    pub actions: Actions,
    /// From when, milliseconds since 1970 UTC.
    pub from_ms: u64,
    /// Until when; `None` is open-ended.
    pub until_ms: Option<u64>,
    /// What it may be used for.
    pub purposes: Purposes,
    /// On what ground it was given.
    pub basis: Basis,
    /// How many further delegations may hang beneath it, 0 to 7.
    pub depth: u8,
    /// The grant that it narrows; `None` when a controller issues it.
    pub parent: Option<EventId>,
    /// Who may together say that it has lapsed, strictly ascending.
    pub custodians: Vec<PrincipalId>,
}

/// A set of actions, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actions(u16);

impl Actions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// See.
    pub const READ: Self = Self(1);
    /// Add entries of one's own.
    pub const APPEND: Self = Self(1 << 1);
    /// Change what others entered.
    pub const EDIT: Self = Self(1 << 2);
    /// Share on.
    pub const SHARE_ON: Self = Self(1 << 3);
    /// Adopt, choose, resolve.
    pub const REVIEW: Self = Self(1 << 4);
    /// Keep and pass on without reading.
    pub const RELAY: Self = Self(1 << 5);
    /// Sign parts of cuts for issuers who cannot read the document.
    pub const CUSTODIAN: Self = Self(1 << 6);
    /// Everything.
    pub const ALL: Self = Self(0x7f);

    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both sets hold.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every action of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether only known bits are set.
    pub const fn is_known(self) -> bool {
        self.0 & !Self::ALL.0 == 0
    }
}

/// What a right may be used for, as bits; an entry or read names exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purposes(u8);

impl Purposes {
    /// Care of this person.
    pub const CARE: Self = Self(1);
    /// An emergency.
    pub const EMERGENCY: Self = Self(1 << 1);
    /// Running the service: relaying, backups, audit.
    pub const OPERATIONS: Self = Self(1 << 2);
    /// Research that the person agreed to.
    pub const RESEARCH: Self = Self(1 << 3);
    /// All of them.
    pub const ALL: Self = Self(0xf);

    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both sets hold.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every purpose of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is exactly one known purpose.
    pub const fn is_one(self) -> bool {
        self.0.count_ones() == 1 && self.0 & !Self::ALL.0 == 0
    }
}

/// The ground on which a right was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// Direct care.
    DirectCare,
    /// The person's consent.
    Consent,
    /// A duty in law.
    LegalDuty,
}
