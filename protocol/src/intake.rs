//! What arrives, from a peer, a bundle or a store, and the checks that need nothing but itself.
//!
//! Order matters: bounds, then the signature, then the payload's hash, then vetting of content.
//! Whether an entry counts is decided elsewhere (`consent`); here it is only found to be what its
//! header says.

use crate::{
    author::{Entry, FORMAT_VERSION},
    codec::DecodeError,
    condensed,
    envelope::{Header, Payload},
    id::{EventId, PayloadHash, RecordId},
    limits::{CHANGE_LEN_MAX, DEPS_MAX, FRONTIER_MAX},
    logs::{Act, CoreAct, Event, LogId},
    planted::{self, Planted},
    signed::{SignatureError, Signed, Verified},
};

/// Why something that arrived is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The wrapping is not understood.
    #[error("the envelope is not understood")]
    Envelope(#[from] DecodeError),
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature(#[from] SignatureError),
    /// A newer version wrote it.
    #[error("it was written by a newer version ({0})")]
    Version(u8),
    /// More heads or ancestors than are allowed, or out of order.
    #[error("its lists are too long or out of order")]
    Lists,
    /// The payload is not the one that the header names.
    #[error("the payload is not the one that was signed")]
    Payload,
    /// The event does not fit its log.
    #[error("the event does not belong in this log")]
    Log,
}

/// Reads and checks an envelope from outside.
pub fn entry(bytes: &[u8]) -> Result<Entry, IntakeError> {
    let (envelope, hash) = condensed::decode_hashed(bytes)?;
    let signed = Signed::<Header>::new(envelope.signed);
    let header = match planted::is(Planted::SignatureUnchecked) {
        true => signed.trust_own_store()?,
        false => signed.verify()?,
    };
    with_payload(header, envelope.payload, hash)
}

/// The same for many, in their order, whose signatures are checked at once.
pub fn entries<'a>(all: impl Iterator<Item = &'a [u8]>) -> Vec<Result<Entry, IntakeError>> {
    let (mut headers, mut payloads) = (Vec::new(), Vec::new());
    for bytes in all {
        payloads.push(condensed::decode_hashed(bytes).map(|(envelope, hash)| {
            headers.push(Signed::<Header>::new(envelope.signed));
            (envelope.payload, hash)
        }));
    }
    let headers: Vec<_> = match planted::is(Planted::SignatureUnchecked) {
        true => headers.into_iter().map(Signed::trust_own_store).collect(),
        false => Signed::verify_all(headers),
    };
    let mut headers = headers.into_iter();
    let entries = payloads.into_iter().map(|payload| {
        let (payload, hash) = payload?;
        let header = headers.next().expect("each header is checked")?;
        with_payload(header, payload, hash)
    });
    entries.collect()
}

/// Reads an envelope that this node checked before it wrote it into its own sealed store.
pub fn own_entry(bytes: &[u8]) -> Result<Entry, IntakeError> {
    let envelope = condensed::decode_own(bytes)?;
    let header = Signed::<Header>::new(envelope.signed).trust_own_store()?;
    Ok(Entry {
        header,
        payload: envelope.payload,
    })
}

/// An entry with a payload that has this hash, where that is known.
fn with_payload(
    header: Verified<Header>,
    payload: Option<Payload>,
    hash: Option<PayloadHash>,
) -> Result<Entry, IntakeError> {
    let value = header.value();
    if value.version != FORMAT_VERSION {
        return Err(IntakeError::Version(value.version));
    }
    if value.deps.len() > DEPS_MAX || !ascends(&value.deps) || !frontiers_fit(&value.frontiers) {
        return Err(IntakeError::Lists);
    }
    match (value.payload(), &payload) {
        (Some(named), Some(payload))
            if payload.bytes.len() <= CHANGE_LEN_MAX
                && payload.bytes.len() == named.len as usize
                && (hash.unwrap_or_else(|| payload.hash()) == named.hash
                    || planted::is(Planted::PayloadUnchecked)) => {}
        (Some(_), None) | (None, None) => {}
        (Some(_) | None, Some(_)) => return Err(IntakeError::Payload),
    }
    Ok(Entry { header, payload })
}

/// Reads and checks an event from outside.
pub fn event(bytes: &[u8]) -> Result<Verified<Event>, IntakeError> {
    in_its_log(Signed::<Event>::new(bytes.to_vec()).verify()?)
}

/// The same for many, in their order, whose signatures are checked at once.
pub fn events<'a>(
    all: impl Iterator<Item = &'a [u8]>,
) -> Vec<Result<Verified<Event>, IntakeError>> {
    let all = all.map(|bytes| Signed::new(bytes.to_vec())).collect();
    let verified = Signed::<Event>::verify_all(all).into_iter();
    verified.map(|event| in_its_log(event?)).collect()
}

fn in_its_log(event: Verified<Event>) -> Result<Verified<Event>, IntakeError> {
    let value = event.value();
    if value.version != FORMAT_VERSION {
        return Err(IntakeError::Version(value.version));
    }
    if !frontiers_fit(&value.frontiers) {
        return Err(IntakeError::Lists);
    }
    if fits_log(value) {
        Ok(event)
    } else {
        Err(IntakeError::Log)
    }
}

fn frontiers_fit(frontiers: &crate::logs::Frontiers) -> bool {
    frontiers.iter().count() <= FRONTIER_MAX
        && ascends(&frontiers.core)
        && ascends(&frontiers.label)
        && ascends(&frontiers.principal)
}

fn ascends<T: Ord>(items: &[T]) -> bool {
    items.windows(2).all(|pair| pair[0] < pair[1])
}

fn fits_log(event: &Event) -> bool {
    match (&event.log, &event.act) {
        (LogId::Principal(principal), Act::Principal(_)) => *principal == event.author,
        (LogId::Core(None), Act::Core(CoreAct::Genesis { controller, .. })) => {
            *controller == event.author
        }
        (LogId::Core(Some(_)), Act::Core(act)) => !matches!(act, CoreAct::Genesis { .. }),
        (LogId::Label(..), Act::Label(_)) => true,
        (LogId::Principal(_) | LogId::Core(_) | LogId::Label(..), _) => false,
    }
}

/// The record that an event belongs to, where it belongs to one.
pub fn record_of(event: &Event, id: EventId) -> Option<RecordId> {
    match &event.log {
        LogId::Principal(_) => None,
        LogId::Core(None) => Some(RecordId::from_bytes(*id.as_bytes())),
        LogId::Core(Some(record)) | LogId::Label(record, _) => Some(*record),
    }
}

/// The log as it is stored: a Genesis stands in the core log of the record that it begins.
pub fn stored_log(event: &Event, id: EventId) -> LogId {
    match record_of(event, id) {
        Some(record) if event.log == LogId::Core(None) => LogId::Core(Some(record)),
        Some(_) | None => event.log.clone(),
    }
}
