//! Laws over generated histories with adversaries.

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Section};
use proptest::prelude::*;

use super::world::{ADA, Item, MEMBERS, Who, World, model, plain};
use crate::{
    consent::{
        Ledger, Status, Whoever,
        cut::{Cut, CutPlace, CutTree},
        grant::Actions,
    },
    id::{EnvelopeId, EventId, StaffId},
    logs::{
        Act, LabelAct, LogId, PrincipalAct,
        record::{Capacity, Control, Link},
    },
};

/// One step of a history: what kind, and numbers that choose who and what.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: u8,
    who: usize,
    what: usize,
    how: usize,
}

fn step() -> impl Strategy<Value = Step> {
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
fn custodian_step() -> impl Strategy<Value = Step> {
    let kinds = vec![0, 0, 9, 12, 12, 16, 30, 31, 31, 31, 31, 31];
    (prop::sample::select(kinds), step()).prop_map(|(kind, step)| Step {
        kind,
        // Two numbers of four name someone.
        how: step.how % 1_000 * 84 + 42 + step.how / 1_000 % 42,
        ..step
    })
}

/// A world with what its people made so far, to choose from.
struct Story {
    world: World,
    /// Whoever may act: devices, root keys, members of staff, and copies that stopped listening.
    cast: Vec<Who>,
    /// Who stopped listening.
    deaf: BTreeSet<Who>,
    grants: Vec<(EventId, Who)>,
    revokes: Vec<EventId>,
    /// Who was named as custodian by which revocation.
    asked: Vec<(EventId, Who)>,
    entries: Vec<EnvelopeId>,
    staff: Vec<StaffId>,
}

impl Story {
    /// Ada shares with two clinics; the first shares on with a nurse and has staff.
    fn new() -> Self {
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

    fn who(&self, step: Step) -> Who {
        self.cast[step.who % self.cast.len()]
    }

    /// The right that someone acts under: mostly one of their own, sometimes any.
    fn right(&self, who: Who, step: Step) -> Option<EventId> {
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

    fn some_grant(&self, step: Step) -> EventId {
        self.grants[step.what % self.grants.len()].0
    }

    fn some_entry(&self, step: Step) -> Option<EnvelopeId> {
        let entries = &self.entries;
        (!entries.is_empty()).then(|| entries[step.what % entries.len()])
    }

    fn take(&mut self, step: Step) {
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

    fn some_revoke(&self, step: Step) -> Option<EventId> {
        let revokes = &self.revokes;
        (!revokes.is_empty()).then(|| revokes[step.what % revokes.len()])
    }

    fn stop(&mut self, who: Who, under: Option<EventId>, step: Step) {
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
    fn some_custodians(&self, step: Step) -> Vec<Who> {
        let some = |number: usize| self.cast[number % self.cast.len()];
        match step.how / 21 % 4 {
            0 | 1 => Vec::new(),
            2 => vec![some(step.what / 3)],
            _ => vec![some(step.what / 3), some(step.what / 11)],
        }
    }

    fn some_asked(&self, step: Step) -> Option<(EventId, Who)> {
        let asked = &self.asked;
        (!asked.is_empty()).then(|| asked[step.what % asked.len()])
    }

    /// Someone signs a part for a revocation, asked or not, of what they choose; sometimes in
    /// another's name, sometimes changed after it was signed.
    fn speak_as_custodian(&mut self, who: Who, step: Step) {
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

    fn retire(&mut self, who: Who, step: Step) {
        let device = self.world.pens[self.cast[step.what % self.cast.len()]].device();
        let void = self
            .some_revoke(step)
            .filter(|_| step.how.is_multiple_of(5));
        let keep = !step.how.is_multiple_of(3);
        let void = void.into_iter().collect();
        let retire = self.world.retire_voiding(who, device, keep, void);
        self.revokes.push(retire);
    }

    fn end_staff(&mut self, who: Who, step: Step) {
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

    fn adopt(&mut self, who: Who, under: Option<EventId>, step: Step) {
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

    fn recover(&mut self, step: Step) {
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

fn told(world: &World, items: &[Item]) -> Ledger {
    let mut ledger = Ledger::new(world.record);
    for item in items {
        item.tell(&mut ledger);
    }
    ledger
}

/// Everything that must be equal where the sets are equal.
fn outcome(ledger: &mut Ledger, world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        ledger.entries(&world.document),
        ledger.loaded(&world.document),
        ledger.heads(&world.document),
        ledger.review(),
        ledger.grants(),
        ledger.controllers(),
        ledger.digest(),
    )
}

/// What each of these entries builds on.
fn deps(items: &[Item]) -> Vec<(EnvelopeId, Vec<EnvelopeId>)> {
    let entry = |item: &Item| match item {
        Item::Entry(header, _) => Some((header.id(), header.value().deps.clone())),
        Item::Event(_) | Item::Part(_) => None,
    };
    items.iter().filter_map(entry).collect()
}

fn holds_the_laws(world: &World, ledger: &mut Ledger) {
    let entries = ledger.entries(&world.document);
    let reference = model(world.record, &world.items);
    let statuses: Vec<_> = entries
        .iter()
        .map(|(id, status)| (*id, plain(status)))
        .collect();
    for (id, kind) in &statuses {
        assert_eq!(reference.get(id), Some(kind), "the model differs at {id:?}");
    }
    let written = deps(&world.items);
    // Two copies of a device may sign the very same thing.
    let ids: BTreeSet<_> = written.iter().map(|(id, _)| id).collect();
    assert_eq!(entries.len(), ids.len(), "every entry is findable");
    chains_never_widen(ledger);
    sections_open_together_as_one_by_one(world, ledger);
    let material = ledger.loaded(&world.document);
    for set in material.sides.iter().chain([&material.main]) {
        let inside: BTreeSet<_> = set.iter().collect();
        for (id, deps) in written.iter().filter(|(id, _)| inside.contains(id)) {
            assert!(
                deps.iter().all(|dep| inside.contains(dep)),
                "{id:?} is not closed"
            );
        }
    }
}

fn sections_open_together_as_one_by_one(world: &World, ledger: &mut Ledger) {
    let label = &world.document.label;
    for pen in &world.pens {
        let who = Whoever {
            principal: pen.principal,
            device: pen.device(),
            staff: pen.staff,
        };
        for now_ms in [0, 1_000_000] {
            let opens = |section: &Section| {
                let document = DocumentId::first(*section, label.clone());
                ledger.decide_open(&who, &document, now_ms).is_ok()
            };
            let one_by_one: Vec<_> = Section::ALL.into_iter().filter(opens).collect();
            assert_eq!(ledger.sections_open(&who, label, now_ms), one_by_one);
        }
    }
}

fn chains_never_widen(ledger: &mut Ledger) {
    let grants = ledger.grants();
    for below in &grants {
        let parent = grants
            .iter()
            .find(|grant| Some(grant.id) == below.grant.parent);
        let rights = (
            &below.effective,
            parent.and_then(|parent| parent.effective.as_ref()),
        );
        let (Some(below), Some(above)) = rights else {
            continue;
        };
        assert!(
            below
                .sections
                .iter()
                .all(|section| above.sections.contains(section))
        );
        assert!(above.actions.contains(below.actions));
        assert!(above.purposes.contains(below.purposes));
        assert!(below.from_ms >= above.from_ms && below.depth < above.depth);
        assert!(
            above
                .until_ms
                .is_none_or(|end| below.until_ms.is_some_and(|own| own <= end))
        );
    }
}

/// Every order of these.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let put = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, count - 1);
        order
    };
    (0..count)
        .flat_map(|at| shorter.iter().map(move |order| put(order, at)))
        .collect()
}

fn shuffled<T: Clone>(items: &[T], seed: u64) -> Vec<T> {
    let mut items = items.to_vec();
    let mut state = seed;
    for at in (1..items.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from((state >> 33) % (at as u64 + 1)).unwrap_or(0);
        items.swap(at, other);
    }
    items
}

/// Every order of so few that there are at most `orders_max`; otherwise as many random ones.
fn some_orders(count: usize, orders_max: usize, seed: u64) -> Vec<Vec<usize>> {
    let all = (1..=count).try_fold(1_usize, usize::checked_mul);
    if all.is_some_and(|all| all <= orders_max) {
        return orders(count);
    }
    let numbers: Vec<_> = (0..count).collect();
    let seeds = (0..orders_max as u64).map(|round| seed.wrapping_add(round));
    seeds.map(|seed| shuffled(&numbers, seed)).collect()
}

/// Random orders of arrival, looked at in between, give what the model gives.
fn random_orders_agree(world: &World, seed: u64) {
    let mut expected = told(world, &world.items);
    holds_the_laws(world, &mut expected);
    let expected = outcome(&mut expected, world);
    for round in 0..3 {
        let mut ledger = Ledger::new(world.record);
        for (at, item) in shuffled(&world.items, seed ^ round).iter().enumerate() {
            item.tell(&mut ledger);
            if at % 5 == 0 {
                ledger.entries(&world.document);
            }
        }
        assert_eq!(outcome(&mut ledger, world), expected);
    }
}

/// The last `items_max` things of a history agree in every order, or in `orders_max` of them.
fn orders_agree(steps: &[Step], items_max: usize, orders_max: usize, seed: u64) {
    let mut story = Story::new();
    let begun = story.world.items.len();
    for step in steps {
        story.take(*step);
    }
    let world = story.world;
    let ground = world.items.len().saturating_sub(items_max).max(begun);
    let base = told(&world, &world.items[..ground]);
    let last = &world.items[ground..];
    let mut expected = told(&world, &world.items);
    holds_the_laws(&world, &mut expected);
    let expected = outcome(&mut expected, &world);
    for order in some_orders(last.len(), orders_max, seed) {
        let mut ledger = base.clone();
        for at in &order {
            last[*at].tell(&mut ledger);
            // Asking between arrivals must not change what follows.
            if order[0].is_multiple_of(2) {
                ledger.entries(&world.document);
            }
        }
        assert_eq!(
            outcome(&mut ledger, &world),
            expected,
            "in the order {order:?}"
        );
    }
}

fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|asked| asked.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(count),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn small_histories_agree_in_all_orders(
        steps in prop::collection::vec(step(), 1..20),
        seed in any::<u64>(),
    ) {
        orders_agree(&steps, 4, 24, seed);
    }

    #[test]
    fn histories_agree_in_random_orders_and_with_the_model(
        steps in prop::collection::vec(step(), 10..60),
        seed in any::<u64>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        random_orders_agree(&story.world, seed);
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn histories_with_custodians_agree_in_random_orders_and_with_the_model(
        steps in prop::collection::vec(custodian_step(), 10..40),
        seed in any::<u64>(),
    ) {
        let mut story = Story::new();
        for (who, grant) in [(story.cast[2], 0), (story.cast[4], 2), (story.cast[3], 1)] {
            let entry = story.world.write(who, Some(story.grants[grant].0));
            story.entries.push(entry);
        }
        for step in steps {
            story.take(step);
        }
        random_orders_agree(&story.world, seed);
    }
}

proptest! {
    #![proptest_config(cases(3))]

    #[test]
    fn histories_of_seven_agree_in_many_orders(
        steps in prop::collection::vec(step(), 7..40),
        seed in any::<u64>(),
    ) {
        orders_agree(&steps, 7, 120, seed);
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn histories_of_two_hundred_agree(
        steps in prop::collection::vec(step(), 150..200),
        seed in any::<u64>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        let world = story.world;
        let mut expected = told(&world, &world.items);
        holds_the_laws(&world, &mut expected);
        let expected = outcome(&mut expected, &world);
        for round in 0..3 {
            let mut ledger = told(&world, &shuffled(&world.items, seed ^ round));
            prop_assert_eq!(&outcome(&mut ledger, &world), &expected);
        }
    }

    #[test]
    fn adopting_contested_entries_in_any_order_succeeds(
        steps in prop::collection::vec(step(), 20..60),
        choice in any::<usize>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        let mut world = story.world;
        // Someone whom the present controllers trust: a controller where there is one.
        let heir = world.person();
        world.tell_all();
        world.recover(heir, vec![], vec![]);
        world.tell(heir);
        let mut left = contested(&mut world, heir);
        while !left.is_empty() {
            let entry = left[choice % left.len()];
            let set = world.pens[heir].knows.adoptable(&entry);
            prop_assert!(set.contains(&entry));
            world.adopt(heir, None, set.clone());
            for adopted in set {
                let status = world.pens[heir].knows.status(&adopted);
                prop_assert_eq!(status, Some(Status::Accepted));
            }
            left = contested(&mut world, heir);
        }
        let mut all = world.judge();
        holds_the_laws(&world, &mut all);
    }

    #[test]
    fn what_an_honest_holder_of_a_share_writes_stays(
        steps in prop::collection::vec(step(), 20..60),
    ) {
        let mut story = Story::new();
        let (share, clinic) = story.grants[1];
        let honest = [ADA, clinic].map(|who| story.world.pens[who].principal);
        let mut written = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            // Nobody recovers the record; Ada and the clinic only write, and lose no device.
            let by_honest = honest.contains(&story.world.pens[story.who(step)].principal);
            let writes = step.kind <= 9 || (28..30).contains(&step.kind);
            if step.kind == 22 || (by_honest && !writes) {
                continue;
            }
            story.take(step);
            if at % 5 == 0 {
                let entry = story.world.write(clinic, Some(share));
                let status = story.world.pens[clinic].knows.status(&entry);
                prop_assert_eq!(status, Some(Status::Accepted));
                written.push(entry);
            }
            let mut all = story.world.judge();
            for entry in &written {
                prop_assert_eq!(all.status(entry), Some(Status::Accepted));
            }
        }
    }

    #[test]
    fn a_peer_or_a_descendant_never_revokes(
        steps in prop::collection::vec(step(), 10..50),
        pick in any::<usize>(),
    ) {
        let mut story = Story::new();
        for step in steps {
            story.take(step);
        }
        let mut world = story.world;
        let mut all = world.judge();
        let grants = all.grants();
        let above = |id: EventId| {
            let parent = |id: &EventId| {
                let grant = grants.iter().find(|grant| grant.id == *id)?;
                grant.grant.parent
            };
            std::iter::successors(parent(&id), parent).collect::<Vec<_>>()
        };
        let (by, who) = story.grants[pick % story.grants.len()];
        let before = all.entries(&world.document);
        let fates = |all: &mut Ledger| -> Vec<_> {
            all.grants().into_iter().map(|grant| (grant.id, grant.state)).collect()
        };
        let fates_before = fates(&mut all);
        for (grant, _) in &story.grants {
            if above(*grant).contains(&by) {
                continue;
            }
            let revoke = world.stop(who, Some(by), Link::Grant(*grant));
            let mut all = world.judge();
            prop_assert_eq!(&all.entries(&world.document), &before, "by {:?}", revoke);
            prop_assert_eq!(&fates(&mut all), &fates_before);
        }
        // Nor does whoever shared nothing on stop anyone's device here.
        if grants.iter().all(|grant| grant.grant.parent != Some(by)) {
            for pen in story.cast {
                let device = world.pens[pen].device();
                world.stop(who, Some(by), Link::Device(device));
            }
            let mut all = world.judge();
            prop_assert_eq!(&all.entries(&world.document), &before);
        }
    }

    #[test]
    fn what_a_controller_writes_stays_whatever_happens_to_others(
        steps in prop::collection::vec(step(), 20..60),
    ) {
        let mut story = Story::new();
        let ada = story.world.pens[ADA].principal;
        let mut written = Vec::new();
        for (at, step) in steps.into_iter().enumerate() {
            // Nobody recovers the record and nothing of Ada's own is stolen.
            let by_ada = story.world.pens[story.who(step)].principal == ada;
            if step.kind == 22 || (by_ada && step.kind > 9) {
                continue;
            }
            story.take(step);
            if at % 5 == 0 {
                let entry = story.world.write(ADA, None);
                let status = story.world.pens[ADA].knows.status(&entry);
                prop_assert_eq!(status, Some(Status::Accepted));
                written.push(entry);
            }
            let mut all = story.world.judge();
            for entry in &written {
                let status = all.status(entry);
                prop_assert!(matches!(status, Some(Status::Accepted | Status::Marked(_))));
            }
        }
    }
}

fn contested(world: &mut World, who: Who) -> Vec<EnvelopeId> {
    let document = world.document.clone();
    let entries = world.pens[who].knows.entries(&document);
    let is =
        |(id, status): (EnvelopeId, Status)| matches!(status, Status::Contested(_)).then_some(id);
    entries.into_iter().filter_map(is).collect()
}
