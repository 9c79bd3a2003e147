//! An invitation as a link: where to go, whom to expect there, and a secret; no record and no name.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use kith_protocol::{codec, id::DeviceId};
use serde::{Deserialize, Serialize};

use crate::failure::{Ending, Failure};

/// What an invitation's link says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The inviting node's device key.
    pub device: DeviceId,
    /// Where it listens.
    pub addresses: Vec<String>,
    /// 128 bits that only the invited person has.
    #[serde(with = "codec::array")]
    pub secret: [u8; 16],
}

const SCHEME: &str = "kith:join/";

impl fmt::Display for Invited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = BASE64URL_NOPAD.encode(&codec::encode(self));
        write!(f, "{SCHEME}{text}")
    }
}

impl FromStr for Invited {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let bytes = text
            .trim()
            .strip_prefix(SCHEME)
            .and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        bytes
            .and_then(|bytes| codec::decode(&bytes).ok())
            .ok_or_else(|| {
                Failure::new(
                    Ending::Usage,
                    "That is not an invitation, or a part of it is missing.",
                    "Copy the whole link, from kith: to its end.",
                )
            })
    }
}
