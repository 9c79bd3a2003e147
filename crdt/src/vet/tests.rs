use proptest::prelude::*;

use super::vet;
use crate::{
    document::Document,
    generated::{Authors, steps},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_change_that_is_written_passes_and_says_what_it_is(script in steps(3)) {
        let played = Authors::play(3, &script);
        for written in &played.written {
            let vetted = vet(&written.bytes).expect("an honest change");
            prop_assert_eq!(vetted.hash(), written.hash);
            prop_assert_eq!(&vetted, &written.vetted);
            let change = automerge::Change::from_bytes(written.bytes.clone()).expect("a change");
            prop_assert_eq!(vetted.deps(), change.deps());
            prop_assert_eq!(vetted.actor().0.to_vec(), change.actor_id().to_bytes());
            prop_assert_eq!(vetted.actor_seq(), change.seq());
            prop_assert_eq!(vetted.start_op(), change.start_op().get());
            prop_assert_eq!(vetted.op_count(), change.len() as u64);
            prop_assert_eq!(i64::try_from(vetted.time_ms()).ok(), Some(change.timestamp()));
        }
    }

    #[test]
    fn what_a_change_makes_is_what_the_document_holds_of_it(script in steps(3)) {
        let played = Authors::play(3, &script);
        let mut document = Document::new();
        for written in &played.written {
            document.take(std::slice::from_ref(&written.vetted)).expect("readable");
            let Some(creations) = written.vetted.creations() else {
                continue;
            };
            prop_assert_eq!(creations.len(), written.created.len());
            for (id, made) in written.created.iter().zip(creations) {
                prop_assert_eq!(document.resource(id), Some(made));
            }
        }
        // The first thing that is written makes a resource and does nothing else.
        prop_assert!(played.written[0].vetted.creations().is_some());
    }
}
