//! Filing what may be here already: importing the same thing twice changes nothing.
//!
//! A resource is recognised by its full URL where that is absolute, by its first business
//! identifier, or else by its whole text. Bare ids mean nothing outside the file that they came
//! in. Of several with one key the first meets the first, the second the second.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    DocumentId, Edit, Held,
    document::{ListEdit, UnitContent},
    planted::{self, Planted},
    resource::{Meta, Resource, UnitText},
    shape::GROUP_UNIT,
};

/// What makes a resource the same as one that came before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKey {
    /// An absolute full URL.
    FullUrl(String),
    /// Type, system and value of its first identifier that has both.
    Identifier(String, String, String),
    /// A hash of the whole text.
    Text([u8; 32]),
}

impl SourceKey {
    /// The key of a resource, by what was written once about it and, where that does not do, its
    /// text.
    pub fn of(meta: &Meta, text: impl FnOnce() -> String) -> Self {
        if let Some(url) = meta.full_url().filter(|url| is_absolute(url)) {
            return Self::FullUrl(format!("{} {url}", meta.kind));
        }
        let text = text();
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let kind = value.get("resourceType").and_then(Value::as_str);
        let kind = kind.unwrap_or_default();
        let identifiers = value.get("identifier").and_then(Value::as_array);
        let named = identifiers.into_iter().flatten().find_map(|identifier| {
            let text = |name: &str| identifier.get(name)?.as_str().map(str::to_owned);
            Some((text("system")?, text("value")?))
        });
        match named {
            Some((system, value)) => Self::Identifier(kind.to_owned(), system, value),
            None => Self::Text(*blake3::hash(text.as_bytes()).as_bytes()),
        }
    }
}

fn is_absolute(url: &str) -> bool {
    ["http://", "https://", "urn:uuid:", "urn:oid:"]
        .into_iter()
        .any(|scheme| url.starts_with(scheme) && url.len() > scheme.len())
}

/// What is to be written so that a record holds what came in.
#[derive(Clone, Debug, Default)]
pub struct Refiling {
    /// Edits by document.
    pub edits: BTreeMap<DocumentId, Vec<Edit>>,
    /// How many resources were here already, unchanged.
    pub unchanged: usize,
}

impl Refiling {
    fn create(&mut self, document: DocumentId, resource: Resource) {
        let edits = self.edits.entry(document).or_default();
        edits.push(Edit::Create(resource));
    }
}

/// Something that this author wrote before.
#[derive(Clone, Copy, Debug)]
pub struct Before<'h> {
    /// What makes it the same as something that comes in.
    pub key: &'h SourceKey,
    /// Where it stands.
    pub document: &'h DocumentId,
    /// It.
    pub held: &'h Held,
}

/// Compares what comes in (each with the document that it belongs to) with what this author wrote
/// before.
pub fn refile<'h>(
    held: impl IntoIterator<Item = Before<'h>>,
    incoming: Vec<(DocumentId, Resource)>,
) -> Refiling {
    let mut before: BTreeMap<&SourceKey, Vec<Before<'h>>> = BTreeMap::new();
    for one in held {
        if !one.held.is_retracted() {
            before.entry(one.key).or_default().push(one);
        }
    }
    let mut refiling = Refiling::default();
    if before.is_empty() {
        // Nothing can be here already, so nobody needs to know by what it would be recognised.
        for (document, resource) in incoming {
            refiling.create(document, resource);
        }
        return refiling;
    }
    let mut met: BTreeMap<SourceKey, usize> = BTreeMap::new();
    for (document, resource) in incoming {
        let key = SourceKey::of(&resource.meta, || resource.body.to_text());
        let occurrence = met.entry(key.clone()).or_default();
        let known = before.get(&key).and_then(|known| known.get(*occurrence));
        *occurrence += 1;
        match known {
            Some(Before { document, held, .. }) => {
                let edits = difference(held, &resource);
                if edits.is_empty() {
                    refiling.unchanged += 1;
                } else {
                    refiling
                        .edits
                        .entry((*document).clone())
                        .or_default()
                        .extend(edits);
                }
            }
            None => refiling.create(document, resource),
        }
    }
    refiling
}

/// The edits that make a held resource say what the new one says.
pub fn difference(held: &Held, new: &Resource) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (unit, text) in &new.body.units {
        let present = held.units.iter().find(|held| held.name == *unit);
        edits.extend(change(held, unit, present.map(|unit| &unit.content), text));
    }
    for unit in &held.units {
        if !new.body.units.iter().any(|(name, _)| *name == unit.name) {
            edits.push(Edit::Clear {
                resource: held.id.clone(),
                unit: unit.name.clone(),
            });
        }
    }
    if held.order != new.body.order {
        edits.push(Edit::Order {
            resource: held.id.clone(),
            order: new.body.order.clone(),
        });
    }
    edits
}

fn change(held: &Held, unit: &str, present: Option<&UnitContent>, new: &UnitText) -> Option<Edit> {
    let resource = held.id.clone();
    let unit = unit.to_owned();
    match (present, new) {
        (Some(UnitContent::Register(versions)), UnitText::Register(text))
            if versions.iter().any(|version| version.text == *text) =>
        {
            None
        }
        (Some(UnitContent::Register(versions)), UnitText::Register(text))
            if planted::is(Planted::GroupHalved) && unit == GROUP_UNIT =>
        {
            let old = versions.first().map_or("", |version| version.text.as_str());
            let dose = |text: &str| text.find("\"dosage").unwrap_or(text.len());
            let text = format!("{}{}", &text[..dose(text)], &old[dose(old)..]);
            Some(Edit::Put {
                resource,
                unit,
                text,
            })
        }
        (_, UnitText::Register(text)) => Some(Edit::Put {
            resource,
            unit,
            text: text.clone(),
        }),
        (Some(UnitContent::List(items)), UnitText::List(new)) => {
            let old: Vec<_> = items.iter().map(|item| item.text.as_str()).collect();
            let edits = list_edits(&old, new);
            (!edits.is_empty()).then_some(Edit::List {
                resource,
                unit,
                edits,
            })
        }
        (Some(UnitContent::Register(_)) | None, UnitText::List(items)) => Some(Edit::List {
            resource,
            unit,
            edits: list_edits(&[], items),
        }),
    }
}

/// Steps from one list to another that keep every item of their longest common beginning and end;
/// between them items are given new texts where there are as many as before.
fn list_edits(old: &[&str], new: &[String]) -> Vec<ListEdit> {
    let same = |(a, b): &(&&str, &String)| **a == b.as_str();
    let start = old.iter().zip(new).take_while(same).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count();
    let new = &new[..new.len() - end];
    let places = new.iter().enumerate();
    if old.len() - end == new.len() {
        return places
            .map(|(n, text)| ListEdit::Replace(start + n, text.clone()))
            .collect();
    }
    let removes = (0..old.len() - end).map(|_| ListEdit::Remove(start));
    let inserts = places.map(|(n, text)| ListEdit::Insert(start + n, text.clone()));
    removes.chain(inserts).collect()
}

#[cfg(test)]
mod tests {
    use super::{Before, SourceKey, refile};
    use crate::{Actor, Body, Document, DocumentId, Edit, Label, Meta, Resource, Section};

    fn resource(text: &str) -> (DocumentId, Resource) {
        let id = DocumentId::first(Section::Identity, Label::general());
        let body = Body::parse(text, Section::Identity).expect("JSON");
        let meta = Meta {
            kind: "Patient".into(),
            ..Meta::default()
        };
        (id, Resource { meta, body })
    }

    fn patient(number: u32, note: &str) -> String {
        format!(
            r#"{{"resourceType":"Patient","identifier":[{{"system":"s","value":"{number}"}}],"name":[{{"text":"{note}"}}],"active":true}}"#
        )
    }

    fn write(document: &mut Document, texts: &[String], nonce: u8) -> usize {
        let incoming = texts.iter().map(|text| resource(text)).collect();
        let id = DocumentId::first(Section::Identity, Label::general());
        let held = document.resources();
        let keys = held
            .iter()
            .map(|held| SourceKey::of(&held.meta, || held.to_text(0)));
        let keys: Vec<_> = keys.collect();
        let before = held.iter().zip(&keys).map(|(held, key)| Before {
            key,
            document: &id,
            held,
        });
        let refiling = refile(before, incoming);
        for edits in refiling.edits.values() {
            document.write(Actor([nonce; 16]), 1, edits).expect("edits");
        }
        refiling.unchanged
    }

    #[test]
    fn the_same_file_twice_changes_nothing() {
        let mut document = Document::new();
        let texts = [patient(1, "A"), patient(2, "B"), patient(1, "A")];
        assert_eq!(write(&mut document, &texts, 1), 0);
        let heads = document.heads();
        assert_eq!(write(&mut document, &texts, 2), 3);
        assert_eq!(document.heads(), heads);
        assert_eq!(document.resources().len(), 3);
    }

    #[test]
    fn a_changed_resource_is_changed_in_place() {
        let mut document = Document::new();
        write(&mut document, &[patient(1, "A")], 1);
        write(&mut document, &[patient(1, "Z")], 2);
        let texts: Vec<_> = document
            .resources()
            .iter()
            .map(|held| held.to_text(0))
            .collect();
        assert_eq!(texts, [patient(1, "Z")]);
    }

    #[test]
    fn an_edit_is_small() {
        let mut document = Document::new();
        write(&mut document, &[patient(1, "A")], 1);
        let (_, changed) = resource(&patient(1, "Z"));
        let edits = super::difference(&document.resources()[0], &changed);
        assert!(matches!(edits.as_slice(), [Edit::List { .. }]));
    }
}
