//! Files that others published: in, out again to the last zero, in once more without a change.
//!
//! They stand beside the repository in `../shared/data`, or where `KITH_TEST_DATA` says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::harness::{Node, Running, all_files, data, json, sample, text};

/// What an import said of one record.
struct Touched {
    record: String,
    new: bool,
    filed: u64,
}

/// A node into which one file after another comes, and all that must be true of each.
struct Reader {
    /// It runs, so that records stay open between commands.
    _running: Running,
    node: Node,
    /// The digest of every record so far.
    digests: BTreeMap<String, String>,
    /// Records of files that stand for a whole person, by the file's name.
    people: BTreeMap<String, String>,
    faults: Vec<String>,
    files: usize,
}

impl Reader {
    fn new() -> Self {
        let node = Node::set_up("A reader", "practice");
        Self {
            _running: node.running(),
            node,
            digests: BTreeMap::new(),
            people: BTreeMap::new(),
            faults: Vec::new(),
            files: 0,
        }
    }

    fn read_all(&mut self, folder: &Path) {
        let files = all_files(folder);
        let json = files
            .iter()
            .filter(|file| file.extension().is_some_and(|e| e == "json"));
        json.for_each(|file| self.read(file));
    }

    fn read(&mut self, file: &Path) {
        self.files += 1;
        if let Err(fault) = self.comes_back(file) {
            self.faults.push(format!("{}: {fault}", file.display()));
        }
    }

    /// A file's resources come back as they were, and a second time nothing is new.
    fn comes_back(&mut self, file: &Path) -> Result<(), String> {
        let given = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
        let expected = json::resources(&given);
        let touched = self.import(file)?;
        let exported: Vec<Vec<String>> = touched
            .iter()
            .map(|touched| self.exported(&touched.record))
            .collect();
        if let ([only], [exported]) = (touched.as_slice(), exported.as_slice())
            && only.new
        {
            same_in_order(&expected, exported)?;
            if expected.iter().any(|resource| json::is_patient(resource)) {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                self.people.insert(name.into_owned(), only.record.clone());
            }
        }
        let exported: Vec<&String> = exported.iter().flatten().collect();
        for resource in &expected {
            if !exported.contains(&resource) {
                return Err(format!("does not come back: {}", json::begin(resource)));
            }
        }
        self.nothing_new(file, &touched)
    }

    fn import(&mut self, file: &Path) -> Result<Vec<Touched>, String> {
        let ran = self.node.kith(["--json", "import", text(file)]);
        if ran.code != Some(0) {
            return Err(ran.to_string());
        }
        let imported = ran.json();
        let records: Vec<&Value> = match imported["records"].as_array() {
            Some(records) => records.iter().collect(),
            None => vec![&imported],
        };
        Ok(records
            .into_iter()
            .map(|record| self.touched(record))
            .collect())
    }

    fn touched(&self, filed: &Value) -> Touched {
        let record = filed["record"].as_str().unwrap_or_default().to_owned();
        let counts = filed["filed"].as_object().into_iter().flatten();
        Touched {
            new: !self.digests.contains_key(&record),
            filed: counts.filter_map(|(_, count)| count.as_u64()).sum(),
            record,
        }
    }

    fn exported(&self, record: &str) -> Vec<String> {
        let lines = self.node.ndjson(record);
        let lines = String::from_utf8(lines).expect("JSON is UTF-8");
        lines.lines().map(json::minified).collect()
    }

    /// The same file again adds nothing.
    fn nothing_new(&mut self, file: &Path, before: &[Touched]) -> Result<(), String> {
        for touched in before {
            let digest = self.node.digest(&touched.record);
            self.digests.insert(touched.record.clone(), digest);
        }
        for again in self.import(file)? {
            if again.filed > 0 {
                return Err(format!("filed {} resources again", again.filed));
            }
            let digest = self.node.digest(&again.record);
            if self.digests.get(&again.record) != Some(&digest) {
                return Err("another digest after the second import".to_owned());
            }
        }
        Ok(())
    }

    /// The summary of every person's record comes back without a change.
    fn summaries_come_back(&mut self) {
        for (name, record) in self.people.clone() {
            if let Err(fault) = self.summary_comes_back(&name, &record) {
                self.faults.push(format!("summary of {name}: {fault}"));
            }
        }
    }

    fn summary_comes_back(&mut self, name: &str, record: &str) -> Result<(), String> {
        let before = self.node.digest(record);
        let file = self.node.beside("summary.json");
        let words = ["export", record, "--as", "ips", "--out", text(&file)];
        let ran = self.node.kith(words);
        if ran.code != Some(0) {
            return Err(ran.to_string());
        }
        judged(name, &file);
        let ran = self.node.kith(["--json", "import", text(&file)]);
        if ran.code != Some(0) {
            return Err(ran.to_string());
        }
        let imported = ran.json();
        let nothing = imported["filed"]
            .as_object()
            .is_some_and(serde_json::Map::is_empty);
        if imported["record"] != record || !nothing || self.node.digest(record) != before {
            return Err(format!("changed something: {imported}"));
        }
        match imported["flagged"].as_array() {
            Some(flagged) if flagged.is_empty() => Ok(()),
            _ => Err(format!("flagged something: {}", imported["flagged"])),
        }
    }

    #[track_caller]
    fn ends(self, name: &str) {
        let files = self.files;
        eprintln!("{name}: {files} files, {} records", self.digests.len());
        assert!(files > 0, "{name} has no files");
        let faults = self.faults;
        assert!(
            faults.is_empty(),
            "{name}: {} of {files} files:\n{}",
            faults.len(),
            faults.join("\n")
        );
    }
}

/// Leaves a summary for the judges, where they want them.
fn judged(name: &str, file: &Path) {
    if let Some(folder) = std::env::var_os("KITH_JUDGED") {
        let folder = PathBuf::from(folder).join("summaries");
        let copied = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::copy(file, folder.join(format!("{name}.ips.json"))));
        copied.expect("the judges' folder can be written");
    }
}

fn same_in_order(expected: &[String], exported: &[String]) -> Result<(), String> {
    for (n, resource) in expected.iter().enumerate() {
        if exported.get(n) != Some(resource) {
            let came = exported.get(n).map_or("nothing", |came| json::begin(came));
            return Err(format!(
                "resource {n} was {} and is {came}",
                json::begin(resource)
            ));
        }
    }
    if exported.len() == expected.len() {
        return Ok(());
    }
    Err(format!(
        "{} resources became {}",
        expected.len(),
        exported.len()
    ))
}

/// Every file of a folder comes back.
#[track_caller]
fn folder_comes_back(name: &str) -> Option<Reader> {
    let data = data()?;
    let mut reader = Reader::new();
    reader.read_all(&data.join(name));
    Some(reader)
}

#[test]
fn our_own_samples() {
    let mut reader = Reader::new();
    reader.read(&sample("ips.json"));
    reader.read(&sample("sexual-health.json"));
    reader.summaries_come_back();
    assert_eq!(reader.people.len(), 2);
    reader.ends("samples");
}

#[test]
fn patient_summaries() {
    if let Some(mut reader) = folder_comes_back("ips") {
        reader.summaries_come_back();
        reader.ends("ips");
    }
}

#[test]
fn compiled_examples() {
    if let Some(reader) = folder_comes_back("compiled") {
        reader.ends("compiled");
    }
}

#[test]
fn whole_synthetic_lives() {
    if let Some(mut reader) = folder_comes_back("synthea-r4") {
        reader.summaries_come_back();
        reader.ends("synthea-r4");
    }
}

#[test]
fn patient_access_examples() {
    if let Some(reader) = folder_comes_back("ipa/examples") {
        reader.ends("ipa/examples");
    }
}

#[test]
fn forms() {
    if let Some(reader) = folder_comes_back("sdc") {
        reader.ends("sdc");
    }
}

#[test]
fn what_is_not_fhir() {
    if let Some(reader) = folder_comes_back("openehr") {
        reader.ends("openehr");
    }
}

#[test]
fn what_is_malformed_is_kept_and_named() {
    let node = Node::set_up("A reader", "practice");
    let file = node.file(
        "odd.json",
        r#"{"resourceType":"Patient","id":"has a space","name":[{"family":"Odd"}],"birthDate":null,"active":true,"active":false}"#,
    );
    let imported = node.json(["import", text(&file)]);
    let flagged = imported["flagged"].as_array().expect("a list of flags");
    for (place, what) in [("id", "id"), ("birthDate", "no value")] {
        let named = flagged.iter().any(|flag| {
            let says = |member: &str, words| {
                flag[member]
                    .as_str()
                    .is_some_and(|said| said.contains(words))
            };
            says("where", place) && says("what", what)
        });
        assert!(named, "{place} is not named: {imported}");
    }
    let record = imported["record"].as_str().expect("a record");
    let exported = String::from_utf8(node.ndjson(record)).expect("JSON is UTF-8");
    let given = std::fs::read_to_string(&file).expect("it was written");
    assert_eq!(exported.trim_end(), given);
}
