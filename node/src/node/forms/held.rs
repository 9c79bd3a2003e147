//! The forms that this node holds, and the one that a word names.

use kith_crdt::Section;
use kith_protocol::{audit::How, id::RecordId, record::Record};
use serde_json::Value;

use crate::{
    api::FormLine,
    failure::{Ending, Failure},
    health::forms::Form,
    node::Node,
};

/// The shortest beginning of an id that names a form.
const PREFIX_LEN_MIN: usize = 4;

/// A form that is held.
struct HeldForm {
    line: FormLine,
    form: Form,
    native_id: Option<String>,
}

impl HeldForm {
    fn is_named(&self, word: &str) -> bool {
        let line = &self.line;
        let canonical = self.form.canonical();
        line.id == word
            || (word.len() >= PREFIX_LEN_MIN && line.id.starts_with(word))
            || line.url.as_deref() == Some(word)
            || canonical.as_deref() == Some(word)
            || self.native_id.as_deref() == Some(word)
            || line.title.eq_ignore_ascii_case(word)
    }
}

impl Node {
    pub(super) fn form_list(&mut self, record: Option<&str>) -> Result<Vec<FormLine>, Failure> {
        let held = self.held_forms(record)?;
        Ok(held.into_iter().map(|held| held.line).collect())
    }

    /// The one form that a word names, in the library or in a record.
    pub(super) fn form_named(
        &mut self,
        word: &str,
        record: Option<&str>,
    ) -> Result<(Form, FormLine), Failure> {
        let mut found = self.held_forms(record)?;
        found.retain(|held| held.is_named(word));
        // The same form in the library and in the record is one.
        found.dedup_by(|a, b| a.form.value == b.form.value);
        match found.len() {
            1 => {
                let held = found.remove(0);
                Ok((held.form, held.line))
            }
            0 => Err(Failure::new(
                Ending::Failed,
                format!("There is no form called {word:?} here."),
                "Run kith form list to see the forms here, and kith form add FILE to keep one. Nothing was changed.",
            )),
            n => {
                let mut failure = Failure::new(
                    Ending::NeedsPerson,
                    format!("{word:?} fits {n} forms here."),
                    "Name one by its id. Nothing was changed.",
                );
                failure.why = found
                    .iter()
                    .take(20)
                    .map(|held| {
                        let version = held.line.version.as_deref().unwrap_or("without a number");
                        format!("{}: {}, version {version}", held.line.id, held.line.title)
                    })
                    .collect();
                Err(failure)
            }
        }
    }

    fn held_forms(&mut self, record: Option<&str>) -> Result<Vec<HeldForm>, Failure> {
        let mut records: Vec<(RecordId, bool)> = Vec::new();
        if let Some(record) = record {
            records.push((self.record_named(record)?, false));
        }
        if let Some(library) = self.people.library() {
            records.retain(|(id, _)| *id != library);
            records.push((library, true));
        }
        let mut held = Vec::new();
        for (id, is_library) in records {
            held.extend(self.with_record(id, |node, record| {
                node.disclose_part(record, &[Section::Forms], How::Show)?;
                node.forms_of(record, is_library)
            })?);
        }
        Ok(held)
    }

    fn forms_of(&self, record: &mut Record, is_library: bool) -> Result<Vec<HeldForm>, Failure> {
        let mut documents = record.ledger().documents();
        documents.retain(|document| document.section == Section::Forms);
        let mut forms = Vec::new();
        for document in &documents {
            for placed in self.read_document(record, document) {
                let held = &placed.held;
                if held.meta.kind != "Questionnaire" || held.is_retracted() || placed.late {
                    continue;
                }
                let text = self.whole_text(&placed, 0, &mut Vec::new())?;
                let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                // What cannot be asked is kept and not offered.
                let Ok(form) = Form::read(value) else {
                    continue;
                };
                forms.push(HeldForm {
                    line: FormLine {
                        id: held.id.to_string(),
                        title: form.title.clone(),
                        url: form.url.clone(),
                        version: form.version.clone(),
                        questions: form.all().len(),
                        record: (!is_library).then(|| record.id().to_string()),
                        by: self.written_by(record, &placed),
                    },
                    native_id: held.meta.native_id.clone(),
                    form,
                });
            }
        }
        Ok(forms)
    }
}
