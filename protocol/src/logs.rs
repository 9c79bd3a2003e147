//! The signed logs of authority: one per principal, and for each record one core log and one
//! log per label.
//!
//! Every event names what its author had seen. Nothing here decides anything: which events
//! count is the status rule's business (`consent`).

pub mod principal;
pub mod record;

use kith_crdt::Label;
use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, EventId, PrincipalId, RecordId, StaffId};

pub use principal::PrincipalAct;
pub use record::{CoreAct, LabelAct};

/// Which log an event belongs to.
///
/// A record's Genesis has the log `Core(None)`: the record's id is the hash of the Genesis
/// itself, so it cannot name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogId {
    /// A person's or organisation's own log.
    Principal(PrincipalId),
    /// A record's core log.
    Core(Option<RecordId>),
    /// A record's log for one label.
    Label(RecordId, Label),
}

/// The signed part of an authority event.
///
/// `(device, log)` is its chain: `seq` counts from 0 there and `prev` names the event before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Format version, 1.
    pub version: u8,
    /// The log it belongs to.
    pub log: LogId,
    /// On whose behalf it was written.
    pub author: PrincipalId,
    /// The member of staff who wrote it, where the author is an organisation with staff.
    pub staff: Option<StaffId>,
    /// The key that signed it. Equal to `author` bytes when the root key itself signed.
    pub device: DeviceId,
    /// Position in its chain, from 0.
    pub seq: u64,
    /// The event before it in its chain; `None` only at 0.
    pub prev: Option<EventId>,
    /// What its author had seen.
    pub frontiers: Frontiers,
    /// The grant it acts under; `None` for a controller and in principal logs.
    pub grant: Option<EventId>,
    /// Claimed time, milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// What it does.
    pub act: Act,
}

/// The heads of the logs that an author had seen when it signed: strictly ascending lists,
/// at most 16 ids in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frontiers {
    /// Heads of the record's core log.
    pub core: Vec<EventId>,
    /// Heads of the label's log (of the label concerned).
    pub label: Vec<EventId>,
    /// Heads of the author's principal log.
    pub principal: Vec<EventId>,
}

impl Frontiers {
    /// Every head named, in the order core, label, principal.
    pub fn iter(&self) -> impl Iterator<Item = &EventId> {
        self.core.iter().chain(&self.label).chain(&self.principal)
    }
}

/// What an event does; the variant must fit the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// In a principal log.
    Principal(PrincipalAct),
    /// In a record's core log.
    Core(CoreAct),
    /// In a record's log for one label.
    Label(LabelAct),
}
