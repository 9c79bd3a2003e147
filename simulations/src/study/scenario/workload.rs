//! What happens to patients.

use std::path::{Path, PathBuf};

use kith_crdt::Section;

use super::{
    Names,
    baseline::section_named,
    find,
    number::{Number, Numbers, Unit},
    problem::Problems,
    table::Table,
    word,
};

/// A fall or an admission, from the first call to the first visit at the practice afterwards.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who notices it and writes it down, if anybody does.
    pub noticed_by: Option<usize>,
    /// Who comes; nobody for an admission that was planned.
    pub called: Option<usize>,
    /// Until they are there, minutes.
    pub arrives: Number,
    /// The share that is taken to hospital.
    pub conveyed: Number,
    /// Where to.
    pub admits: usize,
    /// How long they stay, days.
    pub stay: Number,
    /// The share of stays that change the medicines.
    pub changes: Number,
    /// The share of those changes after which acting on the list of before is wrong.
    pub material: Number,
    /// Who looks at the medicines afterwards.
    pub followed_by: Vec<usize>,
    /// After how many days.
    pub follow_up: Number,
}

/// A pathway, by what its parameters are.
#[derive(Clone, Debug)]
pub enum Pathway {
    /// A plan for emergencies near the end of life, and the calls at which it is needed.
    EndOfLife {
        /// Who writes it.
        author: usize,
        /// Who writes it anew.
        reviser: usize,
        /// How often a year.
        revisions: Number,
        /// The share of new versions after which acting on an older one is wrong.
        material: Number,
        /// How often a year somebody is called.
        crises: Number,
        /// Who is called.
        called: usize,
        /// Until they are there, minutes.
        arrives: Number,
        /// Where patients are taken.
        admits: usize,
        /// The share that is taken there.
        conveyed: Number,
        /// How long after the first plan the patient lives, days.
        lives: Number,
        /// Within how many days from the beginning the first plan is made.
        begins: Number,
    },
    /// A fall, or an admission that was planned.
    Visit(Visit),
    /// Something is asked for, and the result comes back.
    Order {
        /// Who asks.
        orderer: usize,
        /// Who answers.
        performer: usize,
        /// Until the result is there, hours.
        turnaround: Number,
        /// Until somebody looks for it, hours after the order.
        looks: Number,
    },
    /// What one shift tells the next, which may be another organisation.
    HandOver {
        /// Who hands over.
        from: usize,
        /// Who takes over.
        to: usize,
        /// How long until those who take over look, minutes.
        looks: Number,
    },
    /// Somebody is watched at home from afar.
    VirtualWard {
        /// Whose device measures.
        measures: usize,
        /// Who watches.
        watches: usize,
        /// How many readings a day.
        readings: Number,
        /// How many bytes is one.
        reading: Number,
        /// How often a day somebody looks.
        looks: Number,
        /// How long, days.
        stay: Number,
    },
    /// What is written and read now and then.
    Routine {
        /// Who writes.
        writer: usize,
        /// Who reads.
        readers: Vec<usize>,
        /// What.
        section: Section,
        /// How often a year each of the readers looks.
        reads: Number,
        /// How many bytes an entry is.
        entry: Number,
    },
    /// A file in which everything stands.
    Events(EventsFile),
}

/// What somebody does, in a file of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Writes an entry.
    Write,
    /// Writes an entry of which all have to be told.
    Notice,
    /// Needs to know.
    Read,
}

/// One line of a file of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which patient, from 0 on.
    pub patient: u32,
    /// When, milliseconds from the beginning.
    pub at_ms: u64,
    /// Who.
    pub kind: usize,
    /// What they do.
    pub what: RowKind,
    /// In which section.
    pub section: Section,
    /// How many bytes.
    pub len: u32,
}

/// A file of events, sorted by patient and time.
#[derive(Clone, Debug, PartialEq)]
pub struct EventsFile {
    /// Where it was read.
    pub path: PathBuf,
    /// What stands in it.
    pub rows: Vec<Row>,
}

/// A pathway and who is on it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// The share of patients who are on it.
    pub share: Number,
    /// How often a year it begins; for end of life and files it begins once.
    pub rate: Number,
    /// The groups whose members are on it; all where there are none.
    pub groups: Vec<usize>,
    /// The pathway.
    pub pathway: Pathway,
}

const PATHWAYS: [(&str, u8); 9] = [
    ("end-of-life", 0),
    ("fall", 1),
    ("admission", 2),
    ("order-to-result", 3),
    ("hand-over", 4),
    ("virtual-ward", 5),
    ("routine", 6),
    ("events", 7),
    ("fhir", 8),
];

pub(super) fn workloads(
    table: &mut Table<'_>,
    (numbers, folder): (&mut Numbers, Option<&Path>),
    names: &Names,
    problems: &mut Problems<'_>,
) -> Vec<Workload> {
    let mut found = Vec::new();
    for mut one in table.tables("workload", problems) {
        if one.get("pathway").is_none() {
            let words: Vec<_> = PATHWAYS.iter().map(|(word, _)| *word).collect();
            one.missing(
                "pathway",
                &format!("pathway = one of {}", words.join(", ")),
                problems,
            );
        }
        let Some(kind) = word(&mut one, "pathway", &PATHWAYS, problems) else {
            continue;
        };
        let name = one.text("name", problems);
        let name = name.unwrap_or_else(|| PATHWAYS[usize::from(kind)].0.to_owned());
        let prefix = format!("workload.{name}");
        let share = numbers.read(&mut one, (&prefix, "share"), Unit::Share, 1.0, problems);
        let rate = numbers.read(
            &mut one,
            (&prefix, "per_year"),
            Unit::PerYear,
            1.0,
            problems,
        );
        let groups = one.texts("groups", problems).unwrap_or_default();
        let groups = groups
            .iter()
            .filter_map(|group| find(group, &names.groups, "group", problems));
        let groups = groups.collect();
        let mut reading = Reading {
            one: &mut one,
            prefix: &prefix,
            numbers,
            names,
        };
        let pathway = reading.pathway(kind, folder, problems);
        one.end(problems);
        if let Some(pathway) = pathway {
            found.push(Workload {
                name,
                share,
                rate,
                groups,
                pathway,
            });
        }
    }
    found
}

struct Reading<'a, 'b> {
    one: &'a mut Table<'b>,
    prefix: &'a str,
    numbers: &'a mut Numbers,
    names: &'a Names,
}

impl Reading<'_, '_> {
    fn kind(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Option<usize> {
        let said = self.one.needed_text(key, problems)?;
        find(&said, &self.names.organisations, "organisation", problems)
    }

    fn perhaps(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Option<usize> {
        self.one.get(key)?;
        self.kind(key, problems)
    }

    fn kinds(&mut self, key: &'static str, problems: &mut Problems<'_>) -> Vec<usize> {
        let said = self.one.texts(key, problems).unwrap_or_default();
        said.iter()
            .filter_map(|kind| find(kind, &self.names.organisations, "organisation", problems))
            .collect()
    }

    fn number(
        &mut self,
        key: &'static str,
        unit: Unit,
        default: f64,
        problems: &mut Problems<'_>,
    ) -> Number {
        self.numbers
            .read(self.one, (self.prefix, key), unit, default, problems)
    }

    fn pathway(
        &mut self,
        kind: u8,
        folder: Option<&Path>,
        problems: &mut Problems<'_>,
    ) -> Option<Pathway> {
        match kind {
            0 => self.end_of_life(problems),
            1 | 2 => self.visit(kind == 1, problems).map(Pathway::Visit),
            3 => {
                let orderer = self.kind("orderer", problems);
                let performer = self.kind("performer", problems);
                let turnaround = self.number("turnaround_hours", Unit::Hours, 24.0, problems);
                let looks = self.number("looks_after_hours", Unit::Hours, 72.0, problems);
                Some(Pathway::Order {
                    orderer: orderer?,
                    performer: performer?,
                    turnaround,
                    looks,
                })
            }
            4 => {
                let from = self.kind("from", problems);
                let to = self.kind("to", problems);
                let looks = self.number("looks_after_minutes", Unit::Minutes, 30.0, problems);
                Some(Pathway::HandOver {
                    from: from?,
                    to: to?,
                    looks,
                })
            }
            5 => {
                let measures = self.kind("measures", problems);
                let watches = self.kind("watches", problems);
                let readings = self.number("readings_per_day", Unit::PerDay, 24.0, problems);
                let reading = self.number("reading_bytes", Unit::Bytes, 400.0, problems);
                let looks = self.number("looks_per_day", Unit::PerDay, 3.0, problems);
                let stay = self.number("stay_days", Unit::Days, 10.0, problems);
                Some(Pathway::VirtualWard {
                    measures: measures?,
                    watches: watches?,
                    readings,
                    reading,
                    looks,
                    stay,
                })
            }
            6 => {
                let writer = self.kind("writer", problems);
                let readers = self.kinds("readers", problems);
                let section = self.one.needed_text("section", problems);
                let section = section.and_then(|section| section_named(&section, problems));
                let reads = self.number("reads_per_year", Unit::PerYear, 1.0, problems);
                let entry = self.number("entry_bytes", Unit::Bytes, 800.0, problems);
                Some(Pathway::Routine {
                    writer: writer?,
                    readers,
                    section: section?,
                    reads,
                    entry,
                })
            }
            7 => self.events(folder, problems).map(Pathway::Events),
            _ => self.bundles(folder, problems).map(Pathway::Events),
        }
    }

    fn end_of_life(&mut self, problems: &mut Problems<'_>) -> Option<Pathway> {
        let author = self.kind("author", problems);
        let reviser = self.perhaps("reviser", problems).or(author);
        let called = self.kind("called", problems);
        let admits = self.kind("admits", problems);
        let revisions = self.number("revisions_per_year", Unit::PerYear, 1.0, problems);
        let material = self.number("material", Unit::Share, 0.0, problems);
        let crises = self.number("crises_per_year", Unit::PerYear, 2.0, problems);
        let arrives = self.number("arrives_minutes", Unit::Minutes, 28.0, problems);
        let conveyed = self.number("conveyed", Unit::Share, 0.5, problems);
        let lives = self.number("lives_days", Unit::Days, 200.0, problems);
        let begins = self.number("begins_within_days", Unit::Days, 30.0, problems);
        Some(Pathway::EndOfLife {
            author: author?,
            reviser: reviser?,
            revisions,
            material,
            crises,
            called: called?,
            arrives,
            admits: admits?,
            conveyed,
            lives,
            begins,
        })
    }

    fn visit(&mut self, is_fall: bool, problems: &mut Problems<'_>) -> Option<Visit> {
        let noticed_by = self.perhaps("noticed_by", problems);
        let called = if is_fall {
            Some(self.kind("called", problems)?)
        } else {
            None
        };
        let admits = self.kind("admits", problems);
        let arrives = self.number("arrives_minutes", Unit::Minutes, 28.0, problems);
        let conveyed = self.number("conveyed", Unit::Share, 1.0, problems);
        let stay = self.number("stay_days", Unit::Days, 7.0, problems);
        let changes = self.number("changes_medicines", Unit::Share, 1.0, problems);
        let material = self.number("material", Unit::Share, 0.0, problems);
        let followed_by = self.kinds("followed_by", problems);
        let follow_up = self.number("follow_up_days", Unit::Days, 7.0, problems);
        Some(Visit {
            noticed_by,
            called,
            arrives,
            conveyed,
            admits: admits?,
            stay,
            changes,
            material,
            followed_by,
            follow_up,
        })
    }

    /// The file that a key names: its path, whether it is to be read, and where the key stands.
    fn file(
        &mut self,
        folder: Option<&Path>,
        problems: &mut Problems<'_>,
    ) -> Option<(PathBuf, bool, usize)> {
        let (name, at) = self.one.needed_text("file", problems)?;
        let Some(folder) = folder else {
            return Some((PathBuf::from(name), false, at));
        };
        let path = folder.join(&name);
        if !path.exists() {
            let said = format!("there is no {}", path.display());
            let seen_from = folder.display();
            let instead = format!("put it there, or write the path as seen from `{seen_from}`");
            problems.add(at, said, instead);
            return None;
        }
        Some((path, true, at))
    }

    fn events(&mut self, folder: Option<&Path>, problems: &mut Problems<'_>) -> Option<EventsFile> {
        let (path, reads, at) = self.file(folder, problems)?;
        let read = if reads {
            std::fs::read_to_string(&path)
                .map_err(|error| (error.to_string(), "write a text file".to_owned()))
                .and_then(|text| crate::study::events::rows(&text, &self.names.organisations))
        } else {
            Ok(Vec::new())
        };
        Self::told(path, at, read, problems)
    }

    fn bundles(
        &mut self,
        folder: Option<&Path>,
        problems: &mut Problems<'_>,
    ) -> Option<EventsFile> {
        let (path, reads, at) = self.file(folder, problems)?;
        let writer = self.kind("writer", problems)?;
        let reader = self.kind("reader", problems)?;
        let read = if reads {
            crate::study::fhir::rows(&path, writer, reader)
        } else {
            Ok(Vec::new())
        };
        Self::told(path, at, read, problems)
    }

    fn told(
        path: PathBuf,
        at: usize,
        read: Result<Vec<Row>, (String, String)>,
        problems: &mut Problems<'_>,
    ) -> Option<EventsFile> {
        match read {
            Ok(rows) => Some(EventsFile { path, rows }),
            Err((what, instead)) => {
                problems.add(at, format!("{}: {what}", path.display()), instead);
                None
            }
        }
    }
}
