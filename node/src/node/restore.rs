//! A node that goes on from a backup of itself.
//!
//! What it wrote after the backup was taken it does not know, and others may hold it. So it never
//! writes on where it was: it goes on as a new device of its owner's, under a new key, and takes
//! from others what it lacks. Nothing is numbered twice, and nothing is lost.

use std::path::Path;

use kith_protocol::{
    author::Author,
    id::DeviceId,
    identity::{SecretKey, agree_to_act_for},
    logs::PrincipalAct,
    record::event_item,
    store::Store,
    sync::{JournalId, journal_row},
};
use serde::{Deserialize, Serialize};

use super::{
    Node,
    identity::{Identity, RowKind, read_rows, row},
    now_ms, show,
};
use crate::{
    api::{Problem, Progress, RestoredNode},
    failure::Failure,
    home::Home,
    store::random,
};

/// That a node goes on from a backup; the row is named by the device that it was before.
#[derive(Serialize, Deserialize)]
struct Restored {
    /// When the backup was taken, milliseconds since 1970 UTC.
    taken_ms: u64,
    /// When it was restored, milliseconds since 1970 UTC.
    at_ms: u64,
}

impl Node {
    /// Fills an empty home from a backup that `code`, a passphrase or the recovery sheet's code,
    /// opens.
    ///
    /// # Errors
    /// When the home has a node, the code does not fit, or the backup is damaged.
    pub fn restore(
        home: &Home,
        backup: &Path,
        code: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<RestoredNode, Failure> {
        let (key, taken_ms) = home.fill(backup, code, progress)?;
        let mut store = home.store(&key)?;
        let identity = Identity::load(&store)?;
        let before = identity.device.device();
        let seed = random();
        let now = now_ms();
        let mut items = vec![journal_row(JournalId(random()))];
        let log = store.principal_log(&identity.principal)?;
        let adding = Author {
            principal: identity.principal,
            key: identity.adding_key(),
            staff: None,
        };
        let device = SecretKey::from_seed(seed);
        let proof = agree_to_act_for(identity.principal, &device, adding.key.device());
        let added = PrincipalAct::DeviceAdd {
            device: device.device(),
            proof,
        };
        items.push(event_item(&adding.own_event(&log, now, added)));
        let restored = Restored {
            taken_ms,
            at_ms: now,
        };
        items.push(row(RowKind::Restored, before.as_bytes(), &restored));
        let identity = identity.restored(seed);
        items.push(identity.item());
        store.commit(items)?;
        let records = store.records()?.len();
        Ok(RestoredNode {
            name: identity.name.clone(),
            home: home.folder().to_owned(),
            node: identity.device.device().to_string(),
            before: before.to_string(),
            taken: show::time(taken_ms),
            records,
        })
    }

    /// That this node goes on from a backup, while the machine that it was may still act for its
    /// owner.
    pub(super) fn restored(&self) -> Result<Vec<Problem>, Failure> {
        let rows = read_rows::<Restored>(&self.store, RowKind::Restored)?;
        let devices = self.own_devices()?;
        let mut problems = Vec::new();
        for (name, restored) in rows {
            let Ok(device) = <[u8; 32]>::try_from(name).map(DeviceId::from_bytes) else {
                continue;
            };
            if devices
                .iter()
                .any(|known| known.id == device && !known.retired)
            {
                problems.push(Problem {
                    what: format!(
                        "This node goes on from a backup of {}, as a new device. What it and others wrote since comes back from those with whom its records are shared.",
                        show::time(restored.taken_ms)
                    ),
                    remedy: format!(
                        "Let it run until all are up to date. Do not start the old copy again; then say so to everyone: kith devices retire {}",
                        &device.to_string()[..12]
                    ),
                });
            }
        }
        Ok(problems)
    }
}
