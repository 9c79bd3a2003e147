//! `kith events`.

use std::ops::ControlFlow;

use kith_node::{
    api::{Kind, Occurred, Reply, Request, Since},
    control::Client,
    failure::{Ending, Failure},
};

use crate::{
    args::EventsArgs,
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: EventsArgs) -> Result<Ending, Failure> {
    let since = Since {
        after: args.after,
        record: args.record,
    };
    if args.follow {
        return follow(session, since);
    }
    let Reply::Events(events) = session.ask(Request::Events(since))? else {
        return Err(odd_answer());
    };
    if events.is_empty() && !session.json {
        render::say("Nothing has happened there yet.");
    }
    for occurred in &events {
        if !told(session, occurred)? {
            break;
        }
    }
    Ok(Ending::Done)
}

/// Tells what happens until the node stops or whoever reads goes away.
fn follow(session: &Session, since: Since) -> Result<Ending, Failure> {
    let home = session.home()?;
    let Some(client) = Client::connect(&home) else {
        return Err(Failure::new(
            Ending::NotRunning,
            "This node is not running, so nothing new happens on it.",
            "Start it with kith run; without --follow kith events tells what happened so far.",
        ));
    };
    let mut ended = Ok(Ending::Done);
    client.follow(since, &mut |occurred| match told(session, &occurred) {
        Ok(true) => ControlFlow::Continue(()),
        Ok(false) => ControlFlow::Break(()),
        Err(failure) => {
            ended = Err(failure);
            ControlFlow::Break(())
        }
    })?;
    ended
}

/// Tells one thing, and says whether anybody reads it still.
fn told(session: &Session, occurred: &Occurred) -> Result<bool, Failure> {
    render::while_read(&line(session, occurred)?)
}

/// One line of JSON, or of words.
fn line(session: &Session, occurred: &Occurred) -> Result<String, Failure> {
    if session.json {
        return render::json_line(occurred);
    }
    let place = match (&occurred.person, &occurred.section) {
        (Some(person), Some(section)) => format!("{}, {section}", render::clean(person)),
        (Some(person), None) => render::clean(person),
        (None, _) => "this node".to_owned(),
    };
    let what: Vec<_> = occurred
        .what
        .iter()
        .map(|what| render::clean(what))
        .collect();
    if occurred.kind == Kind::Late {
        let late = render::loud_out(&what.join("; "));
        return Ok(format!(
            "{}  {}  {place}  {late}\n",
            occurred.seq, occurred.when
        ));
    }
    let doubt = match occurred.status.as_deref() {
        None | Some("accepted") => String::new(),
        Some(status) => format!(" ({status}: kith review)"),
    };
    Ok(format!(
        "{}  {}  {place}  {}: {}{doubt}\n",
        occurred.seq,
        occurred.when,
        render::clean(&occurred.by),
        what.join("; "),
    ))
}
