//! Writes saved documents and what they hold into a folder, for a judge that is not ours
//! (`.ci/judges/automerge_opens.py`).

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use kith_crdt::{
    Actor, Body, Document, Edit, Held, Meta, Resource, Section,
    document::{ListEdit, UnitContent},
};
use serde_json::{Map, Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("name a folder to write into")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let mut first = Document::new();
    let create: Vec<_> = (0..60).map(|n| Edit::Create(prescription(n))).collect();
    let made = first.write(Actor([1; 16]), 1_700_000_000_000, &create)?;
    write(folder, "first", &first)?;

    let mut merged = first.clone();
    let mut other = first;
    let put = |dose: &str| Edit::Put {
        resource: made.created[0].clone(),
        unit: "&".into(),
        text: format!(r#""status":"active","dosageInstruction":[{{"text":"{dose}"}}]"#),
    };
    let note = |edit: ListEdit| Edit::List {
        resource: made.created[1].clone(),
        unit: "note".into(),
        edits: vec![edit],
    };
    let replace = ListEdit::Replace(0, r#"{"text":"größer"}"#.into());
    merged.write(Actor([2; 16]), 1, &[put("2.50 mg"), note(replace)])?;
    let theirs = other.write(Actor([3; 16]), 1, &[put("5 mg"), note(ListEdit::Remove(0))])?;
    merged.take(&[kith_crdt::vet(&theirs.bytes)?])?;
    write(folder, "merged", &merged)?;

    let (next, _) = merged.carry_over(Actor([4; 16]), 2, &BTreeMap::new())?;
    write(folder, "next-epoch", &next)
}

fn prescription(number: u32) -> Resource {
    let text = format!(
        r#"{{"resourceType":"MedicationRequest","id":"m{number}","status":"active","medicationCodeableConcept":{{"text":"wärfarin \u2713 {number}.50"}},"note":[{{"text":"one"}},{{"text":"two"}}]}}"#
    );
    Resource {
        meta: Meta {
            kind: "MedicationRequest".into(),
            ordinal: number,
            ..Meta::default()
        },
        body: Body::parse(&text, Section::Medicines).expect("the text above is JSON"),
    }
}

fn write(folder: &Path, name: &str, document: &Document) -> Result<(), Box<dyn Error>> {
    let held = document.resources();
    let expected: Map<_, _> = held.iter().map(expected).collect();
    let expected = serde_json::to_vec(&expected)?;
    fs::write(folder.join(format!("{name}.automerge")), document.save())?;
    fs::write(folder.join(format!("{name}.json")), expected)?;
    Ok(())
}

/// The units of a resource as a stranger sees them: the version that is shown first.
fn expected(held: &Held) -> (String, Value) {
    let units = held.units.iter().map(|unit| {
        let value = match &unit.content {
            UnitContent::Register(versions) => json!(versions[0].text),
            UnitContent::List(items) => {
                json!(items.iter().map(|item| &item.text).collect::<Vec<_>>())
            }
        };
        (unit.name.clone(), value)
    });
    (held.id.to_string(), Value::Object(units.collect()))
}
