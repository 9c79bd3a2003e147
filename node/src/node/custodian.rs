//! What this node's owner says, as the custodian whom a revocation names, of documents that
//! whoever revoked cannot read.

use std::collections::BTreeSet;

use kith_protocol::{
    codec,
    consent::cut::{Custodian, PartProof, ProvenPart},
    id::EventId,
    record::Record,
    store::Item,
};

use super::Node;

impl Node {
    /// Signs the parts that revocations among what is taken in ask of this node's owner: everything
    /// that is held here of the documents at that moment, within what the issuer allowed.
    ///
    /// It is said once and at once. What of theirs comes later is nothing that this node vouches
    /// for unasked.
    pub(super) fn signs_as_custodian(&self, record: &mut Record, items: &[Item]) -> Vec<Item> {
        let owner = self.identity.principal;
        let heard: BTreeSet<EventId> = items.iter().filter_map(heard).collect();
        if heard.is_empty() || !record.ledger().custodians().contains(&owner) {
            return Vec::new();
        }
        let custodian = Custodian {
            principal: owner,
            // With the root key where it is here: what a device has signed is asked for again once
            // the device is retired.
            key: self.identity.adding_key(),
        };
        let mut signed = Vec::new();
        for (revocation, part) in record.ledger().parts_owed(owner) {
            if !heard.contains(&revocation) {
                continue;
            }
            let proven = custodian.sign(revocation, part);
            signed.push(Item::Part {
                record: record.id(),
                revocation,
                bytes: codec::encode(&proven),
            });
            record.ledger().add_part(proven);
        }
        signed
    }
}

/// The event of which an item may say for the first time what it asks: itself, or a part by its
/// issuer, which tells what is left to others.
fn heard(item: &Item) -> Option<EventId> {
    match item {
        Item::Event { id, .. } => Some(*id),
        Item::Part {
            revocation, bytes, ..
        } => {
            let part: ProvenPart = codec::decode_trusted(bytes).ok()?;
            matches!(part.proof, PartProof::Issuer(_)).then_some(*revocation)
        }
        Item::Entry { .. } | Item::Row { .. } | Item::Audit { .. } => None,
    }
}

#[cfg(test)]
mod tests;
