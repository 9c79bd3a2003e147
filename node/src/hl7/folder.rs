//! The drop folder: files that are put there are taken in, and then moved beside, with the reason
//! where they wait.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::desk::Desk;
use crate::{api::InboxState, driver::Driver, health::hl7v2::batch, node::Arrival};

/// Between two looks into the folder.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// A file that was changed within so long may still be written.
const SETTLES: Duration = Duration::from_millis(500);
/// Bytes of one file.
const FILE_LEN_MAX: u64 = 256 * 1024 * 1024;
/// Looks at a message until it was filed or needs a person.
const LOOKS_MAX: u32 = 600;

/// Looks into a folder until it is dropped.
pub(super) async fn watch(folder: PathBuf, desk: Desk, driver: Driver) {
    loop {
        let names = match settled(&folder) {
            Ok(names) => names,
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "the drop folder cannot be read");
                Vec::new()
            }
        };
        for file in names {
            if let Err(error) = take(&folder, &file, &desk, &driver).await {
                tracing::warn!(kind = ?error.kind(), "a file of the drop folder was not taken");
            }
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// The files that nobody is writing any more, in the order of their names.
fn settled(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let changed = about.modified()?;
        let since = SystemTime::now()
            .duration_since(changed)
            .unwrap_or_default();
        // What others can put in the place of a file is not followed.
        let is_file = entry.file_type()?.is_file();
        if is_file && !hidden && since >= SETTLES {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

async fn take(folder: &Path, file: &Path, desk: &Desk, driver: &Driver) -> io::Result<()> {
    if std::fs::metadata(file)?.len() > FILE_LEN_MAX {
        return moved(
            folder,
            "waiting",
            file,
            Some("it has more than 256 MiB: cut it into parts"),
        );
    }
    let bytes = std::fs::read(file)?;
    let messages = batch::messages(&bytes);
    if messages.is_empty() {
        let why = "it has no HL7 v2 message in it: a message begins with an MSH segment";
        return moved(folder, "waiting", file, Some(why));
    }
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut numbers = Vec::new();
    for message in messages {
        let arrival = Arrival {
            bytes: message.to_vec(),
            from: name.clone(),
            stop: None,
        };
        // What is on the disk already is found again by its bytes: the whole file comes once more.
        let Some(taken) = desk.hand_in(arrival).await else {
            return Ok(());
        };
        numbers.push(taken.number);
    }
    let mut waits = Vec::new();
    for number in numbers {
        if let Some(reason) = reason(driver, number).await {
            waits.push(format!("message {number}: {reason}"));
        }
    }
    if waits.is_empty() {
        moved(folder, "done", file, None)
    } else {
        moved(folder, "waiting", file, Some(&waits.join("\n")))
    }
}

/// Why a message waits, once somebody has looked at it.
async fn reason(driver: &Driver, number: u64) -> Option<String> {
    for _ in 0..LOOKS_MAX {
        let line = driver.ask(move |node| node.inbox_line(number)).await;
        let line = line.ok()??;
        match line.state {
            InboxState::Filed => return None,
            InboxState::NeedsPerson => return line.reason,
            InboxState::Received | InboxState::TryAgain => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Some("it is on the disk and was not filed yet: kith inbox".to_owned())
}

/// Moves a file beside, under a name that is free, with the reason next to it.
fn moved(folder: &Path, into: &str, file: &Path, why: Option<&str>) -> io::Result<()> {
    let into = folder.join(into);
    std::fs::create_dir_all(&into)?;
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut place = into.join(&name);
    let mut n = 1;
    while place.exists() {
        n += 1;
        place = into.join(format!("{name}.{n}"));
    }
    if let Some(why) = why {
        let mut beside = place.clone().into_os_string();
        beside.push(".reason.txt");
        std::fs::write(beside, format!("{why}\n"))?;
    }
    std::fs::rename(file, place)
}
