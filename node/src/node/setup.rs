//! Making a node: keys, principal log, recovery sheet.

use data_encoding::Specification;
use kith_protocol::{
    author::Author,
    bundle::seal::SealingSecret,
    identity::agree_to_act_for,
    logs::PrincipalAct,
    record::event_item,
    store::{Item, Store},
};

use super::{
    Node,
    identity::{Identity, Role},
    now_ms,
};
use crate::{
    api::SetUp,
    failure::{Ending, Failure},
    home::{Home, Unlock},
    store::random,
};

impl Node {
    /// Makes a node in a home and says what goes on its recovery sheet.
    pub fn set_up(home: &Home, name: &str, role: Role, unlock: &Unlock) -> Result<SetUp, Failure> {
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
        store.commit(items)?;
        Ok(SetUp {
            name: name.to_owned(),
            kind: role,
            node: identity.device.device().to_string(),
            owner: identity.principal.to_string(),
            home: home.folder().to_owned(),
            recovery,
            service: None,
        })
    }
}

/// The first events of a principal: it begins, and adds this device.
fn principal_log(identity: &Identity) -> Vec<Item> {
    let root = Author {
        principal: identity.principal,
        key: &identity.root,
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
        proof: agree_to_act_for(identity.principal, &identity.device, identity.root.device()),
    };
    let add = root.own_event(std::slice::from_ref(&begin), now, add);
    vec![event_item(&begin), event_item(&add)]
}

/// 125 random bits as 25 letters and digits in groups, none of which looks like another.
fn recovery_code() -> String {
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
