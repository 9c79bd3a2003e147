//! What it takes to say of a stop that waits that it does not hold.

use std::collections::BTreeSet;

use kith_crdt::Label;

use super::{
    Ledger, ReviewItem,
    authority::{Acting, At, Authority, Chain},
};
use crate::{
    consent::cut::CutTree,
    id::{DeviceId, EventId, PrincipalId, StaffId},
    logs::{
        Act, LabelAct, PrincipalAct,
        record::{Link, Revoke},
    },
};

/// How stops that wait are voided: by an event that hits whoever signed them and names them. All
/// that wait for the same are voided together: any that such an event has seen and does not name
/// would stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voiding {
    /// By whoever stands above, in a label's log.
    Stop {
        /// The label.
        label: Label,
        /// What is signed: it keeps what those that it replaces kept.
        revoke: Revoke,
        /// Its cut.
        cut: CutTree,
    },
    /// By the principal whose device or member of staff was ended, by ending it once more.
    End {
        /// Whose it is.
        principal: PrincipalId,
        /// What was ended.
        ended: Ended,
        /// The stops, ascending.
        stops: Vec<EventId>,
    },
    /// By those who may recover the record.
    Recovery {
        /// The stops, ascending.
        stops: Vec<EventId>,
    },
}

/// Something that a principal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A device.
    Device(DeviceId),
    /// A member of staff.
    Staff(StaffId),
}

/// What a stop waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Above(Label, Link),
    End(PrincipalId, Ended),
    Recovery,
}

impl Ledger {
    /// How `by` can say of a stop that waits that it does not hold; nothing where it does not wait.
    pub fn voiding(&mut self, waiting: EventId, by: PrincipalId) -> Option<Voiding> {
        let way = self.way(waiting, by)?;
        let all = self.suspended().into_iter().filter_map(|item| match item {
            ReviewItem::Suspended { revocation, .. } => Some(revocation),
            ReviewItem::ForkedLog { .. }
            | ReviewItem::Forked { .. }
            | ReviewItem::Contested { .. }
            | ReviewItem::Marked { .. } => None,
        });
        let all: Vec<_> = all.collect();
        let mut stops = Vec::new();
        for stop in all {
            if self.way(stop, by).as_ref() == Some(&way) {
                stops.push(stop);
            }
        }
        stops.sort_unstable();
        Some(match way {
            Way::Above(label, link) => self.stopping_again(label, link, stops),
            Way::End(principal, ended) => Voiding::End {
                principal,
                ended,
                stops,
            },
            Way::Recovery => Voiding::Recovery { stops },
        })
    }

    fn way(&mut self, waiting: EventId, by: PrincipalId) -> Option<Way> {
        let at = self.authority.at(&waiting)?;
        let chain = self.authority.standing(at)?.chain.clone();
        let upstream = match (&chain.label, &chain.acting) {
            (Some(label), Acting::Grant(grant)) => Some((label.clone(), *grant)),
            (_, Acting::Own | Acting::Root(_) | Acting::Quorum) | (None, Acting::Grant(_)) => None,
        };
        if let Some((label, grant)) = &upstream
            && let Some(link) = self.stopped_share(label, *grant)
        {
            return Some(Way::Above(label.clone(), link));
        }
        match (ended(&self.authority, &chain), upstream) {
            (Some(ended), _) if chain.principal == by => Some(Way::End(by, ended)),
            (Some(ended), Some((label, _))) => {
                // From above it is the very signer that is stopped.
                let link = match ended {
                    Ended::Staff(staff) => Link::Staff(staff),
                    Ended::Device(_) => Link::Device(chain.device),
                };
                Some(Way::Above(label, link))
            }
            (Some(ended), None) => Some(Way::End(chain.principal, ended)),
            (None, _) => {
                let recovered = !self.authority.targets.recovers.is_empty();
                recovered.then_some(Way::Recovery)
            }
        }
    }

    /// The share above which somebody stopped, where one was.
    fn stopped_share(&mut self, label: &Label, grant: At) -> Option<Link> {
        let lineage = self.authority.right(grant)?.lineage.clone();
        let links: Vec<_> = lineage
            .iter()
            .map(|grant| Link::Grant(self.authority.id(*grant)))
            .collect();
        let mut links = links.into_iter();
        links.find(|link| !self.standing_on(label, *link).is_empty())
    }

    fn standing_on(&mut self, label: &Label, link: Link) -> Vec<At> {
        self.authority.in_present_view(|view, a| {
            let revokes = a.targets.revokes.get(&(label.clone(), link));
            let revokes = revokes.cloned().unwrap_or_default();
            view.group(a, &revokes).standing
        })
    }

    /// What takes the place of the revocations of a link, keeps what they kept, and says that the
    /// waiting ones do not hold.
    fn stopping_again(&mut self, label: Label, link: Link, void: Vec<EventId>) -> Voiding {
        let stopping = self.standing_on(&label, link);
        let keep = stopping.iter().filter_map(|at| {
            match &self.authority.event(self.authority.source(*at)).act {
                Act::Label(LabelAct::Revoke(revoke)) => Some(revoke.keep.clone()),
                Act::Label(_) | Act::Core(_) | Act::Principal(_) => None,
            }
        });
        let keep: BTreeSet<EventId> = keep.flatten().collect();
        let cut = CutTree::new(self.keep_until(link, u64::MAX, &void));
        let revoke = Revoke {
            link,
            cut: cut.cut(),
            keep: keep.into_iter().collect(),
            void,
            is_final: false,
        };
        Voiding::Stop { label, revoke, cut }
    }
}

/// The member of staff or the device of a signer that was ended: the signer itself, or a device
/// that it hangs on.
fn ended(a: &Authority, chain: &Chain) -> Option<Ended> {
    let author = chain.principal;
    if let Some(staff) = chain.staff
        && a.targets.staff_ends.contains_key(&(author, staff))
    {
        return Some(Ended::Staff(staff));
    }
    let (mut seen, mut next) = (BTreeSet::new(), chain.device_certs.clone());
    while let Some(cert) = next.pop() {
        if let Act::Principal(PrincipalAct::DeviceAdd { device, .. }) = &a.event(cert).act
            && a.targets.device_ends.contains_key(&(author, *device))
        {
            return Some(Ended::Device(*device));
        }
        let above = a
            .standing(cert)
            .map(|standing| &standing.chain.device_certs);
        let above = above.into_iter().flatten().copied();
        next.extend(above.filter(|cert| seen.insert(*cert)));
    }
    None
}
