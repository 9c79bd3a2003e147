//! Somebody who lost every device and the recovery sheet goes on as themselves, on a new device,
//! when as many of the people agree as they had named (decision 0090).
//!
//! What goes from hand to hand are texts, as where a record is recovered: what one of the people
//! knows of the person, with which the new device begins; its question; and each agreement.

mod answers;
mod begin;
mod paper;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use kith_protocol::{
    consent::devices,
    id::{EventId, PrincipalId},
    logs::{
        PrincipalAct,
        principal::{Approval, RecoverySet},
    },
    record::event_item,
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{RowKind, read_row},
    now_ms, show,
};
use crate::{
    api::{AskedLine, Problem, RecoveryShown, SetLine},
    failure::{Ending, Failure},
};
pub(super) use paper::is_question;
use paper::{Names, Question};

/// What the owner's people are asked, until enough have agreed.
#[derive(Serialize, Deserialize)]
struct Regaining {
    question: Question,
    approvals: Vec<Approval>,
    /// What those people are called where this node began.
    names: Names,
}

impl Regaining {
    fn name_of(&self, who: PrincipalId) -> String {
        let known = self.names.iter().find(|(known, _)| *known == who);
        known.map_or_else(
            || who.to_string()[..12].to_owned(),
            |(_, name)| name.clone(),
        )
    }

    fn line(&self, set: &RecoverySet) -> SetLine {
        SetLine {
            members: set.members.iter().map(|who| self.name_of(*who)).collect(),
            needed: set.needed,
        }
    }
}

impl Node {
    /// Who can give this node's owner a new key, and what waits for their word.
    pub(super) fn own_recovery(&self, shown: RecoveryShown) -> Result<RecoveryShown, Failure> {
        let log = self.principal_log()?;
        let sets = devices::recovery_sets(&log, self.identity.principal);
        let mut shown = RecoveryShown {
            sets: self.set_lines(&sets),
            ..shown
        };
        if let Some(asked) = self.regaining()? {
            shown.sets = sets.iter().map(|set| asked.line(set)).collect();
            let agreed = asked.approvals.iter();
            shown.waiting = vec![AskedLine {
                what: format!("You are to go on as {} on this device.", self.identity.name),
                agreed: agreed.map(|given| asked.name_of(given.member)).collect(),
                text: self.question_text(&asked.question)?,
            }];
            shown.check_words = Some(asked.question.check_words());
        }
        Ok(shown)
    }

    fn set_lines(&self, sets: &[RecoverySet]) -> Vec<SetLine> {
        let line = |set: &RecoverySet| SetLine {
            members: set.members.iter().map(|who| self.name_of(*who)).collect(),
            needed: set.needed,
        };
        sets.iter().map(line).collect()
    }

    fn regaining(&self) -> Result<Option<Regaining>, Failure> {
        Ok(read_row(&self.store, RowKind::Regaining, b"")?)
    }

    /// Names the people who can give this node's owner a new key, in place of those before.
    pub(super) fn change_own_set(
        &mut self,
        (names, needed): (&[String], u8),
        sheet: Option<&str>,
    ) -> Result<RecoveryShown, Failure> {
        let set = self.set_of(names, needed)?;
        if set.members.contains(&self.identity.principal) {
            return Err(Failure::new(
                Ending::Usage,
                "You cannot be one of them: it is for when none of your devices is left.",
                "Name others, whose nodes are known here. Nothing was changed.",
            ));
        }
        let by_sheet = sheet.map(|code| self.root_by_sheet(code)).transpose()?;
        if by_sheet.is_none() && !self.has_root_key()? {
            return Err(Failure::new(
                Ending::NotAllowed,
                "This device does not have the key with which you say who they are.",
                "Say it on the device on which you began, or here with its recovery sheet: --recovery-sheet. Nothing was changed.",
            ));
        }
        self.own_log_has_room()?;
        let key = by_sheet
            .as_ref()
            .unwrap_or_else(|| self.identity.adding_key());
        let event = self.sign_own_with(key, now_ms(), PrincipalAct::RecoverySet(set))?;
        self.commit(vec![event_item(&event)])?;
        self.own_recovery(RecoveryShown {
            event: Some(event.id().to_string()),
            note: Some("Should you lose every device and your recovery sheet, they can give you a new start together. Their nodes hear of it with the records that you share with them. Tell them that you named them.".to_owned()),
            ..RecoveryShown::default()
        })
    }

    /// The people of these names, of whom so many have to agree.
    pub(super) fn set_of(&self, names: &[String], needed: u8) -> Result<RecoverySet, Failure> {
        let members = names.iter().map(|name| self.known_or_own(name));
        let members: BTreeSet<_> = members.collect::<Result<_, _>>()?;
        let count = members.len();
        if usize::from(needed) * 2 <= count || usize::from(needed) > count {
            return Err(Failure::new(
                Ending::Usage,
                format!(
                    "{needed} of {count} cannot be: it takes more than half of them, and no more than there are."
                ),
                "Two of three is usual: --member ANN --member BEN --member CLEO --needed 2. Nothing was changed.",
            ));
        }
        Ok(RecoverySet {
            needed,
            members: members.into_iter().collect(),
        })
    }

    /// That this node is not its owner's yet, or that something of the devices before it is open.
    pub(super) fn regained(&self) -> Result<Vec<Problem>, Failure> {
        let mut problems = Vec::new();
        if let Some(asked) = self.regaining()? {
            let agreed = asked.approvals.len();
            problems.push(Problem {
                what: format!("This node waits for the people who can give you a new start; {agreed} agreed. Until enough have, it is nobody's."),
                remedy: "kith recover me shows what to send them, and the words to compare; give what comes back to kith recover agreed.".to_owned(),
            });
        }
        for device in self.own_devices()? {
            if device.stopped_by.is_some() && self.has_root_key()? {
                let id = &device.id.to_string()[..12];
                problems.push(Problem {
                    what: format!("Your device {id} was stopped when you got a new key. What it wrote is marked, and the shares that it gave rest, until you say what of it stays."),
                    remedy: format!(
                        "When your records are here again: kith devices retire {id} --keep all, or --keep none-after DATE if somebody may have used it since."
                    ),
                });
            }
        }
        Ok(problems)
    }
}

/// The event that said that somebody goes on with a new key, and what is to be done.
fn done(event: EventId, stopped: usize, now: u64) -> RecoveryShown {
    RecoveryShown {
        event: Some(event.to_string()),
        note: Some(format!(
            "From now on ({}) this device acts for you, and {stopped} that you had before can do nothing more. Start it with kith run: your records come from those with whom you share them. Then say soon what stays of what the lost devices did, since the shares that they gave rest until then: kith status names them. Files that were sealed for you before cannot be opened any more.",
            show::time(now)
        )),
        ..RecoveryShown::default()
    }
}
