//! Imported FHIR bundles as a workload: a patient for each file, an entry for each dated resource.

use std::path::Path;

use kith_crdt::{Section, classify};
use serde_json::Value;

use super::{
    scenario::{Row, RowKind},
    times::DAY_MS,
};

/// The rows of a folder of FHIR R4 bundles. Time is counted from the earliest date of each bundle
/// within its last year; each encounter is a need to know the medicines.
///
/// # Errors
/// What is wrong, and what to do instead.
pub fn rows(folder: &Path, writer: usize, reader: usize) -> Result<Vec<Row>, (String, String)> {
    let said = |error: std::io::Error| {
        (
            error.to_string(),
            "name a folder of FHIR bundles".to_owned(),
        )
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map_err(said)?
        .filter_map(Result::ok)
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    let mut patient = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(said)?;
        let bundle: Value = serde_json::from_str(&text).map_err(|error| {
            (
                format!("{}: {error}", file.display()),
                "write JSON".to_owned(),
            )
        })?;
        let rows = patient_rows(&bundle, patient, (writer, reader));
        if !rows.is_empty() {
            all.extend(rows);
            patient += 1;
        }
    }
    if all.is_empty() {
        return Err((
            "no file has a dated resource".to_owned(),
            "name a folder of FHIR R4 bundles".to_owned(),
        ));
    }
    Ok(all)
}

fn patient_rows(bundle: &Value, patient: u32, (writer, reader): (usize, usize)) -> Vec<Row> {
    let entries = bundle["entry"].as_array().map_or(&[][..], Vec::as_slice);
    let dated: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            let resource = &entry["resource"];
            Some((day_of(resource)?, resource))
        })
        .collect();
    let Some(last) = dated.iter().map(|(day, _)| *day).max() else {
        return Vec::new();
    };
    let from = last - 364;
    let mut rows = Vec::new();
    for (day, resource) in dated.into_iter().filter(|(day, _)| *day >= from) {
        let at_ms = u64::try_from(day - from).unwrap_or(0) * DAY_MS + DAY_MS / 2;
        let row = |kind, what, section, len| Row {
            patient,
            at_ms,
            kind,
            what,
            section,
            len,
        };
        if resource["resourceType"] == "Encounter" {
            rows.push(row(reader, RowKind::Read, Section::Medicines, 0));
        }
        let len = u32::try_from(resource.to_string().len()).unwrap_or(u32::MAX);
        rows.push(row(writer, RowKind::Write, section_of(resource), len));
    }
    rows.sort_by_key(|row| row.at_ms);
    rows
}

fn section_of(resource: &Value) -> Section {
    classify::section(resource)
}

/// Where each type says when it was, the most telling first.
const DATES: [&str; 9] = [
    "/effectiveDateTime",
    "/authoredOn",
    "/recordedDate",
    "/occurrenceDateTime",
    "/performedDateTime",
    "/performedPeriod/start",
    "/period/start",
    "/onsetDateTime",
    "/date",
];

/// Days since 1970.
fn day_of(resource: &Value) -> Option<i64> {
    let said = DATES
        .iter()
        .find_map(|path| resource.pointer(path)?.as_str())?;
    let date: jiff::civil::Date = said.get(..10)?.parse().ok()?;
    let since = jiff::civil::date(1970, 1, 1).until(date).ok()?;
    Some(i64::from(since.get_days()))
}

#[cfg(test)]
mod tests {
    use kith_crdt::Section;
    use serde_json::json;

    use super::{RowKind, patient_rows};

    #[test]
    fn dated_resources_of_the_last_year_are_entries() {
        let bundle = json!({"entry": [
            {"resource": {"resourceType": "Patient", "birthDate": "1950-01-01"}},
            {"resource": {"resourceType": "Encounter", "period": {"start": "2020-06-01T10:00:00Z"}}},
            {"resource": {"resourceType": "MedicationRequest", "authoredOn": "2020-06-11"}},
            {"resource": {"resourceType": "Condition", "recordedDate": "2001-01-01"}},
        ]});
        let rows = patient_rows(&bundle, 4, (0, 1));
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.what, row.section, row.kind))
            .collect();
        assert_eq!(
            told,
            [
                (RowKind::Read, Section::Medicines, 1),
                (RowKind::Write, Section::Encounters, 0),
                (RowKind::Write, Section::Medicines, 0),
            ]
        );
        assert_eq!(rows[2].at_ms - rows[0].at_ms, 10 * 86_400_000);
    }
}
