//! Results of the laboratory: specimens, observations, reports, a CYP2D6 genotype.

use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    life::Life,
    page::{Closed, Page, decimal, hl7, loinc, quantity, snomed},
    stream::Stream,
};

/// A test, its unit and the range that the laboratory prints beside it.
struct Test {
    key: &'static str,
    code: &'static str,
    name: &'static str,
    unit: &'static str,
    ucum: &'static str,
    /// In hundredths; the top of what is open above is `i32::MAX`.
    normal: (i32, i32),
    /// Decimal places that the laboratory reports.
    places: usize,
    /// What this person's value is about: middle and spread, in hundredths. Nothing if the test
    /// is not done.
    expected: fn(&Life) -> Option<(i32, i32)>,
    months: i32,
}

const TESTS: [Test; 9] = [
    Test {
        key: "potassium",
        code: "2823-3",
        name: "Potassium [Moles/volume] in Serum or Plasma",
        unit: "mmol/L",
        ucum: "mmol/L",
        normal: (350, 530),
        places: 1,
        expected: |life| {
            Some((
                if life.takes("ramipril").is_some() {
                    470
                } else {
                    430
                },
                40,
            ))
        },
        months: 6,
    },
    Test {
        key: "sodium",
        code: "2951-2",
        name: "Sodium [Moles/volume] in Serum or Plasma",
        unit: "mmol/L",
        ucum: "mmol/L",
        normal: (13_300, 14_600),
        places: 0,
        expected: |_| Some((13_900, 300)),
        months: 6,
    },
    Test {
        key: "egfr",
        code: "62238-1",
        name: "eGFR (CKD-EPI) per 1.73 sq M",
        unit: "mL/min/1.73m2",
        ucum: "mL/min/{1.73_m2}",
        normal: (6_000, i32::MAX),
        places: 0,
        expected: |life| {
            let aged = 9_800 - 60 * (life.age - 40).max(0);
            Some(if life.has("kidney-disease") {
                (4_700, 400)
            } else {
                (aged.max(6_600), 400)
            })
        },
        months: 6,
    },
    Test {
        key: "haemoglobin",
        code: "718-7",
        name: "Hemoglobin [Mass/volume] in Blood",
        unit: "g/L",
        ucum: "g/L",
        normal: (11_500, 16_500),
        places: 0,
        expected: |life| {
            Some((
                if life.has("iron-deficiency") {
                    10_900
                } else {
                    13_400
                },
                600,
            ))
        },
        months: 8,
    },
    Test {
        key: "hba1c",
        code: "59261-8",
        name: "Hemoglobin A1c/Hemoglobin.total in Blood by IFCC protocol",
        unit: "mmol/mol",
        ucum: "mmol/mol",
        normal: (2_000, 4_200),
        places: 0,
        expected: |life| life.has("diabetes").then_some((5_600, 500)),
        months: 6,
    },
    Test {
        key: "cholesterol",
        code: "14647-2",
        name: "Cholesterol [Moles/volume] in Serum or Plasma",
        unit: "mmol/L",
        ucum: "mmol/L",
        normal: (0, 500),
        places: 2,
        expected: |life| {
            let high = if life.takes("atorvastatin").is_some() {
                420
            } else {
                560
            };
            (life.age >= 40).then_some((high, 50))
        },
        months: 12,
    },
    Test {
        key: "tsh",
        code: "3016-3",
        name: "Thyrotropin [Units/volume] in Serum or Plasma",
        unit: "mIU/L",
        ucum: "m[IU]/L",
        normal: (27, 420),
        places: 2,
        expected: |life| life.has("hypothyroidism").then_some((230, 120)),
        months: 12,
    },
    Test {
        key: "inr",
        code: "6301-6",
        name: "INR in Platelet poor plasma by Coagulation assay",
        unit: "{INR}",
        ucum: "{INR}",
        normal: (200, 300),
        places: 1,
        expected: |life| life.takes("warfarin").map(|_| (250, 60)),
        months: 1,
    },
    Test {
        key: "crp",
        code: "1988-5",
        name: "C reactive protein [Mass/volume] in Serum or Plasma",
        unit: "mg/L",
        ucum: "mg/L",
        normal: (0, 500),
        places: 0,
        expected: |life| life.has("rheumatoid-arthritis").then_some((900, 400)),
        months: 3,
    },
];

/// What the laboratory sends: three rounds of blood tests, and special results.
pub(super) fn laboratory(page: &mut Page<'_>) {
    for round in 0..3 {
        for_round(page, round);
    }
    if page.stream("genotype").chance(25) {
        genotype(page);
    }
    if let Some(had) = page.life.had("chlamydia") {
        let day = had.since.back(3).working();
        let name = "Chlamydia trachomatis nucleic acid test, urine";
        found(
            page,
            ("chlamydia", "", name),
            day,
            Closed::SexualHealth,
            "Detected",
        );
    }
    if page.life.has("hiv") {
        let name = "HIV 1 RNA [#/volume] (viral load) in Plasma";
        let day = TODAY.back(70).working();
        found(
            page,
            ("viral-load", "", name),
            day,
            Closed::SexualHealth,
            "Not detected, below 20 copies/mL",
        );
    }
}

/// One sample of blood: the specimen, its results, the report over them.
fn for_round(page: &mut Page<'_>, round: i32) {
    let mut stream = page.stream(&format!("round/{round}"));
    let tests: Vec<_> = TESTS
        .iter()
        .filter_map(|test| Some((test, (test.expected)(page.life)?)))
        .filter(|(test, _)| round == 0 || test.months <= 6)
        .collect();
    let months = if tests.iter().any(|(test, _)| test.key == "inr") {
        1
    } else {
        6
    };
    let day = TODAY
        .back(round * months * 30 + stream.between(3, 26))
        .working();
    specimen(page, round, day);
    let mut results = Vec::new();
    for (test, (middle, spread)) in tests {
        let value = middle + stream.between(-spread, spread);
        results.push(result(page, test, (round, day), value));
    }
    report(page, round, day, &results);
}

fn specimen(page: &mut Page<'_>, round: i32, day: Day) {
    let body = json!({
        "resourceType": "Specimen",
        "identifier": page.identifier("specimen", &format!("specimen/{round}")),
        "status": "available",
        "type": snomed("119297000", "Blood specimen"),
        "subject": page.patient(),
        "receivedTime": day.at(14 * 60 + 10),
        "collection": {"collectedDateTime": day.at(9 * 60 + 35)},
    });
    let story = format!("Blood taken on {}", day.words());
    page.add(
        &format!("specimen/{round}"),
        day,
        Closed::Open,
        &story,
        body,
    );
}

fn result(page: &mut Page<'_>, test: &Test, (round, day): (i32, Day), value: i32) -> Value {
    let key = format!("result/{}/{round}", test.key);
    let written = decimal(value, test.places);
    let (low, high) = test.normal;
    let interpretation = match value {
        value if value < low => ("L", "Low"),
        value if value > high => ("H", "High"),
        _ => ("N", "Normal"),
    };
    let mut code = hl7("v3-ObservationInterpretation", interpretation.0);
    code["text"] = interpretation.1.into();
    let body = json!({
        "resourceType": "Observation",
        "identifier": page.identifier("result", &key),
        "status": "final",
        "category": [hl7("observation-category", "laboratory")],
        "code": loinc(test.code, test.name),
        "subject": page.patient(),
        "effectiveDateTime": day.at(9 * 60 + 35),
        "issued": day.at(17 * 60 + 20),
        "performer": [page.organisation()],
        "valueQuantity": quantity(&written, test.unit, test.ucum),
        "interpretation": [code],
        "specimen": page.reference(&format!("specimen/{round}"), "Blood specimen"),
        "referenceRange": [range(test)],
    });
    let story = format!(
        "{}: {written} {} ({})",
        test.name, test.unit, interpretation.1
    );
    page.add(&key, day, Closed::Open, &story, body);
    page.reference(&key, test.name)
}

fn range(test: &Test) -> Value {
    let bound = |hundredths| quantity(&decimal(hundredths, test.places), test.unit, test.ucum);
    match test.normal {
        (low, i32::MAX) => {
            json!({"low": bound(low), "text": format!("above {}", decimal(low, test.places))})
        }
        (low, high) => json!({"low": bound(low), "high": bound(high)}),
    }
}

fn report(page: &mut Page<'_>, round: i32, day: Day, results: &[Value]) {
    let placer = Stream::of(page.life.seed, page.life.number, &format!("placer/{round}"));
    let body = json!({
        "resourceType": "DiagnosticReport",
        "identifier": page.identifier("report", &format!("report/{round}")),
        "basedOn": [{"identifier": {"system": "https://order.example/placer", "value": placer_number(placer)}}],
        "status": "final",
        "category": [hl7("v2-0074", "LAB")],
        "code": {"text": "Blood tests: kidney function, full blood count and monitoring"},
        "subject": page.patient(),
        "effectiveDateTime": day.at(9 * 60 + 35),
        "issued": day.at(17 * 60 + 40),
        "performer": [page.organisation()],
        "resultsInterpreter": [page.staff(0)],
        "specimen": [page.reference(&format!("specimen/{round}"), "Blood specimen")],
        "result": results,
        "conclusion": "See the results. No action beyond the review that is planned.",
    });
    let story = format!("Report of the blood tests of {}", day.words());
    page.add(&format!("report/{round}"), day, Closed::Open, &story, body);
}

/// The number of the order, which the practice's request and the report share.
pub(super) fn placer_number(mut stream: Stream) -> String {
    format!("ORD{:07}", stream.below(10_000_000))
}

fn genotype(page: &mut Page<'_>) {
    const FOUND: [(&str, &str); 4] = [
        ("*1/*1", "Normal metaboliser"),
        ("*1/*4", "Intermediate metaboliser"),
        (
            "*4/*4",
            "Poor metaboliser: codeine and tramadol will not work",
        ),
        (
            "*1/*2xN",
            "Ultrarapid metaboliser: avoid codeine and tramadol",
        ),
    ];
    let mut stream = page.stream("genotype found");
    let (diplotype, meaning) = *stream.pick(&FOUND);
    let day = TODAY.back(stream.between(100, 900)).working();
    let body = json!({
        "resourceType": "Observation",
        "identifier": page.identifier("result", "cyp2d6"),
        "status": "final",
        "category": [hl7("observation-category", "laboratory")],
        "code": loinc("84413-4", "Genotype display name"),
        "subject": page.patient(),
        "effectiveDateTime": day.at(11 * 60),
        "issued": day.on(12).at(11 * 60),
        "performer": [page.organisation()],
        "valueCodeableConcept": {"text": format!("CYP2D6 {diplotype}")},
        "interpretation": [{"text": meaning}],
        "component": [{
            "code": loinc("48018-6", "Gene studied [ID]"),
            "valueCodeableConcept": {
                "coding": [{"system": "http://www.genenames.org/geneId", "code": "HGNC:2625", "display": "CYP2D6"}],
            },
        }],
    });
    let story = format!("CYP2D6 {diplotype}. {meaning}");
    page.add("result/cyp2d6", day.on(12), Closed::Open, &story, body);
}

fn found(
    page: &mut Page<'_>,
    (key, code, name): (&str, &str, &str),
    day: Day,
    closed: Closed,
    value: &str,
) {
    let body = json!({
        "resourceType": "Observation",
        "identifier": page.identifier("result", key),
        "status": "final",
        "category": [hl7("observation-category", "laboratory")],
        "code": loinc(code, name),
        "subject": page.patient(),
        "effectiveDateTime": day.at(10 * 60),
        "issued": day.at(16 * 60),
        "performer": [page.organisation()],
        "valueString": value,
    });
    page.add(
        &format!("result/{key}"),
        day,
        closed,
        &format!("{name}: {value}"),
        body,
    );
}

/// What the practice or a crew measured itself, with no device of the person's own.
pub(super) fn measured(page: &mut Page<'_>, day: Day) {
    let mut stream = page.stream("measured");
    let pulse = stream.between(58, 96).to_string();
    let weight = decimal(stream.between(5_200, 9_400), 1);
    for (key, code, name, value, unit, ucum) in [
        (
            "pulse",
            "8867-4",
            "Heart rate",
            pulse.as_str(),
            "beats/min",
            "/min",
        ),
        (
            "weight",
            "29463-7",
            "Body weight",
            weight.as_str(),
            "kg",
            "kg",
        ),
        (
            "temperature",
            "8310-5",
            "Body temperature",
            "36.70",
            "°C",
            "Cel",
        ),
    ] {
        if page.life.age < 16 && key == "weight" {
            continue;
        }
        let body = json!({
            "resourceType": "Observation",
            "identifier": page.identifier("measurement", key),
            "status": "final",
            "category": [hl7("observation-category", "vital-signs")],
            "code": loinc(code, name),
            "subject": page.patient(),
            "effectiveDateTime": day.at(10 * 60 + 45),
            "performer": [page.staff(1)],
            "valueQuantity": quantity(value, unit, ucum),
        });
        page.add(
            &format!("measured/{key}"),
            day,
            Closed::Open,
            &format!("{name}: {value} {unit}"),
            body,
        );
    }
}
