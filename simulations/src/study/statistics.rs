//! Means over seeds with 95 % intervals, and paired differences.
//!
//! A seed is one independent population, so the values of a metric over seeds are independent and
//! alike, and their mean has an interval by Student's t with n - 1 degrees of freedom. Two arms of
//! one seed share all patients: their difference is taken within each seed first (decision 0075).

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// The 95 % interval; nothing where there are fewer than two values.
    pub interval: Option<(f64, f64)>,
}

/// The mean of values, one for each seed. Nothing where there are none.
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of seeds")]
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let interval = (values.len() > 1).then(|| {
        let half = t_quantile(count - 1.0) * (squares / (count - 1.0) / count).sqrt();
        (mean - half, mean + half)
    });
    Some(Estimate {
        count: values.len(),
        mean,
        interval,
    })
}

/// The mean difference of pairs of which both values are there.
pub fn paired(pairs: impl IntoIterator<Item = (Option<f64>, Option<f64>)>) -> Option<Estimate> {
    let both = pairs.into_iter().filter_map(|(a, b)| Some(a? - b?));
    estimate(&both.collect::<Vec<_>>())
}

/// What 97.5 % of Student's t with so many degrees of freedom are below.
fn t_quantile(freedom: f64) -> f64 {
    let t = StudentsT::new(0.0, 1.0, freedom).expect("at least one degree of freedom");
    t.inverse_cdf(0.975)
}

#[cfg(test)]
mod tests {
    use super::{estimate, paired, t_quantile};

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, table 1.3.6.7.2.
        for (freedom, quantile) in [
            (1.0, 12.706),
            (4.0, 2.776),
            (9.0, 2.262),
            (29.0, 2.045),
            (100.0, 1.984),
        ] {
            assert!((t_quantile(freedom) - quantile).abs() < 0.0006, "{freedom}");
        }
    }

    #[test]
    fn a_mean_has_its_interval() {
        let found = estimate(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).expect("a mean");
        let (low, high) = found.interval.expect("an interval");
        assert!((found.mean - 5.0).abs() < 1e-12);
        // s = 2.138, t(7) = 2.365, half = 2.365 * 2.138 / sqrt(8).
        assert!((high - low - 2.0 * 1.7876).abs() < 1e-3);
        assert_eq!(estimate(&[3.0]).expect("a mean").interval, None);
        assert_eq!(estimate(&[]), None);
    }

    #[test]
    fn a_difference_is_taken_within_pairs() {
        let pairs = [
            (Some(10.0), Some(9.0)),
            (Some(50.0), Some(49.0)),
            (None, Some(3.0)),
        ];
        let found = paired(pairs).expect("a difference");
        assert_eq!((found.count, found.interval), (2, Some((1.0, 1.0))));
    }

    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        use crate::study::{chance::Chance, scenario::Draw};
        let draw = Draw::Uniform(0.0, 1.0);
        let mut chance = Chance::of(3, "coverage", 0);
        let mut covered = 0;
        for _ in 0..2000 {
            let values: Vec<_> = (0..10).map(|_| chance.draw(&draw)).collect();
            let (low, high) = estimate(&values)
                .and_then(|one| one.interval)
                .expect("an interval");
            covered += u32::from(low <= 0.5 && 0.5 <= high);
        }
        assert!((1880..=1940).contains(&covered), "{covered} of 2000");
    }
}
