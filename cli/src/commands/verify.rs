//! `kith verify`.

use kith_node::{
    api::{Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::VerifyArgs,
    ask::{Session, absolute, odd_answer},
    render,
};

pub fn run(session: &Session, args: &VerifyArgs) -> Result<Ending, Failure> {
    let path = std::path::Path::new(&args.what);
    let what = if path.is_file() {
        absolute(path).display().to_string()
    } else {
        args.what.clone()
    };
    let request = |passphrase| Request::Verify {
        what: what.clone(),
        passphrase,
    };
    let file = args.bundle_passphrase_file.as_deref();
    let Reply::Verified(verified) = session.ask_unlocking(file, request)? else {
        return Err(odd_answer());
    };
    let ending = if verified.faults.is_empty() {
        Ending::Done
    } else {
        Ending::Failed
    };
    if session.json {
        render::json(&verified)?;
        return Ok(ending);
    }
    render::say(&format!(
        "Checked {}: {} signed events, {} signed entries.",
        verified.what, verified.events, verified.entries
    ));
    for (status, n) in &verified.status {
        render::say(&format!("  {status}: {n}"));
    }
    for begun in &verified.begun_anew {
        render::say(&format!("Begun anew: {begun}."));
    }
    if verified.faults.is_empty() {
        render::say("Everything holds.");
    }
    for fault in &verified.faults {
        render::say(&format!("Does not hold: {fault}"));
    }
    Ok(ending)
}
