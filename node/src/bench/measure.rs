//! Clocks and figures.

use std::time::Instant;

use super::Figure;

/// Ticks of the kernel's processor accounts in a second, on every Linux that kith runs on.
const TICKS_PER_S: f64 = 100.0;

/// A running clock.
pub(super) struct Clock {
    started: Instant,
    processor_s: f64,
}

/// What a clock says.
pub(super) struct Took {
    pub(super) wall_s: f64,
    /// Of all threads together.
    pub(super) processor_s: f64,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            processor_s: processor_s().unwrap_or(0.0),
            started: Instant::now(),
        }
    }

    pub(super) fn stop(&self) -> Took {
        Took {
            wall_s: self.started.elapsed().as_secs_f64(),
            processor_s: processor_s().unwrap_or(0.0) - self.processor_s,
        }
    }
}

/// Processor time of this process so far, in user space and in the kernel.
fn processor_s() -> Option<f64> {
    processor_s_of("self")
}

/// The same of any process.
pub(super) fn processor_s_of(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is a name in brackets, which may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let kernel: f64 = fields.next()?.parse().ok()?;
    Some((user + kernel) / TICKS_PER_S)
}

/// Memory of a process, where the system says it.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory {
    /// The most that it ever had.
    pub(super) most_kib: f64,
    /// What it has now.
    pub(super) now_kib: f64,
}

/// The memory of a process.
pub(super) fn memory_of(process: &str) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let said = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Memory {
        most_kib: said("VmHWM:").unwrap_or_default(),
        now_kib: said("VmRSS:").unwrap_or_default(),
    }
}

/// The most memory that this process ever had, where the system says it.
pub(super) fn peak_memory_kib() -> Option<f64> {
    Some(memory_of("self").most_kib).filter(|kib| *kib > 0.0)
}

/// Bytes that the loopback device has carried, with every header, for whatever program; nothing
/// where the system does not say it.
pub(super) fn loopback_bytes() -> f64 {
    let devices = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let said = devices.lines().find_map(|line| {
        let carried = line.trim().strip_prefix("lo:")?;
        carried.split_ascii_whitespace().next()?.parse().ok()
    });
    said.unwrap_or_default()
}

/// The value under which `share` of them are; they ascend.
pub(super) fn share_of(ascending: &[f64], share: f64) -> f64 {
    let nth = (ascending.len() as f64 * share).ceil().max(1.0);
    let mut at = ascending.iter().zip(1_u32..);
    let found = at.find(|(_, n)| f64::from(*n) >= nth);
    found.map_or(0.0, |(value, _)| *value)
}

/// The middle one; of an even number the upper of both.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The table as it grows.
#[derive(Default)]
pub(super) struct Figures(pub(super) Vec<Figure>);

impl Figures {
    pub(super) fn note(&mut self, what: &str, value: f64, unit: &'static str) {
        self.aim(what, value, unit, None);
    }

    pub(super) fn aim(&mut self, what: &str, value: f64, unit: &'static str, aim: Option<f64>) {
        self.0.push(Figure {
            what: what.to_owned(),
            value,
            unit,
            aim,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{median, share_of};

    #[test]
    fn of_a_hundred_values_95_are_within_the_95th() {
        let values: Vec<_> = (1..=100).map(f64::from).collect();
        assert!((share_of(&values, 0.95) - 95.0).abs() < f64::EPSILON);
        assert!((share_of(&values, 0.5) - 50.0).abs() < f64::EPSILON);
    }

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        assert!((median(vec![3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
    }
}
