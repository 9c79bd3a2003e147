//! Reading: what a document holds, every version that stands side by side included.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use automerge::{Automerge, ObjId, ROOT, ReadDoc, ValueRef, iter::MapRangeItem};
use serde::de::{MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{
    ChangeHash, Document, ResourceId,
    list::{self, History, text},
    member::{self, CarriedText, HashText},
};
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
    /// The envelopes of changes of earlier epochs that are named here, as whoever carried them
    /// over knew them.
    pub carried: BTreeMap<ChangeHash, [u8; 32]>,
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
    /// The change that added it or gave it this text.
    pub writer: ChangeHash,
    /// Other texts that were given to it at the same time.
    pub beside: Vec<Version>,
    /// Whether someone took it away at the same time as it was given its text: it stays, for a
    /// person to look at.
    pub removed: bool,
}

impl Item {
    /// The changes that wrote what stands here.
    pub fn writers(&self) -> impl Iterator<Item = ChangeHash> {
        let beside = self.beside.iter().map(|version| version.writer);
        std::iter::once(self.writer).chain(beside)
    }
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
    /// Versions written after it.
    pub after: Vec<ChangeHash>,
    /// Whether something was written after it: a new statement, which it does not touch.
    pub superseded: bool,
}

impl UnitContent {
    /// The changes that wrote what stands here.
    pub fn writers(&self) -> Vec<ChangeHash> {
        match self {
            Self::Register(versions) => versions.iter().map(|version| version.writer).collect(),
            Self::List(items) => items.iter().flat_map(Item::writers).collect(),
        }
    }
}

/// Members as they were read, the same name more than once where it was written so.
#[derive(Default)]
struct Members(Vec<(String, Value)>);

impl Members {
    /// Adds those of an object.
    fn read(&mut self, object: &str) -> serde_json::Result<()> {
        let mut reader = serde_json::Deserializer::from_str(object);
        serde::Deserializer::deserialize_map(&mut reader, &mut *self)?;
        reader.end()
    }

    /// One of each name, the last, in this order and then as they were read.
    fn in_order(self, order: &[String]) -> Map<String, Value> {
        let mut places: Vec<_> = order.iter().enumerate().collect();
        // Of a name that stands there twice the first place counts.
        places.sort_by_key(|(place, name)| (*name, *place));
        places.dedup_by_key(|(_, name)| *name);
        let place = |name: &String| {
            let at = places.binary_search_by_key(&name, |(_, name)| *name);
            at.map_or(usize::MAX, |at| places[at].0)
        };
        let members = self.0.into_iter();
        let mut members: Vec<_> = members.map(|member| (place(&member.0), member)).collect();
        members.sort_by_key(|(place, _)| *place);
        members.into_iter().map(|(_, member)| member).collect()
    }
}

impl<'de> Visitor<'de> for &mut Members {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(member) = object.next_entry()? {
            self.0.push(member);
        }
        Ok(())
    }
}

impl Held {
    /// Its place among the resources of its document: as they were imported, then by id.
    pub fn place(&self) -> impl Ord + '_ {
        (self.meta.batch, self.meta.ordinal, &self.id)
    }

    /// How many bytes of text it holds, every version included.
    pub fn texts_len(&self) -> usize {
        let units = self.units.iter().map(|unit| match &unit.content {
            UnitContent::Register(versions) => {
                versions.iter().map(|version| version.text.len()).sum()
            }
            UnitContent::List(items) => items.iter().map(|item| item.text.len()).sum::<usize>(),
        });
        units.sum()
    }

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

    /// The resource as JSON, with the version of each register at `choice`: what [`Self::to_text`]
    /// says, read member by member. `null` where that is no JSON.
    pub fn value(&self, choice: usize) -> Value {
        match self.members(choice) {
            Some(members) => Value::Object(members),
            None => serde_json::from_str(&self.to_text(choice)).unwrap_or(Value::Null),
        }
    }

    /// Its members in their order; nothing where a unit is not made of members.
    fn members(&self, choice: usize) -> Option<Map<String, Value>> {
        let mut members = Members::default();
        let mut text = String::new();
        for unit in &self.units {
            match &unit.content {
                UnitContent::Register(versions) => {
                    let Some(version) = versions.get(choice).or_else(|| versions.first()) else {
                        continue;
                    };
                    text.clear();
                    text.push('{');
                    text.push_str(&version.text);
                    text.push('}');
                    members.read(&text).ok()?;
                }
                UnitContent::List(items) if items.is_empty() => {}
                UnitContent::List(items) => {
                    let items = items.iter().map(|item| serde_json::from_str(&item.text));
                    let items = items.collect::<Result<_, _>>().ok()?;
                    members.0.push((unit.name.clone(), Value::Array(items)));
                }
            }
        }
        Some(members.in_order(&self.order))
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
        let reading = Reading::of(self);
        let mut held: Vec<_> = self
            .inner
            .map_range(ROOT, ..)
            .filter_map(|item| {
                matches!(item.value, ValueRef::Object(_)).then_some(())?;
                let id = ResourceId::parse(&item.key)?;
                reading.resource(id, &item.id())
            })
            .collect();
        held.sort_by(|a, b| a.place().cmp(&b.place()));
        held
    }

    /// One resource.
    pub fn resource(&self, id: &ResourceId) -> Option<Held> {
        let (value, object) = self.inner.get(ROOT, id.as_str()).ok()??;
        value
            .is_object()
            .then(|| Reading::of(self).resource(id.clone(), &object))?
    }
}

/// One reading of a document, and what it found out on the way.
struct Reading<'a> {
    document: &'a Document,
    inner: &'a Automerge,
    ancestry: OnceCell<BTreeMap<ChangeHash, Vec<ChangeHash>>>,
    history: History,
}

/// The change that made a resource here, and what it carried over from an earlier epoch.
struct Maker {
    change: ChangeHash,
    carried: Option<CarriedText>,
}

impl<'a> Reading<'a> {
    fn of(document: &'a Document) -> Self {
        Self {
            document,
            inner: &document.inner,
            ancestry: OnceCell::new(),
            history: History::default(),
        }
    }

    fn resource(&self, id: ResourceId, object: &ObjId) -> Option<Held> {
        let maker = self.maker(object)?;
        let created = maker.carried.as_ref().and_then(|carried| carried.created);
        let mut held = Held {
            id,
            meta: Meta::default(),
            created: created.map_or(maker.change, |created| created.0),
            order: Vec::new(),
            units: Vec::new(),
            retractions: Vec::new(),
            carried: maker.envelopes(),
        };
        let mut decided = BTreeMap::new();
        for item in self.inner.map_range(object, ..) {
            let key = item.key.as_ref();
            if key == member::META {
                held.meta = member::meta(text(&item.value)?)?;
            } else if key == member::ORDER {
                held.order = member::order(text(&item.value)?);
            } else if key == member::RETRACTION {
                held.retractions = self.retractions(object, &maker);
            } else if let Some(unit) = key.strip_prefix(member::DECIDED) {
                decided.insert(unit.to_owned(), member::decided(text(&item.value)?)?);
            } else if key != member::CARRIED {
                held.units.push(HeldUnit {
                    name: key.to_owned(),
                    content: self.content(object, key, &item, &maker)?,
                    decided: Vec::new(),
                });
            }
        }
        for unit in &mut held.units {
            unit.decided = decided.remove(&unit.name).unwrap_or_default();
        }
        if !held.retractions.is_empty() {
            let ancestry = self.ancestry.get_or_init(|| self.document.ancestry());
            judge_retractions(&mut held, ancestry);
        }
        Some(held)
    }

    fn maker(&self, object: &ObjId) -> Option<Maker> {
        let carried = self.inner.get(object, member::CARRIED).ok().flatten();
        Some(Maker {
            change: self.inner.hash_for_opid(object)?,
            carried: carried.and_then(|(value, _)| member::carried(value.as_str()?)),
        })
    }

    fn content(
        &self,
        object: &ObjId,
        unit: &str,
        item: &MapRangeItem<'_>,
        maker: &Maker,
    ) -> Option<UnitContent> {
        if item.conflict {
            return Some(UnitContent::Register(self.versions(object, unit, maker)));
        }
        if matches!(item.value, ValueRef::Object(_)) {
            let carried = maker.carried.as_ref();
            let carried = carried.and_then(|carried| carried.lists.get(unit));
            let items = list::items(self.inner, &item.id(), carried, &self.history);
            return Some(UnitContent::List(items));
        }
        let version = Version {
            text: text(&item.value)?.to_owned(),
            writer: self.inner.hash_for_opid(&item.id())?,
        };
        Some(UnitContent::Register(maker.original(unit, version)))
    }

    /// Every version of a unit, the one that automerge shows first.
    fn versions(&self, object: &ObjId, unit: &str, maker: &Maker) -> Vec<Version> {
        let all = self.inner.get_all(object, unit);
        let all = all.unwrap_or_else(|_| Vec::new()).into_iter().rev();
        all.filter_map(|(value, id)| {
            let text = match value.as_str() {
                Some(text) => text.to_owned(),
                None => self.list_as_member(&id, unit),
            };
            let writer = self.inner.hash_for_opid(&id)?;
            Some(maker.original(unit, Version { text, writer }))
        })
        .flatten()
        .collect()
    }

    /// A list that stands beside other versions, as the member that it is.
    fn list_as_member(&self, list: &ObjId, unit: &str) -> String {
        let items = list::items(self.inner, list, None, &self.history);
        let texts: Vec<_> = items.into_iter().map(|item| item.text).collect();
        let mut text = String::new();
        crate::json::push_member(&mut text, unit, &format!("[{}]", texts.join(",")));
        text
    }

    fn retractions(&self, object: &ObjId, maker: &Maker) -> Vec<Retraction> {
        let all = self.inner.get_all(object, member::RETRACTION);
        let all = all.unwrap_or_else(|_| Vec::new()).into_iter();
        let mut said: Vec<_> = all
            .filter_map(|(value, id)| {
                let said = member::retraction(value.as_str()?)?;
                let writer = self.inner.hash_for_opid(&id)?;
                Some(maker.original_retractions(Retraction {
                    writer,
                    versions: said.versions.into_iter().map(|hash| hash.0).collect(),
                    reason: said.reason,
                    concurrent: Vec::new(),
                    after: Vec::new(),
                    superseded: false,
                }))
            })
            .flatten()
            .collect();
        said.sort_by_key(|said| said.writer);
        said
    }
}

impl Maker {
    /// The versions of an earlier epoch that the carried one stands for, or the version itself.
    fn original(&self, unit: &str, version: Version) -> Vec<Version> {
        let carried = self.carried.as_ref();
        let carried = carried.and_then(|carried| carried.registers.get(unit));
        match carried.filter(|_| version.writer == self.change) {
            None => vec![version],
            Some(versions) => versions
                .iter()
                .map(|carried| Version {
                    text: carried.text.as_ref().unwrap_or(&version.text).clone(),
                    writer: carried.writer.0,
                })
                .collect(),
        }
    }

    fn original_retractions(&self, said: Retraction) -> Vec<Retraction> {
        let hashes = |hashes: &[HashText]| hashes.iter().map(|hash| hash.0).collect();
        let carried = self.carried.as_ref();
        match carried.filter(|_| said.writer == self.change) {
            None => vec![said],
            Some(carried) => carried
                .retractions
                .iter()
                .map(|said| Retraction {
                    writer: said.writer.0,
                    versions: hashes(&said.versions),
                    reason: said.reason.clone(),
                    concurrent: hashes(&said.beside),
                    after: hashes(&said.after),
                    superseded: false,
                })
                .collect(),
        }
    }

    fn envelopes(&self) -> BTreeMap<ChangeHash, [u8; 32]> {
        let carried = self.carried.iter().flat_map(|carried| &carried.envelopes);
        carried
            .map(|(change, envelope)| (change.0, envelope.0.0))
            .collect()
    }
}

/// Tells what was written at the same time as a retraction from what was written after it. Of a
/// change of an earlier epoch only what was carried over is known.
fn judge_retractions(held: &mut Held, ancestry: &BTreeMap<ChangeHash, Vec<ChangeHash>>) {
    let units = held.units.iter();
    let writers: BTreeSet<_> = units.flat_map(|unit| unit.content.writers()).collect();
    for said in &mut held.retractions {
        let is_here = ancestry.contains_key(&said.writer);
        let is_after = |writer: ChangeHash| match ancestry.contains_key(&writer) {
            true => !is_here || is_ancestor(said.writer, writer, ancestry),
            false => said.after.contains(&writer),
        };
        let is_beside = |writer: ChangeHash| match ancestry.contains_key(&writer) {
            true => is_here && !is_ancestor(writer, said.writer, ancestry),
            false => said.concurrent.contains(&writer),
        };
        let is_other =
            |writer: &ChangeHash| !said.versions.contains(writer) && *writer != said.writer;
        let others = writers.iter().copied().filter(is_other);
        let (after, rest): (Vec<_>, Vec<_>) = others.partition(|writer| is_after(*writer));
        let beside: Vec<_> = rest
            .into_iter()
            .filter(|writer| is_beside(*writer))
            .collect();
        said.superseded = !after.is_empty();
        said.after = after;
        said.concurrent = beside;
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
