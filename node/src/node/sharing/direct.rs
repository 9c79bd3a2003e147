//! A share for somebody whom this node knows, without an invitation: their node learns of it when
//! the two next talk. Given once more it takes the place of the share before.

use kith_crdt::Section;
use kith_protocol::{
    consent::{GrantFate, GrantState},
    id::{EventId, PrincipalId},
    record::Record,
    store::Store,
};

use super::{
    giving::{Terms, rights},
    share::Share,
    stopping::{beneath, kept_before},
};
use crate::{
    api::{Keep, ShareRequest, SharedWith},
    failure::{Ending, Failure},
    node::{Node, now_ms, peers},
};

/// What a share takes the place of.
struct Before {
    /// Shares that count.
    shares: Vec<Share>,
    /// What an earlier change kept and does not fit any more: those that this one keeps are not
    /// among them.
    beyond: Vec<GrantState>,
}

impl Before {
    fn of(record: &mut Record, from_to: (PrincipalId, PrincipalId), terms: &Terms) -> Self {
        let mut shares = Share::all(record);
        shares.retain(|share| share.is_active() && (share.issuer, share.audience) == from_to);
        let mut beyond = kept_before(record, from_to);
        beyond.retain(|below| !fits(below, terms));
        Self { shares, beyond }
    }

    const fn is_none(&self) -> bool {
        self.shares.is_empty() && self.beyond.is_empty()
    }
}

impl Node {
    /// Shares with somebody known, or changes what is shared with them: the new grants come first
    /// and the old ones end in the same commit, with everything kept, so that nothing is missing
    /// at any moment.
    pub(in crate::node) fn share_with(
        &mut self,
        asked: &ShareRequest,
        with: &str,
    ) -> Result<SharedWith, Failure> {
        let id = self.record_named(&asked.record)?;
        let terms = self.terms(id, asked)?;
        let audience = self.known(with)?;
        // A first share adds to the logs and to the circle; one that takes the place of others says
        // what stays of all that was written under them.
        let first = self.with_sections(id, &[Section::Circle], |node, record| {
            let before = Before::of(record, (node.principal(), audience), &terms);
            if before.is_none() {
                node.share_anew(record, audience, &terms, &before).map(Some)
            } else {
                Ok(None)
            }
        })?;
        if let Some(shared) = first {
            return Ok(shared);
        }
        self.with_record(id, |node, record| {
            let before = Before::of(record, (node.principal(), audience), &terms);
            node.share_anew(record, audience, &terms, &before)
        })
    }

    /// Gives the grants of a share, and ends what it takes the place of.
    fn share_anew(
        &mut self,
        record: &mut Record,
        audience: PrincipalId,
        terms: &Terms,
        before: &Before,
    ) -> Result<SharedWith, Failure> {
        let (id, own) = (record.id(), self.identity.principal);
        let log = self.store.principal_log(&audience)?;
        self.may_share(record, terms)?;
        self.needs_share(record, audience)?;
        let mut items = self.grant(record, (audience, &log), terms)?;
        let mut ended_beneath = before.beyond.len();
        for grant in &before.beyond {
            items.extend(self.revoke(record, grant, (Keep::All, Vec::new()), now_ms())?);
        }
        let old = before.shares.iter().flat_map(|share| &share.grants);
        for grant in old.filter(|grant| grant.state == GrantFate::Active) {
            let (kept, ended) = still_fit(record, grant, terms);
            ended_beneath += ended;
            items.extend(self.revoke(record, grant, (Keep::All, kept), now_ms())?);
        }
        items.extend(self.in_common(audience, id)?);
        if let Some(card) = self.card_of_known(audience)? {
            items.extend(self.introduce(record, card)?);
        }
        self.commit(items)?;
        let share = Share::shown(record)
            .into_iter()
            .rfind(|share| share.is_active() && (share.issuer, share.audience) == (own, audience));
        let share = share.ok_or_else(nothing_came)?;
        Ok(SharedWith {
            share: self.share_line(id, &share),
            changed: !before.shares.is_empty(),
            ended_beneath,
        })
    }

    fn needs_share(&self, record: &mut Record, audience: PrincipalId) -> Result<(), Failure> {
        if !record.ledger().controllers().contains(&audience) {
            return Ok(());
        }
        let name = self.name_of(audience);
        Err(Failure::new(
            Ending::Failed,
            format!("{name} controls this record and has all of it already."),
            "kith record control RECORD says who controls it. Nothing was changed.",
        ))
    }

    /// Somebody whom this node knows, by what they call themselves or by their key.
    pub(in crate::node) fn known(&self, name: &str) -> Result<PrincipalId, Failure> {
        let lower = name.to_lowercase();
        let known = peers::all(&self.store)?.into_iter().map(|(who, _)| who);
        let named = |who: &PrincipalId| {
            who.to_string() == lower || self.name_of(*who).to_lowercase() == lower
        };
        let found: Vec<_> = known.filter(named).collect();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(Failure::new(
                Ending::Failed,
                format!("This node knows nobody called {name:?}."),
                "kith status lists those that it knows. Somebody new is invited: kith share without --with. Nothing was changed.",
            )),
            several => {
                let keys: Vec<_> = several.iter().map(PrincipalId::to_string).collect();
                Err(Failure::new(
                    Ending::NeedsPerson,
                    format!(
                        "{} who are known here call themselves {name:?}.",
                        several.len()
                    ),
                    format!(
                        "Use the key of one of them instead: {}. Nothing was changed.",
                        keys.join(", ")
                    ),
                ))
            }
        }
    }
}

/// Of what somebody had shared on under a grant, what fits within their new terms and stays, and
/// how many do not fit and end with it.
fn still_fit(record: &mut Record, grant: &GrantState, terms: &Terms) -> (Vec<EventId>, usize) {
    let below = beneath(record, grant.id);
    let kept: Vec<_> = below.iter().filter(|below| fits(below, terms)).collect();
    let ended = below.len() - kept.len();
    (kept.iter().map(|below| below.id).collect(), ended)
}

/// Whether what somebody had shared on could be shared on by these terms too.
fn fits(below: &GrantState, terms: &Terms) -> bool {
    let Some(right) = &below.effective else {
        return false;
    };
    let offered = rights(terms);
    terms.share_on > right.depth
        && right.until_ms.is_some_and(|until| until <= terms.until_ms)
        && right.sections.iter().all(|section| {
            offered.iter().any(|piece| {
                piece.label == below.label
                    && piece.sections.contains(section)
                    && piece.actions.contains(right.actions)
            })
        })
}

fn nothing_came() -> Failure {
    Failure::new(
        Ending::Failed,
        "The share was written and is not found again.",
        "This is a fault of kith. Run kith sharing RECORD to see what stands.",
    )
}
