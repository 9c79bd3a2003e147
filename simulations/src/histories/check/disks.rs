//! What lies on the disks.

use std::collections::BTreeMap;

use kith_protocol::{audit::AuditEntry, codec, store::Item};

use super::{audit_bytes, disclosure};
use crate::{
    histories::{
        failure::{Failure, Invariant},
        play::{CAST, History, marks_in},
    },
    world::HostId,
};

impl History {
    pub(in crate::histories) fn check_disks(&mut self) -> Result<(), Failure> {
        for host in 0..self.model.person.len() {
            let disk = &self.world.look(HostId(host)).disk;
            let from = self.checks.looked.insert(host, disk.len()).unwrap_or(0);
            let new: Vec<_> = disk.items(from).cloned().collect();
            for (at, item) in (from..).zip(&new) {
                self.check_signer(host, item)?;
                self.check_bleed(host, item)?;
                self.note_link(host, at, item)?;
            }
            self.check_durability(host)?;
        }
        Ok(())
    }

    /// 3: what a host said to be on its disk is there, until a copy of the disk is put back.
    fn check_durability(&self, host: usize) -> Result<(), Failure> {
        let held = self.held(host);
        let acknowledged = self.checks.acknowledged.get(&host).into_iter().flatten();
        let lost = acknowledged.filter(|id| !held(id)).count();
        if lost > 0 {
            let words = format!("{} lost {lost} things that it had acknowledged", CAST[host]);
            return Err(Failure::new(Invariant::Durability, words));
        }
        Ok(())
    }

    /// 7: what bears the key of one of the cast was signed there.
    fn check_signer(&self, host: usize, item: &Item) -> Result<(), Failure> {
        let (id, device) = match item {
            Item::Event { id, position, .. } => (*id.as_bytes(), position.device),
            Item::Entry { id, position, .. } => (*id.as_bytes(), position.device),
            Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => return Ok(()),
        };
        let Some(signer) = self.world.host_of(&device) else {
            return Ok(());
        };
        let signed = self.model.signed.get(&signer.0);
        if signed.is_some_and(|signed| signed.contains(&id)) {
            return Ok(());
        }
        let words = format!(
            "{} holds something in the name of {} that was never signed there",
            CAST[host], CAST[signer.0]
        );
        Err(Failure::new(Invariant::Attribution, words))
    }

    /// 9: what lies under a record was written for it. And 7 again: under a header lies what was
    /// signed with it.
    fn check_bleed(&self, host: usize, item: &Item) -> Result<(), Failure> {
        let Item::Entry {
            record, id, bytes, ..
        } = item
        else {
            return Ok(());
        };
        let Some(written) = self.written(id) else {
            let words = format!("{} holds an entry that nobody wrote", CAST[host]);
            return Err(Failure::new(Invariant::Attribution, words));
        };
        if self.model.carried.get(blake3::hash(bytes).as_bytes()) != Some(id) {
            let words = format!(
                "{} holds an entry with other content than was signed",
                CAST[host]
            );
            return Err(Failure::new(Invariant::Attribution, words));
        }
        let foreign = marks_in(bytes).into_iter().find(|mark| {
            let mark = self.model.marks.get(*mark);
            mark.is_none_or(|mark| mark.record != written.record)
        });
        if self.model.record(record) == Some(written.record) && foreign.is_none() {
            return Ok(());
        }
        let words = format!(
            "{} keeps something of record {} under another",
            CAST[host], written.record
        );
        Err(Failure::new(Invariant::Bleed, words))
    }

    /// 6: each link names the one before it and none is left out.
    fn note_link(&mut self, host: usize, at: usize, item: &Item) -> Result<(), Failure> {
        let Some(bytes) = audit_bytes(item) else {
            return Ok(());
        };
        let broken = |what: &str| {
            let words = format!("the access log of {} {what}", CAST[host]);
            Err(Failure::new(Invariant::Audit, words))
        };
        let Ok(entry) = codec::decode::<AuditEntry>(bytes) else {
            return broken("has a link that cannot be read");
        };
        let id = *kith_protocol::audit::link_id(bytes).as_bytes();
        let before = self.checks.audit_ends.insert(host, (entry.seq, id));
        let follows = match before {
            None => entry.seq == 0 && entry.prev.is_none(),
            Some((seq, id)) => {
                entry.seq == seq + 1 && entry.prev.is_some_and(|prev| *prev.as_bytes() == id)
            }
        };
        if !follows {
            return broken("does not hang together");
        }
        if let Some(disclosure) = disclosure(entry) {
            self.checks
                .links
                .entry(host)
                .or_default()
                .push((at, disclosure));
        }
        Ok(())
    }

    /// Whose device a chain is and how often each place in it is used: a device that no copy was
    /// put back on uses each once.
    pub(super) fn check_places(&self, record: usize) -> Result<(), Failure> {
        let mut places = BTreeMap::new();
        for (id, written) in &self.model.written {
            let forks = written.forks || self.checks.restored.contains(&written.host);
            let is_somewhere =
                (0..self.model.person.len()).any(|host| self.held(host)(id.as_bytes()));
            if written.record != record || !written.lawful || forks || !is_somewhere {
                continue;
            }
            let place = (written.place.0.clone(), written.place.1);
            if places.insert(place, *id).is_some_and(|other| other != *id) {
                let words = format!("{} numbered two entries alike", CAST[written.host]);
                return Err(Failure::new(Invariant::Attribution, words));
            }
        }
        Ok(())
    }
}
