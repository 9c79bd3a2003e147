//! Measures writing, taking, reading and saving on a record of 300 resources.

use std::{error::Error, time::Instant};

use kith_crdt::{Actor, Body, Document, Edit, Meta, Resource, Section, document::ListEdit, vet};

#[expect(clippy::disallowed_methods, reason = "a measurement, not the crate")]
fn now() -> Instant {
    Instant::now()
}

/// Runs it often and gives the median in microseconds.
fn median(
    what: &str,
    mut run: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..31 {
        let start = now();
        run()?;
        times.push(start.elapsed().as_micros());
    }
    times.sort_unstable();
    println!("{what:<58}{:>8} µs", times[times.len() / 2]);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let create = |count| {
        (0..count)
            .map(|n| Edit::Create(observation(n)))
            .collect::<Vec<_>>()
    };
    let (sixty, all) = (create(60), create(300));
    let mut bytes = Vec::new();
    median("write 60 resources into a new document", || {
        bytes = Document::new().write(Actor([1; 16]), 1, &sixty)?.bytes;
        Ok(())
    })?;
    println!("  a change of {} bytes", bytes.len());
    median("vet that change", || {
        vet(&bytes).map(drop).map_err(Into::into)
    })?;
    let mut record = Document::new();
    let made = record.write(Actor([1; 16]), 1, &all)?;
    println!(
        "a record of 300 resources: a change of {} bytes",
        made.bytes.len()
    );
    median("vet that change", || {
        vet(&made.bytes).map(drop).map_err(Into::into)
    })?;
    let vetted = [vet(&made.bytes)?];
    median("take that change (apply, save, load, compare)", || {
        Document::new().take(&vetted).map_err(Into::into)
    })?;
    median("take it as one's own (apply)", || {
        Document::new().take_own(&vetted).map_err(Into::into)
    })?;
    median("clone the record", || {
        std::hint::black_box(record.clone());
        Ok(())
    })?;
    let edit = [Edit::Put {
        resource: made.created[7].clone(),
        unit: "&".into(),
        text: r#""status":"amended""#.into(),
    }];
    median("write one register (with a clone to start from)", || {
        record
            .clone()
            .write(Actor([2; 16]), 2, &edit)
            .map(drop)
            .map_err(Into::into)
    })?;
    let written = record.clone().write(Actor([2; 16]), 2, &edit)?;
    let one = [vet(&written.bytes)?];
    median("take one register (apply, save, load, compare)", || {
        record.clone().take(&one).map_err(Into::into)
    })?;
    median("take it as one's own (apply)", || {
        record.clone().take_own(&one).map_err(Into::into)
    })?;
    median("read all", || {
        std::hint::black_box(record.resources());
        Ok(())
    })?;
    let notes: Vec<_> = made
        .created
        .iter()
        .map(|id| Edit::List {
            resource: id.clone(),
            unit: "note".into(),
            edits: vec![ListEdit::Replace(0, r#"{"text":"edited"}"#.into())],
        })
        .collect();
    let mut edited = record.clone();
    edited.write(Actor([2; 16]), 2, &notes)?;
    median("read all, with 300 edited notes", || {
        std::hint::black_box(edited.resources());
        Ok(())
    })?;
    let saved = record.save();
    println!("  saved: {} bytes", saved.len());
    median("save", || {
        std::hint::black_box(record.save());
        Ok(())
    })?;
    median("load", || {
        Document::load(&saved).map(drop).map_err(Into::into)
    })?;
    median("carry over into a new epoch", || {
        let carried = record.carry_over(Actor([3; 16]), 3, &std::collections::BTreeMap::new());
        carried.map(drop).map_err(Into::into)
    })
}

fn observation(number: u32) -> Resource {
    let text = format!(
        r#"{{"resourceType":"Observation","id":"o{number}","meta":{{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"]}},"status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"laboratory"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{number}-1","display":"Glucose"}}],"text":"Glucose"}},"subject":{{"reference":"urn:uuid:10339b10-3cd1-4ac3-ac13-ec26728cb592"}},"encounter":{{"reference":"urn:uuid:a8a2c2d6-8bcf-4fcb-8c2f-{number:012}"}},"effectiveDateTime":"2019-08-{:02}T11:57:28+01:00","issued":"2019-08-01T11:57:28.871+01:00","valueQuantity":{{"value":{number}.50,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}},"note":[{{"text":"n{number}"}}]}}"#,
        1 + number % 28
    );
    Resource {
        meta: Meta {
            kind: "Observation".into(),
            ordinal: number,
            ..Meta::default()
        },
        body: Body::parse(&text, Section::Results).expect("the text above is JSON"),
    }
}
