//! Emergencies: whoever controls a record says who may open it, and somebody does.

use std::collections::BTreeSet;

use kith_crdt::Section;
use kith_protocol::{id::EventId, logs::record::Policy};

use super::{
    CAST, History, PHONE,
    people::{agrees, became},
};
use crate::{
    histories::{
        failure::Failure,
        model::{self, DOCUMENTS, Powers, label_of},
    },
    world::{HostId, document_named, event_of},
};

/// The labels that an emergency opens.
const LABELS: [&str; 3] = ["general", "private", "sexual-health"];

/// For how long, milliseconds: the shortest and the longest, and something between.
const OPEN_MS: [u64; 3] = [4 * 3_600_000, 10 * 3_600_000, 24 * 3_600_000];

impl History {
    /// Whoever controls a record says, once, who may open a label of it in an emergency.
    pub(super) fn trust(&mut self, record: usize, draw: u32) -> String {
        let owner = self.model.records[record].owner;
        let with = draw as usize % PHONE;
        if self.model.records[record].rules.is_some() || !self.is_up(owner) || with == owner {
            return "nothing is said of emergencies".to_owned();
        }
        let label = LABELS[draw as usize / PHONE % LABELS.len()];
        let id = self.model.records[record].id;
        let policy = Policy {
            emergency: vec![self.world.look(HostId(with)).whoever().principal],
            emergency_secret: None,
            emergency_labels: vec![document_named(&format!("plans:{label}")).label],
        };
        let done = self
            .world
            .act(HostId(owner), |host| host.say_rules(id, policy));
        self.learn(owner, &done, None, true);
        if let Some(event) = event_of(&done) {
            self.model.records[record].rules = Some(model::Rules { event, with, label });
        }
        format!(
            "{} says that {} may open {label} of record {record} in an emergency{}",
            CAST[owner],
            CAST[with],
            became(&done)
        )
    }

    /// Somebody opens a record, if its rules name them as far as is known there. From then on it is
    /// as if it had been shared with them for a time.
    pub(super) fn open(
        &mut self,
        host: usize,
        record: usize,
        draw: u32,
    ) -> Result<String, Failure> {
        let of = &self.model.records[record];
        let (id, owner) = (of.id, of.owner);
        if host == PHONE || host == owner {
            return Ok(format!("{} opens nothing", CAST[host]));
        }
        let rules = of.rules.clone();
        let person = self.model.person[host];
        let is_named =
            |rules: &model::Rules| rules.with == person && self.held(host)(rules.event.as_bytes());
        let may = rules.as_ref().is_some_and(is_named);
        let label = rules.as_ref().map_or(LABELS[0], |rules| rules.label);
        let sections = match draw.is_multiple_of(4) {
            true => vec![Section::Letters, Section::Results],
            false => Section::ALL.to_vec(),
        };
        let is_opened = |name: &&'static str| {
            label_of(name) == label && sections.contains(&document_named(name).section)
        };
        let documents: BTreeSet<_> = DOCUMENTS
            .into_iter()
            .filter(|name| is_opened(name))
            .collect();
        let now = self.world.clock_ms(HostId(host));
        let until = now + OPEN_MS[draw as usize / 4 % OPEN_MS.len()];
        let done = self
            .world
            .act(HostId(host), |host| host.open(id, until, sections));
        self.learn(host, &done, None, may);
        if let Some(grant) = event_of(&done) {
            self.opened(record, grant, (host, may), (documents, now, until));
        }
        let words = format!(
            "{} opens {label} of record {record} in an emergency{}",
            CAST[host],
            became(&done)
        );
        agrees(may, &done, &words)?;
        Ok(words)
    }

    /// Notes what an emergency opened.
    fn opened(
        &mut self,
        record: usize,
        grant: EventId,
        (host, may): (usize, bool),
        (documents, from_ms, until_ms): (BTreeSet<&'static str>, u64, u64),
    ) {
        let powers = Powers {
            add: true,
            ..Powers::default()
        };
        self.model.shares.push(model::Share {
            record,
            by: self.model.records[record].owner,
            with: self.model.person[host],
            documents,
            powers,
            from_ms,
            until_ms: Some(until_ms),
            above: None,
            grant,
            ends: Vec::new(),
            lawful: may,
        });
    }
}
