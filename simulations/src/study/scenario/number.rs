//! Numbers of a scenario: a constant, a distribution or a sweep, and where each comes from.

use serde::Serialize;
use toml::de::DeValue;

use super::{
    problem::Problems,
    table::{Placed, Table, as_number, kind},
};

/// Names a number of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub(crate) usize);

/// What a number measures, which says what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A part of a whole, from 0 to 1. A distribution of it is drawn once for each run.
    Share,
    /// How often in a year. A distribution of it is drawn once for each run.
    PerYear,
    /// How often in a day. A distribution of it is drawn once for each run.
    PerDay,
    /// How many on average. A distribution of it is drawn once for each run.
    Count,
    /// Milliseconds, drawn at every use.
    Milliseconds,
    /// Minutes, drawn at every use.
    Minutes,
    /// Hours, drawn at every use.
    Hours,
    /// Days, drawn at every use.
    Days,
    /// Bytes, drawn at every use.
    Bytes,
    /// Kilobits in a second. A distribution of it is drawn once for each run.
    KilobitsPerSecond,
}

impl Unit {
    /// Whether a distribution is drawn once for each run; otherwise it is drawn at every use.
    pub const fn is_of_run(self) -> bool {
        match self {
            Self::Share | Self::PerYear | Self::PerDay | Self::Count | Self::KilobitsPerSecond => {
                true
            }
            Self::Milliseconds | Self::Minutes | Self::Hours | Self::Days | Self::Bytes => false,
        }
    }

    /// How people read it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::PerYear => "a year",
            Self::PerDay => "a day",
            Self::Count => "count",
            Self::Milliseconds => "ms",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
            Self::Bytes => "bytes",
            Self::KilobitsPerSecond => "kbit/s",
        }
    }

    fn fault(self, value: f64) -> Option<&'static str> {
        if !value.is_finite() {
            Some("a number that ends")
        } else if self == Self::Share && !(0.0..=1.0).contains(&value) {
            Some("a share from 0 to 1")
        } else if self == Self::KilobitsPerSecond && value <= 0.0 {
            Some("more than 0")
        } else if value < 0.0 {
            Some("0 or more")
        } else {
            None
        }
    }
}

/// How a number is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Draw {
    /// Always the same.
    Constant(f64),
    /// Exponential, by its mean.
    Exponential(f64),
    /// Lognormal, by its median and the standard deviation of its logarithm.
    Lognormal(f64, f64),
    /// Anything between two ends alike.
    Uniform(f64, f64),
    /// Least, most likely, most.
    Triangular(f64, f64, f64),
    /// One of several alike.
    OneOf(Vec<f64>),
}

/// What a scenario says of a number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// It is drawn, or always the same.
    Drawn(Draw),
    /// It takes each of these in turn.
    Swept(Vec<f64>),
}

/// Where a number comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// Somebody published it: the source, as the scenario gives it.
    Source(String),
    /// Nobody published it: why it was chosen.
    Assumption(String),
    /// The scenario says nothing.
    Unmarked,
    /// The scenario leaves it out, and this is what stands for it.
    Default,
}

/// A number with everything that a reader of a result has to know about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name, such as `baseline.letter.same_day`.
    pub name: String,
    /// What it measures.
    pub unit: Unit,
    /// What it is.
    pub said: Said,
    /// Where it comes from.
    pub origin: Origin,
    /// How low and how high it may be: what the sensitivity of a result is asked for.
    pub range: Option<(f64, f64)>,
}

/// The numbers of a scenario as they are found.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Each number, in the order of the file.
    pub all: Vec<Parameter>,
}

impl Numbers {
    /// A number of a table, or what stands for it when it is left out.
    pub fn read(
        &mut self,
        table: &mut Table<'_>,
        (prefix, key): (&str, &'static str),
        unit: Unit,
        default: f64,
        problems: &mut Problems<'_>,
    ) -> Number {
        let name = format!("{prefix}.{key}");
        let parameter = match table.get(key) {
            Some(value) => parameter(name, unit, value, problems),
            None => Parameter {
                name,
                unit,
                said: Said::Drawn(Draw::Constant(default)),
                origin: Origin::Default,
                range: None,
            },
        };
        self.all.push(parameter);
        Number(self.all.len() - 1)
    }
}

fn parameter(
    name: String,
    unit: Unit,
    value: Placed<'_>,
    problems: &mut Problems<'_>,
) -> Parameter {
    let mut parameter = Parameter {
        name,
        unit,
        said: Said::Drawn(Draw::Constant(0.0)),
        origin: Origin::Unmarked,
        range: None,
    };
    let reading = Reading {
        name: parameter.name.clone(),
        unit,
    };
    if let DeValue::Table(inner) = value.get_ref() {
        let name = format!("`{}`", parameter.name);
        let mut table = Table::of(name, inner, value.span());
        reading.fills(&mut parameter, &mut table, problems);
        table.end(problems);
    } else if let Some(number) = reading.number(value, problems) {
        parameter.said = Said::Drawn(Draw::Constant(number));
    }
    parameter
}

/// A number while it is read.
struct Reading {
    name: String,
    unit: Unit,
}

impl Reading {
    fn fills(&self, into: &mut Parameter, table: &mut Table<'_>, problems: &mut Problems<'_>) {
        let source = table.text("source", problems);
        let assumption = table.text("assumption", problems);
        into.origin = match (source, assumption) {
            (Some(_), Some(_)) => {
                let said = format!("`{}` has a source and is an assumption", self.name);
                problems.add(table.at(), said, "keep one of the two");
                Origin::Unmarked
            }
            (Some(source), None) => Origin::Source(source),
            (None, Some(why)) => Origin::Assumption(why),
            (None, None) => Origin::Unmarked,
        };
        if let Some(said) = self.said(table, problems) {
            into.said = said;
        }
        let range = table.get("range");
        into.range = range.and_then(|value| match self.list(value, 2, problems)?[..] {
            [low, high] if low <= high => Some((low, high)),
            _ => {
                let said = format!("the range of `{}` goes down", self.name);
                problems.add(value.span().start, said, "write the lower end first");
                None
            }
        });
    }

    fn said(&self, table: &mut Table<'_>, problems: &mut Problems<'_>) -> Option<Said> {
        let mut said = Vec::new();
        for key in [
            "value",
            "sweep",
            "exponential",
            "lognormal",
            "uniform",
            "triangular",
            "one_of",
        ] {
            if let Some(value) = table.get(key) {
                said.push((key, value));
            }
        }
        let [(key, value)] = said[..] else {
            let what = if said.is_empty() {
                "says no number"
            } else {
                "says more than one number"
            };
            problems.add(
                table.at(),
                format!("`{}` {what}", self.name),
                "write one of: { value = 1 }, { sweep = [1, 2] }, { exponential = MEAN }, \
                 { lognormal = [MEDIAN, SIGMA] }, { uniform = [LOW, HIGH] }, \
                 { triangular = [LOW, MODE, HIGH] }, { one_of = [1, 2] }",
            );
            return None;
        };
        let at = value.span().start;
        let drawn = match key {
            "value" => Draw::Constant(self.number(value, problems)?),
            "sweep" => return self.sweep(value, problems).map(Said::Swept),
            "exponential" => Draw::Exponential(self.number(value, problems)?),
            "lognormal" => match self.list(value, 2, problems)?[..] {
                [median, sigma] => Draw::Lognormal(median, sigma),
                _ => return None,
            },
            "uniform" => match self.list(value, 2, problems)?[..] {
                [low, high] if low <= high => Draw::Uniform(low, high),
                _ => return self.goes_down(at, problems),
            },
            "triangular" => match self.list(value, 3, problems)?[..] {
                [low, mode, high] if low <= mode && mode <= high => {
                    Draw::Triangular(low, mode, high)
                }
                _ => return self.goes_down(at, problems),
            },
            _ => Draw::OneOf(self.list(value, 0, problems)?),
        };
        if self.unit == Unit::Share && matches!(drawn, Draw::Exponential(_) | Draw::Lognormal(..)) {
            let said = format!("`{}` is a share, and this goes beyond 1", self.name);
            problems.add(
                at,
                said,
                "write { uniform = [0.2, 0.4] } or { triangular = [0.2, 0.3, 0.5] }",
            );
            return None;
        }
        Some(Said::Drawn(drawn))
    }

    fn goes_down<T>(&self, at: usize, problems: &mut Problems<'_>) -> Option<T> {
        let said = format!("the distribution of `{}` goes down", self.name);
        problems.add(at, said, "write the lowest first");
        None
    }

    fn sweep(&self, value: Placed<'_>, problems: &mut Problems<'_>) -> Option<Vec<f64>> {
        let at = value.span().start;
        let DeValue::Table(inner) = value.get_ref() else {
            let values = self.list(value, 0, problems)?;
            if let Some(twice) = (1..values.len()).find(|n| values[..*n].contains(&values[*n])) {
                let said = format!("the sweep of `{}` has {} twice", self.name, values[twice]);
                problems.add(at, said, "write each value once");
                return None;
            }
            return Some(values);
        };
        let mut table = Table::of(format!("the sweep of `{}`", self.name), inner, value.span());
        let from = table.get("from").and_then(|one| self.number(one, problems));
        let to = table.get("to").and_then(|one| self.number(one, problems));
        let steps = table.whole("steps", 2, problems);
        table.end(problems);
        let instead =
            "write sweep = { from = 0.1, to = 1.0, steps = 10 } or sweep = [0.1, 0.5, 1.0]";
        let (Some(from), Some(to), Some(steps)) = (from, to, steps) else {
            let said = format!("the sweep of `{}` wants from, to and steps", self.name);
            problems.add(at, said, instead);
            return None;
        };
        if from >= to || steps > 1000 {
            let said = format!(
                "the sweep of `{}` is impossible: from {from} to {to} in {steps} steps",
                self.name
            );
            problems.add(at, said, instead);
            return None;
        }
        let apart = (to - from) / f64::from(steps - 1);
        Some(
            (0..steps)
                .map(|n| rounded(from + apart * f64::from(n)))
                .collect(),
        )
    }

    /// A list of so many numbers, or of any number above none where that is 0.
    fn list(
        &self,
        value: Placed<'_>,
        count: usize,
        problems: &mut Problems<'_>,
    ) -> Option<Vec<f64>> {
        let many = if let DeValue::Array(all) = value.get_ref() {
            if all.is_empty() {
                "an empty list".to_owned()
            } else if count == 0 || all.len() == count {
                return all.iter().map(|one| self.number(one, problems)).collect();
            } else {
                format!("a list of {}", all.len())
            }
        } else {
            kind(value.get_ref()).to_owned()
        };
        let wanted = match count {
            0 => "a list of numbers, such as [0.1, 0.5, 1.0]".to_owned(),
            count => format!("a list of {count} numbers"),
        };
        let said = format!("`{}` has {many} here", self.name);
        problems.add(value.span().start, said, format!("write {wanted}"));
        None
    }

    fn number(&self, value: Placed<'_>, problems: &mut Problems<'_>) -> Option<f64> {
        let at = value.span().start;
        let Some(number) = as_number(value.get_ref()) else {
            let said = format!(
                "`{}` is {}, and wants a number",
                self.name,
                kind(value.get_ref())
            );
            problems.add(
                at,
                said,
                "write a number, or { value = 0.4, source = \"…\" }, or { sweep = [0.1, 0.5] }",
            );
            return None;
        };
        let Some(wanted) = self.unit.fault(number) else {
            return Some(number);
        };
        let said = format!(
            "`{}` is {number}; it counts {} and has to be {wanted}",
            self.name,
            self.unit.in_words()
        );
        let instead = if self.unit == Unit::Share && number > 1.0 && number <= 100.0 {
            format!(
                "write {} for {number} in a hundred",
                rounded(number / 100.0)
            )
        } else if number < 0.0 {
            format!("write {} if the sign slipped in", -number)
        } else {
            format!("write {wanted}")
        };
        problems.add(at, said, instead);
        None
    }
}

/// Without the last digits that binary fractions leave.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
