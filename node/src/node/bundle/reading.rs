//! A bundle file from the disk, opened and checked frame by frame.

use std::{fs::File, io::Read, path::Path};

use kith_protocol::bundle::{
    BundleLimits, BundleReader, Frame, Summary,
    seal::{OpenError, Opener, SealingSecret, Unlock},
};

use crate::failure::{Ending, Failure};

/// Bytes read in one go.
const CHUNK_LEN: usize = 256 * 1024;

/// What may open a sealed file here.
pub(super) struct Ways<'a> {
    pub(super) secret: &'a SealingSecret,
    pub(super) passphrase: Option<&'a str>,
}

/// Reads a bundle file to its end, sealed or plain.
pub(super) fn read(
    path: &Path,
    unlock: &Ways<'_>,
    mut each: impl FnMut(Frame) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let mut file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut reader = BundleReader::new(BundleLimits::default());
    let mut start = [0; kith_protocol::bundle::PREAMBLE_LEN];
    let sealed = file.read_exact(&mut start).is_ok() && start.starts_with(b"kiths");
    file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut opener = sealed.then(|| Opener::new(BundleLimits::default()));
    let mut buffer = vec![0; CHUNK_LEN];
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(|error| unreadable(path, &error))?;
        if n == 0 {
            break;
        }
        match &mut opener {
            None => feed(&mut reader, &buffer[..n], path, &mut each)?,
            Some(opener) => {
                opener.feed(&buffer[..n]);
                open(opener, unlock, path)?;
                while let Some(piece) = opener.next_piece().map_err(|e| not_opened(path, &e))? {
                    feed(&mut reader, &piece, path, &mut each)?;
                }
            }
        }
    }
    if let Some(opener) = opener {
        let rest = opener.finish().map_err(|e| not_opened(path, &e))?;
        feed(&mut reader, &rest, path, &mut each)?;
    }
    reader.finish().map_err(|error| damaged(path, &error))
}

fn feed(
    reader: &mut BundleReader,
    bytes: &[u8],
    path: &Path,
    each: &mut impl FnMut(Frame) -> Result<(), Failure>,
) -> Result<(), Failure> {
    reader.feed(bytes);
    while let Some(frame) = reader.next_frame().map_err(|error| damaged(path, &error))? {
        each(frame)?;
    }
    Ok(())
}

fn open(opener: &mut Opener, unlock: &Ways<'_>, path: &Path) -> Result<(), Failure> {
    let Some(ways) = opener.ways().map_err(|error| damaged(path, &error))? else {
        return Ok(());
    };
    if ways.receivers > 0 && opener.unlock(Unlock::Secret(unlock.secret)).is_ok() {
        return Ok(());
    }
    match (ways.passphrase, unlock.passphrase) {
        (Some(_), Some(words)) => opener.unlock(Unlock::Passphrase(words)).map_err(|error| {
            Failure::new(
                Ending::Locked,
                "The bundle was sealed with another passphrase.",
                "Ask whoever made it. Nothing was changed.",
            )
            .because(&error)
        }),
        (Some(_), None) => Err(Failure::new(
            Ending::Locked,
            "The bundle is sealed with a passphrase.",
            "Add --bundle-passphrase-file FILE, or run the command at a terminal. Nothing was changed.",
        )),
        (None, _) => Err(Failure::new(
            Ending::Locked,
            "The bundle is sealed to somebody else.",
            "Ask whoever made it to seal it to this node. Nothing was changed.",
        )),
    }
}

pub(super) fn of_another_record(path: &Path) -> Failure {
    Failure::new(
        Ending::NeedsPerson,
        format!(
            "{} holds another record than the one that you named.",
            path.display()
        ),
        "A bundle brings its own record: import it without --record. Nothing was changed.",
    )
}

fn damaged(path: &Path, error: &kith_protocol::bundle::BundleError) -> Failure {
    let is_newer = matches!(error.fault, kith_protocol::bundle::Fault::Newer(_));
    let ending = if is_newer {
        Ending::NewerVersion
    } else {
        Ending::NotUnderstood
    };
    Failure::new(
        ending,
        format!("{} is not whole: {error}.", path.display()),
        "Ask for another copy. Nothing was changed.",
    )
}

fn not_opened(path: &Path, error: &OpenError) -> Failure {
    match error {
        OpenError::File(error) => damaged(path, error),
        OpenError::Unlock(_) => Failure::new(
            Ending::Locked,
            "The bundle was not opened.",
            "Ask whoever made it. Nothing was changed.",
        )
        .because(error),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Ending::Failed,
        format!("{} cannot be read.", path.display()),
        "Check that you may read it.",
    )
    .because(error)
}
