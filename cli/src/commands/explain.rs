//! `kith explain`.

use kith_node::{
    api::{Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::ExplainArgs,
    ask::{Session, absolute, odd_answer},
    commands::inbox,
    render,
};

pub fn run(session: &Session, args: ExplainArgs) -> Result<Ending, Failure> {
    // A name that is a file is one; ids are none.
    let file = absolute(std::path::Path::new(&args.entry));
    if file.is_file() {
        return explain_file(session, file);
    }
    let Reply::Explained(explained) = session.ask(Request::Explain { entry: args.entry })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&explained);
    }
    render::say(&format!(
        "Entry {} is {}.",
        explained.entry, explained.status
    ));
    for sentence in &explained.because {
        render::say(&render::clean(sentence));
    }
    Ok(Ending::Done)
}

fn explain_file(session: &Session, file: std::path::PathBuf) -> Result<Ending, Failure> {
    let Reply::FileExplained(explained) = session.ask(Request::ExplainFile { file })? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&explained);
    }
    explained.messages.iter().for_each(inbox::explained);
    Ok(Ending::Done)
}
