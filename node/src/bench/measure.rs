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
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in brackets, which may hold spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let kernel: f64 = fields.next()?.parse().ok()?;
    Some((user + kernel) / TICKS_PER_S)
}

/// The most memory that this process ever had, where the system says it.
pub(super) fn peak_memory_kib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
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
    use super::median;

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        assert!((median(vec![3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
    }
}
