//! A bundle file on its way to the disk, sealed where that is asked for.

use std::{fs::File, io::Write, path::Path};

use kith_protocol::bundle::seal::{PassphraseCost, Sealer, SealingKey};

use crate::{
    failure::{Ending, Failure},
    node::export::{BundleTo, not_written},
};

/// A bundle file on its way to the disk, sealed where that is asked for.
pub(super) struct Out<'a> {
    file: File,
    path: &'a Path,
    sealer: Option<Sealer>,
}

impl<'a> Out<'a> {
    pub(super) fn begin(
        file: File,
        path: &'a Path,
        to: &BundleTo,
        receivers: &[SealingKey],
        rng: &mut rand_chacha::ChaCha20Rng,
    ) -> Result<Self, Failure> {
        let mut out = Self {
            file,
            path,
            sealer: None,
        };
        let passphrase = match to {
            BundleTo::Anyone => return Ok(out),
            BundleTo::Passphrase(words) => Some((words.as_str(), PassphraseCost::STANDARD)),
            BundleTo::Named(_) => None,
        };
        let (sealer, bytes) = Sealer::begin(receivers, passphrase, rng).map_err(|error| {
            Failure::new(
                Ending::Failed,
                "The bundle could not be sealed.",
                "Nothing was written. Name fewer receivers, or use a passphrase.",
            )
            .because(&error)
        })?;
        out.write(&bytes)?;
        out.sealer = Some(sealer);
        Ok(out)
    }

    pub(super) fn push(&mut self, plain: &[u8]) -> Result<(), Failure> {
        match &mut self.sealer {
            None => self.write(plain),
            Some(sealer) => {
                let sealed = sealer.push(plain);
                self.write(&sealed)
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| not_written(self.path, &error))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        if let Some(sealer) = self.sealer.take() {
            let last = sealer.finish();
            self.write(&last)?;
        }
        let synced = self.file.sync_all();
        synced.map_err(|error| not_written(self.path, &error))
    }
}
