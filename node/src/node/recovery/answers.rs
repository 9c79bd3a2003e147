//! What members answer: agreeing to what somebody asks, and taking agreements in.

use kith_protocol::{
    logs::{Act, CoreAct},
    record::event_item,
    store::{Item, Store},
};

use super::{
    Waiting, members_of,
    paper::{self, Agreement, Proposal},
};
use crate::{
    api::RecoveryShown,
    failure::{Ending, Failure},
    node::{
        Node,
        identity::{RowKind, read_row, read_rows, row},
        regain,
    },
};

impl Node {
    /// What somebody asked, and this node's owner's agreement where they say so.
    pub(super) fn approve(&mut self, text: &str, yes: bool) -> Result<RecoveryShown, Failure> {
        if paper::is_agreement(text) {
            return Err(Failure::new(
                Ending::Usage,
                "That is an agreement that came back, and no question.",
                "Give it to kith recover agreed. Nothing was changed.",
            ));
        }
        if regain::is_question(text) {
            return self.agree_to_key(text, yes);
        }
        let proposal = paper::read_question(text)?;
        let is_act = matches!(
            &proposal.act,
            Act::Core(
                CoreAct::Recover { .. } | CoreAct::RecoverySet { .. } | CoreAct::Policy { .. }
            )
        );
        if !is_act {
            return Err(Failure::new(
                Ending::NotUnderstood,
                "That asks for something to which nobody has to agree.",
                "Ask whoever sent it what they mean. Nothing was changed.",
            ));
        }
        let id = proposal.record;
        let own = self.identity.principal;
        if !self.store.logs(&id)?.is_empty() {
            let sets = self.with_record(id, |_, record| Ok(members_of(record)))?;
            if !sets.iter().any(|set| set.members.contains(&own)) {
                return Err(Failure::new(
                    Ending::NotAllowed,
                    "You are not among those who may recover this record, so your word would not count.",
                    "kith recover show RECORD says who is. Nothing was changed.",
                ));
            }
        }
        let note = format!(
            "{} asks you to agree to this: {}",
            self.called(proposal.author, &[]),
            self.said(&proposal)
        );
        let mut shown = RecoveryShown {
            record: id.to_string(),
            note: Some(note),
            ..RecoveryShown::default()
        };
        if yes {
            let log = self.principal_log()?;
            let given = Agreement::of(&self.identity, proposal.subject(), &log);
            shown.text = Some(given.to_text());
        }
        Ok(shown)
    }

    /// Somebody's agreement to what was asked from here.
    pub(super) fn take_agreement(&mut self, text: &str) -> Result<RecoveryShown, Failure> {
        let given = Agreement::parse(text)?;
        let log = given.checked()?;
        if self.asked_for_key(given.subject)? {
            return self.take_agreement_to_key(given, log);
        }
        let asked: Option<Waiting> = read_row(&self.store, RowKind::Asked, &given.subject)?;
        let mut asked = asked.ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                "Nothing that was asked from this node waits for this agreement.",
                "It may have been given already, or belongs to a question that another of your devices asked. Nothing was changed.",
            )
        })?;
        let member = given.approval.member;
        let id = asked.proposal.record;
        let sets = self.with_record(id, |_, record| Ok(members_of(record)))?;
        if !sets.iter().any(|set| set.members.contains(&member)) {
            return Err(Failure::new(
                Ending::NotAllowed,
                format!(
                    "{} is not among those who may recover this record, so their word does not count.",
                    self.name_of(member)
                ),
                "kith recover show RECORD says who is. Nothing was changed.",
            ));
        }
        asked.approvals.retain(|known| known.member != member);
        asked.approvals.push(given.approval);
        asked.approvals.sort_by_key(|given| given.member);
        let mut items: Vec<_> = log.iter().map(event_item).collect();
        items.push(row(RowKind::Asked, &given.subject, &asked));
        self.commit(items)?;
        self.with_record(id, |node, record| {
            if node.is_enough(record, &asked) {
                let made = node.sign_agreed(record, &asked)?;
                return node.recovery_shown(record, made);
            }
            let note = format!("{} agrees. Others have to.", node.name_of(member));
            let made = RecoveryShown {
                note: Some(note),
                ..RecoveryShown::default()
            };
            node.recovery_shown(record, made)
        })
    }

    /// Takes away what the same was asked before: the last question stands.
    pub(super) fn asked_before(&self, proposal: &Proposal) -> Result<Vec<Item>, Failure> {
        let kind = |act: &Act| match act {
            Act::Core(act) => Some(std::mem::discriminant(act)),
            Act::Label(_) | Act::Principal(_) => None,
        };
        let before = read_rows::<Waiting>(&self.store, RowKind::Asked)?.into_iter();
        let same = before.filter(|(_, asked)| {
            asked.proposal.record == proposal.record
                && kind(&asked.proposal.act) == kind(&proposal.act)
        });
        let gone = same.map(|(name, _)| Item::Row {
            key: RowKind::Asked.key(&name),
            value: None,
        });
        Ok(gone.collect())
    }
}
