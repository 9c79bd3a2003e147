//! A, D and E for entries: which are in the document, and how they count.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;

use super::super::{ContentFacts, cut::CutPlace, grant::Actions};
use super::{Cover, Hurt, Model, Plain, Set, View, Way, product};
use crate::{
    envelope::{Content, Header},
    id::{EnvelopeId, EventId},
    logs::{Act, LabelAct},
};

impl Model {
    pub(super) fn document(&self, document: &DocumentId) -> BTreeMap<EnvelopeId, Plain> {
        let here: BTreeMap<_, _> = self
            .entries
            .iter()
            .filter(|(_, (header, _))| header.document == *document)
            .collect();
        let view = self.view(&self.valid);
        let mut held = BTreeMap::<EnvelopeId, Option<(Set, Vec<Way>)>>::new();
        loop {
            let before = held.len();
            for (id, (header, facts)) in &here {
                let named = header.deps.iter().chain(&header.prev);
                let events = header.frontiers.iter().chain(&header.grant);
                let ready = named.clone().all(|id| held.contains_key(id))
                    && events.into_iter().all(|id| self.whole.contains(id));
                if ready && !held.contains_key(*id) {
                    let verdict = self.judge_entry(header, facts, &held);
                    held.insert(**id, verdict);
                }
            }
            if held.len() == before {
                break;
            }
        }
        self.standings(&here, &held, &view)
    }

    /// A, for an entry: what it had seen and its ways up.
    pub(super) fn judge_entry(
        &self,
        header: &Header,
        facts: &ContentFacts,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
    ) -> Option<(Set, Vec<Way>)> {
        let mut cited = Set::new();
        for id in header.frontiers.iter().chain(&header.grant) {
            self.valid.contains(id).then_some(())?;
            cited.insert(*id);
            cited.extend(&self.pasts[id]);
        }
        let mut past = cited.clone();
        for id in header.deps.iter().chain(&header.prev) {
            past.extend(&held[id].as_ref()?.0);
            let before = &self.entries[id].0;
            let own = if before.author == header.author {
                before.frontiers.principal.as_slice()
            } else {
                &[]
            };
            let heads = before
                .frontiers
                .core
                .iter()
                .chain(&before.frontiers.label)
                .chain(own);
            heads
                .into_iter()
                .all(|id| cited.contains(id))
                .then_some(())?;
            (before.document == header.document).then_some(())?;
        }
        match header.prev.map(|id| &self.entries[&id].0) {
            None => (header.seq == 0).then_some(())?,
            Some(prev) => (prev.device == header.device
                && prev.epoch == header.epoch
                && prev.seq + 1 == header.seq)
                .then_some(())?,
        }
        let view = self.view(&past);
        let who = (header.author, header.device, header.staff);
        let actor = self.ways_of_actor(who, &past, &[])?;
        let label = &header.document.label;
        let above = self.ways_acting(who.0, who.1, who.2, header.grant, label, &view)?;
        let ways = product(&actor, &above);
        (self.worst(&view, &ways, &mut |_| Cover::No) < Hurt::Out).then_some(())?;
        let wants = match &header.content {
            Content::Adopt { .. } => Actions::REVIEW.union(Actions::APPEND),
            Content::Change(_) | Content::CarryOver { .. } | Content::Erased { .. } => {
                Actions::APPEND
            }
        };
        let lineage = header
            .grant
            .map(|grant| self.lineage(grant))
            .unwrap_or_default();
        let fits = |id: &EventId| {
            self.grant(*id).is_some_and(|grant| {
                grant.actions.contains(wants)
                    && grant.sections.contains(&header.document.section)
                    && grant.purposes.contains(header.purpose)
            })
        };
        lineage.iter().all(fits).then_some(())?;
        let fits = !matches!(facts, ContentFacts::Refused(_)) && !self.has_twins(header, facts);
        fits.then_some((past, ways))
    }

    /// Whether two changes with one actor and seq come together here.
    pub(super) fn has_twins(&self, header: &Header, facts: &ContentFacts) -> bool {
        let place = |header: &Header, facts: &ContentFacts| match facts {
            ContentFacts::Change { actor_seq, .. } => Some((header.actor().0, *actor_seq)),
            ContentFacts::None
            | ContentFacts::Erased
            | ContentFacts::Refused(_)
            | ContentFacts::Unreadable(_) => None,
        };
        let mut places: BTreeSet<_> = place(header, facts).into_iter().collect();
        let mut seen = BTreeSet::new();
        let mut next = header.deps.clone();
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            let (header, facts) = &self.entries[&id];
            if place(header, facts).is_some_and(|place| !places.insert(place)) {
                return true;
            }
            next.extend(&header.deps);
        }
        false
    }

    pub(super) fn standings(
        &self,
        here: &BTreeMap<&EnvelopeId, &(Header, ContentFacts)>,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
        view: &View,
    ) -> BTreeMap<EnvelopeId, Plain> {
        let valid: BTreeMap<_, _> = held
            .iter()
            .filter_map(|(id, verdict)| Some((*id, &verdict.as_ref()?.1)))
            .collect();
        let own: BTreeMap<_, _> = valid
            .iter()
            .map(|(id, ways)| (*id, self.own(*id, ways, view, held)))
            .collect();
        let mut loaded: BTreeSet<_> = own
            .iter()
            .filter(|(_, hurt)| **hurt < Hurt::Out)
            .map(|(id, _)| *id)
            .collect();
        let mut adopted = BTreeMap::<EnvelopeId, Hurt>::new();
        // D, until nothing more follows.
        loop {
            let before = (loaded.len(), adopted.len());
            for id in loaded.clone() {
                loaded.extend(here[&id].0.deps.iter().copied());
            }
            for (id, hurt) in self.adoptions(here, &own) {
                if valid.contains_key(&id)
                    && here[&id].0.deps.iter().all(|dep| loaded.contains(dep))
                {
                    let least = adopted.entry(id).or_insert(hurt);
                    *least = hurt.min(*least);
                    loaded.insert(id);
                }
            }
            if (loaded.len(), adopted.len()) == before {
                break;
            }
        }
        let status = |id: &EnvelopeId| match held.get(id) {
            None => Plain::Pending,
            Some(None) => Plain::Invalid,
            Some(Some(_)) if matches!(here[id].1, ContentFacts::Unreadable(_)) => Plain::Unreadable,
            Some(Some(_)) if !loaded.contains(id) => Plain::Contested,
            Some(Some(_)) if own[id] == Hurt::None || adopted.get(id) == Some(&Hurt::None) => {
                Plain::Accepted
            }
            Some(Some(_)) => Plain::Marked,
        };
        here.keys().map(|id| (**id, status(id))).collect()
    }

    /// Who is adopted by an adoption that is itself clear, and whether that one is marked.
    pub(super) fn adoptions(
        &self,
        here: &BTreeMap<&EnvelopeId, &(Header, ContentFacts)>,
        own: &BTreeMap<EnvelopeId, Hurt>,
    ) -> Vec<(EnvelopeId, Hurt)> {
        let mut adoptions = Vec::new();
        for (id, hurt) in own.iter().filter(|(_, hurt)| **hurt < Hurt::Out) {
            let (by, _) = here[id];
            let Content::Adopt { entries } = &by.content else {
                continue;
            };
            for adopted in entries {
                let Some((of, _)) = here.get(adopted) else {
                    continue;
                };
                let colleagues = matches!((by.staff, of.staff), (Some(by), Some(of)) if by != of);
                if by.author != of.author || colleagues {
                    adoptions.push((*adopted, *hurt));
                }
            }
        }
        adoptions
    }

    /// C: what is against an entry on its own.
    pub(super) fn own(
        &self,
        id: EnvelopeId,
        ways: &[Way],
        view: &View,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
    ) -> Hurt {
        let header = &self.entries[&id].0;
        let mut cover = |revoke: EventId| self.covers_entry(revoke, id, held);
        let hit = self.worst(view, ways, &mut cover);
        let lineage = header
            .grant
            .map(|grant| self.lineage(grant))
            .unwrap_or_default();
        let lapsed = lineage
            .iter()
            .map(|grant| self.lapsed(*grant, view, &mut cover))
            .max();
        let late = lineage.iter().any(|grant| {
            let end = self.grant(*grant).and_then(|grant| grant.until_ms);
            let issued_late = |below: &EventId| {
                self.lineage(*below).contains(grant)
                    && below != grant
                    && end.is_some_and(|end| self.events[below].time_ms > end)
            };
            end.is_some_and(|end| header.time_ms > end) || lineage.iter().any(issued_late)
        });
        let late = if late { Hurt::Mark } else { Hurt::None };
        hit.max(lapsed.unwrap_or(Hurt::None)).max(late)
    }

    pub(super) fn lapsed(
        &self,
        grant: EventId,
        view: &View,
        cover: &mut dyn FnMut(EventId) -> Cover,
    ) -> Hurt {
        let about = |id: &&EventId| matches!(&self.events[*id].act, Act::Label(LabelAct::Lapse { grant: of, .. }) if *of == grant);
        let standing: Vec<_> = view.standing.iter().filter(about).copied().collect();
        let stays = |id: &EventId| !standing.iter().any(|other| self.replaces(*other, *id));
        let last: Vec<_> = standing.iter().copied().filter(stays).collect();
        let authors: BTreeSet<_> = last.iter().map(|id| self.events[id].author).collect();
        let agreed = authors.len() > 1 || last.iter().any(|id| self.is_upstream(*id));
        let suspended = view.suspended.iter().filter(about).copied().filter(stays);
        let mut soft: Vec<_> = suspended.collect();
        let mut hurt = Hurt::None;
        if agreed {
            hurt = match last.iter().map(|id| cover(*id)).max().unwrap_or(Cover::No) {
                Cover::Yes => Hurt::None,
                Cover::Unknown => Hurt::Mark,
                Cover::No => Hurt::Out,
            };
        } else {
            soft.extend(last);
        }
        if soft.iter().any(|id| cover(*id) != Cover::Yes) {
            hurt = hurt.max(Hurt::Mark);
        }
        hurt
    }

    pub(super) fn covers_entry(
        &self,
        revoke: EventId,
        id: EnvelopeId,
        held: &BTreeMap<EnvelopeId, Option<(Set, Vec<Way>)>>,
    ) -> Cover {
        let header = &self.entries[&id].0;
        let place = CutPlace::Document(header.document.clone());
        let Some(parts) = self.parts_of(revoke, &place) else {
            return Cover::Unknown;
        };
        let mut positions: Vec<_> = parts.iter().flat_map(|part| &part.chains).collect();
        // Where the issuer says something itself, nobody else does.
        if parts.is_empty()
            && let Some(words) = self.words_of(revoke, &header.document)
        {
            if words.is_empty() {
                return Cover::Unknown;
            }
            let reached = words.into_iter().filter(|(_, custody)| {
                custody.custodian != header.author && header.time_ms <= custody.until_ms
            });
            positions.extend(reached.flat_map(|(part, _)| &part.chains));
        }
        let own = |device, epoch| device == header.device && epoch == header.epoch;
        let covers = positions
            .into_iter()
            .filter(|position| own(position.device, position.epoch))
            .map(|position| {
                let before = |id: &EnvelopeId| self.entries[id].0.prev;
                if position.id == id {
                    Cover::Yes
                } else if header.seq >= position.seq {
                    Cover::No
                } else if !held.contains_key(&position.id) {
                    Cover::Unknown
                } else if std::iter::successors(Some(position.id), before).any(|at| at == id) {
                    Cover::Yes
                } else {
                    Cover::No
                }
            });
        covers.max().unwrap_or(Cover::No)
    }
}
