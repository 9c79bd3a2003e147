//! Randomness: one ChaCha stream for each (seed, purpose, entity).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::scenario::Draw;

/// A stream of its own, so that what is drawn for one thing never shifts what is drawn for another.
///
/// Functions of the reals come from `libm`, so that the same seed gives the same bytes wherever the
/// program runs.
#[derive(Clone, Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of an entity for a purpose.
    pub fn of(seed: u64, purpose: &str, entity: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"kith-sim/v1/");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&entity.to_le_bytes());
        hasher.update(purpose.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// From 0 up to and without 1.
    pub fn unit(&mut self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "53 bits are what a double holds"
        )]
        let unit = (self.0.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0;
        unit
    }

    /// Whether something happens that happens with this share.
    pub fn happens(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// One of so many, 0 where there are none.
    pub fn below(&mut self, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the high half of a product of 64 bits and a count is below the count"
        )]
        let one = ((u128::from(self.0.next_u64()) * count as u128) >> 64) as usize;
        one
    }

    /// Exponential with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// A value of a distribution.
    pub fn draw(&mut self, draw: &Draw) -> f64 {
        match draw {
            Draw::Constant(value) => *value,
            Draw::Exponential(mean) => self.exponential(*mean),
            Draw::Lognormal(median, sigma) => median * libm::exp(sigma * self.normal()),
            Draw::Uniform(low, high) => low + (high - low) * self.unit(),
            Draw::Triangular(low, mode, high) => self.triangular(*low, *mode, *high),
            Draw::OneOf(values) => values[self.below(values.len())],
        }
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    fn triangular(&mut self, low: f64, mode: f64, high: f64) -> f64 {
        let unit = self.unit();
        let width = high - low;
        if width == 0.0 {
            return low;
        }
        if unit < (mode - low) / width {
            low + libm::sqrt(unit * width * (mode - low))
        } else {
            high - libm::sqrt((1.0 - unit) * width * (high - mode))
        }
    }
}

/// The mean of a distribution.
pub fn mean(draw: &Draw) -> f64 {
    match draw {
        Draw::Constant(value) | Draw::Exponential(value) => *value,
        Draw::Lognormal(median, sigma) => median * libm::exp(sigma * sigma / 2.0),
        Draw::Uniform(low, high) => f64::midpoint(*low, *high),
        Draw::Triangular(low, mode, high) => (low + mode + high) / 3.0,
        #[expect(clippy::cast_precision_loss, reason = "a list that somebody wrote")]
        Draw::OneOf(values) => values.iter().sum::<f64>() / values.len() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::{Chance, Draw, mean};

    #[test]
    fn every_distribution_has_its_mean() {
        for draw in [
            Draw::Constant(3.0),
            Draw::Exponential(8.0),
            Draw::Lognormal(5.0, 0.5),
            Draw::Uniform(2.0, 6.0),
            Draw::Triangular(1.0, 2.0, 9.0),
            Draw::OneOf(vec![1.0, 2.0, 6.0]),
        ] {
            let mut chance = Chance::of(1, "test", 0);
            let count = 40_000;
            let sum: f64 = (0..count).map(|_| chance.draw(&draw)).sum();
            let (found, wanted) = (sum / f64::from(count), mean(&draw));
            assert!(
                (found / wanted - 1.0).abs() < 0.02,
                "{draw:?}: {found}, {wanted}"
            );
        }
    }

    #[test]
    fn streams_do_not_depend_on_each_other() {
        let first = |purpose, entity| Chance::of(7, purpose, entity).unit().to_bits();
        let all = [first("a", 0), first("a", 1), first("b", 0), first("ab", 0)];
        let distinct: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(first("a", 0), all[0]);
    }
}
