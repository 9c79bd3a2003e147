//! The first write of a new epoch: everything that stands in the one before, and who wrote it.
//!
//! A new document cannot hold several versions of one register from one change, nor operations of
//! authors who did not write in it. So the version that is shown stands in the register, and
//! beside it, in `$c`, who wrote it and what else stood there, until someone writes over it.

use std::collections::BTreeMap;

use automerge::{
    ActorId, Automerge, ObjId, ROOT, ReadDoc, hydrate,
    transaction::{Transactable, Transaction},
};

use super::{
    Actor, ChangeHash, Document, EditError, Held, HeldUnit, Item, Retraction, UnitContent, Version,
    Written,
    edit::{commit, plain, written},
    member::{self, CarriedItem, CarriedRetraction, CarriedText, CarriedVersion, HashText},
};

impl Document {
    /// The first change of the next epoch, by `actor`, and the document that it makes. `envelopes`
    /// are the ids of the envelopes in which the changes of this epoch came, as far as the caller
    /// knows them. The same heads, actor, time and envelopes give the same bytes.
    ///
    /// # Errors
    /// When there is nothing to carry, or too much for one change.
    pub fn carry_over(
        &self,
        actor: Actor,
        time_ms: u64,
        envelopes: &BTreeMap<ChangeHash, [u8; 32]>,
    ) -> Result<(Self, Written), EditError> {
        let held = self.resources();
        let mut root = hydrate::Map::default();
        for resource in &held {
            root.insert(resource.id.as_str().to_owned(), plain(tree(resource)));
        }
        let mut next = Automerge::new().with_actor(ActorId::from(actor.0));
        let mut transaction = next.transaction();
        transaction.init_root_from_hydrate(&root)?;
        for resource in &held {
            write_provenance(&mut transaction, resource, envelopes)?;
        }
        let hash = commit(transaction, time_ms)?;
        let created = held.into_iter().map(|held| held.id).collect();
        let written = written(&next, hash, created)?;
        Ok((Self::from_inner(next), written))
    }
}

fn tree(held: &Held) -> hydrate::Value {
    let mut map = hydrate::Map::default();
    let mut set = |name: &str, value: hydrate::Value| map.insert(name.to_owned(), plain(value));
    set(member::META, member::meta_text(&held.meta).as_str().into());
    if !held.order.is_empty() {
        set(
            member::ORDER,
            member::order_text(&held.order).as_str().into(),
        );
    }
    if let Some(said) = held.retractions.first() {
        let text = member::retraction_text(&said.versions, &said.reason);
        set(member::RETRACTION, text.as_str().into());
    }
    for unit in &held.units {
        match &unit.content {
            UnitContent::Register(versions) => {
                if let Some(version) = versions.first() {
                    set(&unit.name, version.text.as_str().into());
                }
            }
            UnitContent::List(items) => {
                let items = items.iter().map(|item| item.text.as_str().into());
                set(&unit.name, items.collect::<Vec<hydrate::Value>>().into());
            }
        }
        if !unit.decided.is_empty() {
            let name = format!("{}{}", member::DECIDED, unit.name);
            set(&name, member::decided_text(&unit.decided).as_str().into());
        }
    }
    map.into()
}

fn write_provenance(
    transaction: &mut Transaction<'_>,
    held: &Held,
    envelopes: &BTreeMap<ChangeHash, [u8; 32]>,
) -> Result<(), EditError> {
    let Some((_, object)) = transaction.get(ROOT, held.id.as_str())? else {
        return Err(EditError::NoResource(held.id.clone()));
    };
    let mut text = CarriedText {
        created: Some(HashText(held.created)),
        retractions: held.retractions.iter().map(retraction).collect(),
        ..CarriedText::default()
    };
    for unit in &held.units {
        match &unit.content {
            UnitContent::Register(versions) => {
                let carried = versions.iter().enumerate();
                let carried = carried.map(|(place, version)| carried_version(place > 0, version));
                text.registers.insert(unit.name.clone(), carried.collect());
            }
            UnitContent::List(items) => {
                let carried = carried_items(transaction, &object, unit, items)?;
                text.lists.insert(unit.name.clone(), carried);
            }
        }
    }
    text.envelopes = known_envelopes(held, envelopes);
    let text = serde_json::to_string(&text).expect("provenance is text and numbers");
    transaction.put(&object, member::CARRIED, text)?;
    Ok(())
}

fn carried_version(with_text: bool, version: &Version) -> CarriedVersion {
    CarriedVersion {
        writer: HashText(version.writer),
        text: with_text.then(|| version.text.clone()),
    }
}

/// The items of a list by the counters that they have in the new document.
fn carried_items(
    transaction: &Transaction<'_>,
    object: &ObjId,
    unit: &HeldUnit,
    items: &[Item],
) -> Result<BTreeMap<u64, CarriedItem>, EditError> {
    let Some((_, list)) = transaction.get(object, unit.name.as_str())? else {
        return Ok(BTreeMap::new());
    };
    let places = transaction.list_range(&list, ..);
    let counters = places.filter_map(|place| match place.id() {
        ObjId::Id(counter, _, _) => Some(counter),
        ObjId::Root => None,
    });
    Ok(counters
        .zip(items.iter().map(carried_item))
        .collect::<BTreeMap<_, _>>())
}

fn carried_item(item: &Item) -> CarriedItem {
    let beside = item.beside.iter();
    CarriedItem {
        id: item.id.clone(),
        writer: HashText(item.writer),
        beside: beside
            .map(|version| carried_version(true, version))
            .collect(),
        removed: item.removed,
    }
}

fn retraction(said: &Retraction) -> CarriedRetraction {
    let hashes = |hashes: &[ChangeHash]| hashes.iter().copied().map(HashText).collect();
    CarriedRetraction {
        writer: HashText(said.writer),
        versions: hashes(&said.versions),
        reason: said.reason.clone(),
        beside: hashes(&said.concurrent),
        after: hashes(&said.after),
    }
}

/// The envelopes of everything that the resource names, those of still earlier epochs included.
fn known_envelopes(
    held: &Held,
    envelopes: &BTreeMap<ChangeHash, [u8; 32]>,
) -> BTreeMap<HashText, HashText> {
    let writers = held.units.iter().flat_map(|unit| unit.content.writers());
    let retracted = held.retractions.iter().flat_map(|said| {
        let named = said.versions.iter().chain([&said.writer]);
        named.copied().collect::<Vec<_>>()
    });
    let decided = held.units.iter().flat_map(|unit| unit.decided.clone());
    let all = writers
        .chain(retracted)
        .chain(decided)
        .chain([held.created]);
    all.filter_map(|writer| {
        let envelope = envelopes.get(&writer).or_else(|| held.carried.get(&writer));
        Some((HashText(writer), HashText(ChangeHash(*envelope?))))
    })
    .collect()
}
