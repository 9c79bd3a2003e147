//! Measured values as a line over time, with the same values in a table beneath.

use std::cmp::Reverse;

use jiff::{Timestamp, civil::Date, tz::Offset};
use maud::{Markup, html};

use super::words;
use crate::node::Series;

/// The drawing's own units.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 16.0;

/// So many of the newest values are drawn and told; all are in the list.
const SHOWN_MAX: usize = 60;

/// So many kinds of values are drawn, those with most first.
const DRAWN_MAX: usize = 8;

/// Each series with at least two values.
pub(super) fn of(series: &[Series]) -> Markup {
    let mut drawn: Vec<_> = series
        .iter()
        .filter(|series| series.values.len() > 1)
        .collect();
    drawn.sort_by_key(|series| Reverse(series.values.len()));
    html! {
        @for series in drawn.iter().take(DRAWN_MAX) { (one(series)) }
        @if drawn.len() > DRAWN_MAX {
            p.small { (drawn.len() - DRAWN_MAX) " more kinds of values are in the list and are not drawn." }
        }
    }
}

fn one(series: &Series) -> Markup {
    let from = series.values.len().saturating_sub(SHOWN_MAX);
    let shown = &series.values[from..];
    let points: Vec<(f64, f64)> = shown
        .iter()
        .filter_map(|(when, value)| Some((time(when)?, value.parse().ok()?)))
        .collect();
    html! {
        section.panel {
            h2 { (words::capital(&series.what)) @if !series.unit.is_empty() { " (" (series.unit) ")" } }
            @if points.len() > 1 { (plot(series, &points)) }
            @if series.left_out > 0 {
                p.note { (words::count(series.left_out, "value is", "values are")) " left out: entered in error, or of two versions between which nobody has decided." }
            }
            details {
                summary { (words::count(shown.len(), "value", "values")) " in a table" }
                table {
                    thead { tr { th scope="col" { "When" } th scope="col" { "Value" } } }
                    tbody { @for (when, value) in shown.iter().rev() { tr { td { (words::moment(when)) } td { (value) " " (series.unit) } } } }
                }
            }
        }
    }
}

fn plot(series: &Series, points: &[(f64, f64)]) -> Markup {
    let (first, last) = bounds(points.iter().map(|point| point.0));
    let (low, high) = bounds(points.iter().map(|point| point.1));
    let at = |&(time, value): &(f64, f64)| {
        let x = LEFT + (time - first) / (last - first) * (WIDTH - LEFT - RIGHT);
        let y = HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - TOP);
        (x, y)
    };
    let places: Vec<_> = points.iter().map(at).collect();
    let line: Vec<_> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let base = HEIGHT - BOTTOM;
    let (begin, end) = (
        &series.values[series.values.len().saturating_sub(SHOWN_MAX)].0,
        &series.values[series.values.len() - 1].0,
    );
    let said = format!(
        "{} over time, from {} to {}; the values stand in the table beneath",
        series.what,
        words::when(begin),
        words::when(end)
    );
    html! {
        svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(said) {
            line.axis x1=(LEFT) y1=(TOP) x2=(LEFT) y2=(base) {}
            line.axis x1=(LEFT) y1=(base) x2=(WIDTH - RIGHT) y2=(base) {}
            text x=(LEFT - 6.0) y=(TOP + 8.0) text-anchor="end" { (short(high)) }
            text x=(LEFT - 6.0) y=(base) text-anchor="end" { (short(low)) }
            text x=(LEFT) y=(HEIGHT - 6.0) { (words::when(begin)) }
            text x=(WIDTH - RIGHT) y=(HEIGHT - 6.0) text-anchor="end" { (words::when(end)) }
            polyline.trend points=(line.join(" ")) {}
            @for (x, y) in &places { circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="3.5" {} }
        }
    }
}

/// The smallest and the largest, apart from each other.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if high > low {
        (low, high)
    } else {
        (low - 1.0, high + 1.0)
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Seconds since 1970 of a day or an instant.
fn time(when: &str) -> Option<f64> {
    if let Ok(instant) = when.parse::<Timestamp>() {
        return Some(instant.as_duration().as_secs_f64());
    }
    let day: Date = when.parse().ok()?;
    let midnight = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{bounds, of, short, time};
    use crate::node::Series;

    fn series(values: &[(&str, &str)]) -> Series {
        let owned = |(when, value): &(&str, &str)| ((*when).to_owned(), (*value).to_owned());
        Series {
            what: "pulse".to_owned(),
            unit: "/min".to_owned(),
            values: values.iter().map(owned).collect(),
            left_out: 0,
        }
    }

    #[test]
    fn one_value_is_no_trend_and_equal_values_are_a_line() {
        let none = of(&[series(&[("2026-01-01", "70")])]).into_string();
        assert!(!none.contains("<svg"), "{none}");
        let drawn = of(&[series(&[("2026-01-01", "70"), ("2026-01-02", "70")])]).into_string();
        assert!(
            drawn.contains("<svg") && !drawn.contains("NaN") && !drawn.contains("inf"),
            "{drawn}"
        );
    }

    #[test]
    fn days_and_instants_are_places_on_one_line() {
        assert_eq!(time("1970-01-02"), Some(86_400.0));
        assert_eq!(time("1970-01-01T00:00:10Z"), Some(10.0));
        assert_eq!(time("spring"), None);
        assert_eq!(bounds([2.0, 2.0].into_iter()), (1.0, 3.0));
        assert_eq!(short(70.5), "70.5");
    }
}
