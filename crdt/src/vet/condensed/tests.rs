use proptest::prelude::*;

use super::Condensed;
use crate::{
    Body, Meta, Resource, Section,
    document::{Actor, Document, Edit},
    generated::{Authors, steps},
    incoming, samples,
    vet::vet,
};

const ACTOR: Actor = Actor([7; 16]);

/// A record's resources as one document's, several changes of them.
fn changes(seed: u64, together: usize) -> Vec<Vec<u8>> {
    let bundle = samples::sample_bundle(seed, 0, 60);
    let read = incoming::read(bundle.as_bytes(), 16 * 1024).expect("a sample");
    let edits: Vec<_> = read
        .resources
        .iter()
        .map(|resource| {
            Edit::Create(Resource {
                meta: Meta {
                    kind: resource.kind().to_owned(),
                    ..Meta::default()
                },
                body: Body::parse(&resource.text, Section::Results).expect("JSON"),
            })
        })
        .collect();
    let mut document = Document::new();
    let write = |edits: &[Edit]| {
        let written = document.write(ACTOR, 1_700_000_000_000, edits);
        written.expect("written").bytes
    };
    edits.chunks(together).map(write).collect()
}

#[test]
fn what_is_imported_is_made_again_to_the_byte_and_is_shorter() {
    for together in [1, 7, 1000] {
        for bytes in changes(3, together) {
            let condensed = Condensed::of(&bytes, &ACTOR).expect("it only makes resources");
            let again = condensed.expand(&ACTOR).expect("it was condensed");
            assert!(again == bytes);
            assert!(condensed.made.len() < bytes.len());
        }
    }
}

#[test]
fn by_another_actor_it_is_another_change() {
    let bytes = changes(3, 7).remove(0);
    let condensed = Condensed::of(&bytes, &ACTOR).expect("it only makes resources");
    let other = condensed.expand(&Actor([8; 16])).expect("a change");
    assert!(other != bytes);
    assert!(vet(&other).is_ok());
}

#[test]
fn a_short_text_makes_no_long_change() {
    let condensed = |made| Condensed {
        deps: Vec::new(),
        actor_seq: 1,
        start_op: 1,
        time_ms: 0,
        one_by_one: false,
        made,
    };
    let resources = |count| condensed("\x1fR".repeat(count)).expand(&ACTOR);
    assert!(resources(100).is_some_and(|bytes| bytes.len() > 2500));
    assert_eq!(resources(60_000), None);
    assert_eq!(resources(1 << 20), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_change_that_only_makes_resources_comes_back(script in steps(3)) {
        let played = Authors::play(3, &script);
        for written in &played.written {
            match Condensed::of(&written.bytes, &written.vetted.actor()) {
                Some(condensed) => {
                    prop_assert!(written.vetted.creations().is_some());
                    let actor = written.vetted.actor();
                    prop_assert_eq!(condensed.expand(&actor), Some(written.bytes.clone()));
                }
                None => prop_assert!(written.vetted.creations().is_none()),
            }
        }
    }

    #[test]
    fn any_text_is_refused_or_makes_one_change(
        pieces in proptest::collection::vec(("[A-Z]|[ROMNTLI]", "(\"[a-z$]{0,3}\":)?[a-z$\"]{0,4}"), 0..24),
        one_by_one: bool,
    ) {
        let made: String = pieces.iter().flat_map(|(what, said)| ["\x1f", what, said]).collect();
        let condensed = Condensed {
            deps: Vec::new(),
            actor_seq: 1,
            start_op: 1,
            time_ms: 0,
            one_by_one,
            made,
        };
        if let Some(bytes) = condensed.expand(&ACTOR)
            && let Ok(vetted) = vet(&bytes)
        {
            prop_assert_eq!(vetted.actor(), ACTOR);
            let again = Condensed::of(&bytes, &ACTOR);
            prop_assert!(again.is_some_and(|again| again.expand(&ACTOR) == Some(bytes)));
        }
    }
}
