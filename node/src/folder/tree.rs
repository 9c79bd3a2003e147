//! Reading a folder that may be hostile: names that lead out of it, links, files without an end.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::{Component, Path},
};

use kith_protocol::limits::{FOLDER_DEPTH_MAX, FOLDER_FILES_MAX, IMPORT_FILE_LEN_MAX};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};

use crate::failure::{Ending, Failure};

/// Every file below a folder, by its name from there with `/` between.
///
/// # Errors
/// When something in it is neither a file nor a folder, is a link, is too long or too deep, or has a
/// name that is no text; when there are too many.
pub(super) fn walk(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut files = BTreeSet::new();
    let mut folders = vec![(String::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let path = root.join(&folder);
        let inside = fs::read_dir(&path).map_err(|error| unreadable(&path, &error))?;
        for entry in inside {
            let entry = entry.map_err(|error| unreadable(&path, &error))?;
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| odd(&entry.path(), "its name is no text in UTF-8"))?;
            let name = match folder.as_str() {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            };
            let about = fs::symlink_metadata(entry.path())
                .map_err(|error| unreadable(&entry.path(), &error))?;
            if about.is_dir() && depth < FOLDER_DEPTH_MAX {
                folders.push((name, depth + 1));
            } else if about.is_dir() {
                return Err(odd(
                    &entry.path(),
                    "the folder is nested deeper than any that kith writes",
                ));
            } else if !about.is_file() {
                return Err(odd(&entry.path(), "it is a link or a device, not a file"));
            } else if about.len() > IMPORT_FILE_LEN_MAX {
                return Err(too_long(&entry.path()));
            } else {
                files.insert(name);
            }
            if files.len() + folders.len() > FOLDER_FILES_MAX {
                return Err(odd(
                    root,
                    "it has more files than kith reads from one folder",
                ));
            }
        }
    }
    Ok(files)
}

/// A name that a folder gives one of its own files.
///
/// # Errors
/// When it leads anywhere else.
pub(super) fn checked(name: &str) -> Result<&Path, Failure> {
    let path = Path::new(name);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let spelled = !name.is_empty() && !name.contains(['\\', '\0', '\n']) && !name.contains("//");
    if plain && spelled && !name.ends_with('/') && path.components().count() <= FOLDER_DEPTH_MAX + 1
    {
        Ok(path)
    } else {
        Err(Failure::new(
            Ending::NotUnderstood,
            format!(
                "The folder names a file that is not inside it: {}.",
                shown(name)
            ),
            "This was not written by kith. Get the folder again from where it was made. Nothing was changed.",
        ))
    }
}

/// A name as it can be shown on a line.
fn shown(name: &str) -> String {
    name.chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect()
}

/// The bytes of a file, read whole.
pub(super) fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(IMPORT_FILE_LEN_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > IMPORT_FILE_LEN_MAX {
        return Err(too_long(path));
    }
    Ok(bytes)
}

/// The SHA-256 of a file, read piece by piece.
pub(super) fn sum_of(path: &Path) -> Result<String, Failure> {
    let mut file = open(path)?.take(IMPORT_FILE_LEN_MAX + 1);
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let n = file
            .read(&mut piece)
            .map_err(|error| unreadable(path, &error))?;
        if n == 0 {
            return Ok(data_encoding::HEXLOWER.encode(&hash.finalize()));
        }
        hash.update(&piece[..n]);
    }
}

/// Opens a file that is one: a pipe in its place would keep the reader waiting for ever.
fn open(path: &Path) -> Result<File, Failure> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|error| unreadable(path, &error.into()))?;
    let file = File::from(file);
    let about = file.metadata().map_err(|error| unreadable(path, &error))?;
    if about.is_file() {
        Ok(file)
    } else {
        Err(odd(path, "it is not a file"))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("{} cannot be read.", path.display()),
        "Check that it is there and that you may read it. Nothing was changed.",
    )
    .because(error)
}

fn odd(path: &Path, why: &str) -> Failure {
    Failure::new(
        Ending::NotUnderstood,
        format!(
            "{} cannot be in a folder that kith wrote: {why}.",
            path.display()
        ),
        "Take it out, or get the folder again from where it was made. Nothing was changed.",
    )
}

fn too_long(path: &Path) -> Failure {
    let mebibytes = IMPORT_FILE_LEN_MAX >> 20;
    odd(path, &format!("it has more than {mebibytes} MB"))
}

#[cfg(test)]
mod tests {
    use super::{checked, walk};

    #[test]
    fn names_stay_inside() {
        for name in [
            "README.txt",
            "resources/medicines/general/Medication-1.json",
        ] {
            assert!(checked(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "..",
            "../x",
            "resources/../../x",
            "./x",
            "a//b",
            "a/",
            "a\\b",
            "a\0",
            "a\nb",
            "1/2/3/4/5/6/7/8/9/10",
        ] {
            assert!(checked(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn links_pipes_and_deep_trees_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a"), "a").expect("room");
        assert_eq!(walk(folder.path()).expect("a file").len(), 1);

        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &link).expect("a link");
        assert!(walk(folder.path()).is_err());
        std::fs::remove_file(&link).expect("it is there");

        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo is there").success());
        assert!(walk(folder.path()).is_err());
        assert!(super::bytes_of(&pipe).is_err(), "and it is not waited for");
        std::fs::remove_file(&pipe).expect("it is there");

        std::fs::create_dir_all(folder.path().join("1/2/3/4/5/6/7")).expect("room");
        assert!(walk(folder.path()).is_err());
    }
}
