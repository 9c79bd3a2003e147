//! A folder of results: the scenario, a file for each run, and a manifest with their hashes.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{run::RunResult, scenario::Scenario};

/// What a folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The schema of the folder.
    pub schema: u32,
    /// The name of the scenario.
    pub scenario: String,
    /// The hash of the scenario file.
    pub scenario_hash: String,
    /// The hash of what was read from the files that it names.
    pub files_hash: String,
    /// The version of the program.
    pub version: String,
    /// `sweep`, or `sensitivity` for one number at a time.
    pub design: String,
    /// The first seed.
    pub first_seed: u64,
    /// How many seeds.
    pub seeds: u32,
    /// The hash of the file of each run that is done.
    pub runs: BTreeMap<String, String>,
}

/// What can be wrong with a folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error(
        "{0}: the file is not what was written when the run ended; remove the folder and run again"
    )]
    Changed(PathBuf),
    /// Two folders or a folder and a scenario do not go together.
    #[error("{path}: {what}")]
    Other {
        /// The folder.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

/// A folder of results.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder, which is made where there is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn at(path: &Path) -> Result<Self, FolderError> {
        let runs = path.join("runs");
        fs::create_dir_all(&runs).map_err(|source| FolderError::Io { path: runs, source })?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// A folder that is there.
    ///
    /// # Errors
    /// When it holds no results.
    pub fn open(path: &Path) -> Result<(Self, Manifest), FolderError> {
        let folder = Self {
            path: path.to_owned(),
        };
        let manifest = folder.manifest()?.ok_or_else(|| FolderError::Other {
            path: path.to_owned(),
            what: "there are no results here: run kith-sim run FILE --out DIR first".to_owned(),
        })?;
        Ok((folder, manifest))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The manifest, where there is one.
    ///
    /// # Errors
    /// When it does not read.
    pub fn manifest(&self) -> Result<Option<Manifest>, FolderError> {
        let path = self.file("manifest.json");
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(manifest) => Ok(Some(manifest)),
                Err(_) => Err(FolderError::Changed(path)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderError::Io { path, source }),
        }
    }

    /// Writes a file whole or not at all.
    ///
    /// # Errors
    /// When it cannot.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.file(name);
        let half = self.file(&format!("{name}.half"));
        let written = fs::File::create(&half).and_then(|mut file| {
            io::Write::write_all(&mut file, bytes)?;
            file.sync_data()?;
            fs::rename(&half, &path)
        });
        written.map_err(|source| FolderError::Io { path, source })
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// When it cannot.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<(), FolderError> {
        self.write("manifest.json", &json(manifest))
    }

    /// Writes what came of a run: the name and the hash of its file.
    ///
    /// # Errors
    /// When it cannot.
    pub fn write_run(&self, result: &RunResult) -> Result<(String, String), FolderError> {
        let name = run_name(result.point, result.seed);
        let bytes = json(result);
        self.write(&format!("runs/{name}"), &bytes)?;
        Ok((name, hash(&bytes)))
    }

    /// Whether the file of a run is there as the manifest says.
    pub fn has_run(&self, name: &str, wanted: &str) -> bool {
        fs::read(self.file(&format!("runs/{name}"))).is_ok_and(|bytes| hash(&bytes) == wanted)
    }

    /// The bytes of the file of a run, as the manifest says.
    ///
    /// # Errors
    /// When it is not there or was changed.
    pub fn run_bytes(&self, name: &str, wanted: &str) -> Result<Vec<u8>, FolderError> {
        let path = self.file(&format!("runs/{name}"));
        let bytes = fs::read(&path).map_err(|source| FolderError::Io {
            path: path.clone(),
            source,
        })?;
        if hash(&bytes) == wanted {
            Ok(bytes)
        } else {
            Err(FolderError::Changed(path))
        }
    }

    /// What came of every run, in the order of points and seeds.
    ///
    /// # Errors
    /// When a file is not there or was changed.
    pub fn runs(&self, manifest: &Manifest) -> Result<Vec<RunResult>, FolderError> {
        let mut runs: Vec<RunResult> = Vec::with_capacity(manifest.runs.len());
        for (name, hash) in &manifest.runs {
            let bytes = self.run_bytes(name, hash)?;
            let run = serde_json::from_slice(&bytes);
            runs.push(run.map_err(|_| FolderError::Changed(self.file(name)))?);
        }
        runs.sort_by_key(|run| (run.point, run.seed));
        Ok(runs)
    }

    /// The scenario that was run, without the files that it names.
    ///
    /// # Errors
    /// When it does not read.
    pub fn scenario(&self) -> Result<Scenario, FolderError> {
        let path = self.file("scenario.toml");
        let text = fs::read_to_string(&path).map_err(|source| FolderError::Io {
            path: path.clone(),
            source,
        })?;
        Scenario::parse_without_files(&path.display().to_string(), &text).map_err(|problems| {
            FolderError::Other {
                path,
                what: problems
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n"),
            }
        })
    }
}

/// The name of the file of a run.
pub fn run_name(point: usize, seed: u64) -> String {
    format!("p{point:05}-s{seed:08}.json")
}

/// The hash of bytes.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("values of our own have a JSON form");
    bytes.push(b'\n');
    bytes
}
