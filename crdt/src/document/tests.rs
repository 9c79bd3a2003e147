use super::{Actor, Document, Edit, ListEdit, UnitContent};
use crate::{
    Section,
    resource::{Body, Meta, Resource},
};

const DOSE: &str = r#"{"resourceType":"MedicationRequest","id":"m1","status":"active","medicationCodeableConcept":{"text":"warfarin"},"dosageInstruction":[{"text":"2.50 mg"}],"note":[{"text":"one"}]}"#;

fn resource(text: &str, ordinal: u32) -> Resource {
    Resource {
        meta: Meta {
            kind: "MedicationRequest".into(),
            ordinal,
            ..Meta::default()
        },
        body: Body::parse(text, Section::Medicines).expect("JSON"),
    }
}

fn actor(n: u8) -> Actor {
    Actor([n; 16])
}

fn texts(document: &Document) -> Vec<String> {
    document
        .resources()
        .iter()
        .map(|held| held.to_text(0))
        .collect()
}

/// Two copies of one document with one prescription, and its id.
fn two_copies() -> (Document, Document, super::ResourceId) {
    let mut ours = Document::new();
    let written = ours
        .write(actor(1), 1, &[Edit::Create(resource(DOSE, 0))])
        .expect("a first write");
    let mut theirs = Document::new();
    theirs
        .take(std::slice::from_ref(&written.vetted))
        .expect("an honest change");
    (ours, theirs, written.created[0].clone())
}

fn put(id: &super::ResourceId, dose: &str) -> Edit {
    Edit::Put {
        resource: id.clone(),
        unit: "&".into(),
        text: format!(
            r#""status":"active","medicationCodeableConcept":{{"text":"warfarin"}},"dosageInstruction":[{{"text":"{dose}"}}]"#
        ),
    }
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let other = DOSE.replace("m1", "m2");
    let mut document = Document::new();
    let edits = [DOSE, &other, DOSE].map(String::from);
    let edits: Vec<_> = (0..)
        .zip(&edits)
        .map(|(n, text)| Edit::Create(resource(text, n)))
        .collect();
    document.write(actor(1), 1, &edits).expect("a first write");
    assert_eq!(texts(&document), [DOSE, &other, DOSE]);
    let later = DOSE.replace("m1", "m3");
    document
        .write(actor(1), 2, &[Edit::Create(resource(&later, 3))])
        .expect("a second write");
    assert_eq!(texts(&document), [DOSE, &other, DOSE, &later]);
}

#[test]
fn the_same_write_gives_the_same_bytes() {
    let write = || {
        let mut document = Document::new();
        let edits = [
            Edit::Create(resource(DOSE, 0)),
            Edit::Create(resource(DOSE, 1)),
        ];
        document.write(actor(1), 7, &edits).expect("a write").bytes
    };
    assert_eq!(write(), write());
}

#[test]
fn two_doses_at_once_stay_side_by_side_until_someone_decides() {
    let (mut ours, mut theirs, id) = two_copies();
    let a = ours
        .write(actor(1), 2, &[put(&id, "3 mg")])
        .expect("a write");
    let b = theirs
        .write(actor(2), 2, &[put(&id, "5 mg")])
        .expect("a write");
    ours.take(std::slice::from_ref(&b.vetted))
        .expect("their change");
    theirs
        .take(std::slice::from_ref(&a.vetted))
        .expect("our change");
    assert_eq!(ours.resources(), theirs.resources());
    let held = &ours.resources()[0];
    let (unit, versions) = held.siblings().next().expect("two versions");
    assert_eq!((unit, versions.len()), ("&", 2));
    let decided = ours
        .write(actor(1), 3, &[put(&id, "4 mg")])
        .expect("a decision");
    let held = &ours.resources()[0];
    assert_eq!(held.siblings().count(), 0);
    let group = held
        .units
        .iter()
        .find(|unit| unit.name == "&")
        .expect("the group");
    assert_eq!(group.decided.len(), 2);
    theirs
        .take(std::slice::from_ref(&decided.vetted))
        .expect("the decision");
    assert_eq!(ours.resources(), theirs.resources());
}

#[test]
fn two_additions_to_a_list_both_stay() {
    let (mut ours, mut theirs, id) = two_copies();
    let add = |text: &str| Edit::List {
        resource: id.clone(),
        unit: "note".into(),
        edits: vec![ListEdit::Insert(1, format!(r#"{{"text":"{text}"}}"#))],
    };
    let a = ours.write(actor(1), 2, &[add("ours")]).expect("a write");
    theirs
        .write(actor(2), 2, &[add("theirs")])
        .expect("a write");
    theirs
        .take(std::slice::from_ref(&a.vetted))
        .expect("our change");
    let held = &theirs.resources()[0];
    let note = held
        .units
        .iter()
        .find(|unit| unit.name == "note")
        .expect("notes");
    assert!(matches!(&note.content, UnitContent::List(items) if items.len() == 3));
}

#[test]
fn an_edit_beside_a_retraction_is_for_a_person_and_one_after_it_is_a_new_statement() {
    let (mut ours, mut theirs, id) = two_copies();
    let retract = Edit::Retract {
        resource: id.clone(),
        reason: "wrong patient".into(),
    };
    let gone = ours.write(actor(1), 2, &[retract]).expect("a retraction");
    assert!(ours.resources()[0].is_retracted());
    theirs
        .write(actor(2), 2, &[put(&id, "5 mg")])
        .expect("an edit");
    theirs
        .take(std::slice::from_ref(&gone.vetted))
        .expect("the retraction");
    let held = &theirs.resources()[0];
    assert!(held.is_retracted());
    assert_eq!(held.retractions[0].concurrent.len(), 1);
    ours.write(actor(1), 3, &[put(&id, "6 mg")])
        .expect("a new statement");
    assert!(!ours.resources()[0].is_retracted());
}

#[test]
fn a_failed_write_changes_nothing() {
    let (mut ours, _, _) = two_copies();
    let before = ours.heads();
    let nowhere = super::ResourceId::parse("000000000000000000000000").expect("an id");
    let edits = [Edit::Create(resource(DOSE, 9)), put(&nowhere, "1 mg")];
    assert!(ours.write(actor(1), 2, &edits).is_err());
    assert_eq!(ours.heads(), before);
    assert_eq!(ours.resources().len(), 1);
}
