//! Tokens that only the consent decision mints, and denials that explain themselves.

use kith_crdt::DocumentId;

use super::grant::{Actions, Purposes};
use crate::{
    id::{DeviceId, EventId, PrincipalId, RecordId, StaffId},
    logs::{Act, LogId},
};

/// Whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whoever {
    /// On whose behalf.
    pub principal: PrincipalId,
    /// With which device.
    pub device: DeviceId,
    /// As which member of staff.
    pub staff: Option<StaffId>,
}

/// Proof that someone may read a document for a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub(super) record: RecordId,
    pub(super) document: DocumentId,
    pub(super) who: Whoever,
    pub(super) grant: Option<EventId>,
    pub(super) purpose: Purposes,
}

impl Reader {
    /// The record.
    pub const fn record(&self) -> RecordId {
        self.record
    }

    /// The document.
    pub const fn document(&self) -> &DocumentId {
        &self.document
    }

    /// Who reads.
    pub const fn who(&self) -> Whoever {
        self.who
    }

    /// The share that it reads under; nothing for a controller.
    pub const fn grant(&self) -> Option<EventId> {
        self.grant
    }

    /// What for.
    pub const fn purpose(&self) -> Purposes {
        self.purpose
    }
}

/// Proof that someone may write into a document for a purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    pub(super) reader: Reader,
    pub(super) action: Actions,
}

impl Writer {
    /// The record.
    pub const fn record(&self) -> RecordId {
        self.reader.record
    }

    /// The document.
    pub const fn document(&self) -> &DocumentId {
        &self.reader.document
    }

    /// Who writes.
    pub const fn who(&self) -> Whoever {
        self.reader.who
    }

    /// The share that it writes under; nothing for a controller.
    pub const fn grant(&self) -> Option<EventId> {
        self.reader.grant
    }

    /// What for.
    pub const fn purpose(&self) -> Purposes {
        self.reader.purpose
    }

    /// What it may do.
    pub const fn action(&self) -> Actions {
        self.action
    }
}

/// Proof that someone may sign one act in a log of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub(super) who: Whoever,
    pub(super) log: LogId,
    pub(super) grant: Option<EventId>,
    pub(super) act: Act,
}

impl Issuer {
    /// Who signs.
    pub const fn who(&self) -> Whoever {
        self.who
    }

    /// The log that the act joins.
    pub const fn log(&self) -> &LogId {
        &self.log
    }

    /// The share that it acts under; nothing for a controller.
    pub const fn grant(&self) -> Option<EventId> {
        self.grant
    }

    /// The act.
    pub const fn act(&self) -> &Act {
        &self.act
    }

    /// What is signed: log, share and act.
    pub(crate) fn into_parts(self) -> (LogId, Option<EventId>, Act) {
        (self.log, self.grant, self.act)
    }
}

/// Why someone may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Denial {
    /// Nothing was ever shared with them here: said of an unknown record too.
    #[error("nothing here is shared with you: ask someone who holds the record to share it")]
    NothingShared,
    /// The device is not one of theirs.
    #[error("this device is not known as one of theirs: add it from another of their devices")]
    Device,
    /// The member of staff is not known there.
    #[error("this member of staff is not entered at that organisation: enter them there first")]
    Staff,
    /// The device or the member of staff was stopped, or a decision on that is awaited.
    #[error("this device or member of staff was stopped: use another, or ask whoever stopped it")]
    ActorStopped(EventId),
    /// The share does not cover the section, the label or the action.
    #[error("what was shared does not include this: ask for it to be shared")]
    Scope,
    /// The share is for another purpose.
    #[error("what was shared may not be used for this purpose: ask for it to be shared for that")]
    Purpose,
    /// It has not begun.
    #[error("the share has not begun yet: try again when it has")]
    NotYet,
    /// It has ended, or may have: the clock may be ten minutes out.
    #[error("the share has ended: ask for it to be given again")]
    Ended,
    /// It was stopped.
    #[error("the share was stopped: ask whoever stopped it")]
    Stopped(EventId),
    /// They gave it back.
    #[error("they gave this share back: ask for a new one")]
    GivenBack,
    /// The record holds as many events of authority as it may.
    #[error("{0}")]
    Full(#[from] super::ledger::Full),
}

/// Why an entry has its status, in sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The status.
    pub status: super::status::Status,
    /// Sentences, the most important first.
    pub sentences: Vec<String>,
}
