//! What a message would do, without doing it.

use std::path::Path;

use super::{
    super::{Node, import},
    whose::Whose,
};
use crate::{
    api::{FieldExplained, FileExplained, MessageExplained},
    failure::{Ending, Failure},
    health::hl7v2::{Header, Message, batch, explain, map},
};

/// Messages of one file that are explained.
const EXPLAINED_MAX: usize = 100;

impl Node {
    /// What the messages of a file would do.
    pub(in crate::node) fn explain_file(&mut self, file: &Path) -> Result<FileExplained, Failure> {
        let bytes = import::letter_file(file)?;
        let messages = batch::messages(&bytes);
        if messages.is_empty() {
            return Err(Failure::new(
                Ending::NotUnderstood,
                format!("{} has no HL7 v2 message in it.", file.display()),
                "kith explain FILE says what HL7 v2 messages would do. Nothing was changed.",
            ));
        }
        let mut explained = FileExplained::default();
        for message in messages.into_iter().take(EXPLAINED_MAX) {
            explained.messages.push(self.explained_message(message)?);
        }
        Ok(explained)
    }

    /// What one message would do.
    pub(super) fn explained_message(&mut self, bytes: &[u8]) -> Result<MessageExplained, Failure> {
        let mut said = MessageExplained::default();
        let header = match Header::of(bytes) {
            Ok(header) => header,
            Err(error) => {
                said.would.push(format!(
                    "It would be answered with AR and wait for a person: {error}."
                ));
                return Ok(said);
            }
        };
        said.kind.clone_from(&header.kind);
        said.sender = header.sender();
        said.control_id.clone_from(&header.control_id);
        let message = match Message::parse(header, bytes, self.inbox.tables.charset()) {
            Ok(message) => message,
            Err(error) => {
                said.would.push(waits(&error.to_string()));
                return Ok(said);
            }
        };
        if !self.inbox.settings.knows(&said.sender) {
            said.would
                .push(waits("its sender is not among those of this node"));
        }
        let numbers = map::numbers(&message, &self.inbox.tables);
        match &numbers {
            Err(reason) => said.would.push(waits(&reason.to_string())),
            Ok(numbers) => match self.record_of_numbers(numbers) {
                Whose::Of(record) => {
                    self.disclose_found(vec![record])?;
                    let known = self.people.get(&record).cloned().unwrap_or_default();
                    let id = record.to_string();
                    said.would.push(format!(
                        "It would be filed into record {} ({}).",
                        &id[..12],
                        known.banner()
                    ));
                }
                Whose::Nobody => said.would.push(
                    "Nobody here has its numbers: it would begin a record that this node alone holds until somebody links or shares it.".to_owned(),
                ),
                Whose::Doubtful(reason) => said.would.push(waits(&reason)),
            },
        }
        match explain::resources(&message, &self.inbox.tables) {
            Ok((resources, notes)) => {
                said.resources = resources;
                said.notes = notes;
            }
            Err(reason) => {
                let waits = waits(&reason.to_string());
                if !said.would.contains(&waits) {
                    said.would.push(waits);
                }
                said.notes.clone_from(&message.odd);
            }
        }
        said.fields = explain::fields(&message)
            .into_iter()
            .map(|field| FieldExplained {
                place: field.place,
                said: field.said,
                read: field.read,
            })
            .collect();
        Ok(said)
    }
}

fn waits(reason: &str) -> String {
    format!("It would be answered with AA and wait for a person: {reason}.")
}
