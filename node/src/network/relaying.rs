//! Carrying the connections of known devices that cannot reach each other (circuit relay v2).
//!
//! What is carried is encrypted between the two ends: the relay sees who talks to whom, and how
//! much.

use std::time::Duration;

use kith_protocol::limits::{
    CIRCUIT_LASTS_MS, CIRCUIT_LEN_MAX, CIRCUITS_MAX, CIRCUITS_PER_DEVICE_MAX, RESERVATIONS_MAX,
    RESERVATIONS_PER_DEVICE_MAX,
};
use libp2p::{Multiaddr, PeerId, relay};

use super::known::Acquaintances;

/// A relay for whoever is known and for nobody else.
pub(super) fn relay_for(own: PeerId, known: &Acquaintances) -> relay::Behaviour {
    let is_known = || -> Box<dyn relay::RateLimiter> {
        let known = known.clone();
        Box::new(move |peer: PeerId, _: &Multiaddr, _| known.borrow().is_known(&peer))
    };
    let config = relay::Config {
        max_reservations: RESERVATIONS_MAX,
        max_reservations_per_peer: RESERVATIONS_PER_DEVICE_MAX,
        reservation_rate_limiters: vec![is_known()],
        max_circuits: CIRCUITS_MAX,
        max_circuits_per_peer: CIRCUITS_PER_DEVICE_MAX,
        max_circuit_duration: Duration::from_millis(CIRCUIT_LASTS_MS),
        max_circuit_bytes: CIRCUIT_LEN_MAX,
        circuit_src_rate_limiters: vec![is_known()],
        ..relay::Config::default()
    };
    let mut relay = relay::Behaviour::new(own, config);
    relay.set_status(Some(relay::Status::Enable));
    relay
}
