//! What is asked of the inbox.

use kith_crdt::{Section, flag::Flag};
use kith_protocol::{audit::How, id::RecordId};

use super::{
    super::{
        Node,
        identity::{RowKind, read_rows},
    },
    filing::no_message,
    rows::{InboxRow, number_of},
    taking::Arrival,
};
use crate::{
    api::{Imported, InboxAsk, InboxLine, InboxShown, InboxState, Problem, Refused},
    failure::{Ending, Failure},
    health::hl7v2::batch,
};

/// Messages that are listed at once.
const LISTED_MAX: usize = 500;
/// Messages that one command tries again.
const RETRIED_MAX: usize = 1000;

impl Node {
    pub(in crate::node) fn inbox(&mut self, asked: &InboxAsk) -> Result<InboxShown, Failure> {
        match asked {
            InboxAsk::List { all } => self.listed(*all),
            InboxAsk::Show { number } => self.shown_message(*number),
            InboxAsk::Retry {
                number: Some(number),
            } => self
                .again(*number, None)
                .map(|line| self.inbox_says(vec![line])),
            InboxAsk::Retry { number: None } => {
                let waiting = self.inbox.held_up.iter().chain(&self.inbox.to_file);
                let numbers: Vec<u64> = waiting.copied().take(RETRIED_MAX).collect();
                let mut lines = Vec::new();
                for number in numbers {
                    lines.push(self.again(number, None)?);
                }
                lines.sort_by_key(|line| line.number);
                Ok(self.inbox_says(lines))
            }
            InboxAsk::Link { number, record } => {
                let record = self.record_named(record)?;
                self.again(*number, Some(record))
                    .map(|line| self.inbox_says(vec![line]))
            }
        }
    }

    /// How many messages need a person, and how many this node will try again.
    pub(crate) fn inbox_counts(&self) -> (usize, usize) {
        (self.inbox.held_up.len(), self.inbox.to_file.len())
    }

    /// What a person has to do about messages of other systems.
    pub(in crate::node) fn inbox_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (need_a_person, _) = self.inbox_counts();
        if need_a_person > 0 {
            let what = match need_a_person {
                1 => "One message of another system needs a person.".to_owned(),
                n => format!("{n} messages of other systems need a person."),
            };
            problems.push(Problem {
                what,
                remedy: "Run kith inbox to see why. They are kept.".to_owned(),
            });
        }
        if let Some(Err(reason)) = &self.inbox.listening {
            problems.push(Problem {
                what: format!("This node does not listen for messages of other systems: {reason}."),
                remedy: "Run kith connect to see where, and choose another address.".to_owned(),
            });
        }
        problems
    }

    /// How it stands with one message.
    pub(crate) fn inbox_line(&mut self, number: u64) -> Result<Option<InboxLine>, Failure> {
        Ok(self.inbox_row(number)?.map(|row| row.line(number)))
    }

    fn inbox_says(&self, messages: Vec<InboxLine>) -> InboxShown {
        let (need_a_person, wait) = self.inbox_counts();
        InboxShown {
            messages,
            need_a_person,
            wait,
            not_listed: 0,
            fields: None,
        }
    }

    fn again(&mut self, number: u64, into: Option<RecordId>) -> Result<InboxLine, Failure> {
        let (row, _) = self.file_message(number, into)?;
        Ok(row.line(number))
    }

    fn listed(&mut self, all: bool) -> Result<InboxShown, Failure> {
        let of = |kind| -> Result<Vec<InboxLine>, Failure> {
            let rows = read_rows::<InboxRow>(&self.store, kind)?.into_iter();
            let lines = rows.filter_map(|(name, row)| Some(row.line(number_of(&name)?)));
            let mut lines: Vec<_> = lines.collect();
            lines.sort_by_key(|line| line.number);
            Ok(lines)
        };
        let mut lines = of(RowKind::Inbox)?;
        let mut not_listed = lines.len().saturating_sub(LISTED_MAX);
        lines.truncate(LISTED_MAX);
        if all {
            let mut filed = of(RowKind::InboxFiled)?;
            filed.reverse();
            not_listed += filed.len().saturating_sub(LISTED_MAX);
            filed.truncate(LISTED_MAX);
            let records = filed.iter().filter_map(|line| line.record.as_deref());
            let records: std::collections::BTreeSet<_> =
                records.filter_map(RecordId::from_hex).collect();
            self.disclose_found(records.into_iter().collect())?;
            lines.extend(filed);
        }
        Ok(InboxShown {
            not_listed,
            ..self.inbox_says(lines)
        })
    }

    fn shown_message(&mut self, number: u64) -> Result<InboxShown, Failure> {
        let row = self.inbox_row(number)?.ok_or_else(|| no_message(number))?;
        let mut shown = self.inbox_says(vec![row.line(number)]);
        if let Some(record) = row.record() {
            self.with_record(record, |node, record| {
                node.disclose_part(record, &[Section::Letters], How::Show)
            })?;
            return Ok(shown);
        }
        if let Some(bytes) = self.bytes_of(number)? {
            shown.fields = Some(self.explained_message(&bytes)?);
        }
        Ok(shown)
    }

    /// Takes the messages of a file in and files them.
    pub(in crate::node) fn import_messages(
        &mut self,
        bytes: &[u8],
        file: &str,
        target: Option<RecordId>,
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let messages = batch::messages(bytes);
        if messages.is_empty() {
            return Err(Failure::new(
                Ending::NotUnderstood,
                format!("{file} has no message in it."),
                "A message begins with an MSH segment. Nothing was changed.",
            ));
        }
        for message in messages {
            let arrival = Arrival {
                bytes: message.to_vec(),
                from: file.to_owned(),
                stop: None,
            };
            let taken = self.take_in(vec![arrival])?;
            for taken in taken {
                self.import_message(taken.number, file, target, imported)?;
            }
        }
        Ok(())
    }

    fn import_message(
        &mut self,
        number: u64,
        file: &str,
        target: Option<RecordId>,
        imported: &mut Imported,
    ) -> Result<(), Failure> {
        let (row, filed) = self.file_message(number, target)?;
        match (row.state(), filed) {
            (InboxState::Filed, Some(filed)) => {
                let place = format!("{file}, message {number}");
                imported.flagged.extend(row.notes.iter().map(|note| Flag {
                    place: place.clone(),
                    what: note.clone(),
                }));
                let known = imported
                    .records
                    .iter_mut()
                    .find(|known| known.record == filed.record);
                match known {
                    Some(known) => {
                        for (section, n) in filed.filed {
                            *known.filed.entry(section).or_default() += n;
                        }
                        known.unchanged += filed.unchanged;
                        known.alike = filed.alike;
                    }
                    None => imported.records.push(filed),
                }
            }
            (InboxState::Filed, None) => {
                // The same message was filed before.
                if let Some(record) = row.record() {
                    let known = self.people.get(&record).cloned().unwrap_or_default();
                    let is_told = imported
                        .records
                        .iter()
                        .any(|told| told.record == record.to_string());
                    if !is_told {
                        imported.records.push(crate::api::Filed {
                            record: record.to_string(),
                            person: known.banner(),
                            unchanged: 1,
                            ..crate::api::Filed::default()
                        });
                    }
                }
            }
            (InboxState::Received | InboxState::TryAgain | InboxState::NeedsPerson, _) => {
                let reason = row.reason.as_deref().unwrap_or("it was not looked at yet");
                imported.refused.push(Refused {
                    file: file.to_owned(),
                    failure: Failure::new(
                        Ending::NeedsPerson,
                        format!("A message of {file} waits in the inbox as message {number}: {reason}."),
                        format!("It is kept. Look at it with kith inbox show {number}; if you know whose it is: kith inbox link {number} RECORD."),
                    ),
                });
            }
        }
        Ok(())
    }
}
