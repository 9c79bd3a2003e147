//! People and devices that leave a practice: what of theirs counts, here and elsewhere.

use std::path::Path;

use kith_protocol::{
    author::Author,
    consent::{
        Status,
        cut::{KeptTree, Leaves},
    },
    id::{EnvelopeId, RecordId, StaffId},
    identity::{SecretKey, agree_to_act_for},
    logs::{
        PrincipalAct,
        principal::RecoverySet,
        record::{Link, Policy},
    },
    record::{Pen, Record, event_item},
    store::{Item, Store},
};

use super::{
    super::{
        identity::RowKind,
        import, now_ms,
        peers::tests::{Place, copy},
    },
    Leaver,
};
use crate::{
    api::{
        Addition, BundleTo, ExportForm, ImportRequest, Keep, Leaving, NewStaff, Reply, Request,
        Retiring,
    },
    failure::Ending,
    home::{Home, Unlock},
    node::{Node, Role},
};

fn practice() -> Place {
    Place::of("Riverside", Role::Practice)
}

fn enters(place: &mut Place, name: &str) -> StaffId {
    let reply = place.does(Request::StaffAdd(NewStaff {
        name: name.to_owned(),
        role: "nurse".to_owned(),
        may: "see,add".to_owned(),
        until: None,
    }));
    let Reply::StaffAdded(line) = reply else {
        panic!("{reply:?}")
    };
    StaffId::from_hex(&line.id).expect("an id")
}

fn notes_as(node: &mut Node, record: RecordId, staff: &str) -> EnvelopeId {
    let request = Request::Add {
        record: record.to_string(),
        what: Addition::Note(format!("seen by {staff}")),
        staff: Some(staff.to_owned()),
    };
    let reply = node.handle(request, &mut |_| {}).expect("it is written");
    let Reply::Added(added) = reply else {
        panic!("{reply:?}")
    };
    EnvelopeId::from_hex(&added.entry).expect("an id")
}

fn ends(place: &mut Place, who: &str, keep: Keep) -> usize {
    let reply = place.does(Request::StaffEnd(Leaving {
        who: who.to_owned(),
        keep,
    }));
    let Reply::Left(left) = reply else {
        panic!("{reply:?}")
    };
    left.records
}

fn status(node: &mut Node, record: RecordId, entry: EnvelopeId) -> Status {
    let status = node.with_record(record, |_, record| Ok(record.ledger().status(&entry)));
    status.expect("a record").expect("it is held")
}

fn is_contested(status: &Status) -> bool {
    matches!(status, Status::Contested(_))
}

/// The same node as it was, as a laptop that somebody took home.
fn taken_home(place: Place, folder: &Path) -> (Place, Node) {
    let Place { node, folder: own } = place;
    drop(node);
    let (home, other) = (own.path().join("home"), folder.join("home"));
    copy(&home, &other);
    let open = |home: &Path| Node::open(&Home::at(home.to_owned()), &Unlock::KeyFile);
    let mut node = open(&home).expect("it opens");
    node.set_addresses(vec!["/ip4/127.0.0.1/tcp/1".to_owned()]);
    let place = Place { node, folder: own };
    (place, open(&other).expect("it opens"))
}

fn brings_back(laptop: &mut Node, record: RecordId, folder: &Path, to: &mut Place) {
    let path = folder.join(format!("{record}.kith"));
    let form = ExportForm::Bundle {
        path: path.clone(),
        to: BundleTo::Anyone,
    };
    let export = Request::Export {
        record: record.to_string(),
        form,
    };
    laptop.handle(export, &mut |_| {}).expect("a bundle");
    to.does(Request::Import(ImportRequest {
        paths: vec![path],
        ..ImportRequest::default()
    }));
}

#[test]
fn what_a_leaver_did_stays_everywhere_and_what_comes_later_is_contested() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut place, mut ada) = (practice(), Place::new("Ada"));
    enters(&mut place, "Sam");
    let records: Vec<_> = (0..12).map(|_| place.record()).collect();
    let (seen, unseen) = (records[3], records[7]);
    let before = notes_as(&mut place.node, seen, "Sam");
    place.invites(&mut ada, seen, "all", None);
    place.gives(&mut ada, seen);
    let (mut place, mut laptop) = taken_home(place, folder.path());
    assert_eq!(ends(&mut place, "Sam", Keep::All), records.len());
    let late = notes_as(&mut laptop, seen, "Sam");
    let elsewhere = notes_as(&mut laptop, unseen, "Sam");
    brings_back(&mut laptop, seen, folder.path(), &mut place);
    brings_back(&mut laptop, unseen, folder.path(), &mut place);
    place.gives(&mut ada, seen);
    for node in [&mut place.node, &mut ada.node] {
        assert_eq!(status(node, seen, before), Status::Accepted);
        let late = status(node, seen, late);
        assert!(is_contested(&late), "{late:?}");
    }
    let elsewhere = status(&mut place.node, unseen, elsewhere);
    assert!(is_contested(&elsewhere), "{elsewhere:?}");
    // Proofs are made again from what is on the disk.
    let (mut place, _) = taken_home(place, &folder.path().join("again"));
    assert_eq!(status(&mut place.node, seen, before), Status::Accepted);
    assert!(is_contested(&status(&mut place.node, seen, late)));
    let store = &place.node.store;
    let documents = store.documents(&seen).expect("documents").len();
    let logs = store.logs(&seen).expect("logs").len();
    let parts = place.node.parts_of(&seen).expect("parts").len();
    assert_eq!(parts, documents + logs, "one for each place");
}

#[test]
fn the_ends_of_chains_say_what_the_statuses_of_every_record_say() {
    let (mut place, mut ada) = (practice(), Place::new("Ada"));
    let records: Vec<_> = (0..40).map(|_| place.record()).collect();
    for (n, record) in records.iter().enumerate() {
        (0..n % 4).for_each(|_| place.notes(*record, "a note"));
    }
    place.invites(&mut ada, records[3], "all", Some("daily-care"));
    place.gives(&mut ada, records[3]);
    let device = place.node.device();
    let link = Link::Device(device);
    let mut all = std::collections::BTreeMap::new();
    for record in records {
        let parts = place.node.with_record(record, |_, record| {
            Ok(record.ledger().keep_everything(link))
        });
        all.insert(record, parts.expect("a record"));
    }
    let quick = place.node.what_stays(&Leaver {
        link,
        devices: std::iter::once(device).collect(),
        keep: Keep::All,
        awaited: Vec::new(),
    });
    let quick = quick.expect("a tree");
    assert_eq!(quick.records(), 40);
    assert_eq!(quick, KeptTree::of([Leaves::of(all.into_values())]));
}

#[test]
fn a_bundle_carries_what_a_leaver_keeps() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut place, mut other) = (practice(), Place::new("Ada"));
    enters(&mut place, "Sam");
    let record = place.record();
    let before = notes_as(&mut place.node, record, "Sam");
    ends(&mut place, "Sam", Keep::All);
    brings_back(&mut place.node, record, folder.path(), &mut other);
    assert_eq!(status(&mut other.node, record, before), Status::Accepted);
}

#[test]
fn nothing_after_a_date_is_kept_where_that_is_asked_for() {
    let mut place = practice();
    enters(&mut place, "Sam");
    enters(&mut place, "Kim");
    let record = place.record();
    let before = notes_as(&mut place.node, record, "Sam");
    std::thread::sleep(std::time::Duration::from_millis(5));
    let date_ms = now_ms();
    std::thread::sleep(std::time::Duration::from_millis(5));
    let after = notes_as(&mut place.node, record, "Sam");
    let colleague = notes_as(&mut place.node, record, "Kim");
    ends(&mut place, "Sam", Keep::NoneAfter(date_ms));
    assert_eq!(status(&mut place.node, record, before), Status::Accepted);
    assert_eq!(status(&mut place.node, record, colleague), Status::Accepted);
    // A colleague wrote on top of it, so it is shown, with a mark.
    let after = status(&mut place.node, record, after);
    assert!(matches!(after, Status::Marked(_)), "{after:?}");
}

#[test]
fn who_left_writes_nothing_more_and_leaves_once() {
    let mut place = practice();
    enters(&mut place, "Sam");
    let record = place.record();
    ends(&mut place, "Sam", Keep::All);
    let again = Request::StaffEnd(Leaving {
        who: "Sam".to_owned(),
        keep: Keep::All,
    });
    place.node.handle(again, &mut |_| {}).expect_err("once");
    let write = Request::Add {
        record: record.to_string(),
        what: Addition::Note("more".to_owned()),
        staff: Some("Sam".to_owned()),
    };
    let refused = place.node.handle(write, &mut |_| {}).expect_err("ended");
    assert_eq!(refused.ending, Ending::NotAllowed);
    // The name is free again.
    enters(&mut place, "Sam");
    notes_as(&mut place.node, record, "Sam");
    let Reply::Staff(list) = place.does(Request::StaffList) else {
        panic!("a list")
    };
    let states: Vec<_> = list.staff.iter().map(|line| line.state.as_str()).collect();
    assert_eq!(states, ["ended", "active"]);
}

#[test]
fn a_person_has_no_staff() {
    let mut place = Place::new("Ada");
    let request = Request::StaffAdd(NewStaff {
        name: "Sam".to_owned(),
        role: "nurse".to_owned(),
        may: "see".to_owned(),
        until: None,
    });
    let refused = place.node.handle(request, &mut |_| {}).expect_err("no");
    assert_eq!(refused.ending, Ending::Usage);
}

/// Adds a second device to the practice, which begins a record of its own.
fn second_device(node: &mut Node) -> (SecretKey, RecordId, EnvelopeId) {
    let key = SecretKey::from_seed([7; 32]);
    let proof = agree_to_act_for(
        node.identity.principal,
        &key,
        node.identity.adding_key().device(),
    );
    let act = PrincipalAct::DeviceAdd {
        device: key.device(),
        proof,
    };
    let added = node.sign_own(now_ms(), act).expect("an event");
    node.commit(vec![event_item(&added)]).expect("a commit");
    node.loaded.clear();
    let pen = Pen {
        author: Author {
            principal: node.identity.principal,
            key: &key,
            staff: None,
        },
        nonce: [3; 8],
        time_ms: now_ms(),
    };
    let log = node.principal_log().expect("a log");
    let mut rng = node.rng.clone();
    let (recovery, policy) = (RecoverySet::default(), Policy::default());
    let (mut record, genesis) = Record::begin(&pen, &log, recovery, policy, &mut rng);
    let mut items = vec![genesis];
    let what = Addition::Note("from the second device".to_owned());
    let (document, resource, _) = node.addition(what, None, now_ms()).expect("a note");
    let edits = [(document, vec![kith_crdt::Edit::Create(resource)])].into();
    import::write_all(&mut record, &pen, edits, &mut items, &mut rng).expect("it is written");
    let entry = items.iter().find_map(|item| match item {
        Item::Entry { id, .. } => Some(*id),
        Item::Event { .. } | Item::Part { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    });
    node.commit(items).expect("a commit");
    (key, record.id(), entry.expect("an entry"))
}

#[test]
fn a_record_that_a_retired_device_began_stays_with_all_that_hangs_on_it() {
    let mut place = practice();
    let (key, record, by_it) = second_device(&mut place.node);
    let known = super::super::people::Known::default();
    let row = place.node.people.note(record, known);
    place.node.commit(vec![row]).expect("a commit");
    place.notes(record, "by the first device");
    let devices = |place: &mut Place| {
        let Reply::Devices(list) = place.does(Request::DeviceList) else {
            panic!("a list")
        };
        list.devices
    };
    assert_eq!(devices(&mut place).len(), 2);
    let retire = |who: String| {
        let leaving = Leaving {
            who,
            keep: Keep::All,
        };
        Request::DeviceRetire(Retiring {
            leaving,
            sheet: None,
        })
    };
    let own = place.node.device().to_string();
    let refused = place.node.handle(retire(own), &mut |_| {});
    assert_eq!(refused.expect_err("in use").ending, Ending::Usage);
    place.does(retire(key.device().to_string()));
    assert_eq!(status(&mut place.node, record, by_it), Status::Accepted);
    place.notes(record, "and afterwards");
    let statuses = place.node.with_record(record, |_, record| {
        let ledger = record.ledger();
        let documents = ledger.documents();
        let all = documents
            .iter()
            .flat_map(|document| ledger.entries(document));
        Ok(all.map(|(_, status)| status).collect::<Vec<_>>())
    });
    let statuses = statuses.expect("a record");
    assert_eq!(statuses, vec![Status::Accepted; 3]);
    let state = |line: &crate::api::DeviceLine| (line.is_this, line.state.clone());
    let states: Vec<_> = devices(&mut place).iter().map(state).collect();
    assert_eq!(
        states,
        [(true, "active".to_owned()), (false, "retired".to_owned())]
    );
}

#[test]
fn a_stop_that_comes_from_elsewhere_has_the_record_looked_at_when_somebody_leaves() {
    let (mut patient, mut place) = (Place::new("Ada"), practice());
    let record = patient.record();
    patient.invites(&mut place, record, "all", Some("daily-care"));
    patient.gives(&mut place, record);
    enters(&mut place, "Sam Field");
    let entry = notes_as(&mut place.node, record, "Sam Field");
    place.gives(&mut patient, record);
    let doubted = |place: &Place| {
        let key = RowKind::Doubtful.key(record.as_bytes());
        place.node.store.row(&key).expect("a look").is_some()
    };
    assert!(!doubted(&place));
    patient.does(Request::Stop {
        record: record.to_string(),
        share: place.node.principal().to_string(),
        keep: Keep::NoneAfter(1),
        keep_shared_on: false,
    });
    patient.gives(&mut place, record);
    assert!(is_contested(&status(&mut place.node, record, entry)));
    assert!(
        doubted(&place),
        "its chain's end no longer says what stands"
    );
}
