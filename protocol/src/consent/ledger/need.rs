//! What an entry or event needs to be clear: nothing may hit a link of its chain without covering
//! it.

use std::sync::Arc;

use super::authority::At;
use crate::consent::status::Cause;

/// A tree of hits on a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Every one must be clear.
    All(Vec<Arc<Need>>),
    /// One of several certificates is enough.
    Any(Vec<Arc<Need>>),
    /// One link is hit.
    Hit(Hit),
}

/// What hits one link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hit {
    /// Effective revocations or lapses that hit, ascending.
    pub(super) hitting: Vec<At>,
    /// Those of the link whose cuts unite, whether they hit this chain or keep it.
    pub(super) covering: Vec<At>,
    /// Suspended revocations, or the lapse of one custodian alone.
    pub(super) suspended: Vec<At>,
    /// Whether it is about a lapse.
    pub(super) lapse: bool,
    /// Whether it is not known yet if the link itself was covered.
    pub(super) unsure: bool,
}

/// What a cut says of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coverage {
    /// Above it, or on another branch.
    Uncovered,
    /// The part or the entry that it names is not held.
    Unknown,
    /// At or below it.
    Covered,
}

/// Which revocation it is, for people.
pub(super) type Names<'a> = &'a dyn Fn(At) -> crate::id::EventId;

impl Need {
    pub(super) fn clear() -> Arc<Self> {
        Arc::new(Self::All(Vec::new()))
    }

    pub(super) fn is_clear(&self) -> bool {
        match self {
            Self::All(needs) => needs.is_empty(),
            Self::Any(_) | Self::Hit(_) => false,
        }
    }

    pub(super) fn all(needs: impl IntoIterator<Item = Arc<Self>>) -> Arc<Self> {
        let needs: Vec<_> = needs.into_iter().filter(|need| !need.is_clear()).collect();
        match <[Arc<Self>; 1]>::try_from(needs) {
            Ok([need]) => need,
            Err(needs) => Arc::new(Self::All(needs)),
        }
    }

    /// One of these is enough; with none there is nothing to need.
    pub(super) fn any(needs: impl IntoIterator<Item = Arc<Self>>) -> Arc<Self> {
        let needs: Vec<_> = needs.into_iter().collect();
        if needs.iter().any(|need| need.is_clear()) {
            return Self::clear();
        }
        match <[Arc<Self>; 1]>::try_from(needs) {
            Ok([need]) => need,
            Err(needs) if needs.is_empty() => Self::clear(),
            Err(needs) => Arc::new(Self::Any(needs)),
        }
    }

    pub(super) fn hit(hit: Hit) -> Arc<Self> {
        if hit.hitting.is_empty() && hit.suspended.is_empty() {
            Self::clear()
        } else {
            Arc::new(Self::Hit(hit))
        }
    }

    /// The worst that remains uncovered.
    pub(super) fn weigh(
        &self,
        names: Names<'_>,
        cover: &mut dyn FnMut(At) -> Coverage,
    ) -> Option<Cause> {
        match self {
            Self::All(needs) => {
                let weigh = |need: &Arc<Self>| need.weigh(names, cover);
                needs.iter().map(weigh).max().flatten()
            }
            Self::Any(needs) => {
                let weigh = |need: &Arc<Self>| need.weigh(names, cover);
                needs.iter().map(weigh).min().flatten()
            }
            Self::Hit(hit) => hit.weigh(names, cover),
        }
    }

    /// Every hit, wherever it stands.
    pub(super) fn hits(&self) -> Vec<&Hit> {
        match self {
            Self::All(needs) | Self::Any(needs) => {
                needs.iter().flat_map(|need| need.hits()).collect()
            }
            Self::Hit(hit) => vec![hit],
        }
    }
}

impl Hit {
    fn weigh(&self, names: Names<'_>, cover: &mut dyn FnMut(At) -> Coverage) -> Option<Cause> {
        let hard = self.hard(names, cover);
        let soft = |at: &At| (cover(*at) != Coverage::Covered).then(|| names(*at));
        let suspended = self.suspended.iter().filter_map(soft).max();
        let soft = suspended.map(|id| {
            if self.lapse {
                Cause::LapseAlone(id)
            } else {
                Cause::Suspended(id)
            }
        });
        hard.max(soft)
    }

    fn hard(&self, names: Names<'_>, cover: &mut dyn FnMut(At) -> Coverage) -> Option<Cause> {
        let id = self.hitting.iter().map(|at| names(*at)).max()?;
        let best = self.covering.iter().map(|at| cover(*at)).max();
        match best.unwrap_or(Coverage::Uncovered) {
            Coverage::Covered => None,
            Coverage::Unknown => Some(Cause::PartMissing(id)),
            Coverage::Uncovered if self.unsure => Some(Cause::PartMissing(id)),
            Coverage::Uncovered if self.lapse => Some(Cause::Lapsed(id)),
            Coverage::Uncovered => Some(Cause::Revoked(id)),
        }
    }
}
