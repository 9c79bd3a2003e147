//! Whom this node knows, as its connections need it: asked for every connection that comes in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use kith_protocol::id::DeviceId;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::watch;

use super::{address, peer_of};

/// Devices that are known, and the internet addresses at which they were last said to be.
#[derive(Debug, Default)]
pub(super) struct Known {
    peers: BTreeSet<PeerId>,
    places: BTreeSet<IpAddr>,
}

/// A view of whom the node knows that is always the present one.
pub(super) type Acquaintances = watch::Receiver<Known>;

impl Known {
    pub fn new(devices: &BTreeMap<DeviceId, Vec<Multiaddr>>) -> Self {
        Self {
            peers: devices.keys().filter_map(|id| peer_of(*id)).collect(),
            places: devices
                .values()
                .flatten()
                .filter_map(address::place)
                .collect(),
        }
    }

    pub fn is_known(&self, peer: &PeerId) -> bool {
        self.peers.contains(peer)
    }

    /// Whether somebody known is to be expected from there.
    pub fn is_familiar(&self, place: &IpAddr) -> bool {
        self.places.contains(place)
    }
}
