//! Begun anew, a record reads as before, for whoever holds it.

use kith_crdt::{DocumentId, Label, Section, samples::sample_bundle};
use kith_protocol::{id::RecordId, record::Record, store::Store};
use tempfile::TempDir;

use super::begin_anew;
use crate::{
    api::{Addition, Decision, ImportRequest, Reply, Request, Review},
    home::{Home, Unlock},
    node::{ExportForm, Node, Role, now_ms, statements::Statement},
};

pub(in crate::node) struct Place {
    pub(in crate::node) node: Node,
    folder: TempDir,
}

impl Place {
    pub(in crate::node) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().join("home"));
        Node::set_up(&home, "Riverside", Role::Practice, &Unlock::KeyFile).expect("a node");
        let node = Node::open(&home, &Unlock::KeyFile).expect("it opens");
        Self { node, folder }
    }

    fn does(&mut self, request: Request) -> Reply {
        self.node.handle(request, &mut |_| {}).expect("it is done")
    }

    pub(in crate::node) fn imports(&mut self, json: &str) -> RecordId {
        let path = self.folder.path().join("file.json");
        std::fs::write(&path, json).expect("a file");
        let request = ImportRequest {
            paths: vec![path],
            ..ImportRequest::default()
        };
        let Reply::Imported(imported) = self.does(Request::Import(request)) else {
            panic!("another answer")
        };
        RecordId::from_hex(&imported.records[0].record).expect("an id")
    }

    fn lines(&mut self, record: RecordId) -> String {
        let request = Request::Export {
            record: record.to_string(),
            form: ExportForm::Ndjson,
        };
        let Reply::Exported(exported) = self.does(request) else {
            panic!("another answer")
        };
        exported.text.expect("lines")
    }

    pub(in crate::node) fn shown(&mut self, record: RecordId) -> String {
        let Reply::Record(shown) = self.does(Request::Show {
            record: record.to_string(),
        }) else {
            panic!("another answer")
        };
        serde_json::to_string(&(&shown.sections, &shown.allergies, &shown.not_known_here))
            .expect("JSON")
    }

    /// What this node's owner said in a record, with the key of each thing.
    pub(in crate::node) fn statements(&mut self, record: RecordId) -> Vec<Statement> {
        let said = self.node.with_record(record, Node::own_statements);
        said.expect("a record")
    }

    pub(in crate::node) fn notes(&mut self, record: RecordId, text: &str) {
        self.does(Request::Add {
            record: record.to_string(),
            what: Addition::Note(text.to_owned()),
            staff: None,
        });
    }

    /// Loads a record again, and tells how many of its documents were saved ones.
    pub(in crate::node) fn opened_from_saved(&mut self, record: RecordId) -> usize {
        self.node.loaded.clear();
        let mut loaded = Record::load(&self.node.store, record, self.node.device());
        let loaded = loaded.as_mut().expect("a record");
        let rows = self
            .node
            .store
            .rows(super::super::identity::RowKind::Saved as u8);
        let saved: Vec<kith_protocol::record::Saved> = rows
            .expect("rows")
            .iter()
            .filter_map(|(_, bytes)| kith_protocol::codec::decode_trusted(bytes).ok())
            .collect();
        let large = loaded.large_documents();
        let mut used = 0;
        for document in large {
            used += usize::from(
                saved
                    .iter()
                    .any(|saved| loaded.open_saved(&document, saved)),
            );
        }
        used
    }

    fn review(&mut self, record: RecordId) -> Review {
        let Reply::Review(review) = self.does(Request::Review {
            record: Some(record.to_string()),
        }) else {
            panic!("another answer")
        };
        review
    }

    fn decides(&mut self, record: RecordId, resource: &str, wanted: bool) {
        self.does(Request::Decide {
            record: record.to_string(),
            decision: Decision::Settle {
                resource: resource.to_owned(),
                wanted,
            },
        });
    }

    /// Begins every document of a record anew.
    fn begins_anew(&mut self, record: RecordId) -> usize {
        let begun = self.node.with_record(record, |node, record| {
            let mut rng = node.rng.clone();
            let who = node.whoever();
            let mut items = Vec::new();
            for document in record.ledger().documents() {
                if !record.is_past(&document) {
                    let pen = node.pen(now_ms());
                    items.extend(begin_anew(record, &pen, &who, &document, &mut rng));
                }
            }
            node.rng = rng;
            let begun = items.len();
            node.commit(items)?;
            Ok(begun)
        });
        begun.expect("it is begun anew")
    }

    /// Writes into an epoch that has ended, as one who did not know of its end would.
    fn writes_late(&mut self, record: RecordId, text: &str) {
        let (id, device) = (record, self.node.device());
        let document = DocumentId::first(Section::DailyCare, Label::general());
        let all = self.node.store.entries(&id, &document).expect("entries");
        let mut old = Record::load(&self.node.store, id, device).expect("a record");
        assert!(!all.is_empty() && old.is_past(&document));
        let mut rng = self.node.rng.clone();
        let value = super::super::add::note(text, "2026-11-24T10:00:00Z");
        let edit = kith_crdt::Edit::Create(super::super::add::resource(&value, &document, 7));
        let who = self.node.whoever();
        let writer = old
            .ledger()
            .decide_write(
                &who,
                &document,
                super::Actions::APPEND,
                super::Purposes::CARE,
                now_ms(),
            )
            .expect("the owner may");
        let (item, _) = old
            .write(&self.node.pen(now_ms()), &writer, &[edit], &mut rng)
            .expect("it is written");
        self.node.rng = rng;
        self.node.commit(vec![item]).expect("it is kept");
        self.node.loaded.clear();
    }
}

#[test]
fn begun_anew_a_record_reads_token_for_token_as_before_and_again_after_loading() {
    for seed in 0..6 {
        let mut place = Place::new();
        let record = place.imports(&sample_bundle(seed, 1, 120));
        place.notes(record, "Slept well");
        let (lines, shown) = (place.lines(record), place.shown(record));
        for _ in 0..2 {
            assert!(place.begins_anew(record) > 3);
            assert_eq!(place.lines(record), lines, "seed {seed}");
            assert_eq!(place.shown(record), shown, "seed {seed}");
            place.node.loaded.clear();
            assert_eq!(place.lines(record), lines, "seed {seed}, loaded again");
            assert_eq!(place.shown(record), shown, "seed {seed}, loaded again");
        }
        let Reply::Verified(verified) = place.does(Request::Verify {
            what: record.to_string(),
            passphrase: None,
        }) else {
            panic!("another answer")
        };
        assert!(verified.faults.is_empty(), "{:?}", verified.faults);
        assert!(verified.begun_anew.len() > 6);
        let exact = |said: &String| said.ends_with("exactly as they stood there");
        assert!(
            verified.begun_anew.iter().all(exact),
            "{:?}",
            verified.begun_anew
        );
        place.notes(record, "Written after");
        assert!(place.lines(record).contains("Written after"));
        assert_eq!(place.review(record).items.len(), 0);
    }
}

#[test]
fn what_comes_into_an_ended_epoch_is_shown_and_waits_and_is_brought_over_or_left() {
    let mut place = Place::new();
    let record = place.imports(&sample_bundle(1, 1, 60));
    place.notes(record, "Slept well");
    place.begins_anew(record);
    place.writes_late(record, "Late and wanted");
    place.writes_late(record, "Late and not wanted");
    let held = place.lines(record);
    assert!(held.contains("Late and wanted") && held.contains("Late and not wanted"));
    assert!(place.shown(record).contains("begun anew"));

    let waiting = place.review(record).items;
    assert_eq!(waiting.len(), 2);
    for item in &waiting {
        assert_eq!(item.kind, crate::api::ReviewKind::Late);
        place.decides(record, &item.id, !item.what.contains("not wanted"));
    }
    assert_eq!(place.review(record).items.len(), 0);
    place.node.loaded.clear();
    let held = place.lines(record);
    assert_eq!(held.matches("Late and wanted").count(), 1);
    assert!(!held.contains("Late and not wanted"));
    assert_eq!(held.matches("Slept well").count(), 1);
}

#[test]
fn who_never_had_the_first_epoch_sees_the_same_and_who_vouches_for_it() {
    let mut place = Place::new();
    let record = place.imports(&sample_bundle(2, 1, 60));
    let lines = place.lines(record);
    place.begins_anew(record);

    // A store that never held the first epochs.
    let id = record;
    let mut without = Record::new(id);
    let store = &place.node.store;
    for log in store.logs(&id).expect("logs") {
        for (_, bytes) in store.events(&log).expect("events") {
            let event = kith_protocol::intake::event(&bytes).expect("it holds");
            let item = kith_protocol::record::event_item(&event);
            without.arrive(&item).expect("it holds");
        }
    }
    without
        .load_principals(store, [place.node.principal()])
        .expect("the owner's log");
    for document in store.documents(&id).expect("documents") {
        if document.epoch > 0 {
            for (_, bytes) in store.entries(&id, &document).expect("entries") {
                let entry = kith_protocol::intake::entry(&bytes).expect("it holds");
                let weighed = kith_protocol::record::Weighed::of(entry, bytes);
                without.arrive_weighed(weighed).expect("it holds");
            }
        }
    }
    let placed = place.node.read_all(&mut without).expect("it is read");
    let received = placed.iter().filter(|placed| !placed.held.meta.made_here);
    assert_eq!(received.count(), lines.lines().count());
    for placed in &placed {
        assert_eq!(without.author(&placed.held.created), None);
        let by = place.node.written_by(&mut without, placed);
        assert_eq!(by, "carried over by Riverside");
        let creator = without.creator(&placed.held.id).expect("its carrier");
        let explained = without.ledger().explain(&creator).expect("it is held");
        let said = explained.sentences.join(" ");
        assert!(said.contains("anew"), "{said}");
    }
}

#[test]
fn a_document_that_grew_too_large_is_begun_anew_by_the_next_write_and_reads_as_before() {
    let mut place = Place::new();
    let record = place.imports(&sample_bundle(3, 1, 20));
    let long = "a long letter from home ".repeat(6_000);
    for n in 0..70 {
        place.notes(record, &format!("{n}: {long}"));
    }
    let documents = place.node.store.documents(&record).expect("documents");
    let daily: Vec<_> = documents
        .iter()
        .filter(|id| id.section == Section::DailyCare)
        .map(|id| id.epoch > 0)
        .collect();
    assert_eq!(daily, [false, true], "one epoch more, and no third");
    let lines = place.lines(record);
    for n in 0..70 {
        assert_eq!(lines.matches(&format!("\"{n}: a long")).count(), 1);
    }
    place.node.loaded.clear();
    assert_eq!(place.lines(record), lines);
}

#[test]
fn two_epochs_that_are_begun_at_once_hide_nothing_and_show_nothing_twice() {
    let mut place = Place::new();
    let record = place.imports(&sample_bundle(4, 1, 60));
    place.notes(record, "Slept well");
    let lines = place.lines(record);
    let document = DocumentId::first(Section::DailyCare, Label::general());
    let mut items = Vec::new();
    let mut rng = place.node.rng.clone();
    for text in ["In one of them", "In the other"] {
        let mut copy =
            Record::load(&place.node.store, record, place.node.device()).expect("a record");
        let (who, pen) = (place.node.whoever(), place.node.pen(now_ms()));
        items.extend(begin_anew(&mut copy, &pen, &who, &document, &mut rng));
        let current = copy.current(&document);
        let value = super::super::add::note(text, "2026-11-24T10:00:00Z");
        let resource = super::super::add::resource(&value, &document, 7);
        let edits = [(current, vec![kith_crdt::Edit::Create(resource)])].into();
        super::super::import::write_all(&mut copy, &pen, edits, &mut items, &mut rng)
            .expect("it is written");
    }
    place.node.rng = rng;
    assert_eq!(items.len(), 4);
    place.node.commit(items).expect("it is kept");
    place.node.loaded.clear();
    let held = place.lines(record);
    assert_eq!(held.lines().count(), lines.lines().count() + 2);
    for words in ["Slept well", "In one of them", "In the other"] {
        assert_eq!(held.matches(words).count(), 1, "{words}");
    }
    assert_eq!(
        place.review(record).items.len(),
        1,
        "of the one that is not followed"
    );
}
