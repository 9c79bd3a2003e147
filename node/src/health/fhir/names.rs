//! What the references within a record lead to on this server.
//!
//! Ids mean nothing outside the file that they came in (decision 0097): of several things by one
//! name the one is meant that came with what names it, and where that is not clear nothing is.

use std::collections::BTreeMap;

use crate::health::search::{Param, Row};

/// One resource, as others name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its type.
    pub kind: String,
    /// Its id on this server.
    pub id: String,
    batch: (u64, u32),
}

/// Every name by which something in a record can be meant.
#[derive(Default)]
pub struct Names {
    known: Vec<Name>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Names {
    /// Of these rows, each with its id on this server.
    pub fn of<'r>(rows: impl IntoIterator<Item = (&'r Row, String)>) -> Self {
        let mut names = Self::default();
        for (row, id) in rows {
            let place = names.known.len();
            for name in written(row, &id) {
                let places = names.by_name.entry(name).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            names.known.push(Name {
                kind: row.kind.clone(),
                id,
                batch: row.batch,
            });
        }
        names
    }

    /// `Type/id` of what a reference leads to, in something that came with an import.
    pub fn resolve(&self, reference: &str, batch: (u64, u32)) -> Option<String> {
        let reference = reference.split("/_history/").next().unwrap_or(reference);
        let exact = self.by_name.get(reference);
        let places = exact.or_else(|| self.by_name.get(&local(reference)?))?;
        let found = self.nearest(places, batch)?;
        Some(format!("{}/{}", found.kind, found.id))
    }

    fn nearest(&self, places: &[usize], batch: (u64, u32)) -> Option<&Name> {
        let found: Vec<_> = places.iter().filter_map(|at| self.known.get(*at)).collect();
        if let [one] = found.as_slice() {
            return Some(one);
        }
        let with_it: Vec<_> = found.iter().filter(|name| name.batch == batch).collect();
        if let [one] = with_it.as_slice() {
            return Some(one);
        }
        // Every Patient of a record is its person.
        let are_patients = found.iter().all(|name| name.kind == "Patient");
        found.first().copied().filter(|_| are_patients)
    }
}

fn written(row: &Row, id: &str) -> Vec<String> {
    let mut names = vec![format!("{}/{id}", row.kind)];
    names.extend(row.full_url.clone());
    if let Some(native) = &row.native_id {
        names.push(format!("{}/{native}", row.kind));
        names.push(format!("urn:uuid:{native}"));
    }
    let identifiers = row
        .tokens
        .iter()
        .filter(|token| token.param == Param::Identifier);
    names.extend(identifiers.filter_map(|token| {
        let system = token.system.as_deref()?;
        Some(format!("{}?identifier={system}|{}", row.kind, token.code))
    }));
    names.dedup();
    names
}

/// `Type/id` of an absolute URL.
fn local(reference: &str) -> Option<String> {
    let mut parts = reference.rsplit('/');
    let id = parts.next()?;
    let kind = parts.next()?;
    Some(format!("{kind}/{id}"))
}
