//! Whether an access log is the one that was written, and if not, where it was touched.

use super::{AUDIT_VERSION, AuditChain, AuditEntry, AuditHead, Checkpoint, What, link_id};
use crate::{
    codec,
    id::{AuditLinkId, DeviceId},
    limits::AUDIT_LINK_LEN_MAX,
    signed::SignatureError,
};

/// An access log that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Where it stands.
    pub chain: AuditChain,
    /// How many disclosures it has.
    pub disclosures: u64,
    /// The last link that a checkpoint vouches for. What comes after could have been changed or
    /// cut off by whoever holds the store.
    pub vouched: Option<u64>,
}

/// The first place at which an access log is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Not even a beginning.
    #[error("the access log is empty")]
    Empty,
    /// A link was changed.
    #[error("link {seq} of the access log was changed")]
    Changed {
        /// Which.
        seq: u64,
    },
    /// One of the last two links was changed.
    #[error("link {} or link {} of the access log was changed", .later - 1, .later)]
    OneOfTwo {
        /// The later one.
        later: u64,
    },
    /// A link was taken away.
    #[error("link {seq} of the access log is missing")]
    Missing {
        /// The first that is.
        seq: u64,
    },
    /// A number is there twice.
    #[error("the access log has two links {seq}: one was put in")]
    Twice {
        /// Which.
        seq: u64,
    },
    /// A link stands where it does not belong.
    #[error("link {seq} of the access log was moved or put in before link {at}")]
    Moved {
        /// The one that was moved.
        seq: u64,
        /// Which should stand there.
        at: u64,
    },
    /// Links were written anew.
    #[error("links up to {upto} of the access log are not those that were signed: written anew{}",
        .vouched.map(|seq| format!(" after link {seq}")).unwrap_or_default())]
    Rewritten {
        /// The last that is as it was signed.
        vouched: Option<u64>,
        /// The one whose checkpoint tells.
        upto: u64,
    },
    /// A newer version wrote it.
    #[error("a newer version wrote link {seq} of the access log: update kith here")]
    Newer {
        /// Which.
        seq: u64,
    },
    /// Another device's.
    #[error("the access log is that of another device")]
    OtherDevice,
    /// A checkpoint from a witness.
    #[error("checkpoint {index} is none of this device's")]
    Witness {
        /// Which of those given, from 0.
        index: usize,
        /// Why.
        source: SignatureError,
    },
}

/// Checks the access log of `device`, oldest link first, against the checkpoints in it and those
/// that witnesses kept.
///
/// A link is named as changed when the links around it still hang together without it. Whoever
/// rewrites all links from one on is found at the first checkpoint after.
pub fn verify<L: AsRef<[u8]>>(
    links: impl IntoIterator<Item = L>,
    witnessed: &[Vec<u8>],
    device: DeviceId,
) -> Result<Audited, AuditError> {
    let mut walk = Walk {
        links: links.into_iter(),
        device,
        witnessed: heads(witnessed, device)?,
        before: None,
        vouched: None,
        checkpoint: 0,
        disclosures: 0,
    };
    while walk.step()? {}
    walk.end()
}

fn heads(witnessed: &[Vec<u8>], device: DeviceId) -> Result<Vec<AuditHead>, AuditError> {
    let read = |(index, signed): (usize, &Vec<u8>)| {
        Checkpoint::read(signed, device)
            .map(|checkpoint| checkpoint.head)
            .map_err(|source| AuditError::Witness { index, source })
    };
    witnessed.iter().enumerate().map(read).collect()
}

struct Walk<I> {
    links: I,
    device: DeviceId,
    witnessed: Vec<AuditHead>,
    before: Option<AuditHead>,
    vouched: Option<u64>,
    checkpoint: u64,
    disclosures: u64,
}

impl<L: AsRef<[u8]>, I: Iterator<Item = L>> Walk<I> {
    /// Checks the next link; `false` at the end.
    fn step(&mut self) -> Result<bool, AuditError> {
        let Some(bytes) = self.links.next() else {
            return Ok(false);
        };
        let at = self.before.map_or(0, |before| before.seq + 1);
        let bytes = bytes.as_ref();
        let id = link_id(bytes);
        let Some(entry) = read(bytes) else {
            return Err(self.unless_changed(at, id, AuditError::Newer { seq: at }));
        };
        let follows = entry.prev == self.before.map(|before| before.id);
        match (entry.seq == at, follows) {
            (true, true) => {}
            (false, true) => return Err(AuditError::Changed { seq: at }),
            (true, false) => return Err(self.one_was_changed(at, id)),
            (false, false) => return Err(self.out_of_place(at, entry.seq)),
        }
        self.heed(&entry, id)?;
        self.before = Some(AuditHead { seq: at, id });
        self.compare_with_witnesses(at, id)?;
        Ok(true)
    }

    fn heed(&mut self, entry: &AuditEntry, id: AuditLinkId) -> Result<(), AuditError> {
        let seq = entry.seq;
        if entry.version != AUDIT_VERSION {
            return Err(self.unless_changed(seq, id, AuditError::Newer { seq }));
        }
        match (&entry.what, self.before) {
            (What::Begun { device, .. }, None) if *device == self.device => Ok(()),
            (What::Begun { .. }, None) => {
                Err(self.unless_changed(seq, id, AuditError::OtherDevice))
            }
            (What::Disclosure(_), Some(_)) => {
                self.disclosures += 1;
                Ok(())
            }
            (What::Checkpoint { signed }, Some(before)) => {
                let checkpoint = Checkpoint::read(signed, self.device)
                    .map_err(|_| AuditError::Changed { seq })?;
                if checkpoint.head != before {
                    return Err(self.rewritten(before.seq));
                }
                self.vouched = Some(before.seq);
                self.checkpoint = seq;
                Ok(())
            }
            (What::Begun { .. }, Some(_))
            | (What::Disclosure(_) | What::Checkpoint { .. }, None) => {
                Err(AuditError::Changed { seq })
            }
        }
    }

    fn compare_with_witnesses(&mut self, at: u64, id: AuditLinkId) -> Result<(), AuditError> {
        let heads = self.witnessed.iter().filter(|head| head.seq == at);
        let ids: Vec<_> = heads.map(|head| head.id).collect();
        if let Some(signed) = ids.iter().find(|signed| **signed != id) {
            return Err(self.not_as_signed(at, *signed));
        }
        if !ids.is_empty() {
            self.vouched = Some(at);
        }
        Ok(())
    }

    /// Link `at` is not the one that was `signed`, though it hangs on the one before: what the
    /// next link says of that.
    fn not_as_signed(&mut self, at: u64, signed: AuditLinkId) -> AuditError {
        let Some(next) = self.links.next() else {
            return self.rewritten(at);
        };
        let next = next.as_ref();
        if link_id(next) == signed {
            AuditError::Twice { seq: at }
        } else if read(next).is_some_and(|next| next.prev == Some(signed)) {
            AuditError::Changed { seq: at }
        } else {
            self.rewritten(at)
        }
    }

    /// `error`, where the next link names this one and so shows that it was not changed.
    fn unless_changed(&mut self, seq: u64, id: AuditLinkId, error: AuditError) -> AuditError {
        let next = self.links.next().and_then(|bytes| read(bytes.as_ref()));
        if next.is_some_and(|next| next.prev == Some(id)) {
            error
        } else {
            AuditError::Changed { seq }
        }
    }

    const fn rewritten(&self, upto: u64) -> AuditError {
        AuditError::Rewritten {
            vouched: self.vouched,
            upto,
        }
    }

    /// The link at `at` has the right number and names another link as the one before: which of
    /// the two was changed, by what comes after them.
    fn one_was_changed(&mut self, at: u64, id: AuditLinkId) -> AuditError {
        let Some(earlier) = at.checked_sub(1) else {
            return AuditError::Changed { seq: at };
        };
        let is_vouched = self.vouched == Some(earlier);
        let is_witnessed = |head: &AuditHead| head.id == id;
        let next = self.links.next().map(|bytes| read(bytes.as_ref()));
        let seq = match next {
            _ if is_vouched => at,
            Some(Some(next)) if next.prev == Some(id) => earlier,
            Some(_) => at,
            None if self.witnessed.iter().any(is_witnessed) => earlier,
            None => return AuditError::OneOfTwo { later: at },
        };
        AuditError::Changed { seq }
    }

    /// Neither number nor predecessor fit at `at`: what was done to bring `seq` there.
    fn out_of_place(&mut self, at: u64, seq: u64) -> AuditError {
        let is_at = |bytes: L| read(bytes.as_ref()).is_some_and(|entry| entry.seq == at);
        if seq.checked_add(1) == Some(at) {
            AuditError::Twice { seq }
        } else if seq < at || self.links.any(is_at) {
            AuditError::Moved { seq, at }
        } else {
            AuditError::Missing { seq: at }
        }
    }

    fn end(self) -> Result<Audited, AuditError> {
        let missing = |seq| AuditError::Missing { seq };
        let head = match (self.before, self.witnessed.is_empty()) {
            (Some(head), _) => head,
            (None, true) => return Err(AuditError::Empty),
            (None, false) => return Err(missing(0)),
        };
        if self.witnessed.iter().any(|witness| witness.seq > head.seq) {
            return Err(missing(head.seq + 1));
        }
        Ok(Audited {
            chain: AuditChain {
                device: self.device,
                head,
                checkpoint: self.checkpoint,
            },
            disclosures: self.disclosures,
            vouched: self.vouched,
        })
    }
}

fn read(bytes: &[u8]) -> Option<AuditEntry> {
    if bytes.len() > AUDIT_LINK_LEN_MAX {
        return None;
    }
    codec::decode(bytes).ok()
}
