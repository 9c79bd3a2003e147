//! Changing one thing that stands in a record, or saying that it was entered in error.

use kith_crdt::{Body, Edit, Meta, Resource, refile::difference};
use kith_protocol::record::{Placed, Record};
use serde_json::{Value, json};

use super::{Node, import, now_ms, review, show};
use crate::{
    api::{Added, Change},
    failure::{Ending, Failure},
    health::line,
};

/// The shortest beginning of an id that names a thing.
const PREFIX_LEN_MIN: usize = 4;

impl Node {
    /// Writes a new version of what stands; the one before stays in the record's history.
    pub(super) fn change(
        &mut self,
        word: &str,
        thing: &str,
        change: &Change,
    ) -> Result<Added, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let placed = node.thing_named(record, thing)?;
            let edits = edits(&placed, change)?;
            let section = placed.document.section.name().to_owned();
            let mut rng = node.rng.clone();
            let mut items = Vec::new();
            let edits = [(placed.document, edits)].into();
            import::write_all(record, &node.pen(now_ms()), edits, &mut items, &mut rng)?;
            node.rng = rng;
            let entry = items.first().map_or_else(String::new, review::id_of);
            let noted = node.noted(record, &items)?;
            items.extend(noted);
            node.commit_noting(items)?;
            Ok(Added {
                record: id.to_string(),
                entry,
                section,
                mind: Vec::new(),
            })
        })
    }

    /// The one thing in a record that an id, or the beginning of one, names.
    pub(super) fn thing_named(&self, record: &mut Record, word: &str) -> Result<Placed, Failure> {
        let mut found: Vec<_> = self
            .read_all(record)?
            .into_iter()
            .filter(|placed| !placed.aside && !placed.late && !placed.held.meta.made_here)
            .filter(|placed| {
                let id = placed.held.id.as_str();
                id == word || (word.len() >= PREFIX_LEN_MIN && id.starts_with(word))
            })
            .collect();
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(Failure::new(
                Ending::Failed,
                format!("There is nothing called {word:?} in this record."),
                "Run kith show RECORD --json for the ids of what stands in it. Nothing was changed.",
            )),
            n => Err(Failure::new(
                Ending::NeedsPerson,
                format!("{word:?} fits {n} things in this record."),
                "Use more of the id. Nothing was changed.",
            )),
        }
    }
}

fn edits(placed: &Placed, change: &Change) -> Result<Vec<Edit>, Failure> {
    let held = &placed.held;
    if let Change::Mistake(reason) = change {
        if reason.trim().is_empty() {
            return Err(unchanged(
                "A reason is needed for saying that something was entered in error.",
                "Write it in a few words, such as \"wrong patient\".",
            ));
        }
        return Ok(vec![Edit::Retract {
            resource: held.id.clone(),
            reason: reason.clone(),
        }]);
    }
    if held.is_retracted() {
        return Err(unchanged(
            "This was entered in error, so it is not changed any more.",
            "Add what is right as something new.",
        ));
    }
    if held.siblings().next().is_some() {
        return Err(unchanged(
            "This has two versions that stand side by side, so it is not clear which one to change.",
            "Choose one first: kith review RECORD shows both.",
        ));
    }
    let text = match change {
        Change::Content(text) => text.clone(),
        Change::Dose(_)
        | Change::Status(_)
        | Change::Words(_)
        | Change::End
        | Change::Mistake(_) => {
            let mut value: Value = serde_json::from_str(&held.to_text(0)).map_err(|_| {
                unchanged(
                    "This is kept as it was received and cannot be changed in part.",
                    "Give a whole new version with --file.",
                )
            })?;
            set(&mut value, change)?;
            value.to_string()
        }
    };
    let new = new_version(placed, &text)?;
    let edits = difference(held, &new);
    if edits.is_empty() {
        return Err(unchanged(
            "It says that already.",
            "There is nothing to do.",
        ));
    }
    Ok(edits)
}

/// Sets what a person named; what else the resource says stays as it is, to the digit.
fn set(value: &mut Value, change: &Change) -> Result<(), Failure> {
    let kind = value["resourceType"].as_str().unwrap_or_default();
    match change {
        Change::Dose(dose) => {
            let member = match kind {
                "MedicationRequest" | "MedicationDispense" => "dosageInstruction",
                "MedicationStatement" => "dosage",
                _ => {
                    return Err(unchanged(
                        &format!("{} has no dose.", line::describe(value)),
                        "Name a medicine.",
                    ));
                }
            };
            // What was structured for another dose would contradict the new words.
            value[member] = json!([{ "text": dose }]);
        }
        Change::Status(status) => {
            if !value["status"].is_string() {
                return Err(unchanged(
                    &format!("{} has no status of this kind.", line::describe(value)),
                    "Give a whole new version with --file.",
                ));
            }
            value["status"] = json!(status);
        }
        Change::Words(words) => {
            if !value["valueString"].is_string() || words.trim().is_empty() {
                return Err(unchanged(
                    &format!("{} does not say something in words.", line::describe(value)),
                    "Name a note or a basic of care, and what it says now.",
                ));
            }
            value["valueString"] = json!(words);
            value["status"] = json!("amended");
        }
        Change::End => {
            if !value["effectivePeriod"]["start"].is_string() {
                return Err(unchanged(
                    &format!("{} is not something that goes on.", line::describe(value)),
                    "Name a basic of care.",
                ));
            }
            value["effectivePeriod"]["end"] = json!(show::time(now_ms()));
        }
        Change::Content(_) | Change::Mistake(_) => {}
    }
    Ok(())
}

fn new_version(placed: &Placed, text: &str) -> Result<Resource, Failure> {
    let not_json = || {
        unchanged(
            "The new version is not one resource as JSON.",
            "Export what stands (kith export RECORD --as folder), change it and give that file.",
        )
    };
    let value: Value = serde_json::from_str(text).map_err(|_| not_json())?;
    let kind = value["resourceType"].as_str().ok_or_else(not_json)?;
    if kind != placed.held.meta.kind {
        return Err(unchanged(
            &format!(
                "This is a {}, and the new version is a {kind}.",
                placed.held.meta.kind
            ),
            "Add it as something new with kith import.",
        ));
    }
    let body = Body::parse(text, placed.document.section).map_err(|_| not_json())?;
    Ok(Resource {
        meta: Meta {
            kind: kind.to_owned(),
            ..Meta::default()
        },
        body,
    })
}

fn unchanged(what: &str, remedy: &str) -> Failure {
    Failure::new(
        Ending::Usage,
        what.to_owned(),
        format!("{remedy} Nothing was changed."),
    )
}
