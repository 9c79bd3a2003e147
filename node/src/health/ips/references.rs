//! What a reference of a received resource leads to within the record.

use std::collections::BTreeMap;

use serde_json::Value;

use super::held::Entry;

/// Where a reference leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To the person whose record it is.
    Subject,
    /// To an entry, by its place.
    Entry(usize),
    /// To nothing that the record holds, or to several things that cannot be told apart.
    Nothing,
}

/// Every name by which an entry can be meant.
pub(super) struct References<'a> {
    entries: &'a [Entry<'a>],
    by_name: BTreeMap<String, Vec<usize>>,
}

impl<'a> References<'a> {
    pub(super) fn of(entries: &'a [Entry<'a>]) -> Self {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            for name in names(entry) {
                let places = by_name.entry(name).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self { entries, by_name }
    }

    /// Where `reference` leads in the resource at `from`.
    pub(super) fn resolve(&self, reference: &str, from: &Entry<'_>) -> Target {
        let reference = reference.split("/_history/").next().unwrap_or(reference);
        let exact = self.by_name.get(reference);
        let places = exact.or_else(|| self.by_name.get(&local(reference)?));
        match places.and_then(|places| self.nearest(places, from)) {
            Some(place) if self.entries[place].kind() == "Patient" => Target::Subject,
            Some(place) => Target::Entry(place),
            None => Target::Nothing,
        }
    }

    /// Of several resources by one name, the one that came with the resource that names it. Ids
    /// mean nothing outside the file that they came in, so nothing is guessed.
    fn nearest(&self, places: &[usize], from: &Entry<'_>) -> Option<usize> {
        let first_versions: Vec<usize> = self.one_version_each(places);
        let came_with = |place: &&usize| {
            let source = self.entries[**place].source;
            source.author == from.source.author && source.arrived_ms == from.source.arrived_ms
        };
        let same_author =
            |place: &&usize| self.entries[**place].source.author == from.source.author;
        let only = |found: Vec<&usize>| (found.len() == 1).then(|| *found[0]);
        only(first_versions.iter().collect())
            .or_else(|| only(first_versions.iter().filter(came_with).collect()))
            .or_else(|| only(first_versions.iter().filter(same_author).collect()))
            .or_else(|| self.all_patients(&first_versions))
    }

    /// The first readable version of each resource stands for all of them. Versions of one resource
    /// stand beside each other.
    fn one_version_each(&self, places: &[usize]) -> Vec<usize> {
        let mut kept: Vec<usize> = Vec::new();
        for place in places {
            let same = |held: &usize| {
                let (one, other) = (self.entries[*held].source, self.entries[*place].source);
                one.document == other.document && one.resource == other.resource
            };
            if !kept.last().is_some_and(same) {
                kept.push(*place);
            }
        }
        kept
    }

    /// Every Patient of a record is the person whose record it is.
    fn all_patients(&self, places: &[usize]) -> Option<usize> {
        let patients = places
            .iter()
            .all(|place| self.entries[*place].kind() == "Patient");
        places.first().copied().filter(|_| patients)
    }
}

fn names(entry: &Entry<'_>) -> Vec<String> {
    let mut names: Vec<String> = entry.source.full_url.iter().cloned().collect();
    let native = entry.source.native_id.as_deref();
    let native = native.or_else(|| entry.received.get("id").and_then(Value::as_str));
    if let Some(id) = native {
        names.push(format!("{}/{id}", entry.kind()));
        names.push(format!("urn:uuid:{id}"));
    }
    names.extend(identifiers(entry));
    names
}

/// `Practitioner?identifier=system|value`, as a conditional reference writes it.
fn identifiers<'e>(entry: &'e Entry<'_>) -> impl Iterator<Item = String> + 'e {
    let identifiers = entry.received.get("identifier").and_then(Value::as_array);
    identifiers.into_iter().flatten().filter_map(|identifier| {
        let system = identifier.get("system")?.as_str()?;
        let value = identifier.get("value")?.as_str()?;
        Some(format!("{}?identifier={system}|{value}", entry.kind()))
    })
}

/// `Type/id` of an absolute URL.
fn local(reference: &str) -> Option<String> {
    let mut parts = reference.rsplit('/');
    let id = parts.next()?;
    let kind = parts.next()?;
    Some(format!("{kind}/{id}"))
}
