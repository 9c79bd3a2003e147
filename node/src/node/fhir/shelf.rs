//! What an app may see of a record at this moment: a row for each thing, in the order of their ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kith_crdt::{DocumentId, Label};
use kith_protocol::{consent::Reader, id::EventId, record::Record, store::Item};

use super::{App, ended, own::Own};
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
    views: Vec<Arc<View>>,
    /// Views that were made for this, to be stored.
    pub(super) made: Vec<Item>,
    /// Ascending by id.
    pub(super) things: Vec<Thing>,
    pub(super) names: Names,
    /// What this node says itself, where it is asked for that.
    pub(super) own: Vec<Own>,
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
    pub(super) at: At,
}

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// In a document, by the place of its reader, and its row there.
    Stored(usize, usize),
    /// Among what this node says itself.
    Own(usize),
}

impl Shelf {
    pub(super) fn row(&self, thing: &Thing) -> &Row {
        match thing.at {
            At::Stored(place, row) => &self.views[place].rows[row],
            At::Own(place) => &self.own[place].row,
        }
    }

    /// The document of a thing, and its view; nothing of what this node says itself.
    pub(super) fn stored(&self, thing: &Thing) -> Option<(&Reader, &View)> {
        match thing.at {
            At::Stored(place, _) => Some((&self.readers[place], &self.views[place])),
            At::Own(_) => None,
        }
    }

    /// When a thing was written last.
    pub(super) fn updated_ms(&self, record: &mut Record, thing: &Thing) -> u64 {
        match thing.at {
            At::Stored(place, _) => {
                let document = self.readers[place].document();
                updated_ms(record, document, &self.views[place], self.row(thing))
            }
            At::Own(place) => self.own[place].updated_ms,
        }
    }

    /// Takes up what this node says itself.
    pub(super) fn take_own(&mut self, own: Vec<Own>) {
        for own in own {
            self.things.push(Thing {
                id: own.row.resource.clone(),
                at: At::Own(self.own.len()),
            });
            self.own.push(own);
        }
        self.things.sort_by(|a, b| a.id.cmp(&b.id));
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
        let (reader, _) = self.stored(thing)?;
        Some(&reader.document().label)
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
    pub(super) fn shelf(&mut self, record: &mut Record, app: &App) -> Result<Shelf, Outcome> {
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
            own: Vec::new(),
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
                    let at = At::Stored(place, row);
                    shelf.things.push(Thing { id, at });
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
