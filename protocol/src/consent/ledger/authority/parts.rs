//! What is proven of the cuts of events.

use std::collections::BTreeSet;

use super::{At, Authority, Known, cut};
use crate::{
    consent::cut::{CustodianWord, Cut, CutPart, CutPlace, PartProof, ProvenPart, entrusted},
    id::{DeviceId, EventId, PrincipalId},
};

/// A part that a custodian signed whom the revocation names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::consent::ledger) struct Word {
    pub(in crate::consent::ledger) revocation: EventId,
    pub(in crate::consent::ledger) custodian: PrincipalId,
    pub(in crate::consent::ledger) device: DeviceId,
    pub(in crate::consent::ledger) part: CutPart,
}

impl Authority {
    /// A position that is named in a cut of events and not whole yet: what it covers is unknown.
    pub(super) fn await_position(&mut self, id: EventId) {
        if !self.at(&id).is_some_and(|at| self.known[at].complete) {
            self.positions.insert(id);
        }
    }

    pub(super) fn settle_positions(&mut self) {
        let index = &self.index;
        let known = &self.known;
        let before = self.positions.len();
        self.positions
            .retain(|id| !index.get(id).is_some_and(|at| known[*at].complete));
        if self.positions.len() < before {
            self.judge_again();
        }
    }

    /// Takes in a part of a cut; it counts once its revocation is held and it proves itself.
    pub(in crate::consent::ledger) fn add_part(&mut self, proven: ProvenPart) -> bool {
        if self.index.contains_key(&proven.revocation) {
            self.prove(proven)
        } else {
            let waiting = self.unproven.entry(proven.revocation).or_default();
            waiting.insert(proven)
        }
    }

    pub(super) fn prove(&mut self, proven: ProvenPart) -> bool {
        let Some(at) = self.at(&proven.revocation) else {
            return false;
        };
        if proven.part.record != self.record {
            return false;
        }
        match &proven.proof {
            PartProof::Issuer(_) => self.prove_own(at, proven),
            PartProof::Custodian(word) => {
                let word = word.clone();
                self.prove_entrusted(at, &word, proven)
            }
        }
    }

    /// A custodian's part: kept where the revocation names it for this document and it signed.
    fn prove_entrusted(&mut self, at: At, word: &CustodianWord, proven: ProvenPart) -> bool {
        let CutPlace::Document(document) = &proven.part.place else {
            return false;
        };
        let named = entrusted(self.known[at].event.value(), document);
        let named = named
            .iter()
            .any(|custody| custody.custodian == word.custodian);
        if !named || !word.signs(proven.revocation, &proven.part) {
            return false;
        }
        let words = self.words.entry(proven.part.place.clone()).or_default();
        let new = words.insert(Word {
            revocation: proven.revocation,
            custodian: word.custodian,
            device: word.device,
            part: proven.part,
        });
        if new {
            self.changes += 1;
            self.part_changes += 1;
        }
        new
    }

    /// A part of the issuer's own.
    fn prove_own(&mut self, at: At, proven: ProvenPart) -> bool {
        let root = cut(self.known[at].event.value()).and_then(Cut::root);
        if !root.is_some_and(|root| proven.belongs_to(root)) {
            return false;
        }
        let about_events = !matches!(proven.part.place, CutPlace::Document(_));
        if about_events {
            for position in &proven.part.chains {
                self.await_position(EventId::from_bytes(*position.id.as_bytes()));
            }
        }
        let key = (proven.revocation, proven.part.place.clone());
        let new = self.parts.entry(key).or_default().insert(proven.part);
        if new {
            self.changes += 1;
            self.part_changes += 1;
            if about_events {
                self.weigh_again(at);
            }
        }
        new
    }

    /// A part about events changes what its revocation means: for whoever had seen it, and in the
    /// present view.
    fn weigh_again(&mut self, revocation: At) {
        let saw = |known: &Known| {
            let past = known.judged.as_ref().map(|judged| &judged.past);
            past.is_some_and(|past| past.contains(revocation))
        };
        if self.known.iter().any(saw) {
            self.judge_again();
        } else {
            self.views.clear();
            self.reweighed.push(revocation);
        }
    }

    /// The parts that are held of a revocation's cut for one place.
    pub(in crate::consent::ledger) fn parts(
        &self,
        revocation: EventId,
        place: &CutPlace,
    ) -> Option<&BTreeSet<CutPart>> {
        self.parts.get(&(revocation, place.clone()))
    }

    pub(in crate::consent::ledger) fn all_parts(
        &self,
    ) -> impl Iterator<Item = (&EventId, &CutPart)> {
        self.parts
            .iter()
            .flat_map(|((revocation, _), parts)| parts.iter().map(move |part| (revocation, part)))
    }
}
