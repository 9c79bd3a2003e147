//! Tidy tables: a row for each value, a column for each thing that it depends on.

use std::fmt::Write;

use super::{
    metric::{Cell, METRICS, Metric},
    run::RunResult,
    scenario::Scenario,
    settings::Point,
    statistics::{Estimate, estimate, paired},
};

/// Everything of a folder that tables and reports are made of.
pub struct Results<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// The points.
    pub points: &'a [Point],
    /// What came of every run, in the order of points and seeds.
    pub runs: &'a [RunResult],
}

/// What a value is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// `all`, `at:KIND` or `group:NAME`.
    pub name: String,
    cell: usize,
}

impl<'a> Results<'a> {
    /// What values can be of: all, kinds of organisations, groups.
    pub fn of(&self) -> Vec<Of> {
        let kinds = self
            .scenario
            .organisations
            .iter()
            .map(|one| format!("at:{}", one.name));
        let groups = self
            .scenario
            .groups
            .iter()
            .map(|one| format!("group:{}", one.name));
        let names = std::iter::once("all".to_owned()).chain(kinds).chain(groups);
        names
            .enumerate()
            .map(|(cell, name)| Of { name, cell })
            .collect()
    }

    /// One of what values can be of.
    pub fn of_named(&self, name: &str) -> Option<Of> {
        self.of().into_iter().find(|of| of.name == name)
    }

    /// The names of the arms.
    pub fn arms(&self) -> Vec<&'a str> {
        let first = self.runs.first();
        first.map_or_else(Vec::new, |run| {
            run.arms.iter().map(|arm| arm.arm.as_str()).collect()
        })
    }

    /// The runs of a point, in the order of seeds.
    pub fn runs_at(&self, point: usize) -> impl Iterator<Item = &'a RunResult> {
        self.runs.iter().filter(move |run| run.point == point)
    }

    /// The values of a metric at a point, a seed each.
    pub fn values(&self, point: usize, arm: usize, metric: &Metric, of: &Of) -> Vec<Option<f64>> {
        let is_simulated = metric.is_simulated(self.arms()[arm]);
        let runs = self.runs_at(point).filter(|_| is_simulated);
        runs.map(|run| metric.value(&run.arms[arm].cells[of.cell]))
            .collect()
    }

    /// The mean of a metric at a point.
    pub fn estimate(&self, point: usize, arm: usize, metric: &Metric, of: &Of) -> Option<Estimate> {
        let values = self.values(point, arm, metric, of);
        estimate(&values.into_iter().flatten().collect::<Vec<_>>())
    }

    /// How much higher a metric is in one arm than in another, within each seed.
    pub fn difference(
        &self,
        point: usize,
        arms: (usize, usize),
        metric: &Metric,
        of: &Of,
    ) -> Option<Estimate> {
        let ours = self.values(point, arms.0, metric, of);
        let theirs = self.values(point, arms.1, metric, of);
        paired(ours.into_iter().zip(theirs))
    }

    /// The numbers that differ between points, by name.
    pub fn swept(&self) -> Vec<&'a str> {
        let sweeps = self.scenario.sweeps().into_iter();
        sweeps
            .map(|(number, _)| self.scenario.parameter(number).name.as_str())
            .collect()
    }

    /// The values that they have at a point.
    pub fn swept_at(&self, point: &Point) -> Vec<f64> {
        let sweeps = self.scenario.sweeps().into_iter();
        sweeps
            .filter_map(|(number, _)| {
                let at = point.values.iter().rev().find(|(of, _)| *of == number);
                at.map(|(_, value)| *value)
            })
            .collect()
    }

    fn columns(&self, point: &Point) -> String {
        let mut columns = format!("{},{}", self.scenario.name, point.index);
        for value in self.swept_at(point) {
            write!(columns, ",{value}").expect("writing to a text");
        }
        write!(columns, ",{}", quoted(&point.changed)).expect("writing to a text");
        columns
    }

    fn names(&self) -> String {
        let mut names = "scenario,point".to_owned();
        for name in self.swept() {
            write!(names, ",{}", quoted(name)).expect("writing to a text");
        }
        names + ",changed"
    }

    /// `runs.csv`: a row for each run, arm, thing and metric.
    pub fn runs_csv(&self) -> String {
        let mut csv = format!(
            "{},seed,arm,of,metric,unit,value,above,below\n",
            self.names()
        );
        for run in self.runs {
            let columns = self.columns(&self.points[run.point]);
            for arm in &run.arms {
                for of in self.of() {
                    let cell: &Cell = &arm.cells[of.cell];
                    for metric in METRICS.iter().filter(|one| one.is_simulated(&arm.arm)) {
                        let (above, below) = metric.parts(cell);
                        if let Some(value) = metric.value(cell) {
                            let (seed, arm, of) = (run.seed, quoted(&arm.arm), quoted(&of.name));
                            let (name, unit) = (metric.name, metric.unit);
                            writeln!(
                                csv,
                                "{columns},{seed},{arm},{of},{name},{unit},{value},{above},{below}"
                            )
                            .expect("writing to a text");
                        }
                    }
                }
            }
        }
        csv
    }

    /// `estimates.csv`: means over seeds with 95 % intervals.
    pub fn estimates_csv(&self) -> String {
        let mut csv = format!("{},arm,of,metric,unit,seeds,mean,low,high\n", self.names());
        self.each(|columns, point, arm, of, metric| {
            let Some(found) = self.estimate(point, arm, metric, of) else {
                return;
            };
            let name = quoted(self.arms()[arm]);
            writeln!(
                csv,
                "{columns},{name},{},{},{},{}",
                quoted(&of.name),
                metric.name,
                metric.unit,
                cells(&found)
            )
            .expect("writing to a text");
        });
        csv
    }

    /// `differences.csv`: how much more an arm has than each baseline, paired by seeds.
    pub fn differences_csv(&self) -> String {
        let mut csv = format!(
            "{},arm,against,of,metric,unit,seeds,difference,low,high\n",
            self.names()
        );
        let arms = self.arms();
        self.each(|columns, point, arm, of, metric| {
            if !arms[arm].starts_with("federated") {
                return;
            }
            for (against, name) in arms.iter().enumerate() {
                if against == arm {
                    continue;
                }
                if let Some(found) = self.difference(point, (arm, against), metric, of) {
                    let (ours, theirs) = (quoted(arms[arm]), quoted(name));
                    let (of, metric, unit) = (quoted(&of.name), metric.name, metric.unit);
                    writeln!(
                        csv,
                        "{columns},{ours},{theirs},{of},{metric},{unit},{}",
                        cells(&found)
                    )
                    .expect("writing to a text");
                }
            }
        });
        csv
    }

    fn each(&self, mut takes: impl FnMut(&str, usize, usize, &Of, &Metric)) {
        for point in self.points {
            let columns = self.columns(point);
            for arm in 0..self.arms().len() {
                for of in self.of() {
                    for metric in &METRICS {
                        takes(&columns, point.index, arm, &of, metric);
                    }
                }
            }
        }
    }
}

fn cells(found: &Estimate) -> String {
    let (low, high) = found
        .interval
        .map_or((String::new(), String::new()), |(low, high)| {
            (low.to_string(), high.to_string())
        });
    format!("{},{},{low},{high}", found.count, found.mean)
}

/// A cell of a table.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
