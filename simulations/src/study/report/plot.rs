//! Plots as SVG.

use std::fmt::Write;

use super::{
    super::{
        metric::Metric,
        statistics::Estimate,
        table::{Of, Results},
    },
    escaped,
    words::amount,
};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 50.0;
/// Colours that people with each kind of colour blindness tell apart (Okabe and Ito).
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999",
];

/// Where values of two axes are on the plot.
struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    fn x(&self, value: f64) -> f64 {
        let width = (self.to.0 - self.from.0).max(f64::MIN_POSITIVE);
        LEFT + (value - self.from.0) / width * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let height = (self.to.1 - self.from.1).max(f64::MIN_POSITIVE);
        HEIGHT - BOTTOM - (value - self.from.1) / height * (HEIGHT - TOP - BOTTOM)
    }
}

/// A metric over the first number that is swept, the others at their first values; a line for each
/// arm with its interval.
pub fn over_sweep(results: &Results<'_>, metric: &Metric, of: &Of) -> String {
    let swept = results.swept();
    let first: Vec<f64> = results
        .points
        .first()
        .map_or_else(Vec::new, |point| results.swept_at(point));
    let along: Vec<_> = results
        .points
        .iter()
        .filter(|point| {
            results
                .swept_at(point)
                .iter()
                .skip(1)
                .eq(first.iter().skip(1))
        })
        .collect();
    let lines: Vec<(usize, Vec<(f64, Estimate)>)> = (0..results.arms().len())
        .map(|arm| {
            let found = along.iter().filter_map(|point| {
                let x = results.swept_at(point).first().copied().unwrap_or(0.0);
                Some((x, results.estimate(point.index, arm, metric, of)?))
            });
            (arm, found.collect())
        })
        .collect();
    let values = || lines.iter().flat_map(|(_, line)| line.iter());
    let top = values().map(|(_, one)| one.interval.map_or(one.mean, |(_, high)| high));
    let top = if metric.unit == "share" {
        1.0
    } else {
        top.fold(0.0, f64::max)
    };
    let scale = Scale {
        from: (values().map(|(x, _)| *x).fold(f64::MAX, f64::min), 0.0),
        to: (values().map(|(x, _)| *x).fold(f64::MIN, f64::max), top),
    };
    let mut svg = begin(&format!(
        "{} over {}",
        metric.words,
        swept.first().unwrap_or(&"nothing")
    ));
    axes(
        &mut svg,
        &scale,
        metric,
        swept.first().unwrap_or(&""),
        &along
            .iter()
            .filter_map(|point| results.swept_at(point).first().copied())
            .collect::<Vec<_>>(),
    );
    for (arm, line) in &lines {
        let colour = COLOURS[arm % COLOURS.len()];
        let points: Vec<_> = line
            .iter()
            .map(|(x, one)| format!("{:.1},{:.1}", scale.x(*x), scale.y(one.mean)))
            .collect();
        writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            points.join(" ")
        )
        .expect("a text");
        for (x, one) in line {
            mark(&mut svg, &scale, (*x, one), colour);
        }
        let y = TOP + 18.0 * (*arm as f64);
        let name = escaped(results.arms()[*arm]);
        let x = WIDTH - RIGHT + 15.0;
        writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\" font-size=\"12\">{name}</text>",
            x + 18.0,
            y + 11.0
        )
        .expect("a text");
    }
    svg + "</svg>\n</section>\n"
}

/// How a metric of the federated record changes when one number is changed: a bar for each, at the
/// first point of the sweep.
pub fn sensitivity(results: &Results<'_>, metric: &Metric, of: &Of) -> String {
    let base = results
        .points
        .iter()
        .rev()
        .find(|point| point.changed == "nothing");
    let Some(base) = base else {
        return String::new();
    };
    let at = results.swept_at(base);
    let changes = results
        .points
        .iter()
        .filter(|point| point.changed != "nothing" && results.swept_at(point) == at);
    let mut rows = Vec::new();
    for point in changes {
        let arm = results.values(point.index, 0, metric, of);
        let before = results.values(base.index, 0, metric, of);
        if let Some(found) = super::super::statistics::paired(arm.into_iter().zip(before)) {
            rows.push((point.changed.clone(), found));
        }
    }
    rows.sort_by(|a, b| b.1.mean.abs().total_cmp(&a.1.mean.abs()));
    let most = rows
        .iter()
        .map(|(_, one)| one.mean.abs())
        .fold(1e-9, f64::max);
    let middle = 480.0;
    let mut svg = begin(&format!(
        "What changing one number does to: {}",
        metric.words
    ));
    for (n, (name, found)) in rows.iter().take(16).enumerate() {
        let y = TOP + 20.0 * (n as f64);
        let length = found.mean.abs() / most * 160.0;
        let x = if found.mean < 0.0 {
            middle - length
        } else {
            middle
        };
        writeln!(
            svg,
            "<text x=\"0\" y=\"{}\" font-size=\"11\">{}</text><rect x=\"{x:.1}\" y=\"{y}\" width=\"{length:.1}\" \
             height=\"14\" fill=\"{}\"/><text x=\"660\" y=\"{}\" font-size=\"11\">{}</text>",
            y + 11.0,
            escaped(name),
            COLOURS[usize::from(found.mean < 0.0)],
            y + 11.0,
            amount(found.mean, metric)
        )
        .expect("a text");
    }
    svg + "</svg>\n</section>\n"
}

fn begin(title: &str) -> String {
    let title = escaped(title);
    format!(
        "<section>\n<h2>{title}</h2>\n<svg role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" font-family=\"sans-serif\">\n"
    )
}

fn axes(svg: &mut String, scale: &Scale, metric: &Metric, along: &str, ticks: &[f64]) {
    let (right, low) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for n in 0..=4 {
        let value = scale.from.1 + (scale.to.1 - scale.from.1) * f64::from(n) / 4.0;
        let y = scale.y(value);
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            amount(value, metric)
        )
        .expect("a text");
    }
    for tick in ticks {
        let x = scale.x(*tick);
        writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\">{tick}</text>",
            low + 16.0
        )
        .expect("a text");
    }
    let middle = f64::midpoint(LEFT, right);
    let below = HEIGHT - 10.0;
    writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{below}\" font-size=\"12\" text-anchor=\"middle\">{}</text>",
        escaped(along)
    )
    .expect("a text");
}

fn mark(svg: &mut String, scale: &Scale, (x, one): (f64, &Estimate), colour: &str) {
    let x = scale.x(x);
    writeln!(
        svg,
        "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
        scale.y(one.mean)
    )
    .expect("a text");
    if let Some((low, high)) = one.interval {
        writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"/>",
            scale.y(low),
            scale.y(high)
        )
        .expect("a text");
    }
}
