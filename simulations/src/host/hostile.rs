//! What a host does whose owner does not keep to the rules: signed with keys of its own, since
//! nobody has another's.

use kith_crdt::{Document, DocumentId, Edit};
use kith_protocol::{
    author::{Author, EntryDraft, EventDraft, NextLink, actor},
    consent::grant::{Actions, Purposes},
    envelope::Payload,
    id::{EnvelopeId, EventId, PrincipalId, RecordId},
    logs::{Act, Frontiers, LabelAct, LogId},
    record::{Pen, Record, entry_item, event_item},
    store::{Item, Store},
};
use rand_core::Rng;

use super::{Done, Host, acts::resource};
use crate::disk::Disk;

/// What a forged entry says of itself.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who is said to have written it.
    pub author: PrincipalId,
    /// The record.
    pub record: RecordId,
    /// Where.
    pub document: DocumentId,
    /// The grant that it is said to stand on.
    pub grant: Option<EventId>,
    /// What it is said to build on.
    pub deps: Vec<EnvelopeId>,
    /// When.
    pub time_ms: u64,
}

impl Host {
    /// Writes two things in one place of its chain.
    pub fn equivocate(&mut self, id: RecordId, document: &DocumentId, texts: [&str; 2]) -> Done {
        let before = self.disk.clone();
        let first = self.note(id, document, texts[0]);
        let Done::Kept(items) = first else {
            return first;
        };
        self.set_disk(before);
        self.loaded.remove(&id);
        let mut second = self.note(id, document, texts[1]);
        self.loaded.remove(&id);
        if let Done::Kept(all) = &mut second
            && self.disk.commit(items.clone()).is_ok()
        {
            all.extend(items);
        }
        second
    }

    /// Writes as one who has seen only what an older copy of its disk holds, at a time that it
    /// makes up.
    pub fn backdate(
        &mut self,
        (id, document): (RecordId, &DocumentId),
        older: &Disk,
        time_ms: u64,
        text: &str,
    ) -> Done {
        let who = self.whoever();
        let Ok(mut record) = Record::load(older, id, self.device()) else {
            return Done::Unreadable;
        };
        if record.load_principals(older, [who.principal]).is_err() {
            return Done::Unreadable;
        }
        let mut rng = self.rng.clone();
        let pen = Pen {
            time_ms,
            ..self.pen()
        };
        let ledger = record.ledger();
        let writer = ledger.decide_write(&who, document, Actions::APPEND, Purposes::CARE, time_ms);
        let edits = [Edit::Create(resource(document.section, text))];
        let written = writer
            .ok()
            .and_then(|writer| record.write(&pen, &writer, &edits, &mut rng).ok());
        self.rng = rng;
        let Some((item, _)) = written else {
            return Done::Denied;
        };
        self.loaded.remove(&id);
        match self.disk.commit(vec![item.clone()]) {
            Ok(_) => Done::Kept(vec![item]),
            Err(_) => Done::Lost(vec![item]),
        }
    }

    /// An entry that claims what is not so, signed with this device's key.
    pub fn forge(&mut self, claim: &Claim, text: &str) -> Option<Item> {
        let mut nonce = [0; 8];
        self.rng.fill_bytes(&mut nonce);
        let device = self.device();
        let by = actor(claim.record, &claim.document, device, 0, nonce);
        let edits = [Edit::Create(resource(claim.document.section, text))];
        let written = Document::new().write(by, claim.time_ms, &edits).ok()?;
        let mut salt = [0; 16];
        self.rng.fill_bytes(&mut salt);
        let draft = EntryDraft {
            record: claim.record,
            document: claim.document.clone(),
            epoch: 0,
            link: NextLink::FIRST,
            deps: claim.deps.clone(),
            frontiers: self.seen(claim),
            grant: claim.grant,
            purpose: Purposes::CARE,
            time_ms: claim.time_ms,
            actor_nonce: nonce,
        };
        let author = Author {
            principal: claim.author,
            key: &self.keys().device,
            staff: None,
        };
        let payload = Payload {
            salt,
            bytes: written.bytes,
        };
        Some(entry_item(&author.change(draft, payload)))
    }

    /// A grant to itself that claims to be somebody else's.
    pub fn forge_grant(&self, claim: &Claim, sections: Vec<kith_crdt::Section>) -> Item {
        let label = claim.document.label.clone();
        let grant = kith_protocol::consent::grant::Grant {
            audience: self.whoever().principal,
            sections,
            actions: Actions::ALL,
            from_ms: 0,
            until_ms: None,
            purposes: Purposes::CARE,
            basis: kith_protocol::consent::grant::Basis::Consent,
            depth: 7,
            parent: claim.grant,
            custodians: Vec::new(),
        };
        let author = Author {
            principal: claim.author,
            key: &self.keys().device,
            staff: None,
        };
        let event = author.event(EventDraft {
            log: LogId::Label(claim.record, label),
            link: NextLink::FIRST,
            frontiers: self.seen(claim),
            grant: claim.grant,
            time_ms: claim.time_ms,
            act: Act::Label(LabelAct::Grant(grant)),
        });
        event_item(&event)
    }

    /// What it can cite: the beginning of the record, and the heads that a lawful writer would.
    fn seen(&self, claim: &Claim) -> Frontiers {
        let Ok(mut record) = Record::load(&self.disk, claim.record, self.device()) else {
            return Frontiers::default();
        };
        if record.load_principals(&self.disk, [claim.author]).is_err() {
            return Frontiers::default();
        }
        record
            .ledger()
            .frontiers(&claim.document.label, &claim.author)
    }
}

/// The same entry with other content beside the signed header.
pub fn with_other_payload(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut envelope = kith_protocol::condensed::decode(bytes).ok()?;
    let payload = envelope.payload.as_mut()?;
    let at = payload.bytes.len().checked_sub(1)?;
    payload.bytes[at] ^= 1;
    Some(kith_protocol::codec::encode(&envelope))
}

impl Host {
    fn own_event(&self, claim: &Claim, act: LabelAct) -> Item {
        let label = claim.document.label.clone();
        let log = LogId::Label(claim.record, label);
        let link = Record::load(&self.disk, claim.record, self.device())
            .map_or(NextLink::FIRST, |mut record| {
                record.ledger().next_event(self.device(), &log)
            });
        let author = Author {
            principal: self.whoever().principal,
            key: &self.keys().device,
            staff: None,
        };
        event_item(&author.event(EventDraft {
            log,
            link,
            frontiers: self.seen(claim),
            grant: claim.grant,
            time_ms: claim.time_ms,
            act: Act::Label(act),
        }))
    }

    /// A grant beneath its own that gives more than it has, without an end.
    pub fn grant_beyond(
        &self,
        claim: &Claim,
        audience: PrincipalId,
        sections: Vec<kith_crdt::Section>,
    ) -> Item {
        self.own_event(
            claim,
            LabelAct::Grant(kith_protocol::consent::grant::Grant {
                audience,
                sections,
                actions: Actions::ALL,
                from_ms: 0,
                until_ms: None,
                purposes: Purposes::CARE,
                basis: kith_protocol::consent::grant::Basis::Consent,
                depth: 7,
                parent: claim.grant,
                custodians: Vec::new(),
            }),
        )
    }

    /// Stops a grant that is not its own to stop: nothing that was written under it is to stand.
    pub fn stop_anyway(&self, claim: &Claim, grant: EventId) -> Item {
        use kith_protocol::{
            consent::cut::Cut,
            logs::record::{Link, Revoke},
        };
        self.own_event(
            claim,
            LabelAct::Revoke(Revoke {
                link: Link::Grant(grant),
                cut: Cut::Nothing,
                keep: Vec::new(),
                void: Vec::new(),
                is_final: true,
            }),
        )
    }

    /// Says of entries that they count.
    pub fn adopt_anyway(&self, claim: &Claim, entries: Vec<EnvelopeId>) -> Item {
        let device = self.device();
        let loaded = Record::load(&self.disk, claim.record, device);
        let (link, deps) = loaded.map_or((NextLink::FIRST, Vec::new()), |mut record| {
            let ledger = record.ledger();
            let link = ledger.next_entry(device, 0, &claim.document);
            (link, ledger.heads(&claim.document))
        });
        let draft = EntryDraft {
            record: claim.record,
            document: claim.document.clone(),
            epoch: 0,
            link,
            deps,
            frontiers: self.seen(claim),
            grant: claim.grant,
            purpose: Purposes::CARE,
            time_ms: claim.time_ms,
            actor_nonce: self.nonce,
        };
        let author = Author {
            principal: self.whoever().principal,
            key: &self.keys().device,
            staff: None,
        };
        let content = kith_protocol::envelope::Content::Adopt { entries };
        entry_item(&author.entry(draft, content, None))
    }
}
