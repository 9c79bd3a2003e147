//! What holds after any merge, however the authors worked.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{ChangeHash, Document, Edit, Held, ListEdit, UnitContent, Written};
use crate::generated::{Authors, actor, prescription, steps, take_all};

/// A copy with the changes that any of these authors holds.
fn merged(played: &Authors, authors: &[usize]) -> Document {
    let mut document = Document::new();
    for author in authors {
        take_all(&mut document, &held_by(played, *author));
    }
    document
}

fn held_by(played: &Authors, author: usize) -> Vec<Written> {
    let copy = &played.copies[author];
    let written = played.written.iter();
    written
        .filter(|written| copy.holds(&written.hash))
        .cloned()
        .collect()
}

/// Every text that an author put into a register, a group or an item.
fn texts_of_authors(played: &Authors) -> BTreeSet<String> {
    let changes = played.written.iter().map(|written| {
        automerge::Change::from_bytes(written.bytes.clone()).expect("an honest change")
    });
    let operations = changes.flat_map(|change| change.decode().operations);
    operations
        .filter_map(|operation| match operation.action {
            automerge::legacy::OpType::Put(automerge::ScalarValue::Str(text)) => {
                Some(text.to_string())
            }
            automerge::legacy::OpType::Put(_)
            | automerge::legacy::OpType::Make(_)
            | automerge::legacy::OpType::Delete
            | automerge::legacy::OpType::Increment(_)
            | automerge::legacy::OpType::MarkBegin(_)
            | automerge::legacy::OpType::MarkEnd(_) => None,
        })
        .collect()
}

fn texts(held: &Held) -> Vec<String> {
    let units = held.units.iter();
    units
        .flat_map(|unit| match &unit.content {
            UnitContent::Register(versions) => versions
                .iter()
                .map(|version| version.text.clone())
                .collect(),
            UnitContent::List(items) => items
                .iter()
                .flat_map(|item| {
                    let beside = item.beside.iter().map(|version| version.text.clone());
                    std::iter::once(item.text.clone()).chain(beside)
                })
                .collect::<Vec<_>>(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn merges_commute_associate_and_repeat(script in steps(4)) {
        let played = Authors::play(4, &script);
        let all = merged(&played, &[0, 1, 2, 3]);
        for held in all.resources() {
            for choice in 0..3 {
                let text: serde_json::Value =
                    serde_json::from_str(&held.to_text(choice)).expect("JSON");
                prop_assert_eq!(held.value(choice).to_string(), text.to_string());
            }
        }
        for order in [[3, 2, 1, 0], [1, 3, 0, 2]] {
            let other = merged(&played, &order);
            prop_assert_eq!(all.heads(), other.heads());
            prop_assert_eq!(all.resources(), other.resources());
        }
        let mut left = merged(&played, &[0, 1]);
        let right = merged(&played, &[2, 3]);
        let of_right: Vec<_> = played.written.iter()
            .filter(|written| right.holds(&written.hash)).cloned().collect();
        take_all(&mut left, &of_right);
        prop_assert_eq!(left.resources(), all.resources());
        let again: Vec<_> = played.written.iter().map(|written| written.vetted.clone()).collect();
        left.take(&again).expect("what is here already");
        prop_assert_eq!(left.resources(), all.resources());
        prop_assert_eq!(left.heads(), all.heads());
    }

    #[test]
    fn whatever_stands_after_a_merge_some_author_wrote(script in steps(4)) {
        let played = Authors::play(4, &script);
        let written = texts_of_authors(&played);
        let merged = merged(&played, &[0, 1, 2, 3]);
        for held in merged.resources() {
            for text in texts(&held) {
                // A list beside another version is shown as the member that it is.
                let is_list = text.starts_with(r#""note":["#);
                prop_assert!(is_list || written.contains(&text), "{}", text);
            }
        }
    }

    #[test]
    fn carried_over_all_reads_as_before(script in steps(3)) {
        let played = Authors::play(3, &script);
        let before = merged(&played, &[0, 1, 2]);
        let envelopes: BTreeMap<ChangeHash, [u8; 32]> = played.written.iter()
            .zip(1_u8..).map(|(written, n)| (written.hash, [n; 32])).collect();
        let (after, first) = before.carry_over(actor(7), 5000, &envelopes).expect("a new epoch");
        let other = merged(&played, &[2, 1, 0]);
        let (_, again) = other.carry_over(actor(7), 5000, &envelopes).expect("a new epoch");
        prop_assert_eq!(&first.bytes, &again.bytes);
        let vetted = crate::vet(&first.bytes).expect("a change that anybody takes");
        prop_assert!(vetted.carries_over());
        let mut opened = Document::new();
        opened.take(&[vetted]).expect("the first change of an epoch");
        let plain = |document: &Document| -> Vec<_> {
            document.resources().into_iter()
                .map(|held| Held { carried: BTreeMap::new(), ..held }).collect()
        };
        prop_assert_eq!(plain(&opened), plain(&before));
        prop_assert_eq!(plain(&after), plain(&before));
        for held in opened.resources() {
            for writer in held.units.iter().flat_map(|unit| unit.content.writers()) {
                prop_assert_eq!(held.carried.get(&writer), envelopes.get(&writer));
            }
        }
        let (twice, _) = after.carry_over(actor(8), 6000, &BTreeMap::new()).expect("an epoch more");
        prop_assert_eq!(twice.resources(), after.resources());
    }
}

/// Two copies of one prescription with two notes.
fn two_copies() -> (Document, Document, super::ResourceId) {
    let mut ours = Document::new();
    let first = [Edit::Create(prescription(0, 2))];
    let first = ours.write(actor(1), 1, &first).expect("a first write");
    let mut theirs = Document::new();
    take_all(&mut theirs, std::slice::from_ref(&first));
    (ours, theirs, first.created[0].clone())
}

fn notes(document: &Document) -> Vec<super::Item> {
    let held = document.resources().remove(0);
    let unit = held.units.into_iter().find(|unit| unit.name == "note");
    match unit.map(|unit| unit.content) {
        Some(UnitContent::List(items)) => items,
        Some(UnitContent::Register(_)) | None => Vec::new(),
    }
}

fn list(id: &super::ResourceId, edit: ListEdit) -> [Edit; 1] {
    [Edit::List {
        resource: id.clone(),
        unit: "note".into(),
        edits: vec![edit],
    }]
}

fn meet(ours: &mut Document, a: Written, theirs: &mut Document, b: Written) {
    take_all(ours, &[b]);
    take_all(theirs, &[a]);
    assert_eq!(ours.resources(), theirs.resources());
}

#[test]
fn an_edit_stays_beside_a_removal_and_is_marked_until_someone_decides() {
    let (mut ours, mut theirs, id) = two_copies();
    let before = notes(&ours);
    let edit = list(&id, ListEdit::Replace(0, r#"{"text":"better"}"#.into()));
    let a = ours.write(actor(1), 2, &edit).expect("an edit");
    let b = theirs
        .write(actor(2), 2, &list(&id, ListEdit::Remove(0)))
        .expect("a removal");
    assert!(!notes(&ours)[0].removed);
    assert_eq!(notes(&theirs).len(), 1);
    meet(&mut ours, a.clone(), &mut theirs, b);
    let after = notes(&ours);
    assert_eq!(after.len(), 2);
    assert_eq!(
        (after[0].text.as_str(), after[0].removed),
        (r#"{"text":"better"}"#, true)
    );
    assert_eq!((&after[0].id, after[0].writer), (&before[0].id, a.hash));
    assert!(!after[1].removed);
    let decision = list(&id, ListEdit::Replace(0, r#"{"text":"best"}"#.into()));
    ours.write(actor(1), 3, &decision).expect("a decision");
    assert!(!notes(&ours)[0].removed);
}

#[test]
fn two_edits_of_one_item_both_show() {
    let (mut ours, mut theirs, id) = two_copies();
    let edit = |text: &str| list(&id, ListEdit::Replace(1, text.into()));
    let a = ours.write(actor(1), 2, &edit("1")).expect("an edit");
    let b = theirs.write(actor(2), 2, &edit("2")).expect("an edit");
    meet(&mut ours, a, &mut theirs, b);
    let after = notes(&ours);
    assert_eq!(after.len(), 2);
    let mut texts = vec![after[1].text.clone(), after[1].beside[0].text.clone()];
    texts.sort();
    assert_eq!(texts, ["1", "2"]);
}

#[test]
fn an_item_keeps_its_id_and_its_mark_over_an_epoch() {
    let (mut ours, mut theirs, id) = two_copies();
    let edit = list(&id, ListEdit::Replace(0, "1".into()));
    let a = ours.write(actor(1), 2, &edit).expect("an edit");
    let removal = list(&id, ListEdit::Remove(0));
    let b = theirs.write(actor(2), 2, &removal).expect("a removal");
    meet(&mut ours, a, &mut theirs, b);
    let before = notes(&ours);
    let (mut next, _) = ours
        .carry_over(actor(3), 9, &BTreeMap::new())
        .expect("a new epoch");
    assert_eq!(notes(&next), before);
    let decision = list(&id, ListEdit::Replace(0, "2".into()));
    let decided = next.write(actor(3), 10, &decision).expect("a decision");
    let after = notes(&next);
    assert_eq!(
        (&after[0].id, after[0].writer),
        (&before[0].id, decided.hash)
    );
    assert!(!after[0].removed);
}

#[test]
fn what_was_retracted_does_not_come_back_by_merging_or_in_a_new_epoch() {
    let (mut ours, mut theirs, id) = two_copies();
    let retract = [Edit::Retract {
        resource: id.clone(),
        reason: "wrong patient".into(),
    }];
    let a = ours.write(actor(1), 2, &retract).expect("a retraction");
    let edit = list(&id, ListEdit::Insert(0, "1".into()));
    let b = theirs.write(actor(2), 2, &edit).expect("an addition");
    meet(&mut ours, a, &mut theirs, b.clone());
    let held = ours.resources().remove(0);
    assert!(held.is_retracted());
    assert_eq!(held.retractions[0].concurrent, [b.hash]);
    let (mut next, _) = ours
        .carry_over(actor(3), 9, &BTreeMap::new())
        .expect("a new epoch");
    assert!(next.resources()[0].is_retracted());
    assert_eq!(next.resources()[0].retractions, held.retractions);
    next.write(actor(3), 10, &list(&id, ListEdit::Insert(0, "2".into())))
        .expect("a new statement");
    assert!(!next.resources()[0].is_retracted());
}

#[test]
fn siblings_outlive_an_epoch_and_a_decision_names_the_versions_of_the_old_one() {
    let (mut ours, mut theirs, id) = two_copies();
    let put = |text: &str| {
        [Edit::Put {
            resource: id.clone(),
            unit: "&".into(),
            text: format!(r#""status":"{text}""#),
        }]
    };
    let a = ours.write(actor(1), 2, &put("active")).expect("a write");
    let b = theirs.write(actor(2), 2, &put("stopped")).expect("a write");
    let mut inputs = vec![a.hash, b.hash];
    inputs.sort_unstable();
    meet(&mut ours, a, &mut theirs, b);
    let (mut next, _) = ours
        .carry_over(actor(3), 9, &BTreeMap::new())
        .expect("a new epoch");
    assert_eq!(next.resources()[0].siblings().count(), 1);
    next.write(actor(3), 10, &put("on-hold"))
        .expect("a decision");
    let held = next.resources().remove(0);
    assert_eq!(held.siblings().count(), 0);
    let group = held
        .units
        .iter()
        .find(|unit| unit.name == "&")
        .expect("the group");
    assert_eq!(group.decided, inputs);
}
