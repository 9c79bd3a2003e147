//! A patient: which group, who cares, and what is shared with whom.

use std::rc::Rc;

use kith_crdt::Section;

use super::{
    chance::Chance,
    place::{Place, Places},
    scenario::{Count, Scenario},
    settings::Settings,
};

/// Who cares for a patient: a place in the circle, or somebody that the patient came by.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Who.
    pub place: Rc<Place>,
    /// Whether the patient only came by.
    pub is_outside: bool,
    /// Whether the record is shared with them from the beginning.
    pub is_shared: bool,
    /// Whether plans and medicines are withheld from them.
    pub is_narrow: bool,
    /// Whether the share at a visit is made, for those outside.
    pub is_shared_at_visit: bool,
    /// Whether it keeps a copy.
    pub holds: bool,
    /// Whether it is to be told of events.
    pub is_told: bool,
}

impl Slot {
    /// Whether it may see a section, if the record is shared with it at all.
    pub const fn may_see(&self, section: Section) -> bool {
        !(self.is_narrow && matches!(section, Section::Plans | Section::Medicines))
    }
}

/// A patient of one run. The same seed gives the same patient at every point and in every arm, but
/// for who runs a node.
#[derive(Clone, Debug)]
pub struct Patient {
    /// Which one.
    pub number: u64,
    /// The group.
    pub group: usize,
    /// How many times as often something happens.
    pub events: f64,
    /// Everybody who may meet the patient; those of the circle first.
    pub slots: Vec<Slot>,
    usual: Vec<Option<u8>>,
    elsewhere: Vec<Option<u8>>,
    /// How often a visit is elsewhere, by kind.
    away: Vec<f64>,
}

impl Patient {
    /// A patient of a run.
    pub fn of(scenario: &Scenario, settings: &Settings, places: &Places<'_>, number: u64) -> Self {
        let mut chance = Chance::of(settings.seed, "patient", number);
        let shares: Vec<_> = scenario
            .groups
            .iter()
            .map(|one| settings.value(one.share))
            .collect();
        let group = drawn_by_weight(&shares, chance.unit());
        let mut patient = Self {
            number,
            group,
            events: settings.value(scenario.groups[group].events),
            slots: Vec::new(),
            usual: vec![None; scenario.organisations.len()],
            elsewhere: vec![None; scenario.organisations.len()],
            away: Vec::new(),
        };
        let district = Chance::of(settings.seed, "district", number)
            .below(usize::try_from(scenario.districts).unwrap_or(usize::MAX));
        for is_outside in [false, true] {
            for kind in 0..scenario.organisations.len() {
                patient.meets(scenario, (settings, places), (kind, district), is_outside);
            }
        }
        patient
    }

    fn meets(
        &mut self,
        scenario: &Scenario,
        (settings, places): (&Settings, &Places<'_>),
        (kind, district): (usize, usize),
        is_outside: bool,
    ) {
        let organisation = &scenario.organisations[kind];
        let entity = super::place::entity(kind * 2 + usize::from(is_outside), self.number);
        let mut chance = Chance::of(settings.seed, "circle", entity);
        let has_one = chance.happens(settings.value(organisation.of_patient));
        let near = places.near(kind, district);
        let usual = near.nth(chance.below(near.len()));
        let other = chance.below(places_of(organisation.count, places, kind).saturating_sub(1));
        let is_group = organisation.groups.is_empty() || organisation.groups.contains(&self.group);
        let away = settings.value(organisation.elsewhere);
        let place = match organisation.count {
            Count::EachPatient if is_outside => return,
            Count::EachPatient => Rc::new(places.place(kind, self.number)),
            Count::All(count) if is_outside => {
                let Some(here) = self.usual[kind] else {
                    return;
                };
                if away <= 0.0 || count < 2 {
                    return;
                }
                let here = self.slots[usize::from(here)].place.index;
                let other = other + usize::from(other as u64 >= here);
                Rc::clone(places.shared(kind, other))
            }
            Count::All(_) => Rc::clone(places.shared(kind, usual)),
        };
        if !is_outside {
            self.away.push(away);
            if !is_group || !has_one {
                return;
            }
        }
        let consent = &scenario.consent;
        let share = if organisation.is_emergency {
            consent.emergency
        } else {
            consent.shares
        };
        let is_shared = chance.happens(settings.value(share));
        let is_narrow = chance.happens(settings.value(consent.withholds));
        let slot = u8::try_from(self.slots.len()).expect("at most twice as many as kinds");
        self.slots.push(Slot {
            place,
            is_outside,
            is_shared: is_shared && !is_outside,
            is_narrow,
            is_shared_at_visit: is_outside && chance.happens(settings.value(consent.at_visit)),
            holds: organisation.holds,
            is_told: organisation.is_told && !is_outside,
        });
        let by_kind = if is_outside {
            &mut self.elsewhere
        } else {
            &mut self.usual
        };
        by_kind[kind] = Some(slot);
    }

    /// The usual one of a kind, where the patient has one.
    pub fn usual(&self, kind: usize) -> Option<u8> {
        self.usual[kind]
    }

    /// Whom the patient meets when one of a kind is needed.
    pub fn visits(&self, kind: usize, chance: &mut Chance) -> Option<u8> {
        let is_away = chance.happens(self.away[kind]);
        self.elsewhere[kind]
            .filter(|_| is_away)
            .or(self.usual[kind])
    }

    /// A slot.
    pub fn slot(&self, slot: u8) -> &Slot {
        &self.slots[usize::from(slot)]
    }
}

fn places_of(count: Count, places: &Places<'_>, kind: usize) -> usize {
    match count {
        Count::All(_) => places.count(kind),
        Count::EachPatient => 1,
    }
}

/// Which of several a number from 0 to 1 falls on.
fn drawn_by_weight(weights: &[f64], unit: f64) -> usize {
    let mut left = unit * weights.iter().sum::<f64>();
    for (n, weight) in weights.iter().enumerate() {
        if left < *weight {
            return n;
        }
        left -= weight;
    }
    weights.len() - 1
}
