//! What a summary can be made of: every version of every resource that is readable and stands.

use std::collections::BTreeMap;

use kith_crdt::Section;
use kith_protocol::id::RecordId;
use serde_json::Value;

use super::{Source, SummarySection, codes::code, own};

/// One version of a resource.
pub(super) struct Entry<'a> {
    pub(super) source: &'a Source,
    /// Its place among the versions that stand side by side.
    pub(super) version: usize,
    /// How many versions there are.
    pub(super) versions: usize,
    pub(super) full_url: String,
    pub(super) received: Value,
}

impl Entry<'_> {
    pub(super) fn kind(&self) -> &str {
        kind(&self.received)
    }
}

/// Everything readable, in an order that does not depend on the order of the sources.
pub(super) struct Held<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Documents of origin, for what they say of whole sections.
    pub(super) compositions: Vec<Entry<'a>>,
    /// How many resources could not be read, by section.
    pub(super) unreadable: BTreeMap<SummarySection, usize>,
}

impl<'a> Held<'a> {
    pub(super) fn read(record: &RecordId, sources: &'a [Source]) -> Self {
        let mut held = Self {
            entries: Vec::new(),
            compositions: Vec::new(),
            unreadable: BTreeMap::new(),
        };
        let mut ordered: Vec<&Source> = sources.iter().filter(|source| !source.retracted).collect();
        ordered.sort_by_key(|source| (&source.document, &source.resource));
        for source in ordered {
            held.take(record, source);
        }
        held
    }

    fn take(&mut self, record: &RecordId, source: &'a Source) {
        let own = std::slice::from_ref(&source.text);
        let texts = if source.versions.is_empty() {
            own
        } else {
            source.versions.as_slice()
        };
        for (version, text) in texts.iter().enumerate() {
            let Some(received) = read(text) else {
                *self.unreadable.entry(by_part(source.section)).or_default() += 1;
                continue;
            };
            let entry = Entry {
                source,
                version,
                versions: texts.len(),
                full_url: own::resource_url(record, source, version),
                received,
            };
            if code_is_error(&entry.received) {
                continue;
            }
            match entry.kind() {
                "Composition" => self.compositions.push(entry),
                kind if CARRIED.contains(&kind) => self.entries.push(entry),
                _ => {}
            }
        }
    }
}

/// Types that a summary carries: those of its sections and those that they lead to.
const CARRIED: [&str; 44] = [
    "AllergyIntolerance",
    "Binary",
    "BodyStructure",
    "CarePlan",
    "CareTeam",
    "ClinicalImpression",
    "Condition",
    "Consent",
    "Device",
    "DeviceUseStatement",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "HealthcareService",
    "ImagingStudy",
    "Immunization",
    "ImmunizationRecommendation",
    "Location",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "NutritionOrder",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "QuestionnaireResponse",
    "RelatedPerson",
    "RequestGroup",
    "RiskAssessment",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "Substance",
];

fn read(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    value.is_object().then_some(value)
}

pub(super) fn kind(resource: &Value) -> &str {
    let kind = resource.get("resourceType").and_then(Value::as_str);
    kind.unwrap_or_default()
}

/// Whether it calls itself entered in error.
fn code_is_error(resource: &Value) -> bool {
    ["status", "verificationStatus"]
        .into_iter()
        .any(|element| code(resource, element) == Some("entered-in-error"))
}

/// The section in whose text a resource is missed that cannot be read.
const fn by_part(section: Section) -> SummarySection {
    match section {
        Section::Allergies => SummarySection::Allergies,
        Section::Plans => SummarySection::PlanOfCare,
        Section::Medicines => SummarySection::Medicines,
        Section::Conditions => SummarySection::Problems,
        Section::Immunisations => SummarySection::Immunizations,
        Section::Results | Section::Monitoring => SummarySection::Results,
        Section::DailyCare => SummarySection::SocialHistory,
        Section::Identity
        | Section::Encounters
        | Section::Tasks
        | Section::Letters
        | Section::Forms
        | Section::Circle => SummarySection::Other,
    }
}
