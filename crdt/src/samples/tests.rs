//! What every sample keeps to.

use std::collections::BTreeSet;

use super::{Sample, TODAY, sample, sample_bundle, twins};
use crate::{
    Label, Section,
    classify::{self, LabelRules},
    flag::{flags, is_nhs_number},
    incoming::{self, FileKind, Incoming},
    person::Person,
    resource::Body,
};

const SEED: u64 = 2026;
const INLINE_LEN_MAX: usize = 1 << 20;

fn read(text: &str) -> Incoming {
    let file = incoming::read(text.as_bytes(), INLINE_LEN_MAX).expect("JSON");
    assert_eq!(file.kind, FileKind::Bundle("collection".into()));
    file
}

fn population(count: u32) -> impl Iterator<Item = Sample> {
    (0..count).map(|number| sample(SEED, number))
}

fn files(count: u32) -> impl Iterator<Item = Incoming> {
    population(count).flat_map(|sample| sample.bundles.into_iter().map(|b| read(&b.text)))
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let mut hasher = blake3::Hasher::new();
    for sample in population(12).chain(twins(SEED)) {
        sample.bundles.iter().for_each(|bundle| {
            hasher.update(bundle.text.as_bytes());
        });
        sample.daily.iter().for_each(|entry| {
            hasher.update(entry.text.as_bytes());
        });
    }
    for number in 0..12 {
        hasher.update(sample_bundle(SEED, number, 60).as_bytes());
    }
    assert_eq!(hasher.finalize().to_hex().as_str(), GOLDEN);
}

/// Changes only with a change of the generator that is meant.
const GOLDEN: &str = "7c6c7c9d1c1e27508f464f774cb758e72391babd02a4aaa435d524cd890de588";

#[test]
fn every_section_and_every_label_occurs() {
    let rules = LabelRules::default();
    let (mut sections, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for resource in files(200).flat_map(|file| file.resources) {
        let label = rules.label(&resource.value);
        let says_so = resource.value.pointer("/meta/security").is_some();
        assert_eq!(label != Label::general(), says_so, "{}", resource.text);
        sections.insert(classify::section(&resource.value));
        labels.insert(label);
    }
    assert_eq!(sections, BTreeSet::from(Section::ALL));
    assert_eq!(labels, BTreeSet::from(Label::built_in()));
}

#[test]
fn all_references_lead_somewhere() {
    for sample in population(25).chain(twins(SEED)) {
        for bundle in &sample.bundles {
            let file = read(&bundle.text);
            let urls: BTreeSet<_> = file
                .resources
                .iter()
                .filter_map(|r| r.full_url.as_deref())
                .collect();
            assert_eq!(urls.len(), file.resources.len(), "an id stands twice");
            for resource in &file.resources {
                for reference in resource.references() {
                    assert!(urls.contains(reference), "{}", resource.text);
                }
            }
        }
        the_daily_entries_lead_into_a_bundle(&sample);
    }
}

fn the_daily_entries_lead_into_a_bundle(sample: &Sample) {
    for entry in &sample.daily {
        let bundle = sample.bundles.iter().find(|b| b.from == entry.from);
        let known = &bundle.expect("the source sent a bundle").text;
        let file = incoming::read(entry.text.as_bytes(), INLINE_LEN_MAX).expect("JSON");
        for reference in file.resources[0].references() {
            assert!(known.contains(&format!("\"fullUrl\":\"{reference}\"")));
        }
        assert!(!known.contains(&entry.full_url), "it is new");
        assert!(entry.day >= TODAY.to_string());
    }
}

#[test]
fn nothing_is_odd_and_everything_comes_back_as_it_was() {
    for file in files(25) {
        for resource in file.resources {
            assert_eq!(flags(&resource), []);
            let section = classify::section(&resource.value);
            let body = Body::parse(&resource.text, section).expect("JSON");
            assert_eq!(body.to_text(), resource.text);
        }
    }
}

#[test]
fn text_has_no_space_between_tokens() {
    for sample in population(20) {
        for bundle in &sample.bundles {
            assert_eq!(crate::json::minify(&bundle.text), bundle.text);
        }
    }
}

#[test]
fn nothing_was_written_after_today() {
    for resource in files(25).flat_map(|file| file.resources) {
        let written = resource
            .value
            .pointer("/meta/lastUpdated")
            .and_then(|v| v.as_str());
        assert!(
            written.expect("all have it") < TODAY.to_string().as_str(),
            "{}",
            resource.text
        );
    }
}

#[test]
fn zeros_at_the_end_of_a_dose_are_there() {
    let texts: String = population(25)
        .flat_map(|s| s.bundles)
        .map(|b| b.text)
        .collect();
    for number in ["\"value\":2.50,", "\"value\":1.0,", "\"value\":0.50,"] {
        assert!(texts.contains(number), "{number}");
    }
}

#[test]
fn some_letters_are_long() {
    let long = files(60)
        .flat_map(|file| file.resources)
        .filter(|resource| resource.text.len() > 16 * 1024)
        .count();
    assert!((1..30).contains(&long), "{long}");
}

#[test]
fn every_source_says_who_it_is_about() {
    for sample in population(25) {
        assert!(is_nhs_number(&sample.person.nhs_number));
        for bundle in &sample.bundles {
            let person = person_in(&bundle.text);
            assert_eq!(person.nhs_number(), Some(sample.person.nhs_number.as_str()));
            assert_eq!(person.birth_date, sample.person.birth_date);
        }
    }
}

fn person_in(bundle: &str) -> Person {
    let file = read(bundle);
    let patient = file.resources.iter().find(|r| r.kind() == "Patient");
    let patient = patient.expect("a bundle has a Patient");
    Person::of(&patient.value, patient.full_url.as_deref())
}

#[test]
fn twins_share_a_number_in_one_source_by_mistake() {
    let [first, second] = twins(SEED);
    let wrong: Vec<_> = second
        .bundles
        .iter()
        .filter(|b| person_in(&b.text).nhs_number() == Some(&first.person.nhs_number))
        .map(|b| b.from)
        .collect();
    assert_eq!(wrong, [super::Kind::Hospital]);
    assert_ne!(first.person.nhs_number, second.person.nhs_number);
    let same = person_in(&first.bundles[0].text).is_surely(&person_in(&second.bundles[0].text));
    assert!(!same);
}

#[test]
fn a_bundle_has_the_size_that_was_asked_for() {
    for (number, count) in [(0, 60), (1, 60), (2, 60), (3, 60), (4, 300), (5, 1000)] {
        let text = sample_bundle(SEED, number, count);
        let file = read(&text);
        assert_eq!(file.resources.len(), count);
        assert!((850..1900).contains(&(text.len() / count)), "{number}");
        let urls: BTreeSet<_> = file
            .resources
            .iter()
            .filter_map(|r| r.full_url.as_deref())
            .collect();
        for resource in &file.resources {
            assert!(resource.references().iter().all(|to| urls.contains(to)));
        }
    }
}

#[test]
fn a_resource_is_about_a_kilobyte() {
    let total: usize = (0..30).map(|n| sample_bundle(SEED, n, 60).len()).sum();
    let each = total / (30 * 60);
    assert!((900..1400).contains(&each), "{each} bytes a resource");
}
