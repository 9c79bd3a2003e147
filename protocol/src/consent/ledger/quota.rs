//! How much of one record is taken in. What is over it is not taken: the sender keeps it and is
//! told. What was taken in is never dropped.

use kith_crdt::DocumentId;

use super::Ledger;
use crate::{
    envelope::Header,
    id::{DeviceId, EnvelopeId},
    limits::{AUTHORITY_EVENTS_MAX, BRANCHES_MAX, PENDING_MAX, SET_ASIDE_MAX},
    logs::{Event, LogId},
    signed::Verified,
};

/// Why something is not taken in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Too many events of authority.
    #[error(
        "the record has {AUTHORITY_EVENTS_MAX} shares and changes of shares: no more are taken"
    )]
    Events,
    /// Too many entries that wait.
    #[error("{PENDING_MAX} entries of this part of the record wait for others: send those first")]
    Waiting,
    /// Too many entries of one device that are contested or break a rule.
    #[error("{SET_ASIDE_MAX} entries of this device are set aside: someone must review them first")]
    SetAside,
    /// Two branches already prove that the chain forked.
    #[error("this device wrote two things in one place already, which proves that it was copied")]
    Branches,
}

impl Ledger {
    /// Whether there is room for an event; what is held already always fits.
    pub fn admits_event(&self, event: &Verified<Event>) -> Result<(), Full> {
        let of_record = |log: &LogId| !matches!(log, LogId::Principal(_));
        let known = &self.authority.known;
        if self.holds_event(&event.id()) || !of_record(&event.value().log) {
            return Ok(());
        }
        let held = known
            .iter()
            .filter(|known| of_record(&known.event.log))
            .count();
        (held < AUTHORITY_EVENTS_MAX)
            .then_some(())
            .ok_or(Full::Events)
    }

    /// How many entries of a device in a document are contested or break a rule.
    pub fn set_aside(&mut self, document: &DocumentId, device: DeviceId) -> usize {
        self.entries.refresh(&mut self.authority, document);
        let place = self.entries.documents.get(document);
        place.map_or(0, |place| place.standing.set_aside(device))
    }

    /// Whether there is room for an entry; what is held already always fits.
    pub fn admits_entry(&mut self, header: &Verified<Header>) -> Result<(), Full> {
        let id: EnvelopeId = header.id();
        if self.holds_entry(&id) {
            return Ok(());
        }
        let header = header.value();
        let aside = self.set_aside(&header.document, header.device);
        let entries = &self.entries;
        let place = entries.documents.get(&header.document);
        if place.is_some_and(|place| place.all.len() - place.order.len() >= PENDING_MAX) {
            return Err(Full::Waiting);
        }
        let chain = (header.document.clone(), header.device, header.epoch);
        let links = entries.chains.get(&chain);
        let branches = links.and_then(|links| links.get(&header.seq));
        if branches.is_some_and(|branches| branches.len() >= BRANCHES_MAX) {
            return Err(Full::Branches);
        }
        (aside < SET_ASIDE_MAX).then_some(()).ok_or(Full::SetAside)
    }
}
