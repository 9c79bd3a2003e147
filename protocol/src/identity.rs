//! Keys of principals and devices, and the name cards that describe them.

use std::{cell::RefCell, collections::BTreeSet, fmt};

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    codec,
    id::{DeviceId, PrincipalId},
    logs::principal::PrincipalKind,
    signed::{Domain, SignatureError, seal, unseal},
};

/// An Ed25519 secret key; wiped when dropped, never printed.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of this seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The seed, to be sealed into a store.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half, as a device.
    pub fn device(&self) -> DeviceId {
        DeviceId::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// The public half, as the principal whose first root key this is.
    pub fn principal(&self) -> PrincipalId {
        PrincipalId::from_bytes(self.0.verifying_key().to_bytes())
    }

    pub(crate) const fn signing(&self) -> &SigningKey {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {:?}", self.device())
    }
}

impl PrincipalId {
    /// The principal's first root key, as the signer of an event.
    pub const fn root_key(self) -> DeviceId {
        DeviceId::from_bytes(*self.as_bytes())
    }
}

/// A device's signed agreement to act for `principal`, added by `parent` and by no other key: the
/// proof in a DeviceAdd.
pub fn agree_to_act_for(principal: PrincipalId, device: &SecretKey, parent: DeviceId) -> Vec<u8> {
    let agreement = codec::encode(&(principal, device.device(), parent));
    seal(Domain::Device, agreement, device)
}

/// Whether `proof` is the agreement of `device` to act for `principal`, added by `parent`.
///
/// The log of a person is read with each record that names them, so what was found to hold is
/// remembered: the answer follows from what is asked alone.
pub fn agreed_to_act_for(
    principal: PrincipalId,
    device: DeviceId,
    parent: DeviceId,
    proof: &[u8],
) -> bool {
    let agreement = codec::encode(&(principal, device, parent));
    let mut hasher = blake3::Hasher::new_derive_key("kith v1 agreement found to hold");
    hasher.update(&agreement);
    hasher.update(proof);
    let asked = *hasher.finalize().as_bytes();
    AGREED.with_borrow_mut(|agreed| {
        let known = agreed.contains(&asked);
        let holds =
            known || unseal(Domain::Device, proof, device).is_ok_and(|signed| signed == agreement);
        if holds && !known {
            if agreed.len() >= AGREED_MAX {
                agreed.clear();
            }
            agreed.insert(asked);
        }
        holds
    })
}

/// Agreements that are remembered: as many as any node knows devices, for 160 KiB.
const AGREED_MAX: usize = 4096;

thread_local! {
    static AGREED: RefCell<BTreeSet<[u8; 32]>> = const { RefCell::new(BTreeSet::new()) };
}

/// A new root key's signed agreement to stand for `principal`: the proof in a KeyChange.
pub fn agree_to_stand_for(principal: PrincipalId, key: &SecretKey) -> Vec<u8> {
    seal(
        Domain::KeyChange,
        codec::encode(&(principal, key.device())),
        key,
    )
}

/// Whether `proof` is the agreement of the root key `key` to stand for `principal`.
pub fn agreed_to_stand_for(principal: PrincipalId, key: DeviceId, proof: &[u8]) -> bool {
    unseal(Domain::KeyChange, proof, key)
        .is_ok_and(|signed| signed == codec::encode(&(principal, key)))
}

/// A signed self-description. It proves nothing: people check words with each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameCard {
    /// Whom it describes.
    pub principal: PrincipalId,
    /// The device that signed it.
    pub device: DeviceId,
    /// Person or organisation.
    pub kind: PrincipalKind,
    /// What it calls itself, such as `Riverside Surgery`.
    pub name: String,
    /// What it is, such as `practice` or `person`.
    pub role: String,
    /// A code that registers of organisations know, such as an ODS code.
    pub code: Option<String>,
}

/// The longest name on a card, in bytes.
pub const NAME_LEN_MAX: usize = 200;

impl NameCard {
    /// The signed card.
    pub fn sign(&self, device: &SecretKey) -> Vec<u8> {
        seal(Domain::NameCard, codec::encode(self), device)
    }

    /// Reads a card that `device` signed.
    pub fn verify(bytes: &[u8], device: DeviceId) -> Result<Self, SignatureError> {
        let card: Self = codec::decode(&unseal(Domain::NameCard, bytes, device)?)?;
        let short = card.name.len() <= NAME_LEN_MAX && card.role.len() <= NAME_LEN_MAX;
        if card.device == device && short {
            Ok(card)
        } else {
            Err(SignatureError::Signature)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NameCard, SecretKey, agree_to_act_for, agreed_to_act_for};
    use crate::logs::principal::PrincipalKind;

    #[test]
    fn a_device_agrees_to_one_principal_and_one_parent_only() {
        let (root, device) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let (owner, laptop, other) = (root.principal(), device.device(), device.principal());
        let proof = agree_to_act_for(owner, &device, root.device());
        assert!(agreed_to_act_for(owner, laptop, root.device(), &proof));
        assert!(!agreed_to_act_for(owner, laptop, laptop, &proof));
        assert!(!agreed_to_act_for(other, laptop, root.device(), &proof));
        assert!(!agreed_to_act_for(
            owner,
            root.device(),
            root.device(),
            &proof
        ));
    }

    #[test]
    fn a_name_card_comes_back_from_its_signer_only() {
        let (root, device) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let card = NameCard {
            principal: root.principal(),
            device: device.device(),
            kind: PrincipalKind::Organisation,
            name: "Riverside Surgery".into(),
            role: "practice".into(),
            code: None,
        };
        let bytes = card.sign(&device);
        assert_eq!(NameCard::verify(&bytes, device.device()).ok(), Some(card));
        assert!(NameCard::verify(&bytes, root.device()).is_err());
    }
}
