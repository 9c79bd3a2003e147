//! Giving rights: who may, and the grants that say so.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::grant::{Actions, Basis, Grant, Purposes},
    id::{EventId, PrincipalId, RecordId},
    logs::{Act, Event, LabelAct},
    record::Record,
    signed::Verified,
    store::Item,
};
use serde::{Deserialize, Serialize};

use super::{end_of, held::Held, scopes::Scopes, start_of};
use crate::{
    api::{ShareBasis, ShareRequest},
    failure::{Ending, Failure},
    node::{Node, now_ms, show},
};

/// The most steps over which a share goes on: with the one that gives it, a chain is full.
const STEPS_MAX: u8 = 6;

/// What is shared, how, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) record: RecordId,
    pub(super) see: Scopes,
    pub(super) add: Scopes,
    pub(super) change: Scopes,
    pub(super) until_ms: u64,
    /// From when; from when it is given where nothing is said.
    pub(super) from_ms: Option<u64>,
    /// Over how many further steps it may be shared on.
    pub(super) share_on: u8,
    /// Whether they may decide what counts.
    pub(super) review: bool,
    pub(super) basis: Basis,
    /// Who else can say that it has ended, ascending.
    pub(super) witnesses: Vec<PrincipalId>,
}

/// Grants of a share that hang on the same right: of one label, with the same actions.
pub(super) struct Piece {
    pub(super) label: Label,
    pub(super) actions: Actions,
    pub(super) sections: Vec<Section>,
    /// The share that it is given under; nothing for a controller.
    under: Option<EventId>,
}

impl Node {
    /// What was asked for, read.
    pub(super) fn terms(&self, record: RecordId, asked: &ShareRequest) -> Result<Terms, Failure> {
        let see: Scopes = asked.see.parse()?;
        let add: Scopes = match &asked.add {
            Some(add) => add.parse()?,
            None => Scopes::default(),
        };
        let change: Scopes = match &asked.change {
            Some(change) => change.parse()?,
            None => Scopes::default(),
        };
        if see.is_empty() && add.is_empty() && change.is_empty() {
            return Err(unclear(
                "Nothing is named that they could see.",
                "Name sections, such as --see allergies,medicines,plans, or --see all.",
            ));
        }
        let until_ms = end_of(&asked.until)?;
        if until_ms <= now_ms() {
            return Err(unclear(
                format!("{} has passed.", asked.until),
                "Name a day in the future. Nothing was shared.",
            ));
        }
        let from = asked.terms.from.as_deref();
        let from_ms = from.map(start_of).transpose()?;
        if from_ms.is_some_and(|from| from >= until_ms) {
            return Err(unclear(
                "The share would end before it begins.",
                "Name an --until that is later than --from. Nothing was shared.",
            ));
        }
        if asked.terms.review && add.is_empty() && change.is_empty() {
            return Err(unclear(
                "Whoever decides what counts has to be able to add, and nothing is named that they can add to.",
                "Name sections with --add, or leave --review out. Nothing was shared.",
            ));
        }
        if asked.terms.share_on > STEPS_MAX {
            return Err(unclear(
                format!("Nobody can share on over {} steps.", asked.terms.share_on),
                format!("A share goes on over {STEPS_MAX} steps at most. Nothing was shared."),
            ));
        }
        let mut witnesses = BTreeSet::new();
        for name in &asked.terms.witnesses {
            witnesses.insert(self.known(name)?);
        }
        Ok(Terms {
            record,
            see,
            add,
            change,
            until_ms,
            from_ms,
            share_on: asked.terms.share_on,
            review: asked.terms.review,
            basis: match asked.terms.basis {
                ShareBasis::Consent => Basis::Consent,
                ShareBasis::Care => Basis::DirectCare,
                ShareBasis::Legal => Basis::LegalDuty,
            },
            witnesses: witnesses.into_iter().collect(),
        })
    }

    /// A controller shares what it likes, anyone else within what they may share on.
    pub(super) fn may_share(&self, record: &mut Record, terms: &Terms) -> Result<(), Failure> {
        self.pieces(record, terms).map(|_| ())
    }

    /// The grants of a share: one for each label, set of actions and right that it hangs on.
    pub(super) fn grant(
        &mut self,
        record: &mut Record,
        (audience, log): (PrincipalId, &[Verified<Event>]),
        terms: &Terms,
    ) -> Result<Vec<Item>, Failure> {
        let now = now_ms();
        let mut items: Vec<_> = Vec::new();
        for event in log {
            record.ledger().add_event(event.clone());
        }
        for piece in self.pieces(record, terms)? {
            let grant = Grant {
                audience,
                sections: piece.sections,
                actions: piece.actions,
                from_ms: terms.from_ms.unwrap_or(now),
                until_ms: Some(terms.until_ms),
                purposes: Purposes::CARE.union(Purposes::EMERGENCY),
                basis: terms.basis,
                depth: terms.share_on,
                parent: piece.under,
                custodians: terms.witnesses.clone(),
            };
            let act = Act::Label(LabelAct::Grant(grant));
            let (_, item) = self.act_under(record, Some(&piece.label), piece.under, act, now)?;
            items.push(item);
        }
        items.extend(self.note_ends(record));
        Ok(items)
    }

    /// What a share is made of, each piece under the right that allows it.
    fn pieces(&self, record: &mut Record, terms: &Terms) -> Result<Vec<Piece>, Failure> {
        let wanted = rights(terms);
        let own = self.identity.principal;
        if self.controls(record) {
            return Ok(wanted);
        }
        let held = Held::of(record, own, now_ms());
        if held.is_empty() {
            return Err(self.controlled_elsewhere(record));
        }
        let mut pieces = Vec::new();
        let mut beyond = Vec::new();
        for piece in wanted {
            let mut by_right: BTreeMap<EventId, Vec<Section>> = BTreeMap::new();
            for section in piece.sections {
                match held.under(&piece.label, section, piece.actions, terms) {
                    Some(right) => by_right.entry(right).or_default().push(section),
                    None => beyond.push((piece.label.clone(), vec![section])),
                }
            }
            pieces.extend(by_right.into_iter().map(|(right, sections)| Piece {
                label: piece.label.clone(),
                actions: piece.actions,
                sections,
                under: Some(right),
            }));
        }
        if beyond.is_empty() {
            return Ok(pieces);
        }
        let beyond: Scopes = beyond.into_iter().collect();
        Err(Failure::new(
            Ending::NotAllowed,
            format!("That goes beyond what you may share on: {beyond}."),
            format!("{} Nothing was shared.", held.allowed()),
        ))
    }

    fn controlled_elsewhere(&self, record: &mut Record) -> Failure {
        let own = self.identity.principal;
        let grants = record.ledger().grants();
        let with_us = grants.iter().find(|grant| grant.grant.audience == own);
        let by = with_us.map_or_else(
            || "whoever shares it with you".to_owned(),
            |grant| self.name_of(grant.issuer),
        );
        Failure::new(
            Ending::NotAllowed,
            "What is shared with you of this record may not be shared on, so it cannot be shared from here.",
            format!(
                "Ask {by} to share it, or to let you share it on (kith share with --share-on). Nothing was shared."
            ),
        )
    }
}

fn unclear(what: impl Into<String>, remedy: impl Into<String>) -> Failure {
    Failure::new(Ending::Usage, what, remedy)
}

/// Labels with their sections by what may be done there: who may change may add, who may add may
/// see.
pub(super) fn rights(terms: &Terms) -> Vec<Piece> {
    let also = |wanted: bool, action| if wanted { action } else { Actions::NONE };
    let see = Actions::READ.union(also(terms.share_on > 0, Actions::SHARE_ON));
    let add = see
        .union(Actions::APPEND)
        .union(also(terms.review, Actions::REVIEW));
    let levels = [
        (&terms.change, add.union(Actions::EDIT)),
        (&terms.add, add),
        (&terms.see, see),
    ];
    let labels: BTreeSet<_> = levels
        .iter()
        .flat_map(|(scopes, _)| scopes.labels())
        .collect();
    let mut rights = Vec::new();
    for label in labels {
        let mut given = BTreeSet::new();
        for (scopes, actions) in levels {
            let mut sections = scopes.sections(label);
            sections.retain(|section| given.insert(*section));
            if !sections.is_empty() {
                rights.push(Piece {
                    label: label.clone(),
                    actions,
                    sections,
                    under: None,
                });
            }
        }
    }
    rights
}

/// A day for people.
pub(super) fn day(time_ms: u64) -> String {
    let time = show::time(time_ms);
    time.get(..10).unwrap_or(&time).to_owned()
}
