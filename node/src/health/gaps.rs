//! Where a stream of readings was silent for longer than it usually is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Readings from which it can be told how often they usually come.
const READINGS_MIN: usize = 4;

/// A silence is told where it lasts longer than this many of the usual times, in tenths.
const LONGER_TENTHS: i64 = 25;

/// A silence in a stream of readings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The reading before it, as recorded.
    pub from: String,
    /// The reading after it.
    pub to: String,
    /// How many readings would have come, about.
    pub missing: u64,
}

/// How often readings come, seconds: the middle one of the times between them; nothing where they
/// are too few, or several at one moment.
pub fn usual_s(times: &[String]) -> Option<i64> {
    let moments = moments(times);
    if moments.len() < READINGS_MIN {
        return None;
    }
    let mut between: Vec<i64> = moments
        .windows(2)
        .map(|pair| pair[1].0.as_second() - pair[0].0.as_second())
        .collect();
    between.sort_unstable();
    between.get(between.len() / 2).copied().filter(|s| *s > 0)
}

/// The silences in a stream, where a reading is expected every so many seconds.
pub fn gaps(times: &[String], every_s: i64) -> Vec<Gap> {
    if every_s <= 0 {
        return Vec::new();
    }
    let moments = moments(times);
    let pairs = moments.windows(2).filter_map(|pair| {
        let ((from, said), (to, then)) = (pair[0], pair[1]);
        let lasted = to.as_second() - from.as_second();
        let is_long = lasted.saturating_mul(10) > every_s.saturating_mul(LONGER_TENTHS);
        is_long.then(|| Gap {
            from: said.to_owned(),
            to: then.to_owned(),
            missing: u64::try_from(lasted / every_s - 1).unwrap_or(0),
        })
    });
    pairs.collect()
}

/// Times in their order, days as their beginnings.
fn moments(times: &[String]) -> Vec<(Timestamp, &str)> {
    let mut moments: Vec<(Timestamp, &str)> = times
        .iter()
        .filter_map(|text| {
            let day = || format!("{}T00:00:00Z", text.get(..10)?).parse().ok();
            let moment = text.parse().ok().or_else(day)?;
            Some((moment, text.as_str()))
        })
        .collect();
    moments.sort_unstable();
    moments
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Gap, gaps, usual_s};

    fn days(days: &[u32]) -> Vec<String> {
        days.iter().map(|day| format!("2026-05-{day:02}")).collect()
    }

    #[test]
    fn a_silence_is_told_and_a_late_reading_is_not() {
        let times = days(&[1, 2, 3, 5, 6, 12, 13]);
        assert_eq!(usual_s(&times), Some(86_400));
        let gap = Gap {
            from: "2026-05-06".to_owned(),
            to: "2026-05-12".to_owned(),
            missing: 5,
        };
        assert_eq!(gaps(&times, 86_400), [gap]);
        assert_eq!(gaps(&times, 7 * 86_400), []);
    }

    #[test]
    fn of_few_readings_nothing_is_said() {
        assert_eq!(usual_s(&days(&[1, 2, 9])), None);
        assert_eq!(usual_s(&days(&[1, 1, 1, 1, 1])), None);
        assert_eq!(gaps(&days(&[1]), 1), []);
        assert_eq!(gaps(&days(&[1, 9]), 0), []);
    }

    proptest! {
        /// What comes as often as is expected has no gap, in whatever order it is given.
        #[test]
        fn a_steady_stream_has_no_gap(count in 2..60i64, every_s in 1..100_000i64, seed in 0..60usize) {
            let mut times: Vec<String> = (0..count)
                .map(|n| jiff::Timestamp::from_second(n * every_s).expect("a time").to_string())
                .collect();
            let middle = seed % times.len();
            times.rotate_left(middle);
            prop_assert_eq!(gaps(&times, every_s), []);
        }
    }
}
