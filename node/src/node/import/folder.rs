//! A record's folder on its way back: checked first, then filed whole, into one record.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use kith_crdt::{
    Meta,
    classify::strictest,
    flag::Flag,
    incoming::{self, FileKind, Frame, Incoming, IncomingResource},
    person::Person,
    refile::SourceKey,
};
use kith_protocol::{
    id::RecordId,
    limits::{FOLDER_LEN_MAX, INLINE_ATTACHMENT_LEN_MAX},
};
use serde_json::json;

use super::{
    plan::{Filing, Plan, check_person, persons, several_fit},
    read::{FileRead, Found, Sorted, placed},
};
use crate::{
    api::Imported,
    failure::{Ending, Failure},
    folder::{self, About, Compared, JOURNAL, Listed},
    node::{Node, people::Known},
};

/// A folder, read.
pub(super) struct FolderRead {
    pub(super) about: About,
    pub(super) sorted: Sorted,
}

/// Reads a folder that kith wrote.
pub(super) fn read(path: &Path, even_if_changed: bool) -> FileRead {
    let mut flags = Vec::new();
    let found = read_checked(path, even_if_changed, &mut flags);
    FileRead {
        name: path.display().to_string(),
        flags,
        found: found.map(|read| Found::Folder(Box::new(read))),
    }
}

fn read_checked(
    path: &Path,
    even_if_changed: bool,
    flags: &mut Vec<Flag>,
) -> Result<FolderRead, Failure> {
    let compared = folder::compare(path)?;
    if !compared.agrees() && !even_if_changed {
        return Err(compared.refusal(path));
    }
    let differs = compared.differences().into_iter();
    flags.extend(differs.map(|(file, what)| Flag {
        place: format!("{}: {file}", path.display()),
        what,
    }));
    let about = About::read(path)?;
    let mut resources = Vec::with_capacity(about.resources.len());
    let mut labels = Vec::with_capacity(about.resources.len());
    let mut len = 0;
    for listed in &about.resources {
        if !compared.files.contains(&listed.file) {
            continue;
        }
        if listed.was_taken_back {
            flags.push(Flag {
                place: format!("{}: {}", path.display(), listed.file),
                what: "this was entered in error where the folder was written; it was not filed"
                    .to_owned(),
            });
            continue;
        }
        let bytes = folder::read(path, &listed.file)?;
        len += bytes.len() as u64;
        if len > FOLDER_LEN_MAX {
            return Err(too_long(path));
        }
        resources.push(resource(path, listed, &bytes)?);
        labels.push(listed.label());
    }
    let mut of_content = Vec::new();
    let mut sorted = placed(
        Incoming {
            kind: FileKind::Bundle("folder".to_owned()),
            resources,
            frames: Vec::new(),
        },
        &mut of_content,
    );
    flags.extend(of_content.into_iter().map(|mut flag| {
        flag.place = format!("{}: {}", path.display(), flag.place);
        flag
    }));
    // What was private there stays so, whatever the rules of this node say.
    for (document, label) in sorted.documents.iter_mut().zip(labels) {
        if let Some(label) = label {
            document.label = strictest([&document.label, &label]);
        }
    }
    sorted.frames = vec![frame(path, &about, &compared)?];
    Ok(FolderRead { about, sorted })
}

fn resource(path: &Path, listed: &Listed, bytes: &[u8]) -> Result<IncomingResource, Failure> {
    let entry = listed.entry.as_deref();
    incoming::one(bytes, entry, &listed.file, INLINE_ATTACHMENT_LEN_MAX).map_err(|error| {
        Failure::new(
            Ending::NotUnderstood,
            format!("{} in {} is not JSON.", listed.file, path.display()),
            "Get the folder again from where it was made. Nothing was filed.",
        )
        .because(&error)
    })
}

/// What is kept of the folder beside its resources: what it said of itself, what differed, and its
/// journal as it came.
fn frame(path: &Path, about: &About, compared: &Compared) -> Result<Frame, Failure> {
    let journal = match compared.files.contains(JOURNAL) {
        true => Some(folder::read(path, JOURNAL)?),
        false => None,
    };
    let differs: Vec<_> = compared.differences();
    let text = json!({"folder": {"record": about.record, "made": about.made, "by": about.by,
        "whole": about.whole, "differs": differs}});
    Ok(Frame {
        text: text.to_string(),
        original: journal.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    })
}

fn too_long(path: &Path) -> Failure {
    Failure::new(
        Ending::NotUnderstood,
        format!(
            "The resources in {} have more than {} MB.",
            path.display(),
            FOLDER_LEN_MAX >> 20
        ),
        "Ask for the record as a bundle file (kith export RECORD --as bundle). Nothing was filed.",
    )
}

impl Node {
    /// Plans a folder: all of it goes into one record.
    pub(super) fn plan_folder(
        &mut self,
        mut read: FolderRead,
        target: Option<RecordId>,
        same_person: bool,
        batch: (u64, u32),
        imported: &mut Imported,
    ) -> Result<Filing, Failure> {
        let people = persons(&read.sorted);
        one_person(&people)?;
        let own = self.people.iter().map(|(id, _)| *id);
        let own = own
            .into_iter()
            .find(|id| id.to_string() == read.about.record);
        let own = own.filter(|own| target.is_none_or(|target| target == *own));
        let record = match own.or(target) {
            Some(record) => Some(record),
            None => self.record_of_folder(&read.about, &people)?,
        };
        let known = record.and_then(|record| self.people.get(&record).cloned());
        let known = known.unwrap_or_else(|| Known {
            library: read.about.library,
            said: people.clone(),
        });
        let fits = people
            .iter()
            .find(|person| known.said.iter().any(|said| said.is_surely(person)))
            .or(people.first());
        let other = check_person(&known, fits.map_or(&[], std::slice::from_ref), same_person)?;
        let other = other.cloned();
        let (places, unchanged) = match own {
            Some(record) => self.new_in_folder(record, &read, imported)?,
            None => ((0..read.sorted.resources.len()).collect(), 0),
        };
        let frames = match own {
            Some(_) => Vec::new(),
            None => std::mem::take(&mut read.sorted.frames),
        };
        let mut plan = Plan::of(&mut self.rng, batch, &mut read.sorted);
        let mut filing = match other {
            Some(person) => {
                let known = Known {
                    library: false,
                    said: vec![person],
                };
                let mut filing = plan.filing(None, known, &places, &frames);
                filing.same_as = record;
                filing
            }
            None => plan.filing(record, known, &places, &frames),
        };
        filing.unchanged = unchanged;
        Ok(filing)
    }

    /// The record into which a folder of another one goes where nobody named it: the one of the
    /// same person; a new one where there is none.
    fn record_of_folder(
        &self,
        about: &About,
        people: &[Person],
    ) -> Result<Option<RecordId>, Failure> {
        if about.library {
            return Ok(self.people.library());
        }
        let Some(first) = people.first() else {
            return Err(Failure::new(
                Ending::NeedsPerson,
                "This folder does not say whose record it is: no Patient is in it.",
                "Decide whose it is and name the record with --record. Nothing was filed.",
            ));
        };
        let found: BTreeSet<_> = people
            .iter()
            .flat_map(|person| self.people.surely(person))
            .collect();
        match found.into_iter().collect::<Vec<_>>().as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            several => Err(several_fit(first, several)),
        }
    }

    /// What of a record's own folder is not in that record any more, and how much of it stands
    /// there as the folder has it. What the record says otherwise now is named and left: an older
    /// copy takes nothing back.
    fn new_in_folder(
        &mut self,
        record: RecordId,
        read: &FolderRead,
        imported: &mut Imported,
    ) -> Result<(Vec<usize>, usize), Failure> {
        let held = self.with_record(record, |node, record| node.read_all(record))?;
        let (mut texts, mut keys) = (BTreeMap::new(), BTreeSet::new());
        for held in held.iter().map(|placed| &placed.held) {
            let versions = held.siblings().map(|(_, versions)| versions.len()).max();
            for version in 0..versions.unwrap_or(1) {
                let text = held.to_text(version);
                keys.insert(SourceKey::of(&held.meta, || text.clone()));
                *texts.entry(text).or_insert(0_usize) += 1;
            }
        }
        let (mut places, mut unchanged) = (Vec::new(), 0);
        for (place, cut) in read.sorted.resources.iter().enumerate() {
            let meta = Meta {
                kind: cut.kind.clone(),
                entry: cut.entry.clone(),
                ..Meta::default()
            };
            match texts.get_mut(&cut.text) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    unchanged += 1;
                }
                Some(_) | None if keys.contains(&SourceKey::of(&meta, || cut.text.clone())) => {
                    imported.flagged.push(Flag {
                        place: cut.place.clone(),
                        what: "the record says something else of this now; it was not filed: look at both and add by hand what is right".to_owned(),
                    });
                }
                Some(_) | None => places.push(place),
            }
        }
        Ok((places, unchanged))
    }
}

/// A folder is of one record, and a record is about one person: each Patient in it must surely be
/// the same one as another.
fn one_person(people: &[Person]) -> Result<(), Failure> {
    let mut joined: Vec<&Person> = people.first().into_iter().collect();
    let mut left: Vec<&Person> = people.iter().skip(1).collect();
    loop {
        let (same, other): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|person| joined.iter().any(|known| known.is_surely(person)));
        if other.is_empty() {
            return Ok(());
        }
        if same.is_empty() {
            return Err(Failure::new(
                Ending::NeedsPerson,
                "The Patients in this folder are not surely one person, and a record is about one.",
                "Look at them. Each file can be imported by itself, into the record that is theirs. Nothing was filed.",
            ));
        }
        joined.extend(same);
        left = other;
    }
}
