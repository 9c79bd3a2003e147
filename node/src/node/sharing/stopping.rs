//! Stopping a share, and giving one back.

use kith_protocol::{
    consent::{GrantFate, GrantState, ReviewItem, cut::CutTree},
    id::{EventId, PrincipalId},
    logs::{
        Act, LabelAct,
        record::{Link, Revoke},
    },
    record::Record,
    store::Item,
};

use super::share::{Share, above};
use crate::{
    api::{Decided, Keep, Stopped},
    failure::{Ending, Failure},
    node::{Node, now_ms},
};

impl Node {
    pub(in crate::node) fn stop(
        &mut self,
        word: &str,
        share: &str,
        (keep, keep_shared_on): (Keep, bool),
    ) -> Result<Stopped, Failure> {
        let id = self.record_named(word)?;
        if let Some(taken_back) = self.take_back(id, share)? {
            return Ok(taken_back);
        }
        self.with_record(id, |node, record| {
            let share = node.share_named(record, share)?;
            let active = share.grants.iter();
            let active = active.filter(|grant| grant.state == GrantFate::Active);
            let own = share.audience == node.identity.principal;
            let mut items = Vec::new();
            for grant in active {
                if own {
                    items.push(node.give_back(record, grant)?);
                    continue;
                }
                let kept = if keep_shared_on {
                    beneath(record, grant.id)
                } else {
                    Vec::new()
                };
                let kept = kept.iter().map(|grant| grant.id).collect();
                items.extend(node.revoke(record, grant, (keep, kept), now_ms())?);
            }
            if !own && !keep_shared_on {
                for grant in kept_before(record, (share.issuer, share.audience)) {
                    items.extend(node.revoke(record, &grant, (keep, Vec::new()), now_ms())?);
                }
            }
            node.commit(items)?;
            Ok(node.stopped(&share, own))
        })
    }

    fn stopped(&self, share: &Share, own: bool) -> Stopped {
        let name = self.name_of(share.audience);
        let note = if own {
            let by = self.name_of(share.issuer);
            format!(
                "You have given this share back to {by}: nothing more comes to this node under it. What you wrote stays in the record, and what is here stays here."
            )
        } else {
            format!("Nothing more goes to {name}. kith cannot take back what {name} already has.")
        };
        Stopped {
            share: share.id(),
            name,
            note,
        }
    }

    /// Gives a share back: from now on, and nothing that was written under it comes into doubt.
    fn give_back(&self, record: &mut Record, grant: &GrantState) -> Result<Item, Failure> {
        let act = Act::Label(LabelAct::Renounce { grant: grant.id });
        let label = Some(&grant.label);
        let (_, item) = self.act_under(record, label, Some(grant.id), act, now_ms())?;
        Ok(item)
    }

    /// Revokes a grant: with what stays of what was written under it, and the grants right beneath
    /// it that stay.
    pub(super) fn revoke(
        &self,
        record: &mut Record,
        grant: &GrantState,
        (keep, kept): (Keep, Vec<EventId>),
        now: u64,
    ) -> Result<Vec<Item>, Failure> {
        let link = Link::Grant(grant.id);
        let under = self.above_it(record, grant)?;
        let parts = match keep {
            Keep::All => record.ledger().keep_everything(link),
            Keep::NoneAfter(time_ms) => record.ledger().keep_none_after(link, time_ms),
        };
        let cut = CutTree::new(parts);
        let act = Act::Label(LabelAct::Revoke(Revoke {
            link,
            cut: cut.cut(),
            keep: kept,
            void: Vec::new(),
            is_final: false,
        }));
        let (event, item) = self.act_under(record, Some(&grant.label), under, act, now)?;
        let mut items = vec![item];
        items.extend(Self::with_parts(record, event, &cut));
        Ok(items)
    }

    /// The parts of a cut that this node signed, taken in and to be kept.
    pub(in crate::node) fn with_parts(
        record: &mut Record,
        event: EventId,
        cut: &CutTree,
    ) -> Vec<Item> {
        let parts = cut.proven(event);
        let items = parts.iter().map(|part| Item::Part {
            record: record.id(),
            revocation: event,
            bytes: kith_protocol::codec::encode(part),
        });
        let items = items.collect();
        for part in parts {
            record.ledger().add_part(part);
        }
        items
    }

    /// Says that a stop which waits holds: whoever signed it was stopped by somebody who had not
    /// seen it.
    pub(in crate::node) fn confirm(
        &mut self,
        record: &mut Record,
        word: &str,
    ) -> Result<Decided, Failure> {
        let waits = waiting_stop(record, word);
        let stops = waits.and_then(|stop| Some((stop, self.stops(stop)?)));
        let grants = record.ledger().grants();
        let found = stops.and_then(|(stop, grant)| {
            let grant = grants.iter().find(|known| known.id == grant)?;
            Some((stop, grant))
        });
        let (stop, grant) = found.ok_or_else(|| no_stop(word))?;
        let under = self.above_it(record, grant)?;
        let act = Act::Label(LabelAct::Confirm { revocation: stop });
        let label = grant.label.clone();
        let (event, item) = self.act_under(record, Some(&label), under, act, now_ms())?;
        self.commit(vec![item])?;
        Ok(Decided {
            entry: event.to_string(),
            what: "The share has ended, as whoever stopped it said.".to_owned(),
        })
    }

    /// Which grant an event of this node's store revokes.
    fn stops(&self, event: EventId) -> Option<EventId> {
        match self.event_here(event)?.act {
            Act::Label(LabelAct::Revoke(Revoke {
                link: Link::Grant(grant),
                ..
            })) => Some(grant),
            Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
        }
    }

    /// What this node's owner acts under when it stops a grant: nothing as a controller, otherwise
    /// a share of its own that the grant hangs on.
    pub(super) fn above_it(
        &self,
        record: &mut Record,
        grant: &GrantState,
    ) -> Result<Option<EventId>, Failure> {
        let own = self.identity.principal;
        if self.controls(record) {
            return Ok(None);
        }
        let grants = record.ledger().grants();
        let ours =
            |above: &&GrantState| above.grant.audience == own && above.state == GrantFate::Active;
        let ours = above(&grants, grant).into_iter().find(ours);
        ours.map(|above| Some(above.id)).ok_or_else(|| {
            let by = self.name_of(grant.issuer);
            Failure::new(
                Ending::NotAllowed,
                format!("{by} gave this share, so it cannot be stopped from here."),
                format!(
                    "Ask {by}, or whoever controls the record, to stop it. Nothing was changed."
                ),
            )
        })
    }

    fn share_named(&self, record: &mut Record, word: &str) -> Result<Share, Failure> {
        let lower = word.to_lowercase();
        let own = self.identity.principal;
        let named = |share: &Share| {
            share.id() == word
                || share.audience.to_string() == word
                || self.name_of(share.audience).to_lowercase() == lower
                || (share.audience == own && self.name_of(share.issuer).to_lowercase() == lower)
        };
        let mut found: Vec<_> = Share::all(record)
            .into_iter()
            .filter(Share::is_active)
            .filter(named)
            .collect();
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(Failure::new(
                Ending::Failed,
                format!("There is no share called {word:?} that could be stopped."),
                "Run kith sharing RECORD to see who can see what.",
            )),
            n => Err(Failure::new(
                Ending::NeedsPerson,
                format!("{word:?} fits {n} shares."),
                "Name one by its id: kith sharing RECORD lists them.",
            )),
        }
    }
}

/// The stop that a word names and that waits for a decision.
pub(super) fn waiting_stop(record: &mut Record, word: &str) -> Option<EventId> {
    let word = word.to_lowercase();
    let review = record.ledger().review().into_iter();
    let mut waiting = review.filter_map(|item| match item {
        ReviewItem::Suspended { revocation, .. } => Some(revocation),
        ReviewItem::ForkedLog { .. }
        | ReviewItem::Forked { .. }
        | ReviewItem::Contested { .. }
        | ReviewItem::Marked { .. } => None,
    });
    waiting.find(|stop| word.len() >= 6 && stop.to_string().starts_with(&word))
}

pub(super) fn no_stop(word: &str) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("No stop of sharing called {word:?} waits here."),
        "Run kith review RECORD to see what waits; the end of a device or of a member of staff is confirmed by ending it again. Nothing was changed.",
    )
}

/// The grants that hold and hang right beneath one, ascending.
pub(super) fn beneath(record: &mut Record, grant: EventId) -> Vec<GrantState> {
    let mut grants = record.ledger().grants();
    grants.retain(|below| below.grant.parent == Some(grant) && below.state == GrantFate::Active);
    grants
}

/// The grants that hold although what they hang on was revoked: when the share of whoever passed
/// it on was changed, they were kept.
pub(super) fn kept_before(
    record: &mut Record,
    (issuer, audience): (PrincipalId, PrincipalId),
) -> Vec<GrantState> {
    let grants = record.ledger().grants();
    let was_theirs = |parent: EventId| {
        let parent = grants.iter().find(|grant| grant.id == parent);
        parent.is_some_and(|parent| {
            (parent.issuer, parent.grant.audience) == (issuer, audience)
                && parent.state != GrantFate::Active
        })
    };
    let kept = |grant: &&GrantState| {
        grant.state == GrantFate::Active && grant.grant.parent.is_some_and(was_theirs)
    };
    grants.iter().filter(kept).cloned().collect()
}
