//! The bundle: its Composition, and everything that it leads to.

use std::collections::BTreeSet;

use kith_crdt::{Label, Section};
use serde_json::{Value, json};

use super::{
    SummaryAuthor, SummaryContext, SummarySection,
    absence::Extent,
    codes::LOINC,
    narrative::Narrative,
    own::{self, SUMMARY_SYSTEM, made_url},
    subject,
    summary::Summary,
};

/// Makes the Bundle.
pub(super) fn bundle(summary: &Summary, context: &SummaryContext) -> Value {
    let places = reached(summary);
    let mut entries = vec![composition(summary, context, &places)];
    entries.push(entry_of(summary, summary.patient));
    entries.push(author(context));
    let others = places.iter().filter(|place| **place != summary.patient);
    entries.extend(others.map(|place| entry_of(summary, *place)));
    let entries = Value::Array(entries);
    let instance = own::instance(&summary.record, &format!("{}{entries}", context.now));
    json!({
        "resourceType": "Bundle",
        "identifier": {"system": SUMMARY_SYSTEM, "value": instance},
        "type": "document",
        "timestamp": context.now,
        "entry": entries,
    })
}

/// Everything that the sections lead to: their entries in order, then what those lead to.
fn reached(summary: &Summary) -> Vec<usize> {
    let listed = summary.sections.values().flatten().copied();
    let mut places: Vec<usize> = std::iter::once(summary.patient).chain(listed).collect();
    let mut seen: BTreeSet<usize> = places.iter().copied().collect();
    let mut next = 0;
    while let Some(place) = places.get(next).copied() {
        for target in &summary.resources[place].targets {
            if seen.insert(*target) {
                places.push(*target);
            }
        }
        next += 1;
    }
    places
}

fn entry_of(summary: &Summary, place: usize) -> Value {
    let resource = &summary.resources[place];
    json!({"fullUrl": resource.full_url, "resource": resource.value})
}

fn composition(summary: &Summary, context: &SummaryContext, places: &[usize]) -> Value {
    let full_url = made_url(&summary.record, own::COMPOSITION);
    let restricted = places
        .iter()
        .any(|place| summary.resources[*place].restricted);
    let patient = &summary.resources[summary.patient];
    let sections: Vec<Value> = SummarySection::ALL
        .into_iter()
        .filter_map(|section| section_of(summary, context, section))
        .collect();
    json!({"fullUrl": full_url, "resource": {
        "resourceType": "Composition",
        "id": own::id_of(&full_url),
        "text": overview(summary, context),
        "identifier": {"system": SUMMARY_SYSTEM, "value": own::series(&summary.record)},
        "status": "final",
        "type": {"coding": [{
            "system": LOINC,
            "code": "60591-5",
            "display": "Patient summary Document",
        }]},
        "subject": {"reference": patient.full_url},
        "date": context.now,
        "author": [{
            "reference": made_url(&summary.record, own::AUTHOR),
            "display": author_name(context),
        }],
        "title": "Patient summary",
        "confidentiality": if restricted { "R" } else { "N" },
        "section": sections,
    }})
}

/// Who it is about, who made it, how much of the record this node holds.
fn overview(summary: &Summary, context: &SummaryContext) -> Value {
    let mut text = Narrative::new();
    let patient = &summary.resources[summary.patient];
    text.paragraph(&format!("Summary for {}.", subject::words(&patient.value)));
    for mark in &patient.line.marks {
        text.paragraph(&format!("Who this is about: {mark}."));
    }
    if summary.patient_undecided {
        text.paragraph("What the versions say of the person stands side by side in the Patient.");
    }
    text.paragraph(&format!(
        "Made by {} on {} from what this node holds of the record.",
        author_name(context),
        context.now
    ));
    if !context.complete {
        text.paragraph("Not everything has arrived at this node yet.");
    }
    for (section, count) in &summary.unreadable {
        let (_, _, title) = section.heading();
        text.paragraph(&format!("{title}: {}.", left_out(*count)));
    }
    text.finish()
}

fn section_of(
    summary: &Summary,
    context: &SummaryContext,
    section: SummarySection,
) -> Option<Value> {
    let places = summary.sections.get(&section)?;
    let (code, display, title) = section.heading();
    let mut text = Narrative::new();
    for remark in remarks(summary, context, section) {
        text.paragraph(&remark);
    }
    if !is_not_known(summary, section) {
        text.list(places.iter().map(|place| &summary.resources[*place].line));
    }
    if let Some(count) = summary.unreadable.get(&section) {
        text.paragraph(&sentence(&left_out(*count)));
    }
    let entries: Vec<Value> = places
        .iter()
        .map(|place| json!({"reference": summary.resources[*place].full_url}))
        .collect();
    Some(json!({
        "title": title,
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "text": text.finish(),
        "entry": entries,
    }))
}

fn is_not_known(summary: &Summary, section: SummarySection) -> bool {
    section.is_required() && summary.extents(section) == BTreeSet::from([Extent::NoInformation])
}

/// What a reader has to know before reading the entries.
fn remarks(summary: &Summary, context: &SummaryContext, section: SummarySection) -> Vec<String> {
    if !section.is_required() {
        return Vec::new();
    }
    let extents = summary.extents(section);
    let (_, _, title) = section.heading();
    let mut remarks = Vec::new();
    if is_not_known(summary, section) {
        remarks.push(not_known(context, section, title));
    } else if !holds(context, section) || !context.complete {
        remarks.push("This node may not hold everything; there may be more.".to_owned());
    }
    if extents.contains(&Extent::Something) && extents.contains(&Extent::Nothing) {
        remarks.push(
            "Some sources recorded something here and another said that there is nothing: \
             both are shown."
                .to_owned(),
        );
    }
    if extents == BTreeSet::from([Extent::NothingOfAKind]) {
        remarks.push("Of other kinds, nothing is known to this node.".to_owned());
    }
    remarks
}

fn not_known(context: &SummaryContext, section: SummarySection, title: &str) -> String {
    let reason = if !holds(context, section) {
        "this node may not see this part of the record, or does not have it"
    } else if context.complete {
        "nobody has said anything about it in what this node holds"
    } else {
        "not everything has arrived at this node yet"
    };
    format!("{title}: not known to this node. This does not mean that there are none: {reason}.")
}

fn holds(context: &SummaryContext, section: SummarySection) -> bool {
    let part: Section = section.part();
    context.visible.contains(&(part, Label::general()))
}

fn left_out(count: usize) -> String {
    if count == 1 {
        "one entry could not be read and is left out".to_owned()
    } else {
        format!("{count} entries could not be read and are left out")
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

fn author_name(context: &SummaryContext) -> &str {
    match &context.author {
        SummaryAuthor::Organization(name) | SummaryAuthor::Device(name) => name,
    }
}

fn author(context: &SummaryContext) -> Value {
    let full_url = made_url(&context.record, own::AUTHOR);
    let id = own::id_of(&full_url);
    let resource = match &context.author {
        SummaryAuthor::Organization(name) => json!({
            "resourceType": "Organization",
            "id": id,
            "name": name,
        }),
        SummaryAuthor::Device(name) => json!({
            "resourceType": "Device",
            "id": id,
            "deviceName": [{"name": name, "type": "user-friendly-name"}],
        }),
    };
    json!({"fullUrl": full_url, "resource": resource})
}
