//! What the cut of a revocation says of an event.

use super::super::{
    authority::{At, Authority, cut, place_of},
    need::Coverage,
};
use crate::{
    consent::cut::{Cut, CutPosition},
    id::EventId,
    logs::{Act, CoreAct, LabelAct, PrincipalAct, record::Revoke},
};

impl Authority {
    /// The event whose contents a revocation has: a Confirm says again what it confirms.
    pub(in crate::consent::ledger) fn source(&self, at: At) -> At {
        match &self.event(at).act {
            Act::Label(LabelAct::Confirm { revocation }) => self.at(revocation).unwrap_or(at),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => at,
        }
    }

    pub(super) fn voids(&self, at: At, revocation: EventId) -> bool {
        match &self.event(self.source(at)).act {
            Act::Label(LabelAct::Revoke(Revoke { void, .. }))
            | Act::Core(CoreAct::Recover { void, .. })
            | Act::Principal(
                PrincipalAct::DeviceRetire { void, .. } | PrincipalAct::StaffEnd { void, .. },
            ) => void.contains(&revocation),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => false,
        }
    }

    pub(super) fn is_final(&self, at: At) -> bool {
        match &self.event(self.source(at)).act {
            Act::Label(LabelAct::Revoke(revoke)) => revoke.is_final,
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => false,
        }
    }

    /// What the cut of a revocation says of an event.
    pub(in crate::consent::ledger) fn covers(&self, revoke: At, event: At) -> Coverage {
        let source = self.source(revoke);
        let Some(place) = place_of(&self.event(event).log) else {
            return self.covers_own(source, event);
        };
        match cut(self.event(source)).and_then(Cut::root) {
            None => Coverage::Uncovered,
            Some(_) => match self.parts(self.id(source), &place) {
                None => Coverage::Unknown,
                Some(parts) => parts
                    .iter()
                    .flat_map(|part| &part.chains)
                    .map(|position| self.covers_at(position, event))
                    .max()
                    .unwrap_or(Coverage::Uncovered),
            },
        }
    }

    /// What a retirement says of an event of the principal's own log.
    fn covers_own(&self, retire: At, event: At) -> Coverage {
        match &self.event(retire).act {
            Act::Principal(PrincipalAct::DeviceRetire { last, .. }) => match last {
                None => Coverage::Uncovered,
                Some(last) => self.reaches(last, event),
            },
            Act::Principal(PrincipalAct::KeyChange { .. }) if self.saw(retire, event) => {
                Coverage::Covered
            }
            Act::Principal(_) | Act::Core(_) | Act::Label(_) => Coverage::Uncovered,
        }
    }

    fn covers_at(&self, position: &CutPosition, event: At) -> Coverage {
        let link = self.event(event);
        if position.device != link.device || link.seq > position.seq {
            return Coverage::Uncovered;
        }
        let id = EventId::from_bytes(*position.id.as_bytes());
        if link.seq == position.seq && id != self.id(event) {
            return Coverage::Uncovered;
        }
        self.reaches(&id, event)
    }

    /// Whether an event stands at or below the last of a chain.
    fn reaches(&self, last: &EventId, event: At) -> Coverage {
        if *last == self.id(event) {
            return Coverage::Covered;
        }
        let Some(last) = self.at(last).filter(|at| self.known[*at].complete) else {
            return Coverage::Unknown;
        };
        let mut next = Some(last);
        while let Some(at) = next {
            if at == event {
                return Coverage::Covered;
            }
            next = self.event(at).prev.and_then(|id| self.at(&id));
        }
        Coverage::Uncovered
    }
}
