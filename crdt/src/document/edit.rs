//! Writing: one transaction, one change, whatever its size.

use automerge::{
    ActorId, Automerge, ObjId, ObjType, ROOT, ReadDoc, hydrate,
    transaction::{CommitOptions, Transactable, Transaction},
};

use super::{Actor, ChangeHash, Document, DocumentError, ResourceId, Written, member};
use crate::{
    resource::{Resource, UnitText},
    vet::{self, Refusal},
};

/// One thing that a change does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Adds a resource.
    Create(Resource),
    /// Replaces a register; where versions stood side by side it decides between them and names
    /// them.
    Put {
        /// The resource.
        resource: ResourceId,
        /// The register.
        unit: String,
        /// Its new members.
        text: String,
    },
    /// Takes a register away.
    Clear {
        /// The resource.
        resource: ResourceId,
        /// The register or list.
        unit: String,
    },
    /// Changes a list.
    List {
        /// The resource.
        resource: ResourceId,
        /// The list.
        unit: String,
        /// From the first place to the last.
        edits: Vec<ListEdit>,
    },
    /// Replaces the order of members.
    Order {
        /// The resource.
        resource: ResourceId,
        /// The members.
        order: Vec<String>,
    },
    /// Says that the present versions of a resource were entered in error, or moved away.
    Retract {
        /// The resource.
        resource: ResourceId,
        /// Why, in the author's words.
        reason: String,
    },
}

impl Edit {
    /// The resource that it changes; of one that makes a resource, none.
    pub const fn resource(&self) -> Option<&ResourceId> {
        match self {
            Self::Create(_) => None,
            Self::Put { resource, .. }
            | Self::Clear { resource, .. }
            | Self::List { resource, .. }
            | Self::Order { resource, .. }
            | Self::Retract { resource, .. } => Some(resource),
        }
    }
}

/// One step along a list: places count in the list as it is after the steps before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEdit {
    /// Puts an item before the one at this place.
    Insert(usize, String),
    /// Gives the item at this place another text; it stays the same item, and stays when someone
    /// takes it away at the same time.
    Replace(usize, String),
    /// Takes the item at this place away.
    Remove(usize),
}

/// Why an edit cannot be made; the document is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such resource here.
    #[error("the document holds no resource {0}")]
    NoResource(ResourceId),
    /// The unit is no list.
    #[error("{0:?} is not a list in this resource")]
    NoList(String),
    /// There is nothing to do.
    #[error("there is nothing to write")]
    Nothing,
    /// It would not pass vetting anywhere.
    #[error("the edits make a change that nobody would take: {0}")]
    Refused(#[from] Refusal),
    /// Automerge refused.
    #[error("the document does not take the edit")]
    Document(#[from] DocumentError),
}

impl From<automerge::AutomergeError> for EditError {
    fn from(error: automerge::AutomergeError) -> Self {
        Self::Document(error.into())
    }
}

impl Document {
    /// Makes all `edits` as one change by `actor`, at the claimed time `time_ms`.
    ///
    /// What it makes is vetted like anything from outside: nothing is written that others refuse.
    ///
    /// # Errors
    /// When one of them cannot be made; then none is.
    pub fn write(
        &mut self,
        actor: Actor,
        time_ms: u64,
        edits: &[Edit],
    ) -> Result<Written, EditError> {
        let retracted: Vec<_> = edits.iter().map(|edit| self.versions_of(edit)).collect();
        let mut next = self.inner.clone();
        next.set_actor(ActorId::from(actor.0));
        let start_op = self.next_counter();
        let mut created = Vec::new();
        let mut transaction = next.transaction();
        if edits.iter().all(|edit| matches!(edit, Edit::Create(_))) && is_empty(&transaction) {
            created = create_all(&mut transaction, actor, start_op, edits)?;
        } else {
            for (edit, versions) in edits.iter().zip(&retracted) {
                let id = ResourceId::derive(&actor, start_op, created.len());
                created.extend(make(&mut transaction, edit, id, versions)?);
            }
        }
        let hash = commit(transaction, time_ms)?;
        let written = written(&next, hash, created)?;
        self.inner = next;
        Ok(written)
    }

    /// The versions that an edit decides between or takes back.
    fn versions_of(&self, edit: &Edit) -> Vec<ChangeHash> {
        let (resource, unit) = match edit {
            Edit::Put { resource, unit, .. } | Edit::Clear { resource, unit } => {
                (resource, Some(unit))
            }
            Edit::Retract { resource, .. } => (resource, None),
            Edit::Create(_) | Edit::List { .. } | Edit::Order { .. } => return Vec::new(),
        };
        let held = self.resource(resource);
        let units = held.iter().flat_map(|held| &held.units);
        let mut versions: Vec<_> = units
            .filter(|held| unit.is_none_or(|unit| *unit == held.name))
            .flat_map(|held| held.content.writers())
            .collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}

/// Ends a transaction that did something.
pub(super) fn commit(transaction: Transaction<'_>, time_ms: u64) -> Result<ChangeHash, EditError> {
    let time = i64::try_from(time_ms).unwrap_or(i64::MAX);
    let (hash, _) = transaction.commit_with(CommitOptions::default().with_time(time));
    hash.ok_or(EditError::Nothing)
}

/// The change that was made last, when it passes vetting.
pub(super) fn written(
    document: &Automerge,
    hash: ChangeHash,
    created: Vec<ResourceId>,
) -> Result<Written, EditError> {
    let change = document.get_last_local_change();
    let bytes = change.ok_or(EditError::Nothing)?.raw_bytes().to_vec();
    let vetted = vet::vet(&bytes)?;
    Ok(Written {
        bytes,
        hash,
        vetted,
        created,
    })
}

fn is_empty(transaction: &Transaction<'_>) -> bool {
    transaction.length(ROOT) == 0
}

/// The first write of a document: all resources in one batch, 20 times faster than one by one.
fn create_all(
    transaction: &mut Transaction<'_>,
    actor: Actor,
    start_op: u64,
    edits: &[Edit],
) -> Result<Vec<ResourceId>, EditError> {
    let mut root = hydrate::Map::default();
    let mut created = Vec::with_capacity(edits.len());
    for edit in edits {
        if let Edit::Create(resource) = edit {
            let id = ResourceId::derive(&actor, start_op, created.len());
            root.insert(id.0.clone(), plain(tree(resource)));
            created.push(id);
        }
    }
    transaction.init_root_from_hydrate(&root)?;
    Ok(created)
}

fn make(
    transaction: &mut Transaction<'_>,
    edit: &Edit,
    id: ResourceId,
    versions: &[ChangeHash],
) -> Result<Option<ResourceId>, EditError> {
    match edit {
        Edit::Create(resource) => {
            transaction.batch_create_object(ROOT, id.as_str(), &tree(resource), false)?;
            return Ok(Some(id));
        }
        Edit::Put {
            resource,
            unit,
            text,
        } => {
            let object = object(transaction, resource)?;
            if versions.len() > 1 {
                // A decision is a version of its own, even with the text of one of its inputs.
                transaction.delete(&object, unit.as_str())?;
                let name = format!("{}{unit}", member::DECIDED);
                put_own(transaction, &object, &name, &member::decided_text(versions))?;
            }
            transaction.put(&object, unit.as_str(), text.as_str())?;
        }
        Edit::Clear { resource, unit } => {
            let object = object(transaction, resource)?;
            transaction.delete(&object, unit.as_str())?;
        }
        Edit::List {
            resource,
            unit,
            edits,
        } => {
            let object = object(transaction, resource)?;
            edit_list(transaction, &object, unit, edits)?;
        }
        Edit::Order { resource, order } => {
            let object = object(transaction, resource)?;
            put_own(
                transaction,
                &object,
                member::ORDER,
                &member::order_text(order),
            )?;
        }
        Edit::Retract { resource, reason } => {
            let object = object(transaction, resource)?;
            let text = member::retraction_text(versions, reason);
            put_own(transaction, &object, member::RETRACTION, &text)?;
        }
    }
    Ok(None)
}

/// Writes a member of kith's own. Where it already says this nothing is written: automerge would
/// only delete what stands beside it.
fn put_own(
    transaction: &mut Transaction<'_>,
    object: &ObjId,
    name: &str,
    text: &str,
) -> Result<(), EditError> {
    let present = transaction.get(object, name)?;
    if present.is_none_or(|(value, _)| value.as_str() != Some(text)) {
        transaction.put(object, name, text)?;
    }
    Ok(())
}

fn object(transaction: &Transaction<'_>, resource: &ResourceId) -> Result<ObjId, EditError> {
    match transaction.get(ROOT, resource.as_str())? {
        Some((value, object)) if value.is_object() => Ok(object),
        Some(_) | None => Err(EditError::NoResource(resource.clone())),
    }
}

fn edit_list(
    transaction: &mut Transaction<'_>,
    resource: &ObjId,
    unit: &str,
    edits: &[ListEdit],
) -> Result<(), EditError> {
    let list = match transaction.get(resource, unit)? {
        Some((value, list)) if value.is_object() => list,
        Some(_) => return Err(EditError::NoList(unit.to_owned())),
        None => transaction.put_object(resource, unit, ObjType::List)?,
    };
    for edit in edits {
        match edit {
            ListEdit::Insert(place, text) => transaction.insert(&list, *place, text.as_str())?,
            ListEdit::Replace(place, text) => replace(transaction, &list, *place, text)?,
            ListEdit::Remove(place) => transaction.delete(&list, *place)?,
        }
    }
    Ok(())
}

/// Gives an item another text. One that this very change inserts is inserted anew, so that the
/// operation which inserts an item always stands in another change than those that edit it.
fn replace(
    transaction: &mut Transaction<'_>,
    list: &ObjId,
    place: usize,
    text: &str,
) -> Result<(), EditError> {
    let present = transaction.get_all(list, place)?;
    let is_own = |(_, id): &(_, ObjId)| transaction.hash_for_opid(id).is_none();
    if !present.is_empty() && present.iter().all(is_own) {
        transaction.delete(list, place)?;
        transaction.insert(list, place, text)?;
    } else {
        transaction.put(list, place, text)?;
    }
    Ok(())
}

fn tree(resource: &Resource) -> hydrate::Value {
    let mut map = hydrate::Map::default();
    let meta = member::meta_text(&resource.meta);
    map.insert(member::META.to_owned(), plain(meta.as_str().into()));
    if !resource.body.order.is_empty() {
        let order = member::order_text(&resource.body.order);
        map.insert(member::ORDER.to_owned(), plain(order.as_str().into()));
    }
    for (name, text) in &resource.body.units {
        let value: hydrate::Value = match text {
            UnitText::Register(text) => text.as_str().into(),
            UnitText::List(items) => items
                .iter()
                .map(|item| hydrate::Value::from(item.as_str()))
                .collect::<Vec<_>>()
                .into(),
        };
        map.insert(name.clone(), plain(value));
    }
    map.into()
}

pub(super) const fn plain(value: hydrate::Value) -> hydrate::MapValue {
    hydrate::MapValue {
        value,
        conflict: false,
    }
}
