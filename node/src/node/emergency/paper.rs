//! The emergency page as a file to be printed.

use kith_protocol::audit::{Audience, How};

use crate::{
    api::{AllergyState, EmergencyChange},
    failure::Failure,
    health::paper::{self, Needed},
    node::{Node, Overview, export::no_paper, now_ms, show},
    words,
};

/// The parts of a record that stand on the page, in their order.
const PARTS: [&str; 4] = ["allergies", "plans", "medicines", "conditions"];
const NOT_KNOWN: &str = "Not known to this node. That is not the same as none.";

impl Node {
    /// The emergency page as a PDF, with the code that opens the record where there is a link for
    /// it.
    ///
    /// # Errors
    /// When the record is not here or cannot be read, when the file cannot be made, and when the
    /// access log cannot be written.
    pub(crate) fn emergency_paper(
        &mut self,
        word: &str,
        link: Option<String>,
    ) -> Result<Vec<u8>, Failure> {
        let overview = self.overview(word)?;
        let made = paper::emergency(&needed(&overview, link)).map_err(|error| no_paper(&error))?;
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let mut documents = record.ledger().documents();
            documents.retain(|document| {
                let name = document.section.name();
                name == "identity" || PARTS.contains(&name)
            });
            let mut said = Self::state_of(record, documents, Audience::Anyone, None, How::Print);
            said.len = made.len() as u64;
            node.disclosed(vec![said], Vec::new())
        })?;
        Ok(made)
    }

    /// The link of a new code that opens a record in an emergency, and what is to be known of it; the
    /// codes before it open nothing any more. There is no link where others have to agree first.
    ///
    /// # Errors
    /// When the record is not here, and when its rules may not be changed from here alone.
    pub(in crate::node) fn emergency_code(
        &mut self,
        word: &str,
    ) -> Result<(Option<String>, Vec<String>), Failure> {
        let change = EmergencyChange {
            new_secret: true,
            ..EmergencyChange::default()
        };
        let shown = self.emergency(word, Some(&change))?;
        let told = [shown.note, shown.ask].into_iter().flatten();
        Ok((shown.link, told.collect()))
    }
}

fn needed(overview: &Overview, link: Option<String>) -> Needed {
    let line = &overview.line;
    let said = |value: &Option<String>, in_words: fn(&str) -> String| {
        let value = value.as_deref().map(in_words);
        value.unwrap_or_else(|| "not known here".to_owned())
    };
    Needed {
        person: line.person.clone(),
        about: vec![
            ("Born".to_owned(), said(&line.born, words::when)),
            (
                "NHS number".to_owned(),
                said(&line.nhs_number, words::nhs_number),
            ),
        ],
        parts: PARTS
            .into_iter()
            .map(|name| (words::section(name), told(overview, name)))
            .collect(),
        made: show::time(now_ms()),
        link,
    }
}

/// What is told of a section on paper: never nothing at all.
fn told(overview: &Overview, name: &str) -> Vec<(String, String)> {
    let part = overview.parts.iter().find(|part| part.section == name);
    let said = |text: &str| vec![(text.to_owned(), String::new())];
    match (name, overview.allergies, part) {
        ("allergies", AllergyState::NotKnownHere, _) => return said(NOT_KNOWN),
        ("allergies", AllergyState::NoneKnown, _) => {
            return said("No known allergies, as somebody said.");
        }
        ("allergies", AllergyState::Recorded, None) => {
            return said("They stand in another record of the same person.");
        }
        (_, _, None) => return said(NOT_KNOWN),
        (_, _, Some(_)) => {}
    }
    let lines = part
        .into_iter()
        .flat_map(|part| part.lines.iter().take(part.current));
    let mut told: Vec<_> = lines
        .map(|happened| {
            let when = happened.when.as_deref().map(words::when);
            let mut details: Vec<String> = when.into_iter().collect();
            details.push(happened.line.by.clone());
            details.extend(happened.late.clone());
            details.extend(happened.line.marks.iter().cloned());
            (happened.line.text.clone(), details.join(", "))
        })
        .collect();
    let left_out = part.map_or(0, |part| part.current.saturating_sub(part.lines.len()));
    if told.is_empty() {
        told = said("Nothing of this holds now: what there was has ended.");
    } else if left_out > 0 {
        told.push((format!("{left_out} more are in the record."), String::new()));
    }
    told
}
