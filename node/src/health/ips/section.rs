//! The sections of a summary and what belongs in each.

use serde_json::Value;

use super::codes::{choice, code, codings, has_code};
use kith_crdt::{Section, classify::RESPECT_DOCUMENT};

/// The sections, in the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SummarySection {
    /// Allergies and intolerances; always there.
    Allergies,
    /// Medicines; always there.
    Medicines,
    /// Present problems; always there.
    Problems,
    /// Safety flags.
    Alerts,
    /// Advance directives.
    AdvanceDirectives,
    /// Vaccinations.
    Immunizations,
    /// Laboratory, imaging and other results.
    Results,
    /// Vital signs.
    VitalSigns,
    /// Procedures.
    Procedures,
    /// Devices in use.
    Devices,
    /// Past problems.
    PastIllness,
    /// Pregnancies.
    Pregnancy,
    /// Smoking, alcohol, living.
    SocialHistory,
    /// Function and disability.
    FunctionalStatus,
    /// Plans of care.
    PlanOfCare,
    /// Illness in the family.
    FamilyHistory,
    /// What the guide gives no place to.
    Other,
}

impl SummarySection {
    /// Every section, in order.
    pub const ALL: [Self; 17] = [
        Self::Allergies,
        Self::Medicines,
        Self::Problems,
        Self::Alerts,
        Self::AdvanceDirectives,
        Self::Immunizations,
        Self::Results,
        Self::VitalSigns,
        Self::Procedures,
        Self::Devices,
        Self::PastIllness,
        Self::Pregnancy,
        Self::SocialHistory,
        Self::FunctionalStatus,
        Self::PlanOfCare,
        Self::FamilyHistory,
        Self::Other,
    ];

    /// The LOINC code, its display and the title that people see.
    pub const fn heading(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Allergies => (
                "48765-2",
                "Allergies and adverse reactions Document",
                "Allergies and intolerances",
            ),
            Self::Medicines => (
                "10160-0",
                "History of Medication use Narrative",
                "Medicines",
            ),
            Self::Problems => ("11450-4", "Problem list - Reported", "Problems"),
            Self::Alerts => ("104605-1", "Alert", "Alerts"),
            Self::AdvanceDirectives => ("42348-3", "Advance directives", "Advance directives"),
            Self::Immunizations => (
                "11369-6",
                "History of Immunization Narrative",
                "Vaccinations",
            ),
            Self::Results => (
                "30954-2",
                "Relevant diagnostic tests/laboratory data Narrative",
                "Results",
            ),
            Self::VitalSigns => ("8716-3", "Vital signs", "Vital signs"),
            Self::Procedures => ("47519-4", "History of Procedures Document", "Procedures"),
            Self::Devices => ("46264-8", "History of medical device use", "Devices"),
            Self::PastIllness => (
                "11348-0",
                "History of Past illness Narrative",
                "Past problems",
            ),
            Self::Pregnancy => ("10162-6", "History of pregnancies Narrative", "Pregnancies"),
            Self::SocialHistory => ("29762-2", "Social history Narrative", "Social history"),
            Self::FunctionalStatus => (
                "47420-5",
                "Functional status assessment note",
                "Functional status",
            ),
            Self::PlanOfCare => ("18776-5", "Plan of care note", "Plan of care"),
            Self::FamilyHistory => (
                "10157-6",
                "History of family member diseases Narrative",
                "Family history",
            ),
            Self::Other => ("11503-0", "Medical records", "Also in the record"),
        }
    }

    /// Whether the guide requires it.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Allergies | Self::Medicines | Self::Problems)
    }

    /// The part of the record that it is made from.
    pub const fn part(self) -> Section {
        match self {
            Self::Allergies | Self::Alerts => Section::Allergies,
            Self::Medicines => Section::Medicines,
            Self::Problems
            | Self::Procedures
            | Self::Devices
            | Self::PastIllness
            | Self::FunctionalStatus
            | Self::FamilyHistory => Section::Conditions,
            Self::AdvanceDirectives | Self::PlanOfCare => Section::Plans,
            Self::Immunizations => Section::Immunisations,
            Self::Results | Self::VitalSigns | Self::Pregnancy => Section::Results,
            Self::SocialHistory => Section::DailyCare,
            Self::Other => Section::Letters,
        }
    }

    /// Where a resource belongs, or nothing when it is no part of a summary by itself.
    pub(super) fn of(resource: &Value) -> Option<Self> {
        let kind = resource.get("resourceType").and_then(Value::as_str);
        match kind.unwrap_or_default() {
            "AllergyIntolerance" => Some(Self::Allergies),
            "MedicationStatement" | "MedicationRequest" => Some(Self::Medicines),
            "Condition" => Some(of_condition(resource)),
            "Flag" => Some(Self::Alerts),
            "Consent" => is_directive(resource).then_some(Self::AdvanceDirectives),
            "DocumentReference" => is_advance_document(resource).then_some(Self::AdvanceDirectives),
            "Immunization" => Some(Self::Immunizations),
            "DiagnosticReport" => Some(of_report(resource)),
            "Observation" => Some(of_observation(resource)),
            "Procedure" => Some(Self::Procedures),
            "DeviceUseStatement" => Some(Self::Devices),
            "ClinicalImpression" => Some(Self::FunctionalStatus),
            "CarePlan" => Some(Self::PlanOfCare),
            "FamilyMemberHistory" => Some(Self::FamilyHistory),
            "QuestionnaireResponse" => is_plan_form(resource).then_some(Self::Other),
            _ => None,
        }
    }
}

/// LOINC codes of the pregnancy status, of expected dates of delivery and of outcomes.
const PREGNANCY: [&str; 13] = [
    "82810-3", "11778-8", "11779-6", "11780-4", "11636-8", "11637-6", "11638-4", "11639-2",
    "11640-0", "11612-9", "11613-7", "11614-5", "33065-4",
];

const UCUM: &str = "http://unitsofmeasure.org";

/// LOINC code of tobacco use.
pub(super) const TOBACCO: &str = "72166-2";
/// LOINC code of alcohol use.
pub(super) const ALCOHOL: &str = "74013-4";

fn of_observation(resource: &Value) -> SummarySection {
    let code = resource.get("code");
    let category = resource.get("category");
    let narrow = has_code(code, &[TOBACCO, ALCOHOL]) || has_code(code, &PREGNANCY);
    if narrow && !is_simple(resource) {
        SummarySection::Other
    } else if has_code(code, &PREGNANCY) {
        SummarySection::Pregnancy
    } else if has_code(code, &[TOBACCO, ALCOHOL]) || has_code(category, &["social-history"]) {
        SummarySection::SocialHistory
    } else if has_code(category, &["vital-signs"]) {
        SummarySection::VitalSigns
    } else {
        SummarySection::Results
    }
}

/// The guide gives a report one category. One with several is carried as it is.
fn of_report(resource: &Value) -> SummarySection {
    match resource.get("category").and_then(Value::as_array) {
        Some(categories) if categories.len() > 1 => SummarySection::Other,
        Some(_) | None => SummarySection::Results,
    }
}

/// Whether an observation has the one form that the guide gives to habits and pregnancies.
fn is_simple(resource: &Value) -> bool {
    let dated = choice(resource, "effective").is_none_or(|(name, _)| name == "effectiveDateTime");
    let in_ucum = |value: &Value| {
        codings(Some(value))
            .iter()
            .any(|(system, _)| *system == UCUM)
    };
    let counted = resource.get("valueQuantity").is_none_or(in_ucum);
    let more = [
        "component",
        "bodySite",
        "specimen",
        "device",
        "referenceRange",
    ];
    dated
        && counted
        && more
            .into_iter()
            .all(|element| resource.get(element).is_none())
}

fn of_condition(resource: &Value) -> SummarySection {
    if has_code(resource.get("category"), &["disability", "funcstat"]) {
        return SummarySection::FunctionalStatus;
    }
    match code(resource, "clinicalStatus") {
        Some("inactive" | "remission" | "resolved") => SummarySection::PastIllness,
        Some(_) | None => SummarySection::Problems,
    }
}

/// A Consent about treatment, not about who may see what.
fn is_directive(consent: &Value) -> bool {
    !codings(consent.get("scope"))
        .iter()
        .any(|(_, code)| matches!(*code, "patient-privacy" | "research"))
}

fn is_advance_document(document: &Value) -> bool {
    has_code(document.get("type"), &[RESPECT_DOCUMENT, "42348-3"])
}

fn is_plan_form(form: &Value) -> bool {
    kith_crdt::classify::section(form) == Section::Plans
}
