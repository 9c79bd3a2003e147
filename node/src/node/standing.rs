//! How it stands with the other nodes: connected or not, and why not.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    id::DeviceId,
    store::StoreError,
    sync::{Farewell, Standing},
};

use super::{Node, peers, show};
use crate::api::Connection;

/// What the engine and the network said last.
#[derive(Default)]
pub(super) struct Standings {
    now: BTreeMap<DeviceId, Standing>,
    troubles: BTreeMap<DeviceId, String>,
}

impl Node {
    /// Takes over how it stands with everyone.
    pub fn stands(&mut self, now: BTreeMap<DeviceId, Standing>) {
        self.standings
            .troubles
            .retain(|device, _| now.contains_key(device));
        self.standings.now = now;
    }

    /// Whether there is a conversation with a device.
    pub fn speaks_with(&self, device: &DeviceId) -> bool {
        match self.standings.now.get(device) {
            Some(Standing::Queued | Standing::Talking | Standing::UpToDate) => true,
            Some(Standing::Called | Standing::Away { .. }) | None => false,
        }
    }

    /// Notes why a device was not reached.
    pub fn not_reached(&mut self, device: DeviceId, why: String) {
        if self.standings.now.contains_key(&device) {
            self.standings.troubles.insert(device, why);
        }
    }

    /// Notes why a conversation ended: nothing where the connection was lost.
    pub fn talked(&mut self, device: DeviceId, why: Option<Farewell>) {
        let why = match why {
            None => "the connection was lost",
            Some(Farewell::Stopping) => "it was stopped",
            Some(Farewell::Version) => {
                "the two run versions of kith that do not understand each other; update the older one"
            }
            Some(Farewell::Misspoke) => {
                "something that was said between the two was not understood"
            }
            Some(Farewell::Silent) => "it did not answer any more",
            Some(Farewell::Store) => "one of the two could not keep what was sent",
            Some(Farewell::NothingShared) => "nothing is shared between the two, or not any more",
            Some(Farewell::Twice) => return,
        };
        self.not_reached(device, why.to_owned());
    }

    pub(super) fn connections(&self) -> Result<Vec<Connection>, StoreError> {
        let peers = peers::all(&self.store)?;
        peers
            .into_iter()
            .map(|(principal, peer)| {
                let (state, why, next_try) = self.standing(&peer);
                let sent = self.had_through(&peer)?;
                Ok(Connection {
                    name: self.name_of(principal),
                    state: state.to_owned(),
                    waits: sent.is_none_or(|sent| sent < self.journal_end()),
                    why,
                    next_try,
                })
            })
            .collect()
    }

    /// Others, by name, with whom this node was never up to date since they met.
    pub(super) fn never_up_to_date(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut never = BTreeSet::new();
        for (principal, peer) in peers::all(&self.store)? {
            let now = self.standings.now.get(&peer.device);
            if now != Some(&Standing::UpToDate) && !self.was_up_to_date(&peer)? {
                never.insert(self.name_of(principal));
            }
        }
        Ok(never)
    }

    /// In words, with why it is not better and when a call is tried again.
    fn standing(&self, peer: &peers::Peer) -> (&'static str, Option<String>, Option<String>) {
        let trouble = self.standings.troubles.get(&peer.device).cloned();
        if self.addresses.is_empty() {
            let why = "this node is not running".to_owned();
            return ("not connected", Some(why), None);
        }
        match self.standings.now.get(&peer.device) {
            Some(Standing::UpToDate) => ("up to date", None, None),
            Some(Standing::Talking) => {
                let why = "what is new goes from one to the other now".to_owned();
                ("waiting to send", Some(why), None)
            }
            Some(Standing::Queued) => {
                let why = "many others catch up, and its turn comes".to_owned();
                ("waiting to send", Some(why), None)
            }
            Some(Standing::Called) => {
                let why = trouble.unwrap_or_else(|| "it is being called".to_owned());
                ("not connected", Some(why), Some("now".to_owned()))
            }
            Some(Standing::Away { next_ms }) => {
                let why = trouble.unwrap_or_else(|| "it was not called yet".to_owned());
                ("not connected", Some(why), Some(show::time(*next_ms)))
            }
            None => {
                let why = "it never said where it can be reached, so it has to call".to_owned();
                ("not connected", Some(why), None)
            }
        }
    }
}
