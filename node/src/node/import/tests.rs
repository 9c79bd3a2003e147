use std::{collections::BTreeSet, path::PathBuf};

use kith_protocol::id::RecordId;
use tempfile::TempDir;

use super::GROUP_FILES;
use crate::{
    api::{
        Alike, ExportForm, ImportRequest, Imported, LinkWord, Reply, Request, SamePersonRequest,
    },
    home::{Home, Unlock},
    node::{Node, Role},
};

struct Desk {
    folder: TempDir,
    home: Home,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        Node::set_up(&home, "Desk", Role::Practice, &Unlock::KeyFile).expect("a node");
        Self { folder, home }
    }

    fn open(&self) -> Node {
        Node::open(&self.home, &Unlock::KeyFile).expect("the node opens")
    }

    /// A file with a person and one condition.
    fn file(&self, n: usize, person: usize, condition: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{n:04}.json"));
        let text = format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{{"resourceType":"Patient","id":"p","identifier":[{{"system":"urn:test","value":"{person}"}}],"name":[{{"family":"Family{person}"}}],"birthDate":"1950-01-02"}}}},{{"resource":{{"resourceType":"Condition","code":{{"text":"{condition}"}}}}}}]}}"#
        );
        std::fs::write(&path, text).expect("a file");
        path
    }
}

/// What was imported, and how far it was said to be on the way.
fn import(node: &mut Node, paths: Vec<PathBuf>) -> (Imported, Vec<u64>) {
    let request = ImportRequest {
        paths,
        ..ImportRequest::default()
    };
    let mut told = Vec::new();
    let reply = node.handle(Request::Import(request), &mut |progress| {
        told.push(progress.done);
    });
    match reply {
        Ok(Reply::Imported(imported)) => (imported, told),
        other => panic!("not imported: {:?}", other.err()),
    }
}

fn lines(node: &mut Node, record: &str) -> String {
    let record = record.to_owned();
    let form = ExportForm::Ndjson;
    match node.handle(Request::Export { record, form }, &mut |_| {}) {
        Ok(Reply::Exported(exported)) => exported.text.expect("lines"),
        other => panic!("not exported: {:?}", other.err()),
    }
}

/// How often a record says that it may be of the same person as another.
fn proposals(node: &mut Node) -> usize {
    match node.handle(Request::Review { record: None }, &mut |_| {}) {
        Ok(Reply::Review(review)) => {
            let items = review.items.iter();
            items
                .filter(|item| item.kind == crate::api::ReviewKind::SamePerson)
                .count()
        }
        other => panic!("no list: {:?}", other.err()),
    }
}

/// A file about a person of whom two things are as somebody else's, with a number of their own.
fn like(desk: &Desk, n: usize, number: &str) -> PathBuf {
    let path = desk.folder.path().join(format!("like-{n}.json"));
    let text = format!(
        r#"{{"resourceType":"Patient","id":"p","identifier":[{{"system":"urn:test","value":"{number}"}}],"name":[{{"family":"Family1"}}],"birthDate":"1950-01-02"}}"#
    );
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn a_new_record_that_may_be_of_somebody_here_is_proposed_once_and_not_again() {
    let desk = Desk::new();
    let mut node = desk.open();
    let first = import(&mut node, vec![desk.file(1, 1, "asthma")]).0;
    import(&mut node, vec![desk.file(2, 2, "gout")]);
    assert_eq!(proposals(&mut node), 0, "nobody is like another");
    let second = import(&mut node, vec![like(&desk, 1, "other")]).0;
    let pair = [&first, &second].map(|imported| imported.records[0].record.clone());
    assert_ne!(pair[0], pair[1]);
    assert_eq!(second.records[0].alike.len(), 1);
    assert_eq!(proposals(&mut node), 2, "in both records");
    import(&mut node, vec![like(&desk, 2, "other")]);
    assert_eq!(proposals(&mut node), 2, "they were known already");

    let refuse = Request::SamePerson(SamePersonRequest {
        record: pair[0].clone(),
        other: pair[1].clone(),
        word: LinkWord::Withdraw,
        because: None,
    });
    node.handle(refuse, &mut |_| {}).expect("it is refused");
    assert_eq!(proposals(&mut node), 0);
    import(&mut node, vec![like(&desk, 3, "other")]);
    let alike = Alike {
        record: pair[0].clone(),
        person: String::new(),
        evidence: vec!["the same birth date".to_owned()],
    };
    let [_, id] = [&pair[0], &pair[1]].map(|id| RecordId::from_hex(id).expect("an id"));
    node.propose(id, &alike).expect("it is looked at");
    assert_eq!(proposals(&mut node), 0, "it was refused");

    let request = ImportRequest {
        paths: vec![like(&desk, 4, "third")],
        no_proposals: true,
        ..ImportRequest::default()
    };
    let reply = node.handle(Request::Import(request), &mut |_| {});
    let Ok(Reply::Imported(third)) = reply else {
        panic!("it is imported")
    };
    assert_eq!(third.records[0].alike.len(), 2, "it is said");
    assert_eq!(proposals(&mut node), 0, "and nothing is signed");
}

#[test]
fn a_person_of_one_group_is_known_to_the_next() {
    let desk = Desk::new();
    let mut paths: Vec<_> = (0..GROUP_FILES)
        .map(|n| desk.file(n, n, "asthma"))
        .collect();
    // The first of these comes to somebody whose record is built and not yet on the disk.
    paths.push(desk.file(GROUP_FILES, GROUP_FILES - 1, "gout"));
    paths.push(desk.file(GROUP_FILES + 1, GROUP_FILES, "sciatica"));
    let total = paths.len() as u64;
    let (imported, told) = import(&mut desk.open(), paths);
    assert!(imported.refused.is_empty());
    // What is said to be done is on the disk: a group when the one after it is built.
    assert_eq!(told, [0, GROUP_FILES as u64, total]);
    let records: Vec<_> = imported.records.iter().map(|filed| &filed.record).collect();
    let distinct: BTreeSet<_> = records.iter().collect();
    assert_eq!(
        (records.len(), distinct.len()),
        (GROUP_FILES + 2, GROUP_FILES + 1)
    );

    let mut node = desk.open();
    let last = records[GROUP_FILES - 1];
    let text = lines(&mut node, last);
    assert!(text.contains("asthma") && text.contains("gout"), "{text}");
    for record in distinct {
        assert!(lines(&mut node, record).contains("Condition"));
    }
}
