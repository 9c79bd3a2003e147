//! C: what a cut covers.

use kith_crdt::DocumentId;

use super::super::cut::{CustodianWord, Custody, Cut, CutPart, CutPlace};
use super::{Cover, Hurt, Model, Way};
use crate::{
    id::EventId,
    logs::{Act, CoreAct, LabelAct, LogId, PrincipalAct, record::Revoke},
};

impl Model {
    pub(super) fn cut_of(&self, revoke: EventId) -> &Cut {
        match &self.events[&self.source(revoke)].act {
            Act::Principal(
                PrincipalAct::DeviceRetire { cut, .. } | PrincipalAct::StaffEnd { cut, .. },
            )
            | Act::Core(CoreAct::Recover { cut, .. })
            | Act::Label(LabelAct::Lapse { cut, .. } | LabelAct::Revoke(Revoke { cut, .. })) => cut,
            Act::Principal(_) | Act::Core(_) | Act::Label(_) => &Cut::Nothing,
        }
    }

    /// The issuer's own parts for a place: none where it has none, nothing while that is not known.
    pub(super) fn parts_of(&self, revoke: EventId, place: &CutPlace) -> Option<Vec<&CutPart>> {
        let id = self.source(revoke);
        match self.cut_of(revoke) {
            Cut::Nothing | Cut::Entrusted { root: None, .. } => return Some(Vec::new()),
            Cut::Parts(_) | Cut::Entrusted { root: Some(_), .. } => {}
        }
        let all = self.parts.get(&id)?;
        let at = |place: &CutPlace| -> Vec<&CutPart> {
            all.iter().filter(|part| part.place == *place).collect()
        };
        let parts = at(place);
        let CutPlace::Document(document) = place else {
            return (!parts.is_empty()).then_some(parts);
        };
        // The part for the log says which documents have one.
        let log = at(&CutPlace::Label(document.label.clone()));
        let listed = log.iter().any(|part| part.documents.contains(document));
        (!parts.is_empty() || (!log.is_empty() && !listed)).then_some(parts)
    }

    /// Forgets what is not signed, and what a device signed that is not certified or was stopped.
    pub(super) fn hear_custodians(&mut self) {
        let present = self.view(&self.valid);
        let mut words = std::mem::take(&mut self.words);
        words.retain(|(of, part, word)| {
            let signer = (word.custodian, word.device, None);
            let ways = self.ways_of_actor(signer, &self.valid, &[]);
            let stopped =
                |ways: Vec<Way>| self.worst(&present, &ways, &mut |_| Cover::No) > Hurt::None;
            word.signs(*of, part) && ways.is_some_and(|ways| !stopped(ways))
        });
        self.words = words;
    }

    /// The parts that count of a document's custodians, each with the word of the issuer that lets
    /// it count; nothing where the issuer names no custodian for the document.
    pub(super) fn words_of(
        &self,
        revoke: EventId,
        document: &DocumentId,
    ) -> Option<Vec<(&CutPart, &Custody)>> {
        let id = self.source(revoke);
        let Cut::Entrusted { custodies, .. } = self.cut_of(revoke) else {
            return None;
        };
        let log = &self.events[&id].log;
        let elsewhere = matches!(log, LogId::Label(_, label) if *label != document.label);
        let about = |custody: &&Custody| !elsewhere && custody.sections.contains(&document.section);
        let named: Vec<_> = custodies.iter().filter(about).collect();
        if named.is_empty() {
            return None;
        }
        let place = CutPlace::Document(document.clone());
        let here = |(of, part, _): &&(EventId, CutPart, CustodianWord)| {
            *of == id && part.place == place && Some(part.record) == self.record
        };
        let words = self.words.iter().filter(here);
        let allowed = words.flat_map(|(_, part, word)| {
            let own = named
                .iter()
                .filter(|custody| custody.custodian == word.custodian);
            own.map(move |custody| (part, *custody))
        });
        Some(allowed.collect())
    }

    pub(super) fn covers_event(&self, revoke: EventId, id: EventId) -> Cover {
        let event = &self.events[&id];
        let place = match &event.log {
            LogId::Principal(_) => {
                return match &self.events[&revoke].act {
                    Act::Principal(PrincipalAct::DeviceRetire {
                        last: Some(last), ..
                    }) => self.reaches(*last, id),
                    Act::Principal(_) | Act::Core(_) | Act::Label(_) => Cover::No,
                };
            }
            LogId::Core(_) => CutPlace::Core,
            LogId::Label(_, label) => CutPlace::Label(label.clone()),
        };
        let Some(parts) = self.parts_of(revoke, &place) else {
            return Cover::Unknown;
        };
        let positions = parts.into_iter().flat_map(|part| &part.chains);
        let covers = positions
            .filter(|position| position.device == event.device)
            .map(|position| {
                let last = EventId::from_bytes(*position.id.as_bytes());
                if last == id {
                    Cover::Yes
                } else if event.seq >= position.seq {
                    Cover::No
                } else {
                    self.reaches(last, id)
                }
            });
        covers.max().unwrap_or(Cover::No)
    }

    pub(super) fn reaches(&self, last: EventId, id: EventId) -> Cover {
        if last == id {
            return Cover::Yes;
        }
        if !self.whole.contains(&last) {
            return Cover::Unknown;
        }
        let mut chain = std::iter::successors(Some(last), |id| self.events[id].prev);
        if chain.any(|before| before == id) {
            Cover::Yes
        } else {
            Cover::No
        }
    }
}
