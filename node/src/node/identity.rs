//! Who this node is: its keys, in a sealed row of the store.

use kith_protocol::{
    author::Author,
    codec,
    id::PrincipalId,
    identity::{NameCard, SecretKey},
    logs::principal::PrincipalKind,
    record::Pen,
    store::{Item, RowKey, Store, StoreError},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    failure::{Ending, Failure},
    store::DiskStore,
};

/// The rows of a node's own.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowKind {
    Identity = 1,
    People = 2,
    Peers = 4,
    Audit = 5,
    Saved = 8,
    /// What stands in a document, for searches and timelines.
    View = 9,
    /// Names of staff.
    Staff = 16,
    /// Where the parts of a cut over many records are.
    Cuts = 17,
    /// Records in which something by an own device does not simply count.
    Doubtful = 18,
    /// Which device this node was before it was restored from a backup.
    Restored = 19,
    /// Name cards of people who were never met, from the circles of records.
    Cards = 20,
    /// Invitations that were made here.
    Invitations = 24,
    /// Invitations that were accepted here and that the other side has not confirmed.
    Joining = 25,
    /// When the next share of a record ends of which this node has to say so.
    Ends = 26,
    /// Emergencies that a person here has seen.
    Seen = 27,
    /// What was put to the members of a recovery set and is not agreed to yet.
    Asked = 28,
    /// How far another node last had everything.
    Through = 29,
    /// That another node and this one both have to do with a record: one row for each.
    Common = 30,
    /// That this node was set up for the demo.
    Demo = 31,
    /// The owner's root key, sealed to the code of the first device's recovery sheet.
    Sheet = 32,
    /// What the owner's people are asked, who are to give them a new key.
    Regaining = 33,
    /// What is open in a record and until when.
    Work = 34,
    /// How far somebody here has come in a record.
    Looked = 35,
    /// When another node had everything up to which place.
    Steps = 36,
    /// How members of staff sign in to the pages.
    Accounts = 40,
    /// Which record is on a side of a household or support link.
    Household = 41,
    /// What was brought in on pages, and how far that came.
    Brought = 43,
    /// Messages of other systems that are not filed.
    Inbox = 48,
    /// Those that are.
    InboxFiled = 49,
    /// The bytes of those that are not.
    InboxBytes = 50,
    /// Which bytes came under which number of which sender.
    InboxSeen = 51,
    /// How messages of other systems come in, and the next number of one.
    Integration = 52,
    /// Messages that go out to other systems.
    Outbox = 53,
    /// Apps that read a record beside this node, with their keys.
    Apps = 44,
    /// What opens the record of an app: one row for each token, by its hash.
    Tokens = 45,
    /// Apps that may ask to be connected, and where they are.
    Clients = 46,
}

impl RowKind {
    pub(super) fn key(self, name: &[u8]) -> RowKey {
        RowKey {
            kind: self as u8,
            name: name.to_vec(),
        }
    }
}

/// Whether an item says what somebody is called.
pub(super) fn is_of_name(item: &Item) -> bool {
    let kinds = [
        RowKind::Peers as u8,
        RowKind::Cards as u8,
        RowKind::Staff as u8,
        RowKind::People as u8,
    ];
    matches!(item, Item::Row { key, .. } if kinds.contains(&key.kind))
}

/// Whether an item says something new of an invitation that was made or accepted here.
pub(super) fn is_of_invitation(item: &Item) -> bool {
    let kinds = [RowKind::Invitations as u8, RowKind::Joining as u8];
    matches!(item, Item::Row { key, .. } if kinds.contains(&key.kind))
}

/// The key of a row that says what another node and this one have in common.
pub(super) fn of_common(item: &Item) -> Option<RowKey> {
    match item {
        Item::Row { key, .. } if key.kind == RowKind::Common as u8 => Some(key.clone()),
        Item::Row { .. }
        | Item::Event { .. }
        | Item::Entry { .. }
        | Item::Part { .. }
        | Item::Audit { .. } => None,
    }
}

/// A row that replaces the one before it.
pub(super) fn row<T: Serialize>(kind: RowKind, name: &[u8], value: &T) -> Item {
    Item::Row {
        key: kind.key(name),
        value: Some(serde_bytes::ByteBuf::from(codec::encode(value))),
    }
}

/// A row that goes.
pub(super) fn no_row(kind: RowKind, name: &[u8]) -> Item {
    Item::Row {
        key: kind.key(name),
        value: None,
    }
}

/// The name, role and keys of a node.
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) principal: PrincipalId,
    /// On the device on which the owner began, and on no other.
    root: Option<SecretKey>,
    pub(super) device: SecretKey,
    /// With which this node's access log began, where that is not the device's own.
    first: Option<SecretKey>,
    pub(super) sealing_seed: Zeroizing<[u8; 32]>,
}

impl Identity {
    /// The same node with a new device key, as it goes on from an older copy of itself: whatever it
    /// wrote since then, this key has not. The access log goes on under the key that began it.
    pub(super) fn restored(self, seed: [u8; 32]) -> Self {
        Self {
            first: Some(self.first.unwrap_or(self.device)),
            device: SecretKey::from_seed(seed),
            ..self
        }
    }

    /// What this node's access log is signed with.
    pub(super) fn log_key(&self) -> &SecretKey {
        self.first.as_ref().unwrap_or(&self.device)
    }

    /// What signs for the owner as such: the root key where it is here, else the device's own.
    pub(super) fn adding_key(&self) -> &SecretKey {
        self.root.as_ref().unwrap_or(&self.device)
    }

    /// The owner's root key, where it is here.
    pub(super) const fn root_key(&self) -> Option<&SecretKey> {
        self.root.as_ref()
    }

    /// What this node writes with.
    pub(super) const fn pen(&self, nonce: [u8; 8], time_ms: u64) -> Pen<'_> {
        Pen {
            author: Author {
                principal: self.principal,
                key: &self.device,
                staff: None,
            },
            nonce,
            time_ms,
        }
    }
}

/// What a node's owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A general practice.
    Practice,
    /// A hospital.
    Hospital,
    /// An ambulance service.
    Ambulance,
    /// A care home.
    CareHome,
    /// A laboratory.
    Laboratory,
    /// A patient, carer or relative.
    Person,
}

impl Role {
    /// As people type it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Practice => "practice",
            Self::Hospital => "hospital",
            Self::Ambulance => "ambulance",
            Self::CareHome => "care-home",
            Self::Laboratory => "laboratory",
            Self::Person => "person",
        }
    }

    /// What a name says, as people type it.
    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Practice,
            Self::Hospital,
            Self::Ambulance,
            Self::CareHome,
            Self::Laboratory,
            Self::Person,
        ];
        all.into_iter().find(|role| role.name() == name)
    }

    /// Person or organisation.
    pub const fn kind(self) -> PrincipalKind {
        match self {
            Self::Person => PrincipalKind::Person,
            Self::Practice
            | Self::Hospital
            | Self::Ambulance
            | Self::CareHome
            | Self::Laboratory => PrincipalKind::Organisation,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    name: String,
    role: Role,
    #[serde(with = "codec::optional_array")]
    root: Option<[u8; 32]>,
    #[serde(with = "codec::array")]
    device: [u8; 32],
    #[serde(with = "codec::array")]
    sealing: [u8; 32],
    /// Whose device this is, where the root key is not here, or is not their first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<PrincipalId>,
    /// The seed of the device key with which the access log began, where that is another.
    #[serde(
        default,
        with = "codec::optional_array",
        skip_serializing_if = "Option::is_none"
    )]
    first: Option<[u8; 32]>,
}

impl Identity {
    /// A new identity from random seeds.
    pub(super) fn new(name: String, role: Role, seeds: [[u8; 32]; 3]) -> Self {
        let [root, device, sealing] = seeds;
        let root = SecretKey::from_seed(root);
        Self {
            name,
            role,
            principal: root.principal(),
            root: Some(root),
            device: SecretKey::from_seed(device),
            first: None,
            sealing_seed: Zeroizing::new(sealing),
        }
    }

    /// Another device of somebody's.
    pub(super) fn another(
        (name, role): (String, Role),
        principal: PrincipalId,
        device: SecretKey,
        sealing: [u8; 32],
    ) -> Self {
        Self {
            name,
            role,
            principal,
            root: None,
            device,
            first: None,
            sealing_seed: Zeroizing::new(sealing),
        }
    }

    /// Somebody who is to go on with a new root key, a new device and a new sealing key.
    pub(super) fn regained(
        (name, role): (String, Role),
        principal: PrincipalId,
        seeds: [[u8; 32]; 3],
    ) -> Self {
        Self {
            principal,
            ..Self::new(name, role, seeds)
        }
    }

    pub(super) fn load(store: &DiskStore) -> Result<Self, Failure> {
        let stored: Option<Stored> = read_row(store, RowKind::Identity, b"")?;
        let stored = stored.ok_or_else(no_keys)?;
        let root = stored.root.map(SecretKey::from_seed);
        let first = || root.as_ref().map(SecretKey::principal);
        let principal = stored.owner.or_else(first);
        Ok(Self {
            name: stored.name,
            role: stored.role,
            principal: principal.ok_or_else(no_keys)?,
            root,
            device: SecretKey::from_seed(stored.device),
            first: stored.first.map(SecretKey::from_seed),
            sealing_seed: Zeroizing::new(stored.sealing),
        })
    }

    pub(super) fn item(&self) -> Item {
        let stored = Stored {
            name: self.name.clone(),
            role: self.role,
            root: self.root.as_ref().map(|root| *root.seed()),
            device: *self.device.seed(),
            sealing: *self.sealing_seed,
            owner: (!self.has_first_root()).then_some(self.principal),
            first: self.first.as_ref().map(|first| *first.seed()),
        };
        row(RowKind::Identity, b"", &stored)
    }

    fn has_first_root(&self) -> bool {
        let root = self.root.as_ref();
        root.is_some_and(|root| root.principal() == self.principal)
    }

    pub(super) fn name_card(&self) -> Vec<u8> {
        NameCard {
            principal: self.principal,
            device: self.device.device(),
            kind: self.role.kind(),
            name: self.name.clone(),
            role: self.role.name().to_owned(),
            code: None,
        }
        .sign(&self.device)
    }
}

fn no_keys() -> Failure {
    Failure::new(
        Ending::Failed,
        "This node's own keys are not in its store.",
        "The setup was cut short or the store is damaged: restore it from a backup, or set a node up in another folder.",
    )
}

/// A row, read.
pub(super) fn read_row<T: serde::de::DeserializeOwned>(
    store: &DiskStore,
    kind: RowKind,
    name: &[u8],
) -> Result<Option<T>, StoreError> {
    let Some(bytes) = store.row(&kind.key(name))? else {
        return Ok(None);
    };
    decode_row(&bytes).map(Some)
}

/// Every row of a kind.
pub(super) fn read_rows<T: serde::de::DeserializeOwned>(
    store: &DiskStore,
    kind: RowKind,
) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
    let rows = store.rows(kind as u8)?;
    rows.into_iter()
        .map(|(name, bytes)| Ok((name, decode_row(&bytes)?)))
        .collect()
}

fn decode_row<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    codec::decode_trusted(bytes).map_err(|_| {
        StoreError::Damaged(kith_protocol::store::Damage {
            place: "a row of this node's own".to_owned(),
            what: "this version of kith cannot read it".to_owned(),
        })
    })
}
