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

fn first(one_by_one: bool, made: &str) -> Condensed {
    Condensed {
        deps: Vec::new(),
        actor_seq: 1,
        start_op: 1,
        time_ms: 0,
        one_by_one,
        made: made.replace('|', "\u{1f}"),
    }
}

/// What kith says of a resource itself, as short as it is read.
const META: &str = r#"{"t":"x","b":[0,0],"n":0}"#;

#[test]
fn a_change_is_condensed_in_one_way() {
    let members = r#"|Oa,b|M"a":1|Nb|T"c":2|Ld|I{}|I{}"#;
    let one = format!("|R{META}{members}");
    let is_read = |one_by_one, made: &str| {
        let bytes = first(one_by_one, made).expand(&ACTOR);
        bytes.is_some_and(|bytes| vet(&bytes).is_ok())
    };
    assert!(is_read(false, &one));
    assert!(is_read(false, &format!("{one}{one}")) && is_read(true, &format!("{one}{one}")));
    assert!(!is_read(true, &one), "of one resource both are the same");
    for other in [
        // Members out of order, or twice.
        r#"|M"b":1|M"a":1"#,
        r#"|M"a":1|M"a":1"#,
        // By name, what says its name itself or has a letter of its own.
        r#"|Na|T"a":1"#,
        "|N$o|Ta",
        r#"|M"$o":1"#,
        "|N$|T{}",
        // A name without a text, a text without a name, an item without a list.
        "|Na",
        "|Ta",
        "|Ia",
        r#"|M"a":1|I{}"#,
        "|Xa",
        "|",
    ] {
        let made = format!("|R{META}{other}");
        assert_eq!(first(false, &made).expand(&ACTOR), None, "{other}");
    }
    assert_eq!(first(false, &format!("x|R{META}")).expand(&ACTOR), None);
}

#[test]
fn a_short_text_makes_no_long_change() {
    let resources = |count| first(false, &"|R".repeat(count)).expand(&ACTOR);
    assert!(resources(100).is_some_and(|bytes| bytes.len() > 2500));
    assert_eq!(resources(60_000), None);
    assert_eq!(resources(1 << 20), None);
    // An honest one is far from the bound, also where it says as little as can be.
    for made in [
        format!("|R{META}").repeat(1000),
        format!(r#"|R{META}|M"a":1"#).repeat(1000),
        format!("|R{META}|La{}", "|I1".repeat(1000)),
    ] {
        let condensed = first(false, &made);
        let bytes = condensed.expand(&ACTOR).expect("honest");
        assert!(vet(&bytes).is_ok());
        assert!(bytes.len() < 3 * condensed.made.len(), "{}", bytes.len());
    }
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
    fn any_text_is_refused_or_the_one_spelling_of_a_change(
        resources in proptest::collection::vec(proptest::collection::vec(piece(), 0..6), 1..4),
        one_by_one: bool,
    ) {
        let resource = |pieces: &Vec<String>| format!("|R{META}{}", pieces.concat());
        let made: String = resources.iter().map(resource).collect();
        let condensed = first(one_by_one, &made);
        if let Some(bytes) = condensed.expand(&ACTOR)
            && vet(&bytes).is_ok()
        {
            prop_assert_eq!(Condensed::of(&bytes, &ACTOR), Some(condensed));
        }
    }
}

/// A piece of a text; most of them have a meaning.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\|M\"[a-d]\":[0-9]",
        2 => "\\|L[e-h](\\|I[0-9]){0,2}",
        1 => "\\|N[i-k]\\|T\"[a-k]\":[0-9]",
        1 => "\\|O[a-d](,[a-d])?",
        1 => "\\|[A-Z][a-z$\"]{0,3}",
    ]
}
