//! A small story with fixed keys, of which everything signed in these tests is made: Riverside
//! Surgery keeps a record, shares a part of it with Ann, stops that, and writes on.

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    audit::{
        Audience, AuditChain, DisclosedDocument, DisclosedRun, Disclosure, Extent, How, Recipient,
    },
    author::{Author, Entry, EntryDraft, EventDraft, NextLink},
    bundle::{
        BundleItem, BundleWriter, Counts, Manifest, attachment_pieces,
        seal::{PassphraseCost, Sealer, SealingSecret},
    },
    codec,
    consent::{
        approval::{Member, approval_subject},
        cut::{
            Custodian, Custody, Cut, CutPart, CutPlace, CutPosition, PartProof, ProvenPart, Side,
        },
        grant::{Actions, Basis, Grant, Purposes},
    },
    envelope::{Content, Envelope, Payload},
    id::{BlobId, CutRoot, DeviceId, EnvelopeId, EventId, PrincipalId, RecordId},
    identity::{SecretKey, agree_to_act_for, agree_to_stand_for},
    logs::{
        Act, CoreAct, Event, Frontiers, LabelAct, LogId, PrincipalAct,
        principal::{PrincipalKind, RecoverySet},
        record::{Link, Policy, Revoke},
    },
    signed::{Domain, Verified},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub const TIME_MS: u64 = 1_750_000_000_000;
pub const PASSPHRASE: &str = "birch lamp river forty";

/// Cheap, so that tests are quick; nothing real is sealed with it.
pub const CHEAP: PassphraseCost = PassphraseCost {
    memory_kib: 64,
    passes: 1,
};

/// Everything that the story signed.
pub struct Story {
    pub root: SecretKey,
    pub device: SecretKey,
    pub record: RecordId,
    pub certificates: Vec<Verified<Event>>,
    pub events: Vec<Verified<Event>>,
    pub part: ProvenPart,
    pub entries: Vec<Entry>,
    pub attachments: Vec<Vec<u8>>,
}

impl Story {
    pub fn tell() -> Self {
        let root = SecretKey::from_seed([1; 32]);
        let device = SecretKey::from_seed([2; 32]);
        let certificates = certificates(&root, &device);
        let by = Author {
            principal: root.principal(),
            key: &device,
            staff: None,
        };
        let seen = vec![certificates[1].id()];
        let events = authority(by, &seen);
        let record = RecordId::from_bytes(*events[0].id().as_bytes());
        let entries = writing(by, record, &events);
        let part = cut_part(record, &events[2], &entries[3]);
        Self {
            root,
            record,
            certificates,
            events,
            part,
            entries,
            attachments: attachments(),
            device,
        }
    }

    /// What a bundle of it carries.
    pub fn items(&self) -> Vec<BundleItem> {
        let bytes = |event: &Verified<Event>| event.bytes().to_vec();
        let mut items = Vec::new();
        let certificates = self.certificates.iter().map(bytes);
        items.extend(certificates.map(BundleItem::PrincipalEvent));
        items.extend(self.events.iter().map(bytes).map(BundleItem::RecordEvent));
        items.push(BundleItem::Part(codec::encode(&self.part)));
        items.extend(self.envelopes().map(BundleItem::Entry));
        items.extend(
            self.attachments
                .iter()
                .flat_map(|whole| attachment_pieces(whole)),
        );
        items
    }

    pub fn envelopes(&self) -> impl Iterator<Item = Vec<u8>> {
        let envelopes = self.entries.iter().cloned().map(Entry::into_envelope);
        envelopes.map(|envelope: Envelope| codec::encode(&envelope))
    }

    pub fn manifest(&self) -> Manifest {
        Manifest {
            records: vec![self.record],
            principal: self.root.principal(),
            staff: None,
            device: self.device.device(),
            time_ms: TIME_MS,
            purpose: Purposes::CARE,
            counts: Counts {
                principal_events: self.certificates.len() as u64,
                record_events: self.events.len() as u64,
                parts: 1,
                entries: self.entries.len() as u64,
                attachments: self.attachments.len() as u64,
            },
        }
    }

    /// A plain bundle, frame by frame: the preamble with the manifest, the items, the trailer.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let (mut writer, first) = BundleWriter::begin(self.manifest()).expect("a sound manifest");
        let mut frames = vec![first];
        for item in self.items() {
            frames.push(writer.item(&item).expect("the story's items fit"));
        }
        frames.push(writer.finish(&self.device).expect("all was promised"));
        frames
    }

    /// A plain bundle.
    pub fn bundle(&self) -> Vec<u8> {
        self.frames().concat()
    }

    /// The bundle, sealed to two receivers and a passphrase.
    pub fn sealed(&self) -> Vec<u8> {
        sealed(&self.bundle())
    }

    /// The access log of the practice's device: its beginning, a page, a batch to Ann's phone.
    pub fn audit(&self) -> (AuditChain, Vec<Vec<u8>>) {
        let (mut chain, first) = AuditChain::begin(self.device.device(), [5; 16], TIME_MS);
        let mut links = vec![first];
        for (n, how) in [(1, How::Show), (2, How::Sync)] {
            let link = chain.append(TIME_MS + n, self.disclosure(how, n));
            links.push(link.expect("it is short"));
        }
        (chain, links)
    }

    pub fn disclosure(&self, how: How, n: u64) -> Disclosure {
        Disclosure {
            to: Audience::Named(vec![Recipient {
                principal: ann().principal(),
                device: Some(DeviceId::from_bytes([8; 32])),
                staff: None,
            }]),
            record: self.record,
            documents: vec![DisclosedDocument {
                document: document(),
                extent: match how {
                    How::Sync => Extent::Entries(vec![DisclosedRun {
                        device: self.device.device(),
                        epoch: 0,
                        first: 0,
                        last: n,
                    }]),
                    How::Show
                    | How::Search
                    | How::Fhir
                    | How::Export
                    | How::Print
                    | How::Bundle => Extent::State(vec![self.entries[0].id()]),
                },
            }],
            attachments: vec![BlobId::from_bytes([9; 32])],
            grant: Some(self.events[1].id()),
            purpose: Purposes::CARE,
            how,
            len: 1000 + n,
        }
    }

    /// Every signed message: a name, its domain, who signed it, the bytes.
    pub fn messages(&self) -> Vec<(String, Domain, DeviceId, Vec<u8>)> {
        let mut messages = Vec::new();
        for (n, event) in self.certificates.iter().chain(&self.events).enumerate() {
            let signer = event.value().device;
            let bytes = event.bytes().to_vec();
            messages.push((format!("event {n}"), Domain::Event, signer, bytes));
        }
        for (n, entry) in self.entries.iter().enumerate() {
            let signer = entry.header.value().device;
            let bytes = entry.header.bytes().to_vec();
            messages.push((format!("envelope {n}"), Domain::Envelope, signer, bytes));
        }
        let proof = agree_to_act_for(self.root.principal(), &self.device, self.root.device());
        let signer = self.device.device();
        messages.push(("agreement".to_owned(), Domain::Device, signer, proof));
        let checkpoint = self.audit().0.checkpoint(TIME_MS, &self.device).signed;
        messages.push(("checkpoint".to_owned(), Domain::Audit, signer, checkpoint));
        if let PartProof::Custodian(word) = self.entrusted().1.proof {
            let name = "custodian's part".to_owned();
            messages.push((name, Domain::CutPart, word.device, word.signature));
        }
        messages
    }

    /// A revocation that leaves its document to the hospital, and the hospital's part for it.
    pub fn entrusted(&self) -> (Verified<Event>, ProvenPart) {
        let by = Author {
            principal: self.root.principal(),
            key: &self.device,
            staff: None,
        };
        let (core, grant) = ([self.events[0].id()], self.events[1].id());
        let custodian = self.root.principal();
        let revoke = Revoke {
            link: Link::Grant(grant),
            cut: Cut::Entrusted {
                root: Some(CutRoot::from_bytes([7; 32])),
                custodies: vec![Custody {
                    custodian,
                    sections: vec![Section::Allergies, Section::Medicines],
                    until_ms: TIME_MS,
                }],
            },
            keep: vec![],
            void: vec![],
            is_final: false,
        };
        let revoke = by.event(EventDraft {
            frontiers: frontiers(&core, &[grant], &[self.certificates[1].id()]),
            ..draft(
                LogId::Label(self.record, Label::general()),
                NextLink::after(0, grant),
                Act::Label(LabelAct::Revoke(revoke)),
            )
        });
        let custodian = Custodian {
            principal: custodian,
            key: &self.device,
        };
        let part = custodian.sign(revoke.id(), self.part.part.clone());
        (revoke, part)
    }
}

pub fn ann() -> SecretKey {
    SecretKey::from_seed([3; 32])
}

/// Ann's log: she names the surgery, and it gives her a new key.
pub fn new_key(story: &Story) -> Vec<Verified<Event>> {
    let (root, new) = (ann(), SecretKey::from_seed([5; 32]));
    let principal = root.principal();
    let [by_root, by_new] = [&root, &new].map(|key| Author {
        principal,
        key,
        staff: None,
    });
    let mut log = certificates(&root, &SecretKey::from_seed([4; 32]));
    let set = RecoverySet {
        needed: 1,
        members: vec![story.root.principal()],
    };
    let set = by_root.own_event(&log, TIME_MS, PrincipalAct::RecoverySet(set));
    log.push(set);
    let act = |approvals| PrincipalAct::KeyChange {
        key: *new.device().as_bytes(),
        proof: agree_to_stand_for(principal, &new),
        approvals,
        cut: Cut::Nothing,
        sealing_key: Some(secrets()[0].public().0),
    };
    let asked = by_new.own_event(&log, TIME_MS, act(Vec::new()));
    let asked = asked.value();
    let subject = approval_subject(&asked.log, &asked.frontiers, &asked.act);
    let surgery = Member {
        principal: story.root.principal(),
        key: &story.device,
    };
    let given = surgery.vouch(subject, &story.certificates);
    let given = given.expect("its log certifies the device");
    log.push(by_new.own_event(&log, TIME_MS, act(vec![given])));
    log
}

/// Sealing secrets: of Ann, of the hospital, and of somebody who receives nothing.
pub fn secrets() -> [SealingSecret; 3] {
    [21, 22, 23].map(|seed| SealingSecret::from_seed([seed; 32]))
}

/// `plain`, sealed to the first two secrets and the passphrase, from a fixed seed.
pub fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut rng = ChaCha20Rng::from_seed([6; 32]);
    let [ann, hospital, _] = secrets();
    let receivers = [ann.public(), hospital.public()];
    let (mut sealer, mut bytes) =
        Sealer::begin(&receivers, Some((PASSPHRASE, CHEAP)), &mut rng).expect("two good keys");
    bytes.extend(sealer.push(plain));
    bytes.extend(sealer.finish());
    bytes
}

fn certificates(root: &SecretKey, device: &SecretKey) -> Vec<Verified<Event>> {
    let by = Author {
        principal: root.principal(),
        key: root,
        staff: None,
    };
    let log = LogId::Principal(root.principal());
    let begin = PrincipalAct::Begin {
        kind: PrincipalKind::Organisation,
        sealing_key: secrets()[1].public().0,
    };
    let begin = by.event(draft(log.clone(), NextLink::FIRST, Act::Principal(begin)));
    let add = PrincipalAct::DeviceAdd {
        device: device.device(),
        proof: agree_to_act_for(root.principal(), device, root.device()),
    };
    let link = NextLink::after(0, begin.id());
    let add = by.event(draft(log, link, Act::Principal(add)));
    vec![begin, add]
}

/// A Genesis, a grant to Ann, and its revocation.
fn authority(by: Author<'_>, seen: &[EventId]) -> Vec<Verified<Event>> {
    let genesis = by.event(EventDraft {
        frontiers: frontiers(&[], &[], seen),
        ..draft(
            LogId::Core(None),
            NextLink::FIRST,
            Act::Core(CoreAct::Genesis {
                nonce: [4; 16],
                controller: by.principal,
                recovery: RecoverySet::default(),
                policy: Policy::default(),
            }),
        )
    });
    let record = RecordId::from_bytes(*genesis.id().as_bytes());
    let log = LogId::Label(record, Label::general());
    let core = [genesis.id()];
    let grant = by.event(EventDraft {
        frontiers: frontiers(&core, &[], seen),
        ..draft(
            log.clone(),
            NextLink::FIRST,
            Act::Label(LabelAct::Grant(grant(ann().principal()))),
        )
    });
    let revoke = Revoke {
        link: Link::Grant(grant.id()),
        cut: Cut::Parts(CutRoot::from_bytes([7; 32])),
        keep: vec![],
        void: vec![],
        is_final: false,
    };
    let revoke = by.event(EventDraft {
        frontiers: frontiers(&core, &[grant.id()], seen),
        ..draft(
            log,
            NextLink::after(0, grant.id()),
            Act::Label(LabelAct::Revoke(revoke)),
        )
    });
    vec![genesis, grant, revoke]
}

fn grant(audience: PrincipalId) -> Grant {
    Grant {
        audience,
        sections: vec![Section::Allergies, Section::Medicines],
        actions: Actions::READ.union(Actions::APPEND),
        from_ms: TIME_MS,
        until_ms: None,
        purposes: Purposes::CARE,
        basis: Basis::Consent,
        depth: 0,
        parent: None,
        custodians: vec![by_id(30)],
    }
}

/// Six entries of one chain: five changes, and a word on an erased payload.
fn writing(by: Author<'_>, record: RecordId, events: &[Verified<Event>]) -> Vec<Entry> {
    let mut link = NextLink::FIRST;
    let mut entries = Vec::<Entry>::new();
    for n in 0..6_u8 {
        let draft = EntryDraft {
            record,
            document: document(),
            epoch: 0,
            link,
            deps: link.prev.into_iter().collect(),
            frontiers: frontiers(&[events[0].id()], &[events[1].id()], &[]),
            grant: None,
            purpose: Purposes::CARE,
            time_ms: TIME_MS + u64::from(n),
            actor_nonce: [n; 8],
        };
        let entry = if n == 5 {
            let erased = Content::Erased {
                entries: vec![entries[0].id()],
                reason: "asked for by the person".to_owned(),
            };
            by.entry(draft, erased, None)
        } else {
            by.change(draft, payload(n))
        };
        link = NextLink::after(u64::from(n), entry.id());
        entries.push(entry);
    }
    entries[0].payload = None;
    entries
}

fn payload(n: u8) -> Payload {
    Payload {
        salt: [n; 16],
        bytes: noise(n, 1500),
    }
}

/// In ascending order of their ids, as a bundle has them: one is empty.
fn attachments() -> Vec<Vec<u8>> {
    let mut all = vec![noise(40, 3000), vec![], noise(41, 700)];
    all.sort_by_key(|whole| *blake3::hash(whole).as_bytes());
    all
}

fn cut_part(record: RecordId, revoke: &Verified<Event>, last: &Entry) -> ProvenPart {
    let header = last.header.value();
    ProvenPart {
        revocation: revoke.id(),
        part: CutPart {
            record,
            place: CutPlace::Document(document()),
            chains: vec![CutPosition {
                device: header.device,
                epoch: header.epoch,
                seq: header.seq,
                id: EnvelopeId::from_bytes(*last.id().as_bytes()),
            }],
            documents: Vec::new(),
        },
        proof: PartProof::Issuer(vec![(Side::Left, CutRoot::from_bytes([10; 32]))]),
    }
}

fn draft(log: LogId, link: NextLink<EventId>, act: Act) -> EventDraft {
    EventDraft {
        log,
        link,
        frontiers: Frontiers::default(),
        grant: None,
        time_ms: TIME_MS,
        act,
    }
}

fn frontiers(core: &[EventId], label: &[EventId], principal: &[EventId]) -> Frontiers {
    Frontiers {
        core: core.to_vec(),
        label: label.to_vec(),
        principal: principal.to_vec(),
    }
}

pub fn document() -> DocumentId {
    DocumentId::first(Section::Medicines, Label::general())
}

fn by_id(byte: u8) -> PrincipalId {
    PrincipalId::from_bytes([byte; 32])
}

pub fn noise(seed: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}
