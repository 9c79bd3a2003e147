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
    Invitations = 3,
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
    /// When the next share of a record ends of which this node has to say so.
    Ends = 24,
    /// Emergencies that a person here has seen.
    Seen = 25,
}

impl RowKind {
    pub(super) fn key(self, name: &[u8]) -> RowKey {
        RowKey {
            kind: self as u8,
            name: name.to_vec(),
        }
    }
}

/// A row that replaces the one before it.
pub(super) fn row<T: Serialize>(kind: RowKind, name: &[u8], value: &T) -> Item {
    Item::Row {
        key: kind.key(name),
        value: Some(serde_bytes::ByteBuf::from(codec::encode(value))),
    }
}

/// The name, role and keys of a node.
pub(super) struct Identity {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) principal: PrincipalId,
    pub(super) root: SecretKey,
    pub(super) device: SecretKey,
    pub(super) sealing_seed: Zeroizing<[u8; 32]>,
}

impl Identity {
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
    #[serde(with = "codec::array")]
    root: [u8; 32],
    #[serde(with = "codec::array")]
    device: [u8; 32],
    #[serde(with = "codec::array")]
    sealing: [u8; 32],
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
            root,
            device: SecretKey::from_seed(device),
            sealing_seed: Zeroizing::new(sealing),
        }
    }

    pub(super) fn load(store: &DiskStore) -> Result<Self, Failure> {
        let stored: Option<Stored> = read_row(store, RowKind::Identity, b"")?;
        let stored = stored.ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                "This node's own keys are not in its store.",
                "The setup was cut short or the store is damaged: restore it from a backup, or set a node up in another folder.",
            )
        })?;
        let seeds = [stored.root, stored.device, stored.sealing];
        Ok(Self::new(stored.name, stored.role, seeds))
    }

    pub(super) fn item(&self) -> Item {
        let stored = Stored {
            name: self.name.clone(),
            role: self.role,
            root: *self.root.seed(),
            device: *self.device.seed(),
            sealing: *self.sealing_seed,
        };
        row(RowKind::Identity, b"", &stored)
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
