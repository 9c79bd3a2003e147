//! Generated work of several authors on one document, for property tests.

use proptest::prelude::*;

use crate::{
    Actor, Document, Edit, Held, Section,
    document::{EditError, ListEdit, UnitContent, Written},
    resource::{Body, Meta, Resource},
};

/// One thing that an author does, in terms that fit whatever the document then holds.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// Adds so many resources, with so many notes each.
    Create(usize, usize),
    /// Writes the dose of the n-th resource.
    Put(usize, u8),
    /// Writes a plain register.
    PutPlain(usize, u8),
    /// Takes a plain register away.
    Clear(usize),
    /// Adds a note.
    AddNote(usize, usize, u8),
    /// Gives a note another text.
    ReplaceNote(usize, usize, u8),
    /// Takes a note away.
    RemoveNote(usize, usize),
    /// Replaces the order of members.
    Order(usize),
    /// Says that a resource was entered in error.
    Retract(usize),
}

/// What the authors do in turn; after each step the author may take everything from another.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) author: usize,
    pub(crate) deeds: Vec<Deed>,
    pub(crate) hears: Option<usize>,
}

pub(crate) fn deed() -> impl Strategy<Value = Deed> {
    let n = 0_usize..8;
    prop_oneof![
        (1_usize..4, 0_usize..4).prop_map(|(count, notes)| Deed::Create(count, notes)),
        (n.clone(), any::<u8>()).prop_map(|(n, dose)| Deed::Put(n, dose)),
        (n.clone(), any::<u8>()).prop_map(|(n, text)| Deed::PutPlain(n, text)),
        n.clone().prop_map(Deed::Clear),
        (n.clone(), n.clone(), any::<u8>()).prop_map(|(n, at, text)| Deed::AddNote(n, at, text)),
        (n.clone(), n.clone(), any::<u8>())
            .prop_map(|(n, at, text)| Deed::ReplaceNote(n, at, text)),
        (n.clone(), n.clone()).prop_map(|(n, at)| Deed::RemoveNote(n, at)),
        n.clone().prop_map(Deed::Order),
        n.prop_map(Deed::Retract),
    ]
}

pub(crate) fn steps(authors: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..authors,
        proptest::collection::vec(deed(), 1..4),
        proptest::option::of(0..authors),
    );
    let step = step.prop_map(|(author, deeds, hears)| Step {
        author,
        deeds,
        hears,
    });
    proptest::collection::vec(step, 1..16)
}

/// Authors with a copy each, and every change that any of them made, in the order of making.
pub(crate) struct Authors {
    pub(crate) copies: Vec<Document>,
    pub(crate) written: Vec<Written>,
}

impl Authors {
    /// Plays a script; all begin with the same resource.
    pub(crate) fn play(authors: usize, steps: &[Step]) -> Self {
        let mut first = Document::new();
        let begin = [Edit::Create(prescription(0, 2))];
        let begin = first.write(actor(99), 1, &begin).expect("a first write");
        let mut played = Self {
            copies: vec![first; authors],
            written: vec![begin],
        };
        for step in steps {
            played.step(step);
        }
        played
    }

    fn step(&mut self, step: &Step) {
        let copy = &mut self.copies[step.author];
        let edits: Vec<_> = step
            .deeds
            .iter()
            .filter_map(|deed| edit(copy, deed))
            .collect();
        let time = 1000 + self.written.len() as u64;
        let nonce = u8::try_from(step.author).expect("few authors");
        let before = copy.resources();
        match copy.write(actor(nonce), time, &edits) {
            Ok(written) => {
                only_these_changed(&before, copy, &edits, &written);
                self.written.push(written);
            }
            // Places were chosen before the first of the edits.
            Err(EditError::Nothing | EditError::NoList(_) | EditError::Document(_)) => {}
            Err(error) => panic!("an honest write fails: {error} ({edits:?})"),
        }
        if let Some(other) = step.hears {
            let theirs: Vec<_> = self.changes_of(other);
            take_all(&mut self.copies[step.author], &theirs);
        }
    }

    fn changes_of(&self, author: usize) -> Vec<Written> {
        let holds = |written: &&Written| self.copies[author].holds(&written.hash);
        self.written.iter().filter(holds).cloned().collect()
    }
}

/// A write reaches what its edits name and make, and nothing else: a reading that is kept is made
/// up for by reading those again.
fn only_these_changed(before: &[Held], after: &Document, edits: &[Edit], written: &Written) {
    let named: Vec<_> = edits.iter().filter_map(Edit::resource).collect();
    let is_other = |held: &&Held| !named.contains(&&held.id) && !written.created.contains(&held.id);
    let after = after.resources();
    let others = after.iter().filter(is_other);
    assert!(before.iter().filter(is_other).eq(others), "{edits:?}");
    assert!(after.is_sorted_by(|a, b| a.place() < b.place()));
}

/// Takes what is not there yet.
pub(crate) fn take_all(document: &mut Document, changes: &[Written]) {
    let new: Vec<_> = changes
        .iter()
        .filter(|written| !document.holds(&written.hash))
        .map(|written| written.vetted.clone())
        .collect();
    document.take_own(&new).expect("honest changes");
}

pub(crate) fn actor(nonce: u8) -> Actor {
    Actor([nonce; 16])
}

pub(crate) fn prescription(number: usize, notes: usize) -> Resource {
    let notes: Vec<_> = (0..notes)
        .map(|n| format!(r#"{{"text":"note {n}"}}"#))
        .collect();
    let notes = match notes.as_slice() {
        [] => String::new(),
        notes => format!(r#","note":[{}]"#, notes.join(",")),
    };
    let text = format!(
        r#"{{"resourceType":"MedicationRequest","id":"m{number}","status":"active","medicationCodeableConcept":{{"text":"wärfarin"}},"authoredOn":"2024-01-0{}"{notes}}}"#,
        1 + number % 9
    );
    Resource {
        meta: Meta {
            kind: "MedicationRequest".into(),
            ordinal: u32::try_from(number).expect("few resources"),
            ..Meta::default()
        },
        body: Body::parse(&text, Section::Medicines).expect("JSON"),
    }
}

fn edit(document: &Document, deed: &Deed) -> Option<Edit> {
    let held = document.resources();
    let of = |n: usize| held.get(n % held.len().max(1));
    match *deed {
        Deed::Create(count, notes) => Some(Edit::Create(prescription(held.len() + count, notes))),
        Deed::Put(n, dose) => {
            let text = format!(
                r#""status":"active","medicationCodeableConcept":{{"text":"warfarin"}},"dosageInstruction":[{{"text":"{dose}.50 mg"}}]"#
            );
            put(of(n)?, "&", text)
        }
        Deed::PutPlain(n, text) => put(of(n)?, "authoredOn", format!(r#""authoredOn":"{text}""#)),
        Deed::Clear(n) => Some(Edit::Clear {
            resource: of(n)?.id.clone(),
            unit: "authoredOn".into(),
        }),
        Deed::AddNote(n, at, text) => {
            let held = of(n)?;
            let at = at % (notes(held)? + 1);
            list(
                held,
                ListEdit::Insert(at, format!(r#"{{"text":"added {text}"}}"#)),
            )
        }
        Deed::ReplaceNote(n, at, text) => {
            let held = of(n)?;
            let count = notes(held).filter(|count| *count > 0)?;
            let text = format!(r#"{{"text":"edited {text}"}}"#);
            list(held, ListEdit::Replace(at % count, text))
        }
        Deed::RemoveNote(n, at) => {
            let held = of(n)?;
            let count = notes(held).filter(|count| *count > 0)?;
            list(held, ListEdit::Remove(at % count))
        }
        Deed::Order(n) => Some(Edit::Order {
            resource: of(n)?.id.clone(),
            order: of(n)?.order.iter().rev().cloned().collect(),
        }),
        Deed::Retract(n) => Some(Edit::Retract {
            resource: of(n)?.id.clone(),
            reason: "wrong patient".into(),
        }),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every deed gives an edit or none")]
fn put(held: &Held, unit: &str, text: String) -> Option<Edit> {
    Some(Edit::Put {
        resource: held.id.clone(),
        unit: unit.into(),
        text,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "every deed gives an edit or none")]
fn list(held: &Held, edit: ListEdit) -> Option<Edit> {
    Some(Edit::List {
        resource: held.id.clone(),
        unit: "note".into(),
        edits: vec![edit],
    })
}

/// How many notes stand there, or nothing where a register stands instead.
fn notes(held: &Held) -> Option<usize> {
    let unit = held.units.iter().find(|unit| unit.name == "note");
    match unit.map(|unit| &unit.content) {
        Some(UnitContent::List(items)) => Some(items.len()),
        Some(UnitContent::Register(_)) => None,
        None => Some(0),
    }
}
