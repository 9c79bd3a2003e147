//! `kith backup`.

use kith_node::{
    api::{BackedUp, Reply, Request},
    backup,
    failure::{Ending, Failure},
};
use serde_json::json;

use crate::{
    args::BackupArgs,
    ask::{Session, absolute, odd_answer},
    render,
};

pub fn run(session: &Session, args: &BackupArgs) -> Result<Ending, Failure> {
    let folder = absolute(&args.folder);
    if args.check {
        return check(session, &folder);
    }
    let Reply::BackedUp(done) = session.ask(Request::Backup { folder })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&done);
    }
    say(&done);
    Ok(Ending::Done)
}

fn say(done: &BackedUp) {
    let place = done.folder.display();
    if done.is_new {
        render::say(&format!(
            "A backup was made in {place}: {} in {} parts, read again and found whole.",
            size(done.bytes),
            done.parts
        ));
    } else {
        render::say(&format!(
            "The backup in {place} is up to date: {} of {} were new.",
            size(done.written),
            size(done.bytes)
        ));
    }
    render::say(
        "It is sealed: the node's passphrase or the code of its recovery sheet opens it (kith restore).",
    );
}

fn check(session: &Session, folder: &std::path::Path) -> Result<Ending, Failure> {
    let checked = backup::check(folder, None)?;
    let is_whole = checked.faults.is_empty();
    let ending = if is_whole {
        Ending::Done
    } else {
        Ending::Failed
    };
    if session.json {
        render::json(&json!({
            "folder": folder,
            "taken": render::time(checked.taken_ms),
            "parts": checked.parts,
            "faults": checked.faults,
        }))?;
        return Ok(ending);
    }
    render::say(&format!(
        "The backup of {} has {} parts.",
        render::time(checked.taken_ms),
        checked.parts
    ));
    for fault in &checked.faults {
        render::say(&format!("  {fault}"));
    }
    render::say(if is_whole {
        "Every part is as its list says."
    } else {
        "Make a new backup in another folder while the node is well."
    });
    Ok(ending)
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
