//! The patient summary of a record as this node holds it.

use std::collections::BTreeSet;

use kith_crdt::{Label, Section, flag, incoming};
use kith_protocol::{
    consent::Status,
    record::{Placed, Record},
};
use serde_json::Value;

use super::{Node, attest::Attestations, identity::Role};
use crate::{
    failure::{Ending, Failure},
    health::ips::{Source, SummaryAuthor, SummaryContext, assemble},
};

impl Node {
    pub(super) fn summary(&mut self, record: &mut Record, now: &str) -> Result<Value, Failure> {
        let sources = self.sources(record)?;
        let visible = record.ledger().documents().into_iter();
        let visible = visible.map(|document| (document.section, document.label));
        let visible = visible.collect();
        let complete = record
            .ledger()
            .controllers()
            .contains(&self.identity.principal);
        self.summary_of(record, &sources, (visible, complete), now)
    }

    /// A summary of no more than these sources; with them what may be seen, and whether that is all.
    pub(super) fn summary_of(
        &self,
        record: &Record,
        sources: &[Source],
        (visible, complete): (BTreeSet<(Section, Label)>, bool),
        now: &str,
    ) -> Result<Value, Failure> {
        let name = self.identity.name.clone();
        let context = SummaryContext {
            record: record.id(),
            now: now.to_owned(),
            author: match self.identity.role {
                Role::Person => SummaryAuthor::Device(name),
                Role::Practice
                | Role::Hospital
                | Role::Ambulance
                | Role::CareHome
                | Role::Laboratory => SummaryAuthor::Organization(name),
            },
            visible,
            complete,
        };
        assemble(sources, &context).map_err(|error| {
            Failure::new(
                Ending::Failed,
                "The summary could not be made.",
                "The record is untouched. This is a fault of kith.",
            )
            .because(&error)
        })
    }

    /// Every received resource as the summary sees it.
    pub(super) fn sources(&mut self, record: &mut Record) -> Result<Vec<Source>, Failure> {
        let placed = self.read_all(record)?;
        Ok(self.sources_of(record, placed))
    }

    /// These resources as the summary sees them.
    pub(super) fn sources_of(&self, record: &mut Record, mut placed: Vec<Placed>) -> Vec<Source> {
        let attestations = self.attestations(record, &placed);
        placed.retain(|placed| !placed.held.meta.made_here);
        placed.sort_by_key(|placed| (placed.held.meta.batch, placed.held.meta.ordinal));
        let sources = placed
            .iter()
            .map(|placed| self.source(record, placed, &attestations));
        sources.collect()
    }

    fn source(&self, record: &mut Record, placed: &Placed, attestations: &Attestations) -> Source {
        let held = &placed.held;
        let versions = held.siblings().map(|(_, versions)| versions.len()).max();
        let text = held.to_text(0);
        let writer = record.writer(&held.created);
        let status = writer.and_then(|writer| record.ledger().status(&writer));
        let arrived_ms = writer
            .and_then(|writer| record.ledger().header(&writer))
            .map_or(0, |header| header.time_ms);
        Source {
            section: placed.document.section,
            document: placed.document.clone(),
            resource: held.id.to_string(),
            full_url: held.meta.full_url(),
            native_id: held.meta.native_id.clone(),
            versions: (0..versions.unwrap_or(0))
                .map(|n| held.to_text(n))
                .collect(),
            retracted: held.is_retracted(),
            marked: placed.late || matches!(status, Some(Status::Marked(_))),
            flagged: is_malformed(&text),
            author: self.written_by(record, placed),
            brought: self.brought_and_accepted(record, placed, attestations),
            arrived_ms,
            text,
        }
    }
}

/// Whether anything about a resource's text is odd.
fn is_malformed(text: &str) -> bool {
    incoming::read(text.as_bytes(), usize::MAX / 2).is_ok_and(|file| {
        file.resources
            .iter()
            .any(|resource| !flag::flags(resource).is_empty())
    })
}
