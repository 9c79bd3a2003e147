//! One page that says what was asked, what came out and how to do it again. It needs nothing else:
//! plots are drawn in it, and it runs nothing.

mod plot;
mod words;

use std::fmt::Write;

use super::{
    metric::Metric,
    scenario::{Draw, Origin, Parameter, Said},
    table::Results,
};

pub use words::{amount, headline, plus_minus};

/// The report as HTML.
pub fn html(results: &Results<'_>, is_sensitivity: bool) -> String {
    let scenario = results.scenario;
    let mut page = String::new();
    let title = escaped(&scenario.name);
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    writeln!(
        page,
        "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>"
    )
    .expect("a text");
    writeln!(
        page,
        "<h1>{title}</h1>\n<p class=\"question\">{}</p>",
        escaped(&scenario.question)
    )
    .expect("a text");
    let sentences = headline(results);
    page.push_str("<section>\n<h2>What came out</h2>\n");
    for sentence in &sentences {
        writeln!(page, "<p>{}</p>", escaped(sentence)).expect("a text");
    }
    page.push_str("</section>\n");
    let metric = Metric::named(&scenario.headline.metric).expect("the scenario was checked");
    let of = results
        .of_named(&scenario.headline.of)
        .expect("the scenario was checked");
    if is_sensitivity {
        page.push_str(&plot::sensitivity(results, metric, &of));
    } else {
        page.push_str(&plot::over_sweep(results, metric, &of));
    }
    page.push_str(&outcomes(results, &of));
    page.push_str(&differences(results, metric, &of));
    page.push_str(&journey(results));
    page.push_str(&limits(results));
    page.push_str(&parameters(results));
    page.push_str(&again(results, is_sensitivity));
    page.push_str("</body>\n</html>\n");
    page
}

const STYLE: &str = "\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h1, h2 { line-height: 1.2; } .question { font-size: 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.25rem 0.5rem; border-bottom: 1px solid #ccc; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
svg { max-width: 100%; height: auto; } .assumed { background: #fff4d6; } code { background: #f0f0f0; padding: 0 0.2rem; }
pre { background: #f0f0f0; padding: 0.5rem; overflow-x: auto; } ol.journey { font-size: 0.9rem; }
";

/// Whether needs were met, by arm, at every point.
fn outcomes(results: &Results<'_>, of: &super::table::Of) -> String {
    let shown = ["available_current", "stale", "wrong", "denied", "nothing"];
    let headline = results.scenario.headline.metric.as_str();
    let mut shown: Vec<_> = shown
        .iter()
        .filter_map(|name| Metric::named(name))
        .collect();
    if !shown.iter().any(|one| one.name == headline) {
        shown.extend(Metric::named(headline));
    }
    let mut page = format!(
        "<section>\n<h2>Every arm ({})</h2>\n<table>\n<tr>",
        escaped(&of.name)
    );
    for name in results.swept() {
        write!(page, "<th>{}</th>", escaped(name)).expect("a text");
    }
    page.push_str("<th>changed</th><th>arm</th>");
    for metric in &shown {
        write!(page, "<th>{}</th>", escaped(metric.words)).expect("a text");
    }
    page.push_str("</tr>\n");
    for point in results.points {
        for (arm, name) in results.arms().iter().enumerate() {
            page.push_str("<tr>");
            for value in results.swept_at(point) {
                write!(page, "<td class=\"n\">{value}</td>").expect("a text");
            }
            write!(
                page,
                "<td>{}</td><td>{}</td>",
                escaped(&point.changed),
                escaped(name)
            )
            .expect("a text");
            for metric in &shown {
                let found = results.estimate(point.index, arm, metric, of);
                let said = found.map_or_else(|| "–".to_owned(), |found| plus_minus(&found, metric));
                write!(page, "<td class=\"n\">{said}</td>").expect("a text");
            }
            page.push_str("</tr>\n");
        }
    }
    page + "</table>\n<p>Means over seeds with 95 % intervals by Student's t. A need counts when \
            somebody had written something that it was a need for.</p>\n</section>\n"
}

fn differences(results: &Results<'_>, metric: &Metric, of: &super::table::Of) -> String {
    let arms = results.arms();
    let mut page = format!(
        "<section>\n<h2>Against each baseline</h2>\n<p>How much more of: {} ({}). Paired: both arms of \
         a seed have the same patients with the same year.</p>\n<table>\n<tr>",
        escaped(metric.words),
        escaped(&of.name)
    );
    for name in results.swept() {
        write!(page, "<th>{}</th>", escaped(name)).expect("a text");
    }
    page.push_str("<th>changed</th><th>arm</th><th>against</th><th>difference</th></tr>\n");
    for point in results.points {
        for (ours, arm) in arms
            .iter()
            .enumerate()
            .filter(|(_, arm)| arm.starts_with("federated"))
        {
            for (theirs, against) in arms.iter().enumerate().filter(|(n, _)| *n != ours) {
                let Some(found) = results.difference(point.index, (ours, theirs), metric, of)
                else {
                    continue;
                };
                page.push_str("<tr>");
                for value in results.swept_at(point) {
                    write!(page, "<td class=\"n\">{value}</td>").expect("a text");
                }
                let said = plus_minus(&found, metric);
                let (changed, arm, against) =
                    (escaped(&point.changed), escaped(arm), escaped(against));
                writeln!(page, "<td>{changed}</td><td>{arm}</td><td>{against}</td><td class=\"n\">{said}</td></tr>")
                    .expect("a text");
            }
        }
    }
    page + "</table>\n</section>\n"
}

fn journey(results: &Results<'_>) -> String {
    let told = results
        .runs
        .iter()
        .rev()
        .find(|run| !run.journey.is_empty());
    let Some(run) = told else {
        return String::new();
    };
    let mut page = format!(
        "<section>\n<h2>One patient's year</h2>\n<p>Point {}, seed {}. Chosen because the arms differ; it \
         shows how, and not how often.</p>\n<ol class=\"journey\">\n",
        run.point, run.seed
    );
    for line in &run.journey {
        writeln!(page, "<li>{}</li>", escaped(line)).expect("a text");
    }
    page + "</ol>\n</section>\n"
}

fn limits(results: &Results<'_>) -> String {
    let mut page = "<section>\n<h2>What this does not show</h2>\n<ul>\n".to_owned();
    for limit in &results.scenario.limits {
        writeln!(page, "<li>{}</li>", escaped(limit)).expect("a text");
    }
    page.push_str("<li>It is a simulation: whether people look, trust what they find and act on it is not in it.</li>\n");
    page + "</ul>\n</section>\n"
}

fn parameters(results: &Results<'_>) -> String {
    let scenario = results.scenario;
    let mut page = format!(
        "<section>\n<h2>Parameters</h2>\n<p>{} patients, {} days of which the first {} are not counted, \
         {} fidelity. What is not published is marked.</p>\n<table>\n\
         <tr><th>parameter</th><th>value</th><th>unit</th><th>where it comes from</th></tr>\n",
        scenario.patients,
        scenario.days,
        scenario.warm_up_days,
        scenario.fidelity.word()
    );
    for parameter in scenario
        .numbers
        .iter()
        .filter(|one| one.origin != Origin::Default)
    {
        page.push_str(&parameter_row(parameter));
    }
    page.push_str("</table>\n<details><summary>What the file leaves out, and what stood for it</summary>\n<table>\n");
    for parameter in scenario
        .numbers
        .iter()
        .filter(|one| one.origin == Origin::Default)
    {
        page.push_str(&parameter_row(parameter));
    }
    page + "</table>\n</details>\n</section>\n"
}

fn parameter_row(parameter: &Parameter) -> String {
    let (class, origin) = match &parameter.origin {
        Origin::Source(source) => ("", escaped(source)),
        Origin::Assumption(why) => (
            " class=\"assumed\"",
            format!("assumption: {}", escaped(why)),
        ),
        Origin::Unmarked => (
            " class=\"assumed\"",
            "nothing is said: an assumption".to_owned(),
        ),
        Origin::Default => (" class=\"assumed\"", "default: an assumption".to_owned()),
    };
    let range = parameter.range.map_or_else(String::new, |(low, high)| {
        format!(" (from {low} to {high})")
    });
    format!(
        "<tr{class}><td>{}</td><td>{}{range}</td><td>{}</td><td>{origin}</td></tr>\n",
        escaped(&parameter.name),
        escaped(&said(&parameter.said)),
        parameter.unit.in_words()
    )
}

fn said(said: &Said) -> String {
    match said {
        Said::Swept(values) => {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            format!("swept over {}", values.join(", "))
        }
        Said::Drawn(Draw::Constant(value)) => value.to_string(),
        Said::Drawn(Draw::Exponential(mean)) => format!("exponential, mean {mean}"),
        Said::Drawn(Draw::Lognormal(median, sigma)) => {
            format!("lognormal, median {median}, sigma {sigma}")
        }
        Said::Drawn(Draw::Uniform(low, high)) => format!("uniform from {low} to {high}"),
        Said::Drawn(Draw::Triangular(low, mode, high)) => {
            format!("triangular {low}, {mode}, {high}")
        }
        Said::Drawn(Draw::OneOf(values)) => format!("one of {values:?}"),
    }
}

/// The command that gives the same results again.
pub fn command(results: &Results<'_>, is_sensitivity: bool) -> String {
    let seeds = {
        let mut seeds: Vec<_> = results.runs.iter().map(|run| run.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    };
    let first = seeds.first().copied().unwrap_or(1);
    let sensitivity = if is_sensitivity { " --sensitivity" } else { "" };
    format!(
        "kith-sim run {}.toml --seed {first} --seeds {}{sensitivity}",
        results.scenario.name,
        seeds.len()
    )
}

fn again(results: &Results<'_>, is_sensitivity: bool) -> String {
    format!(
        "<section>\n<h2>Do it again</h2>\n<pre>{}</pre>\n<p>kith-sim {}; the scenario file is beside this \
         page, its hash is {}. The same command gives the same bytes.</p>\n</section>\n",
        escaped(&command(results, is_sensitivity)),
        env!("CARGO_PKG_VERSION"),
        super::folder::hash(results.scenario.text.as_bytes())
    )
}

/// Text that stands in HTML as it is.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
