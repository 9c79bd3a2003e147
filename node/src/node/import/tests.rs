use std::{collections::BTreeSet, path::PathBuf};

use tempfile::TempDir;

use super::GROUP_FILES;
use crate::{
    api::{ExportForm, ImportRequest, Imported, Reply, Request},
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
