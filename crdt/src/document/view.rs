//! Reading: what a document holds, every version that stands side by side included.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Automerge, ObjId, ROOT, ReadDoc, ScalarValueRef, ValueRef};

use super::{ChangeHash, Document, ResourceId, member};
use crate::resource::{Body, Meta, UnitText};

/// A resource as the document holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id in the document.
    pub id: ResourceId,
    /// What was written once.
    pub meta: Meta,
    /// The change that made it.
    pub created: ChangeHash,
    /// Members in the order of the text.
    pub order: Vec<String>,
    /// Its units by name, ascending.
    pub units: Vec<HeldUnit>,
    /// What was said to be entered in error.
    pub retractions: Vec<Retraction>,
}

/// One unit of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldUnit {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub content: UnitContent,
    /// The versions that the present one decided between.
    pub decided: Vec<ChangeHash>,
}

/// What stands in a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitContent {
    /// One version, or several that were written at the same time; the first is the one that
    /// automerge shows everywhere alike.
    Register(Vec<Version>),
    /// Items in order.
    List(Vec<Item>),
}

/// A register's content and who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Members as text.
    pub text: String,
    /// The change that wrote it.
    pub writer: ChangeHash,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id: the same on every node, for as long as it exists.
    pub id: String,
    /// Its text.
    pub text: String,
    /// The change that added it.
    pub writer: ChangeHash,
}

/// A statement that versions of a resource were entered in error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retraction {
    /// The change that said so.
    pub writer: ChangeHash,
    /// The versions that it names.
    pub versions: Vec<ChangeHash>,
    /// Why, in its author's words.
    pub reason: String,
    /// Versions written at the same time, which it does not name: for a person to look at.
    pub concurrent: Vec<ChangeHash>,
    /// Whether something was written after it: a new statement, which it does not touch.
    pub superseded: bool,
}

impl UnitContent {
    /// The changes that wrote what stands here.
    pub fn writers(&self) -> Vec<ChangeHash> {
        match self {
            Self::Register(versions) => versions.iter().map(|version| version.writer).collect(),
            Self::List(items) => items.iter().map(|item| item.writer).collect(),
        }
    }
}

impl Held {
    /// Whether it stands as entered in error, with nothing said since.
    pub fn is_retracted(&self) -> bool {
        self.retractions.iter().any(|said| !said.superseded)
    }

    /// The registers that hold more than one version.
    pub fn siblings(&self) -> impl Iterator<Item = (&str, &[Version])> {
        self.units.iter().filter_map(|unit| match &unit.content {
            UnitContent::Register(versions) if versions.len() > 1 => {
                Some((unit.name.as_str(), versions.as_slice()))
            }
            UnitContent::Register(_) | UnitContent::List(_) => None,
        })
    }

    /// The text of the resource, with the version of each register at `choice` (0 is the one that
    /// is shown first), attachments left out.
    pub fn to_text(&self, choice: usize) -> String {
        self.body(choice).to_text()
    }

    /// The content with the version of each register at `choice`, or the first where there are
    /// fewer.
    pub fn body(&self, choice: usize) -> Body {
        let unit = |unit: &HeldUnit| match &unit.content {
            UnitContent::Register(versions) => {
                let version = versions.get(choice).or_else(|| versions.first());
                version.map(|version| UnitText::Register(version.text.clone()))
            }
            UnitContent::List(items) if items.is_empty() => None,
            UnitContent::List(items) => Some(UnitText::List(
                items.iter().map(|item| item.text.clone()).collect(),
            )),
        };
        Body {
            order: self.order.clone(),
            units: self
                .units
                .iter()
                .filter_map(|held| Some((held.name.clone(), unit(held)?)))
                .collect(),
        }
    }
}

impl Document {
    /// Every resource, in the order of import and of place within it.
    pub fn resources(&self) -> Vec<Held> {
        let ancestry = std::cell::OnceCell::new();
        let mut held: Vec<_> = self
            .inner
            .map_range(ROOT, ..)
            .filter_map(|item| {
                matches!(item.value, ValueRef::Object(_)).then_some(())?;
                let id = ResourceId::parse(&item.key)?;
                self.read(id, &item.id(), &ancestry)
            })
            .collect();
        held.sort_by(|a, b| {
            let place = |held: &Held| (held.meta.batch, held.meta.ordinal);
            place(a).cmp(&place(b)).then_with(|| a.id.cmp(&b.id))
        });
        held
    }

    /// One resource.
    pub fn resource(&self, id: &ResourceId) -> Option<Held> {
        let (value, object) = self.inner.get(ROOT, id.as_str()).ok()??;
        let ancestry = std::cell::OnceCell::new();
        value
            .is_object()
            .then(|| self.read(id.clone(), &object, &ancestry))?
    }

    fn read(
        &self,
        id: ResourceId,
        object: &ObjId,
        ancestry: &std::cell::OnceCell<BTreeMap<ChangeHash, Vec<ChangeHash>>>,
    ) -> Option<Held> {
        let created = self.inner.hash_for_opid(object)?;
        let mut held = Held {
            id,
            meta: Meta::default(),
            created,
            order: Vec::new(),
            units: Vec::new(),
            retractions: Vec::new(),
        };
        let mut decided = BTreeMap::new();
        for item in self.inner.map_range(object, ..) {
            let key = item.key.as_ref();
            if key == member::META {
                held.meta = member::meta(text(&item.value)?)?;
            } else if key == member::ORDER {
                held.order = member::order(text(&item.value)?);
            } else if key == member::RETRACTION {
                held.retractions = retractions(&self.inner, object);
            } else if let Some(unit) = key.strip_prefix(member::DECIDED) {
                decided.insert(unit.to_owned(), member::decided(text(&item.value)?)?);
            } else {
                let content = if matches!(item.value, ValueRef::Object(_)) && !item.conflict {
                    UnitContent::List(items(&self.inner, &item.id()))
                } else if let (false, Some(text)) = (item.conflict, text(&item.value)) {
                    UnitContent::Register(vec![Version {
                        text: text.to_owned(),
                        writer: self.inner.hash_for_opid(&item.id())?,
                    }])
                } else {
                    content(&self.inner, object, key)
                };
                held.units.push(HeldUnit {
                    name: key.to_owned(),
                    content,
                    decided: Vec::new(),
                });
            }
        }
        for unit in &mut held.units {
            unit.decided = decided.remove(&unit.name).unwrap_or_default();
        }
        if !held.retractions.is_empty() {
            judge_retractions(&mut held, ancestry.get_or_init(|| self.ancestry()));
        }
        Some(held)
    }
}

/// Every version of a unit, the one that automerge shows first.
fn content(document: &Automerge, object: &ObjId, unit: &str) -> UnitContent {
    let mut versions = Vec::new();
    let all = document
        .get_all(object, unit)
        .unwrap_or_else(|_| Vec::new());
    for (value, id) in all.into_iter().rev() {
        let Some(writer) = document.hash_for_opid(&id) else {
            continue;
        };
        let text = match value.as_str() {
            Some(text) => text.to_owned(),
            None => list_as_member(document, &id, unit),
        };
        versions.push(Version { text, writer });
    }
    UnitContent::Register(versions)
}

/// A list that stands beside other versions, as the member that it is.
fn list_as_member(document: &Automerge, list: &ObjId, unit: &str) -> String {
    let texts: Vec<_> = items(document, list)
        .into_iter()
        .map(|item| item.text)
        .collect();
    let mut text = String::new();
    crate::json::push_member(&mut text, unit, &format!("[{}]", texts.join(",")));
    text
}

fn items(document: &Automerge, list: &ObjId) -> Vec<Item> {
    document
        .list_range(list, ..)
        .filter_map(|item| {
            let id = item.id();
            Some(Item {
                text: text(&item.value)?.to_owned(),
                writer: document.hash_for_opid(&id)?,
                id: id.to_string(),
            })
        })
        .collect()
}

fn retractions(document: &Automerge, object: &ObjId) -> Vec<Retraction> {
    let all = document
        .get_all(object, member::RETRACTION)
        .unwrap_or_else(|_| Vec::new());
    let mut said: Vec<_> = all
        .into_iter()
        .filter_map(|(value, id)| {
            let said = member::retraction(value.as_str()?)?;
            Some(Retraction {
                writer: document.hash_for_opid(&id)?,
                versions: said.versions.into_iter().map(|hash| hash.0).collect(),
                reason: said.reason,
                concurrent: Vec::new(),
                superseded: false,
            })
        })
        .collect();
    said.sort_by_key(|said| said.writer);
    said
}

/// Tells what was written at the same time as a retraction from what was written after it.
fn judge_retractions(held: &mut Held, ancestry: &BTreeMap<ChangeHash, Vec<ChangeHash>>) {
    let writers: BTreeSet<_> = held
        .units
        .iter()
        .flat_map(|unit| unit.content.writers())
        .collect();
    for said in &mut held.retractions {
        let others = writers
            .iter()
            .filter(|writer| !said.versions.contains(writer) && **writer != said.writer);
        let (after, beside): (Vec<_>, Vec<_>) =
            others.partition(|writer| is_ancestor(said.writer, **writer, ancestry));
        said.superseded = !after.is_empty();
        said.concurrent = beside
            .into_iter()
            .filter(|writer: &&ChangeHash| !is_ancestor(**writer, said.writer, ancestry))
            .copied()
            .collect();
    }
}

fn is_ancestor(
    ancestor: ChangeHash,
    of: ChangeHash,
    ancestry: &BTreeMap<ChangeHash, Vec<ChangeHash>>,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![of];
    while let Some(hash) = next.pop() {
        if hash == ancestor {
            return true;
        }
        if seen.insert(hash) {
            next.extend(ancestry.get(&hash).into_iter().flatten());
        }
    }
    false
}

fn text<'a>(value: &'a ValueRef<'_>) -> Option<&'a str> {
    match value {
        ValueRef::Scalar(ScalarValueRef::Str(text)) => Some(text),
        ValueRef::Scalar(_) | ValueRef::Object(_) => None,
    }
}
