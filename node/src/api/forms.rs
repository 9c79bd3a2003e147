//! Forms: what can be asked about them, and what comes back.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::health::forms::{
    Finding,
    extract::Way,
    prefill::{LeftOpen, Prefilled},
};

/// What is asked about forms.
#[derive(Clone, Serialize, Deserialize)]
pub enum FormsRequest {
    /// Keeps a form: in the node's library, or with a record.
    Add {
        /// The Questionnaire, a file.
        file: PathBuf,
        /// With this record.
        record: Option<String>,
    },
    /// Every form of the library, and of a record.
    List {
        /// Also its forms.
        record: Option<String>,
    },
    /// A form, with what the record answers already.
    Open {
        /// The record.
        record: String,
        /// The form: its id or the beginning of it, its address or its title.
        form: String,
    },
    /// Holds a response against its form.
    Check {
        /// The response, or a form, as FHIR JSON.
        text: String,
        /// The form; the one that the response names where it is left out.
        form: Option<String>,
        /// Look for the form in this record too.
        record: Option<String>,
    },
    /// Answers, and files what was answered.
    Fill(FillRequest),
}

impl std::fmt::Debug for FormsRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormsRequest(..)")
    }
}

/// Answers to a form.
#[derive(Clone, Serialize, Deserialize)]
pub struct FillRequest {
    /// The record.
    pub record: String,
    /// The form: its id or the beginning of it, its address or its title.
    pub form: String,
    /// Answers by the names of their questions, or a whole QuestionnaireResponse: JSON.
    pub answers: String,
    /// What the record answers and is not answered here stands too.
    pub with_known: bool,
    /// What the record answered when the form was opened, as that said. Where it answers something
    /// else now, nothing is filed until somebody has seen that.
    pub basis: Option<String>,
    /// Nothing is filed: what would be is told.
    pub dry_run: bool,
    /// As which member of staff: a name, an id or its beginning.
    pub staff: Option<String>,
}

/// What comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FormsReply {
    /// See [`FormsRequest::Add`].
    Added(FormAdded),
    /// See [`FormsRequest::List`].
    List(Vec<FormLine>),
    /// See [`FormsRequest::Open`].
    Opened(Box<FormOpened>),
    /// See [`FormsRequest::Check`].
    Checked(FormChecked),
    /// See [`FormsRequest::Fill`].
    Filled(Box<FormFilled>),
}

/// A form in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormLine {
    /// Its id here.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its canonical address.
    pub url: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// How many questions it has.
    pub questions: usize,
    /// The record that it stands in; nothing where that is the library.
    pub record: Option<String>,
    /// Who wrote it there.
    pub by: String,
}

/// A form that was kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormAdded {
    /// What it is called.
    pub title: String,
    /// How many questions it has.
    pub questions: usize,
    /// The record that it is in: the library's where none was named.
    pub record: String,
    /// Whether it was here already.
    pub was_here: bool,
    /// What of it is not understood here.
    pub notes: Vec<Finding>,
}

/// A form, with what the record answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormOpened {
    /// The form.
    pub form: FormLine,
    /// The Questionnaire as it was received, JSON.
    pub questionnaire: String,
    /// Answers from the record, each with its source.
    pub known: Vec<Prefilled>,
    /// Questions that the record was asked and did not answer.
    pub open: Vec<LeftOpen>,
    /// What the record answered, for filing: see [`FillRequest::basis`].
    pub basis: String,
}

/// What was found in a response or a form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormChecked {
    /// The form.
    pub form: String,
    /// How many questions it has.
    pub questions: usize,
    /// What does not fit.
    pub findings: Vec<Finding>,
}

/// What came of answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormFilled {
    /// The record.
    pub record: String,
    /// The form.
    pub form: String,
    /// Whether it was filed.
    pub filed: bool,
    /// The response as it is filed, JSON.
    pub response: String,
    /// Its id in the record, where it was filed.
    pub id: Option<String>,
    /// Answers that the record gave, each with its source.
    pub known: Vec<Prefilled>,
    /// Questions that the record was asked and did not answer.
    pub open: Vec<LeftOpen>,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Resources that the answers say.
    pub resources: Vec<FormResource>,
    /// What was left out, in sentences.
    pub left_out: Vec<String>,
    /// Answers that the record gives otherwise now than when the form was opened.
    pub changed_since: Vec<String>,
}

/// A resource that answers say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormResource {
    /// Where it is filed.
    pub section: String,
    /// What it says, in a line.
    pub text: String,
    /// By which way it was made.
    pub way: Way,
    /// The question or group that it comes from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub question: Option<String>,
    /// The resource, JSON.
    pub resource: String,
}
