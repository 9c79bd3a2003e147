//! Histories that are drawn: who does what.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{
    consent::{
        cut::{Cut, CutPlace, CutTree},
        grant::Actions,
        tests::world::{ADA, MEMBERS, Who, World},
    },
    id::{EnvelopeId, EventId, StaffId},
    logs::{
        Act, LabelAct, LogId, PrincipalAct,
        record::{Capacity, Control, Link},
    },
};

/// One step of a history: what kind, and numbers that choose who and what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) kind: u8,
    pub(super) who: usize,
    pub(super) what: usize,
    pub(super) how: usize,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    (0_u8..34, any::<usize>(), any::<usize>(), any::<usize>()).prop_map(|(kind, who, what, how)| {
        Step {
            kind,
            who,
            what,
            how,
        }
    })
}

/// A step of a history that is about custodians: writing, telling, stopping with a custodian named,
/// and what custodians and others sign.
pub(super) fn custodian_step() -> impl Strategy<Value = Step> {
    let kinds = vec![0, 0, 9, 12, 12, 16, 30, 31, 31, 31, 31, 31];
    (prop::sample::select(kinds), step()).prop_map(|(kind, step)| Step {
        kind,
        // Two numbers of four name someone.
        how: step.how % 1_000 * 84 + 42 + step.how / 1_000 % 42,
        ..step
    })
}

/// A world with what its people made so far, to choose from.
pub(super) struct Story {
    pub(super) world: World,
    /// Whoever may act: devices, root keys, members of staff, and copies that stopped listening.
    pub(super) cast: Vec<Who>,
    /// Who stopped listening.
    pub(super) deaf: BTreeSet<Who>,
    pub(super) grants: Vec<(EventId, Who)>,
    pub(super) revokes: Vec<EventId>,
    /// Who was named as custodian by which revocation.
    pub(super) asked: Vec<(EventId, Who)>,
    pub(super) entries: Vec<EnvelopeId>,
    pub(super) staff: Vec<StaffId>,
}

impl Story {
    /// Ada shares with two clinics; the first shares on with a nurse and has staff.
    pub(super) fn new() -> Self {
        let mut world = World::new();
        let (one, two, nurse) = (world.person(), world.person(), world.person());
        let phone = world.add_device(ADA);
        let custodians = {
            let mut all = vec![
                world.pens[MEMBERS[0]].principal,
                world.pens[MEMBERS[1]].principal,
            ];
            all.sort_unstable();
            all
        };
        let ends = |grant: &mut crate::consent::grant::Grant| {
            grant.until_ms = Some(1_000_100);
            grant.custodians.clone_from(&custodians);
        };
        let first = world.share_with(ADA, None, one, ends);
        let second = world.share(ADA, None, two);
        world.tell_all();
        let below = world.share(one, Some(first), nurse);
        let root = world.root_of(one);
        let staff = StaffId::from_bytes([5; 32]);
        let add = Act::Principal(PrincipalAct::StaffAdd {
            staff,
            device: None,
            role: "nurse".into(),
            may: Actions::ALL,
            until_ms: None,
        });
        let log = LogId::Principal(world.pens[one].principal);
        world.sign(root, log, None, add);
        world.tell_all();
        let employee = world.double(one);
        world.pens[employee].staff = Some(staff);
        world.pens[employee].epoch = 7;
        Self {
            cast: vec![
                ADA,
                phone,
                one,
                two,
                nurse,
                root,
                employee,
                world.root_of(ADA),
            ],
            deaf: BTreeSet::new(),
            grants: vec![(first, one), (second, two), (below, nurse)],
            revokes: Vec::new(),
            asked: Vec::new(),
            entries: Vec::new(),
            staff: vec![staff],
            world,
        }
    }

    pub(super) fn who(&self, step: Step) -> Who {
        self.cast[step.who % self.cast.len()]
    }

    /// The right that someone acts under: mostly one of their own, sometimes any.
    pub(super) fn right(&self, who: Who, step: Step) -> Option<EventId> {
        let principal = self.world.pens[who].principal;
        if principal == self.world.pens[ADA].principal && !step.how.is_multiple_of(5) {
            return None;
        }
        let own = |(grant, to): &(EventId, Who)| {
            (self.world.pens[*to].principal == principal).then_some(*grant)
        };
        let own: Vec<_> = self.grants.iter().filter_map(own).collect();
        if own.is_empty() {
            None
        } else {
            Some(own[step.how % own.len()])
        }
    }

    pub(super) fn some_grant(&self, step: Step) -> EventId {
        self.grants[step.what % self.grants.len()].0
    }

    pub(super) fn some_entry(&self, step: Step) -> Option<EnvelopeId> {
        let entries = &self.entries;
        (!entries.is_empty()).then(|| entries[step.what % entries.len()])
    }

    pub(super) fn take(&mut self, step: Step) {
        let who = self.who(step);
        let under = self.right(who, step);
        match step.kind {
            0..=6 => {
                let entry = self.world.write(who, under);
                self.entries.push(entry);
            }
            7 | 8 => {
                // What someone hands over they need not know themselves.
                let to = self.who(Step {
                    who: step.what,
                    ..step
                });
                if !self.deaf.contains(&to) {
                    self.world.tell(to);
                }
            }
            9 => {
                for who in 0..self.world.pens.len() {
                    if !self.deaf.contains(&who) {
                        self.world.tell(who);
                    }
                }
            }
            10 | 11 => {
                let to = self.who(Step {
                    who: step.what,
                    ..step
                });
                let depth = u8::try_from(step.how % 4).unwrap_or(0);
                let grant = self.world.share_with(who, under, to, |grant| {
                    grant.depth = depth;
                    if step.how.is_multiple_of(3) {
                        grant.actions = Actions::READ.union(Actions::APPEND);
                    }
                });
                self.grants.push((grant, to));
            }
            12..=15 => self.stop(who, under, step),
            16 => self.retire(who, step),
            17 => {
                let copy = self.world.double(who);
                self.deaf.insert(copy);
                self.cast.push(copy);
            }
            18 | 19 => self.adopt(who, under, step),
            20 => {
                let grant = self.some_grant(step);
                let lapse = LabelAct::Lapse {
                    grant,
                    cut: Cut::Nothing,
                };
                let by = if step.how.is_multiple_of(2) {
                    MEMBERS[step.how / 2 % 2]
                } else {
                    who
                };
                let under = if step.how.is_multiple_of(2) {
                    None
                } else {
                    under
                };
                self.world.time_ms = 1_000_200;
                self.world.label_act(by, under, lapse);
            }
            21 => {
                let grant = self.some_grant(step);
                self.world
                    .label_act(who, under, LabelAct::Renounce { grant });
            }
            // Rarely: after a recovery little is left to say.
            22 if step.how.is_multiple_of(4) => self.recover(step),
            22 => {}
            23 => {
                if let Some(revocation) = self.some_revoke(step) {
                    let id = self
                        .world
                        .label_act(who, under, LabelAct::Confirm { revocation });
                    self.revokes.push(id);
                }
            }
            24 => {
                let to = self.who(Step {
                    who: step.what,
                    ..step
                });
                let controller = self.world.pens[to].principal;
                let capacity = Capacity::Keeper;
                let control = match step.how % 3 {
                    0 => Control::Leave,
                    1 => Control::Add {
                        controller,
                        capacity,
                    },
                    _ => Control::HandOver {
                        controller,
                        capacity,
                    },
                };
                self.world.control(who, control);
            }
            25 => {
                let device = self.world.add_device(who);
                self.cast.push(device);
            }
            26 => self.end_staff(who, step),
            27 => self.world.pens[who].epoch += 1,
            30 => {
                let asked = self.some_asked(step).map_or(who, |(_, who)| who);
                if !self.deaf.contains(&asked) {
                    self.world.tell(asked);
                }
                self.world.sign_owed(asked);
            }
            31..=33 => self.speak_as_custodian(who, step),
            // On something that whoever writes need not know, and so may cite less than.
            _ => {
                if let Some(entry) = self.some_entry(step) {
                    let entry = self.world.write_on(who, under, vec![entry]);
                    self.entries.push(entry);
                }
            }
        }
    }

    pub(super) fn some_revoke(&self, step: Step) -> Option<EventId> {
        let revokes = &self.revokes;
        (!revokes.is_empty()).then(|| revokes[step.what % revokes.len()])
    }

    pub(super) fn stop(&mut self, who: Who, under: Option<EventId>, step: Step) {
        let link = match step.how % 7 {
            0 => Link::Device(self.world.pens[self.cast[step.what % self.cast.len()]].device()),
            1 => Link::Staff(self.staff[step.what % self.staff.len()]),
            _ => Link::Grant(self.some_grant(step)),
        };
        let parts = match step.how % 3 {
            0 => Vec::new(),
            1 => self.world.pens[who].knows.keep_everything(link),
            _ => self.world.pens[who].knows.keep_none_after(link, 1_000_100),
        };
        let kept = self.some_grant(Step {
            what: step.what / 7,
            ..step
        });
        let custodians = self.some_custodians(step);
        let until_ms = [1_000_100, u64::MAX, 999_999][step.how / 7 % 3];
        let custody = |who: &Who| self.world.custody(*who, until_ms);
        let custodies: Vec<_> = custodians.iter().map(custody).collect();
        let mut parts = parts;
        if !custodies.is_empty() && !step.what.is_multiple_of(5) {
            parts.retain(|part| !matches!(part.place, CutPlace::Document(_)));
        }
        let cut = CutTree::new(parts.clone()).entrusting(custodies);
        let void = self
            .some_revoke(step)
            .filter(|_| step.how.is_multiple_of(4));
        let revoke = self.world.stop_with(who, under, link, &parts, |revoke| {
            revoke.cut = cut;
            revoke.keep = if step.how.is_multiple_of(5) {
                vec![kept]
            } else {
                vec![]
            };
            revoke.void = void.into_iter().collect();
            revoke.is_final = step.how.is_multiple_of(6);
        });
        self.revokes.push(revoke);
        let asked = custodians.into_iter().map(|who| (revoke, who));
        self.asked.extend(asked);
    }

    /// Half of the revocations name custodians: anyone, whoever is stopped too.
    pub(super) fn some_custodians(&self, step: Step) -> Vec<Who> {
        let some = |number: usize| self.cast[number % self.cast.len()];
        match step.how / 21 % 4 {
            0 | 1 => Vec::new(),
            2 => vec![some(step.what / 3)],
            _ => vec![some(step.what / 3), some(step.what / 11)],
        }
    }

    pub(super) fn some_asked(&self, step: Step) -> Option<(EventId, Who)> {
        let asked = &self.asked;
        (!asked.is_empty()).then(|| asked[step.what % asked.len()])
    }

    /// Someone signs a part for a revocation, asked or not, of what they choose; sometimes in
    /// another's name, sometimes changed after it was signed.
    pub(super) fn speak_as_custodian(&mut self, who: Who, step: Step) {
        let (Some(revocation), Some(entry)) = (self.some_revoke(step), self.some_entry(step))
        else {
            return;
        };
        let mut entries = vec![entry];
        entries.extend(self.some_entry(Step {
            what: step.what / 13,
            ..step
        }));
        let part = self.world.part_at(&entries);
        let other = self.who(Step {
            who: step.how,
            ..step
        });
        let speaks = if step.how.is_multiple_of(7) {
            other
        } else {
            who
        };
        let principal = self.world.pens[speaks].principal;
        let mut signed = self.world.sign_part(who, principal, revocation, part);
        if step.how.is_multiple_of(3) {
            signed.part = self.world.part_at(&self.entries);
            self.world.give_part(who, signed);
        }
    }

    pub(super) fn retire(&mut self, who: Who, step: Step) {
        let device = self.world.pens[self.cast[step.what % self.cast.len()]].device();
        let void = self
            .some_revoke(step)
            .filter(|_| step.how.is_multiple_of(5));
        let keep = !step.how.is_multiple_of(3);
        let void = void.into_iter().collect();
        let retire = self.world.retire_voiding(who, device, keep, void);
        self.revokes.push(retire);
    }

    pub(super) fn end_staff(&mut self, who: Who, step: Step) {
        let staff = self.staff[step.what % self.staff.len()];
        let log = LogId::Principal(self.world.pens[who].principal);
        let void = self
            .some_revoke(step)
            .filter(|_| step.how.is_multiple_of(5));
        let end = Act::Principal(PrincipalAct::StaffEnd {
            staff,
            cut: Cut::Nothing,
            void: void.into_iter().collect(),
        });
        self.world.sign(who, log, None, end);
    }

    pub(super) fn adopt(&mut self, who: Who, under: Option<EventId>, step: Step) {
        let Some(entry) = self.some_entry(step) else {
            return;
        };
        let mut set = self.world.pens[who].knows.adoptable(&entry);
        if set.is_empty() || step.how.is_multiple_of(4) {
            set = vec![entry];
        }
        let adoption = self.world.adopt(who, under, set);
        self.entries.push(adoption);
    }

    pub(super) fn recover(&mut self, step: Step) {
        let to = self.who(step);
        let keep = if step.how.is_multiple_of(2) {
            vec![self.some_grant(step)]
        } else {
            vec![]
        };
        let void = self
            .some_revoke(step)
            .filter(|_| step.how.is_multiple_of(3));
        self.world.recover(to, keep, void.into_iter().collect());
    }
}
