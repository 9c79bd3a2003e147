//! What custodians say of documents that an issuer cannot read, and what one has yet to say.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;

use super::{
    Ledger,
    authority::{Acting, At, Authority, cut},
    entries::Nth,
    judge,
    need::Coverage,
    review::short,
};
use crate::{
    consent::cut::{Cut, CutPart, CutPlace, CutPosition, entrusted},
    id::{DeviceId, EventId, PrincipalId},
    logs::{Act, CoreAct, LabelAct, PrincipalAct, record::Link},
};

/// A position by a custodian's word, with the bounds that the issuer set for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bounded {
    pub(super) position: CutPosition,
    /// Its custodian; `None` for one of the issuer's own.
    pub(super) custodian: Option<PrincipalId>,
    /// The latest claimed time that it reaches.
    pub(super) until_ms: u64,
}

impl Bounded {
    pub(super) const fn own(position: CutPosition) -> Self {
        Self {
            position,
            custodian: None,
            until_ms: u64::MAX,
        }
    }

    /// Whether it may keep an entry by this author with this claimed time.
    pub(super) fn reaches(&self, author: PrincipalId, time_ms: u64) -> bool {
        self.custodian != Some(author) && time_ms <= self.until_ms
    }
}

/// What the custodians that a revocation names say of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Who said something.
    pub(super) by: BTreeSet<PrincipalId>,
    pub(super) positions: BTreeSet<Bounded>,
}

impl Authority {
    /// What counts of the words on a document: those by devices that are certified now and that
    /// nothing stopped. Several on one revocation unite.
    pub(super) fn words_on(&mut self, document: &DocumentId) -> BTreeMap<EventId, Said> {
        let words = self.words.get(&CutPlace::Document(document.clone()));
        let words = words.cloned().unwrap_or_default();
        let mut counting = BTreeMap::<_, Said>::new();
        for word in words {
            let Some(at) = self.at(&word.revocation) else {
                continue;
            };
            if !self.speaks_for(word.custodian, word.device) {
                continue;
            }
            let named = entrusted(self.event(at), document);
            let named = named
                .iter()
                .filter(|custody| custody.custodian == word.custodian);
            let Some(until_ms) = named.map(|custody| custody.until_ms).max() else {
                continue;
            };
            let bounded = word.part.chains.iter().map(|position| Bounded {
                position: *position,
                custodian: Some(word.custodian),
                until_ms,
            });
            let said = counting.entry(word.revocation).or_default();
            said.by.insert(word.custodian);
            said.positions.extend(bounded);
        }
        counting
    }

    /// Whether a device is certified for a principal now, and nothing that is held stopped it.
    fn speaks_for(&mut self, principal: PrincipalId, device: DeviceId) -> bool {
        let all = self.valid.clone();
        let Ok(chain) = judge::signer(self, principal, device, None, &all) else {
            return false;
        };
        let chain = chain.acting(Acting::Own, None);
        self.in_present_view(|view, a| {
            let need = view.need(a, &chain);
            let hit = need.weigh(&|at| a.id(at), &mut |_| Coverage::Uncovered);
            hit.is_none()
        })
    }
}

impl Ledger {
    /// Everyone whom a cut names as custodian: whose devices have to be known.
    pub fn custodians(&self) -> BTreeSet<PrincipalId> {
        let cuts = self.authority.known.iter();
        let cuts = cuts.filter_map(|known| cut(known.event.value()));
        cuts.flat_map(Cut::custodies)
            .map(|custody| custody.custodian)
            .collect()
    }

    /// What a custodian's word, or the lack of it, has to do with the status of an entry.
    pub(super) fn told_of_custodians(&self, at: Nth) -> Vec<String> {
        let a = &self.authority;
        let held = &self.entries.held[at];
        let document = &held.header.value().document;
        let names = |all: BTreeSet<PrincipalId>| {
            let all: Vec<_> = all.iter().map(|who| short(who.as_bytes())).collect();
            all.join(" and ")
        };
        let tell = |revoke: At| {
            let source = a.source(revoke);
            if !left_to_custodians(a, a.id(source), document) {
                return None;
            }
            let issuer = short(a.event(source).author.as_bytes());
            let Some(said) = self.entries.said_of(a.id(source), document) else {
                let asked = entrusted(a.event(source), document);
                let asked = names(asked.iter().map(|custody| custody.custodian).collect());
                return Some(format!(
                    "{issuer} stopped something it hangs on without reading this part of the \
                     record, and left it to {asked} to say what stands, which has not arrived."
                ));
            };
            let by = names(said.by.clone());
            Some(match self.entries.coverage(a, revoke, at) {
                Coverage::Covered => {
                    format!("{by} said that it stands, as whoever stopped it had asked.")
                }
                Coverage::Uncovered => format!(
                    "{issuer} left it to {by} to say what stands, and it was not among what {by} \
                     said to stand."
                ),
                Coverage::Unknown => {
                    format!("{by} said what stands, and what that names has not all arrived.")
                }
            })
        };
        let hits = self.entries.hitting(at);
        hits.into_iter().filter_map(tell).collect()
    }

    /// The parts that a custodian has yet to sign: for every revocation that names it and every
    /// document of which entries are held, what it would keep, where nothing by it counts yet.
    ///
    /// It keeps everything that the stopped did so far, within the bounds that the issuer set, and
    /// nothing of its own.
    pub fn parts_owed(&mut self, custodian: PrincipalId) -> Vec<(EventId, CutPart)> {
        let mut owed = Vec::new();
        for document in self.documents() {
            self.entries.refresh(&mut self.authority, &document);
            let said = self.words_of(custodian, &document);
            let asked: Vec<_> = self.asked(custodian, &document);
            for (revocation, link, until_ms) in asked {
                if said.contains(&revocation) {
                    continue;
                }
                let chains = self.kept_for(revocation, link, &document, custodian, until_ms);
                owed.push((
                    revocation,
                    CutPart {
                        record: self.authority.record,
                        place: CutPlace::Document(document.clone()),
                        chains: chains.into_iter().collect(),
                        documents: Vec::new(),
                    },
                ));
            }
        }
        owed
    }

    /// The revocations on which something by this custodian counts in a document.
    fn words_of(&mut self, custodian: PrincipalId, document: &DocumentId) -> BTreeSet<EventId> {
        let words = self
            .authority
            .words
            .get(&CutPlace::Document(document.clone()));
        let own = words.into_iter().flatten();
        let own: Vec<_> = own
            .filter(|word| word.custodian == custodian)
            .map(|word| (word.revocation, word.device))
            .collect();
        let counts = |(revocation, device): (EventId, DeviceId)| {
            self.authority
                .speaks_for(custodian, device)
                .then_some(revocation)
        };
        own.into_iter().filter_map(counts).collect()
    }

    /// The valid revocations that leave a document to this custodian, with what they revoke.
    fn asked(&self, custodian: PrincipalId, document: &DocumentId) -> Vec<(EventId, Link, u64)> {
        let a = &self.authority;
        let asked = |at: usize| {
            let event = a.event(at);
            cut(event).filter(|cut| !cut.custodies().is_empty())?;
            let named = entrusted(event, document);
            let named = named
                .iter()
                .filter(|custody| custody.custodian == custodian);
            let until_ms = named.map(|custody| custody.until_ms).max()?;
            let left = left_to_custodians(a, a.id(at), document);
            left.then_some((a.id(at), link_of(&event.act)?, until_ms))
        };
        a.valid.iter().filter_map(asked).collect()
    }

    fn kept_for(
        &self,
        revocation: EventId,
        link: Link,
        document: &DocumentId,
        custodian: PrincipalId,
        until_ms: u64,
    ) -> BTreeSet<CutPosition> {
        let chains = self.entries.chains.keys();
        let here = chains.filter(|(of, _, _)| of == document);
        here.flat_map(|(document, device, epoch)| {
            let chain = (document, *device, *epoch);
            let kept = self
                .entries
                .kept(&self.authority, link, chain, until_ms, &[revocation]);
            kept.into_iter()
        })
        .filter(|position| {
            let at = self.entries.index.get(&position.id);
            at.is_some_and(|at| self.entries.held[*at].header.value().author != custodian)
        })
        .collect()
    }
}

/// What the issuer of a revocation itself says of a document.
pub(super) enum OwnPart {
    /// These positions, ascending.
    Held(Vec<CutPosition>),
    /// It has no part there.
    None,
    /// That is not known yet.
    Unknown,
}

pub(super) fn own_part(a: &Authority, revocation: EventId, place: &CutPlace) -> OwnPart {
    let event = a.at(&revocation).map(|at| a.event(at));
    if event.and_then(cut).is_none_or(|cut| cut.root().is_none()) {
        return OwnPart::None;
    }
    if let Some(parts) = a.parts(revocation, place) {
        let mut all: Vec<_> = parts.iter().flat_map(|part| part.chains.clone()).collect();
        all.sort_unstable();
        return OwnPart::Held(all);
    }
    let CutPlace::Document(document) = place else {
        return OwnPart::Unknown;
    };
    let log = a.parts(revocation, &CutPlace::Label(document.label.clone()));
    let listed = log.map(|log| log.iter().any(|part| part.documents.contains(document)));
    match listed {
        Some(false) => OwnPart::None,
        Some(true) | None => OwnPart::Unknown,
    }
}

/// Whether a revocation leaves a document to a custodian where it says nothing of it itself.
pub(super) fn is_entrusted(a: &Authority, revocation: EventId, place: &CutPlace) -> bool {
    let event = a.at(&revocation).map(|at| a.event(at));
    match (event, place) {
        (Some(event), CutPlace::Document(document)) => !entrusted(event, document).is_empty(),
        (_, CutPlace::Core | CutPlace::Label(_)) | (None, CutPlace::Document(_)) => false,
    }
}

/// Whether it is known that the issuer of a revocation says nothing of a document itself and
/// leaves it to custodians.
fn left_to_custodians(a: &Authority, revocation: EventId, document: &DocumentId) -> bool {
    let place = CutPlace::Document(document.clone());
    let none = matches!(own_part(a, revocation, &place), OwnPart::None);
    none && is_entrusted(a, revocation, &place)
}

/// What an event with a cut stops.
const fn link_of(act: &Act) -> Option<Link> {
    match act {
        Act::Label(LabelAct::Revoke(revoke)) => Some(revoke.link),
        Act::Label(LabelAct::Lapse { grant, .. }) => Some(Link::Grant(*grant)),
        Act::Principal(PrincipalAct::DeviceRetire { device, .. }) => Some(Link::Device(*device)),
        Act::Principal(PrincipalAct::StaffEnd { staff, .. }) => Some(Link::Staff(*staff)),
        Act::Core(CoreAct::Recover { .. }) => Some(Link::Root),
        Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
    }
}
