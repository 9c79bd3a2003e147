//! A folder against its own index: what was changed, is missing or was added.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{JOURNAL, README, SUMS, journal, tree};
use crate::failure::{Ending, Failure};

/// How many names are written out in a sentence.
const NAMED_MAX: usize = 20;

/// What a folder has, against what it says that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    /// Every file that is there.
    pub(crate) files: BTreeSet<String>,
    /// Files whose bytes are others.
    pub(crate) changed: Vec<String>,
    /// Files that are not there.
    pub(crate) missing: Vec<String>,
    /// Files that the folder does not name.
    pub(crate) added: Vec<String>,
    /// Where the journal is not one chain, or knows another text of a file.
    pub(crate) journal: Vec<String>,
}

impl Compared {
    /// Whether the folder is as it was written.
    pub(crate) fn agrees(&self) -> bool {
        self.changed.is_empty()
            && self.missing.is_empty()
            && self.added.is_empty()
            && self.journal.is_empty()
    }

    /// Each thing that differs: the file, and what is the matter with it.
    pub(crate) fn differences(&self) -> Vec<(String, String)> {
        let said = |names: &[String], what: &str| -> Vec<(String, String)> {
            names
                .iter()
                .map(|name| (name.clone(), what.to_owned()))
                .collect()
        };
        let mut all = said(&self.changed, "was changed since the folder was written");
        all.extend(said(&self.missing, "is missing"));
        all.extend(said(&self.added, "was added since the folder was written"));
        let journal = self.journal.iter();
        all.extend(journal.map(|fault| (JOURNAL.to_owned(), fault.clone())));
        all
    }

    /// The same in a sentence.
    pub(crate) fn sentence(&self) -> String {
        let all = self.differences();
        let mut named: Vec<_> = all
            .iter()
            .take(NAMED_MAX)
            .map(
                |(file, what)| match file == JOURNAL && self.journal.contains(what) {
                    true => what.clone(),
                    false => format!("{file} {what}"),
                },
            )
            .collect();
        if all.len() > NAMED_MAX {
            named.push(format!("and {} more", all.len() - NAMED_MAX));
        }
        named.join("; ")
    }

    /// What is said when nothing is taken from it.
    pub(crate) fn refusal(&self, folder: &Path) -> Failure {
        Failure::new(
            Ending::NeedsPerson,
            format!(
                "{} is not as it was written: {}.",
                folder.display(),
                self.sentence()
            ),
            "Get the folder again from where it was made. Where somebody has looked at what differs, --even-if-changed files what is there all the same and names it. Nothing was filed.",
        )
    }
}

/// Compares a folder with its index and its journal.
///
/// # Errors
/// When it cannot be read, or holds what cannot be in such a folder.
pub(crate) fn compare(folder: &Path) -> Result<Compared, Failure> {
    let mut compared = Compared {
        files: tree::walk(folder)?,
        ..Compared::default()
    };
    let sums = match compared.files.contains(SUMS) {
        true => sums(&text_of(folder, SUMS)?)?,
        false => {
            compared
                .missing
                .push(format!("{SUMS} (the hashes of all files)"));
            BTreeMap::new()
        }
    };
    for (name, sum) in &sums {
        if !compared.files.contains(name) {
            compared.missing.push(name.clone());
        } else if tree::sum_of(&folder.join(name))? != *sum {
            compared.changed.push(name.clone());
        }
    }
    let unnamed = compared
        .files
        .iter()
        .filter(|name| !sums.is_empty() && *name != SUMS && !sums.contains_key(name.as_str()));
    compared.added = unnamed.cloned().collect();
    if compared.files.contains(JOURNAL) {
        let text = text_of(folder, JOURNAL)?;
        let (touched, faults) = journal::check(&text);
        compared.journal = faults;
        compared.journal.extend(otherwise(&touched, &sums));
    }
    Ok(compared)
}

/// Files of which the journal knows another hash than the index, and resources that it does not
/// know: somebody who changed both a file and the index is found by it.
fn otherwise(touched: &[journal::Touched], sums: &BTreeMap<String, String>) -> Vec<String> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let mut faults = BTreeSet::new();
    for touched in touched {
        known.insert(&touched.file, &touched.sha256);
        let sum = sums.get(&touched.file);
        if sum.is_some_and(|sum| *sum != touched.sha256) {
            faults.insert(format!(
                "the journal knows another text of {}",
                touched.file
            ));
        }
    }
    let resources = sums.keys().filter(|name| name.starts_with("resources/"));
    faults.extend(
        resources
            .filter(|name| !known.contains_key(name.as_str()))
            .map(|name| format!("the journal does not know {name}")),
    );
    faults.into_iter().collect()
}

fn text_of(folder: &Path, name: &str) -> Result<String, Failure> {
    let bytes = tree::bytes_of(&folder.join(name))?;
    String::from_utf8(bytes).map_err(|error| not_understood(name).because(&error))
}

/// Hashes by file, from lines as `sha256sum` writes them.
fn sums(text: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut sums = BTreeMap::new();
    for line in text.lines() {
        let (sum, name) = line.split_once("  ").ok_or_else(|| not_understood(SUMS))?;
        tree::checked(name)?;
        if sums.insert(name.to_owned(), sum.to_owned()).is_some() {
            return Err(not_understood(SUMS));
        }
    }
    if sums.contains_key(README) {
        Ok(sums)
    } else {
        Err(not_understood(SUMS))
    }
}

fn not_understood(name: &str) -> Failure {
    Failure::new(
        Ending::NotUnderstood,
        format!("{name} of this folder is not as kith writes it."),
        "Get the folder again from where it was made. Nothing was filed.",
    )
}

#[cfg(test)]
mod tests {
    use super::{JOURNAL, README, SUMS, compare};
    use crate::folder::{ABOUT, Draft, Journal, Line, Touched, sha256};

    const RESOURCE: &str = "resources/medicines/general/Medication-1.json";

    fn written() -> (tempfile::TempDir, std::path::PathBuf) {
        let beside = tempfile::tempdir().expect("a folder");
        let folder = beside.path().join("record");
        let mut draft = Draft::begin(&folder).expect("room");
        for (name, text) in [(README, "read me"), (ABOUT, "{}"), (RESOURCE, "{\"a\":1}")] {
            draft.write(name, text.as_bytes()).expect("room");
        }
        let mut journal = Journal::default();
        let added = vec![Touched {
            file: RESOURCE.to_owned(),
            sha256: sha256(b"{\"a\":1}"),
        }];
        journal.add(Line {
            added,
            ..Line::default()
        });
        draft
            .write(JOURNAL, journal.into_text().as_bytes())
            .expect("room");
        draft.finish(&folder, false).expect("room");
        (beside, folder)
    }

    #[test]
    fn what_was_changed_is_missing_or_was_added_is_named() {
        let (_beside, folder) = written();
        assert!(compare(&folder).expect("a folder").agrees());

        std::fs::write(folder.join(RESOURCE), "{\"a\":2}").expect("room");
        std::fs::write(folder.join("note.txt"), "mine").expect("room");
        std::fs::remove_file(folder.join(README)).expect("it is there");
        let compared = compare(&folder).expect("a folder");
        assert_eq!(compared.changed, [RESOURCE]);
        assert_eq!(compared.added, ["note.txt"]);
        assert_eq!(compared.missing, [README]);
        assert!(
            compared.sentence().contains("note.txt was added"),
            "{}",
            compared.sentence()
        );
    }

    #[test]
    fn who_changes_a_file_and_the_index_is_found_by_the_journal() {
        let (_beside, folder) = written();
        std::fs::write(folder.join(RESOURCE), "{\"a\":2}").expect("room");
        let sums = std::fs::read_to_string(folder.join(SUMS)).expect("it is there");
        let sums = sums.replace(&sha256(b"{\"a\":1}"), &sha256(b"{\"a\":2}"));
        std::fs::write(folder.join(SUMS), sums).expect("room");
        let compared = compare(&folder).expect("a folder");
        assert_eq!(compared.changed, Vec::<String>::new());
        assert_eq!(
            compared.journal,
            [format!("the journal knows another text of {RESOURCE}")]
        );
    }

    #[test]
    fn a_folder_without_its_index_is_not_whole() {
        let (_beside, folder) = written();
        std::fs::remove_file(folder.join(SUMS)).expect("it is there");
        assert!(!compare(&folder).expect("a folder").agrees());
        std::fs::write(folder.join(SUMS), "").expect("room");
        assert!(compare(&folder).is_err(), "nor with an empty one");
    }

    #[test]
    fn an_index_that_leads_out_of_the_folder_is_refused() {
        let (_beside, folder) = written();
        let sums = std::fs::read_to_string(folder.join(SUMS)).expect("it is there");
        let sums = format!("{sums}{}  ../../etc/passwd\n", sha256(b""));
        std::fs::write(folder.join(SUMS), sums).expect("room");
        let refused = compare(&folder).expect_err("it leads outside");
        assert!(refused.what.contains("not inside it"), "{}", refused.what);
    }
}
