//! What the code of an emergency page says: the record, where it can be had, and a secret.

use std::{fmt, str::FromStr};

use kith_protocol::{
    codec,
    id::{DeviceId, RecordId},
    record::Record,
};
use serde::{Deserialize, Serialize};

use super::Node;
use crate::{
    failure::{Ending, Failure},
    node::scheme,
};

/// Nodes that a code names.
const HUBS_MAX: usize = 2;

/// What the code of an emergency page says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyLink {
    /// The record.
    pub record: RecordId,
    /// Nodes that hold it, each with where it listens.
    pub hubs: Vec<(DeviceId, Vec<String>)>,
    /// The seed of the key whose public half the record's rules name.
    #[serde(with = "codec::array")]
    pub secret: [u8; 32],
}

const SCHEME: &str = "kith:emergency/";

impl EmergencyLink {
    /// Whether a word is meant to be one.
    pub fn is_meant(word: &str) -> bool {
        word.trim().starts_with(SCHEME)
    }
}

impl fmt::Display for EmergencyLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&scheme::written(SCHEME, self))
    }
}

impl FromStr for EmergencyLink {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        scheme::read(SCHEME, text).ok_or_else(|| {
            Failure::new(
                Ending::Usage,
                "That is not the code of an emergency page, or a part of it is missing.",
                "Scan it again, from kith: to its end.",
            )
        })
    }
}

impl Node {
    /// This node, and another one that controls the record or holds it, where one is known.
    pub(super) fn emergency_link(
        &self,
        record: &mut Record,
        secret: [u8; 32],
    ) -> Result<EmergencyLink, Failure> {
        if self.addresses.is_empty() {
            return Err(Failure::new(
                Ending::NotRunning,
                "This node is not running, so its address for the emergency page is not known.",
                "Start it with kith run --listen ADDRESS. Nothing was changed.",
            ));
        }
        let id = record.id();
        let mut hubs = vec![(self.device(), self.addresses.clone())];
        let controllers = record.ledger().controllers();
        let mut known = self.known_peers()?;
        known.retain(|(_, peer)| peer.records.contains(&id) && !peer.addresses.is_empty());
        known.sort_by_key(|(who, _)| !controllers.contains(who));
        hubs.extend(
            known
                .into_iter()
                .map(|(_, peer)| (peer.device, peer.addresses)),
        );
        hubs.truncate(HUBS_MAX);
        Ok(EmergencyLink {
            record: id,
            hubs,
            secret,
        })
    }
}
