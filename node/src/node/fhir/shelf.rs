//! What an app may see of a record at this moment: a row for each thing, in the order of their ids.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::{DocumentId, Label};
use kith_protocol::{consent::Reader, id::EventId, record::Record, store::Item};

use super::{App, ended};
use crate::{
    health::{
        fhir::{Names, Outcome, type_named},
        search::{Mark, Row, View},
    },
    node::{Node, views::updated_ms},
};

/// What an app may see.
pub(super) struct Shelf {
    pub(super) readers: Vec<Reader>,
    views: Vec<View>,
    /// Views that were made for this, to be stored.
    pub(super) made: Vec<Item>,
    /// Ascending by id.
    pub(super) things: Vec<Thing>,
    pub(super) names: Names,
    /// The ids of the record's Patients, the first that came first.
    patients: Vec<String>,
    /// By which the person is known where no Patient may be seen.
    record: String,
    /// Whether the app may see every part of a record.
    pub(super) sees_all: bool,
    /// Whether this node has all of the record by right.
    pub(super) is_controlled: bool,
    /// Things of types that are not served.
    pub(super) others: usize,
}

/// One thing.
pub(super) struct Thing {
    /// Its id on this server.
    pub(super) id: String,
    /// Its document, by the place of the reader.
    pub(super) place: usize,
    row: usize,
}

impl Shelf {
    pub(super) fn row(&self, thing: &Thing) -> &Row {
        &self.views[thing.place].rows[thing.row]
    }

    pub(super) fn view(&self, thing: &Thing) -> &View {
        &self.views[thing.place]
    }

    pub(super) fn document(&self, thing: &Thing) -> &DocumentId {
        self.readers[thing.place].document()
    }

    /// When a thing was written last.
    pub(super) fn updated_ms(&self, record: &mut Record, thing: &Thing) -> u64 {
        let (document, view) = (self.document(thing), self.view(thing));
        updated_ms(record, document, view, self.row(thing))
    }

    /// Whether an id or reference means the record's person.
    pub(super) fn is_person(&self, named: &str) -> bool {
        let id = named.rsplit_once("Patient/").map_or(named, |(_, id)| id);
        id == self.record || self.patients.iter().any(|patient| patient == id)
    }

    /// By which the record's person is known.
    pub(super) fn person_id(&self) -> String {
        let first = self.patients.first();
        first.cloned().unwrap_or_else(|| self.record.clone())
    }

    pub(super) fn person(&self) -> String {
        format!("Patient/{}", self.person_id())
    }

    /// The label of what a reference leads to.
    pub(super) fn label(&self, reference: &str) -> Option<&Label> {
        let found = self.names.resolve(reference, (0, 0))?;
        let (kind, id) = found.split_once('/')?;
        let mut things = self.things.iter();
        let thing = things.find(|thing| thing.id == id && self.row(thing).kind == kind)?;
        Some(&self.document(thing).label)
    }

    /// The other Patients of the record.
    pub(super) fn others_than(&self, id: &str) -> impl Iterator<Item = &str> {
        let patients = self.patients.iter().map(String::as_str);
        patients.filter(move |patient| *patient != id)
    }

    /// The documents at some places, by the share under which they are read.
    pub(super) fn by_share(&self, places: &[usize]) -> BTreeMap<Option<EventId>, Vec<DocumentId>> {
        let mut shares: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for reader in places.iter().filter_map(|place| self.readers.get(*place)) {
            let of_share = shares.entry(reader.grant()).or_default();
            of_share.push(reader.document().clone());
        }
        shares
    }
}

impl Node {
    /// What an app may see of a record.
    pub(super) fn shelf(&self, record: &mut Record, app: &App) -> Result<Shelf, Outcome> {
        let scope = Self::scope_of_app(record, app.principal);
        if scope.is_empty() {
            return Err(ended(&app.name));
        }
        let scopes = app.scopes();
        let readers = self.readers(record, &app.whoever());
        let (views, made) = self.views(record, &readers);
        let mut shelf = Shelf {
            is_controlled: self.controls(record),
            readers,
            views,
            made,
            things: Vec::new(),
            names: Names::default(),
            patients: Vec::new(),
            record: app.record.to_string(),
            sees_all: scope.is_all() && scopes.reads_all(),
            others: 0,
        };
        for (place, view) in shelf.views.iter().enumerate() {
            for (row, of_row) in view.rows.iter().enumerate() {
                if type_named(&of_row.kind).is_none() {
                    shelf.others += 1;
                } else if scopes.reads(&of_row.kind) {
                    let id = id_of(of_row);
                    shelf.things.push(Thing { id, place, row });
                }
            }
        }
        shelf.things.sort_by(|a, b| a.id.cmp(&b.id));
        let named: Vec<_> = shelf
            .things
            .iter()
            .map(|thing| (shelf.row(thing), thing.id.clone()))
            .filter(|(row, _)| !is_error(row))
            .collect();
        let mut patients: Vec<_> = named
            .iter()
            .filter(|(row, _)| row.kind == "Patient")
            .map(|(row, id)| (row.batch, id.clone()))
            .collect();
        patients.sort();
        let patients: Vec<_> = patients.into_iter().map(|(_, id)| id).collect();
        let names = Names::of(named);
        shelf.patients = patients;
        shelf.names = names;
        Ok(shelf)
    }
}

/// Whether somebody said that it was entered in error.
pub(super) fn is_error(row: &Row) -> bool {
    row.marks.contains(&Mark::EnteredInError)
}

/// The id of a thing on this server. What stands in a side document or came after its document had
/// ended may have the id of something that stands.
fn id_of(row: &Row) -> String {
    let marks: BTreeSet<_> = row.marks.iter().collect();
    let mut id = row.resource.clone();
    if marks.contains(&Mark::Late) {
        id.push_str("-late");
    }
    if marks.contains(&Mark::Aside) {
        id.push_str("-aside");
    }
    id
}
