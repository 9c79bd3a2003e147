//! From paths to sorted resources, without touching the store.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use kith_crdt::{
    Body, DocumentId,
    classify::{self, LabelRules},
    flag::{self, Flag},
    incoming::{self, Frame, Incoming, IncomingResource, NotUnderstood, People},
    person::Person,
    resource::Attachment,
};
use kith_protocol::limits::{IMPORT_FILE_LEN_MAX, INLINE_ATTACHMENT_LEN_MAX};

use super::folder::FolderRead;
use crate::{
    failure::{Ending, Failure},
    folder,
    health::hl7v2::batch,
};

/// A file, read.
pub(crate) struct FileRead {
    /// As it was named.
    pub(super) name: String,
    pub(super) flags: Vec<Flag>,
    pub(super) found: Result<Found, Failure>,
}

/// What a file turned out to be.
pub(super) enum Found {
    Resources(Box<Sorted>),
    /// A record's folder that kith wrote.
    Folder(Box<FolderRead>),
    /// A bundle file.
    Bundle(PathBuf),
    /// HL7 v2 messages.
    Messages(Vec<u8>),
    /// Something that is kept byte for byte, with its media type.
    Opaque(Vec<u8>, &'static str),
}

impl FileRead {
    /// Reads one file.
    pub(crate) fn of(path: &Path) -> Self {
        read(path, false)
    }

    /// A file of which reading ended without an answer.
    pub(crate) fn not_read(path: &Path) -> Self {
        Self {
            name: path.display().to_string(),
            flags: Vec::new(),
            found: Err(Failure::new(
                Ending::Failed,
                "The file could not be read to its end.",
                "Nothing of it was filed. This is a fault of kith.",
            )),
        }
    }
}

/// Resources with the document and the person of each.
pub(super) struct Sorted {
    pub(super) resources: Vec<Cut>,
    pub(super) documents: Vec<DocumentId>,
    pub(super) people: People,
    pub(super) frames: Vec<Frame>,
}

/// A resource, cut into what a record keeps of it.
#[derive(Clone, Default)]
pub(super) struct Cut {
    pub(super) kind: String,
    pub(super) native_id: Option<String>,
    /// Its text, without space between tokens; long strings replaced by placeholders.
    pub(super) text: String,
    pub(super) body: Body,
    pub(super) full_url: Option<String>,
    /// The members of its bundle entry beside it.
    pub(super) entry: Option<String>,
    pub(super) attachments: Vec<(Attachment, Vec<u8>)>,
    /// Where it stood in the file.
    pub(super) place: String,
    /// Who it says that the person is, where it is a Patient.
    pub(super) person: Option<Person>,
}

impl Cut {
    fn of(resource: IncomingResource, document: &DocumentId) -> Self {
        let body = Body::parse(&resource.text, document.section)
            .unwrap_or_else(|_| Body::whole(resource.text.clone()));
        let is_patient = resource.kind() == "Patient";
        let person = is_patient.then(|| Person::of(&resource.value, resource.full_url.as_deref()));
        Self {
            kind: resource.kind().to_owned(),
            native_id: resource.native_id().map(str::to_owned),
            body,
            person,
            text: resource.text,
            full_url: resource.full_url,
            entry: resource.entry,
            attachments: resource.attachments,
            place: resource.place,
        }
    }
}

/// Every file below these paths, folders walked in the order of names; a folder that kith wrote
/// stands for all that is in it.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let about = fs::metadata(path).map_err(|error| {
            let what = format!("{} cannot be read.", path.display());
            Failure::new(
                Ending::Failed,
                what,
                "Check the name and that you may read it.",
            )
            .because(&error)
        })?;
        if !about.is_dir() || folder::is_one(path) {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        walk(path, &mut files).map_err(|error| {
            let what = format!("The folder {} cannot be read.", path.display());
            Failure::new(Ending::Failed, what, "Check that you may read it.").because(&error)
        })?;
        if files.len() == before {
            return Err(Failure::new(
                Ending::NotUnderstood,
                format!("The folder {} has no files in it.", path.display()),
                "Name a folder with FHIR JSON, NDJSON or bundle files.",
            ));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut inside: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    inside.sort();
    for path in inside {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let about = fs::symlink_metadata(&path)?;
        if hidden || about.is_symlink() {
            continue;
        }
        if about.is_dir() && !folder::is_one(&path) {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads one file, or a folder that kith wrote: one that differs from what it says of itself only
/// where somebody said so.
pub(super) fn read(path: &Path, even_if_changed: bool) -> FileRead {
    if path.is_dir() {
        return super::folder::read(path, even_if_changed);
    }
    let mut flags = Vec::new();
    let found = bytes_of(path).and_then(|bytes| sort(path, bytes, &mut flags));
    let name = path.display().to_string();
    for flag in &mut flags {
        flag.place = format!("{name}: {}", flag.place);
    }
    FileRead { name, flags, found }
}

pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: &std::io::Error| {
        let what = format!("{} cannot be read.", path.display());
        Failure::new(Ending::Failed, what, "Check that you may read it.").because(error)
    };
    let mut file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    let mebibytes = IMPORT_FILE_LEN_MAX >> 20;
    if about.len() > IMPORT_FILE_LEN_MAX {
        return Err(Failure::new(
            Ending::NotUnderstood,
            format!(
                "{} has {} MB; one file may have at most {mebibytes} MB.",
                path.display(),
                about.len() >> 20
            ),
            "Split it: NDJSON can be cut after any line. Nothing was changed.",
        ));
    }
    let mut bytes = Vec::new();
    let mut limited = (&mut file).take(IMPORT_FILE_LEN_MAX);
    limited
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

fn sort(path: &Path, bytes: Vec<u8>, flags: &mut Vec<Flag>) -> Result<Found, Failure> {
    if bytes.starts_with(b"kithb") || bytes.starts_with(b"kiths") {
        return Ok(Found::Bundle(path.to_owned()));
    }
    if batch::is_of_messages(&bytes) {
        return Ok(Found::Messages(bytes));
    }
    let incoming = match incoming::read(&bytes, INLINE_ATTACHMENT_LEN_MAX) {
        Ok(incoming) => incoming,
        Err(NotUnderstood::Empty) => {
            return Err(Failure::new(
                Ending::NotUnderstood,
                format!("{} is empty.", path.display()),
                "Check that it was saved or sent whole. Nothing was changed.",
            ));
        }
        Err(error) => {
            return match media_type(&bytes) {
                Some(media_type) => Ok(Found::Opaque(bytes, media_type)),
                None => Err(Failure::new(
                    Ending::NotUnderstood,
                    format!("{} is not JSON, and nothing else that kith reads.", path.display()),
                    "kith import reads FHIR JSON, NDJSON and kith bundle files. To keep another file with a record: kith add RECORD letter FILE.",
                )
                .because(&error)),
            };
        }
    };
    Ok(Found::Resources(Box::new(placed(incoming, flags))))
}

/// Resources that this node made itself of what came in another form, sorted.
pub(super) fn sorted(text: &[u8], flags: &mut Vec<Flag>) -> Result<Sorted, Failure> {
    let incoming = incoming::read(text, INLINE_ATTACHMENT_LEN_MAX).map_err(|error| {
        Failure::new(
            Ending::Failed,
            "What kith made of a message cannot be read.",
            "The message is kept. This is a fault of kith.",
        )
        .because(&error)
    })?;
    Ok(placed(incoming, flags))
}

pub(super) fn placed(incoming: Incoming, flags: &mut Vec<Flag>) -> Sorted {
    let rules = LabelRules::default();
    for resource in &incoming.resources {
        flags.extend(flag::flags(resource));
    }
    flags.truncate(flag::FLAGS_MAX);
    let documents = classify::documents(&incoming.resources, &rules);
    let people = incoming::people(&incoming.resources);
    let cut = incoming.resources.into_iter().zip(&documents);
    let resources = cut.map(|(resource, id)| Cut::of(resource, id)).collect();
    Sorted {
        resources,
        documents,
        people,
        frames: incoming.frames,
    }
}

/// Files of other kinds that can be kept byte for byte.
pub(super) fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .map_or(bytes, |start| &bytes[start..]);
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    [
        (&b"<?xml"[..], "application/xml"),
        (b"<ClinicalDocument", "application/xml"),
        (b"%PDF", "application/pdf"),
    ]
    .into_iter()
    .find(|(magic, _)| start.starts_with(magic))
    .map(|(_, media_type)| media_type)
}
