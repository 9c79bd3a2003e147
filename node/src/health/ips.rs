//! The International Patient Summary out of a merged record (`hl7.fhir.uv.ips` 1.1.0, FHIR R4).
//!
//! [`assemble`] makes a `document` Bundle from what a node holds of a record. What goes in is a
//! copy: references are rewritten in it, narratives of others are left out and written anew, and
//! what a profile requires and nobody said is marked as absent, never invented. Nothing in storage
//! is touched. The same input gives the same bytes, in whatever order the sources come.
//!
//! IPS 1.1.0 forbids `emptyReason` and requires an entry in the sections of allergies, medicines
//! and problems. What is not known to this node is therefore said by an entry with the guide's own
//! code for it (`no-allergy-info` and its like), which is no statement that there are none.

mod absence;
mod carry;
mod codes;
mod composition;
mod elements;
mod held;
mod line;
mod narrative;
mod own;
mod references;
mod require;
mod section;
mod subject;
mod summary;

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Label, Section};
use kith_protocol::id::RecordId;
use serde_json::Value;

pub use own::{
    SameEntry, is_own_summary, is_own_url, made_full_urls, own_full_urls, same_summary_entry,
};
pub use section::SummarySection;

/// One resource of the record as the summary sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its exact JSON.
    pub text: String,
    /// The part of the record that it stands in.
    pub section: Section,
    /// The document that it stands in.
    pub document: DocumentId,
    /// Its id in the document.
    pub resource: String,
    /// The full URL under which its sender gave it out.
    pub full_url: Option<String>,
    /// The id that its sender gave it.
    pub native_id: Option<String>,
    /// All texts where versions stand side by side; one or none otherwise.
    pub versions: Vec<String>,
    /// Whether it was entered in error.
    pub retracted: bool,
    /// Whether its status is marked, for a person to look at.
    pub marked: bool,
    /// Whether parts of it are malformed.
    pub flagged: bool,
    /// Who says it, as people know them.
    pub author: String,
    /// Of a result that somebody brought: that nobody has verified it, and who accepts it.
    pub brought: Vec<String>,
    /// When it arrived here, milliseconds since 1970 UTC.
    pub arrived_ms: u64,
}

/// What the summary says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryContext {
    /// The record.
    pub record: RecordId,
    /// The time, RFC 3339.
    pub now: String,
    /// The node that makes it.
    pub author: SummaryAuthor,
    /// The sections and labels that this node holds.
    pub visible: BTreeSet<(Section, Label)>,
    /// Whether everything that this node may hold has arrived.
    pub complete: bool,
}

/// Who makes a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SummaryAuthor {
    /// The node of an organisation, by the organisation's name.
    Organization(String),
    /// A person's own node, by the device's name.
    Device(String),
}

/// Why there is no summary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IpsError {
    /// The time would make a bundle that nobody can read.
    #[error("{0:?} is not a time with a zone; give it as in 2026-01-31T09:30:00Z")]
    Time(String),
}

/// Makes the summary.
///
/// # Errors
/// When `context.now` is not RFC 3339.
pub fn assemble(sources: &[Source], context: &SummaryContext) -> Result<Value, IpsError> {
    if context.now.parse::<jiff::Timestamp>().is_err() {
        return Err(IpsError::Time(context.now.clone()));
    }
    let summary = summary::Summary::of(&context.record, sources);
    Ok(composition::bundle(&summary, context))
}

#[cfg(test)]
mod tests;
