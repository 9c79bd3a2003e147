//! What an app writes: signed by the app, under its share, into the record that its token opens.

use kith_crdt::{
    Body, DocumentId, Edit, Meta, Resource,
    classify::{self, LabelRules},
    incoming,
    json::Members,
    refile::difference,
};
use kith_protocol::{
    limits::INLINE_ATTACHMENT_LEN_MAX,
    record::Record,
    store::{Item, Store},
};
use serde_json::{Value, json};

use super::{
    App, FhirAsked, FhirGiven,
    shelf::{Shelf, Thing},
};
use crate::{
    failure::Failure,
    health::fhir::{Code, Handling, Outcome, TAG_SYSTEM, Type, asked},
    node::{Node, import, now_ms},
};

/// A resource that somebody sent.
struct Sent {
    members: Members,
    value: Value,
}

impl Node {
    /// Something new; with `If-None-Exist` only where nothing fits yet.
    pub(super) fn create_for(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
        request: &FhirAsked,
        kind: &'static Type,
    ) -> Result<FhirGiven, Outcome> {
        let mut sent = Sent::read(&request.body, kind)?;
        if let Some(params) = &request.if_none_exist {
            let search = asked(Some(kind), params, Handling::Strict)?;
            let found = self.found(record, shelf, &search);
            match found.as_slice() {
                [] => {}
                [one] => {
                    let entry = self.entry(record, shelf, kind, &one.id)?;
                    self.app_was_given(record, shelf, app, [&entry])?;
                    let location = format!("{}/{}/{}", request.base, kind.name, entry.id);
                    let mut given = FhirGiven::resource(200, entry);
                    given.location = Some(location);
                    return Ok(given);
                }
                several => {
                    return Err(Outcome::refused(
                        412,
                        Code::MultipleMatches,
                        format!(
                            "{} things here fit If-None-Exist, so it is not clear which one was meant. Nothing was created.",
                            several.len()
                        ),
                    )
                    .at("http.If-None-Exist"));
                }
            }
        }
        sent.about(shelf, kind)?;
        sent.members.0.retain(|(name, _)| name != "id");
        sent.without_server_meta();
        let (document, resource) = self.resource_of(shelf, &sent)?;
        let created = self.write_for(record, app, document, &[Edit::Create(resource)])?;
        let shelf = self.shelf(record, app)?;
        let id = created.first().map_or("", |id| id.as_str());
        let entry = self.entry(record, &shelf, kind, id)?;
        let location = format!("{}/{}/{}", request.base, kind.name, entry.id);
        let mut given = FhirGiven::resource(201, entry);
        given.location = Some(location);
        Ok(given)
    }

    /// Another version of what stands, by somebody who has seen the one that stands.
    pub(super) fn update_for(
        &mut self,
        record: &mut Record,
        shelf: &Shelf,
        app: &App,
        request: &FhirAsked,
        (kind, id): (&'static Type, &str),
    ) -> Result<FhirGiven, Outcome> {
        let mut sent = Sent::read(&request.body, kind)?;
        if sent.value["id"].as_str() != Some(id) {
            return Err(Outcome::refused(
                400,
                Code::Value,
                "The id in the resource is not the one in the address. Nothing was changed.",
            )
            .at(format!("{}.id", kind.name)));
        }
        // Says what stands in the way of reading it: two versions, entered in error, not here.
        let before = self.entry(record, shelf, kind, id)?;
        if before.place.is_none() {
            return Err(Outcome::refused(
                405,
                Code::NotSupported,
                "This shows a share of the record. Whoever gave it changes it with kith share and stops it with kith stop. Nothing was changed.",
            ));
        }
        let Some(if_match) = &request.if_match else {
            return Err(Outcome::refused(
                400,
                Code::Required,
                "An update needs If-Match with the version that it is made from, so that nothing that was written meanwhile is lost. Nothing was changed.",
            )
            .at("http.If-Match"));
        };
        if tag(if_match) != before.version {
            return Err(Outcome::refused(
                412,
                Code::Conflict,
                "Something else was written since the version that If-Match names. Read it again and repeat the change on what stands now. Nothing was changed.",
            )
            .at("http.If-Match"));
        }
        let thing = shelf.things.iter().find(|thing| thing.id == id);
        let placed = thing.and_then(|thing: &Thing| self.placed_for_app(record, shelf, thing));
        let Some(placed) = placed.filter(|placed| !placed.late && !placed.aside) else {
            return Err(Outcome::refused(
                409,
                Code::Conflict,
                "This waits for a person to decide on it (kith review), so it is not changed before. Nothing was changed.",
            ));
        };
        sent.about(shelf, kind)?;
        sent.as_kept(&before.value, &before.text);
        let (_, new) = self.resource_of(shelf, &sent)?;
        let kept = &placed.held.meta.attachments;
        if new.meta.attachments.iter().any(|new| !kept.contains(new)) {
            return Err(Outcome::refused(
                422,
                Code::BusinessRule,
                "A file of more than 16 KB is not put into something that stands. Create something new with it. Nothing was changed.",
            ));
        }
        let edits = difference(&placed.held, &new);
        if !edits.is_empty() {
            self.write_for(record, app, placed.document, &edits)?;
        }
        let shelf = self.shelf(record, app)?;
        let entry = self.entry(record, &shelf, kind, id)?;
        Ok(FhirGiven::resource(200, entry))
    }

    /// What is to be written, and where it belongs.
    fn resource_of(
        &mut self,
        shelf: &Shelf,
        sent: &Sent,
    ) -> Result<(DocumentId, Resource), Outcome> {
        let text = sent.members.to_text();
        let wrong = || not_a_resource("This is not one resource in JSON.");
        let read = incoming::read(text.as_bytes(), INLINE_ATTACHMENT_LEN_MAX);
        let read = read.map_err(|_| wrong())?;
        let mut documents = classify::documents(&read.resources, &LabelRules::default());
        let [one] = <[_; 1]>::try_from(read.resources).map_err(|_| wrong())?;
        let mut document = documents.pop().ok_or_else(wrong)?;
        // What names something of a closed label carries a part of it.
        let references = one.references();
        let named = references.iter().filter_map(|named| shelf.label(named));
        let label = classify::strictest(named.chain([&document.label]));
        document.label = label;
        let kind = one.kind().to_owned();
        let body = Body::parse(&one.text, document.section).map_err(|_| wrong())?;
        let mut attachments = Vec::new();
        for (attachment, bytes) in one.attachments {
            self.store.put_blob(&bytes).map_err(Failure::from)?;
            attachments.push(attachment);
        }
        let meta = Meta {
            kind,
            batch: (now_ms(), 0),
            attachments,
            ..Meta::default()
        };
        Ok((document, Resource { meta, body }))
    }

    /// Signs it as the app, where the app's share lets it.
    fn write_for(
        &mut self,
        record: &mut Record,
        app: &App,
        document: DocumentId,
        edits: &[Edit],
    ) -> Result<Vec<kith_crdt::ResourceId>, Outcome> {
        let mut items: Vec<Item> = Vec::new();
        let mut rng = self.rng.clone();
        let written = app.writes(self.nonce, now_ms(), |pen| {
            import::write_into(record, pen, document, edits, &mut items, &mut rng)
        });
        let written = written?;
        self.rng = rng;
        let noted = self.noted(record, &items)?;
        items.extend(noted);
        self.commit_noting(items)?;
        Ok(written)
    }
}

impl Sent {
    fn read(body: &[u8], kind: &Type) -> Result<Self, Outcome> {
        let text = std::str::from_utf8(body)
            .map_err(|_| not_a_resource("What was sent is not text in UTF-8."))?;
        let value: Value = serde_json::from_str(text).map_err(|error| {
            not_a_resource(&format!(
                "What was sent is not JSON (line {}, column {}).",
                error.line(),
                error.column()
            ))
        })?;
        if !value.is_object() {
            return Err(not_a_resource("What was sent is not one resource."));
        }
        if value["resourceType"].as_str() != Some(kind.name) {
            return Err(Outcome::refused(
                400,
                Code::Structure,
                format!(
                    "The address is for {}, and what was sent is of another type. Nothing was written.",
                    kind.name
                ),
            )
            .at(format!("{}.resourceType", kind.name)));
        }
        let members = Members::parse(text)
            .map_err(|_| not_a_resource("What was sent is not one resource."))?;
        let mut names: Vec<_> = members.0.iter().map(|(name, _)| name).collect();
        names.sort();
        if names.windows(2).any(|two| two[0] == two[1]) {
            return Err(not_a_resource("A member of what was sent stands twice."));
        }
        Ok(Self { members, value })
    }

    /// It has to be about the record's person. Where it does not say so it is all the same, as
    /// everything in the record is.
    fn about(&self, shelf: &Shelf, kind: &Type) -> Result<(), Outcome> {
        let Some(element) = kind.subject else {
            return Ok(());
        };
        let Some(subject) = self.value.get(element) else {
            return Ok(());
        };
        let reference = subject.get("reference").and_then(Value::as_str);
        let is_about = reference
            .is_some_and(|reference| reference.contains("Patient/") && shelf.is_person(reference));
        if is_about {
            return Ok(());
        }
        Err(Outcome::refused(
            422,
            Code::BusinessRule,
            format!(
                "This is not about the person whose record this access token opens ({}). Nothing was written.",
                shelf.person()
            ),
        )
        .at(format!("{}.{element}", kind.name)))
    }

    /// Version and time are this server's to give.
    fn without_server_meta(&mut self) {
        let Some(Value::Object(meta)) = self.value.get_mut("meta") else {
            return;
        };
        for name in ["versionId", "_versionId", "lastUpdated", "_lastUpdated"] {
            meta.shift_remove(name);
        }
        let left = (!meta.is_empty()).then(|| Value::Object(meta.clone()).to_string());
        self.members
            .0
            .retain(|(name, _)| name != "meta" || left.is_some());
        if let Some(left) = left
            && let Some((_, text)) = self.members.0.iter_mut().find(|(name, _)| name == "meta")
        {
            *text = left;
        }
    }

    /// What comes back as it was shown is left as it is kept: references, the id of its sender,
    /// every digit.
    fn as_kept(&mut self, shown: &Value, kept: &str) {
        let Ok(kept) = Members::parse(kept) else {
            return;
        };
        self.without_server_meta();
        let meta = self.value.get("meta").map(without_server);
        let is_meta_as_shown = meta.is_none()
            || meta == shown.get("meta").map(without_server)
            || meta == Some(json!({}));
        let mut members = Vec::new();
        for (name, text) in std::mem::take(&mut self.members.0) {
            let is_as_shown = name != "meta" && self.value.get(&name) == shown.get(&name);
            match kept.get(&name) {
                _ if name == "meta" && is_meta_as_shown => {}
                _ if !is_as_shown => members.push((name, text)),
                Some(before) => members.push((name, before.to_owned())),
                // Shown, and not kept: an id, or what everything in a record is about.
                None => {}
            }
        }
        if let Some(before) = kept.get("meta").filter(|_| is_meta_as_shown) {
            let place = kept.0.iter().position(|(name, _)| name == "meta");
            let place = place.unwrap_or(0).min(members.len());
            members.insert(place, ("meta".to_owned(), before.to_owned()));
        }
        self.members = Members(members);
    }
}

/// A `meta` without what this server says in it.
fn without_server(meta: &Value) -> Value {
    let mut meta = meta.clone();
    if let Value::Object(members) = &mut meta {
        for name in ["versionId", "_versionId", "lastUpdated", "_lastUpdated"] {
            members.shift_remove(name);
        }
        if let Some(Value::Array(tags)) = members.get_mut("tag") {
            tags.retain(|tag| tag["system"] != TAG_SYSTEM);
            if tags.is_empty() {
                members.shift_remove("tag");
            }
        }
    }
    meta
}

/// The version that a header names: `W/"x"` or `"x"`.
fn tag(header: &str) -> &str {
    let header = header.trim();
    header
        .strip_prefix("W/")
        .unwrap_or(header)
        .trim_matches('"')
}

fn not_a_resource(what: &str) -> Outcome {
    Outcome::refused(
        400,
        Code::Structure,
        format!("{what} Send one FHIR R4 resource as application/fhir+json. Nothing was written."),
    )
}
