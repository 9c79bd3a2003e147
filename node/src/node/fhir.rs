//! A record over FHIR, for an app: what it asks for is answered out of what is shared with it now,
//! and stands in the access log before it leaves.

mod changes;
mod documents;
mod finding;
mod own;
mod reading;
mod shelf;
mod writing;

use std::collections::BTreeSet;

use kith_protocol::{
    audit::{Audience, How, Recipient},
    record::Record,
};
use serde_json::Value;

use super::{Node, apps::App};
use crate::{
    failure::Failure,
    health::fhir::{Code, Handling, Interaction, Operation, Outcome, instant},
};

use reading::Entry;
use shelf::{At, Shelf};

pub(crate) use changes::Changed;

/// What an app asks for.
pub(crate) struct FhirAsked {
    /// Where it asks, for the links of the answer.
    pub(crate) base: String,
    /// What it asks for.
    pub(crate) interaction: Interaction,
    /// The parameters, of the address and of a form.
    pub(crate) params: Vec<(String, String)>,
    /// What is to be done about parameters that are not known.
    pub(crate) handling: Handling,
    /// What it sent.
    pub(crate) body: Vec<u8>,
    /// `If-Match`.
    pub(crate) if_match: Option<String>,
    /// `If-None-Exist`: the parameters of a search.
    pub(crate) if_none_exist: Option<Vec<(String, String)>>,
}

/// What it is given.
#[derive(Debug)]
pub(crate) struct FhirGiven {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Value,
    /// The version, of a resource.
    pub(crate) version: Option<String>,
    /// When it was written last, milliseconds since 1970 UTC.
    pub(crate) updated_ms: Option<u64>,
    /// Where something new is.
    pub(crate) location: Option<String>,
}

impl FhirGiven {
    fn bundle(body: Value) -> Self {
        Self {
            status: 200,
            body,
            version: None,
            updated_ms: None,
            location: None,
        }
    }

    fn resource(status: u16, entry: Entry) -> Self {
        Self {
            status,
            body: entry.value,
            version: Some(entry.version),
            updated_ms: Some(entry.updated_ms),
            location: None,
        }
    }
}

impl Node {
    /// Answers an app that shows a token. What is given is in the access log when this returns.
    ///
    /// # Errors
    /// With what is said to the app, when it is refused.
    pub(crate) fn fhir(&mut self, token: &str, asked: &FhirAsked) -> Result<FhirGiven, Outcome> {
        let app = self.app_of(token)?.ok_or_else(not_known)?;
        self.one_look(|node| Ok(node.fhir_by(&app, asked)))?
    }

    fn fhir_by(&mut self, app: &App, asked: &FhirAsked) -> Result<FhirGiven, Outcome> {
        let mut record = self.take_record(app.record).map_err(Failure::from)?;
        let done = self.fhir_of(&mut record, app, asked);
        // What was written in memory and not on the disk is read again the next time.
        let is_as_on_disk = done.is_ok()
            || match asked.interaction {
                Interaction::Create(_) | Interaction::Update(..) => false,
                Interaction::Capabilities
                | Interaction::Read(..)
                | Interaction::Search(_)
                | Interaction::Operation(..) => true,
            };
        if is_as_on_disk {
            self.save_large(&mut record);
            self.keep_record(record);
        }
        done
    }

    fn fhir_of(
        &mut self,
        record: &mut Record,
        app: &App,
        asked: &FhirAsked,
    ) -> Result<FhirGiven, Outcome> {
        let mut shelf = self.shelf(record, app)?;
        may(app, &asked.interaction)?;
        let kind = match &asked.interaction {
            Interaction::Read(kind, _) | Interaction::Search(kind) => Some(*kind),
            Interaction::Update(kind, _) => Some(*kind),
            Interaction::Capabilities | Interaction::Create(_) | Interaction::Operation(..) => None,
        };
        if let Some(kind) = kind.filter(|_| shelf.sees_all && shelf.is_controlled) {
            let person = shelf.person();
            let own = self.own_resources(record, app, (kind, &person))?;
            shelf.take_own(own);
        }
        match &asked.interaction {
            Interaction::Capabilities => Err(Outcome::not_here("metadata", "")),
            Interaction::Read(kind, id) => {
                let entry = self.entry(record, &shelf, kind, id)?;
                self.app_was_given(record, &shelf, app, [&entry])?;
                Ok(FhirGiven::resource(200, entry))
            }
            Interaction::Search(kind) => self.find_in(record, &shelf, app, asked, Some(kind)),
            Interaction::Operation(operation, id) => {
                if let Some(id) = id
                    && !shelf.is_person(id)
                {
                    return Err(Outcome::not_here("Patient", id));
                }
                match operation {
                    Operation::Everything => self.find_in(record, &shelf, app, asked, None),
                    Operation::Summary => self.app_summary(record, &shelf, app),
                    Operation::DocRef => self.documents_for(record, &shelf, app, asked),
                }
            }
            Interaction::Create(kind) => self.create_for(record, &shelf, app, asked, kind),
            Interaction::Update(kind, id) => {
                self.update_for(record, &shelf, app, asked, (kind, id))
            }
        }
    }

    /// Enters into the access log that these entries are given to an app.
    fn app_was_given<'e>(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Result<(), Failure> {
        let places: BTreeSet<_> = entries.into_iter().map(|entry| entry.place).collect();
        let stored: Vec<_> = places.iter().copied().flatten().collect();
        if places.contains(&None) {
            // Who looked and who may is of the record, and of none of its documents.
            let to = Self::audience_of(app);
            let said = Self::state_of(record, Vec::new(), to, None, How::Fhir);
            self.disclosed(vec![said], Vec::new())?;
        }
        self.app_was_given_of(record, shelf, app, &stored)
    }

    fn audience_of(app: &App) -> Audience {
        let who = app.whoever();
        Audience::Named(vec![Recipient {
            principal: who.principal,
            device: Some(who.device),
            staff: None,
        }])
    }

    /// The same of the documents at these places.
    fn app_was_given_of(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
        places: &[usize],
    ) -> Result<(), Failure> {
        let to = Self::audience_of(app);
        let mut said = Vec::new();
        for (grant, documents) in shelf.by_share(places) {
            said.push(Self::state_of(
                record,
                documents,
                to.clone(),
                grant,
                How::Fhir,
            ));
        }
        self.disclosed(said, shelf.made.clone())
    }

    /// The id by which an app knows the record's person.
    pub(super) fn patient_of_app(&mut self, app: &App) -> Result<String, Failure> {
        self.with_record(app.record, |node, record| {
            let shelf = node.shelf(record, app);
            Ok(shelf.map_or_else(|_| app.record.to_string(), |shelf| shelf.person_id()))
        })
    }
}

/// Whether the scopes of an app let it do something with a type at all.
fn may(app: &App, interaction: &Interaction) -> Result<(), Outcome> {
    let scopes = app.scopes();
    let (is_allowed, kind, needed) = match interaction {
        Interaction::Capabilities => return Ok(()),
        Interaction::Read(kind, _) | Interaction::Search(kind) => {
            (scopes.reads(kind.name), kind.name, "rs")
        }
        Interaction::Create(kind) => (scopes.creates(kind.name), kind.name, "c"),
        Interaction::Update(kind, _) => (scopes.updates(kind.name), kind.name, "u"),
        Interaction::Operation(operation, _) => match operation {
            Operation::DocRef => (scopes.reads("DocumentReference"), "DocumentReference", "rs"),
            // They give what the app may read.
            Operation::Summary | Operation::Everything => return Ok(()),
        },
    };
    if is_allowed {
        return Ok(());
    }
    Err(Outcome::refused(
        403,
        Code::Forbidden,
        format!(
            "This app was not given the scope patient/{kind}.{needed}. It can ask the person for it."
        ),
    ))
}

fn not_known() -> Outcome {
    Outcome::refused(
        401,
        Code::Login,
        "This access token is not known here, or its time has passed. Whoever owns the record gives out another one.",
    )
}

fn ended(name: &str) -> Outcome {
    Outcome::refused(
        401,
        Code::Login,
        format!(
            "The share of this app ({name}) was stopped or has ended, so nothing of the record is given any more. Whoever owns the record can share it again."
        ),
    )
}

/// A search set.
fn bundle(total: Option<usize>, links: &[(&str, String)], entries: Vec<Value>) -> Value {
    let links: Vec<_> = links
        .iter()
        .map(|(relation, url)| serde_json::json!({"relation": relation, "url": url}))
        .collect();
    let mut bundle = serde_json::json!({
        "resourceType": "Bundle",
        "type": "searchset",
        "timestamp": instant(super::now_ms()),
    });
    if let Some(total) = total {
        bundle["total"] = serde_json::json!(total);
    }
    if !links.is_empty() {
        bundle["link"] = Value::Array(links);
    }
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    bundle
}

#[cfg(test)]
mod tests;
