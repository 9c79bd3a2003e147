//! When a part of a record is begun anew.

use kith_crdt::DocumentId;
use kith_protocol::{
    consent::{
        Whoever,
        grant::{Actions, Purposes},
    },
    record::{Pen, Record},
    store::Item,
};
use rand_core::CryptoRng;

/// Begins the next epoch of a document that has outgrown its present one, where whoever writes may.
/// What was written before stays as it is when the epoch cannot be begun.
pub(super) fn begin_anew_if_outgrown(
    record: &mut Record,
    pen: &Pen<'_>,
    who: &Whoever,
    document: &DocumentId,
    rng: &mut impl CryptoRng,
) -> Option<Item> {
    if !record.is_outgrown(document) || record.is_past(document) {
        return None;
    }
    begin_anew(record, pen, who, document, rng)
}

/// Begins the next epoch of a document; nothing where whoever writes does not control the record.
pub(super) fn begin_anew(
    record: &mut Record,
    pen: &Pen<'_>,
    who: &Whoever,
    document: &DocumentId,
    rng: &mut impl CryptoRng,
) -> Option<Item> {
    let next = record.next_epoch(document, rng);
    let decided =
        record
            .ledger()
            .decide_write(who, &next, Actions::EDIT, Purposes::CARE, pen.time_ms);
    match decided {
        Ok(writer) if writer.grant().is_none() => match record.begin_epoch(pen, &writer, rng) {
            Ok(item) => Some(item),
            Err(error) => {
                tracing::warn!(%error, "a part of a record stays in its present epoch");
                None
            }
        },
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
