//! Who may read and write now, by this node's clock.

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Label, Section};

use super::{
    Ledger,
    authority::{Acting, At, Authority, Chain},
    entries::{allows, closure, until},
    judge,
    need::{Coverage, Need},
};
use crate::{
    consent::{
        decision::{Denial, Issuer, Reader, Whoever, Writer},
        grant::{Actions, Purposes},
        status::{Cause, Fault},
    },
    id::{EnvelopeId, EventId, PrincipalId},
    limits::CLOCK_SKEW_MS,
    logs::{Act, CoreAct, LabelAct, LogId},
    planted::{self, Planted},
};

/// What is asked.
struct Question<'a> {
    who: &'a Whoever,
    document: &'a DocumentId,
    actions: Actions,
    purpose: Purposes,
    now_ms: u64,
}

impl Ledger {
    /// Whether someone may read a document for a purpose, by this node's clock.
    pub fn decide_read(
        &mut self,
        who: &Whoever,
        document: &DocumentId,
        purpose: Purposes,
        now_ms: u64,
    ) -> Result<Reader, Denial> {
        let question = Question {
            who,
            document,
            actions: Actions::READ,
            purpose,
            now_ms,
        };
        self.decide(&question, |_, _| Ok(()))
    }

    /// Whether someone may read a document for care or, where not for that, in an emergency.
    pub fn decide_open(
        &mut self,
        who: &Whoever,
        document: &DocumentId,
        now_ms: u64,
    ) -> Result<Reader, Denial> {
        self.decide_read(who, document, Purposes::CARE, now_ms)
            .or_else(|denial| {
                self.decide_read(who, document, Purposes::EMERGENCY, now_ms)
                    .map_err(|_| denial)
            })
    }

    /// The sections of a label that someone may open now, ascending: those of which
    /// [`Self::decide_open`] says so, found out together, since only one of its steps asks for the
    /// section.
    pub fn sections_open(&mut self, who: &Whoever, label: &Label, now_ms: u64) -> Vec<Section> {
        let of = |section: Section| DocumentId::first(section, label.clone());
        let grants = self.grants_of(who.principal);
        let a = &mut self.authority;
        let past = a.valid.clone();
        let mut open = BTreeSet::new();
        for grant in std::iter::once(None).chain(grants.into_iter().map(Some)) {
            let Ok(chain) = chain_of(a, who, label, grant, &past) else {
                continue;
            };
            let may = |section: &Section| allows(a, &chain, &of(*section), Actions::READ);
            let allowed: Vec<_> = Section::ALL.into_iter().filter(may).collect();
            let Some(first) = allowed.first() else {
                continue;
            };
            let document = of(*first);
            let is_open = [Purposes::CARE, Purposes::EMERGENCY]
                .into_iter()
                .any(|purpose| {
                    let question = Question {
                        who,
                        document: &document,
                        actions: Actions::READ,
                        purpose,
                        now_ms,
                    };
                    a.allows_now(&question, grant).is_ok()
                });
            if is_open {
                open.extend(allowed);
            }
        }
        open.into_iter().collect()
    }

    /// Whether someone may write into a document for a purpose, by this node's clock, in such a
    /// way that what it writes now is clear everywhere.
    pub fn decide_write(
        &mut self,
        who: &Whoever,
        document: &DocumentId,
        action: Actions,
        purpose: Purposes,
        now_ms: u64,
    ) -> Result<Writer, Denial> {
        let question = Question {
            who,
            document,
            actions: action,
            purpose,
            now_ms,
        };
        let reader = self.decide(&question, |ledger, grant| {
            ledger.could_write(who, document, grant)
        })?;
        Ok(Writer { reader, action })
    }

    /// Whether someone may sign an act in a log of the record now, under a share or as a
    /// controller. What others have to sign beside it, and whether it makes sense, is for the rule
    /// to say of the event.
    pub fn decide_act(
        &mut self,
        who: &Whoever,
        label: Option<&Label>,
        grant: Option<EventId>,
        act: Act,
        now_ms: u64,
    ) -> Result<Issuer, Denial> {
        let log = match (label, &act) {
            (Some(label), Act::Label(_)) => LogId::Label(self.authority.record, label.clone()),
            (None, Act::Core(_)) => LogId::Core(Some(self.authority.record)),
            (Some(_), Act::Core(_) | Act::Principal(_))
            | (None, Act::Label(_) | Act::Principal(_)) => return Err(Denial::Scope),
        };
        self.admits_act(who)?;
        self.authority.allows_act(who, label, grant, &act, now_ms)?;
        Ok(Issuer {
            who: *who,
            log,
            grant,
            act,
        })
    }

    fn decide(
        &mut self,
        question: &Question<'_>,
        also: impl Fn(&mut Self, Option<EventId>) -> Result<(), Denial>,
    ) -> Result<Reader, Denial> {
        let mut denial = Denial::NothingShared;
        let grants = self.grants_of(question.who.principal);
        let candidates = std::iter::once(None).chain(grants.into_iter().map(Some));
        for grant in candidates {
            let allowed = self.authority.allows_now(question, grant);
            match allowed.and_then(|()| also(self, grant)) {
                Ok(()) => {
                    return Ok(Reader {
                        record: self.authority.record,
                        document: question.document.clone(),
                        who: *question.who,
                        grant,
                        purpose: question.purpose,
                    });
                }
                Err(why) => denial = denial.max(why),
            }
        }
        Err(denial)
    }

    fn grants_of(&self, principal: PrincipalId) -> Vec<EventId> {
        let a = &self.authority;
        let own = |at: &At| {
            a.right(*at)
                .is_some_and(|right| right.audience == principal)
        };
        let mut grants: Vec<_> = a.targets.grants.iter().copied().filter(own).collect();
        grants.sort_by_key(|at| a.id(*at));
        grants.into_iter().map(|at| a.id(at)).collect()
    }

    /// Whether an entry written now would be valid in what it cites.
    fn could_write(
        &mut self,
        who: &Whoever,
        document: &DocumentId,
        grant: Option<EventId>,
    ) -> Result<(), Denial> {
        let heads = self.heads(document);
        let frontiers = self.frontiers(&document.label, &who.principal);
        let mut past = closure(&self.authority, frontiers.iter().chain(&grant));
        self.entries.unite_pasts(&heads, &mut past);
        let chain = chain_of(&mut self.authority, who, &document.label, grant, &past)?;
        judge::unhit(&mut self.authority, &past, &chain).map_err(|fault| denied(&fault))
    }

    /// Whether an entry had seen a share of its document's part of the record with a principal: one
    /// who could have had what it builds on before it was written.
    pub fn saw_share_with(&self, entry: &EnvelopeId, principal: PrincipalId) -> bool {
        let Some(section) = self.header(entry).map(|header| header.document.section) else {
            return false;
        };
        let a = &self.authority;
        a.targets.grants.iter().any(|at| {
            let right = a.right(*at);
            right.is_some_and(|right| {
                right.audience == principal && right.sections.contains(&section)
            }) && self.entries.saw(entry, *at)
        })
    }
}

impl Authority {
    /// Whether the present view and the clock allow it under this grant, or as a controller.
    fn allows_now(&mut self, asked: &Question<'_>, grant: Option<EventId>) -> Result<(), Denial> {
        let past = self.valid.clone();
        let chain = chain_of(self, asked.who, &asked.document.label, grant, &past)?;
        let need = self.in_present_view(|view, a| view.need(a, &chain));
        self.unstopped(&need)?;
        if !allows(self, &chain, asked.document, asked.actions) {
            return Err(Denial::Scope);
        }
        let end = until(self, &chain);
        let is_over = end.is_some_and(|end| asked.now_ms.saturating_add(CLOCK_SKEW_MS) >= end);
        if is_over && !planted::is(Planted::ExpiredServed) {
            return Err(Denial::Ended);
        }
        let Acting::Grant(at) = chain.acting else {
            return Ok(());
        };
        let lapsed = self.in_present_view(|view, a| {
            let need = view.lapses(a, &chain);
            need.weigh(&|at| a.id(at), &mut |_| Coverage::Uncovered)
        });
        let right = self.right(at).ok_or(Denial::NothingShared)?;
        let is_early = asked.now_ms.saturating_add(CLOCK_SKEW_MS) < right.from_ms;
        if is_early && !planted::is(Planted::NotBegunServed) {
            Err(Denial::NotYet)
        } else if lapsed.is_some_and(Cause::is_hard) {
            Err(Denial::Ended)
        } else if !right.purposes.contains(asked.purpose) || !asked.purpose.is_one() {
            Err(Denial::Purpose)
        } else {
            Ok(())
        }
    }

    /// Whether the present view and the clock allow this act.
    fn allows_act(
        &mut self,
        who: &Whoever,
        label: Option<&Label>,
        grant: Option<EventId>,
        act: &Act,
        now_ms: u64,
    ) -> Result<(), Denial> {
        let past = self.valid.clone();
        let signer = judge::signer(self, who.principal, who.device, who.staff, &past)
            .map_err(|fault| denied(&fault))?;
        let acting = match (act, label) {
            // The quorum and the policy decide on these: anybody's device may carry them.
            (Act::Core(CoreAct::Recover { .. } | CoreAct::BreakGlass { .. }), _) => Acting::Own,
            (
                Act::Core(
                    CoreAct::Policy { approvals, .. } | CoreAct::RecoverySet { approvals, .. },
                ),
                _,
            ) if !approvals.is_empty() => Acting::Own,
            (Act::Label(LabelAct::Lapse { grant: lapsed, .. }), Some(label)) => {
                let acting = judge::acting(self, who.principal, grant, label, &past);
                match acting {
                    Ok(acting) => acting,
                    Err(_) if grant.is_none() && self.is_custodian(*lapsed, who) => Acting::Own,
                    Err(fault) => return Err(denied(&fault)),
                }
            }
            (_, Some(label)) => judge::acting(self, who.principal, grant, label, &past)
                .map_err(|fault| denied(&fault))?,
            (_, None) => Acting::Root(
                judge::controls(self, who.principal, &past).map_err(|fault| denied(&fault))?,
            ),
        };
        let chain = signer.acting(acting, label.cloned());
        let need = self.in_present_view(|view, a| view.need(a, &chain));
        self.unstopped(&need)?;
        let end = until(self, &chain);
        if end.is_some_and(|end| now_ms.saturating_add(CLOCK_SKEW_MS) >= end) {
            return Err(Denial::Ended);
        }
        if let (Act::Label(LabelAct::Revoke(revoke)), Some(label)) = (act, label) {
            return judge::may_revoke(self, &chain, revoke.link, label, &past)
                .map_err(|fault| denied(&fault));
        }
        if !matches!(act, Act::Label(LabelAct::Grant(_))) {
            return Ok(());
        }
        judge::staff_may(self, &chain, Actions::SHARE_ON).map_err(|fault| denied(&fault))?;
        let shares_on = |right: &super::authority::Right| {
            right.actions.contains(Actions::SHARE_ON) && right.depth > 0
        };
        match chain.acting {
            Acting::Grant(at) if !self.right(at).is_some_and(shares_on) => Err(Denial::Scope),
            Acting::Grant(_) | Acting::Root(_) | Acting::Own | Acting::Quorum => Ok(()),
        }
    }

    fn is_custodian(&self, grant: EventId, who: &Whoever) -> bool {
        let act = self.at(&grant).map(|at| &self.event(at).act);
        matches!(act, Some(Act::Label(LabelAct::Grant(grant)))
            if grant.custodians.contains(&who.principal))
    }

    /// Nothing revokes the chain. A suspended retirement of a device stops it too; a suspended
    /// revocation does not.
    fn unstopped(&self, need: &Need) -> Result<(), Denial> {
        let cause = need.weigh(&|at| self.id(at), &mut |_| Coverage::Uncovered);
        match cause {
            _ if planted::is(Planted::StoppedServed) => return Ok(()),
            Some(Cause::Revoked(by)) => return Err(self.stopped(by)),
            Some(Cause::PartMissing(by)) => return Err(Denial::Stopped(by)),
            Some(
                Cause::AfterEnd
                | Cause::LapseAlone(_)
                | Cause::Suspended(_)
                | Cause::Ancestor
                | Cause::Lapsed(_)
                | Cause::Orphan(_),
            )
            | None => {}
        }
        let hits = need.hits();
        let waiting = hits.iter().flat_map(|hit| &hit.suspended);
        let mut retired = waiting.filter(|at| matches!(self.event(**at).act, Act::Principal(_)));
        retired
            .next()
            .map_or(Ok(()), |at| Err(Denial::ActorStopped(self.id(*at))))
    }

    fn stopped(&self, by: EventId) -> Denial {
        let actor = self
            .at(&by)
            .is_some_and(|at| matches!(self.event(at).act, Act::Principal(_)));
        if actor {
            Denial::ActorStopped(by)
        } else {
            Denial::Stopped(by)
        }
    }
}

fn chain_of(
    a: &mut Authority,
    who: &Whoever,
    label: &Label,
    grant: Option<EventId>,
    past: &super::past::Past,
) -> Result<Chain, Denial> {
    let acting =
        judge::acting(a, who.principal, grant, label, past).map_err(|fault| denied(&fault))?;
    let signer = judge::signer(a, who.principal, who.device, who.staff, past)
        .map_err(|fault| denied(&fault))?;
    Ok(signer.acting(acting, Some(label.clone())))
}

/// A fault that one would commit, as the reason why one may not.
fn denied(fault: &Fault) -> Denial {
    match fault {
        Fault::Device | Fault::Proof | Fault::Chain => Denial::Device,
        Fault::Staff => Denial::Staff,
        Fault::Renounced => Denial::GivenBack,
        Fault::Revoked(by) => Denial::Stopped(*by),
        Fault::Grant
        | Fault::Control
        | Fault::Elsewhere
        | Fault::OldFrontier
        | Fault::BuildsOnFault
        | Fault::NotAbove
        | Fault::Quorum
        | Fault::Sense
        | Fault::Depth
        | Fault::Content(_)
        | Fault::ForeignChange => Denial::NothingShared,
        Fault::Scope => Denial::Scope,
    }
}
