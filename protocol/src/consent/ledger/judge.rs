//! Whether an event is well formed in its own past (A): judged once, from what its author had
//! seen, and never again.

mod core_log;
mod label_log;
mod principal_log;
mod signer;

use kith_crdt::Label;

use self::{core_log::core_act, label_log::label_act, principal_log::principal_act};
pub(super) use self::{
    core_log::policies,
    label_log::may_revoke,
    signer::{acting, controls, renounced, signer, staff_may},
};
use super::{
    authority::{At, Authority, Chain, Standing},
    past::Past,
};
use crate::{
    consent::status::Fault,
    id::{EventId, PrincipalId},
    logs::{Act, LogId, PrincipalAct, principal::RecoverySet},
};

/// The latest recovery sets of the record that count in this past.
pub(super) fn recovery_sets(a: &mut Authority, past: &Past) -> Vec<RecoverySet> {
    core_log::recovery_sets(a, None, past)
}

/// Judges an event whose named events are all valid.
pub(super) fn event(a: &mut Authority, at: At, past: &Past) -> Result<Standing, Fault> {
    place(a, at)?;
    link(a, at)?;
    if !a.known[at].sound {
        return Err(Fault::Proof);
    }
    begun(a, at, past)?;
    let standing = act(a, at, past)?;
    unhit(a, past, &standing.chain)?;
    Ok(standing)
}

/// The frontiers name heads of the logs that they say, of this record and this author.
fn place(a: &Authority, at: At) -> Result<(), Fault> {
    let event = a.event(at);
    let own = match &event.log {
        LogId::Principal(_) => event.frontiers.core.is_empty() && event.frontiers.label.is_empty(),
        LogId::Core(None) => event.frontiers.core.is_empty() && event.frontiers.label.is_empty(),
        LogId::Core(Some(record)) => *record == a.record && event.frontiers.label.is_empty(),
        LogId::Label(record, _) => *record == a.record,
    };
    let label = match &event.log {
        LogId::Label(_, label) => Some(label),
        LogId::Principal(_) | LogId::Core(_) => None,
    };
    if own && frontiers_fit(a, &event.frontiers, event.author, label) {
        Ok(())
    } else {
        Err(Fault::Elsewhere)
    }
}

/// Whether every head stands in the log that it is said to stand in.
pub(super) fn frontiers_fit(
    a: &Authority,
    frontiers: &crate::logs::Frontiers,
    author: PrincipalId,
    label: Option<&Label>,
) -> bool {
    let log = |id: &EventId| a.at(id).map(|at| &a.event(at).log);
    let core = |id: &EventId| matches!(log(id), Some(LogId::Core(_)));
    let in_label = |id: &EventId| matches!((log(id), label), (Some(LogId::Label(_, of)), Some(label)) if of == label);
    let own = |id: &EventId| matches!(log(id), Some(LogId::Principal(of)) if *of == author);
    frontiers.core.iter().all(core)
        && frontiers.label.iter().all(in_label)
        && frontiers.principal.iter().all(own)
}

fn link(a: &Authority, at: At) -> Result<(), Fault> {
    let event = a.event(at);
    let fits = match event.prev.and_then(|id| a.at(&id)) {
        None => event.seq == 0,
        Some(prev) => {
            let prev = a.event(prev);
            let log = prev.log == event.log
                || (prev.log == LogId::Core(None) && event.log == LogId::Core(Some(a.record)));
            log && prev.device == event.device && prev.seq.checked_add(1) == Some(event.seq)
        }
    };
    fits.then_some(()).ok_or(Fault::Chain)
}

/// Everything in a record follows its Genesis, everything of a principal its Begin.
fn begun(a: &Authority, at: At, past: &Past) -> Result<(), Fault> {
    let event = a.event(at);
    let genesis = EventId::from_bytes(*a.record.as_bytes());
    let fits = match &event.log {
        LogId::Principal(_) => {
            let begins = matches!(event.act, Act::Principal(PrincipalAct::Begin { .. }));
            begins == (past.iter().next().is_none())
        }
        LogId::Core(None) => a.id(at) == genesis,
        LogId::Core(Some(_)) | LogId::Label(..) => {
            a.at(&genesis).is_some_and(|genesis| past.contains(genesis))
        }
    };
    fits.then_some(()).ok_or(Fault::Elsewhere)
}

/// No revocation that is effective in the author's view hits the author's chain.
pub(super) fn unhit(a: &mut Authority, past: &Past, chain: &Chain) -> Result<(), Fault> {
    use super::need::Coverage;
    use crate::consent::status::Cause;
    let cause = a.in_view(past, |view, a| {
        let need = view.need(a, chain);
        need.weigh(&|at| a.id(at), &mut |_| Coverage::Uncovered)
    });
    match cause {
        Some(Cause::Revoked(by)) => Err(Fault::Revoked(by)),
        Some(
            Cause::AfterEnd
            | Cause::PartMissing(_)
            | Cause::LapseAlone(_)
            | Cause::Suspended(_)
            | Cause::Ancestor
            | Cause::Lapsed(_)
            | Cause::Orphan(_),
        )
        | None => Ok(()),
    }
}

fn act(a: &mut Authority, at: At, past: &Past) -> Result<Standing, Fault> {
    let event = a.known[at].event.clone();
    let event = event.value();
    match &event.act {
        Act::Principal(act) => principal_act(a, at, event, act, past),
        Act::Core(act) => core_act(a, at, event, act, past),
        Act::Label(act) => label_act(a, event, act, at, past),
    }
}
