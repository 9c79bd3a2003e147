//! Where a resource belongs: its section, its label, its month.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    DocumentId, Label, Month, Section,
    incoming::{IncomingResource, Names},
};

/// SNOMED CT code of a ReSPECT form as a document type.
pub const RESPECT_DOCUMENT: &str = "1382601000000107";

/// Practice rules for what has no label of its own: words of `meta.security` and clinical codes.
#[derive(Clone, Debug)]
pub struct LabelRules {
    /// By system, then by code.
    by_code: BTreeMap<String, BTreeMap<String, Label>>,
}

impl Default for LabelRules {
    /// HL7 v3 ActCode sensitivity words, and a short table of SNOMED CT codes.
    fn default() -> Self {
        let mut rules = Self {
            by_code: BTreeMap::new(),
        };
        for (system, codes, label) in DEFAULT_RULES {
            for code in codes {
                rules.add(system, code, label());
            }
        }
        rules
    }
}

const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const SNOMED: &str = "http://snomed.info/sct";

type Rule = (&'static str, &'static [&'static str], fn() -> Label);

const DEFAULT_RULES: [Rule; 6] = [
    (
        ACT_CODE,
        &["MH", "PSY", "PSYTHPN", "BH", "SUD", "ETH", "OPIOIDUD"],
        Label::mental_health,
    ),
    (
        ACT_CODE,
        &["HIV", "STD", "SEX", "SEXB"],
        Label::sexual_health,
    ),
    (ACT_CODE, &["SOC", "DV", "SOCDET"], Label::social_care),
    (CONFIDENTIALITY, &["R", "V"], Label::private),
    (
        SNOMED,
        &[
            "35489007",
            "370143000",
            "13746004",
            "58214004",
            "197480006",
            "47505003",
            "72366004",
        ],
        Label::mental_health,
    ),
    (
        SNOMED,
        &[
            "8098009",
            "15628003",
            "240589008",
            "105629000",
            "76272004",
            "86406008",
            "33839006",
        ],
        Label::sexual_health,
    ),
];

impl LabelRules {
    /// Adds or replaces the label of a code.
    pub fn add(&mut self, system: &str, code: &str, label: Label) {
        let codes = self.by_code.entry(system.to_owned()).or_default();
        codes.insert(code.to_owned(), label);
    }

    /// The strictest label of what the security labels and the codes of a resource say, wherever
    /// in it they stand: a contained resource, a component or a dose tells as much as the whole.
    pub fn label(&self, resource: &Value) -> Label {
        let mut strictest = Label::general();
        self.walk(resource, &mut strictest);
        strictest
    }

    fn walk(&self, value: &Value, strictest: &mut Label) {
        match value {
            Value::Object(members) => {
                let text = |name: &str| members.get(name).and_then(Value::as_str);
                if let (Some(system), Some(code)) = (text("system"), text("code")) {
                    self.read(system, code, strictest);
                }
                for (name, value) in members {
                    // What a Consent speaks of is not what it is.
                    if name != "provision" {
                        self.walk(value, strictest);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, strictest)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn read(&self, system: &str, code: &str, strictest: &mut Label) {
        let label = self.by_code.get(system).and_then(|codes| codes.get(code));
        if let Some(label) = label
            && strictness(label) > strictness(strictest)
        {
            *strictest = label.clone();
        }
    }
}

/// How far a label is closed: the more, the fewer see it. A practice's own word is closed like
/// `private`.
pub fn strictness(label: &Label) -> u8 {
    match label.as_str() {
        "general" => 0,
        "social-care" => 1,
        "mental-health" => 2,
        "sexual-health" => 3,
        _ => 4,
    }
}

/// Every (system, code) below a value: in a Coding, a CodeableConcept, or lists of them.
fn codings(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(items) => items.iter().flat_map(codings).collect(),
        Value::Object(members) => {
            let nested = members.get("coding").map(codings).unwrap_or_default();
            let own = members.get("code").and_then(Value::as_str).map(|code| {
                let system = members.get("system").and_then(Value::as_str);
                (system.unwrap_or_default().to_owned(), code.to_owned())
            });
            nested.into_iter().chain(own).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The section of a resource (`health.md`, "Sections by type").
pub fn section(resource: &Value) -> Section {
    let kind = resource.get("resourceType").and_then(Value::as_str);
    match kind.unwrap_or_default() {
        "Patient" | "RelatedPerson" | "Practitioner" | "PractitionerRole" | "Organization"
        | "Location" => Section::Identity,
        "AllergyIntolerance" | "Flag" => Section::Allergies,
        "MedicationStatement"
        | "MedicationRequest"
        | "Medication"
        | "MedicationDispense"
        | "MedicationAdministration" => Section::Medicines,
        "Condition"
        | "Procedure"
        | "FamilyMemberHistory"
        | "DeviceUseStatement"
        | "Device"
        | "Goal"
        | "ClinicalImpression" => Section::Conditions,
        "Immunization" | "ImmunizationRecommendation" => Section::Immunisations,
        "DiagnosticReport" | "Specimen" | "ImagingStudy" | "MolecularSequence" | "Media" => {
            Section::Results
        }
        "Observation" => observation_section(resource),
        "CarePlan" | "Consent" => Section::Plans,
        "Encounter"
        | "Appointment"
        | "EpisodeOfCare"
        | "Claim"
        | "ExplanationOfBenefit"
        | "Coverage" => Section::Encounters,
        "Task" | "ServiceRequest" | "Communication" | "CommunicationRequest" => Section::Tasks,
        "DocumentReference" if is_respect(resource) => Section::Plans,
        "QuestionnaireResponse" if is_respect(resource) => Section::Plans,
        "Questionnaire" | "QuestionnaireResponse" => Section::Forms,
        "CareTeam" | "PlanDefinition" => Section::Circle,
        _ => Section::Letters,
    }
}

fn observation_section(resource: &Value) -> Section {
    let categories: Vec<String> = resource
        .get("category")
        .map(codings)
        .unwrap_or_default()
        .into_iter()
        .map(|(_, code)| code)
        .collect();
    let is = |code: &str| categories.iter().any(|category| category == code);
    if is("social-history") || is("survey") || is("activity") {
        Section::DailyCare
    } else if is_device_reading(resource) {
        Section::Monitoring
    } else {
        Section::Results
    }
}

/// A reading that a device took outside a laboratory.
fn is_device_reading(resource: &Value) -> bool {
    let category = resource.get("category").map(codings).unwrap_or_default();
    let vital = category.iter().any(|(_, code)| code == "vital-signs");
    vital && resource.get("device").is_some()
}

/// Whether a document or answered form is a ReSPECT plan or another advance-care document.
fn is_respect(resource: &Value) -> bool {
    let typed = resource.get("type").map(codings).unwrap_or_default();
    let named = resource
        .get("questionnaire")
        .and_then(Value::as_str)
        .is_some_and(|url| url.to_ascii_lowercase().contains("respect-form"));
    named
        || typed
            .iter()
            .any(|(_, code)| code == RESPECT_DOCUMENT || code == "42348-3")
}

/// The first document of a resource's section, label and month.
pub fn document(resource: &Value, rules: &LabelRules) -> DocumentId {
    let section = section(resource);
    DocumentId {
        month: (section == Section::Monitoring)
            .then(|| month(resource))
            .flatten(),
        ..DocumentId::first(section, rules.label(resource))
    }
}

/// The documents of the resources of one file. What names a resource of a closed label directly
/// carries a part of it (a reason, a diagnosis), and a Composition of all that it names, so it is
/// closed as far.
pub fn documents(resources: &[IncomingResource], rules: &LabelRules) -> Vec<DocumentId> {
    let mut documents: Vec<_> = resources
        .iter()
        .map(|resource| document(&resource.value, rules))
        .collect();
    for (resource, document) in resources.iter().zip(&mut documents) {
        if resource.is_closed() {
            // Nobody can say how sensitive it is.
            document.label = Label::private();
        }
        if let Some(frame) = &resource.frame_meta {
            document.label = strictest([&document.label, &rules.label(frame)]);
        }
    }
    let own: Vec<_> = documents.iter().map(|id| id.label.clone()).collect();
    let names = Names::of(resources);
    for (resource, document) in resources.iter().zip(&mut documents) {
        for reference in resource.references() {
            for n in names.all(reference) {
                if strictness(&own[n]) > strictness(&document.label) {
                    document.label = own[n].clone();
                }
            }
        }
    }
    documents
}

/// The most restrictive of some labels.
pub fn strictest<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Label {
    let strictest = labels.into_iter().max_by_key(|label| strictness(label));
    strictest.cloned().unwrap_or_else(Label::general)
}

fn month(resource: &Value) -> Option<Month> {
    let time = ["effectiveDateTime", "issued"]
        .into_iter()
        .find_map(|element| resource.get(element)?.as_str())
        .or_else(|| resource.pointer("/effectivePeriod/start")?.as_str())?;
    let year = time.get(..4)?.parse().ok()?;
    Month::new(year, time.get(5..7)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LabelRules, document, documents, section};
    use crate::{Label, Section, incoming::read};

    #[test]
    fn what_names_a_closed_resource_is_closed_as_far() {
        let file = read(
            br#"{"resourceType":"Bundle","entry":[
                {"resource":{"resourceType":"Composition","section":[{"entry":[{"reference":"Condition/c"}]}]}},
                {"resource":{"resourceType":"Condition","id":"c","encounter":{"reference":"Encounter/e"},
                    "code":{"coding":[{"system":"http://snomed.info/sct","code":"8098009"}]}}},
                {"resource":{"resourceType":"Encounter","id":"e"}},
                {"resource":{"resourceType":"Condition","id":"d","encounter":{"reference":"Encounter/e"}}}]}"#,
            1000,
        )
        .expect("a bundle");
        let labels: Vec<_> = documents(&file.resources, &LabelRules::default())
            .into_iter()
            .map(|id| id.label.to_string())
            .collect();
        assert_eq!(
            labels,
            ["sexual-health", "sexual-health", "general", "general"]
        );
    }

    #[test]
    fn what_nobody_can_look_into_is_for_nobody_but_whom_the_person_names() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let labels = |text: &str| {
            let file = read(text.as_bytes(), 1000).expect("JSON");
            let documents = documents(&file.resources, &LabelRules::default());
            let labels = documents.into_iter().map(|id| id.label.to_string());
            labels.collect::<Vec<_>>()
        };
        let deep_resource = format!(r#"{{"resourceType":"Condition","extension":{deep}}}"#);
        let surrogate = r#"{"resourceType":"Condition","note":"\ud800"}"#;
        let plain = r#"{"resourceType":"Condition"}"#;
        assert_eq!(labels(&deep_resource), ["private"]);
        assert_eq!(labels(surrogate), ["private"]);
        assert_eq!(labels("null"), ["general"]);
        let bundle = format!(
            r#"{{"resourceType":"Bundle","entry":[{{"resource":{deep_resource}}},{{"resource":{plain}}}]}}"#
        );
        assert_eq!(labels(&bundle), ["private", "general"]);
        let bundle = format!(
            r#"{{"resourceType":"Bundle","meta":{{"security":{deep}}},"entry":[{{"resource":{plain}}}]}}"#
        );
        assert_eq!(labels(&bundle), ["private"]);
    }

    #[test]
    fn a_label_comes_from_security_or_from_a_code() {
        let rules = LabelRules::default();
        let said = json!({"resourceType": "Condition", "meta": {"security": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "STD"}]}});
        assert_eq!(rules.label(&said), Label::sexual_health());
        let coded = json!({"resourceType": "Condition", "code": {"coding": [
            {"system": "http://snomed.info/sct", "code": "35489007"}]}});
        assert_eq!(rules.label(&coded), Label::mental_health());
        assert_eq!(
            rules.label(&json!({"code": {"text": "x"}})),
            Label::general()
        );
    }

    #[test]
    fn a_code_closes_a_resource_wherever_it_stands() {
        let rules = LabelRules::default();
        let hiv = json!({"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]});
        for resource in [
            json!({"resourceType": "MedicationRequest",
                "contained": [{"resourceType": "Condition", "code": hiv}]}),
            json!({"resourceType": "Observation", "component": [{"code": hiv}]}),
            json!({"resourceType": "Observation", "valueCodeableConcept": hiv}),
            json!({"resourceType": "Encounter", "diagnosis": [{"use": hiv}]}),
        ] {
            assert_eq!(rules.label(&resource), Label::sexual_health(), "{resource}");
        }
        let letter = json!({"resourceType": "DocumentReference", "securityLabel": [{"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]}]});
        assert_eq!(rules.label(&letter), Label::private());
        let consent = json!({"resourceType": "Consent", "provision": {"securityLabel": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]}});
        assert_eq!(rules.label(&consent), Label::general());
    }

    #[test]
    fn a_closed_bundle_closes_all_that_is_in_it() {
        let file = read(
            br#"{"resourceType":"Bundle","meta":{"security":[
                {"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},
                "entry":[{"resource":{"resourceType":"Condition","id":"c"}}]}"#,
            1000,
        )
        .expect("a bundle");
        let documents = documents(&file.resources, &LabelRules::default());
        assert_eq!(documents[0].label, Label::private());
    }

    #[test]
    fn a_respect_form_is_a_plan() {
        let form = json!({"resourceType": "DocumentReference", "type": {"coding": [
            {"system": "http://snomed.info/sct", "code": "1382601000000107"}]}});
        assert_eq!(section(&form), Section::Plans);
        assert_eq!(
            section(&json!({"resourceType": "DocumentReference"})),
            Section::Letters
        );
    }

    #[test]
    fn device_readings_are_sharded_by_month() {
        let reading = json!({"resourceType": "Observation", "device": {"display": "cuff"},
            "category": [{"coding": [{"code": "vital-signs"}]}],
            "effectiveDateTime": "2026-03-04T10:00:00Z"});
        let id = document(&reading, &LabelRules::default());
        assert_eq!(id.to_string(), "monitoring:general@2026-03");
    }

    #[test]
    fn what_is_not_known_is_a_letter() {
        assert_eq!(section(&json!({"resourceType": "Zebra"})), Section::Letters);
        assert_eq!(section(&json!({})), Section::Letters);
    }
}
