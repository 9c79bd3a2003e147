//! From planned filings to signed items.

use std::collections::BTreeMap;

use kith_crdt::{
    DocumentId, Edit, ResourceId, Section,
    refile::{Before, refile},
};
use kith_protocol::{
    consent::{
        Denial, Whoever, Writer,
        grant::{Actions, Purposes},
    },
    id::RecordId,
    logs::{
        Act, CoreAct, Event,
        principal::RecoverySet,
        record::{LinkState, Policy},
    },
    record::{Pen, Record},
    signed::Verified,
    store::Item,
};
use rand_core::CryptoRng;

use super::plan::Filing;
use crate::{
    api::{Filed, Imported},
    failure::Failure,
    node::{
        Node, access, epochs,
        people::{self, Known},
        statements::Statement,
    },
};

/// A new record, ready to be committed.
pub(super) struct Built {
    pub(super) record: RecordId,
    pub(super) known: Known,
    pub(super) items: Vec<Item>,
    pub(super) filed: BTreeMap<Section, usize>,
    /// The record that it was said to be of the same person as.
    pub(super) same_as: Option<RecordId>,
}

/// Begins a record and writes all of a filing into it, one entry a document.
pub(super) fn new_record(
    filing: Filing,
    pen: &Pen<'_>,
    principal_log: &[Verified<Event>],
    rng: &mut impl CryptoRng,
) -> Result<Built, Failure> {
    let (mut record, genesis) = Record::begin(
        pen,
        principal_log,
        RecoverySet::default(),
        Policy::default(),
        rng,
    );
    let refiling = refile([], filing.resources);
    let mut items = vec![genesis];
    let filed = write_all(&mut record, pen, refiling.edits, &mut items, rng)?;
    if let Some(other) = filing.same_as {
        let who = who_writes(pen);
        let issuer = record
            .ledger()
            .decide_act(&who, None, None, same_person(other), pen.time_ms)
            .map_err(|denial| access::denied(&denial))?;
        items.push(record.act(pen, issuer).1);
    }
    Ok(Built {
        record: record.id(),
        known: filing.known,
        items,
        filed,
        same_as: filing.same_as,
    })
}

/// Somebody's word that two records are of one person: signed, and taken back by another.
pub(super) fn same_person(other: RecordId) -> Act {
    Act::Core(CoreAct::SamePerson {
        other,
        link: LinkState::Confirmed,
        evidence: "said when a file was imported".to_owned(),
    })
}

/// Writes edits into the documents of a record, and counts resources by section.
pub(in crate::node) fn write_all(
    record: &mut Record,
    pen: &Pen<'_>,
    edits: BTreeMap<DocumentId, Vec<Edit>>,
    items: &mut Vec<Item>,
    rng: &mut impl CryptoRng,
) -> Result<BTreeMap<Section, usize>, Failure> {
    let mut filed = BTreeMap::new();
    for (document, edits) in edits {
        let section = document.section;
        let count = count(&edits);
        write_into(record, pen, document, &edits, items, rng)?;
        if count > 0 {
            *filed.entry(section).or_default() += count;
        }
    }
    Ok(filed)
}

/// Writes edits into one document of a record, as one entry: the resources that it made.
pub(in crate::node) fn write_into(
    record: &mut Record,
    pen: &Pen<'_>,
    document: DocumentId,
    edits: &[Edit],
    items: &mut Vec<Item>,
    rng: &mut impl CryptoRng,
) -> Result<Vec<ResourceId>, Failure> {
    let who = who_writes(pen);
    let only_adds = edits.iter().all(|edit| matches!(edit, Edit::Create(_)));
    // What is new goes into the epoch that stands; what is changed names the one where it is.
    let (document, action) = if only_adds {
        (record.current(&document), Actions::APPEND)
    } else {
        (document, Actions::EDIT)
    };
    let writer = may_write(record, &who, &document, action, pen.time_ms)
        .map_err(|denial| access::denied(&denial))?;
    let (item, written) = record
        .write(pen, &writer, edits, rng)
        .map_err(|error| access::not_written(&error))?;
    items.push(item);
    items.extend(epochs::begin_anew_if_outgrown(
        record, pen, &who, &document, rng,
    ));
    Ok(written.created)
}

/// Whoever holds a pen.
pub(in crate::node) fn who_writes(pen: &Pen<'_>) -> Whoever {
    Whoever {
        principal: pen.author.principal,
        device: pen.author.key.device(),
        staff: pen.author.staff,
    }
}

/// Whether somebody may write into a document, for care or in an emergency.
pub(in crate::node) fn may_write(
    record: &mut Record,
    who: &Whoever,
    document: &DocumentId,
    action: Actions,
    now_ms: u64,
) -> Result<Writer, Denial> {
    let ledger = record.ledger();
    ledger
        .decide_write(who, document, action, Purposes::CARE, now_ms)
        .or_else(|denial| {
            // Whoever opened it in an emergency writes for that.
            let emergency = Purposes::EMERGENCY;
            ledger
                .decide_write(who, document, action, emergency, now_ms)
                .map_err(|_| denial)
        })
}

/// How many resources edits make or change; what kith keeps for itself is not counted.
fn count(edits: &[Edit]) -> usize {
    let mut changed = std::collections::BTreeSet::new();
    let mut created = 0;
    for edit in edits {
        if let Edit::Create(resource) = edit {
            created += usize::from(!resource.meta.made_here);
        }
        changed.extend(edit.resource());
    }
    created + changed.len()
}

impl Node {
    /// Files into a record that is here already: what this node's owner said before is compared,
    /// and only what is new or changed is written.
    pub(super) fn file_into(
        &mut self,
        filing: Filing,
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let Some(id) = filing.record else {
            return Ok(());
        };
        let (filed, unchanged) = self.with_record(id, |node, record| {
            let held = node.own_statements(record)?;
            let made_here = held_made_here(&filing, &held);
            let came_back = filing.unchanged;
            let before = held.iter().map(|statement| Before {
                key: statement.key(),
                document: &statement.document,
                held: statement.held(),
            });
            let refiling = refile(before, filing.resources);
            let unchanged = came_back + refiling.unchanged - made_here.min(refiling.unchanged);
            let mut rng = node.rng.clone();
            let mut items = Vec::new();
            let pen = node.pen(super::now_ms());
            let filed = write_all(record, &pen, refiling.edits, &mut items, &mut rng)?;
            node.rng = rng;
            if !items.is_empty() {
                let said = node.said_of(record);
                let known = Known {
                    library: filing.known.library,
                    said,
                };
                items.push(node.people.note(id, known));
                node.commit_noting(items)?;
            }
            Ok((filed, unchanged))
        })?;
        let known = self.people.get(&id).cloned().unwrap_or_default();
        let filed = self.report(id, &known, filed, unchanged);
        imported.records.push(filed);
        Ok(())
    }

    /// Who the person of a record is, by its identity section.
    pub(in crate::node) fn said_of(&self, record: &mut Record) -> Vec<kith_crdt::person::Person> {
        let mut documents = record.ledger().documents();
        documents.retain(|document| document.section == Section::Identity);
        documents
            .iter()
            .flat_map(|document| self.read_document(record, document))
            .map(|placed| placed.held)
            .filter(|held| !held.is_retracted())
            .filter_map(|held| people::said(&held.meta, &held.body(0)))
            .collect()
    }

    pub(super) fn report(
        &self,
        record: RecordId,
        known: &Known,
        filed: BTreeMap<Section, usize>,
        unchanged: usize,
    ) -> Filed {
        Filed {
            record: record.to_string(),
            person: known.banner(),
            filed: filed
                .into_iter()
                .map(|(section, n)| (section.name().to_owned(), n))
                .collect(),
            unchanged,
            alike: self.alike(record, known),
        }
    }
}

/// How many of a filing's resources are kith's own and were here already.
fn held_made_here(filing: &Filing, held: &[Statement]) -> usize {
    filing
        .resources
        .iter()
        .filter(|(_, resource)| resource.meta.made_here)
        .filter(|(_, resource)| {
            let text = resource.body.to_text();
            let mut held = held.iter().map(Statement::held);
            held.any(|held| held.meta.kind == resource.meta.kind && held.to_text(0) == text)
        })
        .count()
}
