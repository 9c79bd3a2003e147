//! How much of one record is taken in. What is over it is not taken: the sender keeps it and is
//! told. What was taken in is never dropped.

use kith_crdt::DocumentId;

use super::{Ledger, judge};
use crate::{
    consent::decision::Whoever,
    envelope::Header,
    id::{DeviceId, EnvelopeId},
    limits::{
        AUTHORITY_EVENTS_MAX, AUTHORITY_EVENTS_RESERVE, BRANCHES_MAX, PENDING_MAX, SET_ASIDE_MAX,
    },
    logs::{Act, CoreAct, Event, LogId},
    signed::Verified,
};

/// Why something is not taken in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Full {
    /// Too many events of authority.
    #[error(
        "the record holds as many shares and changes of shares as it can ({AUTHORITY_EVENTS_MAX}): what holds goes on, and for new shares begin a second record and join the two"
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
    pub fn admits_event(&mut self, event: &Verified<Event>) -> Result<(), Full> {
        let value = event.value();
        if self.holds_event(&event.id()) || matches!(value.log, LogId::Principal(_)) {
            return Ok(());
        }
        self.admits_act(&Whoever {
            principal: value.author,
            device: value.device,
            staff: value.staff,
        })
    }

    /// Whether there is room for one more event of the record's own logs by someone.
    pub(super) fn admits_act(&mut self, who: &Whoever) -> Result<(), Full> {
        let known = &self.authority.known;
        let of_record = known
            .iter()
            .filter(|known| !matches!(known.event.value().log, LogId::Principal(_)));
        let held = of_record.count();
        let free = AUTHORITY_EVENTS_MAX - AUTHORITY_EVENTS_RESERVE;
        if held < free || held < AUTHORITY_EVENTS_MAX && self.is_in_charge(who) {
            Ok(())
        } else {
            Err(Full::Events)
        }
    }

    /// Whether someone controls the record, or was ever named to recover it.
    fn is_in_charge(&mut self, who: &Whoever) -> bool {
        let a = &mut self.authority;
        let all = a.valid.clone();
        let sets = a.targets.recovery_sets.get(&None).into_iter().flatten();
        let recovers = sets.copied().any(|at| match &a.event(at).act {
            Act::Core(
                CoreAct::Genesis { recovery: set, .. } | CoreAct::RecoverySet { set, .. },
            ) => set.members.contains(&who.principal),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => false,
        });
        (recovers || judge::controls(a, who.principal, &all).is_ok())
            && judge::signer(a, who.principal, who.device, who.staff, &all).is_ok()
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
