//! Rows find what a walk through the JSON finds.

use std::{collections::BTreeSet, sync::Arc};

use kith_crdt::{
    Actor, Body, Document, DocumentId, Edit, Label, Meta, Resource, Section, incoming,
    samples::{sample, sample_bundle},
};
use kith_protocol::{codec, record::Placed};
use serde_json::{Value, json};

use super::{Compare, Param, Query, Row, System, VIEW_VERSION, View, Wanted, span};
use crate::health::{drugs::Drugs, line};

const SECTION: Section = Section::Results;

fn create(value: &Value) -> Edit {
    let word = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Edit::Create(Resource {
        meta: Meta {
            kind: word("resourceType").unwrap_or_default(),
            native_id: word("id"),
            ..Meta::default()
        },
        body: Body::parse(&value.to_string(), SECTION).expect("an object"),
    })
}

fn placed(document: &Document) -> Vec<Placed> {
    let held = document.resources().into_iter();
    held.map(|held| Placed {
        document: DocumentId::first(SECTION, Label::general()),
        held: Arc::new(held),
        aside: false,
        late: false,
    })
    .collect()
}

fn view(resources: &[Value]) -> View {
    let mut document = Document::new();
    let edits: Vec<_> = resources.iter().map(create).collect();
    document.write(Actor([7; 16]), 1, &edits).expect("written");
    View::of(&placed(&document))
}

fn finds(row: &Row, wanted: Wanted) -> bool {
    let all = vec![vec![wanted]];
    Query { all }.finds(row, 1_000)
}

fn token(param: Param, system: System, code: &str) -> Wanted {
    let code = Some(code.to_owned());
    Wanted::Token {
        param,
        system,
        code,
    }
}

fn time(param: Param, compare: Compare, text: &str) -> Wanted {
    let span = span(text).expect("a time");
    Wanted::Time {
        param,
        compare,
        span,
    }
}

fn all_samples() -> Vec<Value> {
    let mut texts: Vec<_> = (0..3).map(|seed| sample_bundle(seed, 1, 150)).collect();
    for number in 0..4 {
        let told = sample(3, number);
        texts.extend(told.bundles.into_iter().map(|bundle| bundle.text));
        texts.extend(told.daily.into_iter().map(|entry| entry.text));
    }
    let files = texts
        .iter()
        .map(|text| incoming::read(text.as_bytes(), 1 << 14).expect("FHIR"));
    let resources = files.flat_map(|file| file.resources);
    resources.map(|resource| resource.value).collect()
}

/// Every (system, code) of an element's codings, by a walk of its own.
fn codings(resource: &Value, element: &str) -> BTreeSet<(Option<String>, String)> {
    let concepts = match resource.get(element) {
        Some(Value::Array(concepts)) => concepts.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let codings = concepts
        .iter()
        .filter_map(|concept| concept["coding"].as_array());
    codings
        .flatten()
        .filter_map(|coding| {
            let system = coding["system"].as_str().map(str::to_owned);
            Some((system, coding["code"].as_str()?.to_owned()))
        })
        .collect()
}

#[test]
fn every_code_of_the_samples_finds_exactly_the_resources_that_have_it() {
    let resources = all_samples();
    let view = view(&resources);
    assert_eq!(view.rows.len(), resources.len());
    let decoded: View = codec::decode_trusted(&codec::encode(&view)).expect("CBOR");
    assert_eq!(decoded, view);
    for (param, elements) in [
        (
            Param::Code,
            &["code", "medicationCodeableConcept", "vaccineCode"][..],
        ),
        (Param::Category, &["category"]),
        (Param::ClinicalStatus, &["clinicalStatus"]),
        (Param::VerificationStatus, &["verificationStatus"]),
        (Param::Type, &["type"]),
    ] {
        let having: Vec<BTreeSet<_>> = view
            .rows
            .iter()
            .map(|row| {
                let mut same = resources.iter().filter(|resource| {
                    resource["resourceType"] == row.kind.as_str()
                        && resource["id"].as_str() == row.native_id.as_deref()
                        && line::when(resource) == row.when.as_deref()
                });
                let resource = same.next().expect("the resource of a row");
                let of = elements.iter();
                of.flat_map(|element| codings(resource, element)).collect()
            })
            .collect();
        let every: BTreeSet<_> = having.iter().flatten().cloned().collect();
        assert!(every.len() > 1, "{param:?}");
        for (system, code) in every {
            let exact = system.clone().map_or(System::Missing, System::Is);
            for (row, has) in view.rows.iter().zip(&having) {
                let any = has.iter().any(|(_, held)| *held == code);
                let both = has.contains(&(system.clone(), code.clone()));
                assert_eq!(finds(row, token(param, System::Any, &code)), any);
                assert_eq!(finds(row, token(param, exact.clone(), &code)), both);
            }
        }
    }
    for param in [Param::Patient, Param::Status, Param::Intent, Param::Gender] {
        let mut rows = view.rows.iter();
        assert!(
            rows.any(|row| row.tokens.iter().any(|token| token.param == param)),
            "{param:?}"
        );
    }
}

/// One of each kind that IPA searches in another way.
fn few() -> Vec<Value> {
    vec![
        json!({"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01",
            "identifier": [{"system": "urn:nhs", "value": "9434765919"}, {"value": "H1"}],
            "name": [{"family": "Quince", "given": ["Ada", "Jo"], "prefix": ["Dr"]}]}),
        json!({"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"},
            "clinicalStatus": {"coding": [{"system": "cs", "code": "active"}]},
            "category": [{"coding": [{"code": "problem-list-item"}]}],
            "code": {"text": "Angina", "coding": [{"system": "sct", "code": "1", "display": "Angina pectoris"}]},
            "onsetPeriod": {"start": "2020-02"}}),
        json!({"resourceType": "DocumentReference", "id": "d", "status": "current",
            "type": {"coding": [{"system": "loinc", "code": "11503-0"}]},
            "content": [{"attachment": {"contentType": "application/pdf"}}],
            "date": "2024-05-06T10:00:00+02:00",
            "context": {"period": {"start": "2024-05-01", "end": "2024-05-03"}}}),
        json!({"resourceType": "Observation", "id": "o", "patient": {"reference": "Patient/p"},
            "effectiveTiming": {"event": ["2024-03-05", "2024-01-02"]}}),
        json!({"resourceType": "MedicationRequest", "id": "m", "intent": "order",
            "authoredOn": "2024", "status": 7, "category": "odd", "code": null}),
    ]
}

#[test]
fn the_searches_of_ipa_find_what_they_should() {
    let view = view(&few());
    let found = |wanted: &Wanted| {
        let rows = view.rows.iter().filter(|row| finds(row, wanted.clone()));
        let mut ids: Vec<_> = rows.filter_map(|row| row.native_id.clone()).collect();
        ids.sort();
        ids.concat()
    };
    let words = |param, text: &str| Wanted::Words {
        param,
        text: text.to_owned(),
    };
    let is = |system: &str| System::Is(system.to_owned());
    for (ids, wanted) in [
        ("c", Wanted::Kind("Condition".to_owned())),
        ("d", Wanted::Id("d".to_owned())),
        ("co", token(Param::Patient, System::Any, "Patient/p")),
        ("p", token(Param::Gender, System::Any, "female")),
        ("p", token(Param::Identifier, is("urn:nhs"), "9434765919")),
        ("", token(Param::Identifier, is("urn:other"), "9434765919")),
        ("p", token(Param::Identifier, System::Missing, "H1")),
        ("", token(Param::Identifier, System::Missing, "9434765919")),
        ("p", words(Param::Family, "quin")),
        ("p", words(Param::Given, "Jo")),
        ("", words(Param::Given, "Quince")),
        ("p", words(Param::Name, "dr")),
        ("c", words(Param::Code, "ANGINA p")),
        ("c", token(Param::Code, is("sct"), "1")),
        (
            "c",
            token(Param::Category, System::Any, "problem-list-item"),
        ),
        ("c", token(Param::ClinicalStatus, is("cs"), "active")),
        ("d", token(Param::Status, System::Any, "current")),
        ("d", token(Param::Type, is("loinc"), "11503-0")),
        (
            "d",
            token(Param::ContentType, System::Any, "application/pdf"),
        ),
        ("m", token(Param::Intent, System::Any, "order")),
        ("p", time(Param::BirthDate, Compare::Eq, "1950")),
        ("", time(Param::BirthDate, Compare::Eq, "1950-01-31")),
        ("c", time(Param::OnsetDate, Compare::Gt, "2023-01-01")),
        ("c", time(Param::OnsetDate, Compare::Lt, "2020-02-15")),
        ("", time(Param::OnsetDate, Compare::Lt, "2020-02-01")),
        ("d", time(Param::Date, Compare::Eq, "2024-05-06T08:00:00Z")),
        ("d", time(Param::Date, Compare::Sa, "2024-05-05")),
        ("do", time(Param::Date, Compare::Ne, "2023")),
        ("d", time(Param::Period, Compare::Eq, "2024-05")),
        ("d", time(Param::Period, Compare::Eb, "2024-05-04")),
        ("", time(Param::Period, Compare::Eb, "2024-05-03")),
        ("o", time(Param::Date, Compare::Le, "2024-01-10")),
        ("m", time(Param::AuthoredOn, Compare::Ge, "2024")),
        (
            "cdmop",
            Wanted::Updated {
                compare: Compare::Eq,
                span: (1_000, 1_001),
            },
        ),
        (
            "",
            Wanted::Updated {
                compare: Compare::Gt,
                span: (0, 2_000),
            },
        ),
    ] {
        assert_eq!(found(&wanted), ids, "{wanted:?}");
    }
    let both = Query {
        all: vec![
            vec![
                Wanted::Kind("Patient".to_owned()),
                Wanted::Kind("Observation".to_owned()),
            ],
            vec![token(Param::Patient, System::Any, "Patient/p")],
        ],
    };
    let rows = view.rows.iter().filter(|row| both.finds(row, 0));
    let kinds: Vec<_> = rows.map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["Observation"], "every line, and any wish of a line");
}

#[test]
fn a_time_is_as_long_as_it_is_written() {
    let day = 24 * 60 * 60 * 1000;
    assert_eq!(span("1970"), Some((0, 365 * day)));
    assert_eq!(
        span("1972-02"),
        Some((2 * 365 * day + 31 * day, 2 * 365 * day + 60 * day))
    );
    assert_eq!(span("1970-01-02"), Some((day, 2 * day)));
    assert_eq!(span("1970-01-01T01:00:00+01:00"), Some((0, 1000)));
    assert_eq!(span("1970-01-01T00:00:00.250Z"), Some((250, 251)));
    assert_eq!(
        span("1970-01-02T09:00"),
        Some((day, 2 * day)),
        "without a zone, the day"
    );
    for odd in [
        "",
        "soon",
        "20",
        "1970-13",
        "1970-02-30",
        "9999-99",
        "éééééé",
        "-0001",
    ] {
        assert_eq!(span(odd), None, "{odd}");
    }
    assert_eq!(
        span("9999"),
        None,
        "what ends after all time has no end here"
    );
}

#[test]
fn versions_that_stand_side_by_side_are_both_found() {
    let condition = json!({"resourceType": "Condition", "code": {"text": "Cough"}});
    let mut document = Document::new();
    document
        .write(Actor([1; 16]), 1, &[create(&condition)])
        .expect("written");
    let held = document.resources().remove(0);
    let unit = held
        .units
        .iter()
        .find(|unit| unit.name == "&")
        .expect("the safety group");
    let put = |text: &str| Edit::Put {
        resource: held.id.clone(),
        unit: unit.name.clone(),
        text: format!("\"code\":{{\"text\":\"{text}\"}}"),
    };
    let mut other = Document::load(&document.save()).expect("the same");
    document
        .write(Actor([2; 16]), 2, &[put("Asthma")])
        .expect("written");
    let change = other
        .write(Actor([3; 16]), 2, &[put("Croup")])
        .expect("written");
    document.take(&[change.vetted]).expect("merged");
    let view = View::of(&placed(&document));
    for text in ["asthma", "croup"] {
        let text = text.to_owned();
        assert!(finds(
            &view.rows[0],
            Wanted::Words {
                param: Param::Code,
                text
            }
        ));
    }
    assert_eq!(view.rows[0].marks, [super::Mark::TwoVersions]);
    assert_eq!(
        view.touched(&view.rows[0]).count(),
        4,
        "its maker, and who wrote what stands"
    );
}

#[test]
fn a_prescription_is_told_with_a_medicine_of_another_document() {
    let request = json!({"resourceType": "MedicationRequest", "status": "stopped",
        "medicationReference": {"reference": "Medication/m"}, "subject": {"reference": "x"},
        "dosageInstruction": [{"text": "2.50 mg daily"}]});
    let medicine = json!({"resourceType": "Medication", "id": "m", "code": {"text": "Warfarin"}});
    let mut drugs = Drugs::default();
    let (requests, medicines) = (view(&[request]), view(&[medicine]));
    assert_eq!(requests.rows[0].text(&drugs), "MedicationRequest (stopped)");
    drugs.extend(&medicines.drugs);
    assert_eq!(
        requests.rows[0].text(&drugs),
        "Warfarin: 2.50 mg daily (stopped)"
    );
}

#[test]
fn rows_that_are_made_otherwise_have_another_version() {
    let mut resources = few();
    resources.push(
        json!({"resourceType": "MedicationStatement", "id": "s", "status": "active",
        "medicationReference": {"reference": "Medication/m"}, "dosage": [{"text": "1 daily"}]}),
    );
    resources.push(json!({"resourceType": "Medication", "id": "m", "code": {"text": "Warfarin"}}));
    let made = blake3::hash(&codec::encode(&view(&resources))).to_hex();
    let known = (4, "d6518cec070a0f0b");
    assert_eq!(
        (VIEW_VERSION, &made[..16]),
        known,
        "where the rows of the same resources differ, VIEW_VERSION must go up, or old rows stay in use"
    );
}
