//! How much is kept of what waits or breaks a rule: whoever sends more keeps it.

use std::collections::{BTreeMap, BTreeSet};

use super::Record;
use crate::{
    consent::Status,
    id::{DeviceId, EnvelopeId},
    limits::{PENDING_MAX, SET_ASIDE_MAX},
};

/// Those of the entries `new`, taken in just now, that are beyond what is kept of those that wait
/// or break a rule.
pub fn over_quota(record: &mut Record, new: &BTreeSet<EnvelopeId>) -> BTreeSet<EnvelopeId> {
    let mut over = BTreeSet::new();
    if new.is_empty() {
        return over;
    }
    let mut aside: BTreeMap<DeviceId, usize> = BTreeMap::new();
    for document in record.ledger().documents() {
        let mut waiting = 0_usize;
        for (id, status) in record.ledger().entries(&document) {
            let is_over = match status {
                Status::Pending(_) => {
                    waiting += 1;
                    waiting > PENDING_MAX
                }
                Status::Invalid(_) => {
                    let device = record.ledger().header(&id).map(|header| header.device);
                    device.is_some_and(|device| {
                        let count = aside.entry(device).or_default();
                        *count += 1;
                        *count > SET_ASIDE_MAX
                    })
                }
                Status::Accepted
                | Status::Marked(_)
                | Status::Contested(_)
                | Status::Unreadable(_) => false,
            };
            if is_over && new.contains(&id) {
                over.insert(id);
            }
        }
    }
    over
}
