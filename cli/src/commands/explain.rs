//! `kith explain`.

use kith_node::{
    api::{Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::ExplainArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: ExplainArgs) -> Result<Ending, Failure> {
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
