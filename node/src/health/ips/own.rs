//! The names under which a record gives things out, and how it knows them again.
//!
//! Every resource of a summary has a full URL that follows from the record, the document, the
//! resource and the version alone: a UUID of version 8 (RFC 9562, 5.8) out of BLAKE3. Its last six
//! bytes are a check over the record and the rest, so that a record knows its own full URLs for
//! ever, also those of resources and versions that it has since decided about.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::id::RecordId;
use serde_json::Value;

use super::{Source, absence::Absent, summary::Summary};

/// The identifier system of summaries that kith made.
pub(super) const SUMMARY_SYSTEM: &str = "urn:kith:summary";

/// What an entry that comes back is to the record that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameEntry {
    /// It comes back as it was given out: there is nothing to add.
    Same,
    /// This record gives it out with another text: somebody changed it, or the record went on.
    Changed,
    /// This record gave it out once and has no such entry now.
    Earlier,
    /// Others made it.
    Foreign,
}

/// The full URL of every entry that a summary of these sources can carry, with its text exactly as
/// [`assemble`](super::assemble) writes it.
pub fn own_full_urls(record: &RecordId, sources: &[Source]) -> BTreeMap<String, String> {
    let summary = Summary::of(record, sources);
    let resources = summary.resources.into_iter();
    resources
        .map(|resource| (resource.full_url, resource.value.to_string()))
        .collect()
}

/// The full URLs of what a summary of this record says of itself: its Composition, its author and
/// the entries for what is not known. They are never filed.
pub fn made_full_urls(record: &RecordId) -> BTreeSet<String> {
    let absent = Absent::ALL.into_iter().map(Absent::name);
    [COMPOSITION, AUTHOR, PATIENT]
        .into_iter()
        .chain(absent)
        .map(|name| made_url(record, name))
        .collect()
}

/// What an entry of a bundle is to the record whose [`own_full_urls`] are `own`. `text` is without
/// space between tokens.
pub fn same_summary_entry(
    record: &RecordId,
    own: &BTreeMap<String, String>,
    full_url: Option<&str>,
    text: &str,
) -> SameEntry {
    let Some(full_url) = full_url else {
        return SameEntry::Foreign;
    };
    match own.get(full_url) {
        Some(given_out) if given_out == text => SameEntry::Same,
        Some(_) => SameEntry::Changed,
        None if made_full_urls(record).contains(full_url) => SameEntry::Same,
        None if is_own_url(record, full_url) => SameEntry::Earlier,
        None => SameEntry::Foreign,
    }
}

/// Whether a Bundle, or the Composition of one, is a summary that was made of this record.
pub fn is_own_summary(bundle: &Value, record: &RecordId) -> bool {
    let text = |name: &str| bundle.get("identifier")?.get(name)?.as_str();
    text("system") == Some(SUMMARY_SYSTEM)
        && text("value")
            .is_some_and(|value| value.split('.').next() == Some(series(record).as_str()))
}

pub(super) const COMPOSITION: &str = "composition";
pub(super) const AUTHOR: &str = "author";
pub(super) const PATIENT: &str = "patient";

/// What all summaries of a record share: their Composition's identifier.
pub(super) fn series(record: &RecordId) -> String {
    blake3::Hasher::new_derive_key("kith v1 summary series")
        .update(record.as_bytes())
        .finalize()
        .to_hex()[..32]
        .to_owned()
}

/// The identifier of one summary.
pub(super) fn instance(record: &RecordId, content: &str) -> String {
    let hash = blake3::derive_key("kith v1 summary instance", content.as_bytes());
    let hex: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}.{hex}", series(record))
}

/// The full URL of a version of a resource.
pub(super) fn resource_url(record: &RecordId, source: &Source, version: usize) -> String {
    let document = source.document.to_string();
    let version = (version as u64).to_be_bytes();
    let parts = [document.as_bytes(), source.resource.as_bytes(), &version];
    url(record, "resource", &parts)
}

/// The full URL of something that the summary makes out of a resource.
pub(super) fn derived_url(record: &RecordId, of: &str, name: &str) -> String {
    url(record, "derived", &[of.as_bytes(), name.as_bytes()])
}

/// The full URL of something that the summary makes itself.
pub(super) fn made_url(record: &RecordId, name: &str) -> String {
    url(record, "made", &[name.as_bytes()])
}

fn url(record: &RecordId, kind: &str, parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 summary full url");
    hasher.update(record.as_bytes());
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes[..10].copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let check = check_of(record, &bytes[..10]);
    bytes[10..].copy_from_slice(&check);
    let uuid = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    uuid.urn().to_string()
}

/// The last six bytes of a UUID that begins with these.
fn check_of(record: &RecordId, begin: &[u8]) -> [u8; 6] {
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 summary full url check");
    hasher.update(record.as_bytes());
    hasher.update(begin);
    let mut check = [0; 6];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..6]);
    check
}

/// Whether this record ever gave out a full URL.
pub fn is_own_url(record: &RecordId, full_url: &str) -> bool {
    let hex: String = id_of(full_url).chars().filter(|c| *c != '-').collect();
    let digits = hex.as_bytes().chunks_exact(2).map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    });
    let Some(bytes) = digits.collect::<Option<Vec<u8>>>() else {
        return false;
    };
    bytes.len() == 16 && bytes[10..] == check_of(record, &bytes[..10])
}

/// The id of the resource at a full URL.
pub(super) fn id_of(full_url: &str) -> &str {
    full_url.strip_prefix("urn:uuid:").unwrap_or(full_url)
}
