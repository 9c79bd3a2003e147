//! What the demo says as it goes, and its table at the end.

use std::time::Duration;

use serde::Serialize;

use crate::{ask::Session, render};

/// One thing that had to be seen somewhere.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Which chapter of the story, from 1.
    pub step: usize,
    /// What had to be so.
    pub what: String,
    /// On whose node.
    #[serde(rename = "where")]
    pub place: String,
    /// How long it took, milliseconds; nothing for what takes no time.
    pub ms: Option<f64>,
    /// Whether it was so.
    pub held: bool,
}

/// The whole story as it went.
#[derive(Serialize)]
pub struct Told {
    /// Row by row.
    pub rows: Vec<Row>,
    /// Whether every step held.
    pub held: bool,
    #[serde(skip)]
    is_quiet: bool,
    #[serde(skip)]
    step: usize,
}

impl Told {
    pub fn new(session: &Session) -> Self {
        Self {
            rows: Vec::new(),
            held: true,
            is_quiet: session.json,
            step: 0,
        }
    }

    /// A new chapter.
    pub fn chapter(&mut self, title: &str) {
        self.step += 1;
        self.say("");
        self.say(&format!("{}. {title}", self.step));
    }

    /// A sentence of the story.
    pub fn say(&self, text: &str) {
        if !self.is_quiet {
            render::say(text);
        }
    }

    /// What was, or was not, so on a node.
    pub fn row(&mut self, what: &str, place: &str, took: Option<Duration>, held: bool) {
        let ms = took.map(|took| took.as_secs_f64() * 1000.0);
        let time = ms.map_or_else(String::new, |ms| format!(" after {}", duration(ms)));
        let sign = if held { "" } else { "NOT " };
        self.say(&format!("   {place}: {sign}{what}{time}"));
        self.held &= held;
        self.rows.push(Row {
            step: self.step,
            what: what.to_owned(),
            place: place.to_owned(),
            ms: ms.map(|ms| (ms * 10.0).round() / 10.0),
            held,
        });
    }

    /// The summary, for people.
    pub fn table(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            vec![
                row.step.to_string(),
                row.what.clone(),
                row.place.clone(),
                row.ms.map_or_else(String::new, duration),
                if row.held { "yes" } else { "NO" }.to_owned(),
            ]
        });
        render::table(
            &["step", "what", "on the node of", "after", "held"],
            rows.collect(),
        )
    }
}

fn duration(ms: f64) -> String {
    if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1000.0)
    }
}
