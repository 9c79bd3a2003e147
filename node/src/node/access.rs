//! Reading on one's own node, and the words for what is not allowed or not written.

use kith_crdt::{DocumentId, Label};
use kith_protocol::{
    consent::Denial,
    id::{EventId, PrincipalId, RecordId},
    identity::NameCard,
    logs::Act,
    record::{Placed, Record, WriteError},
    store::Item,
};

use super::{
    Node,
    identity::{RowKind, read_row},
    people::Known,
};
use crate::{
    api::Alike,
    failure::{Ending, Failure},
};

/// What a denial says.
pub(super) fn denied(denial: &Denial) -> Failure {
    Failure::new(
        Ending::NotAllowed,
        "That is not allowed here.",
        "Ask whoever shares this record with you to widen the share.",
    )
    .because(denial)
}

/// An edit that the record does not take.
pub(super) fn not_written(error: &WriteError) -> Failure {
    Failure::new(
        Ending::Failed,
        "The record did not take this; nothing was written.",
        "Show the record again and repeat the change on what stands there now.",
    )
    .because(error)
}

impl Node {
    /// Signs an act of a record's own logs as this node's owner, if its owner may.
    pub(super) fn act(
        &self,
        record: &mut Record,
        label: Option<&Label>,
        act: Act,
        now: u64,
    ) -> Result<(EventId, Item), Failure> {
        self.act_under(record, label, None, act, now)
    }

    /// Signs an act under a share that this node's owner holds, or as a controller.
    pub(super) fn act_under(
        &self,
        record: &mut Record,
        label: Option<&Label>,
        share: Option<EventId>,
        act: Act,
        now: u64,
    ) -> Result<(EventId, Item), Failure> {
        let issuer = record
            .ledger()
            .decide_act(&self.whoever(), label, share, act, now)
            .map_err(|denial| denied(&denial))?;
        Ok(record.act(&self.pen(now), issuer))
    }

    /// Every resource that this node holds of a record.
    pub(super) fn read_all(&self, record: &mut Record) -> Result<Vec<Placed>, Failure> {
        let documents = record.ledger().documents();
        let mut placed = Vec::new();
        for document in documents {
            placed.extend(self.read_document(record, &document));
        }
        Ok(placed)
    }

    /// The resources of one document of this node's own copy.
    pub(super) fn read_document(&self, record: &mut Record, document: &DocumentId) -> Vec<Placed> {
        let reader = record.ledger().own_copy(document, self.whoever());
        record.read(&reader)
    }

    /// What a principal calls itself; the beginning of its key where no card is known.
    pub(super) fn name_of(&self, principal: PrincipalId) -> String {
        self.name_of_met(principal)
            .or_else(|| self.name_in_circles(principal))
            .unwrap_or_else(|| principal.to_string()[..12].to_owned())
    }

    /// What this node's owner, or somebody whose node was met, calls themselves: two people could
    /// compare words then.
    pub(super) fn name_of_met(&self, principal: PrincipalId) -> Option<String> {
        if principal == self.identity.principal {
            return Some(self.identity.name.clone());
        }
        let known: Option<super::peers::Peer> =
            read_row(&self.store, RowKind::Peers, principal.as_bytes())
                .ok()
                .flatten();
        let card = known.and_then(|peer| NameCard::verify(&peer.card, peer.device).ok())?;
        Some(card.name)
    }

    /// Other records here that may be of the same person.
    pub(super) fn alike(&self, record: RecordId, known: &Known) -> Vec<Alike> {
        self.people.alike(record, known)
    }
}
