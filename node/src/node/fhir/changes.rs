//! What changes in a record, for an app that waits for it: only which things, and only those that
//! it may see.

use std::collections::{BTreeMap, BTreeSet};

use kith_crdt::DocumentId;
use kith_protocol::{
    id::EnvelopeId,
    record::Record,
    store::{Item, JournalPosition, Store},
};

use super::{App, At, Shelf, not_known};
use crate::{
    failure::Failure,
    health::fhir::{Code, Outcome},
    node::Node,
    store::{sealed, unsealed},
};

/// So much of the journal is looked through at once; whoever waits asks again from there.
const LOOKED_MAX: usize = 1000;

/// What changed after a place.
pub(crate) struct Changed {
    /// Each change: its id, and the things that it touched, as `Type/id`.
    pub(crate) changes: Vec<(String, Vec<String>)>,
    /// The id of where that ends, from where to ask again.
    pub(crate) through: String,
    /// Whether there may be more right behind it.
    pub(crate) goes_on: bool,
}

impl Node {
    /// What changed of what an app may see: after the place that an id names, or from now on. The
    /// things that are named are in the access log when this returns.
    ///
    /// # Errors
    /// With what is said to the app, when it is refused.
    pub(crate) fn fhir_changes(
        &mut self,
        token: &str,
        after: Option<&str>,
    ) -> Result<Changed, Outcome> {
        let app = self.app_of(token)?.ok_or_else(not_known)?;
        self.one_look(|node| Ok(node.changes_for(&app, after)))?
    }

    fn changes_for(&mut self, app: &App, after: Option<&str>) -> Result<Changed, Outcome> {
        let mut record = self.take_record(app.record).map_err(Failure::from)?;
        let changed = self.changes_of(&mut record, app, after);
        self.keep_record(record);
        changed
    }

    fn changes_of(
        &mut self,
        record: &mut Record,
        app: &App,
        after: Option<&str>,
    ) -> Result<Changed, Outcome> {
        let shelf = self.shelf(record, app)?;
        let after = match after {
            Some(id) => place_of(app, id).ok_or_else(|| {
                Outcome::refused(
                    400,
                    Code::Value,
                    "This id was not given out here for this app. Leave Last-Event-ID out, and read what you need once more.",
                )
                .at("http.Last-Event-ID")
            })?,
            None => JournalPosition(self.events_end()),
        };
        let taken = self
            .store
            .journal(after, LOOKED_MAX)
            .map_err(Failure::from)?;
        let goes_on = taken.len() == LOOKED_MAX;
        let through = taken.last().map_or(after, |(last, _)| *last);
        let mut entries: BTreeMap<EnvelopeId, (JournalPosition, DocumentId)> = BTreeMap::new();
        for (position, item) in taken {
            if let Item::Entry {
                record: of,
                document,
                id,
                ..
            } = item
                && of == app.record
            {
                entries.insert(id, (position, document));
            }
        }
        let touched = touched(record, &shelf, &entries);
        let mut places: Vec<usize> = Vec::new();
        let mut changes: Vec<_> = touched
            .into_iter()
            .map(|(position, (place, things))| {
                places.push(place);
                (id_of(app, position), things.into_iter().collect())
            })
            .collect();
        changes.retain(|(_, things): &(String, Vec<String>)| !things.is_empty());
        places.sort_unstable();
        places.dedup();
        if !changes.is_empty() {
            self.app_was_given_of(record, &shelf, app, &places)?;
        }
        Ok(Changed {
            changes,
            through: id_of(app, through),
            goes_on,
        })
    }
}

type Touched = BTreeMap<JournalPosition, (usize, BTreeSet<String>)>;

/// What each entry touched of what the app may see.
fn touched(
    record: &mut Record,
    shelf: &Shelf,
    entries: &BTreeMap<EnvelopeId, (JournalPosition, DocumentId)>,
) -> Touched {
    let documents: BTreeSet<_> = entries.values().map(|(_, document)| document).collect();
    let mut touched = Touched::new();
    for thing in &shelf.things {
        let (At::Stored(place, _), Some((reader, view))) = (thing.at, shelf.stored(thing)) else {
            continue;
        };
        if !documents.contains(reader.document()) {
            continue;
        }
        let row = shelf.row(thing);
        for change in view.touched(row) {
            let entry = record.writer(&change);
            let Some((position, _)) = entry.and_then(|entry| entries.get(&entry)) else {
                continue;
            };
            let (_, things) = touched.entry(*position).or_insert((place, BTreeSet::new()));
            things.insert(format!("{}/{}", row.kind, thing.id));
        }
    }
    touched
}

/// A place in the journal as an app sees it: how far a node has come in all its records is not its
/// business.
fn id_of(app: &App, position: JournalPosition) -> String {
    let sealed = sealed(&key_of(app), CONTEXT, &position.0.to_be_bytes());
    data_encoding::BASE64URL_NOPAD.encode(&sealed)
}

fn place_of(app: &App, id: &str) -> Option<JournalPosition> {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(id.as_bytes()).ok()?;
    let place = unsealed(&key_of(app), CONTEXT, &bytes)?;
    Some(JournalPosition(u64::from_be_bytes(place.try_into().ok()?)))
}

const CONTEXT: &[u8] = b"kith/v1/app-event";

fn key_of(app: &App) -> [u8; 32] {
    app.secret_for("kith v1 app event key")
}
