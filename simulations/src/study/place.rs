//! Organisations of one run, each with its device.

use std::rc::Rc;

use super::{
    chance::Chance,
    scenario::{Count, FaultKind, Nat, Online, Scenario, When},
    settings::Settings,
    times::{DAY_MS, HOUR_MS, Times, to_ms},
};

/// One organisation, or one person who cares, with a device.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its kind.
    pub kind: usize,
    /// Which one of its kind.
    pub index: u64,
    /// When its device is on the network.
    pub network: Times,
    /// When its device works.
    pub works: Times,
    /// When its own computer system answers.
    pub system: Times,
    /// When its device was lost, with everything on it.
    pub losses: Vec<u64>,
    /// Whether it runs a node.
    pub is_node: bool,
    /// From 0 to 1: it takes part in something with a share when this is below.
    pub eagerness: f64,
    /// How it is reached.
    pub nat: Nat,
}

/// Everybody of one run whom patients share, and what they have in common.
pub struct Places<'a> {
    scenario: &'a Scenario,
    settings: &'a Settings,
    shared: Vec<Vec<Rc<Place>>>,
    /// When the systems of each supplier do not answer.
    outages: Vec<(String, Vec<(u64, u64)>)>,
    /// When kinds of organisations and the rest do not reach each other.
    pub partitions: Vec<(Vec<usize>, Times)>,
    /// The ends of partitions and outages, milliseconds, sorted.
    pub heals: Vec<u64>,
}

impl<'a> Places<'a> {
    /// The organisations of a run.
    pub fn of(scenario: &'a Scenario, settings: &'a Settings) -> Self {
        let mut places = Self {
            scenario,
            settings,
            shared: Vec::new(),
            outages: Vec::new(),
            partitions: Vec::new(),
            heals: Vec::new(),
        };
        places.break_things();
        places.shared = (0..scenario.organisations.len())
            .map(|kind| match scenario.organisations[kind].count {
                Count::All(count) => (0..u64::from(count))
                    .map(|index| Rc::new(places.place(kind, index)))
                    .collect(),
                Count::EachPatient => Vec::new(),
            })
            .collect();
        places
    }

    fn break_things(&mut self) {
        for (n, fault) in self.scenario.faults.iter().enumerate() {
            let mut chance = Chance::of(self.settings.seed, "fault", n as u64);
            let (FaultKind::SupplierOutage { hours, .. } | FaultKind::Partition { hours, .. }) =
                &fault.kind
            else {
                continue;
            };
            let settings = self.settings;
            let spans = match fault.when {
                When::Day(day) => {
                    let at = settings.ms(day, &mut chance);
                    vec![(at, at + settings.ms(*hours, &mut chance))]
                }
                When::PerYear(rate) => {
                    let rate = settings.value(rate);
                    Times::at_random(rate, settings.end_ms, &mut chance, |chance| {
                        settings.ms(*hours, chance)
                    })
                }
            };
            self.heals.extend(spans.iter().map(|(_, to)| *to));
            match &fault.kind {
                FaultKind::SupplierOutage { supplier, .. } => {
                    self.outages.push((supplier.clone(), spans));
                }
                FaultKind::Partition { kinds, .. } => {
                    self.partitions.push((kinds.clone(), Times::of(spans)));
                }
                FaultKind::DeviceLoss { .. } => {}
            }
        }
        self.heals.retain(|at| *at < self.settings.end_ms);
        self.heals.sort_unstable();
    }

    /// One of a kind that patients share.
    pub fn shared(&self, kind: usize, index: usize) -> &Rc<Place> {
        &self.shared[kind][index]
    }

    /// How many of a kind patients share.
    pub fn count(&self, kind: usize) -> usize {
        self.shared[kind].len()
    }

    /// Those of a kind that are in a district, or serve it where there are fewer than districts.
    pub fn near(&self, kind: usize, district: usize) -> Near {
        Near::of(
            self.count(kind),
            usize::try_from(self.scenario.districts).unwrap_or(usize::MAX),
            district,
        )
    }

    /// How many of a kind run nodes.
    pub fn nodes(&self, kind: usize) -> usize {
        self.shared[kind].iter().filter(|one| one.is_node).count()
    }

    /// One of a kind. Whoever belongs to one patient has that patient's number.
    pub fn place(&self, kind: usize, index: u64) -> Place {
        let (scenario, settings) = (self.scenario, self.settings);
        let organisation = &scenario.organisations[kind];
        let device = &scenario.devices[organisation.device];
        let entity = entity(kind, index);
        let mut chance = Chance::of(settings.seed, "place", entity);
        let adoption = settings.value(organisation.adopts.unwrap_or(scenario.adoption));
        let is_node = chance.happens(adoption);
        let eagerness = chance.unit();
        let failures = settings.value(device.failures);
        let failed = Times::at_random(failures, settings.end_ms, &mut chance, |chance| {
            settings.ms(device.repair, chance)
        });
        let mut losses = Vec::new();
        for fault in &scenario.faults {
            if let FaultKind::DeviceLoss { kind: of } = fault.kind
                && of == kind
            {
                losses.extend(self.moments(fault.when, &mut chance));
            }
        }
        losses.sort_unstable();
        let network = self.network(device.online, entity);
        let down = Times::of(failed.clone());
        let outages = self.outages.iter();
        let outages =
            outages.filter(|(supplier, _)| Some(supplier) == organisation.supplier.as_ref());
        Place {
            kind,
            index,
            network: if failed.is_empty() {
                network
            } else {
                network.without(&down)
            },
            works: Times::but(failed),
            system: Times::but(outages.flat_map(|(_, spans)| spans).copied().collect()),
            losses,
            is_node,
            eagerness,
            nat: device.nat,
        }
    }

    fn moments(&self, when: When, chance: &mut Chance) -> Vec<u64> {
        match when {
            When::Day(day) => vec![self.settings.ms(day, chance)],
            When::PerYear(rate) => {
                let rate = self.settings.value(rate);
                Times::at_random(rate, self.settings.end_ms, chance, |_| 1)
                    .into_iter()
                    .map(|(at, _)| at)
                    .collect()
            }
        }
    }

    fn network(&self, online: Online, entity: u64) -> Times {
        let end = self.settings.end_ms;
        match online {
            Online::Always => Times::always(),
            Online::Hours { from, to, weekdays } => {
                let days = 0..=end / DAY_MS;
                let days = days.filter(|day| !weekdays || day % 7 < 5);
                Times::of(
                    days.map(|day| {
                        let hour = |hour| day * DAY_MS + u64::from(hour) * HOUR_MS;
                        (hour(from), hour(to))
                    })
                    .collect(),
                )
            }
            Online::Sessions { share, minutes } => {
                let share = self.settings.value(share);
                if share >= 1.0 {
                    return Times::always();
                }
                if share <= 0.0 {
                    return Times::of(Vec::new());
                }
                let mut chance = Chance::of(self.settings.seed, "sessions", entity);
                let mean_ms = 60_000.0 * self.settings.mean(minutes);
                let off_ms = mean_ms * (1.0 - share) / share;
                // As if it had always been so: what is at the beginning has the same odds.
                let mut is_on = chance.happens(share);
                let mut at = 0;
                let mut spans = Vec::new();
                while at < end {
                    let mean = if is_on { mean_ms } else { off_ms };
                    let to = at + to_ms(chance.exponential(mean)).max(1);
                    if is_on {
                        spans.push((at, to));
                    }
                    at = to;
                    is_on = !is_on;
                }
                Times::of(spans)
            }
        }
    }

    /// Whether a device reaches another one at all, directly or by a relay.
    pub fn reach(&self, a: &Place, b: &Place) -> bool {
        if self.scenario.federated.has_relays || a.nat == Nat::Open || b.nat == Nat::Open {
            return true;
        }
        if a.nat == Nat::Closed || b.nat == Nat::Closed {
            return false;
        }
        let ends = (entity(a.kind, a.index), entity(b.kind, b.index));
        let pair = ends.0.min(ends.1).rotate_left(23) ^ ends.0.max(ends.1);
        let share = self.settings.value(self.scenario.federated.hole_punching);
        Chance::of(self.settings.seed, "punch", pair).happens(share)
    }

    /// The first moment, not before another, at which two devices are on the network and nothing
    /// keeps them apart.
    pub fn meet(&self, a: &Place, b: &Place, at_ms: u64) -> Option<u64> {
        let mut at = a.network.next_with(&b.network, at_ms)?;
        if self.partitions.is_empty() {
            return Some(at);
        }
        loop {
            let apart = self.partitions.iter().find_map(|(kinds, times)| {
                let is_between = kinds.contains(&a.kind) != kinds.contains(&b.kind);
                (is_between && times.has(at)).then_some(times)
            });
            let Some(times) = apart else {
                return Some(at);
            };
            let end = times.spans().iter().find(|(_, to)| *to > at)?.1;
            at = a.network.next_with(&b.network, end)?;
        }
    }
}

/// One number for one of a kind.
pub const fn entity(kind: usize, index: u64) -> u64 {
    ((kind as u64) << 40) | index
}

/// The organisations of one kind that are in one district: every so-manieth of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    first: usize,
    apart: usize,
    len: usize,
}

impl Near {
    const fn of(count: usize, districts: usize, district: usize) -> Self {
        if count <= districts {
            let first = if count == 0 { 0 } else { district % count };
            return Self {
                first,
                apart: 1,
                len: 1,
            };
        }
        Self {
            first: district,
            apart: districts,
            len: (count - district).div_ceil(districts),
        }
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The place of one of them among all of the kind.
    pub const fn nth(&self, nth: usize) -> usize {
        self.first + nth * self.apart
    }
}

#[cfg(test)]
mod tests {
    use super::Near;

    #[test]
    fn each_organisation_is_in_one_district_or_serves_several() {
        for (count, districts) in [(100, 10), (23, 10), (10, 10), (3, 10), (1, 10), (7, 1)] {
            let of = |district| {
                let near = Near::of(count, districts, district);
                (0..near.len()).map(move |nth| near.nth(nth))
            };
            let mut all: Vec<usize> = (0..districts).flat_map(of).collect();
            all.sort_unstable();
            if count >= districts {
                assert_eq!(all, (0..count).collect::<Vec<_>>(), "{count}, {districts}");
            } else {
                all.dedup();
                assert_eq!(all, (0..count).collect::<Vec<_>>(), "{count}, {districts}");
            }
        }
    }
}
