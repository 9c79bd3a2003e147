//! What holds of every summary.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{record, references, resources, summary};
use crate::health::ips::narrative::escape;

fn any_resource() -> impl Strategy<Value = Value> {
    let kinds = [
        "Patient",
        "Condition",
        "AllergyIntolerance",
        "Observation",
        "Practitioner",
    ];
    (0..kinds.len(), 0..4_u8, 0..4_u8, "[a-z<&]{0,4}").prop_map(move |(kind, id, to, word)| {
        json!({"resourceType": kinds[kind], "id": format!("{id}"), "code": {"text": word},
            "subject": {"reference": format!("Patient/{to}")},
            "performer": [{"reference": format!("Practitioner/{to}")}]})
    })
}

proptest! {
    #[test]
    fn the_same_record_gives_the_same_bytes_in_any_order(
        resources in proptest::collection::vec(any_resource(), 0..12),
        turn in 0..12_usize,
    ) {
        let sources = record(&resources);
        let mut turned = sources.clone();
        turned.reverse();
        turned.rotate_left(turn % sources.len().max(1));
        prop_assert_eq!(summary(&sources).to_string(), summary(&turned).to_string());
    }

    #[test]
    fn every_reference_leads_to_an_entry_and_every_entry_is_named_once(
        drawn in proptest::collection::vec(any_resource(), 0..12),
    ) {
        let bundle = summary(&record(&drawn));
        let held = resources(&bundle);
        let entries = bundle["entry"].as_array().expect("entries").len();
        prop_assert_eq!(held.len(), entries);
        for url in references(&bundle) {
            prop_assert!(held.contains_key(&url) || url.starts_with('#'), "{}", url);
        }
        let urls: BTreeSet<_> = held.keys().collect();
        prop_assert_eq!(urls.len(), entries);
    }

    #[test]
    fn escaped_text_has_no_markup(text in any::<String>()) {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        prop_assert!(escaped.split('&').skip(1).all(|rest| rest.contains(';')));
    }
}
