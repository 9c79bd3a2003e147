//! Makes patient summaries of FHIR JSON files: `summarise OUT FILE…` writes one `.ips.json` for
//! each person of each file, so that other software can judge them.

use std::{collections::BTreeSet, error::Error, fs, path::Path};

use kith_crdt::{
    Label, Section,
    classify::{self, LabelRules},
    flag, incoming,
};
use kith_node::health::ips::{Source, SummaryAuthor, SummaryContext, assemble};
use kith_protocol::id::RecordId;

/// Longer strings are attachments and stay out of a summary.
const INLINE_LEN_MAX: usize = 16 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("usage: summarise OUT FILE…")?;
    fs::create_dir_all(&out)?;
    for file in arguments {
        if let Err(error) = summarise(Path::new(&file), Path::new(&out)) {
            eprintln!("{file}: {error}");
        }
    }
    Ok(())
}

fn summarise(file: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let read = incoming::read(&fs::read(file)?, INLINE_LEN_MAX)?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let people = incoming::people(&read.resources).patients;
    for (n, places) in people.iter().enumerate() {
        let sources: Vec<Source> = places
            .iter()
            .map(|place| source(*place, &read.resources[*place]))
            .collect();
        let name = if people.len() == 1 {
            stem.to_string()
        } else {
            format!("{stem}-{}", n + 1)
        };
        let summary = assemble(&sources, &context(&name))?;
        let text = serde_json::to_string_pretty(&summary)?;
        fs::write(out.join(format!("{name}.ips.json")), text)?;
    }
    if people.is_empty() {
        eprintln!("{}: nobody is in it", file.display());
    }
    Ok(())
}

fn source(place: usize, resource: &incoming::IncomingResource) -> Source {
    let document = classify::document(&resource.value, &LabelRules::default());
    Source {
        text: resource.text.clone(),
        section: document.section,
        document,
        resource: format!("{place:024x}"),
        full_url: resource.full_url.clone(),
        native_id: resource.native_id().map(str::to_owned),
        versions: Vec::new(),
        retracted: false,
        marked: false,
        flagged: !flag::flags(resource).is_empty(),
        author: "the sender of the file".to_owned(),
        brought: Vec::new(),
        arrived_ms: 0,
    }
}

fn context(name: &str) -> SummaryContext {
    let labels = Label::built_in();
    let visible: BTreeSet<_> = Section::ALL
        .into_iter()
        .flat_map(|section| labels.iter().map(move |label| (section, label.clone())))
        .collect();
    SummaryContext {
        record: RecordId::from_bytes(*blake3::hash(name.as_bytes()).as_bytes()),
        now: "2026-01-31T09:30:00Z".to_owned(),
        author: SummaryAuthor::Organization("Riverside Surgery".to_owned()),
        visible,
        complete: true,
    }
}
