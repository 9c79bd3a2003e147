//! Two nodes and what a curious or hostile one of them gets.

use kith_crdt::{Label, Section};
use kith_protocol::{
    author::{Author, EventDraft},
    consent::grant::{Actions, Basis, Grant, Purposes},
    id::{PrincipalId, RecordId},
    logs::{Act, Frontiers, LabelAct, LogId},
    record::event_item,
    store::{Item, Store},
};
use tempfile::TempDir;

use super::{Batch, Have};
use crate::{
    api::{Addition, ImportRequest, Keep, NewPerson, Reply, Request, ShareRequest},
    home::{Home, Unlock},
    node::{Invited, Node, Role},
};

pub(in crate::node) struct Place {
    pub(in crate::node) node: Node,
    pub(in crate::node) folder: TempDir,
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
            until: "2999-01-01".to_owned(),
        }));
        let Reply::Shared(shared) = shared else {
            panic!("{shared:?}")
        };
        let invited: Invited = shared.link.parse().expect("a link");
        let ask = guest.node.ask(&invited).expect("a question");
        let answer = self
            .node
            .accept(guest.node.device(), &ask)
            .expect("an answer");
        guest.node.welcomed(&invited, answer).expect("welcome");
    }

    /// Gives the other all that it may see and does not have.
    pub(in crate::node) fn gives(&mut self, other: &mut Self, record: RecordId) -> Vec<Batch> {
        let (from, to) = (self.node.device(), other.node.device());
        let mut have = other.node.have(from, record).expect("what is held");
        let mut batches = Vec::new();
        loop {
            let batch = self.node.batch(to, record, &have).expect("a batch");
            have.include(&batch);
            other.node.take(from, record, &batch).expect("it is taken");
            let is_last = batch.is_last;
            batches.push(batch);
            if is_last {
                return batches;
            }
        }
    }

    fn asked_for(&mut self, other: &Self, record: RecordId) -> Batch {
        let to = other.node.device();
        let batch = self.node.batch(to, record, &Have::default());
        batch.expect("a batch")
    }

    fn attachments(&mut self, record: RecordId) -> usize {
        let with = self.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            let named = placed
                .iter()
                .flat_map(|placed| &placed.held.meta.attachments);
            let ids = named.filter_map(|named| super::BlobId::from_hex(&named.blob));
            let mut held = 0;
            for id in ids.collect::<Vec<_>>() {
                held += usize::from(node.store.blob(&id)?.is_some());
            }
            Ok(held)
        });
        with.expect("a record")
    }
}

fn events(batch: &Batch) -> Vec<&LogId> {
    let events = batch.items.iter().filter_map(|item| match item {
        Item::Event { log, .. } => Some(log),
        Item::Entry { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    });
    events.collect()
}

fn entries(batch: &Batch) -> usize {
    let entry = |item: &&Item| matches!(item, Item::Entry { .. });
    batch.items.iter().filter(entry).count()
}

/// An event that `place` signs in a label's log, whether or not it may.
fn forged(place: &Place, record: RecordId, label: Label, author: PrincipalId) -> Item {
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
    event_item(&signer.event(draft))
}

fn batch_of(items: Vec<Item>) -> Batch {
    Batch {
        items,
        blobs: Vec::new(),
        is_last: true,
    }
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
    assert_eq!(batches.iter().map(entries).sum::<usize>(), 14);
}

#[test]
fn an_attachment_that_did_not_arrive_is_asked_for_again() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.imports(record, &letter());
    host.invites(&mut guest, record, "all", None);
    let mut first = host.asked_for(&guest, record);
    assert_eq!(first.blobs.len(), 1);
    first.blobs.clear();
    guest
        .node
        .take(host.node.device(), record, &first)
        .expect("taken");
    assert_eq!(guest.attachments(record), 0);
    host.gives(&mut guest, record);
    assert_eq!(guest.attachments(record), 1);
}

#[test]
fn a_grant_to_oneself_opens_no_log_of_a_label() {
    let (mut host, mut guest, mut other) = (Place::new("R"), Place::new("S"), Place::new("O"));
    let record = host.record();
    host.invites(&mut guest, record, "medicines:general", None);
    host.invites(&mut other, record, "medicines:sexual-health", None);
    host.gives(&mut guest, record);
    let closed = Label::sexual_health();
    let own = forged(&guest, record, closed.clone(), guest.node.principal());
    guest
        .node
        .commit(vec![own.clone()])
        .expect("on its own disk");
    host.node
        .take(guest.node.device(), record, &batch_of(vec![own]))
        .expect("heard");
    let batch = host.asked_for(&guest, record);
    let closed = LogId::Label(record, closed);
    assert!(!events(&batch).contains(&&closed));
    let have = host.node.have(guest.node.device(), record).expect("held");
    assert_eq!(have.events.len(), events(&batch).len());
}

#[test]
fn naming_someone_as_author_does_not_fetch_their_log() {
    let (mut host, mut guest, mut victim) = (Place::new("R"), Place::new("S"), Place::new("V"));
    let (record, elsewhere) = (host.record(), host.record());
    host.invites(&mut victim, elsewhere, "all", None);
    host.invites(&mut guest, record, "all", None);
    host.gives(&mut guest, record);
    let forged = forged(&guest, record, Label::general(), victim.node.principal());
    host.node
        .take(guest.node.device(), record, &batch_of(vec![forged]))
        .expect("heard");
    let batch = host.asked_for(&guest, record);
    let log = LogId::Principal(victim.node.principal());
    assert!(!events(&batch).contains(&&log));
}

#[test]
fn naming_a_record_as_shared_gives_nothing_of_it() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let private = guest.record();
    let shared = host.record();
    host.invites(&mut guest, shared, "all", None);
    // The host claims that what it shares is the guest's own record.
    let item = guest
        .node
        .note_peer(host.node.principal(), |known| {
            let mut peer = known.expect("the host is known");
            peer.records.insert(private);
            peer
        })
        .expect("a row");
    guest.node.commit(vec![item]).expect("noted");
    let host_device = host.node.device();
    let have = guest.node.have(host_device, private).expect("held");
    assert_eq!(have, Have::default());
    assert!(guest.asked_for(&host, private).is_empty());
    let unknown = RecordId::from_bytes([9; 32]);
    assert_eq!(
        guest.asked_for(&host, unknown),
        guest.asked_for(&host, private)
    );
    // And it writes nothing into it.
    let event = forged(&host, private, Label::general(), host.node.principal());
    let before = guest.node.store.logs(&private).expect("logs");
    guest
        .node
        .take(host_device, private, &batch_of(vec![event]))
        .expect("heard");
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
    });
    host.notes(record, "after");
    host.invites(&mut later, record, "all", None);
    let batches = host.gives(&mut guest, record);
    assert_eq!(batches.iter().map(entries).sum::<usize>(), 0);
    assert!(batches.iter().all(|batch| batch.blobs.is_empty()));
    let heard: usize = batches.iter().map(|batch| events(batch).len()).sum();
    assert!(heard > 0, "the revocations");
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
fn attachments_that_nothing_names_are_not_kept() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.invites(&mut guest, record, "all", Some("letters"));
    host.gives(&mut guest, record);
    let mut batch = batch_of(Vec::new());
    batch
        .blobs
        .push(serde_bytes::ByteBuf::from(vec![1; 100_000]));
    host.node
        .take(guest.node.device(), record, &batch)
        .expect("heard");
    let id = super::blob_id(&batch.blobs[0]);
    assert_eq!(host.node.store.blob(&id).expect("a look"), None);
}

#[test]
fn rows_and_links_of_the_access_log_are_never_taken() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.invites(&mut guest, record, "all", None);
    let audit = host.node.store.audit().expect("the access log").len();
    let items = vec![
        Item::Audit { bytes: vec![1] },
        super::row(super::RowKind::Peers, b"x", &1),
    ];
    host.node
        .take(guest.node.device(), record, &batch_of(items))
        .expect("heard");
    assert_eq!(
        host.node.store.audit().expect("the access log").len(),
        audit
    );
    assert_eq!(host.node.peers().expect("peers").len(), 1);
}

#[test]
fn every_link_stands_before_its_batch_leaves() {
    let (mut host, mut guest) = (Place::new("Riverside"), Place::new("Sam"));
    let record = host.record();
    host.notes(record, "something");
    host.invites(&mut guest, record, "all", None);
    let before = host.node.store.audit().expect("the access log").len();
    assert!(entries(&host.asked_for(&guest, record)) > 0);
    let place = host.folder;
    drop(host.node);
    let home = Home::at(place.path().join("home"));
    let again = Node::open(&home, &Unlock::KeyFile).expect("it opens");
    assert!(again.store.audit().expect("the access log").len() > before);
}
