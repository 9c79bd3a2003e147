//! What is stored is what the log makes.

mod kept;
mod search;

use kith_crdt::{
    DocumentId, Edit,
    document::{ListEdit, UnitContent},
    samples::sample_bundle,
};
use kith_protocol::{
    consent::{
        Reader,
        grant::{Actions, Purposes},
    },
    id::RecordId,
    record::{Placed, Record},
    store::Store,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::Kept;
use crate::{
    api::{Happened, ImportRequest, Keep, Line, Reply, Request},
    health::{drugs::Drugs, search::View},
    node::{Role, epochs::begin_anew, identity::RowKind, now_ms, peers::tests::Place},
};

const KINDS: [&str; 3] = ["a note", "Slept well", "pulse taken"];

impl Place {
    /// Imports a file about one person: into that person's record, which it begins.
    fn files(&mut self, json: &str) -> RecordId {
        let path = self.folder.path().join("bundle.json");
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

    fn timeline(&mut self, record: RecordId) -> Vec<Happened> {
        let record = record.to_string();
        let Reply::Timeline(happened) = self.does(Request::Timeline { record }) else {
            panic!("another answer")
        };
        happened
    }

    fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.node.store.rows(RowKind::View as u8).expect("rows")
    }

    fn loaded(&self, record: RecordId) -> Record {
        let node = &self.node;
        let mut record = Record::load(&node.store, record, node.device()).expect("a record");
        let owner = [node.principal()];
        record
            .load_principals(&node.store, owner)
            .expect("the owner's devices");
        record
    }

    /// What is stored of each document, without making any.
    fn stored(&self, id: RecordId) -> Vec<Option<View>> {
        let mut record = self.loaded(id);
        let readers = self.node.readers(&mut record, &self.node.whoever());
        let stored = |document: &DocumentId| {
            let basis = record.basis(document);
            let kept = Kept::stored(&self.node.store, id, document, basis)?;
            Some(View::clone(&kept.view))
        };
        readers.iter().map(Reader::document).map(stored).collect()
    }

    /// Lets go of all that is at hand.
    fn forgets(&mut self) {
        self.node.loaded.clear();
        self.node.views.clear();
    }

    /// Each document's view, made from the log.
    fn made(&self, record: RecordId) -> Vec<View> {
        let mut record = self.loaded(record);
        let readers = self.node.readers(&mut record, &self.node.whoever());
        let made = |reader| View::of(&record.read(reader));
        readers.iter().map(made).collect()
    }

    /// The lines of a timeline, made from the log resource by resource.
    fn lines(&self, record: RecordId) -> Vec<Line> {
        let mut record = self.loaded(record);
        let placed = self.node.read_all(&mut record).expect("it is read");
        let drugs = Drugs::of(&placed);
        let here = placed.iter().filter(|placed| !placed.held.meta.made_here);
        let mut lines: Vec<_> = here
            .map(|placed| self.node.line(&mut record, placed, &drugs))
            .collect();
        lines.sort_by(|a, b| a.id.cmp(&b.id));
        lines
    }

    /// Asks for the timeline, and holds it and what is stored against the log.
    fn checks(&mut self, record: RecordId, what: &str) {
        if what.len().is_multiple_of(2) {
            self.forgets();
        }
        let mut told: Vec<_> = self.timeline(record).into_iter().map(|h| h.line).collect();
        told.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(told, self.lines(record), "{what}");
        let made: Vec<_> = self.made(record).into_iter().map(Some).collect();
        assert_eq!(self.stored(record), made, "{what}");
    }

    /// Writes one edit into a random resource that this node may edit; tells whether it did.
    fn edits(
        &mut self,
        record: RecordId,
        rng: &mut ChaCha20Rng,
        edit: impl Fn(&Placed) -> Option<Edit>,
    ) -> bool {
        let done = self.node.with_record(record, |node, record| {
            let placed = node.read_all(record)?;
            let mut own = node.rng.clone();
            for _ in 0..50 {
                let Some(placed) = placed.get(below(rng, placed.len())) else {
                    return Ok(false);
                };
                let document = &placed.document;
                let may = record.ledger().decide_write(
                    &node.whoever(),
                    document,
                    Actions::EDIT,
                    Purposes::CARE,
                    now_ms(),
                );
                let (Ok(writer), Some(edit), false) = (may, edit(placed), record.is_past(document))
                else {
                    continue;
                };
                let written = record.write(&node.pen(now_ms()), &writer, &[edit], &mut own);
                if let Ok((item, _)) = written {
                    node.rng = own;
                    node.commit(vec![item])?;
                    return Ok(true);
                }
            }
            Ok(false)
        });
        done.expect("it is written or not")
    }
}

fn below(rng: &mut ChaCha20Rng, end: usize) -> usize {
    usize::try_from(rng.next_u32()).expect("a number") % end.max(1)
}

/// Another year in the first register of a resource that has one, or one less of a list.
fn another(placed: &Placed) -> Option<Edit> {
    let resource = placed.held.id.clone();
    placed
        .held
        .units
        .iter()
        .find_map(|unit| match &unit.content {
            UnitContent::Register(versions) => {
                let text = &versions.first()?.text;
                let changed = text.replace("202", "201");
                (changed != *text).then(|| Edit::Put {
                    resource: resource.clone(),
                    unit: unit.name.clone(),
                    text: changed,
                })
            }
            UnitContent::List(items) if items.len() > 1 => Some(Edit::List {
                resource: resource.clone(),
                unit: unit.name.clone(),
                edits: vec![ListEdit::Remove(0)],
            }),
            UnitContent::List(_) => None,
        })
}

fn retracted(placed: &Placed) -> Option<Edit> {
    Some(Edit::Retract {
        resource: placed.held.id.clone(),
        reason: "of somebody else".to_owned(),
    })
}

#[test]
fn after_random_edits_imports_retractions_and_merges_what_is_stored_is_what_the_log_makes() {
    let (mut merged, mut written, mut siblings) = (0, 0, 0);
    for seed in 0..3 {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut here = Place::of("Riverside", Role::Practice);
        let mut there = Place::of("Sam", Role::Person);
        let record = here.files(&sample_bundle(seed, 1, 40));
        here.invites(&mut there, record, "all", Some("all"));
        here.gives(&mut there, record);
        // Each of the eight three times, in an order of their own.
        let mut steps: Vec<_> = (0..24).map(|step| (rng.next_u32(), step % 8)).collect();
        steps.sort_unstable();
        for (step, (_, what)) in steps.into_iter().enumerate() {
            let what = match what {
                0 => {
                    here.notes(record, KINDS[below(&mut rng, 3)]);
                    "a note"
                }
                1 => {
                    let len = 30 + below(&mut rng, 40);
                    assert_eq!(here.files(&sample_bundle(seed, 1, len)), record);
                    "an import"
                }
                2 => {
                    written += usize::from(here.edits(record, &mut rng, retracted));
                    "a retraction"
                }
                3 => {
                    let changed = sample_bundle(seed, 1, 40).replace("final", "amended");
                    assert_eq!(here.files(&changed), record);
                    "a changed import"
                }
                4 => {
                    // The same register on both sides, neither knowing of the other's.
                    let mut same = rng.clone();
                    written += usize::from(here.edits(record, &mut rng, another));
                    there.edits(record, &mut same, another);
                    "an edit on both sides"
                }
                5 => {
                    there.notes(record, "seen by Sam");
                    written += usize::from(there.edits(record, &mut rng, another));
                    "an edit there"
                }
                6 => {
                    here.begins_anew(record, &mut rng);
                    "an epoch"
                }
                _ => {
                    merged += usize::from(!here.gives(&mut there, record).is_empty());
                    there.checks(record, "there");
                    "a merge"
                }
            };
            here.checks(record, &format!("seed {seed}, step {step}: {what}"));
        }
        here.gives(&mut there, record);
        siblings += here
            .lines(record)
            .iter()
            .filter(|line| !line.marks.is_empty())
            .count();
        let share = there.node.principal().to_string();
        here.does(Request::Stop {
            record: record.to_string(),
            share,
            keep: Keep::NoneAfter(0),
            keep_shared_on: false,
        });
        here.checks(record, "a share that was stopped");
    }
    assert!(
        merged > 3 && written > 9 && siblings > 3,
        "{merged} {written} {siblings}"
    );
}

impl Place {
    /// Begins a random document anew.
    fn begins_anew(&mut self, record: RecordId, rng: &mut ChaCha20Rng) {
        let begun = self.node.with_record(record, |node, record| {
            let documents = record.ledger().documents();
            let document = &documents[below(rng, documents.len())];
            let mut own = node.rng.clone();
            let begun = (!record.is_past(document))
                .then(|| {
                    begin_anew(
                        record,
                        &node.pen(now_ms()),
                        &node.whoever(),
                        document,
                        &mut own,
                    )
                })
                .flatten();
            node.rng = own;
            node.commit(begun.into_iter().collect())
        });
        begun.expect("it is begun anew or not");
    }
}
