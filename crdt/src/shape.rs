//! Which elements of a resource merge together.
//!
//! Each top-level element is one register; elements that only mean something together form one
//! safety group; lists that several people add to are lists of items. Where that is not known,
//! or where the whole only makes sense as signed, the resource is one register (`health.md`,
//! "How a resource merges").

use crate::Section;

/// How the top-level members of a resource are cut into units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Element by element, with the type's safety group.
    Elements(&'static Group),
    /// One register for all of it.
    Whole,
}

/// Elements that are merged as one register.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Elements, without `_` twins and choice suffixes.
    elements: &'static [&'static str],
}

/// The unit that holds a safety group.
pub const GROUP_UNIT: &str = "&";

/// The unit that holds a whole resource.
pub const WHOLE_UNIT: &str = "*";

const NO_GROUP: Group = Group { elements: &[] };
const MEDICINE: Group = Group {
    elements: &[
        "medication",
        "dosage",
        "dosageInstruction",
        "status",
        "statusReason",
        "doNotPerform",
        "effective",
    ],
};
const OBSERVATION: Group = Group {
    elements: &[
        "code",
        "value",
        "dataAbsentReason",
        "interpretation",
        "referenceRange",
        "component",
        "effective",
        "status",
    ],
};
const ALLERGY: Group = Group {
    elements: &[
        "code",
        "clinicalStatus",
        "verificationStatus",
        "type",
        "category",
        "criticality",
        "reaction",
    ],
};
const CONDITION: Group = Group {
    elements: &[
        "code",
        "clinicalStatus",
        "verificationStatus",
        "bodySite",
        "severity",
    ],
};
const IMMUNISATION: Group = Group {
    elements: &["vaccineCode", "status", "occurrence", "doseQuantity"],
};

/// Choice elements (`value[x]`) whose forms are one element.
const CHOICES: [&str; 18] = [
    "value",
    "effective",
    "onset",
    "abatement",
    "deceased",
    "multipleBirth",
    "occurrence",
    "medication",
    "performed",
    "age",
    "born",
    "collected",
    "reported",
    "start",
    "due",
    "serviced",
    "asNeeded",
    "timing",
];

/// Elements that hold several values and are added to by several people.
const LISTS: [&str; 9] = [
    "note",
    "identifier",
    "telecom",
    "address",
    "name",
    "contact",
    "participant",
    "activity",
    "communication",
];

impl Shape {
    /// The shape of a resource of this type in this section.
    pub fn of(resource_type: &str, section: Section) -> Self {
        if section == Section::Plans {
            return Self::Whole;
        }
        match resource_type {
            "MedicationRequest" | "MedicationStatement" => Self::Elements(&MEDICINE),
            "Observation" => Self::Elements(&OBSERVATION),
            "AllergyIntolerance" => Self::Elements(&ALLERGY),
            "Condition" => Self::Elements(&CONDITION),
            "Immunization" => Self::Elements(&IMMUNISATION),
            "Patient"
            | "RelatedPerson"
            | "Practitioner"
            | "PractitionerRole"
            | "Organization"
            | "Location"
            | "Flag"
            | "Medication"
            | "MedicationDispense"
            | "MedicationAdministration"
            | "Procedure"
            | "FamilyMemberHistory"
            | "DeviceUseStatement"
            | "Device"
            | "Goal"
            | "DiagnosticReport"
            | "ImagingStudy"
            | "Specimen"
            | "Encounter"
            | "Appointment"
            | "EpisodeOfCare"
            | "Task"
            | "ServiceRequest"
            | "Communication"
            | "DocumentReference"
            | "Claim"
            | "ExplanationOfBenefit"
            | "CareTeam" => Self::Elements(&NO_GROUP),
            _ => Self::Whole,
        }
    }

    /// The unit that a member belongs to, by its name alone, so that no edit moves an element
    /// from one unit to another.
    pub fn unit(self, member: &str) -> Unit<'_> {
        let Self::Elements(group) = self else {
            return Unit::Register(WHOLE_UNIT);
        };
        let element = element_of(member);
        if group.elements.contains(&element) {
            Unit::Register(GROUP_UNIT)
        } else if LISTS.contains(&element) {
            Unit::List(element)
        } else {
            Unit::Register(element)
        }
    }
}

/// Where a member is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit<'a> {
    /// In the register of this name.
    Register(&'a str),
    /// In the list of this name.
    List(&'a str),
}

/// The element that a member belongs to: `_birthDate` to `birthDate`, `valueQuantity` to `value`.
fn element_of(member: &str) -> &str {
    let name = member.strip_prefix('_').unwrap_or(member);
    CHOICES
        .into_iter()
        .find(|choice| {
            name.strip_prefix(choice)
                .is_some_and(|suffix| suffix.starts_with(|first: char| first.is_ascii_uppercase()))
        })
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{Shape, Unit};
    use crate::Section;

    #[test]
    fn a_dose_stays_with_its_drug() {
        let shape = Shape::of("MedicationRequest", Section::Medicines);
        for member in [
            "medicationCodeableConcept",
            "medicationReference",
            "dosageInstruction",
            "status",
            "_status",
        ] {
            assert_eq!(shape.unit(member), Unit::Register("&"), "{member}");
        }
        assert_eq!(shape.unit("note"), Unit::List("note"));
        assert_eq!(shape.unit("authoredOn"), Unit::Register("authoredOn"));
    }

    #[test]
    fn a_twin_and_every_choice_share_their_elements_register() {
        let shape = Shape::of("Patient", Section::Identity);
        assert_eq!(shape.unit("_birthDate"), shape.unit("birthDate"));
        assert_eq!(
            shape.unit("deceasedBoolean"),
            shape.unit("_deceasedDateTime")
        );
    }

    #[test]
    fn plans_and_unknown_types_are_one_register() {
        assert_eq!(Shape::of("CarePlan", Section::Plans), Shape::Whole);
        assert_eq!(Shape::of("Condition", Section::Plans), Shape::Whole);
        assert_eq!(Shape::of("SomethingNew", Section::Letters), Shape::Whole);
    }
}
