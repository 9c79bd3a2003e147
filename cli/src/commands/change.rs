//! `kith change`.

use kith_node::{
    api::{Change, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::ChangeArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: ChangeArgs) -> Result<Ending, Failure> {
    let what = args.what;
    let said = (what.dose, what.words, what.status, what.file, what.mistake);
    let change = match said {
        (Some(dose), ..) => Change::Dose(dose),
        (_, Some(words), ..) => Change::Words(words),
        (_, _, Some(status), ..) => Change::Status(status),
        (_, _, _, Some(file), _) => Change::Content(content(&file)?),
        (.., Some(reason)) => Change::Mistake(reason),
        (None, None, None, None, None) if what.end => Change::End,
        (None, None, None, None, None) => return Err(nothing_named()),
    };
    let request = Request::Change {
        record: args.record,
        thing: args.thing,
        change,
        staff: args.staff,
    };
    let Reply::Added(changed) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&changed);
    }
    render::say(&format!(
        "Changed in {}. What stood there before stays in the record's history.",
        changed.section
    ));
    Ok(Ending::Done)
}

fn nothing_named() -> Failure {
    Failure::new(
        Ending::Usage,
        "It is not said what is to be different.",
        "Add --dose, --words, --end, --status, --file or --mistake. Nothing was changed.",
    )
}

fn content(file: &std::path::Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::new(
            Ending::Failed,
            format!("{} cannot be read.", file.display()),
            "Check its name and that you may read it. Nothing was changed.",
        )
        .because(&error)
    })
}
