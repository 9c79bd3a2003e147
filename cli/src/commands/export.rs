//! `kith export`.

use std::path::PathBuf;

use kith_node::{
    api::{BundleTo, ExportForm, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::{ExportArgs, Form},
    ask::{Session, absolute, odd_answer, words_in},
    render,
};

pub fn run(session: &Session, args: ExportArgs) -> Result<Ending, Failure> {
    if args.new_code && args.form != Form::Emergency {
        return Err(Failure::new(
            Ending::Usage,
            "Only an emergency page has a code.",
            "Leave out --new-code, or write --as emergency. Nothing was changed.",
        ));
    }
    let out = args.out.as_deref().map(absolute);
    let out = out.or_else(|| place_of_folder(&args));
    let form = match args.form {
        Form::Ips => ExportForm::Ips,
        Form::Pdf => ExportForm::Pdf(needed(out.clone())?),
        Form::Emergency => ExportForm::Emergency {
            path: needed(out.clone())?,
            new_code: args.new_code,
        },
        Form::Ndjson => ExportForm::Ndjson,
        Form::Folder => ExportForm::Folder(needed(out.clone())?),
        Form::Documents => ExportForm::Documents(needed(out.clone())?),
        Form::Bundle => ExportForm::Bundle {
            path: needed(out.clone())?,
            to: receivers(session, &args)?,
        },
    };
    let request = Request::Export {
        record: args.record,
        form,
    };
    let Reply::Exported(exported) = session.ask(request)? else {
        return Err(odd_answer());
    };
    for note in &exported.notes {
        anstream::eprintln!("{note}");
    }
    match (&exported.text, out) {
        (Some(text), None) => render::out(text),
        (Some(text), Some(path)) => {
            write(&path, text)?;
            written(session, &path, exported.count)
        }
        (None, _) => match &exported.path {
            Some(path) => written(session, path, exported.count),
            None => Err(odd_answer()),
        },
    }
}

fn written(session: &Session, path: &std::path::Path, count: usize) -> Result<Ending, Failure> {
    if session.json {
        return render::json(&serde_json::json!({"path": path, "count": count}));
    }
    render::say(&format!("Wrote {} ({count}).", path.display()));
    Ok(Ending::Done)
}

fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("{} could not be written.", path.display()),
            "Check that you may write there and that the disk has room.",
        )
        .because(&error)
    })
}

/// `--to DIR` says where a folder goes: it has nobody who opens it.
fn place_of_folder(args: &ExportArgs) -> Option<PathBuf> {
    match (args.form, args.to.as_slice()) {
        (Form::Folder, [place]) => Some(absolute(std::path::Path::new(place))),
        (
            Form::Folder
            | Form::Ips
            | Form::Pdf
            | Form::Emergency
            | Form::Ndjson
            | Form::Bundle
            | Form::Documents,
            _,
        ) => None,
    }
}

fn needed(out: Option<PathBuf>) -> Result<PathBuf, Failure> {
    out.ok_or_else(|| {
        Failure::new(
            Ending::Usage,
            "It is not said where this should be written.",
            "Add --out PATH.",
        )
    })
}

/// Who can open a bundle: it is sealed unless --open says otherwise.
fn receivers(session: &Session, args: &ExportArgs) -> Result<BundleTo, Failure> {
    if args.open {
        return Ok(BundleTo::Anyone);
    }
    if !args.to.is_empty() {
        return Ok(BundleTo::Named(args.to.clone()));
    }
    if let Some(path) = &args.bundle_passphrase_file {
        return words_in(path).map(BundleTo::Passphrase);
    }
    session
        .typed_passphrase("A passphrase for the bundle file; whoever is to open it needs it:")
        .map(BundleTo::Passphrase)
        .map_err(|failure| {
            if session.no_input {
                Failure::new(
                    Ending::Usage,
                    "It is not said who can open the bundle.",
                    "Add --to NAME for a node that is known here, --bundle-passphrase-file FILE, or --open for anyone.",
                )
            } else {
                failure
            }
        })
}
