//! What passed between hosts and the network.

use std::collections::BTreeSet;

use kith_crdt::DocumentId;
use kith_protocol::{
    audit::{Audience, Disclosure, Extent, How},
    codec,
    id::{DeviceId, EnvelopeId, RecordId},
    limits::{FRAME_LEN_MAX, ITEMS_MAX, PARCELS_AHEAD_MAX},
    store::ChainPosition,
    sync::{Carried, Kind, Message, OfRecord},
};

use crate::{
    histories::{
        failure::{Failure, Invariant},
        play::{CAST, History, MALLORY, marks_in},
    },
    network::Wire,
    world::{HostId, Passed, Sent},
};

/// Places in chains of documents.
type Places = BTreeSet<(DocumentId, ChainPosition)>;

impl History {
    pub(in crate::histories) fn check_wire(&mut self) -> Result<(), Failure> {
        let passed = self.world.passed.replace(Vec::new()).unwrap_or_default();
        self.world.frames.clear();
        self.world.news.clear();
        self.checks.crashed.clear();
        for one in passed {
            if let Some(aloud) = &mut self.aloud {
                aloud.push(in_words(&one));
            }
            match one {
                Passed::Crashed(host) => {
                    self.checks.crashed.insert(host.0);
                }
                Passed::Opened { wire, .. } => {
                    self.checks.heard.remove(&wire);
                    self.checks.ahead.remove(&wire);
                }
                Passed::Unsent { wire, frame } => self.note_unsent(wire, &frame),
                Passed::Heard { wire, frame } => self.note_heard(wire, &frame),
                Passed::Sent(sent) => self.check_sent(&sent)?,
            }
        }
        self.check_links()
    }

    /// What was handed over for a stream that is gone was disclosed as well, as far as anyone knew.
    fn note_unsent(&mut self, wire: Wire, frame: &[u8]) {
        let Ok(Message::Items { batches, .. }) = codec::decode(frame) else {
            return;
        };
        for OfRecord { record, items } in batches {
            let places = self.places_in(&items);
            let links = self.checks.links.entry(wire.host.0).or_default();
            let fits = |(_, link): &(usize, Disclosure)| {
                link.record == record && places_of(link) == places
            };
            if let Some(nth) = links.iter().position(fits) {
                links.remove(nth);
            }
        }
    }

    /// The places of the entries among some items.
    fn places_in(&self, items: &[Carried]) -> Places {
        let entries = items.iter().filter(|item| item.kind == Kind::Entry);
        let hashes = entries.map(|item| *blake3::hash(&item.bytes).as_bytes());
        let ids = hashes.filter_map(|hash| self.model.carried.get(&hash));
        ids.filter_map(|id| Some(self.written(id)?.place.clone()))
            .collect()
    }

    fn note_heard(&mut self, wire: Wire, frame: &[u8]) {
        match codec::decode(frame) {
            Ok(Message::Items { through, batches }) => {
                let hashes = batches
                    .iter()
                    .flat_map(|batch| &batch.items)
                    .map(|item| *blake3::hash(&item.bytes).as_bytes());
                let batches = self.checks.heard.entry(wire).or_default();
                batches.insert(through, hashes.collect());
            }
            Ok(Message::Taken { through, .. }) => {
                let ahead = self.checks.ahead.entry(wire).or_default();
                ahead.retain(|count| *count > through);
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn check_sent(&mut self, sent: &Sent) -> Result<(), Failure> {
        self.hasher.update(&sent.wire.link.0.to_be_bytes());
        self.hasher.update(&sent.clock_ms.to_be_bytes());
        self.hasher.update(&sent.frame);
        if sent.frame.len() > FRAME_LEN_MAX {
            return self.too_much(sent, "a frame that is too long");
        }
        if sent.to.0 >= self.model.person.len() {
            // What a stranger hears is looked at where it calls.
            return Ok(());
        }
        match codec::decode(&sent.frame) {
            Ok(Message::Items { through, batches }) => {
                let mut len = 0;
                for OfRecord { record, items } in &batches {
                    self.check_scope(sent, *record, items)?;
                    self.check_disclosed(sent, *record, items)?;
                    len += items.len();
                }
                self.check_marks(sent)?;
                let ahead = self.checks.ahead.entry(sent.wire).or_default();
                ahead.insert(through);
                if ahead.len() > PARCELS_AHEAD_MAX || len > ITEMS_MAX {
                    return self.too_much(sent, "more than was asked for");
                }
                Ok(())
            }
            Ok(Message::Taken { through, kept_back }) => {
                let kept_back: BTreeSet<_> = kept_back.iter().map(|back| back.nth).collect();
                self.check_acknowledged(sent, through, &kept_back)
            }
            Ok(_) => Ok(()),
            Err(_) => self.too_much(sent, "what nobody understands"),
        }
    }

    /// 12: what is on its way to one peer is bounded.
    fn too_much(&self, sent: &Sent, what: &str) -> Result<(), Failure> {
        let words = format!(
            "{} sends {} {what}",
            CAST[sent.wire.host.0], CAST[sent.to.0]
        );
        Err(Failure::new(Invariant::Bounds, words))
    }

    /// Whether whoever is at another host may see a part of a record, by what a sender held when
    /// it sent.
    fn might_see(&self, sent: &Sent, record: usize, document: &str) -> bool {
        let held = self.held_then(sent);
        let retired = self.model.retired.get(&sent.to.0);
        let to = (self.model.person[sent.to.0], record);
        !retired.is_some_and(|event| held(event.as_bytes()))
            && self.model.may_see(&held, to, document, sent.clock_ms)
    }

    fn held_then(&self, sent: &Sent) -> impl Fn(&[u8; 32]) -> bool + '_ {
        let disk = &self.world.look(sent.wire.host).disk;
        let upto = sent.held;
        move |id| disk.place_of(id).is_some_and(|at| at < upto)
    }

    /// 4, 5 and 9: what leaves is for whoever gets it.
    fn check_scope(&self, sent: &Sent, id: RecordId, items: &[Carried]) -> Result<(), Failure> {
        let (from, to) = (CAST[sent.wire.host.0], CAST[sent.to.0]);
        for item in items {
            let hash = *blake3::hash(&item.bytes).as_bytes();
            match item.kind {
                Kind::Entry => {
                    let entry = self.model.carried.get(&hash);
                    let Some(written) = entry.and_then(|entry| self.written(entry)) else {
                        let words = format!("{from} sends {to} an entry that nobody wrote");
                        return Err(Failure::new(Invariant::Attribution, words));
                    };
                    if self.model.record(&id) != Some(written.record) {
                        let words = format!(
                            "{from} sends {to} something of record {} as of another",
                            written.record
                        );
                        return Err(Failure::new(Invariant::Bleed, words));
                    }
                    self.check_may(sent, written.record, written.document)?;
                }
                Kind::Event => {
                    if let Some((record, label)) = self.model.rights.get(&hash) {
                        let held = self.held_then(sent);
                        let person = self.model.person[sent.to.0];
                        if !self.model.ever(&held, person, *record, Some(label)) {
                            let words =
                                format!("{from} tells {to} who shares {label} of record {record}");
                            return Err(Failure::new(Invariant::Scope, words));
                        }
                    }
                }
                Kind::Part => {}
            }
        }
        Ok(())
    }

    fn check_may(&self, sent: &Sent, record: usize, document: &str) -> Result<(), Failure> {
        if self.might_see(sent, record, document) {
            return Ok(());
        }
        let (from, to) = (CAST[sent.wire.host.0], CAST[sent.to.0]);
        let held = self.held_then(sent);
        let person = self.model.person[sent.to.0];
        let had = self.model.shares.iter().any(|share| {
            share.record == record
                && share.with == person
                && share.lawful
                && share.documents.contains(document)
                && held(share.grant.as_bytes())
        });
        let (invariant, what) = if had {
            (Invariant::Revocation, "any more, or not yet")
        } else {
            (Invariant::Scope, "and never could")
        };
        let words = format!(
            "{from} sends {to} {document} of record {record}, which {to} may not see {what}"
        );
        Err(Failure::new(invariant, words))
    }

    /// 4, by the bytes alone: no text is in a frame to whom it is not for.
    fn check_marks(&self, sent: &Sent) -> Result<(), Failure> {
        for mark in marks_in(&sent.frame) {
            if let Some(mark) = self.model.marks.get(mark) {
                self.check_may(sent, mark.record, mark.document)?;
            }
        }
        Ok(())
    }

    /// 6: a batch with content has exactly one disclosure, on the disk before it.
    fn check_disclosed(
        &mut self,
        sent: &Sent,
        record: RecordId,
        items: &[Carried],
    ) -> Result<(), Failure> {
        let places = self.places_in(items);
        if places.is_empty() {
            return Ok(());
        }
        let device = self.world.look(sent.to).device();
        let links = self.checks.links.entry(sent.wire.host.0).or_default();
        let fits = |(at, link): &(usize, Disclosure)| {
            *at < sent.held && is_of(link, record, device) && places_of(link) == places
        };
        if let Some(nth) = links.iter().position(fits) {
            links.remove(nth);
            return Ok(());
        }
        let words = format!(
            "{} gives {} {} entries, and its access log does not say so",
            CAST[sent.wire.host.0],
            CAST[sent.to.0],
            places.len()
        );
        Err(Failure::new(Invariant::Audit, words))
    }

    /// 6 again: what the access log says happened, unless the power went before it could.
    fn check_links(&mut self) -> Result<(), Failure> {
        for (host, links) in std::mem::take(&mut self.checks.links) {
            if !links.is_empty() && !self.checks.crashed.contains(&host) {
                let words = format!(
                    "the access log of {} has {} links for what was never given",
                    CAST[host],
                    links.len()
                );
                return Err(Failure::new(Invariant::Audit, words));
            }
        }
        Ok(())
    }

    /// 3: what is said to be taken is on the disk. Whoever has no right any more hands in its own.
    fn check_acknowledged(
        &mut self,
        sent: &Sent,
        through: u64,
        kept_back: &BTreeSet<u32>,
    ) -> Result<(), Failure> {
        let batches = self.checks.heard.get_mut(&sent.wire);
        let Some(batch) = batches.and_then(|batches| batches.remove(&through)) else {
            return Ok(());
        };
        let mut taken = Vec::new();
        for (nth, hash) in (0..).zip(&batch) {
            let entry = self.model.carried.get(hash).copied();
            let Some(id) = entry.filter(|_| !kept_back.contains(&nth)) else {
                continue;
            };
            if self.held_then(sent)(id.as_bytes()) {
                taken.push(*id.as_bytes());
            } else if self.has_to_be_taken(sent, &id) {
                let words = format!(
                    "{} says to {} that it has an entry on its disk, and has not",
                    CAST[sent.wire.host.0], CAST[sent.to.0]
                );
                return Err(Failure::new(Invariant::Durability, words));
            }
        }
        let kept = self
            .checks
            .acknowledged
            .entry(sent.wire.host.0)
            .or_default();
        kept.extend(taken);
        Ok(())
    }

    fn has_to_be_taken(&self, sent: &Sent, id: &EnvelopeId) -> bool {
        let Some(written) = self.written(id) else {
            return false;
        };
        let held = self.held_then(sent);
        let record = self.model.records[written.record].id;
        if sent.wire.host.0 == MALLORY && !held(record.as_bytes()) {
            // A right that it forged may lie on its own disk, which the record is not on: what its
            // engine makes of that is its own affair.
            return false;
        }
        let giver = self.model.person[sent.to.0];
        let own = written.host == sent.to.0;
        let hands_in = own && self.model.ever(&held, giver, written.record, None);
        hands_in || self.might_see(sent, written.record, written.document)
    }
}

/// What passed, in words.
fn in_words(passed: &Passed) -> String {
    let name = |host: HostId| CAST.get(host.0).copied().unwrap_or("a stranger");
    let what = |frame: &[u8]| match codec::decode(frame) {
        Ok(Message::Items { through, batches }) => {
            let items = || batches.iter().flat_map(|batch| &batch.items);
            let of = |kind| items().filter(|item| item.kind == kind).count();
            let (events, entries) = (of(Kind::Event), of(Kind::Entry));
            format!(
                "parcel {through}: {events} events, {entries} entries of {} from {} records",
                items().count(),
                batches.len()
            )
        }
        Ok(word) => {
            let word = format!("{word:?}");
            word.chars().take(150).collect()
        }
        Err(_) => format!("{} bytes", frame.len()),
    };
    match passed {
        Passed::Sent(sent) => format!(
            "    {} to {} ({}, {} s): {}",
            name(sent.wire.host),
            name(sent.to),
            sent.wire.link.0,
            sent.clock_ms / 1000,
            what(&sent.frame)
        ),
        Passed::Unsent { wire, frame } => {
            format!("    {} says to nobody: {}", name(wire.host), what(frame))
        }
        Passed::Heard { wire, frame } => {
            format!(
                "    {} hears ({}): {}",
                name(wire.host),
                wire.link.0,
                what(frame)
            )
        }
        Passed::Opened { wire, with } => format!(
            "    {} is connected with {} ({})",
            name(wire.host),
            name(*with),
            wire.link.0
        ),
        Passed::Crashed(host) => format!("    {} is down", name(*host)),
    }
}

fn is_of(link: &Disclosure, record: RecordId, device: DeviceId) -> bool {
    let named = match &link.to {
        Audience::Named(named) => named.iter().any(|to| to.device == Some(device)),
        Audience::Passphrase | Audience::Anyone => false,
    };
    link.how == How::Sync && link.record == record && named
}

fn places_of(link: &Disclosure) -> Places {
    let mut places = Places::new();
    for part in &link.documents {
        let Extent::Entries(runs) = &part.extent else {
            continue;
        };
        for run in runs {
            places.extend((run.first..=run.last).map(|seq| {
                let position = ChainPosition {
                    device: run.device,
                    epoch: run.epoch,
                    seq,
                };
                (part.document.clone(), position)
            }));
        }
    }
    places
}
