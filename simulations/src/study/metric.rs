//! What is counted in a run, and the metrics that are made of it.

use serde::{Deserialize, Serialize};

use super::times::HOUR_MS;

/// What is counted. Durations are summed in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Needs to know something that somebody had written.
    Reads,
    /// All that counts was there.
    Current,
    /// Something older was there, and acting on it is not wrong.
    Stale,
    /// Something older was there, and acting on it is wrong.
    Wrong,
    /// It is not shared with whoever needed it.
    Denied,
    /// Nothing was there.
    Nothing,
    /// Looks at a list of medicines of which something was there.
    Lists,
    /// By how much those were behind.
    ListsBehindMs,
    /// Events of which somebody has to be told.
    Notices,
    /// Those of which all were told within an hour.
    ToldInHour,
    /// Those of which all were told within a day.
    ToldInDay,
    /// Those of which all were told before the end.
    ToldAll,
    /// How long that took.
    ToldMs,
    /// Holders that have to learn that sharing was stopped.
    Stops,
    /// Those who knew within an hour.
    StopsInHour,
    /// Those who knew within a day.
    StopsInDay,
    /// Those who knew before the end.
    StopsKnown,
    /// How long that took.
    StopsMs,
    /// Looks by somebody with whom sharing was stopped and who did not know.
    ReadsAfterStop,
    /// Those that showed something written after the stop.
    UnauthorisedReads,
    /// Records of which copies differed when something was mended.
    Heals,
    /// Those whose copies were equal within a day.
    HealedInDay,
    /// Those whose copies were equal before the end.
    Healed,
    /// How long that took.
    HealedMs,
    /// Entries.
    Writes,
    /// Entries that nobody has any more.
    Lost,
    /// Bytes that nodes sent and received.
    Bytes,
    /// Nodes, each for each day.
    NodeDays,
}

/// How many counters there are.
pub const COUNTERS: usize = Counter::NodeDays as usize + 1;

/// Everything that is counted of one thing: of all, of one kind of organisations, of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell(pub Vec<u64>);

impl Default for Cell {
    fn default() -> Self {
        Self(vec![0; COUNTERS])
    }
}

impl Cell {
    /// One more, or some more.
    pub fn add(&mut self, counter: Counter, more: u64) {
        self.0[counter as usize] += more;
    }

    /// How many.
    pub fn of(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }
}

/// A ratio of two things that are counted.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in tables.
    pub name: &'static str,
    /// Its name for people.
    pub words: &'static str,
    /// Its unit: `share`, or what it counts.
    pub unit: &'static str,
    /// What is counted above.
    pub above: &'static [Counter],
    /// What is counted below; one where there is nothing.
    pub below: Option<Counter>,
    /// What one of the unit is, in what is counted.
    pub each: f64,
}

const HOUR: f64 = HOUR_MS as f64;
const DAY: f64 = 24.0 * HOUR;

/// Every metric.
pub const METRICS: [Metric; 22] = {
    use Counter::*;
    const fn share(
        name: &'static str,
        words: &'static str,
        above: &'static [Counter],
        below: Counter,
    ) -> Metric {
        Metric {
            name,
            words,
            unit: "share",
            above,
            below: Some(below),
            each: 1.0,
        }
    }
    const fn mean(
        name: &'static str,
        words: &'static str,
        unit: &'static str,
        above: &'static [Counter],
        below: Counter,
        each: f64,
    ) -> Metric {
        Metric {
            name,
            words,
            unit,
            above,
            below: Some(below),
            each,
        }
    }
    const fn count(name: &'static str, words: &'static str, above: &'static [Counter]) -> Metric {
        Metric {
            name,
            words,
            unit: "in a run",
            above,
            below: None,
            each: 1.0,
        }
    }
    [
        share(
            "available_current",
            "what was needed was there and current",
            &[Current],
            Reads,
        ),
        share(
            "available_any",
            "some version of what was needed was there",
            &[Current, Stale, Wrong],
            Reads,
        ),
        share(
            "stale",
            "only an older version was there, not wrong to act on",
            &[Stale],
            Reads,
        ),
        share(
            "wrong",
            "only a version was there that is wrong to act on",
            &[Wrong],
            Reads,
        ),
        share(
            "denied",
            "it was not shared with whoever needed it",
            &[Denied],
            Reads,
        ),
        share("nothing", "nothing was there", &[Nothing], Reads),
        mean(
            "medicines_behind_days",
            "how far the list of medicines was behind",
            "days",
            &[ListsBehindMs],
            Lists,
            DAY,
        ),
        share(
            "told_all_1h",
            "all were told of an event within an hour",
            &[ToldInHour],
            Notices,
        ),
        share(
            "told_all_24h",
            "all were told of an event within a day",
            &[ToldInDay],
            Notices,
        ),
        share(
            "told_all",
            "all were told of an event before the end",
            &[ToldAll],
            Notices,
        ),
        mean(
            "told_all_hours",
            "until all were told, where all were",
            "hours",
            &[ToldMs],
            ToldAll,
            HOUR,
        ),
        share(
            "stop_known_1h",
            "holders knew within an hour that sharing was stopped",
            &[StopsInHour],
            Stops,
        ),
        share(
            "stop_known_24h",
            "holders knew within a day that sharing was stopped",
            &[StopsInDay],
            Stops,
        ),
        mean(
            "stop_hours",
            "until holders knew that sharing was stopped, those who did",
            "hours",
            &[StopsMs],
            StopsKnown,
            HOUR,
        ),
        count(
            "reads_after_stop",
            "looks by somebody who did not know yet that sharing was stopped",
            &[ReadsAfterStop],
        ),
        count(
            "unauthorised_reads",
            "looks that showed what was written after sharing was stopped",
            &[UnauthorisedReads],
        ),
        share(
            "healed_24h",
            "copies that differed were equal within a day after something was mended",
            &[HealedInDay],
            Heals,
        ),
        mean(
            "healed_hours",
            "until copies that differed were equal after something was mended",
            "hours",
            &[HealedMs],
            Healed,
            HOUR,
        ),
        count("lost_writes", "entries that nobody has any more", &[Lost]),
        mean(
            "bytes_per_node_day",
            "bytes sent and received by a node in a day",
            "bytes",
            &[Bytes],
            NodeDays,
            1.0,
        ),
        count(
            "reads",
            "needs to know something that was written",
            &[Reads],
        ),
        count("writes", "entries", &[Writes]),
    ]
};

/// The names of all metrics.
pub const NAMES: [&str; METRICS.len()] = {
    let mut names = [""; METRICS.len()];
    let mut n = 0;
    while n < names.len() {
        names[n] = METRICS[n].name;
        n += 1;
    }
    names
};

impl Metric {
    /// The metric with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|one| one.name == name)
    }

    /// Whether it is simulated in an arm. What nodes send and hold is so for the federated record
    /// alone; of the baselines nothing is known of that.
    pub fn is_simulated(&self, arm: &str) -> bool {
        let of_nodes = [
            "stop_known_1h",
            "stop_known_24h",
            "stop_hours",
            "healed_24h",
            "healed_hours",
            "lost_writes",
            "bytes_per_node_day",
        ];
        arm.starts_with("federated") || !of_nodes.contains(&self.name)
    }

    /// What is above and what is below in a cell.
    pub fn parts(&self, cell: &Cell) -> (u64, u64) {
        let above = self.above.iter().map(|counter| cell.of(*counter)).sum();
        (above, self.below.map_or(1, |below| cell.of(below)))
    }

    /// Its value in a cell; nothing where nothing is below.
    pub fn value(&self, cell: &Cell) -> Option<f64> {
        let (above, below) = self.parts(cell);
        #[expect(
            clippy::cast_precision_loss,
            reason = "sums of a run stay far below 2^53"
        )]
        let value = above as f64 / below as f64 / self.each;
        (below > 0).then_some(value)
    }
}

/// What was counted in one arm of one run: of all, of each kind of organisations, of each group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many kinds there are.
    kinds: usize,
    /// All, then the kinds, then the groups.
    pub cells: Vec<Cell>,
}

impl Tally {
    /// Nothing was counted.
    pub fn new(kinds: usize, groups: usize) -> Self {
        Self {
            kinds,
            cells: vec![Cell::default(); 1 + kinds + groups],
        }
    }

    /// Something is counted at a kind of organisations for somebody of a group.
    pub fn add(&mut self, counter: Counter, (kind, group): (usize, usize), more: u64) {
        for cell in [0, 1 + kind, 1 + self.kinds + group] {
            self.cells[cell].add(counter, more);
        }
    }

    /// Something that takes time is done: of whom, how many within an hour, a day, at all, and how
    /// long.
    pub fn add_lasting(&mut self, counters: [Counter; 4], of: (usize, usize), ms: u64) {
        let [in_hour, in_day, at_all, sum] = counters;
        if ms <= HOUR_MS {
            self.add(in_hour, of, 1);
        }
        if ms <= 24 * HOUR_MS {
            self.add(in_day, of, 1);
        }
        self.add(at_all, of, 1);
        self.add(sum, of, ms);
    }
}
