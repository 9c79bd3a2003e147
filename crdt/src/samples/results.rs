//! Results of the laboratory: specimens, observations, reports, a CYP2D6 genotype.

mod panel;

use panel::{TESTS, Test};
use serde_json::{Value, json};

use super::{
    day::{Day, TODAY},
    page::{Closed, Page, decimal, hl7, loinc, quantity, snomed},
    stream::Stream,
};

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
    let weight = decimal(page.life.weight() + stream.between(-120, 120), 1);
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
