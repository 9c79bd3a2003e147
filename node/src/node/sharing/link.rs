//! An invitation as a link: where to go, whom to expect there, and a secret; no record and no name.

use std::{fmt, str::FromStr};

use kith_protocol::{
    codec,
    id::{DeviceId, PrincipalId},
};
use serde::{Deserialize, Serialize};

use super::hosting::check_words;
use crate::{
    failure::{Ending, Failure},
    node::scheme,
};

/// What an invitation's link says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The inviting node's device key.
    pub device: DeviceId,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// 128 bits that only the invited person has.
    #[serde(with = "codec::array")]
    pub secret: [u8; 16],
}

/// An invitation's name: what its secret gives, and the secret cannot be had from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvitationId([u8; 32]);

const SCHEME: &str = "kith:join/";

impl Invited {
    /// The name of the invitation.
    pub fn name(&self) -> InvitationId {
        InvitationId(blake3::derive_key("kith v1 invitation", &self.secret))
    }

    /// What two people compare who meet by it: guest and host, and whose devices they are.
    pub fn check_words(
        &self,
        devices: (DeviceId, DeviceId),
        principals: (PrincipalId, PrincipalId),
    ) -> String {
        check_words(devices, principals, self.name()).to_string()
    }

    /// What both sides prove to each other that they know.
    pub fn password(&self) -> [u8; 32] {
        blake3::derive_key("kith v1 invitation password", &self.secret)
    }
}

impl InvitationId {
    /// The name with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// As people name it: its first 12 digits.
impl fmt::Display for InvitationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6]
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invited(..)")
    }
}

impl fmt::Display for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&scheme::written(SCHEME, self))
    }
}

impl FromStr for Invited {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        scheme::read(SCHEME, text).ok_or_else(|| {
            Failure::new(
                Ending::Usage,
                "That is not an invitation, or a part of it is missing.",
                "Copy the whole link, from kith: to its end.",
            )
        })
    }
}
