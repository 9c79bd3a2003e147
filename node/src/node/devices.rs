//! The devices of a node's owner: listing them, retiring one, and what a new one gets.

use std::collections::{BTreeMap, BTreeSet};

use kith_protocol::{
    consent::{cut::Cut, devices},
    id::{DeviceId, EventId},
    limits::{ACQUAINTANCES_LEN_MAX, ACQUAINTANCES_MAX},
    logs::{Act, LogId, PrincipalAct, record::Link},
    signed::Verified,
    store::Store,
};
use serde_bytes::ByteBuf;

use super::{
    Node,
    identity::{RowKind, read_row},
    leaver::Leaver,
    peers,
    practice::{is_named, not_one, note},
    show,
};
use crate::{
    api::{DeviceLine, DeviceList, Keep, Left, Retiring},
    failure::{Ending, Failure},
    pairing::message::{Added, Known},
};

pub(super) struct Device {
    pub(super) id: DeviceId,
    /// The key that added it.
    parent: DeviceId,
    since_ms: u64,
    pub(super) retired: bool,
    /// The event that retired it, where that says nothing yet of what stays.
    pub(super) stopped_by: Option<EventId>,
}

impl Node {
    pub(super) fn device_list(&self) -> Result<DeviceList, Failure> {
        let devices = self.own_devices()?;
        let devices = devices.iter().filter(|device| !self.is_root(device.id));
        Ok(DeviceList {
            devices: devices.map(|device| self.device_line(device)).collect(),
            waiting: self.waiting_devices()?,
        })
    }

    pub(super) fn device_retire(&mut self, retiring: &Retiring) -> Result<Left, Failure> {
        let leaving = &retiring.leaving;
        let word = leaving.who.to_lowercase();
        if let Some(id) = self.take_device_back(&word)? {
            return Ok(Left {
                name: id[..12].to_owned(),
                id,
                event: String::new(),
                records: 0,
                note: "The invitation is taken back: neither its words nor its link work any more. Nobody had used it.".to_owned(),
            });
        }
        let devices = self.own_devices()?;
        let mut named: Vec<_> = devices
            .iter()
            .filter(|device| !self.is_root(device.id) && is_named(&device.id.to_string(), &word))
            .collect();
        let (Some(device), true) = (named.pop(), named.is_empty()) else {
            return Err(not_one("device", &leaving.who, "kith devices list"));
        };
        let (id, retired, stopped_by) = (device.id, device.retired, device.stopped_by);
        if id == self.device() {
            return Err(Failure::new(
                Ending::Usage,
                "This is the device that you are using.",
                "Retire it from another of your devices. Nothing was changed.",
            ));
        }
        if retired && stopped_by.is_none() {
            return Err(Failure::new(
                Ending::Failed,
                "That device is retired already.",
                "Nothing was changed: kith devices list shows every device.",
            ));
        }
        let root = retiring.sheet.as_deref();
        let root = root.map(|code| self.root_by_sheet(code)).transpose()?;
        let may = root.is_some() || self.has_root_key()? || self.may_retire(&devices, id);
        if !may {
            return Err(Failure::new(
                Ending::NotAllowed,
                "That device was not added by this one, and this one does not have your root key.",
                "With the recovery sheet of the device on which you began: kith devices retire DEVICE --recovery-sheet. Or retire it from that device, or from the one that added it. Nothing was changed.",
            ));
        }
        let last = self.last_standing(id, leaving.keep)?;
        let end = |cut| PrincipalAct::DeviceRetire {
            device: id,
            last,
            cut,
            void: Vec::new(),
        };
        let leaver = Leaver {
            link: Link::Device(id),
            devices: BTreeSet::from([id]),
            keep: leaving.keep,
            awaited: stopped_by.into_iter().collect(),
        };
        let (event, records) = self.leave(&leaver, root.as_ref(), end)?;
        let name = id.to_string()[..12].to_owned();
        Ok(Left {
            id: id.to_string(),
            event: event.to_string(),
            records,
            note: note(&format!("The device {name}"), leaving.keep),
            name,
        })
    }

    /// A device without the root key may retire those that it added, and those that they added.
    fn may_retire(&self, devices: &[Device], device: DeviceId) -> bool {
        let parents: BTreeMap<_, _> = devices
            .iter()
            .map(|known| (known.id, known.parent))
            .collect();
        let own = self.device();
        let mut at = device;
        // No longer than there are devices: the list comes from others too, and may go round.
        for _ in 0..devices.len() {
            match parents.get(&at) {
                Some(parent) if *parent == own => return true,
                Some(parent) => at = *parent,
                None => return false,
            }
        }
        false
    }

    /// The last of a device's events in the owner's log before the first that is not kept.
    pub(super) fn last_standing(
        &self,
        device: DeviceId,
        keep: Keep,
    ) -> Result<Option<EventId>, Failure> {
        let log = self.principal_log()?;
        let mut own: Vec<_> = log
            .iter()
            .filter(|event| event.value().device == device)
            .collect();
        own.sort_by_key(|event| event.value().seq);
        let kept = own.into_iter().take_while(|event| match keep {
            Keep::All => true,
            Keep::NoneAfter(date_ms) => event.value().time_ms <= date_ms,
        });
        Ok(kept.last().map(Verified::id))
    }

    /// Every key that ever signed for the owner, the root key included.
    pub(super) fn own_devices(&self) -> Result<Vec<Device>, Failure> {
        let log = self.principal_log()?;
        let mut devices = vec![Device {
            id: self.identity.principal.root_key(),
            parent: self.identity.principal.root_key(),
            since_ms: 0,
            retired: false,
            stopped_by: None,
        }];
        let mut retired: BTreeMap<_, Vec<(EventId, &Cut)>> = BTreeMap::new();
        for event in &*log {
            match &event.value().act {
                Act::Principal(
                    PrincipalAct::DeviceAdd { device: id, .. }
                    | PrincipalAct::StaffAdd {
                        device: Some(id), ..
                    },
                ) => devices.push(Device {
                    id: *id,
                    parent: event.value().device,
                    since_ms: event.value().time_ms,
                    retired: false,
                    stopped_by: None,
                }),
                Act::Principal(PrincipalAct::DeviceRetire { device, cut, .. }) => {
                    retired.entry(*device).or_default().push((event.id(), cut));
                }
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => {}
            }
        }
        let to_be_said = Cut::to_be_said();
        for device in &mut devices {
            let ends = retired.get(&device.id).map_or(&[][..], Vec::as_slice);
            device.retired = !ends.is_empty();
            if let [(end, cut)] = ends
                && **cut == to_be_said
            {
                device.stopped_by = Some(*end);
            }
        }
        Ok(devices)
    }

    /// The beginning of a device's id, where it was stopped and nobody said yet what stays.
    pub(super) fn stopped_and_open(&self, device: DeviceId) -> Result<Option<String>, Failure> {
        let mut devices = self.own_devices()?.into_iter();
        let open = devices.find(|known| known.id == device && known.stopped_by.is_some());
        Ok(open.map(|open| open.id.to_string()[..12].to_owned()))
    }

    /// Whether the key that is over all of the owner's devices is here.
    pub(super) fn has_root_key(&self) -> Result<bool, Failure> {
        let Some(root) = self.identity.root_key() else {
            return Ok(false);
        };
        let keys = devices::root_keys(&self.principal_log()?, self.identity.principal);
        Ok(keys.contains(&root.device()))
    }

    fn is_root(&self, device: DeviceId) -> bool {
        device == self.identity.principal.root_key()
    }

    fn device_line(&self, device: &Device) -> DeviceLine {
        let state = match (device.retired, device.stopped_by) {
            (false, _) => "active",
            (true, None) => "retired",
            (true, Some(_)) => "retired, and nobody said what stays",
        };
        DeviceLine {
            id: device.id.to_string(),
            is_this: device.id == self.device(),
            since: show::time(device.since_ms),
            state: state.to_owned(),
        }
    }

    /// Whether a device acts for this node's owner now.
    pub(super) fn is_own_device(&self, device: DeviceId) -> Result<bool, Failure> {
        let log = self.principal_log()?;
        Ok(devices::certifies(&log, self.identity.principal, device))
    }

    /// The device of the owner's that this one knows: the one that added it.
    pub fn adder(&self) -> Result<Option<DeviceId>, Failure> {
        let owner = self.identity.principal;
        let known = read_row::<peers::Peer>(&self.store, RowKind::Peers, owner.as_bytes())?;
        Ok(known.map(|peer| peer.device))
    }

    /// All that a new device needs to act for the owner. The root key goes only as the code of the
    /// recovery sheet opens it.
    pub(super) fn added(&self) -> Result<Added, Failure> {
        let mut others = Vec::new();
        let mut len = 0;
        for (principal, mut peer) in self.known_peers()? {
            if principal == self.identity.principal || others.len() >= ACQUAINTANCES_MAX {
                continue;
            }
            let log: Vec<_> = self.signed_log(&LogId::Principal(principal))?;
            len += log.iter().map(|event| event.len()).sum::<usize>();
            if len > ACQUAINTANCES_LEN_MAX {
                break;
            }
            // How far it has come with this device says nothing of another.
            peer.sent_through = None;
            others.push(Known {
                principal,
                log,
                peer,
            });
        }
        Ok(Added {
            log: self.own_log()?,
            name: self.identity.name.clone(),
            role: self.identity.role,
            sealing: *self.identity.sealing_seed,
            others,
            root: self.sealed_root()?,
        })
    }

    /// The signed events of the owner's own log.
    pub(super) fn own_log(&self) -> Result<Vec<ByteBuf>, Failure> {
        self.signed_log(&LogId::Principal(self.identity.principal))
    }

    fn signed_log(&self, log: &LogId) -> Result<Vec<ByteBuf>, Failure> {
        let events = self.store.events(log)?;
        let bytes = events.into_iter().map(|(_, bytes)| ByteBuf::from(bytes));
        Ok(bytes.collect())
    }
}
