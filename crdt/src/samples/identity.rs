//! Identity: the person, who helps them, who writes, and where.

use serde_json::{Value, json};

use super::{
    day::TODAY,
    organisations::{Kind, SampleOrganisation},
    page::{Closed, Page, hl7, snomed},
};
use crate::person::NHS_NUMBER_SYSTEM;

/// What every source says first.
pub(super) fn write(page: &mut Page<'_>) {
    organisation(page);
    location(page);
    for n in 0..page.source.staff().len() {
        practitioner(page, n);
    }
    patient(page);
    related_person(page);
}

fn organisation(page: &mut Page<'_>) {
    let SampleOrganisation { name, code, kind } = page.source.clone();
    let body = json!({
        "resourceType": "Organization",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": code}],
        "active": true,
        "type": [{"text": kind.words()}],
        "name": name,
        "telecom": [{"system": "phone", "value": "01632 960999", "use": "work"}],
    });
    let story = format!("{name} ({}), code {code}", kind.words());
    page.add("organisation", TODAY.back(400), Closed::Open, &story, body);
}

fn location(page: &mut Page<'_>) {
    let name = match page.kind() {
        Kind::Practice => "Consulting rooms",
        Kind::Hospital => "Ward 7, care of older people",
        Kind::Ambulance => "Vehicle 412",
        Kind::CareHome => "First floor, east",
        Kind::HomeCare => "Community team base",
        Kind::Pharmacy => "Shop and consultation room",
        Kind::Laboratory => "Blood sciences",
    };
    let body = json!({
        "resourceType": "Location",
        "status": "active",
        "name": name,
        "mode": "instance",
        "managingOrganization": page.organisation(),
    });
    let story = format!("{name}, {}", page.source.name);
    page.add(
        "organisation/location",
        TODAY.back(400),
        Closed::Open,
        &story,
        body,
    );
}

fn practitioner(page: &mut Page<'_>, n: usize) {
    let role = page.source.staff()[n];
    let name = page.source.staff_name(page.life.seed, n);
    let key = format!("organisation/staff/{n}");
    let number = format!("{}-{:03}", page.source.code, n + 1);
    let body = json!({
        "resourceType": "Practitioner",
        "identifier": [{"system": format!("https://{}.example/id/staff", page.source.host()), "value": number}],
        "active": true,
        "name": page.source.staff_human_name(page.life.seed, n),
    });
    page.add(
        &key,
        TODAY.back(380),
        Closed::Open,
        &format!("{name}, {role}"),
        body,
    );
    let body = json!({
        "resourceType": "PractitionerRole",
        "active": true,
        "practitioner": page.staff(n),
        "organization": page.organisation(),
        "code": [{"text": role}],
        "location": [page.reference("organisation/location", page.source.name)],
    });
    let story = format!("{name} works as {role} at {}", page.source.name);
    page.add(
        &format!("organisation/role/{n}"),
        TODAY.back(380),
        Closed::Open,
        &story,
        body,
    );
}

fn patient(page: &mut Page<'_>) {
    let life = page.life;
    let person = &life.person;
    let practice = SampleOrganisation::of(life.seed, life.number, Kind::Practice);
    let mut body = json!({
        "resourceType": "Patient",
        "identifier": identifiers(page),
        "active": true,
        "name": [{"use": "official", "text": person.name(), "family": person.family, "given": [person.given]}],
        "telecom": [{"system": "phone", "value": person.phone, "use": "home"}],
        "gender": if person.is_female { "female" } else { "male" },
        "birthDate": person.birth_date,
        "deceasedBoolean": false,
        "address": [address(page)],
        "contact": [{
            "relationship": [hl7("v2-0131", "C")],
            "name": {"family": person.carer.family, "given": [person.carer.given]},
            "telecom": [{"system": "phone", "value": person.carer.phone, "use": "mobile"}],
        }],
        "communication": languages(page),
        "generalPractitioner": [{"display": practice.name}],
        "managingOrganization": page.organisation(),
    });
    if page.kind() == Kind::Practice {
        body["generalPractitioner"] = json!([page.organisation()]);
    }
    let story = format!("{}, {}, {}", person.name(), person.street, person.town);
    page.add("patient", TODAY.back(30), Closed::Open, &story, body);
}

fn identifiers(page: &Page<'_>) -> Value {
    let own = &page.life.person.nhs_number;
    let written = page
        .life
        .mistaken_nhs_number
        .as_ref()
        .filter(|_| page.kind() == Kind::Hospital)
        .unwrap_or(own);
    let local = page.stream("local number").between(100_000, 999_999);
    json!([
        {"use": "official", "system": NHS_NUMBER_SYSTEM, "value": written},
        {"use": "usual", "system": format!("https://{}.example/id/person", page.source.host()), "value": format!("{}{local}", page.source.code)},
    ])
}

fn address(page: &Page<'_>) -> Value {
    let person = &page.life.person;
    json!({
        "use": "home",
        "text": format!("{}, {}, {}", person.street, person.town, person.postcode),
        "line": [person.street],
        "city": person.town,
        "postalCode": person.postcode,
        "country": "GBR",
    })
}

fn languages(page: &Page<'_>) -> Value {
    let mut languages = vec![json!({
        "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}], "text": "English"},
        "preferred": page.life.person.language.is_none(),
    })];
    if let Some((tag, name)) = page.life.person.language {
        languages.push(json!({
            "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": tag}], "text": name},
            "preferred": true,
        }));
    }
    languages.into()
}

fn related_person(page: &mut Page<'_>) {
    let carer = &page.life.person.carer;
    let body = json!({
        "resourceType": "RelatedPerson",
        "active": true,
        "patient": page.patient(),
        "relationship": [{
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": carer.relationship}],
            "text": carer.words,
        }],
        "name": [{"family": carer.family, "given": [carer.given]}],
        "telecom": [{"system": "phone", "value": carer.phone, "use": "mobile"}],
    });
    let story = format!("{} {}, {}", carer.given, carer.family, carer.words);
    page.add("carer", TODAY.back(200), Closed::Open, &story, body);
}

/// A reference to the relative who helps.
pub(super) fn carer(page: &Page<'_>) -> Value {
    let carer = &page.life.person.carer;
    page.reference(
        "carer",
        &format!("{} {} ({})", carer.given, carer.family, carer.words),
    )
}

/// A SNOMED CT role in words, for participants who are relatives.
pub(super) fn carer_role() -> Value {
    snomed("133932002", "Caregiver")
}
