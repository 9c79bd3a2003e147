//! The ends of days: what holds then (`checks`).

use super::{Line, Play};
use crate::study::{
    place::Place,
    protocol::checks::{Broken, Holder, Looked},
    run,
    times::{DAY_MS, HOUR_MS, MINUTE_MS},
};

/// When a day is looked at: while those are still up who go home.
const DAY_ENDS_MS: u64 = 21 * HOUR_MS;

/// Two that differ and say that they do not are looked at again after so long, milliseconds.
const LOOKS_AGAIN_MS: u64 = 10 * MINUTE_MS;

/// How often they are before it is held against them.
const LOOKS_AGAIN: u32 = 3;

impl Play<'_> {
    pub(super) fn plans_days(&mut self) {
        for day in 0..=self.settings.end_ms / DAY_MS {
            self.at(day * DAY_MS + DAY_ENDS_MS, Line::DayEnds);
        }
    }

    /// Looks at every record into which something came since it was last looked at.
    pub(super) fn looks_at_records(&mut self) {
        for who in std::mem::take(&mut self.touched) {
            let mut held = std::mem::take(&mut self.people[who].held);
            let differing = self.with_record(who, |play, looked| {
                looked.hold(&play.world, &mut held)?;
                Ok(looked.differing(&play.world))
            });
            self.people[who].held = held;
            let at_ms = self.world.now_ms() - self.begins_ms;
            for pair in differing.unwrap_or_default() {
                self.at(at_ms + LOOKS_AGAIN_MS, Line::Differs(who, pair, 1));
            }
        }
    }

    /// Looks again at two that differed.
    pub(super) fn looks_again(&mut self, at_ms: u64, who: usize, pair: (usize, usize), times: u32) {
        let again = self.with_record(who, |play, looked| {
            match looked.hold_pair(&play.world, pair) {
                Err(said) if times >= LOOKS_AGAIN => Err(said),
                Err(_) => Ok(true),
                Ok(()) => Ok(false),
            }
        });
        if again == Some(true) {
            self.at(at_ms + LOOKS_AGAIN_MS, Line::Differs(who, pair, times + 1));
        }
    }

    /// Looks at the record of a patient; nothing where there is none, or something is there that
    /// must not be.
    fn with_record<T>(
        &mut self,
        who: usize,
        look: impl FnOnce(&Self, &Looked<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let someone = &self.people[who];
        let holders = self.holders(who);
        let controller = &someone.patient.slot(someone.controller).place;
        let looked = Looked {
            record: someone.record?,
            name: format!("patient {}", someone.patient.number + 1),
            controller: self.nodes.all[self.nodes.of(controller)?].host,
            written: &someone.written,
            holders: &holders,
        };
        match look(self, &looked) {
            Ok(found) => Some(found),
            Err(said) => {
                let day = (self.world.now_ms() - self.begins_ms) / DAY_MS + 1;
                self.broken.get_or_insert(Broken { day, said });
                None
            }
        }
    }

    /// With whom a record is shared, or was, by the scenario: each node once.
    fn holders(&self, who: usize) -> Vec<Holder> {
        let someone = &self.people[who];
        let mut holders = Vec::<Holder>::new();
        for (n, slot) in (0_u8..).zip(&someone.patient.slots) {
            let ended_after = someone.ended_after[usize::from(n)];
            let Some(node) = self.nodes.of(&slot.place) else {
                continue;
            };
            if !self.is_member(who, n) && ended_after.is_none() {
                continue;
            }
            let sees = self.sections.iter().copied();
            let sees = sees.filter(|section| n == someone.controller || slot.may_see(*section));
            let holder = Holder {
                host: self.nodes.all[node].host,
                name: self.name_of(&slot.place),
                sees: sees.collect(),
                grants: someone.grants[usize::from(n)].clone(),
                ended_after,
            };
            match holders.iter_mut().find(|known| known.host == holder.host) {
                // The same place in two ways: what it may see in either it may.
                Some(known) => {
                    known.sees.extend(holder.sees);
                    known.grants.extend(holder.grants);
                    known.ended_after = known.ended_after.and(holder.ended_after);
                }
                None => holders.push(holder),
            }
        }
        holders
    }

    fn name_of(&self, place: &Place) -> String {
        let name = run::name_of(place, self.scenario);
        format!("{name} {}", place.index + 1)
    }
}
