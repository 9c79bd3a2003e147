//! Emergencies: who may open a record in one, opening it, and who is told.

mod link;
mod meeting;
mod paper;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use kith_crdt::{Label, Section};
use kith_protocol::{
    consent::{
        Emergency, GrantFate,
        approval::prove_emergency_secret,
        grant::{Actions, Basis, Grant, Purposes},
    },
    id::{EventId, PrincipalId, RecordId},
    identity::SecretKey,
    logs::{Act, CoreAct, LabelAct, record::Policy},
    record::Record,
    store::{Item, Store},
};
use rand_core::Rng;

use super::{
    Node,
    identity::{RowKind, row},
    now_ms, show,
};
use crate::{
    api::{EmergencyChange, EmergencyShown, OpenRequest, OpenedLine},
    failure::{Ending, Failure},
};

pub use link::EmergencyLink;
pub use meeting::{EmergencyAnswer, EmergencyAsk};

const HOUR_MS: u64 = 3_600_000;

/// What came of a change of the rules: the link of a new page, what to know of it, and what others
/// are asked, where they have to agree.
type Changed = (Option<String>, Option<String>, Option<String>);

impl Node {
    /// Who may open a record in an emergency, after a change if one is asked for.
    pub(super) fn emergency(
        &mut self,
        word: &str,
        change: Option<&EmergencyChange>,
    ) -> Result<EmergencyShown, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let (link, note, ask) = match change {
                Some(change) => node.change_rules(record, change)?,
                None => (None, None, None),
            };
            let rules = rules(record);
            let mut opened = node.opened(record)?;
            opened.sort_by(|one, other| other.from.cmp(&one.from));
            Ok(EmergencyShown {
                record: id.to_string(),
                allowed: rules
                    .emergency
                    .iter()
                    .map(|who| node.name_of(*who))
                    .collect(),
                has_secret: rules.emergency_secret.is_some(),
                labels: rules
                    .emergency_labels
                    .iter()
                    .map(Label::to_string)
                    .collect(),
                link,
                opened,
                note,
                ask,
            })
        })
    }

    fn change_rules(
        &mut self,
        record: &mut Record,
        change: &EmergencyChange,
    ) -> Result<Changed, Failure> {
        self.may_change_rules(record)?;
        let before = rules(record);
        let mut rules = before.clone();
        let mut allowed: BTreeSet<_> = rules.emergency.into_iter().collect();
        let mut new = Vec::new();
        for name in &change.allow {
            let who = self.known(name)?;
            if allowed.insert(who) {
                new.push(who);
            }
        }
        for name in &change.disallow {
            allowed.remove(&self.known(name)?);
        }
        rules.emergency = allowed.into_iter().collect();
        let mut link = None;
        if change.no_secret {
            rules.emergency_secret = None;
        }
        if change.new_secret {
            let mut seed = [0; 32];
            self.rng.fill_bytes(&mut seed);
            rules.emergency_secret = Some(*SecretKey::from_seed(seed).device().as_bytes());
            link = Some(self.emergency_link(record, seed)?.to_string());
        }
        let labels = change.labels.iter().map(|label| label.parse::<Label>());
        let labels: BTreeSet<_> = labels
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::new(Ending::Usage, error.to_string(), "Labels are general, mental-health, sexual-health, social-care, private, or a word of your own. Nothing was changed."))?;
        if !labels.is_empty() {
            rules.emergency_labels = labels.into_iter().collect();
        } else if rules.emergency_labels.is_empty() {
            rules.emergency_labels = vec![Label::general()];
        }
        let mut items = Vec::new();
        if rules != before {
            let made = self.change_policy(record, rules)?;
            if let Some(text) = made.text {
                return Ok((link, made.note, Some(text)));
            }
            // Whoever is named anew has their standing share by now.
        } else {
            for who in &new {
                items.extend(self.stands_by(record, *who)?);
            }
        }
        self.commit(items)?;
        let note = (!new.is_empty()).then(|| {
            let names: Vec<_> = new.iter().map(|who| self.name_of(*who)).collect();
            format!(
                "{} can find this person from now on, by name and birth date, and sees nothing else of the record until it opens it with a reason; you are told then. kith sharing lists this; kith stop ends it.",
                names.join(" and ")
            )
        });
        Ok((link, note, None))
    }

    /// A standing share for somebody who may open the record: who the person is, so that they can
    /// be found, and nothing else.
    pub(super) fn stands_by(
        &mut self,
        record: &mut Record,
        who: PrincipalId,
    ) -> Result<Vec<Item>, Failure> {
        for event in &*self.store.principal_log(&who)? {
            record.ledger().add_event(event.clone());
        }
        let now = now_ms();
        let grant = Grant {
            audience: who,
            sections: vec![Section::Identity],
            actions: Actions::READ,
            from_ms: now,
            until_ms: None,
            purposes: Purposes::CARE.union(Purposes::EMERGENCY),
            basis: Basis::Consent,
            depth: 0,
            parent: None,
            custodians: Vec::new(),
        };
        let act = Act::Label(LabelAct::Grant(grant));
        let (_, item) = self.act(record, Some(&Label::general()), act, now)?;
        let mut items = vec![item];
        items.extend(self.in_common(who, record.id())?);
        Ok(items)
    }

    /// A controller, alone while the record has no recovery set; otherwise together with others,
    /// whom it asks.
    fn may_change_rules(&self, record: &mut Record) -> Result<(), Failure> {
        let own = self.identity.principal;
        let mut sets = record.ledger().recovery_sets().into_iter();
        if self.controls(record) || sets.any(|set| set.members.contains(&own)) {
            return Ok(());
        }
        Err(Failure::new(
            Ending::NotAllowed,
            "This record is controlled elsewhere, so who may open it in an emergency is decided there.",
            "Ask whoever controls it: kith record control RECORD says who. Nothing was changed.",
        ))
    }

    /// Opens a record that is here, in the name of this node's owner.
    pub(super) fn open_emergency(&mut self, asked: &OpenRequest) -> Result<OpenedLine, Failure> {
        let id = self.record_named(&asked.what)?;
        self.with_record(id, |node, record| {
            let (opened, item) = node.breaks_glass(record, asked, None)?;
            node.commit(vec![item])?;
            node.opened_line(record, &opened)
        })
    }

    /// Signs that a record is opened in an emergency, if its rules allow it.
    fn breaks_glass(
        &self,
        record: &mut Record,
        asked: &OpenRequest,
        secret: Option<&SecretKey>,
    ) -> Result<(Emergency, Item), Failure> {
        let reason = reason(asked)?;
        let now = now_ms();
        let (principal, device) = (self.identity.principal, self.device());
        let proof = secret
            .map(|secret| prove_emergency_secret(secret, record.id(), principal, device, now));
        let act = Act::Core(CoreAct::BreakGlass {
            reason,
            until_ms: now + u64::from(asked.hours) * HOUR_MS,
            secret_proof: proof.map(serde_bytes::ByteBuf::from),
            sections: Section::ALL.to_vec(),
        });
        let (event, item) = self.act(record, None, act, now)?;
        let opened = is_open(record, event).ok_or_else(|| {
            Failure::new(
                Ending::NotAllowed,
                "This record's rules do not name you for emergencies.",
                "With the code of the person's emergency page it can be opened: kith record emergency-open LINK. Nothing was changed.",
            )
        })?;
        Ok((opened, item))
    }

    /// Every emergency that was opened in a record.
    fn opened(&self, record: &mut Record) -> Result<Vec<OpenedLine>, Failure> {
        let opened = record.ledger().emergencies();
        opened
            .iter()
            .map(|opened| self.opened_line(record, opened))
            .collect()
    }

    fn opened_line(&self, record: &Record, opened: &Emergency) -> Result<OpenedLine, Failure> {
        let ended = opened.until_ms <= now_ms() || opened.state == GrantFate::Lapsed;
        let state = match opened.state {
            GrantFate::Active | GrantFate::Suspended | GrantFate::Lapsed if ended => "ended",
            GrantFate::Active | GrantFate::Suspended => "open",
            GrantFate::Revoked | GrantFate::Renounced | GrantFate::Lapsed | GrantFate::Invalid => {
                "stopped"
            }
        };
        let seen = self.store.row(&RowKind::Seen.key(opened.id.as_bytes()))?;
        Ok(OpenedLine {
            id: opened.id.to_string(),
            record: record.id().to_string(),
            by: self.name_of(opened.by),
            reason: opened.reason.clone(),
            from: show::time(opened.from_ms),
            until: show::time(opened.until_ms),
            state: state.to_owned(),
            with_secret: opened.with_secret,
            seen: seen.is_some(),
        })
    }

    /// What whoever controls a record has to be told, until a person has seen it.
    pub(super) fn unseen_emergencies(
        &self,
        record: &mut Record,
    ) -> Result<Vec<OpenedLine>, Failure> {
        if !self.controls(record) {
            return Ok(Vec::new());
        }
        let own = self.identity.principal;
        let by_others: Vec<_> = record
            .ledger()
            .emergencies()
            .into_iter()
            .filter(|opened| opened.by != own)
            .collect();
        let lines = by_others
            .iter()
            .map(|opened| self.opened_line(record, opened));
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        lines.retain(|line| !line.seen);
        Ok(lines)
    }

    /// A person here has seen that a record was opened.
    pub(super) fn see_emergency(
        &mut self,
        record: &mut Record,
        word: &str,
    ) -> Result<String, Failure> {
        let opened = record.ledger().emergencies();
        let named = |opened: &&Emergency| {
            word.len() >= 6 && opened.id.to_string().starts_with(&word.to_lowercase())
        };
        let opened = opened.iter().find(named).ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                format!("Nothing called {word:?} was opened in an emergency."),
                "Run kith review RECORD to see what waits; nothing was changed.",
            )
        })?;
        self.commit(vec![row(RowKind::Seen, opened.id.as_bytes(), &now_ms())])?;
        Ok(opened.id.to_string())
    }

    fn record_is_here(&self, record: RecordId) -> Result<bool, Failure> {
        Ok(!self.store.logs(&record)?.is_empty())
    }
}

/// Why a record is opened, in words; for hours that the rule allows.
fn reason(asked: &OpenRequest) -> Result<String, Failure> {
    let reason = asked.reason.trim();
    if reason.is_empty() || reason.len() > REASON_LEN_MAX {
        return Err(Failure::new(
            Ending::Usage,
            "A record is opened in an emergency for a reason, in a few words.",
            "Say it with --reason: the person and their practice will read it. Nothing was changed.",
        ));
    }
    if !(4..=24).contains(&asked.hours) {
        return Err(Failure::new(
            Ending::Usage,
            "An emergency lasts 4 to 24 hours.",
            "Name them with --hours. Nothing was changed.",
        ));
    }
    Ok(reason.to_owned())
}

/// Bytes of a reason.
const REASON_LEN_MAX: usize = 1000;

/// The rules that hold: where they were changed at the same time, all of them do.
pub(super) fn rules(record: &mut Record) -> Policy {
    let mut all = record.ledger().policies().into_iter();
    let mut rules = all.next().unwrap_or_default();
    for other in all {
        let names: BTreeSet<_> = rules.emergency.into_iter().chain(other.emergency).collect();
        rules.emergency = names.into_iter().collect();
        let labels = rules.emergency_labels.into_iter();
        let labels: BTreeSet<_> = labels.chain(other.emergency_labels).collect();
        rules.emergency_labels = labels.into_iter().collect();
        rules.emergency_secret = rules.emergency_secret.or(other.emergency_secret);
    }
    rules
}

/// An emergency that holds.
fn is_open(record: &mut Record, event: EventId) -> Option<Emergency> {
    let mut opened = record.ledger().emergencies().into_iter();
    opened.find(|opened| opened.id == event && opened.state == GrantFate::Active)
}
