//! How fast a node is: the same requests that people make, on generated records, in a folder that
//! is taken away again.
//!
//! Times are what a person waits: nothing is measured through another door than [`Node::handle`],
//! but the status of one large record, which is read from the store as a node reads it.

mod apps;
mod hl7;
mod measure;
mod pages;
mod station;
mod sync;
mod wire;

use std::path::PathBuf;

use kith_crdt::samples::sample_bundle;
use kith_protocol::record::Record;
use serde::Serialize;

use crate::{
    api::{
        Addition, BundleTo, ExportForm, ImportRequest, Keep, Leaving, NewPerson, NewStaff, Reply,
        Request,
    },
    failure::{Ending, Failure},
    home::{Home, Unlock},
    node::{Node, Role},
    place::{self, Place, bytes_below},
};

use measure::{Clock, Figures, median, peak_memory_kib};

/// The population of the generated records.
const SEED: u64 = 1;
/// Resources in each.
const RESOURCES: usize = 60;
/// Runs of what is cheap; their median counts.
const RUNS: usize = 5;
/// Records that are imported once more.
const AGAIN_MAX: u32 = 100;

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Files into records, and the same files again.
    Import,
    /// What it takes on the disk.
    Disk,
    /// One record shown, cold and warm.
    Show,
    /// One record given back in each form.
    Export,
    /// One record verified.
    Verify,
    /// The status of a record with many entries.
    Status,
    /// Somebody leaves a practice of many small records.
    Leaver,
    /// Two nodes catch up, in memory.
    Sync,
    /// Two nodes as processes of their own: all records for the first time, nothing new, one note.
    Wire,
    /// A hub with very many small records in common with another node.
    Hub,
    /// Pages of a long record, and of many while everybody clicks.
    Pages,
    /// Messages of many systems at once.
    Hl7,
    /// Apps that search for one person among many, over FHIR.
    Fhir,
}

impl Part {
    /// Every part, in the order in which they run.
    pub const ALL: [Self; 13] = [
        Self::Import,
        Self::Disk,
        Self::Show,
        Self::Export,
        Self::Verify,
        Self::Status,
        Self::Leaver,
        Self::Sync,
        Self::Wire,
        Self::Hub,
        Self::Pages,
        Self::Hl7,
        Self::Fhir,
    ];

    /// As people type it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Disk => "disk",
            Self::Show => "show",
            Self::Export => "export",
            Self::Verify => "verify",
            Self::Status => "status",
            Self::Leaver => "leaver",
            Self::Sync => "sync",
            Self::Wire => "wire",
            Self::Hub => "hub",
            Self::Pages => "pages",
            Self::Hl7 => "hl7",
            Self::Fhir => "fhir",
        }
    }

    /// Whether it needs the files of the large population.
    const fn is_of_files(self) -> bool {
        match self {
            Self::Import | Self::Disk | Self::Show | Self::Export | Self::Verify | Self::Wire => {
                true
            }
            Self::Status
            | Self::Leaver
            | Self::Sync
            | Self::Hub
            | Self::Pages
            | Self::Hl7
            | Self::Fhir => false,
        }
    }
}

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Size {
    /// Records that are imported.
    pub records: u32,
    /// Entries of the one large record.
    pub entries: u32,
    /// Small records of the practice that somebody leaves.
    pub people: u32,
    /// One part, or all.
    pub only: Option<Part>,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// How much.
    pub value: f64,
    /// In which unit.
    pub unit: &'static str,
    /// What it should stay under, in the same unit, at the size of the benchmark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aim: Option<f64>,
}

/// Measures, and says after each part what is being done.
pub fn run(size: &Size, doing: &mut dyn FnMut(&str)) -> Result<Vec<Figure>, Failure> {
    let place = Place::new("bench")?;
    let mut bench = Bench {
        home: Home::at(place.folder().join("home")),
        place,
        size: size.clone(),
        figures: Figures::default(),
    };
    Node::set_up(&bench.home, "Bench", Role::Practice, &Unlock::KeyFile)?;
    let wanted = |part| size.only.is_none_or(|only| only == part);
    let mut files = None;
    if Part::ALL
        .into_iter()
        .any(|part| part.is_of_files() && wanted(part))
    {
        doing("making records");
        let files = files.insert(bench.make_files()?);
        if Part::ALL
            .into_iter()
            .any(|part| part.is_of_files() && part != Part::Wire && wanted(part))
        {
            doing("importing");
            let records = bench.import(files)?;
            let record = middle(&records)?;
            for part in Part::ALL.into_iter().filter(|part| wanted(*part)) {
                if part.is_of_files() && part != Part::Wire {
                    doing(part.name());
                }
                match part {
                    Part::Import => bench.import_again(files)?,
                    Part::Disk => bench.disk(files)?,
                    Part::Show => bench.show(&record)?,
                    Part::Export => bench.export(&record)?,
                    Part::Verify => bench.verify(&record)?,
                    Part::Status
                    | Part::Leaver
                    | Part::Sync
                    | Part::Wire
                    | Part::Hub
                    | Part::Pages
                    | Part::Hl7
                    | Part::Fhir => {}
                }
            }
        }
    }
    if wanted(Part::Status) {
        doing(Part::Status.name());
        bench.status()?;
    }
    if wanted(Part::Leaver) {
        doing(Part::Leaver.name());
        bench.leaver()?;
    }
    if wanted(Part::Sync) {
        doing(Part::Sync.name());
        bench.sync()?;
    }
    if let Some(files) = files.filter(|_| wanted(Part::Wire)) {
        doing(Part::Wire.name());
        bench.wire(&files)?;
    }
    if wanted(Part::Hub) {
        doing(Part::Hub.name());
        bench.hub()?;
    }
    if wanted(Part::Pages) {
        doing(Part::Pages.name());
        bench.pages()?;
    }
    if wanted(Part::Hl7) {
        doing(Part::Hl7.name());
        bench.hl7()?;
    }
    if wanted(Part::Fhir) {
        doing(Part::Fhir.name());
        bench.fhir()?;
    }
    Ok(bench.figures.0)
}

struct Bench {
    home: Home,
    place: Place,
    size: Size,
    figures: Figures,
}

struct Files {
    paths: Vec<PathBuf>,
    len: u64,
}

impl Bench {
    fn make_files(&self) -> Result<Files, Failure> {
        let folder = self.place.folder().join("input");
        std::fs::create_dir(&folder).map_err(|error| place::failure(&error))?;
        let mut files = Files {
            paths: Vec::new(),
            len: 0,
        };
        for number in 0..self.size.records {
            let text = sample_bundle(SEED, number, RESOURCES);
            let path = folder.join(format!("{number:06}.json"));
            std::fs::write(&path, &text).map_err(|error| place::failure(&error))?;
            files.len += text.len() as u64;
            files.paths.push(path);
        }
        Ok(files)
    }

    fn import(&mut self, files: &Files) -> Result<Vec<String>, Failure> {
        let mut node = self.open()?;
        let clock = Clock::start();
        let records = import(&mut node, &files.paths)?;
        let took = clock.stop();
        drop(node);
        let megabytes = megabytes(files.len);
        let (records_n, all) = (f64::from(self.size.records), self.size.records == 1000);
        let figures = &mut self.figures;
        figures.note("import: JSON", megabytes, "MB");
        figures.aim("import: time", took.wall_s, "s", all.then_some(6.0));
        figures.note("import: processor time", took.processor_s, "s");
        figures.note("import: JSON a second", megabytes / took.wall_s, "MB/s");
        figures.note("import: records a second", records_n / took.wall_s, "1/s");
        if let Some(kib) = peak_memory_kib() {
            figures.note("import: most memory so far", kib / 1024.0, "MiB");
        }
        Ok(records)
    }

    fn import_again(&mut self, files: &Files) -> Result<(), Failure> {
        let mut node = self.open()?;
        let n = self.size.records.min(AGAIN_MAX);
        let clock = Clock::start();
        let again = files.paths.iter().take(n as usize);
        import(&mut node, &again.cloned().collect::<Vec<_>>())?;
        let each = clock.stop().wall_s * 1000.0 / f64::from(n);
        self.figures.note("import again: a record", each, "ms");
        Ok(())
    }

    fn disk(&mut self, files: &Files) -> Result<(), Failure> {
        let store = self.home.folder().join("store");
        let json = megabytes(files.len);
        let mut total = 0.0;
        for (part, path) in [
            ("segments", "log"),
            ("index", "index.redb"),
            ("blobs", "blobs"),
        ] {
            let len = megabytes(bytes_below(&store.join(path))?);
            total += len;
            self.figures.note(&format!("disk: {part}"), len, "MB");
            self.figures
                .note(&format!("disk: {part} of the JSON"), len / json, "");
        }
        self.figures
            .aim("disk: all of the JSON", total / json, "", Some(0.4));
        Ok(())
    }

    fn show(&mut self, record: &str) -> Result<(), Failure> {
        let show = |node: &mut Node| {
            ask(
                node,
                Request::Show {
                    record: record.to_owned(),
                },
            )
        };
        let mut opening = Vec::new();
        let mut cold = Vec::new();
        for _ in 0..RUNS {
            let clock = Clock::start();
            let mut node = self.open()?;
            opening.push(clock.stop().wall_s * 1000.0);
            let clock = Clock::start();
            show(&mut node)?;
            cold.push(clock.stop().wall_s * 1000.0);
        }
        let mut node = self.open()?;
        show(&mut node)?;
        let warm = self.times(|| show(&mut node).map(drop))?;
        let timeline = self.times(|| {
            let record = record.to_owned();
            ask(&mut node, Request::Timeline { record }).map(drop)
        })?;
        let figures = &mut self.figures;
        figures.note("open the node", median(opening), "ms");
        figures.aim("show one record, cold", median(cold), "ms", Some(20.0));
        figures.note("show one record, warm", warm, "ms");
        figures.note("timeline, warm", timeline, "ms");
        Ok(())
    }

    fn export(&mut self, record: &str) -> Result<(), Failure> {
        let mut node = self.open()?;
        for (name, form) in [("ndjson", ExportForm::Ndjson), ("ips", ExportForm::Ips)] {
            let ms = self.times(|| {
                let (record, form) = (record.to_owned(), form.clone());
                ask(&mut node, Request::Export { record, form }).map(drop)
            })?;
            self.figures.note(&format!("export as {name}"), ms, "ms");
        }
        self.bundle(&mut node, record)
    }

    fn bundle(&mut self, node: &mut Node, record: &str) -> Result<(), Failure> {
        let path = self.place.folder().join("record.kith");
        let form = ExportForm::Bundle {
            path: path.clone(),
            to: BundleTo::Anyone,
        };
        let clock = Clock::start();
        let record = record.to_owned();
        ask(node, Request::Export { record, form })?;
        let wrote = clock.stop().wall_s * 1000.0;
        let other = Home::at(self.place.folder().join("other"));
        Node::set_up(&other, "Other", Role::Practice, &Unlock::KeyFile)?;
        let mut reader = Node::open(&other, &Unlock::KeyFile)?;
        let clock = Clock::start();
        import(&mut reader, &[path])?;
        let read = clock.stop().wall_s * 1000.0;
        self.figures.note("bundle file: write", wrote, "ms");
        self.figures
            .note("bundle file: import elsewhere", read, "ms");
        Ok(())
    }

    fn verify(&mut self, record: &str) -> Result<(), Failure> {
        let mut node = self.open()?;
        let ms = self.times(|| {
            let (what, passphrase) = (record.to_owned(), None);
            ask(&mut node, Request::Verify { what, passphrase }).map(drop)
        })?;
        self.figures.note("verify one record", ms, "ms");
        Ok(())
    }

    /// A record that grew entry by entry, as records do; each was durable before the next began.
    fn status(&mut self) -> Result<(), Failure> {
        let mut node = self.open()?;
        let person = NewPerson {
            family: "Many".to_owned(),
            ..NewPerson::default()
        };
        let Reply::RecordNew(begun) = ask(&mut node, Request::RecordNew(person))? else {
            return Err(odd());
        };
        let mut took = Vec::new();
        for n in 0..self.size.entries {
            let request = Request::Add {
                record: begun.record.clone(),
                what: addition(n),
                staff: None,
            };
            let clock = Clock::start();
            ask(&mut node, request)?;
            took.push(clock.stop().wall_s * 1000.0);
        }
        let last = took.split_off(took.len().saturating_sub(100));
        drop(node);
        let entries = self.size.entries;
        let load = self.load_and_judge(&begun.record)?;
        let figures = &mut self.figures;
        let name = |what: &str| format!("record with {entries} entries: {what}");
        figures.note(&name("load"), load.0, "ms");
        figures.note(&name("status of every entry"), load.1, "ms");
        figures.note(&name("add one more, durable"), median(last), "ms");
        Ok(())
    }

    /// A practice of its own, with one small record for each person.
    fn leaver(&mut self) -> Result<(), Failure> {
        let home = Home::at(self.place.folder().join("practice"));
        Node::set_up(&home, "Practice", Role::Practice, &Unlock::KeyFile)?;
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let entered = NewStaff {
            name: "Leaver".to_owned(),
            role: "nurse".to_owned(),
            may: "see,add".to_owned(),
            until: None,
        };
        ask(&mut node, Request::StaffAdd(entered))?;
        let mut last = String::new();
        let clock = Clock::start();
        for n in 0..self.size.people {
            let person = NewPerson {
                family: format!("Person {n}"),
                ..NewPerson::default()
            };
            let Reply::RecordNew(begun) = ask(&mut node, Request::RecordNew(person))? else {
                return Err(odd());
            };
            last = begun.record;
        }
        let each = clock.stop().processor_s * 1000.0 / f64::from(self.size.people.max(1));
        // As after a restart: nothing of it is in memory.
        drop(node);
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let leaving = Leaving {
            who: "Leaver".to_owned(),
            keep: Keep::All,
        };
        let clock = Clock::start();
        let Reply::Left(left) = ask(&mut node, Request::StaffEnd(leaving))? else {
            return Err(odd());
        };
        let took = clock.stop();
        drop(node);
        let mut node = Node::open(&home, &Unlock::KeyFile)?;
        let clock = Clock::start();
        ask(&mut node, Request::Show { record: last })?;
        let shown = clock.stop().wall_s * 1000.0;
        self.figures
            .note("a new small record: processor time", each, "ms");
        let aim = (self.size.people == 12_000).then_some(100.0);
        let name = format!("somebody leaves, {} records", left.records);
        self.figures.aim(&name, took.wall_s * 1000.0, "ms", aim);
        let processor = took.processor_s * 1000.0;
        self.figures
            .note(&format!("{name}: processor time"), processor, "ms");
        self.figures
            .note("one of these records shown after a restart", shown, "ms");
        Ok(())
    }

    fn load_and_judge(&self, record: &str) -> Result<(f64, f64), Failure> {
        let device = self.open()?.device();
        let store = self.home.open(&Unlock::KeyFile)?;
        let id = kith_protocol::id::RecordId::from_hex(record).ok_or_else(odd)?;
        let clock = Clock::start();
        let mut record = Record::load(&store, id, device)?;
        let load = clock.stop().wall_s * 1000.0;
        let clock = Clock::start();
        let ledger = record.ledger();
        let judged: usize = ledger
            .documents()
            .iter()
            .map(|document| ledger.entries(document).len())
            .sum();
        let judge = clock.stop().wall_s * 1000.0;
        tracing::debug!(judged, "every entry of the large record has a status");
        Ok((load, judge))
    }

    /// The median time of a few runs, milliseconds.
    fn times(&self, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let clock = Clock::start();
            work()?;
            times.push(clock.stop().wall_s * 1000.0);
        }
        Ok(median(times))
    }

    fn open(&self) -> Result<Node, Failure> {
        Node::open(&self.home, &Unlock::KeyFile)
    }
}

fn ask(node: &mut Node, request: Request) -> Result<Reply, Failure> {
    node.handle(request, &mut |_| {})
}

/// Imports files, each of which has to be taken in whole.
fn import(node: &mut Node, paths: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let request = ImportRequest {
        paths: paths.to_vec(),
        ..ImportRequest::default()
    };
    let Reply::Imported(imported) = ask(node, Request::Import(request))? else {
        return Err(odd());
    };
    match imported.refused.into_iter().next() {
        Some(refused) => Err(refused.failure),
        None => Ok(imported
            .records
            .into_iter()
            .map(|filed| filed.record)
            .collect()),
    }
}

/// The things that are added in turn: they go into several documents.
fn addition(n: u32) -> Addition {
    match n % 4 {
        0 => Addition::Note(format!("Note {n}")),
        1 => Addition::Reading {
            what: "pulse".to_owned(),
            value: (60 + n % 40).to_string(),
            unit: None,
        },
        2 => Addition::Medicine {
            name: format!("Paracetamol {n} mg"),
            dose: None,
        },
        _ => Addition::Task {
            what: format!("Call {n}"),
            by: None,
        },
    }
}

fn middle(records: &[String]) -> Result<String, Failure> {
    records.get(records.len() / 2).cloned().ok_or_else(odd)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

fn odd() -> Failure {
    Failure::new(
        Ending::Failed,
        "The benchmark did not get the answer that it measures.",
        "Ask for at least one record and one entry; else this is a fault of kith.",
    )
}
