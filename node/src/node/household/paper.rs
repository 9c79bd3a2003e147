//! What goes from hand to hand: one signed word, with what of its signer's log shows whose it is.

use kith_protocol::{
    consent::devices, household::Word, id::DeviceId, logs::Event, signed::Verified,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::{
    failure::{Ending, Failure},
    node::{
        identity::Identity,
        recovery::paper::{self, read_log},
        scheme,
    },
};

const SCHEME: &str = "kith:household/";

#[derive(Serialize, Deserialize)]
struct Written {
    device: DeviceId,
    signed: ByteBuf,
    log: Vec<ByteBuf>,
}

/// A word that was signed.
pub(super) struct Paper {
    pub(super) word: Word,
    /// The digest of its signed bytes.
    pub(super) digest: [u8; 32],
    /// As it is sent.
    pub(super) text: String,
}

impl Paper {
    /// Signs a word with this node's device key. Only that part of the owner's log goes along which
    /// shows that the device is theirs.
    pub(super) fn sign(
        identity: &Identity,
        word: Word,
        log: &[Verified<Event>],
    ) -> Result<Self, Failure> {
        let device = identity.device.device();
        let shown = devices::certificates(log, identity.principal, device).ok_or_else(|| {
            Failure::new(
                Ending::Failed,
                "This device cannot show that it is its owner's: their log is too long for that.",
                "Do it on the first device of the owner. Nothing was changed.",
            )
        })?;
        let signed = word.sign(&identity.device);
        Ok(Self {
            digest: Word::digest(&signed),
            text: scheme::written(
                SCHEME,
                &Written {
                    device,
                    signed: ByteBuf::from(signed),
                    log: shown,
                },
            ),
            word,
        })
    }

    /// Reads a text, once its signature holds and its signer's own log knows the device.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let written: Written = paper::read(SCHEME, text).ok_or_else(not_understood)?;
        let word = Word::verify(&written.signed, written.device).map_err(|_| not_understood())?;
        let log = read_log(&written.log, word.by)?;
        if !devices::certifies(&log, word.by, written.device) {
            return Err(not_understood());
        }
        Ok(Self {
            digest: Word::digest(&written.signed),
            text: text.split_whitespace().collect(),
            word,
        })
    }
}

pub(super) fn not_understood() -> Failure {
    paper::not_understood("what somebody said of a household")
}
