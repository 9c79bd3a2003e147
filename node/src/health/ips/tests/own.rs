//! What a record knows of what it gave out.

use kith_protocol::id::RecordId;
use serde_json::json;

use super::{RECORD, ada, penicillin, record, resources, summary};
use crate::health::ips::{
    SameEntry, is_own_summary, is_own_url, own_full_urls, same_summary_entry,
};

#[test]
fn a_record_knows_what_it_gave_out() {
    let sources = record(&[ada(), penicillin()]);
    let bundle = summary(&sources);
    assert!(is_own_summary(&bundle, &RECORD));
    assert!(is_own_summary(&bundle["entry"][0]["resource"], &RECORD));
    assert!(!is_own_summary(&bundle, &RecordId::from_bytes([8; 32])));
    let own = own_full_urls(&RECORD, &sources);
    for (url, resource) in resources(&bundle) {
        let same = same_summary_entry(&RECORD, &own, Some(&url), &resource.to_string());
        assert_eq!(same, SameEntry::Same, "{resource}");
    }
    let mut changed = resources(&bundle);
    let (url, allergy) = changed
        .iter_mut()
        .find(|(_, resource)| resource["resourceType"] == "AllergyIntolerance")
        .expect("an allergy");
    allergy["criticality"] = json!("high");
    let text = allergy.to_string();
    assert_eq!(
        same_summary_entry(&RECORD, &own, Some(url), &text),
        SameEntry::Changed
    );
    assert_eq!(
        same_summary_entry(&RECORD, &own, Some("urn:uuid:x"), &text),
        SameEntry::Foreign
    );
}

#[test]
fn what_was_given_out_once_is_known_for_ever() {
    let mut sources = record(&[ada(), penicillin()]);
    let mut other = penicillin();
    other["criticality"] = json!("high");
    sources[1].versions = vec![penicillin().to_string(), other.to_string()];
    let then = resources(&summary(&sources));
    sources[1].versions.clear();
    let own = own_full_urls(&RECORD, &sources);
    let mut found: Vec<SameEntry> = then
        .iter()
        .map(|(url, value)| same_summary_entry(&RECORD, &own, Some(url), &value.to_string()))
        .collect();
    found.retain(|same| *same != SameEntry::Same);
    assert_eq!(found, [SameEntry::Earlier]);
    let elsewhere = RecordId::from_bytes([8; 32]);
    for url in then.keys() {
        assert!(is_own_url(&RECORD, url) && !is_own_url(&elsewhere, url));
    }
}
