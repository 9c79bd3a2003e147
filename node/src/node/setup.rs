//! Making a node: keys, principal log, recovery sheet.

use std::collections::BTreeSet;

use data_encoding::Specification;
use kith_protocol::{
    author::Author,
    bundle::seal::SealingSecret,
    consent::devices,
    id::{DeviceId, PrincipalId},
    identity::{SecretKey, agree_to_act_for},
    intake,
    logs::{Event, LogId, PrincipalAct},
    record::event_item,
    signed::Verified,
    store::{Item, Store},
};
use serde_bytes::ByteBuf;

use super::{
    Node,
    identity::{Identity, Role, RowKind, row},
    now_ms,
    peers::Peer,
    sheet,
};
use crate::{
    api::SetUp,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    pairing::message::Added,
    store::random,
};

impl Node {
    /// Makes a node in a home and says what goes on its recovery sheet.
    pub fn set_up(home: &Home, name: &str, role: Role, unlock: &Unlock) -> Result<SetUp, Failure> {
        Self::make(home, (name, role), unlock, None)
    }

    /// The same for the demo, of whose people nobody exists. Its store says so from its first
    /// commit on, and no other one ever does.
    pub fn set_up_for_demo(
        home: &Home,
        name: &str,
        role: Role,
        unlock: &Unlock,
    ) -> Result<SetUp, Failure> {
        let mark = row(RowKind::Demo, b"", &());
        Self::make(home, (name, role), unlock, Some(mark))
    }

    fn make(
        home: &Home,
        (name, role): (&str, Role),
        unlock: &Unlock,
        mark: Option<Item>,
    ) -> Result<SetUp, Failure> {
        let name = name.trim();
        if name.is_empty() || name.len() > kith_protocol::identity::NAME_LEN_MAX {
            return Err(Failure::new(
                Ending::Usage,
                "A node needs a name of 1 to 200 bytes.",
                "Use the name that others know, such as Riverside Surgery or Sam's laptop.",
            ));
        }
        let recovery = recovery_code();
        let key = home.create(unlock, &recovery)?;
        let mut store = home.store(&key)?;
        let identity = Identity::new(name.to_owned(), role, [random(), random(), random()]);
        let mut items = principal_log(&identity);
        items.push(identity.item());
        items.extend(sheet::kept(&identity, &recovery)?);
        items.extend(mark);
        store.commit(items)?;
        Ok(made(home, &identity, recovery))
    }
}

/// What is said of a node that was made.
pub(super) fn made(home: &Home, identity: &Identity, recovery: String) -> SetUp {
    SetUp {
        name: identity.name.clone(),
        kind: identity.role,
        node: identity.device.device().to_string(),
        owner: identity.principal.to_string(),
        home: home.folder().to_owned(),
        recovery,
        service: None,
    }
}

/// A node that is to be made: the keys of a device whose owner has taken it up.
pub struct NewDevice {
    /// Whose device it becomes.
    pub owner: PrincipalId,
    /// Its own key.
    pub device: SecretKey,
    /// What the owner's other device gave it.
    pub added: Added,
}

impl Node {
    /// Makes a node in a home as another device of somebody's, which knows the device that added
    /// it, and says what goes on its recovery sheet.
    pub(crate) fn set_up_device(
        home: &Home,
        unlock: &Unlock,
        new: NewDevice,
        adder: &Adder,
    ) -> Result<SetUp, Failure> {
        let NewDevice {
            owner,
            device,
            added,
        } = new;
        let mut items = logs_of(owner, &device, &added).ok_or_else(not_checked)?;
        items.push(row(
            RowKind::Peers,
            owner.as_bytes(),
            &Peer {
                device: adder.device,
                card: adder.card.clone(),
                addresses: adder.addresses.clone(),
                records: BTreeSet::new(),
                sent_through: None,
            },
        ));
        let known = added.others.iter();
        items.extend(
            known.map(|known| row(RowKind::Peers, known.principal.as_bytes(), &known.peer)),
        );
        items.extend(added.root.as_ref().map(sheet::item));
        let named = (added.name.clone(), added.role);
        let identity = Identity::another(named, owner, device, added.sealing);
        items.push(identity.item());
        let recovery = recovery_code();
        let key = home.create(unlock, &recovery)?;
        home.store(&key)?.commit(items)?;
        Ok(made(home, &identity, recovery))
    }
}

/// The device that added another.
pub struct Adder {
    /// Its key.
    pub device: DeviceId,
    /// Its name card.
    pub card: Vec<u8>,
    /// Where it listens.
    pub addresses: Vec<String>,
}

/// The principals' logs that a new device is given, checked; nothing when the owner's does not say
/// that it is the owner's device.
fn logs_of(owner: PrincipalId, device: &SecretKey, added: &Added) -> Option<Vec<Item>> {
    let own = log_of(owner, &added.log)?;
    if !devices::certifies(&own, owner, device.device()) {
        return None;
    }
    let mut items: Vec<_> = own.iter().map(event_item).collect();
    for known in &added.others {
        items.extend(log_of(known.principal, &known.log)?.iter().map(event_item));
    }
    Some(items)
}

fn log_of(principal: PrincipalId, log: &[ByteBuf]) -> Option<Vec<Verified<Event>>> {
    let events = log.iter().map(|bytes| intake::event(bytes).ok());
    let events: Vec<_> = events.collect::<Option<_>>()?;
    let of_principal = LogId::Principal(principal);
    let own = events.iter().all(|event| event.value().log == of_principal);
    own.then_some(events)
}

fn not_checked() -> Failure {
    Failure::new(
        Ending::NotAllowed,
        "What the other device gave could not be checked.",
        "Both may need the same version of kith. No node was made here.",
    )
}

/// The first events of a principal: it begins, and adds this device.
fn principal_log(identity: &Identity) -> Vec<Item> {
    let root = Author {
        principal: identity.principal,
        key: identity.adding_key(),
        staff: None,
    };
    let now = now_ms();
    let begin = root.own_event(
        &[],
        now,
        PrincipalAct::Begin {
            kind: identity.role.kind(),
            sealing_key: SealingSecret::from_seed(*identity.sealing_seed).public().0,
        },
    );
    let add = PrincipalAct::DeviceAdd {
        device: identity.device.device(),
        proof: agree_to_act_for(
            identity.principal,
            &identity.device,
            identity.adding_key().device(),
        ),
    };
    let add = root.own_event(std::slice::from_ref(&begin), now, add);
    vec![event_item(&begin), event_item(&add)]
}

/// 125 random bits as 25 letters and digits in groups, none of which looks like another.
pub(super) fn recovery_code() -> String {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    let encoding = spec.encoding().expect("32 symbols, all different");
    let text = encoding.encode(&random::<16>());
    let groups: Vec<_> = text.as_bytes()[..25]
        .chunks(5)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    groups.join("-")
}
