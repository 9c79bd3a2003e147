//! What came out, in sentences.

use super::super::{metric::Metric, statistics::Estimate, table::Results};

/// A value in its unit: shares in per cent.
pub fn amount(value: f64, metric: &Metric) -> String {
    match metric.unit {
        "share" => format!("{:.1} %", 100.0 * value),
        "bytes" => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

/// A mean with its interval: `43.1 % (41.0 to 45.2)`.
pub fn plus_minus(found: &Estimate, metric: &Metric) -> String {
    let mean = amount(found.mean, metric);
    let Some((low, high)) = found.interval else {
        return format!("{mean} (one seed)");
    };
    let bare = |value| amount(value, metric).trim_end_matches(" %").to_owned();
    format!("{mean} ({} to {})", bare(low), bare(high))
}

/// The first sentences of a report: at each point what the federated record has, and how that
/// differs from each baseline. The points are those of the sweep: nothing is claimed without it.
pub fn headline(results: &Results<'_>) -> Vec<String> {
    let scenario = results.scenario;
    let (Some(metric), Some(of)) = (
        Metric::named(&scenario.headline.metric),
        results.of_named(&scenario.headline.of),
    ) else {
        return Vec::new();
    };
    let arms = results.arms();
    let ends = [results.points.first(), results.points.last()];
    let mut sentences = Vec::new();
    for (n, point) in ends.into_iter().flatten().enumerate() {
        if n == 1 && results.points.len() == 1 {
            break;
        }
        let at = place(results, point);
        for (ours, arm) in arms
            .iter()
            .enumerate()
            .filter(|(_, arm)| arm.starts_with("federated"))
        {
            let Some(found) = results.estimate(point.index, ours, metric, &of) else {
                continue;
            };
            let against: Vec<_> = arms
                .iter()
                .enumerate()
                .filter(|(_, other)| !other.starts_with("federated"))
                .filter_map(|(theirs, other)| {
                    let difference =
                        results.difference(point.index, (ours, theirs), metric, &of)?;
                    Some(format!("{} against {other}", signed(&difference, metric)))
                })
                .collect();
            let against = if against.is_empty() {
                String::new()
            } else {
                format!("; {}", against.join(", "))
            };
            let (words, of) = (metric.words, &of.name);
            let found = plus_minus(&found, metric);
            sentences.push(format!("{at}{arm}: {words} ({of}): {found}{against}."));
        }
    }
    sentences
}

fn signed(found: &Estimate, metric: &Metric) -> String {
    let plus = if found.mean > 0.0 { "+" } else { "" };
    let points = if metric.unit == "share" {
        " points"
    } else {
        ""
    };
    let said = plus_minus(found, metric);
    format!("{plus}{}{points}", said.replacen(" %", "", 1))
}

fn place(results: &Results<'_>, point: &super::super::settings::Point) -> String {
    let names = results.swept().into_iter().zip(results.swept_at(point));
    let said: Vec<_> = names
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    if said.is_empty() {
        String::new()
    } else {
        format!("With {}, ", said.join(", "))
    }
}
