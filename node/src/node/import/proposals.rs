//! Records that an import began and that may be of somebody who has one already: it is proposed,
//! and a person decides.

use kith_crdt::flag::Flag;
use kith_protocol::{id::RecordId, logs::record::LinkState};

use crate::{
    api::{Alike, Imported},
    failure::Failure,
    node::Node,
};

/// Proposals for one new record: whoever is like very many is looked at by a person first.
const PROPOSALS_MAX: usize = 8;

impl Node {
    /// Signs that records which were begun just now may be of the same person as others, where
    /// nobody has said anything of the two yet.
    pub(super) fn propose_alike(
        &mut self,
        new: &[RecordId],
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let mut flags = Vec::new();
        for filed in &imported.records {
            let record = RecordId::from_hex(&filed.record).filter(|id| new.contains(id));
            let Some(record) = record else {
                continue;
            };
            for other in filed.alike.iter().take(PROPOSALS_MAX) {
                self.propose(record, other)?;
            }
            let left = filed.alike.len().saturating_sub(PROPOSALS_MAX);
            if left > 0 {
                flags.push(Flag {
                    place: filed.record.clone(),
                    what: format!(
                        "{left} more records may be of the same person than were proposed: look at those, and say it of others with kith record same"
                    ),
                });
            }
        }
        imported.flagged.extend(flags);
        Ok(())
    }

    pub(super) fn propose(&mut self, record: RecordId, alike: &Alike) -> Result<(), Failure> {
        let Some(other) = RecordId::from_hex(&alike.record) else {
            return Ok(());
        };
        for (one, of) in [(record, other), (other, record)] {
            let said = self.with_record(one, |_, record| Ok(record.ledger().same_person()))?;
            if said.contains_key(&of) {
                return Ok(());
            }
        }
        let evidence = alike.evidence.join("; ");
        self.say_in_both((record, other), LinkState::Proposed, &evidence)?;
        Ok(())
    }
}
