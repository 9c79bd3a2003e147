//! Acts on a record that several people agree to: who may recover it, what happens in an
//! emergency once somebody may, and taking it out of the hands of whoever controls it.
//!
//! Whoever asks signs a question and hands it on; each member answers with an agreement; with
//! enough of them the act is signed where it was asked. Nothing of it needs the members' nodes to
//! reach each other.

mod answers;
pub(super) mod paper;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use kith_crdt::Section;
use kith_protocol::{
    consent::{
        GrantFate,
        cut::{Custody, CutPart, CutTree},
    },
    id::{EventId, PrincipalId},
    logs::{
        Act, CoreAct, Frontiers, LogId,
        principal::{Approval, RecoverySet},
        record::{Link, Policy},
    },
    record::Record,
    store::{Item, Store},
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_rows, row},
    now_ms,
};
use crate::{
    api::{AskedLine, RecoveryAsk, RecoveryShown, SetLine},
    failure::{Ending, Failure},
};
use paper::{Agreement, Proposal};

/// What was asked, until enough have agreed.
#[derive(Serialize, Deserialize)]
struct Waiting {
    proposal: Proposal,
    /// What of the old controllers' doing stands, where the record is recovered.
    parts: Vec<CutPart>,
    approvals: Vec<Approval>,
}

impl Node {
    pub(super) fn recovery(&mut self, asked: &RecoveryAsk) -> Result<RecoveryShown, Failure> {
        match asked {
            RecoveryAsk::Show { record } => {
                let id = self.record_named(record)?;
                self.with_record(id, |node, record| {
                    node.recovery_shown(record, RecoveryShown::default())
                })
            }
            RecoveryAsk::Set {
                record,
                members,
                needed,
            } => {
                let id = self.record_named(record)?;
                self.with_record(id, |node, record| {
                    let made = node.change_set(record, members, *needed)?;
                    node.recovery_shown(record, made)
                })
            }
            RecoveryAsk::Record { record, controller } => {
                let id = self.record_named(record)?;
                self.with_record(id, |node, record| {
                    let made = node.recover_record(record, controller)?;
                    node.recovery_shown(record, made)
                })
            }
            RecoveryAsk::Approve { text, yes } => self.approve(text, *yes),
            RecoveryAsk::Agreed { text } => self.take_agreement(text),
            RecoveryAsk::Own => self.own_recovery(RecoveryShown::default()),
            RecoveryAsk::SetOwn {
                members,
                needed,
                sheet,
            } => self.change_own_set((members, *needed), sheet.as_deref()),
            RecoveryAsk::Person { name } => self.about_somebody(name),
        }
    }

    /// Who may recover a record, with what came of a question.
    fn recovery_shown(
        &self,
        record: &mut Record,
        shown: RecoveryShown,
    ) -> Result<RecoveryShown, Failure> {
        let sets = members_of(record).into_iter().map(|set| SetLine {
            members: set.members.iter().map(|who| self.name_of(*who)).collect(),
            needed: set.needed,
        });
        let mut waiting = Vec::new();
        for (_, asked) in read_rows::<Waiting>(&self.store, RowKind::Asked)? {
            if asked.proposal.record == record.id() {
                let agreed = asked.approvals.iter();
                waiting.push(AskedLine {
                    what: self.said(&asked.proposal),
                    agreed: agreed.map(|given| self.name_of(given.member)).collect(),
                    text: paper::ask(&self.identity, &asked.proposal, &self.principal_log()?),
                });
            }
        }
        Ok(RecoveryShown {
            record: record.id().to_string(),
            sets: sets.collect(),
            waiting,
            ..shown
        })
    }

    fn change_set(
        &mut self,
        record: &mut Record,
        names: &[String],
        needed: u8,
    ) -> Result<RecoveryShown, Failure> {
        let set = self.set_of(names, needed)?;
        let act = Act::Core(CoreAct::RecoverySet {
            set,
            approvals: Vec::new(),
        });
        self.agree_on(record, act, Vec::new())
    }

    fn recover_record(
        &mut self,
        record: &mut Record,
        name: &str,
    ) -> Result<RecoveryShown, Failure> {
        let sets = members_of(record);
        if sets.is_empty() {
            return Err(Failure::new(
                Ending::NotAllowed,
                "Nobody was named who may recover this record, so only whoever controls it can give it away.",
                "They can: kith record control RECORD hand-over NAME. Nothing was changed.",
            ));
        }
        let controller = self.known_or_own(name)?;
        for event in &*self.store.principal_log(&controller)? {
            record.ledger().add_event(event.clone());
        }
        let parts = record.ledger().keep_everything(Link::Root);
        self.recovering(record, controller, parts, Vec::new())
    }

    /// Puts a recovery to the members: it keeps these parts, all shares, and says of the stops in
    /// `void` that they do not hold.
    pub(super) fn recovering(
        &mut self,
        record: &mut Record,
        controller: PrincipalId,
        parts: Vec<CutPart>,
        void: Vec<EventId>,
    ) -> Result<RecoveryShown, Failure> {
        let grants = record.ledger().grants();
        // Shares that the old controllers gave go on, with all that hangs on them.
        let keep = grants.iter().filter(|grant| {
            grant.grant.parent.is_none()
                && matches!(grant.state, GrantFate::Active | GrantFate::Suspended)
        });
        let keep = keep.map(|grant| grant.id).collect();
        // What this node does not hold, the next controller says of it what stands.
        let custody = Custody {
            custodian: controller,
            sections: Section::ALL.to_vec(),
            until_ms: now_ms(),
        };
        let cut = CutTree::new(parts.clone()).entrusting(vec![custody]);
        let act = Act::Core(CoreAct::Recover {
            previous: record.ledger().last_recover(),
            cut,
            keep,
            void,
            controller,
            approvals: Vec::new(),
        });
        self.agree_on(record, act, parts)
    }

    /// Changes what happens in an emergency: at once while nobody has to agree.
    pub(super) fn change_policy(
        &mut self,
        record: &mut Record,
        policy: Policy,
    ) -> Result<RecoveryShown, Failure> {
        let act = Act::Core(CoreAct::Policy {
            policy,
            approvals: Vec::new(),
        });
        self.agree_on(record, act, Vec::new())
    }

    /// Signs an act as soon as enough agree, which may be now; otherwise puts it to the members.
    fn agree_on(
        &mut self,
        record: &mut Record,
        act: Act,
        parts: Vec<CutPart>,
    ) -> Result<RecoveryShown, Failure> {
        let own = self.identity.principal;
        let sets = members_of(record);
        let is_member = sets.iter().any(|set| set.members.contains(&own));
        if !is_member && !self.controls(record) {
            return Err(Failure::new(
                Ending::NotAllowed,
                "You neither control this record nor are among those who may recover it.",
                "kith recover show RECORD says who is: ask one of them. Nothing was changed.",
            ));
        }
        let names = words::concerned(&act).into_iter();
        let proposal = Proposal {
            record: record.id(),
            author: own,
            frontiers: self.seen(record),
            person: self.whose(record.id()),
            names: names.map(|who| (who, self.name_of(who))).collect(),
            act,
        };
        let mut asked = Waiting {
            proposal,
            parts,
            approvals: Vec::new(),
        };
        let log = self.principal_log()?;
        if is_member {
            let given = Agreement::of(&self.identity, asked.proposal.subject(), &log);
            asked.approvals.push(given.approval);
        }
        if self.is_enough(record, &asked) {
            return self.sign_agreed(record, &asked);
        }
        let text = paper::ask(&self.identity, &asked.proposal, &log);
        let subject = asked.proposal.subject();
        let mut items = self.asked_before(&asked.proposal)?;
        items.push(row(RowKind::Asked, &subject, &asked));
        self.commit(items)?;
        Ok(RecoveryShown {
            text: Some(text),
            note: Some(format!(
                "{} Others have to agree. Send the text to each of them; they run kith recover approve, and send back what it prints, which you give to kith recover agreed.",
                self.said(&asked.proposal)
            )),
            ..RecoveryShown::default()
        })
    }

    /// Whether the members of a set who agreed are enough: with a controller one other, else as
    /// many as the set says.
    fn is_enough(&self, record: &mut Record, asked: &Waiting) -> bool {
        let own = self.identity.principal;
        let sets = members_of(record);
        let agreed: BTreeSet<_> = asked.approvals.iter().map(|given| given.member).collect();
        let of = |set: &RecoverySet| {
            let members = set.members.iter().filter(|who| agreed.contains(who));
            members.copied().collect::<Vec<_>>()
        };
        let quorum = sets
            .iter()
            .any(|set| of(set).len() >= usize::from(set.needed));
        let is_recovery = matches!(asked.proposal.act, Act::Core(CoreAct::Recover { .. }));
        let with_one = || {
            sets.is_empty()
                || sets
                    .iter()
                    .any(|set| of(set).iter().any(|member| *member != own))
        };
        quorum || (!is_recovery && self.controls(record) && with_one())
    }

    /// Signs what enough have agreed to.
    fn sign_agreed(
        &mut self,
        record: &mut Record,
        asked: &Waiting,
    ) -> Result<RecoveryShown, Failure> {
        let Waiting {
            proposal,
            parts,
            approvals,
        } = asked;
        let members = approvals.iter().map(|given| given.member);
        record.load_principals(&self.store, members)?;
        let before = super::emergency::rules(record);
        let now = now_ms();
        let act = with_approvals(&proposal.act, approvals);
        let issuer = record
            .ledger()
            .decide_act(&self.whoever(), None, None, act, now)
            .map_err(|denial| super::access::denied(&denial))?;
        let frontiers = proposal.frontiers.clone();
        let (event, item) = record.act_citing(&self.pen(now), issuer, frontiers);
        if !record.ledger().is_valid(&event) {
            return Err(Failure::new(
                Ending::Failed,
                "What was agreed to does not fit the record any more: somebody changed it since it was asked.",
                "Ask again with the same command: the members agree to the new text. Nothing was changed.",
            ));
        }
        let mut items = vec![item];
        items.extend(Self::with_parts(
            record,
            event,
            &CutTree::new(parts.clone()),
        ));
        match &proposal.act {
            Act::Core(CoreAct::Recover { controller, .. }) => {
                items.extend(self.told_of_recovery(record, *controller)?);
            }
            Act::Core(CoreAct::Policy { policy, .. }) => {
                let new = policy.emergency.iter();
                for who in new.filter(|who| !before.emergency.contains(who)) {
                    items.extend(self.stands_by(record, *who)?);
                }
            }
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => {}
        }
        items.push(Item::Row {
            key: RowKind::Asked.key(&proposal.subject()),
            value: None,
        });
        self.commit(items)?;
        let note = match &proposal.act {
            Act::Core(CoreAct::Recover { controller, .. }) => format!(
                "{} controls this record now, as soon as their node has heard of it; whoever controlled it before does not. What stood before stands, shares go on, and what they write from now on is looked at under kith review. kith cannot take back what they already have.",
                self.name_of(*controller)
            ),
            Act::Core(CoreAct::RecoverySet { .. }) => "They can recover this record together from now on. To change who they are, or what happens in an emergency, one of them has to agree with whoever controls it.".to_owned(),
            Act::Core(_) | Act::Label(_) | Act::Principal(_) => {
                "It holds from now on.".to_owned()
            }
        };
        Ok(RecoveryShown {
            event: Some(event.to_string()),
            note: Some(note),
            ..RecoveryShown::default()
        })
    }

    /// Everyone whom this node knows and who has to do with the record hears of it.
    fn told_of_recovery(
        &mut self,
        record: &mut Record,
        controller: PrincipalId,
    ) -> Result<Vec<Item>, Failure> {
        let grants = record.ledger().grants();
        let mut people: BTreeSet<_> = grants.iter().map(|grant| grant.grant.audience).collect();
        people.extend(record.ledger().controllers());
        people.extend(members_of(record).into_iter().flat_map(|set| set.members));
        people.insert(controller);
        let mut items = Vec::new();
        for (known, _) in super::peers::all(&self.store)? {
            let has_to_do = people.contains(&known) || record.ledger().is_recovered_from(known);
            if has_to_do {
                items.extend(self.in_common(known, record.id())?);
            }
        }
        Ok(items)
    }

    pub(super) fn known_or_own(&self, name: &str) -> Result<PrincipalId, Failure> {
        if name.to_lowercase() == self.identity.name.to_lowercase() {
            return Ok(self.identity.principal);
        }
        self.known(name)
    }

    /// What this node's owner cites in the core log now.
    fn seen(&self, record: &mut Record) -> Frontiers {
        let log = LogId::Core(Some(record.id()));
        let own = self.identity.principal;
        record.ledger().frontiers_for(&log, &own)
    }
}

/// The recovery sets that hold and have members.
fn members_of(record: &mut Record) -> Vec<RecoverySet> {
    let mut sets = record.ledger().recovery_sets();
    sets.retain(|set| !set.members.is_empty());
    sets
}

fn with_approvals(act: &Act, given: &[Approval]) -> Act {
    let mut act = act.clone();
    if let Act::Core(
        CoreAct::Policy { approvals, .. }
        | CoreAct::RecoverySet { approvals, .. }
        | CoreAct::Recover { approvals, .. },
    ) = &mut act
    {
        *approvals = given.to_vec();
    }
    act
}
