//! Samples: made-up people of the United Kingdom, the same on every machine.
//!
//! A population is named by a seed. Person `number` of it has one life, decided first; then each
//! organisation that knows the person writes a FHIR R4 Bundle of its own about it, with its own
//! ids. Choices come from named streams, so that a new field shifts nothing else. The world stands
//! still on 1 November 2026. All of it is invented: names of places and organisations, postcodes in
//! areas that do not exist, NHS numbers of the test range 999, telephone numbers kept for drama.
//! Codes are used where they are sure; elsewhere there is text alone.
//!
//! ```
//! let ada = kith_crdt::samples::sample(7, 0);
//! assert_eq!(ada, kith_crdt::samples::sample(7, 0));
//! assert!(ada.bundles.len() >= 4);
//! ```

mod allergies;
mod circle;
mod conditions;
mod daily;
mod day;
mod drugs;
mod encounters;
mod forms;
mod identity;
mod immunisations;
mod letters;
mod life;
mod medicines;
mod monitoring;
mod names;
mod organisations;
mod page;
mod person;
mod plans;
mod problems;
mod results;
mod stream;
mod tasks;
mod whole;

use day::TODAY;
use life::Life;
use page::Page;

pub use organisations::{Kind, SampleOrganisation};
pub use person::{SampleCarer, SamplePerson};

/// A made-up person and what is written about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Who it is.
    pub person: SamplePerson,
    /// Who knows them.
    pub organisations: Vec<SampleOrganisation>,
    /// What each of the organisations sends, in the same order.
    pub bundles: Vec<SampleBundle>,
    /// What carers and devices add in the fortnight after, in order of time. Empty for people who
    /// have neither.
    pub daily: Vec<SampleEntry>,
}

/// What one organisation sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleBundle {
    /// What kind of organisation it is.
    pub from: Kind,
    /// A FHIR R4 Bundle of type `collection`, without space between tokens.
    pub text: String,
}

/// One resource that is added after the bundles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleEntry {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// The organisation whose bundle its references lead to.
    pub from: Kind,
    /// Its full URL.
    pub full_url: String,
    /// A FHIR R4 resource, without space between tokens.
    pub text: String,
}

/// Person `number` of the population `seed`.
pub fn sample(seed: u64, number: u32) -> Sample {
    told(Life::of(seed, number))
}

/// Twins of the population `seed`: the same family name, birth date and address, and in the
/// hospital's bundle of the second the NHS number of the first, by mistake.
pub fn twins(seed: u64) -> [Sample; 2] {
    let (first, second) = (u32::MAX - 1, u32::MAX);
    let first = Life::of(seed, first);
    let mut twin = Life::lived_by(first.person.twin(seed, second), seed, second);
    twin.mistaken_nhs_number = Some(first.person.nhs_number.clone());
    [told(first), told(twin)]
}

/// One Bundle of `resources` resources (10 at least) of 1 to 1.4 KB each about person `number`, as if a
/// single source had written everything.
pub fn sample_bundle(seed: u64, number: u32, resources: usize) -> String {
    let life = Life::of(seed, number);
    let source = SampleOrganisation::of(seed, number, Kind::Practice);
    let mut page = Page::new(&life, &source);
    whole::write_all(&mut page, resources);
    let kept = whole::chosen(&page, resources);
    page.bundle(|n| kept[n])
}

fn told(life: Life) -> Sample {
    let organisations = life.organisations();
    let bundles = organisations
        .iter()
        .map(|source| SampleBundle {
            from: source.kind,
            text: page(&life, source).bundle(|_| true),
        })
        .collect();
    Sample {
        daily: daily(&life, &organisations),
        bundles,
        organisations,
        person: life.person,
    }
}

fn page<'a>(life: &'a Life, source: &'a SampleOrganisation) -> Page<'a> {
    let mut page = Page::new(life, source);
    whole::write(&mut page);
    page
}

fn daily(life: &Life, organisations: &[SampleOrganisation]) -> Vec<SampleEntry> {
    const DAYS: i32 = 14;
    let kind = whole::daily_kind(life);
    let Some(source) = organisations.iter().find(|source| source.kind == kind) else {
        return Vec::new();
    };
    let on = |n| {
        let mut page = Page::new(life, source);
        whole::write_day(&mut page, n);
        page.entries.into_iter().map(move |entry| SampleEntry {
            day: TODAY.on(n).to_string(),
            from: kind,
            full_url: entry.full_url,
            text: entry.resource.to_string(),
        })
    };
    (0..DAYS).flat_map(on).collect()
}

#[cfg(test)]
mod tests;
