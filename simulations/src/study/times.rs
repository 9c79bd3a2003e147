//! Spans of time: when a device is on the network, when a system answers.

use super::chance::Chance;

/// Milliseconds in a minute, an hour, a day and a year of 365 days.
pub const MINUTE_MS: u64 = 60_000;
/// See [`MINUTE_MS`].
pub const HOUR_MS: u64 = 60 * MINUTE_MS;
/// See [`MINUTE_MS`].
pub const DAY_MS: u64 = 24 * HOUR_MS;
/// See [`MINUTE_MS`].
pub const YEAR_MS: f64 = 365.0 * 86_400_000.0;

/// Spans from a moment up to and without another one, in order and apart; or all of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    spans: Option<Vec<(u64, u64)>>,
}

impl Times {
    /// All of time.
    pub const fn always() -> Self {
        Self { spans: None }
    }

    /// These spans, which may overlap.
    pub fn of(mut spans: Vec<(u64, u64)>) -> Self {
        spans.retain(|(from, to)| from < to);
        spans.sort_unstable();
        let mut apart: Vec<(u64, u64)> = Vec::with_capacity(spans.len());
        for (from, to) in spans {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        Self { spans: Some(apart) }
    }

    /// So often a year at random, each so long.
    pub fn at_random(
        per_year: f64,
        until_ms: u64,
        chance: &mut Chance,
        mut length_ms: impl FnMut(&mut Chance) -> u64,
    ) -> Vec<(u64, u64)> {
        let mut spans = Vec::new();
        if per_year <= 0.0 {
            return spans;
        }
        let mut at = 0;
        loop {
            at += to_ms(chance.exponential(YEAR_MS / per_year));
            if at >= until_ms {
                return spans;
            }
            spans.push((at, at + length_ms(chance)));
        }
    }

    /// All of time but these spans.
    pub fn but(spans: Vec<(u64, u64)>) -> Self {
        if spans.is_empty() {
            return Self::always();
        }
        Self::always().without(&Self::of(spans))
    }

    /// Whether it is all of time.
    pub const fn is_always(&self) -> bool {
        self.spans.is_none()
    }

    /// The spans, where it is not all of time.
    pub fn spans(&self) -> &[(u64, u64)] {
        self.spans.as_deref().unwrap_or_default()
    }

    /// Whether a moment is in it.
    pub fn has(&self, at_ms: u64) -> bool {
        self.next(at_ms) == Some(at_ms)
    }

    /// The first moment in it that is not before another.
    pub fn next(&self, at_ms: u64) -> Option<u64> {
        let Some(spans) = &self.spans else {
            return Some(at_ms);
        };
        let place = spans.partition_point(|(_, to)| *to <= at_ms);
        spans.get(place).map(|(from, _)| at_ms.max(*from))
    }

    /// The first moment in both that is not before another.
    pub fn next_with(&self, other: &Self, at_ms: u64) -> Option<u64> {
        let mut at = at_ms;
        loop {
            let ours = self.next(at)?;
            let both = other.next(ours)?;
            if both == ours {
                return Some(both);
            }
            at = both;
        }
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let Some(taken) = &other.spans else {
            return Self::of(Vec::new());
        };
        let ours = self.spans.clone().unwrap_or_else(|| vec![(0, u64::MAX)]);
        let mut left = Vec::new();
        for (mut from, to) in ours {
            let first = taken.partition_point(|(_, end)| *end <= from);
            for (off, on) in taken[first..].iter().take_while(|(off, _)| *off < to) {
                if from < *off {
                    left.push((from, *off));
                }
                from = from.max(*on);
            }
            if from < to {
                left.push((from, to));
            }
        }
        Self::of(left)
    }
}

/// Milliseconds from a duration that was drawn; a century where it is longer.
pub fn to_ms(ms: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and a century"
    )]
    let ms = ms.clamp(0.0, 100.0 * YEAR_MS) as u64;
    ms
}

#[cfg(test)]
mod tests {
    use super::Times;

    #[test]
    fn spans_are_cut_out_of_spans() {
        let day = Times::of(vec![(8, 18), (32, 42)]);
        let broken = Times::of(vec![(0, 9), (12, 13), (17, 33)]);
        assert_eq!(
            day.without(&broken),
            Times::of(vec![(9, 12), (13, 17), (33, 42)])
        );
        assert_eq!(Times::but(vec![(3, 5)]).next(4), Some(5));
        assert_eq!(Times::but(Vec::new()), Times::always());
    }

    #[test]
    fn two_meet_when_both_are_there() {
        let a = Times::of(vec![(0, 10), (20, 30)]);
        let b = Times::of(vec![(12, 21), (25, 26)]);
        assert_eq!(a.next_with(&b, 0), Some(20));
        assert_eq!(b.next_with(&a, 21), Some(25));
        assert_eq!(a.next_with(&b, 26), None);
        assert_eq!(Times::always().next_with(&b, 15), Some(15));
        assert!(a.has(9) && !a.has(10));
    }
}
