//! One FHIR resource in one line of plain words.

use serde_json::Value;

/// What a resource says, in a few words; its type where it says nothing that is understood.
pub fn describe(resource: &Value) -> String {
    let kind = text(resource, "resourceType").unwrap_or("something that is not FHIR");
    let main = match kind {
        "Patient" | "Practitioner" | "RelatedPerson" => name(resource),
        "Organization" | "Location" | "CareTeam" => text(resource, "name").map(str::to_owned),
        "Observation" => observation(resource),
        "MedicationRequest"
        | "MedicationStatement"
        | "MedicationDispense"
        | "MedicationAdministration" => medicine(resource),
        "Immunization" => concept(resource.get("vaccineCode")),
        "Encounter" => first(resource, "type").or_else(|| first(resource, "reasonCode")),
        "DocumentReference" => document(resource),
        "Task" | "ServiceRequest" => text(resource, "description")
            .map(str::to_owned)
            .or_else(|| concept(resource.get("code"))),
        "Communication" => resource
            .pointer("/payload/0/contentString")
            .and_then(Value::as_str)
            .map(str::to_owned),
        "Composition" | "PlanDefinition" | "Questionnaire" => {
            text(resource, "title").map(str::to_owned)
        }
        "CarePlan" => text(resource, "title")
            .map(str::to_owned)
            .or_else(|| kind_of_plan(resource)),
        "QuestionnaireResponse" => answers(resource),
        "Provenance" => resource
            .pointer("/activity/text")
            .and_then(Value::as_str)
            .map(str::to_owned),
        "Goal" => concept(resource.get("description")),
        _ => concept(resource.get("code")).or_else(|| first(resource, "code")),
    };
    let main = main.or_else(|| concept(resource.get("code")));
    let main = main.or_else(|| concept(resource.get("type")).or_else(|| first(resource, "type")));
    let main = main.unwrap_or_else(|| kind.to_owned());
    let mut line = one_line(&main);
    if let Some(status) = status(resource) {
        line.push_str(&format!(" ({status})"));
    }
    line
}

/// What a type of resource is called in plain words: `visit or stay` of an `Encounter`.
pub fn kind_in_words(kind: &str) -> String {
    let words = match kind {
        "AllergyIntolerance" => "allergy",
        "Communication" => "note",
        "CareTeam" => "team",
        "Claim" | "ExplanationOfBenefit" => "bill",
        "DiagnosticReport" => "report",
        "DocumentReference" | "Composition" => "letter",
        "Encounter" => "visit or stay",
        "Flag" => "alert",
        "ImagingStudy" => "images",
        "Immunization" => "vaccination",
        "Medication"
        | "MedicationRequest"
        | "MedicationStatement"
        | "MedicationDispense"
        | "MedicationAdministration" => "medicine",
        "Media" | "Binary" => "file",
        "Observation" => "reading or result",
        "Organization" => "organisation",
        "Patient" => "person",
        "PlanDefinition" => "rules",
        "Practitioner" | "PractitionerRole" => "who treats",
        "Provenance" => "where something comes from",
        "Questionnaire" => "form",
        "QuestionnaireResponse" => "answers to a form",
        "RelatedPerson" => "family or friend",
        "ServiceRequest" => "request",
        _ => return apart_in_words(kind),
    };
    words.to_owned()
}

/// `care plan` of `CarePlan`: most names of types are made of plain words.
fn apart_in_words(kind: &str) -> String {
    let mut words = String::new();
    for c in kind.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    one_line(&words)
}

/// What a task asks for, without how it stands.
pub fn describe_task(task: &Value) -> String {
    let what = text(task, "description").map(str::to_owned);
    let what = what.or_else(|| concept(task.get("code")));
    one_line(&what.unwrap_or_else(|| "a task that says nothing of what is to be done".to_owned()))
}

/// When what a resource tells happened, as recorded.
pub fn when(resource: &Value) -> Option<&str> {
    [
        "/effectiveDateTime",
        "/effectiveInstant",
        "/effectivePeriod/start",
        "/occurrenceDateTime",
        "/performedDateTime",
        "/performedPeriod/start",
        "/period/start",
        "/onsetDateTime",
        "/authoredOn",
        "/recordedDate",
        "/dateAsserted",
        "/whenHandedOver",
        "/sent",
        "/issued",
        "/authored",
        "/created",
        "/date",
        "/start",
        "/content/0/attachment/creation",
    ]
    .into_iter()
    .find_map(|place| resource.pointer(place)?.as_str())
}

/// Whether a resource says that there is none of what it is about, such as no known allergy.
pub fn says_none(resource: &Value) -> bool {
    const NONE: [&str; 6] = [
        "716186003",
        "409137002",
        "428607008",
        "429625007",
        "160244002",
        "no-known-allergies",
    ];
    // `no-allergy-info` is not among them: "no information" is not "none known".
    codes(resource.get("code")).any(|code| NONE.contains(&code))
}

/// Whether a statement about an allergy or a condition is not itself taken back or doubted by its
/// own statuses.
pub fn stands(resource: &Value) -> bool {
    let doubts = [
        "entered-in-error",
        "refuted",
        "unconfirmed",
        "inactive",
        "resolved",
    ];
    let said = ["verificationStatus", "clinicalStatus"];
    !said
        .into_iter()
        .flat_map(|element| codes(resource.get(element)))
        .any(|code| doubts.contains(&code))
}

fn codes(concept: Option<&Value>) -> impl Iterator<Item = &str> {
    let codings = concept.and_then(|concept| concept.get("coding")?.as_array());
    codings
        .into_iter()
        .flatten()
        .filter_map(|coding| coding.get("code")?.as_str())
}

fn status(resource: &Value) -> Option<String> {
    let clinical = codes(resource.get("clinicalStatus")).next();
    let status = clinical.or_else(|| text(resource, "status"))?;
    let usual = ["final", "completed", "active", "current", "finished"];
    (!usual.contains(&status)).then(|| one_line(status))
}

fn text<'a>(resource: &'a Value, element: &str) -> Option<&'a str> {
    let text = resource.get(element)?.as_str()?;
    (!text.trim().is_empty()).then_some(text)
}

/// A CodeableConcept in words: its text, a display, or a bare code.
pub fn concept(concept: Option<&Value>) -> Option<String> {
    let concept = concept?;
    if let Some(said) = text(concept, "text") {
        return Some(said.to_owned());
    }
    let codings = concept.get("coding")?.as_array()?;
    let display = codings.iter().find_map(|coding| text(coding, "display"));
    let code = codings.iter().find_map(|coding| text(coding, "code"));
    display.or(code).map(str::to_owned)
}

fn first(resource: &Value, element: &str) -> Option<String> {
    concept(resource.get(element)?.get(0))
}

/// The most particular of a plan's categories, which stands last where there are several.
fn kind_of_plan(resource: &Value) -> Option<String> {
    let categories = resource.get("category")?.as_array()?;
    concept(categories.last())
}

fn name(resource: &Value) -> Option<String> {
    let name = resource.pointer("/name/0")?;
    if let Some(said) = text(name, "text") {
        return Some(said.to_owned());
    }
    let given = name.get("given").and_then(Value::as_array);
    let given: Vec<_> = given
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let family = text(name, "family").unwrap_or_default().to_uppercase();
    Some([family, given.join(" ")].join(", "))
}

fn medicine(resource: &Value) -> Option<String> {
    let drug = concept(resource.get("medicationCodeableConcept")).or_else(|| {
        let reference = resource.get("medicationReference")?;
        text(reference, "display").map(str::to_owned)
    })?;
    let dosage = resource
        .get("dosageInstruction")
        .or_else(|| resource.get("dosage"));
    let dose = dosage
        .and_then(|dosage| dosage.get(0))
        .and_then(|dosage| text(dosage, "text"));
    Some(dose.map_or_else(|| drug.clone(), |dose| format!("{drug}: {dose}")))
}

fn observation(resource: &Value) -> Option<String> {
    let what = concept(resource.get("code"))?;
    let value = value(resource).or_else(|| {
        let parts = resource.get("component")?.as_array()?;
        let parts: Vec<_> = parts.iter().filter_map(observation).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    });
    Some(value.map_or_else(|| what.clone(), |value| format!("{what}: {value}")))
}

fn value(resource: &Value) -> Option<String> {
    if let Some(quantity) = resource.get("valueQuantity") {
        let unit = text(quantity, "unit").or_else(|| text(quantity, "code"));
        let comparator = text(quantity, "comparator").unwrap_or_default();
        let value = quantity.get("value")?;
        return Some(
            format!("{comparator}{value} {}", unit.unwrap_or_default())
                .trim()
                .to_owned(),
        );
    }
    concept(resource.get("valueCodeableConcept"))
        .or_else(|| text(resource, "valueString").map(str::to_owned))
        .or_else(|| text(resource, "valueDateTime").map(str::to_owned))
        .or_else(|| resource.get("valueInteger").map(ToString::to_string))
        .or_else(|| resource.get("valueBoolean").map(ToString::to_string))
}

/// What answers are to, where they say what the form is called.
fn answers(resource: &Value) -> Option<String> {
    let about = resource.pointer("/_questionnaire/extension")?.as_array()?;
    let title = about.iter().find_map(|one| text(one, "valueString"))?;
    Some(format!("Answers: {title}"))
}

fn document(resource: &Value) -> Option<String> {
    text(resource, "description")
        .or_else(|| {
            resource
                .pointer("/content/0/attachment/title")
                .and_then(Value::as_str)
        })
        .map(str::to_owned)
        .or_else(|| concept(resource.get("type")))
}

/// Without line breaks and control characters, and not longer than a line.
fn one_line(text: &str) -> String {
    const LEN_MAX: usize = 160;
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut line: String = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > LEN_MAX {
        line = line.chars().take(LEN_MAX).collect();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{describe, kind_in_words, says_none, stands, when};

    #[test]
    fn a_dose_is_shown_as_it_was_written() {
        let warfarin = serde_json::from_str(
            r#"{"resourceType":"MedicationRequest","status":"stopped","authoredOn":"2026-01-02",
            "medicationCodeableConcept":{"text":"Warfarin"},"dosageInstruction":[{"text":"2.50 mg daily"}]}"#,
        )
        .expect("JSON");
        assert_eq!(describe(&warfarin), "Warfarin: 2.50 mg daily (stopped)");
        assert_eq!(when(&warfarin), Some("2026-01-02"));
    }

    #[test]
    fn a_number_keeps_its_last_zero() {
        let reading: serde_json::Value = serde_json::from_str(
            r#"{"resourceType":"Observation","code":{"text":"Temperature"},"valueQuantity":{"value":36.60,"unit":"°C"}}"#,
        )
        .expect("JSON");
        assert_eq!(describe(&reading), "Temperature: 36.60 °C");
    }

    #[test]
    fn types_are_called_what_people_call_them() {
        assert_eq!(kind_in_words("MedicationRequest"), "medicine");
        assert_eq!(kind_in_words("CarePlan"), "care plan");
        assert_eq!(kind_in_words("Task"), "task");
        assert_eq!(kind_in_words("\u{1b}Evil"), "evil");
        assert_eq!(kind_in_words(""), "");
    }

    #[test]
    fn control_characters_never_reach_a_terminal() {
        let evil = json!({"resourceType": "Organization", "name": "a\u{1b}[2Jb\nc"});
        assert_eq!(describe(&evil), "a [2Jb c");
    }

    #[test]
    fn none_known_is_told_from_not_known() {
        let none = json!({"code": {"coding": [{"code": "716186003"}]}});
        let nothing = json!({"code": {"coding": [{"code": "no-allergy-info"}]}});
        assert!(says_none(&none) && !says_none(&nothing));
        let wrong = json!({"verificationStatus": {"coding": [{"code": "entered-in-error"}]}});
        assert!(stands(&none) && !stands(&wrong));
    }
}
