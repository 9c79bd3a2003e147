//! The types that are served, and what each is searched by: the one table of which the router, the
//! search and the CapabilityStatement are made.

use crate::health::search::Param;

/// A resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// Its name.
    pub name: &'static str,
    /// The element that says whom it is about, where it has one: every resource of a record is
    /// about the record's person.
    pub subject: Option<&'static str>,
    /// What it is searched by, beside what every type is.
    pub params: &'static [SearchParam],
}

/// A search parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchParam {
    /// As it stands in a request.
    pub name: &'static str,
    /// How its values are written and compared.
    pub kind: ParamKind,
}

/// How the values of a parameter are written (R4, 3.1.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// `code`, `system|code`, `|code`, `system|`.
    Token(Param),
    /// The element holds a bare code, whose system the specification says.
    Code(Param),
    /// A time with a prefix.
    Date(Param),
    /// How a text begins.
    Text(Param),
    /// The record's person.
    Person,
    /// The id on this server.
    Id,
    /// When it was written last.
    Updated,
}

impl ParamKind {
    /// The search type, as a CapabilityStatement names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token(_) | Self::Code(_) | Self::Id => "token",
            Self::Date(_) | Self::Updated => "date",
            Self::Text(_) => "string",
            Self::Person => "reference",
        }
    }
}

/// What every type is searched by.
pub const COMMON: [SearchParam; 2] = [
    param("_id", ParamKind::Id),
    param("_lastUpdated", ParamKind::Updated),
];

const fn param(name: &'static str, kind: ParamKind) -> SearchParam {
    SearchParam { name, kind }
}

const fn token(name: &'static str, of: Param) -> SearchParam {
    param(name, ParamKind::Token(of))
}

const fn code(name: &'static str, of: Param) -> SearchParam {
    param(name, ParamKind::Code(of))
}

const fn date(name: &'static str, of: Param) -> SearchParam {
    param(name, ParamKind::Date(of))
}

const fn text(name: &'static str, of: Param) -> SearchParam {
    param(name, ParamKind::Text(of))
}

const PATIENT: SearchParam = param("patient", ParamKind::Person);
const IDENTIFIER: SearchParam = token("identifier", Param::Identifier);
const CODE: SearchParam = token("code", Param::Code);
const DATE: SearchParam = date("date", Param::Date);
const CATEGORY: SearchParam = token("category", Param::Category);
const STATUS: SearchParam = code("status", Param::Status);
const INTENT: SearchParam = code("intent", Param::Intent);
const TYPE: SearchParam = token("type", Param::Type);
const CLINICAL_STATUS: SearchParam = token("clinical-status", Param::ClinicalStatus);
const VERIFICATION_STATUS: SearchParam = token("verification-status", Param::VerificationStatus);

const fn about(name: &'static str, subject: &'static str, params: &'static [SearchParam]) -> Type {
    Type {
        name,
        subject: Some(subject),
        params,
    }
}

const fn apart(name: &'static str, params: &'static [SearchParam]) -> Type {
    Type {
        name,
        subject: None,
        params,
    }
}

/// The types, in the order of their names.
pub const TYPES: &[Type] = &[
    about(
        "AllergyIntolerance",
        "patient",
        &[
            PATIENT,
            CATEGORY,
            CLINICAL_STATUS,
            CODE,
            DATE,
            IDENTIFIER,
            VERIFICATION_STATUS,
        ],
    ),
    apart("Appointment", &[IDENTIFIER]),
    apart("AuditEvent", &[PATIENT, DATE]),
    apart("Binary", &[]),
    about("BodyStructure", "patient", &[PATIENT, IDENTIFIER]),
    about(
        "CarePlan",
        "subject",
        &[PATIENT, CATEGORY, DATE, IDENTIFIER, INTENT, STATUS],
    ),
    about(
        "CareTeam",
        "subject",
        &[PATIENT, CATEGORY, IDENTIFIER, STATUS],
    ),
    about("ClinicalImpression", "subject", &[PATIENT, IDENTIFIER]),
    about(
        "Communication",
        "subject",
        &[PATIENT, CATEGORY, IDENTIFIER, STATUS],
    ),
    about(
        "Composition",
        "subject",
        &[PATIENT, CATEGORY, DATE, STATUS, TYPE],
    ),
    about(
        "Condition",
        "subject",
        &[
            PATIENT,
            CATEGORY,
            CLINICAL_STATUS,
            CODE,
            IDENTIFIER,
            date("onset-date", Param::OnsetDate),
            VERIFICATION_STATUS,
        ],
    ),
    about("Consent", "patient", &[PATIENT, IDENTIFIER]),
    about("Device", "patient", &[PATIENT, IDENTIFIER]),
    about("DeviceUseStatement", "subject", &[PATIENT, IDENTIFIER]),
    about(
        "DiagnosticReport",
        "subject",
        &[PATIENT, CATEGORY, CODE, DATE, IDENTIFIER, STATUS],
    ),
    about(
        "DocumentReference",
        "subject",
        &[
            PATIENT,
            CATEGORY,
            code("contenttype", Param::ContentType),
            DATE,
            IDENTIFIER,
            date("period", Param::Period),
            STATUS,
            TYPE,
        ],
    ),
    about(
        "Encounter",
        "subject",
        &[PATIENT, DATE, IDENTIFIER, STATUS, TYPE],
    ),
    about("EpisodeOfCare", "patient", &[PATIENT, IDENTIFIER]),
    about(
        "FamilyMemberHistory",
        "patient",
        &[PATIENT, DATE, IDENTIFIER, STATUS],
    ),
    about("Flag", "subject", &[PATIENT, IDENTIFIER]),
    about("Goal", "subject", &[PATIENT, IDENTIFIER]),
    apart("HealthcareService", &[IDENTIFIER]),
    about("ImagingStudy", "subject", &[PATIENT, IDENTIFIER]),
    about(
        "Immunization",
        "patient",
        &[
            PATIENT,
            DATE,
            IDENTIFIER,
            STATUS,
            token("vaccine-code", Param::Code),
        ],
    ),
    about(
        "ImmunizationRecommendation",
        "patient",
        &[PATIENT, IDENTIFIER],
    ),
    apart("List", &[IDENTIFIER]),
    apart("Location", &[IDENTIFIER]),
    about("Media", "subject", &[PATIENT, IDENTIFIER]),
    apart("Medication", &[CODE, IDENTIFIER]),
    about(
        "MedicationAdministration",
        "subject",
        &[PATIENT, CODE, IDENTIFIER, STATUS],
    ),
    about(
        "MedicationDispense",
        "subject",
        &[PATIENT, CODE, IDENTIFIER, STATUS],
    ),
    about(
        "MedicationRequest",
        "subject",
        &[
            PATIENT,
            date("authoredon", Param::AuthoredOn),
            CATEGORY,
            CODE,
            IDENTIFIER,
            INTENT,
            STATUS,
        ],
    ),
    about(
        "MedicationStatement",
        "subject",
        &[
            PATIENT,
            CATEGORY,
            CODE,
            date("effective", Param::Date),
            IDENTIFIER,
            STATUS,
        ],
    ),
    about("NutritionOrder", "patient", &[PATIENT, IDENTIFIER]),
    about(
        "Observation",
        "subject",
        &[PATIENT, CATEGORY, CODE, DATE, IDENTIFIER, STATUS],
    ),
    apart("Organization", &[IDENTIFIER]),
    apart(
        "Patient",
        &[
            date("birthdate", Param::BirthDate),
            text("family", Param::Family),
            code("gender", Param::Gender),
            text("given", Param::Given),
            IDENTIFIER,
            text("name", Param::Name),
        ],
    ),
    apart("PlanDefinition", &[IDENTIFIER]),
    apart("Practitioner", &[IDENTIFIER]),
    apart("PractitionerRole", &[IDENTIFIER]),
    about(
        "Procedure",
        "subject",
        &[PATIENT, CATEGORY, CODE, DATE, IDENTIFIER, STATUS],
    ),
    apart("Provenance", &[]),
    apart("Questionnaire", &[IDENTIFIER]),
    about("QuestionnaireResponse", "subject", &[PATIENT, STATUS]),
    about("RelatedPerson", "patient", &[PATIENT, IDENTIFIER]),
    about("RequestGroup", "subject", &[PATIENT, IDENTIFIER]),
    about("RiskAssessment", "subject", &[PATIENT, IDENTIFIER]),
    about(
        "ServiceRequest",
        "subject",
        &[PATIENT, CATEGORY, CODE, IDENTIFIER, INTENT, STATUS],
    ),
    about("Specimen", "subject", &[PATIENT, IDENTIFIER]),
    apart("Substance", &[IDENTIFIER]),
    about("Task", "for", &[PATIENT, CODE, IDENTIFIER, INTENT, STATUS]),
];

/// The type of a name.
pub fn type_named(name: &str) -> Option<&'static Type> {
    let place = TYPES.binary_search_by_key(&name, |known| known.name).ok()?;
    TYPES.get(place)
}

impl Type {
    /// Whether apps write it: who somebody is, is said by people, and who looked by this node.
    pub fn is_written(&self) -> bool {
        !["Patient", "AuditEvent"].contains(&self.name)
    }

    /// Everything that it is searched by.
    pub fn all_params(&self) -> impl Iterator<Item = &SearchParam> {
        COMMON.iter().chain(self.params)
    }

    /// The parameter of a name.
    pub fn param(&self, name: &str) -> Option<&SearchParam> {
        self.all_params().find(|param| param.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{TYPES, type_named};

    #[test]
    fn types_are_found_by_their_names() {
        for known in TYPES {
            assert_eq!(type_named(known.name), Some(known));
        }
        assert_eq!(type_named("Observations"), None);
        assert!(TYPES.is_sorted_by_key(|known| known.name));
    }
}
