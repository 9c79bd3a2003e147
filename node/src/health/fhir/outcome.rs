//! What is said when something was not done, or was done with a reservation: an OperationOutcome
//! with a plain sentence.

use serde_json::{Value, json};

use crate::failure::{Ending, Failure};

/// How bad something is (R4, issue-severity).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It was not done.
    Error,
    /// It was done, and something about it is to be known.
    Warning,
    /// Good to know.
    Information,
}

/// What kind of thing it is (R4, issue-type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Content that FHIR does not allow.
    Structure,
    /// A value that is not understood.
    Value,
    /// Something that is needed is missing.
    Required,
    /// Who asks is not known.
    Login,
    /// Not allowed.
    Forbidden,
    /// Something here cannot be done by this server.
    NotSupported,
    /// There is no such thing here.
    NotFound,
    /// It was here and is withdrawn.
    Deleted,
    /// Too much at once.
    TooLong,
    /// It is not as whoever asks believes, or several versions stand.
    Conflict,
    /// Several things fit.
    MultipleMatches,
    /// A rule forbids it.
    BusinessRule,
    /// Try again.
    Transient,
    /// A fault of this node.
    Exception,
    /// What is given may not be all.
    Incomplete,
    /// Good to know.
    Informational,
}

impl Code {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Value => "value",
            Self::Required => "required",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::NotSupported => "not-supported",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::Conflict => "conflict",
            Self::MultipleMatches => "multiple-matches",
            Self::BusinessRule => "business-rule",
            Self::Transient => "transient",
            Self::Exception => "exception",
            Self::Incomplete => "incomplete",
            Self::Informational => "informational",
        }
    }
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is.
    pub code: Code,
    /// In a plain sentence.
    pub what: String,
    /// Where: an element, or `http.` with the name of a parameter or header.
    pub expression: Option<String>,
}

impl Issue {
    /// Something that was done with a reservation.
    pub fn warning(code: Code, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            code,
            what: what.into(),
            expression: None,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    fn to_value(&self) -> Value {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        };
        let mut said = json!({
            "severity": severity,
            "code": self.code.as_str(),
            "details": {"text": self.what},
            "diagnostics": self.what,
        });
        if let Some(expression) = &self.expression {
            said["expression"] = json!([expression]);
        }
        said
    }
}

/// A refusal with its HTTP status, or what is said beside an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status.
    pub status: u16,
    /// What is said; never empty.
    pub issues: Vec<Issue>,
}

impl Outcome {
    /// A refusal.
    pub fn refused(status: u16, code: Code, what: impl Into<String>) -> Self {
        let issue = Issue {
            severity: Severity::Error,
            code,
            what: what.into(),
            expression: None,
        };
        Self {
            status,
            issues: vec![issue],
        }
    }

    /// Where it is.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        if let Some(issue) = self.issues.pop() {
            self.issues.push(issue.at(expression));
        }
        self
    }

    /// A type that this server does not serve.
    pub fn no_type(name: &str) -> Self {
        Self::refused(
            404,
            Code::NotSupported,
            format!(
                "This server does not serve the type {:?}. [base]/metadata lists the types that it serves.",
                cut(name)
            ),
        )
    }

    /// What an app may not see and what is not there look the same.
    pub fn not_here(kind: &str, id: &str) -> Self {
        Self::refused(
            404,
            Code::NotFound,
            format!(
                "{kind}/{} is not known here to this app. It may not be in this record, not have arrived at this node, or not be shared with the app.",
                cut(id)
            ),
        )
    }

    /// As JSON.
    pub fn to_value(&self) -> Value {
        let issues: Vec<_> = self.issues.iter().map(Issue::to_value).collect();
        json!({"resourceType": "OperationOutcome", "issue": issues})
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        let (status, code) = match failure.ending {
            Ending::Usage | Ending::NotUnderstood | Ending::Partly => (400, Code::Value),
            Ending::NotAllowed => (403, Code::Forbidden),
            Ending::NeedsPerson => (409, Code::Conflict),
            Ending::Done | Ending::Failed => (500, Code::Exception),
            Ending::NoNode
            | Ending::NotRunning
            | Ending::Locked
            | Ending::NewerVersion
            | Ending::CannotReach
            | Ending::TryAgain => (503, Code::Transient),
        };
        let mut what = failure.what;
        for why in &failure.why {
            what.push_str(&format!(" ({why})"));
        }
        what.push(' ');
        what.push_str(&failure.remedy);
        Self::refused(status, code, what)
    }
}

/// The beginning of what somebody sent, for saying it back.
pub(super) fn cut(text: &str) -> String {
    const SAID_LEN_MAX: usize = 80;
    text.chars().take(SAID_LEN_MAX).collect()
}
