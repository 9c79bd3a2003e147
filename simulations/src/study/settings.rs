//! The numbers of one run: a point of the sweep, and a seed.

use super::{
    chance::Chance,
    scenario::{Draw, Number, Said, Scenario, Unit},
    times::{DAY_MS, HOUR_MS, MINUTE_MS, YEAR_MS, to_ms},
};

/// A point: for some numbers, the value that they have in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its place among the points of its scenario.
    pub index: usize,
    /// The numbers that differ between points.
    pub values: Vec<(Number, f64)>,
    /// For the points of a sensitivity analysis, what was changed; empty elsewhere.
    pub changed: String,
}

/// Every number of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed.
    pub seed: u64,
    /// The end, milliseconds.
    pub end_ms: u64,
    /// From when on is measured, milliseconds.
    pub measured_from_ms: u64,
    draws: Vec<(Unit, Draw)>,
}

impl Settings {
    /// The numbers of a scenario at a point with a seed.
    pub fn of(scenario: &Scenario, point: &Point, seed: u64) -> Self {
        let mut draws = Vec::with_capacity(scenario.numbers.len());
        for (n, parameter) in scenario.numbers.iter().enumerate() {
            let fixed = point.values.iter().find(|(number, _)| number.0 == n);
            let draw = match (fixed, &parameter.said) {
                (Some((_, value)), _) => Draw::Constant(*value),
                (None, Said::Drawn(draw)) if parameter.unit.is_of_run() => {
                    let mut chance = Chance::of(seed, &parameter.name, 0);
                    Draw::Constant(chance.draw(draw))
                }
                (None, Said::Drawn(draw)) => draw.clone(),
                (None, Said::Swept(values)) => Draw::Constant(values[0]),
            };
            draws.push((parameter.unit, draw));
        }
        Self {
            seed,
            end_ms: u64::from(scenario.days) * DAY_MS,
            measured_from_ms: u64::from(scenario.warm_up_days) * DAY_MS,
            draws,
        }
    }

    /// A number that is the same in the whole run, such as a share or a rate.
    pub fn value(&self, number: Number) -> f64 {
        super::chance::mean(&self.draws[number.0].1)
    }

    /// The mean of a number that is drawn at every use, in its own unit.
    pub fn mean(&self, number: Number) -> f64 {
        self.value(number)
    }

    /// Whether something with this share happens.
    pub fn happens(&self, share: Number, chance: &mut Chance) -> bool {
        chance.happens(self.value(share))
    }

    /// A duration, milliseconds.
    pub fn ms(&self, number: Number, chance: &mut Chance) -> u64 {
        let (unit, draw) = &self.draws[number.0];
        let drawn = chance.draw(draw);
        #[expect(clippy::cast_precision_loss, reason = "a day of milliseconds fits")]
        let each = match unit {
            Unit::Minutes => MINUTE_MS as f64,
            Unit::Hours => HOUR_MS as f64,
            Unit::Days => DAY_MS as f64,
            Unit::Milliseconds
            | Unit::Share
            | Unit::PerYear
            | Unit::PerDay
            | Unit::Count
            | Unit::Bytes
            | Unit::KilobitsPerSecond => 1.0,
        };
        to_ms(drawn * each)
    }

    /// A length, bytes.
    pub fn len(&self, number: Number, chance: &mut Chance) -> u32 {
        let drawn = chance.draw(&self.draws[number.0].1);
        u32::try_from(to_ms(drawn)).unwrap_or(u32::MAX)
    }

    /// Until the next of what happens so often a year, milliseconds; nothing for never.
    pub fn until_next(&self, per_year: f64, chance: &mut Chance) -> Option<u64> {
        (per_year > 0.0).then(|| to_ms(chance.exponential(YEAR_MS / per_year)).max(1))
    }
}

/// The points of a scenario: every combination of what is swept, the last number fastest.
pub fn points(scenario: &Scenario) -> Vec<Point> {
    let mut combinations = vec![Vec::new()];
    for (number, values) in scenario.sweeps() {
        combinations = combinations
            .into_iter()
            .flat_map(|before| {
                values.iter().map(move |value| {
                    let mut with = before.clone();
                    with.push((number, *value));
                    with
                })
            })
            .collect();
    }
    let points = combinations.into_iter().enumerate();
    points
        .map(|(index, values)| Point {
            index,
            values,
            changed: String::new(),
        })
        .collect()
}

/// The points of a sensitivity analysis: each point of the sweep, and each of them with one number
/// that has a range at its lower and at its upper end.
pub fn sensitivity_points(scenario: &Scenario) -> Vec<Point> {
    let mut all = Vec::new();
    for point in points(scenario) {
        all.push(Point {
            changed: "nothing".to_owned(),
            ..point.clone()
        });
        for (n, parameter) in scenario.numbers.iter().enumerate() {
            for value in parameter.range.iter().flat_map(|(low, high)| [*low, *high]) {
                let mut with = point.clone();
                with.values.push((Number(n), value));
                with.changed = format!("{} = {value}", parameter.name);
                all.push(with);
            }
        }
    }
    for (index, point) in all.iter_mut().enumerate() {
        point.index = index;
    }
    all
}
