//! Readings of a device, as lines of a file: each is filed once, by the device and the id that it
//! has there, and none is ever changed.
//!
//! A table (CSV) has a line of names first: `time`, `what`, `value`, and where they are known `unit`
//! and `id`. A line of JSON is an Observation, which is kept as it came. Lines that are not
//! understood are named; the others are filed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use kith_crdt::{
    Body, DocumentId, Edit, Meta, Resource, Section,
    classify::{self, LabelRules},
};
use kith_protocol::record::Record;
use serde_json::{Value, json};

use super::{Node, add, import, now_ms, show};
use crate::{
    api::{Filed, Imported, Refused},
    failure::{Ending, Failure},
    health::line,
    percent,
};

/// Bytes of one file of readings.
const FILE_LEN_MAX: usize = 64 * 1024 * 1024;
/// Lines of one file.
const LINES_MAX: usize = 200_000;
/// Bytes of one line.
const LINE_LEN_MAX: usize = 64 * 1024;
/// Lines that are not understood and are named one by one.
const NAMED_MAX: usize = 200;
/// Readings that one entry takes.
const IN_ONE_ENTRY: usize = 500;
/// The longest name of a device, in bytes.
const NAME_LEN_MAX: usize = 100;

/// A reading on its way in.
struct Reading {
    line: usize,
    /// What tells it from every other of the device.
    key: String,
    value: Value,
    text: String,
}

/// A line that is no reading, with why.
struct Odd {
    line: usize,
    what: String,
}

type Read = (Vec<Reading>, Vec<Odd>);

impl Node {
    /// Files the readings of a device into a record.
    pub(super) fn import_readings(
        &mut self,
        paths: &[PathBuf],
        record: &str,
        device: &str,
    ) -> Result<Imported, Failure> {
        let device = device.trim();
        if device.is_empty() || device.len() > NAME_LEN_MAX {
            return Err(Failure::new(
                Ending::Usage,
                format!("A device has a name of 1 to {NAME_LEN_MAX} bytes."),
                "Use the same name each time: by it a reading is known again. Nothing was changed.",
            ));
        }
        let id = self.record_named(record)?;
        let mut imported = Imported::default();
        for path in paths {
            let name = path.display().to_string();
            let read = read_file(path, device);
            let (readings, odd) = match read {
                Ok(read) => read,
                Err(failure) => {
                    imported.refused.push(Refused {
                        file: name,
                        failure,
                    });
                    continue;
                }
            };
            let (filed, mut refused) =
                self.with_record(id, |node, record| node.file_readings(record, readings, odd))?;
            imported.records.push(filed);
            for (_, one) in &mut refused {
                one.what = format!("{name}, {}", one.what);
            }
            imported
                .refused
                .extend(refused.into_iter().map(|(line, failure)| Refused {
                    file: format!("{name}:{line}"),
                    failure,
                }));
        }
        Ok(imported)
    }

    fn file_readings(
        &mut self,
        record: &mut Record,
        readings: Vec<Reading>,
        mut odd: Vec<Odd>,
    ) -> Result<(Filed, Vec<(usize, Failure)>), Failure> {
        let now = now_ms();
        let mut known = self.readings_held(record);
        let mut unchanged = 0;
        let mut edits: BTreeMap<DocumentId, Vec<Edit>> = BTreeMap::new();
        for (ordinal, reading) in (0..).zip(readings) {
            match known.get(&reading.key) {
                Some(text) if *text == reading.text => unchanged += 1,
                Some(_) => odd.push(Odd {
                    line: reading.line,
                    what: "a reading with this id is here already and says something else: a reading is never changed".to_owned(),
                }),
                None => {
                    let document = document_of(&reading.value);
                    let resource = resource_of(&reading, &document, (now, ordinal));
                    // As a record gives it back, so that the next import compares the same.
                    let text = resource.body.to_text();
                    edits.entry(document).or_default().push(Edit::Create(resource));
                    known.insert(reading.key, text);
                }
            }
        }
        let count: usize = edits.values().map(Vec::len).sum();
        let (mut items, mut rng) = (Vec::new(), self.rng.clone());
        let pen = self.pen(now);
        for (document, edits) in edits {
            for part in edits.chunks(IN_ONE_ENTRY) {
                import::write_into(record, &pen, document.clone(), part, &mut items, &mut rng)?;
            }
        }
        self.rng = rng;
        if !items.is_empty() {
            self.commit(items)?;
        }
        let known = self.people.get(&record.id()).cloned().unwrap_or_default();
        let mut filed = Filed {
            record: record.id().to_string(),
            person: known.banner(),
            unchanged,
            ..Filed::default()
        };
        if count > 0 {
            filed
                .filed
                .insert(Section::Monitoring.name().to_owned(), count);
        }
        odd.sort_by_key(|odd| odd.line);
        Ok((filed, refusals(odd)))
    }

    /// What devices said before, by what tells it from other readings.
    fn readings_held(&self, record: &mut Record) -> BTreeMap<String, String> {
        let mut documents = record.ledger().documents();
        documents.retain(|document| document.section == Section::Monitoring);
        let mut known = BTreeMap::new();
        for document in &documents {
            for placed in self.read_document(record, document) {
                if let Some(key) = placed.held.meta.full_url() {
                    known.insert(key, placed.held.to_text(0));
                }
            }
        }
        known
    }
}

/// Where a reading of a device is filed, whatever its category: its month, its label.
fn document_of(value: &Value) -> DocumentId {
    let mut as_reading = value.clone();
    as_reading["device"] = json!({});
    as_reading["category"] = json!([{"coding": [{"code": "vital-signs"}]}]);
    DocumentId {
        label: LabelRules::default().label(value),
        ..classify::document(&as_reading, &LabelRules::default())
    }
}

fn resource_of(reading: &Reading, document: &DocumentId, at: (u64, u32)) -> Resource {
    let key = kith_crdt::json::quote(&reading.key);
    Resource {
        meta: Meta {
            kind: "Observation".to_owned(),
            native_id: reading.value["id"].as_str().map(str::to_owned),
            entry: Some(format!("{{\"fullUrl\":{key}}}")),
            batch: (at.0, 0),
            ordinal: at.1,
            ..Meta::default()
        },
        body: Body::parse(&reading.text, document.section)
            .unwrap_or_else(|_| Body::whole(reading.text.clone())),
    }
}

fn refusals(odd: Vec<Odd>) -> Vec<(usize, Failure)> {
    let more = odd.len().saturating_sub(NAMED_MAX);
    let mut refused: Vec<_> = odd
        .into_iter()
        .take(NAMED_MAX)
        .map(|odd| {
            let failure = Failure::new(
                Ending::NotUnderstood,
                format!("line {}: {}.", odd.line, odd.what),
                "Mend this line and import the file again: what is filed already is not filed twice.",
            );
            (odd.line, failure)
        })
        .collect();
    if more > 0 {
        let failure = Failure::new(
            Ending::NotUnderstood,
            format!("{more} more lines are not understood."),
            "Mend those that are named first.",
        );
        refused.push((0, failure));
    }
    refused
}

fn read_file(path: &Path, device: &str) -> Result<Read, Failure> {
    let bytes = import::letter_file(path)?;
    if bytes.len() > FILE_LEN_MAX {
        return Err(Failure::new(
            Ending::NotUnderstood,
            format!(
                "{} has more than {} MB.",
                path.display(),
                FILE_LEN_MAX >> 20
            ),
            "Split it after any line. Nothing of it was filed.",
        ));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let starts = bytes.trim_ascii_start().first().copied();
    match starts {
        None => Err(Failure::new(
            Ending::NotUnderstood,
            format!("{} is empty.", path.display()),
            "Check that it was saved or sent whole. Nothing was changed.",
        )),
        Some(b'{') => Ok(of_json(bytes, device)),
        Some(_) => of_table(bytes, device, path),
    }
}

/// A name for a reading that nothing else has.
fn key(device: &str, id: &str) -> String {
    let (device, id) = (percent::encoded(device), percent::encoded(id));
    format!("urn:kith:reading:{device}:{id}")
}

/// Observations, one a line; or one over several lines.
fn of_json(bytes: &[u8], device: &str) -> Read {
    let mut read: Read = (Vec::new(), Vec::new());
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        observation(1, text, value, device, &mut read);
        return read;
    }
    for (n, line) in bytes.split(|b| *b == b'\n').enumerate() {
        let number = n + 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if number > LINES_MAX {
            let what =
                format!("a file has at most {LINES_MAX} lines: this and what follows is not read");
            read.1.push(Odd { line: number, what });
            break;
        }
        let text = std::str::from_utf8(line)
            .ok()
            .filter(|_| line.len() <= LINE_LEN_MAX);
        let value = text.and_then(|text| Some((text, serde_json::from_str(text).ok()?)));
        match value {
            Some((text, value)) => observation(number, text, value, device, &mut read),
            None => read.1.push(Odd {
                line: number,
                what: format!("this is not JSON of at most {} KB", LINE_LEN_MAX >> 10),
            }),
        }
    }
    read
}

fn observation(line: usize, text: &str, value: Value, device: &str, read: &mut Read) {
    let odd = |what: &str| Odd {
        line,
        what: what.to_owned(),
    };
    let said = |name: &str| value.get(name).and_then(Value::as_str);
    if said("resourceType") != Some("Observation") {
        return read.1.push(odd("this is not a FHIR Observation"));
    }
    let Some(when) = line::when(&value).filter(|when| is_time(when)) else {
        return read.1.push(odd("it does not say when it was measured"));
    };
    if line::concept(value.get("code")).is_none() {
        return read.1.push(odd("it does not say what was measured"));
    }
    let identifier = value.pointer("/identifier/0/value").and_then(Value::as_str);
    let id = identifier.or(said("id")).map(str::to_owned);
    let id = id.unwrap_or_else(|| own_id(&[when, &value["code"].to_string()]));
    read.0.push(Reading {
        line,
        key: key(device, &id),
        text: kith_crdt::json::minify(text),
        value,
    });
}

/// The id of a reading that has none: what was measured, and when.
fn own_id(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// A day, or a moment with its zone.
fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
        || (text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok())
}

fn of_table(bytes: &[u8], device: &str, path: &Path) -> Result<Read, Failure> {
    let mut table = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let head = table.headers().cloned().unwrap_or_default();
    let column = |name: &str| head.iter().position(|head| head.eq_ignore_ascii_case(name));
    let (Some(time), Some(what), Some(value)) = (column("time"), column("what"), column("value"))
    else {
        return Err(Failure::new(
            Ending::NotUnderstood,
            format!(
                "The first line of {} does not name its columns.",
                path.display()
            ),
            "It needs time, what and value, and can have unit and id, such as time,what,value,unit,id. Nothing of it was filed.",
        ));
    };
    let (unit, id) = (column("unit"), column("id"));
    let mut read: Read = (Vec::new(), Vec::new());
    let mut lines = Lines::of(bytes);
    for (n, row) in table.records().enumerate() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = lines.at(error.position().map_or(0, csv::Position::byte));
                read.1.push(Odd {
                    line,
                    what: "this line is not a line of a table, or is not UTF-8".to_owned(),
                });
                continue;
            }
        };
        let line = lines.at(row.position().map_or(0, csv::Position::byte));
        if n >= LINES_MAX {
            let what =
                format!("a file has at most {LINES_MAX} lines: this and what follows is not read");
            read.1.push(Odd { line, what });
            break;
        }
        let cell = |at: usize| row.get(at).unwrap_or_default();
        let given = |at: Option<usize>| at.map(cell).filter(|text| !text.is_empty());
        match of_row(
            (cell(time), cell(what), cell(value)),
            given(unit),
            given(id),
            device,
        ) {
            Ok((id, value)) => read.0.push(Reading {
                line,
                key: key(device, &id),
                text: value.to_string(),
                value,
            }),
            Err(what) => read.1.push(Odd { line, what }),
        }
    }
    Ok(read)
}

/// The numbers of lines, as people count them: a row begins behind the empty lines before it, which
/// the reader of tables counts to the row.
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: usize,
}

impl<'b> Lines<'b> {
    const fn of(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the row that begins at or behind this place; places only grow.
    fn at(&mut self, place: u64) -> usize {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        while let Some(byte) = self.bytes.get(self.at).copied() {
            let ends =
                byte == b'\n' || (byte == b'\r' && self.bytes.get(self.at + 1) != Some(&b'\n'));
            let is_between = ends || byte == b'\r';
            if self.at >= place && !is_between {
                break;
            }
            self.at += 1;
            self.line += usize::from(ends);
        }
        self.line
    }
}

fn of_row(
    (time, what, value): (&str, &str, &str),
    unit: Option<&str>,
    id: Option<&str>,
    device: &str,
) -> Result<(String, Value), String> {
    if !is_time(time) {
        return Err(format!(
            "{time:?} is not a time: write it as 2026-05-31T08:00:00Z"
        ));
    }
    if what.is_empty() {
        return Err("it does not say what was measured".to_owned());
    }
    let made = add::reading(what, value, unit, time);
    let mut made = made.map_err(|failure| failure.what.trim_end_matches('.').to_owned())?;
    let own = own_id(&[time, what]);
    let id = id.unwrap_or(&own).to_owned();
    made["identifier"] = json!([{"system": format!("urn:kith:device:{}", show::hex(device.as_bytes())), "value": id}]);
    made["device"] = json!({ "display": device });
    Ok((id, made))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::{of_json, of_table};

    fn table(text: &str) -> (Vec<String>, Vec<(usize, String)>) {
        let read = of_table(text.as_bytes(), "cuff", Path::new("x.csv")).expect("a table");
        let texts = read
            .0
            .into_iter()
            .map(|one| one.value["valueQuantity"].to_string());
        let odd = read.1.into_iter().map(|odd| (odd.line, odd.what));
        (texts.collect(), odd.collect())
    }

    #[test]
    fn digits_stay_and_bad_lines_are_named_by_their_number() {
        let (texts, odd) = table(
            "Time,What,Value\n2026-05-01T08:00:00Z,weight,71.50\nyesterday,weight,70\n2026-05-02,weight,heavy\n\n2026-05-03,,1\n2026-05-04,weight,72\n",
        );
        assert_eq!(texts.len(), 2);
        assert!(texts[0].contains("71.50"), "{texts:?}");
        let lines: Vec<_> = odd.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 6], "{odd:?}");
    }

    #[test]
    fn a_table_without_names_is_not_guessed() {
        assert!(of_table(b"2026-05-01,weight,71\n", "cuff", Path::new("x.csv")).is_err());
    }

    #[test]
    fn an_observation_is_kept_as_it_came() {
        let line = r#"{"resourceType":"Observation","id":"1","code":{"text":"pulse"},"effectiveDateTime":"2026-05-01","valueQuantity":{"value":62.0}}"#;
        let text = format!("{line}\n{{\"resourceType\":\"Patient\"}}\nnonsense\n");
        let (readings, odd) = of_json(text.as_bytes(), "watch");
        assert_eq!(readings[0].text, line);
        assert_eq!(readings[0].key, "urn:kith:reading:watch:1");
        assert_eq!(odd.iter().map(|odd| odd.line).collect::<Vec<_>>(), [2, 3]);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_breaks_it_off(text in "[a-z0-9,\"\n{}:. -]{0,200}") {
            let _json = of_json(text.as_bytes(), "x");
            let _table = of_table(format!("time,what,value\n{text}").as_bytes(), "x", Path::new("x"));
        }
    }
}
