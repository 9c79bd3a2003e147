//! A record given back: line by line as it was received, as a folder, as a patient summary, as a
//! bundle file.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use kith_protocol::{
    audit::{Audience, How},
    id::BlobId,
    record::{Placed, Record},
    store::Store,
};
use serde::{Deserialize, Serialize};

use super::{Node, find, now_ms, show};
use crate::{
    api::Exported,
    failure::{Ending, Failure},
    health::paper,
};

/// In which form a record is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportForm {
    /// One received resource a line, exactly as received.
    Ndjson,
    /// An International Patient Summary.
    Ips,
    /// The same as a PDF to be read, with the FHIR inside it.
    Pdf(PathBuf),
    /// The emergency page as a PDF.
    Emergency {
        /// The file.
        path: PathBuf,
        /// Whether it gets a new code that opens the record; codes before it open nothing any more.
        new_code: bool,
    },
    /// One file a resource, with a journal and the hash of every file, in a folder of its own.
    Folder(PathBuf),
    /// Everything signed, in one file.
    Bundle {
        /// The file.
        path: PathBuf,
        /// Who can open it.
        to: BundleTo,
    },
    /// The documents in the stock Automerge format, in a new folder.
    Documents(PathBuf),
}

/// Who can open a bundle file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BundleTo {
    /// Whoever knows the passphrase.
    Passphrase(String),
    /// The owners of known nodes, by the names that they give themselves.
    Named(Vec<String>),
    /// Anyone: it is not sealed.
    Anyone,
}

impl std::fmt::Debug for BundleTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase(..)",
            Self::Named(_) => "Named(..)",
            Self::Anyone => "Anyone",
        })
    }
}

impl Node {
    pub(super) fn export(&mut self, word: &str, form: ExportForm) -> Result<Exported, Failure> {
        match form {
            ExportForm::Ndjson => self.gives_back(word, Self::export_lines),
            ExportForm::Ips => self.gives_back(word, Self::export_summary),
            ExportForm::Pdf(path) => {
                self.gives_back(word, |node, record| node.export_paper(record, &path))
            }
            ExportForm::Emergency { path, new_code } => {
                self.export_emergency(word, &path, new_code)
            }
            ExportForm::Folder(path) => {
                self.gives_back(word, |node, record| node.export_folder(record, &path))
            }
            ExportForm::Bundle { path, to } => {
                self.gives_back(word, |node, record| node.export_bundle(record, &path, &to))
            }
            ExportForm::Documents(path) => {
                self.gives_back(word, |node, record| node.export_documents(record, &path))
            }
        }
    }

    fn gives_back(
        &mut self,
        word: &str,
        give: impl FnOnce(&mut Self, &mut Record) -> Result<Exported, Failure>,
    ) -> Result<Exported, Failure> {
        let id = self.record_named(word)?;
        self.with_record(id, |node, record| {
            let exported = give(node, record)?;
            node.save_large(record);
            Ok(exported)
        })
    }

    fn export_lines(&mut self, record: &mut Record) -> Result<Exported, Failure> {
        let (resources, notes) = self.received(record)?;
        let mut text = String::new();
        for resource in &resources {
            text.push_str(&resource.text);
            text.push('\n');
        }
        self.disclose(record, Audience::Anyone, How::Export, text.len())?;
        Ok(Exported {
            text: Some(text),
            path: None,
            count: resources.len(),
            notes,
        })
    }

    /// Every received resource in the order in which it came, its attachments put back. Where two
    /// versions stand side by side both are given; none is picked.
    pub(super) fn received(
        &self,
        record: &mut Record,
    ) -> Result<(Vec<Received>, Vec<String>), Failure> {
        let mut placed: Vec<_> = self
            .read_all(record)?
            .into_iter()
            .filter(|placed| !placed.held.meta.made_here)
            .collect();
        placed.sort_by_key(order);
        let mut notes = Vec::new();
        let mut received = Vec::with_capacity(placed.len());
        for placed in placed {
            if placed.late {
                notes.push(format!(
                    "{} {} came in after its part was begun anew: it is given beside what stands now.",
                    placed.held.meta.kind, placed.held.id
                ));
            }
            let siblings = placed
                .held
                .siblings()
                .map(|(_, versions)| versions.len())
                .max();
            let versions = siblings.unwrap_or(1);
            if versions > 1 {
                notes.push(format!(
                    "{} {} has {versions} versions that nobody has decided between: all are given.",
                    placed.held.meta.kind, placed.held.id
                ));
            }
            for version in 0..versions {
                let text = self.whole_text(&placed, version, &mut notes)?;
                received.push(Received {
                    placed: placed.clone(),
                    version,
                    text,
                });
            }
        }
        Ok((received, notes))
    }

    /// A resource's text with its attachments.
    pub(super) fn whole_text(
        &self,
        placed: &Placed,
        version: usize,
        notes: &mut Vec<String>,
    ) -> Result<String, Failure> {
        let mut text = placed.held.to_text(version);
        for attachment in &placed.held.meta.attachments {
            let id = BlobId::from_hex(&attachment.blob);
            let bytes = match id {
                Some(id) => self.store.blob(&id)?,
                None => None,
            };
            match bytes {
                Some(bytes) => {
                    text = text.replace(&attachment.placeholder(), &attachment.token(&bytes));
                }
                None => notes.push(format!(
                    "An attachment of {} {} has not arrived here yet; its place is marked.",
                    placed.held.meta.kind, placed.held.id
                )),
            }
        }
        Ok(text)
    }

    fn export_documents(&mut self, record: &mut Record, path: &Path) -> Result<Exported, Failure> {
        new_folder(path)?;
        self.disclose(record, Audience::Anyone, How::Export, 0)?;
        let documents = record.ledger().documents();
        for document in &documents {
            let reader = record.ledger().own_copy(document, self.whoever());
            let name = document.to_string().replace([':', '@', '#'], "_");
            let file = path.join(format!("{name}.automerge"));
            fs::write(&file, record.save(&reader)).map_err(|error| not_written(path, &error))?;
        }
        Ok(Exported {
            text: None,
            path: Some(path.to_owned()),
            count: documents.len(),
            notes: Vec::new(),
        })
    }

    fn export_summary(&mut self, record: &mut Record) -> Result<Exported, Failure> {
        let summary = self.summary(record, &show::time(now_ms()))?;
        let count = summary["entry"].as_array().map_or(0, Vec::len);
        let text = serde_json::to_string_pretty(&summary).unwrap_or_else(|_| summary.to_string());
        self.disclose(record, Audience::Anyone, How::Export, text.len())?;
        Ok(Exported {
            text: Some(text + "\n"),
            path: None,
            count,
            notes: Vec::new(),
        })
    }
}

impl Node {
    fn export_paper(&mut self, record: &mut Record, path: &Path) -> Result<Exported, Failure> {
        let summary = self.summary(record, &show::time(now_ms()))?;
        let known = self.people.get(&record.id()).cloned().unwrap_or_default();
        let line = find::line(record.id(), &known);
        let said = |value: Option<String>| value.unwrap_or_else(|| "not known here".to_owned());
        let person = [
            ("Name".to_owned(), line.person),
            ("Born".to_owned(), said(line.born)),
            ("NHS number".to_owned(), said(line.nhs_number)),
        ];
        let made = paper::summary(&summary, &person).map_err(|error| no_paper(&error))?;
        self.disclose(record, Audience::Anyone, How::Print, made.len())?;
        fs::write(path, &made).map_err(|error| not_written(path, &error))?;
        Ok(Exported {
            text: None,
            path: Some(path.to_owned()),
            count: summary["entry"].as_array().map_or(0, Vec::len),
            notes: Vec::new(),
        })
    }

    /// The place for the file is taken first: a code on a page that cannot be written would be lost,
    /// and those before it open nothing any more.
    fn export_emergency(
        &mut self,
        word: &str,
        path: &Path,
        new_code: bool,
    ) -> Result<Exported, Failure> {
        self.record_named(word)?;
        let mut file = fs::File::create(path).map_err(|error| not_written(path, &error))?;
        let (link, notes) = match new_code {
            true => self.emergency_code(word)?,
            false => (None, Vec::new()),
        };
        let made = self.emergency_paper(word, link)?;
        file.write_all(&made)
            .map_err(|error| not_written(path, &error))?;
        Ok(Exported {
            text: None,
            path: Some(path.to_owned()),
            count: 1,
            notes,
        })
    }
}

/// A PDF that was not made.
pub(super) fn no_paper(error: &paper::PaperError) -> Failure {
    Failure::new(
        Ending::Failed,
        "The PDF could not be made.",
        "The record is untouched. This is a fault of kith.",
    )
    .because(error)
}

/// A received resource, whole.
pub(super) struct Received {
    pub(super) placed: Placed,
    /// Which of the versions that stand side by side, from 0.
    pub(super) version: usize,
    pub(super) text: String,
}

/// When a resource came in, and its place then.
fn order(placed: &Placed) -> ((u64, u32), u32, String) {
    let meta = &placed.held.meta;
    (meta.batch, meta.ordinal, placed.held.id.to_string())
}

/// Makes a folder that must not be there yet, or be empty.
pub(super) fn new_folder(path: &Path) -> Result<(), Failure> {
    let taken = fs::read_dir(path).is_ok_and(|mut inside| inside.next().is_some());
    if taken || path.is_file() {
        return Err(Failure::new(
            Ending::Usage,
            format!("{} is there already.", path.display()),
            "Name a folder that does not exist yet or is empty. Nothing was written.",
        ));
    }
    fs::create_dir_all(path).map_err(|error| not_written(path, &error))
}

/// A file that could not be written.
pub(super) fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("{} could not be written.", path.display()),
        "Check that you may write there and that the disk has room. The record is untouched.",
    )
    .because(error)
}
