//! The same told in other orders, and held against the model.

use std::collections::BTreeSet;

use kith_crdt::{DocumentId, Section};

use super::history::{Step, Story};
use crate::{
    consent::{
        Ledger, Whoever,
        tests::world::{Item, World, model, plain},
    },
    id::EnvelopeId,
};

pub(super) fn told(world: &World, items: &[Item]) -> Ledger {
    let mut ledger = Ledger::new(world.record);
    for item in items {
        item.tell(&mut ledger);
    }
    ledger
}

/// Everything that must be equal where the sets are equal.
pub(super) fn outcome(
    ledger: &mut Ledger,
    world: &World,
) -> impl PartialEq + std::fmt::Debug + use<> {
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

pub(super) fn holds_the_laws(world: &World, ledger: &mut Ledger) {
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

pub(super) fn shuffled<T: Clone>(items: &[T], seed: u64) -> Vec<T> {
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
pub(super) fn random_orders_agree(world: &World, seed: u64) {
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
pub(super) fn orders_agree(steps: &[Step], items_max: usize, orders_max: usize, seed: u64) {
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
