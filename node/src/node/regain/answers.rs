//! What somebody's people do for them, and what becomes of it on the new device.

use std::collections::BTreeSet;

use kith_protocol::{
    author::Author,
    codec,
    consent::{cut::Cut, devices},
    identity::agree_to_act_for,
    intake,
    logs::{Act, Event, PrincipalAct},
    record::event_item,
    signed::Verified,
    store::Item,
};

use super::{
    Regaining,
    begin::named_nobody,
    done,
    paper::{Person, Question},
};
use crate::{
    api::{Keep, RecoveryShown},
    failure::{Ending, Failure},
    node::{
        Node,
        guest::Guest,
        identity::{RowKind, read_row, row},
        now_ms,
        peers::Peer,
        recovery::paper::Agreement,
    },
};

impl Node {
    /// What somebody begins with who lost every device: their log and their name card.
    pub(in crate::node) fn about_somebody(&self, name: &str) -> Result<RecoveryShown, Failure> {
        let who = self.known(name)?;
        let log = self.log_of(who)?;
        let called = self.name_of(who);
        let sets = devices::recovery_sets(&log, who);
        let peer: Option<Peer> = read_row(&self.store, RowKind::Peers, who.as_bytes())?;
        let (Some(peer), false) = (peer, sets.is_empty()) else {
            return Err(named_nobody(&called));
        };
        let members = sets.iter().flat_map(|set| &set.members);
        let names = members.map(|who| (*who, self.name_of(*who))).collect();
        Ok(RecoveryShown {
            sets: self.set_lines(&sets),
            text: Some(Person::to_text((peer.device, &peer.card), &log, names)),
            note: Some(format!(
                "Give this to {called}. On a new machine, where there is no node yet, they run kith recover begin with it. It says which devices they had and who can help them, and opens nothing."
            )),
            ..RecoveryShown::default()
        })
    }

    /// The question about somebody's new key, and this node's owner's agreement where they say so.
    pub(in crate::node) fn agree_to_key(
        &self,
        text: &str,
        yes: bool,
    ) -> Result<RecoveryShown, Failure> {
        let (question, told) = Question::read(text)?;
        let who = question.principal;
        let held = self.log_of(who)?;
        let Some(called) = self.name_of_met(who).filter(|_| !held.is_empty()) else {
            return Err(Failure::new(
                Ending::NotAllowed,
                "That is about somebody whom this node does not know.",
                "Whoever sent it may have sent it to the wrong person. Nothing was changed.",
            ));
        };
        let sets = devices::recovery_sets(&held, who);
        let own = self.identity.principal;
        if !sets.iter().any(|set| set.members.contains(&own)) {
            return Err(Failure::new(
                Ending::NotAllowed,
                format!(
                    "You are not among those whom {called} named, so your word would not count."
                ),
                "They know whom they named. Nothing was changed.",
            ));
        }
        // Somebody who was named once and is no more could ask with what was said before. Other
        // devices since do not matter: whoever stole one could go on adding them.
        let told: BTreeSet<_> = told.iter().map(Verified::id).collect();
        let decides = |event: &&Verified<Event>| {
            matches!(
                event.value().act,
                Act::Principal(PrincipalAct::RecoverySet(_) | PrincipalAct::KeyChange { .. })
            )
        };
        if held
            .iter()
            .filter(decides)
            .any(|event| !told.contains(&event.id()))
        {
            return Err(Failure::new(
                Ending::Failed,
                format!(
                    "That was made of less than this node knows of {called}: they named other people since, or have a new key already."
                ),
                "Print what they begin with here (kith recover person NAME), and have them begin again with that. Nothing was changed.",
            ));
        }
        let mut shown = RecoveryShown {
            check_words: Some(question.check_words()),
            note: Some(format!(
                "A new device wants to be {called} from now on, with a new key. Every device that {called} had can then do nothing more."
            )),
            ..RecoveryShown::default()
        };
        if yes {
            let given = Agreement::to_key(
                &self.identity,
                question.subject(),
                &self.principal_log()?,
                self.addresses.clone(),
            );
            let given = given.ok_or_else(|| {
                Failure::new(
                    Ending::Failed,
                    "This device is not one of yours any more, or your list of devices is too long to show.",
                    "Agree from another of your devices. Nothing was changed.",
                )
            })?;
            shown.text = Some(given.to_text());
        }
        Ok(shown)
    }

    /// Whether an agreement is to a question for a new key that this node asked.
    pub(in crate::node) fn asked_for_key(&self, subject: [u8; 32]) -> Result<bool, Failure> {
        let asked = self.regaining()?;
        Ok(asked.is_some_and(|asked| asked.question.subject() == subject))
    }

    /// Somebody's agreement to the new key of this node's owner.
    pub(in crate::node) fn take_agreement_to_key(
        &mut self,
        given: Agreement,
        log: Vec<Verified<Event>>,
    ) -> Result<RecoveryShown, Failure> {
        let Some(mut asked) = self.regaining()? else {
            return Err(no_longer_asked());
        };
        let member = given.approval.member;
        let own = self.principal_log()?;
        let sets = devices::recovery_sets(&own, self.identity.principal);
        if !sets.iter().any(|set| set.members.contains(&member)) {
            return Err(Failure::new(
                Ending::NotAllowed,
                "Whoever agreed is not among those whom you had named, so their word does not count.",
                "kith recover me shows who is. Nothing was changed.",
            ));
        }
        let device = given.approval.device;
        let mut items: Vec<_> = log.iter().map(event_item).collect();
        if let Some(place) = given.place
            && let Some(guest) = Guest::of(device, &place.card, log)
            && guest.principal() == member
        {
            let noted = |known| guest.peer(known, place.addresses, None);
            items.extend(self.note_peer(member, noted)?);
        }
        asked.approvals.retain(|known| known.member != member);
        asked.approvals.push(given.approval);
        asked.approvals.sort_by_key(|given| given.member);
        items.push(row(RowKind::Regaining, b"", &asked));
        self.commit(items)?;
        if let Some(shown) = self.take_up(&asked)? {
            return self.own_recovery(shown);
        }
        self.own_recovery(RecoveryShown {
            note: Some(format!("{} agrees. Others have to.", asked.name_of(member))),
            ..RecoveryShown::default()
        })
    }

    /// With enough agreements: the new key, this device, and the end of those before, in one
    /// commit.
    fn take_up(&mut self, asked: &Regaining) -> Result<Option<RecoveryShown>, Failure> {
        let owner = self.identity.principal;
        let now = now_ms();
        let mut log = self.principal_log()?.to_vec();
        let mut before = devices::certified(&log, owner);
        before.retain(|device| !devices::root_keys(&log, owner).contains(device));
        let root = self.identity.adding_key();
        let author = Author {
            principal: owner,
            key: root,
            staff: None,
        };
        // The shortest of them go along: some show a long log, and an event has its bounds.
        let mut given = asked.approvals.clone();
        given.sort_by_key(|given| codec::encode(given).len());
        let changed = (1..=given.len()).find_map(|n| {
            let change = author.event(asked.question.draft(&given[..n], now));
            log.push(change.clone());
            if devices::root_keys(&log, owner).contains(&root.device()) {
                return Some(change);
            }
            log.pop();
            None
        });
        let Some(change) = changed else {
            return Ok(None);
        };
        intake::event(change.bytes()).map_err(|error| too_long(&error))?;
        let id = change.id();
        let mut items = vec![event_item(&change)];
        let mut sign = |act| {
            let event = author.own_event(&log, now, act);
            items.push(event_item(&event));
            log.push(event);
        };
        sign(PrincipalAct::DeviceAdd {
            device: self.device(),
            proof: agree_to_act_for(owner, &self.identity.device, root.device()),
        });
        let mut stopped = 0;
        for device in before {
            sign(PrincipalAct::DeviceRetire {
                device,
                last: self.last_standing(device, Keep::All)?,
                cut: Cut::to_be_said(),
                void: Vec::new(),
            });
            stopped += 1;
        }
        items.push(Item::Row {
            key: RowKind::Regaining.key(b""),
            value: None,
        });
        self.commit(items)?;
        Ok(Some(done(id, stopped, now)))
    }

    pub(super) fn question_text(&self, question: &Question) -> Result<String, Failure> {
        Ok(question.to_text(self.identity.adding_key(), &self.principal_log()?))
    }
}

fn too_long(error: &dyn std::error::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        "What those who agreed show of themselves is too long to be signed together.",
        "Ask others of those whom you named, who had no new key themselves. Nothing was changed.",
    )
    .because(error)
}

fn no_longer_asked() -> Failure {
    Failure::new(
        Ending::Failed,
        "Nothing that was asked from this node waits for this agreement.",
        "It may have been given already. Nothing was changed.",
    )
}
