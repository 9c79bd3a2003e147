//! Hostile bytes: the found inputs, seeded mutations of an honest change, truncations.

use std::{
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    sync::Once,
};

use sha2::{Digest, Sha256};

use super::{MAGIC, OPERATIONS_FREE, Refusal, vet};
use crate::{
    Document, Edit,
    document::{ListEdit, ResourceId, guard},
    generated::{actor, prescription},
};

/// Panics inside the guard are expected here and say nothing.
fn quiet() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !guard::is_guarded() {
                loud(info);
            }
        }));
    });
}

/// The folder of found inputs, or nothing where it may be missing.
fn corpus() -> Option<PathBuf> {
    let given = env::var_os("KITH_TEST_DATA").map(PathBuf::from);
    let beside = ["../../shared/data", "../shared/data"].map(PathBuf::from);
    let folders = given.into_iter().chain(beside);
    let found = folders
        .map(|folder| folder.join("hostile/automerge"))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        assert!(
            env::var_os("KITH_TEST_DATA_REQUIRED").is_none_or(|required| required != "1"),
            "the hostile corpus is required and not there: set KITH_TEST_DATA"
        );
        eprintln!("SKIPPED: no hostile corpus; set KITH_TEST_DATA to the folder of test data");
    }
    found
}

#[test]
fn every_found_input_is_refused_and_none_opens_as_a_document_that_panics() {
    quiet();
    let Some(folder) = corpus() else { return };
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        assert!(vet(&bytes).is_err(), "{} passes", path.display());
        files += 1;
    }
    assert!(files >= 40, "only {files} found inputs");
}

/// A document and a change on top of it that uses every kind of operation.
fn honest() -> (Document, Vec<u8>) {
    let mut document = Document::new();
    let create: Vec<_> = (0..3).map(|n| Edit::Create(prescription(n, 3))).collect();
    let first = document.write(actor(1), 1_700_000_000_000, &create);
    let id = first.expect("a first write").created[0].clone();
    let before = document.clone();
    let edits = all_kinds(&id);
    let written = document.write(actor(2), 1_700_000_000_001, &edits);
    (before, written.expect("a second write").bytes)
}

fn all_kinds(id: &ResourceId) -> Vec<Edit> {
    let list = |unit: &str, edits: Vec<ListEdit>| Edit::List {
        resource: id.clone(),
        unit: unit.into(),
        edits,
    };
    vec![
        Edit::Put {
            resource: id.clone(),
            unit: "&".into(),
            text: r#""status":"stopped""#.into(),
        },
        list(
            "note",
            vec![
                ListEdit::Insert(1, r#"{"text":"new"}"#.into()),
                ListEdit::Replace(0, r#"{"text":"other"}"#.into()),
                ListEdit::Remove(2),
            ],
        ),
        list(
            "identifier",
            vec![ListEdit::Insert(0, r#"{"value":"1"}"#.into())],
        ),
        Edit::Clear {
            resource: id.clone(),
            unit: "authoredOn".into(),
        },
        Edit::Retract {
            resource: id.clone(),
            reason: "wrong drug".into(),
        },
        Edit::Create(prescription(4, 2)),
    ]
}

/// A generator that gives the same numbers for the same seed (splitmix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let bound = u64::try_from(bound).expect("a small bound");
        usize::try_from(z % bound).expect("below the bound")
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }
}

/// Writes a chunk around a content, as an author who is hostile would.
fn chunk(content: &[u8]) -> Vec<u8> {
    let mut hashed = vec![1];
    let mut len = content.len();
    while len >= 0x80 {
        hashed.push(u8::try_from(len & 0x7f).expect("seven bits") | 0x80);
        len >>= 7;
    }
    hashed.push(u8::try_from(len).expect("seven bits"));
    hashed.extend(content);
    let hash = Sha256::digest(&hashed);
    [MAGIC.as_slice(), &hash[..4], &hashed].concat()
}

fn content(bytes: &[u8]) -> &[u8] {
    match super::chunk(bytes) {
        Ok(chunk) => chunk.content,
        Err(refusal) => panic!("an honest chunk: {refusal}"),
    }
}

fn mutated(content: &[u8], random: &mut Seeded) -> Vec<u8> {
    let mut content = content.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(content.len());
        match random.below(6) {
            0 | 1 => content[at] ^= 1 << random.below(8),
            2 => content[at] = random.byte(),
            3 => content.insert(at, random.byte()),
            4 => {
                content.remove(at);
            }
            _ => {
                let end = (at + 1 + random.below(8)).min(content.len());
                let copy = content[at..end].to_vec();
                let to = random.below(content.len());
                content.splice(to..to, copy);
            }
        }
    }
    content
}

#[derive(Debug, Default, PartialEq)]
struct Counts {
    honest: usize,
    refused: usize,
    set_aside: usize,
    accepted: usize,
}

/// Takes bytes as a node does, and checks what must hold whatever they are.
fn take(before: &Document, honest: &[u8], bytes: &[u8], counts: &mut Counts) {
    if bytes == honest {
        counts.honest += 1;
        return;
    }
    let Ok(vetted) = vet(bytes) else {
        counts.refused += 1;
        return;
    };
    let mut document = before.clone();
    match document.take(std::slice::from_ref(&vetted)) {
        Err(unreadable) => {
            counts.set_aside += 1;
            assert_eq!(unreadable.change, vetted.hash());
            assert_eq!(document.heads(), before.heads());
        }
        Ok(()) => {
            counts.accepted += 1;
            assert!(document.holds(&vetted.hash()));
            let again = Document::load(&document.save()).expect("what was taken in loads again");
            assert_eq!(again.resources(), document.resources());
        }
    }
}

#[test]
fn mutations_with_a_right_checksum_never_panic_and_never_spoil_a_document() {
    quiet();
    let (before, bytes) = honest();
    let mutations = env::var("KITH_MUTATIONS").ok();
    let mutations = mutations.map_or(10_000, |count| count.parse().expect("a number"));
    let mut random = Seeded(7);
    let mut counts = Counts::default();
    for n in 0..mutations {
        let bytes_n = chunk(&mutated(content(&bytes), &mut random));
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            take(&before, &bytes, &bytes_n, &mut counts);
        }));
        assert!(outcome.is_ok(), "mutation {n} of seed 7: {bytes_n:02x?}");
    }
    println!("{mutations} mutations: {counts:?}");
    let sum = counts.honest + counts.refused + counts.set_aside + counts.accepted;
    assert_eq!(sum, mutations);
    assert!(counts.refused > mutations / 2);
    assert!(
        counts.accepted > 0,
        "a change of a text is a change like another"
    );
}

#[test]
fn every_flipped_bit_is_refused_set_aside_or_taken_whole() {
    quiet();
    let (before, bytes) = honest();
    let content = content(&bytes);
    let mut counts = Counts::default();
    for bit in 0..content.len() * 8 {
        let mut flipped = content.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        take(&before, &bytes, &chunk(&flipped), &mut counts);
    }
    println!("{} flipped bits: {counts:?}", content.len() * 8);
    let sum = counts.honest + counts.refused + counts.set_aside + counts.accepted;
    assert_eq!(sum, content.len() * 8);
}

#[test]
fn every_truncation_is_refused_also_under_a_right_checksum() {
    let (_, bytes) = honest();
    for end in 0..bytes.len() {
        assert!(vet(&bytes[..end]).is_err());
    }
    let content = content(&bytes);
    for end in 0..content.len() {
        assert!(vet(&chunk(&content[..end])).is_err(), "{end}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(vet(&longer), Err(Refusal::Trailing));
    let longer = [content, &[0]].concat();
    assert_eq!(vet(&chunk(&longer)), Err(Refusal::Trailing));
}

#[test]
fn a_wrong_checksum_is_refused_though_automerge_does_not_look_at_it() {
    let (_, mut bytes) = honest();
    bytes[5] ^= 1;
    assert_eq!(vet(&bytes), Err(Refusal::Checksum));
}

#[test]
fn other_chunks_are_refused() {
    let (document, bytes) = honest();
    assert_eq!(vet(&document.save()), Err(Refusal::ChunkType(0)));
    let mut compressed = bytes.clone();
    compressed[8] = 2;
    assert_eq!(vet(&compressed), Err(Refusal::ChunkType(2)));
}

/// A first change of one resource whose columns claim so many deletions in ten bytes.
fn short_and_huge(operations: u64) -> Vec<u8> {
    let mut content = vec![0, 16];
    content.extend([9; 16]);
    content.extend([1, 10, 0, 0, 0]);
    let run = |value: u8| {
        let mut run = Vec::new();
        let mut left = operations;
        while left >= 0x40 {
            run.push(u8::try_from(left & 0x7f).expect("seven bits") | 0x80);
            left >>= 7;
        }
        run.push(u8::try_from(left).expect("six bits"));
        run.push(value);
        run
    };
    let insert = run(0)[..run(0).len() - 1].to_vec();
    let columns = [
        (0x01, run(0)),
        (0x02, run(1)),
        (0x11, run(0)),
        (0x13, run(1)),
        (0x34, insert),
        (0x42, run(3)),
        (0x56, run(0)),
        (0x70, run(0)),
    ];
    content.push(u8::try_from(columns.len()).expect("few columns"));
    for (spec, data) in &columns {
        content.extend([*spec, u8::try_from(data.len()).expect("short columns")]);
    }
    content.extend(columns.into_iter().flat_map(|(_, data)| data));
    chunk(&content)
}

#[test]
fn a_million_operations_in_a_hundred_bytes_are_refused_at_the_first() {
    let bytes = short_and_huge(1_000_000);
    assert!(bytes.len() < 110);
    assert_eq!(vet(&bytes), Err(Refusal::Replaces));
}

#[test]
fn operations_are_counted_before_they_cost_anything() {
    let mut document = Document::new();
    let first = document.write(actor(1), 1, &[Edit::Create(prescription(0, 1))]);
    let id = first.expect("a first write").created[0].clone();
    let list = |edits: Vec<ListEdit>| {
        [Edit::List {
            resource: id.clone(),
            unit: "note".into(),
            edits,
        }]
    };
    let many = OPERATIONS_FREE * 2;
    let insert = (0..many).map(|_| ListEdit::Insert(0, "1".into())).collect();
    document
        .write(actor(1), 2, &list(insert))
        .expect("as many operations as bytes");
    let remove = |count| (0..count).map(|_| ListEdit::Remove(0)).collect();
    let before = document.heads();
    let refused = document.write(actor(1), 3, &list(remove(many)));
    assert!(matches!(
        refused,
        Err(crate::document::EditError::Refused(
            Refusal::ManyOperations(_)
        ))
    ));
    assert_eq!(document.heads(), before);
    document
        .write(actor(1), 3, &list(remove(OPERATIONS_FREE)))
        .expect("a long list taken away in steps");
}

#[test]
fn nobody_makes_a_resource_under_the_id_of_another() {
    let mut ours = Document::new();
    let first = ours.write(actor(1), 1, &[Edit::Create(prescription(0, 1))]);
    let bytes = first.expect("a first write").bytes;
    let content = content(&bytes);
    let mut theirs = content.to_vec();
    theirs[2..18].fill(2);
    assert_eq!(vet(&chunk(&theirs)), Err(Refusal::ResourceId));
}
