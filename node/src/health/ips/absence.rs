//! Nothing to report, in three kinds that must never be taken for each other: somebody said that
//! there is nothing; somebody said that there is nothing of one kind; nobody said anything.

use kith_protocol::id::RecordId;
use serde_json::{Value, json};

use super::{
    codes::{ABSENT, LOINC, SNOMED, codings, words},
    own,
    require::absent,
    section::SummarySection,
};

/// A section in which nothing is known to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    Allergies,
    Medicines,
    Problems,
}

impl Absent {
    pub(super) const ALL: [Self; 3] = [Self::Allergies, Self::Medicines, Self::Problems];

    pub(super) const fn section(self) -> SummarySection {
        match self {
            Self::Allergies => SummarySection::Allergies,
            Self::Medicines => SummarySection::Medicines,
            Self::Problems => SummarySection::Problems,
        }
    }

    /// The name under which its entry is made, which is the guide's code for no information.
    pub(super) const fn name(self) -> &'static str {
        self.code_of_no_information().0
    }

    const fn code_of_no_information(self) -> (&'static str, &'static str) {
        match self {
            Self::Allergies => ("no-allergy-info", "No information about allergies"),
            Self::Medicines => ("no-medication-info", "No information about medications"),
            Self::Problems => ("no-problem-info", "No information about problems"),
        }
    }

    const fn code_of_none(self) -> (&'static str, &'static str) {
        match self {
            Self::Allergies => ("no-known-allergies", "No known allergies"),
            Self::Medicines => ("no-known-medications", "No known medications"),
            Self::Problems => ("no-known-problems", "No known problems"),
        }
    }

    /// The entry for a section about which this node knows nothing.
    pub(super) fn entry(self, record: &RecordId, patient_url: &str) -> (String, Value) {
        let full_url = own::made_url(record, self.name());
        let id = own::id_of(&full_url);
        let entry = self.statement(id, self.code_of_no_information(), patient_url);
        (full_url, entry)
    }

    /// The entry for what a document of origin says: that there is nothing.
    pub(super) fn none_said(self, full_url: &str, said: &Said<'_>, patient_url: &str) -> Value {
        let mut entry = self.statement(own::id_of(full_url), self.code_of_none(), patient_url);
        if let Value::Object(members) = &mut entry {
            let dated = match self {
                Self::Allergies | Self::Problems => "recordedDate",
                Self::Medicines => "dateAsserted",
            };
            if let Some(date) = said.date {
                members.insert(dated.to_owned(), Value::from(date));
            }
            let note = format!("Said in a document of {}.", said.author);
            members.insert("note".to_owned(), json!([{"text": note}]));
        }
        entry
    }

    fn statement(self, id: &str, (code, display): (&str, &str), patient_url: &str) -> Value {
        let concept = json!({"coding": [{"system": ABSENT, "code": code, "display": display}]});
        let person = json!({"reference": patient_url});
        match self {
            Self::Allergies => json!({
                "resourceType": "AllergyIntolerance",
                "id": id,
                "clinicalStatus": active("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"),
                "code": concept,
                "patient": person,
            }),
            Self::Medicines => json!({
                "resourceType": "MedicationStatement",
                "id": id,
                "status": "unknown",
                "medicationCodeableConcept": concept,
                "subject": person,
                "_effectiveDateTime": absent(),
            }),
            Self::Problems => json!({
                "resourceType": "Condition",
                "id": id,
                "clinicalStatus": active("http://terminology.hl7.org/CodeSystem/condition-clinical"),
                "code": concept,
                "subject": person,
            }),
        }
    }
}

fn active(system: &str) -> Value {
    json!({"coding": [{"system": system, "code": "active"}]})
}

/// Who said something of a whole section, and when.
pub(super) struct Said<'a> {
    pub(super) date: Option<&'a str>,
    pub(super) author: &'a str,
}

/// What an entry says of its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// Something: an allergy, a medicine, a problem.
    Something,
    /// That nothing is known at all.
    Nothing,
    /// That nothing of one kind is known, such as food allergies.
    NothingOfAKind,
    /// That its author does not know.
    NoInformation,
}

/// SNOMED CT: no known allergy; no current problems or disability; no known current medicines.
const NOTHING: [&str; 4] = ["716186003", "160245001", "787481004", "1234391000000107"];
/// SNOMED CT: no known drug, food, environmental, latex allergy.
const NOTHING_OF_A_KIND: [&str; 4] = ["409137002", "429625007", "428607008", "1003774007"];

impl Extent {
    /// Reads the code of an entry.
    pub(super) fn of(resource: &Value) -> Self {
        let concept = resource
            .get("code")
            .or_else(|| resource.get("medicationCodeableConcept"));
        let coded = codings(concept);
        let found = coded.iter().find_map(|coding| Self::of_coding(*coding));
        found.unwrap_or_else(|| match words(concept) {
            Some(text) if coded.is_empty() && is_spoken_none(&text) => Self::Nothing,
            Some(_) | None => Self::Something,
        })
    }

    fn of_coding((system, code): (&str, &str)) -> Option<Self> {
        match system {
            ABSENT if code.ends_with("-info") => Some(Self::NoInformation),
            ABSENT if NONE_AT_ALL.contains(&code) => Some(Self::Nothing),
            ABSENT => Some(Self::NothingOfAKind),
            SNOMED if NOTHING.contains(&code) => Some(Self::Nothing),
            SNOMED if NOTHING_OF_A_KIND.contains(&code) => Some(Self::NothingOfAKind),
            _ => None,
        }
    }
}

const NONE_AT_ALL: [&str; 3] = [
    "no-known-allergies",
    "no-known-medications",
    "no-known-problems",
];

/// Words without a code, as systems without codes write them.
fn is_spoken_none(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let spoken = [
        "no known allergies",
        "no known allergy",
        "no known current medications",
        "no known medications",
        "no known current problems or disability",
        "no known problems",
    ];
    spoken.contains(&text.as_str())
}

/// The sections of which a Composition says that there is nothing (`emptyReason` `nilknown`).
pub(super) fn nil_known(composition: &Value) -> Vec<Absent> {
    let sections = composition.get("section").and_then(Value::as_array);
    let nil = |section: &&Value| {
        codings(section.get("emptyReason"))
            .iter()
            .any(|(_, code)| *code == "nilknown")
    };
    let of_section = |section: &Value| {
        Absent::ALL.into_iter().find(|absent| {
            let (loinc, _, _) = absent.section().heading();
            codings(section.get("code")).contains(&(LOINC, loinc))
        })
    };
    sections
        .into_iter()
        .flatten()
        .filter(nil)
        .filter_map(of_section)
        .collect()
}
