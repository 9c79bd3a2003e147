//! What does not fit, where, in a sentence.

use serde::{Deserialize, Serialize};

/// Findings that are told; what is more is counted.
pub const FINDINGS_MAX: usize = 200;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// The answer does not fit the form: it is not filed as it is.
    Error,
    /// Somebody should look; it is filed.
    Warning,
    /// What this program does not do with the form.
    Note,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub weight: Weight,
    /// Where, as FHIRPath, such as `QuestionnaireResponse.item[0].answer[1].value`.
    pub expression: String,
    /// The question.
    #[serde(rename = "question", default, skip_serializing_if = "Option::is_none")]
    pub link_id: Option<String>,
    /// What, in a sentence.
    pub what: String,
}

/// Findings as they are gathered.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) all: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    pub(super) fn add(
        &mut self,
        weight: Weight,
        expression: &str,
        link_id: Option<&str>,
        what: impl Into<String>,
    ) {
        if self.all.len() >= FINDINGS_MAX {
            self.left_out += 1;
            return;
        }
        self.all.push(Finding {
            weight,
            expression: expression.to_owned(),
            link_id: link_id.map(str::to_owned),
            what: what.into(),
        });
    }

    pub(super) fn has_errors(&self) -> bool {
        has_errors(&self.all) || self.left_out > 0
    }

    /// All of them, the gravest first.
    pub(super) fn done(mut self, root: &str) -> Vec<Finding> {
        self.all.sort_by_key(|finding| finding.weight);
        if self.left_out > 0 {
            self.all.push(Finding {
                weight: Weight::Error,
                expression: root.to_owned(),
                link_id: None,
                what: format!(
                    "{} more things do not fit and are not listed.",
                    self.left_out
                ),
            });
        }
        self.all
    }
}

/// Whether anything keeps an answer from being filed.
pub fn has_errors(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.weight == Weight::Error)
}
