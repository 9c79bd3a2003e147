//! `kith import`.

use kith_node::{
    api::{Filed, ImportRequest, Imported, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::ImportArgs,
    ask::{Session, absolute, odd_answer},
    commands::record,
    render,
};

/// Flags that are written out; the rest are counted.
const FLAGS_SHOWN: usize = 10;

pub fn run(session: &Session, args: &ImportArgs) -> Result<Ending, Failure> {
    let paths: Vec<_> = args.files.iter().map(|file| absolute(file)).collect();
    let request = |passphrase| {
        Request::Import(ImportRequest {
            paths: paths.clone(),
            record: args.record.clone(),
            same_person: args.same_person,
            passphrase,
            no_proposals: args.no_proposals,
            device: args.device.clone(),
            even_if_changed: args.even_if_changed,
        })
    };
    let file = args.bundle_passphrase_file.as_deref();
    let Reply::Imported(mut imported) = session.ask_unlocking(file, request)? else {
        return Err(odd_answer());
    };
    if let ([], [_]) = (imported.records.as_slice(), imported.refused.as_slice())
        && let Some(refused) = imported.refused.pop()
    {
        return Err(refused.failure);
    }
    let ending = imported.ending();
    if session.json {
        render::json(&object(&imported))?;
    } else {
        say(&imported);
        if !args.no_proposals && imported.records.iter().any(|filed| !filed.alike.is_empty()) {
            render::say("kith review lists what was proposed, until somebody has decided.");
        }
    }
    Ok(ending)
}

/// One record stands by itself; several in a list.
fn object(imported: &Imported) -> serde_json::Value {
    let mut object = match imported.records.as_slice() {
        [one] => serde_json::json!(one),
        several => serde_json::json!({ "records": several }),
    };
    object["flagged"] = serde_json::json!(imported.flagged);
    if !imported.refused.is_empty() {
        object["refused"] = serde_json::json!(imported.refused);
    }
    object
}

fn say(imported: &Imported) {
    imported.records.iter().for_each(filed);
    for flag in imported.flagged.iter().take(FLAGS_SHOWN) {
        render::say(&format!(
            "Odd: {}: {}",
            render::clean(&flag.place),
            flag.what
        ));
    }
    if imported.flagged.len() > FLAGS_SHOWN {
        render::say(&format!(
            "… and {} more; --json lists them all.",
            imported.flagged.len() - FLAGS_SHOWN
        ));
    }
    for refused in &imported.refused {
        render::say(&format!(
            "Not filed: {}",
            render::clean(&refused.failure.what)
        ));
        render::say(&format!("  {}", refused.failure.remedy));
    }
}

fn filed(filed: &Filed) {
    let total: usize = filed.filed.values().sum();
    let sections: Vec<_> = filed
        .filed
        .iter()
        .map(|(section, n)| format!("{section} {n}"))
        .collect();
    let what = match (total, filed.unchanged) {
        (0, n) => format!("nothing new, {n} already here"),
        (_, 0) => sections.join(", "),
        (_, n) => format!("{}; {n} already here", sections.join(", ")),
    };
    render::say(&format!(
        "{} {}: {what}",
        &filed.record[..12],
        render::clean(&filed.person)
    ));
    record::alike(&filed.alike);
}
