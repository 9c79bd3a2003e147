//! `kith stop`.

use kith_node::{
    api::{Keep, Reply, Request},
    failure::{Ending, Failure},
};

use crate::{
    args::StopArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: StopArgs) -> Result<Ending, Failure> {
    let keep = keep(&args.keep)?;
    let request = Request::Stop {
        record: args.record,
        share: args.share,
        keep,
        keep_shared_on: args.keep_shared_on,
    };
    let Reply::Stopped(stopped) = session.ask(request)? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&stopped);
    }
    render::say(&render::clean(&stopped.note));
    Ok(Ending::Done)
}

pub(super) fn keep(words: &[String]) -> Result<Keep, Failure> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["all"] => Ok(Keep::All),
        ["none-after", date] => kith_node::node::start_of(date).map(Keep::NoneAfter),
        _ => Err(Failure::new(
            Ending::Usage,
            "It is not understood what should stay of what they wrote.",
            "Write --keep all, or --keep none-after 2026-11-01.",
        )),
    }
}
