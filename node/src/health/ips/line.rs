//! One entry in words, for the text of its section.

use serde_json::Value;

use super::{
    codes::{choice, code, date, quantity, value_words, words},
    held::{Entry, kind},
};

/// An entry in words. Nothing in it is escaped yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// What it is.
    pub(super) what: String,
    /// When, how sure, how much.
    pub(super) details: Vec<String>,
    /// What a reader has to know before relying on it.
    pub(super) marks: Vec<String>,
}

impl Line {
    /// A resource in words; `named` gives the words for the resource at a full URL.
    pub(super) fn of(resource: &Value, named: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            what: what(resource, &named).unwrap_or_else(|| "without a name".to_owned()),
            details: details(resource),
            marks: Vec::new(),
        }
    }

    /// Says who says it and what is to be known about it.
    pub(super) fn said_by(&mut self, entry: &Entry<'_>, left_out: bool) {
        self.marks.extend(entry.source.brought.iter().cloned());
        if !entry.source.author.is_empty() && entry.source.brought.is_empty() {
            self.details.push(format!("says {}", entry.source.author));
        }
        if entry.versions > 1 {
            self.marks.push(format!(
                "two versions, not yet decided: this is version {} of {}",
                entry.version + 1,
                entry.versions
            ));
        }
        if entry.source.marked {
            self.marks
                .push("marked: look at it in the record before relying on it".to_owned());
        }
        if left_out {
            self.marks
                .push("a part of this entry could not be read and is left out".to_owned());
        }
    }
}

fn what(resource: &Value, named: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let by_reference = |element: &str| {
        let reference = resource.get(element)?;
        let found = reference.get("reference").and_then(Value::as_str);
        found.and_then(named).or_else(|| words(Some(reference)))
    };
    match kind(resource) {
        "MedicationStatement" | "MedicationRequest" => {
            words(resource.get("medicationCodeableConcept"))
                .or_else(|| by_reference("medicationReference"))
        }
        "Immunization" => words(resource.get("vaccineCode")),
        "DeviceUseStatement" => by_reference("device"),
        "Device" => words(resource.get("type")).or_else(|| {
            let name = resource.pointer("/deviceName/0/name")?.as_str()?;
            Some(name.to_owned())
        }),
        "CarePlan" => words(resource.get("title"))
            .or_else(|| words(resource.get("description")))
            .or_else(|| words(resource.get("category"))),
        "Consent" => words(resource.get("category")).or_else(|| words(resource.get("scope"))),
        "DocumentReference" => {
            words(resource.get("description")).or_else(|| words(resource.get("type")))
        }
        "FamilyMemberHistory" => family(resource),
        "ClinicalImpression" => {
            words(resource.get("summary")).or_else(|| words(resource.get("description")))
        }
        "QuestionnaireResponse" => words(resource.get("questionnaire")),
        _ => words(resource.get("code")),
    }
}

fn family(resource: &Value) -> Option<String> {
    let who = words(resource.get("relationship"))?;
    let conditions = resource.get("condition").and_then(Value::as_array);
    let had: Vec<_> = conditions
        .into_iter()
        .flatten()
        .filter_map(|condition| words(condition.get("code")))
        .collect();
    Some(if had.is_empty() {
        who
    } else {
        format!("{who}: {}", had.join(", "))
    })
}

fn details(resource: &Value) -> Vec<String> {
    let mut details = Vec::new();
    details.extend(value_words(resource));
    details.extend(components(resource));
    details.extend(reactions(resource));
    details.extend(dosage(resource));
    if resource.get("doNotPerform").and_then(Value::as_bool) == Some(true) {
        details.push("do not give".to_owned());
    }
    let status = [
        "clinicalStatus",
        "verificationStatus",
        "status",
        "criticality",
    ];
    for element in status {
        details.extend(code(resource, element).map(|code| match element {
            "criticality" => format!("criticality {code}"),
            _ => code.to_owned(),
        }));
    }
    details.extend(date(resource));
    details
}

fn components(resource: &Value) -> Vec<String> {
    let components = resource.get("component").and_then(Value::as_array);
    components
        .into_iter()
        .flatten()
        .filter_map(|component| {
            let value = value_words(component)?;
            let name = words(component.get("code")).unwrap_or_default();
            Some(format!("{name} {value}").trim().to_owned())
        })
        .collect()
}

fn reactions(resource: &Value) -> Option<String> {
    let reactions = resource.get("reaction")?.as_array()?;
    let shown: Vec<_> = reactions
        .iter()
        .filter_map(|reaction| {
            words(reaction.get("manifestation")).or_else(|| words(reaction.get("description")))
        })
        .collect();
    (!shown.is_empty()).then(|| format!("reaction: {}", shown.join("; ")))
}

/// Doses as their author wrote them: the text, else the amounts.
fn dosage(resource: &Value) -> Option<String> {
    let dosages = resource
        .get("dosageInstruction")
        .or_else(|| resource.get("dosage"))?
        .as_array()?;
    let spoken: Vec<_> = dosages.iter().filter_map(one_dosage).collect();
    (!spoken.is_empty()).then(|| spoken.join("; "))
}

fn one_dosage(dosage: &Value) -> Option<String> {
    if let Some(text) = dosage.get("text").and_then(Value::as_str) {
        return Some(text.to_owned());
    }
    let dose = dosage.pointer("/doseAndRate/0");
    let dose = dose.and_then(|dose| choice(dose, "dose"));
    let dose = dose.and_then(|(_, dose)| quantity(dose));
    let timing = words(dosage.pointer("/timing/code"));
    let route = words(dosage.get("route"));
    let parts: Vec<_> = [dose, timing, route].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
