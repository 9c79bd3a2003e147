//! On what authority an entry stands, and until when.

use kith_crdt::DocumentId;

use super::{
    super::{
        authority::{Acting, At, Authority, Chain},
        judge,
        past::Past,
    },
    Basis,
};
use crate::{
    consent::{grant::Actions, status::Fault},
    envelope::Header,
    id::EventId,
    logs::{Act, PrincipalAct, record::Capacity},
    planted::{self, Planted},
};

/// Everything that these heads name, themselves included.
pub(in crate::consent::ledger) fn closure<'a>(
    a: &Authority,
    heads: impl Iterator<Item = &'a EventId>,
) -> Past {
    let mut past = Past::default();
    for at in heads.filter_map(|id| a.at(id)) {
        past.insert(at);
        if let Some(before) = a.past(at) {
            past.unite(before);
        }
    }
    past
}

/// On what an entry stands: its author's chain, valid and unhit in what it had seen.
pub(super) fn basis(a: &mut Authority, header: &Header, seen: &Past) -> Result<Basis, Fault> {
    let mut named = header.frontiers.iter().chain(&header.grant);
    if named.any(|id| a.at(id).is_none_or(|at| a.standing(at).is_none())) {
        return Err(Fault::BuildsOnFault);
    }
    let label = &header.document.label;
    let signer = judge::signer(a, header.author, header.device, header.staff, seen)?;
    let acting = judge::acting(a, header.author, header.grant, label, seen)?;
    let chain = signer.acting(acting, Some(label.clone()));
    judge::unhit(a, seen, &chain)?;
    Ok(Basis {
        until_ms: until(a, &chain),
        late: late(a, &chain),
        chain,
    })
}

fn late(a: &Authority, chain: &Chain) -> bool {
    match chain.acting {
        Acting::Grant(grant) => a.right(grant).is_some_and(|right| right.late),
        Acting::Root(_) | Acting::Own | Acting::Quorum => false,
    }
}

/// When a right ends: the share, the time of the member of staff, or of whoever acts for someone.
pub(in crate::consent::ledger) fn until(a: &Authority, chain: &Chain) -> Option<u64> {
    let staff = ends(
        chain
            .staff_certs
            .iter()
            .map(|cert| match &a.event(*cert).act {
                Act::Principal(PrincipalAct::StaffAdd { until_ms, .. }) => *until_ms,
                Act::Principal(_) | Act::Core(_) | Act::Label(_) => None,
            }),
    );
    let acting = match &chain.acting {
        Acting::Grant(grant) => a.right(*grant).and_then(|right| right.until_ms),
        Acting::Root(certs) => ends(certs.iter().map(|cert| acting_until(a, *cert))),
        Acting::Own | Acting::Quorum => None,
    };
    match (staff, acting) {
        (Some(staff), Some(acting)) => Some(staff.min(acting)),
        (staff, acting) => staff.or(acting),
    }
}

/// The latest end of several certificates; none where one has none.
fn ends(all: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let all: Option<Vec<_>> = all.collect();
    all?.into_iter().max()
}

fn acting_until(a: &Authority, cert: At) -> Option<u64> {
    use crate::logs::{CoreAct, record::Control};
    match &a.event(cert).act {
        Act::Core(CoreAct::Control(
            Control::Add { capacity, .. } | Control::HandOver { capacity, .. },
        )) => match capacity {
            Capacity::ActingFor { until_ms, .. } => *until_ms,
            Capacity::Self_ | Capacity::Keeper => None,
        },
        Act::Core(_) | Act::Principal(_) | Act::Label(_) => None,
    }
}

/// Whether a chain allows an action in a document.
pub(in crate::consent::ledger) fn allows(
    a: &Authority,
    chain: &Chain,
    document: &DocumentId,
    action: Actions,
) -> bool {
    let right = match &chain.acting {
        Acting::Root(_) => true,
        Acting::Grant(grant) => a.right(*grant).is_some_and(|right| {
            right.actions.contains(action)
                && (right.sections.contains(&document.section)
                    || planted::is(Planted::SectionIgnored))
                && right.labels.contains(&document.label)
        }),
        Acting::Own | Acting::Quorum => false,
    };
    right && judge::staff_may(a, chain, action).is_ok()
}
