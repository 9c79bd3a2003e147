//! Two nodes and what a curious or hostile one of them gets.

use std::{collections::VecDeque, path::Path};

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::{
    author::{Author, EntryDraft, EventDraft},
    codec,
    consent::grant::{Actions, Basis, Grant, Purposes},
    envelope::{Content, Payload},
    id::{BlobId, DeviceId, PrincipalId, RecordId},
    intake,
    logs::{Act, Event, Frontiers, LabelAct, LogId},
    record::Record,
    signed::Verified,
    store::Store,
    sync::{
        Carried, Engine, Input, JournalId, Kind, LinkId, Message, OfRecord, Output, SYNC_VERSION,
    },
};
use tempfile::TempDir;

use crate::{
    api::{Addition, ImportRequest, Keep, NewPerson, Reply, Request, ShareRequest, ShareTerms},
    home::{Home, Unlock},
    node::{Node, Role, meet, now_ms},
};

pub(in crate::node) struct Place {
    pub(in crate::node) node: Node,
    pub(in crate::node) folder: TempDir,
}

/// A folder with everything in it.
pub(in crate::node) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

impl Place {
    pub(in crate::node) fn new(name: &str) -> Self {
        Self::of(name, Role::Person)
    }

    pub(in crate::node) fn of(name: &str, role: Role) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        Node::set_up(&home, name, role, &Unlock::KeyFile).expect("a node");
        let mut node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
        node.set_addresses(vec!["/ip4/127.0.0.1/tcp/1".to_owned()]);
        Self { node, folder }
    }

    pub(in crate::node) fn does(&mut self, request: Request) -> Reply {
        self.node.handle(request, &mut |_| {}).expect("it is done")
    }

    pub(in crate::node) fn record(&mut self) -> RecordId {
        let person = NewPerson {
            family: "Quince".to_owned(),
            given: vec!["Ada".to_owned()],
            ..NewPerson::default()
        };
        let reply = self.does(Request::RecordNew(person));
        let Reply::RecordNew(made) = reply else {
            panic!("{reply:?}")
        };
        RecordId::from_hex(&made.record).expect("an id")
    }

    pub(in crate::node) fn notes(&mut self, record: RecordId, text: &str) {
        self.does(Request::Add {
            record: record.to_string(),
            what: Addition::Note(text.to_owned()),
            staff: None,
        });
    }

    fn imports(&mut self, record: RecordId, json: &str) {
        let file = self.folder.path().join("file.json");
        std::fs::write(&file, json).expect("a file");
        self.does(Request::Import(ImportRequest {
            paths: vec![file],
            record: Some(record.to_string()),
            ..ImportRequest::default()
        }));
    }

    pub(in crate::node) fn invites(
        &mut self,
        guest: &mut Self,
        record: RecordId,
        see: &str,
        add: Option<&str>,
    ) {
        let shared = self.does(Request::Share(ShareRequest {
            record: record.to_string(),
            see: see.to_owned(),
            add: add.map(str::to_owned),
            change: None,
            until: "2999-01-01".to_owned(),
            confirm: false,
            terms: ShareTerms::default(),
        }));
        let Reply::Shared(shared) = shared else {
            panic!("{shared:?}")
        };
        meet(&mut self.node, &mut guest.node, &shared.link).expect("they meet");
    }

    /// Talks with the other until both are silent: the batches that it sent.
    pub(in crate::node) fn gives(&mut self, other: &mut Self, record: RecordId) -> Vec<Batch> {
        let (ours, theirs) = (self.node.device(), other.node.device());
        let mut engines = [self.engine(), other.engine()];
        let link = LinkId(1);
        let mut told = VecDeque::from([(0, connected(theirs, true)), (1, connected(ours, false))]);
        let mut batches = Vec::new();
        while let Some((to, input)) = told.pop_front() {
            let node = if to == 0 {
                &mut self.node
            } else {
                &mut other.node
            };
            engines[to].handle(node, input, now_ms()).expect("a store");
            while let Some(output) = engines[to].poll_output() {
                match output {
                    Output::Send { frame, .. } => {
                        if to == 0 {
                            batches.extend(batch_of_frame(&frame, record));
                        }
                        told.push_back((1 - to, Input::Received { link, frame }));
                        told.push_back((to, Input::Sent { link }));
                    }
                    Output::Close { .. } => told.push_back((1 - to, Input::Lost { link })),
                    Output::Dial { .. } | Output::Tell(_) => {}
                }
            }
        }
        batches
    }

    fn engine(&mut self) -> Engine {
        Engine::new(&mut self.node, [5; 32], now_ms()).expect("an engine")
    }

    /// Hears items as if `from` had sent them, and says what it answers.
    fn hears(&mut self, from: DeviceId, record: RecordId, items: Vec<Carried>) -> Vec<Message> {
        let mut engine = self.engine();
        let hello = Message::Hello {
            version: SYNC_VERSION,
            features: 0,
            journal: JournalId([1; 16]),
            held: None,
        };
        let items = Message::Items {
            through: 1,
            batches: vec![OfRecord { record, items }],
        };
        let words = [hello, Message::Ready { resumes: true }, items];
        let link = LinkId(1);
        let frames = words.iter().map(|word| Input::Received {
            link,
            frame: codec::encode(word),
        });
        let mut answers = Vec::new();
        for input in std::iter::once(connected(from, false)).chain(frames) {
            let mut next = Some(input);
            while let Some(input) = next.take() {
                engine
                    .handle(&mut self.node, input, now_ms())
                    .expect("a store");
                while let Some(output) = engine.poll_output() {
                    if let Output::Send { frame, .. } = output {
                        answers.extend(codec::decode(&frame));
                        next = Some(Input::Sent { link });
                    }
                }
            }
        }
        answers
    }

    fn attachments(&mut self, record: RecordId) -> usize {
        let with = self.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            let named = placed
                .iter()
                .flat_map(|placed| &placed.held.meta.attachments);
            let ids = named.filter_map(|named| BlobId::from_hex(&named.blob));
            let mut held = 0;
            for id in ids.collect::<Vec<_>>() {
                held += usize::from(node.store.blob(&id)?.is_some());
            }
            Ok(held)
        });
        with.expect("a record")
    }
}

/// What was sent of a record in one go.
pub(in crate::node) struct Batch(Vec<Carried>);

fn batch_of_frame(frame: &[u8], of: RecordId) -> Option<Batch> {
    let Ok(Message::Items { batches, .. }) = codec::decode(frame) else {
        return None;
    };
    let batches = batches.into_iter().filter(|batch| batch.record == of);
    let items: Vec<_> = batches.flat_map(|batch| batch.items).collect();
    (!items.is_empty()).then_some(Batch(items))
}

const fn connected(device: DeviceId, is_caller: bool) -> Input {
    Input::Connected {
        link: LinkId(1),
        device,
        is_caller,
    }
}

fn events(batches: &[Batch]) -> Vec<LogId> {
    let items = batches.iter().flat_map(|batch| &batch.0);
    let events = items.filter(|item| item.kind == Kind::Event);
    let events = events.filter_map(|item| intake::event(&item.bytes).ok());
    events.map(|event| event.value().log.clone()).collect()
}

fn entries(batches: &[Batch]) -> usize {
    let items = batches.iter().flat_map(|batch| &batch.0);
    items.filter(|item| item.kind == Kind::Entry).count()
}

/// An event that `place` signs in a label's log, whether or not it may.
fn forged(place: &Place, record: RecordId, label: Label, author: PrincipalId) -> Verified<Event> {
    let me = place.node.principal();
    let draft = EventDraft {
        log: LogId::Label(record, label),
        link: kith_protocol::author::NextLink::FIRST,
        frontiers: Frontiers::default(),
        grant: None,
        time_ms: 1,
        act: Act::Label(LabelAct::Grant(Grant {
            audience: me,
            sections: vec![Section::Identity],
            actions: Actions::READ,
            from_ms: 0,
            until_ms: None,
            purposes: Purposes::CARE,
            basis: Basis::Consent,
            depth: 0,
            parent: None,
            custodians: Vec::new(),
        })),
    };
    let signer = Author {
        principal: author,
        key: &place.node.identity.device,
        staff: None,
    };
    signer.event(draft)
}

fn carried(event: &Verified<Event>) -> Vec<Carried> {
    vec![Carried {
        kind: Kind::Event,
        bytes: event.bytes().to_vec(),
    }]
}

/// A medicine, and a letter whose attachment stays outside the document.
fn letter() -> String {
    let data = data_encoding::BASE64.encode(&vec![7; 40_000]);
    format!(
        r#"{{"resourceType":"DocumentReference","status":"current","content":[{{"attachment":{{"contentType":"text/plain","data":"{data}"}}}}]}}"#
    )
}

#[test]
fn a_record_longer_than_one_disclosure_arrives_whole() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    for n in 0_u8..12 {
        let text: String = (0..40_000_u32)
            .map(|k| char::from(b'a' + u8::try_from((k * k + u32::from(n) * k) % 23).unwrap_or(0)))
            .collect();
        host.notes(record, &text);
    }
    host.notes(record, &"one long note ".repeat(40_000));
    host.invites(&mut guest, record, "all", None);
    let batches = host.gives(&mut guest, record);
    assert!(batches.len() > 2);
    // The person, thirteen notes, and the name cards of both.
    assert_eq!(entries(&batches), 15);
}

#[test]
fn an_attachment_that_did_not_arrive_is_asked_for_again() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.imports(record, &letter());
    host.invites(&mut guest, record, "all", None);
    let held = host.node.home.folder().join("store").join("blobs");
    let away = host.folder.path().join("away");
    std::fs::rename(&held, &away).expect("the blobs are put away");
    host.gives(&mut guest, record);
    assert_eq!(guest.attachments(record), 0);
    std::fs::remove_dir_all(&held).unwrap_or_default();
    std::fs::rename(&away, &held).expect("and put back");
    host.gives(&mut guest, record);
    assert_eq!(guest.attachments(record), 1);
}

#[test]
fn a_grant_to_oneself_opens_no_log_of_a_label() {
    let (mut host, mut guest, mut other) = (Place::new("R"), Place::new("S"), Place::new("O"));
    let record = host.record();
    host.invites(&mut guest, record, "medicines:general", None);
    host.invites(&mut other, record, "medicines:sexual-health", None);
    let first = host.gives(&mut guest, record);
    let closed = Label::sexual_health();
    let own = forged(&guest, record, closed.clone(), guest.node.principal());
    host.hears(guest.node.device(), record, carried(&own));
    let closed = LogId::Label(record, closed);
    assert!(
        host.node.store.has_event(&own.id()).expect("an answer"),
        "it was taken in"
    );
    let second = host.gives(&mut guest, record);
    assert!(!events(&first).contains(&closed));
    assert!(!events(&second).contains(&closed));
}

#[test]
fn naming_someone_as_author_does_not_fetch_their_log() {
    let (mut host, mut guest, mut victim) = (Place::new("R"), Place::new("S"), Place::new("V"));
    let (record, elsewhere) = (host.record(), host.record());
    host.invites(&mut victim, elsewhere, "all", None);
    host.invites(&mut guest, record, "all", None);
    host.gives(&mut guest, record);
    let forged = forged(&guest, record, Label::general(), victim.node.principal());
    host.hears(guest.node.device(), record, carried(&forged));
    let given = host.gives(&mut guest, record);
    let log = LogId::Principal(victim.node.principal());
    assert!(!events(&given).contains(&log));
    assert!(guest.node.store.events(&log).expect("a look").is_empty());
}

#[test]
fn naming_a_record_as_shared_gives_nothing_of_it() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let private = guest.record();
    let shared = host.record();
    host.invites(&mut guest, shared, "all", None);
    // The host claims that what it shares is the guest's own record.
    let items = guest
        .node
        .note_peer(host.node.principal(), |known| {
            let mut peer = known.expect("the host is known");
            peer.records.insert(private);
            peer
        })
        .expect("rows");
    guest.node.commit(items).expect("noted");
    let given = guest.gives(&mut host, private);
    assert!(given.is_empty(), "nothing of it");
    // And it writes nothing into it.
    let event = forged(&host, private, Label::general(), host.node.principal());
    let before = guest.node.store.logs(&private).expect("logs");
    guest.hears(host.node.device(), private, carried(&event));
    assert_eq!(guest.node.store.logs(&private).expect("logs"), before);
}

#[test]
fn whoever_was_stopped_hears_of_the_end_and_of_nothing_after_it() {
    let (mut host, mut guest, mut later) = (Place::new("R"), Place::new("S"), Place::new("L"));
    let record = host.record();
    host.notes(record, "before");
    host.invites(&mut guest, record, "all", None);
    host.gives(&mut guest, record);
    host.does(Request::Stop {
        record: record.to_string(),
        share: guest.node.principal().to_string(),
        keep: Keep::All,
        keep_shared_on: false,
    });
    host.notes(record, "after");
    host.invites(&mut later, record, "all", None);
    let batches = host.gives(&mut guest, record);
    assert_eq!(entries(&batches), 0);
    assert!(!events(&batches).is_empty(), "the revocations");
    let named = guest.node.store.logs(&record).expect("logs");
    for log in named {
        for (_, bytes) in guest.node.store.events(&log).expect("events") {
            let act = super::event_of(&bytes).map(|event| event.act);
            let later = later.node.principal();
            assert!(
                !matches!(act, Some(Act::Label(LabelAct::Grant(grant))) if grant.audience == later)
            );
        }
    }
}

#[test]
fn an_attachment_that_nobody_asked_for_ends_the_conversation() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.invites(&mut guest, record, "all", Some("letters"));
    let bytes = vec![1; 100_000];
    let id = BlobId::from_bytes(*blake3::hash(&bytes).as_bytes());
    let mut engine = host.engine();
    let words = [
        Message::Hello {
            version: SYNC_VERSION,
            features: 0,
            journal: JournalId([1; 16]),
            held: None,
        },
        Message::Ready { resumes: true },
        Message::Piece {
            blob: id,
            piece: 0,
            bytes: serde_bytes::ByteBuf::from(bytes),
        },
    ];
    let link = LinkId(1);
    let frames = words.iter().map(|word| Input::Received {
        link,
        frame: codec::encode(word),
    });
    let inputs = std::iter::once(connected(guest.node.device(), false)).chain(frames);
    for input in inputs {
        engine
            .handle(&mut host.node, input, now_ms())
            .expect("a store");
    }
    let closes = std::iter::from_fn(|| engine.poll_output())
        .any(|output| matches!(output, Output::Close { .. }));
    assert!(closes);
    assert_eq!(host.node.store.blob(&id).expect("a look"), None);
}

#[test]
fn every_link_stands_before_its_batch_leaves() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.notes(record, "something");
    host.invites(&mut guest, record, "all", None);
    let before = host.node.store.audit().expect("the access log").len();
    assert!(entries(&host.gives(&mut guest, record)) > 0);
    let place = host.folder;
    drop(host.node);
    let home = Home::at(place.path().join("home"));
    let again = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    assert!(again.store.audit().expect("the access log").len() > before);
}

#[test]
fn an_epoch_that_ended_goes_to_those_with_whom_it_was_shared_and_to_nobody_later() {
    let (mut host, mut before, mut after) = (
        Place::new("Riverside"),
        Place::new("Sam"),
        Place::new("Kim"),
    );
    let record = host.record();
    host.notes(record, "Slept well");
    host.invites(&mut before, record, "all", None);
    let begun = host.node.with_record(record, |node, record| {
        let (who, mut rng) = (node.whoever(), node.rng.clone());
        let pen = node.pen(now_ms());
        let mut items = Vec::new();
        for document in record.ledger().documents() {
            let begun = crate::node::epochs::begin_anew(record, &pen, &who, &document, &mut rng);
            items.extend(begun);
        }
        node.rng = rng;
        let begun = items.len();
        node.commit(items)?;
        Ok(begun)
    });
    // The person, the notes, and the circle with the name cards.
    assert_eq!(begun.expect("it is begun anew"), 3);
    host.invites(&mut after, record, "all", None);
    host.gives(&mut before, record);
    host.gives(&mut after, record);

    let epochs = |place: &Place| {
        let held = place.node.store.documents(&record).expect("documents");
        held.iter().map(|id| id.epoch > 0).collect::<Vec<_>>()
    };
    assert_eq!(epochs(&host), [false, true, false, true, false, true]);
    assert_eq!(epochs(&before), [false, true, false, true, false, true]);
    assert_eq!(epochs(&after), [true, true, true]);
    let read = |place: &mut Place| {
        let read = place.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            Ok(placed
                .iter()
                .map(|placed| placed.held.to_text(0))
                .collect::<Vec<_>>())
        });
        read.expect("it is read")
    };
    let whole = read(&mut host);
    // The person, a note, and the cards of all three.
    assert_eq!(whole.len(), 5);
    assert_eq!(read(&mut before), whole);
    assert_eq!(read(&mut after), whole);
}

#[test]
fn who_can_only_add_puts_nothing_out_of_sight_by_beginning_an_epoch() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.notes(record, "Must never be hidden");
    host.invites(&mut guest, record, "all", Some("daily-care"));
    host.gives(&mut guest, record);

    let from = DocumentId::first(Section::DailyCare, Label::general());
    let to = DocumentId {
        epoch: 9,
        ..from.clone()
    };
    let (store, me) = (&guest.node.store, guest.node.whoever());
    let mut held = Record::load(store, record, me.device).expect("a record");
    held.load_principals(store, [me.principal])
        .expect("its log");
    let decided = held
        .ledger()
        .decide_write(&me, &to, Actions::APPEND, Purposes::CARE, now_ms());
    let writer = decided.expect("the guest may add");
    let pen = guest.node.pen(now_ms());
    let refused = held.begin_epoch(&pen, &writer, &mut guest.node.rng.clone());
    assert!(refused.is_err(), "kith itself does not sign such a thing");

    let nonce = [9; 8];
    let actor = kith_protocol::author::actor(record, &to, me.device, 0, nonce);
    let mut only = kith_crdt::Document::new();
    let value = crate::node::add::note("Only this", "2026-11-24T10:00:00Z");
    let note = kith_crdt::Edit::Create(crate::node::add::resource(&value, &to, 7));
    only.write(kith_crdt::Actor([1; 16]), 1, &[note])
        .expect("a note");
    let carried = only.carry_over(actor, 1, &std::collections::BTreeMap::new());
    let payload = Payload {
        salt: [0; 16],
        bytes: carried.expect("one resource").1.bytes,
    };
    let content = Content::CarryOver {
        payload: payload.reference(),
        from: from.clone(),
        heads: held.ledger().heads(&from),
    };
    let draft = EntryDraft {
        record,
        document: to.clone(),
        epoch: 0,
        link: kith_protocol::author::NextLink::FIRST,
        deps: Vec::new(),
        frontiers: held.ledger().frontiers(&to.label, &me.principal),
        grant: writer.grant(),
        purpose: Purposes::CARE,
        time_ms: now_ms(),
        actor_nonce: nonce,
    };
    let entry = pen.author.entry(draft, content, Some(payload));
    let id = entry.id();
    let from_device = guest.node.device();
    let carried = Carried {
        kind: Kind::Entry,
        bytes: codec::encode(&entry.into_envelope()),
    };
    host.hears(from_device, record, vec![carried]);
    let (status, texts) = host
        .node
        .with_record(record, |node, record| {
            let status = record.ledger().status(&id);
            let placed = node.read_all(record)?;
            let late = placed.iter().filter(|placed| placed.late).count();
            assert!(late <= 1, "what was there is where it was");
            let text = |placed: &kith_protocol::record::Placed| placed.held.to_text(0);
            Ok((status, placed.iter().map(text).collect::<String>()))
        })
        .expect("a record");
    assert_eq!(status, Some(kith_protocol::consent::Status::Accepted));
    assert!(texts.contains("Must never be hidden"));
    assert!(texts.contains("Only this"));
    host.notes(record, "Written after");
    let documents = host.node.store.documents(&record).expect("documents");
    assert_eq!(documents.iter().filter(|id| id.epoch == 9).count(), 1);
    let daily = host.node.store.entries(&record, &from).expect("entries");
    assert_eq!(
        daily.len(),
        2,
        "the owner writes on where everything stands"
    );
}

#[test]
fn whose_a_device_is_follows_what_is_noted() {
    let (mut host, mut guest) = (Place::new("Ben"), Place::new("Ada"));
    let record = host.record();
    host.invites(&mut guest, record, "all", None);
    let (principal, device) = (guest.node.principal(), guest.node.device());
    let whose = |host: &Place, device| {
        let found = host.node.peer_of(device).expect("a look");
        found.map(|(principal, _)| principal)
    };
    for _ in 0..2 {
        assert_eq!(whose(&host, device), Some(principal));
    }
    let new = DeviceId::from_bytes([9; 32]);
    assert_eq!(whose(&host, new), None);
    let noted = host.node.note_peer(principal, |known| super::Peer {
        device: new,
        ..known.expect("it is known")
    });
    let noted = noted.expect("rows");
    host.node.commit(noted).expect("a commit");
    assert_eq!(whose(&host, device), None);
    assert_eq!(whose(&host, new), Some(principal));
}
