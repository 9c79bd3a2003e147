//! A patient summary that this node gave out, on its way back: nobody says anything new with it.

use kith_crdt::flag::Flag;
use kith_protocol::id::RecordId;
use serde_json::Value;

use super::read::Sorted;
use crate::{
    api::Imported,
    failure::Failure,
    health::ips::{SameEntry, is_own_summary, own_full_urls, same_summary_entry},
    node::Node,
};

/// What a record's own summary brings back.
pub(super) struct Back {
    pub(super) record: RecordId,
    /// The places of resources that others put in.
    pub(super) foreign: Vec<usize>,
    /// How many resources are as this record gives them out.
    pub(super) unchanged: usize,
}

impl Node {
    /// The record whose own summary a file is.
    pub(super) fn record_of_summary(
        &self,
        found: &Sorted,
        target: Option<RecordId>,
    ) -> Option<RecordId> {
        let [frame] = found.frames.as_slice() else {
            return None;
        };
        let bundle: Value = serde_json::from_str(&frame.text).ok()?;
        self.people
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| target.is_none_or(|target| target == *id))
            .find(|id| is_own_summary(&bundle, id))
    }

    /// Tells what the record gave out from what others put in. What this record would give out
    /// otherwise now is flagged and not filed: a copy that kith made is no statement of its own.
    pub(super) fn coming_back(
        &mut self,
        id: RecordId,
        found: &Sorted,
        imported: &mut Imported,
    ) -> Result<Back, Failure> {
        let sources = self.with_record(id, Self::sources)?;
        let own = own_full_urls(&id, &sources);
        let mut back = Back {
            record: id,
            foreign: Vec::new(),
            unchanged: 0,
        };
        for (place, resource) in found.resources.iter().enumerate() {
            let full_url = resource.full_url.as_deref();
            match same_summary_entry(&id, &own, full_url, &resource.text) {
                SameEntry::Same => back.unchanged += 1,
                SameEntry::Foreign => back.foreign.push(place),
                SameEntry::Changed => imported.flagged.push(to_look_at(
                    &resource.place,
                    "this is from a summary of this record, and its text is not what the record says now; it was not filed: look at both and add by hand what is right",
                )),
                SameEntry::Earlier => imported.flagged.push(to_look_at(
                    &resource.place,
                    "this is from an earlier summary of this record, which no longer says it; it was not filed: look at it and add by hand what is right",
                )),
            }
        }
        Ok(back)
    }
}

fn to_look_at(place: &str, what: &str) -> Flag {
    Flag {
        place: place.to_owned(),
        what: what.to_owned(),
    }
}
