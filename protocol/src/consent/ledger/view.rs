//! The rule applied to a causally closed set of events: which revocations are effective, and what
//! they hit. Everything is worked out when it is asked for, from the top downward, and kept.

mod coverage;
mod states;

use std::{collections::BTreeMap, sync::Arc};

use kith_crdt::Label;

pub(super) use self::states::Group;
use super::{
    authority::{Acting, At, Authority, Chain},
    need::{Coverage, Hit, Need},
    past::Past,
};
use crate::{
    consent::status::Cause,
    id::EventId,
    logs::{Act, CoreAct, PrincipalAct, record::Link},
    planted::{self, Planted},
};

/// The rank of a custodian's lapse: below every issuer.
pub(super) const CUSTODIAN: u32 = u32::MAX;

/// A view, memoised.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    set: Past,
    states: BTreeMap<At, State>,
    grants: BTreeMap<At, Arc<Need>>,
    ordinary: BTreeMap<At, Option<Cause>>,
}

/// What becomes of a revocation or lapse (B2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It no longer stands.
    Void,
    /// It waits for the word of someone upstream.
    Suspended,
    /// It is effective.
    Standing,
}

impl View {
    pub(super) fn new(set: Past) -> Self {
        Self {
            set,
            ..Self::default()
        }
    }

    pub(super) fn holds(&self, at: At) -> bool {
        self.set.contains(at)
    }

    /// What something written on this authority needs.
    pub(super) fn need(&mut self, a: &Authority, chain: &Chain) -> Arc<Need> {
        if chain.acting == Acting::Quorum {
            return Need::clear();
        }
        let actor = self.actor(a, chain, &[], &[]);
        let acting = match &chain.acting {
            Acting::Own | Acting::Quorum => Need::clear(),
            Acting::Root(certs) => self.any_root(a, certs, &[]),
            Acting::Grant(grant) => self.grant(a, *grant),
        };
        Need::all([actor, acting])
    }

    /// What is uncovered of an event that is no revocation: a certificate, a policy, a renouncing.
    pub(super) fn ordinary(&mut self, a: &Authority, at: At) -> Option<Cause> {
        if let Some(known) = self.ordinary.get(&at) {
            return *known;
        }
        let chain = a.standing(at)?.chain.clone();
        let need = self.need(a, &chain);
        let cause = need.weigh(&|at| a.id(at), &mut |rev| a.covers(rev, at));
        self.ordinary.insert(at, cause);
        cause
    }

    /// What hits whoever acts under a grant, by the grants up to a controller.
    pub(super) fn grant(&mut self, a: &Authority, grant: At) -> Arc<Need> {
        if let Some(need) = self.grants.get(&grant) {
            return Arc::clone(need);
        }
        let lineage = a
            .right(grant)
            .map(|right| right.lineage.clone())
            .unwrap_or_default();
        let mut needs = Vec::new();
        let upto = match planted::is(Planted::StoppedAboveServed) {
            true => 1,
            false => lineage.len(),
        };
        for (height, link) in lineage.iter().take(upto).enumerate() {
            let ids: Vec<_> = lineage[..=height].iter().map(|at| a.id(*at)).collect();
            needs.push(self.revoked_grant(a, *link, &ids[..height]));
            if let Some(standing) = a.standing(*link) {
                needs.push(self.actor(a, &standing.chain, &[*link], &ids));
                if let Acting::Root(certs) = &standing.chain.acting {
                    needs.push(self.any_root(a, certs, &ids));
                }
            }
        }
        let need = Need::all(needs);
        self.grants.insert(grant, Arc::clone(&need));
        need
    }

    /// What hits an entry written on this authority because a right had ended. It hits neither
    /// revocations nor lapses, and so is worked out apart from [`View::need`].
    pub(super) fn lapses(&mut self, a: &Authority, chain: &Chain) -> Arc<Need> {
        let Acting::Grant(grant) = chain.acting else {
            return Need::clear();
        };
        if planted::is(Planted::LapseIgnored) {
            return Need::clear();
        }
        let lineage = a.right(grant).map(|right| right.lineage.clone());
        let lapsed = |grant| self.lapsed_grant(a, grant);
        let needs: Vec<_> = lineage.into_iter().flatten().map(lapsed).collect();
        Need::all(needs)
    }

    fn revoked_grant(&mut self, a: &Authority, grant: At, below: &[EventId]) -> Arc<Need> {
        let link = Link::Grant(a.id(grant));
        let labels = a.right(grant).map(|right| right.labels.clone());
        let label = |label: Label| a.targets.revokes.get(&(label, link));
        let revokes: Vec<_> = labels.into_iter().flatten().filter_map(label).collect();
        let revokes: Vec<_> = revokes.into_iter().flatten().copied().collect();
        let group = self.group(a, &revokes);
        Need::hit(group.hit(a, below, &[]))
    }

    fn lapsed_grant(&mut self, a: &Authority, grant: At) -> Arc<Need> {
        let lapses = a.targets.lapses.get(&grant).cloned().unwrap_or_default();
        let group = self.group(a, &lapses);
        let authors = group.standing.iter().map(|at| a.event(*at).author);
        let agreed = group.standing.iter().any(|at| is_upstream(a, *at))
            || authors.collect::<std::collections::BTreeSet<_>>().len() > 1;
        let (hitting, mut suspended) = if agreed {
            (group.standing, Vec::new())
        } else {
            (Vec::new(), group.standing)
        };
        suspended.extend(group.suspended);
        Need::hit(Hit {
            covering: hitting.clone(),
            hitting,
            suspended,
            lapse: true,
            unsure: false,
        })
    }

    fn any_root(&mut self, a: &Authority, certs: &[At], grants: &[EventId]) -> Arc<Need> {
        let needs: Vec<_> = certs
            .iter()
            .map(|cert| self.root(a, *cert, grants))
            .collect();
        Need::any(needs)
    }

    /// What hits a controller: recoveries that came after, and the fate of whoever made it one.
    fn root(&mut self, a: &Authority, cert: At, grants: &[EventId]) -> Arc<Need> {
        let after = |recover: &At| *recover != cert && !a.saw(cert, *recover);
        let recovers: Vec<_> = self.recoveries(a).into_iter().filter(after).collect();
        let group = Group {
            standing: recovers,
            suspended: Vec::new(),
        };
        let recovered = Need::hit(group.hit(a, grants, &[]));
        let begun = matches!(
            a.event(cert).act,
            Act::Core(CoreAct::Genesis { .. } | CoreAct::Recover { .. })
        );
        let Some(standing) = a.standing(cert).filter(|_| !begun) else {
            return recovered;
        };
        let actor = self.actor(a, &standing.chain, &[cert], grants);
        let above = match &standing.chain.acting {
            Acting::Root(certs) => {
                let others: Vec<_> = certs.iter().copied().filter(|at| *at != cert).collect();
                self.any_root(a, &others, grants)
            }
            Acting::Own | Acting::Grant(_) | Acting::Quorum => Need::clear(),
        };
        Need::all([recovered, actor, above])
    }

    /// What is against someone being a controller by this event.
    pub(super) fn controller(&mut self, a: &Authority, cert: At) -> Option<Cause> {
        let need = self.root(a, cert, &[]);
        need.weigh(&|at| a.id(at), &mut |_| Coverage::Uncovered)
    }

    /// The recoveries that no later one has seen.
    pub(super) fn recoveries(&self, a: &Authority) -> Vec<At> {
        let held = || a.targets.recovers.iter().filter(|at| self.holds(**at));
        let last = |at: &&At| !held().any(|later| a.saw(*later, **at));
        held().filter(last).copied().collect()
    }

    /// What hits whoever signed: its devices and staff. `links` are events of a chain that it
    /// signed, `grants` those of the chain up to there.
    fn actor(
        &mut self,
        a: &Authority,
        chain: &Chain,
        links: &[At],
        grants: &[EventId],
    ) -> Arc<Need> {
        if chain.acting == Acting::Quorum {
            return Need::clear();
        }
        let mut needs = Vec::new();
        let devices: Vec<_> = chain
            .device_certs
            .iter()
            .map(|cert| self.certificate(a, *cert, links))
            .collect();
        needs.push(Need::any(devices));
        let staff: Vec<_> = chain
            .staff_certs
            .iter()
            .map(|cert| self.certificate(a, *cert, links))
            .collect();
        needs.push(Need::any(staff));
        if chain.by_root_key {
            needs.push(self.root_key(a, chain, links));
        }
        needs.push(self.stopped_upstream(a, chain, Link::Device(chain.device), links, grants));
        if let Some(staff) = chain.staff {
            needs.push(self.stopped_upstream(a, chain, Link::Staff(staff), links, grants));
        }
        Need::all(needs)
    }

    /// Retirements of a device or ends of a member of staff by this certificate, and what becomes
    /// of the device that added it.
    fn certificate(&mut self, a: &Authority, cert: At, links: &[At]) -> Arc<Need> {
        let ends: Vec<_> = ends_of(a, cert)
            .into_iter()
            .filter(|end| !a.saw(cert, *end) && may_end(a, *end, cert))
            .collect();
        let group = self.group(a, &ends);
        let ended = Need::hit(group.hit(a, &[], links));
        let Some(standing) = a.standing(cert) else {
            return ended;
        };
        let chain = standing.chain.clone();
        let mut above = links.to_vec();
        above.push(cert);
        let parents: Vec<_> = chain
            .device_certs
            .iter()
            .map(|parent| self.certificate(a, *parent, &above))
            .collect();
        let root_key = if chain.by_root_key {
            self.root_key(a, &chain, &above)
        } else {
            Need::clear()
        };
        Need::all([ended, Need::any(parents), root_key])
    }

    /// A lost root key that the quorum replaced.
    fn root_key(&mut self, a: &Authority, chain: &Chain, links: &[At]) -> Arc<Need> {
        let changes = a.targets.key_changes.get(&chain.principal);
        let changes: Vec<_> = changes.into_iter().flatten().copied().collect();
        let makes_it_root = |at: &At| {
            let act = &a.event(*at).act;
            matches!(act, Act::Principal(PrincipalAct::KeyChange { key, .. }) if key == chain.device.as_bytes())
        };
        // What came before the key itself did not replace it.
        let made: Vec<_> = changes.iter().copied().filter(makes_it_root).collect();
        let hits = |at: &At| match &a.event(*at).act {
            Act::Principal(PrincipalAct::KeyChange { key, approvals, .. }) => {
                !approvals.is_empty()
                    && key != chain.device.as_bytes()
                    && !made.iter().chain(links).any(|later| a.saw(*later, *at))
            }
            Act::Principal(_) | Act::Core(_) | Act::Label(_) => false,
        };
        let changes: Vec<_> = changes.into_iter().filter(hits).collect();
        let group = self.group(a, &changes);
        Need::hit(group.hit(a, &[], links))
    }

    /// Revocations of a device or member of staff by someone further up the chain of grants.
    fn stopped_upstream(
        &mut self,
        a: &Authority,
        chain: &Chain,
        link: Link,
        links: &[At],
        grants: &[EventId],
    ) -> Arc<Need> {
        let Acting::Grant(grant) = chain.acting else {
            return Need::clear();
        };
        let labels: Vec<_> = match (&chain.label, a.right(grant)) {
            (Some(label), _) => vec![label.clone()],
            (None, Some(right)) => right.labels.clone(),
            (None, None) => Vec::new(),
        };
        let revokes = labels
            .into_iter()
            .filter_map(|label| a.targets.revokes.get(&(label, link)))
            .flatten()
            .copied();
        let above: Vec<_> = revokes.filter(|at| is_above(a, *at, grant)).collect();
        let mut own = grants.to_vec();
        if links.is_empty() {
            own.extend(
                a.right(grant)
                    .iter()
                    .flat_map(|right| &right.lineage)
                    .map(|at| a.id(*at)),
            );
        }
        let group = self.group(a, &above);
        Need::hit(group.hit(a, &own, links))
    }
}

/// The retirements or ends that name what a certificate certifies.
fn ends_of(a: &Authority, cert: At) -> Vec<At> {
    let event = a.event(cert);
    let ends = match &event.act {
        Act::Principal(PrincipalAct::DeviceAdd { device, .. }) => {
            a.targets.device_ends.get(&(event.author, *device))
        }
        Act::Principal(PrincipalAct::StaffAdd { staff, .. }) => {
            a.targets.staff_ends.get(&(event.author, *staff))
        }
        Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
    };
    ends.cloned().unwrap_or_default()
}

/// Whether the signer of a retirement stands above a certificate in the tree of devices.
pub(super) fn may_end(a: &Authority, end: At, cert: At) -> bool {
    a.standing(end)
        .is_some_and(|standing| signer_is_above(a, &standing.chain, cert))
}

/// Whether a signer added this certificate, or stands above whoever did.
pub(super) fn signer_is_above(a: &Authority, signer: &Chain, cert: At) -> bool {
    let Some(standing) = a.standing(cert) else {
        return false;
    };
    let chain = &standing.chain;
    signer.by_root_key
        || chain.device == signer.device
        || chain
            .device_certs
            .iter()
            .any(|parent| signer_is_above(a, signer, *parent))
}

fn is_upstream(a: &Authority, lapse: At) -> bool {
    a.standing(lapse)
        .is_some_and(|standing| standing.rank != CUSTODIAN)
}

/// Whether a revocation's issuer acted strictly above this grant.
fn is_above(a: &Authority, revoke: At, grant: At) -> bool {
    let Some(standing) = a.standing(revoke) else {
        return false;
    };
    match &standing.chain.acting {
        Acting::Root(_) => true,
        Acting::Grant(above) => {
            *above != grant
                && a.right(grant)
                    .is_some_and(|right| right.lineage.contains(above))
        }
        Acting::Own | Acting::Quorum => false,
    }
}
