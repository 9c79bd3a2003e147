//! Somebody who was not known before, whose card and log were checked: at the other end of an
//! invitation, or with the code of an emergency page.

use std::collections::BTreeSet;

use kith_protocol::{
    consent::devices,
    id::{DeviceId, PrincipalId, RecordId},
    identity::NameCard,
    intake,
    limits::{ADDRESS_LEN_MAX, ADDRESSES_MAX, DEVICES_MAX},
    logs::{Event, LogId},
    signed::Verified,
};
use serde_bytes::ByteBuf;

use super::{circle::Card, peers::Peer};

/// Somebody whose card and principal log were checked against the device that speaks.
#[derive(Clone)]
pub struct Guest {
    pub(super) card: NameCard,
    pub(super) device: DeviceId,
    pub(super) log: Vec<Verified<Event>>,
    signed: Vec<u8>,
}

impl Guest {
    /// Their name card, for the circle of a record.
    pub(super) fn name_card(&self) -> Card {
        Card::new(self.device, &self.signed)
    }

    pub(super) fn check(device: DeviceId, card: &[u8], log: &[ByteBuf]) -> Option<Self> {
        if log.len() > DEVICES_MAX {
            return None;
        }
        let log: Vec<_> = log
            .iter()
            .map(|bytes| intake::event(bytes))
            .collect::<Result<_, _>>()
            .ok()?;
        Self::of(device, card, log)
    }

    /// The same, with a log whose signatures were checked already.
    pub(super) fn of(device: DeviceId, card: &[u8], log: Vec<Verified<Event>>) -> Option<Self> {
        let signed = card.to_vec();
        let card = NameCard::verify(card, device).ok()?;
        let of_principal = LogId::Principal(card.principal);
        let own = log.iter().all(|event| event.value().log == of_principal);
        let certified = devices::certifies(&log, card.principal, device);
        (own && certified).then_some(Self {
            card,
            device,
            log,
            signed,
        })
    }

    pub(super) const fn principal(&self) -> PrincipalId {
        self.card.principal
    }

    /// What is noted of it: where it listens, and with `record` what both have to do with.
    pub(super) fn peer(
        &self,
        known: Option<Peer>,
        addresses: Vec<String>,
        record: Option<RecordId>,
    ) -> Peer {
        let mut peer = known.unwrap_or_else(|| Peer {
            device: self.device,
            card: Vec::new(),
            addresses: Vec::new(),
            records: BTreeSet::new(),
            sent_through: None,
        });
        peer.device = self.device;
        peer.card.clone_from(&self.signed);
        if !addresses.is_empty() {
            peer.addresses = bounded(addresses);
        }
        peer.records.extend(record);
        peer
    }
}

/// Addresses that somebody names for themselves, as many and as long as are kept.
fn bounded(addresses: Vec<String>) -> Vec<String> {
    addresses
        .into_iter()
        .filter(|address| address.len() <= ADDRESS_LEN_MAX)
        .take(ADDRESSES_MAX)
        .collect()
}
