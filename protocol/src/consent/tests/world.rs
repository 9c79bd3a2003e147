//! A small world: people with devices, each knowing only what it was told.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label, Section};

use crate::{
    author::{Author, EntryDraft, EventDraft, NextLink},
    consent::{
        ContentFacts, Ledger, ReviewItem, Status,
        approval::{Member, approval_subject},
        cut::{Custodian, Custody, CutPart, CutPlace, CutPosition, CutTree, ProvenPart},
        grant::{Actions, Basis, Grant, Purposes},
        reference::{Model, Plain},
    },
    envelope::{Content, Header, PayloadRef},
    id::{DeviceId, EnvelopeId, EventId, PayloadHash, PrincipalId, RecordId, StaffId},
    identity::{SecretKey, agree_to_act_for},
    logs::{
        Act, CoreAct, Event, LabelAct, LogId, PrincipalAct,
        principal::{PrincipalKind, RecoverySet},
        record::{Control, Link, Policy, Revoke},
    },
    signed::Verified,
};

/// Something that can be told.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Event(Verified<Event>),
    Part(ProvenPart),
    Entry(Verified<Header>, ContentFacts),
}

impl Item {
    pub(super) fn tell(&self, ledger: &mut Ledger) {
        match self {
            Self::Event(event) => ledger.add_event(event.clone()),
            Self::Part(part) => ledger.add_part(part.clone()),
            Self::Entry(header, facts) => ledger.add_entry(header.clone(), facts.clone()),
        }
    }
}

/// Someone's device (or root key), and what it knows.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) principal: PrincipalId,
    seed: u32,
    pub(super) staff: Option<StaffId>,
    pub(super) knows: Ledger,
    pub(super) epoch: u32,
    /// The nonce of its actor, its last entry and that entry's actor seq.
    actor: Option<(u32, EnvelopeId, u64)>,
}

impl Pen {
    pub(super) fn key(&self) -> SecretKey {
        secret(self.seed)
    }

    pub(super) fn device(&self) -> DeviceId {
        self.key().device()
    }
}

/// The key that a number stands for.
pub(super) fn secret(number: u32) -> SecretKey {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    SecretKey::from_seed(seed)
}

/// A number of a pen.
pub(super) type Who = usize;

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) items: Vec<Item>,
    pub(super) pens: Vec<Pen>,
    pub(super) record: RecordId,
    pub(super) document: DocumentId,
    pub(super) time_ms: u64,
    changes: BTreeMap<EnvelopeId, [u8; 32]>,
    seeds: u32,
}

/// The patient, who begins the record and controls it.
pub(super) const ADA: Who = 0;
/// Three people in the recovery set; any two of them are the quorum.
pub(super) const MEMBERS: [Who; 3] = [2, 4, 6];

pub(super) fn label() -> Label {
    Label::general()
}

impl World {
    /// A record that Ada began on her laptop.
    pub(super) fn new() -> Self {
        let nobody = RecordId::from_bytes([0; 32]);
        let mut world = Self {
            items: Vec::new(),
            pens: Vec::new(),
            record: nobody,
            document: DocumentId::first(Section::Medicines, label()),
            time_ms: 1_000_000,
            changes: BTreeMap::new(),
            seeds: 0,
        };
        let people: Vec<_> = (0..4).map(|_| world.person()).collect();
        let mut members: Vec<_> = people[1..]
            .iter()
            .map(|who| world.pens[*who].principal)
            .collect();
        members.sort_unstable();
        let controller = world.pens[ADA].principal;
        let act = Act::Core(CoreAct::Genesis {
            nonce: [7; 16],
            controller,
            recovery: RecoverySet { needed: 2, members },
            policy: Policy {
                emergency: vec![world.pens[MEMBERS[2]].principal],
                emergency_secret: None,
                emergency_labels: vec![label()],
            },
        });
        let genesis = world.sign(ADA, LogId::Core(None), None, act);
        world.record = RecordId::from_bytes(*genesis.as_bytes());
        for pen in &mut world.pens {
            pen.knows = Ledger::new(world.record);
        }
        world.tell_all();
        world
    }

    /// A new person with a device that its root key added.
    pub(super) fn person(&mut self) -> Who {
        let root = self.pen_with(None);
        let principal = self.pens[root].principal;
        let log = LogId::Principal(principal);
        let begin = Act::Principal(PrincipalAct::Begin {
            kind: PrincipalKind::Person,
            sealing_key: [0; 32],
        });
        self.sign(root, log, None, begin);
        let device = self.add_device(root);
        self.pens.swap(root, device);
        root
    }

    /// The root key of a person that was made by [`World::person`].
    pub(super) fn root_of(&self, who: Who) -> Who {
        let principal = self.pens[who].principal;
        let is_root = |pen: &Pen| pen.device() == principal.root_key();
        self.pens
            .iter()
            .position(is_root)
            .expect("every person has a root key")
    }

    /// Another device, added by this one.
    pub(super) fn add_device(&mut self, by: Who) -> Who {
        let principal = self.pens[by].principal;
        let device = self.pen_with(Some(principal));
        self.pens[device].knows = self.pens[by].knows.clone();
        let parent = self.pens[by].device();
        let proof = agree_to_act_for(principal, &self.pens[device].key(), parent);
        let act = Act::Principal(PrincipalAct::DeviceAdd {
            device: self.pens[device].device(),
            proof,
        });
        self.sign(by, LogId::Principal(principal), None, act);
        self.teach(device, by);
        device
    }

    pub(super) fn pen_with(&mut self, principal: Option<PrincipalId>) -> Who {
        self.seeds += 1;
        let key = secret(self.seeds);
        let knows = Ledger::new(self.record);
        self.pens.push(Pen {
            principal: principal.unwrap_or_else(|| key.principal()),
            seed: self.seeds,
            staff: None,
            knows,
            epoch: 0,
            actor: None,
        });
        self.pens.len() - 1
    }

    /// A copy of a device as it is now: what it will not learn, it may claim not to know.
    pub(super) fn double(&mut self, who: Who) -> Who {
        self.pens.push(self.pens[who].clone());
        self.pens.len() - 1
    }

    /// Everyone learns everything.
    pub(super) fn tell_all(&mut self) {
        for who in 0..self.pens.len() {
            self.tell(who);
        }
    }

    /// One learns everything.
    pub(super) fn tell(&mut self, who: Who) {
        for item in &self.items {
            item.tell(&mut self.pens[who].knows);
        }
    }

    /// The first learns the last thing that the second wrote.
    fn teach(&mut self, who: Who, _of: Who) {
        if let Some(item) = self.items.last() {
            item.tell(&mut self.pens[who].knows);
        }
    }

    pub(super) fn log(&self) -> LogId {
        LogId::Label(self.record, self.document.label.clone())
    }

    pub(super) fn core(&self) -> LogId {
        LogId::Core(Some(self.record))
    }

    /// Signs an event with what its author knows.
    pub(super) fn sign(
        &mut self,
        who: Who,
        log: LogId,
        grant: Option<EventId>,
        act: Act,
    ) -> EventId {
        let pen = &mut self.pens[who];
        let frontiers = match &log {
            LogId::Core(None) => pen.knows.frontiers_for(&LogId::Core(None), &pen.principal),
            LogId::Core(Some(_)) | LogId::Label(..) | LogId::Principal(_) => {
                pen.knows.frontiers_for(&log, &pen.principal)
            }
        };
        self.sign_citing(who, log, grant, act, frontiers)
    }

    fn sign_citing(
        &mut self,
        who: Who,
        log: LogId,
        grant: Option<EventId>,
        act: Act,
        frontiers: crate::logs::Frontiers,
    ) -> EventId {
        let time_ms = self.time_ms;
        let pen = &mut self.pens[who];
        let link = match &log {
            LogId::Core(None) => NextLink::FIRST,
            LogId::Core(Some(_)) | LogId::Label(..) | LogId::Principal(_) => {
                pen.knows.next_event(pen.device(), &log)
            }
        };
        let key = pen.key();
        let staff = match &log {
            LogId::Principal(_) => None,
            LogId::Core(_) | LogId::Label(..) => pen.staff,
        };
        let author = Author {
            principal: pen.principal,
            key: &key,
            staff,
        };
        let event = author.event(EventDraft {
            log,
            link,
            frontiers,
            grant,
            time_ms,
            act,
        });
        let id = event.id();
        let item = Item::Event(event);
        item.tell(&mut self.pens[who].knows);
        self.items.push(item);
        id
    }

    /// A share of everything in the label.
    pub(super) fn share(&mut self, by: Who, under: Option<EventId>, to: Who) -> EventId {
        self.share_with(by, under, to, |_| {})
    }

    pub(super) fn share_with(
        &mut self,
        by: Who,
        under: Option<EventId>,
        to: Who,
        change: impl FnOnce(&mut Grant),
    ) -> EventId {
        let mut grant = Grant {
            audience: self.pens[to].principal,
            sections: Section::ALL.to_vec(),
            actions: Actions::ALL,
            from_ms: 0,
            until_ms: None,
            purposes: Purposes::ALL,
            basis: Basis::DirectCare,
            depth: 7,
            parent: under,
            custodians: Vec::new(),
        };
        change(&mut grant);
        self.sign(by, self.log(), under, Act::Label(LabelAct::Grant(grant)))
    }

    /// Stops a link, keeping nothing.
    pub(super) fn stop(&mut self, by: Who, under: Option<EventId>, link: Link) -> EventId {
        self.stop_with(by, under, link, &[], |_| {})
    }

    /// Stops a link, keeping everything that its issuer knows of.
    pub(super) fn stop_keeping(&mut self, by: Who, under: Option<EventId>, link: Link) -> EventId {
        let parts = self.pens[by].knows.keep_everything(link);
        self.stop_with(by, under, link, &parts, |_| {})
    }

    pub(super) fn stop_with(
        &mut self,
        by: Who,
        under: Option<EventId>,
        link: Link,
        parts: &[CutPart],
        change: impl FnOnce(&mut Revoke),
    ) -> EventId {
        let tree = CutTree::new(parts.to_vec());
        let mut revoke = Revoke {
            link,
            cut: tree.cut(),
            keep: Vec::new(),
            void: Vec::new(),
            is_final: false,
        };
        change(&mut revoke);
        let id = self.sign(by, self.log(), under, Act::Label(LabelAct::Revoke(revoke)));
        self.send_parts(by, &tree, id);
        id
    }

    /// Retires a device, keeping everything that its retirer knows of, or nothing.
    pub(super) fn retire(&mut self, by: Who, device: DeviceId, keep: bool) -> EventId {
        self.retire_voiding(by, device, keep, Vec::new())
    }

    /// The same, and says of stops that they do not hold.
    pub(super) fn retire_voiding(
        &mut self,
        by: Who,
        device: DeviceId,
        keep: bool,
        void: Vec<EventId>,
    ) -> EventId {
        let parts = if keep {
            self.pens[by].knows.keep_everything(Link::Device(device))
        } else {
            Vec::new()
        };
        let tree = CutTree::new(parts);
        let principal = self.pens[by].principal;
        let log = LogId::Principal(principal);
        let last = keep.then(|| self.pens[by].knows.next_event(device, &log).prev);
        let act = Act::Principal(PrincipalAct::DeviceRetire {
            device,
            last: last.flatten(),
            cut: tree.cut(),
            void,
        });
        let id = self.sign(by, log, None, act);
        self.send_parts(by, &tree, id);
        id
    }

    pub(super) fn send_parts(&mut self, by: Who, tree: &CutTree, id: EventId) {
        for part in tree.proven(id) {
            let item = Item::Part(part);
            item.tell(&mut self.pens[by].knows);
            self.items.push(item);
        }
    }

    /// Stops a link as someone who cannot read the documents: what stands of them is left to
    /// custodians.
    pub(super) fn stop_entrusting(
        &mut self,
        by: Who,
        under: Option<EventId>,
        link: Link,
        custodies: Vec<Custody>,
    ) -> EventId {
        let mut parts = self.pens[by].knows.keep_everything(link);
        parts.retain(|part| !matches!(part.place, CutPlace::Document(_)));
        let cut = CutTree::new(parts.clone()).entrusting(custodies);
        self.stop_with(by, under, link, &parts, |revoke| revoke.cut = cut)
    }

    /// A custodian of everything in the label until some time.
    pub(super) fn custody(&self, who: Who, until_ms: u64) -> Custody {
        Custody {
            custodian: self.pens[who].principal,
            sections: Section::ALL.to_vec(),
            until_ms,
        }
    }

    /// Someone signs every part that they were asked for and have not signed yet.
    pub(super) fn sign_owed(&mut self, who: Who) {
        let principal = self.pens[who].principal;
        for (revocation, part) in self.pens[who].knows.parts_owed(principal) {
            self.sign_part(who, principal, revocation, part);
        }
    }

    /// Someone signs a part in the name of a custodian.
    pub(super) fn sign_part(
        &mut self,
        who: Who,
        principal: PrincipalId,
        revocation: EventId,
        part: CutPart,
    ) -> ProvenPart {
        let key = self.pens[who].key();
        let custodian = Custodian {
            principal,
            key: &key,
        };
        let signed = custodian.sign(revocation, part);
        self.give_part(who, signed.clone());
        signed
    }

    /// Someone passes a part on, whatever it is worth.
    pub(super) fn give_part(&mut self, who: Who, part: ProvenPart) {
        let item = Item::Part(part);
        item.tell(&mut self.pens[who].knows);
        self.items.push(item);
    }

    /// A part of this document that names each of these entries as the last of its chain.
    pub(super) fn part_at(&self, entries: &[EnvelopeId]) -> CutPart {
        let position = |item: &Item| match item {
            Item::Entry(header, _) if entries.contains(&header.id()) => Some(CutPosition {
                device: header.value().device,
                epoch: header.value().epoch,
                seq: header.value().seq,
                id: header.id(),
            }),
            Item::Event(_) | Item::Part(_) | Item::Entry(..) => None,
        };
        let mut chains: Vec<_> = self.items.iter().filter_map(position).collect();
        chains.sort_unstable();
        chains.dedup();
        CutPart {
            record: self.record,
            place: CutPlace::Document(self.document.clone()),
            chains,
            documents: Vec::new(),
        }
    }

    pub(super) fn label_act(&mut self, by: Who, under: Option<EventId>, act: LabelAct) -> EventId {
        self.sign(by, self.log(), under, Act::Label(act))
    }

    pub(super) fn control(&mut self, by: Who, control: Control) -> EventId {
        self.sign(by, self.core(), None, Act::Core(CoreAct::Control(control)))
    }

    /// The first two members recover the record for `to`, keeping everything they know of.
    pub(super) fn recover(&mut self, to: Who, keep: Vec<EventId>, void: Vec<EventId>) -> EventId {
        let by = MEMBERS[0];
        let parts = self.pens[by].knows.keep_everything(Link::Root);
        self.recover_with(to, keep, void, &parts)
    }

    pub(super) fn recover_with(
        &mut self,
        to: Who,
        keep: Vec<EventId>,
        void: Vec<EventId>,
        parts: &[CutPart],
    ) -> EventId {
        let by = MEMBERS[0];
        let tree = CutTree::new(parts.to_vec());
        let previous = self.last_recover(by);
        let act = Act::Core(CoreAct::Recover {
            previous,
            cut: tree.cut(),
            keep,
            void,
            controller: self.pens[to].principal,
            approvals: Vec::new(),
        });
        let act = self.approved(by, &[MEMBERS[0], MEMBERS[1]], act);
        let id = self.sign(by, self.core(), None, act);
        self.send_parts(by, &tree, id);
        id
    }

    fn last_recover(&self, by: Who) -> Option<EventId> {
        let recovers = self.items.iter().filter_map(|item| match item {
            Item::Event(event) => match event.value().act {
                Act::Core(CoreAct::Recover { .. }) => Some(event.id()),
                Act::Core(_) | Act::Label(_) | Act::Principal(_) => None,
            },
            Item::Part(_) | Item::Entry(..) => None,
        });
        let recovers: Vec<_> = recovers.collect();
        recovers
            .into_iter()
            .rev()
            .find(|id| self.pens[by].knows.holds_event(id))
    }

    /// An act of the core log with the approvals of these members.
    pub(super) fn approved(&mut self, by: Who, members: &[Who], act: Act) -> Act {
        self.approved_in(&self.core(), by, members, act)
    }

    /// An act with the approvals of these members.
    pub(super) fn approved_in(
        &mut self,
        log: &LogId,
        by: Who,
        members: &[Who],
        mut act: Act,
    ) -> Act {
        let pen = &mut self.pens[by];
        let frontiers = pen.knows.frontiers_for(log, &pen.principal);
        let subject = approval_subject(log, &frontiers, &act);
        let mut given = Vec::new();
        for member in members {
            let pen = &mut self.pens[*member];
            let own = pen
                .knows
                .frontiers_for(&LogId::Principal(pen.principal), &pen.principal);
            let key = pen.key();
            let member = Member {
                principal: pen.principal,
                key: &key,
            };
            given.push(member.approve(subject, own.principal));
        }
        if let Act::Core(
            CoreAct::Recover { approvals, .. }
            | CoreAct::Policy { approvals, .. }
            | CoreAct::RecoverySet { approvals, .. },
        )
        | Act::Principal(PrincipalAct::KeyChange { approvals, .. }) = &mut act
        {
            *approvals = given;
        }
        act
    }

    /// A change of key with approvals by these members that show by themselves whose they are.
    pub(super) fn vouched_in(
        &mut self,
        log: &LogId,
        by: Who,
        members: &[Who],
        mut act: Act,
    ) -> Act {
        let pen = &mut self.pens[by];
        let frontiers = pen.knows.frontiers_for(log, &pen.principal);
        let subject = approval_subject(log, &frontiers, &act);
        let vouch = |who: &Who| {
            let pen = &self.pens[*who];
            let key = pen.key();
            let member = Member {
                principal: pen.principal,
                key: &key,
            };
            let given = member.vouch(subject, &self.log_of(*who));
            given.expect("their log certifies them")
        };
        let given = members.iter().map(vouch).collect();
        if let Act::Principal(PrincipalAct::KeyChange { approvals, .. }) = &mut act {
            *approvals = given;
        }
        act
    }

    /// Everything that anybody signed in the log of somebody.
    pub(super) fn log_of(&self, who: Who) -> Vec<Verified<Event>> {
        let log = LogId::Principal(self.pens[who].principal);
        let events = self.items.iter().filter_map(|item| match item {
            Item::Event(event) => Some(event.clone()),
            Item::Part(_) | Item::Entry(..) => None,
        });
        events.filter(|event| event.value().log == log).collect()
    }

    /// An entry on what its author sees as loaded.
    pub(super) fn write(&mut self, who: Who, under: Option<EventId>) -> EnvelopeId {
        let document = self.document.clone();
        let heads = self.pens[who].knows.heads(&document);
        self.write_on(who, under, heads)
    }

    pub(super) fn write_on(
        &mut self,
        who: Who,
        under: Option<EventId>,
        on: Vec<EnvelopeId>,
    ) -> EnvelopeId {
        let document = self.document.clone();
        let loaded = self.pens[who].knows.loaded(&document).main;
        let (nonce, seq) = match self.pens[who].actor {
            Some((nonce, last, seq)) if loaded.contains(&last) => (nonce, seq + 1),
            Some(_) | None => {
                self.seeds += 1;
                (self.seeds, 1)
            }
        };
        let deps = on.iter().filter_map(|id| self.changes.get(id).copied());
        let mut hasher = blake3::Hasher::new();
        hasher.update(&nonce.to_be_bytes());
        hasher.update(&self.items.len().to_be_bytes());
        let hash = *hasher.finalize().as_bytes();
        let facts = ContentFacts::Change {
            hash,
            deps: deps.collect(),
            actor_seq: seq,
        };
        let payload = PayloadRef {
            len: 1,
            hash: PayloadHash::from_bytes(hash),
        };
        let id = self.enter(who, under, on, nonce, Content::Change(payload), facts);
        self.changes.insert(id, hash);
        self.pens[who].actor = Some((nonce, id, seq));
        id
    }

    /// Adopts entries.
    pub(super) fn adopt(
        &mut self,
        who: Who,
        under: Option<EventId>,
        mut entries: Vec<EnvelopeId>,
    ) -> EnvelopeId {
        entries.sort_unstable();
        let document = self.document.clone();
        let heads = self.pens[who].knows.heads(&document);
        let content = Content::Adopt { entries };
        self.enter(who, under, heads, 0, content, ContentFacts::None)
    }

    /// Says that the payloads of entries were erased.
    pub(super) fn erase(
        &mut self,
        who: Who,
        under: Option<EventId>,
        entries: Vec<EnvelopeId>,
    ) -> EnvelopeId {
        let document = self.document.clone();
        let heads = self.pens[who].knows.heads(&document);
        let content = Content::Erased {
            entries,
            reason: "asked for".into(),
        };
        self.enter(who, under, heads, 0, content, ContentFacts::None)
    }

    fn enter(
        &mut self,
        who: Who,
        under: Option<EventId>,
        deps: Vec<EnvelopeId>,
        nonce: u32,
        content: Content,
        facts: ContentFacts,
    ) -> EnvelopeId {
        let (document, record, time_ms) = (self.document.clone(), self.record, self.time_ms);
        let pen = &mut self.pens[who];
        let key = pen.key();
        let author = Author {
            principal: pen.principal,
            key: &key,
            staff: pen.staff,
        };
        let entry = author.entry(
            EntryDraft {
                record,
                link: pen.knows.next_entry(pen.device(), pen.epoch, &document),
                frontiers: pen.knows.frontiers(&document.label, &pen.principal),
                document,
                epoch: pen.epoch,
                deps,
                grant: under,
                purpose: Purposes::CARE,
                time_ms,
                actor_nonce: u64::from(nonce).to_be_bytes(),
            },
            content,
            None,
        );
        let id = entry.id();
        let item = Item::Entry(entry.header, facts);
        item.tell(&mut self.pens[who].knows);
        self.items.push(item);
        id
    }

    /// What somebody who was told everything holds.
    pub(super) fn judge(&self) -> Ledger {
        let mut ledger = Ledger::new(self.record);
        for item in &self.items {
            item.tell(&mut ledger);
        }
        ledger
    }

    /// The status that everybody who was told everything gives an entry, in whatever order.
    pub(super) fn status(&self, entry: EnvelopeId) -> Status {
        let status = self.status_apart(entry);
        let kind = plain(&status);
        let model = self.model();
        assert_eq!(
            model.get(&entry),
            Some(&kind),
            "the model differs from {status:?}"
        );
        status
    }

    /// The same where the plain model has no word: of lost root keys and emergencies.
    pub(super) fn status_apart(&self, entry: EnvelopeId) -> Status {
        let status = self.judge().status(&entry).expect("it was written");
        let mut backwards = Ledger::new(self.record);
        for item in self.items.iter().rev() {
            item.tell(&mut backwards);
        }
        assert_eq!(backwards.status(&entry).as_ref(), Some(&status));
        status
    }

    /// The revocations that wait for a decision, as everybody sees who was told everything.
    pub(super) fn waiting(&self) -> Vec<EventId> {
        let listed = self.judge().review().into_iter();
        let waiting: BTreeSet<_> = listed
            .filter_map(|item| match item {
                ReviewItem::Suspended { revocation, .. } => Some(revocation),
                ReviewItem::ForkedLog { .. }
                | ReviewItem::Forked { .. }
                | ReviewItem::Contested { .. }
                | ReviewItem::Marked { .. } => None,
            })
            .collect();
        assert_eq!(waiting, told(self.record, &self.items).waiting());
        waiting.into_iter().collect()
    }

    /// What the plain model says of everything.
    pub(super) fn model(&self) -> BTreeMap<EnvelopeId, Plain> {
        model(self.record, &self.items)
    }
}

/// What the plain model says of these things.
pub(super) fn model(record: RecordId, items: &[Item]) -> BTreeMap<EnvelopeId, Plain> {
    told(record, items).statuses()
}

fn told(record: RecordId, items: &[Item]) -> Model {
    let mut model = Model::new(record);
    for item in items {
        match item {
            Item::Event(event) => model.event(event.id(), event.value()),
            Item::Part(part) => model.part(part),
            Item::Entry(header, facts) => model.entry(header.id(), header.value(), facts),
        }
    }
    model
}

/// A status without its reason.
pub(super) fn plain(status: &Status) -> Plain {
    match status {
        Status::Accepted => Plain::Accepted,
        Status::Marked(_) => Plain::Marked,
        Status::Contested(_) => Plain::Contested,
        Status::Invalid(_) => Plain::Invalid,
        Status::Pending(_) => Plain::Pending,
        Status::Unreadable(_) => Plain::Unreadable,
    }
}
