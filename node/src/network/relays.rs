//! The relays that keep a way open to this node: nodes that it knows, that it called itself, and
//! that say that they relay.

use std::collections::HashMap;

use kith_protocol::limits::RELAYS_MAX;
use libp2p::{Multiaddr, PeerId, core::transport::ListenerId, multiaddr::Protocol};

/// See the module.
#[derive(Default)]
pub(super) struct Relays {
    /// Where those who are connected were called.
    roads: HashMap<PeerId, Multiaddr>,
    /// Those of them who relay.
    offering: Vec<PeerId>,
    /// Those who were asked, and keep a way open unless they refuse.
    asked: HashMap<ListenerId, PeerId>,
}

impl Relays {
    /// A node was called there, without a relay.
    pub fn called(&mut self, peer: PeerId, road: Multiaddr) {
        self.roads.insert(peer, road);
    }

    /// A node says that it relays.
    pub fn offers(&mut self, peer: PeerId) {
        if self.roads.contains_key(&peer) && !self.offering.contains(&peer) {
            self.offering.push(peer);
        }
    }

    /// A node is not connected any more.
    pub fn gone(&mut self, peer: &PeerId) {
        self.roads.remove(peer);
        self.offering.retain(|other| other != peer);
    }

    /// Whom to ask now, with the address by which it is asked.
    pub fn to_ask(&self, is_known: impl Fn(&PeerId) -> bool) -> Vec<(PeerId, Multiaddr)> {
        let asked = |peer: &&PeerId| self.asked.values().any(|other| other == *peer);
        let room = RELAYS_MAX.saturating_sub(self.asked.len());
        self.offering
            .iter()
            .filter(|peer| !asked(peer) && is_known(peer))
            .filter_map(|peer| {
                let road = self.roads.get(peer)?.clone();
                let way = road.with(Protocol::P2p(*peer)).with(Protocol::P2pCircuit);
                Some((*peer, way))
            })
            .take(room)
            .collect()
    }

    /// One was asked.
    pub fn asked(&mut self, listener: ListenerId, peer: PeerId) {
        self.asked.insert(listener, peer);
    }

    /// One refused, or keeps no way open any more.
    pub fn ended(&mut self, listener: &ListenerId) {
        self.asked.remove(listener);
    }
}

#[cfg(test)]
mod tests {
    use libp2p::core::transport::ListenerId;

    use super::{Multiaddr, PeerId, RELAYS_MAX, Relays};

    fn road() -> Multiaddr {
        "/ip4/192.0.2.1/tcp/4712".parse().expect("an address")
    }

    #[test]
    fn known_nodes_that_were_called_and_relay_are_asked_and_only_a_few() {
        let mut relays = Relays::default();
        let peers: Vec<_> = (0..5).map(|_| PeerId::random()).collect();
        for peer in &peers[1..] {
            relays.called(*peer, road());
        }
        for peer in &peers {
            relays.offers(*peer);
        }
        let stranger = peers[1];
        let ask = relays.to_ask(|peer| *peer != stranger);
        assert_eq!(ask.len(), RELAYS_MAX);
        assert_eq!(ask[0].0, peers[2], "it called this node, or is unknown");
        let way = format!("{}/p2p/{}/p2p-circuit", road(), peers[2]);
        assert_eq!(ask[0].1.to_string(), way);

        let listener = ListenerId::next();
        relays.asked(listener, peers[2]);
        let rest = relays.to_ask(|peer| *peer != stranger);
        assert_eq!(rest.len(), RELAYS_MAX - 1);
        relays.ended(&listener);
        relays.gone(&peers[2]);
        let ask = relays.to_ask(|peer| *peer != stranger);
        assert!(ask.iter().all(|(peer, _)| *peer != peers[2]));
    }
}
