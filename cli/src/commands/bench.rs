//! `kith bench`.

use kith_node::{
    bench::{self, Figure, Part, Size},
    failure::{Ending, Failure},
};

use crate::{
    args::{BenchArgs, BenchPart},
    ask::Session,
    render,
};

pub fn run(session: &Session, args: &BenchArgs) -> Result<Ending, Failure> {
    let size = Size {
        records: args.records,
        entries: args.entries,
        people: args.people,
        only: args.only.map(part),
    };
    if cfg!(debug_assertions) {
        anstream::eprintln!(
            "This is a debug build: its times and memory say nothing of kith. Measure with cargo build --release."
        );
    }
    let figures = bench::run(&size, &mut |doing| {
        if !session.json {
            anstream::eprintln!("{doing} …");
        }
    })?;
    if session.json {
        return render::json(&serde_json::json!({ "figures": figures }));
    }
    let rows = figures.iter().map(row).collect();
    render::say(&render::table(&["WHAT", "VALUE", "UNIT", "AIM"], rows));
    Ok(Ending::Done)
}

fn row(figure: &Figure) -> Vec<String> {
    let aim = figure.aim.map_or_else(String::new, |aim| {
        let verdict = if figure.value < aim { "met" } else { "missed" };
        format!("under {aim}: {verdict}")
    });
    vec![
        figure.what.clone(),
        format!("{:.2}", figure.value),
        figure.unit.to_owned(),
        aim,
    ]
}

const fn part(part: BenchPart) -> Part {
    match part {
        BenchPart::Import => Part::Import,
        BenchPart::Disk => Part::Disk,
        BenchPart::Show => Part::Show,
        BenchPart::Export => Part::Export,
        BenchPart::Verify => Part::Verify,
        BenchPart::Status => Part::Status,
        BenchPart::Leaver => Part::Leaver,
        BenchPart::Sync => Part::Sync,
        BenchPart::Wire => Part::Wire,
        BenchPart::Hub => Part::Hub,
        BenchPart::Pages => Part::Pages,
        BenchPart::Hl7 => Part::Hl7,
        BenchPart::Fhir => Part::Fhir,
    }
}
