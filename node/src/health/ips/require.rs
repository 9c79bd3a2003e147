//! What FHIR R4 and the IPS profiles require of a resource. What nobody said is marked as absent
//! (`data-absent-reason`, `unknown`); no value is made up.

use serde_json::{Map, Value, json};

/// Something that has to be there.
enum Need {
    /// A code or another primitive.
    Primitive(&'static str),
    /// A CodeableConcept, Coding, Reference or other object.
    Object(&'static str),
    /// A list with at least one object.
    List(&'static str),
    /// The person whose record it is.
    Person(&'static str),
    /// The person, where the element is there at all.
    PersonIfSaid(&'static str),
    /// One form of a choice, else this one, which is a primitive.
    Choice(&'static str, &'static str),
    /// One form of a choice, else this one, which is an object.
    ObjectChoice(&'static str, &'static str),
    /// Things needed in each object of an element.
    Each(&'static str, &'static [Need]),
}

use Need::{Choice, Each, List, Object, ObjectChoice, Person, PersonIfSaid, Primitive};

const ACTOR: &[Need] = &[Object("actor")];
const CODE: &[Need] = &[Object("code")];
/// The guide wants amounts in UCUM.
const UNIT: &[Need] = &[Primitive("system"), Primitive("code")];

/// By type: R4 4.0.1 and `hl7.fhir.uv.ips` 1.1.0.
fn needs(kind: &str) -> &'static [Need] {
    match kind {
        "AllergyIntolerance" => &[
            Person("patient"),
            Each("reaction", &[List("manifestation")]),
        ],
        "CarePlan" => &[Primitive("status"), Primitive("intent"), Person("subject")],
        "ClinicalImpression" => &[Primitive("status"), Person("subject")],
        "Condition" => &[Object("clinicalStatus"), Object("code"), Person("subject")],
        "Consent" => &[Primitive("status"), Object("scope"), List("category")],
        "DeviceUseStatement" => &[
            Primitive("status"),
            Person("subject"),
            Choice("timing", "timingDateTime"),
            Object("device"),
        ],
        "DiagnosticReport" => &[
            Primitive("status"),
            List("category"),
            Object("code"),
            Person("subject"),
            Choice("effective", "effectiveDateTime"),
            Each("media", &[Object("link")]),
        ],
        "DocumentReference" => &[
            Primitive("status"),
            List("content"),
            Each("content", &[Object("attachment")]),
        ],
        "Encounter" => &[Primitive("status"), Object("class")],
        "FamilyMemberHistory" => &[
            Primitive("status"),
            Person("patient"),
            Object("relationship"),
            Each("condition", CODE),
        ],
        "Flag" => &[Primitive("status"), Object("code"), Person("subject")],
        "Goal" => &[
            Primitive("lifecycleStatus"),
            Object("description"),
            Person("subject"),
        ],
        "ImagingStudy" => &[
            Primitive("status"),
            Person("subject"),
            Each("series", &[Primitive("uid"), Object("modality")]),
        ],
        "Immunization" => &[
            Primitive("status"),
            Object("vaccineCode"),
            Person("patient"),
            Choice("occurrence", "occurrenceDateTime"),
            Each("performer", ACTOR),
            Each(
                "protocolApplied",
                &[Choice("doseNumber", "doseNumberString")],
            ),
        ],
        "Media" => &[Primitive("status"), Object("content"), Person("subject")],
        "Medication" => &[
            Object("code"),
            Each(
                "ingredient",
                &[
                    ObjectChoice("item", "itemCodeableConcept"),
                    Each(
                        "strength",
                        &[Each("numerator", UNIT), Each("denominator", UNIT)],
                    ),
                ],
            ),
        ],
        "MedicationRequest" => &[
            Primitive("status"),
            Primitive("intent"),
            ObjectChoice("medication", "medicationCodeableConcept"),
            Person("subject"),
            Each("substitution", &[Choice("allowed", "allowedBoolean")]),
        ],
        "MedicationStatement" => &[
            Primitive("status"),
            ObjectChoice("medication", "medicationCodeableConcept"),
            Person("subject"),
            Choice("effective", "effectiveDateTime"),
        ],
        "MedicationAdministration" => &[
            Primitive("status"),
            ObjectChoice("medication", "medicationCodeableConcept"),
            Person("subject"),
            Choice("effective", "effectiveDateTime"),
        ],
        "MedicationDispense" => &[
            Primitive("status"),
            ObjectChoice("medication", "medicationCodeableConcept"),
        ],
        "Observation" => &[
            Primitive("status"),
            Object("code"),
            Person("subject"),
            Choice("effective", "effectiveDateTime"),
            Each("component", CODE),
        ],
        "Organization" => &[Primitive("name")],
        "Patient" => &[
            List("name"),
            Primitive("birthDate"),
            Each("communication", &[Object("language")]),
        ],
        "Practitioner" => &[List("name"), Each("qualification", CODE)],
        "Procedure" => &[
            Primitive("status"),
            Object("code"),
            Person("subject"),
            Choice("performed", "performedDateTime"),
            Each("performer", ACTOR),
            Each("focalDevice", &[Object("manipulated")]),
        ],
        "QuestionnaireResponse" => &[Primitive("status")],
        "RelatedPerson" => &[Person("patient")],
        "RiskAssessment" => &[Primitive("status"), Person("subject")],
        "ServiceRequest" => &[Primitive("status"), Primitive("intent"), Person("subject")],
        "Specimen" => &[Object("type"), PersonIfSaid("subject")],
        "Substance" => CODE,
        _ => &[],
    }
}

/// Marks what is missing.
pub(super) fn fill(kind: &str, resource: &mut Map<String, Value>, patient_url: &str) {
    for need in needs(kind) {
        meet(need, resource, patient_url);
    }
}

/// Marks what is missing in a resource and in those that it contains.
pub(super) fn fill_all(kind: &str, resource: &mut Map<String, Value>, patient_url: &str) {
    fill(kind, resource, patient_url);
    if let Some(Value::Array(contained)) = resource.get_mut("contained") {
        for inside in contained.iter_mut().filter_map(Value::as_object_mut) {
            let kind = inside.get("resourceType").and_then(Value::as_str);
            let kind = kind.unwrap_or_default().to_owned();
            fill(&kind, inside, patient_url);
        }
    }
}

/// Says whose a device is that the person uses.
pub(super) fn fill_person(resource: &mut Map<String, Value>, element: &str, patient_url: &str) {
    meet_person(resource, element, patient_url);
}

fn meet(need: &Need, members: &mut Map<String, Value>, patient_url: &str) {
    match need {
        Primitive(name) => meet_primitive(members, name),
        Object(name) => {
            members.entry(*name).or_insert_with(absent);
        }
        List(name) => {
            members
                .entry(*name)
                .or_insert_with(|| Value::Array(vec![absent()]));
        }
        Person(name) => meet_person(members, name, patient_url),
        PersonIfSaid(name) => {
            if members.contains_key(*name) {
                meet_person(members, name, patient_url);
            }
        }
        Choice(name, form) => {
            if !has_choice(members, name) {
                meet_primitive(members, form);
            }
        }
        ObjectChoice(name, form) => {
            if !has_choice(members, name) {
                members.insert((*form).to_owned(), absent());
            }
        }
        Each(name, needs) => {
            let items = members.get_mut(*name).map(as_items).unwrap_or_default();
            for item in items.into_iter().filter_map(Value::as_object_mut) {
                for need in *needs {
                    meet(need, item, patient_url);
                }
            }
        }
    }
}

fn as_items(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(_) => vec![value],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// A primitive with an extension alone counts as said: its sender marked it.
fn meet_primitive(members: &mut Map<String, Value>, name: &str) {
    let twin = format!("_{name}");
    if !members.contains_key(name) && !members.contains_key(&twin) {
        members.insert(twin, absent());
    }
}

/// Every resource of a record is about one person; a reference that leads to nothing is to them.
fn meet_person(members: &mut Map<String, Value>, name: &str, patient_url: &str) {
    let said = members.entry(name).or_insert_with(|| json!({}));
    if !said.is_object() {
        *said = json!({});
    }
    if let Value::Object(said) = said {
        if name == "patient" {
            said.insert("reference".to_owned(), Value::from(patient_url));
        }
        said.entry("reference")
            .or_insert_with(|| Value::from(patient_url));
        if matches!(said.get("display"), Some(Value::String(words)) if words.ends_with(" (not in this summary)"))
        {
            said.shift_remove("display");
        }
    }
}

fn has_choice(members: &Map<String, Value>, element: &str) -> bool {
    members.keys().any(|name| {
        let name = name.strip_prefix('_').unwrap_or(name);
        name.strip_prefix(element)
            .is_some_and(|suffix| suffix.starts_with(|first: char| first.is_ascii_uppercase()))
    })
}

/// What stands where nobody said anything.
pub(super) fn absent() -> Value {
    json!({"extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        "valueCode": "unknown",
    }]})
}
