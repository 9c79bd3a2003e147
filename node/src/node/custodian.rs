//! What this node's owner says, as the custodian whom a revocation names, of documents that
//! whoever revoked cannot read.

use std::collections::BTreeSet;

use kith_protocol::{
    codec,
    consent::cut::{Custodian, Cut, of_act},
    id::EventId,
    logs::Event,
    record::Record,
    signed::Signed,
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
        let asking: BTreeSet<EventId> = items
            .iter()
            .filter_map(|item| self.asks_owner(item))
            .collect();
        if asking.is_empty() {
            return Vec::new();
        }
        let owner = self.identity.principal;
        let custodian = Custodian {
            principal: owner,
            key: &self.identity.device,
        };
        let mut signed = Vec::new();
        for (revocation, part) in record.ledger().parts_owed(owner) {
            if !asking.contains(&revocation) {
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

    /// The event, where it names this node's owner as custodian.
    fn asks_owner(&self, item: &Item) -> Option<EventId> {
        let Item::Event { id, bytes, .. } = item else {
            return None;
        };
        let event = Signed::<Event>::new(bytes.clone()).trust_own_store().ok()?;
        let custodies = of_act(&event.value().act).map_or(&[][..], Cut::custodies);
        let owner = self.identity.principal;
        let asks = custodies.iter().any(|custody| custody.custodian == owner);
        asks.then_some(*id)
    }
}

#[cfg(test)]
mod tests;
