//! Forms in records: kept, opened with what the record knows, answered, filed.
//!
//! An answer is always something new. A response and what it says are written in one commit, or
//! none of it; what is there already is never written over, and where the record changed between
//! opening and answering that is said first.

mod filing;
mod held;

use kith_crdt::Section;
use kith_protocol::{audit::How, record::Record};
use serde_json::Value;

use super::{Node, now_ms, show};
use crate::{
    api::{
        FillRequest, FormAdded, FormChecked, FormFilled, FormOpened, FormsReply, FormsRequest,
        ImportRequest, Progress,
    },
    failure::{Ending, Failure},
    health::forms::{
        Finding, Form, check,
        finding::has_errors,
        prefill::{Known, Prefilling, Sourced, prefill},
    },
};

/// The longest form or response, in bytes.
const TEXT_LEN_MAX: usize = 16 * 1024 * 1024;

impl Node {
    pub(super) fn forms(
        &mut self,
        asked: FormsRequest,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FormsReply, Failure> {
        match asked {
            FormsRequest::Add { file, record } => self
                .form_add(&file, record, progress)
                .map(FormsReply::Added),
            FormsRequest::List { record } => {
                self.form_list(record.as_deref()).map(FormsReply::List)
            }
            FormsRequest::Open { record, form } => self
                .form_open(&record, &form)
                .map(Box::new)
                .map(FormsReply::Opened),
            FormsRequest::Check { text, form, record } => self
                .form_check(&text, form.as_deref(), record.as_deref())
                .map(FormsReply::Checked),
            FormsRequest::Fill(asked) => {
                self.form_fill(&asked).map(Box::new).map(FormsReply::Filled)
            }
        }
    }

    fn form_add(
        &mut self,
        file: &std::path::Path,
        record: Option<String>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<FormAdded, Failure> {
        let bytes = super::import::letter_file(file)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            Failure::new(
                Ending::NotUnderstood,
                "This file is not text, so it is no form.",
                "Give a FHIR Questionnaire as JSON. Nothing was changed.",
            )
            .because(&error)
        })?;
        let form = form_in(&text)?;
        let imported = self.import(
            &ImportRequest {
                paths: vec![file.to_owned()],
                record,
                ..ImportRequest::default()
            },
            progress,
        )?;
        if let Some(refused) = imported.refused.into_iter().next() {
            return Err(refused.failure);
        }
        let filed = imported.records.first();
        Ok(FormAdded {
            questions: form.all().len(),
            record: filed.map_or_else(String::new, |filed| filed.record.clone()),
            was_here: filed.is_some_and(|filed| filed.filed.is_empty()),
            title: form.title,
            notes: form.notes,
        })
    }

    fn form_check(
        &mut self,
        text: &str,
        named: Option<&str>,
        record: Option<&str>,
    ) -> Result<FormChecked, Failure> {
        let value = json_in(text)?;
        if value.get("resourceType").and_then(Value::as_str) == Some("Questionnaire") {
            let (title, questions, findings) = match Form::read(value) {
                Ok(form) => (form.title.clone(), form.all().len(), form.notes),
                Err(findings) => (String::new(), 0, findings),
            };
            return Ok(FormChecked {
                form: title,
                questions,
                findings,
            });
        }
        let answers_of = value.get("questionnaire").and_then(Value::as_str);
        let word = named.or(answers_of).ok_or_else(|| {
            Failure::new(
                Ending::NotUnderstood,
                "The response does not say which form it answers.",
                "Name the form with --form. Nothing was changed.",
            )
        })?;
        let (form, _) = self.form_named(word, record)?;
        Ok(FormChecked {
            questions: form.all().len(),
            findings: check(&form, &value),
            form: form.title,
        })
    }

    fn form_open(&mut self, record: &str, word: &str) -> Result<FormOpened, Failure> {
        let (form, line) = self.form_named(word, Some(record))?;
        let prefilling = self.prefilled(record, &form)?;
        Ok(FormOpened {
            form: line,
            questionnaire: form.value.to_string(),
            basis: basis(&prefilling),
            known: prefilling.answers,
            open: prefilling.open,
        })
    }

    /// What a record answers of a form; it is a look at who the person is and what was measured.
    fn prefilled(&mut self, word: &str, form: &Form) -> Result<Prefilling, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            node.disclose_part(record, &KNOWN_FROM, How::Show)?;
            let known = node.known_for_forms(record)?;
            Ok(prefill(form, &known))
        })
    }

    /// What a record knows, for filling in forms: what stands and was not taken back.
    fn known_for_forms(&self, record: &mut Record) -> Result<Known, Failure> {
        let mut known = Known {
            now: show::time(now_ms()),
            ..Known::default()
        };
        let mut patients = Vec::new();
        for placed in self.read_all(record)? {
            let held = &placed.held;
            let is_known = KNOWN_FROM.contains(&placed.document.section);
            if !is_known || held.is_retracted() || held.meta.made_here || placed.late {
                continue;
            }
            let is_patient = match held.meta.kind.as_str() {
                "Patient" => true,
                "Observation" => false,
                _ => continue,
            };
            let written = record.writer(&held.created);
            let is_marked = written.is_none_or(|entry| show::is_marked(record, &entry));
            let sourced = Sourced {
                id: held.id.to_string(),
                value: held.value(0),
                by: self.written_by(record, &placed),
                is_contested: held.siblings().next().is_some() || placed.aside || is_marked,
            };
            if is_patient {
                patients.push(sourced);
            } else {
                known.observations.push(sourced);
            }
        }
        // Where several say who the person is, none of them is picked.
        let several = patients.len() > 1;
        known.patient = patients.into_iter().next().map(|mut patient| {
            patient.is_contested |= several;
            patient
        });
        Ok(known)
    }

    fn form_fill(&mut self, asked: &FillRequest) -> Result<FormFilled, Failure> {
        let (form, _) = self.form_named(&asked.form, Some(&asked.record))?;
        let prefilling = self.prefilled(&asked.record, &form)?;
        let answers = json_in(&asked.answers)?;
        let id = self.record_named(&asked.record)?;
        self.with_record(id, |node, record| {
            let mut filled = node.response_of(record, &form, asked, &answers, &prefilling)?;
            if has_errors(&filled.findings) || !filled.changed_since.is_empty() {
                filled.left_out.clear();
                filled.resources.clear();
                return Ok(filled);
            }
            node.file_answers(record, &form, asked, &mut filled)?;
            Ok(filled)
        })
    }
}

/// The parts of a record from which questions are answered.
const KNOWN_FROM: [Section; 4] = [
    Section::Identity,
    Section::Results,
    Section::Monitoring,
    Section::DailyCare,
];

/// What a record answered, in a word that changes when it answers otherwise.
fn basis(prefilling: &Prefilling) -> String {
    let mut hasher = blake3::Hasher::new();
    for answer in &prefilling.answers {
        for text in [&answer.link_id].into_iter().chain(&answer.answers) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// JSON of a bounded length and depth.
fn json_in(text: &str) -> Result<Value, Failure> {
    if text.len() > TEXT_LEN_MAX {
        return Err(Failure::new(
            Ending::NotUnderstood,
            format!("This has more than {} MB.", TEXT_LEN_MAX >> 20),
            "Split the form. Nothing was changed.",
        ));
    }
    serde_json::from_str(text).map_err(|error| {
        Failure::new(
            Ending::NotUnderstood,
            "This is not JSON, or is nested too deeply to be read.",
            "Give FHIR as JSON: forms and responses as XML are kept by kith import and not asked here. Nothing was changed.",
        )
        .because(&error)
    })
}

/// A form, or everything that keeps it from being asked.
fn form_in(text: &str) -> Result<Form, Failure> {
    Form::read(json_in(text)?).map_err(|findings| {
        let mut failure = Failure::new(
            Ending::NotUnderstood,
            "This form cannot be asked.",
            "Mend what is named and add it again; kith form check FILE looks at a file and changes nothing. Nothing was changed.",
        );
        failure.why = findings.iter().take(20).map(said).collect();
        failure
    })
}

/// A finding in a line.
fn said(finding: &Finding) -> String {
    let of = finding.link_id.as_ref();
    let of = of.map_or_else(String::new, |link_id| format!(" ({link_id})"));
    format!("{}{of}: {}", finding.expression, finding.what)
}
