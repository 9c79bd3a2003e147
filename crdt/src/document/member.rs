//! The members of a resource that kith writes itself, beside the units.
//!
//! Their names begin with `$`, which no FHIR element does. Vetting reads them with the same
//! functions as a view does, so that what passed can be shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ChangeHash;
use crate::resource::Meta;

/// What is written once, when a resource is made.
pub(crate) const META: &str = "$";
/// The order of members.
pub(crate) const ORDER: &str = "$o";
/// What was said to be entered in error.
pub(crate) const RETRACTION: &str = "$x";
/// Before the name of a unit: the versions that a resolution decided between.
pub(crate) const DECIDED: &str = "$v:";
/// Who wrote what in an earlier epoch.
pub(crate) const CARRIED: &str = "$c";

/// A hash as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct HashText(pub(crate) ChangeHash);

impl TryFrom<String> for HashText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let hash = text.parse().map_err(|_| "not a hash")?;
        Ok(Self(hash))
    }
}

impl From<HashText> for String {
    fn from(hash: HashText) -> Self {
        hash.0.to_string()
    }
}

/// A retraction as text.
#[derive(Serialize, Deserialize)]
pub(crate) struct RetractionText {
    /// The versions that it names.
    #[serde(rename = "v")]
    pub(crate) versions: Vec<HashText>,
    /// Why.
    #[serde(rename = "r")]
    pub(crate) reason: String,
}

/// Who wrote what, for a resource that was carried over from an earlier epoch.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct CarriedText {
    /// The change that made it.
    #[serde(rename = "c")]
    pub(crate) created: Option<HashText>,
    /// The versions of each register; the first is the one that stands in the document.
    #[serde(rename = "u", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) registers: BTreeMap<String, Vec<CarriedVersion>>,
    /// The items of each list by the counter of the operation that holds it now.
    #[serde(rename = "l", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) lists: BTreeMap<String, BTreeMap<u64, CarriedItem>>,
    /// Retractions.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) retractions: Vec<CarriedRetraction>,
    /// The envelopes of those changes, where the carrier knew them.
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) envelopes: BTreeMap<HashText, HashText>,
}

/// A version of a register; the text of the first stands in the document.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CarriedVersion {
    #[serde(rename = "w")]
    pub(crate) writer: HashText,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

/// An item of a list.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CarriedItem {
    #[serde(rename = "i")]
    pub(crate) id: String,
    #[serde(rename = "w")]
    pub(crate) writer: HashText,
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) beside: Vec<CarriedVersion>,
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) removed: bool,
}

/// A retraction with what its place in time said about the versions of its epoch.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CarriedRetraction {
    #[serde(rename = "w")]
    pub(crate) writer: HashText,
    #[serde(rename = "v")]
    pub(crate) versions: Vec<HashText>,
    #[serde(rename = "r")]
    pub(crate) reason: String,
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) beside: Vec<HashText>,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) after: Vec<HashText>,
}

/// Whether a text reads as [`RETRACTION`].
pub(crate) fn is_retraction(text: &str) -> bool {
    retraction(text).is_some()
}

/// Whether a text reads as [`DECIDED`].
pub(crate) fn is_decided(text: &str) -> bool {
    decided(text).is_some()
}

/// Whether a text reads as [`CARRIED`].
pub(crate) fn is_carried(text: &str) -> bool {
    carried(text).is_some_and(|carried| carried.created.is_some())
}

pub(crate) fn meta(text: &str) -> Option<Meta> {
    serde_json::from_str(text).ok()
}

pub(crate) fn meta_text(meta: &Meta) -> String {
    serde_json::to_string(meta).expect("meta is text and numbers")
}

pub(crate) fn retraction(text: &str) -> Option<RetractionText> {
    serde_json::from_str(text).ok()
}

pub(crate) fn retraction_text(versions: &[ChangeHash], reason: &str) -> String {
    let text = RetractionText {
        versions: versions.iter().copied().map(HashText).collect(),
        reason: reason.to_owned(),
    };
    serde_json::to_string(&text).expect("a retraction is text")
}

pub(crate) fn decided(text: &str) -> Option<Vec<ChangeHash>> {
    let hashes: Vec<HashText> = serde_json::from_str(text).ok()?;
    Some(hashes.into_iter().map(|hash| hash.0).collect())
}

pub(crate) fn decided_text(versions: &[ChangeHash]) -> String {
    let hashes: Vec<_> = versions.iter().map(ToString::to_string).collect();
    serde_json::Value::from(hashes).to_string()
}

pub(crate) fn carried(text: &str) -> Option<CarriedText> {
    serde_json::from_str(text).ok()
}

/// Member names joined by commas, or a JSON array where a name holds a comma.
pub(crate) fn order_text(order: &[String]) -> String {
    if order
        .iter()
        .any(|name| name.contains(',') || name.starts_with('['))
    {
        serde_json::Value::from(order.to_vec()).to_string()
    } else {
        order.join(",")
    }
}

pub(crate) fn order(text: &str) -> Vec<String> {
    if text.starts_with('[')
        && let Ok(order) = serde_json::from_str(text)
    {
        return order;
    }
    text.split(',').map(str::to_owned).collect()
}
